"""Whole copies of a SQLite database: made while desks write, looked over, and put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from console.domain.errors import ConsoleError

_PAGES_AT_ONCE: Final = 2_000
_PAUSE_SECONDS: Final = 0.005
"""Between two handfuls of pages, so that writers get their turn."""


class NotWhole(ConsoleError):
    """A copy is damaged, or no copy of a console's database at all."""


class InUse(ConsoleError):
    """Somebody has the database open."""


class ServerKeepsItsOwn(ConsoleError):
    """A PostgreSQL server is backed up by its own means."""


@dataclass(frozen=True)
class Contents:
    """What a database file holds."""

    revision: str
    members: int
    octets: int


def file_of(url: str | URL) -> Path:
    """Answer the file of a SQLite database; raises ServerKeepsItsOwn for any other."""
    place = make_url(url)
    if place.get_backend_name() != "sqlite" or not place.database:
        raise ServerKeepsItsOwn(
            "A PostgreSQL server is backed up where it runs, with pg_basebackup or pgBackRest and "
            "an archive of its log. Ask whoever looks after the server."
        )
    return Path(place.database)


def copy(source: Path, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Copy a database that may be written to meanwhile; the copy is of one moment."""
    if not source.is_file():
        raise ConsoleError(f"There is no database “{source.name}” to copy. Look for it elsewhere.")
    # Nobody else on this machine is to read the members; the mode counts from the first moment.
    os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(_read_only(source), uri=True, timeout=10)) as read,
            closing(sqlite3.connect(target)) as write,
        ):
            read.backup(
                write,
                pages=_PAGES_AT_ONCE,
                sleep=_PAUSE_SECONDS,
                progress=(lambda _, left, of: progress(of - left, of)) if progress else None,
            )
            write.execute("PRAGMA journal_mode = delete")
    except sqlite3.Error as error:
        raise ConsoleError(
            f"The database “{source.name}” could not be copied to {target.parent}: {error}. See "
            "whether there is room and whether it still opens, then try again."
        ) from error
    _to_disk(target)


def look_over(file: Path) -> Contents:
    """Read a whole copy and answer what it holds; raises NotWhole when anything is wrong."""
    try:
        with closing(sqlite3.connect(_read_only(file), uri=True)) as db:
            (said,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                raise NotWhole(f"The copy “{file.name}” is damaged: {said}. Choose another one.")
            (revision,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
            (members,) = db.execute("SELECT count(*) FROM member").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise NotWhole(
            f"“{file.name}” is no copy of a console's database. Choose another one."
        ) from error
    return Contents(str(revision), int(members), file.stat().st_size)


def put_back(copied: Path, present: Path, aside: Path) -> None:
    """Put a copy in the place of the present database, which is kept under another name.

    Whatever dies and whenever, the place holds the one or the other, whole. Raises InUse while
    somebody has the database open.
    """
    coming = present.with_name(f"{present.name}.restoring")
    if present.exists():
        _check_alone(present)
    shutil.copyfile(copied, coming)
    coming.chmod(0o600)
    _to_disk(coming)
    if present.exists():
        _keep_aside(present, aside)
    coming.replace(present)
    for rest in ("-wal", "-shm"):
        present.with_name(present.name + rest).unlink(missing_ok=True)


def _read_only(file: Path) -> str:
    # In an address of SQLite's a "#", a "?" or a "%" of the path would mean something else.
    return f"{file.absolute().as_uri()}?mode=ro"


def _check_alone(present: Path) -> None:
    try:
        with closing(sqlite3.connect(present, timeout=0.5)) as db:
            # It folds the log into the file, which only the last one to have it open may do.
            (mode,) = db.execute("PRAGMA journal_mode = delete").fetchone()
            if mode == "delete":
                db.execute("BEGIN EXCLUSIVE")
                db.execute("ROLLBACK")
                return
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise ConsoleError(
                f"The present database “{present.name}” cannot be opened: {error}. Move it out of "
                "the way by hand, then try again."
            ) from error
    except sqlite3.DatabaseError:
        return  # what is damaged beyond opening is used by nobody, and is kept aside all the same
    raise InUse(
        "A console, or a courier, has this database open. Close all of them, then try again; "
        "nothing was changed."
    )


def _keep_aside(present: Path, aside: Path) -> None:
    with suppress(OSError):
        os.link(present, aside)  # the same file under a second name: at once, and without room
        return
    shutil.copyfile(present, aside)
    aside.chmod(0o600)
    _to_disk(aside)


def _to_disk(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
