import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtGui import QDesktopServices

from console.background import Background
from console.models.members import Member
from console.services import audit, trail
from console.services.audit import Action
from console.services.trail_page import Asked, Kind
from console.views import toasts
from console.views.audit import AuditScreen, UnusualWatch
from console.views.window import Window
from tests.models.test_tampering import Owner
from tests.office import ANA, PAT, SUE, add_member, staff_the_office

CONTROL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def rose(desk):
    staff_the_office(desk.records)
    rose = add_member(desk.records)
    with desk.records.begin() as db:
        audit.record(db, desk, Action.MEMBER_OPENED, member_id=rose)
        db.get_one(Member, rose).email = "rose.delong@example.com"
    return rose


@pytest.fixture
def anas(desk, rose):
    background = Background(replace(desk, colleague=ANA))
    desk.records.on_change(background.changed.emit)
    yield background
    background.close()


@pytest.fixture
def window(qtbot, anas, look, monkeypatch, tmp_path):
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path / "own"))
    window = Window(anas, anas.desk.settings, look)
    qtbot.addWidget(window)
    window.show()
    yield window
    qtbot.waitUntil(lambda: anas.idle, timeout=10_000)


@pytest.fixture
def screen(qtbot, window):
    screen = window.go_to("Audit trail")
    assert isinstance(screen, AuditScreen)
    qtbot.waitUntil(lambda: "Opened the member" in said(screen))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return screen


def said(screen):
    return [line.what for line in screen.table.rows_model.rows]


def test_the_place_is_in_the_rail_of_those_who_watch_over(qtbot, desk, rose, look):
    for colleague, there in ((PAT, False), (SUE, True), (ANA, True)):
        background = Background(replace(desk, colleague=colleague))
        window = Window(background, desk.settings, look)
        qtbot.addWidget(window)
        assert ("Audit trail" in window.rail_buttons) is there
        background.close()


def test_a_changed_row_shows_before_and_after(qtbot, screen):
    place = said(screen).index("Changed the member: e-mail address")
    screen.table.turn_to(screen.rows[place].id)
    (one,) = screen.differences.rows_model.rows
    assert (one.column, one.before) == ("E-mail address", "rose@example.org")
    assert one.after == "rose.delong@example.com"
    assert screen.differences.isVisible()
    assert screen.line.text() == "Changed the member: e-mail address — Rose DeLong, M1023401"


def test_person_act_and_member_narrow_the_trail(qtbot, screen):
    screen.kind.setCurrentText(Kind.OPENED.value)
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])
    qtbot.waitUntil(lambda: screen.person.findData("sam") >= 0)
    screen.person.setCurrentIndex(screen.person.findData("sam"))
    qtbot.waitUntil(lambda: said(screen) == [])
    screen.person.setCurrentIndex(screen.person.findData("pat"))
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])
    screen.number.setFocus()
    qtbot.keyClicks(screen.number, "99")
    qtbot.waitUntil(lambda: screen.found.text() == "Nobody has the number “99”.")
    assert "No member and no account has the number “99”" in screen.empty.more.text()
    screen.number.setText("10234.01")
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])
    assert screen.found.text() == "1 line"


def test_a_single_act_narrows_the_trail_within_its_kind(qtbot, desk, screen):
    with desk.records.begin() as db:
        for action in (Action.NOTE_WRITTEN, Action.NOTE_REMOVED):
            audit.record(db, desk, action)
    assert screen.single.accessibleName() == "Which single act"
    screen.kind.setCurrentText(Kind.NOTES.value)
    qtbot.waitUntil(lambda: sorted(said(screen)) == ["Removed a note", "Wrote a note"])
    screen.single.setCurrentIndex(screen.single.findText("Removed a note"))
    qtbot.waitUntil(lambda: said(screen) == ["Removed a note"])
    # An act of another kind is not looked for in this one.
    screen.kind.setCurrentText(Kind.OPENED.value)
    assert screen.asked.act == ""
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])


def test_two_days_narrow_the_trail_by_keys(qtbot, desk, clock, screen, rose):
    today = clock.at
    for days in (20, 10):
        clock.at = today - timedelta(days=days)
        with desk.records.begin() as db:
            audit.record(db, desk, Action.NOTE_WRITTEN, days=days)
    clock.at = today
    screen.kind.setCurrentText(Kind.NOTES.value)
    qtbot.waitUntil(lambda: len(said(screen)) == 2)
    assert not screen.first_day.isVisible()
    screen.period.setFocus()
    qtbot.keyClick(screen.period, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: said(screen) == [])
    qtbot.keyClick(screen.period, Qt.Key.Key_Tab)
    assert screen.first_day.hasFocus()
    assert [f.accessibleName() for f in (screen.first_day, screen.last_day)] == [
        "From day",
        "To day",
    ]
    qtbot.keyClicks(screen.first_day, "03 Oct 2026")
    qtbot.keyClick(screen.first_day, Qt.Key.Key_Return)
    assert screen.first_day.date() == QDate(2026, 10, 3)
    qtbot.waitUntil(lambda: len(said(screen)) == 2)
    qtbot.keyClick(screen.first_day, Qt.Key.Key_Tab)
    assert screen.last_day.hasFocus()
    qtbot.keyClicks(screen.last_day, "12Nov2026")
    qtbot.keyClick(screen.last_day, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [line.detail for line in screen.rows] == ["Days: 20"])
    # The last day counts to its end in the co-op's own zone, and never lies before the first.
    assert screen.asked.until == datetime(2026, 11, 13, 6, tzinfo=UTC)
    screen.first_day.setDate(QDate(2026, 11, 20))
    assert screen.last_day.date() == QDate(2026, 11, 20)


