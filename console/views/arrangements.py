"""Payment arrangements: the sheet on which one is agreed on, the panel, and who is late."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.arrangements import (
    GRACE,
    MOST_PARTS,
    ArrangementState,
    BadArrangement,
    Part,
    Rhythm,
    Standing,
    check_parts,
)
from console.domain.arrangements import offer as split
from console.domain.errors import ConsoleError
from console.domain.money import BadAmount, Money
from console.services import arrangements
from console.services.arrangements import (
    MOST_NOTE,
    WAYS_TO_ASK,
    ArrangementOffer,
    ArrangementRow,
    ArrangementWish,
    PromiseDue,
    PromiseRow,
)
from console.services.member_page import AccountRow, MemberPage
from console.views.account_panel import AccountPanel
from console.views.asked import AskedField
from console.views.audit import DayField
from console.views.screen import Screen
from console.views.sheet import Sheet
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    Button,
    EmptyPlace,
    Field,
    Mark,
    Notice,
    Words,
    act,
    heading,
    label,
    line_edit,
    muted,
    row,
)

STANDINGS = {
    Standing.KEPT: ("check-circle", "good"),
    Standing.DUE: ("clock", "muted"),
    Standing.DUE_TODAY: ("clock", "warn"),
    Standing.LATE: ("hourglass", "warn"),
    Standing.BROKEN: ("cross-circle", "bad"),
    Standing.OFF: ("dash", "muted"),
}
STATES = {
    ArrangementState.OPEN: ("clock", "accent"),
    ArrangementState.KEPT: ("check-circle", "good"),
    ArrangementState.BROKEN: ("cross-circle", "bad"),
    ArrangementState.CALLED_OFF: ("dash", "muted"),
}


class ArrangementSheet(Sheet):
    """Agrees with a member on dated parts of what is owed."""

    made = Signal(object)
    """The arrangement as it stands on file."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        page: MemberPage,
        account: AccountRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        super().__init__(over, f"An arrangement for account {account.printed_number}", wide=680)
        self.background = background
        self._member_id, self._account_number = page.member_id, account.number
        self._call_id = call_id
        self._id = str(uuid4())
        self._offered: ArrangementOffer | None = None
        self.parts: list[tuple[DayField, QLineEdit]] = []
        self._touched = False
        self.asked = AskedField(
            WAYS_TO_ASK,
            call_verified=call_verified,
            hint="" if call_verified else "A promise is given by a verified caller or in person.",
        )
        self.asked.chosen.connect(self._dress)
        self.owed = Notice("info", "")
        self.owed.hide()
        self.body.addWidget(self.owed)
        self.body.addWidget(self.asked)
        self._make_form()
        self.save = act(
            self, "Agree on it", self._on_save, key="Ctrl+Return", icon="check", listed=False
        )
        self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))
        self._dress()
        background.ask(arrangements.offer, self._account_number).then(self, self.show_offer)

    # What it does

    def show_offer(self, offered: ArrangementOffer) -> None:
        """Fill the form with what is owed, split as members mostly ask for it."""
        self._offered = offered
        if offered.refusal:
            self.owed.say(offered.refusal, "alert", "warn")
            self._dress()
            return
        past_due = f", {offered.past_due} of it past due" if offered.past_due > Money(0) else ""
        self.owed.say(f"The account owes {offered.balance}{past_due}.")
        for part in (self.total, self.count, self.first):
            part.blockSignals(True)
        self.total.setText(str(offered.total))
        self.count.setCurrentIndex(max(0, len(offered.parts) - 1))
        first = offered.parts[0].due_on if offered.parts else offered.today
        self.first.setDate(_as_shown(first))
        for part in (self.total, self.count, self.first):
            part.blockSignals(False)
        self.form.show()
        self._split()
        self._touched = False
        if self.asked.asked is None:
            self.asked.setFocus()
        else:
            self.total.setFocus()
            self.total.selectAll()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, beside the part where it is one; nothing typed is lost."""
        super().show_problem(problem)
        if isinstance(problem, BadArrangement) and problem.part is not None:
            day, _ = self.parts[problem.part]
            day.setFocus()

    def reject(self) -> None:
        """Close; a half-made arrangement is asked about first."""
        if self._touched:
            self.ask_to_leave(
                "Nothing is agreed on, and what you typed here is forgotten.", self._leave
            )
            return
        self._leave()

    def _leave(self) -> None:
        super().reject()

    # How it is put together

    def _make_form(self) -> None:
        self.form = QWidget()
        self.total = line_edit("84.10", spoken="Sum to arrange", longest=14)
        self.count = QComboBox()
        self.count.setAccessibleName("Parts")
        for many in range(1, MOST_PARTS + 1):
            self.count.addItem("1 part" if many == 1 else f"{many} parts", many)
        self.rhythm = QComboBox()
        self.rhythm.setAccessibleName("How often")
        for rhythm in Rhythm:
            self.rhythm.addItem(rhythm.words, rhythm)
        self.rhythm.setCurrentIndex(self.rhythm.findData(Rhythm.MONTH))
        self.first = DayField("First day")
        self.total.textEdited.connect(self._on_split)
        self.count.currentIndexChanged.connect(self._on_split)
        self.rhythm.currentIndexChanged.connect(self._on_split)
        self.first.dateChanged.connect(self._on_split)
        head = row(
            Field("Sum to arrange", self.total),
            Field("In how many", self.count),
            Field("How often", self.rhythm),
            Field("First day", self.first),
            gap=2 * GRID,
        )
        for place, stretch in enumerate((3, 3, 4, 4)):
            head.setStretch(place, stretch)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._grid.setColumnStretch(1, 3)
        self._grid.setColumnStretch(2, 2)
        self._grid.setColumnStretch(3, 3)
        self.sum_up = Words("", wrap=True)
        self.note = line_edit("What was agreed besides", spoken="Note", longest=MOST_NOTE)
        self.note.textEdited.connect(self._on_touched)
        inside = QVBoxLayout(self.form)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(12)
        inside.addLayout(head)
        inside.addLayout(self._grid)
        inside.addWidget(self.sum_up)
        inside.addWidget(Field("Note", self.note))
        self.form.hide()
        self.body.addWidget(self.form)

    def _show_parts(self, parts: tuple[Part, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.parts = []
        for place, part in enumerate(parts):
            day = DayField(f"Day of part {place + 1}")
            day.setDate(_as_shown(part.due_on))
            amount = line_edit(spoken=f"Amount of part {place + 1}", longest=14)
            amount.setText(str(part.amount))
            day.dateChanged.connect(self._on_touched)
            amount.textEdited.connect(self._on_touched)
            self._grid.addWidget(label(f"{place + 1}.", day), place, 0)
            self._grid.addWidget(day, place, 1)
            self._grid.addWidget(amount, place, 2)
            self.parts.append((day, amount))
        before: QWidget = self.first
        for day, amount in self.parts:
            for part_of_row in (day, amount):
                QWidget.setTabOrder(before, part_of_row)
                before = part_of_row
        QWidget.setTabOrder(before, self.note)

    # What happens

    def _on_split(self) -> None:
        self._touched = True
        self._split()

    def _split(self) -> None:
        try:
            parts = split(
                Money.parse(self.total.text()),
                int(self.count.currentData()),
                _day_in(self.first),
                Rhythm(self.rhythm.currentData()),
            )
        except ConsoleError:
            parts = ()
        self._show_parts(parts)
        self._dress()

    def _on_touched(self) -> None:
        self._touched = True
        self._dress()

    def _typed(self) -> tuple[Money, tuple[Part, ...]]:
        """Read the form; raises BadAmount for a sum that is none."""
        total = Money.parse(self.total.text())
        parts = [Part(_day_in(day), Money.parse(amount.text())) for day, amount in self.parts]
        return total, tuple(parts)

    def _dress(self) -> None:
        self.clear_problem()
        offered = self._offered
        ready = offered is not None and not offered.refusal
        self.save.setEnabled(ready and self.asked.asked is not None)
        if offered is None or not ready:
            return
        try:
            total, parts = self._typed()
            check_parts(parts, total, offered.balance, offered.today)
        except (BadAmount, BadArrangement) as problem:
            self.sum_up.say(str(problem), "bad")
            return
        said = ", ".join(
            f"{part.amount} by {times.day(part.due_on, offered.today)}" for part in parts
        )
        self.sum_up.say(
            f"Read back: {said}; {total} in all. What comes more than {GRACE.days} days late "
            "breaks the arrangement.",
            "ink",
        )

    def _on_save(self) -> None:
        asked, offered = self.asked.asked, self._offered
        if asked is None or offered is None:
            return
        self.clear_problem()
        try:
            total, parts = self._typed()
            check_parts(parts, total, offered.balance, offered.today)
        except (BadAmount, BadArrangement) as problem:
            self.show_problem(problem)
            return
        wish = ArrangementWish(
            self._id,
            self._member_id,
            self._account_number,
            total,
            parts,
            asked,
            self._call_id,
            self.note.text(),
        )
        self.background.ask(arrangements.make, wish).then(
            self, self._on_made, busy=[self.save_button]
        )

    def _on_made(self, made: ArrangementRow) -> None:
        self._touched = False
        self.made.emit(made)
        self.accept()


class CallOffSheet(Sheet):
    """Ends an arrangement that runs, once it is known who asks for it."""

    ended = Signal(object)

    def __init__(
        self,
        over: QWidget,
        background: Background,
        arrangement: ArrangementRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        super().__init__(over, "Call off the arrangement?", wide=480)
        self.background = background
        self._id, self._call_id = arrangement.id, call_id
        self.body.addWidget(
            Words(
                "Its promises are no longer waited for. What was paid stays paid, and what is owed "
                "stays owed.",
                wrap=True,
            )
        )
        self.asked = AskedField(WAYS_TO_ASK, call_verified=call_verified)
        self.asked.chosen.connect(self._dress)
        self.body.addWidget(self.asked)
        self.go = act(
            self, "Call it off", self._on_go, key="Ctrl+Return", icon="cross", listed=False
        )
        self.add_cancel("Keep it")
        self.go_button = self.add_button(Button(self.go, "danger"))
        self.asked.setFocus()
        self._dress()

    def _dress(self) -> None:
        self.go.setEnabled(self.asked.asked is not None)

    def _on_go(self) -> None:
        asked = self.asked.asked
        if asked is not None:
            self.clear_problem()
            self.background.ask(arrangements.call_off, self._id, asked, self._call_id).then(
                self, self._on_ended, busy=[self.go_button]
            )

    def _on_ended(self, ended: ArrangementRow) -> None:
        self.ended.emit(ended)
        self.accept()


class ArrangementsPanel(AccountPanel):
    """The arrangements of one account: what was promised, and what became of it."""

    def __init__(self, background: Background) -> None:
        super().__init__(background, "Payment arrangement")
        self.shown: ArrangementRow | None = None
        self.badge = Badge("clock", "", "muted")
        self.words = muted("", wrap=True)
        self.promises = QGridLayout()
        self.promises.setHorizontalSpacing(2 * GRID)
        self.promises.setVerticalSpacing(GRID // 2)
        self.promises.setColumnStretch(2, 1)
        self.note = Words("", wrap=True)
        self.make = act(
            self, "Make a payment arrangement", self.open_sheet, key="Ctrl+Shift+G",
            icon="calendar", more="Splits what is owed in dated parts.",
        )  # fmt: skip
        self.call_off = act(
            self, "Call off the arrangement", self.open_call_off, icon="cross",
            more="Its promises are no longer waited for.",
        )  # fmt: skip
        self.make_button = Button(self.make)
        self.call_off_button = Button(self.call_off)
        self.body.addLayout(row(heading("Payment arrangement"), self.badge, 0))
        self.body.addWidget(self.words)
        self.body.addLayout(self.promises)
        self.body.addWidget(self.note)
        self.body.addWidget(self.problem)
        self.body.addLayout(row(self.make_button, self.call_off_button, 0))
        self._dress()

    # What it does

    def turn_to(self, *, is_another: bool) -> None:
        self._show(None if is_another else self.shown)
        if is_another:
            self.load()

    def load(self) -> None:
        """Ask for the arrangements as they stand now."""
        if self.page is not None:
            self.background.ask(arrangements.of_member, self.page.member_id).latest(
                self, self.show_rows
            )

    def show_rows(self, rows: tuple[ArrangementRow, ...]) -> None:
        """Show the newest arrangement of this account."""
        self.problem.say("")
        number = self.account.number if self.account else ""
        self._show(next((one for one in rows if one.account_number == number), None))

    def open_sheet(self) -> ArrangementSheet | None:
        """Open the sheet on which an arrangement is agreed on."""
        if self.page is None or self.account is None:
            return None
        sheet = ArrangementSheet(
            self,
            self.background,
            self.page,
            self.account,
            self.call_id,
            call_verified=self.call_verified,
        )
        sheet.made.connect(self._on_made)
        sheet.open()
        return sheet

    def open_call_off(self) -> CallOffSheet | None:
        """Ask who wants the arrangement called off."""
        if self.shown is None:
            return None
        sheet = CallOffSheet(
            self, self.background, self.shown, self.call_id, call_verified=self.call_verified
        )
        sheet.ended.connect(self._on_ended)
        sheet.open()
        return sheet

    # What happens

    def _show(self, shown: ArrangementRow | None) -> None:
        self.shown = shown
        self._clear()
        self.badge.setVisible(shown is not None)
        self.note.setVisible(shown is not None and bool(shown.note))
        if shown is None:
            self.words.say("Nothing is arranged for this account.")
        else:
            icon, tone = STATES[shown.state]
            self.badge.show_state(icon, shown.state.words, tone)
            self.words.say(self._summary(shown))
            self.note.say(shown.note)
            for place, promise in enumerate(shown.promises):
                self._add_promise(place, promise)
        self._dress()

    def _summary(self, shown: ArrangementRow) -> str:
        desk = self.background.desk
        zone = desk.settings.zone
        made = f"{shown.made_by}, {times.when(shown.made_at, desk.now(), zone)}"
        if shown.ended_at is not None:
            ended = times.when(shown.ended_at, desk.now(), zone)
            by = f" by {shown.ended_by}" if shown.ended_by else ""
            return f"Made by {made}. {shown.state.words}{by} {ended}."
        paid, total = self.money(shown.paid), self.money(shown.total)
        return f"{paid} of {total} paid since. Made by {made}."

    def _add_promise(self, place: int, promise: PromiseRow) -> None:
        desk = self.background.desk
        today = times.day_of(desk.now(), desk.settings.zone)
        icon, tone = STANDINGS[promise.standing]
        day = Words(_beginning(times.day(promise.due_on, today)))
        amount = Words(self.money(promise.amount))
        amount.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        mark = Mark(icon, promise.standing.words, tone)
        mark.setAccessibleName(f"{amount.text()} by {day.text()}: {promise.standing.words}")
        for column, part in enumerate((day, amount, mark)):
            self.promises.addWidget(part, place, column)

    def _clear(self) -> None:
        while (item := self.promises.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()

    def _dress(self) -> None:
        may = self.background.desk.colleague.role.changes_the_file
        runs = self.shown is not None and self.shown.state is ArrangementState.OPEN
        self.make.setEnabled(may and not runs and self.account is not None)
        self.call_off.setEnabled(may and runs)
        self.make_button.setVisible(not runs)
        self.call_off_button.setVisible(runs)

    def _on_made(self, made: ArrangementRow) -> None:
        say(self, f"{made.total} is arranged in {len(made.promises)} parts.")
        self.load()

    def _on_ended(self, _ended: ArrangementRow) -> None:
        say(self, "The arrangement is called off.")
        self.load()


class ArrangementsWorklist(Screen):
    """Which promises are due today or soon, late or broken: whom to remind, and of what."""

    member_wanted = Signal(int, str)
    """A member at one of their accounts."""

    shows = frozenset({"Arrangement", "Payment", "LedgerEntry"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Payment arrangements")
        self.table: RowTable[PromiseDue] = RowTable(
            self._columns(),
            lambda one: (one.arrangement_id, one.due_on),
            name="Promises that are due",
            empty=EmptyPlace(
                "calendar",
                "No promise is due.",
                more="What falls due within three days, and what was broken, is listed here.",
            ),
        )
        self.page.setContentsMargins(0, 0, 0, 0)
        self.page.addWidget(self.table, 1)
        self.table.opened.connect(self._on_open)
        self.setFocusProxy(self.table)

    def load(self) -> None:
        """Ask for the list as it stands now."""
        self.background.ask(arrangements.worklist).latest(self, self.show_rows)

    def show_rows(self, rows: tuple[PromiseDue, ...]) -> None:
        """Show the promises; the cursor stays on its row."""
        self.clear_problem()
        self.table.show_rows(rows)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.background.ask(arrangements.settle_due).then(
            self, lambda _: self.load(), failed=lambda _: self.load(), quiet=True
        )

    def _columns(self) -> tuple[Column[PromiseDue], ...]:
        return (
            Column("Due", lambda one: one.due_on, self._day, width=110),
            Column(
                "Standing",
                lambda one: one.standing.words,
                icon=lambda one: STANDINGS[one.standing][0],
                tone=lambda one: STANDINGS[one.standing][1],
                width=120,
            ),
            Column("Member", lambda one: one.member_name, stretch=True, bold=True),
            Column("Account", lambda one: one.printed_number, width=110),
            Column("Promised", lambda one: one.amount, align="right", width=110, spare=True),
            Column("Still missing", lambda one: one.missing, align="right", width=120),
        )

    def _day(self, on: date) -> str:
        desk = self.background.desk
        return _beginning(times.day(on, times.day_of(desk.now(), desk.settings.zone)))

    def _on_open(self, one: PromiseDue) -> None:
        self.member_wanted.emit(one.member_id, one.account_number)


def _beginning(words: str) -> str:
    return words[:1].upper() + words[1:]


def _as_shown(on: date) -> QDate:
    return QDate(on.year, on.month, on.day)


def _day_in(field: DayField) -> date:
    shown = field.date()
    return date(shown.year(), shown.month(), shown.day())
