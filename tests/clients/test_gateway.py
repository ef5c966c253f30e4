"""The gateway's client: never a wrong “charged” or “declined”, and “unknown” wherever it is."""

from __future__ import annotations

import copy
import gc
import http.server
import json
import logging
import shutil
import ssl
import subprocess
import threading
import traceback
import types
import uuid
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from console.clients import gateway_declines, stripe_answers
from console.clients.answers import Misfit
from console.clients.gateway import (
    NOT_KNOWN,
    BankAccount,
    ChargeStatus,
    Declined,
    GatewayBusy,
    GatewayRefused,
    KeyRefused,
    MethodKind,
    Order,
    PageOrder,
    PageState,
    PaymentGateway,
    PhoneMandate,
    Refunded,
    RefundOrder,
    RefundRefused,
    Stumbled,
    Taken,
    Unexpected,
    Unreachable,
)
from console.clients.stripe_gateway import StripeGateway, StripeTeller
from console.domain.money import Money
from console.sandbox import gateway
from console.sandbox.gateway import Kind
from console.sandbox.gateway_rules import BANK_TRAITS, CARD_TRAITS
from console.sandbox.serving import listening_socket
from tests.gateways import client, clock, localstripe, not_run, pay_on, stateful_mock, till

__all__ = ["client", "clock", "localstripe", "stateful_mock", "till"]

AMOUNT = Money(8410)
DECLINING = "pm_card_visa_chargeDeclinedInsufficientFunds"
LOCAL_KEY = "sk_test_somebody"


def new_order(method="pm_card_visa", **more):
    return Order(str(uuid.uuid4()), method, AMOUNT, **more)


def new_page(till, clock, payment_id="", **more):
    return PageOrder(
        payment_id or str(uuid.uuid4()),
        AMOUNT,
        (("Account 10234-01", Money(6210)), ("Account 20480-01", Money(2200))),
        clock.now + timedelta(hours=1),
        f"{till.url}/done",
        **more,
    )


def times_taken(till, order):
    return till.tally()["by_reference"].get(order.payment_id, 0)


# What counts


def test_it_offers_every_call_of_a_gateway(client):
    promised: PaymentGateway = client
    assert promised.exchanges == ()


def test_a_stored_card_is_charged_once_however_often_it_is_sent(till, client, clock):
    customer = client.add_customer("c-7", "member 7", "Rose DeLong", "rose@example.org")
    card = client.save_method("pm_card_visa", customer.id)
    order = new_order(card.id, customer=customer.id)
    first = client.charge(order)
    assert isinstance(first, Taken)
    assert (first.reference, first.amount, first.settled) == (order.payment_id, AMOUNT, True)
    assert first.at == clock.now
    assert first.method == card
    assert card.words == "Visa ending in 4242"
    assert client.charge(order) == first
    assert client.payment(first.id, order.payment_id, AMOUNT) == first
    assert client.find(order.payment_id, AMOUNT, since=clock.now, customer=customer.id) == first
    assert client.find(order.payment_id, AMOUNT, since=clock.now) == first
    assert times_taken(till, order) == 1


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        (DECLINING, "The card was declined: insufficient funds."),
        ("pm_card_chargeDeclinedExpiredCard", "The card was declined: it has expired."),
        (
            "pm_card_chargeDeclinedIncorrectCvc",
            "The card was declined: the security code is not right.",
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "The card was declined: the bank gave no reason."),
    ],
)
def test_a_decline_is_a_value_with_a_sentence(till, client, clock, method, sentence):
    order = new_order(method)
    declined = client.charge(order)
    assert isinstance(declined, Declined)
    assert declined.sentence.startswith(sentence)
    assert client.charge(order) == declined
    assert client.payment(declined.id, order.payment_id, AMOUNT) == declined
    assert client.find(order.payment_id, AMOUNT, since=clock.now) == declined
    assert till.tally()["charges"] == 0


def test_every_decline_has_a_sentence_of_its_own_making():
    for trait in CARD_TRAITS.values():
        said = gateway_declines.decline_sentence(trait.decline)
        assert said.startswith("The card was declined: ")
        assert not trait.message or trait.message not in said
    for trait in BANK_TRAITS.values():
        assert gateway_declines.decline_sentence(trait.code, by_bank=True).endswith(".")
    assert "<b>" not in gateway_declines.decline_sentence("<b>new</b>")
    assert gateway_declines.decline_sentence("lost_card") == gateway_declines.decline_sentence(
        "do_not_honor"
    ), "a thief is not told that the card is wanted"


def test_a_bank_account_told_on_the_phone_is_debited_and_settles(client, clock):
    account = BankAccount("Rose DeLong", "110000000", "000123456789")
    assert "000123456789" not in repr(account)
    stored = client.add_bank_account("bank-7", account)
    assert (stored.kind, stored.last_four) == (MethodKind.BANK, "6789")
    order = new_order(stored.id, kind=MethodKind.BANK, mandate=PhoneMandate(clock.now))
    begun = client.charge(order)
    assert isinstance(begun, Taken)
    assert not begun.settled
    clock.on(days=4)
    settled = client.payment(begun.id, order.payment_id, AMOUNT)
    assert isinstance(settled, Taken)
    assert settled.settled


