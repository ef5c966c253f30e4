"""`main.py sandbox` as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.cli import training
from console.clients.http import Unreachable
from console.clients.portal import Portal
from console.sandbox import portal
from tests.stand_ins import ACCOUNTS, DELONG, STAFF, register

MAIN = Path(__file__).parents[2] / "main.py"


@contextmanager
def sandbox(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    with subprocess.Popen(
        [sys.executable, str(MAIN), "sandbox", "--json", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def test_it_serves_both_until_standard_input_closes(tmp_path):
    portal.seed(tmp_path / "portal.sqlite", ACCOUNTS)
    with sandbox("--data", str(tmp_path), "--until-stdin-closes") as (process, told):
        client = Portal(told["portal"], portal.TOKEN, "desk 1")
        assert client.check_registration(DELONG, "DeLong", staff=STAFF).passes
        assert told.keys() == {"portal", "mailbox", "smtp", "gateway"}
        process.communicate(timeout=30)
        assert process.returncode == 0
        with pytest.raises(Unreachable):
            client.health()
        client.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_happened_outlasts_any_end(tmp_path, how):
    portal.seed(tmp_path / "portal.sqlite", ACCOUNTS)
    with sandbox("--data", str(tmp_path)) as (process, told):
        client = Portal(told["portal"], portal.TOKEN, "desk 1")
        site = type("Site", (), {"url": told["portal"]})
        assert register(site, name="De Long") == "name_mismatch"
        process.send_signal(how)
        process.communicate(timeout=30)
        assert process.returncode == (-how if how is signal.SIGKILL else 0)
        client.close()
    with sandbox("--data", str(tmp_path)) as (_, told):
        client = Portal(told["portal"], portal.TOKEN, "desk 1")
        assert [a.name for a in client.attempts(staff=STAFF).attempts] == ["De Long"]
        client.close()


def test_a_port_that_is_taken_is_a_sentence(tmp_path):
    with sandbox() as (_, told):
        port = told["portal"].rsplit(":", 1)[1]
        second = subprocess.run(
            [sys.executable, str(MAIN), "sandbox", "--portal-port", port],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert second.returncode == 1
    assert "could not be taken" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("name", ["portal.sqlite", "mailbox.sqlite"])
def test_records_that_are_none_are_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a database at all" * 100)
    done = subprocess.run(
        [sys.executable, str(MAIN), "sandbox", "--data", str(tmp_path)],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [["--portal-port", "70000"], ["--portal-port", "x"], ["--misbehave", "badly"]]
)
def test_misuse_is_exit_status_2(words):
    done = subprocess.run(
        [sys.executable, str(MAIN), "sandbox", *words], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_training_console_carries_the_right_token():
    assert training.TOKEN == portal.TOKEN


def test_it_can_go_wrong_from_the_start():
    with sandbox("--misbehave", "down") as (_, told):
        client = Portal(told["portal"], portal.TOKEN, "desk 1")
        with pytest.raises(Unreachable, match="down or busy"):
            client.health()
        client.close()
