"""The courier's side of the payment protocol: claim, send once, write down what is known.

Every payment and refund goes by `domain.payments.next_step`. What is asked of the gateway bears the
same key and the same words every time, no transaction is open meanwhile, and whoever learns what
became of it writes it down by compare-and-set, whether or not the lease is still theirs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.clients.gateway import (
    Declined,
    GatewayBusy,
    KeyRefused,
    Order,
    Page,
    PageOrder,
    PageState,
    PaymentGateway,
    PhoneMandate,
    Refunded,
    RefundOrder,
    RefundRefused,
    Taken,
    Unexpected,
    Unreachable,
)
from console.domain import times
from console.domain.courier import LEASE, ErrandKind, next_pause
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import (
    PaymentState,
    PaymentWay,
    Step,
    goes_again,
    is_absence_proof,
    next_step,
)
from console.domain.texts import clean_text
from console.models.base import change_where, touch
from console.models.methods import customer_of, is_by_bank, token_of
from console.models.payments import Payment, PhoneAuthorization, Refund, is_due
from console.models.problems import (
    DatabaseCrossed,
    again_if_crossed,
)
from console.services import audit, outbox
from console.services.audit import Action
from console.services.courier import Round, in_turn
from console.services.desk import Desk
from console.services.outbox import Concerns

PAGE_OPEN_FOR: Final = timedelta(hours=1)
"""How long a caller has for the gateway's page; Stripe takes 30 minutes to 24 hours."""
LINK_OPEN_FOR: Final = timedelta(hours=23)
_SENT_IN_TIME: Final = timedelta(seconds=30)
"""What is left of a lease when something is sent must be longer than the longest exchange."""
_LOOK_AT_PAGE: Final = timedelta(seconds=1)
_LOOK_AT_LINK: Final = timedelta(seconds=15)
_CLOCKS_APART: Final = timedelta(minutes=5)
_NO_METHOD: Final = (
    "The gateway has no such method. Store it again, or take another one. No money has moved."
)
_NOT_THERE: Final = "The gateway shows nothing of it yet."
_RETURN_PAGE: Final = "https://example.invalid/paid"

SILENT: Final = "The payment gateway does not answer. Payments wait; nothing is lost or doubled."

Kind = type[Payment] | type[Refund]


@dataclass(frozen=True)
class Held:
    """A payment or refund in hand: what to ask the gateway, the same words every time."""

    kind: Kind
    id: str
    member_id: int
    account_number: str
    step: Step
    token: str
    """Shows that the lease is ours."""
    until: datetime
    behind: timedelta
    """How far this machine's clock is behind the database's."""
    sends: int
    asked_at: datetime
    sent_since: datetime
    """Before this moment nothing of it can be at the gateway."""
    proof: bool
    """Whether “nothing there”, asked now, can be believed."""
    amount: Money
    way: PaymentWay = PaymentWay.STORED
    method: str = ""
    method_kind: MethodKind = MethodKind.CARD
    customer: str = ""
    accepted_at: datetime | None = None
    page: str = ""
    page_until: datetime | None = None
    shut_asked: bool = False
    lines: tuple[tuple[str, Money], ...] = ()
    payment: str = ""
    """The gateway's name for the payment that is given back."""


@dataclass(frozen=True)
class Known:
    """It is known for good."""

    state: PaymentState
    words: str
    gateway_id: str = ""
    charge_id: str = ""
    code: str = ""
    method_words: str = ""


@dataclass(frozen=True)
class NotKnown:
    """It may have been done or not; the same is asked again."""

    words: str
    answered: bool = False
    """Whether the gateway said anything at all."""
    wait: timedelta | None = None
    page: Page | None = None
    """A page that is open and waits for whoever pays."""


@dataclass(frozen=True)
class Absent:
    """The gateway shows nothing of it."""


Heard = Known | NotKnown | Absent


