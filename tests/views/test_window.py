import re
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
)

from console.background import Background, DatabaseAway
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind
from console.models import base
from console.models.registration import Registration
from console.sandbox.misbehaviour import Kind
from console.services import calls, drafts
from console.services.diagnostics import Copied, DatabaseHealth, Light, SecondCopy
from console.services.drafts import Draft
from console.services.rounds import CourierHealth, Going
from console.services.search import Hit
from console.views.call_bar import WrapUpSheet
from console.views.contact import ContactSheet
from console.views.correction import CorrectionDialog
from console.views.palette import Palette, actions_in
from console.views.shortcuts import ShortcutSheet
from console.views.window import Window
from tests.office import add_member, staff_the_office

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def members(records):
    staff_the_office(records)
    return [
        add_member(records),
        add_member(records, name="Ruiz", numbers=("1023402",), number="M2", given_names="Ann"),
    ]


def opened(qtbot, background, settings, look):
    window = Window(background, settings, look)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.begin()
    return window


@pytest.fixture
def window(qtbot, background, desk, look, members):
    window = opened(qtbot, background, desk.settings, look)
    yield window
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)


@pytest.fixture
def training(qtbot, desk, look, members):
    desk = replace(desk, settings=replace(desk.settings, training=True))
    background = Background(desk)
    yield opened(qtbot, background, desk.settings, look)
    background.close()


def texts(window):
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]


def test_typing_anywhere_begins_a_look_up(qtbot, window):
    window.go_to("Diagnostics").setFocus()
    qtbot.keyClicks(QApplication.focusWidget(), "d")
    assert window.search.field.hasFocus()
    qtbot.keyClicks(window.search.field, "elong")
    assert window.search.field.text() == "delong"


def test_typing_over_a_list_begins_a_look_up(qtbot, window):
    table = window.go_to("Registrations").table
    table.setFocus()
    qtbot.keyClicks(table, "d")
    assert window.search.field.text() == "d"


def test_control_k_puts_the_cursor_in_the_search_box(qtbot, window):
    window.home.look_up.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_K, CONTROL)
    assert window.search.field.hasFocus()


def test_typing_in_a_field_stays_in_that_field(qtbot, window):
    field = QLineEdit(window.home)
    field.show()
    field.setFocus()
    qtbot.keyClicks(field, "delong?")
    assert field.text() == "delong?"
    assert window.search.field.text() == ""
    assert window.findChild(ShortcutSheet) is None


def test_the_same_member_never_opens_twice(qtbot, window, members):
    first = window.open_member(members[0], "Rose DeLong")
    window.open_member(members[1], "Ann Ruiz")
    assert window.open_member(members[0], "Rose DeLong") is first
    assert len(window.tabs.pages) == 2
    assert window.tabs.front is first


def test_control_tab_walks_and_control_w_closes(qtbot, window, members):
    for member in members:
        window.open_member(member, f"member {member}")
    assert window.tabs.front.member_id == members[1]
    qtbot.keyClick(window, Qt.Key.Key_Tab, CONTROL)
    assert window.tabs.front.member_id == members[0]
    qtbot.keyClick(window, Qt.Key.Key_W, CONTROL)
    assert [page.member_id for page in window.tabs.pages] == [members[1]]
    qtbot.keyClick(window, Qt.Key.Key_W, CONTROL)
    assert window.tabs.pages == ()
    assert window.home.isVisible()


def test_the_tab_gets_the_member_s_name(qtbot, window, members):
    window.open_member(members[0])
    qtbot.waitUntil(lambda: "DeLong" in window.tabs.bar.tabText(0))
    assert any("DeLong" in button.text() for button in window.home.recent)


def test_a_call_is_told_to_every_open_member(qtbot, window, members):
    for member in members:
        window.open_member(member, "x")
    told = []
    for page in window.tabs.pages:
        page.show_call = lambda call, page=page: told.append((page.member_id, call))
    qtbot.keyClick(window, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: {member for member, call in told if call} == set(members))
    assert window.call_bar.call.member_id == members[1]


def test_the_places_are_reached_by_click_and_by_key(qtbot, window):
    qtbot.mouseClick(window.rail_buttons["Registrations"], Qt.MouseButton.LeftButton)
    assert window.places.currentWidget() is window._made["Registrations"]
    qtbot.keyClick(window, Qt.Key.Key_1, CONTROL)
    assert window.places.currentWidget() is window.tabs
    assert window.rail_buttons["Members"].isChecked()


