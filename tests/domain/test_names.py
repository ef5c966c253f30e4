import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.domain.given_names import GIVEN_NAMES
from console.domain.names import Explanation, Kind, MatchRule, accepts, explain, explain_among
from console.domain.read_out import ASK_WHICH, ASK_WHO

DATA = Path(__file__).parent.parent / "data" / "names"
SURNAMES = (DATA / "surnames.txt").read_text(encoding="utf-8").split()
GIVEN = sorted(name.capitalize() for name in GIVEN_NAMES if len(name) > 3)
ANY_TEXT = st.text(st.characters(codec=None), max_size=40)
NAME_LIKE = st.lists(
    st.sampled_from(
        ["Smith", "de", "Long", "O'Brien", "&", "and", "John", "Mary", "Jr.", "III", "LLC", "Inc",
         "The", "St.", "Saint", "Smith-Jones", ",", "  ", "\xa0", "\u200b", "Núñez", "Gаrcia", "Co",
         "#2", "-", "SMITH", "jonse", "J", "\u0301", "ß", "Müller", "Mueller"]
    ),
    max_size=6,
).map(" ".join)  # fmt: skip


def kinds(typed: str, on_file: str, second_holder: str = "") -> str:
    return ",".join(explain(typed, on_file, second_holder=second_holder).kinds)


def labelled() -> list[tuple[str, str, str, str, bool]]:
    lines = (DATA / "labelled_pairs.tsv").read_bytes().decode().split("\n")
    rows = [line.split("\t") for line in lines[1:] if line]
    return [(t, f, holder, found, same == "yes") for t, f, holder, found, same in rows]


@pytest.mark.parametrize(("typed", "on_file", "holder", "expected", "same"), labelled())
def test_labelled_pairs(typed: str, on_file: str, holder: str, expected: str, same: bool) -> None:
    found = explain(typed, on_file, second_holder=holder)
    assert ",".join(found.kinds) == expected
    assert found.same_name == same
    assert found.accepted == (expected in {"", "case"})


@pytest.mark.parametrize(
    ("typed", "on_file", "expected"),
    [
        ("DELONG", "DeLong", "case"),
        ("De Long", "DeLong", "spacing"),
        ("de long", "DeLong", "case,spacing"),
        (" DeLong ", "DeLong", ""),
        ("O’Brien", "O'Brien", "punctuation"),
        ("O' Brien", "O'Brien", "spacing"),
        ("O' Brien", "OBrien", "spacing,punctuation"),
        ("Smith - Jones", "Smith Jones", "punctuation"),
        ("Smith & Jones", "Smith and Jones", "abbreviation"),
        ("Nunez", "Núñez", "accent"),
        ("Mueller", "Müller", "accent"),
        ("Nun\u0303ez", "Nuñez", "hidden_character"),
        ("SMITH, JOHN", "Smith", "case,given_name"),
        ("Ben Garcia", "Garcia", "given_name"),
        ("Garcia Lopez", "Garcia", "part"),
        ("J Smith", "John Smith", "given_name"),
        ("Bob Smith", "Robert Smith", "given_name"),
        ("Smith, John", "John Smith", "given_name"),
        ("John Smith Jr.", "Smith", "suffix,given_name"),
        ("Mary & John Smith", "John & Mary Smith", "couple"),
        ("John Smith", "John & Mary Smith", "couple"),
        ("John Smith and Mary Smith", "Smith", "couple"),
        ("Mary Church", "Church", "given_name"),
        ("Long", "De Long", "part"),
        ("Amin", "Al-Amin", "part"),
        ("Jonse", "Jones", "misspelling"),
        ("JONSE", "Jones", "case,misspelling"),
        ("Perreti", "Peretti", "misspelling"),
        ("MacDonald", "McDonald", "different"),
        ("Mary Delong", "Gary Delong", "different"),
        ("Jon Smith", "John Smith", "misspelling"),
        ("John Smith", "Mary Smith", "different"),
        ("Smith Jr", "Smith Sr", "different"),
        ("Store 12", "Store 13", "different"),
        ("Schmidt", "Smith", "different"),
        ("Jensen", "Johnson", "different"),
        ("Lee", "Dee", "different"),
        ("Farms Inc", "Farms LLC", "legal_form"),
        ("Farms, L.L.C.", "Farms", "legal_form"),
        ("Anderson Company", "Anderson Co", "abbreviation"),
        ("Lisa Herbal Co", "Lisa Herbal Co, Inc", "legal_form"),
        ("St. Clair", "Saint Clair", "abbreviation"),
        ("Printing Co, The", "Printing Co", "article"),
        ("Renal Treatment Centers", "Renal Treatment Cent", "truncated"),
        ("Smith, Jr., John", "Smith", "suffix,given_name"),
        ("John Q Smith", "John Smith", "given_name"),
        ("Saint-Clair", "St. Clair", "punctuation,abbreviation"),
        ("Lopez-Ramirez", "Ramirez-Lopez", "part"),
        ("Bill & Sue Smith", "William & Susan Smith", "couple"),
        ("Bill & Sue Smith", "William & Nancy Smith", "different"),
        ("The & Smith", "Smith", "punctuation,article"),
        ("Galloway Logistics III", "Galloway Logistics I", "truncated"),
        ("Gallahan's Dental Company", "Gallahan's Dental Co", "truncated"),
        ("Mcallister-Chambers", "Mcallister-Chambers, Wanda", "given_name"),
        ("Renal Treatment Cent", "Renal Treatment Centers", "truncated"),
        ("Hedgecock", "Alice & Bernice Hedg", "couple,truncated"),
        ("Gаrcia", "Garcia", "hidden_character"),
        ("De\xa0Long", "De Long", "hidden_character"),
        ("", "Smith", "different"),
    ],
)
def test_kinds(typed: str, on_file: str, expected: str) -> None:
    assert kinds(typed, on_file) == expected


