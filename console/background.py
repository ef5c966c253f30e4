"""Runs use cases off the UI thread and brings their answers home to it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from shiboken6 import isValid

from console.domain.errors import ConsoleError
from console.models.problems import DatabaseAway as DatabaseAway
from console.services.desk import Desk

P = ParamSpec("P")
T = TypeVar("T")

WORKERS = 4
SLOW_AFTER_MILLISECONDS = 300
SWEEP_MILLISECONDS = 20_000
FAREWELL_SECONDS = 1.0
"""How long the end of a console waits for the last thing it wanted to say."""


class Busy(Protocol):
    """A widget that can be greyed out while an answer is awaited."""

    def setEnabled(self, enabled: bool, /) -> None: ...


class Asker(Protocol):
    """A screen that asks questions and can show why one failed."""

    def show_problem(self, problem: ConsoleError) -> None: ...


class Follower(Protocol):
    """Something that waits for word from elsewhere for as long as the console is open."""

    def follow(self) -> None:
        """Wait and pass word on until told to stop."""

    def stop(self) -> None:
        """Let `follow` come to its end at once."""


class Background(QObject):
    """The one place where threads meet the screens.

    Workers hold only plain values; what belongs to a screen waits here under a ticket.
    """

    changed = Signal(frozenset)
    """Names of what a commit touched: record classes, “member:12”, “account:1023401”."""
    slow = Signal(bool)
    """True when an answer has been awaited for longer than a person likes, False when none is."""
    _homeward = Signal(int, object)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="background")
        # Typing has a worker of its own: a slow portal must never hold up the search box.
        self._typing = ThreadPoolExecutor(1, thread_name_prefix="typing")
        # So has what stays on this machine: a silent database must not hold up a draft.
        self._local = ThreadPoolExecutor(1, thread_name_prefix="local")
        self._tickets = count()
        self._awaiting: dict[int, Callable[[Future[Any]], None]] = {}
        self._newest: dict[object, tuple[int, Future[Any]]] = {}
        self._is_slow = self._closed = False
        self._quiet: set[int] = set()
        self._follower: Follower | None = None
        self._following: threading.Thread | None = None
        self._homeward.connect(self._arrive, Qt.ConnectionType.QueuedConnection)

    @property
    def desk(self) -> Desk:
        """The desk the use cases work at."""
        return self._desk

    def ask(
        self, use_case: Callable[Concatenate[Desk, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Question[T]:
        """Prepare a use case; it starts once the question knows who wants the answer."""
        for value in (*args, *kwargs.values()):
            if isinstance(value, QObject):
                raise TypeError(f"{value!r} belongs to the UI thread; pass plain values")
        job = partial(use_case, self._desk, *args, **kwargs)
        return Question(self, partial(_again_if_only_read, self._desk, job))

    @property
    def idle(self) -> bool:
        """Whether every answer has come home."""
        return not self._awaiting

    def follow(self, follower: Follower) -> None:
        """Let something wait on a thread of its own until the background is closed."""
        self._follower = follower
        # It holds nothing of a screen, and never holds up the end of the program.
        self._following = threading.Thread(target=follower.follow, name="following", daemon=True)
        self._following.start()

    def unfollow(self) -> None:
        """Hear nothing more from elsewhere."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None

    def take_leave(self, use_case: Callable[[Desk], None]) -> None:
        """Do one last thing, if it can be done in a moment."""
        if self._closed:
            return
        farewell = self._pool.submit(use_case, self._desk)
        with suppress(ConsoleError, TimeoutError):
            farewell.result(FAREWELL_SECONDS)

    def close(self, *, wait: bool = True) -> None:
        """Drop what has not begun; unless told otherwise, wait for the work under way."""
        self._closed = True
        self.unfollow()
        self._awaiting.clear()
        for pool in (self._typing, self._local, self._pool):
            pool.shutdown(wait=wait, cancel_futures=True)
        if wait and self._following is not None:
            self._following.join(FAREWELL_SECONDS)

    def start(
        self,
        job: Callable[[], T],
        home: Callable[[Future[T]], None],
        purpose: object = None,
        *,
        quiet: bool = False,
        local: bool = False,
    ) -> None:
        """Run a job on a worker thread, then its homecoming on the UI thread.

        Nothing is run once the background is closed. With a purpose, an earlier job for the same
        purpose is forgotten, and dropped altogether when it has not begun. What nobody waits for
        is quiet: it is never said to be slow. What asks only this machine is local, and waits for
        no server.
        """
        if self._closed:
            return  # a window that is on its way out still asks how things are
        ticket = next(self._tickets)
        self._awaiting[ticket] = home
        if quiet:
            self._quiet.add(ticket)
        if purpose is None:
            running = (self._local if local else self._pool).submit(job)
        else:
            if purpose in self._newest:
                stale_ticket, stale = self._newest[purpose]
                self._awaiting.pop(stale_ticket, None)
                stale.cancel()
            running = self._typing.submit(job)
            self._newest[purpose] = ticket, running
        QTimer.singleShot(SLOW_AFTER_MILLISECONDS, self, partial(self._say_slow, ticket))
        running.add_done_callback(partial(self._send_home, ticket))

    def _send_home(self, ticket: int, done: Future[Any]) -> None:
        try:
            self._homeward.emit(ticket, done)
        except RuntimeError:
            # Work may outlive the background it was asked from; then nobody waits for it.
            if isValid(self):
                raise

    def _say_slow(self, ticket: int) -> None:
        if ticket in self._awaiting and ticket not in self._quiet and not self._is_slow:
            self._is_slow = True
            self.slow.emit(True)

    def _arrive(self, ticket: int, done: Future[Any]) -> None:
        self._newest = {why: held for why, held in self._newest.items() if held[0] != ticket}
        home = self._awaiting.pop(ticket, None)
        self._quiet.discard(ticket)
        if self._is_slow and self._awaiting.keys() <= self._quiet:
            self._is_slow = False
            self.slow.emit(False)
        if home is not None and not done.cancelled():
            home(done)


