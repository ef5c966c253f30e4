"""PostgreSQL servers that a test may fill with logins: Debian's 15 and the wheel's 18."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql/15/bin")
ROOM_FOR_SERVERS = 3_000_000_000
SUPERUSER, SUPERUSERS_PASSWORD = "postgres", "the-superuser-of-this-test"


def find_debians() -> None:
    """Report the tests as not run where Debian's PostgreSQL 15 is missing; fail there in CI."""
    if (DEBIAN / "initdb").exists():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL 15 is not installed, and CI must run these tests")
    pytest.skip("not run: PostgreSQL 15 is not installed")


def server_folder(prefix: str) -> Path:
    """Make a folder for a server that lives for one run: in memory, where there is room for it."""
    memory = Path("/dev/shm")  # a folder of its own is made in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_FOR_SERVERS
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))


@contextmanager
def running_debians(connections: int = 100) -> Iterator[str]:
    """Run a fresh server of Debian's; answers the address of its superuser."""
    folder = server_folder("coop-pg15-")
    port = free_port()
    secret = folder / "password"
    secret.write_text(SUPERUSERS_PASSWORD)
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        for path in (folder, secret):
            os.chown(path, postgres.pw_uid, postgres.pw_gid)
    data = str(folder / "data")
    run(
        "initdb", "-D", data, "-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8",
        "--no-locale", "--no-sync", f"--pwfile={secret}",
    )  # fmt: skip
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    options += f" -c max_connections={connections}"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://{SUPERUSER}:{SUPERUSERS_PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def run(program: str, *words: str) -> None:
    """Run one of the server's programs; PostgreSQL refuses to be run as root."""
    sudo = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*sudo, str(DEBIAN / program), *words],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    """Find a port below those that the system gives out by itself."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
