"""Take a payment: what can be paid and how, the wish written down once, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain import phones, times
from console.domain.courier import ErrandKind
from console.domain.errors import ConsoleError
from console.domain.members import AccountStatus, AlertKind, display_name
from console.domain.methods import MethodKind, expiry_words, has_expired, method_words
from console.domain.money import Money
from console.domain.payments import (
    SAME_WITHIN,
    NotPayable,
    Origin,
    Owed,
    PaymentState,
    PaymentWay,
    Preset,
    Question,
    check_shares,
    presets,
    questions,
    receipt_number,
    still_to_ask,
)
from console.domain.texts import check_text, clean_text
from console.domain.verification import check_email
from console.models.accounts import Account, accounts_of
from console.models.drawers import open_drawer_of
from console.models.ledger import entries_of
from console.models.members import Member, open_alerts_of
from console.models.methods import MethodToken, StoredMethod, methods_of
from console.models.payments import (
    LARGEST_PAYMENT,
    Payment,
    PaymentShare,
    PhoneAuthorization,
    given_back,
    limit,
    open_payment_of,
    payments_of,
    return_of,
    same_amount_lately,
)
from console.models.problems import again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, authorizations, caller, charging, members, outbox
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.outbox import Concerns


@dataclass(frozen=True)
class PayableAccount:
    """One account as the payment form shows it."""

    owed: Owed
    printed_number: str
    service_address: str
    due_on: date | None
    presets: tuple[Preset, ...]
    shut: str
    """Why it cannot be paid just now, in words; empty when it can."""
    open_payment: str
    """The payment that shuts it."""


@dataclass(frozen=True)
class MethodRow:
    """A stored method to choose from."""

    id: str
    kind: MethodKind
    words: str
    """“Visa ending in 4242, 04/29”"""
    is_default: bool
    has_expired: bool


@dataclass(frozen=True)
class PaymentForm:
    """What the form begins with: accounts, ways, and what keeps some of them shut."""

    member_id: int
    member_name: str
    email: str
    phone: str
    accounts: tuple[PayableAccount, ...]
    methods: tuple[MethodRow, ...]
    refusals: Mapping[PaymentWay, str]
    """Why a way is not open here and now, in words; ways that are open are not in it."""
    most: Money
    """The largest sum that the office takes at once."""
    drawer_id: str
    masked: bool
    """Whether nobody was verified who may hear what is owed."""


@dataclass(frozen=True)
class PhoneMandateWish:
    """What a caller allowed on the phone, as it was read out to them."""

    script: str
    token: str
    """What the gateway calls the bank account; the number itself is kept nowhere."""
    method_words: str
    recording: str = ""
    notice_to: str = ""


@dataclass(frozen=True)
class PaymentWish:
    """A payment as it was read back and agreed to."""

    id: str
    """Made when the form opens, so that pressing twice pays once."""
    member_id: int
    way: PaymentWay
    shares: tuple[tuple[str, Money], ...]
    """Account numbers, and what each is paid."""
    origin: Origin = Origin.CALL
    call_id: str | None = None
    method_id: str | None = None
    mandate: PhoneMandateWish | None = None
    link_to: str = ""
    receipt_to: str = ""
    cheque_number: str = ""
    tendered: Money | None = None
    answered: frozenset[Question] = field(default_factory=frozenset)
    """The questions that were answered with yes."""


class AskFirst(ConsoleError):
    """This payment is unusual; nothing was written down yet."""

    def __init__(self, asked: Mapping[Question, str]) -> None:
        super().__init__(" ".join(asked.values()))
        self.asked = dict(asked)


class AlreadyOpen(NotPayable):
    """Another payment for one of these accounts is not known for good yet."""

    def __init__(self, message: str, payment_id: str) -> None:
        super().__init__(message)
        self.payment_id = payment_id


class NotInACall(NotPayable):
    """Money is only taken in a call that the member began, from a verified caller."""


@dataclass(frozen=True)
class ShareRow:
    """What one account was paid, and what it owes now."""

    account_number: str
    service_address: str
    amount: Money
    balance: Money


@dataclass(frozen=True)
class PaymentStatus:
    """How far a payment has come."""

    id: str
    member_id: int
    member_name: str
    way: PaymentWay
    origin: Origin
    state: PaymentState
    words: str
    amount: Money
    shares: tuple[ShareRow, ...]
    method_words: str
    asked_at: datetime
    asked_by: str
    finished_at: datetime | None
    settled_at: datetime | None
    receipt_number: str
    page_url: str
    page_expires_at: datetime | None
    link_to: str
    receipt_to: str
    tendered: Money | None
    change: Money | None
    drawer_id: str | None
    given_back: Money
    returned: str
    """How it came back, in words; empty when it stands."""
    may_cancel: bool
    """Whether it was not sent yet and can be called off."""
    may_shut: bool
    """Whether its page is open and can be shut."""


@dataclass(frozen=True)
class LedgerRow:
    """One line of an account's ledger, with the balance after it."""

    id: int
    day: date
    kind: str
    words: str
    amount: Money
    balance: Money
    source_id: str


