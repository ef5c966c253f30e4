"""Hear what other desks and couriers changed, so that open screens follow."""

from __future__ import annotations

from console.models.changes import Hearing
from console.services.desk import Desk


def hear(desk: Desk, hearing: Hearing) -> None:
    """Announce here what others have changed since the last time."""
    names = hearing.hear()
    if names:
        desk.records.announce(names)
