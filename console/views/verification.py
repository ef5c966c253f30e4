"""The verify-account e-mail: what became of it, sending it again, and the password rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from uuid import uuid4

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from console.background import Background
from console.domain import passwords, times
from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind, RegistrationState
from console.domain.verification import DeliveryStatus, check_email, may_resend, suggest_email
from console.services import verification
from console.services.changes import EVERYTHING
from console.services.member_page import AccountRow, DeliveryRow, MemberPage, PortalPanel
from console.services.verification import ErrandStatus, TooSoon
from console.views import theme
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    Card,
    Field,
    FlowLayout,
    Mark,
    ProblemLine,
    Words,
    act,
    bring_up,
    column,
    heading,
    label,
    line_edit,
    muted,
    row,
)

MOST_DELIVERIES = 6

DELIVERIES = {
    DeliveryStatus.QUEUED: ("Queued at the portal", "outbox", "muted"),
    DeliveryStatus.SENT: ("Sent", "mail-sent", "muted"),
    DeliveryStatus.DELIVERED: ("Delivered", "check-circle", "good"),
    DeliveryStatus.BOUNCED: ("Came back", "mail-bounced", "bad"),
    DeliveryStatus.OPENED: ("Link opened", "eye", "good"),
}
_ERRANDS = {
    ErrandState.WAITING: ("outbox", "warn"),
    ErrandState.SENDING: ("send", "muted"),
    ErrandState.DONE: ("check-circle", "good"),
    ErrandState.REFUSED: ("cross-circle", "bad"),
    ErrandState.GAVE_UP: ("cross-circle", "bad"),
}


class VerificationPanel(Card):
    """Follows the e-mail of one account's registration."""

    def __init__(self, background: Background) -> None:
        super().__init__(gap=12)
        self.setAccessibleName("Verify-account e-mail")
        self.background = background
        self._page: MemberPage | None = None
        self._account_number = ""
        self._panel: PortalPanel | None = None
        self._call_id: str | None = None
        self._free_at: datetime | None = None
        self._errand = ""
        self._tick = QTimer(self)
        self._tick.setInterval(500)
        self._tick.timeout.connect(self._show_wait)
        self._make_words()
        self._make_actions()
        self._lay_out()
        background.changed.connect(self._on_changed)

    # What it does

    def show_account(self, page: MemberPage, account: AccountRow, call_id: str | None) -> None:
        """Show what is known of this account's e-mails, and ask the portal for the rest."""
        fresh = account.number != self._account_number
        self._page, self._call_id = page, call_id
        self._account_number = account.number
        if fresh:
            self._free_at, self._errand = None, ""
            self.outcome.hide()
            self.problem.say("")
            self.address.clear()
        self.show_panel(account.portal)
        if fresh:
            self.refresh()

    def refresh(self) -> None:
        """Ask the portal afresh."""
        self.background.ask(verification.refresh, self._account_number).then(self, self.show_panel)

    def show_panel(self, panel: PortalPanel) -> None:
        """Show where the registration stands and what became of each e-mail."""
        self._panel = panel
        waiting = panel.state is RegistrationState.AWAITING_VERIFICATION
        self.setVisible(panel.state is not RegistrationState.NONE or bool(panel.deliveries))
        self.words.setText(panel.state_words)
        self.to.setText(f"to {panel.email}" if panel.email and waiting else "")
        self.advice.setText(self._advice(panel))
        self.advice.setVisible(bool(self.advice.text()))
        self._show_deliveries(panel.deliveries, panel.email)
        self.correction.setVisible(waiting)
        self.resend_button.setVisible(waiting)
        self.address_button.setVisible(waiting)
        if not self.address.text():
            self.address.setPlaceholderText(panel.email or "name@example.com")
        self._hint(self.address.text())
        if panel.sent_at is not None:
            throttle = timedelta(seconds=self.background.desk.settings.resend_wait_seconds)
            left = may_resend(panel.sent_at, self.background.desk.now(), throttle)
            if left > timedelta(0):
                self._wait_until(self.background.desk.now() + left)
        self._show_wait()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; the address typed stays."""
        if isinstance(problem, TooSoon):
            seconds = timedelta(seconds=problem.wait_seconds)
            self._wait_until(self.background.desk.now() + seconds)
        self.problem.say(str(problem))

    def show_errand(self, status: ErrandStatus) -> None:
        """Show how far a request has come on its way to the portal."""
        self.problem.say("")
        self._errand = status.id if status.state.is_open else ""
        icon, tone = _ERRANDS[status.state]
        self.outcome.show_mark(icon, status.words, tone)
        self.outcome.show()
        self._show_wait()
        if status.state is ErrandState.DONE:
            throttle = timedelta(seconds=self.background.desk.settings.resend_wait_seconds)
            self._wait_until(self.background.desk.now() + throttle)
            self.address.clear()
            self.refresh()

    def go_to_address(self) -> None:
        """Put the cursor where the address is corrected, with the likely slip mended."""
        if not self.address.text():
            current = self._known_email()
            self.address.setText(suggest_email(current) or current)
        self.address.setFocus()
        self.address.selectAll()
        bring_up(self)

    def open_password_rule(self) -> PasswordSheet:
        """Open the rule to read out, with its checker."""
        sheet = PasswordSheet(self)
        sheet.open()
        return sheet

    # How it is put together

    def _make_words(self) -> None:
        self.words = Words("", wrap=True)
        self.to = muted("")
        self.advice = Words("", wrap=True)
        self.deliveries = QVBoxLayout()
        self.deliveries.setSpacing(4)
        self.delivery_lines: list[QWidget] = []
        self.address = line_edit("name@example.com", spoken="Corrected address", longest=254)
        self.address.textChanged.connect(self._hint)
        self.field = Field("Correct the address", self.address)
        self.hint = Button("", "plain", icon="info")
        self.hint.clicked.connect(self._on_hint)
        self.hint.hide()
        self.outcome = Mark("outbox", "", "muted")
        self.outcome.setWordWrap(True)
        self.outcome.hide()
        self.problem = ProblemLine()

    def _make_actions(self) -> None:
        self.resend = act(
            self, "Send the e-mail again", self._on_resend, key="Ctrl+M", icon="send",
            more="The link in the last e-mail dies.",
        )  # fmt: skip
        self.correct = act(
            self, "Correct and send", self._on_correct, icon="edit", listed=False,
            more="Changes the address at the portal and sends the e-mail there.",
        )  # fmt: skip
        self.go = act(self, "Correct the e-mail address", self.go_to_address, key="Ctrl+D",
                      icon="edit")  # fmt: skip
        self.rule = act(
            self, "Password rule", self.open_password_rule, key="Ctrl+B", icon="key",
            more="To be read out, with a checker that keeps nothing.",
        )  # fmt: skip
        self.address.returnPressed.connect(self.correct.trigger)

    def _lay_out(self) -> None:
        self.resend_button = Button(self.resend, "primary")
        self.address_button = Button(self.go, text="Correct the address")
        buttons = FlowLayout()
        for button in (self.resend_button, self.address_button, Button(self.rule)):
            buttons.addWidget(button)
        self.correction = QWidget()
        line = row(self.field, Button(self.correct), gap=GRID)
        line.setStretch(0, 1)
        self.correction.setLayout(column(line, row(self.hint, 0), gap=4))
        self.body.addLayout(row(heading("Verify-account e-mail"), self.to, 0))
        self.body.addWidget(self.words)
        self.body.addWidget(self.advice)
        self.body.addLayout(self.deliveries)
        self.body.addWidget(self.correction)
        self.body.addWidget(self.outcome)
        self.body.addWidget(self.problem)
        self.body.addLayout(buttons)

    # What happens

    def _advice(self, panel: PortalPanel) -> str:
        portal = self.background.desk.settings.portal_name
        if panel.state is RegistrationState.LOCKED:
            return (
                f"Ask the member to choose “Forgot password” at {portal}; no e-mail of ours helps."
            )
        if panel.kind is CaseKind.EXPIRED:
            return "Send the e-mail again: the link in the last one is dead."
        if panel.kind is CaseKind.BOUNCED:
            return "Correct the address; the e-mail then goes there by itself."
        return ""

    def _known_email(self) -> str:
        """Answer the address the portal has, unless it is hidden until the caller is verified."""
        email = self._panel.email if self._panel else ""
        return "" if "…" in email else email

    def _show_deliveries(self, rows: tuple[DeliveryRow, ...], current: str) -> None:
        for line in self.delivery_lines:
            line.hide()
            line.deleteLater()
        self.delivery_lines = []
        desk = self.background.desk
        newest = sorted(rows, key=lambda one: one.at, reverse=True)[:MOST_DELIVERIES]
        for one in newest:
            word, icon, tone = DELIVERIES[one.status]
            at = times.when(one.at, desk.now(), desk.settings.zone)
            if one.email and one.email != current:
                word = f"{word}, {one.email}"
            mark = Mark(icon, f"{word}: {one.reason}" if one.reason else word, tone)
            mark.setWordWrap(True)
            line = QWidget()
            held = row(mark, Words(at, "label"), gap=GRID)
            held.setStretch(0, 1)
            line.setLayout(held)
            line.setAccessibleName(f"{at}: {word}. {one.reason}")
            self.deliveries.addWidget(line)
            self.delivery_lines.append(line)

    def _hint(self, typed: str) -> None:
        current = typed.strip() or self._known_email()
        better = suggest_email(current) if current else None
        self.hint.setVisible(better is not None)
        if better is not None:
            self.hint.setText(f"Did they mean {better}?")
            self.hint.setAccessibleName(f"Use {better}")
        self.correct.setEnabled(bool(typed.strip()))

    def _on_hint(self) -> None:
        current = self.address.text().strip() or self._known_email()
        self.address.setText(suggest_email(current) or current)
        self.address.setFocus()

    def _wait_until(self, moment: datetime) -> None:
        self._free_at = max(moment, self._free_at) if self._free_at else moment
        self._tick.start()
        self._show_wait()

    def _show_wait(self) -> None:
        now = self.background.desk.now()
        may = self.background.desk.colleague.role.changes_the_file
        left = ceil((self._free_at - now).total_seconds()) if self._free_at else 0
        if left > 0:
            self.resend.setText(f"Send again in {left // 60}:{left % 60:02}")
        else:
            self._tick.stop()
            self._free_at = None
            self.resend.setText("Send the e-mail again")
        self.resend.setEnabled(may and left <= 0 and not self._errand)

    def _on_resend(self) -> None:
        # One id for one click: whatever happens on the way, it sends one e-mail.
        self.background.ask(
            verification.resend, str(uuid4()), self._account_number, self._call_id
        ).then(self, self.show_errand, busy=[self.resend_button])

    def _on_correct(self) -> None:
        try:
            address = check_email(self.address.text())
        except ConsoleError as problem:
            self.show_problem(problem)
            return
        self.background.ask(
            verification.correct_email,
            str(uuid4()),
            self._account_number,
            address,
            self._call_id,
        ).then(self, self.show_errand, busy=[self.field])

    def _on_changed(self, changed: frozenset[str]) -> None:
        if self._errand and changed & {"Errand", EVERYTHING}:
            self.background.ask(verification.errand, self._errand).then(self, self.show_errand)


class PasswordSheet(Sheet):
    """The portal's password rule, and a checker that keeps nothing of what is typed."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "The password rule", wide=520)
        self.read = Words(passwords.RULE_READ_OUT, "title", wrap=True).selectable()
        self.typed = QLineEdit()
        self.typed.setAccessibleName("Password to check")
        self.typed.setEchoMode(QLineEdit.EchoMode.Password)
        self.typed.setPlaceholderText("Only ever checked, never kept")
        self.typed.textChanged.connect(self._check)
        self.checks = QVBoxLayout()
        self.checks.setSpacing(4)
        self.check_lines: list[Mark] = []
        quote = QFrame()
        theme.role(quote, "quote")
        said = column(label("Read out"), self.read, gap=4)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 2)
        quote.setLayout(said)
        self.body.addWidget(quote)
        self.body.addWidget(Field("Check one", self.typed))
        self.body.addLayout(self.checks)
        for _ in passwords.check(""):
            line = Mark("dot", "", "muted")
            self.checks.addWidget(line)
            self.check_lines.append(line)
        self.add_cancel("Close")
        self._check("")
        self.typed.setFocus()

    def hideEvent(self, event: QHideEvent) -> None:
        # What was typed here is somebody's password: it goes when the sheet goes.
        self.typed.clear()
        super().hideEvent(event)

    def _check(self, typed: str) -> None:
        for line, part in zip(self.check_lines, passwords.check(typed), strict=True):
            met = part.met and bool(typed)
            icon, tone = ("check-circle", "good") if met else ("dot", "muted")
            line.show_mark(icon, part.words, tone)
            line.setAccessibleName(f"{part.words}: {'met' if met else 'not met yet'}")
