"""That the database itself keeps the rules about money, on both engines, whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from console.domain.ledger import LedgerKind
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import (
    LEGAL_MOVES,
    Origin,
    PaymentState,
    PaymentWay,
    ReturnKind,
)
from console.models import ledger, money_moves, money_people, money_rules
from console.models.accounts import Account
from console.models.arrangements import Arrangement, Promise
from console.models.audit import AuditEntry
from console.models.autopay import AutoPay
from console.models.base import Records, unaudited
from console.models.drawers import Drawer, DrawerMovement
from console.models.ledger import LedgerEntry
from console.models.methods import StoredMethod
from console.models.payments import Payment, PaymentReturn, PaymentShare, Refund
from console.models.problems import DatabaseTrouble
from console.services.audit import Action
from tests.office import add_member

NOW = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)
DAY = date(2026, 11, 23)
FIRST, SECOND = "1023401", "1023402"
S = PaymentState
WITH_MONEY = (S.INTENT, S.SENDING, S.UNKNOWN, S.REVIEW)
BY_WAY_OF: dict[PaymentState, tuple[PaymentState, ...]] = {
    S.INTENT: (),
    S.SENDING: (S.SENDING,),
    S.UNKNOWN: (S.SENDING, S.UNKNOWN),
    S.REVIEW: (S.SENDING, S.UNKNOWN, S.REVIEW),
    S.CHARGED: (S.SENDING, S.CHARGED),
    S.DECLINED: (S.SENDING, S.DECLINED),
    S.ABANDONED: (S.ABANDONED,),
}
"""How each state is reached."""
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Till:
    """Moves money in a database by nothing but rows."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.rose = add_member(records, "DeLong", (FIRST, SECOND))
        with records.engine.execution_options(console_writes=True).begin() as connection:
            unaudited(connection)
            ledger.open_ledgers(connection)

    def ask(self, shares: dict[str, int], way: PaymentWay = PaymentWay.STORED, **other: Any) -> str:
        """Write a payment down, shared out among accounts."""
        id = str(uuid4())
        with self.records.begin() as db:
            put_down(db, id, self.rose, shares, way, **other)
        return id

    def move(self, payment: str, /, *states: PaymentState, **other: Any) -> None:
        """Move a payment, each step in a transaction of its own."""
        for state in states:
            with self.records.begin() as db:
                to(db.get_one(Payment, payment), state, **other)

    def pay(self, shares: dict[str, int], way: PaymentWay = PaymentWay.STORED) -> str:
        """Charge a payment as the gateway does."""
        id = self.ask(shares, way)
        self.move(id, S.SENDING, S.CHARGED)
        return id

    def open_drawer(self, clerk: str = "cleo") -> str:
        """Open somebody's drawer."""
        id = str(uuid4())
        with self.records.begin() as db:
            db.add(
                Drawer(
                    id=id, clerk=clerk, workstation="d", opened_at=NOW, opening_cash=Money(10_000)
                )
            )
        return id

    def take(self, drawer: str, shares: dict[str, int], way: PaymentWay = PaymentWay.CASH) -> str:
        """Take cash or a cheque."""
        id = str(uuid4())
        with self.records.begin() as db:
            payment = put_down(db, id, self.rose, shares, way, drawer_id=drawer)
            to(payment, S.CHARGED)
        return id

    def ask_back(self, payment: str, account: str, cents: int, **other: Any) -> str:
        """Ask for a refund."""
        id = str(uuid4())
        with self.records.begin() as db:
            db.add(refund_of(id, payment, self.rose, account, cents, **other))
        return id

    def move_refund(self, id: str, *states: PaymentState) -> None:
        """Move a refund, each step in a transaction of its own."""
        for state in states:
            with self.records.begin() as db:
                to(db.get_one(Refund, id), state)

    def give_back(self, payment: str, account: str, cents: int, **other: Any) -> str:
        """Give money back as the gateway does."""
        id = self.ask_back(payment, account, cents, **other)
        self.move_refund(id, S.SENDING, S.CHARGED)
        return id

    def comes_back(self, payment: str, kind: ReturnKind = ReturnKind.DEBIT, fee: int = 0) -> str:
        """Record that a payment did not last."""
        id = str(uuid4())
        with self.records.begin() as db:
            db.add(
                PaymentReturn(
                    id=id, payment_id=payment, member_id=self.rose, kind=kind, reason="R01",
                    fee=Money(fee), recorded_by="carrier", recorded_at=NOW, counts_on=DAY,
                )
            )  # fmt: skip
        return id

    def account(self, number: str = FIRST) -> tuple[int, int, int | None]:
        """Answer the balance, what is past due, and the last payment, in cents."""
        with self.records.read() as db:
            one = db.get_one(Account, number)
            paid = None if one.last_payment is None else one.last_payment.cents
            return one.balance.cents, one.past_due.cents, paid

    def set(self, number: str = FIRST, **values: Any) -> None:
        """Change what the file says of an account."""
        with self.records.begin() as db:
            for name, value in values.items():
                setattr(db.get_one(Account, number), name, value)

    def lines(self, number: str = FIRST) -> list[tuple[LedgerKind, int]]:
        """List the ledger after what it was opened with, oldest first."""
        with self.records.read() as db:
            rows = db.scalars(
                select(LedgerEntry)
                .where(LedgerEntry.account_number == number, LedgerEntry.source_id != "")
                .order_by(LedgerEntry.id)
            )
            return [(row.kind, row.amount.cents) for row in rows]

    def is_in_step(self) -> bool:
        """Whether every balance is the sum of its ledger."""
        with self.records.read() as db:
            return all(
                db.get_one(Account, number).balance == ledger.sum_of(db, number)
                for number in (FIRST, SECOND)
            )