def test_a_registration_opens_its_member(qtbot, window, members):
    window.go_to("Registrations").open_member.emit(members[0], "1023401")
    assert window.tabs.front.member_id == members[0]
    assert window.places.currentWidget() is window.tabs


def test_training_is_unmistakable_also_when_locked(training):
    words = "Training co-op: nothing leaves this machine"
    assert words in texts(training)
    assert "Training" in training.rail_buttons
    training.lock_now()
    assert words in texts(training)


def test_outside_training_there_is_no_word_of_it(window):
    assert not any("raining" in text for text in texts(window))
    assert "Training" not in window.rail_buttons


# The lock


@pytest.fixture
def idle(window):
    moment = [1_000_000.0]
    window.idle.clock = lambda: moment[0]
    window.idle.touch()
    return moment


def test_a_quarter_of_an_hour_of_quiet_locks(window, idle):
    idle[0] += 15 * 60 - 1
    window.idle.check()
    assert not window.is_locked
    idle[0] += 1
    window.idle.check()
    assert window.is_locked
    assert not window.body.isVisible()
    assert window.windowTitle() == "Locked"


def test_the_first_key_after_a_long_sleep_only_locks(qtbot, window, idle):
    window.search.field.setFocus()
    idle[0] += 8 * 3600
    qtbot.keyClicks(window.search.field, "x")
    assert window.is_locked
    assert window.search.field.text() == ""


def test_every_touch_puts_the_lock_off(qtbot, window, idle):
    for _ in range(3):
        idle[0] += 14 * 60
        qtbot.keyClicks(window.search.field, "r")
    assert not window.is_locked


def test_a_clock_set_back_does_not_keep_it_open(window, idle):
    idle[0] -= 3600
    window.idle.check()
    assert window.is_locked


def test_what_was_half_written_is_there_after_unlocking(qtbot, training):
    qtbot.keyClick(training, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: training.call_bar.call is not None)
    sheet = training.call_bar.open_wrap_up()
    qtbot.keyClicks(sheet.note, "half a sen")
    training.lock_now()
    assert not sheet.isVisible()
    qtbot.mouseClick(training.lock.unlock, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not training.is_locked)
    assert sheet.isVisible()
    assert sheet.note.toPlainText() == "half a sen"


def test_no_shortcut_works_while_locked(qtbot, window, members):
    window.open_member(members[0], "Rose")
    window.lock_now()
    for key in (Qt.Key.Key_K, Qt.Key.Key_P, Qt.Key.Key_W, Qt.Key.Key_2):
        qtbot.keyClick(window, key, CONTROL)
    qtbot.keyClicks(window, "rose?")
    assert window.search.field.text() == ""
    assert len(window.tabs.pages) == 1
    assert window.findChild(Palette) is None


def test_outside_training_unlocking_wants_the_password(qtbot, window):
    window.lock_now()
    qtbot.keyClicks(window.lock.password, "not the password")
    qtbot.keyClick(window.lock.password, Qt.Key.Key_Return)
    qtbot.waitUntil(window.lock.problem.isVisible, timeout=10_000)
    assert window.is_locked


def test_somebody_else_may_sign_in_instead(qtbot, window):
    window.lock_now()
    with qtbot.waitSignal(window.signed_out):
        qtbot.mouseClick(window.lock.leave, Qt.MouseButton.LeftButton)


# Offline


def test_the_courier_light_says_what_waits_and_when_nobody_is_there(qtbot, window):
    button = window.courier_button
    qtbot.waitUntil(lambda: button.text() == "Courier: nothing waits")
    assert button.toolTip() == "Nothing waits. Carried by this console itself."
    window.show_courier(CourierHealth(Going.NOBODY, 3, "No courier has been seen yet.", (), ()))
    assert button.text() == "Courier: nobody there"
    assert button.accessibleName() == "Courier: nobody there"
    assert "No courier has been seen yet." in button.toolTip()
    window.show_courier(None)
    assert button.text() == "Courier: not known"
    assert button.accessibleName() == "Courier: not known"
    window.resize(760, 600)
    qtbot.waitUntil(lambda: button.text() == "")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.rail_buttons["Diagnostics"].isChecked()


