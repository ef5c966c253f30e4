"""Sends one e-mail by SMTP and says what became of it."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import format_datetime, formataddr, make_msgid

from console.clients.http import Unreachable
from console.domain.errors import ConsoleError


class Bounced(ConsoleError):
    """The other mail server refused the e-mail; its own reply is in `reply`."""

    def __init__(self, reply: str) -> None:
        super().__init__("The e-mail came back. Ask for the address letter by letter.")
        self.reply = reply


@dataclass(frozen=True)
class Mail:
    """A mail server to send through, and who the sender is."""

    host: str
    port: int
    sender: str
    sender_name: str = ""
    seconds: float = 10.0

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
            with smtplib.SMTP(self.host, self.port, timeout=self.seconds) as server:
                server.ehlo_or_helo_if_needed()
                self._step(server.mail(self.sender))
                self._step(server.rcpt(to))
                return self._step(server.data(letter.as_bytes(policy=SMTP_LINES)))
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(
                "The mail server does not answer, so the e-mail was not sent. Try again shortly."
            ) from error

    @staticmethod
    def _step(answer: tuple[int, bytes]) -> str:
        reply = f"{answer[0]} {answer[1].decode(errors='replace')}"
        if answer[0] >= 400:
            raise Bounced(reply)
        return reply