def make_round(desk: Desk, limit: int = 50) -> Round:
    """Bring everything that is due one step further; one that fails stops no other."""
    if desk.gateway is None or not desk.carries:
        return Round(0, 0)
    till = desk.gateway

    def silent() -> str:
        # Each would wait for the same silence, and errands to the portal with them.
        heard = till.exchanges[-1:]
        return SILENT if heard and heard[0].status is None else ""

    paid, given = (
        in_turn(_due(desk, kind, limit), partial(carry, desk, kind), "a payment", silent)
        for kind in (Payment, Refund)
    )
    words = dict.fromkeys(word for word in (paid.trouble, given.trouble) if word)
    return Round(paid.carried + given.carried, 0, " ".join(words))


def carry(desk: Desk, kind: Kind, id: str) -> bool:
    """Bring one payment or refund a step further now; answer whether it came to an end."""
    if desk.gateway is None or not desk.carries:
        return False
    held = again_if_crossed(lambda: _claim(desk, kind, id))
    if held is None:
        return False
    if desk.now() + held.behind > held.until - _SENT_IN_TIME:
        return False  # whoever slept over the lease sends nothing
    heard = _ask(desk.gateway, held, desk)
    return again_if_crossed(lambda: _write_down(desk, held, heard))


def _due(desk: Desk, kind: Kind, limit: int) -> Sequence[str]:
    with desk.records.read() as db:
        now = desk.office_time(db)
        return db.scalars(
            select(kind.id)
            .where(is_due(kind, now))
            .order_by(kind.next_try_at, kind.id)
            .limit(limit)
        ).all()


# Taking in hand


def _claim(desk: Desk, kind: Kind, id: str) -> Held | None:
    """Take it in hand by compare-and-set, and write down that it may be heard from now on."""
    with desk.records.begin() as db:
        now = desk.office_time(db)
        if db.scalar(select(kind.id).where(kind.id == id, is_due(kind, now))) is None:
            return None
        row = _find(db, kind, id)
        step = next_step(row.progress(), now)
        if isinstance(row, Payment) and row.way.at_the_counter and step is not Step.ABANDON:
            return None
        if isinstance(row, Payment) and row.page_id and step is Step.SEND:
            step = Step.LOOK_UP  # the page is there; what became of it is asked
        if step is Step.LEAVE:
            return None
        if step is Step.ABANDON:
            _abandon(db, desk, kind, row, now)
            return None
        token = f"{desk.workstation[:40]}/{uuid4().hex[:32]}"
        held = _held(db, desk, row, step, token, now)
        values: dict[str, object] = {
            "leased_by": token,
            "leased_until": held.until,
            "next_try_at": held.until,
            "version": row.version + 1,
        }
        if step is Step.SEND:
            # The clock of the key starts before anything can be heard.
            values |= {
                "sends": row.sends + 1,
                "first_sent_at": row.first_sent_at or now,
                "last_sent_at": now,
            }
            if row.state is PaymentState.INTENT:
                values["state"] = PaymentState.SENDING
            if isinstance(row, Payment) and row.way.on_a_page and row.page_expires_at is None:
                values["page_expires_at"] = held.page_until
        took = change_where(
            db,
            update(kind)
            .where(kind.id == id, kind.version == row.version, kind.state == row.state)
            .values(**values),
        )
        if not took:
            return None
        touch(db, *row.touches())
        return held


def _find(db: Session, kind: Kind, id: str) -> Payment | Refund:
    return db.get_one(Refund, id) if kind is Refund else db.get_one(Payment, id)