def test_what_was_left_half_done_is_offered_at_home(qtbot, window, background, members):
    draft = Draft(
        f"note {members[0]}", "a note", members[0], {"text": "half a sen"}, background.desk.now()
    )
    drafts.keep(background.desk, draft, 1)
    window.home.shown.emit()
    qtbot.waitUntil(lambda: bool(window.home.left))
    assert window.home.left[0].text() == "Rose DeLong  ·  a note, today 10:42"
    qtbot.mouseClick(window.home.left[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: (
            bool(window.tabs.pages) and window.tabs.pages[0].note.text.toPlainText() == "half a sen"
        )
    )


def test_the_minutes_until_the_lock_are_a_setting(qtbot, background, desk, look, members):
    soon = replace(desk.settings, lock_minutes=5.0)
    window = opened(qtbot, background, soon, look)
    assert window.idle.seconds == 300
    at_once = opened(qtbot, background, replace(desk.settings, lock_minutes=0.0), look)
    assert at_once.idle.seconds == 60
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)


def test_the_lights_show_that_both_answer(qtbot, window):
    qtbot.waitUntil(lambda: window.database_button.text() == "Database: answers")
    qtbot.waitUntil(lambda: window.portal_button.text() == "Portal: answers")
    assert not window.banner.isVisible()


def test_an_absent_portal_is_a_banner_that_goes_by_itself(qtbot, window, portal):
    qtbot.waitUntil(lambda: window.portal_button.text() == "Portal: answers")
    portal.misbehave(Kind.DOWN)
    window.ask_health()
    qtbot.waitUntil(window.banner.isVisible)
    assert "outbox" in window.banner.words.text()
    assert window.portal_button.accessibleName() == "Portal does not answer"
    portal.behave()
    qtbot.mouseClick(window.banner.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.banner.isVisible())
    assert "answers again" in window.toasts.toast.words.text()


def test_an_absent_database_keeps_what_is_on_screen_and_loads_again_when_back(
    qtbot, window, members
):
    page = window.open_member(members[0], "Rose")
    window.show_database(DatabaseHealth(Light(False, 0, "The database does not answer."), 0))
    assert window.banner.isVisible()
    assert page.isVisible()
    loads = []
    page.load = lambda: loads.append(1)
    window.show_database(DatabaseHealth(Light(True, 2, "The database answers."), 0))
    assert not window.banner.isVisible()
    assert loads == [1]


# Commands and keys


def test_the_palette_finds_by_parts_of_words_and_runs(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_P, CONTROL)
    palette = window.findChild(Palette)
    qtbot.keyClicks(palette.field, "regis go")
    assert palette.table.current_row().text() == "Go to Registrations"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.places.currentWidget() is window._made["Registrations"]


def test_the_palette_offers_only_what_can_be_done_now(qtbot, window):
    window._on_palette()
    palette = window.findChild(Palette)
    offered = {action.text() for action in palette.table.rows_model.rows}
    assert "Begin a call" in offered
    assert "Wrap up the call" not in offered
    qtbot.keyClicks(palette.field, "zzz")
    assert palette.table.current_row() is None
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)


def test_the_question_mark_shows_every_key(qtbot, window):
    window.home.setFocus()
    qtbot.keyClicks(window.home, "?")
    sheet = window.findChild(ShortcutSheet)
    assert sheet.isVisible()
    keyed = [action.text() for action in actions_in(window) if not action.shortcut().isEmpty()]
    assert set(keyed) <= set(sheet.listed)
    assert "Wrap up the call" in sheet.listed


def test_every_action_has_a_name_and_no_two_visible_ones_share_a_key(window, members):
    window.open_member(members[0], "Rose")
    seen = {}
    for action in window.findChildren(QAction):
        if action.property("listed") is None or not action.isVisible():
            continue
        assert action.text(), "an action without a name cannot be found"
        owner = action.parent()
        if owner.isVisible():
            for key in action.shortcuts():
                assert seen.setdefault(key.toString(), action) is action, key.toString()


