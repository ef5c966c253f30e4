"""Moments and days as staff say them, in the co-op's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from console.domain.errors import ConsoleError

# Not strftime: its words change with the language of the machine.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_NEAR: Final = {-1: "yesterday", 0: "today", 1: "tomorrow"}


class UnknownZone(ConsoleError):
    """The settings name a time zone that does not exist."""


@lru_cache
def zone_named(zone: str) -> ZoneInfo:
    """Find a time zone by its name, such as America/Chicago."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # a folder or a path is an OSError
        raise UnknownZone(
            f"There is no time zone called “{zone[:40]}”. Choose one such as America/Chicago "
            "in the settings."
        ) from error


def local(moment: datetime, zone: str) -> datetime:
    """Turn a moment into the co-op's own time."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be told")
    try:
        return moment.astimezone(zone_named(zone))
    except OverflowError:
        return moment  # the first and the last day of the calendar have no neighbours


def day_of(moment: datetime, zone: str) -> date:
    """Tell on which day of the co-op's calendar a moment falls."""
    return local(moment, zone).date()


def when(moment: datetime, now: datetime, zone: str) -> str:
    """Say a moment: “today 10:42”, “Mon 16 Nov 10:42”, “16 Nov 2025 10:42”."""
    here = local(moment, zone)
    return f"{day(here.date(), day_of(now, zone))} {here.hour:02}:{here.minute:02}"


def to_the_second(moment: datetime, now: datetime, zone: str) -> str:
    """Say a moment as staff do, and its seconds: “today 10:42:07”."""
    return f"{when(moment, now, zone)}:{moment.second:02}"


def day(on: date, today: date) -> str:
    """Say a day: “today”, “Mon 16 Nov”, and with its year when that is another one."""
    near = _NEAR.get((on - today).days)
    if near is not None:
        return near
    if on.year == today.year or abs((on - today).days) < 60:
        return f"{_DAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]}"
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def clock(moment: datetime, zone: str) -> str:
    """Say the time of day alone: “10:42”."""
    here = local(moment, zone)
    return f"{here.hour:02}:{here.minute:02}"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was: “just now”, “3 minutes ago”, “2 days ago”."""
    passed = now - moment
    # Another machine's clock may run a little ahead of ours.
    return "just now" if passed < timedelta(minutes=1) else f"{length(passed)} ago"


def length(span: timedelta) -> str:
    """Say how long something lasts, in its largest whole unit: “40 seconds”, “2 hours”."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return _count(seconds // size, unit)
    return _count(seconds, "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def midnight(on: date, zone: str) -> datetime:
    """Tell the moment at which a day of the co-op's calendar begins, for sorting days in."""
    return datetime(on.year, on.month, on.day, tzinfo=zone_named(zone)).astimezone(UTC)


def calendar_day(on: date) -> str:
    """Say a day with its year, for the record: “16 Nov 2026”."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
