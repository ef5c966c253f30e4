"""A made-up year of bills and payments that ends with the balance on file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from console.domain.arrangements import months_on
from console.domain.ledger import LedgerKind
from console.domain.money import Money

COLUMNS: Final = ("account_number", "kind", "amount", "day", "at", "words", "source_id")
MONTHS: Final = 12
SEASON: Final = (310, 280, 190, 90, 30, 70, 130, 120, 40, 60, 160, 270)
"""How much more is used in each month than in any: winters are cold, the hottest weeks hot."""
_ALWAYS: Final = 520
_BY: Final = ("Cheque by mail", "Paid online", "Card by phone", "Cash at the counter")

Line = tuple[str, LedgerKind, Money, date, datetime, str, str]


def year_of(account: Mapping[str, Any]) -> Iterator[Line]:
    """Make up the ledger of an account, oldest line first.

    The last bill and the last payment are those on file. What is owed beyond the last bill was not
    paid in the months before; what was paid too much was paid then too.
    """
    number, billed, paid_on = account["number"], account["last_bill_on"], account["last_payment_on"]
    bills, payments, brought = _sums(account)
    days = [months_on(billed, -back) for back in range(MONTHS - 1, -1, -1)]
    paid_last = max(place for place, cents in enumerate(payments) if cents)

    def line(kind: LedgerKind, cents: int, day: date, words: str) -> Line:
        at = datetime.combine(day, time(15), UTC)
        return number, kind, Money(cents), day, at, words, ""

    yield line(LedgerKind.OPENING, brought, days[0], LedgerKind.OPENING.words)
    for place, day in enumerate(days):
        yield line(LedgerKind.BILL, bills[place], day, f"Bill for {day:%B %Y}")
        if payments[place]:
            after = timedelta(days=17 + (int(number) + place) % 6)
            by = _BY[(int(number) // 100 + (place % 5 == 0)) % len(_BY)]
            yield line(
                LedgerKind.PAYMENT,
                -payments[place],
                paid_on if place == paid_last else day + after,
                by,
            )


def _sums(account: Mapping[str, Any]) -> tuple[list[int], list[int], int]:
    """Answer the bills, what was paid of each, and what was owed before them."""
    last_bill, last_payment = account["last_bill"].cents, account["last_payment"].cents
    billed = account["last_bill_on"]
    of_now = _ALWAYS + SEASON[billed.month - 1]
    bills = [
        last_bill * (_ALWAYS + SEASON[(billed.month - 1 - back) % 12]) // of_now
        + int(account["number"]) * (back + 3) % 1_700
        for back in range(MONTHS - 1, -1, -1)
    ]
    bills[-1] = last_bill
    if account["last_payment_on"] >= billed:
        payments = [*bills[:-1], last_payment]
    else:
        bills[-2] = last_payment
        payments = [*bills[:-1], 0]
    unpaid = account["balance"].cents - last_bill + payments[-1]
    if unpaid < 0:
        payments[-3] -= unpaid
        return bills, payments, 0
    for place in range(MONTHS - 3, -1, -1):
        left_out = min(unpaid, payments[place])
        payments[place] -= left_out
        unpaid -= left_out
    return bills, payments, unpaid
