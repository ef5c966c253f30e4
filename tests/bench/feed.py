"""The change feed: how soon what one desk commits has woken the others and is painted there."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from console.clients.portal import Portal
from console.domain.staff import Role
from console.models import schema
from console.models.base import Records, touch
from console.models.changes import Feed
from console.models.members import Member
from console.services import changes
from console.services.desk import Colleague, Desk
from tests.bench.look_up import coop

MOST_CONNECTIONS = 700
"""A listening desk has its line and, for what it reads, one more."""
READY_SECONDS = 60.0


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.feed")
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--listeners", type=int, nargs="*", default=[0, 1, 50, 200])
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--data", type=Path, default=Path("bench-data"))
    parser.add_argument("--engine", choices=["postgresql", "sqlite", "both"], default="both")
    asked = parser.parse_args(argv)
    if asked.engine != "sqlite":
        with coop("postgresql", asked.data, asked.members, MOST_CONNECTIONS) as records:
            for listeners in asked.listeners:
                _wake("postgresql", records, listeners, asked.processes, asked.commits)
            _paint("postgresql", records, max(asked.listeners), asked)
    if asked.engine != "postgresql":
        with coop("sqlite", asked.data, asked.members) as records:
            for listeners in (0, 5):
                _wake("sqlite", records, listeners, listeners or 1, asked.commits)
            _paint("sqlite", records, 4, asked)
    return 0


# Who listens


def _listen(url: str, many: int, home: Any, end: Any) -> None:
    """Listen at many desks in one process and note when each heard what."""
    heard: list[tuple[str, float]] = []
    ready: set[int] = set()
    desks = [schema.connect(url) for _ in range(many)]

    def note(desk: int, names: frozenset[str]) -> None:
        at = time.monotonic()
        for name in names:
            if name.startswith("bench:"):
                heard.append((name, at))
            elif name.startswith("ready:"):
                ready.add(desk)

    feeds = [Feed(records, partial(note, place)) for place, records in enumerate(desks)]
    threads = [threading.Thread(target=feed.follow) for feed in feeds]
    for thread in threads:
        thread.start()
    while len(ready) < many:
        time.sleep(0.05)
    home.put("ready")
    end.wait()
    home.put(heard)
    for feed in feeds:
        feed.stop()
    for thread in threads:
        thread.join()
    for records in desks:
        records.close()


@contextmanager
def _listening(
    records: Records, listeners: int, processes: int
) -> Iterator[Callable[[], list[tuple[str, float]]]]:
    context = multiprocessing.get_context("spawn")
    home, end = context.Queue(), context.Event()
    url = records.engine.url.render_as_string(False)
    shares = [len(range(place, listeners, processes)) for place in range(processes)]
    workers = [
        context.Process(target=_listen, args=(url, share, home, end)) for share in shares if share
    ]
    for worker in workers:
        worker.start()
    until, ready = time.monotonic() + READY_SECONDS, 0
    while ready < len(workers) and time.monotonic() < until:
        _commit(records, f"ready:{time.monotonic()}")
        time.sleep(0.2)
        while not home.empty():
            home.get()
            ready += 1
    assert ready == len(workers), "not everybody listens"
    time.sleep(0.5)

    def gather() -> list[tuple[str, float]]:
        end.set()
        return [one for _ in workers for one in home.get()]

    try:
        yield gather
    finally:
        end.set()
        for worker in workers:
            worker.join(30)


def _commit(records: Records, name: str) -> tuple[float, float]:
    """Commit and answer when that began and ended."""
    began = time.monotonic()
    with records.begin() as db:
        touch(db, name)
    return began, time.monotonic()


# What is measured


def _wake(engine: str, records: Records, listeners: int, processes: int, commits: int) -> None:
    chance = random.Random(7)
    committed: dict[str, tuple[float, float]] = {}
    with _listening(records, listeners, processes) as gather:
        for number in range(commits):
            name = f"bench:{number}"
            committed[name] = _commit(records, name)
            # Some alone, some close upon each other.
            time.sleep(chance.choice((0.02, 0.05, 0.1, 0.15)))
        time.sleep(1.0)
        heard = gather() if listeners else []
    took = [1000 * (end - began) for began, end in committed.values()]
    print(f"{engine}: {listeners} listeners: a commit takes {_figures(took)} ms", flush=True)
    if not listeners:
        return
    # From the end of the commit: what came before it was committed counts as at once.
    waits = [1000 * max(0.0, at - committed[name][1]) for name, at in heard]
    whole = [1000 * (at - committed[name][0]) for name, at in heard]
    missing = listeners * commits - len(heard)
    print(
        f"{engine}: {listeners} listeners in {min(processes, listeners)} processes: woken after "
        f"{_figures(waits)} ms, counted from the beginning of the commit {_figures(whole)} ms, "
        f"{missing} of {listeners * commits} never",
        flush=True,
    )


def _paint(engine: str, records: Records, listeners: int, asked: argparse.Namespace) -> None:
    """Change a name at one desk while its page is open at another, and see when it is painted."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QCoreApplication, qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from console.background import Background
    from console.views.members import MemberScreen
    from console.views.theme import Theme

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    qInstallMessageHandler(lambda *_: None)  # the platform without a screen knows no size hints
    Theme().apply(app)
    url = records.engine.url.render_as_string(False)
    here = schema.open_records(url)
    who = Colleague("bench", "Bea Bench", Role.SUPERVISOR)
    desk = Desk(here, Portal("http://127.0.0.1:9", "", "bench"), who, workstation="bench")
    background = Background(desk)
    here.on_change(background.changed.emit)
    with records.read() as db:
        member_id = db.scalars(select(Member.id).limit(1)).one()
    screen = MemberScreen(background, member_id)
    screen.resize(1158, 616)
    screen.show()
    screen.load()
    painted = _Painted(screen.header.name)
    with _listening(records, listeners, asked.processes):
        background.follow(changes.feed(desk))
        _turn(lambda: screen.page_shown is not None and background.idle)
        time.sleep(1.0)
        waits = []
        for number in range(asked.commits // 2):
            name = f"Painted {number}"
            ended = _rename(records, member_id, name)
            _turn(lambda wanted=name: painted.text == wanted)
            waits.append(1000 * (painted.at - ended[0]))
            _turn(lambda: background.idle)
            time.sleep(0.05)
    print(f"{engine}: {listeners + 1} listeners: painted after {_figures(waits)} ms", flush=True)
    screen.close()
    _turn(lambda: background.idle)
    background.close()
    desk.portal.close()
    screen.deleteLater()
    QCoreApplication.processEvents()
    here.close()


def _rename(records: Records, member_id: int, name: str) -> list[float]:
    """Rename a member on a thread of another desk; answer when that was committed."""
    ended: list[float] = []

    def rename() -> None:
        with records.begin() as db:
            db.get_one(Member, member_id).name = name
        ended.append(time.monotonic())

    thread = threading.Thread(target=rename)
    thread.start()
    thread.join()
    return ended


def _turn(done: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    from PySide6.QtCore import QEventLoop, QTimer

    until, loop, look = time.monotonic() + 20, QEventLoop(), QTimer()
    look.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > until else None)
    look.start(5)
    loop.exec()
    assert done(), "nothing came"


class _Painted:
    """Notes which words a label has last painted, and when."""

    def __init__(self, label: Any) -> None:
        self.text, self.at = "", 0.0
        paint = label.paintEvent

        def painting(event: Any) -> None:
            paint(event)
            if label.text() != self.text:
                self.text, self.at = label.text(), time.monotonic()

        label.paintEvent = painting


def _figures(milliseconds: list[float]) -> str:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}, most {max(milliseconds):.1f}"


if __name__ == "__main__":
    sys.exit(main())
