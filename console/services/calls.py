"""Calls: begin one, verify who is on the line, wrap it up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from console.domain.calls import Fact, Reason, Result
from console.services.desk import Desk


@dataclass(frozen=True)
class CallState:
    """The call in progress, as the call bar shows it."""

    id: str
    member_id: int | None
    member_name: str
    member_began: bool
    began_at: datetime
    facts: frozenset[Fact]
    verified_at: datetime | None
    still_missing: str
    """What is still needed to verify the caller, in words; empty when verified."""

    @property
    def verified(self) -> bool:
        """Whether the caller may be told about the account."""
        return self.verified_at is not None


@dataclass(frozen=True)
class WrapUp:
    """How a call ended, in the words of the one who took it."""

    reason: Reason
    result: Result
    note: str


CANNED_NOTES: tuple[tuple[str, str], ...] = (
    ("Read the spelling out", "Read out the spelling on file, {name}. The member tried again."),
    ("Corrected the name", "Corrected the name on file to {name} and checked it at the portal."),
    ("Sent the e-mail again", "Sent the verify-account e-mail again to {email}."),
    ("Read the password rule", "Read out the password rule: 8 to 15 characters."),
    ("Not the primary holder", "Caller is not the primary account holder; asked them to call."),
)
"""A title and a text; {name}, {account} and {email} are filled in."""


def current(desk: Desk) -> CallState | None:
    """Answer the call this colleague is in, also after the console was started again."""
    raise NotImplementedError


def begin(
    desk: Desk, call_id: str, member_id: int | None, *, member_began: bool = True
) -> CallState:
    """Begin a call; a second begin with the same id changes nothing."""
    raise NotImplementedError


def turn_to(desk: Desk, call_id: str, member_id: int) -> CallState:
    """Turn a call to another member; what was verified for the first one no longer counts."""
    raise NotImplementedError


def tick(desk: Desk, call_id: str, facts: Collection[Fact]) -> CallState:
    """Note which facts the caller got right; enough of them verify the caller."""
    raise NotImplementedError


def wrap_up(desk: Desk, call_id: str, wrap_up: WrapUp) -> None:
    """End a call with its reason, its result and a note."""
    raise NotImplementedError