_NEEDS_CALL = (
    "Money is only taken in a call that the member began. If we rang them, ask them to call us "
    "back at the number on their bill."
)
_NEEDS_CALLER = "Verify the caller first: then a payment can be taken."
_LEAST = Money(50)
"""What a card or a bank account is charged at least, by Stripe's documentation."""
_BY_HAND_ONLY = (
    "A clerk with an open drawer takes cash and cheques. Open your drawer under Payments first."
)


def prepare(desk: Desk, member_id: int, call_id: str | None = None) -> PaymentForm:
    """Answer what the form begins with: what is owed, by which ways it can be paid, and why not."""
    with desk.records.read() as db:
        member = members.find(db, member_id)
        drawer = open_drawer_of(db, desk.colleague.login)
        methods = tuple(_method_row(desk, one) for one in methods_of(db, member_id))
        return PaymentForm(
            member_id,
            display_name(member.given_names, member.name),
            member.email,
            member.phone,
            tuple(_payable(db, desk, account) for account in accounts_of(db, member_id)),
            methods,
            _refusals(db, desk, member, call_id, has_drawer=drawer is not None),
            limit(db, LARGEST_PAYMENT),
            drawer.id if drawer else "",
            not caller.is_verified(caller.own_call(db, desk, call_id), member_id),
        )


def begin(desk: Desk, wish: PaymentWish) -> PaymentStatus:
    """Write a payment down once, however often it is pressed, and answer how it stands.

    Cash and cheques are taken with that; everything else is the courier's from here on. Raises
    AskFirst when the amount is unusual, AlreadyOpen when another payment for the account is not
    known yet, NotPayable when it cannot be taken.
    """
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(Payment, wish.id) is None:
                _begin(db, desk, wish)

    try:
        again_if_crossed(in_one_go)
    except AlreadyOpen as another:
        if another.payment_id != wish.id:  # else it is this one, pressed twice in one moment
            raise
    except IntegrityError as crossed:
        with desk.records.read() as db:
            _check_open(db, desk, [number for number, _ in wish.shares])
        raise NotPayable("Somebody else is taking a payment for this account.") from crossed
    return status(desk, wish.id)


def carry(desk: Desk, payment_id: str) -> PaymentStatus:
    """Carry a payment at once where this desk is its own courier, and answer how it stands."""
    charging.carry(desk, Payment, payment_id)
    return status(desk, payment_id)


def status(desk: Desk, payment_id: str) -> PaymentStatus:
    """Answer how far a payment has come."""
    with desk.records.read() as db:
        payment = db.get(Payment, payment_id)
        if payment is None:
            raise ConsoleError("This payment is not on file. Nothing was taken.")
        return _status(db, desk, payment, names_of_staff(db))


def of_member(desk: Desk, member_id: int, most: int = 50) -> tuple[PaymentStatus, ...]:
    """List a member's payments, the newest first."""
    with desk.records.read() as db:
        staff = names_of_staff(db)
        return tuple(_status(db, desk, one, staff) for one in payments_of(db, member_id, most))


def cancel(desk: Desk, payment_id: str) -> PaymentStatus:
    """Call off a payment that nobody has taken in hand yet; later it is too late."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            payment = db.get(Payment, payment_id)
            if payment is None or payment.state is not PaymentState.INTENT:
                return
            now = desk.office_time(db)
            payment.state = PaymentState.ABANDONED
            payment.answer = "It was called off before it was sent. No money has moved."
            payment.finished_at, payment.counts_on = now, times.day_of(now, desk.settings.zone)
            audit.record(
                db, desk, Action.PAYMENT_CANCELLED, member_id=payment.member_id, payment=payment_id
            )

    again_if_crossed(in_one_go)
    return status(desk, payment_id)


def shut_page(desk: Desk, payment_id: str) -> PaymentStatus:
    """Ask for the gateway's page to be shut; whoever has just paid on it has paid."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            payment = db.get(Payment, payment_id)
            if payment is None or not payment.state.is_open or payment.shut_asked:
                return
            payment.shut_asked = True
            audit.record(
                db, desk, Action.PAGE_SHUT_ASKED, member_id=payment.member_id, payment=payment_id
            )

    again_if_crossed(in_one_go)
    return carry(desk, payment_id)


