"""Cash drawers: who has one open, what went in and out, and how it was counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, selectinload

from console.domain.drawers import Contents, MovementKind, expected_cash
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, ReturnKind
from console.models.base import Cents, Choice, Instant, Record, Versioned
from console.models.payments import OPEN_STATES, Payment, PaymentReturn, Refund


class Drawer(Versioned, Record):
    """One clerk's drawer, from its opening count to its close."""

    __tablename__ = "drawer"
    __table_args__ = (
        # A clerk has one drawer open at a time.
        Index(
            "uq_drawer_open",
            "clerk",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_drawer_opened_at", "opened_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    clerk: Mapped[str] = mapped_column(String(60))
    workstation: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opening_cash: Mapped[Money] = mapped_column(Cents)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[str] = mapped_column(String(60), default="")
    counted: Mapped[str] = mapped_column(Text, default="{}")
    """How many of each note and coin were counted, as a JSON object of cents to number."""
    counted_cash: Mapped[Money | None] = mapped_column(Cents)
    expected_cash: Mapped[Money | None] = mapped_column(Cents)
    counted_cheques: Mapped[int | None] = mapped_column()
    counted_cheque_sum: Mapped[Money | None] = mapped_column(Cents)
    expected_cheques: Mapped[int | None] = mapped_column()
    expected_cheque_sum: Mapped[Money | None] = mapped_column(Cents)
    explanation: Mapped[str] = mapped_column(String(500), default="")
    """Why what was counted is not what was expected."""


class DrawerMovement(Record):
    """Cash that went into a drawer or out of it, other than by a payment."""

    __tablename__ = "drawer_movement"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    drawer_id: Mapped[str] = mapped_column(ForeignKey("drawer.id"), index=True)
    kind: Mapped[MovementKind] = mapped_column(Choice(MovementKind, 12))
    amount: Mapped[Money] = mapped_column(Cents)
    """Above zero went in, below zero went out."""
    words: Mapped[str] = mapped_column(String(200), default="")
    moved_by: Mapped[str] = mapped_column(String(60))
    moved_at: Mapped[datetime] = mapped_column(Instant)


def open_drawer_of(db: Session, clerk: str, *, hold: bool = False) -> Drawer | None:
    """The drawer that somebody has open; with `hold` it is not closed before we are through."""
    asked = select(Drawer).where(Drawer.clerk == clerk, Drawer.closed_at.is_(None))
    return db.scalar(asked.with_for_update(read=True, key_share=True) if hold else asked)


def held_drawer(db: Session, drawer_id: str) -> Drawer | None:
    """Take a drawer in hand: whoever else wants to change it, or add to it, waits for us.

    Whatever cash is under way is waited for: the database's own rules take the drawer too, for a
    payment, a void, a refund and a movement. What comes later meets the drawer as we leave it.
    """
    return db.get(Drawer, drawer_id, with_for_update=True)


def drawers_since(
    db: Session, since: datetime, most: int, clerk: str | None = None
) -> Sequence[Drawer]:
    """The drawers that are open, or were so since a moment, the newest first.

    `clerk` leaves out everybody else's.
    """
    return db.scalars(
        select(Drawer)
        .where(
            or_(Drawer.closed_at.is_(None), Drawer.opened_at >= since, Drawer.closed_at >= since),
            *([] if clerk is None else [Drawer.clerk == clerk]),
        )
        .order_by(Drawer.opened_at.desc(), Drawer.id)
        .limit(most)
    ).all()


def movements_of(db: Session, drawer_id: str) -> Sequence[DrawerMovement]:
    """What went in and out of a drawer beside payments, oldest first."""
    return db.scalars(
        select(DrawerMovement)
        .where(DrawerMovement.drawer_id == drawer_id)
        .order_by(DrawerMovement.moved_at, DrawerMovement.id)
    ).all()


def payments_in(db: Session, drawer_id: str) -> Sequence[tuple[Payment, bool]]:
    """The payments that were taken into a drawer, oldest first, and whether each was voided."""
    payments = db.scalars(
        select(Payment)
        .where(Payment.drawer_id == drawer_id, Payment.state == PaymentState.CHARGED)
        .order_by(Payment.finished_at, Payment.id)
        .options(selectinload(Payment.shares))
    ).all()
    voided = set(
        db.scalars(
            select(PaymentReturn.payment_id)
            .join(Payment, Payment.id == PaymentReturn.payment_id)
            .where(Payment.drawer_id == drawer_id, PaymentReturn.kind == ReturnKind.VOID)
        )
    )
    return [(payment, payment.id in voided) for payment in payments]


def refunds_out_of(db: Session, drawer_id: str) -> Sequence[Refund]:
    """The cash that was given back out of a drawer, oldest first."""
    return db.scalars(
        select(Refund)
        .where(Refund.drawer_id == drawer_id, Refund.state == PaymentState.CHARGED)
        .order_by(Refund.finished_at, Refund.id)
    ).all()


def refunds_waiting_for(db: Session, drawer_id: str) -> Sequence[Refund]:
    """The cash that is yet to be given back out of a drawer."""
    return db.scalars(
        select(Refund).where(Refund.drawer_id == drawer_id, Refund.state.in_(OPEN_STATES))
    ).all()


def contents_of(db: Session, drawer: Drawer) -> Contents:
    """Work out what should lie in a drawer: what began it, came in and went out."""
    stand = [payment for payment, voided in payments_in(db, drawer.id) if not voided]
    cash = [one.amount for one in stand if one.way is PaymentWay.CASH]
    cheques = [one.amount for one in stand if one.way is PaymentWay.CHEQUE]
    given_back = [one.amount for one in refunds_out_of(db, drawer.id)]
    nothing = Money(0)
    return Contents(
        expected_cash(
            drawer.opening_cash,
            sum(cash, nothing),
            sum(given_back, nothing),
            [one.amount for one in movements_of(db, drawer.id)],
        ),
        len(cheques),
        sum(cheques, nothing),
    )
