import pytest
from PySide6.QtCore import Qt

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.services import staff
from console.settings import Settings
from console.views.sign_in import SignIn
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
