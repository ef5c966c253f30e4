"""The reconciliation tab: each day's sheet, what differs on it, and clearing that with words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import QDate, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from console.background import Background, DatabaseAway
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.reconciliation import Mismatch
from console.services import reconciliation
from console.services.reconciliation import LineRow, SheetRow
from console.services.reconciliation import Sheet as DaySheet
from console.views.audit import DayField
from console.views.screen import Screen
from console.views.sheet import Sheet
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Button,
    EmptyPlace,
    Field,
    Notice,
    Waiting,
    Words,
    act,
    column,
    heading,
    muted,
    row,
)

KINDS = {
    Mismatch.NOT_THERE: ("cross-circle", "bad"),
    Mismatch.NOT_HERE: ("alert", "bad"),
    Mismatch.NOT_OURS: ("help", "warn"),
    Mismatch.AMOUNT: ("swap", "bad"),
    Mismatch.TWICE: ("copy", "bad"),
    Mismatch.REFUND: ("undo", "warn"),
    Mismatch.RETURNED: ("mail-bounced", "warn"),
    Mismatch.DISPUTED: ("flag", "warn"),
}
_NO_SHEETS = (
    "No day was reconciled yet.",
    "The courier lays each day beside the gateway’s list, soon after midnight.",
)


class ReconciliationPanel(Screen):
    """The days at the left; at the right what differs on the one under the cursor."""

    open_member = Signal(int, str)
    """A member; the account is left open."""

    shows = frozenset({"Reconciliation", "ReconciliationLine"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Reconciliation")
        self._desk = background.desk
        self._read = False
        self._sheet: DaySheet | None = None
        self._make_head()
        self._make_days()
        self._make_lines()
        halves = row(self.left, self.right, gap=3 * GRID)
        halves.setStretch(0, 5)
        halves.setStretch(1, 6)
        self.page.addLayout(halves, 1)
        self.setFocusProxy(self.days)
        self._show_line(None)

    # What it does

    def load(self) -> None:
        """Ask for the sheets as they stand now."""
        self.background.ask(reconciliation.sheets).latest(
            self, self.show_days, failed=self.show_unread
        )

    def show_days(self, rows: tuple[SheetRow, ...]) -> None:
        """Show the days; the cursor stays on its day."""
        self.clear_problem()
        self._read = True
        self._no_days.say(*_NO_SHEETS, icon="scales")
        self.days.show_rows(rows)
        left = sum(one.open_lines for one in rows)
        self.count.setText(f"{left:,} to clear" if left else "")
        current = self.days.current_row()
        if current is None and rows:
            self.days.turn_to(rows[0].day)
            current = self.days.current_row()
        self._on_day(current)

    def show_sheet(self, sheet: DaySheet) -> None:
        """Show what differs on a day, or the good news that nothing does."""
        current = self.days.current_row()
        if current is None or current.day != sheet.row.day:
            return  # the cursor has moved on meanwhile
        self._sheet = sheet
        desk = self._desk
        self.about.setText(times.calendar_day(sheet.row.day))
        made = times.when(sheet.row.made_at, desk.now(), desk.settings.zone)
        self.made.setText(f"compared {made} by {sheet.row.made_by}")
        agrees = sheet.row.agrees
        self.words.say(
            sheet.words, "check-circle" if agrees else "alert", "good" if agrees else "warn"
        )
        self._no_lines.say(
            "No line differs.",
            f"{sheet.row.ours:,} here and {sheet.row.theirs:,} at the gateway, "
            f"{sheet.row.theirs_sum} each.",
            "check-circle",
        )
        self.lines.show_rows(sheet.lines, question=sheet.row.day)
        if self.lines.current_row() is None and sheet.lines:
            self.lines.turn_to(sheet.lines[0].id)
        self._show_line(self.lines.current_row())

    def show_unread(self, problem: ConsoleError) -> None:
        """Keep what could still be read, or say in its place why there is nothing to see."""
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)
        elif not self._read:
            self._no_days.say(
                "The sheets cannot be read just now.",
                "They come by themselves as soon as the database answers.",
                "offline",
            )
            self.days.show_rows([], light=False)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, and that nothing is awaited any more."""
        self.waiting.end()
        super().show_problem(problem)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    # How it is put together

    def _make_head(self) -> None:
        self.count = muted("")
        self.waiting = Waiting()
        self.day = DayField("Day to reconcile")
        yesterday = times.day_of(self._desk.now(), self._desk.settings.zone) - timedelta(days=1)
        self.day.setDate(QDate(yesterday.year, yesterday.month, yesterday.day))
        self.now = act(
            self, "Reconcile now", self._on_now, key="Ctrl+R", icon="scales",
            more="Lays this day beside the gateway’s list once more; nothing is done twice.",
        )  # fmt: skip
        may = self._desk.gateway is not None and self._desk.colleague.role.gives_back
        self.now.setEnabled(may)
        self.now_button = Button(self.now)
        self.why = muted("" if may else self._why_not())
        head = row(heading("Each day against the gateway"), self.count, 0, self.waiting, self.why)
        for part in (self.day, self.now_button):
            part.setVisible(may)
            head.addWidget(part)
        self.page.addLayout(head)

    def _why_not(self) -> str:
        if self._desk.gateway is None:
            return "The courier does it soon after midnight."
        return "A supervisor can do it at any time."

    def _make_days(self) -> None:
        self._no_days = EmptyPlace("scales", _NO_SHEETS[0], more=_NO_SHEETS[1])
        self.days: RowTable[SheetRow] = RowTable(
            (
                Column(
                    "Day",
                    lambda one: one.day,
                    lambda on: times.day(
                        on, times.day_of(self._desk.now(), self._desk.settings.zone)
                    ),
                    width=100,
                    least=88,
                    bold=True,
                ),
                Column(
                    "Result",
                    _result,
                    stretch=True,
                    least=120,
                    icon=lambda one: "check-circle" if one.agrees else "alert",
                    tone=lambda one: "good" if one.agrees else "warn",
                ),
                Column(
                    "Charges", lambda one: one.theirs, lambda many: f"{many:,}", align="right",
                    width=72, least=64, spare=True,
                ),
                Column(
                    "At the gateway", lambda one: one.theirs_sum, align="right", width=120,
                    least=110,
                ),
            ),
            lambda one: one.day,
            name="Days that were reconciled",
            empty=self._no_days,
        )  # fmt: skip
        self.days.turned_to.connect(self._on_day)
        self.left = QWidget()
        self.left.setLayout(column(self.days))

    def _make_lines(self) -> None:
        self.about, self.made = Words("", "strong"), muted("")
        self.words = Notice("info", "")
        self._no_lines = EmptyPlace("check-circle", "No line differs.")
        self.lines: RowTable[LineRow] = RowTable(
            (
                Column(
                    "What differs",
                    lambda one: one.kind.words,
                    stretch=True,
                    least=160,
                    icon=lambda one: "check" if one.cleared_at else KINDS[one.kind][0],
                    tone=lambda one: "muted" if one.cleared_at else KINDS[one.kind][1],
                    second=_whose,
                    hint=lambda one: one.words,
                ),
                Column(
                    "Here", lambda one: one.ours, _sum, align="right", width=92, least=84
                ),
                Column(
                    "There", lambda one: one.theirs, _sum, align="right", width=92, least=84
                ),
            ),
            lambda one: one.id,
            name="What differs",
            empty=self._no_lines,
        )  # fmt: skip
        self.lines.turned_to.connect(self._show_line)
        self.lines.opened.connect(lambda _: self._on_clear())
        self.said = Words("", wrap=True).selectable()
        self.clear = act(
            self, "Clear this line", self._on_clear, key="Ctrl+Return", icon="check",
            listed=False,
        )  # fmt: skip
        self.clear_button = Button(self.clear, "primary")
        self.member = act(self, "Open the member", self._on_member, icon="person", listed=False)
        self.member_button = Button(self.member)
        self.right = QWidget()
        inside = column(
            row(self.about, self.made, 0),
            self.words,
            self.lines,
            self.said,
            row(self.clear_button, self.member_button, 0),
            gap=12,
        )
        inside.setStretch(2, 1)
        self.right.setLayout(inside)

    # What happens

    def _on_day(self, one: SheetRow | None) -> None:
        self.right.setVisible(one is not None)
        if one is not None:
            self.background.ask(reconciliation.sheet, one.id).latest(self, self.show_sheet)

    def _show_line(self, one: LineRow | None) -> None:
        self.said.setVisible(one is not None)
        for button in (self.clear_button, self.member_button):
            button.setVisible(one is not None)
        if one is None:
            self.clear.setEnabled(False)
            return
        cleared = ""
        if one.cleared_at is not None:
            at = times.when(one.cleared_at, self._desk.now(), self._desk.settings.zone)
            cleared = f" Cleared {at} by {one.cleared_by}: {one.cleared_words}"
        self.said.setText(f"{one.words}{cleared}")
        may = self._desk.colleague.role.gives_back and one.cleared_at is None
        self.clear.setEnabled(may)
        self.clear_button.setVisible(one.cleared_at is None)
        self.member_button.setVisible(one.member_id is not None)

    def _on_now(self) -> None:
        shown = self.day.date()
        self.clear_problem()
        self.waiting.begin("Asking the gateway for its list…")
        self.background.ask(
            reconciliation.reconcile, date(shown.year(), shown.month(), shown.day())
        ).then(self, self._on_reconciled, busy=[self.now_button])

    def _on_reconciled(self, sheet: DaySheet) -> None:
        self.waiting.end()
        say(self, f"{times.calendar_day(sheet.row.day)}: {sheet.words}")
        self.background.ask(reconciliation.sheets).latest(
            self, lambda rows: self._go_to(rows, sheet.row.day)
        )

    def _go_to(self, rows: tuple[SheetRow, ...], day: date) -> None:
        self.show_days(rows)
        self.days.turn_to(day)

    def _on_clear(self) -> None:
        one = self.lines.current_row()
        if one is not None and self.clear.isEnabled() and one.cleared_at is None:
            ClearSheet(self, self.background, one, self._on_cleared).open()

    def _on_cleared(self, sheet: DaySheet) -> None:
        self.show_sheet(sheet)
        self.load()

    def _on_member(self) -> None:
        one = self.lines.current_row()
        if one is not None and one.member_id is not None:
            self.open_member.emit(one.member_id, "")


