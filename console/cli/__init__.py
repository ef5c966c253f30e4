"""The command line: open the console, or do one of its jobs from a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from console import __version__
from console.domain.errors import ConsoleError

WORKED, FAILED, MISUSED = 0, 1, 2

COMMANDS = {
    "open": "opening",
    "find": "members",
    "explain-names": "names",
    "demo": "demo",
    "tour": "tour",
    "sandbox": "sandbox",
    "database": "database",
    "staff": "staff",
    "courier": "courier",
}
"""Each command and the module of this room that carries it out."""


class _Module(Protocol):
    def add_to(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 worked, 1 failed, 2 misused."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        words = ["open"]
    parser = argparse.ArgumentParser(
        prog="coop-console",
        description="The customer-service console. Without a command it opens the window.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # Only the command that was asked for is imported: a look-up should not wait for the others.
    wanted = [COMMANDS[words[0]]] if words[0] in COMMANDS else sorted(set(COMMANDS.values()))
    for module in wanted:
        cast(_Module, import_module(f"console.cli.{module}")).add_to(commands)
    asked = parser.parse_args(words)
    try:
        return int(asked.run(asked))
    except ConsoleError as problem:
        print(problem, file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain again at exit.
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return 130