def ledger(desk: Desk, account_number: str, most: int = 500) -> tuple[LedgerRow, ...]:
    """List an account's ledger, the newest line first, each with the balance after it."""
    with desk.records.read() as db:
        account = db.get_one(Account, account_number)
        rows, balance = [], account.balance
        for entry in entries_of(db, account_number, most):
            rows.append(
                LedgerRow(
                    entry.id,
                    entry.day,
                    entry.kind.words,
                    entry.words,
                    entry.amount,
                    balance,
                    entry.source_id,
                )
            )
            balance = balance - entry.amount
        return tuple(rows)


# What the form begins with


def owed_of(account: Account) -> Owed:
    """Answer what a payment must know of an account."""
    return Owed(account.number, account.status, account.balance, account.past_due)


def _payable(db: Session, desk: Desk, account: Account) -> PayableAccount:
    going = open_payment_of(db, account.number)
    owed = owed_of(account)
    return PayableAccount(
        owed,
        account.printed_number,
        f"{account.service_line}, {account.service_city}",
        account.due_on,
        presets(owed),
        "" if going is None else _open_words(db, desk, account.number, going),
        "" if going is None else going.id,
    )


def _method_row(desk: Desk, method: StoredMethod) -> MethodRow:
    words = method_words(method.brand, method.last_four)
    if until := expiry_words(method.expires):
        words = f"{words}, {until}"
    expired = has_expired(method.expires, times.day_of(desk.now(), desk.settings.zone))
    return MethodRow(method.id, method.kind, words, method.is_default, expired)


def _refusals(
    db: Session, desk: Desk, member: Member, call_id: str | None, *, has_drawer: bool
) -> dict[PaymentWay, str]:
    refused: dict[PaymentWay, str] = {}
    in_call = _why_not_in_call(db, desk, member.id, call_id)
    if in_call:
        remote = (PaymentWay.STORED, PaymentWay.LINK, PaymentWay.BANK, PaymentWay.PAGE)
        refused |= dict.fromkeys(remote, in_call)
    if not has_drawer:
        refused |= dict.fromkeys((PaymentWay.CASH, PaymentWay.CHEQUE), _BY_HAND_ONLY)
    for alert in open_alerts_of(db, member.id):
        if alert.kind is AlertKind.NO_CHEQUES:
            refused[PaymentWay.CHEQUE] = "No cheques are taken from this member."
            refused[PaymentWay.BANK] = "No bank debits are taken from this member."
    return refused


def _why_not_in_call(db: Session, desk: Desk, member_id: int, call_id: str | None) -> str:
    return caller.why_not(
        db,
        desk,
        member_id,
        call_id,
        no_call="Begin the call first: money is taken from a verified caller.",
        we_rang=_NEEDS_CALL,
        not_verified=_NEEDS_CALLER,
    )


# Writing it down


def _begin(db: Session, desk: Desk, wish: PaymentWish) -> None:
    member = members.find(db, wish.member_id)
    accounts = [_account(db, wish.member_id, number) for number, _ in wish.shares]
    shares = [
        (owed_of(account), amount)
        for account, (_, amount) in zip(accounts, wish.shares, strict=True)
    ]
    total = check_shares(shares, limit(db, LARGEST_PAYMENT))
    _check_way(db, desk, member, wish, total)
    _check_open(db, desk, [account.number for account in accounts])
    asked = questions(shares, _same_lately(db, desk, wish))
    if left := still_to_ask(asked, wish.answered):
        raise AskFirst(left)
    if db.get(Payment, wish.id) is not None:
        return  # pressed twice in one moment
    now = desk.office_time(db)
    by_hand = wish.way.at_the_counter
    drawer = open_drawer_of(db, desk.colleague.login) if by_hand else None
    payment = Payment(
        id=wish.id,
        member_id=member.id,
        way=wish.way,
        origin=wish.origin,
        state=PaymentState.INTENT,
        amount=total,
        call_id=wish.call_id,
        method_id=wish.method_id,
        method_words=_words_of_method(db, wish),
        asked_by=desk.colleague.login,
        asked_at=now,
        next_try_at=now,
        link_to=_checked_link(wish),
        receipt_to=check_email(wish.receipt_to) if wish.receipt_to else "",
        drawer_id=drawer.id if drawer else None,
        cheque_number=clean_text(wish.cheque_number, 20),
        tendered=wish.tendered,
    )
    db.add(payment)
    db.flush()
    for owed, amount in shares:
        db.add(PaymentShare(payment_id=wish.id, account_number=owed.number, amount=amount))
    _keep_mandate(db, desk, wish, now)
    db.flush()
    audit.record(
        db,
        desk,
        Action.PAYMENT_ASKED,
        member_id=member.id,
        account_number=shares[0][0].number,
        call_id=wish.call_id,
        payment=wish.id,
        amount=str(total),
        way=wish.way,
        answered=sorted(wish.answered),
    )
    if by_hand:
        _take_by_hand(db, desk, payment, shares[0][0].number, now)


