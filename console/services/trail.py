"""The audit trail as an auditor reads it: page by page, narrowed to what is asked, and exported."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
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
from sqlalchemy.orm import Session

from console.domain import audit as seals
from console.domain.audit import SEALED, BusyHour
from console.domain.errors import ConsoleError
from console.domain.spreadsheets import safe_cell
from console.models import witness
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.members import Member
from console.models.staff import names_of_staff
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk
from console.services.trail_page import (
    ROW_ADDED,
    ROW_CHANGED,
    ROW_REMOVED,
    Asked,
    Kind,
    Place,
    TrailPage,
    Unusual,
)
from console.services.trail_words import Line, act_in_words, in_words, readable

PAGE: Final = 200
UNUSUAL_IN_AN_HOUR: Final = 40
"""A call takes minutes: who opens more members than this in an hour is not answering calls."""
_LOOKED_BACK: Final = timedelta(hours=24)


class MayNotReadTrail(ConsoleError):
    """The audit trail is for those who watch over it."""


class NobodyLikeThat(ConsoleError):
    """No member or account bears the number that the trail was to be narrowed to."""


class NotExported(ConsoleError):
    """The file could not be written."""


# Reading


def may_read(desk: Desk) -> bool:
    """Tell whether this colleague watches over the others."""
    return desk.colleague.role.watches_over


def check_may_read(desk: Desk) -> None:
    """Refuse whoever does not watch over the others."""
    if not may_read(desk):
        raise MayNotReadTrail(
            "The audit trail is read by auditors, supervisors and administrators. Ask one of them."
        )


def people(desk: Desk) -> tuple[tuple[str, str], ...]:
    """List the login and name of everybody who may be on the trail."""
    check_may_read(desk)
    with desk.records.read() as db:
        return tuple(sorted(names_of_staff(db).items(), key=lambda one: one[1]))


def page(desk: Desk, asked: Asked, after: Place | None = None) -> TrailPage:
    """Read a page of the trail, from the newest line on or from below a line read before."""
    check_may_read(desk)
    with desk.records.read() as db:
        lines = _lines(db, asked, after, PAGE + 1)
        return TrailPage(in_words(db, desk, lines[:PAGE]), len(lines) > PAGE)


def unusual(desk: Desk) -> tuple[Unusual, ...]:
    """Find who opened an unusual number of members in an hour since yesterday."""
    check_may_read(desk)
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
    check_may_read(desk)
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


# Asking the database

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_IN_TIME: Final = AuditEntry.at.between(_FIRST, _LAST)
_OUT_OF_TIME: Final = or_(AuditEntry.at < _FIRST, AuditEntry.at > _LAST, AuditEntry.at.is_(None))
"""Times before our era, infinity, and what SQLite sorts before or after every time of ours."""


def _lines(db: Session, asked: Asked, after: Place | None, many: int) -> list[Line]:
    """Read on below a place: first what stands outside of time, then the newest line on."""
    whole = _narrowed(db, asked)
    actions = _actions_of(asked)
    found: list[Line] = []
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


def _select(db: Session, asked: Select[Any], *, in_time: bool = True) -> list[Line]:
    connection = db.connection()
    fields: list[ColumnElement[Any]] = [
        literal_column(one) for one in witness.stored_fields(connection)
    ]
    with witness.reading_any_text(connection):
        rows = db.execute(asked.with_only_columns(*fields)).all()
    return [_line(row, in_time) for row in rows]


def _line(stored: Row[Any], in_time: bool) -> Line:
    row = witness.as_sealed(stored)
    told = dict(zip(SEALED, row, strict=False))
    key, seq, member_id = (_number(told[one]) for one in ("id", "seq", "member_id"))
    return Line(
        place=Place(str(stored[SEALED.index("at")]) if in_time else None, key or 0),
        at=seals.moment_of(told["at"]),
        id=key or 0,
        member_id=member_id,
        seq=seq or 0,
        damage=seals.wrong_with(row),
        **{one: readable(told[one]) for one in _TEXTS},
    )


_TEXTS: Final = (
    "staff", "workstation", "action", "subject", "row_key", "account_number", "call_id", "detail",
    "before", "after",
)  # fmt: skip


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


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
    read = [(readable(row[0]), seals.moment_of(seals.sealed_time(row[1])), row[2]) for row in rows]
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
    return tuple(sorted(((act, act_in_words(act)) for act in chosen), key=lambda one: one[1]))


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
