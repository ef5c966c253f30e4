from dataclasses import replace
from datetime import date

from console.documents.day_sheets import DayLine, DaySheet, draw_day_sheet
from console.domain.money import Money
from tests.documents.paper import COOP, HOSTILE, PAID_AT, PRINTED_AT, pages_of, text_of

AGREED = DaySheet(
    **COOP,
    day=date(2026, 11, 16),
    made_by="Morgan Yates",
    made_at=PAID_AT,
    ours=1204,
    ours_sum=Money(22341277),
    theirs=1204,
    theirs_sum=Money(22341277),
    settled=1190,
    heads=(("Riley Osterholm", 1204, "ab" * 32),),
)
MISSING = DayLine(
    "The gateway charged it, and we do not have it as charged.",
    "7K3M9-Q2X4T",
    "pi_3QwErTyUiOpAsDf0aBcDeFgH",
    "Rose DeLong",
    None,
    Money(8723),
)


def flat(pdf):
    return " ".join(text_of(pdf).split())


def test_a_day_that_agrees_says_so():
    text = flat(draw_day_sheet(AGREED, PRINTED_AT))
    for words in (
        "Reconciliation",
        "16 Nov 2026",
        "16 Nov 2026 10:42 by Morgan Yates",
        "On our record 1,204 $223,412.77",
        "On the gateway’s list 1,204 $223,412.77",
        "Difference 0 $0.00",
        "Nothing. Both sides agree, payment by payment.",
        "Riley Osterholm 1,204 " + "ab" * 32,
    ):
        assert words in text, words
    assert "NOT CLEARED" not in text


def test_lines_that_differ_stand_with_both_amounts_and_are_not_cleared():
    text = flat(
        draw_day_sheet(
            replace(AGREED, theirs=1205, theirs_sum=Money(22350000), lines=(MISSING,)), PRINTED_AT
        )
    )
    assert "1 NOT CLEARED" in text
    assert "Rose DeLong: The gateway charged it" in text
    assert "none $87.23 not yet" in text
    assert "Difference −1 −$87.23" in text


def test_who_cleared_a_line_and_how_is_printed():
    cleared = replace(
        MISSING, cleared_by="Morgan Yates", cleared_at=PAID_AT, cleared_words="Refunded."
    )
    text = flat(draw_day_sheet(replace(AGREED, lines=(cleared,)), PRINTED_AT))
    assert "NOT CLEARED" not in text
    for words in ("Morgan Yates", "Refunded."):
        assert words in text


def test_a_bad_day_spills_over_with_every_line_on_it():
    lines = tuple(replace(MISSING, receipt=f"R{index:04}") for index in range(120))
    text = text_of(draw_day_sheet(replace(AGREED, lines=lines)))
    assert all(text.count(line.receipt) == 1 for line in lines)
    assert "120 NOT CLEARED" in text


def test_hostile_words_stay_words():
    for name in HOSTILE.values():
        line = DayLine(name, name, name, name, Money(1), Money(2), name, PAID_AT, name)
        assert len(pages_of(draw_day_sheet(replace(AGREED, lines=(line,), made_by=name)))) <= 2
