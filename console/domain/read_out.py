"""What to tell a caller whose name was refused, and what to tell the representative."""

from __future__ import annotations

from collections.abc import Sequence

from console.domain.kinds import Kind
from console.domain.matching import Match

Range = tuple[int, int]


def marks(
    typed: str, on_file: str, kinds: Sequence[Kind], match: Match | None
) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Find the character ranges that differ, for a screen that shows both spellings."""
    if not kinds:
        return (), ()
    if match is None:
        return _whole(typed), _whole(on_file)
    mine = [d.typed for d in match.differences] + list(match.typed.aside)
    theirs = [d.on_file for d in match.differences] + list(match.on_file.aside)
    if match.cut:
        begin, on_file_is_short = match.cut
        if on_file_is_short:
            mine.append((begin, len(typed)))
        else:
            theirs.append((begin, len(on_file)))
    return _merge(mine), _merge(theirs)


def _whole(text: str) -> tuple[Range, ...]:
    return ((0, len(text)),) if text else ()


def _merge(ranges: Sequence[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def reasons_for(
    typed: str, on_file: str, kinds: Sequence[Kind], match: Match | None
) -> tuple[str, ...]:
    """Give the representative one sentence for each kind of difference."""
    return tuple(kind.value for kind in kinds)


def read_out(
    typed: str,
    on_file: str,
    kinds: Sequence[Kind],
    match: Match | None,
    *,
    accepted: bool,
    exact: bool,
) -> str:
    """Say to the caller how to type the name, and nothing that does not matter."""
    return on_file
