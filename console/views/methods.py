"""A member's stored cards and bank accounts: add one on the gateway's page, choose, take away."""

from __future__ import annotations

from uuid import uuid4

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.background import Background
from console.domain.errors import ConsoleError
from console.domain.methods import MethodKind, RequestState
from console.services import methods
from console.services.calls import CallState
from console.services.changes import EVERYTHING
from console.services.methods import MethodsSheet, RequestRow, StoredRow
from console.views import theme
from console.views.sheet import Sheet, confirm
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    Button,
    Card,
    Mark,
    ProblemLine,
    act,
    column,
    heading,
    muted,
    row,
)

_REQUESTS = {
    RequestState.WAITING: ("hourglass", "muted"),
    RequestState.OPEN: ("web", "accent"),
    RequestState.DONE: ("check-circle", "good"),
    RequestState.REFUSED: ("cross-circle", "bad"),
    RequestState.SHUT: ("ban", "muted"),
}


class MethodsPanel(Card):
    """Shows what is stored for a member, and follows a card until the gateway keeps it."""

    def __init__(self, background: Background) -> None:
        super().__init__(gap=12)
        self.setAccessibleName("Stored methods")
        self.background = background
        self._member_id: int | None = None
        self._call: CallState | None = None
        self._sheet: MethodsSheet | None = None
        self._asked = ""
        """The wish of this panel whose page is to be opened in the browser, once."""
        self._follows = ""
        """The wish of this panel that is told of when it is stored."""
        self.lines: list[MethodLine] = []
        self.request_lines: list[RequestLine] = []
        self.problem = ProblemLine()
        self.nothing = muted("No card is stored for this member.", wrap=True)
        self.why_not = muted("", wrap=True)
        self.why_not.hide()
        self.adding = act(
            self, "Add a card", self._on_add, icon="plus",
            more="Opens the gateway’s page; the card is typed there and nowhere else.",
        )  # fmt: skip
        self.add_button = Button(self.adding)
        self._list = QVBoxLayout()
        self._list.setSpacing(GRID)
        self._going = QVBoxLayout()
        self._going.setSpacing(GRID)
        self.body.addLayout(row(heading("Stored methods"), 0, self.add_button))
        self.body.addWidget(self.why_not)
        self.body.addWidget(self.problem)
        self.body.addLayout(self._going)
        self.body.addWidget(self.nothing)
        self.body.addLayout(self._list)
        self._may = background.desk.colleague.role.changes_the_file
        self.add_button.setVisible(self._may)
        self.adding.setEnabled(False)
        background.changed.connect(self._on_changed)

    # What it does

    def load(self, member_id: int, call: CallState | None) -> None:
        """Ask what is stored for a member; the call in progress says whether more can be."""
        if member_id != self._member_id:
            self._asked = self._follows = ""
            self.problem.say("")
        self._member_id, self._call = member_id, call
        self._load()

    def show_sheet(self, sheet: MethodsSheet) -> None:
        """Show what is stored and what is under way; whatever has the focus keeps it."""
        if sheet.member_id != self._member_id:
            return  # the answer about a member who is not shown any more
        before, self._sheet = self._sheet, sheet
        self.adding.setEnabled(self._may and not sheet.why_not_add and not self._is_adding(sheet))
        self.why_not.setText(sheet.why_not_add)
        self.why_not.setVisible(self._may and bool(sheet.why_not_add))
        self.nothing.setVisible(not sheet.methods)
        if before is None or before.methods != sheet.methods:
            self._show_methods(sheet.methods)
        if before is None or before.requests != sheet.requests:
            self._show_requests(sheet.requests)
        self._follow(sheet)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong."""
        self.problem.say(str(problem))

    # What happens

    def _load(self) -> None:
        if self._member_id is not None:
            call_id = self._call.id if self._call else None
            self.background.ask(methods.of_member, self._member_id, call_id).then(
                self, self.show_sheet
            )

    def _on_changed(self, changed: frozenset[str]) -> None:
        shows = {"StoredMethod", "MethodRequest", "AutoPay", "Payment"}
        if EVERYTHING in changed or (f"member:{self._member_id}" in changed and changed & shows):
            self._load()

    def _on_add(self) -> None:
        if self._member_id is None:
            return
        self.problem.say("")
        # One id for one press: whatever happens on the way, it opens one page.
        self._asked = self._follows = str(uuid4())
        self.background.ask(
            methods.add, self._asked, self._member_id, self._call.id if self._call else None
        ).then(self, self._on_added, busy=[self.add_button])

    def _on_added(self, sheet: MethodsSheet) -> None:
        self.show_sheet(sheet)
        # Where this console is its own courier the page is there at once.
        self.background.ask(methods.carry, self._follows).then(self, _nothing)

    def open_page(self, request: RequestRow) -> None:
        """Open the gateway's page in the browser."""
        if not QDesktopServices.openUrl(QUrl(request.page_url)):
            self.problem.say(
                "The browser did not open. Choose a standard browser for this computer, then press "
                "“Open the page”."
            )

    def call_off(self, request: RequestRow) -> None:
        """Call a page off that is not wanted any more."""
        self.problem.say("")
        self.background.ask(methods.shut, request.id).then(self, self._on_done)

    def make_default(self, method: StoredRow) -> None:
        """Offer this method before the others from now on."""
        self.problem.say("")
        self.background.ask(methods.set_default, method.id).then(
            self, lambda _: self._on_done(None, f"{method.words} is the usual one now.")
        )

    def remove(self, method: StoredRow) -> Sheet | None:
        """Ask, and take a method away."""
        if method.why_kept:
            self.problem.say(method.why_kept)
            return None
        self.problem.say("")
        click_id = str(uuid4())

        def go() -> None:
            self.background.ask(methods.remove, click_id, method.id).then(
                self, lambda _: self._on_done(None, f"{method.words} was taken away.")
            )

        return confirm(
            self,
            f"Take {method.words} away?",
            "Nobody can pay with it from then on. To have it back, the member must tell it again "
            "in a call of theirs.",
            "Take it away",
            go,
            danger=True,
        )

    def _on_done(self, _done: None, words: str = "") -> None:
        if words:
            say(self, words)
        self._load()

    # How it is shown

    def _is_adding(self, sheet: MethodsSheet) -> bool:
        return any(one.may_shut for one in sheet.requests)

    def _follow(self, sheet: MethodsSheet) -> None:
        """Open the page that was asked for here, and tell when the card is stored."""
        asked = next((one for one in sheet.requests if one.id == self._asked), None)
        if asked is not None and asked.page_url:
            self._asked = ""
            self.open_page(asked)
        stored = next((one for one in sheet.methods if one.id == self._follows), None)
        if stored is not None:
            self._asked = self._follows = ""
            say(self, f"{stored.words} is stored.")

    def _show_methods(self, rows: tuple[StoredRow, ...]) -> None:
        focus = next(
            ((line.method.id, line.focused) for line in self.lines if line.focused is not None),
            None,
        )
        _clear(self.lines)
        self.lines = [MethodLine(self, one, may=self._may) for one in rows]
        for line in self.lines:
            self._list.addWidget(line)
            line.show()  # what is not on screen yet takes no keys
        if focus is None:
            return
        again = next((line for line in self.lines if line.method.id == focus[0]), None)
        if again is not None:
            again.take_focus(focus[1] or 0)
        elif self.lines:
            self.lines[0].take_focus(0)
        else:
            self.add_button.setFocus()

    def _show_requests(self, rows: tuple[RequestRow, ...]) -> None:
        focused = any(line.has_focus for line in self.request_lines)
        _clear(self.request_lines)
        self.request_lines = [RequestLine(self, one, may=self._may) for one in rows]
        for line in self.request_lines:
            self._going.addWidget(line)
            line.show()
        if focused and not any(line.take_focus() for line in self.request_lines):
            self.add_button.setFocus()


