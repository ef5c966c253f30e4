"""Bring two people's edits of one record together, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Merge:
    """What becomes of two edits of the same record."""

    merged: Mapping[str, str]
    """Every field; where both changed it to something else, theirs, because it is on file."""
    mine: frozenset[str]
    """The fields that only I changed: they go beside the other's."""
    theirs: frozenset[str]
    """The fields that only the other changed."""
    clashes: tuple[str, ...]
    """The fields that both changed, each to something else: somebody must choose."""

    @property
    def is_clean(self) -> bool:
        """Whether both edits fit beside each other and nobody has to choose."""
        return not self.clashes

    def choosing(self, mine: Mapping[str, str], keep_mine: frozenset[str]) -> dict[str, str]:
        """Answer every field with mine in those clashes that I keep."""
        return {
            field: mine[field] if field in keep_mine and field in self.clashes else value
            for field, value in self.merged.items()
        }


def merge(before: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merge:
    """Merge what I made of a record with what another made of it meanwhile.

    All three have the same fields; `before` is what both of us began with.
    """
    my_changes = {field for field in before if mine[field] != before[field]}
    their_changes = {field for field in before if theirs[field] != before[field]}
    clashes = tuple(
        field
        for field in before
        if field in my_changes & their_changes and mine[field] != theirs[field]
    )
    only_mine = frozenset(my_changes - their_changes)
    return Merge(
        {field: mine[field] if field in only_mine else theirs[field] for field in before},
        only_mine,
        frozenset(their_changes - my_changes),
        clashes,
    )
