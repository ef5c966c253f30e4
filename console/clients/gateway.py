"""What the courier asks of a payment gateway, whichever it is, and the plain answers it gets.

What a call may end as, and what it means for whoever must know whether money moved:

* a value (`Taken`, `Declined`, `Refunded` …): the gateway did exactly this, for our reference and
  our amount.
* `Unreachable`, `Unexpected` and its kinds: unknown. Ask again with the same key, then by our
  reference; after `Stumbled` the key may repeat the same error for ever. No exception of this room
  ever means “not charged”.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from console.clients.forms import Stumbled
from console.clients.http import Exchange, Unexpected, Unreachable
from console.domain.methods import MethodKind, method_words
from console.domain.money import Money

__all__ = [
    "BankAccount", "BankTeller", "ChargeLine", "ChargeStatus", "Customer", "Declined",
    "GatewayBusy",
    "GatewayRefused", "KeyRefused", "MethodKind", "Order", "Page", "PageOrder",
    "PageState", "PaymentGateway", "PhoneMandate", "RefundOrder", "RefundRefused", "Refunded",
    "StoredMethod", "Stumbled", "Taken", "Unexpected", "Unreachable",
]  # fmt: skip

NOT_KNOWN: Final = (
    "Not known yet: the gateway gave no clear answer. Do not take it again. "
    "It is being checked by itself."
)


class GatewayRefused(Unexpected):
    """The gateway did not do what this request asked; an earlier one may still be under way."""

    def __init__(self, message: str, code: str, param: str) -> None:
        super().__init__(message)
        self.code = code
        """Such as resource_missing; empty when it gave none."""
        self.param = param


class KeyRefused(Unexpected):
    """The gateway does not accept the key it was shown."""


class GatewayBusy(Unexpected):
    """The gateway wants us to wait, or is still busy with an earlier request of the same key."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds."""


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """A card or bank account that the gateway keeps; this is all that anybody here knows of it."""

    id: str
    kind: MethodKind
    brand: str
    """“visa”, or the bank's name."""
    last_four: str
    expires: tuple[int, int] | None = None
    """Year and month; None for a bank account."""

    @property
    def words(self) -> str:
        """Say which one it is: “Visa ending in 4242”."""
        return method_words(self.brand, self.last_four)


@dataclass(frozen=True, slots=True)
class PhoneMandate:
    """A debit authorized on the phone (Nacha TEL); its wording and proof are kept by us."""

    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """One charge to a stored method. Sent again, every field must be what it was."""

    payment_id: str
    """Ours: the idempotency key and the reference at once."""
    method: str
    amount: Money
    customer: str = ""
    kind: MethodKind = MethodKind.CARD
    mandate: PhoneMandate | None = None
    """Wanted for the first debit of a bank account."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway took the payment."""

    id: str
    """The gateway's own name for the payment; refunds and later questions go by it."""
    charge: str
    """The charge it led to, as the gateway's own list names it."""
    reference: str
    amount: Money
    settled: bool
    """False while a bank debit is under way: it may still come back."""
    at: datetime
    method: StoredMethod | None
    """None where the gateway did not tell."""


@dataclass(frozen=True, slots=True)
class Declined:
    """No money moved, or a bank debit came back."""

    id: str
    reference: str
    code: str
    sentence: str
    """What a representative can read out."""
    by_bank: bool = False
    """Whether it was a bank debit that came back, which is days after it was taken."""
    return_code: str = ""
    """Nacha's, such as R01, where the gateway tells it."""


@dataclass(frozen=True, slots=True)
class PageOrder:
    """A payment page for one amount. Sent again, every field must be what it was."""

    payment_id: str
    amount: Money
    lines: tuple[tuple[str, Money], ...]
    """What is paid, in words the member reads; they add up to the amount."""
    expires_at: datetime
    """30 minutes to 24 hours ahead; decided once, because a key takes no other parameters."""
    return_url: str
    customer: str = ""
    save_method: bool = False
    kinds: tuple[MethodKind, ...] = (MethodKind.CARD,)


