import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from console.domain.drawers import (
    BadCount,
    BadMovement,
    Contents,
    MovementKind,
    NotExplained,
)
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay, ReturnKind
from console.domain.staff import Role
from console.models import schema
from console.models import staff as logins
from console.models.drawers import Drawer, DrawerMovement, held_drawer, open_drawer_of
from console.models.payments import Payment, PaymentReturn, PaymentShare, Refund
from console.models.problems import DatabaseTrouble
from console.models.staff import Staff
from console.services import drawers
from console.services.desk import Colleague, Desk
from console.services.drawers import (
    AnotherDrawerOpen,
    DrawerClosed,
    DrawerDiffers,
    DrawerOpen,
    NoCashHere,
    NoSuchDrawer,
    NotYourDrawer,
    RefundWaits,
)
from tests.documents.paper import text_of
from tests.logins import PASSWORD, office_on
from tests.office import ANA, SUE, add_member, staff_the_office, trail

CLEO = Colleague("cleo", "Cleo Marsh", Role.CLERK)
KIT = Colleague("kit", "Kit Nyberg", Role.CLERK)
FLOAT = {2_000: 4, 500: 3, 100: 4, 25: 4}
"""A hundred dollars."""
TODAY = date(2026, 11, 23)


@pytest.fixture
def cleo(desk) -> Desk:
    staff_the_office(desk.records)
    with desk.records.begin() as db:
        for one in (CLEO, KIT):
            db.add(Staff(login=one.login, name=one.name, role=one.role, password_hash=""))
    return replace(desk, colleague=CLEO)


@pytest.fixture
def kit(cleo) -> Desk:
    return replace(cleo, colleague=KIT)


@pytest.fixture
def sue(cleo) -> Desk:
    return replace(cleo, colleague=SUE)


@pytest.fixture
def rose(desk) -> int:
    return add_member(desk.records)


def opened(desk, counted=FLOAT) -> str:
    drawer_id = str(uuid4())
    drawers.open_drawer(desk, drawer_id, counted)
    return drawer_id


def takes(desk, drawer_id, member_id, amount, way=PaymentWay.CASH, number="1023401") -> str:
    """Take cash or a cheque as the counter does: written down and charged in one transaction."""
    with desk.records.begin() as db:
        payment = put_down(db, desk, drawer_id, member_id, amount, way, number)
        charge(db, desk, payment)
        return payment.id


def put_down(db, desk, drawer_id, member_id, amount, way=PaymentWay.CASH, number="1023401"):
    now = desk.office_time(db)
    payment = Payment(
        id=str(uuid4()), member_id=member_id, way=way, origin=Origin.COUNTER, amount=Money(amount),
        drawer_id=drawer_id, asked_by=desk.colleague.login, asked_at=now, next_try_at=now,
        method_words=way.words,
    )  # fmt: skip
    db.add(payment)
    db.flush()
    db.add(PaymentShare(payment_id=payment.id, account_number=number, amount=Money(amount)))
    db.flush()
    return payment


def charge(db, desk, payment):
    finish(payment, desk.office_time(db))
    db.flush()


def finish(payment, at):
    payment.state = PaymentState.CHARGED
    payment.finished_at, payment.counts_on = at, TODAY


def voids(desk, payment_id, member_id):
    with desk.records.begin() as db:
        void(db, desk, payment_id, member_id)


def void(db, desk, payment_id, member_id):
    db.add(
        PaymentReturn(
            id=str(uuid4()), payment_id=payment_id, member_id=member_id, kind=ReturnKind.VOID,
            reason="Taken for a neighbour.", recorded_by=desk.colleague.login,
            recorded_at=desk.office_time(db), counts_on=TODAY,
        )
    )  # fmt: skip
    db.flush()


def asks_back(desk, payment_id, member_id, amount, drawer_id) -> str:
    with desk.records.begin() as db:
        now = desk.office_time(db)
        refund = Refund(
            id=str(uuid4()), payment_id=payment_id, member_id=member_id,
            account_number="1023401", amount=Money(amount), reason="Paid twice.",
            drawer_id=drawer_id, asked_by=desk.colleague.login, asked_at=now, next_try_at=now,
        )  # fmt: skip
        db.add(refund)
        db.flush()
        return refund.id


