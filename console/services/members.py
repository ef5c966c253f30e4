"""The member page: everything that answers a call without a click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain import accounts as account_numbers
from console.domain import phones, times
from console.domain.calls import Fact
from console.domain.errors import ConsoleError
from console.domain.masking import HIDDEN_MONEY, hide, mask_email, mask_phone
from console.domain.members import AlertKind, display_name
from console.domain.money import Money
from console.domain.texts import MOST_NOTE, check_text
from console.models.accounts import Account, accounts_of
from console.models.calls import Call, calls_of
from console.models.contact import changes_of_contact
from console.models.courier import errands_of
from console.models.members import (
    Alert,
    Member,
    Note,
    corrections_of,
    former_names_of,
    notes_of,
    open_alerts_of,
)
from console.models.payments import payments_of
from console.models.staff import names_of_staff
from console.services import advice, audit, standing, timeline
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.member_page import (
    AccountRow,
    AlertRow,
    AttemptRow,
    DeliveryRow,
    EntryKind,
    FactRow,
    HolderRow,
    MemberPage,
    NextAct,
    NextStep,
    PortalPanel,
    TimelineEntry,
)

__all__ = [
    "AccountRow", "AlertRow", "AttemptRow", "DeliveryRow", "EntryKind", "FactRow", "HolderRow",
    "MemberPage", "NextAct", "NextStep", "NoSuchMember", "PortalPanel", "TimelineEntry",
    "clear_alert", "facts_on_file", "look_up", "member_of_account", "raise_alert", "refresh",
    "remove_note", "restore_alert", "restore_note", "write_note",
]  # fmt: skip


class NoSuchMember(ConsoleError):
    """Nobody on file has this member's number any more."""


def look_up(desk: Desk, member_id: int, call_id: str | None = None) -> MemberPage:
    """Open a member's page; the look is written on the audit trail."""
    page = refresh(desk, member_id, call_id)
    with desk.records.begin() as db:
        audit.record(db, desk, Action.MEMBER_OPENED, member_id=member_id, call_id=call_id)
    return page


def refresh(desk: Desk, member_id: int, call_id: str | None = None) -> MemberPage:
    """Answer the page afresh for somebody who has it open already."""
    with desk.records.read() as db:
        return _page(db, desk, find(db, member_id), call_id)


def find(db: Session, member_id: int) -> Member:
    """Read a member, or say that there is none."""
    member = db.get(Member, member_id)
    if member is None:
        raise NoSuchMember("This member is no longer on file. Search again by name or account.")
    return member


def find_account(db: Session, account_number: str) -> Account:
    """Read an account, or say that there is none."""
    account = db.get(Account, account_number)
    if account is None:
        raise NoSuchMember("This account is no longer on file. Search for the member again.")
    return account


def member_of_account(desk: Desk, account_number: str) -> int:
    """Answer the member behind an account number, with or without its decimal point."""
    digits = account_numbers.digits_of(account_number)
    with desk.records.read() as db:
        account = db.get(Account, digits)
        if account is None:
            raise NoSuchMember(
                f"No account has the number {digits}. Ask for it again, digit by digit."
            )
        return account.member_id


