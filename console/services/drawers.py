"""The cash drawer of a clerk: opened with a count, added to, counted blind and closed for good."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.audit import Head
from console.domain.drawers import (
    BadMovement,
    Contents,
    MovementKind,
    check_cheques,
    check_explanation,
    check_movement,
    close_words,
    count_words,
    counted_sum,
)
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import PaymentWay, receipt_number
from console.models import witness
from console.models.drawers import (
    Drawer,
    DrawerMovement,
    contents_of,
    drawers_since,
    held_drawer,
    movements_of,
    open_drawer_of,
    payments_in,
    refunds_out_of,
    refunds_waiting_for,
)
from console.models.members import Member
from console.models.payments import Payment, Refund
from console.models.problems import again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk

if TYPE_CHECKING:
    from console.documents.drawers import DrawerPaper

GIVEN_BACK: Final = "Given back"
MOST_DRAWERS: Final = 500
"""How many drawers a list shows at most."""


class NoCashHere(ConsoleError):
    """This role has no drawer."""


class NotYourDrawer(ConsoleError):
    """The drawer is a colleague's."""


class NoSuchDrawer(ConsoleError):
    """There is no drawer to do this with."""


class AnotherDrawerOpen(ConsoleError):
    """A clerk has one drawer open at a time."""


class DrawerClosed(ConsoleError):
    """The drawer was counted and closed; it stays as it is."""


class RefundWaits(ConsoleError):
    """Cash is yet to be given back out of the drawer."""


class DrawerOpen(ConsoleError):
    """The drawer is not counted yet, so there is nothing to print."""


class DrawerDiffers(ConsoleError):
    """What was counted is not what was expected; it is closed with an explanation only."""

    def __init__(self, counted: Contents, expected: Contents) -> None:
        super().__init__(
            f"{close_words(counted, expected)} Count once more. If it stays like this, say how it "
            "may have come about and close the drawer."
        )
        self.counted, self.expected = counted, expected


@dataclass(frozen=True)
class MovementRow:
    """Cash that was put into a drawer or taken out of it beside payments."""

    id: str
    kind: MovementKind
    amount: Money
    """Above zero went in, below zero went out."""
    words: str
    moved_at: datetime
    moved_by: str
    """The name of whoever did it."""


@dataclass(frozen=True)
class TakenRow:
    """A payment that was taken into a drawer."""

    payment_id: str
    receipt: str
    taken_at: datetime
    member_id: int
    member_name: str
    accounts: tuple[str, ...]
    way: PaymentWay
    amount: Money
    cheque_number: str
    voided: bool


@dataclass(frozen=True)
class GivenBackRow:
    """Cash that was given back out of a drawer."""

    refund_id: str
    given_at: datetime
    member_id: int
    member_name: str
    account_number: str
    amount: Money
    reason: str


@dataclass(frozen=True)
class DrawerClose:
    """How a drawer was counted when it was closed."""

    closed_at: datetime
    closed_by: str
    """The name of whoever counted."""
    counted: Contents
    expected: Contents
    explanation: str

    @property
    def words(self) -> str:
        """Say whether it was over, short or right."""
        return close_words(self.counted, self.expected)

    @property
    def is_right(self) -> bool:
        """Whether it was counted as expected."""
        return self.counted == self.expected


@dataclass(frozen=True)
class DrawerState:
    """A drawer with what came in and went out; what it should hold is told once it is counted."""

    id: str
    clerk: str
    """The login."""
    clerk_name: str
    workstation: str
    opened_at: datetime
    opening_cash: Money
    movements: tuple[MovementRow, ...]
    taken: tuple[TakenRow, ...]
    given_back: tuple[GivenBackRow, ...]
    close: DrawerClose | None

    @property
    def is_open(self) -> bool:
        """Whether it may still be added to."""
        return self.close is None


