"""The window itself, opened as `main.py` opens it."""

import gc

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from console.cli import main
from console.cli.clerk import Clerk


@pytest.fixture
def at_desk(qapp, tmp_path, monkeypatch):
    """Somebody who acts once the window is open; what goes wrong ends the session."""
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    collecting = gc.isenabled()
    gc.disable()
    troubles = []

    def begin(act):
        def safely():
            try:
                act(Clerk())
            except Exception as trouble:  # told by the test, not by Qt
                troubles.append(trouble)
                QApplication.exit(1)

        QTimer.singleShot(0, safely)

    yield begin
    QApplication.processEvents()
    gc.collect()
    if collecting:
        gc.enable()
    assert troubles == []


def test_training_begins_afresh_and_the_console_opens_again(at_desk, tmp_path):
    database = tmp_path / "training.db"
    made = []

    def practise(clerk):
        clerk.presses("Riley Osterholm, Representative")
        clerk.sees("Who is calling?")
        made.append(database.stat().st_ino)
        clerk.presses("Go to Training")
        clerk.presses("Begin the training co-op afresh")
        clerk.presses("Begin afresh")
        at_desk(sign_in_again)

    def sign_in_again(clerk):
        clerk.presses("Riley Osterholm, Representative")
        clerk.sees("Who is calling?")
        made.append(database.stat().st_ino)
        QApplication.exit(0)

    at_desk(practise)
    assert main(["open"]) == 0
    assert len(made) == 2
    assert made[0] != made[1]
