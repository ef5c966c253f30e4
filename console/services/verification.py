"""Verify-account e-mails: see what became of them, send one again, correct the address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from console.clients.http import Unexpected, Unreachable
from console.clients.portal import Throttled
from console.domain import times
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind, RegistrationState
from console.domain.verification import DeliveryStatus, check_email, may_resend
from console.models.accounts import Account
from console.models.calls import open_call_of
from console.models.courier import (
    Errand,
    errands_of,
    last_carried,
    last_sign,
    open_errand,
    waiting_or_failed,
)
from console.models.members import Member
from console.models.problems import again_if_crossed
from console.models.registration import Registration, registration_for
from console.models.staff import names_of_staff
from console.models.verification import last_delivery_of
from console.services import audit, contact, courier, members, polling, standing
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.members import PortalPanel


class TooSoon(ConsoleError):
    """The last e-mail went moments ago."""

    def __init__(self, message: str, wait_seconds: int) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class NothingToVerify(ConsoleError):
    """There is no registration that waits to be verified."""


@dataclass(frozen=True)
class ErrandStatus:
    """How far an errand has come."""

    id: str
    kind: ErrandKind
    state: ErrandState
    words: str
    """“Sent again to rose@example.org just now.” or “Waits in the outbox: the portal is down.”"""
    asked_at: datetime
    asked_by: str
    account_number: str = ""
    member_id: int = 0


_LATELY = timedelta(hours=24)
_MOST_LISTED = 200


def refresh(desk: Desk, account_number: str) -> PortalPanel:
    """Fetch an account's registration from the portal and answer it.

    When the portal does not answer, what was last known is answered, with its age in words.
    """
    problem = ""
    try:
        polling.refresh_account(desk, _account(desk, account_number))
    except (Unreachable, Unexpected, Throttled) as trouble:
        problem = str(trouble)
    with desk.records.read() as db:
        return _panel(db, desk, account_number, problem)


def _panel(db: Session, desk: Desk, account_number: str, problem: str) -> PortalPanel:
    account = db.get_one(Account, account_number)
    errands = errands_of(db, account.member_id, _MOST_LISTED)
    stands = standing.standings(db, [account_number], errands)[account_number]
    call = open_call_of(db, desk.colleague.login)
    verified = (
        call is not None and call.member_id == account.member_id and call.verified_at is not None
    )
    shown = standing.panel(desk, stands, masked=not verified)
    if not problem:
        return shown
    asked = shown.refreshed_at
    known = (
        f"This is what was known {times.when(asked, desk.now(), desk.settings.zone)}."
        if asked
        else "Nothing is known yet."
    )
    return replace(shown, state_words=f"{problem} {known} {shown.state_words}")


def resend(
    desk: Desk, click_id: str, account_number: str, call_id: str | None = None
) -> ErrandStatus:
    """Ask for the verify-account e-mail once more; the same click never sends twice.

    Raises TooSoon while the throttle runs.
    """
    check_may_change(desk)

    def ask() -> str:
        with desk.records.begin() as db:
            return _ask_resend(db, desk, click_id, account_number, call_id)

    return _carried(desk, again_if_crossed(ask), click_id)


def _ask_resend(
    db: Session, desk: Desk, click_id: str, account_number: str, call_id: str | None
) -> str:
    """Write the errand down, or find the one that does it already."""
    if db.get(Errand, click_id) is not None:
        return click_id
    account = members.find_account(db, account_number)
    under_way = open_errand(db, account.number, ErrandKind.RESEND)
    if under_way is not None:
        return under_way.id
    registration = _waiting_registration(db, desk, account.number)
    _check_throttle(desk, _last_sent(db, registration))
    db.add(_errand(db, desk, click_id, ErrandKind.RESEND, account, {}))
    audit.record(
        db,
        desk,
        Action.EMAIL_RESEND_ASKED,
        member_id=account.member_id,
        account_number=account.number,
        call_id=call_id,
        errand=click_id,
        email=registration.email,
    )
    return click_id


def correct_email(
    desk: Desk, click_id: str, account_number: str, email: str, call_id: str | None = None
) -> ErrandStatus:
    """Correct the address of a registration that waits for verification, then send again."""
    check_may_change(desk)
    address = check_email(email)

    def ask() -> str:
        with desk.records.begin() as db:
            return _ask_correction(db, desk, click_id, account_number, address, call_id)

    return _carried(desk, again_if_crossed(ask), click_id)


def _ask_correction(
    db: Session,
    desk: Desk,
    click_id: str,
    account_number: str,
    address: str,
    call_id: str | None,
) -> str:
    if db.get(Errand, click_id) is not None:
        return click_id
    account = members.find_account(db, account_number)
    under_way = open_errand(db, account.number, ErrandKind.CORRECT_EMAIL)
    if under_way is not None:
        going = _address_in(under_way.payload)
        if going == address:
            return under_way.id
        raise ConsoleError(
            f"The address {going} is on its way already. Wait until it has arrived, then correct "
            "it again."
        )
    registration = _waiting_registration(db, desk, account.number)
    db.add(_errand(db, desk, click_id, ErrandKind.CORRECT_EMAIL, account, {"email": address}))
    told = _tell_replaced(db, desk, account, registration, address)
    audit.record(
        db,
        desk,
        Action.EMAIL_CORRECTION_ASKED,
        member_id=account.member_id,
        account_number=account.number,
        call_id=call_id,
        errand=click_id,
        before=registration.email,
        after=address,
        told=told,
    )
    return click_id


def _tell_replaced(
    db: Session, desk: Desk, account: Account, registration: Registration, address: str
) -> str:
    """Leave word for the address that goes, unless nobody reads it; answer whom it goes to."""
    replaced = registration.email
    last = last_delivery_of(db, registration.id)
    came_back = last is not None and last.status is DeliveryStatus.BOUNCED
    if replaced == address or came_back:
        return ""
    member = db.get_one(Member, account.member_id)
    what = "e-mail address of your registration at the portal"
    return contact.tell_old_contact(db, desk, member, replaced, what, account.number)


def _address_in(payload: str) -> str:
    """Read the address that is on its way, also where the courier will set the errand aside."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return "that nobody can read"
    return str(told.get("email", "")) if isinstance(told, dict) else "that nobody can read"


