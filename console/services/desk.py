"""The desk every use case works at."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from console.clients.gateway import BankTeller, PaymentGateway
from console.clients.mail import BadMailServer, Mail
from console.clients.portal import Portal
from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.models.base import Records
from console.models.courier import clock_behind, may_carry
from console.settings import Settings


@dataclass(frozen=True)
class Colleague:
    """Who is signed in."""

    login: str
    name: str
    role: Role


@dataclass(frozen=True)
class Desk:
    """What a use case may reach: the records, the servers, who is asking, and the time."""

    records: Records
    portal: Portal
    colleague: Colleague
    settings: Settings = field(default_factory=Settings)
    workstation: str = field(default_factory=socket.gethostname)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    gateway: PaymentGateway | None = None
    """Where money is moved; only whoever carries has the key."""
    teller: BankTeller | None = None
    """Where a bank account told on the phone is given to; it can do nothing else."""

    @property
    def carries(self) -> bool:
        """Whether this desk brings errands to the portal itself; else a courier apart does."""
        return may_carry(self.records)

    @property
    def mail(self) -> Mail | None:
        """The mail server that members are told of changes through, if the office has one."""
        settings = self.settings
        if not (settings.mail_server and settings.mail_sender):
            return None
        return Mail.at(settings.mail_server, settings.mail_sender, settings.coop_name)

    @property
    def no_mail(self) -> str:
        """Why no e-mail can go out from here, in words; empty where it can."""
        try:
            return "" if self.mail else "No mail server is set up here."
        except BadMailServer as problem:
            return str(problem)

    def office_time(self, db: Session) -> datetime:
        """Tell the time by the database's clock, which every desk and every courier shares.

        What one machine writes and another one waits for is counted by it.
        """
        return self.now() + clock_behind(db)

    def __post_init__(self) -> None:
        # Whatever is changed at this desk bears its colleague's login.
        signed = self.records.signed(self.colleague.login, self.workstation)
        object.__setattr__(self, "records", signed)


class LooksOnly(ConsoleError):
    """This role reads everything and changes nothing."""


def check_may_change(desk: Desk) -> None:
    """Refuse whoever may only look."""
    if not desk.colleague.role.changes_the_file:
        raise LooksOnly(
            f"As {desk.colleague.role.words.lower()} you can look at everything and change "
            "nothing. Ask a representative to do this."
        )
