"""A card is stored once and by its member's wish only, whatever dies and whenever."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from console.clients.portal import Portal
from console.clients.stripe_gateway import StripeGateway
from console.domain.calls import Fact
from console.domain.methods import MethodKind, RequestState
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay
from console.domain.staff import Role
from console.models import schema, setting_up, staff
from console.models.audit import AuditEntry
from console.models.autopay import AutoPay
from console.models.base import connect
from console.models.members import Member
from console.models.methods import (
    GatewayCustomer,
    MethodRequest,
    MethodToken,
    StoredMethod,
    customer_of,
)
from console.models.payments import Payment, PaymentShare
from console.models.problems import DatabaseTrouble
from console.sandbox import gateway
from console.sandbox.gateway import Kind
from console.services import calls, methods
from console.services.audit import Action
from console.services.desk import Colleague, Desk, LooksOnly
from console.services.methods import InUse, NoSuchMethod, NotStored
from tests.gateways import pay_on
from tests.logins import PASSWORD, office_on
from tests.office import ANA, PAT, SAM, add_member, trail

ROOT = Path(__file__).parents[2]


@pytest.fixture
def till(tmp_path, clock):
    """A training gateway by the desk's own clock."""
    with gateway.running(tmp_path / "gateway.sqlite", clock=clock) as running:
        yield running


@pytest.fixture
def client(till, clock):
    client = StripeGateway(till.url, till.key, deadline=5, clock=clock)
    yield client
    client.close()


@pytest.fixture
def office(desk, client):
    """Pat's desk of the training co-op, which is its own courier, with one member."""
    add_member(desk.records)
    return replace(desk, gateway=client, settings=replace(desk.settings, training=True))


ROSE = 1


def in_call(desk, member_id=ROSE, *, member_began=True, verified=True):
    call = calls.begin(desk, str(uuid4()), member_id, member_began=member_began)
    if verified:
        calls.tick(desk, call.id, list(Fact))
    return call.id


def asks(desk, call=None, **more):
    """Ask for a page in a verified call, and answer the wish's id."""
    request_id = str(uuid4())
    methods.add(desk, request_id, ROSE, call or in_call(desk), **more)
    return request_id


def request(desk, request_id):
    with desk.records.read() as db:
        return db.get_one(MethodRequest, request_id)


def goes_round(desk, times=1, **step):
    for _ in range(times):
        assert methods.make_round(desk).trouble == ""
        desk.now.advance(**(step or {"seconds": 2}))


def page_of(desk, request_id):
    """Let the courier open the page, and answer where it is."""
    for _ in range(30):
        row = request(desk, request_id)
        if row.page_url:
            return row.page_url
        goes_round(desk, minutes=1)
    raise AssertionError(f"no page: {row.state} {row.answer}")


def ended(desk, request_id, rounds=40, **step):
    for _ in range(rounds):
        row = request(desk, request_id)
        if row.finished_at is not None:
            return row
        goes_round(desk, **(step or {"minutes": 2}))
    raise AssertionError(f"it never ended: {row.state} {row.answer}")


def stored(desk):
    with desk.records.read() as db:
        return db.scalars(select(StoredMethod).order_by(StoredMethod.added_at)).all()


def stores(desk, call, number="4242 4242 4242 4242", **more):
    """Store a card from the first word to the last, and answer its id."""
    request_id = asks(desk, call, **more)
    assert pay_on(page_of(desk, request_id), number=number).status_code == 200
    assert ended(desk, request_id).state is RequestState.DONE
    return request_id


def at_the_gateway(desk, client):
    with desk.records.read() as db:
        customer = customer_of(db, ROSE)
    return client.methods(customer)


# A card is stored


