"""Payments, how each is shared among accounts, what came back of them, and money given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, and_, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.sql.elements import ColumnElement

from console.domain.money import Money
from console.domain.payments import (
    Origin,
    PaymentState,
    PaymentWay,
    Progress,
    ReturnKind,
    Verdict,
)
from console.models.base import Cents, Choice, Instant, Record, Versioned


class Outgoing:
    """What a courier brings to the gateway by the payment protocol, and how far it has come."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Made when the form opens: the idempotency key, and our reference at the gateway."""
    state: Mapped[PaymentState] = mapped_column(
        Choice(PaymentState, 12), default=PaymentState.INTENT
    )
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    sends: Mapped[int] = mapped_column(default=0)
    was_answered: Mapped[bool] = mapped_column(default=False)
    first_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    last_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    next_try_at: Mapped[datetime] = mapped_column(Instant)
    leased_by: Mapped[str] = mapped_column(String(80), default="")
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    gateway_id: Mapped[str] = mapped_column(String(255), default="")
    """The gateway's own name for it."""
    code: Mapped[str] = mapped_column(String(60), default="")
    """Why it was declined, as the gateway calls it."""
    answer: Mapped[str] = mapped_column(String(500), default="")
    """What came of it, in words for staff."""
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    counts_on: Mapped[date | None] = mapped_column(Date)
    """The day of the co-op on which it came to its end; the ledger's day."""

    def progress(self) -> Progress:
        """Answer how far it has come, as the protocol's rules are given it."""
        return Progress(
            self.state,
            self.asked_at,
            self.first_sent_at,
            self.last_sent_at,
            self.leased_until,
            self.sends,
            self.was_answered,
        )


class Payment(Outgoing, Versioned, Record):
    """Money that a member pays, from the moment it is asked for."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("ix_payment_state_next_try_at", "state", "next_try_at"),
        Index("ix_payment_member_id_asked_at", "member_id", "asked_at"),
        Index("ix_payment_finished_at", "finished_at"),
        Index("ix_payment_gateway_id", "gateway_id"),
        Index("ix_payment_drawer_id", "drawer_id"),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    way: Mapped[PaymentWay] = mapped_column(Choice(PaymentWay, 12))
    origin: Mapped[Origin] = mapped_column(Choice(Origin, 12))
    amount: Mapped[Money] = mapped_column(Cents)
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    method_id: Mapped[str | None] = mapped_column(ForeignKey("stored_method.id"))
    method_words: Mapped[str] = mapped_column(String(80), default="")
    """“Visa ending in 4242”, “Cheque 1042”; all that is known of what it was paid with."""
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the gateway's own list was found to agree; a bank debit takes days."""
    charge_id: Mapped[str] = mapped_column(String(255), default="")
    page_id: Mapped[str] = mapped_column(String(255), default="")
    page_url: Mapped[str] = mapped_column(String(2000), default="")
    """Where the gateway's page is open; empty once it is used or shut."""
    page_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    shut_asked: Mapped[bool] = mapped_column(default=False)
    """Whether somebody wants the page shut."""
    link_to: Mapped[str] = mapped_column(String(254), default="")
    """The e-mail address or phone number that a pay link goes to."""
    receipt_to: Mapped[str] = mapped_column(String(254), default="")
    """Where the receipt is e-mailed; empty when nobody wants one."""
    drawer_id: Mapped[str | None] = mapped_column(ForeignKey("drawer.id"))
    cheque_number: Mapped[str] = mapped_column(String(20), default="")
    tendered: Mapped[Money | None] = mapped_column(Cents)
    """The cash that was handed over; the change is what is above the amount."""

    shares: Mapped[list[PaymentShare]] = relationship(
        back_populates="payment", order_by="PaymentShare.account_number"
    )


