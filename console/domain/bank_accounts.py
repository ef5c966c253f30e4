"""The number of a bank account, as it is told on the phone."""

from __future__ import annotations

from typing import Final

from console.domain.errors import ConsoleError

SHORTEST: Final = 4
LONGEST: Final = 17
"""Digits of an account in an ACH entry (Nacha)."""


class BadAccountNumber(ConsoleError):
    """What was typed cannot be the number of a bank account."""


def check_account_number(typed: str) -> str:
    """Answer a bank account's digits, or say what is wrong with them."""
    digits = "".join(typed.replace("-", "").split())
    if not (digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST):
        raise BadAccountNumber(
            f"A bank account has {SHORTEST} to {LONGEST} digits. It is the number after the "
            "routing number at the foot of a cheque."
        )
    if not digits.strip("0"):
        raise BadAccountNumber("No bank account has zeros only. Ask for its number again.")
    return digits


def in_threes(typed: str) -> str:
    """Write a number in groups of three, as it is read back: “000  123  456  7”."""
    digits = "".join(typed.replace("-", "").split())
    return "  ".join(digits[at : at + 3] for at in range(0, len(digits), 3))