def gives_back(desk, refund_id):
    with desk.records.begin() as db:
        refund = db.get_one(Refund, refund_id)
        finish(refund, desk.office_time(db))


def moves(desk, drawer_id, kind, amount, words="bank deposit"):
    return drawers.move(desk, str(uuid4()), drawer_id, kind, Money(amount), words)


def closes(desk, drawer_id, cents, cheques=0, cheque_sum=0, explanation="", expected=None):
    """Close with a sum that is counted in one-cent and one-dollar pieces."""
    counted = {100: cents // 100, 1: cents % 100}
    return drawers.close_drawer(
        desk, drawer_id, counted, cheques, Money(cheque_sum), explanation, expected
    )


def count(desk, record):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(record))


# Opening


def test_a_clerk_opens_a_drawer_with_what_was_counted(cleo):
    assert drawers.mine(cleo) is None
    state = drawers.open_drawer(cleo, "one", FLOAT)
    assert (state.opening_cash, state.clerk_name, state.is_open) == (
        Money(10_000), "Cleo Marsh", True,
    )  # fmt: skip
    assert drawers.mine(cleo) == state
    assert trail(cleo) == ["drawer:opened"]


def test_pressing_twice_opens_once(cleo):
    first = drawers.open_drawer(cleo, "one", FLOAT)
    assert drawers.open_drawer(cleo, "one", FLOAT) == first
    assert (count(cleo, Drawer), trail(cleo)) == (1, ["drawer:opened"])


def test_many_presses_at_the_same_moment_open_once(cleo):
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(lambda _: drawers.open_drawer(cleo, "one", FLOAT), range(6)))
    assert {state.id for state in states} == {"one"}
    assert (count(cleo, Drawer), trail(cleo)) == (1, ["drawer:opened"])


def test_one_clerk_at_two_desks_gets_one_drawer(cleo):
    def try_to_open(name):
        try:
            return drawers.open_drawer(cleo, name, FLOAT).id
        except AnotherDrawerOpen:
            return None

    with ThreadPoolExecutor(4) as pool:
        found = [one for one in pool.map(try_to_open, ("a", "b", "c", "d")) if one]
    mine = drawers.mine(cleo)
    assert mine is not None
    assert found == [mine.id]
    with pytest.raises(AnotherDrawerOpen, match="at desk 3 since today"):
        drawers.open_drawer(cleo, "e", FLOAT)


def test_nobody_takes_over_the_drawer_of_a_colleague_by_its_id(cleo, kit):
    drawers.open_drawer(cleo, "one", FLOAT)
    with pytest.raises(NotYourDrawer):
        drawers.open_drawer(kit, "one", {})
    assert drawers.mine(kit) is None


@pytest.mark.parametrize("role", [Role.REPRESENTATIVE, Role.AUDITOR])
def test_who_takes_no_cash_has_no_drawer(cleo, role):
    drawer_id = opened(cleo)
    other = replace(cleo, colleague=Colleague("pat", "Pat Lindqvist", role))
    with pytest.raises(NoCashHere, match=role.value):
        drawers.open_drawer(other, "two", FLOAT)
    with pytest.raises(NoCashHere):
        moves(other, drawer_id, MovementKind.PAY_OUT, 100)
    with pytest.raises(NoCashHere):
        closes(other, drawer_id, 10_000)
    assert (count(cleo, Drawer), count(cleo, DrawerMovement)) == (1, 0)


def test_a_count_that_cannot_be_opens_nothing(cleo):
    with pytest.raises(BadCount):
        drawers.open_drawer(cleo, "one", {100: -3})
    assert drawers.mine(cleo) is None


# Cash in and out


