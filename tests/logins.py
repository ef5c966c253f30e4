"""An office on PostgreSQL whose staff have real logins with real passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from console.domain.staff import Role
from console.models import roles, schema
from console.models import staff as logins
from console.models.base import Records
from console.services import staff
from console.services.staff import Entry
from console.settings import Settings

PASSWORD = "a long enough one"


@dataclass(frozen=True)
class Office:
    """A database, and the logins of its first colleagues."""

    url: str
    door: Records
    ada: str
    sue: str

    def enters(self, login: str, password: str = PASSWORD, workstation: str = "desk 3") -> Entry:
        """Sign in at the door."""
        return staff.enter(self.door, Settings(), login, password, workstation)

    def address(self, login: str, password: str = PASSWORD) -> str:
        """Answer the address of the database for one colleague."""
        return make_url(self.url).set(username=login, password=password).render_as_string(False)


def open_office(server: str, url: str) -> Office:
    """Give an administrator and a supervisor logins that nobody else on the server has."""
    demand_passwords(server)
    some = uuid4().hex[:8]
    ada, sue = f"ada.{some}", f"sue.{some}"
    records = schema.open_records(url)
    for login, name, role in (
        (ada, "Ada Whitfield", Role.ADMINISTRATOR),
        (sue, "Sue Abara", Role.SUPERVISOR),
    ):
        with records.begin() as db:
            made = logins.verifier(db, login, PASSWORD)
            logins.call(db, "staff_add", login=login, name=name, role=role, verifier=made)
    records.close()
    return Office(url, schema.name_only(url), ada, sue)


@contextmanager
def office_on(server: str, template: str) -> Iterator[Office]:
    """Found an office in a database of its own, and take it away afterwards."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        office = open_office(server, make_url(server).set(database=name).render_as_string(False))
        yield office
        office.door.close()
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


def demand_passwords(server: str) -> None:
    """Let the people of the office in with their passwords only, unlike the server's superuser."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        file = Path(str(connection.scalar(text("SHOW hba_file"))))
        wanted = "".join(
            f"{where} all +{group} {origin} scram-sha-256\n"
            for group in roles.PEOPLE
            for where, origin in (("local", ""), ("host", "samehost"))
        )
        said = file.read_text()
        if not said.startswith(wanted):
            file.write_text(wanted + said)
            connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
