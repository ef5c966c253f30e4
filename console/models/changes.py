"""Word of what other desks and couriers changed: heard as they commit, and listed to catch up."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Index, String, Text, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.errors import ConsoleError
from console.models.base import Announce, Instant, Record, Records
from console.models.listening import BEAT_SECONDS, CHANNEL, Halt, Line, LineLost, open_line
from console.models.problems import told_in_words

EVERYTHING: Final = "*"
"""The name announced when it is not known what was touched: every open screen reloads."""
KEPT_FOR: Final = timedelta(minutes=10)
GATHER_SECONDS: Final = 0.03
"""Word goes to the screens at once, and then not again for so long."""
AGAIN_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""How long to rest before each try to open a lost line again; the last one from then on."""
READ_ON_SECONDS = 60.0
"""How often the list is read on while words come, so that a lost line has little to catch up."""
REPORT_AGAIN_SECONDS: Final = 600.0
"""A bug that comes back every two seconds is shown no more often than this."""
_OVERLAP: Final = 500
"""Numbers are given out before their transactions end, so the last few are looked at again."""
_MOST_NAMES: Final = 500
_MOST_AT_ONCE: Final = 2000
_MOST_OCTETS: Final = 7000
"""PostgreSQL carries no longer word than 8,000."""
_MOST_READ: Final = 32_000
"""Anybody may write a row; one that is longer than a console's is not fetched to its end."""


