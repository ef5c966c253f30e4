"""Hear what other desks and couriers changed, so that open screens follow."""

from __future__ import annotations

from console.models.changes import EVERYTHING as EVERYTHING
from console.models.changes import Feed
from console.services.desk import Desk


def feed(desk: Desk) -> Feed:
    """Make the feed that announces at this desk what others commit."""
    return Feed(desk.records)
