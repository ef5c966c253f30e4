"""Kills real processes in the middle of payments, again and again, and counts what became of it.

A warm parent forks a child for each try: one that presses, or a courier. The child is killed by
SIGKILL (or stopped, and left to wake up long after) at one of its points: before and after every
statement and every commit, before a request is sent, when it is sent, when the answer's head is
there, and when it has been read. Then the parent presses again, lets couriers sweep, and goes on.
"""

from __future__ import annotations

import gc
import http.client
import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from console.clients.stripe_gateway import StripeGateway
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.models import schema
from console.models.payments import OPEN_STATES, Payment, Refund
from console.sandbox.gateway import KEY
from console.services import charging, payments
from tests.payments.office import NUMBERS, PayOffice, decide, found, judge, real_clock

BEHAVIOURS: Final = (
    "", "down", "throttled", "unauthorized", "redirect", "cut_before", "late", "slow",
    "slow_after", "server_error", "fault_after", "twice", "cut_after", "cut", "drip", "html",
    "half_json", "wrong_types", "wrong_amount", "wrong_currency", "wrong_reference", "wrong_key",
    "live_mode", "unknown_status",
)  # fmt: skip
DEADLINE: Final = 0.15
"""How long a courier here waits for the gateway, in seconds."""
_SLOW: Final = 0.25


class Points:
    """Where a child may be killed; it counts them, and at one of them it ends."""

    def __init__(self) -> None:
        self._left = -1
        self._signal = signal.SIGKILL
        self._only = ""
        self._tell = -1

    def arm(self, after: int, sign: signal.Signals, only: str, tell: int) -> None:
        """End this process at the point after so many others."""
        self._left, self._signal, self._only, self._tell = after, sign, only, tell

    def __call__(self, name: str) -> None:
        if self._left < 0 or not name.startswith(self._only):
            return
        if self._left == 0:
            os.write(self._tell, name.encode()[:120])
            self._left = -1
            os.kill(os.getpid(), self._signal)
            return
        self._left -= 1


