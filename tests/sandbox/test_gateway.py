"""The training gateway against Stripe's own client library, and against what it documents."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import requests
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from console.sandbox import gateway
from console.sandbox.gateway import Kind
from console.sandbox.gateway_forms import Fault, tree
from console.sandbox.gateway_rules import (
    TEST_ACCOUNTS,
    TEST_CARDS,
    TEST_METHODS,
    has_luhn,
    has_routing_check,
)
from tests.browser import chromium, page
from tests.gateways import clock, gateway_process, pay_on, till

__all__ = ["chromium", "clock", "page", "till"]

DAY = 86_400


@pytest.fixture
def sdk(till) -> Iterator[stripe.StripeClient]:
    """Stripe's official library, pointed at the training gateway."""
    http = stripe.RequestsClient(timeout=5, session=(session := requests.Session()))
    yield stripe.StripeClient(
        till.key, base_addresses={"api": till.url}, max_network_retries=0, http_client=http
    )
    session.close()


def payment(amount=8410, method="pm_card_visa", **more):
    return {"amount": amount, "currency": "usd", "payment_method": method, "confirm": True, **more}


def session(till, **more):
    return {
        "mode": "payment",
        "success_url": f"{till.url}/done?id={{CHECKOUT_SESSION_ID}}",
        "line_items": [
            {
                "price_data": {
                    "currency": "usd", "unit_amount": cents, "product_data": {"name": name}
                },
                "quantity": 1,
            }
            for name, cents in (("Account 10234-01", 6210), ("Account 20480-01", 2200))
        ],
        **more,
    }  # fmt: skip


def key(value):
    return {"idempotency_key": value}


def post(till, path, data=(), **headers):
    return requests.post(
        f"{till.url}/v1/{path}",
        data=data,
        headers={"Authorization": f"Bearer {till.key}", **headers},
        timeout=10,
    )


# Stripe's library as the client


def test_the_library_makes_finds_and_changes_a_customer(sdk):
    made = sdk.v1.customers.create(
        {"name": "Rose DeLong", "email": "rose@example.org", "metadata": {"member": "7"}}
    )
    sdk.v1.customers.update(made.id, {"phone": "555-0147"})
    found = sdk.v1.customers.retrieve(made.id)
    assert (found.name, found.phone, found.metadata["member"]) == ("Rose DeLong", "555-0147", "7")
    (listed,) = sdk.v1.customers.list({"email": "rose@example.org"}).data
    assert listed.id == made.id
    with pytest.raises(stripe.InvalidRequestError) as problem:
        sdk.v1.customers.retrieve("cus_nobody")
    assert (problem.value.code, problem.value.http_status) == ("resource_missing", 404)


def test_the_library_saves_lists_and_takes_away_methods(sdk):
    customer = sdk.v1.customers.create({}).id
    card = sdk.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})
    bank = sdk.v1.payment_methods.create(
        {
            "type": "us_bank_account",
            "billing_details": {"name": "Rose DeLong"},
            "us_bank_account": {
                "routing_number": "110000000", "account_number": "000123456789",
                "account_holder_type": "individual",
            },
        }
    )  # fmt: skip
    sdk.v1.payment_methods.attach(bank.id, {"customer": customer})
    listed = sdk.v1.payment_methods.list({"customer": customer}).data
    assert [one.id for one in listed] == [bank.id, card.id]
    (only,) = sdk.v1.payment_methods.list({"customer": customer, "type": "card"}).data
    assert (only.card.brand, only.card.last4) == ("mastercard", "4444")
    assert bank.us_bank_account.last4 == "6789"
    sdk.v1.payment_methods.detach(card.id)
    assert sdk.v1.payment_methods.retrieve(card.id).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        sdk.v1.payment_methods.detach(card.id)
    with pytest.raises(stripe.CardError) as problem:
        sdk.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer})
    assert problem.value.error.decline_code == "generic_decline"


