"""The declarative base, the connection to the office's database, and word of what changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from sqlite3 import OperationalError
from time import monotonic, sleep
from typing import Any, Final, TypeVar, cast
from uuid import uuid4
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Connection,
    CursorResult,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Update,
    create_engine,
    event,
)  # fmt: skip
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, Dialect
from sqlalchemy.exc import OperationalError as OperationalTrouble
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    declared_attr,
    mapped_column,
    sessionmaker,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from console.domain.audit import seal
from console.domain.money import Money
from console.models.encryption import encrypted
from console.models.patience import Switchboard
from console.models.problems import MAYBE_SAVED, DatabaseAway, in_words, told_in_words

E = TypeVar("E", bound=StrEnum)

SQLITE_PATIENCE_MILLISECONDS = 5000
"""How long a writer waits for another one on SQLite before it gives up."""

REACH_SECONDS = 4.0
"""How long a transaction that has said nothing yet looks for a server that takes it."""

Announce = Callable[[frozenset[str]], None]
Witness = Callable[[Session, frozenset[str]], None]


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


class Versioned:
    """What several people may edit: writing over somebody's newer edit fails."""

    version: Mapped[int] = mapped_column(default=1, sort_order=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, object]:  # noqa: N805  # a directive is given the class
        return {"version_id_col": cls.version}


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


class Choice(TypeDecorator[E]):
    """One word of an enumeration in a text column."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[E], length: int) -> None:
        super().__init__(length)
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.words(value)


@dataclass(slots=True)
class Acting:
    """Who acts through one connection just now; what SQLite's triggers ask."""

    staff: str = ""
    workstation: str = ""
    audited: bool = True


class Records:
    """The office's database: read it, or change it in one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.origin = str(uuid4())
        """Marks what this console commits, so that it does not hear itself."""
        self._read = sessionmaker(_for_reading(engine))
        self._write = sessionmaker(engine.execution_options(console_writes=True))
        self._listeners: list[Announce] = []
        self._listening = threading.Lock()
        self._witnesses: list[Witness] = []
        self._who = ("", "")
        self._told = threading.local()
        event.listen(self._write, "after_begin", _say_who)
        event.listen(self._write, "loaded_as_persistent", _hold)
        event.listen(self._write, "after_flush", _note_touched)
        event.listen(self._write, "before_commit", self._call_witnesses)
        event.listen(self._write, "after_commit", self._tell)
        event.listen(self._write, "after_rollback", _forget_touched)

    def signed(self, staff: str, workstation: str) -> Records:
        """Answer these records for one person: what they change bears their login and desk."""
        signed = copy(self)
        signed._who = (staff, workstation)
        return signed

    @property
    def writes_begun(self) -> int:
        """How many transactions that write this thread has begun, ever."""
        return int(getattr(self._told, "times", 0))

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction that writes; it commits at the end of the block."""
        with told_in_words(), self._write(info={"who": self._who}) as db:
            _reach(db)
            self._told.times = self.writes_begun + 1
            yield db
            db.flush()  # what goes wrong here is not saved for sure
            with told_in_words(away=MAYBE_SAVED):
                db.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading one consistent picture."""
        with told_in_words(), self._read() as db:
            _reach(db)
            yield db
            db.expunge_all()  # nothing read here is written
            db.commit()  # a connection that rolls back forgets the statements it has prepared

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Open a bare connection for single quick questions, with no transaction around them."""
        with told_in_words(), _patiently(self.engine, self.engine.connect) as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def on_change(self, announce: Announce) -> Callable[[], None]:
        """Call `announce` after each commit with the names of what it touched.

        It is called on the thread that committed, until what is answered here is called.
        """
        with self._listening:
            self._listeners.append(announce)

        def stop() -> None:
            with self._listening:
                if announce in self._listeners:
                    self._listeners.remove(announce)

        return stop

    def before_commit(self, witness: Witness) -> None:
        """Call `witness` in each transaction that touched something, just before it commits."""
        self._witnesses.append(witness)

    def announce(self, names: frozenset[str]) -> None:
        """Tell the listeners that these names were touched, here or elsewhere."""
        with self._listening:
            listeners = tuple(self._listeners)
        for announce in listeners:
            announce(names)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _call_witnesses(self, session: Session) -> None:
        session.flush()  # the commit would do it only after this
        touched = session.info.get("touched")
        if touched:
            for witness in self._witnesses:
                witness(session, frozenset(touched))

    def _tell(self, session: Session) -> None:
        touched = session.info.pop("touched", None)
        if touched:
            self.announce(frozenset(touched))


def unaudited(connection: Connection) -> None:
    """Let a transaction fill tables without a line on the trail for every row.

    PostgreSQL grants this to superusers only.
    """
    if connection.dialect.name == "sqlite":
        connection.info["acting"].audited = False
    else:
        connection.exec_driver_sql("SELECT set_config('console.auditing', 'off', true)")


def touch(db: Session, *names: str) -> None:
    """Announce `names` when this transaction commits; for statements that bypass the records."""
    db.info.setdefault("touched", set()).update(names)


def change_where(db: Session, statement: Update) -> int:
    """Change rows by their state and answer how many were still in it; announces nothing."""
    changed = db.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", changed).rowcount


def connect(url: str) -> Records:
    """Connect to a database without creating or checking anything in it."""
    kind = make_url(url)
    if kind.get_backend_name() == "postgresql":
        return Records(_postgresql(kind.set(drivername="postgresql+psycopg")))
    engine = create_engine(kind)
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    return Records(engine)


