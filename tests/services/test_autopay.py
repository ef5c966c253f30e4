from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from console.domain.autopay import BadAutoPay, RunState
from console.domain.calls import Fact
from console.domain.contact import Asked
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay, ReturnKind
from console.models.accounts import Account
from console.models.autopay import AutoPay, AutoPayRun
from console.models.methods import StoredMethod
from console.models.payments import Payment, PaymentReturn, PaymentShare, PhoneAuthorization
from console.sandbox import mailbox
from console.services import autopay, calls, courier
from console.services.autopay import AutoPayWish, EnrolledAlready, NotAgreed, RecurringMandate
from tests.office import SAM, add_member, staff_the_office, trail

NUMBER = "1023401"
TODAY = date(2026, 11, 23)


@pytest.fixture
def rose(desk):
    staff_the_office(desk.records)
    return add_member(desk.records)


@pytest.fixture
def call(desk, rose):
    """The call that Rose began, in which she was verified."""
    call = str(uuid4())
    calls.begin(desk, call, rose)
    calls.tick(desk, call, list(Fact))
    return call


@pytest.fixture
def card(desk, rose):
    return stored(desk, rose)


def stored(desk, member_id, kind=MethodKind.CARD, **other):
    made = str(uuid4())
    with desk.records.begin() as db:
        db.add(
            StoredMethod(
                id=made,
                member_id=member_id,
                kind=kind,
                brand="visa" if kind is MethodKind.CARD else "Prairie Bank",
                last_four="4242",
                added_by="pat",
                added_at=desk.now(),
                **other,
            )
        )
    return made


def wish(rose, method, call, **other):
    asked = {"day_of_month": 23, **other}
    return AutoPayWish(str(uuid4()), rose, NUMBER, method, call, **asked)


def owes(desk, cents, due_on=None):
    with desk.records.begin() as db:
        account = db.get(Account, NUMBER)
        account.balance, account.due_on = Money(cents), due_on


def rows(desk, record):
    with desk.records.read() as db:
        return db.scalars(select(record)).all()


def many(desk, record):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(record))


def becomes(desk, payment_id, *states, answer=""):
    """Take a payment through its states, as the payment courier does."""
    for state in states:
        with desk.records.begin() as db:
            payment = db.get(Payment, payment_id)
            payment.state, payment.answer = state, answer
            payment.finished_at, payment.counts_on = desk.now(), TODAY


def test_an_enrolment_shows_on_the_account_with_its_next_day(desk, rose, call, card):
    made = autopay.enrol(desk, wish(rose, card, call, day_of_month=15, most=Money(9000)))
    assert (made.method_words, made.day_words) == (
        "Visa ending in 4242",
        "on day 15 of each month",
    )
    assert (made.next_run, made.amount) == (date(2026, 12, 15), Money(9000))
    assert made.enrolled_by == "Pat Lindqvist"
    assert autopay.of_member(desk, rose) == (made,)
    with desk.records.read() as db:
        assert db.get(Account, NUMBER).autopay
    assert trail(desk)[-1] == "auto_pay:enrolled"


def test_it_is_agreed_on_only_in_a_call_that_the_verified_member_began(desk, rose, card):
    assert "Begin the call first" in autopay.prepare(desk, NUMBER).refusal
    with pytest.raises(NotAgreed, match="Begin the call first"):
        autopay.enrol(desk, wish(rose, card, None))
    rang = str(uuid4())
    calls.begin(desk, rang, rose, member_began=False)
    calls.tick(desk, rang, list(Fact))
    with pytest.raises(NotAgreed, match="call us back"):
        autopay.enrol(desk, wish(rose, card, rang))
    sam = replace(desk, colleague=SAM)
    theirs = str(uuid4())
    calls.begin(sam, theirs, rose)
    with pytest.raises(NotAgreed, match="Verify the caller"):
        autopay.enrol(sam, wish(rose, card, theirs))
    assert many(desk, AutoPay) == 0


def test_pressing_twice_enrols_once_even_at_the_same_moment(desk, rose, call, card):
    wanted = wish(rose, card, call)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: autopay.enrol(desk, wanted), range(8)))
    assert len({one.id for one in made}) == 1
    assert many(desk, AutoPay) == 1
    with pytest.raises(EnrolledAlready, match="Pat Lindqvist"):
        autopay.enrol(desk, wish(rose, card, call))


