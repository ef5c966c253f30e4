"""The training gateway's own switches, which no real one has: misbehave, move the clock, count."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from console.sandbox.gateway_ledger import Ledger
from console.sandbox.gateway_store import GatewayStore, all_of
from console.sandbox.gateway_wrongs import Kind, Spell, Wrongs


def misbehave(store: GatewayStore, wrong: Wrongs, spell: Spell) -> None:
    """Begin to go wrong."""
    wrong.begin(spell)
    off = [one.seconds for one in wrong.active() if one.kind is Kind.CLOCK_OFF]
    store.skew = timedelta(seconds=sum(off))


def behave(store: GatewayStore, wrong: Wrongs) -> None:
    """Go wrong no more."""
    wrong.behave()
    store.skew = timedelta(0)


def tally(store: GatewayStore, reference: str = "payment") -> dict[str, Any]:
    """Count what moved money, by the reference in its metadata: the proof's own witness."""
    with store.begin() as db:
        Ledger(db, store.now()).ripen()
        charges = [thing.body for thing in all_of(db, "charge")]
        refunds = [thing.body for thing in all_of(db, "refund")]
    moved = [c for c in charges if c["status"] in ("succeeded", "pending")]
    references = Counter(c["metadata"].get(reference, "") for c in moved)
    return {
        "charges": len(moved),
        "declines": len(charges) - len(moved),
        "cents": sum(c["amount"] for c in moved),
        "refunded_cents": sum(r["amount"] for r in refunds),
        "by_reference": dict(references),
    }


class Control:
    """The calls under /sandbox; each wants the header `X-Sandbox`, which no web page can forge."""

    def __init__(self, store: GatewayStore, wrong: Wrongs) -> None:
        self._store = store
        self._wrong = wrong

    def blueprint(self) -> Blueprint:
        """Hang every switch on its path."""
        calls = Blueprint("gateway_control", __name__, url_prefix="/sandbox")
        calls.before_request(self._admit)
        for name in ("misbehave", "behave", "shut", "clock"):
            calls.add_url_rule(f"/{name}", name, getattr(self, name), methods=["POST"])
        calls.add_url_rule("/counters", "counters", self.counters, methods=["GET"])
        return calls

    def _admit(self) -> Response | None:
        if "X-Sandbox" in request.headers:
            return None
        return _refused(403, "Send the header X-Sandbox.")

    def misbehave(self) -> Response:
        """Go wrong: {kind, path, method, times, seconds}."""
        asked = _asked()
        try:
            times = asked.get("times")
            spell = Spell(
                Kind(asked.get("kind", "")),
                str(asked.get("path", "")),
                str(asked.get("method", "")),
                None if times is None else int(times),
                float(asked.get("seconds", 0)),
            )
        except (TypeError, ValueError):
            known = ", ".join(kind.value for kind in Kind)
            return _refused(400, f"`kind` is one of: {known}; times and seconds are numbers.")
        misbehave(self._store, self._wrong, spell)
        return self._state()

    def behave(self) -> Response:
        """Switch every misbehaviour off."""
        behave(self._store, self._wrong)
        return self._state()

    def shut(self) -> Response:
        """Close the port for {seconds}: callers are refused as by a machine that is off."""
        web = current_app.extensions.get("web_server")
        if web is None:
            return _refused(409, "This gateway does not hold its own port.")
        seconds = float(_asked().get("seconds", 5))
        for wait, step in ((0.2, web.shut), (0.2 + seconds, web.open)):
            timer = threading.Timer(wait, step)
            timer.daemon = True
            timer.start()
        return self._state()

    def clock(self) -> Response:
        """Move the clock on by {advance_seconds}: debits ripen and keys are forgotten."""
        self._store.advance(float(_asked().get("advance_seconds", 0)))
        return self._state()

    def counters(self) -> Response:
        """Count what happened."""
        return self._state()

    def _state(self) -> Response:
        return jsonify(
            now=self._store.now().isoformat(),
            misbehaving=[spell.kind.value for spell in self._wrong.active()],
            **tally(self._store),
        )


def _asked() -> dict[str, Any]:
    asked = request.get_json(silent=True)
    return asked if isinstance(asked, dict) else {}


def _refused(status: int, message: str) -> Response:
    answer = jsonify(error={"type": "invalid_request_error", "message": message})
    answer.status_code = status
    return answer
