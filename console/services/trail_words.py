"""The audit trail in words: each line said as a colleague would say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.calls import Fact, Reason, Result
from console.domain.contact import FIELD_WORDS, shown
from console.domain.contact import Asked as OnWhoseWord
from console.domain.courier import ErrandKind, ErrandState
from console.domain.drawers import MovementKind
from console.domain.members import AlertKind, HolderRole, MayAct
from console.domain.money import Money
from console.domain.registration import Outcome, Proof
from console.domain.staff import Role
from console.models.members import Member
from console.models.staff import names_of_staff
from console.services.audit import Action
from console.services.desk import Desk
from console.services.trail_page import (
    NOTHING,
    ROW_ADDED,
    ROW_CHANGED,
    ROW_REMOVED,
    Difference,
    Kind,
    Place,
    Raw,
    TrailRow,
)

MOST_COLUMNS_NAMED: Final = 3
"""How many columns of a change its title names."""
_WORDS: Final = {
    Action.STAFF_SIGNED_IN: "Signed in",
    Action.STAFF_REFUSED: "Was refused at sign-in",
    Action.STAFF_ENROLLED: "Took a colleague on",
    Action.STAFF_ROLE_CHANGED: "Gave a colleague another role",
    Action.STAFF_RENAMED: "Corrected a colleague’s name",
    Action.STAFF_PASSWORD_GIVEN: "Gave a colleague a new password",
    Action.STAFF_PASSWORD_CHANGED: "Changed their own password",
    Action.STAFF_DISMISSED: "Dismissed a colleague",
    Action.STAFF_SIGNED_OUT: "Signed out",
    Action.MEMBER_OPENED: "Opened the member",
    Action.CONTACT_SHOWN: "Uncovered the contact details to change them",
    Action.CONTACT_CHANGED: "Changed the contact details",
    Action.CONTACT_CHANGE_UNDONE: "Undid a change of the contact details",
    Action.OLD_CONTACT_TOLD: "The member was told of the change by e-mail",
    Action.OLD_CONTACT_NOT_TOLD: "The member could not be told of the change by e-mail",
    Action.NAME_READ_OUT: "Read out the name on file",
    Action.NAME_CORRECTED: "Corrected the name",
    Action.NAME_CORRECTION_UNDONE: "Undid a correction of the name",
    Action.NAME_APPROVAL_GIVEN: "Approved another person’s name",
    Action.NAME_APPROVAL_REFUSED: "Asked somebody for approval who may not give it",
    Action.NAME_PUBLISHED: "The corrected name reached the portal",
    Action.NAME_NOT_PUBLISHED: "The corrected name did not reach the portal",
    Action.REGISTRATION_CHECKED: "Tried a name and number at the portal",
    Action.REGISTRATION_ASSIGNED: "Changed who looks after the registration",
    Action.EMAIL_RESEND_ASKED: "Asked for the verify-account e-mail once more",
    Action.EMAIL_RESENT: "The verify-account e-mail was sent again",
    Action.EMAIL_NOT_RESENT: "The verify-account e-mail could not be sent again",
    Action.EMAIL_CORRECTION_ASKED: "Asked the portal to correct an e-mail address",
    Action.EMAIL_CORRECTED: "The portal corrected an e-mail address",
    Action.EMAIL_NOT_CORRECTED: "The portal did not correct an e-mail address",
    Action.PASSWORD_RULE_READ_OUT: "Read out the password rule",
    Action.CALL_BEGUN: "Began a call",
    Action.CALL_TURNED: "Turned the call to another member",
    Action.CALLER_VERIFIED: "Verified the caller",
    Action.CALLER_NOT_VERIFIED: "Took the caller’s verification back",
    Action.CALL_WRAPPED_UP: "Wrapped up the call",
    Action.ERRAND_NOT_UNDERSTOOD: "An errand could not be understood and was given up",
    Action.NOTE_WRITTEN: "Wrote a note",
    Action.NOTE_REMOVED: "Removed a note",
    Action.NOTE_RESTORED: "Brought a note back",
    Action.ALERT_RAISED: "Raised an alert",
    Action.ALERT_CLEARED: "Cleared an alert",
    Action.ALERT_RESTORED: "Brought an alert back",
    Action.DRAWER_OPENED: "Opened their drawer",
    Action.DRAWER_MOVED: "Put cash into their drawer, or took some out",
    Action.DRAWER_COUNTED: "Counted a drawer that was not as expected",
    Action.DRAWER_CLOSED: "Closed a drawer",
    Action.DRAWER_PRINTED: "Printed the sheet of a drawer",
    Action.PAYMENT_ASKED: "Asked for a payment",
    Action.PAYMENT_CHARGED: "A payment was made",
    Action.PAYMENT_DECLINED: "A payment was declined",
    Action.PAYMENT_NOT_KNOWN: "It was not known what became of a payment",
    Action.PAYMENT_ABANDONED: "A payment was given up unsent",
    Action.PAYMENT_CANCELLED: "Called off a payment before it was sent",
    Action.PAYMENT_UNDER_REVIEW: "A payment was put under review",
    Action.PAYMENT_DECIDED: "Decided what became of a payment",
    Action.PAYMENT_RETURNED: "A payment came back",
    Action.PAYMENT_VOIDED: "Voided a payment",
    Action.PAYMENT_REFUSED: "Was refused when taking a payment",
    Action.PAGE_SHUT_ASKED: "Asked for the payment page to be shut",
    Action.RECEIPT_SENT: "The receipt was e-mailed",
    Action.RECEIPT_NOT_SENT: "The receipt could not be e-mailed",
    Action.RECEIPT_READ_OUT: "Read out the receipt",
    Action.RECEIPT_PRINTED: "Printed the receipt",
    Action.PAY_LINK_SENT: "The pay link was sent",
    Action.PAY_LINK_NOT_SENT: "The pay link could not be sent",
    Action.REFUND_ASKED: "Asked for a refund",
    Action.REFUND_APPROVED: "Approved a refund",
    Action.REFUND_GIVEN: "A refund was given",
    Action.REFUND_REFUSED: "A refund was refused",
    Action.REFUND_UNDER_REVIEW: "A refund was put under review",
    Action.REFUND_CALLED_OFF: "Called off a refund",
    Action.METHOD_ASKED: "Asked for a payment method to be stored or taken away",
    Action.METHOD_STORED: "A payment method was stored",
    Action.METHOD_REMOVED: "Took a payment method away",
    Action.METHOD_DEFAULT_CHANGED: "Made another payment method the usual one",
    Action.METHOD_NOT_STORED: "A payment method was not stored",
    Action.ARRANGEMENT_MADE: "Agreed on a payment arrangement",
    Action.ARRANGEMENT_CALLED_OFF: "Called off a payment arrangement",
    Action.ARRANGEMENT_KEPT: "A payment arrangement was kept",
    Action.ARRANGEMENT_BROKEN: "A payment arrangement was broken",
    Action.AUTHORIZATION_SENT: "The written copy of an authorization was sent",
    Action.AUTHORIZATION_NOT_SENT: "The written copy of an authorization could not be sent",
    Action.AUTO_PAY_ENROLLED: "Enrolled an account in Auto Pay",
    Action.AUTO_PAY_ENDED: "Ended Auto Pay for an account",
    Action.AUTO_PAY_RUN: "Auto Pay asked for a payment",
    Action.AUTO_PAY_SKIPPED: "Auto Pay left out a payment",
    Action.PREFERENCES_CHANGED: "Changed what the member wants to hear of",
    Action.PREFERENCES_PUBLISHED: "The member’s wishes reached the portal",
    Action.PREFERENCES_NOT_PUBLISHED: "The member’s wishes did not reach the portal",
    Action.DAY_RECONCILED: "Laid a day beside the gateway’s list",
    Action.MISMATCH_CLEARED: "Cleared a line of the reconciliation sheet",
    Action.PAYMENTS_EXPORTED: "Took the list of payments out as a file",
    Action.TRAIL_EXPORTED: "Took this trail out as a file",
    Action.TRAIL_VERIFIED: "Had this trail verified",
}
_ROW_WORDS: Final = {ROW_ADDED: "Added", ROW_CHANGED: "Changed", ROW_REMOVED: "Removed"}
_TABLES: Final = {
    "holder": "person on the account",
    "former_name": "former name",
    "former_address": "former address",
    "name_correction": "name correction",
    "contact_change": "change of contact details",
    "staff": "colleague",
    "errand": "errand for the courier",
}
_COLUMNS: Final = {
    "name_before": "Name before",
    "given_names_before": "First names before",
    "name_after": "Name after",
    "given_names_after": "First names after",
    "before": "Details before",
    "after": "Details after",
    "name": "Name",
    "given_names": "First names",
    **FIELD_WORDS,
    "is_business": "Is a business",
    "identity_last_four": "Last four of the identity number",
    "role": "Role",
    "may_act": "What they may do",
    "password_hash": "Password",
    "dismissed": "Dismissed",
    "line": "Address",
    "city": "City",
    "kind": "Kind",
    "state": "State",
    "text": "Text",
    "note": "Note",
    "proof": "Proof",
    "proof_note": "Note on the proof",
    "asked": "On whose word",
    "looks_like_other_person": "Looks like another person",
    "approved_by": "Approved by",
    "told": "Told of it at",
    "facts": "What the caller could tell",
    "verified_at": "Caller verified",
    "reason": "Why they called",
    "result": "How it ended",
    "member_began": "The member called us",
    "began_at": "Began",
    "ended_at": "Ended",
    "balance": "Balance",
    "due_on": "Due",
    "service_line": "Service address",
    "service_city": "Service city",
    "service_state": "Service state",
    "service_zip": "Service ZIP",
    "answer": "Answer",
    "until": "Until",
}
"""What the columns are called, in the order in which they are told."""
_BOOKKEEPING: Final = {
    "staff": "Colleague",
    "login": "Login",
    "asked_by": "Asked for by",
    "asked_at": "Asked for",
    "member_id": "Member",
    "account_number": "Account",
    "correction_id": "Number of the correction",
    "id": "Number in the file",
    "payload": "What goes out",
    "tries": "Tries",
    "next_try_at": "Next try",
    "leased_by": "Carried by",
    "leased_until": "Carried until",
    "finished_at": "Finished",
    "version": "Version",
    "portal_version": "Version at the portal",
}
"""What is told last: who and when, which the line says anyway, and what only machines need."""
_SHARES_A_TABLE: Final = {"name": "name_correction", "contact": "contact_change"}
_IN_WORDS: Final[dict[tuple[str, str], Callable[[str], str]]] = {
    ("name_correction", "proof"): lambda told: Proof(told).words,
    ("contact_change", "asked"): lambda told: OnWhoseWord(told).words,
    ("contact_change", "changed"): lambda told: FIELD_WORDS.get(told, _spaced(told)),
    ("call", "reason"): lambda told: Reason(told).words,
    ("call", "result"): lambda told: Result(told).words,
    ("call", "facts"): lambda told: Fact(told).words,
    ("caller", "facts"): lambda told: Fact(told).words,
    ("alert", "kind"): lambda told: AlertKind(told).words,
    ("errand", "kind"): lambda told: ErrandKind(told).words,
    ("errand", "state"): lambda told: ErrandState(told).words,
    ("holder", "role"): lambda told: HolderRole(told).words,
    ("holder", "may_act"): lambda told: MayAct(told).words,
    ("staff", "role"): lambda told: Role(told).words,
    ("staff", "wanted"): lambda told: _WANTED.get(told) or act_in_words(told),
    ("registration", "reason"): lambda told: _REFUSALS[Outcome(told)],
    ("drawer", "kind"): lambda told: MovementKind(told).words,
    ("drawer_movement", "kind"): lambda told: MovementKind(told).words,
}
_WANTED: Final[dict[str, str]] = {
    Action.STAFF_SIGNED_IN: "To sign in",
    Action.STAFF_PASSWORD_CHANGED: "To change their own password",
    Action.NAME_APPROVAL_GIVEN: "To approve another person’s name",
}
_REFUSALS: Final[dict[Outcome, str]] = {
    Outcome.REGISTERED: "Nothing",
    Outcome.NAME_MISMATCH: "The name does not fit the account",
    Outcome.ACCOUNT_NOT_FOUND: "There is no such account",
    Outcome.ALREADY_REGISTERED: "The account is registered already",
    Outcome.LOCKED: "The account is locked after too many tries",
}
_DETAILS: Final = {
    "asked": "on whose word",
    "asked_by": "asked for by",
    "approved_by": "approved by",
    "facts": "the caller could tell",
    "login": "colleague",
    "wanted": "wanted",
    "narrowed_to": "only",
    "rows": "lines looked through",
    "faults": "faults found",
    "email": "to",
    "told": "told of it",
    "before": "before",
    "after": "now",
}
_DETAILS_OF: Final = {
    ("name", "before"): "name before",
    ("name", "after"): "name now",
    ("verification_email", "before"): "address before",
    ("verification_email", "after"): "address now",
    ("registration", "before"): "before",
    ("registration", "reason"): "what is in the way",
    ("call", "before"): "before that about",
    ("call", "reason"): "why they called",
    ("call", "result"): "how it ended",
}
_PLAINLY: Final = {
    ("passes", True): "it would pass",
    ("passes", False): "it would be refused",
    ("verified", True): "the caller was verified",
    ("verified", False): "the caller was not verified",
    ("member_began", True): "the member called us",
    ("member_began", False): "we called the member",
    ("training", True): "for training",
    ("training", False): "",
}
_KEYS: Final = frozenset(
    {"errand", "correction", "change", "undo", "registration", "drawer", "movement"}
)
"""What only leads to another row; the exported file has it."""
_HOLDS_SEVERAL: Final = frozenset(
    {("contact_change", "before"), ("contact_change", "after"), ("errand", "payload")}
)
_PEOPLE: Final = frozenset({"staff", "login", "assigned_to"})
_MONEY: Final = frozenset(
    {
        "balance", "past_due", "last_bill", "last_payment", "opening_cash", "counted_cash",
        "expected_cash", "counted_cheque_sum", "expected_cheque_sum",
    }
)  # fmt: skip
_YES_OR_NO: Final = frozenset(
    {"is_business", "looks_like_other_person", "dismissed", "member_began", "autopay", "paperless"}
)


@dataclass(frozen=True)
class Line:
    """One row of the trail as well as it can be read, whatever was done to it."""

    place: Place
    at: datetime | None
    id: int
    staff: str
    workstation: str
    action: str
    subject: str
    row_key: str
    member_id: int | None
    account_number: str
    call_id: str
    detail: str
    before: str
    after: str
    seq: int
    damage: str


@dataclass(frozen=True)
class _Teller:
    """Says what is stored as a colleague would, in the co-op's own time."""

    staff: dict[str, str]
    members: dict[int, tuple[str, str]]
    """The name and the number behind each member's id."""
    now: datetime
    zone: str

    def row(self, line: Line) -> TrailRow:
        about, about_more = self._about(line)
        return TrailRow(
            line.id,
            line.at,
            line.staff,
            self.staff.get(line.staff, line.staff) or "The database’s owner",
            line.workstation,
            _what(line),
            about,
            about_more,
            self._detail(line),
            self._differences(line),
            line.seq,
            line.place,
            Raw(
                line.action, line.subject, line.row_key, line.call_id, line.detail, line.before,
                line.after,
            ),
            line.damage,
        )  # fmt: skip

    def _about(self, line: Line) -> tuple[str, str]:
        more = [f"account {line.account_number}"] if line.account_number else []
        if line.member_id is not None:
            name, number = self.members.get(line.member_id, (f"member {line.member_id}", ""))
            return name, ", ".join([number, *more] if number else more)
        if more or not line.subject:
            return "".join(more), ""
        if line.subject == "staff":
            return self.staff.get(line.row_key, line.row_key), line.row_key
        return _table(line.subject), ""

    def _differences(self, line: Line) -> tuple[Difference, ...]:
        was, now = _object(line.before), _object(line.after)
        said = (
            (column, *(self._value(line.subject, column, side.get(column)) for side in (was, now)))
            for column in sorted({*was, *now}, key=_rank)
        )
        return tuple(
            Difference(_column(column), before or NOTHING, after or NOTHING)
            for column, before, after in said
            if before or after
        )

    def _detail(self, line: Line) -> str:
        of, _, _ = line.action.partition(":")
        parts = (self._part(of, key, told) for key, told in _object(line.detail).items())
        return _begun("; ".join(part for part in parts if part))

    def _part(self, of: str, key: str, told: object) -> str:
        if key in _KEYS or (of == "note" and key == "note") or (key == "tries" and told in (0, 1)):
            return ""
        if isinstance(told, bool) and (key, told) in _PLAINLY:
            return _PLAINLY[key, told]
        if (of, key) == ("call", "before"):
            said = self._value(of, "member_id", told)
        elif of == "registration" and key in ("before", "after"):
            said = self._value(of, "assigned_to", told) or "nobody"
        elif key == "narrowed_to" and isinstance(told, str):
            said = self._narrowed_to(told)
        else:
            said = self._value(_SHARES_A_TABLE.get(of, of), key, told, within=True)
        if key == "answer":
            return said.removesuffix(".")  # a sentence already
        label = _DETAILS_OF.get((of, key)) or _DETAILS.get(key, _spaced(key))
        return f"{label}: {said}" if said else ""

    def _value(self, of: str, column: str, told: object, *, within: bool = False) -> str:
        """Say one value, beginning with a small letter within a sentence; nothing when empty."""
        if told is None:
            return ""
        if isinstance(told, list):
            between = " " if of == "name_correction" else ", "  # first names and name
            each = (self._value(of, column, one, within=within) for one in told)
            return between.join(one for one in each if one)
        if isinstance(told, dict):
            each = (
                f"{_column(key)}: {said}"
                for key, one in told.items()
                if (said := self._value(of, str(key), one))
            )
            return "; ".join(each)
        if column in _YES_OR_NO and told in (0, 1):
            return "yes" if told else "no"
        if isinstance(told, bool):
            return "yes" if told else "no"
        if isinstance(told, int):
            return self._number(column, told)
        return self._text(of, column, str(told), within)

    def _number(self, column: str, told: int) -> str:
        if column == "member_id" and told in self.members:
            return ", ".join(self.members[told])
        if column in _MONEY:
            return str(Money(told))
        return str(told) if column.endswith("id") else f"{told:,}"

    def _text(self, of: str, column: str, told: str, within: bool) -> str:
        if (of, column) in _HOLDS_SEVERAL and told[:1] == "{":
            return self._value(of, column, _object(told))
        if (of, column) == ("call", "facts"):
            return ", ".join(self._word(of, column, one, within) for one in told.split(","))
        if (column in _PEOPLE and (within or column != "login")) or column.endswith("_by"):
            return self.staff.get(told, told)
        if column in ("phone", "second_phone"):
            return shown(column, told)
        if column.endswith(("_at", "_on", "_until")) or column in ("since", "until"):
            return self._moment(told)
        return self._word(of, column, told, within)

    def _word(self, of: str, column: str, told: str, within: bool) -> str:
        say = _IN_WORDS.get((of, column))
        if say is None or not told:
            return told
        try:
            said = say(told)
        except (ValueError, KeyError):
            return told
        return _lower(said) if within else said

    def _moment(self, told: str) -> str:
        try:
            if len(told) == len("2026-11-16"):
                return times.calendar_day(date.fromisoformat(told))
            moment = datetime.fromisoformat(told)
        except ValueError:
            return told
        # SQLite keeps no zone: what stands there is in UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return times.to_the_second(moment, self.now, self.zone)

    def _narrowed_to(self, told: str) -> str:
        said = []
        for one in told.split(", "):
            if one == Kind.EVERYTHING.value:
                continue
            known = self.staff.get(one) or (act_in_words(one) if ":" in one[:-1] else one)
            said.append(self._moment(one) if one[:4].isdigit() and one[4:5] == "-" else known)
        return ", ".join(said)


