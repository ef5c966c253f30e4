"""One click, one e-mail: whatever answers wrongly, whoever dies, and whenever."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from console.clients.portal import Portal
from console.domain.contact import Asked
from console.domain.courier import ErrandState
from console.models.base import connect
from console.models.courier import Errand
from console.sandbox import mailbox as post_office
from console.sandbox.portal import Kind
from console.services import (
    contact,
    courier,
    members,
    polling,
    registration,
    rounds,
    verification,
)
from console.services.audit import Action
from console.services.carrying import Later, NotDone
from console.services.contact import ContactEdit
from tests.office import add_member, trail
from tests.servers import free_port

ROOT = Path(__file__).parents[2]


def settled(town, errand_id, rounds=60):
    """Let couriers go round, time passing, until the errand has come to its end."""
    for _ in range(rounds):
        courier.make_round(town.desk)
        status = verification.errand(town.desk, errand_id)
        if not status.state.is_open:
            return status
        town.desk.now.advance(minutes=2)
    raise AssertionError(f"the errand never ended: {status}")


@pytest.mark.parametrize(
    "kind",
    [
        Kind.DOWN,
        Kind.SERVER_ERROR,
        Kind.THROTTLED,
        Kind.UNAUTHORIZED,
        Kind.HTML,
        Kind.HALF_JSON,
        Kind.WRONG_TYPES,
        Kind.HUGE,
        Kind.CUT,
        Kind.FAULT_AFTER,
    ],
)
@pytest.mark.parametrize("times", [1, 4])
def test_one_e_mail_whatever_the_portal_answers(waiting, kind, times):
    errand_id = str(uuid4())
    waiting.portal.misbehave(kind, "/v1/registrations", times)
    verification.resend(waiting.desk, errand_id, "1023401")
    assert settled(waiting, errand_id).state is ErrandState.DONE
    assert waiting.mails() == 2


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.CUT, Kind.FAULT_AFTER, Kind.HTML])
@pytest.mark.parametrize("times", [1, 2, 3, 5])
def test_one_e_mail_to_the_corrected_address(waiting, kind, times):
    errand_id = str(uuid4())
    waiting.portal.misbehave(kind, "/v1/registrations", times)
    verification.correct_email(waiting.desk, errand_id, "1023401", "rosa@example.org")
    assert settled(waiting, errand_id).state is ErrandState.DONE
    assert waiting.mails() == 2


def test_two_couriers_at_once_carry_it_once(waiting):
    waiting.portal.misbehave(Kind.DOWN, times=3)
    errand_id = verification.resend(waiting.desk, str(uuid4()), "1023401").id
    waiting.portal.behave()
    waiting.desk.now.advance(minutes=1)
    desks = [
        replace(
            waiting.desk,
            workstation=f"courier {n}",
            portal=Portal(waiting.portal.url, waiting.portal.token, f"courier {n}"),
        )
        for n in range(6)
    ]
    with ThreadPoolExecutor(6) as pool:
        rounds = list(pool.map(courier.make_round, desks))
    assert sum(one.carried for one in rounds) == 1
    assert waiting.mails() == 2
    calls = [exchange.method for desk in desks for exchange in desk.portal.exchanges]
    assert calls == ["POST"], "only the one that holds the lease asks"
    assert verification.errand(waiting.desk, errand_id).state is ErrandState.DONE
    assert trail(waiting.desk).count("verification_email:resent") == 1
    for desk in desks:
        desk.portal.close()


def test_a_lease_that_runs_out_is_taken_over_and_the_late_one_changes_nothing(waiting):
    errand_id = str(uuid4())
    late = replace(waiting.desk, portal=Portal(waiting.portal.url, waiting.portal.token, "late"))
    waiting.portal.misbehave(Kind.SLOW, "/v1/registrations", 1, 1.0)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(verification.resend, late, errand_id, "1023401")
        while waiting.portal.wrong.active():
            pass
        waiting.desk.now.advance(minutes=2)
        assert courier.make_round(waiting.desk).carried == 1
        assert slow.result().state is ErrandState.DONE
    late.portal.close()
    assert waiting.mails() == 2
    assert trail(waiting.desk).count("verification_email:resent") == 1


def test_who_lost_the_lease_settles_nothing_even_while_the_next_one_is_busy(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    errand_id = verification.resend(waiting.desk, str(uuid4()), "1023401").id
    waiting.desk.now.advance(minutes=2)
    lost = courier._claim(waiting.desk, errand_id, only_if_due=True)
    waiting.desk.now.advance(minutes=2)
    held = courier._claim(waiting.desk, errand_id, only_if_due=True)
    assert lost is not None
    assert held is not None
    assert not courier._settle(waiting.desk, lost, Later("The portal is down."))
    assert not courier._settle(waiting.desk, lost, NotDone("No.", Action.EMAIL_NOT_RESENT))
    assert verification.errand(waiting.desk, errand_id).state is ErrandState.SENDING
    assert courier._settle(waiting.desk, held, NotDone("No.", Action.EMAIL_NOT_RESENT))


def test_it_is_given_up_after_a_day_and_never_sent_afterwards(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    errand_id = verification.resend(waiting.desk, str(uuid4()), "1023401").id
    waiting.desk.now.advance(hours=25)
    waiting.portal.behave()
    status = settled(waiting, errand_id)
    assert status.state is ErrandState.GAVE_UP
    assert "Look at what the portal shows before you ask again" in status.words
    assert waiting.mails() == 1
    assert trail(waiting.desk)[-1] == "verification_email:not_resent"


def test_it_is_given_up_after_many_tries(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    errand_id = verification.resend(waiting.desk, str(uuid4()), "1023401").id
    with waiting.desk.records.begin() as db:
        db.execute(text("UPDATE errand SET tries = 39"))
    assert courier.carry(waiting.desk, errand_id)
    assert verification.errand(waiting.desk, errand_id).state is ErrandState.GAVE_UP


def test_the_pauses_grow(waiting, clock):
    waiting.portal.misbehave(Kind.DOWN)
    verification.resend(waiting.desk, str(uuid4()), "1023401")
    tries = 0
    for _ in range(60):
        clock.advance(seconds=10)
        before = len(waiting.desk.portal.exchanges)
        courier.make_round(waiting.desk)
        tries += len(waiting.desk.portal.exchanges) > before
    assert 4 <= tries <= 12


def test_an_end_is_final_in_the_database_too(waiting):
    errand_id = verification.resend(waiting.desk, str(uuid4()), "1023401").id
    with (
        pytest.raises(Exception, match="does not begin again"),
        waiting.desk.records.begin() as db,
    ):
        db.execute(text(f"UPDATE errand SET state = 'waiting' WHERE id = '{errand_id}'"))
    assert not courier.carry(waiting.desk, "nobody")
    assert courier.carry(waiting.desk, errand_id)
    assert waiting.mails() == 2


# Rows that no console writes, one bad one among good ones.


def spoil(town, errand_id, change):
    """Write on an errand's row as somebody with another tool would, past the rules for rows."""
    records = town.desk.records
    with records.begin() as db:
        if records.engine.dialect.name == "postgresql":
            checks = db.scalars(
                text(
                    "SELECT conname FROM pg_constraint WHERE contype = 'c' "
                    "AND conrelid = 'errand'::regclass"
                )
            ).all()
            for name in checks:
                db.execute(text(f'ALTER TABLE errand DROP CONSTRAINT "{name}"'))
        db.execute(text(f"UPDATE errand SET {change} WHERE id = '{errand_id}'"))


