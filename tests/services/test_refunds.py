"""What comes after a payment: void, refund alone or by two, and cheques that bounced."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from console.clients.gateway import RefundOrder
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.domain.staff import Role
from console.domain.texts import CardNumberTyped
from console.models.drawers import Drawer
from console.models.payments import PaymentReturn, Refund
from console.models.staff import Staff
from console.sandbox.gateway import Kind
from console.services import payments, refunds
from console.services.desk import Colleague
from console.services.refunds import CannotGiveBack, RefundWish
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import SUE, trail
from tests.payments.office import NUMBERS, found, judge, moved_at
from tests.services.test_reconciliation import debits, paid

SVEN = Colleague("sven", "Sven Aaltonen", Role.SUPERVISOR)
CLEO = Colleague("cleo", "Cleo Marsh", Role.CLERK)
WHY = "Paid twice by mistake"


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    office = found(records, clock, client)
    with records.begin() as db:
        for one in (SVEN, CLEO):
            db.add(Staff(login=one.login, name=one.name, role=one.role, password_hash=""))
    return office


@pytest.fixture
def sue(office):
    return replace(office.desk, colleague=SUE)


@pytest.fixture
def sven(office):
    return replace(office.desk, colleague=SVEN)


@pytest.fixture
def cleo(office):
    return replace(office.desk, colleague=CLEO)


def wish(payment_id, cents, **other):
    return RefundWish(
        **{
            "id": str(uuid4()), "payment_id": payment_id, "account_number": NUMBERS[0],
            "amount": Money(cents), "reason": WHY, **other,
        }
    )  # fmt: skip


def opens_drawer(desk):
    with desk.records.begin() as db:
        drawer = Drawer(
            id=str(uuid4()), clerk=desk.colleague.login, workstation="desk 1",
            opened_at=desk.now(), opening_cash=Money(20000),
        )  # fmt: skip
        db.add(drawer)
        return drawer.id


def closes_drawer(desk, drawer_id):
    with desk.records.begin() as db:
        db.get_one(Drawer, drawer_id).closed_at = desk.now()


def taken_by_hand(office, way=PaymentWay.CASH, **other):
    return office.press(way, **other).id


def balance(office):
    return payments.prepare(office.desk, office.member_id).accounts[0].owed.balance


def judged(office, till):  # noqa: F811
    return judge(office.records, *moved_at(till)).faults


def test_a_part_is_given_back_once_through_the_gateway(office, sue, till):  # noqa: F811
    payment_id = paid(office)
    asked = wish(payment_id, 1000)
    for _ in range(3):
        told = refunds.ask(sue, asked)
        assert (told.state, told.needs_second) == (PaymentState.INTENT, False)
    office.sweep()
    assert refunds.status(sue, asked.id).words.startswith("Given back.")
    assert refunds.ask(sue, asked).state is PaymentState.CHARGED
    offer = refunds.offer(sue, payment_id)
    assert (offer.shares[0].given_back, offer.left) == (Money(1000), Money(13210))
    assert balance(office) == Money(1000)
    assert till.tally()["refunded_cents"] == 1000
    assert judged(office, till) == {}
    assert trail(sue)[-2:] == ["refund:asked", "refund:given"]


def test_it_is_given_back_account_by_account(office, sue):
    begun = office.press(shares=((NUMBERS[0], Money(1000)), (NUMBERS[1], Money(2500))))
    office.sweep()
    offer = refunds.offer(sue, begun.id)
    assert [(one.account_number, one.left) for one in offer.shares] == [
        (NUMBERS[0], Money(1000)), (NUMBERS[1], Money(2500)),
    ]  # fmt: skip
    with pytest.raises(CannotGiveBack, match=r"\$10.00 is left to give back"):
        refunds.ask(sue, wish(begun.id, 1100))
    with pytest.raises(CannotGiveBack, match="not for that account"):
        refunds.ask(sue, wish(begun.id, 100, account_number=NUMBERS[2]))
    refunds.ask(sue, wish(begun.id, 2500, account_number=NUMBERS[1]))
    assert refunds.offer(sue, begun.id).left == Money(1000)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": Money(0)}, "above zero"),
        ({"amount": Money(-5)}, "above zero"),
        ({"amount": Money(14211)}, "left to give back"),
        ({"reason": " .. "}, "Say why"),
        ({"payment_id": "no such"}, "not on file"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(office, sue, change, words):
    payment_id = paid(office)
    with pytest.raises(CannotGiveBack, match=words):
        refunds.ask(sue, replace(wish(payment_id, 1000), **change))
    with office.records.read() as db:
        assert db.scalars(select(Refund)).all() == []


def test_no_card_number_is_kept_in_a_reason(office, sue):
    with pytest.raises(CardNumberTyped):
        refunds.ask(sue, wish(paid(office), 1000, reason="Card 4242 4242 4242 4242 was wrong"))


def test_only_a_supervisor_gives_back(office):
    payment_id = paid(office)
    assert refunds.offer(office.desk, payment_id).no_refund.startswith("A supervisor")
    with pytest.raises(CannotGiveBack, match="A supervisor gives money back"):
        refunds.ask(office.desk, wish(payment_id, 1000))


def test_above_the_limit_a_second_supervisor_must_approve(office, sue, sven, till):  # noqa: F811
    payment_id = paid(office, amount=30000)
    asked = refunds.ask(sue, wish(payment_id, 25000))
    assert asked.needs_second
    office.sweep()
    assert refunds.status(sue, asked.id).state is PaymentState.INTENT
    assert till.tally()["refunded_cents"] == 0
    (waits,) = refunds.waiting_for_second(sven)
    assert (waits.id, waits.may_approve) == (asked.id, True)
    assert not refunds.waiting_for_second(sue)[0].may_approve
    with pytest.raises(CannotGiveBack, match="Another supervisor"):
        refunds.approve(sue, asked.id)
    with pytest.raises(CannotGiveBack, match="A supervisor"):
        refunds.approve(office.desk, asked.id)
    office.desk.now.advance(hours=2)  # it waits for as long as it takes
    office.sweep()
    assert refunds.status(sue, asked.id).state is PaymentState.INTENT
    for _ in range(2):
        assert refunds.approve(sven, asked.id).approved_by == "Sven Aaltonen"
    office.sweep()
    assert refunds.status(sue, asked.id).state is PaymentState.CHARGED
    assert refunds.waiting_for_second(sven) == ()
    assert till.tally()["refunded_cents"] == 25000
    assert trail(sue).count("refund:approved") == 1


def test_the_limit_is_not_got_round_in_parts(office, sue, sven):
    payment_id = paid(office, amount=30000)
    assert not refunds.ask(sue, wish(payment_id, 15000)).needs_second
    offer = refunds.offer(sue, payment_id)
    assert (offer.needs_second(Money(5000)), offer.needs_second(Money(5001))) == (False, True)
    assert refunds.ask(sue, wish(payment_id, 5001)).needs_second
    assert refunds.ask(sven, wish(payment_id, 5000)).needs_second


def test_it_is_called_off_until_it_has_gone(office, sue):
    payment_id = paid(office)
    first = refunds.ask(sue, wish(payment_id, 14210))
    assert refunds.call_off(sue, first.id).words == "It was called off. Nothing was given back."
    second = refunds.ask(sue, wish(payment_id, 14210))
    office.sweep()
    assert refunds.call_off(sue, second.id).state is PaymentState.CHARGED
    with pytest.raises(CannotGiveBack, match="All of it"):
        refunds.ask(sue, wish(payment_id, 1))
    big = refunds.ask(sue, wish(paid(office, 1, 30000), 25000, account_number=NUMBERS[1]))
    refunds.call_off(sue, big.id)
    with pytest.raises(CannotGiveBack, match="called off"):
        refunds.approve(replace(sue, colleague=SVEN), big.id)


def test_cash_comes_out_of_ones_own_open_drawer_at_once(office, sue):
    payment_id = taken_by_hand(office)
    with pytest.raises(CannotGiveBack, match="Open your drawer"):
        refunds.ask(sue, wish(payment_id, 1000))
    drawer_id = opens_drawer(sue)
    asked = wish(payment_id, 1000)
    for _ in range(2):
        told = refunds.ask(sue, asked)
        assert (told.state, told.words) == (PaymentState.CHARGED, "Given back in cash.")
    assert office.refund_row(asked.id).drawer_id == drawer_id
    assert balance(office) == Money(1000)
    assert trail(sue)[-2:] == ["refund:asked", "refund:given"]


def test_much_cash_waits_for_the_second_and_never_goes_to_the_gateway(office, sue, sven, till):  # noqa: F811
    payment_id = taken_by_hand(office, shares=((NUMBERS[0], Money(30000)),))
    opens_drawer(sue)
    asked = refunds.ask(sue, wish(payment_id, 25000))
    assert asked.state is PaymentState.INTENT
    with pytest.raises(CannotGiveBack, match="second supervisor"):
        refunds.hand_out(sue, asked.id)
    refunds.approve(sven, asked.id)
    office.sweep()
    assert refunds.status(sue, asked.id).state is PaymentState.INTENT
    (waits,) = refunds.waiting_for_second(sue)
    assert (waits.may_hand_out, waits.may_approve) == (True, False)
    with pytest.raises(CannotGiveBack, match="another drawer"):
        refunds.hand_out(sven, asked.id)
    for _ in range(2):
        assert refunds.hand_out(sue, asked.id).state is PaymentState.CHARGED
    assert till.tally() == {**till.tally(), "refunded_cents": 0, "charges": 0}
    assert trail(sue).count("refund:given") == 1


def test_a_debit_that_the_bank_has_not_paid_is_not_given_back(office, sue, client):  # noqa: F811
    payment_id = debits(office, client, "success")
    assert "has not paid this debit yet" in refunds.offer(sue, payment_id).no_refund
    with pytest.raises(CannotGiveBack, match="about four working days"):
        refunds.ask(sue, wish(payment_id, 100))


def test_the_gateway_refuses_what_somebody_gave_back_there(office, sue, client, till):  # noqa: F811
    payment_id = paid(office)
    client.refund(RefundOrder(str(uuid4()), office.row(payment_id).gateway_id, Money(14000)))
    asked = refunds.ask(sue, wish(payment_id, 1000))
    office.sweep()
    told = refunds.status(sue, asked.id)
    assert told.state is PaymentState.DECLINED
    assert "more than is left" in told.words
    assert balance(office) == Money(0)
    assert refunds.offer(sue, payment_id).left == Money(14210)


@pytest.mark.parametrize("kind", [Kind.CUT_AFTER, Kind.DOWN, Kind.HTML])
def test_whatever_the_gateway_answers_it_is_given_back_once(office, sue, till, kind):  # noqa: F811
    asked = refunds.ask(sue, wish(paid(office), 1000))
    till.misbehave(kind, "/v1/refunds", "POST", times=2)
    for _ in range(10):
        office.sweep()
        office.desk.now.advance(minutes=2)
    assert refunds.status(sue, asked.id).state is PaymentState.CHARGED
    assert till.tally()["refunded_cents"] == 1000
    assert judged(office, till) == {}


def test_two_who_give_back_the_same_money_at_once(office, sue, sven):
    payment_id = paid(office)
    gate = threading.Barrier(2)

    def press(desk):
        gate.wait()
        try:
            refunds.ask(desk, wish(payment_id, 14210))
        except CannotGiveBack as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, [sue, sven]))
    assert told[0] == ""
    assert "All of it was given back already" in told[1]
    with office.records.read() as db:
        assert len(db.scalars(select(Refund)).all()) == 1


# Void


def test_a_void_puts_everything_back_while_the_drawer_is_open(office):
    payment_id = taken_by_hand(office)
    click = str(uuid4())
    rep = office.desk  # whose drawer it is, but not a role that handles cash
    assert "A supervisor gives" in refunds.offer(rep, payment_id).no_refund
    sue = replace(rep, colleague=SUE)
    for _ in range(3):
        told = refunds.void(sue, click, payment_id, "Taken for a neighbour")
        assert told.returned == "Void: Taken for a neighbour"
    assert balance(office) == Money(14210)
    assert (
        refunds.void(sue, str(uuid4()), payment_id, "Pressed once more").returned == told.returned
    )
    assert trail(sue).count("payment:voided") == 1
    assert "does not stand" in refunds.offer(sue, payment_id).no_void
    assert "does not stand" in refunds.offer(sue, payment_id).no_refund


def test_a_clerk_voids_in_the_own_drawer_and_not_in_a_colleagues(office, cleo):
    payment_id = taken_by_hand(office)
    with pytest.raises(CannotGiveBack, match="colleague’s drawer"):
        refunds.void(cleo, str(uuid4()), payment_id, "Taken for a neighbour")
    opens_drawer(cleo)
    own = payments.begin(
        cleo, office.wish(PaymentWay.CHEQUE, shares=((NUMBERS[1], Money(500)),))
    ).id
    assert refunds.void(cleo, str(uuid4()), own, "Torn cheque").returned == "Void: Torn cheque"


def test_what_is_counted_is_not_voided(office, sue):
    payment_id = taken_by_hand(office)
    closes_drawer(sue, office.drawer_id)
    with pytest.raises(CannotGiveBack, match="counted and closed"):
        refunds.void(sue, str(uuid4()), payment_id, "Taken for a neighbour")


def test_a_card_is_refunded_and_not_voided(office, sue):
    with pytest.raises(CannotGiveBack, match="is refunded"):
        refunds.void(sue, str(uuid4()), paid(office), "Taken for a neighbour")


def test_what_was_given_back_in_part_is_not_voided(office, sue):
    payment_id = taken_by_hand(office)
    opens_drawer(sue)
    refunds.ask(sue, wish(payment_id, 1000))
    with pytest.raises(CannotGiveBack, match="Part of it"):
        refunds.void(sue, str(uuid4()), payment_id, "Taken for a neighbour")


# Bounced cheques


def test_a_cheque_bounces_once_with_a_fee(office, cleo, sue):
    payment_id = taken_by_hand(office, PaymentWay.CHEQUE)
    with pytest.raises(CannotGiveBack, match=r"\$30.00 at most"):
        refunds.record_bounced(cleo, str(uuid4()), payment_id, "NSF", "No funds", Money(3001))
    click = str(uuid4())
    for _ in range(2):
        told = refunds.record_bounced(cleo, click, payment_id, "nsf", "No funds", Money(3000))
    assert told.returned == "Cheque bounced: No funds"
    assert balance(office) == Money(14210 + 3000)
    with office.records.read() as db:
        (back,) = db.scalars(select(PaymentReturn)).all()
    assert (back.code, back.fee, back.recorded_by) == ("NSF", Money(3000), "cleo")
    assert trail(cleo).count("payment:returned") == 1
    assert "does not stand" in refunds.offer(sue, payment_id).no_refund


def test_only_a_cheque_bounces_and_only_at_the_counter(office, cleo):
    cash, cheque = (
        taken_by_hand(office, way, shares=((NUMBERS[place], Money(100)),))
        for place, way in enumerate((PaymentWay.CASH, PaymentWay.CHEQUE))
    )
    with pytest.raises(CannotGiveBack, match="Only a cheque"):
        refunds.record_bounced(cleo, str(uuid4()), cash, "NSF", "No funds", Money(0))
    with pytest.raises(CannotGiveBack, match="clerk or a supervisor"):
        refunds.record_bounced(office.desk, str(uuid4()), cheque, "NSF", "No funds", Money(0))