def _page(db: Session, desk: Desk, member: Member, call_id: str | None) -> MemberPage:
    accounts = accounts_of(db, member.id)
    errands = errands_of(db, member.id, timeline.MOST_ENTRIES)
    standings = standing.standings(db, [account.number for account in accounts], errands)
    corrections = corrections_of(db, member.id, timeline.MOST_ENTRIES)
    staff = names_of_staff(db)
    call = db.get(Call, call_id) if call_id else None
    in_call = _is_in_call(call, desk, member)
    verified = in_call and call is not None and call.verified_at is not None
    masked = not verified
    happenings = timeline.Happenings(
        member=member,
        accounts=accounts,
        standings=standings,
        calls=calls_of(db, member.id, timeline.MOST_ENTRIES),
        corrections=corrections,
        contact_changes=changes_of_contact(db, member.id, timeline.MOST_ENTRIES),
        notes=notes_of(db, member.id, timeline.MOST_ENTRIES),
        errands=errands,
        payments=payments_of(db, member.id, timeline.MOST_ENTRIES),
        staff=staff,
    )
    return MemberPage(
        member_id=member.id,
        number=member.number,
        version=member.version,
        is_business=member.is_business,
        name=member.name,
        given_names=member.given_names,
        display_name=display_name(member.given_names, member.name),
        since=times.day_of(member.since, desk.settings.zone),
        former_names=_former_names(db, member),
        email=mask_email(member.email) if masked else member.email,
        phone=_phone(member.phone, masked),
        second_phone=_phone(member.second_phone, masked),
        mailing_address=hide(_mailing(member)) if masked else _mailing(member),
        masked=masked,
        holders=tuple(
            HolderRow(display_name(h.given_names, h.name), h.role, h.may_act)
            for h in member.holders
        ),
        alerts=tuple(
            AlertRow(a.id, a.kind, a.note, a.raised_at, staff.get(a.raised_by, a.raised_by))
            for a in _gravest_first(open_alerts_of(db, member.id))
        ),
        accounts=tuple(_account(desk, a, standings[a.number], masked) for a in accounts),
        facts=facts_on_file(member, accounts),
        timeline=timeline.compose(happenings, desk.settings.zone, masked=masked),
        next_step=advice.next_step(
            desk, member, accounts, standings, corrections, in_call=in_call, verified=verified
        ),
    )


def _is_in_call(call: Call | None, desk: Desk, member: Member) -> bool:
    return (
        call is not None
        and call.ended_at is None
        and call.staff == desk.colleague.login
        and call.member_id == member.id
    )


def _former_names(db: Session, member: Member) -> tuple[str, ...]:
    now = display_name(member.given_names, member.name)
    names = (display_name(f.given_names, f.name) for f in former_names_of(db, member.id))
    return tuple(name for name in dict.fromkeys(names) if name != now)


def _gravest_first(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: not alert.kind.is_grave)


def _phone(digits: str, masked: bool) -> str:
    return mask_phone(digits) if masked else phones.display(digits)


def _mailing(member: Member) -> str:
    return _address(
        member.mailing_line, member.mailing_city, member.mailing_state, member.mailing_zip
    )


def _address(line: str, city: str, state: str, zip_code: str) -> str:
    place = ", ".join(part for part in (line, city, state) if part)
    return f"{place} {zip_code}".strip()


def _service_address(account: Account) -> str:
    return _address(
        account.service_line, account.service_city, account.service_state, account.service_zip
    )


def _account(desk: Desk, account: Account, stands: standing.Standing, masked: bool) -> AccountRow:
    def shown(sum_: Money) -> str:
        return HIDDEN_MONEY if masked else str(sum_)

    return AccountRow(
        number=account.number,
        printed_number=account.printed_number,
        status=account.status,
        service_address=_service_address(account),
        map_location=account.map_location,
        meter_number=account.meter_number,
        rate=account.rate,
        balance=shown(account.balance),
        past_due=shown(account.past_due),
        is_past_due=account.past_due > Money(0),
        due_on=account.due_on,
        disconnect_on=account.disconnect_on,
        autopay=account.autopay,
        paperless=account.paperless,
        portal=standing.panel(desk, stands, masked=masked),
    )


def facts_on_file(member: Member, accounts: Sequence[Account]) -> tuple[FactRow, ...]:
    """List what a caller's answers are compared with; what the file lacks is left out."""
    rows = (
        FactRow(Fact.NAME, display_name(member.given_names, member.name)),
        FactRow(Fact.SERVICE_ADDRESS, " · ".join(map(_service_address, accounts[:3]))),
        FactRow(
            Fact.PHONE,
            " · ".join(phones.display(p) for p in (member.phone, member.second_phone) if p),
        ),
        FactRow(Fact.LAST_PAYMENT, _last_payment(accounts)),
        FactRow(Fact.LAST_FOUR, member.identity_last_four),
    )
    return tuple(row for row in rows if row.on_file)


