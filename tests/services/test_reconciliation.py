"""A day laid beside a real gateway's list: what agrees settles, what differs is named once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select, text

from console.clients.gateway import Order, RefundOrder
from console.clients.stripe_gateway import StripeGateway
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, ReturnKind
from console.domain.reconciliation import Mismatch
from console.models.ledger import LedgerEntry
from console.models.methods import MethodToken, StoredMethod
from console.models.payments import Payment, PaymentReturn, Refund
from console.models.reconciliation import Reconciliation, ReconciliationLine
from console.sandbox.gateway import Kind
from console.sandbox.gateway_ledger import Ledger
from console.sandbox.gateway_store import keep
from console.services import payments, reconciliation
from console.services.reconciliation import CannotClear, NotReconciled
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import PAT, SUE, trail
from tests.payments.crowd import fill
from tests.payments.office import NUMBERS, found

DAY = date(2026, 11, 23)
DEBIT = "pm_usBankAccount"


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


@pytest.fixture
def sue(office):
    return replace(office.desk, colleague=SUE)


def paid(office, number=0, amount=14210, **other):
    begun = office.press(shares=((NUMBERS[number], Money(amount)),), **other)
    office.sweep()
    told = office.status(begun.id)
    assert told.state is PaymentState.CHARGED
    return told.id


def debits(office, client, which, number=0):  # noqa: F811
    """Take a bank debit of an account that the member's bank treats in its own way."""
    method_id = str(uuid4())
    with office.records.begin() as db:
        db.add(
            StoredMethod(
                id=method_id, member_id=office.member_id, kind=MethodKind.BANK, brand="bank",
                last_four="6789", added_by="pat", added_at=office.desk.now(),
            )
        )  # fmt: skip
        db.add(MethodToken(id=method_id, token=f"{DEBIT}_{which}"))
    begun = office.press(
        way=PaymentWay.BANK,
        shares=((NUMBERS[number], Money(5000)),),
        mandate=payments.PhoneMandateWish(
            "You allow us to debit your bank account.", f"{DEBIT}_{which}", "Bank ending in 6789",
            recording="Tape 12",
        ),
    )  # fmt: skip
    office.sweep()
    assert office.status(begun.id).state is PaymentState.CHARGED
    return begun.id


def lines(sheet):
    return [one.kind for one in sheet.lines]


def balance(office, number=0):
    return payments.prepare(office.desk, office.member_id).accounts[number].owed.balance


def tell_store(till, act):  # noqa: F811
    with till.store.begin() as db:
        return act(Ledger(db, till.store.now()))


def charge_of(till, payment):  # noqa: F811
    return tell_store(till, lambda books: books.find("charge", payment.charge_id))


def test_a_day_that_agrees_settles_and_says_so(office):
    ids = [paid(office, number) for number in range(3)]
    sheet = reconciliation.reconcile(office.courier, DAY)
    assert sheet.lines == ()
    assert sheet.words == "All 3 charges agree, to the cent."
    row = sheet.row
    assert (row.ours, row.ours_sum, row.settled) == (3, Money(42630), 3)
    assert (row.theirs, row.theirs_sum) == (3, Money(42630))
    assert all(office.row(one).settled_at is not None for one in ids)
    office.desk.now.advance(minutes=1)
    again = reconciliation.reconcile(office.courier, DAY)
    assert (again.row.settled, again.row.ours, again.lines) == (0, 3, ())
    assert again.row.id != row.id
    assert trail(office.desk)[-2:] == ["day:reconciled"] * 2
    (shown,) = reconciliation.sheets(office.desk)
    assert (shown.id, shown.agrees) == (again.row.id, True)


def test_a_quiet_day(office):
    sheet = reconciliation.reconcile(office.courier, DAY)
    assert "nothing was charged that day" in sheet.words


def test_a_charge_that_nobody_here_recorded_is_settled_by_the_ordinary_courier(office, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.CUT_AFTER, "/v1/payment_intents", "POST", times=1)
    office.sweep()
    assert office.status(begun.id).state is PaymentState.UNKNOWN
    office.desk.now.advance(minutes=3)
    sheet = reconciliation.reconcile(office.courier, DAY)
    assert lines(sheet) == []
    assert office.status(begun.id).state is PaymentState.CHARGED
    assert sheet.row.settled == 1
    assert till.tally()["charges"] == 1


