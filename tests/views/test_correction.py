from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QLineEdit, QMainWindow
from sqlalchemy import func, select

from console.background import Background
from console.domain.calls import Fact
from console.domain.registration import Proof
from console.domain.staff import Role
from console.models import schema
from console.models.members import Member, NameCorrection
from console.sandbox.portal import Kind
from console.services import calls, courier, drafts, members, names, presence, staff
from console.services.names import Correction
from console.views.correction import CorrectionDialog
from tests.office import ANA, SAM, SUE, add_member

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
ACCEPTED = "SmartHub would accept “De Long” for account 1023401 now."


@pytest.fixture
def shown(qtbot, town, live):
    """Open the sheet over a window as the member page does."""
    window = QMainWindow()
    window.resize(1158, 616)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()

    def show(background=live, call=None, typed=""):
        page = members.refresh(town.desk, town.rose)
        sheet = CorrectionDialog(
            window,
            background,
            page,
            page.accounts[0],
            call.id if call else None,
            call_verified=call is not None and call.verified,
            typed=typed,
        )
        return opened(qtbot, sheet)

    yield show
    qtbot.waitUntil(lambda: live.idle)


def opened(qtbot, sheet):
    sheet.open()
    sheet.activateWindow()
    # Qt calls a sheet active as soon as the window under it is.
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


@pytest.fixture
def sheet(shown):
    return shown()


