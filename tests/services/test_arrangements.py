from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from console.domain.arrangements import BadArrangement, Part, Rhythm, Standing
from console.domain.calls import Fact
from console.domain.contact import Asked
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay, ReturnKind
from console.models.accounts import Account
from console.models.arrangements import Arrangement, Promise
from console.models.payments import Payment, PaymentReturn, PaymentShare, Refund
from console.services import arrangements, calls
from console.services.arrangements import ArrangedAlready, ArrangementWish, NotAsked
from console.services.desk import LooksOnly
from tests.office import ANA, SAM, add_member, staff_the_office, trail

NUMBER = "1023401"
PARTS = (Part(date(2026, 12, 1), Money(5000)), Part(date(2026, 12, 15), Money(9210)))


@pytest.fixture
def rose(desk):
    staff_the_office(desk.records)
    return add_member(desk.records)


def wish(member_id, **other):
    asked = {"total": Money(14210), "parts": PARTS, "asked": Asked.IN_PERSON, **other}
    return ArrangementWish(str(uuid4()), member_id, NUMBER, **asked)


def pays(desk, member_id, cents, way=PaymentWay.CASH):
    """Take a payment as the counter does, and answer its id."""
    made = str(uuid4())
    with desk.records.begin() as db:
        now = desk.now()
        payment = Payment(
            id=made, member_id=member_id, way=way, origin=Origin.COUNTER, amount=Money(cents),
            asked_by=desk.colleague.login, asked_at=now, next_try_at=now, method_words="Cash",
        )  # fmt: skip
        db.add(payment)
        db.flush()
        db.add(PaymentShare(payment_id=made, account_number=NUMBER, amount=Money(cents)))
        db.flush()
        payment.state, payment.finished_at = PaymentState.CHARGED, now
        payment.counts_on = now.date()
    return made


def comes_back(desk, member_id, payment_id):
    with desk.records.begin() as db:
        db.add(
            PaymentReturn(
                id=str(uuid4()),
                payment_id=payment_id,
                member_id=member_id,
                kind=ReturnKind.CHEQUE,
                reason="NSF",
                fee=Money(3000),
                recorded_by="pat",
                recorded_at=desk.now(),
                counts_on=desk.now().date(),
            )
        )


def standing(desk, member_id):
    return [one.standing for one in arrangements.of_member(desk, member_id)[0].promises]


def many(desk, record):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(record))


def test_the_offer_splits_what_is_past_due(desk, rose):
    with desk.records.begin() as db:
        db.get(Account, NUMBER).past_due = Money(10_001)
    offered = arrangements.offer(desk, NUMBER, 3, Rhythm.WEEK)
    assert [str(part.amount) for part in offered.parts] == ["$33.35", "$33.33", "$33.33"]
    assert [part.due_on for part in offered.parts] == [
        date(2026, 11, 30) + timedelta(weeks=n) for n in range(3)
    ]
    assert offered.refusal == ""


def test_who_owes_nothing_has_nothing_to_split(desk, rose):
    with desk.records.begin() as db:
        db.get(Account, NUMBER).balance = Money(0)
    assert "owes nothing" in arrangements.offer(desk, NUMBER).refusal
    with pytest.raises(BadArrangement, match="more than the account owes"):
        arrangements.make(desk, wish(rose))


def test_what_was_agreed_on_stands_with_its_promises(desk, rose):
    made = arrangements.make(desk, wish(rose, note="Paid on the first"))
    assert [(one.due_on, one.amount) for one in made.promises] == [
        (part.due_on, part.amount) for part in PARTS
    ]
    assert (made.total, made.paid, made.note) == (Money(14210), Money(0), "Paid on the first")
    assert made.made_by == "Pat Lindqvist"
    assert arrangements.of_member(desk, rose) == (made,)
    assert "Pat Lindqvist made today" in arrangements.offer(desk, NUMBER).refusal
    assert trail(desk) == ["arrangement:made"]


def test_pressing_twice_agrees_once_even_at_the_same_moment(desk, rose):
    wanted = wish(rose)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: arrangements.make(desk, wanted), range(8)))
    assert len({one.id for one in made}) == 1
    assert (many(desk, Arrangement), many(desk, Promise)) == (1, 2)
    assert trail(desk) == ["arrangement:made"]


def test_of_two_desks_one_agrees_and_the_other_is_told_who_was_first(desk, rose):
    desks = [desk, replace(desk, colleague=SAM)] * 4

    def agree(at):
        try:
            return arrangements.make(at, wish(rose)).id
        except ArrangedAlready as problem:
            return str(problem)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(agree, desks))
    assert sum("runs for this account" in one for one in answers) == 7
    assert (many(desk, Arrangement), many(desk, Promise)) == (1, 2)


def test_a_promise_is_given_by_a_verified_caller_or_at_the_counter(desk, rose):
    with pytest.raises(NotAsked):
        arrangements.make(desk, wish(rose, asked=Asked.IN_WRITING))
    call = str(uuid4())
    calls.begin(desk, call, rose)
    asked = wish(rose, asked=Asked.CALLER_VERIFIED, call_id=call)
    with pytest.raises(NotAsked):
        arrangements.make(desk, asked)
    calls.tick(desk, call, list(Fact))
    with pytest.raises(NotAsked):
        arrangements.make(replace(desk, colleague=SAM), asked)
    with pytest.raises(LooksOnly):
        arrangements.make(replace(desk, colleague=ANA), wish(rose))
    assert arrangements.make(desk, asked).id == asked.id


