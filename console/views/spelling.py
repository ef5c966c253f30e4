"""Two spellings one above the other, letter under letter, with what differs marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from console.views import theme

Range = tuple[int, int]

LONGEST = 80
"""Characters drawn; what is longer was pasted by mistake."""


@dataclass(frozen=True)
class Cell:
    """One column of the grid: the character above, the one below, and which of them is marked."""

    above: str
    below: str
    above_marked: bool
    below_marked: bool


def columns(
    above: str, below: str, above_marks: Sequence[Range], below_marks: Sequence[Range]
) -> tuple[Cell, ...]:
    """Set letters under their fellows, leaving a gap where one side has nothing."""
    above, below = above[:LONGEST], below[:LONGEST]
    cells: list[Cell] = []

    def put(i: int | None, j: int | None) -> None:
        cells.append(
            Cell(
                "" if i is None else above[i],
                "" if j is None else below[j],
                i is not None and _inside(i, above_marks),
                j is not None and _inside(j, below_marks),
            )
        )

    one, other = above.casefold(), below.casefold()
    if len(one) != len(above) or len(other) != len(below):
        one, other = above, below  # letters such as ß grow when folded and would shift the grid
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal" or i2 - i1 == j2 - j1:
            for step in range(i2 - i1):
                put(i1 + step, j1 + step)
            continue
        for step in range(max(i2 - i1, j2 - j1)):
            put(
                i1 + step if step < i2 - i1 else None,
                j1 + step if step < j2 - j1 else None,
            )
    return tuple(cells)


def visible(character: str) -> str:
    """Answer what can be drawn for a character that nobody would see."""
    if character == " ":
        return "␣"
    if character and unicodedata.category(character) in ("Cf", "Cc", "Zs", "Cn", "Cs", "Co"):
        return "▯"
    return character


class SpellingView(QWidget):
    """Shows what was typed above what is on file.

    What differs is underlined, coloured, filled, and pointed at by a small triangle between the
    lines: never by colour alone.
    """

    def __init__(self, above: str = "Typed", below: str = "On file") -> None:
        super().__init__()
        self._labels = above, below
        self._texts = "", ""
        self.cells: tuple[Cell, ...] = ()
        self._per_line = LONGEST
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.current().changed.connect(self.updateGeometry)

    def show_pair(
        self,
        above: str,
        below: str,
        above_marks: Sequence[Range] = (),
        below_marks: Sequence[Range] = (),
    ) -> None:
        """Show two spellings; each mark is the start and end of a run that differs."""
        self._texts = above, below
        self.cells = columns(above, below, above_marks, below_marks)
        marked = "; ".join(
            f"{name} differs at {said}"
            for name, text, marks in (
                (self._labels[0], above, above_marks),
                (self._labels[1], below, below_marks),
            )
            if (said := ", ".join(_say(text[start:end]) for start, end in marks))
        )
        self.setAccessibleName(
            f"{self._labels[0]}: {above or 'nothing'}. {self._labels[1]}: {below or 'nothing'}."
            + (f" {marked}." if marked else " No letter differs.")
        )
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = -(-max(1, len(self.cells)) // self._fits(width))
        return lines * self._line_height() + (lines - 1) * theme.current().px(12)

    def sizeHint(self) -> QSize:
        wide = self._before() + self._step() * max(8, min(len(self.cells), 40))
        return QSize(wide, self.heightForWidth(max(wide, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._before() + 8 * self._step(), self._line_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        per_line = self._fits(self.width())
        with theme.painting(self) as painter:
            for number, start in enumerate(range(0, max(1, len(self.cells)), per_line)):
                top = number * (self._line_height() + look.px(12))
                self._paint_line(painter, top, self.cells[start : start + per_line], number == 0)

    def _paint_line(
        self, painter: QPainter, top: int, cells: Sequence[Cell], labelled: bool
    ) -> None:
        look = theme.current()
        high, step = self._row(), self._step()
        below_top = top + high + look.px(10)
        if labelled:
            painter.setFont(look.font(theme.SMALL))
            painter.setPen(look.colour("muted"))
            for name, y in zip(self._labels, (top, below_top), strict=True):
                box = QRectF(0, y, self._before() - look.px(12), high)
                painter.drawText(
                    box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name
                )
        painter.setFont(look.font(theme.TITLE, mono=True))
        for number, cell in enumerate(cells):
            x = self._before() + number * step
            self._paint_cell(painter, QRectF(x, top, step, high), cell.above, cell.above_marked)
            self._paint_cell(
                painter, QRectF(x, below_top, step, high), cell.below, cell.below_marked
            )
            if cell.above_marked or cell.below_marked:
                self._paint_pointer(painter, QPointF(x + step / 2, top + high + look.px(5)))

    def _paint_cell(self, painter: QPainter, box: QRectF, character: str, marked: bool) -> None:
        look = theme.current()
        if marked:
            painter.fillRect(box, look.colour("soft_bad"))
            painter.fillRect(
                QRectF(box.left() + 1, box.bottom() - 2, box.width() - 2, 2), look.colour("bad")
            )
        if character:
            painter.setPen(look.colour("deep_bad" if marked else "ink"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, visible(character))
        elif not marked:
            painter.setPen(QPen(look.colour("edge"), 1))
            y = box.bottom() - look.px(5)
            painter.drawLine(
                QPointF(box.left() + box.width() * 0.3, y),
                QPointF(box.right() - box.width() * 0.3, y),
            )

    def _paint_pointer(self, painter: QPainter, at: QPointF) -> None:
        look = theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("bad"))
        reach = look.px(3)
        painter.drawPolygon(
            [
                QPointF(at.x(), at.y() - reach),
                QPointF(at.x() + reach, at.y()),
                QPointF(at.x(), at.y() + reach),
                QPointF(at.x() - reach, at.y()),
            ]
        )

    def _fits(self, width: int) -> int:
        return max(8, (width - self._before()) // self._step())

    def _before(self) -> int:
        measure = QFontMetrics(theme.current().font(theme.SMALL))
        widest = max(measure.horizontalAdvance(name) for name in self._labels)
        return widest + theme.current().px(16)

    def _step(self) -> int:
        measure = QFontMetrics(theme.current().font(theme.TITLE, mono=True))
        return measure.horizontalAdvance("M") + theme.current().px(3)

    def _row(self) -> int:
        return QFontMetrics(theme.current().font(theme.TITLE, mono=True)).height()

    def _line_height(self) -> int:
        return 2 * self._row() + theme.current().px(10)


def _inside(position: int, marks: Sequence[Range]) -> bool:
    return any(start <= position < end for start, end in marks)


def _say(run: str) -> str:
    if run.isspace():
        return "a space" if len(run) == 1 else f"{len(run)} spaces"
    return f"“{run}”"