def test_light_dark_and_text_size_are_changed_by_key(qtbot, window, look):
    qtbot.keyClick(window, Qt.Key.Key_D, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert look.dark
    qtbot.keyClick(window, Qt.Key.Key_Equal, CONTROL)
    assert look.scale == 110
    qtbot.keyClick(window, Qt.Key.Key_Minus, CONTROL)
    qtbot.keyClick(window, Qt.Key.Key_Minus, CONTROL)
    assert look.scale == 90
    qtbot.keyClick(window, Qt.Key.Key_0, CONTROL)
    assert look.scale == 100


# For everybody


INPUTS = (
    QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox, QAbstractItemView, QTabBar,
)  # fmt: skip


@pytest.mark.parametrize("place", ["Members", "Registrations", "Diagnostics", "Training"])
def test_every_control_has_a_spoken_name(training, members, place):
    if place == "Members":
        training.open_member(members[0], "Rose")
    training.go_to(place)
    training.call_bar.show_call(None)
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for kind in INPUTS
        for widget in training.findChildren(kind)
        if widget.isVisible()
        and not widget.accessibleName()
        and not (isinstance(widget, QPushButton | QAbstractButton) and widget.text())
        and not isinstance(widget.parentWidget(), QTabBar)
        and not widget.objectName().startswith("qt_")
    ]
    assert nameless == []


@pytest.mark.parametrize("place", ["Members", "Registrations", "Diagnostics", "Training"])
def test_no_label_reads_markup(training, members, place):
    training.open_member(members[0], "<b>Rose</b>")
    training.go_to(place)
    for label in training.findChildren(QLabel):
        if label.pixmap().isNull() and not label.objectName().startswith("qt_"):
            assert label.textFormat() == Qt.TextFormat.PlainText, label.text()


def test_a_name_with_an_ampersand_or_a_line_break_is_shown_as_it_is(window, members):
    window._on_hit(Hit(members[0], "Farm & Home\nCo", "1", "1", "", ""))
    assert window.tabs.bar.tabText(0).replace("&&", "&").startswith("Farm & Home")


@pytest.mark.parametrize(("width", "scale"), [(720, 100), (1024, 150), (1366, 200), (2560, 80)])
def test_nothing_breaks_at_any_size(window, members, look, width, scale):
    window.open_member(members[0], "Rose")
    look.set_scale(scale)
    window.resize(width, 700)
    assert window.width() <= max(width, window.minimumSizeHint().width())
    window.grab()
    assert window.search.isVisible()
    assert window.search.width() >= 150


def test_tab_reaches_the_search_box_and_the_rail(qtbot, window):
    reached = set()
    window.search.field.setFocus()
    for _ in range(60):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    for wanted in (
        window.search.field,
        window.rail_buttons["Members"],
        window.call_bar.begin_button,
        window.menu_button,
        window.database_button,
    ):
        assert wanted in reached
    window.rail_buttons["Members"].setFocus()
    qtbot.keyClick(window.rail_buttons["Members"], Qt.Key.Key_Down)
    assert window.rail_buttons["Registrations"].hasFocus()
    qtbot.keyClick(window.rail_buttons["Registrations"], Qt.Key.Key_Space)
    assert window.places.currentWidget() is window._made["Registrations"]


# Where the keys are


def test_a_place_reached_by_key_has_the_keys_on_its_first_row(qtbot, window, records, clock):
    qtbot.waitUntil(window.isActiveWindow)
    with records.begin() as db:
        for number in ("88", "89"):
            db.add(Registration(account_digits=number, kind=CaseKind.REFUSED, since=clock()))
    window.search.field.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_2, CONTROL)
    table = window._made["Registrations"].table
    assert window.focusWidget() is table
    qtbot.waitUntil(lambda: table.rows_model.rowCount() == 2)
    assert table.currentIndex().row() == 0
    assert window._made["Registrations"].take.isEnabled()
    table.turn_to(table.rows_model.key_at(1))
    qtbot.keyClick(window, Qt.Key.Key_1, CONTROL)
    assert window.focusWidget() is window.home
    qtbot.keyClick(window, Qt.Key.Key_2, CONTROL)
    assert table.currentIndex().row() == 1


def test_back_at_a_member_the_keys_are_where_they_were(qtbot, window, members):
    page = window.open_member(members[0], "Rose")
    qtbot.waitUntil(lambda: page.page_shown is not None)
    page.note.text.setFocus()
    window.go_to("Registrations")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_1, CONTROL)
    assert window.focusWidget() is page.note.text


