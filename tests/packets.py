"""Drops every packet of one port of this machine, as a pulled cable does."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import free_port

_OURS = "coop-console-test-"
"""Begins the comment of each rule; the id of the process that made it follows."""


def find_iptables() -> None:
    """Report the tests as not run where no packet can be dropped."""
    if os.geteuid() != 0:
        pytest.skip("not run: only root may drop packets")
    if shutil.which("iptables") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("iptables is not installed, and CI must run these tests")
        pytest.skip("not run: iptables is not installed")
    try:
        _sweep()
        with dropping(free_port()):
            pass
    except subprocess.CalledProcessError as error:
        # A container may forbid it, in CI as well.
        pytest.skip(f"not run: the kernel drops no packets for us here: {error.stderr.strip()}")


@contextmanager
def dropping(port: int) -> Iterator[None]:
    """Drop what goes to a port of the loopback and what comes from it; nobody is told."""
    comment = ("-m", "comment", "--comment", f"{_OURS}{os.getpid()}")
    rules = [
        ("INPUT", "-i", "lo", "-p", "tcp", end, str(port), *comment, "-j", "DROP")
        for end in ("--dport", "--sport")
    ]
    try:
        for rule in rules:
            _iptables("-A", *rule)
        yield
    finally:
        for rule in rules:
            _iptables("-D", *rule, check=False)


def _sweep() -> None:
    """Take away what a test has left that was killed; others may be running beside this one."""
    for line in _iptables("-S", "INPUT").splitlines():
        words = shlex.split(line)
        for word in words:
            if word.startswith(_OURS) and not Path("/proc", word.removeprefix(_OURS)).exists():
                _iptables("-D", *words[1:])


def _iptables(*words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["iptables", "--wait", "10", *words], check=check, capture_output=True, text=True
    )
    return done.stdout
