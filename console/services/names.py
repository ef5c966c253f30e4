"""Correct the name on file: proof, both versions, undo, and the way to the portal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from console.domain import registration as rules
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.domain.members import AccountStatus
from console.domain.registration import Proof
from console.domain.texts import check_text
from console.models.accounts import accounts_of
from console.models.calls import Call
from console.models.courier import Errand, errands_for, last_sign
from console.models.members import FormerName, Member, NameCorrection, corrections_of
from console.models.problems import again_if_crossed
from console.models.search import rekeyed
from console.models.staff import names_of_staff
from console.services import audit, contact, members, staff
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.standing import errand_words


@dataclass(frozen=True)
class NameOnFile:
    """A name with the version a correction must name, and who set it last."""

    name: str
    given_names: str
    version: int
    changed_by: str
    changed_at: datetime | None


class ChangedMeanwhile(ConsoleError):
    """A colleague changed the name after this page was opened."""

    def __init__(self, theirs: NameOnFile) -> None:
        super().__init__("A colleague has just changed this name. Here are both versions.")
        self.theirs = theirs


class NeedsSupervisor(ConsoleError):
    """The new name looks like another person, so a supervisor must approve it."""


class CannotUndo(ConsoleError):
    """There is nothing left of this correction to undo."""


@dataclass(frozen=True)
class Approval:
    """A supervisor's login and password, given at the representative's desk."""

    login: str
    password: str


@dataclass(frozen=True)
class Correction:
    """What the corrector wants: a new name and what proves it."""

    id: str
    """Made when the dialog opens."""
    member_id: int
    version: int
    name: str
    given_names: str
    proof: Proof
    proof_note: str = ""
    call_id: str | None = None


@dataclass(frozen=True)
class Publication:
    """How far one account's corrected name has come on its way to the portal."""

    account_number: str
    state: ErrandState
    words: str


@dataclass(frozen=True)
class Corrected:
    """The correction as it stands on file."""

    id: str
    member_id: int
    before: NameOnFile
    after: NameOnFile
    publications: tuple[Publication, ...]
    undone: bool


def name_on_file(desk: Desk, member_id: int) -> NameOnFile:
    """Answer the name as it stands now, for the correction dialog."""
    with desk.records.read() as db:
        return _on_file(db, members.find(db, member_id))


def read_out(desk: Desk, member_id: int, account_number: str, call_id: str | None = None) -> None:
    """Write on the trail that the filed spelling was read out to the caller."""
    with desk.records.begin() as db:
        member = members.find(db, member_id)
        audit.record(
            db,
            desk,
            Action.NAME_READ_OUT,
            member_id=member_id,
            account_number=account_number[:20],
            call_id=call_id,
            name=member.name,
        )


def correct_name(desk: Desk, correction: Correction, approval: Approval | None = None) -> Corrected:
    """Correct the name on file, keep the old one findable, and send it to the portal.

    Raises ChangedMeanwhile when a colleague was faster, NeedsSupervisor when the new name looks
    like another person and nobody with the right approved it.
    """
    check_may_change(desk)
    wanted = _Wanted(
        rules.clean_name(correction.name),
        check_text(correction.given_names, 80, "The given names"),
        check_text(correction.proof_note, 500, "The note on the proof", lines=True),
    )
    alone = desk.colleague.login if desk.colleague.role.approves_other_person else ""

    def in_one_go(approver: str) -> Corrected:
        with desk.records.begin() as db:
            return _correct(db, desk, correction, wanted, approver)

    # Somebody else's change, or a second press of this one, may cross ours.
    try:
        return again_if_crossed(lambda: in_one_go(alone))
    except NeedsSupervisor:
        # The password is checked outside the transaction: the check takes its time on purpose.
        approver = _approver(desk, correction, approval)
    return again_if_crossed(lambda: in_one_go(approver))


@dataclass(frozen=True)
class _Wanted:
    name: str
    given_names: str
    proof_note: str


