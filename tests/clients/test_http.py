"""One way to call a server: bounded, and never a traceback."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from console.clients.http import Server, Unexpected, Unreachable

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def raw_server(talk: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve whatever a test wants to put on the wire, however rude."""
    heard: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                request = b""
                try:
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65_536)
                    heard.append(request)
                    talk(connection, request)
                except OSError:
                    pass  # the client has had enough, which is what most tests here are about

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def calling(url: str, deadline: float = 1.0, **more: int) -> Iterator[Server]:
    server = Server("portal", url, "secret-token", deadline=deadline, **more)
    try:
        yield server
    finally:
        server.close()


def whole(body: bytes, head: bytes = OK) -> Callable[[socket.socket, bytes], None]:
    def talk(connection: socket.socket, _request: bytes) -> None:
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        connection.sendall(head + length + body)

    return talk


def drip(parts: Iterator[bytes]) -> Callable[[socket.socket, bytes], None]:
    def talk(connection: socket.socket, _request: bytes) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.05)

    return talk


def test_a_good_answer_comes_home():
    with raw_server(whole(b'{"a": 1}')) as (url, heard), calling(url) as server:
        answer = server.call("GET", "/v1/things/{id}", {"id": "a/b c"})
    assert (answer.status, answer.body) == (200, {"a": 1})
    assert heard[0].startswith(b"GET /v1/things/a%2Fb%20c HTTP/1.1")
    assert b"Authorization: Bearer secret-token" in heard[0]
    assert f"X-Request-Id: {answer.request_id}".encode() in heard[0]


@pytest.mark.parametrize("place", ["status line", "headers", "body", "chunks"])
def test_a_dripping_server_does_not_hold_a_worker(place):
    """Each byte comes well within any read timeout; only the whole is too slow."""

    def parts() -> Iterator[bytes]:
        if place == "status line":
            yield from (b"H",)
            yield from (b"T" for _ in range(200))
        elif place == "headers":
            yield OK
            yield from (f"X-{n}: y\r\n".encode() for n in range(90))
            yield from (b"z" for _ in range(200))
        elif place == "body":
            yield OK + b"Content-Length: 5000\r\n\r\n"
            yield from (b" " for _ in range(200))
        else:
            yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
            yield from (b"1\r\n \r\n" for _ in range(200))

    with raw_server(drip(parts())) as (url, _), calling(url, deadline=0.4) as server:
        with pytest.raises(Unreachable, match=r"did not answer within 0\.4 seconds"):
            server.call("GET", "/v1/health")
        assert server.exchanges[-1].outcome == "timed out"


def test_a_server_that_accepts_and_says_nothing_is_unreachable():
    with (
        raw_server(lambda connection, _: time.sleep(1)) as (url, _),
        calling(url, deadline=0.3) as server,
        pytest.raises(Unreachable, match="did not answer within"),
    ):
        server.call("GET", "/v1/health", repeatable=True)


def test_nobody_at_the_port_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        calling(f"http://127.0.0.1:{port}") as server,
        pytest.raises(Unreachable, match="cannot be reached"),
    ):
        server.call("GET", "/v1/health")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", b"<h1>Checking your browser</h1>"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n", b"<h1>Not found</h1>"),
        (b"HTTP/1.1 200 OK\r\n", b'{"a": 1}'),
        (OK, b'{"a": '),
        (OK, b""),
        (OK, b"[1, 2]"),
        (OK, b'"text"'),
        (OK, b"null"),
        (OK, b'{"a": NaN}'),
        (OK, b'{"a": Infinity}'),
        (OK, b'{"a": "\xff"}'),
        (OK, b"[" * 100_000),
        (OK, b'{"a":' * 100_000),
        (OK, b'{"a": ' + b"9" * 10_000 + b"}"),
        (OK + b"Content-Encoding: gzip\r\n", gzip.compress(b'{"a": 1}', mtime=0)),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-16\r\n",
            b"\xff\xfe{\x00",
        ),
    ],
    ids=lambda value: repr(value[:50]),
)
def test_whatever_is_not_our_json_is_not_as_expected(head, body):
    with (
        raw_server(whole(body, head)) as (url, heard),
        calling(url) as server,
    ):
        with pytest.raises(Unexpected, match="did not answer as expected"):
            server.call("GET", "/v1/health", repeatable=True)
        assert len(heard) == 1, "asking again would not make it better"
        assert server.exchanges[-1].outcome == "unexpected"


def test_something_that_is_no_web_server_is_not_as_expected():
    with (
        raw_server(lambda connection, _: connection.sendall(b"220 mail.example ESMTP\r\n")) as (
            u,
            _,
        ),
        calling(u) as server,
        pytest.raises(Unexpected, match="does not speak"),
    ):
        server.call("GET", "/v1/health")


