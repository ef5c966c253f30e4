"""A few made-up members and a clock that tests can turn, for any test that wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from console.domain.members import HolderRole, MayAct
from console.domain.money import Money
from console.domain.staff import Role
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.base import Records
from console.models.members import Holder, Member
from console.models.staff import Staff
from console.services.desk import Colleague, Desk

PAT = Colleague("pat", "Pat Lindqvist", Role.REPRESENTATIVE)
SAM = Colleague("sam", "Sam Okafor", Role.REPRESENTATIVE)
SUE = Colleague("sue", "Sue Abara", Role.SUPERVISOR)
ANA = Colleague("ana", "Ana Brandt", Role.AUDITOR)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)  # a Monday, 10:42 in Chicago

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


def staff_the_office(records: Records) -> None:
    """Let everybody of this file sign in with one click."""
    with records.begin() as db:
        for colleague in (PAT, SAM, SUE, ANA):
            db.add(
                Staff(
                    login=colleague.login,
                    name=colleague.name,
                    role=colleague.role,
                    password_hash="",
                )
            )


def add_member(
    records: Records, name: str = "DeLong", numbers: tuple[str, ...] = ("1023401",), **other: Any
) -> int:
    """Put a member with accounts on file and answer the member's id."""
    with records.begin() as db:
        member = Member(
            **{
                "number": f"M{numbers[0] if numbers else 0}",
                "name": name,
                "given_names": "Rose",
                "identity_last_four": "4242",
                "email": "rose@example.org",
                "phone": "6205550147",
                "mailing_line": "PO Box 12",
                "mailing_city": "Cedar Fork",
                "mailing_state": "KS",
                "mailing_zip": "66999",
                "since": datetime(2009, 5, 4, tzinfo=UTC),
                **other,
            }
        )
        db.add(member)
        db.flush()
        db.add(
            Holder(
                member_id=member.id,
                name="Ruiz",
                given_names="Mary",
                role=HolderRole.SECOND_HOLDER,
                may_act=MayAct.PAY_AND_ASK,
            )
        )
        for number in numbers:
            db.add(
                Account(
                    number=number,
                    printed_number=f"{number[:-2]}.{number[-2:]}",
                    member_id=member.id,
                    service_line="14 Mill Road",
                    service_city="Cedar Fork",
                    service_state="KS",
                    service_zip="66999",
                    meter_number="88" + number,
                    balance=Money(14210),
                    past_due=Money(0),
                    last_payment=Money(9900),
                    last_payment_on=date(2026, 11, 2),
                    last_bill=Money(14210),
                    last_bill_on=date(2026, 11, 12),
                    opened_at=datetime(2009, 5, 4, tzinfo=UTC),
                )
            )
        return member.id


def trail(desk: Desk) -> list[str]:
    """List what was done and looked at, oldest first; the rows that changed stand beside it."""
    with desk.records.read() as db:
        acts = select(AuditEntry.action).where(AuditEntry.subject == "").order_by(AuditEntry.id)
        return list(db.scalars(acts))
