from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QFontMetrics, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QMainWindow, QPlainTextEdit
from sqlalchemy import select

from console.background import Background
from console.domain.calls import Fact
from console.domain.members import AlertKind
from console.domain.money import Money
from console.domain.registration import CaseKind, Channel, Outcome, Proof, RegistrationState
from console.models.accounts import Account
from console.models.members import Member, Note
from console.models.registration import Registration, RegistrationAttempt
from console.services import calls, members, names
from console.services.member_page import EntryKind, NextAct, NextStep
from console.views import theme
from console.views.correction import CorrectionDialog
from console.views.flash import Flash
from console.views.member_alerts import AlertSheet
from console.views.members import MemberScreen
from console.views.timeline import by_whom
from console.views.toasts import Toasts
from tests.office import ANA, SAM, add_member, staff_the_office, trail

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def rose(records):
    staff_the_office(records)
    return add_member(records)


@pytest.fixture
def live(records, background):
    """A background that hears of what this and other desks commit."""
    records.on_change(background.changed.emit)
    return background


@pytest.fixture
def shown(qtbot, live):
    """Open members in a window, as the window does."""
    windows = []

    def show(member_id, size=(1158, 616)):
        window = QMainWindow()
        window.toasts = Toasts(window)
        screen = MemberScreen(live, member_id)
        window.setCentralWidget(screen)
        window.resize(*size)
        qtbot.addWidget(window)
        windows.append(window)
        window.show()
        window.activateWindow()
        screen.load()
        qtbot.waitUntil(lambda: screen.page_shown is not None and live.idle)
        return screen

    yield show
    qtbot.waitUntil(lambda: live.idle)


@pytest.fixture
def screen(shown, rose):
    return shown(rose)


def press(widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget, key, modifier)


def settle(qtbot, screen):
    qtbot.waitUntil(lambda: screen.background.idle)
    QTest.qWait(1)
    qtbot.waitUntil(lambda: screen.background.idle)


def words(screen):
    return " | ".join(
        label.text() for label in screen.findChildren(QLabel) if label.isVisible() and label.text()
    )


def verify(qtbot, screen):
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_5):
        press(screen.window(), key, ALT)
    qtbot.waitUntil(
        lambda: (
            screen.page_shown is not None
            and not screen.page_shown.masked
            and screen.background.idle
        )
    )


def test_a_call_is_answered_without_a_click(screen):
    said = words(screen)
    for part in ("DeLong", "Rose", "M1023401", "14 Mill Road", "881023401", "Mary Ruiz",
                 "may pay and ask", "Fri 4 Dec" if "Fri 4 Dec" in said else "No date",
                 "Not registered at SmartHub yet"):  # fmt: skip
        assert part in said, part


def test_only_the_first_look_is_written_on_the_trail(qtbot, screen, desk):
    screen.load()
    settle(qtbot, screen)
    assert trail(desk) == ["member:opened"]


def test_money_and_contact_stay_hidden_until_the_caller_is_verified(qtbot, screen, desk):
    assert "$142.10" not in words(screen)
    assert "rose@example.org" not in words(screen)
    verify(qtbot, screen)
    said = words(screen)
    assert "$142.10" in said
    assert "rose@example.org" in said
    assert "Caller verified 10:42" in said
    assert trail(desk) == ["member:opened", "call:begun", "caller:verified"]


def test_what_is_uncovered_is_no_news_and_does_not_light_up(qtbot, screen):
    lines = screen.timeline.list.rows_model
    masked = {lines.index(row, 0).data() for row in range(lines.rowCount())}
    verify(qtbot, screen)
    assert masked != {lines.index(row, 0).data() for row in range(lines.rowCount())}
    lit = [row for row in range(lines.rowCount()) if lines.light_of(row) > 0]
    assert lit == [0, 1], "today, and the call that has begun"


