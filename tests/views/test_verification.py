from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMainWindow

from console.background import Background
from console.domain import passwords
from console.domain.calls import Fact
from console.domain.registration import RegistrationState
from console.sandbox.portal import Kind
from console.services import calls, courier, members, polling
from console.views.toasts import Toasts
from console.views.verification import PasswordSheet, VerificationPanel
from tests.office import ANA

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def opened(qtbot, town, live):
    """Open the panel on Rose's account, who registered with an address and waits."""

    def open_panel(email="rose@example.org", background=live, minutes=5):
        town.registers(email=email)
        polling.poll(town.desk)
        town.desk.now.advance(minutes=minutes)
        window = QMainWindow()
        window.toasts = Toasts(window)
        window.resize(760, 616)
        qtbot.addWidget(window)
        panel = VerificationPanel(background)
        window.setCentralWidget(panel)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
        call = calls.begin(town.desk, "call-1", town.rose, member_began=True)
        calls.tick(town.desk, call.id, (Fact.NAME, Fact.SERVICE_ADDRESS, Fact.LAST_FOUR))
        page = members.refresh(town.desk, town.rose, call.id)
        panel.show_account(page, page.accounts[0], call.id)
        qtbot.waitUntil(lambda: background.idle)
        panel.held = window
        return panel

    yield open_panel
    qtbot.waitUntil(lambda: live.idle)


def words(screen):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in screen.findChildren(QLabel) if label.isVisible() and label.text()
    )


def press(widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget, key, modifier)


def types(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


# Sending it again


def test_it_is_sent_again_by_key_and_then_counts_down(qtbot, town, opened):
    panel = opened()
    assert "to rose@example.org" in words(panel)
    press(panel, Qt.Key.Key_M, CONTROL)
    qtbot.waitUntil(lambda: panel.resend.text().startswith("Send again in "))
    assert not panel.resend_button.isEnabled()
    assert "rose@example.org" in panel.outcome.text()
    assert town.mails() == 2


def test_a_double_click_sends_one(qtbot, town, opened):
    panel = opened()
    qtbot.mouseDClick(panel.resend_button, LEFT)
    qtbot.mouseClick(panel.resend_button, LEFT)
    qtbot.waitUntil(lambda: panel.resend.text().startswith("Send again in "))
    assert town.mails() == 2


def test_what_was_only_just_sent_must_wait(opened):
    panel = opened(minutes=0)
    assert panel.resend.text().startswith("Send again in ")
    assert not panel.resend.isEnabled()


def test_the_wait_ends_by_itself(qtbot, opened, clock):
    panel = opened(minutes=0)
    clock.advance(minutes=5)
    qtbot.waitUntil(lambda: panel.resend.text() == "Send the e-mail again")
    assert panel.resend_button.isEnabled()


def test_while_the_portal_is_down_it_waits_in_the_outbox_and_goes_by_itself(
    qtbot, town, opened, live, clock
):
    panel = opened()
    town.portal.misbehave(Kind.DOWN)
    qtbot.mouseClick(panel.resend_button, LEFT)
    qtbot.waitUntil(lambda: "waits in the outbox and goes by itself" in panel.outcome.text())
    assert not panel.resend_button.isEnabled()
    assert town.mails() == 1
    town.portal.behave()
    clock.advance(minutes=1)
    live.ask(courier.make_round).then(panel, lambda _: None)
    qtbot.waitUntil(lambda: "Sent again" in panel.outcome.text())
    assert town.mails() == 2


def test_where_nothing_waits_nothing_is_offered(qtbot, town, live, opened):
    panel = opened()
    page = members.refresh(town.desk, town.rose)
    none = replace(page.accounts[0].portal, state=RegistrationState.NONE, deliveries=())
    panel.show_panel(none)
    assert not panel.isVisible()


# The address


def test_a_slip_is_pointed_out_and_mended_with_one_key(qtbot, town, opened):
    panel = opened("rose@gmial.com")
    assert panel.hint.text() == "Did they mean rose@gmail.com?"
    press(panel, Qt.Key.Key_D, CONTROL)
    assert panel.address.text() == "rose@gmail.com"
    assert QApplication.focusWidget() is panel.address
    press(panel.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "The address is rose@gmail.com now" in panel.outcome.text())
    qtbot.waitUntil(lambda: "to rose@gmail.com" in words(panel))
    assert panel.address.text() == ""
    assert town.mails() == 2


def test_a_slip_in_the_new_address_is_pointed_out_too(qtbot, opened):
    panel = opened()
    types(panel.address, "rose@yaho.com")
    assert panel.hint.text() == "Did they mean rose@yahoo.com?"
    qtbot.mouseClick(panel.hint, LEFT)
    assert panel.address.text() == "rose@yahoo.com"
    assert not panel.hint.isVisible()


@pytest.mark.parametrize("address", ["rose", "rose@", "@example.org", "a b@example.org", "a@b"])
def test_what_is_no_address_is_said_and_stays_in_the_field(qtbot, town, opened, address):
    panel = opened()
    types(panel.address, address)
    press(panel.address, Qt.Key.Key_Return)
    qtbot.waitUntil(panel.problem.isVisible)
    assert panel.address.text() == address
    assert town.mails() == 1


def test_a_bounce_says_why_in_words(qtbot, town, opened):
    town.portal.misbehave(Kind.BOUNCE)
    panel = opened("rose@example.org")
    qtbot.waitUntil(lambda: "Came back" in words(panel))
    assert "Correct the address; the e-mail then goes there by itself." in words(panel)


# Who may


def test_an_auditor_sees_it_and_sends_nothing(qtbot, town, opened, desk):
    auditors = Background(replace(desk, colleague=ANA))
    panel = opened(background=auditors)
    assert not panel.resend_button.isEnabled()
    auditors.close()


# The password


def test_the_rule_is_read_out_and_each_part_is_checked(qtbot, opened):
    panel = opened()
    sheet = panel.open_password_rule()
    assert sheet.read.text() == passwords.RULE_READ_OUT
    types(sheet.typed, "kettle")
    met = [line.accessibleName() for line in sheet.check_lines]
    assert all(words.endswith("not met yet") for words in met)
    types(sheet.typed, "Kettle7!")
    assert all(line.accessibleName().endswith(": met") for line in sheet.check_lines)


def test_what_is_checked_is_hidden_and_forgotten(qtbot, opened):
    panel = opened()
    sheet = panel.open_password_rule()
    assert isinstance(sheet, PasswordSheet)
    assert sheet.typed.echoMode() is QLineEdit.EchoMode.Password
    types(sheet.typed, "Kettle7!")
    sheet.hide()
    assert sheet.typed.text() == ""


# Everything is reachable


def test_no_part_is_cut_off_when_narrow(opened):
    panel = opened("rose@gmial.com")
    panel.held.resize(420, 616)
    QApplication.processEvents()
    for label in panel.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap():
            assert label.width() >= label.minimumSizeHint().width()
