"""Auto Pay: on which day an account is paid by itself, and how much."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from console.domain.arrangements import months_on
from console.domain.errors import ConsoleError
from console.domain.money import Money

FIRST_DAY: Final = 1
LAST_DAY: Final = 28
"""Every month has these days."""
CATCH_UP: Final = timedelta(days=3)
"""A day on which no courier ran is made up for within this time; later a person sees to it."""


class RunState(StrEnum):
    """What came of one dated run."""

    ASKED = "asked"
    """It became a payment of its own id, whose state tells the rest."""
    SKIPPED = "skipped"
    """Nothing was due, or something stood in its way; the answer says what."""


class BadAutoPay(ConsoleError):
    """Auto Pay cannot be agreed on like this."""


def check_day(day_of_month: int | None) -> None:
    """Refuse a day that not every month has."""
    if day_of_month is not None and not FIRST_DAY <= day_of_month <= LAST_DAY:
        raise BadAutoPay(f"Choose a day from {FIRST_DAY} to {LAST_DAY}: every month has it.")


def check_most(most: Money | None) -> None:
    """Refuse a cap that would let nothing through."""
    if most is not None and most <= Money(0):
        raise BadAutoPay("The most that may be taken is above zero. Leave it empty for no limit.")


def day_words(day_of_month: int | None) -> str:
    """Say when it is paid: “on the day the bill is due”, “on day 15 of each month”."""
    if day_of_month is None:
        return "on the day the bill is due"
    return f"on day {day_of_month} of each month"


def runs_on(day_of_month: int | None, due_on: date | None, day: date) -> bool:
    """Tell whether an account is paid on a day."""
    return day == due_on if day_of_month is None else day.day == day_of_month


def next_run(day_of_month: int | None, due_on: date | None, today: date) -> date | None:
    """Say when it runs next, today at the earliest; nothing while no bill is due."""
    if day_of_month is None:
        return due_on if due_on is not None and due_on >= today else None
    this_month = today.replace(day=day_of_month)
    return this_month if this_month >= today else months_on(this_month, 1)


def days_to_run(today: date) -> tuple[date, ...]:
    """List the days that are run for today: today's, and those that may have been missed."""
    return tuple(today - timedelta(days=back) for back in range(CATCH_UP.days, -1, -1))


def is_last_chance(run_on: date, today: date) -> bool:
    """Tell whether what stands in the way of a run today has cost it its day."""
    return today - run_on >= CATCH_UP


def amount_to_run(balance: Money, most: Money | None) -> Money:
    """Answer how much is taken: what is owed, never below zero, and no more than was allowed."""
    owed = max(balance, Money(0))
    return owed if most is None else min(owed, most)


def has_expired(year: int | None, month: int | None, today: date) -> bool:
    """Tell whether a card is past its last month."""
    return bool(year and month) and (year or 0, month or 0) < (today.year, today.month)
