"""Accounts: where a member is supplied and what is owed there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.members import AccountStatus
from console.domain.money import Money
from console.models.base import Cents, Choice, Instant, Record, Versioned


class Account(Versioned, Record):
    """One electric account at one service location."""

    __tablename__ = "account"

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    """Numerals only, as the portal wants it."""
    printed_number: Mapped[str] = mapped_column(String(24))
    """As the old bills print it, with its decimal point."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    status: Mapped[AccountStatus] = mapped_column(
        Choice(AccountStatus, 20), default=AccountStatus.ACTIVE
    )
    service_line: Mapped[str] = mapped_column(String(120))
    service_city: Mapped[str] = mapped_column(String(60))
    service_state: Mapped[str] = mapped_column(String(2))
    service_zip: Mapped[str] = mapped_column(String(10))
    map_location: Mapped[str] = mapped_column(String(30), default="")
    meter_number: Mapped[str] = mapped_column(String(30), default="")
    rate: Mapped[str] = mapped_column(String(20), default="")
    cycle: Mapped[int] = mapped_column(default=1)
    balance: Mapped[Money] = mapped_column(Cents, default=Money(0))
    past_due: Mapped[Money] = mapped_column(Cents, default=Money(0))
    due_on: Mapped[date | None] = mapped_column(Date)
    last_bill: Mapped[Money | None] = mapped_column(Cents)
    last_bill_on: Mapped[date | None] = mapped_column(Date)
    last_payment: Mapped[Money | None] = mapped_column(Cents)
    last_payment_on: Mapped[date | None] = mapped_column(Date)
    disconnect_on: Mapped[date | None] = mapped_column(Date)
    autopay: Mapped[bool] = mapped_column(default=False)
    paperless: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    portal_version: Mapped[int] = mapped_column(default=1)
    """The version of the primary holder's name that the portal last told us it holds."""

    def touches(self) -> frozenset[str]:
        return frozenset({"Account", f"account:{self.number}", f"member:{self.member_id}"})


def accounts_of(db: Session, member_id: int) -> Sequence[Account]:
    """Every account of a member, active ones first."""
    return db.scalars(
        select(Account)
        .where(Account.member_id == member_id)
        .order_by(Account.closed_at.is_not(None), Account.number)
    ).all()
