"""Draws made-up members, with all that belongs to them, as unevenly as a real register."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from console.domain.members import AccountStatus, AlertKind, HolderRole, MayAct
from console.domain.money import Money
from console.domain.registration import CaseKind, RegistrationState, place
from console.sandbox import demo_words as words
from console.sandbox.demo_portal import Past, Registrant, past
from console.sandbox.store import LINK_LIFE

PART: Final = 5_000
"""Members made at a time: what is in memory, whatever the size of the co-op."""


@dataclass
class Part:
    """Rows of some members, table by table, in the order of the columns below."""

    members: list[tuple[Any, ...]] = field(default_factory=list)
    accounts: list[tuple[Any, ...]] = field(default_factory=list)
    holders: list[tuple[Any, ...]] = field(default_factory=list)
    former_names: list[tuple[Any, ...]] = field(default_factory=list)
    former_addresses: list[tuple[Any, ...]] = field(default_factory=list)
    alerts: list[tuple[Any, ...]] = field(default_factory=list)
    notes: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    registrations: list[tuple[Any, ...]] = field(default_factory=list)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    deliveries: list[tuple[Any, ...]] = field(default_factory=list)
    pasts: list[Past] = field(default_factory=list)
    """What the rows of the last three tables say, as the portal would tell it."""


MEMBER_COLUMNS: Final = (
    "id", "number", "is_business", "name", "given_names", "identity_last_four", "email", "phone",
    "second_phone", "mailing_line", "mailing_city", "mailing_state", "mailing_zip", "since",
    "version",
)  # fmt: skip
ACCOUNT_COLUMNS: Final = (
    "number", "printed_number", "member_id", "status", "service_line", "service_city",
    "service_state", "service_zip", "map_location", "meter_number", "rate", "cycle", "balance",
    "past_due", "due_on", "last_bill", "last_bill_on", "last_payment", "last_payment_on",
    "disconnect_on", "autopay", "paperless", "opened_at", "closed_at", "portal_version", "version",
)  # fmt: skip
HOLDER_COLUMNS: Final = ("member_id", "name", "given_names", "role", "may_act")
NAME_COLUMNS: Final = ("member_id", "name", "given_names", "until")
ADDRESS_COLUMNS: Final = ("member_id", "line", "city", "until")
ALERT_COLUMNS: Final = (
    "member_id", "kind", "note", "raised_by", "raised_at", "cleared_by", "version",
)  # fmt: skip
NOTE_COLUMNS: Final = (
    "id", "member_id", "text", "written_by", "written_at", "removed_by", "version",
)  # fmt: skip
CALL_COLUMNS: Final = (
    "id", "member_id", "staff", "member_began", "began_at", "facts", "verified_at", "ended_at",
    "reason", "result", "note", "version",
)  # fmt: skip
REGISTRATION_COLUMNS: Final = (
    "id", "account_number", "member_id", "account_digits", "state", "portal_id", "email", "sent_at",
    "expires_at", "last_sign_in", "refreshed_at", "kind", "since", "attempts", "assigned_to",
    "version",
)  # fmt: skip
ATTEMPT_COLUMNS: Final = (
    "id", "registration_id", "member_id", "at", "account_typed", "name_typed", "email", "channel",
    "outcome",
)  # fmt: skip
DELIVERY_COLUMNS: Final = ("registration_id", "at", "email", "status", "reason")


def parts(
    members: int, seed: int, now: datetime, *, first_id: int = 1, tried: float = 0.06
) -> Iterator[Part]:
    """Make members part by part; the same arguments make the same co-op.

    `tried` is the share of accounts somebody has tried to register at the portal.
    """
    maker = Maker(seed, now, members + first_id, tried)
    for start in range(first_id, first_id + members, PART):
        part = Part()
        for member_id in range(start, min(start + PART, first_id + members)):
            maker.add_member(part, member_id)
        yield part


class Maker:
    """Draws members from word lists with the unevenness of a real register."""

    def __init__(self, seed: int, now: datetime, most: int, tried: float) -> None:
        self.tried = tried
        self.chance = random.Random(seed)  # noqa: S311  # made-up people, not secrets
        self.now = now.astimezone(UTC).replace(microsecond=0)
        self.today: date = self.now.date()
        self._surnames = _Draw([*words.SURNAMES, *words.PRONE, *_rare_surnames()], 60, 0.9)
        self._givens = _Draw(words.GIVEN_NAMES, 20, 0.8)
        self._streets = _Draw(_street_names(), 60, 0.7)
        self._numbers = _Numbers(most)
        self._next_registration = 1

    def add_member(self, part: Part, member_id: int) -> None:
        """Draw one member with everything that belongs to them."""
        chance = self.chance
        since = self.now - timedelta(
            days=chance.randint(30, 12_000), minutes=chance.randint(0, 900)
        )
        is_business = chance.random() < 0.08
        name, given, family = self._business(), "", ""
        if not is_business:
            name, given, family = self._person(part, member_id, since)
        street, town = self._address()
        local = "".join(letter for letter in f"{given.split(' ')[0]}{name}" if letter.isascii())
        stem = "".join(letter for letter in local.lower() if letter.isalnum())[:18] or "office"
        address = f"{stem}{chance.randint(1, 999)}@{chance.choice(words.MAIL_DOMAINS)}"
        email = address if chance.random() < 0.72 else ""  # the old system did not ask for one
        mailing, mailing_town = (street, town) if chance.random() < 0.8 else self._address()
        part.members.append((
            member_id, f"{100_000 + member_id}", is_business, name, given,
            f"{chance.randint(0, 9999):04}", email, self._phone(),
            self._phone() if chance.random() < 0.15 else "", mailing, mailing_town[0], words.STATE,
            mailing_town[1], since, 1,
        ))  # fmt: skip
        beside = self._add_holder(part, member_id, is_business, family)
        who = Registrant("", "", name, given.split(" ")[0], beside, address)
        self._add_accounts(part, member_id, since, (street, town), who)
        self._add_beside(part, member_id, since)

    def _person(self, part: Part, member_id: int, since: datetime) -> tuple[str, str, str]:
        """Draw what stands in the name field, the given names, and the plain surname."""
        chance = self.chance
        surname, given = self._surnames.one(chance), self._givens.one(chance)
        if chance.random() < 0.45:
            given = f"{given} {chance.choice('ABCDEFGHJKLMNPRSTW')}"
        luck = chance.random()
        if luck < 0.012:
            first = given.split(" ")[0]
            return f"{first} & {self._givens.one(chance)} {surname}", "", surname
        if luck < 0.03:
            return f"{surname} {chance.choice(('Jr', 'Jr.', 'Sr', 'III', 'II'))}", given, surname
        if luck < 0.08:
            return surname.upper(), given.upper(), surname.upper()
        if luck < 0.095:
            return f"{surname}-{self._surnames.one(chance)}", given, surname
        if luck < 0.115:
            part.former_names.append(
                (member_id, self._surnames.one(chance), given, since + timedelta(days=20))
            )
        elif luck < 0.118 and " " in surname:
            # Nobody sees the second space on a bill, and the portal compares it.
            return surname.replace(" ", "  "), given, surname
        elif luck < 0.121:
            return f"{surname} ", given, surname
        return surname, given, surname

    def _business(self) -> str:
        chance = self.chance
        luck = chance.random()
        if luck < 0.45:
            front = self._surnames.one(chance)
        elif luck < 0.9:
            front = (
                f"{chance.choice(words.BUSINESS_FIRSTS)} {chance.choice(words.BUSINESS_SECONDS)}"
            )
        else:
            front = f"The {chance.choice(words.BUSINESS_FIRSTS)} {self._surnames.one(chance)}"
        whole = f"{front} {chance.choice(words.TRADES)} {chance.choice(words.LEGAL_FORMS)}".strip()
        # The old system kept twenty characters of some names.
        return whole[:20].rstrip() if chance.random() < 0.05 else whole

    def _address(self) -> tuple[str, tuple[str, str]]:
        chance = self.chance
        number = chance.randint(1, 9) * 10 ** chance.randint(1, 3) + chance.randint(0, 99)
        return (
            f"{number} {self._streets.one(chance)} {chance.choice(words.WAYS)}",
            chance.choice(words.TOWNS),
        )

    def _phone(self) -> str:
        code, chance = self.chance.choice(words.AREA_CODES), self.chance
        return f"{code}{chance.randint(200, 999)}{chance.randint(0, 9999):04}"

    def _add_accounts(
        self,
        part: Part,
        member_id: int,
        since: datetime,
        home: tuple[str, tuple[str, str]],
        who: Registrant,
    ) -> None:
        chance = self.chance
        luck = chance.random()
        count = 1 if luck < 0.79 else 2 if luck < 0.94 else 3 if luck < 0.985 else 4
        cut_off = False
        for order in range(count):
            base = self._numbers.next()
            occupant = 1 + int(chance.random() < 0.3) + int(chance.random() < 0.1)
            number, printed = f"{base}{occupant:02}", f"{base}.{occupant:02}"
            closed = chance.random() < 0.03
            owed = self._owed(closed)
            cut_off = cut_off or owed.disconnect_on is not None
            line, where = home if order == 0 else self._address()
            part.accounts.append((
                number, printed, member_id, owed.status, line, where[0], words.STATE, where[1],
                f"{chance.randint(1, 36):02}-{chance.randint(1, 24):02}-{chance.randint(1, 99):02}",
                f"M{20_000_000 + base * 7}",
                chance.choice(("RES01", "RES01", "RES01", "GS10", "SEAS1", "TOU2")), 1 + base % 8,
                owed.balance, owed.past_due, owed.due_on, owed.last_bill, owed.last_bill_on,
                Money(chance.randint(3_500, 34_000)),
                owed.last_bill_on - timedelta(days=chance.randint(1, 25)), owed.disconnect_on,
                chance.random() < 0.3, chance.random() < 0.35, since,
                self.now - timedelta(days=chance.randint(10, 900)) if closed else None, 1, 1,
            ))  # fmt: skip
            if not closed and chance.random() < self.tried:
                this = replace(who, number=number, printed_number=printed)
                self._add_past(part, member_id, this)
        if cut_off:
            part.alerts.append((
                member_id, AlertKind.DISCONNECT_PENDING, "", "sam",
                self.now - timedelta(days=chance.randint(1, 9)), "", 1,
            ))  # fmt: skip

    def _owed(self, closed: bool) -> _Owed:
        """Draw what is owed on an account: nothing by most, and too long by a few."""
        chance = self.chance
        bill = Money(chance.randint(3_500, 34_000))
        billed = self.today - timedelta(days=chance.randint(1, 29))
        due = billed + timedelta(days=21)
        luck = chance.random()
        if closed:
            return _Owed(AccountStatus.CLOSED, Money(0), Money(0), due, bill, billed, None)
        if luck < 0.45:
            return _Owed(AccountStatus.ACTIVE, Money(0), Money(0), due, bill, billed, None)
        if luck < 0.93:
            return _Owed(AccountStatus.ACTIVE, bill, Money(0), due, bill, billed, None)
        late = Money(chance.randint(2_000, 30_000))
        gone = luck > 0.998
        status = AccountStatus.DISCONNECTED if gone else AccountStatus.ACTIVE
        soon = self.today + timedelta(days=chance.randint(3, 14))
        cut_off = soon if luck > 0.985 and not gone else None
        return _Owed(status, bill + late, late, due, bill, billed, cut_off)

    def _add_past(self, part: Part, member_id: int, who: Registrant) -> None:
        """Add what an account has been through at the portal, as the console would note it."""
        drawn = past(self.chance, who, self.now)
        part.pasts.append(drawn)
        place_id, self._next_registration = self._next_registration, self._next_registration + 1
        last, done = drawn.attempts[-1], drawn.registration
        digits = last.account_number.replace(".", "")
        known = digits == who.number
        expires = sent = delivery = None
        state = RegistrationState.NONE
        if done is not None:
            state, delivery = done.state, done.deliveries[-1]
            sent = done.deliveries[0].at
            if state is RegistrationState.AWAITING_VERIFICATION:
                expires = max(one.at for one in done.deliveries) + LINK_LIFE
        kind = place(state, last.outcome, delivery.status if delivery else None, expires, self.now)
        since = {
            CaseKind.BOUNCED: delivery.at if delivery else None,
            CaseKind.EXPIRED: expires,
        }.get(kind)
        part.registrations.append((
            place_id, who.number if known else None, member_id if known else None, digits, state,
            f"reg_demo_{place_id}" if done else "", done.email if done else "", sent, expires,
            done.last_sign_in if done else None, self.now, kind, since or last.at,
            len(drawn.attempts), "", 1,
        ))  # fmt: skip
        for order, one in enumerate(drawn.attempts):
            part.attempts.append((
                f"att_demo_{place_id}_{order}", place_id, member_id if known else None, one.at,
                one.account_number, one.name, one.email, one.channel, one.outcome,
            ))  # fmt: skip
        if done is not None:
            part.deliveries += (
                (place_id, report.at, done.email, report.status, report.reason)
                for report in done.deliveries
            )

    def _add_holder(self, part: Part, member_id: int, is_business: bool, family: str) -> str:
        """Perhaps add somebody beside the primary holder; answer their last name."""
        chance = self.chance
        if chance.random() >= 0.35:
            return ""
        role = HolderRole.AUTHORIZED if is_business else chance.choice(_ROLES)
        surname = family if family and chance.random() < 0.8 else self._surnames.one(chance)
        part.holders.append(
            (member_id, surname, self._givens.one(chance), role, chance.choice(_MAY_ACT))
        )
        return surname

    def _add_beside(self, part: Part, member_id: int, since: datetime) -> None:
        chance = self.chance
        if chance.random() < 0.06:
            line, town = self._address()
            part.former_addresses.append((member_id, line, town[0], since + timedelta(days=9)))
        if chance.random() < 0.02:
            part.alerts.append((
                member_id, chance.choice(_ALERTS), "", "sam",
                self.now - timedelta(days=chance.randint(1, 400)), "", 1,
            ))  # fmt: skip
        if chance.random() < 0.05:
            part.notes.append((
                self._id(), member_id, chance.choice(_NOTES), "riley",
                self.now - timedelta(minutes=chance.randint(60, 500_000)), "", 1,
            ))  # fmt: skip
        if chance.random() < 0.05:
            began = self.now - timedelta(minutes=chance.randint(60, 500_000))
            part.calls.append((
                self._id(), member_id, "riley", True, began, "name,service_address,last_four",
                began + timedelta(seconds=40), began + timedelta(minutes=4),
                chance.choice(("registration", "bill", "payment", "usage")), "solved", "", 1,
            ))  # fmt: skip

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class _Owed:
    """How an account stands with the co-op."""

    status: AccountStatus
    balance: Money
    past_due: Money
    due_on: date
    last_bill: Money
    last_bill_on: date
    disconnect_on: date | None


_ROLES: Final = tuple(HolderRole)
_MAY_ACT: Final = tuple(MayAct)
_ALERTS: Final = tuple(kind for kind in AlertKind if kind is not AlertKind.DISCONNECT_PENDING)
_NOTES: Final = (
    "Prefers to be called in the evening.",
    "Gate code is with the line crew.",
    "Asked for a paper bill as well.",
    "Moving in the spring; will call with the new address.",
    "Spoke with the member about the new portal.",
)


class _Draw:
    """Draws words so that the first ones are the commonest, as names are in life."""

    def __init__(self, choices: Sequence[str], flat: int, steep: float) -> None:
        self._choices = list(dict.fromkeys(choices))
        self._sums = list(accumulate((rank + flat) ** -steep for rank in range(len(self._choices))))

    def one(self, chance: random.Random) -> str:
        return chance.choices(self._choices, cum_weights=self._sums)[0]


class _Numbers:
    """Location numbers that never repeat and follow no order a person would notice."""

    def __init__(self, members: int) -> None:
        self._size = max(100_003, members * 3)
        self._step = 7919
        while math.gcd(self._step, self._size) != 1:
            self._step += 1
        self._place = 0

    def next(self) -> int:
        self._place += 1
        return 10_000 + self._place * self._step % self._size


def _rare_surnames() -> list[str]:
    made = [front + back for front in words.FRONTS for back in words.BACKS]
    random.Random(7).shuffle(made)  # noqa: S311  # an order that is always the same
    return made


def _street_names() -> list[str]:
    plain = list(words.STREETS)
    numbered = [f"{place}{_ordinal(place)}" for place in range(1, 240)]
    double = [f"{one} {two}" for one in plain[:40] for two in plain[12:36]]
    headed = [f"{side} {one}" for side in ("N", "S", "E", "W") for one in plain]
    return [*plain, *numbered, *double, *headed]


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
