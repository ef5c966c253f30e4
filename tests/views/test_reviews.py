"""The review tab: cases are decided with evidence, and refunds get their second person."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.domain.money import Money
from console.domain.payments import PaymentState, Verdict
from console.domain.staff import Role
from console.models.staff import Staff
from console.services import payments, refunds, reviews
from console.services.desk import Colleague
from console.views.reviews import ReviewsPanel
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.office import SUE
from tests.payments.office import NUMBERS, found
from tests.services.test_reviews import under_review
from tests.views.test_refunds import CONTROL, LEFT, paid, presses, words

SVEN = Colleague("sven", "Sven Aaltonen", Role.SUPERVISOR)
LOOKED = "The list of the gateway shows nothing of that amount."


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    office = found(records, clock, client)
    with records.begin() as db:
        db.add(Staff(login="sven", name=SVEN.name, role=SVEN.role, password_hash=""))
    return office


@pytest.fixture
def sue(office):
    return replace(office.courier, colleague=SUE)


@pytest.fixture
def shown(office, shown_at):
    """Show the panel to somebody, as a tab of a small window does."""

    def show(colleague):
        return shown_at(replace(office.courier, colleague=colleague), ReviewsPanel)

    return show


def in_front(qtbot):
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    sheet = QApplication.activeModalWidget()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def lists(qtbot, panel, many):
    qtbot.waitUntil(lambda: panel.table.rows_model.rowCount() == many)


def test_an_empty_list_says_so(qtbot, shown):
    panel = shown(SUE)
    assert "Nothing waits for a decision." in words(panel)
    assert not panel.card.isVisible()


def test_a_case_shows_what_is_known_and_is_decided_with_evidence(qtbot, office, sue, till, shown):  # noqa: F811
    payment_id = under_review(office, till)
    panel = shown(SUE)
    lists(qtbot, panel, 1)
    told = words(panel)
    for part in ("$142.10 · Rose DeLong", "A person must look", "Sent ", "No answer ever came",
                 "by Pat Lindqvist"):  # fmt: skip
        assert part in told or part == "A person must look"
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    sheet = in_front(qtbot)
    assert payment_id in words(sheet)
    assert not sheet.go.isEnabled()
    QTest.mouseClick(sheet.choices[Verdict.CHARGED], LEFT)
    assert sheet.gateway_id.hasFocus()
    QTest.keyClicks(sheet.evidence, LOOKED)
    assert not sheet.go.isEnabled()  # money that moved has a name at the gateway
    QTest.mouseClick(sheet.choices[Verdict.NOT_CHARGED], LEFT)
    assert "may be taken again" in words(sheet)
    presses(sheet)
    lists(qtbot, panel, 0)
    assert payments.status(sue, payment_id).state is PaymentState.DECLINED


def test_evidence_that_says_nothing_is_refused_on_the_sheet(qtbot, office, sue, till, shown):  # noqa: F811
    payment_id = under_review(office, till)
    panel = shown(SUE)
    lists(qtbot, panel, 1)
    QTest.mouseClick(panel.go_button, LEFT)
    sheet = in_front(qtbot)
    QTest.mouseClick(sheet.choices[Verdict.CHARGED], LEFT)
    QTest.keyClicks(sheet.gateway_id, "pi_3QabcDEF")
    QTest.keyClicks(sheet.evidence, "seen")
    presses(sheet)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert sheet.evidence.toPlainText() == "seen"
    assert payments.status(sue, payment_id).state is PaymentState.REVIEW
    QTest.keyClicks(sheet.evidence, " in the list of the gateway")
    presses(sheet)
    qtbot.waitUntil(lambda: payments.status(sue, payment_id).state is PaymentState.CHARGED)
    qtbot.waitUntil(lambda: not reviews.cases(sue))


def test_the_second_person_approves_and_the_money_goes(qtbot, office, sue, till, shown):  # noqa: F811
    payment_id = paid(office, 30000)
    refunds.ask(sue, refunds.RefundWish("r1", payment_id, NUMBERS[0], Money(25000), "Paid twice"))
    own = shown(SUE)
    lists(qtbot, own, 1)
    assert not own.go.isEnabled()
    assert "Another supervisor must approve it" in words(own)
    panel = shown(SVEN)
    lists(qtbot, panel, 1)
    assert panel.go.isEnabled()
    QTest.keyClick(panel, Qt.Key.Key_Return, CONTROL)
    sheet = in_front(qtbot)
    assert "Give $250.00 back to Rose DeLong?" in words(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: refunds.status(sue, "r1").state is PaymentState.CHARGED)
    lists(qtbot, panel, 0)
    assert till.tally()["refunded_cents"] == 25000


def test_whoever_asked_calls_it_off(qtbot, office, sue, shown):
    payment_id = paid(office, 30000)
    refunds.ask(sue, refunds.RefundWish("r1", payment_id, NUMBERS[0], Money(25000), "Paid twice"))
    panel = shown(SUE)
    lists(qtbot, panel, 1)
    QTest.mouseClick(panel.off_button, LEFT)
    qtbot.waitUntil(lambda: refunds.status(sue, "r1").state is PaymentState.ABANDONED)
    lists(qtbot, panel, 0)


def test_a_representative_sees_and_decides_nothing(qtbot, office, till, shown):  # noqa: F811
    under_review(office, till)
    panel = shown(office.desk.colleague)
    lists(qtbot, panel, 1)
    assert not panel.go.isEnabled()
    assert not panel.off_button.isVisible()


def test_the_member_is_one_press_away(qtbot, office, till, shown):  # noqa: F811
    under_review(office, till)
    panel = shown(SUE)
    lists(qtbot, panel, 1)
    with qtbot.waitSignal(panel.open_member) as opened:
        panel.member.trigger()
    assert opened.args == [office.member_id, NUMBERS[0]]