def test_cash_goes_in_and_out_and_pressing_twice_moves_once(cleo, clock):
    drawer_id = opened(cleo)
    moves(cleo, drawer_id, MovementKind.PAY_IN, 2_000, "change from the bank")
    clock.advance(minutes=1)
    for _ in range(2):
        state = drawers.move(
            cleo, "same", drawer_id, MovementKind.PAY_OUT, Money(450), "postage due"
        )
    assert [(one.kind, one.amount, one.words, one.moved_by) for one in state.movements] == [
        (MovementKind.PAY_IN, Money(2_000), "change from the bank", "Cleo Marsh"),
        (MovementKind.PAY_OUT, Money(-450), "postage due", "Cleo Marsh"),
    ]
    assert trail(cleo) == ["drawer:opened", "drawer:moved", "drawer:moved"]
    assert closes(cleo, drawer_id, 11_550).close.is_right


def test_no_more_goes_out_than_there_can_be(cleo):
    drawer_id = opened(cleo)
    with pytest.raises(BadMovement, match=r"cannot be \$100\.01"):
        moves(cleo, drawer_id, MovementKind.TO_SAFE, 10_001)
    moves(cleo, drawer_id, MovementKind.TO_SAFE, 10_000)
    with pytest.raises(BadMovement):
        moves(cleo, drawer_id, MovementKind.TO_SAFE, 1)


def test_two_who_take_the_last_of_it_at_once_do_not_both_get_it(cleo):
    drawer_id = opened(cleo)

    def take(_):
        try:
            moves(cleo, drawer_id, MovementKind.TO_SAFE, 6_000)
        except BadMovement:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 1


def test_only_the_clerk_moves_cash_in_their_drawer(cleo, kit, sue):
    drawer_id = opened(cleo)
    for other in (kit, sue):
        with pytest.raises(NotYourDrawer):
            moves(other, drawer_id, MovementKind.PAY_OUT, 100)
    with pytest.raises(NoSuchDrawer):
        moves(cleo, "nowhere", MovementKind.PAY_OUT, 100)


# Closing


def test_what_should_be_there_is_what_stands(cleo, sue, rose):
    """Cash that stands, less what was voided and given back, and what was moved; cheques apart."""
    drawer_id = opened(sue)
    takes(sue, drawer_id, rose, 5_000)
    wrong = takes(sue, drawer_id, rose, 700)
    cheque = takes(sue, drawer_id, rose, 8_000, PaymentWay.CHEQUE)
    bad = takes(sue, drawer_id, rose, 900, PaymentWay.CHEQUE)
    takes(sue, drawer_id, rose, 1_000, PaymentWay.CHEQUE)
    voids(sue, wrong, rose)
    voids(sue, bad, rose)
    gives_back(sue, asks_back(sue, cheque, rose, 300, drawer_id))
    moves(sue, drawer_id, MovementKind.PAY_IN, 40)
    moves(sue, drawer_id, MovementKind.TO_SAFE, 2_000)
    other = opened(cleo, {})
    takes(cleo, other, rose, 3_333)
    state = closes(sue, drawer_id, 10_000 + 5_000 - 300 + 40 - 2_000, 2, 9_000)
    assert state.close is not None
    assert (state.close.words, state.close.expected) == (
        "Counted as expected.", Contents(Money(12_740), 2, Money(9_000)),
    )  # fmt: skip
    assert {(one.amount.cents, one.voided) for one in state.taken} == {
        (5_000, False), (700, True), (8_000, False), (900, True), (1_000, False),
    }  # fmt: skip
    assert [(one.amount, one.reason) for one in state.given_back] == [(Money(300), "Paid twice.")]
    assert closes(cleo, other, 3_333).close.is_right


def test_nothing_tells_what_should_be_there_before_it_was_counted(cleo, rose):
    drawer_id = opened(cleo)
    takes(cleo, drawer_id, rose, 5_000)
    for state in (
        drawers.mine(cleo),
        drawers.look_into(cleo, drawer_id),
        drawers.sheet(cleo, drawer_id).state,
    ):
        assert state is not None
        assert state.close is None
        assert "15,000" not in repr(state)
        assert "15000" not in repr(state)