def test_the_library_charges_and_reads_back(sdk):
    customer = sdk.v1.customers.create({}).id
    method = sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    taken = sdk.v1.payment_intents.create(
        payment(method=method, customer=customer, off_session=True, metadata={"payment": "p1"},
                expand=["latest_charge"]),
        key("p1"),
    )  # fmt: skip
    assert (taken.status, taken.amount_received) == ("succeeded", 8410)
    assert taken.last_response.idempotency_key == "p1"
    assert taken.last_response.request_id.startswith("req_")
    charge = taken.latest_charge
    assert (charge.status, charge.paid, charge.metadata["payment"]) == ("succeeded", True, "p1")
    assert charge.payment_method_details.card.last4 == "4242"
    again = sdk.v1.payment_intents.retrieve(taken.id)
    assert again.latest_charge == charge.id
    assert sdk.v1.charges.retrieve(charge.id).payment_intent == taken.id
    found = sdk.v1.payment_intents.search({"query": "metadata['payment']:'p1'"})
    assert [one.id for one in found.data] == [taken.id]
    assert sdk.v1.payment_intents.search({"query": "metadata['payment']:'p2'"}).data == []


@pytest.mark.parametrize(
    ("method", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
    ],
)
def test_the_library_is_told_why_a_card_was_declined(till, sdk, method, code, decline):
    with pytest.raises(stripe.CardError) as problem:
        sdk.v1.payment_intents.create(payment(method=method, metadata={"payment": "p"}))
    error = problem.value.error
    assert (problem.value.http_status, problem.value.code) == (402, code)
    assert error.decline_code == decline
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.last_payment_error.decline_code == decline
    assert till.tally()["charges"] == 0


def test_a_declined_payment_can_be_confirmed_with_another_card(till, sdk):
    with pytest.raises(stripe.CardError) as problem:
        sdk.v1.payment_intents.create(payment(method="pm_card_chargeDeclined"))
    intent = problem.value.error.payment_intent.id
    again = sdk.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as problem:
        sdk.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert problem.value.code == "payment_intent_unexpected_state"
    assert till.tally()["charges"] == 1


def test_a_card_that_wants_its_holder_is_not_charged_without_them(till, sdk):
    wants = "pm_card_authenticationRequired"
    with pytest.raises(stripe.CardError) as problem:
        sdk.v1.payment_intents.create(payment(method=wants, off_session=True))
    assert problem.value.code == "authentication_required"
    here = sdk.v1.payment_intents.create(payment(method=wants))
    assert here.status == "requires_action"
    assert sdk.v1.payment_intents.cancel(here.id).status == "canceled"
    assert till.tally()["charges"] == 0


def test_the_library_gives_back_no_more_than_was_taken(till, sdk):
    taken = sdk.v1.payment_intents.create(payment(1000))
    first = sdk.v1.refunds.create(
        {"payment_intent": taken.id, "amount": 400, "metadata": {"refund": "r"}}, key("r1")
    )
    assert (first.status, first.amount, first.charge) == ("succeeded", 400, taken.latest_charge)
    again = sdk.v1.refunds.create(
        {"payment_intent": taken.id, "amount": 400, "metadata": {"refund": "r"}}, key("r1")
    )
    assert again.id == first.id
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as problem:
        sdk.v1.refunds.create({"charge": taken.latest_charge, "amount": 601})
    assert problem.value.param == "amount"
    sdk.v1.refunds.create({"charge": taken.latest_charge})
    with pytest.raises(stripe.InvalidRequestError) as problem:
        sdk.v1.refunds.create({"payment_intent": taken.id})
    assert problem.value.code == "charge_already_refunded"
    assert [r.amount for r in sdk.v1.refunds.list({"payment_intent": taken.id}).data] == [600, 400]
    assert sdk.v1.charges.retrieve(taken.latest_charge).refunded is True
    assert till.tally()["refunded_cents"] == 1000


