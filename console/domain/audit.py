"""The audit trail: how a row is sealed, what tampering leaves behind, who looked at too much."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Final

SEALED: Final = (
    "chain", "seq", "id", "at", "staff", "workstation", "action", "subject", "row_key",
    "member_id", "account_number", "call_id", "detail", "before", "after", "previous",
)  # fmt: skip
"""What the hash of a row covers, in this order; `at` as UTC `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""

SealedRow = Sequence[str | int | None]
"""The fields of one row in the order of SEALED, and after them the hash it bears."""

_CHAIN: Final = SEALED.index("chain")
_SEQ: Final = SEALED.index("seq")
_AT: Final = SEALED.index("at")
_PREVIOUS: Final = SEALED.index("previous")
_STAFF: Final = SEALED.index("staff")
_NUMBERS: Final = frozenset({"seq", "id", "member_id"})
_MAY_LACK: Final = frozenset({"member_id", "account_number", "call_id", "before", "after"})
_STORED: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
_SEALED_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


@dataclass(frozen=True)
class Head:
    """Where a chain ends: the number and the hash of its last row."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """One place where the trail is not as it was written."""

    chain: str
    """Empty when it is the whole database that is not what it was."""
    seq: int
    why: str


def canonical(fields: SealedRow) -> str:
    """Write the fields of a row so that no two different rows are written alike."""
    return ",".join("-" if field is None else _with_size(str(field)) for field in fields)


def seal(fields: SealedRow) -> str:
    """Answer the hash of a row: lower-case hex SHA-256 over its canonical text."""
    return sha256(canonical(fields).encode("utf-8", "surrogatepass")).hexdigest()


def sealed_time(stored: object) -> str:
    """Write a stored time as the hash of its row covers it.

    The console stores `YYYY-MM-DD HH:MM:SS.ffffff` in UTC. Any other spelling, be it of the same
    moment, comes out as something that no hash covers.
    """
    if isinstance(stored, str) and _STORED.fullmatch(stored):
        return stored.replace(" ", "T") + "Z"
    return f"{stored!r} as it is stored"


def moment_of(sealed: object) -> datetime | None:
    """Answer the moment of a time as it is sealed; nothing when no console wrote that time."""
    if not isinstance(sealed, str) or not _SEALED_TIME.fullmatch(sealed):
        return None
    try:
        return datetime.fromisoformat(sealed)
    except ValueError:  # a thirteenth month
        return None


def wrong_with(row: SealedRow) -> str:
    """Say why a row by itself is not as it was written; nothing when it is."""
    for field, value in zip(SEALED, row, strict=False):
        if not _as_written(field, value):
            named = "time" if field == "at" else field.replace("_", " ")
            return f"the row was changed: no console writes its {named} like this"
    if seal(row[:-1]) != row[-1]:
        return "the row was changed: it does not agree with its own hash"
    return ""


def _as_written(field: str, value: object) -> bool:
    # Two values of different kinds can be spelled alike: the number 7 and the text “7”.
    if field == "at":
        return isinstance(value, str) and bool(_SEALED_TIME.fullmatch(value))
    if value is None:
        return field in _MAY_LACK
    return type(value) is (int if field in _NUMBERS else str)


def find_faults(
    rows: Iterable[SealedRow], heads: Iterable[Head], seen: Iterable[Head] = ()
) -> Iterator[Fault]:
    """Name every fault of the trail, holding no more than one row at a time.

    The rows come chain by chain, each in the order of its numbers. `seen` are heads that witnesses
    have seen: a chain forged afresh from its beginning agrees with itself, but not with them.
    """
    ends: dict[str, list[Head]] = defaultdict(list)
    for head in heads:
        ends[head.chain].append(head)
    witnessed: dict[str, set[Head]] = defaultdict(set)
    for head in seen:
        witnessed[head.chain].add(head)
    for chain, of_chain in groupby(rows, key=itemgetter(_CHAIN)):
        named = str(chain)
        walk = _Walk(named, _by_number(witnessed.pop(named, ())))
        for row in of_chain:
            yield from walk.step(row)
        yield from walk.end(ends.pop(named, []))
    for chain, without_rows in ends.items():
        for head in without_rows:
            yield Fault(chain, head.seq, "the chain has a head and no rows: all were removed")
    for chain, lost in witnessed.items():
        for head in sorted(lost, key=lambda one: one.seq):
            yield Fault(chain, head.seq, _GONE)


_GONE: Final = "a witness has seen this row, and it is not there any more"
_REFORGED: Final = (
    "a witness has seen another row here: the chain was written afresh after it was seen"
)


class _Walk:
    """Goes along one chain from its first row to its head."""

    def __init__(self, chain: str, seen: Mapping[int, set[str]]) -> None:
        self.chain = chain
        self.last = 0
        self.hash = ""
        self.seen = dict(seen)

    def step(self, row: SealedRow) -> Iterator[Fault]:
        seq, bears, previous = _number(row[_SEQ]), row[-1], row[_PREVIOUS]
        if why := wrong_with(row):
            yield self._fault(seq, why)
        if row[_STAFF] != row[_CHAIN]:
            yield self._fault(seq, "the row names another person than the chain it stands in")
        if seq < 1:
            yield self._fault(seq, "a row was added before the beginning of the chain")
        elif seq == self.last:
            yield self._fault(seq, "the number is there more than once: a row was added")
        else:
            if seq > self.last + 1:
                yield self._fault(self.last + 1, _missing(self.last + 1, seq - 1))
            if previous != self.hash:
                yield self._fault(seq, "the link is broken: it does not follow the row before it")
            self.last, self.hash = seq, str(bears)
        if self.seen:
            for agreed in self.seen.pop(seq, ()):
                if agreed != bears:
                    yield self._fault(seq, _REFORGED)

    def end(self, heads: Sequence[Head]) -> Iterator[Fault]:
        if not heads:
            yield self._fault(self.last, "the chain has no head: it was removed")
        if len(heads) > 1:
            yield self._fault(self.last, "the chain has more than one head: one was added")
        for head in heads:
            yield from self._compare(head)
        for seq in sorted(self.seen):
            yield self._fault(seq, _GONE)

    def _compare(self, head: Head) -> Iterator[Fault]:
        if head.seq > self.last:
            cut = _missing(self.last + 1, head.seq)
            yield self._fault(self.last + 1, f"the end of the chain was cut off: {cut}")
        elif head.seq < self.last:
            why = f"the head says that the chain ends at row {head.seq}: rows were added after it"
            yield self._fault(head.seq + 1, f"{why}, or the head was changed")
        elif head.hash != self.hash:
            yield self._fault(head.seq, "the head does not agree with the last row of the chain")

    def _fault(self, seq: int, why: str) -> Fault:
        return Fault(self.chain, seq, why)


def _missing(first: int, last: int) -> str:
    return f"row {first} is missing" if first == last else f"rows {first} to {last} are missing"


def _by_number(heads: Iterable[Head]) -> dict[int, set[str]]:
    numbered: dict[int, set[str]] = defaultdict(set)
    for head in heads:
        numbered[head.seq].add(head.hash)
    return numbered


def _number(value: str | int | None) -> int:
    # SQLite lets anything be written into a column of numbers.
    return value if isinstance(value, int) else 0


def _with_size(text: str) -> str:
    octets = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return f"{octets}:{text}"


# What was looked at


@dataclass(frozen=True)
class BusyHour:
    """The hour in which one person opened the most members."""

    staff: str
    begins: datetime
    members: int


def busiest_hours(opened: Iterable[tuple[str, datetime, int]], above: int) -> list[BusyHour]:
    """Find who opened more than so many different members in an hour, the most first.

    `opened` names who, when and which member, oldest first.
    """
    within: dict[str, deque[tuple[datetime, int]]] = defaultdict(deque)
    many: dict[str, Counter[int]] = defaultdict(Counter)
    most: dict[str, BusyHour] = {}
    for staff, at, member_id in opened:
        window, counted = within[staff], many[staff]
        window.append((at, member_id))
        counted[member_id] += 1
        while window[0][0] <= at - _HOUR:
            _, left = window.popleft()
            counted[left] -= 1
            if not counted[left]:
                del counted[left]
        if len(counted) > above and (staff not in most or len(counted) > most[staff].members):
            most[staff] = BusyHour(staff, window[0][0], len(counted))
    return sorted(most.values(), key=lambda one: -one.members)


_HOUR: Final = timedelta(hours=1)
