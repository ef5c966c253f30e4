import threading

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from console.views import theme
from console.views.sheet import Sheet
from console.views.widgets import (
    Badge,
    BusyStrip,
    Button,
    CopyableValue,
    EmptyPlace,
    Field,
    FlowLayout,
    IconButton,
    KeyHint,
    Notice,
    ProblemLine,
    Words,
    act,
    key_words,
    line_edit,
)


@pytest.fixture
def page(qtbot):
    page = QWidget()
    QVBoxLayout(page)
    page.resize(600, 400)
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    return page


def put(page, *widgets):
    for widget in widgets:
        page.layout().addWidget(widget)
    page.layout().activate()


def test_an_action_is_done_by_key_by_button_and_by_icon(qtbot, page):
    done = []
    resend = act(page, "Send again", lambda: done.append(1), key="F6", icon="send")
    button, small = Button(resend, "primary"), IconButton("send", resend)
    put(page, button, small)
    qtbot.keyClick(page, Qt.Key.Key_F6)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(small, Qt.MouseButton.LeftButton)
    assert len(done) == 3
    assert small.accessibleName() == "Send again"
    assert "F6" in small.toolTip()


def test_a_button_follows_its_action(qtbot, page):
    done = []
    resend = act(page, "Send again", lambda: done.append(1), key="F6")
    button = Button(resend)
    put(page, button)
    resend.setEnabled(False)
    assert not button.isEnabled()
    qtbot.keyClick(page, Qt.Key.Key_F6)
    assert done == []
    button.setEnabled(True)
    assert not button.isEnabled(), "an answer that came home must not wake a forbidden button"
    resend.setEnabled(True)
    resend.setText("Send once more")
    assert button.text() == "Send once more"
    assert button.isEnabled()


def test_a_button_keeps_room_for_its_key(page):
    plain, keyed = Button("Send again"), Button(act(page, "Send again", print, key="Ctrl+Shift+F6"))
    put(page, plain, keyed)
    assert keyed.sizeHint().width() > plain.sizeHint().width()


def test_without_room_a_button_still_has_its_name(page):
    button = Button(act(page, "Turn the call", print, icon="swap"))
    button.show_words(False)
    assert button.text() == ""
    assert button.accessibleName() == "Turn the call"
    assert "Turn the call" in button.toolTip()


def test_what_people_typed_is_never_read_as_markup(qtbot):
    hostile = "<img src='http://example.com/x'><b>Rose</b>"
    for widget in (Words(hostile), Badge("info", hostile), Notice("info", hostile)):
        qtbot.addWidget(widget)
        assert widget.textFormat() == Qt.TextFormat.PlainText
        assert widget.text() == hostile


def test_a_problem_line_is_away_until_there_is_one(page):
    line = ProblemLine()
    put(page, line)
    assert not line.isVisible()
    line.say("The name is missing. Type it.")
    assert line.isVisible()
    assert line.accessibleName() == "The name is missing. Type it."
    line.say("")
    assert not line.isVisible()


def test_a_state_is_said_by_word_icon_and_colour(page):
    badge = Badge("unverified", "Not verified", "warn")
    put(page, badge)
    before = badge.grab().toImage()
    badge.show_state("verified", "Verified", "good")
    assert badge.text() == "Verified"
    assert badge.grab().toImage() != before
    assert badge.property("tone") == "good"