def _take_by_hand(
    db: Session, desk: Desk, payment: Payment, account_number: str, now: datetime
) -> None:
    """Record cash or a cheque in the breath in which it was asked for: the money is there."""
    payment.state = PaymentState.CHARGED
    payment.answer = "Taken at the counter."
    payment.finished_at, payment.counts_on = now, times.day_of(now, desk.settings.zone)
    payment.settled_at = now if payment.way is PaymentWay.CASH else None
    db.flush()
    if payment.receipt_to:
        outbox.leave(
            db,
            desk,
            ErrandKind.SEND_RECEIPT,
            Concerns(payment.id, payment.member_id, account_number),
            payment.receipt_to,
            now,
        )


def _account(db: Session, member_id: int, number: str) -> Account:
    account = db.get(Account, number)
    if account is None or account.member_id != member_id:
        raise NotPayable(f"Account {number} is not one of this member’s. Open the member again.")
    return account


def _check_way(db: Session, desk: Desk, member: Member, wish: PaymentWish, total: Money) -> None:
    if wish.origin is Origin.AUTO_PAY:
        raise NotPayable("Auto Pay runs by itself.")
    by_hand = wish.way.at_the_counter
    refused = _refusals(
        db, desk, member, wish.call_id,
        # Held, so that it is not counted and closed before this payment is in it.
        has_drawer=open_drawer_of(
            db, desk.colleague.login, hold=by_hand and desk.colleague.role.may_handle_cash
        )
        is not None,
    )  # fmt: skip
    if not by_hand and total < _LEAST:
        raise NotPayable(
            f"The gateway takes no less than {_LEAST} at once. Take it at the counter, or together "
            "with the next bill."
        )
    # Else somebody without a caller could say “counter” and be asked for none.
    at_counter = (
        wish.origin is Origin.COUNTER
        and wish.way is PaymentWay.PAGE
        and desk.colleague.role.may_handle_cash
    )
    if wish.way in refused and not at_counter:
        why = refused[wish.way]
        raise NotPayable(why) if by_hand else NotInACall(why)
    match wish.way:
        case PaymentWay.STORED:
            _check_method(db, desk, member, wish.method_id)
        case PaymentWay.BANK:
            _check_mandate(wish)
        case PaymentWay.CASH:
            if wish.tendered is not None and wish.tendered < total:
                raise NotPayable(f"{wish.tendered} is less than the {total} to be paid.")
        case PaymentWay.CHEQUE:
            if not wish.cheque_number.strip():
                raise NotPayable("Type the number of the cheque.")


def _check_method(db: Session, desk: Desk, member: Member, method_id: str | None) -> None:
    method = None if method_id is None else db.get(StoredMethod, method_id)
    if method is None or method.removed_at or method.member_id != member.id:
        raise NotPayable("Choose a stored method; this one is not there any more.")
    if _method_row(desk, method).has_expired:
        raise NotPayable("This card has expired. Choose another way to pay.")


def _check_mandate(wish: PaymentWish) -> None:
    if wish.mandate is None or not wish.mandate.token:
        raise NotPayable("Type the bank account, and read the authorization out first.")
    if not (wish.mandate.recording.strip() or wish.mandate.notice_to.strip()):
        raise NotPayable(
            "Say where the recording of the call is found, or where the written notice goes. One "
            "of the two must be there before a bank account is debited."
        )
    check_text(wish.mandate.script, 10_000, "authorization")


def _checked_link(wish: PaymentWish) -> str:
    if wish.way is not PaymentWay.LINK:
        return ""
    return check_email(wish.link_to) if "@" in wish.link_to else phones.digits_of(wish.link_to)


def _check_open(db: Session, desk: Desk, numbers: Sequence[str]) -> None:
    for number in numbers:
        going = open_payment_of(db, number)
        if going is not None:
            raise AlreadyOpen(_open_words(db, desk, number, going), going.id)


