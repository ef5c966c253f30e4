"""United States phone numbers: ten digits, or seven within the town."""

from __future__ import annotations

import unicodedata
from typing import Final

from console.domain.errors import ConsoleError

_EXTENSION: Final = ("ext", "x", "#")


class BadPhone(ConsoleError):
    """What was typed cannot be a phone number."""


def digits_of(typed: str) -> str:
    """Return the ten digits, or seven, of a phone number as typed."""
    digits = _digits(_without_extension(typed[:100].lower()))
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    if len(digits) not in {7, 10}:
        raise BadPhone(
            f"A phone number has ten digits, or seven within the town; this one has {len(digits)}."
        )
    if len(digits) == 10 and digits[0] in "01":
        raise BadPhone("An area code does not begin with 0 or 1. Ask for the number again.")
    return digits


def display(typed: str) -> str:
    """Write a phone number as staff write it; what is not one comes back as it is."""
    try:
        digits = digits_of(typed)
    except BadPhone:
        return typed
    local = f"{digits[-7:-4]}-{digits[-4:]}"
    return f"({digits[:3]}) {local}" if len(digits) == 10 else local


def _without_extension(text: str) -> str:
    for sign in _EXTENSION:
        before, found, _ = text.partition(sign)
        if found and len(_digits(before)) >= 7:
            return before
    return text


def _digits(text: str) -> str:
    values = (unicodedata.digit(character, None) for character in text)
    return "".join(str(value) for value in values if value is not None)
