"""Review cases: everything known is shown, and only evidence of a supervisor ends them."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from console.domain.courier import ErrandKind
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, Verdict
from console.models.courier import Errand
from console.models.payments import ReviewDecision
from console.sandbox.gateway import Kind
from console.services import payments, refunds, reviews
from console.services.reviews import CannotDecide, DecidedOtherwise, Decision
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import SUE, trail
from tests.payments.office import found
from tests.services.test_reconciliation import paid

LOOKED = "The gateway’s own list shows nothing of that amount."
FOUND = "The gateway’s own list shows it at 10:43."


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


@pytest.fixture
def sue(office):
    return replace(office.desk, colleague=SUE)


def under_review(office, till, **other):  # noqa: F811
    """Let a payment be sent into nothing until a person must look."""
    begun = office.press(**other)
    till.misbehave(Kind.CUT_BEFORE, "/v1/payment_intents", "POST")
    office.sweep()
    till.behave()
    till.misbehave(Kind.CUT_BEFORE, "/v1/payment_intents", "POST")
    for _ in range(200):
        office.desk.now.advance(minutes=30)
        office.sweep()
        if office.status(begun.id).state is PaymentState.REVIEW:
            till.behave()
            return begun.id
    raise AssertionError("it never came under review")


def balance(office):
    return payments.prepare(office.desk, office.member_id).accounts[0].owed.balance


def test_a_case_shows_all_that_is_known(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till)
    (case,) = reviews.cases(sue)
    assert (case.id, case.can_be_decided, case.is_refund) == (payment_id, True, False)
    assert (case.member_name, case.amount) == ("Rose DeLong", Money(14210))
    assert case.sends >= 1
    assert case.first_sent_at is not None
    assert case.asked_by == "Pat Lindqvist"
    assert "shows nothing" in case.answer
    assert "look it up" in case.words.lower()


def test_not_charged_frees_the_account_and_moves_nothing(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till)
    decision = Decision(payment_id, Verdict.NOT_CHARGED, LOOKED)
    for _ in range(3):
        told = reviews.decide(sue, decision)
        assert told.state is PaymentState.DECLINED
    assert "Decided by Sue Abara" in told.words
    assert balance(office) == Money(14210)
    assert reviews.cases(sue) == ()
    assert office.press().state is PaymentState.INTENT
    assert trail(sue).count("payment:decided") == 1


def test_charged_needs_the_gateways_name_and_writes_the_ledger(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till, receipt_to="rose@example.org")
    for gateway_id in ("", "  ", "no", "not a name"):
        with pytest.raises(CannotDecide, match="what the gateway calls it"):
            reviews.decide(sue, Decision(payment_id, Verdict.CHARGED, FOUND, gateway_id))
    told = reviews.decide(sue, Decision(payment_id, Verdict.CHARGED, FOUND, " pi_3QabcDEF "))
    assert told.state is PaymentState.CHARGED
    assert office.row(payment_id).gateway_id == "pi_3QabcDEF"
    assert balance(office) == Money(0)
    with office.records.read() as db:
        (known,) = db.scalars(select(ReviewDecision)).all()
        (errand,) = db.scalars(select(Errand)).all()
    assert (known.evidence, known.decided_by) == (FOUND, "sue")
    assert errand.kind is ErrandKind.SEND_RECEIPT


def test_a_name_that_stands_for_another_payment_is_refused(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till)
    other = paid(office, 1, 500)
    with pytest.raises(CannotDecide, match="on file already"):
        reviews.decide(
            sue, Decision(payment_id, Verdict.CHARGED, FOUND, office.row(other).gateway_id)
        )
    assert office.status(payment_id).state is PaymentState.REVIEW


def test_who_decides_second_hears_what_the_first_found(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till)
    reviews.decide(sue, Decision(payment_id, Verdict.NOT_CHARGED, LOOKED))
    with pytest.raises(DecidedOtherwise, match="Sue Abara has decided this otherwise"):
        reviews.decide(sue, Decision(payment_id, Verdict.CHARGED, FOUND, "pi_3QabcDEF"))
    assert balance(office) == Money(14210)


def test_nobody_else_decides_and_never_without_evidence(office, sue, till):  # noqa: F811
    payment_id = under_review(office, till)
    with pytest.raises(CannotDecide, match="A supervisor"):
        reviews.decide(office.desk, Decision(payment_id, Verdict.NOT_CHARGED, LOOKED))
    with pytest.raises(CannotDecide, match="Say what you looked at"):
        reviews.decide(sue, Decision(payment_id, Verdict.NOT_CHARGED, "looked"))
    with pytest.raises(CannotDecide, match="not on file"):
        reviews.decide(sue, Decision("no such", Verdict.NOT_CHARGED, LOOKED))


def test_what_is_not_under_review_is_not_decided(office, sue):
    payment_id = paid(office)
    with pytest.raises(CannotDecide, match="not under review"):
        reviews.decide(sue, Decision(payment_id, Verdict.NOT_CHARGED, LOOKED))


def test_a_refund_is_decided_like_a_payment(office, sue, till):  # noqa: F811
    payment_id = paid(office)
    asked = refunds.ask(
        sue, refunds.RefundWish(str(uuid4()), payment_id, "1023401", Money(1000), "Paid twice")
    )
    till.misbehave(Kind.CUT_BEFORE, "/v1/refunds", "POST")
    for _ in range(200):
        office.sweep()
        if refunds.status(sue, asked.id).state is PaymentState.REVIEW:
            break
        office.desk.now.advance(minutes=30)
    (case,) = reviews.cases(sue)
    assert (case.is_refund, case.payment_id, case.accounts) == (True, payment_id, ("1023401",))
    reviews.decide(sue, Decision(asked.id, Verdict.CHARGED, FOUND, "re_3QabcDEF"))
    assert balance(office) == Money(1000)
    assert refunds.offer(sue, payment_id).left == Money(13210)


def test_what_is_open_for_long_is_listed_and_a_page_that_waits_is_not(office, sue, till):  # noqa: F811
    begun = office.press()
    till.misbehave(Kind.DOWN, "/v1/payment_intents")
    office.sweep()
    assert reviews.cases(sue) == ()
    office.desk.now.advance(minutes=16)
    (case,) = reviews.cases(sue)
    assert (case.id, case.can_be_decided) == (begun.id, False)
    assert "still being checked" in case.words
    till.behave()
    office.sweep()
    link = office.press(PaymentWay.LINK, shares=(("1023402", Money(500)),))
    office.sweep()
    office.desk.now.advance(hours=2)
    assert link.id not in [one.id for one in reviews.cases(sue)]
