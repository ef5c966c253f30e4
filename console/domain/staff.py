"""The roles of the office, what each may do, and what a login and a password must be like."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.folding import fold

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
LONGEST_LOGIN: Final = 60


class BadLogin(ConsoleError):
    """The login has characters it may not have."""


class BadPassword(ConsoleError):
    """The password is too short, too long, or cannot be typed everywhere."""


class Role(StrEnum):
    """A job in the office, from the least power over the file to the most."""

    REPRESENTATIVE = "representative"
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def words(self) -> str:
        """Say the role as staff would."""
        return self.value.capitalize()

    @property
    def changes_the_file(self) -> bool:
        """Whether this role may correct names, resend e-mails and take calls."""
        return self is not Role.AUDITOR

    @property
    def approves_other_person(self) -> bool:
        """Whether this role may let a correction through that looks like another person."""
        return self in (Role.SUPERVISOR, Role.ADMINISTRATOR)

    @property
    def watches_over(self) -> bool:
        """Whether this role may read who did and looked at what."""
        return self in (Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR)

    @property
    def looks_after_staff(self) -> bool:
        """Whether this role may say who works here and as what."""
        return self is Role.ADMINISTRATOR

    @property
    def may_handle_cash(self) -> bool:
        """Whether this role may have a drawer, and take cash and cheques into it."""
        return self in (Role.CLERK, Role.SUPERVISOR, Role.ADMINISTRATOR)

    @property
    def closes_others_drawers(self) -> bool:
        """Whether this role may count and close the drawer of a colleague who has left."""
        return self in (Role.SUPERVISOR, Role.ADMINISTRATOR)

    @property
    def gives_back(self) -> bool:
        """Whether this role may give money back, decide review cases and clear differences."""
        return self in (Role.SUPERVISOR, Role.ADMINISTRATOR)


def check_login(login: str) -> str:
    """Answer a new login as it is kept, or refuse one that could be mistaken."""
    tidy = login.strip().lower()
    plain = all(c.isascii() and (c.isalnum() or c in ".-_@") for c in tidy)
    if not tidy or not plain or not tidy[0].isalpha() or len(tidy) > LONGEST_LOGIN:
        raise BadLogin(
            "A login begins with a letter and has only letters without accents, digits and .-_@ "
            f"in it, {LONGEST_LOGIN} at most. Choose another one."
        )
    return tidy


def login_from(name: str) -> str:
    """Suggest a login for a name: “mary.ruiz”; empty while the name has no letters."""
    words = fold(name).split()
    return ".".join(dict.fromkeys((*words[:1], *words[-1:])))[:LONGEST_LOGIN]


def check_password(password: str) -> str:
    """Answer a new password of the staff, or refuse it with what to change."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadPassword(
            f"A password of the staff has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. "
            + ("Choose a longer one." if len(password) < SHORTEST_PASSWORD else "Shorten it.")
        )
    if not can_be_typed(password):
        raise BadPassword(
            "The password has a character that not every keyboard can send. Choose another one."
        )
    return password


def can_be_typed(password: str) -> bool:
    """Tell whether a password has only characters that may reach a server."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co") for c in password)
