"""Drops one rule of the real code at a time, and plays the scenes that must notice it.

A warm parent forks a child for each mutant: the child changes the code in its own memory, or the
triggers in its own database, and plays a scene on a fresh office. The tree is never written to.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text, update

from console.clients.stripe_gateway import StripeGateway
from console.domain import payments as rules
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.models import schema
from console.models.base import Records, unaudited
from console.models.payments import Payment, PaymentShare, Refund
from console.sandbox import gateway
from console.sandbox.gateway import Kind, RunningGateway
from console.services import charging, payments
from console.services.charging import SILENT
from tests.office import Clock
from tests.payments.office import NUMBERS, PayOffice, found, judge, moved_at

CHARGES = "/v1/payment_intents"


@dataclass(frozen=True)
class Scene:
    """An office, its gateway and the time, for one scene."""

    office: PayOffice
    till: RunningGateway
    clock: Clock

    def until_known(self, payment_id: str, rounds: int = 40, **step: float) -> PaymentState:
        """Sweep until a payment is known for good, or goes to a person."""
        for _ in range(rounds):
            self.sweep()
            state = self.office.row(payment_id).state
            if state.is_final or state is PaymentState.REVIEW:
                return state
            self.clock.advance(**(step or {"minutes": 2}))
        raise AssertionError("it never ended")

    def sweep(self) -> None:
        """Let a courier go round; nothing that it meets is new to it."""
        assert self.office.sweep().trouble in ("", SILENT)

    def all_is_well(self) -> None:
        """Compare the books."""
        faults = judge(self.office.records, *moved_at(self.till)).faults
        assert faults == {}, faults


def plain(s: Scene) -> None:
    """A card is charged, another one declined, each once."""
    shares = ((NUMBERS[0], Money(1000)), (NUMBERS[1], Money(500)))
    assert s.until_known(s.office.press(shares=shares).id) is PaymentState.CHARGED
    assert s.until_known(s.office.press(card="declined").id) is PaymentState.DECLINED
    s.all_is_well()
    assert s.office.press().state is PaymentState.INTENT


def pressed_twice(s: Scene) -> None:
    """The same form, pressed again before and after."""
    wish = s.office.wish()
    payments.begin(s.office.desk, wish)
    payments.begin(s.office.desk, wish)
    s.until_known(wish.id)
    payments.begin(s.office.desk, wish)
    s.all_is_well()


def answer_lost(s: Scene) -> None:
    """The gateway does it and the line is cut, three times."""
    begun = s.office.press()
    s.till.misbehave(Kind.CUT_AFTER, CHARGES, "POST", times=3)
    assert s.until_known(begun.id) is PaymentState.CHARGED
    s.all_is_well()


def nonsense(s: Scene) -> None:
    """The gateway says something about somebody else's payment, or is down."""
    begun = s.office.press(card="declined")
    s.till.misbehave(Kind.WRONG_REFERENCE, CHARGES, "POST", times=1)
    s.sweep()
    assert s.office.row(begun.id).state is PaymentState.UNKNOWN
    assert s.until_known(begun.id) is PaymentState.DECLINED
    s.all_is_well()


def nothing_done(s: Scene) -> None:
    """A remembered 500 with nothing done goes to a person, after the quiet hour."""
    begun = s.office.press()
    s.till.misbehave(Kind.SERVER_ERROR, CHARGES, times=1)
    assert s.until_known(begun.id, 120, minutes=4) is PaymentState.REVIEW
    sent = s.office.row(begun.id).last_sent_at
    assert sent is not None
    assert s.clock() - sent >= rules.QUIET


def done_and_stumbled(s: Scene) -> None:
    """A remembered 500 with everything done is found by asking otherwise."""
    begun = s.office.press()
    s.till.misbehave(Kind.FAULT_AFTER, CHARGES, times=1)
    assert s.until_known(begun.id) is PaymentState.CHARGED
    s.all_is_well()


def forgotten_key(s: Scene) -> None:
    """No answer comes for thirty hours, and the gateway forgets the key meanwhile."""
    begun = s.office.press()
    s.till.misbehave(Kind.CUT_AFTER, CHARGES, "POST")
    for hours in (9, 9, 12):
        s.sweep()
        s.clock.advance(hours=hours)
    s.till.behave()
    assert s.until_known(begun.id) is PaymentState.CHARGED
    s.all_is_well()


def abandoned(s: Scene) -> None:
    """Nobody takes an intent up for an hour."""
    begun = s.office.press()
    s.clock.advance(hours=1)
    assert s.until_known(begun.id) is PaymentState.ABANDONED
    s.all_is_well()


