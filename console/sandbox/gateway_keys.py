"""Answers a call once for each idempotency key: later ones hear the first answer again."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from dataclasses import dataclass
from typing import Any, Final

from console.sandbox.gateway_calls import Calls
from console.sandbox.gateway_forms import Fault, Params, Said, invalid, tree
from console.sandbox.gateway_ledger import Ledger
from console.sandbox.gateway_lists import Call, expand
from console.sandbox.gateway_store import (
    GatewayStore,
    Remembered,
    recall,
    remember,
)
from console.sandbox.gateway_wrongs import Kind, Wrongs

TRAINING_KEY: Final = re.compile(r"sk_test_training[A-Za-z0-9_]{0,64}")
PUBLIC_KEY: Final = "pk_test_training"
"""What every desk may show: it hands in a bank account, and opens nothing else."""
_OPEN_TO_ALL: Final = ("POST", "/v1/payment_methods")
_LONGEST_KEY: Final = 255


@dataclass(frozen=True)
class Asked:
    """A call as it came."""

    method: str
    path: str
    pairs: tuple[tuple[str, str], ...]
    secret: str
    key: str = ""


class Till:
    """The one door to the books."""

    def __init__(self, store: GatewayStore, calls: Calls, wrong: Wrongs) -> None:
        self._store = store
        self._calls = calls
        self._wrong = wrong
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()

    def answer(self, asked: Asked) -> Said:
        """Answer a call; whatever it does and what its key remembers is one transaction."""
        request = new_request_id()
        try:
            said = self._admitted(asked, request)
        except Fault as fault:
            said = fault.said
        headers = {"Request-Id": request, "Stripe-Version": "2024-06-20"}
        if asked.key:
            headers["Idempotency-Key"] = asked.key
        return Said(said.status, said.body, {**headers, **said.headers})

    def _admitted(self, asked: Asked, request: str) -> Said:
        _admit(asked)
        call, ids = self._calls.find(asked.method, asked.path)
        if asked.method != "POST" or not asked.key:
            return self._carry_out(asked, call, ids, request)
        if len(asked.key) > _LONGEST_KEY:
            raise invalid("Idempotency keys may be at most 255 characters long.")
        with self._lock:
            if asked.key in self._in_flight:
                raise Fault(
                    409,
                    "There is currently another in-progress request using this Idempotent Key.",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._in_flight.add(asked.key)
        try:
            return self._carry_out(asked, call, ids, request)
        finally:
            with self._lock:
                self._in_flight.discard(asked.key)

    def _carry_out(self, asked: Asked, call: Call, ids: tuple[str, ...], request: str) -> Said:
        self._wrong.pause(Kind.SLOW, asked.method, asked.path)
        key = asked.key if asked.method == "POST" else ""
        now, fingerprint = self._store.now(), self._fingerprint(asked)
        with self._store.begin() as db:
            first = recall(db, key, now) if key else None
            if first is not None:
                return _replayed(first, fingerprint, asked.key)
            if self._wrong.take(Kind.SERVER_ERROR, asked.method, asked.path) is not None:
                said = _STUMBLED
            else:
                books = Ledger(db, now)
                books.ripen()
                db.execute("SAVEPOINT work")
                try:
                    said = _done(books, call, ids, asked)
                except Fault as fault:
                    db.execute("ROLLBACK TO work")
                    said = fault.said
                if self._wrong.take(Kind.FAULT_AFTER, asked.method, asked.path) is not None:
                    said = _STUMBLED
            if key and said.remembered:
                kept = Remembered(fingerprint, said.status, json.dumps(said.body), request)
                remember(db, key, kept, now)
        self._wrong.pause(Kind.SLOW_AFTER, asked.method, asked.path)
        return said

    def _fingerprint(self, asked: Asked) -> str:
        text = json.dumps([asked.secret, asked.method, asked.path, sorted(asked.pairs)])
        # With a secret of this file's own: an account number must not be found by trying.
        secret = self._store.fact("secret").encode()
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _done(books: Ledger, call: Call, ids: tuple[str, ...], asked: Asked) -> Said:
    params = Params(tree(asked.pairs))
    paths = params.texts("expand")
    said = call(books, ids, params)
    params.nothing_else()
    return Said(said.status, expand(books, _copy(said.body), paths), said.headers, said.remembered)


def _replayed(first: Remembered, fingerprint: str, key: str) -> Said:
    if not hmac.compare_digest(first.fingerprint, fingerprint):
        raise Fault(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{key}' if you meant to execute a"
            " different request.",
            kind="idempotency_error",
        )
    headers = {"Idempotent-Replayed": "true", "Original-Request": first.request}
    return Said(first.status, json.loads(first.body), headers)


def _admit(asked: Asked) -> None:
    if not asked.secret:
        raise Fault(401, "You did not provide an API key.")
    if asked.secret == PUBLIC_KEY:
        if (asked.method, asked.path) != _OPEN_TO_ALL:
            raise Fault(
                403,
                "This API call cannot be made with a publishable API key. Please use a secret API"
                " key.",
                code="secret_key_required",
            )
    elif not TRAINING_KEY.fullmatch(asked.secret):
        # Not even the end of the key is repeated: it may be a real one, sent here by mistake.
        raise Fault(
            401,
            "Invalid API Key provided. This is the training gateway: it takes keys that begin"
            " with sk_test_training, and never a live one.",
        )


def new_request_id() -> str:
    """Make what a request is called by in a question to the gateway's people."""
    return f"req_{secrets.token_hex(7)}"


def _copy(body: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(body))
    return copied


_STUMBLED: Final = Said(
    500,
    {"error": {"type": "api_error", "message": "Sorry! There was an error while talking to"
               " one of our backends."}},
)  # fmt: skip
