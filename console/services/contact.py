"""Change how a member is reached: who asked, both versions, undo, and word to the old address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from console.domain import times
from console.domain.contact import (
    Asked,
    Contact,
    changed_fields,
    clean_contact,
    in_a_sentence,
)
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.models.accounts import accounts_of
from console.models.contact import ContactChange, changes_of_contact, contact_of
from console.models.courier import Errand
from console.models.members import FormerAddress, Member
from console.models.problems import again_if_crossed
from console.models.search import rekeyed
from console.models.staff import names_of_staff
from console.services import audit, caller, members
from console.services.audit import Action
from console.services.desk import Desk, check_may_change


@dataclass(frozen=True)
class ContactOnFile:
    """The details as they stand, with the version a change must name, and who set them last."""

    contact: Contact
    version: int
    changed_by: str
    changed_at: datetime | None


class ContactChangedMeanwhile(ConsoleError):
    """A colleague changed details after this sheet was opened."""

    def __init__(self, theirs: ContactOnFile) -> None:
        super().__init__("A colleague has just changed these details. Here are both versions.")
        self.theirs = theirs


class NotVerified(ConsoleError):
    """Nobody was verified who could ask for this."""


@dataclass(frozen=True)
class ContactEdit:
    """What is wanted: the details as they should stand, and what they were when one began."""

    id: str
    """Made when the sheet opens."""
    member_id: int
    version: int
    before: Contact
    after: Contact
    asked: Asked
    call_id: str | None = None


@dataclass(frozen=True)
class ContactChanged:
    """A change as it stands on file."""

    id: str
    member_id: int
    on_file: ContactOnFile
    changed: tuple[str, ...]
    words: str
    """What changed, and who is told of it, in a sentence or two."""
    undone: bool


def on_file(desk: Desk, member_id: int, asked: Asked, call_id: str | None = None) -> ContactOnFile:
    """Uncover the details for whoever changes them; the look is written on the trail."""
    check_may_change(desk)
    with desk.records.begin() as db:
        member = members.find(db, member_id)
        _check_asked(db, desk, member_id, asked, call_id)
        audit.record(
            db, desk, Action.CONTACT_SHOWN, member_id=member_id, call_id=call_id, asked=asked
        )
        return _on_file(db, member)


def change_contact(desk: Desk, edit: ContactEdit) -> ContactChanged:
    """Change the details on file, keep the old address findable, and tell the old contact.

    Raises ContactChangedMeanwhile when a colleague was faster, BadContact when a detail cannot
    stand like this.
    """
    check_may_change(desk)
    wanted = clean_contact(edit.after)

    def in_one_go() -> ContactChanged:
        with desk.records.begin() as db:
            return _change(db, desk, edit, wanted)

    # Somebody else's change, or a second press of this one, may cross ours.
    return again_if_crossed(in_one_go)


def undo_change(desk: Desk, undo_id: str, change_id: str) -> ContactChanged:
    """Put the details back as they were before a change."""
    check_may_change(desk)

    def in_one_go() -> ContactChanged:
        with desk.records.begin() as db:
            return _undo(db, desk, undo_id, change_id)

    return again_if_crossed(in_one_go)


def tell_old_contact(
    db: Session, desk: Desk, member: Member, to: str, words: str, account_number: str = ""
) -> str:
    """Leave word for the address that was on file; answer it, or nothing when none can be told.

    `words` name what changed, without what it became: “phone and mailing address”. Word is left
    for the courier, whose mail server this desk knows nothing of. A desk that carries everything
    itself leaves none that it could never carry.
    """
    if not to or (desk.carries and desk.no_mail):
        return ""
    number = account_number or _account_of(db, member)
    if not number:
        return ""
    now = desk.office_time(db)
    db.add(
        Errand(
            id=str(uuid4()),
            kind=ErrandKind.TELL_OLD_CONTACT,
            state=ErrandState.WAITING,
            account_number=number,
            member_id=member.id,
            payload=json.dumps(
                {
                    "to": to,
                    "what": words,
                    "on": times.calendar_day(times.day_of(now, desk.settings.zone)),
                }
            ),
            asked_by=desk.colleague.login,
            asked_at=now,
            next_try_at=now,
        )
    )
    return to


def _account_of(db: Session, member: Member) -> str:
    """Name the account that a letter to a member speaks of, or nothing when there is none."""
    return next((account.number for account in accounts_of(db, member.id)), "")


def _change(db: Session, desk: Desk, edit: ContactEdit, wanted: Contact) -> ContactChanged:
    if (known := db.get(ContactChange, edit.id)) is not None:
        return _changed(db, desk, known)
    member = members.find(db, edit.member_id)
    _check_asked(db, desk, member.id, edit.asked, edit.call_id)
    stands = contact_of(member)
    # A version that moved on for another reason, such as a corrected name, is no conflict.
    if member.version != edit.version and stands != edit.before:
        raise ContactChangedMeanwhile(_on_file(db, member))
    changed = changed_fields(stands, wanted)
    if not changed:
        raise ConsoleError("The details stand on file like this. There is nothing to change.")
    before, after = stands.as_fields(), wanted.as_fields()
    made = ContactChange(
        id=edit.id,
        member_id=member.id,
        before=json.dumps({field: before[field] for field in changed}),
        after=json.dumps({field: after[field] for field in changed}),
        asked=edit.asked,
        told=tell_old_contact(db, desk, member, stands.email, in_a_sentence(changed)),
        changed_by=desk.colleague.login,
        changed_at=desk.now(),
    )
    db.add(made)
    _put(db, desk, member, made.details_after())
    audit.record(
        db,
        desk,
        Action.CONTACT_CHANGED,
        member_id=member.id,
        call_id=edit.call_id,
        change=made.id,
        changed=list(changed),
        asked=edit.asked,
    )
    db.flush()
    return _changed(db, desk, made)


def _undo(db: Session, desk: Desk, undo_id: str, change_id: str) -> ContactChanged:
    change = db.get(ContactChange, change_id)
    if change is None:
        raise ConsoleError("This change is not on file. Open the member again.")
    if change.undone_at is not None:
        return _changed(db, desk, change)
    member = members.find(db, change.member_id)
    stands = contact_of(member).as_fields()
    if any(stands[field] != value for field, value in change.details_after().items()):
        raise ContactChangedMeanwhile(_on_file(db, member))
    change.undone_by, change.undone_at = desk.colleague.login, desk.now()
    _put(db, desk, member, change.details_before())
    # Whoever reads the address that goes off the file hears of it, as with any other change.
    what = f"{in_a_sentence(tuple(change.details_after()))}, back to what was on file before"
    told = tell_old_contact(db, desk, member, stands["email"], what)
    audit.record(
        db,
        desk,
        Action.CONTACT_CHANGE_UNDONE,
        member_id=member.id,
        change=change.id,
        undo=undo_id[:36],
    )
    db.flush()
    undone = _changed(db, desk, change)
    words = f"{undone.words}{_telling(db, desk, member, stands['email'], told)}"
    return replace(undone, words=words)


def _put(db: Session, desk: Desk, member: Member, details: Mapping[str, str]) -> None:
    """Put details on file, and keep an address that they replace findable."""
    with rekeyed(db, member.id):
        line, city = member.mailing_line, member.mailing_city
        moved = (details.get("mailing_line", line), details.get("mailing_city", city))
        if line and moved != (line, city):
            db.add(FormerAddress(member_id=member.id, line=line, city=city, until=desk.now()))
        for field, value in details.items():
            setattr(member, field, value)


def _check_asked(
    db: Session, desk: Desk, member_id: int, asked: Asked, call_id: str | None
) -> None:
    if asked is not Asked.CALLER_VERIFIED:
        return
    call = caller.own_call(db, desk, call_id, even_over=True)
    if not caller.is_verified(call, member_id):
        raise NotVerified(
            "Nobody was verified for this member on your call. Verify the caller first, or choose "
            "who else asks for it."
        )


def _telling(db: Session, desk: Desk, member: Member, old: str, told: str) -> str:
    """Say who is told of a change, or why the old address is not."""
    if told:
        return f" {told} is told of it." if desk.carries else f" The courier tells {told} of it."
    if not old:
        return ""
    why = desk.no_mail if _account_of(db, member) else "The member has no account."
    return f" The old address, {old}, is not told of it. {why}".rstrip()


def _changed(db: Session, desk: Desk, change: ContactChange) -> ContactChanged:
    member = members.find(db, change.member_id)
    changed = tuple(change.details_after())
    what = in_a_sentence(changed)
    many = " and " in what
    if change.undone_at is not None:
        words = f"The {what} {'are' if many else 'is'} on file as before."
    else:
        words = f"The {what} {'are' if many else 'is'} changed."
        old = change.details_before().get("email", member.email)
        words += _telling(db, desk, member, old, change.told)
    return ContactChanged(
        id=change.id,
        member_id=change.member_id,
        on_file=_on_file(db, member),
        changed=changed,
        words=words,
        undone=change.undone_at is not None,
    )


def _on_file(db: Session, member: Member) -> ContactOnFile:
    changes = [
        (at, by)
        for one in changes_of_contact(db, member.id, 20)
        for at, by in ((one.changed_at, one.changed_by), (one.undone_at, one.undone_by))
        if at is not None
    ]
    at, by = max(changes) if changes else (None, "")
    return ContactOnFile(contact_of(member), member.version, names_of_staff(db).get(by, by), at)
