"""Reads an answer field by field; whatever is not as agreed is a misfit, never a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CURSOR: Final = re.compile(r"[\x21-\x7e]{0,200}")
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Misfit(Exception):
    """A field is missing, of another type, or beyond its limits."""


class Fields:
    """One JSON object of an answer."""

    def __init__(self, body: object) -> None:
        if not isinstance(body, dict):
            raise Misfit("not an object")
        self._body = body

    def text(self, field: str, longest: int) -> str:
        """Read text made by the other system itself: it must keep to its limit."""
        found = self._one(field, str)
        if len(found) > longest:
            raise Misfit(f"{field}: too long")
        return _clean(found)

    def typed(self, field: str, longest: int) -> str:
        """Read text that a member typed.

        One member's odd entry must not stop everybody's, so what is too long is cut here.
        """
        return _clean(self._one(field, str)[:longest])

    def key(self, field: str) -> str:
        """Read an id."""
        found = self._one(field, str)
        if not _KEY.fullmatch(found):
            raise Misfit(f"{field}: not an id")
        return found

    def key_or_none(self, field: str) -> str | None:
        """Read an id that may be null."""
        return None if self._is_null(field) else self.key(field)

    def cursor(self, field: str) -> str:
        """Read a place in a list."""
        found = self._one(field, str)
        if not _CURSOR.fullmatch(found):
            raise Misfit(f"{field}: not a cursor")
        return found

    def flag(self, field: str) -> bool:
        """Read true or false."""
        return self._one(field, bool)

    def whole(self, field: str, least: int = 0, most: int = 2**53 - 1) -> int:
        """Read a whole number; true is not 1 here."""
        found = self._one(field, int)
        if isinstance(found, bool) or not least <= found <= most:
            raise Misfit(f"{field}: not a whole number within its limits")
        return found

    def instant(self, field: str) -> datetime:
        """Read a moment; one without a zone is refused."""
        found = self._one(field, str)
        if not _INSTANT.fullmatch(found):
            raise Misfit(f"{field}: not a moment with its zone")
        try:
            return datetime.fromisoformat(found.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Misfit(f"{field}: no such moment") from error

    def instant_or_none(self, field: str) -> datetime | None:
        """Read a moment that may be null."""
        return None if self._is_null(field) else self.instant(field)

    def choice(self, field: str, kind: type[E]) -> E:
        """Read one of a fixed set of words."""
        found = self._one(field, str)
        try:
            return kind(found)
        except ValueError as error:
            raise Misfit(f"{field}: not one of the agreed words") from error

    def choice_or_none(self, field: str, kind: type[E]) -> E | None:
        """Read one of a fixed set of words that may be null."""
        return None if self._is_null(field) else self.choice(field, kind)

    def each(self, field: str, form: Callable[[Fields], T], most: int = 1000) -> tuple[T, ...]:
        """Read a list of objects."""
        found: list[object] = self._one(field, list)
        if len(found) > most:
            raise Misfit(f"{field}: too many")
        return tuple(form(Fields(item)) for item in found)

    def mapping(self, field: str, kind: type[E], most: int = 100) -> dict[str, E]:
        """Read an object whose values are all of a fixed set of words."""
        inner = Fields(self._one(field, dict))
        if len(inner._body) > most or any(len(name) > 64 for name in inner._body):
            raise Misfit(f"{field}: too many or too long")
        return {_clean(name): inner.choice(name, kind) for name in inner._body}

    def _is_null(self, field: str) -> bool:
        if field not in self._body:
            raise Misfit(f"{field}: missing")
        return self._body[field] is None

    def _one(self, field: str, kind: type[T]) -> T:
        found = self._body.get(field)
        if not isinstance(found, kind):
            raise Misfit(f"{field}: missing or of another type")
        return found


def _clean(text: str) -> str:
    # NUL and lone surrogates cannot be stored, and control characters have no business in a field.
    # Hidden format characters stay: they are one of the reasons a name is refused.
    return "".join(
        "\ufffd" if unicodedata.category(c) in {"Cs", "Cc"} and c not in "\n\t" else c for c in text
    )
