from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.arrangements import (
    ArrangementState,
    BadArrangement,
    Paid,
    Part,
    Rhythm,
    Standing,
    becomes,
    check_parts,
    months_on,
    offer,
    standings,
)
from console.domain.money import Money

TODAY = date(2026, 11, 23)
PROMISES = (Part(date(2026, 12, 1), Money(5000)), Part(date(2026, 12, 15), Money(5000)))
OPEN = ArrangementState.OPEN


def on(day, month=12):
    return date(2026, month, day)


@given(st.integers(12, 10_000_000), st.integers(1, 12), st.sampled_from(Rhythm))
def test_parts_always_add_up_and_their_days_rise(cents, parts, rhythm):
    split = offer(Money(cents), parts, date(2026, 12, 31), rhythm)
    assert sum(part.amount.cents for part in split) == cents
    assert max(p.amount.cents for p in split) - min(p.amount.cents for p in split) < parts
    days = [part.due_on for part in split]
    assert days == sorted(set(days))
    check_parts(split, Money(cents), Money(cents), date(2026, 12, 30))


def test_a_month_on_from_the_last_day_is_the_last_day():
    assert months_on(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_on(date(2026, 12, 31), 2) == date(2027, 2, 28)
    days = [p.due_on for p in offer(Money(300), 3, date(2026, 11, 30), Rhythm.MONTH)]
    assert days == [date(2026, 11, 30), date(2026, 12, 30), date(2027, 1, 30)]
    weeks = [p.due_on for p in offer(Money(300), 2, on(1), Rhythm.TWO_WEEKS)]
    assert weeks == [on(1), on(15)]


@pytest.mark.parametrize(
    ("parts", "total", "words", "place"),
    [
        ([], 0, "at least one", None),
        ([(TODAY, 100)], 100, "lies ahead", 0),
        ([(on(2), 50), (on(2), 50)], 100, "after the one before", 1),
        ([(on(2), 0), (on(3), 100)], 100, "above zero", 0),
        ([(on(2), 60), (on(3), 50)], 100, "add up to $1.10", None),
        ([(on(2), 99_999)], 99_999, "more than the account owes", None),
        ([(date(2027, 11, 24), 100)], 100, "12 months", 0),
        ([(on(1 + n), 10) for n in range(13)], 130, "12 parts at most", None),
    ],
)
def test_what_cannot_be_promised_is_refused_where_it_is_wrong(parts, total, words, place):
    with pytest.raises(BadArrangement, match=words.replace("$", r"\$")) as refused:
        check_parts(
            [Part(day, Money(cents)) for day, cents in parts], Money(total), Money(20_000), TODAY
        )
    assert refused.value.part == place


@pytest.mark.parametrize(
    ("today", "paid", "expected"),
    [
        (TODAY, [], ["due", "due"]),
        (on(1), [], ["due_today", "due"]),
        (on(2), [], ["late", "due"]),
        (on(3), [], ["late", "due"]),
        (on(4), [], ["broken", "due"]),
        (on(4), [(on(3), 5000)], ["kept", "due"]),
        (on(4), [(on(4), 5000)], ["broken", "due"]),
        (on(4), [(on(1), 4999)], ["broken", "due"]),
        (on(4), [(on(1), 10_000)], ["kept", "kept"]),
        (on(20), [(on(1), 5000), (on(15), 5000)], ["kept", "kept"]),
        (on(20), [(on(1), 0), (on(15), 5000)], ["broken", "broken"]),
    ],
)
def test_money_counts_for_the_earliest_promise_and_only_in_time(today, paid, expected):
    came = [Paid(day, Money(cents)) for day, cents in paid]
    assert list(standings(PROMISES, came, today, OPEN)) == expected


def test_what_has_ended_stays_as_it_ended():
    off, kept = ArrangementState.CALLED_OFF, ArrangementState.KEPT
    assert set(standings(PROMISES, [], on(30), kept)) == {Standing.KEPT}
    assert list(standings(PROMISES, [Paid(on(1), Money(5000))], on(4), off)) == ["kept", "off"]
    assert list(standings(PROMISES, [], on(4), ArrangementState.BROKEN)) == ["broken", "off"]


def test_one_broken_promise_breaks_the_whole():
    assert becomes([Standing.KEPT, Standing.BROKEN]) is ArrangementState.BROKEN
    assert becomes([Standing.KEPT, Standing.KEPT]) is ArrangementState.KEPT
    assert becomes([Standing.KEPT, Standing.LATE]) is ArrangementState.OPEN
