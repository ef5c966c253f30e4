"""Registrations at the portal: fetch the attempts, correct a name, close the loop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from console.domain import times
from console.domain.accounts import read_account_number
from console.domain.errors import ConsoleError
from console.domain.masking import mask_addresses, mask_email
from console.domain.members import display_name
from console.domain.registration import CaseKind, Outcome
from console.domain.texts import clean_text
from console.domain.verification import DeliveryStatus, bounce_reason_in_words
from console.models.members import Member
from console.models.problems import Stale
from console.models.registration import (
    CaseFilter,
    Registration,
    RegistrationAttempt,
    cases,
    count_cases,
    last_attempts_of,
)
from console.models.staff import names_of_staff
from console.models.verification import Delivery, last_deliveries_of
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.names import (
    Approval,
    CannotUndo,
    ChangedMeanwhile,
    Corrected,
    Correction,
    NameOnFile,
    NeedsSupervisor,
    Publication,
    correct_name,
    name_on_file,
    publication,
    read_out,
    undo_correction,
)
from console.services.polling import PollReport, poll

__all__ = [
    "Approval", "CannotUndo", "ChangedMeanwhile", "Corrected", "Correction", "NameOnFile",
    "NeedsSupervisor", "PollReport", "PortalCheck", "Publication", "TakenAlready", "Worklist",
    "WorklistRow", "assign", "check_at_portal", "correct_name", "name_on_file", "poll",
    "publication", "read_out", "undo_correction", "worklist",
]  # fmt: skip


@dataclass(frozen=True)
class PortalCheck:
    """The portal's own word on whether a registration would pass now."""

    account_number: str
    name: str
    passes: bool
    words: str
    """“The portal would accept DeLong for account 1023401 now.”"""


@dataclass(frozen=True)
class WorklistRow:
    """One registration somebody may have to look at."""

    registration_id: int
    member_id: int | None
    member_name: str
    account_number: str
    """The numerals typed, when no account has them."""
    kind: CaseKind
    since: datetime
    what: str
    """“Typed “De Long”, on file “DeLong””, “Bounced: no such mailbox”."""
    typed: str
    email: str
    """Masked: nobody has verified a caller here."""
    attempts: int
    last_outcome: Outcome | None
    assigned_to: str


@dataclass(frozen=True)
class Worklist:
    """The rows that fit the filter, and how many there are of each kind."""

    rows: tuple[WorklistRow, ...]
    counts: dict[CaseKind, int]
    """Counted under the same mine/all and text filter, whatever kind is chosen."""
    total: int
    """How many fit the filter; `rows` is capped."""


class TakenAlready(ConsoleError):
    """A colleague works on this registration already."""


def worklist(
    desk: Desk,
    kind: CaseKind | None = None,
    *,
    mine: bool = False,
    text: str = "",
    limit: int = 500,
) -> Worklist:
    """List the registrations that need somebody, the oldest first.

    Without a kind, every one that is not solved.
    """
    wanted = CaseFilter(desk.colleague.login if mine else "", clean_text(text, 100))
    with desk.records.read() as db:
        counts = dict.fromkeys(CaseKind, 0) | count_cases(db, wanted)
        kinds = [kind] if kind else [each for each in CaseKind if each is not CaseKind.SOLVED]
        found = cases(db, kinds, wanted, limit)
        ids = [registration.id for registration, _ in found]
        attempts = last_attempts_of(db, ids)
        bounced = [r.id for r, _ in found if r.kind is CaseKind.BOUNCED]
        deliveries = last_deliveries_of(db, bounced)
        staff = names_of_staff(db)
        return Worklist(
            rows=tuple(
                _row(
                    desk,
                    registration,
                    member,
                    attempts.get(registration.id),
                    deliveries.get(registration.id),
                    staff.get(registration.assigned_to, registration.assigned_to),
                )
                for registration, member in found
            ),
            counts=counts,
            total=sum(counts[each] for each in kinds),
        )


def _row(
    desk: Desk,
    registration: Registration,
    member: Member | None,
    last: RegistrationAttempt | None,
    delivery: Delivery | None,
    assigned_to: str,
) -> WorklistRow:
    return WorklistRow(
        registration_id=registration.id,
        member_id=registration.member_id,
        member_name=display_name(member.given_names, member.name) if member else "",
        account_number=registration.account_number or registration.account_digits,
        kind=registration.kind,
        since=registration.since,
        what=_what(desk, registration, member, last, delivery),
        typed=last.name_typed if last else "",
        email=mask_email(registration.email or (last.email if last else "")),
        attempts=registration.attempts,
        last_outcome=last.outcome if last else None,
        assigned_to=assigned_to,
    )


