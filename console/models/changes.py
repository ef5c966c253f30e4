"""Word of what other desks and couriers changed: a short list in the database, read as it grows."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Index, String, Text, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from console.models.base import Instant, Record, Records

KEPT_FOR: Final = timedelta(minutes=10)
_OVERLAP: Final = 500
"""Numbers are given out before their transactions end, so the last few are looked at again."""
_MOST_NAMES: Final = 500
_MOST_AT_ONCE: Final = 2000


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


def tell_others(records: Records) -> None:
    """Write down what each commit of this console touches, in the same transaction."""

    def write(db: Session, names: frozenset[str]) -> None:
        listed = json.dumps(sorted(names)[:_MOST_NAMES])
        db.execute(insert(Change).values(at=datetime.now(UTC), origin=records.origin, names=listed))

    records.before_commit(write)


class Hearing:
    """Hears what other consoles and couriers commit."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._last: int | None = None
        self._heard: set[int] = set()
        self._one_at_a_time = threading.Lock()

    def hear(self) -> frozenset[str]:
        """Answer what others have touched since the last time; nothing the first time."""
        with self._one_at_a_time, self._records.read() as db:
            if self._last is None:
                self._last = db.scalar(select(func.max(Change.id))) or 0
                self._heard = set(db.scalars(select(Change.id).where(self._is_recent())))
                return frozenset()
            rows = db.execute(
                select(Change.id, Change.origin, Change.names)
                .where(self._is_recent())
                .order_by(Change.id)
                .limit(_MOST_AT_ONCE)
            ).all()
            fresh = [row for row in rows if row.id not in self._heard]
            self._last = max((row.id for row in rows), default=self._last)
            floor = self._last - _OVERLAP
            self._heard = {row.id for row in rows if row.id > floor}
        return frozenset(
            name
            for row in fresh
            if row.origin != self._records.origin
            for name in json.loads(row.names)
        )

    def _is_recent(self) -> ColumnElement[bool]:
        return Change.id > (self._last or 0) - _OVERLAP


def forget(db: Session, before: datetime) -> None:
    """Forget what everybody has heard by now."""
    db.execute(
        delete(Change).where(Change.at < before).execution_options(synchronize_session=False)
    )