def state_of(town, errand_id):
    with town.desk.records.read() as db:
        found = text("SELECT state, answer FROM errand WHERE id = :id")
        return tuple(db.execute(found, {"id": errand_id}).one())


def asked_while_down(town, number="1023401"):
    town.portal.misbehave(Kind.DOWN)
    errand_id = verification.resend(town.desk, str(uuid4()), number).id
    town.portal.behave()
    town.desk.now.advance(minutes=2)
    return errand_id


@pytest.fixture
def two_waiting(waiting):
    """Rose and Ana have both asked for the e-mail again; Rose's errand is the first in line."""
    add_member(waiting.desk.records, "Ruiz", ("2034502",), email="ana@example.org")
    waiting.open_account("2034502", "Ruiz")
    waiting.registers("Ruiz", "2034502", "ana@example.org")
    polling.poll(waiting.desk)
    waiting.desk.now.advance(minutes=5)
    return waiting, asked_while_down(waiting), asked_while_down(waiting, "2034502")


@pytest.mark.parametrize(
    "change",
    [
        "payload = 'not json'",
        "payload = '[1]'",
        f"payload = '{'[' * 60_000}'",
        "kind = 'fly_a_kite'",
        "next_try_at = '-infinity'",
        "asked_at = '-infinity'",
    ],
)
def test_an_errand_that_nobody_can_read_is_refused_and_stops_no_other(two_waiting, change):
    town, bad, good = two_waiting
    spoil(town, bad, change)
    made = courier.make_round(town.desk)
    assert (made.carried, made.waiting, made.trouble) == (2, 0, "")
    state, words = state_of(town, bad)
    assert state == ErrandState.REFUSED
    assert "could not be understood" in words
    assert verification.errand(town.desk, good).state is ErrandState.DONE
    assert trail(town.desk)[-2:].count("verification_email:resent") == 1
    last = "errand:not_understood" if "kind" in change else "verification_email:not_resent"
    assert last in trail(town.desk)[-2:]
    assert courier.make_round(town.desk).carried == 0


