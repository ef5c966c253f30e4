"""The portal's password rule, to be read out and to be checked; no password is ever kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 8
LONGEST: Final = 15
RULE_READ_OUT: Final = (
    f"The password has {SHORTEST} to {LONGEST} characters, with at least one capital letter, "
    "one numeral and one special character such as an exclamation mark or a dollar sign."
)


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One part of the rule and whether it is met."""

    met: bool
    words: str


def check(password: str) -> tuple[RuleCheck, ...]:
    """Check each part of the rule by itself."""
    size = len(password)
    return (
        RuleCheck(SHORTEST <= size <= LONGEST, _about_length(size)),
        RuleCheck(any(c.isupper() for c in password), "At least one capital letter"),
        RuleCheck(any(c in "0123456789" for c in password), "At least one numeral"),
        RuleCheck(any(_is_special(c) for c in password), "At least one special character"),
    )


def is_good(password: str) -> bool:
    """Tell whether every part of the rule is met."""
    return all(part.met for part in check(password))


def _about_length(size: int) -> str:
    rule = f"{SHORTEST} to {LONGEST} characters"
    if 0 < size < SHORTEST:
        return f"{rule}: {SHORTEST - size} more"
    if size > LONGEST:
        return f"{rule}: {size - LONGEST} too many"
    return rule


def _is_special(character: str) -> bool:
    return character.isprintable() and not character.isalnum() and not character.isspace()
