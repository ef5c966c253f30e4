"""Verify-account e-mails: see what became of them, send one again, correct the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.services.desk import Desk
from console.services.members import PortalPanel


class TooSoon(ConsoleError):
    """The last e-mail went moments ago."""

    def __init__(self, message: str, wait_seconds: int) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class ErrandStatus:
    """How far an errand has come."""

    id: str
    kind: ErrandKind
    state: ErrandState
    words: str
    """“Sent again to rose@example.org just now.” or “Waits in the outbox: the portal is down.”"""
    asked_at: datetime
    asked_by: str


def refresh(desk: Desk, account_number: str) -> PortalPanel:
    """Fetch an account's registration from the portal and answer it.

    When the portal does not answer, what was last known is answered, with its age in words.
    """
    raise NotImplementedError


def resend(
    desk: Desk, click_id: str, account_number: str, call_id: str | None = None
) -> ErrandStatus:
    """Ask for the verify-account e-mail once more; the same click never sends twice.

    Raises TooSoon while the throttle runs.
    """
    raise NotImplementedError


def correct_email(
    desk: Desk, click_id: str, account_number: str, email: str, call_id: str | None = None
) -> ErrandStatus:
    """Correct the address of a registration that waits for verification, then send again."""
    raise NotImplementedError


def errand(desk: Desk, errand_id: str) -> ErrandStatus:
    """Answer how far an errand has come."""
    raise NotImplementedError


def outbox(desk: Desk) -> tuple[ErrandStatus, ...]:
    """List what still waits to reach the portal, and what it refused of late."""
    raise NotImplementedError
