"""Bank accounts told on the phone: handed to the gateway, and kept nowhere here."""

from __future__ import annotations

from dataclasses import dataclass

from console.clients.gateway import BankAccount as BankAccount
from console.clients.gateway import GatewayRefused, Unexpected, Unreachable
from console.domain.errors import ConsoleError
from console.services.desk import Desk, check_may_change

NOT_SET_UP = "Bank accounts by phone are not set up here. Choose another way, or ask whoever does."


class NoTeller(ConsoleError):
    """This desk has nobody to give a bank account to."""


class NotHandedOver(ConsoleError):
    """The gateway has not taken the bank account; no money has moved."""


@dataclass(frozen=True)
class HandedOver:
    """What the gateway calls a bank account, and what we may know of it."""

    token: str
    words: str
    """“Prairie Bank ending in 6789”"""


def hand_over(desk: Desk, key: str, account: BankAccount) -> HandedOver:
    """Give a bank account to the gateway; the same key and account give the same answer.

    Nothing is debited by it, so whatever goes wrong can simply be tried again.
    """
    check_may_change(desk)
    if desk.teller is None:
        raise NoTeller(NOT_SET_UP)
    try:
        method = desk.teller.add_bank_account(key, account)
    except GatewayRefused as refused:
        raise NotHandedOver(
            "The gateway does not take this bank account. Read both numbers back to the caller. "
            "Nothing was taken."
        ) from refused
    except (Unexpected, Unreachable) as silence:
        raise NotHandedOver(
            "The gateway did not answer, so nothing was taken. Try it once more, or choose "
            "another way."
        ) from silence
    return HandedOver(method.id, method.words)


def why_not(desk: Desk) -> str:
    """Say why no bank account can be taken at this desk; empty where it can."""
    return "" if desk.teller is not None else NOT_SET_UP
