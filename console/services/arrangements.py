"""Agree on payment arrangements, see whether their promises are kept, and end them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.arrangements import (
    SOON,
    ArrangementState,
    Paid,
    Part,
    Rhythm,
    Standing,
    becomes,
    check_parts,
    standings,
)
from console.domain.arrangements import offer as split
from console.domain.contact import Asked
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.texts import check_text
from console.models.arrangements import (
    Arrangement,
    PaidRow,
    Promise,
    arrangements_of,
    broken_since,
    open_arrangement_of,
    open_arrangements,
    paid_since,
)
from console.models.base import change_where, touch
from console.models.members import Member
from console.models.problems import DatabaseBusy, again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, caller, members
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.members import NoSuchMember

MOST_NOTE: Final = 500
_MOST_OPEN: Final = 20_000
_BROKEN_LATELY: Final = timedelta(days=30)
"""For so long a broken arrangement stays on the list; then it is a matter for collection."""
WAYS_TO_ASK: Final = (Asked.CALLER_VERIFIED, Asked.IN_PERSON)
"""A promise is given in a call or at the counter."""


class NotAsked(ConsoleError):
    """Nobody is there who could give this promise, or take it back."""


class ArrangedAlready(ConsoleError):
    """Another arrangement runs for this account."""


@dataclass(frozen=True)
class ArrangementOffer:
    """What the form begins with."""

    account_number: str
    printed_number: str
    balance: Money
    past_due: Money
    today: date
    total: Money
    """What is past due, or all that is owed when nothing is."""
    parts: tuple[Part, ...]
    refusal: str
    """Why nothing can be agreed on for this account; empty when it can."""


@dataclass(frozen=True)
class ArrangementWish:
    """An arrangement as it was read back and agreed to."""

    id: str
    """Made when the sheet opens, so that pressing twice agrees once."""
    member_id: int
    account_number: str
    total: Money
    parts: tuple[Part, ...]
    asked: Asked
    call_id: str | None = None
    note: str = ""


@dataclass(frozen=True)
class PromiseRow:
    """One promise, and how it stands."""

    due_on: date
    amount: Money
    standing: Standing


@dataclass(frozen=True)
class ArrangementRow:
    """An arrangement as the member page shows it."""

    id: str
    account_number: str
    printed_number: str
    state: ArrangementState
    promises: tuple[PromiseRow, ...]
    total: Money
    paid: Money
    """What was paid to the account since it was made, up to what was promised."""
    note: str
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None


@dataclass(frozen=True)
class PromiseDue:
    """A promise that somebody may want to remind a member of."""

    arrangement_id: str
    member_id: int
    member_name: str
    account_number: str
    printed_number: str
    due_on: date
    amount: Money
    missing: Money
    """What is still wanted to keep it."""
    standing: Standing


def offer(
    desk: Desk,
    account_number: str,
    parts: int = 3,
    rhythm: Rhythm = Rhythm.MONTH,
    first: date | None = None,
) -> ArrangementOffer:
    """Offer to split what an account has past due in dated parts."""
    with desk.records.read() as db:
        account = members.find_account(db, account_number)
        today = _today(db, desk)
        total = account.past_due if account.past_due > Money(0) else account.balance
        refusal = ""
        if account.balance <= Money(0):
            refusal = (
                f"Account {account.printed_number} owes nothing, so there is nothing to split."
            )
        elif (running := open_arrangement_of(db, account.number)) is not None:
            refusal = _already(db, desk, running)
        begins = first or today + timedelta(days=7)
        fits = not refusal and total.cents >= parts
        return ArrangementOffer(
            account.number,
            account.printed_number,
            account.balance,
            account.past_due,
            today,
            total,
            split(total, parts, begins, rhythm) if fits else (),
            refusal,
        )


def make(desk: Desk, wish: ArrangementWish) -> ArrangementRow:
    """Write down what was agreed on, once, however often it is pressed.

    Raises BadArrangement when the promises cannot be, ArrangedAlready when another arrangement
    runs, NotAsked when nobody is there who gives them.
    """
    check_may_change(desk)
    note = check_text(wish.note, MOST_NOTE, "The note")

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(Arrangement, wish.id) is None:
                _make(db, desk, wish, note)

    # A second desk, or a second press, meets the index on the account; then it is looked at again.
    again_if_crossed(in_one_go)
    return row(desk, wish.id)


def call_off(
    desk: Desk, arrangement_id: str, asked: Asked, call_id: str | None = None
) -> ArrangementRow:
    """End an arrangement that runs; one that has ended stays as it is."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            found = _find(db, arrangement_id)
            if found.state is not ArrangementState.OPEN:
                return
            _check_asked(db, desk, found.member_id, asked, call_id)
            # All at once: the database takes no end without who signs for it.
            now = desk.office_time(db)
            found.state, found.ended_at = ArrangementState.CALLED_OFF, now
            found.ended_by = desk.colleague.login
            audit.record(
                db,
                desk,
                Action.ARRANGEMENT_CALLED_OFF,
                member_id=found.member_id,
                account_number=found.account_number,
                call_id=call_id,
                arrangement=found.id,
                asked=asked,
            )

    again_if_crossed(in_one_go)
    return row(desk, arrangement_id)


