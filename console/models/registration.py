"""Registrations at the portal: every attempt it reported, and where each account stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.registration import CaseKind, Channel, Outcome, RegistrationState
from console.models.base import Choice, Instant, Record, Versioned


class RegistrationAttempt(Record):
    """One try to register, as the portal reported it."""

    __tablename__ = "registration_attempt"
    __table_args__ = (Index("ix_registration_attempt_registration_id_at", "registration_id", "at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The portal's own id: a page that repeats an attempt is taken once."""
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    account_typed: Mapped[str] = mapped_column(String(60))
    name_typed: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), default="")
    channel: Mapped[Channel] = mapped_column(Choice(Channel, 10))
    outcome: Mapped[Outcome] = mapped_column(Choice(Outcome, 20))


class Registration(Versioned, Record):
    """Where one account stands with the portal, and whether somebody must look at it.

    Attempts with an account number that nobody has are kept here too, with no account.
    """

    __tablename__ = "registration"
    __table_args__ = (
        Index("ix_registration_kind_since", "kind", "since"),
        Index("ix_registration_kind_refreshed_at", "kind", "refreshed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_number: Mapped[str | None] = mapped_column(ForeignKey("account.number"), unique=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    account_digits: Mapped[str] = mapped_column(String(60), unique=True)
    """The numerals that were typed, known account or not."""
    state: Mapped[RegistrationState] = mapped_column(
        Choice(RegistrationState, 24), default=RegistrationState.NONE
    )
    portal_id: Mapped[str] = mapped_column(String(64), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    last_sign_in: Mapped[datetime | None] = mapped_column(Instant)
    refreshed_at: Mapped[datetime | None] = mapped_column(Instant)
    kind: Mapped[CaseKind] = mapped_column(Choice(CaseKind, 12))
    """Its place in the worklist."""
    since: Mapped[datetime] = mapped_column(Instant)
    """When it came to that place."""
    attempts: Mapped[int] = mapped_column(default=0)
    assigned_to: Mapped[str] = mapped_column(String(60), default="", index=True)


class PortalCursor(Record):
    """How far each list of the portal has been read, and which console is reading it."""

    __tablename__ = "portal_cursor"

    stream: Mapped[str] = mapped_column(String(40), primary_key=True)
    cursor: Mapped[str] = mapped_column(String(200), default="")
    polled_at: Mapped[datetime | None] = mapped_column(Instant)
    leased_by: Mapped[str] = mapped_column(String(80), default="")
    leased_until: Mapped[datetime | None] = mapped_column(Instant)


def registrations_of(db: Session, account_numbers: Sequence[str]) -> Sequence[Registration]:
    """Where these accounts stand with the portal; accounts it never spoke of are left out."""
    return db.scalars(
        select(Registration).where(Registration.account_number.in_(account_numbers))
    ).all()


def attempts_of(
    db: Session, registration_ids: Sequence[int], most: int
) -> Sequence[RegistrationAttempt]:
    """The attempts behind these registrations, newest first."""
    return db.scalars(
        select(RegistrationAttempt)
        .where(RegistrationAttempt.registration_id.in_(registration_ids))
        .order_by(RegistrationAttempt.at.desc(), RegistrationAttempt.id)
        .limit(most)
    ).all()
