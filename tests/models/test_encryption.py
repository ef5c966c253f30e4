"""A server elsewhere proves who it is before it is told a password."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from console.models.base import connect
from console.models.encryption import NamesNoServer, encrypted
from tests.servers import find_debians, free_port, run

HOST = "db.coop.example"


@dataclass(frozen=True)
class Server:
    """A server with a certificate for one name, signed by an authority of its own."""

    port: int
    root: Path

    def url(self, host: str, login: str = "teller:kettle", **query: str) -> str:
        asked = {"hostaddr": "127.0.0.1", "sslrootcert": str(self.root), **query}
        words = "&".join(f"{name}={value}" for name, value in asked.items())
        return f"postgresql://{login}@{host}:{self.port}/postgres?{words}"


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def _certify(folder: Path) -> None:
    """Make an authority, and a certificate of the server that it has signed."""
    subject = ("-subj", "/CN=The co-op's own authority")
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    _openssl(
        *new, "-x509", "-days", "2", *subject,
        "-keyout", f"{folder}/root.key", "-out", f"{folder}/root.crt",
    )  # fmt: skip
    names = folder / "names"
    names.write_text(f"subjectAltName=DNS:{HOST}")
    _openssl(
        *new, "-subj", f"/CN={HOST}", "-keyout", f"{folder}/server.key", "-out", f"{folder}/asked",
    )  # fmt: skip
    _openssl(
        "x509", "-req", "-in", f"{folder}/asked", "-days", "2", "-CA", f"{folder}/root.crt",
        "-CAkey", f"{folder}/root.key", "-CAcreateserial", "-extfile", str(names),
        "-out", f"{folder}/server.crt",
    )  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    find_debians()
    folder = Path(tempfile.mkdtemp(prefix="coop-tls-"))
    _certify(folder)
    data, port = folder / "data", free_port()
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, postgres.pw_uid, postgres.pw_gid)
    (folder / "server.key").chmod(0o600)
    run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync")
    # As docs/server.md tells: no connection from elsewhere without TLS and a password.
    (data / "pg_hba.conf").write_text(
        "local all all trust\nhostssl all teller all scram-sha-256\nhost all all all reject\n"
    )
    options = (
        f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c ssl=on "
        f"-c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key"
    )
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        told = "CREATE ROLE teller LOGIN PASSWORD 'kettle'"
        run("psql", "-h", str(folder), "-p", str(port), "-U", "postgres", "-c", told)
        yield Server(port, folder / "root.crt")
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _asks(url: str) -> bool:
    """Tell whether the connection is encrypted; raises where there is none."""
    records = connect(url)
    try:
        with records.engine.connect() as connection:
            asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            return bool(connection.exec_driver_sql(asked).scalar())
    finally:
        records.close()


def test_a_server_with_the_right_certificate_is_spoken_to(server):
    assert _asks(server.url(HOST))


def test_what_the_address_asks_for_makes_it_no_weaker(server):
    assert _asks(server.url(HOST, sslmode="disable"))


def test_a_server_that_goes_by_another_name_is_not(server):
    with pytest.raises(OperationalError, match="does not match host name"):
        _asks(server.url("elsewhere.coop.example"))


def test_a_server_that_a_stranger_certified_is_not(server):
    with pytest.raises(OperationalError, match="certificate verify failed"):
        _asks(server.url(HOST, sslrootcert="system"))


def test_a_wrong_password_is_refused(server):
    with pytest.raises(OperationalError, match="password authentication failed"):
        _asks(server.url(HOST, login="teller:guess"))


def test_a_connection_in_the_clear_is_refused_by_the_server_too(server):
    with pytest.raises(OperationalError, match="no encryption"):
        _asks(server.url("127.0.0.1", sslmode="disable"))


PLAIN = "postgresql:///coop"


def _mode(address: str) -> object:
    return encrypted(make_url(address)).query.get("sslmode")


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://db.example.org/coop?sslmode=require",
        "postgresql://db.example.org/coop?sslmode=disable&hostaddr=127.0.0.1",
        "postgresql:///coop?host=localhost&hostaddr=10.0.0.7",
        "postgresql:///coop?host=/run/postgresql&host=db.example.org",
        "postgresql://localhost/coop?host=db.example.org",
    ],
)
def test_no_address_of_a_server_elsewhere_weakens_it(address):
    assert _mode(address) == "verify-full"


def test_a_server_of_this_machine_needs_no_certificate():
    for here in (PLAIN, "postgresql://localhost/coop", "postgresql:///coop?hostaddr=127.0.0.1"):
        assert _mode(here) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGHOST", "db.example.org"),
        ("PGHOST", "localhost,db.example.org"),
        ("PGHOSTADDR", "10.0.0.7"),
    ],
)
def test_a_server_that_only_the_environment_names_proves_who_it_is(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGGSSENCMODE", "prefer")
    assert _mode(PLAIN) == "verify-full"
    assert encrypted(make_url(PLAIN)).query["gssencmode"] == "disable"


def test_the_address_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.example.org")
    assert _mode("postgresql://localhost/coop") is None
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.7")
    assert _mode("postgresql://localhost/coop") == "verify-full"
    assert _mode("postgresql://localhost/coop?hostaddr=127.0.0.1") is None


def test_the_authority_that_the_environment_names_is_kept(monkeypatch):
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/coop/root.crt")
    assert "sslrootcert" not in encrypted(make_url("postgresql://db.example.org/coop")).query
    monkeypatch.delenv("PGSSLROOTCERT")
    monkeypatch.setattr("console.models.encryption._OWN_ROOTS", Path("/nowhere/root.crt"))
    asked = encrypted(make_url("postgresql://db.example.org/coop"))
    assert asked.query["sslrootcert"] == "system"


@pytest.mark.parametrize("words", ["service=office", "conninfo=host%3Ddb.example.org"])
def test_an_address_that_does_not_name_its_server_is_refused(words):
    with pytest.raises(NamesNoServer, match="Name the server itself"):
        connect(f"{PLAIN}?{words}")


def test_a_service_of_the_environment_is_looked_into(monkeypatch, tmp_path):
    file = tmp_path / "services"
    file.write_text("[office]\nhost=db.example.org\nsslmode=disable\n[here]\nhost=localhost\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "office")
    assert _mode(PLAIN) == "verify-full"
    monkeypatch.setenv("PGSERVICE", "here")
    assert _mode(PLAIN) is None


def test_an_impostor_that_the_environment_names_is_told_nothing(server, monkeypatch):
    address = f"postgresql://teller:kettle@/postgres?sslrootcert={server.root}"
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(server.port))
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGHOST", HOST)
    assert _asks(address)
    monkeypatch.setenv("PGHOST", "elsewhere.coop.example")
    with pytest.raises(OperationalError, match="does not match host name"):
        _asks(address)
