"""Errands: what must be done exactly once outside the house is a row here first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, ForeignKey, Index, String, Text, and_, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from console.domain.courier import ErrandKind, ErrandState
from console.models.base import Choice, Instant, Record, Records, Versioned

_ONE_AT_A_TIME = "kind IN ('resend', 'correct_email') AND state IN ('waiting', 'sending')"


class Errand(Versioned, Record):
    """One thing the courier carries to the portal, and what came of it."""

    __tablename__ = "errand"
    __table_args__ = (
        Index("ix_errand_state_next_try_at", "state", "next_try_at"),
        # One open resend, and one open change of address, for each registration: a second
        # desk's click joins the first.
        Index(
            "uq_errand_open_once",
            "kind",
            "account_number",
            unique=True,
            sqlite_where=text(_ONE_AT_A_TIME),
            postgresql_where=text(_ONE_AT_A_TIME),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Made for the click; also the Idempotency-Key at the portal."""
    kind: Mapped[ErrandKind] = mapped_column(Choice(ErrandKind, 20))
    state: Mapped[ErrandState] = mapped_column(Choice(ErrandState, 12))
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    correction_id: Mapped[str | None] = mapped_column(ForeignKey("name_correction.id"), index=True)
    payload: Mapped[str] = mapped_column(Text, default="{}")
    """What to carry, as a JSON object."""
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(Instant)
    leased_by: Mapped[str] = mapped_column(String(80), default="")
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    answer: Mapped[str] = mapped_column(String(500), default="")
    """What came of it, in words for staff."""


class CourierSign(Record):
    """The last sign of life of one courier."""

    __tablename__ = "courier_sign"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    """Its workstation and process."""
    workstation: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    carried: Mapped[int] = mapped_column(default=0)
    """How many errands it has brought to an end since it started."""
    portal_heard_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the portal last answered it."""
    trouble: Mapped[str] = mapped_column(String(300), default="")
    """What keeps it from its work, in words for staff; empty when nothing does."""


_MAY_CARRY: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


def may_carry(records: Records) -> bool:
    """Tell whether this login may move errands on; on SQLite everybody may.

    The database is asked once: a login's rights do not grow while it works.
    """
    engine = records.engine
    if engine not in _MAY_CARRY:
        if engine.dialect.name == "postgresql":
            with records.glance() as connection:
                asked = text("SELECT has_column_privilege('errand', 'state', 'UPDATE')")
                _MAY_CARRY[engine] = bool(connection.scalar(asked))
        else:
            _MAY_CARRY[engine] = True
    return _MAY_CARRY[engine]


_SAME_TIME: Final = timedelta(seconds=1)
"""Clocks that differ by no more than this are one clock."""


def clock_behind(db: Session) -> timedelta:
    """Say how far this machine's clock is behind the database's; below zero it is ahead.

    A file is on this machine. A server is asked between two looks at our own clock, so that a slow
    answer is not taken for a difference.
    """
    if db.get_bind().dialect.name != "postgresql":
        return timedelta(0)
    earliest = datetime.now(UTC)
    there: datetime = db.scalar(select(func.clock_timestamp(type_=Instant))) or earliest
    latest = datetime.now(UTC)
    if earliest - _SAME_TIME <= there <= latest + _SAME_TIME:
        return timedelta(0)
    return there - (latest if there > latest else earliest)


_FIRST_MOMENT: Final = datetime(2, 1, 1, tzinfo=UTC)
_LAST_MOMENT: Final = datetime(9000, 1, 1, tzinfo=UTC)


def _can_be_read() -> ColumnElement[bool]:
    """Leave out a row with a word or a moment that no console knows, written by other means.

    The courier sets such a row aside; until then it must not keep a page from opening.
    """
    return and_(
        Errand.kind.in_(tuple(ErrandKind)),
        Errand.state.in_(tuple(ErrandState)),
        Errand.asked_at.between(_FIRST_MOMENT, _LAST_MOMENT),
        Errand.next_try_at.between(_FIRST_MOMENT, _LAST_MOMENT),
    )


def errands_of(db: Session, member_id: int, most: int) -> Sequence[Errand]:
    """The errands for a member's accounts, newest first."""
    return db.scalars(
        select(Errand)
        .where(Errand.member_id == member_id, _can_be_read())
        .order_by(Errand.asked_at.desc(), Errand.id)
        .limit(most)
    ).all()


