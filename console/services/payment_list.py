"""The list of payments: those not known yet, all of them by filters, and their export as CSV."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, selectinload

from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.money import BadAmount, Money
from console.domain.payments import PaymentState, PaymentWay, receipt_number
from console.domain.spreadsheets import safe_cell
from console.domain.texts import clean_text
from console.models.members import Member
from console.models.payments import OPEN_STATES, Payment, PaymentReturn, PaymentShare
from console.models.staff import names_of_staff
from console.services import audit
from console.services.audit import Action
from console.services.desk import Desk

MOST_SHOWN: Final = 500
_PART: Final = 1_000
"""Payments that an export reads at once."""


class MayNotExport(ConsoleError):
    """This role reads payments and does not take them out of the house."""


class NotExported(ConsoleError):
    """The file could not be written."""


class Standing(StrEnum):
    """How a payment stands, as the list is narrowed to it."""

    OPEN = "open"
    PAID = "paid"
    RETURNED = "returned"
    """It was paid, and did not last."""
    DECLINED = "declined"
    REVIEW = "review"
    NOT_SENT = "not_sent"

    @property
    def words(self) -> str:
        """Name it as the list does."""
        return {
            Standing.OPEN: "Not known yet",
            Standing.PAID: "Paid",
            Standing.RETURNED: "Came back",
            Standing.DECLINED: "Declined",
            Standing.REVIEW: "To be reviewed",
            Standing.NOT_SENT: "Not sent",
        }[self]


@dataclass(frozen=True)
class Asked:
    """What the list is narrowed to; what is left empty narrows nothing."""

    first: date | None = None
    """By the day of the co-op on which it was asked for."""
    last: date | None = None
    way: PaymentWay | None = None
    standing: Standing | None = None
    staff: str = ""
    text: str = ""
    """Part of a name, an account number, a receipt number or an amount."""


@dataclass(frozen=True)
class PaymentRow:
    """A payment as the list shows it."""

    id: str
    member_id: int
    member_name: str
    accounts: tuple[str, ...]
    amount: Money
    way: PaymentWay
    method_words: str
    standing: Standing
    words: str
    """What is known of it, in a sentence."""
    asked_at: datetime
    asked_by: str
    finished_at: datetime | None
    settled_at: datetime | None
    receipt_number: str


@dataclass(frozen=True)
class PaymentPage:
    """The newest payments of what was asked for, and what all of them come to."""

    rows: tuple[PaymentRow, ...]
    count: int
    paid: int
    """How many of them were paid and stand."""
    paid_sum: Money


def open_now(desk: Desk, most: int = MOST_SHOWN) -> tuple[PaymentRow, ...]:
    """List what is not known for good yet, and what waits for a review, the oldest first."""
    with desk.records.read() as db:
        wanted = _whole().where(Payment.state.in_(OPEN_STATES))
        return _rows(db, wanted.order_by(Payment.asked_at, Payment.id).limit(most))


def page(desk: Desk, asked: Asked, most: int = MOST_SHOWN) -> PaymentPage:
    """Read the newest payments of what is asked for, and add all of them up."""
    with desk.records.read() as db:
        conditions = _conditions(db, desk, asked)
        rows = _rows(db, _newest_first(_whole().where(*conditions)).limit(most))
        stands = Payment.state == PaymentState.CHARGED
        paid = stands & PaymentReturn.id.is_(None)
        count = db.scalar(_joined(select(func.count(Payment.id))).where(*conditions)) or 0
        many, cents = db.execute(
            _joined(select(func.count(Payment.id), func.sum(Payment.amount))).where(
                *conditions, paid
            )
        ).one()
        return PaymentPage(rows, count, many, _money(cents))


def people(desk: Desk) -> tuple[tuple[str, str], ...]:
    """List the login and name of everybody who may have taken a payment."""
    with desk.records.read() as db:
        return tuple(sorted(names_of_staff(db).items(), key=lambda one: one[1]))


def may_export(desk: Desk) -> bool:
    """Tell whether this colleague may take the list out: who counts money, or watches over it."""
    role = desk.colleague.role
    return role.may_handle_cash or role.watches_over


def export(desk: Desk, asked: Asked, file: Path) -> int:
    """Write every payment of what is asked for into a CSV file, and that it was taken out."""
    if not may_export(desk):
        raise MayNotExport(
            "Clerks, supervisors, auditors and administrators export payments. Ask one of them."
        )
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8-sig", newline="", dir=file.parent, delete=False
        ) as out:
            written = Path(out.name)
            many = _write_csv(desk, asked, csv.writer(out))
        with desk.records.begin() as db:
            audit.record(db, desk, Action.PAYMENTS_EXPORTED, lines=many, narrowed_to=_short(asked))
        written.replace(file)
    except OSError as error:
        raise NotExported(
            f"The payments could not be written to {file}: {error.strerror}. Choose another folder."
        ) from error
    return many


# Asking the database


def _whole() -> Select[Any]:
    chosen = select(Payment, Member, PaymentReturn).options(selectinload(Payment.shares))
    return _joined(chosen)


def _joined(chosen: Select[*tuple[Any, ...]]) -> Select[Any]:
    return (
        chosen.select_from(Payment)
        .join(Member, Member.id == Payment.member_id)
        .outerjoin(PaymentReturn, PaymentReturn.payment_id == Payment.id)
    )


def _newest_first(chosen: Select[Any]) -> Select[Any]:
    return chosen.order_by(Payment.asked_at.desc(), Payment.id.desc())


def _rows(db: Session, chosen: Select[Any]) -> tuple[PaymentRow, ...]:
    staff = names_of_staff(db)
    return tuple(
        _row(payment, member, back, staff.get(payment.asked_by, payment.asked_by))
        for payment, member, back in db.execute(chosen).all()
    )


def _row(payment: Payment, member: Member, back: PaymentReturn | None, asked_by: str) -> PaymentRow:
    return PaymentRow(
        payment.id,
        payment.member_id,
        display_name(member.given_names, member.name),
        tuple(share.account_number for share in payment.shares),
        payment.amount,
        payment.way,
        payment.method_words or payment.way.words,
        standing_of(payment.state, returned=back is not None),
        _words(payment, back),
        payment.asked_at,
        asked_by,
        payment.finished_at,
        payment.settled_at,
        receipt_number(payment.id) if payment.state is PaymentState.CHARGED else "",
    )


def standing_of(state: PaymentState, *, returned: bool = False) -> Standing:
    """Answer how a payment stands, in the list's own words."""
    if returned:
        return Standing.RETURNED
    return {
        PaymentState.CHARGED: Standing.PAID,
        PaymentState.DECLINED: Standing.DECLINED,
        PaymentState.REVIEW: Standing.REVIEW,
        PaymentState.ABANDONED: Standing.NOT_SENT,
    }.get(state, Standing.OPEN)


