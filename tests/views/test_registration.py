import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from sqlalchemy import select

from console.background import Background
from console.domain.registration import CaseKind, Proof
from console.models import schema
from console.models.audit import AuditEntry
from console.models.registration import Registration
from console.sandbox.portal import Kind
from console.services import changes, members, names, polling, registration
from console.views.explanation import ExplainPanel
from console.views.registration import RegistrationsScreen
from console.views.toasts import Toasts
from tests.office import ANA, PAT, SAM, add_member, trail

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
READ_OUT = (
    "Type it as one word: D-e-L-o-n-g, capital D, capital L, no space. "
    "Account number 1-0-2-3-4-0-1, no point."
)


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    window.toasts = Toasts(window)
    window.resize(1158, 616)
    qtbot.addWidget(window)
    return window


@pytest.fixture
def opened(qtbot, live, window):
    """Put a screen in the window and show it."""

    def put(screen):
        window.setCentralWidget(screen)
        window.show()
        window.activateWindow()
        return screen

    yield put
    qtbot.waitUntil(lambda: live.idle)


def press(widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget.window(), key, modifier)


def settle(qtbot, screen):
    qtbot.waitUntil(lambda: screen.background.idle)
    QTest.qWait(1)
    qtbot.waitUntil(lambda: screen.background.idle)


def words(screen):
    QApplication.processEvents()  # what was only just added is shown then
    return " | ".join(
        label.text() for label in screen.findChildren(QLabel) if label.isVisible() and label.text()
    )


# Why it was refused


@pytest.fixture
def panel(town, live, opened):
    """The panel on Rose's account, as the portal has reported it by then."""
    panel = opened(ExplainPanel(live))

    def look():
        polling.poll(town.desk)
        page = members.refresh(town.desk, town.rose)
        panel.show_account(page, page.accounts[0], None)
        return panel

    panel.look = look
    return look()


def types(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def test_the_newest_refusal_is_explained_without_a_click(town, panel):
    town.registers("De Long")
    panel.look()
    assert panel.typed_name.text() == "De Long"
    assert panel.sentence.text() == READ_OUT
    assert "The file has no space: DeLong is one word." in words(panel)
    assert panel.spellings.accessibleName() == (
        "Typed: De Long. On file: DeLong. Typed differs at a space."
    )
    assert panel.whence.text() == "as the portal reports it"


def test_the_explanation_follows_every_key(panel):
    types(panel.typed_name, "De")
    assert "another one" in panel.sentence.text()
    QTest.keyClicks(panel.typed_name, " Long")
    assert panel.sentence.text() == READ_OUT
    QTest.keyClicks(panel.typed_name, "e")
    assert "The file has no space" in words(panel)
    assert "Letters differ" in words(panel)
    assert panel.whence.text() == "as the caller says it"


def test_before_anything_is_typed_the_name_on_file_can_be_read_out(panel):
    assert panel.sentence.text() == (
        "Type it like this: capital D, e, capital L, o, n, g, no space. "
        "Account number 1-0-2-3-4-0-1, no point."
    )
    assert panel.read_button.isVisible()
    assert not panel.spellings.isVisible()
    assert panel.whence.text() == "type what the caller says they typed"


def test_the_spelling_alphabet_is_one_key_away(panel):
    assert not panel.alphabet.isVisible()
    press(panel, Qt.Key.Key_S, CONTROL | SHIFT)
    assert "D as in David" in panel.alphabet.text()
    assert panel.alphabet.isVisible()
    press(panel, Qt.Key.Key_S, CONTROL | SHIFT)
    assert not panel.alphabet.isVisible()


def test_reading_out_is_noted_on_the_trail_once_for_each_press(qtbot, panel, desk, window):
    before = len(trail(desk))
    qtbot.mouseClick(panel.read_button, LEFT)
    settle(qtbot, panel)
    assert trail(desk)[before:] == ["name:read_out"]
    assert "read out" in words(window)
    press(panel, Qt.Key.Key_R, CONTROL)
    settle(qtbot, panel)
    assert trail(desk)[before:] == ["name:read_out"] * 2


@pytest.mark.parametrize("name", ["Ruiz", "Brightwater"])
def test_a_stranger_is_asked_and_is_told_nothing(panel, name):
    types(panel.typed_name, name)
    assert panel.say_label.text() == "Ask the caller"
    assert "DeLong" not in panel.sentence.text()
    assert "1-0-2-3-4-0-1" not in panel.sentence.text()
    assert not panel.read_button.isVisible()
    assert not panel.spell_button.isVisible()
    assert "Ask a supervisor: this looks like another person." in words(panel)


def test_a_point_in_the_account_number_is_named(panel):
    types(panel.typed_name, "DeLong")
    types(panel.typed_account, "10234.01")
    assert any("point" in reason for reason in panel.explanation.account_reasons)
    assert "no point" in panel.sentence.text()
    assert panel.read_button.isVisible()


def test_what_should_pass_is_said_to_pass(panel):
    types(panel.typed_name, "delong")
    types(panel.typed_account, "1023401")
    assert "The portal should take this just as it stands." in words(panel)
    assert panel.sentence.text() == "Both are right just as they were typed. Try again."


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("DeLong", "SmartHub would accept “DeLong” for account 1023401 now."),
        (
            "De Long",
            "SmartHub would still refuse “De Long” for account 1023401: it holds another name.",
        ),
    ],
)
def test_the_portal_is_asked_and_changes_nothing(qtbot, town, panel, typed, answer):
    before = town.holds()
    types(panel.typed_name, typed)
    qtbot.mouseClick(panel.check_button, LEFT)
    qtbot.waitUntil(lambda: panel.portal_said.text() == answer)
    assert town.holds() == before
    QTest.keyClicks(panel.typed_name, "s")
    assert panel.portal_said.text() == "Would this registration pass now?"


