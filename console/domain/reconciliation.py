"""Reconciliation: how what the gateway lists and what we have on record can differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from console.domain.money import Money
from console.domain.payments import PaymentState

LOOK_AGAIN_AFTER: Final = (1, 7, 14, 21, 30, 45, 60, 90, 120)
"""Days after which a day is laid beside the gateway's list, the first time and again.

A member has 60 days for taking a bank debit back, and about 120 for disputing a card payment.
"""
_NOTHING: Final = Money(0)
_CAUGHT_UP: Final = timedelta(days=31)
"""How far back days are made up for on which no courier was there."""


class Mismatch(StrEnum):
    """One way in which the two do not agree."""

    NOT_THERE = "not_there"
    """We have it as charged, and the gateway does not list it."""
    NOT_HERE = "not_here"
    """The gateway charged it under our reference, and we do not have it as charged."""
    NOT_OURS = "not_ours"
    """The gateway lists it without a reference of ours."""
    AMOUNT = "amount"
    TWICE = "twice"
    REFUND = "refund"
    """What was given back differs."""
    RETURNED = "returned"
    """It came back at the gateway, and here it stands as paid."""
    DISPUTED = "disputed"

    @property
    def words(self) -> str:
        """Name it as the sheet does."""
        return {
            Mismatch.NOT_THERE: "Not at the gateway",
            Mismatch.NOT_HERE: "Not on record here",
            Mismatch.NOT_OURS: "Not ours",
            Mismatch.AMOUNT: "Another amount",
            Mismatch.TWICE: "Charged twice",
            Mismatch.REFUND: "Refund differs",
            Mismatch.RETURNED: "Debit came back",
            Mismatch.DISPUTED: "Disputed",
        }[self]


class ChargeState(StrEnum):
    """What became of a charge at the gateway."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TheirCharge:
    """One charge as the gateway lists it."""

    id: str
    payment: str
    reference: str
    """The payment's id here; empty when it did not come from us."""
    amount: Money
    refunded: Money
    state: ChargeState
    disputed: bool
    of_the_day: bool
    """Whether it was made on the day itself and not in the margin around it."""

    @property
    def moved(self) -> bool:
        """Whether money moved, or is on its way."""
        return self.state is not ChargeState.FAILED


