"""What each kind of errand says to the portal or by e-mail, and what the answer means for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from console.clients.http import Unexpected, Unreachable
from console.clients.mail import Bounced, Deferred, Enclosure
from console.clients.portal import (
    EmailSent,
    PortalRegistration,
    Preferences,
    Refused,
    Throttled,
    VersionConflict,
)
from console.domain import times
from console.domain.authorizations import NothingToRead
from console.domain.courier import ErrandKind
from console.domain.payments import NotPayable
from console.domain.registration import RegistrationState
from console.domain.texts import clean_text
from console.domain.verification import BadEmail, check_email
from console.models.accounts import Account
from console.models.members import Member, corrections_of, former_names_of
from console.models.registration import registration_for
from console.services import authorizations, news, preferences, receipts
from console.services.audit import Action
from console.services.desk import Desk

Learn = Callable[[Session], None]
"""Writes down what the portal told, in the transaction that settles the errand."""


@dataclass(frozen=True)
class Job:
    """An errand in hand: what to carry, and the token that shows we hold its lease."""

    id: str
    kind: ErrandKind
    account_number: str
    member_id: int
    asked_by: str
    asked_at: datetime
    tries: int
    payload: str
    token: str
    taken_at: datetime
    """When it was taken in hand, by the clock that all couriers share."""

    def wanted(self, name: str) -> str:
        """Read one thing the errand was told to carry."""
        return str(json.loads(self.payload).get(name, ""))


@dataclass(frozen=True)
class Done:
    """The portal did it."""

    words: str
    learn: Learn
    action: Action


@dataclass(frozen=True)
class NotDone:
    """The portal heard it and will not do it, now or later."""

    words: str
    action: Action


@dataclass(frozen=True)
class Later:
    """It may have been heard or not; the same errand goes again."""

    words: str
    wait_seconds: float | None = None
    """What the portal asked for; our own pause when it asked for nothing."""
    away: bool = False
    """Whether the server it goes to answers nobody just now."""


End = Done | NotDone | Later


def carry(desk: Desk, job: Job, settle_on: Callable[[str], bool]) -> End:
    """Say it to the portal; no transaction is open while we wait for its answer.

    `settle_on` writes down which registration the errand is for before anything is sent, because
    the same key must never be used for two.
    """
    try:
        return _say(desk, job, settle_on)
    except Throttled as problem:
        return Later(str(problem), problem.retry_after)
    except Refused as refusal:
        return NotDone(str(refusal), _REFUSALS[job.kind])
    except Deferred as problem:
        return Later(str(problem))
    except Unreachable as problem:
        return Later(str(problem), away=True)
    except Unexpected as problem:
        return Later(str(problem))


def _say(desk: Desk, job: Job, settle_on: Callable[[str], bool]) -> End:
    match job.kind:
        case ErrandKind.PUBLISH_NAME:
            return _publish(desk, job)
        case ErrandKind.RESEND:
            return _resend(desk, job, settle_on)
        case ErrandKind.CORRECT_EMAIL:
            return _correct_email(desk, job, settle_on)
        case ErrandKind.TELL_OLD_CONTACT:
            return _tell_old_contact(desk, job)
        case ErrandKind.SEND_RECEIPT | ErrandKind.SEND_PAY_LINK:
            return _send_about_payment(desk, job)
        case ErrandKind.SEND_NOTICE:
            return _send_authorization(desk, job)
        case ErrandKind.PUT_PREFERENCES:
            return _put_preferences(desk, job)


_REFUSALS = {
    ErrandKind.PUBLISH_NAME: Action.NAME_NOT_PUBLISHED,
    ErrandKind.RESEND: Action.EMAIL_NOT_RESENT,
    ErrandKind.CORRECT_EMAIL: Action.EMAIL_NOT_CORRECTED,
    ErrandKind.TELL_OLD_CONTACT: Action.OLD_CONTACT_NOT_TOLD,
    ErrandKind.SEND_RECEIPT: Action.RECEIPT_NOT_SENT,
    ErrandKind.SEND_PAY_LINK: Action.PAY_LINK_NOT_SENT,
    ErrandKind.SEND_NOTICE: Action.AUTHORIZATION_NOT_SENT,
    ErrandKind.PUT_PREFERENCES: Action.PREFERENCES_NOT_PUBLISHED,
}


def refusal_of(kind: ErrandKind) -> Action:
    """Name on the trail that this kind of errand was not done."""
    return _REFUSALS[kind]


@dataclass(frozen=True)
class _Filed:
    """A name as it stands on file at one moment, with what the portal held then."""

    name: str
    portal_version: int
    earlier: frozenset[str]
    """Spellings that stood on file before: over these the newest one may be written."""


def _publish(desk: Desk, job: Job) -> End:
    # The name as it stands now: of two quick corrections the newer always wins. An older one that
    # is still under way names an older version, and the portal refuses it.
    filed = _filed(desk, job)
    version = filed.portal_version
    for last in (False, True):
        try:
            held = desk.portal.publish_name(
                job.account_number, filed.name, version, staff=job.asked_by
            )
        except VersionConflict as conflict:
            filed = _filed(desk, job)
            if last or not _is_ours(conflict.current_name, filed):
                return NotDone(
                    f"The portal holds “{conflict.current_name or 'another name'}” for account "
                    f"{job.account_number}, which somebody changed there. Find out which name is "
                    "right, and correct the file or the portal.",
                    Action.NAME_NOT_PUBLISHED,
                )
            version = conflict.current_version
            continue
        return Done(
            f"{desk.settings.portal_name} has “{held.name}” for account {job.account_number}.",
            _learn_version(job, held.version),
            Action.NAME_PUBLISHED,
        )
    raise AssertionError("the second try always ends")


def _is_ours(name: str | None, filed: _Filed) -> bool:
    return name is not None and (name == filed.name or name in filed.earlier)


def _filed(desk: Desk, job: Job) -> _Filed:
    with desk.records.read() as db:
        member = db.get_one(Member, job.member_id)
        account = db.get_one(Account, job.account_number)
        corrections = corrections_of(db, member.id, 200)
        return _Filed(
            member.name,
            account.portal_version,
            frozenset(
                {former.name for former in former_names_of(db, member.id)}
                | {c.name_before for c in corrections}
                | {c.name_after for c in corrections}
            ),
        )


def _learn_version(job: Job, version: int) -> Learn:
    def learn(db: Session) -> None:
        account = db.get_one(Account, job.account_number)
        account.portal_version = max(account.portal_version, version)

    return learn


def _resend(desk: Desk, job: Job, settle_on: Callable[[str], bool]) -> End:
    registration_id = _registration_id(desk, job, settle_on)
    if registration_id is None:
        return _no_registration(desk, job)
    sent = desk.portal.send_again(registration_id, idempotency_key=job.id, staff=job.asked_by)
    return Done(
        f"Sent again to {_address(sent)} {_when(desk, sent.sent_at)}.",
        _learn_sent(desk, job, sent),
        Action.EMAIL_RESENT,
    )


def _correct_email(desk: Desk, job: Job, settle_on: Callable[[str], bool]) -> End:
    registration_id = _registration_id(desk, job, settle_on)
    if registration_id is None:
        return _no_registration(desk, job)
    # The same address twice is the same address; the e-mail to it goes under the errand's key.
    told = desk.portal.correct_email(registration_id, job.wanted("email"), staff=job.asked_by)
    try:
        sent = desk.portal.send_again(registration_id, idempotency_key=job.id, staff=job.asked_by)
    except Throttled:
        raise
    except Refused as refusal:
        return Done(
            f"The address is {clean_text(told.email, 254)} now, but no e-mail went: {refusal}",
            _learn_standing(desk, job, told),
            Action.EMAIL_CORRECTED,
        )
    return Done(
        f"The address is {_address(sent)} now; the e-mail went there {_when(desk, sent.sent_at)}.",
        _learn_sent(desk, job, sent),
        Action.EMAIL_CORRECTED,
    )


def _tell_old_contact(desk: Desk, job: Job) -> End:
    """Tell the address that was on file before, so that a stranger's change is noticed.

    An e-mail may go twice when a courier dies between the mail server's answer and ours; that is
    better than none.
    """
    try:
        to = check_email(job.wanted("to"))
    except BadEmail:
        return NotDone(
            "What stood on file before is no e-mail address, so nobody there knows of the change.",
            Action.OLD_CONTACT_NOT_TOLD,
        )
    if desk.mail is None:
        return Later("No mail server is set up where the courier runs.")
    coop, phone = desk.settings.coop_name, desk.settings.coop_phone
    call = f" at {phone}" if phone else ""
    try:
        desk.mail.send(
            to,
            f"A change to your account with {coop}",
            # Word of an address at the portal goes before the portal has said yes.
            f"On {job.wanted('on')} we were asked to change the {job.wanted('what')} on your "
            f"account ending in {job.account_number[-3:]}.\n\n"
            f"If you asked for this, there is nothing to do. If you did not, please call us{call}."
            f"\n\nWe never ask for a password, a card or a bank number by e-mail.\n\n{coop}\n",
            at=desk.now(),
        )
    except Bounced:
        return NotDone(
            f"The e-mail to {to} came back, so nobody at the old address knows of the change.",
            Action.OLD_CONTACT_NOT_TOLD,
        )
    return Done(f"{to} was told of the change.", lambda _: None, Action.OLD_CONTACT_TOLD)


_NO_MAIL = "No mail server is set up where the courier runs."


def _send_about_payment(desk: Desk, job: Job) -> End:
    is_receipt = job.kind is ErrandKind.SEND_RECEIPT
    return _send_receipt(desk, job) if is_receipt else _send_pay_link(desk, job)


def _send_receipt(desk: Desk, job: Job) -> End:
    """E-mail a receipt; it may go twice when a courier dies, and says the same both times."""
    try:
        to = check_email(job.wanted("to"))
    except BadEmail:
        return NotDone("There is no e-mail address to send it to.", Action.RECEIPT_NOT_SENT)
    if desk.mail is None:
        return Later(_NO_MAIL)
    try:
        receipt = receipts.receipt(desk, job.wanted("payment"))
    except NotPayable as problem:
        return NotDone(str(problem), Action.RECEIPT_NOT_SENT)
    paper = Enclosure(f"receipt-{receipt.number}.pdf", receipts.draw(receipt))
    try:
        desk.mail.send(
            to,
            f"Your receipt {receipt.number} from {desk.settings.coop_name}",
            f"{receipts.words(receipt)}\n\nThe receipt is enclosed.\n\n"
            "We never ask for a password, a card or a bank number by e-mail.\n\n"
            f"{desk.settings.coop_name}\n",
            at=desk.now(),
            enclosed=(paper,),
        )
    except Bounced:
        return NotDone(f"The e-mail to {to} came back.", Action.RECEIPT_NOT_SENT)
    return Done(f"The receipt went to {to}.", lambda _: None, Action.RECEIPT_SENT)


def _send_pay_link(desk: Desk, job: Job) -> End:
    """Send a pay link by e-mail, or by text through the address that turns e-mails into texts."""
    told = receipts.pay_link(desk, job.wanted("payment"))
    if told is None:
        return NotDone("The pay link is shut already.", Action.PAY_LINK_NOT_SENT)
    to = told.to
    if "@" not in to:
        if not desk.settings.text_address:
            return NotDone(
                "No texts can be sent from here. Send the link by e-mail.", Action.PAY_LINK_NOT_SENT
            )
        to = desk.settings.text_address.replace("{phone}", to)
    if desk.mail is None:
        return Later(_NO_MAIL)
    try:
        desk.mail.send(
            to, f"Pay {told.amount} to {desk.settings.coop_name}", told.words, at=desk.now()
        )
    except Bounced:
        return NotDone(f"The pay link to {told.to} came back.", Action.PAY_LINK_NOT_SENT)
    return Done(f"The pay link went to {told.to}.", lambda _: None, Action.PAY_LINK_SENT)


def _send_authorization(desk: Desk, job: Job) -> End:
    """E-mail the written copy of what was allowed on the phone; twice says the same."""
    try:
        to = check_email(job.wanted("to"))
    except BadEmail:
        return NotDone(
            "There is no e-mail address for the written copy. Print it and send it by mail.",
            Action.AUTHORIZATION_NOT_SENT,
        )
    if desk.mail is None:
        return Later(_NO_MAIL)
    try:
        told = authorizations.copy_of(desk, job.wanted("payment"))
    except NothingToRead as problem:
        return NotDone(str(problem), Action.AUTHORIZATION_NOT_SENT)
    try:
        desk.mail.send(
            to,
            f"Your authorization of bank debits by {desk.settings.coop_name}",
            authorizations.letter(desk, told),
            at=desk.now(),
            enclosed=(Enclosure("authorization.pdf", authorizations.draw(told)),),
        )
    except Bounced:
        return NotDone(
            f"The written copy to {to} came back. Print it and send it by mail.",
            Action.AUTHORIZATION_NOT_SENT,
        )
    return Done(f"The written copy went to {to}.", lambda _: None, Action.AUTHORIZATION_SENT)


def _put_preferences(desk: Desk, job: Job) -> End:
    """Bring what was changed here to the portal; what the member chose there besides stays.

    What is on file now is brought, so that of two quick changes the newer one wins.
    """
    for _ in range(2):
        held = desk.portal.preferences(job.account_number, staff=job.asked_by)
        with desk.records.read() as db:
            wanted = preferences.with_ours(db, held, job.payload)
        if wanted != held:
            try:
                held = desk.portal.change_preferences(wanted, staff=job.asked_by)
            except VersionConflict:
                continue  # the member has just chosen something there: read it, then ours again
        return Done(
            f"{desk.settings.portal_name} knows what the member wants to hear of.",
            _learn_preferences(desk, held),
            Action.PREFERENCES_PUBLISHED,
        )
    return Later("The member is changing the same at the portal just now.")


def _learn_preferences(desk: Desk, held: Preferences) -> Learn:
    def learn(db: Session) -> None:
        preferences.take(db, desk, held)

    return learn


def _registration_id(desk: Desk, job: Job, settle_on: Callable[[str], bool]) -> str | None:
    known = job.wanted("registration_id")
    if known:
        return known
    told = desk.portal.registration(job.account_number, staff=job.asked_by)
    if told.id is None or not settle_on(told.id):
        return None
    return told.id


def _no_registration(desk: Desk, job: Job) -> NotDone:
    return NotDone(
        f"{desk.settings.portal_name} has no registration for account {job.account_number} that "
        "waits. Ask the member to register.",
        _REFUSALS[job.kind],
    )


def _learn_sent(desk: Desk, job: Job, sent: EmailSent) -> Learn:
    def learn(db: Session) -> None:
        registration = registration_for(db, job.account_number)
        if registration is None:
            return  # the next look at the portal brings it
        registration.portal_id = sent.registration_id
        registration.email = clean_text(sent.email, 254)
        registration.state = RegistrationState.AWAITING_VERIFICATION
        registration.sent_at, registration.expires_at = sent.sent_at, sent.expires_at
        registration.refreshed_at = None
        db.flush()
        news.settle_place(db, registration, desk.now())

    return learn


def _learn_standing(desk: Desk, job: Job, told: PortalRegistration) -> Learn:
    def learn(db: Session) -> None:
        news.take_standing(db, told, job.account_number, desk.now())

    return learn


def _address(sent: EmailSent) -> str:
    return clean_text(sent.email, 254)


def _when(desk: Desk, at: datetime) -> str:
    if abs((desk.now() - at).total_seconds()) < 60:
        return "just now"
    return times.when(at, desk.now(), desk.settings.zone)
