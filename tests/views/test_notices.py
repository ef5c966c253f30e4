from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from console.domain.calls import Fact
from console.domain.contact import Asked
from console.domain.notices import Event, Wanted
from console.services import calls, members, notices
from console.services.notices import NoticeWish
from console.views.notices import NoticesPanel
from tests.office import SAM

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
NUMBER = "1023401"


@pytest.fixture
def panel(qtbot, town, live, window):
    panel = NoticesPanel(live)
    window.setCentralWidget(panel)
    with qtbot.waitActive(window):
        window.show()
    yield panel
    qtbot.waitUntil(lambda: live.idle)


def shows(qtbot, town, panel, call=None):
    page = members.refresh(town.desk, town.rose, call_id=call)
    panel.show_account(page, page.accounts[0], call, call_verified=call is not None)
    qtbot.waitUntil(lambda: panel.shown is not None and panel.shown.is_in_step)


def verified(town):
    call = str(uuid4())
    calls.begin(town.desk, call, town.rose)
    calls.tick(town.desk, call, list(Fact))
    return call


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def opened(qtbot, panel):
    qtbot.mouseClick(panel.change_button, LEFT)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    sheet = QApplication.activeModalWidget()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    qtbot.waitUntil(sheet.form.isVisible)
    return sheet


def test_the_panel_reads_the_portal_when_it_opens(qtbot, town, panel):
    shows(qtbot, town, panel)
    said = words(panel)
    assert "Bills: on paper." in said
    assert "E-mail: a new bill is ready; a payment is due soon" in said
    assert "In step with SmartHub, read today 10:42." in said


def test_ticks_by_keys_and_clicks_are_saved_here_and_at_the_portal(qtbot, town, panel):
    shows(qtbot, town, panel, verified(town))
    sheet = opened(qtbot, panel)
    by_email, by_text = sheet.boxes[Event.BILL_READY]
    assert by_email.hasFocus()
    assert not sheet.save_button.isEnabled()
    QTest.keyClick(by_email, Qt.Key.Key_Space)
    qtbot.mouseClick(by_text, LEFT)
    qtbot.mouseClick(sheet.paperless, LEFT)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Bills: paperless." in words(panel))
    assert "Text: a new bill is ready." in words(panel)
    qtbot.waitUntil(lambda: "In step with SmartHub" in words(panel))
    held = town.desk.portal.preferences(NUMBER, staff="pat")
    assert (held.paperless, held.notices["bill_ready"].value) == (True, "text")


def test_nothing_is_saved_before_it_is_known_who_asks(qtbot, town, panel):
    shows(qtbot, town, panel)
    sheet = opened(qtbot, panel)
    assert sheet.asked.box.hasFocus()
    qtbot.mouseClick(sheet.boxes[Event.OUTAGE][1], LEFT)
    assert not sheet.save_button.isEnabled()
    sheet.asked.box.setFocus()
    QTest.keyClick(sheet.asked.box, Qt.Key.Key_Down)
    assert sheet.save_button.isEnabled()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "Leave without saving?" in words(QApplication.activeModalWidget()))


def test_what_a_colleague_changed_meanwhile_is_shown_and_my_ticks_stay(qtbot, town, panel):
    shows(qtbot, town, panel, verified(town))
    sheet = opened(qtbot, panel)
    sam = replace(town.desk, colleague=SAM)
    stands = notices.of_account(sam, NUMBER)
    theirs = {Event.PAYMENT_DUE: Wanted()}
    notices.change(
        sam, NoticeWish(str(uuid4()), NUMBER, stands.version, theirs, None, Asked.IN_PERSON)
    )
    qtbot.mouseClick(sheet.boxes[Event.OUTAGE][1], LEFT)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert "changed meanwhile" in sheet.problem.text()
    assert not sheet.boxes[Event.PAYMENT_DUE][0].isChecked()
    assert sheet.boxes[Event.OUTAGE][1].isChecked()
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: notices.of_account(town.desk, NUMBER).wanted[Event.OUTAGE].by_text)
    assert notices.of_account(town.desk, NUMBER).wanted[Event.PAYMENT_DUE] == Wanted()


def test_the_panel_follows_what_the_courier_brings(qtbot, town, panel):
    shows(qtbot, town, panel)
    sam = replace(town.desk, colleague=SAM)
    stands = notices.of_account(sam, NUMBER)
    theirs = {Event.OUTAGE: Wanted(by_email=True, by_text=True)}
    notices.change(
        sam, NoticeWish(str(uuid4()), NUMBER, stands.version, theirs, None, Asked.IN_PERSON)
    )
    qtbot.waitUntil(lambda: "E-mail and text: the power is out, and back." in words(panel))