def _held(
    db: Session, desk: Desk, row: Payment | Refund, step: Step, token: str, now: datetime
) -> Held:
    proof = is_absence_proof(row.progress(), now)
    since = (row.first_sent_at or now) - _CLOCKS_APART
    sends = row.sends + (step is Step.SEND)
    until, behind = now + LEASE, now - desk.now()
    if isinstance(row, Refund):
        of = db.get_one(Payment, row.payment_id)
        return Held(
            Refund, row.id, row.member_id, row.account_number, step, token, until, behind, sends,
            row.asked_at, since, proof, row.amount, payment=of.gateway_id,
        )  # fmt: skip
    lines = tuple((f"Account {share.account_number}", share.amount) for share in row.shares)
    mandate = db.get(PhoneAuthorization, row.id) if row.way is PaymentWay.BANK else None
    open_for = LINK_OPEN_FOR if row.way is PaymentWay.LINK else PAGE_OPEN_FOR
    return Held(
        Payment, row.id, row.member_id, row.shares[0].account_number, step, token, until, behind,
        sends, row.asked_at, since, proof, row.amount,
        way=row.way,
        method=token_of(db, row.method_id or row.id),
        method_kind=MethodKind.BANK if is_by_bank(db, row) else MethodKind.CARD,
        customer=customer_of(db, row.member_id) if row.way is PaymentWay.STORED else "",
        accepted_at=mandate.accepted_at if mandate else None,
        page=row.page_id,
        page_until=(row.page_expires_at or (now + open_for)).replace(microsecond=0),
        shut_asked=row.shut_asked,
        lines=lines,
    )  # fmt: skip


def _abandon(db: Session, desk: Desk, kind: Kind, row: Payment | Refund, now: datetime) -> None:
    """Drop what nobody took up in time: it was never sent, so no money can have moved."""
    dropped = change_where(
        db,
        update(kind)
        .where(kind.id == row.id, kind.version == row.version, kind.state == PaymentState.INTENT)
        .values(
            state=PaymentState.ABANDONED,
            answer="Nobody took it up in time, so it was dropped. No money has moved.",
            finished_at=now,
            counts_on=times.day_of(now, desk.settings.zone),
            version=row.version + 1,
        ),
    )
    if dropped:
        touch(db, *row.touches())
        what = Action.PAYMENT_ABANDONED if isinstance(row, Payment) else Action.REFUND_REFUSED
        audit.record(db, desk, what, member_id=row.member_id, payment=row.id)


# Asking the gateway


def _ask(till: PaymentGateway, held: Held, desk: Desk) -> Heard:
    """Say it to the gateway, or look for it there; an answer that does not count is not known."""
    try:
        if held.kind is Refund:
            return _give_back(till, held)
        if held.way.on_a_page:
            return _page(till, held)
        if held.step is Step.LOOK_UP:
            found = till.find(held.id, held.amount, since=held.sent_since)
            return Absent() if found is None else _outcome(found)
        if not held.method:
            # What the gateway calls a method is written down once and stays: without it nothing
            # of this payment was ever sent.
            return Known(PaymentState.DECLINED, _NO_METHOD, code="no_method")
        return _outcome(
            till.charge(
                Order(
                    held.id,
                    held.method,
                    held.amount,
                    held.customer,
                    held.method_kind,
                    None if held.accepted_at is None else PhoneMandate(held.accepted_at),
                )
            )
        )
    except GatewayBusy as busy:
        # It did not look at what was asked, so the same may go to it as often as after a silence.
        wait = timedelta(seconds=min(max(busy.retry_after, 1.0), 600.0))
        return NotKnown(str(busy), wait=wait)
    except (Unreachable, KeyRefused) as silence:
        return NotKnown(str(silence))
    except Unexpected as problem:
        return NotKnown(str(problem), answered=True)


def _outcome(found: Taken | Declined) -> Known:
    if isinstance(found, Declined):
        return Known(
            PaymentState.DECLINED, found.sentence, found.id, code=found.code or found.return_code
        )
    words = "Paid." if found.settled else "Taken from the bank account; it may yet come back."
    method = found.method.words if found.method else ""
    return Known(PaymentState.CHARGED, words, found.id, found.charge, method_words=method)


