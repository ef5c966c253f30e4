"""Account numbers as they are printed, typed and compared."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.spelling import say_digits

_LONGEST: Final = 20
_POINTS: Final = frozenset(".․·•。,٫")
_DASHES: Final = frozenset("-‐‑‒–—−")


class BadAccountNumber(ConsoleError):
    """What was typed cannot be an account number."""


@dataclass(frozen=True, slots=True)
class TypedAccount:
    """An account number as somebody typed it, and what is odd about it."""

    typed: str
    digits: str
    had_point: bool = False
    had_dashes: bool = False
    had_spaces: bool = False
    had_letters: bool = False
    had_other_marks: bool = False
    had_foreign_digits: bool = False
    had_hidden: bool = False
    too_long: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether numerals alone were typed."""
        return self.typed.strip(" ") == self.digits and not self.too_long


def read_account_number(typed: str) -> TypedAccount:
    """Find the numerals in what was typed, and everything that is not a numeral."""
    seen = typed[:200].strip(" ")
    kinds = {_kind_of(character) for character in seen}
    digits = "".join(_digit(character) for character in seen)
    return TypedAccount(
        typed,
        digits[:_LONGEST],
        had_point="point" in kinds,
        had_dashes="dash" in kinds,
        had_spaces="space" in kinds,
        had_letters="letter" in kinds,
        had_other_marks="mark" in kinds,
        had_foreign_digits="foreign" in kinds,
        had_hidden="hidden" in kinds,
        too_long=len(digits) > _LONGEST or len(typed) > 200,
    )


def digits_of(printed: str) -> str:
    """Return the numerals of a printed account number; the portal compares nothing else."""
    account = read_account_number(printed)
    if not account.digits:
        raise BadAccountNumber(
            "There are no numerals in the account number. It is printed at the top of the bill."
        )
    if account.too_long:
        raise BadAccountNumber(
            f"The account number has more than {_LONGEST} numerals. Type it again from the bill."
        )
    if account.had_letters:
        raise BadAccountNumber(
            "The account number has letters in it. Type the numerals from the bill alone."
        )
    return account.digits


def printed_with_point(digits: str, after_point: int = 2) -> str:
    """Write an account number as the old bills print it, with its decimal point."""
    if after_point <= 0 or len(digits) <= after_point:
        return digits
    return f"{digits[:-after_point]}.{digits[-after_point:]}"


def account_reasons(typed: TypedAccount, digits: str, *, point_refused: bool = True) -> list[str]:
    """Say what is wrong with an account number as typed, one sentence each."""
    reasons = []
    if typed.had_point and point_refused:
        reasons.append(
            "The account number was typed with a point, as the old bills print it. The portal "
            "takes numerals only."
        )
    if typed.had_letters:
        reasons.append("The account number was typed with a letter in it, perhaps O for zero.")
    if typed.had_foreign_digits:
        reasons.append("The account number was typed with numerals of another script.")
    if typed.had_hidden:
        reasons.append("The account number was pasted with a character that cannot be seen.")
    if typed.had_dashes or typed.had_spaces or typed.had_other_marks:
        reasons.append("The account number was typed with spaces or marks between the numerals.")
    if digits and typed.digits != digits:
        reasons.append(_other_number(typed.digits, digits))
    return reasons


def say_account(digits: str) -> str:
    """Say how to type the account number."""
    return f"Account number {say_digits(digits)}, no point."


def _other_number(typed: str, digits: str) -> str:
    if not typed:
        return "No account number was typed."
    if typed.strip("0") and typed.lstrip("0") == digits.lstrip("0"):
        return "The account number has another number of zeros at the beginning."
    if digits.startswith(typed):
        return "The last numerals of the account number are missing."
    if sorted(typed) == sorted(digits):
        return "The numerals of the account number are in another order."
    return "The account number is another one. Ask the caller to read it from the bill."


def _digit(character: str) -> str:
    value = unicodedata.digit(character, None)
    return "" if value is None else str(value)


def _kind_of(character: str) -> str:
    if character in "0123456789":
        return "digit"
    for kind, characters in (("point", _POINTS), ("dash", _DASHES), ("space", " ")):
        if character in characters:
            return kind
    if unicodedata.digit(character, None) is not None:
        return "foreign"
    if character.isalpha():
        return "letter"
    return "hidden" if unicodedata.category(character)[0] in "CZM" else "mark"
