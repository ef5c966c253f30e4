"""Diagnostics: whether everything answers, and the last words with the portal."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.services import diagnostics, rounds
from console.services.diagnostics import DatabaseHealth, ExchangeRow, Light
from console.services.rounds import BacklogRow, CourierHealth, CourierRow, Going
from console.settings import log_folder
from console.views.screen import Screen
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    Card,
    EmptyPlace,
    Icon,
    Section,
    Words,
    act,
    column,
    label,
    row,
    title,
)

EVERY_MILLISECONDS = 3_000


class DiagnosticsScreen(Screen):
    """Lights, facts about this console, and the last exchanges with the portal."""

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Diagnostics")
        self.copy_all = act(
            self, "Copy the diagnostics", self._on_copy, icon="copy",
            more="Facts, lights and the last exchanges; nothing personal is in them.",
        )  # fmt: skip
        self.open_log = act(self, "Open the folder of the log", self._on_log, icon="external")
        self.page.insertLayout(
            0, row(title("Diagnostics"), 0, Button(self.open_log), Button(self.copy_all))
        )
        self.database = LightCard("database", "Database")
        self.portal = LightCard("portal", "Portal")
        self.courier = LightCard("outbox", "Courier")
        inside = QWidget()
        below = column(gap=2 * GRID)
        inside.setLayout(below)
        lights = row(self.database, self.portal, self.courier, gap=2 * GRID)
        for place in range(3):
            lights.setStretch(place, 1)
        below.addLayout(lights)
        self.facts = QWidget()
        self._facts = QGridLayout(self.facts)
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setHorizontalSpacing(3 * GRID)
        self._facts.setVerticalSpacing(GRID // 2)
        self._said: tuple[tuple[str, str], ...] = ()
        about = Section("This console")
        about.body.addWidget(self.facts)
        below.addWidget(about)
        zone = background.desk.settings.zone
        now = background.desk.now
        self.exchanges: RowTable[ExchangeRow] = RowTable(
            (
                Column[ExchangeRow](
                    "When", lambda e: e.at, lambda at: times.when(at, now(), zone), width=140
                ),
                Column[ExchangeRow](
                    "Call", lambda e: f"{e.method} {e.path}", stretch=True
                ),
                Column[ExchangeRow](
                    "Outcome", _outcome, str.capitalize, width=150,
                    icon=lambda e: "check" if _went_well(e) else "alert",
                    tone=lambda e: "good" if _went_well(e) else "bad",
                ),
                Column[ExchangeRow](
                    "Status", lambda e: e.status, lambda s: "" if s is None else str(s),
                    align="right", width=90,
                ),
                Column[ExchangeRow](
                    "Took", lambda e: e.milliseconds, lambda ms: f"{ms:,} ms", align="right",
                    width=100,
                ),
                Column[ExchangeRow]("Request", lambda e: e.request_id[:8], width=110),
            ),
            key=lambda e: e.request_id,
            name="Last exchanges with the portal",
            empty=EmptyPlace(
                "portal", "No word has passed with the portal yet.",
                more="Open a member or the registrations, and what is asked appears here.",
            ),
        )  # fmt: skip
        self._make_carrying(below)
        last = Section("Last exchanges with the portal", note="personal data left out")
        last.body.addWidget(self.exchanges, 1)
        self.exchanges.setMinimumHeight(220)
        below.addWidget(last, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        self.page.addWidget(area, 1)
        self._often = QTimer(self)
        self._often.setInterval(EVERY_MILLISECONDS)
        self._often.timeout.connect(self.load)

    def _make_carrying(self, below: QVBoxLayout) -> None:
        zone, now = self.background.desk.settings.zone, self.background.desk.now

        def said(at: datetime | None) -> str:
            return "" if at is None else times.when(at, now(), zone)

        self.couriers: RowTable[CourierRow] = RowTable(
            (
                Column[CourierRow](
                    "Courier", lambda c: c.name, stretch=True,
                    icon=lambda c: "check" if c.is_alive else "cross",
                    tone=lambda c: "good" if c.is_alive else "muted",
                ),
                Column[CourierRow]("State", _how_it_is, width=220),
                Column[CourierRow]("Last sign", lambda c: c.seen_at, said, width=140),
                Column[CourierRow]("Since", lambda c: c.started_at, said, width=140),
                Column[CourierRow](
                    "Carried", lambda c: c.carried, lambda n: f"{n:,}", align="right", width=90
                ),
            ),
            key=lambda c: c.name,
            name="Couriers",
            empty=EmptyPlace("outbox", "No courier of its own has been seen here."),
        )  # fmt: skip
        self.backlog: RowTable[BacklogRow] = RowTable(
            (
                Column[BacklogRow]("What", lambda b: b.kind.words, stretch=True),
                Column[BacklogRow](
                    "State", lambda b: b.state.words, width=190,
                    icon=lambda b: "hourglass" if b.is_open else "alert",
                    tone=lambda b: "warn" if b.is_open else "bad",
                ),
                Column[BacklogRow](
                    "How many", lambda b: b.many, lambda n: f"{n:,}", align="right", width=100
                ),
                Column[BacklogRow]("Oldest", lambda b: b.oldest_at, said, width=140),
                Column[BacklogRow](
                    "Most tries", lambda b: b.most_tries, str, align="right", width=110
                ),
            ),
            key=lambda b: f"{b.kind}/{b.state}",
            name="What waits for the courier",
            empty=EmptyPlace("check-circle", "Nothing waits, and nothing was given up today."),
        )  # fmt: skip
        for name, table in (("Couriers", self.couriers), ("What waits", self.backlog)):
            section = Section(name)
            table.setMinimumHeight(150)
            section.body.addWidget(table)
            below.addWidget(section)

    def load(self) -> None:
        """Ask everything afresh."""
        self.background.ask(diagnostics.database).then(self, self.show_database)
        self.background.ask(rounds.health).then(self, self.show_courier, quiet=True)
        self.background.ask(diagnostics.exchanges).then(self, self.exchanges.show_rows)
        self.background.ask(diagnostics.facts).then(self, self.show_facts)
        self.background.ask(diagnostics.portal).then(self, self.show_portal)

    def show_database(self, health: DatabaseHealth) -> None:
        """Show how the database does, and what waits in it."""
        self.database.show_light(health.light)

    def show_courier(self, health: CourierHealth) -> None:
        """Show who carries what was asked for, and what waits."""
        tone = {Going.WELL: "good", Going.HELD_UP: "warn", Going.NOBODY: "bad"}[health.going]
        figure = "Nobody there" if health.going is Going.NOBODY else f"{health.waiting} waiting"
        self.courier.show_words(figure, health.words, tone)
        self.couriers.show_rows(health.couriers)
        self.backlog.show_rows(health.backlog)

    def show_portal(self, light: Light) -> None:
        """Show how the portal does."""
        self.portal.show_light(light)

    def show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        """Show what this console is and where it is connected."""
        if facts == self._said:
            return
        self._said = facts
        while (item := self._facts.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()
        half = -(-len(facts) // 2)
        for place, (name, value) in enumerate(facts):
            across, down = divmod(place, half)
            self._facts.addWidget(label(name), down, 2 * across)
            self._facts.addWidget(Words(value).selectable(), down, 2 * across + 1)
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(3, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()
        self._often.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._often.stop()

    def _on_copy(self) -> None:
        lines = [f"{name}: {value}" for name, value in self._said]
        lines += [
            f"{card.name}: {card.words.text()}"
            for card in (self.database, self.portal, self.courier)
        ]
        lines += [
            f"{e.at.isoformat(timespec='seconds')} {e.method} {e.path} {e.status} {e.outcome} "
            f"{e.milliseconds} ms {e.request_id}"
            for e in self.exchanges.rows_model.rows
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _on_log(self) -> None:
        folder = log_folder()
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


class LightCard(Card):
    """One light: an icon, a figure, and what it means in words."""

    def __init__(self, icon: str, name: str) -> None:
        super().__init__(gap=4)
        self.name = name
        self.icon = Icon(icon, "muted", 24)
        self.figure = Words("…", "title")
        self.words = Words("Asking…", "text", "muted", wrap=True)
        self.body.addLayout(
            row(self.icon, column(label(name), self.figure, gap=0), 0, gap=2 * GRID)
        )
        self.body.addWidget(self.words)
        self.body.addStretch(1)

    def show_light(self, light: Light) -> None:
        """Show whether something answers."""
        figure = "In trouble" if light.speaks else "No answer"
        if light.answers:
            figure = f"{light.milliseconds:,} ms"
        self.show_words(figure, light.words, "good" if light.answers else "bad")

    def show_words(self, figure: str, words: str, tone: str) -> None:
        """Show a figure and what it means."""
        self.figure.say(figure, tone)
        self.words.setText(words)
        self.icon.show_icon(self.icon.name, tone)
        self.setAccessibleName(f"{self.name}: {figure}. {words}")


def _how_it_is(courier: CourierRow) -> str:
    if not courier.is_alive:
        return "Not seen any more"
    return courier.trouble or "At work"


def _outcome(exchange: ExchangeRow) -> str:
    refused = exchange.outcome == "answered" and not _went_well(exchange)
    return "refused" if refused else exchange.outcome


def _went_well(exchange: ExchangeRow) -> bool:
    return exchange.status is not None and exchange.status < 400
