"""Measure everything, each part in a process of its own so that none warms another."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

PARTS = ("names", "look_up", "keys", "feed", "load", "edits", "payments", "reconcile")
TAKES_MEMBERS = ("look_up", "keys")


def main(argv: list[str] | None = None) -> int:
    """Run the parts one after the other; answer 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them without any")
    parser.add_argument("--members", type=int, default=1_000_000)
    asked = parser.parse_args(argv)
    memory = psutil.virtual_memory().total / 2**30
    print(
        f"{datetime.now(UTC):%d %B %Y}: {os.cpu_count()} cores, {_processor()}, {memory:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}",
        flush=True,
    )
    failed = 0
    for part in asked.parts or PARTS:
        members = ["--members", str(asked.members)] if part in TAKES_MEMBERS else []
        failed |= subprocess.run([sys.executable, "-m", f"tests.bench.{part}", *members]).returncode
    return int(failed != 0)


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
