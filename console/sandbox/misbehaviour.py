"""The ways the stand-in goes wrong on request, so that tests meet them before members do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask import Response, request


class Kind(StrEnum):
    """One way to go wrong; the first five happen instead of the work, the others after it."""

    DOWN = "down"
    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    SLOW = "slow"

    HTML = "html"
    HALF_JSON = "half_json"
    WRONG_TYPES = "wrong_types"
    HUGE = "huge"
    CUT = "cut"
    FAULT_AFTER = "fault_after"

    BOUNCE = "bounce"
    DUPLICATED_PAGE = "duplicated_page"
    CLOCK_OFF = "clock_off"


@dataclass
class Spell:
    """One kind of misbehaviour, until its count is used up or it is switched off."""

    kind: Kind
    path: str = ""
    """Only calls whose path begins so; every call when empty."""
    times: int | None = None
    seconds: float = 0
    """How slow, how far the clock is off, or what Retry-After says."""


@dataclass
class Misbehaviour:
    """What the stand-in does wrong at the moment."""

    spells: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, spell: Spell) -> None:
        """Go wrong from now on; the same way twice is once."""
        with self._lock:
            self.spells = [
                one for one in self.spells if (one.kind, one.path) != (spell.kind, spell.path)
            ]
            self.spells.append(spell)

    def behave(self) -> None:
        """Switch everything off."""
        with self._lock:
            self.spells.clear()

    def active(self) -> tuple[Spell, ...]:
        """List what is on."""
        with self._lock:
            return tuple(self.spells)

    def seconds(self, kind: Kind) -> float:
        """Add up what the spells of one kind say, without using them up."""
        return sum(spell.seconds for spell in self.active() if spell.kind is kind)

    def take(self, kind: Kind, path: str | None = None) -> Spell | None:
        """Use one of the spells of this kind, if there is one for this path, or for any."""
        with self._lock:
            for spell in self.spells:
                if spell.kind is kind and (path is None or path.startswith(spell.path)):
                    if spell.times is not None:
                        spell.times -= 1
                        if spell.times <= 0:
                            self.spells.remove(spell)
                    return spell
        return None

    def instead(self) -> Response | None:
        """Answer wrongly instead of doing the work."""
        path = request.path
        if (spell := self.take(Kind.SLOW, path)) is not None:
            time.sleep(spell.seconds)
        if self.take(Kind.DOWN, path) is not None:
            return _problem(503, "unavailable", "The portal is down for maintenance.")
        if self.take(Kind.SERVER_ERROR, path) is not None:
            return _problem(500, "internal", "Something went wrong.")
        if (spell := self.take(Kind.THROTTLED, path)) is not None:
            answer = _problem(429, "throttled", "Too many requests.")
            answer.headers["Retry-After"] = str(max(1, round(spell.seconds or 7)))
            return answer
        if self.take(Kind.UNAUTHORIZED, path) is not None:
            answer = _problem(401, "unauthorized", "The token is not valid.")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None

    def after(self, answer: Response) -> Response:
        """Spoil an answer whose work is done."""
        path = request.path
        if self.take(Kind.FAULT_AFTER, path) is not None:
            return _problem(500, "internal", "Something went wrong.")
        if self.take(Kind.HTML, path) is not None:
            return Response(
                "<!doctype html><title>Please wait</title><h1>Checking your browser…</h1>",
                mimetype="text/html",
            )
        if self.take(Kind.WRONG_TYPES, path) is not None:
            answer.set_data(json.dumps(_wrong(answer.get_json())))
        if self.take(Kind.HUGE, path) is not None:
            answer.set_data(json.dumps(_huge(answer.get_json())))
        if self.take(Kind.HALF_JSON, path) is not None:
            answer.set_data(answer.get_data()[: max(1, len(answer.get_data()) // 2)])
        if self.take(Kind.CUT, path) is not None:
            # The server closes the connection when fewer bytes come than were announced.
            whole = answer.get_data()
            answer.response = _first_bytes(whole)
            answer.headers["Content-Length"] = str(len(whole) + 1)
        return answer


def _problem(status: int, code: str, message: str) -> Response:
    return Response(
        json.dumps({"code": code, "message": message}), status, mimetype="application/json"
    )


def _first_bytes(whole: bytes) -> Iterator[bytes]:
    yield whole[: len(whole) // 3]


def _wrong(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrong(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_wrong(inner) for inner in value] or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return 7


def _huge(value: Any) -> Any:
    """Make one text a megabyte long, the name where there is one."""
    if isinstance(value, list):
        return [_huge(value[0]), *value[1:]] if value else value
    if not isinstance(value, dict):
        return value
    for name in ("name", "text", "reason", "message", "email"):
        if isinstance(value.get(name), str):
            return {**value, name: "W" * 1_000_000}
    return {name: _huge(inner) for name, inner in value.items()}
