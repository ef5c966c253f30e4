"""What the stand-in portal remembers: one SQLite file of its own, apart from the console's."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher

from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NOTICES: Final = ("bill_ready", "payment_due", "payment_received", "outage", "usage_alert")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS account (
    number TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL,
    balance_cents INTEGER NOT NULL, due_on TEXT, last_bill_cents INTEGER, last_bill_on TEXT,
    service_address TEXT NOT NULL, auto_pay INTEGER NOT NULL, usage TEXT NOT NULL,
    paperless INTEGER NOT NULL, notices TEXT NOT NULL, thresholds TEXT NOT NULL,
    preferences_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS registration (
    id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account, email TEXT NOT NULL,
    state TEXT NOT NULL, in_force INTEGER NOT NULL, created_at TEXT NOT NULL, sent_at TEXT,
    sent_to TEXT NOT NULL, expires_at TEXT, password TEXT, wrong INTEGER NOT NULL,
    last_sign_in TEXT, epoch INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS one_in_force ON registration (account) WHERE in_force;
CREATE INDEX IF NOT EXISTS registration_email ON registration (email COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS link (
    token_hash TEXT PRIMARY KEY, registration TEXT NOT NULL REFERENCES registration,
    expires_at TEXT NOT NULL, dead INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS link_registration ON link (registration);
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
    account_number TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, channel TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, registration TEXT NOT NULL REFERENCES registration,
    at TEXT NOT NULL, email TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_registration ON delivery (registration);
CREATE TABLE IF NOT EXISTS replay (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
    account_number TEXT NOT NULL, email TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
    answer TEXT NOT NULL, answered_at TEXT);
CREATE TABLE IF NOT EXISTS service_report (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
    account_number TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, status TEXT NOT NULL,
    restoration TEXT);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class PortalAccount:
    """One account as the portal knows it."""

    account_number: str
    """Numerals only."""
    name: str
    """The last or business name of the primary holder, exactly as on file."""
    version: int = 1
    balance_cents: int = 0
    due_on: date | None = None
    last_bill_cents: int | None = None
    last_bill_on: date | None = None
    service_address: str = ""
    usage: tuple[tuple[str, int], ...] = ()
    """Month (2026-10) and kWh, oldest first."""
    auto_pay: bool = False
    paperless: bool = False


@dataclass(frozen=True)
class PastAttempt:
    """A try to register from before the training began."""

    at: datetime
    account_number: str
    name: str
    email: str
    outcome: Outcome
    channel: Channel = Channel.WEB
    id: str = ""
    """Made when empty."""


@dataclass(frozen=True)
class PastDelivery:
    """What became of an e-mail before the training began."""

    at: datetime
    status: DeliveryStatus
    reason: str = ""


@dataclass(frozen=True)
class PastRegistration:
    """Where an account stands when the training begins."""

    account_number: str
    email: str
    state: RegistrationState
    at: datetime
    deliveries: tuple[PastDelivery, ...] = ()
    last_sign_in: datetime | None = None
    password: str = ""
    """What opens the account at the member pages; nobody can sign in when empty."""
    id: str = ""
    """Made when empty."""


@dataclass
class Store:
    """The stand-in's records behind one lock."""

    path: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    skew: timedelta = field(default=timedelta(0))
    """How far the clock is off on purpose."""

    def __post_init__(self) -> None:
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        try:
            self._set_up()
        except BaseException:
            self._db.close()
            raise

    def _set_up(self) -> None:
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        with self.begin() as db:
            db.execute(
                "INSERT OR IGNORE INTO fact VALUES ('secret', ?), ('advanced', '0')",
                (secrets.token_hex(32),),
            )

    @contextmanager
    def begin(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction; nobody else reads or writes until it ends."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def now(self) -> datetime:
        """Tell the time as the portal sees it."""
        advanced = timedelta(seconds=float(self.fact("advanced")))
        return self.clock().astimezone(UTC) + advanced + self.skew

    def advance(self, seconds: float) -> None:
        """Move the portal's clock on, so that links run out without waiting."""
        with self.begin() as db:
            db.execute(
                "UPDATE fact SET value = CAST(value AS REAL) + ? WHERE name = 'advanced'",
                (seconds,),
            )

    def fact(self, name: str) -> str:
        """Read one lasting fact."""
        with self._lock:
            row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    def settings(self) -> dict[str, str]:
        """Read the settings that were sown with the accounts."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM fact WHERE name LIKE 'setting %'").fetchall()
        return {row["name"].removeprefix("setting "): row["value"] for row in rows}


def stamp(at: datetime) -> str:
    """Write a moment so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text)


def new_id(kind: str) -> str:
    """Make an id that tells nothing."""
    return f"{kind}_{secrets.token_hex(10)}"


def seed(
    path: str | Path,
    accounts: Iterable[PortalAccount],
    registrations: Iterable[PastRegistration] = (),
    attempts: Iterable[PastAttempt] = (),
    *,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Fill the portal's file; what is there already stays as it is.

    `facts` are fields of PortalSettings, such as coop_name, that outlast a restart.
    """
    store = Store(str(path))
    try:
        with store.begin() as db:
            db.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                [(f"setting {name}", value) for name, value in (facts or {}).items()],
            )
            fresh = db.execute("SELECT 1 FROM account LIMIT 1").fetchone() is None
            db.executemany(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (_account_row(account) for account in accounts),
            )
            if fresh:
                hashes: dict[str, str] = {}
                for registration in registrations:
                    _seed_registration(db, registration, hashes)
                db.executemany(
                    "INSERT INTO attempt (id, at, account_number, name, email, channel, outcome)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        (a.id or new_id("att"), stamp(a.at), a.account_number, a.name, a.email,
                         a.channel.value, a.outcome.value)
                        for a in sorted(attempts, key=lambda a: a.at)
                    ),
                )  # fmt: skip
    finally:
        store.close()


def _account_row(account: PortalAccount) -> tuple[Any, ...]:
    return (
        account.account_number, account.name, account.version, account.balance_cents,
        account.due_on and account.due_on.isoformat(), account.last_bill_cents,
        account.last_bill_on and account.last_bill_on.isoformat(), account.service_address,
        account.auto_pay, json.dumps(account.usage), account.paperless,
        json.dumps(dict.fromkeys(NOTICES, "email")), "[]", 1,
    )  # fmt: skip


LINK_LIFE: Final = timedelta(hours=72)


def _seed_registration(
    db: sqlite3.Connection, past: PastRegistration, hashes: dict[str, str]
) -> None:
    registration_id = past.id or new_id("reg")
    sent = max((d.at for d in past.deliveries), default=past.at)
    waiting = past.state is RegistrationState.AWAITING_VERIFICATION
    if past.password and past.password not in hashes:
        hashes[past.password] = HASHER.hash(past.password)
    db.execute(
        "INSERT INTO registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            registration_id, past.account_number, past.email, past.state.value, True,
            stamp(past.at), stamp(sent), past.email,
            stamp(sent + LINK_LIFE) if waiting else None, hashes.get(past.password), 0,
            past.last_sign_in and stamp(past.last_sign_in), 0,
        ),
    )  # fmt: skip
    for delivery in past.deliveries:
        db.execute(
            "INSERT INTO delivery (registration, at, email, status, reason) VALUES (?, ?, ?, ?, ?)",
            (registration_id, stamp(delivery.at), past.email, delivery.status.value,
             delivery.reason),
        )  # fmt: skip