def test_a_difference_is_closed_with_an_explanation_only(cleo, rose):
    drawer_id = opened(cleo)
    takes(cleo, drawer_id, rose, 5_000)
    with pytest.raises(DrawerDiffers, match=r"Cash \$5\.00 short\. Count once more\.") as caught:
        closes(cleo, drawer_id, 14_500)
    assert caught.value.expected == Contents(Money(15_000))
    with pytest.raises(NotExplained):
        closes(cleo, drawer_id, 14_500, explanation="sorry")
    assert drawers.mine(cleo) is not None
    why = "Gave change for a fifty on a twenty."
    close = closes(cleo, drawer_id, 14_500, explanation=why).close
    assert (close.words, close.explanation, close.closed_by) == (
        "Cash $5.00 short.", why, "Cleo Marsh",
    )  # fmt: skip
    assert drawers.mine(cleo) is None


def test_cheques_that_differ_are_a_difference_too(cleo, rose):
    drawer_id = opened(cleo)
    takes(cleo, drawer_id, rose, 8_000, PaymentWay.CHEQUE)
    with pytest.raises(DrawerDiffers, match="1 cheque missing"):
        closes(cleo, drawer_id, 10_000)
    with pytest.raises(BadCount):
        closes(cleo, drawer_id, 10_000, 1, 0)
    assert closes(cleo, drawer_id, 10_000, 1, 8_000).close.is_right


def test_every_count_that_did_not_fit_stays_on_the_trail(cleo):
    """Whoever counts until it fits is seen to have done so."""
    drawer_id = opened(cleo)
    for cents in (9_000, 9_500):
        with pytest.raises(DrawerDiffers):
            closes(cleo, drawer_id, cents)
    closes(cleo, drawer_id, 10_000)
    assert trail(cleo) == ["drawer:opened", "drawer:counted", "drawer:counted", "drawer:closed"]


def test_right_counts_keep_no_explanation(cleo):
    assert closes(cleo, opened(cleo), 10_000, explanation="all is well here").close == replace(
        drawers.drawers(cleo, cleo.now() - timedelta(days=1))[0].close, explanation=""
    )


def test_pressing_twice_closes_once_and_a_drawer_that_was_counted_stays_so(cleo, sue):
    drawer_id = opened(cleo)
    first = closes(cleo, drawer_id, 10_000)
    assert closes(cleo, drawer_id, 10_000) == first
    with pytest.raises(DrawerClosed, match="Cleo Marsh closed this drawer today"):
        closes(cleo, drawer_id, 9_000, explanation="found another note here")
    with pytest.raises(DrawerClosed):
        closes(sue, drawer_id, 10_000)
    with pytest.raises(DrawerClosed):
        moves(cleo, drawer_id, MovementKind.PAY_IN, 100)
    assert trail(cleo) == ["drawer:opened", "drawer:closed"]


def test_many_presses_at_the_same_moment_close_once(cleo):
    drawer_id = opened(cleo)
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(lambda _: closes(cleo, drawer_id, 10_000), range(6)))
    assert len({state.close.closed_at for state in states}) == 1
    assert trail(cleo) == ["drawer:opened", "drawer:closed"]


def test_a_supervisor_closes_for_somebody_who_left_and_a_clerk_does_not(cleo, kit, sue):
    drawer_id = opened(cleo)
    with pytest.raises(NotYourDrawer):
        closes(kit, drawer_id, 10_000)
    close = closes(sue, drawer_id, 10_000).close
    assert close.closed_by == "Sue Abara"
    assert drawers.open_drawer(cleo, "next", {}).is_open


def test_an_explanation_is_about_the_difference_that_was_told(cleo, rose):
    """A payment that came between tells the difference afresh instead of closing with it."""
    drawer_id = opened(cleo)
    with pytest.raises(DrawerDiffers) as caught:
        closes(cleo, drawer_id, 9_900)
    takes(cleo, drawer_id, rose, 5_000)
    with pytest.raises(DrawerDiffers, match=r"\$51\.00 short") as again:
        closes(
            cleo, drawer_id, 9_900, explanation="a dollar fell down", expected=caught.value.expected
        )
    closed = closes(
        cleo, drawer_id, 9_900, explanation="one note is missing", expected=again.value.expected
    )
    assert closed.close.words == "Cash $51.00 short."