def errand(desk: Desk, errand_id: str) -> ErrandStatus:
    """Answer how far an errand has come."""
    with desk.records.read() as db:
        found = db.get(Errand, errand_id)
        if found is None:
            raise ConsoleError("This errand is not on file. Open the member again.")
        return _status(db, desk, found, names_of_staff(db))


def outbox(desk: Desk) -> tuple[ErrandStatus, ...]:
    """List what still waits to reach the portal, and what it refused of late."""
    with desk.records.read() as db:
        staff = names_of_staff(db)
        return tuple(
            _status(db, desk, found, staff)
            for found in waiting_or_failed(db, desk.now() - _LATELY, _MOST_LISTED)
        )


def _carried(desk: Desk, errand_id: str, click_id: str) -> ErrandStatus:
    """Carry it at once, so that the caller hears on the phone that the e-mail is out.

    One that was joined keeps its own pace: the portal may have asked it to wait.
    """
    if errand_id == click_id:
        courier.carry(desk, errand_id)
    return errand(desk, errand_id)


def _errand(
    db: Session,
    desk: Desk,
    click_id: str,
    kind: ErrandKind,
    account: Account,
    payload: dict[str, str],
) -> Errand:
    now = desk.office_time(db)
    return Errand(
        id=click_id,
        kind=kind,
        state=ErrandState.WAITING,
        account_number=account.number,
        member_id=account.member_id,
        payload=json.dumps(payload),
        asked_by=desk.colleague.login,
        asked_at=now,
        next_try_at=now,
    )


def _account(desk: Desk, account_number: str) -> str:
    with desk.records.read() as db:
        return members.find_account(db, account_number).number


def _waiting_registration(db: Session, desk: Desk, account_number: str) -> Registration:
    """Find the registration that can be verified, or say why there is none."""
    portal = desk.settings.portal_name
    registration = registration_for(db, account_number)
    state = RegistrationState.NONE if registration is None else registration.state
    match state:
        case RegistrationState.VERIFIED:
            raise NothingToVerify(
                f"The account is verified already. The member can sign in at {portal}."
            )
        case RegistrationState.LOCKED:
            raise NothingToVerify(
                "The account is locked after wrong passwords, so no e-mail is sent. Ask the member "
                f"to choose “Forgot password” at {portal}."
            )
        case RegistrationState.NONE if registration is None or (
            registration.kind is not CaseKind.WAITING
        ):
            raise NothingToVerify(
                f"No registration at {portal} waits for its e-mail. Ask the member to register."
            )
    if registration is None:
        raise AssertionError("a registration that stands somewhere exists")
    return registration


def _last_sent(db: Session, registration: Registration) -> datetime | None:
    carried = last_carried(db, registration.account_digits, ErrandKind.RESEND)
    moments = [m for m in (registration.sent_at, carried) if m is not None]
    return max(moments, default=None)


def _check_throttle(desk: Desk, last_sent: datetime | None) -> None:
    wait = may_resend(last_sent, desk.now(), timedelta(seconds=desk.settings.resend_wait_seconds))
    seconds = ceil(wait.total_seconds())
    if seconds > 0 and last_sent is not None:
        raise TooSoon(
            f"The last e-mail went {times.ago(last_sent, desk.now())}. It may take a minute to "
            f"arrive; you can send another one in {times.length(timedelta(seconds=seconds))}.",
            seconds,
        )


def _status(db: Session, desk: Desk, found: Errand, staff: Mapping[str, str]) -> ErrandStatus:
    return ErrandStatus(
        id=found.id,
        kind=found.kind,
        state=found.state,
        words=standing.errand_words(desk, found, last_sign(db)),
        asked_at=found.asked_at,
        asked_by=staff.get(found.asked_by, found.asked_by),
        account_number=found.account_number,
        member_id=found.member_id,
    )