@dataclass(frozen=True)
class DrawerRow:
    """One line of the list of drawers."""

    id: str
    clerk_name: str
    workstation: str
    opened_at: datetime
    opening_cash: Money
    close: DrawerClose | None


@dataclass(frozen=True)
class DrawerSheet:
    """Everything that stands on the printed sheet of a drawer."""

    state: DrawerState
    counted: Mapping[int, int]
    """How many of each note and coin, in cents; those that were not counted are not in it."""
    heads: tuple[Head, ...]
    """Where each chain of the audit trail ends: on paper, nobody forges them afresh."""
    made_at: datetime


# What one's drawer is


def mine(desk: Desk) -> DrawerState | None:
    """Answer the drawer that whoever is signed in has open, if there is one."""
    with desk.records.read() as db:
        drawer = open_drawer_of(db, desk.colleague.login)
        return None if drawer is None else _state(db, drawer)


def drawers(desk: Desk, since: datetime) -> tuple[DrawerRow, ...]:
    """List the drawers that are open, or were so since a moment: all, or a clerk's own."""
    whose = None if desk.colleague.role.watches_over else desk.colleague.login
    with desk.records.read() as db:
        staff = names_of_staff(db)
        return tuple(
            DrawerRow(
                drawer.id,
                staff.get(drawer.clerk, drawer.clerk),
                drawer.workstation,
                drawer.opened_at,
                drawer.opening_cash,
                _close_of(drawer, staff),
            )
            for drawer in drawers_since(db, since, MOST_DRAWERS, whose)
        )


def look_into(desk: Desk, drawer_id: str) -> DrawerState:
    """Answer one's own drawer, or for whoever watches over them any other."""
    with desk.records.read() as db:
        return _state(db, _readable(db, desk, drawer_id))


def sheet(desk: Desk, drawer_id: str) -> DrawerSheet:
    """Answer everything for the printed sheet of a drawer."""
    with desk.records.read() as db:
        drawer = _readable(db, desk, drawer_id)
        heads = sorted(witness.heads_of(db), key=lambda head: head.chain)
        return DrawerSheet(_state(db, drawer), _counted(drawer), tuple(heads), desk.office_time(db))


def paper(desk: Desk, drawer_id: str) -> bytes:
    """Draw the sheet of a drawer that was closed; that it was printed is on the trail."""
    told = _paper(desk, sheet(desk, drawer_id))
    with desk.records.begin() as db:
        audit.record(db, desk, Action.DRAWER_PRINTED, drawer=drawer_id)
    from console.documents.drawers import draw_drawer  # what draws is not wanted at start

    return draw_drawer(told, desk.now())


# What is done with it


def open_drawer(desk: Desk, drawer_id: str, opening: Mapping[int, int]) -> DrawerState:
    """Open a drawer with what is in it, note by note; pressing twice opens one."""
    _check_handles_cash(desk)
    cash = counted_sum(opening)

    def in_one_go() -> DrawerState:
        with desk.records.begin() as db:
            return _open(db, desk, drawer_id, opening, cash)

    # A second press, or another desk of the same clerk, may cross ours.
    return again_if_crossed(in_one_go)


def move(
    desk: Desk, movement_id: str, drawer_id: str, kind: MovementKind, amount: Money, words: str
) -> DrawerState:
    """Put cash into one's own drawer, or take some out, beside payments."""
    _check_handles_cash(desk)
    said = check_movement(kind, amount, words)

    def in_one_go() -> DrawerState:
        with desk.records.begin() as db:
            return _move(db, desk, movement_id, drawer_id, kind, amount, said)

    return again_if_crossed(in_one_go)