class Change(Record):
    """What one commit touched."""

    __tablename__ = "change"
    # A number must never be given out twice, or the second one would not be heard.
    __table_args__ = (Index("ix_change_at", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    origin: Mapped[str] = mapped_column(String(36))
    """The console that committed; it knows already."""
    names: Mapped[str] = mapped_column(Text)


_LIST_AND_SAY: Final = text(
    "WITH listed AS (INSERT INTO change (at, origin, names)"
    " VALUES (now(), :origin, :names) RETURNING id)"
    " SELECT pg_notify(:channel, CASE WHEN :rest = '' THEN id::text"
    " ELSE '[' || id || ',' || :rest || ']' END) FROM listed"
)


def tell_others(records: Records) -> None:
    """Write down what each commit of this console touches, in the same transaction, and say it."""
    on_server = records.engine.dialect.name == "postgresql"

    def write(db: Session, names: frozenset[str]) -> None:
        few = sorted(names) if len(names) <= _MOST_NAMES else [EVERYTHING]
        listed = json.dumps(few)
        if on_server:
            rest = f"{json.dumps(records.origin)},{listed}"
            said = rest if len(rest.encode()) <= _MOST_OCTETS else ""
            given = {"origin": records.origin, "names": listed, "rest": said, "channel": CHANNEL}
            db.execute(_LIST_AND_SAY, given)
        else:
            db.execute(
                insert(Change).values(at=datetime.now(UTC), origin=records.origin, names=listed)
            )

    records.before_commit(write)


class Hearing:
    """Knows how far the list has been read; nothing that is merely said moves that on."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._last: int | None = None
        self._seen: set[int] = set()
        self._current_at = datetime.now(UTC)

    def hear(self, unclear: Collection[str] = ()) -> frozenset[str]:
        """Answer what the list says others have touched since; nothing the first time.

        A number that was said and is not found in the list may stand for everything.
        """
        last, now = self._last, datetime.now(UTC)
        away = now - self._current_at > KEPT_FOR / 2
        names = func.substr(Change.names, 1, _MOST_READ).label("names")
        newest_first = select(Change.id, Change.origin, names).order_by(Change.id.desc())
        if last is None or away:
            wanted = newest_first.limit(_OVERLAP)
        else:
            wanted = newest_first.where(Change.id > last - _OVERLAP).limit(_MOST_AT_ONCE)
        with self._records.read() as db:
            rows = db.execute(wanted).all()
        # Nothing moves before this: a reading that failed is done again from where it was.
        fresh = [row for row in rows if row.id not in self._seen]
        self._current_at = now
        self._last = max((row.id for row in rows), default=0)
        floor = self._last - _OVERLAP
        self._seen = {row.id for row in rows if row.id > floor}
        if last is None:
            return frozenset()
        found = {str(row.id) for row in rows}
        unfound = any(word.isdecimal() and word not in found for word in unclear)
        if away or unfound or len(rows) == _MOST_AT_ONCE:
            return frozenset({EVERYTHING})
        touched = [_listed(row.names) for row in fresh if row.origin != self._records.origin]
        return frozenset().union(*touched)

    def still_current(self) -> None:
        """Note that nothing can have been missed up to now.

        A computer that slept wakes up in the middle of a wait and has missed what was said.
        """
        now = datetime.now(UTC)
        if now - self._current_at <= KEPT_FOR / 2:
            self._current_at = now


def _names(told: object) -> frozenset[str] | None:
    if isinstance(told, list) and all(isinstance(name, str) for name in told):
        return frozenset(told)
    return None


def _parsed(words: str) -> object:
    # Any login may write a row or send a word, and may put anything at all into it.
    try:
        return json.loads(words)
    except (ValueError, RecursionError):
        return None


def _listed(names: str) -> frozenset[str]:
    """Answer what a row of the list names; one that no console wrote may mean everything."""
    told = _names(_parsed(names))
    return frozenset({EVERYTHING}) if told is None else told


def _said(word: str) -> tuple[str, frozenset[str]] | None:
    """Answer who says that they touched what; nothing where only the list can tell."""
    match _parsed(word):
        case [int(), str(origin), told]:
            names = _names(told)
            return None if names is None else (origin, names)
    return None  # too long to be said, or not said by a console


class Feed:
    """Follows what others commit, for as long as it takes, through every loss of the line."""

    def __init__(self, records: Records, announce: Announce | None = None) -> None:
        self._records = records
        self._announce = announce or records.announce
        self._hearing = Hearing(records)
        self._halt = Halt()
        self._pending: set[str] = set()
        self._unclear: set[str] = set()
        """What was said and only the list explains."""
        self._unproven: frozenset[str] = frozenset()
        """Names read in the list while the line seemed to live, which said them too if it did."""
        self._behind = False
        self._read_at = self._told_at = self._reported_at = -math.inf
        # Two hundred desks that came back in the same second do not read in the same one for ever.
        self._pace = random.uniform(0.6, 1.0)  # noqa: S311  # spreads questions, guards nothing

    def follow(self) -> None:
        """Announce what others commit until told to stop, whatever happens; blocks its thread."""
        tries = 0
        try:
            while not self._halt.called:
                try:
                    with told_in_words(), open_line(self._records.engine, self._halt) as line:
                        # Listening first and reading afterwards leaves no gap between the two.
                        self._look_up()
                        tries = 0
                        self._attend(line)
                except (LineLost, ConsoleError, DBAPIError):
                    self._halt.wait(AGAIN_SECONDS[min(tries, len(AGAIN_SECONDS) - 1)])
                    tries += 1
                except Exception as error:  # a bug must leave no screen showing what once was
                    self._report(error)
                    self._start_afresh()
                    self._halt.wait(AGAIN_SECONDS[-1])
        finally:
            self._halt.close()

    def stop(self) -> None:
        """Let `follow` come to its end; may be called from any thread."""
        self._halt.call()

    def _attend(self, line: Line) -> None:
        while not self._halt.called:
            waiting = bool(self._pending or self._unclear)
            rest = self._told_at + GATHER_SECONDS - time.monotonic()
            if waiting and rest <= 0:
                self._tell()
                continue
            for word in line.wait(rest if waiting else BEAT_SECONDS):
                self._take(word)
            self._hearing.still_current()
            if self._behind and time.monotonic() - self._read_at >= READ_ON_SECONDS * self._pace:
                self._read_on()

    def _take(self, word: str) -> None:
        said = _said(word)
        if said is None:
            self._unclear.add(word)
            return
        origin, names = said
        self._behind = True
        if origin != self._records.origin:
            self._pending |= names

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        if self._unclear:
            self._look_up()
        names, self._pending = frozenset(self._pending), set()
        if names:
            self._announce(names)

    def _look_up(self) -> None:
        self._pending |= self._read() | self._unproven
        self._unproven = frozenset()

    def _read_on(self) -> None:
        # All of this has been said or is about to be, unless the line is dead and nobody knows
        # yet. That is found out long before the next time; if it is, these names are told again.
        if not self._unclear:
            self._unproven = self._read()

    def _read(self) -> frozenset[str]:
        names = self._hearing.hear(self._unclear)
        self._unclear.clear()
        self._behind = False
        self._read_at = time.monotonic()
        return names

    def _start_afresh(self) -> None:
        """Forget whatever led to a bug, and let every screen reload once instead."""
        self._hearing = Hearing(self._records)
        self._unclear.clear()
        self._pending = {EVERYTHING}

    def _report(self, error: Exception) -> None:
        """Hand a bug to the last resort of the program, as if this thread had died of it."""
        now = time.monotonic()
        if now - self._reported_at >= REPORT_AGAIN_SECONDS:
            self._reported_at = now
            told = (type(error), error, error.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(told))


def forget(db: Session, before: datetime) -> None:
    """Forget what everybody has heard by now."""
    if db.get_bind().dialect.name == "postgresql":
        # Nobody may delete there, and the function forgets nothing younger than KEPT_FOR.
        db.execute(text("SELECT change_forget(:before)"), {"before": before})
        return
    db.execute(
        delete(Change).where(Change.at < before).execution_options(synchronize_session=False)
    )
