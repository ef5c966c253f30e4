"""The audit trail as an auditor reads it: page by page, in words, exported, and proven whole."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    Text,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from console import settings
from console.domain import audit as seals
from console.domain import times
from console.domain.audit import SEALED, BusyHour, Fault, Head, SealedRow
from console.domain.calls import Fact, Reason, Result
from console.domain.contact import FIELD_WORDS, shown
from console.domain.contact import Asked as OnWhoseWord
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.domain.members import AlertKind, HolderRole, MayAct
from console.domain.money import Money
from console.domain.registration import Outcome, Proof
from console.domain.spreadsheets import safe_cell
from console.domain.staff import Role
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
MOST_COLUMNS_NAMED: Final = 3
"""How many columns of a change its title names."""
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
    CHANGED = "Changes to records"
    NAMES = "Names and contact details"
    REGISTRATION = "Registrations"
    CALLS = "Calls and callers"
    NOTES = "Notes and alerts"
    STAFF = "Staff and sign-ins"
    TRAIL = "This trail"


_BEGINS: Final = {
    Kind.NAMES: ("name:", "contact:"),
    Kind.REGISTRATION: (
        "registration",
        "verification",
        "password_rule",
        "attempt",
        "email",
        "errand:",
    ),
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
    act: str = ""
    """One act of that kind; every act of it when none is named."""
    since: datetime | None = None
    until: datetime | None = None
    newest: int | None = None
    """The number of the last line that counts; every line when there is none."""


@dataclass(frozen=True)
class Place:
    """Where on the trail a line stands, to read on below it."""

    at: str | None
    """The time as it is stored; nothing for a line that stands outside of time."""
    id: int


@dataclass(frozen=True)
class Difference:
    """One column of a row that changed, in words."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Raw:
    """What the database holds of a line, as it stands there; for the exported file."""

    action: str
    subject: str
    row_key: str
    call_id: str
    detail: str
    before: str
    after: str


@dataclass(frozen=True)
class TrailRow:
    """One line of the trail, in words."""

    id: int
    at: datetime | None
    """Nothing when the time that is stored there is none that a console wrote."""
    login: str
    who: str
    where: str
    what: str
    about: str
    """Whom or what it concerns."""
    about_more: str
    """Their number and account."""
    detail: str
    differences: tuple[Difference, ...]
    seq: int
    place: Place
    raw: Raw
    damage: str = ""
    """Why this line by itself is not as it was written; empty when it is."""

    @property
    def whom(self) -> str:
        """Whom or what it concerns, with number and account."""
        return ", ".join(part for part in (self.about, self.about_more) if part)


@dataclass(frozen=True)
class TrailPage:
    """A page of the trail, the newest line first.

    Before them come the lines whose time was tampered with so that no time of ours finds them.
    """

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


def page(desk: Desk, asked: Asked, after: Place | None = None) -> TrailPage:
    """Read a page of the trail, from the newest line on or from below a line read before."""
    _check(desk)
    with desk.records.read() as db:
        lines = _lines(db, asked, after, PAGE + 1)
        return TrailPage(_in_words(db, desk, lines[:PAGE]), len(lines) > PAGE)


def unusual(desk: Desk) -> tuple[Unusual, ...]:
    """Find who opened an unusual number of members in an hour since yesterday."""
    _check(desk)
    with desk.records.read() as db:
        opened = _opened(db, desk.now() - _LOOKED_BACK)
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
        names = witness.names_of(db)
        known = known_before(records)
        seen = _seen({*names, *known}, others)
        counted.of = db.scalar(select(func.count()).select_from(AuditEntry)) or 0
        heads = witness.heads_of(db)
        chains: set[str] = {head.chain for head in heads}
        rows = _counted(witness.sealed_rows(db), counted, chains)
        found = (*_of_identity(names, known), *seals.find_faults(rows, heads, seen))
    faults = tuple(Fault(_readable(one.chain), one.seq, _readable(one.why)) for one in found)
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


# Asking the database


def _check(desk: Desk) -> None:
    if not may_read(desk):
        raise MayNotReadTrail(
            "The audit trail is read by auditors, supervisors and administrators. Ask one of them."
        )


