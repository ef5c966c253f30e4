"""Keeps what is being typed into a form, and puts it back after a crash or a closed page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import drafts
from console.services.drafts import Draft
from console.views.toasts import say
from console.views.widgets import Button, Notice, row

REST_MILLISECONDS = 400
"""How long the typing rests before what was typed is written down."""


class DraftKeeper(QObject):
    """Keeps one form's words; it belongs to the form and goes with it."""

    def __init__(
        self,
        form: QWidget,
        background: Background,
        name: str,
        words: str,
        member_id: int | None,
        read: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__(form)
        self.background = background
        self._form, self._name, self._words = form, name, words
        self._member_id, self._read = member_id, read
        self._warned = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MILLISECONDS)
        self._rest.timeout.connect(self._on_rest)
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.flush)

    def recall(self, show: Callable[[Draft], None]) -> None:
        """Ask for what was left here; `show` is told when there is something."""

        def home(draft: Draft | None) -> None:
            if draft is not None:
                show(draft)

        self.background.ask(drafts.recall, self._name).then(self, home, quiet=True, local=True)

    def touch(self) -> None:
        """Note that something was typed."""
        self._rest.start()

    def rest(self) -> None:
        """Note that what stands there now is what is kept already."""
        self._rest.stop()

    def forget(self) -> None:
        """Forget the draft: it was saved, or given up."""
        self._rest.stop()
        self.background.ask(drafts.forget, self._name, time.monotonic_ns()).then(
            self, lambda _: None, quiet=True, local=True
        )

    def flush(self) -> None:
        """Write down at once what the typing has not rested from yet; there may be no later."""
        if self._rest.isActive():
            self._rest.stop()
            try:
                drafts.keep(self.background.desk, self._draft(), time.monotonic_ns())
            except ConsoleError:
                return

    def show_problem(self, problem: ConsoleError) -> None:
        """Say once that the words are safe only when they are saved."""
        if not self._warned:
            self._warned = True
            say(self._form, str(problem), icon="alert")

    def _draft(self) -> Draft:
        return Draft(
            self._name,
            self._words,
            self._member_id,
            dict(self._read()),
            self.background.desk.now(),
        )

    def _on_rest(self) -> None:
        self.background.ask(drafts.keep, self._draft(), time.monotonic_ns()).then(
            self, lambda _: None, quiet=True, local=True
        )


class Recalled(QWidget):
    """Says that words from before are here again, and offers to begin afresh."""

    afresh = Signal()
    """The words from before are not wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.notice = Notice("history")
        self.button = Button("Begin afresh")
        self.button.clicked.connect(self._on_afresh)
        layout = row(self.notice, self.button)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    def show_draft(self, draft: Draft, background: Background) -> None:
        """Say from when the words are."""
        desk = background.desk
        when = times.when(draft.written_at, desk.now(), desk.settings.zone)
        self.notice.say(f"What you typed {when} is here again. It is not saved yet.")
        self.show()

    def _on_afresh(self) -> None:
        self.hide()
        self.afresh.emit()
