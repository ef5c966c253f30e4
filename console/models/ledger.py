"""The ledger of each account: every sum that was added to what is owed, or taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, Date, ForeignKey, Index, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.ledger import LedgerKind
from console.domain.money import Money
from console.models.base import Cents, Choice, Instant, Record, Records, unaudited


class LedgerEntry(Record):
    """One line of an account's ledger.

    The database writes them itself, with the payment, refund or return that they come from, and
    keeps the account's balance at their sum. Nothing is ever changed or removed.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_account_number_id", "account_number", "id"),
        # What is recorded twice is refused.
        Index(
            "uq_ledger_entry_source",
            "source_id",
            "account_number",
            "kind",
            unique=True,
            sqlite_where=text("source_id <> ''"),
            postgresql_where=text("source_id <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    kind: Mapped[LedgerKind] = mapped_column(Choice(LedgerKind, 12))
    amount: Mapped[Money] = mapped_column(Cents)
    """Above zero is added to what is owed; a payment is below zero."""
    day: Mapped[date] = mapped_column(Date)
    """The day it counts for."""
    at: Mapped[datetime] = mapped_column(Instant)
    """When it was written down."""
    words: Mapped[str] = mapped_column(String(200), default="")
    source_id: Mapped[str] = mapped_column(String(36), default="")
    """The payment, refund or return it comes from."""


def entries_of(db: Session, account_number: str, most: int) -> Sequence[LedgerEntry]:
    """The lines of an account's ledger, the newest first."""
    return db.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.account_number == account_number)
        .order_by(LedgerEntry.id.desc())
        .limit(most)
    ).all()


def sum_of(db: Session, account_number: str) -> Money:
    """Add up an account's ledger."""
    asked = select(func.sum(LedgerEntry.amount)).where(LedgerEntry.account_number == account_number)
    return db.scalar(asked) or Money(0)


def balance_after(db: Session, account_number: str, source_id: str) -> Money:
    """Answer what an account owed just after a payment was recorded."""
    last = select(func.max(LedgerEntry.id)).where(
        LedgerEntry.account_number == account_number, LedgerEntry.source_id == source_id
    )
    asked = select(func.sum(LedgerEntry.amount)).where(
        LedgerEntry.account_number == account_number, LedgerEntry.id <= last.scalar_subquery()
    )
    return db.scalar(asked) or Money(0)


def open_all(records: Records) -> None:
    """Begin every ledger that has no line yet, in a transaction that only fills tables."""
    with records.engine.execution_options(console_writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        unaudited(connection)
        open_ledgers(connection)


def open_ledgers(connection: Connection) -> None:
    """Begin the ledger of every account that has a balance and no line yet.

    It wants a transaction that fills tables (`unaudited`), in which balances stay as they are.
    Where the last bill and the last payment are known they become lines of their own, and what is
    left stands before them: together they are the balance on file.
    """
    # Written down as of its day, so that the same co-op is made alike whenever it is made.
    at, day = (
        ("day || ' 00:00:00.000000'", "date(a.opened_at)")
        if connection.dialect.name == "sqlite"
        else ("day::timestamp AT TIME ZONE 'UTC'", "a.opened_at::date")
    )
    filled = _OPENING.format(at=at, day=day)
    sqlite = connection.dialect.name == "sqlite"  # its driver takes no sign of percent for its own
    connection.exec_driver_sql(filled if sqlite else filled.replace("%", "%%"))


_BILLED = "a.last_bill IS NOT NULL AND a.last_bill_on IS NOT NULL"
_PAID = "a.last_payment IS NOT NULL AND a.last_payment_on IS NOT NULL"
_OPENING = f"""
INSERT INTO ledger_entry (account_number, kind, amount, day, at, words, source_id)
SELECT number, kind, amount, day, {{at}}, words, '' FROM (
  SELECT a.number, 1 AS place, 'opening' AS kind,
    a.balance - CASE WHEN {_BILLED} THEN a.last_bill ELSE 0 END
      + CASE WHEN {_PAID} THEN a.last_payment ELSE 0 END AS amount,
    coalesce(CASE WHEN a.last_bill_on < a.last_payment_on THEN a.last_bill_on
      ELSE a.last_payment_on END, a.last_bill_on, {{day}}) AS day,
    'Brought forward' AS words
  FROM account a
  UNION ALL
  SELECT a.number, 2, 'payment', -a.last_payment, a.last_payment_on, 'Payment'
  FROM account a WHERE {_PAID}
  UNION ALL
  SELECT a.number, 3, 'bill', a.last_bill, a.last_bill_on, 'Bill'
  FROM account a WHERE {_BILLED}
) AS told
WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.account_number = told.number)
ORDER BY number, day, place
"""  # noqa: S608  # names of our own