def _page(till: PaymentGateway, held: Held) -> Heard:
    """Open the gateway's page, or ask how far it has come."""
    if held.page:
        shut = till.shut_page if held.shut_asked else till.page
        page: Page | None = shut(held.page, held.id, held.amount)
    elif held.step is Step.LOOK_UP:
        page = till.find_page(held.id, held.amount, since=held.sent_since)
    elif held.shut_asked and held.sends == 1:
        return Known(PaymentState.DECLINED, "It was called off. No money has moved.")
    else:
        assert held.page_until is not None  # noqa: S101  # every page's end is set when it is held
        page = till.open_page(
            PageOrder(held.id, held.amount, held.lines, held.page_until, _RETURN_PAGE)
        )
    if page is None:
        return Absent()
    if page.outcome is not None and page.state is PageState.COMPLETE:
        return _outcome(page.outcome)
    if page.state is PageState.EXPIRED:
        words = "The page was shut and nothing was paid on it. No money has moved."
        return Known(PaymentState.DECLINED, words, page.id, code="page_unused")
    open_words = (
        "The pay link is open." if held.way is PaymentWay.LINK else "The gateway’s page is open."
    )
    wait = _LOOK_AT_LINK if held.way is PaymentWay.LINK else _LOOK_AT_PAGE
    return NotKnown(open_words, answered=True, wait=wait, page=page)


def _give_back(till: PaymentGateway, held: Held) -> Heard:
    order = RefundOrder(held.id, held.payment, held.amount)
    given: Refunded | RefundRefused | None
    given = till.find_refund(order) if held.step is Step.LOOK_UP else till.refund(order)
    if given is None:
        return Absent()
    if isinstance(given, RefundRefused):
        return Known(PaymentState.DECLINED, given.sentence, code=given.code)
    return Known(PaymentState.CHARGED, "Given back.", given.id)


# Writing down


_CHANGED: Final = "This payment was changed just now. It is tried again by itself."
_WRITABLE: Final = (PaymentState.SENDING, PaymentState.UNKNOWN)


def _write_down(desk: Desk, held: Held, heard: Heard) -> bool:
    """Write down what was heard; answer whether it is known for good now."""
    with desk.records.begin() as db:
        now = desk.office_time(db)
        row = _find(db, held.kind, held.id)
        if row.state not in _WRITABLE:
            return row.state.is_final
        if isinstance(heard, Known):
            return _settle(db, desk, held, row, heard, now)
        mine = row.leased_by == held.token
        if isinstance(heard, Absent) and held.proof and mine and row.sends == held.sends:
            return _put_under_review(db, desk, held, row, now)
        if mine:
            _put_back(db, desk, held, row, heard, now)
        return False


def _settle(
    db: Session, desk: Desk, held: Held, row: Payment | Refund, heard: Known, now: datetime
) -> bool:
    """Record it in one transaction: its state, its ledger (by the database), receipt and audit."""
    kind = held.kind
    values: dict[str, object] = {
        "state": heard.state,
        "gateway_id": heard.gateway_id,
        "code": clean_text(heard.code, 60),
        "answer": clean_text(heard.words, 500),
        "finished_at": now,
        "counts_on": times.day_of(now, desk.settings.zone),
        "leased_by": "",
        "leased_until": None,
        "version": row.version + 1,
    }
    if isinstance(row, Payment):
        values |= {"charge_id": heard.charge_id, "page_url": ""}
        if heard.method_words and row.way is not PaymentWay.STORED:
            values["method_words"] = clean_text(heard.method_words, 80)
    settled = change_where(
        db,
        update(kind)
        .where(kind.id == held.id, kind.state.in_(_WRITABLE), kind.version == row.version)
        .values(**values),
    )
    if not settled:
        raise DatabaseCrossed(_CHANGED)
    if isinstance(row, Payment) and row.receipt_to and heard.state is PaymentState.CHARGED:
        outbox.leave(
            db,
            desk,
            ErrandKind.SEND_RECEIPT,
            Concerns(held.id, held.member_id, held.account_number),
            row.receipt_to,
            now,
        )
    _tell(db, row, held)
    audit.record(
        db,
        desk,
        _SETTLED[(kind is Payment, heard.state)],
        member_id=held.member_id,
        account_number=held.account_number,
        payment=held.id,
        amount=str(held.amount),
        answer=heard.words,
        sends=row.sends,
    )
    return True