def test_the_library_pages_through_a_list_and_bounds_it_in_time(till, sdk, clock):
    for amount in range(100, 125):
        sdk.v1.payment_intents.create(payment(amount))
        clock.on(seconds=10)
    every = [p.amount for p in sdk.v1.payment_intents.list({"limit": 7}).auto_paging_iter()]
    assert every == list(range(124, 99, -1))
    start = int(datetime(2026, 11, 23, 16, 30, tzinfo=UTC).timestamp())
    some = sdk.v1.charges.list({"created": {"gte": start + 50, "lt": start + 80}, "limit": 100})
    assert [c.amount for c in some.data] == [107, 106, 105]
    back = sdk.v1.charges.list({"ending_before": some.data[0].id, "limit": 2})
    assert [c.amount for c in back.data] == [109, 108]


def test_the_library_opens_reads_and_shuts_a_payment_page(till, sdk):
    opened = sdk.v1.checkout.sessions.create(
        session(till, client_reference_id="p1", payment_intent_data={"metadata": {"payment": "p1"}})
    )
    assert (opened.status, opened.payment_status, opened.amount_total) == ("open", "unpaid", 8410)
    assert len(opened.id) > 64, "as long as Stripe's own"
    assert pay_on(opened.url).status_code == 200
    used = sdk.v1.checkout.sessions.retrieve(
        opened.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert (used.status, used.payment_status) == ("complete", "paid")
    assert used.payment_intent.metadata["payment"] == "p1"
    assert used.payment_intent.latest_charge.payment_method_details.card.last4 == "4242"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status"):
        sdk.v1.checkout.sessions.expire(opened.id)
    (found,) = sdk.v1.checkout.sessions.list({"payment_intent": used.payment_intent.id}).data
    assert found.id == opened.id
    other = sdk.v1.checkout.sessions.create(session(till))
    assert sdk.v1.checkout.sessions.expire(other.id).status == "expired"
    assert pay_on(other.url).text.count("This page has closed.") == 1
    assert till.tally()["by_reference"] == {"p1": 1}


def test_the_library_saves_a_card_on_a_page(till, sdk):
    customer = sdk.v1.customers.create({}).id
    opened = sdk.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": customer, "success_url": "https://a.b/"}
    )
    assert "did not" not in pay_on(opened.url, number="4000000000000002").text
    assert sdk.v1.payment_methods.list({"customer": customer}).data == [], "its bank said no"
    assert "Saved." in pay_on(opened.url).text
    setup = sdk.v1.setup_intents.retrieve(sdk.v1.checkout.sessions.retrieve(opened.id).setup_intent)
    (saved,) = sdk.v1.payment_methods.list({"customer": customer}).data
    assert (setup.status, setup.payment_method) == ("succeeded", saved.id)
    assert till.tally()["charges"] == 0


# Bank debits, by the gateway's clock


@pytest.mark.parametrize(
    ("method", "days", "status", "code", "returned"),
    [
        ("pm_usBankAccount_success", 4, "succeeded", None, None),
        ("pm_usBankAccount_insufficientFunds", 2, "failed", "insufficient_funds", "R01"),
        ("pm_usBankAccount_accountClosed", 2, "failed", "account_closed", "R02"),
        ("pm_usBankAccount_noAccount", 2, "failed", "no_account", "R03"),
        ("pm_usBankAccount_debitNotAuthorized", 3, "failed", "debit_not_authorized", "R10"),
    ],
)
def test_a_bank_debit_ends_days_later(till, sdk, clock, method, days, status, code, returned):
    mandate = {"customer_acceptance": {"type": "offline", "accepted_at": 1_764_000_000}}
    wanted = payment(method=method, payment_method_types=["us_bank_account"], mandate_data=mandate)
    begun = sdk.v1.payment_intents.create(wanted)
    assert begun.status == "processing"
    clock.on(days=days, seconds=-1)
    assert sdk.v1.payment_intents.retrieve(begun.id).status == "processing"
    clock.on(seconds=1)
    charge = sdk.v1.charges.retrieve(begun.latest_charge)
    assert (charge.status, charge.failure_code) == (status, code)
    assert charge.outcome.network_decline_code == returned if returned else charge.paid
    ended = sdk.v1.payment_intents.retrieve(begun.id)
    assert ended.status == ("succeeded" if code is None else "requires_payment_method")
    assert till.tally()["charges"] == (code is None)