def test_a_card_typed_on_the_gateways_page_is_stored(office, client):
    call = in_call(office)
    request_id = asks(office, call)
    (row,) = methods.of_member(office, ROSE, call).requests
    assert (row.state, row.page_url) == (RequestState.WAITING, "")
    assert row.words == "Asking the gateway for its page…"
    goes_round(office)
    (row,) = methods.of_member(office, ROSE, call).requests
    assert row.state is RequestState.OPEN
    assert row.page_url.startswith("http://127.0.0.1:")
    assert row.words == "Type the card on the gateway’s page while the caller reads it out."
    goes_round(office, 3)
    assert request(office, request_id).state is RequestState.OPEN
    pay_on(row.page_url)
    goes_round(office)
    sheet = methods.of_member(office, ROSE, call)
    assert sheet.requests == ()
    (method,) = sheet.methods
    assert (method.id, method.kind, method.words) == (
        request_id, MethodKind.CARD, "Visa ending in 4242",
    )  # fmt: skip
    assert (method.expires, method.has_expired, method.is_default) == ("04/31", False, True)
    assert method.added == "stored today 10:42 by pat"
    with office.records.read() as db:
        token = db.get_one(MethodToken, request_id).token
    assert [one.id for one in at_the_gateway(office, client)] == [token]
    assert trail(office)[-2:] == [Action.METHOD_ASKED, Action.METHOD_STORED]


def test_what_is_kept_of_a_card_is_its_end_and_no_token_is_on_the_trail(office):
    stores(office, in_call(office))
    with office.records.read() as db:
        token = db.scalar(select(MethodToken.token))
        customer = db.scalar(select(GatewayCustomer.customer))
        said = "\n".join(
            f"{one.detail} {one.before} {one.after}" for one in db.scalars(select(AuditEntry))
        )
    assert token
    assert customer
    for secret in (token, customer, "4242424242424242", "/pay/"):
        assert secret not in said


def test_the_member_is_made_known_at_the_gateway_once(office, client):
    call = in_call(office)
    stores(office, call)
    stores(office, call, "5555 5555 5555 4444")
    with office.records.read() as db:
        assert len(db.scalars(select(GatewayCustomer)).all()) == 1
    assert [one.last_four for one in at_the_gateway(office, client)] == ["4444", "4242"]


def test_the_first_is_the_usual_one_and_a_later_one_only_when_wished(office):
    call = in_call(office)
    first = stores(office, call)
    stores(office, call, "5555 5555 5555 4444")
    assert [one.is_default for one in stored(office)] == [True, False]
    third = stores(office, call, make_default=True)
    assert [one.id for one in stored(office) if one.is_default] == [third]
    methods.set_default(office, first)
    methods.set_default(office, first)
    assert [one.id for one in stored(office) if one.is_default] == [first]
    assert methods.of_member(office, ROSE).methods[0].id == first
    assert trail(office).count(Action.METHOD_DEFAULT_CHANGED) == 1


def test_a_card_that_has_run_out_says_so(office):
    stores(office, in_call(office))
    office.now.advance(days=365 * 5)
    (method,) = methods.of_member(office, ROSE).methods
    assert (method.expires, method.has_expired) == ("04/31", True)


def test_a_declined_card_leaves_the_page_open_for_another(office):
    request_id = asks(office)
    url = page_of(office, request_id)
    assert pay_on(url, number="4000 0000 0000 0002").status_code == 422
    goes_round(office, 2)
    assert request(office, request_id).state is RequestState.OPEN
    assert stored(office) == []
    pay_on(url)
    assert ended(office, request_id).state is RequestState.DONE


# Who may, and where


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({}, "Begin the call first"),
        ({"member_began": False}, "in a call that the member began"),
        ({"verified": False}, "Verify the caller first"),
        ({"member_id": 2}, "Verify the caller first"),
    ],
)
def test_a_card_is_only_stored_for_a_verified_caller_who_rang(office, call, said):
    add_member(office.records, "Ruiz", ("2048001",))
    call_id = in_call(office, **call) if call else None
    with pytest.raises(NotStored, match=said):
        methods.add(office, str(uuid4()), ROSE, call_id)
    assert said in methods.of_member(office, ROSE, call_id).why_not_add
    with office.records.read() as db:
        assert db.scalars(select(MethodRequest)).all() == []


def test_a_colleagues_call_and_one_that_is_over_are_none(office):
    call = in_call(office)
    sam = replace(office, colleague=SAM)
    with pytest.raises(NotStored, match="Begin the call first"):
        methods.add(sam, str(uuid4()), ROSE, call)
    with office.records.begin() as db:
        db.get_one(calls.Call, call).ended_at = office.now()
    with pytest.raises(NotStored, match="Begin the call first"):
        methods.add(office, str(uuid4()), ROSE, call)