@pytest.mark.parametrize(
    ("number", "returned", "sentence"),
    [
        ("000222222227", "R01", "The bank returned the debit: insufficient funds."),
        ("000111111113", "R02", "The bank returned the debit: the account is closed."),
        ("000111111116", "R03", "The bank returned the debit: the bank finds no such account."),
        (
            "000333333335",
            "R10",
            "The bank returned the debit: the member told the bank that it was not authorized.",
        ),
    ],
)
def test_a_returned_debit_is_told_apart_from_a_decline(client, clock, number, returned, sentence):
    stored = client.add_bank_account("bank", BankAccount("Rose", "110000000", number))
    order = new_order(stored.id, kind=MethodKind.BANK, mandate=PhoneMandate(clock.now))
    begun = client.charge(order)
    clock.on(days=3)
    back = client.payment(begun.id, order.payment_id, AMOUNT)
    assert back == Declined(
        begun.id, order.payment_id, back.code, sentence, by_bank=True, return_code=returned
    )
    (line,) = client.charges(clock.now - timedelta(days=5), clock.now)
    assert (line.status, line.code, line.reference) == (
        ChargeStatus.FAILED, back.code, order.payment_id
    )  # fmt: skip


def test_a_debit_without_authorization_is_unknown_to_us_and_not_made(till, client):
    stored = client.add_bank_account("bank", BankAccount("Rose", "110000000", "000123456789"))
    order = new_order(stored.id, kind=MethodKind.BANK)
    with pytest.raises(GatewayRefused, match="Do not take it again") as problem:
        client.charge(order)
    assert problem.value.param == "mandate_data"
    assert times_taken(till, order) == 0


def test_customers_and_methods_come_and_go(client):
    customer = client.add_customer("c-7", "member 7", "Rose", "")
    assert client.add_customer("c-7", "member 7", "Rose", "") == customer
    assert client.customer(customer.id) == customer
    assert client.customer("cus_nobody") is None
    card = client.save_method("pm_card_mastercard", customer.id)
    bank = client.save_method("pm_usBankAccount_success", customer.id)
    assert client.methods(customer.id) == (card, bank)
    refused = client.save_method("pm_card_chargeDeclined", customer.id)
    assert isinstance(refused, Declined)
    client.remove_method(card.id)
    client.remove_method(card.id)
    client.remove_method("pm_nothing")
    assert client.methods(customer.id) == (bank,)


def test_money_is_given_back_once_and_never_more_than_is_left(till, client):
    taken = client.charge(new_order())
    order = RefundOrder("refund-1", taken.id, Money(8000))
    back = client.refund(order)
    assert isinstance(back, Refunded)
    assert (back.reference, back.amount, back.settled) == ("refund-1", Money(8000), True)
    assert client.refund(order) == back
    assert client.find_refund(order) == back
    assert client.refunds(taken.id) == (back,)
    more = RefundOrder("refund-2", taken.id, Money(411))
    refused = client.refund(more)
    assert isinstance(refused, RefundRefused)
    assert refused.sentence == ("Nothing was given back: it is more than is left of the payment.")
    assert client.find_refund(more) is None
    client.refund(RefundOrder("refund-3", taken.charge, Money(410)))
    assert client.refund(RefundOrder("refund-4", taken.id, Money(1))).code == (
        "charge_already_refunded"
    )
    assert till.tally()["refunded_cents"] == AMOUNT.cents


def test_the_reconciler_sees_every_charge_of_a_time(client, clock):
    start, orders = clock.now, [new_order(DECLINING if n % 40 == 7 else "pm_card_visa")
                                for n in range(105)]  # fmt: skip
    ended = [client.charge(order) for order in orders]
    client.refund(RefundOrder("r", ended[0].id, Money(10)))
    clock.on(hours=1)
    client.charge(new_order())
    lines = list(client.charges(start, clock.now))
    assert [line.reference for line in lines] == [o.payment_id for o in reversed(orders)]
    assert {line.amount for line in lines} == {AMOUNT}
    assert [line.code for line in lines if line.status is ChargeStatus.FAILED] == [
        "insufficient_funds"
    ] * 3
    assert lines[-1].refunded == Money(10)
    assert client.find(orders[0].payment_id, AMOUNT, since=start) == ended[0], "on the second page"


# Payment pages


def test_a_payment_page_is_opened_once_paid_and_read_back(till, client, clock):
    order = new_page(till, clock)
    page = client.open_page(order)
    assert (page.state, page.outcome) == (PageState.OPEN, None)
    assert page.expires_at == order.expires_at
    clock.on(minutes=5)
    assert client.open_page(order) == page
    pay_on(page.url)
    paid = client.page(page.id, order.payment_id, AMOUNT)
    assert paid.state is PageState.COMPLETE
    assert isinstance(paid.outcome, Taken)
    assert paid.outcome.method.words == "Visa ending in 4242"
    assert client.find_page(order.payment_id, AMOUNT, since=clock.now) == paid
    assert client.find(order.payment_id, AMOUNT, since=clock.now) == paid.outcome
    assert client.shut_page(page.id, order.payment_id, AMOUNT) == paid, "it was paid meanwhile"
    assert times_taken(till, order) == 1


