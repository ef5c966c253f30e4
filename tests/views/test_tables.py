from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QLabel

from console.views.tables import LEAST_STRETCHED, Column, Rows, RowTable


@dataclass(frozen=True)
class Line:
    id: int
    name: str
    cents: int | None = 0


COLUMNS = (
    Column[Line]("Name", lambda line: line.name, stretch=True),
    Column[Line]("Amount", lambda line: line.cents, lambda c: f"${c}", align="right"),
)
LINES = [Line(number, f"Name {number}", number * 7 % 5) for number in range(6)]


@pytest.fixture
def table(qtbot):
    table = RowTable(COLUMNS, key=lambda line: line.id, name="Lines", empty=QLabel("Nothing yet"))
    qtbot.addWidget(table)
    table.resize(600, 400)
    table.show()
    table.show_rows(LINES)
    return table


def shown(table):
    return [row.id for row in table.rows_model.rows]


def test_the_cursor_stays_on_its_row_when_others_come_and_go(table):
    table.turn_to(3)
    table.show_rows([Line(9, "New"), *LINES[2:]])
    assert table.current_row().id == 3
    table.show_rows(list(reversed(LINES)))
    assert table.current_row().id == 3
    assert len(table.selectionModel().selectedRows()) == 1


def test_when_the_row_under_the_cursor_goes_its_place_is_taken(table):
    table.turn_to(3)
    table.show_rows([line for line in LINES if line.id != 3])
    assert table.current_row().id == 4
    table.turn_to(5)
    table.show_rows(LINES[:2])
    assert table.current_row().id == 1


def test_only_what_changed_lights_up(table):
    model = table.rows_model
    assert [model.light_of(row) for row in range(6)] == [0] * 6
    table.show_rows([*LINES[:2], replace(LINES[2], name="Other"), *LINES[3:]])
    assert [model.light_of(row) > 0 for row in range(6)] == [False, False, True, *[False] * 3]


def test_what_has_not_changed_is_not_touched(table, qtbot):
    with qtbot.assertNotEmitted(table.rows_model.dataChanged):
        table.show_rows(list(LINES))