@pytest.mark.parametrize(
    ("typed", "on_file", "holder", "expected"),
    [
        ("Evans", "Deblase", "Evans", "other_holder"),
        ("EVANS", "Deblase", "Evans", "other_holder"),
        ("O Brien", "Deblase", "O'Brien", "other_holder"),
        ("Smith", "Deblase", "Mary Smith", "other_holder"),
        ("Hanson", "Hansen", "Hanson", "other_holder"),
        ("Smith", "Smith", "Mary Smith", ""),
        ("smith jr", "Smith", "Smith", "case,suffix"),
        ("Neske", "Nickel", "Evans", "different"),
    ],
)
def test_second_holder(typed: str, on_file: str, holder: str, expected: str) -> None:
    assert kinds(typed, on_file, holder) == expected


def test_several_second_holders() -> None:
    found = explain_among("Evans", "Deblase", ["Smith", "Evans"])
    assert found.kinds == (Kind.OTHER_HOLDER,)
    assert explain_among("Deblase", "Deblase", ["Evans"]).accepted
    found = explain_among("Jonson", "Johnson", ["Jonson"])
    assert found.kinds == (Kind.OTHER_HOLDER,), "two names as near as that are still two people's"


def test_the_second_of_a_couple_on_file_bears_the_same_name() -> None:
    found = explain_among("Whitcomb", "Harold & June Whitcomb", ["Whitcomb"])
    assert found.kinds == (Kind.COUPLE,)
    assert found.same_name


def test_the_cut_is_a_setting() -> None:
    assert explain("Worthington", "Worthing", cut_at=8).kinds == (Kind.TRUNCATED,)
    assert Kind.TRUNCATED not in explain("Worthington", "Worthing").kinds


def test_rules() -> None:
    assert accepts("  delong ", "DeLong")
    assert not accepts("delong", "DeLong", MatchRule.EXACT)
    assert not accepts("De Long", "DeLong")
    assert accepts("de long", "DeLong", MatchRule.IGNORE_SPACES)
    assert not accepts("\xa0DeLong", "DeLong")  # only ordinary spaces are trimmed
    assert not accepts("OBrien", "O'Brien", MatchRule.IGNORE_SPACES)


def test_marks_show_where_the_spellings_differ() -> None:
    found = explain("De Long", "DeLong")
    assert found.typed_marks == ((2, 3),)
    assert found.on_file_marks == ()
    found = explain("St Clair", "St. Clair")
    assert (found.typed_marks, found.on_file_marks) == ((), ((2, 3),))
    found = explain("Jonse", "Jones")
    assert (found.typed_marks, found.on_file_marks) == (((3, 5),), ((3, 5),))
    found = explain("Swanson, Jr.", "Swanson")
    assert found.typed_marks == ((9, 11),)