def _words(payment: Payment, back: PaymentReturn | None) -> str:
    if back is not None:
        return f"{back.kind.words}: {back.reason}"
    if payment.state is PaymentState.UNKNOWN and payment.page_url:
        return "The gateway’s page is open. Nothing was paid on it yet."
    if payment.state.is_final and payment.answer:
        return payment.answer
    return payment.state.words


def _conditions(db: Session, desk: Desk, asked: Asked) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    zone = desk.settings.zone
    if asked.first is not None:
        wanted.append(Payment.asked_at >= times.midnight(asked.first, zone))
    if asked.last is not None:
        wanted.append(Payment.asked_at < times.midnight(asked.last + timedelta(days=1), zone))
    if asked.way is not None:
        wanted.append(Payment.way == asked.way)
    if asked.standing is not None:
        wanted += _standing(asked.standing)
    if asked.staff:
        wanted.append(Payment.asked_by == asked.staff)
    if text := clean_text(asked.text, 100):
        wanted.append(_matching(db, wanted, text))
    return wanted


def _standing(standing: Standing) -> list[ColumnElement[bool]]:
    if standing is Standing.RETURNED:
        return [PaymentReturn.id.is_not(None)]
    states = [state for state in PaymentState if standing_of(state) is standing]
    return [Payment.state.in_(states), PaymentReturn.id.is_(None)]