def test_a_bank_account_needs_the_recording_and_the_written_copy(desk, rose, call):
    bank = stored(desk, rose, MethodKind.BANK)
    said = RecurringMandate(
        "I, Rose DeLong, authorize monthly ACH debits.", "REC-77", "rose@example.org"
    )
    for missing in (
        None,
        replace(said, script=""),
        replace(said, recording=" "),
        replace(said, notice_to=""),
    ):
        with pytest.raises(BadAutoPay):
            autopay.enrol(desk, wish(rose, bank, call, mandate=missing))
    assert many(desk, AutoPay) == 0
    made = autopay.enrol(desk, wish(rose, bank, call, mandate=said))
    (proof,) = rows(desk, PhoneAuthorization)
    assert (proof.id, proof.recurring, proof.recording) == (made.id, True, "REC-77")
    assert (proof.script, proof.notice_to) == (said.script, said.notice_to)


def test_the_written_copy_goes_to_the_member(desk, rose, call, tmp_path):
    with mailbox.running(str(tmp_path / "letters.sqlite")) as post:
        host, port = post.smtp
        settings = replace(
            desk.settings, mail_server=f"smtp://{host}:{port}", mail_sender="office@coop.example"
        )
        posting = replace(desk, settings=settings)
        bank = stored(desk, rose, MethodKind.BANK)
        said = "I, Rose DeLong, authorize monthly ACH debits."
        mandate = RecurringMandate(said, "REC-77", "rose@example.org")
        autopay.enrol(posting, wish(rose, bank, call, mandate=mandate))
        assert courier.make_round(posting).carried == 1
        (letter,) = post.mails()
    assert letter["recipient"] == "rose@example.org"
    assert said in letter["text"]
    assert trail(desk)[-1] == "authorization:sent"


def test_a_method_that_is_gone_or_expired_or_another_members_is_refused(desk, rose, call):
    other = add_member(desk.records, "Ruiz", ("1023402",))
    expired = stored(desk, rose, expires_year=2026, expires_month=10)
    gone = stored(desk, rose, removed_by="pat", removed_at=desk.now())
    for method in (expired, gone, stored(desk, other), "no such"):
        with pytest.raises(BadAutoPay):
            autopay.enrol(desk, wish(rose, method, call))
    offered = autopay.prepare(desk, NUMBER, call).methods
    assert [one.refusal for one in offered] == ["Visa ending in 4242 has expired."]


def test_on_its_day_one_payment_is_asked_for_however_many_couriers_look(desk, rose, call, card):
    made = autopay.enrol(desk, wish(rose, card, call))
    with ThreadPoolExecutor(8) as pool:
        asked = sum(pool.map(lambda _: autopay.run_due(desk), range(8)))
    assert asked == 1
    (run,), (payment,), (share,) = (
        rows(desk, AutoPayRun),
        rows(desk, Payment),
        rows(desk, PaymentShare),
    )
    assert (run.auto_pay_id, run.run_on, run.amount) == (made.id, TODAY, Money(14210))
    assert (payment.id, payment.state, payment.way) == (
        run.id,
        PaymentState.INTENT,
        PaymentWay.STORED,
    )
    assert (payment.origin, payment.method_id) == (Origin.AUTO_PAY, card)
    assert (payment.amount, payment.method_words) == (Money(14210), "Visa ending in 4242")
    assert (share.account_number, share.amount) == (NUMBER, Money(14210))
    becomes(desk, run.id, PaymentState.SENDING, PaymentState.CHARGED)
    owes(desk, 500)
    assert autopay.run_due(desk) == 0
    assert many(desk, Payment) == 1


