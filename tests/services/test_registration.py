from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from console.clients.portal import Portal
from console.domain.calls import Fact
from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind, Outcome, Proof, RegistrationState
from console.models.members import FormerName, Member, NameCorrection
from console.models.registration import RegistrationAttempt
from console.sandbox.portal import Kind
from console.services import calls, courier, members, registration, search
from console.services.desk import LooksOnly
from console.services.members import EntryKind, NextAct
from console.services.registration import Approval, ChangedMeanwhile, Correction, NeedsSupervisor
from tests.office import ANA, SAM, SUE, add_member, trail


def count(desk, record):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(record))


def panel(town, number="1023401"):
    page = members.refresh(town.desk, town.rose)
    return next(account.portal for account in page.accounts if account.number == number)


# Polling


def test_a_refused_attempt_is_on_the_page_and_in_the_worklist(town):
    assert town.registers("De Long") is Outcome.NAME_MISMATCH
    report = registration.poll(town.desk)
    assert (report.attempts, report.reachable) == (1, True)
    shown = panel(town)
    assert shown.kind is CaseKind.REFUSED
    assert [attempt.name_typed for attempt in shown.attempts] == ["De Long"]
    assert shown.state_words == "Not registered; the last try was refused today 10:42."
    page = members.refresh(town.desk, town.rose)
    assert page.next_step.act is NextAct.EXPLAIN_REFUSAL
    assert page.next_step.account_number == "1023401"
    work = registration.worklist(town.desk)
    assert [(row.kind, row.what, row.member_name) for row in work.rows] == [
        (CaseKind.REFUSED, "Typed “De Long”, on file “DeLong”.", "Rose DeLong")
    ]
    assert work.counts[CaseKind.REFUSED] == work.total == 1


def test_a_good_one_waits_and_its_e_mail_is_known(town):
    town.registers()
    registration.poll(town.desk)
    shown = panel(town)
    assert shown.state is RegistrationState.AWAITING_VERIFICATION
    assert shown.kind is CaseKind.WAITING
    assert shown.deliveries[0].status.value == "delivered"
    assert shown.state_words == (
        "Waiting for verification since today 10:42; the link runs out Thu 26 Nov 10:42."
    )
    assert members.refresh(town.desk, town.rose).next_step.act is NextAct.READ_PASSWORD_RULE


def test_a_bounce_says_why(town):
    town.registers(email="rose@gmial.com")
    registration.poll(town.desk)
    assert panel(town).kind is CaseKind.BOUNCED
    step = members.refresh(town.desk, town.rose).next_step
    assert step.act is NextAct.CORRECT_EMAIL
    assert "after the @ does not exist" in step.say


def test_a_link_that_runs_out_is_noticed_even_while_the_portal_is_away(waiting, clock):
    waiting.portal.misbehave(Kind.DOWN, "/v1/accounts")
    clock.advance(hours=73)
    registration.poll(waiting.desk)
    waiting.portal.behave()
    registration.poll(waiting.desk)
    assert panel(waiting).kind is CaseKind.EXPIRED
    assert members.refresh(waiting.desk, waiting.rose).next_step.act is NextAct.RESEND


@pytest.mark.parametrize("typed", ["10234.01", "1023401", "10234-01"])
def test_the_typed_point_still_belongs_to_the_account(town, typed):
    town.registers("DeLong", typed)
    registration.poll(town.desk)
    assert panel(town).attempts[0].account_typed == typed


def test_a_number_that_nobody_has_is_kept_too(town):
    town.registers("Vance", "99999")
    town.registers("Vance", "none")
    registration.poll(town.desk)
    rows = registration.worklist(town.desk, CaseKind.REFUSED).rows
    assert {(row.member_id, row.account_number) for row in rows} == {(None, "99999"), (None, "")}
    assert rows[0].what == "Typed account 99999; no account has this number."


def test_many_attempts_come_page_by_page_and_each_once(town):
    for n in range(230):
        town.portal.store._db.execute(
            "INSERT INTO attempt (id, at, account_number, name, email, channel, outcome)"
            " VALUES (?, '2026-11-23T12:00:00.000000Z', '1023401', 'De Long', 'a@b.example',"
            " 'web', 'name_mismatch')",
            (f"att_{n}",),
        )
    town.portal.misbehave(Kind.DUPLICATED_PAGE, times=2)
    assert sum(registration.poll(town.desk).attempts for _ in range(2)) == 230
    assert registration.poll(town.desk).attempts == 0
    assert count(town.desk, RegistrationAttempt) == 230


