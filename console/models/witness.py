"""Witness heads: where each chain of the audit trail ended when this workstation last looked."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from console.domain.audit import SEALED, Head, SealedRow
from console.domain.errors import ConsoleError
from console.models.audit import AuditChain, AuditEntry
from console.models.coop import Coop

_AT_ONCE: Final = 2_000
_ASKED_AT_ONCE: Final = 300


class BadWitness(ConsoleError):
    """A witness file cannot be read, or is another co-op's."""


@dataclass(frozen=True)
class Witness:
    """What one workstation has seen of one co-op's trail."""

    coop: str
    heads: tuple[Head, ...] = ()


def coop_of(db: Session) -> str:
    """Answer what this database is known by for ever."""
    return db.scalars(select(Coop.id)).one()


def heads_of(db: Session) -> list[Head]:
    """Read where each chain ends."""
    rows = db.execute(select(AuditChain.chain, AuditChain.seq, AuditChain.hash))
    return [Head(row.chain, row.seq, row.hash) for row in rows]


def sealed_rows(db: Session) -> Iterator[SealedRow]:
    """Read the whole trail chain by chain, a few rows in memory at a time."""
    connection = db.connection()
    if connection.dialect.name == "sqlite":
        # An index may tell another story than the table, in a file that was edited.
        at, unindexed = "replace(at, ' ', 'T') || 'Z'", "NOT INDEXED"
    else:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        at = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        unindexed = ""
    fields = ", ".join(at if one == "at" else f'"{one}"' for one in SEALED)
    names = f"SELECT {fields}, hash FROM audit_entry {unindexed}"  # noqa: S608  # names of our own
    rows = connection.exec_driver_sql(
        f"{names} ORDER BY chain, seq, id", execution_options={"yield_per": _AT_ONCE}
    )
    for some in rows.partitions():
        yield from map(tuple, some)


def look(db: Session, before: Witness | None) -> Witness:
    """See where the chains end now, and keep of what was seen before whatever disagrees.

    A chain that was forged afresh does not wipe out the evidence against it.
    """
    coop = coop_of(db)
    now = heads_of(db)
    earlier = before.heads if before is not None and before.coop == coop else ()
    moved = [head for head in earlier if head not in set(now)]
    kept = [head for head in moved if head not in _still_there(db, moved)]
    return Witness(coop, tuple(sorted({*now, *kept}, key=lambda one: (one.chain, one.seq))))


def _still_there(db: Session, heads: Sequence[Head]) -> set[Head]:
    found: set[Head] = set()
    place = tuple_(AuditEntry.chain, AuditEntry.seq)
    for first in range(0, len(heads), _ASKED_AT_ONCE):
        some = heads[first : first + _ASKED_AT_ONCE]
        asked = select(AuditEntry.chain, AuditEntry.seq, AuditEntry.hash)
        rows = db.execute(asked.where(place.in_([(one.chain, one.seq) for one in some])))
        found.update(Head(row.chain, row.seq, row.hash) for row in rows)
    return found


# The file


def file_for(folder: Path, coop: str) -> Path:
    """Name the file in which a workstation keeps what it has seen of a co-op's trail."""
    plain = "".join(letter for letter in coop if letter.isalnum() or letter == "-")
    return folder / "witness" / f"{plain}.json"


def read(file: Path) -> Witness:
    """Read a witness file; raises BadWitness."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        heads = tuple(Head(str(chain), int(seq), str(end)) for chain, seq, end in told["heads"])
        return Witness(str(told["coop"]), heads)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadWitness(
            f"The witness file {file} cannot be read. Export it again at the other workstation "
            "with: coop-console database witness --out FILE"
        ) from error


def write(file: Path, witness: Witness) -> None:
    """Write a witness file for its owner's eyes, whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    heads: Iterable[tuple[str, int, str]] = ((h.chain, h.seq, h.hash) for h in witness.heads)
    told = json.dumps({"coop": witness.coop, "heads": list(heads)}, ensure_ascii=False)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".witness-")  # made with mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(told)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
