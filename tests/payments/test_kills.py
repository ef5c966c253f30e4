"""SIGKILL at every step of a payment, whatever the gateway does: charged once, recorded once."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from console.sandbox import gateway
from tests.conftest import ENGINES
from tests.servers import server_folder

ROOT = Path(__file__).parents[2]
_FULL = 25_000


@contextmanager
def campaign(url, seed, kills, seconds):
    """Let a lane run beside this process: payments of its own, at a gateway of its own."""
    folder = server_folder("coop-kills-")
    with gateway.running(folder / "gateway.sqlite") as till:
        words = [url, till.url, str(seed), str(kills), str(seconds)]
        lane = subprocess.Popen(
            [sys.executable, "-m", "tests.payments.killing", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield lane
        finally:
            # Its sleeping children too; its group is its own.
            with suppress(ProcessLookupError):
                os.killpg(lane.pid, signal.SIGKILL)
            lane.wait()
    shutil.rmtree(folder, ignore_errors=True)


def told(lane, seconds):
    out, _ = lane.communicate(timeout=seconds)
    assert lane.returncode == 0
    return json.loads(out)


def check(counts):
    assert counts["faults"] == {}
    assert counts["charged"] > 0
    assert counts["points"] > 20


def test_hundreds_of_kills_leave_nothing_double_lost_invented_or_open(database_url):
    with campaign(database_url, 1, 150, 6) as lane:
        counts = told(lane, 120)
    check(counts)
    assert counts["kills"] >= 10  # how many depends on the machine


@pytest.mark.soak
def test_25_000_kills(tmp_path, sqlite_template, postgresql_server, capsys, request):
    lanes = {}
    each = _FULL // len(ENGINES)
    with ExitStack() as open_:
        for seed, url in enumerate(_databases(request, tmp_path, sqlite_template)):
            lanes[url] = open_.enter_context(campaign(url, 100 + seed, each, 3 * 3600))
        for url, lane in lanes.items():
            counts = told(lane, 4 * 3600)
            with capsys.disabled():
                print(f"\n{url.split(':')[0]}: {json.dumps(counts)}")  # noqa: T201
            check(counts)
            assert counts["kills"] >= each
            assert counts["behaviours"] == 24


def _databases(request, tmp_path, sqlite_template):
    file = tmp_path / "killed.db"
    shutil.copyfile(sqlite_template, file)
    yield f"sqlite:///{file}"
    yield request.getfixturevalue("killed_postgresql")


@pytest.fixture
def killed_postgresql(postgresql_server, postgresql_template):
    from sqlalchemy.engine import make_url

    from tests.conftest import _tell

    name = f"killed_{os.getpid()}"
    _tell(postgresql_server, f'CREATE DATABASE "{name}" TEMPLATE "{postgresql_template}"')
    yield make_url(postgresql_server).set(database=name).render_as_string(False)
    _tell(postgresql_server, f'DROP DATABASE "{name}" WITH (FORCE)')