class PageState(StrEnum):
    """How far a payment page has come."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Page:
    """A payment page at the gateway."""

    id: str
    reference: str
    url: str
    """Where it is opened; empty once it is used or shut."""
    state: PageState
    expires_at: datetime
    outcome: Taken | Declined | None = None
    """What became of the payment; None while the page is open, and when it shut unused."""
    method: StoredMethod | None = None
    """What was saved, on a page that saves."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody whose stored methods the gateway keeps."""

    id: str
    reference: str
    """Ours; empty when somebody made the customer otherwise."""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A bank account as told on the phone; its number goes to the gateway and nowhere else."""

    name: str
    routing: str
    number: str = field(repr=False)
    savings: bool = False
    company: bool = False


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money to give back. Sent again, every field must be what it was."""

    refund_id: str
    payment: str
    """The gateway's name for the payment (`Taken.id`), or for a charge."""
    amount: Money


@dataclass(frozen=True, slots=True)
class Refunded:
    """The gateway gives the money back."""

    id: str
    reference: str
    """Ours; empty on refunds that somebody made at the gateway itself."""
    amount: Money
    settled: bool
    """False while a bank still carries it."""
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundRefused:
    """Nothing was given back."""

    code: str
    sentence: str


class ChargeStatus(StrEnum):
    """What became of a charge."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One line of the gateway's list, for reconciling."""

    id: str
    payment: str
    reference: str
    """Ours; empty on charges that did not come from us."""
    amount: Money
    refunded: Money
    status: ChargeStatus
    disputed: bool
    at: datetime
    code: str
    """Why it failed."""
    method: StoredMethod | None


class BankTeller(Protocol):
    """All that a desk without the key may do: give a bank account to the gateway."""

    def add_bank_account(self, key: str, account: BankAccount) -> StoredMethod:
        """Give a bank account to the gateway and keep only what it is called there."""


class PaymentGateway(Protocol):
    """The calls that another gateway would have to offer."""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The last exchanges, for the diagnostics view."""

    def charge(self, order: Order) -> Taken | Declined:
        """Charge a stored method."""

    def payment(self, payment: str, reference: str, amount: Money) -> Taken | Declined:
        """Ask what became of a payment whose id at the gateway is known."""

    def find(
        self, reference: str, amount: Money, *, since: datetime, customer: str = ""
    ) -> Taken | Declined | None:
        """Look a payment up by our reference; None when the gateway shows nothing."""

    def open_page(self, order: PageOrder) -> Page:
        """Open a payment page."""

    def open_saving_page(
        self, reference: str, customer: str, return_url: str, kinds: tuple[MethodKind, ...]
    ) -> Page:
        """Open a page that saves a method and charges nothing."""

    def page(self, page: str, reference: str, amount: Money | None) -> Page:
        """Ask how far a page has come; without an amount it is one that saves."""

    def find_page(self, reference: str, amount: Money | None, *, since: datetime) -> Page | None:
        """Look a page up by our reference; None when the gateway shows nothing."""

    def shut_page(self, page: str, reference: str, amount: Money | None) -> Page:
        """Shut a page; one that was used meanwhile comes back complete."""

    def add_customer(self, key: str, reference: str, name: str, email: str) -> Customer:
        """Make a customer under our reference."""

    def customer(self, customer: str) -> Customer | None:
        """Fetch a customer; None when the gateway knows none."""

    def methods(
        self, customer: str, kinds: tuple[MethodKind, ...] = tuple(MethodKind)
    ) -> tuple[StoredMethod, ...]:
        """List a customer's stored methods."""

    def add_bank_account(self, key: str, account: BankAccount) -> StoredMethod:
        """Give a bank account to the gateway and keep only what it is called there."""

    def save_method(self, method: str, customer: str) -> StoredMethod | Declined:
        """Keep a method with a customer."""

    def remove_method(self, method: str) -> None:
        """Take a stored method away; one that is gone already is as good."""

    def refund(self, order: RefundOrder) -> Refunded | RefundRefused:
        """Give money back."""

    def refunds(self, payment: str) -> tuple[Refunded, ...]:
        """List what was given back of a payment, by us or at the gateway itself."""

    def find_refund(self, order: RefundOrder) -> Refunded | None:
        """Look a refund up by our reference; None when the gateway shows nothing."""

    def charges(self, since: datetime, until: datetime) -> Iterator[ChargeLine]:
        """List every charge of a time, the newest first."""

    def close(self) -> None:
        """Let go of the connections."""