@dataclass(frozen=True)
class _Line:
    """One row of the trail as well as it can be read, whatever was done to it."""

    place: Place
    at: datetime | None
    id: int
    staff: str
    workstation: str
    action: str
    subject: str
    row_key: str
    member_id: int | None
    account_number: str
    call_id: str
    detail: str
    before: str
    after: str
    seq: int
    damage: str


_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_IN_TIME: Final = AuditEntry.at.between(_FIRST, _LAST)
_OUT_OF_TIME: Final = or_(AuditEntry.at < _FIRST, AuditEntry.at > _LAST, AuditEntry.at.is_(None))
"""Times before our era, infinity, and what SQLite sorts before or after every time of ours."""


def _lines(db: Session, asked: Asked, after: Place | None, many: int) -> list[_Line]:
    """Read on below a place: first what stands outside of time, then the newest line on."""
    whole = _narrowed(db, asked)
    actions = _actions_of(asked)
    found: list[_Line] = []
    if after is None or after.at is None:
        lost = whole if actions is None else whole.where(AuditEntry.action.in_(actions))
        lost = lost.where(_OUT_OF_TIME).order_by(AuditEntry.id.desc()).limit(many)
        if after is not None:
            lost = lost.where(AuditEntry.id < after.id)
        found = _select(db, lost, in_time=False)
        after = None
    whole = whole.where(_IN_TIME, *_between(asked))
    if after is not None:
        whole = whole.where(tuple_(AuditEntry.at, AuditEntry.id) < _sorted_as(db, after))
    whole = whole.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(many - len(found))
    if len(found) == many:
        return found
    if actions is None:
        return found + _select(db, whole)
    # One short walk along the index for each act is quick however rare it is; all at once is not.
    several = [
        line for one in actions for line in _select(db, whole.where(AuditEntry.action == one))
    ]
    several.sort(key=lambda line: (line.place.at or "", line.id), reverse=True)
    return [*found, *several][:many]


def _select(db: Session, asked: Select[Any], *, in_time: bool = True) -> list[_Line]:
    connection = db.connection()
    fields: list[ColumnElement[Any]] = [
        literal_column(one) for one in witness.stored_fields(connection)
    ]
    with witness.reading_any_text(connection):
        rows = db.execute(asked.with_only_columns(*fields)).all()
    return [_line(row, in_time) for row in rows]


def _line(stored: Row[Any], in_time: bool) -> _Line:
    row = witness.as_sealed(stored)
    told = dict(zip(SEALED, row, strict=False))
    key, seq, member_id = (_number(told[one]) for one in ("id", "seq", "member_id"))
    return _Line(
        place=Place(str(stored[SEALED.index("at")]) if in_time else None, key or 0),
        at=seals.moment_of(told["at"]),
        id=key or 0,
        member_id=member_id,
        seq=seq or 0,
        damage=seals.wrong_with(row),
        **{one: _readable(told[one]) for one in _TEXTS},
    )