@pytest.mark.parametrize("at", ["at || ' BC'", "20261123", "NULL", "replace(at, ' ', 'T')"])
def test_a_line_whose_time_was_tampered_with_is_shown_as_damaged(qtbot, desk, screen, tmp_path, at):
    owner = Owner(desk.records)
    owner.number_on()
    owner.do(f"UPDATE audit_entry SET at = {at} WHERE action = 'member:opened'")
    screen.period.setCurrentText("The last 7 days")
    screen.kind.setCurrentText(Kind.OPENED.value)
    qtbot.waitUntil(lambda: [bool(line.damage) for line in screen.rows] == [True])
    (line,) = screen.rows
    screen.table.turn_to(line.id)
    words = "no console writes its time like this"
    assert words in screen.damage.text()
    assert screen.damage.isVisible()
    shown = [screen.table.rows_model.index(0, place).data() for place in range(2)]
    assert shown[0] == "at no known time"
    file = tmp_path / "trail.csv"
    screen.export_to(file)
    qtbot.waitUntil(file.exists)
    assert words in file.read_text(encoding="utf-8-sig")


def look_too_often(desk):
    for number in range(trail.UNUSUAL_IN_AN_HOUR + 1):
        other = add_member(desk.records, numbers=(f"20{number:05}",))
        with desk.records.begin() as db:
            audit.record(db, desk, Action.MEMBER_OPENED, member_id=other)


def test_the_watch_tells_of_somebody_until_the_screen_has_shown_them(qtbot, desk, anas, screen):
    told = []
    watch = UnusualWatch(anas)
    watch.told.connect(told.append)
    watch.begin()
    qtbot.waitUntil(lambda: told == [0])
    look_too_often(desk)
    watch.look()
    qtbot.waitUntil(lambda: told == [0, 1])
    screen.unusual_shown.connect(watch.note_seen)
    screen.hide()
    screen.show()
    qtbot.waitUntil(lambda: told == [0, 1, 0])
    watch.look()
    qtbot.waitUntil(lambda: told == [0, 1, 0, 0])
    watch.stop()


def test_nobody_watches_who_may_not_read_the_trail(qtbot, desk, rose):
    background = Background(desk)
    watch = UnusualWatch(background)
    watch.told.connect(lambda _: pytest.fail("a representative was told"))
    watch.begin()
    assert background.idle
    background.close()


def test_verifying_says_in_words_that_all_is_well(qtbot, screen):
    qtbot.keyClick(screen.table, Qt.Key.Key_V, CONTROL_SHIFT)
    qtbot.waitUntil(lambda: "The trail is whole" in screen.verdict.text(), timeout=10_000)
    qtbot.waitUntil(lambda: "Had this trail verified" in said(screen))
    assert screen.verify.text() == "Verify the trail"


def test_the_export_is_on_the_trail(qtbot, screen, tmp_path):
    file = tmp_path / "trail.csv"
    screen.export_to(file)
    qtbot.waitUntil(lambda: "Took this trail out as a file" in said(screen))
    qtbot.waitUntil(file.exists)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        read = list(csv.DictReader(lines))
    assert "Opened the member" in [line["what"] for line in read]
    with screen.background.desk.records.read() as db:
        (taken,) = db.query(audit.AuditEntry).filter_by(action="trail:exported")
    assert json.loads(taken.detail)["lines"] == len(read)


def test_somebody_who_looks_at_too_much_is_named_at_the_top(qtbot, desk, window, rose):
    for number in range(trail.UNUSUAL_IN_AN_HOUR + 1):
        other = add_member(desk.records, numbers=(f"20{number:05}",))
        with desk.records.begin() as db:
            audit.record(db, desk, Action.MEMBER_OPENED, member_id=other)
    screen = window.go_to("Audit trail")
    qtbot.waitUntil(lambda: "Pat Lindqvist opened 42 members" in screen.unusual.text())


def test_older_lines_come_below_and_stay_when_new_ones_arrive(qtbot, desk, screen, rose):
    for _ in range(3):
        with desk.records.begin() as db:
            for _ in range(100):
                audit.record(db, desk, Action.MEMBER_OPENED, member_id=rose)
    qtbot.waitUntil(lambda: screen.older.isEnabled() and len(screen.rows) == trail.PAGE)
    qtbot.waitUntil(lambda: screen.background.idle)
    qtbot.keyClick(screen.table, Qt.Key.Key_O, CONTROL_SHIFT)
    qtbot.waitUntil(lambda: len(screen.rows) > 300)
    many = len(screen.rows)
    with desk.records.begin() as db:
        audit.record(db, desk, Action.NOTE_WRITTEN, member_id=rose)
    qtbot.waitUntil(lambda: "Wrote a note" in said(screen))
    assert len(screen.rows) >= many
    assert len({line.id for line in screen.rows}) == len(screen.rows)