@dataclass(frozen=True, slots=True)
class OurPayment:
    """One payment as we have it on record."""

    id: str
    member_id: int
    amount: Money
    state: PaymentState
    gateway_id: str
    charge_id: str
    of_the_day: bool
    is_settled: bool
    came_back: bool
    """Whether it is on file as returned."""
    given_back: Money = _NOTHING
    giving_back: Money = _NOTHING
    """Refunds that are on their way and may be there already."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the two do not agree."""

    kind: Mismatch
    words: str
    payment_id: str | None = None
    member_id: int | None = None
    gateway_id: str = ""
    ours: Money | None = None
    theirs: Money | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same difference when it is found again."""
        return (self.kind, self.payment_id, self.gateway_id, self.ours, self.theirs)


@dataclass
class Comparison:
    """What came of laying the two lists side by side."""

    ours: int = 0
    ours_sum: Money = _NOTHING
    theirs: int = 0
    theirs_sum: Money = _NOTHING
    settled: list[str] = field(default_factory=list)
    """Payments that agree for the first time, and have succeeded."""
    missing: list[OurPayment] = field(default_factory=list)
    """Charged here and not in the list; they may be asked for one by one."""
    came_back: list[tuple[OurPayment, TheirCharge]] = field(default_factory=list)
    disputed: list[tuple[OurPayment, TheirCharge]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def compare(ours: Mapping[str, OurPayment], theirs: Iterable[TheirCharge]) -> Comparison:
    """Lay the gateway's list beside ours, both ways.

    `ours` holds the charged payments of the day, and whatever a charge refers to. A payment that
    the list has belongs to the day on which the gateway made the charge.
    """
    found = Comparison()
    by_reference: dict[str, list[TheirCharge]] = defaultdict(list)
    for charge in theirs:
        if charge.of_the_day and charge.moved:
            found.theirs += 1
            found.theirs_sum += charge.amount
        if charge.reference:
            by_reference[charge.reference].append(charge)
        elif charge.of_the_day and charge.moved:
            found.differences.append(
                Difference(
                    Mismatch.NOT_OURS,
                    "The gateway lists it without a reference of ours. Look there who charged it.",
                    gateway_id=charge.id,
                    theirs=charge.amount,
                )
            )
    for reference, charges in by_reference.items():
        _compare_one(found, ours.get(reference), charges)
    for payment in ours.values():
        if payment.state is not PaymentState.CHARGED or payment.id in by_reference:
            continue
        if payment.of_the_day:
            found.missing.append(payment)
    return found


def _compare_one(
    found: Comparison, ours: OurPayment | None, charges: Sequence[TheirCharge]
) -> None:
    moved = [charge for charge in charges if charge.moved]
    of_the_day = any(charge.of_the_day for charge in charges)
    if ours is None or ours.state is not PaymentState.CHARGED:
        if moved and of_the_day:
            found.differences.append(_not_here(ours, moved[0]))
            if len(moved) > 1:
                found.differences.append(_twice(ours, moved))
        return
    mine = _own_charge(ours, charges)
    others = [charge for charge in moved if charge is not mine]
    if any(charge.of_the_day for charge in others):
        found.differences.append(_twice(ours, moved))
    if mine is not None:
        _compare_own(found, ours, mine)
    elif ours.of_the_day:
        found.missing.append(ours)


def _compare_own(found: Comparison, ours: OurPayment, mine: TheirCharge) -> None:
    if not mine.moved:
        if not ours.came_back:
            found.came_back.append((ours, mine))
        return
    if mine.of_the_day:
        _count(found, ours)
    if mine.disputed and not ours.came_back:
        found.disputed.append((ours, mine))
    _compare_sums(found, ours, mine)


def _compare_sums(found: Comparison, ours: OurPayment, mine: TheirCharge) -> None:
    agrees = mine.amount == ours.amount
    if not agrees:
        found.differences.append(
            Difference(
                Mismatch.AMOUNT,
                f"The gateway charged {mine.amount}, and here it is {ours.amount}.",
                ours.id,
                ours.member_id,
                mine.id,
                ours.amount,
                mine.amount,
            )
        )
    # What is on its way to the gateway may be there already.
    if not ours.given_back <= mine.refunded <= ours.given_back + ours.giving_back:
        found.differences.append(refund_differs(ours, mine.refunded))
    done = mine.state is ChargeState.SUCCEEDED and not mine.disputed and not ours.came_back
    if agrees and done and not ours.is_settled:
        found.settled.append(ours.id)


def not_there(found: Comparison, payment: OurPayment) -> None:
    """Put down that a payment is charged here, and that the gateway shows nothing of it."""
    _count(found, payment)
    found.differences.append(
        Difference(
            Mismatch.NOT_THERE,
            f"{payment.amount} is charged here, and the gateway does not list it. Look there "
            f"for {payment.gateway_id or payment.id}.",
            payment.id,
            payment.member_id,
            payment.gateway_id,
            payment.amount,
        )
    )


def refund_differs(ours: OurPayment, refunded: Money) -> Difference:
    """Say that not the same was given back here and at the gateway."""
    return Difference(
        Mismatch.REFUND,
        f"{ours.given_back} was given back here, and {refunded} at the gateway.",
        ours.id,
        ours.member_id,
        ours.gateway_id,
        ours.given_back,
        refunded,
    )


def _count(found: Comparison, payment: OurPayment) -> None:
    found.ours += 1
    found.ours_sum += payment.amount


def _own_charge(ours: OurPayment, charges: Sequence[TheirCharge]) -> TheirCharge | None:
    """Find the charge that our record speaks of, among all under its reference."""
    named = [charge for charge in charges if ours.charge_id and charge.id == ours.charge_id]
    of_payment = [
        charge
        for charge in charges
        if ours.gateway_id and ours.gateway_id in (charge.payment, charge.id)
    ]
    candidates = named or of_payment
    return next((charge for charge in candidates if charge.moved), None) or (
        candidates[0] if candidates else None
    )


_STANDS_HERE: Final = {
    PaymentState.DECLINED: "here it stands as declined",
    PaymentState.ABANDONED: "here it stands as never sent",
    PaymentState.REVIEW: "here a person must still decide it",
}


def _not_here(ours: OurPayment | None, charge: TheirCharge) -> Difference:
    if ours is None:
        stands = "no such payment is on record here"
    else:
        stands = _STANDS_HERE.get(
            ours.state, "here it is not known yet; the courier goes on asking"
        )
    return Difference(
        Mismatch.NOT_HERE,
        f"The gateway charged {charge.amount} under our reference, and {stands}.",
        None if ours is None else ours.id,
        None if ours is None else ours.member_id,
        charge.id,
        None,
        charge.amount,
    )


def _twice(ours: OurPayment | None, moved: Sequence[TheirCharge]) -> Difference:
    names = ", ".join(charge.id for charge in moved[:4])
    return Difference(
        Mismatch.TWICE,
        f"More than one charge bears this reference: {names}."[:300],
        None if ours is None else ours.id,
        None if ours is None else ours.member_id,
        moved[-1].id,
        None if ours is None else ours.amount,
        sum((charge.amount for charge in moved), Money(0)),
    )


def days_due(
    today: date, made_on: Mapping[date, date], ages: Collection[int] = LOOK_AGAIN_AFTER
) -> list[date]:
    """Say which days are to be laid beside the gateway's list now, the newest first.

    `made_on` says for each day with a sheet on which day its newest sheet was made. Yesterday is
    always due; days that were missed since the first sheet are made up for; older ones are looked
    at again now and then, because a dispute comes late.
    """
    yesterday = today - timedelta(days=1)
    due = []
    first = max(min(made_on, default=yesterday), today - _CAUGHT_UP)
    day = yesterday
    while day >= first:
        if day not in made_on:
            due.append(day)
        day -= timedelta(days=1)
    for day in sorted(made_on, reverse=True):
        passed = [age for age in ages if age <= (today - day).days]
        if passed and made_on[day] < day + timedelta(days=max(passed)):
            due.append(day)
    return due
