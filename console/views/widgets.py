"""The small kit every screen is built from.

A screen puts `Words`, `Badge`, `Notice`, `Button`, `Section` and the rest on a page and never
sets a colour, a font or a pixel itself. What can be done is a `QAction` made by `act()`: the
command palette, the shortcut sheet and `Button` all read it, so a name or a key is written once.

    resend = act(self, "Send the e-mail again", self._on_resend, key="F6", icon="send")
    page.addWidget(Button(resend, "primary"))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QFontMetrics,
    QGuiApplication,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from console.views import theme
from console.views.theme import GRID

if TYPE_CHECKING:  # the sign-in screen is painted before the database is even imported
    from console.background import Background

Size = Literal["text", "small", "label", "caps", "bold", "strong", "title", "figure", "mono"]
PATIENCE_MILLISECONDS = 300
"""How long a person waits for an answer before they wonder whether anything happens."""

Kind = Literal["quiet", "primary", "plain", "danger", "chip", "seat", "rail", "light"]


def act(
    owner: QWidget,
    name: str,
    do: Callable[[], object],
    *,
    key: str = "",
    icon: str = "",
    more: str = "",
    listed: bool = True,
) -> QAction:
    """Give a widget something that can be done: by key, by button, and from the palette.

    The key works while the widget is on screen. `more` is a sentence about it. What is not
    `listed` has a key but no line in the palette.
    """
    action = QAction(name, owner)
    action.triggered.connect(lambda *_: do())  # Qt adds whether it is checked
    if key:
        action.setShortcut(QKeySequence(key))
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    action.setProperty("icon_name", icon)
    action.setProperty("listed", listed)
    action.setToolTip(more or name)
    action.setStatusTip(more)
    owner.addAction(action)
    return action


def key_words(action: QAction) -> str:
    """Say an action's key as the keyboard prints it."""
    return _said(action.shortcut())


def _said(key: QKeySequence) -> str:
    # Qt calls the key Return; the keyboard, and staff, call it Enter.
    words = key.toString(QKeySequence.SequenceFormat.NativeText)
    return words.replace("Return", "Enter")


class Words(QLabel):
    """Plain text in one of the sizes of type; never markup, whatever people typed."""

    def __init__(
        self, text: str = "", size: Size = "text", tone: str = "ink", *, wrap: bool = False
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        theme.role(self, size)
        if tone != "ink":
            theme.tone(self, tone)

    def say(self, text: str, tone: str | None = None) -> None:
        """Change the words, and what their colour means."""
        self.setText(text)
        if tone is not None:
            theme.tone(self, tone)

    def selectable(self) -> Words:
        """Let the words be selected and copied by mouse."""
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return self


def heading(text: str) -> Words:
    """Head a section."""
    return Words(text, "strong")


def title(text: str) -> Words:
    """Head a page."""
    return Words(text, "title")


def muted(text: str, *, wrap: bool = False) -> Words:
    """Say something quietly."""
    return Words(text, "text", "muted", wrap=wrap)


def label(text: str, for_: QWidget | None = None) -> Words:
    """Label a field; the field takes the label as its spoken name and its Alt key."""
    words = Words(text, "label")
    words.setTextFormat(Qt.TextFormat.PlainText)
    if for_ is not None:
        words.setBuddy(for_)
        if not for_.accessibleName():
            for_.setAccessibleName(text)
    return words


class Icon(QLabel):
    """A line icon in a colour of the look; decoration, unless it is given a name."""

    def __init__(self, name: str, tone: str = "ink", size: int = 20, spoken: str = "") -> None:
        super().__init__()
        self.name, self._tone, self._size = name, tone, size
        self.setAccessibleName(spoken)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.current().changed.connect(self._draw)
        self._draw()

    def show_icon(self, name: str, tone: str | None = None) -> None:
        """Change the icon, and what its colour means."""
        self.name, self._tone = name, tone or self._tone
        self._draw()

    def _draw(self) -> None:
        self.setPixmap(theme.current().pixmap(self.name, self._tone, self._size))


class _Marked(QLabel):
    """A label with an icon before its words."""

    icon_size = 16
    gap = 6

    def __init__(self, icon: str, text: str, tone: str) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.icon = icon
        self._tone = tone
        theme.tone(self, tone)
        theme.current().changed.connect(self._measure)
        self._measure()

    def _padding(self) -> tuple[int, int]:
        return 0, 0

    def _icon_tone(self) -> str:
        return self._tone

    def _measure(self) -> None:
        look = theme.current()
        across, down = (look.px(length) for length in self._padding())
        before = across + look.px(self.icon_size + self.gap) if self.icon else across
        self.setContentsMargins(before, down, across, down)
        self.updateGeometry()
        self.update()

    def _paint_icon(self, painter: QPainter) -> None:
        if not self.icon:
            return
        look = theme.current()
        across, down = (look.px(length) for length in self._padding())
        pixmap = look.pixmap(self.icon, self._icon_tone(), self.icon_size)
        size = look.px(self.icon_size)
        first_line = self.fontMetrics().height()
        top = (
            down + (first_line - size) / 2
            if self.wordWrap() or self.height() > 2 * (first_line + down)
            else (self.height() - size) / 2
        )
        painter.drawPixmap(QPoint(across, round(top)), pixmap)


class Badge(_Marked):
    """A state said three ways: word, icon and colour."""

    icon_size = 14

    def __init__(self, icon: str, word: str, tone: str = "muted") -> None:
        super().__init__(icon, word, tone)
        theme.role(self, "badge")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_state(self, icon: str, word: str, tone: str) -> None:
        """Say another state."""
        self.icon, self._tone = icon, tone
        self.setText(word)
        theme.tone(self, tone)
        self._measure()

    def _padding(self) -> tuple[int, int]:
        return 8, 3

    def _icon_tone(self) -> str:
        return f"deep_{self._tone}"

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().colour(f"soft_{self._tone}"))
            radius = min(self.height() / 2, theme.current().px(11))
            painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
            self._paint_icon(painter)
        super().paintEvent(event)


