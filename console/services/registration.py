"""Registrations at the portal: fetch the attempts, correct a name, close the loop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind, Outcome, Proof
from console.services.desk import Desk


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


@dataclass(frozen=True)
class PollReport:
    """What one look at the portal brought."""

    attempts: int
    refreshed: int
    reachable: bool
    words: str


def poll(desk: Desk) -> PollReport:
    """Fetch what is new at the portal; one console does it at a time."""
    raise NotImplementedError


def worklist(
    desk: Desk, kind: CaseKind | None = None, *, mine: bool = False, text: str = "", limit: int = 500
) -> Worklist:
    """List the registrations that need somebody, the oldest first."""
    raise NotImplementedError


def assign(desk: Desk, registration_id: int, to_me: bool) -> None:
    """Take a registration for oneself, or put it back for anybody."""
    raise NotImplementedError


def name_on_file(desk: Desk, member_id: int) -> NameOnFile:
    """Answer the name as it stands now, for the correction dialog."""
    raise NotImplementedError


def read_out(desk: Desk, member_id: int, account_number: str, call_id: str | None = None) -> None:
    """Write on the trail that the filed spelling was read out to the caller."""
    raise NotImplementedError


def correct_name(
    desk: Desk, correction: Correction, approval: Approval | None = None
) -> Corrected:
    """Correct the name on file, keep the old one findable, and send it to the portal.

    Raises ChangedMeanwhile when a colleague was faster, NeedsSupervisor when the new name looks
    like another person and nobody with the right approved it.
    """
    raise NotImplementedError


def undo_correction(desk: Desk, undo_id: str, correction_id: str) -> Corrected:
    """Put the name back as it was before a correction, and tell the portal."""
    raise NotImplementedError


def publication(desk: Desk, correction_id: str) -> Corrected:
    """Answer how far a correction has come on its way to the portal."""
    raise NotImplementedError


def check_at_portal(
    desk: Desk, member_id: int, account_number: str, name: str, call_id: str | None = None
) -> PortalCheck:
    """Ask the portal whether this name would pass for this account now."""
    raise NotImplementedError
