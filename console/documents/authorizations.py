"""A bank debit that a member authorized on the phone: the proof, and the copy the member gets.

Nacha's rules for TEL entries ask for what stands here: the amount, when it is debited, whose
account, a phone for questions, when it was authorized, and how it is revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from console.documents.page import Column, Head, Paper, draw, moment_words
from console.domain.money import Money
from console.domain.times import calendar_day, day_of


@dataclass(frozen=True)
class PhoneAuthorization:
    """What a member agreed to on the phone, as it was read out."""

    number: str
    coop_name: str
    coop_phone: str
    zone: str
    member_name: str
    bank_words: str
    """The bank account, masked: “Account ending in 6789”."""
    script: str
    """What was read out, word for word."""
    accepted_at: datetime
    read_by: str
    recurring: bool
    amount: Money | None = None
    """None where it varies, as with Auto Pay."""
    amount_words: str = ""
    """Says how an amount that varies is found: “the amount due on each bill”."""
    debit_on: date | None = None
    when_words: str = ""
    """Says when a recurring debit is made: “on the due date of each bill”."""
    shares: tuple[tuple[str, str, Money | None], ...] = ()
    """Account, service address and amount of each account it pays."""
    recording: str = ""
    notice_to: str = ""
    mailing: tuple[str, ...] = ()
    """Name and address to mail the copy to; empty where it goes by e-mail."""
    revoked_at: datetime | None = None


_SHARES = (
    Column("Account", 24),
    Column("Service address", 66),
    Column("Amount", 20, right=True),
)


def draw_proof(authorization: PhoneAuthorization, printed_at: datetime | None = None) -> bytes:
    """Draw the office's proof of a phone authorization: what was agreed, and how we know."""

    def body(paper: Paper) -> None:
        _write_facts(paper, authorization)
        paper.section("What was read out, and the member agreed to")
        paper.quote(authorization.script)
        paper.section("How we know")
        paper.rows(
            [
                ("Authorized", moment_words(authorization.accepted_at, authorization.zone)),
                ("Read out by", authorization.read_by),
                ("Recording", authorization.recording),
                ("Written copy sent to", authorization.notice_to),
                (
                    "Revoked",
                    moment_words(authorization.revoked_at, authorization.zone)
                    if authorization.revoked_at
                    else "",
                ),
                ("Kept", _kept_words(authorization)),
            ]
        )

    head = _head(authorization, "Phone authorization", (), printed_at)
    return draw(head, body)


def draw_member_copy(
    authorization: PhoneAuthorization, printed_at: datetime | None = None
) -> bytes:
    """Draw the written copy of a phone authorization for the member."""

    def body(paper: Paper) -> None:
        on = moment_words(authorization.accepted_at, authorization.zone)
        paper.words(
            f"On {on} you authorized {authorization.coop_name} by phone to debit your bank "
            "account. This is your copy of what you agreed to. Please keep it."
        )
        _write_facts(paper, authorization)
        paper.section("What was read to you")
        paper.quote(authorization.script)
        paper.section("If something is not right")
        phone = f"call {authorization.coop_phone}" if authorization.coop_phone else "call us"
        revoke = (
            "You can end this authorization at any time"
            if authorization.recurring
            else "You can revoke this authorization before the debit is made"
        )
        paper.words(
            f"If you did not agree to this, or a detail is wrong, {phone} at once. {revoke}: "
            f"{phone} and say so."
        )

    title = "Your authorization of " + (
        "recurring bank debits" if authorization.recurring else "a bank debit"
    )
    return draw(_head(authorization, title, authorization.mailing, printed_at), body)


def _head(
    authorization: PhoneAuthorization,
    title: str,
    address: tuple[str, ...],
    printed_at: datetime | None,
) -> Head:
    return Head(
        coop_name=authorization.coop_name,
        coop_phone=authorization.coop_phone,
        title=title,
        reference=authorization.number,
        mark="Revoked" if authorization.revoked_at else "",
        address=address,
        zone=authorization.zone,
        printed_at=printed_at,
    )


def _write_facts(paper: Paper, authorization: PhoneAuthorization) -> None:
    amount = authorization.amount_words
    if authorization.amount is not None:
        amount = str(authorization.amount)
    when = authorization.when_words
    if authorization.debit_on is not None:
        when = f"On or after {calendar_day(authorization.debit_on)}"
    only = authorization.shares[0] if len(authorization.shares) == 1 else ()
    paper.rows(
        [
            ("Member", authorization.member_name),
            ("Bank account", authorization.bank_words),
            ("Amount", amount),
            ("Debited", when),
            ("How often", "Recurring, until revoked" if authorization.recurring else "Once"),
            ("For account", ", ".join(filter(None, only[:2]))),
        ]
    )
    if len(authorization.shares) > 1:
        paper.table(
            _SHARES,
            [
                (account, address, "" if share is None else str(share))
                for account, address, share in authorization.shares
            ],
            total=None
            if authorization.amount is None
            else ("Total", "", str(authorization.amount)),
        )


def _kept_words(authorization: PhoneAuthorization) -> str:
    begins = authorization.revoked_at if authorization.recurring else authorization.accepted_at
    if begins is None:
        return "Until two years after it is revoked"
    return f"Until {calendar_day(_two_years_after(begins, authorization.zone))} at least"


def _two_years_after(moment: datetime, zone: str) -> date:
    day = day_of(moment, zone)
    if (day.month, day.day) == (2, 29):  # two years later there is none
        return date(day.year + 2, 3, 1)
    return day.replace(year=day.year + 2)
