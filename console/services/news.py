"""News from the portal, written down: attempts to register, and where an account stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from console.clients.portal import Attempt, DeliveryReport, PortalRegistration
from console.domain.accounts import read_account_number
from console.domain.registration import CaseKind, RegistrationState, place
from console.domain.texts import clean_text, keep_as_typed
from console.domain.verification import DeliveryStatus
from console.models.accounts import Account
from console.models.base import change_where
from console.models.registration import (
    Registration,
    RegistrationAttempt,
    attempts_of,
    known_attempts,
    registration_for,
)
from console.models.verification import Delivery, deliveries_of, last_delivery_of


def take_attempts(db: Session, attempts: Sequence[Attempt], now: datetime) -> int:
    """Write down the attempts that are new, each once, and answer how many were."""
    known = known_attempts(db, [attempt.id for attempt in attempts])
    taken = 0
    for attempt in attempts:
        if attempt.id not in known:
            known.add(attempt.id)
            _take(db, attempt, now)
            taken += 1
    return taken


def _take(db: Session, attempt: Attempt, now: datetime) -> None:
    # A typed decimal point is why it was refused, and still it is this account.
    registration = _registration(db, read_account_number(attempt.account_number).digits, now)
    db.add(
        RegistrationAttempt(
            id=attempt.id,
            registration_id=registration.id,
            member_id=registration.member_id,
            at=attempt.at,
            account_typed=keep_as_typed(attempt.account_number, 60),
            name_typed=keep_as_typed(attempt.name, 200),
            email=clean_text(attempt.email, 254),
            channel=attempt.channel,
            outcome=attempt.outcome,
        )
    )
    registration.attempts += 1
    # What the portal says of the account may have changed with this attempt.
    registration.refreshed_at = None
    db.flush()
    settle_place(db, registration, now)


def take_standing(db: Session, told: PortalRegistration, digits: str, now: datetime) -> None:
    """Write down where the portal says an account stands."""
    registration = _registration(db, digits, now)
    registration.state = told.state
    registration.portal_id = told.id or ""
    registration.email = clean_text(told.email, 254)
    registration.sent_at = told.sent_at
    registration.expires_at = told.expires_at
    registration.last_sign_in = told.last_sign_in
    _take_deliveries(db, registration, told.deliveries)
    db.flush()
    settle_place(db, registration, now)
    db.flush()
    note_asked(db, digits, now)


def note_asked(db: Session, digits: str, now: datetime) -> None:
    """Note that the portal was asked about an account; nobody needs to be told of that."""
    change_where(
        db,
        update(Registration).where(Registration.account_digits == digits).values(refreshed_at=now),
    )


def settle_place(db: Session, registration: Registration, now: datetime) -> None:
    """Find a registration's place in the worklist from all that is known of it."""
    last = next(iter(attempts_of(db, [registration.id], 1)), None)
    delivery = last_delivery_of(db, registration.id)
    kind = place(
        registration.state,
        last.outcome if last else None,
        delivery.status if delivery else None,
        registration.expires_at,
        now,
    )
    refused_again = kind is CaseKind.REFUSED and last is not None and last.at > registration.since
    if kind is not registration.kind or refused_again:
        registration.kind = kind
        registration.since = min(now, _since(kind, registration, last, delivery) or now)


def _since(
    kind: CaseKind,
    registration: Registration,
    last: RegistrationAttempt | None,
    delivery: Delivery | None,
) -> datetime | None:
    """Tell when a registration came to its place, by the portal's own account."""
    match kind:
        case CaseKind.REFUSED:
            return last.at if last else None
        case CaseKind.WAITING:
            return registration.sent_at or (last.at if last else None)
        case CaseKind.BOUNCED:
            return delivery.at if delivery else None
        case CaseKind.EXPIRED:
            return registration.expires_at
        case _:
            return None


def _registration(db: Session, digits: str, now: datetime) -> Registration:
    found = registration_for(db, digits)
    account = db.get(Account, digits) if digits else None
    if found is None:
        found = Registration(
            account_digits=digits,
            state=RegistrationState.NONE,
            kind=CaseKind.SOLVED,
            since=now,
            attempts=0,
        )
        db.add(found)
    if account is not None and found.account_number is None:
        found.account_number, found.member_id = account.number, account.member_id
    db.flush()
    return found


def _take_deliveries(
    db: Session, registration: Registration, reports: Sequence[DeliveryReport]
) -> None:
    known = {(d.at, d.status) for d in deliveries_of(db, [registration.id], 1000)}
    for report in reports[-200:]:
        if (report.at, report.status) not in known:
            known.add((report.at, report.status))
            db.add(_delivery(registration.id, report))


def _delivery(registration_id: int, report: DeliveryReport) -> Delivery:
    bounced = report.status is DeliveryStatus.BOUNCED
    return Delivery(
        registration_id=registration_id,
        at=report.at,
        email=clean_text(report.email, 254),
        status=report.status,
        reason=clean_text(report.reason, 300) if bounced else "",
    )
