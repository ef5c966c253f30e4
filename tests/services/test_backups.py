import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from console.domain.errors import ConsoleError
from console.models import schema
from console.models.backups import InUse, NotWhole, ServerKeepsItsOwn
from console.models.members import Member
from console.services import backups, diagnostics
from tests.office import add_member

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def url(sqlite_template, tmp_path):
    """An office's database with one member."""
    file = tmp_path / "office.db"
    shutil.copyfile(sqlite_template, file)
    records = schema.open_records(f"sqlite:///{file}")
    add_member(records)
    records.close()
    return f"sqlite:///{file}"


def names(url):
    records = schema.open_records(url)
    with records.read() as db:
        found = sorted(db.scalars(select(Member.name)))
    records.close()
    return found


def rename(url, name):
    records = schema.open_records(url)
    with records.signed("pat", "").begin() as db:
        db.scalars(select(Member)).one().name = name
    records.close()


def test_a_copy_is_made_read_and_put_back(url, tmp_path):
    made = backups.make(url, tmp_path / "copies", NOW)
    assert made.contents.members == 1
    assert made.contents.revision == schema.LATEST
    assert made.file.stat().st_mode & 0o777 == 0o600
    rename(url, "Longford")
    done = backups.restore(made.file, url, NOW)
    assert names(url) == ["DeLong"]
    assert names(f"sqlite:///{done.aside}") == ["Longford"]
    assert made.file.exists()


def test_a_copy_is_of_one_moment_while_desks_write(url, tmp_path):
    records = schema.open_records(url)
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            with records.signed("pat", "").begin() as db:
                member = db.scalars(select(Member)).one()
                member.name, member.given_names = f"N{number}", f"N{number}"
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(12):
            made = backups.make(url, tmp_path / "copies", NOW + timedelta(minutes=turn))
            with closing(sqlite3.connect(made.file)) as db:
                name, given = db.execute("SELECT name, given_names FROM member").fetchone()
                changes = db.execute(
                    "SELECT count(*) FROM audit_entry WHERE subject = 'member'"
                ).fetchone()[0]
            assert name in (given, "DeLong")
            assert name == "DeLong" or changes == int(name[1:]) + 1
    finally:
        over.set()
        writer.join()
        records.close()


def test_the_newest_copies_are_kept_and_none_takes_anothers_place(url, tmp_path):
    folder = tmp_path / "copies"
    (folder).mkdir()
    (folder / "office-holiday.db").write_text("somebody's own")
    made = [backups.make(url, folder, NOW + timedelta(days=turn), keep=3) for turn in range(4)]
    made.append(backups.make(url, folder, NOW + timedelta(days=3), keep=3))
    assert len({one.file for one in made}) == 5
    assert [one.file.exists() for one in made] == [False, False, True, True, True]
    assert (folder / "office-holiday.db").exists()
    with pytest.raises(ConsoleError, match="at least one"):
        backups.make(url, folder, NOW, keep=0)


def test_nothing_is_put_back_under_an_open_console(url, tmp_path):
    made = backups.make(url, tmp_path, NOW)
    rename(url, "Longford")
    records = schema.open_records(url)
    with records.read() as db:
        db.scalars(select(Member)).all()
        with pytest.raises(InUse, match="Close all of them"):
            backups.restore(made.file, url, NOW)
    records.close()
    assert names(url) == ["Longford"]
    backups.restore(made.file, url, NOW)
    assert names(url) == ["DeLong"]


