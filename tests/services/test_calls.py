from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from console.domain.calls import Fact, Reason, Result
from console.domain.errors import ConsoleError
from console.services import calls, members
from console.services.calls import WrapUp
from tests.office import SAM, add_member, staff_the_office, trail

ENOUGH = {Fact.NAME, Fact.PHONE, Fact.LAST_FOUR}
DONE = WrapUp(Reason.REGISTRATION, Result.SOLVED, "Read the spelling out.")


@pytest.fixture
def rose(records):
    staff_the_office(records)
    return add_member(records)


@pytest.fixture
def call(desk, rose):
    return calls.begin(desk, str(uuid4()), rose).id


def test_a_call_survives_a_restart_of_the_console(desk, call):
    again = calls.current(replace(desk))
    assert again is not None
    assert (again.id, again.member_name, again.verified) == (call, "Rose DeLong", False)
    assert again.still_missing == "3 more facts, one of them the last payment or the last four."


def test_beginning_twice_is_beginning_once(desk, rose, call):
    assert calls.begin(desk, call, rose).id == call
    assert trail(desk) == ["call:begun"]


def test_two_presses_at_once_begin_one_call(desk, rose):
    call_id = str(uuid4())
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: calls.begin(desk, call_id, rose), range(4)))
    assert {state.id for state in states} == {call_id}
    assert trail(desk) == ["call:begun"]


def test_one_caller_at_a_time(desk, rose, call):
    with pytest.raises(calls.InAnotherCall, match="with Rose DeLong"):
        calls.begin(desk, str(uuid4()), None)
    assert calls.begin(replace(desk, colleague=SAM), str(uuid4()), rose)


def test_enough_facts_verify_and_taking_one_back_does_not(desk, call):
    assert not calls.tick(desk, call, {Fact.NAME, Fact.PHONE}).verified
    state = calls.tick(desk, call, ENOUGH)
    assert state.verified
    assert state.still_missing == ""
    assert not calls.tick(desk, call, {Fact.NAME}).verified
    assert trail(desk) == ["call:begun", "caller:verified", "caller:no_longer_verified"]


def test_public_facts_alone_verify_nobody(desk, call):
    assert not calls.tick(desk, call, {Fact.NAME, Fact.PHONE, Fact.SERVICE_ADDRESS}).verified


def test_an_empty_field_proves_nothing(desk, records):
    blank = add_member(records, "Vance", ("3000001",), identity_last_four="", phone="")
    call_id = calls.begin(desk, str(uuid4()), blank).id
    with pytest.raises(ConsoleError, match="proves nothing"):
        calls.tick(desk, call_id, ENOUGH)


def test_another_member_is_another_verification(desk, call, records):
    other = add_member(records, "Okonjo", ("2000001",))
    calls.tick(desk, call, ENOUGH)
    state = calls.turn_to(desk, call, other)
    assert (state.member_id, state.verified, state.facts) == (other, False, frozenset())
    calls.tick(desk, call, ENOUGH)
    assert calls.turn_to(desk, call, other).verified


def test_a_call_without_a_member_verifies_nobody(desk, rose):
    call_id = calls.begin(desk, str(uuid4()), None).id
    with pytest.raises(ConsoleError, match="Open the member"):
        calls.tick(desk, call_id, ENOUGH)
    assert calls.turn_to(desk, call_id, rose).member_name == "Rose DeLong"


def test_a_wrapped_up_call_is_over(desk, rose, call):
    for _ in range(2):
        calls.wrap_up(desk, call, DONE)
    assert calls.current(desk) is None
    with pytest.raises(calls.NoSuchCall, match="wrapped up"):
        calls.tick(desk, call, ENOUGH)
    entry = members.refresh(desk, rose).timeline[0]
    assert entry.title == "Registration refused"
    assert entry.detail == "Caller not verified. Solved. Read the spelling out."
    assert entry.who == "Pat Lindqvist"
    assert trail(desk) == ["call:begun", "call:wrapped_up"]


def test_nobody_touches_a_colleagues_call(desk, rose, call):
    sam = replace(desk, colleague=SAM)
    for act in (
        lambda: calls.tick(sam, call, ENOUGH),
        lambda: calls.wrap_up(sam, call, DONE),
        lambda: calls.turn_to(sam, call, rose),
        lambda: calls.begin(sam, call, rose),
        lambda: calls.wrap_up(sam, "none", DONE),
    ):
        with pytest.raises(calls.NoSuchCall):
            act()
