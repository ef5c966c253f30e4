from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from console.background import Background
from console.domain.calls import Fact, Reason, Result
from console.domain.registration import Proof
from console.models.calls import Call
from console.services import calls, names
from console.views.call_bar import CallBar, WrapUpSheet, fill, length_of_call
from console.views.toasts import Toasts
from tests.office import ANA, add_member


@pytest.fixture
def rose(records):
    return add_member(records)


@pytest.fixture
def bar(qtbot, background, rose):
    front = [rose]
    window = QMainWindow()
    bar = CallBar(background, lambda: front[0], lambda: {"account": "1023401"})
    window.setCentralWidget(bar)
    window.toasts = Toasts(window)
    bar.window_of_test, bar.front = window, front
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    return bar


def begin(qtbot, bar):
    qtbot.mouseClick(bar.begin_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.call is not None)


def test_a_call_is_about_the_member_in_front_and_says_how_long_it_lasts(qtbot, bar, rose, clock):
    begin(qtbot, bar)
    assert bar.call.member_id == rose
    assert bar.who.text() == "Rose DeLong"
    assert bar.state.text() == "Not verified"
    assert not bar.begin_button.isVisible()
    clock.advance(seconds=83)
    bar._tick()
    assert bar.long.text() == "1:23"


def test_the_keys_begin_and_wrap_up(qtbot, bar):
    qtbot.keyClick(bar.window_of_test, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: bar.call is not None)
    assert bar.call.member_began
    qtbot.keyClick(bar.window_of_test, Qt.Key.Key_F10)
    assert bar.window_of_test.findChild(WrapUpSheet).isVisible()


def test_a_call_that_we_make_is_marked_so(qtbot, bar):
    qtbot.keyClick(bar.window_of_test, Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bar.call is not None)
    assert not bar.call.member_began


def test_facts_ticked_elsewhere_show_here(qtbot, bar, desk):
    begin(qtbot, bar)
    facts = [Fact.NAME, Fact.PHONE, Fact.LAST_FOUR]
    with qtbot.waitSignal(bar.changed):
        bar.show_call(calls.tick(desk, bar.call.id, facts))
    assert bar.state.text() == "Verified"


def test_wrapping_up_keeps_reason_result_and_note(qtbot, bar, records):
    begin(qtbot, bar)
    call_id = bar.call.id
    sheet = bar.open_wrap_up()
    sheet.reason.setCurrentText(Reason.VERIFICATION_EMAIL.words)
    sheet.result_box.setCurrentText(Result.SOLVED.words)
    qtbot.keyClicks(sheet.note, "She found it in junk.")
    qtbot.mouseClick(sheet.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.call is None)
    with records.read() as db:
        call = db.get(Call, call_id)
        assert (call.reason, call.result) == (Reason.VERIFICATION_EMAIL, Result.SOLVED)
        assert call.note == "She found it in junk."
    assert bar.begin_button.isVisible()


def test_a_wrap_up_left_half_written_is_there_again(qtbot, bar):
    begin(qtbot, bar)
    sheet = bar.open_wrap_up()
    qtbot.keyClicks(sheet.note, "half a sen")
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    again = bar.open_wrap_up()
    assert again.note.toPlainText() == "half a sen"


def test_a_canned_note_is_filled_in(qtbot, bar):
    begin(qtbot, bar)
    sheet = bar.open_wrap_up()
    words = "Corrected the name on file to {name}, account {account}, {email}."
    sheet._add(words)
    written = sheet.note.toPlainText()
    assert "Rose DeLong" in written
    assert "1023401" in written
    assert "{" not in written


def test_a_scam_call_is_one_key_away(qtbot, bar):
    qtbot.keyClick(bar.window_of_test, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: bar.window_of_test.findChild(WrapUpSheet) is not None)
    assert bar.window_of_test.findChild(WrapUpSheet).reason.currentText() == Reason.SCAM.words


def test_another_member_in_front_can_be_turned_to(qtbot, bar, records):
    begin(qtbot, bar)
    assert not bar.turn_button.isVisible()
    bar.front[0] = add_member(records, name="Ruiz", numbers=("1023402",), number="M2")
    bar.front_changed()
    assert bar.call.member_name == "Rose DeLong", "a call is never turned without being told to"
    assert bar.turn_button.isVisible()
    qtbot.mouseClick(bar.turn_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.call.member_id == bar.front[0])
    assert not bar.turn_button.isVisible()


def test_a_call_about_nobody_yet_is_about_whoever_is_opened_first(qtbot, bar, rose):
    bar.front[0] = None
    begin(qtbot, bar)
    assert bar.who.text() == "No member yet"
    bar.front[0] = rose
    bar.front_changed()
    qtbot.waitUntil(lambda: bar.call.member_id == rose)


def test_a_call_goes_on_after_the_console_was_closed(qtbot, bar, desk, rose):
    calls.begin(desk, "c-1", rose)
    bar.load()
    qtbot.waitUntil(lambda: bar.call is not None)
    assert bar.call.id == "c-1"


def test_a_refusal_is_said_at_the_foot_of_the_window(qtbot, bar, desk, rose):
    calls.begin(desk, "c-1", rose)
    qtbot.mouseClick(bar.begin_button, Qt.MouseButton.LeftButton)
    toasts = bar.window_of_test.toasts
    qtbot.waitUntil(lambda: toasts.toast is not None)
    assert "still in a call" in toasts.toast.words.text()


@pytest.mark.parametrize(
    ("seconds", "words"), [(-5, "0:00"), (0, "0:00"), (61.9, "1:01"), (3725, "1:02:05")]
)
def test_lengths_are_written_as_on_a_telephone(seconds, words):
    assert length_of_call(seconds) == words


def test_what_is_not_known_is_said_in_general_words():
    assert fill("To {name} at {email}.", {}) == "To the name on file at the address on file."


def test_the_name_follows_a_correction_in_the_bar_and_in_the_wrap_up(qtbot, bar, rose, live, desk):
    begin(qtbot, bar)
    facts = {Fact.NAME, Fact.PHONE, Fact.LAST_FOUR}
    bar.show_call(calls.tick(desk, bar.call.id, facts))
    sheet = bar.open_wrap_up()
    version = names.name_on_file(desk, rose).version
    names.correct_name(desk, names.Correction("c1", rose, version, "De Long", "Rose", Proof.BILL))
    qtbot.waitUntil(lambda: bar.who.text() == "Rose De Long")
    assert bar.call.facts == facts
    assert sheet.title.text() == "Wrap up the call with Rose De Long"
    sheet._add("Read out {name}.")
    assert sheet.note.toPlainText() == "Read out Rose De Long."
    qtbot.waitUntil(lambda: live.idle)
    assert bar.open_wrap_up().windowTitle() == "Wrap up the call with Rose De Long"


def test_who_changes_nothing_is_offered_no_calls(qtbot, desk, rose):
    background = Background(replace(desk, colleague=ANA))
    bar = CallBar(background, lambda: rose, dict)
    qtbot.addWidget(bar)
    bar.show()
    bar.load()
    assert not bar.begin_button.isVisible()
    for action in (bar.begin, bar.begin_ours, bar.turn, bar.wrap, bar.scam):
        assert not action.isEnabled(), action.text()
        assert not action.isVisible(), action.text()
    background.close()