_TEXTS: Final = (
    "staff", "workstation", "action", "subject", "row_key", "account_number", "call_id", "detail",
    "before", "after",
)  # fmt: skip


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _readable(value: object) -> str:
    """Write what is stored in a field of text so that it can be shown, whatever it is."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _sorted_as(db: Session, place: Place) -> Any:
    stored = str(place.at)
    if db.get_bind().dialect.name != "sqlite":
        return datetime.fromisoformat(stored).replace(tzinfo=UTC), place.id
    # What was written there need not be a time, nor even be text that a driver would take.
    octets = literal(stored.encode("utf-8", "surrogateescape"), LargeBinary)
    return tuple_(cast(octets, Text), literal(place.id))


def _opened(db: Session, since: datetime) -> list[tuple[str, datetime, int]]:
    """List who opened which member and when, oldest first; a damaged time is none."""
    connection = db.connection()
    fields = dict(zip(SEALED, witness.stored_fields(connection), strict=False))
    wanted: list[ColumnElement[Any]] = [
        literal_column(fields[one]) for one in ("staff", "at", "member_id")
    ]
    asked: Select[Any] = (
        select(*wanted)
        .select_from(AuditEntry)
        .where(AuditEntry.action == Action.MEMBER_OPENED, AuditEntry.at.between(since, _LAST))
        .order_by(AuditEntry.at)
    )
    with witness.reading_any_text(connection):
        rows = db.execute(asked).all()
    read = [(_readable(row[0]), seals.moment_of(seals.sealed_time(row[1])), row[2]) for row in rows]
    return [(who, at, one) for who, at, one in read if at is not None and isinstance(one, int)]


def _narrowed(db: Session, asked: Asked) -> Select[Any]:
    chosen = select(AuditEntry.id).select_from(AuditEntry)
    if asked.staff:
        chosen = chosen.where(AuditEntry.staff == asked.staff)
    if asked.newest is not None:
        chosen = chosen.where(AuditEntry.id <= asked.newest)
    if asked.number.strip():
        chosen = chosen.where(AuditEntry.member_id == _member_with(db, asked.number))
    return chosen


def _between(asked: Asked) -> list[ColumnElement[bool]]:
    wanted = []
    if asked.since is not None:
        wanted.append(AuditEntry.at >= asked.since)
    if asked.until is not None:
        wanted.append(AuditEntry.at < asked.until)
    return wanted


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


def _actions_of(asked: Asked) -> tuple[str, ...] | None:
    if asked.act:
        return (asked.act,)
    return None if asked.kind is Kind.EVERYTHING else _ACTS[asked.kind]


_ACTS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.OPENED: (Action.MEMBER_OPENED,),
    Kind.CHANGED: (ROW_ADDED, ROW_CHANGED, ROW_REMOVED),
    **{
        kind: tuple(action for action in Action if action.startswith(begins))
        for kind, begins in _BEGINS.items()
    },
}


def acts(kind: Kind) -> tuple[tuple[str, str], ...]:
    """List the single acts of a kind, each with its words, in the order of the words."""
    every = (*Action, ROW_ADDED, ROW_CHANGED, ROW_REMOVED)
    chosen = every if kind is Kind.EVERYTHING else _ACTS[kind]
    return tuple(sorted(((act, _act_in_words(act)) for act in chosen), key=lambda one: one[1]))


# In words

_WORDS: Final = {
    Action.STAFF_SIGNED_IN: "Signed in",
    Action.STAFF_REFUSED: "Was refused at sign-in",
    Action.STAFF_ENROLLED: "Took a colleague on",
    Action.STAFF_ROLE_CHANGED: "Gave a colleague another role",
    Action.STAFF_RENAMED: "Corrected a colleague’s name",
    Action.STAFF_PASSWORD_GIVEN: "Gave a colleague a new password",
    Action.STAFF_PASSWORD_CHANGED: "Changed their own password",
    Action.STAFF_DISMISSED: "Dismissed a colleague",
    Action.STAFF_SIGNED_OUT: "Signed out",
    Action.MEMBER_OPENED: "Opened the member",
    Action.CONTACT_SHOWN: "Uncovered the contact details to change them",
    Action.CONTACT_CHANGED: "Changed the contact details",
    Action.CONTACT_CHANGE_UNDONE: "Undid a change of the contact details",
    Action.OLD_CONTACT_TOLD: "The member was told of the change by e-mail",
    Action.OLD_CONTACT_NOT_TOLD: "The member could not be told of the change by e-mail",
    Action.NAME_READ_OUT: "Read out the name on file",
    Action.NAME_CORRECTED: "Corrected the name",
    Action.NAME_CORRECTION_UNDONE: "Undid a correction of the name",
    Action.NAME_APPROVAL_GIVEN: "Approved another person’s name",
    Action.NAME_APPROVAL_REFUSED: "Asked somebody for approval who may not give it",
    Action.NAME_PUBLISHED: "The corrected name reached the portal",
    Action.NAME_NOT_PUBLISHED: "The corrected name did not reach the portal",
    Action.REGISTRATION_CHECKED: "Tried a name and number at the portal",
    Action.REGISTRATION_ASSIGNED: "Changed who looks after the registration",
    Action.EMAIL_RESEND_ASKED: "Asked for the verify-account e-mail once more",
    Action.EMAIL_RESENT: "The verify-account e-mail was sent again",
    Action.EMAIL_NOT_RESENT: "The verify-account e-mail could not be sent again",
    Action.EMAIL_CORRECTION_ASKED: "Asked the portal to correct an e-mail address",
    Action.EMAIL_CORRECTED: "The portal corrected an e-mail address",
    Action.EMAIL_NOT_CORRECTED: "The portal did not correct an e-mail address",
    Action.PASSWORD_RULE_READ_OUT: "Read out the password rule",
    Action.CALL_BEGUN: "Began a call",
    Action.CALL_TURNED: "Turned the call to another member",
    Action.CALLER_VERIFIED: "Verified the caller",
    Action.CALLER_NOT_VERIFIED: "Took the caller’s verification back",
    Action.CALL_WRAPPED_UP: "Wrapped up the call",
    Action.ERRAND_NOT_UNDERSTOOD: "An errand could not be understood and was given up",
    Action.NOTE_WRITTEN: "Wrote a note",
    Action.NOTE_REMOVED: "Removed a note",
    Action.NOTE_RESTORED: "Brought a note back",
    Action.ALERT_RAISED: "Raised an alert",
    Action.ALERT_CLEARED: "Cleared an alert",
    Action.ALERT_RESTORED: "Brought an alert back",
    Action.TRAIL_EXPORTED: "Took this trail out as a file",
    Action.TRAIL_VERIFIED: "Had this trail verified",
}
_ROW_WORDS: Final = {ROW_ADDED: "Added", ROW_CHANGED: "Changed", ROW_REMOVED: "Removed"}
_TABLES: Final = {
    "holder": "person on the account",
    "former_name": "former name",
    "former_address": "former address",
    "name_correction": "name correction",
    "contact_change": "change of contact details",
    "staff": "colleague",
    "errand": "errand for the courier",
}
_COLUMNS: Final = {
    "name_before": "Name before",
    "given_names_before": "First names before",
    "name_after": "Name after",
    "given_names_after": "First names after",
    "before": "Details before",
    "after": "Details after",
    "name": "Name",
    "given_names": "First names",
    **FIELD_WORDS,
    "is_business": "Is a business",
    "identity_last_four": "Last four of the identity number",
    "role": "Role",
    "may_act": "What they may do",
    "password_hash": "Password",
    "dismissed": "Dismissed",
    "line": "Address",
    "city": "City",
    "kind": "Kind",
    "state": "State",
    "text": "Text",
    "note": "Note",
    "proof": "Proof",
    "proof_note": "Note on the proof",
    "asked": "On whose word",
    "looks_like_other_person": "Looks like another person",
    "approved_by": "Approved by",
    "told": "Told of it at",
    "facts": "What the caller could tell",
    "verified_at": "Caller verified",
    "reason": "Why they called",
    "result": "How it ended",
    "member_began": "The member called us",
    "began_at": "Began",
    "ended_at": "Ended",
    "balance": "Balance",
    "due_on": "Due",
    "service_line": "Service address",
    "service_city": "Service city",
    "service_state": "Service state",
    "service_zip": "Service ZIP",
    "answer": "Answer",
    "until": "Until",
}
"""What the columns are called, in the order in which they are told."""
_BOOKKEEPING: Final = {
    "staff": "Colleague",
    "login": "Login",
    "asked_by": "Asked for by",
    "asked_at": "Asked for",
    "member_id": "Member",
    "account_number": "Account",
    "correction_id": "Number of the correction",
    "id": "Number in the file",
    "payload": "What goes out",
    "tries": "Tries",
    "next_try_at": "Next try",
    "leased_by": "Carried by",
    "leased_until": "Carried until",
    "finished_at": "Finished",
    "version": "Version",
    "portal_version": "Version at the portal",
}
"""What is told last: who and when, which the line says anyway, and what only machines need."""
_SHARES_A_TABLE: Final = {"name": "name_correction", "contact": "contact_change"}
_IN_WORDS: Final[dict[tuple[str, str], Callable[[str], str]]] = {
    ("name_correction", "proof"): lambda told: Proof(told).words,
    ("contact_change", "asked"): lambda told: OnWhoseWord(told).words,
    ("contact_change", "changed"): lambda told: FIELD_WORDS.get(told, _spaced(told)),
    ("call", "reason"): lambda told: Reason(told).words,
    ("call", "result"): lambda told: Result(told).words,
    ("call", "facts"): lambda told: Fact(told).words,
    ("caller", "facts"): lambda told: Fact(told).words,
    ("alert", "kind"): lambda told: AlertKind(told).words,
    ("errand", "kind"): lambda told: ErrandKind(told).words,
    ("errand", "state"): lambda told: ErrandState(told).words,
    ("holder", "role"): lambda told: HolderRole(told).words,
    ("holder", "may_act"): lambda told: MayAct(told).words,
    ("staff", "role"): lambda told: Role(told).words,
    ("staff", "wanted"): lambda told: _WANTED.get(told) or _act_in_words(told),
    ("registration", "reason"): lambda told: _REFUSALS[Outcome(told)],
}
_WANTED: Final[dict[str, str]] = {
    Action.STAFF_SIGNED_IN: "To sign in",
    Action.STAFF_PASSWORD_CHANGED: "To change their own password",
    Action.NAME_APPROVAL_GIVEN: "To approve another person’s name",
}
_REFUSALS: Final[dict[Outcome, str]] = {
    Outcome.REGISTERED: "Nothing",
    Outcome.NAME_MISMATCH: "The name does not fit the account",
    Outcome.ACCOUNT_NOT_FOUND: "There is no such account",
    Outcome.ALREADY_REGISTERED: "The account is registered already",
    Outcome.LOCKED: "The account is locked after too many tries",
}
_DETAILS: Final = {
    "asked": "on whose word",
    "asked_by": "asked for by",
    "approved_by": "approved by",
    "facts": "the caller could tell",
    "login": "colleague",
    "wanted": "wanted",
    "narrowed_to": "only",
    "rows": "lines looked through",
    "faults": "faults found",
    "email": "to",
    "told": "told of it",
    "before": "before",
    "after": "now",
}
_DETAILS_OF: Final = {
    ("name", "before"): "name before",
    ("name", "after"): "name now",
    ("verification_email", "before"): "address before",
    ("verification_email", "after"): "address now",
    ("registration", "before"): "before",
    ("registration", "reason"): "what is in the way",
    ("call", "before"): "before that about",
    ("call", "reason"): "why they called",
    ("call", "result"): "how it ended",
}
_PLAINLY: Final = {
    ("passes", True): "it would pass",
    ("passes", False): "it would be refused",
    ("verified", True): "the caller was verified",
    ("verified", False): "the caller was not verified",
    ("member_began", True): "the member called us",
    ("member_began", False): "we called the member",
    ("training", True): "for training",
    ("training", False): "",
}
_KEYS: Final = frozenset({"errand", "correction", "change", "undo", "registration"})
"""What only leads to another row; the exported file has it."""
_HOLDS_SEVERAL: Final = frozenset(
    {("contact_change", "before"), ("contact_change", "after"), ("errand", "payload")}
)
_PEOPLE: Final = frozenset({"staff", "login", "assigned_to"})
_MONEY: Final = frozenset({"balance", "past_due", "last_bill", "last_payment"})
_YES_OR_NO: Final = frozenset(
    {"is_business", "looks_like_other_person", "dismissed", "member_began", "autopay", "paperless"}
)
NOTHING: Final = "nothing"
"""Stands on the side of a change where nothing stood."""


def to_the_second(moment: datetime, now: datetime, zone: str) -> str:
    """Say a moment as staff do, and its seconds: “today 10:42:07”."""
    return f"{times.when(moment, now, zone)}:{moment.second:02}"


@dataclass(frozen=True)
class _Teller:
    """Says what is stored as a colleague would, in the co-op's own time."""

    staff: dict[str, str]
    members: dict[int, tuple[str, str]]
    """The name and the number behind each member's id."""
    now: datetime
    zone: str

    def row(self, line: _Line) -> TrailRow:
        about, about_more = self._about(line)
        return TrailRow(
            line.id,
            line.at,
            line.staff,
            self.staff.get(line.staff, line.staff) or "The database’s owner",
            line.workstation,
            _what(line),
            about,
            about_more,
            self._detail(line),
            self._differences(line),
            line.seq,
            line.place,
            Raw(
                line.action, line.subject, line.row_key, line.call_id, line.detail, line.before,
                line.after,
            ),
            line.damage,
        )  # fmt: skip

    def _about(self, line: _Line) -> tuple[str, str]:
        more = [f"account {line.account_number}"] if line.account_number else []
        if line.member_id is not None:
            name, number = self.members.get(line.member_id, (f"member {line.member_id}", ""))
            return name, ", ".join([number, *more] if number else more)
        if more or not line.subject:
            return "".join(more), ""
        if line.subject == "staff":
            return self.staff.get(line.row_key, line.row_key), line.row_key
        return _table(line.subject), ""

    def _differences(self, line: _Line) -> tuple[Difference, ...]:
        was, now = _object(line.before), _object(line.after)
        said = (
            (column, *(self._value(line.subject, column, side.get(column)) for side in (was, now)))
            for column in sorted({*was, *now}, key=_rank)
        )
        return tuple(
            Difference(_column(column), before or NOTHING, after or NOTHING)
            for column, before, after in said
            if before or after
        )

    def _detail(self, line: _Line) -> str:
        of, _, _ = line.action.partition(":")
        parts = (self._part(of, key, told) for key, told in _object(line.detail).items())
        return _begun("; ".join(part for part in parts if part))

    def _part(self, of: str, key: str, told: object) -> str:
        if key in _KEYS or (of == "note" and key == "note") or (key == "tries" and told in (0, 1)):
            return ""
        if isinstance(told, bool) and (key, told) in _PLAINLY:
            return _PLAINLY[key, told]
        if (of, key) == ("call", "before"):
            said = self._value(of, "member_id", told)
        elif of == "registration" and key in ("before", "after"):
            said = self._value(of, "assigned_to", told) or "nobody"
        elif key == "narrowed_to" and isinstance(told, str):
            said = self._narrowed_to(told)
        else:
            said = self._value(_SHARES_A_TABLE.get(of, of), key, told, within=True)
        if key == "answer":
            return said.removesuffix(".")  # a sentence already
        label = _DETAILS_OF.get((of, key)) or _DETAILS.get(key, _spaced(key))
        return f"{label}: {said}" if said else ""

    def _value(self, of: str, column: str, told: object, *, within: bool = False) -> str:
        """Say one value, beginning with a small letter within a sentence; nothing when empty."""
        if told is None:
            return ""
        if isinstance(told, list):
            between = " " if of == "name_correction" else ", "  # first names and name
            each = (self._value(of, column, one, within=within) for one in told)
            return between.join(one for one in each if one)
        if isinstance(told, dict):
            each = (
                f"{_column(key)}: {said}"
                for key, one in told.items()
                if (said := self._value(of, str(key), one))
            )
            return "; ".join(each)
        if column in _YES_OR_NO and told in (0, 1):
            return "yes" if told else "no"
        if isinstance(told, bool):
            return "yes" if told else "no"
        if isinstance(told, int):
            return self._number(column, told)
        return self._text(of, column, str(told), within)

    def _number(self, column: str, told: int) -> str:
        if column == "member_id" and told in self.members:
            return ", ".join(self.members[told])
        if column in _MONEY:
            return str(Money(told))
        return str(told) if column.endswith("id") else f"{told:,}"

    def _text(self, of: str, column: str, told: str, within: bool) -> str:
        if (of, column) in _HOLDS_SEVERAL and told[:1] == "{":
            return self._value(of, column, _object(told))
        if (of, column) == ("call", "facts"):
            return ", ".join(self._word(of, column, one, within) for one in told.split(","))
        if (column in _PEOPLE and (within or column != "login")) or column.endswith("_by"):
            return self.staff.get(told, told)
        if column in ("phone", "second_phone"):
            return shown(column, told)
        if column.endswith(("_at", "_on", "_until")) or column in ("since", "until"):
            return self._moment(told)
        return self._word(of, column, told, within)

    def _word(self, of: str, column: str, told: str, within: bool) -> str:
        say = _IN_WORDS.get((of, column))
        if say is None or not told:
            return told
        try:
            said = say(told)
        except (ValueError, KeyError):
            return told
        return _lower(said) if within else said

    def _moment(self, told: str) -> str:
        try:
            if len(told) == len("2026-11-16"):
                return times.calendar_day(date.fromisoformat(told))
            moment = datetime.fromisoformat(told)
        except ValueError:
            return told
        # SQLite keeps no zone: what stands there is in UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return to_the_second(moment, self.now, self.zone)

    def _narrowed_to(self, told: str) -> str:
        said = []
        for one in told.split(", "):
            if one == Kind.EVERYTHING.value:
                continue
            known = self.staff.get(one) or (_act_in_words(one) if ":" in one[:-1] else one)
            said.append(self._moment(one) if one[:4].isdigit() and one[4:5] == "-" else known)
        return ", ".join(said)


