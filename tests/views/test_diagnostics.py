from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from console.domain.errors import ConsoleError
from console.sandbox.misbehaviour import Kind
from console.views.diagnostics import DiagnosticsScreen


@pytest.fixture
def screen(qtbot, background):
    screen = DiagnosticsScreen(background)
    qtbot.addWidget(screen)
    screen.resize(1100, 800)
    screen.show()
    return screen


def test_the_lights_say_that_everything_answers(qtbot, screen):
    qtbot.waitUntil(lambda: "answers" in screen.portal.words.text())
    qtbot.waitUntil(lambda: "answers" in screen.database.words.text())
    assert screen.portal.figure.text().endswith("ms")
    qtbot.waitUntil(lambda: screen.courier.figure.text() == "0 waiting")
    assert screen.courier.words.text() == "Nothing waits. Carried by this console itself."


def test_the_last_words_with_the_portal_are_listed_without_anything_personal(qtbot, screen, desk):
    with pytest.raises(ConsoleError):
        desk.portal.registration("1023401", staff="pat")
    screen.load()
    qtbot.waitUntil(lambda: len(screen.exchanges.rows_model.rows) >= 2)
    calls = [row.path for row in screen.exchanges.rows_model.rows]
    assert "/v1/accounts/{account}/registration" in calls
    assert not any("1023401" in call for call in calls)


def test_copied_diagnostics_hold_facts_and_no_secret(qtbot, screen, desk):
    qtbot.waitUntil(lambda: bool(screen._said))
    screen.copy_all.trigger()
    text = QGuiApplication.clipboard().text()
    assert "Workstation: desk 3" in text
    assert desk.settings.portal_token not in text


def test_a_portal_that_is_gone_is_a_light_and_not_a_crash(qtbot, screen, desk, portal):
    portal.misbehave(Kind.DOWN)
    screen.load()
    qtbot.waitUntil(lambda: screen.portal.figure.text() == "No answer")
    assert "Try again" in screen.portal.words.text()
    portal.behave()
    screen.load()
    qtbot.waitUntil(lambda: screen.portal.figure.text().endswith("ms"))


def test_a_database_that_is_of_no_use_is_a_light_and_not_a_crash(qtbot, screen, desk):
    qtbot.waitUntil(lambda: screen.database.figure.text().endswith("ms"))
    desk.records.close()
    file = Path(desk.records.engine.url.database)
    file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
    file.write_bytes(b"no database " * 500)
    screen.load()
    qtbot.waitUntil(lambda: screen.database.figure.text() == "No answer")
    assert "database" in screen.database.words.text()
