"""Review cases: what is open for too long, all that is known of it, and a supervisor's verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.courier import ErrandKind
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import PaymentState, Verdict, receipt_number
from console.domain.texts import check_text
from console.models.base import touch
from console.models.members import Member
from console.models.payments import (
    OPEN_STATES,
    Payment,
    Refund,
    ReviewDecision,
    under_review,
)
from console.models.problems import again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, outbox
from console.services.audit import Action
from console.services.desk import Desk
from console.services.outbox import Concerns

OPEN_FOR_LONG: Final = timedelta(minutes=15)
"""What is not known after this time is listed, though it is still being checked by itself."""
MOST_EVIDENCE: Final = 1000
_FEWEST_EVIDENCE: Final = 10
_MOST_CASES: Final = 200
_GATEWAY_ID: Final = re.compile(r"[A-Za-z0-9_\-]{6,120}")


class CannotDecide(ConsoleError):
    """This case is not decided like that."""


class DecidedOtherwise(CannotDecide):
    """A colleague has decided it, and not the same way."""


@dataclass(frozen=True)
class Case:
    """A payment or refund that is not known for good, with all that is known of it."""

    id: str
    is_refund: bool
    payment_id: str
    """The payment itself, or the one that is given back."""
    member_id: int
    member_name: str
    accounts: tuple[str, ...]
    amount: Money
    method_words: str
    receipt: str
    state: PaymentState
    words: str
    """What is to be done about it, in a sentence or two."""
    asked_at: datetime
    asked_by: str
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    sends: int
    answer: str
    """What was answered last, in words."""
    was_answered: bool
    gateway_id: str

    @property
    def can_be_decided(self) -> bool:
        """Whether only a person can end it."""
        return self.state is PaymentState.REVIEW


@dataclass(frozen=True)
class Decision:
    """What a supervisor found out."""

    id: str
    """The payment's or the refund's."""
    verdict: Verdict
    evidence: str
    gateway_id: str = ""


@dataclass(frozen=True)
class Decided:
    """How a case stands after the verdict."""

    id: str
    state: PaymentState
    words: str


def cases(desk: Desk) -> tuple[Case, ...]:
    """List what a person must decide first, then what is open for long, each the oldest first."""
    with desk.records.read() as db:
        staff = names_of_staff(db)
        now = desk.office_time(db)
        found = [*under_review(db, _MOST_CASES), *_open_for_long(db, now)]
        return tuple(_case(db, one, staff) for one in found[:_MOST_CASES])


def decide(desk: Desk, decision: Decision) -> Decided:
    """Write a verdict down with its evidence, and move the payment or refund by it, at once.

    The same press twice decides once. Raises DecidedOtherwise when a colleague was quicker and
    found the opposite.
    """
    if not desk.colleague.role.gives_back:
        raise CannotDecide("A supervisor decides this. Tell one what you know about it.")
    evidence = check_text(decision.evidence, MOST_EVIDENCE, "The evidence", lines=True)
    if sum(map(str.isalnum, evidence)) < _FEWEST_EVIDENCE:
        raise CannotDecide(
            "Say what you looked at and what it showed, so that whoever asks later can follow it."
        )
    gateway_id = decision.gateway_id.strip() if decision.verdict is Verdict.CHARGED else ""
    if decision.verdict is Verdict.CHARGED and not _GATEWAY_ID.fullmatch(gateway_id):
        raise CannotDecide(
            "Type what the gateway calls it, such as pi_3Q… for a payment or re_3Q… for a refund. "
            "Without that name nothing shows that money moved."
        )

    def in_one_go() -> Decided:
        with desk.records.begin() as db:
            return _decide(db, desk, decision, evidence, gateway_id)

    return again_if_crossed(in_one_go)


def _decide(db: Session, desk: Desk, decision: Decision, evidence: str, gateway_id: str) -> Decided:
    row = db.get(Payment, decision.id) or db.get(Refund, decision.id)
    if row is None:
        raise CannotDecide("This case is not on file. Open the list again.")
    known = db.get(ReviewDecision, decision.id)
    if known is not None:
        if known.verdict is not decision.verdict:
            by = names_of_staff(db).get(known.decided_by, known.decided_by)
            raise DecidedOtherwise(
                f"{by} has decided this otherwise: {_VERDICTS[known.verdict]} Their evidence: "
                f"{known.evidence}"
            )
        return Decided(row.id, row.state, row.answer)
    if row.state is not PaymentState.REVIEW:
        raise CannotDecide("This is not under review any more. Open the list again.")
    if gateway_id:
        _check_not_used(db, row, gateway_id)
    now = desk.office_time(db)
    db.add(
        ReviewDecision(
            id=row.id,
            member_id=row.member_id,
            verdict=decision.verdict,
            evidence=evidence,
            gateway_id=gateway_id,
            decided_by=desk.colleague.login,
            decided_at=now,
        )
    )
    db.flush()  # the database lets the state move only once the decision is there
    charged = decision.verdict is Verdict.CHARGED
    row.state = PaymentState.CHARGED if charged else PaymentState.DECLINED
    row.answer = f"{_VERDICTS[decision.verdict]} Decided by {desk.colleague.name}."[:500]
    row.code = "" if charged else "reviewed"
    row.gateway_id = gateway_id or row.gateway_id
    row.finished_at, row.counts_on = now, times.day_of(now, desk.settings.zone)
    db.flush()
    numbers = _accounts(row)
    if isinstance(row, Payment) and charged and row.receipt_to:
        concerns = Concerns(row.id, row.member_id, numbers[0])
        outbox.leave(db, desk, ErrandKind.SEND_RECEIPT, concerns, row.receipt_to, now)
    touch(db, "LedgerEntry", *(f"account:{number}" for number in numbers))
    audit.record(
        db,
        desk,
        Action.PAYMENT_DECIDED,
        member_id=row.member_id,
        account_number=numbers[0],
        payment=row.id,
        verdict=decision.verdict,
        evidence=evidence,
        gateway_id=gateway_id,
        amount=str(row.amount),
    )
    return Decided(row.id, row.state, row.answer)


_VERDICTS: Final = {
    Verdict.CHARGED: "The gateway shows that money moved.",
    Verdict.NOT_CHARGED: "No money has moved.",
}


def _check_not_used(db: Session, row: Payment | Refund, gateway_id: str) -> None:
    """Refuse a name at the gateway that stands for something else already."""
    if isinstance(row, Payment):
        taken = select(Payment.id).where(
            or_(Payment.gateway_id == gateway_id, Payment.charge_id == gateway_id),
            Payment.id != row.id,
        )
    else:
        taken = select(Refund.id).where(Refund.gateway_id == gateway_id, Refund.id != row.id)
    other = db.scalar(taken.limit(1))
    if other is not None:
        raise CannotDecide(
            f"{gateway_id} is on file already, for receipt {receipt_number(other)}. Look at the "
            "gateway again."
        )


def _open_for_long(db: Session, now: datetime) -> list[Payment | Refund]:
    """What has been under way for longer than it should; a page that is still open is not."""
    long_ago = now - OPEN_FOR_LONG
    going = [state for state in OPEN_STATES if state is not PaymentState.REVIEW]
    waits_for_member = (Payment.page_url != "") & (Payment.page_expires_at > now)
    payments = db.scalars(
        select(Payment)
        .where(
            Payment.state.in_(going),
            Payment.asked_at <= long_ago,
            or_(Payment.page_expires_at.is_(None), ~waits_for_member),
        )
        .order_by(Payment.asked_at, Payment.id)
        .limit(_MOST_CASES)
    ).all()
    refunds = db.scalars(
        select(Refund)
        .where(
            Refund.state.in_((PaymentState.SENDING, PaymentState.UNKNOWN)),
            Refund.asked_at <= long_ago,
        )
        .order_by(Refund.asked_at, Refund.id)
        .limit(_MOST_CASES)
    ).all()
    found: list[Payment | Refund] = [*payments, *refunds]
    return sorted(found, key=lambda one: one.asked_at)


def _case(db: Session, row: Payment | Refund, staff: Mapping[str, str]) -> Case:
    payment = row if isinstance(row, Payment) else db.get_one(Payment, row.payment_id)
    member = db.get_one(Member, row.member_id)
    return Case(
        row.id,
        isinstance(row, Refund),
        payment.id,
        row.member_id,
        display_name(member.given_names, member.name),
        _accounts(row),
        row.amount,
        payment.method_words or payment.way.words,
        receipt_number(payment.id),
        row.state,
        _words(row),
        row.asked_at,
        staff.get(row.asked_by, row.asked_by),
        row.first_sent_at,
        row.last_sent_at,
        row.sends,
        row.answer,
        row.was_answered,
        row.gateway_id,
    )


def _accounts(row: Payment | Refund) -> tuple[str, ...]:
    if isinstance(row, Refund):
        return (row.account_number,)
    return tuple(share.account_number for share in row.shares)


def _words(row: Payment | Refund) -> str:
    what = "refund" if isinstance(row, Refund) else "payment"
    if row.state is PaymentState.REVIEW:
        return (
            f"It was sent, and the gateway shows no such {what} since. Look it up on the "
            "gateway’s own site, by our reference and by the amount, then say what you found."
        )
    if row.state is PaymentState.INTENT:
        return "Nobody has taken it up yet. See whether the courier is running."
    return (
        f"It is still being checked by itself. Do not take the {what} again meanwhile; whoever "
        "waits for it can be told that."
    )