def test_a_decline_on_an_open_page_is_not_the_end(till, client, clock):
    """The next card may be taken: whoever says “declined” here is wrong a minute later."""
    order = new_page(till, clock)
    page = client.open_page(order)
    pay_on(page.url, number="4000000000009995")
    assert client.page(page.id, order.payment_id, AMOUNT).outcome is None
    with pytest.raises(Unexpected):
        client.find(order.payment_id, AMOUNT, since=clock.now)
    pay_on(page.url)
    assert isinstance(client.find(order.payment_id, AMOUNT, since=clock.now), Taken)


def test_a_page_that_was_shut_or_ran_out_took_nothing(till, client, clock):
    shut, ran_out = new_page(till, clock), new_page(till, clock)
    page = client.open_page(shut)
    assert client.shut_page(page.id, shut.payment_id, AMOUNT).state is PageState.EXPIRED
    assert client.shut_page(page.id, shut.payment_id, AMOUNT).state is PageState.EXPIRED
    other = client.open_page(ran_out)
    pay_on(other.url, number="4000000000009995")
    clock.on(hours=1)
    pay_on(other.url)
    ended = client.page(other.id, ran_out.payment_id, AMOUNT)
    assert (ended.state, ended.outcome, ended.url) == (PageState.EXPIRED, None, "")
    assert till.tally()["charges"] == 0


def test_a_bank_debit_by_page_settles_or_comes_back(till, client, clock):
    kinds = (MethodKind.CARD, MethodKind.BANK)
    ends = {}
    for number in ("000123456789", "000222222227"):
        order = new_page(till, clock, kinds=kinds)
        page = client.open_page(order)
        pay_on(page.url + "?with=bank", routing="110000000", account=number, agreed="yes")
        begun = client.page(page.id, order.payment_id, AMOUNT).outcome
        assert isinstance(begun, Taken)
        assert not begun.settled
        ends[number] = (page.id, order.payment_id, AMOUNT)
    clock.on(days=4)
    settled, returned = (client.page(*asked).outcome for asked in ends.values())
    assert isinstance(settled, Taken)
    assert settled.settled
    assert isinstance(returned, Declined)
    assert returned.return_code == "R01"


def test_a_method_is_saved_on_a_page_and_charged_later(till, client, clock):
    customer = client.add_customer("c", "member 7", "Rose", "")
    page = client.open_saving_page("save-1", customer.id, f"{till.url}/done")
    assert client.page(page.id, "save-1", None).method is None
    pay_on(page.url)
    saved = client.page(page.id, "save-1", None)
    assert saved.method == client.methods(customer.id)[0]
    order = new_order(saved.method.id, customer=customer.id)
    assert isinstance(client.charge(order), Taken)
    paying = client.open_page(new_page(till, clock, customer=customer.id, save_method=True))
    pay_on(paying.url, number="5555555555554444")
    assert [m.brand for m in client.methods(customer.id)] == ["mastercard", "visa"]


def test_lines_that_do_not_add_up_are_a_mistake_of_ours(till, client, clock):
    order = PageOrder("p", AMOUNT, (("A", Money(1)),), clock.now, "https://coop.example/")
    with pytest.raises(ValueError, match="add up"):
        client.open_page(order)


# Whatever the gateway does

AFTER_A_CHARGE = {
    # What the call ends as; whether money moved all the same; what the same key ends as later.
    Kind.DOWN: (Stumbled, False, Taken),
    Kind.THROTTLED: (GatewayBusy, False, Taken),
    Kind.UNAUTHORIZED: (KeyRefused, False, Taken),
    Kind.REDIRECT: (Unexpected, False, Taken),
    Kind.CUT_BEFORE: (Unreachable, False, Taken),
    Kind.SERVER_ERROR: (Stumbled, False, Stumbled),
    Kind.FAULT_AFTER: (Stumbled, True, Stumbled),
    Kind.TWICE: (Taken, True, Taken),
    Kind.SLOW_AFTER: (Unreachable, True, Taken),
    Kind.CUT_AFTER: (Unreachable, True, Taken),
    Kind.CUT: (Unreachable, True, Taken),
    Kind.DRIP: (Unreachable, True, Taken),
    Kind.HTML: (Unexpected, True, Taken),
    Kind.HALF_JSON: (Unexpected, True, Taken),
    Kind.WRONG_TYPES: (Unexpected, True, Taken),
    Kind.HUGE: (Unexpected, True, Taken),
    Kind.WRONG_AMOUNT: (Unexpected, True, Taken),
    Kind.WRONG_CURRENCY: (Unexpected, True, Taken),
    Kind.WRONG_REFERENCE: (Unexpected, True, Taken),
    Kind.UNKNOWN_STATUS: (Unexpected, True, Taken),
    Kind.WRONG_KEY: (Unexpected, True, Taken),
    Kind.LIVE_MODE: (Unexpected, True, Taken),
    Kind.CLOCK_OFF: (Taken, True, Taken),
}


