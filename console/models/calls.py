"""Calls with members: who was on the line, what they proved, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.models.base import Instant, Record, Versioned


class Call(Versioned, Record):
    """One call or visit at the counter, from its first word to its wrap-up."""

    __tablename__ = "call"
    __table_args__ = (
        Index("ix_call_member_id_began_at", "member_id", "began_at"),
        # A colleague speaks with one caller at a time.
        Index(
            "uq_call_open_once",
            "staff",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

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


def calls_of(db: Session, member_id: int, most: int) -> Sequence[Call]:
    """The calls with a member, newest first."""
    return db.scalars(
        select(Call).where(Call.member_id == member_id).order_by(Call.began_at.desc()).limit(most)
    ).all()


def open_call_of(db: Session, staff: str) -> Call | None:
    """The call a colleague is in, if any."""
    return db.scalar(select(Call).where(Call.staff == staff, Call.ended_at.is_(None)))
