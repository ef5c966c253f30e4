"""The audit trail as plain values: what it is asked for, and what a screen is given to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What the trail can be narrowed to, in the order offered."""

    EVERYTHING = "Everything"
    OPENED = "Members opened"
    CHANGED = "Changes to records"
    NAMES = "Names and contact details"
    REGISTRATION = "Registrations"
    CALLS = "Calls and callers"
    NOTES = "Notes and alerts"
    STAFF = "Staff and sign-ins"
    TRAIL = "This trail"


ROW_ADDED, ROW_CHANGED, ROW_REMOVED = "row:added", "row:changed", "row:removed"
NOTHING: Final = "nothing"
"""Stands on the side of a change where nothing stood."""


@dataclass(frozen=True)
class Asked:
    """What the trail is narrowed to."""

    staff: str = ""
    number: str = ""
    """A member's or an account's number."""
    kind: Kind = Kind.EVERYTHING
    act: str = ""
    """One act of that kind; every act of it when none is named."""
    since: datetime | None = None
    until: datetime | None = None
    newest: int | None = None
    """The number of the last line that counts; every line when there is none."""


@dataclass(frozen=True)
class Place:
    """Where on the trail a line stands, to read on below it."""

    at: str | None
    """The time as it is stored; nothing for a line that stands outside of time."""
    id: int


@dataclass(frozen=True)
class Difference:
    """One column of a row that changed, in words."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Raw:
    """What the database holds of a line, as it stands there; for the exported file."""

    action: str
    subject: str
    row_key: str
    call_id: str
    detail: str
    before: str
    after: str


@dataclass(frozen=True)
class TrailRow:
    """One line of the trail, in words."""

    id: int
    at: datetime | None
    """Nothing when the time that is stored there is none that a console wrote."""
    login: str
    who: str
    where: str
    what: str
    about: str
    """Whom or what it concerns."""
    about_more: str
    """Their number and account."""
    detail: str
    differences: tuple[Difference, ...]
    seq: int
    place: Place
    raw: Raw
    damage: str = ""
    """Why this line by itself is not as it was written; empty when it is."""

    @property
    def whom(self) -> str:
        """Whom or what it concerns, with number and account."""
        return ", ".join(part for part in (self.about, self.about_more) if part)


@dataclass(frozen=True)
class TrailPage:
    """A page of the trail, the newest line first.

    Before them come the lines whose time was tampered with so that no time of ours finds them.
    """

    rows: tuple[TrailRow, ...]
    more: bool


@dataclass(frozen=True)
class Unusual:
    """Somebody opened more members in an hour than answering calls explains."""

    login: str
    who: str
    begins: datetime
    members: int
