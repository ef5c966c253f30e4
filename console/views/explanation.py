"""Why the portal refused a registration: both spellings, the reasons, and what to read out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from console.background import Background
from console.domain import spelling
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
    column,
    heading,
    label,
    line_edit,
    row,
)

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
        refusal = newest_refusal(account)
        if refusal is not None and (fresh or refusal.id != self._attempt_id):
            self._attempt_id = refusal.id
            self._fill(refusal)
        elif fresh:
            self._attempt_id = ""
            self._fill(None)
        elif renamed:
            self.portal_said.hide()  # it was about the name before
            self._explain()
        may = self.background.desk.colleague.role.changes_the_file
        self.read_out.setEnabled(may)
        self.correct.setEnabled(may)

    def ask_what_was_typed(self) -> None:
        """Put the cursor where the caller's own words go."""
        self.typed_name.setFocus()
        self.typed_name.selectAll()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; what was typed stays."""
        self.problem.say(str(problem))

    def show_check(self, check: PortalCheck) -> None:
        """Show the portal's own word."""
        self.problem.say("")
        icon, tone = ("check-circle", "good") if check.passes else ("cross-circle", "bad")
        self.portal_said.show_mark(icon, check.words, tone)
        self.portal_said.show()

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
        self.spellings = SpellingView()
        self.reasons = QVBoxLayout()
        self.reasons.setSpacing(4)
        self.reason_lines: list[Mark] = []
        self.say_label = label("Read out")
        self.sentence = Words("", "title", wrap=True).selectable()
        self.sentence.setAccessibleName("Sentence to read out")
        self.alphabet = Words("", "text", "muted", wrap=True).selectable()
        self.alphabet.hide()
        self.portal_said = Mark("info", "", "muted")
        self.portal_said.setWordWrap(True)
        self.portal_said.hide()
        self.problem = ProblemLine()
        self.said = QFrame()
        theme.role(self.said, "quote")
        said = column(self.say_label, self.sentence, self.alphabet, gap=4)
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

    def _lay_out(self) -> None:
        fields = row(
            Field("Name as typed", self.typed_name),
            Field("Account number as typed", self.typed_account),
            gap=2 * GRID,
        )
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        buttons = FlowLayout()
        self.read_button = Button(self.read_out, "primary")
        self.correct_button = Button(self.correct)
        for button in (
            self.read_button,
            self.correct_button,
            Button(self.check),
            Button(self.spell),
        ):
            buttons.addWidget(button)
        self.body.addLayout(row(heading("Why it was refused"), self.whence, 0))
        self.body.addLayout(fields)
        self.body.addWidget(self.spellings)
        self.body.addLayout(self.reasons)
        self.body.addWidget(self.said)
        self.body.addWidget(self.portal_said)
        self.body.addWidget(self.problem)
        self.body.addLayout(buttons)

    # What happens

    def _fill(self, attempt: AttemptRow | None) -> None:
        self._showing = True
        self.typed_name.setText(attempt.name_typed if attempt else "")
        self.typed_account.setText(attempt.account_typed if attempt else "")
        self.whence.setText(
            "as the portal reports it" if attempt else "type what the caller says they typed"
        )
        self._showing = False
        self.portal_said.hide()
        self._explain()

    def _on_typed(self) -> None:
        if not self._showing:
            self.whence.setText("as the caller says it")
            self.portal_said.hide()
            self._explain()

    def _explain(self) -> None:
        page, account = self._page, self._account
        if page is None or account is None:
            return
        settings = self.background.desk.settings
        typed = self.typed_name.text()
        there = bool(typed.strip())
        for part in (self.spellings, self.said):
            part.setVisible(there)
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
        self.sentence.setText(found.say)
        self.say_label.setText("Read out" if found.name.same_name else "Ask the caller")
        readable = found.name.same_name
        self.alphabet.setText(spelling.spell_with_alphabet(page.name) if readable else "")
        self.spell.setEnabled(readable)
        if not readable:
            self.alphabet.hide()
        self._show_reasons(found if there else None)
        self._show_remedies(found)

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

    def _show_remedies(self, found: RefusalExplanation) -> None:
        best = found.remedies[0] if found.remedies else None
        theme.role(self.correct_button, "primary" if best is Remedy.CORRECT_FILE else "quiet")
        theme.role(self.read_button, "quiet" if best is Remedy.CORRECT_FILE else "primary")
        self.read_button.setVisible(Remedy.READ_OUT in found.remedies)

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
        self.background.ask(
            registration.check_at_portal,
            self._page.member_id,
            self._account.number,
            name,
            self._call_id,
        ).then(self, self.show_check)


def newest_refusal(account: AccountRow) -> AttemptRow | None:
    """Answer the newest refused try of an account, if nothing better came after it."""
    for attempt in sorted(account.portal.attempts, key=lambda one: one.at, reverse=True):
        if attempt.outcome in _REFUSED:
            return attempt
        if attempt.outcome is Outcome.REGISTERED:
            return None
    return None
