"""The audit trail: who did or looked at what, and when, in one chain for each person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from console.models.base import Instant, Record


class AuditEntry(Record):
    """One act, one look, or one row changed.

    Triggers fill in what is left out here, and nothing ever changes it afterwards.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_member_id_at", "member_id", "at"),
        Index("ix_audit_entry_staff_at", "staff", "at"),
        Index("ix_audit_entry_action_at", "action", "at"),
        UniqueConstraint("chain", "seq"),
    )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, object]:  # noqa: N805  # a directive is given the class
        # What the triggers fill in is read by those who may read the trail, and by nobody else.
        return {"eager_defaults": False}

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    staff: Mapped[str] = mapped_column(String(60))
    workstation: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(40))
    member_id: Mapped[int | None]
    account_number: Mapped[str | None] = mapped_column(String(20))
    call_id: Mapped[str | None] = mapped_column(String(36))
    detail: Mapped[str] = mapped_column(Text, default="{}")
    """A JSON object: what was asked for, or how it ended."""
    subject: Mapped[str] = mapped_column(String(40), server_default="")
    """The table of the row that was changed; empty for an act or a look."""
    row_key: Mapped[str] = mapped_column(String(80), server_default="")
    before: Mapped[str | None] = mapped_column(Text)
    """What changed, as a JSON object of columns; absent for a row that was added."""
    after: Mapped[str | None] = mapped_column(Text)
    """The same columns afterwards; absent for a row that was removed."""
    chain: Mapped[str] = mapped_column(String(60), server_default="")
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The place in its chain, from 1 on and without a gap."""
    previous: Mapped[str] = mapped_column(String(64), server_default="")
    """The hash of the row before it in the chain; empty for the first."""
    hash: Mapped[str] = mapped_column(String(64), server_default="")

    def touches(self) -> frozenset[str]:
        return frozenset({"AuditEntry"})


class AuditChain(Record):
    """Where one person's chain ends."""

    __tablename__ = "audit_chain"

    chain: Mapped[str] = mapped_column(String(60), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
