"""What people and other systems may write into the file: cleaned, capped, no card numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from console.domain.errors import ConsoleError

MOST_NOTE: Final = 4000
"""Characters of a note; longer ones are documents."""

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of writing and can make a name read as another one."""
_JUNK: Final = frozenset({"Cc", "Cs", "Cn"})
"""Controls, halves of letters, and what is no character at all."""

_UNSEEN: Final = "\u200b"
_UNREADABLE: Final = "\ufffd"


class TooLong(ConsoleError):
    """What was typed does not fit on file."""


class CardNumberTyped(ConsoleError):
    """What was typed holds a card number, which is never kept."""


def clean_text(text: str, most: int, *, lines: bool = False) -> str:
    """Make a text of any origin fit to be kept: nothing invisible, tidy ends, at most this long.

    With `lines`, line breaks stay; otherwise they become spaces.
    """
    # What is far too long is cut first: tidying a megabyte would hold everybody up.
    rough = unicodedata.normalize("NFC", _without_halves(text[: most * 4 + 100]))
    rough = rough.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        rough = rough.replace("\n", " ")
    kept = "".join(map(_keep, rough)).strip()
    return kept[:most].rstrip()


def keep_as_typed(text: str, most: int) -> str:
    """Keep what a member typed elsewhere, hidden characters too: they may be why it was refused.

    What no database stores, and what would turn the screen's writing round, leaves a trace.
    """
    return "".join(map(_trace, _without_halves(text[:most])))


def check_text(text: str, most: int, what: str, *, lines: bool = False) -> str:
    """Clean what a colleague typed, or refuse it when part of it would be lost.

    `what` begins the sentence of the refusal: “The note”.
    """
    clean = clean_text(text, most + 1, lines=lines)
    if len(clean) > most:
        raise TooLong(f"{what} may have {most:,} characters at most. Please shorten it.")
    refuse_card_numbers(clean)
    return clean


def _without_halves(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _keep(character: str) -> str:
    if character == "\n":
        return character
    if character == "\t":
        return " "
    if character in _BIDI or unicodedata.category(character) in _JUNK:
        return ""
    return character


def _trace(character: str) -> str:
    if character in _BIDI:
        return _UNSEEN
    return _UNREADABLE if unicodedata.category(character) in _JUNK else character


_DIGIT_GROUPS: Final = re.compile(r"\d+")
_GAP: Final = re.compile(r"[\s.\-_/‐‑‒–—]{0,3}")
_SHORTEST_CARD, _LONGEST_CARD = 13, 19


def refuse_card_numbers(text: str) -> None:
    """Refuse a text with a card number in it: no card is ever kept."""
    if holds_card_number(text):
        raise CardNumberTyped(
            "This text holds a card number, and card numbers are never kept. Take it out; the "
            "last four digits are enough."
        )


def holds_card_number(text: str) -> bool:
    """Tell whether a text holds digits that a card could have, however they are spaced."""
    groups = list(_DIGIT_GROUPS.finditer(text))
    for first, group in enumerate(groups):
        digits = ""
        end = group.start()
        for other in groups[first:]:
            if digits and not _GAP.fullmatch(text, end, other.start()):
                break
            digits += _plain_digits(other[0][: _LONGEST_CARD + 1])
            end = other.end()
            if len(digits) > _LONGEST_CARD:
                break
            if len(digits) >= _SHORTEST_CARD and _is_issued(digits) and _passes_luhn(digits):
                return True
    return False


def _plain_digits(digits: str) -> str:
    return "".join(str(unicodedata.digit(character, 0)) for character in digits)


def _is_issued(digits: str) -> bool:
    """Tell whether a network gives out numbers that begin and end like this."""
    size, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    if 300 <= three <= 305 or two in (36, 38, 39):
        return size in (14, 16)
    if 3528 <= four <= 3589 or four == 6011 or 644 <= three <= 649 or two in (62, 65, 81):
        return 16 <= size <= _LONGEST_CARD
    return False


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
