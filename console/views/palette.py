"""The command palette: everything that can be done here and now, by its name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QVBoxLayout, QWidget

from console.domain.folding import fold
from console.views import theme
from console.views.screen import Screen
from console.views.sheet import Scrim
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.widgets import EmptyPlace, Icon, key_words, row, rule


def actions_in(window: QWidget) -> list[QAction]:
    """List what can be named in a window, whether it can be done now or not, each name once."""
    found: dict[str, QAction] = {}
    for action in window.findChildren(QAction):
        name = action.text()
        if not name or action.isSeparator() or action.property("listed") is not True:
            continue
        # The same thing can be done on several open pages: the one on screen counts.
        if name not in found or (_on_screen(action) and not _on_screen(found[name])):
            found[name] = action
    return sorted(found.values(), key=lambda action: action.text().casefold())


def can_be_done(action: QAction) -> bool:
    """Whether an action would do something now."""
    return action.isEnabled() and action.isVisible() and _on_screen(action)


def _on_screen(action: QAction) -> bool:
    owner = action.parent()
    return not isinstance(owner, QWidget) or owner.isVisible()


def _of_a_page(action: QAction) -> bool:
    owner = action.parent()
    while isinstance(owner, QWidget):
        if isinstance(owner, Screen):
            return True
        owner = owner.parentWidget()
    return False


class Palette(QDialog):
    """Type a few letters of what you want to do, press Enter."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setWindowTitle("Commands")
        self.setWindowFlag(Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        theme.role(self, "palette")
        here = [action for action in actions_in(window) if can_be_done(action)]
        # What belongs to the page in front comes before what can always be done.
        self._actions = sorted(here, key=lambda action: not _of_a_page(action))
        self._scrim: Scrim | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAccessibleName("What do you want to do?")
        theme.role(self.field, "bare")
        self.field.installEventFilter(self)
        self.field.textEdited.connect(self._narrow)
        nothing = EmptyPlace("command", "Nothing by that name can be done here.")
        self.table: RowTable[QAction] = RowTable(
            (
                Column[QAction](
                    "Command", lambda action: action.text(), stretch=True,
                    icon=lambda action: str(action.property("icon_name") or "") or "command",
                    tone=lambda _: "ink", second=None,
                ),
                Column[QAction]("Key", key_words, align="right", width=150, tone=lambda _: "muted"),
            ),
            key=lambda action: action.text(),
            name="Commands",
            empty=nothing,
            sortable=False,
        )  # fmt: skip
        self.table.horizontalHeader().hide()
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.clicked.connect(lambda _: self._run())
        head = row(Icon("command", "muted", 18), self.field, gap=12)
        head.setContentsMargins(2 * GRID, GRID // 2, 2 * GRID, GRID // 2)
        page = QVBoxLayout(self)
        page.setContentsMargins(1, 1, 1, 1)
        page.setSpacing(0)
        page.addLayout(head)
        page.addWidget(rule())
        page.addWidget(self.table, 1)
        look = theme.current()
        self.resize(
            min(look.px(600), window.width() - 4 * GRID),
            min(look.px(440), window.height() - 12 * GRID),
        )
        middle = window.mapToGlobal(QPoint(window.width() // 2, 8 * GRID))
        self.move(middle.x() - self.width() // 2, middle.y())
        self._narrow("")
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
            if event.key() in (
                Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp,
            ):  # fmt: skip
                QApplication.sendEvent(self.table, event)
                return True
        return False

    def _narrow(self, typed: str) -> None:
        words = fold(typed).split()
        ranked = []
        for action in self._actions:
            name = fold(action.text())
            if all(word in name for word in words):
                starts = sum(any(part.startswith(word) for part in name.split()) for word in words)
                ranked.append((-starts, action))
        ranked.sort(key=lambda entry: entry[0])
        self.table.show_rows([action for _, action in ranked])
        if ranked:
            self.table.turn_to(ranked[0][1].text())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        over = self.parentWidget()
        if over is not None and self._scrim is None:
            self._scrim = Scrim(over)

    def done(self, result: int) -> None:
        if self._scrim is not None:
            self._scrim.hide()
            self._scrim.deleteLater()
            self._scrim = None
        super().done(result)

    def _run(self) -> None:
        action = self.table.current_row()
        if action is not None:
            self.accept()
            action.trigger()