def test_a_portal_that_is_down_is_said_and_nothing_typed_is_lost(qtbot, town, panel):
    town.portal.misbehave(Kind.DOWN)
    types(panel.typed_name, "De Long")
    press(panel, Qt.Key.Key_J, CONTROL)
    qtbot.waitUntil(panel.problem.isVisible, timeout=20_000)
    assert panel.typed_name.text() == "De Long"
    assert panel.sentence.text() == READ_OUT
    assert panel.portal_said.text() == "Would this registration pass now?"
    town.portal.behave()
    press(panel, Qt.Key.Key_J, CONTROL)
    qtbot.waitUntil(lambda: "would still refuse" in panel.portal_said.text())
    assert not panel.problem.isVisible()


def test_each_refused_try_can_be_explained_by_click_and_by_key(qtbot, town, panel, clock):
    for name in ("Delonge", "De Long", "De Long"):
        town.registers(name)
        clock.advance(minutes=1)
    panel.look()
    newest, oldest = panel.try_buttons.values()
    assert panel.tries.isVisible()
    assert newest.isChecked()
    qtbot.mouseClick(oldest, LEFT)
    assert panel.typed_name.text() == "Delonge"
    assert oldest.isChecked()
    press(panel, Qt.Key.Key_Y, CONTROL | SHIFT)
    assert panel.typed_name.text() == "De Long"
    assert panel.sentence.text() == READ_OUT


def test_a_single_try_needs_no_choice(town, panel):
    town.registers("De Long")
    panel.look()
    assert not panel.tries.isVisible()


def test_news_from_the_portal_does_not_write_over_what_the_caller_says(qtbot, town, panel, clock):
    town.registers("De Long")
    panel.look()
    types(panel.typed_name, "De Longe")
    clock.advance(minutes=1)
    town.registers("D Long")
    panel.look()
    assert panel.typed_name.text() == "De Longe"
    newest, _ = panel.try_buttons.values()
    assert "D Long" in newest.text()
    assert not newest.isChecked()
    qtbot.mouseClick(newest, LEFT)
    assert panel.typed_name.text() == "D Long"
    clock.advance(minutes=1)
    town.registers("Dee Long")
    panel.look()
    assert panel.typed_name.text() == "Dee Long"


