"""The base of a worklist: filters with counts, a search within it, and the list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from console.background import Background, DatabaseAway
from console.domain.errors import ConsoleError
from console.views.screen import Screen
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.widgets import Button, EmptyPlace, FlowLayout, Words, act, line_edit, row, title

R = TypeVar("R")


@dataclass(frozen=True)
class Filter:
    """One way to narrow a worklist down."""

    key: Hashable
    word: str
    icon: str = ""


class Worklist(Screen, Generic[R]):
    """A place of the left rail: what waits for somebody, and a line for each.

    A subclass says what to ask in `load` and calls `show_list` with what comes home; `chosen`,
    `mine` and `narrowed_to` are what to ask with.
    """

    def __init__(
        self,
        background: Background,
        name: str,
        columns: Sequence[Column[R]],
        key: Callable[[R], Hashable],
        filters: Sequence[Filter],
        empty: EmptyPlace,
        *,
        mine: bool = True,
    ) -> None:
        super().__init__(background)
        self.setAccessibleName(name)
        self.chosen: Hashable = filters[0].key if filters else None
        self.filters: dict[Hashable, Button] = {}
        self._empty, self._empty_icon = empty, empty.icon.name
        self._words = {filter.key: filter.word for filter in filters}
        self.table: RowTable[R] = RowTable(columns, key, name=name, empty=empty)
        self.count = Words("", "text", "muted")
        self.narrow = line_edit("Narrow this list", spoken=f"Narrow the list of {name.lower()}")
        self.narrow.setClearButtonEnabled(True)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(120)
        self._pause.timeout.connect(self.load)
        self.narrow.textChanged.connect(self._on_narrow)
        self.narrow_down = act(
            self, "Narrow this list", self._on_find, key="Ctrl+F", icon="filter",
            more="Esc in the field shows the whole list again.",
        )  # fmt: skip
        esc = QShortcut(QKeySequence("Esc"), self.narrow)
        esc.setContext(Qt.ShortcutContext.WidgetShortcut)
        esc.activated.connect(self._on_whole)
        self.all_or_mine = QButtonGroup(self)
        chips = QWidget()
        flow = FlowLayout(chips)
        group = QButtonGroup(self)
        for filter in filters:
            chip = Button(filter.word, "chip", icon=filter.icon)
            chip.setCheckable(True)
            chip.setChecked(filter.key == self.chosen)
            chip.clicked.connect(lambda _=False, key=filter.key: self.choose(key))
            group.addButton(chip)
            flow.addWidget(chip)
            self.filters[filter.key] = chip
        self.everybody = Button("Everybody’s", "chip")
        self.own = Button("Mine", "chip", icon="person")
        for button in (self.everybody, self.own):
            button.setCheckable(True)
            if not mine:
                button.hide()  # never shown here: without a page it would be a window of its own
            self.all_or_mine.addButton(button)
        self.everybody.setChecked(True)
        self._read = False
        self.all_or_mine.buttonClicked.connect(lambda _: self.load())
        self.head: QHBoxLayout = row(title(name), self.count, 0, self.everybody, self.own)
        self.page.insertLayout(0, self.head)
        filter_row = row(chips, gap=2 * GRID)
        filter_row.setStretch(0, 1)
        self.narrow.setFixedWidth(260)
        filter_row.addWidget(self.narrow)
        self.page.addLayout(filter_row)
        self.page.addWidget(self.table, 1)

    @property
    def mine(self) -> bool:
        """Whether only one's own are wanted."""
        return self.own.isChecked()

    @property
    def narrowed_to(self) -> str:
        """What the list is narrowed to."""
        return self.narrow.text().strip()

    def choose(self, key: Hashable) -> None:
        """Take another filter."""
        self.chosen = key
        self.filters[key].setChecked(True)
        self.load()

    def show_unread(self, problem: ConsoleError) -> None:
        """Keep what could still be read, or say in its place why there is nothing to see.

        The banner over the screen says already that the database is away: once is enough, and
        nobody who only looks wants to hear that nothing was done.
        """
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)
        elif not self._read:
            self._empty.say(
                "This list cannot be read just now.",
                "It comes by itself as soon as the database answers.",
                "offline",
            )
            self.table.show_rows([], light=False)

    def show_list(self, rows: Sequence[R], counts: Mapping[Any, int], total: int) -> None:
        """Show the rows that fit, and how many there are of each kind."""
        self.clear_problem()
        self._read = True
        self._empty.icon.show_icon(self._empty_icon)
        # Until what was just typed has been asked, these rows answer the question before.
        asked = None if self._pause.isActive() else (self.chosen, self.mine, self.narrowed_to)
        self.table.show_rows(rows, question=asked, light=asked is not None)
        offered = sum(counts.get(key, 0) for key in self.filters if key is not None)
        for key, chip in self.filters.items():
            many = offered if key is None else counts.get(key, 0)
            chip.setText(f"{self._words[key]}  {many:,}")
        self.count.setText(
            f"{total:,}" if total == len(rows) else f"the first {len(rows):,} of {total:,}"
        )

    def _on_find(self) -> None:
        self.narrow.setFocus()
        self.narrow.selectAll()

    def _on_whole(self) -> None:
        self.narrow.clear()
        self.table.setFocus()

    def _on_narrow(self) -> None:
        self._pause.start()