def fills(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def proves(sheet, proof=Proof.BILL):
    sheet.proof.setFocus()
    for _ in range(sheet.proof.findData(proof) - sheet.proof.currentIndex()):
        QTest.keyClick(sheet.proof, Qt.Key.Key_Down)
    assert sheet.proof.currentData() == proof


def saves(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def words(sheet):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in sheet.findChildren(QLabel) if label.isVisible() and label.text()
    )


def name_on_file(town):
    return names.name_on_file(town.desk, town.rose).name


def corrections(records):
    with records.read() as db:
        return db.scalar(select(func.count()).select_from(NameCorrection))


def sams_edit(town, name="Delong", given="Rose"):
    page = members.refresh(town.desk, town.rose)
    sam = replace(town.desk, colleague=SAM)
    names.correct_name(sam, Correction("sams", town.rose, page.version, name, given, Proof.DEED))


def test_nothing_is_saved_before_there_is_a_change_and_a_proof(sheet):
    assert not sheet.save_button.isEnabled()
    fills(sheet.name, "De Long")
    assert not sheet.save_button.isEnabled()
    proves(sheet)
    assert sheet.save_button.isEnabled()
    fills(sheet.name, "DeLong")
    assert not sheet.save_button.isEnabled()
    fills(sheet.name, "   ")
    assert not sheet.save_button.isEnabled()


def test_before_and_after_stand_one_above_the_other(sheet):
    fills(sheet.name, "De Long")
    assert sheet.spellings.accessibleName() == (
        "New: De Long. On file: DeLong. New differs at a space."
    )


def test_only_a_verified_call_proves_anything_by_itself(town, shown, desk):
    sheet = shown()
    assert sheet.proof.currentData() is None
    assert sheet.proof.findData(Proof.CALLER_VERIFIED) < 0
    call = calls.begin(desk, "call-1", town.rose, member_began=True)
    call = calls.tick(desk, call.id, (Fact.NAME, Fact.SERVICE_ADDRESS, Fact.LAST_FOUR))
    assert call.verified
    assert shown(call=call).proof.currentData() == Proof.CALLER_VERIFIED


def test_the_loop_is_closed_on_the_sheet(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    said = words(sheet)
    assert "On file: De Long" in said
    assert "SmartHub has “De Long” for account 1023401." in said
    assert "capital D, e, space, capital L, o, n, g" in sheet.read_next.text()
    assert "1-0-2-3-4-0-1, no point" in sheet.read_next.text()
    assert name_on_file(town) == "De Long"
    assert town.holds()[0] == "De Long"
    assert sheet.close_button.text() == "Done"


def test_every_account_of_the_member_is_told(qtbot, town, shown, records, desk):
    both = add_member(records, "OBrien", ("2048001", "2048002"))
    for number in ("2048001", "2048002"):
        town.open_account(number, "OBrien")
    sheet = shown()
    page = members.refresh(desk, both)
    sheet.reject()
    sheet = CorrectionDialog(sheet.parentWidget(), sheet.background, page, page.accounts[0], None)
    opened(qtbot, sheet)
    fills(sheet.name, "O'Brien")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(
        lambda: "would accept “O'Brien”" in words(sheet) and "Account 2048002: " in words(sheet)
    )
    assert town.holds("2048001")[0] == town.holds("2048002")[0] == "O'Brien"


def test_two_presses_are_one_correction(qtbot, town, sheet, records):
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    assert corrections(records) == 1


def test_a_correction_is_taken_back_on_the_same_sheet(qtbot, town, sheet, clock):
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    clock.advance(seconds=20)
    qtbot.mouseClick(sheet.undo_button, LEFT)
    qtbot.waitUntil(
        lambda: "SmartHub would accept “DeLong” for account 1023401 now." in words(sheet)
    )
    assert "On file again: DeLong" in words(sheet)
    assert not sheet.undo_button.isVisible()
    assert name_on_file(town) == town.holds()[0] == "DeLong"


def test_what_a_colleague_changed_since_is_not_undone(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    sams_edit(town, "De-Long")
    qtbot.mouseClick(sheet.undo_button, LEFT)
    qtbot.waitUntil(lambda: "Sam Okafor has changed the name again since" in sheet.problem.text())
    assert not sheet.versions.isVisible()
    assert name_on_file(town) == "De-Long"


# Another person


def test_another_person_is_warned_of_once_the_typing_rests(qtbot, sheet):
    assert not sheet.approval.isVisible()
    fills(sheet.name, "Brightwater")
    assert not sheet.approval.isVisible()
    qtbot.waitUntil(sheet.approval.isVisible)
    assert "A supervisor must approve it" in words(sheet)
    fills(sheet.name, "De Long")
    assert not sheet.approval.isVisible()


def test_half_a_name_is_not_warned_of(qtbot, sheet):
    fills(sheet.name, "De Lon")
    QTest.keyClicks(sheet.name, "g")
    QTest.qWait(2 * sheet._warn.interval())
    assert not sheet.approval.isVisible()


def test_a_supervisor_approves_on_the_same_sheet(qtbot, town, sheet, records, desk):
    staff.enrol(records, "inga", "Inga Holt", Role.SUPERVISOR, "Kettle7!Kettle", "root")
    fills(sheet.name, "Brightwater")
    proves(sheet, Proof.COURT_PAPER)
    saves(sheet)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert "A supervisor must approve it" in sheet.problem.text()
    assert sheet.login.hasFocus()
    fills(sheet.login, "inga")
    fills(sheet.password, "Wrong7!")
    saves(sheet)
    qtbot.waitUntil(lambda: "do not go together" in sheet.problem.text(), timeout=10_000)
    assert sheet.name.text() == "Brightwater"
    assert sheet.password.text() == ""
    assert sheet.password.hasFocus()
    assert sheet.password.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClicks(sheet.password, "Kettle7!Kettle")
    saves(sheet)
    qtbot.waitUntil(lambda: "would accept “Brightwater”" in words(sheet), timeout=10_000)
    assert sheet.password.text() == ""
    with records.read() as db:
        made = db.scalars(select(NameCorrection)).one()
    assert made.approved_by == "inga"
    assert made.corrected_by == "pat"


def test_a_colleague_who_may_not_approve_does_not(qtbot, town, sheet, records):
    staff.enrol(records, "lee", "Lee Moran", Role.REPRESENTATIVE, "Kettle7!Kettle", "root")
    fills(sheet.name, "Brightwater")
    proves(sheet)
    qtbot.waitUntil(sheet.approval.isVisible)
    fills(sheet.login, "lee")
    fills(sheet.password, "Kettle7!Kettle")
    saves(sheet)
    qtbot.waitUntil(lambda: "Lee Moran may not approve" in sheet.problem.text(), timeout=10_000)
    assert name_on_file(town) == "DeLong"


def test_a_supervisor_needs_nobody_else(qtbot, town, shown, desk):
    hers = Background(replace(desk, colleague=SUE))
    sheet = shown(hers)
    fills(sheet.name, "Brightwater")
    proves(sheet)
    qtbot.waitUntil(sheet.approval.isVisible)
    assert "You approve it as supervisor." in words(sheet)
    assert not sheet.login.isVisible()
    saves(sheet)
    qtbot.waitUntil(lambda: "would accept “Brightwater”" in words(sheet))
    hers.close()


# Two at once


def test_both_versions_are_shown_and_mine_goes_on_top(qtbot, town, sheet, records):
    fills(sheet.name, "De Long")
    fills(sheet.note, "Bill of 3 Nov")
    proves(sheet)
    sams_edit(town, given="Rose M")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    said = words(sheet)
    assert "Sam Okafor changed the same meanwhile." in said
    assert "Sam Okafor set given names to Rose M." in said
    assert sheet.both_spellings.accessibleName().startswith("Yours: De Long. Theirs: Delong.")
    assert (sheet.name.text(), sheet.note.text()) == ("De Long", "Bill of 3 Nov")
    assert name_on_file(town) == "Delong"
    qtbot.mouseClick(sheet.versions.keep_mine, LEFT)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    assert name_on_file(town) == town.holds()[0] == "De Long"
    # What Sam alone changed is not written over.
    assert names.name_on_file(town.desk, town.rose).given_names == "Rose M"
    assert corrections(records) == 2


def test_theirs_is_taken(qtbot, town, sheet, records):
    fills(sheet.name, "De Long")
    proves(sheet)
    sams_edit(town)
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    assert not sheet.isVisible()
    assert name_on_file(town) == "Delong"
    assert corrections(records) == 1


def test_theirs_is_taken_where_it_clashes_and_my_other_change_is_saved(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    fills(sheet.given, "Rosalind")
    proves(sheet)
    sams_edit(town, name="Delong")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    qtbot.waitUntil(lambda: "On file: Delong, given names Rosalind" in words(sheet))
    on_file = names.name_on_file(town.desk, town.rose)
    assert (on_file.name, on_file.given_names) == ("Delong", "Rosalind")


def test_one_name_is_answered_with_one_press_and_shown_letter_by_letter(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    proves(sheet)
    sams_edit(town)
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    versions = sheet.versions
    assert versions.notice.y() < sheet.both_spellings.y()
    assert not versions.mine_radios
    assert not versions.merge_button.isVisible()
    foot = {sheet.close_button.y(), versions.keep_mine.y(), versions.take_theirs.y()}
    assert len(foot) == 1
    qtbot.waitUntil(sheet.close_button.hasFocus)


def test_a_draft_holds_only_what_i_changed(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    proves(sheet)
    qtbot.waitUntil(lambda: kept(town) is not None)
    assert "given_names" not in kept(town).fields
    sams_edit(town, name="DeLong", given="Rose M")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.merge_button, LEFT)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    assert names.name_on_file(town.desk, town.rose).given_names == "Rose M"


def kept(town):
    return drafts.recall(town.desk, f"correction {town.rose}")


def test_a_name_that_a_colleague_has_just_changed_is_said_on_the_sheet(qtbot, town, sheet):
    fills(sheet.name, "De Long")
    sams_edit(town, given="Rose M")
    qtbot.waitUntil(sheet.news.isVisible)
    assert sheet.news.text() == (
        "Sam Okafor has just changed this name; what is on file now: Rose M Delong."
    )
    assert sheet.name.text() == "De Long"


def test_a_colleague_who_changes_the_name_too_is_said_on_the_sheet(qtbot, town, shown):
    presence.open(replace(town.desk, colleague=SAM, workstation="desk 5"), town.rose, "name")
    # The same records say of themselves that they are no visitor: another console looks.
    other = replace(town.desk, records=schema.open_records(town.desk.records.engine.url))
    hers = Background(other)
    sheet = shown(hers)
    qtbot.waitUntil(sheet.at_work.isVisible)
    assert sheet.at_work.text() == (
        "Sam Okafor is changing the name. Whoever saves second is shown both versions."
    )
    hers.close()
    other.records.close()


def test_another_detail_that_a_colleague_changes_is_no_conflict(qtbot, town, sheet, records):
    fills(sheet.name, "De Long")
    proves(sheet)
    with records.begin() as db:
        db.get_one(Member, town.rose).mailing_city = "Salina"
    qtbot.waitUntil(lambda: sheet.background.idle)
    saves(sheet)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))


def test_changes_that_fit_beside_each_other_are_both_saved(qtbot, town, sheet):
    fills(sheet.given, "Rosalind")
    proves(sheet)
    sams_edit(town, name="Delong")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    assert "Both changes fit beside each other." in words(sheet)
    assert not sheet.both_spellings.isVisible()
    QTest.keyClick(sheet.versions.merge_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "On file: Delong" in words(sheet))
    on_file = names.name_on_file(town.desk, town.rose)
    assert (on_file.name, on_file.given_names) == ("Delong", "Rosalind")


# When something is wrong


def test_while_the_portal_is_down_it_waits_and_then_arrives(qtbot, town, sheet, clock):
    town.portal.misbehave(Kind.DOWN)
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(
        lambda: "waits in the outbox and goes by itself" in words(sheet), timeout=30_000
    )
    assert "On file: De Long" in words(sheet)
    assert town.holds()[0] == "DeLong"
    assert ACCEPTED not in words(sheet)
    town.portal.behave()
    clock.advance(minutes=10)
    courier.make_round(town.desk)  # any console's next round
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    assert town.holds()[0] == "De Long"


def test_a_portal_that_goes_before_the_check_is_asked_again_by_key(qtbot, town, sheet):
    town.portal.misbehave(Kind.DOWN, "/v1/registration-checks")
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(sheet.again_button.isVisible, timeout=30_000)
    assert "SmartHub has “De Long”" in words(sheet)
    town.portal.behave()
    QTest.keyClick(sheet, Qt.Key.Key_J, CONTROL)
    qtbot.waitUntil(lambda: ACCEPTED in words(sheet))
    assert not sheet.again_button.isVisible()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("De\u202eLong", "turns the direction of writing"),
        ("De\x07Long", "cannot be stored or seen"),
        ("1023401", "looks like a number"),
        ("!!!", "has no letters"),
    ],
)
def test_what_cannot_be_a_name_is_said_and_stays_in_the_field(qtbot, town, sheet, name, said):
    sheet.name.setText(name)
    proves(sheet)
    typed = sheet.name.text()
    saves(sheet)
    qtbot.waitUntil(lambda: said in sheet.problem.text())
    assert sheet.name.text() == typed
    assert name_on_file(town) == "DeLong"


def test_a_name_that_stands_there_already_is_said(qtbot, sheet):
    fills(sheet.name, "DeLong ")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: "There is nothing to change." in sheet.problem.text())


