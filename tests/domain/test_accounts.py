import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.accounts import (
    BadAccountNumber,
    account_reasons,
    digits_of,
    printed_with_point,
    read_account_number,
)


def test_reads_what_was_typed() -> None:
    point = read_account_number("10234.01")
    assert (point.digits, point.had_point, point.is_plain) == ("1023401", True, False)
    plain = read_account_number(" 1023401 ")
    assert plain.is_plain
    assert read_account_number("102-34 01").had_dashes
    assert read_account_number("1O23401").had_letters
    arabic = read_account_number("١٠٢")
    assert (arabic.digits, arabic.had_foreign_digits) == ("102", True)
    assert read_account_number("102\u200b").had_hidden
    assert read_account_number("9" * 1_000_000).too_long


def test_digits_of_a_printed_number() -> None:
    assert digits_of("10234.01") == "1023401"
    for bad in ("", "none", "12a4", "9" * 30):
        with pytest.raises(BadAccountNumber):
            digits_of(bad)


def test_prints_the_point_of_the_old_bills() -> None:
    assert printed_with_point("1023401") == "10234.01"
    assert printed_with_point("12") == "12"


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("10234.01", "with a point"),
        ("10234", "last numerals"),
        ("1032401", "another order"),
        ("01023401", "zeros at the beginning"),
        ("999", "another one"),
        ("", "No account number"),
    ],
)
def test_says_what_is_wrong(typed: str, part: str) -> None:
    reasons = " ".join(account_reasons(read_account_number(typed), "1023401"))
    assert part in reasons


def test_a_plain_number_has_nothing_wrong() -> None:
    assert account_reasons(read_account_number("1023401"), "1023401") == []
    point = read_account_number("10234.01")
    assert account_reasons(point, "1023401", point_refused=False) == []


@given(st.text(st.characters(codec=None), max_size=40))
def test_anything_can_be_read(text: str) -> None:
    found = read_account_number(text)
    assert found.digits == "" or (found.digits.isascii() and found.digits.isdigit())


@given(st.integers(0, 10**15).map(str))
def test_point_comes_and_goes(digits: str) -> None:
    assert digits_of(printed_with_point(digits)) == digits
