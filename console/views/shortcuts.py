"""The sheet of keys: every action that has one, by its place, read from the actions themselves."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QWidget

from console.views import theme
from console.views.call_bar import CallBar
from console.views.members import MemberScreen
from console.views.palette import actions_in, can_be_done
from console.views.screen import Screen
from console.views.sheet import Sheet
from console.views.tabs import MemberTabs
from console.views.theme import GRID
from console.views.widgets import KeyHint, Words, heading, key_words, row

EVERYWHERE = "Everywhere"
CALLS = "Calls"
MEMBERS = "Members"
PLAIN_KEYS = (
    ("Look up a member from anywhere", "start typing"),
    ("Walk through what is on the page", "Tab"),
    ("Press the button in focus", "Space"),
    ("Open the row under the cursor", "Enter"),
    ("Close a sheet, clear the search", "Esc"),
)

Line = tuple[str, str, bool]
"""What it does, its key, and whether it is possible here."""


class ShortcutSheet(Sheet):
    """What each key does here, and what can be done that is not possible just now."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Keys", wide=820)
        self.setAccessibleName("Keys")
        self.groups = _by_place(actions_in(window))
        self.listed = tuple(name for lines in self.groups.values() for name, *_ in lines)
        roomy = window.width() >= theme.current().px(880)
        beside = row(gap=4 * GRID)
        beside.setContentsMargins(0, 0, GRID, 0)
        for places in _share_out(self.groups, 2 if roomy else 1):
            beside.addLayout(self._column(places), 1)
        self.body.addLayout(beside)
        self.body.addWidget(
            Words(
                "Grey: not possible here just now. Every action, also those without a key, is in "
                "the palette: Ctrl+P.",
                "label",
                wrap=True,
            )
        )
        self.add_cancel("Close").setFocus()

    def _column(self, places: Iterable[str]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(0, 1)
        down = 0
        for place in places:
            head = heading(place)
            head.setContentsMargins(0, GRID if down else 0, 0, 0)
            grid.addWidget(head, down, 0, 1, 2)
            for name, key, possible in self.groups[place]:
                down += 1
                words = Words(name, "text", "ink" if possible else "muted")
                if not possible:
                    words.setToolTip("Not possible here just now.")
                grid.addWidget(words, down, 0)
                grid.addWidget(KeyHint(key), down, 1)
            down += 1
        grid.setRowStretch(down, 1)
        return grid


def _by_place(actions: Iterable[QAction]) -> dict[str, list[Line]]:
    """Sort what has a key by where it is done; what belongs to every place comes first."""
    groups: dict[str, list[Line]] = {EVERYWHERE: [(name, key, True) for name, key in PLAIN_KEYS]}
    keyed = [action for action in actions if key_words(action) and action.isVisible()]
    taken = {key_words(action) for action in keyed if can_be_done(action)}
    for action in keyed:
        possible, place = can_be_done(action), _place_of(action)
        # The next step of a page behind this one has the same key and another name.
        if possible or place != MEMBERS or key_words(action) not in taken:
            groups.setdefault(place, []).append((action.text(), key_words(action), possible))
    return groups


def _place_of(action: QAction) -> str:
    owner = action.parent()
    while isinstance(owner, QWidget):
        if isinstance(owner, CallBar):
            return CALLS
        if isinstance(owner, MemberScreen | MemberTabs):
            return MEMBERS
        if isinstance(owner, Screen):
            return owner.accessibleName()
        owner = owner.parentWidget()
    return EVERYWHERE


def _share_out(groups: dict[str, list[Line]], columns: int) -> list[list[str]]:
    """Put whole groups below each other, so that the columns come out about as long."""
    shared: list[list[str]] = [[] for _ in range(columns)]
    long = [0] * columns
    # The longest first, or it would stand alone at the foot of the shortest; Everywhere leads.
    for place in sorted(groups, key=lambda place: (place != EVERYWHERE, -len(groups[place]))):
        shortest = long.index(min(long))
        shared[shortest].append(place)
        long[shortest] += len(groups[place]) + 2
    return shared