TOO_SLOW = (Kind.SLOW_AFTER, Kind.DRIP)


@pytest.fixture
def hasty(till, clock):
    """A client that gives up soon; only for what is too slow, so that a busy machine is not."""
    client = StripeGateway(till.url, till.key, deadline=0.4, clock=clock)
    yield client
    client.close()


def ending(call):
    """What a call ends as: the kind of its value, or of what it raises."""
    try:
        return type(call())
    except (Unreachable, Unexpected) as problem:
        return type(problem)


def until_heard(call):
    """Ask again while an earlier request of the same key is still under way."""
    while True:
        try:
            return call()
        except GatewayBusy:
            threading.Event().wait(0.05)


def test_every_misbehaviour_is_tried():
    assert set(AFTER_A_CHARGE) | {Kind.SLOW, Kind.LATE} == set(Kind)


@pytest.mark.parametrize("kind", AFTER_A_CHARGE)
def test_a_charge_under_every_misbehaviour(till, hasty, client, clock, kind):
    ends, moved, later = AFTER_A_CHARGE[kind]
    order = new_order()
    caller = hasty if kind in TOO_SLOW else client
    till.misbehave(kind, method="POST", seconds=1)
    assert ending(lambda: caller.charge(order)) is ends
    assert len(caller.exchanges) == 1, "one request, no library's own retries"
    till.behave()
    assert times_taken(till, order) == moved
    found = client.find(order.payment_id, AMOUNT, since=clock.now)
    assert isinstance(found, Taken) == moved
    assert found is not None or not moved
    assert ending(lambda: until_heard(lambda: client.charge(order))) is later
    assert times_taken(till, order) == (moved or later is Taken)


@pytest.mark.parametrize("kind", AFTER_A_CHARGE)
def test_a_decline_under_every_misbehaviour(till, hasty, client, clock, kind):
    ends = Declined if AFTER_A_CHARGE[kind][0] is Taken else AFTER_A_CHARGE[kind][0]
    order = new_order(DECLINING)
    caller = hasty if kind in TOO_SLOW else client
    till.misbehave(kind, method="POST", seconds=1)
    assert ending(lambda: caller.charge(order)) is ends
    till.behave()
    found = client.find(order.payment_id, AMOUNT, since=clock.now)
    assert not isinstance(found, Taken)
    assert times_taken(till, order) == 0


@pytest.mark.parametrize("kind", AFTER_A_CHARGE)
def test_a_refund_under_every_misbehaviour(till, hasty, client, kind):
    ends, moved, later = (Refunded if end is Taken else end for end in AFTER_A_CHARGE[kind])
    if kind is Kind.LIVE_MODE:
        ends = Refunded  # a refund does not tell in which world it is
    taken = client.charge(new_order())
    order = RefundOrder("refund", taken.id, Money(100))
    till.misbehave(kind, path="/v1/refunds", method="POST", seconds=1)
    assert ending(lambda: (hasty if kind in TOO_SLOW else client).refund(order)) is ends
    till.behave()
    assert (client.find_refund(order) is not None) == bool(moved)
    assert ending(lambda: until_heard(lambda: client.refund(order))) is later
    assert till.tally()["refunded_cents"] == (100 if moved or later is Refunded else 0)


HARMLESS = (Kind.TWICE, Kind.CLOCK_OFF, Kind.WRONG_KEY)  # a look-up sends no key


@pytest.mark.parametrize("kind", AFTER_A_CHARGE)
def test_reading_under_every_misbehaviour(till, hasty, client, clock, kind):
    """A list that is not whole never says “absent”, and no answer says what is not so."""
    order, page_order = new_order(), new_page(till, clock)
    taken, page = client.charge(order), client.open_page(page_order)
    pay_on(page.url)
    till.misbehave(kind, method="GET", seconds=-60 if kind is Kind.CLOCK_OFF else 1)
    caller = hasty if kind in TOO_SLOW else client
    calls = {
        "payment": lambda: caller.payment(taken.id, order.payment_id, AMOUNT),
        "find": lambda: caller.find(order.payment_id, AMOUNT, since=clock.now),
        "page": lambda: caller.page(page.id, page_order.payment_id, AMOUNT).outcome,
        "find_page": lambda: caller.find_page(page_order.payment_id, AMOUNT, since=clock.now),
    }
    for name, call in calls.items():
        try:
            found = call()
        except (Unreachable, Unexpected):
            assert kind not in HARMLESS, name
        else:
            # A list in which our reference was changed cannot be told from one without us.
            if kind is Kind.WRONG_REFERENCE and name in ("find", "find_page"):
                assert found is None
            else:
                assert kind in HARMLESS, name
                assert found is not None


def test_a_request_that_arrives_late_is_found_late(till, client, clock):
    """An absent look-up is no proof while a request may be under way."""
    order = new_order()
    till.misbehave(Kind.LATE, method="POST", times=1, seconds=1)
    assert ending(lambda: client.charge(order)) is Unreachable
    assert client.find(order.payment_id, AMOUNT, since=clock.now) is None
    while times_taken(till, order) == 0:
        threading.Event().wait(0.05)
    assert isinstance(client.find(order.payment_id, AMOUNT, since=clock.now), Taken)
    assert isinstance(client.charge(order), Taken)
    assert times_taken(till, order) == 1


