"""The Payments place: what is not known yet, every payment by filters, and the day's money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import QDate, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.background import Background, DatabaseAway
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.payments import PaymentWay
from console.services import payment_list
from console.services.desk import Desk
from console.services.payment_list import Asked, PaymentPage, PaymentRow, Standing
from console.views import theme, toasts
from console.views.arrangements import ArrangementsWorklist
from console.views.audit import DayField
from console.views.autopay import AutoPayTroubles
from console.views.drawers import DrawersScreen
from console.views.payment_sheet import PaymentSheet
from console.views.reconciliation import ReconciliationPanel
from console.views.reviews import ReviewsPanel
from console.views.screen import Screen
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    EmptyPlace,
    FlowLayout,
    Words,
    act,
    label,
    line_edit,
    row,
    title,
)

PAUSE_MILLISECONDS = 250
LOOK_AGAIN_MILLISECONDS = 3_000
"""Other desks take payments too; what became of them is seen without a press."""
DAYS_SHOWN = 30

STANDINGS = {
    Standing.OPEN: ("hourglass", "warn"),
    Standing.PAID: ("check-circle", "good"),
    Standing.RETURNED: ("undo", "bad"),
    Standing.DECLINED: ("cross-circle", "bad"),
    Standing.REVIEW: ("eye", "bad"),
    Standing.NOT_SENT: ("minus", "muted"),
}


@dataclass(frozen=True)
class Tab:
    """One tab of the place."""

    word: str
    icon: str
    make: Callable[[Background], Screen]


class PaymentsScreen(QWidget):
    """Turns between the tabs; each is built when it is first looked at."""

    open_member = Signal(int, str)
    """A member at one of their accounts."""

    def __init__(self, background: Background, tabs: Sequence[Tab] = ()) -> None:
        super().__init__()
        self.setAccessibleName("Payments")
        self.background = background
        tabs = tabs or TABS
        self._tabs = {tab.word: tab for tab in tabs}
        self.tab_buttons: dict[str, Button] = {}
        self.made: dict[str, Screen] = {}
        self.stack = QStackedWidget()
        group = QButtonGroup(self)
        strip = QWidget()
        flow = FlowLayout(strip)
        for tab in tabs:
            button = Button(tab.word, "chip", icon=tab.icon)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, word=tab.word: self.turn_to(word))
            group.addButton(button)
            flow.addWidget(button)
            self.tab_buttons[tab.word] = button
        head = row(title("Payments"), strip, gap=3 * GRID)
        head.setStretch(1, 1)
        head.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self.stack, 1)
        self.turn_to(tabs[0].word)

    def turn_to(self, word: str) -> Screen:
        """Turn to a tab."""
        if word not in self.made:
            made = self._tabs[word].make(self.background)
            made.page.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
            for name in ("open_member", "member_wanted"):
                if (wanted := getattr(made, name, None)) is not None:
                    wanted.connect(self.open_member)
            self.made[word] = made
            self.stack.addWidget(made)
        screen = self.made[word]
        self.tab_buttons[word].setChecked(True)
        self.stack.setCurrentWidget(screen)
        self.setFocusProxy(screen)
        screen.load()
        return screen

    def load(self) -> None:
        """Ask for what the tab in front shows."""
        self.turn_to(next(word for word, made in self.made.items() if made is self.front))

    @property
    def front(self) -> QWidget | None:
        """The tab that is looked at."""
        return self.stack.currentWidget()


class PaymentsList(Screen):
    """What both lists of payments share: the table, opening a row, and looking again."""

    open_member = Signal(int, str)
    shows = frozenset({"Payment", "PaymentReturn"})

    def __init__(self, background: Background, name: str, empty: EmptyPlace) -> None:
        super().__init__(background)
        self.setAccessibleName(name)
        self.empty = empty
        self._awaiting = False
        self._read = False
        self.table: RowTable[PaymentRow] = RowTable(
            _columns(background.desk), lambda line: line.id, name=name, empty=empty
        )
        self.table.opened.connect(self._on_open)
        self.show_payment = act(
            self, "Show this payment", lambda: self._on_open(self.table.current_row()), icon="eye",
            more="How it stands, its receipt, and what can still be done about it.",
        )  # fmt: skip
        self.go_to_member = act(
            self, "Open the member", self._on_member, key="Ctrl+Shift+M", icon="person"
        )
        self.table.turned_to.connect(self._on_turn)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN_MILLISECONDS)
        self._clock.timeout.connect(self._look_again)
        self.setFocusProxy(self.table)
        self._on_turn(None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def show_unread(self, problem: ConsoleError) -> None:
        """Keep what could still be read, or say in its place why there is nothing to see."""
        self._awaiting = False
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)
        elif not self._read:
            self.empty.say(
                "This list cannot be read just now.",
                "It comes by itself as soon as the database answers.",
                "offline",
            )
            self.table.show_rows([], light=False)

    def _look_again(self) -> None:
        if not self._awaiting:
            self.load()

    def _on_turn(self, line: PaymentRow | None) -> None:
        self.show_payment.setEnabled(line is not None)
        self.go_to_member.setEnabled(line is not None)

    def _on_open(self, line: PaymentRow | None) -> None:
        if line is None:
            return
        sheet = PaymentSheet(
            self,
            self.background,
            member_id=line.member_id,
            member_name=line.member_name,
            payment_id=line.id,
        )
        # Another way is tried with the member's page open, where it is seen who calls.
        sheet.again_wanted.connect(lambda _: self._go_to(line))
        sheet.open()

    def _on_member(self) -> None:
        line = self.table.current_row()
        if line is not None:
            self._go_to(line)

    def _go_to(self, line: PaymentRow) -> None:
        self.open_member.emit(line.member_id, line.accounts[0] if line.accounts else "")


class OpenPayments(PaymentsList):
    """Every payment that is not known for good yet, on every desk, the oldest first."""

    _NOTHING = (
        "Every payment is known.",
        "What is sent and not answered yet stands here until it is known for good.",
    )

    def __init__(self, background: Background) -> None:
        super().__init__(
            background, "Open payments", EmptyPlace("check-circle", *self._NOTHING[:1])
        )
        self.count = Words("", "text", "muted")
        buttons = (Button(self.go_to_member), Button(self.show_payment))
        self.page.insertLayout(0, row(self.count, 0, *buttons))
        self.page.addWidget(self.table, 1)

    def load(self) -> None:
        """Ask for what is open now."""
        self._awaiting = True
        self.background.ask(payment_list.open_now).latest(
            self, self.show_open, failed=self.show_unread
        )

    def show_open(self, rows: Sequence[PaymentRow]) -> None:
        """Show what is open; what is known goes by itself."""
        self._awaiting, self._read = False, True
        self.clear_problem()
        self.empty.say(*self._NOTHING, "check-circle")
        many = len(rows)
        review = sum(line.standing is Standing.REVIEW for line in rows)
        said = "Nothing open" if not many else f"{many:,} open"
        self.count.setText(f"{said}, {review:,} to be reviewed" if review else said)
        self.table.show_rows(rows)


class AllPayments(PaymentsList):
    """Every payment, narrowed down; counted and added up, and exported as CSV."""

    def __init__(self, background: Background) -> None:
        super().__init__(background, "All payments", EmptyPlace("payments", "No payment fits."))
        self._shown: Asked | None = None
        self.export = act(
            self, "Export to a file", self._on_export, key="Ctrl+Shift+E", icon="external",
            more="Writes every payment of these filters as CSV; the trail says that you did.",
        )  # fmt: skip
        may = payment_list.may_export(background.desk)
        self.export.setEnabled(may)
        if not may:
            self.export.setStatusTip("Clerks, supervisors, auditors and administrators export.")
        self.narrow_down = act(self, "Narrow the payments down", self._on_find, key="Ctrl+F",
                        icon="filter")  # fmt: skip
        self._make_filters()
        self.count, self.sum = Words("", "text", "muted"), Words("", "strong")
        filters = QWidget()
        flow = FlowLayout(filters)
        for part in (self.text, self.days, self.way, self.standing, self.person):
            flow.addWidget(part)
        self.page.insertWidget(0, filters)
        self.page.addWidget(self.table, 1)
        self.page.addLayout(
            row(self.count, self.sum, 0, Button(self.go_to_member, show_key=False),
                Button(self.show_payment), Button(self.export, show_key=False), gap=2 * GRID)
        )  # fmt: skip

    @property
    def asked(self) -> Asked:
        """What the list is narrowed to."""
        way, standing = self.way.currentData(), self.standing.currentData()
        return Asked(
            first=_day_in(self.first_day),
            last=_day_in(self.last_day),
            way=PaymentWay(way) if way else None,
            standing=Standing(standing) if standing else None,
            staff=str(self.person.currentData() or ""),
            text=self.text.text().strip(),
        )

    def load(self) -> None:
        """Ask for the newest payments of what is narrowed to."""
        self._awaiting = True
        self.background.ask(payment_list.page, self.asked).latest(
            self, self.show_page, failed=self.show_unread
        )

    def show_page(self, page: PaymentPage) -> None:
        """Show the newest payments, and what all of them come to."""
        self._awaiting, self._read = False, True
        self.clear_problem()
        asked = self.asked
        self.empty.say("No payment fits.", "Choose other days, or fewer filters.", "payments")
        self.table.show_rows(page.rows, question=asked, light=asked == self._shown)
        self._shown = asked
        many = "1 payment" if page.count == 1 else f"{page.count:,} payments"
        first = len(page.rows)
        self.count.setText(many if first == page.count else f"the newest {first:,} of {many}")
        self.sum.setText(f"{page.paid_sum} paid" if page.paid else "")
        self.sum.setToolTip(f"{page.paid:,} were paid and stand.")

    def show_people(self, people: Sequence[tuple[str, str]]) -> None:
        """Offer everybody who may have taken a payment."""
        chosen = self.person.currentData()
        self.person.blockSignals(True)
        self.person.clear()
        self.person.addItem("Everybody", "")
        for login, name in people:
            self.person.addItem(name, login)
        self.person.setCurrentIndex(max(0, self.person.findData(chosen)))
        self.person.blockSignals(False)

    def export_to(self, file: Path) -> None:
        """Write what the list is narrowed to into a file."""
        self.background.ask(payment_list.export, self.asked, file).then(
            self, lambda many: self._say_exported(many, file), busy=[self.export]
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.background.ask(payment_list.people).then(
            self, self.show_people, failed=lambda _: None, quiet=True
        )

    def _make_filters(self) -> None:
        desk = self.background.desk
        today = times.day_of(desk.now(), desk.settings.zone)
        self.first_day, self.last_day = DayField("From day"), DayField("To day")
        for field, day in (
            (self.first_day, today - timedelta(days=DAYS_SHOWN - 1)),
            (self.last_day, today),
        ):
            field.setDate(QDate(day.year, day.month, day.day))
        self.days = QWidget()
        self.days.setLayout(
            row(label("From", self.first_day), self.first_day, label("to", self.last_day),
                self.last_day)
        )  # fmt: skip
        self.way, self.standing, self.person = (QComboBox() for _ in range(3))
        for choice, spoken in (
            (self.way, "Which way"), (self.standing, "Which state"), (self.person, "Whose"),
        ):  # fmt: skip
            choice.setAccessibleName(spoken)
            choice.setMinimumContentsLength(9)
        self.way.addItem("Any way", "")
        for way in PaymentWay:
            self.way.addItem(way.words, way.value)
        self.standing.addItem("Any state", "")
        for standing in Standing:
            self.standing.addItem(standing.words, standing.value)
        self.person.addItem("Everybody", "")
        self.text = line_edit(
            "Name, account, receipt or amount", spoken="Narrow the payments down", longest=100
        )
        self.text.setClearButtonEnabled(True)
        self.text.setMinimumWidth(theme.current().px(220))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self.load)
        self.text.textChanged.connect(lambda _: self._pause.start())
        for field in (self.first_day, self.last_day):
            field.dateChanged.connect(lambda _: self._pause.start())
        for choice in (self.way, self.standing, self.person):
            choice.currentIndexChanged.connect(lambda _: self.load())

    def _on_find(self) -> None:
        self.text.setFocus()
        self.text.selectAll()

    def _on_export(self) -> None:
        asked = self.asked
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export the payments", f"payments-{asked.first}-{asked.last}.csv",
            "CSV files (*.csv)",
        )  # fmt: skip
        if chosen:
            self.export_to(Path(chosen))

    def _say_exported(self, many: int, file: Path) -> None:
        payments = "One payment was" if many == 1 else f"{many:,} payments were"
        toasts.say_written(self, payments, file)


def _columns(desk: Desk) -> tuple[Column[PaymentRow], ...]:
    def when(at: Any) -> str:
        return times.when(at, desk.now(), desk.settings.zone)

    return (
        Column(
            "State", lambda line: line.standing, lambda one: one.words, width=150, least=140,
            icon=lambda line: STANDINGS[line.standing][0],
            tone=lambda line: STANDINGS[line.standing][1],
        ),
        Column("Asked", lambda line: line.asked_at, when, width=140, least=126,
               second=lambda line: f"by {line.asked_by}"),
        Column(
            "Member", lambda line: line.member_name, width=200, least=150, bold=True,
            second=lambda line: ", ".join(line.accounts),
            hint=lambda line: f"{line.member_name}: {', '.join(line.accounts)}",
        ),
        Column("Amount", lambda line: line.amount, align="right", width=110, least=96),
        Column(
            "Paid with", lambda line: line.method_words, stretch=True, least=200,
            second=lambda line: line.words, hint=lambda line: line.words,
        ),
        Column("Receipt", lambda line: line.receipt_number, width=130, least=120, spare=True),
    )  # fmt: skip


def _day_in(field: DayField) -> Any:
    return field.date().toPython()


TABS: tuple[Tab, ...] = (
    Tab("Open payments", "hourglass", OpenPayments),
    Tab("All payments", "payments", AllPayments),
    Tab("Drawer", "unlock", DrawersScreen),
    Tab("Arrangements", "calendar", ArrangementsWorklist),
    Tab("Auto Pay", "refresh", AutoPayTroubles),
    Tab("Review", "scales", ReviewsPanel),
    Tab("Reconciliation", "compare", ReconciliationPanel),
)
"""The tabs in their order; a screen that is made from its background adds its line here."""