def test_only_what_is_paid_after_the_agreement_keeps_it(desk, rose, clock):
    pays(desk, rose, 1000)
    clock.advance(minutes=1)
    parts = (PARTS[0], Part(PARTS[1].due_on, Money(8210)))
    arrangements.make(desk, wish(rose, total=Money(13210), parts=parts))
    assert standing(desk, rose) == [Standing.DUE, Standing.DUE]
    clock.advance(days=3)
    pays(desk, rose, 5000)
    assert standing(desk, rose) == [Standing.KEPT, Standing.DUE]
    assert arrangements.of_member(desk, rose)[0].paid == Money(5000)


def test_what_was_paid_under_an_earlier_agreement_does_not_count_again(desk, rose, clock):
    first = arrangements.make(desk, wish(rose))
    clock.advance(hours=1)
    pays(desk, rose, 5000)
    clock.advance(hours=1)
    arrangements.call_off(desk, first.id, Asked.IN_PERSON)
    clock.advance(hours=1)
    rest = (Part(PARTS[0].due_on, Money(5000)), Part(PARTS[1].due_on, Money(4210)))
    arrangements.make(desk, wish(rose, total=Money(9210), parts=rest))
    assert standing(desk, rose) == [Standing.DUE, Standing.DUE]
    now, before = arrangements.of_member(desk, rose)
    assert (now.paid, before.paid) == (Money(0), Money(5000))


def test_a_cheque_that_bounces_no_longer_counts(desk, rose, clock):
    arrangements.make(desk, wish(rose))
    clock.advance(days=3)
    cheque = pays(desk, rose, 5000, PaymentWay.CHEQUE)
    assert standing(desk, rose)[0] is Standing.KEPT
    clock.advance(days=2)
    comes_back(desk, rose, cheque)
    assert standing(desk, rose)[0] is Standing.DUE
    assert arrangements.of_member(desk, rose)[0].paid == Money(0)


def test_what_was_given_back_no_longer_counts(desk, rose, clock):
    arrangements.make(desk, wish(rose))
    clock.advance(days=1)
    paid = pays(desk, rose, 5000)
    with desk.records.begin() as db:
        now = desk.now()
        refund = Refund(
            id=str(uuid4()), payment_id=paid, member_id=rose, account_number=NUMBER,
            amount=Money(1), reason="Taken twice", asked_by="sue", asked_at=now, next_try_at=now,
        )  # fmt: skip
        db.add(refund)
        db.flush()
        refund.state = PaymentState.SENDING
        db.flush()
        refund.state, refund.counts_on = PaymentState.CHARGED, now.date()
    assert standing(desk, rose)[0] is Standing.DUE
    assert arrangements.of_member(desk, rose)[0].paid == Money(4999)


def test_the_sweep_ends_what_was_kept_once(desk, rose, clock):
    arrangements.make(desk, wish(rose))
    assert arrangements.settle_due(desk) == 0
    clock.advance(days=2)
    pays(desk, rose, 14210)
    with ThreadPoolExecutor(4) as pool:
        ended = sum(pool.map(lambda _: arrangements.settle_due(desk), range(4)))
    assert ended == 1
    assert trail(desk) == ["arrangement:made", "arrangement:kept"]
    assert arrangements.of_member(desk, rose)[0].state.words == "Kept"
    assert arrangements.worklist(desk) == ()


def test_a_promise_is_broken_after_the_days_of_grace_and_stays_so(desk, rose, clock):
    arrangements.make(desk, wish(rose))
    clock.advance(days=10)  # the third of December
    assert arrangements.settle_due(desk) == 0
    assert [one.standing for one in arrangements.worklist(desk)] == [Standing.LATE]
    clock.advance(days=1)
    assert arrangements.settle_due(desk) == 1
    assert arrangements.settle_due(desk) == 0
    assert trail(desk) == ["arrangement:made", "arrangement:broken"]
    clock.advance(minutes=1)
    pays(desk, rose, 5000)
    assert standing(desk, rose) == [Standing.BROKEN, Standing.OFF]
    listed = arrangements.worklist(desk)
    assert [(one.standing, one.missing) for one in listed] == [(Standing.BROKEN, Money(5000))]
    arrangements.make(
        desk, wish(rose, total=Money(100), parts=(Part(date(2027, 1, 4), Money(100)),))
    )
    assert arrangements.worklist(desk) == ()


def test_the_list_shows_what_is_due_within_three_days_and_what_is_missing(desk, rose, clock):
    arrangements.make(desk, wish(rose))
    clock.advance(days=4)
    assert arrangements.worklist(desk) == ()
    clock.advance(days=1)
    pays(desk, rose, 2000)
    (due,) = arrangements.worklist(desk)
    assert (due.standing, due.missing, due.member_name) == (
        Standing.DUE, Money(3000), "Rose DeLong",
    )  # fmt: skip
    clock.advance(days=3)
    assert [one.standing for one in arrangements.worklist(desk)] == [Standing.DUE_TODAY]


def test_what_was_called_off_ends_once_and_makes_room(desk, rose, clock):
    made = arrangements.make(desk, wish(rose))
    with pytest.raises(NotAsked):
        arrangements.call_off(desk, made.id, Asked.CALLER_VERIFIED, None)
    first = arrangements.call_off(desk, made.id, Asked.IN_PERSON)
    clock.advance(days=1)
    again = arrangements.call_off(replace(desk, colleague=SAM), made.id, Asked.IN_PERSON)
    assert again == first
    assert (first.state.words, first.ended_by) == ("Called off", "Pat Lindqvist")
    assert standing(desk, rose) == [Standing.OFF, Standing.OFF]
    clock.advance(days=20)
    assert arrangements.settle_due(desk) == 0
    assert trail(desk) == ["arrangement:made", "arrangement:called_off"]