def test_once_the_name_is_corrected_the_same_try_passes(town, panel, desk):
    town.registers("De Long")
    panel.look()
    page = members.refresh(desk, town.rose)
    names.correct_name(
        desk, names.Correction("c1", town.rose, page.version, "De Long", "Rose", Proof.BILL)
    )
    panel.look()
    assert "The portal should take this just as it stands." in words(panel)


def test_an_auditor_reads_and_changes_nothing(qtbot, town, desk, opened):
    auditors = Background(replace(desk, colleague=ANA))
    panel = opened(ExplainPanel(auditors))
    page = members.refresh(desk, town.rose)
    panel.show_account(page, page.accounts[0], None)
    assert panel.sentence.text()
    assert not panel.read_button.isEnabled()
    assert not panel.correct_button.isEnabled()
    auditors.close()


@pytest.mark.parametrize(
    "typed",
    ["<b>DeLong</b>", "\u202eDeLong", "D" * 200, "De\u200bLong", "🙂", "   ", "Ⅾe Long", "&amp;"],
)
def test_anything_at_all_is_explained_as_plain_text(panel, typed):
    panel.typed_name.setText(typed)
    for label in panel.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText
    assert panel.sentence.text()
    assert not panel.grab().isNull()


# The worklist


@pytest.fixture
def worklist(qtbot, town, live, opened):
    screen = opened(RegistrationsScreen(live))
    settle(qtbot, screen)
    return screen


def happens(town, *tries):
    for name, number in tries:
        town.registers(name, number)
        town.desk.now.advance(minutes=1)
    polling.poll(town.desk)


def listed(screen):
    return [row.account_number for row in screen.table.rows_model.rows]


@pytest.fixture
def three(qtbot, town, worklist, records):
    """A refused name, a number that nobody has, and somebody who waits for the e-mail."""
    add_member(records, "O'Brien", ("2048001",), given_names="Declan")
    town.open_account("2048001", "O'Brien")
    happens(town, ("De Long", "1023401"), ("Ash", "77"), ("O'Brien", "2048001"))
    worklist.load()
    qtbot.waitUntil(lambda: len(listed(worklist)) == 3)
    settle(qtbot, worklist)
    return worklist


def add_cases(records, many, since, first=0):
    """Put so many refused callers whom nobody has on file into the list."""
    with records.begin() as db:
        for number in range(first, first + many):
            db.add(
                Registration(
                    account_digits=f"9{number:05}", kind=CaseKind.REFUSED, since=since, attempts=1
                )
            )


def test_what_happened_is_said_in_words(three):
    rows = {row.account_number: row for row in three.table.rows_model.rows}
    assert rows["1023401"].what == "Typed “De Long”, on file “DeLong”."
    assert rows["77"].what == "Typed account 77; no account has this number."
    assert rows["2048001"].kind is CaseKind.WAITING
    assert three.count.text() == "3"


def test_each_kind_has_its_count_and_narrows_the_list(qtbot, three):
    chips = three.filters
    assert chips[CaseKind.REFUSED].text() == "Refused  2"
    assert chips[CaseKind.WAITING].text() == "Waiting  1"
    qtbot.mouseClick(chips[CaseKind.WAITING], LEFT)
    qtbot.waitUntil(lambda: listed(three) == ["2048001"])
    qtbot.mouseClick(chips[CaseKind.LOCKED], LEFT)
    qtbot.waitUntil(lambda: listed(three) == [])
    assert "Nobody stands under “locked”. | All together there are 3." in words(three)


def test_an_empty_list_says_why_it_is_empty(qtbot, worklist):
    assert "Nobody is stuck." in words(worklist)
    qtbot.mouseClick(worklist.own, LEFT)
    qtbot.waitUntil(lambda: "You have nothing in hand." in words(worklist))