def test_half_a_number_is_not_asked_for_and_its_error_moves_nothing(qtbot, screen):
    top = screen.table.mapTo(screen, screen.table.rect().topLeft()).y()
    shown = said(screen)
    screen.number.setFocus()
    qtbot.keyClicks(screen.number, "99")
    assert screen.asked.number == ""
    assert said(screen) == shown
    qtbot.keyClick(screen.number, Qt.Key.Key_Return)  # whoever presses Enter is done typing
    assert screen.asked.number == "99"
    qtbot.waitUntil(lambda: "“99”" in screen.found.text())
    assert said(screen) == []
    assert "“99”" in screen.empty.more.text()
    assert not screen.problem.isVisible()
    assert screen.table.mapTo(screen, screen.table.rect().topLeft()).y() == top


def test_the_filters_are_cleared_at_once(qtbot, screen):
    whole = said(screen)
    assert not screen.clear.isEnabled()
    screen.kind.setCurrentText(Kind.OPENED.value)
    screen.single.setCurrentIndex(1)
    screen.period.setCurrentText("From one day to another")
    screen.number.setText("10234.01")
    qtbot.waitUntil(lambda: screen.asked.number == "10234.01")
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])
    assert screen.clear.isEnabled()
    screen.clear.trigger()
    assert screen.asked == Asked()
    assert not screen.days.isVisible()
    qtbot.waitUntil(lambda: said(screen) == whole)
    assert not screen.clear.isEnabled()


def test_another_choice_lights_nothing_up_and_news_does(qtbot, desk, screen, rose):
    screen.kind.setCurrentText(Kind.OPENED.value)
    qtbot.waitUntil(lambda: said(screen) == ["Opened the member"])
    screen.clear.trigger()
    qtbot.waitUntil(lambda: len(said(screen)) > 1)
    assert not screen.table.rows_model.is_lit
    with desk.records.begin() as db:
        audit.record(db, desk, Action.NOTE_WRITTEN, member_id=rose)
    qtbot.waitUntil(lambda: "Wrote a note" in said(screen))
    assert screen.table.rows_model.is_lit


def test_five_columns_of_a_change_are_in_sight_in_a_low_window(qtbot, desk, window, screen, rose):
    with desk.records.begin() as db:
        member = db.get_one(Member, rose)
        member.phone, member.second_phone, member.mailing_line = "7155550101", "7155550102", "Elm 1"
        member.mailing_city, member.mailing_state = "Heron Lake", "WI"
        audit.record(db, desk, Action.CONTACT_CHANGED, member_id=rose)
    words = "Changed the member: phone, second phone, mailing address and 2 more"
    qtbot.waitUntil(lambda: words in said(screen))
    window.resize(1366, 768)
    screen.table.turn_to(screen.rows[said(screen).index(words)].id)
    screen.below.parentWidget().setSizes([10_000, 0])  # as low as somebody can drag it
    table = screen.differences
    last = table.rows_model.index(4, 0)
    qtbot.waitUntil(lambda: table.viewport().rect().contains(table.visualRect(last)))


def test_times_have_their_seconds(qtbot, screen):
    when = screen.table.rows_model.index(0, 0).data()
    assert when.count(":") == 2


def test_the_verdict_says_when_the_trail_was_verified(qtbot, screen):
    screen.verify.trigger()
    qtbot.waitUntil(lambda: "The trail is whole" in screen.verdict.text(), timeout=10_000)
    assert screen.verdict.text().startswith("Verified today ")


@pytest.mark.parametrize("desktop", ["", "GNOME"])
def test_the_toast_names_the_folder_and_opens_the_file_where_there_is_a_desktop(
    qtbot, monkeypatch, screen, tmp_path, desktop
):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    file = tmp_path / "trail.csv"
    shown = toasts.toasts_of(screen)
    screen.export_to(file)
    qtbot.waitUntil(lambda: shown.toast is not None and "written" in shown.toast.words.text())
    assert f"to trail.csv in {tmp_path}." in shown.toast.words.text()
    assert shown.toast.undo.isVisible() is bool(desktop)
    assert not shown.undo_action.isEnabled()  # Ctrl+Z undoes nothing here
    if desktop:
        opened = []
        monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
        qtbot.mouseClick(shown.toast.undo, Qt.MouseButton.LeftButton)
        assert [Path(url.toLocalFile()) for url in opened] == [file]


def test_the_field_of_the_number_grows_with_the_text(qtbot, screen, look):
    before = screen.number.minimumWidth()
    look.set_scale(150)
    assert screen.number.minimumWidth() == round(1.5 * before)
    look.set_scale(100)
