"""E-mails to members: the server's address, what it answers, and who hears a password."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from console.clients.http import Unreachable
from console.clients.mail import SECONDS, BadMailServer, Bounced, Deferred, Mail, NotLetIn
from console.domain.courier import LEASE
from console.domain.errors import ConsoleError
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
        return AuthResult(success=given.password == b"kettle", handled=False)


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


class Scripted:
    """A server that answers each command as it is told to, and counts the letters it took."""

    def __init__(self, answers: dict[str, str], drip: float = 0.0) -> None:
        self.taken = 0
        self._answers, self._drip = answers, drip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._answering = threading.Thread(target=self._answer)
        self._answering.start()

    def _answer(self) -> None:
        with suppress(OSError):
            caller, _ = self._listening.accept()
            with caller, caller.makefile("rb") as lines:
                self._say(caller, "", "220 ready")
                for line in lines:
                    verb = line.split()[0].decode().upper()
                    usual = {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 well")
                    said = self._say(caller, verb, usual)
                    if verb == "DATA" and said.startswith("354"):
                        while next(lines) != b".\r\n":
                            pass
                        self.taken += self._say(caller, ".", "250 taken").startswith("250")

    def _say(self, caller: socket.socket, verb: str, usual: str) -> str:
        said = self._answers.get(verb, usual)
        if not said:
            caller.close()
            raise OSError("it hangs up")
        for byte in f"{said}\r\n".encode():
            caller.sendall(bytes([byte]))
            time.sleep(self._drip)
        return said

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._answering.join()


@contextmanager
def scripted(answers: dict[str, str], drip: float = 0.0) -> Iterator[Scripted]:
    server = Scripted(answers, drip)
    yield server
    server.close()


def send_to(server: Scripted, seconds: float = SECONDS, login: str = "") -> str:
    mail = Mail("127.0.0.1", server.port, SENDER, seconds=seconds, login=login, password="kettle")
    return mail.send("rose@example.org", "Hello", "A word.")


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
    with pytest.raises(NotLetIn, match="its mail settings"):
        Mail.at(f"smtp://office:wrong@{server}", SENDER).send("rose@example.org", "Hello", "No.")
    assert letters.to == ["rose@example.org"]


def test_a_server_that_nobody_vouches_for_hears_nothing(encrypted, letters):
    with pytest.raises(NotLetIn, match="certificate that nobody here vouches for"):
        Mail.at(f"smtps://{encrypted}", SENDER).send("rose@example.org", "Hello", "A word.")
    assert letters.to == []


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"RCPT": "550 5.1.1 User unknown"}, Bounced),
        ({".": "554 5.7.1 Refused"}, Bounced),
        ({"DATA": "554 no"}, Bounced),
        ({"RCPT": "450 4.2.0 Greylisted, come back"}, Deferred),
        ({".": "451 4.3.0 Not now"}, Deferred),
        ({"DATA": "452 4.3.1 Disk full"}, Deferred),
        ({"MAIL": "530 5.7.0 Sign in first"}, NotLetIn),
        ({"MAIL": "550 5.7.1 Sender refused"}, NotLetIn),
        ({"": "554 5.7.1 You are on a list"}, NotLetIn),
        ({"EHLO": "502 what", "HELO": "550 Go away"}, NotLetIn),
        ({"EHLO": "250-hello\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 Wrong"}, NotLetIn),
        ({"EHLO": "250-hello\r\n250 AUTH PLAIN", "AUTH": "454 4.7.0 Later"}, Unreachable),
        ({"EHLO": "250-hello\r\n250 AUTH NEW-KIND"}, NotLetIn),
        ({"EHLO": "250-hello\r\n250 SIZE"}, NotLetIn),
        ({"MAIL": "451 4.3.0 Later"}, Unreachable),
        ({"": "421 Too many"}, Unreachable),
        ({"RCPT": "421 I am leaving"}, Unreachable),
        ({".": "nonsense"}, Unreachable),
        ({".": ""}, Unreachable),
    ],
)
def test_who_is_to_blame_and_for_how_long(answers, problem):
    with scripted(answers) as server, pytest.raises(ConsoleError) as caught:
        send_to(server, login="office" if "EHLO" in answers else "")
    assert caught.type is problem
    assert server.taken == 0


@pytest.mark.parametrize("goodbye", ["", "500 what", "nonsense"])
def test_what_was_taken_is_taken_however_the_server_leaves(goodbye):
    with scripted({"QUIT": goodbye}) as server:
        assert send_to(server) == "250 taken"
    assert server.taken == 1


@pytest.mark.parametrize("dripping", ["", "EHLO", "RCPT", "."])
def test_a_server_that_drips_is_left_before_the_lease_is_over(dripping):
    slow = {dripping: f"{'220' if not dripping else '250'} {'.' * 60}"}
    with scripted(slow, drip=0.05) as server, pytest.raises(Unreachable) as caught:
        send_to(server, seconds=1.0)
    assert caught.type is Unreachable
    assert LEASE.total_seconds() > 2 * SECONDS
