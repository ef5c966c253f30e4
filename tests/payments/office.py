"""An office that takes payments, for the proofs: who is there, what is pressed, and who is right.

Nothing here needs pytest, so that worker programs which are killed use the same office.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from console.clients.gateway import PaymentGateway
from console.clients.portal import Portal
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import (
    Origin,
    PaymentState,
    PaymentWay,
    Question,
    Verdict,
)
from console.models.accounts import Account
from console.models.base import Records
from console.models.calls import Call
from console.models.drawers import Drawer
from console.models.ledger import LedgerEntry
from console.models.methods import MethodToken, StoredMethod
from console.models.payments import Payment, Refund, ReviewDecision
from console.sandbox.gateway import RunningGateway
from console.sandbox.gateway_store import all_of
from console.services import charging, payments
from console.services.desk import Colleague, Desk
from console.services.payments import PaymentStatus, PaymentWish
from console.settings import Settings
from tests.office import PAT, SUE, add_member, staff_the_office

OPENING = Money(14210)
EVERYTHING = frozenset(Question)
NUMBERS = ("1023401", "1023402", "1023403")
CARDS = {
    "visa": "pm_card_visa",
    "declined": "pm_card_chargeDeclinedInsufficientFunds",
    "unknown": "pm_card_nobody_knows",
}


@dataclass
class PayOffice:
    """Pat at a desk with Rose on the line, and the courier who holds the gateway's key."""

    desk: Desk
    courier: Desk
    member_id: int
    call_id: str
    drawer_id: str
    methods: Mapping[str, str] = field(default_factory=dict)

    @property
    def records(self) -> Records:
        """The database that both write to."""
        return self.courier.records

    def wish(self, way: PaymentWay = PaymentWay.STORED, **other: Any) -> PaymentWish:
        """Make up what was read back and agreed to."""
        card = other.pop("card", "visa")
        at_the_counter = way.at_the_counter
        return PaymentWish(
            **{
                "id": str(uuid4()),
                "member_id": self.member_id,
                "way": way,
                "shares": ((NUMBERS[0], Money(14210)),),
                "origin": Origin.COUNTER if at_the_counter else Origin.CALL,
                "call_id": None if at_the_counter else self.call_id,
                "method_id": self.methods[card] if way is PaymentWay.STORED else None,
                "link_to": "rose@example.org" if way is PaymentWay.LINK else "",
                "cheque_number": "1042" if way is PaymentWay.CHEQUE else "",
                "answered": EVERYTHING,
                **other,
            }
        )

    def press(self, way: PaymentWay = PaymentWay.STORED, **other: Any) -> PaymentStatus:
        """Press the one button; nothing is carried yet."""
        return payments.begin(self.desk, self.wish(way, **other))

    def status(self, payment_id: str) -> PaymentStatus:
        """Answer how a payment stands."""
        return payments.status(self.desk, payment_id)

    def row(self, payment_id: str) -> Payment:
        """Answer the payment's row as it is on file."""
        with self.records.read() as db:
            return db.get_one(Payment, payment_id)

    def refund_row(self, refund_id: str) -> Refund:
        """Answer the refund's row as it is on file."""
        with self.records.read() as db:
            return db.get_one(Refund, refund_id)

    def give_back(self, payment_id: str, amount: Money, **other: Any) -> str:
        """Ask for money to be given back, as a supervisor does."""
        with self.records.begin() as db:
            now = self.courier.office_time(db)
            refund = Refund(
                **{
                    "id": str(uuid4()),
                    "payment_id": payment_id,
                    "member_id": self.member_id,
                    "account_number": NUMBERS[0],
                    "amount": amount,
                    "reason": "Paid twice by mistake",
                    "state": PaymentState.INTENT,
                    "asked_by": "sue",
                    "asked_at": now,
                    "next_try_at": now,
                    **other,
                }
            )
            db.add(refund)
            return refund.id

    def sweep(self) -> charging.Round:
        """Let a courier go round once."""
        return charging.make_round(self.courier)


