"""`database`: create or upgrade the tables of a database, or check that all is well in it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.models.base import Records


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that look after a database."""
    parser = commands.add_parser("database", help="upgrade or check a database")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    upgrade = acts.add_parser("upgrade", help="create its tables, or bring them up to date")
    upgrade.set_defaults(run=_upgrade)
    check = acts.add_parser("check", help="look whether everything in it is as it should be")
    check.set_defaults(run=_check)
    reindex = acts.add_parser("reindex", help="make the search index afresh from the records")
    reindex.set_defaults(run=_reindex)
    for act in (upgrade, check, reindex):
        act.add_argument("--database", metavar="URL", help="the training co-op without it")
        act.add_argument("--json", action="store_true", help="one JSON object")


@contextmanager
def opened(url: str | None, *, upgrade: bool = False) -> Iterator[Records]:
    """Open the database a command works on: the one named, or the training co-op's.

    Without `upgrade` nothing in it is created or changed.
    """
    from console.models import schema

    if url is None:
        from console.cli.training import ready

        url = ready()
    records = schema.open_records(url, upgrade_it=upgrade)
    try:
        yield records
    finally:
        records.close()


def _upgrade(asked: argparse.Namespace) -> int:
    from console.models import schema

    with opened(asked.database, upgrade=True):
        if asked.json:
            print(json.dumps({"revision": schema.LATEST, "ok": True}))
        print("The database is up to date.", file=sys.stderr)
    return 0


def _check(asked: argparse.Namespace) -> int:
    from console.models import schema, search
    from console.models.accounts import Account
    from console.models.bulk import count
    from console.models.members import Member

    with opened(asked.database) as records:
        members, accounts = count(records, Member), count(records, Account)
        index_ok = search.is_current(records)
    found = {
        "revision": schema.LATEST,
        "members": members,
        "accounts": accounts,
        "index_ok": index_ok,
        "ok": index_ok,
    }
    if asked.json:
        print(json.dumps(found))
    else:
        print(
            f"{members:,} members with {accounts:,} accounts; tables of revision {schema.LATEST}."
        )
    if not index_ok:
        print(
            "The search index does not agree with the records. Make it again with: "
            "coop-console database reindex",
            file=sys.stderr,
        )
        return 1
    return 0


def _reindex(asked: argparse.Namespace) -> int:
    from console.models import search

    with opened(asked.database) as records:
        keys = search.rebuild(records, progress_on_stderr())
    if asked.json:
        print(json.dumps({"keys": keys, "ok": True}))
    return 0


def progress_on_stderr() -> Callable[[str, int, int], None]:
    """Answer something that tells on standard error how far a long job has come."""
    last = [""]

    def tell(what: str, done: int, of: int) -> None:
        share = f"{what} {100 * done // max(1, of)} %"
        if share != last[0]:
            last[0] = share
            end = "\r" if sys.stderr.isatty() and done < of else "\n"
            if sys.stderr.isatty() or share.endswith("0 %"):
                print(f"{share} ({done:,})", end=end, file=sys.stderr, flush=True)

    return tell
