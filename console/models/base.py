"""The declarative base, the connection to the office's database, and word of what changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from console.domain.money import Money

SQLITE_PATIENCE_MILLISECONDS = 5000
"""How long a writer waits for another one on SQLite before it gives up."""

Announce = Callable[[frozenset[str]], None]


class Record(DeclarativeBase):
    """Base of every stored record."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    def touches(self) -> frozenset[str]:
        """Name what a change of this record concerns: its class, its member, its account."""
        names = {type(self).__name__}
        member_id = getattr(self, "member_id", None)
        account_number = getattr(self, "account_number", None)
        if member_id is not None:
            names.add(f"member:{member_id}")
        if account_number is not None:
            names.add(f"account:{account_number}")
        return frozenset(names)


class Cents(TypeDecorator[Money]):
    """Money in an integer column."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:
        return None if value is None else value.cents

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:
        return None if value is None else Money(value)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Records:
    """The office's database: read it, or change it in one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._read = sessionmaker(engine)
        self._write = sessionmaker(engine.execution_options(console_writes=True))
        self._listeners: list[Announce] = []
        self._listening = threading.Lock()
        event.listen(self._write, "after_flush", _note_touched)
        event.listen(self._write, "after_commit", self._tell)
        event.listen(self._write, "after_rollback", _forget_touched)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction that writes; it commits at the end of the block."""
        with self._write.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading one consistent picture."""
        with self._read() as db:
            yield db

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Open a bare connection for single quick questions, with no transaction around them."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def on_change(self, announce: Announce) -> None:
        """Call `announce` after each commit with the names of what it touched.

        It is called on the thread that committed.
        """
        with self._listening:
            self._listeners.append(announce)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _tell(self, session: Session) -> None:
        touched = session.info.pop("touched", None)
        if touched:
            with self._listening:
                listeners = tuple(self._listeners)
            for announce in listeners:
                announce(frozenset(touched))


def touch(db: Session, *names: str) -> None:
    """Announce `names` when this transaction commits; for statements that bypass the records."""
    db.info.setdefault("touched", set()).update(names)


def connect(url: str) -> Records:
    """Connect to a database without creating or checking anything in it."""
    kind = make_url(url)
    options: dict[str, Any] = {}
    if kind.get_backend_name() == "postgresql":
        kind = kind.set(drivername="postgresql+psycopg")
        options = {"pool_pre_ping": True, "pool_size": 6, "max_overflow": 4}
    engine = create_engine(kind, **options)
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    return Records(engine)


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transactions begin too late: SQLAlchemy's begin event says BEGIN below.
        connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own attribute
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {SQLITE_PATIENCE_MILLISECONDS}",
            "journal_mode = wal",
            "synchronous = normal",
            "foreign_keys = on",
            "recursive_triggers = on",
        ):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails as soon as two desks do it.
        writes = connection.get_execution_options().get("console_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _note_touched(session: Session, _context: object) -> None:
    for record in (*session.new, *session.dirty, *session.deleted):
        touch(session, *record.touches())


def _forget_touched(session: Session) -> None:
    session.info.pop("touched", None)