def put_down(
    db: Session, id: str, member: int, shares: dict[str, int], way: PaymentWay, **other: Any
) -> Payment:
    payment = Payment(
        **{
            "id": id, "member_id": member, "way": way, "amount": Money(sum(shares.values())),
            "origin": Origin.COUNTER if way.at_the_counter else Origin.CALL,
            "asked_by": "pat", "asked_at": NOW, "next_try_at": NOW, "method_words": way.words,
            **other,
        }
    )  # fmt: skip
    db.add(payment)
    db.flush()
    for number, cents in shares.items():
        db.add(PaymentShare(payment_id=id, account_number=number, amount=Money(cents)))
    db.flush()
    return payment


def refund_of(id: str, payment: str, member: int, account: str, cents: int, **other: Any) -> Refund:
    return Refund(
        **{
            "id": id, "payment_id": payment, "member_id": member, "account_number": account,
            "amount": Money(cents), "reason": "Paid twice", "asked_by": "sue", "asked_at": NOW,
            "next_try_at": NOW, **other,
        }
    )  # fmt: skip


def to(row: Payment | Refund, state: PaymentState, **other: Any) -> None:
    row.state = state
    if state is S.SENDING:
        row.sends, row.first_sent_at = row.sends + 1, NOW
    if state.is_final:
        row.finished_at, row.counts_on = NOW, DAY
    for name, value in other.items():
        setattr(row, name, value)


@pytest.fixture
def till(records: Records) -> Till:
    return Till(records)


def refused(act: Callable[[], object], words: str) -> None:
    """Expect the database itself to refuse, in these words."""
    with pytest.raises(Exception) as refusal:  # noqa: PT011  # whatever it was told in
        act()
    told: BaseException | None = refusal.value
    said = []
    while told is not None:
        said.append(str(told))
        told = told.__cause__ or told.__context__
    assert any(words in one for one in said), said


def all_rows(records: Records, *tables: str) -> list[list[tuple[Any, ...]]]:
    with records.glance() as connection:
        return [
            sorted((tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {one}")),
                   key=str)
            for one in tables
        ]  # fmt: skip


MONEY = ("payment", "payment_share", "refund", "payment_return", "ledger_entry", "account")


# How payments and refunds move


@pytest.mark.parametrize("becomes", PaymentState)
@pytest.mark.parametrize("was", PaymentState)
def test_a_payment_moves_by_the_protocol_and_no_other_way(
    till: Till, was: PaymentState, becomes: PaymentState
) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, *BY_WAY_OF[was])
    before = all_rows(till.records, *MONEY)
    if becomes is was:
        return
    if becomes in LEGAL_MOVES[was]:
        till.move(id, becomes)
        with till.records.read() as db:
            assert db.get_one(Payment, id).state is becomes
            assert db.scalars(select(PaymentShare.is_open)).one() is becomes.is_open
        assert till.lines() == ([(LedgerKind.PAYMENT, -5_000)] if becomes is S.CHARGED else [])
    else:
        refused(lambda: till.move(id, becomes), money_moves.NO_SUCH_MOVE)
        assert all_rows(till.records, *MONEY) == before
    assert till.is_in_step()


