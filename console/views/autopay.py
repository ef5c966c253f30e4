"""Auto Pay: the sheet on which an account is enrolled, the panel, and the runs in trouble."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QGridLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.authorizations import Debit, Recurring, phone_authorization
from console.domain.autopay import FIRST_DAY, LAST_DAY, day_words, next_run
from console.domain.errors import ConsoleError
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.services import autopay
from console.services.autopay import (
    WAYS_TO_END,
    AutoPayForm,
    AutoPayRow,
    AutoPayTrouble,
    AutoPayWish,
    MethodChoice,
    RecurringMandate,
    RunRow,
)
from console.services.member_page import AccountRow, MemberPage
from console.views import theme
from console.views.account_panel import AccountPanel
from console.views.asked import AskedField
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
    column,
    heading,
    label,
    line_edit,
    muted,
    row,
)

_RUNS = {
    True: ("check-circle", "good"),
    None: ("clock", "muted"),
    False: ("cross-circle", "warn"),
}


class AutoPaySheet(Sheet):
    """Enrols an account: with which method, on which day, and up to how much."""

    enrolled = Signal(object)
    """The enrolment as it stands on file."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        page: MemberPage,
        account: AccountRow,
        call_id: str | None,
    ) -> None:
        super().__init__(over, f"Auto Pay for account {account.printed_number}", wide=780)
        self.background = background
        self._member_id, self._account_number = page.member_id, account.number
        self._call_id = call_id
        self._id = str(uuid4())
        self._form: AutoPayForm | None = None
        self.news = Notice("info", "")
        self.news.hide()
        self.body.addWidget(self.news)
        self._make_form()
        self._make_mandate()
        self.read_back = Words("", wrap=True)
        self.body.addWidget(self.read_back)
        self.save = act(
            self, "Enrol the account", self._on_save, key="Ctrl+Return", icon="check", listed=False
        )
        self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))
        self._dress()
        background.ask(autopay.prepare, self._account_number, call_id).then(self, self.show_form)

    # What it does

    def show_form(self, form: AutoPayForm) -> None:
        """Fill the sheet with the methods there are, or say why nothing can be agreed on."""
        self._form = form
        if form.refusal:
            self.news.say(form.refusal, "alert", "warn")
            self._dress()
            return
        for one in form.methods:
            words = f"{one.words} ({one.refusal})" if one.refusal else one.words
            self.method.addItem(words, one.id)
        usable = [place for place, one in enumerate(form.methods) if not one.refusal]
        self.method.setCurrentIndex(usable[0] if usable else 0)
        self.name.setText(form.member_name)
        self.copy_to.setText(form.email)
        self.form.show()
        self.method.setFocus()
        self._dress()

    # How it is put together

    def _make_form(self) -> None:
        self.method = QComboBox()
        self.method.setAccessibleName("Pay with")
        self.day = QComboBox()
        self.day.setAccessibleName("On which day")
        self.day.addItem("When the bill is due", None)
        for day in range(FIRST_DAY, LAST_DAY + 1):
            self.day.addItem(f"On day {day} of each month", day)
        self.most = line_edit("No limit", spoken="No more than", longest=14)
        self.method.currentIndexChanged.connect(self._dress)
        self.day.currentIndexChanged.connect(self._dress)
        self.most.textChanged.connect(self._dress)
        how = row(Field("On which day", self.day), Field("No more than", self.most), gap=2 * GRID)
        how.setStretch(0, 3)
        how.setStretch(1, 2)
        self.form = QWidget()
        self.form.setLayout(column(Field("Pay with", self.method), how, gap=12))
        self.form.hide()
        self.body.addWidget(self.form)

    def _make_mandate(self) -> None:
        self.name = line_edit(spoken="Name on the bank account", longest=120)
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind of account")
        self.kind.addItem("Checking", False)
        self.kind.addItem("Savings", True)
        self.script = Words("", wrap=True).selectable()
        quote = QFrame()
        theme.role(quote, "quote")
        said = column(label("Read out, word for word"), self.script, gap=4)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 2)
        quote.setLayout(said)
        self.said_yes = QCheckBox("The caller said yes")
        self.recording = line_edit("As the phone shows it", spoken="Recording", longest=80)
        self.copy_to = line_edit("name@example.com", spoken="Written copy to", longest=254)
        for line in (self.name, self.recording, self.copy_to):
            line.textChanged.connect(self._dress)
        self.kind.currentIndexChanged.connect(self._dress)
        self.said_yes.toggled.connect(self._dress)
        who = row(
            Field("Name on the bank account", self.name),
            Field("Kind of account", self.kind),
            gap=2 * GRID,
        )
        who.setStretch(0, 3)
        who.setStretch(1, 2)
        proof = row(
            Field("Reference of the recording", self.recording),
            Field("Written copy to", self.copy_to),
            gap=2 * GRID,
        )
        proof.setStretch(0, 1)
        proof.setStretch(1, 1)
        self.mandate = QWidget()
        self.mandate.setLayout(column(who, quote, row(self.said_yes, 0), proof, gap=12))
        self.mandate.hide()
        self.body.addWidget(self.mandate)

    # What happens

    def _chosen(self) -> MethodChoice | None:
        form = self._form
        at = self.method.currentIndex()
        return form.methods[at] if form and 0 <= at < len(form.methods) else None

    def _cap(self) -> Money | None:
        typed = self.most.text().strip()
        return Money.parse(typed) if typed else None

    def _dress(self) -> None:
        self.clear_problem()
        form, method = self._form, self._chosen()
        ready = form is not None and not form.refusal and method is not None
        is_bank = ready and method is not None and method.kind is MethodKind.BANK
        self.mandate.setVisible(is_bank)
        self.save.setEnabled(False)
        self.read_back.hide()
        if form is None or method is None or not ready:
            return
        wrong = method.refusal
        try:
            cap = self._cap()
            self.script.setText(self._script(form, method) if is_bank else "")
        except ConsoleError as problem:
            wrong, cap = wrong or str(problem), None
            self.script.setText("")
        if is_bank and not wrong:
            if not self.said_yes.isChecked():
                wrong = "Read it out, and tick when the caller has said yes."
            elif not (self.recording.text().strip() and self.copy_to.text().strip()):
                wrong = "A monthly debit needs the recording and a written copy as its proof."
        self.save.setEnabled(not wrong)
        up_to = f", up to {cap}" if cap is not None else ""
        what = f"{method.words} pays what is owed{up_to} {day_words(self._day())}"
        first = next_run(self._day(), form.due_on, form.today)
        begins = f", for the first time {times.day(first, form.today)}" if first else ""
        self.read_back.say(
            wrong or f"Read back: {what}{begins}. You can end it at any time.",
            "warn" if wrong else "ink",
        )
        self.read_back.show()

    def _day(self) -> int | None:
        chosen = self.day.currentData()
        return None if chosen is None else int(chosen)

    def _script(self, form: AutoPayForm, method: MethodChoice) -> str:
        settings = self.background.desk.settings
        debit = Debit(
            settings.coop_name,
            settings.coop_phone,
            self.name.text(),
            (form.printed_number,),
            method.last_four,
            bool(self.kind.currentData()),
            next_run(self._day(), form.due_on, form.today) or form.today,
            form.today,
        )
        return phone_authorization(debit, None, Recurring(self._day(), self._cap()))

    def _on_save(self) -> None:
        method = self._chosen()
        if method is None:
            return
        mandate = None
        if method.kind is MethodKind.BANK:
            mandate = RecurringMandate(
                self.script.text(), self.recording.text(), self.copy_to.text()
            )
        wish = AutoPayWish(
            self._id,
            self._member_id,
            self._account_number,
            method.id,
            self._call_id,
            self._day(),
            self._cap(),
            mandate,
        )
        self.background.ask(autopay.enrol, wish).then(
            self, self._on_enrolled, busy=[self.save_button]
        )

    def _on_enrolled(self, enrolled: AutoPayRow) -> None:
        self.enrolled.emit(enrolled)
        self.accept()


