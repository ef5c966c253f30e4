"""The staff of the office, for databases that have no users of their own."""

from __future__ import annotations

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.domain.staff import Role
from console.models.base import Choice, Record, Versioned


class Staff(Versioned, Record):
    """A colleague who may sign in."""

    __tablename__ = "staff"

    login: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(Choice(Role, 20))
    password_hash: Mapped[str] = mapped_column(String(200))
    """Argon2id; empty for a training colleague, who signs in with one click."""
    dismissed: Mapped[bool] = mapped_column(default=False)


def names_of_staff(db: Session) -> dict[str, str]:
    """The name behind each login, for saying who did something."""
    return {row.login: row.name for row in db.execute(select(Staff.login, Staff.name))}
