"""Calls a server that takes forms and answers in JSON, within the same one deadline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase

from console.clients.http import Answer, Server, Unexpected, Unreachable

_FORM: Final = "application/x-www-form-urlencoded"


class Stumbled(Unexpected):
    """The server answered with an error of its own; what it did is unknown."""


@dataclass(frozen=True, slots=True)
class Heard(Answer):
    """An answer with what stood above it."""

    headers: Mapping[str, str]
    """By their names in small letters."""


class FormServer(Server):
    """A server that takes forms. Its key is in no exception and in no text about it."""

    def __init__(
        self,
        name: str,
        url: str,
        key: str,
        *,
        headers: Mapping[str, str],
        deadline: float,
        observe: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, url, "", headers=headers, deadline=deadline, observe=observe)
        self._session.auth = _AsForm(key)

    def ask(
        self,
        method: str,
        path: str,
        parts: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        form: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Heard:
        """Call once, and return the answer whatever its status below 500."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self.call(method, path, parts, query=query, body=form, headers=headers)
        except (Unreachable, Unexpected) as problem:
            # What lies beneath holds the request, and with it the key.
            problem.__cause__ = problem.__context__ = None
            raise
        return cast(Heard, answer)

    def _understand(self, reply: requests.Response, content: bytes, request_id: str) -> Answer:
        if reply.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Also 502 to 504: the server was reached, and what stands behind it may have heard.
            raise Stumbled(f"The {self._name} had an error of its own. It may work in a minute.")
        answer = super()._understand(reply, content, request_id)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Heard(answer.status, answer.body, answer.retry_after, answer.request_id, headers)


class _AsForm(AuthBase):
    """The key, and the body as a form: requests lets an `auth` write both."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def __repr__(self) -> str:
        return "the key"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        request.headers["Content-Type"] = _FORM
        if request.body:
            request.body = urlencode(json.loads(request.body)).encode()
        return request
