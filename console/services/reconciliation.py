"""Reconcile a day: the gateway's list laid beside ours, both ways, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import uuid4
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from console.clients.gateway import (
    ChargeLine,
    Declined,
    GatewayBusy,
    KeyRefused,
    PaymentGateway,
    Taken,
    Unexpected,
    Unreachable,
)
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import ReturnKind
from console.domain.reconciliation import (
    LOOK_AGAIN_AFTER,
    ChargeState,
    Comparison,
    Difference,
    Mismatch,
    OurPayment,
    TheirCharge,
    compare,
    days_due,
    not_there,
    refund_differs,
)
from console.domain.texts import check_text, clean_text
from console.models import reconciliation as lists
from console.models.base import touch
from console.models.members import Member
from console.models.payments import (
    OPEN_STATES,
    Payment,
    PaymentReturn,
    PaymentShare,
    Refund,
    return_of,
)
from console.models.problems import DatabaseTrouble, again_if_crossed
from console.models.reconciliation import Reconciliation, ReconciliationLine
from console.models.staff import names_of_staff
from console.services import audit, charging
from console.services.audit import Action
from console.services.desk import Desk, check_may_change

_MARGIN: Final = timedelta(hours=1)
"""A charge may be listed on the other side of midnight: clocks differ, and answers come late."""
_AFTER_MIDNIGHT: Final = timedelta(hours=1)
"""Yesterday is left alone until what was under way at midnight has come to its end."""
_DEBITS_WITHIN: Final = timedelta(days=10)
"""A debit settles or comes back within about a week; older days are looked at again as a whole."""
_REFUNDS_WITHIN: Final = timedelta(days=30)
_MOST_REFUNDS: Final = 500
_ASKED_ONE_BY_ONE: Final = 100
"""More payments of one day than these are not asked for singly: the day is listed again."""
_AFTER_TROUBLE: Final = timedelta(minutes=10)
_FEWEST_LETTERS: Final = 10
_MOST_CLEARED: Final = 500
_SHEETS_SHOWN: Final = timedelta(days=130)


class NotReconciled(ConsoleError):
    """The day cannot be laid beside the gateway's list from here, or not now."""


class CannotClear(ConsoleError):
    """This line is not cleared like that."""


@dataclass(frozen=True)
class SheetRow:
    """One sheet in the list."""

    id: str
    day: date
    made_at: datetime
    made_by: str
    ours: int
    ours_sum: Money
    theirs: int
    theirs_sum: Money
    settled: int
    open_lines: int
    """Lines of this day that nobody has cleared, on this sheet or an earlier one."""

    @property
    def agrees(self) -> bool:
        """Whether nothing is left that differs."""
        return self.open_lines == 0


@dataclass(frozen=True)
class LineRow:
    """One thing that differs."""

    id: str
    kind: Mismatch
    words: str
    payment_id: str
    member_id: int | None
    member_name: str
    gateway_id: str
    ours: Money | None
    theirs: Money | None
    found_at: datetime
    cleared_at: datetime | None
    cleared_by: str
    cleared_words: str


@dataclass(frozen=True)
class Sheet:
    """A day's sheet with everything that differs, the open lines first."""

    row: SheetRow
    lines: tuple[LineRow, ...]

    @property
    def words(self) -> str:
        """Say in a sentence how the day stands."""
        if self.row.open_lines:
            many = self.row.open_lines
            noun = "One line differs" if many == 1 else f"{many:,} lines differ"
            return f"{noun}. Look at each, then write down what you found and clear it."
        if self.lines:
            return "Everything that differed is cleared."
        if not self.row.theirs:
            return "The gateway and we agree: nothing was charged that day."
        if self.row.theirs == 1:
            return "The one charge agrees, to the cent."
        return f"All {self.row.theirs:,} charges agree, to the cent."


def reconcile(desk: Desk, day: date) -> Sheet:
    """Lay a day beside the gateway's list, write down what agrees and what differs.

    Raises NotReconciled where no gateway is reached; nothing is lost then, and it is done again.
    """
    check_may_change(desk)
    return sheet(desk, _reconcile(desk, day, only_if_due=False) or "")


