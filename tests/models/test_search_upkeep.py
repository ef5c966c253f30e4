"""The search index after any changes is the index a rebuild would make."""

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from console.models import search
from console.models.members import FormerName, Holder, Member
from console.sandbox import demo

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
NAMES = ("DeLong", "De Long", "O'Brien", "Núñez", "Smith-Jones", "Prairie Rose Farms LLC", "Li")


def held(records):
    with records.glance() as connection:
        return {tuple(row) for row in connection.execute(select(search.search_key))}


def change(records, chance, member_id):
    with records.begin() as db, search.rekeyed(db, member_id):
        member = db.get_one(Member, member_id)
        what = chance.choice(("name", "phone", "email", "holder", "former", "given"))
        if what == "name":
            member.name = chance.choice(NAMES)
        elif what == "given":
            member.given_names = chance.choice(("", "Mary Ann", "José"))
        elif what == "phone":
            member.phone = f"715555{chance.randint(0, 9999):04}"
        elif what == "email":
            member.email = chance.choice(("", "a.b@example.org", "Someone@Example.com"))
        elif what == "holder":
            db.add(
                Holder(
                    member=member, name=chance.choice(NAMES), role="authorized", may_act="nothing"
                )
            )
        else:
            db.add(FormerName(member_id=member_id, name=chance.choice(NAMES), until=NOW))


def upkeep(records, rounds):
    demo.create(records, 60, 3, NOW)
    chance = random.Random(11)
    for _ in range(rounds):
        change(records, chance, chance.randint(1, 60))
    kept = held(records)
    search.rebuild(records)
    assert kept == held(records)


def test_changes_keep_the_index_as_a_rebuild_would_make_it(records):
    upkeep(records, 60)


def test_a_change_that_is_rolled_back_leaves_the_index_alone(records):
    demo.create(records, 20, 3, NOW)
    before = held(records)

    def vanish():
        with records.begin() as db, search.rekeyed(db, 5):
            db.get_one(Member, 5).name = "Vanished"
            db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vanish()
    assert held(records) == before


@pytest.mark.soak
def test_very_many_changes_keep_the_index(records):
    upkeep(records, 20_000)
