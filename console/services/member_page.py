"""The member page as plain values: what a screen is given to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from console.domain.calls import Fact
from console.domain.members import AccountStatus, AlertKind, HolderRole, MayAct
from console.domain.registration import CaseKind, Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus


@dataclass(frozen=True)
class HolderRow:
    """Somebody beside the primary holder."""

    name: str
    role: HolderRole
    may_act: MayAct


@dataclass(frozen=True)
class AlertRow:
    """An alert that stands."""

    id: int
    kind: AlertKind
    note: str
    raised_at: datetime
    raised_by: str


@dataclass(frozen=True)
class AttemptRow:
    """One try to register, matched with the file."""

    id: str
    at: datetime
    account_typed: str
    name_typed: str
    email: str
    channel: Channel
    outcome: Outcome


@dataclass(frozen=True)
class DeliveryRow:
    """What became of a verify-account e-mail."""

    at: datetime
    email: str
    status: DeliveryStatus
    reason: str
    """In words for staff; empty when there is nothing to say."""


@dataclass(frozen=True)
class PortalPanel:
    """Where one account stands with the portal."""

    state: RegistrationState
    state_words: str
    """“Waiting for verification since today 10:42; the link runs out Thu 26 Nov.”"""
    kind: CaseKind | None
    """Its place in the worklist, or None when nothing was heard of it yet."""
    registration_id: int | None
    portal_id: str
    email: str
    sent_at: datetime | None
    expires_at: datetime | None
    last_sign_in: datetime | None
    refreshed_at: datetime | None
    deliveries: tuple[DeliveryRow, ...]
    attempts: tuple[AttemptRow, ...]
    errand: str
    """What is on its way to the portal, in words; empty when nothing is."""


@dataclass(frozen=True)
class AccountRow:
    """One account, with money as it may be shown now."""

    number: str
    printed_number: str
    status: AccountStatus
    service_address: str
    map_location: str
    meter_number: str
    rate: str
    balance: str
    """“$142.10”, or dots while the caller is not verified."""
    past_due: str
    is_past_due: bool
    due_on: date | None
    disconnect_on: date | None
    autopay: bool
    paperless: bool
    portal: PortalPanel


@dataclass(frozen=True)
class FactRow:
    """A fact to compare with what the caller says."""

    fact: Fact
    on_file: str


class EntryKind(StrEnum):
    """What kind of thing happened; the timeline is filtered by it."""

    CALL = "call"
    PAYMENT = "payment"
    EMAIL = "email"
    BILL = "bill"
    ISSUE = "issue"
    EDIT = "edit"
    NOTE = "note"
    ATTEMPT = "attempt"


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened."""

    at: datetime
    kind: EntryKind
    title: str
    detail: str
    who: str
    note_id: str = ""
    """Set on a note that can be removed."""
    correction_id: str = ""
    """Set on a correction of the name that can still be undone."""
    contact_change_id: str = ""
    """Set on a change of the contact details that can still be undone."""


class NextAct(StrEnum):
    """What the “next step” button does."""

    NONE = "none"
    EXPLAIN_REFUSAL = "explain_refusal"
    CORRECT_EMAIL = "correct_email"
    RESEND = "resend"
    READ_PASSWORD_RULE = "read_password_rule"  # noqa: S105  # a next step, not a password
    VERIFY_CALLER = "verify_caller"


@dataclass(frozen=True)
class NextStep:
    """What to do now, as a good colleague would put it."""

    say: str
    act: NextAct
    account_number: str


@dataclass(frozen=True)
class MemberPage:
    """A member as the page shows it."""

    member_id: int
    number: str
    version: int
    """Of the name and contact details; a correction must name it."""
    is_business: bool
    name: str
    """The last or business name on file: what the portal compares."""
    given_names: str
    display_name: str
    since: date
    former_names: tuple[str, ...]
    email: str
    phone: str
    second_phone: str
    mailing_address: str
    masked: bool
    """Whether contact details and balances are hidden because nobody verified the caller."""
    holders: tuple[HolderRow, ...]
    alerts: tuple[AlertRow, ...]
    accounts: tuple[AccountRow, ...]
    facts: tuple[FactRow, ...]
    """What to compare with the caller's answers; always readable."""
    timeline: tuple[TimelineEntry, ...]
    next_step: NextStep
