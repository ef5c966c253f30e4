from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from console.background import Background
from console.domain.calls import Fact
from console.domain.methods import MethodKind
from console.domain.money import Money
from console.models.methods import StoredMethod
from console.models.payments import PhoneAuthorization
from console.services import autopay, calls, members
from console.services.autopay import AutoPayWish
from console.views.autopay import AutoPayPanel, AutoPayTroubles

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
NUMBER = "1023401"


@pytest.fixture
def background(desk):
    """The background of Pat's desk, in an office whose phone number is known."""
    settings = replace(desk.settings, coop_phone="6205550100")
    background = Background(replace(desk, settings=settings))
    yield background
    background.close()


@pytest.fixture
def panel(qtbot, town, live, window):
    panel = AutoPayPanel(live)
    window.setCentralWidget(panel)
    with qtbot.waitActive(window):
        window.show()
    yield panel
    qtbot.waitUntil(lambda: live.idle)


@pytest.fixture
def call(town):
    call = str(uuid4())
    calls.begin(town.desk, call, town.rose)
    calls.tick(town.desk, call, list(Fact))
    return call


def shows(town, panel, call=None):
    page = members.refresh(town.desk, town.rose, call_id=call)
    panel.show_account(page, page.accounts[0], call, call_verified=call is not None)


def stored(town, kind=MethodKind.CARD, last_four="4242"):
    made = str(uuid4())
    with town.desk.records.begin() as db:
        db.add(
            StoredMethod(
                id=made,
                member_id=town.rose,
                kind=kind,
                brand="visa" if kind is MethodKind.CARD else "Prairie Bank",
                last_four=last_four,
                added_by="pat",
                added_at=town.desk.now(),
            )
        )
    return made


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def opened(qtbot, button):
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    sheet = QApplication.activeModalWidget()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def test_a_card_is_enrolled_by_keys_and_shown_with_its_day(qtbot, town, panel, call):
    stored(town)
    shows(town, panel, call)
    sheet = opened(qtbot, panel.enrol_button)
    qtbot.waitUntil(sheet.form.isVisible)
    assert sheet.method.hasFocus()
    assert not sheet.mandate.isVisible()
    QTest.keyClick(sheet.method, Qt.Key.Key_Tab)
    for _ in range(24):
        QTest.keyClick(sheet.day, Qt.Key.Key_Down)
    QTest.keyClick(sheet.day, Qt.Key.Key_Tab)
    QTest.keyClicks(sheet.most, "100")
    assert "pays what is owed, up to $100.00 on day 24 of each month" in words(sheet)
    assert "for the first time tomorrow" in words(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: panel.shown is not None)
    assert "Next tomorrow: $100.00 as things stand." in words(panel)
    assert "Enrolled" in words(panel)


def test_a_bank_account_is_enrolled_only_with_its_whole_proof(qtbot, town, panel, call):
    stored(town, MethodKind.BANK, "6789")
    shows(town, panel, call)
    sheet = opened(qtbot, panel.enrol_button)
    qtbot.waitUntil(sheet.mandate.isVisible)
    assert "recurring electronic debits" in sheet.script.text()
    assert not sheet.save_button.isEnabled()
    qtbot.mouseClick(sheet.said_yes, LEFT)
    assert not sheet.save_button.isEnabled()
    sheet.recording.setFocus()
    QTest.keyClicks(sheet.recording, "REC-2211")
    assert sheet.copy_to.text() == "rose@example.org"
    assert sheet.save_button.isEnabled()
    qtbot.mouseClick(sheet.save_button, LEFT)
    qtbot.waitUntil(lambda: panel.shown is not None)
    with town.desk.records.read() as db:
        proof = db.get(PhoneAuthorization, panel.shown.id)
        assert "ending in 6789" in proof.script
        assert (proof.recording, proof.recurring) == ("REC-2211", True)


def test_outside_a_call_the_sheet_says_why_not(qtbot, town, panel):
    stored(town)
    shows(town, panel)
    sheet = opened(qtbot, panel.enrol_button)
    qtbot.waitUntil(lambda: "Begin the call first" in words(sheet))
    assert not sheet.save_button.isEnabled()
    assert not sheet.form.isVisible()


def enrolled(town, call, **other):
    wish = AutoPayWish(str(uuid4()), town.rose, NUMBER, stored(town), call, 23, **other)
    return autopay.enrol(town.desk, wish)


def test_auto_pay_is_ended_once_it_is_known_who_asks(qtbot, town, panel, call):
    enrolled(town, call)
    shows(town, panel, call)
    qtbot.waitUntil(panel.end_button.isVisible)
    sheet = opened(qtbot, panel.end_button)
    assert "Visa ending in 4242 no longer pays" in words(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Not enrolled" in words(panel))
    assert autopay.of_member(town.desk, town.rose) == ()


def test_a_run_left_out_shows_on_the_panel_and_in_the_list(qtbot, town, panel, call, live, window):
    made = enrolled(town, call, most=Money(5000))
    with town.desk.records.begin() as db:
        method = db.scalars(StoredMethod.__table__.select()).first()
        db.get(StoredMethod, method).removed_by = "pat"
        db.get(StoredMethod, method).removed_at = town.desk.now()
    autopay.run_due(town.desk)
    shows(town, panel)
    qtbot.waitUntil(panel.trouble.isVisible)
    said = words(panel)
    assert "Left out: Visa ending in 4242 was taken away." in said
    assert "50.00" not in said
    place = AutoPayTroubles(live)
    window.setCentralWidget(place)
    qtbot.waitUntil(lambda: place.table.model().rowCount() == 1)
    place.table.setFocus()
    QTest.keyClick(place.table, Qt.Key.Key_Down)
    assert place.table.current_row().amount == made.amount
    with qtbot.waitSignal(place.member_wanted) as wanted:
        QTest.keyClick(place.table, Qt.Key.Key_Return)
    assert wanted.args == [town.rose, NUMBER]
