"""The payment protocol: every order of events, and what goes wrong when one rule is dropped."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain import payments
from console.domain.payments import LEGAL_MOVES, PaymentState, Progress, Step, next_step
from tests.domain.payment_model import Rules, World, progress, walk

NOW = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)


class OneRequestAtATime(Rules):
    """A network that doubles nothing: the short walk."""

    most_under_way = 1


def test_whatever_happens_in_whatever_order_it_is_charged_once_and_recorded_once():
    found = walk(OneRequestAtATime())
    assert (found.fault, found.way) == ("", [])
    assert found.stranded == 0
    assert found.states >= 50_000


@pytest.mark.soak
def test_the_same_with_doubled_requests():
    found = walk()
    assert (found.fault, found.way) == ("", [])
    assert found.stranded == 0
    assert found.states >= 150_000


class NewKeyForEachTry(Rules):
    same_key = False


class SendsAsLongAsItLikes(Rules):
    def next_step(self, world):
        step = super().next_step(world)
        return Step.SEND if step is Step.LOOK_UP else step

    def may_send(self, world):
        return True


class TakesSilenceForADecline(Rules):
    def reads(self, answer):
        return PaymentState.DECLINED if answer == "nothing" else super().reads(answer)


class TakesAFaultForADecline(Rules):
    def reads(self, answer):
        return PaymentState.DECLINED if answer == "fault" else super().reads(answer)


class TakesAbsentForNotCharged(Rules):
    def absent(self, proof):
        return PaymentState.DECLINED


class TrustsAnyAnswer(Rules):
    def reads(self, answer):
        return PaymentState.CHARGED if answer in ("fault", "busy") else super().reads(answer)


class RecordsBeforeTheAnswer(Rules):
    def ledger_at_claim(self):
        return 1


class WritesWithoutLooking(Rules):
    moves_only_from_what_was_seen = False


class SendsAfterASleep(Rules):
    lease_is_checked_before_sending = False


class TakesAgainWhatIsNotKnown(Rules):
    one_open_payment = False


@pytest.mark.parametrize(
    ("mutant", "fault"),
    [
        (NewKeyForEachTry, "charged twice"),
        (SendsAsLongAsItLikes, "charged twice"),
        (SendsAfterASleep, "charged twice"),
        (TakesSilenceForADecline, "charged and said not to be"),
        (TakesAFaultForADecline, "charged and said not to be"),
        (TakesAbsentForNotCharged, "charged and said not to be"),
        (TrustsAnyAnswer, "recorded and not charged"),
        (RecordsBeforeTheAnswer, "recorded before it was known"),
        (WritesWithoutLooking, "recorded"),
        (TakesAgainWhatIsNotKnown, "taken again while it was not known, and charged"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_rule_is_needed(mutant, fault):
    found = walk(mutant())
    assert fault in found.fault
    assert found.way


class NeverLooksUp(OneRequestAtATime):
    looks_up = False


class TakesNothingOver(OneRequestAtATime):
    takes_over = False


class BelievesNoAbsence(OneRequestAtATime):
    def absence_is_proof(self, world):
        return False


@pytest.mark.parametrize("mutant", [NeverLooksUp, TakesNothingOver, BelievesNoAbsence])
def test_without_it_a_payment_may_stay_open_for_ever(mutant):
    found = walk(mutant())
    assert found.fault == ""
    assert found.stranded > 0


def test_a_final_state_stays():
    final = {state for state in PaymentState if state.is_final}
    assert final == {PaymentState.CHARGED, PaymentState.DECLINED, PaymentState.ABANDONED}
    assert not any(state.is_open for state in final)
    assert set(LEGAL_MOVES) == set(PaymentState)


def test_every_state_is_said_in_words():
    assert all(state.words.endswith((".", "…")) for state in PaymentState)


@pytest.mark.parametrize(
    ("state", "sent_ago", "sends", "answered", "leased", "step"),
    [
        (PaymentState.INTENT, None, 0, False, None, Step.SEND),
        (PaymentState.SENDING, 1, 1, False, 20, Step.LEAVE),
        (PaymentState.SENDING, 1, 1, False, -1, Step.SEND),
        (PaymentState.UNKNOWN, 1, 2, True, None, Step.SEND),
        (PaymentState.UNKNOWN, 60, 3, True, None, Step.LOOK_UP),
        (PaymentState.UNKNOWN, 60, 30, False, None, Step.SEND),
        (PaymentState.UNKNOWN, 72_000, 1, False, None, Step.LOOK_UP),
        (PaymentState.UNKNOWN, 71_999, 1, False, None, Step.SEND),
        (PaymentState.REVIEW, 72_000, 3, True, None, Step.LEAVE),
        (PaymentState.CHARGED, 1, 1, False, None, Step.LEAVE),
    ],
)
def test_what_a_courier_does_next(state, sent_ago, sends, answered, leased, step):
    sent = None if sent_ago is None else NOW - timedelta(seconds=sent_ago)
    until = None if leased is None else NOW + timedelta(seconds=leased)
    asked = NOW - timedelta(seconds=(sent_ago or 0) + 1)
    assert next_step(Progress(state, asked, sent, sent, until, sends, answered), NOW) is step


def test_an_intent_that_nobody_took_up_is_dropped():
    old = Progress(PaymentState.INTENT, NOW - payments.ABANDONED_AFTER)
    assert next_step(old, NOW) is Step.ABANDON
    assert next_step(old, NOW - timedelta(seconds=1)) is Step.SEND


def test_the_model_shows_the_rules_what_is_on_record():
    assert progress(World()).first_sent_at is None
    assert next_step(progress(World(is_old=True)), NOW) is Step.ABANDON
