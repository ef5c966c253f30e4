"""A newcomer's desk: the training co-op, its stand-ins as real processes, and the real window."""

from __future__ import annotations

import gc
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from console import app
from console.cli import training
from console.cli.clerk import Clerk
from console.cli.training import StandIns
from console.views.theme import Theme
from tests.browser import chromium, page

__all__ = ["chromium", "page"]


@dataclass
class Office:
    """Somebody at a desk: hands and eyes, the console, and where the stand-ins answer."""

    clerk: Clerk
    console: app.Console
    where: StandIns

    def sits_down(self, who: str = "Riley Osterholm, Representative") -> None:
        """Sign in with one click."""
        self.clerk.presses(who)
        self.clerk.sees("Who is calling?")

    def looks_up(self, text: str, hit: str) -> None:
        """Type into the search box and open the first hit."""
        self.clerk.keys("Ctrl+K", "Ctrl+A", "Del")
        self.clerk.types(text)
        self.clerk.sees(hit)
        self.clerk.keys("Return")
        self.clerk.sees("What happened")

    def verifies_the_caller(self) -> None:
        """Tick three facts, one of them private."""
        self.clerk.keys("Alt+1", "Alt+2", "Alt+5")
        self.clerk.sees("Caller verified")

    def tell(self, path: str, /, **body: object) -> dict[str, object]:
        """Turn one of the stand-in's switches, or read its counters."""
        request = urllib.request.Request(
            self.where.portal + path,
            data=json.dumps(body).encode() if body or "behave" in path else None,
            headers={"Content-Type": "application/json", "X-Sandbox": "test"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))


@pytest.fixture
def office(qapp: QApplication, tmp_path: Path) -> Iterator[Office]:
    """The console on its sign-in, with the training co-op as on its first day."""
    collecting = gc.isenabled()
    gc.disable()  # widgets die on this thread only
    with training.stand_ins_when_ready(tmp_path) as where:
        settings = training.settings(where, tmp_path)
        console = app.Console(
            settings,
            lambda: app.office(settings),
            plan=training.plan(where),
            look=Theme(),
            remember=False,
        )
        console.open()
        try:
            yield Office(Clerk(), console, where)
        finally:
            console.close()
            for window in (console.window, console.sign_in):
                if window is not None:
                    window.close()
                    window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            gc.collect()
            if collecting:
                gc.enable()
