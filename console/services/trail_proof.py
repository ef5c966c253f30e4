"""The audit trail proven whole: by itself, by its witnesses, and as the database known here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from console import settings
from console.domain import audit as seals
from console.domain.audit import Fault, Head, SealedRow
from console.domain.errors import ConsoleError
from console.models import witness
from console.models.audit import AuditEntry
from console.models.base import Records
from console.models.witness import BadWitness, Witness
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk
from console.services.trail import check_may_read
from console.services.trail_words import readable


class NotKept(ConsoleError):
    """What this workstation saw of the trail could not be written down."""


class Stopped(ConsoleError):
    """The look was broken off."""


@dataclass
class Progress:
    """How far a long look has come; whoever asked for it may watch it and stop it."""

    done: int = 0
    of: int = 0
    stopped: bool = False


@dataclass(frozen=True)
class Verdict:
    """What came of looking the whole trail through."""

    rows: int
    chains: int
    faults: tuple[Fault, ...]
    witnesses: int = 0
    """How many heads that were seen earlier it was compared with."""

    @property
    def words(self) -> str:
        """Say how the trail stands, and what to do next."""
        if not self.faults:
            every = "its one line is" if self.rows == 1 else f"all {self.rows:,} lines are"
            by = "one login" if self.chains == 1 else f"{self.chains:,} logins"
            seen = " Nothing that this workstation noted of it earlier has changed since."
            return (
                f"The trail is whole: {every} as written, by {by}; none was changed, added or "
                f"removed.{seen * bool(self.witnesses)}"
            )
        return (
            f"The trail was tampered with: {_count(len(self.faults), 'fault')} in "
            f"{_count(self.rows, 'line')}. Keep this database as "
            "it is, take a copy, and tell whoever is responsible for the co-op’s audit."
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)


def verify(desk: Desk, progress: Progress) -> Verdict:
    """Look the whole trail through, compare with what this workstation saw, and note it."""
    check_may_read(desk)
    verdict = look_through(desk.records, (), progress)
    with desk.records.begin() as db:
        audit.record(db, desk, Action.TRAIL_VERIFIED, rows=verdict.rows, faults=len(verdict.faults))
    return verdict


def look_through(
    records: Records, witness_files: Iterable[Path], progress: Progress | None = None
) -> Verdict:
    """Find every fault of the trail by itself, and against the witnesses there are."""
    counted = progress or Progress()
    others = [witness.read(file) for file in witness_files]
    with records.read() as db:
        names = witness.names_of(db)
        known = known_before(records)
        seen = _seen({*names, *known}, others)
        counted.of = db.scalar(select(func.count()).select_from(AuditEntry)) or 0
        heads = witness.heads_of(db)
        chains: set[str] = {head.chain for head in heads}
        rows = _counted(witness.sealed_rows(db), counted, chains)
        found = (*_of_identity(names, known), *seals.find_faults(rows, heads, seen))
    faults = tuple(Fault(readable(one.chain), one.seq, readable(one.why)) for one in found)
    return Verdict(counted.done, len(chains), faults, len(seen))


def remember(desk: Desk) -> None:
    """Keep on this workstation where each chain ends now; cheap enough for every few minutes."""
    remember_ends(desk.records)


def remember_ends(records: Records) -> Witness:
    """Keep on this workstation where each chain of a database ends now, and which database it is.

    A database that was another one here before is not taken for the right one by that.
    """
    with records.read() as db:
        file = _own_file(witness.coop_of(db))
        seen = witness.look(db, _own(file))
    with _noting():
        if seen != _own(file):
            witness.write(file, seen)
        for address in _pinned(records):
            if witness.known_as(_folder(), address) is None:
                witness.know(_folder(), address, seen.coop)
    return seen


def accept_identity(records: Records) -> tuple[str, tuple[str, ...]]:
    """Take a database for the right one at its address, whatever was there before.

    Answers what it is known by now, and by which names this workstation knew it before.
    """
    with records.read() as db:
        coop = witness.coop_of(db)
    before = []
    with _noting():
        for address in _pinned(records):
            try:
                before.append(witness.known_as(_folder(), address))
            except BadWitness:
                before.append("a name that cannot be read")
            witness.know(_folder(), address, coop)
    return coop, tuple(sorted({one for one in before if one is not None} - {coop}))


def known_before(records: Records) -> set[str]:
    """Answer by which names this workstation knew the database at this address, when it did."""
    known = {witness.known_as(_folder(), address) for address in _pinned(records)}
    return {one for one in known if one is not None}


def identity_faults(records: Records) -> tuple[Fault, ...]:
    """Say whether a database is another one than this workstation knew at its address."""
    with records.read() as db:
        return tuple(_of_identity(witness.names_of(db), known_before(records)))


def _of_identity(names: Sequence[str], known: Iterable[str]) -> Iterator[Fault]:
    if len(names) != 1:
        yield Fault("", 0, _NO_NAME if not names else _SEVERAL_NAMES)
    for before in sorted(known):
        if before not in names:
            yield Fault("", 0, f"{_ANOTHER} (it was {before}, and is {', '.join(names)})")


_NO_NAME: Final = "the database does not say any more which one it is: the row was removed"
_SEVERAL_NAMES: Final = "the database says twice which one it is: a row was added"
_ANOTHER: Final = "this database had another identity when this workstation last saw it"


def _pinned(records: Records) -> list[str]:
    """Write the address under which a database is known; the training co-op has none.

    That one begins afresh whenever somebody likes, and nothing in it is real.
    """
    found = witness.addresses(records.engine.url)
    training = witness.addresses(make_url(settings.training_database_url()))
    return [one for one in found if one not in training]


def _folder() -> Path:
    return settings.data_folder()


@contextmanager
def _noting() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotKept(
            f"This workstation could not note where the trail ends: {error.strerror}. Make room or "
            f"give yourself the right to write in {_folder()}."
        ) from error


def _seen(names: set[str], others: Iterable[Witness]) -> set[Head]:
    seen: set[Head] = set()
    for other in others:
        if other.coop not in names:
            raise BadWitness(
                "The witness file is of another co-op's database, or somebody gave this one "
                "another identity. Choose a file that was exported from this one; if this one "
                "was, have it looked into before anybody works on."
            )
        seen.update(other.heads)
    for name in names:
        own = _own(_own_file(name))
        seen |= set(own.heads if own else ())
    return seen


def _own_file(coop: str) -> Path:
    return witness.file_for(_folder(), coop)


def _own(file: Path) -> Witness | None:
    return witness.read(file) if file.exists() else None


def _counted(
    rows: Iterable[SealedRow], progress: Progress, chains: set[str]
) -> Iterator[SealedRow]:
    for row in rows:
        progress.done += 1
        if progress.stopped:
            raise Stopped("The look through the trail was stopped. Nothing was changed.")
        chains.add(str(row[0]))
        yield row
