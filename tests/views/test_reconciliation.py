"""The reconciliation tab: days that agree are good news, and what differs is cleared with words."""

from dataclasses import replace
from datetime import date
from functools import partial
from uuid import uuid4

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.clients.gateway import Order
from console.domain.money import Money
from console.sandbox.gateway import Kind
from console.services import reconciliation
from console.views.reconciliation import ReconciliationPanel
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import SUE
from tests.payments.office import found
from tests.views.test_refunds import CONTROL, LEFT, paid, presses, words

DAY = date(2026, 11, 23)


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


@pytest.fixture
def shown(shown_at):
    return partial(shown_at, make=ReconciliationPanel)


def sue(office):
    return replace(office.courier, colleague=SUE)


def reconciles(qtbot, panel):
    panel.day.setDate(QDate(DAY.year, DAY.month, DAY.day))
    QTest.mouseClick(panel.now_button, LEFT)
    qtbot.waitUntil(lambda: panel.about.text() == "23 Nov 2026")


def test_before_the_first_sheet_it_says_who_makes_it(shown, office):
    panel = shown(office.desk)
    told = words(panel)
    assert "No day was reconciled yet." in told
    assert "The courier does it soon after midnight." in told
    assert not panel.now_button.isVisible()


def test_a_day_that_agrees_is_good_news(qtbot, office, shown):
    paid(office)
    panel = shown(sue(office))
    reconciles(qtbot, panel)
    told = words(panel)
    assert "All 1 charges agree" not in told
    assert "The one charge agrees, to the cent." in told
    assert "No line differs." in told
    assert not panel.clear_button.isVisible()
    assert panel.words.icon == "check-circle"


def test_a_line_is_cleared_with_words(qtbot, office, client, shown):  # noqa: F811
    client.charge(Order(str(uuid4()), "pm_card_visa", Money(700)))
    panel = shown(sue(office))
    reconciles(qtbot, panel)
    assert "One line differs" in words(panel)
    assert panel.count.text() == "1 to clear"
    assert "no such payment is on record here" in panel.said.text()
    QTest.keyClick(panel, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    sheet = QApplication.activeModalWidget()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    QTest.keyClicks(sheet.found, "ok")
    presses(sheet)
    qtbot.waitUntil(sheet.problem.isVisible)
    QTest.keyClicks(sheet.found, ", the shop next door charged it by mistake")
    presses(sheet)
    qtbot.waitUntil(lambda: "Cleared" in panel.said.text())
    assert "the shop next door" in panel.said.text()
    assert not panel.clear_button.isVisible()
    qtbot.waitUntil(lambda: panel.count.text() == "")


def test_a_representative_reads_and_clears_nothing(qtbot, office, client, shown):  # noqa: F811
    client.charge(Order(str(uuid4()), "pm_card_visa", Money(700)))
    reconciliation.reconcile(office.courier, DAY)
    panel = shown(office.desk)
    qtbot.waitUntil(lambda: panel.lines.rows_model.rowCount() == 1)
    assert not panel.clear.isEnabled()


def test_a_gateway_that_is_away_is_said_and_the_button_opens_again(qtbot, office, till, shown):  # noqa: F811
    till.misbehave(Kind.DOWN)
    panel = shown(sue(office))
    QTest.mouseClick(panel.now_button, LEFT)
    qtbot.waitUntil(panel.problem.isVisible)
    assert "could not be reconciled" in panel.problem.text()
    assert panel.now_button.isEnabled()
    assert not panel.waiting.isVisible()


def test_the_newest_sheet_stands_for_its_day(qtbot, office, clock, shown):
    paid(office)
    first = reconciliation.reconcile(office.courier, DAY)
    clock.advance(hours=1)
    second = reconciliation.reconcile(office.courier, DAY)
    assert first.row.id != second.row.id
    panel = shown(office.desk)
    qtbot.waitUntil(lambda: panel.days.rows_model.rowCount() == 1)
    assert panel.days.current_row().id == second.row.id
