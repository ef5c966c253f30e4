"""The auditor's place: who did and looked at what, what a row said before, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QDate, QLocale, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QFileDialog,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QWidget,
)

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import trail, trail_proof
from console.services.trail import NobodyLikeThat
from console.services.trail_page import (
    NOTHING,
    Asked,
    Difference,
    Kind,
    TrailPage,
    TrailRow,
    Unusual,
)
from console.services.trail_proof import Progress, Verdict
from console.views import theme, toasts
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
    label,
    line_edit,
    row,
    title,
)

PAUSE_MILLISECONDS = 250
TYPING_RESTS_MILLISECONDS = 800
"""Half a number is nobody's: it is not asked for until whoever types it has come to rest."""
PROGRESS_MILLISECONDS = 100
MOST_FAULTS_SHOWN = 5
HEAD_HIGH, LINE_HIGH, TWO_LINES_HIGH = 42, 36, 52
LEAST_LINES = 2
LEAST_CHANGES, CHANGES_IN_A_TALL_WINDOW = 3, 5
TALL = 680
"""From this height on, in pixels at 100 %, more of what changed is in sight."""
NUMBER_WIDE = 230
WATCH_MILLISECONDS = 60_000
CHOSEN_DAYS = -1

PERIODS: tuple[tuple[str, int | None], ...] = (
    ("At any time", None),
    ("Today", 0),
    ("Since yesterday", 1),
    ("The last 7 days", 6),
    ("The last 30 days", 29),
    ("From one day to another", CHOSEN_DAYS),
)


class UnusualWatch(QObject):
    """Looks every minute whether anybody opens an unusual number of members, and tells how many do.

    Whoever has been shown on the audit screen is not told of again, until it is over.
    """

    told = Signal(int)

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.background = background
        self._found: frozenset[str] = frozenset()
        self._seen: frozenset[str] = frozenset()
        self._minute = QTimer(self)
        self._minute.setInterval(WATCH_MILLISECONDS)
        self._minute.timeout.connect(self.look)

    def begin(self) -> None:
        """Look now, and every minute from now on; nobody looks who may not read the trail."""
        if trail.may_read(self.background.desk) and not self._minute.isActive():
            self._minute.start()
            self.look()

    def stop(self) -> None:
        """Look no longer."""
        self._minute.stop()

    def look(self) -> None:
        """Ask who opens an unusual number of members."""
        self.background.ask(trail.unusual).then(
            self, self.show_unusual, failed=self.show_problem, quiet=True
        )

    def show_unusual(self, found: Sequence[Unusual]) -> None:
        """Tell how many of them nobody has been shown yet."""
        self._found = frozenset(one.login for one in found)
        self._seen &= self._found
        self.told.emit(len(self._found - self._seen))

    def note_seen(self, logins: frozenset[str]) -> None:
        """Take those who were shown off the number."""
        self._seen |= logins
        self.told.emit(len(self._found - self._seen))

    def show_problem(self, problem: ConsoleError) -> None:
        """Say nothing: the lights in the rail tell that the database is away."""


