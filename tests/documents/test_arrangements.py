from dataclasses import replace
from datetime import date

from console.documents.arrangements import (
    ArrangementLetter,
    PromisedPayment,
    draw_arrangement,
)
from console.domain.money import Money
from tests.documents.paper import COOP, HOSTILE, PRINTED_AT, pages_of, text_of

LETTER = ArrangementLetter(
    **COOP,
    number="PA-2210",
    member_name="Rose DeLong",
    mailing=("Rose DeLong", "PO Box 12", "Willow Bend, MN 55555"),
    account="1023401",
    service_address="418 County Road 12",
    made_on=date(2026, 11, 16),
    made_by="Riley Osterholm",
    balance=Money(61230),
    past_due=Money(42820),
    promises=(
        PromisedPayment(date(2026, 11, 30), Money(15000), "Kept"),
        PromisedPayment(date(2026, 12, 14), Money(15000)),
        PromisedPayment(date(2026, 12, 28), Money(12820)),
    ),
)


def test_the_letter_lists_every_promise_and_what_is_left_after_it():
    pdf = draw_arrangement(LETTER, PRINTED_AT)
    text = text_of(pdf)
    assert len(pages_of(pdf)) == 1
    for words in (
        "ROSE DELONG\nPO BOX 12\nWILLOW BEND, MN 55555",
        "Payment arrangement",
        "PA-2210",
        "Dear Rose DeLong:",
        "on 16 Nov 2026",
        "Balance $612.30",
        "Past due $428.20",
        "1 30 Nov 2026 Kept $150.00 $278.20",
        "2 14 Dec 2026 $150.00 $128.20",
        "3 28 Dec 2026 $128.20 $0.00",
        "Total $428.20",
        "call us before it passes, at 555-0142",
        "If a payment is missed",
    ):
        assert words in text, words


def test_an_arrangement_that_ended_is_marked():
    assert "CALLED OFF" in text_of(draw_arrangement(replace(LETTER, stands="Called off")))


def test_the_office_words_its_own_terms():
    text = text_of(draw_arrangement(replace(LETTER, terms=("Pay at the office.",))))
    assert "Pay at the office." in text
    assert "If a payment is missed" not in text


def test_hostile_words_stay_words():
    for name in HOSTILE.values():
        hostile = replace(LETTER, member_name=name, mailing=(name, name), note=name, number=name)
        assert len(pages_of(draw_arrangement(hostile))) <= 3
