"""The sheet of a cash drawer: what was taken, what should be there, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.documents.page import Column, Head, Paper, draw, moment_words
from console.domain.drawers import difference_words
from console.domain.money import Money
from console.domain.times import clock


@dataclass(frozen=True)
class DrawerPayment:
    """A payment that lies in the drawer, in cash or as a cheque."""

    receipt: str
    paid_at: datetime
    member_name: str
    amount: Money
    cheque_number: str = ""
    stands: str = ""
    """What became of it: VOID; its amount is not in the drawer then."""


@dataclass(frozen=True)
class DrawerMovement:
    """Cash that went in or out beside a payment, refunds too; what went out is below zero."""

    moved_at: datetime
    kind_words: str
    words: str
    moved_by: str
    amount: Money


@dataclass(frozen=True)
class DrawerPaper:
    """A drawer's day as its sheet tells it; a drawer that is still open has nothing counted."""

    number: str
    clerk: str
    workstation: str
    coop_name: str
    coop_phone: str
    zone: str
    opened_at: datetime
    opening_cash: Money
    expected_cash: Money
    expected_cheques: int
    expected_cheque_sum: Money
    closed_at: datetime | None = None
    closed_by: str = ""
    cash: tuple[DrawerPayment, ...] = ()
    cheques: tuple[DrawerPayment, ...] = ()
    movements: tuple[DrawerMovement, ...] = ()
    counted: tuple[tuple[int, int], ...] = ()
    """How many there are of each note and coin, by its cents."""
    counted_cash: Money | None = None
    counted_cheques: int | None = None
    counted_cheque_sum: Money | None = None
    explanation: str = ""
    heads: tuple[tuple[str, int, str], ...] = ()
    """The end of each person's chain on the audit trail: whose, how many lines, and its hash."""


_COMPARED = (
    Column("", 24),
    Column("Expected", 20, right=True),
    Column("Counted", 20, right=True),
    Column("Difference", 32, right=True),
)
_CASH = (
    Column("Time", 10),
    Column("Receipt", 22),
    Column("Member", 38),
    Column("", 22),
    Column("Amount", 20, right=True),
)
_CHEQUES = (
    Column("Time", 10),
    Column("Receipt", 22),
    Column("Member", 28),
    Column("", 22),
    Column("Cheque", 14, right=True),
    Column("Amount", 18, right=True),
)
_MOVEMENTS = (
    Column("Time", 10),
    Column("", 18),
    Column("Why", 44),
    Column("By", 22),
    Column("Amount", 20, right=True),
)
_COUNTED = (
    Column("Note or coin", 30, right=True),
    Column("How many", 30, right=True),
    Column("Comes to", 40, right=True),
    Column("", 60),
)


def draw_drawer(drawer: DrawerPaper, printed_at: datetime | None = None) -> bytes:
    """Draw the sheet of a drawer, with room to sign and the witness of the audit trail."""
    head = Head(
        coop_name=drawer.coop_name,
        coop_phone=drawer.coop_phone,
        title="Drawer sheet",
        reference=drawer.number,
        mark="" if drawer.closed_at else "Still open",
        zone=drawer.zone,
        printed_at=printed_at,
    )

    def body(paper: Paper) -> None:
        _write_head(paper, drawer)
        _write_comparison(paper, drawer)
        _write_payments(paper, drawer)
        _write_movements(paper, drawer)
        _write_counted(paper, drawer)
        paper.signatures("Clerk, date", "Supervisor, date")
        if drawer.heads:
            paper.small_print(
                "Witness of the audit trail: whose lines, how many, and the hash of the last",
                [(name, f"{many:,}", code) for name, many, code in drawer.heads],
            )

    return draw(head, body)


def _write_head(paper: Paper, drawer: DrawerPaper) -> None:
    closed = ""
    if drawer.closed_at is not None:
        by = f" by {drawer.closed_by}" if drawer.closed_by else ""
        closed = f"{moment_words(drawer.closed_at, drawer.zone)}{by}"
    paper.rows(
        [
            ("Clerk", drawer.clerk),
            ("Workstation", drawer.workstation),
            ("Opened", moment_words(drawer.opened_at, drawer.zone)),
            ("Closed", closed),
        ]
    )


def _write_comparison(paper: Paper, drawer: DrawerPaper) -> None:
    paper.section("Counted against expected")
    paper.table(
        _COMPARED,
        [
            (
                "Cash",
                str(drawer.expected_cash),
                _money(drawer.counted_cash),
                _difference(drawer.counted_cash, drawer.expected_cash),
            ),
            (
                "Cheques, number",
                f"{drawer.expected_cheques:,}",
                "" if drawer.counted_cheques is None else f"{drawer.counted_cheques:,}",
                _missing(drawer.counted_cheques, drawer.expected_cheques),
            ),
            (
                "Cheques, sum",
                str(drawer.expected_cheque_sum),
                _money(drawer.counted_cheque_sum),
                _difference(drawer.counted_cheque_sum, drawer.expected_cheque_sum),
            ),
        ],
    )
    if drawer.explanation:
        paper.notice(f"Explanation: {drawer.explanation}", "bad")
    _write_how_expected(paper, drawer)


