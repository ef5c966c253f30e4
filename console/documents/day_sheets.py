"""The reconciliation sheet of a day: what the gateway lists against what we have on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from console.documents.page import Column, Head, Paper, draw, moment_words
from console.domain.money import Money
from console.domain.times import calendar_day


@dataclass(frozen=True)
class DayLine:
    """One thing in which the gateway and we do not agree, and who cleared it."""

    words: str
    """What differs, in a sentence."""
    receipt: str = ""
    gateway_id: str = ""
    member_name: str = ""
    ours: Money | None = None
    theirs: Money | None = None
    cleared_by: str = ""
    cleared_at: datetime | None = None
    cleared_words: str = ""


@dataclass(frozen=True)
class DaySheet:
    """The comparison of one day, as its sheet tells it."""

    day: date
    coop_name: str
    coop_phone: str
    zone: str
    made_by: str
    made_at: datetime
    ours: int
    ours_sum: Money
    theirs: int
    theirs_sum: Money
    settled: int
    lines: tuple[DayLine, ...] = ()
    heads: tuple[tuple[str, int, str], ...] = ()
    """The end of each person's chain on the audit trail: whose, how many lines, and its hash."""


_SUMS = (
    Column("", 50),
    Column("Payments", 20, right=True),
    Column("Sum", 30, right=True),
)
_LINES = (
    Column("What", 52, most_lines=4),
    Column("Receipt, gateway", 38, most_lines=4),
    Column("Ours", 18, right=True),
    Column("Gateway", 18, right=True),
    Column("Cleared", 34, most_lines=6),
)


def draw_day_sheet(sheet: DaySheet, printed_at: datetime | None = None) -> bytes:
    """Draw the reconciliation sheet of a day, with room to sign."""
    waiting = sum(1 for line in sheet.lines if not line.cleared_by)
    head = Head(
        coop_name=sheet.coop_name,
        coop_phone=sheet.coop_phone,
        title="Reconciliation",
        reference=calendar_day(sheet.day),
        mark=f"{waiting:,} not cleared" if waiting else "",
        zone=sheet.zone,
        printed_at=printed_at,
    )

    def body(paper: Paper) -> None:
        paper.rows(
            [
                ("Day", calendar_day(sheet.day)),
                ("Compared", f"{moment_words(sheet.made_at, sheet.zone)} by {sheet.made_by}"),
                ("Found settled", f"{sheet.settled:,}"),
            ]
        )
        paper.section("Both sides")
        apart = sheet.ours_sum - sheet.theirs_sum
        paper.table(
            _SUMS,
            [
                ("On our record", f"{sheet.ours:,}", str(sheet.ours_sum)),
                ("On the gateway’s list", f"{sheet.theirs:,}", str(sheet.theirs_sum)),
            ],
            total=("Difference", _signed(sheet.ours - sheet.theirs), str(apart)),
        )
        paper.section("What differs")
        if sheet.lines:
            paper.table(_LINES, [_cells_of(line, sheet.zone) for line in sheet.lines], size=8.5)
        else:
            paper.words("Nothing. Both sides agree, payment by payment.")
        paper.signatures("Supervisor, date", "Checked by, date")
        if sheet.heads:
            paper.small_print(
                "Witness of the audit trail: whose lines, how many, and the hash of the last",
                [(name, f"{many:,}", code) for name, many, code in sheet.heads],
            )

    return draw(head, body)


def _cells_of(line: DayLine, zone: str) -> tuple[str, ...]:
    what = f"{line.member_name}: {line.words}" if line.member_name else line.words
    names = " ".join(part for part in (line.receipt, line.gateway_id) if part)
    cleared = "not yet"
    if line.cleared_by:
        at = f" {moment_words(line.cleared_at, zone)}" if line.cleared_at is not None else ""
        said = f": {line.cleared_words}" if line.cleared_words else ""
        cleared = f"{line.cleared_by}{at}{said}"
    return (what, names, _amount(line.ours), _amount(line.theirs), cleared)


def _amount(amount: Money | None) -> str:
    return "none" if amount is None else str(amount)


def _signed(count: int) -> str:
    return f"−{-count:,}" if count < 0 else f"{count:,}"
