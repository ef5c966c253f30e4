"""Sheets: questions and forms laid over the window, which is dimmed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget
from shiboken6 import isValid

from console.domain.errors import ConsoleError
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Button, ProblemLine, Waiting, Words, title


class Sheet(QDialog):
    """A form over the window: a title, a body, a problem line, and buttons at the foot.

    Open it with `open()`; it is modal to its window, Esc closes it, and it is deleted afterwards.
    """

    def __init__(self, over: QWidget, name: str, *, wide: int = 480) -> None:
        super().__init__(over.window())
        self.setWindowTitle(name)
        self.setModal(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme.role(self, "sheet")
        self._wide = wide
        self._scrim: Scrim | None = None
        self._typed_in: QWidget | None = None
        self.title = title(name)
        self.title.setWordWrap(True)
        self.problem = ProblemLine()
        self._inside = QWidget()
        self._inside.installEventFilter(self)
        # A scroll area would keep room for the least height, which wrapped words count at their
        # narrowest; how high they are at their real width is asked for in `_fit`.
        self._inside.setMinimumHeight(1)
        self.body = QVBoxLayout()
        self.body.setSpacing(2 * GRID)
        inside = QVBoxLayout(self._inside)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addLayout(self.body)
        inside.addStretch(1)
        self.waiting = Waiting()
        self.foot = QHBoxLayout()
        self.foot.setSpacing(GRID)
        self.foot.addWidget(self.waiting)
        self.foot.addStretch(1)
        page = QVBoxLayout(self)
        page.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        page.setSpacing(2 * GRID)
        page.addWidget(self.title)
        # What is too tall for the window scrolls; the buttons stay in sight.
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setMinimumHeight(1)  # of its own it asks for four lines, and many a body has one
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self._inside)
        page.addWidget(self._area, 1)
        page.addWidget(self.problem)
        page.addLayout(self.foot)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say on the sheet what went wrong; nothing typed is lost."""
        self.problem.say(str(problem))

    def clear_problem(self) -> None:
        """Take back what went wrong before."""
        self.problem.say("")

    def begin_waiting(self, words: str) -> None:
        """Close the form while an answer is awaited, and say so when it takes long."""
        self._typed_in = self.focusWidget()
        # Left to Qt the keys would go on to Cancel.
        self.setFocus()
        self._inside.setEnabled(False)
        self.waiting.begin(words)

    def end_waiting(self) -> None:
        """Open the form again: the answer is there."""
        self._inside.setEnabled(True)
        self.waiting.end()
        if self._typed_in is not None and isValid(self._typed_in):
            self._typed_in.setFocus()
        self._typed_in = None

    def ask_to_leave(self, forgotten: str, leave: Callable[[], object]) -> None:
        """Ask before a half-made form is closed; `forgotten` says what is lost and what stays."""
        confirm(self, "Leave without saving?", forgotten, "Leave", leave)

    def add_button(self, button: Button) -> Button:
        """Add a button at the foot; the last one added is the main one."""
        self.foot.addWidget(button)
        return button

    def add_cancel(self, word: str = "Cancel") -> Button:
        """Add the button that closes the sheet and changes nothing."""
        cancel = Button(word)
        cancel.clicked.connect(self.reject)
        return self.add_button(cancel)

    def showEvent(self, event: QShowEvent) -> None:
        self.setFixedWidth(min(theme.current().px(self._wide), self._room()))
        self._fit()
        super().showEvent(event)
        over = self.parentWidget()
        if over is not None:
            self._place(over)
            self._scrim = self._scrim or Scrim(over)

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._fit()
        return handled

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # What grows or shrinks inside does not tell the sheet: the scroll area keeps it to itself.
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            QTimer.singleShot(0, self, self._fit)
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._lift_scrim()

    def done(self, result: int) -> None:
        self._lift_scrim()
        super().done(result)

    def _lift_scrim(self) -> None:
        if self._scrim is not None and isValid(self._scrim):
            self._scrim.hide()
            self._scrim.deleteLater()
        self._scrim = None

    def _fit(self) -> None:
        over = self.parentWidget()
        wide = self.minimumWidth()
        inner = wide - 6 * GRID
        wanted = 6 * GRID + self.foot.sizeHint().height() + 2 * GRID
        for part in (self.title, self.problem):
            if not part.isHidden():
                wanted += part.heightForWidth(inner) + 2 * GRID
        tall = self.body.totalHeightForWidth(inner)
        wanted += tall if tall >= 0 else self.body.totalSizeHint().height()
        most = over.height() - 2 * GRID if over is not None else wanted
        self.resize(wide, min(wanted, most))
        if over is not None:
            self._place(over)

    def _place(self, over: QWidget) -> None:
        middle = over.mapToGlobal(over.rect().center())
        corner = over.mapToGlobal(QPoint(0, 0))
        down = max(GRID, (over.height() - self.height()) // 3)
        self.move(middle.x() - self.width() // 2, corner.y() + down)

    def _room(self) -> int:
        over = self.parentWidget()
        return over.width() - 4 * GRID if over is not None else 10_000


def confirm(
    over: QWidget,
    question: str,
    more: str,
    yes: str,
    then: Callable[[], object],
    *,
    no: str = "Cancel",
    danger: bool = False,
) -> Sheet:
    """Ask before something that is hard to take back; `then` runs when the answer is yes."""
    sheet = Sheet(over, question, wide=440)
    sheet.setObjectName("confirm")
    words = Words(more, wrap=True)
    words.setVisible(bool(more))
    sheet.body.addWidget(words)
    cancel = sheet.add_cancel(no)
    go = sheet.add_button(Button(yes, "danger" if danger else "primary"))
    go.clicked.connect(sheet.accept)
    sheet.accepted.connect(then)
    (cancel if danger else go).setFocus()
    (cancel if danger else go).setDefault(True)
    sheet.open()
    return sheet


def picture(window: QWidget) -> QPixmap:
    """Take a picture of a window with the sheets that lie over it."""
    whole = window.grab()
    painter = QPainter(whole)
    for other in QApplication.topLevelWidgets():
        if isinstance(other, QDialog) and other.isVisible() and other.parentWidget() is window:
            corner = window.mapFromGlobal(other.mapToGlobal(QPoint(0, 0)))
            painter.drawPixmap(corner, other.grab())
    painter.end()
    return whole


class Scrim(QWidget):
    """Dims the window under a sheet."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        over.installEventFilter(self)
        self.setGeometry(over.rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            shade = QColor("#0B1116")
            shade.setAlphaF(0.45)
            painter.fillRect(self.rect(), shade)
