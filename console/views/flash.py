"""A short light over something that a colleague or the portal has just changed."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from console.views import theme
from console.views.tables import FLASH_SECONDS


def flash(widget: QWidget) -> None:
    """Light a widget up for a moment; nothing moves and no focus is taken."""
    if widget.isVisible():
        lit = widget.findChild(Flash, options=Qt.FindChildOption.FindDirectChildrenOnly)
        (lit or Flash(widget)).begin()


class Flash(QWidget):
    """Lies over a widget, fades, and is gone."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._until = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(60)
        self._timer.timeout.connect(self._fade)
        over.installEventFilter(self)

    def begin(self) -> None:
        """Light up, or once more."""
        self._until = time.monotonic() + FLASH_SECONDS
        over = self.parentWidget()
        if over is not None:
            self.setGeometry(over.rect())
        self.show()
        self.raise_()
        self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        left = max(0.0, (self._until - time.monotonic()) / FLASH_SECONDS)
        colour = theme.current().colour("warn")
        colour.setAlphaF(0.28 * left)
        with theme.painting(self) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(self.rect(), 4, 4)

    def _fade(self) -> None:
        if time.monotonic() >= self._until:
            self._timer.stop()
            self.hide()
        self.update()