def close_drawer(
    desk: Desk,
    drawer_id: str,
    counted: Mapping[int, int],
    cheques: int,
    cheque_sum: Money,
    explanation: str = "",
    expected: Contents | None = None,
) -> DrawerState:
    """Close a drawer as it was counted; what it should hold is worked out in the same moment.

    Raises DrawerDiffers while a difference is not explained; every such count stays on the trail.
    `expected` is what the explanation is about: when it is no longer what should be there, because
    a payment came between, the difference is told afresh.
    """
    _check_handles_cash(desk)
    check_cheques(cheques, cheque_sum)
    found = Contents(counted_sum(counted), cheques, cheque_sum)

    def in_one_go() -> DrawerState | DrawerDiffers:
        with desk.records.begin() as db:
            return _close(db, desk, drawer_id, counted, found, explanation, expected)

    closed = again_if_crossed(in_one_go)
    if isinstance(closed, DrawerDiffers):
        raise closed
    return closed


def _open(
    db: Session, desk: Desk, drawer_id: str, opening: Mapping[int, int], cash: Money
) -> DrawerState:
    me = desk.colleague.login
    known = db.get(Drawer, drawer_id)
    if known is not None:
        if known.clerk != me:
            raise NotYourDrawer("This drawer is a colleague’s. Begin again to open your own.")
        return _state(db, known)
    other = open_drawer_of(db, me)
    if other is not None and other.id == drawer_id:
        return _state(db, other)  # the other press was written between our two looks
    if other is not None:
        opened = times.when(other.opened_at, desk.now(), desk.settings.zone)
        raise AnotherDrawerOpen(
            f"You have had a drawer open at {other.workstation} since {opened}. Count and close "
            "that one first."
        )
    drawer = Drawer(
        id=drawer_id,
        clerk=me,
        workstation=desk.workstation[:80],
        opened_at=desk.office_time(db),
        opening_cash=cash,
    )
    db.add(drawer)
    audit.record(
        db, desk, Action.DRAWER_OPENED,
        drawer=drawer_id, cash=str(cash), counted=count_words(opening),
    )  # fmt: skip
    db.flush()
    return _state(db, drawer)


def _move(
    db: Session,
    desk: Desk,
    movement_id: str,
    drawer_id: str,
    kind: MovementKind,
    amount: Money,
    words: str,
) -> DrawerState:
    drawer = _held(db, drawer_id)
    if drawer.clerk != desk.colleague.login:
        raise NotYourDrawer("This drawer is a colleague’s. Only they put cash in or take it out.")
    if db.get(DrawerMovement, movement_id) is not None:
        return _state(db, drawer)
    if drawer.closed_at is not None:
        raise _was_closed(db, desk, drawer)
    changes = kind.signed(amount)
    if contents_of(db, drawer).cash + changes < Money(0):
        raise BadMovement(f"There cannot be {amount} in this drawer. Check the amount.")
    db.add(
        DrawerMovement(
            id=movement_id,
            drawer_id=drawer.id,
            kind=kind,
            amount=changes,
            words=words,
            moved_by=desk.colleague.login,
            moved_at=desk.office_time(db),
        )
    )
    audit.record(
        db, desk, Action.DRAWER_MOVED,
        drawer=drawer.id, movement=movement_id, kind=kind, amount=str(changes), words=words,
    )  # fmt: skip
    db.flush()
    return _state(db, drawer)


