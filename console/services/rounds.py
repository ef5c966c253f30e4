"""A courier's turn: carry what waits, fetch what is new, and leave a sign of life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from console.domain import times
from console.models.courier import CourierSign
from console.services import courier, polling
from console.services.desk import Desk

MISSED_AFTER: Final = timedelta(minutes=2)
"""A courier that left no sign for so long is taken for gone."""
SIGN_EVERY: Final = timedelta(seconds=10)
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


def couriers_in_words(desk: Desk) -> str:
    """Say who carries errands to the portal, and what to do when nobody does."""
    with desk.records.read() as db:
        newest = db.scalars(select(CourierSign).order_by(CourierSign.seen_at.desc())).all()
        signs = [(one.name, one.seen_at, one.trouble) for one in newest]
    now = desk.now()
    alive = [one for one in signs if now - one[1] < MISSED_AFTER]
    if alive:
        said = ", ".join(name for name, _, _ in alive[:3])
        trouble = next((trouble for _, _, trouble in alive if trouble), "")
        return f"{said}. {trouble}".strip() if trouble else said
    if desk.carries:
        return "this console carries errands itself"
    missing = "Ask whoever looks after the server to start: coop-console courier"
    if not signs:
        return f"none has ever been seen. {missing}"
    last = times.when(signs[0][1], now, desk.settings.zone)
    return f"none since {last}. {missing}"
