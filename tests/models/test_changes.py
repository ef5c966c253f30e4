import os
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError

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
        self.counts = Counter()

    def hear(self, names):
        with self._more:
            self._names |= names
            self.counts.update(names)
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


def write_by_hand(records, names):
    """Put a row into the list as no console would, past the rules that keep most of them out."""
    with records.begin() as db:
        if records.engine.dialect.name == "postgresql":
            db.execute(text("SET LOCAL session_replication_role = replica"))
        db.execute(insert(Change).values(at=datetime.now(UTC), origin="x", names=names))


def notify(records, word):
    """Send a word as anybody may with psql."""
    with records.glance() as connection:
        connection.execute(text("SELECT pg_notify('console_changes', :word)"), {"word": word})


def last_number(records):
    with records.read() as db:
        return db.scalar(select(func.max(Change.id))) or 0


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


def cut_off(records):
    """Cut every line of this database that listens."""
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND left(query, 6) = 'LISTEN'"
    )
    with records.glance() as connection:
        assert connection.exec_driver_sql(cut).scalar_one() == 1


@POSTGRESQL
def test_a_desk_that_was_cut_off_catches_up(told, other):
    cut_off(other)
    say(other, "meanwhile")
    assert told.heard("meanwhile")
    say(other, "afterwards")
    assert told.heard("afterwards")


@POSTGRESQL
@pytest.mark.parametrize("ahead", [range(1, 60), (9000,)], ids=["the next ones", "far ahead"])
def test_what_is_merely_said_hides_nothing_that_is_done(told, other, monkeypatch, ahead):
    monkeypatch.setattr(changes, "AGAIN_SECONDS", (1.0,))
    last = last_number(other)
    for number in ahead:
        notify(other, f'[{last + number}, "x", []]')
    notify(other, f'[{last}, "x", ["all of them"]]')
    assert told.heard("all of them")
    cut_off(other)
    say(other, "meanwhile")
    assert told.heard("meanwhile")


@POSTGRESQL
def test_who_has_listened_for_long_has_little_to_catch_up(told, other, monkeypatch):
    monkeypatch.setattr(changes, "READ_ON_SECONDS", 0.0)
    for name in ("first", "second"):
        say(other, name)
        assert told.heard(name)
    cut_off(other)
    say(other, "meanwhile")
    assert told.heard("meanwhile")
    assert told.counts["first"] == 1


@pytest.fixture
def feed(records):
    """A feed that has read the list and is asked piece by piece."""
    feed = Feed(records)
    feed._look_up()
    yield feed
    feed.stop()
    feed.follow()  # at once at its end


def test_what_was_read_on_a_line_that_was_dead_already_is_told_when_it_is_back(feed, other):
    say(other, "in vain")
    feed._read_on()
    assert not feed._pending
    feed._look_up()
    assert feed._pending == {"in vain"}


def test_a_number_alone_is_told_although_its_row_was_read_already(feed, other):
    say(other, "long")
    feed._read_on()
    feed._take(str(last_number(other)))
    feed._look_up()
    assert feed._pending == {"long"}


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


SAID_BY_NOBODY = {
    "words": "nonsense",
    "nothing": "null",
    "a number": "12345678901234567890",
    "infinite": "1e400",
    "one of three": "[1]",
    "numbers": "[1, 2, 3]",
    "an object": "{}",
    "a text": '"x"',
    "far ahead": '[9999999999, "x", ["y"]]',
    "infinitely far": '[1e400, "x", []]',
    "no number at all": '[NaN, "x", []]',
    "too many digits": f'[{"9" * 5000}, "x", []]',
    "an origin that is none": '[1, ["x"], []]',
    "names that are none": '[1, "x", ["y", 2]]',
    "names in names": '[1, "x", [["y"]]]',
    "brackets": "[" * 7000,
}


@POSTGRESQL
@pytest.mark.parametrize("said", SAID_BY_NOBODY.values(), ids=SAID_BY_NOBODY)
def test_what_no_console_said_does_no_harm(told, other, said):
    notify(other, said)
    say(other, "afterwards")
    assert told.heard("afterwards")