def test_the_list_is_narrowed_by_keys_alone_and_esc_shows_all_again(qtbot, three):
    press(three, Qt.Key.Key_F, CONTROL)
    assert three.narrow.hasFocus()
    QTest.keyClicks(three.narrow, "brien")
    qtbot.waitUntil(lambda: listed(three) == ["2048001"])
    QTest.keyClicks(three.narrow, "zz")
    qtbot.waitUntil(lambda: "Nobody here matches “brienzz”." in words(three))
    QTest.keyClick(three.narrow, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(listed(three)) == 3)
    assert three.table.hasFocus()


def test_enter_opens_the_member_at_the_account(qtbot, town, three):
    opened_at = []
    three.open_member.connect(lambda *at: opened_at.append(at))
    three.setFocus()
    assert three.table.hasFocus()
    three.table.turn_to(three.table.rows_model.rows[listed(three).index("1023401")].registration_id)
    QTest.keyClick(three.table, Qt.Key.Key_Return)
    assert opened_at == [(town.rose, "1023401")]


def test_a_number_that_nobody_has_opens_nothing_and_says_what_to_do(three):
    opened_at = []
    three.open_member.connect(lambda *at: opened_at.append(at))
    three.table.turn_to(three.table.rows_model.rows[listed(three).index("77")].registration_id)
    QTest.keyClick(three.table, Qt.Key.Key_Return)
    assert opened_at == []
    assert "No account has the number 77." in three.problem.text()


def test_a_case_is_taken_and_put_back_by_key(qtbot, three):
    three.setFocus()
    three.table.turn_to(three.table.rows_model.rows[0].registration_id)
    press(three, Qt.Key.Key_T, CONTROL)
    qtbot.waitUntil(lambda: three.table.current_row().assigned_to == PAT.name)
    settle(qtbot, three)
    assert not three.take.isEnabled()
    qtbot.mouseClick(three.own, LEFT)
    qtbot.waitUntil(lambda: len(listed(three)) == 1)
    press(three, Qt.Key.Key_T, CONTROL | SHIFT)
    qtbot.waitUntil(lambda: listed(three) == [])
    assert not three.put_back.isEnabled()


def test_a_colleague_s_case_is_not_taken_away(qtbot, three, desk):
    row = three.table.rows_model.rows[0]
    registration.assign(replace(desk, colleague=SAM), row.registration_id, True)
    qtbot.waitUntil(lambda: three.table.rows_model.rows[0].assigned_to == SAM.name)
    settle(qtbot, three)
    three.table.turn_to(row.registration_id)
    press(three, Qt.Key.Key_T, CONTROL | SHIFT)
    qtbot.waitUntil(lambda: "Sam Okafor works on this one already." in three.problem.text())
    settle(qtbot, three)
    assert three.table.current_row().assigned_to == SAM.name


def test_rows_change_under_the_cursor_and_the_cursor_stays(qtbot, town, three):
    three.table.turn_to(three.table.rows_model.rows[listed(three).index("2048001")].registration_id)
    happens(town, ("Dee Long", "1023401"), ("Else", "78"))
    qtbot.waitUntil(lambda: len(listed(three)) == 4)
    settle(qtbot, three)
    assert three.table.current_row().account_number == "2048001"
    rose = next(row for row in three.table.rows_model.rows if row.account_number == "1023401")
    assert rose.attempts == 2
    assert rose.what == "Typed “Dee Long”, on file “DeLong”."