@pytest.mark.parametrize("becomes", PaymentState)
@pytest.mark.parametrize("was", PaymentState)
def test_a_refund_moves_by_the_protocol_and_no_other_way(
    till: Till, was: PaymentState, becomes: PaymentState
) -> None:
    id = till.ask_back(till.pay({FIRST: 5_000}), FIRST, 2_000)
    till.move_refund(id, *BY_WAY_OF[was])
    before = all_rows(till.records, *MONEY)
    if becomes is was:
        return
    if becomes in LEGAL_MOVES[was]:
        till.move_refund(id, becomes)
        given = [(LedgerKind.REFUND, 2_000)] if becomes is S.CHARGED else []
        assert till.lines() == [(LedgerKind.PAYMENT, -5_000), *given]
    else:
        refused(lambda: till.move_refund(id, becomes), money_moves.NO_SUCH_MOVE)
        assert all_rows(till.records, *MONEY) == before
    assert till.is_in_step()


@pytest.mark.parametrize("state", [one for one in PaymentState if one.is_final])
@pytest.mark.parametrize(
    "change",
    [
        {"gateway_id": "pi_other"},
        {"answer": "Otherwise."},
        {"code": "stolen_card"},
        {"finished_at": NOW + timedelta(days=1)},
        {"counts_on": DAY + timedelta(days=1)},
        {"sends": 9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_known_for_good_says_the_same_for_ever(
    till: Till, state: PaymentState, change: dict[str, Any]
) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, *BY_WAY_OF[state])
    refused(lambda: till.move(id, state, **change), money_moves.NO_SUCH_MOVE)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Money(1)},
        {"way": PaymentWay.PAGE},
        {"origin": Origin.COUNTER},
        {"asked_by": "sam"},
        {"asked_at": NOW + timedelta(hours=1)},
        {"link_to": "x@example.org"},
        {"cheque_number": "7"},
        {"tendered": Money(1)},
        {"id": "other"},
        {"settled_at": NOW},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_asked_for_stays_as_it_was_asked(till: Till, change: dict[str, Any]) -> None:
    id = till.ask({FIRST: 5_000})
    refused(lambda: till.move(id, S.INTENT, **change), money_moves.NO_SUCH_MOVE)


def test_the_clock_of_the_key_never_starts_afresh(till: Till) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, S.SENDING)
    for change in ({"sends": 0}, {"first_sent_at": None}, {"first_sent_at": NOW + timedelta(1)}):
        refused(lambda change=change: till.move(id, S.UNKNOWN, **change), money_moves.NO_SUCH_MOVE)
    till.move(id, S.UNKNOWN, sends=2)


def test_that_it_was_settled_is_said_once_and_of_what_was_charged(till: Till) -> None:
    id = till.pay({FIRST: 5_000})
    till.move(id, S.CHARGED, settled_at=NOW)
    for other in (None, NOW + timedelta(days=1)):
        refused(
            lambda other=other: till.move(id, S.CHARGED, settled_at=other),
            money_moves.NO_SUCH_MOVE,
        )


@pytest.mark.parametrize("state", [one for one in PaymentState if one is not S.INTENT])
def test_nothing_begins_but_as_a_wish(till: Till, state: PaymentState) -> None:
    refused(lambda: till.ask({FIRST: 5_000}, state=state), money_moves.NO_SUCH_MOVE)
    paid = till.pay({FIRST: 5_000})
    refused(lambda: till.ask_back(paid, FIRST, 1_000, state=state), money_moves.NO_SUCH_MOVE)


def test_a_payment_and_a_refund_never_share_an_id(till: Till) -> None:
    paid = till.pay({FIRST: 5_000})
    again = refund_of(paid, paid, till.rose, FIRST, 100)
    refused(lambda: add(till, again), money_moves.NO_SUCH_MOVE)


def add(till: Till, row: Any) -> None:
    with till.records.begin() as db:
        db.add(row)


@pytest.mark.parametrize("way", [PaymentWay.CASH, PaymentWay.CHEQUE])
def test_what_is_handed_over_is_charged_at_once_and_sent_nowhere(
    till: Till, way: PaymentWay
) -> None:
    drawer = till.open_drawer()
    till.take(drawer, {FIRST: 5_000}, way)
    assert till.lines() == [(LedgerKind.PAYMENT, -5_000)]
    id = till.ask({FIRST: 700}, way, drawer_id=drawer)
    refused(lambda: till.move(id, S.SENDING), money_moves.NO_SUCH_MOVE)
    till.move(id, S.ABANDONED)
    assert till.is_in_step()


