"""The audit trail: who did or looked at what, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Instant, Record


class AuditEntry(Record):
    """One act or one look."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_member_id_at", "member_id", "at"),
        Index("ix_audit_entry_staff_at", "staff", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    staff: Mapped[str] = mapped_column(String(60))
    workstation: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(40))
    member_id: Mapped[int | None]
    account_number: Mapped[str | None] = mapped_column(String(20))
    call_id: Mapped[str | None] = mapped_column(String(36))
    detail: Mapped[str] = mapped_column(Text, default="{}")
    """A JSON object: what was before and after, or what was asked for."""

    def touches(self) -> frozenset[str]:
        return frozenset({"AuditEntry"})
