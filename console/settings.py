"""The settings of one console: each field carries its label, help and default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_config_dir, user_data_dir, user_log_dir

from console.domain.errors import ConsoleError

PROGRAM = "coop-console"


class BadSettings(ConsoleError):
    """The settings file cannot be used as it is."""


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
    zone: str = setting("America/Chicago", "Time zone", "Every time on screen is in this zone.")
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
    mail_server: str = setting(
        "",
        "Mail server",
        "Such as smtp://mail.example.org:587; members are told of changes through it. Empty: "
        "nobody is.",
    )
    mail_sender: str = setting(
        "", "Sender of e-mails", "The address that e-mails to members come from."
    )
    text_address: str = setting(
        "",
        "E-mail to text",
        "Where an e-mail becomes a text message, such as {phone}@text.example.org; pay links by "
        "text go there. Empty: none are sent.",
    )
    gateway_url: str = setting(
        "", "Payment gateway", "Empty: Stripe itself, as soon as a key is there."
    )
    gateway_key: str = setting(
        "",
        "Key of the gateway",
        "The secret key; only where the courier runs. Kept out of files and logs.",
    )
    gateway_public_key: str = setting(
        "",
        "Public key of the gateway",
        "The publishable key: a desk gives bank accounts told on the phone to the gateway with it.",
    )
    lock_minutes: float = setting(
        15.0,
        "Lock after (minutes)",
        "How long nobody may touch the console before it locks; one minute at least.",
    )
    training: bool = setting(False, "Training", "A made-up co-op: nothing leaves this machine.")
    portal_pages_url: str = setting(
        "", "Member pages of the portal", "Where a member registers; opened while training."
    )
    mailbox_url: str = setting(
        "", "Training mailbox", "Where training e-mails arrive; empty outside training."
    )


def data_folder() -> Path:
    """Answer the folder for a user's own databases, and make it when it is not there."""
    folder = Path(os.environ.get("COOP_CONSOLE_DATA") or user_data_dir(PROGRAM, appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_folder() -> Path:
    """Answer the folder for this console's logs, and make it when it is not there."""
    own = os.environ.get("COOP_CONSOLE_DATA")
    folder = Path(own, "logs") if own else Path(user_log_dir(PROGRAM, appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def training_database_url() -> str:
    """Answer where the training co-op lives on this machine."""
    return f"sqlite:///{(data_folder() / 'training.db').as_posix()}"


def settings_file() -> Path:
    """Answer where this user's settings are read from."""
    return Path(user_config_dir(PROGRAM, appauthor=False)) / "console.toml"


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings file, then let COOP_CONSOLE_<FIELD> variables overrule it.

    Raises BadSettings with the field and what is wrong with it.
    """
    chosen: dict[str, Any] = {}
    if path.is_file():
        try:
            chosen = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadSettings(f"The settings in {path} cannot be read: {error}.") from error
    known = {one.name: one for one in fields(Settings)}
    if strange := sorted(set(chosen) - set(known)):
        raise BadSettings(
            f"{path} names a setting that does not exist: {strange[0]}. "
            f"It may be one of {', '.join(known)}."
        )
    for name in known:
        if (value := environment.get(f"COOP_CONSOLE_{name.upper()}")) is not None:
            chosen[name] = value
    read: dict[str, Any] = {
        name: _as(known[name].default, name, value) for name, value in chosen.items()
    }
    return replace(Settings(), **read)


def _as(example: object, name: str, value: object) -> object:
    """Turn a file's or the environment's value into the type of the field's default."""
    if isinstance(example, bool):
        words = {"true": True, "1": True, "false": False, "0": False}
        found = value if isinstance(value, bool) else words.get(str(value).lower())
        if found is None:
            raise BadSettings(f"The setting {name} must be true or false, not “{value}”.")
        return found
    if isinstance(example, int | float):
        try:
            number = type(example)(str(value))
        except ValueError as error:
            raise BadSettings(f"The setting {name} must be a number, not “{value}”.") from error
        if number < 0:
            raise BadSettings(f"The setting {name} must not be below zero.")
        return number
    if not isinstance(value, str):
        raise BadSettings(f"The setting {name} must be a text in quotation marks.")
    return value
