"""The audit trail as an auditor reads it: page by page, in words, exported, and proven whole."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from console import settings
from console.domain import audit as seals
from console.domain.audit import BusyHour, Fault, Head, SealedRow
from console.domain.errors import ConsoleError
from console.domain.spreadsheets import safe_cell
from console.models import witness
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.base import Records
from console.models.members import Member
from console.models.staff import names_of_staff
from console.models.witness import BadWitness, Witness
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk

PAGE: Final = 200
UNUSUAL_IN_AN_HOUR: Final = 40
"""A call takes minutes: who opens more members than this in an hour is not answering calls."""
_LOOKED_BACK: Final = timedelta(hours=24)


class MayNotReadTrail(ConsoleError):
    """The audit trail is for those who watch over it."""


class NobodyLikeThat(ConsoleError):
    """No member or account bears the number that the trail was to be narrowed to."""


class NotKept(ConsoleError):
    """What this workstation saw of the trail could not be written down."""


class NotExported(ConsoleError):
    """The file could not be written."""


class Kind(StrEnum):
    """What the trail can be narrowed to, in the order offered."""

    EVERYTHING = "Everything"
    OPENED = "Members opened"
    CHANGED = "Rows changed"
    NAMES = "Names and contact details"
    REGISTRATION = "Registrations"
    CALLS = "Calls and callers"
    NOTES = "Notes and alerts"
    STAFF = "Staff and sign-ins"
    TRAIL = "This trail"


_BEGINS: Final = {
    Kind.NAMES: ("name:", "contact:"),
    Kind.REGISTRATION: ("registration", "verification", "password_rule", "attempt", "email"),
    Kind.CALLS: ("call:", "caller:"),
    Kind.NOTES: ("note:", "alert:"),
    Kind.STAFF: ("staff:",),
    Kind.TRAIL: ("trail:",),
}
ROW_ADDED, ROW_CHANGED, ROW_REMOVED = "row:added", "row:changed", "row:removed"


@dataclass(frozen=True)
class Asked:
    """What the trail is narrowed to."""

    staff: str = ""
    number: str = ""
    """A member's or an account's number."""
    kind: Kind = Kind.EVERYTHING
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Difference:
    """One column of a row that changed."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class TrailRow:
    """One line of the trail, in words."""

    id: int
    at: datetime
    login: str
    who: str
    where: str
    what: str
    about: str
    """Whom or what it concerns."""
    detail: str
    differences: tuple[Difference, ...]
    seq: int


@dataclass(frozen=True)
class TrailPage:
    """A page of the trail, the newest line first."""

    rows: tuple[TrailRow, ...]
    more: bool


@dataclass(frozen=True)
class Unusual:
    """Somebody opened more members in an hour than answering calls explains."""

    login: str
    who: str
    begins: datetime
    members: int


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
            seen = f" and with the {self.witnesses:,} ends seen here before" * bool(self.witnesses)
            return (
                f"The trail is whole: {_count(self.rows, 'line')} in "
                f"{_count(self.chains, 'chain')} agree with their seals{seen}."
            )
        return (
            f"The trail was tampered with: {_count(len(self.faults), 'fault')} in "
            f"{_count(self.rows, 'line')}. Keep this database as "
            "it is, take a copy, and tell whoever is responsible for the co-op’s audit."
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)


class Stopped(ConsoleError):
    """The look was broken off."""


# Reading


def may_read(desk: Desk) -> bool:
    """Tell whether this colleague watches over the others."""
    return desk.colleague.role.watches_over


def people(desk: Desk) -> tuple[tuple[str, str], ...]:
    """List the login and name of everybody who may be on the trail."""
    _check(desk)
    with desk.records.read() as db:
        return tuple(sorted(names_of_staff(db).items(), key=lambda one: one[1]))


def page(desk: Desk, asked: Asked, after: tuple[datetime, int] | None = None) -> TrailPage:
    """Read a page of the trail, from the newest line on or from below a line read before."""
    _check(desk)
    with desk.records.read() as db:
        entries = _entries(db, asked, after, PAGE + 1)
        return TrailPage(_in_words(db, entries[:PAGE]), len(entries) > PAGE)


def unusual(desk: Desk) -> tuple[Unusual, ...]:
    """Find who opened an unusual number of members in an hour since yesterday."""
    _check(desk)
    since = desk.now() - _LOOKED_BACK
    asked = (
        select(AuditEntry.staff, AuditEntry.at, AuditEntry.member_id)
        .where(AuditEntry.action == Action.MEMBER_OPENED, AuditEntry.at >= since)
        .order_by(AuditEntry.at)
    )
    with desk.records.read() as db:
        opened = ((r.staff, r.at, r.member_id) for r in db.execute(asked) if r.member_id)
        hours: Sequence[BusyHour] = seals.busiest_hours(opened, UNUSUAL_IN_AN_HOUR)
        names = names_of_staff(db)
    return tuple(
        Unusual(hour.staff, names.get(hour.staff, hour.staff), hour.begins, hour.members)
        for hour in hours
    )


