from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import create_engine, text

from console.domain.errors import ConsoleError
from console.models.base import Records, connect
from tests.clusters import Pair, Swallower, running_pair
from tests.servers import find_debians

GENEROUS_SECONDS = 30.0


@pytest.fixture
def pair() -> Iterator[Pair]:
    find_debians()
    with running_pair() as pair:
        pair.tell("CREATE TABLE mark (id text PRIMARY KEY)", "office")
        yield pair


class Work:
    """Several desks that write one row after the other, each row under an id of its own."""

    def __init__(self, url: str, desks: int) -> None:
        self.offices = [connect(url) for _ in range(desks)]
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
        for records in self.offices:
            records.close()

    def _work(self, desk: int, records: Records) -> None:
        back = False
        for number in count():
            mark, began = f"{desk}-{number}", time.monotonic()
            while not self._over.is_set() and not _write(records, mark):
                time.sleep(0.05)
            if self._over.is_set():
                return
            self.acknowledged.add(mark)
            if self._lost_at is not None and began > self._lost_at and not back:
                back = True
                self.back_after.append(time.monotonic() - self._lost_at)
            time.sleep(0.02)


def _write(records: Records, mark: str) -> bool:
    try:
        with records.begin() as db:
            db.execute(text("INSERT INTO mark VALUES (:id) ON CONFLICT DO NOTHING"), {"id": mark})
    except ConsoleError:
        return False
    return True


def _rows(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(text("SELECT id FROM mark")))
    engine.dispose()
    return found


def _survive(pair: Pair, desks: int, *, cut_off: bool) -> float:
    proxy = Swallower(pair.ports[0])
    first = proxy.port if cut_off else pair.ports[0]
    work = Work(pair.url(first, pair.ports[1]), desks)
    time.sleep(1.5)
    work.lose()
    if cut_off:
        proxy.swallow()
    else:
        pair.kill_the_primary()
    pair.promote()
    work.finish()
    proxy.close()
    assert len(work.back_after) == desks
    rows = _rows(pair.url(pair.ports[1]))
    assert work.acknowledged <= set(rows)
    assert len(rows) == len(set(rows))
    return max(work.back_after)


def test_desks_work_again_when_the_server_is_killed_and_nothing_told_is_lost(pair: Pair) -> None:
    _survive(pair, 10, cut_off=False)


def test_desks_work_again_when_a_proxy_swallows_every_byte(pair: Pair) -> None:
    _survive(pair, 10, cut_off=True)


@pytest.mark.soak
@pytest.mark.parametrize("cut_off", [False, True])
def test_fifty_desks_work_again(pair: Pair, cut_off: bool) -> None:
    assert _survive(pair, 50, cut_off=cut_off) < 5
