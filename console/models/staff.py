"""The staff of the office, for databases that have no users of their own."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.staff import Role
from console.models.base import Record


class Staff(Record):
    """A colleague who may sign in."""

    __tablename__ = "staff"

    login: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    """Argon2id; empty for a training colleague, who signs in with one click."""
    dismissed: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
