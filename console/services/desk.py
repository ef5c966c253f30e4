"""The desk every use case works at."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from console.clients.portal import Portal
from console.domain.staff import Role
from console.models.base import Records
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
