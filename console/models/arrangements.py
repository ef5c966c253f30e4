"""Payment arrangements: dated promises, and whether they were kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Date, ForeignKey, Index, String, func, select, text
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship, selectinload

from console.domain.arrangements import ArrangementState
from console.domain.ledger import LedgerKind
from console.domain.money import Money
from console.models.accounts import Account
from console.models.base import Cents, Choice, Instant, Record, Versioned
from console.models.ledger import LedgerEntry
from console.models.payments import Payment, PaymentReturn, Refund


class Arrangement(Versioned, Record):
    """What a member and the co-op agreed on: sums, each with its day."""

    __tablename__ = "arrangement"
    __table_args__ = (
        Index("ix_arrangement_member_id", "member_id"),
        Index("ix_arrangement_state", "state"),
        # One agreement at a time for an account.
        Index(
            "uq_arrangement_open",
            "account_number",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    state: Mapped[ArrangementState] = mapped_column(
        Choice(ArrangementState, 12), default=ArrangementState.OPEN
    )
    note: Mapped[str] = mapped_column(String(500), default="")
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(60), default="")
    """Whoever called it off; empty when it was kept or broken by itself."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    promises: Mapped[list[Promise]] = relationship(
        back_populates="arrangement", order_by="Promise.due_on"
    )


class Promise(Record):
    """One sum of an arrangement, with the day it is due."""

    __tablename__ = "promise"
    __table_args__ = (Index("ix_promise_due_on", "due_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    arrangement_id: Mapped[str] = mapped_column(ForeignKey("arrangement.id"), index=True)
    due_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Money] = mapped_column(Cents)

    arrangement: Mapped[Arrangement] = relationship(back_populates="promises")


def arrangements_of(db: Session, member_id: int) -> Sequence[Arrangement]:
    """The arrangements of a member, the newest first."""
    return db.scalars(
        select(Arrangement)
        .where(Arrangement.member_id == member_id)
        .options(selectinload(Arrangement.promises))
        .order_by(Arrangement.made_at.desc(), Arrangement.id)
    ).all()


def open_arrangements(db: Session, most: int) -> Sequence[Arrangement]:
    """Every arrangement that still runs, the oldest first."""
    return db.scalars(
        select(Arrangement)
        .where(Arrangement.state == ArrangementState.OPEN)
        .options(selectinload(Arrangement.promises))
        .order_by(Arrangement.made_at, Arrangement.id)
        .limit(most)
    ).all()


def open_arrangement_of(db: Session, account_number: str) -> Arrangement | None:
    """The arrangement that runs for an account."""
    return db.scalar(
        select(Arrangement).where(
            Arrangement.account_number == account_number,
            Arrangement.state == ArrangementState.OPEN,
        )
    )


def broken_since(db: Session, since: datetime, most: int) -> Sequence[Arrangement]:
    """What was broken since a moment, is owed still, and was not agreed on afresh."""
    later = aliased(Arrangement)
    agreed_afresh = (
        select(later.id)
        .where(
            later.account_number == Arrangement.account_number,
            later.made_at > Arrangement.made_at,
        )
        .exists()
    )
    return db.scalars(
        select(Arrangement)
        .join(Account, Account.number == Arrangement.account_number)
        .where(
            Arrangement.state == ArrangementState.BROKEN,
            Arrangement.ended_at >= since,
            Account.balance > Money(0),
            ~agreed_afresh,
        )
        .options(selectinload(Arrangement.promises))
        .order_by(Arrangement.ended_at, Arrangement.id)
        .limit(most)
    ).all()


class PaidRow(NamedTuple):
    """A payment to one account, with what stands of it."""

    account_number: str
    at: datetime
    day: date
    amount: Money


def paid_since(db: Session, account_numbers: Collection[str], since: datetime) -> list[PaidRow]:
    """What was paid to some accounts since a moment, less what went or came back of it."""
    at = func.coalesce(Payment.finished_at, Payment.asked_at, type_=Instant)
    rows: list[PaidRow] = []
    for some in _batches(sorted(account_numbers)):
        paid = db.execute(
            select(Payment.id, LedgerEntry.account_number, at, LedgerEntry.day, LedgerEntry.amount)
            .join(LedgerEntry, LedgerEntry.source_id == Payment.id)
            .where(
                LedgerEntry.account_number.in_(some),
                LedgerEntry.kind == LedgerKind.PAYMENT,
                at >= since,
            )
        ).all()
        gone: dict[tuple[str, str], int] = {}
        for kind, source in ((LedgerKind.REFUND, Refund), (LedgerKind.RETURN, PaymentReturn)):
            for payment_id, number, amount in db.execute(
                select(source.payment_id, LedgerEntry.account_number, LedgerEntry.amount)
                .join(LedgerEntry, LedgerEntry.source_id == source.id)
                .where(LedgerEntry.account_number.in_(some), LedgerEntry.kind == kind)
            ):
                gone[payment_id, number] = gone.get((payment_id, number), 0) + amount.cents
        rows += [
            PaidRow(number, moment, day, Money(-amount.cents - gone.get((payment_id, number), 0)))
            for payment_id, number, moment, day, amount in paid
        ]
    return rows


def _batches(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[begin : begin + 500] for begin in range(0, len(numbers), 500)]