def test_several_consoles_take_each_attempt_once(town, clock):
    for n in range(40):
        town.registers(f"De Long {n}")
    desks = [
        replace(
            town.desk,
            workstation=f"desk {n}",
            portal=Portal(town.portal.url, town.portal.token, f"desk {n}"),
        )
        for n in range(4)
    ]
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(registration.poll, desks * 2))
    assert sum(report.attempts for report in reports) == 40
    assert count(town.desk, RegistrationAttempt) == 40
    # Whoever had the lease is gone: another one goes on where it stopped.
    town.registers("De Long again")
    clock.advance(seconds=11)
    assert registration.poll(desks[3]).attempts + registration.poll(desks[2]).attempts == 1
    for desk in desks:
        desk.portal.close()


@pytest.mark.parametrize(
    "kind", [Kind.DOWN, Kind.SERVER_ERROR, Kind.HTML, Kind.HALF_JSON, Kind.WRONG_TYPES, Kind.CUT]
)
def test_a_portal_out_of_order_is_a_sentence_and_nothing_is_lost(town, kind):
    town.registers("De Long")
    town.portal.misbehave(kind)
    report = registration.poll(town.desk)
    assert not report.reachable
    assert report.words.endswith(".")
    town.portal.behave()
    assert registration.poll(town.desk).attempts == 1


def test_a_megabyte_of_name_is_cut(town):
    town.registers("De Long")
    town.portal.misbehave(Kind.HUGE)
    registration.poll(town.desk)
    assert panel(town).attempts[0].name_typed == "W" * 200


def test_a_clock_that_is_off_harms_nothing(town):
    town.portal.misbehave(Kind.CLOCK_OFF, seconds=5 * 86_400)
    town.registers()
    assert registration.poll(town.desk).attempts == 1
    shown = panel(town)
    assert shown.kind is CaseKind.WAITING
    row = registration.worklist(town.desk).rows[0]
    assert row.since <= town.desk.now()


def test_nothing_new_writes_nothing(town):
    registration.poll(town.desk)
    told = []
    town.desk.records.on_change(told.append)
    assert registration.poll(town.desk).attempts == 0
    assert told == []


# The worklist


def test_the_worklist_is_filtered_counted_and_capped(town, records):
    for n in range(6):
        number = str(2_000_000 + n)
        add_member(records, f"Okonjo{n}", (number,))
        town.open_account(number, f"Okonjo{n}")
        town.registers("Wrong", number)
    town.registers("De Long")
    town.desk.now.advance(seconds=1)
    town.registers("Okonjo0", "2000000")
    registration.poll(town.desk)
    work = registration.worklist(town.desk, limit=3)
    assert (len(work.rows), work.total) == (3, 7)
    assert work.counts[CaseKind.REFUSED] == 6
    assert work.counts[CaseKind.WAITING] == 1
    assert len(registration.worklist(town.desk, CaseKind.WAITING).rows) == 1
    assert [r.member_name for r in registration.worklist(town.desk, text="okonjo3").rows] == [
        "Rose Okonjo3"
    ]
    assert len(registration.worklist(town.desk, text="de long").rows) == 1
    assert registration.worklist(town.desk, text="%").rows == ()
    assert registration.worklist(town.desk, text="\0\ud800" * 1000).total == 0


def test_a_colleague_takes_one_and_puts_it_back(town):
    town.registers("De Long")
    registration.poll(town.desk)
    row = registration.worklist(town.desk).rows[0]
    assert registration.worklist(town.desk, mine=True).total == 0
    registration.assign(town.desk, row.registration_id, True)
    mine = registration.worklist(town.desk, mine=True)
    assert [r.assigned_to for r in mine.rows] == ["Pat Lindqvist"]
    with pytest.raises(registration.TakenAlready, match="Pat Lindqvist works on this"):
        registration.assign(replace(town.desk, colleague=SAM), row.registration_id, True)
    registration.assign(replace(town.desk, colleague=SUE), row.registration_id, False)
    assert registration.worklist(town.desk, mine=True).total == 0
    assert trail(town.desk) == ["registration:assigned", "registration:assigned"]


