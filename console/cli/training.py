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
from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError
from console.settings import Settings, data_folder

if TYPE_CHECKING:
    from console.services.desk import Desk
    from console.views.training import TrainingPlan

TOKEN = "training"  # noqa: S105  # the stand-in's own; nothing real is behind it


class StandInsDown(ConsoleError):
    """The stand-in portal and mailbox did not start."""


@dataclass(frozen=True)
class StandIns:
    """Where the stand-ins of the training co-op answer."""

    portal: str
    mailbox: str
    smtp: str
    """The mailbox's door for e-mails, as host:port."""
    gateway: str


def ready(*, afresh: bool = False, folder: Path | None = None) -> str:
    """Answer the training co-op's database, making the co-op when it is not there yet."""
    from console.sandbox import training

    try:
        place = folder or data_folder()
        if afresh or not training.is_there(place):
            training.create(place, datetime.now(UTC), afresh=afresh)
    except OSError as error:
        where = error.filename or folder or "its folder"
        raise ConsoleError(
            f"The training co-op cannot be made in {where}: {error.strerror or error}. Close "
            "other consoles on this machine, or name another folder in COOP_CONSOLE_DATA."
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
            addresses = StandIns(
                str(told["portal"]), str(told["mailbox"]), str(told["smtp"]), str(told["gateway"])
            )
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


@contextmanager
def stand_ins_when_ready(folder: Path | None = None) -> Iterator[StandIns]:
    """Make the training co-op when it is not there yet, then run its stand-ins."""
    ready(folder=folder)
    with stand_ins(folder) as where:
        yield where


def settings(where: StandIns, folder: Path | None = None) -> Settings:
    """Answer the settings of a console on the training co-op."""
    from console.sandbox import gateway, training

    return Settings(
        coop_name=training.COOP_NAME,
        coop_phone=training.COOP_PHONE,
        database_url=training.database_url(folder or data_folder()),
        portal_url=where.portal,
        portal_token=TOKEN,
        training=True,
        portal_pages_url=where.portal,
        mailbox_url=where.mailbox,
        mail_server=f"smtp://{where.smtp}",
        mail_sender=training.COOP_EMAIL,
        text_address="{phone}@text.example",
        gateway_url=where.gateway,
        gateway_key=gateway.KEY,
        gateway_public_key="pk_test_training",
    )


TROUBLES = (
    ("down", "The portal is down", "Every call is refused, as on the night of an update."),
    ("slow", "The portal is slow", "Answers take three seconds."),
    ("html", "The portal answers with a web page", "As behind a broken proxy."),
    ("bounce", "E-mails come back", "Every address bounces."),
    ("throttled", "The portal asks to wait", "Too many requests."),
)
"""Ways the stand-in can go wrong: its own word, what the switch says, and what it means."""

GATEWAY_TROUBLES = (
    ("cut_after", "Payments are taken and nobody hears", "The answer is cut off on its way."),
    ("fault_after", "The gateway stumbles", "It says that something broke, and took the money."),
    ("gateway_slow", "The gateway is slow", "Answers take three seconds."),
    ("gateway_down", "The gateway is down", "Every call fails; payments wait and are not lost."),
)

_SLOW_SECONDS = 3.0


def plan(where: StandIns) -> TrainingPlan:
    """Put together what the training place shows: callers, pages and troubles."""
    from console.clients.stand_in import StandIn
    from console.sandbox import training
    from console.views.training import Story, Switch, TrainingPlan

    of_the_portal = frozenset(key for key, _, _ in TROUBLES)
    stand_ins = {
        True: StandIn(where.portal),
        False: StandIn(where.gateway, "training gateway"),
    }
    on: set[str] = set()

    def turn(_desk: Desk, trouble: str, wanted: bool) -> None:
        on.symmetric_difference_update({trouble} if wanted != (trouble in on) else set())
        # A stand-in forgets all of them at once, so those still wanted are said again.
        portals = trouble in of_the_portal
        stand_in = stand_ins[portals]
        stand_in.behave()
        for one in sorted(one for one in on if (one in of_the_portal) == portals):
            kind = one.removeprefix("gateway_")
            stand_in.misbehave(kind, _SLOW_SECONDS if kind == "slow" else 0)

    return TrainingPlan(
        stories=tuple(
            Story(
                one.title,
                one.caller,
                one.says,
                one.learn,
                one.member_id,
                one.account_number,
                one.icon,
            )
            for one in training.stories()
        ),
        pages_url=where.portal,
        mailbox_url=where.mailbox,
        switches=tuple(
            Switch(key, word, more) for key, word, more in (*TROUBLES, *GATEWAY_TROUBLES)
        ),
        turn=turn,
        may_begin_afresh=True,
    )
