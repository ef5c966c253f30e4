"""`database`: create or upgrade the tables of a database, or check that all is well in it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError

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
    init = acts.add_parser("init", help="set an empty PostgreSQL server up for the office")
    init.add_argument(
        "--admin-url", metavar="URL", required=True, help="the server, as its superuser"
    )
    init.add_argument("--name", default="coop", help="how the database is called (coop)")
    init.add_argument("--administrator", metavar="LOGIN", default="", help="the first one")
    init.add_argument("--courier", metavar="LOGIN", default="", help="a login that carries errands")
    init.add_argument("--json", action="store_true", help="one JSON object")
    init.set_defaults(run=_init)
    verify = acts.add_parser("verify-audit", help="prove that nobody tampered with the audit trail")
    verify.add_argument(
        "--witness", metavar="FILE", type=Path, action="append", default=[],
        help="what another workstation has seen of it",
    )  # fmt: skip
    verify.set_defaults(run=_verify_audit)
    witness = acts.add_parser("witness", help="write out what this workstation saw of the trail")
    witness.add_argument("--out", metavar="FILE", type=Path, required=True)
    witness.set_defaults(run=_witness)
    accept = acts.add_parser(
        "accept-identity", help="take this database for the right one at its address from now on"
    )
    accept.set_defaults(run=_accept_identity)
    backup = acts.add_parser("backup", help="copy a SQLite database while it is in use")
    backup.add_argument("--to", metavar="FOLDER", type=Path, help="backups/ in the data folder")
    backup.add_argument("--keep", metavar="N", type=int, default=14, help="newest copies (14)")
    backup.set_defaults(run=_backup)
    restore = acts.add_parser("restore", help="put a copy back; what is there is kept aside")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.set_defaults(run=_restore)
    for act in (upgrade, check, reindex, verify, witness, accept, backup, restore):
        act.add_argument("--database", metavar="URL", help="the training co-op without it")
        act.add_argument("--json", action="store_true", help="one JSON object")


@contextmanager
def opened(url: str | None, *, upgrade: bool = False) -> Iterator[Records]:
    """Open the database a command works on: the one named, or the training co-op's.

    Without `upgrade` nothing in it is created or changed.
    """
    from console.models import schema

    if url is None:  # the training co-op is the console's own to keep up to date
        url, upgrade = _training(), True
    records = schema.open_records(url, upgrade_it=upgrade)
    try:
        yield records
    finally:
        records.close()


def _upgrade(asked: argparse.Namespace) -> int:
    from console.models import schema

    url = _training() if asked.database is None else asked.database
    before = schema.revision_at(url)
    with opened(url, upgrade=True):
        pass
    if asked.json:
        told = {"revision": schema.LATEST, "head": schema.LATEST, "before": before, "ok": True}
        print(json.dumps(told))
    if before is None:
        print("The tables of the database were created.", file=sys.stderr)
    elif before == schema.LATEST:
        print("The database was up to date already.", file=sys.stderr)
    else:
        print(
            f"The database was upgraded from revision {before} to {schema.LATEST}.", file=sys.stderr
        )
    return 0


def _check(asked: argparse.Namespace) -> int:
    from console.models import schema

    url = _training() if asked.database is None else asked.database
    told: dict[str, object] = {"revision": None, "head": schema.LATEST, "ok": False}
    problems: list[str] = []
    try:
        with opened(url) as records:
            told["revision"] = schema.LATEST
            told |= _look_over(records, problems)
    except ConsoleError as trouble:
        # Whoever reads the JSON wants to know why as much as whoever reads the sentences.
        problems.append(str(trouble))
        told["revision"] = schema.revision_at(url)
    told |= {"ok": not problems, "problems": problems}
    if asked.json:
        print(json.dumps(told))
    elif not problems:
        print(
            f"All is well: {told['members']:,} members with {told['accounts']:,} accounts; "
            f"tables of revision {told['revision']}."
        )
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _verify_audit(asked: argparse.Namespace) -> int:
    from console.services import trail_proof

    with opened(asked.database) as records:
        verdict = trail_proof.look_through(records, asked.witness)
    if asked.json:
        faults = [asdict(fault) for fault in verdict.faults]
        print(json.dumps({"rows": verdict.rows, "chains": verdict.chains, "faults": faults}))
    else:
        for fault in verdict.faults:
            print(f"{fault.chain} {fault.seq}: {fault.why}" if fault.chain else fault.why)
    print(verdict.words, file=sys.stderr)
    if any(not fault.chain for fault in verdict.faults):
        print(_ACCEPT, file=sys.stderr)
    return 1 if verdict.faults else 0


_ACCEPT = (
    "If you put another database there on purpose, say so on this workstation with: coop-console "
    "database accept-identity"
)


def _witness(asked: argparse.Namespace) -> int:
    from console.models import witness
    from console.services import trail_proof

    with opened(asked.database) as records:
        faults = trail_proof.identity_faults(records)
        seen = trail_proof.remember_ends(records)
    witness.write(asked.out, seen)
    if asked.json:
        print(json.dumps({"coop": seen.coop, "heads": len(seen.heads), "ok": not faults}))
    print(
        f"{len(seen.heads):,} ends of chains were written to {asked.out}. Keep it where nobody who "
        "owns the database can reach it.",
        file=sys.stderr,
    )
    for fault in faults:
        print(f"Do not trust it: {fault.why}.", file=sys.stderr)
    if faults:
        print(_ACCEPT, file=sys.stderr)
    return 1 if faults else 0


def _accept_identity(asked: argparse.Namespace) -> int:
    from console.services import trail_proof

    with opened(asked.database) as records:
        coop, before = trail_proof.accept_identity(records)
    if asked.json:
        print(json.dumps({"coop": coop, "before": before, "ok": True}))
    was = f", which was {' and '.join(before)} here before" if before else ""
    print(
        f"This workstation takes the database for {coop} from now on{was}. Only what the trail "
        "says from here on is compared.",
        file=sys.stderr,
    )
    return 0


def _backup(asked: argparse.Namespace) -> int:
    from console.services import backups
    from console.settings import data_folder

    url = _training() if asked.database is None else asked.database
    folder = asked.to or data_folder() / backups.FOLDER
    made = backups.make(url, folder, datetime.now(UTC), asked.keep)
    if asked.json:
        print(json.dumps({"file": str(made.file), **asdict(made.contents), "ok": True}))
    gone = f" {len(made.removed)} older ones made room." if made.removed else ""
    print(
        f"{made.file} holds {made.contents.members:,} members and was read to the end.{gone}",
        file=sys.stderr,
    )
    return 0


def _restore(asked: argparse.Namespace) -> int:
    from console.services import backups

    url = _training() if asked.database is None else asked.database
    done = backups.restore(asked.file, url, datetime.now(UTC))
    aside = str(done.aside) if done.aside else None
    if asked.json:
        told = {"file": str(done.file), "aside": aside, **asdict(done.contents), "ok": True}
        print(json.dumps(told))
    print(
        f"{done.file} holds {done.contents.members:,} members now."
        + (f" What was there before is kept as {aside}." if aside else ""),
        file=sys.stderr,
    )
    return 0


def _init(asked: argparse.Namespace) -> int:
    from console.models import schema
    from console.services.setting_up import set_up_server

    done = set_up_server(
        asked.admin_url, asked.name, asked.administrator, asked.courier, _password_for
    )
    if asked.json:
        print(json.dumps({**asdict(done), "revision": schema.LATEST, "ok": True}))
    print(
        f"The database “{done.database}” was "
        + ("created." if done.created else "there already; its tables are up to date."),
        file=sys.stderr,
    )
    for login, added, what in (
        (done.administrator, done.administrator_added, "administrator"),
        (done.courier, done.courier_added, "courier"),
    ):
        if login:
            words = "may sign in now" if added else "was there already and keeps the password"
            print(f"The {what} “{login}” {words}.", file=sys.stderr)
    return 0


def _password_for(login: str) -> str:
    given = os.environ.get("COOP_CONSOLE_PASSWORD")
    if given:
        return given
    if not sys.stdin.isatty():
        raise ConsoleError(
            f"The password of “{login}” is missing. Put it into COOP_CONSOLE_PASSWORD, or run this "
            "at a keyboard."
        )
    password = getpass(f"New password of {login}: ")
    if getpass("The same once more: ") != password:
        raise ConsoleError("The two passwords differ. Run this again; nothing else is lost.")
    return password


def _look_over(records: Records, problems: list[str]) -> dict[str, object]:
    """Count and compare; add what is wrong to `problems`, with the next step."""
    from console.models import search
    from console.models.accounts import Account
    from console.models.bulk import count
    from console.models.members import Member
    from console.models.soundness import faults

    if found := faults(records):
        problems += [
            *found,
            "Do not work with this database. Bring back last night's copy, and keep this one for "
            "whoever looks after it.",
        ]
        return {"whole": False}
    index_ok = search.is_current(records)
    if not index_ok:
        problems.append(
            "The search index does not agree with the records. Make it again with: "
            "coop-console database reindex"
        )
    return {
        "whole": True,
        "members": count(records, Member),
        "accounts": count(records, Account),
        "index_ok": index_ok,
    }


def _training() -> str:
    from console.cli.training import ready

    return ready()


def _reindex(asked: argparse.Namespace) -> int:
    from console.models import search

    with opened(asked.database) as records:
        keys = search.rebuild(records, progress_on_stderr())
    if asked.json:
        print(json.dumps({"keys": keys, "ok": True}))
    return 0


def progress_on_stderr() -> Callable[[str, int, int], None]:
    """Answer something that tells on standard error how far a long job has come."""
    here = sys.stderr.isatty()
    pause = 0.1 if here else 3.0
    begun: set[str] = set()
    told = 0.0

    def tell(what: str, done: int, of: int) -> None:
        nonlocal told
        now = time.monotonic()
        if what in begun and now - told < pause:
            return
        share = f" of {of:,}" if done < of else ""
        end = "\r" if here and share else "\n"
        print(f"{what}: {done:,}{share}".ljust(60 if here else 0), end=end, file=sys.stderr)
        begun.add(what)
        told = now

    return tell
