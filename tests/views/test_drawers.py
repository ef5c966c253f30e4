from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMainWindow

from console.background import Background
from console.domain.drawers import MovementKind
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay
from console.domain.staff import Role
from console.models.payments import Payment, PaymentShare
from console.models.staff import Staff
from console.services import drawers
from console.services.desk import Colleague
from console.views.drawers import CloseSheet, DrawersScreen, MoveSheet, OpenSheet
from console.views.printing import PrintSheet
from console.views.sheet import Sheet
from tests.office import ANA, PAT, SUE

CONTROL = Qt.KeyboardModifier.ControlModifier
CLEO = Colleague("cleo", "Cleo Marsh", Role.CLERK)
KIT = Colleague("kit", "Kit Nyberg", Role.CLERK)
FLOAT = {2_000: 4, 500: 3, 100: 4, 25: 4}
"""A hundred dollars."""


@pytest.fixture
def office(town):
    with town.desk.records.begin() as db:
        for one in (CLEO, KIT):
            db.add(Staff(login=one.login, name=one.name, role=one.role, password_hash=""))
    return town


@pytest.fixture
def at(qtbot, office):
    """The place of a colleague in a window, and its background on a live desk."""
    made = []

    def sit_down(colleague, size=(1158, 668)):
        background = Background(replace(office.desk, colleague=colleague))
        stop = background.desk.records.on_change(background.changed.emit)
        window = QMainWindow()
        window.resize(*size)
        qtbot.addWidget(window)
        screen = DrawersScreen(background)
        window.setCentralWidget(screen)
        with qtbot.waitActive(window):
            window.show()
        qtbot.waitUntil(lambda: background.idle)
        made.append((background, stop, window))
        return screen

    yield sit_down
    for background, stop, _ in made:
        qtbot.waitUntil(lambda background=background: background.idle)
        stop()
        background.close()


@pytest.fixture
def cleo(office):
    return replace(office.desk, colleague=CLEO)


def sheet_over(qtbot, screen, kind=Sheet):
    def there():
        return [
            one
            for one in QApplication.topLevelWidgets()
            if isinstance(one, kind) and one.isVisible() and one.parentWidget() is screen.window()
        ]

    qtbot.waitUntil(lambda: len(there()) == 1)
    (sheet,) = there()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def gone(qtbot, sheet):
    qtbot.waitUntil(lambda: not _visible(sheet))


def _visible(sheet):
    try:
        return sheet.isVisible()
    except RuntimeError:
        return False


def counts(counted, grid):
    """Type a count as a clerk does: number, Enter, number, Enter."""
    box = next(iter(grid.boxes.values()))
    box.setFocus()
    box.selectAll()
    for cents in grid.boxes:
        box = QApplication.focusWidget()
        assert box is grid.boxes[cents]
        QTest.keyClicks(box, str(counted.get(cents, 0)))
        QTest.keyClick(box, Qt.Key.Key_Return)


