"""Searches as callers cause them, drawn from a co-op's own records by a seed of their own."""

from __future__ import annotations

import random
from dataclasses import dataclass

from sqlalchemy import func, select

from console.models.accounts import Account
from console.models.base import Records
from console.models.members import FormerName, Holder, Member

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Asked:
    """What was typed, which member was meant, and whether a slip was made in it."""

    text: str
    member_id: int
    kind: str
    slip: str = ""


def draw(records: Records, count: int, seed: int, *, slips: float = 0.13) -> list[Asked]:
    """Draw searches for members picked evenly, of every kind a caller might say."""
    chance = random.Random(seed)
    with records.read() as db:
        last = db.scalar(select(func.max(Member.id))) or 0
        asked: list[Asked] = []
        while len(asked) < count:
            member = db.get(Member, chance.randint(1, last))
            if member is None:
                continue
            account = db.scalars(select(Account).where(Account.member_id == member.id)).first()
            holder = db.scalars(select(Holder).where(Holder.member_id == member.id)).first()
            former = db.scalars(select(FormerName).where(FormerName.member_id == member.id)).first()
            text, kind = _say(chance, member, account, holder, former)
            slip = ""
            if kind in _NAMES and chance.random() < slips:
                text, slip = _slip(chance, text)
            asked.append(Asked(text, member.id, kind, slip))
            db.expunge_all()
    return asked


_NAMES = ("name", "name turned", "surname and initial", "business", "holder", "street")


def _say(chance, member, account, holder, former):  # type: ignore[no-untyped-def]
    given = member.given_names
    phone = member.phone
    said = {
        "phone": chance.choice((phone, f"({phone[:3]}) {phone[3:6]}-{phone[6:]}", phone[3:])),
        "email": member.email,
        "account": account and account.number,
        "printed account": account and account.printed_number,
        "meter": account and chance.choice((account.meter_number, account.meter_number[1:])),
        "address": account and f"{account.service_line} {account.service_city}",
        "street": account and account.service_line,
        "business": member.is_business and member.name,
        "name": given and f"{given} {member.name}".lower(),
        "name turned": given and f"{member.name}, {given}",
        "holder": holder and f"{holder.given_names} {holder.name}",
        "former": former and f"{former.name} {former.given_names}",
    }
    ways = [way for way, text in said.items() if text for _ in range(_OFTEN.get(way, 1))]
    way = chance.choice(ways)
    return said[way], way


_OFTEN = {"business": 8, "name": 4, "name turned": 4, "holder": 2}
"""What callers say oftener than the rest."""


def _slip(chance: random.Random, text: str) -> tuple[str, str]:
    """Make one slip: a letter wrong, left out, doubled or swapped, a space or mark moved."""
    places = [place for place, letter in enumerate(text) if letter.isalpha()]
    place = chance.choice(places)
    kind = chance.choice(("wrong", "left out", "doubled", "swapped", "space"))
    if kind == "swapped" and place + 1 < len(text) and text[place + 1].isalpha():
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :], kind
    if kind == "left out":
        return text[:place] + text[place + 1 :], kind
    if kind == "doubled":
        return text[: place + 1] + text[place:], kind
    if kind == "space":
        if " " in text and chance.random() < 0.5:
            gap = chance.choice([at for at, letter in enumerate(text) if letter == " "])
            return text[:gap] + text[gap + 1 :], kind
        return text[:place] + chance.choice((" ", "'")) + text[place:], kind
    return text[:place] + chance.choice(LETTERS) + text[place + 1 :], "wrong"