def in_words(db: Session, desk: Desk, lines: Sequence[Line]) -> tuple[TrailRow, ...]:
    """Say lines as a colleague would, with the names of whom they concern."""
    ids = {one for line in lines for one in _members_on(line)}
    asked = select(Member.id, Member.number, Member.given_names, Member.name)
    members = {
        row.id: (f"{row.given_names} {row.name}".strip(), row.number)
        for row in db.execute(asked.where(Member.id.in_(ids)))
    }
    teller = _Teller(names_of_staff(db), members, desk.now(), desk.settings.zone)
    return tuple(teller.row(line) for line in lines)


def _members_on(line: Line) -> Iterator[int]:
    told = [line.member_id]
    told += [_object(side).get("member_id") for side in (line.before, line.after)]
    if line.action == Action.CALL_TURNED:
        told.append(_object(line.detail).get("before"))
    # A number that no column of a member's id could hold would only make the database stumble.
    yield from (one for one in told if isinstance(one, int) and 0 < one < 2**31)


def _what(line: Line) -> str:
    done = _ROW_WORDS.get(line.action)
    if done is None:
        return act_in_words(line.action)
    table = _table(line.subject)
    if line.action == ROW_ADDED:
        return f"{done} {'an' if table[:1] in 'aeiou' else 'a'} {table}"
    columns = sorted({*_object(line.before), *_object(line.after)}, key=_rank)
    told = [one for one in columns if one not in _BOOKKEEPING] or columns
    if line.action == ROW_REMOVED or not told:
        return f"{done} the {table}"
    first, rest = told[:MOST_COLUMNS_NAMED], len(told) - MOST_COLUMNS_NAMED
    more = f" and {rest} more" * (rest > 0)
    return f"{done} the {table}: {', '.join(_lower(_column(one)) for one in first)}{more}"