def test_charges_that_are_not_ours_or_unheard_of(office, client):  # noqa: F811
    client.charge(Order(str(uuid4()), "pm_card_visa", Money(700)))
    sheet = reconciliation.reconcile(office.courier, DAY)
    (line,) = sheet.lines
    assert (line.kind, line.theirs, line.payment_id) == (Mismatch.NOT_HERE, Money(700), "")
    again = reconciliation.reconcile(office.courier, DAY)
    assert [one.id for one in again.lines] == [line.id]  # it is said once, and still stands


def test_a_charge_without_our_reference(office, till):  # noqa: F811
    def charge(books):
        intent = books.new_intent(900, "usd")
        books.confirm(intent, books.method("pm_card_visa"), mandated=False, off_session=True)

    tell_store(till, charge)
    assert lines(reconciliation.reconcile(office.courier, DAY)) == [Mismatch.NOT_OURS]


def test_the_same_reference_charged_twice_is_named(office, till):  # noqa: F811
    payment_id = paid(office)

    def charge(books):
        intent = books.new_intent(14210, "usd", metadata={"payment": payment_id})
        books.confirm(intent, books.method("pm_card_visa"), mandated=False, off_session=True)

    tell_store(till, charge)
    sheet = reconciliation.reconcile(office.courier, DAY)
    (line,) = sheet.lines
    assert (line.kind, line.payment_id, line.ours) == (Mismatch.TWICE, payment_id, Money(14210))
    assert line.theirs == Money(28420)
    assert sheet.row.settled == 1


def test_another_amount_there_and_one_that_is_gone(office, till):  # noqa: F811
    other, gone = paid(office, 0), paid(office, 1)

    def change(books):
        charge = books.find("charge", office.row(other).charge_id)
        charge.body["amount"] = 14000
        keep(books.db, charge)
        books.db.execute("DELETE FROM object WHERE id = ?", (office.row(gone).charge_id,))
        books.db.execute("DELETE FROM object WHERE id = ?", (office.row(gone).gateway_id,))

    tell_store(till, change)
    sheet = reconciliation.reconcile(office.courier, DAY)
    said = {one.kind: one for one in sheet.lines}
    assert set(said) == {Mismatch.AMOUNT, Mismatch.NOT_THERE}
    assert said[Mismatch.AMOUNT].theirs == Money(14000)
    assert said[Mismatch.NOT_THERE].payment_id == gone
    assert said[Mismatch.NOT_THERE].member_name == "Rose DeLong"
    assert office.row(other).settled_at is None
    assert office.row(gone).settled_at is None


@pytest.mark.parametrize(
    ("which", "code"),
    [("insufficientFunds", "R01"), ("accountClosed", "R02"), ("noAccount", "R03"),
     ("debitNotAuthorized", "R10")],
)  # fmt: skip
def test_a_debit_that_comes_back_is_put_on_file_with_its_code(office, client, which, code):  # noqa: F811
    payment_id = debits(office, client, which)
    assert balance(office) == Money(9210)
    first = reconciliation.reconcile(office.courier, DAY)
    assert (lines(first), first.row.settled) == ([], 0)
    office.desk.now.advance(days=4)
    second = reconciliation.reconcile(office.courier, DAY + timedelta(days=3))
    (line,) = second.lines
    assert (line.kind, line.payment_id) == (Mismatch.RETURNED, payment_id)
    assert code in line.words
    assert balance(office) == Money(14210)
    with office.records.read() as db:
        (back,) = db.scalars(select(PaymentReturn)).all()
        entries = [one.kind for one in db.scalars(select(LedgerEntry).order_by(LedgerEntry.id))]
    assert (back.kind, back.code, back.recorded_by) == (ReturnKind.DEBIT, code, "courier")
    assert entries == ["payment", "return"]
    assert "payment:returned" in trail(office.desk)
    third = reconciliation.reconcile(office.courier, DAY)
    assert lines(third) == []
    assert balance(office) == Money(14210)
    assert office.status(payment_id).returned.startswith("Debit returned")


def test_a_debit_that_settles_later_is_followed_until_it_does(office, client):  # noqa: F811
    payment_id = debits(office, client, "success")
    for passed in (1, 2):
        office.desk.now.advance(days=1)
        reconciliation.reconcile(office.courier, DAY + timedelta(days=passed - 1))
        assert office.row(payment_id).settled_at is None
    office.desk.now.advance(days=3)
    sheet = reconciliation.reconcile(office.courier, DAY + timedelta(days=4))
    assert (sheet.row.settled, sheet.lines) == (1, ())
    assert office.row(payment_id).settled_at is not None


