"""Why the portal refused a registration: both spellings, the reasons, and what to read out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QVBoxLayout, QWidget

from console.background import Background
from console.domain import spelling, times
from console.domain.accounts import say_account
from console.domain.errors import ConsoleError
from console.domain.names import MatchRule
from console.domain.registration import Outcome, RefusalExplanation, Remedy, explain_refusal
from console.services import names, registration
from console.services.member_page import AccountRow, AttemptRow, MemberPage
from console.services.registration import PortalCheck
from console.views import theme
from console.views.spelling import SpellingView
from console.views.theme import GRID
from console.views.toasts import say
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
    row,
)

MOST_TRIES = 4
"""Tries to choose from; the rest stand on the timeline."""

_REFUSED = (Outcome.NAME_MISMATCH, Outcome.ACCOUNT_NOT_FOUND)


class ExplainPanel(Card):
    """Explains the newest refusal, or whatever the caller says they typed."""

    correction_wanted = Signal()
    """The representative wants to correct the file."""

    def __init__(self, background: Background) -> None:
        super().__init__(gap=12)
        self.setAccessibleName("Why it was refused")
        self.background = background
        self._page: MemberPage | None = None
        self._account: AccountRow | None = None
        self._call_id: str | None = None
        self._attempt_id = ""
        self._tries: tuple[AttemptRow, ...] = ()
        self._heard = ""
        self._own_words = False
        self._showing = False
        self.explanation: RefusalExplanation | None = None
        self._make_fields()
        self._make_answer()
        self._make_actions()
        self._lay_out()

    # What it does

    def show_account(self, page: MemberPage, account: AccountRow, call_id: str | None) -> None:
        """Explain the newest refusal of this account, unless the caller's own words stand here."""
        fresh = self._account is None or self._account.number != account.number
        renamed = self._page is not None and self._page.name != page.name
        self._page, self._account, self._call_id = page, account, call_id
        tries = refusals(account)
        newest = tries[0].id if tries else ""
        news = fresh or (newest != self._heard and not self._own_words)
        if fresh or tries != self._tries:
            self._tries = tries
            self._show_tries()
        if news:
            self._fill(tries[0] if tries else None)
        elif renamed:
            self.no_word_yet()  # the portal's word was about the name before
            self._explain()
        may = self.background.desk.colleague.role.changes_the_file
        self.read_out.setEnabled(may)
        self.correct.setEnabled(may)
        self._heard = newest

    def ask_what_was_typed(self) -> None:
        """Put the cursor where the caller's own words go."""
        self.typed_name.setFocus()
        self.typed_name.selectAll()
        bring_up(self)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; what was typed stays."""
        self.no_word_yet()
        self.problem.say(str(problem))

    def show_check(self, check: PortalCheck) -> None:
        """Show the portal's own word."""
        self.problem.say("")
        icon, tone = ("check-circle", "good") if check.passes else ("cross-circle", "bad")
        self.portal_said.show_mark(icon, check.words, tone)

    def no_word_yet(self) -> None:
        """Say what the portal can be asked; it has not been asked about this."""
        self.portal_said.show_mark("", "Would this registration pass now?", "muted")

    # How it is put together

    def _make_fields(self) -> None:
        self.typed_name = line_edit("Last or business name", spoken="Name as typed")
        self.typed_account = line_edit("As printed on the bill", spoken="Account number as typed")
        theme.role(self.typed_name, "mono")
        theme.role(self.typed_account, "mono")
        for field in (self.typed_name, self.typed_account):
            field.textChanged.connect(self._on_typed)

    def _make_answer(self) -> None:
        self.whence = Words("", "label")
        self.tries = QWidget()
        self.tries.setAccessibleName("Refused tries")
        self._tries_flow = FlowLayout(self.tries)
        self._tries_group = QButtonGroup(self)
        self.try_buttons: dict[str, Button] = {}
        self.spellings = SpellingView()
        self.reasons = QVBoxLayout()
        self.reasons.setSpacing(4)
        self.reason_lines: list[Mark] = []
        self.say_label = label("Read out")
        self.sentence = Words("", "title", wrap=True).selectable()
        self.sentence.setAccessibleName("Sentence to read out")
        self.alphabet = Words("", "text", "muted", wrap=True).selectable()
        self.alphabet.hide()
        self.portal_said = Mark("", "", "muted")
        self.portal_said.setWordWrap(True)
        self.no_word_yet()
        self.problem = ProblemLine()
        self.said = QFrame()
        theme.role(self.said, "quote")
        said = column(gap=4)
        self.said_head = row(self.say_label, 0)
        said.addLayout(self.said_head)
        said.addWidget(self.sentence)
        said.addWidget(self.alphabet)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 2)
        self.said.setLayout(said)

    def _make_actions(self) -> None:
        self.read_out = act(
            self, "I have read it out", self._on_read_out, key="Ctrl+R", icon="speak",
            more="Notes that the spelling on file was read to the caller.",
        )  # fmt: skip
        self.correct = act(
            self, "Correct the file…", self.correction_wanted.emit, key="Ctrl+E", icon="edit",
            more="Changes the name on file, with proof, and sends it to the portal.",
        )  # fmt: skip
        self.check = act(
            self, "Ask the portal", self._on_check, key="Ctrl+J", icon="portal",
            more="Would this registration pass now? Nothing is changed.",
        )  # fmt: skip
        self.spell = act(
            self, "Spelling alphabet", self._on_alphabet, key="Ctrl+Shift+S", icon="spelling",
            more="D as in David, e as in Edward.",
        )  # fmt: skip
        self.words = act(
            self, "What did the caller type?", self.ask_what_was_typed, key="Ctrl+Y", icon="edit"
        )
        self.other_try = act(
            self, "Explain the try before", self._on_other_try, key="Ctrl+Shift+Y", icon="history",
            more="Walks through the refused tries, and begins again after the oldest.",
        )  # fmt: skip

    def _lay_out(self) -> None:
        fields = row(
            Field("Name as typed", self.typed_name),
            Field("Account number as typed", self.typed_account),
            gap=2 * GRID,
        )
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        self.read_button = Button(self.read_out, "primary")
        self.correct_button = Button(self.correct)
        self.check_button = Button(self.check)
        self.spell_button = Button(self.spell, "plain")
        self.said_head.addWidget(self.spell_button)
        remedies = FlowLayout()
        remedies.addWidget(self.read_button)
        remedies.addWidget(self.correct_button)
        asked = row(self.check_button, self.portal_said, gap=12)
        asked.setStretch(1, 1)
        self.body.addLayout(row(heading("Why it was refused"), self.whence, 0))
        self.body.addWidget(self.tries)
        self.body.addLayout(fields)
        self.body.addWidget(self.spellings)
        self.body.addLayout(self.reasons)
        self.body.addWidget(self.said)
        self.body.addLayout(remedies)
        self.body.addLayout(asked)
        self.body.addWidget(self.problem)

    # What happens

    def _show_tries(self) -> None:
        self._tries_flow.clear()
        self.try_buttons = {}
        desk = self.background.desk
        for one in self._tries:
            at = times.when(one.at, desk.now(), desk.settings.zone)
            chip = Button(f"“{_shortened(one.name_typed)}”  {at}", "chip")
            chip.setAccessibleName(f"Explain “{one.name_typed}”, typed {at}")
            chip.setCheckable(True)
            chip.clicked.connect(lambda _=False, attempt=one: self._fill(attempt))
            self._tries_group.addButton(chip)
            self._tries_flow.addWidget(chip)
            self.try_buttons[one.id] = chip
        several = len(self._tries) > 1
        self.tries.setVisible(several)
        self.other_try.setEnabled(several)
        self._choose_try()

    def _choose_try(self) -> None:
        # The group would not let go of its last one.
        self._tries_group.setExclusive(False)
        for key, chip in self.try_buttons.items():
            chip.setChecked(key == self._attempt_id and not self._own_words)
        self._tries_group.setExclusive(True)

    def _fill(self, attempt: AttemptRow | None) -> None:
        self._showing = True
        self._own_words = False
        self._attempt_id = attempt.id if attempt else ""
        self.typed_name.setText(attempt.name_typed if attempt else "")
        self.typed_account.setText(attempt.account_typed if attempt else "")
        self._showing = False
        self._choose_try()
        self._say_whence()
        self.no_word_yet()
        self._explain()

    def _on_typed(self) -> None:
        if self._showing:
            return
        self._own_words = bool(self.typed_name.text().strip())
        self._choose_try()
        self._say_whence()
        self.no_word_yet()
        self._explain()

    def _say_whence(self) -> None:
        if self._own_words:
            self.whence.setText("as the caller says it")
        elif self.typed_name.text().strip():
            self.whence.setText("as the portal reports it")
        else:
            self.whence.setText("type what the caller says they typed")

    def _on_other_try(self) -> None:
        ids = [one.id for one in self._tries]
        if not ids:
            return
        at = ids.index(self._attempt_id) if self._attempt_id in ids else len(ids) - 1
        step = at if self._own_words else (at + 1) % len(ids)
        self._fill(self._tries[step])

    def _explain(self) -> None:
        page, account = self._page, self._account
        if page is None or account is None:
            return
        settings = self.background.desk.settings
        typed = self.typed_name.text()
        there = bool(typed.strip())
        self.spellings.setVisible(there)
        found = explain_refusal(
            self.typed_account.text() or account.number,
            typed,
            account.number,
            page.name,
            [holder.name for holder in page.holders],
            MatchRule(settings.name_rule),
            settings.name_cut_at,
        )
        self.explanation = found if there else None
        if there:
            self.spellings.show_pair(
                typed, page.name, found.name.typed_marks, found.name.on_file_marks
            )
        self._show_sentence(found if there else None, page.name)
        self._show_reasons(found if there else None)
        self._show_remedies(found if there else None)

    def _show_sentence(self, found: RefusalExplanation | None, on_file: str) -> None:
        # Where nothing was typed yet, the name on file can be read out all the same.
        readable = found is None or found.name.same_name
        self.sentence.setText(found.say if found else _plainly(on_file, self._number()))
        self.say_label.setText("Read out" if readable else "Ask the caller")
        self.alphabet.setText(spelling.spell_with_alphabet(on_file) if readable else "")
        self.spell.setEnabled(readable)
        self.spell_button.setVisible(readable)
        if not readable:
            self.alphabet.hide()

    def _number(self) -> str:
        return self._account.number if self._account else ""

    def _show_reasons(self, found: RefusalExplanation | None) -> None:
        for line in self.reason_lines:
            line.hide()
            line.deleteLater()
        self.reason_lines = []
        if found is None:
            return
        said = [("arrow-right", words, "ink") for words in found.reasons]
        if found.would_pass:
            said = [("check-circle", "The portal should take this just as it stands.", "good")]
        if not found.name.same_name:
            said.append(("supervisor", Remedy.ASK_SUPERVISOR.words + ".", "warn"))
        for icon, words, tone in said:
            line = Mark(icon, words, tone)
            line.setWordWrap(True)
            self.reasons.addWidget(line)
            self.reason_lines.append(line)

    def _show_remedies(self, found: RefusalExplanation | None) -> None:
        remedies = found.remedies if found else (Remedy.READ_OUT, Remedy.CORRECT_FILE)
        file_first = remedies[:1] == (Remedy.CORRECT_FILE,)
        theme.role(self.correct_button, "primary" if file_first else "quiet")
        theme.role(self.read_button, "quiet" if file_first else "primary")
        self.read_button.setVisible(Remedy.READ_OUT in remedies)

    def _on_alphabet(self) -> None:
        self.alphabet.setVisible(self.alphabet.isHidden())

    def _on_read_out(self) -> None:
        if self._page is None or self._account is None:
            return
        self.background.ask(
            names.read_out, self._page.member_id, self._account.number, self._call_id
        ).then(self, self._on_noted, busy=[self.read_button])

    def _on_noted(self, _done: None) -> None:
        self.problem.say("")
        say(self, "Noted: the spelling on file was read out.")

    def _on_check(self) -> None:
        if self._page is None or self._account is None:
            return
        name = self.typed_name.text().strip() or self._page.name
        self.problem.say("")
        self.portal_said.show_mark(
            "hourglass", f"Asking {self.background.desk.settings.portal_name}…", "muted"
        )
        self.background.ask(
            registration.check_at_portal,
            self._page.member_id,
            self._account.number,
            name,
            self._call_id,
        ).then(self, self.show_check, busy=[self.check_button])


def refusals(account: AccountRow) -> tuple[AttemptRow, ...]:
    """Answer the refused tries since the account last registered, newest first, each text once."""
    found: dict[tuple[str, str], AttemptRow] = {}
    for attempt in sorted(account.portal.attempts, key=lambda one: one.at, reverse=True):
        if attempt.outcome is Outcome.REGISTERED:
            break
        if attempt.outcome in _REFUSED:
            found.setdefault((attempt.name_typed, attempt.account_typed), attempt)
    return tuple(found.values())[:MOST_TRIES]


def _plainly(on_file: str, number: str) -> str:
    return f"Type it like this: {spelling.spell(on_file)}. {say_account(number)}"


def _shortened(text: str, most: int = 24) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