def test_a_settled_debit_may_still_be_disputed(sdk, clock):
    mandate = {"customer_acceptance": {"type": "offline"}}
    begun = sdk.v1.payment_intents.create(
        payment(method="pm_usBankAccount_dispute", mandate_data=mandate)
    )
    clock.on(days=4)
    assert sdk.v1.payment_intents.retrieve(begun.id).status == "succeeded"
    clock.on(days=16)
    assert sdk.v1.charges.retrieve(begun.latest_charge).disputed is True
    (dispute,) = sdk.v1.disputes.list({"charge": begun.latest_charge}).data
    assert dispute.reason == "debit_not_authorized"
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        sdk.v1.refunds.create({"charge": begun.latest_charge})


def test_a_bank_account_is_not_debited_without_authorization_and_needs_it_once(sdk):
    bank = sdk.v1.payment_methods.create(
        {
            "type": "us_bank_account",
            "billing_details": {"name": "Rose"},
            "us_bank_account": {"routing_number": "110000000", "account_number": "000123456789"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError) as problem:
        sdk.v1.payment_intents.create(payment(method=bank.id))
    assert problem.value.param == "mandate_data"
    authorized = {"customer_acceptance": {"type": "offline"}}
    sdk.v1.payment_intents.create(payment(method=bank.id, mandate_data=authorized))
    assert sdk.v1.payment_intents.create(payment(method=bank.id)).status == "processing"


def test_a_refund_to_a_bank_account_takes_days(sdk, clock):
    begun = sdk.v1.payment_intents.create(
        payment(method="pm_usBankAccount_success",
                mandate_data={"customer_acceptance": {"type": "offline"}})
    )  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="has not succeeded"):
        sdk.v1.refunds.create({"payment_intent": begun.id})
    clock.on(days=4)
    refund = sdk.v1.refunds.create({"payment_intent": begun.id})
    assert refund.status == "pending"
    clock.on(days=5)
    assert sdk.v1.refunds.retrieve(refund.id).status == "succeeded"


# Idempotency keys


def test_a_key_replays_the_first_answer_and_refuses_other_parameters(till, sdk):
    first = sdk.v1.payment_intents.create(payment(), key("k"))
    again = sdk.v1.payment_intents.create(payment(), key("k"))
    assert again == first
    headers = again.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id
    assert "Idempotent-Replayed" not in first.last_response.headers
    with pytest.raises(stripe.IdempotencyError) as problem:
        sdk.v1.payment_intents.create(payment(999), key("k"))
    assert problem.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        sdk.v1.refunds.create({"payment_intent": first.id}, key("k"))
    assert till.tally()["charges"] == 1


def test_a_key_replays_a_decline_although_it_would_now_be_paid(till, sdk):
    declined = payment(method="pm_card_chargeDeclined")
    ids = set()
    for _ in range(3):
        with pytest.raises(stripe.CardError) as problem:
            sdk.v1.payment_intents.create(declined, key("k"))
        ids.add(problem.value.error.payment_intent.id)
    assert len(ids) == 1
    assert till.tally()["declines"] == 1


@pytest.mark.parametrize(("kind", "charges"), [(Kind.SERVER_ERROR, 0), (Kind.FAULT_AFTER, 1)])
def test_a_key_replays_a_500_whether_or_not_it_was_done(till, sdk, kind, charges):
    till.misbehave(kind, times=1)
    for _ in range(3):
        with pytest.raises(stripe.APIError) as problem:
            sdk.v1.payment_intents.create(payment(), key("k"))
        assert problem.value.http_status == 500
    assert till.tally()["charges"] == charges


def test_what_was_refused_before_it_began_is_not_remembered(till):
    form = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "yes"}
    assert post(till, "payment_intents", form, **{"Idempotency-Key": "k"}).status_code == 400
    form["confirm"] = "true"
    assert post(till, "payment_intents", form, **{"Idempotency-Key": "k"}).status_code == 200


