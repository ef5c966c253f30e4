"""Desks that edit the same members at once: how many edits, conflicts, and lost ones."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from console.models import schema
from tests import servers
from tests.edits import edit_at_once


def main(argv: list[str] | None = None) -> int:
    """Measure and print; answer 1 when an edit was lost or refused for no reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.edits")
    parser.add_argument("--desks", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args(argv)
    with servers.running_debians(connections=asked.desks + 100) as url:
        whole = _measure("PostgreSQL 15", url, asked.desks, asked.seconds, pause=5.0, members=100)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'office.db'}"
        whole &= _measure("SQLite", url, 8, asked.seconds, pause=0.05, members=4)
    return int(not whole)


def _measure(engine: str, url: str, desks: int, seconds: float, pause: float, members: int) -> bool:
    schema.open_records(url).close()
    edits = edit_at_once(url, desks, seconds, pause, members)
    took = sorted(edits.milliseconds)
    print(
        f"{engine}: {desks} desks, {members} members, {seconds:.0f} s: {edits.told.total():,} "
        f"edits, {edits.conflicts:,} conflicts shown, lost {edits.lost}, "
        f"errors {edits.errors.total()}; "
        f"p50 {statistics.median(took):.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms",
        flush=True,
    )
    for words, many in edits.errors.most_common(5):
        print(f"  {many} × {words}")
    return not (edits.lost or edits.unasked or edits.errors)


if __name__ == "__main__":
    sys.exit(main())