def test_no_more_is_asked_for_than_is_carried(desk, rose, call, card):
    others = ("1023402", "1023403")
    with desk.records.begin() as db:
        first = db.get(Account, NUMBER)
        for number in others:
            fields = {c.key: getattr(first, c.key) for c in Account.__table__.columns}
            db.add(Account(**{**fields, "number": number}))
    for number in (NUMBER, *others):
        autopay.enrol(desk, replace(wish(rose, card, call), account_number=number))
    assert autopay.run_due(desk, 2) == 2
    assert autopay.run_due(desk, 2) == 0, "two wait to be sent"
    becomes(desk, rows(desk, Payment)[0].id, PaymentState.SENDING)
    assert autopay.run_due(desk, 2) == 1
    assert many(desk, Payment) == 3


def test_a_courier_killed_between_run_and_payment_leaves_neither(desk, rose, call, card):
    autopay.enrol(desk, wish(rose, card, call))
    dying = [True]

    def dies(_db, touched):
        if dying and "AutoPayRun" in touched:
            dying.clear()
            raise KeyboardInterrupt

    desk.records.before_commit(dies)
    with pytest.raises(KeyboardInterrupt):
        autopay.run_due(desk)
    assert (many(desk, AutoPayRun), many(desk, Payment)) == (0, 0)
    assert autopay.run_due(desk) == 1


def test_it_runs_on_the_day_of_the_co_op_and_not_of_greenwich(desk, rose, call, card, clock):
    autopay.enrol(desk, wish(rose, card, call, day_of_month=24))
    clock.advance(hours=13)  # the 24th at Greenwich, 23:42 of the 23rd in Chicago
    assert autopay.run_due(desk) == 0
    clock.advance(minutes=20)
    assert autopay.run_due(desk) == 1
    assert rows(desk, AutoPayRun)[0].run_on == date(2026, 11, 24)


def test_without_a_fixed_day_it_runs_when_the_bill_is_due(desk, rose, call, card, clock):
    owes(desk, 5000, TODAY + timedelta(days=1))
    autopay.enrol(desk, wish(rose, card, call, day_of_month=None))
    assert autopay.run_due(desk) == 0
    clock.advance(days=1)
    assert autopay.run_due(desk) == 1


def test_no_more_is_taken_than_was_allowed(desk, rose, call, card):
    autopay.enrol(desk, wish(rose, card, call, most=Money(10_000)))
    assert autopay.run_due(desk) == 1
    assert rows(desk, Payment)[0].amount == Money(10_000)


def test_a_credit_is_left_alone_and_written_down(desk, rose, call, card):
    owes(desk, -100)
    autopay.enrol(desk, wish(rose, card, call))
    assert autopay.run_due(desk) == 0
    assert autopay.run_due(desk) == 0
    (run,) = rows(desk, AutoPayRun)
    assert (run.state, run.answer, run.amount) == (RunState.SKIPPED, "Nothing was due.", Money(0))
    assert many(desk, Payment) == 0
    assert autopay.troubles(desk) == ()
    assert trail(desk).count("auto_pay:skipped") == 1


def test_an_open_payment_is_waited_for_and_then_only_the_rest_is_taken(desk, rose, call, card):
    autopay.enrol(desk, wish(rose, card, call))
    open_one = str(uuid4())
    with desk.records.begin() as db:
        now = desk.now()
        db.add(
            Payment(
                id=open_one,
                member_id=rose,
                way=PaymentWay.STORED,
                origin=Origin.CALL,
                amount=Money(14000),
                asked_by="pat",
                asked_at=now,
                next_try_at=now,
            )
        )
        db.flush()
        db.add(PaymentShare(payment_id=open_one, account_number=NUMBER, amount=Money(14000)))
    assert autopay.run_due(desk) == 0
    assert many(desk, AutoPayRun) == 0
    becomes(desk, open_one, PaymentState.SENDING, PaymentState.CHARGED)
    assert autopay.run_due(desk) == 1
    assert rows(desk, AutoPayRun)[0].amount == Money(210)


def test_a_day_on_which_no_courier_ran_is_made_up_for_but_not_for_ever(
    desk, rose, call, card, clock
):
    autopay.enrol(desk, wish(rose, card, call))
    clock.advance(days=3)
    assert autopay.run_due(desk) == 1
    assert rows(desk, AutoPayRun)[0].run_on == TODAY


