"""Where an account stands with the portal, as the member page shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from console.domain import times
from console.domain.courier import MISSED_AFTER, ErrandState
from console.domain.masking import mask_email
from console.domain.registration import CaseKind, Outcome, RegistrationState
from console.domain.verification import (
    DeliveryStatus,
    LinkState,
    bounce_reason_in_words,
    link_state,
)
from console.models.courier import Errand, last_sign
from console.models.registration import (
    Registration,
    RegistrationAttempt,
    attempts_of,
    registrations_of,
)
from console.models.verification import Delivery, deliveries_of
from console.services.desk import Desk
from console.services.member_page import AttemptRow, DeliveryRow, PortalPanel

MOST_ATTEMPTS = 200
MOST_DELIVERIES = 200


@dataclass(frozen=True)
class Standing:
    """What the portal said about one account, as it is stored."""

    registration: Registration | None = None
    attempts: Sequence[RegistrationAttempt] = ()
    """Newest first."""
    deliveries: Sequence[Delivery] = ()
    """Newest first."""
    errands: Sequence[Errand] = field(default=())
    """Newest first."""
    courier_seen_at: datetime | None = None
    """When a courier last gave a sign of life; asked for only where an errand waits."""


def standings(
    db: Session, account_numbers: Sequence[str], errands: Iterable[Errand]
) -> dict[str, Standing]:
    """Read what the portal said about these accounts, with three questions however many."""
    found = registrations_of(db, account_numbers)
    ids = [registration.id for registration in found]
    attempts: dict[int, list[RegistrationAttempt]] = defaultdict(list)
    deliveries: dict[int, list[Delivery]] = defaultdict(list)
    if ids:
        for attempt in attempts_of(db, ids, MOST_ATTEMPTS):
            attempts[attempt.registration_id].append(attempt)
        for delivery in deliveries_of(db, ids, MOST_DELIVERIES):
            deliveries[delivery.registration_id].append(delivery)
    carried: dict[str, list[Errand]] = defaultdict(list)
    for errand in errands:
        carried[errand.account_number].append(errand)
    waits = any(errand.state.is_open for of_one in carried.values() for errand in of_one)
    seen_at = last_sign(db) if waits else None
    by_account = {r.account_number: r for r in found}
    return {
        number: Standing(
            registration := by_account.get(number),
            attempts[registration.id] if registration else (),
            deliveries[registration.id] if registration else (),
            carried[number],
            seen_at,
        )
        for number in account_numbers
    }


def panel(desk: Desk, standing: Standing, *, masked: bool) -> PortalPanel:
    """Turn what is stored into what is shown."""
    registration = standing.registration
    shown = mask_email if masked else str
    if registration is None:
        return PortalPanel(
            state=RegistrationState.NONE,
            state_words=f"Nothing heard from {desk.settings.portal_name} yet.",
            kind=None,
            registration_id=None,
            portal_id="",
            email="",
            sent_at=None,
            expires_at=None,
            last_sign_in=None,
            refreshed_at=None,
            deliveries=(),
            attempts=(),
            errand=errand_line(desk, standing),
        )
    return PortalPanel(
        state=registration.state,
        state_words=state_words(desk, standing),
        kind=registration.kind,
        registration_id=registration.id,
        portal_id=registration.portal_id,
        email=shown(registration.email),
        sent_at=registration.sent_at,
        expires_at=registration.expires_at,
        last_sign_in=registration.last_sign_in,
        refreshed_at=registration.refreshed_at,
        deliveries=tuple(
            DeliveryRow(d.at, shown(d.email), d.status, reason_words(d))
            for d in standing.deliveries
        ),
        attempts=tuple(
            AttemptRow(
                a.id, a.at, a.account_typed, a.name_typed, shown(a.email), a.channel, a.outcome
            )
            for a in standing.attempts
        ),
        errand=errand_line(desk, standing),
    )


def reason_words(delivery: Delivery) -> str:
    """Say why an e-mail came back, and nothing about the others."""
    if delivery.status is not DeliveryStatus.BOUNCED:
        return ""
    return bounce_reason_in_words(delivery.reason)


def state_words(desk: Desk, standing: Standing) -> str:
    """Say where an account stands, in one sentence."""
    registration = standing.registration
    portal = desk.settings.portal_name
    if registration is None:
        return f"Nothing heard from {portal} yet."
    match registration.state:
        case RegistrationState.VERIFIED:
            if registration.last_sign_in is None:
                return "Registered and verified; has not signed in yet."
            return (
                f"Registered and verified; last signed in {_say(desk, registration.last_sign_in)}."
            )
        case RegistrationState.LOCKED:
            return "Locked after wrong passwords."
        case RegistrationState.AWAITING_VERIFICATION:
            return _waiting_words(desk, registration, standing.deliveries)
    last = standing.attempts[0] if standing.attempts else None
    if last is None:
        return "Not registered."
    if last.outcome in (Outcome.NAME_MISMATCH, Outcome.ACCOUNT_NOT_FOUND):
        return f"Not registered; the last try was refused {_say(desk, last.at)}."
    if registration.kind is CaseKind.WAITING:
        return f"Registered {_say(desk, last.at)}; {portal} has not said more yet."
    return f"Not registered; the last try was {_say(desk, last.at)}."


def _waiting_words(desk: Desk, registration: Registration, deliveries: Sequence[Delivery]) -> str:
    last = deliveries[0] if deliveries else None
    since = f"since {_say(desk, registration.sent_at)}" if registration.sent_at else "for now"
    match link_state(registration.expires_at, desk.now()):
        case LinkState.EXPIRED if registration.expires_at:
            return (
                f"Waiting for verification; the link ran out {_say(desk, registration.expires_at)}."
            )
        case LinkState.ALIVE if registration.expires_at:
            link = f"the link runs out {_say(desk, registration.expires_at)}"
        case _:
            link = "no link is alive"
    if last is not None and last.status is DeliveryStatus.BOUNCED:
        return f"Waiting for verification; the e-mail came back {_say(desk, last.at)}."
    return f"Waiting for verification {since}; {link}."


def errand_line(desk: Desk, standing: Standing) -> str:
    """Say what is on its way to the portal, or nothing when nothing is."""
    still = [errand for errand in standing.errands if errand.state.is_open]
    return errand_words(desk, still[0], standing.courier_seen_at) if still else ""


def errand_words(desk: Desk, errand: Errand, courier_seen_at: datetime | None) -> str:
    """Say how far an errand has come, and when nobody is there to carry it."""
    if errand.answer and not errand.state.is_open:
        return errand.answer
    if errand.state is ErrandState.SENDING:
        return f"{errand.kind.words} is on its way to {desk.settings.portal_name}."
    nobody = "" if desk.carries else _nobody(desk, courier_seen_at)
    if nobody and errand.state is ErrandState.WAITING:
        return f"{errand.kind.words} waits in the outbox; nothing is lost. {nobody}"
    if errand.tries == 0:
        return f"{errand.kind.words} is about to go to {desk.settings.portal_name}."
    return (
        f"{errand.kind.words} waits in the outbox and goes by itself. {errand.answer} "
        f"Next try {_next_try(desk, errand.next_try_at)}."
    )


def _nobody(desk: Desk, seen_at: datetime | None) -> str:
    """Say that no courier has been there of late; empty when one has."""
    if seen_at is not None and desk.now() - seen_at < MISSED_AFTER:
        return ""
    since = "" if seen_at is None else f" since {_say(desk, seen_at)}"
    return f"No courier has been seen{since}: ask whoever looks after the server to start it."


def _next_try(desk: Desk, at: datetime) -> str:
    left = at - desk.now()
    return "now" if left.total_seconds() < 1 else f"in {times.length(left)}"


def _say(desk: Desk, moment: datetime) -> str:
    return times.when(moment, desk.now(), desk.settings.zone)
