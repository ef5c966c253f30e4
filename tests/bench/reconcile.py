"""A day of payments laid beside the gateway's list: how long it takes from start to sheet."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from console.clients.stripe_gateway import StripeGateway
from console.domain import times
from console.models import schema
from console.sandbox import gateway
from console.services import reconciliation
from tests import servers
from tests.payments import crowd
from tests.payments.office import found, real_clock


def main(argv: list[str] | None = None) -> int:
    """Measure and print; answer 1 when the day did not agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reconcile")
    parser.add_argument("--payments", type=int, default=20_000)
    parser.add_argument("--engine", choices=("both", "sqlite", "postgresql"), default="both")
    asked = parser.parse_args(argv)
    whole = True
    if asked.engine != "sqlite":
        with servers.running_debians() as url:
            whole &= _measure("PostgreSQL 15", url, asked.payments)
    if asked.engine != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            whole &= _measure("SQLite", f"sqlite:///{Path(folder) / 'office.db'}", asked.payments)
    return int(not whole)


def _measure(engine: str, url: str, many: int) -> bool:
    records, now = schema.open_records(url), real_clock(lambda: 0.0)
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway.running(Path(folder) / "gateway.sqlite") as till,
    ):
        client = StripeGateway(till.url, till.key, deadline=30)
        office = found(records, now, client)
        day = times.day_of(now(), office.desk.settings.zone) - timedelta(days=2)
        crowd.fill(office, till, many, day)
        took = []
        for _ in range(2):
            began = perf_counter()
            sheet = reconciliation.reconcile(office.courier, day)
            took.append(perf_counter() - began)
        client.close()
    records.close()
    print(
        f"{engine}: {many:,} payments reconciled in {took[0]:.1f} s, once more in {took[1]:.1f} s; "
        f"{sheet.row.ours:,} here, {sheet.row.theirs:,} there, {len(sheet.lines)} lines differ",
        flush=True,
    )
    return sheet.row.ours == sheet.row.theirs == many and not sheet.lines


if __name__ == "__main__":
    sys.exit(main())