def test_ticking_the_first_fact_begins_the_call(qtbot, screen, desk, rose):
    states = []
    screen.call_changed.connect(states.append)
    qtbot.mouseClick(screen.caller.boxes[Fact.NAME], LEFT, pos=QPoint(10, 10))
    qtbot.waitUntil(lambda: bool(states) and states[-1].facts == {Fact.NAME})
    settle(qtbot, screen)
    assert screen.caller.boxes[Fact.NAME].isChecked()
    call = calls.current(desk)
    assert call.member_id == rose
    assert call.member_began
    assert "2 more facts" in words(screen)


def test_ticks_that_come_faster_than_the_answers_all_count(qtbot, screen, desk):
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4):
        press(screen.window(), key, ALT)
    settle(qtbot, screen)
    qtbot.waitUntil(
        lambda: (
            calls.current(desk).facts
            == {Fact.NAME, Fact.SERVICE_ADDRESS, Fact.PHONE, Fact.LAST_PAYMENT}
        )
    )
    assert trail(desk).count("call:begun") == 1


def test_a_tick_can_be_taken_back_and_hides_everything_again(qtbot, screen, desk):
    verify(qtbot, screen)
    press(screen.window(), Qt.Key.Key_5, ALT)
    qtbot.waitUntil(lambda: screen.page_shown.masked)
    settle(qtbot, screen)
    assert "$142.10" not in words(screen)
    assert not calls.current(desk).verified


def test_when_the_call_ends_everything_is_hidden_again(qtbot, screen):
    verify(qtbot, screen)
    screen.show_call(None)
    qtbot.waitUntil(lambda: screen.page_shown.masked)
    assert "$142.10" not in words(screen)
    assert not any(box.isChecked() for box in screen.caller.boxes.values())


def test_a_call_that_we_make_is_begun_from_the_menu(qtbot, screen, desk):
    screen.caller.we_called.trigger()
    qtbot.waitUntil(lambda: screen.caller.call is not None)
    settle(qtbot, screen)
    assert not calls.current(desk).member_began


def test_a_caller_who_is_somebody_else_is_not_verified_here(qtbot, shown, records, rose, desk):
    other = add_member(records, name="Ruiz", numbers=("1023402",), number="M2", given_names="Ann")
    state = calls.begin(desk, str(uuid4()), other)
    screen = shown(rose)
    screen.show_call(state)
    press(screen.window(), Qt.Key.Key_1, ALT)
    settle(qtbot, screen)
    assert "You are in a call with Ann Ruiz" in words(screen)
    assert not screen.caller.boxes[Fact.NAME].isEnabled()
    assert calls.current(desk).facts == frozenset()


def test_a_call_of_another_console_is_said_on_the_page(qtbot, screen, records, desk):
    other = add_member(records, name="Ruiz", numbers=("1023402",), number="M2", given_names="Ann")
    settle(qtbot, screen)
    calls.begin(desk, str(uuid4()), other)
    press(screen.window(), Qt.Key.Key_1, ALT)
    qtbot.waitUntil(lambda: "still in a call with Ann Ruiz" in words(screen))
    assert not screen.caller.boxes[Fact.NAME].isChecked()


def test_what_the_file_lacks_is_not_offered_as_a_fact(shown, records):
    staff_the_office(records)
    member = add_member(records, identity_last_four="", phone="")
    screen = shown(member)
    assert set(screen.caller.boxes) == {Fact.NAME, Fact.SERVICE_ADDRESS, Fact.LAST_PAYMENT}
    press(screen.window(), Qt.Key.Key_5, ALT)
    assert "Ask for another fact" in words(screen)


