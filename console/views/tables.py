"""One table for every list: rows of plain values under declared columns.

COLUMNS = (
    Column[PaymentRow]("Taken", lambda row: row.at, when, width=140),
    Column[PaymentRow]("Amount", lambda row: row.amount, align="right"),
    Column[PaymentRow]("State", lambda row: row.state, icon=..., tone=..., stretch=True),
)
table = RowTable(COLUMNS, key=lambda row: row.id, name="Payments")
table.show_rows(rows)      # keeps the cursor; what others changed lights up for a moment
table.opened.connect(...)  # Enter or double click, with the row
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from console.views import theme

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex

SORT_ROLE = Qt.ItemDataRole.UserRole
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
ICON_ROLE = Qt.ItemDataRole.UserRole + 2
TONE_ROLE = Qt.ItemDataRole.UserRole + 3
BOLD_ROLE = Qt.ItemDataRole.UserRole + 4
SECOND_ROLE = Qt.ItemDataRole.UserRole + 5

FLASH_SECONDS = 1.6
LEAST_STRETCHED = 220
"""What a stretching column keeps at 100 % text, unless it names another least width."""
LEAST_SHARE = 0.7
"""How far another column gives way to it, as a share of its own width."""
MOST_SINGLE_STEPS = 200
"""Beyond this many separate insertions and removals the rows are put up afresh at once."""

_TOP = QModelIndex()


@dataclass(frozen=True)
class Column(Generic[R]):
    """A heading, where its value comes from, and how the value is written."""

    title: str
    value: Callable[[R], Any]
    text: Callable[[Any], str] = str
    align: Literal["left", "right"] = "left"
    width: int = 0
    """Pixels at 100 %; 0 fits the heading and the first rows."""
    stretch: bool = False
    """Whether it takes what room is left."""
    least: int = 0
    """What it keeps where the table is narrow, in pixels at 100 %; 0 leaves it to the table."""
    spare: bool = False
    """Whether it is left away where the table is too narrow for all of them."""
    icon: Callable[[R], str] | None = None
    tone: Callable[[R], str] | None = None
    """A name of a colour; the word beside it must say the same."""
    bold: bool = False
    second: Callable[[R], str] | None = None
    """A quiet second line."""
    hint: Callable[[R], str] | None = None
    """What is shown on hovering."""


class Rows(QAbstractTableModel, Generic[R]):
    """Holds a list of rows; knows nothing of where they came from."""

    def __init__(
        self, columns: Sequence[Column[R]], key: Callable[[R], Hashable] | None = None
    ) -> None:
        super().__init__()
        self.columns = columns
        self._key = key or _itself
        self._given: list[R] = []
        self._rows: list[R] = []
        self._keys: list[Hashable] = []
        self._lit: dict[Hashable, float] = {}
        self._sorted_by: tuple[int, bool] | None = None
        self._shown_before = False

    @property
    def rows(self) -> Sequence[R]:
        """The rows in the order shown."""
        return self._rows

    def show_rows(self, rows: Sequence[R], *, light: bool = True) -> None:
        """Put up these rows in place of the others, touching only what differs.

        What differs lights up, unless the difference is nobody's news.
        """
        self._given = list(rows)
        new = self._in_order(self._given)
        new_keys = [self._key(row) for row in new]
        before = dict(zip(self._keys, self._rows, strict=True))
        lit = [
            key
            for key, row in zip(new_keys, new, strict=True)
            if (key not in before) or before[key] != row
        ]
        self._arrange(new, new_keys)
        if self._shown_before and light:
            until = time.monotonic() + FLASH_SECONDS
            self._lit.update(dict.fromkeys(lit, until))
        self._shown_before = True

    def key_at(self, row: int) -> Hashable | None:
        """Answer what identifies a row."""
        return self._keys[row] if 0 <= row < len(self._keys) else None

    def place_of(self, key: Hashable) -> int:
        """Find the row with a key, or -1."""
        try:
            return self._keys.index(key)
        except ValueError:
            return -1

    def light_of(self, row: int) -> float:
        """Answer how brightly a row that has just changed is lit, from 1 down to 0."""
        if not self._lit:
            return 0.0
        until = self._lit.get(self._keys[row])
        return 0.0 if until is None else max(0.0, (until - time.monotonic()) / FLASH_SECONDS)

    @property
    def is_lit(self) -> bool:
        """Whether any row is still lit."""
        now = time.monotonic()
        self._lit = {key: until for key, until in self._lit.items() if until > now}
        return bool(self._lit)

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(column.value(row))
        if role == SORT_ROLE:
            return column.value(row)
        if role == ROW_ROLE:
            return row
        return self._dress(row, column, role)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = self.columns[section].align == "right"
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by = None if column < 0 else (column, order == Qt.SortOrder.DescendingOrder)
        rows = self._in_order(self._given)
        self._arrange(rows, [self._key(row) for row in rows])

    def _dress(self, row: R, column: Column[R], role: int) -> Any:
        if role == ICON_ROLE:
            return column.icon(row) if column.icon else ""
        if role == TONE_ROLE:
            return column.tone(row) if column.tone else "ink"
        if role == BOLD_ROLE:
            return column.bold
        if role == SECOND_ROLE:
            return column.second(row) if column.second else ""
        if role == Qt.ItemDataRole.ToolTipRole and column.hint:
            return column.hint(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            second = column.second(row) if column.second else ""
            said = column.text(column.value(row))
            return f"{column.title}: {said}" + (f", {second}" if second else "")
        return None

    def _in_order(self, rows: list[R]) -> list[R]:
        if self._sorted_by is not None:
            column, backwards = self._sorted_by
            value = self.columns[column].value
            # What is missing has no order among dates or sums: it goes last either way.
            there = [row for row in rows if value(row) is not None]
            missing = [row for row in rows if value(row) is None]
            return sorted(there, key=value, reverse=backwards) + missing
        return list(rows)

    def _arrange(self, rows: list[R], keys: list[Hashable]) -> None:
        if keys == self._keys:
            changed = [i for i, row in enumerate(rows) if row != self._rows[i]]
            self._rows = rows
            for first, last in _runs(changed):
                self.dataChanged.emit(
                    self.index(first, 0), self.index(last, max(0, self.columnCount() - 1))
                )
            return
        staying, wanted = set(keys), set(self._keys)
        gone = [i for i, key in enumerate(self._keys) if key not in staying]
        fresh = [i for i, key in enumerate(keys) if key not in wanted]
        gone_runs, fresh_runs = _runs(gone), _runs(fresh)
        doubled = len(staying) != len(keys) or len(wanted) != len(self._keys)
        if doubled or len(gone_runs) + len(fresh_runs) > MOST_SINGLE_STEPS:
            self.beginResetModel()
            self._rows, self._keys = rows, keys
            self.endResetModel()
            return
        for first, last in reversed(gone_runs):
            self.beginRemoveRows(_TOP, first, last)
            del self._rows[first : last + 1]
            del self._keys[first : last + 1]
            self.endRemoveRows()
        self._reorder([key for key in keys if key in wanted])
        for first, last in fresh_runs:
            self.beginInsertRows(_TOP, first, last)
            self._rows[first:first] = rows[first : last + 1]
            self._keys[first:first] = keys[first : last + 1]
            self.endInsertRows()
        self._arrange(rows, keys)

    def _reorder(self, keys: list[Hashable]) -> None:
        if keys == self._keys:
            return
        self.layoutAboutToBeChanged.emit()
        held = dict(zip(self._keys, self._rows, strict=True))
        places = {key: place for place, key in enumerate(keys)}
        old = self.persistentIndexList()
        new = [self.index(places[self._keys[i.row()]], i.column()) for i in old]
        self._keys = keys
        self._rows = [held[key] for key in keys]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()


class RowTable(QTableView, Generic[R]):
    """A list on screen: whole rows, one cursor, keys for everything, no grid.

    `empty` is laid over it while there is nothing to list.
    """

    opened = Signal(object)
    """Enter or a double click on a row, with the row."""
    turned_to = Signal(object)
    """The cursor has come to a row, with the row, or with None when none is left."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Hashable] | None = None,
        *,
        name: str,
        empty: QWidget | None = None,
        sortable: bool = True,
    ) -> None:
        super().__init__()
        self.rows_model: Rows[R] = Rows(columns, key)
        self.setModel(self.rows_model)
        self.setAccessibleName(name)
        self.setItemDelegate(_RowDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.hovered = -1
        self._two_lines = any(column.second for column in columns)
        head = self.horizontalHeader()
        head.setAccessibleName(f"{name}: headings")
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setStretchLastSection(not any(column.stretch for column in columns))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._empty = empty
        if empty is not None:
            empty.setParent(self.viewport())
            empty.setVisible(False)
        self._key_before: Hashable | None = None
        self._place_before = 0
        self._question: Hashable = None
        self._dragged: dict[int, int] = {}
        self._fitting = False
        self._light = QTimer(self)
        self._light.setInterval(60)
        self._light.timeout.connect(self._fade)
        self.rows_model.modelAboutToBeReset.connect(self._remember)
        self.rows_model.modelReset.connect(self._recall)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        head.sectionResized.connect(self._on_resized)
        theme.current().changed.connect(self._measure)
        if sortable:
            # Rows keep the order they came in until somebody asks for another.
            head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            head.setSortIndicatorClearable(True)
            self.setSortingEnabled(True)
        self._measure()

    def show_rows(
        self, rows: Sequence[R], *, light: bool = True, question: Hashable = None
    ) -> None:
        """Show these rows; the cursor stays on its row, and what has changed lights up.

        `question` is what the rows answer, such as the filters chosen: the rows of another
        question differ because somebody asked, not because somebody changed them, and do not
        light up. What is being read stays where it is, although rows come and go above it; a list
        that stands at its top stays there, and shows what is new.
        """
        held = self.current_key()
        place = self.currentIndex().row()
        eye = self._eye()
        light = light and question == self._question
        self._question = question
        self.rows_model.show_rows(rows, light=light)
        self._hold(eye)
        if held is not None and self.rows_model.place_of(held) < 0 and rows:
            # The row under the cursor is gone: the cursor goes to the one that took its place.
            self._go_to(min(max(place, 0), self.rows_model.rowCount() - 1))
        elif self.hasFocus() and self.current_row() is None:
            self._go_to(0)  # the keys were here before there was anything to walk through
        if self._empty is not None:
            self._empty.setVisible(not rows)
            self._empty.resize(self.viewport().size())
        if self.rows_model.is_lit:
            self._light.start()

    def current_row(self) -> R | None:
        """Answer the row under the cursor."""
        place = self.currentIndex().row()
        rows = self.rows_model.rows
        return rows[place] if 0 <= place < len(rows) else None

    def current_key(self) -> Hashable | None:
        """Answer what identifies the row under the cursor."""
        return self.rows_model.key_at(self.currentIndex().row())

    def turn_to(self, key: Hashable) -> bool:
        """Put the cursor on the row with a key, if it is there."""
        place = self.rows_model.place_of(key)
        if place >= 0:
            self._go_to(place)
        return place >= 0

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.current_row()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            self.opened.emit(row)
            return
        if event.matches(QKeySequence.StandardKey.Copy) and row is not None:
            QGuiApplication.clipboard().setText(
                "\t".join(column.text(column.value(row)) for column in self.rows_model.columns)
            )
            return
        if event.key() == Qt.Key.Key_Home:
            self._go_to(0)
            return
        if event.key() == Qt.Key.Key_End:
            self._go_to(self.rows_model.rowCount() - 1)
            return
        if event.text().isprintable() and event.text():
            event.ignore()  # letters belong to the search box, not to a hidden search in the list
            return
        super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self.current_row()
        if row is not None and self.indexAt(event.position().toPoint()).isValid():
            self.opened.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(int(event.position().y())))

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def focusInEvent(self, event: Any) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.rows_model.rowCount():
            self._go_to(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        if self._empty is not None:
            self._empty.resize(self.viewport().size())

    def _go_to(self, place: int) -> None:
        if 0 <= place < self.rows_model.rowCount():
            index = self.rows_model.index(place, 0)
            self.selectionModel().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )
            self.scrollTo(index)

    def _eye(self) -> tuple[Hashable, int] | None:
        """Answer what is read just now and how far down it stands; None at the top of the list."""
        if self.verticalScrollBar().value() == 0:
            return None
        place = self.currentIndex().row()
        top = self.rowViewportPosition(place) if place >= 0 else -1
        if not 0 <= top < self.viewport().height():
            place = self.rowAt(0)
            top = self.rowViewportPosition(place)
        key = self.rows_model.key_at(place)
        return None if key is None else (key, top)

    def _hold(self, eye: tuple[Hashable, int] | None) -> None:
        place = -1 if eye is None else self.rows_model.place_of(eye[0])
        if eye is None or place < 0:
            return
        self.updateGeometries()  # the bar's range counts the new rows at once, not when idle
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.rowViewportPosition(place) - eye[1])

    def _hover(self, row: int) -> None:
        if row != self.hovered:
            self.hovered = row
            self.viewport().update()

    def _fade(self) -> None:
        if not self.rows_model.is_lit:
            self._light.stop()
        self.viewport().update()

    def _remember(self) -> None:
        self._key_before = self.current_key()
        self._place_before = self.currentIndex().row()

    def _recall(self) -> None:
        if self._key_before is not None and not self.turn_to(self._key_before):
            self._go_to(min(self._place_before, self.rows_model.rowCount() - 1))

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        rows = self.rows_model.rows
        self.turned_to.emit(rows[current.row()] if 0 <= current.row() < len(rows) else None)

    def _measure(self) -> None:
        look = theme.current()
        high = look.px(52 if self._two_lines else 36)
        self.verticalHeader().setMinimumSectionSize(high)
        self.verticalHeader().setDefaultSectionSize(high)
        head = self.horizontalHeader()
        head.setMinimumSectionSize(look.px(48))
        self._dragged = {}
        self._fit()
        self.viewport().update()

    def _fit(self) -> None:
        """Share the width out: where it is narrow the others give way to what stretches."""
        look, head = theme.current(), self.horizontalHeader()
        columns = dict(enumerate(self.rows_model.columns))
        wide = {
            place: self._dragged.get(place) or look.px(column.width or 120)
            for place, column in columns.items()
        }
        least = {
            place: look.px(column.least or LEAST_STRETCHED)
            if column.stretch
            else min(wide[place], look.px(column.least) or round(wide[place] * LEAST_SHARE))
            for place, column in columns.items()
        }
        room = self.viewport().width()
        spare = [place for place, column in columns.items() if column.spare]
        left_away = set()
        while spare and sum(least.values()) > room:
            left_away.add(place := spare.pop())
            del least[place]
        stiff = [place for place in least if not columns[place].stretch]
        wanted = sum(wide[place] - least[place] for place in stiff)
        given = min(max(room - sum(least.values()), 0), wanted)
        enough = sum(least.values()) <= room
        self._fitting = True
        for place, column in columns.items():
            head.setSectionHidden(place, place in left_away)
            if column.stretch and enough:
                head.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)
                continue
            head.setSectionResizeMode(place, QHeaderView.ResizeMode.Interactive)
            if place in least:
                more = given * (wide[place] - least[place]) // wanted if wanted else 0
                self.setColumnWidth(place, least[place] + (0 if column.stretch else more))
        self._fitting = False

    def _on_resized(self, place: int, _before: int, now: int) -> None:
        # A width that somebody drags is kept until the text changes its size.
        if not self._fitting and not self.rows_model.columns[place].stretch and now:
            self._dragged[place] = now


