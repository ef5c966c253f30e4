"""The people outside the office: what they do at the stand-in portal, and what it counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from console.domain.registration import Outcome
from console.sandbox.portal import PortalAccount, RunningPortal, seed
from console.services.desk import Desk
from tests.office import add_member, staff_the_office


@dataclass
class Town:
    """The people outside: what they do at the portal, and what it counted."""

    desk: Desk
    portal: RunningPortal
    rose: int
    """The member “DeLong”, with account 1023401."""

    def open_account(self, number: str, name: str) -> None:
        seed(self.portal.store.path, [PortalAccount(number, name)])

    def registers(
        self, name: str = "DeLong", number: str = "1023401", email: str = "rose@example.org"
    ) -> Outcome:
        """Try to register as a member does at the portal's page."""
        return self._tell("/sandbox/register", account_number=number, name=name, email=email)

    def _tell(self, path: str, **body: Any) -> Outcome:
        answer = requests.post(
            self.portal.url + path, json=body, headers={"X-Sandbox": "1"}, timeout=10
        )
        return Outcome(answer.json()["outcome"])

    def mails(self) -> int:
        """Count the verify-account e-mails that went out, the one of the registration too."""
        return sum(self.portal.mails().values())

    def holds(self, number: str = "1023401") -> tuple[str, int]:
        """Tell the name and version that the portal holds."""
        with self.portal.store.begin() as db:
            row = db.execute(
                "SELECT name, version FROM account WHERE number = ?", (number,)
            ).fetchone()
        return row["name"], row["version"]


def found(desk: Desk, portal: RunningPortal) -> Town:
    """Staff the office, and give one member an account at the portal."""
    staff_the_office(desk.records)
    town = Town(desk, portal, add_member(desk.records))
    town.open_account("1023401", "DeLong")
    return town
