"""Registrations at the portal: every attempt it reported, and where each account stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, Index, String, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from console.domain.registration import CaseKind, Channel, Outcome, RegistrationState
from console.models.base import Choice, Instant, Record, Versioned
from console.models.members import Member


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


_STILL_MOVING: Final = (CaseKind.WAITING, CaseKind.BOUNCED, CaseKind.EXPIRED, CaseKind.LOCKED)
"""Where the member or the portal may change something without a new attempt."""
_LATELY: Final = timedelta(hours=1)
_ASK_ABOUT_LATELY: Final = timedelta(seconds=2)
"""A member on the phone presses the button in the e-mail now."""
_ASK_ABOUT_OTHERS: Final = timedelta(minutes=1)


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


def registration_for(db: Session, digits: str) -> Registration | None:
    """Where the account with these numerals stands, known to the co-op or not."""
    return db.scalar(select(Registration).where(Registration.account_digits == digits))


def last_attempts_of(
    db: Session, registration_ids: Sequence[int]
) -> dict[int, RegistrationAttempt]:
    """The newest attempt behind each of these registrations."""
    place = (
        func.row_number()
        .over(
            partition_by=RegistrationAttempt.registration_id,
            order_by=(RegistrationAttempt.at.desc(), RegistrationAttempt.id),
        )
        .label("place")
    )
    ranked = (
        select(RegistrationAttempt, place)
        .where(RegistrationAttempt.registration_id.in_(registration_ids))
        .subquery()
    )
    newest = aliased(RegistrationAttempt, ranked)
    found = db.scalars(select(newest).where(ranked.c.place == 1))
    return {attempt.registration_id: attempt for attempt in found}


def known_attempts(db: Session, ids: Sequence[str]) -> set[str]:
    """Which of these attempts have been taken already."""
    return set(db.scalars(select(RegistrationAttempt.id).where(RegistrationAttempt.id.in_(ids))))


def due_for_refresh(db: Session, now: datetime, most: int) -> list[str]:
    """The accounts whose standing the portal was not asked for the longest, never asked first."""
    asked = Registration.refreshed_at
    lately = and_(Registration.since > now - _LATELY, asked < now - _ASK_ABOUT_LATELY)
    return list(
        db.scalars(
            select(Registration.account_digits)
            .where(
                Registration.account_number.is_not(None),
                Registration.kind.in_(_STILL_MOVING),
                or_(asked.is_(None), lately, asked < now - _ASK_ABOUT_OTHERS),
            )
            .order_by(asked.is_not(None), asked)
            .limit(most)
        )
    )


def run_out(db: Session, now: datetime, most: int) -> Sequence[Registration]:
    """The registrations whose link has run out and whose place does not say so yet."""
    return db.scalars(
        select(Registration)
        .where(
            Registration.kind.in_((CaseKind.WAITING, CaseKind.BOUNCED)),
            Registration.state == RegistrationState.AWAITING_VERIFICATION,
            Registration.expires_at <= now,
        )
        .limit(most)
    ).all()


@dataclass(frozen=True)
class CaseFilter:
    """Whose registrations are wanted, and what they must contain; empty means any."""

    assigned_to: str
    text: str


def cases(
    db: Session, kinds: Sequence[CaseKind], wanted: CaseFilter, most: int
) -> list[tuple[Registration, Member | None]]:
    """The registrations of some kinds that fit a filter, the longest there first."""
    rows = db.execute(
        select(Registration, Member)
        .outerjoin(Member, Member.id == Registration.member_id)
        .where(Registration.kind.in_(kinds), *_fits(wanted))
        .order_by(Registration.since, Registration.id)
        .limit(most)
    )
    return [(registration, member) for registration, member in rows]


def count_cases(db: Session, wanted: CaseFilter) -> dict[CaseKind, int]:
    """How many registrations of each kind fit a filter."""
    rows = db.execute(
        select(Registration.kind, func.count().label("cases"))
        .outerjoin(Member, Member.id == Registration.member_id)
        .where(*_fits(wanted))
        .group_by(Registration.kind)
    )
    return {row.kind: row.cases for row in rows}


def _fits(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.assigned_to:
        conditions.append(Registration.assigned_to == wanted.assigned_to)
    for word in wanted.text.split():
        typed = (
            select(RegistrationAttempt.id)
            .where(
                RegistrationAttempt.registration_id == Registration.id,
                or_(
                    RegistrationAttempt.name_typed.icontains(word, autoescape=True),
                    RegistrationAttempt.account_typed.contains(word, autoescape=True),
                    RegistrationAttempt.email.icontains(word, autoescape=True),
                ),
            )
            .exists()
        )
        conditions.append(
            or_(
                Registration.account_digits.contains(word, autoescape=True),
                Registration.email.icontains(word, autoescape=True),
                Member.name.icontains(word, autoescape=True),
                Member.given_names.icontains(word, autoescape=True),
                typed,
            )
        )
    return conditions
