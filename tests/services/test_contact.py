from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from console.domain.contact import Asked, BadContact, Contact
from console.domain.courier import ErrandState
from console.domain.registration import Proof
from console.domain.staff import Role
from console.models import roles, schema
from console.models.contact import ContactChange
from console.models.courier import Errand
from console.models.members import Member
from console.sandbox import mailbox
from console.services import calls, contact, courier, members, names, rounds, search
from console.services.contact import ContactChangedMeanwhile, ContactEdit, NotVerified
from console.services.desk import Colleague, LooksOnly
from console.services.names import Correction
from console.services.rounds import Going
from tests.logins import PASSWORD, open_office
from tests.office import ANA, SAM, add_member, trail


@pytest.fixture
def rose(desk):
    return add_member(desk.records)


@pytest.fixture
def post(tmp_path):
    """A mail server of the office, and the letters that reached it."""
    with mailbox.running(str(tmp_path / "letters.sqlite")) as box:
        yield box


def posting(desk, post):
    host, port = post.smtp
    settings = replace(
        desk.settings, mail_server=f"smtp://{host}:{port}", mail_sender="office@coop.example"
    )
    return replace(desk, settings=settings)


def edit(desk, member_id, **details):
    stands = contact.on_file(desk, member_id, Asked.IN_PERSON)
    after = replace(stands.contact, **details)
    return ContactEdit(
        str(uuid4()), member_id, stands.version, stands.contact, after, Asked.IN_PERSON
    )


def stands(desk, member_id):
    return contact.on_file(desk, member_id, Asked.IN_PERSON).contact


def test_a_changed_phone_stands_on_file_and_finds_the_member(desk, rose):
    changed = contact.change_contact(desk, edit(desk, rose, phone="620.555.0199"))
    assert changed.words.startswith("The phone is changed.")
    assert stands(desk, rose).phone == "6205550199"
    assert [hit.member_id for hit in search.find(desk, "620-555-0199").hits] == [rose]
    assert trail(desk) == ["contact:shown", "contact:changed", "contact:shown"]


def test_an_address_that_was_left_stays_findable(desk, rose):
    contact.change_contact(desk, edit(desk, rose, mailing_line="9 Elm Street"))
    assert [hit.member_id for hit in search.find(desk, "po box 12").hits] == [rose]
    assert [hit.member_id for hit in search.find(desk, "9 elm street").hits] == [rose]


def test_only_a_caller_verified_on_ones_own_call_may_ask(desk, rose):
    call = str(uuid4())
    calls.begin(desk, call, rose)
    with pytest.raises(NotVerified):
        contact.on_file(desk, rose, Asked.CALLER_VERIFIED, call)
    wanted = replace(edit(desk, rose, phone="6205550199"), asked=Asked.CALLER_VERIFIED)
    with pytest.raises(NotVerified):
        contact.change_contact(desk, replace(wanted, call_id=call))
    with pytest.raises(NotVerified):
        contact.change_contact(desk, wanted)
    assert stands(desk, rose).phone == "6205550147"


def test_who_may_only_look_neither_uncovers_nor_changes(desk, rose):
    wanted = edit(desk, rose, phone="6205550199")
    auditor = replace(desk, colleague=ANA)
    with pytest.raises(LooksOnly):
        contact.change_contact(auditor, wanted)
    with pytest.raises(LooksOnly):
        contact.on_file(auditor, rose, Asked.IN_PERSON)


def test_what_cannot_stand_changes_nothing(desk, rose):
    wanted = edit(desk, rose, email="rose@", phone="6205550199")
    with pytest.raises(BadContact):
        contact.change_contact(desk, wanted)
    assert stands(desk, rose).phone == "6205550147"


def test_pressing_twice_changes_once(desk, rose):
    wanted = edit(desk, rose, phone="6205550199")
    first = contact.change_contact(desk, wanted)
    assert contact.change_contact(desk, wanted).on_file == first.on_file
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(ContactChange)) == 1


def test_the_slower_of_two_gets_both_versions_and_loses_nothing(desk, rose):
    mine, sams = edit(desk, rose, phone="6205550199"), edit(desk, rose, phone="6205550111")
    contact.change_contact(replace(desk, colleague=SAM), sams)
    with pytest.raises(ContactChangedMeanwhile) as caught:
        contact.change_contact(desk, mine)
    theirs = caught.value.theirs
    assert theirs.contact.phone == "6205550111"
    assert theirs.version > mine.version
    again = replace(mine, version=theirs.version, before=theirs.contact)
    contact.change_contact(desk, again)
    assert stands(desk, rose).phone == "6205550199"


def test_a_name_corrected_meanwhile_is_no_conflict(desk, rose):
    wanted = edit(desk, rose, phone="6205550199")
    names.correct_name(
        desk, Correction(str(uuid4()), rose, wanted.version, "De Long", "Rose", Proof.DEED)
    )
    contact.change_contact(desk, wanted)
    page = members.refresh(desk, rose)
    assert (page.name, stands(desk, rose).phone) == ("De Long", "6205550199")