def test_a_day_before_the_enrolment_or_long_gone_is_not_run(desk, rose, call, card, clock):
    autopay.enrol(desk, wish(rose, card, call, day_of_month=22))
    assert autopay.run_due(desk) == 0
    clock.advance(days=33)  # the 26th of December; the 22nd is four days gone
    assert autopay.run_due(desk) == 0
    assert many(desk, AutoPayRun) == 0


@pytest.mark.parametrize("trouble", ["removed", "expired", "disputed"])
def test_what_cannot_be_used_is_left_out_in_words_and_listed(
    desk, rose, call, card, clock, trouble
):
    autopay.enrol(desk, wish(rose, card, call))
    with desk.records.begin() as db:
        method = db.get(StoredMethod, card)
        if trouble == "removed":
            method.removed_by, method.removed_at = "pat", desk.now()
    if trouble == "disputed":
        disputes(desk, rose, card)
    if trouble == "expired":
        card = stored(desk, rose, expires_year=2026, expires_month=12)
        autopay.end(desk, autopay.of_member(desk, rose)[0].id, Asked.IN_PERSON)
        autopay.enrol(desk, wish(rose, card, call, day_of_month=2))
        clock.advance(days=40)  # the 2nd of January
    assert autopay.run_due(desk) == 0
    (found,) = autopay.troubles(desk)
    words = {
        "removed": "Visa ending in 4242 was taken away.",
        "expired": "Visa ending in 4242 has expired.",
        "disputed": "A payment with Visa ending in 4242 is disputed.",
    }
    assert (found.words, found.amount) == (words[trouble], Money(14210))
    assert found.member_name == "Rose DeLong"
    (shown,) = autopay.of_member(desk, rose)
    assert (shown.in_the_way, shown.runs[0].words) == (found.words, f"Left out: {found.words}")


def disputes(desk, member_id, method):
    made = str(uuid4())
    with desk.records.begin() as db:
        now = desk.now()
        db.add(
            Payment(
                id=made,
                member_id=member_id,
                way=PaymentWay.STORED,
                origin=Origin.CALL,
                amount=Money(100),
                method_id=method,
                asked_by="pat",
                asked_at=now,
                next_try_at=now,
            )
        )
        db.flush()
        db.add(PaymentShare(payment_id=made, account_number=NUMBER, amount=Money(100)))
    becomes(desk, made, PaymentState.SENDING, PaymentState.CHARGED)
    with desk.records.begin() as db:
        db.add(
            PaymentReturn(
                id=str(uuid4()),
                payment_id=made,
                member_id=member_id,
                kind=ReturnKind.DISPUTE,
                reason="Fraudulent",
                recorded_by="pat",
                recorded_at=desk.now(),
                counts_on=TODAY,
            )
        )


def test_a_declined_run_is_listed_and_not_tried_again_that_day(desk, rose, call, card):
    autopay.enrol(desk, wish(rose, card, call))
    autopay.run_due(desk)
    run = rows(desk, AutoPayRun)[0].id
    assert autopay.troubles(desk) == ()
    becomes(desk, run, PaymentState.SENDING)
    becomes(desk, run, PaymentState.DECLINED, answer="The card was declined: no funds.")
    assert autopay.run_due(desk) == 0
    (found,) = autopay.troubles(desk)
    assert (found.run_id, found.words) == (run, "The card was declined: no funds.")
    assert autopay.of_member(desk, rose)[0].runs[0].is_good is False


def test_what_was_ended_does_not_run_and_ends_once(desk, rose, call, card, clock):
    made = autopay.enrol(desk, wish(rose, card, call))
    with pytest.raises(NotAgreed):
        autopay.end(desk, made.id, Asked.CALLER_VERIFIED)
    autopay.end(desk, made.id, Asked.CALLER_VERIFIED, call)
    clock.advance(minutes=1)
    autopay.end(replace(desk, colleague=SAM), made.id, Asked.IN_WRITING)
    assert autopay.run_due(desk) == 0
    assert autopay.of_member(desk, rose) == ()
    (ended,) = rows(desk, AutoPay)
    assert ended.ended_by == "pat"
    with desk.records.read() as db:
        assert not db.get(Account, NUMBER).autopay
    assert trail(desk).count("auto_pay:ended") == 1
    autopay.enrol(desk, wish(rose, card, call))