def found(
    records: Records,
    now: Callable[[], datetime],
    till: PaymentGateway | None,
    *,
    numbers: tuple[str, ...] = NUMBERS,
    colleague: Colleague = PAT,
) -> PayOffice:
    """Found the office: a member with some accounts, stored cards, a call and a drawer."""
    staff_the_office(records)
    member_id = add_member(records, numbers=numbers)
    call_id, drawer_id = str(uuid4()), str(uuid4())
    methods = {name: str(uuid4()) for name in CARDS}
    with records.begin() as db:
        db.add(
            Call(id=call_id, member_id=member_id, staff=colleague.login, began_at=now(),
                 verified_at=now(), facts="last_four")
        )  # fmt: skip
        db.add(
            Drawer(id=drawer_id, clerk=colleague.login, workstation="desk 3", opened_at=now(),
                   opening_cash=Money(20000))
        )  # fmt: skip
        for name, token in CARDS.items():
            db.add(
                StoredMethod(
                    id=methods[name], member_id=member_id, kind=MethodKind.CARD, brand="visa",
                    last_four="4242", expires_year=2031, expires_month=4, added_by="pat",
                    added_at=now(), is_default=name == "visa",
                )
            )  # fmt: skip
            db.add(MethodToken(id=methods[name], token=token))
    portal = Portal("http://127.0.0.1:9", "", "desk 3")
    return PayOffice(
        Desk(records, portal, colleague, Settings(), "desk 3", now),
        Desk(records, portal, Colleague("courier", "Courier", SUE.role), Settings(), "server", now,
             till),
        member_id,
        call_id,
        drawer_id,
        methods,
    )  # fmt: skip


@dataclass
class Judgement:
    """What is wrong between our books and the gateway's; every list is empty when nothing is."""

    payments: int = 0
    charged: int = 0
    declined: int = 0
    abandoned: int = 0
    review: int = 0
    double: list[str] = field(default_factory=list)
    """Charged more than once."""
    unrecorded: list[str] = field(default_factory=list)
    """Charged, and our books say otherwise."""
    invented: list[str] = field(default_factory=list)
    """On our books as charged, and it was not."""
    open: list[str] = field(default_factory=list)
    """Known to nobody for good."""
    books: list[str] = field(default_factory=list)
    """The ledger, the shares or the balances do not follow the payments."""

    @property
    def faults(self) -> dict[str, list[str]]:
        """Answer what is wrong; nothing when all is well."""
        named = {
            "double": self.double,
            "unrecorded": self.unrecorded,
            "invented": self.invented,
            "open": self.open,
            "books": self.books,
        }
        return {name: found for name, found in named.items() if found}


def judge(
    records: Records, moved: Mapping[str, int], given: Mapping[str, int] | None = None
) -> Judgement:
    """Compare our books with what moved at the gateway, by our references.

    `moved` counts the gateway's charges that moved money, `given` its refunds.
    """
    found = Judgement()
    moved = Counter({name: many for name, many in moved.items() if name})
    given = Counter({name: many for name, many in (given or {}).items() if name})
    with records.read() as db:
        ledger = Counter(
            {
                (entry.source_id, entry.account_number): entry.amount.cents
                for entry in db.scalars(select(LedgerEntry))
            }
        )
        lines = dict(ledger)
        for one in db.scalars(select(Payment).options(selectinload(Payment.shares))):
            found.payments += 1
            _compare(found, one, moved.pop(one.id, 0), by_hand=one.way.at_the_counter)
            _check_shares(found, one, ledger)
        for back in db.scalars(select(Refund)):
            _compare(found, back, given.pop(back.id, 0), by_hand=back.drawer_id is not None)
            wanted = back.amount.cents if back.state is PaymentState.CHARGED else 0
            if ledger.pop((back.id, back.account_number), 0) != wanted:
                found.books.append(f"{back.id}: ledger of a refund that is {back.state}")
        for account in db.scalars(select(Account)):
            moves = [cents for (_, number), cents in lines.items() if number == account.number]
            if account.balance.cents != OPENING.cents + sum(moves):
                found.books.append(f"account {account.number}: {account.balance} on file")
    found.unrecorded += [f"{name}: never heard of" for name in (*moved, *given)]
    found.books += [f"{name}: ledger of nothing" for name, cents in ledger.items() if cents]
    return found


