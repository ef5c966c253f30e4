"""Members, the people beside them, their former names and addresses, alerts and notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from console.domain.members import AlertKind, HolderRole, MayAct
from console.models.base import Choice, Instant, Record, Versioned


class Member(Versioned, Record):
    """A person or business that the co-op supplies; the primary holder of its accounts."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    is_business: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str] = mapped_column(String(120))
    """The last or business name: the very string that the portal compares."""
    given_names: Mapped[str] = mapped_column(String(80), default="")
    identity_last_four: Mapped[str] = mapped_column(String(4), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    """Digits only."""
    second_phone: Mapped[str] = mapped_column(String(20), default="")
    mailing_line: Mapped[str] = mapped_column(String(120), default="")
    mailing_city: Mapped[str] = mapped_column(String(60), default="")
    mailing_state: Mapped[str] = mapped_column(String(2), default="")
    mailing_zip: Mapped[str] = mapped_column(String(10), default="")
    since: Mapped[datetime] = mapped_column(Instant)

    holders: Mapped[list[Holder]] = relationship(back_populates="member", order_by="Holder.id")

    def touches(self) -> frozenset[str]:
        return frozenset({"Member", f"member:{self.id}"})


class Holder(Record):
    """Somebody beside the primary holder, and what they may do."""

    __tablename__ = "holder"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    given_names: Mapped[str] = mapped_column(String(80), default="")
    role: Mapped[HolderRole] = mapped_column(Choice(HolderRole, 20))
    may_act: Mapped[MayAct] = mapped_column(Choice(MayAct, 20))

    member: Mapped[Member] = relationship(back_populates="holders")


class FormerName(Record):
    """A spelling that stood on file once; it stays findable."""

    __tablename__ = "former_name"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    given_names: Mapped[str] = mapped_column(String(80), default="")
    until: Mapped[datetime] = mapped_column(Instant)


class FormerAddress(Record):
    """An address the member was served at or had mail sent to before."""

    __tablename__ = "former_address"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    line: Mapped[str] = mapped_column(String(120))
    city: Mapped[str] = mapped_column(String(60), default="")
    until: Mapped[datetime] = mapped_column(Instant)


class NameCorrection(Versioned, Record):
    """One correction of the name on file: what it was, what it became, and what proved it."""

    __tablename__ = "name_correction"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Made when the dialog opens, so that pressing twice corrects once."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    name_before: Mapped[str] = mapped_column(String(120))
    given_names_before: Mapped[str] = mapped_column(String(80))
    name_after: Mapped[str] = mapped_column(String(120))
    given_names_after: Mapped[str] = mapped_column(String(80))
    proof: Mapped[str] = mapped_column(String(30))
    proof_note: Mapped[str] = mapped_column(String(500), default="")
    looks_like_other_person: Mapped[bool] = mapped_column(default=False)
    approved_by: Mapped[str] = mapped_column(String(60), default="")
    corrected_by: Mapped[str] = mapped_column(String(60))
    corrected_at: Mapped[datetime] = mapped_column(Instant)
    undone_by: Mapped[str] = mapped_column(String(60), default="")
    undone_at: Mapped[datetime | None] = mapped_column(Instant)


class Alert(Versioned, Record):
    """Something that must be seen before anything is said or done for this member."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    kind: Mapped[AlertKind] = mapped_column(Choice(AlertKind, 30))
    note: Mapped[str] = mapped_column(String(500), default="")
    raised_by: Mapped[str] = mapped_column(String(60))
    raised_at: Mapped[datetime] = mapped_column(Instant)
    cleared_by: Mapped[str] = mapped_column(String(60), default="")
    cleared_at: Mapped[datetime | None] = mapped_column(Instant)


class Note(Versioned, Record):
    """What a colleague wanted the next one to know."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_member_id_written_at", "member_id", "written_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    text: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(String(60))
    written_at: Mapped[datetime] = mapped_column(Instant)
    removed_by: Mapped[str] = mapped_column(String(60), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Instant)


def former_names_of(db: Session, member_id: int) -> Sequence[FormerName]:
    """Every spelling that stood on file before, newest first."""
    return db.scalars(
        select(FormerName).where(FormerName.member_id == member_id).order_by(FormerName.id.desc())
    ).all()


def open_alerts_of(db: Session, member_id: int) -> Sequence[Alert]:
    """Every alert that still stands, oldest first."""
    return db.scalars(
        select(Alert)
        .where(Alert.member_id == member_id, Alert.cleared_at.is_(None))
        .order_by(Alert.raised_at)
    ).all()


def corrections_of(db: Session, member_id: int, most: int) -> Sequence[NameCorrection]:
    """The corrections of a member's name, newest first."""
    return db.scalars(
        select(NameCorrection)
        .where(NameCorrection.member_id == member_id)
        .order_by(NameCorrection.corrected_at.desc(), NameCorrection.id)
        .limit(most)
    ).all()


def notes_of(db: Session, member_id: int, most: int) -> Sequence[Note]:
    """The notes that stand, newest first."""
    return db.scalars(
        select(Note)
        .where(Note.member_id == member_id, Note.removed_at.is_(None))
        .order_by(Note.written_at.desc(), Note.id)
        .limit(most)
    ).all()
