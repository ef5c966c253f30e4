import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.drawers import (
    DENOMINATIONS,
    BadCount,
    BadMovement,
    Contents,
    MovementKind,
    NotExplained,
    check_cheques,
    check_explanation,
    check_movement,
    close_words,
    coin_words,
    count_words,
    counted_sum,
    expected_cash,
)
from console.domain.money import Money
from console.domain.staff import Role
from console.domain.texts import CardNumberTyped, TooLong

COUNTS = st.dictionaries(st.sampled_from(DENOMINATIONS), st.integers(0, 100_000))


@given(COUNTS)
def test_a_count_adds_up_and_fits_into_the_file(counted):
    total = counted_sum(counted)
    assert total == Money(sum(cents * many for cents, many in counted.items()))
    assert 0 <= total.cents < 2**31


@pytest.mark.parametrize("counted", [{200: 1}, {100: -1}, {1: 100_001}, {0: 1}])
def test_a_count_of_what_cannot_be_is_refused(counted):
    with pytest.raises(BadCount):
        counted_sum(counted)


def test_notes_and_coins_are_named_as_a_clerk_does():
    assert [coin_words(cents) for cents in (10_000, 100, 25, 1)] == [
        "$100 notes",
        "$1 notes",
        "25¢ coins",
        "1¢ coins",
    ]
    assert count_words({25: 8, 2_000: 5, 1: 0}) == "5 × $20, 8 × 25¢"
    assert count_words({}) == "nothing"


@pytest.mark.parametrize(("many", "total"), [(0, 100), (1, 0), (-1, 0), (10_001, 100), (2, -5)])
def test_cheques_are_counted_and_added_up_or_neither(many, total):
    with pytest.raises(BadCount):
        check_cheques(many, Money(total))


def test_cheques_that_agree_pass():
    check_cheques(0, Money(0))
    check_cheques(3, Money(45_000))


@pytest.mark.parametrize("amount", [0, -1, 10_000_001])
def test_a_movement_is_above_zero_and_below_the_limit(amount):
    with pytest.raises(BadMovement):
        check_movement(MovementKind.TO_SAFE, Money(amount), "")


@pytest.mark.parametrize("kind", [MovementKind.PAY_IN, MovementKind.PAY_OUT])
@pytest.mark.parametrize("words", ["", "   ", "\u200f\u202e"])
def test_what_goes_in_or_out_says_what_it_is_for(kind, words):
    with pytest.raises(BadMovement):
        check_movement(kind, Money(100), words)


def test_what_goes_to_the_safe_needs_no_words():
    assert check_movement(MovementKind.TO_SAFE, Money(100), " ") == ""
    assert check_movement(MovementKind.PAY_OUT, Money(100), " stamps ") == "stamps"


def test_no_card_number_is_kept_in_words():
    with pytest.raises(CardNumberTyped):
        check_movement(MovementKind.PAY_OUT, Money(100), "4242 4242 4242 4242")
    with pytest.raises(CardNumberTyped):
        check_explanation("gave change on 4242424242424242 by mistake")
    with pytest.raises(TooLong):
        check_explanation("very long " * 60)


def test_only_what_goes_in_adds():
    assert MovementKind.PAY_IN.signed(Money(5)) == Money(5)
    assert MovementKind.PAY_OUT.signed(Money(5)) == Money(-5)
    assert MovementKind.TO_SAFE.signed(Money(5)) == Money(-5)


@pytest.mark.parametrize("explanation", ["", "sorry", "no idea", "– – – –", "1 2 3 4"])
def test_an_explanation_says_something(explanation):
    with pytest.raises(NotExplained):
        check_explanation(explanation)


def test_an_explanation_is_kept_as_it_was_written():
    assert check_explanation(" wrong change given ") == "wrong change given"


def test_expected_is_what_began_it_and_all_that_came_and_went():
    moved = [Money(500), Money(-2_000)]
    assert expected_cash(Money(10_000), Money(7_310), Money(1_310), moved) == Money(14_500)


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (Contents(Money(100), 1, Money(50)), "Counted as expected."),
        (Contents(Money(90), 1, Money(50)), "Cash $0.10 short."),
        (Contents(Money(110), 1, Money(50)), "Cash $0.10 over."),
        (Contents(Money(100), 0, Money(0)), "1 cheque missing. Cheques $0.50 short."),
        (Contents(Money(100), 3, Money(50)), "2 cheques too many."),
        (Contents(Money(100), 1, Money(70)), "Cheques $0.20 over."),
        (Contents(Money(0), 1, Money(70)), "Cash $1.00 short. Cheques $0.20 over."),
    ],
)
def test_a_close_says_what_is_over_and_what_is_short(counted, words):
    assert close_words(counted, Contents(Money(100), 1, Money(50))) == words


def test_who_has_a_drawer():
    assert [role for role in Role if role.may_handle_cash] == [
        Role.CLERK,
        Role.SUPERVISOR,
        Role.ADMINISTRATOR,
    ]
    assert [role for role in Role if role.closes_others_drawers] == [
        Role.SUPERVISOR,
        Role.ADMINISTRATOR,
    ]
