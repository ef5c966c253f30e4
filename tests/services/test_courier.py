"""One click, one e-mail: whatever answers wrongly, whoever dies, and whenever."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from console.clients.portal import Portal
from console.domain.courier import ErrandState
from console.sandbox.portal import Kind
from console.services import courier, registration, verification
from console.services.audit import Action
from console.services.carrying import Later, NotDone
from tests.office import trail

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