class PaymentShare(Record):
    """The part of a payment that goes to one account."""

    __tablename__ = "payment_share"
    __table_args__ = (
        Index("ix_payment_share_payment_id_account", "payment_id", "account_number", unique=True),
        Index("ix_payment_share_account_number", "account_number"),
        # One open payment for each account: a second press, and a second desk, meet this.
        Index(
            "uq_payment_share_open",
            "account_number",
            unique=True,
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    amount: Mapped[Money] = mapped_column(Cents)
    is_open: Mapped[bool] = mapped_column(default=True)
    """Follows the payment's state; the database itself ends it."""

    payment: Mapped[Payment] = relationship(back_populates="shares")


class PhoneAuthorization(Record):
    """The words by which a member allowed a debit of their bank account on the phone."""

    __tablename__ = "phone_authorization"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The payment's, or the Auto Pay enrolment's, that it was given for."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    script: Mapped[str] = mapped_column(Text)
    """What was read out, filled in, word for word; kept two years."""
    recurring: Mapped[bool] = mapped_column(default=False)
    recording: Mapped[str] = mapped_column(String(80), default="")
    """Where the recording of the call is found."""
    notice_to: Mapped[str] = mapped_column(String(254), default="")
    """Where the written copy goes."""
    accepted_at: Mapped[datetime] = mapped_column(Instant)
    read_by: Mapped[str] = mapped_column(String(60))


class PaymentReturn(Record):
    """A payment that did not last: a debit or cheque that came back, a dispute, a void."""

    __tablename__ = "payment_return"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    kind: Mapped[ReturnKind] = mapped_column(Choice(ReturnKind, 12))
    code: Mapped[str] = mapped_column(String(20), default="")
    """Nacha's, such as R01, or the cheque's mark, such as NSF."""
    reason: Mapped[str] = mapped_column(String(300))
    fee: Mapped[Money] = mapped_column(Cents, default=Money(0))
    recorded_by: Mapped[str] = mapped_column(String(60))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    counts_on: Mapped[date] = mapped_column(Date)


class Refund(Outgoing, Versioned, Record):
    """Money given back: all of a payment or a part, by the way it came."""

    __tablename__ = "refund"
    __table_args__ = (
        Index("ix_refund_state_next_try_at", "state", "next_try_at"),
        Index("ix_refund_payment_id", "payment_id"),
        Index("ix_refund_finished_at", "finished_at"),
    )

    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    """Whose payment it was; a payment for several accounts is given back account by account."""
    amount: Mapped[Money] = mapped_column(Cents)
    reason: Mapped[str] = mapped_column(String(300))
    needs_second: Mapped[bool] = mapped_column(default=False)
    """Whether it is more than one person may give back alone."""
    approved_by: Mapped[str] = mapped_column(String(60), default="")
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    drawer_id: Mapped[str | None] = mapped_column(ForeignKey("drawer.id"))
    """Where cash was taken from."""
    settled_at: Mapped[datetime | None] = mapped_column(Instant)

    def progress(self) -> Progress:
        """Count from the moment it may go: one that waited for a second person is not late."""
        return replace(super().progress(), asked_at=self.approved_at or self.asked_at)


class ReviewDecision(Record):
    """What a supervisor found out about a payment or refund that the gateway shows nothing of."""

    __tablename__ = "review_decision"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The payment's or the refund's."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    verdict: Mapped[Verdict] = mapped_column(Choice(Verdict, 12))
    evidence: Mapped[str] = mapped_column(String(1000))
    gateway_id: Mapped[str] = mapped_column(String(255), default="")
    decided_by: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[datetime] = mapped_column(Instant)


class MoneyLimit(Record):
    """A sum that the whole office goes by."""

    __tablename__ = "money_limit"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    amount: Mapped[Money] = mapped_column(Cents)


LARGEST_PAYMENT = "largest_payment"
REFUND_ALONE = "refund_alone"
RETURN_FEE = "return_fee"


OPEN_STATES = tuple(state for state in PaymentState if state.is_open)
_CARRIED = (PaymentState.INTENT, PaymentState.SENDING, PaymentState.UNKNOWN)
"""The states from which a courier does something."""


def is_due(record: type[Payment] | type[Refund], now: datetime) -> ColumnElement[bool]:
    """Tell which payments or refunds want a courier now: nobody has them in hand."""
    free = or_(record.leased_until.is_(None), record.leased_until <= now)
    never_tried = record.state == PaymentState.INTENT
    due = and_(record.state.in_(_CARRIED), free, or_(record.next_try_at <= now, never_tried))
    if record is Refund:
        # What is handed out of a drawer is never the gateway's.
        at_gateway = Refund.drawer_id.is_(None)
        due = and_(due, at_gateway, or_(Refund.needs_second.is_(False), Refund.approved_by != ""))
    return due


def limit(db: Session, name: str) -> Money:
    """Answer one of the sums the whole office goes by."""
    return db.get_one(MoneyLimit, name).amount


def payments_of(db: Session, member_id: int, most: int) -> Sequence[Payment]:
    """The payments of a member, the newest first."""
    return db.scalars(
        select(Payment)
        .where(Payment.member_id == member_id)
        .options(selectinload(Payment.shares))
        .order_by(Payment.asked_at.desc(), Payment.id)
        .limit(most)
    ).all()


def open_payments(db: Session, most: int) -> Sequence[Payment]:
    """Every payment that is not known for good yet, the oldest first."""
    return db.scalars(
        select(Payment)
        .where(Payment.state.in_(OPEN_STATES))
        .order_by(Payment.asked_at, Payment.id)
        .limit(most)
    ).all()


def unknown_since(db: Session, moment: datetime) -> int:
    """Count what was sent before a moment and is not known; open pages wait for whoever pays."""
    asked = select(func.count()).where(
        Payment.state.in_((PaymentState.SENDING, PaymentState.UNKNOWN)),
        Payment.first_sent_at < moment,
        Payment.page_id == "",
    )
    return db.scalar(asked) or 0


def open_payment_of(db: Session, account_number: str) -> Payment | None:
    """The payment that shuts an account until it is known for good."""
    return db.scalar(
        select(Payment)
        .join(PaymentShare)
        .where(PaymentShare.account_number == account_number, PaymentShare.is_open)
    )


def same_amount_lately(
    db: Session, account_number: str, amount: Money, since: datetime
) -> Payment | None:
    """The newest payment of the same amount to the same account since a moment, if it stands."""
    returned = select(PaymentReturn.id).where(PaymentReturn.payment_id == Payment.id).exists()
    return db.scalar(
        select(Payment)
        .join(PaymentShare)
        .where(
            PaymentShare.account_number == account_number,
            PaymentShare.amount == amount,
            Payment.asked_at >= since,
            Payment.state.in_((PaymentState.CHARGED, *OPEN_STATES)),
            ~returned,
        )
        .order_by(Payment.asked_at.desc())
        .limit(1)
    )


def given_back(db: Session, payment_id: str, account_number: str | None = None) -> Money:
    """Add up what was given back of a payment, and what may yet be, for one account or all."""
    wanted = [
        Refund.payment_id == payment_id,
        Refund.state.in_((PaymentState.CHARGED, *OPEN_STATES)),
    ]
    if account_number is not None:
        wanted.append(Refund.account_number == account_number)
    cents = db.scalar(select(func.coalesce(func.sum(Refund.amount), 0)).where(*wanted))
    return cents if isinstance(cents, Money) else Money(int(cents or 0))


def refunds_of(db: Session, payment_id: str) -> Sequence[Refund]:
    """What was given back of a payment, or was asked for, oldest first."""
    return db.scalars(
        select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.asked_at, Refund.id)
    ).all()


def return_of(db: Session, payment_id: str) -> PaymentReturn | None:
    """How a payment came back, if it did."""
    return db.scalar(select(PaymentReturn).where(PaymentReturn.payment_id == payment_id))


def under_review(db: Session, most: int) -> Sequence[Payment | Refund]:
    """Whatever a supervisor must look at, the oldest first."""
    payments = db.scalars(
        select(Payment)
        .where(Payment.state == PaymentState.REVIEW)
        .order_by(Payment.asked_at, Payment.id)
        .limit(most)
    ).all()
    refunds = db.scalars(
        select(Refund)
        .where(Refund.state == PaymentState.REVIEW)
        .order_by(Refund.asked_at, Refund.id)
        .limit(most)
    ).all()
    found: list[Payment | Refund] = [*payments, *refunds]
    return sorted(found, key=lambda one: one.asked_at)[:most]