def test_a_refund_that_waits_for_approval_keeps_its_drawer_open(sue, rose):
    drawer_id = opened(sue)
    refund = asks_back(sue, takes(sue, drawer_id, rose, 5_000), rose, 1_000, drawer_id)
    with pytest.raises(RefundWaits):
        closes(sue, drawer_id, 15_000)
    gives_back(sue, refund)
    assert closes(sue, drawer_id, 14_000).close.is_right


# Looking


def test_clerks_see_their_own_and_whoever_watches_over_them_sees_all(cleo, kit, sue, clock):
    early = opened(cleo)
    closes(cleo, early, 10_000)
    clock.advance(days=3)
    late, own = opened(cleo), opened(kit, {100: 20})
    since = clock() - timedelta(days=1)
    assert [row.id for row in drawers.drawers(cleo, since)] == [late]
    assert [row.id for row in drawers.drawers(kit, since)] == [own]
    assert {row.id for row in drawers.drawers(sue, since)} == {late, own}
    ana = replace(sue, colleague=ANA)
    assert {row.id for row in drawers.drawers(ana, since - timedelta(days=9))} == {early, late, own}
    assert drawers.look_into(ana, own).opening_cash == Money(2_000)
    with pytest.raises(NotYourDrawer):
        drawers.look_into(cleo, own)
    with pytest.raises(NotYourDrawer):
        drawers.sheet(kit, late)
    with pytest.raises(NoSuchDrawer):
        drawers.sheet(kit, "nowhere")


def test_a_drawer_that_was_left_open_overnight_is_still_listed(cleo, clock):
    left = opened(cleo)
    clock.advance(days=5)
    assert [row.id for row in drawers.drawers(cleo, clock() - timedelta(hours=4))] == [left]
    closes(cleo, left, 10_000)
    assert [row.id for row in drawers.drawers(cleo, clock() - timedelta(hours=4))] == [left]


def test_the_sheet_has_everything_that_is_printed(cleo, rose):
    drawer_id = opened(cleo)
    payment = takes(cleo, drawer_id, rose, 5_000)
    drawers.close_drawer(cleo, drawer_id, {5_000: 1, 2_000: 5, 100: 0}, 0, Money(0))
    sheet = drawers.sheet(cleo, drawer_id)
    assert sheet.counted == {5_000: 1, 2_000: 5}
    (taken,) = sheet.state.taken
    assert (taken.payment_id, taken.member_name, taken.accounts) == (
        payment, "Rose DeLong", ("1023401",),
    )  # fmt: skip
    assert len(taken.receipt) == len("7K3M9-Q2X4T")
    assert "cleo" in {head.chain for head in sheet.heads}
    assert all(len(head.hash) == 64 for head in sheet.heads)


# With logins of their own, and at the same moment


@dataclass
class Counter:
    """An office on PostgreSQL with a clerk and a supervisor at desks of their own."""

    cleo: Desk
    sue: Desk
    rose: int
    owner: object


@contextmanager
def at_the_counter(desk, server, template) -> Iterator[Counter]:
    with office_on(server, template) as office:
        cleo = f"cleo.{uuid4().hex[:8]}"
        with closing(schema.open_records(office.url)) as owner:
            with owner.begin() as db:
                made = logins.verifier(db, cleo, PASSWORD)
                logins.call(
                    db, "staff_add", login=cleo, name="Cleo Marsh", role=Role.CLERK, verifier=made
                )
            rose = add_member(owner, numbers=tuple(f"10234{n:02}" for n in range(1, 12)))
            with (
                closing(schema.open_records(office.address(cleo), upgrade_it=False)) as cleos,
                closing(schema.open_records(office.address(office.sue), upgrade_it=False)) as sues,
            ):
                now = {"now": lambda: datetime.now(UTC)}
                yield Counter(
                    replace(
                        desk, records=cleos, colleague=Colleague(cleo, "Cleo Marsh", Role.CLERK),
                        **now,
                    ),
                    replace(
                        desk, records=sues,
                        colleague=Colleague(office.sue, "Sue Abara", Role.SUPERVISOR), **now,
                    ),
                    rose,
                    owner,
                )  # fmt: skip


