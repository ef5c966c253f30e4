"""Two people's edits of one record, field by field: keep mine, take theirs, or some of each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QRadioButton, QWidget

from console.domain.merging import Merge
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.widgets import Button, Notice, Words, column, label

NOTHING = "nothing"


class Versions(QWidget):
    """Lays both versions beside each other; whoever looks chooses for every field that clashes.

    What only one of them changed goes beside the other by itself, and is said. The buttons stand
    at the foot of the sheet, where its others are.
    """

    chosen = Signal(object)
    """The fields as they shall stand, after one of the buttons; None when mine are dropped."""

    def __init__(
        self,
        words: Mapping[str, str],
        sheet: Sheet,
        cancel: Button,
        letters: Mapping[str, QWidget] | None = None,
    ) -> None:
        """Stand on a sheet; `letters` show both versions of a field letter under letter."""
        super().__init__()
        self._words = words
        self._sheet, self._cancel = sheet, cancel
        self._letters = letters or {}
        self._mine: Mapping[str, str] = {}
        self._merge: Merge | None = None
        self.notice = Notice("swap", "", "warn")
        self.beside = Words("", "text", "muted", wrap=True)
        self._table = QWidget()
        self._groups: dict[str, QButtonGroup] = {}
        self.mine_radios: dict[str, QRadioButton] = {}
        self.their_radios: dict[str, QRadioButton] = {}
        self.keep_mine = sheet.add_button(Button("Keep mine"))
        self.take_theirs = sheet.add_button(Button("Take theirs"))
        self.drop_mine = sheet.add_button(Button("Drop mine"))
        self.merge_button = sheet.add_button(Button("Save as chosen", "primary"))
        self.take_theirs.clicked.connect(self._on_take_theirs)
        self.keep_mine.clicked.connect(self._on_keep_mine)
        self.drop_mine.clicked.connect(lambda: self.chosen.emit(None))
        self.merge_button.clicked.connect(self._on_merge)
        self._page = column(self.notice, *self._letters.values(), self._table, self.beside, gap=12)
        self.setLayout(self._page)
        self.put_away()

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
        self.notice.say(_notice(who, merge))
        self.beside.setText(self._beside(who, said))
        self.beside.setVisible(bool(self.beside.text()))
        for field, letters in self._letters.items():
            letters.setVisible(field in merge.clashes)
        self._show_clashes(said)
        several, clashes = len(merge.clashes) > 1, bool(merge.clashes)
        self.keep_mine.setVisible(clashes)
        self.take_theirs.setVisible(clashes)
        self.drop_mine.setVisible(not clashes)
        self.merge_button.setVisible(several or not clashes)
        self.merge_button.setText("Save as chosen" if clashes else "Save both")
        self.show()
        self._dress()
        self._order()

    def put_away(self) -> None:
        """Show nothing of it, and none of its buttons."""
        self.hide()
        for button in (self.keep_mine, self.take_theirs, self.drop_mine, self.merge_button):
            button.hide()

    def _beside(self, who: str, said: Mapping[str, tuple[str, str]]) -> str:
        merge = self._merge
        if merge is None:
            return ""
        parts = []
        for field, word in self._words.items():
            if field in merge.theirs:
                parts.append(f"{who} set {amid(word)} to {said[field][1] or NOTHING}.")
            elif field in merge.mine:
                parts.append(f"You set {amid(word)} to {said[field][0] or NOTHING}.")
        if parts and merge.clashes:
            parts.append("That is kept either way.")
        return " ".join(parts)

    def _show_clashes(self, said: Mapping[str, tuple[str, str]]) -> None:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        self._groups, self.mine_radios, self.their_radios = {}, {}, {}
        clashes = self._merge.clashes if self._merge is not None else ()
        # With one field the two buttons at the foot say it all.
        several = len(clashes) > 1
        for line, field in enumerate(clashes, start=1):
            word = self._words[field]
            mine, theirs = (value or NOTHING for value in said[field])
            grid.addWidget(Words(word, "bold"), line, 0)
            if several:
                self._add_radios(grid, line, field, mine, theirs)
            else:
                grid.addWidget(Words(mine, wrap=True).selectable(), line, 1)
                grid.addWidget(Words(theirs, wrap=True).selectable(), line, 2)
        if clashes:
            grid.addWidget(label("Yours"), 0, 1)
            grid.addWidget(label("Theirs"), 0, 2)
            grid.setColumnStretch(1, 1)
            grid.setColumnStretch(2, 1)
        self._page.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table
        table.setVisible(several or any(field not in self._letters for field in clashes))

    def _add_radios(self, grid: QGridLayout, line: int, field: str, mine: str, theirs: str) -> None:
        group = QButtonGroup(grid.parentWidget())
        yours = _radio(mine, f"{self._words[field]}: yours, {mine}")
        others = _radio(theirs, f"{self._words[field]}: theirs, {theirs}")
        group.addButton(yours)
        group.addButton(others)
        group.buttonClicked.connect(self._dress)
        self._groups[field] = group
        self.mine_radios[field], self.their_radios[field] = yours, others
        grid.addWidget(yours, line, 1)
        grid.addWidget(others, line, 2)

    def _order(self) -> None:
        """Lead the keys from the choices to what loses least, and begin where nothing is lost."""
        radios = [
            radio
            for field, mine in self.mine_radios.items()
            for radio in (mine, self.their_radios[field])
        ]
        buttons = (self.merge_button, self.drop_mine, self.take_theirs, self.keep_mine)
        for before, after in pairwise([*radios, *buttons, self._cancel]):
            QWidget.setTabOrder(before, after)
        if radios:
            radios[0].setFocus()
        elif not self.merge_button.isHidden():
            self.merge_button.setFocus()
        else:
            self._cancel.setFocus()

    def _dress(self) -> None:
        # Nothing is chosen for anybody: theirs is on file, mine is what I typed.
        chosen = all(group.checkedButton() is not None for group in self._groups.values())
        self.merge_button.setEnabled(chosen)

    def _on_take_theirs(self) -> None:
        if self._merge is not None:
            self.chosen.emit(self._merge.choosing(self._mine, frozenset()))

    def _on_keep_mine(self) -> None:
        if self._merge is not None:
            every = frozenset(self._merge.clashes)
            self.chosen.emit(self._merge.choosing(self._mine, every))

    def _on_merge(self) -> None:
        if self._merge is not None:
            mine = frozenset(field for field, one in self.mine_radios.items() if one.isChecked())
            self.chosen.emit(self._merge.choosing(self._mine, mine))


def _notice(who: str, merge: Merge) -> str:
    if not merge.clashes:
        return f"{who} changed something else meanwhile. Both changes fit beside each other."
    if len(merge.clashes) == 1:
        return f"{who} changed the same meanwhile. Choose which one stands."
    return f"{who} changed the same meanwhile. Choose one for each line."


def amid(word: str) -> str:
    """Say a field's name in the middle of a sentence; ZIP stays ZIP."""
    return word if word.isupper() else word[:1].lower() + word[1:]


def _radio(text: str, spoken: str) -> QRadioButton:
    radio = QRadioButton(text.replace("&", "&&"))
    radio.setAccessibleName(spoken)
    return radio