def test_many_debits_are_followed_by_the_list_and_not_one_by_one(office, client, monkeypatch):  # noqa: F811
    monkeypatch.setattr(reconciliation, "_ASKED_ONE_BY_ONE", 1)
    good = debits(office, client, "success", 0)
    bad = debits(office, client, "noAccount", 1)
    office.desk.now.advance(days=5)
    sheet = reconciliation.reconcile(office.courier, DAY + timedelta(days=4))
    assert (lines(sheet), sheet.row.settled) == ([Mismatch.RETURNED], 1)
    assert office.row(good).settled_at is not None
    assert office.status(bad).returned


def test_a_dispute_weeks_later_is_found_when_the_day_is_looked_at_again(office, client):  # noqa: F811
    payment_id = debits(office, client, "dispute")
    office.desk.now.advance(days=5)
    reconciliation.reconcile(office.courier, DAY)
    assert office.row(payment_id).settled_at is not None
    office.desk.now.advance(days=25)
    assert DAY in reconciliation.due(office.courier)
    sheet = reconciliation.reconcile(office.courier, DAY)
    assert lines(sheet) == [Mismatch.DISPUTED]
    with office.records.read() as db:
        (back,) = db.scalars(select(PaymentReturn)).all()
    assert back.kind is ReturnKind.DISPUTE
    assert balance(office) == Money(14210)
    assert lines(reconciliation.reconcile(office.courier, DAY)) == [Mismatch.DISPUTED]
    with office.records.read() as db:
        assert len(db.scalars(select(PaymentReturn)).all()) == 1
        assert len(db.scalars(select(ReconciliationLine)).all()) == 1


def test_refunds_that_agree_settle_and_one_made_there_is_named(office, client):  # noqa: F811
    ours, theirs = paid(office, 0), paid(office, 1)
    refund_id = office.give_back(ours, Money(1000))
    office.sweep()
    client.refund(RefundOrder(str(uuid4()), office.row(theirs).gateway_id, Money(250)))
    sheet = reconciliation.reconcile(office.courier, DAY)
    (line,) = sheet.lines
    assert (line.kind, line.payment_id) == (Mismatch.REFUND, theirs)
    assert (line.ours, line.theirs) == (Money(0), Money(250))
    assert office.refund_row(refund_id).settled_at is not None
    assert lines(reconciliation.reconcile(office.courier, DAY)) == [Mismatch.REFUND]


def test_a_refund_that_is_gone_at_the_gateway_is_named_once(office, till):  # noqa: F811
    payment_id = paid(office)
    refund_id = office.give_back(payment_id, Money(1000))
    office.sweep()

    def lose(books):
        charge = books.find("charge", office.row(payment_id).charge_id)
        charge.body["amount_refunded"] = 0
        keep(books.db, charge)
        books.db.execute("DELETE FROM object WHERE kind = 'refund'")

    tell_store(till, lose)
    sheet = reconciliation.reconcile(office.courier, DAY)
    (line,) = sheet.lines
    assert (line.kind, line.ours, line.theirs) == (Mismatch.REFUND, Money(1000), Money(0))
    assert office.refund_row(refund_id).settled_at is None


def test_a_charge_just_before_midnight_that_was_recorded_after_it(office, clock):
    clock.advance(hours=13, minutes=17, seconds=59)  # 23:59:59 in Chicago
    begun = office.press()
    office.sweep()
    with office.records.begin() as db:
        day = db.get_one(Payment, begun.id).counts_on
    assert day == DAY
    clock.advance(days=1)
    sheet = reconciliation.reconcile(office.courier, DAY)
    assert (sheet.row.ours, sheet.row.theirs, lines(sheet)) == (1, 1, [])
    after = reconciliation.reconcile(office.courier, DAY + timedelta(days=1))
    assert (after.row.ours, after.row.theirs, lines(after)) == (0, 0, [])


def test_the_courier_does_yesterday_once_by_itself(office, clock):
    paid(office)
    assert reconciliation.daily(office.courier) == ""  # the day before, on which nothing was
    clock.advance(days=1)
    for _ in range(3):
        assert reconciliation.daily(office.courier) == ""
    with office.records.read() as db:
        days = [one.day for one in db.scalars(select(Reconciliation).order_by(Reconciliation.day))]
    assert days == [DAY - timedelta(days=1), DAY]
    assert reconciliation.due(office.courier) == ()