def leased(s: Scene) -> None:
    """A second courier comes while the first has it in hand."""
    begun = s.office.press()
    assert charging._claim(s.office.courier, Payment, begun.id) is not None
    assert not charging.carry(s.office.courier, Payment, begun.id)
    assert s.till.tally()["charges"] == 0
    s.clock.advance(minutes=2)
    assert s.until_known(begun.id) is PaymentState.CHARGED
    s.all_is_well()


def overslept(s: Scene) -> None:
    """A courier sleeps between taking it in hand and sending it."""
    begun = s.office.press()
    looks = iter(range(1000))

    def now() -> Any:
        return s.clock() + timedelta(hours=30 if next(looks) > 1 else 0)

    charging.carry(replace(s.office.courier, now=now), Payment, begun.id)
    assert s.till.tally()["charges"] == 0


def late_answer(s: Scene) -> None:
    """An answer comes after the lease has gone to somebody else."""
    begun = s.office.press()
    held = charging._claim(s.office.courier, Payment, begun.id)
    assert held is not None
    heard = charging._ask(_till(s.office), held, s.office.courier)
    s.clock.advance(minutes=2)
    assert charging._claim(s.office.courier, Payment, begun.id) is not None
    assert charging._write_down(s.office.courier, held, heard)
    s.all_is_well()
    # What is final stays, whatever comes later.
    charging._write_down(
        s.office.courier, held, charging.Known(PaymentState.DECLINED, "No money has moved.")
    )
    s.all_is_well()


def lost_lease(s: Scene) -> None:
    """“Nothing there” is told to somebody who has lost the lease."""
    begun = s.office.press()
    s.till.misbehave(Kind.SERVER_ERROR, CHARGES, times=1)
    for _ in range(3):
        s.sweep()
        s.clock.advance(minutes=1)
    s.clock.advance(hours=2)
    held = charging._claim(s.office.courier, Payment, begun.id)
    assert held is not None
    s.clock.advance(minutes=2)
    assert charging._claim(s.office.courier, Payment, begun.id) is not None
    charging._write_down(s.office.courier, held, charging.Absent())
    assert s.office.row(begun.id).state is PaymentState.UNKNOWN


def page_shut_early(s: Scene) -> None:
    """A page that may be open is called off."""
    begun = s.office.press(PaymentWay.PAGE)
    s.till.misbehave(Kind.CUT_AFTER, "/v1/checkout/sessions", "POST", times=1)
    s.sweep()
    payments.shut_page(s.office.desk, begun.id)
    assert s.until_known(begun.id, seconds=30) is PaymentState.DECLINED
    with s.till.store.begin() as db:
        (body,) = [row[0] for row in db.execute("SELECT body FROM object WHERE kind LIKE 'check%'")]
    assert json.loads(body)["status"] == "expired"


def given_back(s: Scene) -> None:
    """Money goes back once, never more than was paid, and cash is nothing to a gateway."""
    begun = s.office.press()
    s.until_known(begun.id)
    refund = s.office.give_back(begun.id, Money(4210), needs_second=True)
    s.clock.advance(hours=2)
    with s.office.records.begin() as db:
        one = db.get_one(Refund, refund)
        one.approved_by, one.approved_at = "ana", s.clock()
    s.till.misbehave(Kind.CUT_AFTER, "/v1/refunds", times=1)
    for _ in range(5):
        s.sweep()
        s.clock.advance(minutes=2)
    s.all_is_well()
    assert s.till.tally()["refunded_cents"] == 4210
    _refused(lambda: s.office.give_back(begun.id, Money(10_001)))
    cash = s.office.press(PaymentWay.CASH).id
    s.office.give_back(cash, Money(10), drawer_id=s.office.drawer_id)
    s.sweep()
    assert s.till.tally()["refunded_cents"] == 4210
    assert [one.path for one in _till(s.office).exchanges].count("/v1/refunds") == 2


def by_other_means(s: Scene) -> None:
    """Somebody writes to the database by hand what the protocol does not allow."""
    done = s.office.press()
    s.until_known(done.id)
    going = s.office.press()
    for payment_id, state in ((done.id, "declined"), (done.id, "unknown"), (going.id, "charged")):
        _refused(lambda i=payment_id, w=state: _write(s.office.records, i, state=PaymentState(w)))
    payments.cancel(s.office.desk, going.id)
    s.all_is_well()
    other = s.office.press(shares=((NUMBERS[1], Money(500)),))
    with s.office.records.begin() as db:
        db.add(PaymentShare(payment_id=other.id, account_number=NUMBERS[2], amount=Money(1)))
    _refused(lambda: charging.carry(s.office.courier, Payment, other.id))
    assert s.till.tally()["charges"] == 1