def test_a_second_request_of_the_same_key_waits_for_the_first(till, hasty, client):
    order = new_order()
    till.misbehave(Kind.SLOW, method="POST", times=1, seconds=1.5)
    assert ending(lambda: hasty.charge(order)) is Unreachable
    assert ending(lambda: client.charge(order)) is GatewayBusy
    assert isinstance(until_heard(lambda: client.charge(order)), Taken)
    assert times_taken(till, order) == 1


@pytest.mark.parametrize("kind", [Kind.DRIP, Kind.SLOW, Kind.SLOW_AFTER])
def test_one_deadline_bounds_the_whole_exchange(till, hasty, kind):
    """Each byte of a dripping answer comes in time; only the whole does not."""
    till.misbehave(kind, method="POST", times=1, seconds=1)
    with pytest.raises(Unreachable) as problem:
        hasty.charge(new_order())
    assert str(problem.value) == NOT_KNOWN
    assert hasty.exchanges[-1].outcome == "timed out"


def test_a_gateway_that_is_off_is_unknown(till, client):
    till.web.shut()
    with pytest.raises(Unreachable, match="Do not take it again"):
        client.charge(new_order())


@pytest.mark.parametrize(("off", "counts"), [(-2, False), (-0.5, True), (2, True), (72, True)])
def test_a_list_by_time_from_a_clock_that_is_behind_proves_nothing(
    till, client, clock, off, counts
):
    order = new_order()
    till.misbehave(Kind.CLOCK_OFF, seconds=off * 3600)
    taken = client.charge(order)
    call = lambda: client.find(order.payment_id, AMOUNT, since=clock.now)  # noqa: E731
    if counts:
        assert call() == taken
    else:
        with pytest.raises(Unexpected, match="clock is behind"):
            call()


def test_a_payment_that_is_there_twice_is_for_a_person(till, client, clock):
    order = new_order()
    client.charge(order)
    clock.on(hours=25)
    client.charge(order)
    with pytest.raises(Unexpected, match="twice"):
        client.find(order.payment_id, AMOUNT, since=clock.now - timedelta(days=2))


def test_somebody_elses_payment_is_not_ours(client):
    order = new_order()
    taken = client.charge(order)
    for asked in (("another", AMOUNT), (order.payment_id, Money(1))):
        with pytest.raises(Unexpected):
            client.payment(taken.id, *asked)


KINDS = st.sampled_from([None, *AFTER_A_CHARGE])


@settings(max_examples=40, deadline=None)
@given(
    wrongs=st.lists(KINDS, max_size=5),
    method=st.sampled_from(["pm_card_visa", DECLINING, "pm_card_chargeDeclinedProcessingError"]),
    hours=st.lists(st.integers(0, 4), max_size=5),
)
def test_a_courier_that_follows_the_rules_is_never_told_a_lie(wrongs, method, hours):
    """Whatever goes wrong in whatever order: what counts is what the gateway's books say."""
    now = [datetime(2026, 11, 23, 16, 30, tzinfo=UTC)]
    began = now[0]
    with gateway.running(":memory:", clock=lambda: now[0]) as till:
        client = StripeGateway(till.url, till.key, deadline=0.25, clock=lambda: now[0])
        order, heard = new_order(method), []
        for place, kind in enumerate([*wrongs, None]):
            if kind is not None:
                till.misbehave(kind, times=1, seconds=0.3)
            for call in (
                lambda: client.charge(order),
                lambda: client.find(order.payment_id, AMOUNT, since=began),
            ):
                try:
                    heard.append(call())
                except (Unreachable, Unexpected):
                    continue
            till.behave()
            now[0] += timedelta(hours=hours[place] if place < len(hours) else 0)
        told = till.tally()["by_reference"].get(order.payment_id, 0)
        client.close()
    assert told <= 1
    ends = {type(one) for one in heard if one is not None}
    assert ends <= ({Taken} if told else {Declined})


# Answers from nowhere


@pytest.fixture(scope="module")
def true_bodies():
    """A taken payment and a declined one, as the training gateway tells them."""
    with gateway.running(":memory:") as till:
        found = []
        for method in ("pm_card_visa", DECLINING):
            form = {
                "amount": AMOUNT.cents,
                "currency": "usd",
                "payment_method": method,
                "confirm": "true",
                "metadata[payment]": "p",
                "expand[0]": "latest_charge",
            }
            answer = requests.post(
                f"{till.url}/v1/payment_intents", form, timeout=10,
                headers={"Authorization": f"Bearer {till.key}"},
            ).json()  # fmt: skip
            found.append(answer.get("error", {}).get("payment_intent") or answer)
    return found


