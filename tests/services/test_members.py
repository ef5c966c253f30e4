from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import event

from console.domain.calls import Fact
from console.domain.errors import ConsoleError
from console.domain.members import AlertKind
from console.domain.texts import CardNumberTyped
from console.services import calls, members
from console.services.desk import LooksOnly
from console.services.members import EntryKind, NextAct
from tests.office import ANA, SAM, add_member, staff_the_office, trail

ENOUGH = {Fact.NAME, Fact.PHONE, Fact.LAST_FOUR}


@pytest.fixture
def rose(records):
    staff_the_office(records)
    return add_member(records, numbers=("1023401", "1023402"))


def call_with(desk, member_id, facts=()):
    call_id = str(uuid4())
    calls.begin(desk, call_id, member_id)
    calls.tick(desk, call_id, facts)
    return call_id


def test_the_page_answers_without_a_click(desk, rose):
    page = members.look_up(desk, rose)
    assert page.display_name == "Rose DeLong"
    assert [account.number for account in page.accounts] == ["1023401", "1023402"]
    assert page.accounts[0].service_address == "14 Mill Road, Cedar Fork, KS 66999"
    assert [(holder.name, holder.role.words) for holder in page.holders] == [
        ("Mary Ruiz", "Second holder")
    ]
    assert page.next_step.act is NextAct.NONE
    assert "“DeLong”" in page.next_step.say


def test_the_look_is_audited_and_the_refresh_is_not(desk, rose):
    members.look_up(desk, rose)
    members.refresh(desk, rose)
    assert trail(desk) == ["member:opened"]


def test_money_and_contact_stay_hidden_until_the_caller_is_verified(desk, rose):
    page = members.look_up(desk, rose)
    assert page.masked
    assert (page.email, page.phone, page.mailing_address) == (
        "r…@example.org",
        "•••-•••-0147",
        "•••",
    )
    assert page.accounts[0].balance == "$•••"
    assert "$142.10" not in repr(page.timeline)
    assert {row.fact: row.on_file for row in page.facts}[Fact.LAST_PAYMENT] == (
        "$99.00 on 2 Nov 2026"
    )

    call_id = call_with(desk, rose, ENOUGH)
    page = members.refresh(desk, rose, call_id)
    assert not page.masked
    assert page.email == "rose@example.org"
    assert page.phone == "(620) 555-0147"
    assert page.accounts[0].balance == "$142.10"
    assert "Payment of $99.00" in {entry.title for entry in page.timeline}


def test_only_ones_own_verified_call_with_this_member_lifts_the_mask(desk, rose, records):
    other = add_member(records, "Okonjo", ("2000001",))
    call_id = call_with(desk, rose, ENOUGH)
    assert members.refresh(desk, other, call_id).masked
    assert members.refresh(desk, rose).masked
    assert members.refresh(desk, rose, "no such call").masked
    assert members.refresh(replace(desk, colleague=SAM), rose, call_id).masked
    calls.wrap_up(
        desk, call_id, calls.WrapUp(calls.Reason.REGISTRATION, calls.Result.SOLVED, "Done.")
    )
    assert members.refresh(desk, rose, call_id).masked


def test_the_number_of_questions_does_not_grow_with_the_accounts(desk, records):
    one = add_member(records, "Okonjo", ("2000001",))
    many = add_member(records, "Vance", tuple(str(3000000 + n) for n in range(40)))
    asked = []
    event.listen(records.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def count(member_id):
        asked.clear()
        members.refresh(desk, member_id)
        return len(asked)

    assert count(many) == count(one)
    assert count(many) <= 16


def test_the_caller_is_verified_before_anything_is_told(desk, rose):
    call_id = call_with(desk, rose)
    assert members.refresh(desk, rose, call_id).next_step.act is NextAct.VERIFY_CALLER
    calls.tick(desk, call_id, ENOUGH)
    assert members.refresh(desk, rose, call_id).next_step.act is NextAct.NONE


def test_notes_are_written_once_removed_and_restored(desk, rose):
    note_id = str(uuid4())
    for _ in range(2):
        members.write_note(desk, note_id, rose, "  Calls back\nat noon.\0 ", None)
    notes = [e for e in members.refresh(desk, rose).timeline if e.kind is EntryKind.NOTE]
    assert [(n.detail, n.who, n.note_id) for n in notes] == [
        ("Calls back\nat noon.", "Pat Lindqvist", note_id)
    ]
    members.remove_note(desk, note_id)
    members.remove_note(desk, note_id)
    assert not [e for e in members.refresh(desk, rose).timeline if e.note_id]
    members.restore_note(desk, note_id)
    assert [e for e in members.refresh(desk, rose).timeline if e.note_id]
    assert trail(desk) == ["note:written", "note:removed", "note:restored"]


@pytest.mark.parametrize(
    ("text", "says"), [("", "empty"), (" \n\0", "empty"), ("x" * 4001, "4,000 characters")]
)
def test_notes_that_cannot_be_kept(desk, rose, text, says):
    with pytest.raises(ConsoleError, match=says):
        members.write_note(desk, str(uuid4()), rose, text, None)


def test_no_note_keeps_a_card_number(desk, rose):
    with pytest.raises(CardNumberTyped):
        members.write_note(desk, str(uuid4()), rose, "pays with 4111 1111 1111 1111", None)
    with pytest.raises(CardNumberTyped):
        members.raise_alert(desk, rose, AlertKind.FRAUD_WATCH, "card 4111-1111-1111-1111")


def test_alerts_stand_gravest_first_until_cleared(desk, rose):
    members.raise_alert(desk, rose, AlertKind.DOG_ON_PREMISES, "")
    grave = members.raise_alert(desk, rose, AlertKind.MEDICAL_NECESSITY, "Oxygen.")
    page = members.refresh(desk, rose)
    assert [alert.kind for alert in page.alerts] == [
        AlertKind.MEDICAL_NECESSITY,
        AlertKind.DOG_ON_PREMISES,
    ]
    assert page.alerts[0].raised_by == "Pat Lindqvist"
    members.clear_alert(desk, grave)
    assert len(members.refresh(desk, rose).alerts) == 1
    members.restore_alert(desk, grave)
    assert len(members.refresh(desk, rose).alerts) == 2


def test_an_auditor_looks_and_changes_nothing(desk, rose):
    ana = replace(desk, colleague=ANA)
    assert members.look_up(ana, rose).masked
    for act in (
        lambda: members.write_note(ana, str(uuid4()), rose, "x", None),
        lambda: members.remove_note(ana, "x"),
        lambda: members.raise_alert(ana, rose, AlertKind.DECEASED, ""),
        lambda: members.clear_alert(ana, 1),
        lambda: calls.begin(ana, str(uuid4()), rose),
    ):
        with pytest.raises(LooksOnly, match="look at everything"):
            act()
    assert trail(desk) == ["member:opened"]


@pytest.mark.parametrize("typed", ["1023401", "10234.01", " 10234-01 "])
def test_a_member_is_found_by_account_number_however_it_is_printed(desk, rose, typed):
    assert members.member_of_account(desk, typed) == rose


@pytest.mark.parametrize("typed", ["9999999", "", "none", "\0", "1" * 1000])
def test_account_numbers_nobody_has(desk, rose, typed):
    with pytest.raises(ConsoleError):
        members.member_of_account(desk, typed)


def test_a_member_nobody_has(desk):
    with pytest.raises(members.NoSuchMember, match="Search again"):
        members.look_up(desk, 12345)
    assert trail(desk) == []
