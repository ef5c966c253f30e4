"""The settings of one console: each field carries its label, help and default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def setting(default: Any, label: str, help: str) -> Any:
    """Declare one setting with what the settings screen needs to draw it."""
    return field(default=default, metadata={"label": label, "help": help})


@dataclass(frozen=True)
class Settings:
    """What differs from office to office and from desk to desk."""

    coop_name: str = setting(
        "Your Electric Cooperative", "Name of the co-op", "Shown in the title bar and on paper."
    )
    coop_phone: str = setting(
        "", "Phone for members", "Read out when a member asks where to call back."
    )
    zone: str = setting(
        "America/Chicago", "Time zone", "Every time on screen is in this zone."
    )
    database_url: str = setting(
        "", "Database", "An SQLAlchemy address; empty means a file on this machine."
    )
    portal_url: str = setting("", "Portal", "Where the portal's staff calls are answered.")
    portal_token: str = setting(
        "", "Portal token", "The token of this workstation; kept out of files and logs."
    )
    portal_name: str = setting("SmartHub", "Name of the portal", "As members know it.")
    old_portal_name: str = setting(
        "Bill4U", "Name of the old site", "What members used before and will still call it."
    )
    name_rule: str = setting(
        "ignore_case",
        "How the portal compares names",
        "exact, ignore_case or ignore_spaces; ends are always trimmed.",
    )
    name_cut_at: int = setting(
        20, "Old system's name length", "Names were cut off after this many characters."
    )
    resend_wait_seconds: int = setting(
        60, "Wait between e-mails (seconds)", "How long before one more e-mail may be sent."
    )
    poll_seconds: float = setting(
        0.5, "Ask the portal every (seconds)", "How often new registration attempts are fetched."
    )
    training: bool = setting(
        False, "Training", "A made-up co-op: nothing leaves this machine."
    )
    portal_pages_url: str = setting(
        "", "Member pages of the portal", "Where a member registers; opened while training."
    )
    mailbox_url: str = setting(
        "", "Training mailbox", "Where training e-mails arrive; empty outside training."
    )