class Mark(_Marked):
    """An icon and words beside each other, without a fill."""

    def __init__(self, icon: str, text: str = "", tone: str = "muted", size: Size = "text") -> None:
        super().__init__(icon, text, tone)
        theme.role(self, size)

    def show_mark(self, icon: str, text: str, tone: str) -> None:
        """Say something else."""
        self.icon, self._tone = icon, tone
        self.setText(text)
        theme.tone(self, tone)
        self._measure()

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            self._paint_icon(painter)
        super().paintEvent(event)


class Notice(_Marked):
    """A sentence across the page that wants to be read, with its next step in it."""

    def __init__(self, icon: str = "info", text: str = "", tone: str = "accent") -> None:
        super().__init__(icon, text, tone)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.tone(self, "ink")

    def say(self, text: str, icon: str = "", tone: str = "") -> None:
        """Show a sentence; an empty one takes the notice away."""
        self.icon, self._tone = icon or self.icon, tone or self._tone
        self.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self._measure()

    def _padding(self) -> tuple[int, int]:
        return 12, 9

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().colour(f"soft_{self._tone}"))
            painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
            self._paint_icon(painter)
        super().paintEvent(event)


class ProblemLine(Notice):
    """What went wrong and what to do next; away until there is something to say."""

    def __init__(self) -> None:
        super().__init__("alert", "", "bad")
        self.setObjectName("problem")
        self.hide()


