"""What is shown of contact details and money while nobody verified the caller."""

from __future__ import annotations

import re
from typing import Final

DOTS: Final = "•••"
HIDDEN_MONEY: Final = "$" + DOTS


_ADDRESS: Final = re.compile(r"[^\s@“”<>]+@[^\s@“”<>]+\.\w+")


def mask_addresses(text: str) -> str:
    """Mask every e-mail address in a sentence."""
    return _ADDRESS.sub(lambda found: mask_email(found[0]), text)


def mask_email(address: str) -> str:
    """Show the first letter and the mail service: “r…@example.org”."""
    name, at, service = address.rpartition("@")
    return f"{name[:1]}…@{service}" if at else hide(address)


def mask_phone(digits: str) -> str:
    """Show the last four digits: “•••-•••-0147”."""
    return f"{DOTS}-{DOTS}-{digits[-4:]}" if len(digits) >= 7 else hide(digits)


def hide(text: str) -> str:
    """Hide a text altogether, but not that there is one."""
    return DOTS if text else ""