def due(desk: Desk) -> tuple[date, ...]:
    """Answer the days that are to be reconciled now, the newest first."""
    with desk.records.read() as db:
        now = desk.office_time(db)
        zone = desk.settings.zone
        today = times.day_of(now - _AFTER_MIDNIGHT, zone)
        since = today - timedelta(days=max(LOOK_AGAIN_AFTER) + 1)
        made = lists.newest_made(db, since)
    return tuple(days_due(today, {day: times.day_of(at, zone) for day, at in made.items()}))


def daily(desk: Desk) -> str:
    """Reconcile one day that is due, if any; answer what keeps it from being done, in words.

    A courier calls this at each of its turns. One day is done at a time, so that a payment that
    somebody waits for goes between two of them.
    """
    if desk.gateway is None or not desk.carries:
        return ""
    failed, at = _FAILED.get(desk.records.engine, (None, None))
    if at is not None and desk.now() - at < _AFTER_TROUBLE:
        return ""
    # A day that cannot be read does not keep the others from their turn.
    days = sorted(due(desk), key=lambda day: (day == failed, -day.toordinal()))
    if not days:
        return ""
    try:
        _reconcile(desk, days[0], only_if_due=True)
    except DatabaseTrouble:
        raise
    except NotReconciled as trouble:
        _FAILED[desk.records.engine] = (days[0], desk.now())
        return str(trouble)
    return ""


def sheets(desk: Desk, most: int = 200) -> tuple[SheetRow, ...]:
    """List each day's newest sheet, the newest day first."""
    with desk.records.read() as db:
        since = times.day_of(desk.now() - _SHEETS_SHOWN, desk.settings.zone)
        staff, left = names_of_staff(db), lists.open_lines(db, since)
        newest: dict[date, Reconciliation] = {}
        for one in lists.sheets(db, since, most * 3):
            newest.setdefault(one.day, one)
        return tuple(
            _row(one, staff.get(one.made_by, one.made_by), left.get(one.day, 0))
            for one in list(newest.values())[:most]
        )


def sheet(desk: Desk, sheet_id: str) -> Sheet:
    """Answer a sheet with all that differed on its day."""
    with desk.records.read() as db:
        found = db.get(Reconciliation, sheet_id)
        if found is None:
            raise ConsoleError("This sheet is not on file. Open the list again.")
        staff = names_of_staff(db)
        at = {one.id: one.made_at for one in _sheets_of(db, found.day)}
        lines = lists.lines_of_day(db, found.day)
        members = _names(db, {line.member_id for line in lines if line.member_id is not None})
        left = sum(line.cleared_at is None for line in lines)
        return Sheet(
            _row(found, staff.get(found.made_by, found.made_by), left),
            tuple(
                LineRow(
                    line.id,
                    line.kind,
                    line.words,
                    line.payment_id or "",
                    line.member_id,
                    members.get(line.member_id or 0, ""),
                    line.gateway_id,
                    line.ours,
                    line.theirs,
                    at[line.sheet_id],
                    line.cleared_at,
                    staff.get(line.cleared_by, line.cleared_by),
                    line.cleared_words,
                )
                for line in lines
            ),
        )


def clear(desk: Desk, line_id: str, words: str) -> Sheet:
    """Clear a line, with what was found out about it; the first one to clear it is kept."""
    if not desk.colleague.role.gives_back:
        raise CannotClear("A supervisor clears what differs. Tell one what you know about it.")
    clean = check_text(words, _MOST_CLEARED, "What you found", lines=True)
    if sum(map(str.isalnum, clean)) < _FEWEST_LETTERS:
        raise CannotClear("Say in a few words what you found, so that the sheet explains itself.")

    def in_one_go() -> str:
        with desk.records.begin() as db:
            line = db.get(ReconciliationLine, line_id)
            if line is None:
                raise CannotClear("This line is not on file. Open the sheet again.")
            if line.cleared_at is None:
                line.cleared_by, line.cleared_at = desk.colleague.login, desk.office_time(db)
                line.cleared_words = clean
                audit.record(
                    db,
                    desk,
                    Action.MISMATCH_CLEARED,
                    member_id=line.member_id,
                    line=line.id,
                    kind=line.kind,
                    payment=line.payment_id or "",
                    words=clean,
                )
            return line.sheet_id

    return sheet(desk, again_if_crossed(in_one_go))


