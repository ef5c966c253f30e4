"""Stored methods: what staff may know of a card or bank account, and what only the courier may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, and_, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from console.domain.methods import MethodKind, RequestKind, RequestState
from console.domain.payments import PaymentState, PaymentWay
from console.models.autopay import AutoPay
from console.models.base import Choice, Instant, Record, Versioned
from console.models.payments import Payment


class StoredMethod(Versioned, Record):
    """A card or bank account that the gateway keeps for a member."""

    __tablename__ = "stored_method"
    __table_args__ = (
        Index(
            "uq_stored_method_default",
            "member_id",
            unique=True,
            sqlite_where=text("is_default AND removed_at IS NULL"),
            postgresql_where=text("is_default AND removed_at IS NULL"),
        ),
        Index("ix_stored_method_member_id", "member_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    kind: Mapped[MethodKind] = mapped_column(Choice(MethodKind, 20))
    brand: Mapped[str] = mapped_column(String(40), default="")
    """“visa”, or the bank's name."""
    last_four: Mapped[str] = mapped_column(String(4))
    expires_year: Mapped[int | None] = mapped_column()
    expires_month: Mapped[int | None] = mapped_column()
    is_default: Mapped[bool] = mapped_column(default=False)
    added_by: Mapped[str] = mapped_column(String(60))
    """Whoever asked for it; the courier wrote it down."""
    added_at: Mapped[datetime] = mapped_column(Instant)
    removed_by: Mapped[str] = mapped_column(String(60), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Instant)

    @property
    def expires(self) -> tuple[int, int] | None:
        """Year and month; None for a bank account."""
        if self.expires_year is None or self.expires_month is None:
            return None
        return self.expires_year, self.expires_month


class MethodToken(Record):
    """By what name the gateway knows a stored method; only the courier reads it."""

    __tablename__ = "method_token"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The stored method's, or that of the payment or request which brings it."""
    token: Mapped[str] = mapped_column(String(255))


class GatewayCustomer(Record):
    """By what name the gateway knows a member; only the courier reads it."""

    __tablename__ = "gateway_customer"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    customer: Mapped[str] = mapped_column(String(255))


class MethodRequest(Versioned, Record):
    """A wish to have a method stored or taken away at the gateway, which the courier sees to."""

    __tablename__ = "method_request"
    __table_args__ = (
        Index("ix_method_request_state_next_try_at", "state", "next_try_at"),
        Index("ix_method_request_member_id", "member_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    kind: Mapped[RequestKind] = mapped_column(Choice(RequestKind, 12))
    state: Mapped[RequestState] = mapped_column(
        Choice(RequestState, 12), default=RequestState.WAITING
    )
    method_id: Mapped[str | None] = mapped_column(ForeignKey("stored_method.id"))
    """What was stored in the end, or what is to go."""
    make_default: Mapped[bool] = mapped_column(default=False)
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    page_id: Mapped[str] = mapped_column(String(255), default="")
    page_url: Mapped[str] = mapped_column(String(2000), default="")
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(Instant)
    leased_by: Mapped[str] = mapped_column(String(80), default="")
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    answer: Mapped[str] = mapped_column(String(500), default="")
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    """When nothing more can come of it; one that is shut may still have a page at the gateway."""


def methods_of(db: Session, member_id: int) -> Sequence[StoredMethod]:
    """The methods that are stored for a member, the usual one first."""
    return db.scalars(
        select(StoredMethod)
        .where(StoredMethod.member_id == member_id, StoredMethod.removed_at.is_(None))
        .order_by(StoredMethod.is_default.desc(), StoredMethod.added_at, StoredMethod.id)
    ).all()


def requests_of(db: Session, member_id: int, since: datetime) -> Sequence[MethodRequest]:
    """What was asked for a member's methods and is under way, or ended since a moment."""
    return db.scalars(
        select(MethodRequest)
        .where(
            MethodRequest.member_id == member_id,
            or_(MethodRequest.finished_at.is_(None), MethodRequest.finished_at >= since),
        )
        .order_by(MethodRequest.asked_at.desc(), MethodRequest.id)
    ).all()


def request_is_due(now: datetime) -> ColumnElement[bool]:
    """Tell which requests want a courier now."""
    free = or_(MethodRequest.leased_until.is_(None), MethodRequest.leased_until <= now)
    return and_(
        # One that was called off is shut at the gateway too, and only then it is finished.
        MethodRequest.state.in_((RequestState.WAITING, RequestState.OPEN, RequestState.SHUT)),
        MethodRequest.finished_at.is_(None),
        free,
        or_(MethodRequest.next_try_at <= now, MethodRequest.tries == 0),
    )


def open_adding_of(db: Session, member_id: int) -> MethodRequest | None:
    """The wish to store a method for a member that something may still come of."""
    return db.scalars(
        select(MethodRequest)
        .where(
            MethodRequest.member_id == member_id,
            MethodRequest.kind == RequestKind.ADD,
            MethodRequest.state.in_((RequestState.WAITING, RequestState.OPEN)),
        )
        .order_by(MethodRequest.asked_at)
        .limit(1)
    ).first()


def auto_pays_with(db: Session, method_id: str) -> Sequence[str]:
    """The accounts that are paid with a method by themselves."""
    return db.scalars(
        select(AutoPay.account_number)
        .where(AutoPay.method_id == method_id, AutoPay.ended_at.is_(None))
        .order_by(AutoPay.account_number)
    ).all()


def is_being_charged(db: Session, method_id: str) -> bool:
    """Whether a payment with a method may still be under way."""
    going = [state for state in PaymentState if state.is_open]
    asked = select(Payment.id).where(Payment.method_id == method_id, Payment.state.in_(going))
    return db.scalar(asked.limit(1)) is not None


def is_by_bank(db: Session, payment: Payment) -> bool:
    """Tell whether a bank carries a payment, which may bring it back days later."""
    if payment.way is PaymentWay.STORED and payment.method_id is not None:
        return db.get_one(StoredMethod, payment.method_id).kind is MethodKind.BANK
    return payment.way is PaymentWay.BANK


def token_of(db: Session, id: str) -> str:
    """The gateway's name for a method; empty when it has none."""
    found = db.get(MethodToken, id)
    return "" if found is None else found.token


def customer_of(db: Session, member_id: int) -> str:
    """The gateway's name for a member; empty when it has none."""
    found = db.get(GatewayCustomer, member_id)
    return "" if found is None else found.customer
