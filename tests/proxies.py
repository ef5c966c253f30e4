"""Stands between a desk and its server, and loses what it is told to lose."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from sqlalchemy.engine import URL, make_url

from tests.servers import free_port

_COMMIT = b"COMMIT\0"


class Proxy:
    """Passes bytes on to a server until it is told to swallow them."""

    def __init__(self, to: int | str) -> None:
        """Begin to listen; `to` is a port of this machine, or the path of a socket."""
        self._to = to
        self._swallows = threading.Event()
        self._cuts = threading.Event()
        self._over = threading.Event()
        self.cut = threading.Event()
        """Set once an answer was cut."""
        self._held: list[socket.socket] = []
        self._ear = socket.create_server(("127.0.0.1", free_port()), backlog=256)
        self.port = int(self._ear.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def swallow(self) -> None:
        """Take every byte from now on and pass none on; close nothing."""
        self._swallows.set()

    def pass_on(self) -> None:
        """Pass bytes on again; what was swallowed is lost."""
        self._swallows.clear()

    def cut_the_next_commit(self) -> None:
        """Let the next commit through, and hang up as soon as the server has answered it."""
        self.cut.clear()
        self._cuts.set()

    def close(self) -> None:
        """Accept nobody else, and hang up on everybody."""
        self._over.set()
        with suppress(OSError):  # an ear that is closed while somebody listens takes one more
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._accepting.join()
        self._ear.close()
        for held in self._held:
            _hang_up(held)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._ear.accept()
                if self._over.is_set():
                    client.close()
                    return
                try:
                    server = self._reach()
                except OSError:
                    client.close()  # the server is gone, and says so to whoever knocks
                    continue
                self._held += [client, server]
                link = _Link(client, server)
                for way in (self._there, self._back):
                    threading.Thread(target=way, args=(link,), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self._to, int):
            return socket.create_connection(("127.0.0.1", self._to))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._to)
        return server

    def _there(self, link: _Link) -> None:
        with suppress(OSError):
            while data := link.client.recv(65536):
                if _COMMIT in data and self._cuts.is_set():
                    self._cuts.clear()
                    link.cut.set()
                if not self._swallows.is_set():
                    link.server.sendall(data)
            if not self._swallows.is_set():
                link.server.shutdown(socket.SHUT_WR)

    def _back(self, link: _Link) -> None:
        with suppress(OSError):
            while data := link.server.recv(65536):
                if link.cut.is_set():
                    _hang_up(link.client)
                    _hang_up(link.server)
                    self.cut.set()
                    return
                if not self._swallows.is_set():
                    link.client.sendall(data)
            if not self._swallows.is_set():
                link.client.shutdown(socket.SHUT_WR)


class _Link:
    """One connection: the desk's end and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.cut = threading.Event()


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def before(url: str) -> tuple[Proxy, URL]:
    """Put a proxy before the server of an address; answers it and the address through it."""
    asked = make_url(url)
    host = asked.query.get("host", asked.host or "127.0.0.1")
    assert isinstance(host, str)
    proxy = Proxy(
        f"{host}/.s.PGSQL.{asked.port or 5432}" if host.startswith("/") else asked.port or 5432
    )
    plain = asked.difference_update_query(["host", "port"])
    return proxy, plain.set(host="127.0.0.1", port=proxy.port)