# Correcting the name


def wanted(town, name="De Long", **other):
    on_file = registration.name_on_file(town.desk, town.rose)
    return replace(
        Correction(
            id=str(uuid4()),
            member_id=town.rose,
            version=on_file.version,
            name=name,
            given_names="Rose",
            proof=Proof.BILL,
        ),
        **other,
    )


def test_a_correction_keeps_the_old_name_and_goes_to_the_portal(town):
    made = registration.correct_name(town.desk, wanted(town))
    assert (made.before.name, made.after.name, made.undone) == ("DeLong", "De Long", False)
    assert [(p.account_number, p.state) for p in made.publications] == [
        ("1023401", ErrandState.WAITING)
    ]
    assert courier.make_round(town.desk).carried == 1
    assert town.holds() == ("De Long", 2)
    done = registration.publication(town.desk, made.id)
    assert done.publications[0].words == "SmartHub has “De Long” for account 1023401."
    page = members.refresh(town.desk, town.rose)
    assert page.former_names == ("Rose DeLong",)
    assert page.name == "De Long"
    for query in ("de long", "delong"):
        assert search.find(town.desk, query).hits[0].member_id == town.rose
    check = registration.check_at_portal(town.desk, town.rose, "1023401", "De Long")
    assert check.passes
    assert check.words == "SmartHub would accept “De Long” for account 1023401 now."
    assert trail(town.desk) == ["name:corrected", "name:published", "registration:checked"]


def test_what_the_portal_says_when_it_would_still_refuse(town):
    check = registration.check_at_portal(town.desk, town.rose, "1023401", "De Long")
    assert not check.passes
    assert "still refuse “De Long”" in check.words
    check = registration.check_at_portal(town.desk, town.rose, "77", "De Long")
    assert "does not know account 77" in check.words


def test_pressing_twice_corrects_once(town):
    correction = wanted(town)
    first = registration.correct_name(town.desk, correction)
    assert registration.correct_name(town.desk, correction) == first
    assert count(town.desk, NameCorrection) == 1
    assert trail(town.desk) == ["name:corrected"]


def test_eight_presses_at_once_correct_once(town):
    correction = wanted(town)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: registration.correct_name(town.desk, correction), range(8)))
    assert {one.id for one in made} == {correction.id}
    assert count(town.desk, NameCorrection) == count(town.desk, FormerName) == 1


def test_two_colleagues_at_once_and_neither_is_overwritten(town):
    mine, theirs = wanted(town), wanted(town, "DELONG")
    registration.correct_name(replace(town.desk, colleague=SAM), theirs)
    with pytest.raises(ChangedMeanwhile) as caught:
        registration.correct_name(town.desk, mine)
    assert caught.value.theirs.name == "DELONG"
    assert caught.value.theirs.changed_by == "Sam Okafor"
    assert registration.name_on_file(town.desk, town.rose).name == "DELONG"


def test_many_colleagues_at_once_and_one_wins(town):
    names = ("De Long", "DELONG", "Delong", "de Long", "DeLong Jr", "D'Elong")
    corrections = [wanted(town, name) for name in names]

    def correct(correction):
        try:
            return registration.correct_name(town.desk, correction).after.name
        except ChangedMeanwhile as changed:
            return changed

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(correct, corrections))
    winners = [result for result in results if isinstance(result, str)]
    assert len(winners) == 1
    assert registration.name_on_file(town.desk, town.rose).name == winners[0]
    assert {r.theirs.name for r in results if not isinstance(r, str)} == set(winners)


def test_another_person_needs_a_supervisor(town):
    correction = wanted(town, "Abernathy")
    with pytest.raises(NeedsSupervisor, match="A supervisor must approve"):
        registration.correct_name(town.desk, correction)
    with pytest.raises(NeedsSupervisor, match="Sam Okafor may not approve"):
        registration.correct_name(
            replace(town.desk, settings=replace(town.desk.settings, training=True)),
            correction,
            Approval("sam", ""),
        )
    with pytest.raises(NeedsSupervisor, match="do not go together"):
        registration.correct_name(town.desk, correction, Approval("sue", "guessed"))
    assert registration.name_on_file(town.desk, town.rose).name == "DeLong"
    assert trail(town.desk) == ["name:approval_refused", "staff:refused"]