def _last_payment(accounts: Sequence[Account]) -> str:
    paid = [
        (account.last_payment_on, account.last_payment)
        for account in accounts
        if account.last_payment_on is not None and account.last_payment is not None
    ]
    if not paid:
        return ""
    on, sum_ = max(paid)
    return f"{sum_} on {times.calendar_day(on)}"


def write_note(desk: Desk, note_id: str, member_id: int, text: str, call_id: str | None) -> None:
    """Write a note; a second press with the same id changes nothing."""
    check_may_change(desk)
    words = check_text(text, MOST_NOTE, "The note", lines=True)
    if not words:
        raise ConsoleError("The note is empty. Write what the next colleague should know.")
    try:
        with desk.records.begin() as db:
            if db.get(Note, note_id) is not None:
                return
            find(db, member_id)
            db.add(
                Note(
                    id=note_id,
                    member_id=member_id,
                    text=words,
                    written_by=desk.colleague.login,
                    written_at=desk.now(),
                )
            )
            audit.record(
                db, desk, Action.NOTE_WRITTEN, member_id=member_id, call_id=call_id, note=note_id
            )
    except IntegrityError:
        _check_written(desk, note_id)


def _check_written(desk: Desk, note_id: str) -> None:
    """Two presses at once: the other one wrote it, or this was a mistake of ours."""
    with desk.records.read() as db:
        db.get_one(Note, note_id)


def remove_note(desk: Desk, note_id: str) -> None:
    """Take a note off the page; it stays in the history."""
    _set_removed(desk, note_id, Action.NOTE_REMOVED, desk.colleague.login, desk.now())


def restore_note(desk: Desk, note_id: str) -> None:
    """Bring a removed note back."""
    _set_removed(desk, note_id, Action.NOTE_RESTORED, "", None)


def _set_removed(desk: Desk, note_id: str, action: Action, by: str, at: datetime | None) -> None:
    check_may_change(desk)
    with desk.records.begin() as db:
        note = db.get(Note, note_id)
        if note is None:
            raise ConsoleError("This note is no longer on file. Open the member again.")
        if (note.removed_at is None) == (at is None):
            return
        note.removed_by, note.removed_at = by, at
        audit.record(db, desk, action, member_id=note.member_id, note=note_id)


def raise_alert(desk: Desk, member_id: int, kind: AlertKind, note: str) -> int:
    """Raise an alert on a member and answer its id."""
    check_may_change(desk)
    words = check_text(note, 500, "The note on an alert")
    with desk.records.begin() as db:
        find(db, member_id)
        alert = Alert(
            member_id=member_id,
            kind=kind,
            note=words,
            raised_by=desk.colleague.login,
            raised_at=desk.now(),
        )
        db.add(alert)
        db.flush()
        audit.record(db, desk, Action.ALERT_RAISED, member_id=member_id, kind=kind, note=words)
        return alert.id


def clear_alert(desk: Desk, alert_id: int) -> None:
    """Clear an alert."""
    _set_cleared(desk, alert_id, Action.ALERT_CLEARED, desk.colleague.login, desk.now())


def restore_alert(desk: Desk, alert_id: int) -> None:
    """Bring a cleared alert back."""
    _set_cleared(desk, alert_id, Action.ALERT_RESTORED, "", None)


def _set_cleared(desk: Desk, alert_id: int, action: Action, by: str, at: datetime | None) -> None:
    check_may_change(desk)
    with desk.records.begin() as db:
        alert = db.get(Alert, alert_id)
        if alert is None:
            raise ConsoleError("This alert is no longer on file. Open the member again.")
        if (alert.cleared_at is None) == (at is None):
            return
        alert.cleared_by, alert.cleared_at = by, at
        audit.record(db, desk, action, member_id=alert.member_id, kind=alert.kind)
