"""Clicks, kills, sweeps, clocks and a gateway that goes wrong, in every order Hypothesis tries."""

import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event
from sqlalchemy.engine import make_url

from console.clients.stripe_gateway import StripeGateway
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay
from console.models import schema
from console.sandbox import gateway
from console.sandbox.gateway import Kind
from console.services import payments
from console.services.charging import SILENT
from tests.conftest import _tell
from tests.gateways import pay_on
from tests.office import Clock
from tests.payments.office import NUMBERS, decide, found, judge, moved_at

WRONGS = (
    Kind.DOWN, Kind.THROTTLED, Kind.UNAUTHORIZED, Kind.REDIRECT, Kind.CUT_BEFORE, Kind.CUT_AFTER,
    Kind.CUT, Kind.SERVER_ERROR, Kind.FAULT_AFTER, Kind.TWICE, Kind.HTML, Kind.HALF_JSON,
    Kind.WRONG_TYPES, Kind.WRONG_AMOUNT, Kind.WRONG_REFERENCE, Kind.WRONG_KEY, Kind.LIVE_MODE,
    Kind.UNKNOWN_STATUS,
)  # fmt: skip
WAYS = (PaymentWay.STORED, PaymentWay.PAGE, PaymentWay.LINK, PaymentWay.CASH)


class Killed(BaseException):
    """The process ends here; nothing of ours catches it."""


class Counter:
    """Ends what runs after so many statements, commits and requests; never while it is at rest."""

    left = -1

    def __call__(self, *_args, **_words):
        if self.left == 0:
            self.left = -1
            raise Killed
        if self.left > 0:
            self.left -= 1


class Payments(RuleBasedStateMachine):
    """One office whose processes die at any moment, and its gateway."""

    url = ""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="coop-stateful-"))
        self.clock, self.kill = Clock(), Counter()
        self.database = self._fresh()
        self.records = schema.open_records(self.database)
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(self.records.engine, name, self.kill)
        self.serving = gateway.running(self.folder / "gateway.sqlite", clock=self.clock)
        self.till = self.serving.__enter__()
        self.client = StripeGateway(
            self.till.url, self.till.key, deadline=5, clock=self.clock, observe=self.kill
        )
        self.office = found(self.records, self.clock, self.client)
        self.wishes = []

    def _fresh(self):
        raise NotImplementedError

    def teardown(self):
        self.kill.left = -1
        try:
            self._to_the_end()
        finally:
            self.client.close()
            self.records.close()
            self.serving.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._away()

    def _away(self):
        pass

    def _run(self, work, kill):
        """Do it; with `kill` the process dies on the way, and all that it held in its hands."""
        self.kill.left = -1 if kill is None else kill
        try:
            work()
        except Killed:
            self.records.engine.dispose()  # what a process held open ends with it
        except ConsoleError:
            pass
        finally:
            self.kill.left = -1
            self.client.close()

    kills = st.none() | st.integers(0, 60)

    @rule(
        way=st.sampled_from(WAYS), card=st.sampled_from(("visa", "visa", "declined")),
        account=st.sampled_from(NUMBERS), both=st.booleans(), cents=st.integers(50, 9000),
        kill=kills,
    )  # fmt: skip
    def press(self, way, card, account, both, cents, kill):
        shares = {account: Money(cents)} | ({NUMBERS[0]: Money(100)} if both else {})
        wish = self.office.wish(way, card=card, shares=tuple(shares.items()))
        self.wishes.append(wish)
        self._run(lambda: payments.begin(self.office.desk, wish), kill)

    @precondition(lambda self: self.wishes)
    @rule(which=st.integers(0, 99), kill=kills)
    def press_again(self, which, kill):
        wish = self.wishes[-1 - which % min(3, len(self.wishes))]
        self._run(lambda: payments.begin(self.office.desk, wish), kill)

    @precondition(lambda self: self.wishes)
    @rule(which=st.integers(0, 99), how=st.sampled_from((payments.cancel, payments.shut_page)))
    def call_off(self, which, how):
        wish = self.wishes[which % len(self.wishes)]
        self._run(lambda: how(self.office.desk, wish.id), None)

    @rule(kill=kills)
    def sweep(self, kill):
        self._run(self.office.sweep, kill)

    @rule(seconds=st.sampled_from((1, 20, 61, 61, 400, 4000, 40_000, 90_000)))
    def wait(self, seconds):
        self.clock.advance(seconds=seconds)

    @rule(kind=st.sampled_from(WRONGS), times=st.integers(1, 4), only=st.sampled_from(("", "POST")))
    def go_wrong(self, kind, times, only):
        self.till.misbehave(kind, method=only, times=times)

    @rule()
    def behave(self):
        self.till.behave()

    @rule(card=st.sampled_from(("4242 4242 4242 4242", "4000 0000 0000 9995")))
    def pay_on_the_page(self, card):
        for wish in self.wishes:
            with self.records.read() as db:
                payment = db.get(payments.Payment, wish.id)
            if payment is not None and payment.page_url:
                pay_on(payment.page_url, number=card)

    @invariant()
    def nothing_is_double_or_invented(self):
        faults = judge(self.records, *moved_at(self.till)).faults
        # What was done and is not yet known is unknown, and no more than that.
        assert not faults.keys() & {"double", "invented", "books"}, faults

    def _to_the_end(self):
        self.till.behave()
        for _ in range(60):
            assert self.office.sweep().trouble in ("", SILENT)
            self.clock.advance(hours=1)
            with self.records.read() as db:
                states = {one.state for one in db.query(payments.Payment)}
            if all(state.is_final or state is PaymentState.REVIEW for state in states):
                break
        moved, given = moved_at(self.till)
        decide(self.records, moved, self.clock())
        faults = judge(self.records, moved, given).faults
        assert faults == {}
        with self.records.read() as db:
            for payment in db.query(payments.Payment):
                many = moved.get(payment.id, 0)
                if not payment.way.at_the_counter:
                    assert many == (payment.state is PaymentState.CHARGED)


@pytest.fixture
def on_sqlite(sqlite_template):
    class OnSqlite(Payments):
        def _fresh(self):
            shutil.copyfile(sqlite_template, self.folder / "office.db")
            return f"sqlite:///{self.folder / 'office.db'}"

    return OnSqlite


@pytest.fixture
def on_postgresql(postgresql_server, postgresql_template):
    class OnPostgresql(Payments):
        def _fresh(self):
            self.name = f"stateful_{uuid4().hex}"
            _tell(
                postgresql_server,
                f'CREATE DATABASE "{self.name}" TEMPLATE "{postgresql_template}" '
                "STRATEGY file_copy",
            )
            return make_url(postgresql_server).set(database=self.name).render_as_string(False)

        def _away(self):
            _tell(postgresql_server, f'DROP DATABASE "{self.name}" WITH (FORCE)')

    return OnPostgresql


def play(machine, examples, steps):
    test_case = machine.TestCase
    test_case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=examples < 50,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    test_case().runTest()


@pytest.mark.parametrize("engine", ["on_sqlite", "on_postgresql"])
def test_in_whatever_order(request, engine):
    play(request.getfixturevalue(engine), 2, 15)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["on_sqlite", "on_postgresql"])
def test_in_whatever_order_for_long(request, engine):
    play(request.getfixturevalue(engine), 1500, 60)