ODD = st.sampled_from(
    [None, True, False, 0, 1, -8410, 8410.0, 10**30, "", "8410", "usd", "eur", "succeeded",
     "processing", "requires_payment_method", "canceled", "requires_action", "p", [], {}, [{}],
     {"payment": "q"}, "charge", "payment_intent", "x" * 300, "\0"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(data=st.data(), which=st.sampled_from([0, 1]))
def test_a_body_with_anything_changed_counts_as_what_it_was_or_not_at_all(true_bodies, data, which):
    body = copy.deepcopy(true_bodies[which])
    truth = stripe_answers.outcome(body, "p", AMOUNT)
    places = [body]
    if isinstance(body["latest_charge"], dict):
        places.append(body["latest_charge"])
    place = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[name]
    else:
        place[name] = data.draw(ODD)
    try:
        found = stripe_answers.outcome(body, "p", AMOUNT)
    except Misfit:
        return
    if name == "status" and place is body and place.get("status") == "canceled":
        assert which == 1, "money that was received is never “called off”"
        return
    assert type(found) is type(truth)
    assert found.reference == "p"


class Answering(http.server.BaseHTTPRequestHandler):
    """Says to everybody what a test gave it."""

    said: ClassVar[tuple[int, object]] = (200, {})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.said
        whole = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def parrot():
    """A gateway that says what it is told to."""
    with listening_socket() as taken:
        address = taken.getsockname()
    with http.server.ThreadingHTTPServer(address, Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def failed_charge(taken, _declined):
    return 200, {**taken, "latest_charge": {**taken["latest_charge"], "status": "failed"}}


ALMOST = {
    "201": lambda taken, _: (201, taken),
    "a list": lambda taken, _: (200, [taken]),
    "a list object": lambda taken, _: (200, {"object": "list", "data": [taken]}),
    "less received": lambda taken, _: (200, {**taken, "amount_received": 8409}),
    "a failed charge": failed_charge,
    "only the charge's id": lambda taken, _: (200, {**taken, "latest_charge": "ch_1"}),
    "another's charge": lambda taken, _: (
        200, {**taken, "latest_charge": {**taken["latest_charge"], "payment_intent": "pi_1"}}
    ),
    "a decline by 200": lambda _, declined: (200, declined),
    "a decline without a payment": lambda _, __: (402, {"error": {"type": "card_error"}}),
    "a decline of a taken payment": lambda taken, _: (
        402, {"error": {"type": "card_error", "payment_intent": taken}}
    ),
    "a 402 that is no decline": lambda _, declined: (
        402, {"error": {"type": "api_error", "payment_intent": declined}}
    ),
    "a decline that received money": lambda _, declined: (
        402,
        {"error": {"type": "card_error", "payment_intent": {**declined, "amount_received": 1}}},
    ),
    "a decline of something untried": lambda _, declined: (
        402,
        {"error": {"type": "card_error",
                   "payment_intent": {**declined, "last_payment_error": None}}},
    ),
    "a payment called off": lambda taken, _: (
        200, {**taken, "status": "canceled", "amount_received": 0}
    ),
}  # fmt: skip


@pytest.mark.parametrize("almost", ALMOST)
def test_an_answer_that_is_almost_right_does_not_count(parrot, true_bodies, almost):
    client = StripeGateway(parrot, "sk_test_1", deadline=5)
    order = Order("p", "pm_card_visa", AMOUNT)
    taken, declined = true_bodies
    Answering.said = 200, taken
    assert isinstance(client.charge(order), Taken), "as it is, it counts"
    error = {"type": "card_error", "code": "card_declined", "payment_intent": declined}
    Answering.said = 402, {"error": error}
    assert isinstance(client.charge(order), Declined), "as it is, it counts"
    Answering.said = ALMOST[almost](taken, declined)
    with pytest.raises(Unexpected, match="Do not take it again"):
        client.charge(order)
    client.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"payment_status": "unpaid"}, {"mode": "setup"}, {"client_reference_id": "another"},
        {"metadata": {}}, {"amount_total": 1}, {"currency": "cad"}, {"status": "nearly"},
        {"payment_intent": None}, {"payment_intent": "pi_1"}, {"object": "payment_link"},
        {"expires_at": "soon"}, {"id": "../.."},
        {"status": "open", "url": "http://gateway.example/pay"},
        {"status": "open", "url": "javascript:alert(1)"}, {"status": "open", "url": None},
    ],
    ids=repr,
)  # fmt: skip
def test_a_page_that_is_almost_ours_does_not_count(till, client, clock, changed):
    order = new_page(till, clock)
    page = client.open_page(order)
    pay_on(page.url)
    body = requests.get(
        f"{till.url}/v1/checkout/sessions/{page.id}?expand[]=payment_intent.latest_charge",
        headers={"Authorization": f"Bearer {till.key}"}, timeout=10,
    ).json()  # fmt: skip
    assert stripe_answers.page(body, order.payment_id, AMOUNT).outcome is not None
    with pytest.raises(Misfit):
        stripe_answers.page({**body, **changed}, order.payment_id, AMOUNT)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["object", "id", "status", "amount", "data"]), inner)
        ),
        max_leaves=12,
    )
)
def test_nonsense_is_a_misfit(value):
    for form in (
        lambda: stripe_answers.outcome(value, "p", AMOUNT),
        lambda: stripe_answers.page(value, "p", AMOUNT),
        lambda: stripe_answers.method(value),
        lambda: stripe_answers.customer(value),
        lambda: stripe_answers.refund(value, AMOUNT, "r"),
        lambda: stripe_answers.charge_line(value),
    ):
        with pytest.raises(Misfit):
            form()