def _made_pairs(seed: int, count: int) -> list[tuple[str, str, str, str]]:
    """Make pairs from other last names than the labelled ones, each true by construction."""
    rng = random.Random(seed)
    pairs = []
    while len(pairs) < count:
        a, b = rng.sample(SURNAMES, 2)
        given, other = rng.sample(GIVEN, 2)
        place = rng.randrange(1, max(2, len(a) - 1))
        swapped = a[:place] + a[place + 1 : place + 2] + a[place] + a[place + 2 :]
        made = [
            (a, a, "", ""),
            (a.upper(), a, "", "case"),
            (f"Mc {a}", f"Mc{a}", "", "spacing"),
            (f"DE {a.upper()}", f"De{a}", "", "case,spacing"),
            (f"O {a}", f"O'{a}", "", "punctuation"),
            (f"{a} {b}", f"{a}-{b}", "", "punctuation"),
            (a, rng.choice([f"{a} Jr.", f"{a}, Jr.", f"{a} III"]), "", "suffix"),
            (f"{a} & {b} Farms", f"{a} and {b} Farms", "", "abbreviation"),
            (f"Saint {a}", f"St {a}", "", "abbreviation"),
            (f"{a} Dairy", f"{a} Dairy{rng.choice([', LLC', ' Inc.', ' Corp'])}", "", "legal_form"),
            (f"The {a} Lodge", f"{a} Lodge", "", "article"),
            (rng.choice([f"{given} {a}", f"{a}, {given}", f"{a} {given}"]), a, "", "given_name"),
            (f"{given} {a}".upper(), a, "", "case,given_name"),
            (a, rng.choice([f"{given} & {other} {a}", f"{a}, {given} & {other}"]), "", "couple"),
            (a, rng.choice([f"{a}-{b}", f"{b}-{a}"]), "", "part"),
            (f"{a} {b} Electric Motor Repair", f"{a} {b} Electric Motor Repair"[:20].strip(), "",
             "truncated"),
            (a, f"{a[:1]}\u200b{a[1:]}", "", "hidden_character"),
            (a, b, a, "other_holder"),
        ]  # fmt: skip
        if len(a) >= 5 and swapped != a:
            made.append((swapped, a, "", "misspelling"))
        if a[0] != b[0]:
            made.append((a, b, "", "different"))
        pairs.append(rng.choice(made))
    return pairs


def test_pairs_made_from_other_names() -> None:
    wrong: Counter[str] = Counter()
    pairs = _made_pairs(seed=20, count=3000)
    for typed, on_file, holder, expected in pairs:
        if kinds(typed, on_file, holder) != expected:
            wrong[expected] += 1
    assert sum(wrong.values()) <= 0.01 * len(pairs), wrong


def check_promises(found: Explanation, rule: MatchRule) -> None:
    assert found.accepted == accepts(found.typed, found.on_file, rule)
    assert found.say
    assert len(found.reasons) == len(found.kinds)
    assert found.kinds == tuple(kind for kind in Kind if kind in found.kinds)
    for text, marks in ((found.typed, found.typed_marks), (found.on_file, found.on_file_marks)):
        assert all(0 <= start < end <= len(text) for start, end in marks)
        assert all(a[1] < b[0] for a, b in pairwise(marks))
    if rule is MatchRule.IGNORE_CASE:
        assert found.accepted == (set(found.kinds) <= {Kind.CASE})
    if not found.same_name:
        # The caller may be a stranger, so what is said does not depend on the file.
        assert found.accepted or found.say in {ASK_WHO, ASK_WHICH}


@settings(deadline=None)
@given(NAME_LIKE | ANY_TEXT, NAME_LIKE | ANY_TEXT, NAME_LIKE, st.sampled_from(MatchRule))
@example("ﬃ", "ffi", "", MatchRule.IGNORE_CASE)
@example("İ", "i", "", MatchRule.IGNORE_CASE)
@example("\ud800", "", "", MatchRule.EXACT)
def test_any_two_texts_are_explained(
    typed: str, on_file: str, holder: str, rule: MatchRule
) -> None:
    check_promises(explain(typed, on_file, second_holder=holder, rule=rule), rule)


@settings(deadline=None)
@given(NAME_LIKE | ANY_TEXT, st.integers(0, 3), st.integers(0, 3))
def test_a_name_is_itself(name: str, before: int, after: int) -> None:
    found = explain(" " * before + name + " " * after, name)
    assert found.kinds == ()
    assert found.accepted
    assert found.same_name
    assert found.typed_marks == found.on_file_marks == ()


@settings(deadline=None)
@given(NAME_LIKE, NAME_LIKE)
def test_sameness_does_not_depend_on_the_side(typed: str, on_file: str) -> None:
    there = explain(typed, on_file, cut_at=0)
    assert there.same_name == explain(on_file, typed, cut_at=0).same_name


@pytest.mark.parametrize(
    "text", ["inc " * 250_000, "a-b-" * 250_000, "x" * 10**6, "\u0301" * 10**6]
)
def test_a_megabyte_is_refused_like_any_other_name(text: str) -> None:
    assert not explain(text, "Smith", second_holder=text[::-1] + "y").accepted
    assert not explain("Smith", text).same_name
