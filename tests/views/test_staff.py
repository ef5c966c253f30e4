from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit

from console.app import Console, office
from console.background import Background
from console.domain.staff import Role
from console.services import staff
from console.services.desk import Colleague, Desk
from console.services.staff import SignInRefused
from console.settings import Settings
from console.views.staff import DISMISSED, SIGNED_IN, AddSheet, ColleagueSheet, OwnPasswordSheet
from console.views.window import Window
from tests.logins import PASSWORD, office_on
from tests.office import PAT, SUE

CONTROL = Qt.KeyboardModifier.ControlModifier
ADA = Colleague("ada", "Ada Whitfield", Role.ADMINISTRATOR)


@pytest.fixture
def adas_desk(desk):
    for colleague in (ADA, PAT, SUE):
        staff.enrol(desk.records, colleague.login, colleague.name, colleague.role, PASSWORD, "root")
    return replace(desk, colleague=ADA, now=lambda: datetime.now(UTC))


@pytest.fixture
def window(qtbot, adas_desk, look):
    background = Background(adas_desk)
    adas_desk.records.on_change(background.changed.emit)
    window = Window(background, adas_desk.settings, look)
    qtbot.addWidget(window)
    window.show()
    yield window
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)
    background.close()


@pytest.fixture
def screen(qtbot, window):
    screen = window.go_to("Staff")
    qtbot.waitUntil(lambda: names(screen) == ["Ada Whitfield", "Pat Lindqvist", "Sue Abara"])
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return screen


def names(screen):
    return [row.name for row in screen.table.rows_model.rows]


def sheet(qtbot, window, kind):
    def there():
        return [one for one in window.findChildren(kind) if one.isVisible()]

    qtbot.waitUntil(lambda: bool(there()))
    return there()[0]


def enters(desk, login, password=PASSWORD, workstation="desk 7"):
    return staff.enter(desk.records, Settings(), login, password, workstation)


def test_only_administrators_have_the_place(qtbot, adas_desk, look, window):
    assert "Staff" in window.rail_buttons
    background = Background(replace(adas_desk, colleague=SUE))
    other = Window(background, adas_desk.settings, look)
    qtbot.addWidget(other)
    assert "Staff" not in other.rail_buttons
    background.close()


def test_whoever_signs_in_is_seen_where_and_since_when(qtbot, screen, adas_desk):
    enters(adas_desk, "sue")
    qtbot.waitUntil(lambda: screen.table.model().index(2, 2).data() == "desk 7", timeout=8_000)
    screen.choose(SIGNED_IN)
    qtbot.waitUntil(lambda: names(screen) == ["Sue Abara"])