def act_in_words(action: str) -> str:
    """Say what was done; an act that is not known is said as it is spelt."""
    if action in _ROW_WORDS:
        return f"{_ROW_WORDS[action]} a record"
    known = {act.value: words for act, words in _WORDS.items()}.get(action)
    if known is not None:
        return known
    subject, _, verb = action.partition(":")
    return f"{_spaced(subject)}: {_spaced(verb)}".capitalize()


def _table(subject: str) -> str:
    return _TABLES.get(subject, _spaced(subject))


def _column(column: str) -> str:
    return _COLUMNS.get(column) or _BOOKKEEPING.get(column) or _begun(_spaced(column))


def _rank(column: str) -> tuple[int, str]:
    """Put what matters first, what is not known by name after it, and bookkeeping last."""
    if column in _BOOKKEEPING:
        return len(_COLUMNS) + 1 + [*_BOOKKEEPING].index(column), column
    return [*_COLUMNS].index(column) if column in _COLUMNS else len(_COLUMNS), column


def _object(told: str) -> dict[str, Any]:
    # A row that was tampered with is shown as well as it can be.
    try:
        read = json.loads(told or "{}")
    except (ValueError, RecursionError):
        return {"unreadable": told}
    return read if isinstance(read, dict) else {"unreadable": told}


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _lower(words: str) -> str:
    # “ZIP” and what stands in quotes stay as they are.
    return words if words[:2].isupper() and words[:2].isalpha() else words[:1].lower() + words[1:]


def readable(value: object) -> str:
    """Write what is stored in a field of text so that it can be shown, whatever it is."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
