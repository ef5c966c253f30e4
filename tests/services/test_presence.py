from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from console.models import schema
from console.models.presence import Presence
from console.services import presence
from tests.office import SAM, add_member, staff_the_office


@pytest.fixture
def rose(records):
    staff_the_office(records)
    return add_member(records)


@pytest.fixture
def sam(desk, database_url):
    """Sam's desk, on a console of its own."""
    records = schema.open_records(database_url)
    yield replace(desk, records=records, colleague=SAM, workstation="desk 5")
    records.close()


def said(visitors):
    return [visitor.words for visitor in visitors]


def test_two_desks_at_one_member_see_each_other(desk, sam, rose):
    assert presence.open(desk, rose) == ()
    assert said(presence.open(sam, rose)) == ["Pat Lindqvist is looking at this member"]
    assert said(presence.who_else(desk, rose)) == ["Sam Okafor is looking at this member"]


def test_who_changes_something_is_seen_to_and_who_leaves_is_gone(desk, sam, rose):
    presence.open(sam, rose, "name")
    assert said(presence.who_else(desk, rose)) == ["Sam Okafor is changing the name"]
    presence.open(sam, rose)
    assert said(presence.who_else(desk, rose)) == ["Sam Okafor is looking at this member"]
    presence.close(sam, rose)
    assert presence.who_else(desk, rose) == ()


def test_at_another_member_nobody_is_seen(desk, sam, rose):
    other = add_member(desk.records, "Vance", ("3000001",))
    presence.open(sam, rose)
    assert presence.open(desk, other) == ()


def test_leaving_closes_every_member(desk, sam, rose):
    other = add_member(desk.records, "Vance", ("3000001",))
    presence.open(sam, rose)
    presence.open(sam, other)
    presence.leave(sam)
    assert presence.who_else(desk, rose) == presence.who_else(desk, other) == ()


def test_oneself_at_another_workstation_is_called_you(desk, sam, rose):
    presence.open(replace(sam, colleague=desk.colleague), rose)
    assert said(presence.who_else(desk, rose)) == ["You have this member open at desk 5 too"]


def test_a_console_that_died_is_seen_no_more_and_swept(desk, sam, rose):
    presence.open(sam, rose)
    age(sam, presence.GONE_AFTER + timedelta(seconds=1))
    assert presence.who_else(desk, rose) == ()
    presence.open(desk, rose)
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(Presence)) == 1


def test_a_sign_of_life_keeps_a_desk_seen_and_is_told_to_nobody(desk, sam, rose):
    presence.open(sam, rose)
    age(sam, presence.GONE_AFTER / 2)
    told = []
    stop = sam.records.on_change(told.append)
    presence.open(sam, rose)
    assert told == []
    presence.open(sam, rose, "name")
    stop()
    assert told == [{presence.name_of(rose)}]
    age(sam, presence.GONE_AFTER - timedelta(seconds=3))
    assert len(presence.who_else(desk, rose)) == 1


def test_a_sign_of_life_from_the_future_is_nobodys(desk, sam, rose):
    presence.open(sam, rose)
    age(sam, -timedelta(days=3650))
    assert presence.who_else(desk, rose) == presence.open(desk, rose) == ()
    presence.open(sam, rose)
    assert said(presence.who_else(desk, rose)) == ["Sam Okafor is looking at this member"]


def test_a_clock_that_is_a_little_slow_hides_nobody(desk, sam, rose):
    presence.open(sam, rose)
    age(sam, -presence.AHEAD_OF_CLOCK / 2)
    assert len(presence.who_else(desk, rose)) == 1


def age(desk, by):
    """Let a desk's signs of life lie back by so much, past the rule that they are of now."""
    with desk.records.begin() as db:
        if db.get_bind().dialect.name == "postgresql":
            db.execute(text("SET LOCAL session_replication_role = replica"))
        for row in db.scalars(select(Presence)).all():
            earlier = row.seen_at - by
            db.execute(update(Presence).values(seen_at=earlier))
