"""What every screen shares: it asks, it shows, it says what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.background import Background
from console.domain.errors import ConsoleError
from console.services.changes import EVERYTHING
from console.views.theme import GRID
from console.views.widgets import ProblemLine


class Screen(QWidget):
    """A screen: build once, load in the background, show what comes back."""

    shows: frozenset[str] = frozenset()
    """Names of what this screen shows; it reloads when one of them changes."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.background = background
        # A click beside the controls, or opening the screen, brings the keys here.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.problem = ProblemLine()
        self.page = QVBoxLayout(self)
        self.page.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        self.page.setSpacing(2 * GRID)
        self.page.addWidget(self.problem)
        background.changed.connect(self._reload_if_shown)

    def load(self) -> None:
        """Ask for what this screen shows."""

    def show_problem(self, problem: ConsoleError) -> None:
        """Say on the screen what went wrong and what to do next."""
        self.problem.say(str(problem))

    def clear_problem(self) -> None:
        """Take back what went wrong before."""
        self.problem.say("")

    def _reload_if_shown(self, changed: frozenset[str]) -> None:
        if changed & self.shows or (self.shows and EVERYTHING in changed):
            self.load()
