"""The timeline: what happened last around a member, newest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console.domain import times
from console.domain.calls import Reason, Result
from console.domain.contact import FIELD_WORDS, Asked, in_a_sentence, shown
from console.domain.courier import ErrandKind, ErrandState
from console.domain.masking import HIDDEN_MONEY, mask_addresses, mask_email
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import PaymentState
from console.domain.registration import Outcome, Proof
from console.domain.verification import DeliveryStatus
from console.models.accounts import Account
from console.models.calls import Call
from console.models.contact import ContactChange, contact_of
from console.models.courier import Errand
from console.models.members import Member, NameCorrection, Note
from console.models.payments import Payment
from console.models.registration import RegistrationAttempt
from console.models.verification import Delivery
from console.services.member_page import EntryKind, TimelineEntry
from console.services.standing import Standing, reason_words

MOST_ENTRIES = 200

_OUTCOMES = {
    Outcome.REGISTERED: "Registered",
    Outcome.NAME_MISMATCH: "Registration refused: name",
    Outcome.ACCOUNT_NOT_FOUND: "Registration refused: account number",
    Outcome.ALREADY_REGISTERED: "Tried to register again",
    Outcome.LOCKED: "Tried to register while locked",
}
_ERRANDS = {
    (ErrandKind.RESEND, ErrandState.DONE): "Verify-account e-mail sent again",
    (ErrandKind.CORRECT_EMAIL, ErrandState.DONE): "E-mail address corrected",
    (ErrandKind.PUBLISH_NAME, ErrandState.DONE): "Corrected name reached the portal",
    (ErrandKind.TELL_OLD_CONTACT, ErrandState.DONE): (
        # After a correction of the name no address is an old one.
        "The member was told of the change by e-mail"
    ),
    (ErrandKind.SEND_RECEIPT, ErrandState.DONE): "Receipt sent by e-mail",
    (ErrandKind.SEND_PAY_LINK, ErrandState.DONE): "Pay link sent",
    (ErrandKind.SEND_NOTICE, ErrandState.DONE): "Written copy of the authorization sent",
    (ErrandKind.PUT_PREFERENCES, ErrandState.DONE): "Choices of notices reached the portal",
}


@dataclass(frozen=True)
class Happenings:
    """Everything stored that the timeline is made of."""

    member: Member
    accounts: Sequence[Account]
    standings: Mapping[str, Standing]
    calls: Sequence[Call]
    corrections: Sequence[NameCorrection]
    contact_changes: Sequence[ContactChange]
    notes: Sequence[Note]
    errands: Sequence[Errand]
    payments: Sequence[Payment]
    staff: Mapping[str, str]
    """The name behind each login."""


def compose(happenings: Happenings, zone: str, *, masked: bool) -> tuple[TimelineEntry, ...]:
    """Put everything that happened in one line, newest first."""
    entries = [*_entries(happenings, zone, masked)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return tuple(entries[:MOST_ENTRIES])


def _entries(h: Happenings, zone: str, masked: bool) -> Iterator[TimelineEntry]:
    email: Callable[[str], str] = mask_email if masked else str
    for standing in h.standings.values():
        yield from (_attempt(attempt, email) for attempt in standing.attempts)
        yield from (_delivery(delivery, email) for delivery in standing.deliveries)
    yield from (_call(call, h.staff) for call in h.calls)
    yield from (_errand(errand, h.staff, masked) for errand in h.errands)
    yield from (_note(note, h.staff) for note in h.notes)
    for correction in h.corrections:
        yield from _correction(correction, h.member, h.staff)
    stands = contact_of(h.member).as_fields()
    for change in h.contact_changes:
        yield from _contact(change, stands, h.staff, masked)
    yield from (_payment(payment, h.staff, masked) for payment in h.payments)
    told = {
        (share.account_number, payment.counts_on)
        for payment in h.payments
        if payment.state is PaymentState.CHARGED
        for share in payment.shares
    }
    for account in h.accounts:
        yield from _money(account, zone, masked, told)


def _attempt(attempt: RegistrationAttempt, email: Callable[[str], str]) -> TimelineEntry:
    return TimelineEntry(
        attempt.at,
        EntryKind.ATTEMPT,
        _OUTCOMES[attempt.outcome],
        f"Typed “{attempt.name_typed}” and {attempt.account_typed or 'no account number'}"
        + (f", {email(attempt.email)}." if attempt.email else "."),
        "Member",
    )


def _delivery(delivery: Delivery, email: Callable[[str], str]) -> TimelineEntry:
    title = {
        DeliveryStatus.BOUNCED: "Verify-account e-mail came back",
        DeliveryStatus.OPENED: "Verify-account link opened",
        DeliveryStatus.QUEUED: "Verify-account e-mail queued",
        DeliveryStatus.SENT: "Verify-account e-mail sent",
        DeliveryStatus.DELIVERED: "Verify-account e-mail delivered",
    }[delivery.status]
    detail = email(delivery.email)
    reason = reason_words(delivery)
    return TimelineEntry(
        delivery.at, EntryKind.EMAIL, title, f"{detail}. {reason}" if reason else detail, "Portal"
    )


def _call(call: Call, staff: Mapping[str, str]) -> TimelineEntry:
    who = staff.get(call.staff, call.staff)
    verified = "Caller verified." if call.verified_at else "Caller not verified."
    if call.ended_at is None:
        return TimelineEntry(call.began_at, EntryKind.CALL, "In a call now", verified, who)
    reason = Reason(call.reason).words if call.reason else "No reason given"
    result = f" {Result(call.result).words}." if call.result else ""
    note = f" {call.note}" if call.note else ""
    title = reason if call.member_began else f"We called: {reason[:1].lower()}{reason[1:]}"
    return TimelineEntry(call.began_at, EntryKind.CALL, title, f"{verified}{result}{note}", who)


def _errand(errand: Errand, staff: Mapping[str, str], masked: bool) -> TimelineEntry:
    kind = EntryKind.EDIT if errand.kind is ErrandKind.PUBLISH_NAME else EntryKind.EMAIL
    title = _ERRANDS.get(
        (errand.kind, errand.state),
        f"{errand.kind.words}: {errand.state.words[:1].lower()}{errand.state.words[1:]}",
    )
    who = staff.get(errand.asked_by, errand.asked_by)
    answer = mask_addresses(errand.answer) if masked else errand.answer
    return TimelineEntry(
        errand.finished_at or errand.asked_at,
        kind,
        title,
        f"Account {errand.account_number}. {answer}".strip(),
        who,
    )


def _note(note: Note, staff: Mapping[str, str]) -> TimelineEntry:
    return TimelineEntry(
        note.written_at,
        EntryKind.NOTE,
        "Note",
        note.text,
        staff.get(note.written_by, note.written_by),
        note_id=note.id,
    )


def _correction(
    correction: NameCorrection, member: Member, staff: Mapping[str, str]
) -> Iterator[TimelineEntry]:
    before = display_name(correction.given_names_before, correction.name_before)
    after = display_name(correction.given_names_after, correction.name_after)
    undone = correction.undone_at is not None
    stands = (member.name, member.given_names) == (
        correction.name_after,
        correction.given_names_after,
    )
    proof = Proof(correction.proof).words
    approved = staff.get(correction.approved_by, correction.approved_by)
    yield TimelineEntry(
        correction.corrected_at,
        EntryKind.EDIT,
        "Name corrected",
        f"“{before}” became “{after}”. {proof}."
        + (f" {correction.proof_note}" if correction.proof_note else "")
        + (f" Approved by {approved}." if approved else ""),
        staff.get(correction.corrected_by, correction.corrected_by),
        correction_id=correction.id if stands and not undone else "",
    )
    if correction.undone_at is not None:
        yield TimelineEntry(
            correction.undone_at,
            EntryKind.EDIT,
            "Name correction undone",
            f"“{after}” became “{before}” again.",
            staff.get(correction.undone_by, correction.undone_by),
        )


def _contact(
    change: ContactChange, stands: Mapping[str, str], staff: Mapping[str, str], masked: bool
) -> Iterator[TimelineEntry]:
    before, after = change.details_before(), change.details_after()
    what = in_a_sentence(tuple(after))
    asked = Asked(change.asked).words
    told = mask_email(change.told) if masked else change.told
    details = (
        f"{asked}."
        if masked
        else f"{_became(before, after)} {asked}." + (f" {told} is told." if told else "")
    )
    undone = change.undone_at is not None
    can_undo = not undone and all(stands[field] == value for field, value in after.items())
    yield TimelineEntry(
        change.changed_at,
        EntryKind.EDIT,
        f"{what[:1].upper()}{what[1:]} changed",
        details,
        staff.get(change.changed_by, change.changed_by),
        contact_change_id=change.id if can_undo else "",
    )
    if change.undone_at is not None:
        yield TimelineEntry(
            change.undone_at,
            EntryKind.EDIT,
            f"Change of {what} undone",
            "" if masked else _became(after, before),
            staff.get(change.undone_by, change.undone_by),
        )


def _became(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return " ".join(
        f"{FIELD_WORDS[field]}: {shown(field, before[field]) or 'nothing'} became "
        f"{shown(field, value) or 'nothing'}."
        for field, value in after.items()
    )


_PAYMENTS = {
    PaymentState.INTENT: "Payment asked for",
    PaymentState.SENDING: "Payment being made",
    PaymentState.UNKNOWN: "Payment not known yet",
    PaymentState.CHARGED: "Payment",
    PaymentState.DECLINED: "Payment declined",
    PaymentState.REVIEW: "Payment under review",
    PaymentState.ABANDONED: "Payment not sent",
}


def _payment(payment: Payment, staff: Mapping[str, str], masked: bool) -> TimelineEntry:
    numbers = ", ".join(share.account_number for share in payment.shares)
    many = "Accounts" if len(payment.shares) > 1 else "Account"
    amount = HIDDEN_MONEY if masked else str(payment.amount)
    answer = "" if payment.state is PaymentState.CHARGED else f" {payment.answer}"
    return TimelineEntry(
        payment.finished_at or payment.asked_at,
        EntryKind.PAYMENT,
        f"{_PAYMENTS[payment.state]} of {amount}",
        f"{payment.method_words or payment.way.words}. {many} {numbers}.{answer}".rstrip(),
        staff.get(payment.asked_by, payment.asked_by),
    )


def _money(
    account: Account, zone: str, masked: bool, told: Collection[tuple[str, date | None]]
) -> Iterator[TimelineEntry]:
    """Tell of the last bill and the last payment, unless the payment has an entry of its own."""
    for kind, title, sum_, on in (
        (EntryKind.PAYMENT, "Payment", account.last_payment, account.last_payment_on),
        (EntryKind.BILL, "Bill", account.last_bill, account.last_bill_on),
    ):
        own = kind is EntryKind.PAYMENT and (account.number, on) in told
        if sum_ is not None and on is not None and not own:
            yield _dated(kind, title, sum_, on, account.number, zone, masked)


def _dated(
    kind: EntryKind, title: str, sum_: Money, on: date, number: str, zone: str, masked: bool
) -> TimelineEntry:
    return TimelineEntry(
        times.midnight(on, zone),
        kind,
        f"{title} of {HIDDEN_MONEY if masked else sum_}",
        f"Account {number}.",
        "",
    )
