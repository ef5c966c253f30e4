"""A PostgreSQL connection that does not wait for ever on a server that no longer hears it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

V = TypeVar("V")

SILENCE_SECONDS: Final = 1.5
"""After so long without a byte, another connection is asked whether ours is still at work."""
_FULL: Final = ("too many clients", "remaining connection slots")
LONGEST_SECONDS: Final = 20.0
"""The server gives a statement up before this; what lasts longer is lost."""


class PatientConnection(psycopg.Connection[Any]):
    """Waits for an answer only while the server says that it is working on one.

    A proxy that swallows bytes is seen by no keepalive, and a deadline that lives on the server
    cannot be heard from a server that is out of reach.
    """

    asks: str = ""
    """Where a second connection asks after this one."""
    board: Switchboard
    """Where it was opened."""

    def wait(
        self, gen: Generator[Any, Any, V], interval: float = 0.1, timeout: float | None = None
    ) -> V:
        """Wait as psycopg does, and hang up when nobody is at work at the other end."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        return super().wait(self._while_heard(gen), interval)

    def _while_heard(self, gen: Generator[Any, Any, V]) -> Generator[Any, Any, V]:
        began = heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard = now
                elif now - heard >= SILENCE_SECONDS:
                    if now - began >= LONGEST_SECONDS or not self._is_at_work():
                        # The answer may have come while the server was asked about it.
                        ready = yield wanted
                        if not ready:
                            self.pgconn.finish()
                            raise psycopg.OperationalError(
                                "the server no longer hears this connection"
                            )
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as done:
            answer: V = done.value
            return answer

    def _is_at_work(self) -> bool:
        try:
            with psycopg.connect(self.asks, autocommit=True) as other:
                self.board.note(other)
                if (other.info.host, other.info.port) != (self.info.host, self.info.port):
                    return False  # the office has moved to another server
                found = other.execute(
                    "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %s",
                    (self.info.backend_pid,),
                ).fetchone()
        except psycopg.Error as error:
            # A full server hears us all the same: it has just no room for the question.
            return any(words in str(error) for words in _FULL)
        return bool(found and found[0])


class Switchboard:
    """Opens connections, first at the server that answered last."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None

    def connect(self, **wanted: Any) -> PatientConnection:
        """Open a connection to the first server that takes writes."""
        told = _in_order(wanted, lambda door: door != self._last)
        made = PatientConnection.connect(**told)
        self.note(made)
        made.board = self
        # Asked whether it is at work, a silent server would keep us waiting for its silence once
        # more; the others say at once whether the office has moved to them.
        elsewhere_first = _in_order(told, lambda door: door == self._last)
        made.asks = make_conninfo(
            **{
                word: value
                for word, value in elsewhere_first.items()
                if word in _KNOWN and value is not None
            }
        )
        return made

    def note(self, answered: psycopg.Connection[Any]) -> None:
        """Remember which server answered, so that the next one need not wait for the others."""
        self._last = answered.info.host, str(answered.info.port)


def _in_order(wanted: dict[str, Any], place: Callable[[tuple[str, str]], bool]) -> dict[str, Any]:
    """Put the servers of an address in an order, for which each host and port is given a place."""
    hosts = str(wanted.get("host") or "").split(",")
    ports = str(wanted.get("port") or "5432").split(",")
    if len(hosts) < 2 or wanted.get("hostaddr"):
        return wanted  # addresses that were given beside the names would be mixed up
    doors = list(zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=True))
    doors.sort(key=place)
    return {
        **wanted,
        "host": ",".join(host for host, _ in doors),
        "port": ",".join(port for _, port in doors),
    }


_KNOWN: Final = frozenset(word.keyword.decode() for word in psycopg.pq.Conninfo.get_defaults())
