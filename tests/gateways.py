"""Payment gateways for the tests: our training gateway, and two that nobody here wrote."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from console.clients.stripe_gateway import StripeGateway
from console.sandbox import gateway
from console.sandbox.serving import HOST, listening_socket

MOCK = Path(sys.prefix) / "node" / "node_modules" / "stripe-stateful-mock"

# Each ends with its standard input, so that nothing is left over when the tests are killed.
_LOCALSTRIPE = """
import os, sys, threading
from aiohttp import web
from localstripe import resources, server
resources.store.dump_to_disk = lambda: None
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
_STATEFUL_MOCK = """
process.stdin.resume(); process.stdin.on("end", () => process.exit());
require(process.argv[1]).createExpressApp().listen(+process.argv[2], "127.0.0.1");
"""


_TRAINING = """
import os, sys, threading
from console.sandbox import gateway
with gateway.running(sys.argv[1], port=int(sys.argv[2])):
    sys.stdin.read()
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **step: float) -> None:
        """Move on."""
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    """The time of the gateway and of its caller."""
    return Clock()


@pytest.fixture
def till(tmp_path: Path, clock: Clock) -> Iterator[gateway.RunningGateway]:
    """A training gateway of this test's own."""
    with gateway.running(tmp_path / "gateway.sqlite", clock=clock) as running:
        yield running


@pytest.fixture
def client(till: gateway.RunningGateway, clock: Clock) -> Iterator[StripeGateway]:
    """A courier's client of `till`; it gives up after a few seconds."""
    client = StripeGateway(till.url, till.key, deadline=5, clock=clock)
    yield client
    client.close()


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    """Adrien Vergé's localstripe, in a process of its own."""
    if find_spec("localstripe") is None:
        not_run("localstripe is not installed")
    with _process([sys.executable, "-c", _LOCALSTRIPE]) as (url, _):
        yield url


@pytest.fixture(scope="module")
def stateful_mock() -> Iterator[str]:
    """Pushplay's stripe-stateful-mock, in a process of its own."""
    node = shutil.which("node")
    if node is None:
        not_run("node is not installed")
    if not MOCK.is_dir():
        not_run(f"stripe-stateful-mock is not in {MOCK.parent}")
    with _process([str(node), "-e", _STATEFUL_MOCK, str(MOCK)]) as (url, _):
        yield url


def not_run(why: str) -> None:
    """Report a test as not run; where everything must run, that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and CI must run these tests")
    pytest.skip(f"not run: {why}")


def pay_on(url: str, **fields: str) -> requests.Response:
    """Fill in a payment page as a member would."""
    form = {"number": "4242 4242 4242 4242", "expiry": "04 / 31", "cvc": "123",
            "name": "Rose DeLong", **fields}  # fmt: skip
    return requests.post(url, data=form, timeout=10)


@contextmanager
def gateway_process(file: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve a training gateway from a process of its own, which a test may kill."""
    with _process([sys.executable, "-c", _TRAINING, str(file)]) as started:
        yield started


@contextmanager
def _process(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with listening_socket() as taken:
        port = taken.getsockname()[1]
    quiet = {**os.environ, "LOG_LEVEL": "silent", "PYTHONWARNINGS": ""}
    with subprocess.Popen(
        [*command, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=quiet,
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            _wait_for(port, process)
            yield f"http://{HOST}:{port}", process
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the stranger ended at once, with {process.returncode}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the stranger did not come up")