def test_an_auditor_looks_and_changes_nothing(office):
    method = stores(office, in_call(office))
    ana = replace(office, colleague=ANA)
    assert methods.of_member(ana, ROSE).methods[0].id == method
    for act in (
        lambda: methods.add(ana, str(uuid4()), ROSE, None),
        lambda: methods.remove(ana, str(uuid4()), method),
        lambda: methods.set_default(ana, method),
        lambda: methods.shut(ana, str(uuid4())),
    ):
        with pytest.raises(LooksOnly):
            act()


def test_tokens_are_kept_on_a_shared_postgresql_only(office):
    for_real = replace(office, settings=replace(office.settings, training=False))
    call = in_call(for_real)
    if office.records.engine.dialect.name == "postgresql":
        assert methods.of_member(for_real, ROSE, call).why_not_add == ""
        stores(for_real, call)
        return
    with pytest.raises(NotStored, match="only stored where the office shares a PostgreSQL"):
        methods.add(for_real, str(uuid4()), ROSE, call)
    assert "PostgreSQL" in methods.of_member(for_real, ROSE, call).why_not_add


# Pressed twice


def test_the_same_press_twice_is_one_page(office):
    call, request_id = in_call(office), str(uuid4())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: methods.add(office, request_id, ROSE, call), range(8)))
    goes_round(office)
    methods.add(office, request_id, ROSE, call)
    assert len(methods.of_member(office, ROSE, call).requests) == 1
    pay_on(page_of(office, request_id))
    assert ended(office, request_id).state is RequestState.DONE
    methods.add(office, request_id, ROSE, call)
    assert trail(office).count(Action.METHOD_ASKED) == 1


def test_a_second_page_is_not_opened_beside_the_first(office):
    call = in_call(office)
    asks(office, call)
    with pytest.raises(NotStored, match="open already"):
        methods.add(office, str(uuid4()), ROSE, call)


def test_many_couriers_at_once_store_it_once(office, client):
    request_id = asks(office)
    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(lambda _: methods._claim(office, request_id), range(8)))
    assert sum(one is not None for one in held) == 1
    office.now.advance(minutes=2)
    pay_on(page_of(office, request_id))
    office.now.advance(minutes=2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: methods.make_round(office), range(8)))
    assert ended(office, request_id).state is RequestState.DONE
    assert len(stored(office)) == 1
    assert len(at_the_gateway(office, client)) == 1
    assert trail(office).count(Action.METHOD_STORED) == 1


def test_what_two_couriers_have_heard_is_written_down_once(office):
    request_id = asks(office)
    pay_on(page_of(office, request_id))
    one = methods._claim(office, request_id)
    assert methods._claim(office, request_id) is None
    office.now.advance(minutes=2)
    other = methods._claim(office, request_id)
    heard = [methods._ask(office, office.gateway, held) for held in (one, other)]
    assert methods._write_down(office, one, heard[0])
    assert methods._write_down(office, other, heard[1])
    assert len(stored(office)) == 1
    assert trail(office).count(Action.METHOD_STORED) == 1


# Called off


def test_a_page_nobody_has_opened_yet_is_called_off_without_a_word_to_the_gateway(office, till):
    call = in_call(office)
    request_id = asks(office, call)
    methods.shut(office, request_id)
    methods.shut(office, request_id)
    till.misbehave(Kind.DOWN)
    goes_round(office, 3)
    row = request(office, request_id)
    assert (row.state, row.answer) == (RequestState.SHUT, "It was called off. Nothing was stored.")
    assert (row.tries, row.page_id) == (1, "")
    assert trail(office).count(Action.METHOD_NOT_STORED) == 1
    till.behave()
    stores(office, call)


def test_a_page_that_is_called_off_is_shut_at_the_gateway_too(office):
    call = in_call(office)
    request_id = asks(office, call)
    url = page_of(office, request_id)
    methods.shut(office, request_id)
    (row,) = methods.of_member(office, ROSE, call).requests
    assert (row.words, row.page_url) == ("It was called off. The page is being shut.", "")
    row = ended(office, request_id)
    assert (row.state, row.answer) == (
        RequestState.SHUT, "It was called off. Nothing was stored.",
    )  # fmt: skip
    assert "This page has closed." in pay_on(url).text
    goes_round(office, 2)
    assert stored(office) == []
    assert trail(office).count(Action.METHOD_NOT_STORED) == 1
    asks(office, call)


