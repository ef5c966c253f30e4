"""What the training gateway remembers: one SQLite file of its own, apart from everybody else's."""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from console.sandbox.store import Store, stamp

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    created INTEGER NOT NULL, customer TEXT, parent TEXT, trait TEXT NOT NULL, due TEXT,
    body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_parent ON object (kind, parent, seq);
CREATE INDEX IF NOT EXISTS object_due ON object (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS remembered (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_LETTERS: Final = string.ascii_letters + string.digits
KEY_LIFE: Final = timedelta(hours=24)


class GatewayStore(Store):
    """The gateway's objects, and the answers it gave to each key, behind one lock."""

    def _set_up(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        with self.begin() as db:
            db.execute(
                "INSERT OR IGNORE INTO fact VALUES ('secret', ?), ('advanced', '0')",
                (secrets.token_hex(32),),
            )


@dataclass
class Thing:
    """One object: what the gateway tells of it, and what it keeps to itself."""

    kind: str
    body: dict[str, Any]
    customer: str | None = None
    parent: str | None = None
    """The charge's payment, the refund's charge: what a list is asked by."""
    trait: str = ""
    """How a test card or account behaves; it is told to nobody."""
    due: datetime | None = None
    """When something becomes of it by itself."""
    fresh: bool = field(default=True, compare=False)

    @property
    def id(self) -> str:
        """What it is called by."""
        return str(self.body["id"])


def new_id(prefix: str, length: int = 24) -> str:
    """Make an id that tells nothing but its kind."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(length))}"


def keep(db: sqlite3.Connection, thing: Thing) -> Thing:
    """Write an object down, new or changed."""
    due = thing.due and stamp(thing.due)
    body = json.dumps(thing.body)
    if thing.fresh:
        db.execute(
            "INSERT INTO object (id, kind, created, customer, parent, trait, due, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (thing.id, thing.kind, thing.body["created"], thing.customer, thing.parent,
             thing.trait, due, body),
        )  # fmt: skip
        thing.fresh = False
    else:
        db.execute(
            "UPDATE object SET customer = ?, parent = ?, trait = ?, due = ?, body = ? WHERE id = ?",
            (thing.customer, thing.parent, thing.trait, due, body, thing.id),
        )
    return thing


def look_up(db: sqlite3.Connection, thing_id: str, kind: str = "") -> Thing | None:
    """Fetch one object by its id."""
    row = db.execute("SELECT * FROM object WHERE id = ?", (thing_id,)).fetchone()
    return None if row is None or (kind and row["kind"] != kind) else _thing(row)


def children(db: sqlite3.Connection, kind: str, parent: str) -> list[Thing]:
    """List what belongs to an object, the newest first."""
    rows = db.execute(
        "SELECT * FROM object WHERE kind = ? AND parent = ? ORDER BY seq DESC", (kind, parent)
    )
    return [_thing(row) for row in rows]


def due_by(db: sqlite3.Connection, now: datetime) -> list[Thing]:
    """List what something becomes of by now, the earliest first."""
    rows = db.execute("SELECT * FROM object WHERE due <= ? ORDER BY due, seq", (stamp(now),))
    return [_thing(row) for row in rows.fetchall()]


_PAGE: Final = """
SELECT * FROM object WHERE kind = :kind
  AND (:customer IS NULL OR customer = :customer) AND (:parent IS NULL OR parent = :parent)
  AND created >= :least AND created <= :most
"""
# Two texts, so that each walks along an index however long the list is.
_OLDER: Final = _PAGE + "AND seq < :place ORDER BY seq DESC LIMIT :count"
_NEWER: Final = _PAGE + "AND seq > :place ORDER BY seq LIMIT :count"


def page(
    db: sqlite3.Connection,
    kind: str,
    count: int,
    *,
    filters: Mapping[str, str | int | None],
) -> tuple[list[Thing], bool]:
    """List some objects, the newest first, and say whether there are more."""
    asked = {
        "customer": None, "parent": None, "least": 0, "most": 2**53, **filters, "kind": kind,
        "place": 2**62, "count": count + 1,
    }  # fmt: skip
    before, after = asked.pop("before", None), asked.pop("after", None)
    if before is not None or after is not None:
        asked["place"] = db.execute(
            "SELECT seq FROM object WHERE id = ?", (before or after,)
        ).fetchone()["seq"]
    rows = db.execute(_OLDER if before is None else _NEWER, asked).fetchall()
    found, more = [_thing(row) for row in rows[:count]], len(rows) > count
    if before is not None:
        found.reverse()
    return found, more


def all_of(db: sqlite3.Connection, kind: str) -> list[Thing]:
    """List every object of a kind, the newest first."""
    rows = db.execute("SELECT * FROM object WHERE kind = ? ORDER BY seq DESC", (kind,))
    return [_thing(row) for row in rows]


@dataclass(frozen=True)
class Remembered:
    """The answer that was given to a key."""

    fingerprint: str
    status: int
    body: str
    request: str


def recall(db: sqlite3.Connection, key: str, now: datetime) -> Remembered | None:
    """Find what was answered to a key within the last 24 hours."""
    row = db.execute(
        "SELECT * FROM remembered WHERE key = ? AND at > ?", (key, stamp(now - KEY_LIFE))
    ).fetchone()
    if row is None:
        return None
    return Remembered(row["fingerprint"], row["status"], row["body"], row["request"])


def remember(db: sqlite3.Connection, key: str, answer: Remembered, now: datetime) -> None:
    """Keep the answer to a key for 24 hours."""
    db.execute(
        "INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?)",
        (key, answer.fingerprint, answer.status, answer.body, answer.request, stamp(now)),
    )


def _thing(row: sqlite3.Row) -> Thing:
    due = row["due"] and datetime.fromisoformat(row["due"])
    return Thing(
        row["kind"], json.loads(row["body"]), row["customer"], row["parent"], row["trait"],
        due or None, fresh=False,
    )  # fmt: skip
