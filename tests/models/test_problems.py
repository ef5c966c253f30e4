"""Whatever the database cannot do is a sentence, and the next try works by itself."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from console.models import problems, schema
from console.models.members import Member
from console.models.problems import (
    DatabaseAway,
    DatabaseBusy,
    DatabaseCrossed,
    DatabaseTrouble,
    Stale,
)
from tests.office import add_member


@pytest.fixture
def sqlite_records(sqlite_template, tmp_path):
    file = tmp_path / "office.db"
    shutil.copyfile(sqlite_template, file)
    records = schema.open_records(f"sqlite:///{file}")
    yield records
    records.close()


def rename(db, name="x"):
    db.execute(text("UPDATE member SET name = :name"), {"name": name})


def test_a_database_held_by_another_program_is_busy(sqlite_records, tmp_path):
    with sqlite_records.glance() as connection:
        connection.exec_driver_sql("pragma busy_timeout = 20")
    holder = sqlite3.connect(tmp_path / "office.db", isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(DatabaseBusy, match="press again"), sqlite_records.begin() as db:
        rename(db)
    holder.execute("rollback")
    holder.close()
    with sqlite_records.begin() as db:
        rename(db)


def test_a_full_disk_loses_nothing_and_is_said(sqlite_records):
    add_member(sqlite_records)
    with sqlite_records.glance() as connection:
        connection.exec_driver_sql("pragma max_page_count = 1")

    def fill():
        for n in range(500):
            add_member(sqlite_records, "x" * 100, (str(2_000_000 + n),))

    with pytest.raises(DatabaseTrouble, match="disk of the database is full"):
        fill()
    with sqlite_records.read() as db:
        assert db.get_one(Member, 1).name == "DeLong"


def test_a_file_that_went_bad_is_said(sqlite_records, tmp_path):
    sqlite_records.close()
    for name in ("office.db", "office.db-wal", "office.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "office.db").write_bytes(b"<html>" * 1000)
    with pytest.raises(DatabaseTrouble, match="not a database"), sqlite_records.read() as db:
        db.get(Member, 1)


only_on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@only_on_postgresql
def test_cut_connections_come_back_by_themselves(records, postgresql_server):
    add_member(records)
    surgeon = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")

    def cut():
        with records.begin() as db, surgeon.connect() as other:
            mine = db.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text(f"SELECT pg_terminate_backend({mine})"))
            rename(db)

    with pytest.raises(DatabaseAway, match="so nothing was done"):
        cut()
    surgeon.dispose()
    with records.begin() as db:
        rename(db, "here again")


@only_on_postgresql
def test_a_server_that_takes_too_long_is_not_waited_for(records):
    def wait():
        with records.begin() as db:
            db.execute(text("SET LOCAL statement_timeout = 50"))
            db.execute(text("SELECT pg_sleep(10)"))

    with pytest.raises(DatabaseBusy):
        wait()


@only_on_postgresql
def test_reading_sees_one_moment_and_writes_nothing(records):
    member_id = add_member(records)
    with records.read() as db:
        before = db.scalar(text("SELECT name FROM member"))
        with records.begin() as other:
            rename(other, "meanwhile")
        assert db.scalar(text("SELECT name FROM member")) == before
    with pytest.raises(DatabaseTrouble, match="only be read"), records.read() as db:
        rename(db)
    with records.read() as db:
        assert db.get_one(Member, member_id).name == "meanwhile"


def test_two_people_one_record(records):
    member_id = add_member(records)

    def cross():
        with records.begin() as db:
            member = db.get_one(Member, member_id)
            member.name = "mine"
            # Their commit, as this session finds it: the version is no longer the one it read.
            db.connection().execute(text("UPDATE member SET version = version + 1"))

    with pytest.raises(Stale, match="Somebody else has just changed this"):
        cross()
    with records.read() as db:
        assert db.get_one(Member, member_id).name == "DeLong"


def test_mistakes_of_ours_stay_bugs(records):
    add_member(records)
    with pytest.raises(IntegrityError):
        add_member(records)
    with (
        pytest.raises((ProgrammingError, OperationalError), match="no_such_table"),
        records.begin() as db,
    ):
        db.execute(text("SELECT * FROM no_such_table"))


@only_on_postgresql
def test_of_two_that_wait_for_each_other_one_goes_on_and_the_other_was_crossed(records):
    one, two = add_member(records), add_member(records, "Ruiz", ("1023402",))
    both_hold_one = threading.Barrier(2)

    def write(who, first, second):
        with records.signed(who, "desk").begin() as db:  # each on a chain of their own
            db.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            db.execute(text("UPDATE member SET email = '' WHERE id = :id"), {"id": first})
            both_hold_one.wait(10)
            db.execute(text("UPDATE member SET email = '' WHERE id = :id"), {"id": second})

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(write, "pat", one, two), pool.submit(write, "sam", two, one)]
    ends = [one_of_them.exception() for one_of_them in asked]
    assert {type(end) for end in ends} == {type(None), DatabaseCrossed}


def test_a_crossed_transaction_is_done_again_until_it_goes_through():
    crossings = iter([DatabaseCrossed("one"), Stale("two"), DatabaseCrossed("three")])

    def act():
        for crossing in crossings:
            raise crossing
        return "done"

    assert problems.again_if_crossed(act) == "done"


def test_what_was_crossed_is_done_again_once():
    tried = []

    def act():
        tried.append(1)
        if len(tried) == 1:
            raise Stale("crossed")
        return "done"

    assert problems.again_if_crossed(act) == "done"
    with pytest.raises(DatabaseBusy):
        problems.again_if_crossed(lambda: (_ for _ in ()).throw(DatabaseBusy("still")))
