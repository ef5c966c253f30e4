"""The courier's side of a payment: sent once, believed only what counts, written down once."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from console.clients.gateway import RefundOrder
from console.clients.stripe_gateway import StripeGateway
from console.domain.courier import LEASE, ErrandKind
from console.domain.money import Money
from console.domain.payments import QUIET, PaymentState, PaymentWay
from console.models.courier import Errand
from console.models.methods import StoredMethod
from console.models.payments import Payment, Refund
from console.sandbox.gateway import Kind
from console.services import charging, payments
from tests.gateways import client, pay_on, till  # noqa: F401  # fixtures
from tests.office import trail
from tests.payments.office import NUMBERS, found, judge, moved_at

CHARGES = "/v1/payment_intents"
SESSIONS = "/v1/checkout/sessions"


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


def settled(office, payment_id, rounds=60, **step):
    """Let the courier go round, time passing, until it is known for good or a person must look."""
    for _ in range(rounds):
        assert office.sweep().trouble in ("", charging.SILENT)
        state = office.status(payment_id).state
        if state.is_final or state is PaymentState.REVIEW:
            return office.status(payment_id)
        office.desk.now.advance(**(step or {"minutes": 2}))
    raise AssertionError(f"it never ended: {office.row(payment_id).answer}")


def judged(office, till):  # noqa: F811
    return judge(office.records, *moved_at(till)).faults


def errands(office):
    with office.records.read() as db:
        return [(one.kind, one.payload) for one in db.query(Errand)]


def test_a_stored_card_is_charged_and_recorded_once(office, till):  # noqa: F811
    begun = office.press(receipt_to="rose@example.org")
    assert (begun.state, begun.may_cancel) == (PaymentState.INTENT, True)
    assert office.sweep().carried == 1
    told = office.status(begun.id)
    assert (told.state, told.words) == (PaymentState.CHARGED, "Paid.")
    assert told.shares[0].balance == Money(0)
    assert office.sweep().carried == 0
    assert judged(office, till) == {}
    assert till.tally()["cents"] == 14210
    ((kind, payload),) = errands(office)
    assert kind is ErrandKind.SEND_RECEIPT
    assert "rose@example.org" in payload
    assert trail(office.desk)[-2:] == ["payment:asked", "payment:charged"]


def test_a_decline_says_why_and_leaves_the_books_alone(office, till):  # noqa: F811
    begun = office.press(card="declined", receipt_to="rose@example.org")
    told = settled(office, begun.id)
    assert told.state is PaymentState.DECLINED
    assert "insufficient funds" in told.words
    assert told.shares[0].balance == Money(14210)
    assert errands(office) == []
    assert judged(office, till) == {}
    assert office.press().state is PaymentState.INTENT  # the account is free again


def test_several_accounts_are_one_charge_and_several_ledger_rows(office, till):  # noqa: F811
    shares = ((NUMBERS[0], Money(14210)), (NUMBERS[1], Money(10)), (NUMBERS[2], Money(999)))
    begun = office.press(shares=shares)
    settled(office, begun.id)
    assert (till.tally()["charges"], till.tally()["cents"]) == (1, 15219)
    for number, amount in shares:
        (line,) = payments.ledger(office.desk, number)
        assert (line.amount, line.source_id) == (-amount, begun.id)
    assert judged(office, till) == {}


WRONG_ANSWERS = (
    Kind.DOWN, Kind.THROTTLED, Kind.UNAUTHORIZED, Kind.REDIRECT, Kind.CUT_BEFORE, Kind.LATE,
    Kind.SLOW, Kind.SLOW_AFTER, Kind.TWICE, Kind.CUT_AFTER, Kind.CUT, Kind.DRIP, Kind.HTML,
    Kind.HALF_JSON, Kind.WRONG_TYPES, Kind.HUGE, Kind.WRONG_AMOUNT, Kind.WRONG_CURRENCY,
    Kind.WRONG_REFERENCE, Kind.WRONG_KEY, Kind.LIVE_MODE, Kind.UNKNOWN_STATUS, Kind.FAULT_AFTER,
)  # fmt: skip


@pytest.fixture
def hurried(till, clock):  # noqa: F811
    """A client that gives up after a fifth of a second."""
    hurried = StripeGateway(till.url, till.key, deadline=0.2, clock=clock)
    yield hurried
    hurried.close()


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", WRONG_ANSWERS)
def test_whatever_the_gateway_answers_it_is_charged_once(office, till, hurried, kind, times):  # noqa: F811
    if kind in (Kind.SLOW, Kind.SLOW_AFTER, Kind.DRIP) and times > 1:
        times = 2
    office = replace(office, courier=replace(office.courier, gateway=hurried))
    begun = office.press()
    till.misbehave(kind, CHARGES, "POST", times=times, seconds=0.4)
    office.sweep()
    assert kind is Kind.TWICE or office.status(begun.id).state is not PaymentState.DECLINED
    told = settled(office, begun.id)
    assert told.state is PaymentState.CHARGED
    assert judged(office, till) == {}


@pytest.mark.parametrize("kind", [Kind.WRONG_AMOUNT, Kind.WRONG_REFERENCE, Kind.LIVE_MODE])
def test_no_answer_that_does_not_fit_is_believed(office, till, kind):  # noqa: F811
    begun = office.press()
    till.misbehave(kind)
    for _ in range(5):
        office.sweep()
        told = office.status(begun.id)
        assert told.state is PaymentState.UNKNOWN
        assert told.words.startswith("Not known yet. Do not take it again.")
        assert told.shares[0].balance == Money(14210)
        office.desk.now.advance(minutes=11)
    with pytest.raises(payments.AlreadyOpen):
        office.press()
    till.behave()
    assert settled(office, begun.id).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_a_remembered_fault_is_looked_up_and_found(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.FAULT_AFTER, CHARGES, times=1)
    told = settled(office, begun.id)
    assert told.state is PaymentState.CHARGED
    assert office.row(begun.id).sends == 3  # it answers so to this key for ever
    assert judged(office, till) == {}


def test_a_remembered_fault_with_nothing_done_is_looked_at_by_a_person(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.SERVER_ERROR, CHARGES, times=1)
    told = settled(office, begun.id, minutes=4)
    assert told.state is PaymentState.REVIEW
    assert told.words == "A person must look: the gateway shows nothing."
    row = office.row(begun.id)
    assert office.desk.now() - row.last_sent_at >= QUIET
    assert set(judged(office, till)) == {"open"}
    assert trail(office.desk)[-1] == "payment:under_review"
    office.desk.now.advance(days=3)
    assert office.sweep().carried == 0
    with pytest.raises(payments.AlreadyOpen):
        office.press()


def test_absent_is_no_proof_before_the_quiet_hour(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.SERVER_ERROR, CHARGES, times=1)
    last = None
    while office.status(begun.id).state is not PaymentState.REVIEW:
        office.sweep()
        row = office.row(begun.id)
        if row.state is PaymentState.UNKNOWN:
            last = row
        assert office.desk.now() - row.asked_at < timedelta(hours=3)  # and then it ends
        office.desk.now.advance(seconds=100)
    assert last.sends > 3
    assert office.desk.now() - last.last_sent_at >= QUIET


def test_a_gateway_that_is_down_for_a_while_is_got_over(office, till):  # noqa: F811
    ids = [
        office.press(way, shares=((number, Money(500)),)).id
        for way, number in zip((PaymentWay.STORED, PaymentWay.PAGE), NUMBERS, strict=False)
    ]
    till.misbehave(Kind.DOWN, method="POST")
    for _ in range(5):
        office.sweep()
        office.desk.now.advance(minutes=5)
    till.behave()
    for _ in range(4):
        office.sweep()
        office.desk.now.advance(minutes=3)
    assert office.status(ids[0]).state is PaymentState.CHARGED
    assert office.status(ids[1]).page_url
    assert till.tally()["charges"] == 1


def test_a_gateway_that_is_busy_or_locked_is_asked_again_with_the_same_key(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.THROTTLED, CHARGES, seconds=30)
    for _ in range(8):
        office.sweep()
        office.desk.now.advance(minutes=1)
    till.behave()
    till.misbehave(Kind.UNAUTHORIZED, CHARGES)
    for _ in range(8):
        office.sweep()
        office.desk.now.advance(minutes=20)
    till.behave()
    # Nobody has to look at it: nothing of it was ever taken in.
    assert settled(office, begun.id).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_what_the_gateway_asks_to_wait_is_waited(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.THROTTLED, CHARGES, times=1, seconds=90)
    office.sweep()
    office.desk.now.advance(seconds=89)
    office.sweep()
    assert office.row(begun.id).sends == 1
    office.desk.now.advance(seconds=2)
    office.sweep()
    assert office.status(begun.id).state is PaymentState.CHARGED


def test_a_key_that_the_gateway_has_forgotten_is_never_used_again(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.CUT_AFTER, CHARGES, "POST")
    office.sweep()
    assert till.tally()["charges"] == 1
    till.behave()
    office.desk.now.advance(hours=25)
    till.misbehave(Kind.DOWN, CHARGES, "GET", times=2)
    told = settled(office, begun.id, minutes=20)
    assert told.state is PaymentState.CHARGED
    assert office.row(begun.id).sends == 1
    assert judged(office, till) == {}


def test_what_never_got_through_for_a_day_goes_to_a_person(office, till):  # noqa: F811
    begun = office.press()
    till.web.shut()
    for _ in range(50):
        office.sweep()
        office.desk.now.advance(minutes=30)
    assert office.status(begun.id).state is PaymentState.UNKNOWN
    till.web.open()
    assert settled(office, begun.id).state is PaymentState.REVIEW
    assert till.tally()["charges"] == 0


def test_an_intent_that_nobody_took_up_is_dropped_and_never_sent(office, till):  # noqa: F811
    begun = office.press()
    office.desk.now.advance(minutes=5)
    office.sweep()
    told = office.status(begun.id)
    assert told.state is PaymentState.ABANDONED
    assert told.words == "Nobody took it up in time, so it was dropped. No money has moved."
    office.desk.now.advance(minutes=5)
    assert office.sweep().carried == 0
    assert judged(office, till) == {}
    assert trail(office.desk)[-1] == "payment:abandoned"


def test_a_lease_is_respected_and_taken_over_when_it_has_run_out(office, till):  # noqa: F811
    begun = office.press()
    held = charging._claim(office.courier, Payment, begun.id)
    assert office.status(begun.id).state is PaymentState.SENDING
    assert office.sweep().carried == 0
    office.desk.now.advance(seconds=LEASE.total_seconds() - 1)
    assert not charging.carry(office.courier, Payment, begun.id)
    office.desk.now.advance(seconds=2)
    assert office.sweep().carried == 1
    assert office.row(begun.id).sends == 2
    # Whoever comes back now with what was heard changes nothing any more.
    late = charging.NotKnown("Nothing was heard.")
    charging._write_down(office.courier, held, late)
    charging._write_down(office.courier, held, charging.Absent())
    assert office.status(begun.id).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_whoever_slept_over_the_lease_sends_nothing(office, till):  # noqa: F811
    begun = office.press()

    class Sleeper:
        """Nothing is asked of it."""

    sleepy = replace(office.courier, gateway=Sleeper(), now=_asleep(office.desk.now, after=2))
    assert not charging.carry(sleepy, Payment, begun.id)
    assert till.tally()["charges"] == 0
    assert settled(office, begun.id).state is PaymentState.CHARGED


def _asleep(clock, after):
    asked = []

    def now():
        asked.append(1)
        return clock() + (timedelta(seconds=31) if len(asked) > after else timedelta(0))

    return now


def test_a_late_answer_is_written_down_whoever_has_the_lease(office, till):  # noqa: F811
    begun = office.press()
    held = charging._claim(office.courier, Payment, begun.id)
    heard = charging._ask(office.courier.gateway, held, office.courier)
    office.desk.now.advance(minutes=2)
    other = charging._claim(office.courier, Payment, begun.id)
    assert other.token != held.token
    assert charging._write_down(office.courier, held, heard)
    assert office.status(begun.id).state is PaymentState.CHARGED
    assert charging._write_down(office.courier, other, heard)
    assert judged(office, till) == {}


def test_absent_told_to_whoever_lost_the_lease_moves_nothing(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.SERVER_ERROR, CHARGES, times=1)
    for _ in range(3):
        office.sweep()
        office.desk.now.advance(minutes=1)
    office.desk.now.advance(hours=2)
    held = charging._claim(office.courier, Payment, begun.id)
    assert held.proof
    office.desk.now.advance(minutes=2)
    other = charging._claim(office.courier, Payment, begun.id)
    assert not charging._write_down(office.courier, held, charging.Absent())
    assert office.status(begun.id).state is PaymentState.UNKNOWN
    assert not charging._write_down(office.courier, other, charging.Absent())
    assert office.status(begun.id).state is PaymentState.REVIEW


def test_two_payments_of_which_one_fails_oddly(office, till):  # noqa: F811
    first = office.press()
    second = office.press(shares=((NUMBERS[1], Money(500)),))

    class Odd:
        def __init__(self, inner):
            self.inner = inner
            self.exchanges = ()

        def charge(self, order):
            if order.payment_id == first.id:
                raise ZeroDivisionError
            return self.inner.charge(order)

    odd = replace(office.courier, gateway=Odd(office.courier.gateway))
    turn = charging.make_round(odd)
    assert turn.carried == 1
    assert turn.trouble.startswith("The courier failed at a payment (ZeroDivisionError at ")
    assert office.status(second.id).state is PaymentState.CHARGED
    assert office.status(first.id).state is PaymentState.SENDING
    assert settled(office, first.id).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_a_desk_without_the_key_carries_nothing(office):
    begun = office.press()
    assert charging.make_round(office.desk).carried == 0
    assert payments.carry(office.desk, begun.id).state is PaymentState.INTENT


def test_a_method_that_the_gateway_never_had_is_declined_without_asking(office, till):  # noqa: F811
    method_id = str(uuid4())
    with office.records.begin() as db:
        one = db.get_one(StoredMethod, office.methods["visa"])
        db.add(
            StoredMethod(
                id=method_id, member_id=one.member_id, kind=one.kind, brand="visa",
                last_four="1881", added_by="pat", added_at=one.added_at,
            )
        )  # fmt: skip
    begun = office.press(method_id=method_id)
    told = settled(office, begun.id)
    assert told.state is PaymentState.DECLINED
    assert "Store it again" in told.words
    assert office.courier.gateway.exchanges == ()


def test_a_method_that_the_gateway_knows_no_more_is_looked_at_by_a_person(office, till):  # noqa: F811
    begun = office.press(card="unknown")
    assert settled(office, begun.id, minutes=10).state is PaymentState.REVIEW
    assert till.tally()["charges"] == 0


def test_a_bank_debit_told_on_the_phone(office, till):  # noqa: F811
    mandate = payments.PhoneMandateWish(
        "Today you authorize us.", "pm_usBankAccount_success", "Bank account ending in 6789",
        recording="call 4711",
    )  # fmt: skip
    begun = office.press(PaymentWay.BANK, mandate=mandate)
    told = settled(office, begun.id)
    assert told.state is PaymentState.CHARGED
    assert told.words == "Taken from the bank account; it may yet come back."
    assert told.settled_at is None
    assert judged(office, till) == {}


# Pages


def test_a_page_is_opened_paid_on_and_becomes_the_receipt(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    assert begun.page_url == ""
    office.sweep()
    told = office.status(begun.id)
    assert (told.state, told.may_shut) == (PaymentState.UNKNOWN, True)
    assert told.words == "The gateway’s page is open. Nothing was paid on it yet."
    assert told.page_url.startswith(till.url)
    office.desk.now.advance(seconds=2)
    office.sweep()
    assert office.status(begun.id).state is PaymentState.UNKNOWN
    assert pay_on(told.page_url).status_code == 200
    office.desk.now.advance(seconds=2)
    office.sweep()
    told = office.status(begun.id)
    assert (told.state, told.page_url) == (PaymentState.CHARGED, "")
    assert told.method_words == "Visa ending in 4242"
    assert judged(office, till) == {}


def test_a_decline_on_the_page_is_no_end(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    office.sweep()
    url = office.status(begun.id).page_url
    assert pay_on(url, number="4000 0000 0000 9995").status_code == 422
    office.desk.now.advance(seconds=2)
    office.sweep()
    assert office.status(begun.id).state is PaymentState.UNKNOWN
    pay_on(url)
    assert settled(office, begun.id, seconds=2).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_a_page_that_nobody_used_ends_by_itself(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    told = settled(office, begun.id, minutes=7)
    assert told.state is PaymentState.DECLINED
    assert (
        told.words == "Declined. The page was shut and nothing was paid on it. No money has moved."
    )
    assert judged(office, till) == {}


def test_a_page_is_shut_when_asked(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    office.sweep()
    url = office.status(begun.id).page_url
    payments.shut_page(office.desk, begun.id)
    office.desk.now.advance(seconds=2)
    assert settled(office, begun.id, seconds=2).state is PaymentState.DECLINED
    pay_on(url)
    assert till.tally()["charges"] == 0
    assert office.press().state is PaymentState.INTENT


def test_a_page_that_was_paid_on_before_it_was_shut_is_paid(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    office.sweep()
    pay_on(office.status(begun.id).page_url)
    payments.shut_page(office.desk, begun.id)
    assert settled(office, begun.id, seconds=2).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_a_page_that_is_called_off_before_it_was_opened_is_not_opened(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    payments.shut_page(office.desk, begun.id)
    told = settled(office, begun.id)
    assert told.state is PaymentState.DECLINED
    assert "called off" in told.words
    assert office.courier.gateway.exchanges == ()


def test_a_page_that_may_be_open_is_not_called_off_without_looking(office, till):  # noqa: F811
    begun = office.press(PaymentWay.PAGE)
    till.misbehave(Kind.CUT_AFTER, SESSIONS, "POST", times=1)
    office.sweep()
    payments.shut_page(office.desk, begun.id)
    told = settled(office, begun.id, seconds=30)
    assert told.state is PaymentState.DECLINED
    with till.store.begin() as db:
        (body,) = [row[0] for row in db.execute("SELECT body FROM object WHERE kind LIKE 'check%'")]
    assert '"status": "expired"' in body


@pytest.mark.parametrize("way", [PaymentWay.PAGE, PaymentWay.LINK])
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(
    "kind", [Kind.DOWN, Kind.CUT_AFTER, Kind.FAULT_AFTER, Kind.HTML, Kind.WRONG_AMOUNT,
             Kind.WRONG_REFERENCE, Kind.WRONG_KEY, Kind.TWICE, Kind.THROTTLED]
)  # fmt: skip
def test_one_page_whatever_the_gateway_answers(office, till, kind, times, way):  # noqa: F811
    begun = office.press(way)
    till.misbehave(kind, SESSIONS, "POST", times=times)
    for _ in range(40):
        office.sweep()
        if office.status(begun.id).page_url:
            break
        office.desk.now.advance(seconds=40)
    url = office.status(begun.id).page_url
    links = [payload for kind, payload in errands(office) if kind is ErrandKind.SEND_PAY_LINK]
    assert len(links) == (way is PaymentWay.LINK)
    pay_on(url)
    assert settled(office, begun.id).state is PaymentState.CHARGED
    with till.store.begin() as db:
        assert db.execute("SELECT count(*) FROM object WHERE kind LIKE 'check%'").fetchone()[0] == 1
    assert judged(office, till) == {}


def test_a_link_is_told_of_once_and_looked_at_now_and_then(office, till):  # noqa: F811
    begun = office.press(PaymentWay.LINK)
    office.sweep()
    told = office.status(begun.id)
    assert told.words == ("The pay link to rose@example.org is open. Nothing was paid on it yet.")
    asked = len(office.courier.gateway.exchanges)
    office.desk.now.advance(seconds=10)
    office.sweep()
    assert len(office.courier.gateway.exchanges) == asked
    office.desk.now.advance(hours=3)
    office.sweep()
    assert len(office.courier.gateway.exchanges) == asked + 1
    assert [kind for kind, _ in errands(office)] == [ErrandKind.SEND_PAY_LINK]
    pay_on(told.page_url)
    assert settled(office, begun.id).state is PaymentState.CHARGED


# Money given back


def paid(office):
    begun = office.press()
    settled(office, begun.id)
    return begun.id


def ended(office, refund_id, **step):
    for _ in range(60):
        office.sweep()
        row = office.refund_row(refund_id)
        if row.state.is_final or row.state is PaymentState.REVIEW:
            return row
        office.desk.now.advance(**(step or {"minutes": 2}))
    raise AssertionError(row.answer)


@pytest.mark.parametrize(
    "kind", [None, Kind.DOWN, Kind.CUT_AFTER, Kind.FAULT_AFTER, Kind.HTML, Kind.WRONG_AMOUNT,
             Kind.WRONG_REFERENCE, Kind.THROTTLED, Kind.TWICE]
)  # fmt: skip
@pytest.mark.parametrize("times", [1, 4])
def test_money_is_given_back_once_whatever_the_gateway_answers(office, till, kind, times):  # noqa: F811
    refund_id = office.give_back(paid(office), Money(4210))
    if kind is not None:
        till.misbehave(kind, "/v1/refunds", "POST", times=times)
    row = ended(office, refund_id)
    assert (row.state, row.answer) == (PaymentState.CHARGED, "Given back.")
    assert till.tally()["refunded_cents"] == 4210
    with office.records.read() as db:
        assert db.get_one(payments.Account, NUMBERS[0]).balance == Money(4210)
    assert judged(office, till) == {}


def test_a_refund_that_the_gateway_refuses_is_declined(office, till):  # noqa: F811
    payment_id = paid(office)
    row = office.row(payment_id)
    office.courier.gateway.refund(RefundOrder("by-hand", row.gateway_id, Money(14000)))
    refund_id = office.give_back(payment_id, Money(4210))
    row = ended(office, refund_id)
    assert row.state is PaymentState.DECLINED
    assert row.answer.startswith("Nothing was given back")


def test_a_refund_waits_for_its_second_person_however_long(office, till):  # noqa: F811
    refund_id = office.give_back(paid(office), Money(4210), needs_second=True)
    office.desk.now.advance(hours=3)
    office.sweep()
    assert office.refund_row(refund_id).state is PaymentState.INTENT
    with office.records.begin() as db:
        one = db.get_one(Refund, refund_id)
        one.approved_by, one.approved_at = "ana", office.desk.now()
    office.sweep()
    assert office.refund_row(refund_id).state is PaymentState.CHARGED
    assert judged(office, till) == {}


def test_an_approved_refund_that_nobody_took_up_is_dropped(office, till):  # noqa: F811
    refund_id = office.give_back(paid(office), Money(4210))
    office.desk.now.advance(minutes=6)
    office.sweep()
    assert office.refund_row(refund_id).state is PaymentState.ABANDONED
    assert till.tally()["refunded_cents"] == 0


def test_cash_given_back_is_nothing_to_a_courier(office, till):  # noqa: F811
    payment_id = office.press(PaymentWay.CASH).id
    for _ in range(60):
        refund_id = office.give_back(payment_id, Money(10), drawer_id=office.drawer_id)
    other = office.give_back(paid(office), Money(10))
    office.sweep()
    assert office.refund_row(other).state is PaymentState.CHARGED  # none of them stands before it
    office.desk.now.advance(minutes=10)
    office.sweep()
    row = office.refund_row(refund_id)
    assert (row.state, row.sends) == (PaymentState.INTENT, 0)
    assert not charging.carry(office.courier, Refund, refund_id)
