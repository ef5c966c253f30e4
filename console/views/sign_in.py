"""Signing in, and unlocking after a while of quiet; painted before anything else is loaded.

The module must stay light: it is on screen while the database's own library is still being
imported, so what it asks of `services` it imports when it asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    Card,
    Field,
    Icon,
    Notice,
    ProblemLine,
    Ribbon,
    Waiting,
    Words,
    column,
    line_edit,
    muted,
    row,
)

if TYPE_CHECKING:
    from console.background import Background
    from console.services.desk import Colleague, Desk
    from console.services.staff import Entry, TrainingSeat
    from console.settings import Settings

ROLE_ICONS = {
    Role.REPRESENTATIVE: "headset",
    Role.CLERK: "clerk",
    Role.SUPERVISOR: "supervisor",
    Role.AUDITOR: "auditor",
    Role.ADMINISTRATOR: "settings",
}
ROLE_WORDS = {
    Role.REPRESENTATIVE: "Answers the phone: looks members up, solves registrations.",
    Role.CLERK: "Works the counter and its drawer.",
    Role.SUPERVISOR: "Approves what a representative may not decide alone.",
    Role.AUDITOR: "Reads everything and changes nothing.",
    Role.ADMINISTRATOR: "Looks after staff and settings.",
}

NOT_YOURS = "That is not your password. Try again."
"""Said where the login is known and nobody typed it."""


class SignIn(QWidget):
    """The first thing on screen: one click for each role while training, else login and password.

    Painted at once, it says that it is opening; `attend(background)` then lists the seats and does
    the asking. What went wrong with the database is shown with its next step and `again` is
    emitted when the person wants another try.
    """

    signed_in = Signal(object)
    """Who has signed in, as a `staff.Entry`."""
    again = Signal()
    """Somebody wants the database tried once more."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        theme.role(self, "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(f"Sign in · {settings.coop_name}")
        self.background: Background | None = None
        self._settings = settings
        self.seats: dict[str, Button] = {}
        self.problem = ProblemLine()
        self.why = Notice("info", "", "warn")
        self.why.hide()
        self.try_again = Button("Try again", icon="refresh")
        self.try_again.clicked.connect(self.again)
        self.try_again.hide()
        self.opening = muted("Opening the co-op’s records…")
        self._seats = QVBoxLayout()
        self._seats.setSpacing(GRID)
        self._make_form()
        self._form.setVisible(not settings.training)
        card = Card(padding=4 * GRID, gap=2 * GRID)
        card.setFixedWidth(theme.current().px(440))
        self._card = card
        name = Words(settings.coop_name, "title", wrap=True)
        under = (
            "Take a seat: everybody here is made up."
            if settings.training
            else "Customer-service console"
        )
        head = row(Icon("issues", "accent", 32), column(name, muted(under), gap=2), gap=2 * GRID)
        head.setStretch(1, 1)
        card.body.addLayout(head)
        card.body.addWidget(self.why)
        card.body.addLayout(self._seats)
        card.body.addWidget(self._form)
        card.body.addWidget(self.opening)
        card.body.addWidget(self.problem)
        card.body.addLayout(row(self.try_again, 0))
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        if settings.training:
            page.addWidget(Ribbon())
        page.addStretch(2)
        page.addLayout(row(0, card, 0))
        page.addStretch(3)
        theme.current().changed.connect(self._measure)

    def attend(self, background: Background) -> None:
        """Begin to work: the records are open."""
        self.background = background
        self.problem.say("")
        self.try_again.hide()
        if self._settings.training:
            background.ask(_seats).then(self, self.show_seats)
        else:
            self.opening.hide()
            self._focus()

    def show_seats(self, seats: Sequence[TrainingSeat]) -> None:
        """Offer a seat for each role."""
        self.opening.hide()
        for seat in seats:
            button = Button(f"{seat.name}\n{seat.role.words}", "seat")
            button.show_icon(ROLE_ICONS[seat.role], "accent")
            button.setAccessibleName(f"{seat.name}, {seat.role.words}")
            button.setToolTip(ROLE_WORDS[seat.role])
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, login=seat.login: self._on_seat(login))
            self._seats.addWidget(button)
            self.seats[seat.login] = button
        self._form.setVisible(not seats)
        self._focus()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; with the records closed, offer to try again."""
        self.opening.hide()
        self._open_form()
        self.problem.say(str(problem))
        self.try_again.setVisible(self.background is None)
        if self.background is not None:
            self.password.selectAll()
            self.password.setFocus()

    def say_why(self, words: str) -> None:
        """Say why somebody finds themselves here again."""
        self.why.say(words)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._focus()

    def _make_form(self) -> None:
        self.login = line_edit(spoken="Login", longest=60)
        self.password = line_edit(spoken="Password", longest=200)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.enter = Button("Sign in", "primary", icon="door")
        self.enter.clicked.connect(self._on_enter)
        for field in (self.login, self.password):
            field.returnPressed.connect(self._on_enter)
        self.waiting = Waiting()
        self._form = QWidget()
        form = column(Field("Login", self.login), Field("Password", self.password), gap=2 * GRID)
        form.setContentsMargins(0, 0, 0, 0)
        form.addLayout(row(self.waiting, 0, self.enter))
        self._form.setLayout(form)

    def _focus(self) -> None:
        if self.seats:
            next(iter(self.seats.values())).setFocus()
        elif not self._form.isHidden():
            (self.password if self.login.text() else self.login).setFocus()

    def _on_seat(self, login: str) -> None:
        if self.background is not None:
            self.problem.say("")
            self.background.ask(_take_seat, login).then(
                self, self.signed_in.emit, busy=list(self.seats.values())
            )

    def _on_enter(self) -> None:
        if self.background is None:
            return
        if not self.login.text().strip() or not self.password.text():
            self.problem.say("Type your login and your password, then press Enter.")
            return
        self.problem.say("")
        # Closed meanwhile: what is typed too early would be written over by a late refusal.
        for field in (self.login, self.password):
            field.setEnabled(False)
        self.waiting.begin("Signing in…")
        self.background.ask(_enter, self.login.text().strip(), self.password.text()).then(
            self, self._on_signed_in, busy=[self.enter]
        )

    def _open_form(self) -> None:
        self.waiting.end()
        for field in (self.login, self.password):
            field.setEnabled(True)

    def _on_signed_in(self, entry: Entry) -> None:
        self._open_form()
        self.password.clear()
        self.signed_in.emit(entry)

    def _measure(self) -> None:
        self._card.setFixedWidth(theme.current().px(440))


class Lock(QWidget):
    """Hides the whole window after a quarter of an hour of quiet; nothing under it is lost."""

    unlocked = Signal()
    left = Signal()
    """Somebody else wants to sign in instead."""

    def __init__(self, background: Background, *, training: bool) -> None:
        super().__init__()
        self.background = background
        self._training = training
        theme.role(self, "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("The console is locked")
        colleague = background.desk.colleague
        self.problem = ProblemLine()
        self.password = line_edit(spoken="Password", longest=200)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.returnPressed.connect(self._on_unlock)
        self.unlock = Button(f"Go on as {colleague.name}" if training else "Unlock", "primary")
        self.unlock.show_icon("unlock", "on_accent")
        self.unlock.clicked.connect(self._on_unlock)
        self.leave = Button("Sign in as somebody else", "plain")
        self.leave.clicked.connect(self.left)
        card = Card(padding=4 * GRID, gap=2 * GRID)
        card.setFixedWidth(theme.current().px(440))
        who = muted(f"{colleague.name}, {colleague.role.words}")
        names = column(Words("Locked", "title"), who, gap=2)
        card.body.addLayout(row(Icon("lock", "accent", 32), names, 0, gap=2 * GRID))
        card.body.addWidget(Words("Everything you had open and half written is kept.", wrap=True))
        if not training:
            card.body.addWidget(Field("Password", self.password))
        card.body.addWidget(self.problem)
        self.waiting = Waiting()
        card.body.addWidget(self.waiting)
        card.body.addLayout(row(self.leave, 0, self.unlock))
        page = QVBoxLayout(self)
        page.addStretch(2)
        page.addLayout(row(0, card, 0))
        page.addStretch(3)

    def take_focus(self) -> None:
        """Put the cursor where it is needed to unlock."""
        (self.unlock if self._training else self.password).setFocus()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say why it stays locked; nobody asked for a login here."""
        self._open_field()
        self.problem.say(NOT_YOURS if _is_wrong_password(problem) else str(problem))
        self.password.selectAll()
        self.take_focus()

    def paintEvent(self, event: QPaintEvent) -> None:
        with theme.painting(self) as painter:
            painter.fillRect(self.rect(), theme.current().colour("ground"))

    def _on_unlock(self) -> None:
        if not self.password.isEnabled():
            return
        self.problem.say("")
        login = self.background.desk.colleague.login
        if self._training:
            self.background.ask(_sit_down, login).then(self, self._on_known, busy=[self.unlock])
        elif self.password.text():
            self.password.setEnabled(False)
            self.waiting.begin("Unlocking…")
            self.background.ask(_sign_in, login, self.password.text()).then(
                self, self._on_known, busy=[self.unlock]
            )
        else:
            self.problem.say("Type your password, then press Enter.")

    def _open_field(self) -> None:
        self.waiting.end()
        self.password.setEnabled(True)

    def _on_known(self, _colleague: Colleague) -> None:
        self._open_field()
        self.password.clear()
        self.unlocked.emit()


def _is_wrong_password(problem: ConsoleError) -> bool:
    from console.services.staff import WrongPassword

    return isinstance(problem, WrongPassword)


def _seats(desk: Desk) -> Sequence[TrainingSeat]:
    from console.services import staff

    return staff.training_seats(desk.records)


def _sit_down(desk: Desk, login: str) -> Colleague:
    from console.services import staff

    return staff.sit_down(desk.records, desk.settings, login, desk.workstation)


def _take_seat(desk: Desk, login: str) -> Entry:
    from console.services import staff

    return staff.Entry(_sit_down(desk, login), desk.records)


def _enter(desk: Desk, login: str, password: str) -> Entry:
    from console.services import staff

    return staff.enter(desk.records, desk.settings, login, password, desk.workstation)


def _sign_in(desk: Desk, login: str, password: str) -> Colleague:
    from console.services import staff

    return staff.sign_in(desk.records, desk.settings, login, password, desk.workstation)
