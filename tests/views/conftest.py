"""What every test of a screen stands on: the look, and Pat's background with Rose on file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from console.background import Background
from console.services.desk import Desk
from console.views.theme import Theme


@pytest.fixture(autouse=True)
def look(qapp: QApplication, tmp_path: Path) -> Iterator[Theme]:
    """The light look at 100 %, and nothing read from this machine's own settings."""
    for kind in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(kind, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    look = Theme()
    look.apply(qapp)
    yield look


@pytest.fixture
def background(desk: Desk) -> Iterator[Background]:
    """The background of Pat's desk."""
    background = Background(desk)
    yield background
    background.close()