@pytest.mark.parametrize("wrong", [b"", b"Dear member,", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_copy_is_refused_and_nothing_changes(url, tmp_path, wrong):
    file = tmp_path / "copy.db"
    file.write_bytes(wrong)
    with pytest.raises(NotWhole):
        backups.restore(file, url, NOW)
    with pytest.raises(ConsoleError, match="There is no copy"):
        backups.restore(tmp_path / "none.db", url, NOW)
    assert names(url) == ["DeLong"]


def test_a_damaged_copy_is_refused(url, tmp_path):
    made = backups.make(url, tmp_path, NOW)
    octets = bytearray(made.file.read_bytes())
    octets[4096 * 5 : 4096 * 30] = b"\xff" * (4096 * 25)
    made.file.write_bytes(octets)
    with pytest.raises(NotWhole):
        backups.restore(made.file, url, NOW)
    assert names(url) == ["DeLong"]


def test_a_newer_copy_waits_for_a_newer_console(url, tmp_path):
    made = backups.make(url, tmp_path, NOW)
    with closing(sqlite3.connect(made.file)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(schema.NewerDatabase):
        backups.restore(made.file, url, NOW)


def test_what_is_lost_altogether_comes_back(url, tmp_path):
    made = backups.make(url, tmp_path / "copies", NOW)
    (tmp_path / "office.db").unlink()
    assert backups.restore(made.file, url, NOW).aside is None
    assert names(url) == ["DeLong"]
    (tmp_path / "office.db").write_bytes(b"scrambled" * 1000)
    backups.restore(made.file, url, NOW)
    assert names(url) == ["DeLong"]


def test_a_folder_that_cannot_be_written_is_said(url, tmp_path):
    (tmp_path / "full").write_text("a file, not a folder")
    with pytest.raises(ConsoleError, match="could not be written"):
        backups.make(url, tmp_path / "full", NOW)


def test_a_server_keeps_its_own(tmp_path):
    for act in (
        lambda: backups.make("postgresql://server/coop", tmp_path, NOW),
        lambda: backups.restore(tmp_path / "x.db", "postgresql://server/coop", NOW),
    ):
        with pytest.raises(ServerKeepsItsOwn, match="pg_basebackup"):
            act()


@pytest.mark.parametrize("after", [0.0, 0.35, 0.4, 0.45, 0.5, 0.6])
def test_killed_anywhere_the_old_or_the_new_stands_there_whole(url, tmp_path, after):
    made = backups.make(url, tmp_path / "copies", NOW)
    rename(url, "Longford")
    act = (
        "from console.cli import main; raise SystemExit(main(["
        f"'database', 'restore', {str(made.file)!r}, '--database', {url!r}]))"
    )
    running = subprocess.Popen([sys.executable, "-c", act], stderr=subprocess.DEVNULL)
    time.sleep(after)
    running.kill()
    running.wait()
    assert names(url) in (["DeLong"], ["Longford"])


def test_every_night_one_copy_and_never_while_training(records, desk, url, tmp_path):
    if desk.records.engine.dialect.name == "postgresql":
        assert backups.make_nightly(desk) is None
        assert backups.last_copy_in_words(desk) == "made by the server"
        return
    assert backups.last_copy_in_words(desk).startswith("none yet")
    desk.now.at = datetime.now(UTC)
    made = backups.make_nightly(desk)
    assert made.file.parent == tmp_path / "data" / backups.FOLDER
    assert "today" in backups.last_copy_in_words(desk)
    assert backups.make_nightly(desk) is None
    desk.now.advance(hours=21)
    assert backups.make_nightly(desk).file != made.file
    desk.now.advance(days=3)
    assert "too old" in backups.last_copy_in_words(desk)
    training = replace(desk, settings=replace(desk.settings, training=True))
    assert backups.make_nightly(training) is None


def copied_from(file, sqlite_template):
    """Put a database there and answer its address."""
    file.parent.mkdir()
    shutil.copyfile(sqlite_template, file)
    return URL.create("sqlite", database=str(file))


@pytest.mark.parametrize("name", ["line #2", "100%41", "whose?", "A & B"])
def test_a_path_may_hold_any_sign(sqlite_template, tmp_path, name):
    url = copied_from(tmp_path / name / f"{name}.db", sqlite_template)
    made = backups.make(url, tmp_path / name / "copies", NOW)
    assert made.file.is_file()
    again = backups.make(url, tmp_path / name / "copies", NOW + timedelta(days=1), keep=1)
    assert again.removed == (made.file,)
    assert backups.restore(again.file, url, NOW).contents.revision == schema.LATEST


def test_two_databases_of_one_name_keep_their_copies_apart(sqlite_template, tmp_path):
    ours, theirs = (
        copied_from(tmp_path / place / "office.db", sqlite_template) for place in ("east", "west")
    )
    folder = tmp_path / "copies"
    first = backups.make(theirs, folder, NOW)
    for turn in range(3):
        backups.make(ours, folder, NOW + timedelta(days=turn), keep=1)
    assert first.file.exists()
    assert len(list(folder.iterdir())) == 2


def test_copies_without_a_place_in_their_name_are_thinned_while_it_is_clear_whose_they_are(
    sqlite_template, tmp_path
):
    ours, theirs = (
        copied_from(tmp_path / place / "office.db", sqlite_template) for place in ("east", "west")
    )
    folder = tmp_path / "copies"
    folder.mkdir()

    def copied_long_ago(name):
        file = folder / name
        file.write_bytes(b"from an earlier console")
        os.utime(file, (1, 1))
        return file

    old = copied_long_ago("office-20250101-030000.db")
    assert backups.make(ours, folder, NOW, keep=2).removed == ()
    assert backups.make(ours, folder, NOW + timedelta(days=1), keep=2).removed == (old,)
    unclear = copied_long_ago("office-20250101-030000-2.db")
    backups.make(theirs, folder, NOW)
    for turn in range(3):
        backups.make(ours, folder, NOW + timedelta(days=2 + turn), keep=1)
    assert unclear.exists()


def test_a_night_without_a_copy_is_said_until_there_is_one(records, desk, tmp_path):
    if desk.records.engine.dialect.name == "postgresql":
        return
    desk.now.at = datetime.now(UTC)
    (tmp_path / "data").mkdir()
    in_the_way = tmp_path / "data" / backups.FOLDER
    in_the_way.write_text("a file, not a folder")
    with pytest.raises(backups.NotCopied, match="daily copy of the database was not"):
        backups.make_nightly(desk)
    said = dict(diagnostics.facts(desk))["Last copy"]
    assert said.startswith("none yet; the one that is due was not made. The copy could not")
    in_the_way.unlink()
    backups.make_nightly(desk)
    assert backups.last_copy_in_words(desk).startswith("today")


def test_a_database_that_cannot_be_read_is_said(url, tmp_path):
    (tmp_path / "office.db").write_bytes(b"scrambled" * 1000)
    with pytest.raises(ConsoleError, match="could not be copied to"):
        backups.make(url, tmp_path / "copies", NOW)
    assert list((tmp_path / "copies").iterdir()) == []
