"""Sign in and see who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from secrets import token_hex
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.domain.texts import check_text, clean_text
from console.models.base import Records
from console.models.staff import Staff
from console.services import audit
from console.services.audit import Action
from console.services.desk import Colleague, Desk
from console.settings import Settings


class SignInRefused(ConsoleError):
    """The login and the password do not go together."""


@dataclass(frozen=True)
class TrainingSeat:
    """A colleague of the training co-op whom one click signs in."""

    login: str
    name: str
    role: Role


SHORTEST_PASSWORD: Final = 12
_LONGEST_PASSWORD: Final = 200
_UNKNOWN: Final = "(unknown)"
"""Stands on the trail for a login nobody has: people type passwords into the wrong field."""
_HASHER: Final = PasswordHasher()


def training_seats(records: Records) -> tuple[TrainingSeat, ...]:
    """List who may sign in with one click while training; nobody outside training."""
    with records.read() as db:
        seats = db.scalars(
            select(Staff).where(Staff.password_hash == "", Staff.dismissed.is_(False))
        ).all()
        order = {role: place for place, role in enumerate(Role)}
        return tuple(
            TrainingSeat(seat.login, seat.name, seat.role)
            for seat in sorted(seats, key=lambda seat: (order[seat.role], seat.name))
        )


def sign_in(
    records: Records, settings: Settings, login: str, password: str, workstation: str
) -> Colleague:
    """Check a login and password, and write the sign-in or its refusal on the trail."""
    if settings.training and not password:
        return sit_down(records, settings, login, workstation)
    return authenticate(records, login, password, workstation, Action.STAFF_SIGNED_IN)


def authenticate(
    records: Records, login: str, password: str, workstation: str, action: Action
) -> Colleague:
    """Check a login and password; unknown logins and wrong passwords look the same outside."""
    known = _tidy(login)
    with records.read() as db:
        staff = db.get(Staff, known)
        hashed = staff.password_hash if staff else ""
    # The work is the same whether anybody has this login or not.
    right = _matches(hashed or _nobodys_hash(), password) and bool(hashed)
    with records.begin() as db:
        staff = db.get(Staff, known)
        if staff is None or not right or staff.dismissed or staff.password_hash != hashed:
            who = _UNKNOWN if staff is None else staff.login
            audit.record_at_the_door(
                db, Action.STAFF_REFUSED, who, workstation, datetime.now(UTC), wanted=action
            )
            colleague = None
        else:
            if _HASHER.check_needs_rehash(hashed):
                staff.password_hash = _HASHER.hash(_bytes(password))
            colleague = Colleague(staff.login, staff.name, staff.role)
            audit.record_at_the_door(db, action, staff.login, workstation, datetime.now(UTC))
    if colleague is None:
        raise SignInRefused(
            "This login and password do not go together. Try again, or ask an administrator for a "
            "new password."
        )
    return colleague


def sit_down(records: Records, settings: Settings, login: str, workstation: str) -> Colleague:
    """Sign in to the training co-op without a password."""
    if not settings.training:
        raise SignInRefused("Only the training co-op lets you in without a password. Type yours.")
    with records.begin() as db:
        staff = db.get(Staff, _tidy(login))
        if staff is None or staff.password_hash or staff.dismissed:
            raise SignInRefused("Nobody sits at this desk of the training co-op. Choose another.")
        audit.record_at_the_door(
            db, Action.STAFF_SIGNED_IN, staff.login, workstation, datetime.now(UTC), training=True
        )
        return Colleague(staff.login, staff.name, staff.role)


def sign_out(desk: Desk) -> None:
    """Write on the trail that the colleague has left."""
    with desk.records.begin() as db:
        audit.record(db, desk, Action.STAFF_SIGNED_OUT)


def approve(desk: Desk, login: str, password: str) -> Colleague:
    """Check a supervisor's login and password given at another desk; a wrong one is audited.

    The seats of the training co-op have no password, so there any will do.
    """
    if desk.settings.training:
        with desk.records.read() as db:
            staff = db.get(Staff, _tidy(login))
            if staff is not None and not staff.password_hash and not staff.dismissed:
                return Colleague(staff.login, staff.name, staff.role)
    return authenticate(desk.records, login, password, desk.workstation, Action.NAME_APPROVAL_GIVEN)


def enrol(records: Records, login: str, name: str, role: Role, password: str, by: str) -> None:
    """Give a new colleague a login, or a known one a new name, role and password."""
    known = _tidy(login)
    if not known or not all(c.isalnum() or c in ".-_@" for c in known):
        raise ConsoleError("A login has letters, digits and .-_@ only. Choose another one.")
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise ConsoleError(
            f"A password of the staff has {SHORTEST_PASSWORD} characters or more. Choose a longer "
            "one."
        )
    hashed = _HASHER.hash(_bytes(password))
    words = check_text(name, 80, "The name")
    with records.begin() as db:
        staff = db.get(Staff, known)
        if staff is None:
            db.add(Staff(login=known, name=words, role=role, password_hash=hashed))
        else:
            staff.name, staff.role, staff.password_hash = words, role, hashed
            staff.dismissed = False
        audit.record_at_the_door(
            db, Action.STAFF_ENROLLED, by, "", datetime.now(UTC), login=known, role=role
        )


def _tidy(login: str) -> str:
    return clean_text(login, 60).lower()


def _bytes(password: str) -> bytes:
    return password[: _LONGEST_PASSWORD + 1].encode("utf-8", "surrogatepass")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(token_hex(16))
