from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from console.models import schema
from console.models.changes import Change, Hearing
from console.models.members import Member
from console.services import changes as hearing_others
from console.services import polling
from tests.office import add_member


@pytest.fixture
def other(database_url):
    """Another console on the same database."""
    records = schema.open_records(database_url)
    yield records
    records.close()


def test_what_another_console_commits_is_heard_once(records, other):
    hearing = Hearing(records)
    assert hearing.hear() == frozenset()
    member_id = add_member(other)
    assert {"Member", f"member:{member_id}", "account:1023401"} <= hearing.hear()
    assert hearing.hear() == frozenset()


def test_nobody_hears_the_past_or_themselves(records, other):
    add_member(other)
    hearing = Hearing(records)
    assert hearing.hear() == frozenset()
    add_member(records, "Vance", ("3000001",))
    assert hearing.hear() == frozenset()


def test_what_was_rolled_back_was_never_said(records, other):
    hearing = Hearing(records)
    hearing.hear()
    with other.begin() as db:
        db.add(Member(number="1", name="x", since=datetime.now(UTC)))
        db.flush()
        db.rollback()
    assert hearing.hear() == frozenset()


# On SQLite only one writes at a time.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_slow_transaction_is_heard_although_a_later_one_was_first(records, other):
    hearing = Hearing(records)
    hearing.hear()
    first, second = other.begin(), other.begin()
    with first as slow:
        slow.add(Change(at=slow.scalar(select(func.now())), origin="x", names='["slow"]'))
        slow.flush()
        with second as quick:
            quick.add(Change(at=quick.scalar(select(func.now())), origin="x", names='["quick"]'))
        assert "quick" in hearing.hear()
    assert "slow" in hearing.hear()


def test_a_change_elsewhere_reaches_who_listens_here(desk, other):
    told = []
    stop = desk.records.on_change(told.append)
    hearing = Hearing(desk.records)
    hearing_others.hear(desk, hearing)
    add_member(other)
    hearing_others.hear(desk, hearing)
    assert len(told) == 1
    assert "Member" in told[0]
    stop()
    add_member(other, "Vance", ("3000001",))
    hearing_others.hear(desk, hearing)
    assert len(told) == 1


def test_the_list_is_kept_short(desk, clock):
    clock.advance(days=3650)  # the list goes by the real clock
    add_member(desk.records)
    polling.poll(desk)
    clock.advance(minutes=1)
    polling.poll(desk)
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(Change)) == 0
