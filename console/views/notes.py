"""The field in which a note about a member is written."""

from __future__ import annotations

import uuid

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import members
from console.services.drafts import Draft
from console.views import theme
from console.views.drafts import DraftKeeper
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import Button, ProblemLine, Words, act, row

_KEY = "Ctrl+Enter saves it"
LOW_BELOW = 380
"""In a panel lower than this, at 100 % text, a problem takes the room of all lines but one."""


class NoteField(QWidget):
    """Writes a note; what is typed stays until it is saved."""

    saved = Signal()

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__()
        self.background = background
        self._member_id = member_id
        self._call_id: str | None = None
        self._note_id = str(uuid.uuid4())
        self._sending: str | None = None
        self.text = _Field()
        self.text.setPlaceholderText("Write a note for the next colleague (F7)")
        self.text.setAccessibleName("Note")
        self.text.setTabChangesFocus(True)
        self.text.wanted.connect(self._on_save)
        self.write = act(self, "Write a note", self.text.setFocus, key="F7", icon="note")
        self.save_action = act(self, "Save the note", self._on_save, icon="check")
        self.save_action.setEnabled(False)
        self.save = Button(self.save_action)
        self.text.textChanged.connect(self._dress)
        self.drafts = DraftKeeper(
            self, background, f"note {member_id}", "a note", member_id, self._draft
        )
        self.text.textChanged.connect(self._on_edited)
        self.text.turned.connect(self._dress)
        self.problem = ProblemLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.text)
        layout.addWidget(self.problem)
        self.foot = QWidget()
        self.hint = Words(_KEY, "label", wrap=True)
        foot = row(self.hint, self.save)
        foot.setStretch(0, 1)
        self.foot.setLayout(foot)
        layout.addWidget(self.foot)
        theme.current().changed.connect(self._dress)
        may = background.desk.colleague.role.changes_the_file
        if not may:
            self.hide()
        self.write.setEnabled(may)
        if may:
            self.drafts.recall(self._show_draft)
        self._dress()

    def show_call(self, call_id: str | None) -> None:
        """Remember in which call a note is written."""
        self._call_id = call_id

    def show_problem(self, problem: ConsoleError) -> None:
        """Say why the note was not taken; its words stay."""
        self._sending = None
        self._say_problem(str(problem))
        self.text.setFocus()

    def _draft(self) -> dict[str, str]:
        words = self.text.toPlainText()
        # With its id: a note that was sent before a crash is not written a second time.
        return {"text": words, "note_id": self._note_id} if words.strip() else {}

    def _show_draft(self, draft: Draft) -> None:
        if not self.text.toPlainText():
            self._note_id = draft.fields.get("note_id", self._note_id)
            self.text.setPlainText(draft.fields.get("text", ""))
            desk = self.background.desk
            when = times.when(draft.written_at, desk.now(), desk.settings.zone)
            self.hint.setText(f"What you typed {when} is here again, not saved yet.")
            self.drafts.rest()

    def _on_edited(self) -> None:
        self.hint.setText(_KEY)
        self.drafts.touch()

    def _on_save(self) -> None:
        words = self.text.toPlainText()
        if self._sending is not None or not words.strip():
            return
        self._say_problem("")
        self._sending = words
        self.background.ask(
            members.write_note, self._note_id, self._member_id, words, self._call_id
        ).then(self, self._on_saved, busy=[self.save])

    def _on_saved(self, _none: None) -> None:
        note_id, written = self._note_id, self._sending
        self._note_id, self._sending = str(uuid.uuid4()), None
        if self.text.toPlainText() == written:
            self.text.clear()  # what was typed on meanwhile is the beginning of another note
        self.saved.emit()
        say(
            self,
            "The note is on the timeline.",
            lambda: self.background.ask(members.remove_note, note_id).then(self, lambda _: None),
        )

    def _dress(self) -> None:
        # One line until somebody writes: the room belongs to what happened.
        written = bool(self.text.toPlainText().strip())
        open_ = written or self.text.hasFocus() or self.save.hasFocus()
        self.save_action.setEnabled(written)
        self.foot.setVisible(open_)
        self.text.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if open_ else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.text.setFixedHeight(theme.current().px(76 if open_ and not self._is_cramped() else 36))

    def _is_cramped(self) -> bool:
        """Tell whether a problem needs the room that the field would take."""
        above = self.parentWidget()
        low = above is not None and above.height() < theme.current().px(LOW_BELOW)
        return low and bool(self.problem.text())

    def _say_problem(self, words: str) -> None:
        self.problem.say(words)
        self._dress()


class _Field(QPlainTextEdit):
    wanted = Signal()
    turned = Signal()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.turned.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.turned.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.wanted.emit()
            return
        super().keyPressEvent(event)
