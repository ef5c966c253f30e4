from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QMainWindow

from console.background import Background
from console.domain.contact import Asked
from console.models import schema
from console.services import calls, changes, contact, drafts, presence
from console.services.contact import ContactEdit
from console.views.contact import ContactSheet
from console.views.members import MemberScreen
from tests.office import ANA, SAM

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot, town, live):
    """Rose's page in a window, the caller verified."""
    window = QMainWindow()
    window.resize(1158, 668)
    qtbot.addWidget(window)
    screen = MemberScreen(live, town.rose)
    window.setCentralWidget(screen)
    with qtbot.waitActive(window):
        window.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    yield screen
    qtbot.waitUntil(lambda: live.idle)


def verified(qtbot, town, page):
    call = str(uuid4())
    calls.begin(town.desk, call, town.rose)
    page.show_call(calls.tick(town.desk, call, list(calls.Fact)))
    qtbot.waitUntil(lambda: not page.page_shown.masked)
    return call


def opened(qtbot, page) -> ContactSheet:
    sheet = page.open_contact()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def filled(qtbot, sheet):
    qtbot.waitUntil(sheet.form.isVisible)
    return sheet


def types(sheet, field, text):
    line = sheet.fields[field]
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def saves(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def stands(town):
    return contact.on_file(town.desk, town.rose, Asked.IN_PERSON).contact


def sam_sets(town, **details):
    sam = replace(town.desk, colleague=SAM)
    on_file = contact.on_file(sam, town.rose, Asked.IN_PERSON)
    after = replace(on_file.contact, **details)
    edit = ContactEdit(
        str(uuid4()), town.rose, on_file.version, on_file.contact, after, Asked.IN_PERSON
    )
    contact.change_contact(sam, edit)


def test_a_verified_caller_has_a_phone_changed_and_the_page_shows_it(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    assert sheet.fields["phone"].hasFocus()
    assert sheet.fields["phone"].text() == "(620) 555-0147"
    assert not sheet.save_button.isEnabled()
    types(sheet, "phone", "620.555.0199")
    saves(sheet)
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0199")
    assert stands(town).phone == "6205550199"


def test_the_timeline_takes_it_back(qtbot, town, page):
    verified(qtbot, town, page)
    changed = contact.change_contact(
        town.desk,
        ContactEdit(
            "one",
            town.rose,
            1,
            stands(town),
            replace(stands(town), phone="6205550199"),
            Asked.IN_PERSON,
        ),
    )
    page.load()
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0199")
    entry = next(one for one in page.page_shown.timeline if one.contact_change_id)
    assert entry.contact_change_id == changed.id
    listed = page.timeline.list
    for line in range(listed.model().rowCount()):
        listed.setCurrentIndex(listed.model().index(line, 0))
        if page.timeline.undo.isEnabled():
            break
    page.timeline.undo.trigger()
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0147")


def test_nothing_is_uncovered_before_somebody_is_known_to_ask(qtbot, town, page):
    sheet = opened(qtbot, page)
    assert sheet.asked.findData(Asked.CALLER_VERIFIED) == -1
    assert not sheet.form.isVisible()
    assert "0147" not in words(sheet)
    QTest.keyClick(sheet.asked, Qt.Key.Key_Down)
    filled(qtbot, sheet)
    assert sheet.fields["email"].text() == "rose@example.org"


def test_a_bad_detail_is_said_beside_its_field_and_nothing_is_lost(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "email", "rose.d@example.org")
    types(sheet, "mailing_zip", "6699")
    saves(sheet)
    qtbot.waitUntil(lambda: "A ZIP code has five digits" in words(sheet))
    assert sheet.fields["mailing_zip"].hasFocus()
    assert sheet.fields["email"].text() == "rose.d@example.org"
    types(sheet, "mailing_zip", "66998")
    assert "A ZIP code" not in words(sheet)
    saves(sheet)
    qtbot.waitUntil(lambda: stands(town).mailing_zip == "66998")
    assert stands(town).email == "rose.d@example.org"


def test_a_field_that_both_changed_is_chosen_and_the_others_are_merged(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    types(sheet, "email", "rose.d@example.org")
    types(sheet, "mailing_zip", "66998")
    sam_sets(town, phone="6205550111", email="rose@example.com", mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    said = words(sheet)
    assert "Sam Okafor changed the same meanwhile." in said
    assert "Sam Okafor set city to Salina. You set ZIP to 66998. That is kept either way." in said
    assert not sheet.versions.merge_button.isEnabled()
    qtbot.mouseClick(sheet.versions.their_radios["phone"], LEFT)
    qtbot.mouseClick(sheet.versions.mine_radios["email"], LEFT)
    qtbot.mouseClick(sheet.versions.merge_button, LEFT)
    qtbot.waitUntil(lambda: stands(town).email == "rose.d@example.org")
    assert (stands(town).phone, stands(town).mailing_city) == ("6205550111", "Salina")
    assert stands(town).mailing_zip == "66998"


def test_mine_is_kept_without_writing_over_what_only_they_changed(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    sam_sets(town, phone="6205550111", mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.keep_mine, LEFT)
    qtbot.waitUntil(lambda: stands(town).phone == "6205550199")
    assert stands(town).mailing_city == "Salina"


def both_change_two(qtbot, town, page):
    """Rose's sheet, with two fields that Sam changed meanwhile too."""
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111", email="rose@example.com")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    return sheet


def test_the_choice_begins_where_nothing_is_lost_and_the_keys_lead_on(qtbot, town, page):
    sheet = both_change_two(qtbot, town, page)
    versions = sheet.versions
    qtbot.waitUntil(lambda: any(one.hasFocus() for one in versions.mine_radios.values()))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        QTest.keyClick(QApplication.focusWidget(), key)
    saves(sheet)
    qtbot.waitUntil(lambda: sheet.background.idle)
    assert stands(town).phone == "6205550111"
    # Every pair of choices is one stop of the Tab key once one of them is chosen.
    for mine in versions.mine_radios.values():
        mine.click()
    list(versions.mine_radios.values())[-1].setFocus()
    walked = []
    for _ in range(4):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        walked.append(QApplication.focusWidget())
    assert walked == [
        versions.merge_button,
        versions.take_theirs,
        versions.keep_mine,
        sheet.close_button,
    ]


def test_the_buttons_of_a_conflict_stand_at_the_foot(qtbot, town, page):
    sheet = both_change_two(qtbot, town, page)
    versions = sheet.versions
    foot = {sheet.close_button.y(), versions.merge_button.y(), versions.keep_mine.y()}
    assert len(foot) == 1
    assert not sheet.save_button.isVisible()


def test_theirs_is_taken_where_it_clashes_and_my_other_changes_are_saved(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    qtbot.waitUntil(lambda: stands(town).email == "rose.d@example.org")
    assert stands(town).phone == "6205550111"


def test_only_what_i_changed_is_kept_as_a_draft_until_it_is_saved(qtbot, town, page):
    def kept():
        draft = drafts.recall(town.desk, f"contact {town.rose}")
        return dict(draft.fields) if draft else None

    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111", mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    # What Sam alone changed is none of mine, although it differs from what I began with.
    qtbot.waitUntil(lambda: kept() == {"phone": "(620) 555-0199", "email": "rose.d@example.org"})
    sam_sets(town, email="rose@example.com")
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    qtbot.waitUntil(lambda: "rose@example.com" in words(sheet.versions))
    qtbot.waitUntil(lambda: kept() == {"email": "rose.d@example.org"})
    qtbot.mouseClick(sheet.versions.keep_mine, LEFT)
    qtbot.waitUntil(lambda: kept() is None)
    assert stands(town).email == "rose.d@example.org"
    assert (stands(town).phone, stands(town).mailing_city) == ("6205550111", "Salina")


def test_one_field_is_answered_with_one_press(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    sam_sets(town, phone="6205550111")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    assert offered(sheet) == ["Cancel", "Keep mine", "Take theirs"]
    assert "(620) 555-0199" in words(sheet)
    assert "(620) 555-0111" in words(sheet)
    qtbot.waitUntil(sheet.close_button.hasFocus)


def test_changes_that_fit_are_saved_both_or_mine_is_dropped(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "mailing_zip", "66998")
    sam_sets(town, mailing_city="Salina")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    assert offered(sheet) == ["Cancel", "Drop mine", "Save both"]
    qtbot.mouseClick(sheet.versions.drop_mine, LEFT)
    assert not sheet.isVisible()
    assert (stands(town).mailing_zip, stands(town).mailing_city) == ("66999", "Salina")


def offered(sheet):
    buttons = [one for one in sheet.findChildren(QAbstractButton) if one.isVisible()]
    at_foot = [one for one in buttons if one.y() == sheet.close_button.y()]
    return [one.text() for one in sorted(at_foot, key=lambda one: one.x())]


def test_what_a_colleague_does_meanwhile_is_said_on_the_sheet(qtbot, town, page, database_url):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    sams = replace(town.desk, records=schema.open_records(database_url), colleague=SAM)
    page.background.follow(changes.feed(page.background.desk))
    presence.open(sams, town.rose, "contact details")
    qtbot.waitUntil(sheet.at_work.isVisible)
    assert sheet.at_work.text().startswith("Sam Okafor is changing the contact details.")
    presence.close(sams, town.rose)
    qtbot.waitUntil(lambda: not sheet.at_work.isVisible())
    sams.records.close()


def test_what_a_colleague_has_just_saved_is_said_on_the_sheet(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111")
    qtbot.waitUntil(sheet.news.isVisible)
    assert sheet.news.text() == (
        "Sam Okafor has just changed these details; what is on file now: phone (620) 555-0111."
    )
    assert sheet.fields["email"].text() == "rose.d@example.org"
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    assert not sheet.news.isVisible()


def test_choosing_again_who_asks_takes_nothing_of_a_colleague_back(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "email", "rose.d@example.org")
    sam_sets(town, phone="6205550111")
    sheet.asked.setCurrentIndex(sheet.asked.findData(Asked.IN_WRITING))
    qtbot.waitUntil(lambda: sheet.background.idle)
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.merge_button, LEFT)
    qtbot.waitUntil(lambda: stands(town).email == "rose.d@example.org")
    assert stands(town).phone == "6205550111"


def test_theirs_is_taken_and_nothing_is_written(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    sam_sets(town, phone="6205550111")
    saves(sheet)
    qtbot.waitUntil(sheet.versions.isVisible)
    qtbot.mouseClick(sheet.versions.take_theirs, LEFT)
    qtbot.waitUntil(lambda: page.header.phone.value.text() == "(620) 555-0111")


def test_leaving_half_made_changes_asks_first(qtbot, town, page):
    verified(qtbot, town, page)
    sheet = filled(qtbot, opened(qtbot, page))
    types(sheet, "phone", "620 555 0199")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    asks = page.window().findChild(QDialog, "confirm")
    assert asks is not None
    QTest.keyClick(asks, Qt.Key.Key_Escape)
    assert sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    page.window().findChildren(QDialog, "confirm")[-1].accept()
    assert stands(town).phone == "6205550147"


def test_who_may_only_look_is_offered_nothing(qtbot, town, desk):
    hers = Background(replace(desk, colleague=ANA))
    screen = MemberScreen(hers, town.rose)
    qtbot.addWidget(screen)
    screen.show()
    screen.load()
    qtbot.waitUntil(lambda: screen.page_shown is not None)
    assert not screen.header.edit_contact.isVisible()
    assert not screen.header.contact_action.isEnabled()
    qtbot.waitUntil(lambda: hers.idle)
    hers.close()