@pytest.fixture
def counter(desk, postgresql_server, postgresql_template) -> Iterator[Counter]:
    with at_the_counter(desk, postgresql_server, postgresql_template) as found:
        yield found


postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@postgresql
def test_a_whole_day_with_a_clerks_own_login(counter):
    cleo = counter.cleo
    drawer_id = opened(cleo)
    takes(cleo, drawer_id, counter.rose, 5_000)
    voids(cleo, takes(cleo, drawer_id, counter.rose, 700), counter.rose)
    moves(cleo, drawer_id, MovementKind.TO_SAFE, 1_000)
    with pytest.raises(DrawerDiffers):
        closes(cleo, drawer_id, 13_900)
    state = closes(cleo, drawer_id, 13_900, explanation="a dollar fell down")
    assert state.close.words == "Cash $1.00 short."
    assert drawers.sheet(cleo, drawer_id).heads, "a clerk may know where the chains end"
    assert drawers.sheet(counter.sue, drawer_id).state == state
    own = opened(counter.sue)
    gives_back(
        counter.sue,
        asks_back(counter.sue, takes(counter.sue, own, counter.rose, 900), counter.rose, 900, own),
    )
    assert closes(counter.sue, own, 10_000).close.is_right
    left = opened(cleo)
    assert closes(counter.sue, left, 10_000).close.closed_by == "Sue Abara"


@postgresql
def test_a_payment_that_is_being_taken_is_waited_for_and_counted(counter):
    """The closing begins while a payment is under way; it waits for it and counts it."""
    cleo = counter.cleo
    drawer_id = opened(cleo)
    with ThreadPoolExecutor(1) as pool, cleo.records.begin() as db:
        payment = put_down(db, cleo, drawer_id, counter.rose, 5_000)
        closing_it = pool.submit(closes, cleo, drawer_id, 15_000)
        wait_until_one_waits(counter)
        charge(db, cleo, payment)
        db.commit()
        assert closing_it.result(30).close.expected == Contents(Money(15_000))


@postgresql
def test_a_payment_that_comes_after_the_count_is_refused(counter):
    """The payment begins while the drawer is being closed; it meets it closed."""
    cleo = counter.cleo
    drawer_id = opened(cleo)
    with ThreadPoolExecutor(1) as pool:
        with cleo.records.begin() as db:
            drawer = held_drawer(db, drawer_id)
            taking = pool.submit(takes, cleo, drawer_id, counter.rose, 5_000)
            wait_until_one_waits(counter)
            drawer.closed_at, drawer.closed_by = cleo.now(), cleo.colleague.login
            drawer.counted_cash = drawer.expected_cash = Money(10_000)
        with pytest.raises(DatabaseTrouble):
            taking.result(30)
    assert count(cleo, Payment) == 0


@postgresql
def test_who_asks_for_their_drawer_and_holds_it_meets_it_closed_in_words(counter):
    cleo = counter.cleo
    drawer_id = opened(cleo)

    def ask():
        with cleo.records.begin() as db:
            return open_drawer_of(db, cleo.colleague.login, hold=True)

    with ThreadPoolExecutor(1) as pool:
        with cleo.records.begin() as db:
            drawer = held_drawer(db, drawer_id)
            asking = pool.submit(ask)
            wait_until_one_waits(counter)
            drawer.closed_at, drawer.closed_by = cleo.now(), cleo.colleague.login
        assert asking.result(30) is None


@postgresql
def test_a_void_that_is_under_way_is_waited_for(counter):
    cleo = counter.cleo
    drawer_id = opened(cleo)
    payment = takes(cleo, drawer_id, counter.rose, 5_000)
    with ThreadPoolExecutor(1) as pool, cleo.records.begin() as db:
        void(db, cleo, payment, counter.rose)
        closing_it = pool.submit(closes, cleo, drawer_id, 10_000)
        wait_until_one_waits(counter)
        db.commit()
        assert closing_it.result(30).close.is_right