def _check_shares(found: Judgement, one: Payment, ledger: Counter[tuple[str, str]]) -> None:
    if sum(share.amount.cents for share in one.shares) != one.amount.cents:
        found.books.append(f"{one.id}: not shared out whole")
    for share in one.shares:
        wanted = -share.amount.cents if one.state is PaymentState.CHARGED else 0
        if ledger.pop((one.id, share.account_number), 0) != wanted:
            found.books.append(f"{one.id}: ledger of a payment that is {one.state}")
        if share.is_open is not one.state.is_open:
            found.books.append(f"{one.id}: a share that is open or shut by mistake")


def _compare(found: Judgement, one: Payment | Refund, many: int, *, by_hand: bool) -> None:
    said = f"{one.id}: {one.state}, {many} at the gateway, sent {one.sends}, {one.answer}"
    charged = one.state is PaymentState.CHARGED
    if many > 1:
        found.double.append(said)
    if many and not charged:
        found.unrecorded.append(said)
    if charged and not by_hand and not many:
        found.invented.append(said)
    if one.state.is_open:
        found.open.append(said)
    found.charged += charged
    found.declined += one.state is PaymentState.DECLINED
    found.abandoned += one.state is PaymentState.ABANDONED
    found.review += one.state is PaymentState.REVIEW


def moved_at(till: RunningGateway) -> tuple[dict[str, int], dict[str, int]]:
    """Count the charges that moved money at a training gateway, and the refunds, by reference."""
    charges: dict[str, int] = till.tally()["by_reference"]
    with till.store.begin() as db:
        bodies = [thing.body for thing in all_of(db, "refund")]
    return charges, dict(Counter(body["metadata"].get("refund", "") for body in bodies))


def decide(records: Records, moved: Mapping[str, int], now: datetime) -> int:
    """Decide every case under review as a supervisor does who looks at the gateway's own list.

    Answers how many there were.
    """
    decided = 0
    with records.signed("sue", "desk 1").begin() as db:
        for kind in (Payment, Refund):
            for one in db.scalars(select(kind).where(kind.state == PaymentState.REVIEW)):
                charged = moved.get(one.id, 0) > 0
                verdict = Verdict.CHARGED if charged else Verdict.NOT_CHARGED
                db.add(
                    ReviewDecision(
                        id=one.id, member_id=one.member_id, verdict=verdict,
                        evidence="Looked at the list of the gateway", decided_by="sue",
                        decided_at=now,
                    )
                )  # fmt: skip
                db.flush()
                state = PaymentState.CHARGED if charged else PaymentState.DECLINED
                db.execute(
                    update(kind).where(kind.id == one.id)
                    .values(state=state, version=one.version + 1, finished_at=now,
                            counts_on=now.date())
                    .execution_options(synchronize_session=False)
                )  # fmt: skip
                decided += 1
    return decided


def count(records: Records, kind: type[Payment] | type[Refund] | type[LedgerEntry]) -> int:
    """Count the rows of a kind."""
    with records.read() as db:
        return db.scalar(select(func.count()).select_from(kind)) or 0


def real_clock(offset: Callable[[], float]) -> Callable[[], datetime]:
    """Make a clock that is ahead of the real one by so many seconds."""
    return lambda: datetime.now(UTC) + timedelta(seconds=offset())