def test_two_at_the_same_moment_leave_one_edit_and_one_conflict(desk, rose):
    wanted = [edit(desk, rose, phone=f"62055501{n:02}") for n in range(8)]

    def save(one):
        try:
            return contact.change_contact(desk, one).on_file.contact.phone
        except ContactChangedMeanwhile:
            return None

    with ThreadPoolExecutor(8) as pool:
        saved = [phone for phone in pool.map(save, wanted) if phone]
    assert saved == [stands(desk, rose).phone]


def test_undo_puts_everything_back_and_only_while_it_stands(desk, rose):
    before = stands(desk, rose)
    first = contact.change_contact(
        desk, edit(desk, rose, phone="6205550199", mailing_city="Salina")
    )
    assert contact.undo_change(desk, str(uuid4()), first.id).undone
    assert stands(desk, rose) == before
    assert contact.undo_change(desk, str(uuid4()), first.id).undone
    second = contact.change_contact(desk, edit(desk, rose, phone="6205550199"))
    contact.change_contact(desk, edit(desk, rose, phone="6205550188"))
    with pytest.raises(ContactChangedMeanwhile):
        contact.undo_change(desk, str(uuid4()), second.id)
    assert stands(desk, rose).phone == "6205550188"


def test_the_timeline_tells_it_to_whom_may_hear_it(desk, rose):
    changed = contact.change_contact(
        desk, edit(desk, rose, phone="6205550199", email="rd@example.org")
    )
    entry = members.refresh(desk, rose).timeline[0]
    assert entry.title == "E-mail address and phone changed"
    assert "0199" not in entry.detail
    assert "rose@" not in entry.detail
    assert entry.contact_change_id == changed.id
    call = str(uuid4())
    calls.begin(desk, call, rose)
    calls.tick(desk, call, list(calls.Fact))
    told = next(
        one for one in members.refresh(desk, rose, call).timeline if one.title == entry.title
    )
    assert "Phone: (620) 555-0147 became (620) 555-0199." in told.detail
    contact.undo_change(desk, str(uuid4()), changed.id)
    titles = [one.title for one in members.refresh(desk, rose).timeline]
    assert "Change of e-mail address and phone undone" in titles


def test_the_old_address_is_told_once_without_what_it_became(desk, post, rose):
    office = posting(desk, post)
    changed = contact.change_contact(office, edit(office, rose, email="rd@example.org"))
    assert changed.words == "The e-mail address is changed. rose@example.org is told of it."
    courier.make_round(office)
    courier.make_round(office)
    (mail,) = post.mails()
    assert mail["recipient"] == "rose@example.org"
    assert "the e-mail address on your account ending in 401" in mail["text"]
    assert "rd@example.org" not in mail["text"]
    assert "contact:old_contact_told" in trail(office)
    shown = [one.detail for one in members.refresh(office, rose).timeline]
    assert not any("rose@example.org" in detail for detail in shown)


def test_a_corrected_name_is_told_too(desk, post, rose):
    office = posting(desk, post)
    version = names.name_on_file(office, rose).version
    names.correct_name(
        office, Correction(str(uuid4()), rose, version, "De Long", "Rose", Proof.DEED)
    )
    courier.make_round(office)
    assert [mail["recipient"] for mail in post.mails()] == ["rose@example.org"]


def test_an_old_address_that_bounces_is_said(desk, post):
    lost = add_member(desk.records, numbers=("2034502",), email="nobody@example.org")
    office = posting(desk, post)
    contact.change_contact(office, edit(office, lost, email="rd@example.org"))
    courier.make_round(office)
    with office.records.read() as db:
        errand = db.scalars(select(Errand)).one()
    assert errand.state is ErrandState.REFUSED
    assert "came back" in errand.answer


def test_without_a_mail_server_nobody_is_told_and_nothing_waits(desk, rose):
    changed = contact.change_contact(desk, edit(desk, rose, email="rd@example.org"))
    assert changed.words == (
        "The e-mail address is changed. The old address, rose@example.org, is not told of it. "
        "No mail server is set up here."
    )
    undone = contact.undo_change(desk, str(uuid4()), changed.id)
    assert "rd@example.org, is not told of it" in undone.words
    with desk.records.read() as db:
        assert db.scalar(select(func.count()).select_from(Errand)) == 0


def test_a_mail_server_that_cannot_be_understood_tells_nobody_and_says_so(desk, rose):
    wrong = replace(
        desk,
        settings=replace(desk.settings, mail_server="mail", mail_sender="office@coop.example"),
    )
    changed = contact.change_contact(wrong, edit(wrong, rose, email="rd@example.org"))
    assert "must look like smtp://" in changed.words
    assert courier.make_round(wrong).trouble == ""