def test_what_a_toast_tells_of_goes_with_its_place(window, members):
    window.toasts.say("The note was removed.")
    window.go_to("Members")
    assert window.toasts.toast is not None
    window.go_to("Registrations")
    assert window.toasts.toast is None
    window.toasts.say("The case is yours.")
    window.open_member(members[0], "Rose")
    assert window.toasts.toast is None


# What was left half done


def leave(background, form, words, member, fields):
    draft = Draft(f"{form} {member}", words, member, fields, background.desk.now())
    drafts.keep(background.desk, draft, time.monotonic_ns())
    return draft


def take_up(qtbot, window):
    window.home.shown.emit()
    qtbot.waitUntil(lambda: bool(window.home.left))
    qtbot.mouseClick(window.home.left[0], Qt.MouseButton.LeftButton)


def test_a_correction_left_half_done_is_gone_on_with(qtbot, window, background, members):
    leave(background, "correction", "a correction of the name", members[0], {"name": "De Lo"})
    take_up(qtbot, window)
    qtbot.waitUntil(lambda: window.findChild(CorrectionDialog) is not None)
    sheet = window.findChild(CorrectionDialog)
    qtbot.waitUntil(lambda: sheet.name.text() == "De Lo")
    assert sheet.isVisible()
    sheet.done(0)


def test_a_change_of_the_contact_left_half_done_is_gone_on_with(qtbot, window, background, members):
    words = "a change of the contact details"
    leave(background, "contact", words, members[0], {"phone": "620 555 0199"})
    take_up(qtbot, window)
    qtbot.waitUntil(lambda: window.findChild(ContactSheet) is not None)
    assert window.findChild(ContactSheet).isVisible()
    window.findChild(ContactSheet).done(0)


def test_a_note_left_half_done_has_the_keys(qtbot, window, background, members):
    leave(background, "note", "a note", members[0], {"text": "half a sen"})
    take_up(qtbot, window)
    qtbot.waitUntil(lambda: window.tabs.front.page_shown is not None)
    assert window.focusWidget() is window.tabs.front.note.text


def test_a_wrap_up_left_half_done_is_gone_on_with(qtbot, window, background, members):
    window.call_bar.show_call(calls.begin(background.desk, "c-1", members[0]))
    draft = Draft("wrap-up c-1", "a wrap-up", members[0], {"note": "half"}, background.desk.now())
    drafts.keep(background.desk, draft, time.monotonic_ns())
    take_up(qtbot, window)
    qtbot.waitUntil(lambda: window.findChild(WrapUpSheet) is not None)
    sheet = window.findChild(WrapUpSheet)
    qtbot.waitUntil(lambda: sheet.note.toPlainText() == "half")
    sheet.reject()


def test_what_was_left_half_done_is_thrown_away_and_brought_back(
    qtbot, window, background, members
):
    draft = leave(background, "note", "a note", members[0], {"text": "half a sen"})
    window.home.shown.emit()
    qtbot.waitUntil(lambda: bool(window.home.throw_away))
    qtbot.mouseClick(window.home.throw_away[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.home.left)
    assert drafts.recall(background.desk, draft.name) is None
    assert window.home.left_head.isHidden()
    qtbot.waitUntil(lambda: window.toasts.toast is not None)
    assert window.toasts.toast.words.text() == "The note for Rose DeLong is thrown away."
    qtbot.mouseClick(window.toasts.toast.undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.home.left) == 1)
    assert drafts.recall(background.desk, draft.name) == draft


# A database that is away


@pytest.fixture
def away(qtbot, window, background, monkeypatch):
    """A window whose database is away, until what is answered here is called."""
    monkeypatch.setattr(base, "REACH_SECONDS", 0.2)
    qtbot.waitUntil(lambda: background.idle)
    desk = background.desk
    nowhere = base.connect("postgresql://127.0.0.1:9/coop")
    background._desk = replace(desk, records=nowhere)
    window.show_database(DatabaseHealth(Light(False, 0, "The database does not answer."), 0))

    def back():
        background._desk = desk
        window.show_database(DatabaseHealth(Light(True, 2, "The database answers."), 0))

    yield back
    nowhere.close()


