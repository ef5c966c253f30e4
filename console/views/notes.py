"""The field in which a note about a member is written."""

from __future__ import annotations

import uuid

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from console.background import Background
from console.domain.errors import ConsoleError
from console.services import members
from console.views import theme
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import Button, ProblemLine, Words, act, row


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
        self.text.setPlaceholderText("Write what the next colleague should know")
        self.text.setAccessibleName("Note")
        self.text.setTabChangesFocus(True)
        self.text.wanted.connect(self._on_save)
        self.write = act(self, "Write a note", self.text.setFocus, key="F7", icon="note")
        self.save_action = act(self, "Save the note", self._on_save, icon="check")
        self.save_action.setEnabled(False)
        self.save = Button(self.save_action)
        self.text.textChanged.connect(
            lambda: self.save_action.setEnabled(bool(self.text.toPlainText().strip()))
        )
        self.problem = ProblemLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.text)
        layout.addWidget(self.problem)
        layout.addLayout(
            row(Words("F7 writes, Ctrl+Enter saves.", "label"), 0, self.save, gap=GRID)
        )
        theme.current().changed.connect(self._measure)
        may = background.desk.colleague.role.changes_the_file
        self.setVisible(may)
        self.write.setEnabled(may)
        self._measure()

    def show_call(self, call_id: str | None) -> None:
        """Remember in which call a note is written."""
        self._call_id = call_id

    def show_problem(self, problem: ConsoleError) -> None:
        """Say why the note was not taken; its words stay."""
        self._sending = None
        self.problem.say(str(problem))
        self.text.setFocus()

    def _on_save(self) -> None:
        words = self.text.toPlainText()
        if self._sending is not None or not words.strip():
            return
        self.problem.say("")
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

    def _measure(self) -> None:
        self.text.setFixedHeight(theme.current().px(64))


class _Field(QPlainTextEdit):
    wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.wanted.emit()
            return
        super().keyPressEvent(event)
