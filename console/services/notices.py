"""What members want to hear of: see it, read it from the portal, change it here and there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from console.clients.http import Unexpected, Unreachable
from console.clients.portal import Preferences, Refused
from console.domain import times
from console.domain.contact import Asked
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.domain.notices import PAPERLESS, Event, Wanted, changed_fields, check_reachable
from console.models.accounts import Account
from console.models.courier import Errand
from console.models.members import Member
from console.models.notices import PortalPreferences, last_errands
from console.models.problems import again_if_crossed
from console.services import audit, caller, courier, members, preferences
from console.services.audit import Action
from console.services.desk import Desk, check_may_change

WAYS_TO_ASK = tuple(Asked)


class NotAsked(ConsoleError):
    """Nobody was verified who could ask for this."""


@dataclass(frozen=True)
class NoticeLine:
    """How one event is told of."""

    event: Event
    wanted: Wanted
    is_known: bool
    """Whether the member ever said so, here or at the portal."""


@dataclass(frozen=True)
class NoticeSheet:
    """What an account's member wants to hear of, and whether the portal knows it too."""

    account_number: str
    member_id: int
    version: int
    """A change must name it."""
    lines: tuple[NoticeLine, ...]
    paperless: bool
    is_in_step: bool
    words: str
    """“In step with the portal, read today 10:42.”"""
    auto_pay_words: str | None
    """What the portal shows of Auto Pay, when it differs from here, else empty; nothing when the
    portal was not asked just now."""
    has_email: bool
    has_phone: bool

    @property
    def wanted(self) -> dict[Event, Wanted]:
        """Answer how each event is told of."""
        return {line.event: line.wanted for line in self.lines}


@dataclass(frozen=True)
class NoticeWish:
    """What is to be changed, as it was read back."""

    id: str
    """Made when the sheet opens, so that pressing twice changes once."""
    account_number: str
    version: int
    changed: Mapping[Event, Wanted]
    """Only the events that are told of otherwise from now on."""
    paperless: bool | None
    """Whether bills come by e-mail alone; nothing leaves it as it is."""
    asked: Asked
    call_id: str | None = None


class NoticesChangedMeanwhile(ConsoleError):
    """A colleague, or the member at the portal, changed the same after this sheet was opened."""

    def __init__(self, theirs: NoticeSheet) -> None:
        super().__init__(
            "This was changed meanwhile, by a colleague or at the portal. Here it is afresh, with "
            "what you ticked; look and press again."
        )
        self.theirs = theirs


def of_account(desk: Desk, account_number: str) -> NoticeSheet:
    """Answer what is on file for an account, without asking the portal."""
    with desk.records.read() as db:
        return _sheet(db, desk, members.find_account(db, account_number))


def refresh(desk: Desk, account_number: str) -> NoticeSheet:
    """Ask the portal what the member chose there, keep it, and answer how it all stands.

    When the portal does not answer, what is on file is answered, with that in its words.
    """
    with desk.records.read() as db:
        number = members.find_account(db, account_number).number
    try:
        held = desk.portal.preferences(number, staff=desk.colleague.name)
    except (Unreachable, Unexpected, Refused) as trouble:
        stands = of_account(desk, number)
        return replace(stands, is_in_step=False, words=f"{trouble} {stands.words}")
    if desk.colleague.role.changes_the_file:
        again_if_crossed(lambda: _take(desk, held))
    with desk.records.read() as db:
        account = members.find_account(db, number)
        return replace(_sheet(db, desk, account), auto_pay_words=_auto_pay(desk, account, held))


def change(desk: Desk, wish: NoticeWish) -> NoticeSheet:
    """Change what a member wants to hear of, here and at the portal; twice changes once.

    Raises NoticesChangedMeanwhile when somebody was faster, BadNotice when nothing could arrive.
    """
    check_may_change(desk)

    def in_one_go() -> bool:
        with desk.records.begin() as db:
            return _change(db, desk, wish)

    if again_if_crossed(in_one_go):
        courier.carry(desk, wish.id)
    return of_account(desk, wish.account_number)


def _take(desk: Desk, held: Preferences) -> None:
    with desk.records.begin() as db:
        preferences.take(db, desk, held)


