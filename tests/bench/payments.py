"""Payments: how long from the press to the receipt, and how many one courier takes."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from console.clients.stripe_gateway import StripeGateway
from console.domain.money import Money
from console.domain.payments import PaymentState
from console.models import schema
from console.sandbox.gateway import KEY
from console.services import charging, payments
from tests import servers
from tests.gateways import gateway_process
from tests.payments.office import PayOffice, found

ACCOUNTS: Final = tuple(f"77{place:05}" for place in range(400))
GOAL_PRESS: Final = 300.0
GOAL_RATE: Final = 50.0


def main(argv: list[str] | None = None) -> int:
    """Measure and print; answer 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.payments")
    parser.add_argument("--presses", type=int, default=300)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        with servers.running_debians() as url:
            met = _measure("PostgreSQL 15", url, room / "till-one.sqlite", asked.presses)
        file = f"sqlite:///{room / 'office.db'}"
        met &= _measure("SQLite", file, room / "till-two.sqlite", asked.presses)
    return int(not met)


def _measure(engine: str, url: str, till: Path, presses: int) -> bool:
    with gateway_process(till) as (address, _):
        records = schema.open_records(url)
        client = StripeGateway(address, KEY)
        office = found(records, lambda: datetime.now(UTC), client, numbers=ACCOUNTS)
        took = _one_by_one(office, presses)
        rate = _all_at_once(office)
        client.close()
        records.close()
    p95 = took[int(len(took) * 0.95)]
    print(
        f"{engine}: press to receipt p50 {statistics.median(took):.0f} ms, p95 {p95:.0f} ms, "
        f"p99 {took[int(len(took) * 0.99)]:.0f} ms; one courier {rate:.0f} payments/s",
        flush=True,
    )
    return p95 <= GOAL_PRESS and (engine == "SQLite" or rate >= GOAL_RATE)


def _one_by_one(office: PayOffice, presses: int) -> list[float]:
    took = []
    for place in range(presses):
        wish = office.wish(shares=((ACCOUNTS[place % len(ACCOUNTS)], Money(500)),))
        begun = time.perf_counter()
        payments.begin(office.desk, wish)
        charging.make_round(office.courier)
        told = payments.status(office.desk, wish.id)
        took.append((time.perf_counter() - begun) * 1000)
        if told.state is not PaymentState.CHARGED:
            raise RuntimeError(told.words)
    return sorted(took)


def _all_at_once(office: PayOffice) -> float:
    for number in ACCOUNTS:
        office.press(shares=((number, Money(700)),))
    begun, done = time.perf_counter(), 0
    while done < len(ACCOUNTS):
        turn = charging.make_round(office.courier)
        if turn.trouble:
            raise RuntimeError(turn.trouble)
        done += turn.carried
    return done / (time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(main())
