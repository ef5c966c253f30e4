"""Sign in, and look after who may.

On PostgreSQL signing in to the console is signing in to the database, and the database decides;
elsewhere the table of the staff does, with argon2.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from secrets import choice, token_bytes
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.errors import ConsoleError
from console.domain.staff import (
    LONGEST_LOGIN,
    LONGEST_PASSWORD,
    Role,
    can_be_typed,
    check_login,
    check_password,
)
from console.domain.texts import check_text, clean_text
from console.models import schema
from console.models import staff as logins
from console.models.audit import AuditEntry
from console.models.base import Records, connect_with
from console.models.courier import may_carry
from console.models.problems import DatabaseAway, Stale
from console.models.staff import NotLetIn, Staff
from console.services import audit
from console.services.audit import Action
from console.services.desk import Colleague, Desk
from console.settings import Settings

_REFUSED: Final = (
    "This login and password do not go together. Try again, or ask an administrator for a new "
    "password."
)


class SignInRefused(ConsoleError):
    """The login and the password do not go together."""


class WrongPassword(SignInRefused):
    """The password is not the one of this login, or nobody has the login: nobody is told which."""

    def __init__(self, words: str = _REFUSED) -> None:
        super().__init__(words)


class AdministratorsOnly(ConsoleError):
    """Only an administrator looks after the staff."""


class NotPossible(ConsoleError):
    """The office would be left without somebody it needs, or somebody is not there."""


class NameMissing(ConsoleError):
    """The colleague has no name that could be read on a list or on the trail."""


class LoginTaken(NotPossible):
    """Somebody of the office has this login already."""


class SentAway(ConsoleError):
    """The colleague may not go on at this desk."""


@dataclass(frozen=True)
class TrainingSeat:
    """A colleague of the training co-op whom one click signs in."""

    login: str
    name: str
    role: Role


@dataclass(frozen=True)
class Entry:
    """Somebody who has signed in, and the records they work with from now on."""

    colleague: Colleague
    records: Records


@dataclass(frozen=True)
class Seat:
    """One console at which a colleague is signed in."""

    workstation: str
    since: datetime
    address: str = ""


@dataclass(frozen=True)
class StaffRow:
    """A colleague on the list of the staff."""

    login: str
    name: str
    role: Role
    dismissed: bool
    seats: tuple[Seat, ...] = ()

    @property
    def since(self) -> datetime | None:
        """When the colleague signed in first of where they are signed in now."""
        return min((seat.since for seat in self.seats), default=None)


_UNKNOWN: Final = "(unknown)"
"""Stands on the trail for a login nobody has: people type passwords into the wrong field."""
_HASHER: Final = PasswordHasher()
_A_LONG_DAY: Final = timedelta(hours=18)
"""A sign-in without an end that is older belongs to a console that died."""
_READABLE: Final = "abcdefghjkmnpqrstuvwxyz23456789"


# Signing in


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


def enter(
    records: Records, settings: Settings, login: str, password: str, workstation: str
) -> Entry:
    """Sign in, and answer the records that bear this colleague's login."""
    if settings.training or not logins.has_logins(records):
        return Entry(sign_in(records, settings, login, password, workstation), records)
    colleague = _ask_server(records, login, password, workstation)
    own = _own_records(records, colleague.login, password, workstation)
    try:
        with own.begin() as db:
            audit.record_at_the_door(
                db, Action.STAFF_SIGNED_IN, colleague.login, workstation, datetime.now(UTC)
            )
        # Asked for later, in the middle of a reading, it would take a second connection.
        may_carry(own)
    except BaseException:
        own.close()
        raise
    return Entry(colleague, own)


def _own_records(records: Records, login: str, password: str, workstation: str) -> Records:
    address = logins.address_for(records, login, password, workstation)
    return schema.open_records(address, upgrade_it=False)


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
    if not logins.has_logins(records):
        return _ask_table(records, login, password, workstation, action)
    try:
        colleague = _ask_server(records, login, password, workstation)
    except SignInRefused:
        _note_refusal(records, action, workstation)
        raise
    with records.begin() as db:
        audit.record_at_the_door(
            db, action, colleague.login, workstation, datetime.now(UTC), login=colleague.login
        )
    return colleague


def _ask_server(records: Records, login: str, password: str, workstation: str) -> Colleague:
    known = _tidy(login)
    # What no login or password can be is not sent: the server would stumble over it.
    if not known or not 0 < len(password) <= LONGEST_PASSWORD or not can_be_typed(password):
        raise WrongPassword
    try:
        person = logins.identify(logins.address_for(records, known, password, workstation))
    except NotLetIn as error:
        raise WrongPassword from error
    if person.role is None:
        raise SignInRefused(
            "The database knows this login, but it has no role in the office. Ask an "
            "administrator for one."
        )
    return Colleague(person.login, person.name, person.role)


