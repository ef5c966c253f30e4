"""See who else has a member open or is changing something, and let them see it of this desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from console.models import presence
from console.models.presence import Presence
from console.models.problems import again_if_crossed
from console.services.desk import Desk

RENEW_SECONDS = 6
"""How often an open page gives a sign of life."""
GONE_AFTER = timedelta(seconds=20)
"""A console that gave none for so long is not there any more."""
AHEAD_OF_CLOCK = timedelta(seconds=5)
"""A server that takes over may be a little slow; a sign of life from further on is made up."""


@dataclass(frozen=True)
class Visitor:
    """Somebody else who has the same member open."""

    name: str
    workstation: str
    editing: str
    """What they are changing, such as “name”; empty while they only look."""
    is_me: bool
    """The same person, at another workstation or in another window."""

    @property
    def words(self) -> str:
        """Say in a sentence what they do."""
        who = f"You have this member open at {self.workstation} too" if self.is_me else self.name
        if self.editing:
            return (
                f"{who}, changing the {self.editing}"
                if self.is_me
                else (f"{who} is changing the {self.editing}")
            )
        return who if self.is_me else f"{who} is looking at this member"


def name_of(member_id: int) -> str:
    """Name what is announced when somebody comes to a member, goes, or begins to change it."""
    return f"presence:{member_id}"


def open(desk: Desk, member_id: int, editing: str = "") -> tuple[Visitor, ...]:
    """Say that this desk has a member open, and answer who else has.

    Done again every few seconds it is a sign of life, which nobody is told of.
    """
    return again_if_crossed(lambda: _open(desk, member_id, editing))


def close(desk: Desk, member_id: int) -> None:
    """Say that this desk has a member open no more."""
    _forget(desk, member_id)


def leave(desk: Desk) -> None:
    """Say that this desk has nobody open any more."""
    _forget(desk, None)


def who_else(desk: Desk, member_id: int) -> tuple[Visitor, ...]:
    """Answer who else has a member open."""
    with desk.records.read() as db:
        return _others(desk, db, member_id)


def _open(desk: Desk, member_id: int, editing: str) -> tuple[Visitor, ...]:
    with desk.records.begin() as db:
        now = presence.time_of_database(db)
        mine = db.get(Presence, (desk.records.origin, member_id))
        if mine is None:
            db.add(
                Presence(
                    origin=desk.records.origin,
                    member_id=member_id,
                    staff=desk.colleague.login,
                    workstation=desk.workstation,
                    editing=editing,
                    since=now,
                    seen_at=now,
                )
            )
        elif mine.editing != editing or mine.staff != desk.colleague.login:
            mine.editing, mine.staff, mine.seen_at = editing, desk.colleague.login, now
        else:
            presence.renew(db, desk.records.origin, member_id, now)
        for left_over in presence.seen_before(db, now - GONE_AFTER):
            if left_over is not mine:
                presence.remove(db, left_over)
        db.flush()
        return _others(desk, db, member_id)


def _forget(desk: Desk, member_id: int | None) -> None:
    with desk.records.begin() as db:
        for row in presence.of_console(db, desk.records.origin):
            if member_id is None or row.member_id == member_id:
                presence.remove(db, row)


def _others(desk: Desk, db: Session, member_id: int) -> tuple[Visitor, ...]:
    now = presence.time_of_database(db)
    there = presence.with_member(db, member_id, now - GONE_AFTER, now + AHEAD_OF_CLOCK)
    return tuple(
        Visitor(name, row.workstation, row.editing, row.staff == desk.colleague.login)
        for row, name in there
        if row.origin != desk.records.origin
    )
