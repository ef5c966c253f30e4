"""What every test of a screen stands on: the look, and Pat's background on a real desk."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication

from console.background import Background
from console.sandbox.portal import RunningPortal
from console.services.desk import Desk
from console.views.theme import Theme
from tests import town as outside
from tests.town import Town


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh database; screens do not know engines, so one will do."""
    file = tmp_path / "office.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


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