def test_nothing_goes_into_a_drawer_that_was_counted(till: Till) -> None:
    drawer = till.open_drawer()
    waiting = till.ask({FIRST: 700}, PaymentWay.CASH, drawer_id=drawer)
    paid = till.take(drawer, {SECOND: 5_000})
    back = till.ask_back(paid, SECOND, 100, drawer_id=drawer)
    with till.records.begin() as db:
        db.get_one(Drawer, drawer).closed_at = NOW
    refused(lambda: till.move(waiting, S.CHARGED), money_moves.DRAWER_CLOSED)
    refused(lambda: till.move_refund(back, S.CHARGED), money_moves.DRAWER_CLOSED)
    refused(lambda: till.comes_back(paid, ReturnKind.VOID), money_moves.NOT_STANDING)
    refused(lambda: moves_cash(till, drawer, "pay_in", 100), money_moves.DRAWER_CLOSED)
    refused(lambda: reopen(till, drawer), money_moves.COUNTED)


def reopen(till: Till, drawer: str) -> None:
    with till.records.begin() as db:
        db.get_one(Drawer, drawer).closed_at = None


def moves_cash(till: Till, drawer: str, kind: str, cents: int) -> None:
    add(
        till,
        DrawerMovement(
            id=str(uuid4()), drawer_id=drawer, kind=kind, amount=Money(cents), words="",
            moved_by="cleo", moved_at=NOW,
        ),
    )  # fmt: skip


def test_cash_goes_in_or_comes_out_as_it_says(till: Till) -> None:
    drawer = till.open_drawer()
    moves_cash(till, drawer, "pay_in", 100)
    moves_cash(till, drawer, "pay_out", -100)
    moves_cash(till, drawer, "to_safe", -5_000)
    for kind, cents in (("pay_in", -1), ("pay_out", 1), ("to_safe", 1), ("pay_in", 0)):
        refused(
            lambda kind=kind, cents=cents: moves_cash(till, drawer, kind, cents),
            money_moves.NO_SUCH_MOVEMENT,
        )


def test_a_clerk_has_one_drawer_open(till: Till) -> None:
    drawer = till.open_drawer()
    refused(till.open_drawer, "drawer")
    with till.records.begin() as db:
        db.get_one(Drawer, drawer).closed_at = NOW
    till.open_drawer()


# Shares


def test_a_payment_is_shared_out_whole(till: Till) -> None:
    id = till.ask({FIRST: 3_000, SECOND: 2_000}, amount=Money(5_001))
    refused(lambda: till.move(id, S.SENDING), money_moves.NOT_WHOLE)
    drawer = till.open_drawer()
    till.move(id, S.ABANDONED)
    id = till.ask({FIRST: 1}, PaymentWay.CASH, drawer_id=drawer, amount=Money(2))
    refused(lambda: till.move(id, S.CHARGED), money_moves.NOT_WHOLE)
    assert till.lines() == []


def test_a_share_is_for_an_account_of_the_members_and_above_zero(till: Till) -> None:
    add_member(till.records, "Other", ("7770001",))
    refused(lambda: till.ask({"7770001": 100}), money_moves.NOT_WHOLE)
    refused(lambda: till.ask({FIRST: 200, SECOND: -100}), money_moves.NOT_WHOLE)
    refused(lambda: till.ask({FIRST: 0}, amount=Money(1)), money_moves.NOT_WHOLE)


def test_nothing_is_shared_out_later_or_otherwise(till: Till) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, S.SENDING)
    refused(
        lambda: add(till, PaymentShare(payment_id=id, account_number=SECOND, amount=Money(1))),
        money_moves.NOT_WHOLE,
    )
    for name, value in (("is_open", False), ("amount", Money(1)), ("account_number", SECOND)):
        refused(lambda one=(name, value): change_share(till, *one), "")


def change_share(till: Till, name: str, value: object) -> None:
    with till.records.begin() as db:
        setattr(db.scalars(select(PaymentShare)).one(), name, value)


@pytest.mark.parametrize("state", WITH_MONEY)
def test_an_account_has_one_open_payment(till: Till, state: PaymentState) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, *BY_WAY_OF[state])
    refused(lambda: till.ask({SECOND: 100, FIRST: 100}), "payment_share")
    till.move(till.ask({SECOND: 100}), S.ABANDONED)
    if state is S.INTENT:
        till.move(id, S.ABANDONED)
    else:
        till.move(id, S.DECLINED)
    till.ask({SECOND: 100, FIRST: 100})


@POSTGRESQL
def test_of_twenty_who_pay_an_account_at_once_one_does(till: Till) -> None:
    at_once = Barrier(20)

    def press(_: int) -> bool:
        at_once.wait()
        try:
            till.ask({FIRST: 100})
        except Exception:  # whatever it was told in
            return False
        return True

    with ThreadPoolExecutor(20) as people:
        assert sum(people.map(press, range(20))) == 1


