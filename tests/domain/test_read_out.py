import pytest

from console.domain.names import MatchRule, explain
from console.domain.read_out import ACCEPTED, ASK_WHICH, ASK_WHO, OUR_FILE, RETYPE


@pytest.mark.parametrize(
    ("typed", "on_file", "said"),
    [
        ("De Long", "DeLong",
         "Type it as one word: D-e-L-o-n-g, capital D, capital L, no space."),
        ("DeLong", "De Long", "Type it like this: De, a space, Long."),
        ("De Bosque", "De  Bosque", "Type it like this: De, two spaces, Bosque."),
        ("OBrien", "O'Brien", "Type it like this: O, an apostrophe, Brien."),
        ("o brien", "O'Brien", "Type it like this: O, an apostrophe, Brien, no space."),
        ("O'Brien", "OBrien", "Type it like this: O-B-r-i-e-n, no apostrophe."),
        ("o'brian", "O'Brien", "Type it like this: O, an apostrophe, B-r-i-e-n."),
        ("Smith.", "Smith", "Type it like this: Smith, no period."),
        ("Orr Company", "Orr Co.", "Type it like this: Orr, C-o, a period, not Company."),
        ("John Q Smith", "John Smith", "Type only John Smith, without Q."),
        ("Smith Jones", "Smith-Jones", "Type it like this: Smith, a hyphen, Jones, no space."),
        ("Smith-Jones", "Smith Jones", "Type it like this: Smith, a space, Jones, no hyphen."),
        ("St Clair", "St. Clair", "Type it like this: St, a period and a space, Clair."),
        ("Nunez", "Núñez",
         "Type it like this: N-ú-ñ-e-z, u with an acute accent, n with a tilde."),
        ("Núñez", "Nunez", "Type it like this: N-u-n-e-z, without an accent."),
        ("Newlon", "Newlon Jr.", "Type it like this: Newlon, a space, J-r, a period."),
        ("Swanson, Jr.", "Swanson", "Type only Swanson, without the comma and Jr."),
        ("Farms", "Farms LLC", "Type it like this: Farms, a space, L-L-C."),
        ("Pjdj, Llc", "Pjdj", "Type only Pjdj, without the comma and Llc."),
        ("Dugan Brothers", "Dugan Bros", "Type it like this: Dugan, B-r-o-s, not Brothers."),
        ("Orr and Co", "Orr & Co", "Type it like this: Orr, the and sign, Co, not the word and."),
        ("The Lodge", "Lodge", "Type only Lodge, without The."),
        ("Cousins, Chester", "Cousins", "Type only Cousins, without the comma and Chester."),
        ("Irwin-Rzeczycki", "Irwin", "Type only Irwin, without the hyphen and Rzeczycki."),
        ("Irwin", "Irwin-Rzeczycki", "Type it like this: Irwin, a hyphen, Rzeczycki."),
        ("Jonse", "Jones", "Type it like this: J-o-n-e-s."),
        ("Smith, John", "John Smith", "Type the name in this order: John Smith."),
        ("Renal Treatment Centers", "Renal Treatment Cent",
         "Type only the beginning of the name and stop there: Renal Treatment, C-e-n-t."),
        ("DELONG", "DeLong", ACCEPTED),
        ("Neske", "Nickel", ASK_WHICH),
        ("Smith\u200b", "Smith", RETYPE),
        ("Smith", "Smith\u200b", OUR_FILE),
    ],
)  # fmt: skip
def test_what_is_said(typed: str, on_file: str, said: str) -> None:
    assert explain(typed, on_file).say == said


def test_a_stranger_is_told_nothing() -> None:
    found = explain("Evans", "Deblase", second_holder="Evans")
    assert found.say == ASK_WHO
    assert "Deblase" not in " ".join(found.reasons)


def test_capitals_are_named_where_they_count() -> None:
    said = explain("Delong", "DeLong", rule=MatchRule.EXACT).say
    assert said == "Type it like this: D-e-L-o-n-g, capital D, capital L."
    assert explain("delong", "DELONG", rule=MatchRule.EXACT).say == (
        "Type it like this: D-E-L-O-N-G, all in capitals."
    )
    assert "capital" not in explain("Jonse", "Jones").say


def test_spaces_are_not_named_where_they_do_not_count() -> None:
    said = explain("De Lomg", "DeLong", rule=MatchRule.IGNORE_SPACES).say
    assert said == "Type it like this: D-e-L-o-n-g, capital D, capital L."


def test_reasons_say_what_the_file_has() -> None:
    assert explain("De Long", "DeLong").reasons == ("The file has no space: DeLong is one word.",)
    assert explain("DeLong", "De Long").reasons == ("The file has a space: De Long is two words.",)
    assert explain("OBrien", "O'Brien").reasons == ("The file has an apostrophe: O'Brien.",)
    assert explain("Smith Jr.", "Smith").reasons == (
        "The file has no suffix: Jr was typed too much.",
    )
    (hidden,) = explain("Smith", "Smith\u200b").reasons
    assert hidden == "The file has a zero width space, which cannot be seen: correct the file."
