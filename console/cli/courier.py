"""`courier`: carry errands to the portal and fetch its news, for every desk, until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from console.services.desk import Desk
    from console.services.rounds import Turn

LONGEST_REST_SECONDS: Final = 30.0
"""How rarely a portal or a database that does not answer is asked again."""


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
    try:
        with opened(asked.database) as records:
            login = records.engine.url.username or "courier"
            who = Colleague(login, "Courier", Role.REPRESENTATIVE)
            desk = Desk(records, portal, who, settings)
            if not desk.carries:
                raise ConsoleError(
                    f"The login “{login}” may not carry errands. Use one that was made with: "
                    "coop-console database init --courier LOGIN"
                )
            return _serve(desk, stop, wake, once=asked.once)
    finally:
        portal.close()


def _serve(desk: Desk, stop: threading.Event, wake: threading.Event, *, once: bool) -> int:
    from console.domain.errors import ConsoleError
    from console.models.changes import Feed
    from console.services import rounds

    name = f"{socket.gethostname()}:{os.getpid()}"[:80]
    started, signed, carried = datetime.now(UTC), datetime.min.replace(tzinfo=UTC), 0
    rest = desk.settings.poll_seconds

    def hear(names: frozenset[str]) -> None:
        if "Errand" in names or "*" in names:
            wake.set()

    feed = Feed(desk.records, hear)
    if not once:
        threading.Thread(target=feed.follow, name="change feed", daemon=True).start()
    _log("started", courier=name)
    failed = False
    while not stop.is_set():
        wake.clear()
        try:
            turn = rounds.take_turn(desk)
            carried += turn.carried
            if desk.now() - signed > rounds.SIGN_EVERY or turn.trouble:
                rounds.leave_sign(desk, name, started, carried, turn)
                signed = desk.now()
            failed = bool(turn.trouble)
            _tell(turn)
        except ConsoleError as problem:
            failed = True
            _log("trouble", words=str(problem))
        if once:
            break
        # A portal or a database that is down is not helped by knocking twice a second.
        usual = desk.settings.poll_seconds
        rest = min(LONGEST_REST_SECONDS, max(usual, rest * 2)) if failed else usual
        wake.wait(rest)
    feed.stop()
    if not once:
        rounds.take_sign_away(desk, name)
    _log("stopped", courier=name, carried=carried)
    return 1 if once and failed else 0


def _tell(turn: Turn) -> None:
    if turn.carried or turn.attempts or turn.trouble:
        _log("round", **asdict(turn))


def _log(event: str, **said: object) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **said}
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