def test_a_value_is_copied_by_one_press_unless_it_is_masked(qtbot, page):
    value = CopyableValue("Account", "1023401")
    put(page, value)
    qtbot.mouseClick(value.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "1023401"
    value.show_value("•••", masked=True)
    assert not value.copy.isVisible()
    value.show_value("")
    assert value.value.text() == "None on file"


def test_a_label_names_its_field_and_says_what_is_wrong_below_it(page):
    field = Field("E-mail", QLineEdit(), "As the member says it")
    put(page, field)
    assert field.field.accessibleName() == "E-mail"
    field.say("There is no @.", "bad")
    assert field.below.text() == "There is no @."
    field.say()
    assert field.below.text() == "As the member says it"


def test_a_field_takes_no_more_than_the_file_can_keep(qtbot, page):
    field = line_edit(spoken="Name", longest=10)
    put(page, field)
    field.setText("x" * 1_000_000)
    assert len(field.text()) == 10


def test_things_flow_onto_the_next_line(page):
    box = QWidget()
    flow = FlowLayout(box)
    labels = [QLabel("some words") for _ in range(8)]
    for label in labels:
        flow.addWidget(label)
    wide, narrow = flow.heightForWidth(2000), flow.heightForWidth(150)
    assert narrow > 3 * wide
    flow.setGeometry(QRect(0, 0, 150, narrow))
    assert labels[-1].y() > labels[0].y()
    flow.clear()
    assert flow.count() == 0


def test_an_empty_place_offers_the_next_step(qtbot, page):
    done = []
    place = EmptyPlace("inbox", "Nobody waits.", act(page, "Look again", lambda: done.append(1)))
    put(page, place)
    qtbot.mouseClick(place.findChild(Button), Qt.MouseButton.LeftButton)
    assert done == [1]


def test_only_what_lasts_is_said_to_be_slow(qtbot, page, background):
    class Asker(QWidget):
        def show_problem(self, problem):
            raise AssertionError(problem)

    asker, strip, hold = Asker(), BusyStrip(background), threading.Event()
    put(page, asker, strip)
    background.ask(lambda desk: hold.wait(10)).then(asker, lambda _: None, quiet=True)
    qtbot.wait(500)
    assert not strip.busy, "a round that nobody waits for is not slow"
    background.ask(lambda desk: hold.wait(10)).then(asker, lambda _: None)
    qtbot.waitUntil(lambda: strip.busy)
    hold.set()
    qtbot.waitUntil(lambda: not strip.busy)


def test_a_sheet_too_tall_for_its_window_scrolls_and_keeps_its_buttons(qtbot, page):
    sheet = Sheet(page, "A long form")
    for _ in range(40):
        sheet.body.addWidget(QLineEdit())
    button = sheet.add_cancel()
    sheet.open()
    qtbot.wait(20)
    assert sheet.height() <= page.height()
    assert sheet.rect().contains(button.geometry())
    sheet.reject()


@pytest.mark.parametrize("sentences", [1, 3, 12])
@pytest.mark.parametrize("kind", [Notice, Words])
def test_a_sheet_with_wrapped_words_has_no_blank_room(qtbot, page, kind, sentences):
    page.resize(900, 800)
    sheet = Sheet(page, "A form")
    words = kind()
    words.setWordWrap(True)
    words.setText("A sentence that says a thing. " * sentences)
    form = QWidget()
    form.setLayout(QVBoxLayout())
    form.layout().addWidget(words)
    sheet.body.addWidget(form)
    button = sheet.add_cancel()
    sheet.open()
    qtbot.waitUntil(lambda: words.height() == words.heightForWidth(words.width()))
    below = button.mapTo(sheet, button.rect().topLeft()).y()
    above = form.mapTo(sheet, form.rect().bottomLeft()).y()
    assert below - above <= 2 * theme.GRID + 1
    bar = sheet.findChild(QScrollArea).verticalScrollBar()
    assert bar.maximum() == 0
    sheet.reject()


def test_a_key_is_called_what_stands_on_the_keyboard(qtbot, page):
    save = act(page, "Save", lambda: None, key="Ctrl+Return")
    assert key_words(save) == "Ctrl+Enter"
    assert KeyHint("Ctrl+Return").text() == "Ctrl+Enter"


def test_a_button_shows_other_words_in_place_of_its_actions_name(qtbot, page):
    button = Button(act(page, "Change this colleague", lambda: None, key="F2"), text="Change")
    assert button.text() == "Change"
    button.say("Bring back")
    assert button.text() == "Bring back"
    assert button.accessibleName() == "Change this colleague"


def test_a_sheet_grows_when_there_is_something_to_say(qtbot, page):
    sheet = Sheet(page, "A form")
    sheet.body.addWidget(QLineEdit())
    sheet.open()
    qtbot.wait(20)
    before = sheet.height()
    sheet.problem.say("Something is wrong with what was typed. Look at it again.")
    qtbot.waitUntil(lambda: sheet.height() > before)
    sheet.reject()


def test_everything_follows_a_new_look(page, look):
    badge, button, small = (
        Badge("info", "Word"),
        Button("Word", icon="send"),
        IconButton("cross", "x"),
    )
    put(page, badge, button, small)
    before = [widget.grab().toImage() for widget in (badge, button, small)]
    look.set_dark(True)
    after = [widget.grab().toImage() for widget in (badge, button, small)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert theme.current() is look
