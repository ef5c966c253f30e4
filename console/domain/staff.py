"""The roles of the office and what each may do."""

from __future__ import annotations

from enum import StrEnum


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
