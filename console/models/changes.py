"""Word of what other desks and couriers changed: heard as they commit, and listed to catch up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Index, String, Text, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.elements import ColumnElement

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
_OVERLAP: Final = 500
"""Numbers are given out before their transactions end, so the last few are looked at again."""
_MOST_NAMES: Final = 500
_MOST_AT_ONCE: Final = 2000
_MOST_OCTETS: Final = 7000
"""PostgreSQL carries no longer word than 8,000."""
_FARTHEST_AHEAD: Final = 10_000


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
    """Knows what was heard of other consoles and couriers, and what is still to be caught up."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._last: int | None = None
        self._heard: set[int] = set()
        self._current_at = datetime.now(UTC)
        self._one_at_a_time = threading.Lock()

    def hear(self) -> frozenset[str]:
        """Answer what the list says others have touched since; nothing the first time."""
        with self._one_at_a_time, self._records.read() as db:
            away = datetime.now(UTC) - self._current_at
            self.still_current()
            if self._last is None:
                self._start_afresh(db)
                return frozenset()
            rows = db.execute(
                select(Change.id, Change.origin, Change.names)
                .where(self._is_recent())
                .order_by(Change.id)
                .limit(_MOST_AT_ONCE)
            ).all()
            if away > KEPT_FOR / 2 or len(rows) == _MOST_AT_ONCE:
                self._start_afresh(db)
                return frozenset({EVERYTHING})
            fresh = [row for row in rows if row.id not in self._heard]
            self._last = max((self._last, *(row.id for row in rows)))
            floor = self._last - _OVERLAP
            self._heard = {row.id for row in rows if row.id > floor}
        return frozenset(
            name
            for row in fresh
            if row.origin != self._records.origin
            for name in json.loads(row.names)
        )

    def understand(self, said: Sequence[str]) -> frozenset[str]:
        """Answer what others have touched by what was said of it, or else by the list."""
        names: set[str] = set()
        all_said = True
        for word in said:
            touched = self._understand(word)
            all_said = all_said and touched is not None
            names |= touched or frozenset()
        return frozenset(names) if all_said else frozenset(names) | self.hear()

    def still_current(self) -> None:
        """Note that nothing can have been missed up to now."""
        self._current_at = datetime.now(UTC)

    def _understand(self, word: str) -> frozenset[str] | None:
        try:
            number, origin, names = json.loads(word)
            ahead = int(number) - (self._last or 0)
            touched = frozenset(str(name) for name in names)
        except (ValueError, TypeError):
            return None  # too long to be said, or not said by a console
        if ahead > _FARTHEST_AHEAD:
            return None
        with self._one_at_a_time:
            self._last = max(self._last or 0, int(number))
            self._heard.add(int(number))
            if len(self._heard) > 2 * _OVERLAP:
                self._heard = {id_ for id_ in self._heard if id_ > self._last - _OVERLAP}
        return frozenset() if origin == self._records.origin else touched

    def _start_afresh(self, db: Session) -> None:
        self._last = db.scalar(select(func.max(Change.id))) or 0
        self._heard = set(db.scalars(select(Change.id).where(self._is_recent())))

    def _is_recent(self) -> ColumnElement[bool]:
        return Change.id > (self._last or 0) - _OVERLAP


class Feed:
    """Follows what others commit, for as long as it takes, through every loss of the line."""

    def __init__(self, records: Records, announce: Announce | None = None) -> None:
        self._records = records
        self._announce = announce or records.announce
        self._hearing = Hearing(records)
        self._halt = Halt()
        self._pending: set[str] = set()
        self._told_at = 0.0

    def follow(self) -> None:
        """Announce what others commit until told to stop; blocks its thread."""
        tries = 0
        try:
            while not self._halt.called:
                try:
                    with told_in_words(), open_line(self._records.engine, self._halt) as line:
                        # Listening first and reading afterwards leaves no gap between the two.
                        self._pending |= self._hearing.hear()
                        tries = 0
                        self._attend(line)
                except (LineLost, ConsoleError, DBAPIError):
                    self._halt.wait(AGAIN_SECONDS[min(tries, len(AGAIN_SECONDS) - 1)])
                    tries += 1
        finally:
            self._halt.close()

    def stop(self) -> None:
        """Let `follow` come to its end; may be called from any thread."""
        self._halt.call()

    def _attend(self, line: Line) -> None:
        while not self._halt.called:
            rest = self._told_at + GATHER_SECONDS - time.monotonic()
            if self._pending and rest <= 0:
                names, self._pending = frozenset(self._pending), set()
                self._told_at = time.monotonic()
                self._announce(names)
                continue
            said = line.wait(rest if self._pending else BEAT_SECONDS)
            self._hearing.still_current()
            self._pending |= self._hearing.understand(said)


def forget(db: Session, before: datetime) -> None:
    """Forget what everybody has heard by now."""
    if db.get_bind().dialect.name == "postgresql":
        # Nobody may delete there, and the function forgets nothing younger than KEPT_FOR.
        db.execute(text("SELECT change_forget(:before)"), {"before": before})
        return
    db.execute(
        delete(Change).where(Change.at < before).execution_options(synchronize_session=False)
    )