def test_a_card_that_was_typed_just_before_is_stored_all_the_same(office, client):
    request_id = asks(office)
    pay_on(page_of(office, request_id))
    methods.shut(office, request_id)
    row = ended(office, request_id, seconds=5)
    assert (row.state, row.method_id) == (RequestState.SHUT, request_id)
    (told,) = methods.of_member(office, ROSE).requests
    assert told.words == (
        "Visa ending in 4242 was typed just before the page was called off, so it is stored."
    )
    assert len(stored(office)) == len(at_the_gateway(office, client)) == 1
    assert trail(office)[-1] == Action.METHOD_STORED


def test_a_page_called_off_while_a_courier_opens_it_is_shut(office, client):
    request_id = asks(office)
    held = methods._claim(office, request_id)
    methods.shut(office, request_id)
    assert not methods._write_down(office, held, methods._ask(office, client, held))
    row = request(office, request_id)
    assert (row.state, bool(row.page_url)) == (RequestState.SHUT, True)
    assert ended(office, request_id).answer == "It was called off. Nothing was stored."
    assert client.page(row.page_id, request_id, None).state.value == "expired"


def test_a_page_opened_by_a_courier_that_died_is_found_and_shut(office, client):
    request_id = asks(office)
    held = methods._claim(office, request_id)
    opened = methods._ask(office, client, held).page  # and died before it could say so
    methods.shut(office, request_id)
    assert ended(office, request_id).state is RequestState.SHUT
    assert client.page(opened.id, request_id, None).state.value == "expired"


def test_a_page_is_shut_after_an_hour(office, client):
    request_id = asks(office)
    url = page_of(office, request_id)
    row = ended(office, request_id, 60, minutes=5)
    assert (row.state, row.answer) == (
        RequestState.SHUT, "The page ran out unused. Nothing was stored.",
    )  # fmt: skip
    assert "This page has closed." in pay_on(url).text
    assert row.finished_at - row.asked_at < timedelta(minutes=75)


# Taken away


def test_a_method_is_taken_away_here_and_at_the_gateway(office, client):
    call = in_call(office)
    first, other = stores(office, call), stores(office, call, "5555 5555 5555 4444")
    click = str(uuid4())
    methods.remove(office, click, first)
    methods.remove(office, click, first)
    methods.remove(office, str(uuid4()), first)
    sheet = methods.of_member(office, ROSE, call)
    assert [(one.id, one.is_default) for one in sheet.methods] == [(other, True)]
    (row,) = sheet.requests
    assert row.words == "Visa ending in 4242 is being taken away at the gateway."
    assert ended(office, click).state is RequestState.DONE
    assert [one.last_four for one in at_the_gateway(office, client)] == ["4444"]
    gone = next(one for one in stored(office) if one.id == first)
    assert (gone.removed_by, gone.is_default) == (PAT.login, False)
    assert trail(office).count(Action.METHOD_REMOVED) == 1
    with pytest.raises(NoSuchMethod, match="taken away"):
        methods.set_default(office, first)


def test_a_method_that_auto_pay_uses_stays_and_it_is_said_which(office):
    method = stores(office, in_call(office))
    with office.records.begin() as db:
        pays = AutoPay(id="one", member_id=ROSE, account_number="1023401", method_id=method,
                       enrolled_by="pat", enrolled_at=office.now())  # fmt: skip
        db.add(pays)
    with pytest.raises(InUse, match="Auto Pay of account 1023401 uses Visa ending in 4242"):
        methods.remove(office, str(uuid4()), method)
    assert "1023401" in methods.of_member(office, ROSE).methods[0].why_kept
    with office.records.begin() as db:
        ends = db.get_one(AutoPay, "one")
        ends.ended_by, ends.ended_at = "pat", office.now()
    methods.remove(office, str(uuid4()), method)
    assert methods.of_member(office, ROSE).methods == ()


