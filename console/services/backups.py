"""Keep copies of a SQLite database, thin them out, and put one back."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy.engine import URL, Engine

from console.domain import times
from console.domain.errors import ConsoleError
from console.models import backups, schema
from console.models.backups import Contents
from console.services.desk import Desk
from console.settings import data_folder

KEEP: Final = 14
FOLDER: Final = "backups"
"""In the data folder of this machine."""
A_DAY: Final = timedelta(hours=20)
"""A night's copy is due when the last one is older; offices do not open to the minute."""
_STAMP: Final = "%Y%m%d-%H%M%S"
_STAMPED: Final = r"-\d{8}-\d{6}(-\d+)?\.db"


class NotCopied(ConsoleError):
    """A night's copy was not made; it is tried again by itself."""


@dataclass(frozen=True)
class Backup:
    """One copy that was made and looked over."""

    file: Path
    contents: Contents
    removed: tuple[Path, ...] = ()
    """Older copies that made room."""


@dataclass(frozen=True)
class Restored:
    """What stands in the place of the database now."""

    file: Path
    contents: Contents
    aside: Path | None
    """Where the database is that stood there before."""


def make(url: str | URL, folder: Path, now: datetime, keep: int = KEEP) -> Backup:
    """Copy a database while desks go on writing, look the copy over, and keep the newest few.

    A copy gets its name only when it is whole.
    """
    if keep < 1:
        raise ConsoleError("Keep at least one copy.")
    source = backups.file_of(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Two consoles may be at it at once: each fills a file of its own.
        unfinished = folder / f"{_name(source)}.{os.getpid()}.unfinished"
        try:
            backups.copy(source, unfinished)
            contents = backups.look_over(unfinished)
            made = _free(folder, f"{_name(source)}-{now.astimezone():{_STAMP}}")
            unfinished.rename(made)
        finally:
            unfinished.unlink(missing_ok=True)
        removed = tuple(_copies(folder, source)[keep:])
        for old in removed:
            old.unlink()
    except OSError as error:
        raise ConsoleError(
            f"The copy could not be written to {folder}: {(error.strerror or str(error)).lower()}. "
            "Name another folder, or make room."
        ) from error
    return Backup(made, contents, removed)


def make_nightly(desk: Desk) -> Backup | None:
    """Copy the office's own database once a day; a server and the training co-op need none.

    Raises NotCopied, and Diagnostics says so from then on, until a copy is made.
    """
    if not _wants_copies(desk):
        return None
    last = last_copy(desk)
    if last is not None and desk.now() - last < A_DAY:
        _WHY_NOT.pop(desk.records.engine, None)  # another console may have made it
        return None
    try:
        made = make(desk.records.engine.url, data_folder() / FOLDER, desk.now())
    except ConsoleError as problem:
        _WHY_NOT[desk.records.engine] = str(problem)
        raise NotCopied(f"The daily copy of the database was not made. {problem}") from problem
    _WHY_NOT.pop(desk.records.engine, None)
    return made


_WHY_NOT: Final[WeakKeyDictionary[Engine, str]] = WeakKeyDictionary()
"""Why the last copy of an open database failed."""


def last_copy(desk: Desk) -> datetime | None:
    """Answer when the newest copy of this desk's database was made, if one is on this machine."""
    found = _copies(data_folder() / FOLDER, backups.file_of(desk.records.engine.url))
    return datetime.fromtimestamp(found[0].stat().st_mtime, UTC) if found else None


def last_copy_in_words(desk: Desk) -> str:
    """Say how old the newest copy is, and what to do when there is none."""
    if desk.records.engine.dialect.name != "sqlite":
        return "made by the server"
    if desk.settings.training:
        return "none while training"
    last = last_copy(desk)
    said = "none yet" if last is None else times.when(last, desk.now(), desk.settings.zone)
    failed = _WHY_NOT.get(desk.records.engine)
    if failed is not None:
        return f"{said}; the one that is due was not made. {failed}"
    if last is None:
        return "none yet. Make one with: coop-console database backup"
    late = desk.now() - last > 2 * A_DAY
    return (
        f"{said}, which is too old. Make one with: coop-console database backup" if late else said
    )


def _wants_copies(desk: Desk) -> bool:
    return desk.records.engine.dialect.name == "sqlite" and not desk.settings.training


def restore(file: Path, url: str | URL, now: datetime) -> Restored:
    """Put a copy in the place of a database; the present one is kept beside it."""
    present = backups.file_of(url)
    if not file.is_file():
        raise ConsoleError(f"There is no copy “{file}”. Choose one that is there.")
    contents = backups.look_over(file)
    if contents.revision > schema.LATEST:
        raise schema.NewerDatabase(
            "This copy was made by a newer console. Update the console on this workstation first; "
            "nothing was changed."
        )
    there = present.exists()
    aside = _free(present.parent, f"{present.stem}-before-{now.astimezone():{_STAMP}}")
    try:
        backups.put_back(file, present, aside)
    except OSError as error:
        raise ConsoleError(
            f"The copy could not be put back: {(error.strerror or str(error)).lower()}. The "
            "database is as it was."
        ) from error
    return Restored(present, backups.look_over(present), aside if there else None)


def _free(folder: Path, name: str) -> Path:
    """Find a name that nothing has: no copy ever takes another one's place."""
    taken, number = folder / f"{name}.db", 1
    while taken.exists():
        number += 1
        taken = folder / f"{name}-{number}.db"
    return taken


def _name(source: Path) -> str:
    """Name a database in a folder where databases of equal names have their copies too."""
    place = os.path.normcase(source.resolve())
    return f"{source.stem}-{sha256(place.encode()).hexdigest()[:_LENGTH]}"


_LENGTH: Final = 8


def _copies(folder: Path, source: Path) -> list[Path]:
    """List the copies of a database, the newest first.

    Earlier consoles left the place of the database out of the name. Such a copy counts too, unless
    another database of the same name is copied here: then nobody knows whose it is, and it stays.
    """
    stem = re.escape(source.stem)
    own, any_place = re.escape(_name(source)), rf"{stem}-[0-9a-f]{{{_LENGTH}}}"
    there = tuple(folder.iterdir()) if folder.is_dir() else ()

    def named(start: str) -> list[Path]:
        return [one for one in there if re.fullmatch(start + _STAMPED, one.name)]

    found = named(own)
    if len(named(any_place)) == len(found):
        found += named(stem)
    return sorted(found, key=lambda one: (one.stat().st_mtime_ns, one.name), reverse=True)
