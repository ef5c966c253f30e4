"""A courier's turn: carry what waits, fetch what is new, and leave a sign of life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete

from console.domain import times
from console.domain.courier import MISSED_AFTER, ErrandKind, ErrandState
from console.models.courier import CourierSign, backlog_of, newest_signs
from console.services import courier, polling
from console.services.desk import Desk

SIGN_EVERY: Final = timedelta(seconds=10)
BEHIND_AFTER: Final = timedelta(minutes=5)
"""What waits for longer than this is worth a word."""
_FORGOTTEN_AFTER: Final = timedelta(days=7)


@dataclass(frozen=True)
class Turn:
    """What one turn brought, for the log; it holds nothing personal."""

    carried: int
    waiting: int
    attempts: int
    portal_reached: bool
    trouble: str


def take_turn(desk: Desk) -> Turn:
    """Carry the errands that are due, then ask the portal for news."""
    carried = courier.make_round(desk)
    news = polling.poll(desk)
    trouble = "" if news.reachable else news.words
    return Turn(carried.carried, carried.waiting, news.attempts, news.reachable, trouble)


def leave_sign(desk: Desk, name: str, started_at: datetime, carried: int, turn: Turn) -> None:
    """Write down that this courier lives, how much it has done, and what keeps it."""
    now = desk.now()
    with desk.records.begin() as db:
        sign = db.get(CourierSign, name)
        if sign is None:
            sign = CourierSign(name=name, workstation=desk.workstation[:80], started_at=started_at)
            db.add(sign)
        sign.seen_at, sign.carried = now, carried
        sign.trouble = turn.trouble[:300]
        if turn.portal_reached:
            sign.portal_heard_at = now


def take_sign_away(desk: Desk, name: str) -> None:
    """Say that this courier has ended well; only SQLite lets it, elsewhere the sign grows old."""
    if desk.records.engine.dialect.name != "sqlite":
        return
    long_ago = desk.now() - _FORGOTTEN_AFTER
    gone = delete(CourierSign).where((CourierSign.name == name) | (CourierSign.seen_at < long_ago))
    with desk.records.begin() as db:
        db.execute(gone.execution_options(synchronize_session=False))


class Going(StrEnum):
    """How errands fare on their way to the portal."""

    WELL = "well"
    HELD_UP = "held_up"
    """Somebody carries, and something keeps it: the portal, or more work than one can do."""
    NOBODY = "nobody"
    """Nobody carries: what is asked for waits until somebody does."""


@dataclass(frozen=True)
class CourierRow:
    """One courier, by its last sign."""

    name: str
    workstation: str
    is_alive: bool
    started_at: datetime
    seen_at: datetime
    carried: int
    portal_heard_at: datetime | None
    trouble: str


@dataclass(frozen=True)
class BacklogRow:
    """The errands of one kind that are under way, or that were given up since yesterday."""

    kind: ErrandKind
    state: ErrandState
    many: int
    oldest_at: datetime
    most_tries: int

    @property
    def is_open(self) -> bool:
        """Whether they still wait or travel."""
        return self.state.is_open


@dataclass(frozen=True)
class CourierHealth:
    """Who carries errands, what waits for them, and whether that is well."""

    going: Going
    waiting: int
    words: str
    couriers: tuple[CourierRow, ...]
    backlog: tuple[BacklogRow, ...]


def health(desk: Desk) -> CourierHealth:
    """Say whether what was asked for goes out, from the couriers' signs and what waits."""
    now = desk.now()
    with desk.records.read() as db:
        couriers = tuple(
            CourierRow(
                sign.name,
                sign.workstation,
                now - sign.seen_at < MISSED_AFTER,
                sign.started_at,
                sign.seen_at,
                sign.carried,
                sign.portal_heard_at,
                sign.trouble,
            )
            for sign in newest_signs(db, 20)
        )
        backlog = tuple(BacklogRow(*row) for row in backlog_of(db, now - timedelta(days=1)))
    waiting = sum(row.many for row in backlog if row.is_open)
    going, words = _in_words(desk, couriers, backlog, waiting)
    return CourierHealth(going, waiting, words, couriers, backlog)


def _in_words(
    desk: Desk,
    couriers: tuple[CourierRow, ...],
    backlog: tuple[BacklogRow, ...],
    waiting: int,
) -> tuple[Going, str]:
    waits = f"{waiting} on the way." if waiting else "Nothing waits."
    alive = [one for one in couriers if one.is_alive]
    if not alive and not desk.carries:
        kept = f" {waiting} wait; nothing is lost." if waiting else ""
        last_seen = couriers[0].seen_at if couriers else None
        return Going.NOBODY, f"{_nobody_carries(desk, last_seen)}{kept}"
    trouble = next((one.trouble for one in alive if one.trouble), "")
    if trouble:
        return Going.HELD_UP, f"{waits} {trouble}"
    oldest = min((row.oldest_at for row in backlog if row.is_open), default=desk.now())
    if desk.now() - oldest > BEHIND_AFTER:
        ago = times.ago(oldest, desk.now())
        return Going.HELD_UP, f"{waits} The oldest was asked for {ago}; it goes again by itself."
    by = ", ".join(one.name for one in alive[:3]) or "this console itself"
    return Going.WELL, f"{waits} Carried by {by}."


def _nobody_carries(desk: Desk, last_seen: datetime | None) -> str:
    since = "yet"
    if last_seen is not None:
        since = f"since {times.when(last_seen, desk.now(), desk.settings.zone)}"
    return (
        f"No courier has been seen {since}. Ask whoever looks after the server to start it: "
        "coop-console courier."
    )
