import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.domain.errors import ConsoleError
from console.models import search as index
from console.services import search
from console.services.search import Hit, SearchAnswer
from console.views.search_box import SearchBox
from console.views.window import Window
from tests.office import add_member


@pytest.fixture
def rose(records):
    member_id = add_member(records)
    index.rebuild(records)
    return member_id


@pytest.fixture
def box(qtbot, background, rose):
    window = QWidget()
    window.resize(900, 700)
    box = SearchBox(background)
    layout = QVBoxLayout(window)
    layout.addWidget(box)
    layout.addStretch(1)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    box.window_of_test = window
    box.field.setFocus()
    return box


def names(box):
    model = box.popup.hits
    return [
        model.index(row, 0).data(Qt.ItemDataRole.UserRole).name for row in range(model.rowCount())
    ]


def types(qtbot, box, text):
    qtbot.keyClicks(box.field, text)
    qtbot.waitUntil(lambda: box._answered == text.strip())


def test_hits_appear_with_every_key_and_say_why(qtbot, box):
    for letter in "delong":
        qtbot.keyClicks(box.field, letter)
    qtbot.waitUntil(lambda: box.popup.isVisible() and names(box) == ["Rose DeLong"])
    said = box.popup.hits.index(0, 0).data()
    assert "10234.01" in said
    assert "14 Mill Road" in said
    assert box.popup.chosen().why


def test_enter_opens_the_first_hit_and_clears_the_box(qtbot, box, rose):
    types(qtbot, box, "delong")
    with qtbot.waitSignal(box.opened) as opened:
        qtbot.keyClick(box.field, Qt.Key.Key_Return)
    assert opened.args[0].member_id == rose
    assert box.field.text() == ""
    assert not box.popup.isVisible()


def test_enter_before_the_answer_opens_as_soon_as_it_is_there(qtbot, box, rose):
    with qtbot.waitSignal(box.opened) as opened:
        qtbot.keyClicks(box.field, "delong")
        qtbot.keyClick(box.field, Qt.Key.Key_Return)
    assert opened.args[0].member_id == rose


def test_the_arrows_choose_and_a_click_opens(qtbot, box, records):
    add_member(records, name="Delongchamp", numbers=("1023402",), number="M2", given_names="Al")
    index.rebuild(records)
    types(qtbot, box, "delong")
    assert len(names(box)) == 2
    qtbot.keyClick(box.field, Qt.Key.Key_Down)
    assert box.popup.chosen().name == names(box)[1]
    qtbot.keyClick(box.field, Qt.Key.Key_Down)
    assert box.popup.chosen().name == names(box)[1]
    qtbot.keyClick(box.field, Qt.Key.Key_Up)
    assert box.popup.chosen().name == names(box)[0]
    spot = box.popup.list.visualRect(box.popup.hits.index(1, 0)).center()
    with qtbot.waitSignal(box.opened) as opened:
        qtbot.mouseClick(box.popup.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert "Delongchamp" in opened.args[0].name


def test_nothing_found_is_said_in_place_with_what_to_try(qtbot, box):
    types(qtbot, box, "zzyzx")
    assert box.popup.nothing.isVisible()
    assert "Nobody fits" in box.popup.nothing.text()
    assert box.popup.advice.text()


def test_escape_clears_and_then_leaves(qtbot, box):
    types(qtbot, box, "delong")
    qtbot.keyClick(box.field, Qt.Key.Key_Escape)
    assert box.field.text() == ""
    assert not box.popup.isVisible()
    qtbot.keyClick(box.field, Qt.Key.Key_Escape)
    assert not box.field.hasFocus()


def test_an_older_answer_never_replaces_a_newer_one(qtbot, box, background, monkeypatch):
    hold = threading.Event()

    def find(desk, query, limit=20):
        if query == "d":
            hold.wait(5)
        return SearchAnswer(query, (Hit(1, query, "1", "1", "", ""),), 0.1)

    monkeypatch.setattr(search, "find", find)
    shown = []
    monkeypatch.setattr(box.popup, "show_hits", lambda hits, **_: shown.append(hits))
    qtbot.keyClicks(box.field, "d")
    qtbot.keyClicks(box.field, "e")
    hold.set()
    qtbot.waitUntil(lambda: bool(shown))
    qtbot.waitUntil(lambda: background.idle)
    assert [hits[0].name for hits in shown] == ["de"]


def test_an_answer_to_a_cleared_box_is_dropped(qtbot, box, background, monkeypatch):
    hold = threading.Event()

    def find(desk, query, limit=20):
        hold.wait(5)
        return SearchAnswer(query, (Hit(1, "Rose", "1", "1", "", ""),), 0.1)

    monkeypatch.setattr(search, "find", find)
    qtbot.keyClicks(box.field, "d")
    qtbot.keyClick(box.field, Qt.Key.Key_Backspace)
    hold.set()
    qtbot.waitUntil(lambda: background.idle)
    assert not box.popup.isVisible()


def test_a_database_that_does_not_answer_is_said_in_place_and_the_text_stays(
    qtbot, box, monkeypatch
):
    def find(desk, query, limit=20):
        raise ConsoleError("The database does not answer.")

    monkeypatch.setattr(search, "find", find)
    qtbot.keyClicks(box.field, "rose")
    qtbot.waitUntil(box.popup.nothing.isVisible)
    assert box.popup.nothing.text() == "The database does not answer."
    assert box.field.text() == "rose"


def test_members_opened_lately_are_offered_while_the_box_is_empty(qtbot, box):
    types(qtbot, box, "delong")
    qtbot.keyClick(box.field, Qt.Key.Key_Return)
    box.field.clearFocus()
    box.look_up()
    assert box.popup.isVisible()
    assert names(box) == ["Rose DeLong"]
    assert box.popup.head.text() == "Open lately"
    with qtbot.waitSignal(box.opened):
        qtbot.keyClick(box.field, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    "hostile", ["<b>rose</b>", "%' OR 1=1 --", "\u202erose", "\x00", "'" * 300, "日本", "🦊" * 90]
)
def test_anything_at_all_may_be_typed(qtbot, box, background, hostile):
    box.look_up(hostile)
    qtbot.waitUntil(lambda: background.idle)
    box.popup.grab()


@pytest.mark.parametrize("width", [1024, 1366])
def test_the_hits_hang_under_the_field_and_never_over_the_rail(qtbot, window, width):
    window.resize(width, 700)
    box = window.search
    box.look_up("delong")
    qtbot.waitUntil(box.popup.isVisible)
    left = box.mapTo(window, box.rect().topLeft()).x()
    assert box.popup.x() == left
    assert box.popup.width() >= box.width()
    assert box.popup.geometry().right() < window.width()
    assert box.popup.x() > window.rail.width()


@pytest.fixture
def window(qtbot, background, desk, look, rose):
    window = Window(background, desk.settings, look)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    yield window
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)
