"""Taking a payment at the desk: what is refused, what is asked first, and one press pays once."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from console.domain.members import AccountStatus, AlertKind
from console.domain.money import BadAmount, Money
from console.domain.payments import NotPayable, Origin, PaymentState, PaymentWay, Question
from console.domain.staff import Role
from console.models.accounts import Account
from console.models.calls import Call
from console.models.courier import Errand
from console.models.ledger import LedgerEntry
from console.models.members import Alert
from console.models.methods import StoredMethod
from console.models.payments import Payment, PhoneAuthorization
from console.services import payments
from console.services.desk import Colleague, Desk, LooksOnly
from console.services.payments import (
    AlreadyOpen,
    AskFirst,
    NotInACall,
    PhoneMandateWish,
)
from tests.gateways import client, pay_on, till  # noqa: F401  # fixtures
from tests.office import SAM, add_member, trail
from tests.payments.office import NUMBERS, count, found, judge, moved_at

NOTHING = frozenset()


@pytest.fixture
def office(records, clock):
    return found(records, clock, None)


@pytest.fixture
def one_machine(office, client):  # noqa: F811
    """A desk that is its own courier, as in training."""
    desk = replace(office.desk, gateway=client)
    return replace(office, desk=desk, courier=desk)


def change_account(office, number=NUMBERS[0], **values):
    with office.records.begin() as db:
        for name, value in values.items():
            setattr(db.get_one(Account, number), name, value)


# The form


def test_the_form_shows_what_is_owed_and_how_it_can_be_paid(office):
    change_account(office, past_due=Money(4210), due_on=date(2026, 12, 1))
    form = payments.prepare(office.desk, office.member_id, office.call_id)
    assert form.member_name == "Rose DeLong"
    first = form.accounts[0]
    assert [(one.words, one.amount.cents) for one in first.presets] == [
        ("Past due", 4210), ("Amount due", 14210),
    ]  # fmt: skip
    assert (first.shut, first.open_payment, first.due_on) == ("", "", date(2026, 12, 1))
    assert form.methods[0].words == "Visa ending in 4242, 04/31"
    assert form.methods[0].is_default
    assert form.refusals == {}
    assert form.drawer_id == office.drawer_id


def test_an_account_with_an_open_payment_is_shut_on_the_form(office):
    begun = office.press()
    form = payments.prepare(office.desk, office.member_id, office.call_id)
    assert form.accounts[0].open_payment == begun.id
    assert form.accounts[0].shut.startswith("$142.10 for account 1023401 was asked for")
    assert form.accounts[0].shut.endswith("by Pat Lindqvist and is not known yet. "
                                          "Do not take it again.")  # fmt: skip
    assert form.accounts[1].shut == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"member_began": False}, "Money is only taken in a call that the member began."),
        ({"verified_at": None}, "Verify the caller first"),
        ({"member_id": None}, "Verify the caller first"),
        ({"ended_at": "now"}, "Begin the call first"),
        ({"staff": "sam"}, "Begin the call first"),
    ],
)
def test_money_is_only_taken_in_a_call_that_the_member_began(office, change, words):
    with office.records.begin() as db:
        call = db.get_one(Call, office.call_id)
        for name, value in change.items():
            setattr(call, name, office.desk.now() if value == "now" else value)
    refusals = payments.prepare(office.desk, office.member_id, office.call_id).refusals
    for way in (PaymentWay.STORED, PaymentWay.PAGE, PaymentWay.LINK, PaymentWay.BANK):
        assert refusals[way].startswith(words)
        with pytest.raises(NotInACall, match=words):
            office.press(way, mandate=_mandate())
    assert count(office.records, Payment) == 0
    assert office.press(PaymentWay.CASH).state is PaymentState.CHARGED


def test_somebody_elses_call_is_not_ours(office):
    other = add_member(office.records, "Ruiz", ("7700001",))
    with pytest.raises(NotInACall, match="Verify the caller"):
        office.press(member_id=other, shares=(("7700001", Money(100)),))


# One press


def test_pressed_again_it_is_the_same_payment(office):
    wish = office.wish()
    first = payments.begin(office.desk, wish)
    assert payments.begin(office.desk, wish) == first
    assert payments.begin(office.desk, replace(wish, shares=((NUMBERS[1], Money(1)),))) == first
    assert count(office.records, Payment) == 1
    assert trail(office.desk).count("payment:asked") == 1


def test_a_second_payment_for_an_account_waits_for_the_first(office):
    first = office.press()
    with pytest.raises(AlreadyOpen) as refused:
        office.press(shares=((NUMBERS[1], Money(500)), (NUMBERS[0], Money(500))))
    assert refused.value.payment_id == first.id
    assert "Do not take it again." in str(refused.value)
    assert office.press(shares=((NUMBERS[1], Money(50)),)).state is PaymentState.INTENT


def test_called_off_before_it_was_sent(office):
    begun = office.press()
    told = payments.cancel(office.desk, begun.id)
    assert told.state is PaymentState.ABANDONED
    assert told.words == "It was called off before it was sent. No money has moved."
    assert payments.cancel(office.desk, begun.id).state is PaymentState.ABANDONED
    assert trail(office.desk).count("payment:cancelled") == 1
    assert office.press().state is PaymentState.INTENT


def test_too_late_to_call_off_when_a_courier_has_it(one_machine, till):  # noqa: F811
    begun = one_machine.press()
    one_machine.sweep()
    assert payments.cancel(one_machine.desk, begun.id).state is PaymentState.CHARGED
    assert till.tally()["charges"] == 1


def test_on_one_machine_the_press_carries_it_too(one_machine, till):  # noqa: F811
    begun = one_machine.press()
    told = payments.carry(one_machine.desk, begun.id)
    assert told.state is PaymentState.CHARGED
    assert judge(one_machine.records, *moved_at(till)).faults == {}
    with pytest.raises(payments.ConsoleError, match="not on file"):
        payments.status(one_machine.desk, str(uuid4()))


def test_a_page_is_shut_at_once_on_one_machine(one_machine, till):  # noqa: F811
    begun = one_machine.press(PaymentWay.PAGE)
    url = payments.carry(one_machine.desk, begun.id).page_url
    one_machine.desk.now.advance(seconds=2)
    assert payments.shut_page(one_machine.desk, begun.id).state is PaymentState.DECLINED
    pay_on(url)
    assert till.tally()["charges"] == 0
    assert payments.shut_page(one_machine.desk, begun.id).state is PaymentState.DECLINED
    assert trail(one_machine.desk).count("payment:page_shut_asked") == 1


# What is asked first


@pytest.mark.parametrize(
    ("account", "amount", "asked"),
    [
        ({}, 14211, Question.ABOVE_BALANCE),
        ({"balance": Money(0)}, 100, Question.NOTHING_DUE),
        ({"balance": Money(-500)}, 100, Question.NOTHING_DUE),
        ({"status": AccountStatus.CLOSED}, 100, Question.CLOSED),
    ],
)
def test_what_is_unusual_is_asked_first(office, account, amount, asked):
    change_account(office, **account)
    shares = ((NUMBERS[0], Money(amount)),)
    with pytest.raises(AskFirst) as first:
        office.press(shares=shares, answered=NOTHING)
    assert set(first.value.asked) == {asked}
    assert NUMBERS[0] in first.value.asked[asked]
    assert count(office.records, Payment) == 0
    begun = office.press(shares=shares, answered=frozenset({asked}))
    assert begun.state is PaymentState.INTENT


def test_the_same_amount_within_a_day_is_asked_first(office):
    office.press(PaymentWay.CASH, shares=((NUMBERS[0], Money(1000)),))
    again = {"shares": ((NUMBERS[0], Money(1000)),), "answered": NOTHING}
    with pytest.raises(AskFirst) as first:
        office.press(**again)
    assert set(first.value.asked) == {Question.SAME_LATELY}
    assert "by Pat Lindqvist" in str(first.value)
    assert office.press(shares=((NUMBERS[0], Money(999)),), answered=NOTHING)
    office.desk.now.advance(hours=25)
    with pytest.raises(AlreadyOpen):  # of the $9.99
        office.press(**again)


# Bad input: a sentence, nothing charged, nothing lost


@pytest.mark.parametrize("typed", ["", "abc", "12.3", "1e5", "-5", "12,3.456", "١٢", "5 00"])
def test_what_is_no_amount_is_not_taken_for_one(typed):
    with pytest.raises(BadAmount, match="Write it like 84"):
        Money.parse(typed)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shares": ()}, "Choose at least one account"),
        ({"shares": ((NUMBERS[0], Money(0)),)}, "Type an amount above zero"),
        ({"shares": ((NUMBERS[0], Money(-500)),)}, "Type an amount above zero"),
        ({"shares": ((NUMBERS[0], Money(49)),)}, "no less than \\$0.50"),
        ({"shares": ((NUMBERS[0], Money(5)), (NUMBERS[0], Money(5)))}, "there twice"),
        ({"shares": ((NUMBERS[0], Money(99_999_999)),)}, "more than the .* takes at once"),
        ({"shares": (("9999999", Money(500)),)}, "not one of this member’s"),
        ({"shares": (("", Money(500)),)}, "not one of this member’s"),
        ({"method_id": None}, "Choose a stored method"),
        ({"method_id": "nobody's"}, "Choose a stored method"),
        ({"origin": Origin.AUTO_PAY}, "Auto Pay runs by itself"),
        ({"way": PaymentWay.BANK}, "read the authorization out first"),
        ({"way": PaymentWay.LINK, "link_to": ""}, "A phone number has ten digits"),
        ({"way": PaymentWay.LINK, "link_to": "12"}, "A phone number has ten digits"),
        ({"way": PaymentWay.LINK, "link_to": "rose@"}, "Nothing comes after the @"),
        ({"receipt_to": "rose at example"}, "e-mail"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(office, wrong, words):
    wish = replace(office.wish(), **wrong)
    with pytest.raises(payments.ConsoleError, match=words):
        payments.begin(office.desk, wish)
    assert count(office.records, Payment) == 0
    assert count(office.records, LedgerEntry) == 0
    assert office.press().state is PaymentState.INTENT


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"way": PaymentWay.CHEQUE}, "number of the cheque"),
        ({"way": PaymentWay.CASH, "tendered": Money(14209)}, "less than"),
    ],
)
def test_what_cannot_be_taken_at_the_counter(office, wrong, words):
    wish = replace(office.wish(PaymentWay.CASH), **wrong)
    with pytest.raises(NotPayable, match=words):
        payments.begin(office.desk, wish)
    assert count(office.records, Payment) == 0


def test_an_expired_card_and_one_that_was_taken_away(office):
    with office.records.begin() as db:
        gone = db.get_one(StoredMethod, office.methods["declined"])
        gone.removed_at, gone.removed_by = office.desk.now(), "pat"
    office.desk.now.advance(days=365 * 5)
    with pytest.raises(NotPayable, match="has expired"):
        office.press()
    with pytest.raises(NotPayable, match="not there any more"):
        office.press(card="declined")


def test_no_cheques_from_a_member_who_wrote_bad_ones(office):
    with office.records.begin() as db:
        db.add(
            Alert(
                member_id=office.member_id,
                kind=AlertKind.NO_CHEQUES,
                raised_by="sue",
                raised_at=office.desk.now(),
            )
        )
    for way in (PaymentWay.CHEQUE, PaymentWay.BANK):
        with pytest.raises(NotPayable, match=r"No (cheques|bank debits) are taken"):
            office.press(way, mandate=_mandate())


def test_an_auditor_takes_no_money(office):
    looks = Desk(office.records, office.desk.portal, Colleague("ana", "Ana", Role.AUDITOR),
                 workstation="desk 3", now=office.desk.now)  # fmt: skip
    with pytest.raises(LooksOnly):
        payments.begin(looks, office.wish())
    with pytest.raises(LooksOnly):
        payments.cancel(looks, "any")
    with pytest.raises(LooksOnly):
        payments.shut_page(looks, "any")


# The counter


def test_cash_is_taken_in_the_breath_in_which_it_is_asked_for(office):
    told = office.press(PaymentWay.CASH, tendered=Money(15000), receipt_to="rose@example.org")
    assert (told.state, told.words) == (PaymentState.CHARGED, "Taken at the counter.")
    assert told.change == Money(790)
    assert told.settled_at is not None
    assert told.shares[0].balance == Money(0)
    assert judge(office.records, {}).faults == {}
    with office.records.read() as db:
        assert db.query(Errand).one().kind == "send_receipt"


def test_a_cheque_is_taken_and_may_yet_bounce(office):
    told = office.press(PaymentWay.CHEQUE)
    assert (told.state, told.method_words) == (PaymentState.CHARGED, "Cheque 1042")
    assert told.settled_at is None
    (line,) = payments.ledger(office.desk, NUMBERS[0])
    assert (line.words, line.amount, line.balance) == ("Cheque 1042", Money(-14210), Money(0))


def test_without_a_drawer_of_ones_own_no_cash_is_taken(office):
    sams = replace(office.desk, colleague=SAM)
    with pytest.raises(NotPayable, match="Open your drawer"):
        payments.begin(sams, office.wish(PaymentWay.CASH))


def test_the_phone_authorization_is_kept_with_the_payment(office):
    begun = office.press(PaymentWay.BANK, mandate=_mandate())
    with office.records.read() as db:
        kept = db.get_one(PhoneAuthorization, begun.id)
    assert (kept.script, kept.recording, kept.read_by) == (
        "Today, you authorize us.", "call 4711", "pat",
    )  # fmt: skip
    with pytest.raises(NotPayable, match="recording"):
        office.press(
            PaymentWay.BANK,
            shares=((NUMBERS[1], Money(500)),),
            mandate=replace(_mandate(), recording=" "),
        )


def _mandate():
    return PhoneMandateWish(
        "Today, you authorize us.", "pm_usBankAccount_success", "Bank account ending in 6789",
        recording="call 4711",
    )  # fmt: skip