# The ledger and the balances


def test_a_payment_pays_what_was_due_before_first(till: Till) -> None:
    till.set(past_due=Money(4_000))
    till.pay({FIRST: 1_500, SECOND: 500})
    assert till.account() == (14_210 - 1_500, 2_500, 1_500)
    assert till.account(SECOND) == (14_210 - 500, 0, 500)
    till.pay({FIRST: 20_000})
    assert till.account() == (14_210 - 21_500, 0, 20_000)
    assert till.lines() == [(LedgerKind.PAYMENT, -1_500), (LedgerKind.PAYMENT, -20_000)]
    assert till.is_in_step()


def test_a_refund_is_owed_again_and_not_past_due(till: Till) -> None:
    till.set(past_due=Money(4_000))
    paid = till.pay({FIRST: 5_000})
    till.give_back(paid, FIRST, 2_000)
    assert till.account() == (14_210 - 3_000, 0, 5_000)
    assert till.lines() == [(LedgerKind.PAYMENT, -5_000), (LedgerKind.REFUND, 2_000)]
    assert till.is_in_step()


def test_what_comes_back_is_owed_again_with_its_fee(till: Till) -> None:
    paid = till.pay({FIRST: 3_000, SECOND: 2_000})
    till.give_back(paid, FIRST, 1_000)
    till.comes_back(paid, fee=2_500)
    assert till.lines() == [
        (LedgerKind.PAYMENT, -3_000),
        (LedgerKind.REFUND, 1_000),
        (LedgerKind.RETURN, 2_000),
        (LedgerKind.FEE, 2_500),
    ]
    assert till.lines(SECOND) == [(LedgerKind.PAYMENT, -2_000), (LedgerKind.RETURN, 2_000)]
    assert till.account() == (14_210 + 2_500, 4_500, 9_900)
    assert till.account(SECOND) == (14_210, 2_000, 9_900)
    assert till.is_in_step()


def test_a_bill_that_is_not_due_yet_is_not_past_due_when_its_payment_comes_back(
    till: Till,
) -> None:
    till.set(due_on=DAY + timedelta(days=10), past_due=Money(0))
    drawer = till.open_drawer()
    paid = till.take(drawer, {FIRST: 14_210})
    till.comes_back(paid, ReturnKind.VOID)
    assert till.account() == (14_210, 0, 9_900)
    till.set(balance=Money(18_210), past_due=Money(4_000))
    paid = till.take(drawer, {FIRST: 18_210})
    till.comes_back(paid, ReturnKind.VOID)
    assert till.account() == (18_210, 4_000, 9_900)


def test_a_bill_whose_day_is_over_is_past_due_when_its_payment_comes_back(till: Till) -> None:
    till.set(due_on=DAY - timedelta(days=1))
    till.comes_back(till.pay({FIRST: 14_210}))
    assert till.account() == (14_210, 14_210, 9_900)


def test_the_last_payment_is_the_last_one_that_stands(till: Till) -> None:
    first, second = till.pay({FIRST: 100}), till.pay({FIRST: 200})
    till.comes_back(first)
    assert till.account()[2] == 200
    till.comes_back(second)
    assert till.account()[2] == 9_900
    with till.records.read() as db:
        assert db.get_one(Account, FIRST).last_payment_on == date(2026, 11, 2)


def test_a_void_takes_all_of_it_back_and_only_once(till: Till) -> None:
    drawer = till.open_drawer()
    paid = till.take(drawer, {FIRST: 5_000})
    refused(lambda: till.comes_back(paid, ReturnKind.VOID, fee=1), money_moves.NOT_STANDING)
    till.comes_back(paid, ReturnKind.VOID)
    assert till.account() == (14_210, 5_000, 9_900)
    refused(lambda: till.comes_back(paid, ReturnKind.VOID), "payment_return")
    refused(lambda: till.ask_back(paid, FIRST, 1, drawer_id=drawer), money_moves.TOO_MUCH)
    assert till.is_in_step()


def test_what_goes_back_already_is_not_voided_too(till: Till) -> None:
    drawer = till.open_drawer()
    paid = till.take(drawer, {FIRST: 5_000})
    back = till.ask_back(paid, FIRST, 100, drawer_id=drawer)
    refused(lambda: till.comes_back(paid, ReturnKind.VOID), money_moves.NOT_STANDING)
    till.move_refund(back, S.ABANDONED)
    till.comes_back(paid, ReturnKind.VOID)