def pays_with(desk, method):
    with desk.records.begin() as db:
        paid = Payment(
            id=str(uuid4()), member_id=ROSE, way=PaymentWay.STORED, origin=Origin.CALL,
            state=PaymentState.INTENT, amount=Money(100), method_id=method, asked_by="pat",
            asked_at=desk.now(), next_try_at=desk.now(),
        )  # fmt: skip
        db.add(paid)
        db.flush()
        db.add(PaymentShare(payment_id=paid.id, account_number="1023401", amount=Money(100)))
        return paid.id


def test_a_method_stays_while_a_payment_with_it_is_on_its_way(office):
    method = stores(office, in_call(office))
    pays_with(office, method)
    with pytest.raises(InUse, match="A payment with Visa ending in 4242 is on its way"):
        methods.remove(office, str(uuid4()), method)


def test_the_gateway_keeps_a_method_until_a_payment_asked_in_the_same_moment_is_known(
    office, client
):
    method, click = stores(office, in_call(office)), str(uuid4())
    methods.remove(office, click, method)
    payment = pays_with(office, method)
    goes_round(office, 3, minutes=1)
    assert len(at_the_gateway(office, client)) == 1
    with office.records.begin() as db:
        db.get_one(Payment, payment).state = PaymentState.ABANDONED
    assert ended(office, click).state is RequestState.DONE
    assert at_the_gateway(office, client) == ()


# With real logins it is the database that decides


class Ahead:
    """The time of day, and what a test has let pass beside it."""

    def __init__(self):
        self.passed = timedelta(0)

    def __call__(self):
        return datetime.now(UTC) + self.passed

    def advance(self, **span):
        self.passed += timedelta(**span)


@pytest.fixture
def logged_in(postgresql_server, postgresql_template, portal, tmp_path):
    """A supervisor's desk, and a courier's with the key, each with a login of its own."""
    with (
        gateway.running(tmp_path / "gateway.sqlite") as till,
        office_on(postgresql_server, postgresql_template) as office,
    ):
        carrier = f"carrier.{uuid4().hex[:8]}"
        owner = schema.open_records(office.url)
        add_member(owner)
        with owner.begin() as db:
            setting_up.add_courier(db, carrier, staff.verifier(db, carrier, PASSWORD))
        owner.close()
        links = Portal(portal.url, portal.token, "desk 3", deadline=10)
        client = StripeGateway(till.url, till.key, deadline=5)
        sue = Colleague(office.sue, "Sue Abara", Role.SUPERVISOR)
        own, carriers = (connect(office.address(login)) for login in (office.sue, carrier))
        courier = Colleague(carrier, "Courier", Role.REPRESENTATIVE)
        yield Desk(own, links, sue), Desk(carriers, links, courier, now=Ahead(), gateway=client)
        for one in (links, client, own, carriers):
            one.close()


def test_desk_and_courier_do_all_of_it_with_the_rights_they_have(logged_in):
    desk, courier = logged_in
    call = in_call(desk)
    first, other = (asks_and_types(desk, courier, call, number) for number in TWO_CARDS)
    assert [one.id for one in methods.of_member(desk, ROSE, call).methods] == [first, other]
    methods.set_default(desk, other)
    third = asks_and_types(desk, courier, call, TWO_CARDS[0], make_default=True)
    assert [one.id for one in stored(desk) if one.is_default] == [third]
    click = str(uuid4())
    methods.remove(desk, click, third)
    assert ended(courier, click).state is RequestState.DONE
    assert len(at_the_gateway(courier, courier.gateway)) == 2
    off = asks(desk, call)
    page_of(courier, off)
    methods.shut(desk, off)
    assert ended(courier, off).state is RequestState.SHUT
    never = asks(desk, call)
    methods.shut(desk, never)
    assert ended(courier, never).state is RequestState.SHUT
    for secret in (MethodToken, GatewayCustomer):
        with pytest.raises(DatabaseTrouble, match="does not allow"), desk.records.read() as db:
            db.scalars(select(secret)).all()


TWO_CARDS = ("4242 4242 4242 4242", "5555 5555 5555 4444")


def asks_and_types(desk, courier, call, number, **more):
    request_id = asks(desk, call, **more)
    pay_on(page_of(courier, request_id), number=number)
    assert ended(courier, request_id).state is RequestState.DONE
    return request_id