# The key


SECRET = "sk_test_training_Q7z"


def test_the_key_is_in_no_log_and_reached_from_no_exception(till, caplog):
    caplog.set_level(logging.DEBUG)
    client = StripeGateway(till.url, SECRET, deadline=0.4)
    problems = []
    for kind in (Kind.CUT_AFTER, Kind.UNAUTHORIZED, Kind.HTML, Kind.DRIP, Kind.SERVER_ERROR):
        till.misbehave(kind, times=1, seconds=2)
        with pytest.raises((Unreachable, Unexpected)) as problem:
            client.charge(new_order())
        problems.append(problem.value)
    for problem in problems:
        told = traceback.TracebackException.from_exception(problem, capture_locals=True)
        assert SECRET not in "".join(told.format())
        assert SECRET not in repr(problem) + str(problem) + repr(vars(problem))
        assert not _reaches(problem, SECRET)
    assert SECRET not in caplog.text
    assert SECRET not in repr(client.exchanges) + repr(vars(client))
    client.close()


def _reaches(problem, secret):
    """Whether the key lies anywhere that the exception itself leads to."""
    waiting, seen = [problem], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.TracebackType):
            continue
        seen.add(id(one))
        if isinstance(one, str) and secret in one:
            return True
        if isinstance(one, BaseException):
            waiting += [*one.args, vars(one), one.__cause__, one.__context__]
        elif isinstance(one, dict | list | tuple):
            waiting += gc.get_referents(one)
        elif hasattr(one, "__dict__"):
            waiting.append(vars(one))
    return False


@pytest.mark.parametrize(
    ("url", "key", "taken"),
    [
        ("https://api.stripe.com", "sk_live_1", True),
        ("https://api.stripe.com", "sk_test_1", True),
        ("http://127.0.0.1:4242", "sk_test_training", True),
        ("http://api.stripe.com", "sk_test_1", False),
        ("http://gateway.example", "sk_live_1", False),
        ("http://127.0.0.1:4242", "sk_live_1", False),
        ("https://localhost:4242", "rk_live_1", False),
    ],
)
def test_a_key_is_only_shown_where_it_belongs(url, key, taken):
    if taken:
        StripeGateway(url, key).close()
    else:
        with pytest.raises(ValueError, match="gateway"):
            StripeGateway(url, key)


def test_a_desk_gives_a_bank_account_with_a_key_that_can_do_nothing_else(till, client):
    teller = StripeTeller(till.url, "pk_test_training", deadline=5)
    account = BankAccount("Rose DeLong", "110000000", "000123456789")
    given = teller.add_bank_account("one", account)
    assert (given.kind, given.last_four) == (MethodKind.BANK, "6789")
    assert teller.add_bank_account("one", account) == given
    customer = client.add_customer("c", "7", "Rose", "").id
    assert client.save_method(given.id, customer) == given
    assert teller.exchanges
    teller.close()
    assert not hasattr(teller, "charge")
    unheeding = StripeGateway(till.url, "pk_test_training", deadline=5)
    with pytest.raises(KeyRefused):
        unheeding.charge(Order("p", given.id, AMOUNT))
    unheeding.close()
    assert till.tally()["charges"] == 0


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://api.stripe.com", "sk_live_1"),
        ("https://api.stripe.com", "rk_test_1"),
        ("http://127.0.0.1:4242", "pk_live_1"),
        ("http://api.stripe.com", "pk_test_1"),
    ],
)
def test_a_desk_holds_no_key_but_a_publishable_one(url, key):
    with pytest.raises(ValueError, match="gateway"):
        StripeTeller(url, key)


