"""The payment protocol: the states a payment passes through, and what a courier does next.

Never charged twice, never charged and not recorded, never recorded and not charged. Whatever dies,
only these rules decide; `tests/domain/payment_model.py` walks every order in which a console, two
couriers, the network and the gateway can meet under them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class PaymentState(StrEnum):
    """Life of a payment that a gateway carries out."""

    INTENT = "intent"
    """Written down, not sent: no money can have moved."""
    SENDING = "sending"
    """In a courier's hands: it may have been heard."""
    UNKNOWN = "unknown"
    """Sent, and no answer that counts has come: it may have been done."""
    CHARGED = "charged"
    DECLINED = "declined"
    REVIEW = "review"
    """The gateway shows nothing after a long quiet: a supervisor decides, with evidence."""
    ABANDONED = "abandoned"
    """Never sent, and never will be."""

    @property
    def is_open(self) -> bool:
        """Whether money may still move, or have moved, without our having it on record."""
        return self in _OPEN

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is for ever."""
        return not LEGAL_MOVES[self]

    @property
    def words(self) -> str:
        """Say it as the payment's line does while it is looked at."""
        return _WORDS[self]


LEGAL_MOVES: Final[Mapping[PaymentState, frozenset[PaymentState]]] = {
    PaymentState.INTENT: frozenset({PaymentState.SENDING, PaymentState.ABANDONED}),
    PaymentState.SENDING: frozenset(
        {PaymentState.CHARGED, PaymentState.DECLINED, PaymentState.UNKNOWN}
    ),
    PaymentState.UNKNOWN: frozenset(
        {PaymentState.CHARGED, PaymentState.DECLINED, PaymentState.REVIEW}
    ),
    PaymentState.REVIEW: frozenset({PaymentState.CHARGED, PaymentState.DECLINED}),
    PaymentState.CHARGED: frozenset(),
    PaymentState.DECLINED: frozenset(),
    PaymentState.ABANDONED: frozenset(),
}
_OPEN: Final = frozenset(
    {PaymentState.INTENT, PaymentState.SENDING, PaymentState.UNKNOWN, PaymentState.REVIEW}
)
_WORDS: Final = {
    PaymentState.INTENT: "Not sent yet. No money has moved.",
    PaymentState.SENDING: "Asking the card network…",
    PaymentState.UNKNOWN: "Not known yet. Do not take it again. It is being checked by itself.",
    PaymentState.CHARGED: "Paid.",
    PaymentState.DECLINED: "Declined. No money has moved.",
    PaymentState.REVIEW: "A person must look: the gateway shows nothing.",
    PaymentState.ABANDONED: "Not sent. No money moved.",
}

ABANDONED_AFTER: Final = timedelta(minutes=5)
"""An intent that nobody has taken up by then is dropped; what was never sent cannot be charged."""
SENT_WITHIN: Final = timedelta(hours=20)
"""The gateway forgets a key after 24 hours (Stripe's documentation); what was sent four hours
before that has arrived or is lost, so the same key never means two charges."""
SENDS_BEFORE_LOOKING: Final = 3
"""A gateway that stumbled over a key says so again for ever; asking by our reference tells more."""
QUIET: Final = timedelta(hours=1)
"""Nothing that was sent longer ago is still under way, so that “not there” means not charged."""


class Step(StrEnum):
    """What a courier does with a payment it has come upon."""

    LEAVE = "leave"
    ABANDON = "abandon"
    SEND = "send"
    LOOK_UP = "look_up"


@dataclass(frozen=True)
class Progress:
    """How far a payment has come, as it is on record."""

    state: PaymentState
    asked_at: datetime
    first_sent_at: datetime | None = None
    """When a courier first took it in hand."""
    last_sent_at: datetime | None = None
    leased_until: datetime | None = None
    sends: int = 0
    was_answered: bool = False
    """Whether the gateway has answered at all, if only with something that does not count."""


def next_step(progress: Progress, now: datetime) -> Step:
    """Decide what to do with a payment: the only place that decides it."""
    if not progress.state.is_open or progress.state is PaymentState.REVIEW:
        return Step.LEAVE
    if progress.state is PaymentState.INTENT:
        return Step.ABANDON if now - progress.asked_at >= ABANDONED_AFTER else Step.SEND
    if progress.leased_until is not None and now < progress.leased_until:
        return Step.LEAVE
    if not may_send(progress, now):
        return Step.LOOK_UP
    # What never got through goes again; a gateway that stumbled over the key is asked otherwise.
    looks = progress.sends >= SENDS_BEFORE_LOOKING and progress.was_answered
    return Step.LOOK_UP if looks else Step.SEND


def may_send(progress: Progress, now: datetime) -> bool:
    """Whether the same key still means the same payment at the gateway when this arrives."""
    return progress.first_sent_at is None or now - progress.first_sent_at < SENT_WITHIN


def is_absence_proof(progress: Progress, now: datetime) -> bool:
    """Whether “the gateway shows nothing”, asked now, can be believed: nothing is under way.

    Even then nobody says “not charged” but a supervisor with evidence.
    """
    sent = progress.last_sent_at or progress.first_sent_at
    return sent is not None and now - sent >= QUIET