def _note_refusal(records: Records, action: Action, workstation: str) -> None:
    """Write a refusal on the trail of whoever sits at this desk; at the door nobody does."""
    if records.engine.url.username is None:
        return
    with records.begin() as db:
        audit.record_at_the_door(
            db,
            Action.STAFF_REFUSED,
            records.engine.url.username,
            workstation,
            datetime.now(UTC),
            wanted=action,
        )


def _ask_table(
    records: Records, login: str, password: str, workstation: str, action: Action
) -> Colleague:
    known = _tidy(login)
    with records.read() as db:
        staff = db.get(Staff, known)
        hashed = staff.password_hash if staff else ""
    # The work is the same whether anybody has this login or not.
    right = _matches(hashed or _nobodys_hash(), password) and bool(hashed)
    afresh = _hashed(password) if right and _HASHER.check_needs_rehash(hashed) else hashed
    with records.begin() as db:
        staff = db.get(Staff, known)
        if staff is None or not right or staff.dismissed or staff.password_hash != hashed:
            who = _UNKNOWN if staff is None else staff.login
            audit.record_at_the_door(
                db, Action.STAFF_REFUSED, who, workstation, datetime.now(UTC), wanted=action
            )
            colleague = None
        else:
            staff.password_hash = afresh
            colleague = Colleague(staff.login, staff.name, staff.role)
            audit.record_at_the_door(db, action, staff.login, workstation, datetime.now(UTC))
    if colleague is None:
        raise WrongPassword
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


def approve(desk: Desk, login: str, password: str, correction_id: str) -> Colleague:
    """Check a supervisor's login and password given at another desk; a wrong one is audited.

    On a server the supervisor's own login writes the approval on the supervisor's own chain, which
    nobody else can, and the database asks for it. The seats of the training co-op have no password,
    so there any will do.
    """
    if desk.settings.training:
        with desk.records.read() as db:
            staff = db.get(Staff, _tidy(login))
            if staff is not None and not staff.password_hash and not staff.dismissed:
                return Colleague(staff.login, staff.name, staff.role)
    given, workstation = Action.NAME_APPROVAL_GIVEN, desk.workstation
    if not logins.has_logins(desk.records):
        return authenticate(desk.records, login, password, workstation, given)
    try:
        colleague = _ask_server(desk.records, login, password, workstation)
    except SignInRefused:
        _note_refusal(desk.records, given, workstation)
        raise
    if colleague.role.approves_other_person:
        own = _own_records(desk.records, colleague.login, password, workstation)
        try:
            with own.begin() as db:
                audit.record_at_the_door(
                    db,
                    given,
                    colleague.login,
                    workstation,
                    datetime.now(UTC),
                    correction=correction_id,
                )
        finally:
            own.close()
    return colleague


def check_still_here(desk: Desk) -> None:
    """Refuse to let somebody go on who was dismissed or has another role by now."""
    name = desk.colleague.name
    try:
        role = _role_now(desk)
    except DatabaseAway as error:
        if not logins.was_refused(error):
            raise
        role = None
    if role is None:
        raise SentAway(
            f"{name} may not work at this console any more. If you were given a new password, sign "
            "in with it; otherwise ask an administrator."
        )
    if role is not desk.colleague.role:
        raise SentAway(f"You are {_a(role)} now. Sign in again to work as one.")


def _role_now(desk: Desk) -> Role | None:
    if _has_logins(desk):
        with desk.records.glance() as connection:
            return logins.person_of(connection).role
    with desk.records.read() as db:
        staff = db.get(Staff, desk.colleague.login)
        if staff is None:  # whoever set the office up is nobody of the staff
            return desk.colleague.role
        return None if staff.dismissed else staff.role


# One's own password


def change_own_password(desk: Desk, current: str, new: str) -> None:
    """Take another password; the one in use proves who asks."""
    if desk.settings.training:
        raise NotPossible("Nobody has a password in the training co-op.")
    check_password(new)
    login = desk.colleague.login
    if new == current:
        raise NotPossible("The new password is the one you have. Choose another one.")
    authenticate(desk.records, login, current, desk.workstation, Action.STAFF_PASSWORD_CHANGED)
    if _has_logins(desk):
        with desk.records.begin() as db:
            logins.change_own_password(db, login, new)
        connect_with(desk.records.engine, new)
        return
    hashed = _hashed(new)
    with desk.records.begin() as db:
        db.get_one(Staff, login).password_hash = hashed


# Looking after the staff


def check_looks_after_staff(desk: Desk) -> None:
    """Refuse whoever is not an administrator."""
    if not desk.colleague.role.looks_after_staff:
        raise AdministratorsOnly(
            "Only an administrator looks after the staff. Ask one of them to do this."
        )


