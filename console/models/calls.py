"""Calls with members: who was on the line, what they proved, and how it ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Instant, Record


class Call(Record):
    """One call or visit at the counter, from its first word to its wrap-up."""

    __tablename__ = "call"
    __table_args__ = (Index("ix_call_member_id_began_at", "member_id", "began_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    staff: Mapped[str] = mapped_column(String(60), index=True)
    member_began: Mapped[bool] = mapped_column(default=True)
    """False when the co-op rang the member: then money is never taken."""
    began_at: Mapped[datetime] = mapped_column(Instant)
    facts: Mapped[str] = mapped_column(String(200), default="")
    """The facts the caller got right, comma between them."""
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(30), default="")
    result: Mapped[str] = mapped_column(String(30), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
