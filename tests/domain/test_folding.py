from hypothesis import given
from hypothesis import strategies as st

from console.domain.folding import fold, squash

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


def test_folds_what_people_write_differently() -> None:
    assert fold("O’Brien") == fold("O'BRIEN") == "obrien"
    assert fold("  De   Lóng ") == "de long"
    assert fold("Smith-Jones") == "smith jones"
    assert fold("U.S. Equities") == "us equities"
    assert fold("Straße") == "strasse"
    assert fold("Łukasz Sørensen") == "lukasz sorensen"


def test_folds_what_nobody_can_see() -> None:
    assert fold("Gаrcia") == "garcia"  # a Cyrillic letter
    assert fold("Mar\u200btin\ufeff\xad") == "martin"
    assert fold("De\xa0Long") == "de long"
    assert fold("Smith") == "smith"


def test_squash_closes_words_up() -> None:
    assert squash("De La Cruz") == squash("DeLaCruz") == "delacruz"


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ANY_TEXT)
def test_folded_text_is_words_of_letters_and_digits(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert all(c == " " or c.isalnum() for c in folded)
    assert squash(text) == folded.replace(" ", "")


@given(st.text(st.characters(codec=None), max_size=20), st.text(max_size=20))
def test_words_fold_one_by_one(left: str, right: str) -> None:
    assert fold(f"{left} {right}") == f"{fold(left)} {fold(right)}".strip()