def _in_words(db: Session, desk: Desk, lines: Sequence[_Line]) -> tuple[TrailRow, ...]:
    ids = {one for line in lines for one in _members_on(line)}
    asked = select(Member.id, Member.number, Member.given_names, Member.name)
    members = {
        row.id: (f"{row.given_names} {row.name}".strip(), row.number)
        for row in db.execute(asked.where(Member.id.in_(ids)))
    }
    teller = _Teller(names_of_staff(db), members, desk.now(), desk.settings.zone)
    return tuple(teller.row(line) for line in lines)


def _members_on(line: _Line) -> Iterator[int]:
    told = [line.member_id]
    told += [_object(side).get("member_id") for side in (line.before, line.after)]
    if line.action == Action.CALL_TURNED:
        told.append(_object(line.detail).get("before"))
    # A number that no column of a member's id could hold would only make the database stumble.
    yield from (one for one in told if isinstance(one, int) and 0 < one < 2**31)


def _what(line: _Line) -> str:
    done = _ROW_WORDS.get(line.action)
    if done is None:
        return _act_in_words(line.action)
    table = _table(line.subject)
    if line.action == ROW_ADDED:
        return f"{done} {'an' if table[:1] in 'aeiou' else 'a'} {table}"
    columns = sorted({*_object(line.before), *_object(line.after)}, key=_rank)
    told = [one for one in columns if one not in _BOOKKEEPING] or columns
    if line.action == ROW_REMOVED or not told:
        return f"{done} the {table}"
    first, rest = told[:MOST_COLUMNS_NAMED], len(told) - MOST_COLUMNS_NAMED
    more = f" and {rest} more" * (rest > 0)
    return f"{done} the {table}: {', '.join(_lower(_column(one)) for one in first)}{more}"


