"""One way to call a server: one deadline for the whole exchange, and plain words when it fails."""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import random
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from console.domain.errors import ConsoleError

DEADLINE_SECONDS: Final = 15.0
LARGEST_ANSWER: Final = 2 * 1024 * 1024
_TRIES: Final = 3
_FIRST_PAUSE: Final = 0.2
_PASSING_STATUSES: Final = frozenset({502, 503, 504})
"""What a server says when it is down or busy for a moment."""


class Unreachable(ConsoleError):
    """The server did not answer; whether it heard us is unknown."""


class Unexpected(ConsoleError):
    """The server answered something we cannot use; what it did is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, the JSON object, and how long to wait when told so."""

    status: int
    body: dict[str, Any]
    retry_after: float | None
    request_id: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as the diagnostics view shows it; it holds nothing personal."""

    at: datetime
    method: str
    path: str
    """The template: `/v1/accounts/{account}/registration`."""
    status: int | None
    """None when no answer came."""
    milliseconds: int
    request_id: str
    outcome: str


class Server:
    """A JSON server at a base address."""

    def __init__(
        self,
        name: str,
        url: str,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE_SECONDS,
        largest_answer: int = LARGEST_ANSWER,
        observe: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._deadline = deadline
        self._largest_answer = largest_answer
        self._observe = observe
        self._exchanges: deque[Exchange] = deque(maxlen=200)
        self._lock = threading.Lock()
        self._session = _session(self._url, token, headers or {})

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The last exchanges, the newest last."""
        with self._lock:
            return tuple(self._exchanges)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def misfit(self, request_id: str) -> None:
        """Note that an answer was well formed and still not as agreed."""
        with self._lock:
            for place in range(len(self._exchanges) - 1, -1, -1):
                if self._exchanges[place].request_id == request_id:
                    self._exchanges[place] = replace(self._exchanges[place], outcome="unexpected")
                    return

    def call(
        self,
        method: str,
        path: str,
        parts: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Call the server and return its answer, whatever its status, as long as it is JSON.

        `path` is a template and `parts` fill it. A repeatable call is tried again while the
        deadline lasts; any other is tried once, because its first try may have been heard.
        """
        end = time.monotonic() + self._deadline
        request_id = uuid.uuid4().hex
        filled = path.format(**{name: _part(value) for name, value in (parts or {}).items()})
        url = self._url + filled + ("?" + urlencode(query) if query else "")
        sent = {**(headers or {}), "X-Request-Id": request_id}
        for count in range(_TRIES if repeatable else 1):
            if count:
                # Jitter keeps forty consoles from coming back in one instant.
                pause = _FIRST_PAUSE * 2**count * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
                if time.monotonic() + pause >= end:
                    break
                time.sleep(pause)
            try:
                return self._once(method, path, url, body, sent, request_id, end)
            except Unreachable as problem:
                last = problem
        raise last

    def _once(
        self,
        method: str,
        path: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        request_id: str,
        end: float,
    ) -> Answer:
        if self._observe is not None:
            self._observe()
        started, at = time.monotonic(), datetime.now(UTC)
        status: int | None = None
        outcome = "bug"
        try:
            with _until(end):
                reply = self._session.request(
                    method,
                    url,
                    data=None if body is None else json.dumps(body).encode(),
                    headers=dict(headers),
                    timeout=max(0.001, end - started),
                    stream=True,
                    allow_redirects=False,
                )
                with reply:
                    status = reply.status_code
                    content = self._read(reply)
            answer = self._understand(reply, content, request_id)
            outcome = "answered"
            return answer
        except Unreachable:
            outcome = "unreachable"
            raise
        except Unexpected:
            outcome = "unexpected"
            raise
        except (requests.Timeout, TimeoutError) as error:
            outcome = "timed out"
            raise Unreachable(
                f"The {self._name} did not answer within {self._deadline:g} seconds. "
                "Try again shortly."
            ) from error
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            if _timed_out(error):
                outcome = "timed out"
                raise Unreachable(
                    f"The {self._name} did not answer within {self._deadline:g} seconds. "
                    "Try again shortly."
                ) from error
            if status is None and _spoke_nonsense(error):
                outcome = "unexpected"
                raise self._unexpected("It does not speak as a web server does.") from error
            outcome = "unreachable"
            raise Unreachable(
                f"The {self._name} cannot be reached. Try again shortly; if it stays away, check "
                "the network of this workstation."
            ) from error
        finally:
            took = int((time.monotonic() - started) * 1000)
            with self._lock:
                self._exchanges.append(
                    Exchange(at, method, path, status, took, request_id, outcome)
                )

    def _read(self, reply: requests.Response) -> bytes:
        content = bytearray()
        # Not decoded: a small compressed answer could unpack to more than this machine holds.
        for chunk in reply.raw.stream(65_536, decode_content=False):
            content += chunk
            if len(content) > self._largest_answer:
                raise self._unexpected("The answer was far too long.")
        return bytes(content)

    def _understand(self, reply: requests.Response, content: bytes, request_id: str) -> Answer:
        if reply.status_code in _PASSING_STATUSES:
            raise Unreachable(
                f"The {self._name} is down or busy for the moment. Try again shortly."
            )
        kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise self._unexpected("It sent a page where data was due.")
        try:
            body = json.loads(content.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise self._unexpected("Its data was damaged.") from error
        if not isinstance(body, dict):
            raise self._unexpected("Its data has another form than agreed.")
        return Answer(reply.status_code, body, _seconds(reply.headers), request_id)

    def _unexpected(self, what: str) -> Unexpected:
        return Unexpected(
            f"The {self._name} did not answer as expected. {what} "
            "Try again shortly; if it goes on, tell your supervisor."
        )


class _Bearer(AuthBase):
    """The token of this workstation; as `auth` it is also safe from a stray .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(url: str, token: str, headers: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    session.auth = _Bearer(token)
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "coop-console",
            **headers,
        }
    )
    # One session serves several workers: it must keep nothing from one answer to the next.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy of the office must not get between the console and its own training co-op.
    session.trust_env = not _is_loopback(url)
    adapter = _Adapter(pool_connections=1, pool_maxsize=8)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _part(value: str) -> str:
    # Dots alone would climb out of the path, and quoting does not hold them back.
    if not value.strip("."):
        raise ValueError("an empty part of an address")
    return quote(value, safe="")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# requests bounds each wait for bytes, not the whole: a server that drips one byte a second holds
# a worker for ever. So every read of the socket asks how much of the deadline is left.

_end: ContextVar[float] = ContextVar("end of the exchange")


@contextmanager
def _until(end: float) -> Iterator[None]:
    token = _end.set(end)
    try:
        yield
    finally:
        _end.reset(token)


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _end.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the exchange is over")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _BoundedSocket:
    """What http.client needs of a socket: something to read from."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast(socket.socket, _BoundedSocket(sock)), *args, **kwargs)


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _timed_out(error: BaseException) -> bool:
    return any(isinstance(cause, TimeoutError) for cause in _causes(error))


def _spoke_nonsense(error: BaseException) -> bool:
    return any(
        isinstance(cause, http.client.HTTPException)
        and not isinstance(cause, http.client.RemoteDisconnected)
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [
            a
            for a in (*cause.args, cause.__cause__, cause.__context__)
            if isinstance(a, BaseException)
        ]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _seconds(headers: Mapping[str, str]) -> float | None:
    told = headers.get("Retry-After", "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) <= 6 else None