def export(desk: Desk, asked: Asked, file: Path) -> int:
    """Write what the trail is narrowed to into a CSV file, and that it was taken out."""
    _check(desk)
    try:
        with (
            tempfile.NamedTemporaryFile(
                "w", encoding="utf-8-sig", newline="", dir=file.parent, delete=False
            ) as out,
        ):
            written = Path(out.name)
            many = _write_csv(desk, asked, csv.writer(out))
        with desk.records.begin() as db:
            audit.record(db, desk, Action.TRAIL_EXPORTED, lines=many, narrowed_to=_in_short(asked))
        written.replace(file)
    except OSError as error:
        raise NotExported(
            f"The trail could not be written to {file}: {error.strerror}. Choose another folder."
        ) from error
    return many


# Proving


def verify(desk: Desk, progress: Progress) -> Verdict:
    """Look the whole trail through, compare with what this workstation saw, and note it."""
    _check(desk)
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
        coop = witness.coop_of(db)
        seen = _seen(coop, others)
        counted.of = db.scalar(select(func.count()).select_from(AuditEntry)) or 0
        heads = witness.heads_of(db)
        chains: set[str] = {head.chain for head in heads}
        rows = _counted(witness.sealed_rows(db), counted, chains)
        faults = tuple(seals.find_faults(rows, heads, seen))
    return Verdict(counted.done, len(chains), faults, len(seen))


def remember(desk: Desk) -> None:
    """Keep on this workstation where each chain ends now; cheap enough for every few minutes."""
    remember_ends(desk.records)


def remember_ends(records: Records) -> Witness:
    """Keep on this workstation where each chain of a database ends now."""
    with records.read() as db:
        file = _own_file(witness.coop_of(db))
        seen = witness.look(db, _own(file))
    if seen != _own(file):
        try:
            witness.write(file, seen)
        except OSError as error:
            raise NotKept(
                f"This workstation could not note where the trail ends: {error.strerror}. Make "
                f"room or give yourself the right to write in {file.parent}."
            ) from error
    return seen


def _seen(coop: str, others: Iterable[Witness]) -> set[Head]:
    seen: set[Head] = set()
    for other in others:
        if other.coop != coop:
            raise BadWitness(
                "The witness file is of another co-op's database. Choose one that was exported "
                "from this one."
            )
        seen.update(other.heads)
    own = _own(_own_file(coop))
    return seen | set(own.heads if own else ())


def _own_file(coop: str) -> Path:
    return witness.file_for(settings.data_folder(), coop)


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


# Asking the database


def _check(desk: Desk) -> None:
    if not may_read(desk):
        raise MayNotReadTrail(
            "The audit trail is read by auditors, supervisors and administrators. Ask one of them."
        )


def _entries(
    db: Session, asked: Asked, after: tuple[datetime, int] | None, many: int
) -> list[AuditEntry]:
    whole = _narrowed(db, asked)
    if after is not None:
        whole = whole.where(tuple_(AuditEntry.at, AuditEntry.id) < after)
    whole = whole.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(many)
    actions = _actions_of(asked.kind)
    if actions is None:
        return list(db.scalars(whole))
    # One short walk along the index for each act is quick however rare it is; all at once is not.
    found = [
        entry for one in actions for entry in db.scalars(whole.where(AuditEntry.action == one))
    ]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:many]


def _narrowed(db: Session, asked: Asked) -> Select[AuditEntry]:
    chosen = select(AuditEntry)
    if asked.staff:
        chosen = chosen.where(AuditEntry.staff == asked.staff)
    if asked.number.strip():
        chosen = chosen.where(AuditEntry.member_id == _member_with(db, asked.number))
    if asked.since is not None:
        chosen = chosen.where(AuditEntry.at >= asked.since)
    if asked.until is not None:
        chosen = chosen.where(AuditEntry.at < asked.until)
    return chosen


def _member_with(db: Session, number: str) -> int:
    plain = number.strip().upper()
    digits = "".join(letter for letter in plain if letter.isdigit())
    found = db.scalar(select(Member.id).where(Member.number == plain))
    if found is None and digits:
        found = db.scalar(select(Account.member_id).where(Account.number == digits))
    if found is None:
        raise NobodyLikeThat(
            f"No member and no account has the number “{number.strip()}”. Type it as it stands on "
            "the bill or in the member’s head."
        )
    return found


def _actions_of(kind: Kind) -> tuple[str, ...] | None:
    if kind is Kind.EVERYTHING:
        return None
    if kind is Kind.OPENED:
        return (Action.MEMBER_OPENED,)
    if kind is Kind.CHANGED:
        return (ROW_ADDED, ROW_CHANGED, ROW_REMOVED)
    return tuple(action for action in Action if action.startswith(_BEGINS[kind]))


# In words