def _close(
    db: Session,
    desk: Desk,
    drawer_id: str,
    counted: Mapping[int, int],
    found: Contents,
    explanation: str,
    explained: Contents | None,
) -> DrawerState | DrawerDiffers:
    drawer = _held(db, drawer_id)
    me, role = desk.colleague.login, desk.colleague.role
    if drawer.clerk != me and not role.closes_others_drawers:
        raise NotYourDrawer("This drawer is a colleague’s. A supervisor may close it for them.")
    if drawer.closed_at is not None:
        if drawer.closed_by == me and _found(drawer) == found:
            return _state(db, drawer)
        raise _was_closed(db, desk, drawer)
    if refunds_waiting_for(db, drawer.id):
        raise RefundWaits(
            "Cash is yet to be given back out of this drawer. Have the refund approved, or "
            "withdraw it, and close the drawer then."
        )
    expected = contents_of(db, drawer)
    differs = found != expected
    told: dict[str, Any] = {
        "drawer": drawer.id,
        "cash": str(found.cash),
        "cash_expected": str(expected.cash),
        "cheques": _cheques(found),
        "cheques_expected": _cheques(expected),
        "counted": count_words(counted),
    }
    if differs and (not explanation.strip() or explained not in (None, expected)):
        # A count that was not kept stays on the trail all the same: nobody counts until it fits.
        audit.record(db, desk, Action.DRAWER_COUNTED, **told)
        return DrawerDiffers(found, expected)
    drawer.explanation = check_explanation(explanation) if differs else ""
    drawer.closed_at, drawer.closed_by = desk.office_time(db), me
    drawer.counted = json.dumps({str(cents): many for cents, many in counted.items() if many})
    drawer.counted_cash, drawer.expected_cash = found.cash, expected.cash
    drawer.counted_cheques, drawer.counted_cheque_sum = found.cheques, found.cheque_sum
    drawer.expected_cheques, drawer.expected_cheque_sum = expected.cheques, expected.cheque_sum
    audit.record(
        db, desk, Action.DRAWER_CLOSED, **told, explanation=drawer.explanation,
        login=drawer.clerk,
    )  # fmt: skip
    db.flush()
    return _state(db, drawer)


# Who may


def _check_handles_cash(desk: Desk) -> None:
    role = desk.colleague.role
    if not role.may_handle_cash:
        raise NoCashHere(
            f"As {role.words.lower()} you have no cash drawer. A clerk at the counter takes cash "
            "and cheques."
        )


def _held(db: Session, drawer_id: str) -> Drawer:
    drawer = held_drawer(db, drawer_id)
    if drawer is None:
        raise NoSuchDrawer("This drawer is not on file. Open your drawer first.")
    return drawer


def _readable(db: Session, desk: Desk, drawer_id: str) -> Drawer:
    drawer = db.get(Drawer, drawer_id)
    if drawer is None:
        raise NoSuchDrawer("This drawer is not on file. Look at the list again.")
    if drawer.clerk != desk.colleague.login and not desk.colleague.role.watches_over:
        raise NotYourDrawer("This drawer is a colleague’s. A supervisor may look into it.")
    return drawer


def _was_closed(db: Session, desk: Desk, drawer: Drawer) -> DrawerClosed:
    by = names_of_staff(db).get(drawer.closed_by, drawer.closed_by)
    at = drawer.closed_at or drawer.opened_at
    when = times.when(at, desk.now(), desk.settings.zone)
    return DrawerClosed(f"{by} closed this drawer {when}. Open another one to go on.")


# How it stands


def _state(db: Session, drawer: Drawer) -> DrawerState:
    staff = names_of_staff(db)
    taken = payments_in(db, drawer.id)
    given_back = refunds_out_of(db, drawer.id)
    about = {payment.member_id for payment, _ in taken} | {one.member_id for one in given_back}
    members = _names(db, about)
    return DrawerState(
        drawer.id,
        drawer.clerk,
        staff.get(drawer.clerk, drawer.clerk),
        drawer.workstation,
        drawer.opened_at,
        drawer.opening_cash,
        tuple(
            MovementRow(
                one.id, one.kind, one.amount, one.words, one.moved_at,
                staff.get(one.moved_by, one.moved_by),
            )
            for one in movements_of(db, drawer.id)
        ),
        tuple(_taken(payment, members, voided=voided) for payment, voided in taken),
        tuple(_given_back(refund, members) for refund in given_back),
        _close_of(drawer, staff),
    )  # fmt: skip


