"""Sends one e-mail by SMTP and says what became of it."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import format_datetime, formataddr, make_msgid
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from console.clients.http import Unreachable
from console.domain.errors import ConsoleError


class Bounced(ConsoleError):
    """The other mail server refused the e-mail; its own reply is in `reply`."""

    def __init__(self, reply: str) -> None:
        super().__init__("The e-mail came back. Ask for the address letter by letter.")
        self.reply = reply


class BadMailServer(ConsoleError):
    """The mail server's address in the settings cannot be used."""

    def __init__(self, address: str) -> None:
        # An address may hold a password, which is not shown.
        super().__init__(
            "The mail server in the settings must look like smtp://mail.example.org:587."
        )


@dataclass(frozen=True)
class Mail:
    """A mail server to send through, and who the sender is."""

    host: str
    port: int
    sender: str
    sender_name: str = ""
    seconds: float = 10.0
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
        self, to: str, subject: str, text: str, html: str | None = None, at: datetime | None = None
    ) -> str:
        """Send one e-mail and return the server's reply; raises Bounced or Unreachable."""
        letter = EmailMessage()
        letter["From"] = formataddr((self.sender_name, self.sender))
        letter["To"] = to
        letter["Subject"] = " ".join(subject.split())
        letter["Date"] = format_datetime(at or datetime.now(UTC))
        letter["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        letter.set_content(text)
        if html is not None:
            letter.add_alternative(html, subtype="html")
        try:
            with self._connect() as server:
                self._step(server.mail(self.sender))
                self._step(server.rcpt(to))
                return self._step(server.data(letter.as_bytes(policy=SMTP_LINES)))
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(
                "The mail server does not answer, so the e-mail was not sent. Try again shortly."
            ) from error

    def _connect(self) -> smtplib.SMTP:
        if self.encrypted:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.seconds, context=ssl.create_default_context()
            )
            server.ehlo_or_helo_if_needed()
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls") and not _is_this_machine(self.host):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
        if self.login:
            server.login(self.login, self.password)
        return server

    @staticmethod
    def _step(answer: tuple[int, bytes]) -> str:
        reply = f"{answer[0]} {answer[1].decode(errors='replace')}"
        if answer[0] >= 400:
            raise Bounced(reply)
        return reply


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