# Asking the gateway: no transaction is open meanwhile

_FAILED: WeakKeyDictionary[Engine, tuple[date, datetime]] = WeakKeyDictionary()
"""Which day failed last, and when: a gateway that is away is not asked at every turn."""


@dataclass(frozen=True)
class CameBack:
    """A payment that the gateway took and that did not last."""

    payment: OurPayment
    kind: ReturnKind
    code: str
    reason: str


def _reconcile(desk: Desk, day: date, *, only_if_due: bool) -> str | None:
    till = desk.gateway
    if till is None:
        raise NotReconciled(
            "Only the courier speaks with the gateway. It reconciles every day by itself, soon "
            "after midnight."
        )
    with desk.records.read() as db:
        began = desk.office_time(db)
    if day > times.day_of(began, desk.settings.zone):
        raise NotReconciled("This day has not begun yet. Choose one that has.")
    try:
        found, back, refunds = _look(desk, till, day)
    except (Unreachable, Unexpected) as trouble:
        raise NotReconciled(
            f"The day could not be reconciled. {trouble} It is done again by itself."
        ) from trouble
    settled = _settle(desk, Payment, found.settled) if found.settled else 0
    _settle(desk, Refund, refunds)
    return again_if_crossed(
        lambda: _write_sheet(desk, day, found, back, settled, began if only_if_due else None)
    )


def _look(
    desk: Desk, till: PaymentGateway, day: date
) -> tuple[Comparison, list[CameBack], list[str]]:
    """Lay both lists side by side; nothing is written but what the ordinary courier finds."""
    since, until = _span(desk, day)
    theirs = _listed(desk, till, day)
    _carry_open(desk, [charge.reference for charge in theirs if charge.reference and charge.moved])
    with desk.records.read() as db:
        ours = {
            one.id: one for one in lists.charged_within(db, since - _MARGIN, until + _MARGIN, day)
        }
        others = [one.reference for one in theirs if one.reference and one.reference not in ours]
        ours |= {one.id: one for one in lists.payments_named(db, others, day)}
        now = desk.office_time(db)
        waiting = lists.not_settled(db, now - _DEBITS_WITHIN, since - _MARGIN)
        given = lists.refunds_not_settled(db, now - _REFUNDS_WITHIN, _MOST_REFUNDS)
        refunded = {
            one.id: one for one in lists.payments_named(db, [it.payment_id for it in given], day)
        }
    found = compare(ours, theirs)
    back = _returns(till, found)
    back += _ask_for_missing(till, found)
    _follow_up(desk, till, waiting, frozenset(ours), found, back)
    settled = _look_at_refunds(till, given, refunded, found)
    return found, back, settled


def _span(desk: Desk, day: date) -> tuple[datetime, datetime]:
    zone = desk.settings.zone
    return times.midnight(day, zone), times.midnight(day + timedelta(days=1), zone)


def _listed(desk: Desk, till: PaymentGateway, day: date) -> list[TheirCharge]:
    since, until = _span(desk, day)
    return [
        _their_charge(line, of_the_day=since <= line.at < until)
        for line in till.charges(since - _MARGIN, until + _MARGIN)
    ]


def _their_charge(line: ChargeLine, *, of_the_day: bool) -> TheirCharge:
    return TheirCharge(
        line.id,
        line.payment,
        line.reference,
        line.amount,
        line.refunded,
        ChargeState(line.status.value),
        line.disputed,
        of_the_day,
    )


def _carry_open(desk: Desk, references: Sequence[str]) -> None:
    """Let the ordinary courier settle what is charged there and open here; nothing is invented."""
    with desk.records.read() as db:
        still_open = set(db.scalars(select(Payment.id).where(Payment.state.in_(OPEN_STATES))))
    for reference in references:
        if reference in still_open:
            charging.carry(desk, Payment, reference)


def _returns(till: PaymentGateway, found: Comparison) -> list[CameBack]:
    back = [_came_back(till, ours) for ours, _ in found.came_back]
    back += [
        CameBack(ours, ReturnKind.DISPUTE, "", "The member’s bank took it back: a dispute.")
        for ours, _ in found.disputed
    ]
    return back


