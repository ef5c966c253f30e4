"""Make-believe co-ops of any size, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.models import ledger, search
from console.models.accounts import Account
from console.models.base import Records
from console.models.bulk import count, fill, number_on, take_stock
from console.models.calls import Call
from console.models.members import Alert, FormerAddress, FormerName, Holder, Member, Note
from console.models.registration import Registration, RegistrationAttempt
from console.models.staff import Staff, names_of_staff
from console.models.verification import Delivery
from console.sandbox import demo_members as made

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

MOST_MEMBERS: Final = 5_000_000


class NotEmpty(ConsoleError):
    """The database already holds members."""


def create(
    records: Records, members: int, seed: int, now: datetime, progress: Progress | None = None
) -> dict[str, int]:
    """Fill an empty database with a co-op and answer how many of everything it holds.

    Raises NotEmpty when the database holds members already.
    """
    if not 1 <= members <= MOST_MEMBERS:
        raise ConsoleError(f"Choose between 1 and {MOST_MEMBERS:,} members.")
    if count(records, Member):
        raise NotEmpty(
            "This database already holds members, so nothing was added. Name a new or an empty "
            "one; what an interrupted run left behind is best deleted."
        )
    say = progress or (lambda _what, _done, _of: None)
    counts = {"members": 0, "accounts": 0}
    add_staff(records)
    for part in made.parts(members, seed, now):
        write(records, part)
        counts["members"] += len(part.members)
        counts["accounts"] += len(part.accounts)
        say("Making members", counts["members"], members)
    number_on(records, Member, Registration)
    ledger.open_all(records)
    take_stock(records)
    counts["search_keys"] = search.rebuild(records, progress)
    return counts


STAFF: Final = (
    ("riley", "Riley Osterholm", Role.REPRESENTATIVE),
    ("casey", "Casey Lindgard", Role.CLERK),
    ("sam", "Sam Thorfeld", Role.SUPERVISOR),
    ("avery", "Avery Kalwick", Role.AUDITOR),
    ("morgan", "Morgan Halbeck", Role.ADMINISTRATOR),
)
"""One colleague for each role; while training one click signs them in."""


def add_staff(records: Records) -> None:
    """Seat one made-up colleague for each role, without passwords."""
    with records.read() as db:
        seated = names_of_staff(db)
    fill(
        records,
        Staff,
        ("login", "name", "role", "password_hash", "dismissed", "version"),
        ((login, name, role, "", False, 1) for login, name, role in STAFF if login not in seated),
    )


def write(records: Records, part: made.Part) -> None:
    """Write the rows of one part, parents before children."""
    for record, columns, rows in (
        (Member, made.MEMBER_COLUMNS, part.members),
        (Account, made.ACCOUNT_COLUMNS, part.accounts),
        (Holder, made.HOLDER_COLUMNS, part.holders),
        (FormerName, made.NAME_COLUMNS, part.former_names),
        (FormerAddress, made.ADDRESS_COLUMNS, part.former_addresses),
        (Alert, made.ALERT_COLUMNS, part.alerts),
        (Note, made.NOTE_COLUMNS, part.notes),
        (Call, made.CALL_COLUMNS, part.calls),
        (Registration, made.REGISTRATION_COLUMNS, part.registrations),
        (RegistrationAttempt, made.ATTEMPT_COLUMNS, part.attempts),
        (Delivery, made.DELIVERY_COLUMNS, part.deliveries),
    ):
        if rows:
            fill(records, record, columns, rows)
