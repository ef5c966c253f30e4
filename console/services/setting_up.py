"""Set an empty PostgreSQL server up for the office; doing it twice harms nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from console.domain.staff import Role, check_login, check_password
from console.models import schema, setting_up
from console.models import staff as logins
from console.models.base import Records, connect
from console.models.setting_up import CannotSetUp
from console.models.staff import Staff
from console.services import audit
from console.services.audit import Action

AskPassword = Callable[[str], str]
"""Answers the password that a new login gets; called only when one is needed."""


@dataclass(frozen=True)
class SetUp:
    """What was made, and what was there already."""

    database: str
    created: bool
    administrator: str
    administrator_added: bool
    courier: str
    courier_added: bool


def set_up_server(
    admin_url: str, name: str, administrator: str, courier: str, ask_password: AskPassword
) -> SetUp:
    """Make what is missing: the groups, the database, its tables, the first logins.

    An empty `administrator` or `courier` asks for none.
    """
    first = check_login(administrator) if administrator else ""
    carrier = check_login(courier) if courier else ""
    server = connect(admin_url)
    try:
        created = setting_up.make_database(server, name)
    except DBAPIError as error:
        raise schema.why_not(admin_url, error) from error
    finally:
        server.close()
    records = schema.open_records(setting_up.address_of(admin_url, name))
    try:
        return SetUp(
            name,
            created,
            first,
            bool(first) and _add_administrator(records, first, ask_password),
            carrier,
            bool(carrier) and _add_courier(records, carrier, ask_password),
        )
    finally:
        records.close()


def _add_administrator(records: Records, login: str, ask_password: AskPassword) -> bool:
    with records.read() as db:
        known = db.get(Staff, login)
        if known is not None and not known.dismissed and setting_up.has_login(db, login):
            return False
    password = check_password(ask_password(login))
    with records.begin() as db:
        made = logins.verifier(db, login, password)
        logins.call(
            db, "staff_add", login=login, name=login, role=Role.ADMINISTRATOR, verifier=made
        )
        audit.record_at_the_door(
            db,
            Action.STAFF_ENROLLED,
            login,
            "",
            datetime.now(UTC),
            login=login,
            role=Role.ADMINISTRATOR,
        )
    return True


def _add_courier(records: Records, login: str, ask_password: AskPassword) -> bool:
    with records.read() as db:
        if setting_up.is_courier(db, login):
            return False
        if setting_up.has_login(db, login):
            raise CannotSetUp(
                f"The server has a login “{login}” already, and it is no courier's. Choose another "
                "name with --courier."
            )
    password = check_password(ask_password(login))
    with records.begin() as db:
        setting_up.add_courier(db, login, logins.verifier(db, login, password))
    return True
