"""Give a payment back: void, refund alone or with a second person, and cheques that bounced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, ReturnKind, receipt_number
from console.domain.texts import check_text
from console.models.accounts import Account
from console.models.base import touch
from console.models.drawers import Drawer, open_drawer_of
from console.models.members import Member
from console.models.methods import is_by_bank
from console.models.payments import (
    REFUND_ALONE,
    RETURN_FEE,
    Payment,
    PaymentReturn,
    Refund,
    given_back,
    limit,
    refunds_of,
    return_of,
)
from console.models.problems import again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, charging
from console.services.audit import Action
from console.services.desk import Desk

MOST_REASON: Final = 300
_FEWEST_LETTERS: Final = 5
MOST_CODE: Final = 20


class CannotGiveBack(ConsoleError):
    """This cannot be given back like that; nothing was given."""


@dataclass(frozen=True)
class ShareLeft:
    """What one account was paid, and what of it may still be given back."""

    account_number: str
    service_address: str
    paid: Money
    given_back: Money
    left: Money


@dataclass(frozen=True)
class RefundStatus:
    """How far a refund has come."""

    id: str
    payment_id: str
    member_id: int
    member_name: str
    account_number: str
    amount: Money
    reason: str
    state: PaymentState
    words: str
    method_words: str
    """What the payment was paid with, to which the money goes back."""
    asked_at: datetime
    asked_by: str
    needs_second: bool
    approved_by: str
    by_cash: bool
    may_approve: bool
    """Whether whoever asks now may be the second person."""
    may_hand_out: bool
    """Whether it is approved cash that lies in the asker's own drawer."""
    may_call_off: bool


@dataclass(frozen=True)
class RefundOffer:
    """What may be done about a payment that was taken."""

    payment_id: str
    member_id: int
    member_name: str
    receipt: str
    amount: Money
    method_words: str
    way: PaymentWay
    taken_at: datetime
    taken_by: str
    shares: tuple[ShareLeft, ...]
    given: tuple[RefundStatus, ...]
    returned: str
    """How it came back, in words; empty when it stands."""
    no_refund: str
    """Why nothing can be given back here and now; empty when it can."""
    no_void: str
    no_bounce: str
    by_cash: bool
    """Whether it is handed out of one's own drawer."""
    alone: Money
    """The most that one person gives back alone."""
    most_fee: Money

    @property
    def left(self) -> Money:
        """What may still be given back in all."""
        return sum((share.left for share in self.shares), Money(0))

    def needs_second(self, amount: Money) -> bool:
        """Whether a second person must approve such an amount, after what was given back before."""
        before = sum((share.given_back for share in self.shares), Money(0))
        return before + amount > self.alone


@dataclass(frozen=True)
class RefundWish:
    """Money to give back, as it was read back."""

    id: str
    """Made when the sheet opens, so that pressing twice gives back once."""
    payment_id: str
    account_number: str
    amount: Money
    reason: str


def offer(desk: Desk, payment_id: str) -> RefundOffer:
    """Answer what may be given back of a payment, how, and why not."""
    with desk.records.read() as db:
        payment = _payment(db, payment_id)
        member = db.get_one(Member, payment.member_id)
        staff = names_of_staff(db)
        back = return_of(db, payment_id)
        return RefundOffer(
            payment.id,
            payment.member_id,
            display_name(member.given_names, member.name),
            receipt_number(payment.id),
            payment.amount,
            payment.method_words or payment.way.words,
            payment.way,
            payment.finished_at or payment.asked_at,
            staff.get(payment.asked_by, payment.asked_by),
            _shares(db, payment),
            tuple(_status(db, desk, one, staff) for one in refunds_of(db, payment.id)),
            "" if back is None else f"{back.kind.words}: {back.reason}",
            _why_no_refund(db, desk, payment),
            _why_no_void(db, desk, payment),
            _why_no_bounce(db, desk, payment),
            payment.way.at_the_counter,
            limit(db, REFUND_ALONE),
            limit(db, RETURN_FEE),
        )