def _open_words(db: Session, desk: Desk, number: str, going: Payment) -> str:
    by = names_of_staff(db).get(going.asked_by, going.asked_by)
    when = times.when(going.asked_at, desk.now(), desk.settings.zone)
    return (
        f"{going.amount} for account {number} was asked for {when} by {by} and is not known yet. "
        "Do not take it again."
    )


def _same_lately(db: Session, desk: Desk, wish: PaymentWish) -> dict[str, str]:
    since = desk.office_time(db) - SAME_WITHIN
    found = {}
    for number, amount in wish.shares:
        same = same_amount_lately(db, number, amount, since)
        if same is not None and same.id != wish.id:
            by = names_of_staff(db).get(same.asked_by, same.asked_by)
            found[number] = f"{times.when(same.asked_at, desk.now(), desk.settings.zone)} by {by}"
    return found


def _words_of_method(db: Session, wish: PaymentWish) -> str:
    match wish.way:
        case PaymentWay.STORED if wish.method_id is not None:
            method = db.get_one(StoredMethod, wish.method_id)
            return method_words(method.brand, method.last_four)
        case PaymentWay.BANK if wish.mandate is not None:
            return clean_text(wish.mandate.method_words, 80)
        case PaymentWay.CHEQUE:
            return f"Cheque {clean_text(wish.cheque_number, 20)}"
    return wish.way.words


def _keep_mandate(db: Session, desk: Desk, wish: PaymentWish, now: datetime) -> None:
    if wish.mandate is None or wish.way is not PaymentWay.BANK:
        return
    kept = PhoneAuthorization(
        id=wish.id,
        member_id=wish.member_id,
        script=wish.mandate.script,
        recording=clean_text(wish.mandate.recording, 80),
        notice_to=clean_text(wish.mandate.notice_to, 254),
        accepted_at=now,
        read_by=desk.colleague.login,
    )
    db.add(kept)
    authorizations.leave_copy(db, desk, kept, wish.shares[0][0], now)
    db.add(MethodToken(id=wish.id, token=wish.mandate.token))


# How it stands


def _status(db: Session, desk: Desk, payment: Payment, staff: Mapping[str, str]) -> PaymentStatus:
    member = db.get_one(Member, payment.member_id)
    back = return_of(db, payment.id)
    page_open = bool(payment.page_url) and payment.state.is_open
    change = None
    if payment.tendered is not None:
        change = payment.tendered - payment.amount
    return PaymentStatus(
        payment.id,
        payment.member_id,
        display_name(member.given_names, member.name),
        payment.way,
        payment.origin,
        payment.state,
        _words(payment, page_open=page_open),
        payment.amount,
        tuple(_share_row(db, share) for share in payment.shares),
        payment.method_words or payment.way.words,
        payment.asked_at,
        staff.get(payment.asked_by, payment.asked_by),
        payment.finished_at,
        payment.settled_at,
        receipt_number(payment.id),
        payment.page_url,
        payment.page_expires_at,
        payment.link_to,
        payment.receipt_to,
        payment.tendered,
        change,
        payment.drawer_id,
        given_back(db, payment.id),
        "" if back is None else f"{back.kind.words}: {back.reason}",
        payment.state is PaymentState.INTENT,
        page_open and not payment.shut_asked,
    )


def _words(payment: Payment, *, page_open: bool) -> str:
    match payment.state:
        case PaymentState.CHARGED:
            return payment.answer or payment.state.words
        case PaymentState.DECLINED:
            return f"Declined. {payment.answer}".strip()
        case PaymentState.UNKNOWN if page_open and payment.way is PaymentWay.LINK:
            return f"The pay link to {payment.link_to} is open. Nothing was paid on it yet."
        case PaymentState.UNKNOWN if page_open:
            return "The gateway’s page is open. Nothing was paid on it yet."
        case PaymentState.SENDING if payment.way.on_a_page:
            return "Asking the gateway for its page…"
        case PaymentState.ABANDONED:
            return payment.answer or payment.state.words
    return payment.state.words


def _share_row(db: Session, share: PaymentShare) -> ShareRow:
    account = db.get_one(Account, share.account_number)
    where = f"{account.service_line}, {account.service_city}"
    return ShareRow(account.number, where, share.amount, account.balance)


__all__ = [
    "AccountStatus", "AlreadyOpen", "AskFirst", "LedgerRow", "MethodRow", "NotInACall",
    "PayableAccount", "PaymentForm", "PaymentStatus", "PaymentWish", "PhoneMandateWish",
    "ShareRow", "begin", "cancel", "carry", "ledger", "of_member", "owed_of", "prepare",
    "shut_page", "status",
]  # fmt: skip
