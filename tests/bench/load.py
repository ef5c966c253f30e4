"""The shared database under load: two hundred desks at once, and beside it the bare statements."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import make_url

from console.clients.portal import Portal
from console.domain.errors import ConsoleError
from console.domain.registration import Proof
from console.domain.staff import Role
from console.models import schema
from console.models.accounts import Account
from console.models.base import Records
from console.models.members import Member
from console.services import members, names, search
from console.services.desk import Colleague, Desk
from console.services.names import Correction
from tests.bench.look_up import coop, print_times

ACTS = {"look up": 45, "read": 25, "log": 15, "edit": 15}
"""What a desk does, and how often in a hundred."""
MOST_CONNECTIONS = 400


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load")
    parser.add_argument("--desks", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--data", type=Path, default=Path("bench-data"))
    parser.add_argument("--only", choices=["desks", "saturated", "writers", "growth"])
    asked = parser.parse_args(argv)
    with coop("postgresql", asked.data, asked.members, MOST_CONNECTIONS) as records:
        url = records.engine.url.render_as_string(False)
        if asked.only in (None, "desks"):
            _with_a_seconds_thought(url, asked)
        if asked.only in (None, "saturated"):
            _saturated(records, url, asked)
    if asked.only in (None, "writers"):
        _writers(asked)
    if asked.only in (None, "growth"):
        for engine in ("sqlite", "postgresql"):
            _growth(engine, asked)
    return 0


# What a desk does


class Sitter:
    """Somebody at a desk of their own, with a connection of their own, who never tires."""

    def __init__(self, url: str, number: int, words: list[str], last: int) -> None:
        self.chance = random.Random(number)
        self.words, self.last = words, last
        self.records = schema.open_records(url)
        who = Colleague(f"desk{number}", f"Desk {number}", Role.SUPERVISOR)
        portal = Portal("http://127.0.0.1:9", "", who.login)
        self.desk = Desk(self.records, portal, who, workstation=who.login)
        self.desk.carries  # noqa: B018  # as signing in asks

    def act(self, what: str) -> None:
        """Do one thing."""
        someone = self.chance.randint(1, self.last)
        if what == "look up":
            word = self.chance.choice(self.words)
            search.find(self.desk, word[: self.chance.randint(1, len(word))])
        elif what == "read":
            members.refresh(self.desk, someone)
        elif what == "log":
            note = f"Called about the bill, {self.chance.random():.6f}."
            members.write_note(self.desk, str(uuid4()), someone, note, None)
        else:
            self._edit(someone)

    def _edit(self, someone: int) -> None:
        held = names.name_on_file(self.desk, someone)
        new = held.name.removesuffix(" Q") if held.name.endswith(" Q") else f"{held.name} Q"
        names.correct_name(
            self.desk,
            Correction(str(uuid4()), someone, held.version, new, held.given_names, Proof.BILL),
        )

    def rise(self) -> None:
        """Leave, and close the connection."""
        self.desk.portal.close()
        self.records.close()


@dataclass
class Tally:
    """What came of the acts of many desks."""

    milliseconds: dict[str, list[float]]
    errors: Counter[str]

    @property
    def acts(self) -> int:
        return sum(map(len, self.milliseconds.values()))


def _sit(
    url: str, first: int, desks: int, seconds: float, pause: float, words: list[str], last: int,
    start: Any, home: Any,
) -> None:  # fmt: skip
    """Let one process play several desks, a thread each."""
    took: dict[str, list[float]] = defaultdict(list)
    errors: Counter[str] = Counter()
    sitters = [Sitter(url, first + n, words, last) for n in range(desks)]
    for sitter in sitters:
        for what in ACTS:  # the morning, before the phones ring
            sitter.act(what)

    def work(sitter: Sitter) -> None:
        kinds, weights = list(ACTS), list(ACTS.values())
        time.sleep(sitter.chance.random() * pause)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            what = sitter.chance.choices(kinds, weights)[0]
            began = time.perf_counter()
            try:
                sitter.act(what)
            except ConsoleError as problem:
                errors[f"{what}: {type(problem).__name__}: {str(problem)[:80]}"] += 1
            took[what].append((time.perf_counter() - began) * 1000)
            if pause:
                time.sleep(pause * 2 * sitter.chance.random())

    threads = [threading.Thread(target=work, args=(sitter,)) for sitter in sitters]
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    start.wait()
    start.wait()  # what is asked about them meanwhile must not hold anybody up
    for sitter in sitters:
        sitter.rise()
    home.put((dict(took), errors))


def _play(
    url: str, desks: int, processes: int, seconds: float, pause: float, words: list[str],
    last: int, at_the_end: Callable[[], None] = lambda: None,
) -> Tally:  # fmt: skip
    context = multiprocessing.get_context("spawn")
    start, home = context.Barrier(processes + 1), context.Queue()
    each = desks // processes
    workers = [
        context.Process(
            target=_sit,
            args=(url, place * each, each, seconds, pause, words, last, start, home),
        )
        for place in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    start.wait()
    at_the_end()
    start.wait()
    tally = Tally(defaultdict(list), Counter())
    for _ in workers:
        took, errors = home.get()
        for what, milliseconds in took.items():
            tally.milliseconds[what] += milliseconds
        tally.errors += errors
    for worker in workers:
        worker.join()
    return tally


def _said(records: Records) -> tuple[list[str], int]:
    """Gather what callers say, and the last member's number."""
    with records.read() as db:
        last = db.scalar(select(func.max(Member.id))) or 1
        chosen = [random.Random(5).randint(1, last) for _ in range(300)]
        rows = db.execute(
            select(Member.name, Member.given_names, Account.number, Account.service_line)
            .join(Account, Account.member_id == Member.id)
            .where(Member.id.in_(chosen))
        ).all()
    return [part for row in rows for part in (f"{row[1]} {row[0]}".strip(), row[2], row[3])], last


