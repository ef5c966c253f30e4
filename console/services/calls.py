"""Calls: begin one, verify who is on the line, wrap it up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.calls import Fact, Reason, Result, is_verified, still_missing
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.texts import MOST_NOTE, check_text
from console.models.accounts import accounts_of
from console.models.base import touch
from console.models.calls import Call, open_call_of
from console.models.members import Member
from console.services import audit, members
from console.services.audit import Action
from console.services.desk import Desk, check_may_change


@dataclass(frozen=True)
class CallState:
    """The call in progress, as the call bar shows it."""

    id: str
    member_id: int | None
    member_name: str
    member_began: bool
    began_at: datetime
    facts: frozenset[Fact]
    verified_at: datetime | None
    still_missing: str
    """What is still needed to verify the caller, in words; empty when verified."""

    @property
    def verified(self) -> bool:
        """Whether the caller may be told about the account."""
        return self.verified_at is not None


@dataclass(frozen=True)
class WrapUp:
    """How a call ended, in the words of the one who took it."""

    reason: Reason
    result: Result
    note: str


CANNED_NOTES: tuple[tuple[str, str], ...] = (
    ("Read the spelling out", "Read out the spelling on file, {name}. The member tried again."),
    ("Corrected the name", "Corrected the name on file to {name} and checked it at the portal."),
    ("Sent the e-mail again", "Sent the verify-account e-mail again to {email}."),
    ("Read the password rule", "Read out the password rule: 8 to 15 characters."),
    ("Not the primary holder", "Caller is not the primary account holder; asked them to call."),
)
"""A title and a text; {name}, {account} and {email} are filled in."""


class NoSuchCall(ConsoleError):
    """The call is over, or it is somebody else's."""


class InAnotherCall(ConsoleError):
    """A colleague speaks with one caller at a time."""


def current(desk: Desk) -> CallState | None:
    """Answer the call this colleague is in, also after the console was started again."""
    with desk.records.read() as db:
        call = open_call_of(db, desk.colleague.login)
        return None if call is None else _state(db, call)


def begin(
    desk: Desk, call_id: str, member_id: int | None, *, member_began: bool = True
) -> CallState:
    """Begin a call; a second begin with the same id changes nothing."""
    check_may_change(desk)
    try:
        with desk.records.begin() as db:
            return _begin(db, desk, call_id, member_id, member_began)
    except IntegrityError:
        # Two presses at once: the other one was first, and what it began is told now.
        with desk.records.begin() as db:
            return _begin(db, desk, call_id, member_id, member_began)


def _begin(
    db: Session, desk: Desk, call_id: str, member_id: int | None, member_began: bool
) -> CallState:
    known = db.get(Call, call_id)
    if known is not None:
        return _state(db, _own(known, desk))
    other = open_call_of(db, desk.colleague.login)
    if other is not None and other.id == call_id:
        return _state(db, other)  # the other press came between the two questions
    if other is not None:
        raise InAnotherCall(
            f"You are still in a call{_with_whom(db, other)}. Wrap it up, then begin this one."
        )
    if member_id is not None:
        members.find(db, member_id)
    call = Call(
        id=call_id,
        member_id=member_id,
        staff=desk.colleague.login,
        member_began=member_began,
        began_at=desk.now(),
    )
    db.add(call)
    db.flush()
    audit.record(
        db, desk, Action.CALL_BEGUN, member_id=member_id, call_id=call_id, member_began=member_began
    )
    return _state(db, call)


def turn_to(desk: Desk, call_id: str, member_id: int) -> CallState:
    """Turn a call to another member; what was verified for the first one no longer counts."""
    check_may_change(desk)
    with desk.records.begin() as db:
        call = _under_way(db, desk, call_id)
        members.find(db, member_id)
        if call.member_id != member_id:
            audit.record(
                db,
                desk,
                Action.CALL_TURNED,
                member_id=member_id,
                call_id=call_id,
                before=call.member_id,
            )
            # The other member's timeline shows the call too: it must hear of the change.
            touch(db, f"member:{call.member_id}")
            call.member_id, call.facts, call.verified_at = member_id, "", None
        return _state(db, call)


def tick(desk: Desk, call_id: str, facts: Collection[Fact]) -> CallState:
    """Note which facts the caller got right; enough of them verify the caller."""
    check_may_change(desk)
    with desk.records.begin() as db:
        call = _under_way(db, desk, call_id)
        told = _comparable(db, call, facts)
        call.facts = ",".join(fact for fact in Fact if fact in told)
        was = call.verified_at is not None
        verified = is_verified(told)
        if verified and not was:
            call.verified_at = desk.now()
            _note_verified(db, desk, call, Action.CALLER_VERIFIED)
        elif was and not verified:
            call.verified_at = None
            _note_verified(db, desk, call, Action.CALLER_NOT_VERIFIED)
        return _state(db, call)


def wrap_up(desk: Desk, call_id: str, wrap_up: WrapUp) -> None:
    """End a call with its reason, its result and a note."""
    check_may_change(desk)
    note = check_text(wrap_up.note, MOST_NOTE, "The note", lines=True)
    with desk.records.begin() as db:
        call = _own(db.get(Call, call_id), desk)
        if call.ended_at is not None:
            return
        call.ended_at = desk.now()
        call.reason, call.result, call.note = wrap_up.reason, wrap_up.result, note
        audit.record(
            db,
            desk,
            Action.CALL_WRAPPED_UP,
            member_id=call.member_id,
            call_id=call_id,
            reason=wrap_up.reason,
            result=wrap_up.result,
            verified=call.verified_at is not None,
        )


def _own(call: Call | None, desk: Desk) -> Call:
    if call is None or call.staff != desk.colleague.login:
        raise NoSuchCall("This is not a call of yours. Begin one with the member's page open.")
    return call


def _under_way(db: Session, desk: Desk, call_id: str) -> Call:
    call = _own(db.get(Call, call_id), desk)
    if call.ended_at is not None:
        raise NoSuchCall("This call is wrapped up already. Begin a new one.")
    return call


def _comparable(db: Session, call: Call, facts: Collection[Fact]) -> frozenset[Fact]:
    """Take only what the file has: an empty field proves nobody."""
    if call.member_id is None:
        if facts:
            raise ConsoleError("Open the member that the caller says they are, then verify.")
        return frozenset()
    member = members.find(db, call.member_id)
    on_file = {row.fact for row in members.facts_on_file(member, accounts_of(db, member.id))}
    for fact in facts:
        if fact not in on_file:
            raise ConsoleError(
                f"The file has nothing for “{fact.words}”, so it proves nothing. Ask for another "
                "fact."
            )
    return frozenset(facts)


def _note_verified(db: Session, desk: Desk, call: Call, action: Action) -> None:
    audit.record(
        db, desk, action, member_id=call.member_id, call_id=call.id, facts=call.facts.split(",")
    )


def _state(db: Session, call: Call) -> CallState:
    facts = frozenset(Fact(fact) for fact in call.facts.split(",") if fact)
    return CallState(
        id=call.id,
        member_id=call.member_id,
        member_name=_member_name(db, call),
        member_began=call.member_began,
        began_at=call.began_at,
        facts=facts,
        verified_at=call.verified_at,
        still_missing=still_missing(facts),
    )


def _member_name(db: Session, call: Call) -> str:
    member = None if call.member_id is None else db.get(Member, call.member_id)
    return "" if member is None else display_name(member.given_names, member.name)


def _with_whom(db: Session, call: Call) -> str:
    name = _member_name(db, call)
    return f" with {name}" if name else ""
