"""Auto Pay: who is enrolled with which method, and what came of each dated run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, and_, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.autopay import RunState
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, ReturnKind
from console.models.accounts import Account
from console.models.base import Cents, Choice, Instant, Record, Versioned
from console.models.payments import Payment, PaymentReturn


class AutoPay(Versioned, Record):
    """An account that is paid by itself, on a day of each month or when the bill is due."""

    __tablename__ = "auto_pay"
    __table_args__ = (
        Index(
            "uq_auto_pay_account",
            "account_number",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_auto_pay_member_id", "member_id"),
        Index("ix_auto_pay_method_id", "method_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    method_id: Mapped[str] = mapped_column(ForeignKey("stored_method.id"))
    day_of_month: Mapped[int | None] = mapped_column()
    """The day it is paid on, 1 to 28; nothing means the day the bill is due."""
    most: Mapped[Money | None] = mapped_column(Cents)
    """More than this is not taken by itself."""
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    enrolled_by: Mapped[str] = mapped_column(String(60))
    enrolled_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(60), default="")
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class AutoPayRun(Versioned, Record):
    """What Auto Pay did, or is about to do, for one account on one day."""

    __tablename__ = "auto_pay_run"
    __table_args__ = (
        # One run a day for an account, however many couriers look.
        Index("uq_auto_pay_run_day", "account_number", "run_on", unique=True),
        Index("ix_auto_pay_run_run_on", "run_on"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Also the id of the payment that it becomes."""
    auto_pay_id: Mapped[str] = mapped_column(ForeignKey("auto_pay.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    run_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Money] = mapped_column(Cents)
    state: Mapped[RunState] = mapped_column(Choice(RunState, 12))
    answer: Mapped[str] = mapped_column(String(300), default="")
    made_at: Mapped[datetime] = mapped_column(Instant)


def auto_pay_of(db: Session, account_number: str) -> AutoPay | None:
    """The Auto Pay that an account is enrolled in."""
    return db.scalar(
        select(AutoPay).where(AutoPay.account_number == account_number, AutoPay.ended_at.is_(None))
    )


def runs_of(db: Session, account_number: str, most: int) -> Sequence[AutoPayRun]:
    """The runs of an account, the newest first."""
    return db.scalars(
        select(AutoPayRun)
        .where(AutoPayRun.account_number == account_number)
        .order_by(AutoPayRun.run_on.desc())
        .limit(most)
    ).all()


def auto_pays_of(db: Session, member_id: int) -> Sequence[AutoPay]:
    """The accounts of a member that are enrolled."""
    return db.scalars(
        select(AutoPay)
        .where(AutoPay.member_id == member_id, AutoPay.ended_at.is_(None))
        .order_by(AutoPay.account_number)
    ).all()


def due_for_run(db: Session, day: date, most: int) -> Sequence[str]:
    """The enrolments whose account is paid on a day and has no run for it yet."""
    ran = (
        select(AutoPayRun.id)
        .where(AutoPayRun.account_number == AutoPay.account_number, AutoPayRun.run_on == day)
        .exists()
    )
    return db.scalars(
        select(AutoPay.id)
        .join(Account, Account.number == AutoPay.account_number)
        .where(
            AutoPay.ended_at.is_(None),
            or_(
                AutoPay.day_of_month == day.day,
                and_(AutoPay.day_of_month.is_(None), Account.due_on == day),
            ),
            ~ran,
        )
        .order_by(AutoPay.account_number)
        .limit(most)
    ).all()


def unsent(db: Session) -> int:
    """Count the payments of Auto Pay that no courier has taken in hand yet."""
    asked = select(func.count()).where(
        Payment.state == PaymentState.INTENT, Payment.origin == Origin.AUTO_PAY
    )
    return db.scalar(asked.select_from(Payment)) or 0


def run_of(db: Session, account_number: str, day: date) -> AutoPayRun | None:
    """What came of an account's run on one day."""
    return db.scalar(
        select(AutoPayRun).where(
            AutoPayRun.account_number == account_number, AutoPayRun.run_on == day
        )
    )


def disputed_with(db: Session, method_id: str) -> bool:
    """Tell whether a payment with a method was disputed."""
    return bool(
        db.scalar(
            select(PaymentReturn.id)
            .join(Payment, Payment.id == PaymentReturn.payment_id)
            .where(Payment.method_id == method_id, PaymentReturn.kind == ReturnKind.DISPUTE)
            .limit(1)
        )
    )


def runs_in_trouble(db: Session, since: date, most: int) -> Sequence[tuple[AutoPayRun, str]]:
    """The runs since a day that brought no money though some was due, the newest first.

    Each with the words for it: the payment's where there is one, else the run's own.
    """
    came_to_nothing = Payment.state.in_(
        (PaymentState.DECLINED, PaymentState.ABANDONED, PaymentState.REVIEW)
    )
    came_back = select(PaymentReturn.id).where(PaymentReturn.payment_id == AutoPayRun.id).exists()
    found = db.execute(
        select(AutoPayRun, Payment, came_back.label("came_back"))
        .outerjoin(Payment, Payment.id == AutoPayRun.id)
        .where(
            AutoPayRun.run_on >= since,
            or_(
                and_(AutoPayRun.state == RunState.SKIPPED, AutoPayRun.amount > Money(0)),
                came_to_nothing,
                came_back,
            ),
        )
        .order_by(AutoPayRun.run_on.desc(), AutoPayRun.account_number)
        .limit(most)
    )
    return [(run, _trouble(run, payment, returned)) for run, payment, returned in found]


def _trouble(run: AutoPayRun, payment: Payment | None, returned: bool) -> str:
    if payment is None:
        return run.answer
    if returned:
        return "The payment came back."
    return payment.answer or payment.state.words
