"""The portal's own rules, written apart from the console's so that each can catch the other out."""

from __future__ import annotations

import string
from enum import Enum


class MatchRule(Enum):
    """How strictly this portal compares names."""

    EXACT = "exact"
    IGNORE_CASE = "ignore_case"
    IGNORE_SPACES = "ignore_spaces"


def same_name(typed: str, filed: str, rule: MatchRule) -> bool:
    """Compare letter for letter once ordinary spaces at the ends are gone."""
    one, other = _compared(typed, rule), _compared(filed, rule)
    return one == other and one != ""


def _compared(name: str, rule: MatchRule) -> str:
    first, last = 0, len(name)
    while first < last and name[first] == " ":
        first += 1
    while last > first and name[last - 1] == " ":
        last -= 1
    kept = name[first:last]
    if rule is not MatchRule.EXACT:
        kept = kept.lower()
    if rule is MatchRule.IGNORE_SPACES:
        kept = "".join(letter for letter in kept if letter != " ")
    return kept


def numerals(typed: str, *, point_allowed: bool) -> str | None:
    """Take the account number out of what was typed; None where the portal would not."""
    kept = []
    for character in typed.strip(" "):
        if character in string.digits:
            kept.append(character)
        elif (character == "." and not point_allowed) or character not in " -.":
            return None
    return "".join(kept) or None


RULE_IN_WORDS = (
    "8 to 15 characters, with at least one capital letter, one numeral and one special character"
)


def password_faults(password: str) -> list[str]:
    """List what the password lacks."""
    faults = []
    if not 8 <= len(password) <= 15:
        faults.append("It must have 8 to 15 characters.")
    if not any(letter in string.ascii_uppercase for letter in password):
        faults.append("It needs at least one capital letter.")
    if not any(letter in string.digits for letter in password):
        faults.append("It needs at least one numeral.")
    if not any(letter in string.punctuation for letter in password):
        faults.append("It needs at least one special character, such as ! or #.")
    if any(
        letter not in string.digits + string.ascii_letters + string.punctuation
        for letter in password
    ):
        faults.append("It may have only plain letters, numerals and special characters, no spaces.")
    return faults
