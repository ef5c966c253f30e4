import pytest
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QDesktopServices

from console.domain.errors import ConsoleError
from console.views.training import Story, Switch, TrainingPlan, TrainingScreen


class Browser(QObject):
    def __init__(self):
        super().__init__()
        self.opened = []

    @Slot("QUrl")
    def open(self, url):
        self.opened.append(url.toString())


@pytest.fixture
def browser(qapp):
    browser = Browser()
    QDesktopServices.setUrlHandler("http", browser, "open")
    yield browser
    QDesktopServices.unsetUrlHandler("http")


TURNED = []


def turn(desk, key, on):
    if key == "broken":
        raise ConsoleError("The stand-in does not answer. Start it again.")
    TURNED.append((key, on))


PLAN = TrainingPlan(
    stories=(
        Story("The space", "Rose DeLong", "It says no match.", "Read it out.", 7, "1023401"),
        Story("Nobody on file", "A stranger", "Who am I?", "Find out."),
    ),
    pages_url="http://127.0.0.1:9/register",
    mailbox_url="http://127.0.0.1:9/mail",
    switches=(Switch("down", "Portal is down", "Fails."), Switch("broken", "Broken", "Breaks.")),
    turn=turn,
)


@pytest.fixture
def screen(qtbot, background):
    TURNED.clear()
    screen = TrainingScreen(background, PLAN)
    qtbot.addWidget(screen)
    screen.resize(1000, 700)
    screen.show()
    return screen


def test_a_story_opens_its_member(qtbot, screen):
    with qtbot.waitSignal(screen.open_member) as opened:
        qtbot.mouseClick(screen.cards[0].open_button, Qt.MouseButton.LeftButton)
    assert opened.args == [7, "1023401"]
    assert not screen.cards[1].open_button.isVisible()


def test_the_two_pages_open_in_the_browser(screen, browser):
    screen.register.trigger()
    screen.mailbox.trigger()
    assert browser.opened == [PLAN.pages_url, PLAN.mailbox_url]


def test_a_switch_is_turned_in_the_background(qtbot, screen):
    qtbot.mouseClick(
        screen.switches["down"],
        Qt.MouseButton.LeftButton,
        pos=screen.switches["down"].rect().center(),
    )
    qtbot.waitUntil(lambda: TURNED == [("down", True)])


def test_a_switch_that_cannot_be_turned_says_so(qtbot, screen):
    screen.switches["broken"].setChecked(True)
    qtbot.waitUntil(screen.problem.isVisible)
    assert "does not answer" in screen.problem.text()


def test_without_stories_the_place_says_how_to_get_some(qtbot, background):
    screen = TrainingScreen(background, TrainingPlan())
    qtbot.addWidget(screen)
    assert not screen.register.isEnabled()
    assert screen.cards == []