class EndAutoPaySheet(Sheet):
    """Ends an enrolment, once it is known who asks for it."""

    ended = Signal()

    def __init__(
        self,
        over: QWidget,
        background: Background,
        enrolment: AutoPayRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        super().__init__(over, "End Auto Pay?", wide=480)
        self.background = background
        self._id, self._call_id = enrolment.id, call_id
        self.body.addWidget(
            Words(
                f"{enrolment.method_words} no longer pays account {enrolment.printed_number} by "
                "itself. A payment that was sent already is not called back.",
                wrap=True,
            )
        )
        self.asked = AskedField(WAYS_TO_END, call_verified=call_verified)
        self.asked.chosen.connect(self._dress)
        self.body.addWidget(self.asked)
        self.go = act(
            self, "End Auto Pay", self._on_go, key="Ctrl+Return", icon="cross", listed=False
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
            self.background.ask(autopay.end, self._id, asked, self._call_id).then(
                self, self._on_ended, busy=[self.go_button]
            )

    def _on_ended(self, _: None) -> None:
        self.ended.emit()
        self.accept()


class AutoPayPanel(AccountPanel):
    """Whether one account is paid by itself, when next, and what came of the last runs."""

    def __init__(self, background: Background) -> None:
        super().__init__(background, "Auto Pay")
        self.shown: AutoPayRow | None = None
        self.badge = Badge("dash", "Not enrolled", "muted")
        self.words = Words("", wrap=True)
        self.trouble = Notice("alert", "", "warn")
        self.trouble.hide()
        self.runs = QGridLayout()
        self.runs.setHorizontalSpacing(2 * GRID)
        self.runs.setVerticalSpacing(GRID // 2)
        self.runs.setColumnStretch(2, 1)
        self.enrol = act(
            self, "Enrol in Auto Pay", self.open_sheet, icon="refresh",
            more="A stored card or bank account then pays by itself.",
        )  # fmt: skip
        self.end = act(self, "End Auto Pay", self.open_end, icon="cross")
        self.enrol_button, self.end_button = Button(self.enrol), Button(self.end)
        self.body.addLayout(row(heading("Auto Pay"), self.badge, 0))
        self.body.addWidget(self.words)
        self.body.addWidget(self.trouble)
        self.body.addLayout(self.runs)
        self.body.addWidget(self.problem)
        self.body.addLayout(row(self.enrol_button, self.end_button, 0))
        self._show(None)

    # What it does

    def turn_to(self, *, is_another: bool) -> None:
        self._show(None if is_another else self.shown)
        if is_another:
            self.load()

    def load(self) -> None:
        """Ask for the enrolments as they stand now."""
        if self.page is not None:
            self.background.ask(autopay.of_member, self.page.member_id).latest(self, self.show_rows)

    def show_rows(self, rows: tuple[AutoPayRow, ...]) -> None:
        """Show the enrolment of this account."""
        self.problem.say("")
        number = self.account.number if self.account else ""
        self._show(next((one for one in rows if one.account_number == number), None))

    def open_sheet(self) -> AutoPaySheet | None:
        """Open the sheet on which the account is enrolled."""
        if self.page is None or self.account is None:
            return None
        sheet = AutoPaySheet(self, self.background, self.page, self.account, self.call_id)
        sheet.enrolled.connect(self._on_enrolled)
        sheet.open()
        return sheet

    def open_end(self) -> EndAutoPaySheet | None:
        """Ask who wants Auto Pay ended."""
        if self.shown is None:
            return None
        sheet = EndAutoPaySheet(
            self, self.background, self.shown, self.call_id, call_verified=self.call_verified
        )
        sheet.ended.connect(self._on_ended)
        sheet.open()
        return sheet

    # What happens

    def _show(self, shown: AutoPayRow | None) -> None:
        self.shown = shown
        while (item := self.runs.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.trouble.say("" if shown is None else shown.in_the_way)
        if shown is None:
            self.badge.show_state("dash", "Not enrolled", "muted")
            self.words.say("Nothing is paid by itself for this account.", "muted")
        else:
            self.badge.show_state("check-circle", "Enrolled", "good")
            self.words.say(self._summary(shown), "ink")
            for place, run in enumerate(shown.runs):
                self._add_run(place, run)
        may = self.background.desk.colleague.role.changes_the_file
        self.enrol.setEnabled(may and shown is None and self.account is not None)
        self.end.setEnabled(may and shown is not None)
        self.enrol_button.setVisible(shown is None)
        self.end_button.setVisible(shown is not None)

    def _summary(self, shown: AutoPayRow) -> str:
        up_to = f", up to {self.money(shown.most)}" if shown.most is not None else ""
        what = f"{shown.method_words} pays {shown.day_words}{up_to}."
        if shown.next_run is None:
            return f"{what} No bill is due just now."
        return (
            f"{what} Next {self._day(shown.next_run)}: {self.money(shown.amount)} as things stand."
        )

    def _add_run(self, place: int, run: RunRow) -> None:
        day = self._day(run.run_on)
        icon, tone = _RUNS[run.is_good]
        mark = Mark(icon, run.words, tone)
        mark.setWordWrap(True)
        parts = (muted(day[:1].upper() + day[1:]), Words(self.money(run.amount)), mark)
        for at, part in enumerate(parts):
            self.runs.addWidget(part, place, at)

    def _day(self, on: date) -> str:
        desk = self.background.desk
        return times.day(on, times.day_of(desk.now(), desk.settings.zone))

    def _on_enrolled(self, enrolled: AutoPayRow) -> None:
        say(self, f"{enrolled.method_words} pays {enrolled.day_words} from now on.")
        self.load()

    def _on_ended(self) -> None:
        say(self, "Auto Pay is ended for this account.")
        self.load()


class AutoPayTroubles(Screen):
    """The runs of late that brought no money though some was due: whom to speak with."""

    member_wanted = Signal(int, str)
    """A member at one of their accounts."""

    shows = frozenset({"AutoPay", "AutoPayRun", "Payment", "PaymentReturn"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Auto Pay in trouble")
        self.table: RowTable[AutoPayTrouble] = RowTable(
            (
                Column("Day", lambda one: one.run_on, self._day, width=110),
                Column("Member", lambda one: one.member_name, bold=True, width=200),
                Column("Account", lambda one: one.printed_number, width=110),
                Column("Amount", lambda one: one.amount, align="right", width=110),
                Column(
                    "What happened",
                    lambda one: one.words,
                    stretch=True,
                    icon=lambda _: "cross-circle",
                    tone=lambda _: "bad",
                ),
            ),
            lambda one: one.run_id,
            name="Auto Pay in trouble",
            empty=EmptyPlace(
                "check-circle",
                "Every run went well.",
                more="Declined and left-out runs of the last thirty days are listed here.",
            ),
        )
        self.page.setContentsMargins(0, 0, 0, 0)
        self.page.addWidget(self.table, 1)
        self.table.opened.connect(self._on_open)
        self.setFocusProxy(self.table)

    def load(self) -> None:
        """Ask for the list as it stands now."""
        self.background.ask(autopay.troubles).latest(self, self.show_rows)

    def show_rows(self, rows: tuple[AutoPayTrouble, ...]) -> None:
        """Show the runs; the cursor stays on its row."""
        self.clear_problem()
        self.table.show_rows(rows)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    def _day(self, on: date) -> str:
        desk = self.background.desk
        words = times.day(on, times.day_of(desk.now(), desk.settings.zone))
        return words[:1].upper() + words[1:]

    def _on_open(self, one: AutoPayTrouble) -> None:
        self.member_wanted.emit(one.member_id, one.account_number)
