from hypothesis import given
from hypothesis import strategies as st

from console.domain.spelling import joined, say_digits, spell, spell_with_alphabet


def test_spells_capitals_spaces_and_marks() -> None:
    assert spell("DeLong") == "capital D, e, capital L, o, n, g, no space"
    assert spell("O'Brien") == "capital O, apostrophe, capital B, r, i, e, n"
    assert spell("De Long") == "capital D, e, space, capital L, o, n, g"
    assert spell("Peña") == spell("Pen\u0303a") == "capital P, e, n with a tilde, a"
    assert spell("Smith, Jr.").endswith("h, comma, space, capital J, r, period")
    assert spell("A\u200bB") == "capital A, a character that cannot be seen, capital B"


def test_spells_with_words() -> None:
    assert spell_with_alphabet("Ng") == "capital N as in Nora, g as in George"
    assert spell_with_alphabet("ñ") == "n with a tilde as in Nora"


def test_says_digits_one_by_one() -> None:
    assert say_digits("1023401") == "1-0-2-3-4-0-1"
    assert joined("Pen\u0303a") == "P-e-n\u0303-a"


@given(st.text(st.characters(codec=None), max_size=30))
def test_anything_can_be_spelled(text: str) -> None:
    spell(text)
    spell_with_alphabet(text)
