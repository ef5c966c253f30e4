from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QScrollArea

from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.sandbox.misbehaviour import Kind
from console.services.diagnostics import Copied, SecondCopy
from console.services.rounds import BacklogRow, CourierHealth, CourierRow, Going
from console.views.diagnostics import DiagnosticsScreen
from console.views.toasts import Toasts


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


def test_a_second_copy_that_is_away_is_a_warning_and_a_file_has_none(qtbot, screen):
    qtbot.waitUntil(lambda: "answers" in screen.database.words.text())
    assert not screen.second_copy.isVisible()
    screen.show_second_copy(SecondCopy(Copied.AWAY, "Every commit waits for it."))
    assert screen.second_copy.isVisible()
    assert screen.second_copy.accessibleName() == "Second copy: Away. Every commit waits for it."
    screen.copy_all.trigger()
    assert "Second copy: Every commit waits" in QGuiApplication.clipboard().text()
    screen.show_second_copy(None)
    assert not screen.second_copy.isVisible()


def test_copying_says_that_it_worked(qtbot, screen):
    said = Toasts(screen)
    screen.copy_all.trigger()
    assert "copied" in said.toast.words.text()


def test_in_a_small_window_nothing_is_cut_and_the_exchanges_are_in_sight(qtbot, screen):
    screen.resize(816, 646)  # what a window of 1024 by 700 leaves to a screen
    screen.show_facts(
        (
            (
                "Database",
                "postgresql://pat:***@one.example,two.example/console?and=" + "much/" * 40,
            ),
            *((f"Fact {number}", "so it is") for number in range(9)),
        )
    )
    qtbot.waitUntil(lambda: len(screen.exchanges.rows_model.rows) >= 1)
    (area,) = [one for one in screen.findChildren(QScrollArea) if one.widget()]
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    assert area.horizontalScrollBar().maximum() == 0
    for card in (screen.database, screen.portal, screen.courier):
        assert card.mapTo(screen, card.rect().bottomRight()).x() < screen.width()
    first = screen.exchanges.visualRect(screen.exchanges.rows_model.index(0, 0))
    assert screen.exchanges.viewport().mapTo(screen, first.bottomLeft()).y() < screen.height()


def test_no_courier_and_nothing_waiting_is_a_line_each_and_no_empty_table(qtbot, screen):
    qtbot.waitUntil(screen.couriers_section.note.isVisible)
    words = "This console carries by itself; no separate courier runs."
    assert screen.couriers_section.note.text() == words
    assert screen.backlog_section.note.text().startswith("Nothing waits")
    assert not screen.couriers.isVisible()
    assert not screen.backlog.isVisible()


def test_a_courier_and_what_waits_are_tables_as_tall_as_their_rows(qtbot, screen, desk):
    now = desk.now()
    courier = CourierRow("server/1", "server", True, now, now, 7, now, "")
    waits = BacklogRow(ErrandKind.RESEND, ErrandState.WAITING, 2, now, 1)
    health = CourierHealth(Going.WELL, 2, "2 on the way.", (courier,), (waits, waits))
    screen.show_courier(health)
    assert screen.couriers.isVisible()
    assert screen.backlog.height() > screen.couriers.height()
    assert screen.backlog.verticalScrollBar().maximum() == 0
    assert not screen.couriers_section.note.isVisible()


def test_the_courier_is_told_of_once(qtbot, screen):
    qtbot.waitUntil(lambda: bool(screen._said))
    assert "Courier" not in dict(screen._said)


def test_exchanges_have_their_seconds(qtbot, screen):
    qtbot.waitUntil(lambda: len(screen.exchanges.rows_model.rows) >= 1)
    assert screen.exchanges.rows_model.index(0, 0).data().count(":") == 2
