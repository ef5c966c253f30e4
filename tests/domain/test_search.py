from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from console.domain.folding import fold
from console.domain.search import (
    LONGEST_SEARCH,
    NOTHING_TYPED,
    Findable,
    Of,
    Place,
    begins_within_a_slip,
    keys_of,
    read,
    words_of,
)

ROSE = Findable(
    number="M1023401",
    is_business=False,
    name="De Long",
    given_names="Rose Ann",
    email="rose@example.org",
    phones=("6205550147",),
    places=(Place("1023401", "M8841", "670 N Pine Ln", "Cedar Fork"),),
    mailing=("PO Box 12", "Cedar Fork"),
    holders=(("Ruiz", "Mary"),),
    former_names=(("Núñez", "Rose"),),
    former_addresses=(("12 Oak St", "St Paul"),),
)
CLYDE = Findable(
    number="M7",
    is_business=True,
    name="The Clyde Printing & Sign Co.",
    given_names="",
    email="",
    phones=(),
    places=(),
)


def found_as(member: Findable, typed: str) -> set[Of]:
    """Tell what a search finds a member by, without any forgiving."""
    ranges = read(typed).ranges
    return {of for key, of in keys_of(member) if any(key.startswith(one) for one in ranges)}


def found_otherwise(member: Findable, typed: str) -> set[Of]:
    """Tell what a search finds a member by when its words may be written otherwise."""
    search = read(typed)
    ranges = (*search.others, *search.moved)
    return {of for key, of in keys_of(member) if any(key.startswith(one) for one in ranges)}


@pytest.mark.parametrize(
    ("typed", "of"),
    [
        ("rose de long", Of.NAME),
        ("De Long, Rose", Of.NAME),
        ("delong rose", Of.NAME),
        ("DELONG ROSE ANN", Of.NAME),
        ("long rose", Of.NAME),
        ("ann delong", Of.NAME),
        ("d", Of.NAME),
        ("mary ruiz", Of.HOLDER),
        ("Ruiz, M", Of.HOLDER),
        ("nunez rose", Of.FORMER_NAME),
        ("Nuñez", Of.FORMER_NAME),
        ("1023401", Of.ACCOUNT),
        ("10234.01", Of.ACCOUNT),
        ("10234.0", Of.ACCOUNT),
        ("102", Of.ACCOUNT),
        ("acct # 10234.01", Of.ACCOUNT),
        ("m8841", Of.METER),
        ("8841", Of.METER),
        ("M 8841", Of.METER),
        ("(620) 555-0147", Of.PHONE),
        ("+1 620 555 0147", Of.PHONE),
        ("555-0147", Of.PHONE),
        ("0147", Of.PHONE),
        ("0555", Of.PHONE),
        ("meter M8841", Of.METER),
        ("0417", None),
        ("5501", Of.PHONE),
        ("205", Of.PHONE),
        ("Rose@Example.org", Of.EMAIL),
        ("rose@", Of.EMAIL),
        ("670 n pine ln", Of.ADDRESS),
        ("670 North Pine Lane, Cedar Fork", Of.ADDRESS),
        ("670 pine", Of.ADDRESS),
        ("pine ln 670", Of.ADDRESS),
        ("Pine Lane 670 Cedar", Of.ADDRESS),
        ("N Pine Ln 670", Of.ADDRESS),
        ("pine", Of.ADDRESS),
        ("po box 12", Of.ADDRESS),
        ("12 oak street st paul", Of.FORMER_ADDRESS),
        ("oak st 12", Of.FORMER_ADDRESS),
        ("M1023401", Of.MEMBER_NUMBER),
    ],
)
def test_a_member_is_found_by_all_they_might_say(typed: str, of: Of | None) -> None:
    found = found_as(ROSE, typed)
    assert of in found if of else not found


@pytest.mark.parametrize(
    "typed",
    ["the clyde", "clyde printing", "printing", "printing and sign co", "sign co", "printingsign"],
)
def test_every_tail_of_a_business_name_finds_it(typed: str) -> None:
    assert found_as(CLYDE, typed) == {Of.BUSINESS}


@pytest.mark.parametrize(
    ("name", "given", "typed"),
    [
        ("St. Clair", "Rose", "saint clair rose"),
        ("Saint Clair", "Rose", "st clair, rose"),
        ("Smith", "Robert", "bob smith"),
        ("Smith", "Bob", "smith robert"),
        ("Smith Company", "", "smith co"),
        ("Smith Co", "", "smith compan"),
        ("Smith", "John", "joh nsmith"),
        ("Smith", "John", "johns mith"),
        ("Smith", "John", "johnsmith"),
        ("Smith", "John", "john q smith"),
        ("Smith", "John", "john smithjr"),
    ],
)
def test_the_same_words_written_otherwise(name: str, given: str, typed: str) -> None:
    member = Findable("M1", False, name, given, "", (), ())
    assert found_as(member, typed) | found_otherwise(member, typed) == {Of.NAME}


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("488 Cedar Trl", "488 cedartrl"),
        ("104 E Stone Dr", "104e stone dr"),
        ("5023 157th Ln", "502 3157th ln"),
        ("123 216th Dr", "123216th dr"),
        ("670 Pine Ln", "670pine ln"),
    ],
)
def test_gaps_of_an_address_may_be_elsewhere(line: str, typed: str) -> None:
    member = Findable("M1", False, "Smith", "John", "", (), (Place("1", "2", line, "Dunmore"),))
    assert found_otherwise(member, typed) == {Of.ADDRESS}