def test_a_key_is_forgotten_after_24_hours_and_then_charges_again(till, sdk, clock):
    """The trap of every courier that wakes up late: the same key is then another payment."""
    first = sdk.v1.payment_intents.create(payment(), key("k"))
    clock.on(hours=23, minutes=59)
    assert sdk.v1.payment_intents.create(payment(), key("k")).id == first.id
    clock.on(minutes=1)
    assert sdk.v1.payment_intents.create(payment(), key("k")).id != first.id
    assert till.tally()["charges"] == 2


def test_two_requests_of_one_key_at_once_are_one_charge(till):
    """The second is told 409 while the first is under way, and then its answer."""
    till.misbehave(Kind.SLOW, times=1, seconds=0.5)
    form = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    heard = []
    barrier = threading.Barrier(6)

    def send():
        barrier.wait()
        heard.append(post(till, "payment_intents", form, **{"Idempotency-Key": "k"}))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in heard} == {200, 409}
    busy = next(answer for answer in heard if answer.status_code == 409)
    assert busy.json()["error"]["code"] == "idempotency_key_in_use"
    last = post(till, "payment_intents", form, **{"Idempotency-Key": "k"})
    assert last.headers["Idempotent-Replayed"] == "true"
    assert till.tally()["charges"] == 1


@settings(max_examples=25, deadline=None)
@given(
    sent=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from([100, 200]),
            st.sampled_from(["pm_card_visa", "pm_card_chargeDeclined"]),
            st.sampled_from([None, Kind.FAULT_AFTER, Kind.CUT_AFTER, Kind.TWICE, Kind.DOWN]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_sent_a_key_never_takes_money_twice(sent):
    with gateway.running(":memory:") as till, requests.Session() as http:
        first: dict[str, tuple[int, str]] = {}
        for name, amount, method, kind in sent:
            if kind is not None:
                till.misbehave(kind, times=1)
            with suppress(requests.ConnectionError):
                http.post(
                    f"{till.url}/v1/payment_intents",
                    data={"amount": amount, "currency": "usd", "payment_method": method,
                          "confirm": "true", "metadata[payment]": name},
                    headers={"Authorization": f"Bearer {till.key}", "Idempotency-Key": name},
                    timeout=10,
                )  # fmt: skip
            till.behave()
            if kind is not Kind.DOWN:
                first.setdefault(name, (amount, method))
        told = till.tally()
        paid = {name: cents for name, (cents, how) in first.items() if how == "pm_card_visa"}
        assert told["by_reference"] == dict.fromkeys(paid, 1)
        assert told["cents"] == sum(paid.values())


# The door


@pytest.mark.parametrize(
    "secret",
    ["sk_live_training1234", "sk_test_4eC39HqLyjWDarjt", "rk_live_1", "pk_test_other", ""],
)
def test_only_training_keys_are_taken_and_no_other_is_repeated(till, secret):
    answer = requests.get(
        f"{till.url}/v1/customers", headers={"Authorization": f"Bearer {secret}"}, timeout=10
    )
    assert answer.status_code == 401
    assert not secret or secret not in answer.text


def test_a_publishable_key_hands_in_a_bank_account_and_opens_nothing_else(till, sdk):
    http = stripe.RequestsClient(session=(session := requests.Session()))
    public = stripe.StripeClient(
        "pk_test_training", base_addresses={"api": till.url}, http_client=http
    )
    bank = {
        "type": "us_bank_account",
        "billing_details": {"name": "Rose DeLong"},
        "us_bank_account": {"routing_number": "110000000", "account_number": "000123456789"},
    }
    made = public.v1.payment_methods.create(bank)
    assert sdk.v1.payment_methods.retrieve(made.id).us_bank_account.last4 == "6789"
    customer = sdk.v1.customers.create({}).id
    for refused in (
        lambda: public.v1.payment_methods.retrieve(made.id),
        lambda: public.v1.payment_methods.list({"customer": customer}),
        lambda: public.v1.payment_methods.attach(made.id, {"customer": customer}),
        lambda: public.v1.payment_methods.detach(made.id),
        lambda: public.v1.customers.create({}),
        lambda: public.v1.customers.retrieve(customer),
        lambda: public.v1.payment_intents.create(payment()),
        lambda: public.v1.refunds.create({"payment_intent": "pi_1"}),
        public.v1.charges.list,
        lambda: public.v1.checkout.sessions.create({"success_url": "https://a.b/"}),
    ):
        with pytest.raises(stripe.PermissionError) as problem:
            refused()
        assert (problem.value.http_status, problem.value.error.code) == (403, "secret_key_required")
    assert till.tally()["charges"] == 0
    session.close()


def test_the_library_is_told_that_a_key_is_wrong(till):
    http = stripe.RequestsClient(session=(session := requests.Session()))
    sdk = stripe.StripeClient(
        "sk_live_x", base_addresses={"api": till.url}, max_network_retries=0, http_client=http
    )
    with pytest.raises(stripe.AuthenticationError):
        sdk.v1.customers.list()
    session.close()


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("payment_intents", {"amount": "49", "currency": "usd"}, "amount_too_small"),
        ("payment_intents", {"amount": "100000000", "currency": "usd"}, "amount_too_large"),
        ("payment_intents", {"amount": "1e3", "currency": "usd"}, "parameter_invalid_integer"),
        ("payment_intents", {"amount": "١٢٣", "currency": "usd"}, "parameter_invalid_integer"),
        ("payment_intents", {"currency": "usd"}, "parameter_missing"),
        ("payment_intents", {"amount": "500", "currency": "eur"}, None),
        ("payment_intents", {"amount": "500", "currency": "usd", "cvc": "1"}, "parameter_unknown"),
        ("payment_intents", {"amount": "500", "amount[x]": "1"}, None),
        ("refunds", {}, None),
        ("refunds", {"charge": "ch_nothing"}, "resource_missing"),
        ("checkout/sessions", {"success_url": "https://a.b/"}, "amount_too_small"),
        ("payment_methods", {"type": "card", "card[number]": "4242424242424242"}, None),
        ("nonsense", {}, None),
    ],
)
def test_what_is_not_as_documented_is_refused_in_stripes_words(till, path, form, code):
    answer = post(till, path, form)
    assert answer.status_code in (400, 402, 404)
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == code
    assert error["message"]
    assert answer.headers["Request-Id"]