def test_an_endless_answer_is_cut_off():
    def talk(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")

    with (
        raw_server(talk) as (url, _),
        calling(url, deadline=10, largest_answer=200_000) as server,
        pytest.raises(Unexpected, match="far too long"),
    ):
        server.call("GET", "/v1/health")


def failing(times: int, fault: bytes | None) -> Callable[[socket.socket, bytes], None]:
    """Fail some times, by an answer or by hanging up, and then work."""
    left = [times]

    def talk(connection: socket.socket, request: bytes) -> None:
        if left[0]:
            left[0] -= 1
            if fault is not None:
                whole(b"", fault)(connection, request)
        else:
            whole(b'{"a": 1}')(connection, request)

    return talk


@pytest.mark.parametrize("fault", [None, b"HTTP/1.1 503 Busy\r\n", b"HTTP/1.1 502 Bad\r\n"])
def test_a_repeatable_call_is_tried_again_under_the_same_request_id(fault):
    with raw_server(failing(2, fault)) as (url, heard), calling(url, deadline=5) as server:
        assert server.call("GET", "/v1/health", repeatable=True).body == {"a": 1}
    ids = {next(line for line in request.split(b"\r\n") if b"X-Request-Id" in line)
           for request in heard}  # fmt: skip
    assert len(heard) == 3
    assert len(ids) == 1


def test_a_call_that_may_not_be_repeated_is_tried_once():
    with raw_server(failing(1, None)) as (url, heard), calling(url) as server:
        with pytest.raises(Unreachable):
            server.call("POST", "/v1/things", body={})
        assert len(heard) == 1


def test_tries_end_with_the_deadline():
    with raw_server(failing(99, None)) as (url, heard), calling(url, deadline=0.01) as server:
        with pytest.raises(Unreachable):
            server.call("GET", "/v1/health", repeatable=True)
        assert len(heard) <= 1


def test_the_diagnostics_hold_nothing_personal_and_no_token():
    with raw_server(whole(b'{"a": "Rose DeLong"}')) as (url, _), calling(url) as server:
        server.call(
            "PUT", "/v1/accounts/{account}/primary-holder", {"account": "1023401"},
            query={"q": "DeLong"}, body={"name": "DeLong"}, headers={"X-Staff-Member": "Ann"},
        )  # fmt: skip
        (seen,) = server.exchanges
    assert (seen.method, seen.path) == ("PUT", "/v1/accounts/{account}/primary-holder")
    assert (seen.status, seen.outcome) == (200, "answered")
    told = repr(seen)
    assert not any(word in told for word in ("DeLong", "1023401", "Ann", "secret-token"))


def test_only_the_last_exchanges_are_kept():
    with calling("http://127.0.0.1:1", deadline=1) as server:
        for _ in range(210):
            with pytest.raises(Unreachable):
                server.call("GET", "/v1/health")
        assert len(server.exchanges) == 200


def test_nothing_of_the_environment_gets_between_console_and_training(monkeypatch, tmp_path):
    """A proxy or a .netrc of the office is no business of the training co-op on this machine."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with raw_server(whole(b'{"a": 1}')) as (url, heard), calling(url) as server:
        server.call("GET", "/v1/health")
    assert b"Bearer secret-token" in heard[0]


def test_cookies_of_one_answer_do_not_leak_into_the_next():
    head = OK + b"Set-Cookie: who=ann\r\n"
    with raw_server(whole(b"{}", head)) as (url, heard), calling(url) as server:
        server.call("GET", "/v1/health")
        server.call("GET", "/v1/health")
    assert b"Cookie:" not in heard[1]


@pytest.mark.parametrize("part", ["", ".", "..", "..."])
def test_a_part_cannot_climb_out_of_its_path(part):
    with calling("http://127.0.0.1:1") as server, pytest.raises(ValueError, match="empty part"):
        server.call("GET", "/v1/accounts/{account}/registration", {"account": part})


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-1", None), ("soon", None), ("٧", None), ("9" * 40, None)],
)
def test_retry_after_is_read_when_it_is_a_number(told, seconds):
    head = b"HTTP/1.1 429 Slow down\r\nContent-Type: application/json\r\nRetry-After: "
    answer = whole(json.dumps({}).encode(), head + told.encode("utf-8") + b"\r\n")
    with raw_server(answer) as (url, _), calling(url) as server:
        assert server.call("GET", "/v1/health").retry_after == seconds


def test_one_server_serves_several_workers_at_once():
    with raw_server(whole(b'{"a": 1}')) as (url, heard), calling(url, deadline=10) as server:
        found: list[object] = []
        workers = [
            threading.Thread(target=lambda: found.append(server.call("GET", "/v1/health").body))
            for _ in range(12)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert found == [{"a": 1}] * 12
    assert len(heard) == 12
