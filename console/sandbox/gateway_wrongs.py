"""The ways the training gateway goes wrong on request, so that tests meet them before members."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from console.sandbox.gateway_forms import Said


class Kind(StrEnum):
    """One way to go wrong."""

    # instead of the work; no key remembers these
    DOWN = "down"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    REDIRECT = "redirect"
    CUT_BEFORE = "cut_before"
    LATE = "late"
    """The line is cut, and the request is carried out some seconds later."""

    # around the work, while its key is in flight
    SLOW = "slow"
    SLOW_AFTER = "slow_after"
    SERVER_ERROR = "server_error"
    """500 and nothing done; the key remembers the 500."""
    FAULT_AFTER = "fault_after"
    """500 although it is done; the key remembers the 500."""
    TWICE = "twice"
    """The network delivers the request twice; the second answer is the one that arrives."""

    # the work is done and the answer spoilt
    CUT_AFTER = "cut_after"
    CUT = "cut"
    DRIP = "drip"
    HTML = "html"
    HALF_JSON = "half_json"
    WRONG_TYPES = "wrong_types"
    HUGE = "huge"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_REFERENCE = "wrong_reference"
    WRONG_KEY = "wrong_key"
    """The answer to another key than the one that was sent."""
    LIVE_MODE = "live_mode"
    """An object of the world in which money is real."""
    UNKNOWN_STATUS = "unknown_status"

    CLOCK_OFF = "clock_off"


@dataclass
class Spell:
    """One kind of misbehaviour, until its count is used up or it is switched off."""

    kind: Kind
    path: str = ""
    """Only calls whose path begins so; every call when empty."""
    method: str = ""
    """Only GET or only POST; both when empty."""
    times: int | None = None
    seconds: float = 0
    """How slow, how late, how far the clock is off, or what Retry-After says."""


@dataclass
class Wrongs:
    """What the gateway does wrong at the moment."""

    spells: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, spell: Spell) -> None:
        """Go wrong from now on; the same way twice is once."""
        place = (spell.kind, spell.path, spell.method)
        with self._lock:
            self.spells = [s for s in self.spells if (s.kind, s.path, s.method) != place]
            self.spells.append(spell)

    def behave(self) -> None:
        """Switch everything off."""
        with self._lock:
            self.spells.clear()

    def active(self) -> tuple[Spell, ...]:
        """List what is on."""
        with self._lock:
            return tuple(self.spells)

    def take(self, kind: Kind, method: str, path: str) -> Spell | None:
        """Use one of the spells of this kind, if there is one for this call."""
        with self._lock:
            for spell in self.spells:
                if (
                    spell.kind is kind
                    and path.startswith(spell.path)
                    and spell.method in ("", method)
                ):
                    if spell.times is not None:
                        spell.times -= 1
                        if spell.times <= 0:
                            self.spells.remove(spell)
                    return spell
        return None

    def pause(self, kind: Kind, method: str, path: str) -> None:
        """Wait, where a spell says so."""
        spell = self.take(kind, method, path)
        if spell is not None:
            time.sleep(spell.seconds)

    def instead(self, method: str, path: str) -> Said | None:
        """Answer wrongly instead of doing the work."""
        if self.take(Kind.DOWN, method, path) is not None:
            return _problem(503, "api_error", "The gateway is down for the moment.")
        if (spell := self.take(Kind.THROTTLED, method, path)) is not None:
            said = _problem(429, "invalid_request_error", "Too many requests.", "rate_limit")
            return Said(429, said.body, {"Retry-After": str(max(1, round(spell.seconds or 7)))})
        if self.take(Kind.UNAUTHORIZED, method, path) is not None:
            return _problem(401, "invalid_request_error", "Invalid API Key provided.")
        if self.take(Kind.REDIRECT, method, path) is not None:
            return Said(302, {}, {"Location": "/v1/elsewhere"})
        return None

    def spoil(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Say something else than what is true, in the right form."""
        for kind, change in _CHANGES.items():
            if self.take(kind, method, path) is not None:
                body = _changed(body, *change)
        if self.take(Kind.WRONG_TYPES, method, path) is not None:
            body = _wrong_types(body)
        return body

    def wire(self, method: str, path: str, whole: bytes) -> tuple[bytes | Iterator[bytes], int]:
        """Put the answer on the wire wrongly, and announce so many bytes; as it is otherwise."""
        if self.take(Kind.HTML, method, path) is not None:
            whole = b"<!doctype html><title>Sign in to the network</title><p>Please sign in."
        if self.take(Kind.HALF_JSON, method, path) is not None:
            whole = whole[: len(whole) // 2]
        if self.take(Kind.CUT, method, path) is not None:
            # The server closes the connection when fewer bytes come than were announced.
            return iter((whole[: len(whole) // 3],)), len(whole)
        if self.take(Kind.HUGE, method, path) is not None:
            padded = whole + b" " * 3_000_000
            return _piece_by_piece(padded), len(padded)
        if (spell := self.take(Kind.DRIP, method, path)) is not None:
            return _drip(whole, spell.seconds or 10), len(whole)
        return whole, len(whole)


_CHANGES: Final[dict[Kind, tuple[tuple[str, ...], Any]]] = {
    Kind.WRONG_AMOUNT: (("amount", "amount_total", "amount_received", "unit_amount"), 1),
    Kind.WRONG_CURRENCY: (("currency",), "cad"),
    Kind.WRONG_REFERENCE: (("payment", "refund", "client_reference_id"), "somebody-else"),
    Kind.LIVE_MODE: (("livemode",), True),
    Kind.UNKNOWN_STATUS: (("status", "payment_status"), "pending_review"),
}


def _changed(value: Any, names: tuple[str, ...], to: Any) -> Any:
    """Change every field of these names: amounts by so much, the rest to something else."""
    if isinstance(value, list):
        return [_changed(one, names, to) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        if name not in names or not isinstance(inner, int | str):
            found[name] = _changed(inner, names, to)
        else:
            found[name] = inner + to if type(inner) is type(to) is int else to
    return found


def _wrong_types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrong_types(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else 7


def _problem(status: int, kind: str, message: str, code: str = "") -> Said:
    error = {"type": kind, "message": message, **({"code": code} if code else {})}
    return Said(status, {"error": error}, remembered=False)


def _piece_by_piece(whole: bytes) -> Iterator[bytes]:
    # At once, the server would put it in a file on disk until somebody reads it.
    for place in range(0, len(whole), 65_536):
        yield whole[place : place + 65_536]
        time.sleep(0.001)


def _drip(whole: bytes, seconds: float) -> Iterator[bytes]:
    # Each byte comes well within any reading timeout; only the whole takes too long.
    pause = min(0.1, seconds / max(1, len(whole)))
    end = time.monotonic() + seconds
    for place in range(len(whole)):
        if time.monotonic() >= end:
            yield whole[place:]
            return
        yield whole[place : place + 1]
        time.sleep(pause)


def dumped(body: dict[str, Any]) -> bytes:
    """Write an answer's body as it goes on the wire."""
    return json.dumps(body, indent=2).encode()
