"""Two real servers, one of them lost: every desk works again and nothing told is lost."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from enum import Enum, auto
from itertools import count
from select import select as wait_for

import psycopg
import pytest
from sqlalchemy import create_engine, select

from console.clients.portal import Portal
from console.domain.errors import ConsoleError
from console.models import schema
from console.models.audit import AuditEntry
from console.models.base import connect
from console.models.members import Note
from console.services import diagnostics, members
from console.services.audit import Action
from console.services.desk import Desk
from console.services.trail_proof import look_through, remember_ends
from tests.clusters import Pair, running_pair
from tests.office import PAT, add_member, staff_the_office
from tests.packets import dropping, find_iptables
from tests.proxies import Proxy
from tests.servers import find_debians

GENEROUS_SECONDS = 30.0


@pytest.fixture
def pair() -> Iterator[Pair]:
    with _office(synchronous=True) as pair:
        yield pair


@contextmanager
def _office(*, synchronous: bool) -> Iterator[Pair]:
    find_debians()
    with running_pair(synchronous=synchronous) as pair:
        records = schema.open_records(pair.url(pair.ports[0]))
        staff_the_office(records)
        add_member(records)
        records.close()
        yield pair


class Work:
    """Several desks that write one note after the other, each with the id of its own click."""

    def __init__(self, url: str, desks: int) -> None:
        self.portal = Portal("http://127.0.0.1:9", "", "desk")
        self.offices = [
            Desk(connect(url), self.portal, PAT, workstation=f"desk {number}")
            for number in range(desks)
        ]
        self.acknowledged: set[str] = set()
        self.back_after: list[float] = []
        self._over = threading.Event()
        self._lost_at: float | None = None
        self._pool = ThreadPoolExecutor(desks)
        self._done = [self._pool.submit(self._work, *one) for one in enumerate(self.offices)]

    def lose(self) -> None:
        """Note that the server goes now."""
        self._lost_at = time.monotonic()

    def finish(self) -> None:
        """Wait until every desk has written again, then stop."""
        until = time.monotonic() + GENEROUS_SECONDS
        while len(self.back_after) < len(self.offices) and time.monotonic() < until:
            time.sleep(0.05)
        self._over.set()
        for done in self._done:
            done.result()
        self._pool.shutdown()
        for desk in self.offices:
            desk.records.close()
        self.portal.close()

    def _work(self, number: int, desk: Desk) -> None:
        back = False
        for turn in count():
            note, began = f"{number}-{turn}", time.monotonic()
            while not self._over.is_set() and not _write(desk, note):
                time.sleep(0.05)
            if self._over.is_set():
                return
            self.acknowledged.add(note)
            if self._lost_at is not None and began > self._lost_at and not back:
                back = True
                self.back_after.append(time.monotonic() - self._lost_at)
            time.sleep(0.02)


def _write(desk: Desk, note: str) -> bool:
    """Write a note as often as it takes: whoever got no answer presses again."""
    try:
        members.write_note(desk, note, 1, f"Note {note}", None)
    except ConsoleError:
        return False
    return True


def _held(url: str) -> tuple[set[str], Counter[str]]:
    """Answer which notes are on file, and how often the trail says that each was written."""
    records = connect(url)
    with records.read() as db:
        notes = set(db.scalars(select(Note.id)))
        said = db.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == Action.NOTE_WRITTEN)
        ).all()
    records.close()
    return notes, Counter(json.loads(one)["note"] for one in said)


class Loss(Enum):
    """How the first server goes."""

    KILLED = auto()
    SWALLOWED = auto()
    """By a proxy that takes every byte and passes none on: its machine still acknowledges them."""
    DROPPED = auto()
    """Every packet is lost and nothing acknowledged, as when its machine loses its power."""


def _survive(pair: Pair, desks: int, loss: Loss) -> float:
    if loss is Loss.DROPPED:
        find_iptables()
    proxy = Proxy(pair.ports[0])
    first = proxy.port if loss is Loss.SWALLOWED else pair.ports[0]
    work = Work(pair.url(first, pair.ports[1]), desks)
    time.sleep(1.5)
    with ExitStack() as until_then:
        work.lose()
        if loss is Loss.KILLED:
            pair.kill_the_primary()
        elif loss is Loss.SWALLOWED:
            proxy.swallow()
        else:
            until_then.enter_context(dropping(pair.ports[0]))
        pair.promote()
        work.finish()
    proxy.close()
    assert len(work.back_after) == desks
    notes, written = _held(pair.url(pair.ports[1]))
    assert work.acknowledged <= notes, "told to have been written, and lost"
    assert written == Counter(notes), "written twice, or without a line on the trail"
    return max(work.back_after)


def test_desks_work_again_when_the_server_is_killed_and_nothing_told_is_lost(pair: Pair) -> None:
    _survive(pair, 10, Loss.KILLED)


def test_desks_work_again_when_a_proxy_swallows_every_byte(pair: Pair) -> None:
    _survive(pair, 10, Loss.SWALLOWED)


def test_desks_work_again_when_every_packet_is_dropped(pair: Pair) -> None:
    _survive(pair, 10, Loss.DROPPED)


@pytest.mark.parametrize("asked", [True, False], ids=["awaiting an answer", "asking"])
def test_the_system_itself_gives_a_silent_connection_up(pair: Pair, asked: bool) -> None:
    # Straight at the driver: the console's own patience asks sooner, and would hide this.
    find_iptables()
    records = connect(pair.url(pair.ports[0]))
    line = records.engine.raw_connection()
    bare = line.driver_connection.pgconn  # type: ignore[union-attr]
    if asked:
        bare.send_query(b"SELECT pg_sleep(600)")
        bare.flush()
        time.sleep(0.5)
    with dropping(pair.ports[0]):
        if not asked:
            bare.send_query(b"SELECT 1")
            bare.flush()
        given_up, _, _ = wait_for([bare.socket], [], [], GENEROUS_SECONDS)
    assert given_up
    with pytest.raises(psycopg.OperationalError, match="timed out"):
        bare.consume_input()
    line.invalidate()
    records.close()


def test_an_asynchronous_standby_loses_the_last_commits_and_it_was_said_and_is_found() -> None:
    with _office(synchronous=False) as pair:
        desk = Desk(connect(pair.url()), Portal("http://127.0.0.1:9", "", "desk"), PAT)
        assert _write(desk, "copied")
        _wait_until_copied(pair, "copied")
        pair.copying.swallow()
        assert _write(desk, "told and lost"), "the first server waits for nobody"
        assert "a little behind" in dict(diagnostics.facts(desk))["Second copy"]
        remember_ends(desk.records)
        pair.kill_the_primary()
        pair.promote()
        notes, _ = _held(pair.url(pair.ports[1]))
        assert notes == {"copied"}
        # What this workstation saw of the trail tells that some of it is gone.
        found = look_through(desk.records, ())
        assert [fault.chain for fault in found.faults] == ["pat"]
        assert "a witness has seen this row" in found.faults[0].why
        assert _write(desk, "told and lost")
        notes, _ = _held(pair.url(pair.ports[1]))
        assert notes == {"copied", "told and lost"}
        desk.records.close()
        desk.portal.close()


def _wait_until_copied(pair: Pair, note: str) -> None:
    standby = create_engine(pair.url(pair.ports[1]))
    until = time.monotonic() + GENEROUS_SECONDS
    while time.monotonic() < until:
        with standby.connect() as connection:
            if connection.scalar(select(Note.id).where(Note.id == note)):
                break
        time.sleep(0.05)
    else:
        raise AssertionError("never copied")
    standby.dispose()


@pytest.mark.soak
@pytest.mark.parametrize("loss", Loss)
def test_fifty_desks_work_again(pair: Pair, loss: Loss) -> None:
    assert _survive(pair, 50, loss) < 5
