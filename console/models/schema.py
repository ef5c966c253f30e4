"""Open a database: look which tables it has, create or upgrade them, or say why that cannot be."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from console.domain.errors import ConsoleError
from console.models import changes, problems, roles
from console.models.base import Record, Records, connect
from console.models.shares import lies_elsewhere

LATEST: Final = "0009"
"""The newest step in `migrations/versions`; a test holds the two together."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_UPGRADE_LOCK: Final = 0x636F6F70
"""“coop”: the advisory lock of the one console that upgrades."""


class CannotOpen(ConsoleError):
    """The database cannot be opened; nothing in it was changed."""


class NewerDatabase(CannotOpen):
    """A newer console made or upgraded this database."""


class Age(StrEnum):
    """How the tables of a database compare with what this console needs."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"


def open_records(url: str, *, upgrade_it: bool = True) -> Records:
    """Open a database, creating or upgrading its tables when it is new or older."""
    place = _address(url)
    if place.get_backend_name() == "sqlite":
        _look_at_file(place, may_create=upgrade_it)
    records = connect(url)
    try:
        _open(records, upgrade_it)
    except BaseException as error:
        records.close()
        if isinstance(error, DBAPIError):
            raise _why(place, error) from error
        raise
    changes.tell_others(records)
    return records


def is_postgresql(url: str) -> bool:
    """Tell whether an address names a server whose staff have logins of their own."""
    return _address(url).get_backend_name() == "postgresql"


def name_only(url: str) -> Records:
    """Answer the records at an address before anybody has signed in to them; asks nothing.

    A login in the address is left out: one that everybody shares would let nobody be told apart.
    """
    told = _address(url)
    place = URL.create(
        told.drivername, host=told.host, port=told.port, database=told.database, query=told.query
    )
    return connect(place.render_as_string(hide_password=False))


def age(records: Records) -> Age:
    """Tell how the tables of a database compare with what this console needs."""
    with records.engine.connect() as connection:
        return _age(connection)


def revision_at(url: str) -> str | None:
    """Answer which revision the tables at an address have; nothing when that cannot be told."""
    with suppress(CannotOpen, DBAPIError):
        place = _address(url)
        if place.get_backend_name() == "sqlite":
            _look_at_file(place, may_create=False)
        records = connect(url)
        try:
            with records.engine.connect() as connection:
                return _revision(connection)
        finally:
            records.close()
    return None


def every_record() -> MetaData:
    """Import every module of records and answer the tables they describe."""
    for module in iter_modules([str(Path(__file__).parent)]):
        if module.name not in ("schema", "migrations"):
            import_module(f"console.models.{module.name}")
    return Record.metadata


def _open(records: Records, upgrade_it: bool) -> None:
    found = age(records)
    if found is Age.CURRENT:
        return
    _refuse_strangers(found)
    if not upgrade_it:
        raise CannotOpen(
            "This database has no tables yet. Create them with: coop-console database upgrade"
            if found is Age.EMPTY
            else "This database was made by an older console. Upgrade it with: "
            "coop-console database upgrade"
        )
    _upgrade(records)


def _refuse_strangers(found: Age) -> None:
    if found is Age.NEWER:
        raise NewerDatabase(
            "This database was made by a newer console. Update the console on this workstation; "
            "nothing in the database was changed."
        )
    if found is Age.FOREIGN:
        raise CannotOpen(
            "This database belongs to another program: it has tables, and none of them are the "
            "console's. Choose another one; nothing in it was changed."
        )


def _age(connection: Connection) -> Age:
    revision = _revision(connection)
    if revision == LATEST:
        return Age.CURRENT
    if revision is not None:
        return Age.OLDER if revision in _steps() else Age.NEWER
    return Age.FOREIGN if inspect(connection).get_table_names() else Age.EMPTY


def _revision(connection: Connection) -> str | None:
    # One question, and none of Alembic, which takes a third of a second to import.
    question = (
        "SELECT count(*) FROM sqlite_schema WHERE name = 'alembic_version'"
        if connection.dialect.name == "sqlite"
        else "SELECT CASE WHEN to_regclass('alembic_version') IS NULL THEN 0 ELSE 1 END"
    )
    if not connection.scalar(text(question)):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def _steps() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def _upgrade(records: Records) -> None:
    """Upgrade in one transaction that holds every other console back until it is done."""
    engine = records.engine.execution_options(console_writes=True)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            # Of the transaction, not of the session: that one would outlive the pool.
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            roles.act_as_owner(connection)
        found = _age(connection)
        _refuse_strangers(found)
        if found is not Age.CURRENT:
            migrate(connection)


def migrate(connection: Connection) -> None:
    """Bring the tables of a database up to date, in whoever's transaction this is."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _address(url: str) -> URL:
    try:
        place = make_url(url)
        backend = place.get_backend_name()
    except (ArgumentError, ValueError, NoSuchModuleError) as error:
        raise CannotOpen(
            "The address of the database cannot be read. Write it like "
            "sqlite:///C:/co-op/office.db or postgresql://server/coop."
        ) from error
    if backend not in ("sqlite", "postgresql"):
        raise CannotOpen(
            f"The console works with SQLite and PostgreSQL, not with “{backend[:30]}”. Write the "
            "address like sqlite:///C:/co-op/office.db or postgresql://server/coop."
        )
    if backend == "sqlite" and place.database in (None, "", ":memory:"):
        raise CannotOpen(
            "This address names no file, so everything would be forgotten. Write it like "
            "sqlite:///C:/co-op/office.db."
        )
    return place


