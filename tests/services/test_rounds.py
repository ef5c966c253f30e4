"""Whether what was asked for goes out: the couriers' signs and what waits."""

from uuid import uuid4

from console.domain.courier import ErrandKind, ErrandState
from console.sandbox.portal import Kind
from console.services import rounds, verification
from console.services.rounds import Going, Turn


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
