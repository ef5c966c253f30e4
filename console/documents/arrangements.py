"""The letter of a payment arrangement: what was promised, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from console.documents.page import Column, Head, Paper, draw
from console.domain.money import Money
from console.domain.times import calendar_day

TERMS: Final = (
    "Each payment must be with us by its date. A new bill is not part of this arrangement; please "
    "pay it by its own due date.",
    "If a payment is missed, the arrangement ends and the whole amount is past due again.",
)
"""What an arrangement means, unless the office words it otherwise."""


@dataclass(frozen=True)
class PromisedPayment:
    """One dated promise, and what became of it since."""

    due_on: date
    amount: Money
    stands: str = ""
    """“Kept” or “Broken”; empty while it is to come."""


@dataclass(frozen=True)
class ArrangementLetter:
    """A payment arrangement as the member gets it in writing."""

    number: str
    coop_name: str
    coop_phone: str
    zone: str
    member_name: str
    mailing: tuple[str, ...]
    """Name and address as on the envelope."""
    account: str
    service_address: str
    made_on: date
    made_by: str
    balance: Money
    promises: tuple[PromisedPayment, ...]
    past_due: Money | None = None
    note: str = ""
    terms: tuple[str, ...] = TERMS
    stands: str = ""
    """What became of it since: “Called off”, “Broken”; empty while it runs."""


_PROMISES = (
    Column("Payment", 14),
    Column("Due by", 34),
    Column("", 24),
    Column("Amount", 24, right=True),
    Column("Left to pay", 24, right=True),
)


def draw_arrangement(letter: ArrangementLetter, printed_at: datetime | None = None) -> bytes:
    """Draw the letter of a payment arrangement."""
    head = Head(
        coop_name=letter.coop_name,
        coop_phone=letter.coop_phone,
        title="Payment arrangement",
        reference=letter.number,
        mark=letter.stands,
        address=letter.mailing,
        zone=letter.zone,
        printed_at=printed_at,
    )

    def body(paper: Paper) -> None:
        paper.words(f"Dear {letter.member_name}:", most_lines=2)
        paper.words(
            f"Thank you for talking with us on {calendar_day(letter.made_on)}. This is what we "
            "agreed on, so that you have it in writing."
        )
        paper.rows(
            [
                ("Account", letter.account),
                ("Service address", letter.service_address),
                ("Balance", str(letter.balance)),
                ("Past due", "" if letter.past_due is None else str(letter.past_due)),
                ("Agreed with", letter.made_by),
            ]
        )
        paper.section("What you promised to pay")
        total = Money(sum(promise.amount.cents for promise in letter.promises))
        left = total
        rows = []
        for index, promise in enumerate(letter.promises, start=1):
            left -= promise.amount
            rows.append(
                (
                    str(index),
                    calendar_day(promise.due_on),
                    promise.stands,
                    str(promise.amount),
                    str(left),
                )
            )
        paper.table(_PROMISES, rows, total=("Total", "", "", str(total), ""))
        for term in letter.terms:
            paper.words(term)
        if letter.note:
            paper.words(letter.note, most_lines=12)
        if letter.coop_phone:
            paper.words(
                "If you cannot keep a date, call us before it passes, at "
                f"{letter.coop_phone}. We would rather find another date than have the "
                "arrangement end."
            )

    return draw(head, body)