def test_digits_do_not_match_letters() -> None:
    member = Findable("M1", False, "Smith", "John", "a1@example.org", ("6205550147",), ())
    assert found_as(member, "s1") == set()
    assert found_as(member, "smith1") == set()
    assert found_as(member, "5550147a") == set()


def test_the_suffix_of_a_name_is_no_part_of_it() -> None:
    member = Findable("M1", False, "Smith Jr.", "John", "", (), ())
    assert found_as(member, "john smith") == found_as(member, "smith jr, john") == {Of.NAME}


def test_a_couple_is_found_by_each_of_the_two() -> None:
    member = Findable("M1", False, "John & Mary Smith", "", "", (), ())
    for typed in ("mary smith", "smith john", "john and mary smith", "smith"):
        assert found_as(member, typed) == {Of.NAME}


def test_nothing_typed_says_what_may_be_typed() -> None:
    for typed in ("", "   ", "%_*", "\0\0", "\ud800"):
        assert read(typed).ranges == ()
        assert read(typed).advice == NOTHING_TYPED


def test_swapped_digits_of_a_long_number_are_forgiven_and_a_short_one_is_left_alone() -> None:
    assert "#1023401" in read("1032401").others
    assert read("10324").others == ()


def test_only_beginnings_of_names_streets_and_businesses_may_be_misspelled() -> None:
    assert words_of(keys_of(ROSE)) >= {"adelong", "along", "arose", "aruiz", "/pine", "/oak"}
    assert not any(word[1].isdigit() for word in words_of(keys_of(ROSE)))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jhon delong", "ajohn delong"),
        ("john delnog", "adelong john"),
        ("delogn", "adelong"),
        ("delongg john r", "adelong johnr"),
        ("clyed printing", "bclyde printing"),
        ("670 pnie ln", "/pine lane670"),
    ],
)
def test_one_slip_in_any_word_is_undone(typed: str, meant: str) -> None:
    words = ["john", "delong", "clyde", "pine", "oak"]
    prefixes = {
        slip.prefix_with(word) for slip in read(typed).misspelled for word, _ in slip.meant(words)
    }
    assert meant in prefixes


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("96 creek qauil rd", "/96 creekquailroaddunmore"),
        ("8023 4th hwwy", "/8023 4thhighwaydunmore"),
        ("lundmeier mi t", "alundmeier meit"),
        ("morbrook mark xl", "amorbrook markl"),
        ("the clover haanor seed", "bthe cloverhalnorseedco"),
        ("rose@exmaple.org", "@rose@example.org"),
    ],
)
def test_one_slip_in_what_follows_is_undone(typed: str, key: str) -> None:
    slips = read(typed).slips_after
    assert any(key.startswith(slip.prefix) and slip.fits(key) for slip in slips)


letters = st.text("abc ", max_size=8)


@given(letters, letters)
def test_within_a_slip_means_one_edit_from_a_beginning(typed: str, text: str) -> None:
    # The slip may also be a swap; what is typed too much at the end counts as one.
    nearest = min(OSA.distance(typed, text[:end]) for end in range(len(text) + 1))
    assert begins_within_a_slip(typed, text) == (nearest <= 1)


names = st.text("abc dé'-", min_size=1, max_size=12).filter(fold)


@given(names, names, st.data())
def test_every_keystroke_of_a_name_in_either_order_keeps_finding(
    name: str, given_names: str, data: st.DataObject
) -> None:
    member = Findable("M1", False, name, given_names, "", (), ())
    first, last = data.draw(st.permutations([name, given_names]))
    typed = f"{first}, {last}"
    for end in range(1, len(typed) + 1):
        if fold(typed[:end]):
            assert found_as(member, typed[:end]), typed[:end]


anything = st.text(max_size=300) | st.text("ab1@.,/#%' \0\ud800é٣²&", max_size=60)


@given(anything)
def test_anything_at_all_may_be_typed(typed: str) -> None:
    search = read(typed)
    assert bool(search.ranges) != bool(search.advice)
    after = [slip.prefix for slip in search.slips_after]
    for prefix in (*search.ranges, *search.others, *search.moved, *after):
        assert len(prefix) > 1
        assert "\0" not in prefix
        assert len(prefix.encode()) < 10 * LONGEST_SEARCH
    assert len(search.ranges) + len(search.others) + len(search.moved) < 120


@given(anything, anything, anything)
def test_anything_at_all_may_be_on_file(name: str, given_names: str, line: str) -> None:
    places = (Place("1023401", name, line, given_names),)
    member = Findable("M1", False, name, given_names, line, ("6205550147",), places)
    keys = keys_of(member)
    assert len(keys) < 2000
    for key, _ in keys:
        assert "\0" not in key
        key.encode()
    assert found_as(member, "1023401") == {Of.ACCOUNT}


def test_a_megabyte_of_text_is_read_no_further_than_anybody_speaks() -> None:
    assert read("x" * 1_000_000) == read("x" * LONGEST_SEARCH)