@pytest.mark.parametrize("state", [one for one in PaymentState if one is not S.CHARGED])
def test_only_what_was_paid_comes_back_or_is_given_back(till: Till, state: PaymentState) -> None:
    id = till.ask({FIRST: 5_000})
    till.move(id, *BY_WAY_OF[state])
    refused(lambda: till.comes_back(id), money_moves.NOT_STANDING)
    refused(lambda: till.ask_back(id, FIRST, 1), money_moves.TOO_MUCH)


def test_no_more_is_given_back_than_an_account_was_paid(till: Till) -> None:
    paid = till.pay({FIRST: 3_000, SECOND: 2_000})
    refused(lambda: till.ask_back(paid, FIRST, 3_001), money_moves.TOO_MUCH)
    refused(lambda: till.ask_back(paid, "1", 1), money_moves.TOO_MUCH)
    till.give_back(paid, FIRST, 2_000)
    refused(lambda: till.ask_back(paid, FIRST, 1_001), money_moves.TOO_MUCH)
    waits = till.ask_back(paid, FIRST, 1_000)
    refused(lambda: till.ask_back(paid, FIRST, 1), money_moves.TOO_MUCH)
    till.move_refund(waits, S.SENDING, S.DECLINED)
    till.give_back(paid, FIRST, 1_000)
    till.give_back(paid, SECOND, 2_000)
    assert till.account()[0] == till.account(SECOND)[0] == 14_210


@POSTGRESQL
def test_two_who_give_all_of_it_back_at_once_give_it_back_once(till: Till) -> None:
    for _ in range(8):
        paid = till.pay({FIRST: 5_000})
        at_once = Barrier(2)

        def give(_: int, paid: str = paid, at_once: Barrier = at_once) -> bool:
            at_once.wait()
            try:
                till.ask_back(paid, FIRST, 5_000)
            except Exception:  # whatever it was told in
                return False
            return True

        with ThreadPoolExecutor(2) as people:
            assert sorted(people.map(give, range(2))) == [False, True]


@POSTGRESQL
def test_a_void_and_a_refund_at_once_give_it_back_once(till: Till) -> None:
    drawer = till.open_drawer()
    for _ in range(8):
        paid = till.take(drawer, {FIRST: 5_000})
        at_once = Barrier(2)

        def give(how: int, paid: str = paid, at_once: Barrier = at_once) -> bool:
            at_once.wait()
            try:
                if how:
                    till.comes_back(paid, ReturnKind.VOID)
                else:
                    till.ask_back(paid, FIRST, 5_000, drawer_id=drawer)
            except Exception:  # whatever it was told in
                return False
            return True

        with ThreadPoolExecutor(2) as people:
            assert sorted(people.map(give, range(2))) == [False, True]


def test_a_large_refund_waits_for_a_second_person(till: Till) -> None:
    paid = till.pay({FIRST: 90_000})
    id = till.ask_back(paid, FIRST, 50_000, needs_second=True)
    refused(lambda: till.move_refund(id, S.SENDING), money_moves.SECOND_PERSON)
    refused(lambda: approve(till, id, "sue"), money_moves.SECOND_PERSON)
    approve(till, id, "ada")
    refused(lambda: approve(till, id, "kim"), money_moves.SECOND_PERSON)
    refused(lambda: approve(till, id, ""), money_moves.SECOND_PERSON)
    till.move_refund(id, S.SENDING)
    refused(lambda: approve(till, id, ""), money_moves.SECOND_PERSON)
    till.move_refund(id, S.CHARGED)


def approve(till: Till, refund: str, by: str) -> None:
    with till.records.begin() as db:
        db.get_one(Refund, refund).approved_by = by


def test_the_ledger_says_what_it_is_for_and_when_it_counts(till: Till) -> None:
    paid = till.pay({FIRST: 5_000})
    with till.records.read() as db:
        line = ledger.entries_of(db, FIRST, 1)[0]
        assert (line.kind, line.day, line.words) == (LedgerKind.PAYMENT, DAY, "Stored method")
        assert line.source_id == paid
        assert abs((datetime.now(UTC) - line.at).total_seconds()) < 60


def test_what_the_database_writes_itself_is_on_the_trail(till: Till) -> None:
    till.pay({FIRST: 5_000})
    with till.records.read() as db:
        told = db.execute(
            select(AuditEntry.subject, AuditEntry.action).order_by(AuditEntry.id)
        ).all()
    assert ("payment", "row:added") in told
    assert ("payment_share", "row:added") in told
    assert ("account", "row:changed") in told


