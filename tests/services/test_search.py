from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain.search import NOTHING_FOUND, NOTHING_TYPED
from console.models import search as keys
from console.models.accounts import Account
from console.models.members import FormerAddress, FormerName, Member
from console.services import search
from tests.office import ANA, add_member

SINCE = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def rose(records):
    """Rose De Long with two accounts, a second holder, a former name and a former address."""
    member_id = add_member(records, "De Long", ("1023401", "1023402"))
    with records.begin() as db:
        second = db.get_one(Account, "1023402")
        second.service_line, second.service_city = "670 N Pine Lane", "Stonefield"
        db.add(FormerName(member_id=member_id, name="Núñez", given_names="Rose", until=SINCE))
        db.add(FormerAddress(member_id=member_id, line="9 Elm St", city="Alder", until=SINCE))
    keys.rebuild(records)
    return member_id


@pytest.fixture
def press(records):
    """The business next door."""
    member_id = add_member(
        records,
        "Clyde Printing & Sign Co.",
        ("2048000",),
        given_names="",
        is_business=True,
        email="front.desk@clydeprinting.example",
        phone="7155550199",
        identity_last_four="7777",
    )
    with records.begin() as db:
        db.get_one(Account, "2048000").service_line = "210 County Road 9"
    keys.rebuild(records)
    return member_id


def hit(desk, query):
    hits = search.find(desk, query).hits
    assert hits, f"nothing for {query!r}"
    return hits[0]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("de long", "name"),
        ("rose de long", "name"),
        ("De Long, Rose", "name"),
        ("delong", "spelled De Long"),
        ("DELONG ROSE", "spelled De Long"),
        ("de lnog", "spelled De Long"),
        ("1023402", "account 10234.02"),
        ("10234.02", "account 10234.02"),
        ("881023401", "meter 881023401"),
        ("(620) 555-0147", "phone"),
        ("5550147", "phone"),
        ("rose@example.org", "e-mail"),
        ("m1023401", "member number"),
        ("14 mill road", "service address"),
        ("14 mill rd cedar fork", "service address"),
        ("po box 12", "mailing address"),
        ("mary ruiz", "second holder Mary Ruiz"),
        ("nunez", "formerly Núñez"),
        ("9 elm", "previous address 9 Elm St"),
    ],
)
def test_every_hit_says_why_it_matched(desk, rose, press, typed, why):
    found = hit(desk, typed)
    assert (found.member_id, found.why) == (rose, why)


@pytest.mark.parametrize(
    "typed", ["clyde printing", "printing and sign", "sign co", "clyde pritning"]
)
def test_a_business_is_found_by_any_of_its_words(desk, rose, press, typed):
    assert hit(desk, typed).member_id == press


def test_the_account_that_was_asked_for_is_the_one_shown(desk, rose):
    assert hit(desk, "1023402").account_number == "1023402"
    assert hit(desk, "670 n pine").service_address == "670 N Pine Lane, Stonefield"
    assert hit(desk, "14 mill road").account_number == "1023401"
    assert [one.account_number for one in search.find(desk, "10234").hits] == ["1023401", "1023402"]


def test_a_member_without_an_account_is_found_and_said_to_have_none(desk, records):
    add_member(records, "Brightwater", (), number="M5")
    keys.rebuild(records)
    found = hit(desk, "brightwater")
    assert (found.account_number, found.service_address, found.why) == ("", "", "name")


def test_a_correction_is_found_at_once_by_the_new_and_the_old_spelling(desk, records, rose):
    with records.begin() as db, keys.rekeyed(db, rose):
        db.get_one(Member, rose).name = "Longford"
    assert hit(desk, "longford").member_id == rose
    assert search.find(desk, "de long rose").hits == ()


def test_what_is_not_committed_is_not_found(desk, records, rose):
    def rename_and_fail():
        with records.begin() as db, keys.rekeyed(db, rose):
            db.get_one(Member, rose).name = "Longford"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rename_and_fail()
    assert search.find(desk, "longford").hits == ()
    assert hit(desk, "de long").member_id == rose


def test_when_nothing_fits_the_next_thing_to_try_is_said(desk, rose):
    assert search.find(desk, "xyzzy quux").advice == NOTHING_FOUND
    assert search.find(desk, "   ").advice == NOTHING_TYPED
    assert search.find(desk, "de long").advice == ""


def test_twenty_at_most_and_the_whole_word_before_the_beginning(desk, records):
    for place in range(24):
        add_member(records, "Longman" if place else "Long", (f"30{place:03}00",))
    keys.rebuild(records)
    hits = search.find(desk, "long").hits
    assert len(hits) == search.FIRST_PAGE
    assert hits[0].name == "Rose Long"
    assert len(search.find(desk, "long", limit=3).hits) == 3
    assert len(search.find(desk, "long", limit=10_000).hits) == search.FIRST_PAGE


def test_an_auditor_may_look_too(desk, rose):
    assert search.find(replace(desk, colleague=ANA), "de long").hits[0].member_id == rose


def test_a_warm_desk_finds_the_same(desk, rose):
    before = search.find(desk, "de long").hits
    search.warm(desk)
    assert search.find(desk, "de long").hits == before


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60))
def test_anything_at_all_may_be_searched_for(desk, rose, typed):
    answer = search.find(desk, typed)
    assert len(answer.hits) <= search.FIRST_PAGE
    assert answer.hits or answer.advice


@pytest.mark.parametrize(
    "typed",
    ["%", "_", "'", "' OR 1=1 --", "\\", "\x00", "a\x00b", "*", '"', "\ud800", "A" * 1_000_000,
     "1" * 5000, "🏠", "\u202e", "de%long", "x@@y", "; DROP TABLE member", "ﷺ" * 300],
)  # fmt: skip
def test_hostile_searches_are_only_searches(desk, rose, typed):
    search.find(desk, typed)
    assert hit(desk, "de long").member_id == rose
