"""`staff`: add, change, dismiss and list colleagues from a shell."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError
from console.domain.staff import Role, login_from

if TYPE_CHECKING:
    from console.services.desk import Desk
    from console.services.staff import StaffRow

NEW_PASSWORD = "COOP_CONSOLE_NEW_PASSWORD"  # noqa: S105  # the name of a variable
"""Names the variable that holds a new colleague's password, for scripts."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that look after the staff."""
    parser = commands.add_parser("staff", help="add, change, dismiss and list colleagues")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    roles = [role.value for role in Role]
    add = acts.add_parser(
        "add",
        help="give a new colleague a login",
        description="Give a new colleague a login. Their first password is asked for, or taken "
        f"from the variable {NEW_PASSWORD}.",
    )
    add.add_argument("name", metavar="NAME", help="first and last name")
    add.add_argument("--login", metavar="L", help="what they type to sign in; else from the name")
    add.add_argument("--role", choices=roles, required=True)
    add.set_defaults(run=_add)
    role = acts.add_parser("role", help="give a colleague another role")
    role.add_argument("login", metavar="LOGIN")
    role.add_argument("role", metavar="ROLE", choices=roles, help=", ".join(roles))
    role.set_defaults(run=_role)
    dismiss = acts.add_parser("dismiss", help="let a colleague sign in no more")
    dismiss.add_argument("login", metavar="LOGIN")
    dismiss.set_defaults(run=_dismiss)
    everybody = acts.add_parser("list", help="say who works here and where each is signed in")
    everybody.set_defaults(run=_list)
    for act in (add, role, dismiss, everybody):
        act.add_argument("--database", metavar="URL", help="the training co-op without it")
        act.add_argument("--json", action="store_true", help="one JSON object")


@contextmanager
def _desk(url: str | None) -> Iterator[Desk]:
    """Sit down as whoever may look after the staff of this database from a shell.

    On PostgreSQL that is the login of the address, and the database decides; who can write the
    file of an SQLite database needs no other leave.
    """
    from console.cli.database import opened
    from console.clients.portal import Portal
    from console.models import staff as logins
    from console.services.desk import Colleague, Desk
    from console.settings import Settings

    with opened(url) as records:
        login, role = f"{getpass.getuser()} (shell)", Role.ADMINISTRATOR
        if records.engine.dialect.name == "postgresql":
            if not logins.has_logins(records):
                raise ConsoleError(
                    "This address signs in as the server's superuser, who is nobody of the office. "
                    "Name an administrator's login in it, such as postgresql://ada@server/coop; "
                    "the first one is made with: coop-console database init"
                )
            with records.glance() as connection:
                person = logins.person_of(connection)
            login, role = person.login, person.role or Role.AUDITOR
        portal = Portal("", "", "")
        yield Desk(
            records,
            portal,
            Colleague(login[:60], login, role),
            Settings(training=url is None),
            socket.gethostname(),
        )
        portal.close()


def _add(asked: argparse.Namespace) -> int:
    from console.services import staff

    login = asked.login or login_from(asked.name)
    with _desk(asked.database) as desk:
        password = "" if desk.settings.training else _new_password(asked.name)
        known = staff.add(desk, login, asked.name, Role(asked.role), password)
    _tell(asked, {"login": known, "name": asked.name, "role": asked.role, "ok": True})
    print(f"{asked.name} can sign in as “{known}” now.", file=sys.stderr)
    return 0


def _role(asked: argparse.Namespace) -> int:
    from console.services import staff

    with _desk(asked.database) as desk:
        staff.change_role(desk, asked.login, Role(asked.role))
    _tell(asked, {"login": asked.login, "role": asked.role, "ok": True})
    print(f"“{asked.login}” has the role {asked.role} now.", file=sys.stderr)
    return 0


def _dismiss(asked: argparse.Namespace) -> int:
    from console.services import staff

    with _desk(asked.database) as desk:
        staff.dismiss(desk, asked.login)
    _tell(asked, {"login": asked.login, "dismissed": True, "ok": True})
    print(f"“{asked.login}” can sign in no more.", file=sys.stderr)
    return 0


def _list(asked: argparse.Namespace) -> int:
    from console.services import staff

    with _desk(asked.database) as desk:
        everybody = staff.everybody(desk)
    if asked.json:
        _tell(asked, {"staff": [_as_json(one) for one in everybody], "ok": True})
        return 0
    widest = max((len(one.login) for one in everybody), default=0)
    for one in everybody:
        places = ", ".join(seat.workstation for seat in one.seats)
        state = "dismissed" if one.dismissed else f"signed in at {places}" if places else ""
        print(f"{one.login:{widest}}  {one.role:14}  {one.name}  {state}".rstrip())
    return 0


def _as_json(one: StaffRow) -> dict[str, object]:
    return {
        "login": one.login,
        "name": one.name,
        "role": one.role.value,
        "dismissed": one.dismissed,
        "signed_in": [
            {
                "workstation": seat.workstation,
                "address": seat.address,
                "since": seat.since.isoformat(),
            }
            for seat in one.seats
        ],
    }


def _new_password(name: str) -> str:
    given = os.environ.get(NEW_PASSWORD)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ConsoleError(
            f"Nobody is here to be asked for a password. Put {name}’s first one into the variable "
            f"{NEW_PASSWORD}."
        )
    return getpass.getpass(f"First password of {name} (it is not shown): ")


def _tell(asked: argparse.Namespace, told: dict[str, object]) -> None:
    if asked.json:
        print(json.dumps(told, ensure_ascii=False))
