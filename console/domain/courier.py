"""Errands to the outside world: what the courier may carry and the states it passes through."""

from __future__ import annotations

from enum import StrEnum


class ErrandKind(StrEnum):
    """What is carried to the portal."""

    PUBLISH_NAME = "publish_name"
    RESEND = "resend"
    CORRECT_EMAIL = "correct_email"


class ErrandState(StrEnum):
    """Life of an errand: waiting, then sending under a lease, then one of the ends."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    GAVE_UP = "gave_up"

    @property
    def is_open(self) -> bool:
        """Whether the courier still has it in hand."""
        return self in (ErrandState.WAITING, ErrandState.SENDING)
