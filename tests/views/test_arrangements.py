from datetime import date, timedelta
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from console.domain.arrangements import Part, Standing
from console.domain.calls import Fact
from console.domain.contact import Asked
from console.domain.money import Money
from console.services import arrangements, calls, members
from console.services.arrangements import ArrangementWish
from console.views.arrangements import ArrangementsPanel, ArrangementsWorklist

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
NUMBER = "1023401"


@pytest.fixture
def panel(qtbot, town, live, window):
    """Rose's arrangements in a window; nobody is verified."""
    panel = ArrangementsPanel(live)
    window.setCentralWidget(panel)
    with qtbot.waitActive(window):
        window.show()
    shows(town, panel)
    qtbot.waitUntil(lambda: live.idle)
    yield panel
    qtbot.waitUntil(lambda: live.idle)


def shows(town, panel, call=None):
    page = members.refresh(town.desk, town.rose, call_id=call)
    panel.show_account(page, page.accounts[0], call, call_verified=call is not None)


def verified(town):
    call = str(uuid4())
    calls.begin(town.desk, call, town.rose)
    calls.tick(town.desk, call, list(Fact))
    return call


def agreed(town, *parts):
    total = sum((part.amount for part in parts), Money(0))
    wish = ArrangementWish(str(uuid4()), town.rose, NUMBER, total, parts, Asked.IN_PERSON)
    return arrangements.make(town.desk, wish)


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def in_front(qtbot):
    """Answer the sheet that has just been opened, once the keys reach it."""
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    sheet = QApplication.activeModalWidget()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def opened(qtbot, panel):
    QTest.keyClick(panel, Qt.Key.Key_G, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    sheet = in_front(qtbot)
    qtbot.waitUntil(sheet.form.isVisible)
    return sheet


def test_an_arrangement_is_made_by_keys_alone(qtbot, town, panel):
    shows(town, panel, verified(town))
    sheet = opened(qtbot, panel)
    assert sheet.total.hasFocus()
    assert sheet.total.text() == "$142.10"
    assert [amount.text() for _, amount in sheet.parts] == ["$47.38", "$47.36", "$47.36"]
    assert "Read back: $47.38 by Mon 30 Nov" in words(sheet)
    QTest.keyClicks(sheet.total, "100")
    QTest.keyClick(sheet.total, Qt.Key.Key_Tab)
    QTest.keyClick(sheet.count, Qt.Key.Key_Up)
    assert [amount.text() for _, amount in sheet.parts] == ["$50.00", "$50.00"]
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: panel.shown is not None)
    assert "Runs | $0.00 of $100.00 paid since. Made by Pat Lindqvist, today 10:42." in words(panel)
    assert [(one.due_on, one.amount) for one in panel.shown.promises] == [
        (date(2026, 11, 30), Money(5000)),
        (date(2026, 12, 30), Money(5000)),
    ]
    assert not panel.make_button.isVisible()


def test_nothing_is_agreed_before_it_is_known_who_asks(qtbot, town, panel):
    sheet = opened(qtbot, panel)
    assert sheet.asked.box.hasFocus()
    assert not sheet.save_button.isEnabled()
    QTest.keyClick(sheet.asked.box, Qt.Key.Key_Down)
    assert sheet.asked.asked is Asked.IN_PERSON
    qtbot.mouseClick(sheet.save_button, LEFT)
    qtbot.waitUntil(lambda: panel.shown is not None)


def test_parts_that_do_not_add_up_are_said_at_once_and_not_sent(qtbot, town, panel):
    shows(town, panel, verified(town))
    sheet = opened(qtbot, panel)
    amount = sheet.parts[1][1]
    amount.setFocus()
    amount.selectAll()
    QTest.keyClicks(amount, "40")
    assert "The parts add up to $134.74, and $142.10 is to be arranged." in words(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    assert sheet.problem.isVisible()
    assert arrangements.of_member(town.desk, town.rose) == ()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not sheet)
    assert "Leave without saving?" in words(QApplication.activeModalWidget())


def test_what_a_colleague_arranged_meanwhile_is_said(qtbot, town, panel):
    shows(town, panel, verified(town))
    sheet = opened(qtbot, panel)
    agreed(town, Part(date(2026, 12, 1), Money(100)))
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert "runs for this account" in sheet.problem.text()


def test_sums_are_hidden_until_the_caller_is_verified(qtbot, town, panel):
    agreed(town, Part(date(2026, 12, 1), Money(14210)))
    qtbot.waitUntil(lambda: panel.shown is not None)
    assert "142" not in words(panel)
    shows(town, panel, verified(town))
    qtbot.waitUntil(lambda: "$142.10" in words(panel))


def test_a_running_arrangement_is_called_off(qtbot, town, panel):
    agreed(town, Part(date(2026, 12, 1), Money(14210)))
    qtbot.waitUntil(panel.call_off_button.isVisible)
    qtbot.mouseClick(panel.call_off_button, LEFT)
    sheet = in_front(qtbot)
    assert not sheet.go_button.isEnabled()
    QTest.keyClick(sheet.asked.box, Qt.Key.Key_Down)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Called off by Pat Lindqvist today" in words(panel))
    assert panel.make_button.isVisible()


def test_the_list_shows_who_is_late_and_opens_the_member(qtbot, town, live, window, clock):
    agreed(town, Part(date(2026, 12, 1), Money(5000)), Part(date(2026, 12, 11), Money(100)))
    clock.advance(days=9)
    place = ArrangementsWorklist(live)
    window.setCentralWidget(place)
    window.show()
    qtbot.waitUntil(lambda: place.table.model().rowCount() == 1)
    assert place.table.current_row().standing is Standing.LATE
    place.table.setFocus()
    with qtbot.waitSignal(place.member_wanted) as wanted:
        QTest.keyClick(place.table, Qt.Key.Key_Return)
    assert wanted.args == [town.rose, NUMBER]
    clock.at += timedelta(days=2)
    place.hide()
    place.show()
    qtbot.waitUntil(lambda: [one.standing for one in place.table.model().rows] == [Standing.BROKEN])