@pytest.mark.parametrize(
    "change",
    ["payload = 'not json'", "kind = 'fly_a_kite'", "next_try_at = '-infinity'",
     "asked_at = 'infinity'"],
)  # fmt: skip
def test_a_page_opens_over_an_errand_that_nobody_can_read(waiting, change):
    spoil(waiting, asked_while_down(waiting), change)
    assert members.refresh(waiting.desk, waiting.rose).name == "DeLong"
    verification.outbox(waiting.desk)
    rounds.health(waiting.desk)


def test_an_errand_that_the_courier_fails_at_is_put_off_and_stops_no_other(two_waiting):
    town, bad, good = two_waiting
    # A registration's number that no address of the portal can hold.
    spoil(town, bad, """payload = '{"registration_id": ".."}'""")
    made = courier.make_round(town.desk)
    assert made.carried == 1
    assert "The courier failed at an errand (ValueError at http.py:" in made.trouble
    assert verification.errand(town.desk, good).state is ErrandState.DONE
    left = verification.errand(town.desk, bad)
    assert left.state is ErrandState.WAITING
    assert "ValueError" in left.words
    assert courier.make_round(town.desk).trouble == "", "it has a pause"
    town.desk.now.advance(hours=25)
    assert settled(town, bad).state is ErrandState.GAVE_UP


# Two servers: what one of them does is nothing to the other's errands.


def notice(town):
    """Word for an old address, through a mail server at a port where nobody listens."""
    settings = replace(
        town.desk.settings,
        mail_server=f"smtp://127.0.0.1:{free_port()}",
        mail_sender="office@coop.example",
    )
    office = replace(town.desk, settings=settings)
    held = contact.on_file(office, town.rose, Asked.IN_PERSON)
    after = replace(held.contact, phone="6205550199")
    edit = ContactEdit(str(uuid4()), town.rose, held.version, held.contact, after, Asked.IN_PERSON)
    contact.change_contact(office, edit)
    return office


def test_a_mail_server_that_is_away_holds_up_no_errand_to_the_portal(waiting):
    office = notice(waiting)
    for _ in range(25):  # more than one round takes on
        names = registration.name_on_file(office, waiting.rose)
        held = contact.on_file(office, waiting.rose, Asked.IN_PERSON)
        after = replace(held.contact, phone=f"62055501{names.version:02}")
        contact.change_contact(
            office,
            ContactEdit(
                str(uuid4()), waiting.rose, held.version, held.contact, after, Asked.IN_PERSON
            ),
        )
    errand_id = asked_while_down(waiting)
    made = courier.make_round(office)
    assert verification.errand(office, errand_id).state is ErrandState.DONE
    assert made.carried == 1
    assert made.mail_away
    assert "The mail server does not answer" in made.trouble


def test_a_portal_that_is_away_holds_up_no_e_mail(waiting, tmp_path):
    errand_id = asked_while_down(waiting)
    waiting.portal.misbehave(Kind.DOWN)
    with post_office.running(str(tmp_path / "letters.sqlite")) as box:
        host, port = box.smtp
        office = notice(waiting)
        office = replace(
            office, settings=replace(office.settings, mail_server=f"smtp://{host}:{port}")
        )
        made = courier.make_round(office)
        assert [mail["recipient"] for mail in box.mails()] == ["rose@example.org"]
    waiting.portal.behave()
    assert (made.carried, made.mail_away) == (1, False)
    assert verification.errand(office, errand_id).state is ErrandState.WAITING


# Clocks that disagree: the database's own is the one that counts.


@pytest.fixture
def ahead(waiting, database_url):
    """The desk, whose clock is three hours behind the one of its database."""
    with waiting.desk.records.begin() as db:
        db.execute(text("CREATE SCHEMA ahead"))
        db.execute(
            text(
                "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                "$$ SELECT pg_catalog.clock_timestamp() + interval '3 hours' $$"
            )
        )
        db.execute(
            text(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = "
                "ahead, pg_catalog, public', current_database()); END $$"
            )
        )
    records = connect(database_url)
    yield replace(waiting.desk, records=records)
    records.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_desk_with_a_wrong_clock_takes_nothing_over_and_gives_nothing_up(waiting, ahead):
    """By its own clock the other's lease would have run out long ago, or not for hours."""
    waiting.portal.misbehave(Kind.DOWN)
    errand_id = verification.resend(ahead, str(uuid4()), "1023401").id
    waiting.portal.behave()
    with waiting.desk.records.read() as db:
        errand = db.get_one(Errand, errand_id)
    lag = errand.asked_at - waiting.desk.now()
    assert timedelta(hours=2, minutes=59) < lag < timedelta(hours=3, minutes=1)
    # A courier whose clock runs as the database's does.
    right = replace(waiting.desk, now=lambda: waiting.desk.now() + timedelta(hours=3))
    waiting.desk.now.advance(minutes=2)
    held = courier._claim(right, errand_id, only_if_due=True)
    assert held is not None
    assert courier._claim(ahead, errand_id, only_if_due=True) is None
    waiting.desk.now.advance(minutes=2)
    assert courier._claim(ahead, errand_id, only_if_due=True) is not None
    assert "clock of this workstation is 3 hours behind" in rounds.health(ahead).words