def _with_a_seconds_thought(url: str, asked: argparse.Namespace) -> None:
    records = schema.open_records(url)
    words, last = _said(records)
    memory: list[str] = []
    tally = _play(
        url, asked.desks, asked.processes, asked.seconds, 1.0, words, last,
        lambda: memory.append(_backends(records)),
    )  # fmt: skip
    records.close()
    for what in ACTS:
        print_times(
            f"{asked.desks} desks, a second's thought: {what}", tally.milliseconds[what], "acts"
        )
    rate = tally.acts / asked.seconds
    print(f"{asked.desks} desks: {rate:.0f} acts/s, errors {dict(tally.errors)}")
    print(*memory)
    _on_processors_of_their_own(url, words, last, rate, asked)


def _on_processors_of_their_own(
    url: str, words: list[str], last: int, rate: float, asked: argparse.Namespace
) -> None:
    """Time one desk, and the server, with a client that costs next to nothing for all the others.

    The desks above share this machine's processors with the server and with each other; in an
    office each has its own.
    """
    took: dict[str, list[float]] = defaultdict(list)

    def one_desk() -> None:
        sitter = Sitter(url, asked.desks, words, last)
        kinds, weights = list(ACTS), list(ACTS.values())
        until = time.monotonic() + asked.seconds - 2
        while time.monotonic() < until:
            what = sitter.chance.choices(kinds, weights)[0]
            began = time.perf_counter()
            sitter.act(what)
            took[what].append((time.perf_counter() - began) * 1000)
            time.sleep(0.05 * sitter.chance.random())
        sitter.rise()

    options = "-c", f"{asked.desks - 1}", "-R", f"{rate:.0f}"
    ran = _pgbench(url, words, last, asked.seconds, *options, meanwhile=one_desk)
    if ran is None:
        print("pgbench is not installed here (Debian: postgresql-contrib)")
        return
    for what in ACTS:
        print_times(
            f"one desk among {asked.desks - 1} that cost no Python: {what}", took[what], "acts"
        )
    for what in ACTS:
        print_times(f"the server at {rate:.0f} acts/s: {what}", ran.milliseconds[what], "acts")


