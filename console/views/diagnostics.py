"""Diagnostics: whether everything answers, and the last words with the portal."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QGuiApplication,
    QHideEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.services import diagnostics, rounds
from console.services.diagnostics import Copied, DatabaseHealth, ExchangeRow, Light, SecondCopy
from console.services.rounds import BacklogRow, CourierHealth, CourierRow, Going
from console.settings import log_folder
from console.views import theme, toasts
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
HEAD_HIGH, LINE_HIGH, LEAST_EXCHANGES = 36, 36, 3
CARD_WIDE = 230
"""What a light needs at least beside another, in pixels at 100 %."""
FACTS_BESIDE_EACH_OTHER = 640


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
        self.second_copy = LightCard("copy", "Second copy")
        inside = QWidget()
        below = column(gap=GRID + GRID // 2)
        inside.setLayout(below)
        self.lights = QWidget()
        self._lights = QGridLayout(self.lights)
        self._lights.setContentsMargins(0, 0, 0, 0)
        self._lights.setSpacing(2 * GRID)
        below.addWidget(self.lights)
        self.second_copy.setParent(self.lights)
        self.second_copy.hide()  # until somebody expects one
        self.facts = QWidget()
        self._facts = QGridLayout(self.facts)
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setHorizontalSpacing(3 * GRID)
        self._facts.setVerticalSpacing(GRID // 2)
        self._said: tuple[tuple[str, str], ...] = ()
        self._laid_wide: bool | None = None
        about = Section("This console")
        about.body.addWidget(self.facts)
        below.addWidget(about)
        zone = background.desk.settings.zone
        now = background.desk.now
        self.exchanges: RowTable[ExchangeRow] = RowTable(
            (
                Column[ExchangeRow](
                    "When", lambda e: e.at, lambda at: times.to_the_second(at, now(), zone),
                    width=160, least=150,
                ),
                Column[ExchangeRow](
                    "Call", lambda e: f"{e.method} {e.path}", stretch=True, least=260,
                    hint=lambda e: f"{e.method} {e.path}",
                ),
                Column[ExchangeRow](
                    "Outcome", _outcome, str.capitalize, width=130, least=120,
                    icon=lambda e: "check" if _went_well(e) else "alert",
                    tone=lambda e: "good" if _went_well(e) else "bad",
                ),
                Column[ExchangeRow](
                    "Status", lambda e: e.status, lambda s: "" if s is None else str(s),
                    align="right", width=80, least=70,
                ),
                Column[ExchangeRow](
                    "Took", lambda e: e.milliseconds, lambda ms: f"{ms:,} ms", align="right",
                    width=100, least=80,
                ),
                Column[ExchangeRow](
                    "Request", lambda e: e.request_id[:8], width=110, spare=True
                ),
            ),
            key=lambda e: e.request_id,
            name="Last exchanges with the portal and the gateway",
            empty=EmptyPlace(
                "portal", "No word has passed with the portal yet.",
                more="Open a member or the registrations, and what is asked appears here.",
            ),
        )  # fmt: skip
        self._make_carrying(below)
        last = Section(
            "Last exchanges with the portal and the gateway", note="personal data left out"
        )
        last.body.addWidget(self.exchanges, 1)
        # It takes the room that is left, however long it is.
        self.exchanges.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        below.addWidget(last, 1)
        area = QScrollArea()  # for large text in a low window
        area.setWidgetResizable(True)
        area.setWidget(inside)
        self.page.addWidget(area, 1)
        self._often = QTimer(self)
        self._often.setInterval(EVERY_MILLISECONDS)
        self._often.timeout.connect(self.load)
        theme.current().changed.connect(self._measure)
        self._measure()

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
        )  # fmt: skip
        self.couriers_section, self.backlog_section = Section("Couriers"), Section("What waits")
        for section, table in (
            (self.couriers_section, self.couriers),
            (self.backlog_section, self.backlog),
        ):
            section.body.addWidget(table)
            table.hide()  # until there is something in it
            below.addWidget(section)

    def load(self) -> None:
        """Ask everything afresh."""
        self.background.ask(diagnostics.database).then(self, self.show_database)
        self.background.ask(diagnostics.second_copy).then(self, self.show_second_copy, quiet=True)
        self.background.ask(rounds.health).then(self, self.show_courier, quiet=True)
        self.background.ask(diagnostics.exchanges).then(self, self.exchanges.show_rows)
        self.background.ask(diagnostics.facts).then(self, self.show_facts)
        self.background.ask(diagnostics.portal).then(self, self.show_portal)

    def show_database(self, health: DatabaseHealth) -> None:
        """Show how the database does, and what waits in it."""
        self.database.show_light(health.light)

    def show_second_copy(self, copy: SecondCopy | None) -> None:
        """Show whether commits are on two machines; nothing where nobody expects it."""
        if self.second_copy.isHidden() is not (copy is None):
            self.second_copy.setVisible(copy is not None)
            self._measure()
        if copy is not None:
            self.second_copy.show_words(copy.state.capitalize(), copy.words, tone_of(copy))

    def show_courier(self, health: CourierHealth) -> None:
        """Show who carries what was asked for, and what waits."""
        tone = {Going.WELL: "good", Going.HELD_UP: "warn", Going.NOBODY: "bad"}[health.going]
        figure = "Nobody there" if health.going is Going.NOBODY else f"{health.waiting} waiting"
        self.courier.show_words(figure, health.words, tone)
        self.couriers.show_rows(health.couriers)
        self.backlog.show_rows(health.backlog)
        alone = (
            "This console carries by itself; no separate courier runs."
            if self.background.desk.carries
            else "No separate courier has run yet, and this console does not carry."
        )
        self.couriers_section.say("" if health.couriers else alone)
        self.backlog_section.say(
            "" if health.backlog else "Nothing waits, and nothing was given up today."
        )
        for table in (self.couriers, self.backlog):
            table.setVisible(bool(table.rows_model.rows))
        self._measure()

    def show_portal(self, light: Light) -> None:
        """Show how the portal does."""
        self.portal.show_light(light)

    def show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        """Show what this console is and where it is connected."""
        # How the courier does is on its own light.
        told = tuple(fact for fact in facts if fact[0] != self.courier.name)
        if told != self._said:
            self._said = told
            self._lay_facts()

    def _lay_facts(self) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()
        beside = 2 if self._is_wide else 1
        down_to = -(-len(self._said) // beside)
        for place, (name, value) in enumerate(self._said):
            across, down = divmod(place, down_to)
            told = Words(value, wrap=True).selectable()
            # A long address takes the room there is; it does not push the page apart.
            told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            told.setMinimumSize(1, 1)  # or it would ask for the height of its narrowest shape
            top = Qt.AlignmentFlag.AlignTop
            told.setAlignment(top)
            self._facts.addWidget(label(name), down, 2 * across, top)
            self._facts.addWidget(told, down, 2 * across + 1)
        for across in range(2):
            self._facts.setColumnStretch(2 * across + 1, 1 if across < beside else 0)

    @property
    def _is_wide(self) -> bool:
        return self.width() >= theme.current().px(FACTS_BESIDE_EACH_OTHER)

    def _measure(self) -> None:
        """Lay everything out for the room there is, whatever the size of the text."""
        look = theme.current()
        cards = [
            card
            for card in (self.database, self.second_copy, self.portal, self.courier)
            if card is not self.second_copy or not card.isHidden()
        ]
        fit = max(1, self.width() // look.px(CARD_WIDE))
        beside = len(cards) if fit >= len(cards) else min(fit, 2)
        while self._lights.takeAt(0) is not None:
            pass  # each goes to its new place
        for place, card in enumerate(cards):
            self._lights.addWidget(card, *divmod(place, beside))
        for across in range(len(cards) + 1):
            self._lights.setColumnStretch(across, 1 if across < beside else 0)
        for table in (self.couriers, self.backlog):
            head, many = table.horizontalHeader().sizeHint().height(), len(table.rows_model.rows)
            table.setFixedHeight(head + many * table.verticalHeader().defaultSectionSize() + 2)
        self.exchanges.setMinimumHeight(look.px(HEAD_HIGH + LEAST_EXCHANGES * LINE_HIGH))
        if self._laid_wide is not self._is_wide:
            self._laid_wide = self._is_wide
            self._lay_facts()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

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
            for card in (self.database, self.second_copy, self.portal, self.courier)
            if not card.isHidden()
        ]
        lines += [
            f"{e.at.isoformat(timespec='seconds')} {e.method} {e.path} {e.status} {e.outcome} "
            f"{e.milliseconds} ms {e.request_id}"
            for e in self.exchanges.rows_model.rows
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))
        toasts.say(self, "The diagnostics are copied. Paste them where they are asked for.")

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


def tone_of(copy: SecondCopy) -> str:
    """Answer the colour in which a second copy is told of."""
    return {Copied.BOTH: "good", Copied.UNKNOWN: "muted"}.get(copy.state, "warn")


def _how_it_is(courier: CourierRow) -> str:
    if not courier.is_alive:
        return "Not seen any more"
    return courier.trouble or "At work"


def _outcome(exchange: ExchangeRow) -> str:
    refused = exchange.outcome == "answered" and not _went_well(exchange)
    return "refused" if refused else exchange.outcome


def _went_well(exchange: ExchangeRow) -> bool:
    return exchange.status is not None and exchange.status < 400