@postgresql
def test_cash_that_is_being_given_back_is_waited_for(counter):
    sue = counter.sue
    drawer_id = opened(sue)
    refund_id = asks_back(
        sue, takes(sue, drawer_id, counter.rose, 5_000), counter.rose, 1_000, drawer_id
    )
    with ThreadPoolExecutor(1) as pool, sue.records.begin() as db:
        finish(db.get_one(Refund, refund_id), sue.office_time(db))
        db.flush()
        closing_it = pool.submit(closes, sue, drawer_id, 14_000)
        wait_until_one_waits(counter)
        db.commit()
        assert closing_it.result(30).close.is_right


def wait_until_one_waits(counter):
    """Look on as the server's owner until somebody waits for a lock."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    pause = threading.Event()
    for _ in range(1_000):
        with counter.owner.glance() as connection:
            if connection.execute(asked).scalar():
                return
        pause.wait(0.01)
    raise AssertionError("nobody waits")


@postgresql
def test_whatever_is_taken_while_a_drawer_closes_is_counted_or_refused(counter):
    """Payments, voids and movements from several threads while the drawer closes, many times."""
    cleo = counter.cleo
    numbers = [f"10234{n:02}" for n in range(1, 9)]
    for _ in range(6):
        drawer_id = opened(cleo)
        paid = [takes(cleo, drawer_id, counter.rose, 100, number=one) for one in numbers[:3]]
        gate = threading.Barrier(len(numbers) + len(paid) + 3)

        def late(act, gate=gate):
            gate.wait()
            try:
                act()
            except (DatabaseTrouble, DrawerClosed):
                return False
            return True

        def close(gate=gate, drawer_id=drawer_id):
            gate.wait()
            try:
                closes(cleo, drawer_id, 0, explanation="a test of crossing")
            except DrawerDiffers:
                raise AssertionError("an explanation closes it") from None
            return True

        acts = [
            *(
                lambda one=one, drawer_id=drawer_id: takes(
                    cleo, drawer_id, counter.rose, 1_000, number=one
                )
                for one in numbers
            ),
            *(lambda one=one: voids(cleo, one, counter.rose) for one in paid),
            *(
                lambda drawer_id=drawer_id: moves(cleo, drawer_id, MovementKind.PAY_IN, 7)
                for _ in range(2)
            ),
        ]
        with ThreadPoolExecutor(len(acts) + 1) as pool:
            ended = pool.submit(close)
            list(pool.map(late, acts))
            assert ended.result()
        state = drawers.look_into(cleo, drawer_id)
        stands = sum(one.amount.cents for one in state.taken if not one.voided)
        moved = sum(one.amount.cents for one in state.movements)
        assert state.close.expected.cash == Money(10_000 + stands + moved)


def test_a_closed_drawer_is_printed_with_all_that_adds_up(sue, rose):
    drawer_id = opened(sue)
    with pytest.raises(DrawerOpen):
        drawers.paper(sue, drawer_id)
    takes(sue, drawer_id, rose, 5_000)
    cheque = takes(sue, drawer_id, rose, 8_000, PaymentWay.CHEQUE)
    voids(sue, takes(sue, drawer_id, rose, 777), rose)
    gives_back(sue, asks_back(sue, cheque, rose, 300, drawer_id))
    moves(sue, drawer_id, MovementKind.PAY_OUT, 450, "postage due")
    closes(sue, drawer_id, 14_200, 1, 8_000, explanation="a nickel rolled away")
    said = text_of(drawers.paper(sue, drawer_id))
    for words in (
        "Sue Abara", "$50.00", "VOID", "postage due", "Paid twice.", "a nickel rolled away",
        "$0.50 short", "Witness of the audit trail",
    ):  # fmt: skip
        assert words in said
    assert "Something is missing" not in said
    assert trail(sue)[-1] == "drawer:printed"
