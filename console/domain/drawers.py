"""The cash drawer: what it should hold, and how what was counted differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.texts import check_text

DENOMINATIONS: Final = (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 25, 10, 5, 1)
"""The notes and coins that are counted, in cents."""
NOTHING: Final = Money(0)
MOST_OF_ONE: Final = 100_000
MOST_CHEQUES: Final = 10_000
MOST_MOVED: Final = Money(10_000_000)
MOST_WORDS: Final = 200
MOST_EXPLANATION: Final = 500
FEWEST_WORDS: Final = 3
"""An explanation of fewer words explains nothing to whoever reads it next month."""


class MovementKind(StrEnum):
    """Why cash went in or out beside a payment."""

    PAY_IN = "pay_in"
    PAY_OUT = "pay_out"
    TO_SAFE = "to_safe"

    @property
    def words(self) -> str:
        """Name it as the drawer's sheet does."""
        return {
            MovementKind.PAY_IN: "Put in",
            MovementKind.PAY_OUT: "Paid out",
            MovementKind.TO_SAFE: "To the safe",
        }[self]

    def signed(self, amount: Money) -> Money:
        """Answer an amount as it changes the drawer: above zero goes in, below zero goes out."""
        return amount if self is MovementKind.PAY_IN else -amount


class BadCount(ConsoleError):
    """What was counted cannot be."""


class BadMovement(ConsoleError):
    """This cannot go into the drawer or out of it like that."""


class NotExplained(ConsoleError):
    """The difference needs an explanation that says something."""


@dataclass(frozen=True)
class Contents:
    """What lies in a drawer: the cash, and the cheques."""

    cash: Money
    cheques: int = 0
    cheque_sum: Money = NOTHING


def counted_sum(counted: Mapping[int, int]) -> Money:
    """Add up what was counted; `counted` says how many there are of each note and coin."""
    for cents, many in counted.items():
        if cents not in DENOMINATIONS or not 0 <= many <= MOST_OF_ONE:
            raise BadCount(f"Count each note and coin with a number from 0 to {MOST_OF_ONE:,}.")
    return Money(sum(cents * many for cents, many in counted.items()))


def coin_words(cents: int) -> str:
    """Name a note or a coin: “$20 notes”, “25¢ coins”."""
    return f"${cents // 100} notes" if cents >= 100 else f"{cents}¢ coins"


def count_words(counted: Mapping[int, int]) -> str:
    """Say a count in one line: “5 × $20, 8 × 25¢”."""
    said = [
        f"{counted[cents]} × {f'${cents // 100}' if cents >= 100 else f'{cents}¢'}"
        for cents in DENOMINATIONS
        if counted.get(cents)
    ]
    return ", ".join(said) or "nothing"


def check_cheques(many: int, total: Money) -> None:
    """Refuse cheques that were counted without a sum, or a sum without cheques."""
    if not 0 <= many <= MOST_CHEQUES or total < Money(0):
        raise BadCount(f"Count the cheques with a number from 0 to {MOST_CHEQUES:,}.")
    if (many == 0) != (total == Money(0)):
        raise BadCount("Count the cheques and add them up: one of the two is still missing.")


def check_movement(kind: MovementKind, amount: Money, words: str) -> str:
    """Answer the words for a movement, or refuse one that cannot be; raises BadMovement."""
    if not Money(0) < amount <= MOST_MOVED:
        raise BadMovement(f"Type an amount above zero, {MOST_MOVED} at most.")
    clean = check_text(words, MOST_WORDS, "What it is for")
    if not clean and kind is not MovementKind.TO_SAFE:
        raise BadMovement("Say what it is for, so that whoever reads the sheet knows it too.")
    return clean


def check_explanation(explanation: str) -> str:
    """Answer an explanation as it is kept, or refuse one that says nothing."""
    clean = check_text(explanation, MOST_EXPLANATION, "The explanation", lines=True)
    if sum(any(map(str.isalpha, word)) for word in clean.split()) < FEWEST_WORDS:
        raise NotExplained("Say in a few words how the difference may have come about.")
    return clean


def expected_cash(opening: Money, taken: Money, given_back: Money, moved: Iterable[Money]) -> Money:
    """Say how much cash should lie in a drawer."""
    return opening + taken - given_back + sum(moved, Money(0))


def difference_words(counted: Money, expected: Money) -> str:
    """Say whether a drawer is over, short or right."""
    apart = counted - expected
    if apart == Money(0):
        return "Counted as expected."
    side = "over" if apart > Money(0) else "short"
    return f"{Money(abs(apart.cents))} {side}."


def close_words(counted: Contents, expected: Contents) -> str:
    """Say how a whole drawer was counted: its cash, and its cheques when they differ."""
    if counted == expected:
        return difference_words(counted.cash, expected.cash)
    said = []
    if counted.cash != expected.cash:
        said.append(f"Cash {difference_words(counted.cash, expected.cash)}")
    if (counted.cheques, counted.cheque_sum) != (expected.cheques, expected.cheque_sum):
        apart = counted.cheques - expected.cheques
        if apart:
            noun = "cheque" if abs(apart) == 1 else "cheques"
            many = f"{abs(apart)} {noun} {'too many' if apart > 0 else 'missing'}"
            said.append(f"{many[:1].upper()}{many[1:]}.")
        if counted.cheque_sum != expected.cheque_sum:
            difference = difference_words(counted.cheque_sum, expected.cheque_sum)
            said.append(f"Cheques {difference}")
    return " ".join(said)
