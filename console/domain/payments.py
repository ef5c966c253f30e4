"""The payment protocol: the states a payment passes through, and what a courier does next.

Never charged twice, never charged and not recorded, never recorded and not charged. Whatever dies,
only these rules decide; `tests/domain/payment_model.py` walks every order in which a console, two
couriers, the network and the gateway can meet under them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.members import AccountStatus
from console.domain.money import Money


class PaymentWay(StrEnum):
    """How a member pays."""

    STORED = "stored"
    """A card or bank account that the gateway keeps."""
    PAGE = "page"
    """The gateway's page, opened here: the caller speaks, the representative types there."""
    LINK = "link"
    """The gateway's page, by a link that is sent to the member."""
    BANK = "bank"
    """A bank account told on the phone (Nacha TEL)."""
    CASH = "cash"
    CHEQUE = "cheque"

    @property
    def words(self) -> str:
        """Name it as the list of payments does."""
        return {
            PaymentWay.STORED: "Stored method",
            PaymentWay.PAGE: "Card",
            PaymentWay.LINK: "Pay link",
            PaymentWay.BANK: "Bank account",
            PaymentWay.CASH: "Cash",
            PaymentWay.CHEQUE: "Cheque",
        }[self]

    @property
    def at_the_counter(self) -> bool:
        """Whether it is handed over and lies in a drawer; no gateway hears of it."""
        return self in (PaymentWay.CASH, PaymentWay.CHEQUE)

    @property
    def on_a_page(self) -> bool:
        """Whether it is entered on the gateway's own page."""
        return self in (PaymentWay.PAGE, PaymentWay.LINK)


class Origin(StrEnum):
    """Where a payment was asked for."""

    CALL = "call"
    COUNTER = "counter"
    AUTO_PAY = "auto_pay"


class ReturnKind(StrEnum):
    """Why a payment did not last."""

    DEBIT = "debit"
    """A bank debit came back."""
    CHEQUE = "cheque"
    """A cheque bounced."""
    DISPUTE = "dispute"
    VOID = "void"
    """Cash or a cheque that was taken by mistake, before its drawer was closed."""

    @property
    def words(self) -> str:
        """Say it in a word or two."""
        return {
            ReturnKind.DEBIT: "Debit returned",
            ReturnKind.CHEQUE: "Cheque bounced",
            ReturnKind.DISPUTE: "Disputed",
            ReturnKind.VOID: "Void",
        }[self]


class Verdict(StrEnum):
    """What a supervisor found of a payment that nothing is known of."""

    CHARGED = "charged"
    NOT_CHARGED = "not_charged"


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


STUMBLES_PASS: Final = timedelta(hours=1)
"""So long a gateway that shows nothing is sent the same again; later it is only asked."""


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


def goes_again(progress: Progress, now: datetime) -> bool:
    """Whether what the gateway shows nothing of is sent once more, though it answered before.

    A gateway that stumbled over every key for a while has kept nothing of it; after this time it
    is only asked.
    """
    return progress.first_sent_at is None or now - progress.first_sent_at < STUMBLES_PASS


def is_absence_proof(progress: Progress, now: datetime) -> bool:
    """Whether “the gateway shows nothing”, asked now, can be believed: nothing is under way.

    Even then nobody says “not charged” but a supervisor with evidence.
    """
    sent = progress.last_sent_at or progress.first_sent_at
    return sent is not None and now - sent >= QUIET


# What may be asked for


class NotPayable(ConsoleError):
    """This payment cannot be taken as it is."""


class Question(StrEnum):
    """Something to be asked before a payment that is unusual."""

    SAME_LATELY = "same_lately"
    ABOVE_BALANCE = "above_balance"
    NOTHING_DUE = "nothing_due"
    CLOSED = "closed"


SAME_WITHIN: Final = timedelta(days=1)
"""The same amount for the same account within this time asks first."""


@dataclass(frozen=True)
class Owed:
    """What an account owes, as far as a payment must know it."""

    number: str
    status: AccountStatus
    balance: Money
    past_due: Money


@dataclass(frozen=True)
class Preset:
    """An amount that is offered, with the words for it."""

    words: str
    amount: Money


def presets(owed: Owed) -> tuple[Preset, ...]:
    """Offer what members mostly pay: what is past due, and all that is due."""
    offered = []
    if Money(0) < owed.past_due < owed.balance:
        offered.append(Preset("Past due", owed.past_due))
    if owed.balance > Money(0):
        offered.append(Preset("Amount due", owed.balance))
    return tuple(offered)


def check_shares(shares: Sequence[tuple[Owed, Money]], most: Money) -> Money:
    """Answer what a payment comes to, or refuse one that cannot be taken.

    `most` is the largest sum that the office takes at once. Raises NotPayable.
    """
    if not shares:
        raise NotPayable("Choose at least one account to pay.")
    numbers = [owed.number for owed, _ in shares]
    if len(set(numbers)) != len(numbers):
        raise NotPayable("An account is there twice. Pay it once, with the whole amount.")
    for owed, amount in shares:
        if amount <= Money(0):
            raise NotPayable(f"Type an amount above zero for account {owed.number}.")
    total = sum((amount for _, amount in shares), Money(0))
    if total > most:
        raise NotPayable(
            f"{total} is more than the {most} that the office takes at once. Check the amount; a "
            "larger payment goes by bank transfer."
        )
    return total


def questions(
    shares: Sequence[tuple[Owed, Money]], same_lately: Mapping[str, str]
) -> dict[Question, str]:
    """Ask what must be answered before such a payment is taken; nothing when it is usual.

    `same_lately` says, for an account, when and by whom the same amount was taken within a day.
    """
    asked = {}
    for owed, amount in shares:
        if owed.number in same_lately:
            asked[Question.SAME_LATELY] = (
                f"{amount} was taken for account {owed.number} {same_lately[owed.number]}. "
                "Take it once more?"
            )
        if owed.balance <= Money(0):
            credit = (
                f"has a credit of {-owed.balance}" if owed.balance < Money(0) else "owes nothing"
            )
            asked[Question.NOTHING_DUE] = (
                f"Account {owed.number} {credit}. Take {amount} as a credit?"
            )
        elif amount > owed.balance:
            asked[Question.ABOVE_BALANCE] = (
                f"{amount} is {amount - owed.balance} more than account {owed.number} owes. The "
                "rest becomes a credit. Is that wanted?"
            )
        if owed.status is AccountStatus.CLOSED:
            asked[Question.CLOSED] = (
                f"Account {owed.number} is closed. Take a payment for it all the same?"
            )
    return asked


def still_to_ask(
    asked: Mapping[Question, str], answered: Collection[Question]
) -> dict[Question, str]:
    """Leave out what was answered with yes."""
    return {question: words for question, words in asked.items() if question not in answered}


def receipt_number(payment_id: str) -> str:
    """Answer the number that is printed on a receipt and read out: “7K3M9-Q2X4T”.

    Fifty bits of the payment's id in Crockford's base 32, which has no I, L, O and U.
    """
    bits = int.from_bytes(sha256(payment_id.encode()).digest()[:8], "big") >> 14
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    code = "".join(letters[bits >> (5 * place) & 31] for place in range(9, -1, -1))
    return f"{code[:5]}-{code[5:]}"