_RECEIPT: Final = re.compile(r"([0-9A-HJKMNP-TV-Z]{5})-?([0-9A-HJKMNP-TV-Z]{5})")


def _matching(db: Session, wanted: Sequence[ColumnElement[bool]], text: str) -> ColumnElement[bool]:
    # People read I and L for 1, and O for 0; a receipt's number has none of these letters.
    code = text.upper().translate(str.maketrans("ILO", "110"))
    if receipt := _RECEIPT.fullmatch(code):
        number = f"{receipt[1]}-{receipt[2]}"
        ids = db.scalars(_joined(select(Payment.id)).where(*wanted))
        found = [one for one in ids if receipt_number(one) == number]
        if found:
            return Payment.id.in_(found)
    any_of: list[ColumnElement[bool]] = []
    digits = "".join(letter for letter in text if letter.isdigit() and letter.isascii())
    if digits and not set(text) - set("0123456789 .-"):
        numbers = select(PaymentShare.payment_id).where(
            PaymentShare.account_number.startswith(digits)
        )
        any_of.append(Payment.id.in_(numbers))
    try:
        amount = Money.parse(text)
    except BadAmount:
        pass
    else:
        any_of.append(Payment.amount == amount)
        any_of.append(
            Payment.id.in_(select(PaymentShare.payment_id).where(PaymentShare.amount == amount))
        )
    names = [
        or_(
            Member.name.icontains(word, autoescape=True),
            Member.given_names.icontains(word, autoescape=True),
        )
        for word in text.split()
    ]
    every_word = names[0]
    for one in names[1:]:
        every_word = every_word & one
    return or_(*any_of, every_word)


def _money(summed: object) -> Money:
    if isinstance(summed, Money):
        return summed
    return Money(int(str(summed or 0)))


# The file

_HEADINGS: Final = (
    "asked", "by", "member", "accounts", "amount", "way", "paid with", "state", "what is known",
    "finished", "settled", "receipt",
)  # fmt: skip


def _write_csv(desk: Desk, asked: Asked, out: Any) -> int:
    out.writerow(_HEADINGS)
    many = 0
    for row in _all_rows(desk, asked):
        out.writerow([safe_cell(cell) for cell in _cells(desk, row)])
        many += 1
    return many


def _all_rows(desk: Desk, asked: Asked) -> Iterator[PaymentRow]:
    """Read everything part by part, so that a long list never lies in memory at once."""
    after: tuple[datetime, str] | None = None
    while True:
        with desk.records.read() as db:
            chosen = _newest_first(_whole().where(*_conditions(db, desk, asked))).limit(_PART)
            if after is not None:
                at, id = after
                chosen = chosen.where(
                    or_(Payment.asked_at < at, (Payment.asked_at == at) & (Payment.id < id))
                )
            rows = _rows(db, chosen)
        yield from rows
        if len(rows) < _PART:
            return
        after = rows[-1].asked_at, rows[-1].id


def _cells(desk: Desk, row: PaymentRow) -> tuple[object, ...]:
    def at(moment: datetime | None) -> str:
        if moment is None:
            return ""
        return times.local(moment, desk.settings.zone).isoformat(" ", "seconds")

    cents = row.amount.cents
    return (
        at(row.asked_at),
        row.asked_by,
        row.member_name,
        " ".join(row.accounts),
        f"{cents // 100}.{cents % 100:02}",
        row.way.words,
        row.method_words,
        row.standing.words,
        row.words,
        at(row.finished_at),
        at(row.settled_at),
        row.receipt_number,
    )


def _short(asked: Asked) -> str:
    told = (asked.first, asked.last, asked.way, asked.standing, asked.staff, asked.text)
    return ", ".join(str(one) for one in told if one)
