"""Whether what was asked for goes out: the couriers' signs and what waits."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from console.domain.courier import ErrandKind, ErrandState
from console.domain.staff import Role
from console.models import roles, schema
from console.models.courier import last_sign
from console.sandbox.portal import Kind
from console.services import rounds, verification
from console.services.desk import Colleague
from console.services.rounds import Going, Turn
from tests.logins import PASSWORD, open_office


def test_a_console_that_carries_itself_says_so(waiting):
    health = rounds.health(waiting.desk)
    assert (health.going, health.waiting) == (Going.WELL, 0)
    assert health.words == "Nothing waits. Carried by this console itself."


def test_what_waits_is_counted_by_kind_and_age(waiting, clock):
    waiting.portal.misbehave(Kind.DOWN)
    verification.resend(waiting.desk, str(uuid4()), "1023401")
    asked_at = clock()
    health = rounds.health(waiting.desk)
    assert (health.going, health.waiting) == (Going.WELL, 1)
    (row,) = health.backlog
    assert (row.kind, row.state, row.many) == (ErrandKind.RESEND, ErrandState.WAITING, 1)
    assert row.oldest_at == asked_at
    clock.advance(minutes=12)
    late = rounds.health(waiting.desk)
    assert late.going is Going.HELD_UP
    assert "The oldest was asked for 12 minutes ago" in late.words
    waiting.portal.behave()


def test_a_courier_in_trouble_is_named_and_a_silent_one_is_not_alive(waiting, clock):
    began = clock()
    rounds.leave_sign(waiting.desk, "server/1", began, 7, Turn(0, 0, 0, True, ""))
    well = rounds.health(waiting.desk)
    assert well.words == "Nothing waits. Carried by server/1."
    trouble = Turn(0, 0, 0, False, "The portal does not answer.")
    rounds.leave_sign(waiting.desk, "server/1", began, 7, trouble)
    held_up = rounds.health(waiting.desk)
    assert (held_up.going, held_up.words) == (
        Going.HELD_UP,
        "Nothing waits. The portal does not answer.",
    )
    clock.advance(minutes=3)
    (row,) = rounds.health(waiting.desk).couriers
    assert (row.is_alive, row.carried, row.seen_at) == (False, 7, began)


def test_what_was_given_up_is_shown_for_a_day(waiting, clock):
    waiting.portal.misbehave(Kind.DOWN)
    click = str(uuid4())
    verification.resend(waiting.desk, click, "1023401")
    clock.advance(hours=30)
    rounds.take_turn(waiting.desk)
    assert not verification.errand(waiting.desk, click).state.is_open
    (row,) = rounds.health(waiting.desk).backlog
    assert (row.state, row.is_open) == (ErrandState.GAVE_UP, False)
    clock.advance(hours=25)
    assert rounds.health(waiting.desk).backlog == ()
    waiting.portal.behave()


def test_trouble_with_mail_stands_beside_trouble_with_the_portal(waiting):
    both = Turn(0, 0, 0, False, "The portal is down.", "The mail server does not answer.", True)
    rounds.leave_sign(waiting.desk, "server/1", waiting.desk.now(), 0, both)
    health = rounds.health(waiting.desk)
    assert health.going is Going.HELD_UP
    assert health.words.endswith("The portal is down. The mail server does not answer.")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_courier_that_ended_well_is_not_alive_by_its_last_sign(
    desk, postgresql_server, database_url
):
    """With a courier's own login, which may remove nothing."""
    office = open_office(postgresql_server, database_url)
    carrier = f"courier.{uuid4().hex[:8]}"
    with desk.records.begin() as db:
        db.execute(text(f"CREATE ROLE \"{carrier}\" LOGIN PASSWORD '{PASSWORD}'"))
        db.execute(text(f'GRANT {roles.COURIER} TO "{carrier}"'))
    with closing(schema.open_records(office.address(carrier), upgrade_it=False)) as records:
        colleague = Colleague(carrier, "Courier", Role.REPRESENTATIVE)
        carrying = replace(
            desk, records=records, colleague=colleague, now=lambda: datetime.now(UTC)
        )
        began = carrying.now()
        for name in ("server/1", "server/2"):
            rounds.leave_sign(carrying, name, began, 7, Turn(0, 0, 0, True, ""))
        rounds.end_sign(carrying, "server/1")
        alive = {row.name: row.is_alive for row in rounds.health(carrying).couriers}
        assert alive == {"server/1": False, "server/2": True}
        rounds.end_sign(carrying, "server/2")
        with records.read() as db:
            seen_at = last_sign(db)
        assert began - seen_at > timedelta(seconds=100), "what asks for the last sign agrees"
        rounds.end_sign(carrying, "nobody")
    office.door.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_one_machine_the_sign_of_a_courier_that_ended_goes(desk):
    rounds.leave_sign(desk, "here/1", desk.now(), 0, Turn(0, 0, 0, True, ""))
    rounds.end_sign(desk, "here/1")
    assert rounds.health(desk).couriers == ()
