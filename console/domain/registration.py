"""What the portal reports about a registration, and what staff can do about a refused one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from console.domain.accounts import (
    TypedAccount,
    account_reasons,
    read_account_number,
    say_account,
)
from console.domain.errors import ConsoleError
from console.domain.kinds import Kind
from console.domain.names import (
    Explanation,
    MatchRule,
    explain_among,
    looks_like_another_person,
)
from console.domain.reasons import what_is_hidden
from console.domain.verification import DeliveryStatus, LinkState, link_state


class Channel(StrEnum):
    """Where a member tried to register."""

    WEB = "web"
    IOS = "ios"
    ANDROID = "android"


class Outcome(StrEnum):
    """What became of one attempt to register."""

    REGISTERED = "registered"
    NAME_MISMATCH = "name_mismatch"
    ACCOUNT_NOT_FOUND = "account_not_found"
    ALREADY_REGISTERED = "already_registered"
    LOCKED = "locked"


class RegistrationState(StrEnum):
    """Where an account stands with the portal."""

    NONE = "none"
    AWAITING_VERIFICATION = "awaiting_verification"
    VERIFIED = "verified"
    LOCKED = "locked"


class CaseKind(StrEnum):
    """The places of the Registrations worklist."""

    REFUSED = "refused"
    WAITING = "waiting"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    LOCKED = "locked"
    SOLVED = "solved"


class Proof(StrEnum):
    """What shows that a corrected name is right."""

    CALLER_VERIFIED = "caller_verified"
    BILL = "bill"
    IDENTITY_DOCUMENT = "identity_document"
    DEED = "deed"
    COURT_PAPER = "court_paper"
    OLD_SYSTEM = "old_system"

    @property
    def words(self) -> str:
        """Say it as staff would."""
        return _PROOF_WORDS[self]


_PROOF_WORDS = {
    Proof.CALLER_VERIFIED: "The caller was verified on this call",
    Proof.BILL: "A bill in this name",
    Proof.IDENTITY_DOCUMENT: "An identity document",
    Proof.DEED: "A deed or lease",
    Proof.COURT_PAPER: "A marriage certificate or court paper",
    Proof.OLD_SYSTEM: "The record in the old system",
}


def place(
    state: RegistrationState,
    last_outcome: Outcome | None,
    last_delivery: DeliveryStatus | None,
    expires_at: datetime | None,
    now: datetime,
) -> CaseKind:
    """Find the worklist place of an account from what the portal last said about it."""
    if state is RegistrationState.VERIFIED:
        return CaseKind.SOLVED
    if state is RegistrationState.LOCKED:
        return CaseKind.LOCKED
    if state is RegistrationState.AWAITING_VERIFICATION:
        # A link that has run out comes first: a corrected address alone would not help.
        if link_state(expires_at, now) is LinkState.EXPIRED:
            return CaseKind.EXPIRED
        if last_delivery is DeliveryStatus.BOUNCED:
            return CaseKind.BOUNCED
        return CaseKind.WAITING
    return _PLACE_AFTER[last_outcome]


_PLACE_AFTER: dict[Outcome | None, CaseKind] = {
    Outcome.REGISTERED: CaseKind.WAITING,  # the state has not been asked for yet
    Outcome.NAME_MISMATCH: CaseKind.REFUSED,
    Outcome.ACCOUNT_NOT_FOUND: CaseKind.REFUSED,
    Outcome.ALREADY_REGISTERED: CaseKind.SOLVED,
    Outcome.LOCKED: CaseKind.LOCKED,
    None: CaseKind.SOLVED,
}


class BadName(ConsoleError):
    """The text cannot stand on an account as a name."""


_LONGEST_NAME: Final = 120
_STEERING: Final = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Signs that turn the direction of writing, and can make one name look like another."""


def clean_name(text: str) -> str:
    """Return a name as it will stand on file, with single spaces, or say why it cannot."""
    for character in text[: 10 * _LONGEST_NAME]:
        if character in _STEERING:
            raise BadName(
                "The name has a hidden sign that turns the direction of writing. Type it by hand "
                "instead of pasting it."
            )
        if (
            unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"}
            and character not in "\t\r\n"
        ):
            raise BadName(
                "The name has a character that cannot be stored or seen. Type it by hand instead "
                "of pasting it."
            )
    visible = (c for c in text[: 10 * _LONGEST_NAME] if unicodedata.category(c) != "Cf")
    name = unicodedata.normalize("NFC", " ".join("".join(visible).split()))
    if not name:
        raise BadName("The name is empty. Type the last name or the business name.")
    if len(name) > _LONGEST_NAME or len(text) > 10 * _LONGEST_NAME:
        raise BadName(f"The name is longer than {_LONGEST_NAME} characters. Shorten it.")
    if not any(c.isalnum() for c in name):
        raise BadName("The name has no letters. Type the last name or the business name.")
    if not any(c.isalpha() for c in name) and sum(c.isdigit() for c in name) > 5:
        raise BadName("This looks like a number, not a name. Type the name of the account holder.")
    return name


