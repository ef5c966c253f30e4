"""The correction of a name on file: proof, before and after, and the loop closed at the portal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from uuid import uuid4

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import QComboBox, QFrame, QLineEdit, QVBoxLayout, QWidget

from console.background import Background
from console.domain import spelling
from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.domain.merging import merge
from console.domain.names import explain
from console.domain.registration import Proof, clean_name, needs_supervisor
from console.services import courier, names, registration
from console.services.changes import EVERYTHING
from console.services.drafts import Draft
from console.services.member_page import AccountRow, MemberPage
from console.services.names import (
    Approval,
    ChangedMeanwhile,
    Corrected,
    Correction,
    NameOnFile,
    NeedsSupervisor,
)
from console.services.registration import PortalCheck
from console.views import theme
from console.views.drafts import DraftKeeper, Recalled
from console.views.presence import AtWork
from console.views.sheet import Sheet
from console.views.spelling import SpellingView
from console.views.theme import GRID
from console.views.toasts import say
from console.views.versions import Versions
from console.views.widgets import (
    Button,
    Field,
    Mark,
    Notice,
    Words,
    act,
    column,
    label,
    line_edit,
    row,
)

_FIELD_WORDS = {"name": "Last or business name", "given_names": "Given names"}
WATCH_MILLISECONDS = 400
WARN_MILLISECONDS = 350
"""Half a name is nearly always another person's: the warning waits until the typing pauses."""