def _backends(records: Records) -> str:
    """Tell what a connection costs the server: memory of its own, by backend."""
    with records.glance() as connection:
        pids = connection.execute(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        ).scalars()
        own = [size for pid in pids if (size := _private(pid))]
    return (
        f"{len(own)} connections, memory of its own for each: median "
        f"{statistics.median(own) / 1e6:.1f} MB, most {max(own) / 1e6:.1f} MB"
        if own
        else "memory of connections cannot be told here"
    )


def _private(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


# Saturated, beside pgbench with the same statements


def _saturated(records: Records, url: str, asked: argparse.Namespace) -> None:
    words, last = _said(records)
    seconds = min(20.0, asked.seconds)
    tally = _play(url, 16, asked.processes, seconds, 0, words, last)
    ours = tally.acts / seconds
    print(f"saturated: {ours:.0f} acts/s, errors {dict(tally.errors)}")
    bare = _pgbench(url, words, last, seconds, "-c", "16")
    if bare is None:
        print("saturated: pgbench is not installed here (Debian: postgresql-contrib)")
        return
    print(
        f"saturated: pgbench with the same statements {bare.a_second:.0f} acts/s; "
        f"ours {ours / bare.a_second:.0%} of it"
    )


@dataclass
class Bare:
    """What pgbench made of the statements of our acts."""

    a_second: float
    milliseconds: dict[str, list[float]]


def _pgbench(
    url: str, words: list[str], last: int, seconds: float, *options: str,
    meanwhile: Callable[[], None] = lambda: None,
) -> Bare | None:  # fmt: skip
    program = next(
        (str(one) for one in sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[::-1]), None
    )
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        acts, scripts = [], []
        for place, (what, statements) in enumerate(_recorded(url, words, last)):
            script = Path(folder) / f"{place}.sql"
            script.write_text(_as_script(statements))
            acts.append(what)
            scripts += ["-f", f"{script}@{max(1, round(ACTS[what] * 10 / _SAMPLES))}"]
        place = make_url(url)
        host = str(place.query.get("host", place.host or ""))
        with subprocess.Popen(
            [
                program, "-n", "-M", "simple", "-j", "2", "-T", str(round(seconds)), *options,
                "-l", "--log-prefix", f"{folder}/each", "-h", host,
                "-U", str(place.username), *scripts, str(place.database),
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, PGOPTIONS="-c statement_timeout=15s"),
        ) as running:  # fmt: skip
            meanwhile()
            said, complained = running.communicate()
        found = re.search(r"tps = ([0-9.]+)", said)
        if not found:
            print(complained[-2000:])
            return None
        took: dict[str, list[float]] = {what: [] for what in ACTS}
        for log in Path(folder).glob("each*"):
            for line in log.read_text().splitlines():
                _client, _number, microseconds, script_number, *_when = line.split()
                took[acts[int(script_number)]].append(int(microseconds) / 1000)
    return Bare(float(found[1]), took)


_SAMPLES = 12
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def _recorded(url: str, words: list[str], last: int) -> Iterator[tuple[str, list[str]]]:
    """Walk acts of a desk, each with the very statements it sent."""
    sitter = Sitter(url, 77, words, last)
    sent: list[str] = []
    plain = make_url(url).difference_update_query(["options"]).set(drivername="postgresql")
    driver = psycopg.connect(plain.render_as_string(False))
    client = psycopg.ClientCursor(driver)

    def bracket(word: str, connection: Any) -> None:
        if not connection.connection.driver_connection.autocommit:
            sent.append(word)

    engine = sitter.records.engine
    event.listen(engine, "begin", partial(bracket, "BEGIN"))
    event.listen(engine, "commit", partial(bracket, "COMMIT"))
    event.listen(engine, "rollback", partial(bracket, "COMMIT"))
    with _overheard(lambda said, given: sent.append(client.mogrify(said, given or None))):
        for what in ACTS:
            for _ in range(_SAMPLES):
                sent.clear()
                sitter.act(what)
                yield what, list(sent)
    driver.close()
    sitter.rise()


@contextmanager
def _overheard(hear: Callable[[Any, Any], None]) -> Iterator[None]:
    """Hear what the driver sends, also where nothing of SQLAlchemy is around it."""
    plain, many = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def execute(self: Any, query: Any, params: Any = None, **other: Any) -> Any:
        hear(query, params)
        return plain(self, query, params, **other)

    def executemany(self: Any, query: Any, params_seq: Any, **other: Any) -> Any:
        given = list(params_seq)
        for params in given:
            hear(query, params)
        return many(self, query, given, **other)

    psycopg.Cursor.execute, psycopg.Cursor.executemany = execute, executemany  # type: ignore[method-assign]
    try:
        yield
    finally:
        psycopg.Cursor.execute, psycopg.Cursor.executemany = plain, many  # type: ignore[method-assign]


def _as_script(statements: list[str]) -> str:
    """Write statements for pgbench; ids made for a click are made anew at each turn."""
    ids = dict.fromkeys(_UUID.findall("\n".join(statements)))
    lines = [f"\\set id{place} random(1, 1000000000000)" for place in range(len(ids))]
    for statement in statements:
        one = " ".join(statement.split())
        for place, uuid in enumerate(ids):
            one = one.replace(f"'{uuid}'", f"('bench-' || :id{place})")
            one = one.replace(uuid, f"bench{place}")
        lines.append(one.rstrip(";") + ";")
    return "\n".join(lines) + "\n"


# SQLite with many writers


def _write(url: str, seconds: float, number: int, home: Any) -> None:
    sitter = Sitter(url, number, ["smith"], 1000)
    errors: Counter[str] = Counter()
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            sitter.act("log")
            done += 1
        except ConsoleError as problem:
            errors[str(problem)[:80]] += 1
    sitter.rise()
    home.put((done, errors))


def _writers(asked: argparse.Namespace) -> None:
    with coop("sqlite", asked.data, 10_000) as records:
        url = records.engine.url.render_as_string(False)
    context = multiprocessing.get_context("spawn")
    home = context.Queue()
    seconds = min(15.0, asked.seconds)
    workers = [
        context.Process(target=_write, args=(url, seconds, number, home)) for number in range(8)
    ]
    for worker in workers:
        worker.start()
    done, errors = 0, Counter[str]()
    for _ in workers:
        count, wrong = home.get()
        done += count
        errors += wrong
    for worker in workers:
        worker.join()
    print(f"sqlite: 8 processes write notes: {done / seconds:.0f}/s, errors {dict(errors)}")


# As members grow


def _growth(engine: str, asked: argparse.Namespace) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    for size in asked.sizes:
        with coop(engine, asked.data, size) as records:
            words, last = _said(records)
            url = records.engine.url.render_as_string(False)
            sitter = Sitter(url, 3, words, last)
            for what in ("look up", "read"):
                for _ in range(200):
                    sitter.act(what)
                took = []
                for _ in range(1500):
                    began = time.perf_counter()
                    sitter.act(what)
                    took.append((time.perf_counter() - began) * 1000)
                print_times(f"{engine}: {what} with {size:,} members", took, "acts")
                found[what].append(statistics.median(took))
            sitter.rise()
    for what, medians in found.items():
        ratio = max(medians) / min(medians)
        print(f"{engine}: {what}, dearest size over cheapest: {ratio:.2f} times (medians)")


if __name__ == "__main__":
    sys.exit(main())
