"""Arrangements, Auto Pay and notices under the logins that people and couriers really have."""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from console.domain.arrangements import ArrangementState, Part
from console.domain.calls import Fact
from console.domain.contact import Asked
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.notices import Event, Wanted
from console.domain.payments import Origin, PaymentState
from console.domain.staff import Role
from console.models import roles, schema
from console.models.accounts import Account
from console.models.arrangements import Promise
from console.models.methods import StoredMethod
from console.models.payments import Payment
from console.models.problems import DatabaseTrouble
from console.services import arrangements, autopay, calls, courier, notices
from console.services.arrangements import ArrangementWish
from console.services.autopay import AutoPayWish, RecurringMandate
from console.services.desk import Colleague, Desk
from console.services.notices import NoticeWish
from tests import town as outside
from tests.logins import PASSWORD, open_office

NUMBER = "1023401"
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@dataclass
class People:
    owner: Desk
    sue: Desk
    carrier: Desk
    rose: int


@pytest.fixture
def people(desk, portal, postgresql_server, database_url):
    """A supervisor and a courier, each with a login of their own; and who owns the database."""
    town = outside.found(desk, portal)
    office = open_office(postgresql_server, database_url)
    carrier = f"courier.{uuid4().hex[:8]}"
    with desk.records.begin() as db:
        db.execute(text(f"CREATE ROLE \"{carrier}\" LOGIN PASSWORD '{PASSWORD}'"))
        db.execute(text(f'GRANT {roles.COURIER} TO "{carrier}"'))
    owner = replace(desk, now=lambda: datetime.now(UTC))
    with (
        closing(schema.open_records(office.address(office.sue), upgrade_it=False)) as sues,
        closing(schema.open_records(office.address(carrier), upgrade_it=False)) as couriers,
    ):
        sue = replace(
            owner, records=sues, colleague=Colleague(office.sue, "Sue Abara", Role.SUPERVISOR)
        )
        who = Colleague(carrier, "Courier", Role.REPRESENTATIVE)
        yield People(owner, sue, replace(owner, records=couriers, colleague=who), town.rose)


def in_a_call(people):
    call = str(uuid4())
    calls.begin(people.sue, call, people.rose)
    calls.tick(people.sue, call, list(Fact))
    return call


def test_a_supervisor_agrees_and_the_courier_says_that_it_was_broken(people):
    tomorrow = arrangements.offer(people.sue, NUMBER).today + timedelta(days=1)
    made = arrangements.make(
        people.sue,
        ArrangementWish(
            str(uuid4()),
            people.rose,
            NUMBER,
            Money(100),
            (Part(tomorrow, Money(100)),),
            Asked.IN_PERSON,
        ),
    )
    assert arrangements.settle_due(people.carrier) == 0
    with pytest.raises(DatabaseTrouble), people.sue.records.begin() as db:
        db.add(Promise(arrangement_id=made.id, due_on=tomorrow, amount=Money(1)))
    with people.owner.records.begin() as db:
        db.execute(text("ALTER TABLE promise DISABLE TRIGGER USER"))
        db.execute(text("UPDATE promise SET due_on = due_on - 10"))
        db.execute(text("ALTER TABLE promise ENABLE TRIGGER USER"))
    assert arrangements.settle_due(people.carrier) == 1
    assert arrangements.row(people.sue, made.id).state is ArrangementState.BROKEN


def test_a_supervisor_calls_an_arrangement_off(people):
    first = arrangements.offer(people.sue, NUMBER)
    wish = ArrangementWish(
        str(uuid4()), people.rose, NUMBER, first.total, first.parts, Asked.IN_PERSON
    )
    made = arrangements.make(people.sue, wish)
    ended = arrangements.call_off(people.sue, made.id, Asked.IN_PERSON)
    assert ended.ended_by == "Sue Abara"


@pytest.mark.parametrize("kind", MethodKind)
def test_a_supervisor_enrols_and_only_the_courier_runs_it(people, kind):
    method = str(uuid4())
    with people.owner.records.begin() as db:
        db.add(
            StoredMethod(
                id=method,
                member_id=people.rose,
                kind=kind,
                last_four="4242",
                added_by="pat",
                added_at=datetime.now(UTC),
            )
        )
    call = in_a_call(people)
    today = autopay.prepare(people.sue, NUMBER, call).today
    with people.owner.records.begin() as db:
        db.get(Account, NUMBER).due_on = today
    said = RecurringMandate(
        "I, Rose DeLong, authorize monthly ACH debits.", "REC-9", "rose@example.org"
    )
    wish = AutoPayWish(
        str(uuid4()), people.rose, NUMBER, method, call, mandate=said, most=Money(9000)
    )
    autopay.enrol(people.sue, wish)
    assert autopay.run_due(people.sue) == 0
    assert autopay.run_due(people.carrier) == 1
    assert autopay.run_due(people.carrier) == 0
    with people.owner.records.read() as db:
        payment = db.scalars(select(Payment)).one()
        assert (payment.origin, payment.state) == (Origin.AUTO_PAY, PaymentState.INTENT)
        assert payment.asked_by == people.carrier.colleague.login
        assert payment.amount == Money(9000)
        assert db.get(Account, NUMBER).autopay
    autopay.end(people.sue, wish.id, Asked.CALLER_VERIFIED, call)
    assert autopay.of_member(people.sue, people.rose) == ()


def test_a_supervisor_changes_the_notices_and_the_courier_brings_them(people):
    stands = notices.refresh(people.sue, NUMBER)
    assert stands.is_in_step
    wanted = {Event.OUTAGE: Wanted(by_text=True)}
    wish = NoticeWish(str(uuid4()), NUMBER, stands.version, wanted, None, Asked.IN_PERSON)
    assert "On its way" in notices.change(people.sue, wish).words
    assert courier.make_round(people.carrier).carried == 1
    assert notices.of_account(people.sue, NUMBER).is_in_step
    held = people.sue.portal.preferences(NUMBER, staff="pat")
    assert held.notices["outage"].value == "text"


def test_a_supervisor_changes_paperless_and_the_courier_brings_it(people):
    stands = notices.refresh(people.sue, NUMBER)
    wish = NoticeWish(str(uuid4()), NUMBER, stands.version, {}, True, Asked.IN_PERSON)
    assert notices.change(people.sue, wish).paperless
    assert courier.make_round(people.carrier).carried == 1
    held = people.sue.portal.preferences(NUMBER, staff="pat")
    assert held.paperless
    people.sue.portal.change_preferences(replace(held, paperless=False), staff="member")
    assert not notices.refresh(people.sue, NUMBER).paperless
