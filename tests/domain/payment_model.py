"""Every order in which a console, two couriers, a network and a gateway can meet over one payment.

The rules are the console's own (`console/domain/payments.py`); around them stands what may happen
to them: crashes and pauses anywhere, commits whose answer is lost, requests that are delayed,
doubled or lost, a gateway that stumbles and one that forgets its keys after a day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from console.domain import payments
from console.domain.payments import LEGAL_MOVES, PaymentState, Progress, Step

NOW = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)
FRESH, LATE, FORGOTTEN = range(3)
"""Since the first sending: under twenty hours, under a day, after the gateway forgot the key."""
_SINCE_FIRST = (timedelta(hours=1), timedelta(hours=21), timedelta(hours=25))
_MOST_SENDS = payments.SENDS_BEFORE_LOOKING


class Courier(NamedTuple):
    """What one courier holds in its hands; everything of it is lost when it dies."""

    at: str = "idle"
    """idle · decided · in_hand · asking · answered"""
    step: str = ""
    answer: str = ""
    proof: bool = False
    """Whether, when the look-up began, nothing could be under way any more."""
    sends: int = 0
    """How often it had been sent when the look-up began."""


class World(NamedTuple):
    """Everything there is, small enough to be walked through whole."""

    state: PaymentState = PaymentState.INTENT
    is_old: bool = False
    """Whether the intent has waited too long."""
    lease: int = 0
    """0: nobody's; 1 and 2: alive, that courier's; -1 and -2: run out."""
    sends: int = 0
    answered: bool = False
    ledger: int = 0
    age: int = FRESH
    quiet: bool = False
    """Whether what was sent last has arrived or is lost for good."""
    under_way: tuple[int, int] = (0, 0)
    """Requests on their way, sent while the key was fresh and after."""
    charges: int = 0
    key: str = ""
    """What the gateway remembers of the key: nothing, charged, declined or fault."""
    taken_again: bool = False
    """Whether somebody took the money once more while this payment was open."""
    couriers: tuple[Courier, Courier] = (Courier(), Courier())


@cache
def _progress(
    state: PaymentState, is_old: bool, lease: int, sends: int, answered: bool, age: int, quiet: bool
) -> Progress:
    sent = sends > 0
    return Progress(
        state,
        NOW - (payments.ABANDONED_AFTER if is_old else timedelta(seconds=1)),
        NOW - _SINCE_FIRST[age] if sent else None,
        NOW - (payments.QUIET if quiet else timedelta(seconds=30)) if sent else None,
        None if lease == 0 else NOW + timedelta(seconds=30 if lease > 0 else -1),
        sends,
        answered,
    )


def progress(world: World) -> Progress:
    """Answer what is on record, as the rules are given it."""
    return _progress(
        world.state, world.is_old, world.lease, world.sends, world.answered, world.age, world.quiet
    )


class Rules:
    """The protocol; a mutant drops one rule of it."""

    most_under_way = 2
    """How many requests the network holds at once, doubled ones too."""
    same_key = True
    """A retry goes under the key of the first try."""
    one_open_payment = True
    """Nobody takes money of an account whose last payment is not known yet."""
    lease_is_checked_before_sending = True
    moves_only_from_what_was_seen = True
    """Every change of state is a compare-and-set."""
    looks_up = True
    takes_over = True
    """What a dead courier left is taken in hand by another."""

    def next_step(self, world: World) -> Step:
        return payments.next_step(progress(world), NOW)

    def may_send(self, world: World) -> bool:
        return payments.may_send(progress(world), NOW)

    def absence_is_proof(self, world: World) -> bool:
        return payments.is_absence_proof(progress(world), NOW)

    def reads(self, answer: str) -> PaymentState | None:
        """Tell what an answer says of the payment; nothing where it does not count."""
        return {"charged": PaymentState.CHARGED, "declined": PaymentState.DECLINED}.get(answer)

    def absent(self, proof: bool) -> PaymentState | None:
        return PaymentState.REVIEW if proof else None

    def ledger_at_claim(self) -> int:
        return 0


def moves(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """List everything that can happen next."""
    yield from _time(world)
    yield from _network(world, rules)
    yield from _people(world, rules)
    for who in (0, 1):
        yield from _courier(world, who, rules)


def _time(world: World) -> Iterator[tuple[str, World]]:
    if world.state is PaymentState.INTENT and not world.is_old:
        yield "the intent grows old", world._replace(is_old=True)
    if world.lease > 0:
        yield "the lease runs out", world._replace(lease=-world.lease)
    if world.sends and not world.quiet and world.under_way == (0, 0):
        yield "an hour without a sound", world._replace(quiet=True)
    # No lease lives for hours.
    later = world._replace(lease=-abs(world.lease))
    if world.sends and world.age == FRESH:
        yield "twenty hours pass", later._replace(age=LATE)
    # A network that holds a request back for four hours does not exist.
    if world.age == LATE and world.under_way[0] == 0:
        yield "the gateway forgets the key", later._replace(age=FORGOTTEN, key="")


def _network(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    for kind in (0, 1):
        if not world.under_way[kind]:
            continue
        fewer = world._replace(under_way=_with(world.under_way, kind, -1))
        yield "a request is lost", fewer
        if sum(world.under_way) < rules.most_under_way:
            doubled = _with(world.under_way, kind, 1)
            yield "a request is doubled", world._replace(under_way=doubled)
        for outcome, after in _gateway(fewer, rules):
            yield f"the gateway hears: {outcome}; the answer is lost", after
            for who, courier in enumerate(world.couriers):
                if courier.at == "asking" and courier.step == Step.SEND:
                    heard = courier._replace(at="answered", answer=outcome)
                    yield f"courier {who} hears: {outcome}", _put(after, who, heard)


def _gateway(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    known = world.key if rules.same_key else ""
    if known:
        yield known, world
        return
    yield "charged", world._replace(charges=min(world.charges + 1, 2), key="charged")
    yield "declined", world._replace(key="declined")
    yield "fault", world._replace(key="fault")
    yield "fault", world._replace(charges=min(world.charges + 1, 2), key="fault")
    yield "busy", world  # not looked at, not remembered


def _people(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    if world.state.is_open and not rules.one_open_payment and not world.taken_again:
        yield "another desk takes it again", world._replace(taken_again=True)
    if world.state is PaymentState.REVIEW and world.under_way == (0, 0) and world.quiet:
        if world.charges:
            charged = world._replace(state=PaymentState.CHARGED, ledger=world.ledger + 1)
            yield "a supervisor shows that it was charged", charged
        else:
            declined = world._replace(state=PaymentState.DECLINED)
            yield "a supervisor shows that it was not", declined


def _courier(world: World, who: int, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.couriers[who]
    if me.at != "idle":
        yield f"courier {who} dies", _put(world, who, Courier())
    match me.at:
        case "idle":
            step = rules.next_step(world)
            if step is not Step.LEAVE:
                yield f"courier {who} decides: {step}", _put(world, who, Courier("decided", step))
        case "decided":
            yield from _begins(world, who, rules)
        case "in_hand":
            yield from _asks(world, who, rules)
        case "asking" if me.step == Step.LOOK_UP:
            yield from _looks(world, who, rules)
        case "asking":
            given_up = me._replace(at="answered", answer="nothing")
            yield f"courier {who} hears nothing", _put(world, who, given_up)
        case "answered":
            yield from _writes_down(world, who, rules)


def _begins(world: World, who: int, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.couriers[who]
    is_free = world.lease <= 0 and (rules.takes_over or world.lease == 0)
    if me.step == Step.ABANDON:
        may = world.state is PaymentState.INTENT or not rules.moves_only_from_what_was_seen
        after = world._replace(state=PaymentState.ABANDONED) if may else world
        yield f"courier {who} abandons it", _put(after, who, Courier())
        return
    open_ones = (PaymentState.INTENT, PaymentState.SENDING, PaymentState.UNKNOWN)
    may = (world.state in open_ones and is_free) or not rules.moves_only_from_what_was_seen
    if me.step == Step.SEND:
        may = may and rules.may_send(world)
    if not may:
        yield f"courier {who} comes too late", _put(world, who, Courier())
        return
    if me.step == Step.SEND:
        claimed = world._replace(
            state=PaymentState.SENDING,
            lease=who + 1,
            # The clock of the key starts before anything can be heard.
            sends=min(world.sends + 1, _MOST_SENDS),
            quiet=False,
            ledger=min(world.ledger + rules.ledger_at_claim(), 2),
        )
    elif world.state is PaymentState.INTENT:
        return
    else:
        claimed = world._replace(lease=who + 1)
    yield f"courier {who} takes it in hand", _put(claimed, who, me._replace(at="in_hand"))
    yield f"courier {who} takes it in hand and dies", _put(claimed, who, Courier())


def _asks(world: World, who: int, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.couriers[who]
    if world.lease != who + 1 and rules.lease_is_checked_before_sending:
        yield f"courier {who} slept too long", _put(world, who, Courier())
        return
    if me.step == Step.LOOK_UP:
        if rules.looks_up:
            proof = rules.absence_is_proof(world)
            asking = me._replace(at="asking", proof=proof, sends=world.sends)
            yield f"courier {who} looks it up", _put(world, who, asking)
        return
    if sum(world.under_way) < rules.most_under_way:
        kind = 0 if world.age == FRESH else 1
        sent = world._replace(under_way=_with(world.under_way, kind, 1), quiet=False)
        yield f"courier {who} sends", _put(sent, who, me._replace(at="asking"))


def _looks(world: World, who: int, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.couriers[who]
    found = "charged" if world.charges else "declined" if world.key == "declined" else "absent"
    yield (
        f"courier {who} is shown: {found}",
        _put(world, who, me._replace(at="answered", answer=found)),
    )
    yield (
        f"courier {who} hears nothing",
        _put(world, who, me._replace(at="answered", answer="nothing")),
    )


def _writes_down(world: World, who: int, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.couriers[who]
    said = rules.absent(me.proof) if me.answer == "absent" else rules.reads(me.answer)
    after = world
    may = (
        world.state in (PaymentState.SENDING, PaymentState.UNKNOWN)
        or not rules.moves_only_from_what_was_seen
    )
    if said is PaymentState.REVIEW and (world.sends != me.sends or world.lease != who + 1):
        said = None  # somebody has sent it once more since
    if said is not None and may:
        # What was learned is written in one go: first that the answer was not known, if need be.
        after = world._replace(state=said, lease=0)
        if said is PaymentState.CHARGED:
            after = after._replace(ledger=min(world.ledger + 1 - rules.ledger_at_claim(), 2))
    elif world.lease in (who + 1, -who - 1) and may:
        heard = world.answered or me.answer in ("fault", "busy")
        after = world._replace(state=PaymentState.UNKNOWN, lease=0, answered=heard)
        if me.answer == "absent" and world.age == FRESH and world.answered:
            # Within the first hour what is not there goes again; which hour it is, is not walked.
            again = after._replace(answered=False)
            yield f"courier {who} writes down that it goes again", _put(again, who, Courier())
    yield f"courier {who} writes it down", _put(after, who, Courier())
    if after is not world:
        # The answer to COMMIT is lost: whoever wrote does not know, and writes it once more.
        yield f"courier {who} writes it down and is not told", _put(after, who, me)


def _in_order(world: World) -> World:
    """Two couriers are alike: it does not matter which of them is called the first."""
    first, second = world.couriers
    if first <= second:
        return world
    other = {0: 0, 1: 2, 2: 1, -1: -2, -2: -1}[world.lease]
    return world._replace(lease=other, couriers=(second, first))


def _with(under_way: tuple[int, int], kind: int, more: int) -> tuple[int, int]:
    fresh, late = under_way
    return (fresh + more, late) if kind == 0 else (fresh, late + more)


def _put(world: World, who: int, courier: Courier) -> World:
    first, second = world.couriers
    return world._replace(couriers=(courier, second) if who == 0 else (first, courier))


def wrong(world: World) -> str:
    """Say what must never be and is; empty when nothing is."""
    if world.charges > 1:
        return "charged twice"
    if world.charges and world.taken_again:
        return "taken again while it was not known, and charged"
    if world.ledger > 1:
        return "recorded twice"
    if world.state is PaymentState.CHARGED and not (world.charges and world.ledger):
        return "recorded and not charged"
    if world.ledger and world.state is not PaymentState.CHARGED:
        return "recorded before it was known"
    if world.charges and world.state in (PaymentState.DECLINED, PaymentState.ABANDONED):
        return "charged and said not to be"
    return ""


@dataclass
class Walk:
    """What came of walking through every state."""

    states: int = 0
    fault: str = ""
    way: list[str] = field(default_factory=list)
    """What happened up to the fault."""
    stranded: int = 0
    """States from which no way leads to a payment that is known for good."""


def walk(rules: Rules | None = None, most: int = 5_000_000) -> Walk:
    """Walk through every state that can come about, and stop at the first fault."""
    rules = rules or Rules()
    first = World()
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    before: dict[World, list[World]] = {}
    todo = deque([first])
    while todo:
        world = todo.popleft()
        for what, unsorted in moves(world, rules):
            after = _in_order(unsorted)
            if after.state is not world.state:
                assert after.state in _reachable(world.state) or not (
                    rules.moves_only_from_what_was_seen
                ), (what, world.state, after.state)
            before.setdefault(after, []).append(world)
            if after in came_from:
                continue
            came_from[after] = (world, what)
            fault = wrong(after)
            if fault:
                return Walk(len(came_from), fault, _way(after, came_from))
            todo.append(after)
            assert len(came_from) < most, "too many states to walk through"
    home = {world for world in came_from if world.state.is_final}
    todo = deque(home)
    while todo:
        for world in before.get(todo.popleft(), ()):
            if world not in home:
                home.add(world)
                todo.append(world)
    return Walk(len(came_from), stranded=len(came_from) - len(home))


@cache
def _reachable(state: PaymentState) -> frozenset[PaymentState]:
    """The states one writing may lead to: a step, or the two of “unknown, and now known”."""
    one = LEGAL_MOVES[state]
    if state is PaymentState.SENDING:
        return one | LEGAL_MOVES[PaymentState.UNKNOWN]
    # A courier takes up again what is not known: it stays unknown to everybody who looks.
    return one | ({PaymentState.SENDING} if state is PaymentState.UNKNOWN else frozenset())


def _way(world: World, came_from: dict[World, Any]) -> list[str]:
    way = []
    while (step := came_from[world]) is not None:
        world, what = step
        way.append(what)
    return way[::-1]