def _correct(
    db: Session, desk: Desk, correction: Correction, wanted: _Wanted, approver: str
) -> Corrected:
    if (known := db.get(NameCorrection, correction.id)) is not None:
        return _corrected(db, desk, known)
    # Found once and held: found a second time it could be a newer row than the one we looked at.
    member = members.find(db, correction.member_id)
    other_person = _check(db, desk, member, correction, wanted)
    if other_person and not approver:
        raise _needs_supervisor()
    made = NameCorrection(
        id=correction.id,
        member_id=member.id,
        name_before=member.name,
        given_names_before=member.given_names,
        name_after=wanted.name,
        given_names_after=wanted.given_names,
        proof=correction.proof,
        proof_note=wanted.proof_note,
        looks_like_other_person=other_person,
        approved_by=approver if other_person else "",
        corrected_by=desk.colleague.login,
        corrected_at=desk.now(),
    )
    db.add(made)
    _rename(db, desk, member, wanted.name, wanted.given_names)
    _publish(db, desk, member, made)
    contact.tell_old_contact(db, desk, member, member.email, "name")
    audit.record(
        db,
        desk,
        Action.NAME_CORRECTED,
        member_id=member.id,
        call_id=correction.call_id,
        correction=made.id,
        before=[made.given_names_before, made.name_before],
        after=[made.given_names_after, made.name_after],
        proof=correction.proof,
        approved_by=made.approved_by,
    )
    db.flush()
    return _corrected(db, desk, made)


def _check(
    db: Session, desk: Desk, member: Member, correction: Correction, wanted: _Wanted
) -> bool:
    """Refuse what cannot be corrected, and tell whether it looks like another person."""
    if member.version != correction.version:
        raise ChangedMeanwhile(_on_file(db, member))
    if (member.name, member.given_names) == (wanted.name, wanted.given_names):
        raise ConsoleError("The name stands on file exactly like this. There is nothing to change.")
    if correction.proof is Proof.CALLER_VERIFIED:
        _check_verified(db, desk, correction)
    return rules.needs_supervisor(member.name, wanted.name)


def _check_verified(db: Session, desk: Desk, correction: Correction) -> None:
    call = db.get(Call, correction.call_id) if correction.call_id else None
    if (
        call is None
        or call.verified_at is None
        or call.member_id != correction.member_id
        or call.staff != desk.colleague.login
    ):
        raise ConsoleError(
            "Nobody was verified for this member on your call. Verify the caller first, or choose "
            "what else proves the name."
        )


def _approver(desk: Desk, correction: Correction, approval: Approval | None) -> str:
    if approval is None:
        raise _needs_supervisor()
    try:
        supervisor = staff.approve(desk, approval.login, approval.password, correction.id)
    except staff.SignInRefused as refusal:
        raise NeedsSupervisor(
            "This login and password do not go together, so nobody has approved the name yet. Try "
            "again."
        ) from refusal
    if not supervisor.role.approves_other_person:
        with desk.records.begin() as db:
            audit.record(
                db,
                desk,
                Action.NAME_APPROVAL_REFUSED,
                member_id=correction.member_id,
                call_id=correction.call_id,
                login=supervisor.login,
            )
        raise NeedsSupervisor(
            f"{supervisor.name} may not approve another person's name. Ask a supervisor."
        )
    return supervisor.login


def _needs_supervisor() -> NeedsSupervisor:
    return NeedsSupervisor(
        "This looks like another person, not another spelling. A supervisor must approve it here, "
        "or the account must be put in the other person's name."
    )


def _rename(db: Session, desk: Desk, member: Member, name: str, given_names: str) -> None:
    """Put a name on file and keep the one it replaces findable."""
    with rekeyed(db, member.id):
        db.add(
            FormerName(
                member_id=member.id,
                name=member.name,
                given_names=member.given_names,
                until=desk.now(),
            )
        )
        member.name, member.given_names = name, given_names


