"""Dollars and cents, held as whole cents so that sums never drift."""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.domain.errors import ConsoleError

_TYPED = re.compile(r"\$?([0-9]{1,7})(?:\.([0-9]{2}))?")


class BadAmount(ConsoleError):
    """What was typed is not a sum of money we can take."""


@dataclass(frozen=True, order=True)
class Money:
    """A sum in US cents.

    >>> str(Money(123456))
    '$1,234.56'
    """

    cents: int

    @classmethod
    def parse(cls, typed: str) -> Money:
        """Read what a clerk typed, with or without a dollar sign and commas."""
        found = _TYPED.fullmatch(typed.strip().replace(",", ""))
        if found is None:
            raise BadAmount(f"“{typed[:20]}” is not an amount of money. Write it like 84.10.")
        return cls(int(found[1]) * 100 + int(found[2] or "0"))

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - other.cents)

    def __neg__(self) -> Money:
        return Money(-self.cents)

    def __str__(self) -> str:
        sign = "−" if self.cents < 0 else ""
        return f"{sign}${abs(self.cents) // 100:,}.{abs(self.cents) % 100:02}"
