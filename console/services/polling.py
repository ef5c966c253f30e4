"""Asks the portal for what is new, one console at a time for the whole office."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.clients.http import Unexpected, Unreachable
from console.clients.portal import Refused, Throttled
from console.models import changes
from console.models.base import change_where
from console.models.problems import again_if_crossed
from console.models.registration import PortalCursor, due_for_refresh, run_out
from console.services import news
from console.services.desk import Desk

STREAM: Final = "registration-attempts"
LEASE: Final = timedelta(seconds=10)
_RENEW_BEFORE: Final = timedelta(seconds=4)
PAGE: Final = 100
MOST_PAGES: Final = 10
"""In one look; the rest comes with the next, so that nobody waits for a long backlog."""
MOST_REFRESHES: Final = 5
_MOST_RUN_OUT: Final = 200


@dataclass(frozen=True)
class PollReport:
    """What one look at the portal brought."""

    attempts: int
    refreshed: int
    reachable: bool
    words: str


def poll(desk: Desk) -> PollReport:
    """Fetch what is new at the portal; one console does it at a time."""
    if not desk.carries:
        return PollReport(0, 0, True, "The courier asks the portal for everybody.")
    if not _take_turn(desk):
        return PollReport(0, 0, True, "Another console is asking the portal for everybody.")
    attempts = refreshed = 0
    try:
        for _ in range(MOST_PAGES):
            taken, more = _next_page(desk)
            attempts += taken
            if not more:
                break
        refreshed = _refresh_some(desk)
    except Throttled as problem:
        return PollReport(attempts, refreshed, True, str(problem))
    except (Unreachable, Unexpected, Refused) as problem:
        return PollReport(attempts, refreshed, False, str(problem))
    return PollReport(attempts, refreshed, True, _in_words(attempts))


def _in_words(attempts: int) -> str:
    if not attempts:
        return "The portal answers; nothing is new."
    return f"{attempts} new attempt{'' if attempts == 1 else 's'} to register."


def _me(desk: Desk) -> str:
    return f"{desk.workstation[:60]}/{os.getpid()}"


def _take_turn(desk: Desk) -> bool:
    """Take or keep the lease; a console that has it writes nothing until it nears its end."""
    me = _me(desk)
    with desk.records.read() as db:
        now = desk.office_time(db)
        cursor = db.get(PortalCursor, STREAM)
        if cursor is not None and cursor.leased_until is not None and cursor.leased_until > now:
            if cursor.leased_by != me:
                return False
            if cursor.leased_until - now > _RENEW_BEFORE:
                return True
    try:
        with desk.records.begin() as db:
            return _lease(db, desk)
    except IntegrityError:
        return False  # the very first look of the office, and another console was faster


def _lease(db: Session, desk: Desk) -> bool:
    now, me = desk.office_time(db), _me(desk)
    if db.get(PortalCursor, STREAM) is None:
        db.add(PortalCursor(stream=STREAM, leased_by=me, leased_until=now + LEASE))
        return True
    changes.forget(db, now - changes.KEPT_FOR)
    free = (
        PortalCursor.leased_until.is_(None)
        | (PortalCursor.leased_until <= now)
        | (PortalCursor.leased_by == me)
    )
    took = change_where(
        db,
        update(PortalCursor)
        .where(PortalCursor.stream == STREAM, free)
        .values(leased_by=me, leased_until=now + LEASE, polled_at=now),
    )
    return bool(took)


def _next_page(desk: Desk) -> tuple[int, bool]:
    """Fetch one page and write it down together with how far the list has been read."""
    with desk.records.read() as db:
        after = db.get_one(PortalCursor, STREAM).cursor
    page = desk.portal.attempts(after, PAGE, staff=desk.colleague.name)
    if not page.attempts and page.next == after:
        return 0, False

    def write() -> int | None:
        with desk.records.begin() as db:
            # Whoever lost the lease meanwhile must not move the place back.
            moved = change_where(
                db,
                update(PortalCursor)
                .where(
                    PortalCursor.stream == STREAM,
                    PortalCursor.cursor == after,
                    PortalCursor.leased_by == _me(desk),
                )
                .values(cursor=page.next, polled_at=desk.now()),
            )
            if not moved:
                return None
            return news.take_attempts(db, page.attempts, desk.now())

    taken = again_if_crossed(write)
    # A portal that sends us nowhere must not keep us going round.
    return taken or 0, page.more and taken is not None and page.next != after


def _refresh_some(desk: Desk) -> int:
    """Ask about a few registrations that may have moved, the longest unasked first."""
    now = desk.now()
    with desk.records.read() as db:
        due = due_for_refresh(db, now, MOST_REFRESHES)
        late = bool(run_out(db, now, 1))
    for digits in due:
        refresh_account(desk, digits)
    if late:
        again_if_crossed(lambda: _settle_run_out(desk))
    return len(due)


def _settle_run_out(desk: Desk) -> None:
    with desk.records.begin() as db:
        for registration in run_out(db, desk.now(), _MOST_RUN_OUT):
            news.settle_place(db, registration, desk.now())


def refresh_account(desk: Desk, digits: str) -> None:
    """Ask the portal where one account stands and write its answer down."""
    try:
        told = desk.portal.registration(digits, staff=desk.colleague.name)
    except Refused as refusal:
        with desk.records.begin() as db:
            news.note_asked(db, digits, desk.now())
        if isinstance(refusal, Throttled):
            raise
        return

    def write() -> None:
        with desk.records.begin() as db:
            news.take_standing(db, told, digits, desk.now())

    again_if_crossed(write)
