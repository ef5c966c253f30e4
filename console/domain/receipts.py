"""A receipt: what was paid, by whom and for which accounts, on paper and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.money import Money
from console.domain.times import calendar_day, clock, day_of


@dataclass(frozen=True)
class ReceiptLine:
    """What one account got of a payment."""

    account: str
    service_address: str
    amount: Money
    balance_after: Money | None = None
    """What the account owed when the payment was on it; none where that is not known yet."""


@dataclass(frozen=True)
class Receipt:
    """A payment as its receipt tells it, whenever it is printed."""

    number: str
    paid_at: datetime
    zone: str
    coop_name: str
    coop_phone: str
    member_name: str
    way_words: str
    """How it was paid: “Cash”, “Card”."""
    method_words: str
    """With what: “Visa ending in 4242”, “Cheque 1042”; empty where the way says it all."""
    amount: Money
    lines: tuple[ReceiptLine, ...]
    taken_by: str
    tendered: Money | None = None
    """What was handed over, for cash."""
    change: Money | None = None
    settled: bool = True
    """A bank debit can still come back until it is settled."""
    note: str = ""
    stands: str = ""
    """What became of it since: VOID, RETURNED, REFUNDED; empty while it stands."""

    def __post_init__(self) -> None:
        """Refuse to print lines that do not add up to their total."""
        if sum((line.amount.cents for line in self.lines), 0) != self.amount.cents:
            raise ValueError("the lines of a receipt must add up to its amount")

    @property
    def paid_with(self) -> str:
        """Say how it was paid, and with what."""
        if self.method_words and self.method_words != self.way_words:
            return f"{self.way_words}, {self.method_words}" if self.way_words else self.method_words
        return self.way_words

    @property
    def caution(self) -> str:
        """Say why the receipt is not the last word, or nothing."""
        if self.stands:
            return f"{self.stands}. This receipt no longer counts as it was written."
        if not self.settled:
            return (
                "The bank has not settled this payment yet. If it comes back, the amount is owed "
                "again."
            )
        return ""


def receipt_words(receipt: Receipt) -> str:
    """Say a receipt as it is read out on the phone, or stands in an e-mail."""
    on = calendar_day(day_of(receipt.paid_at, receipt.zone))
    at = clock(receipt.paid_at, receipt.zone)
    said = [
        f"Receipt {receipt.number}.",
        f"{receipt.coop_name} received {receipt.amount} from {receipt.member_name} on {on} at "
        f"{at}. Paid with: {receipt.paid_with}.",
    ]
    if receipt.tendered is not None:
        said.append(f"Handed over: {receipt.tendered}. Change: {receipt.change or Money(0)}.")
    said += [_line_words(line, len(receipt.lines) > 1) for line in receipt.lines]
    if receipt.note:
        said.append(receipt.note)
    if receipt.caution:
        said.append(receipt.caution)
    if receipt.coop_phone:
        said.append(f"Questions? Call {receipt.coop_phone}.")
    return "\n".join(said)


def balance_words(balance: Money) -> str:
    """Say a balance on paper, where a minus is easily overlooked: “$12.00 credit”."""
    return f"{-balance} credit" if balance < Money(0) else str(balance)


def _line_words(line: ReceiptLine, several: bool) -> str:
    place = f", {line.service_address}" if line.service_address else ""
    paid = f": {line.amount} paid" if several else ""
    if line.balance_after is None:
        return f"Account {line.account}{place}{paid}."
    after = f"balance after this payment {balance_words(line.balance_after)}"
    return f"Account {line.account}{place}{paid}{',' if paid else ':'} {after}."
