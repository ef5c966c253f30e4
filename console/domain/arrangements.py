"""Payment arrangements: dated promises, and whether they were kept."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.money import Money

MOST_PARTS: Final = 12
LONGEST_MONTHS: Final = 12
"""Further ahead than this nobody can promise."""
GRACE: Final = timedelta(days=2)
"""A payment by mail or from the bank may be this much late before a promise is broken."""
SOON: Final = timedelta(days=3)
"""What is due within this time is worth a call."""


class ArrangementState(StrEnum):
    """How an arrangement stands as a whole."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    CALLED_OFF = "called_off"

    @property
    def words(self) -> str:
        """Name it as the screen does."""
        return {
            ArrangementState.OPEN: "Runs",
            ArrangementState.KEPT: "Kept",
            ArrangementState.BROKEN: "Broken",
            ArrangementState.CALLED_OFF: "Called off",
        }[self]


class Standing(StrEnum):
    """How one promise stands."""

    KEPT = "kept"
    DUE = "due"
    DUE_TODAY = "due_today"
    LATE = "late"
    """Its day is over, and it may still be kept within the days of grace."""
    BROKEN = "broken"
    OFF = "off"
    """It was not due yet when the whole arrangement came to an end."""

    @property
    def words(self) -> str:
        """Name it as the screen does."""
        return {
            Standing.KEPT: "Kept",
            Standing.DUE: "Due",
            Standing.DUE_TODAY: "Due today",
            Standing.LATE: "Late",
            Standing.BROKEN: "Broken",
            Standing.OFF: "No longer wanted",
        }[self]


class Rhythm(StrEnum):
    """How far apart the parts of an arrangement are."""

    WEEK = "week"
    TWO_WEEKS = "two_weeks"
    MONTH = "month"

    @property
    def words(self) -> str:
        """Name it as the form does."""
        return {
            Rhythm.WEEK: "Every week",
            Rhythm.TWO_WEEKS: "Every two weeks",
            Rhythm.MONTH: "Every month",
        }[self]


class BadArrangement(ConsoleError):
    """These promises cannot be agreed on; `part` is the one, or nothing when it is the whole."""

    def __init__(self, words: str, part: int | None = None) -> None:
        super().__init__(words)
        self.part = part


@dataclass(frozen=True)
class Part:
    """A sum, and the day on which it is promised."""

    due_on: date
    amount: Money


@dataclass(frozen=True)
class Paid:
    """What stands of one payment: less what was given back of it, nothing when it came back."""

    day: date
    amount: Money


def offer(total: Money, parts: int, first: date, rhythm: Rhythm) -> tuple[Part, ...]:
    """Split a sum in equal dated parts; the odd cents go with the first of them."""
    if not 1 <= parts <= MOST_PARTS:
        raise BadArrangement(f"Split it in {MOST_PARTS} parts at most.")
    if total.cents < parts:
        raise BadArrangement("There is not enough to split.")
    each, rest = divmod(total.cents, parts)
    return tuple(
        Part(_step(first, rhythm, place), Money(each + (rest if place == 0 else 0)))
        for place in range(parts)
    )


def check_parts(parts: Sequence[Part], total: Money, balance: Money, today: date) -> None:
    """Refuse promises that cannot be agreed on, and say which one is wrong."""
    if not parts:
        raise BadArrangement("Agree on at least one payment with its day.")
    if len(parts) > MOST_PARTS:
        raise BadArrangement(f"Split it in {MOST_PARTS} parts at most.")
    last_day = months_on(today, LONGEST_MONTHS)
    before = today
    for place, part in enumerate(parts):
        if part.amount <= Money(0):
            raise BadArrangement("Each part is an amount above zero.", place)
        if part.due_on <= today:
            raise BadArrangement("Each day lies ahead: tomorrow at the earliest.", place)
        if part.due_on <= before:
            raise BadArrangement("Each part comes after the one before.", place)
        if part.due_on > last_day:
            raise BadArrangement(
                f"The last part is at most {LONGEST_MONTHS} months from today.", place
            )
        before = part.due_on
    promised = sum((part.amount for part in parts), Money(0))
    if promised != total:
        raise BadArrangement(f"The parts add up to {promised}, and {total} is to be arranged.")
    if total > balance:
        raise BadArrangement(
            f"{total} is more than the account owes. It owes {max(balance, Money(0))}."
        )


def standings(
    promises: Sequence[Part], paid: Iterable[Paid], today: date, ended: ArrangementState
) -> tuple[Standing, ...]:
    """Say how each promise stands, by what was paid since the arrangement was made.

    Money counts for the earliest promises first, and only what came by a promise's last day of
    grace keeps it. `today` is the day it ended on, for one that no longer runs.
    """
    if ended is ArrangementState.KEPT:
        return (Standing.KEPT,) * len(promises)
    payments = tuple(paid)
    promised = accumulate(part.amount.cents for part in promises)
    found = []
    for part, cents in zip(promises, promised, strict=True):
        last_day = part.due_on + GRACE
        came = sum(one.amount.cents for one in payments if one.day <= last_day)
        found.append(_standing(part.due_on, last_day, today, kept=came >= cents))
    if ended is ArrangementState.OPEN:
        return tuple(found)
    return tuple(one if one in (Standing.KEPT, Standing.BROKEN) else Standing.OFF for one in found)


def becomes(standing: Sequence[Standing]) -> ArrangementState:
    """Say how an arrangement stands as a whole, from its promises."""
    if Standing.BROKEN in standing:
        return ArrangementState.BROKEN
    if all(one is Standing.KEPT for one in standing):
        return ArrangementState.KEPT
    return ArrangementState.OPEN


def months_on(day: date, months: int) -> date:
    """Answer the same day so many months on, or the last one of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _step(first: date, rhythm: Rhythm, times: int) -> date:
    if rhythm is Rhythm.MONTH:
        return months_on(first, times)
    return first + timedelta(weeks=times if rhythm is Rhythm.WEEK else 2 * times)


def _standing(due_on: date, last_day: date, today: date, *, kept: bool) -> Standing:
    if kept:
        return Standing.KEPT
    if today < due_on:
        return Standing.DUE
    if today == due_on:
        return Standing.DUE_TODAY
    return Standing.LATE if today <= last_day else Standing.BROKEN
