from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.autopay import (
    BadAutoPay,
    amount_to_run,
    check_day,
    check_most,
    day_words,
    days_to_run,
    has_expired,
    is_last_chance,
    next_run,
    runs_on,
)
from console.domain.money import Money

TODAY = date(2026, 11, 23)


@given(st.dates(date(2026, 1, 1), date(2036, 1, 1)), st.integers(1, 28))
def test_a_fixed_day_runs_once_each_month_and_next_run_is_that_day(today, day):
    following = next_run(day, None, today)
    assert following is not None
    assert following >= today
    assert (following - today).days <= 31
    assert runs_on(day, None, following)
    assert following == today or not runs_on(day, None, today)


def test_without_a_fixed_day_it_runs_when_the_bill_is_due():
    assert runs_on(None, TODAY, TODAY)
    assert not runs_on(None, None, TODAY)
    assert next_run(None, date(2026, 12, 4), TODAY) == date(2026, 12, 4)
    assert next_run(None, date(2026, 11, 22), TODAY) is None
    assert day_words(None) == "on the day the bill is due"
    assert day_words(15) == "on day 15 of each month"


@given(st.integers(-10_000, 10_000), st.none() | st.integers(1, 10_000))
def test_never_more_than_is_owed_or_allowed_and_never_below_zero(owed, most):
    cap = None if most is None else Money(most)
    amount = amount_to_run(Money(owed), cap)
    assert Money(0) <= amount <= Money(max(owed, 0))
    assert cap is None or amount <= cap


def test_a_missed_day_is_made_up_for_within_three_days():
    assert days_to_run(TODAY) == tuple(date(2026, 11, day) for day in (20, 21, 22, 23))
    assert is_last_chance(date(2026, 11, 20), TODAY)
    assert not is_last_chance(date(2026, 11, 21), TODAY)


@pytest.mark.parametrize("day", [0, 29, 31, -1])
def test_a_day_that_not_every_month_has_is_refused(day):
    with pytest.raises(BadAutoPay):
        check_day(day)


def test_a_cap_lets_something_through():
    check_most(None)
    check_most(Money(1))
    with pytest.raises(BadAutoPay):
        check_most(Money(0))


def test_a_card_is_good_through_its_last_month():
    assert not has_expired(2026, 11, TODAY)
    assert has_expired(2026, 10, TODAY)
    assert not has_expired(None, None, TODAY)
