"""Two people's edits of one record, field by field: keep mine, take theirs, or some of each."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QRadioButton, QWidget

from console.domain.merging import Merge
from console.views.theme import GRID
from console.views.widgets import Button, Notice, Words, column, label, row

NOTHING = "nothing"


class Versions(QWidget):
    """Lays both versions beside each other; whoever looks chooses for every field that clashes.

    What only one of them changed goes beside the other by itself, and is said.
    """

    chosen = Signal(object)
    """The fields as they shall stand, after one of the buttons; None when theirs shall stand."""

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__()
        self._words = words
        self._mine: Mapping[str, str] = {}
        self._merge: Merge | None = None
        self.notice = Notice("swap", "", "warn")
        self.beside = Words("", "text", "muted", wrap=True)
        self._table = QWidget()
        self._groups: dict[str, QButtonGroup] = {}
        self.mine_radios: dict[str, QRadioButton] = {}
        self.their_radios: dict[str, QRadioButton] = {}
        self.take_theirs = Button("Take theirs")
        self.keep_mine = Button("Keep mine")
        self.merge_button = Button("Save as chosen", "primary")
        self.take_theirs.clicked.connect(lambda: self.chosen.emit(None))
        self.keep_mine.clicked.connect(self._on_keep_mine)
        self.merge_button.clicked.connect(self._on_merge)
        self._page = column(
            self.notice,
            self.beside,
            self._table,
            row(self.take_theirs, self.keep_mine, self.merge_button, 0),
            0,
            gap=12,
        )
        self.setLayout(self._page)

    def show_versions(
        self,
        by: str,
        mine: Mapping[str, str],
        theirs: Mapping[str, str],
        merge: Merge,
        *,
        said: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """Show what was changed by whom; `said` has each field's two values as staff read them."""
        self._mine, self._merge = mine, merge
        said = said or {field: (mine[field], theirs[field]) for field in mine}
        who = by or "A colleague"
        self.notice.say(
            f"{who} changed the same meanwhile. Choose which one stands."
            if merge.clashes
            else f"{who} changed something else meanwhile. Both changes fit beside each other."
        )
        self.beside.setText(self._beside(who, said))
        self.beside.setVisible(bool(self.beside.text()))
        self._show_clashes(said)
        self.merge_button.setText("Save as chosen" if merge.clashes else "Save both")
        self._dress()
        (self.keep_mine if merge.clashes else self.merge_button).setFocus()

    def _beside(self, who: str, said: Mapping[str, tuple[str, str]]) -> str:
        merge = self._merge
        if merge is None:
            return ""
        parts = []
        for field, word in self._words.items():
            if field in merge.theirs:
                parts.append(f"{who} set {word.lower()} to {said[field][1] or NOTHING}.")
            elif field in merge.mine:
                parts.append(f"You set {word.lower()} to {said[field][0] or NOTHING}.")
        return " ".join(parts)

    def _show_clashes(self, said: Mapping[str, tuple[str, str]]) -> None:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        self._groups, self.mine_radios, self.their_radios = {}, {}, {}
        clashes = self._merge.clashes if self._merge is not None else ()
        for line, field in enumerate(clashes, start=1):
            word = self._words[field]
            mine, theirs = said[field]
            group = QButtonGroup(table)
            yours = _radio(mine or NOTHING, f"{word}: yours, {mine or NOTHING}")
            others = _radio(theirs or NOTHING, f"{word}: theirs, {theirs or NOTHING}")
            group.addButton(yours)
            group.addButton(others)
            group.buttonClicked.connect(self._dress)
            self._groups[field] = group
            self.mine_radios[field], self.their_radios[field] = yours, others
            grid.addWidget(Words(word, "bold"), line, 0)
            grid.addWidget(yours, line, 1)
            grid.addWidget(others, line, 2)
        if clashes:
            grid.addWidget(label("Yours"), 0, 1)
            grid.addWidget(label("Theirs"), 0, 2)
            grid.setColumnStretch(1, 1)
            grid.setColumnStretch(2, 1)
        self._page.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table
        table.setVisible(bool(clashes))

    def _dress(self) -> None:
        # Nothing is chosen for anybody: theirs is on file, mine is what I typed.
        chosen = all(group.checkedButton() is not None for group in self._groups.values())
        self.merge_button.setEnabled(chosen)

    def _on_keep_mine(self) -> None:
        if self._merge is not None:
            every = frozenset(self._merge.clashes)
            self.chosen.emit(self._merge.choosing(self._mine, every))

    def _on_merge(self) -> None:
        if self._merge is not None:
            mine = frozenset(field for field, one in self.mine_radios.items() if one.isChecked())
            self.chosen.emit(self._merge.choosing(self._mine, mine))


def _radio(text: str, spoken: str) -> QRadioButton:
    radio = QRadioButton(text.replace("&", "&&"))
    radio.setAccessibleName(spoken)
    return radio
