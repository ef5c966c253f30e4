"""The sheet on which alerts about a member are raised and cleared."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from console.background import Background
from console.domain import times
from console.domain.members import AlertKind
from console.services import members
from console.services.member_page import AlertRow
from console.views.sheet import Sheet
from console.views.widgets import Badge, Button, Field, Words, act, column, line_edit, muted, row

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


def alert_badge(alert: AlertRow, zone: str) -> Badge:
    """Say an alert in word, icon and colour; its note is shown on hovering and spoken."""
    words = alert.kind.words
    badge = Badge(ALERT_ICONS[alert.kind], words, "bad" if alert.kind.is_grave else "warn")
    badge.setToolTip(f"{alert.note} {raised_by(alert, zone)}".strip())
    badge.setAccessibleName(f"Alert: {words}. {alert.note}".strip())
    return badge


def raised_by(alert: AlertRow, zone: str) -> str:
    """Say who raised an alert, and when."""
    at = times.calendar_day(times.day_of(alert.raised_at, zone))
    return f"Raised {at} by {alert.raised_by}."


class AlertSheet(Sheet):
    """Clears what stands no longer, and raises what colleagues must see first."""

    raised = Signal(object, int)
    """An alert was raised: its kind and its id."""
    cleared = Signal(object, int)
    """An alert was cleared: its kind and its id."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        member_id: int,
        alerts: Sequence[AlertRow],
    ) -> None:
        super().__init__(over, "Alerts", wide=560)
        self.background = background
        self._member_id = member_id
        self.clears: dict[AlertKind, Button] = {}
        zone = background.desk.settings.zone
        for alert in alerts:
            clear = Button("Clear")
            clear.setAccessibleName(f"Clear the alert {alert.kind.words}")
            clear.clicked.connect(lambda _=False, alert=alert: self._on_clear(alert))
            self.clears[alert.kind] = clear
            line = row(alert_badge(alert, zone), muted(raised_by(alert, zone)), 0, clear)
            self.body.addLayout(
                column(line, Words(alert.note, wrap=True), gap=4) if alert.note else line
            )
        standing = {alert.kind for alert in alerts}
        self._kinds = [kind for kind in AlertKind if kind not in standing]
        self.kind = QComboBox()
        for kind in self._kinds:
            self.kind.addItem(kind.words)
        self.note = line_edit("What a colleague should know", spoken="Note on the alert")
        self.note.setMaxLength(500)
        self.body.addWidget(Field("Raise another", self.kind))
        self.body.addWidget(Field("Note", self.note))
        self.add_cancel()
        raise_it = act(
            self, "Raise the alert", self._on_raise, key="Ctrl+Return", icon="flag", listed=False
        )
        raise_it.setEnabled(bool(self._kinds))
        self.save = self.add_button(Button(raise_it, "primary"))
        self.kind.setFocus()

    def _on_raise(self) -> None:
        kind = self._kinds[self.kind.currentIndex()]
        self.clear_problem()
        self.background.ask(
            members.raise_alert, self._member_id, kind, self.note.text().strip()
        ).then(self, lambda alert_id: self._raised(kind, alert_id), busy=[self.save])

    def _raised(self, kind: AlertKind, alert_id: int) -> None:
        self.raised.emit(kind, alert_id)
        self.accept()

    def _on_clear(self, alert: AlertRow) -> None:
        self.clear_problem()
        self.background.ask(members.clear_alert, alert.id).then(
            self, lambda _: self._cleared(alert), busy=list(self.clears.values())
        )

    def _cleared(self, alert: AlertRow) -> None:
        self.cleared.emit(alert.kind, alert.id)
        self.accept()