def _taken(payment: Payment, members: Mapping[int, str], *, voided: bool) -> TakenRow:
    return TakenRow(
        payment.id,
        receipt_number(payment.id),
        payment.finished_at or payment.asked_at,
        payment.member_id,
        members[payment.member_id],
        tuple(share.account_number for share in payment.shares),
        payment.way,
        payment.amount,
        payment.cheque_number,
        voided,
    )


def _given_back(refund: Refund, members: Mapping[int, str]) -> GivenBackRow:
    return GivenBackRow(
        refund.id,
        refund.finished_at or refund.asked_at,
        refund.member_id,
        members[refund.member_id],
        refund.account_number,
        refund.amount,
        refund.reason,
    )


def _names(db: Session, ids: Collection[int]) -> dict[int, str]:
    asked = select(Member.id, Member.given_names, Member.name).where(Member.id.in_(ids))
    return {row.id: display_name(row.given_names, row.name) for row in db.execute(asked)}


def _close_of(drawer: Drawer, staff: Mapping[str, str]) -> DrawerClose | None:
    found = _found(drawer)
    if drawer.closed_at is None or found is None:
        return None
    return DrawerClose(
        drawer.closed_at,
        staff.get(drawer.closed_by, drawer.closed_by),
        found,
        Contents(
            drawer.expected_cash or Money(0),
            drawer.expected_cheques or 0,
            drawer.expected_cheque_sum or Money(0),
        ),
        drawer.explanation,
    )


def _found(drawer: Drawer) -> Contents | None:
    if drawer.counted_cash is None:
        return None
    return Contents(
        drawer.counted_cash, drawer.counted_cheques or 0, drawer.counted_cheque_sum or Money(0)
    )


def _counted(drawer: Drawer) -> dict[int, int]:
    told: dict[str, int] = json.loads(drawer.counted)
    return {int(cents): many for cents, many in told.items()}


def _cheques(contents: Contents) -> str:
    return f"{contents.cheques}, {contents.cheque_sum}"


# On paper


def _paper(desk: Desk, told: DrawerSheet) -> DrawerPaper:
    from console.documents import drawers as document

    state = told.state
    close = state.close
    if close is None:
        raise DrawerOpen("This drawer is still open. Count and close it; then its sheet is there.")

    def taken(way: PaymentWay) -> tuple[document.DrawerPayment, ...]:
        return tuple(
            document.DrawerPayment(
                one.receipt,
                one.taken_at,
                one.member_name,
                one.amount,
                one.cheque_number,
                "VOID" if one.voided else "",
            )
            for one in state.taken
            if one.way is way
        )

    moved = [
        document.DrawerMovement(one.moved_at, one.kind.words, one.words, one.moved_by, one.amount)
        for one in state.movements
    ]
    given_back = [
        document.DrawerMovement(
            one.given_at, GIVEN_BACK, f"{one.member_name}: {one.reason}", state.clerk_name,
            -one.amount,
        )
        for one in state.given_back
    ]  # fmt: skip
    return document.DrawerPaper(
        number=state.id[:8],
        clerk=state.clerk_name,
        workstation=state.workstation,
        coop_name=desk.settings.coop_name,
        coop_phone=desk.settings.coop_phone,
        zone=desk.settings.zone,
        opened_at=state.opened_at,
        opening_cash=state.opening_cash,
        expected_cash=close.expected.cash,
        expected_cheques=close.expected.cheques,
        expected_cheque_sum=close.expected.cheque_sum,
        closed_at=close.closed_at,
        closed_by=close.closed_by,
        cash=taken(PaymentWay.CASH),
        cheques=taken(PaymentWay.CHEQUE),
        movements=tuple(sorted((*moved, *given_back), key=lambda one: one.moved_at)),
        counted=tuple(sorted(told.counted.items(), reverse=True)),
        counted_cash=close.counted.cash,
        counted_cheques=close.counted.cheques,
        counted_cheque_sum=close.counted.cheque_sum,
        explanation=close.explanation,
        heads=tuple((head.chain, head.seq, head.hash) for head in told.heads),
    )
