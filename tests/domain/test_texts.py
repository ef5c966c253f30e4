import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import texts


@pytest.mark.parametrize(
    ("rough", "clean"),
    [
        ("  Rose  ", "Rose"),
        ("Ro\0se", "Rose"),
        ("Rose\ud800", "Rose?"),
        ("\u202eesoR", "esoR"),
        ("a\r\nb\tc", "a b c"),
        ("Jose\u0301", "José"),
        ("\ufffe\U0010ffffx", "x"),
        ("Zoë 🌳", "Zoë 🌳"),
    ],
)
def test_what_cannot_be_seen_is_taken_out(rough, clean):
    assert texts.clean_text(rough, 50) == clean


def test_what_a_member_typed_keeps_its_hidden_characters():
    assert texts.keep_as_typed("De\u00a0Long\u200b ", 50) == "De\u00a0Long\u200b "
    assert texts.keep_as_typed("Jose\u0301", 50) == "Jose\u0301"
    assert texts.keep_as_typed("\u202eRo\0se\ud800", 50) == "\u200bRo\ufffdse?"
    assert texts.keep_as_typed("x" * 1_000_000, 200) == "x" * 200


def test_notes_keep_their_lines():
    assert texts.clean_text("one\r\ntwo\x07\n\n", 50, lines=True) == "one\ntwo"


def test_a_megabyte_is_cut():
    assert texts.clean_text("x" * 1_000_000, 200) == "x" * 200


def test_what_a_colleague_typed_is_refused_rather_than_cut():
    with pytest.raises(texts.TooLong, match="The note may have 10 characters"):
        texts.check_text("x" * 11, 10, "The note")
    assert texts.check_text(" x" + " " * 5000, 10, "The note") == "x"


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(1, 100))
def test_what_is_kept_can_be_stored_anywhere(text, most):
    clean = texts.clean_text(text, most, lines=True)
    assert len(clean) <= most
    assert "\0" not in clean
    clean.encode()
    assert texts.clean_text(clean, most, lines=True) == clean


# Numbers that the card networks publish for testing.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda card: f"card {card}, 12/27",
        lambda card: " ".join(card[i : i + 4] for i in range(0, len(card), 4)) + " 12/27",
        lambda card: "-".join(card[i : i + 4] for i in range(0, len(card), 4)),
        lambda card: f"call 620-555-0134 then {card[:6]}.{card[6:]}",
        lambda card: f"x{card}y",
        lambda card: card[:8] + "\n" + card[8:],
        lambda card: "".join(chr(0x0660 + int(digit)) for digit in card),
    ],
)
def test_a_card_number_is_found_however_it_is_written(card, write):
    with pytest.raises(texts.CardNumberTyped, match="last four"):
        texts.check_text(write(card), 500, "The note")


@pytest.mark.parametrize(
    "text",
    [
        "Account 1023401, meter 88123456, call (620) 555-0134 or 913-555-0188.",
        "4111111111111112",
        "9400111202555842332671",
        "last four 1111",
        "2026-11-23 10:42, paid 142.10, due 2026-12-04",
        "4111 and later 1111 and 1111 and 1111",
        "",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert texts.check_text(text, 500, "The note") == text