def _look_at_file(place: URL, *, may_create: bool) -> None:
    name = str(place.database)
    if "\0" in name:
        raise CannotOpen("The name of the database file has a character no file can have.")
    # SQLite's own way of writing it says more than a path, and the rest of it is SQLite's to judge.
    in_full = name.startswith("file:")
    file = _named_by(name) if in_full else Path(name)
    try:
        if lies_elsewhere(file):
            raise CannotOpen(
                f"“{file.name[:80]}” lies on another machine's disk. Over a network its locks "
                "cannot be trusted, and the file would be damaged sooner or later. Keep it on this "
                "machine, or share a PostgreSQL server with the other desks (docs/server.md)."
            )
        if in_full:
            return
        _look_at(file, may_create)
    except OSError as error:
        raise CannotOpen(
            f"The database file “{file.name[:80]}” cannot be used here: "
            f"{(error.strerror or 'it is out of reach').lower()}. Choose another place for it."
        ) from error


def _named_by(name: str) -> Path:
    from urllib.request import url2pathname

    return Path(url2pathname(name.removeprefix("file:").removeprefix("//localhost")))


def _look_at(file: Path, may_create: bool) -> None:
    if file.is_dir():
        raise CannotOpen(f"“{file.name}” is a folder. Name the database file in it.")
    if file.exists():
        with file.open("rb") as opened:
            beginning = opened.read(16)
        if beginning and beginning != b"SQLite format 3\0":
            raise CannotOpen(
                f"“{file.name}” is not a database. Choose another file; this one was left as it is."
            )
        return
    if not file.parent.is_dir():
        raise CannotOpen(
            f"There is no folder “{file.parent}”. Create it, or choose another place for the "
            "database."
        )
    if not may_create:
        raise CannotOpen(
            f"There is no database “{file.name}” in that folder. Look for it in another one, or "
            "create it with: coop-console database upgrade"
        )
    # Nobody else on this machine is to read the members; the mode counts from the first moment.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


_NOT_ACCEPTED: Final = (
    "The database server does not accept this login or its password. Sign in again."
)
_NO_SUCH_DATABASE: Final = (
    "The server has no database of this name. Ask whoever looks after it to create it."
)
_MAY_NOT_CREATE: Final = (
    "This login may not create or upgrade the tables. Ask whoever looks after the database to run: "
    "coop-console database upgrade"
)
_BUSY: Final = (
    "Another program holds the database. Close it, or wait until it is done, and open the console "
    "again."
)
_SERVER_SAID: Final = (
    # While connecting the driver tells no code, only the server's sentence.
    ("password authentication failed", _NOT_ACCEPTED),
    ("no password supplied", _NOT_ACCEPTED),
    ("no pg_hba.conf entry", _NOT_ACCEPTED),
    ("role", _NOT_ACCEPTED),
    ("does not exist", _NO_SUCH_DATABASE),
)


def why_not(url: str, error: DBAPIError) -> Exception:
    """Say why the server at an address could not be used, or give a bug back as it is."""
    return _why(_address(url), error)


def _why(place: URL, error: DBAPIError) -> Exception:
    """Say why a database could not be opened, or give a bug back as it is."""
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str) and state == "42501":
        return CannotOpen(_MAY_NOT_CREATE)
    trouble = problems.in_words(error)
    if place.get_backend_name() == "postgresql" and isinstance(trouble, problems.DatabaseAway):
        said = str(error.orig)
        answered = next((words for part, words in _SERVER_SAID if part in said), None)
        return CannotOpen(
            answered
            or f"The database server “{place.host or 'on this machine'}” does not answer. Check "
            "the network, and the address in the settings."
        )
    if isinstance(trouble, problems.DatabaseBusy):
        return CannotOpen(_BUSY)
    return CannotOpen(*trouble.args) if trouble else error
