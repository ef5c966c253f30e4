from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMainWindow

from console.background import Background
from console.domain.contact import Asked
from console.services import calls, contact
from console.services.contact import ContactEdit
from console.views.contact import ContactSheet
from console.views.members import MemberScreen
from tests.office import ANA, SAM

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot, town, live):
    """Rose's page in a window, the caller verified."""
    window = QMainWindow()
    window.resize(1158, 668)
    qtbot.addWidget(window)
    screen = MemberScreen(live, town.rose)
    window.setCentralWidget(screen)
    with qtbot.waitActive(window):
        window.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    yield screen
    qtbot.waitUntil(lambda: live.idle)


def verified(qtbot, town, page):
    call = str(uuid4())
    calls.begin(town.desk, call, town.rose)
    page.show_call(calls.tick(town.desk, call, list(calls.Fact)))
    qtbot.waitUntil(lambda: not page.page_shown.masked)
    return call


def opened(qtbot, page) -> ContactSheet:
    sheet = page.open_contact()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def filled(qtbot, sheet):
    qtbot.waitUntil(sheet.form.isVisible)
    return sheet


def types(sheet, field, text):
    line = sheet.fields[field]
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def saves(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def stands(town):
    return contact.on_file(town.desk, town.rose, Asked.IN_PERSON).contact


def sam_sets(town, **details):
    sam = replace(town.desk, colleague=SAM)
    on_file = contact.on_file(sam, town.rose, Asked.IN_PERSON)
    after = replace(on_file.contact, **details)
    edit = ContactEdit(
        str(uuid4()), town.rose, on_file.version, on_file.contact, after, Asked.IN_PERSON
    )
    contact.change_contact(sam, edit)


def test_a_verified_caller_has_a_phone_changed_and_the_page_shows_it(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    assert sheet.fields["phone"].hasFocus()
    assert sheet.fields["phone"].text() == "(620) 555-0147"
    assert not sheet.save_button.isEnabled()
    types(sheet, "phone", "620.555.0199")
    saves(sheet)
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0199")
    assert stands(town).phone == "6205550199"


def test_the_timeline_takes_it_back(qtbot, town, page):
    verified(qtbot, town, page)
    changed = contact.change_contact(
        town.desk,
        ContactEdit(
            "one",
            town.rose,
            1,
            stands(town),
            replace(stands(town), phone="6205550199"),
            Asked.IN_PERSON,
        ),
    )
    page.load()
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0199")
    entry = next(one for one in page.page_shown.timeline if one.contact_change_id)
    assert entry.contact_change_id == changed.id
    listed = page.timeline.list
    for line in range(listed.model().rowCount()):
        listed.setCurrentIndex(listed.model().index(line, 0))
        if page.timeline.undo.isEnabled():
            break
    page.timeline.undo.trigger()
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0147")


def test_nothing_is_uncovered_before_somebody_is_known_to_ask(qtbot, town, page):
    sheet = opened(qtbot, page)
    assert sheet.asked.findData(Asked.CALLER_VERIFIED) == -1
    assert not sheet.form.isVisible()
    assert "0147" not in words(sheet)
    QTest.keyClick(sheet.asked, Qt.Key.Key_Down)
    filled(qtbot, sheet)
    assert sheet.fields["email"].text() == "rose@example.org"


def test_a_bad_detail_is_said_beside_its_field_and_nothing_is_lost(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "email", "rose.d@example.org")
    types(sheet, "mailing_zip", "6699")
    saves(sheet)
    qtbot.waitUntil(lambda: "A ZIP code has five digits" in words(sheet))
    assert sheet.fields["mailing_zip"].hasFocus()
    assert sheet.fields["email"].text() == "rose.d@example.org"
    types(sheet, "mailing_zip", "66998")
    assert "A ZIP code" not in words(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: stands(town).mailing_zip == "66998")
    assert stands(town).email == "rose.d@example.org"


def test_a_field_that_both_changed_is_chosen_and_the_others_are_merged(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111", mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    said = words(sheet)
    assert "Sam Okafor changed the same meanwhile." in said
    assert "You set e-mail address to rose.d@example.org. Sam Okafor set city to Salina." in said
    assert not sheet.versions.merge_button.isEnabled()
    qtbot.mouseClick(sheet.versions.their_radios["phone"], LEFT)
    qtbot.mouseClick(sheet.versions.merge_button, LEFT)
    qtbot.waitUntil(lambda: stands(town).email == "rose.d@example.org")
    assert (stands(town).phone, stands(town).mailing_city) == ("6205550111", "Salina")


def test_mine_is_kept_without_writing_over_what_only_they_changed(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    sam_sets(town, phone="6205550111", mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.keep_mine, LEFT)
    qtbot.waitUntil(lambda: stands(town).phone == "6205550199")
    assert stands(town).mailing_city == "Salina"


def test_theirs_is_taken_and_nothing_is_written(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    sam_sets(town, phone="6205550111")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0111")


def test_leaving_half_made_changes_asks_first(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    asks = page.window().findChild(QDialog, "confirm")
    assert asks is not None
    QTest.keyClick(asks, Qt.Key.Key_Escape)
    assert sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    page.window().findChildren(QDialog, "confirm")[-1].accept()
    assert stands(town).phone == "6205550147"


def test_who_may_only_look_is_offered_nothing(qtbot, town, desk):
    hers = Background(replace(desk, colleague=ANA))
    screen = MemberScreen(hers, town.rose)
    qtbot.addWidget(screen)
    screen.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    assert not screen.header.edit_contact.isVisible()
    assert not screen.header.contact_action.isEnabled()
    qtbot.waitUntil(lambda: hers.idle)
    hers.close()
