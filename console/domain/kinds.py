"""The kinds of difference that may stand between what a member typed and the name on file."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """One way in which two spellings differ, in the order in which staff are told of them."""

    CASE = "case"
    SPACING = "spacing"
    PUNCTUATION = "punctuation"
    ACCENT = "accent"
    SUFFIX = "suffix"
    ABBREVIATION = "abbreviation"
    LEGAL_FORM = "legal_form"
    ARTICLE = "article"
    GIVEN_NAME = "given_name"
    COUPLE = "couple"
    PART = "part"
    MISSPELLING = "misspelling"
    TRUNCATED = "truncated"
    HIDDEN_CHARACTER = "hidden_character"
    OTHER_HOLDER = "other_holder"
    DIFFERENT = "different"


ORDER = {kind: place for place, kind in enumerate(Kind)}
ANOTHER_NAME = frozenset({Kind.OTHER_HOLDER, Kind.DIFFERENT})


def in_order(kinds: set[Kind] | frozenset[Kind]) -> tuple[Kind, ...]:
    """Sort kinds as staff are told of them."""
    return tuple(sorted(kinds, key=ORDER.__getitem__))
