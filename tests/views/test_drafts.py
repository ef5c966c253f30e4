import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from console.background import Background
from console.domain.calls import Reason, Result
from console.domain.contact import Asked
from console.services import calls, contact, drafts, members
from console.settings import data_folder
from console.views.call_bar import WrapUpSheet
from console.views.contact import ContactSheet
from console.views.correction import CorrectionDialog
from console.views.notes import NoteField
from tests.office import SAM

ROOT = Path(__file__).parents[2]


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    window.resize(1158, 668)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    return window


def kept(town, name):
    return drafts.recall(town.desk, name)


def opened(qtbot, sheet):
    sheet.open()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def correction(qtbot, town, live, window):
    page = members.refresh(town.desk, town.rose)
    return opened(qtbot, CorrectionDialog(window, live, page, page.accounts[0], None))


def contact_sheet(qtbot, town, live, window):
    sheet = opened(qtbot, ContactSheet(window, live, members.refresh(town.desk, town.rose), None))
    sheet.asked.setCurrentIndex(sheet.asked.findData(Asked.IN_PERSON))
    qtbot.waitUntil(sheet.form.isVisible)
    return sheet


def types(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def dies(qtbot, live, sheet):
    """Take a sheet away as a crash does: nobody is asked and nothing is forgotten."""
    sheet.hide()
    sheet.deleteLater()
    qtbot.waitUntil(lambda: live.idle)


def test_a_note_is_there_again_and_is_not_written_twice(qtbot, town, live):
    field = NoteField(live, town.rose)
    qtbot.addWidget(field)
    field.show()
    QTest.keyClicks(field.text, "Calls after six")
    qtbot.waitUntil(lambda: kept(town, f"note {town.rose}") is not None)
    # It was sent, and the console died before it heard of it.
    note_id = kept(town, f"note {town.rose}").fields["note_id"]
    members.write_note(town.desk, note_id, town.rose, "Calls after six", None)
    again = NoteField(live, town.rose)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(lambda: again.text.toPlainText() == "Calls after six")
    assert "is here again, not saved yet." in again.hint.text()
    again.save_action.trigger()
    qtbot.waitUntil(lambda: not again.text.toPlainText())
    assert "is here again" not in again.hint.text()
    notes = [one for one in members.refresh(town.desk, town.rose).timeline if one.note_id]
    assert [one.note_id for one in notes] == [note_id]
    qtbot.waitUntil(lambda: kept(town, f"note {town.rose}") is None)


def test_a_problem_with_a_note_takes_the_room_of_the_field_not_of_the_button(qtbot, town, live):
    panel = QWidget()
    qtbot.addWidget(panel)
    layout = QVBoxLayout(panel)
    field = NoteField(live, town.rose)
    layout.addStretch(1)
    layout.addWidget(field)
    panel.setFixedSize(300, 200)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    field.text.setFocus()
    QTest.keyClicks(field.text, "Wants to pay with 4111 1111 1111 1111")
    field.save_action.trigger()
    qtbot.waitUntil(field.problem.isVisible)
    qtbot.waitUntil(lambda: field.problem.height() >= field.problem.heightForWidth(field.width()))
    assert field.text.geometry().bottom() < field.problem.y()
    assert field.problem.geometry().bottom() < field.foot.y()


def test_a_correction_is_there_again_but_never_a_password(qtbot, town, live, window):
    sheet = correction(qtbot, town, live, window)
    types(sheet.name, "Brightwater")
    types(sheet.note, "Deed of 3 May")
    qtbot.waitUntil(sheet.approval.isVisible)
    types(sheet.login, "sue")
    types(sheet.password, "Kettle7!Kettle")
    qtbot.waitUntil(lambda: kept(town, f"correction {town.rose}") is not None)
    qtbot.wait(500)
    for file in (data_folder() / "drafts").rglob("*.json"):
        assert "Kettle7" not in file.read_text()
    dies(qtbot, live, sheet)
    again = correction(qtbot, town, live, window)
    qtbot.waitUntil(lambda: again.name.text() == "Brightwater")
    assert (again.note.text(), again.password.text()) == ("Deed of 3 May", "")
    assert "is here again. It is not saved yet." in again.recalled.notice.text()
    again.recalled.button.click()
    assert (again.name.text(), again.note.text()) == ("DeLong", "")
    qtbot.waitUntil(lambda: kept(town, f"correction {town.rose}") is None)


def test_contact_details_are_there_again_for_whoever_may_see_them(qtbot, town, live, window):
    sheet = contact_sheet(qtbot, town, live, window)
    types(sheet.fields["phone"], "620 555 0199")
    qtbot.waitUntil(lambda: kept(town, f"contact {town.rose}") is not None)
    dies(qtbot, live, sheet)
    page = members.refresh(town.desk, town.rose)
    again = opened(qtbot, ContactSheet(window, live, page, None))
    qtbot.waitUntil(lambda: live.idle)
    assert not again.recalled.isVisible()
    again.asked.setCurrentIndex(again.asked.findData(Asked.IN_WRITING))
    qtbot.waitUntil(again.recalled.isVisible)
    assert again.fields["phone"].text() == "(620) 555-0199"
    again.save.trigger()
    qtbot.waitUntil(
        lambda: contact.on_file(town.desk, town.rose, Asked.IN_PERSON).contact.phone == "6205550199"
    )
    qtbot.waitUntil(lambda: kept(town, f"contact {town.rose}") is None)


def test_a_wrap_up_is_there_again(qtbot, town, live, window):
    call = calls.begin(town.desk, str(uuid4()), town.rose)
    began = calls.WrapUp(Reason.REGISTRATION, Result.SOLVED, "")
    sheet = opened(qtbot, WrapUpSheet(window, live, call, began, {}))
    sheet.result_box.setCurrentIndex(sheet.result_box.findData(Result.NOT_VERIFIED))
    types(sheet.note, "Will call again on Friday")
    qtbot.waitUntil(lambda: kept(town, f"wrap-up {call.id}") is not None)
    dies(qtbot, live, sheet)
    again = opened(qtbot, WrapUpSheet(window, live, call, began, {}))
    qtbot.waitUntil(lambda: again.note.toPlainText() == "Will call again on Friday")
    assert again.result_box.currentData() == Result.NOT_VERIFIED
    again.save_action.trigger()
    qtbot.waitUntil(lambda: kept(town, f"wrap-up {call.id}") is None)


def test_leaving_forgets_what_was_given_up(qtbot, town, live, window):
    sheet = contact_sheet(qtbot, town, live, window)
    types(sheet.fields["phone"], "620 555 0199")
    qtbot.waitUntil(lambda: kept(town, f"contact {town.rose}") is not None)
    sheet.reject()
    window.findChild(type(sheet).__mro__[1], "confirm").accept()
    qtbot.waitUntil(lambda: kept(town, f"contact {town.rose}") is None)


def test_a_colleague_at_the_same_machine_finds_nothing(qtbot, town, live, desk):
    field = NoteField(live, town.rose)
    qtbot.addWidget(field)
    field.show()
    QTest.keyClicks(field.text, "Calls after six")
    qtbot.waitUntil(lambda: kept(town, f"note {town.rose}") is not None)
    sams = Background(replace(desk, colleague=SAM))
    other = NoteField(sams, town.rose)
    qtbot.addWidget(other)
    other.show()
    qtbot.waitUntil(lambda: sams.idle)
    assert other.text.toPlainText() == ""
    sams.close()


_TYPES_AND_WAITS = """
import sys, time
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from console.background import Background
from console.clients.portal import Portal
from console.models import schema
from console.services.desk import Desk
from console.views.notes import NoteField
from console.views.theme import Theme
from tests.office import PAT
app = QApplication([])
Theme().apply(app)
desk = Desk(schema.open_records(sys.argv[1]), Portal("http://127.0.0.1:9", "", "desk 3"), PAT)
field = NoteField(Background(desk), int(sys.argv[2]))
field.show()
QTest.keyClicks(field.text, "Written before the power went")
end = time.monotonic() + 1.5
while time.monotonic() < end:
    app.processEvents()
print("typed", flush=True)
time.sleep(60)
"""


def test_a_killed_console_loses_no_note(qtbot, town, live, database_url):
    console = subprocess.Popen(
        [sys.executable, "-c", _TYPES_AND_WAITS, database_url, str(town.rose)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with console:
        assert console.stdout.readline().strip() == "typed"
        console.send_signal(signal.SIGKILL)
    now = Background(replace(town.desk, now=time_of_day))
    field = NoteField(now, town.rose)
    qtbot.addWidget(field)
    field.show()
    qtbot.waitUntil(lambda: field.text.toPlainText() == "Written before the power went")
    qtbot.waitUntil(lambda: now.idle)
    now.close()


def time_of_day():
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time.time(), UTC)
