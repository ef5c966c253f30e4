"""The switches of the training co-op's stand-ins; no real portal and no real gateway has them."""

from __future__ import annotations

import requests

from console.clients.http import Server


class StandIn:
    """Makes a stand-in misbehave, for practice."""

    def __init__(self, url: str, name: str = "training portal") -> None:
        self._server = Server(name, url, "", headers={"X-Sandbox": "console"})

    def misbehave(self, kind: str, seconds: float = 0) -> None:
        """Go wrong in one way until told to behave."""
        body = {"kind": kind, "path": "/v1/", "seconds": seconds}
        self._server.call("POST", "/sandbox/misbehave", body=body, repeatable=True)

    def behave(self) -> None:
        """Work as it should again."""
        self._server.call("POST", "/sandbox/behave", body={}, repeatable=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()


def pay_on(page: str, *, name: str) -> None:
    """Fill the training gateway's page in with its practice card, as somebody does in a browser."""
    card = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": name}
    requests.post(page, data=card, timeout=15).raise_for_status()