_LIBPQ: Final = {
    # A server whose packets are dropped keeps a desk waiting for four seconds, not for ever.
    "connect_timeout": "2",
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "2",
    "tcp_user_timeout": "1500",
    "target_session_attrs": "read-write",
}
_DEADLINES: Final = (
    "-c statement_timeout=15s -c lock_timeout=8s -c idle_in_transaction_session_timeout=60s"
)
"""A proxy that swallows bytes is seen by no keepalive: the server gives up by itself."""


def _postgresql(kind: URL) -> Engine:
    query = {**_LIBPQ, **encrypted(kind).query}
    own = query.get("options", "")
    query["options"] = f"{_DEADLINES} {own if isinstance(own, str) else ' '.join(own)}".strip()
    engine = create_engine(kind.set(query=query), pool_pre_ping=True, pool_size=6, max_overflow=4)
    switchboard = Switchboard()

    @event.listens_for(engine, "do_connect")
    def open_patiently(
        _dialect: Dialect, _entry: ConnectionPoolEntry, _words: list[Any], wanted: dict[str, Any]
    ) -> Any:
        return switchboard.connect(**(wanted | _NEW_PASSWORDS.get(engine, {})))

    return engine


_NEW_PASSWORDS: WeakKeyDictionary[Engine, dict[str, str]] = WeakKeyDictionary()


def connect_with(engine: Engine, password: str) -> None:
    """Open every further connection of an engine with another password."""
    _NEW_PASSWORDS[engine] = {"password": password}


def _may_pass(error: OperationalTrouble) -> bool:
    # A wrong password is refused by a server that is well; it does not get better with time.
    said = str(error.orig)
    refused = "FATAL:" in said and "database system is" not in said
    return isinstance(in_words(error), DatabaseAway) and not refused


def _reach(db: Session) -> None:
    def connection() -> Connection:
        try:
            return db.connection()
        except OperationalTrouble:
            db.rollback()
            raise

    _patiently(db.get_bind(), connection)


def _patiently(bind: Engine | Connection, connect: Callable[[], Connection]) -> Connection:
    # Nothing has been said yet, so asking again is safe; a standby needs a moment to take over.
    until = monotonic() + (REACH_SECONDS if bind.dialect.name == "postgresql" else 0)
    while True:
        try:
            return connect()
        except OperationalTrouble as error:
            if not _may_pass(error) or monotonic() >= until:
                raise
            sleep(0.1)


def _for_reading(engine: Engine) -> Engine:
    """Let all questions of one reading session see the same moment; SQLite does so by itself."""
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


_PRAGMAS: Final = ("synchronous = full", "foreign_keys = on", "recursive_triggers = on")
"""What was committed must outlive a power cut: a payment is sent after the commit that says so.
Larger caches and mapped files were measured: a look-up is no quicker, the console four times as
large."""


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def tune(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        # The driver's own transactions begin too late: SQLAlchemy's begin event says BEGIN below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"pragma busy_timeout = {SQLITE_PATIENCE_MILLISECONDS}")
        _write_ahead(cursor)
        for pragma in _PRAGMAS:
            cursor.execute(f"pragma {pragma}")
        cursor.close()
        entry.info["acting"] = acting = Acting()
        connection.create_function("console_staff", 0, lambda: acting.staff)
        connection.create_function("console_workstation", 0, lambda: acting.workstation)
        connection.create_function("console_audited", 0, lambda: acting.audited)
        connection.create_function("console_seal", -1, _seal)

    @event.listens_for(engine, "checkin")
    def forget_who(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        acting = entry.info.get("acting")
        if acting is not None:
            acting.staff, acting.workstation, acting.audited = "", "", True

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails as soon as two desks do it.
        writes = connection.get_execution_options().get("console_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _seal(*fields: str | int | None) -> str:
    return seal(fields)


def _say_who(session: Session, _transaction: object, connection: Connection) -> None:
    staff, workstation = session.info.get("who", ("", ""))
    if not staff:
        return
    if connection.dialect.name == "sqlite":
        acting = connection.info["acting"]
        acting.staff, acting.workstation = staff, workstation
    elif _is_superuser(connection):
        # Everybody else acts under their own login, and the database knows it.
        connection.exec_driver_sql(
            "SELECT set_config('console.staff', %s, true),"
            " set_config('console.workstation', %s, true)",
            (staff, workstation),
        )


def _is_superuser(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return bool(driver.info.parameter_status("is_superuser") == "on")


def _write_ahead(cursor: DBAPICursor) -> None:
    # The change to write-ahead logging does not wait its turn when two consoles create the file.
    for pause in (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, None):
        try:
            cursor.execute("pragma journal_mode = wal")
        except OperationalError as error:
            if pause is None or "locked" not in str(error):
                raise
            sleep(pause)
        else:
            return


def _hold(session: Session, record: Record) -> None:
    """Keep what a transaction has read until it ends.

    A session forgets what nobody holds. Read again, a row may be newer than the one that was
    looked at, and writing on it would silently undo what somebody else wrote between.
    """
    session.info.setdefault("held", []).append(record)


def _note_touched(session: Session, _context: object) -> None:
    for record in (*session.new, *session.dirty, *session.deleted):
        touch(session, *record.touches())


def _forget_touched(session: Session) -> None:
    session.info.pop("touched", None)
