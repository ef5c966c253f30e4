"""An office on a PostgreSQL of its own whose staff try with psql what they may not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy.engine import make_url

from console.domain.staff import Role
from console.models import schema, setting_up
from console.models import staff as logins
from console.models.base import Records
from console.services.setting_up import set_up_server
from tests.servers import find_debians, running_debians

PASSWORD = "a-password-of-this-test"
PEOPLE = {
    "pat": Role.REPRESENTATIVE,
    "sam": Role.REPRESENTATIVE,
    "cleo": Role.CLERK,
    "sue": Role.SUPERVISOR,
    "ana": Role.AUDITOR,
}
REPRESENTATIVE, CLERK, SUPERVISOR, AUDITOR, COURIER = "pat", "cleo", "sue", "ana", "carrier"
LOOKERS = (AUDITOR,)
CHANGERS = (REPRESENTATIVE, CLERK)
DESKS = (*CHANGERS, AUDITOR)
ALL = (*DESKS, COURIER)
NO_RIGHT = "42501"
RULE = "P0001"
CHECK = "23514"


@dataclass
class House:
    """An office on a server of its own, filled a little."""

    admin: str
    records: Records
    """As the superuser, who sets up and looks on."""

    def address(self, login: str) -> str:
        """Answer where one login reaches the office."""
        url = make_url(self.admin).set(username=login, password=PASSWORD)
        return url.render_as_string(hide_password=False)

    def psql(self, login: str) -> psycopg.Connection:
        """Sit down at psql with one's own login."""
        address = self.address(login).replace("postgresql+psycopg", "postgresql")
        return psycopg.connect(address, application_name="psql")

    def fingerprint(self) -> dict[str, str]:
        """Take in every row of every table, and everything that says who may do what."""
        with self.records.glance() as connection:
            tables = connection.exec_driver_sql(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).scalars()
            asked = [*tables, *_WHO_MAY_WHAT]
            return {
                one: str(
                    connection.exec_driver_sql(
                        f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) "
                        f"FROM {one} t"
                    ).scalar()
                )
                for one in asked
            }


_WHO_MAY_WHAT = (
    "pg_authid",
    "pg_auth_members",
    "pg_db_role_setting",
    "pg_database",
    "pg_namespace",
    "pg_trigger",
    "pg_largeobject_metadata",
    "(SELECT oid, proname, proacl, proowner, prosrc FROM pg_proc)",
    "(SELECT oid, relname, relacl, relowner, relrowsecurity FROM pg_class WHERE relkind <> 't')",
    "(SELECT attrelid, attname, attacl, attnotnull FROM pg_attribute WHERE attnum > 0)",
    "(SELECT name, setting FROM pg_settings WHERE source = 'configuration file')",
)


def furnished(request: pytest.FixtureRequest, fill: Callable[[Records], None]) -> Iterator[House]:
    """Set an office up with `database init`, on the server whose version is asked for."""
    if request.param == "15":
        find_debians()
        with running_debians() as server:
            yield from _furnished(server, fill)
    else:
        yield from _furnished(request.getfixturevalue("postgresql_server"), fill)


def _furnished(server: str, fill: Callable[[Records], None]) -> Iterator[House]:
    set_up_server(server, "attacked", "ada", COURIER, lambda _login: PASSWORD)
    address = setting_up.address_of(server, "attacked")
    records = schema.open_records(address)
    house = House(address, records)
    with records.begin() as db:
        for login, role in PEOPLE.items():
            made = logins.verifier(db, login, PASSWORD)
            name = login.capitalize()
            logins.call(db, "staff_add", login=login, name=name, role=role, verifier=made)
    fill(records)
    yield house
    records.close()
    admin = schema.connect(server)
    with admin.glance() as connection:
        connection.exec_driver_sql("DROP DATABASE attacked WITH (FORCE)")
        for login in (*PEOPLE, "ada", COURIER):
            connection.exec_driver_sql(f"DROP ROLE {login}")
    admin.close()


@dataclass(frozen=True)
class Attack:
    """What some of them try, in one transaction."""

    who: tuple[str, ...]
    statements: tuple[str, ...]
    refused_with: tuple[str, ...] = (NO_RIGHT,)


def attack(who: tuple[str, ...], *statements: str, also: tuple[str, ...] = ()) -> Attack:
    """Say who tries what, and how else than for want of a right it may be refused."""
    return Attack(who, statements, (NO_RIGHT, *also))


def try_(connection: psycopg.Connection, statements: tuple[str, ...]) -> None:
    """Say what they try, to the end of its transaction."""
    for statement in statements:
        connection.execute(statement.encode())
    connection.commit()


GROUPS = {
    REPRESENTATIVE: "console_representative",
    CLERK: "console_clerk",
    SUPERVISOR: "console_supervisor",
    AUDITOR: "console_auditor",
    COURIER: "console_courier",
}


def fails(
    house: House, attack: Attack, roles: Callable[[str], tuple[tuple[str, ...], ...]]
) -> None:
    """Have everybody try it, and look whether it is refused and nothing was changed."""
    before = house.fingerprint()
    for login in attack.who:
        for before_it in roles(login):
            with house.psql(login) as connection:
                with pytest.raises(psycopg.Error) as refusal:
                    try_(connection, (*before_it, *attack.statements))
                connection.rollback()
            assert refusal.value.sqlstate in attack.refused_with, (login, refusal.value)
    assert house.fingerprint() == before


def as_oneself_and_as_ones_group(login: str) -> tuple[tuple[str, ...], ...]:
    """Answer what is said before: whoever takes the role of their group has no more rights."""
    return (), (f"SET ROLE {GROUPS[login]}",)