def everybody(desk: Desk) -> tuple[StaffRow, ...]:
    """List the staff, with where each is signed in and since when."""
    check_looks_after_staff(desk)
    with desk.records.read() as db:
        seats = _seats_at_server(db) if _has_logins(desk) else _seats_on_trail(db, desk.now())
        return tuple(
            StaffRow(one.login, one.name, one.role, one.dismissed, tuple(seats.get(one.login, ())))
            for one in db.scalars(select(Staff).order_by(Staff.dismissed, Staff.name, Staff.login))
        )


def add(desk: Desk, login: str, name: str, role: Role, password: str) -> str:
    """Give a new colleague a login, or one who left theirs back; answers the login."""
    check_looks_after_staff(desk)
    words, known = _check_name(name), check_login(login)
    secret = "" if desk.settings.training else check_password(password)
    hashed = _hashed_for_table(desk, secret)
    with desk.records.begin() as db:
        staff = db.get(Staff, known)
        if staff is not None and not staff.dismissed:
            raise LoginTaken(
                f"{staff.name} has the login “{known}” already. Choose another one for {words}."
            )
        if _has_logins(desk):
            made = logins.verifier(db, known, secret)
            logins.call(db, "staff_add", login=known, name=words, role=role, verifier=made)
        else:
            _enrol(db, known, words, role, hashed)
        audit.record(db, desk, Action.STAFF_ENROLLED, login=known, role=role)
    return known


def change(desk: Desk, seen: StaffRow, name: str, role: Role, password: str = "") -> bool:
    """Change what differs from the colleague as seen on screen; answers whether anything did."""
    check_looks_after_staff(desk)
    if name.strip() != seen.name:
        _check_name(name)
    changed, hashed = False, _hashed_to_give(desk, seen.login, password)
    with desk.records.begin() as db:
        staff = _colleague(db, seen.login)
        if name.strip() != seen.name:
            _check_fresh(staff.name, seen.name)
            changed = _rename(db, desk, staff, name)
        if role is not seen.role:
            _check_fresh(staff.role, seen.role)
            changed = _change_role(db, desk, staff, role) or changed
        if password:
            _give_password(db, desk, staff, password, hashed)
            changed = True
    return changed


def change_role(desk: Desk, login: str, role: Role) -> None:
    """Give a colleague another role."""
    check_looks_after_staff(desk)
    with desk.records.begin() as db:
        _change_role(db, desk, _colleague(db, login), role)


def rename(desk: Desk, login: str, name: str) -> None:
    """Write a colleague's name anew."""
    check_looks_after_staff(desk)
    with desk.records.begin() as db:
        _rename(db, desk, _colleague(db, login), name)


def give_password(desk: Desk, login: str, password: str) -> None:
    """Give a colleague a new password, to be changed by them afterwards."""
    check_looks_after_staff(desk)
    check_password(password)
    hashed = _hashed_to_give(desk, login, password)
    with desk.records.begin() as db:
        _give_password(db, desk, _colleague(db, login), password, hashed)


def made_up_password() -> str:
    """Make up a password that can be read out: no letters or digits that look alike."""
    return "-".join("".join(choice(_READABLE) for _ in range(4)) for _ in range(4))


def dismiss(desk: Desk, login: str) -> None:
    """Let a colleague sign in no more, and end what they are signed in to at once."""
    check_looks_after_staff(desk)
    if login == desk.colleague.login:
        raise NotPossible("Nobody dismisses themselves. Ask another administrator to do it.")
    with desk.records.begin() as db:
        staff = _colleague(db, login)
        _keep_one_administrator(db, staff)
        if _has_logins(desk):
            logins.call(db, "staff_dismiss", login=login)
        else:
            staff.dismissed = True
        audit.record(db, desk, Action.STAFF_DISMISSED, login=login)


def enrol(records: Records, login: str, name: str, role: Role, password: str, by: str) -> None:
    """Give a login of the table to somebody, or a known one a new name, role and password."""
    words, known = _check_name(name), check_login(login)
    hashed = _hashed(check_password(password))
    with records.begin() as db:
        _enrol(db, known, words, role, hashed)
        audit.record_at_the_door(
            db, Action.STAFF_ENROLLED, by, "", datetime.now(UTC), login=known, role=role
        )


def _enrol(db: Session, login: str, name: str, role: Role, hashed: str) -> None:
    staff = db.get(Staff, login)
    if staff is None:
        db.add(Staff(login=login, name=name, role=role, password_hash=hashed))
    else:
        staff.name, staff.role, staff.password_hash = name, role, hashed
        staff.dismissed = False


def _rename(db: Session, desk: Desk, staff: Staff, name: str) -> bool:
    words = _check_name(name)
    if staff.name == words:
        return False
    if _has_logins(desk):
        logins.call(db, "staff_rename", login=staff.login, name=words)
    else:
        staff.name = words
    audit.record(db, desk, Action.STAFF_RENAMED, login=staff.login)
    return True