def test_what_is_refused_leaves_nothing_behind(till, sdk):
    """The parameter that nobody knows is found last, when all the rest is done."""
    form = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    assert post(till, "payment_intents", {**form, "nonsense": "1"}).status_code == 400
    assert post(till, "customers", {"name": "Rose", "nonsense": "1"}).status_code == 400
    assert till.tally()["charges"] == 0
    assert sdk.v1.payment_intents.list().data == sdk.v1.customers.list().data == []


@given(
    st.recursive(
        st.text("abc", min_size=1, max_size=3),
        lambda inner: (
            st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, min_size=1)
            | st.lists(inner, min_size=1, max_size=3)
        ),
        max_leaves=4,
    ).filter(lambda value: isinstance(value, dict))
)
def test_a_nested_form_means_what_the_library_meant(value):
    assert tree((name, str(text)) for name, text in _api_encode(value)) == value


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=5)), max_size=8))
def test_no_form_is_worse_than_refused(pairs):
    with suppress(Fault):
        tree(pairs)


def test_everything_survives_a_restart(tmp_path, clock):
    file = tmp_path / "gateway.sqlite"
    form = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    with gateway.running(file, clock=clock) as till:
        first = post(till, "payment_intents", form, **{"Idempotency-Key": "k"}).json()
        till.advance(DAY / 2)
    with gateway.running(file, clock=clock) as till:
        again = post(till, "payment_intents", form, **{"Idempotency-Key": "k"})
        assert again.json() == first
        assert again.headers["Idempotent-Replayed"] == "true"
        till.advance(DAY / 2)
        assert post(till, "payment_intents", form, **{"Idempotency-Key": "k"}).json() != first