def test_what_a_colleague_does_elsewhere_lights_up_and_the_place_in_the_list_stays(
    qtbot, town, live, opened, database_url, clock
):
    add_cases(town.desk.records, 60, clock())
    live.follow(changes.feed(live.desk))
    screen = opened(RegistrationsScreen(live))
    qtbot.waitUntil(lambda: len(listed(screen)) == 60)
    settle(qtbot, screen)
    table = screen.table
    table.turn_to(table.rows_model.key_at(30))
    table.scrollTo(table.currentIndex(), table.ScrollHint.PositionAtCenter)
    key, stands = table.current_key(), table.rowViewportPosition(30)
    taken = table.rows_model.rows[31].registration_id
    elsewhere = schema.open_records(database_url)
    sams = replace(town.desk, records=elsewhere, colleague=SAM, workstation="desk 5")
    registration.assign(sams, taken, True)
    qtbot.waitUntil(lambda: table.rows_model.rows[31].assigned_to == SAM.name)
    assert table.rows_model.light_of(31) > 0
    assert table.rows_model.light_of(30) == 0
    assert (table.current_key(), table.rowViewportPosition(30)) == (key, stands)
    add_cases(elsewhere, 3, clock() + timedelta(hours=1), first=500)
    qtbot.waitUntil(lambda: len(listed(screen)) == 63)
    place = table.currentIndex().row()
    assert (table.current_key(), table.rowViewportPosition(place)) == (key, stands)
    news = [row for row in table.rows_model.rows if row.account_number.startswith("9005")]
    assert all(table.rows_model.light_of(listed(screen).index(row.account_number)) for row in news)
    elsewhere.close()


def test_what_this_desk_does_not_hear_of_it_looks_for(qtbot, town, background, opened):
    deaf = opened(RegistrationsScreen(background))
    background.desk.records.on_change(lambda _: None)
    settle(qtbot, deaf)
    assert deaf._clock.isActive()
    deaf._clock.setInterval(40)
    happens(town, ("De Long", "1023401"))
    qtbot.waitUntil(lambda: listed(deaf) == ["1023401"])
    deaf.hide()
    assert not deaf._clock.isActive()


def test_a_list_that_is_cut_says_so(qtbot, town, worklist, records, clock):
    add_cases(records, 520, clock())
    qtbot.waitUntil(lambda: worklist.count.text() == "the first 500 of 520")
    assert len(listed(worklist)) == 500
    settle(qtbot, worklist)


def test_an_auditor_takes_nothing(qtbot, town, desk, opened):
    auditors = Background(replace(desk, colleague=ANA))
    screen = opened(RegistrationsScreen(auditors))
    happens(town, ("De Long", "1023401"))
    screen.load()
    qtbot.waitUntil(lambda: listed(screen) == ["1023401"])
    screen.setFocus()
    assert screen.table.current_row() is not None
    assert not screen.take.isEnabled()
    assert not screen.put_back.isEnabled()
    auditors.close()


def test_looking_at_the_list_is_not_written_on_the_trail(qtbot, three, records):
    with records.read() as db:
        assert "registration:assigned" not in db.scalars(select(AuditEntry.action)).all()


@pytest.mark.parametrize(("width", "keys"), [(816, False), (1158, True)])
def test_what_happened_can_be_read_and_no_key_is_written_over(three, window, width, keys):
    window.resize(width, 600)
    QApplication.processEvents()
    table = three.table
    place = [column.title for column in table.rows_model.columns].index("What happened")
    assert table.columnWidth(place) >= 220
    assert table.horizontalScrollBar().maximum() == 0
    for button in (three.take_button, three.put_back_button):
        assert button.width() >= button.sizeHint().width()
        assert bool(button.property("hinted")) is keys
        assert button.text() == button.action.text()


def test_e_mail_addresses_are_masked_as_on_the_member_s_page(town, three):
    rows = {row.account_number: row for row in three.table.rows_model.rows}
    assert rows["1023401"].email == "r…@example.org"
    assert all("rose@" not in row.what for row in rows.values())


def test_another_filter_lights_nothing(qtbot, three):
    model = three.table.rows_model
    settle(qtbot, three)
    model._lit.clear()
    qtbot.mouseClick(three.filters[CaseKind.WAITING], LEFT)
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    qtbot.mouseClick(three.filters[None], LEFT)
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    assert not model.is_lit


def test_what_is_not_answered_yet_is_not_asked_anew(qtbot, background, town, opened):
    screen = opened(RegistrationsScreen(background))
    settle(qtbot, screen)
    slow = threading.Event()
    background._typing.submit(slow.wait, 10)
    screen.load()
    asked = set(background._awaiting)
    screen._look_again()
    assert set(background._awaiting) == asked
    slow.set()
    settle(qtbot, screen)
    screen._look_again()
    assert not background.idle
    settle(qtbot, screen)
