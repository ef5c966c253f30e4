"""`demo`: make up a co-op of any size."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that makes up a co-op."""
    parser = commands.add_parser("demo", help="create and fill a make-believe co-op")
    parser.add_argument("--database", metavar="URL", help="an empty database; made when new")
    parser.add_argument("--members", metavar="N", type=int, default=1000)
    parser.add_argument("--seed", metavar="S", type=int, default=1)
    parser.add_argument(
        "--training", action="store_true", help="make the training co-op on this machine afresh"
    )
    parser.set_defaults(run=_demo)


def _demo(asked: argparse.Namespace) -> int:
    if asked.training:
        from console.cli.training import ready

        ready(afresh=True)
        print("The training co-op is as on its first day.", file=sys.stderr)
        return 0
    if not asked.database:
        print("Name an empty database with --database URL, or use --training.", file=sys.stderr)
        return 2
    from console.cli.database import opened, progress_on_stderr
    from console.sandbox import demo

    began = time.monotonic()
    with opened(asked.database, upgrade=True) as records:
        counts = demo.create(
            records, asked.members, asked.seed, datetime.now(UTC), progress_on_stderr()
        )
    print(json.dumps({**counts, "seconds": round(time.monotonic() - began, 1)}))
    return 0
