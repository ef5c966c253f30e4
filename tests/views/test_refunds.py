"""The sheet on which a payment is given back, with real clicks and a real gateway behind it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow

from console.background import Background
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.services import refunds
from console.views.refunds import What, open_refund
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import SUE
from tests.payments.office import NUMBERS, found

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


@pytest.fixture
def sue(office):
    return replace(office.courier, colleague=SUE)


@pytest.fixture
def behind(sue):
    """The background of Sue's desk, which carries by itself as the training console does."""
    background = Background(sue)
    stop = sue.records.on_change(background.changed.emit)
    yield background
    stop()
    background.close()


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    window.resize(1024, 700)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    return window


@pytest.fixture
def opens(qtbot, window, behind):
    def opens(payment_id):
        sheet = open_refund(window, behind, payment_id)
        qtbot.waitUntil(sheet.form.isVisible)
        sheet.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
        return sheet

    yield opens
    qtbot.waitUntil(lambda: behind.idle)


def paid(office, amount=14210, **other):
    begun = office.press(shares=((NUMBERS[0], Money(amount)),), **other)
    office.sweep()
    assert office.status(begun.id).state is PaymentState.CHARGED
    return begun.id


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        one.text() for one in widget.findChildren(QLabel) if one.isVisible() and one.text()
    )


def presses(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def test_a_part_is_given_back_by_keys_alone(qtbot, office, sue, opens, till):  # noqa: F811
    payment_id = paid(office)
    sheet = opens(payment_id)
    assert sheet.amount.hasFocus()
    assert sheet.amount.text() == "$142.10"
    assert "Visa ending in 4242" in words(sheet)
    assert not sheet.go.isEnabled()
    sheet.amount.selectAll()
    QTest.keyClicks(sheet.amount, "10")
    QTest.keyClicks(sheet.reason, "Paid twice by mistake")
    assert sheet.go.text() == "Give back $10.00"
    for _ in range(3):
        presses(sheet)
    qtbot.waitUntil(lambda: "Given back. The bank takes a few days" in words(sheet))
    assert not sheet.go_button.isVisible()
    assert refunds.offer(sue, payment_id).left == Money(13210)
    assert till.tally()["refunded_cents"] == 1000


def test_more_than_the_limit_says_that_a_second_person_is_needed(qtbot, office, sue, opens):
    sheet = opens(paid(office, 30000))
    assert "needs a second supervisor" in words(sheet)
    QTest.keyClicks(sheet.reason, "Paid twice by mistake")
    QTest.mouseClick(sheet.go_button, LEFT)
    qtbot.waitUntil(lambda: "Waits for a second supervisor" in words(sheet))
    assert len(refunds.waiting_for_second(sue)) == 1


@pytest.mark.parametrize("typed", ["ten", "0", "999.00", "-5"])
def test_an_amount_that_cannot_be_is_said_and_nothing_typed_is_lost(qtbot, office, opens, typed):
    sheet = opens(paid(office))
    sheet.amount.setText(typed)
    QTest.keyClicks(sheet.reason, "Paid twice by mistake")
    if sheet.go.isEnabled():
        presses(sheet)
        qtbot.waitUntil(sheet.problem.isVisible)
    assert sheet.reason.text() == "Paid twice by mistake"
    assert sheet.form.isVisible()


def test_who_is_no_supervisor_reads_why(qtbot, office, window):
    payment_id = paid(office)
    behind = Background(office.desk)
    sheet = open_refund(window, behind, payment_id)
    qtbot.waitUntil(lambda: "A supervisor gives money back" in words(sheet))
    assert not sheet.go_button.isVisible()
    assert not sheet.amount_field.isVisible()
    behind.close()


def test_cash_is_voided_while_its_drawer_is_open(qtbot, office, sue, opens):
    payment_id = office.press(PaymentWay.CASH).id
    sheet = opens(payment_id)
    assert sheet.choices[What.VOID].isChecked()  # Sue has no drawer to give cash out of
    QTest.mouseClick(sheet.choices[What.REFUND], LEFT)
    assert "Open your drawer first" in words(sheet)
    QTest.mouseClick(sheet.choices[What.VOID], LEFT)
    QTest.keyClicks(sheet.reason, "Taken for a neighbour")
    assert sheet.go.text() == "Void $142.10"
    presses(sheet)
    qtbot.waitUntil(lambda: refunds.offer(sue, payment_id).returned != "")


def test_a_cheque_that_bounced_is_written_down_with_its_fee(qtbot, office, sue, opens):
    payment_id = office.press(PaymentWay.CHEQUE).id
    sheet = opens(payment_id)
    QTest.mouseClick(sheet.choices[What.BOUNCED], LEFT)
    assert sheet.fee.text() == "$30.00"
    QTest.keyClicks(sheet.code, "NSF")
    QTest.keyClicks(sheet.reason, "No funds")
    presses(sheet)
    qtbot.waitUntil(lambda: refunds.offer(sue, payment_id).returned.startswith("Cheque bounced"))


def test_several_accounts_are_chosen_from(qtbot, office, opens):
    begun = office.press(shares=((NUMBERS[0], Money(1000)), (NUMBERS[1], Money(2500))))
    office.sweep()
    sheet = opens(begun.id)
    assert sheet.account_field.isVisible()
    sheet.account.setCurrentIndex(1)
    assert sheet.amount.text() == "$25.00"


def test_a_refund_that_waits_can_be_called_off_from_here(qtbot, office, sue, opens):
    payment_id = paid(office, 30000)
    refunds.ask(sue, refunds.RefundWish("r1", payment_id, NUMBERS[0], Money(25000), "Paid twice"))
    sheet = opens(payment_id)
    assert "Refunds of this payment" in words(sheet)
    (off,) = [one for one in sheet.given.findChildren(type(sheet.go_button)) if one.isVisible()]
    QTest.mouseClick(off, LEFT)
    qtbot.waitUntil(lambda: refunds.status(sue, "r1").state is PaymentState.ABANDONED)
    qtbot.waitUntil(lambda: "It was called off" in words(sheet))
    qtbot.waitUntil(lambda: sheet.amount.text() == "$300.00")
