"""The auditor's place: who did and looked at what, what a row said before, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QScrollArea, QSplitter, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import trail
from console.services.trail import (
    Asked,
    Difference,
    Kind,
    Progress,
    TrailPage,
    TrailRow,
    Unusual,
    Verdict,
)
from console.views import toasts
from console.views.screen import Screen
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    EmptyPlace,
    FlowLayout,
    Notice,
    Words,
    act,
    column,
    line_edit,
    row,
    title,
)

PAUSE_MILLISECONDS = 250
PROGRESS_MILLISECONDS = 100
MOST_FAULTS_SHOWN = 5
LEAST_TABLE, LEAST_DIFFERENCES = 240, 120

PERIODS: tuple[tuple[str, int | None], ...] = (
    ("At any time", None),
    ("Today", 0),
    ("Since yesterday", 1),
    ("The last 7 days", 6),
    ("The last 30 days", 29),
)


class AuditScreen(Screen):
    """The audit trail, page by page; for auditors, supervisors and administrators."""

    shows = frozenset({"AuditEntry"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Audit trail")
        self.rows: list[TrailRow] = []
        self._more = False
        self._shown: Asked | None = None
        self._progress: Progress | None = None
        self._make_actions()
        self._make_filters()
        self._make_tables()
        self._lay_out()
        self._watch = QTimer(self)
        self._watch.setInterval(PROGRESS_MILLISECONDS)
        self._watch.timeout.connect(self._on_progress)
        self._show_more(False)

    # What is asked and shown

    def load(self) -> None:
        """Ask for the newest page of what the trail is narrowed to."""
        if not self.isVisible():
            return  # it asks again as soon as it is looked at
        self.background.ask(trail.page, self.asked).latest(self, self.show_page)

    @property
    def asked(self) -> Asked:
        """What the trail is narrowed to."""
        return Asked(
            staff=str(self.person.currentData() or ""),
            number=self.number.text(),
            kind=Kind(self.kind.currentText()),
            since=self._since(),
        )

    def show_page(self, page: TrailPage) -> None:
        """Show the newest page; the cursor stays on its line."""
        self.clear_problem()
        older: list[TrailRow] = []
        if self._shown == self.asked and page.rows and len(self.rows) > len(page.rows):
            # Somebody has read further down: a new line on top does not take that away.
            end = (page.rows[-1].at, page.rows[-1].id)
            older = [line for line in self.rows if (line.at, line.id) < end]
        self._shown = self.asked
        self.rows = [*page.rows, *older]
        self._show_rows(self._more if older else page.more)

    def show_older(self, page: TrailPage) -> None:
        """Show a page of older lines below the others."""
        self.rows += page.rows
        self._show_rows(page.more)

    def show_people(self, people: Sequence[tuple[str, str]]) -> None:
        """Offer everybody who may be on the trail."""
        chosen = self.person.currentData()
        self.person.blockSignals(True)
        self.person.clear()
        self.person.addItem("Everybody", "")
        for login, name in people:
            self.person.addItem(name, login)
        self.person.setCurrentIndex(max(0, self.person.findData(chosen)))
        self.person.blockSignals(False)

    def show_unusual(self, found: Sequence[Unusual]) -> None:
        """Say at the top who opened an unusual number of members."""
        zone, now = self._zone, self.background.desk.now()
        said = [
            f"{one.who} opened {one.members:,} members within an hour "
            f"({times.when(one.begins, now, zone)})."
            for one in found
        ]
        if said:
            said.append("Choose the person below and look at what was opened.")
        self.unusual.say(" ".join(said))

    def show_verdict(self, verdict: Verdict) -> None:
        """Say whether the trail is whole, and name what is not."""
        self._end_verifying()
        said = [verdict.words]
        shown = verdict.faults[:MOST_FAULTS_SHOWN]
        said += [f"Line {one.seq:,} of {one.chain}: {one.why}." for one in shown]
        if left := len(verdict.faults) - len(shown):
            said.append(f"{left:,} more are listed by: coop-console database verify-audit")
        self.verdict.say(
            "\n".join(said),
            "alert" if verdict.faults else "check-circle",
            "bad" if verdict.faults else "good",
        )

    def show_row(self, line: TrailRow | None) -> None:
        """Lay before and after side by side."""
        differences = line.differences if line is not None else ()
        self.differences.show_rows(differences, light=False)
        self.below.setVisible(line is not None)
        if line is None:
            return
        about = f"{line.what} — {line.about}" if line.about else line.what
        self.line.setText(about)
        self.line_more.setText(
            f"{line.who} ({line.login}) at {line.where or 'the server'}, "
            f"{times.when(line.at, self.background.desk.now(), self._zone)}; "
            f"line {line.seq:,} of their chain" + (f". {line.detail}" if line.detail else "")
        )
        self.differences.setVisible(bool(differences))

    # Qt overrides

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.background.ask(trail.people).latest(self, self.show_people)
        self.background.ask(trail.unusual).then(self, self.show_unusual)
        self.load()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._progress is not None:
            self._progress.stopped = True

    # How it is put together

    @property
    def _zone(self) -> str:
        return self.background.desk.settings.zone

    def _make_actions(self) -> None:
        self.verify = act(
            self, "Verify the trail", self._on_verify, key="Ctrl+Shift+V", icon="shield",
            more="Looks through every line and names whatever was tampered with.",
        )  # fmt: skip
        self.export = act(
            self, "Export to a file", self._on_export, key="Ctrl+Shift+E", icon="external",
            more="Writes what the trail is narrowed to as CSV; the trail says that you did.",
        )  # fmt: skip
        self.older = act(
            self, "Show older lines", self._on_older, key="Ctrl+Shift+O", icon="history"
        )
        self.narrow_down = act(
            self, "Narrow the trail down", self._on_find, key="Ctrl+F", icon="filter"
        )

    def _make_filters(self) -> None:
        self.person, self.kind, self.period = QComboBox(), QComboBox(), QComboBox()
        for choice, spoken in (
            (self.person, "Whose lines"),
            (self.kind, "Which acts"),
            (self.period, "Which time"),
        ):
            choice.setAccessibleName(spoken)
            choice.setMinimumContentsLength(16)
        self.person.addItem("Everybody", "")
        self.kind.addItems([kind.value for kind in Kind])
        for word, days in PERIODS:
            self.period.addItem(word, days)
        self.number = line_edit(
            "Member or account number", spoken="Member or account number", longest=30
        )
        self.number.setClearButtonEnabled(True)
        self.number.setMinimumWidth(230)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self.load)
        self.number.textChanged.connect(lambda _: self._pause.start())
        for choice in (self.person, self.kind, self.period):
            choice.currentIndexChanged.connect(lambda _: self.load())

    def _make_tables(self) -> None:
        self.table: RowTable[TrailRow] = RowTable(
            self._columns(),
            lambda line: line.id,
            name="Audit trail",
            empty=EmptyPlace(
                "history", "Nothing on the trail fits.",
                more="Choose another person, act or time above.",
            ),
            sortable=False,
        )  # fmt: skip
        self.table.setMinimumHeight(LEAST_TABLE)
        self.table.turned_to.connect(self.show_row)
        self.differences: RowTable[Difference] = RowTable(
            (
                Column[Difference]("Column", lambda one: one.column, width=190, bold=True),
                Column[Difference]("Before", lambda one: one.before, width=300, hint=_was),
                Column[Difference]("After", lambda one: one.after, stretch=True, hint=_is),
            ),
            lambda one: one.column,
            name="Before and after",
            sortable=False,
        )
        self.differences.setMinimumHeight(LEAST_DIFFERENCES)

    def _columns(self) -> tuple[Column[TrailRow], ...]:
        now = self.background.desk.now
        return (
            Column(
                "When", lambda line: line.at, lambda at: times.when(at, now(), self._zone),
                width=130,
            ),
            Column(
                "Who", lambda line: line.who, width=180, bold=True,
                second=lambda line: " · ".join(part for part in (line.login, line.where) if part),
            ),
            Column(
                "What", lambda line: line.what, stretch=True,
                second=lambda line: line.detail, hint=lambda line: line.detail,
                icon=lambda line: "edit" if line.differences else "",
            ),
            Column("About", lambda line: line.about, width=220),
        )  # fmt: skip

    def _lay_out(self) -> None:
        self.count = Words("", "text", "muted")
        self.unusual, self.verdict = Notice("eye", "", "warn"), Notice("shield", "", "good")
        for notice in (self.unusual, self.verdict):
            notice.hide()
        self.page.insertLayout(
            0, row(title("Audit trail"), self.count, 0, Button(self.export), Button(self.verify))
        )
        choices = QWidget()
        flow = FlowLayout(choices)
        for part in (self.person, self.kind, self.period, self.number):
            flow.addWidget(part)
        self.line, self.line_more = (
            Words("", "bold", wrap=True),
            Words("", "text", "muted", wrap=True),
        )
        self.below = QWidget()
        told = column(self.line, self.line_more, self.differences, gap=GRID)
        told.setContentsMargins(0, GRID, 0, 0)
        self.below.setLayout(told)
        self.below.hide()
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.below)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        inside = QWidget()
        inside.setLayout(column(self.unusual, self.verdict, choices, split, gap=2 * GRID))
        area = QScrollArea()  # for large text in a low window
        area.setWidgetResizable(True)
        area.setWidget(inside)
        self.page.addWidget(area, 1)
        self.older_button = Button(self.older)
        self.page.addLayout(row(self.older_button, 0))
        self.setFocusProxy(self.table)

    def _show_rows(self, more: bool) -> None:
        self.table.show_rows(self.rows)
        self.count.setText(f"the newest {len(self.rows):,}" if more else f"{len(self.rows):,}")
        self._show_more(more)
        if self.table.current_row() is None and self.rows:
            self.table.turn_to(self.rows[0].id)
        self.show_row(self.table.current_row())

    def _show_more(self, more: bool) -> None:
        self._more = more
        self.older.setEnabled(more)
        self.older_button.setVisible(more)

    def _since(self) -> datetime | None:
        days = self.period.currentData()
        if days is None:
            return None
        today: date = times.day_of(self.background.desk.now(), self._zone)
        return times.midnight(today - timedelta(days=int(days)), self._zone)

    # What happens

    def _on_find(self) -> None:
        self.number.setFocus()
        self.number.selectAll()

    def _on_older(self) -> None:
        if self._more and self.rows:
            last = self.rows[-1]
            self.background.ask(trail.page, self.asked, (last.at, last.id)).then(
                self, self.show_older, busy=[self.older]
            )

    def _on_verify(self) -> None:
        if self._progress is not None:
            self._progress.stopped = True
            return
        self._progress = Progress()
        self.verify.setText("Stop verifying")
        self.verdict.say("The trail is being looked through…", "shield", "accent")
        self._watch.start()
        self.background.ask(trail.verify, self._progress).then(
            self, self.show_verdict, failed=self._on_not_verified
        )

    def _on_progress(self) -> None:
        going = self._progress
        if going is not None and going.of:
            share = min(100, 100 * going.done // going.of)
            self.verdict.say(
                f"The trail is being looked through: {going.done:,} of {going.of:,} lines "
                f"({share} %).",
                "shield",
                "accent",
            )

    def _on_not_verified(self, problem: ConsoleError) -> None:
        self._end_verifying()
        self.verdict.say("")
        self.show_problem(problem)

    def _end_verifying(self) -> None:
        self._watch.stop()
        self._progress = None
        self.verify.setText("Verify the trail")

    def _on_export(self) -> None:
        today = times.day_of(self.background.desk.now(), self._zone)
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export the audit trail", f"audit-trail-{today}.csv", "CSV files (*.csv)"
        )
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, file: Path) -> None:
        """Write what the trail is narrowed to into a file."""
        self.background.ask(trail.export, self.asked, file).then(
            self,
            lambda many: toasts.say(self, f"{many:,} lines were written to {file.name}."),
            busy=[self.export],
        )


def _was(one: Difference) -> str:
    return one.before


def _is(one: Difference) -> str:
    return one.after