def test_enter_and_double_click_open_a_row(table, qtbot):
    table.turn_to(2)
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args[0].id == 2
    spot = table.visualRect(table.model().index(4, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert opened.args[0].id == 4


def test_the_keyboard_walks_from_end_to_end(table, qtbot):
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_End)
    assert table.current_row().id == 5
    qtbot.keyClick(table, Qt.Key.Key_Home)
    assert table.current_row().id == 0
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.current_row().id == 1


def test_letters_are_left_to_the_search_box(table, qtbot):
    table.turn_to(0)
    qtbot.keyClicks(table, "N")
    assert table.current_row().id == 0


def test_a_row_is_copied_as_it_is_written(table, qtbot):
    table.turn_to(1)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Name 1\t$2"


def test_an_empty_list_says_what_belongs_there(table):
    assert not table._empty.isVisible()
    table.show_rows([])
    assert table._empty.isVisible()
    assert table.current_row() is None


def test_sorting_keeps_the_cursor_and_puts_what_is_missing_last(table):
    table.show_rows([*LINES, Line(7, "None", None)])
    table.turn_to(3)
    table.model().sort(1, Qt.SortOrder.AscendingOrder)
    assert shown(table) == [0, 5, 3, 1, 4, 2, 7]
    table.model().sort(1, Qt.SortOrder.DescendingOrder)
    assert shown(table)[-1] == 7
    assert table.current_row().id == 3
    table.model().sort(-1)
    assert shown(table) == [0, 1, 2, 3, 4, 5, 7]


def test_each_cell_is_spoken_with_its_heading(table):
    said = table.model().index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Amount: $2"


def test_a_member_named_like_markup_is_only_text(table, qtbot):
    table.show_rows([Line(1, "<img src=x> & <b>Rose</b>\nsecond line" + "x" * 100_000)])
    table.grab()
    assert table.model().index(0, 0).data().startswith("<img")


@given(
    st.lists(st.lists(st.integers(0, 12), unique=True, max_size=10), min_size=1, max_size=6),
    st.booleans(),
)
def test_any_list_can_follow_any_other(qapp, lists, backwards):
    model = Rows(COLUMNS, key=lambda line: line.id)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    if backwards:
        model.sort(0, Qt.SortOrder.DescendingOrder)
    for turn, ids in enumerate(lists):
        held = [(i, model.index(i, 0).data()) for i in range(model.rowCount())]
        assert len(held) == model.rowCount()
        lines = [Line(number, f"{number:02} {turn % 2}") for number in ids]
        model.show_rows(lines)
        wanted = sorted(lines, key=lambda line: line.name, reverse=True) if backwards else lines
        assert list(model.rows) == wanted


def test_the_rows_of_another_question_are_nobody_s_news(table):
    model = table.rows_model
    table.show_rows(LINES[:2], question="first")
    table.show_rows(LINES, question="all")
    assert not model.is_lit
    table.show_rows([*LINES[:5], replace(LINES[5], name="Other")], question="all")
    assert [model.light_of(row) > 0 for row in range(6)] == [*[False] * 5, True]


WIDE = (
    Column[Line]("State", lambda line: line.id, width=150, least=120),
    Column[Line]("What happened", lambda line: line.name, stretch=True),
    Column[Line]("Tries", lambda line: line.id, width=64, least=64, spare=True),
    Column[Line]("In hand", lambda line: line.name, width=200),
)


@pytest.fixture
def wide(qtbot):
    table = RowTable(WIDE, key=lambda line: line.id, name="Lines")
    qtbot.addWidget(table)
    table.resize(1000, 300)
    table.show()
    return table


def widths(table):
    return [table.columnWidth(place) for place in range(len(WIDE))]


def test_where_there_is_room_what_stretches_takes_it(wide):
    assert widths(wide) == [150, wide.viewport().width() - 414, 64, 200]


def test_where_it_is_narrow_the_others_give_way_to_what_stretches(wide):
    wide.resize(580, 300)
    state, what, tries, in_hand = widths(wide)
    assert what >= LEAST_STRETCHED
    assert (tries, 120 <= state < 150, 140 <= in_hand < 200) == (64, True, True)
    assert wide.horizontalScrollBar().maximum() == 0
    wide.resize(500, 300)
    assert wide.isColumnHidden(2), "what can be spared goes"
    assert widths(wide)[1] >= LEAST_STRETCHED
    assert wide.horizontalScrollBar().maximum() == 0
    wide.resize(1000, 300)
    assert widths(wide) == [150, wide.viewport().width() - 414, 64, 200]


def test_where_it_is_too_narrow_for_anything_it_scrolls_and_nothing_is_squeezed(wide):
    wide.resize(300, 300)
    assert widths(wide)[1] == LEAST_STRETCHED
    assert wide.horizontalScrollBar().maximum() > 0


def test_a_column_that_somebody_has_made_wider_stays_so(wide):
    wide.setColumnWidth(0, 190)
    wide.resize(1100, 300)
    assert widths(wide)[0] == 190


def test_the_keys_find_a_row_when_rows_come_to_an_empty_list(table, qtbot):
    table.show_rows([])
    table.window().activateWindow()
    table.setFocus()
    assert table.current_row() is None
    table.show_rows(LINES)
    assert table.current_row().id == 0


def test_an_icon_stands_beside_the_only_line_of_its_cell(qtbot, look):
    columns = (
        Column[Line](
            "Name", lambda line: line.name, stretch=True, icon=lambda _: "check-circle",
            tone=lambda _: "bad", second=lambda line: "below" if line.id else "",
        ),
    )  # fmt: skip
    table = RowTable(columns, key=lambda line: line.id, name="Lines")
    qtbot.addWidget(table)
    table.resize(300, 200)
    table.show()
    table.show_rows(LINES[:2])
    drawn = table.viewport().grab().toImage()
    bad, paper = look.colour("bad"), look.colour("paper")

    def middle(row):
        top = table.rowViewportPosition(row)
        inked = [
            y for y in range(table.rowHeight(row) - 2)
            if any(near(drawn.pixelColor(x, top + y), bad, paper) for x in range(12, 28))
        ]  # fmt: skip
        return (inked[0] + inked[-1]) / 2

    def near(colour, bad, paper):
        return abs(colour.blue() - bad.blue()) < abs(colour.blue() - paper.blue())

    assert abs(middle(0) - table.rowHeight(0) / 2) <= 2
    assert middle(1) < table.rowHeight(1) / 2 - 5
