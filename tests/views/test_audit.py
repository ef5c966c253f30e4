import csv
import json
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from console.background import Background
from console.models.members import Member
from console.services import audit, trail
from console.services.audit import Action
from console.services.trail import Kind
from console.views.audit import AuditScreen
from console.views.window import Window
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
    place = said(screen).index("Changed email of the member")
    screen.table.turn_to(screen.rows[place].id)
    (one,) = screen.differences.rows_model.rows
    assert (one.column, one.before) == ("email", "rose@example.org")
    assert one.after == "rose.delong@example.com"
    assert screen.differences.isVisible()
    assert screen.line.text() == "Changed email of the member — Rose DeLong, M1023401"


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
    qtbot.waitUntil(lambda: "No member and no account" in screen.problem.text())
    screen.number.setText("10234.01")
    qtbot.waitUntil(lambda: not screen.problem.text())
    assert said(screen) == ["Opened the member"]


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
    qtbot.waitUntil(lambda: "Note: written" in said(screen))
    assert len(screen.rows) >= many
    assert len({line.id for line in screen.rows}) == len(screen.rows)