def _act_in_words(action: str) -> str:
    if action in _ROW_WORDS:
        return f"{_ROW_WORDS[action]} a record"
    known = {act.value: words for act, words in _WORDS.items()}.get(action)
    if known is not None:
        return known
    subject, _, verb = action.partition(":")
    return f"{_spaced(subject)}: {_spaced(verb)}".capitalize()


def _table(subject: str) -> str:
    return _TABLES.get(subject, _spaced(subject))


def _column(column: str) -> str:
    return _COLUMNS.get(column) or _BOOKKEEPING.get(column) or _begun(_spaced(column))


def _rank(column: str) -> tuple[int, str]:
    """Put what matters first, what is not known by name after it, and bookkeeping last."""
    if column in _BOOKKEEPING:
        return len(_COLUMNS) + 1 + [*_BOOKKEEPING].index(column), column
    return [*_COLUMNS].index(column) if column in _COLUMNS else len(_COLUMNS), column


def _object(told: str) -> dict[str, Any]:
    # A row that was tampered with is shown as well as it can be.
    try:
        read = json.loads(told or "{}")
    except (ValueError, RecursionError):
        return {"unreadable": told}
    return read if isinstance(read, dict) else {"unreadable": told}


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _lower(words: str) -> str:
    # “ZIP” and what stands in quotes stay as they are.
    return words if words[:2].isupper() and words[:2].isalpha() else words[:1].lower() + words[1:]


# The file

_HEADINGS: Final = (
    "when", "login", "who", "where", "what", "about", "detail", "before", "after", "damage",
    "action", "table", "row", "call",
)  # fmt: skip


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
    after: Place | None = None
    # What is added while the file is written does not belong to it. Not by its time: that may lie.
    with desk.records.read() as db:
        asked = replace(asked, newest=db.scalar(select(func.max(AuditEntry.id))))
    while True:
        part = page(desk, asked, after)
        for row in part.rows:
            raw = row.raw
            writer.write(
                (
                    row.at.isoformat() if row.at else "", row.login, row.who, row.where, row.what,
                    row.whom, raw.detail, raw.before, raw.after, row.damage, raw.action,
                    raw.subject, raw.row_key, raw.call_id,
                )
            )  # fmt: skip
        if not part.more:
            return writer.lines
        after = part.rows[-1].place


def _in_short(asked: Asked) -> str:
    told = (asked.staff, asked.number, asked.kind.value, asked.act, asked.since, asked.until)
    return ", ".join(str(one) for one in told if one)