def _came_back(till: PaymentGateway, ours: OurPayment) -> CameBack:
    """Ask why a debit came back; its list does not tell what the bank said."""
    told = _ask(till, ours)
    if isinstance(told, Declined):
        return _returned(ours, told)
    return CameBack(ours, ReturnKind.DEBIT, "", "The bank did not pay it.")


def _returned(ours: OurPayment, told: Declined) -> CameBack:
    code = told.return_code or told.code
    return CameBack(ours, ReturnKind.DEBIT, code[:20], clean_text(told.sentence, 300))


def _ask(till: PaymentGateway, ours: OurPayment) -> Taken | Declined | None:
    """Ask for one payment; None when the gateway does not show it as we have it."""
    if not ours.gateway_id:
        return None
    try:
        return till.payment(ours.gateway_id, ours.id, ours.amount)
    except (GatewayBusy, KeyRefused):
        raise
    except Unexpected:
        return None


def _ask_for_missing(till: PaymentGateway, found: Comparison) -> list[CameBack]:
    """Ask singly for what the day's list has not: it may have been charged on an earlier day."""
    back = []
    for place, payment in enumerate(found.missing):
        told = _ask(till, payment) if place < _ASKED_ONE_BY_ONE else None
        if isinstance(told, Declined) and not payment.came_back:
            back.append(_returned(payment, told))
        elif isinstance(told, Taken):
            if told.settled and not payment.is_settled:
                found.settled.append(payment.id)
        elif told is None:
            not_there(found, payment)
    return back


def _follow_up(
    desk: Desk,
    till: PaymentGateway,
    waiting: Mapping[date, list[OurPayment]],
    known: frozenset[str],
    found: Comparison,
    back: list[CameBack],
) -> None:
    """Ask what became of the payments of earlier days that had not settled: debits take days."""
    for day, payments in sorted(waiting.items()):
        left = {one.id: one for one in payments if one.id not in known}
        if len(left) > _ASKED_ONE_BY_ONE:
            theirs = [one for one in _listed(desk, till, day) if one.reference in left]
            apart = compare(left, theirs)
            back += _returns(till, apart)
            found.settled += apart.settled
            found.differences += apart.differences
            continue
        for payment in left.values():
            told = _ask(till, payment)
            if isinstance(told, Declined):
                back.append(_returned(payment, told))
            elif told is not None and told.settled:
                found.settled.append(payment.id)


def _look_at_refunds(
    till: PaymentGateway,
    given: Sequence[lists.UnsettledRefund],
    payments: dict[str, OurPayment],
    found: Comparison,
) -> list[str]:
    """Find what we gave back in the gateway's own list; answer the refunds that are through."""
    settled = []
    said = {one.payment_id for one in found.differences if one.kind is Mismatch.REFUND}
    for payment_id in dict.fromkeys(one.payment_id for one in given):
        payment = payments[payment_id]
        theirs = till.refunds(payment.gateway_id)
        for refund in (one for one in given if one.payment_id == payment_id):
            there = next(
                (
                    one
                    for one in theirs
                    if refund.id == one.reference or refund.gateway_id == one.id
                ),
                None,
            )
            if there is not None and there.amount == refund.amount:
                if there.settled:
                    settled.append(refund.id)
            elif payment_id not in said:
                said.add(payment_id)
                total = sum((one.amount for one in theirs), Money(0))
                found.differences.append(refund_differs(payment, total))
    return settled


# Writing down


def _settle(desk: Desk, kind: type[Payment] | type[Refund], ids: Sequence[str]) -> int:
    settled = 0
    for part in lists.in_parts(ids):

        def in_one_go(part: list[str] = part) -> int:
            # A part at a time, so that nobody who takes a payment waits for all of them.
            with desk.records.begin() as db:
                touch(db, kind.__name__)
                return lists.settle(db, kind, part, desk.office_time(db))

        settled += again_if_crossed(in_one_go)
    return settled