def _change_role(db: Session, desk: Desk, staff: Staff, role: Role) -> bool:
    if staff.login == desk.colleague.login:
        raise NotPossible("Nobody changes their own role. Ask another administrator to do it.")
    if staff.role is role:
        return False
    _keep_one_administrator(db, staff)
    if _has_logins(desk):
        logins.call(db, "staff_change_role", login=staff.login, role=role)
    else:
        staff.role = role
    audit.record(db, desk, Action.STAFF_ROLE_CHANGED, login=staff.login, role=role)
    return True


def _give_password(db: Session, desk: Desk, staff: Staff, password: str, hashed: str) -> None:
    if _has_logins(desk):
        made = logins.verifier(db, staff.login, password)
        logins.call(db, "staff_password", login=staff.login, verifier=made)
    else:
        staff.password_hash = hashed
    audit.record(db, desk, Action.STAFF_PASSWORD_GIVEN, login=staff.login)


def _hashed_to_give(desk: Desk, login: str, password: str) -> str:
    """Check a password meant for a colleague, and answer what the table keeps of it."""
    if not password:
        return ""
    if desk.settings.training:
        raise NotPossible("Nobody has a password in the training co-op.")
    if login == desk.colleague.login:
        raise NotPossible("Change your own password with the menu beside your name.")
    return _hashed_for_table(desk, check_password(password))


def _hashed_for_table(desk: Desk, password: str) -> str:
    """Answer what the table keeps of a password; where the server keeps it, nothing.

    Done before a transaction begins: it takes its time on purpose, and others would wait for it.
    """
    return _hashed(password) if password and not _has_logins(desk) else ""


def _check_name(name: str) -> str:
    """Answer a colleague's name as it is kept, or refuse one that nobody could read."""
    words = check_text(name, 80, "The name")
    if not any(character.isalnum() for character in words):
        raise NameMissing("Type the colleague’s name.")
    return words


def _colleague(db: Session, login: str) -> Staff:
    staff = db.get(Staff, login)
    if staff is None or staff.dismissed:
        raise NotPossible(f"Nobody of the office has the login “{login[:LONGEST_LOGIN]}”.")
    return staff


def _check_fresh(now: object, seen: object) -> None:
    if now != seen:
        raise Stale("Somebody else has just changed this. Here it is afresh; look and press again.")


def _keep_one_administrator(db: Session, staff: Staff) -> None:
    if staff.role is not Role.ADMINISTRATOR:
        return
    others = db.scalar(
        select(func.count())
        .select_from(Staff)
        .where(
            Staff.role == Role.ADMINISTRATOR,
            Staff.dismissed.is_(False),
            Staff.login != staff.login,
        )
    )
    if not others:
        raise NotPossible(
            f"{staff.name} is the only administrator. Make somebody else one first, or nobody "
            "could look after the staff any more."
        )


def _has_logins(desk: Desk) -> bool:
    return not desk.settings.training and logins.has_logins(desk.records)


def _seats_at_server(db: Session) -> dict[str, list[Seat]]:
    # A console has several connections; it signed in with the first of them.
    seats: dict[str, dict[tuple[str, str], Seat]] = {}
    for one in logins.sessions(db):
        seats.setdefault(one.login, {}).setdefault(
            (one.workstation, one.address), Seat(one.workstation, one.since, one.address)
        )
    return {login: list(found.values()) for login, found in seats.items()}


def _seats_on_trail(db: Session, now: datetime) -> dict[str, list[Seat]]:
    acts: Sequence[AuditEntry] = db.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.action.in_((Action.STAFF_SIGNED_IN, Action.STAFF_SIGNED_OUT)),
            AuditEntry.at > now - _A_LONG_DAY,
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    ).all()
    seats: dict[str, dict[str, Seat]] = {}
    for act in acts:
        at = seats.setdefault(act.staff, {})
        if act.action == Action.STAFF_SIGNED_OUT:
            at.pop(act.workstation, None)
        else:  # unlocking signs in again, and the first time counts
            at.setdefault(act.workstation, Seat(act.workstation, act.at))
    return {login: list(found.values()) for login, found in seats.items()}


def _a(role: Role) -> str:
    return f"{'an' if role.value[0] in 'aeiou' else 'a'} {role.value}"


def _tidy(login: str) -> str:
    return clean_text(login, LONGEST_LOGIN).lower()


def _bytes(password: str) -> bytes:
    return password[: LONGEST_PASSWORD + 1].encode("utf-8", "surrogatepass")


def _hashed(password: str) -> str:
    return _HASHER.hash(_bytes(password))


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    # Made of chance, not of a password: the first unknown login is to take no longer than others.
    salt, tag = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"
