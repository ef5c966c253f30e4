"""The staff of the office: the directory, and on PostgreSQL the logins behind it.

On PostgreSQL a colleague is a login of the server. Only the definer functions of the database
make, change and dismiss one; what is sent to them is a verifier, never a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, String, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.staff import Role
from console.models.base import Choice, Record, Records, Versioned, connect, touch

_NOT_LET_IN: Final = (
    "password authentication failed",
    "not permitted to log in",
    "does not exist",
    "no password supplied",
)


class NotLetIn(Exception):
    """The database server does not take this login with this password."""


class Staff(Versioned, Record):
    """A colleague who may sign in, or who left."""

    __tablename__ = "staff"

    login: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(Choice(Role, 20))
    password_hash: Mapped[str] = mapped_column(String(200), deferred=True)
    """Argon2id; empty for a training colleague, who signs in with one click.

    Read only where it is asked for: PostgreSQL lets nobody see it.
    """
    dismissed: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True)
class Person:
    """Whom the database takes a login for."""

    login: str
    name: str
    role: Role | None


@dataclass(frozen=True)
class Connected:
    """One console that is signed in to the database."""

    login: str
    workstation: str
    address: str
    since: datetime


def names_of_staff(db: Session) -> dict[str, str]:
    """The name behind each login, for saying who did something."""
    return {row.login: row.name for row in db.execute(select(Staff.login, Staff.name))}


# The logins of PostgreSQL


def has_logins(records: Records) -> bool:
    """Tell whether staff sign in to this database with logins of its own.

    A superuser's connection belongs to nobody of the office: it sets databases up.
    """
    engine = records.engine
    if engine.dialect.name != "postgresql":
        return False
    if engine.url.username is None:
        return True
    with records.glance() as connection:
        return bool(connection.scalar(text("SELECT current_setting('is_superuser') <> 'on'")))


def address_for(office: Records, login: str, password: str, workstation: str) -> str:
    """Answer the address at which one person reaches the office's database."""
    url = office.engine.url.set(username=login, password=password)
    query = {**url.query, "application_name": workstation[:63]}
    return url.set(query=query).render_as_string(hide_password=False)


def identify(address: str) -> Person:
    """Ask the database for whom it takes the login of an address; raises NotLetIn."""
    records = connect(address)
    try:
        with records.glance() as connection:
            return person_of(connection)
    except Exception as error:
        if was_refused(error):
            raise NotLetIn from error
        raise
    finally:
        records.close()


def person_of(connection: Connection) -> Person:
    """Answer who is connected: the role is the group, the name stands in the directory."""
    login, group = connection.execute(
        text(
            "SELECT session_user, (SELECT min(g.rolname) FROM pg_auth_members m "
            "JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member "
            "WHERE u.rolname = session_user AND g.rolname = ANY(:groups))"
        ),
        {"groups": [group_of(role) for role in Role]},
    ).one()
    if group is None:  # and may read nothing
        return Person(login, login, None)
    named = text("SELECT name FROM staff WHERE login = session_user")
    role = Role(group.removeprefix("console_"))
    return Person(login, connection.scalar(named) or login, role)


def group_of(role: Role) -> str:
    """Name the group of logins that has a role's rights."""
    return f"console_{role.value}"


def was_refused(error: BaseException) -> bool:
    """Tell whether a connection failed because of who asked for it."""
    while not isinstance(error, DBAPIError):
        if error.__cause__ is None:
            return False
        error = error.__cause__
    # A connection that never came about has no code, only the server's sentence.
    said = str(error.orig).lower()
    return getattr(error.orig, "sqlstate", None) is None and any(
        part in said for part in _NOT_LET_IN
    )


def verifier(db: Session, login: str, password: str) -> str:
    """Compute what the server keeps of a password, here, so that it never travels."""
    driver: Any = db.connection().connection.driver_connection
    made: bytes = driver.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    )
    return made.decode("ascii")


def call(db: Session, function: str, **given: str) -> None:
    """Have a definer function of the staff do its work, and tell the other desks of it."""
    named = ", ".join(f"{name} => :{name}" for name in given)  # names of our own
    db.execute(text(f"SELECT {function}({named})"), given)
    touch(db, "Staff")


def change_own_password(db: Session, login: str, password: str) -> None:
    """Give the session's own login a new password."""
    from psycopg.sql import Literal

    # The server takes no parameters in this statement.
    made = Literal(verifier(db, login, password)).as_string(None)
    db.connection().exec_driver_sql(f"ALTER ROLE CURRENT_USER PASSWORD {made}")


def sessions(db: Session) -> tuple[Connected, ...]:
    """List the consoles that are connected to the database just now."""
    rows = db.execute(
        text("SELECT login, workstation, address, since FROM staff_signed_in() ORDER BY since")
    )
    return tuple(
        Connected(row.login, row.workstation or "", row.address or "", row.since) for row in rows
    )