def test_the_name_is_copied_exactly_as_on_file(screen):
    press(screen.window(), Qt.Key.Key_C, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert QGuiApplication.clipboard().text() == "DeLong"


def test_the_gravest_alert_stands_first_with_its_word(qtbot, shown, rose, desk):
    members.raise_alert(desk, rose, AlertKind.DOG_ON_PREMISES, "Big.")
    members.raise_alert(desk, rose, AlertKind.MEDICAL_NECESSITY, "Oxygen.")
    screen = shown(rose)
    assert [badge.text() for badge in screen.header.alert_badges] == [
        "Medical necessity",
        "Dog on the premises",
    ]
    assert all(badge.icon for badge in screen.header.alert_badges)
    assert "Oxygen." in screen.header.alert_badges[0].toolTip()


def test_f6_puts_the_focus_on_the_first_open_fact(qtbot, screen):
    screen.caller.begin(member_began=True)
    settle(qtbot, screen)
    qtbot.waitUntil(lambda: screen.step.step.act is NextAct.VERIFY_CALLER)
    press(screen.window(), Qt.Key.Key_F6)
    assert screen.caller.boxes[Fact.NAME].hasFocus()
    press(screen.caller.boxes[Fact.NAME], Qt.Key.Key_Space)
    qtbot.waitUntil(screen.caller.boxes[Fact.NAME].isChecked)


def test_nothing_to_do_leaves_no_button(screen):
    screen.step.show_step(NextStep("Nothing waits to be done.", NextAct.NONE, ""))
    assert not screen.step.button.isVisible()
    assert not screen.step.action.isEnabled()


# The next step, for a registration that the portal has reported


@pytest.fixture
def refused(shown, records, rose, clock):
    with records.begin() as db:
        case = Registration(
            account_number="1023401",
            member_id=rose,
            account_digits="1023401",
            kind=CaseKind.REFUSED,
            since=clock(),
            attempts=1,
        )
        db.add(case)
        db.flush()
        db.add(
            RegistrationAttempt(
                id="a1",
                registration_id=case.id,
                member_id=rose,
                at=clock(),
                account_typed="1023401",
                name_typed="De Long",
                channel=Channel.WEB,
                outcome=Outcome.NAME_MISMATCH,
            )
        )
    return shown(rose)


def test_f6_brings_the_explanation_up_with_both_spellings(qtbot, refused):
    assert refused.step.step.act is NextAct.EXPLAIN_REFUSAL
    assert "“De Long” was typed" in words(refused)
    press(refused.window(), Qt.Key.Key_F6)
    assert refused.explain.isVisible()
    assert refused.explain.typed_name.text() == "De Long"
    assert refused.explain.read_button.hasFocus()
    top = refused.explain.mapTo(refused.area.viewport(), QPoint(0, 0)).y()
    assert 0 <= top < refused.area.viewport().height() / 2


def test_what_the_caller_says_they_typed_survives_a_reload(qtbot, refused, desk, rose):
    refused.explain.ask_what_was_typed()
    QTest.keyClicks(refused.explain.typed_name, "Delonge")
    members.write_note(replace(desk, colleague=SAM), "n1", rose, "From Sam.", None)
    qtbot.waitUntil(lambda: any(e.note_id == "n1" for e in refused.page_shown.timeline))
    assert refused.explain.typed_name.text() == "Delonge"
    assert refused.explain.typed_name.hasFocus()


def test_the_file_is_corrected_from_the_explanation(qtbot, refused):
    press(refused.window(), Qt.Key.Key_E, CONTROL)
    sheet = refused.window().findChild(CorrectionDialog)
    assert sheet is not None
    assert sheet.isVisible()
    sheet.reject()


def test_the_tries_are_listed_as_the_portal_reports_them(refused):
    said = words(refused)
    assert "Refused: the name differs" in said
    assert "“De Long”, 1023401" in said
    assert "today 10:42 on the web" in said
    assert "SmartHub: refused" in said


def test_a_correction_is_undone_from_the_timeline(qtbot, shown, rose, desk):
    page = members.refresh(desk, rose)
    names.correct_name(
        desk,
        names.Correction("c1", rose, page.version, "De Long", "Rose", Proof.BILL),
    )
    screen = shown(rose)
    assert screen.header.name.text() == "De Long"
    press(screen.window(), Qt.Key.Key_F8)
    turn_to(screen, EntryKind.EDIT)
    for place, line in enumerate(screen.timeline.list.rows_model.rows):
        if line.entry is not None and line.entry.correction_id:
            screen.timeline.list.setCurrentIndex(screen.timeline.list.rows_model.index(place, 0))
    assert screen.timeline.undo_button.isVisible()
    qtbot.mouseClick(screen.timeline.undo_button, LEFT)
    qtbot.waitUntil(lambda: screen.header.name.text() == "DeLong")
    settle(qtbot, screen)
    assert not screen.timeline.undo.isEnabled()


# Notes


def write(qtbot, screen, text):
    press(screen.window(), Qt.Key.Key_F7)
    assert screen.note.text.hasFocus()
    QTest.keyClicks(screen.note.text, text)


def test_a_note_is_written_with_keys_alone(qtbot, screen):
    write(qtbot, screen, "Speaks slowly.")
    press(screen.note.text, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: any(e.detail == "Speaks slowly." for e in screen.page_shown.timeline))
    assert screen.note.text.toPlainText() == ""
    entry = next(e for e in screen.page_shown.timeline if e.kind is EntryKind.NOTE)
    assert entry.who == "Pat Lindqvist"


def test_a_card_number_in_a_note_is_refused_and_the_words_stay(qtbot, screen, records):
    write(qtbot, screen, "Wants to pay with 4111 1111 1111 1111")
    press(screen.note.text, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(screen.note.problem.isVisible)
    assert "card number" in screen.note.problem.text()
    assert screen.note.text.toPlainText() == "Wants to pay with 4111 1111 1111 1111"
    with records.read() as db:
        assert db.scalars(select(Note)).all() == []


def test_a_note_is_removed_and_brought_back(qtbot, shown, rose, desk):
    members.write_note(desk, "n1", rose, "Old news.", None)
    screen = shown(rose)
    press(screen.window(), Qt.Key.Key_F8)
    turn_to(screen, EntryKind.NOTE)
    press(screen.timeline.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not any(e.note_id for e in screen.page_shown.timeline))
    settle(qtbot, screen)
    toast = screen.window().toasts.toast
    assert toast.words.text() == "The note was removed."
    qtbot.mouseClick(toast.undo, LEFT)
    qtbot.waitUntil(lambda: any(e.note_id == "n1" for e in screen.page_shown.timeline))


def turn_to(screen, kind):
    listed = screen.timeline.list
    for place, line in enumerate(listed.rows_model.rows):
        if line.entry is not None and line.entry.kind is kind:
            listed.setCurrentIndex(listed.rows_model.index(place, 0))
            return
    raise AssertionError(f"nothing of {kind} is listed")


# The timeline


def test_the_timeline_is_grouped_by_day_and_filtered_by_kind(qtbot, shown, rose, desk):
    members.write_note(desk, "n1", rose, "First.", None)
    screen = shown(rose)
    lines = screen.timeline.list.rows_model.rows
    assert [line.day for line in lines if line.day] == ["Today", "Thu 12 Nov", "Mon 2 Nov"]
    assert screen.timeline.chips[EntryKind.NOTE].text() == "Notes  1"
    assert not screen.timeline.chips[EntryKind.ISSUE].isVisible()
    qtbot.mouseClick(screen.timeline.chips[EntryKind.BILL], LEFT)
    kinds = {line.entry.kind for line in screen.timeline.list.rows_model.rows if line.entry}
    assert kinds == {EntryKind.BILL}


def test_what_another_desk_writes_appears_and_nothing_jumps(qtbot, shown, rose, desk):
    for number in range(12):
        members.write_note(desk, f"n{number}", rose, f"Note {number}. " + "Long. " * 30, None)
    screen = shown(rose)
    write(qtbot, screen, "half a no")
    turn_to(screen, EntryKind.BILL)
    listed = screen.timeline.list
    held = listed.current_key()
    before = listed.verticalScrollBar().value()
    members.write_note(replace(desk, colleague=SAM), "other", rose, "From Sam.", None)
    qtbot.waitUntil(lambda: any(e.note_id == "other" for e in screen.page_shown.timeline))
    assert listed.current_key() == held
    assert before > 0
    assert listed.verticalScrollBar().value() == before
    assert screen.note.text.toPlainText() == "half a no"
    assert screen.note.text.hasFocus()
    place = next(
        i for i, line in enumerate(listed.rows_model.rows)
        if line.entry and line.entry.note_id == "other"
    )  # fmt: skip
    assert listed.rows_model.light_of(place) > 0


def test_what_another_desk_changes_lights_up(qtbot, screen, rose, records):
    with records.begin() as db:
        db.get(Member, rose).name = "Delong"
        db.get(Account, "1023401").meter_number = "880042"
    qtbot.waitUntil(lambda: screen.header.name.text() == "Delong")
    qtbot.waitUntil(lambda: screen.accounts.detail.meter.text() == "880042")
    assert screen.header.name.findChild(Flash).isVisible()
    assert screen.accounts.detail.findChild(Flash).isVisible()
    assert screen.header.phone.findChild(Flash) is None


# Accounts


def test_several_accounts_are_walked_with_keys(qtbot, shown, records):
    staff_the_office(records)
    member = add_member(records, numbers=("1023401", "1023402", "1023403"))
    screen = shown(member)
    assert screen.accounts.table.isVisible()
    press(screen.window(), Qt.Key.Key_Down, ALT)
    assert screen.accounts.account.number == "1023402"
    assert "Account 1023402" in words(screen)
    screen.load()
    settle(qtbot, screen)
    assert screen.accounts.account.number == "1023402"
    press(screen.window(), Qt.Key.Key_Up, ALT)
    press(screen.window(), Qt.Key.Key_Up, ALT)
    assert screen.accounts.account.number == "1023403"


def test_what_is_past_due_is_said_in_words(qtbot, shown, rose, records):
    with records.begin() as db:
        db.get(Account, "1023401").past_due = Money(4000)
    screen = shown(rose)
    assert screen.accounts.detail.past.isVisible()
    assert screen.accounts.detail.past.text() == "Past due"


def test_a_name_that_looks_like_markup_stays_a_name(shown, records):
    staff_the_office(records)
    member = add_member(records, name="<b>Bold</b> & Sons")
    screen = shown(member)
    assert screen.header.name.text() == "<b>Bold</b> & Sons"
    assert all(
        label.textFormat() == Qt.TextFormat.PlainText
        for label in screen.findChildren(QLabel)
        if label.text()
    )


def test_a_member_who_is_gone_is_said_with_the_next_step(qtbot, live):
    screen = MemberScreen(live, 4711)
    qtbot.addWidget(screen)
    screen.show()
    screen.load()
    qtbot.waitUntil(screen.problem.isVisible)
    assert "no longer on file" in screen.problem.text()


def test_an_auditor_looks_and_ticks_nothing(qtbot, desk, rose, look):
    from console.background import Background

    background = Background(replace(desk, colleague=ANA))
    screen = MemberScreen(background, rose)
    qtbot.addWidget(screen)
    screen.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    assert not screen.note.isVisible()
    assert not any(box.isEnabled() for box in screen.caller.boxes.values())
    background.close()


# How it is built


def test_everything_can_be_reached_by_key_and_has_a_spoken_name(screen):
    reachable = [
        widget
        for kind in (QAbstractButton, QLineEdit, QPlainTextEdit)
        for widget in screen.findChildren(kind)
        if widget.isVisible()
    ]
    assert reachable
    for widget in reachable:
        spoken = widget.accessibleName() or (
            widget.text() if isinstance(widget, QAbstractButton) else ""
        )
        assert spoken, widget
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, spoken


def test_no_key_does_two_things(screen):
    keys = [
        action.shortcut().toString()
        for action in screen.findChildren(QAction)
        if not action.shortcut().isEmpty()
    ]
    assert len(keys) == len(set(keys))
    assert all(
        action.text() for action in screen.findChildren(QAction) if action.property("listed")
    )


@pytest.mark.parametrize(
    ("size", "scale"), [((816, 560), 100), ((1158, 616), 150), ((620, 500), 100)]
)
def test_nothing_is_cut_off_at_the_sides(qtbot, shown, records, look, size, scale):
    look.set_scale(scale)
    staff_the_office(records)
    member = add_member(
        records,
        name="Krzyżanowska-Nguyễn Electrical Contracting & Sons LLC",
        given_names="",
        is_business=True,
        numbers=("2048001", "2048002", "2048003"),
    )
    screen = shown(member, size)
    settle(qtbot, screen)
    for part in (screen.header, screen.step, screen.caller, screen.accounts, screen.portal,
                 screen.timeline):  # fmt: skip
        right = part.mapTo(screen, QPoint(part.width(), 0)).x()
        assert right <= screen.width(), part
    inside = screen.area.widget()
    assert inside.width() <= screen.area.viewport().width()
    for label in screen.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap() and label.text():
            parent = label.parentWidget()
            assert label.geometry().right() <= parent.width(), label.text()


# Alerts


def test_an_alert_is_raised_by_keys_and_taken_back(qtbot, screen, rose, desk):
    press(screen.window(), Qt.Key.Key_A, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    sheet = screen.window().findChild(AlertSheet)
    sheet.kind.setCurrentText("Fraud watch")
    QTest.keyClicks(sheet.note, "Two odd calls.")
    qtbot.mouseClick(sheet.save, LEFT)
    qtbot.waitUntil(lambda: [a.kind for a in screen.page_shown.alerts] == [AlertKind.FRAUD_WATCH])
    assert "Fraud watch" in words(screen)
    settle(qtbot, screen)
    screen.window().activateWindow()
    qtbot.waitUntil(screen.window().isActiveWindow)
    press(screen.window(), Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: screen.page_shown.alerts == ())
    assert "Fraud watch" not in words(screen)


def test_an_alert_is_cleared_and_brought_back(qtbot, shown, rose, desk):
    members.raise_alert(desk, rose, AlertKind.NO_CHEQUES, "Two came back.")
    screen = shown(rose)
    sheet = screen.open_alerts()
    assert AlertKind.NO_CHEQUES.words not in [
        sheet.kind.itemText(i) for i in range(sheet.kind.count())
    ]
    qtbot.mouseClick(sheet.clears[AlertKind.NO_CHEQUES], LEFT)
    qtbot.waitUntil(lambda: screen.page_shown.alerts == ())
    settle(qtbot, screen)
    qtbot.mouseClick(screen.window().toasts.toast.undo, LEFT)
    qtbot.waitUntil(lambda: len(screen.page_shown.alerts) == 1)


def test_a_card_number_in_an_alert_is_refused_on_the_sheet(qtbot, screen):
    sheet = screen.open_alerts()
    sheet.note.setText("4111 1111 1111 1111")
    qtbot.mouseClick(sheet.save, LEFT)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert sheet.note.text() == "4111 1111 1111 1111"
    sheet.reject()


# What a name can be corrected from, and what comes after


def test_the_name_can_be_corrected_once_the_portal_has_a_registration(
    qtbot, shown, rose, records, clock
):
    with records.begin() as db:
        db.add(
            Registration(
                account_number="1023401", member_id=rose, account_digits="1023401",
                kind=CaseKind.WAITING, state=RegistrationState.AWAITING_VERIFICATION,
                since=clock(), sent_at=clock(),
            )
        )  # fmt: skip
    screen = shown(rose)
    assert not screen.explain.isVisible()
    assert screen.header.edit_name.isVisible()
    press(screen.window(), Qt.Key.Key_N, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    sheet = screen.window().findChild(CorrectionDialog)
    assert sheet is not None
    assert sheet.isVisible()
    sheet.done(0)


def test_after_a_correction_the_next_step_is_to_read_the_spelling_out(
    qtbot, refused, rose, desk, clock
):
    assert refused.step.button.text() == "Explain the refusal"
    clock.advance(minutes=1)
    version = refused.page_shown.version
    names.correct_name(desk, names.Correction("c1", rose, version, "De Lang", "Rose", Proof.BILL))
    qtbot.waitUntil(lambda: refused.header.name.text() == "De Lang")
    assert refused.step.button.text() == "Read the spelling out"
    settle(qtbot, refused)
    press(refused.window(), Qt.Key.Key_F6)
    assert refused.explain.read_button.hasFocus()
    names.undo_correction(desk, "u1", "c1")
    qtbot.waitUntil(lambda: refused.step.button.text() == "Explain the refusal")


def test_who_changes_nothing_is_offered_no_facts_and_no_pencils(qtbot, rose, desk):
    background = Background(replace(desk, colleague=ANA))
    screen = MemberScreen(background, rose)
    qtbot.addWidget(screen)
    screen.resize(1158, 616)
    screen.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    assert not screen.caller.isVisible()
    assert not any(action.isEnabled() for action in screen.caller.ticks.values())
    header = screen.header
    for button in (header.edit_name, header.edit_contact, header.flag):
        assert not button.isVisible()
    for action in (header.correct_action, header.contact_action, header.alerts_action):
        assert not action.isEnabled()
    background.close()


# What is no news


def test_a_member_just_opened_does_not_light_up_by_what_the_portal_says(qtbot, town, live, clock):
    town.registers()
    with town.desk.records.begin() as db:  # as it was known before the e-mail went
        db.add(
            Registration(
                account_number="1023401", member_id=town.rose, account_digits="1023401",
                kind=CaseKind.WAITING, state=RegistrationState.AWAITING_VERIFICATION,
                since=clock(), refreshed_at=clock(),
            )
        )  # fmt: skip
    window = QMainWindow()
    qtbot.addWidget(window)
    screen = MemberScreen(live, town.rose)
    window.setCentralWidget(screen)
    window.resize(1158, 616)
    window.show()
    clock.advance(minutes=5)
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    qtbot.waitUntil(lambda: bool(screen.page_shown.accounts[0].portal.deliveries))
    settle(qtbot, screen)
    assert screen.verification.isVisible()
    assert all(flash.isHidden() for flash in screen.findChildren(Flash))
    assert not screen.timeline.list.rows_model.is_lit
    assert not screen.accounts.table.rows_model.is_lit


def test_that_the_portal_was_asked_again_is_nobody_s_change(qtbot, shown, rose, records, clock):
    with records.begin() as db:
        db.add(
            Registration(
                account_number="1023401", member_id=rose, account_digits="1023401",
                kind=CaseKind.WAITING, state=RegistrationState.AWAITING_VERIFICATION,
                since=clock(), sent_at=clock(), refreshed_at=clock(),
            )
        )  # fmt: skip
    screen = shown(rose)
    settle(qtbot, screen)
    screen._own_looks.clear()
    page = screen.page_shown
    account = page.accounts[0]
    later = replace(account.portal, refreshed_at=clock() + timedelta(minutes=9))
    screen.show_page(replace(page, accounts=(replace(account, portal=later),)))
    assert all(flash.isHidden() for flash in screen.findChildren(Flash))
    assert not screen.accounts.table.rows_model.is_lit
    bounced = replace(later, kind=CaseKind.BOUNCED)
    screen.show_page(replace(page, accounts=(replace(account, portal=bounced),)))
    assert screen.verification.findChild(Flash).isVisible()


@pytest.mark.parametrize("scale", [80, 100, 150, 200])
def test_who_did_it_is_said_in_full_where_there_is_room(look, scale):
    look.set_scale(scale)
    sizes = QFontMetrics(look.font(theme.SMALL))
    for who in ("Member", "Riley Osterholm", "Portal"):
        room = sizes.horizontalAdvance(f"{who}  00:00")
        assert by_whom("02:44", who, sizes, room) == f"{who}  02:44"
        narrow = by_whom("02:44", who, sizes, room - 10)
        assert "…" in narrow
        assert narrow.endswith("  02:44")
    assert by_whom("", "Portal", sizes, sizes.horizontalAdvance("Portal")) == "Portal"


@pytest.mark.parametrize("width", [420, 560, 700, 900, 1158])
def test_the_pencil_never_stands_alone_on_a_line(shown, rose, width):
    screen = shown(rose, size=(width, 700))
    header = screen.header
    pencil = header.edit_contact.mapTo(header.contact, QPoint(0, 0)).y()
    last = header.mailing.mapTo(header.contact, QPoint(0, 0)).y()
    assert abs(pencil - last) < header.mailing.height()