# Whatever the gateway answers


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "kind",
    [Kind.DOWN, Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.CUT, Kind.TWICE, Kind.HTML,
     Kind.HALF_JSON, Kind.THROTTLED, Kind.UNAUTHORIZED, Kind.WRONG_REFERENCE],
)  # fmt: skip
def test_one_card_whatever_the_gateway_answers(office, till, client, kind, times):
    request_id = asks(office)
    till.misbehave(kind, "/v1/", times=times)
    url = page_of(office, request_id)
    till.misbehave(kind, "/v1/", times=times)
    pay_on(url)
    assert ended(office, request_id).state is RequestState.DONE
    till.misbehave(kind, "/v1/", times=times)
    click = str(uuid4())
    assert len(stored(office)) == len(at_the_gateway_when_it_is_well(till, office, client)) == 1
    till.misbehave(kind, "/v1/", times=times)
    methods.remove(office, click, request_id)
    assert ended(office, click).state is RequestState.DONE
    assert at_the_gateway_when_it_is_well(till, office, client) == ()


def at_the_gateway_when_it_is_well(till, office, client):
    till.behave()
    return at_the_gateway(office, client)


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.FAULT_AFTER])
def test_a_key_that_stumbled_for_ever_is_looked_up_and_then_given_up(office, till, kind):
    call = in_call(office)
    request_id = asks(office, call)
    till.misbehave(kind, "/v1/checkout/sessions", "POST", times=1)
    goes_round(office, 6, minutes=1)
    row = request(office, request_id)
    if kind is Kind.FAULT_AFTER:
        assert row.state is RequestState.OPEN
        pay_on(row.page_url)
        assert ended(office, request_id).state is RequestState.DONE
        return
    assert (row.state, row.answer) == (
        RequestState.REFUSED,
        "The gateway had an error of its own. Nothing was stored; add the card once more.",
    )
    (told,) = methods.of_member(office, ROSE, call).requests
    assert told.words == row.answer
    assert trail(office)[-1] == Action.METHOD_NOT_STORED
    stores(office, call)


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.FAULT_AFTER])
def test_a_member_whose_key_stumbled_is_made_known_by_another(office, till, kind):
    request_id = asks(office)
    till.misbehave(kind, "/v1/customers", "POST", times=1)
    pay_on(page_of(office, request_id))
    assert ended(office, request_id).state is RequestState.DONE


def test_a_new_name_between_two_tries_is_no_trouble(office, till):
    request_id = asks(office)
    till.misbehave(Kind.CUT_AFTER, "/v1/customers", "POST", times=1)
    goes_round(office)
    with office.records.begin() as db:
        db.get_one(Member, ROSE).name = "De Long"
    pay_on(page_of(office, request_id))
    assert ended(office, request_id).state is RequestState.DONE


def test_a_gateway_that_never_answers_is_given_up_when_the_caller_is_long_gone(office, till):
    request_id = asks(office)
    till.misbehave(Kind.DOWN)
    goes_round(office)
    assert "Asking the gateway for its page… " in methods.of_member(office, ROSE).requests[0].words
    row = ended(office, request_id, 60)
    assert row.state is RequestState.REFUSED
    assert "could not be opened" in row.answer
    assert timedelta(minutes=30) <= row.finished_at - row.asked_at < timedelta(minutes=45)


def test_what_no_courier_took_up_in_time_opens_no_page_for_nobody(office, till):
    call = in_call(office)
    request_id = asks(office, call)
    office.now.advance(minutes=31)
    goes_round(office)
    row = request(office, request_id)
    assert (row.state, row.page_id) == (RequestState.REFUSED, "")
    assert "ask once more when the member calls" in row.answer
    asks(office, call)


def test_a_card_that_was_typed_is_stored_however_long_the_gateway_is_silent(office, till):
    request_id = asks(office)
    pay_on(page_of(office, request_id))
    till.misbehave(Kind.DOWN)
    goes_round(office, 60, minutes=10)
    assert stored(office) == []
    till.behave()
    assert ended(office, request_id, minutes=10).state is RequestState.DONE


