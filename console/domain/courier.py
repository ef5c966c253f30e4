"""Errands to the outside world: what the courier may carry and the states it passes through."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Way(StrEnum):
    """Where an errand goes; when one is silent, what goes the other way still goes."""

    PORTAL = "portal"
    MAIL = "mail"


class ErrandKind(StrEnum):
    """What is carried to the portal, or to a member's mailbox."""

    PUBLISH_NAME = "publish_name"
    RESEND = "resend"
    CORRECT_EMAIL = "correct_email"
    TELL_OLD_CONTACT = "tell_old_contact"
    SEND_RECEIPT = "send_receipt"
    SEND_PAY_LINK = "send_pay_link"
    SEND_NOTICE = "send_notice"
    PUT_PREFERENCES = "put_preferences"

    @property
    def words(self) -> str:
        """Say what is carried, to begin a sentence with."""
        return {
            ErrandKind.PUBLISH_NAME: "The corrected name",
            ErrandKind.RESEND: "The verify-account e-mail",
            ErrandKind.CORRECT_EMAIL: "The corrected e-mail address",
            ErrandKind.TELL_OLD_CONTACT: "The word to the address that was on file",
            ErrandKind.SEND_RECEIPT: "The receipt",
            ErrandKind.SEND_PAY_LINK: "The pay link",
            ErrandKind.SEND_NOTICE: "The written copy of the authorization",
            ErrandKind.PUT_PREFERENCES: "What the member wants to hear of",
        }[self]

    @property
    def way(self) -> Way:
        """Say which server it goes to."""
        return Way.MAIL if self in _BY_MAIL else Way.PORTAL


_BY_MAIL: Final = (
    ErrandKind.TELL_OLD_CONTACT,
    ErrandKind.SEND_RECEIPT,
    ErrandKind.SEND_PAY_LINK,
    ErrandKind.SEND_NOTICE,
)


class ErrandState(StrEnum):
    """Life of an errand: waiting, then sending under a lease, then one of the ends."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    GAVE_UP = "gave_up"

    @property
    def words(self) -> str:
        """Say it as the screen does."""
        return {
            ErrandState.WAITING: "Waits in the outbox",
            ErrandState.SENDING: "On its way",
            ErrandState.DONE: "Done",
            ErrandState.REFUSED: "Refused",
            ErrandState.GAVE_UP: "Given up",
        }[self]

    @property
    def is_open(self) -> bool:
        """Whether the courier still has it in hand."""
        return self in (ErrandState.WAITING, ErrandState.SENDING)


LEASE: Final = timedelta(seconds=60)
"""Longer than the calls of one errand can take, so that no two couriers carry the same one."""
MISSED_AFTER: Final = timedelta(minutes=2)
"""A courier that left no sign for so long is taken for gone."""
MOST_TRIES: Final = 40
LONGEST_WAIT: Final = timedelta(hours=24)
_FIRST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=10)


def next_pause(tries: int, chance: float) -> timedelta:
    """Say how long to wait after this many tries; `chance`, 0 to 1, keeps desks out of step."""
    pause = min(_FIRST_PAUSE * 2 ** min(max(tries - 1, 0), 20), _LONGEST_PAUSE)
    return timedelta(seconds=pause.total_seconds() * (0.5 + chance / 2))


def is_hopeless(tries: int, asked_at: datetime, now: datetime) -> bool:
    """Whether an errand has been tried often enough and long enough to be given up."""
    return tries >= MOST_TRIES or now - asked_at >= LONGEST_WAIT
