"""`demo`: make up a co-op of any size."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, date, datetime


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that makes up a co-op."""
    parser = commands.add_parser("demo", help="create and fill a make-believe co-op")
    parser.add_argument("--database", metavar="URL", help="an empty database; made when new")
    parser.add_argument("--members", metavar="N", type=_size, default=1000, help="1000 without it")
    parser.add_argument(
        "--seed", metavar="S", type=int, default=1, help="the same seed makes the same co-op"
    )
    parser.add_argument(
        "--day",
        metavar="YYYY-MM-DD",
        type=_morning,
        help="the day its dates lead up to; today without it",
    )
    parser.add_argument(
        "--training", action="store_true", help="make the training co-op on this machine afresh"
    )
    parser.set_defaults(run=_demo)


def _size(text: str) -> int:
    from console.sandbox.demo import MOST_MEMBERS

    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_MEMBERS:
        return int(text)
    raise argparse.ArgumentTypeError(f"choose between 1 and {MOST_MEMBERS:,} members")


def _morning(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError("write the day like 2026-11-23") from error


def _demo(asked: argparse.Namespace) -> int:
    if asked.training and asked.database is not None:
        print("Choose one of --database and --training.", file=sys.stderr)
        return 2
    if asked.training:
        from console.cli.training import ready

        ready(afresh=True)
        print("The training co-op is as on its first day.", file=sys.stderr)
        return 0
    if asked.database is None:
        print("Name an empty database with --database URL, or use --training.", file=sys.stderr)
        return 2
    from console.cli.database import opened, progress_on_stderr
    from console.sandbox import demo

    began = time.monotonic()
    # From a whole day on: made twice within it, the co-op is the same to the second.
    now = asked.day or _morning(datetime.now(UTC).date().isoformat())
    with opened(asked.database, upgrade=True) as records:
        counts = demo.create(records, asked.members, asked.seed, now, progress_on_stderr())
    print(json.dumps({**counts, "seconds": round(time.monotonic() - began, 1)}))
    return 0