ACTS = st.lists(
    st.tuples(
        st.sampled_from(("pay", "cash", "refund", "return", "void", "decline", "abandon")),
        st.integers(1, 9_000),
        st.integers(0, 9_000),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=ACTS)
def test_a_balance_is_the_sum_of_its_ledger_whatever_happens(
    till: Till, acts: list[tuple[str, int, int, int]]
) -> None:
    with till.records.read() as db:
        drawer = db.scalars(select(Drawer.id)).first()
    drawer = drawer or till.open_drawer()
    paid: list[tuple[str, bool]] = []
    for act, first, second, which in acts:
        with suppress(DBAPIError, DatabaseTrouble):  # what the rules refuse changes nothing
            _do(till, drawer, paid, act, first, second, which)
        assert till.is_in_step()
        for number in (FIRST, SECOND):
            balance, past_due, _ = till.account(number)
            assert 0 <= past_due <= max(balance, 0)


def _do(
    till: Till,
    drawer: str,
    paid: list[tuple[str, bool]],
    act: str,
    first: int,
    second: int,
    which: int,
) -> None:
    shares = {FIRST: first} | ({SECOND: second} if second else {})
    match act:
        case "pay":
            paid.append((till.pay(shares), False))
        case "cash":
            paid.append((till.take(drawer, shares), True))
        case "decline":
            till.move(till.ask(shares), S.SENDING, S.DECLINED)
        case "abandon":
            till.move(till.ask(shares), S.ABANDONED)
    if not paid:
        return
    one, by_hand = paid[which % len(paid)]
    number = SECOND if which % 2 else FIRST
    match act:
        case "refund" if by_hand:
            refund = till.ask_back(one, number, second or 1, drawer_id=drawer)
            till.move_refund(refund, S.CHARGED)
        case "refund":
            till.give_back(one, number, second or 1)
        case "return":
            till.comes_back(one, fee=second)
        case "void":
            till.comes_back(one, ReturnKind.VOID)


# What was, stays


def _history(records: Records) -> Iterator[tuple[str, str]]:
    for table in ("payment", "payment_share", "refund", "payment_return", "ledger_entry",
                  "drawer", "drawer_movement", "auto_pay", "stored_method", "arrangement",
                  "promise"):  # fmt: skip
        with records.glance() as connection:
            key = connection.exec_driver_sql(f"SELECT id FROM {table}").scalars().first()
        assert key is not None, table
        yield table, f"'{key}'" if isinstance(key, str) else str(key)


@pytest.fixture
def filled(till: Till) -> Till:
    """A till with one row in every table of money."""
    drawer = till.open_drawer()
    moves_cash(till, drawer, "pay_in", 100)
    till.give_back(till.pay({FIRST: 5_000}), FIRST, 100)
    till.comes_back(till.take(drawer, {SECOND: 500}), ReturnKind.VOID)
    enrol(till)
    with till.records.begin() as db:
        db.add(
            Arrangement(
                id="a1", member_id=till.rose, account_number=FIRST, made_by="pat", made_at=NOW
            )
        )
        db.flush()
        db.add(Promise(arrangement_id="a1", due_on=DAY, amount=Money(100)))
    return till


def enrol(till: Till) -> None:
    add(
        till,
        StoredMethod(
            id="m1", member_id=till.rose, kind=MethodKind.CARD, brand="visa", last_four="4242",
            added_by="pat", added_at=NOW,
        ),
    )  # fmt: skip
    add(
        till,
        AutoPay(
            id="ap1", member_id=till.rose, account_number=FIRST, method_id="m1",
            enrolled_by="pat", enrolled_at=NOW,
        ),
    )  # fmt: skip


@SQLITE
def test_nothing_about_money_is_removed_or_replaced_in_a_file(filled: Till) -> None:
    tables = [table for table, _ in _history(filled.records)]
    before = all_rows(filled.records, *tables, "account")
    for table, key in _history(filled.records):
        for statement in (
            f"DELETE FROM {table}",
            f"DELETE FROM {table} WHERE id = {key}",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = {key}",
            f"UPDATE OR REPLACE {table} SET id = {key} || '0' WHERE id = {key}",
        ):
            with pytest.raises(DBAPIError) as refusal:
                tell(filled.records, statement)
            assert "no such" not in str(refusal.value), statement
    assert all_rows(filled.records, *tables, "account") == before


def tell(records: Records, statement: str) -> None:
    with records.engine.execution_options(console_writes=True).begin() as connection:
        connection.exec_driver_sql(statement)


@SQLITE
@pytest.mark.parametrize("setting", ["on", "off"])
def test_replacing_slips_past_nothing_even_where_a_program_turned_triggers_of_deletion_off(
    filled: Till, setting: str
) -> None:
    before = all_rows(filled.records, *MONEY)
    for table, key in _history(filled.records):
        with filled.records.engine.execution_options(console_writes=True).connect() as one:
            one.exec_driver_sql(f"PRAGMA recursive_triggers = {setting}")
            with pytest.raises(DBAPIError):
                one.exec_driver_sql(
                    f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = {key}"
                )
    assert all_rows(filled.records, *MONEY) == before


def test_the_ledger_is_written_by_nobody_but_the_database(filled: Till) -> None:
    before = all_rows(filled.records, "ledger_entry", "account")
    statements = ["UPDATE ledger_entry SET amount = 0", "DELETE FROM ledger_entry"]
    if filled.records.engine.dialect.name == "sqlite":
        made = (
            "INSERT INTO ledger_entry (account_number, kind, amount, day, at, words, source_id) "
            f"VALUES ('{FIRST}', '%s', %s, '2026-11-23', '2026-11-23', '', '%s')"
        )
        with filled.records.read() as db:
            paid = db.scalars(select(Payment.id).where(Payment.way == PaymentWay.STORED)).one()
        statements += [
            made % ("payment", -100, ""),
            made % ("payment", -100, paid),
            made % ("payment", -5_000, paid),
            made % ("refund", 100, paid),
            made % ("return", 100, paid),
            made % ("fee", 100, paid),
        ]
    for statement in statements:
        with pytest.raises(DBAPIError):
            tell(filled.records, statement)
    assert all_rows(filled.records, "ledger_entry", "account") == before


def test_what_has_ended_stays_ended(filled: Till) -> None:
    with filled.records.begin() as db:
        db.get_one(AutoPay, "ap1").ended_at = NOW
    with filled.records.begin() as db:
        db.get_one(StoredMethod, "m1").removed_at = NOW
        db.get_one(Arrangement, "a1").state = "kept"
    for kind, id, name, value in (
        (AutoPay, "ap1", "ended_at", None),
        (StoredMethod, "m1", "removed_at", None),
        (Arrangement, "a1", "state", "open"),
        (Arrangement, "a1", "state", "broken"),
    ):
        refused(lambda a=(kind, id, name, value): change(filled, *a), money_moves.ENDED)


def change(till: Till, kind: Any, id: str, name: str, value: object) -> None:
    with till.records.begin() as db:
        setattr(db.get_one(kind, id), name, value)


def test_the_account_shows_whether_it_is_paid_by_itself(till: Till) -> None:
    enrol(till)
    with till.records.read() as db:
        assert [db.get_one(Account, one).autopay for one in (FIRST, SECOND)] == [True, False]
    with till.records.begin() as db:
        db.get_one(AutoPay, "ap1").ended_at = NOW
    with till.records.read() as db:
        assert not db.get_one(Account, FIRST).autopay


# Ledgers that begin


def test_a_ledger_begins_with_what_is_known_and_adds_up_to_the_balance(till: Till) -> None:
    with till.records.read() as db:
        lines = list(reversed(ledger.entries_of(db, FIRST, 9)))
    assert [(one.kind, one.amount.cents, one.day) for one in lines] == [
        (LedgerKind.OPENING, 9_900, date(2026, 11, 2)),
        (LedgerKind.PAYMENT, -9_900, date(2026, 11, 2)),
        (LedgerKind.BILL, 14_210, date(2026, 11, 12)),
    ]
    assert till.is_in_step()


def test_a_ledger_begins_once(till: Till) -> None:
    with till.records.engine.execution_options(console_writes=True).begin() as connection:
        unaudited(connection)
        ledger.open_ledgers(connection)
    with till.records.read() as db:
        assert db.scalar(select(func.count()).select_from(LedgerEntry)) == 6
        assert (
            db.scalar(text("SELECT count(*) FROM audit_entry WHERE subject = 'ledger_entry'")) == 0
        )


# What is written down beside it


def test_what_is_spoken_for_others_are_acts_that_there_are() -> None:
    spoken = {
        *money_people.GATEWAY_SAYS,
        *money_people.GIVEN_BY_HAND,
        *money_people.HANDLERS_SAY,
        *money_people.APPROVERS_SAY,
    }
    assert spoken <= {act.value for act in Action}


def test_every_table_of_money_is_followed_but_what_only_repeats() -> None:
    described = {rights.table for rights in money_rules.RIGHTS}
    followed = {one.table for one in money_rules.FOLLOWED}
    assert described - followed == {"portal_preferences"}
