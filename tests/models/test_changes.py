import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from console.models import changes, listening, schema
from console.models.base import touch
from console.models.changes import EVERYTHING, Change, Feed, Hearing
from console.models.listening import Halt, LineLost, open_line
from console.models.members import Member
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


class Told:
    """What was announced, to be waited for."""

    def __init__(self):
        self._names, self._more, self.times = set(), threading.Condition(), 0

    def hear(self, names):
        with self._more:
            self._names |= names
            self.times += 1
            self._more.notify_all()

    def heard(self, name, seconds=20):
        with self._more:
            return self._more.wait_for(lambda: name in self._names, seconds)

    @property
    def names(self):
        with self._more:
            return frozenset(self._names)


def say(records, *names):
    """Commit something of these names."""
    with records.begin() as db:
        touch(db, *names)


@pytest.fixture
def told(records, other):
    """What this console hears of others, from the moment its line is open."""
    told, feed = Told(), Feed(records)
    stop_telling = records.on_change(told.hear)
    following = threading.Thread(target=feed.follow)
    following.start()
    for number in range(400):
        say(other, f"ready {number}")
        if told.heard(f"ready {number}", 0.05):
            break
    yield told
    stop_telling()
    feed.stop()
    following.join(10)
    assert not following.is_alive()


def test_a_change_elsewhere_reaches_who_listens_here(told, other):
    member_id = add_member(other)
    assert told.heard(f"member:{member_id}")
    assert "Member" in told.names


def test_a_burst_reaches_the_screens_in_few_pieces(told, other):
    before = told.times
    for number in range(100):
        say(other, f"burst {number}")
    say(other, "last")
    assert told.heard("last")
    assert {f"burst {number}" for number in range(100)} <= told.names
    assert told.times - before < 60


def test_more_names_than_can_be_said_are_read_from_the_list(told, other):
    names = [f"{'long' * 8}:{number}" for number in range(400)]
    say(other, *names)
    assert told.heard(names[-1])
    assert set(names) <= told.names


def test_more_names_than_anybody_lists_reload_every_screen(told, other):
    say(other, *(f"name:{number}" for number in range(2000)))
    assert told.heard(EVERYTHING)


def test_who_was_away_too_long_reloads_everything(records, other, monkeypatch):
    hearing = Hearing(records)
    hearing.hear()
    say(other, "meanwhile")
    # Away for longer than the list is kept: as if it were kept for no time at all.
    monkeypatch.setattr(changes, "KEPT_FOR", timedelta(0))
    assert hearing.hear() == {EVERYTHING}
    monkeypatch.undo()
    say(other, "afterwards")
    assert hearing.hear() == {"afterwards"}


def test_following_ends_at_once_though_nothing_is_said(records):
    feed = Feed(records)
    following = threading.Thread(target=feed.follow)
    following.start()
    feed.stop()
    following.join(10)
    assert not following.is_alive()


POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@POSTGRESQL
def test_a_desk_that_was_cut_off_catches_up(told, other, records):
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND left(query, 6) = 'LISTEN'"
    )
    with other.glance() as connection:
        assert connection.exec_driver_sql(cut).scalar_one() == 1
    say(other, "meanwhile")
    assert told.heard("meanwhile")
    say(other, "afterwards")
    assert told.heard("afterwards")


@POSTGRESQL
def test_a_line_that_gives_no_sign_of_life_is_lost(records, monkeypatch):
    monkeypatch.setattr(listening, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(listening, "ANSWER_SECONDS", 0.3)
    halt = Halt()
    with open_line(records.engine, halt) as line:
        assert line.wait(0) == []
        backend = line._server.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(LineLost):
                line.wait(0)
        finally:
            os.kill(backend, signal.SIGCONT)
    halt.close()


@POSTGRESQL
@pytest.mark.parametrize("said", ["nonsense", "[1]", "[1, 2, 3]", "{}", '[9999999999, "x", ["y"]]'])
def test_what_no_console_said_does_no_harm(told, other, said):
    with other.glance() as connection:
        connection.exec_driver_sql("SELECT pg_notify('console_changes', %s)", (said,))
    say(other, "afterwards")
    assert told.heard("afterwards")


def test_the_list_is_kept_short(desk, clock):
    clock.advance(days=3650)  # the list goes by the real clock
    add_member(desk.records)
    polling.poll(desk)
    clock.advance(minutes=1)
    polling.poll(desk)
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(Change)) == 0