def _what(
    desk: Desk,
    registration: Registration,
    member: Member | None,
    last: RegistrationAttempt | None,
    delivery: Delivery | None,
) -> str:
    match registration.kind:
        case CaseKind.REFUSED:
            return _why_refused(registration, member, last)
        case CaseKind.BOUNCED:
            if delivery is None or delivery.status is not DeliveryStatus.BOUNCED:
                return "The e-mail came back."
            return mask_addresses(bounce_reason_in_words(delivery.reason))
        case CaseKind.EXPIRED if registration.expires_at:
            return f"The link ran out {_say(desk, registration.expires_at)}."
        case CaseKind.WAITING if registration.sent_at and registration.expires_at:
            return (
                f"E-mail sent {_say(desk, registration.sent_at)}; the link runs out "
                f"{_say(desk, registration.expires_at)}."
            )
        case CaseKind.WAITING:
            return "Registered; the e-mail is on its way."
        case CaseKind.LOCKED:
            return "Locked after wrong passwords."
    return "Nothing waits to be done."


def _why_refused(
    registration: Registration, member: Member | None, last: RegistrationAttempt | None
) -> str:
    if last is None:
        return "Refused."
    if member is None:
        return f"Typed account {last.account_typed or '(nothing)'}; no account has this number."
    if last.outcome is Outcome.ACCOUNT_NOT_FOUND:
        return f"Typed account {last.account_typed}; it is {registration.account_number}, no point."
    if last.name_typed.strip() == member.name:
        return f"Typed “{last.name_typed}”, and that is on file by now. Have them try again."
    return f"Typed “{last.name_typed}”, on file “{member.name}”."


def _say(desk: Desk, moment: datetime) -> str:
    return times.when(moment, desk.now(), desk.settings.zone)


def assign(desk: Desk, registration_id: int, to_me: bool) -> None:
    """Take a registration for oneself, or put it back for anybody."""
    check_may_change(desk)
    try:
        _assign(desk, registration_id, to_me)
    except Stale:
        _assign(desk, registration_id, to_me)  # news from the portal crossed it


def _assign(desk: Desk, registration_id: int, to_me: bool) -> None:
    me = desk.colleague.login
    with desk.records.begin() as db:
        registration = db.get(Registration, registration_id)
        if registration is None:
            raise ConsoleError("This registration is no longer on the list. Look at it afresh.")
        before, after = registration.assigned_to, me if to_me else ""
        if before == after:
            return
        if before and before != me and not desk.colleague.role.approves_other_person:
            name = names_of_staff(db).get(before, before)
            raise TakenAlready(f"{name} works on this one already. Ask them, or a supervisor.")
        registration.assigned_to = after
        _record_assignment(db, desk, registration, before)


def _record_assignment(db: Session, desk: Desk, registration: Registration, before: str) -> None:
    audit.record(
        db,
        desk,
        Action.REGISTRATION_ASSIGNED,
        member_id=registration.member_id,
        account_number=registration.account_number,
        registration=registration.id,
        before=before,
        after=registration.assigned_to,
    )


def check_at_portal(
    desk: Desk, member_id: int, account_number: str, name: str, call_id: str | None = None
) -> PortalCheck:
    """Ask the portal whether this name would pass for this account now."""
    asked = clean_text(name, 200)
    digits = read_account_number(account_number).digits
    answer = desk.portal.check_registration(digits, asked, staff=desk.colleague.name)
    words = _check_words(desk, digits, asked, answer.reason)
    with desk.records.begin() as db:
        audit.record(
            db,
            desk,
            Action.REGISTRATION_CHECKED,
            member_id=member_id,
            account_number=digits,
            call_id=call_id,
            name=asked,
            passes=answer.passes,
            reason=answer.reason,
        )
    return PortalCheck(digits, asked, answer.passes, words)


def _check_words(desk: Desk, digits: str, name: str, reason: Outcome | None) -> str:
    portal = desk.settings.portal_name
    match reason:
        case None:
            return f"{portal} would accept “{name}” for account {digits} now."
        case Outcome.NAME_MISMATCH:
            return (
                f"{portal} would still refuse “{name}” for account {digits}: it holds another name."
            )
        case Outcome.ACCOUNT_NOT_FOUND:
            return f"{portal} does not know account {digits}. Check the number."
        case Outcome.ALREADY_REGISTERED:
            return f"Account {digits} is registered already. The member can sign in or verify it."
        case Outcome.LOCKED:
            return f"Account {digits} is locked after wrong passwords."
        case _:
            return f"{portal} would not accept “{name}” for account {digits} now."
