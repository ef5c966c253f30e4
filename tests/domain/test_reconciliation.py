"""The rules of reconciling: every way in which two lists can differ is named, and no other."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from console.domain.money import Money
from console.domain.payments import PaymentState
from console.domain.reconciliation import (
    ChargeState,
    Mismatch,
    OurPayment,
    TheirCharge,
    compare,
    days_due,
)

OURS = OurPayment(
    "p1", 7, Money(8410), PaymentState.CHARGED, "pi_1", "ch_1",
    of_the_day=True, is_settled=False, came_back=False,
)  # fmt: skip
THEIRS = TheirCharge(
    "ch_1", "pi_1", "p1", Money(8410), Money(0), ChargeState.SUCCEEDED,
    disputed=False, of_the_day=True,
)  # fmt: skip
NOTHING = Money(0)


def compared(ours=OURS, *theirs):
    return compare({} if ours is None else {ours.id: ours}, theirs)


def kinds(found):
    return [one.kind for one in found.differences]


def test_what_agrees_is_settled_and_leaves_no_line():
    found = compared(OURS, THEIRS)
    assert (found.settled, found.differences, found.missing) == (["p1"], [], [])
    assert (found.ours, found.ours_sum) == (found.theirs, found.theirs_sum) == (1, Money(8410))


def test_a_debit_under_way_agrees_and_is_not_settled():
    found = compared(OURS, replace(THEIRS, state=ChargeState.PENDING))
    assert (found.settled, found.differences) == ([], [])
    assert found.ours == found.theirs == 1


def test_what_is_settled_is_not_settled_again():
    assert compared(replace(OURS, is_settled=True), THEIRS).settled == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PaymentState.DECLINED, "declined"),
        (PaymentState.ABANDONED, "never sent"),
        (PaymentState.REVIEW, "decide"),
        (PaymentState.UNKNOWN, "courier"),
    ],
)
def test_charged_there_and_not_here(state, words):
    found = compared(replace(OURS, state=state), THEIRS)
    (line,) = found.differences
    assert (line.kind, line.payment_id, line.theirs) == (Mismatch.NOT_HERE, "p1", Money(8410))
    assert words in line.words
    assert found.settled == []


def test_a_reference_of_ours_that_nobody_knows():
    (line,) = compared(None, THEIRS).differences
    assert (line.kind, line.payment_id, line.gateway_id) == (Mismatch.NOT_HERE, None, "ch_1")


def test_a_charge_without_reference_is_not_ours():
    found = compared(None, replace(THEIRS, reference=""))
    assert kinds(found) == [Mismatch.NOT_OURS]


def test_charged_here_and_not_in_the_list_is_asked_for():
    found = compared(OURS)
    assert (found.missing, found.differences, found.settled) == ([OURS], [], [])


def test_another_payment_under_our_reference_is_not_taken_for_ours():
    found = compared(OURS, replace(THEIRS, id="ch_9", payment="pi_9"))
    assert kinds(found) == [Mismatch.TWICE]
    assert found.missing == [OURS]
    assert found.settled == []


def test_a_charge_without_a_payment_is_not_ours_because_ours_has_no_name():
    nameless = replace(OURS, gateway_id="", charge_id="")
    found = compared(nameless, replace(THEIRS, id="ch_9", payment=""))
    assert kinds(found) == [Mismatch.TWICE]
    assert found.settled == []


def test_another_amount():
    found = compared(OURS, replace(THEIRS, amount=Money(8400)))
    (line,) = found.differences
    assert (line.kind, line.ours, line.theirs) == (Mismatch.AMOUNT, Money(8410), Money(8400))
    assert found.settled == []


def test_charged_twice_is_named_and_the_first_still_agrees():
    found = compared(OURS, replace(THEIRS, id="ch_2", payment="pi_2"), THEIRS)
    (line,) = found.differences
    assert (line.kind, line.theirs) == (Mismatch.TWICE, Money(16820))
    assert "ch_1" in line.words
    assert "ch_2" in line.words
    assert found.settled == ["p1"]


def test_a_declined_try_before_is_no_second_charge():
    declined = replace(THEIRS, id="ch_0", state=ChargeState.FAILED)
    assert compared(OURS, declined, THEIRS).differences == []


def test_a_debit_that_failed_came_back_once():
    failed = replace(THEIRS, state=ChargeState.FAILED)
    found = compared(OURS, failed)
    assert found.came_back == [(OURS, failed)]
    assert (found.ours, found.theirs, found.settled) == (0, 0, [])
    assert compared(replace(OURS, came_back=True), failed).came_back == []


def test_a_dispute_is_found_once_and_does_not_settle():
    disputed = replace(THEIRS, disputed=True)
    found = compared(OURS, disputed)
    assert (found.disputed, found.settled) == ([(OURS, disputed)], [])
    assert compared(replace(OURS, came_back=True), disputed).disputed == []


@pytest.mark.parametrize(
    ("given", "giving", "there", "differs"),
    [
        (0, 0, 0, False),
        (500, 0, 500, False),
        (500, 0, 0, True),
        (0, 0, 500, True),
        (0, 500, 0, False),
        (0, 500, 500, False),
        (300, 200, 600, True),
    ],
)
def test_refunds_are_compared_and_those_on_their_way_are_let_be(given, giving, there, differs):
    ours = replace(OURS, given_back=Money(given), giving_back=Money(giving))
    found = compared(ours, replace(THEIRS, refunded=Money(there)))
    assert kinds(found) == ([Mismatch.REFUND] if differs else [])


def test_a_charge_in_the_margin_counts_for_its_own_day():
    found = compared(OURS, replace(THEIRS, of_the_day=False))
    assert (found.ours, found.theirs, found.differences) == (0, 0, [])
    assert found.settled == ["p1"]
    late = compared(replace(OURS, of_the_day=False), THEIRS)
    assert (late.ours, late.theirs) == (1, 1)


def test_a_stranger_in_the_margin_is_left_to_its_own_day():
    margin = replace(THEIRS, of_the_day=False)
    assert compared(None, margin).differences == []
    assert compared(None, replace(margin, reference="")).differences == []


TODAY = date(2026, 11, 25)
DAY = timedelta(days=1)


def test_yesterday_is_due_until_it_has_a_sheet_of_today():
    assert days_due(TODAY, {}) == [TODAY - DAY]
    assert days_due(TODAY, {TODAY - DAY: TODAY}) == []
    early = {TODAY - DAY: TODAY - DAY}  # somebody looked before the day was over
    assert days_due(TODAY, early) == [TODAY - DAY]


def test_missed_days_are_made_up_for_since_the_first_sheet():
    made = {TODAY - 4 * DAY: TODAY - 3 * DAY}
    assert days_due(TODAY, made) == [TODAY - DAY, TODAY - 2 * DAY, TODAY - 3 * DAY]


def test_days_are_looked_at_again_because_disputes_come_late():
    week = TODAY - 7 * DAY
    made = {TODAY - n * DAY: TODAY - (n - 1) * DAY for n in range(1, 8)}
    assert days_due(TODAY, made) == [week]
    assert days_due(TODAY, {**made, week: TODAY}) == []
    later = {**made, TODAY: TODAY + DAY, TODAY + DAY: TODAY + 2 * DAY}
    assert days_due(TODAY + 2 * DAY, later) == [TODAY - 5 * DAY, TODAY - 6 * DAY, week]
