"""What the portal reports about a registration, and what staff can do about a refused one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

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
