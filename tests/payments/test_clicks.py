"""Two hundred clicks in one moment, at one desk and at many: one charge."""

import threading
from collections import Counter
from dataclasses import replace

import pytest

from console.domain.payments import PaymentState
from console.models import schema
from console.models.payments import Payment
from console.models.problems import DatabaseBusy
from console.services import payments
from console.services.payments import AlreadyOpen
from tests.gateways import client, till  # noqa: F401  # fixtures
from tests.payments.office import count, found, judge, moved_at

CLICKS = 200


@pytest.fixture
def desks(database_url, clock, client):  # noqa: F811
    """Five desks with connections of their own, each its own courier, all in the same office."""
    opened = [schema.open_records(database_url) for _ in range(5)]
    office = found(opened[0], clock, client)
    yield [
        replace(
            office,
            desk=replace(office.desk, records=records, gateway=client),
            courier=replace(office.courier, records=records),
        )
        for records in opened
    ]
    for records in opened:
        records.close()


def all_at_once(desks, click):
    """Let every click fall at the same moment; count how each ended."""
    ended, lock, gate = Counter(), threading.Lock(), threading.Barrier(CLICKS)

    def press(place):
        gate.wait()
        try:
            how = click(desks[place % len(desks)], place)
        except (AlreadyOpen, DatabaseBusy) as refused:
            how = type(refused).__name__
        with lock:
            ended[how] += 1

    threads = [threading.Thread(target=press, args=(place,)) for place in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def until_known(office):
    for _ in range(10):
        office.sweep()
        office.desk.now.advance(minutes=2)


def test_200_clicks_on_one_form_are_one_charge(desks, till):  # noqa: F811
    wish = desks[0].wish()

    def click(office, _):
        payments.begin(office.desk, wish)
        payments.carry(office.desk, wish.id)
        return "told"

    ended = all_at_once(desks, click)
    until_known(desks[0])
    assert ended["told"] + ended["DatabaseBusy"] == CLICKS
    assert ended["told"] > 0
    assert desks[0].status(wish.id).state is PaymentState.CHARGED
    assert till.tally()["charges"] == 1
    assert count(desks[0].records, Payment) == 1
    assert judge(desks[0].records, *moved_at(till)).faults == {}


def test_200_clicks_on_200_forms_for_one_account_are_one_charge(desks, till):  # noqa: F811
    def click(office, place):
        return payments.begin(office.desk, office.wish()).state

    ended = all_at_once(desks, click)
    assert ended[PaymentState.INTENT] == 1
    assert ended["AlreadyOpen"] + ended["DatabaseBusy"] == CLICKS - 1
    until_known(desks[0])
    assert till.tally()["charges"] == 1
    assert judge(desks[0].records, *moved_at(till)).faults == {}


def test_200_couriers_at_one_payment_send_it_once(desks, till):  # noqa: F811
    begun = desks[0].press()

    def click(office, _):
        office.sweep()
        return "told"

    all_at_once(desks, click)
    until_known(desks[0])
    row = desks[0].row(begun.id)
    assert (row.state, row.sends) == (PaymentState.CHARGED, 1)
    assert till.tally()["charges"] == 1
    assert judge(desks[0].records, *moved_at(till)).faults == {}
