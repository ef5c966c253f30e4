"""Takes the training gateway's calls off the wire and puts the answers on it, spoilt on request."""

from __future__ import annotations

import base64
import binascii
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from flask import Blueprint, Response, copy_current_request_context, request

from console.sandbox.gateway_forms import Said
from console.sandbox.gateway_keys import Asked, Till, new_request_id
from console.sandbox.gateway_wrongs import Kind, Wrongs, dumped


class Door:
    """The paths under /v1."""

    def __init__(self, till: Till, wrong: Wrongs, now: Callable[[], datetime]) -> None:
        self._till = till
        self._wrong = wrong
        self._now = now

    def blueprint(self) -> Blueprint:
        """Hang every call on one door."""
        calls = Blueprint("gateway_calls", __name__, url_prefix="/v1")
        calls.add_url_rule(
            "/<path:path>", view_func=self.call, methods=["GET", "POST", "DELETE", "PUT"]
        )
        return calls

    def call(self, path: str) -> Response:
        """Answer one call."""
        asked = Asked(
            request.method,
            f"/v1/{path}",
            tuple((request.args if request.method == "GET" else request.form).items(multi=True)),
            _secret(),
            request.headers.get("Idempotency-Key", ""),
        )
        place = asked.method, asked.path
        said = self._wrong.instead(*place)
        if said is not None:
            return self._on_the_wire(said, place)
        if self._wrong.take(Kind.CUT_BEFORE, *place) is not None:
            return _cut()
        if (spell := self._wrong.take(Kind.LATE, *place)) is not None:
            late = threading.Timer(spell.seconds, self._later(asked))
            late.daemon = True
            late.start()
            return _cut()
        if self._wrong.take(Kind.TWICE, *place) is not None:
            self._till.answer(asked)
        said = self._till.answer(asked)
        if self._wrong.take(Kind.CUT_AFTER, *place) is not None:
            return _cut()
        return self._on_the_wire(said, place)

    def _later(self, asked: Asked) -> Callable[[], None]:
        @copy_current_request_context
        def carry_out() -> None:
            with suppress(sqlite3.ProgrammingError):  # the gateway was shut meanwhile
                self._till.answer(asked)

        return carry_out

    def _on_the_wire(self, said: Said, place: tuple[str, str]) -> Response:
        whole = dumped(self._wrong.spoil(*place, said.body))
        sent, announced = self._wrong.wire(*place, whole)
        is_page = isinstance(sent, bytes) and sent.startswith(b"<")
        answer = Response(
            sent, said.status, mimetype="text/html" if is_page else "application/json"
        )
        answer.headers["Content-Length"] = str(announced)
        answer.headers.setdefault("Request-Id", new_request_id())
        answer.headers.update(said.headers)
        if self._wrong.take(Kind.WRONG_KEY, *place) is not None:
            answer.headers["Idempotency-Key"] = "somebody-elses"
        answer.headers["Date"] = format_datetime(self._now(), usegmt=True)
        return answer


def _secret() -> str:
    """Read the key from either of the two ways in which Stripe takes it."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode("latin-1").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    return given.strip() if scheme.lower() == "bearer" else ""


def _cut() -> Response:
    """Hang up without a byte, as far as the server lets us."""
    asking: Any = request.environ.get("waitress.client_disconnected")
    channel = getattr(asking, "__self__", None)
    if channel is not None:
        with suppress(OSError):  # the caller was quicker
            channel.socket.shutdown(socket.SHUT_RDWR)
    answer = Response(iter((b"",)), 200, mimetype="application/json")
    answer.headers["Content-Length"] = "2"
    return answer
