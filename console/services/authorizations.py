"""What was allowed on the phone: as a value, as paper, and on its way to the member."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from console.domain.authorizations import NothingToRead
from console.domain.autopay import day_words
from console.domain.courier import ErrandKind
from console.domain.members import display_name
from console.domain.methods import method_words
from console.domain.money import Money
from console.models.accounts import Account
from console.models.autopay import AutoPay
from console.models.members import Member
from console.models.methods import StoredMethod
from console.models.payments import Payment, PhoneAuthorization
from console.models.staff import names_of_staff
from console.services import outbox
from console.services.desk import Desk
from console.services.outbox import Concerns

if TYPE_CHECKING:  # what draws is not wanted at start
    from console.documents.authorizations import PhoneAuthorization as Paper


def leave_copy(
    db: Session, desk: Desk, kept: PhoneAuthorization, account_number: str, now: datetime
) -> None:
    """Leave the written copy for the courier, where one was promised.

    A desk that carries everything itself leaves none that it could never carry.
    """
    if not kept.notice_to or (desk.carries and desk.no_mail):
        return
    concerns = Concerns(kept.id, kept.member_id, account_number)
    outbox.leave(db, desk, ErrandKind.SEND_NOTICE, concerns, kept.notice_to, now)


def copy_of(desk: Desk, authorization_id: str) -> Paper:
    """Answer what was allowed, as it is written for the member and for the office's proof."""
    from console.documents.authorizations import PhoneAuthorization as Paper

    with desk.records.read() as db:
        kept = db.get(PhoneAuthorization, authorization_id)
        if kept is None:
            raise NothingToRead("This authorization is not on file.")
        member = db.get_one(Member, kept.member_id)
        auto_pay = db.get(AutoPay, authorization_id)
        payment = db.get(Payment, authorization_id)
        mailing = (
            display_name(member.given_names, member.name),
            member.mailing_line,
            f"{member.mailing_city}, {member.mailing_state} {member.mailing_zip}",
        )
        return Paper(
            number=kept.id[:8].upper(),
            coop_name=desk.settings.coop_name,
            coop_phone=desk.settings.coop_phone,
            zone=desk.settings.zone,
            member_name=mailing[0],
            bank_words=_bank_words(db, auto_pay, payment),
            script=kept.script,
            accepted_at=kept.accepted_at,
            read_by=names_of_staff(db).get(kept.read_by, kept.read_by),
            recurring=kept.recurring,
            amount=None if payment is None else payment.amount,
            amount_words="" if auto_pay is None else _amount_words(auto_pay.most),
            when_words="" if auto_pay is None else day_words(auto_pay.day_of_month),
            shares=_shares(db, auto_pay, payment),
            recording=kept.recording,
            notice_to=kept.notice_to,
            mailing=mailing if member.mailing_line else (),
            revoked_at=None if auto_pay is None else auto_pay.ended_at,
        )


def draw(told: Paper) -> bytes:
    """Draw the member's written copy as a PDF."""
    from console.documents.authorizations import draw_member_copy

    return draw_member_copy(told)


def draw_proof(told: Paper, printed_at: datetime | None = None) -> bytes:
    """Draw the office's proof as a PDF."""
    from console.documents.authorizations import draw_proof

    return draw_proof(told, printed_at)


def letter(desk: Desk, told: Paper) -> str:
    """Write the e-mail that the copy goes with."""
    coop, phone = desk.settings.coop_name, desk.settings.coop_phone
    call = f"call us at {phone}" if phone else "call us"
    return (
        f"You have authorized {coop} on the phone to debit your bank account. What was read to "
        f"you, and how to end it, is written down below and in the enclosed copy. Please keep it."
        f"\n\n{told.script}\n\n"
        f"If you did not agree to this, or a detail is wrong, {call} at once.\n\n"
        f"We never ask for a password, a card or a bank number by e-mail.\n\n{coop}\n"
    )


def _amount_words(most: Money | None) -> str:
    return "What is due on each bill" + (f", never more than {most}" if most is not None else "")


def _bank_words(db: Session, auto_pay: AutoPay | None, payment: Payment | None) -> str:
    if payment is not None:
        return payment.method_words
    method = None if auto_pay is None else db.get(StoredMethod, auto_pay.method_id)
    return "" if method is None else method_words(method.brand, method.last_four)


def _shares(
    db: Session, auto_pay: AutoPay | None, payment: Payment | None
) -> tuple[tuple[str, str, Money | None], ...]:
    paid: list[tuple[str, Money | None]] = []
    if payment is not None:
        paid = [(share.account_number, share.amount) for share in payment.shares]
    elif auto_pay is not None:
        paid = [(auto_pay.account_number, None)]
    rows = []
    for number, amount in paid:
        account = db.get_one(Account, number)
        where = f"{account.service_line}, {account.service_city}"
        rows.append((account.printed_number, where, amount))
    return tuple(rows)
