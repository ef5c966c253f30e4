"""What make-believe members did at the portal: what they typed, and how their e-mails fared."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus
from console.sandbox.rules import MatchRule, same_name
from console.sandbox.store import LINK_LIFE, PastAttempt, PastDelivery, PastRegistration


@dataclass(frozen=True, slots=True)
class Registrant:
    """Who tries to register: an account as it is on file."""

    number: str
    printed_number: str
    name: str
    given_names: str
    second_holder: str
    """Their last name; empty when there is none."""
    email: str


@dataclass(frozen=True, slots=True)
class Past:
    """Everything one account has been through at the portal."""

    attempts: tuple[PastAttempt, ...]
    """Oldest first."""
    registration: PastRegistration | None = None


def past(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """Draw how far somebody got who tried to register before `now`."""
    draw = chance.choices(_FATES, cum_weights=_FATE_SUMS)[0]
    return draw(chance, who, now)


def _refused(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """Their name was not the one on file, once or several times."""
    last = now - timedelta(minutes=chance.randint(2, 20_000))
    channel = chance.choice(_CHANNELS)
    tries = chance.choice((1, 1, 1, 2, 2, 3))
    names = [misspelt(chance, who) for _ in range(tries)]
    return Past(
        tuple(
            PastAttempt(
                last - timedelta(seconds=95 * (tries - place)),
                who.number,
                name,
                who.email,
                Outcome.NAME_MISMATCH,
                channel,
            )
            for place, name in enumerate(names, start=1)
        )
    )


def _point_typed(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """They typed the account number with the point of the old bills."""
    at = now - timedelta(minutes=chance.randint(2, 20_000))
    return Past((
        PastAttempt(
            at, who.printed_number, who.name, who.email, Outcome.ACCOUNT_NOT_FOUND,
            chance.choice(_CHANNELS),
        ),
    ))  # fmt: skip


def _number_unknown(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """They typed a number that nobody has: no account number here ends in seven."""
    at = now - timedelta(minutes=chance.randint(2, 20_000))
    return Past((
        PastAttempt(
            at, f"{who.number}7", who.name, who.email, Outcome.ACCOUNT_NOT_FOUND,
            chance.choice(_CHANNELS),
        ),
    ))  # fmt: skip


def _waiting(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """The e-mail is out, and its button has not been pressed."""
    at = now - timedelta(minutes=chance.randint(2, 70 * 60))
    steps = _DELIVERED if chance.random() < 0.8 else _DELIVERED[:2]
    return _registered(chance, who, at, RegistrationState.AWAITING_VERIFICATION, steps)


def _bounced(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """The e-mail came back, often because the address was mistyped at the portal."""
    at = now - timedelta(minutes=chance.randint(2, 70 * 60))
    reason = chance.choice(_BOUNCES)
    if chance.random() < 0.35:
        slip = chance.choice(_SLIPS_OF_DOMAINS)
        who = replace(who, email=f"{who.email.partition('@')[0]}@{slip}")
        reason = "550 5.1.2 Host unknown"
    steps = ((DeliveryStatus.QUEUED, ""), (DeliveryStatus.BOUNCED, reason))
    return _registered(chance, who, at, RegistrationState.AWAITING_VERIFICATION, steps)


def _expired(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """The link ran out before anybody pressed it."""
    at = now - LINK_LIFE - timedelta(minutes=chance.randint(5, 18_000))
    return _registered(chance, who, at, RegistrationState.AWAITING_VERIFICATION, _DELIVERED)


def _locked(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """Too many wrong passwords."""
    at = now - timedelta(minutes=chance.randint(600, 40_000))
    return _registered(chance, who, at, RegistrationState.LOCKED, _OPENED)


def _verified(chance: random.Random, who: Registrant, now: datetime) -> Past:
    """All is well, at once or after a refusal."""
    at = now - timedelta(minutes=chance.randint(200, 40_000))
    seen = at + (now - at) * chance.random()
    done = _registered(chance, who, at, RegistrationState.VERIFIED, _OPENED, seen)
    if chance.random() < 0.3:
        first = PastAttempt(
            at - timedelta(minutes=chance.randint(3, 90)), who.number, misspelt(chance, who),
            who.email, Outcome.NAME_MISMATCH, done.attempts[0].channel,
        )  # fmt: skip
        return Past((first, *done.attempts), done.registration)
    return done


def _registered(
    chance: random.Random,
    who: Registrant,
    at: datetime,
    state: RegistrationState,
    steps: tuple[tuple[DeliveryStatus, str], ...],
    last_sign_in: datetime | None = None,
) -> Past:
    attempt = PastAttempt(
        at, who.number, who.name, who.email, Outcome.REGISTERED, chance.choice(_CHANNELS)
    )
    deliveries = tuple(
        # The same second each time; only reading the e-mail takes a person a while.
        PastDelivery(at + timedelta(seconds=4 * place + 60 * (place // 3)), status, reason)
        for place, (status, reason) in enumerate(steps)
    )
    return Past(
        (attempt,),
        PastRegistration(who.number, who.email, state, at, deliveries, last_sign_in),
    )


_Fate = Callable[[random.Random, Registrant, datetime], Past]
_CHANNELS: Final = tuple(Channel)
_WEIGHED_FATES: Final[tuple[tuple[_Fate, int], ...]] = (
    (_refused, 34), (_verified, 34), (_waiting, 11), (_expired, 8), (_bounced, 5),
    (_point_typed, 4), (_locked, 2), (_number_unknown, 2),
)  # fmt: skip
_FATES: Final = [fate for fate, _ in _WEIGHED_FATES]
_FATE_SUMS: Final = list(accumulate(weight for _, weight in _WEIGHED_FATES))
_DELIVERED: Final = (
    (DeliveryStatus.QUEUED, ""), (DeliveryStatus.SENT, ""), (DeliveryStatus.DELIVERED, ""),
)  # fmt: skip
_OPENED: Final = (*_DELIVERED, (DeliveryStatus.OPENED, ""))
_BOUNCES: Final = (
    "550 5.1.1 User unknown",
    "550 5.1.1 No such mailbox here",
    "552 5.2.2 Mailbox full",
    "550 5.2.1 This mailbox is disabled",
    "554 5.7.1 Message refused as spam",
    "421 4.4.1 Connection timed out",
)


_SLIPS_OF_DOMAINS: Final = ("gmial.com", "gmail.con", "yaho.com", "hotmial.com")


def misspelt(chance: random.Random, who: Registrant) -> str:
    """Draw what this member types instead of the name on file; the portal refuses it."""
    offered = [typed for typed in _slips(chance, who) if not _accepted(typed, who.name)]
    return chance.choice(offered) if offered else f"{who.name} {who.name}"


def _slips(chance: random.Random, who: Registrant) -> list[str]:
    name, given = who.name, who.given_names
    found = [_one_letter_off(chance, name), who.second_holder]
    if given:
        found += [f"{given} {name}", f"{name} {given}", f"{name}, {given}"]
    # Marks are what people most often leave out or write another way.
    found += [name.replace(mark, instead) for mark, instead in _INSTEAD if mark in name] * 2
    found += [_plain(name)] * 3
    found += [name.rsplit(mark, 1)[end] for mark in " -" if mark in name for end in (0, 1)]
    if front := next((one for one in _FRONTS if name.lower().startswith(one)), ""):
        found += [f"{name[: len(front)]} {name[len(front) :].capitalize()}"] * 3
    if len(name) == _CUT_AT:
        found += [f"{name}ery", f"{name}ing LLC"]
    return found


_INSTEAD: Final = ((" ", ""), ("'", "’"), ("'", ""), ("-", " "), (".", ""), (" & ", " and "))
_CUT_AT: Final = 20
_FRONTS: Final = ("mac", "mc", "van", "von", "de", "la", "le", "du", "di", "st")
"""What many people write as a word of its own."""


def _one_letter_off(chance: random.Random, name: str) -> str:
    place = chance.randrange(1, max(2, len(name) - 1))  # nobody gets the first letter wrong
    kind = chance.random()
    if kind < 0.4:
        return (
            name[:place] + name[place + 1 : place + 2] + name[place : place + 1] + name[place + 2 :]
        )
    if kind < 0.7:
        return name[:place] + name[place + 1 :]
    return name[: place + 1] + name[place:]


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _accepted(typed: str, filed: str) -> bool:
    return not typed.strip() or same_name(typed, filed, MatchRule.IGNORE_CASE)