def _change(db: Session, desk: Desk, wish: NoticeWish) -> bool:
    """Put it on file; answer whether there is something to bring to the portal."""
    if db.get(Errand, wish.id) is not None:
        return False
    account = members.find_account(db, wish.account_number)
    _check_asked(db, desk, account.member_id, wish.asked, wish.call_id)
    fields = _differing(db, account, wish)
    if not fields:
        return False
    turned = PAPERLESS in fields
    member = db.get_one(Member, account.member_id)
    changed = {event: one for event, one in wish.changed.items() if event in fields}
    check_reachable(
        changed,
        has_email=bool(member.email),
        has_phone=bool(member.phone or member.second_phone),
        paperless=turned and bool(wish.paperless),
    )
    known = db.get(PortalPreferences, account.number)
    version = 0 if known is None else known.version
    if version != wish.version or not preferences.bump(db, account.number, version):
        db.expire_all()
        if not _differing(db, account, wish):
            return False  # the other press came between two questions
        raise NoticesChangedMeanwhile(_sheet(db, desk, account))
    preferences.put(db, desk, account, changed)
    if turned:
        preferences.put_paperless(db, account, bool(wish.paperless))
    to_bring = [one for one in fields if one == PAPERLESS or Event(one).portal_name]
    if to_bring:
        _leave_errand(db, desk, wish, account, to_bring)
    audit.record(
        db,
        desk,
        Action.PREFERENCES_CHANGED,
        member_id=account.member_id,
        account_number=account.number,
        call_id=wish.call_id,
        changed=list(fields),
        asked=wish.asked,
    )
    return bool(to_bring)


def _differing(db: Session, account: Account, wish: NoticeWish) -> tuple[str, ...]:
    """Name what is wished otherwise than it stands on file."""
    turned = wish.paperless is not None and wish.paperless != account.paperless
    stands = preferences.on_file(db, account.number)
    return changed_fields(stands, wish.changed, paperless_changed=turned)


def _leave_errand(
    db: Session, desk: Desk, wish: NoticeWish, account: Account, fields: list[str]
) -> None:
    now = desk.office_time(db)
    db.add(
        Errand(
            id=wish.id,
            kind=ErrandKind.PUT_PREFERENCES,
            state=ErrandState.WAITING,
            account_number=account.number,
            member_id=account.member_id,
            payload=json.dumps({"fields": fields}),
            asked_by=desk.colleague.login,
            asked_at=now,
            next_try_at=now,
        )
    )


def _check_asked(
    db: Session, desk: Desk, member_id: int, asked: Asked, call_id: str | None
) -> None:
    if asked is not Asked.CALLER_VERIFIED:
        return
    call = caller.own_call(db, desk, call_id, even_over=True)
    if not caller.is_verified(call, member_id):
        raise NotAsked(
            "Nobody was verified for this member on your call. Verify the caller first, or choose "
            "who else asks for it."
        )


def _sheet(db: Session, desk: Desk, account: Account) -> NoticeSheet:
    member = db.get_one(Member, account.member_id)
    stands = preferences.on_file(db, account.number)
    known = db.get(PortalPreferences, account.number)
    errands = last_errands(db, account.number, 1)
    read_at = None if known is None else known.read_at
    in_step, words = _step(desk, errands[0] if errands else None, read_at)
    return NoticeSheet(
        account.number,
        account.member_id,
        0 if known is None else known.version,
        tuple(NoticeLine(one, stands.get(one, Wanted()), one in stands) for one in Event),
        account.paperless,
        in_step,
        words,
        None,
        bool(member.email),
        bool(member.phone or member.second_phone),
    )


def _step(desk: Desk, last: Errand | None, read_at: datetime | None) -> tuple[bool, str]:
    """Say whether the portal holds the same, by what was last brought there and read there."""
    portal = desk.settings.portal_name
    if last is not None and last.state.is_open:
        why = f" {last.answer}" if last.answer else ""
        return False, f"On its way to {portal}.{why}"
    # Once the portal was read after a failure, what it holds is on file.
    if (
        last is not None
        and last.state is not ErrandState.DONE
        and (read_at is None or (last.finished_at or read_at) > read_at)
    ):
        return False, last.answer
    if read_at is None:
        return False, f"{portal} was not asked yet what the member chose there."
    read = times.when(read_at, desk.now(), desk.settings.zone)
    return True, f"In step with {portal}, read {read}."


def _auto_pay(desk: Desk, account: Account, held: Preferences) -> str:
    if held.auto_pay == account.autopay:
        return ""
    there, here = ("on", "off") if held.auto_pay else ("off", "on")
    return f"{desk.settings.portal_name} shows Auto Pay as {there}; here it is {here}."
