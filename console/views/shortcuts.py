"""The sheet of keys: every action that has one, read from the actions themselves."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from console.views import theme
from console.views.palette import actions_in, can_be_done
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.widgets import KeyHint, Words, key_words

EVERYWHERE = (
    ("Look up a member from anywhere", "start typing"),
    ("Walk through what is on the page", "Tab"),
    ("Press the button in focus", "Space"),
    ("Open the row under the cursor", "Enter"),
    ("Close a sheet, clear the search", "Esc"),
)


class ShortcutSheet(Sheet):
    """What each key does here, and what can be done that is not possible just now."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Keys", wide=760)
        self.setAccessibleName("Keys")
        lines = [(name, key, True) for name, key in EVERYWHERE] + [
            (action.text(), key_words(action), can_be_done(action))
            for action in actions_in(window)
            if key_words(action)
        ]
        self.listed = tuple(name for name, *_ in lines)
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, GRID, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        roomy = window.width() >= theme.current().px(820)
        half = -(-len(lines) // 2) if roomy else len(lines)
        for place, (name, key, possible) in enumerate(lines):
            across, down = divmod(place, half)
            words = Words(name, "text", "ink" if possible else "muted")
            if not possible:
                words.setToolTip("Not possible just now.")
            grid.addWidget(words, down, across * 3)
            grid.addWidget(KeyHint(key), down, across * 3 + 1)
        grid.setColumnMinimumWidth(2, 3 * GRID)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(3, 1)
        self.body.addWidget(inside)
        self.body.addWidget(
            Words("Every action, also those without a key, is in the palette: Ctrl+P.", "label")
        )
        self.add_cancel("Close").setFocus()
