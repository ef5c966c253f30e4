"""The one search box: hits under it with every key, best first, each saying why it matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from console.background import Background
from console.domain.errors import ConsoleError
from console.services import search
from console.services.search import Hit, SearchAnswer
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Icon, KeyHint, Mark, Words, row

Index = QModelIndex | QPersistentModelIndex

LONGEST = 200
NOTHING = "Nobody fits. Try fewer letters, the account number, or the phone number."
RECENT = 8
"""How many of the last opened members are offered while the box is empty."""
_HIT_ROLE = Qt.ItemDataRole.UserRole
_TOP = QModelIndex()


class SearchBox(QWidget):
    """A field in the top bar and the list of hits below it.

    Typing never waits: each key asks afresh, and an answer to an older question is dropped. Enter
    opens the chosen hit, or the first; pressed before the answer is there, it opens the first hit
    as soon as it is.
    """

    opened = Signal(object)
    """The hit that was opened."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.background = background
        self.field = QLineEdit()
        self.field.setMaxLength(LONGEST)
        self.field.setPlaceholderText("Name, account, phone, address, e-mail or meter")
        self.field.setAccessibleName("Look up a member")
        self.field.setObjectName("search")
        theme.role(self.field, "search")
        self.field.installEventFilter(self)
        self.field.textEdited.connect(self._on_typed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.field)
        self._icon = Icon("search", "muted", 18)
        self._icon.setParent(self)
        self._icon.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._key = KeyHint("Ctrl+K")
        self._key.setParent(self)
        self._key.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusProxy(self.field)
        self.recent: tuple[Hit, ...] = ()
        self.popup = HitPopup()
        self.popup.list.clicked.connect(self._on_clicked)
        self._asked = ""
        self._answered = ""
        self._open_when_answered = False
        theme.current().changed.connect(self._place_marks)

    def look_up(self, text: str = "") -> None:
        """Put the cursor here, and begin with a text."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if text:
            self.field.setText(text)
            self._on_typed(text)
        else:
            self.field.selectAll()
            self._offer()

    def remember(self, hit: Hit) -> None:
        """Offer a member again while the box is empty."""
        others = (other for other in self.recent if other.member_id != hit.member_id)
        self.recent = (replace(hit, why=""), *others)[:RECENT]

    def show_answer(self, answer: SearchAnswer) -> None:
        """Show what was found, unless something else has been typed since."""
        if not self._asked:
            return  # the box was cleared meanwhile
        self._answered = self._asked
        if self._open_when_answered:
            self._open_when_answered = False
            if answer.hits:
                self._open(answer.hits[0])
                return
        nothing, _, advice = (answer.advice or NOTHING).partition(". ")
        self.popup.show_hits(answer.hits, nothing=nothing.rstrip(".") + ".", advice=advice)
        self._place()
        _announce(self.field, f"{len(answer.hits)} found" if answer.hits else nothing)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say in place why nothing can be looked up now."""
        self._open_when_answered = False
        self.popup.show_hits((), nothing=str(problem), advice="What you typed stays here.")
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event)
        if event.type() == QEvent.Type.FocusIn:
            self._show_key(False)
            self._offer()
        elif event.type() == QEvent.Type.FocusOut:
            self._show_key(not self.field.text())
            self.popup.hide()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_marks()
        if self.popup.isVisible():
            self._place()

    def _on_typed(self, text: str) -> None:
        self._open_when_answered = False
        self._asked = text.strip()
        if not self._asked:
            self._answered = ""
            self._offer()
            return
        self.background.ask(search.find, text).latest(self, self.show_answer)

    def _on_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_enter()
            return True
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            if not self.popup.isVisible():
                self._offer()
            self.popup.step(1 if key == Qt.Key.Key_Down else -1)
            return True
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.popup.step(8 if key == Qt.Key.Key_PageDown else -8)
            return True
        if key == Qt.Key.Key_Escape:
            if self.field.text():
                self.field.clear()
                self._asked = self._answered = ""
            else:
                self.field.clearFocus()
            self.popup.hide()
            return True
        return False

    def _on_enter(self) -> None:
        typed = self.field.text().strip()
        if typed and typed != self._answered:
            self._open_when_answered = True
            return
        hit = self.popup.chosen() if self.popup.isVisible() else None
        if hit is not None:
            self._open(hit)

    def _on_clicked(self, index: QModelIndex) -> None:
        hit = index.data(_HIT_ROLE)
        if isinstance(hit, Hit):
            self._open(hit)

    def _open(self, hit: Hit) -> None:
        self.remember(hit)
        self.popup.hide()
        self.field.clear()
        self._asked = self._answered = ""
        self.field.clearFocus()
        self.opened.emit(hit)

    def _offer(self) -> None:
        typed = self.field.text().strip()
        if typed and typed == self._answered:
            self._place()
        elif not typed and self.recent and self.field.hasFocus():
            self.popup.show_hits(self.recent, head="Open lately")
            self._place()
        else:
            self.popup.hide()

    def _place(self) -> None:
        window = self.window()
        if self.popup.parentWidget() is not window:
            self.popup.setParent(window)
        look = theme.current()
        corner = self.mapTo(window, QPoint(0, self.height() + GRID // 2))
        # Under the field from its left edge on: it never lies over the rail.
        right = window.width() - corner.x() - 2 * GRID
        wide = max(self.width(), min(look.px(620), right))
        room = window.height() - corner.y() - 2 * GRID
        self.popup.fit(QRect(corner.x(), corner.y(), wide, room))
        self.popup.show()
        self.popup.raise_()

    def _show_key(self, wanted: bool) -> None:
        shown = wanted and self.width() > theme.current().px(300)
        self._key.setVisible(shown)
        self.field.setTextMargins(0, 0, self._key.sizeHint().width() + GRID if shown else 0, 0)

    def _place_marks(self) -> None:
        look = theme.current()
        side = look.px(18)
        self._icon.setGeometry(look.px(12), (self.height() - side) // 2, side, side)
        self._icon.raise_()
        self._show_key(not self.field.hasFocus() and not self.field.text())
        size = self._key.sizeHint()
        self._key.setGeometry(
            self.width() - size.width() - look.px(10),
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )


class HitPopup(QFrame):
    """The list under the search box, painted without a widget for each hit."""

    def __init__(self) -> None:
        super().__init__()
        theme.role(self, "float")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hits = _Hits()
        self.head = Words("", "caps")
        self.head.setContentsMargins(2 * GRID, GRID, 2 * GRID, 0)
        self.nothing = Mark("search", "", "ink", "bold")
        self.nothing.setWordWrap(True)
        self.advice = Words("", "text", "muted", wrap=True)
        self.list = QListView()
        theme.role(self.list, "popup")
        self.list.setModel(self.hits)
        self.list.setItemDelegate(_HitDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # Every row fills its ground, so that a key does not paint the page beneath afresh.
        self.list.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName("Members found")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.entered.connect(self.list.setCurrentIndex)
        self._empty = QWidget()
        empty = QVBoxLayout(self._empty)
        empty.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        empty.setSpacing(GRID // 2)
        empty.addWidget(self.nothing)
        empty.addWidget(self.advice)
        self._keys = QWidget()
        keys = row(
            KeyHint("↑ ↓"), Words("choose", "label"), GRID, KeyHint("Enter"),
            Words("open", "label"), GRID, KeyHint("Esc"), Words("clear", "label"), 0, gap=6,
        )  # fmt: skip
        keys.setContentsMargins(2 * GRID, 6, 2 * GRID, GRID)
        self._keys.setLayout(keys)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, GRID // 2, 1, 1)
        layout.setSpacing(GRID // 2)
        for part in (self.head, self.list, self._empty, self._keys):
            layout.addWidget(part)
        self.hide()

    def show_hits(
        self, hits: Sequence[Hit], *, head: str = "", nothing: str = "", advice: str = ""
    ) -> None:
        """Put up hits, or a sentence where there are none."""
        self.hits.show_hits(hits)
        self.head.setText(head)
        self.head.setVisible(bool(head))
        self.list.setVisible(bool(hits))
        self._keys.setVisible(bool(hits))
        self._empty.setVisible(not hits)
        self.nothing.setText(nothing)
        self.advice.setText(advice)
        if hits:
            self.list.setCurrentIndex(self.hits.index(0, 0))
            self.list.scrollToTop()

    def chosen(self) -> Hit | None:
        """Answer the hit under the cursor."""
        hit = self.list.currentIndex().data(_HIT_ROLE)
        return hit if isinstance(hit, Hit) else None

    def step(self, by: int) -> None:
        """Move the cursor; it stops at both ends."""
        many = self.hits.rowCount()
        if many:
            place = min(max(self.list.currentIndex().row() + by, 0), many - 1)
            self.list.setCurrentIndex(self.hits.index(place, 0))

    def fit(self, room: QRect) -> None:
        """Take as much height as the hits need, within the room there is."""
        look = theme.current()
        many = self.hits.rowCount()
        around = (
            self._keys.sizeHint().height()
            + GRID
            + (self.head.sizeHint().height() + GRID // 2 if not self.head.isHidden() else 0)
        )
        if many:
            self.list.setFixedHeight(
                min(many * look.px(48), max(look.px(96), room.height() - around))
            )
            self.setGeometry(room.x(), room.y(), room.width(), self.list.height() + around + 2)
        else:
            self.setGeometry(room.x(), room.y(), room.width(), self.heightForWidth(room.width()))


class _Hits(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._hits: Sequence[Hit] = ()

    def show_hits(self, hits: Sequence[Hit]) -> None:
        self.beginResetModel()
        self._hits = hits
        self.endResetModel()

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        hit = self._hits[index.row()]
        if role == _HIT_ROLE:
            return hit
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            parts = (hit.name, hit.printed_number, hit.service_address, hit.why)
            return ", ".join(part for part in parts if part)
        return None


class _HitDelegate(QStyledItemDelegate):
    """Paints one hit: name and why above, account and address below."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._measures: dict[QFont, QFontMetrics] = {}
        theme.current().changed.connect(self._begin_afresh)
        self._begin_afresh()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, theme.current().px(48))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit = index.data(_HIT_ROLE)
        look = theme.current()
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.fillRect(box, self._chosen if chosen else self._paper)
        if chosen:
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), self._accent)
        left, right = box.left() + look.px(16), box.right() - look.px(16)
        half = box.height() // 2
        upper = QRect(left, box.top() + look.px(4), right - left, half - look.px(2))
        lower = QRect(left, box.top() + half, right - left, half - look.px(4))
        if hit.why:
            upper.setRight(self._paint_why(painter, upper, hit.why) - look.px(12))
        name, quiet = (self._name_font, self._name_measure), (self._small, self._measure)
        self._write(painter, upper, hit.name, *name, self._ink)
        if hit.printed_number:
            # The account number has a column of its own: eyes run down it.
            number = QRect(lower.left(), lower.top(), look.px(92), lower.height())
            self._write(
                painter, number, hit.printed_number, self._small, self._measure, self._muted
            )
            lower.setLeft(number.right())
        self._write(painter, lower, hit.service_address, *quiet, self._muted)

    def _paint_why(self, painter: QPainter, box: QRect, why: str) -> int:
        look = theme.current()
        text = self._measure.elidedText(_short(why), Qt.TextElideMode.ElideRight, box.width() // 2)
        wide = self._measure.horizontalAdvance(text) + look.px(16)
        high = self._measure.height() + look.px(4)
        chip = QRect(box.right() - wide, box.center().y() - high // 2, wide, high)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._soft)
        painter.drawRoundedRect(QRectF(chip), high / 2, high / 2)
        painter.restore()
        painter.setFont(self._small)
        painter.setPen(self._deep)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
        return chip.left()

    def _write(
        self,
        painter: QPainter,
        box: QRect,
        text: str,
        font: QFont,
        measure: QFontMetrics,
        colour: Any,
    ) -> None:
        if measure.horizontalAdvance(text) > box.width():
            text = measure.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _begin_afresh(self) -> None:
        look = theme.current()
        self._name_font, self._small = look.font(theme.TEXT, weight=600), look.font(theme.SMALL)
        self._name_measure, self._measure = QFontMetrics(self._name_font), QFontMetrics(self._small)
        self._paper = look.colour("paper")
        self._ink, self._muted = look.colour("ink"), look.colour("muted")
        self._accent, self._soft = look.colour("accent"), look.colour("soft_accent")
        self._chosen, self._deep = look.colour("soft_accent"), look.colour("deep_accent")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _announce(widget: QWidget, words: str) -> None:
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))