class AuditScreen(Screen):
    """The audit trail, page by page; for auditors, supervisors and administrators."""

    shows = frozenset({"AuditEntry"})
    unusual_shown = Signal(object)
    """The logins of whom the screen has said that they open an unusual number of members."""

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Audit trail")
        self.rows: list[TrailRow] = []
        self._number = ""
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
        self.clear.setEnabled(False)
        theme.current().changed.connect(self._measure)
        self._measure()

    # What is asked and shown

    def load(self) -> None:
        """Ask for the newest page of what the trail is narrowed to."""
        if not self.isVisible():
            return  # it asks again as soon as it is looked at
        self.background.ask(trail.page, self.asked).latest(
            self, self.show_page, failed=self.show_problem
        )

    @property
    def asked(self) -> Asked:
        """What the trail is narrowed to."""
        return Asked(
            staff=str(self.person.currentData() or ""),
            number=self._number,
            kind=Kind(self.kind.currentText()),
            act=str(self.single.currentData() or ""),
            since=self._since(),
            until=self._until(),
        )

    def show_page(self, page: TrailPage) -> None:
        """Show the newest page; the cursor stays on its line."""
        self.clear_problem()
        self.empty.say("Nothing on the trail fits.", self._what_was_asked())
        older: list[TrailRow] = []
        if self._shown == self.asked and page.rows and len(self.rows) > len(page.rows):
            # Somebody has read further down: a new line on top does not take that away.
            shown = [line.id for line in self.rows]
            end = page.rows[-1].id
            older = self.rows[shown.index(end) + 1 :] if end in shown else []
        self._shown = self.asked
        self.rows = [*page.rows, *older]
        self._show_rows(self._more if older else page.more)

    def show_older(self, page: TrailPage) -> None:
        """Show a page of older lines below the others."""
        self.rows += page.rows
        self._show_rows(page.more, light=False)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; that nobody has a number is said where the lines would be."""
        if not isinstance(problem, NobodyLikeThat):
            super().show_problem(problem)
            return
        self.clear_problem()
        self._shown, self.rows = self.asked, []
        self.empty.say("Nobody has this number.", str(problem))
        self._show_rows(more=False)
        self.found.say(f"Nobody has the number “{self._number.strip()}”.", "bad")

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
        self.unusual_shown.emit(frozenset(one.login for one in found))

    def show_verdict(self, verdict: Verdict) -> None:
        """Say whether the trail is whole, and name what is not."""
        self._end_verifying()
        said = [verdict.words]
        shown = verdict.faults[:MOST_FAULTS_SHOWN]
        said += [
            f"Line {one.seq:,} of {one.chain}: {one.why}."
            if one.chain
            else f"{one.why[:1].upper()}{one.why[1:]}."
            for one in shown
        ]
        if left := len(verdict.faults) - len(shown):
            said.append(f"{left:,} more are listed by: coop-console database verify-audit")
        now = self.background.desk.now()
        self.verdict.say(
            f"Verified {times.to_the_second(now, now, self._zone)}. " + "\n".join(said),
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
        about = f"{line.what} — {line.whom}" if line.whom else line.what
        self.line.setText(about)
        self.line_more.setText(
            f"{line.who} ({line.login}) at {line.where or 'the server'}, "
            f"{self._when(line)}; their line {line.seq:,} on the trail"
            + (f". {line.detail}" if line.detail else "")
        )
        damage = f"Damaged: {line.damage}. Verify the trail, and tell whoever audits the co-op."
        self.damage.say(damage if line.damage else "")
        if self.differences.isHidden() is bool(differences):
            self.differences.setVisible(bool(differences))
            # The list has just become lower or higher: its line stays in sight.
            QTimer.singleShot(0, self, lambda: self.table.scrollTo(self.table.currentIndex()))

    # Qt overrides

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.background.ask(trail.people).latest(self, self.show_people)
        self.background.ask(trail.unusual).then(self, self.show_unusual)
        self.load()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._progress is not None:
            self._progress.stopped = True

    # How it is put together

    @property
    def _zone(self) -> str:
        return self.background.desk.settings.zone

    def _when(self, line: TrailRow) -> str:
        if line.at is None:
            return "at no known time"
        return times.to_the_second(line.at, self.background.desk.now(), self._zone)

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
        self.clear = act(
            self, "Clear the filters", self._on_clear, icon="cross",
            more="Shows the whole trail again.",
        )  # fmt: skip

    def _make_filters(self) -> None:
        self.person, self.kind, self.single, self.period = (QComboBox() for _ in range(4))
        choices = (self.person, self.kind, self.single, self.period)
        for choice, spoken in zip(
            choices, ("Whose lines", "Which acts", "Which single act", "Which time"), strict=True
        ):
            choice.setAccessibleName(spoken)
            choice.setMinimumContentsLength(14)
        self.person.addItem("Everybody", "")
        self.kind.addItems([kind.value for kind in Kind])
        self.single.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.single.setMinimumContentsLength(14)
        self._offer_acts()
        for word, days in PERIODS:
            self.period.addItem(word, days)
        today = times.day_of(self.background.desk.now(), self._zone)
        self.first_day, self.last_day = DayField("From day"), DayField("To day")
        for field, day in ((self.first_day, today - timedelta(days=6)), (self.last_day, today)):
            field.setDate(QDate(day.year, day.month, day.day))
        self.last_day.setMinimumDate(self.first_day.date())
        self.days = QWidget()
        self.days.setLayout(
            row(label("F&rom", self.first_day), self.first_day, label("&to", self.last_day),
                self.last_day)
        )  # fmt: skip
        self.days.hide()
        self.number = line_edit(
            "Member or account number", spoken="Member or account number", longest=30
        )
        self.number.setClearButtonEnabled(True)
        self._pause, self._typing = QTimer(self), QTimer(self)
        for timer, rests, then in (
            (self._pause, PAUSE_MILLISECONDS, self.load),
            (self._typing, TYPING_RESTS_MILLISECONDS, self._on_number),
        ):
            timer.setSingleShot(True)
            timer.setInterval(rests)
            timer.timeout.connect(then)
        self.number.textChanged.connect(lambda _: self._typing.start())
        self.number.returnPressed.connect(self._on_number)
        self.kind.currentIndexChanged.connect(lambda _: self._offer_acts())
        self.period.currentIndexChanged.connect(lambda _: self._offer_days())
        for choice in choices:
            choice.currentIndexChanged.connect(lambda _: self.load())
        self.first_day.dateChanged.connect(self.last_day.setMinimumDate)
        for field in (self.first_day, self.last_day):
            field.dateChanged.connect(lambda _: self._pause.start())

    def _make_tables(self) -> None:
        self.empty = EmptyPlace("history", "Nothing on the trail fits.")
        self.table: RowTable[TrailRow] = RowTable(
            self._columns(),
            lambda line: line.id,
            name="Audit trail",
            empty=self.empty,
            sortable=False,
        )
        self.table.turned_to.connect(self.show_row)
        self.differences: RowTable[Difference] = RowTable(
            (
                Column[Difference]("Detail", lambda one: one.column, width=210, bold=True),
                Column[Difference](
                    "Before", lambda one: one.before, stretch=True, hint=_was,
                    tone=lambda one: _tone(one.before),
                ),
                Column[Difference](
                    "After", lambda one: one.after, stretch=True, hint=_is,
                    tone=lambda one: _tone(one.after),
                ),
            ),
            lambda one: one.column,
            name="Before and after",
            sortable=False,
        )  # fmt: skip

    def _columns(self) -> tuple[Column[TrailRow], ...]:
        return (
            Column("When", self._when, width=160, least=150),
            Column(
                "Who", lambda line: line.who, width=180, bold=True,
                second=lambda line: " · ".join(part for part in (line.login, line.where) if part),
            ),
            Column(
                "What", lambda line: line.what, stretch=True, least=300,
                second=lambda line: _damaged(line) or line.detail,
                hint=lambda line: _damaged(line) or line.detail,
                icon=lambda line: (
                    "alert" if line.damage else "edit" if line.differences else ""
                ),
                tone=lambda line: "bad" if line.damage else "ink",
            ),
            Column(
                "About", lambda line: line.about, width=240, least=150,
                second=lambda line: line.about_more, hint=lambda line: line.whom,
            ),
        )  # fmt: skip

    def _lay_out(self) -> None:
        self.found = Words("", "text", "muted")
        self.unusual, self.verdict = Notice("eye", "", "warn"), Notice("shield", "", "good")
        for notice in (self.unusual, self.verdict):
            notice.hide()
        self.page.insertLayout(
            0, row(title("Audit trail"), 0, Button(self.export), Button(self.verify))
        )
        choices = QWidget()
        flow = FlowLayout(choices)
        for part in (self.person, self.kind, self.single, self.period, self.days, self.number):
            flow.addWidget(part)
        self.clear_button = Button(self.clear, "plain")
        line = row(self.found, 0, self.clear_button)
        self.line, self.line_more = (
            Words("", "bold", wrap=True),
            Words("", "text", "muted", wrap=True),
        )
        self.damage = Notice("alert", "", "bad")
        self.damage.hide()
        self.below = QWidget()
        told = column(self.line, self.line_more, self.damage, self.differences, 0, gap=GRID)
        told.setStretch(told.indexOf(self.differences), 100)
        told.setContentsMargins(0, GRID, 0, 0)
        self.below.setLayout(told)
        self.below.hide()
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        # It takes the room that is left, however long the lists in it are.
        split.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        split.addWidget(self.table)
        split.addWidget(self.below)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        inside = QWidget()
        self.lists = QWidget()
        self.lists.setLayout(column(split))
        whole = column(self.unusual, self.verdict, column(choices, line, gap=GRID // 2), self.lists)
        whole.setStretch(whole.indexOf(self.lists), 1)
        inside.setLayout(whole)
        area = QScrollArea()  # for large text in a low window
        area.setWidgetResizable(True)
        area.setWidget(inside)
        self.page.addWidget(area, 1)
        self.older_button = Button(self.older)
        self.page.addLayout(row(self.older_button, 0))
        self.setFocusProxy(self.table)

    def _measure(self) -> None:
        """Leave room for the rows that must be in sight, whatever the size of the text."""
        look = theme.current()
        self.number.setMinimumWidth(look.px(NUMBER_WIDE))
        lines = HEAD_HIGH + LEAST_LINES * TWO_LINES_HIGH
        self.table.setMinimumHeight(look.px(lines))
        tall = self.height() >= look.px(TALL)
        changes = CHANGES_IN_A_TALL_WINDOW if tall else LEAST_CHANGES
        before_and_after = HEAD_HIGH + changes * LINE_HIGH
        self.differences.setMinimumHeight(look.px(before_and_after))
        self.lists.setMinimumHeight(look.px(lines + 2 * LINE_HIGH + before_and_after))

    def _what_was_asked(self) -> str:
        number = self._number.strip()
        if number:
            return (
                f"There is nothing for “{number}” with these filters. Change or clear them above."
            )
        return "Choose another person, act or time above, or clear the filters."

    def _show_rows(self, more: bool, *, light: bool = True) -> None:
        # The lines of another choice are nobody's news.
        self.table.show_rows(self.rows, light=light, question=self._shown)
        many = f"{len(self.rows):,} line" + "s" * (len(self.rows) != 1)
        self.found.say(f"The newest {many}" if more else many, "muted")
        self.clear.setEnabled(self._narrowed)
        self._show_more(more)
        if self.table.current_row() is None and self.rows:
            self.table.turn_to(self.rows[0].id)
        self.show_row(self.table.current_row())

    def _show_more(self, more: bool) -> None:
        self._more = more
        self.older.setEnabled(more)
        self.older_button.setVisible(more)

    @property
    def _narrowed(self) -> bool:
        choices = (self.person, self.kind, self.single, self.period)
        return any(one.currentIndex() > 0 for one in choices) or bool(self.number.text())

    def _offer_acts(self) -> None:
        chosen = self.single.currentData()
        with QSignalBlocker(self.single):
            self.single.clear()
            self.single.addItem("Every one of them", "")
            for act_name, words in trail.acts(Kind(self.kind.currentText())):
                self.single.addItem(words, act_name)
            self.single.setCurrentIndex(max(0, self.single.findData(chosen)))
        # The words are longer than the field is wide.
        choices = self.single.view()
        choices.setMinimumWidth(choices.sizeHintForColumn(0) + theme.current().px(4 * GRID))

    def _offer_days(self) -> None:
        self.days.setVisible(self.period.currentData() == CHOSEN_DAYS)

    def _since(self) -> datetime | None:
        days = self.period.currentData()
        if days is None:
            return None
        if days == CHOSEN_DAYS:
            return times.midnight(_day_in(self.first_day), self._zone)
        today: date = times.day_of(self.background.desk.now(), self._zone)
        return times.midnight(today - timedelta(days=int(days)), self._zone)

    def _until(self) -> datetime | None:
        if self.period.currentData() != CHOSEN_DAYS:
            return None
        return times.midnight(_day_in(self.last_day) + timedelta(days=1), self._zone)

    # What happens

    def _on_find(self) -> None:
        self.number.setFocus()
        self.number.selectAll()

    def _on_number(self) -> None:
        self._typing.stop()
        if self._number != self.number.text():
            self._number = self.number.text()
            self.load()

    def _on_clear(self) -> None:
        for choice in (self.person, self.kind, self.single, self.period):
            with QSignalBlocker(choice):
                choice.setCurrentIndex(0)
        self._offer_acts()
        self._offer_days()
        self.number.clear()
        self._typing.stop()
        self._number = ""
        self.load()
        self.table.setFocus()

    def _on_older(self) -> None:
        if self._more and self.rows:
            self.background.ask(trail.page, self.asked, self.rows[-1].place).then(
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
        self.background.ask(trail_proof.verify, self._progress).then(
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
        self._on_number()
        self.background.ask(trail.export, self.asked, file).then(
            self, lambda many: self._say_exported(many, file), busy=[self.export]
        )

    def _say_exported(self, many: int, file: Path) -> None:
        lines = "One line was" if many == 1 else f"{many:,} lines were"
        toasts.say_written(self, lines, file)


def _was(one: Difference) -> str:
    return one.before


def _is(one: Difference) -> str:
    return one.after


def _tone(said: str) -> str:
    return "muted" if said == NOTHING else "ink"


def _damaged(line: TrailRow) -> str:
    return f"Damaged: {line.damage}" if line.damage else ""


class DayField(QDateEdit):
    """A day that can be typed as it is read, “03 Oct 2026”, or chosen from a calendar."""

    def __init__(self, spoken: str) -> None:
        super().__init__()
        self._moved_on = False
        self.setAccessibleName(spoken)
        self.setCalendarPopup(True)
        self.setKeyboardTracking(False)  # a year half typed is not asked for
        self.setLocale(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
        self.setDisplayFormat("dd MMM yyyy")
        self.setDateRange(QDate(1900, 1, 1), QDate(9998, 12, 31))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # After two digits Qt goes on to the month by itself; the space would skip that one.
        if self._moved_on and event.text() in (" ", "-", "/", "."):
            self._moved_on = False
            return
        before = self.currentSection()
        super().keyPressEvent(event)
        self._moved_on = event.text().isalnum() and self.currentSection() != before


def _day_in(field: QDateEdit) -> date:
    shown = field.date()
    return date(shown.year(), shown.month(), shown.day())
