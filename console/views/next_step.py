"""The next step: one sentence about what to do now, and one button that does it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy

from console.services.member_page import NextAct, NextStep
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Button, Icon, Words, act, column, label, row

WORDS = {
    NextAct.NONE: ("Do the next step", "check-circle"),
    NextAct.EXPLAIN_REFUSAL: ("Explain the refusal", "spelling"),
    NextAct.CORRECT_EMAIL: ("Correct the address", "edit"),
    NextAct.RESEND: ("Send the e-mail again", "send"),
    NextAct.READ_PASSWORD_RULE: ("Read the password rule", "key"),
    NextAct.VERIFY_CALLER: ("Verify the caller", "verified"),
}
AFTER_CORRECTION = ("Read the spelling out", "speak")
"""What to do about a refusal once the name is corrected: there is nothing left to explain."""


class NextStepBar(QFrame):
    """Says it as a good colleague would."""

    taken = Signal(object)
    """The button or its key was pressed, with the step."""

    def __init__(self) -> None:
        super().__init__()
        theme.role(self, "call")
        self.setAccessibleName("Next step")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.step: NextStep | None = None
        self._corrected = False
        self.action = act(
            self, "Do the next step", self._on_take, key="F6", icon="check-circle",
            more="Does what the page says comes next.",
        )  # fmt: skip
        self.action.setEnabled(False)
        self.icon = Icon("arrow-right", "accent", 20)
        self.words = Words("", "bold", wrap=True)
        self.button = Button(self.action, "primary")
        said = column(label("Next step"), self.words, gap=0)
        layout = row(self.icon, said, self.button, gap=12)
        layout.setStretch(1, 1)
        layout.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.setLayout(layout)

    def show_step(self, step: NextStep, *, corrected: bool = False) -> None:
        """Show what to do now; `corrected` when the name was mended after the refusal."""
        if (step, corrected) == (self.step, self._corrected):
            return
        self.step, self._corrected = step, corrected
        words, icon = WORDS[step.act]
        if corrected and step.act is NextAct.EXPLAIN_REFUSAL:
            words, icon = AFTER_CORRECTION
        self.words.setText(step.say)
        self.words.setAccessibleName(f"Next step: {step.say}")
        self.action.setText(words)
        self.action.setProperty("icon_name", icon)
        does = step.act is not NextAct.NONE
        self.action.setEnabled(does)
        self.button.setVisible(does)
        self.button.show_icon(icon)
        self.icon.show_icon("arrow-right" if does else "info")

    def _on_take(self) -> None:
        if self.step is not None:
            self.taken.emit(self.step)