class _RowDelegate(QStyledItemDelegate):
    """Paints cells: the cursor, the light of a change, an icon, a quiet second line."""

    def __init__(self, table: RowTable[Any]) -> None:
        super().__init__(table)
        self._table = table
        self._metrics: dict[str, QFontMetrics] = {}
        theme.current().changed.connect(self._metrics.clear)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, self._table.verticalHeader().defaultSectionSize())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look = theme.current()
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        self._paint_ground(painter, box, state, index, look)
        model = self._table.rows_model
        row, column = model.rows[index.row()], model.columns[index.column()]
        tone = column.tone(row) if column.tone else "ink"
        if state & QStyle.StateFlag.State_Selected:
            tone = f"deep_{tone}"  # the plain tone is too pale on the colour of the cursor
        inside = box.adjusted(look.px(12), 0, -look.px(12), 0)
        if column.icon and (name := column.icon(row)):
            pixmap = look.pixmap(name, tone, 16)
            size = look.px(16)
            second = bool(column.second and column.second(row))
            at = inside.top() + (look.px(9) if second else (inside.height() - size) // 2)
            painter.drawPixmap(QPoint(inside.left(), at), pixmap)
            inside.setLeft(inside.left() + size + look.px(8))
        text = _one_line(column.text(column.value(row)))
        side = (
            Qt.AlignmentFlag.AlignRight if column.align == "right" else Qt.AlignmentFlag.AlignLeft
        )
        middle = Qt.AlignmentFlag.AlignVCenter
        font = look.font(theme.TEXT, weight=500 if column.bold else 400)
        if column.second and (below := _one_line(column.second(row))):
            half = inside.height() // 2
            upper = QRect(inside.left(), inside.top(), inside.width(), half)
            lower = QRect(inside.left(), inside.top() + half, inside.width(), half)
            self._write(
                painter, upper.adjusted(0, look.px(6), 0, 0), text, font, look.colour(tone),
                side | middle,
            )  # fmt: skip
            self._write(
                painter, lower.adjusted(0, 0, 0, -look.px(6)), below, look.font(theme.SMALL),
                look.colour("muted"), side | middle,
            )  # fmt: skip
        else:
            self._write(painter, inside, text, font, look.colour(tone), side | middle)
        painter.restore()

    def _paint_ground(
        self,
        painter: QPainter,
        box: QRect,
        state: QStyle.StateFlag,
        index: Index,
        look: theme.Theme,
    ) -> None:
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        ground = look.tokens.paper
        if chosen:
            ground = look.tokens.soft("accent")
        elif index.row() == self._table.hovered:
            ground = theme.mix(look.tokens.ink, ground, 0.04)
        light = self._table.rows_model.light_of(index.row())
        if light > 0:
            ground = theme.mix(look.tokens.warn, ground, 0.28 * light)
        painter.fillRect(box, QColor(ground))
        painter.fillRect(QRect(box.left(), box.bottom(), box.width(), 1), look.colour("line"))
        if chosen and index.column() == 0:
            wide = 3 if self._table.hasFocus() else 2
            painter.fillRect(
                QRect(box.left(), box.top(), wide, box.height()), look.colour("accent")
            )

    def _write(
        self, painter: QPainter, box: QRect, text: str, font: Any, colour: QColor, flags: Any
    ) -> None:
        key = f"{font.pixelSize()}-{font.weight()}"
        metrics = self._metrics.get(key)
        if metrics is None:
            metrics = self._metrics[key] = QFontMetrics(font)
        if metrics.horizontalAdvance(text) > box.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(box, flags, text)


def _one_line(text: str) -> str:
    return " ".join(text[:400].split("\n")) if "\n" in text or len(text) > 400 else text


def _itself(row: Any) -> Hashable:
    return row if isinstance(row, Hashable) else id(row)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and runs[-1][1] == place - 1:
            runs[-1] = runs[-1][0], place
        else:
            runs.append((place, place))
    return runs