def row(desk: Desk, arrangement_id: str) -> ArrangementRow:
    """Answer one arrangement as it stands."""
    with desk.records.read() as db:
        return _rows(db, desk, [_find(db, arrangement_id)])[0]


def of_member(desk: Desk, member_id: int) -> tuple[ArrangementRow, ...]:
    """List a member's arrangements, the newest first, with how each promise stands."""
    with desk.records.read() as db:
        return tuple(_rows(db, desk, arrangements_of(db, member_id)))


def worklist(desk: Desk, most: int = 500) -> tuple[PromiseDue, ...]:
    """List the promises that are due today or soon, late, or broken of late; the oldest first."""
    with desk.records.read() as db:
        today = _today(db, desk)
        since = desk.office_time(db) - _BROKEN_LATELY
        found = [*open_arrangements(db, _MOST_OPEN), *broken_since(db, since, most)]
        paid = _paid(db, found)
        due = [
            one
            for arrangement in found
            for one in _due(db, desk, arrangement, paid.get(arrangement.id, ()), today)
        ]
    return tuple(sorted(due, key=lambda one: (one.due_on, one.account_number))[:most])


def settle_due(desk: Desk) -> int:
    """End each arrangement that was kept or broken, once, and answer how many ended.

    Every console and every courier may sweep: who comes second changes nothing.
    """
    if not desk.colleague.role.changes_the_file and not desk.carries:
        return 0
    with desk.records.read() as db:
        today = _today(db, desk)
        found = open_arrangements(db, _MOST_OPEN)
        paid = _paid(db, found)
        ends = {
            one.id: state
            for one in found
            if (state := becomes(_standings(desk, one, paid.get(one.id, ()), today)))
            is not ArrangementState.OPEN
        }
    ended = 0
    for arrangement_id in ends:
        try:
            ended += _settle(desk, arrangement_id)
        except DatabaseBusy:
            continue  # the next sweep comes by again
    return ended


def _make(db: Session, desk: Desk, wish: ArrangementWish, note: str) -> None:
    account = members.find_account(db, wish.account_number)
    if account.member_id != wish.member_id:
        raise NoSuchMember("This account belongs to another member. Search for the member again.")
    _check_asked(db, desk, wish.member_id, wish.asked, wish.call_id)
    running = open_arrangement_of(db, account.number)
    if running is not None and running.id == wish.id:
        return  # the other press came between the two questions
    if running is not None:
        raise ArrangedAlready(_already(db, desk, running))
    check_parts(wish.parts, wish.total, account.balance, _today(db, desk))
    db.add(
        Arrangement(
            id=wish.id,
            member_id=account.member_id,
            account_number=account.number,
            note=note,
            call_id=wish.call_id,
            made_by=desk.colleague.login,
            made_at=desk.office_time(db),
        )
    )
    db.flush()  # the database takes promises only with their arrangement
    for part in wish.parts:
        db.add(Promise(arrangement_id=wish.id, due_on=part.due_on, amount=part.amount))
    audit.record(
        db,
        desk,
        Action.ARRANGEMENT_MADE,
        member_id=account.member_id,
        account_number=account.number,
        call_id=wish.call_id,
        arrangement=wish.id,
        total=str(wish.total),
        parts=len(wish.parts),
        asked=wish.asked,
    )


def _settle(desk: Desk, arrangement_id: str) -> bool:
    with desk.records.begin() as db:
        found = _find(db, arrangement_id)
        paid = _paid(db, [found]).get(found.id, ())
        state = becomes(_standings(desk, found, paid, _today(db, desk)))
        if state is ArrangementState.OPEN:
            return False  # a payment came between the two looks
        ended = change_where(
            db,
            update(Arrangement)
            .where(Arrangement.id == found.id, Arrangement.state == ArrangementState.OPEN)
            .values(state=state, ended_at=desk.office_time(db), version=Arrangement.version + 1),
        )
        if not ended:
            return False
        touch(db, *found.touches())
        kept = state is ArrangementState.KEPT
        audit.record(
            db,
            desk,
            Action.ARRANGEMENT_KEPT if kept else Action.ARRANGEMENT_BROKEN,
            member_id=found.member_id,
            account_number=found.account_number,
            arrangement=found.id,
        )
        return True


