from dataclasses import replace
from datetime import timedelta

from console.documents.drawers import (
    DrawerMovement,
    DrawerPaper,
    DrawerPayment,
    draw_drawer,
)
from console.domain.money import Money
from tests.documents.paper import COOP, HOSTILE, PAID_AT, PRINTED_AT, pages_of, text_of

CLOSED = DrawerPaper(
    **COOP,
    number="16 Nov 2026, No. 3",
    clerk="Riley Osterholm",
    workstation="counter-2",
    opened_at=PAID_AT,
    opening_cash=Money(20000),
    expected_cash=Money(33410),
    expected_cheques=1,
    expected_cheque_sum=Money(7725),
    closed_at=PAID_AT + timedelta(hours=6),
    closed_by="Morgan Yates",
    cash=(
        DrawerPayment("7K3M9-Q2X4T", PAID_AT, "Rose DeLong", Money(18410)),
        DrawerPayment("7K3M9-Q2X4V", PAID_AT, "Ana Whitfield", Money(9999), stands="VOID"),
    ),
    cheques=(
        DrawerPayment("8H3M9-Q2X4T", PAID_AT, "Sam Ostrander", Money(7725), cheque_number="1042"),
    ),
    movements=(
        DrawerMovement(PAID_AT, "To the safe", "Too much in it", "Riley Osterholm", Money(-5000)),
    ),
    counted=((10000, 3), (1000, 2), (500, 1), (25, 36), (10, 1)),
    counted_cash=Money(33410 - 500),
    counted_cheques=1,
    counted_cheque_sum=Money(7725),
    explanation="A five too much was given in change.",
    heads=(("Riley Osterholm", 1204, "ab" * 32), ("Morgan Yates", 311, "cd" * 32)),
)


def test_a_closed_drawer_says_what_was_expected_counted_and_why_they_differ():
    text = text_of(draw_drawer(CLOSED, PRINTED_AT))
    for words in (
        "Drawer sheet",
        "16 Nov 2026, No. 3",
        "counter-2",
        "16 Nov 2026 16:42 by Morgan Yates",
        "Cash $334.10 $329.10 $5.00 short",
        "Cheques, number 1 1 Counted as expected",
        "Cheques, sum $77.25 $77.25 Counted as expected",
        "Explanation: A five too much was given in change.",
        "7K3M9-Q2X4T Rose DeLong $184.10",
        "VOID, not counted $99.99",
        "1 in all $184.10",
        "Sam Ostrander 1042 $77.25",
        "1 in all $77.25",
        "To the safe Too much in it Riley Osterholm −$50.00",
        "$0.25 36 $9.00",
        "Total $334.10",
        "$200.00 to begin with, $184.10 in payments, $50.00 taken out makes $334.10",
        "Clerk, date",
        "Supervisor, date",
    ):
        assert words in text, words
    assert "Something is missing" not in text
    assert "STILL OPEN" not in text


def test_the_witness_heads_of_the_trail_are_printed_whole():
    text = text_of(draw_drawer(CLOSED))
    assert "Riley Osterholm 1,204 " + "ab" * 32 in text
    assert "Morgan Yates 311 " + "cd" * 32 in text


def test_an_open_drawer_says_so_and_has_nothing_counted():
    text = text_of(
        draw_drawer(
            replace(
                CLOSED,
                closed_at=None,
                closed_by="",
                counted=(),
                counted_cash=None,
                counted_cheques=None,
                counted_cheque_sum=None,
                explanation="",
            )
        )
    )
    assert "STILL OPEN" in text
    assert "not counted" in text
    assert "What was counted" not in text
    assert "Explanation" not in text


def test_a_sheet_whose_lines_do_not_come_to_what_is_expected_says_so():
    text = text_of(draw_drawer(replace(CLOSED, cash=CLOSED.cash[1:])))
    assert "come to $150.00, and $334.10 is expected" in text
    text = text_of(draw_drawer(replace(CLOSED, cheques=())))
    assert "come to $0.00, and $77.25 is expected" in text
    assert "No cheques were taken." in text


def test_a_busy_day_spills_over_with_every_payment_on_it():
    many = tuple(
        DrawerPayment(f"R{index:04}", PAID_AT, f"Member {index}", Money(100 + index))
        for index in range(300)
    )
    taken = sum(payment.amount.cents for payment in many)
    busy = replace(CLOSED, cash=many, movements=(), expected_cash=Money(20000 + taken))
    pages = pages_of(draw_drawer(busy))
    text = "\n".join(pages)
    assert len(pages) > 8
    assert all(text.count(f"{payment.receipt} Member") == 1 for payment in many)
    assert f"300 in all {Money(taken)}" in text


def test_hostile_words_stay_words():
    for name in HOSTILE.values():
        paid = DrawerPayment(name, PAID_AT, name, Money(18410), cheque_number=name, stands=name)
        moved = DrawerMovement(PAID_AT, name, name, name, Money(1))
        pdf = draw_drawer(
            replace(
                CLOSED,
                clerk=name,
                number=name,
                explanation=name,
                cash=(paid,),
                cheques=(paid,),
                movements=(moved,),
                heads=((name, 1, name),),
            )
        )
        assert len(pages_of(pdf)) <= 4
