"""Receipts: as a value, as paper, as words to read out, and on their way by e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.courier import ErrandKind
from console.domain.members import display_name
from console.domain.money import Money
from console.domain.payments import NotPayable, PaymentState, receipt_number
from console.domain.receipts import Receipt, ReceiptLine, receipt_words
from console.domain.verification import check_email
from console.models.accounts import Account
from console.models.courier import Errand
from console.models.ledger import balance_after
from console.models.members import Member
from console.models.methods import is_by_bank
from console.models.payments import Payment, given_back, return_of
from console.models.problems import again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, outbox
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.outbox import Concerns


@dataclass(frozen=True)
class PayLink:
    """Where a member pays by themselves, and the words that go with it."""

    to: str
    amount: Money
    words: str


def receipt(desk: Desk, payment_id: str) -> Receipt:
    """Answer the receipt of a payment that was taken, marked where it did not last.

    Raises NotPayable when it was not taken: nothing that was not paid has a receipt.
    """
    with desk.records.read() as db:
        payment = db.get(Payment, payment_id)
        if payment is None or payment.state is not PaymentState.CHARGED:
            raise NotPayable("This payment was not taken, so there is no receipt for it.")
        member = db.get_one(Member, payment.member_id)
        back = return_of(db, payment_id)
        refunded = given_back(db, payment_id)
        stands = "" if back is None else back.kind.words.upper()
        if not stands and refunded > Money(0):
            stands = f"{refunded} GIVEN BACK"
        lines = []
        for share in payment.shares:
            account = db.get_one(Account, share.account_number)
            lines.append(
                ReceiptLine(
                    account.number,
                    f"{account.service_line}, {account.service_city}",
                    share.amount,
                    balance_after(db, account.number, payment_id),
                )
            )
        by = names_of_staff(db).get(payment.asked_by, payment.asked_by)
        tendered = payment.tendered
        return Receipt(
            number=receipt_number(payment_id),
            paid_at=payment.finished_at or payment.asked_at,
            zone=desk.settings.zone,
            coop_name=desk.settings.coop_name,
            coop_phone=desk.settings.coop_phone,
            member_name=display_name(member.given_names, member.name),
            way_words=payment.way.words,
            method_words=payment.method_words or payment.way.words,
            amount=payment.amount,
            lines=tuple(lines),
            tendered=tendered,
            change=None if tendered is None else tendered - payment.amount,
            taken_by=by,
            settled=payment.settled_at is not None or not is_by_bank(db, payment),
            stands=stands,
        )


def draw(receipt: Receipt, printed_at: datetime | None = None) -> bytes:
    """Draw a receipt as a PDF."""
    from console.documents.receipts import draw_receipt  # what draws is not wanted at start

    return draw_receipt(receipt, printed_at)


def words(receipt: Receipt) -> str:
    """Say a receipt as it is read out, or written in an e-mail."""
    return receipt_words(receipt)


def paper(desk: Desk, payment_id: str) -> bytes:
    """Draw the receipt of a payment to be printed; that it was asked for is on the trail."""
    told = receipt(desk, payment_id)
    _record(desk, Action.RECEIPT_PRINTED, payment_id)
    return draw(told, desk.now())


def read_out(desk: Desk, payment_id: str) -> str:
    """Answer the words of a receipt that is read out on the phone."""
    told = receipt(desk, payment_id)
    _record(desk, Action.RECEIPT_READ_OUT, payment_id)
    return words(told)


def send(desk: Desk, click_id: str, payment_id: str, to: str) -> None:
    """Leave a receipt in the outbox; the same click sends it once."""
    check_may_change(desk)
    address = check_email(to)
    receipt(desk, payment_id)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(Errand, click_id) is not None:
                return
            payment = db.get_one(Payment, payment_id)
            concerns = Concerns(payment_id, payment.member_id, payment.shares[0].account_number)
            now = desk.office_time(db)
            outbox.leave(db, desk, ErrandKind.SEND_RECEIPT, concerns, address, now, click_id)

    again_if_crossed(in_one_go)


def pay_link(desk: Desk, payment_id: str) -> PayLink | None:
    """Answer where a member pays by themselves; nothing when the link is shut or used."""
    with desk.records.read() as db:
        payment = db.get(Payment, payment_id)
        if payment is None or not payment.page_url or not payment.state.is_open:
            return None
        coop, phone = desk.settings.coop_name, desk.settings.coop_phone
        call = f" Questions? Call us at {phone}." if phone else ""
        numbers = ", ".join(share.account_number for share in payment.shares)
        return PayLink(
            payment.link_to,
            payment.amount,
            f"Pay {payment.amount} for account {numbers} here:\n{payment.page_url}\n\n"
            f"You asked {coop} for this link on the phone.{call}\n",
        )


def _record(desk: Desk, action: Action, payment_id: str) -> None:
    with desk.records.begin() as db:
        payment = db.get_one(Payment, payment_id)
        audit.record(db, desk, action, member_id=payment.member_id, payment=payment_id)
