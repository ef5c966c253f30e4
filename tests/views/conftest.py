"""What every test of a screen stands on: the look, and Pat's background on a real desk."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from console.background import Background
from console.sandbox.portal import RunningPortal
from console.services.desk import Desk
from console.views.theme import Theme
from tests import town as outside
from tests.town import Town

W = TypeVar("W", bound=QWidget)


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh database; screens do not know engines, so one will do."""
    file = tmp_path / "office.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    """An empty window of the least size, for one panel."""
    window = QMainWindow()
    window.resize(1024, 700)
    qtbot.addWidget(window)
    return window


@pytest.fixture
def shown_at(qtbot: QtBot) -> Iterator[Callable[[Desk, Callable[[Background], W]], W]]:
    """Show what is made from a background, at one desk or another, live and in front."""
    made: list[tuple[Background, Callable[[], None], QMainWindow]] = []

    def show(desk: Desk, make: Callable[[Background], W]) -> W:
        background = Background(desk)
        stop = desk.records.on_change(background.changed.emit)
        panel = make(background)
        window = QMainWindow()
        window.resize(1024, 700)
        window.setCentralWidget(panel)
        qtbot.addWidget(window)
        with qtbot.waitActive(window):
            window.show()
        qtbot.waitUntil(lambda: background.idle)
        made.append((background, stop, window))
        return panel

    yield show
    for background, stop, _ in made:
        qtbot.waitUntil(lambda background=background: background.idle)
        stop()
        background.close()


@pytest.fixture(autouse=True)
def look(qapp: QApplication, tmp_path: Path) -> Theme:
    """The light look at 100 %, and nothing read from this machine's own settings."""
    for kind in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(kind, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    look = Theme()
    look.apply(qapp)
    return look


@pytest.fixture(autouse=True)
def sweeping() -> Iterator[None]:
    """Widgets die on this thread only, as with the Sweeper: elsewhere they would crash Qt."""
    was_on = gc.isenabled()
    gc.disable()
    # What was there before the test need not be looked through after it: that took a second each.
    gc.freeze()
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    if was_on:
        gc.enable()


@pytest.fixture
def background(desk: Desk) -> Iterator[Background]:
    """The background of Pat's desk."""
    background = Background(desk)
    yield background
    background.close()


@pytest.fixture
def town(desk: Desk, portal: RunningPortal) -> Town:
    """The office with one member, “DeLong”, who also has an account at the portal."""
    return outside.found(desk, portal)


@pytest.fixture
def live(background: Background) -> Background:
    """A background that hears of what this and other desks commit."""
    background.desk.records.on_change(background.changed.emit)
    return background
