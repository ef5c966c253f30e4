"""Keep copies of a SQLite database, thin them out, and put one back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.errors import ConsoleError
from console.models import backups, schema
from console.models.backups import Contents

KEEP: Final = 14
_STAMP: Final = "%Y%m%d-%H%M%S"


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


def make(url: str, folder: Path, now: datetime, keep: int = KEEP) -> Backup:
    """Copy a database while desks go on writing, look the copy over, and keep the newest few.

    A copy gets its name only when it is whole; an unfinished one is written over the next time.
    """
    if keep < 1:
        raise ConsoleError("Keep at least one copy.")
    source = backups.file_of(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{source.stem}.unfinished"
        backups.copy(source, unfinished)
        contents = backups.look_over(unfinished)
        made = _free(folder, f"{source.stem}-{now.astimezone():{_STAMP}}")
        unfinished.rename(made)
        removed = tuple(_copies(folder, source.stem)[keep:])
        for old in removed:
            old.unlink()
    except OSError as error:
        raise ConsoleError(
            f"The copy could not be written to {folder}: {(error.strerror or str(error)).lower()}. "
            "Name another folder, or make room."
        ) from error
    return Backup(made, contents, removed)


def restore(file: Path, url: str, now: datetime) -> Restored:
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


def _copies(folder: Path, stem: str) -> list[Path]:
    """List the copies of a database, the newest first."""
    named = re.compile(rf"{re.escape(stem)}-\d{{8}}-\d{{6}}(-\d+)?\.db")
    found = [one for one in folder.glob(f"{stem}-*.db") if named.fullmatch(one.name)]
    return sorted(found, key=lambda one: (one.stat().st_mtime_ns, one.name), reverse=True)
