"""What a database is to be known by for ever."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Record


class Coop(Record):
    """The one row that tells this co-op's database from every other."""

    __tablename__ = "coop"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
