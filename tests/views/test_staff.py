from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
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
    qtbot.waitUntil(lambda: "Mary Ruiz" in names(screen) and window.toasts.toast is not None)
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
    qtbot.waitUntil(lambda: "12 to 200 characters" in add.password.below.text())
    assert not add.problem.isVisible()
    assert add.password.typed.hasFocus()
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
    assert "typed in two ways" in own.again_place.below.text()
    own.again.setText("a quite new one")
    qtbot.keyClick(own.again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.toasts.toast is not None)
    assert enters(adas_desk, "ada", "a quite new one")


def test_a_wrong_password_of_ones_own_is_said_beside_its_field(qtbot, window):
    window.password_action.trigger()
    own = sheet(qtbot, window, OwnPasswordSheet)
    qtbot.keyClicks(own.current, "not the one in use")
    qtbot.keyClicks(own.new, "a quite new one")
    qtbot.keyClicks(own.again, "a quite new one")
    qtbot.keyClick(own.again, Qt.Key.Key_Return)
    qtbot.waitUntil(own.current_place.below.isVisible)
    assert own.current_place.below.text() == "That is not your password. Try again."
    assert own.current.hasFocus()
    assert own.new.text() == "a quite new one"


def test_a_colleague_without_a_name_is_asked_for_one_beside_the_field(qtbot, window, screen):
    add = opened(qtbot, window, screen.add, AddSheet)
    add.role.choice.setFocus()
    qtbot.keyClick(add, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(add.name_place.below.isVisible)
    assert add.name_place.below.text() == "Type the colleague’s name."
    assert not add.problem.isVisible()
    assert add.name.hasFocus()
    qtbot.keyClicks(add.name, "M")
    assert not add.name_place.below.isVisible()


def test_a_login_that_is_taken_is_said_beside_the_login(qtbot, window, screen):
    add = opened(qtbot, window, screen.add, AddSheet)
    qtbot.keyClicks(add.name, "Sue Abara")
    add.login.setText("sue")
    qtbot.mouseClick(add.password.make_up, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(add.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "has the login “sue” already" in add.login_place.below.text())
    assert add.login.hasFocus()
    assert add.password.text


def test_nobody_is_renamed_to_nothing(qtbot, window, screen, adas_desk):
    screen.table.turn_to("sue")
    change = opened(qtbot, window, screen.change, ColleagueSheet)
    change.name.selectAll()
    qtbot.keyClick(change.name, Qt.Key.Key_Delete)
    qtbot.keyClick(change, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(change.name_place.below.isVisible)
    assert change.name_place.below.text() == "Type the colleague’s name."
    assert "Sue Abara" in {one.name for one in staff.everybody(adas_desk)}


def test_the_cursor_goes_to_the_colleague_who_was_added(qtbot, window, screen):
    screen.table.turn_to("sue")
    add = opened(qtbot, window, screen.add, AddSheet)
    qtbot.keyClicks(add.name, "Mary Ruiz")
    qtbot.mouseClick(add.password.make_up, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(add.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.table.current_row().login == "mary.ruiz")


def test_the_cursor_stays_where_somebody_has_moved_it_meanwhile(qtbot, window, screen):
    screen.table.turn_to("sue")
    change = opened(qtbot, window, screen.change, ColleagueSheet)
    change.name.setText("Susan Abara")
    change.done_with.connect(lambda *_: screen.table.turn_to("ada"))
    qtbot.mouseClick(change.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Susan Abara" in names(screen))
    assert screen.table.current_row().login == "ada"


def test_whoever_is_added_is_shown_although_the_list_was_narrowed(qtbot, window, screen):
    qtbot.keyClicks(screen.narrow, "sue")
    qtbot.waitUntil(lambda: names(screen) == ["Sue Abara"])
    add = opened(qtbot, window, screen.add, AddSheet)
    qtbot.keyClicks(add.name, "Mary Ruiz")
    qtbot.mouseClick(add.password.make_up, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(add.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.table.current_row().login == "mary.ruiz")


@pytest.mark.parametrize("kind", [AddSheet, ColleagueSheet, OwnPasswordSheet])
def test_esc_asks_before_what_was_typed_is_lost(qtbot, window, screen, kind):
    action = {
        AddSheet: screen.add,
        ColleagueSheet: screen.change,
        OwnPasswordSheet: window.password_action,
    }[kind]
    untouched = opened(qtbot, window, action, kind)
    qtbot.keyClick(untouched, Qt.Key.Key_Escape)
    assert not untouched.isVisible()
    half_made = opened(qtbot, window, action, kind)
    field = half_made.current if kind is OwnPasswordSheet else half_made.name
    qtbot.keyClicks(field, "x")
    typed = field.text()
    qtbot.keyClick(half_made, Qt.Key.Key_Escape)
    question = half_made.findChild(QDialog, "confirm")
    assert question is not None
    question.reject()
    assert half_made.isVisible()
    assert field.text() == typed
    qtbot.keyClick(half_made, Qt.Key.Key_Escape)
    half_made.findChildren(QDialog, "confirm")[-1].accept()
    assert not half_made.isVisible()


def test_the_dismissed_are_offered_to_be_brought_back(qtbot, screen, adas_desk):
    assert screen.change_button.text() == "Change"
    staff.dismiss(adas_desk, "sue")
    screen.choose(DISMISSED)
    qtbot.waitUntil(lambda: names(screen) == ["Sue Abara"])
    assert screen.change_button.text() == "Bring back"
    assert screen.change.text() == "Bring this colleague back"
    screen.choose("working")
    qtbot.waitUntil(lambda: "Ada Whitfield" in names(screen))
    assert screen.change_button.text() == "Change"


def test_the_main_button_comes_first_and_dismissal_last(screen):
    buttons = (screen.add_button, screen.change_button, screen.dismiss_button)
    places = [button.x() for button in buttons]
    assert places == sorted(places)
    assert screen.add_button.property("role") == "primary"


def test_a_made_up_password_is_copied_and_said_to_be_shown_once(qtbot, window, screen):
    add = opened(qtbot, window, screen.add, AddSheet)
    assert not add.password.copy.isVisible()
    qtbot.keyClicks(add.name, "Mary Ruiz")
    qtbot.mouseClick(add.password.make_up, Qt.MouseButton.LeftButton)
    made = add.password.text
    assert "shown here once and nowhere again" in add.password.below.text()
    qtbot.mouseClick(add.password.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == made
    qtbot.mouseClick(add.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.toasts.toast is not None)
    assert made not in window.toasts.toast.words.text()


def test_a_password_that_somebody_types_is_not_offered_to_be_copied(qtbot, window, screen):
    add = opened(qtbot, window, screen.add, AddSheet)
    qtbot.mouseClick(add.password.make_up, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(add.password.typed, "one of my own")
    assert not add.password.copy.isVisible()


def test_the_form_is_closed_while_a_colleague_is_saved(qtbot, window, screen):
    add = opened(qtbot, window, screen.add, AddSheet)
    qtbot.keyClicks(add.name, "Mary Ruiz")
    qtbot.keyClicks(add.password.typed, "short")
    add.name.setFocus()
    add.save.click()
    assert not add.name.isEnabled()
    assert not add.save.isEnabled()
    qtbot.waitUntil(add.name.isEnabled)
    assert add.password.typed.hasFocus()


def opened(qtbot, window, action, kind):
    action.trigger()
    there = sheet(qtbot, window, kind)
    there.activateWindow()
    qtbot.waitUntil(there.isActiveWindow)
    return there


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


def test_whoever_is_signed_in_is_told_when_the_nights_copy_was_not_made(
    qtbot, adas_desk, database_url, console_on, tmp_path
):
    in_the_way = tmp_path / "data" / "backups"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("a file, not a folder")
    console = console_on(database_url)
    signs_in(qtbot, console, "sue")
    qtbot.waitUntil(lambda: console.window is not None, timeout=10_000)
    qtbot.waitUntil(lambda: console.window.toasts.toast is not None, timeout=10_000)
    assert "daily copy of the database was not made" in console.window.toasts.toast.words.text()
