from hypothesis import given
from hypothesis import strategies as st

from console.domain.names import explain
from console.views.spelling import SpellingView, columns, visible


def grid(above, below):
    explained = explain(above, below)
    return columns(above, below, explained.typed_marks, explained.on_file_marks)


def test_letters_stand_under_their_fellows():
    cells = grid("De Long", "DeLong")
    assert [(cell.above, cell.below) for cell in cells] == [
        ("D", "D"), ("e", "e"), (" ", ""), ("L", "L"), ("o", "o"), ("n", "n"), ("g", "g"),
    ]  # fmt: skip
    assert [cell.above_marked for cell in cells] == [False, False, True, *[False] * 4]


def test_a_space_and_a_hidden_character_can_be_seen():
    assert visible(" ") == "␣"
    assert visible("\u200b") == "▯"
    assert visible("\u00a0") == "▯"
    assert visible("é") == "é"


@given(st.text(max_size=120), st.text(max_size=120))
def test_no_letter_is_lost_whatever_was_typed(above, below):
    cells = columns(above, below, (), ())
    assert "".join(cell.above for cell in cells) == above[:80]
    assert "".join(cell.below for cell in cells) == below[:80]


def test_what_differs_is_spoken_and_not_only_coloured(qtbot):
    view = SpellingView()
    qtbot.addWidget(view)
    explained = explain("De Long", "DeLong")
    view.show_pair("De Long", "DeLong", explained.typed_marks, explained.on_file_marks)
    said = view.accessibleName()
    assert "Typed: De Long" in said
    assert "On file: DeLong" in said
    assert "a space" in said


def test_a_pasted_novel_is_drawn_in_lines_and_not_for_ever(qtbot):
    view = SpellingView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show_pair("x" * 1_000_000, "y" * 1_000_000)
    view.grab()
    assert len(view.cells) == 80
    assert view.heightForWidth(400) > view.heightForWidth(4000)
