"""`courier`: carry errands to the portal and fetch its news, for every desk, until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from console.services.desk import Desk
    from console.services.rounds import Turn

LONGEST_REST_SECONDS: Final = 30.0
"""How rarely a portal or a database that does not answer is asked again."""
MAIL_RESTS_SECONDS: Final = 60.0
"""A mail server that took nothing is left alone for so long, and the portal has all the time."""


DATES_SECONDS: Final = 30.0
"""How often Auto Pay, promises and yesterday's reconciliation are looked at."""
_WAKES: Final = frozenset({"Errand", "Payment", "Refund", "MethodRequest", "*"})
"""What somebody must have asked for to be carried at once."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that carries errands."""
    parser = commands.add_parser("courier", help="carry errands to the portal, for every desk")
    parser.add_argument("--database", metavar="URL", help="the training co-op without it")
    parser.add_argument("--portal", metavar="URL", help="where the portal's staff calls go")
    parser.add_argument("--once", action="store_true", help="take one turn and stop")
    parser.set_defaults(run=_courier)


def _courier(asked: argparse.Namespace) -> int:
    from console.cli.database import opened
    from console.clients.portal import Portal
    from console.clients.stripe_gateway import API, StripeGateway
    from console.domain.errors import ConsoleError
    from console.domain.staff import Role
    from console.services.desk import Colleague, Desk
    from console.settings import load, settings_file

    settings = load(settings_file(), os.environ)
    settings = replace(settings, portal_url=asked.portal or settings.portal_url)
    if not settings.portal_url:
        print(
            "No portal is set up. Name it with --portal URL, or in COOP_CONSOLE_PORTAL_URL.",
            file=sys.stderr,
        )
        return 2
    stop, wake = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        stop.set()
        wake.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    portal = Portal(settings.portal_url, settings.portal_token, "courier")
    key = settings.gateway_key
    gateway = StripeGateway(settings.gateway_url or API, key) if key else None
    try:
        with opened(asked.database) as records:
            login = records.engine.url.username or "courier"
            who = Colleague(login, "Courier", Role.REPRESENTATIVE)
            desk = Desk(records, portal, who, settings, gateway=gateway)
            if not desk.carries:
                raise ConsoleError(
                    f"The login “{login}” may not carry errands. Use one that was made with: "
                    "coop-console database init --courier LOGIN"
                )
            return _serve(desk, stop, wake, once=asked.once)
    finally:
        portal.close()
        if gateway is not None:
            gateway.close()


def _serve(desk: Desk, stop: threading.Event, wake: threading.Event, *, once: bool) -> int:
    from console.models.changes import Feed
    from console.services import rounds

    def hear(names: frozenset[str]) -> None:
        if names & _WAKES:
            wake.set()

    feed = Feed(desk.records, hear)
    if not once:
        threading.Thread(target=feed.follow, name="change feed", daemon=True).start()
    work = _Work(desk)
    _log("started", courier=work.name)
    rest = desk.settings.poll_seconds
    while not stop.is_set():
        wake.clear()
        work.take_turn()
        if once:
            break
        # A portal or a database that is down is not helped by knocking twice a second.
        usual = desk.settings.poll_seconds
        rest = min(LONGEST_REST_SECONDS, max(usual, rest * 2)) if work.failed else usual
        wake.wait(rest)
    feed.stop()
    if not once:
        with work.surviving():
            rounds.end_sign(desk, work.name)
    _log("stopped", courier=work.name, carried=work.carried)
    return 1 if once and (work.failed or work.said) else 0


class _Work:
    """Turn after turn of one courier, whatever goes wrong in one of them."""

    def __init__(self, desk: Desk) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:80]
        self.carried = 0
        self.failed = False
        self._desk = desk
        self._started = datetime.now(UTC)
        self.said = ""
        """What kept it from its work in the last turn, in words."""
        self._broken = ""
        self._signed_at = float("-inf")
        self._mail_trouble = ""
        self._mail_again_at = float("-inf")
        self._dates_at = float("-inf")
        self._dates_trouble = ""

    def take_turn(self) -> None:
        """Take one turn, leave a sign of life, and log what came of it."""
        from console.services import rounds
        from console.services.rounds import Turn

        turn = Turn(0, 0, 0, False, "")
        with self.surviving():
            turn = rounds.take_turn(self._desk, mail=time.monotonic() >= self._mail_again_at)
            self.failed = not turn.portal_reached
        if self._broken:
            turn = replace(turn, trouble=self._broken)
        turn = self._with_dates(turn)
        turn = self._with_mail(turn)
        self.carried += turn.carried
        overdue = time.monotonic() - self._signed_at > rounds.SIGN_EVERY.total_seconds()
        if overdue or turn.words != self.said:
            with self.surviving():
                rounds.leave_sign(self._desk, self.name, self._started, self.carried, turn)
                self._signed_at = time.monotonic()
        if turn.carried or turn.attempts or turn.words != self.said:
            _log("round", **asdict(turn))
        self.said = turn.words

    def _with_dates(self, turn: Turn) -> Turn:
        """Do now and then what is done by the day, and go on saying what keeps it."""
        from console.services import rounds

        if time.monotonic() - self._dates_at >= DATES_SECONDS:
            self._dates_at = time.monotonic()
            with self.surviving():
                self._dates_trouble = rounds.keep_dates(self._desk)
        words = (turn.trouble, self._dates_trouble)
        return replace(turn, trouble=" ".join(word for word in words if word))

    def _with_mail(self, turn: Turn) -> Turn:
        """Leave a mail server that takes nothing alone for a while, and go on saying so."""
        resting = time.monotonic() < self._mail_again_at
        if turn.mail_away:
            self._mail_again_at = time.monotonic() + MAIL_RESTS_SECONDS
        if not resting:
            self._mail_trouble = turn.mail_trouble
        return replace(turn, mail_trouble=self._mail_trouble)

    @contextmanager
    def surviving(self) -> Iterator[None]:
        """Let nothing that fails end the courier: systemd would only start it into the same."""
        from console.domain.errors import ConsoleError
        from console.services.courier import traced

        self._broken = ""
        try:
            yield
        except ConsoleError as problem:
            self.failed, self._broken = True, str(problem)
            _log("trouble", words=str(problem))
        except Exception as problem:
            where = traced(problem)
            self.failed, self._broken = True, f"The courier failed and goes on: {where}."
            _log("failed", exception=where)


def _log(event: str, **said: object) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **said}
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
