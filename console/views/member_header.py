"""The head of a member's page: who this is, what must be known first, and how to reach them."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from console.domain import times
from console.domain.members import AlertKind, MayAct
from console.services.calls import CallState
from console.services.member_page import AlertRow, HolderRow, MemberPage
from console.views import theme
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    CopyableValue,
    FlowLayout,
    Icon,
    IconButton,
    Mark,
    Words,
    act,
    label,
    row,
)

LONG_NAME = 34
"""Beyond this many characters a name is set smaller, and on two lines where it must be."""

ALERT_ICONS = {
    AlertKind.MEDICAL_NECESSITY: "medical",
    AlertKind.DISCONNECT_PENDING: "disconnect",
    AlertKind.NO_CHEQUES: "ban",
    AlertKind.DECEASED: "deceased",
    AlertKind.BANKRUPTCY: "scales",
    AlertKind.LEGAL_CONTACT_ONLY: "scales",
    AlertKind.DOG_ON_PREMISES: "dog",
    AlertKind.FRAUD_WATCH: "fraud",
}


class MemberHeader(QFrame):
    """Never scrolls away."""

    def __init__(self, zone: str) -> None:
        super().__init__()
        theme.role(self, "top")
        self._zone = zone
        self._page: MemberPage | None = None
        self.kind = Icon("person", "muted", 24)
        self.given = Words("", "figure", "muted")
        self.name = Words("Opening…", "figure").selectable()
        self.copy_action = act(
            self, "Copy the name on file", self._on_copy, key="Ctrl+Shift+C", icon="copy",
            more="Copies the last or business name exactly as it is on file.",
        )  # fmt: skip
        self.copy = IconButton("copy", self.copy_action, size=16)
        self.copy_action.setEnabled(False)
        self.verified = Badge("unverified", "No call", "muted")
        self.alerts = QWidget()
        self.alerts.setAccessibleName("Alerts")
        self._alerts = FlowLayout(self.alerts, 6)
        self.alert_badges: list[Badge] = []
        self.about = Words("", "text", "muted", wrap=True)
        self.also_open = Mark("eye", "", "warn")
        self.also_open.hide()
        self.phone = CopyableValue("Phone")
        self.second_phone = CopyableValue("Second phone")
        self.email = CopyableValue("E-mail")
        self.mailing = CopyableValue("Mailing address")
        self.holders = _Holders()
        self.contact = QWidget()
        self.contact.setAccessibleName("Contact")
        flow = FlowLayout(self.contact, 3 * GRID)
        for part in (self.phone, self.second_phone, self.email, self.mailing, self.holders):
            flow.addWidget(part)
        self._name_row = row(self.kind, self.given, self.name, self.copy, 0, self.verified)
        self.page = QVBoxLayout(self)
        self.page.setContentsMargins(3 * GRID, GRID, 3 * GRID, 12)
        self.page.setSpacing(GRID // 2)
        self.page.addLayout(self._name_row)
        self.page.addWidget(self.alerts)
        meta = row(self.about, self.also_open, gap=2 * GRID)
        meta.setStretch(0, 1)
        self.page.addLayout(meta)
        self.page.addSpacing(2)
        self.page.addWidget(self.contact)
        self.alerts.hide()
        self.contact.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def show_page(self, page: MemberPage) -> None:
        """Show who this is."""
        before, self._page = self._page, page
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
        self.contact.show()
        self.also_open.setVisible(bool(page.seen_by))
        self.also_open.show_mark("eye", "Also open: " + ", ".join(page.seen_by), "warn")

    def show_call(self, call: CallState | None) -> None:
        """Stamp whether the caller is verified; `call` is None when it is not about them."""
        if call is None:
            self.verified.show_state("eye-off", "Details hidden: nobody verified", "muted")
        elif call.verified_at is not None:
            at = times.clock(call.verified_at, self._zone)
            self.verified.show_state("verified", f"Caller verified {at}", "good")
        else:
            self.verified.show_state("unverified", "Caller not verified", "warn")

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
        self._name_row.setStretch(2, 1 if long else 0)

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
            words = alert.kind.words
            tone = "bad" if alert.kind.is_grave else "warn"
            badge = Badge(ALERT_ICONS[alert.kind], words, tone)
            at = times.calendar_day(times.day_of(alert.raised_at, self._zone))
            by = f"Raised {at} by {alert.raised_by}."
            badge.setToolTip(f"{alert.note} {by}".strip())
            badge.setAccessibleName(f"Alert: {words}. {alert.note}".strip())
            self._alerts.addWidget(badge)
            self.alert_badges.append(badge)
        self.alerts.setVisible(bool(alerts))

    def _on_copy(self) -> None:
        if self._page is None:
            return
        QGuiApplication.clipboard().setText(self._page.name)
        self.copy.show_icon("check", "good")
        QTimer.singleShot(1500, self.copy, lambda: self.copy.show_icon("copy", "muted"))
        say(self, f"Copied “{self._page.name}”.")


class _Holders(QWidget):
    """Who else may act, and how far."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Who else may act")
        self._rows: tuple[HolderRow, ...] | None = None
        self.lines: list[Mark] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(label("Who else may act"))
        layout.addLayout(self._list)
        layout.addStretch(1)

    def show_holders(self, holders: tuple[HolderRow, ...]) -> None:
        """List them, or say that there is nobody."""
        if holders == self._rows:
            return
        self._rows = holders
        for line in self.lines:
            line.hide()
            line.deleteLater()
        self.lines = [
            Mark(
                "ban" if holder.may_act is MayAct.NOTHING else "person",
                f"{holder.name}: {holder.role.words.lower()}, {holder.may_act.words}",
                "warn" if holder.may_act is MayAct.NOTHING else "ink",
            )
            for holder in holders
        ] or [Mark("", "Nobody but the member", "muted")]
        for line in self.lines:
            self._list.addWidget(line)
