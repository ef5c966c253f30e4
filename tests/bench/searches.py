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
            found = _say(chance, member, account, holder, former)
            if found is None:
                continue
            text, kind = found
            slip = ""
            if kind in _NAMES and chance.random() < slips:
                text, slip = _slip(chance, text)
            asked.append(Asked(text, member.id, kind, slip))
            db.expunge_all()
    return asked


_NAMES = ("name", "name turned", "surname and initial", "business", "holder", "street")


def _say(chance, member, account, holder, former):  # type: ignore[no-untyped-def]
    given = member.given_names.split(" ")
    ways = ["phone", "account", "printed account", "meter", "email", "address", "street"]
    ways += ["business"] * 8 if member.is_business else ["name", "name turned"] * 4
    ways += ["holder"] * 2 if holder else []
    ways += ["former"] if former else []
    way = chance.choice(ways)
    if way == "name" and member.given_names:
        return f"{' '.join(given)} {member.name}".lower(), way
    if way == "name turned" and member.given_names:
        return f"{member.name}, {' '.join(given)}", way
    if way == "business":
        return member.name, way
    if way == "holder":
        return f"{holder.given_names} {holder.name}".strip(), way
    if way == "former":
        return f"{former.name} {former.given_names}".strip(), way
    if way == "phone":
        phone = member.phone
        return chance.choice((phone, f"({phone[:3]}) {phone[3:6]}-{phone[6:]}", phone[3:])), way
    if way == "account" and account:
        return account.number, way
    if way == "printed account" and account:
        return account.printed_number, way
    if way == "meter" and account:
        return chance.choice((account.meter_number, account.meter_number[1:])), way
    if way == "email" and member.email:
        return member.email, way
    if way == "address" and account:
        return f"{account.service_line} {account.service_city}", way
    if way == "street" and account:
        return account.service_line, way
    return None


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