class CorrectionDialog(Sheet):
    """Corrects one member's name and stays open until the portal has said yes."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        page: MemberPage,
        account: AccountRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
        typed: str = "",
    ) -> None:
        super().__init__(over, "Correct the name on file", wide=640)
        self.background = background
        self._page, self._account, self._call_id = page, account, call_id
        self._id = str(uuid4())
        self._version = page.version
        self._before, self._given_before = page.name, page.given_names
        self._corrected: Corrected | None = None
        self._checking = ""
        self._typed = typed
        self._watch = QTimer(self)
        self._watch.setInterval(WATCH_MILLISECONDS)
        self._watch.timeout.connect(self._look)
        self._warn = QTimer(self)
        self._warn.setSingleShot(True)
        self._warn.setInterval(WARN_MILLISECONDS)
        self._warn.timeout.connect(self._show_warning)
        self._sending = False
        self.at_work = AtWork(background, page.member_id)
        self.news = Notice("swap", "", "warn")
        self.news.hide()
        self.body.addWidget(self.at_work)
        self.body.addWidget(self.news)
        self._make_form(call_verified)
        self._make_foot()
        self._make_versions()
        self._make_steps()
        self.drafts = DraftKeeper(
            self,
            background,
            f"correction {page.member_id}",
            "a correction of the name",
            page.member_id,
            self._draft,
        )
        for field in (self.name, self.given, self.note):
            field.textEdited.connect(self.drafts.touch)
        self.drafts.recall(self._show_draft)
        self._on_edited()
        self._show_warning()
        background.changed.connect(self._on_changed)

    # What it does

    def show_news(self, on_file: NameOnFile) -> None:
        """Say what a colleague has changed since this sheet was opened; what was typed stays."""
        if self._corrected is not None or self._sending or not self.versions.isHidden():
            return
        if (on_file.name, on_file.given_names) == (self._before, self._given_before):
            self._version = on_file.version  # something else of this member was changed
            self.news.say("")
            return
        by = on_file.changed_by or "A colleague"
        full = f"{on_file.given_names} {on_file.name}".strip()
        self.news.say(f"{by} has just changed this name; what is on file now: {full}.")

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; nothing typed is lost."""
        self._sending = False
        if isinstance(problem, ChangedMeanwhile) and self._corrected is None:
            self._show_conflict(problem.theirs)
            return
        if isinstance(problem, ChangedMeanwhile):
            by = problem.theirs.changed_by or "A colleague"
            super().show_problem(
                ConsoleError(
                    f"{by} has changed the name again since; it is {problem.theirs.name} now. "
                    "Close this sheet and look at it afresh."
                )
            )
            return
        if isinstance(problem, NeedsSupervisor):
            self.approval.show()
            self.password.clear()
            (self.password if self.login.text().strip() else self.login).setFocus()
        super().show_problem(problem)

    def show_corrected(self, corrected: Corrected) -> None:
        """Show that the file is corrected, and follow it to the portal."""
        if self._corrected is not None and self._corrected.undone and not corrected.undone:
            return  # asked before the undo, come home after it
        self._corrected = corrected
        self.form.hide()
        self.news.hide()
        self.at_work.end()
        self.versions.put_away()
        self.steps.show()
        self.save_button.hide()
        self.undo_button.setVisible(not corrected.undone)
        self.close_button.setText("Done")
        name = corrected.before.name if corrected.undone else corrected.after.name
        filed = f"On file again: {name}" if corrected.undone else f"On file: {name}"
        stands = corrected.before if corrected.undone else corrected.after
        if corrected.before.given_names != corrected.after.given_names:
            filed += f", given names {stands.given_names}" if stands.given_names else ""
        self.filed.show_mark("check-circle", filed, "good")
        self._show_publications(corrected)
        if any(one.state.is_open for one in corrected.publications):
            self._watch.start()
            return
        self._watch.stop()
        if self._checking != name:
            self._ask_portal(name)

    def show_check(self, check: PortalCheck) -> None:
        """Show the portal's own word on the corrected name."""
        icon, tone = ("check-circle", "good") if check.passes else ("cross-circle", "bad")
        self.checked.show_mark(icon, check.words, tone)
        self.again_button.setVisible(not check.passes)

    def reject(self) -> None:
        """Close; half-made corrections are asked about first."""
        if self._corrected is None and self._has_unsaved_words():
            self.ask_to_leave(
                "The name on file stays as it is, and what you typed here is forgotten.",
                self._leave,
            )
            return
        self._leave()

    def _draft(self) -> dict[str, str]:
        # The supervisor's login and password are kept nowhere.
        if self._corrected is not None or not self._has_unsaved_words():
            return {}
        # A name that was not touched is left out: a colleague may change it before the recall.
        name, given = self.name.text(), self.given.text()
        return {
            **({"name": name} if name != self._before else {}),
            **({"given_names": given} if given != self._given_before else {}),
            "note": self.note.text(),
            "proof": str(self.proof.currentData() or ""),
        }

    def _show_draft(self, draft: Draft) -> None:
        if self._has_unsaved_words() or self._corrected is not None:
            return
        self.name.setText(draft.fields.get("name", self._before))
        self.given.setText(draft.fields.get("given_names", self._given_before))
        self.note.setText(draft.fields.get("note", ""))
        proof = self.proof.findData(draft.fields.get("proof") or None)
        if proof > 0:
            self.proof.setCurrentIndex(proof)
        if self._has_unsaved_words():
            self.recalled.show_draft(draft, self.background)

    def _begin_afresh(self) -> None:
        self.name.setText(self._before)
        self.given.setText(self._given_before)
        self.note.clear()
        self.drafts.forget()

    def _leave(self) -> None:
        if self._corrected is None:
            self.drafts.forget()
        # Qt would look `super().reject` up by its name, and ask again.
        super().reject()

    # Qt overrides

    def closeEvent(self, event: QCloseEvent) -> None:
        self._watch.stop()
        super().closeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        # A supervisor's password goes when the sheet goes.
        self.password.clear()
        super().hideEvent(event)

    # How it is put together

    def _make_form(self, call_verified: bool) -> None:
        page = self._page
        self.name = line_edit(spoken="New last or business name", longest=120)
        self.name.setText(page.name)
        self.given = line_edit(spoken="New given names", longest=80)
        self.given.setText(page.given_names)
        self.spellings = SpellingView("New", "On file")
        self.as_typed = act(
            self, f"Use “{self._typed.strip()}”, as it was typed", self._on_as_typed,
            key="Ctrl+Shift+U", icon="arrow-right",
            more="Puts what was typed at the portal into the field.",
        )  # fmt: skip
        self.as_typed_button = Button(self.as_typed, "plain")
        self.proof = QComboBox()
        self.proof.setAccessibleName("What proves it")
        self.proof.addItem("Choose what proves it…", None)
        for proof in Proof:
            if proof is not Proof.CALLER_VERIFIED or call_verified:
                self.proof.addItem(proof.words, proof)
        if call_verified:
            self.proof.setCurrentIndex(self.proof.findData(Proof.CALLER_VERIFIED))
        self.note = line_edit(
            "Number, date, who showed it", spoken="Note on the proof", longest=500
        )
        self.login = line_edit(spoken="Supervisor’s login", longest=60)
        self.password = line_edit(spoken="Supervisor’s password", longest=200)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.other = Notice(
            "supervisor",
            "This looks like another person, not another spelling. A supervisor must approve it.",
            "warn",
        )
        self.approval = QWidget()
        if self.background.desk.colleague.role.approves_other_person:
            self.other.say(
                "This looks like another person, not another spelling. You approve it as "
                f"{self.background.desk.colleague.role.words.lower()}."
            )
            self.approval.setLayout(column(self.other))
        else:
            self.approval.setLayout(
                column(
                    self.other,
                    row(
                        Field("Supervisor’s login", self.login),
                        Field("Supervisor’s password", self.password),
                        gap=2 * GRID,
                    ),
                    gap=GRID,
                )
            )
        names_row = row(
            Field("Last or business name", self.name),
            Field("Given names", self.given),
            gap=2 * GRID,
        )
        names_row.setStretch(0, 3)
        names_row.setStretch(1, 2)
        proof_row = row(
            Field("What proves it", self.proof), Field("Note on the proof", self.note), gap=2 * GRID
        )
        self.form = QWidget()
        form = column(names_row, gap=2 * GRID)
        form.addLayout(column(self.spellings, row(self.as_typed_button, 0), gap=GRID))
        form.addLayout(proof_row)
        form.addWidget(self.approval)
        self.form.setLayout(form)
        self.recalled = Recalled()
        self.recalled.afresh.connect(self._begin_afresh)
        self.body.addWidget(self.recalled)
        self.body.addWidget(self.form)
        self.name.textChanged.connect(self._on_edited)
        self.given.textChanged.connect(self._on_edited)
        self.proof.currentIndexChanged.connect(self._on_edited)
        self.name.selectAll()
        self.name.setFocus()

    def _make_versions(self) -> None:
        self.both_spellings = SpellingView("Yours", "Theirs")
        self.versions = Versions(
            _FIELD_WORDS, self, self.close_button, {"name": self.both_spellings}
        )
        self.versions.chosen.connect(self._on_chosen)
        self.body.addWidget(self.versions)

    def _make_steps(self) -> None:
        self.steps = QWidget()
        self.filed = Mark("check-circle", "", "good", "strong")
        self._publications = QVBoxLayout()
        self._publications.setSpacing(GRID)
        self.publication_lines: list[Mark] = []
        self.checked = Mark("hourglass", "Then the portal is asked whether it would pass.", "muted")
        self.checked.setWordWrap(True)
        self.read_next = Words("", "title", wrap=True).selectable()
        self.read_next.setAccessibleName("Sentence to read out")
        self.again = act(
            self, "Ask the portal again", self._on_again, key="Ctrl+J", icon="portal",
            more="Would this registration pass now? Nothing is changed.",
        )  # fmt: skip
        self.again.setEnabled(False)
        self.again_button = Button(self.again)
        self.again_button.hide()
        quote = QFrame()
        theme.role(quote, "quote")
        said = column(label("Read out"), self.read_next, gap=4)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 2)
        quote.setLayout(said)
        layout = column(self.filed, gap=12)
        layout.addLayout(self._publications)
        layout.addWidget(self.checked)
        layout.addLayout(row(self.again_button, 0))
        layout.addWidget(quote)
        self.steps.setLayout(layout)
        self.steps.hide()
        self.body.addWidget(self.steps)

    def _make_foot(self) -> None:
        self.save = act(self, "Save and send to the portal", self._on_save, key="Ctrl+Return",
                        icon="check")  # fmt: skip
        self.undo = act(self, "Undo this correction", self._on_undo, key="Ctrl+Z", icon="undo")
        self.undo_button = Button(self.undo)
        self.undo_button.hide()
        self.foot.insertWidget(0, self.undo_button)
        self.undo.setEnabled(False)
        self.close_button = self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))

    # What happens

    def _is_touched(self) -> bool:
        return (self.name.text(), self.given.text()) != (self._before, self._given_before)

    def _has_unsaved_words(self) -> bool:
        fields = (self.note, self.login, self.password)
        return self._is_touched() or any(field.text().strip() for field in fields)

    def _on_as_typed(self) -> None:
        self.name.setText(self._typed.strip())
        self.name.setFocus()

    def _offers_typed(self) -> bool:
        """Tell whether what was typed at the portal may well be the better spelling."""
        typed = self._typed.strip()
        if not typed or typed in (self._before, self.name.text()) or typed == typed.lower():
            return False
        return explain(typed, self._before, cut_at=self._cut_at()).same_name

    def _on_edited(self) -> None:
        new = self.name.text()
        found = explain(new, self._before, cut_at=self._cut_at())
        self.spellings.show_pair(new, self._before, found.typed_marks, found.on_file_marks)
        offered = self._corrected is None and self._offers_typed()
        self.as_typed.setEnabled(offered)
        self.as_typed_button.setVisible(offered)
        if self._is_other_person():
            self._warn.start()
        else:
            self._show_warning()
        self.save.setEnabled(
            self._corrected is None
            and self.versions.isHidden()
            and self._is_touched()
            and bool(new.strip())
            and self.proof.currentData() is not None
        )

    def _show_warning(self) -> None:
        self._warn.stop()
        self.approval.setVisible(self._is_other_person())

    def _is_other_person(self) -> bool:
        try:
            return needs_supervisor(self._before, clean_name(self.name.text()), self._cut_at())
        except ConsoleError:
            return False

    def _cut_at(self) -> int:
        return self.background.desk.settings.name_cut_at

    def _on_save(self) -> None:
        approval = None
        if self.login.text().strip():
            approval = Approval(self.login.text().strip(), self.password.text())
        correction = Correction(
            self._id,
            self._page.member_id,
            self._version,
            self.name.text(),
            self.given.text(),
            Proof(self.proof.currentData()),
            self.note.text(),
            self._call_id,
        )
        self.clear_problem()
        self._show_warning()
        self._sending = True
        self.background.ask(names.correct_name, correction, approval).then(
            self, self._on_saved, busy=[self.save_button]
        )

    def _on_saved(self, corrected: Corrected) -> None:
        self._sending = False
        self.clear_problem()
        self.drafts.forget()
        self.recalled.hide()
        self.password.clear()
        self.save.setEnabled(False)
        self.as_typed.setEnabled(False)
        self.undo.setEnabled(True)
        self.read_next.setText(
            f"Now type it as it stands on file: {spelling.spell(corrected.after.name)}. "
            f"Account number {spelling.say_digits(self._account.number)}, no point."
        )
        self.show_corrected(corrected)
        self.close_button.setFocus()
        self._send_courier()

    def _send_courier(self) -> None:
        # The caller waits on the phone: it goes now, not at the next round.
        self.background.ask(courier.make_round).then(
            self, lambda _: self._look(), failed=lambda _: self._look(), quiet=True
        )

    def _show_conflict(self, theirs: NameOnFile) -> None:
        mine = {"name": self.name.text().strip(), "given_names": self.given.text().strip()}
        filed = {"name": theirs.name, "given_names": theirs.given_names}
        merged = merge({"name": self._before, "given_names": self._given_before}, mine, filed)
        self._version = theirs.version
        self._before, self._given_before = theirs.name, theirs.given_names
        found = explain(mine["name"], theirs.name, cut_at=self._cut_at())
        self.both_spellings.show_pair(
            mine["name"], theirs.name, found.typed_marks, found.on_file_marks
        )
        # Only what I changed stands against what is on file now, in a draft kept meanwhile too.
        self._fill(merged.choosing(mine, frozenset(merged.clashes)))
        self.news.say("")
        self._show_form(False)
        self.versions.show_versions(theirs.changed_by, mine, filed, merged)
        self._on_edited()

    def _show_form(self, there: bool) -> None:
        """Show the form, or both versions in its place with buttons of their own."""
        self.form.setVisible(there)
        self.save_button.setVisible(there)
        if there:
            self.versions.put_away()
        self._on_edited()

    def _fill(self, names: Mapping[str, str]) -> None:
        self.name.setText(names["name"])
        self.given.setText(names["given_names"])

    def _on_chosen(self, chosen: dict[str, str] | None) -> None:
        if chosen is None:
            self._leave_theirs()
            return
        self._id = str(uuid4())
        self._fill(chosen)
        self._show_form(True)
        self._show_warning()
        if not self._is_touched():
            self._leave_theirs()
            return
        self.drafts.touch()
        if self.proof.currentData() is not None:
            self._on_save()

    def _leave_theirs(self) -> None:
        full = f"{self._given_before} {self._before}".strip()
        say(self, f"The name stands as {full}. Nothing was saved.")
        self._leave()

    def _on_undo(self) -> None:
        if self._corrected is None or self._corrected.undone:
            return
        self.background.ask(names.undo_correction, str(uuid4()), self._corrected.id).then(
            self, self._on_undone, busy=[self.undo_button]
        )

    def _on_undone(self, corrected: Corrected) -> None:
        self.undo.setEnabled(False)
        self.read_next.setText(f"The file says {corrected.before.name}, as it did before.")
        self.clear_problem()
        self.checked.show_mark(
            "hourglass", "Then the portal is asked whether it would pass.", "muted"
        )
        self.show_corrected(corrected)
        self.close_button.setFocus()
        self._send_courier()

    def _show_publications(self, corrected: Corrected) -> None:
        for line in self.publication_lines:
            line.hide()
            line.deleteLater()
        self.publication_lines = []
        looks = {
            ErrandState.DONE: ("check-circle", "good"),
            ErrandState.REFUSED: ("cross-circle", "bad"),
            ErrandState.GAVE_UP: ("cross-circle", "bad"),
        }
        several = len(corrected.publications) > 1
        for one in corrected.publications:
            icon, tone = looks.get(one.state, ("outbox", "warn"))
            words = f"Account {one.account_number}: {one.words}" if several else one.words
            line = Mark(icon, words, tone)
            line.setWordWrap(True)
            self._publications.addWidget(line)
            self.publication_lines.append(line)

    def _on_changed(self, changed: frozenset[str]) -> None:
        if changed & {"Errand", EVERYTHING}:
            self._look()
        member_id = self._page.member_id
        if self._corrected is None and changed & {f"member:{member_id}", EVERYTHING}:
            self.background.ask(names.name_on_file, member_id).then(
                self, self.show_news, failed=lambda _: None, quiet=True
            )

    def _look(self) -> None:
        if self._corrected is not None:
            self.background.ask(names.publication, self._corrected.id).then(
                self, self.show_corrected, quiet=True
            )

    def _ask_portal(self, name: str) -> None:
        self._checking = name
        self.again.setEnabled(True)
        self.again_button.hide()
        portal = self.background.desk.settings.portal_name
        self.checked.show_mark("hourglass", f"Asking {portal} whether it would pass…", "muted")
        self.background.ask(
            registration.check_at_portal,
            self._page.member_id,
            self._account.number,
            name,
            self._call_id,
        ).then(self, partial(self._on_checked, name), failed=self._on_check_failed)

    def _on_checked(self, name: str, check: PortalCheck) -> None:
        if name == self._checking:  # and not about the name before an undo
            self.show_check(check)

    def _on_again(self) -> None:
        if self._checking:
            self._ask_portal(self._checking)

    def _on_check_failed(self, problem: ConsoleError) -> None:
        self.checked.show_mark("offline", str(problem), "warn")
        self.again_button.show()
