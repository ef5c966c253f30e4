"""Reconciliation: the gateway's list laid beside ours for a day, both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Date, ForeignKey, Index, String, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.domain.reconciliation import Mismatch, OurPayment
from console.models.base import Cents, Choice, Instant, Record, Versioned, change_where
from console.models.payments import OPEN_STATES, Payment, PaymentReturn, Refund


class Reconciliation(Record):
    """One sheet: a day as the gateway shows it, and as we have it on record."""

    __tablename__ = "reconciliation"
    __table_args__ = (Index("ix_reconciliation_day", "day"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(Instant)
    ours: Mapped[int] = mapped_column()
    ours_sum: Mapped[Money] = mapped_column(Cents)
    theirs: Mapped[int] = mapped_column()
    theirs_sum: Mapped[Money] = mapped_column(Cents)
    settled: Mapped[int] = mapped_column(default=0)
    """How many were found to agree in this run and were not known to before."""


class ReconciliationLine(Versioned, Record):
    """One thing on which the gateway and we do not agree."""

    __tablename__ = "reconciliation_line"
    __table_args__ = (
        Index("ix_reconciliation_line_sheet_id", "sheet_id"),
        Index("ix_reconciliation_line_cleared_at", "cleared_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sheet_id: Mapped[str] = mapped_column(ForeignKey("reconciliation.id"))
    kind: Mapped[Mismatch] = mapped_column(Choice(Mismatch, 20))
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("payment.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    gateway_id: Mapped[str] = mapped_column(String(255), default="")
    ours: Mapped[Money | None] = mapped_column(Cents)
    theirs: Mapped[Money | None] = mapped_column(Cents)
    words: Mapped[str] = mapped_column(String(300))
    cleared_by: Mapped[str] = mapped_column(String(60), default="")
    cleared_at: Mapped[datetime | None] = mapped_column(Instant)
    cleared_words: Mapped[str] = mapped_column(String(500), default="")
    """What whoever cleared it found out."""


def sheets(db: Session, since: date, most: int) -> Sequence[Reconciliation]:
    """The sheets of the days since one, the newest first."""
    return db.scalars(
        select(Reconciliation)
        .where(Reconciliation.day >= since)
        .order_by(Reconciliation.day.desc(), Reconciliation.made_at.desc())
        .limit(most)
    ).all()


def lines_of(db: Session, sheet_id: str) -> Sequence[ReconciliationLine]:
    """What a sheet found to differ."""
    return db.scalars(
        select(ReconciliationLine)
        .where(ReconciliationLine.sheet_id == sheet_id)
        .order_by(ReconciliationLine.kind, ReconciliationLine.id)
    ).all()


def lines_of_day(db: Session, day: date) -> Sequence[ReconciliationLine]:
    """What all sheets of a day found to differ, the open ones first."""
    return db.scalars(
        select(ReconciliationLine)
        .join(Reconciliation, Reconciliation.id == ReconciliationLine.sheet_id)
        .where(Reconciliation.day == day)
        .order_by(
            ReconciliationLine.cleared_at.is_not(None),
            Reconciliation.made_at.desc(),
            ReconciliationLine.kind,
            ReconciliationLine.id,
        )
    ).all()


def open_lines(db: Session, since: date) -> Mapping[date, int]:
    """Count for each day since one how many of its lines nobody has cleared."""
    rows = db.execute(
        select(Reconciliation.day, func.count())
        .join(ReconciliationLine, ReconciliationLine.sheet_id == Reconciliation.id)
        .where(Reconciliation.day >= since, ReconciliationLine.cleared_at.is_(None))
        .group_by(Reconciliation.day)
    )
    return dict(rows.all())


def newest_made(db: Session, since: date) -> Mapping[date, datetime]:
    """Tell for each day since one when its newest sheet was made."""
    newest = func.max(Reconciliation.made_at, type_=Instant)
    rows = db.execute(
        select(Reconciliation.day, newest)
        .where(Reconciliation.day >= since)
        .group_by(Reconciliation.day)
    )
    return dict(rows.all())


def known_lines(
    db: Session, payment_ids: Iterable[str], gateway_ids: Iterable[str]
) -> Sequence[ReconciliationLine]:
    """Lines of any sheet about some payments, or about some names at the gateway."""
    found: dict[str, ReconciliationLine] = {}
    for part in in_parts(payment_ids):
        asked = select(ReconciliationLine).where(ReconciliationLine.payment_id.in_(part))
        found |= {line.id: line for line in db.scalars(asked)}
    for part in in_parts(gateway_ids):
        asked = select(ReconciliationLine).where(ReconciliationLine.gateway_id.in_(part))
        found |= {line.id: line for line in db.scalars(asked)}
    return tuple(found.values())


# Whole days at once: never a question for each payment

PART: Final = 1000
AT_THE_COUNTER: Final = tuple(way for way in PaymentWay if way.at_the_counter)


def in_parts(ids: Iterable[str]) -> Iterable[list[str]]:
    """Split ids so that each part fits into one question."""
    every = list(dict.fromkeys(ids))
    return [every[at : at + PART] for at in range(0, len(every), PART)]


def charged_within(db: Session, since: datetime, until: datetime, day: date) -> list[OurPayment]:
    """Every payment at the gateway that was recorded as charged within a time."""
    return _ours(
        db,
        and_(
            Payment.finished_at >= since,
            Payment.finished_at < until,
            Payment.state == PaymentState.CHARGED,
            Payment.way.not_in(AT_THE_COUNTER),
        ),
        day,
    )


def payments_named(db: Session, ids: Iterable[str], day: date) -> list[OurPayment]:
    """The payments with these ids, in whatever state they are."""
    return [one for part in in_parts(ids) for one in _ours(db, Payment.id.in_(part), day)]


def not_settled(db: Session, since: datetime, until: datetime) -> Mapping[date, list[OurPayment]]:
    """Payments charged within a time of which the gateway's end is not known, by their day."""
    back = aliased(PaymentReturn)
    came_back = select(back.id).where(back.payment_id == Payment.id).exists()
    wanted = and_(
        Payment.finished_at >= since,
        Payment.finished_at < until,
        Payment.state == PaymentState.CHARGED,
        Payment.way.not_in(AT_THE_COUNTER),
        Payment.settled_at.is_(None),
        ~came_back,
    )
    days = dict(db.execute(select(Payment.id, Payment.counts_on).where(wanted)).all())
    found: dict[date, list[OurPayment]] = defaultdict(list)
    for one in _ours(db, wanted, date.min):
        if (day := days.get(one.id)) is not None:
            found[day].append(one)
    return found