def test_a_method_the_gateway_does_not_let_go_of_is_told_of(office, till):
    method, click = stores(office, in_call(office)), str(uuid4())
    methods.remove(office, click, method)
    till.misbehave(Kind.DOWN)
    row = ended(office, click, 60, hours=1)
    assert row.state is RequestState.REFUSED
    (told,) = methods.of_member(office, ROSE).requests
    assert "tell your supervisor to remove it at the gateway" in told.words


def test_a_desk_without_the_key_leaves_it_to_the_courier(office):
    keyless = replace(office, gateway=None)
    call = in_call(office)
    request_id = asks(office, call)
    assert not methods.carry(keyless, request_id)
    assert methods.make_round(keyless).carried == 0
    assert request(office, request_id).tries == 0
    assert methods.carry(office, request_id) is False
    assert request(office, request_id).state is RequestState.OPEN


def test_screens_hear_of_a_page_once_and_not_of_every_look_at_it(office):
    request_id = asks(office)
    heard = []
    stop = office.records.on_change(heard.append)
    goes_round(office, 5)
    stop()
    assert [names for names in heard if "MethodRequest" in names] == [
        frozenset({"MethodRequest", f"member:{ROSE}"})
    ]
    assert request(office, request_id).tries == 5


# Killed: a real process, and a real SIGKILL


DOOMED = """
import os, signal, sys
from datetime import datetime
import requests
from sqlalchemy import event
from sqlalchemy.orm import Session
from console.clients.portal import Portal
from console.clients.portal import Portal
from console.clients.stripe_gateway import StripeGateway
from console.models.base import connect
from console.services import methods
from console.services.desk import Desk
from console.settings import Settings
from tests.office import PAT

url, till, key, now, where, nth = sys.argv[1:]
left = int(nth)

def step(name):
    global left
    if name == where:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

at = datetime.fromisoformat(now)
desk = Desk(
    connect(url), Portal("http://127.0.0.1:9", "t", "doomed"), PAT, Settings(training=True),
    "doomed", lambda: at, StripeGateway(till, key, deadline=5, clock=lambda: at),
)
event.listen(Session, "before_commit", lambda session: step("before_commit"))
event.listen(Session, "after_commit", lambda session: step("after_commit"))
send = requests.Session.send

def watched(self, *args, **kwargs):
    step("before_call")
    answer = send(self, *args, **kwargs)
    step("after_call")
    return answer

requests.Session.send = watched
methods.make_round(desk)
"""


def courier_that_dies(office, till, url, where, nth):
    """Make one round in a courier of its own that is killed at the nth such step."""
    ran = subprocess.run(
        [sys.executable, "-c", DOOMED, url, till.url, till.key, office.now().isoformat(), where,
         str(nth)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    office.now.advance(minutes=2)  # its lease runs out
    return ran.returncode


@pytest.mark.parametrize(
    "where",
    [
        "after_commit",
        "after_call",
        pytest.param("before_commit", marks=pytest.mark.soak),
        pytest.param("before_call", marks=pytest.mark.soak),
    ],
)
def test_killed_anywhere_one_wish_is_one_card_and_one_customer(
    office, till, client, database_url, where
):
    call, cards, killed = in_call(office), 0, 0
    for nth in range(1, 12):
        request_id = asks(office, call)
        deaths = [courier_that_dies(office, till, database_url, where, nth)]
        pay_on(page_of(office, request_id))
        deaths.append(courier_that_dies(office, till, database_url, where, nth))
        assert ended(office, request_id).state is RequestState.DONE
        cards += 1
        assert len(stored(office)) == len(at_the_gateway(office, client)) == cards
        killed += sum(one != 0 for one in deaths)
        if not any(deaths):
            break
    assert not any(deaths), "the list of steps ends somewhere"
    assert killed >= 2
    with office.records.read() as db:
        assert len(db.scalars(select(GatewayCustomer)).all()) == 1
    assert trail(office).count(Action.METHOD_STORED) == cards


@pytest.mark.parametrize("where", ["before_commit", "after_commit", "before_call", "after_call"])
def test_killed_anywhere_a_method_goes_in_the_end(office, till, client, database_url, where):
    method, click = stores(office, in_call(office)), str(uuid4())
    methods.remove(office, click, method)
    assert courier_that_dies(office, till, database_url, where, 1) == -signal.SIGKILL
    assert ended(office, click).state is RequestState.DONE
    assert at_the_gateway(office, client) == ()
