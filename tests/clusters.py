"""Two PostgreSQL servers of Debian's that copy each other."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.proxies import Proxy
from tests.servers import SUPERUSER, free_port, run, server_folder


@dataclass
class Pair:
    """A primary and the standby that copies it."""

    folder: Path
    ports: tuple[int, int]
    copying: Proxy
    """What the standby copies through."""

    def url(self, *ports: int) -> str:
        """Answer the address of both, or of the named ports."""
        used = ports or self.ports
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in used)
        return f"postgresql+psycopg://{SUPERUSER}@/office?{hosts}"

    def kill_the_primary(self) -> None:
        """End the primary as a power cut does."""
        file = self.folder / "one" / "postmaster.pid"
        os.kill(int(file.read_text().split()[0]), signal.SIGKILL)

    def stop_the_standby(self) -> None:
        """End the standby in good order."""
        run("pg_ctl", "-D", str(self.folder / "two"), "-m", "fast", "-w", "stop")

    def start_the_standby(self) -> None:
        """Start the standby again."""
        _start(self, "two", self.ports[1])

    def promote(self) -> None:
        """Let the standby take writes."""
        run("pg_ctl", "-D", str(self.folder / "two"), "-w", "promote")

    def tell(self, statement: str, database: str = "postgres") -> None:
        """Run one statement on the primary."""
        with psycopg.connect(
            host="127.0.0.1", port=self.ports[0], user=SUPERUSER, dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # a fixed text of a test


@contextmanager
def running_pair(*, synchronous: bool = True) -> Iterator[Pair]:
    """Run a primary and its standby; a synchronous one has every commit first."""
    folder = server_folder("coop-pair-")
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    ports = free_port(), free_port()
    pair = Pair(folder, ports, Proxy(ports[0]))
    one, two = str(folder / "one"), str(folder / "two")
    run("initdb", "-D", one, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
    try:
        _start(pair, "one", pair.ports[0])
        # A synchronous standby copies straight: its commits are timed.
        source = f"host=127.0.0.1 port={ports[0] if synchronous else pair.copying.port}"
        source += f" user={SUPERUSER} application_name=two"
        run("pg_basebackup", "-D", two, "-R", "-X", "stream", "-c", "fast", "-d", source)
        _start(pair, "two", pair.ports[1])
        if synchronous:
            pair.tell("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (two)'")
            pair.tell("SELECT pg_reload_conf()")
        pair.tell("CREATE DATABASE office")
        yield pair
    finally:
        pair.copying.close()
        for name in ("one", "two"):
            with suppress(Exception):  # one of them may have been killed
                run("pg_ctl", "-D", str(folder / name), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _start(pair: Pair, name: str, port: int) -> None:
    options = f"-p {port} -k {pair.folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
    # As the guide sets it: with PostgreSQL's own 5 s, a promotion may be slept over for as long.
    options += " -c wal_retrieve_retry_interval=500ms"
    data = str(pair.folder / name)
    run("pg_ctl", "-D", data, "-w", "-l", str(pair.folder / f"{name}.log"), "-o", options, "start")
