from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt

from console.background import DatabaseAway
from console.domain.errors import ConsoleError
from console.views.tables import Column
from console.views.widgets import EmptyPlace
from console.views.worklist import Filter, Worklist


@dataclass(frozen=True)
class Case:
    id: int
    kind: str
    name: str


CASES = [Case(1, "refused", "Rose"), Case(2, "bounced", "Ann"), Case(3, "refused", "Teo")]


class Cases(Worklist[Case]):
    def __init__(self, background):
        super().__init__(
            background,
            "Cases",
            (Column[Case]("Name", lambda case: case.name, stretch=True),),
            lambda case: case.id,
            (Filter(None, "All"), Filter("refused", "Refused"), Filter("bounced", "Bounced")),
            EmptyPlace("inbox", "Nobody waits."),
        )
        self.asked = []

    def load(self):
        self.asked.append((self.chosen, self.mine, self.narrowed_to))
        fits = [
            case
            for case in CASES
            if self.chosen in (None, case.kind) and self.narrowed_to.lower() in case.name.lower()
        ]
        self.show_list(fits, {"refused": 2, "bounced": 1, "solved": 9}, len(fits))


@pytest.fixture
def screen(qtbot, background):
    screen = Cases(background)
    qtbot.addWidget(screen)
    screen.resize(900, 500)
    screen.show()
    screen.load()
    return screen


def test_the_filters_say_how_many_there_are(screen):
    assert [chip.text() for chip in screen.filters.values()] == [
        "All  3", "Refused  2", "Bounced  1",
    ]  # fmt: skip
    assert screen.count.text() == "3"


def test_a_filter_is_chosen_by_click_and_shows_that_it_is(qtbot, screen):
    qtbot.mouseClick(screen.filters["bounced"], Qt.MouseButton.LeftButton)
    assert [case.name for case in screen.table.rows_model.rows] == ["Ann"]
    assert screen.filters["bounced"].isChecked()
    assert not screen.filters[None].isChecked()


def test_the_list_narrows_with_what_is_typed(qtbot, screen):
    qtbot.keyClicks(screen.narrow, "ro")
    qtbot.waitUntil(lambda: [case.name for case in screen.table.rows_model.rows] == ["Rose"])
    qtbot.keyClicks(screen.narrow, "zz")
    qtbot.waitUntil(lambda: screen.table.rows_model.rowCount() == 0)
    assert screen.table._empty.isVisible()


def test_mine_and_everybody_s(qtbot, screen):
    qtbot.mouseClick(screen.own, Qt.MouseButton.LeftButton)
    assert screen.asked[-1][1] is True
    qtbot.mouseClick(screen.everybody, Qt.MouseButton.LeftButton)
    assert screen.asked[-1][1] is False


def test_a_list_that_was_cut_says_so(screen):
    screen.show_list(CASES, {}, 1234)
    assert screen.count.text() == "the first 3 of 1,234"


def test_another_question_lights_nothing_and_a_change_does(qtbot, screen):
    model = screen.table.rows_model
    qtbot.mouseClick(screen.filters["bounced"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(screen.filters[None], Qt.MouseButton.LeftButton)
    qtbot.keyClicks(screen.narrow, "ro")
    screen.load()  # by the clock, before what was typed is asked
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    screen.narrow.clear()
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    assert not model.is_lit
    qtbot.keyClicks(screen.narrow, "rose")
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    screen.narrow.clear()
    screen.show_list(CASES[:1], {}, 1)  # the answer to what was asked before comes late
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    assert not model.is_lit
    screen.show_list([*CASES[:2], replace(CASES[2], name="Theo")], {}, 3)
    assert [model.light_of(row) > 0 for row in range(3)] == [False, False, True]


def test_a_list_that_cannot_be_read_says_so_quietly_and_keeps_what_was_read(qtbot, background):
    fresh = Cases(background)
    qtbot.addWidget(fresh)
    fresh.resize(900, 500)
    fresh.show()
    away = DatabaseAway("The database does not answer, so nothing was done.")
    fresh.show_unread(away)
    assert not fresh.problem.isVisible()
    assert fresh._empty.sentence.text() == "This list cannot be read just now."
    assert fresh._empty.isVisible()
    fresh.load()
    assert not fresh._empty.isVisible()
    assert fresh._empty.icon.name == "inbox"
    assert not fresh.table.rows_model.is_lit
    fresh.show_unread(away)
    assert len(fresh.table.rows_model.rows) == 3
    assert not fresh.problem.isVisible()
    fresh.show_unread(ConsoleError("The disk of the database is full."))
    assert fresh.problem.isVisible()