def errands_for(db: Session, correction_id: str) -> Sequence[Errand]:
    """The errands that bring one correction to the portal, newest first for each account."""
    return db.scalars(
        select(Errand)
        .where(Errand.correction_id == correction_id, _can_be_read())
        .order_by(Errand.account_number, Errand.asked_at.desc(), Errand.id)
    ).all()


def open_errand(db: Session, account_number: str, kind: ErrandKind) -> Errand | None:
    """The errand of this kind that is already on its way for an account."""
    return db.scalar(
        select(Errand)
        .where(
            Errand.account_number == account_number,
            Errand.kind == kind,
            Errand.state.in_((ErrandState.WAITING, ErrandState.SENDING)),
            _can_be_read(),
        )
        .order_by(Errand.asked_at.desc())
        .limit(1)
    )


def last_carried(db: Session, account_number: str, kind: ErrandKind) -> datetime | None:
    """When an errand of this kind last came to a good end for an account."""
    return db.scalar(
        select(Errand.finished_at)
        .where(
            Errand.account_number == account_number,
            Errand.kind == kind,
            Errand.state == ErrandState.DONE,
        )
        .order_by(Errand.finished_at.desc())
        .limit(1)
    )


def waiting_or_failed(db: Session, since: datetime, most: int) -> Sequence[Errand]:
    """The errands still under way, and those that failed since a moment, newest first."""
    failed = Errand.state.in_((ErrandState.REFUSED, ErrandState.GAVE_UP))
    return db.scalars(
        select(Errand)
        .where(
            or_(
                Errand.state.in_((ErrandState.WAITING, ErrandState.SENDING)),
                failed & (Errand.finished_at >= since),
            ),
            _can_be_read(),
        )
        .order_by(Errand.asked_at.desc(), Errand.id)
        .limit(most)
    ).all()


def newest_signs(db: Session, most: int) -> Sequence[CourierSign]:
    """The couriers that gave a sign of life, the newest sign first."""
    return db.scalars(
        select(CourierSign).order_by(CourierSign.seen_at.desc(), CourierSign.name).limit(most)
    ).all()


def last_sign(db: Session) -> datetime | None:
    """When any courier last gave a sign of life, by this machine's clock."""
    seen_at = db.scalar(select(func.max(CourierSign.seen_at)))
    return None if seen_at is None else seen_at - clock_behind(db)


Backlog = tuple[ErrandKind, ErrandState, int, datetime, int]
"""Kind, state, how many, when the oldest was asked for, and the most tries of one."""


def backlog_of(db: Session, since: datetime) -> Sequence[Backlog]:
    """What is under way, and what was given up since a moment, by kind and state."""
    under_way = Errand.state.in_((ErrandState.WAITING, ErrandState.SENDING))
    given_up = (Errand.state == ErrandState.GAVE_UP) & (Errand.finished_at >= since)
    # Two questions, each of which the index on the state answers.
    return [
        (row.kind, row.state, row.many, row.oldest, row.tries)
        for which in (under_way, given_up)
        for row in db.execute(
            select(
                Errand.kind,
                Errand.state,
                func.count().label("many"),
                func.min(Errand.asked_at).label("oldest"),
                func.max(Errand.tries).label("tries"),
            )
            .where(which, _can_be_read())
            .group_by(Errand.kind, Errand.state)
            .order_by(Errand.kind, Errand.state)
        )
    ]
