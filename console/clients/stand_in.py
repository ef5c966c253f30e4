"""The switches of the training co-op's stand-in portal; no real portal has them."""

from __future__ import annotations

from console.clients.http import Server


class StandIn:
    """Makes the stand-in portal misbehave, for practice."""

    def __init__(self, url: str) -> None:
        self._server = Server("training portal", url, "", headers={"X-Sandbox": "console"})

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
