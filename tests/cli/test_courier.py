"""The courier as a process of its own: real database, real portal, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from console.domain.courier import ErrandState
from console.models.courier import CourierSign
from console.sandbox.portal import Kind
from console.services import polling, verification
from tests import town as outside
from tests.office import Clock

PATIENCE_SECONDS = 30.0


@pytest.fixture
def clock():
    """The courier's process lives today, so what it carries was asked for today as well."""
    clock = Clock()
    clock.at = datetime.now(UTC) - timedelta(minutes=10)
    return clock


@pytest.fixture
def waiting(desk, portal):
    """Rose has registered; the portal was down when she asked for the e-mail again."""
    town = outside.found(desk, portal)
    town.registers()
    polling.poll(desk)
    desk.now.advance(minutes=5)
    portal.misbehave(Kind.DOWN)
    town.errand = verification.resend(desk, str(uuid4()), "1023401").id
    portal.behave()
    return town


@contextmanager
def courier(url, portal, *more):
    running = subprocess.Popen(
        [
            sys.executable, "-c", "from console.cli import main; raise SystemExit(main())",
            "courier", "--database", url, "--portal", portal.url, *more,
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COOP_CONSOLE_PORTAL_TOKEN": portal.token},
    )  # fmt: skip
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()
        if running.stderr:
            running.stderr.close()


def comes(look):
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def carried(town):
    return comes(lambda: verification.errand(town.desk, town.errand).state is ErrandState.DONE)


def sign(town):
    with town.desk.records.read() as db:
        return db.scalars(select(CourierSign)).one_or_none()


def ends(running):
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    return running.returncode, [json.loads(line)["event"] for line in said.splitlines()]


def test_what_waited_is_carried_once_and_the_courier_ends_when_told(waiting, database_url, portal):
    with courier(database_url, portal) as running:
        assert carried(waiting)
        assert comes(lambda: sign(waiting)).portal_heard_at is not None
        status, events = ends(running)
    assert status == 0
    assert (events[0], events[-1]) == ("started", "stopped")
    assert "round" in events
    assert waiting.mails() == 2


def test_two_couriers_and_one_of_them_killed_send_one_e_mail(waiting, database_url, portal):
    with (
        courier(database_url, portal) as one,
        courier(database_url, portal) as other,
    ):
        one.kill()
        assert carried(waiting)
        assert ends(other)[0] == 0
    assert waiting.mails() == 2


def test_one_turn_and_no_more(waiting, database_url, portal):
    with courier(database_url, portal, "--once") as running:
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
        assert running.returncode == 0, said
    assert verification.errand(waiting.desk, waiting.errand).state is ErrandState.DONE


def test_a_portal_that_is_down_is_said_and_waited_for(waiting, database_url, portal):
    portal.misbehave(Kind.DOWN)
    with courier(database_url, portal) as running:
        assert comes(lambda: (there := sign(waiting)) and there.trouble)
        portal.behave()
        assert carried(waiting)
        assert ends(running)[0] == 0
    assert waiting.mails() == 2


def test_without_a_portal_it_says_how_to_name_one(database_url, monkeypatch, capsys):
    from console.cli import main

    monkeypatch.delenv("COOP_CONSOLE_PORTAL_URL", raising=False)
    assert main(["courier", "--database", database_url]) == 2
    assert "--portal" in capsys.readouterr().err


def test_it_survives_what_nobody_foresaw_and_says_so(waiting, database_url, portal):
    """Here: a table of the feed that is not there; a migration by hand went wrong."""
    with waiting.desk.records.begin() as db:
        db.execute(text("ALTER TABLE portal_cursor RENAME TO mislaid"))
    with courier(database_url, portal) as running:
        assert comes(lambda: (there := sign(waiting)) and "failed and goes on" in there.trouble)
        with waiting.desk.records.begin() as db:
            db.execute(text("ALTER TABLE mislaid RENAME TO portal_cursor"))
        assert carried(waiting)
        assert comes(lambda: (there := sign(waiting)) and not there.trouble)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0
    failed = [one for one in map(json.loads, said.splitlines()) if one["event"] == "failed"]
    assert failed
    assert all(set(one) == {"at", "event", "exception"} for one in failed)
    assert "Error at " in failed[0]["exception"]


def test_an_errand_that_nobody_can_read_does_not_end_it(waiting, database_url, portal):
    bad = str(uuid4())
    with waiting.desk.records.begin() as db:
        db.execute(
            text(
                "INSERT INTO errand (id, kind, state, account_number, member_id, payload, asked_by,"
                " asked_at, tries, next_try_at, leased_by, answer, version)"
                " SELECT :bad, 'tell_old_contact', 'waiting', account_number, member_id,"
                " 'not json', asked_by, asked_at, 0, asked_at, '', '', 1 FROM errand"
            ),
            {"bad": bad},
        )
    with courier(database_url, portal, "--once") as running:
        running.communicate(timeout=PATIENCE_SECONDS)
    assert verification.errand(waiting.desk, waiting.errand).state is ErrandState.DONE


def test_the_sign_of_one_that_ended_is_no_sign_of_life(waiting, database_url, portal):
    with courier(database_url, portal) as running:
        assert comes(lambda: sign(waiting))
        assert ends(running)[0] == 0
    there = sign(waiting)
    assert there is None or datetime.now(UTC) - there.seen_at > timedelta(seconds=110)
