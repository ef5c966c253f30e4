from dataclasses import replace

import pytest

from console.models import schema
from console.models.members import Member
from console.services import changes, presence
from console.views.flash import Flash
from console.views.members import MemberScreen
from tests.office import SAM, add_member, staff_the_office


@pytest.fixture
def rose(records):
    staff_the_office(records)
    return add_member(records)


@pytest.fixture
def sam(desk, database_url):
    """Sam's desk, on a console of its own."""
    records = schema.open_records(database_url)
    yield replace(desk, records=records, colleague=SAM, workstation="desk 5")
    records.close()


@pytest.fixture
def screen(qtbot, live, rose):
    """Rose's page at Pat's desk, which follows the others."""
    live.follow(changes.feed(live.desk))
    screen = MemberScreen(live, rose)
    qtbot.addWidget(screen)
    screen.resize(1158, 616)
    screen.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None and live.idle)
    yield screen
    screen.close()
    qtbot.waitUntil(lambda: live.idle)


def test_a_colleague_comes_changes_the_name_and_goes(qtbot, screen, sam, rose):
    company = screen.company
    assert not company.isVisible()
    presence.open(sam, rose)
    qtbot.waitUntil(lambda: company.text() == "Sam Okafor is looking at this member")
    assert company.isVisible()
    presence.open(sam, rose, "name")
    qtbot.waitUntil(lambda: company.text() == "Sam Okafor is changing the name")
    presence.close(sam, rose)
    qtbot.waitUntil(lambda: not company.isVisible())


def test_company_does_not_reload_the_page(qtbot, screen, sam, rose):
    shown = screen.page_shown
    presence.open(sam, rose)
    qtbot.waitUntil(screen.company.isVisible)
    qtbot.waitUntil(lambda: screen.background.idle)
    assert screen.page_shown is shown


def test_an_open_page_is_seen_elsewhere_until_it_closes(qtbot, screen, sam, rose):
    def seen():
        return [visitor.words for visitor in presence.who_else(sam, rose)]

    qtbot.waitUntil(lambda: seen() == ["Pat Lindqvist is looking at this member"])
    sheet = screen.open_correction()
    qtbot.waitUntil(lambda: seen() == ["Pat Lindqvist is changing the name"])
    sheet.reject()
    qtbot.waitUntil(lambda: seen() == ["Pat Lindqvist is looking at this member"])
    screen.close()
    qtbot.waitUntil(lambda: seen() == [])


def test_what_a_colleague_changes_lights_up_and_the_place_stays(qtbot, screen, sam, rose):
    screen.note.text.setFocus()
    screen.note.text.setPlainText("half a note")
    bar = screen.area.verticalScrollBar()
    bar.setValue(min(40, bar.maximum()))
    place = bar.value()
    with sam.records.begin() as db:
        db.get_one(Member, rose).name = "De Long"
    qtbot.waitUntil(lambda: screen.header.name.text() == "De Long")
    lit = screen.header.name.findChild(Flash)
    assert lit is not None
    assert lit.isVisible()
    assert bar.value() == place
    assert screen.note.text.toPlainText() == "half a note"