class UnsettledRefund(NamedTuple):
    """A refund that was given, and was not yet found in the gateway's list."""

    id: str
    gateway_id: str
    amount: Money
    payment_id: str


def refunds_not_settled(db: Session, since: datetime, most: int) -> list[UnsettledRefund]:
    """Refunds through the gateway that were given and not found to agree yet, oldest first."""
    rows = db.execute(
        select(Refund.id, Refund.gateway_id, Refund.amount, Refund.payment_id)
        .where(
            Refund.finished_at >= since,
            Refund.state == PaymentState.CHARGED,
            Refund.drawer_id.is_(None),
            Refund.settled_at.is_(None),
        )
        .order_by(Refund.finished_at, Refund.id)
        .limit(most)
    )
    return [UnsettledRefund(*row) for row in rows]


def settle(db: Session, kind: type[Payment] | type[Refund], ids: list[str], at: datetime) -> int:
    """Write down that the gateway's list agrees; answer for how many it was news."""
    return change_where(
        db,
        update(kind)
        .where(kind.id.in_(ids), kind.settled_at.is_(None), kind.state == PaymentState.CHARGED)
        .values(settled_at=at, version=kind.version + 1),
    )


def _ours(db: Session, wanted: ColumnElement[bool], day: date) -> list[OurPayment]:
    rows = db.execute(
        select(
            Payment.id,
            Payment.member_id,
            Payment.amount,
            Payment.state,
            Payment.gateway_id,
            Payment.charge_id,
            Payment.counts_on,
            Payment.settled_at.is_not(None),
        ).where(wanted)
    )
    back = dict(
        db.execute(
            select(PaymentReturn.payment_id, PaymentReturn.kind)
            .join(Payment, Payment.id == PaymentReturn.payment_id)
            .where(wanted)
        ).all()
    )
    given: dict[str, Money] = {}
    giving: dict[str, Money] = {}
    total = func.sum(Refund.amount, type_=Cents)
    for payment_id, state, amount in db.execute(
        select(Refund.payment_id, Refund.state, total)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(wanted, or_(Refund.state == PaymentState.CHARGED, Refund.state.in_(OPEN_STATES)))
        .group_by(Refund.payment_id, Refund.state)
    ):
        side = given if state is PaymentState.CHARGED else giving
        side[payment_id] = side.get(payment_id, Money(0)) + amount
    nothing = Money(0)
    return [
        OurPayment(
            id,
            member_id,
            amount,
            state,
            gateway_id,
            charge_id,
            counts_on == day,
            is_settled,
            id in back,
            given.get(id, nothing),
            giving.get(id, nothing),
        )
        for id, member_id, amount, state, gateway_id, charge_id, counts_on, is_settled in rows
    ]
