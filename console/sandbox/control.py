"""The stand-in's own switches, apart from the contract: misbehave, move the clock, count."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from console.domain.registration import Channel
from console.sandbox.misbehaviour import Kind, Misbehaviour, Spell
from console.sandbox.registrations import No, Registrations
from console.sandbox.store import Store


def misbehave(store: Store, wrong: Misbehaviour, spell: Spell) -> None:
    """Begin to go wrong."""
    wrong.begin(spell)
    store.skew = timedelta(seconds=wrong.seconds(Kind.CLOCK_OFF))


def behave(store: Store, wrong: Misbehaviour) -> None:
    """Go wrong no more."""
    wrong.behave()
    store.skew = timedelta(0)


def mails(store: Store) -> dict[str, int]:
    """Count the verify-account e-mails of each registration."""
    with store.begin() as db:
        rows = db.execute(
            "SELECT registration, count(*) AS mails FROM delivery WHERE status = 'queued'"
            " GROUP BY registration"
        ).fetchall()
    return {row["registration"]: row["mails"] for row in rows}


class Control:
    """The calls under /sandbox; each wants the header `X-Sandbox`, which no web page can forge."""

    def __init__(self, members: Registrations, wrong: Misbehaviour) -> None:
        self._members = members
        self._store = members.store
        self._wrong = wrong

    def blueprint(self) -> Blueprint:
        """Hang every switch on its path."""
        calls = Blueprint("control", __name__, url_prefix="/sandbox")
        calls.before_request(self._admit)
        calls.add_url_rule("/misbehave", view_func=self.misbehave, methods=["POST"])
        calls.add_url_rule("/behave", view_func=self.behave, methods=["POST"])
        calls.add_url_rule("/shut", view_func=self.shut, methods=["POST"])
        calls.add_url_rule("/clock", view_func=self.clock, methods=["POST"])
        calls.add_url_rule("/unlock", view_func=self.unlock, methods=["POST"])
        calls.add_url_rule("/register", view_func=self.register, methods=["POST"])
        calls.add_url_rule("/counters", view_func=self.counters, methods=["GET"])
        return calls

    def _admit(self) -> None:
        if "X-Sandbox" not in request.headers:
            raise No(403, "forbidden", "Send the header X-Sandbox.")

    def misbehave(self) -> Response:
        """Go wrong: {kind, path, times, seconds}."""
        asked = self._asked()
        try:
            kind = Kind(asked["kind"])
        except (KeyError, ValueError) as error:
            known = ", ".join(kind.value for kind in Kind)
            raise No(400, "bad_request", f"`kind` is one of: {known}.") from error
        times = asked.get("times")
        spell = Spell(
            kind,
            str(asked.get("path", "")),
            None if times is None else int(times),
            float(asked.get("seconds", 0)),
        )
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
            raise No(409, "not_serving", "This portal does not hold its own port.")
        seconds = float(self._asked().get("seconds", 5))
        for wait, step in ((0.2, web.shut), (0.2 + seconds, web.open)):
            timer = threading.Timer(wait, step)
            timer.daemon = True
            timer.start()
        return self._state()

    def clock(self) -> Response:
        """Move the clock on by {advance_seconds}, so that links run out without waiting."""
        self._store.advance(float(self._asked().get("advance_seconds", 0)))
        return self._state()

    def unlock(self) -> Response:
        """Open a locked account again: {account_number}."""
        self._members.unlock(str(self._asked().get("account_number", "")))
        return self._state()

    def register(self) -> Response:
        """Try to register as a member would: {account_number, name, email, channel}."""
        asked = self._asked()
        outcome = self._members.register(
            str(asked.get("account_number", "")),
            str(asked.get("name", "")),
            str(asked.get("email", "")),
            Channel(asked.get("channel", "web")),
        )
        return jsonify(outcome=outcome.value)

    def counters(self) -> Response:
        """Count what happened."""
        return self._state()

    def _state(self) -> Response:
        with self._store.begin() as db:
            attempts = db.execute("SELECT count(*) AS n FROM attempt").fetchone()["n"]
        return jsonify(
            now=self._store.now().isoformat(),
            attempts=attempts,
            mails=mails(self._store),
            misbehaving=[spell.kind.value for spell in self._wrong.active()],
        )

    def _asked(self) -> dict[str, Any]:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            raise No(400, "bad_request", "Send a JSON object.")
        return asked