def ask(desk: Desk, wish: RefundWish) -> RefundStatus:
    """Write a refund down once, however often it is pressed, and answer how it stands.

    Cash goes out of one's own drawer with that, unless a second person must approve it first;
    everything else is the courier's from here on.
    """
    reason = _checked(wish.reason)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(Refund, wish.id) is None:
                _ask(db, desk, wish, reason)

    _in_time(in_one_go)
    return status(desk, wish.id)


def carry(desk: Desk, refund_id: str) -> RefundStatus:
    """Carry a refund at once where this desk is its own courier, and answer how it stands."""
    charging.carry(desk, Refund, refund_id)
    return status(desk, refund_id)


def approve(desk: Desk, refund_id: str) -> RefundStatus:
    """Be the second person that a large refund needs."""
    _check_role(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            refund = _refund(db, refund_id)
            if refund.approved_by or not refund.needs_second:
                return
            if refund.state is not PaymentState.INTENT:
                raise CannotGiveBack("This refund was called off meanwhile. Nothing was given.")
            if refund.asked_by == desk.colleague.login:
                raise CannotGiveBack(
                    "You asked for this refund yourself. Another supervisor must approve it."
                )
            refund.approved_by, refund.approved_at = desk.colleague.login, desk.office_time(db)
            _record(db, desk, Action.REFUND_APPROVED, refund)

    again_if_crossed(in_one_go)
    return status(desk, refund_id)


def hand_out(desk: Desk, refund_id: str) -> RefundStatus:
    """Take approved cash out of the drawer that it was asked from."""
    _check_role(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            refund = _refund(db, refund_id)
            if refund.state is PaymentState.CHARGED:
                return
            drawer = open_drawer_of(db, desk.colleague.login, hold=True)
            if refund.state is not PaymentState.INTENT or refund.drawer_id is None:
                raise CannotGiveBack("This refund is not cash that waits to be handed out.")
            if refund.needs_second and not refund.approved_by:
                raise CannotGiveBack("A second supervisor must approve it first.")
            if drawer is None or drawer.id != refund.drawer_id:
                raise CannotGiveBack(
                    "The cash lies in another drawer. Whoever asked for the refund hands it out."
                )
            _give_by_hand(db, desk, refund)

    again_if_crossed(in_one_go)
    return status(desk, refund_id)


def call_off(desk: Desk, refund_id: str) -> RefundStatus:
    """Call off a refund that has not gone out yet; later it is too late."""
    _check_role(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            refund = _refund(db, refund_id)
            if refund.state is not PaymentState.INTENT:
                return
            now = desk.office_time(db)
            refund.state = PaymentState.ABANDONED
            refund.answer = "It was called off. Nothing was given back."
            refund.finished_at, refund.counts_on = now, times.day_of(now, desk.settings.zone)
            _record(db, desk, Action.REFUND_CALLED_OFF, refund)

    again_if_crossed(in_one_go)
    return status(desk, refund_id)


def void(desk: Desk, click_id: str, payment_id: str, reason: str) -> RefundOffer:
    """Take cash or a cheque back out of its drawer while that is open, as if never taken."""
    clean = _checked(reason)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            payment = _payment(db, payment_id, hold=True)
            if _is_there(db, click_id, payment_id, ReturnKind.VOID):
                return
            if why := _why_no_void(db, desk, payment, hold=True):
                raise CannotGiveBack(why)
            _come_back(db, desk, click_id, payment, ReturnKind.VOID, "", clean, Money(0))

    _in_time(in_one_go)
    return offer(desk, payment_id)


def record_bounced(
    desk: Desk, click_id: str, payment_id: str, code: str, reason: str, fee: Money
) -> RefundOffer:
    """Write down that a cheque bounced: its accounts owe the money again, and the fee."""
    clean = _checked(reason)
    mark = check_text(code, MOST_CODE, "The bank’s mark").upper()

    def in_one_go() -> None:
        with desk.records.begin() as db:
            payment = _payment(db, payment_id, hold=True)
            if _is_there(db, click_id, payment_id, ReturnKind.CHEQUE):
                return
            if why := _why_no_bounce(db, desk, payment):
                raise CannotGiveBack(why)
            most = limit(db, RETURN_FEE)
            if not Money(0) <= fee <= most:
                raise CannotGiveBack(f"The fee for a returned payment is {most} at most.")
            _come_back(db, desk, click_id, payment, ReturnKind.CHEQUE, mark, clean, fee)

    _in_time(in_one_go)
    return offer(desk, payment_id)


def waiting_for_second(desk: Desk) -> tuple[RefundStatus, ...]:
    """List the refunds that wait for a second person, or to be handed out, oldest first."""
    with desk.records.read() as db:
        staff = names_of_staff(db)
        found = db.scalars(
            select(Refund)
            .where(
                Refund.state == PaymentState.INTENT,
                Refund.needs_second,
                (Refund.approved_by == "") | Refund.drawer_id.is_not(None),
            )
            .order_by(Refund.asked_at, Refund.id)
            .limit(200)
        )
        return tuple(_status(db, desk, one, staff) for one in found)


def status(desk: Desk, refund_id: str) -> RefundStatus:
    """Answer how far a refund has come."""
    with desk.records.read() as db:
        return _status(db, desk, _refund(db, refund_id), names_of_staff(db))


# What may be done, and why not


def _why_no_refund(db: Session, desk: Desk, payment: Payment) -> str:
    if not desk.colleague.role.gives_back:
        return "A supervisor gives money back. Ask one to open this payment."
    if why := _why_not_standing(db, payment):
        return why
    if given_back(db, payment.id) >= payment.amount:
        return "All of it was given back already, or is on its way."
    if payment.way.at_the_counter and open_drawer_of(db, desk.colleague.login) is None:
        return "It is given back in cash, out of your own drawer. Open your drawer first."
    if payment.settled_at is None and is_by_bank(db, payment):
        return (
            "The bank has not paid this debit yet, so there is nothing to give back. It takes "
            "about four working days."
        )
    return ""


def _why_no_void(db: Session, desk: Desk, payment: Payment, *, hold: bool = False) -> str:
    if not payment.way.at_the_counter:
        return "Only cash and cheques are voided; this payment is refunded."
    if why := _why_not_standing(db, payment):
        return why
    role = desk.colleague.role
    drawer = _drawer(db, payment, hold=hold)
    if drawer is None or drawer.closed_at is not None:
        return "Its drawer was counted and closed, so it is refunded and not voided."
    own = drawer.clerk == desk.colleague.login and role.may_handle_cash
    if not (own or role.gives_back):
        return "It lies in a colleague’s drawer. That colleague or a supervisor voids it."
    if given_back(db, payment.id) > Money(0):
        return "Part of it was given back already, or is about to be, so it cannot be voided."
    return ""


def _why_no_bounce(db: Session, desk: Desk, payment: Payment) -> str:
    if payment.way is not PaymentWay.CHEQUE:
        return "Only a cheque bounces; what comes back at the gateway is found by itself."
    if not desk.colleague.role.may_handle_cash:
        return "A clerk or a supervisor writes down a cheque that bounced."
    if why := _why_not_standing(db, payment):
        return why
    if any(one.state.is_open for one in refunds_of(db, payment.id)):
        return "A refund of it is on its way. Call that off first."
    return ""


def _why_not_standing(db: Session, payment: Payment) -> str:
    if payment.state is not PaymentState.CHARGED:
        return f"This payment was not taken. {payment.state.words}"
    back = return_of(db, payment.id)
    return "" if back is None else f"It does not stand any more. {back.kind.words}: {back.reason}"


def _drawer(db: Session, payment: Payment, *, hold: bool) -> Drawer | None:
    # Whoever is counting it is waited for, and then it is closed.
    held = {"read": True, "key_share": True} if hold else None
    return (
        None
        if payment.drawer_id is None
        else db.get(Drawer, payment.drawer_id, with_for_update=held)
    )


def _check_role(desk: Desk) -> None:
    if not desk.colleague.role.gives_back:
        raise CannotGiveBack("A supervisor gives money back. Ask one to do this.")


def _checked(reason: str) -> str:
    clean = check_text(reason, MOST_REASON, "The reason")
    if sum(map(str.isalpha, clean)) < _FEWEST_LETTERS:
        raise CannotGiveBack("Say why in a few words: the member and the auditor will ask.")
    return clean


# Writing it down


def _ask(db: Session, desk: Desk, wish: RefundWish, reason: str) -> None:
    payment = _payment(db, wish.payment_id, hold=True)
    if why := _why_no_refund(db, desk, payment):
        raise CannotGiveBack(why)
    share = next(
        (one for one in _shares(db, payment) if one.account_number == wish.account_number), None
    )
    if share is None:
        raise CannotGiveBack("This payment was not for that account. Choose one of its accounts.")
    if wish.amount <= Money(0):
        raise CannotGiveBack("Type an amount above zero.")
    if wish.amount > share.left:
        raise CannotGiveBack(
            f"{share.left} is left to give back to account {share.account_number}; "
            f"{wish.amount} is more."
        )
    # What was given back of it before counts too: the limit is not got round in parts.
    second = given_back(db, payment.id) + wish.amount > limit(db, REFUND_ALONE)
    drawer = None
    if payment.way.at_the_counter:
        drawer = open_drawer_of(db, desk.colleague.login, hold=True)
        if drawer is None:
            raise CannotGiveBack("Your drawer was closed meanwhile. Open it again first.")
    now = desk.office_time(db)
    refund = Refund(
        id=wish.id,
        payment_id=payment.id,
        member_id=payment.member_id,
        account_number=share.account_number,
        amount=wish.amount,
        reason=reason,
        state=PaymentState.INTENT,
        needs_second=second,
        drawer_id=drawer.id if drawer else None,
        asked_by=desk.colleague.login,
        asked_at=now,
        next_try_at=now,
    )
    db.add(refund)
    db.flush()
    _record(db, desk, Action.REFUND_ASKED, refund, needs_second=second)
    if drawer is not None and not second:
        _give_by_hand(db, desk, refund)


def _give_by_hand(db: Session, desk: Desk, refund: Refund) -> None:
    """Record cash that is handed out in this breath."""
    now = desk.office_time(db)
    refund.state = PaymentState.CHARGED
    refund.answer = "Given back at the counter."
    refund.finished_at, refund.counts_on = now, times.day_of(now, desk.settings.zone)
    db.flush()
    touch(db, "LedgerEntry", "Payment")
    _record(db, desk, Action.REFUND_GIVEN, refund)


def _come_back(
    db: Session,
    desk: Desk,
    click_id: str,
    payment: Payment,
    kind: ReturnKind,
    code: str,
    reason: str,
    fee: Money,
) -> None:
    now = desk.office_time(db)
    db.add(
        PaymentReturn(
            id=click_id,
            payment_id=payment.id,
            member_id=payment.member_id,
            kind=kind,
            code=code,
            reason=reason,
            fee=fee,
            recorded_by=desk.colleague.login,
            recorded_at=now,
            counts_on=times.day_of(now, desk.settings.zone),
        )
    )
    db.flush()
    numbers = [share.account_number for share in payment.shares]
    touch(db, "Payment", "LedgerEntry", *(f"account:{number}" for number in numbers))
    audit.record(
        db,
        desk,
        Action.PAYMENT_VOIDED if kind is ReturnKind.VOID else Action.PAYMENT_RETURNED,
        member_id=payment.member_id,
        account_number=numbers[0],
        payment=payment.id,
        amount=str(payment.amount),
        kind=kind,
        code=code,
        reason=reason,
        fee=str(fee),
    )


def _is_there(db: Session, click_id: str, payment_id: str, kind: ReturnKind) -> bool:
    """Whether this very press, or a colleague's, has written it down already."""
    known = db.get(PaymentReturn, click_id) or return_of(db, payment_id)
    return known is not None and known.payment_id == payment_id and known.kind is kind


def _record(
    db: Session,
    desk: Desk,
    action: Action,
    refund: Refund,
    *,
    needs_second: bool = False,
) -> None:
    audit.record(
        db,
        desk,
        action,
        member_id=refund.member_id,
        account_number=refund.account_number,
        payment=refund.payment_id,
        refund=refund.id,
        amount=str(refund.amount),
        reason=refund.reason,
        needs_second=needs_second,
    )


def _in_time(act: Callable[[], None]) -> None:
    """Do a transaction again when somebody crossed it; what the database refuses is said."""
    try:
        again_if_crossed(act)
    except IntegrityError as crossed:
        raise CannotGiveBack(
            "Somebody else was quicker with this payment. Look at it again; nothing was given "
            "twice."
        ) from crossed


# How it stands


def _payment(db: Session, payment_id: str, *, hold: bool = False) -> Payment:
    # Two who give back at the same time wait for each other here, before either looks.
    payment = db.get(Payment, payment_id, with_for_update=True if hold else None)
    if payment is None:
        raise CannotGiveBack("This payment is not on file. Open the list again.")
    return payment


def _refund(db: Session, refund_id: str) -> Refund:
    refund = db.get(Refund, refund_id)
    if refund is None:
        raise CannotGiveBack("This refund is not on file. Nothing was given back.")
    return refund


def _shares(db: Session, payment: Payment) -> tuple[ShareLeft, ...]:
    found = []
    for share in payment.shares:
        account = db.get_one(Account, share.account_number)
        given = given_back(db, payment.id, share.account_number)
        found.append(
            ShareLeft(
                account.number,
                f"{account.service_line}, {account.service_city}",
                share.amount,
                given,
                share.amount - given,
            )
        )
    return tuple(found)


def _status(db: Session, desk: Desk, refund: Refund, staff: Mapping[str, str]) -> RefundStatus:
    payment = db.get_one(Payment, refund.payment_id)
    member = db.get_one(Member, refund.member_id)
    me, role = desk.colleague.login, desk.colleague.role
    waits = refund.state is PaymentState.INTENT
    second = waits and refund.needs_second and not refund.approved_by
    out = waits and refund.drawer_id is not None and bool(refund.approved_by)
    return RefundStatus(
        refund.id,
        refund.payment_id,
        refund.member_id,
        display_name(member.given_names, member.name),
        refund.account_number,
        refund.amount,
        refund.reason,
        refund.state,
        _words(refund, staff, second=second, out=out),
        payment.method_words or payment.way.words,
        refund.asked_at,
        staff.get(refund.asked_by, refund.asked_by),
        refund.needs_second,
        staff.get(refund.approved_by, refund.approved_by),
        refund.drawer_id is not None,
        second and role.gives_back and refund.asked_by != me,
        out and role.gives_back and refund.asked_by == me,
        waits and role.gives_back,
    )


def _words(refund: Refund, staff: Mapping[str, str], *, second: bool, out: bool) -> str:
    asker = staff.get(refund.asked_by, refund.asked_by)
    if second:
        return f"Waits for a second supervisor. {asker} asked for it. Nothing was given back yet."
    if out:
        return f"Approved. {asker} hands the cash out of the drawer."
    match refund.state:
        case PaymentState.CHARGED if refund.drawer_id is not None:
            return "Given back in cash."
        case PaymentState.CHARGED:
            return "Given back. The bank takes a few days to show it."
        case PaymentState.DECLINED | PaymentState.ABANDONED:
            return refund.answer or "Not given back."
        case PaymentState.UNKNOWN:
            return "Not known yet. Do not give it back again. It is being checked by itself."
        case PaymentState.SENDING:
            return "Asking the gateway…"
        case PaymentState.REVIEW:
            return "A person must look: the gateway shows nothing."
    return "Not sent yet. Nothing was given back."