def hang_up_points(engine: Engine, point: Points) -> None:
    """Hang a point on every statement, every commit and every exchange of this process."""

    def words(statement: str) -> str:
        return " ".join(statement.split()[:3])[:60]

    @event.listens_for(engine, "before_cursor_execute")
    def before(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        point(f"before {words(statement)}")

    @event.listens_for(engine, "after_cursor_execute")
    def after(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        point(f"after {words(statement)}")

    @event.listens_for(engine, "commit")
    def commits(_connection: Any) -> None:
        point("before COMMIT")

    @event.listens_for(Session, "after_commit")
    def committed(_session: Session) -> None:
        point("after COMMIT")

    answer = http.client.HTTPConnection.getresponse

    def getresponse(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        point("http sent")
        heard = answer(self)
        point("http answered")
        return heard

    http.client.HTTPConnection.getresponse = getresponse  # type: ignore[method-assign]


@dataclass
class Counts:
    """What was done and seen."""

    kills: int = 0
    stops: int = 0
    presses: int = 0
    rounds: int = 0
    points: Counter[str] = field(default_factory=Counter)
    behaviours: Counter[str] = field(default_factory=Counter)
    reviews: int = 0
    seconds: float = 0.0


class Lane:
    """One office, one gateway, one payment after the other."""

    def __init__(self, database: str, gateway: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.counts = Counts()
        self._gateway = gateway
        self._shared = mmap.mmap(-1, 8)
        self.point = Points()
        self.records = schema.open_records(database)
        hang_up_points(self.records.engine, self.point)
        till = StripeGateway(
            gateway, KEY, deadline=DEADLINE, observe=lambda: self.point("http before"),
            clock=real_clock(self.offset),
        )  # fmt: skip
        self._till = till
        self.office: PayOffice = found(self.records, real_clock(self.offset), till)
        self._http = requests.Session()
        self._http.trust_env = False

    def offset(self) -> float:
        """How far the office's clock is ahead; every process of the lane looks at the same."""
        return float(struct.unpack("d", self._shared[:8])[0])

    def wait(self, seconds: float) -> None:
        """Let time pass, here and at the gateway."""
        self._shared[:8] = struct.pack("d", self.offset() + seconds)
        self._switch("clock", advance_seconds=seconds)

    def _switch(self, name: str, **words: Any) -> None:
        self._http.post(
            f"{self._gateway}/sandbox/{name}", json=words, headers={"X-Sandbox": "1"}, timeout=10
        ).raise_for_status()

    def tally(self) -> tuple[dict[str, int], dict[str, int]]:
        """Count what moved at the gateway, by reference, by its own list."""
        told: list[Counter[str]] = []
        for kind, wanted in (("charges", "payment"), ("refunds", "refund")):
            many: Counter[str] = Counter()
            after = ""
            while True:
                page = self._http.get(
                    f"{self._gateway}/v1/{kind}", auth=(KEY, ""), timeout=30,
                    params={"limit": 100, **({"starting_after": after} if after else {})},
                ).json()  # fmt: skip
                for body in page["data"]:
                    if body["status"] in ("succeeded", "pending"):
                        many[body["metadata"].get(wanted, "")] += 1
                if not page["has_more"]:
                    break
                after = page["data"][-1]["id"]
            told.append(many)
        return dict(told[0]), dict(told[1])

    def child(self, work: Callable[[], object], after: int, *, stop: bool = False) -> int:
        """Do the work in a child that ends at one of its points; answer its pid if it sleeps."""
        self.records.engine.dispose()
        self._till.close()
        gc.freeze()  # a collection in the child would copy every page of the parent
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_killed(work, after, writes, stop=stop)
        os.close(writes)
        _, status = os.waitpid(pid, os.WUNTRACED)
        name = os.read(reads, 200).decode() if os.WIFSTOPPED(status) else ""
        if os.WIFSTOPPED(status):
            os.close(reads)
            self.counts.stops += 1
            self.counts.points[f"stopped {name}"] += 1
            return pid
        with os.fdopen(reads, "rb") as pipe:
            name = pipe.read().decode()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            self.counts.kills += 1
            self.counts.points[name] += 1
        elif status != 0:
            raise RuntimeError(f"a child failed: {status} {name}")
        return 0

    def _be_killed(self, work: Callable[[], object], after: int, tell: int, *, stop: bool) -> None:
        code = 0
        gc.disable()
        try:
            sign = signal.SIGSTOP if stop else signal.SIGKILL
            self.point.arm(after, sign, "http" if stop else "", tell)
            work()
        except ConsoleError:
            pass  # what is told to whoever pressed
        except BaseException as problem:
            os.write(tell, f"{type(problem).__name__}: {problem}".encode()[:200])
            code = 3
        finally:
            os._exit(code)

    def awaken(self, pid: int) -> None:
        """Let a sleeping child go on to its end."""
        os.kill(pid, signal.SIGCONT)
        os.waitpid(pid, 0)

    def one_payment(self, behaviour: str, way: PaymentWay, first: int) -> None:
        """Take one payment, with everything going wrong on the way, and see it to its end."""
        counts, chance = self.counts, self.chance
        counts.behaviours[behaviour or "well"] += 1
        card = "declined" if chance.random() < 0.15 else "visa"
        shares = ((NUMBERS[0], Money(chance.randrange(100, 9000))),)
        if chance.random() < 0.3:
            shares = (*shares, (NUMBERS[1], Money(chance.randrange(1, 9000))))
        wish = self.office.wish(way, card=card, shares=shares, receipt_to="rose@example.org")
        counts.presses += 1
        killed_at_press = chance.random() < 0.35
        if killed_at_press:
            self.child(lambda: payments.begin(self.office.desk, wish), first)
            if chance.random() < 0.8:
                payments.begin(self.office.desk, wish)
        else:
            payments.begin(self.office.desk, wish)
        path = "/v1/checkout/sessions" if way.on_a_page else "/v1/payment_intents"
        if behaviour:
            method = "" if chance.random() < 0.2 else "POST"
            times = 1 if behaviour in ("slow", "slow_after", "drip") else chance.choice((1, 1, 2))
            self._switch(
                "misbehave", kind=behaviour, path=path, method=method, times=times, seconds=_SLOW
            )
        asleep = self._carried_by_the_dying(killed_at_press, first)
        if behaviour:
            self._switch("behave")
        if asleep:
            self.wait(chance.choice((1.0, 70.0, 4000.0)))
        if asleep and chance.random() < 0.5:
            self._until_known(way, wish.id, most=3)
        for pid in asleep:
            self.awaken(pid)
        self._until_known(way, wish.id)

    def _carried_by_the_dying(self, already: bool, first: int) -> list[int]:
        asleep = []
        for turn in range(self.chance.choice((1, 2, 2, 3))):
            stops = self.chance.random() < 0.08
            after = self.chance.randrange(3) if stops else self.chance.randrange(45)
            if turn == 0 and not already and not stops:
                after = first
            self.counts.rounds += 1
            pid = self.child(self.office.sweep, after, stop=stops)
            if pid:
                asleep.append(pid)
            self.wait(self.chance.choice((0.0, 5.0, 61.0, 61.0, 130.0)))
            if self.chance.random() < 0.02:
                self.wait(90_000)
        return asleep

    def _until_known(self, way: PaymentWay, payment_id: str, most: int = 40) -> None:
        """Sweep until it is known for good; somebody pays on a page, or nobody does."""
        uses = self.chance.random() < 0.7
        for turn in range(most):
            charging.make_round(self.office.courier)
            self.counts.rounds += 1
            with self.records.read() as db:
                one = db.get(Payment, payment_id)
            if one is None or not one.state.is_open or one.state is PaymentState.REVIEW:
                break
            if one.page_url and uses:
                self._pay_on(one.page_url)
                uses = False
            elif way.on_a_page and one.page_url and self.chance.random() < 0.3:
                payments.shut_page(self.office.desk, payment_id)
            self.wait((30.0, 130.0, 700.0, 3700.0)[min(turn // 4, 3)])
        with self.records.read() as db:
            open_left = db.scalars(select(Payment.state).where(Payment.state.in_(OPEN_STATES)))
            under_review = PaymentState.REVIEW in open_left.all()
        if under_review and most == 40:
            self.counts.reviews += decide(self.records, self.tally()[0], self.office.desk.now())

    def _pay_on(self, url: str) -> None:
        form = {"number": "4242424242424242", "expiry": "04 / 31", "cvc": "123", "name": "Rose"}
        self._http.post(url, data=form, timeout=10)

    def one_refund(self, payment_id: str) -> None:
        """Give a part of a payment back through couriers that die."""
        refund_id = self.office.give_back(payment_id, Money(self.chance.randrange(1, 60)))
        behaviour = self.chance.choice(BEHAVIOURS)
        if behaviour:
            self._switch("misbehave", kind=behaviour, path="/v1/refunds", method="POST",
                         times=1, seconds=_SLOW)  # fmt: skip
        asleep = self._carried_by_the_dying(True, 0)
        self._switch("behave")
        for pid in asleep:
            self.awaken(pid)
        for _ in range(40):
            charging.make_round(self.office.courier)
            with self.records.read() as db:
                state = db.get_one(Refund, refund_id).state
            if not state.is_open:
                return
            if state is PaymentState.REVIEW:
                given = self.tally()[1]
                self.counts.reviews += decide(self.records, given, self.office.desk.now())
                return
            self.wait(700)


def campaign(database: str, gateway: str, seed: int, kills: int, seconds: float) -> dict[str, Any]:
    """Kill so many processes, or for so long, and answer the counts and what is wrong."""
    lane = Lane(database, gateway, seed)
    began = time.monotonic()
    turn = 0
    while lane.counts.kills < kills and time.monotonic() - began < seconds:
        behaviour = BEHAVIOURS[turn % len(BEHAVIOURS)]
        way = (PaymentWay.STORED, PaymentWay.STORED, PaymentWay.PAGE, PaymentWay.LINK)[
            turn // len(BEHAVIOURS) % 4
        ]
        lane.one_payment(behaviour, way, turn % 47)
        if turn % 6 == 5:
            with lane.records.read() as db:
                paid = db.scalars(
                    select(Payment.id).where(Payment.state == PaymentState.CHARGED)
                    .order_by(Payment.asked_at.desc()).limit(1)
                ).first()  # fmt: skip
            if paid:
                lane.one_refund(paid)
        turn += 1
        # Old payments are far in the past, so that each look-up reads a short list.
        lane.wait(4 * 3600)
    lane.counts.seconds = time.monotonic() - began
    for _ in range(20):
        charging.make_round(lane.office.courier)
        lane.wait(3700)
    moved, given = lane.tally()
    lane.counts.reviews += decide(lane.records, moved, lane.office.desk.now())
    verdict = judge(lane.records, moved, given)
    lane.records.close()
    counts = lane.counts
    return {
        "kills": counts.kills,
        "stops": counts.stops,
        "points": len(counts.points),
        "behaviours": len(counts.behaviours),
        "presses": counts.presses,
        "rounds": counts.rounds,
        "payments": verdict.payments,
        "charged": verdict.charged,
        "declined": verdict.declined,
        "abandoned": verdict.abandoned,
        "reviews": counts.reviews,
        "kills_a_second": round(counts.kills / counts.seconds, 1),
        "faults": verdict.faults,
    }


if __name__ == "__main__":
    database, gateway, seed, kills, seconds = sys.argv[1:6]
    sys.stdout.write(json.dumps(campaign(database, gateway, int(seed), int(kills), float(seconds))))