def test_a_gateway_that_is_away_is_left_alone_for_a_while(office, clock, till):  # noqa: F811
    till.misbehave(Kind.DOWN)
    assert "could not be reconciled" in reconciliation.daily(office.courier)
    assert reconciliation.daily(office.courier) == ""
    with office.records.read() as db:
        assert db.scalars(select(Reconciliation)).all() == []
    till.behave()
    clock.advance(minutes=11)
    assert reconciliation.daily(office.courier) == ""
    with office.records.read() as db:
        assert len(db.scalars(select(Reconciliation)).all()) == 1


def test_a_day_that_fails_does_not_keep_the_others_from_their_turn(office, clock, till):  # noqa: F811
    reconciliation.reconcile(office.courier, DAY - timedelta(days=3))
    clock.advance(minutes=1)
    assert len(reconciliation.due(office.courier)) == 2
    till.misbehave(Kind.DOWN, times=1)
    assert reconciliation.daily(office.courier) != ""
    clock.advance(minutes=11)
    reconciliation.daily(office.courier)
    with office.records.read() as db:
        days = set(db.scalars(select(Reconciliation.day)))
    assert days == {DAY - timedelta(days=3), DAY - timedelta(days=2)}


def test_two_couriers_at_once_record_a_return_once(office, client, till):  # noqa: F811
    debits(office, client, "noAccount")
    office.desk.now.advance(days=4)
    gate = threading.Barrier(2)
    others = StripeGateway(till.url, till.key, deadline=5, clock=office.desk.now)

    def turn(courier):
        gate.wait()
        return reconciliation.daily(courier)

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(turn, [office.courier, replace(office.courier, gateway=others)]))
    others.close()
    assert told == ["", ""]
    with office.records.read() as db:
        assert len(db.scalars(select(PaymentReturn)).all()) == 1
        assert len(db.scalars(select(ReconciliationLine)).all()) == 1
    assert balance(office) == Money(14210)


def test_a_list_that_breaks_off_writes_nothing(office, till):  # noqa: F811
    payment_id = paid(office)
    till.misbehave(Kind.HALF_JSON, "/v1/charges", "GET")
    with pytest.raises(NotReconciled):
        reconciliation.reconcile(office.courier, DAY)
    assert office.row(payment_id).settled_at is None
    assert reconciliation.sheets(office.desk) == ()


def test_only_who_has_the_key_reconciles_and_no_day_before_it_begins(office):
    with pytest.raises(NotReconciled, match="Only the courier"):
        reconciliation.reconcile(office.desk, DAY)
    with pytest.raises(NotReconciled, match="not begun"):
        reconciliation.reconcile(office.courier, DAY + timedelta(days=1))
    assert reconciliation.daily(office.desk) == ""


def test_a_supervisor_clears_a_line_with_words(office, sue, client):  # noqa: F811
    client.charge(Order(str(uuid4()), "pm_card_visa", Money(700)))
    (line,) = reconciliation.reconcile(office.courier, DAY).lines
    pat = replace(office.desk, colleague=PAT)
    with pytest.raises(CannotClear, match="supervisor"):
        reconciliation.clear(pat, line.id, "Charged by the shop next door.")
    with pytest.raises(CannotClear, match="few words"):
        reconciliation.clear(sue, line.id, "ok")
    cleared = reconciliation.clear(sue, line.id, "Charged by the shop next door.")
    assert (cleared.row.open_lines, cleared.words) == (0, "Everything that differed is cleared.")
    (shown,) = cleared.lines
    assert (shown.cleared_by, shown.cleared_words) == (SUE.name, "Charged by the shop next door.")
    reconciliation.clear(sue, line.id, "And pressed once more by mistake.")
    with office.records.read() as db:
        assert db.scalars(select(ReconciliationLine.cleared_words)).all() == [shown.cleared_words]
    assert trail(sue).count("mismatch:cleared") == 1
    again = reconciliation.reconcile(office.courier, DAY)
    assert again.row.open_lines == 0


def test_a_large_day_needs_few_questions(office, till):  # noqa: F811
    """However many payments a day has, the database is asked a handful of times."""
    fill(office, till, 2_500, DAY)
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(office.records.engine, "before_cursor_execute", note)
    sheet = reconciliation.reconcile(office.courier, DAY)
    event.remove(office.records.engine, "before_cursor_execute", note)
    assert (sheet.row.ours, sheet.row.theirs, sheet.row.settled) == (2_500, 2_500, 2_500)
    assert sheet.lines == ()
    assert len(asked) < 60
    with office.records.read() as db:
        left = db.scalar(text("SELECT count(*) FROM payment WHERE settled_at IS NULL"))
        assert left == 0
        assert db.scalars(select(Refund)).all() == []
