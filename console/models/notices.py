"""What members want to be told of, and how: by e-mail, by text, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.courier import ErrandKind
from console.domain.notices import Event
from console.models.base import Choice, Instant, Record, Versioned
from console.models.courier import Errand


class NoticePreference(Versioned, Record):
    """How a member wants to hear of one event on one account."""

    __tablename__ = "notice_preference"
    __table_args__ = (Index("uq_notice_preference_event", "account_number", "event", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"))
    event: Mapped[Event] = mapped_column(Choice(Event, 30))
    by_email: Mapped[bool] = mapped_column(default=False)
    by_text: Mapped[bool] = mapped_column(default=False)
    set_by: Mapped[str] = mapped_column(String(60))
    set_at: Mapped[datetime] = mapped_column(Instant)


class PortalPreferences(Versioned, Record):
    """Which version of an account's preferences the portal last told us it holds."""

    __tablename__ = "portal_preferences"

    account_number: Mapped[str] = mapped_column(ForeignKey("account.number"), primary_key=True)
    portal_version: Mapped[int] = mapped_column(default=0)
    read_at: Mapped[datetime | None] = mapped_column(Instant)


def preferences_of(db: Session, account_number: str) -> Sequence[NoticePreference]:
    """What an account's member wants to hear of, as far as it was ever said."""
    return db.scalars(
        select(NoticePreference)
        .where(NoticePreference.account_number == account_number)
        .order_by(NoticePreference.event)
    ).all()


def last_errands(db: Session, account_number: str, most: int = 50) -> Sequence[Errand]:
    """What was to be brought to the portal of an account's preferences, the newest first."""
    return db.scalars(
        select(Errand)
        .where(Errand.account_number == account_number, Errand.kind == ErrandKind.PUT_PREFERENCES)
        .order_by(Errand.asked_at.desc(), Errand.id)
        .limit(most)
    ).all()
