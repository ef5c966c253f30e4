"""E-mails to members: the server's address, what it answers, and who hears a password."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from console.clients.http import Unreachable
from console.clients.mail import BadMailServer, Bounced, Mail
from tests.servers import free_port

SENDER = "office@coop.example"


class Letters:
    """Takes every e-mail but those to “nobody”."""

    def __init__(self) -> None:
        self.to: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if any(str(one).startswith("nobody") for one in envelope.rcpt_tos):
            return "550 5.1.1 User unknown"
        self.to += [str(one) for one in envelope.rcpt_tos]
        return "250 taken"

    def let_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"kettle")


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def server(letters: Letters) -> Iterator[str]:
    controller = Controller(
        letters, hostname="127.0.0.1", port=free_port(), authenticator=letters.let_in,
        auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    yield f"127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def encrypted(letters: Letters, tmp_path: Path) -> Iterator[str]:
    """A server that speaks TLS from the first byte, with a certificate nobody vouches for."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", free_port()))

    def answer() -> None:
        with suppress(OSError):
            raw, _ = listening.accept()
            with raw, context.wrap_socket(raw, server_side=True) as caller:
                letters.to.append(caller.recv(100).decode())

    answering = threading.Thread(target=answer)
    answering.start()
    yield f"localhost:{listening.getsockname()[1]}"
    listening.close()
    answering.join()


@pytest.mark.parametrize(
    ("address", "host", "port", "encrypted"),
    [
        ("smtp://mail.example.org", "mail.example.org", 25, False),
        ("smtp://mail.example.org:587", "mail.example.org", 587, False),
        ("smtps://mail.example.org", "mail.example.org", 465, True),
    ],
)
def test_a_servers_address_is_read(address, host, port, encrypted):
    mail = Mail.at(address, SENDER)
    assert (mail.host, mail.port, mail.encrypted) == (host, port, encrypted)


def test_login_and_password_are_read_and_not_shown():
    mail = Mail.at("smtps://office%40coop:ket%2Ftle@mail.example.org", SENDER)
    assert (mail.login, mail.password) == ("office@coop", "ket/tle")
    assert "ket" not in repr(mail)


@pytest.mark.parametrize(
    "address", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://a:secret@b:port"]
)
def test_an_address_of_no_use_is_refused_without_its_password(address):
    with pytest.raises(BadMailServer, match="must look like smtp://") as caught:
        Mail.at(address, SENDER)
    assert "secret" not in str(caught.value)


def test_an_e_mail_arrives(server, letters):
    reply = Mail.at(f"smtp://{server}", SENDER).send("rose@example.org", "Hello", "A word.")
    assert letters.to == ["rose@example.org"]
    assert reply.startswith("250")


def test_a_refused_one_has_bounced(server):
    with pytest.raises(Bounced) as caught:
        Mail.at(f"smtp://{server}", SENDER).send("nobody@example.org", "Hello", "A word.")
    assert "User unknown" in caught.value.reply


def test_a_server_that_wants_a_login_gets_it(server, letters):
    Mail.at(f"smtp://office:kettle@{server}", SENDER).send("rose@example.org", "Hello", "A word.")
    assert letters.logins[0] == (b"office", b"kettle")
    with pytest.raises(Unreachable):
        Mail.at(f"smtp://office:wrong@{server}", SENDER).send("rose@example.org", "Hello", "No.")
    assert letters.to == ["rose@example.org"]


def test_a_server_that_nobody_vouches_for_hears_nothing(encrypted, letters):
    with pytest.raises(Unreachable):
        Mail.at(f"smtps://{encrypted}", SENDER).send("rose@example.org", "Hello", "A word.")
    assert letters.to == []