def _write_sheet(
    desk: Desk,
    day: date,
    found: Comparison,
    back: Sequence[CameBack],
    settled: int,
    unless_since: datetime | None,
) -> str | None:
    """Write down the sheet, its lines, and what came back, in one transaction."""
    with desk.records.begin() as db:
        now = desk.office_time(db)
        if unless_since is not None and _was_made_since(db, day, unless_since):
            return None  # another courier was quicker
        differences = [*found.differences]
        differences += [line for one in back if (line := _record_return(db, desk, one, now))]
        made = Reconciliation(
            id=str(uuid4()),
            day=day,
            made_by=desk.colleague.login,
            made_at=now,
            ours=found.ours,
            ours_sum=found.ours_sum,
            theirs=found.theirs,
            theirs_sum=found.theirs_sum,
            settled=settled,
        )
        db.add(made)
        db.flush()
        fresh = _not_said_before(db, differences)
        db.add_all(
            ReconciliationLine(
                id=str(uuid4()),
                sheet_id=made.id,
                kind=one.kind,
                payment_id=one.payment_id,
                member_id=one.member_id,
                gateway_id=one.gateway_id[:120],
                ours=one.ours,
                theirs=one.theirs,
                words=clean_text(one.words, 300),
            )
            for one in fresh
        )
        audit.record(
            db,
            desk,
            Action.DAY_RECONCILED,
            day=day,
            ours=found.ours,
            theirs=found.theirs,
            settled=settled,
            differ=len(fresh),
        )
        return made.id


def _was_made_since(db: Session, day: date, since: datetime) -> bool:
    made = select(Reconciliation.id).where(
        Reconciliation.day == day, Reconciliation.made_at >= since
    )
    return db.scalar(made.limit(1)) is not None


def _record_return(db: Session, desk: Desk, back: CameBack, now: datetime) -> Difference | None:
    """Put on file that a payment did not last; the database charges its accounts again."""
    ours = back.payment
    if return_of(db, ours.id) is not None:
        return None
    db.add(
        PaymentReturn(
            id=str(uuid4()),
            payment_id=ours.id,
            member_id=ours.member_id,
            kind=back.kind,
            code=back.code,
            reason=back.reason,
            recorded_by=desk.colleague.login,
            recorded_at=now,
            counts_on=times.day_of(now, desk.settings.zone),
        )
    )
    numbers = db.scalars(
        select(PaymentShare.account_number)
        .where(PaymentShare.payment_id == ours.id)
        .order_by(PaymentShare.account_number)
    ).all()
    touch(db, "Payment", "LedgerEntry", *(f"account:{number}" for number in numbers))
    audit.record(
        db,
        desk,
        Action.PAYMENT_RETURNED,
        member_id=ours.member_id,
        account_number=numbers[0],
        payment=ours.id,
        kind=back.kind,
        code=back.code,
        amount=str(ours.amount),
    )
    kind = Mismatch.DISPUTED if back.kind is ReturnKind.DISPUTE else Mismatch.RETURNED
    code = f" ({back.code})" if back.code else ""
    return Difference(
        kind,
        f"{back.reason}{code} The account owes it again; tell the member.",
        ours.id,
        ours.member_id,
        ours.gateway_id,
        ours.amount,
    )


def _not_said_before(db: Session, differences: Sequence[Difference]) -> list[Difference]:
    """Leave out what an earlier sheet says already, whether it was cleared since or not."""
    known = {
        Difference(
            line.kind, "", line.payment_id, None, line.gateway_id, line.ours, line.theirs
        ).key
        for line in lists.known_lines(
            db,
            (one.payment_id for one in differences if one.payment_id),
            (one.gateway_id for one in differences if not one.payment_id),
        )
    }
    fresh = {one.key: one for one in differences if one.key not in known}
    return list(fresh.values())


# How a sheet is shown


def _row(made: Reconciliation, by: str, left: int) -> SheetRow:
    return SheetRow(
        made.id,
        made.day,
        made.made_at,
        by,
        made.ours,
        made.ours_sum,
        made.theirs,
        made.theirs_sum,
        made.settled,
        left,
    )


def _sheets_of(db: Session, day: date) -> Sequence[Reconciliation]:
    return db.scalars(select(Reconciliation).where(Reconciliation.day == day)).all()


def _names(db: Session, ids: set[int]) -> dict[int, str]:
    found = db.scalars(select(Member).where(Member.id.in_(ids)))
    return {one.id: display_name(one.given_names, one.name) for one in found}


__all__ = [
    "CannotClear", "LineRow", "Mismatch", "NotReconciled", "Sheet", "SheetRow", "clear", "daily",
    "due", "reconcile", "sheet", "sheets",
]  # fmt: skip