def test_a_supervisor_approves_with_a_password(town):
    from console.domain.staff import Role
    from console.services import staff

    staff.enrol(town.desk.records, "joan", "Joan", Role.SUPERVISOR, "a long password", "admin")
    registration.correct_name(
        town.desk, wanted(town, "Abernathy"), Approval("joan", "a long password")
    )
    with town.desk.records.read() as db:
        made = db.scalars(select(NameCorrection)).one()
        assert (made.approved_by, made.corrected_by, made.looks_like_other_person) == (
            "joan",
            "pat",
            True,
        )


def test_a_supervisor_corrects_it_alone(town):
    sue = replace(town.desk, colleague=SUE)
    assert registration.correct_name(sue, wanted(town, "Abernathy")).after.name == "Abernathy"


def test_a_proof_by_call_needs_that_call(town):
    correction = wanted(town, proof=Proof.CALLER_VERIFIED)
    with pytest.raises(ConsoleError, match="Verify the caller first"):
        registration.correct_name(town.desk, correction)
    call_id = str(uuid4())
    calls.begin(town.desk, call_id, town.rose)
    with pytest.raises(ConsoleError, match="Verify the caller first"):
        registration.correct_name(town.desk, replace(correction, call_id=call_id))
    calls.tick(town.desk, call_id, {Fact.NAME, Fact.PHONE, Fact.LAST_FOUR})
    assert registration.correct_name(town.desk, replace(correction, call_id=call_id))


@pytest.mark.parametrize(
    "name", ["", " ", "\0", "\ud800", "12345678", "x" * 500, "\u202egnoLeD", "DeLong"]
)
def test_names_that_cannot_stand_on_file(town, name):
    with pytest.raises(ConsoleError):
        registration.correct_name(town.desk, wanted(town, name))
    assert count(town.desk, NameCorrection) == 0


def test_an_auditor_corrects_nothing(town):
    ana = replace(town.desk, colleague=ANA)
    with pytest.raises(LooksOnly):
        registration.correct_name(ana, wanted(town))
    with pytest.raises(LooksOnly):
        registration.undo_correction(ana, "undo", "x")


def test_given_names_alone_do_not_concern_the_portal(town):
    made = registration.correct_name(town.desk, wanted(town, "DeLong", given_names="Rosa"))
    assert made.publications == ()


def test_closed_accounts_are_left_alone(town, records):
    from console.domain.members import AccountStatus
    from console.models.accounts import Account

    with records.begin() as db:
        db.get_one(Account, "1023401").status = AccountStatus.CLOSED
    assert registration.correct_name(town.desk, wanted(town)).publications == ()


# Undo


def test_a_correction_is_undone_once_and_published_again(town):
    made = registration.correct_name(town.desk, wanted(town))
    courier.make_round(town.desk)
    for _ in range(2):
        undone = registration.undo_correction(town.desk, "undo", made.id)
        assert undone.undone
    courier.make_round(town.desk)
    assert registration.name_on_file(town.desk, town.rose).name == "DeLong"
    assert town.holds() == ("DeLong", 3)
    entries = [
        entry
        for entry in members.refresh(town.desk, town.rose).timeline
        if entry.kind is EntryKind.EDIT
    ]
    assert "Name correction undone" in {entry.title for entry in entries}
    assert not any(entry.correction_id for entry in entries)


def test_a_newer_correction_is_not_undone_by_accident(town):
    first = registration.correct_name(town.desk, wanted(town))
    second = registration.correct_name(town.desk, wanted(town, "DELONG"))
    with pytest.raises(ChangedMeanwhile) as caught:
        registration.undo_correction(town.desk, "undo", first.id)
    assert caught.value.theirs.name == "DELONG"
    registration.undo_correction(town.desk, "undo", second.id)
    registration.undo_correction(town.desk, "undo", first.id)
    assert registration.name_on_file(town.desk, town.rose).name == "DeLong"


