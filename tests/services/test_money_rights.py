"""What comes after a payment, where everybody has a login of their own and the database watches."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from console.clients.gateway import Order
from console.clients.portal import Portal
from console.clients.stripe_gateway import StripeGateway
from console.domain import times
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, Verdict
from console.domain.reconciliation import Mismatch
from console.domain.staff import Role
from console.models import schema
from console.models import staff as logins
from console.models.base import Records
from console.models.calls import Call
from console.models.methods import MethodToken, StoredMethod
from console.models.payments import PaymentReturn
from console.models.problems import DatabaseTrouble
from console.sandbox import gateway
from console.services import drawers, payments, reconciliation, refunds, reviews
from console.services.desk import Colleague, Desk
from console.services.reconciliation import NotReconciled
from tests.logins import PASSWORD, office_on
from tests.office import add_member
from tests.payments.office import NUMBERS, PayOffice


@dataclass
class Watched:
    """An office in which nobody is the database's superuser."""

    pay: PayOffice
    sue: Desk
    sven: Desk
    till: gateway.RunningGateway
    owner: Records
    """Whoever may do as they like; no desk has these."""

    @property
    def today(self):
        return times.day_of(datetime.now(UTC), self.sue.settings.zone)

    def takes(self, number, cents):
        begun = self.pay.press(shares=((NUMBERS[number], Money(cents)),))
        self.pay.sweep()
        assert self.pay.status(begun.id).state is PaymentState.CHARGED
        return begun.id


@pytest.fixture
def watched(postgresql_server, postgresql_template, tmp_path) -> Iterator[Watched]:
    some = uuid4().hex[:8]
    people = {
        f"pat.{some}": Role.REPRESENTATIVE, f"sven.{some}": Role.SUPERVISOR,
    }  # fmt: skip
    pat, sven = people
    carrier = f"carrier.{some}"
    with office_on(postgresql_server, postgresql_template) as office:
        owner = schema.open_records(office.url)
        with owner.begin() as db:
            for login, role in people.items():
                made = logins.verifier(db, login, PASSWORD)
                logins.call(db, "staff_add", login=login, name=login, role=role, verifier=made)
            db.execute(
                text(
                    f"CREATE ROLE \"{carrier}\" LOGIN PASSWORD '{PASSWORD}' IN ROLE console_courier"
                )
            )
        member_id = add_member(owner, numbers=NUMBERS)
        now = lambda: datetime.now(UTC)  # noqa: E731  # the database has no other clock
        methods = {"visa": str(uuid4()), "bank": str(uuid4())}
        call_id = str(uuid4())
        with owner.begin() as db:
            db.add(Call(id=call_id, member_id=member_id, staff=pat, began_at=now(),
                        verified_at=now(), facts="last_four"))  # fmt: skip
            for name, kind, token in (
                ("visa", MethodKind.CARD, "pm_card_visa"),
                ("bank", MethodKind.BANK, "pm_usBankAccount_insufficientFunds"),
            ):
                db.add(
                    StoredMethod(
                        id=methods[name], member_id=member_id, kind=kind, brand="visa",
                        last_four="4242", added_by=pat, added_at=now(), is_default=name == "visa",
                    )
                )  # fmt: skip
                db.add(MethodToken(id=methods[name], token=token))
        with (
            gateway.running(tmp_path / "gateway.sqlite") as till,
            closing(owner),
            closing(StripeGateway(till.url, till.key, deadline=5)) as client,
            closing(schema.open_records(office.address(pat), upgrade_it=False)) as pats,
            closing(schema.open_records(office.address(office.sue), upgrade_it=False)) as sues,
            closing(schema.open_records(office.address(sven), upgrade_it=False)) as svens,
            closing(schema.open_records(office.address(carrier), upgrade_it=False)) as carriers,
        ):
            portal = Portal("http://127.0.0.1:9", "", "desk 3")
            seat = Desk(sues, portal, Colleague(pat, "Pat", Role.REPRESENTATIVE), now=now)
            yield Watched(
                PayOffice(
                    replace(
                        seat, records=pats, colleague=Colleague(pat, "Pat", Role.REPRESENTATIVE)
                    ),
                    replace(
                        seat,
                        records=carriers,
                        colleague=Colleague(carrier, "Courier", Role.REPRESENTATIVE),
                        gateway=client,
                    ),
                    member_id,
                    call_id,
                    "",
                    methods,
                ),
                replace(
                    seat, records=sues, colleague=Colleague(office.sue, "Sue", Role.SUPERVISOR)
                ),
                replace(seat, records=svens, colleague=Colleague(sven, "Sven", Role.SUPERVISOR)),
                till,
                owner,
            )


