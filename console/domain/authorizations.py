"""What is read out before a bank account told on the phone is debited (Nacha TEL), filled in.

An oral authorization holds the name, the account, the amount, the day on or after which it is
debited, a number for questions, how it is revoked, today's date, and that it is for an ACH debit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from console.domain import phones
from console.domain.errors import ConsoleError
from console.domain.money import Money

FIRST_DAY: Final = 1
LAST_DAY: Final = 28
REVOKED_BEFORE_DAYS: Final = 3
"""How many business days before a debit the caller must call to stop it (Regulation E)."""


class NothingToRead(ConsoleError):
    """The authorization cannot be read out as it is, because something is missing."""


@dataclass(frozen=True)
class Debit:
    """Whose bank account is debited by whom, and what the caller must know of it."""

    coop: str
    phone: str
    """Of the office: for questions, and to revoke."""
    name: str
    account_numbers: Sequence[str]
    """Of the co-op's accounts that are paid."""
    last_four: str
    """Of the bank account; whatever is longer is cut to its end."""
    savings: bool
    on_or_after: date
    today: date


@dataclass(frozen=True)
class Recurring:
    """How a debit repeats: each month on one day, or whenever a bill is due."""

    day_of_month: int | None = None
    """1 to 28; nothing means the day each bill is due."""
    most: Money | None = None
    """More than this is never taken by itself."""


def phone_authorization(
    debit: Debit, amount: Money | None, recurring: Recurring | None = None
) -> str:
    """Answer the sentences to be read out, one a line; the last one asks for a clear yes.

    A recurring debit without an amount takes what is due on each bill. Raises NothingToRead.
    """
    return "\n".join(sentences(debit, amount, recurring))


def sentences(
    debit: Debit, amount: Money | None, recurring: Recurring | None = None
) -> tuple[str, ...]:
    """Answer the same sentence by sentence, for a list that is ticked off while reading."""
    _check(debit, amount, recurring)
    how = _once(debit, amount) if recurring is None else _again(debit, amount, recurring)
    return (
        f"Today is {spoken_day(debit.today)}.",
        *how,
        f"It pays your electric {_accounts(debit.account_numbers)}.",
        f"If you have a question, call {debit.coop} at {phones.display(debit.phone)} during "
        "business hours.",
        _revoke(debit, recurring),
        f"{debit.name}, do you authorize this? Please say yes or no.",
    )


def spoken_day(on: date) -> str:
    """Say a day in full, as it is read out: “November 25, 2026”."""
    return f"{_MONTHS[on.month - 1]} {on.day}, {on.year}"


def _check(debit: Debit, amount: Money | None, recurring: Recurring | None) -> None:
    if not debit.phone.strip():
        raise NothingToRead(
            "The office's phone number is not set, and the caller must be told whom to ask. Set "
            "“Phone for members” in the settings; until then take a card."
        )
    if not debit.name.strip():
        raise NothingToRead("Type the name on the bank account.")
    if not debit.account_numbers:
        raise NothingToRead("Choose at least one account to pay.")
    if len(_last_four(debit)) != 4:
        raise NothingToRead("Type the number of the bank account, at least four digits.")
    if debit.on_or_after < debit.today:
        raise NothingToRead("The day of the debit is over. Choose today or a later day.")
    if amount is None and recurring is None:
        raise NothingToRead("Type the amount that is debited.")
    if amount is not None and amount <= Money(0):
        raise NothingToRead("Type an amount above zero.")
    day = recurring.day_of_month if recurring else None
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise NothingToRead(f"Choose a day of the month from {FIRST_DAY} to {LAST_DAY}.")


def _once(debit: Debit, amount: Money | None) -> tuple[str, ...]:
    return (
        f"You, {debit.name}, authorize {debit.coop} to make one electronic debit, an ACH debit, "
        f"of {amount} from {_bank_account(debit)}.",
        f"It is made on or after {spoken_day(debit.on_or_after)}, and this one time only.",
    )


def _again(debit: Debit, amount: Money | None, recurring: Recurring) -> tuple[str, ...]:
    each = "the amount due on each bill" if amount is None else f"{amount} each time"
    most = f", and never more than {recurring.most} at a time" if recurring.most else ""
    if recurring.day_of_month is None:
        rhythm = "They are made when each bill is due, which is once a month"
    else:
        rhythm = f"They are made once a month, on the {_ordinal(recurring.day_of_month)}"
    return (
        f"You, {debit.name}, authorize {debit.coop} to make recurring electronic debits, ACH "
        f"debits, from {_bank_account(debit)}.",
        f"They are for {each}{most}.",
        f"{rhythm}, the first one on or after {spoken_day(debit.on_or_after)}, until you revoke "
        "this.",
        "You will get a written copy of this authorization.",
    )


def _bank_account(debit: Debit) -> str:
    kind = "savings" if debit.savings else "checking"
    return f"your {kind} account ending in {_last_four(debit)}"


def _last_four(debit: Debit) -> str:
    digits = "".join(one for one in debit.last_four if one.isascii() and one.isdigit())
    return digits[-4:]


def _accounts(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return f"account {numbers[0]}"
    return f"accounts {', '.join(numbers[:-1])} and {numbers[-1]}"


def _revoke(debit: Debit, recurring: Recurring | None) -> str:
    at = f"call {debit.coop} at {phones.display(debit.phone)}"
    if recurring is not None:
        return (
            f"To revoke this, {at} at least {REVOKED_BEFORE_DAYS} business days before the next "
            "debit."
        )
    if debit.on_or_after <= debit.today:
        return f"To revoke this, {at} today, before the debit is sent to your bank."
    return f"To revoke this, {at} before {spoken_day(debit.on_or_after)}."


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending} day of the month"


_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
