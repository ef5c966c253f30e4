import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from console.views import toasts
from console.views.sheet import Sheet, confirm, picture
from console.views.toasts import Toasts, say


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    inside = QWidget()
    window.field = QLineEdit()
    layout = QVBoxLayout(inside)
    layout.addWidget(window.field)
    window.setCentralWidget(inside)
    window.resize(800, 500)
    window.toasts = Toasts(window)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.field.setFocus()
    return window


def test_a_toast_says_what_was_done_and_leaves_the_focus_alone(window):
    toast = window.toasts.say("The note is written.")
    assert toast.isVisible()
    assert toast.words.text() == "The note is written."
    assert window.field.hasFocus()
    assert not toast.undo.isVisible()


def test_undo_by_button(qtbot, window):
    undone = []
    toast = window.toasts.say("Corrected.", lambda: undone.append(1))
    qtbot.mouseClick(toast.undo, Qt.MouseButton.LeftButton)
    assert undone == [1]
    assert window.toasts.toast is None


def test_undo_by_key_once(qtbot, window):
    undone = []
    window.toasts.say("Corrected.", lambda: undone.append(1))
    window.field.clearFocus()
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == [1]


def test_a_newer_toast_takes_the_place_of_the_older_and_of_its_undo(window):
    undone = []
    window.toasts.say("First.", lambda: undone.append(1))
    window.toasts.say("Second.")
    assert window.toasts.toast.words.text() == "Second."
    assert not window.toasts.undo_action.isEnabled()


def test_any_widget_finds_the_toasts_of_its_window(window):
    say(window.field, "Done.")
    assert window.toasts.toast.words.text() == "Done."
    sheet = Sheet(window, "A form")
    say(sheet, "Done from the sheet.")
    assert window.toasts.toast.words.text() == "Done from the sheet."


def test_words_too_long_for_the_window_are_wrapped(window):
    toast = window.toasts.say("A sentence that goes on. " * 20)
    assert toast.width() <= window.width()


def test_a_question_is_answered_by_enter_or_left_by_escape(qtbot, window):
    done = []
    sheet = confirm(
        window, "Send it?", "It goes to rose@example.org.", "Send", lambda: done.append(1)
    )
    assert sheet.isVisible()
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    assert done == [1]
    sheet = confirm(window, "Send it?", "", "Send", lambda: done.append(2))
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert done == [1]


def test_enter_does_not_agree_to_what_is_dangerous(qtbot, window):
    done = []
    sheet = confirm(window, "Remove it?", "", "Remove", lambda: done.append(1), danger=True)
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    assert done == []


def test_a_picture_holds_the_sheet_that_lies_over_the_window(qtbot, window):
    before = picture(window).toImage()
    sheet = confirm(window, "Send it?", "More.", "Send", lambda: None)
    qtbot.wait(20)
    assert picture(window).toImage() != before
    assert sheet.problem.isHidden()


def test_what_is_said_behind_a_cover_is_held_until_it_is_lifted(qtbot, monkeypatch):
    monkeypatch.setattr(toasts, "STAYS_MILLISECONDS", 200)
    window, body, cover = QStackedWidget(), QWidget(), QWidget()
    window.addWidget(body)
    window.addWidget(cover)
    qtbot.addWidget(window)
    shown = Toasts(body)
    window.resize(800, 500)
    window.show()
    window.setCurrentWidget(cover)
    undone = []
    toast = shown.say("The name on file is “De Long” again.", lambda: undone.append(1))
    assert not toast.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == []
    qtbot.wait(400)
    assert shown.toast is toast
    window.setCurrentWidget(body)
    assert toast.isVisible()
    qtbot.waitUntil(lambda: shown.toast is None)
