"""Short words about what has just been done, with its undo; they never take the focus."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Button, Icon, IconButton, Words, row

STAYS_MILLISECONDS = 8_000


class Toast(QFrame):
    """One line at the foot of the window that goes by itself."""

    def __init__(
        self, words: str, undo: Callable[[], object] | None, icon: str, undo_word: str
    ) -> None:
        super().__init__()
        theme.role(self, "toast")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(words)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.words = Words(words)
        self.undo = Button(undo_word)
        self.undo.setVisible(undo is not None)
        self.close_button = IconButton("cross", "Close", "paper", 14)
        for button in (self.undo, self.close_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = row(Icon(icon, "paper", 18), self.words, self.undo, self.close_button, gap=12)
        layout.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.setLayout(layout)


class Toasts(QObject):
    """Shows toasts in a window, one at a time; Ctrl+Z takes back what the last one tells of.

    It may be given a part of the window instead. Whatever covers that part covers the toasts too,
    and what is said meanwhile is read once it is in sight again.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.toast: Toast | None = None
        self._undo: Callable[[], object] | None = None
        self._going = QTimer(self)
        self._going.setSingleShot(True)
        self._going.timeout.connect(self.clear)
        self.undo_action = QAction("Undo what was just done", window)
        self.undo_action.setShortcut(QKeySequence.StandardKey.Undo)
        self.undo_action.setProperty("icon_name", "undo")
        self.undo_action.setProperty("listed", True)
        self.undo_action.setEnabled(False)
        self.undo_action.triggered.connect(self._on_undo)
        window.addAction(self.undo_action)
        window.installEventFilter(self)

    def say(
        self,
        words: str,
        undo: Callable[[], object] | None = None,
        *,
        icon: str = "check-circle",
        undo_word: str = "Undo",
    ) -> Toast:
        """Say that something was done; `undo` takes it back while the words stand."""
        self.clear()
        toast = Toast(words, undo, icon, undo_word)
        toast.setParent(self._window)
        toast.undo.clicked.connect(self._on_undo)
        toast.close_button.clicked.connect(self.clear)
        self.toast, self._undo = toast, undo
        self.undo_action.setEnabled(undo is not None)
        self._place()
        toast.show()
        toast.raise_()
        if toast.isVisible():
            self._going.start(STAYS_MILLISECONDS)
        return toast

    def clear(self) -> None:
        """Take the words away."""
        self._going.stop()
        self._undo = None
        self.undo_action.setEnabled(False)
        if self.toast is not None:
            self.toast.hide()
            self.toast.deleteLater()
            self.toast = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        elif event.type() == QEvent.Type.Show and self.toast is not None:
            self._place()
            self._going.start(STAYS_MILLISECONDS)
        return False

    def _place(self) -> None:
        if self.toast is not None:
            self.toast.adjustSize()
            widest = max(min(theme.current().px(420), self._window.width() - 4 * GRID), 200)
            if self.toast.width() > widest:
                self.toast.words.setWordWrap(True)
                self.toast.resize(widest, self.toast.heightForWidth(widest))
            # At the foot on the left nothing waits to be pressed next.
            self.toast.move(2 * GRID, self._window.height() - self.toast.height() - 3 * GRID)

    def _on_undo(self) -> None:
        undo = self._undo
        self.clear()
        if undo is not None:
            undo()


def toasts_of(widget: QWidget) -> Toasts | None:
    """Find where the window of a widget, or the window under its sheet, shows its toasts."""
    window: QWidget | None = widget.window()
    while window is not None:
        toasts = window.findChild(Toasts)
        if toasts is not None:
            return toasts
        under = window.parentWidget()
        window = under.window() if under is not None else None
    return None


def say(
    widget: QWidget,
    words: str,
    undo: Callable[[], object] | None = None,
    *,
    icon: str = "check-circle",
) -> None:
    """Say at the foot of a widget's window that something was done, with its undo."""
    toasts = toasts_of(widget)
    if toasts is not None:
        toasts.say(words, undo, icon=icon)


def say_written(widget: QWidget, what: str, file: Path) -> None:
    """Say that something was written to a file, and open it where there is a desktop.

    `what` begins the sentence: “Three lines were”.
    """
    toasts = toasts_of(widget)
    if toasts is None:
        return
    words = f"{what} written to {file.name} in {file.parent}."
    if not has_desktop():
        toasts.say(words)
        return
    toasts.say(
        words, lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(file))), undo_word="Open"
    )
    toasts.undo_action.setEnabled(False)  # it opens the file, which undoes nothing


def has_desktop() -> bool:
    """Tell whether there is a desktop here that could open a file."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("XDG_CURRENT_DESKTOP"))
