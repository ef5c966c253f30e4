"""Stored methods: cards and bank accounts that the gateway keeps, and a bank's routing number."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from console.domain.errors import ConsoleError


class MethodKind(StrEnum):
    """What a stored method is, as the gateway calls it."""

    CARD = "card"
    BANK = "us_bank_account"

    @property
    def words(self) -> str:
        """Name it as the screen does."""
        return "Card" if self is MethodKind.CARD else "Bank account"


class RequestKind(StrEnum):
    """What is wanted of the gateway's own store of methods."""

    ADD = "add"
    REMOVE = "remove"


class RequestState(StrEnum):
    """How far such a wish has come."""

    WAITING = "waiting"
    OPEN = "open"
    """The gateway's page is open, and nothing is entered yet."""
    DONE = "done"
    REFUSED = "refused"
    SHUT = "shut"
    """The page ran out, or somebody shut it."""

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self in (RequestState.WAITING, RequestState.OPEN)


class BadRouting(ConsoleError):
    """The routing number is not one of a US bank."""


_NAMES = {
    "amex": "American Express",
    "visa": "Visa",
    "mastercard": "Mastercard",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def method_words(brand: str, last_four: str) -> str:
    """Say which method it is: “Visa ending in 4242”."""
    name = _NAMES.get(brand, brand[:1].upper() + brand[1:])
    return f"{name or 'Account'} ending in {last_four}"


def expiry_words(expires: tuple[int, int] | None) -> str:
    """Say until which month a card runs: “04/29”; nothing for a bank account."""
    return "" if expires is None else f"{expires[1]:02}/{expires[0] % 100:02}"


def has_expired(expires: tuple[int, int] | None, today: date) -> bool:
    """Whether a card ran out; it is good until the last day of its month."""
    return expires is not None and expires < (today.year, today.month)


def check_routing(typed: str) -> str:
    """Answer a routing number's nine digits, or say what is wrong with it.

    The weights 3-7-1 must come to a multiple of ten, and the first two digits name a Federal
    Reserve district, a thrift, an electronic or a traveller's-cheque institution (ABA).
    """
    digits = "".join(typed.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == 9):
        raise BadRouting(
            "A routing number has nine digits. It is the first number at the foot of a cheque."
        )
    weights = (3, 7, 1) * 3
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    first = int(digits[:2])
    known = 0 <= first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80
    if total % 10 or not known or digits == "000000000":
        raise BadRouting(
            "No US bank has this routing number; a digit is wrong. Ask the caller to read it again "
            "from the foot of a cheque."
        )
    return digits