def _write(records: Records, payment_id: str, **values: Any) -> None:
    with records.begin() as db:
        db.execute(update(Payment).where(Payment.id == payment_id).values(**values))


def _refused(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:
        return
    raise AssertionError("it was not refused")


def _till(office: PayOffice) -> Any:
    return office.courier.gateway


SCENES: tuple[Callable[[Scene], None], ...] = (
    plain, pressed_twice, answer_lost, nonsense, nothing_done, done_and_stumbled, forgotten_key,
    abandoned, leased, overslept, late_answer, lost_lease, page_shut_early, given_back,
    by_other_means,
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One rule dropped, and the scene that notices."""

    name: str
    where: types.ModuleType | str
    """A module, or the name of a trigger or an index."""
    old: str
    new: str
    scene: Callable[[Scene], None]


_C, _R = charging, rules
# fmt: off
MUTANTS = (
    Mutant("a new key for each try", _C,
           "                    held.id,\n                    held.method,",
           "                    held.id if held.sends < 2 else str(uuid4()),\n"
           "                    held.method,", answer_lost),
    Mutant("silence taken for a decline", _C, "        return NotKnown(str(silence))",
           "        return Known(PaymentState.DECLINED, 'No.')", answer_lost),
    Mutant("a stumble taken for a decline", _C,
           "        return NotKnown(str(problem), answered=True)",
           "        return Known(PaymentState.DECLINED, 'No.')", done_and_stumbled),
    Mutant("any answer trusted", _C,
           "        return NotKnown(str(problem), answered=True)",
           "        return Known(PaymentState.CHARGED, 'Paid.')", nonsense),
    Mutant("absent taken for not charged", _C,
           "return Absent() if found is None else _outcome(found)",
           "return Known(PaymentState.DECLINED, 'No.') if found is None else _outcome(found)",
           nothing_done),
    Mutant("absent believed at once", _C, "and held.proof and mine", "and mine", nothing_done),
    Mutant("absent believed whoever says it", _C,
           "and held.proof and mine and row.sends == held.sends", "and held.proof", lost_lease),
    Mutant("no lease", _C, '"leased_until": held.until,\n            "next_try_at": held.until,',
           '"leased_until": None,\n            "next_try_at": now,', leased),
    Mutant("the lease not looked at before sending", _C,
           "if desk.now() + held.behind > held.until - _SENT_IN_TIME:", "if False:", overslept),
    Mutant("recorded before the answer", _C, "    heard = _ask(desk.gateway, held, desk)\n",
           "    _write_down(desk, held, Known(PaymentState.CHARGED, 'Paid.'))\n"
           "    heard = _ask(desk.gateway, held, desk)\n", plain),
    Mutant("a decline recorded as a charge", _C,
           "            PaymentState.DECLINED, found.sentence, found.id",
           "            PaymentState.CHARGED, found.sentence, found.id", plain),
    Mutant("written over what is final", _C, "        if row.state not in _WRITABLE:",
           "        if False:", late_answer),
    Mutant("a late answer thrown away", _C, "if isinstance(heard, Known):",
           "if isinstance(heard, Known) and row.leased_by == held.token:", late_answer),
    Mutant("the key's clock starts anew with each try", _C,
           '"first_sent_at": row.first_sent_at or now,',
           '"first_sent_at": now,', forgotten_key),
    Mutant("the key's clock does not start", _C,
           '"first_sent_at": row.first_sent_at or now,',
           '"first_sent_at": None,', forgotten_key),
    Mutant("tries not counted", _C, '"sends": row.sends + 1,', '"sends": 1,', done_and_stumbled),
    Mutant("a stumble not noted", _C, "(row.was_answered or (told.answered and told.page is None))",
           "False", done_and_stumbled),
    Mutant("a page called off that may be open", _C, "held.shut_asked and held.sends == 1",
           "held.shut_asked", page_shut_early),
    Mutant("an approved refund dropped for its age", _C, "next_step(row.progress(), now)",
           "next_step(super(Refund, row).progress() if kind is Refund else row.progress(), now)",
           given_back),
    Mutant("no look-up after a stumble", _R,
           "looks = progress.sends >= SENDS_BEFORE_LOOKING and progress.was_answered",
           "looks = False", done_and_stumbled),
    Mutant("the key used after a day", _R, "or now - progress.first_sent_at < SENT_WITHIN",
           "or True", forgotten_key),
    Mutant("an old intent sent all the same", _R,
           "Step.ABANDON if now - progress.asked_at >= ABANDONED_AFTER else Step.SEND", "Step.SEND",
           abandoned),
    Mutant("no quiet hour", _R, "sent is not None and now - sent >= QUIET", "True", nothing_done),
    Mutant("the ledger with the wrong sign", "payment_is_recorded", "-s.amount", "s.amount", plain),
    Mutant("one account of several recorded", "payment_is_recorded", "ORDER BY s.account_number",
           "ORDER BY s.account_number LIMIT 1", plain),
    Mutant("no ledger", "payment_is_recorded", "", "", plain),
    Mutant("an account shut for ever", "payment_is_over", "", "", plain),
    Mutant("balances that do not follow", "ledger_entry_counts", "", "", plain),
    Mutant("final states that move", "payment_moves", "", "", by_other_means),
    Mutant("shares that do not add up", "payment_is_whole", "", "", by_other_means),
    Mutant("more given back than was paid", "refund_fits", "<= s.amount", "<= s.amount + 100000",
           given_back),
)
# fmt: on


def _mutate(mutant: Mutant) -> None:
    """Put the changed code into the functions that everybody holds already."""
    module = mutant.where
    assert isinstance(module, types.ModuleType)
    path = Path(str(module.__file__))
    source = path.read_text()
    assert source.count(mutant.old) == 1, f"{mutant.name}: found {source.count(mutant.old)} times"
    source = source.replace(mutant.old, mutant.new)
    tree = compile(source, str(path), "exec", dont_inherit=True)
    codes = {one.co_name: one for one in tree.co_consts if isinstance(one, types.CodeType)}
    for name, code in codes.items():
        function = module.__dict__.get(name)
        if isinstance(function, types.FunctionType):
            function.__code__ = code


def _mutate_database(records: Records, mutant: Mutant) -> None:
    with records.begin() as db:
        unaudited(db.connection())
        made = db.scalar(
            text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": mutant.where}
        )
        assert made, mutant.where
        db.connection().exec_driver_sql(f"DROP TRIGGER {mutant.where}")
        if mutant.old:
            assert made.count(mutant.old) == 1, f"{mutant.name}: {made.count(mutant.old)} times"
            db.connection().exec_driver_sql(made.replace(mutant.old, mutant.new))


def _play(
    folder: Path, template: Path, scene: Callable[[Scene], None], mutant: Mutant | None
) -> str:
    """Play one scene on a fresh office; answer what was noticed, or nothing."""
    file, clock = folder / "office.db", Clock()
    shutil.copyfile(template, file)
    records = schema.open_records(f"sqlite:///{file}")
    with gateway.running(folder / "gateway.sqlite", clock=clock) as till:
        client = StripeGateway(till.url, till.key, deadline=5, clock=clock)
        office = found(records, clock, client)
        if mutant is not None and isinstance(mutant.where, str):
            _mutate_database(records, mutant)
        elif mutant is not None:
            _mutate(mutant)
        try:
            scene(Scene(office, till, clock))
        except Exception as noticed:
            last = traceback.extract_tb(noticed.__traceback__)[-1]
            return f"{scene.__name__}: {type(noticed).__name__} at {last.name}:{last.lineno}"
        finally:
            client.close()
    return ""


def main(template: Path, room: Path) -> dict[str, dict[str, str]]:
    """Play every scene without a mutant, and with each mutant the scene that must notice it."""
    told: dict[str, dict[str, str]] = {"well": {}, "mutants": {}}
    jobs = [("well", scene.__name__, scene, None) for scene in SCENES]
    jobs += [("mutants", one.name, one.scene, one) for one in MUTANTS]  # type: ignore[misc]
    for kind, name, scene, mutant in jobs:
        folder = room / f"{kind}{len(told[kind])}"
        folder.mkdir()
        reads, writes = os.pipe()
        if os.fork() == 0:
            said = "broken"
            try:
                said = _play(folder, template, scene, mutant)
            except BaseException as problem:
                said = f"broken: {problem!r}"
            finally:
                os.write(writes, said.encode()[:2000])
                os._exit(0)
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            told[kind][name] = pipe.read().decode()
        os.wait()
        shutil.rmtree(folder)
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
