"""A member's payments on the member page: what is not known yet, and what was paid last."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.masking import HIDDEN_MONEY
from console.domain.payments import PaymentState
from console.services import payments
from console.services.changes import EVERYTHING
from console.services.payments import PaymentStatus
from console.views.payment_state import STATES
from console.views.theme import GRID
from console.views.widgets import Button, Card, Mark, Notice, Words, act, heading, muted, row

MOST_SHOWN = 4


class MemberPayments(Card):
    """Lists the last payments; what is under way goes into `open_box`, at the top of the page."""

    payment_wanted = Signal()
    """A payment is to be taken."""
    ledger_wanted = Signal()
    opened = Signal(str)
    """This payment is to be shown."""

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__(gap=12)
        self.setAccessibleName("Payments")
        self.background = background
        self._member_id = member_id
        self._masked = True
        self._found: tuple[PaymentStatus, ...] = ()
        self._shown = False
        self.take = act(
            self, "Take a payment", self.payment_wanted.emit, key="F4", icon="payments",
            more="Amounts, the way it is paid, and what is read back.",
        )  # fmt: skip
        self.ledger = act(
            self, "Open the ledger", self.ledger_wanted.emit, key="Ctrl+Shift+L", icon="history",
            more="Every bill, payment and return of this account, with the balance after each.",
        )  # fmt: skip
        # Who only looks takes no money.
        self.take.setEnabled(background.desk.colleague.role.changes_the_file)
        self.ledger_button = Button(self.ledger, "plain")
        self.note = muted("", wrap=True)
        self.open_lines: list[tuple[Notice, Button]] = []
        self.open_box = QWidget()
        self.open_box.setAccessibleName("Payments under way")
        self._open = QVBoxLayout(self.open_box)
        self._open.setContentsMargins(0, 0, 0, 0)
        self._open.setSpacing(6)
        self.open_box.hide()
        self._list = QWidget()
        self._grid = QGridLayout(self._list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self.lines: list[Button] = []
        self.body.addLayout(row(heading("Payments"), 0, self.ledger_button))
        self.body.addWidget(self._list)
        self.body.addWidget(self.note)
        background.changed.connect(self._on_changed)

    def load(self) -> None:
        """Ask for the member's payments as they stand now."""
        self.background.ask(payments.of_member, self._member_id, MOST_SHOWN + 4).then(
            self, self.show_payments, failed=self.show_problem, quiet=True
        )

    def show_masked(self, masked: bool) -> None:
        """Hide the sums while nobody has verified the caller."""
        if masked != self._masked:
            self._masked = masked
            self._show_all()
        self.ledger.setEnabled(not masked)

    def show_payments(self, found: Sequence[PaymentStatus]) -> None:
        """Show what is under way at the top, then the last payments."""
        if self._found != tuple(found) or not self._shown:
            self._found, self._shown = tuple(found), True
            self._show_all()

    def show_problem(self, _problem: ConsoleError) -> None:
        """Keep what was last known; the banner says that the database is away."""

    def _show_all(self) -> None:
        found = self._found
        _empty(self._open)
        _empty(self._grid)
        self.open_lines, self.lines = [], []
        rest = []
        for one in found:
            if one.state.is_open:
                self._add_open(one)
            else:
                rest.append(one)
        for place, one in enumerate(rest[:MOST_SHOWN]):
            self._add_line(place, one)
        self.open_box.setVisible(bool(self.open_lines))
        self._list.setVisible(bool(rest))
        self.note.setText("" if found else "No payment was taken here yet.")
        self.note.setVisible(not found)

    def _add_open(self, one: PaymentStatus) -> None:
        desk = self.background.desk
        at = times.when(one.asked_at, desk.now(), desk.settings.zone).removeprefix("today ")
        notice = Notice("hourglass", "", "warn")
        if one.state is PaymentState.REVIEW:
            state, icon = "must be reviewed by a supervisor", "eye"
        elif one.page_url:
            state, icon = "waits on the gateway’s page", "web"
        else:
            state, icon = "not known yet", "hourglass"
        notice.say(f"{self._sum(one)} {state}, asked {at} by {one.asked_by}.", icon, "warn")
        show = Button("Show it", icon="eye")
        show.setAccessibleName(f"Show the payment of {self._sum(one)}")
        show.clicked.connect(lambda: self.opened.emit(one.id))
        box = QWidget()
        line = row(notice, show)
        line.setStretch(0, 1)
        box.setLayout(line)
        self._open.addWidget(box)
        self.open_lines.append((notice, show))

    def _add_line(self, place: int, one: PaymentStatus) -> None:
        desk = self.background.desk
        word, icon, tone = ("Came back", "undo", "bad") if one.returned else STATES[one.state]
        when = times.when(one.finished_at or one.asked_at, desk.now(), desk.settings.zone)
        amount = Words(self._sum(one), "bold")
        amount.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        how = Words(one.method_words, "text", "muted")
        how.setMinimumWidth(1)
        how.setToolTip(one.words)
        show = Button("Show", "plain")
        show.setAccessibleName(f"Show the payment of {self._sum(one)}, {when}")
        show.clicked.connect(lambda: self.opened.emit(one.id))
        for across, part in enumerate((muted(when), amount, how, Mark(icon, word, tone), show)):
            self._grid.addWidget(part, place, across)
        self.lines.append(show)

    def _sum(self, one: PaymentStatus) -> str:
        return HIDDEN_MONEY if self._masked else str(one.amount)

    def _on_changed(self, changed: frozenset[str]) -> None:
        if EVERYTHING in changed or f"member:{self._member_id}" in changed:
            self.load()


def _empty(layout: QVBoxLayout | QGridLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()