def saves(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def listed(table):
    model = table.rows_model
    return [[column.text(column.value(one)) for column in model.columns] for one in model.rows]


def takes(desk, drawer_id, member_id, amount, way=PaymentWay.CASH, cheque_number=""):
    with desk.records.begin() as db:
        now = desk.now()
        payment = Payment(
            id=str(uuid4()), member_id=member_id, way=way, origin=Origin.COUNTER,
            amount=Money(amount), drawer_id=drawer_id, asked_by=desk.colleague.login,
            asked_at=now, next_try_at=now, method_words=way.words, cheque_number=cheque_number,
        )  # fmt: skip
        db.add(payment)
        db.flush()
        db.add(PaymentShare(payment_id=payment.id, account_number="1023401", amount=Money(amount)))
        db.flush()
        payment.state, payment.finished_at = PaymentState.CHARGED, now


def test_a_clerk_opens_a_drawer_by_keyboard_alone(qtbot, at, cleo):
    screen = at(CLEO)
    assert "You have no drawer open." in words(screen)
    QTest.keyClick(screen, Qt.Key.Key_F4)
    sheet = sheet_over(qtbot, screen, OpenSheet)
    counts(FLOAT, sheet.count)
    assert sheet.count.total.text() == "$100.00"
    assert "$80.00" in words(sheet)
    saves(sheet)
    saves(sheet)
    gone(qtbot, sheet)
    qtbot.waitUntil(lambda: screen.now.currentIndex() == 1)
    assert "$100.00 to begin with" in words(screen)
    mine = drawers.mine(cleo)
    assert mine is not None
    assert mine.opening_cash == Money(10_000)
    qtbot.waitUntil(lambda: len(listed(screen.table)) == 1)


def test_payments_and_movements_are_listed_and_what_should_be_there_is_not(qtbot, at, cleo, office):
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(CLEO)
    takes(cleo, "one", office.rose, 5_000)
    takes(cleo, "one", office.rose, 8_000, PaymentWay.CHEQUE, "1042")
    screen.load()
    qtbot.waitUntil(lambda: len(listed(screen.lines)) == 2)
    screen.moves[MovementKind.PAY_OUT].trigger()
    sheet = sheet_over(qtbot, screen, MoveSheet)
    QTest.keyClicks(sheet.amount, "4.5")
    saves(sheet)
    assert "is not an amount of money" in words(sheet)
    assert sheet.amount.hasFocus()
    QTest.keyClicks(sheet.amount, "4.50")
    QTest.keyClick(sheet.amount, Qt.Key.Key_Return)
    saves(sheet)
    qtbot.waitUntil(lambda: "Say what it is for" in words(sheet))
    QTest.keyClicks(sheet.words, "postage due")
    QTest.keyClick(sheet.words, Qt.Key.Key_Return)
    gone(qtbot, sheet)
    qtbot.waitUntil(lambda: len(listed(screen.lines)) == 3)
    assert {(line[1], line[2], line[3]) for line in listed(screen.lines)} == {
        ("Cash", "Rose DeLong", "$50.00"),
        ("Cheque 1042", "Rose DeLong", "$80.00"),
        ("Paid out", "postage due", "−$4.50"),
    }
    assert "145.50" not in words(screen), "it is counted blind"


def test_a_right_count_closes_at_once_and_its_sheet_is_shown(qtbot, at, cleo, office):
    drawers.open_drawer(cleo, "one", FLOAT)
    takes(cleo, "one", office.rose, 8_000, PaymentWay.CHEQUE, "1042")
    screen = at(CLEO)
    QTest.keyClick(screen, Qt.Key.Key_F4)
    sheet = sheet_over(qtbot, screen, CloseSheet)
    counts(FLOAT, sheet.count)
    assert QApplication.focusWidget() is sheet.cheques
    QTest.keyClicks(sheet.cheques, "1")
    QTest.keyClick(sheet.cheques, Qt.Key.Key_Return)
    QTest.keyClicks(sheet.cheque_sum, "80.00")
    assert not sheet.why.isVisible()
    saves(sheet)
    gone(qtbot, sheet)
    qtbot.waitUntil(lambda: listed(screen.table)[0][-1] == "Counted as expected.")
    assert screen.now.currentIndex() == 0
    assert screen.window().focusWidget() is screen.table
    QTest.keyClick(screen.table, Qt.Key.Key_Return)
    paper = sheet_over(qtbot, screen, PrintSheet)
    qtbot.waitUntil(lambda: bool(paper.pages))
    qtbot.waitUntil(lambda: screen.background.idle)
    paper.reject()


def test_a_difference_is_told_after_the_count_and_closed_with_an_explanation(qtbot, at, cleo):
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(CLEO)
    screen.close_it.trigger()
    sheet = sheet_over(qtbot, screen, CloseSheet)
    assert "$100.00" not in words(sheet)
    counts({2_000: 4, 500: 3}, sheet.count)
    saves(sheet)
    qtbot.waitUntil(lambda: "Cash $5.00 short." in words(sheet))
    assert sheet.explanation.hasFocus()
    saves(sheet)
    qtbot.waitUntil(lambda: screen.background.idle)
    assert drawers.mine(cleo) is not None, "an empty explanation explains nothing"
    QTest.keyClicks(sheet.explanation, "dunno")
    saves(sheet)
    qtbot.waitUntil(lambda: "Say in a few words" in words(sheet))
    QTest.keyClicks(sheet.explanation, " but change went out twice")
    saves(sheet)
    gone(qtbot, sheet)
    qtbot.waitUntil(lambda: listed(screen.table)[0][-1] == "Cash $5.00 short.")
    close = drawers.look_into(cleo, "one").close
    assert close is not None
    assert close.explanation == "dunno but change went out twice"


def test_another_count_is_compared_before_its_explanation_counts(qtbot, at, cleo):
    """What was written about one difference never closes the drawer with another one."""
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(CLEO)
    screen.close_it.trigger()
    sheet = sheet_over(qtbot, screen, CloseSheet)
    sheet.count.boxes[2_000].setValue(4)
    saves(sheet)
    qtbot.waitUntil(lambda: "Cash $20.00 short." in words(sheet))
    QTest.keyClicks(sheet.explanation, "change went out twice")
    sheet.count.boxes[500].setValue(3)
    assert "Counted anew." in words(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: "Cash $5.00 short." in words(sheet))
    assert drawers.mine(cleo) is not None
    assert sheet.explanation.toPlainText() == "change went out twice"
    saves(sheet)
    gone(qtbot, sheet)
    close = drawers.look_into(cleo, "one").close
    assert close is not None
    assert close.words == "Cash $5.00 short."


def test_a_count_is_not_lost_by_esc(qtbot, at, cleo):
    screen = at(CLEO)
    screen.open_it.trigger()
    sheet = sheet_over(qtbot, screen, OpenSheet)
    sheet.count.boxes[100].setValue(7)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(
        lambda: any(
            one.objectName() == "confirm" and one.isVisible() for one in sheet.findChildren(QDialog)
        )
    )
    next(one for one in sheet.findChildren(QDialog)).accept()
    gone(qtbot, sheet)
    assert drawers.mine(cleo) is None


def test_a_supervisor_sees_every_drawer_live_and_closes_one_that_was_left(qtbot, at, cleo):
    screen = at(SUE)
    drawers.open_drawer(cleo, "one", FLOAT)
    screen.load()
    qtbot.waitUntil(lambda: len(listed(screen.table)) == 1)
    screen.table.setFocus()
    assert screen.close_theirs.isEnabled()
    QTest.keyClick(screen.table, Qt.Key.Key_Return)
    assert "The drawer of Cleo Marsh is still open." in words(screen)
    screen.theirs_button.click()
    sheet = sheet_over(qtbot, screen, CloseSheet)
    assert "Count and close the drawer of Cleo Marsh" in words(sheet)
    for cents, many in FLOAT.items():
        sheet.count.boxes[cents].setValue(many)
    sheet.save_button.click()
    gone(qtbot, sheet)
    qtbot.waitUntil(lambda: listed(screen.table)[0][-1] == "Counted as expected.")
    assert not screen.close_theirs.isEnabled()
    assert screen.look.isEnabled()


def test_clerks_see_their_own_drawers_only(qtbot, at, cleo, office):
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(KIT)
    assert listed(screen.table) == []
    assert screen.now.currentIndex() == 0
    assert not screen.theirs_button.isVisible()
    assert "Your drawers so far" in words(screen)


@pytest.mark.parametrize("colleague", [PAT, ANA])
def test_who_takes_no_cash_is_told_where_it_is_taken(qtbot, at, cleo, colleague):
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(colleague)
    assert not screen.open_it.isEnabled()
    assert not screen.close_it.isEnabled()
    if colleague is PAT:
        assert "A clerk at the counter takes cash and cheques." in words(screen)
        assert listed(screen.table) == []
    else:
        assert not screen.now.isVisible()
        assert [one[0] for one in listed(screen.table)] == ["Cleo Marsh"]


def test_a_wheel_over_a_count_changes_nothing_and_every_box_is_named_and_seen(qtbot, at):
    screen = at(CLEO)
    screen.open_it.trigger()
    sheet = sheet_over(qtbot, screen, OpenSheet)
    assert [box.accessibleName() for box in sheet.count.boxes.values()][:2] == [
        "$100 notes: how many",
        "$50 notes: how many",
    ]
    box = sheet.count.boxes[2_000]
    QTest.mouseClick(box.lineEdit(), Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    QTest.keyClicks(box, "7")
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.value() == 7
    assert all(one.lineEdit().width() > 40 for one in sheet.count.boxes.values())
    sheet.count.boxes[2_000].setValue(0)
    sheet.reject()


def test_what_is_taken_is_listed_by_itself(qtbot, at, cleo, office):
    drawers.open_drawer(cleo, "one", FLOAT)
    screen = at(CLEO)
    takes(screen.background.desk, "one", office.rose, 5_000)
    qtbot.waitUntil(lambda: len(listed(screen.lines)) == 1)
    drawers.move(screen.background.desk, "m", "one", MovementKind.TO_SAFE, Money(5_000), "")
    qtbot.waitUntil(lambda: len(listed(screen.lines)) == 2)