def test_a_colleague_is_added_with_the_keyboard_alone(qtbot, window, screen, adas_desk):
    qtbot.keyClick(window, Qt.Key.Key_N, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    add = sheet(qtbot, window, AddSheet)
    qtbot.keyClicks(add.name, "Mary Ruiz")
    assert add.login.text() == "mary.ruiz"
    add.role.choice.setFocus()
    qtbot.keyClick(add.role.choice, Qt.Key.Key_Down)
    qtbot.keyClick(add.password.make_up, Qt.Key.Key_Space)
    made = add.password.text
    assert add.password.typed.echoMode() is QLineEdit.EchoMode.Normal
    add.activateWindow()
    qtbot.waitUntil(add.isActiveWindow)
    qtbot.keyClick(add, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Mary Ruiz" in names(screen))
    assert "mary.ruiz" in window.toasts.toast.words.text()
    assert enters(adas_desk, "mary.ruiz", made).colleague.role is Role.CLERK


def test_a_login_of_ones_own_choice_is_not_written_over(qtbot, window, screen):
    screen.add.trigger()
    add = sheet(qtbot, window, AddSheet)
    qtbot.keyClicks(add.login, "mr")
    qtbot.keyClicks(add.name, "Mary Ruiz")
    assert add.login.text() == "mr"


def test_what_is_wrong_is_said_on_the_sheet_and_nothing_typed_is_lost(qtbot, window, screen):
    screen.add.trigger()
    add = sheet(qtbot, window, AddSheet)
    qtbot.keyClicks(add.name, "Mary Ruiz")
    qtbot.keyClicks(add.password.typed, "short")
    qtbot.mouseClick(add.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "12 to 200 characters" in add.problem.text())
    assert add.name.text() == "Mary Ruiz"
    assert add.password.text == "short"
    assert add.password.typed.echoMode() is QLineEdit.EchoMode.Password


def test_name_role_and_password_are_changed_on_one_sheet(qtbot, window, screen, adas_desk):
    screen.table.turn_to("sue")
    qtbot.keyClick(screen.table, Qt.Key.Key_Return)
    change = sheet(qtbot, window, ColleagueSheet)
    change.name.clear()
    qtbot.keyClicks(change.name, "Susan Abara")
    change.role.choice.setCurrentText("Auditor")
    assert "changes nothing" in change.role.below.text()
    qtbot.keyClicks(change.password.typed, "a quite new one")
    qtbot.mouseClick(change.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Susan Abara" in names(screen))
    colleague = enters(adas_desk, "sue", "a quite new one").colleague
    assert (colleague.name, colleague.role) == ("Susan Abara", Role.AUDITOR)


def test_nobody_can_take_their_own_role_or_dismiss_themselves(qtbot, window, screen):
    screen.table.turn_to("ada")
    assert not screen.dismiss.isEnabled()
    screen.change.trigger()
    assert not sheet(qtbot, window, ColleagueSheet).role.choice.isEnabled()


def test_a_colleague_is_dismissed_after_a_question_and_brought_back(
    qtbot, window, screen, adas_desk
):
    screen.table.turn_to("sue")
    screen.dismiss.trigger()
    question = sheet(qtbot, window, QDialog)
    assert "Dismiss Sue Abara?" in question.title.text()
    question.accept()
    qtbot.waitUntil(lambda: names(screen) == ["Ada Whitfield", "Pat Lindqvist"])
    with pytest.raises(SignInRefused):
        enters(adas_desk, "sue")
    screen.choose(DISMISSED)
    qtbot.waitUntil(lambda: names(screen) == ["Sue Abara"])
    screen.table.turn_to("sue")
    screen.change.trigger()
    back = sheet(qtbot, window, AddSheet)
    assert back.login.isReadOnly()
    qtbot.keyClicks(back.password.typed, "a quite new one")
    qtbot.mouseClick(back.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: names(screen) == ["Ada Whitfield", "Pat Lindqvist", "Sue Abara"])
    assert enters(adas_desk, "sue", "a quite new one")


def test_the_list_is_narrowed_by_name_login_and_role(qtbot, screen):
    qtbot.keyClicks(screen.narrow, "superv")
    qtbot.waitUntil(lambda: names(screen) == ["Sue Abara"])
    screen.narrow.setText("nobody at all")
    qtbot.waitUntil(lambda: "nobody at all" in screen._empty.sentence.text())


def test_ones_own_password_is_changed_from_the_menu(qtbot, window, adas_desk):
    window.password_action.trigger()
    own = sheet(qtbot, window, OwnPasswordSheet)
    qtbot.keyClicks(own.current, PASSWORD)
    qtbot.keyClicks(own.new, "a quite new one")
    qtbot.keyClicks(own.again, "a quite newer one")
    qtbot.keyClick(own.again, Qt.Key.Key_Return)
    assert "typed in two ways" in own.problem.text()
    own.again.setText("a quite new one")
    qtbot.keyClick(own.again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.toasts.toast is not None)
    assert enters(adas_desk, "ada", "a quite new one")


def signs_in(qtbot, console, login, password=PASSWORD):
    qtbot.waitUntil(lambda: console.sign_in.background is not None)
    console.sign_in.login.setText(login)
    console.sign_in.password.setText(password)
    qtbot.mouseClick(console.sign_in.enter, Qt.MouseButton.LeftButton)


@pytest.fixture
def console_on(look):
    """Answers a console that has been opened on a database."""
    opened = []

    def open_on(url):
        settings = Settings(database_url=url, portal_url="")
        console = Console(settings, lambda: office(settings), look=look, remember=False)
        opened.append(console)
        console.open()
        return console

    yield open_on
    for console in opened:
        console.close()


def test_a_dismissed_colleagues_console_shows_the_sign_in_and_says_why(
    qtbot, adas_desk, database_url, console_on
):
    console = console_on(database_url)
    signs_in(qtbot, console, "sue")
    qtbot.waitUntil(lambda: console.window is not None, timeout=10_000)
    staff.dismiss(adas_desk, "sue")
    qtbot.waitUntil(lambda: console.window is None, timeout=10_000)
    assert "Sue Abara may not work at this console any more" in console.sign_in.why.text()
    assert console.sign_in.why.isVisible()


def test_on_a_server_the_same_screen_signs_in_and_dismissal_ends_the_session(
    qtbot, postgresql_server, postgresql_template, desk, console_on
):
    with office_on(postgresql_server, postgresql_template) as there:
        console = console_on(there.url)
        signs_in(qtbot, console, there.sue, "not the one in use")
        qtbot.waitUntil(lambda: "do not go together" in console.sign_in.problem.text())
        assert console.sign_in.login.text() == there.sue
        signs_in(qtbot, console, there.sue)
        qtbot.waitUntil(lambda: console.window is not None, timeout=10_000)
        assert console.window.person_name.text() == "Sue Abara"
        ada = there.enters(there.ada)
        at_ada = Desk(ada.records, desk.portal, ada.colleague, desk.settings)
        staff.dismiss(at_ada, there.sue)
        qtbot.waitUntil(lambda: console.window is None, timeout=15_000)
        assert "Sue Abara may not work at this console any more" in console.sign_in.why.text()
        ada.records.close()
        console.close()
