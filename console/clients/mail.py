"""Sends one e-mail by SMTP and says what became of it."""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import format_datetime, formataddr, make_msgid
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from console.clients.http import Unreachable
from console.domain.errors import ConsoleError


class Bounced(ConsoleError):
    """The other mail server refused the e-mail; its own reply is in `reply`."""

    def __init__(self, reply: str) -> None:
        super().__init__("The e-mail came back. Ask for the address letter by letter.")
        self.reply = reply


class Deferred(Unreachable):
    """This e-mail may not come in yet: the other side asks to try again later."""


class NotLetIn(Unreachable):
    """The mail server takes no e-mail from this office: its settings must be looked at."""


class BadMailServer(ConsoleError):
    """The mail server's address in the settings cannot be used."""

    def __init__(self, address: str) -> None:
        # An address may hold a password, which is not shown.
        super().__init__(
            "The mail server in the settings must look like smtp://mail.example.org:587."
        )


SECONDS: Final = 20.0
"""For everything from looking the server up to its last word; a courier's lease is far longer."""


@dataclass(frozen=True)
class Enclosure:
    """A PDF that goes with an e-mail."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """A mail server to send through, and who the sender is."""

    host: str
    port: int
    sender: str
    sender_name: str = ""
    seconds: float = SECONDS
    """How long the whole exchange may take, however many steps it has."""
    encrypted: bool = False
    """Whether the server wants TLS from the first byte, as on port 465."""
    login: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, address: str, sender: str, sender_name: str = "") -> Mail:
        """Read a server's address, such as smtp://mail.example.org:587 or smtps://mail.example.org.

        Raises BadMailServer when it is none.
        """
        try:
            url = urlsplit(address)
            port = url.port
        except ValueError as error:
            raise BadMailServer(address) from error
        if url.scheme not in ("smtp", "smtps") or not url.hostname:
            raise BadMailServer(address)
        encrypted = url.scheme == "smtps"
        return cls(
            url.hostname,
            port or (465 if encrypted else 25),
            sender,
            sender_name,
            encrypted=encrypted,
            login=unquote(url.username or ""),
            password=unquote(url.password or ""),
        )

    def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None = None,
        at: datetime | None = None,
        *,
        enclosed: Sequence[Enclosure] = (),
    ) -> str:
        """Send one e-mail and return the server's reply.

        Raises Bounced when the address is refused for good. Everything else may pass: Deferred
        concerns this e-mail, NotLetIn and Unreachable concern all of them.
        """
        letter = EmailMessage()
        letter["From"] = formataddr((self.sender_name, self.sender))
        letter["To"] = to
        letter["Subject"] = " ".join(subject.split())
        letter["Date"] = format_datetime(at or datetime.now(UTC))
        letter["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        letter.set_content(text)
        if html is not None:
            letter.add_alternative(html, subtype="html")
        for one in enclosed:
            letter.add_attachment(
                one.content, maintype="application", subtype="pdf", filename=one.name
            )
        try:
            server = self._connect()
            try:
                _let_in(*server.mail(self.sender))
                _taken(*server.rcpt(to))
                reply = _taken(*server.data(letter.as_bytes(policy=SMTP_LINES)))
                # It is taken: a server that leaves without a word has taken it all the same.
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                return reply
            finally:
                server.close()
        except smtplib.SMTPDataError as error:
            raise _not_taken(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPResponseException as error:
            raise _not_let_in(error.smtp_code) from error
        except ssl.SSLCertVerificationError as error:
            raise NotLetIn(
                "The mail server shows a certificate that nobody here vouches for, so nothing was "
                f"sent. {_LOOK}"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_SILENT) from error

    def _connect(self) -> smtplib.SMTP:
        """Connect, encrypt and sign in; what is refused here is refused to the office."""
        server: smtplib.SMTP
        if self.encrypted:
            server = _HurriedSecure(
                self.host, self.port, timeout=self.seconds, context=ssl.create_default_context()
            )
        else:
            server = _Hurried(self.host, self.port, timeout=self.seconds)
        try:
            server.ehlo_or_helo_if_needed()
            if (
                not self.encrypted
                and server.has_extn("starttls")
                and not _is_this_machine(self.host)
            ):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if self.login:
                self._sign_in(server)
        except BaseException:
            server.close()
            raise
        return server

    def _sign_in(self, server: smtplib.SMTP) -> None:
        try:
            server.login(self.login, self.password)
        except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            raise
        except smtplib.SMTPException as error:
            raise NotLetIn(
                "The mail server has no way to sign in that we know, and the settings name a "
                f"login, so nothing was sent. {_LOOK}"
            ) from error


_SILENT: Final = "The mail server does not answer, so the e-mail was not sent. Try again shortly."
_LOOK: Final = "Whoever looks after the courier must look at its mail settings."


def _let_in(code: int, _reply: bytes) -> None:
    if not 200 <= code < 300:
        raise _not_let_in(code)


def _not_let_in(code: int) -> Unreachable:
    if 500 <= code < 600:
        return NotLetIn(f"The mail server takes no e-mail from this office ({code}). {_LOOK}")
    if 400 <= code < 500:
        return Unreachable(f"The mail server asks to come back later ({code}).")
    return Unreachable(_SILENT)


def _taken(code: int, reply: bytes) -> str:
    if not 200 <= code < 300:
        raise _not_taken(code, reply)
    return _read(code, reply)


def _not_taken(code: int, reply: bytes | str) -> ConsoleError:
    if 500 <= code < 600:
        return Bounced(_read(code, reply))
    if 400 <= code < 500 and code != _CLOSING:
        return Deferred(f"The member's mail service asks to try again later ({code}).")
    return _not_let_in(code)


_CLOSING: Final = 421
"""The server itself is about to leave, whoever the e-mail is for."""


def _read(code: int, reply: bytes | str) -> str:
    return f"{code} {reply if isinstance(reply, str) else reply.decode(errors='replace')}"


# smtplib bounds each wait for bytes, not the whole: a server that drips one byte a second would
# hold a courier until its lease is over. So every wait asks how much of the time is left.


class _Hurried(smtplib.SMTP):
    """An exchange whose timeout is for all of it, from the connection on."""

    _end = 0.0

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._end = time.monotonic() + timeout
        problem = OSError("this server has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._left())
                sock.connect(address)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        raise problem

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this exchange is over")
        return left

    def send(self, s: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._left())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Hurrying(self.sock, self._left))
        return super().getreply()


class _HurriedSecure(smtplib.SMTP_SSL, _Hurried):
    """The same over TLS from the first byte."""


class _Hurrying(io.RawIOBase):
    """Reads from a socket while there is time left."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock, self._left = sock, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._left())
        return self._sock.recv_into(buffer)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