def test_an_auditor_is_told_that_nothing_was_changed(qtbot, town, shown, desk):
    auditors = Background(replace(desk, colleague=ANA))
    sheet = shown(auditors)
    fills(sheet.name, "De Long")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert name_on_file(town) == "DeLong"
    auditors.close()


# Leaving


def confirmation():
    return next(
        (w for w in QApplication.topLevelWidgets()
         if isinstance(w, QDialog) and w.objectName() == "confirm" and w.isVisible()),
        None,
    )  # fmt: skip


def button(sheet, word):
    return next(b for b in sheet.findChildren(QAbstractButton) if b.text() == word)


def test_esc_leaves_an_untouched_sheet_at_once(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


@pytest.mark.parametrize("field", ["name", "given", "note"])
def test_esc_asks_before_it_forgets_what_was_typed(qtbot, town, sheet, field):
    fills(getattr(sheet, field), "Something")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    question = confirmation()
    assert question is not None
    qtbot.mouseClick(button(question, "Cancel"), LEFT)
    assert sheet.isVisible()
    assert getattr(sheet, field).text() == "Something"
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.mouseClick(button(confirmation(), "Leave"), LEFT)
    assert not sheet.isVisible()
    assert name_on_file(town) == "DeLong"


# What was typed at the portal


def test_the_spelling_that_was_typed_is_one_key_away(shown):
    sheet = shown(typed="De Long ")
    assert sheet.as_typed_button.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_U, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert sheet.name.text() == "De Long"
    assert not sheet.as_typed_button.isVisible()


@pytest.mark.parametrize("typed", ["", "DeLong", "de long", "Brightwater", "Ruiz"])
def test_what_is_no_better_spelling_is_not_offered(shown, typed):
    assert not shown(typed=typed).as_typed_button.isVisible()


def test_given_names_alone_are_corrected_too(qtbot, town, sheet, records):
    fills(sheet.given, "Rosalind")
    proves(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: "would accept “DeLong”" in words(sheet))
    with records.read() as db:
        assert db.get(Member, town.rose).given_names == "Rosalind"
