"""What a workstation has seen of an audit trail: its rows as they are stored, and its ends.

A witness also knows by which name it knew the database at an address, so that one that was forged
afresh cannot pass for another.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.request import url2pathname

from sqlalchemy import Connection, Row, select, tuple_
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from console.domain.audit import SEALED, Head, SealedRow, sealed_time
from console.domain.errors import ConsoleError
from console.models.audit import AuditChain, AuditEntry
from console.models.coop import Coop

_AT_ONCE: Final = 2_000
_ASKED_AT_ONCE: Final = 300


class BadWitness(ConsoleError):
    """A witness file cannot be read, or is another co-op's."""


class NoIdentity(ConsoleError):
    """The database does not say which one it is."""


@dataclass(frozen=True)
class Witness:
    """What one workstation has seen of one co-op's trail."""

    coop: str
    heads: tuple[Head, ...] = ()


def names_of(db: Session) -> list[str]:
    """Read by what this database is to be known for ever: one name, unless somebody forged it."""
    with reading_any_text(db.connection()):
        return [str(one) for one in db.scalars(select(Coop.id).order_by(Coop.id))]


def coop_of(db: Session) -> str:
    """Answer what this database is known by for ever; raises NoIdentity."""
    names = names_of(db)
    if len(names) != 1:
        raise NoIdentity(
            "This database does not say which co-op it belongs to. Keep it as it is, and have "
            "whoever looks after it run: coop-console database check"
        )
    return names[0]


def heads_of(db: Session) -> list[Head]:
    """Read where each chain ends."""
    with reading_any_text(db.connection()):
        rows = db.execute(select(AuditChain.chain, AuditChain.seq, AuditChain.hash)).all()
    return [Head(str(row.chain), _number(row.seq), str(row.hash)) for row in rows]


def _number(value: object) -> int:
    # SQLite lets anything be written into a column of numbers; no chain ends there.
    return value if isinstance(value, int) else -1


def sealed_rows(db: Session) -> Iterator[SealedRow]:
    """Read the whole trail chain by chain, a few rows in memory at a time."""
    connection = db.connection()
    unindexed = ""
    if connection.dialect.name == "sqlite":
        # An index may tell another story than the table, in a file that was edited.
        unindexed = "NOT INDEXED"
    else:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    fields = ", ".join(stored_fields(connection))
    names = f"SELECT {fields} FROM audit_entry {unindexed}"  # noqa: S608  # names of our own
    with reading_any_text(connection):
        rows = connection.exec_driver_sql(
            f"{names} ORDER BY chain, seq, id", execution_options={"yield_per": _AT_ONCE}
        )
        for some in rows.partitions():
            yield from map(as_sealed, some)


def stored_fields(connection: Connection) -> list[str]:
    """Write how the fields of a row are asked for, so that they come as they are stored.

    A time comes as the text of its UTC moment, and never as one that another could pass for: on
    PostgreSQL it bears its era when that is not ours, and SQLite gives what is in the file.
    """
    at = (
        "at"
        if connection.dialect.name == "sqlite"
        else "replace(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US BC'), ' AD', '')"
    )
    return [at if one == "at" else f'"{one}"' for one in (*SEALED, "hash")]


def as_sealed(stored: Row[Any]) -> SealedRow:
    """Turn a row that was asked for by its stored fields into what its hash covers."""
    return (*stored[:_AT], sealed_time(stored[_AT]), *stored[_AT + 1 :])


_AT: Final = SEALED.index("at")


@contextmanager
def reading_any_text(connection: Connection) -> Iterator[None]:
    """Let a text of SQLite that is no UTF-8 be read, with a sign for each octet that is none."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, _any_text
    try:
        yield
    finally:
        driver.text_factory = before


def _any_text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


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
    heads: Iterable[tuple[str, int, str]] = ((h.chain, h.seq, h.hash) for h in witness.heads)
    _write(file, {"coop": witness.coop, "heads": list(heads)})


def _write(file: Path, told: dict[str, Any]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".witness-")  # made with mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(told, out)  # in ASCII: a forged name may hold what no file takes
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# By which name a database was known at its address


def addresses(url: URL) -> list[str]:
    """Write an address in its normal form, once for each host it names; no login is in it.

    Two hosts of one address are one database, whichever of them answers and however they are
    ordered.
    """
    if url.get_backend_name() == "sqlite":
        name = str(url.database)
        if name.startswith("file:"):  # SQLite's own way of writing it
            name = url2pathname(name.removeprefix("file:").removeprefix("//localhost"))
        return [f"sqlite {os.path.normcase(Path(name).resolve())}"]
    return [f"postgresql {host}/{url.database or ''}" for host in _hosts(url)]


def _hosts(url: URL) -> list[str]:
    named = _listed(url.host) or _listed(url.query.get("host")) or [""]
    ports = _listed(url.query.get("port")) or [str(url.port or _POSTGRESQL_PORT)]
    found = set()
    for place, host in enumerate(named):
        name, port = host, ports[place % len(ports)]
        if host.count(":") == 1 and not host.startswith("/"):
            name, _, port = host.partition(":")
        name = name if name.startswith("/") else name.lower().rstrip(".")
        found.add(f"{_SAME_MACHINE.get(name, name)}:{port or _POSTGRESQL_PORT}")
    return sorted(found)


def _listed(value: str | Sequence[str] | None) -> list[str]:
    several = [value] if isinstance(value, str) else list(value or ())
    return [one.strip() for part in several for one in part.split(",")] if several else []


_POSTGRESQL_PORT: Final = 5432
_SAME_MACHINE: Final = {"127.0.0.1": "localhost", "::1": "localhost", "[::1]": "localhost"}


def identity_file(folder: Path, address: str) -> Path:
    """Name the file in which a workstation keeps by which name it knew a database."""
    return folder / "identities" / f"{sha256(address.encode()).hexdigest()[:32]}.json"


def known_as(folder: Path, address: str) -> str | None:
    """Answer by which name this workstation knew the database at an address; raises BadWitness."""
    file = identity_file(folder, address)
    if not file.exists():
        return None
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["coop"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadWitness(
            f"The file {file}, in which this workstation keeps which database it knew, cannot be "
            "read. Find out who changed it; then: coop-console database accept-identity"
        ) from error


def know(folder: Path, address: str, coop: str) -> None:
    """Keep by which name the database at an address is known from now on."""
    _write(identity_file(folder, address), {"address": address, "coop": coop})