_SETTLED: Final = {
    (True, PaymentState.CHARGED): Action.PAYMENT_CHARGED,
    (True, PaymentState.DECLINED): Action.PAYMENT_DECLINED,
    (False, PaymentState.CHARGED): Action.REFUND_GIVEN,
    (False, PaymentState.DECLINED): Action.REFUND_REFUSED,
}


def _put_under_review(
    db: Session, desk: Desk, held: Held, row: Payment | Refund, now: datetime
) -> bool:
    """Leave it to a person: the gateway shows nothing, and nothing can be under way any more."""
    kind, version = held.kind, row.version
    this = (kind.id == held.id) & (kind.leased_by == held.token)
    if row.state is PaymentState.SENDING:
        change_where(
            db,
            update(kind)
            .where(this, kind.version == version)
            .values(state=PaymentState.UNKNOWN, version=version + 1),
        )
        version += 1
    moved = change_where(
        db,
        update(kind)
        .where(this, kind.state == PaymentState.UNKNOWN, kind.version == version)
        .values(
            state=PaymentState.REVIEW,
            answer="The gateway shows nothing of it. A supervisor must look.",
            leased_by="",
            leased_until=None,
            version=version + 1,
        ),
    )
    if not moved:
        raise DatabaseCrossed(_CHANGED)
    _tell(db, row, held)
    what = Action.PAYMENT_UNDER_REVIEW if kind is Payment else Action.REFUND_UNDER_REVIEW
    audit.record(db, desk, what, member_id=held.member_id, payment=held.id)
    return False


def _put_back(
    db: Session,
    desk: Desk,
    held: Held,
    row: Payment | Refund,
    heard: NotKnown | Absent,
    now: datetime,
) -> None:
    kind = held.kind
    told = heard if isinstance(heard, NotKnown) else NotKnown(_NOT_THERE)
    # What was sent lately is asked for soon, and what was sent long ago now and then.
    pause = told.wait or max(
        next_pause(min(row.sends, 4), random.random()),  # noqa: S311  # spreads tries, guards nothing
        min((now - held.asked_at) / 20, timedelta(minutes=10)),
    )
    # What is not there goes again with the same key, until a stumble should long have passed.
    sends_again = isinstance(heard, Absent) and goes_again(row.progress(), now)
    values: dict[str, object] = {
        "state": PaymentState.UNKNOWN,
        "was_answered": not sends_again
        and (row.was_answered or (told.answered and told.page is None)),
        "answer": clean_text(told.words, 500),
        "next_try_at": now + pause,
        "leased_by": "",
        "leased_until": None,
        "version": row.version + 1,
    }
    first_time = row.state is PaymentState.SENDING
    if isinstance(row, Payment) and told.page is not None:
        values |= {"page_id": told.page.id, "page_url": told.page.url}
        if row.way is PaymentWay.LINK and not row.page_id:
            about = Concerns(held.id, held.member_id, held.account_number)
            outbox.leave(db, desk, ErrandKind.SEND_PAY_LINK, about, row.link_to, now)
    changed = change_where(
        db,
        update(kind)
        .where(kind.id == held.id, kind.leased_by == held.token, kind.version == row.version)
        .values(**values),
    )
    if not changed:
        raise DatabaseCrossed(_CHANGED)
    _tell(db, row, held)
    if first_time and told.page is None and kind is Payment:
        audit.record(db, desk, Action.PAYMENT_NOT_KNOWN, member_id=held.member_id, payment=held.id)


def _tell(db: Session, row: Payment | Refund, held: Held) -> None:
    touch(db, *row.touches(), "LedgerEntry", f"account:{held.account_number}")
