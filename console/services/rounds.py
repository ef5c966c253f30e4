"""A courier's turn: carry what waits, fetch what is new, and leave a sign of life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, update

from console.domain import times
from console.domain.courier import MISSED_AFTER, ErrandKind, ErrandState, Way
from console.models.base import change_where, touch
from console.models.courier import CourierSign, backlog_of, newest_signs
from console.services import (
    arrangements,
    autopay,
    charging,
    courier,
    methods,
    polling,
    reconciliation,
)
from console.services.courier import Round
from console.services.desk import Desk

SIGN_EVERY: Final = timedelta(seconds=10)
BEHIND_AFTER: Final = timedelta(minutes=5)
"""What waits for longer than this is worth a word."""
_FORGOTTEN_AFTER: Final = timedelta(days=7)
_CLOCKS_MAY_DIFFER: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Turn:
    """What one turn brought, for the log; it holds nothing personal."""

    carried: int
    waiting: int
    attempts: int
    portal_reached: bool
    trouble: str
    mail_trouble: str = ""
    mail_away: bool = False
    """Whether the mail server takes nothing just now."""

    @property
    def words(self) -> str:
        """Say everything that keeps the courier from its work."""
        return " ".join(word for word in (self.trouble, self.mail_trouble) if word)


def take_turn(desk: Desk, *, mail: bool = True) -> Turn:
    """Carry what is due and ask the portal for news; payments first, e-mails last, if at all.

    A mail server may take its time to say nothing, and nobody on the phone waits for it.
    """
    money = _carry_money(desk)
    errands = courier.make_round(desk, ways=(Way.PORTAL,))
    news = polling.poll(desk)
    mails = courier.make_round(desk, ways=(Way.MAIL,)) if mail else Round(0, errands.waiting)
    away = "" if news.reachable else news.words
    return Turn(
        money.carried + errands.carried + mails.carried,
        mails.waiting,
        news.attempts,
        news.reachable,
        " ".join(word for word in (away, money.trouble, errands.trouble) if word),
        mails.trouble,
        mails.mail_away,
    )


def carry_all(desk: Desk) -> Round:
    """Carry whatever is due, payments first; a desk that may not carry only counts what waits."""
    _carry_money(desk)
    return courier.make_round(desk)


def keep_dates(desk: Desk) -> str:
    """Do what is done by the day: Auto Pay, promises, and yesterday beside the gateway's list.

    Each is done once however often and by however many couriers this is called. Answers what
    kept it from something, in words; a desk that may not carry leaves it to the courier.
    """
    if not desk.carries:
        return ""
    arrangements.settle_due(desk)
    if desk.gateway is None:
        return ""
    autopay.run_due(desk)
    return reconciliation.daily(desk)


def _carry_money(desk: Desk) -> Round:
    paid, kept = charging.make_round(desk), methods.make_round(desk)
    words = " ".join(dict.fromkeys(word for word in (paid.trouble, kept.trouble) if word))
    return Round(paid.carried + kept.carried, paid.waiting + kept.waiting, words)


def leave_sign(desk: Desk, name: str, started_at: datetime, carried: int, turn: Turn) -> None:
    """Write down that this courier lives, how much it has done, and what keeps it."""
    with desk.records.begin() as db:
        now = desk.office_time(db)
        sign = db.get(CourierSign, name)
        if sign is None:
            sign = CourierSign(name=name, workstation=desk.workstation[:80], started_at=started_at)
            db.add(sign)
        sign.seen_at, sign.carried = now, carried
        sign.trouble = turn.words[:300]
        if turn.portal_reached:
            sign.portal_heard_at = now


def end_sign(desk: Desk, name: str) -> None:
    """Say that this courier has ended well, so that nobody takes its last sign for life.

    SQLite lets the sign go. On PostgreSQL no courier may remove anything: there the sign grows old
    at once.
    """
    with desk.records.begin() as db:
        now = desk.office_time(db)
        if desk.records.engine.dialect.name == "sqlite":
            gone = (CourierSign.name == name) | (CourierSign.seen_at < now - _FORGOTTEN_AFTER)
            db.execute(delete(CourierSign).where(gone).execution_options(synchronize_session=False))
        else:
            change_where(
                db,
                update(CourierSign)
                .where(CourierSign.name == name, CourierSign.seen_at > now - MISSED_AFTER)
                .values(seen_at=now - MISSED_AFTER, trouble="It was told to end."),
            )
        touch(db, "CourierSign")


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
    with desk.records.read() as db:
        now = desk.office_time(db)
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
        own_trouble = courier.mail_trouble(db, desk) if desk.carries else ""
    waiting = sum(row.many for row in backlog if row.is_open)
    going, words = _in_words(desk, now, couriers, backlog, waiting, own_trouble)
    return CourierHealth(
        going, waiting, f"{words}{_clock_words(now - desk.now())}", couriers, backlog
    )


def _clock_words(behind: timedelta) -> str:
    """Tell a workstation whose clock is wrong that it is; nothing when it is right."""
    if abs(behind) < _CLOCKS_MAY_DIFFER:
        return ""
    apart = times.length(timedelta(seconds=round(abs(behind).total_seconds())))
    side = "behind" if behind > timedelta(0) else "ahead of"
    return f" The clock of this workstation is {apart} {side} the database's: set it right."


def _in_words(
    desk: Desk,
    now: datetime,
    couriers: tuple[CourierRow, ...],
    backlog: tuple[BacklogRow, ...],
    waiting: int,
    own_trouble: str,
) -> tuple[Going, str]:
    waits = f"{waiting} on the way." if waiting else "Nothing waits."
    alive = [one for one in couriers if one.is_alive]
    if not alive and not desk.carries:
        kept = f" {waiting} wait; nothing is lost." if waiting else ""
        last_seen = couriers[0].seen_at if couriers else None
        return Going.NOBODY, f"{_nobody_carries(desk, last_seen)}{kept}"
    trouble = next((one.trouble for one in alive if one.trouble), own_trouble)
    if trouble:
        return Going.HELD_UP, f"{waits} {trouble}"
    oldest = min((row.oldest_at for row in backlog if row.is_open), default=now)
    if now - oldest > BEHIND_AFTER:
        ago = times.ago(oldest, now)
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