def test_a_gateway_with_a_certificate_nobody_vouches_for_is_told_nothing(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        not_run("openssl is not installed")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
            "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    heard = []
    with listening_socket() as listening:

        def serve():
            connection, _ = listening.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    heard.append(secure.recv(1000))
            except OSError:
                pass  # the client would not go on, as it should

        thread = threading.Thread(target=serve)
        thread.start()
        client = StripeGateway(f"https://localhost:{listening.getsockname()[1]}", "sk_test_1")
        with pytest.raises(Unreachable):
            client.charge(new_order())
        client.close()
        thread.join()
    assert heard == []


# Gateways that nobody here wrote


@pytest.fixture
def at_localstripe(localstripe):
    client = StripeGateway(localstripe, LOCAL_KEY, deadline=5)
    yield client
    client.close()


def test_localstripe_keeps_customers_and_cards(at_localstripe):
    customer = at_localstripe.add_customer("k", "member 7", "Rose DeLong", "rose@example.org")
    assert at_localstripe.customer(customer.id) == customer
    card = at_localstripe.save_method("pm_card_visa", customer.id)
    assert card.words == "Visa ending in 4242"
    assert at_localstripe.methods(customer.id, (MethodKind.CARD,)) == (card,)
    refused = at_localstripe.save_method("pm_card_visa_chargeDeclined", customer.id)
    assert isinstance(refused, Declined)
    assert refused.code == "card_declined"
    at_localstripe.remove_method(card.id)
    assert at_localstripe.methods(customer.id, (MethodKind.CARD,)) == ()


def test_localstripe_charges_a_stored_card_and_gives_back(at_localstripe):
    customer = at_localstripe.add_customer("k", "member 7", "Rose DeLong", "")
    card = at_localstripe.save_method("pm_card_visa", customer.id)
    order = new_order(card.id, customer=customer.id)
    taken = at_localstripe.charge(order)
    assert isinstance(taken, Taken)
    assert taken.settled
    assert at_localstripe.payment(taken.id, order.payment_id, AMOUNT) == taken
    with pytest.raises(Unexpected):
        at_localstripe.payment(taken.id, "another", AMOUNT)
    back = at_localstripe.refund(RefundOrder("r", taken.id, Money(410)))
    assert isinstance(back, Refunded)
    assert at_localstripe.refunds(taken.id) == (back,)


def test_localstripes_decline_does_not_say_of_what_and_so_is_unknown(localstripe, at_localstripe):
    """Its 402 names no payment of ours; asking for the payment itself tells."""
    customer = at_localstripe.add_customer("k", "member 7", "Rose DeLong", "")
    card = at_localstripe.save_method("pm_card_chargeCustomerFail", customer.id)
    order = new_order(card.id, customer=customer.id)
    with pytest.raises(Unexpected, match="Do not take it again"):
        at_localstripe.charge(order)
    listed = requests.get(
        f"{localstripe}/v1/payment_intents", {"limit": 100}, timeout=10,
        headers={"Authorization": f"Bearer {LOCAL_KEY}"},
    ).json()["data"]  # fmt: skip
    (ours,) = [p for p in listed if p["metadata"].get("payment") == order.payment_id]
    declined = at_localstripe.payment(ours["id"], order.payment_id, AMOUNT)
    assert isinstance(declined, Declined)
    assert declined.code == "card_declined"


def test_localstripe_is_not_asked_for_what_it_does_not_know(at_localstripe, clock):
    """No list by time, no pages, no bank accounts: each is a refusal and none an answer."""
    order = new_order()
    for call in (
        lambda: at_localstripe.find(order.payment_id, AMOUNT, since=clock.now),
        lambda: at_localstripe.add_bank_account("b", BankAccount("R", "110000000", "000123456789")),
        lambda: at_localstripe.find_page(order.payment_id, AMOUNT, since=clock.now),
    ):
        assert issubclass(ending(call), Unexpected)


@pytest.fixture
def at_mock(stateful_mock):
    client = StripeGateway(stateful_mock, LOCAL_KEY, deadline=5)
    yield client
    client.close()


def mock_charge(url, source, key):
    return requests.post(
        f"{url}/v1/charges",
        {"amount": AMOUNT.cents, "currency": "usd", "source": source, "metadata[payment]": key},
        headers={"Authorization": f"Bearer {LOCAL_KEY}", "Idempotency-Key": key},
        timeout=10,
    ).json()


def test_the_stateful_mocks_charges_are_read_with_their_declines(stateful_mock, at_mock):
    """Left out: for insufficient funds its list gives another reason than its 402."""
    sources = {
        "tok_visa": "", "tok_chargeDeclined": "generic_decline",
        "tok_chargeDeclinedExpiredCard": "expired_card",
        "tok_chargeDeclinedIncorrectCvc": "incorrect_cvc",
        "tok_chargeDeclinedProcessingError": "processing_error",
    }  # fmt: skip
    for source in sources:
        mock_charge(stateful_mock, source, source)
    now = datetime.now(UTC)
    lines = {
        line.reference: line
        for line in at_mock.charges(now - timedelta(hours=1), now + timedelta(hours=1))
    }
    assert {source: lines[source].code for source in sources} == sources
    assert lines["tok_visa"].status is ChargeStatus.SUCCEEDED
    assert lines["tok_visa"].method.words == "Visa ending in 4242"


def test_the_stateful_mock_holds_our_keys_to_their_word(stateful_mock, at_mock):
    charge = mock_charge(stateful_mock, "tok_visa", str(uuid.uuid4()))["id"]
    order = RefundOrder(str(uuid.uuid4()), charge, Money(8000))
    back = at_mock.refund(order)
    assert isinstance(back, Refunded)
    # It replays as a web page, not as data: that does not count, and the look-up tells.
    with pytest.raises(Unexpected, match="Do not take it again"):
        at_mock.refund(order)
    assert at_mock.find_refund(order) == back
    with pytest.raises(Unexpected, match="Do not take it again"):
        at_mock.refund(RefundOrder(order.refund_id, charge, Money(1)))
    assert at_mock.refund(RefundOrder("r2", charge, Money(411))) == RefundRefused(
        "amount", "Nothing was given back: it is more than is left of the payment."
    )
    at_mock.refund(RefundOrder("r3", charge, Money(410)))
    assert at_mock.refund(RefundOrder("r4", charge, Money(1))).code == "charge_already_refunded"
    assert sum(one.amount.cents for one in at_mock.refunds(charge)) == AMOUNT.cents