def _again_if_only_read(desk: Desk, job: Callable[[], T]) -> T:
    # What has begun to write may have been done, its answer lost: only staff can decide on that.
    begun = desk.records.writes_begun
    try:
        return job()
    except DatabaseAway:
        if desk.records.writes_begun != begun:
            raise
        return job()


class Question(Generic[T]):
    """A use case waiting to be told who wants its answer."""

    def __init__(self, background: Background, job: Callable[[], T]) -> None:
        self._background = background
        self._job = job

    def then(
        self,
        asker: Asker,
        show: Callable[[T], None],
        *,
        busy: Sequence[Busy] = (),
        failed: Callable[[ConsoleError], None] | None = None,
        quiet: bool = False,
        local: bool = False,
    ) -> None:
        """Ask, and show the answer unless the asking screen is gone by then.

        A problem goes to `failed`, or to the asker's own problem line when it is not given.
        A quiet question, such as one asked by a timer, is never said to be slow; a local one asks
        this machine only and waits for no server.
        """
        for widget in busy:
            widget.setEnabled(False)
        home = self._bring_home(asker, show, busy, failed)
        self._background.start(self._job, home, quiet=quiet, local=local)

    def latest(
        self,
        asker: Asker,
        show: Callable[[T], None],
        *,
        failed: Callable[[ConsoleError], None] | None = None,
    ) -> None:
        """Ask, and forget any earlier question whose answer was to be shown the same way.

        For questions asked with every key: they have a worker thread of their own.
        """
        self._background.start(
            self._job, self._bring_home(asker, show, (), failed), purpose=(id(asker), show)
        )

    def _bring_home(
        self,
        asker: Asker,
        show: Callable[[T], None],
        busy: Sequence[Busy],
        failed: Callable[[ConsoleError], None] | None,
    ) -> Callable[[Future[T]], None]:
        def home(done: Future[T]) -> None:
            if not isValid(asker):
                return
            for widget in busy:
                if isValid(widget):
                    widget.setEnabled(True)
            problem = done.exception()
            if isinstance(problem, ConsoleError):
                (failed or asker.show_problem)(problem)
            else:
                show(done.result())

        return home


class Sweeper(QTimer):
    """Collects garbage on the UI thread only: a widget freed on another one crashes Qt."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self.timeout.connect(self.sweep)
        self.start(SWEEP_MILLISECONDS)

    def sweep(self) -> None:
        """Collect what only refers to itself."""
        gc.collect()


class Preparation(QObject):
    """Does what must be done before there is a desk, while the first window is painted."""

    ready = Signal(object)
    refused = Signal(ConsoleError)

    def __init__(self, job: Callable[[], object]) -> None:
        super().__init__()
        self._job = job
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="preparation")
        self._done: Future[object] | None = None
        self._watch = QTimer(self)
        self._watch.setInterval(20)
        self._watch.timeout.connect(self._look)

    def start(self) -> None:
        """Begin, or begin again after a refusal."""
        self._done = self._pool.submit(self._job)
        self._watch.start()

    def close(self) -> None:
        """Let the thread go when its work is done."""
        self._watch.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _look(self) -> None:
        if self._done is None or not self._done.done():
            return
        self._watch.stop()
        problem = self._done.exception()
        if isinstance(problem, ConsoleError):
            self.refused.emit(problem)
        else:
            self.ready.emit(self._done.result())