def _write_how_expected(paper: Paper, drawer: DrawerPaper) -> None:
    """Say how the expected cash comes about, or that the lines of this sheet do not add up to it.

    A sheet that is signed must not hide that something is missing on it.
    """
    taken = _sum(drawer.cash)
    moved = Money(sum(movement.amount.cents for movement in drawer.movements))
    parts = [f"{drawer.opening_cash} to begin with", f"{taken} in payments"]
    if drawer.movements:
        parts.append(f"{moved} put in" if moved >= Money(0) else f"{-moved} taken out")
    comes_to = drawer.opening_cash + taken + moved
    paper.words(f"Cash: {', '.join(parts)} makes {comes_to}.", tone="muted", size=9)
    if comes_to != drawer.expected_cash:
        paper.notice(
            f"The lines of this sheet come to {comes_to}, and {drawer.expected_cash} is expected. "
            "Something is missing here; show it to a supervisor before anybody signs.",
            "bad",
        )
    if _sum(drawer.cheques) != drawer.expected_cheque_sum:
        paper.notice(
            f"The cheques of this sheet come to {_sum(drawer.cheques)}, and "
            f"{drawer.expected_cheque_sum} is expected. Show it to a supervisor before anybody "
            "signs.",
            "bad",
        )


def _write_payments(paper: Paper, drawer: DrawerPaper) -> None:
    paper.section("Cash taken")
    if drawer.cash:
        paper.table(
            _CASH,
            [
                (
                    clock(payment.paid_at, drawer.zone),
                    payment.receipt,
                    payment.member_name,
                    _stands(payment),
                    str(payment.amount),
                )
                for payment in drawer.cash
            ],
            total=("", _many(drawer.cash), "", "", str(_sum(drawer.cash))),
        )
    else:
        paper.words("No cash was taken.", tone="muted")
    paper.section("Cheques taken")
    if drawer.cheques:
        paper.table(
            _CHEQUES,
            [
                (
                    clock(payment.paid_at, drawer.zone),
                    payment.receipt,
                    payment.member_name,
                    _stands(payment),
                    payment.cheque_number,
                    str(payment.amount),
                )
                for payment in drawer.cheques
            ],
            total=("", _many(drawer.cheques), "", "", "", str(_sum(drawer.cheques))),
        )
    else:
        paper.words("No cheques were taken.", tone="muted")


def _write_movements(paper: Paper, drawer: DrawerPaper) -> None:
    if not drawer.movements:
        return
    paper.section("Put in and taken out")
    total = Money(sum(movement.amount.cents for movement in drawer.movements))
    paper.table(
        _MOVEMENTS,
        [
            (
                clock(movement.moved_at, drawer.zone),
                movement.kind_words,
                movement.words,
                movement.moved_by,
                str(movement.amount),
            )
            for movement in drawer.movements
        ],
        total=("Total", "", "", "", str(total)),
    )


def _write_counted(paper: Paper, drawer: DrawerPaper) -> None:
    if not drawer.counted:
        return
    paper.section("What was counted in cash")
    total = Money(sum(cents * many for cents, many in drawer.counted))
    paper.table(
        _COUNTED,
        [
            (str(Money(cents)), f"{many:,}", str(Money(cents * many)), "")
            for cents, many in sorted(drawer.counted, reverse=True)
        ],
        total=("", "Total", str(total), ""),
    )


def _money(amount: Money | None) -> str:
    return "not counted" if amount is None else str(amount)


def _difference(counted: Money | None, expected: Money) -> str:
    return "" if counted is None else difference_words(counted, expected).rstrip(".")


def _missing(counted: int | None, expected: int) -> str:
    if counted is None:
        return ""
    if counted == expected:
        return "Counted as expected"
    side = "over" if counted > expected else "short"
    return f"{abs(counted - expected):,} {side}"


def _sum(payments: tuple[DrawerPayment, ...]) -> Money:
    """Add up what lies in the drawer; what is void does not."""
    return Money(sum(payment.amount.cents for payment in payments if not payment.stands))


def _many(payments: tuple[DrawerPayment, ...]) -> str:
    many = sum(1 for payment in payments if not payment.stands)
    return f"{many:,} in all"


def _stands(payment: DrawerPayment) -> str:
    return f"{payment.stands}, not counted" if payment.stands else ""
