"""The stand-ins as fixtures: a mailbox that takes mail and a portal that sends it, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests

from console.clients.portal import Portal
from console.sandbox import mailbox, portal

DELONG = "1023401"
FARMS = "2048001"
OBRIEN = "3077002"
STAFF = "Zoë Łukasz"

ACCOUNTS = (
    portal.PortalAccount(
        DELONG,
        "DeLong",
        balance_cents=14_210,
        due_on=date(2026, 12, 4),
        last_bill_cents=14_210,
        last_bill_on=date(2026, 11, 14),
        service_address="214 Mill Road, Ashby",
        usage=tuple(
            (f"{2025 + (month > 12)}-{(month - 1) % 12 + 1:02}", kwh)
            for month, kwh in zip(
                range(12, 24),
                (1340, 1420, 1180, 960, 780, 690, 870, 1110, 1230, 905, 760, 1015),
                strict=True,
            )
        ),
    ),
    portal.PortalAccount(FARMS, "Núñez & Sons Farms LLC", balance_cents=-500),
    portal.PortalAccount(OBRIEN, "O'Brien", auto_pay=True, paperless=True),
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **step: float) -> None:
        """Move on."""
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    """The time at the portal."""
    return Clock()


@pytest.fixture
def post() -> Iterator[mailbox.RunningMailbox]:
    """A mailbox of this test's own."""
    with mailbox.running(":memory:") as running:
        yield running


@pytest.fixture
def site(
    tmp_path: Path, post: mailbox.RunningMailbox, clock: Clock
) -> Iterator[portal.RunningPortal]:
    """A stand-in portal with three accounts, whose mail goes to `post`."""
    file = tmp_path / "portal.sqlite"
    portal.seed(file, ACCOUNTS)
    with portal.running(file, smtp=post.smtp, mailbox_url=post.url, clock=clock) as running:
        yield running


@pytest.fixture
def client(site: portal.RunningPortal) -> Iterator[Portal]:
    """A console's client of `site`; it gives up after a few seconds."""
    client = Portal(site.url, site.token, "desk 1", deadline=5)
    yield client
    client.close()


def register(
    site: portal.RunningPortal,
    account: str = DELONG,
    name: str = "DeLong",
    email: str = "rose@example.org",
) -> str:
    """Try to register as a member would, and say what became of it."""
    answer = requests.post(
        f"{site.url}/sandbox/register",
        json={"account_number": account, "name": name, "email": email},
        headers={"X-Sandbox": "test"},
        timeout=10,
    )
    answer.raise_for_status()
    return str(answer.json()["outcome"])
