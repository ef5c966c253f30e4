"""How the training gateway's test cards and test bank accounts behave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class CardTrait:
    """What becomes of a charge on a test card."""

    code: str = ""
    """Nothing for a card that works."""
    decline: str = ""
    message: str = ""
    can_be_saved: bool = True


@dataclass(frozen=True)
class BankTrait:
    """What becomes of a debit on a test account, days later."""

    after: timedelta = timedelta(days=4)
    code: str = ""
    """Nothing for a debit that settles."""
    return_code: str = ""
    message: str = ""
    disputed_after: timedelta | None = None
    """When the member's bank takes it back after it had settled."""


def _declined(decline: str, message: str = "Your card was declined.") -> CardTrait:
    return CardTrait("card_declined", decline, message, can_be_saved=False)


CARD_TRAITS: Final = {
    "": CardTrait(),
    "generic_decline": _declined("generic_decline"),
    "insufficient_funds": _declined("insufficient_funds", "Your card has insufficient funds."),
    "lost_card": _declined("lost_card"),
    "stolen_card": _declined("stolen_card"),
    "card_velocity_exceeded": _declined("card_velocity_exceeded"),
    "fraudulent": _declined("fraudulent"),
    "expired_card": CardTrait("expired_card", "expired_card", "Your card has expired.", False),
    "incorrect_cvc": CardTrait(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", False
    ),
    "processing_error": CardTrait(
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
        False,
    ),
    "customer_fail": CardTrait("card_declined", "generic_decline", "Your card was declined."),
    "authentication_required": CardTrait(
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}
TEST_CARDS: Final = {
    "4242424242424242": ("visa", ""),
    "4000056655665556": ("visa", ""),
    "5555555555554444": ("mastercard", ""),
    "5200828282828210": ("mastercard", ""),
    "378282246310005": ("amex", ""),
    "6011111111111117": ("discover", ""),
    "4000000000000002": ("visa", "generic_decline"),
    "4000000000009995": ("visa", "insufficient_funds"),
    "4000000000009987": ("visa", "lost_card"),
    "4000000000009979": ("visa", "stolen_card"),
    "4000000000006975": ("visa", "card_velocity_exceeded"),
    "4100000000000019": ("visa", "fraudulent"),
    "4000000000000069": ("visa", "expired_card"),
    "4000000000000127": ("visa", "incorrect_cvc"),
    "4000000000000119": ("visa", "processing_error"),
    "4000000000000341": ("visa", "customer_fail"),
    "4000002760003184": ("visa", "authentication_required"),
}
"""Brand and trait of each number; these are Stripe's own, published to be used in tests."""

_DECLINES: Final = {
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "chargeDeclinedFraudulent": "4100000000000019",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
}
TEST_METHODS: Final = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_authenticationRequired": "4000002760003184",
    # Stripe writes some of these with the brand and some without; both are taken.
    **{f"pm_card_{name}": number for name, number in _DECLINES.items()},
    **{f"pm_card_visa_{name}": number for name, number in _DECLINES.items()},
}

_DAY: Final = timedelta(days=1)
BANK_TRAITS: Final = {
    "": BankTrait(),
    "insufficient_funds": BankTrait(
        2 * _DAY, "insufficient_funds", "R01", "The account has insufficient funds."
    ),
    "account_closed": BankTrait(
        2 * _DAY, "account_closed", "R02", "The bank account has been closed."
    ),
    "no_account": BankTrait(
        2 * _DAY, "no_account", "R03", "The bank account could not be located."
    ),
    "debit_not_authorized": BankTrait(
        3 * _DAY,
        "debit_not_authorized",
        "R10",
        "The customer has notified their bank that this payment was unauthorized.",
    ),
    "dispute": BankTrait(disputed_after=20 * _DAY),
}
TEST_ACCOUNTS: Final = {
    "000123456789": "",
    "000222222227": "insufficient_funds",
    "000111111113": "account_closed",
    "000111111116": "no_account",
    "000333333335": "debit_not_authorized",
    "000555555559": "dispute",
}
TEST_BANKS: Final = {
    "pm_usBankAccount_success": "000123456789",
    "pm_usBankAccount_insufficientFunds": "000222222227",
    "pm_usBankAccount_accountClosed": "000111111113",
    "pm_usBankAccount_noAccount": "000111111116",
    "pm_usBankAccount_debitNotAuthorized": "000333333335",
    "pm_usBankAccount_dispute": "000555555559",
}


def has_luhn(number: str) -> bool:
    """Whether the check digit of a card number is right."""
    if not (number.isascii() and number.isdecimal() and 12 <= len(number) <= 19):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def has_routing_check(number: str) -> bool:
    """Whether a routing number's prefix and check digit are right."""
    if len(number) != 9 or not (number.isascii() and number.isdecimal()):
        return False
    prefix = int(number[:2])
    known = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    return known and sum(int(d) * w for d, w in zip(number, (3, 7, 1) * 3, strict=True)) % 10 == 0
