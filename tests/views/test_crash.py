import json
import sys
import threading

import pytest
from PySide6.QtCore import Qt, qWarning
from PySide6.QtGui import QGuiApplication

from console.domain.errors import ConsoleError
from console.views.crash import LARGEST_LOG, CrashHandler, CrashLog

SECRET = "Rose DeLong 4111 1111 1111 1111"


def broken():
    try:
        int(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def caught():
    try:
        broken()
    except KeyError as error:
        return error


@pytest.fixture
def handler(qtbot, tmp_path):
    said = []
    handler = CrashHandler(CrashLog(tmp_path / "logs"), said.append)
    handler.said = said
    yield handler
    if handler.window is not None:
        handler.window.close()
        qtbot.addWidget(handler.window)


def lines(handler):
    return [json.loads(line) for line in handler.log.file.read_text().splitlines()]


def test_a_bug_becomes_a_sentence_and_a_reference(qtbot, handler):
    handler._on_exception(KeyError, caught(), None)
    window = handler.window
    assert window.isVisible()
    assert "What you have typed is kept" in window.words.text()
    (line,) = lines(handler)
    assert window.reference.text() == line["reference"]
    qtbot.mouseClick(window.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == line["reference"]


def test_nothing_personal_and_no_traceback_reaches_screen_or_log(handler):
    handler._on_exception(KeyError, caught(), None)
    shown = " ".join((handler.window.words.text(), handler.window.reference.text()))
    assert "Traceback" not in shown
    for text in (shown, handler.log.file.read_text()):
        assert "Rose" not in text
        assert "4111" not in text
    (line,) = lines(handler)
    assert [cause["kind"] for cause in line["causes"]] == [
        "builtins.KeyError", "builtins.ValueError",
    ]  # fmt: skip
    assert any("broken" in place for place in line["causes"][0]["where"])


def test_a_problem_meant_for_staff_is_only_said(handler):
    handler._on_exception(ConsoleError, ConsoleError("The card was declined."), None)
    assert handler.window is None
    assert [str(problem) for problem in handler.said] == ["The card was declined."]


def test_a_bug_on_another_thread_comes_home_to_the_window(qtbot, handler):
    handler.install()
    try:
        thread = threading.Thread(target=broken, name="somewhere")
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: handler.window is not None)
    finally:
        handler.uninstall()
    assert lines(handler)[0]["thread"] == "somewhere"


def test_bugs_that_come_in_crowds_share_a_window(handler):
    for _ in range(3):
        handler._on_exception(KeyError, caught(), None)
    assert len(handler.window.references) == 3
    assert "3 times" in handler.window.words.text()


def test_a_word_of_qt_is_noted_without_troubling_anybody(qtlog, handler):
    with qtlog.disabled():
        handler.install()
        try:
            qWarning("a b c d e f g SECRET")
        finally:
            handler.uninstall()
    assert handler.window is None
    assert lines(handler)[0]["noted"] == "a b c d e f"


def test_a_full_log_makes_room(handler):
    handler.log.file.parent.mkdir(parents=True)
    handler.log.file.write_text("x" * (LARGEST_LOG + 1))
    handler._on_exception(KeyError, caught(), None)
    assert len(lines(handler)) == 1


def test_a_log_that_cannot_be_written_does_not_hide_the_sentence(tmp_path, qtbot):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    handler = CrashHandler(CrashLog(in_the_way / "logs"))
    handler._on_exception(KeyError, caught(), None)
    assert handler.window.isVisible()
    handler.window.close()
    assert sys.excepthook is not handler._on_exception
