"""The open members: a tab for each, and never two for the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget
from shiboken6 import isValid

from console.views import theme
from console.views.theme import GRID
from console.views.widgets import IconButton, act, row


class Page(Protocol):
    """What can be open in a tab."""

    member_id: int

    def load(self) -> None: ...


P = TypeVar("P", bound=QWidget)


class MemberTabs(QWidget, Generic[P]):
    """Walks through the open members with Ctrl+Tab; Ctrl+W closes the one in front."""

    turned_to = Signal(object)
    """The page in front, or None when the last one was closed."""
    closed = Signal(int)
    """The member whose page was closed."""

    def __init__(self, make: Callable[[int], P], home: QWidget) -> None:
        super().__init__()
        self._make = make
        self._pages: dict[int, P] = {}
        self.bar = _Bar()
        self.bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.bar.setAccessibleName("Open members")
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.bar.setUsesScrollButtons(True)
        self.bar.setMovable(True)
        self.bar.setIconSize(QSize(16, 16))
        self.stack = QStackedWidget()
        self.home = home
        self.stack.addWidget(home)
        self._strip = QWidget()
        strip = row(self.bar, 0)
        strip.setContentsMargins(2 * GRID, GRID, 2 * GRID, 0)
        self._strip.setLayout(strip)
        self._strip.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._strip)
        layout.addWidget(self.stack, 1)
        self.bar.currentChanged.connect(self._on_turned)
        self.next = act(self, "Next open member", lambda: self._walk(1), key="Ctrl+Tab")
        self.previous = act(
            self, "Previous open member", lambda: self._walk(-1), key="Ctrl+Shift+Tab"
        )
        self.close_front = act(
            self, "Close this member", self._close_front, key="Ctrl+W", icon="cross"
        )

    @property
    def pages(self) -> tuple[P, ...]:
        """The open pages, from left to right."""
        return tuple(self._pages[self._member_at(place)] for place in range(self.bar.count()))

    @property
    def front(self) -> P | None:
        """The page in front."""
        place = self.bar.currentIndex()
        return self._pages.get(self._member_at(place)) if place >= 0 else None

    def open(self, member_id: int, label: str) -> P:
        """Open a member, or turn to the tab that shows it already."""
        if member_id in self._pages:
            self.bar.setCurrentIndex(self._place_of(member_id))
            return self._pages[member_id]
        page = self._make(member_id)
        self._pages[member_id] = page
        self.stack.addWidget(page)
        place = self.bar.addTab(_tab_text(label))
        self.bar.setTabData(place, member_id)
        self.bar.setTabToolTip(place, label)
        shut = IconButton("cross", f"Close {label}", size=12)
        shut.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        theme.role(shut, "close")
        shut.clicked.connect(lambda _=False, member=member_id: self.close_member(member))
        self.bar.setTabButton(place, QTabBar.ButtonPosition.RightSide, shut)
        self._strip.show()
        self.bar.setCurrentIndex(place)
        self._on_turned(place)
        return page

    def title(self, member_id: int, label: str) -> None:
        """Write the name of a member on its tab."""
        place = self._place_of(member_id)
        if place >= 0 and label:
            self.bar.setTabText(place, _tab_text(label))
            self.bar.setTabToolTip(place, label)

    def close_member(self, member_id: int) -> None:
        """Close a member's tab."""
        place = self._place_of(member_id)
        if place < 0:
            return
        page = self._pages.pop(member_id)
        self.bar.removeTab(place)
        self.stack.removeWidget(page)
        if isValid(page):
            page.close()
            page.deleteLater()
        if not self._pages:
            self._strip.hide()
            self.stack.setCurrentWidget(self.home)
        self.closed.emit(member_id)
        if not self._pages:
            self.turned_to.emit(None)

    def _on_turned(self, place: int) -> None:
        page = self._pages.get(self._member_at(place)) if place >= 0 else None
        if page is not None and self.stack.currentWidget() is not page:
            self.stack.setCurrentWidget(page)
            self.turned_to.emit(page)

    def _walk(self, by: int) -> None:
        many = self.bar.count()
        if many:
            self.bar.setCurrentIndex((self.bar.currentIndex() + by) % many)
            front = self.front
            if front is not None:
                front.setFocus()

    def _close_front(self) -> None:
        if self.bar.currentIndex() >= 0:
            self.close_member(self._member_at(self.bar.currentIndex()))

    def _member_at(self, place: int) -> int:
        member_id = self.bar.tabData(place)
        return -1 if member_id is None else int(member_id)

    def _place_of(self, member_id: int) -> int:
        for place in range(self.bar.count()):
            if self.bar.tabData(place) == member_id:
                return place
        return -1


class _Bar(QTabBar):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus() and self.currentIndex() >= 0:
            look = theme.current()
            with theme.painting(self) as painter:
                painter.setPen(QPen(look.colour("accent"), 2))
                box = QRectF(self.tabRect(self.currentIndex()))
                gap = look.px(4)
                painter.drawRoundedRect(box.adjusted(2, 2, -gap - 2, -2), 6, 6)


def _tab_text(label: str) -> str:
    # An ampersand would underline the letter after it: “Farm & Home”.
    short = label if len(label) <= 28 else label[:27] + "…"
    return short.replace("&", "&&")
