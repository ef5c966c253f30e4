"""Set an empty PostgreSQL server up: the roles, the database, its tables, the first logins."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from console.domain.errors import ConsoleError
from console.models import roles
from console.models.base import Records

_BELONGS_TO: Final = text("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = :name")
_OTHERS: Final = text(
    "SELECT min(datname) FROM pg_database WHERE pg_get_userbyid(datdba) = :owner"
    " AND datname <> :name"
)


class CannotSetUp(ConsoleError):
    """The server cannot be set up like this; what was there is untouched."""


def make_database(server: Records, name: str) -> bool:
    """Make the groups and the office's database; answers whether there was none before."""
    with server.engine.begin() as connection:
        _check(connection, name)
        roles.make_groups(connection)
        owner = connection.scalar(_BELONGS_TO, {"name": name})
    if owner == roles.OWNER:
        return False
    if owner is not None:
        raise CannotSetUp(
            f"The server has a database “{name}” that belongs to “{owner}”. Choose another name "
            "with --name; nothing in it was changed."
        )
    with server.glance() as connection:
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        # Settings of this session only: the copy of an empty database may take its time.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql(
            f"CREATE DATABASE {quoted} OWNER {roles.OWNER} TEMPLATE template0 ENCODING 'UTF8'"
        )
    return True


def _check(connection: Connection, name: str) -> None:
    if connection.dialect.name != "postgresql":
        raise CannotSetUp(
            "Only a PostgreSQL server is set up. A database in a file is made with: "
            "coop-console database upgrade"
        )
    if connection.scalar(text("SELECT current_setting('is_superuser')")) != "on":
        raise CannotSetUp(
            "Setting a server up takes its superuser. Name one in --admin-url, such as "
            "postgresql://postgres@server/postgres."
        )
    other = connection.scalar(_OTHERS, {"owner": roles.OWNER, "name": name})
    if other is not None:
        raise CannotSetUp(
            f"This server holds the co-op “{other}” already. Logins belong to the whole server, so "
            "each co-op wants its own; nothing was changed."
        )


def address_of(admin_url: str, name: str) -> str:
    """Answer the address of the office's database for the superuser."""
    return make_url(admin_url).set(database=name).render_as_string(hide_password=False)


def has_login(db: Session, login: str) -> bool:
    """Tell whether the server has a login of this name."""
    asked = text("SELECT 1 FROM pg_roles WHERE rolname = :login")
    return db.scalar(asked, {"login": login}) is not None


def is_courier(db: Session, login: str) -> bool:
    """Tell whether a login is one of the couriers'."""
    asked = text(
        "SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        " JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = :login AND g.rolname = :courier"
    )
    return db.scalar(asked, {"login": login, "courier": roles.COURIER}) is not None


def add_courier(db: Session, login: str, verifier: str) -> None:
    """Make a login that carries errands."""
    from psycopg.sql import SQL, Identifier, Literal

    # The server takes no parameters in this statement.
    made = SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 40 PASSWORD {} IN ROLE {}").format(
        Identifier(login), Literal(verifier), Identifier(roles.COURIER)
    )
    db.connection().exec_driver_sql(made.as_string(None).replace("%", "%%"))
