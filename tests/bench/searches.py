"""Searches as callers cause them, drawn from a co-op's own records by a seed of their own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from console.domain.folding import squash
from console.models.accounts import Account
from console.models.base import Records
from console.models.members import FormerAddress, FormerName, Holder, Member

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Asked:
    """What was typed, which member was meant, and whether a slip was made in it."""

    text: str
    member_id: int
    kind: str
    slip: str = ""
    meant: str = ""
    """What would have been typed without the slip."""


def draw(records: Records, count: int, seed: int, *, slips: float = 0.13) -> list[Asked]:
    """Draw searches for members picked evenly, of every kind a caller might say."""
    chance = random.Random(seed)
    asked: list[Asked] = []
    with records.read() as db:
        last = db.scalar(select(func.max(Member.id))) or 0
        while len(asked) < count:
            member = db.get(Member, chance.randint(1, last))
            if member is None:
                continue
            of = [
                list(db.scalars(select(one).where(one.member_id == member.id)))
                for one in (Account, Holder, FormerName, FormerAddress)
            ]
            said = list(_said(chance, member, *of))
            wrong = chance.random() < slips
            if wrong:
                said = [(text, kind) for text, kind in said if kind in _SPELLED]
            db.expunge_all()
            if not said:
                continue
            text, kind = chance.choice(said)
            slip, typed = _slip(chance, text) if wrong else ("", text)
            asked.append(Asked(typed, member.id, kind, slip, text))
    return asked


_SPELLED = ("name", "name turned", "business", "holder", "former name", "street", "couple")


def _said(
    chance: random.Random,
    member: Member,
    accounts: Sequence[Account],
    holders: Sequence[Holder],
    names: Sequence[FormerName],
    addresses: Sequence[FormerAddress],
) -> Iterator[tuple[str, str]]:
    """Walk what a caller might say, the commoner things several times."""
    yield from _said_of_the_name(member)
    for holder in holders:
        yield f"{holder.given_names} {holder.name}".strip(), "holder"
        yield f"{holder.name} {holder.given_names}".strip().lower(), "holder"
    for name in names:
        yield f"{name.name} {name.given_names}".strip(), "former name"
    for address in addresses:
        yield f"{address.line} {address.city}", "former address"
    if len(member.phone) == 10:
        area, exchange, line = member.phone[:3], member.phone[3:6], member.phone[6:]
        yield f"({area}) {exchange}-{line}", "phone"
        yield chance.choice((f"{exchange}-{line}", exchange + line)), "phone without area code"
    if member.email:
        yield member.email, "e-mail"
    for account in accounts:
        yield account.number, "account"
        yield account.printed_number, "printed account"
        meter = account.meter_number
        yield chance.choice((meter, meter.lower(), meter.lstrip(meter[:1]))), "meter"
        yield f"{account.service_line}, {account.service_city}", "address"
        number, _, street = account.service_line.partition(" ")
        yield account.service_line.lower(), "street"
        yield f"{street} {number}", "street turned"


def _said_of_the_name(member: Member) -> Iterator[tuple[str, str]]:
    if member.is_business:
        for _ in range(6):
            yield member.name, "business"
        words = [word for word in member.name.split() if len(word) > 2]
        if len(words) > 3:
            yield " ".join(member.name.split()[1:]), "business tail"
    elif member.given_names:
        for _ in range(3):
            yield f"{member.given_names} {member.name}".lower(), "name"
            yield f"{member.name}, {member.given_names}", "name turned"
        yield f"{member.given_names.split()[0]} {member.name}", "name"
        yield squash(member.name) + " " + member.given_names.lower(), "name closed up"
    else:
        for _ in range(3):
            yield member.name, "couple"


def _slip(chance: random.Random, text: str) -> tuple[str, str]:
    """Make one slip, and say which: what was made and what is typed then."""
    while True:
        kind = chance.choice(tuple(_SLIPS))
        typed = _SLIPS[kind](chance, text)
        if typed not in ("", text):
            return kind, typed


def _somewhere(chance: random.Random, text: str) -> int:
    return chance.choice([place for place, letter in enumerate(text) if letter.isalpha()])


def _wrong(chance: random.Random, text: str) -> str:
    place = _somewhere(chance, text)
    return text[:place] + chance.choice(LETTERS) + text[place + 1 :]


def _left_out(chance: random.Random, text: str) -> str:
    place = _somewhere(chance, text)
    return text[:place] + text[place + 1 :]


def _put_in(chance: random.Random, text: str) -> str:
    place = _somewhere(chance, text)
    return text[:place] + chance.choice((text[place], chance.choice(LETTERS))) + text[place:]


def _swapped(chance: random.Random, text: str) -> str:
    pairs = [at for at in range(len(text) - 1) if text[at].isalpha() and text[at + 1].isalpha()]
    if not pairs:
        return text
    place = chance.choice(pairs)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _space(chance: random.Random, text: str) -> str:
    """Move, lose or add one space or apostrophe."""
    gaps = [place for place, letter in enumerate(text) if letter in " '"]
    lose, add = chance.choice(((True, False), (False, True), (True, True)))
    if not gaps:
        lose, add = False, True
    gap = chance.choice(gaps) if lose else _somewhere(chance, text)
    mark = text[gap] if lose else chance.choice(" '")
    left = text[:gap] + text[gap + 1 :] if lose else text
    if not add:
        return left
    place = max(1, min(len(left) - 1, gap + chance.choice((-1, 1)))) if lose else gap
    return left[:place] + mark + left[place:]


_SLIPS: dict[str, Callable[[random.Random, str], str]] = {
    "wrong letter": _wrong,
    "left out": _left_out,
    "put in": _put_in,
    "swapped": _swapped,
    "space or apostrophe": _space,
}