def _publish(db: Session, desk: Desk, member: Member, correction: NameCorrection) -> None:
    if correction.name_before == correction.name_after:
        return  # the portal knows nothing of given names
    now = desk.office_time(db)
    for account in accounts_of(db, member.id):
        if account.status is AccountStatus.CLOSED:
            continue
        db.add(
            Errand(
                id=str(uuid4()),
                kind=ErrandKind.PUBLISH_NAME,
                state=ErrandState.WAITING,
                account_number=account.number,
                member_id=member.id,
                correction_id=correction.id,
                asked_by=desk.colleague.login,
                asked_at=now,
                next_try_at=now,
            )
        )


def undo_correction(desk: Desk, undo_id: str, correction_id: str) -> Corrected:
    """Put the name back as it was before a correction, and tell the portal."""
    check_may_change(desk)

    def in_one_go() -> Corrected:
        with desk.records.begin() as db:
            return _undo(db, desk, undo_id, correction_id)

    return again_if_crossed(in_one_go)


def _undo(db: Session, desk: Desk, undo_id: str, correction_id: str) -> Corrected:
    correction = _find(db, correction_id)
    if correction.undone_at is not None:
        return _corrected(db, desk, correction)
    member = members.find(db, correction.member_id)
    if (member.name, member.given_names) != (correction.name_after, correction.given_names_after):
        raise ChangedMeanwhile(_on_file(db, member))
    correction.undone_by, correction.undone_at = desk.colleague.login, desk.now()
    _rename(db, desk, member, correction.name_before, correction.given_names_before)
    _publish(db, desk, member, correction)
    back = "name, back to what was on file before"
    contact.tell_old_contact(db, desk, member, member.email, back)
    audit.record(
        db,
        desk,
        Action.NAME_CORRECTION_UNDONE,
        member_id=member.id,
        correction=correction.id,
        undo=undo_id[:36],
        before=[correction.given_names_after, correction.name_after],
        after=[correction.given_names_before, correction.name_before],
    )
    db.flush()
    return _corrected(db, desk, correction)


def publication(desk: Desk, correction_id: str) -> Corrected:
    """Answer how far a correction has come on its way to the portal."""
    with desk.records.read() as db:
        return _corrected(db, desk, _find(db, correction_id))


def _find(db: Session, correction_id: str) -> NameCorrection:
    correction = db.get(NameCorrection, correction_id)
    if correction is None:
        raise CannotUndo("This correction is not on file. Open the member again.")
    return correction


def _corrected(db: Session, desk: Desk, correction: NameCorrection) -> Corrected:
    member = members.find(db, correction.member_id)
    names = names_of_staff(db)
    seen_at = last_sign(db)
    newest: dict[str, Errand] = {}
    for errand in errands_for(db, correction.id):
        newest.setdefault(errand.account_number, errand)
    return Corrected(
        id=correction.id,
        member_id=member.id,
        before=NameOnFile(
            correction.name_before, correction.given_names_before, member.version, "", None
        ),
        after=NameOnFile(
            correction.name_after,
            correction.given_names_after,
            member.version,
            names.get(correction.corrected_by, correction.corrected_by),
            correction.corrected_at,
        ),
        publications=tuple(
            Publication(number, errand.state, errand_words(desk, errand, seen_at))
            for number, errand in newest.items()
        ),
        undone=correction.undone_at is not None,
    )


def _on_file(db: Session, member: Member) -> NameOnFile:
    by, at = _last_change(corrections_of(db, member.id, 20))
    return NameOnFile(
        member.name, member.given_names, member.version, names_of_staff(db).get(by, by), at
    )


def _last_change(corrections: Sequence[NameCorrection]) -> tuple[str, datetime | None]:
    changes = [(c.corrected_at, c.corrected_by) for c in corrections]
    changes += [(c.undone_at, c.undone_by) for c in corrections if c.undone_at is not None]
    if not changes:
        return "", None
    at, by = max(changes)
    return by, at
