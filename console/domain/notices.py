"""Notices: what members can be told of, and by which way each one wants to hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from console.domain.errors import ConsoleError


class Event(StrEnum):
    """Something a member can be told of."""

    BILL_READY = "bill_ready"
    PAYMENT_DUE = "payment_due"
    PAST_DUE = "past_due"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_RETURNED = "payment_returned"
    AUTO_PAY = "auto_pay"
    OUTAGE = "outage"
    HIGH_USAGE = "high_usage"

    @property
    def words(self) -> str:
        """Name it as the list of notices does."""
        return {
            Event.BILL_READY: "A new bill is ready",
            Event.PAYMENT_DUE: "A payment is due soon",
            Event.PAST_DUE: "A payment is past due",
            Event.PAYMENT_RECEIVED: "A payment was received",
            Event.PAYMENT_RETURNED: "A payment came back or was declined",
            Event.AUTO_PAY: "Auto Pay is about to run",
            Event.OUTAGE: "The power is out, and back",
            Event.HIGH_USAGE: "More is used than usual",
        }[self]

    @property
    def portal_name(self) -> str:
        """Name it as the portal does; empty for what only the office tells of."""
        return _AT_PORTAL.get(self, "")


_AT_PORTAL: Final = {
    Event.BILL_READY: "bill_ready",
    Event.PAYMENT_DUE: "payment_due",
    Event.PAYMENT_RECEIVED: "payment_received",
    Event.OUTAGE: "outage",
    Event.HIGH_USAGE: "usage_alert",
}
PAPERLESS: Final = "paperless"
"""The one choice besides the events; named so in what is brought to the portal."""


class BadNotice(ConsoleError):
    """Nobody can be told of this in this way."""


@dataclass(frozen=True)
class Wanted:
    """By which ways a member wants to hear of one event."""

    by_email: bool = False
    by_text: bool = False

    @property
    def words(self) -> str:
        """Say it in a word or two."""
        if self.by_email:
            return "E-mail and text" if self.by_text else "E-mail"
        return "Text" if self.by_text else "Neither"


def check_reachable(
    wanted: Mapping[Event, Wanted], *, has_email: bool, has_phone: bool, paperless: bool
) -> None:
    """Refuse what could never arrive; `wanted` holds only what is changed."""
    if not has_email and (paperless or any(one.by_email for one in wanted.values())):
        raise BadNotice("There is no e-mail address on file. Add one first.")
    if not has_phone and any(one.by_text for one in wanted.values()):
        raise BadNotice("There is no phone number on file that texts could go to. Add one first.")


def changed_fields(
    before: Mapping[Event, Wanted],
    after: Mapping[Event, Wanted],
    *,
    paperless_changed: bool,
) -> tuple[str, ...]:
    """Name what differs: events by their words on file, and “paperless”."""
    events = [event for event in Event if event in after and before.get(event) != after[event]]
    return (*events, *((PAPERLESS,) if paperless_changed else ()))
