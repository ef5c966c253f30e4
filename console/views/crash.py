"""The last resort: a bug becomes a sentence and a reference number, never a traceback on screen."""

from __future__ import annotations

import json
import platform
import secrets
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
    qVersion,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QVBoxLayout, QWidget

from console import __version__
from console.domain.errors import ConsoleError
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Button, Icon, Words, row

LARGEST_LOG = 1_000_000
_READABLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""What can be read out on the phone without being mistaken."""


class CrashLog:
    """A file with one line of JSON for each bug, and no personal data in it.

    The message of an exception may hold a member's name, so only its kind and the places in the
    program are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "crashes.jsonl"
        self._lock = threading.Lock()

    def write(self, error: BaseException, thread: str) -> str:
        """Write a bug down and answer the reference to quote."""
        raw = "".join(secrets.choice(_READABLE) for _ in range(8))
        reference = f"{raw[:4]}-{raw[4:]}"
        self._append(
            {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "reference": reference,
                "console": __version__,
                "python": platform.python_version(),
                "qt": qVersion(),
                "system": platform.platform(),
                "thread": thread,
                "causes": [_described(cause) for cause in _chain(error)],
            }
        )
        return reference

    def note(self, what: str, where: str) -> None:
        """Write down something odd that nobody need be troubled with."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._append({"at": now, "noted": what, "where": where})

    def _append(self, line: dict[str, object]) -> None:
        # A full or read-only disk must not turn one bug into two.
        try:
            with self._lock:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                if self.file.exists() and self.file.stat().st_size > LARGEST_LOG:
                    self.file.replace(self.file.with_suffix(".old.jsonl"))
                with self.file.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError:
            return


class CrashWindow(QDialog):
    """Says that something went wrong, that work is kept, and which reference to quote."""

    def __init__(self, parent: QWidget | None, log_file: Path) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        theme.role(self, "sheet")
        self.references: list[str] = []
        self.words = Words("", wrap=True)
        self.words.setMinimumWidth(theme.current().px(400))
        self.reference = Words("", "title").selectable()
        self.copy = Button("Copy the reference", icon="copy")
        self.copy.clicked.connect(self._on_copy)
        self.go_on = Button("Go on", "primary")
        self.go_on.clicked.connect(self.accept)
        self.where = Words(f"Details for support are in {log_file}", "label", wrap=True)
        page = QVBoxLayout(self)
        page.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        page.setSpacing(2 * GRID)
        head = Words("Something went wrong in the console", "strong")
        page.addLayout(row(Icon("bug", "bad", 24), head, 0, gap=12))
        page.addWidget(self.words)
        page.addWidget(self.reference)
        page.addWidget(self.where)
        page.addLayout(row(self.copy, 0, self.go_on))
        self.go_on.setFocus()

    def show_reference(self, reference: str) -> None:
        """Show one more reference."""
        self.references.append(reference)
        self.reference.setText(self.references[-1])
        again = f" It has happened {len(self.references)} times." * (len(self.references) > 1)
        self.words.setText(
            "This is a fault of the program, not of yours. What you have typed is kept and what "
            "was saved is safe. Go on; if it comes back, tell your supervisor this reference."
            + again
        )
        self.show()
        self.raise_()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(", ".join(self.references))
        self.copy.show_icon("check", "good")


class CrashHandler(QObject):
    """Catches what nobody else caught, on whatever thread it happened."""

    _crashed = Signal(object, str)

    def __init__(self, log: CrashLog, say: Callable[[ConsoleError], object] | None = None) -> None:
        super().__init__()
        self.log = log
        self.say = say
        """Shows a problem that is meant for staff and only strayed here; else the window does."""
        self.window: CrashWindow | None = None
        self._crashed.connect(self._show)

    def install(self) -> None:
        """Become the last resort of the program."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread
        qInstallMessageHandler(self._on_qt)

    def uninstall(self) -> None:
        """Give the last resort back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def _on_exception(
        self, _kind: type[BaseException], error: BaseException, _where: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            QApplication.quit()
        else:
            self._crashed.emit(error, threading.current_thread().name)

    def _on_thread(self, what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None:
            self._crashed.emit(what.exc_value, what.thread.name if what.thread else "")

    def _on_qt(self, kind: QtMsgType, _context: QMessageLogContext, message: str | None) -> None:
        # Only the first words: what follows may quote what was typed.
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            self.log.note(" ".join((message or "").split()[:6]), "qt")

    def _show(self, error: BaseException, thread: str) -> None:
        if isinstance(error, ConsoleError):
            say = self.say or getattr(QApplication.activeWindow(), "show_problem", None)
            if say is not None:
                say(error)
                return
        reference = self.log.write(error, thread)
        if self.window is None or not self.window.isVisible():
            self.window = CrashWindow(QApplication.activeWindow(), self.log.file)
        self.window.show_reference(reference)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain and len(chain) < 8:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


def _described(error: BaseException) -> dict[str, object]:
    places = traceback.extract_tb(error.__traceback__)[-30:]
    kind = type(error)
    return {
        "kind": f"{kind.__module__}.{kind.__qualname__}",
        "where": [f"{_short(place.filename)}:{place.lineno} {place.name}" for place in places],
    }


def _short(file: str) -> str:
    # A path may hold the name of whoever is signed in to the machine.
    parts = Path(file).parts
    for top in ("site-packages", "console"):
        if top in parts:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(top) :])
    return parts[-1] if parts else ""
