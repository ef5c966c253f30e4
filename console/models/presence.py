"""Who has which member open, and who is changing what: a row a desk, renewed while it lasts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Instant, Record


class Presence(Record):
    """One console that has one member open."""

    __tablename__ = "presence"

    origin: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The console, as in the list of changes."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True, index=True)
    staff: Mapped[str] = mapped_column(String(60))
    workstation: Mapped[str] = mapped_column(String(80))
    editing: Mapped[str] = mapped_column(String(30), default="")
    """What is being changed, such as “name”; empty while the member is only looked at."""
    since: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    """The last sign of life; one that is old belongs to a console that died."""
