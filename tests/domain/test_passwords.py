import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.passwords import RULE_READ_OUT, check, is_good


@pytest.mark.parametrize(
    ("password", "met"),
    [
        ("Sunny1day!", [True, True, True, True]),
        ("Sun1!", [False, True, True, True]),
        ("Sunny1dayandnight!", [False, True, True, True]),
        ("sunny1day!", [True, False, True, True]),
        ("Sunnyday!", [True, True, False, True]),
        ("Sunny1day", [True, True, True, False]),
        ("Sunny1 day", [True, True, True, False]),
        ("", [False, False, False, False]),
    ],
)
def test_each_part_is_checked(password: str, met: list[bool]) -> None:
    assert [part.met for part in check(password)] == met
    assert is_good(password) is all(met)


def test_says_how_many_are_missing() -> None:
    assert check("Sun1!")[0].words == "8 to 15 characters: 3 more"
    assert "8 to 15" in RULE_READ_OUT


@given(st.text(st.characters(codec=None), max_size=30))
def test_no_answer_repeats_the_password(password: str) -> None:
    words = " ".join(part.words for part in check(password))
    assert len(password) < 3 or password not in words or password in RULE_READ_OUT + words[:60]
