"""Look up members: what was typed, and the twenty that fit it best."""

from __future__ import annotations

from dataclasses import dataclass

from console.services.desk import Desk

FIRST_PAGE = 20


@dataclass(frozen=True)
class Hit:
    """One member or account that fits, and why it does."""

    member_id: int
    name: str
    """As staff say it: given names, then the name on file."""
    account_number: str
    """The account that matched, or the member's first one; numerals only, empty when none."""
    printed_number: str
    service_address: str
    why: str
    """What matched: “meter”, “spelled DeLong”, “second holder Mary Ruiz”, “previous address”."""


@dataclass(frozen=True)
class SearchAnswer:
    """What was asked, and what was found."""

    query: str
    hits: tuple[Hit, ...]
    milliseconds: float
    advice: str = ""
    """What to try when there is nothing."""


def find(desk: Desk, query: str, limit: int = FIRST_PAGE) -> SearchAnswer:
    """Find the members that fit what was typed, best first."""
    raise NotImplementedError