def needs_supervisor(before: str, after: str, cut_at: int = 20) -> bool:
    """Tell whether a correction looks like another person, not another spelling."""
    return bool(before.strip()) and looks_like_another_person(before, after, cut_at)


class Remedy(StrEnum):
    """What staff can do about a refusal."""

    READ_OUT = "read_out"
    CORRECT_FILE = "correct_file"
    ASK_SUPERVISOR = "ask_supervisor"
    ASK_WHO_CALLS = "ask_who_calls"
    CHECK_NUMBER = "check_number"

    @property
    def words(self) -> str:
        """Say it as staff would."""
        return _REMEDY_WORDS[self]


_REMEDY_WORDS: Final = {
    Remedy.READ_OUT: "Read the filed spelling out",
    Remedy.CORRECT_FILE: "Correct the file",
    Remedy.ASK_SUPERVISOR: "Ask a supervisor: this looks like another person",
    Remedy.ASK_WHO_CALLS: "Ask who the primary account holder is",
    Remedy.CHECK_NUMBER: "Have the account number read from the bill",
}


@dataclass(frozen=True, slots=True)
class RefusalExplanation:
    """Why the portal refused a registration, and what to do about it."""

    name: Explanation
    account: TypedAccount
    account_number: str
    account_ok: bool
    account_reasons: tuple[str, ...]
    would_pass: bool
    say: str
    """The whole sentence to read out: how to type the name, then the account number."""
    remedies: tuple[Remedy, ...]
    """What can be done, the best first."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """All that differs, name first."""
        return (*self.name.reasons, *self.account_reasons)

    @property
    def needs_supervisor(self) -> bool:
        """Whether filing the name as typed would make the account another person's."""
        return Remedy.ASK_SUPERVISOR in self.remedies


def explain_refusal(
    typed_account: str,
    typed_name: str,
    account_number: str,
    on_file: str,
    second_holders: Sequence[str] = (),
    rule: MatchRule = MatchRule.IGNORE_CASE,
    cut_at: int = 20,
    *,
    point_refused: bool = True,
) -> RefusalExplanation:
    """Explain a refused registration: the name, the account number, and what to say."""
    name = explain_among(typed_name, on_file, second_holders, rule=rule, cut_at=cut_at)
    account = read_account_number(typed_account)
    digits = read_account_number(account_number).digits
    point = account.had_point and point_refused
    account_ok = account.digits == digits and not account.too_long and not point
    reasons = account_reasons(account, digits, point_refused=point_refused)
    return RefusalExplanation(
        name,
        account,
        digits,
        account_ok,
        tuple(reasons),
        name.accepted and account_ok,
        _whole_sentence(name, account_ok, digits),
        _remedies(name, account_ok, account.digits == digits),
    )


def _whole_sentence(name: Explanation, account_ok: bool, digits: str) -> str:
    if name.accepted and account_ok:
        return "Both are right just as they were typed. Try again."
    if not name.same_name:
        return name.say  # a stranger must not be told the number either
    return f"{name.say} {say_account(digits)}"


def _remedies(name: Explanation, account_ok: bool, same_number: bool) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    if not same_number:
        found.append(Remedy.CHECK_NUMBER)
    if not name.same_name:
        return (*found, Remedy.ASK_WHO_CALLS, Remedy.ASK_SUPERVISOR)
    if not name.accepted or not account_ok:
        found.append(Remedy.READ_OUT)
    if not name.accepted:
        found.append(Remedy.CORRECT_FILE)
    if _file_is_at_fault(name) and Remedy.READ_OUT in found:
        found.remove(Remedy.READ_OUT)
        found.append(Remedy.READ_OUT)
    return tuple(found)


def _file_is_at_fault(name: Explanation) -> bool:
    """Tell whether the file is more likely wrong than the member."""
    if Kind.HIDDEN_CHARACTER in name.kinds:
        return bool(what_is_hidden(name.on_file))
    return bool({Kind.COUPLE, Kind.TRUNCATED} & set(name.kinds))
