"""The training co-op on this machine: its records, and its stand-ins as a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.domain.errors import ConsoleError
from console.settings import Settings, data_folder

TOKEN = "training"  # noqa: S105  # the stand-in takes any token; nothing real is behind it


class StandInsDown(ConsoleError):
    """The stand-in portal and mailbox did not start."""


@dataclass(frozen=True)
class StandIns:
    """Where the stand-ins of the training co-op answer."""

    portal: str
    mailbox: str


def ready(*, afresh: bool = False, folder: Path | None = None) -> str:
    """Answer the training co-op's database, making the co-op when it is not there yet."""
    from console.sandbox import training

    place = folder or data_folder()
    if afresh or not training.is_there(place):
        try:
            training.create(place, datetime.now(UTC))
        except OSError as error:
            raise ConsoleError(
                f"The training co-op cannot be made in {place}: {error.strerror}. "
                "Name another folder in COOP_CONSOLE_DATA."
            ) from error
    return training.database_url(place)


@contextmanager
def stand_ins(folder: Path | None = None) -> Iterator[StandIns]:
    """Run the stand-in portal and the mailbox until the block ends, or this process dies."""
    starts = "from console.cli import main; raise SystemExit(main())"
    # Packed into one program there is no interpreter to hand a script to: it is the command.
    frozen = getattr(sys, "frozen", False)
    command = [sys.executable] if frozen else [sys.executable, "-c", starts]
    command += ["sandbox", "--json", "--until-stdin-closes"]
    command += ["--data", str(folder or data_folder())]
    running = subprocess.Popen(  # noqa: S603  # our own command and nothing typed by anybody
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None  # noqa: S101  # both were asked for above
    assert running.stdout is not None  # noqa: S101
    try:
        line = running.stdout.readline()
        try:
            told = json.loads(line)
            addresses = StandIns(str(told["portal"]), str(told["mailbox"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StandInsDown(
                "The training portal did not start. Close other consoles on this machine and "
                "try again."
            ) from error
        yield addresses
    finally:
        running.stdin.close()
        try:
            running.wait(timeout=5)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()


def settings(where: StandIns, folder: Path | None = None) -> Settings:
    """Answer the settings of a console on the training co-op."""
    from console.sandbox import training

    return Settings(
        coop_name=training.COOP_NAME,
        coop_phone=training.COOP_PHONE,
        database_url=training.database_url(folder or data_folder()),
        portal_url=where.portal,
        portal_token=TOKEN,
        training=True,
        portal_pages_url=where.portal,
        mailbox_url=where.mailbox,
    )