WRITTEN_BY_NOBODY = {
    "words": "not json",
    "empty": "",
    "a number": "5",
    "infinite": "1e400",
    "nothing": "null",
    "an object": '{"a": 1}',
    "numbers": "[1, 2]",
    "lists": '["a", ["b"]]',
    "brackets": "[" * 7000,
    "endless": f'["{"x" * 200_000}"]',
}


@pytest.mark.parametrize("names", WRITTEN_BY_NOBODY.values(), ids=WRITTEN_BY_NOBODY)
def test_a_row_that_no_console_wrote_reloads_everything_once(records, other, names):
    hearing = Hearing(records)
    hearing.hear()
    write_by_hand(other, names)
    say(other, "besides")
    assert EVERYTHING in hearing.hear()
    assert hearing.hear() == frozenset()
    say(other, "afterwards")
    assert hearing.hear() == {"afterwards"}


@pytest.mark.parametrize("names", ["not json", "5", "[" * 7000], ids=["words", "5", "brackets"])
def test_whoever_listens_goes_on_after_such_a_row(told, other, names):
    write_by_hand(other, names)
    if other.engine.dialect.name == "postgresql":
        notify(other, "x")
    assert told.heard(EVERYTHING)
    say(other, "afterwards")
    assert told.heard("afterwards")


@POSTGRESQL
def test_nonsense_without_end_makes_nobody_read_without_end(told, records, other):
    read = []

    def note(_connection, _cursor, statement, *_):
        if "FROM change" in statement:
            read.append(statement)

    event.listen(records.engine, "before_cursor_execute", note)
    for number in range(300):
        notify(other, f"nonsense {number}")
    say(other, "afterwards")
    assert told.heard("afterwards")
    event.remove(records.engine, "before_cursor_execute", note)
    assert 0 < len(read) < 100


# On SQLite only one writes at a time.
@POSTGRESQL
def test_a_number_that_many_have_overtaken_may_stand_for_everything(records, other):
    hearing = Hearing(records)
    hearing.hear()
    with other.begin() as slow:
        late = Change(at=slow.scalar(select(func.now())), origin="x", names='["slow"]')
        slow.add(late)
        slow.flush()
        with records.begin() as quick:
            now = quick.scalar(select(func.now()))
            quick.add_all(Change(at=now, origin="x", names='["quick"]') for _ in range(600))
        assert hearing.hear() == {"quick"}
        number = str(late.id)
    assert hearing.hear({number}) == {EVERYTHING}


def test_a_reading_that_failed_after_a_long_absence_is_not_taken_for_one(records, other):
    hearing = Hearing(records)
    hearing.hear()
    hearing._current_at -= timedelta(hours=1)
    with other.begin() as db:
        db.execute(text("ALTER TABLE change RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        hearing.hear()
    with other.begin() as db:
        db.execute(text("ALTER TABLE elsewhere RENAME TO change"))
    assert hearing.hear() == {EVERYTHING}


def test_a_computer_that_slept_does_not_think_that_it_heard_everything(records):
    hearing = Hearing(records)
    hearing.hear()
    hearing._current_at -= timedelta(hours=1)
    hearing.still_current()
    assert hearing.hear() == {EVERYTHING}


def test_a_bug_is_shown_and_the_line_is_opened_again(told, records, other, monkeypatch):
    shown = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    monkeypatch.setattr(changes, "AGAIN_SECONDS", (0.05,))

    def stumble(names):
        if any(name.startswith("stone") for name in names):
            raise RuntimeError("a listener stumbled")

    stop = records.on_change(stumble)
    say(other, "stone 1")
    assert told.heard(EVERYTHING)
    again = Told()
    stop_telling = records.on_change(again.hear)
    say(other, "stone 2")
    assert again.heard(EVERYTHING)
    say(other, "afterwards")
    assert told.heard("afterwards")
    stop()
    stop_telling()
    assert [what.exc_type for what in shown] == [RuntimeError]  # not again every two seconds


def test_the_list_is_kept_short(desk, clock):
    clock.advance(days=3650)  # the list goes by the real clock
    add_member(desk.records)
    polling.poll(desk)
    clock.advance(minutes=1)
    polling.poll(desk)
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(Change)) == 0
