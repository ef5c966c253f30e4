"""Who else has this member open: one quiet line beside the name, kept current by word from them."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from console.background import Background
from console.domain.errors import ConsoleError
from console.services import presence
from console.services.changes import EVERYTHING
from console.services.presence import Visitor
from console.views.widgets import Mark, Notice

MOST_NAMED = 2


class AtWork(Notice):
    """Says on a sheet who else is changing the same member right now."""

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__("edit", "", "warn")
        self.background = background
        self._member_id = member_id
        self._name = presence.name_of(member_id)
        self._over = False
        self.hide()
        background.changed.connect(self._on_changed)
        self._ask()

    def show_visitors(self, visitors: tuple[Visitor, ...]) -> None:
        """Name those who are changing something; who only looks is no news on a sheet."""
        if self._over:
            return
        at_work = [visitor.words for visitor in visitors if visitor.editing]
        said = "; ".join(at_work[:MOST_NAMED])
        self.say(said and f"{said}. Whoever saves second is shown both versions.")

    def show_problem(self, problem: ConsoleError) -> None:
        """Say nothing of it: the window tells when the database is away."""

    def end(self) -> None:
        """Say nothing more: there is nothing left to cross."""
        self._over = True
        self.hide()

    def _ask(self) -> None:
        self.background.ask(presence.who_else, self._member_id).then(
            self, self.show_visitors, quiet=True
        )

    def _on_changed(self, changed: frozenset[str]) -> None:
        if not self._over and changed & {self._name, EVERYTHING}:
            self._ask()


class Company(Mark):
    """Says who else is here, and lets the others know of this desk while the page is open."""

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__("eye", "", "muted")
        self.background = background
        self._member_id = member_id
        self._editing = ""
        self._name = presence.name_of(member_id)
        self.visitors: tuple[Visitor, ...] = ()
        self.hide()
        self._renewal = QTimer(self)
        self._renewal.setInterval(presence.RENEW_SECONDS * 1000)
        self._renewal.timeout.connect(self._say_here)
        background.changed.connect(self._on_changed)

    def arrive(self) -> None:
        """Begin to be seen here; nothing more the second time."""
        if not self._renewal.isActive():
            self._renewal.start()
            self._say_here()

    def begin_editing(self, what: str) -> None:
        """Let the others see what is being changed."""
        self._editing = what
        self._say_here()

    def end_editing(self) -> None:
        """Let the others see that nothing is being changed any more."""
        self.begin_editing("")

    def depart(self) -> None:
        """Be seen here no more."""
        if self._renewal.isActive():
            self._renewal.stop()
            self.background.ask(presence.close, self._member_id).then(
                self, lambda _: None, quiet=True
            )

    def show_visitors(self, visitors: tuple[Visitor, ...]) -> None:
        """Say who else is here, whoever changes something first."""
        if visitors == self.visitors:
            return
        self.visitors = visitors
        at_work = any(visitor.editing for visitor in visitors)
        ordered = sorted(visitors, key=lambda visitor: not visitor.editing)
        said = [visitor.words for visitor in ordered[:MOST_NAMED]]
        if len(ordered) > MOST_NAMED:
            said.append(f"{len(ordered) - MOST_NAMED} more have it open")
        self.show_mark(
            "edit" if at_work else "eye", "; ".join(said), "warn" if at_work else "muted"
        )
        self.setAccessibleName(self.text())
        self.setToolTip("\n".join(f"{one.words}, at {one.workstation}" for one in ordered))
        self.setVisible(bool(visitors))

    def show_problem(self, problem: ConsoleError) -> None:
        """Say nothing of it: the window tells when the database is away."""

    def _say_here(self) -> None:
        if self._renewal.isActive():
            self.background.ask(presence.open, self._member_id, self._editing).then(
                self, self.show_visitors, quiet=True
            )

    def _on_changed(self, changed: frozenset[str]) -> None:
        if self._renewal.isActive() and changed & {self._name, EVERYTHING}:
            self.background.ask(presence.who_else, self._member_id).then(
                self, self.show_visitors, quiet=True
            )
