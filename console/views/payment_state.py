"""How a payment stands: live while it is not known, and its receipt once it is paid."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from console.domain import phones, times
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.services.desk import Desk
from console.services.payments import PaymentStatus, ShareRow
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import (
    Badge,
    Button,
    CopyableValue,
    Field,
    Notice,
    Words,
    column,
    line_edit,
    muted,
    row,
)

STATES = {
    PaymentState.INTENT: ("Not sent yet", "hourglass", "muted"),
    PaymentState.SENDING: ("Being asked", "send", "muted"),
    PaymentState.UNKNOWN: ("Not known yet", "hourglass", "warn"),
    PaymentState.CHARGED: ("Paid", "check-circle", "good"),
    PaymentState.DECLINED: ("Declined", "cross-circle", "bad"),
    PaymentState.REVIEW: ("To be reviewed", "eye", "bad"),
    PaymentState.ABANDONED: ("Not sent", "minus", "muted"),
}
"""Each state: its word, its icon and the tone that says the same."""

NOT_KNOWN = "Not known yet. Do not take it again."
_BY_ITSELF = "It is being checked by itself. You can close this; the member’s page shows it."


def open_in_browser(url: str) -> None:
    """Open an address in the web browser of this machine."""
    QDesktopServices.openUrl(QUrl(url))


class PaymentStateView(QWidget):
    """Shows one payment as it stands."""

    print_wanted = Signal()
    email_wanted = Signal(str)
    """To this address."""
    read_out_wanted = Signal()

    def __init__(self, desk: Desk, open_url: Callable[[str], None]) -> None:
        super().__init__()
        self._desk, self._open_url = desk, open_url
        self.status: PaymentStatus | None = None
        self.amount = Words("", "figure")
        self.badge = Badge("hourglass", "", "muted")
        self.by = Words("", "text", "muted", wrap=True)
        self.notice = Notice("hourglass", "", "warn")
        self.loud = Words(NOT_KNOWN, "title", "warn", wrap=True)
        self.loud.hide()
        self.words = Words("", "strong", wrap=True)
        self.words.setAccessibleName("How the payment stands")
        self.asked = Words("", "label", wrap=True)
        self.change = Words("", "title")
        self.number = CopyableValue("Receipt number", mono=True)
        self._shares = QWidget()
        self._grid = QGridLayout(self._shares)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(3 * GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._make_page()
        self._make_receipt()
        self.setLayout(
            column(
                row(self.amount, self.badge, 0, gap=2 * GRID), self.by, self.loud, self.words,
                self.notice,
                self.change, self._shares, self.page, self.number, self.receipt, self.asked,
                gap=12,
            )
        )  # fmt: skip

    def show_status(self, status: PaymentStatus) -> None:
        """Show a payment as it stands now."""
        first, same = self.status is None, self.status == status
        self.status = status
        if same:
            return  # looked at every second, it must not flicker, nor lose the keys
        word, icon, tone = STATES[status.state]
        waits = bool(status.page_url) and status.state.is_open
        if waits:
            word, icon, tone = "Page open", "web", "accent"
        if status.returned:
            word, icon, tone = "Came back", "undo", "bad"
        self.amount.setText(str(status.amount))
        self.badge.show_state(icon, word, tone)
        self.by.setText(f"{status.method_words} · {status.member_name}")
        self._show_words(status, waits=waits)
        self._show_shares(status)
        self._show_page(status, waits=waits)
        self._show_paid(status, first=first)
        when = times.when(status.asked_at, self._desk.now(), self._desk.settings.zone)
        self.asked.setText(f"Asked for {when} by {status.asked_by}.")

    def show_read_out(self, words: str) -> None:
        """Show the words of the receipt to be read out."""
        self.spoken.setText(words)
        self.quote.show()

    # How it is put together

    def _make_page(self) -> None:
        self.open_page = Button("Open the page", "primary", icon="external")
        self.copy_link = Button("Copy the link", icon="copy")
        self.until = muted("", wrap=True)
        self.page = QWidget()
        layout = row(self.open_page, self.copy_link, self.until, gap=12)
        layout.setStretch(2, 1)
        self.page.setLayout(layout)
        self.page.hide()
        self.open_page.clicked.connect(self._on_open)
        self.copy_link.clicked.connect(self._on_copy)

    def _make_receipt(self) -> None:
        self.print_button = Button("Print", icon="print")
        self.email_button = Button("E-mail", icon="mail")
        self.read_out_button = Button("Read out", icon="speak")
        self.email_to = line_edit("name@example.com", spoken="E-mail the receipt to", longest=254)
        self.sent = Words("", "text", "good", wrap=True)
        self.sent.hide()
        self.quote = QFrame()
        theme.role(self.quote, "quote")
        self.spoken = Words("", "strong", wrap=True).selectable()
        said = column(self.spoken)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.quote.setLayout(said)
        self.quote.hide()
        self.receipt = QWidget()
        field = Field("Receipt by e-mail to", self.email_to)
        buttons = row(self.print_button, self.read_out_button, 0)
        mail = row(field, self.email_button)
        mail.setStretch(0, 1)
        mail.setAlignment(self.email_button, Qt.AlignmentFlag.AlignBottom)
        self.receipt.setLayout(column(buttons, mail, self.sent, self.quote, gap=12))
        self.receipt.hide()
        self.print_button.clicked.connect(self.print_wanted)
        self.read_out_button.clicked.connect(self.read_out_wanted)
        self.email_button.clicked.connect(self._on_email)

    def _show_words(self, status: PaymentStatus, *, waits: bool) -> None:
        state = status.state
        self.notice.hide()
        self.loud.setVisible(state is PaymentState.UNKNOWN and not waits)
        # The badge says already that it is paid.
        plain = state is PaymentState.CHARGED and status.words == STATES[state][0] + "."
        self.words.setVisible(bool(status.returned) or not plain)
        self.words.say(status.words, "ink")
        if state is PaymentState.UNKNOWN and not waits:
            self.words.hide()
            self.notice.say(_BY_ITSELF, "hourglass", "warn")
        elif state is PaymentState.REVIEW:
            self.notice.say(
                "Do not take it again. A supervisor finds out at the gateway whether it was taken.",
                "eye", "bad",
            )  # fmt: skip
        elif status.returned:
            self.words.say(status.returned, "bad")
        elif state is PaymentState.DECLINED:
            self.words.say(status.words, "bad")
        elif waits and status.way is PaymentWay.LINK:
            to = status.link_to if "@" in status.link_to else phones.display(status.link_to)
            self.words.say(f"The pay link for {to} is open. Nothing was paid on it yet.")

    def _show_shares(self, status: PaymentStatus) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        paid = status.state is PaymentState.CHARGED
        for line, share in enumerate(status.shares):
            self._grid.addWidget(Words(f"Account {share.account_number}", "bold"), line, 0)
            self._grid.addWidget(_right(str(share.amount)), line, 1)
            if paid:
                self._grid.addWidget(_right(_balance_words(share)), line, 2)

    def _show_page(self, status: PaymentStatus, *, waits: bool) -> None:
        self.page.setVisible(waits)
        until = status.page_expires_at
        if waits and until is not None:
            when = times.when(until, self._desk.now(), self._desk.settings.zone)
            self.until.setText(f"open until {when}")

    def _show_paid(self, status: PaymentStatus, *, first: bool) -> None:
        paid = status.state is PaymentState.CHARGED
        self.receipt.setVisible(paid)
        self.number.setVisible(paid)
        self.number.show_value(status.receipt_number)
        if first:
            self.email_to.setText(status.receipt_to)
        change = status.change if paid else None
        self.change.setVisible(change is not None)
        if change is not None:
            none = change == Money(0)
            self.change.setText("No change to hand out" if none else f"Hand out {change} change")
        if paid and status.receipt_to and not self.sent.text():
            self.say_sent(f"The receipt goes to {status.receipt_to}.")

    def say_sent(self, words: str) -> None:
        """Say where a receipt is on its way to."""
        self.sent.setText(words)
        self.sent.setVisible(bool(words))

    # What happens

    def _on_open(self) -> None:
        if self.status is not None and self.status.page_url:
            self._open_url(self.status.page_url)

    def _on_copy(self) -> None:
        if self.status is not None and self.status.page_url:
            QGuiApplication.clipboard().setText(self.status.page_url)
            self.copy_link.setText("Copied")
            self.copy_link.show_icon("check")

    def _on_email(self) -> None:
        self.email_wanted.emit(self.email_to.text().strip())


def _right(text: str) -> Words:
    words = Words(text)
    words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return words


def _balance_words(share: ShareRow) -> str:
    if share.balance < Money(0):
        return f"now a credit of {-share.balance}"
    if share.balance == Money(0):
        return "owes nothing now"
    return f"owes {share.balance} now"