# Publishing


def test_a_portal_that_is_down_gets_the_name_later(town, clock):
    town.portal.misbehave(Kind.DOWN)
    made = registration.correct_name(town.desk, wanted(town))
    courier.make_round(town.desk)
    words = registration.publication(town.desk, made.id).publications[0].words
    assert words.startswith("The corrected name waits in the outbox and goes by itself.")
    town.portal.behave()
    assert courier.make_round(town.desk).carried == 0
    clock.advance(minutes=1)
    assert courier.make_round(town.desk).carried == 1
    assert town.holds()[0] == "De Long"


def test_of_two_quick_corrections_the_newer_wins(town):
    registration.correct_name(town.desk, wanted(town))
    registration.correct_name(town.desk, wanted(town, "DELONG"))
    assert courier.make_round(town.desk).carried == 2
    assert town.holds() == ("DELONG", 2)


def test_with_two_couriers_no_old_name_follows_a_new_one(town, clock):
    second = replace(
        town.desk, workstation="b", portal=Portal(town.portal.url, town.portal.token, "b")
    )
    first = registration.correct_name(town.desk, wanted(town))
    # The first courier reads the first name and is held up on the way.
    town.portal.misbehave(Kind.SLOW, "/v1/accounts", 1, 1.0)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(courier.make_round, town.desk)
        while town.portal.wrong.active():
            pass
        newer = registration.correct_name(town.desk, wanted(town, "DELONG"))
        courier.make_round(second)
        slow.result()
    second.portal.close()
    assert town.holds() == ("DELONG", 2)
    for made in (first, newer):
        states = [p.state for p in registration.publication(town.desk, made.id).publications]
        assert states == [ErrandState.DONE]


def test_a_newer_version_that_holds_our_older_spelling_is_replaced(town):
    with town.portal.store.begin() as db:
        db.execute("UPDATE account SET version = 7")
    made = registration.correct_name(town.desk, wanted(town))
    courier.make_round(town.desk)
    assert town.holds() == ("De Long", 8)
    assert registration.publication(town.desk, made.id).publications[0].state is ErrandState.DONE
    again = registration.correct_name(town.desk, wanted(town, "DELONG"))
    courier.make_round(town.desk)
    assert registration.publication(town.desk, again.id).publications[0].state is ErrandState.DONE


def test_a_name_that_somebody_set_at_the_portal_is_not_overwritten(town):
    with town.portal.store.begin() as db:
        db.execute("UPDATE account SET version = 7, name = 'Abernathy'")
    made = registration.correct_name(town.desk, wanted(town))
    courier.make_round(town.desk)
    published = registration.publication(town.desk, made.id).publications[0]
    assert published.state is ErrandState.REFUSED
    assert "holds “Abernathy”" in published.words
    assert town.holds() == ("Abernathy", 7)
    assert trail(town.desk)[-1] == "name:not_published"


def test_a_portal_that_has_our_name_already_is_done(town):
    with town.portal.store.begin() as db:
        db.execute("UPDATE account SET version = 7, name = 'De Long'")
    made = registration.correct_name(town.desk, wanted(town))
    courier.make_round(town.desk)
    assert registration.publication(town.desk, made.id).publications[0].state is ErrandState.DONE


def test_an_account_the_portal_does_not_know_is_said(town, records):
    add_member(records, "Vance", ("3000001",))
    with records.read() as db:
        vance = db.scalars(select(Member).where(Member.name == "Vance")).one()
        correction = replace(
            wanted(town), member_id=vance.id, version=vance.version, name="Vance Jr"
        )
    made = registration.correct_name(town.desk, correction)
    courier.make_round(town.desk)
    assert registration.publication(town.desk, made.id).publications[0].state is (
        ErrandState.REFUSED
    )


def test_the_trail_is_only_ever_added_to(town):
    registration.read_out(town.desk, town.rose, "1023401")
    for statement in ("UPDATE audit_entry SET staff = 'bob'", "DELETE FROM audit_entry"):
        with (
            pytest.raises(Exception, match="only ever added to"),
            town.desk.records.begin() as db,
        ):
            db.execute(text(statement))
    assert trail(town.desk) == ["name:read_out"]
