"""Who has which member open, and who is changing what: a row a desk, renewed while it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ForeignKey, String, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.models.base import Instant, Record, change_where, touch
from console.models.staff import Staff


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

    def touches(self) -> frozenset[str]:
        """Name the member's company only: who comes and goes changes nothing on the page."""
        return frozenset({f"presence:{self.member_id}"})


def time_of_database(db: Session) -> datetime:
    """Answer the one clock that all desks share; workstations' own ones differ."""
    if db.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    # Not now(), which stands still in a transaction: whoever waited for a lock would then find
    # that others were seen later than this.
    return db.scalars(select(func.clock_timestamp(type_=Instant))).one()


def with_member(
    db: Session, member_id: int, earliest: datetime, latest: datetime
) -> Sequence[tuple[Presence, str]]:
    """List who has a member open and was seen between two moments, with names, longest first."""
    rows = db.execute(
        select(Presence, func.coalesce(Staff.name, Presence.staff))
        .outerjoin(Staff, Staff.login == Presence.staff)
        .where(Presence.member_id == member_id, Presence.seen_at.between(earliest, latest))
        .order_by(Presence.since, Presence.origin)
    )
    return [(row[0], row[1]) for row in rows]


def of_console(db: Session, origin: str) -> Sequence[Presence]:
    """List what one console has open."""
    return db.scalars(select(Presence).where(Presence.origin == origin)).all()


def seen_before(db: Session, moment: datetime) -> Sequence[Presence]:
    """List what is left of consoles that gave no sign of life since."""
    return db.scalars(select(Presence).where(Presence.seen_at < moment)).all()


def renew(db: Session, origin: str, member_id: int, now: datetime) -> bool:
    """Give a sign of life, which announces nothing; false when the row is gone."""
    mine = (Presence.origin == origin) & (Presence.member_id == member_id)
    return change_where(db, update(Presence).where(mine).values(seen_at=now)) == 1


def remove(db: Session, gone: Presence) -> None:
    """Take a row away; on PostgreSQL nobody may delete, and a function of its own does it."""
    if db.get_bind().dialect.name == "sqlite":
        db.delete(gone)
        return
    touch(db, *gone.touches())
    db.execute(_REMOVE, {"origin": gone.origin, "member_id": gone.member_id})
    db.expunge(gone)


_REMOVE: Final = text("SELECT presence_remove(:origin, :member_id)")
