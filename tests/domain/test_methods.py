"""Stored methods in words, cards that run out, and routing numbers that no bank has."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.methods import (
    BadRouting,
    MethodKind,
    RequestState,
    check_routing,
    expiry_words,
    has_expired,
    method_words,
)


@pytest.mark.parametrize(
    ("brand", "last_four", "words"),
    [
        ("visa", "4242", "Visa ending in 4242"),
        ("amex", "0005", "American Express ending in 0005"),
        ("Prairie Bank", "6789", "Prairie Bank ending in 6789"),
        ("", "6789", "Account ending in 6789"),
    ],
)
def test_a_method_is_named_as_staff_name_it(brand, last_four, words):
    assert method_words(brand, last_four) == words


def test_a_card_is_good_until_the_last_day_of_its_month():
    assert not has_expired((2026, 11), date(2026, 11, 30))
    assert has_expired((2026, 11), date(2026, 12, 1))
    assert has_expired((2026, 12), date(2027, 1, 1))
    assert not has_expired((2027, 1), date(2026, 12, 31))
    assert not has_expired(None, date(2026, 12, 31))
    assert (expiry_words((2029, 4)), expiry_words(None)) == ("04/29", "")


def test_something_may_still_come_of_what_waits_or_is_open():
    assert {one for one in RequestState if one.is_open} == {RequestState.WAITING, RequestState.OPEN}
    assert [one.words for one in MethodKind] == ["Card", "Bank account"]


@pytest.mark.parametrize(
    "good", ["110000000", "021000021", "0210 0002 1", "322271627", "011401533"]
)
def test_a_real_routing_number_is_taken(good):
    assert check_routing(good) == good.replace(" ", "")


@pytest.mark.parametrize(
    "bad",
    ["", "11000000", "1100000000", "110000001", "000000000", "١١٠٠٠٠٠٠٠", "11000000x",
     "130000006", "330000002", "990000002", "-10000000"],
)  # fmt: skip
def test_a_routing_number_of_no_bank_is_refused_with_what_to_do(bad):
    with pytest.raises(BadRouting, match="cheque"):
        check_routing(bad)


@given(st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place, more):
    digits = list("021000021")
    digits[place] = str((int(digits[place]) + more) % 10)
    with pytest.raises(BadRouting):
        check_routing("".join(digits))
