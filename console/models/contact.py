"""Changes of a member's contact details: what stood before, what came after, who asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.contact import FIELDS, Contact
from console.models.base import Instant, Record, Versioned
from console.models.members import Member


class ContactChange(Versioned, Record):
    """One change of the contact details on file."""

    __tablename__ = "contact_change"
    __table_args__ = (Index("ix_contact_change_member_id_changed_at", "member_id", "changed_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Made when the sheet opens, so that pressing twice changes once."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    before: Mapped[str] = mapped_column(Text)
    """The details that changed, as a JSON object of what they were."""
    after: Mapped[str] = mapped_column(Text)
    """The same details, as a JSON object of what they became."""
    asked: Mapped[str] = mapped_column(String(20))
    """Who asked for it, and how they were known."""
    told: Mapped[str] = mapped_column(String(254), default="")
    """The address that was on file before and is told of the change; empty when there is none."""
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(Instant)
    undone_by: Mapped[str] = mapped_column(String(60), default="")
    undone_at: Mapped[datetime | None] = mapped_column(Instant)

    def details_before(self) -> dict[str, str]:
        """Read what the details were."""
        return _details(self.before)

    def details_after(self) -> dict[str, str]:
        """Read what the details became."""
        return _details(self.after)


def contact_of(member: Member) -> Contact:
    """Read the contact details off a member."""
    return Contact(**{field: getattr(member, field) for field in FIELDS})


def changes_of_contact(db: Session, member_id: int, most: int) -> Sequence[ContactChange]:
    """The changes of a member's contact details, newest first."""
    return db.scalars(
        select(ContactChange)
        .where(ContactChange.member_id == member_id)
        .order_by(ContactChange.changed_at.desc(), ContactChange.id)
        .limit(most)
    ).all()


def _details(told: str) -> dict[str, str]:
    return {field: str(value) for field, value in json.loads(told).items() if field in FIELDS}
