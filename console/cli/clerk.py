"""A pair of hands and eyes at the window: clicks, keys, and what can be read there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

PATIENCE_SECONDS = 15.0

T = TypeVar("T")
W = TypeVar("W", bound=QWidget)


class NotSeen(Exception):
    """What was looked for did not appear on any window."""


class Clerk:
    """Uses the console as a person does, and answers what a person would see.

    Everything is done through Qt's own mouse and key events on the widgets that are shown, so
    what a clerk cannot reach, this cannot either. Where several desks are shown at once, `desk`
    answers the window of this one.
    """

    def __init__(self, desk: Callable[[], QWidget | None] | None = None) -> None:
        self._desk = desk

    def types(self, text: str) -> None:
        """Type into whatever has the focus."""
        for character in text:
            target = self._focus()
            code = ord(character)
            if code < 128:
                QTest.keyClicks(target, character)
            else:
                # Keyboards have no key for these; the input method sends the text itself.
                for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                    QApplication.sendEvent(
                        target, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, character)
                    )
            QApplication.processEvents()

    def keys(self, *sequences: str) -> None:
        """Press key combinations such as `Ctrl+K`, `Return` or `Alt+1`."""
        for sequence in sequences:
            QTest.keySequence(self._focus(), QKeySequence(sequence))
            QApplication.processEvents()

    def presses(self, words: str) -> None:
        """Click the button that says `words`."""
        button = self.waits_for(lambda: self._button(words), f"a button “{words}”")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=_middle(button))
        QApplication.processEvents()

    def fills(self, name: str, text: str) -> None:
        """Replace what stands in the field of that name."""
        field = self.waits_for(lambda: self._field(name), f"a field “{name}”")
        QTest.mouseClick(field, Qt.MouseButton.LeftButton, pos=_middle(field))
        field.setFocus()
        self.keys("Ctrl+A", "Del")
        self.types(text)

    def chooses(self, name: str, words: str) -> None:
        """Choose an entry of the list of that name by typing at it."""
        box = self.waits_for(lambda: self._combo(name), f"a list “{name}”")
        place = box.findText(words, Qt.MatchFlag.MatchStartsWith)
        if place < 0:
            raise NotSeen(f"“{name}” offers no “{words}”.")
        box.setFocus()
        while box.currentIndex() != place:
            self.keys("Down" if box.currentIndex() < place else "Up")

    def opens_row(self, words: str) -> None:
        """Click the row of a list that holds `words`, and press Enter on it."""

        def find() -> tuple[QAbstractItemView, int] | None:
            for view in self._shown(QAbstractItemView):
                if isinstance(view, QHeaderView):
                    continue  # the headings of a list are a view of the same rows
                model = view.model()
                for row in range(model.rowCount() if model else 0):
                    if words in _row_text(model, row):
                        return view, row
            return None

        def click() -> QAbstractItemView | None:
            view, row = self.waits_for(find, f"a row with “{words}”")
            view.scrollTo(view.model().index(row, 0), QAbstractItemView.ScrollHint.EnsureVisible)
            QApplication.processEvents()
            spot = view.visualRect(view.model().index(row, 0)).center()
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
            # A live list may have moved under the hand; whoever sees that clicks again.
            chosen = view.currentIndex().row()
            return view if chosen >= 0 and words in _row_text(view.model(), chosen) else None

        view = self.waits_for(click, f"the cursor on a row with “{words}”")
        view.setFocus()
        self.keys("Return")

    def sees(self, words: str, patience: float = PATIENCE_SECONDS) -> str:
        """Wait until `words` can be read somewhere, and answer the text they stand in."""
        return self.waits_for(
            lambda: next((text for text in self.texts() if words in text), None),
            f"“{words}”",
            patience,
        )

    def does_not_see(self, words: str) -> bool:
        """Whether `words` cannot be read anywhere now."""
        return not any(words in text for text in self.texts())

    def texts(self) -> Iterator[str]:
        """Walk everything that can be read on the windows that are shown."""
        for widget in self._shown(QWidget):
            if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
                yield widget.text()
            elif isinstance(widget, QPlainTextEdit):
                yield widget.toPlainText()
            elif isinstance(widget, QComboBox):
                yield widget.currentText()
            elif isinstance(widget, QAbstractItemView) and (model := widget.model()):
                for row in range(min(model.rowCount(), 200)):
                    yield _row_text(model, row)
            if widget.accessibleName():
                yield widget.accessibleName()
            if widget.accessibleDescription():
                yield widget.accessibleDescription()

    def waits_for(
        self, look: Callable[[], T | None], what: str, patience: float = PATIENCE_SECONDS
    ) -> T:
        """Let the window live until `look` answers something; raise NotSeen when it never does."""
        until = time.monotonic() + patience
        while True:
            QApplication.processEvents()
            found = look()
            if found:
                return found
            if time.monotonic() > until:
                raise NotSeen(f"{what} did not appear. In view: {self._overview()}")
            QTest.qWait(10)

    def rests(self, seconds: float) -> None:
        """Let the window live for a while."""
        QTest.qWait(round(seconds * 1000))

    def takes_picture(self, path: Path) -> None:
        """Save what the active window shows, with whatever dialog or popup lies over it."""
        QTest.qWait(50)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.picture().save(str(path))

    def picture(self) -> QPixmap:
        """Answer what the window shows, with whatever dialog or popup lies over it."""
        shown = [one for one in self._shown(QWidget) if one.isWindow()]
        main = max(shown, key=lambda one: one.width() * one.height())
        picture = main.grab()
        painter = QPainter(picture)
        for over in shown:
            if over is not main and over.width() > 1:
                painter.drawPixmap(over.pos() - main.pos(), over.grab())
        painter.end()
        return picture

    def _focus(self) -> QWidget:
        active = QApplication.activeWindow()
        if active is None or not self._is_mine(active):
            # Without a window manager nobody gives the keys back when a popup closes.
            tops = QApplication.topLevelWidgets()
            shown = [one for one in tops if one.isVisible() and self._is_mine(one)]
            if not shown:
                raise NotSeen("No window is there to type into.")
            dialogs = [one for one in shown if one.isModal()]
            front = dialogs or sorted(shown, key=lambda one: one.width() * one.height())
            front[-1].activateWindow()
            QTest.qWait(20)
        focus = QApplication.focusWidget() or QApplication.activeWindow()
        if focus is None:
            raise NotSeen("No window takes the keys.")
        return focus

    def _button(self, words: str) -> QAbstractButton | None:
        fits = [
            button
            for button in self._shown(QAbstractButton)
            if button.isEnabled()
            and words in (button.text().replace("&", ""), button.accessibleName())
        ]
        # The topmost window's button is the one a person would press.
        active = QApplication.activeWindow()
        fits.sort(key=lambda button: button.window() is not active)
        return fits[0] if fits else None

    def _field(self, name: str) -> QLineEdit | QPlainTextEdit | None:
        fields: list[QLineEdit | QPlainTextEdit] = [
            *self._shown(QLineEdit),
            *self._shown(QPlainTextEdit),
        ]
        return next((field for field in fields if field.accessibleName() == name), None)

    def _combo(self, name: str) -> QComboBox | None:
        return next((box for box in self._shown(QComboBox) if box.accessibleName() == name), None)

    def _shown(self, kind: type[W]) -> list[W]:
        every = QApplication.allWidgets()
        return [
            one for one in every if isinstance(one, kind) and one.isVisible() and self._is_mine(one)
        ]

    def _is_mine(self, widget: QWidget | None) -> bool:
        """Whether a widget belongs to this desk: to its window, or to a sheet or popup over it."""
        desk = self._desk() if self._desk else None
        while widget is not None and desk is not None:
            if widget.window() is desk:
                return True
            widget = widget.window().parentWidget()
        return desk is None

    def _overview(self) -> str:
        said = dict.fromkeys(text.strip() for text in self.texts() if text.strip())
        return " · ".join(said)[:1500]


def _middle(widget: QWidget) -> QPoint:
    return widget.rect().center()


def _row_text(model: QAbstractItemModel, row: int) -> str:
    # A list's own columnCount is hidden by Qt: it has one.
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
    cells = (model.index(row, column).data(role) for column in range(columns) for role in roles)
    return "  ".join(dict.fromkeys(str(cell) for cell in cells if cell is not None))
