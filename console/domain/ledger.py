"""The account ledger: what kinds of lines there are, and the balance after each."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from console.domain.money import Money


class LedgerKind(StrEnum):
    """What a line of a ledger is for."""

    OPENING = "opening"
    BILL = "bill"
    PAYMENT = "payment"
    REFUND = "refund"
    RETURN = "return"
    FEE = "fee"

    @property
    def words(self) -> str:
        """Name it as the ledger's column does."""
        return {
            LedgerKind.OPENING: "Brought forward",
            LedgerKind.BILL: "Bill",
            LedgerKind.PAYMENT: "Payment",
            LedgerKind.REFUND: "Refund",
            LedgerKind.RETURN: "Returned payment",
            LedgerKind.FEE: "Fee",
        }[self]


def running_balances(after_all: Money, newest_first: Iterable[Money]) -> list[Money]:
    """Answer the balance after each line, given the balance after the newest of them."""
    balance = after_all
    balances = []
    for amount in newest_first:
        balances.append(balance)
        balance = balance - amount
    return balances
