"""The head of a member's page: who this is, what must be known first, and how to reach them."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from console.domain import times
from console.domain.members import MayAct
from console.services.calls import CallState
from console.services.member_page import AlertRow, HolderRow, MemberPage
from console.views import theme
from console.views.member_alerts import alert_badge
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    FlowLayout,
    Icon,
    IconButton,
    Mark,
    Words,
    act,
    row,
)

LONG_NAME = 34
"""Beyond this many characters a name is set smaller, and on two lines where it must be."""


class MemberHeader(QFrame):
    """Never scrolls away."""

    alerts_wanted = Signal()
    """Alerts are to be raised or cleared."""
    contact_wanted = Signal()
    """The contact details are to be changed."""
    correction_wanted = Signal()
    """The name on file is to be corrected."""

    def __init__(self, zone: str, company: QWidget) -> None:
        super().__init__()
        theme.role(self, "top")
        self._zone = zone
        self._page: MemberPage | None = None
        self.kind = Icon("person", "muted", 24)
        self.given = Words("", "figure", "muted")
        self.name = Words("Opening…", "title", "muted").selectable()
        self.given.hide()
        self._make_actions()
        self.verified = Badge("unverified", "No call", "muted")
        self.alerts = QWidget()
        self.alerts.setAccessibleName("Alerts")
        self._alerts = FlowLayout(self.alerts, 6)
        self.alert_badges: list[Badge] = []
        self.about = Words("", "text", "muted", wrap=True)
        self.phone = ContactLine("phone", "phone")
        self.second_phone = ContactLine("mobile", "second phone")
        self.email = ContactLine("mail", "e-mail address")
        self.mailing = ContactLine("home", "mailing address")
        self.contact = QWidget()
        self.contact.setAccessibleName("Contact")
        flow = FlowLayout(self.contact, 4)
        # The pencil goes with the last of them; alone on a line nobody would know what it edits.
        last = QWidget()
        last.setLayout(row(self.mailing, self.edit_contact, gap=4))
        for part in (self.phone, self.second_phone, self.email, last):
            flow.addWidget(part)
        self.holders = Holders()
        self._name_row = row(
            self.kind,
            self.given,
            self.name,
            self.edit_name,
            self.copy,
            self.flag,
            0,
            self.verified,
        )
        self.page = QVBoxLayout(self)
        self.page.setContentsMargins(3 * GRID, GRID, 3 * GRID, 12)
        self.page.setSpacing(GRID // 2)
        self.page.addLayout(self._name_row)
        self.page.addWidget(self.alerts)
        meta = row(self.about, company, gap=2 * GRID)
        meta.setStretch(0, 1)
        self.page.addLayout(meta)
        self.reach = QWidget()
        reach = QVBoxLayout(self.reach)
        reach.setContentsMargins(0, 0, 0, 0)
        reach.setSpacing(2)
        reach.addWidget(self.contact)
        reach.addWidget(self.holders)
        self.page.addWidget(self.reach)
        self.alerts.hide()
        self.reach.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        theme.current().changed.connect(self._measure)

    def expect(self, name: str) -> None:
        """Show the name that is known before the page is."""
        if name and self._page is None:
            theme.role(self.name, "title" if len(name) > LONG_NAME else "figure")
            self.name.say(name, "ink")

    def show_what_may_be_done(self, may: bool) -> None:
        """Offer to change things only to those who may."""
        self._may = may
        for button in (self.edit_name, self.flag, self.edit_contact):
            button.setVisible(may)

    def show_page(self, page: MemberPage) -> None:
        """Show who this is."""
        before, self._page = self._page, page
        theme.tone(self.name, "ink")
        for action in self._changing:
            action.setEnabled(self._may)
        self.correct_action.setEnabled(self._may and bool(page.accounts))
        self.copy_action.setEnabled(True)
        self.kind.show_icon("building" if page.is_business else "person")
        self.kind.setToolTip("A business" if page.is_business else "A person")
        self._show_name(page)
        self._show_about(page)
        if before is None or before.alerts != page.alerts:
            self._show_alerts(page.alerts)
        self.phone.show_value(page.phone, masked=page.masked)
        self.second_phone.show_value(page.second_phone, masked=page.masked)
        self.second_phone.setVisible(bool(page.second_phone))
        self.email.show_value(page.email, masked=page.masked)
        self.mailing.show_value(page.mailing_address, masked=page.masked)
        self.holders.show_holders(page.holders)
        self.reach.show()

    def show_call(self, call: CallState | None) -> None:
        """Stamp whether the caller is verified; `call` is None when it is not about them."""
        if call is None:
            self.verified.show_state("eye-off", "Details hidden: nobody verified", "muted")
        elif call.verified_at is not None:
            at = times.clock(call.verified_at, self._zone)
            self.verified.show_state("verified", f"Caller verified {at}", "good")
        else:
            self.verified.show_state("unverified", "Caller not verified", "warn")

    def _make_actions(self) -> None:
        self.copy_action = act(
            self, "Copy the name on file", self._on_copy, key="Ctrl+Shift+C", icon="copy",
            more="Copies the last or business name exactly as it is on file.",
        )  # fmt: skip
        self.copy = IconButton("copy", self.copy_action, size=16)
        self.copy_action.setEnabled(False)
        self.alerts_action = act(
            self, "Raise or clear an alert", self.alerts_wanted.emit, key="Ctrl+Shift+A",
            icon="flag", more="Alerts stand at the head of the page for every colleague.",
        )  # fmt: skip
        self.contact_action = act(
            self, "Change the contact details", self.contact_wanted.emit, key="Ctrl+Shift+E",
            icon="edit", more="Phone, e-mail and mailing address, for a member we know.",
        )  # fmt: skip
        self.correct_action = act(
            self, "Correct the name on file", self.correction_wanted.emit, key="Ctrl+Shift+N",
            icon="edit", more="With proof and undo, whatever the portal says; it goes there too.",
        )  # fmt: skip
        self.edit_name = IconButton("edit", self.correct_action, size=16)
        self._changing = (self.correct_action, self.contact_action, self.alerts_action)
        for action in self._changing:
            action.setEnabled(False)
        self._may = True
        self.edit_contact = IconButton("edit", self.contact_action, size=14)
        self.flag = IconButton("flag", self.alerts_action, size=16)

    def _show_name(self, page: MemberPage) -> None:
        long = len(page.display_name) > LONG_NAME
        for words in (self.given, self.name):
            theme.role(words, "title" if long else "figure")
        self.given.setText(page.given_names)
        self.given.setVisible(bool(page.given_names))
        self.name.setText(page.name)
        self.name.setWordWrap(long)
        self.name.setAccessibleName(f"Name on file: {page.name}")
        self.name.setToolTip("The last or business name exactly as on file; the portal wants this.")
        # No wider than its words, so that the copy button stays beside them.
        self.name.ensurePolished()
        widest = self.name.fontMetrics().horizontalAdvance(page.name) + 2 * GRID
        self.name.setMaximumWidth(widest if long else 16_777_215)
        self._name_row.setStretch(2, 50 if long else 0)

    def _show_about(self, page: MemberPage) -> None:
        parts = [
            "Business" if page.is_business else "Person",
            f"Member {page.number}",
            f"since {times.calendar_day(page.since)}",
        ]
        if page.former_names:
            parts.append("formerly " + ", ".join(page.former_names))
        self.about.setText("  ·  ".join(parts))

    def _show_alerts(self, alerts: tuple[AlertRow, ...]) -> None:
        self._alerts.clear()
        self.alert_badges = []
        for alert in alerts:
            badge = alert_badge(alert, self._zone)
            self._alerts.addWidget(badge)
            self.alert_badges.append(badge)
        self.alerts.setVisible(bool(alerts))

    def _measure(self) -> None:
        if self._page is not None:
            self._show_name(self._page)

    def _on_copy(self) -> None:
        if self._page is None:
            return
        QGuiApplication.clipboard().setText(self._page.name)
        self.copy.show_icon("check", "good")
        QTimer.singleShot(1500, self.copy, lambda: self.copy.show_icon("copy", "muted"))
        say(self, f"Copied “{self._page.name}”.")


class ContactLine(QWidget):
    """One way to reach a member, which one press copies once it may be read."""

    def __init__(self, icon: str, name: str) -> None:
        super().__init__()
        self._name = name
        self.icon = Icon(icon, "muted", 16)
        self.icon.setToolTip(name.capitalize())
        self.value = Words("")
        self.copy = IconButton("copy", f"Copy the {name}", size=14)
        self.copy.clicked.connect(self._on_copy)
        self._done = QTimer(self)
        self._done.setSingleShot(True)
        self._done.timeout.connect(lambda: self.copy.show_icon("copy", "muted"))
        self.setLayout(row(self.icon, self.value, self.copy, 12, gap=4))

    def show_value(self, value: str, *, masked: bool = False) -> None:
        """Show a value; what is masked or missing cannot be copied."""
        self.value.say(value or f"No {self._name} on file", "ink" if value else "muted")
        self.setAccessibleName(f"{self._name.capitalize()}: {value or 'none on file'}")
        # Room is kept for the button, so that nothing jumps when the caller is verified.
        policy = self.copy.sizePolicy()
        policy.setRetainSizeWhenHidden(bool(value))
        self.copy.setSizePolicy(policy)
        self.copy.setVisible(bool(value) and not masked)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.value.text())
        self.copy.show_icon("check", "good")
        self._done.start(1500)


class Holders(QWidget):
    """Who else may act, and how far."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Who else may act")
        self._rows: tuple[HolderRow, ...] | None = None
        self.lines: list[Mark] = []
        self._flow = FlowLayout(self, 2 * GRID)

    def show_holders(self, holders: tuple[HolderRow, ...]) -> None:
        """List them, or say that there is nobody."""
        if holders == self._rows:
            return
        self._rows = holders
        self._flow.clear()
        self.lines = [
            Mark(
                "ban" if holder.may_act is MayAct.NOTHING else "members",
                f"{holder.name}: {holder.role.words.lower()}, {holder.may_act.words}",
                "warn" if holder.may_act is MayAct.NOTHING else "ink",
            )
            for holder in holders
        ] or [Mark("members", "Nobody else may act on these accounts", "muted")]
        for line in self.lines:
            self._flow.addWidget(line)