def test_what_was_answered_is_known_after_a_kill(tmp_path):
    """SIGKILL at the worst moment: all that was told is still there, and the keys with it."""
    file, form = tmp_path / "gateway.sqlite", {
        "amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"
    }  # fmt: skip
    told = {}

    def send(url, name):
        return requests.post(
            f"{url}/v1/payment_intents", {**form, "metadata[payment]": name}, timeout=10,
            headers={"Authorization": f"Bearer {gateway.KEY}", "Idempotency-Key": name},
        ).json()  # fmt: skip

    with gateway_process(file) as (url, process):

        def keep_sending(worker):
            with suppress(requests.RequestException):
                for count in range(10_000):
                    name = f"{worker}-{count}"
                    told[name] = send(url, name)

        threads = [threading.Thread(target=keep_sending, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while len(told) < 40:
            threading.Event().wait(0.02)
        process.kill()
        for thread in threads:
            thread.join()
    with gateway.running(file) as till:
        charges = till.tally()["by_reference"]
        assert set(told) <= set(charges)
        assert set(charges.values()) == {1}
        assert {name: send(till.url, name) for name in told} == told
        assert till.tally()["by_reference"] == charges


# The payment page


def test_nothing_of_a_card_is_kept_but_brand_last_four_and_expiry(tmp_path, clock):
    file = tmp_path / "gateway.sqlite"
    with gateway.running(file, clock=clock) as till:
        opened = post(till, "checkout/sessions", _flat(till)).json()
        for number in ("4000 0000 0000 9995", "4242424242424242", "4242-4242-4242-4241"):
            answer = pay_on(opened["url"], number=number, cvc="917")
            assert number not in re.sub(r"<details.*", "", answer.text, flags=re.DOTALL)
            assert "917" not in answer.text
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b'"last4": "4242"' in kept
    for secret in (b"4242424242424242", b"4000000000009995", b"4242 4242", b"917"):
        assert secret not in kept


def test_a_real_card_is_refused_before_anything_of_it_is_kept(tmp_path, clock):
    number = "4539578763621486"
    assert has_luhn(number)
    with gateway.running(tmp_path / "gateway.sqlite", clock=clock) as till:
        opened = post(till, "checkout/sessions", _flat(till)).json()
        answer = pay_on(opened["url"], number=number)
        assert answer.status_code == 422
        assert "only the practice cards" in answer.text
    assert b"1486" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "4242 4242 4242 4241"}, "card number is not right"),
        ({"number": ""}, "card number is not right"),
        ({"number": "٤٢٤٢" * 4}, "card number is not right"),
        ({"expiry": "13/30"}, "month and year"),
        ({"expiry": "10/26"}, "has expired"),
        ({"cvc": "12"}, "three digits"),
        ({"name": " "}, "name on the card"),
        ({"number": "4000000000009995"}, "not have enough money"),
        ({"number": "4000000000000127"}, "security code is not right"),
    ],
)
def test_the_page_says_what_is_wrong_and_takes_the_next_try(till, fields, words):
    opened = post(till, "checkout/sessions", _flat(till)).json()
    answer = pay_on(opened["url"], **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert till.tally()["charges"] == 0
    assert "Paid." in pay_on(opened["url"]).text
    assert "Paid." in pay_on(opened["url"]).text, "a second press pays nothing"
    assert till.tally()["charges"] == 1


def test_many_presses_on_a_page_at_once_are_one_charge(till):
    opened = post(till, "checkout/sessions", _flat(till)).json()
    threads = [threading.Thread(target=pay_on, args=(opened["url"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert till.tally()["charges"] == 1


def test_a_page_closes_by_itself_and_cannot_be_paid_then(till, clock):
    opened = post(till, "checkout/sessions", _flat(till)).json()
    clock.on(hours=24)
    assert "This page has closed." in pay_on(opened["url"]).text
    assert till.tally()["charges"] == 0


def test_a_bank_account_is_debited_on_the_page_once_it_is_authorized(till, sdk, clock):
    opened = sdk.v1.checkout.sessions.create(
        session(till, payment_method_types=["card", "us_bank_account"])
    )
    bank = {"routing": "110000000", "account": "000123456789"}
    assert "must be authorized" in pay_on(opened.url + "?with=bank", **bank).text
    assert "routing number is not right" in pay_on(
        opened.url + "?with=bank", **{**bank, "routing": "110000001"}, agreed="yes"
    ).text  # fmt: skip
    assert "On its way." in pay_on(opened.url + "?with=bank", **bank, agreed="yes").text
    assert sdk.v1.checkout.sessions.retrieve(opened.id).payment_status == "unpaid"
    clock.on(days=4)
    assert sdk.v1.checkout.sessions.retrieve(opened.id).payment_status == "paid"


def test_an_unknown_page_is_a_sentence(till):
    answer = requests.get(f"{till.url}/pay/cs_test_nothing", timeout=10)
    assert answer.status_code == 404
    assert "There is no such payment page." in answer.text


@pytest.mark.browser
def test_a_member_pays_in_a_real_browser(till, page):
    opened = post(till, "checkout/sessions", _flat(till)).json()
    page.goto(opened["url"])
    assert page.title().startswith("Pay $84.10")
    page.get_by_label("Card number").fill("4242 4242 4242 4241")
    page.get_by_role("button", name="Pay $84.10").click()
    assert page.get_by_text("Please check each digit").is_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expires").fill("04 / 31")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Rose DeLong")
    page.get_by_role("button", name="Pay $84.10").click()
    assert page.get_by_role("heading", name="Paid.").is_visible()
    assert till.tally()["cents"] == 8410


def _flat(till):
    form = {"mode": "payment", "success_url": f"{till.url}/done"}
    for place, (name, cents) in enumerate((("Account 10234-01", 6210), ("Barn", 2200))):
        line = f"line_items[{place}]"
        form |= {
            f"{line}[quantity]": "1",
            f"{line}[price_data][currency]": "usd",
            f"{line}[price_data][unit_amount]": str(cents),
            f"{line}[price_data][product_data][name]": name,
        }
    return form


# The switches


def test_the_switches_want_their_header(till):
    assert requests.post(f"{till.url}/sandbox/clock", json={}, timeout=10).status_code == 403


def test_the_switches_move_the_clock_and_misbehave(till, sdk, clock):
    def switch(name, **body):
        return requests.post(
            f"{till.url}/sandbox/{name}", json=body, headers={"X-Sandbox": "test"}, timeout=10
        )

    assert "`kind` is one of" in switch("misbehave", kind="nonsense").json()["error"]["message"]
    assert switch("misbehave", kind="throttled", seconds=3).json()["misbehaving"] == ["throttled"]
    with pytest.raises(stripe.RateLimitError) as problem:
        sdk.v1.customers.list()
    assert problem.value.headers["Retry-After"] == "3"
    assert switch("behave").json()["misbehaving"] == []
    before = datetime.fromisoformat(switch("clock").json()["now"])
    after = datetime.fromisoformat(switch("clock", advance_seconds=DAY).json()["now"])
    assert (after - before).days == 1
    sdk.v1.payment_intents.create(payment(metadata={"payment": "p"}))
    counted = requests.get(
        f"{till.url}/sandbox/counters", headers={"X-Sandbox": "test"}, timeout=10
    ).json()
    assert counted["by_reference"] == {"p": 1}


def test_the_test_numbers_are_numbers():
    assert all(has_luhn(number) for number in TEST_CARDS)
    assert all(number in TEST_CARDS for number in TEST_METHODS.values())
    assert all(re.fullmatch("[0-9]{12}", number) for number in TEST_ACCOUNTS)
    assert has_routing_check("110000000")
    assert not has_routing_check("110000001")
    assert not has_routing_check("130000000")
    assert not has_luhn("4242424242424241")