class MethodLine(QWidget):
    """One card or bank account, and what can be done about it."""

    def __init__(self, panel: MethodsPanel, method: StoredRow, *, may: bool) -> None:
        super().__init__()
        self.method = method
        icon = "payments" if method.kind is MethodKind.CARD else "building"
        until = f", good until {method.expires}" if method.expires else ""
        if method.has_expired:
            until = f", until {method.expires}"
        words = f"{method.words}{until}"
        self.name = Mark(icon, words, "ink")
        self.name.setWordWrap(True)
        self.badges = [
            badge
            for shown, badge in (
                (method.is_default, Badge("check", "Usual", "good")),
                (method.has_expired, Badge("alert", "Expired", "bad")),
            )
            if shown
        ]
        self.default = Button("Make it usual", "plain")
        self.default.setAccessibleName(f"Make {method.words} the usual one")
        self.default.clicked.connect(lambda: panel.make_default(method))
        self.remove = Button("Take away", "plain")
        self.remove.setAccessibleName(f"Take {method.words} away")
        self.remove.setToolTip(method.why_kept)
        self.remove.clicked.connect(lambda: panel.remove(method))
        self._buttons = [self.remove, self.default]
        beside = muted(method.added, wrap=True)
        beside.setContentsMargins(theme.current().px(22), 0, 0, 0)
        first = row(self.name, *self.badges)
        first.setAlignment(self.name, Qt.AlignmentFlag.AlignVCenter)  # as its icon is
        second = row(beside, self.default, self.remove, gap=0)
        for line in (first, second):
            line.setStretch(0, 1)
        self.setLayout(column(first, second, gap=0))
        # Only now: shown without a parent it would be a window of its own for a moment.
        self.default.setVisible(may and not method.is_default)
        self.remove.setVisible(may)
        states = "".join(f" {badge.text()}." for badge in self.badges)
        self.setAccessibleName(f"{words}, {method.added}.{states}")

    @property
    def focused(self) -> int | None:
        """Which of its buttons has the keys."""
        return next((n for n, one in enumerate(self._buttons) if one.hasFocus()), None)

    def take_focus(self, button: int) -> None:
        """Give the keys to a button again, or to the one beside it."""
        one = self._buttons[button]
        (one if not one.isHidden() else self.remove).setFocus()


