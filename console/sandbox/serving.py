"""Serves a web application on the loopback address from threads of this process."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, request
from waitress import wasyncore
from waitress.server import TcpWSGIServer, create_server

HOST: Final = "127.0.0.1"
_SOURCE: Final = Path(__file__).parents[2] / "resources"
_INSTALLED: Final = Path(__file__).parents[1] / "_resources"


def pages_of(name: str) -> Path:
    """Find the folder of one stand-in's pages, in the source tree or the installed package."""
    return _resources() / "sandbox" / name


def fonts() -> Path:
    """Find the folder of the typefaces."""
    return _resources() / "fonts"


def _resources() -> Path:
    # Beside an installed package there may lie a `resources` of somebody else.
    return _INSTALLED if _INSTALLED.is_dir() else _SOURCE


def listening_socket(port: int = 0) -> socket.socket:
    """Take a port of the loopback address; any free one for 0.

    Free ports are taken below 32768, where Linux begins to lend ports to outgoing connections:
    a stand-in that stops for a moment must find its port free again.
    """
    for _ in range(200):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # on Windows this would let two programs share one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port or random.randrange(20_000, 32_000)))  # noqa: S311 - not a secret
            sock.listen()
        except OSError:
            sock.close()
            if port:
                raise
        else:
            return sock
    raise OSError("There is no free port between 20000 and 32000.")


class WebServer:
    """One application behind one port, which can be shut for a while and opened again."""

    def __init__(self, app: Flask, port: int = 0, threads: int = 8) -> None:
        self._app = app
        self._threads = threads
        self._port = port
        self._server: TcpWSGIServer | None = None
        self._loop: threading.Thread | None = None
        self._connections: dict[int, Any] = {}
        self._stopping = threading.Event()
        self.open()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._port}"

    def open(self) -> None:
        """Listen; does nothing when it does already."""
        if self._server is not None:
            return
        sock = listening_socket(self._port)
        self._port = sock.getsockname()[1]
        self._connections = {}
        self._stopping.clear()
        self._server = create_server(
            self._app, map=self._connections, sockets=[sock], threads=self._threads, ident=None
        )
        self._loop = threading.Thread(target=self._serve, name=f"web {self._port}", daemon=True)
        self._loop.start()

    def shut(self) -> None:
        """Close the port: whoever calls is refused as by a machine that is off."""
        server, loop = self._server, self._loop
        if server is None or loop is None:
            return
        self._stopping.set()
        server.trigger.pull_trigger()
        loop.join()
        # Only now: while the loop or a worker lives, either could write to a file that is gone.
        server.task_dispatcher.shutdown()
        wasyncore.close_all(self._connections)
        self._server = self._loop = None

    def _serve(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, map=self._connections, count=1)


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[WebServer]:
    """Serve until the block ends."""
    server = WebServer(app, port)
    try:
        yield server
    finally:
        server.shut()


def guard(app: Flask) -> None:
    """Refuse other host names and being framed or sniffed, as any careful site would."""

    @app.before_request
    def only_here() -> None:
        # A page elsewhere could point its own name at this machine and then read our answers.
        if request.host.rpartition(":")[0] not in (HOST, "localhost"):
            abort(400, "This server answers on the loopback address only.")

    @app.after_request
    def harden(answer: Response) -> Response:
        answer.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self';"
            " script-src 'self'; connect-src 'self';"
            " form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer
