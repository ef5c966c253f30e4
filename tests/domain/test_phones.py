import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.phones import BadPhone, digits_of, display


@pytest.mark.parametrize(
    ("typed", "digits", "shown"),
    [
        ("(715) 555-0142", "7155550142", "(715) 555-0142"),
        ("+1 715.555.0142", "7155550142", "(715) 555-0142"),
        ("1-715-555-0142 ext. 7", "7155550142", "(715) 555-0142"),
        ("555-0142", "5550142", "555-0142"),
        ("715 555 0142 x12", "7155550142", "(715) 555-0142"),
    ],
)
def test_reads_and_shows(typed: str, digits: str, shown: str) -> None:
    assert digits_of(typed) == digits
    assert display(typed) == shown


@pytest.mark.parametrize("bad", ["", "call me", "55501", "011 44 20 7946 0958", "0155550142"])
def test_refuses_what_is_none(bad: str) -> None:
    with pytest.raises(BadPhone):
        digits_of(bad)
    assert display(bad) == bad


@given(st.text(st.characters(codec=None), max_size=40))
def test_anything_can_be_shown(text: str) -> None:
    assert display(display(text)) == display(text)
