"""The receipt of a payment on paper."""

from __future__ import annotations

from datetime import datetime

from console.documents.page import Column, Head, Paper, draw, moment_words
from console.domain.receipts import Receipt, balance_words

_COLUMNS = (
    Column("Account", 22),
    Column("Service address", 44),
    Column("Paid", 20, right=True),
    Column("Balance after", 24, right=True),
)


def draw_receipt(receipt: Receipt, printed_at: datetime | None = None) -> bytes:
    """Draw a receipt; with a moment, the foot says when this copy was printed."""
    head = Head(
        coop_name=receipt.coop_name,
        coop_phone=receipt.coop_phone,
        title="Receipt",
        reference=receipt.number,
        mark=receipt.stands,
        figure=("Paid", str(receipt.amount)),
        zone=receipt.zone,
        printed_at=printed_at,
    )

    def body(paper: Paper) -> None:
        if receipt.caution:
            paper.notice(receipt.caution, "bad" if receipt.stands else "accent")
        paper.rows(
            [
                ("Received from", receipt.member_name),
                ("Paid on", moment_words(receipt.paid_at, receipt.zone)),
                ("Paid with", receipt.paid_with),
                ("Handed over", "" if receipt.tendered is None else str(receipt.tendered)),
                ("Change given", "" if receipt.change is None else str(receipt.change)),
                ("Taken by", receipt.taken_by),
            ],
            labels=106,
        )
        paper.section("What it was for")
        paper.table(
            _COLUMNS,
            [
                (
                    line.account,
                    line.service_address,
                    str(line.amount),
                    "" if line.balance_after is None else balance_words(line.balance_after),
                )
                for line in receipt.lines
            ],
            total=("Total paid", "", str(receipt.amount), ""),
        )
        if receipt.note:
            paper.words(receipt.note, tone="muted", most_lines=8)
        if not receipt.stands:
            paper.words("Thank you.", tone="muted")

    return draw(head, body)
