"""`sandbox`: the stand-in portal, the mailbox and the training gateway as one process."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys
import threading
from pathlib import Path


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that serves the stand-ins."""
    parser = commands.add_parser("sandbox", help="serve the stand-in portal, mailbox and gateway")
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        help="where they keep their records; none are kept without it",
    )
    for name in ("portal", "mailbox", "smtp", "gateway"):
        parser.add_argument(
            f"--{name}-port", metavar="N", type=_port, default=0, help="any free port without it"
        )
    parser.add_argument("--json", action="store_true", help="print the addresses as one JSON line")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input ends, as it does when the parent process is gone",
    )
    parser.add_argument(
        "--misbehave", metavar="KIND", action="append", default=[], help="go wrong from the start"
    )
    parser.set_defaults(run=_sandbox)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number up to 65535")
    return port


def _sandbox(asked: argparse.Namespace) -> int:
    from console.sandbox import gateway, mailbox, portal

    try:
        wrong = [portal.Kind(kind) for kind in asked.misbehave]
    except ValueError:
        known = ", ".join(kind.value for kind in portal.Kind)
        print(f"--misbehave takes one of: {known}.", file=sys.stderr)
        return 2
    data: Path | None = asked.data
    records = data / "portal.sqlite" if data else ":memory:"
    letters = data / "mailbox.sqlite" if data else ":memory:"
    till = data / "gateway.sqlite" if data else ":memory:"
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        with (
            mailbox.running(letters, port=asked.mailbox_port, smtp_port=asked.smtp_port) as box,
            portal.running(
                records, smtp=box.smtp, mailbox_url=box.url, port=asked.portal_port
            ) as site,
            gateway.running(till, port=asked.gateway_port) as money,
        ):
            for kind in wrong:
                site.misbehave(kind)
            _tell(asked, site.url, box.url, box.smtp, money.url)
            if asked.until_stdin_closes:
                _end_with_stdin(stop)
            while not stop.wait(0.5):  # on Windows an endless wait would not hear Ctrl-C
                pass
    except OSError as error:
        print(f"A port or a file could not be taken: {error}.", file=sys.stderr)
        return 1
    except sqlite3.Error as error:
        print(
            f"The records of the stand-ins in {data} cannot be used: {error}. "
            "Name another folder with --data.",
            file=sys.stderr,
        )
        return 1
    return 0


def _tell(
    asked: argparse.Namespace, portal: str, mailbox: str, smtp: tuple[str, int], gateway: str
) -> None:
    if asked.json:
        print(
            json.dumps(
                {
                    "portal": portal,
                    "mailbox": mailbox,
                    "smtp": f"{smtp[0]}:{smtp[1]}",
                    "gateway": gateway,
                }
            ),
            flush=True,
        )
    else:
        print(
            f"Portal    {portal}\nMailbox   {mailbox}\nSMTP      {smtp[0]}:{smtp[1]}\n"
            f"Gateway   {gateway}",
            flush=True,
        )


def _end_with_stdin(stop: threading.Event) -> None:
    def watch() -> None:
        sys.stdin.buffer.read()
        stop.set()

    threading.Thread(target=watch, name="standard input", daemon=True).start()
