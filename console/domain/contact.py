"""How a member is reached: the details on file, and when they may be changed."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Final

from console.domain import phones
from console.domain.errors import ConsoleError
from console.domain.texts import check_text
from console.domain.verification import check_email


class Asked(StrEnum):
    """Who asked for a change of the contact details, and how we know them."""

    CALLER_VERIFIED = "caller_verified"
    IN_PERSON = "in_person"
    IN_WRITING = "in_writing"

    @property
    def words(self) -> str:
        """Say it as staff would."""
        return {
            Asked.CALLER_VERIFIED: "The caller, verified on this call",
            Asked.IN_PERSON: "The member in person, with a photo identity document",
            Asked.IN_WRITING: "The member in writing, signed",
        }[self]


class BadContact(ConsoleError):
    """A detail cannot stand on file like this; `field` is the one."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class Contact:
    """The details by which a member is reached."""

    email: str = ""
    phone: str = ""
    """Digits only, as the second one."""
    second_phone: str = ""
    mailing_line: str = ""
    mailing_city: str = ""
    mailing_state: str = ""
    mailing_zip: str = ""

    def as_fields(self) -> dict[str, str]:
        """Answer every detail under its name."""
        return asdict(self)


FIELDS: Final = tuple(one.name for one in fields(Contact))
FIELD_WORDS: Final = {
    "email": "E-mail address",
    "phone": "Phone",
    "second_phone": "Second phone",
    "mailing_line": "Mailing address",
    "mailing_city": "City",
    "mailing_state": "State",
    "mailing_zip": "ZIP",
}
STATES: Final = frozenset(
    "AL AK AS AZ AR CA CO CT DE DC FL GA GU HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV "
    "NH NJ NM NY NC ND MP OH OK OR PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY AA AE AP".split()
)
"""What the Postal Service delivers to, the armed forces' mail included (Publication 28, B)."""
_ZIP: Final = re.compile(r"\d{5}(-\d{4})?", re.ASCII)


def shown(field: str, value: str) -> str:
    """Write one detail as staff read it."""
    return phones.display(value) if field in ("phone", "second_phone") and value else value


def clean_contact(typed: Contact) -> Contact:
    """Answer the details as they will stand on file, or raise BadContact for the first bad one."""
    cleaned = {field: clean_detail(field, value) for field, value in typed.as_fields().items()}
    contact = Contact(**cleaned)
    if not any((contact.email, contact.phone, contact.second_phone, contact.mailing_line)):
        raise BadContact("phone", "Leave at least one way to reach the member.")
    if contact.mailing_line and not (contact.mailing_city and contact.mailing_state):
        missing = "mailing_city" if not contact.mailing_city else "mailing_state"
        raise BadContact(missing, "The mailing address needs its city and state.")
    return contact


def changed_fields(before: Contact, after: Contact) -> tuple[str, ...]:
    """List the details that differ, in the order of the form."""
    was, becomes = before.as_fields(), after.as_fields()
    return tuple(field for field in FIELDS if was[field] != becomes[field])


def in_a_sentence(changed: tuple[str, ...]) -> str:
    """Name what changed: “e-mail address, phone and mailing address”."""
    words: dict[str, None] = {}
    for field in changed:
        name = "mailing address" if field.startswith("mailing") else FIELD_WORDS[field].lower()
        words[name] = None
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def clean_detail(field: str, value: str) -> str:
    """Answer one detail as it will stand on file, or raise BadContact."""
    try:
        if field == "email":
            return check_email(value) if value.strip() else ""
        if field in ("phone", "second_phone"):
            return phones.digits_of(value) if value.strip() else ""
        longest = {"mailing_line": 120, "mailing_city": 60, "mailing_state": 2, "mailing_zip": 10}
        text = " ".join(check_text(value, longest[field], FIELD_WORDS[field]).split())
    except ConsoleError as problem:
        raise BadContact(field, str(problem)) from problem
    if field == "mailing_state" and text:
        text = text.upper()
        if text not in STATES:
            raise BadContact(field, f"There is no state {text}. Use its two letters, such as KS.")
    if field == "mailing_zip" and text and not _ZIP.fullmatch(text):
        raise BadContact(field, "A ZIP code has five digits, or five, a hyphen and four.")
    return text