def test_what_nobody_has_tried_is_due_whatever_a_wrong_clock_wrote(waiting):
    errand_id = asked_while_down(waiting)
    spoil(waiting, errand_id, "tries = 0, next_try_at = '2031-01-01 00:00:00.000000'")
    assert courier.make_round(waiting.desk).carried == 1


# Killed: a real process, and a real SIGKILL.

CONSOLE = """
import os, signal, sys
from datetime import datetime
import requests
from sqlalchemy import event
from sqlalchemy.orm import Session
from console.clients.portal import Portal
from console.models.base import connect
from console.services import courier, registration, verification
from console.services.desk import Desk
from console.services.registration import Correction
from tests.office import PAT

url, portal, token, now, job, errand_id, where, nth = sys.argv[1:]
left = int(nth)

def step(name):
    global left
    if name == where:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

event.listen(Session, "before_commit", lambda session: step("before_commit"))
event.listen(Session, "after_commit", lambda session: step("after_commit"))
send = requests.Session.send

def watched(self, *args, **kwargs):
    step("before_call")
    answer = send(self, *args, **kwargs)
    step("after_call")
    return answer

requests.Session.send = watched
at = datetime.fromisoformat(now)
desk = Desk(
    connect(url), Portal(portal, token, "doomed"), PAT, workstation="doomed", now=lambda: at
)
if job == "resend":
    verification.resend(desk, errand_id, "1023401")
elif job == "correct_email":
    verification.correct_email(desk, errand_id, "1023401", "rosa@example.org")
else:
    from console.domain.registration import Proof
    registration.correct_name(
        desk, Correction(errand_id, 1, 1, "De Long", "Rose", Proof.BILL)
    )
    courier.make_round(desk)
"""


def console_that_dies(town, url, job, errand_id, where, nth):
    """Do a job in a console of its own that is killed at the nth such step; tell how it ended."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            CONSOLE,
            url,
            town.portal.url,
            town.portal.token,
            town.desk.now().isoformat(),
            job,
            errand_id,
            where,
            str(nth),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode


STEPS = ("before_commit", "after_commit", "before_call", "after_call")


@pytest.mark.parametrize("where", STEPS)
@pytest.mark.parametrize("job", ["resend", pytest.param("correct_email", marks=pytest.mark.soak)])
def test_killed_anywhere_one_click_is_one_e_mail(waiting, database_url, job, where):
    before = waiting.mails()
    killed = 0
    for nth in range(1, 12):
        errand_id = str(uuid4())
        ended = console_that_dies(waiting, database_url, job, errand_id, where, nth)
        killed += ended == -signal.SIGKILL
        # The representative comes back and presses the same button of the same form.
        press = (
            verification.resend
            if job == "resend"
            else lambda *args: verification.correct_email(*args, "rosa@example.org")
        )
        press(waiting.desk, errand_id, "1023401")
        assert settled(waiting, errand_id).state is ErrandState.DONE
        before += 1
        assert waiting.mails() == before, f"killed at {where} {nth}"
        waiting.desk.now.advance(minutes=5)
        if ended == 0:
            break
    assert ended == 0, "the list of steps ends somewhere"
    assert killed >= 1


@pytest.mark.parametrize("where", STEPS)
def test_killed_anywhere_a_correction_is_whole_or_not_there(town, database_url, where):
    """And the next courier brings it to the portal."""
    from console.models.members import NameCorrection

    correction_id = str(uuid4())
    nth, ended = 0, None
    while ended != 0:
        nth += 1
        assert nth < 12
        ended = console_that_dies(town, database_url, "correct_name", correction_id, where, nth)
        town.desk.now.advance(minutes=5)
        with town.desk.records.read() as db:
            there = db.get(NameCorrection, correction_id) is not None
        name = registration.name_on_file(town.desk, town.rose).name
        assert name == ("De Long" if there else "DeLong")
        if there:
            assert len(registration.publication(town.desk, correction_id).publications) == 1
    courier.make_round(town.desk)
    assert town.holds() == ("De Long", 2)
    assert registration.publication(town.desk, correction_id).publications[0].state is (
        ErrandState.DONE
    )