def balance(watched, number=0):
    form = payments.prepare(watched.sue, watched.pay.member_id)
    return form.accounts[number].owed.balance


def test_the_courier_reconciles_and_a_supervisor_clears(watched):
    watched.takes(0, 1000)
    debit = watched.pay.press(
        PaymentWay.BANK, shares=((NUMBERS[1], Money(5000)),),
        mandate=payments.PhoneMandateWish(
            "You allow us to debit your bank account.", "pm_usBankAccount_insufficientFunds",
            "Bank ending in 2227", recording="Tape 12",
        ),
    ).id  # fmt: skip
    watched.pay.sweep()
    courier = watched.pay.courier
    stranger = Order(str(uuid4()), "pm_card_visa", Money(700))
    assert courier.gateway is not None
    courier.gateway.charge(stranger)
    watched.till.advance(3 * 86_400)
    sheet = reconciliation.reconcile(courier, watched.today)
    assert {one.kind for one in sheet.lines} == {Mismatch.RETURNED, Mismatch.NOT_HERE}
    assert sheet.row.settled == 1
    with watched.sue.records.read() as db:
        (back,) = db.scalars(select(PaymentReturn)).all()
    assert (back.payment_id, back.code) == (debit, "R01")
    assert balance(watched, 1) == Money(14210)
    line = next(one for one in sheet.lines if one.kind is Mismatch.NOT_HERE)
    cleared = reconciliation.clear(watched.sue, line.id, "Charged by the shop next door.")
    assert cleared.row.open_lines == 1
    with pytest.raises(NotReconciled):
        reconciliation.reconcile(watched.sue, watched.today)
    assert reconciliation.daily(watched.sue) == ""


def test_one_supervisor_asks_another_approves_and_the_courier_gives_back(watched):
    payment_id = watched.takes(0, 30000)
    wish = refunds.RefundWish(
        str(uuid4()), payment_id, NUMBERS[0], Money(25000), "Paid twice by mistake"
    )
    assert refunds.ask(watched.sue, wish).needs_second
    assert refunds.ask(watched.sue, wish).state is PaymentState.INTENT
    with pytest.raises(refunds.CannotGiveBack):
        refunds.approve(watched.sue, wish.id)
    watched.pay.sweep()
    assert refunds.status(watched.sue, wish.id).state is PaymentState.INTENT
    refunds.approve(watched.sven, wish.id)
    watched.pay.sweep()
    assert refunds.status(watched.sue, wish.id).state is PaymentState.CHARGED
    assert balance(watched) == Money(14210 - 30000 + 25000)
    small = replace(wish, id=str(uuid4()), amount=Money(100))
    refunds.ask(watched.sven, small)
    assert refunds.call_off(watched.sue, small.id).state is PaymentState.ABANDONED


def test_a_supervisor_with_a_drawer_gives_cash_back_voids_and_notes_a_bounced_cheque(watched):
    sue, numbers = watched.sue, iter(NUMBERS)
    drawers.open_drawer(sue, str(uuid4()), {2_000: 10})

    def takes(way):
        wish = watched.pay.wish(way, shares=((next(numbers), Money(2000)),))
        return payments.begin(sue, wish)

    cash, mistake, cheque = takes(PaymentWay.CASH), takes(PaymentWay.CASH), takes(PaymentWay.CHEQUE)
    given = refunds.ask(
        sue,
        refunds.RefundWish(str(uuid4()), cash.id, NUMBERS[0], Money(500), "Paid too much"),
    )
    assert given.state is PaymentState.CHARGED
    assert refunds.void(watched.sven, str(uuid4()), mistake.id, "Taken for a neighbour").returned
    bounced = refunds.record_bounced(sue, str(uuid4()), cheque.id, "NSF", "No funds", Money(2500))
    assert bounced.returned == "Cheque bounced: No funds"
    assert balance(watched, 2) == Money(14210 + 2500)


def test_a_supervisor_decides_a_case_and_the_courier_cannot(watched):
    begun = watched.pay.press()
    with watched.owner.begin() as db:
        for state in ("sending", "unknown", "review"):
            db.execute(
                text("UPDATE payment SET state = :state, version = version + 1 WHERE id = :id"),
                {"state": state, "id": begun.id},
            )
    decision = reviews.Decision(
        begun.id, Verdict.CHARGED, "The list of the gateway shows it.", "pi_3QabcDEF"
    )
    impostor = replace(
        watched.pay.courier,
        colleague=replace(watched.pay.courier.colleague, role=Role.SUPERVISOR),
    )
    with pytest.raises(DatabaseTrouble):
        reviews.decide(impostor, decision)
    assert reviews.decide(watched.sue, decision).state is PaymentState.CHARGED
    assert balance(watched) == Money(0)