_WORDS: Final = {
    Action.STAFF_SIGNED_IN: "Signed in",
    Action.STAFF_REFUSED: "Was refused at sign-in",
    Action.STAFF_SIGNED_OUT: "Signed out",
    Action.MEMBER_OPENED: "Opened the member",
    Action.CONTACT_SHOWN: "Uncovered the contact details to change them",
    Action.CONTACT_CHANGED: "Changed the contact details",
    Action.CONTACT_CHANGE_UNDONE: "Undid a change of the contact details",
    Action.OLD_CONTACT_TOLD: "Told the old address of a change",
    Action.OLD_CONTACT_NOT_TOLD: "Could not tell the old address of a change",
    Action.TRAIL_EXPORTED: "Took this trail out as a file",
    Action.TRAIL_VERIFIED: "Had this trail verified",
}
_ROW_WORDS: Final = {ROW_ADDED: "Added", ROW_CHANGED: "Changed", ROW_REMOVED: "Removed"}
_TABLES: Final = {
    "name_correction": "name correction",
    "former_name": "former name",
    "former_address": "former address",
    "contact_change": "contact change",
}


def _in_words(db: Session, entries: Sequence[AuditEntry]) -> tuple[TrailRow, ...]:
    names = names_of_staff(db)
    ids = {entry.member_id for entry in entries if entry.member_id is not None}
    asked = select(Member.id, Member.number, Member.given_names, Member.name)
    members = {
        row.id: f"{row.given_names} {row.name}".strip() + f", {row.number}"
        for row in db.execute(asked.where(Member.id.in_(ids)))
    }
    return tuple(
        TrailRow(
            entry.id,
            entry.at,
            entry.staff,
            names.get(entry.staff, entry.staff) or "The database’s owner",
            entry.workstation,
            _what(entry),
            _about(entry, members),
            _detail(entry),
            differences(entry.before, entry.after),
            entry.seq,
        )
        for entry in entries
    )


def _what(entry: AuditEntry) -> str:
    done = _ROW_WORDS.get(entry.action)
    if done is not None:
        table = _TABLES.get(entry.subject, _spaced(entry.subject))
        columns = [one.column for one in differences(entry.before, entry.after)]
        if entry.action == ROW_CHANGED and columns:
            return f"{done} {', '.join(columns)} of the {table}"
        return f"{done} a row of {table}"
    known = {action.value: words for action, words in _WORDS.items()}.get(entry.action)
    if known is not None:
        return known
    subject, _, verb = entry.action.partition(":")
    return f"{_spaced(subject)}: {_spaced(verb)}".capitalize()


def _about(entry: AuditEntry, members: dict[int, str]) -> str:
    parts = []
    if entry.member_id is not None:
        parts.append(members.get(entry.member_id, f"member {entry.member_id}"))
    if entry.account_number:
        parts.append(f"account {entry.account_number}")
    if not parts and entry.subject:
        parts.append(f"{_spaced(entry.subject)} {entry.row_key}")
    return ", ".join(parts)


def _detail(entry: AuditEntry) -> str:
    told = _object(entry.detail)
    return ", ".join(f"{_spaced(key)}: {_value(value)}" for key, value in told.items())


def differences(before: str | None, after: str | None) -> tuple[Difference, ...]:
    """Lay what a row said before beside what it says now."""
    was, now = _object(before), _object(after)
    return tuple(
        Difference(_spaced(column), _value(was.get(column)), _value(now.get(column)))
        for column in sorted({*was, *now})
    )


def _object(told: str | None) -> dict[str, Any]:
    # A row that was tampered with is shown as well as it can be.
    try:
        read = json.loads(told or "{}")
    except ValueError:
        return {"unreadable": told}
    return read if isinstance(read, dict) else {"unreadable": told}


def _value(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _spaced(word: str) -> str:
    return word.replace("_", " ")


# The file

_HEADINGS: Final = ("when", "login", "who", "where", "what", "about", "detail", "before", "after")


@dataclass
class _Writer:
    """Counts the lines that a CSV file takes."""

    out: Any
    lines: int = field(default=0)

    def write(self, cells: Iterable[object]) -> None:
        self.out.writerow([safe_cell(cell) for cell in cells])
        self.lines += 1


def _write_csv(desk: Desk, asked: Asked, out: Any) -> int:
    writer = _Writer(out)
    out.writerow(_HEADINGS)
    after: tuple[datetime, int] | None = None
    # What is added while the file is written does not belong to it.
    asked = replace(asked, until=asked.until or desk.now() + timedelta(seconds=1))
    while True:
        part = page(desk, asked, after)
        for row in part.rows:
            before = "; ".join(f"{d.column}: {d.before}" for d in row.differences)
            changed = "; ".join(f"{d.column}: {d.after}" for d in row.differences)
            writer.write(
                (
                    row.at.isoformat(), row.login, row.who, row.where, row.what, row.about,
                    row.detail, before, changed,
                )
            )  # fmt: skip
        if not part.more:
            return writer.lines
        after = (part.rows[-1].at, part.rows[-1].id)


def _in_short(asked: Asked) -> str:
    told = (asked.staff, asked.number, asked.kind.value, asked.since, asked.until)
    return ", ".join(str(one) for one in told if one)