class KeyHint(QLabel):
    """A key as the keyboard shows it."""

    def __init__(self, key: str) -> None:
        super().__init__(_said(QKeySequence(key)) or key)
        self.setTextFormat(Qt.TextFormat.PlainText)
        theme.role(self, "label")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setContentsMargins(6, 1, 6, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            painter.setPen(QPen(theme.current().colour("line"), 1))
            painter.setBrush(theme.current().colour("ground"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        super().paintEvent(event)


class Button(QPushButton):
    """A button for an action or for a plain word, with its icon and its key shown on it.

    At most one `primary` button stands on a page. `text` is shown in place of an action's name
    where there is little room.
    """

    def __init__(
        self,
        what: QAction | str,
        kind: Kind = "quiet",
        *,
        icon: str = "",
        show_key: bool = True,
        text: str = "",
    ) -> None:
        super().__init__()
        self._words = text
        self._worded = True
        self.action: QAction | None = what if isinstance(what, QAction) else None
        self._icon = icon
        self._icon_tone = ""
        self._show_key = show_key
        self._hint = ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if kind != "quiet":
            theme.role(self, kind)
        if isinstance(what, QAction):
            self._icon = icon or str(what.property("icon_name") or "")
            what.changed.connect(self._mirror)
            self.clicked.connect(what.trigger)
            self._mirror()
        else:
            self.setText(what)
        theme.current().changed.connect(self._draw_icon)
        self.toggled.connect(self._draw_icon)
        self._draw_icon()

    def show_icon(self, name: str, tone: str = "") -> None:
        """Change the icon, and what its colour means."""
        self._icon, self._icon_tone = name, tone
        self._draw_icon()

    def say(self, words: str) -> None:
        """Show other words in place of the action's name."""
        self._words = words
        self._mirror()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self._hint:
            hint.setWidth(hint.width() + self._hint_width() + GRID)
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_words(self, worded: bool, *, key: bool = True) -> None:
        """Leave the words away where there is no room; the name is still spoken and shown."""
        if self.action is not None:
            self._worded, self._show_key = worded, key
            self._mirror()
            self._draw_icon()

    def setEnabled(self, enabled: bool, /) -> None:
        super().setEnabled(enabled and (self.action is None or self.action.isEnabled()))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._hint:
            return
        look = theme.current()
        with theme.painting(self) as painter:
            primary = self.property("role") == "primary"
            painter.setFont(look.font(theme.SMALL))
            painter.setOpacity(0.85 if self.isEnabled() else 0.6)
            tone = "on_accent" if primary and self.isEnabled() else "muted"
            painter.setPen(look.colour(tone))
            inside = self.rect().adjusted(0, 0, -look.px(12), 0)
            painter.drawText(
                inside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._hint
            )

    def _hint_width(self) -> int:
        return QFontMetrics(theme.current().font(theme.SMALL)).horizontalAdvance(self._hint)

    def _mirror(self) -> None:
        if self.action is None:
            return
        self.setText((self._words or self.action.text()) if self._worded else "")
        self.setAccessibleName(self.action.text())
        short = bool(self._words) or not self._worded
        self.setToolTip(self.action.statusTip() or (self.action.text() if short else ""))
        super().setEnabled(self.action.isEnabled())
        if self.action.isCheckable():
            self.setCheckable(True)
            self.setChecked(self.action.isChecked())
        self._hint = key_words(self.action) if self._show_key else ""
        if bool(self.property("hinted")) != bool(self._hint):
            self.setProperty("hinted", bool(self._hint))
            self.style().unpolish(self)
            self.style().polish(self)
        self.updateGeometry()

    def _draw_icon(self) -> None:
        if not self._icon:
            return
        kind = self.property("role")
        tone = self._icon_tone or {"primary": "on_accent", "plain": "accent", "danger": "bad"}.get(
            str(kind), "muted" if kind in ("rail", "light") else "ink"
        )
        if self.isChecked():
            tone = "accent"
        look = theme.current()
        gap = 0 if not self.text() else 8 if kind in ("rail", "seat") else 3
        self.setIcon(look.icon(self._icon, tone, 18, gap))
        self.setIconSize(QSize(look.px(18) + look.px(gap), look.px(18)))


class IconButton(QToolButton):
    """A button that is only an icon; its name is spoken and shown on hovering."""

    def __init__(self, icon: str, what: QAction | str, tone: str = "muted", size: int = 18) -> None:
        super().__init__()
        self._icon, self._tone, self._size = icon, tone, size
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        name = what.text() if isinstance(what, QAction) else what
        self.setAccessibleName(name)
        self.setToolTip(name)
        if isinstance(what, QAction):
            self.clicked.connect(what.trigger)
            what.enabledChanged.connect(self.setEnabled)
            self.setEnabled(what.isEnabled())
            if key := key_words(what):
                self.setToolTip(f"{name} ({key})")
        theme.current().changed.connect(self._draw)
        self._draw()

    def show_icon(self, name: str, tone: str | None = None) -> None:
        """Change the icon, and what its colour means."""
        self._icon, self._tone = name, tone or self._tone
        self._draw()

    def _draw(self) -> None:
        look = theme.current()
        self.setIcon(look.icon(self._icon, self._tone, self._size))
        self.setIconSize(QSize(look.px(self._size), look.px(self._size)))


def rule(*, upright: bool = False) -> QFrame:
    """Draw a hairline between two things."""
    line = QFrame()
    theme.role(line, "rule-upright" if upright else "rule")
    return line


def row(*things: QWidget | QLayout | int, gap: int = GRID) -> QHBoxLayout:
    """Lay things side by side; a number is that much space, 0 takes all that is left."""
    layout = QHBoxLayout()
    _fill(layout, things, gap)
    return layout


def column(*things: QWidget | QLayout | int, gap: int = GRID) -> QVBoxLayout:
    """Lay things below each other; a number is that much space, 0 takes all that is left."""
    layout = QVBoxLayout()
    _fill(layout, things, gap)
    return layout


def _fill(layout: QBoxLayout, things: tuple[QWidget | QLayout | int, ...], gap: int) -> None:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for thing in things:
        if isinstance(thing, QWidget):
            layout.addWidget(thing)
        elif isinstance(thing, QLayout):
            layout.addLayout(thing)
        elif thing:
            layout.addSpacing(thing)
        else:
            layout.addStretch(1)


def bring_up(part: QWidget) -> None:
    """Scroll the page under a part until all of it is seen, or its top when it is too tall."""
    QTimer.singleShot(0, part, lambda: _scroll_to(part))  # its own size may change first


def _scroll_to(part: QWidget) -> None:
    area = part.parentWidget()
    while area is not None and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    if area is None or (inside := area.widget()) is None:
        return
    top = part.mapTo(inside, QPoint(0, 0)).y()
    bar, high = area.verticalScrollBar(), area.viewport().height()
    if top < bar.value() or top + part.height() > bar.value() + high:
        bar.setValue(top if part.height() >= high else top + part.height() - high)


class Card(QFrame):
    """A sheet of paper with a hairline around it; nothing inside it draws another box."""

    def __init__(self, *, padding: int = 2 * GRID, gap: int = GRID) -> None:
        super().__init__()
        theme.role(self, "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(gap)


class Ribbon(QFrame):
    """Says all the time that this is only training."""

    def __init__(self) -> None:
        super().__init__()
        theme.role(self, "ribbon")
        words = "Training co-op: nothing leaves this machine"
        self.setAccessibleName(words)
        layout = row(0, Icon("training", "paper", 18), Words(words, "small"), 0)
        layout.setContentsMargins(2 * GRID, 5, 2 * GRID, 5)
        self.setLayout(layout)


class Section(QWidget):
    """A heading, what can be done about it at the right, and a body below."""

    def __init__(self, name: str, *actions: QWidget, note: str = "") -> None:
        super().__init__()
        self.heading = heading(name)
        self.note = muted(note)
        if not note:
            self.note.hide()
        self.setAccessibleName(name)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(GRID)
        head = row(self.heading, self.note, 0, *actions, gap=GRID)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GRID + GRID // 2)
        whole.addLayout(head)
        whole.addLayout(self.body)

    def say(self, note: str) -> None:
        """Put a quiet note beside the heading."""
        self.note.setText(note)
        self.note.setVisible(bool(note))


class EmptyPlace(QWidget):
    """An empty place: what belongs here, and how to get it here."""

    def __init__(
        self, icon: str, sentence: str, action: QAction | None = None, *, more: str = ""
    ) -> None:
        super().__init__()
        self.icon = Icon(icon, "muted", 40)
        self.sentence = Words(sentence, "strong", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.more = muted(more, wrap=True)
        self.more.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        if not more:  # shown without a parent it would be a window of its own for a moment
            self.more.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(GRID)
        layout.addStretch(2)
        layout.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GRID)
        layout.addWidget(self.sentence)
        layout.addWidget(self.more)
        if action is not None:
            layout.addSpacing(GRID)
            layout.addWidget(Button(action), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def say(self, sentence: str, more: str = "", icon: str = "") -> None:
        """Change what belongs here."""
        self.sentence.setText(sentence)
        self.more.setText(more)
        self.more.setVisible(bool(more))
        if icon:
            self.icon.show_icon(icon)


class CopyableValue(QWidget):
    """A label over a value that one press copies."""

    def __init__(self, name: str, value: str = "", *, mono: bool = False) -> None:
        super().__init__()
        self.name = name
        self.label = label(name)
        self.value = Words("", "mono" if mono else "text").selectable()
        self.copy = IconButton("copy", f"Copy {name[:1].lower()}{name[1:]}", size=14)
        self.copy.clicked.connect(self._on_copy)
        self._done = QTimer(self)
        self._done.setSingleShot(True)
        self._done.timeout.connect(lambda: self.copy.show_icon("copy", "muted"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.label)
        layout.addLayout(row(self.value, self.copy, 0, gap=4))
        layout.addStretch(1)
        self.show_value(value)

    def show_value(self, value: str, *, masked: bool = False) -> None:
        """Show a value; what is masked or missing cannot be copied."""
        self.value.say(value or "None on file", "ink" if value else "muted")
        self.setAccessibleName(f"{self.name}: {value or 'none on file'}")
        self.copy.setVisible(bool(value) and not masked)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.value.text())
        self.copy.show_icon("check", "good")
        self._done.start(1500)


class FlowLayout(QLayout):
    """Lays things side by side and goes on below when the line is full."""

    def __init__(self, parent: QWidget | None = None, gap: int = GRID) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._lay(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def clear(self) -> None:
        """Take everything away."""
        while (item := self.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()

    def _lay(self, rect: QRect, *, move: bool) -> int:
        x, y, tallest = rect.x(), rect.y(), 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, tallest = rect.x(), y + tallest + self._gap, 0
            if move:
                width = min(size.width(), max(rect.width(), 1))
                item.setGeometry(QRect(QPoint(x, y), QSize(width, size.height())))
            x += size.width() + self._gap
            tallest = max(tallest, size.height())
        return y + tallest - rect.y()


class Waiting(Words):
    """Says what an answer is awaited for, once it takes longer than a person likes."""

    def __init__(self) -> None:
        super().__init__("", "text", "muted")
        self.hide()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PATIENCE_MILLISECONDS)
        self._pause.timeout.connect(self.show)

    def begin(self, words: str) -> None:
        """Begin to wait; what is answered at once never flickers."""
        self.setText(words)
        self._pause.start()

    def end(self) -> None:
        """End the waiting."""
        self._pause.stop()
        self.hide()


class BusyStrip(QWidget):
    """A thin moving strip that says something is still being fetched.

    Shown by `background.slow` after a third of a second; what is quick never flickers.
    """

    def __init__(self, background: Background | None = None) -> None:
        super().__init__()
        self.setFixedHeight(3)
        self.setAccessibleName("Working")
        self._at = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(40)
        self._timer.timeout.connect(self._step)
        self.busy = False
        if background is not None:
            background.slow.connect(self.show_busy)

    def show_busy(self, busy: bool) -> None:
        """Show or end the waiting."""
        self.busy = busy
        if busy:
            self._timer.start()
        else:
            self._timer.stop()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.busy:
            with theme.painting(self) as painter:
                long = self.width() / 4
                painter.fillRect(
                    QRectF(self._at * (self.width() + long) - long, 0, long, 3),
                    theme.current().colour("accent"),
                )

    def _step(self) -> None:
        self._at = (self._at + 0.025) % 1
        self.update()


class Field(QWidget):
    """A label over a field, with room for a hint or what is wrong with it below."""

    def __init__(self, name: str, field: QWidget, hint: str = "") -> None:
        super().__init__()
        self.field = field
        self._hint = hint
        self.below = Words(hint, "label", wrap=True)
        if not hint:
            self.below.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(label(name, field))
        layout.addWidget(field)
        layout.addWidget(self.below)
        layout.addStretch(1)
        self.setFocusProxy(field)

    def say(self, words: str = "", tone: str = "muted") -> None:
        """Say what is wrong with what was typed, or go back to the hint."""
        self.below.say(words or self._hint, tone if words else "muted")
        self.below.setVisible(bool(words or self._hint))


def line_edit(placeholder: str = "", *, spoken: str = "", longest: int = 200) -> QLineEdit:
    """Make a one-line field that takes no more than the file can keep."""
    field = QLineEdit()
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(spoken or placeholder)
    field.setMaxLength(longest)
    return field
