"""A disk that is really full and one that really fails: nothing is lost, and it is said."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from console.clients.portal import Portal
from console.models import schema
from console.models.base import Records
from console.models.members import Member, Note
from console.models.problems import DatabaseTrouble
from console.services import members
from console.services.desk import Desk
from tests.office import PAT, add_member, staff_the_office
from tests.servers import find_debians, running_debians

DISK_MEGABYTES = 24
WORDS = "The caller says that the disk fills up. " * 40


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, of a few megabytes."""
    place = Path(tempfile.mkdtemp(prefix="coop-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip("not run: no small disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def office_on_it(request: pytest.FixtureRequest, small_disk: Path) -> Iterator[Records]:
    """An office whose tables are on the small disk."""
    if request.param == "sqlite":
        yield from _office(f"sqlite:///{small_disk / 'office.db'}")
        return
    find_debians()
    with running_debians() as server:
        tables = small_disk / "tables"
        tables.mkdir()
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (small_disk, tables):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        admin = schema.connect(server)
        with admin.glance() as connection:
            connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{tables}'")
            connection.exec_driver_sql("CREATE DATABASE office TABLESPACE small")
        admin.close()
        yield from _office(make_url(server).set(database="office").render_as_string(False))


def _office(url: str) -> Iterator[Records]:
    records = schema.open_records(url)
    staff_the_office(records)
    add_member(records)
    yield records
    records.close()


def _fill(disk: Path) -> Path:
    """Fill a disk to its last block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_is_said_and_loses_nothing(office_on_it: Records, small_disk: Path) -> None:
    portal = Portal("http://127.0.0.1:9", "", "desk")
    desk = Desk(office_on_it, portal, PAT, workstation="desk 1")
    told: set[str] = set()

    def write_until_full() -> None:
        for number in count():
            members.write_note(desk, f"note-{number}", 1, WORDS, None)
            told.add(f"note-{number}")

    ballast = _fill(small_disk)
    with pytest.raises(DatabaseTrouble, match=r"disk of the database is full.*still here"):
        write_until_full()
    assert _notes(office_on_it) == told
    assert members.refresh(desk, 1).name == "DeLong", "reading goes on"
    ballast.unlink()
    members.write_note(desk, "room again", 1, "There is room again", None)
    assert _notes(office_on_it) == told | {"room again"}
    portal.close()


def _notes(records: Records) -> set[str]:
    with records.read() as db:
        return set(db.scalars(select(Note.id)))


_ON_A_FAILING_DISK = """
import resource, sys
from console.models import schema
from console.models.problems import DatabaseTrouble
from tests.office import add_member

records = schema.open_records("sqlite:///" + sys.argv[1])
# From here on the system refuses to make any file longer, as a disk does that gives out.
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    for number in range(5000):
        add_member(records, numbers=(str(2_000_000 + number),))
        print(number, flush=True)
except DatabaseTrouble as trouble:
    print(trouble)
"""


def test_a_failing_disk_is_said_and_loses_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    shutil.copyfile(sqlite_template, file)
    most = str(file.stat().st_size + 200_000)
    told = subprocess.run(
        [sys.executable, "-c", _ON_A_FAILING_DISK, str(file), most],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout.splitlines()
    assert told[-1].startswith("The disk of the database gave an error, so nothing was saved.")
    assert len(told) > 1
    records = schema.open_records(f"sqlite:///{file}")
    with records.read() as db:
        assert len(db.scalars(select(Member)).all()) == len(told) - 1
    records.close()
