"""Who is on the line: what proves a caller, and how a call is wrapped up."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Fact(StrEnum):
    """Something a caller can say that is compared with the file."""

    NAME = "name"
    SERVICE_ADDRESS = "service_address"
    PHONE = "phone"
    LAST_PAYMENT = "last_payment"
    LAST_FOUR = "last_four"

    @property
    def words(self) -> str:
        """Name the fact as the screen does."""
        return _FACT_WORDS[self]

    @property
    def is_private(self) -> bool:
        """Whether a stranger could not simply look it up."""
        return self in (Fact.LAST_PAYMENT, Fact.LAST_FOUR)


_FACT_WORDS = {
    Fact.NAME: "Name on the account",
    Fact.SERVICE_ADDRESS: "Service address",
    Fact.PHONE: "Phone number on file",
    Fact.LAST_PAYMENT: "Last payment",
    Fact.LAST_FOUR: "Last four of the identity number",
}

FACTS_NEEDED = 3


def is_verified(told: Collection[Fact]) -> bool:
    """Whether these facts are enough to speak about the account.

    Three facts, at least one of which a stranger cannot look up: names, addresses and phone
    numbers are public.
    """
    return len(set(told)) >= FACTS_NEEDED and any(fact.is_private for fact in told)


def still_missing(told: Collection[Fact]) -> str:
    """Say in words what is still needed, or nothing when the caller is verified."""
    if is_verified(told):
        return ""
    missing = max(0, FACTS_NEEDED - len(set(told)))
    private = any(fact.is_private for fact in told)
    if private:
        return "One more fact." if missing == 1 else f"{missing} more facts."
    if missing <= 1:
        return "One more fact: the last payment or the last four."
    return f"{missing} more facts, one of them the last payment or the last four."


class Reason(StrEnum):
    """Why a member called."""

    REGISTRATION = "registration"
    VERIFICATION_EMAIL = "verification_email"
    PAYMENT = "payment"
    BILL = "bill"
    USAGE = "usage"
    OUTAGE = "outage"
    SCAM = "scam"
    CHANGE_OF_DETAILS = "change_of_details"
    OTHER = "other"

    @property
    def words(self) -> str:
        """Name the reason as the screen does."""
        return {
            Reason.REGISTRATION: "Registration refused",
            Reason.VERIFICATION_EMAIL: "Verify-account e-mail",
            Reason.PAYMENT: "Payment",
            Reason.BILL: "Bill",
            Reason.USAGE: "Usage",
            Reason.OUTAGE: "Outage or service issue",
            Reason.SCAM: "Scam call reported",
            Reason.CHANGE_OF_DETAILS: "Change of details",
            Reason.OTHER: "Something else",
        }[self]


class Result(StrEnum):
    """How a call ended."""

    SOLVED = "solved"
    FOLLOW_UP = "follow_up"
    CALL_BACK = "call_back"
    NOT_VERIFIED = "not_verified"

    @property
    def words(self) -> str:
        """Name the result as the screen does."""
        return {
            Result.SOLVED: "Solved",
            Result.FOLLOW_UP: "We follow up",
            Result.CALL_BACK: "Member calls back",
            Result.NOT_VERIFIED: "Caller could not be verified",
        }[self]