def test_what_waits_where_no_mail_server_is_set_up_any_more_is_said_and_then_given_up(
    desk, post, rose, clock
):
    office = posting(desk, post)
    contact.change_contact(office, edit(office, rose, email="rd@example.org"))
    clock.advance(minutes=2)
    for _ in range(3):
        made = courier.make_round(desk)
        assert (made.carried, made.waiting) == (0, 1)
    assert made.trouble == ("One e-mail to members waits. No mail server is set up here.")
    health = rounds.health(desk)
    assert health.going is Going.HELD_UP
    assert "No mail server is set up here." in health.words
    with desk.records.read() as db:
        assert db.scalars(select(Errand)).one().tries == 0, "it is left for another courier"
    clock.advance(hours=24)
    assert courier.make_round(desk).carried == 1
    with desk.records.read() as db:
        errand = db.scalars(select(Errand)).one()
    assert errand.state is ErrandState.GAVE_UP
    assert "tell the member another way" in errand.answer
    assert trail(desk)[-1] == "contact:old_contact_not_told"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_only_the_courier_needs_a_mail_server(desk, post, rose, postgresql_server, database_url):
    """A representative's own login, a courier's own login, and two sets of settings."""
    office = open_office(postgresql_server, database_url)
    carrier = f"courier.{uuid4().hex[:8]}"
    with desk.records.begin() as db:
        db.execute(text(f"CREATE ROLE \"{carrier}\" LOGIN PASSWORD '{PASSWORD}'"))
        db.execute(text(f'GRANT {roles.COURIER} TO "{carrier}"'))
    with (
        closing(schema.open_records(office.address(office.sue), upgrade_it=False)) as sues,
        closing(schema.open_records(office.address(carrier), upgrade_it=False)) as couriers,
    ):
        sue = replace(
            desk,
            records=sues,
            colleague=Colleague(office.sue, "Sue Abara", Role.SUPERVISOR),
            now=lambda: datetime.now(UTC),
        )
        assert not sue.carries
        changed = contact.change_contact(sue, edit(sue, rose, email="rd@example.org"))
        assert changed.words == (
            "The e-mail address is changed. The courier tells rose@example.org of it."
        )
        carrying = posting(
            replace(
                sue,
                records=couriers,
                colleague=Colleague(carrier, "Courier", Role.REPRESENTATIVE),
            ),
            post,
        )
        without = replace(carrying, settings=desk.settings)
        assert courier.make_round(without).carried == 0
        assert courier.make_round(carrying).carried == 1
        assert [mail["recipient"] for mail in post.mails()] == ["rose@example.org"]
        contact.undo_change(sue, str(uuid4()), changed.id)
        assert courier.make_round(carrying).carried == 1
        assert [mail["recipient"] for mail in post.mails()] == [
            "rd@example.org",
            "rose@example.org",
        ]
    office.door.close()


def test_an_undone_change_tells_the_address_that_goes(desk, post, rose):
    office = posting(desk, post)
    changed = contact.change_contact(office, edit(office, rose, email="thief@example.org"))
    courier.make_round(office)
    undone = contact.undo_change(office, str(uuid4()), changed.id)
    assert undone.words.endswith("thief@example.org is told of it.")
    courier.make_round(office)
    last = post.mails()[0]
    assert last["recipient"] == "thief@example.org"
    assert "back to what was on file before" in last["text"]
    assert len(post.mails()) == 2


def test_an_undone_correction_of_a_name_is_told_too(desk, post, rose):
    office = posting(desk, post)
    version = names.name_on_file(office, rose).version
    made = names.correct_name(
        office, Correction(str(uuid4()), rose, version, "De Long", "Rose", Proof.DEED)
    )
    names.undo_correction(office, str(uuid4()), made.id)
    courier.make_round(office)
    assert [mail["recipient"] for mail in post.mails()] == ["rose@example.org"] * 2
    assert sum("name, back to what was on file" in mail["text"] for mail in post.mails()) == 1


def test_what_is_no_address_is_written_to_by_nobody(desk, post):
    odd = add_member(desk.records, numbers=("2034502",), email="rose at home")
    office = posting(desk, post)
    contact.change_contact(office, edit(office, odd, email="rd@example.org"))
    assert courier.make_round(office).carried == 1
    with office.records.read() as db:
        errand = db.scalars(select(Errand)).one()
    assert errand.state is ErrandState.REFUSED
    assert "is no e-mail address" in errand.answer
    assert post.mails() == []


def test_a_member_without_anything_changes_into_one_with_a_phone(desk):
    bare = add_member(
        desk.records,
        numbers=("2034502",),
        **dict.fromkeys(Contact().as_fields(), ""),
    )
    contact.change_contact(desk, edit(desk, bare, phone="5550147"))
    with desk.records.read() as db:
        assert db.get_one(Member, bare).phone == "5550147"
