"""Keep what members want to hear of in step with the portal, one field at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import update
from sqlalchemy.orm import Session

from console.clients.portal import NoticeChannel, Preferences
from console.domain.notices import PAPERLESS, Event, Wanted
from console.models.accounts import Account
from console.models.base import change_where, touch
from console.models.notices import (
    NoticePreference,
    PortalPreferences,
    last_errands,
    preferences_of,
)
from console.services.desk import Desk

_CHANNELS = {
    (False, False): NoticeChannel.NONE,
    (True, False): NoticeChannel.EMAIL,
    (False, True): NoticeChannel.TEXT,
    (True, True): NoticeChannel.BOTH,
}


def on_file(db: Session, account_number: str) -> dict[Event, Wanted]:
    """Answer what is on file for an account, as far as it was ever said."""
    return {
        one.event: Wanted(one.by_email, one.by_text) for one in preferences_of(db, account_number)
    }


def with_ours(db: Session, held: Preferences, payload: str) -> Preferences:
    """Put what was changed here, as it stands on file now, over what the portal holds."""
    named = _fields(payload)
    stands = on_file(db, held.account_number)
    ours = {
        event.portal_name: _CHANNELS[stands[event].by_email, stands[event].by_text]
        for event in stands
        if event in named and event.portal_name in held.notices
    }
    account = db.get_one(Account, held.account_number)
    paperless = account.paperless if PAPERLESS in named else held.paperless
    return replace(held, paperless=paperless, notices={**held.notices, **ours})


def take(db: Session, desk: Desk, held: Preferences) -> None:
    """Write down what the portal holds, except what is on its way there from here.

    An answer that is older than what was heard before is left alone.
    """
    number = held.account_number
    known = db.get(PortalPreferences, number)
    if known is not None and held.version < known.portal_version:
        return
    changed = _take_fields(db, desk, held)
    now = desk.office_time(db)
    if known is None:
        db.add(PortalPreferences(account_number=number, portal_version=held.version, read_at=now))
        db.flush()
        return
    change_where(
        db,
        update(PortalPreferences)
        .where(PortalPreferences.account_number == number)
        .values(
            portal_version=held.version,
            read_at=now,
            version=PortalPreferences.version + (1 if changed else 0),
        ),
    )
    if changed or known.portal_version != held.version:
        touch(db, "PortalPreferences", f"account:{number}")


def bump(db: Session, account_number: str, version: int) -> bool:
    """Count one more version of an account's choices, unless somebody else has just done so."""
    if version == 0:
        db.add(PortalPreferences(account_number=account_number))
        db.flush()
        return True
    return bool(
        change_where(
            db,
            update(PortalPreferences)
            .where(
                PortalPreferences.account_number == account_number,
                PortalPreferences.version == version,
            )
            .values(version=version + 1),
        )
    )


def put(db: Session, desk: Desk, account: Account, wanted: Mapping[Event, Wanted]) -> None:
    """Put choices on file."""
    stands = {one.event: one for one in preferences_of(db, account.number)}
    now, login = desk.office_time(db), desk.colleague.login
    for event, one in wanted.items():
        row = stands.get(event)
        if row is None:
            row = NoticePreference(
                member_id=account.member_id, account_number=account.number, event=event
            )
            db.add(row)
        row.by_email, row.by_text = one.by_email, one.by_text
        row.set_by, row.set_at = login, now


def put_paperless(db: Session, account: Account, paperless: bool) -> None:
    """Put on file whether bills come on paper; nothing else of the account is anybody's here."""
    change_where(
        db, update(Account).where(Account.number == account.number).values(paperless=paperless)
    )
    touch(db, *account.touches())


def _take_fields(db: Session, desk: Desk, held: Preferences) -> bool:
    account = db.get_one(Account, held.account_number)
    going = {
        field
        for one in last_errands(db, account.number)
        if one.state.is_open
        for field in _fields(one.payload)
    }
    stands = on_file(db, account.number)
    theirs = {
        event: _wanted(held.notices[event.portal_name])
        for event in Event
        if event not in going and event.portal_name in held.notices
    }
    news = {event: one for event, one in theirs.items() if stands.get(event) != one}
    put(db, desk, account, news)
    turned = PAPERLESS not in going and account.paperless != held.paperless
    if turned:
        put_paperless(db, account, held.paperless)
    return bool(news) or turned


def _wanted(channel: NoticeChannel) -> Wanted:
    return Wanted(
        channel in (NoticeChannel.EMAIL, NoticeChannel.BOTH),
        channel in (NoticeChannel.TEXT, NoticeChannel.BOTH),
    )


def _fields(payload: str) -> frozenset[str]:
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return frozenset()
    named = told.get("fields") if isinstance(told, dict) else None
    return frozenset(str(one) for one in named) if isinstance(named, list) else frozenset()
