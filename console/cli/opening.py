"""`open`: the window itself, on the training co-op or on the office's database."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that opens the console."""
    parser = commands.add_parser("open", help="open the console (this is what no command does)")
    parser.add_argument(
        "--database", metavar="URL", help="the office's database; the training co-op without it"
    )
    parser.add_argument(
        "--portal", metavar="URL", help="where the portal's staff calls are answered"
    )
    parser.set_defaults(run=_open)


def display_is_missing() -> bool:
    """Whether this is a system with screens that shows none to this process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return False
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(asked: argparse.Namespace) -> int:
    if display_is_missing():
        print(
            "There is no display here, so the window cannot be shown. To see the console at work, "
            "let it take pictures of itself: main.py tour --out tour",
            file=sys.stderr,
        )
        return 1
    from console import app
    from console.cli import training

    if asked.database:
        settings = app.office_settings(asked.database, asked.portal)
        return app.run(settings, partial(app.office, settings))
    while True:
        with training.stand_ins_when_ready() as where:
            settings = training.settings(where)
            status = app.run(settings, partial(app.office, settings), training.plan(where))
        if status != app.BEGIN_AFRESH:
            return status
        training.ready(afresh=True)
