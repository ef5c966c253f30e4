import pytest
from PySide6.QtCore import Qt

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.services import staff
from console.settings import Settings
from console.views.sign_in import Lock, SignIn
from tests.office import staff_the_office

PASSWORD = "a long enough one"


@pytest.fixture
def training_desk(desk):
    from dataclasses import replace

    staff_the_office(desk.records)
    return replace(desk, settings=replace(desk.settings, training=True))


@pytest.fixture
def training(qtbot, training_desk):
    from console.background import Background

    background = Background(training_desk)
    screen = SignIn(training_desk.settings)
    qtbot.addWidget(screen)
    screen.show()
    yield screen, background
    background.close()


def test_it_is_on_screen_before_anything_is_loaded(qtbot):
    screen = SignIn(Settings(training=True))
    qtbot.addWidget(screen)
    screen.show()
    assert screen.opening.isVisible()
    assert "Opening" in screen.opening.text()


def test_training_needs_one_click(qtbot, training):
    screen, background = training
    screen.attend(background)
    qtbot.waitUntil(lambda: "sue" in screen.seats)
    with qtbot.waitSignal(screen.signed_in) as entered:
        qtbot.mouseClick(screen.seats["sue"], Qt.MouseButton.LeftButton)
    assert (entered.args[0].colleague.login, entered.args[0].colleague.role) == (
        "sue",
        Role.SUPERVISOR,
    )


def test_training_needs_one_key(qtbot, training):
    screen, background = training
    screen.attend(background)
    qtbot.waitUntil(lambda: bool(screen.seats))
    first = next(iter(screen.seats.values()))
    with qtbot.waitSignal(screen.signed_in):
        qtbot.keyClick(first, Qt.Key.Key_Space)


@pytest.fixture
def office(qtbot, desk, background):
    staff.enrol(desk.records, "lee", "Lee Marsh", Role.CLERK, PASSWORD, "ada")
    screen = SignIn(desk.settings)
    qtbot.addWidget(screen)
    screen.show()
    screen.attend(background)
    return screen


def test_a_login_and_a_password_open_the_office(qtbot, office):
    qtbot.keyClicks(office.login, "lee")
    qtbot.keyClicks(office.password, PASSWORD)
    with qtbot.waitSignal(office.signed_in) as entered:
        qtbot.keyClick(office.password, Qt.Key.Key_Return)
    assert entered.args[0].colleague.name == "Lee Marsh"
    assert office.password.text() == ""


def test_a_wrong_password_is_a_sentence_and_the_login_stays(qtbot, office):
    qtbot.keyClicks(office.login, "lee")
    qtbot.keyClicks(office.password, "wrong")
    qtbot.mouseClick(office.enter, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(office.problem.isVisible)
    assert "do not go together" in office.problem.text()
    assert office.login.text() == "lee"


def test_while_it_is_asked_nothing_can_be_typed_that_a_refusal_would_eat(qtbot, office):
    office.activateWindow()
    qtbot.waitUntil(office.isActiveWindow)
    qtbot.keyClicks(office.login, "lee")
    qtbot.keyClicks(office.password, "wrong")
    qtbot.keyClick(office.password, Qt.Key.Key_Return)
    assert not office.password.isEnabled()
    assert not office.login.isEnabled()
    qtbot.waitUntil(office.problem.isVisible)
    assert office.password.isEnabled()
    assert office.password.hasFocus()
    assert not office.waiting.isVisible()
    qtbot.keyClicks(office.password, PASSWORD)
    assert office.password.text() == PASSWORD


def test_what_takes_long_is_said_and_what_is_quick_is_not(qtbot, office):
    office.waiting.begin("Signing in…")
    assert not office.waiting.isVisible()
    qtbot.waitUntil(office.waiting.isVisible)
    office.waiting.end()
    assert not office.waiting.isVisible()


@pytest.fixture
def lock(qtbot, desk):
    from dataclasses import replace

    from console.background import Background
    from console.services.desk import Colleague

    staff.enrol(desk.records, "lee", "Lee Marsh", Role.CLERK, PASSWORD, "ada")
    background = Background(replace(desk, colleague=Colleague("lee", "Lee Marsh", Role.CLERK)))
    lock = Lock(background, training=False)
    qtbot.addWidget(lock)
    lock.show()
    lock.activateWindow()
    qtbot.waitUntil(lock.isActiveWindow)
    yield lock
    qtbot.waitUntil(lambda: background.idle)
    background.close()


def test_a_wrong_password_at_the_lock_speaks_of_no_login(qtbot, lock):
    qtbot.keyClicks(lock.password, "wrong")
    qtbot.keyClick(lock.password, Qt.Key.Key_Return)
    assert not lock.password.isEnabled()
    qtbot.waitUntil(lock.problem.isVisible)
    assert lock.problem.text() == "That is not your password. Try again."
    qtbot.waitUntil(lock.password.hasFocus)
    qtbot.keyClicks(lock.password, PASSWORD)
    with qtbot.waitSignal(lock.unlocked):
        qtbot.keyClick(lock.password, Qt.Key.Key_Return)


def test_half_a_sign_in_is_not_sent(qtbot, office, background):
    qtbot.keyClicks(office.login, "lee")
    qtbot.keyClick(office.login, Qt.Key.Key_Return)
    assert "password" in office.problem.text()
    assert background.idle


def test_a_database_that_cannot_be_opened_is_said_with_another_try(qtbot):
    screen = SignIn(Settings())
    qtbot.addWidget(screen)
    screen.show()
    screen.show_problem(ConsoleError("The database is locked. Close the other program."))
    assert screen.problem.isVisible()
    with qtbot.waitSignal(screen.again):
        qtbot.mouseClick(screen.try_again, Qt.MouseButton.LeftButton)


def test_the_sign_in_does_not_wait_for_the_database_library():
    import subprocess
    import sys

    script = (
        "import sys; import console.views.sign_in\n"
        "late = [m for m in ('sqlalchemy', 'requests', 'alembic', 'psycopg') if m in sys.modules]\n"
        "sys.exit(f'loaded {late}' if late else 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
