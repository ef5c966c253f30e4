"""Waits until another console has committed: one quiet connection of its own, on either engine."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Protocol, Self

from sqlalchemy import Engine

CHANNEL: Final = "console_changes"
BEAT_SECONDS: Final = 4.0
"""After so long a silence the server is asked for a sign of life."""
ANSWER_SECONDS: Final = 3.0
"""How long the server may take over one; a line on which it takes longer is given up."""
LOOK_SECONDS: Final = 0.02
LOOK_AT_THE_LIST: Final = ""
"""Said where it is known only that something was committed."""


class LineLost(Exception):
    """Nothing more is heard on this line; another one has to be opened."""


class Halt:
    """Ends a wait at once, from any thread."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self.ear, self._mouth = socket.socketpair()

    @property
    def called(self) -> bool:
        """Whether the wait is to end."""
        return self._set.is_set()

    def call(self) -> None:
        """End the wait, and any later one."""
        if not self._set.is_set():
            self._mouth.send(b".")
            self._set.set()

    def wait(self, seconds: float) -> bool:
        """Rest so long, and answer whether to end."""
        return self._set.wait(seconds)

    def close(self) -> None:
        """Let both ends go."""
        self._set.set()
        self.ear.close()
        self._mouth.close()


class Line(Protocol):
    """A connection on which it is heard that others commit."""

    def wait(self, seconds: float) -> list[str]:
        """Answer what is said within so long; LineLost when the line is dead."""

    def close(self) -> None:
        """Hang up."""

    def __enter__(self) -> Self:
        """Keep the line for a block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Hang up at its end."""


def open_line(engine: Engine, halt: Halt) -> Line:
    """Open a line that is no part of the pool."""
    try:
        held = engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:  # bare: the engine has no part in this one
        raise LineLost(str(error)) from error
    driver = held.driver_connection
    held.detach()
    if engine.dialect.name == "sqlite":
        return FileLine(engine, driver, halt)
    return ServerLine(engine, driver, halt)


class _Line:
    def __init__(self, engine: Engine, driver: Any, halt: Halt) -> None:
        self._driver, self._halt = driver, halt
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error

    def close(self) -> None:
        """Hang up."""
        self._driver.close()

    def __enter__(self) -> Self:
        """Keep the line for a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Hang up at its end."""
        self.close()

    @contextmanager
    def _or_lost(self) -> Iterator[None]:
        try:
            yield
        except (self._driver_error, OSError) as error:
            raise LineLost(str(error)) from error


class FileLine(_Line):
    """Looks at SQLite's own count of commits: three microseconds, fifty times a second."""

    def __init__(self, engine: Engine, driver: Any, halt: Halt) -> None:
        super().__init__(engine, driver, halt)
        with self._or_lost():
            self._version = self._look()

    def wait(self, seconds: float) -> list[str]:
        """Answer that the list is to be looked at, or nothing within so long."""
        until = time.monotonic() + seconds
        with self._or_lost():
            while not self._halt.wait(LOOK_SECONDS):
                version = self._look()
                if version != self._version:
                    self._version = version
                    return [LOOK_AT_THE_LIST]
                if time.monotonic() >= until:
                    break
        return []

    def _look(self) -> int:
        return int(self._driver.execute("pragma data_version").fetchone()[0])


class ServerLine(_Line):
    """Listens on PostgreSQL's channel, and notices by itself when nobody is there any more."""

    def __init__(self, engine: Engine, driver: Any, halt: Halt) -> None:
        super().__init__(engine, driver, halt)
        self._server = driver.pgconn
        self._sources = selectors.DefaultSelector()
        self._heard_at = time.monotonic()
        try:
            with self._or_lost():
                driver.rollback()
                self._sources.register(self._server.socket, selectors.EVENT_READ)
                self._sources.register(halt.ear, selectors.EVENT_READ)
                self._exchange(f"LISTEN {CHANNEL}")
        except BaseException:
            self.close()
            raise

    def wait(self, seconds: float) -> list[str]:
        """Answer what is said within so long; LineLost when the line is dead."""
        with self._or_lost():
            said = self._collect()  # what came along with an answer
            if said:
                return said
            if time.monotonic() - self._heard_at >= BEAT_SECONDS:
                self._exchange("SELECT 1")
            elif self._readable(min(seconds, BEAT_SECONDS)):
                self._take_in()
            return self._collect()

    def close(self) -> None:
        """Hang up."""
        self._sources.close()
        super().close()

    def _exchange(self, statement: str) -> None:
        # The driver would wait for an answer for ever; a proxy that swallows bytes never gives one.
        until = time.monotonic() + ANSWER_SECONDS
        self._server.send_query(statement.encode())
        self._server.flush()
        while not self._halt.called:
            while self._server.is_busy() and not self._halt.called:
                if self._readable(until - time.monotonic()):
                    self._take_in()
                elif time.monotonic() >= until:
                    raise LineLost("the server gave no sign of life")
            if self._halt.called:
                return
            answer = self._server.get_result()
            if answer is None:
                return
            if answer.error_message:
                raise LineLost(answer.error_message.decode(errors="replace"))

    def _readable(self, seconds: float) -> bool:
        ready = self._sources.select(max(0.0, seconds))
        return any(key.fd == self._server.socket for key, _ in ready)

    def _take_in(self) -> None:
        self._server.consume_input()
        self._heard_at = time.monotonic()

    def _collect(self) -> list[str]:
        said = []
        while (word := self._server.notifies()) is not None:
            said.append(word.extra.decode(errors="replace"))
        return said