class ClearSheet(Sheet):
    """Asks what was found out about a line before it is cleared."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        line: LineRow,
        then: Callable[[DaySheet], None],
    ) -> None:
        super().__init__(over, f"Clear “{line.kind.words}”", wide=520)
        self.background = background
        self._line, self._then = line, then
        self.found = QPlainTextEdit()
        self.found.setAccessibleName("What you found")
        self.found.setPlaceholderText("Where you looked, what it was, and what was done about it")
        self.found.setTabChangesFocus(True)
        self.found.setFixedHeight(88)
        self.found.textChanged.connect(self._dress)
        self.body.addWidget(Words(line.words, wrap=True))
        self.body.addWidget(
            Field("What you found", self.found, "Kept on the sheet with your name.")
        )
        self.go = act(self, "Clear it", self._on_go, key="Ctrl+Return", icon="check", listed=False)
        self.add_cancel()
        self.go_button = self.add_button(Button(self.go, "primary"))
        self._dress()
        self.found.setFocus()

    def reject(self) -> None:
        """Close; words that were typed are asked about first."""
        if self.found.toPlainText().strip():
            self.ask_to_leave("The line stays open, and what you typed is forgotten.", self._leave)
            return
        self._leave()

    def _leave(self) -> None:
        super().reject()

    def _dress(self) -> None:
        self.go.setEnabled(bool(self.found.toPlainText().strip()))

    def _on_go(self) -> None:
        self.clear_problem()
        self.background.ask(reconciliation.clear, self._line.id, self.found.toPlainText()).then(
            self, self._on_cleared, busy=[self.go_button]
        )

    def _on_cleared(self, sheet: DaySheet) -> None:
        self._then(sheet)
        self.accept()


def _result(one: SheetRow) -> str:
    if one.agrees:
        return "Agrees"
    return "1 differs" if one.open_lines == 1 else f"{one.open_lines:,} differ"


def _whose(line: LineRow) -> str:
    whose = line.member_name or line.gateway_id
    return f"{whose} · cleared by {line.cleared_by}" if line.cleared_at is not None else whose


def _sum(amount: Money | None) -> str:
    return "–" if amount is None else str(amount)
