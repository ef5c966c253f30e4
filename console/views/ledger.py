"""The sheet of an account's ledger: every sum that made its balance, the newest first."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from console.background import Background
from console.domain import times
from console.domain.money import Money
from console.domain.spreadsheets import safe_cell
from console.services import payments
from console.services.changes import EVERYTHING
from console.services.payments import LedgerRow
from console.views import theme
from console.views.sheet import Sheet
from console.views.tables import Column, RowTable
from console.views.widgets import Button, EmptyPlace, Words, act, muted, row

TABLE_HIGH, BESIDE_TABLE = 380, 200
"""How high the table is, and what the sheet needs beside it, in pixels at 100 % text."""


class LedgerSheet(Sheet):
    """Shows an account's lines with the balance after each, and copies them as CSV."""

    def __init__(self, over: QWidget, background: Background, account_number: str) -> None:
        super().__init__(over, f"Ledger of account {account_number}", wide=860)
        self.background = background
        self._number = account_number
        self._rows: tuple[LedgerRow, ...] = ()
        self.balance = Words("", "strong")
        self.count = muted("")
        self.table: RowTable[LedgerRow] = RowTable(
            self._columns(),
            lambda line: line.id,
            name="Ledger",
            empty=EmptyPlace("history", "Nothing stands in this ledger yet."),
            sortable=False,
        )
        self.body.addLayout(row(self.balance, 0, self.count))
        self.body.addWidget(self.table)
        self.copy = act(
            self, "Copy as CSV", self._on_copy, key="Ctrl+Shift+C", icon="copy", listed=False,
            more="Copies every line, to be pasted into a spreadsheet.",
        )  # fmt: skip
        self.copy_button = self.add_button(Button(self.copy))
        self.close_button = self.add_cancel("Close")
        self.table.setFocus()
        background.changed.connect(self._on_changed)
        theme.current().changed.connect(self._measure)
        self._measure()
        self.load()

    def load(self) -> None:
        """Ask for the ledger as it stands now."""
        self.background.ask(payments.ledger, self._number).then(self, self.show_ledger)

    def show_ledger(self, rows: Sequence[LedgerRow]) -> None:
        """Show the lines; what came since lights up."""
        self._rows = tuple(rows)
        self.clear_problem()
        self.balance.setText(f"Balance {rows[0].balance}" if rows else "")
        many = len(rows)
        self.count.setText("1 line" if many == 1 else f"{many:,} lines")
        self.table.show_rows(rows)
        self.copy.setEnabled(bool(rows))

    def as_csv(self) -> str:
        """Write the lines as a spreadsheet takes them."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("day", "kind", "words", "amount", "balance"))
        for line in self._rows:
            writer.writerow(
                (
                    line.day.isoformat(), line.kind, safe_cell(line.words),
                    _plain(line.amount), _plain(line.balance),
                )
            )  # fmt: skip
        return out.getvalue()

    def _columns(self) -> tuple[Column[LedgerRow], ...]:
        desk = self.background.desk

        def day(line: LedgerRow) -> str:
            return times.day(line.day, times.day_of(desk.now(), desk.settings.zone))

        return (
            Column("Day", day, width=120, least=110),
            Column("Kind", lambda line: line.kind, width=150, bold=True),
            Column("What", lambda line: line.words, stretch=True, hint=lambda line: line.words),
            Column(
                "Amount", lambda line: line.amount, align="right", width=120,
                tone=lambda line: "good" if line.amount < Money(0) else "ink",
            ),
            Column("Balance", lambda line: line.balance, align="right", width=120, least=110),
        )  # fmt: skip

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.as_csv())
        many = len(self._rows)
        self.count.setText("1 line copied" if many == 1 else f"{many:,} lines copied")

    def _on_changed(self, changed: frozenset[str]) -> None:
        if f"account:{self._number}" in changed or EVERYTHING in changed:
            self.load()

    def _measure(self) -> None:
        look, over = theme.current(), self.parentWidget()
        room = over.height() - look.px(BESIDE_TABLE) if over is not None else look.px(TABLE_HIGH)
        self.table.setFixedHeight(max(look.px(120), min(look.px(TABLE_HIGH), room)))


def _plain(amount: Money) -> str:
    sign = "-" if amount.cents < 0 else ""
    return f"{sign}{abs(amount.cents) // 100}.{abs(amount.cents) % 100:02}"
