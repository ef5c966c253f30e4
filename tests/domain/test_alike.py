import pytest

from console.domain.differences import mark_alike
from console.domain.kinds import Kind
from console.domain.letters import take_apart
from console.domain.names import explain


def marked(text, ranges):
    return [text[start:end] for start, end in ranges]


def test_another_person_s_name_that_is_alike_is_marked_where_it_differs():
    found = explain("D Long", "De Long")
    assert found.kinds == (Kind.DIFFERENT,)
    assert not found.same_name
    assert marked("D Long", found.typed_marks) == []
    assert marked("De Long", found.on_file_marks) == ["e"]


@pytest.mark.parametrize(
    ("typed", "on_file", "mine", "theirs"),
    [
        ("Mary Rose", "Marc Rosi", ["y", "e"], ["c", "i"]),
        ("Smith", "Jones", ["Smith"], ["Jones"]),
        ("Li", "Lo", ["Li"], ["Lo"]),
        ("x", "", ["x"], []),
    ],
)
def test_what_is_not_alike_is_marked_whole(typed, on_file, mine, theirs):
    found = explain(typed, on_file)
    assert not found.same_name
    assert marked(typed, found.typed_marks) == mine
    assert marked(on_file, found.on_file_marks) == theirs


def test_signs_and_nothing_at_all_are_not_alike_to_anything():
    assert mark_alike(take_apart("…"), take_apart("DeLong")) is None
    assert mark_alike(take_apart("&"), take_apart("&")) in (None, ((), ()))