def test_a_list_and_a_member_looked_at_meanwhile_come_by_themselves(
    qtbot, window, away, background, members
):
    screen = window.go_to("Registrations")
    page = window.open_member(members[0], "Rose DeLong")
    assert page.header.name.text() == "Rose DeLong"
    qtbot.waitUntil(page.unread.isVisible, timeout=20_000)
    assert not page.problem.isVisible()
    window.go_to("Registrations")
    qtbot.waitUntil(
        lambda: screen._empty.sentence.text() == "This list cannot be read just now.",
        timeout=20_000,
    )
    assert not screen.problem.isVisible()
    screen.problem.say("The database does not answer, so nothing was done.")
    away()
    assert not screen.problem.isVisible()
    qtbot.waitUntil(lambda: screen._empty.sentence.text() == "Nobody is stuck.")
    qtbot.waitUntil(lambda: page.page_shown is not None)
    window.go_to("Members")
    assert page.header.name.text() == "DeLong"
    assert not page.unread.isVisible()


def test_a_page_that_is_read_already_says_nothing_of_its_own(qtbot, window, members, background):
    page = window.open_member(members[0], "Rose DeLong")
    qtbot.waitUntil(lambda: page.page_shown is not None and background.idle)
    page._on_load_failed(DatabaseAway("The database does not answer, so nothing was done."))
    assert not page.problem.isVisible()
    assert not page.unread.isVisible()
    page._on_load_failed(ConsoleError("The disk of the database is full."))
    assert page.problem.isVisible()


# Keys


def test_the_keys_are_grouped_by_place_and_grey_is_explained(qtbot, window, members):
    window.go_to("Registrations")
    window.open_member(members[0], "Rose")
    window.keys_action.trigger()
    sheet = window.findChild(ShortcutSheet)
    place = {name: where for where, lines in sheet.groups.items() for name, *_ in lines}
    assert place["Lock the console"] == "Everywhere"
    assert place["Begin a call"] == "Calls"
    assert place["Change the contact details"] == "Members"
    assert place["Close this member"] == "Members"
    assert place["Take this case"] == "Registrations"
    assert "Grey: not possible here just now." in " ".join(texts(sheet))
    sheet.reject()


@pytest.mark.parametrize("scale", [100, 150])
@pytest.mark.parametrize("width", [900, 1366])
def test_the_icons_of_the_rail_stand_on_one_line(qtbot, window, look, scale, width):
    look.set_scale(scale)
    window.resize(width, 768)
    QApplication.processEvents()

    def middle(widget, inside):
        return widget.mapTo(window, QPoint(inside, 0)).x()

    buttons = [*window.rail_buttons.values(), window.database_button, window.courier_button]
    at = [middle(button, 1 + look.px(12 + 9)) for button in buttons]
    marks = [part for part in (window.coop_icon, window.person_icon) if part.isVisible()]
    if not window.person_icon.isVisible():
        marks.append(window.menu_button)
    at += [middle(mark, mark.width() // 2) for mark in marks]
    assert max(at) - min(at) <= 1
    for role in ("rail", "light"):
        wanted = rf'QPushButton\[role="{role}"\] \{{[^}}]*padding: \S+ (\d+)px'
        assert int(re.search(wanted, look.style_sheet())[1]) == look.px(12)


def test_what_is_answered_behind_the_lock_is_read_after_it(qtbot, window):
    undone = []
    window.lock_now()
    toast = window.toasts.say("The name on file is “De Long” again.", lambda: undone.append(1))
    assert not toast.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)
    assert undone == []
    window.unlock()
    assert toast.isVisible()


def test_the_rail_warns_of_a_second_copy_that_is_not_there_and_is_silent_otherwise(qtbot, window):
    qtbot.waitUntil(lambda: window.database_light is not None)
    button = window.second_copy_button
    assert not button.isVisible()
    for state in (Copied.AWAY, Copied.BEHIND, Copied.NONE):
        window.show_second_copy(SecondCopy(state, "Tell whoever looks after the server."))
        assert button.isVisible()
        assert button.accessibleName() == f"Second copy: {state}"
    for well in (SecondCopy(Copied.BOTH, ""), SecondCopy(Copied.UNKNOWN, ""), None):
        window.show_second_copy(well)
        assert not button.isVisible()