def _check_asked(
    db: Session, desk: Desk, member_id: int, asked: Asked, call_id: str | None
) -> None:
    if asked is Asked.IN_PERSON:
        return
    if asked is not Asked.CALLER_VERIFIED:
        raise NotAsked("A promise is given in a call or at the counter, not in a letter.")
    if not caller.is_verified(caller.own_call(db, desk, call_id), member_id):
        raise NotAsked(
            "Nobody was verified for this member on your call. Verify the caller first, or agree "
            "on it at the counter."
        )


def _already(db: Session, desk: Desk, running: Arrangement) -> str:
    by = names_of_staff(db).get(running.made_by, running.made_by)
    made = times.when(running.made_at, desk.office_time(db), desk.settings.zone)
    return (
        f"An arrangement that {by} made {made} runs for this account. Call it off before you make "
        "another one."
    )


def _find(db: Session, arrangement_id: str) -> Arrangement:
    found = db.get(Arrangement, arrangement_id)
    if found is None:
        raise ConsoleError("This arrangement is not on file. Open the member again.")
    return found


def _today(db: Session, desk: Desk) -> date:
    return times.day_of(desk.office_time(db), desk.settings.zone)


def _paid(db: Session, found: Sequence[Arrangement]) -> Mapping[str, Sequence[PaidRow]]:
    """Answer what was paid under each arrangement: from its making until its end."""
    if not found:
        return {}
    since = min(one.made_at for one in found)
    by_account: dict[str, list[PaidRow]] = {}
    for paid in paid_since(db, {one.account_number for one in found}, since):
        by_account.setdefault(paid.account_number, []).append(paid)
    return {
        one.id: [
            paid
            for paid in by_account.get(one.account_number, ())
            if paid.at >= one.made_at and (one.ended_at is None or paid.at <= one.ended_at)
        ]
        for one in found
    }


def _parts(arrangement: Arrangement) -> tuple[Part, ...]:
    return tuple(Part(one.due_on, one.amount) for one in arrangement.promises)


def _standings(
    desk: Desk, arrangement: Arrangement, paid: Sequence[PaidRow], today: date
) -> tuple[Standing, ...]:
    if arrangement.ended_at is not None:
        today = min(today, times.day_of(arrangement.ended_at, desk.settings.zone))
    came = [Paid(one.day, one.amount) for one in paid]
    return standings(_parts(arrangement), came, today, arrangement.state)


def _rows(db: Session, desk: Desk, found: Sequence[Arrangement]) -> list[ArrangementRow]:
    staff = names_of_staff(db)
    today = _today(db, desk)
    paid = _paid(db, found)
    return [_row(db, desk, one, paid.get(one.id, ()), today, staff) for one in found]


def _row(
    db: Session,
    desk: Desk,
    found: Arrangement,
    paid: Sequence[PaidRow],
    today: date,
    staff: Mapping[str, str],
) -> ArrangementRow:
    standing = _standings(desk, found, paid, today)
    total = sum((one.amount for one in found.promises), Money(0))
    came = sum((one.amount for one in paid), Money(0))
    return ArrangementRow(
        found.id,
        found.account_number,
        members.find_account(db, found.account_number).printed_number,
        found.state,
        tuple(
            PromiseRow(one.due_on, one.amount, how)
            for one, how in zip(found.promises, standing, strict=True)
        ),
        total,
        total if found.state is ArrangementState.KEPT else min(max(came, Money(0)), total),
        found.note,
        staff.get(found.made_by, found.made_by),
        found.made_at,
        staff.get(found.ended_by, found.ended_by),
        found.ended_at,
    )


def _due(
    db: Session, desk: Desk, found: Arrangement, paid: Sequence[PaidRow], today: date
) -> list[PromiseDue]:
    """Answer the promises of an arrangement that are worth a call, each with what is missing."""
    standing = _standings(desk, found, paid, today)
    came = sum(one.amount.cents for one in paid)
    promised = 0
    due = []
    for one, how in zip(found.promises, standing, strict=True):
        promised += one.amount.cents
        soon = how is Standing.DUE and one.due_on - today <= SOON
        if not soon and how not in (Standing.DUE_TODAY, Standing.LATE, Standing.BROKEN):
            continue
        account = members.find_account(db, found.account_number)
        member = db.get_one(Member, found.member_id)
        due.append(
            PromiseDue(
                found.id,
                found.member_id,
                display_name(member.given_names, member.name),
                found.account_number,
                account.printed_number,
                one.due_on,
                one.amount,
                Money(max(0, min(one.amount.cents, promised - came))),
                how,
            )
        )
    return due
