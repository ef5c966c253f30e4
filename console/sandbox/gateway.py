"""The training gateway: Stripe's documented calls, a payment page, and ways to go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from console.sandbox.gateway_calls import Calls
from console.sandbox.gateway_control import Control, behave, misbehave, tally
from console.sandbox.gateway_door import Door
from console.sandbox.gateway_keys import Till
from console.sandbox.gateway_pages import Pages
from console.sandbox.gateway_store import GatewayStore
from console.sandbox.gateway_wrongs import Kind, Spell, Wrongs
from console.sandbox.serving import WebServer, guard, pages_of, serving

__all__ = ["KEY", "GatewayStore", "Kind", "RunningGateway", "create_app", "running"]

KEY: Final = "sk_test_training"
"""What the training courier shows at the door; it opens nothing but made-up money."""


def create_app(store: GatewayStore, coop_name: str, wrong: Wrongs | None = None) -> Flask:
    """Build the gateway on its books."""
    folder = pages_of("gateway")
    app = Flask("gateway", template_folder=str(folder), static_folder=str(folder / "static"))
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024)
    guard(app)
    wrong = wrong or Wrongs()
    till = Till(store, Calls(lambda: request.host_url.rstrip("/")), wrong)
    app.register_blueprint(Door(till, wrong, store.now).blueprint())
    app.register_blueprint(Pages(store, coop_name).blueprint())
    app.register_blueprint(Control(store, wrong).blueprint())
    app.register_error_handler(HTTPException, _fault)
    return app


def _fault(fault: HTTPException) -> Response:
    if request.path.startswith(("/v1/", "/sandbox/")):
        message = f"{fault.code}: {fault.description}"
        answer = jsonify(error={"type": "invalid_request_error", "message": message})
        answer.status_code = fault.code or 500
        return answer
    return Response(render_template("fault.html", fault=fault), fault.code or 500)


@dataclass(frozen=True)
class RunningGateway:
    """A training gateway that answers, with the switches a test wants at hand."""

    web: WebServer
    store: GatewayStore
    wrong: Wrongs

    @property
    def url(self) -> str:
        """Where the calls and the payment pages are."""
        return self.web.url

    @property
    def key(self) -> str:
        """What opens the calls."""
        return KEY

    def misbehave(
        self,
        kind: Kind,
        path: str = "/v1/",
        method: str = "",
        times: int | None = None,
        seconds: float = 0,
    ) -> None:
        """Go wrong in one way until used up or told to behave."""
        misbehave(self.store, self.wrong, Spell(kind, path, method, times, seconds))

    def behave(self) -> None:
        """Switch every misbehaviour off and open the port again."""
        behave(self.store, self.wrong)
        self.web.open()

    def advance(self, seconds: float) -> None:
        """Move the gateway's clock on."""
        self.store.advance(seconds)

    def tally(self, reference: str = "payment") -> dict[str, Any]:
        """Count what moved money, by our reference."""
        return tally(self.store, reference)


@contextmanager
def running(
    store_path: str | Path,
    *,
    coop_name: str = "Cedar Fork Electric Cooperative",
    clock: Callable[[], datetime] | None = None,
    port: int = 0,
) -> Iterator[RunningGateway]:
    """Serve the training gateway on the loopback address until the block ends."""
    with closing(GatewayStore(str(store_path), clock or _now)) as store:
        wrong = Wrongs()
        app = create_app(store, coop_name, wrong)
        with serving(app, port) as web:
            app.extensions["web_server"] = web
            yield RunningGateway(web, store, wrong)


def _now() -> datetime:
    return datetime.now(UTC)