class RequestLine(QWidget):
    """One wish on its way to the gateway, or what became of it."""

    def __init__(self, panel: MethodsPanel, request: RequestRow, *, may: bool) -> None:
        super().__init__()
        self.request = request
        icon, tone = _REQUESTS[request.state]
        self.words = Mark(icon, request.words, tone)
        self.words.setWordWrap(True)
        self.open = Button("Open the page", icon="external")
        self.open.clicked.connect(lambda: panel.open_page(request))
        self.off = Button("Call it off", "plain")
        self.off.clicked.connect(lambda: panel.call_off(request))
        buttons = row(self.open, self.off, 0)
        self.setLayout(column(self.words, buttons, gap=4))
        self.open.setVisible(may and bool(request.page_url))
        self.off.setVisible(may and request.may_shut)
        self.setAccessibleName(request.words)

    @property
    def has_focus(self) -> bool:
        """Whether one of its buttons has the keys."""
        return self.open.hasFocus() or self.off.hasFocus()

    def take_focus(self) -> bool:
        """Take the keys if there is anything to press."""
        for button in (self.open, self.off):
            if not button.isHidden():
                button.setFocus()
                return True
        return False


def _clear(lines: list[MethodLine] | list[RequestLine]) -> None:
    for line in lines:
        line.hide()
        line.deleteLater()


def _nothing(_ended: bool) -> None:
    # What came of it is announced, and the panel reloads by itself.
    return
