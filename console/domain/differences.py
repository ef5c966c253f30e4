"""Two spellings laid side by side, letter against letter, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from console.domain.kinds import Kind
from console.domain.letters import Gap, Letter, Word

Range = tuple[int, int]

ALIKE = 1 / 3
"""Names are alike when no more than this share of their letters differs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the spellings differ, as character ranges in both texts."""

    kind: Kind
    typed: Range
    on_file: Range


@dataclass(frozen=True, slots=True)
class Item:
    """A letter, or a whole word that has a short and a long form."""

    key: str
    letters: tuple[Letter, ...]
    gap: Gap
    """What stands before it."""
    start: int
    end: int
    raw: str
    """The word as it is written, folded; the letter itself for a letter."""


@dataclass(frozen=True, slots=True)
class Line:
    """One side of the comparison."""

    items: tuple[Item, ...]
    last: Gap

    @property
    def key(self) -> tuple[str, ...]:
        """What must be equal for two lines to be the same but for details."""
        return tuple(item.key for item in self.items)


_UNKNOWN = Gap("", -1)
"""The gap at an end where something was set aside: nothing can be said about it."""


def line(words: Sequence[Word], whole: Range, canon: dict[str, str] | None = None) -> Line:
    """Lay words out as a line; with canon, words that have a short form stand as one item."""
    items: list[Item] = []
    carried: Gap | None = None
    for place, word in enumerate(words):
        gap = _gap_before(words, place, whole)
        if word.is_sign and canon is None:
            before = carried or gap
            start, text = (word.start, "") if before is _UNKNOWN else (before.start, before.text)
            carried = Gap(text + word.key + word.after.text, start)
            continue
        if carried is not None:
            gap, carried = carried, None
        if canon is not None and (word.is_sign or word.key in canon):
            key = canon["and" if word.is_sign else word.key]
            items.append(Item(key, word.letters, gap, word.start, word.end, word.key))
            continue
        for letter, before in zip(word.letters, (gap, *word.gaps), strict=True):
            items.append(Item(letter.key, (letter,), before, letter.start, letter.end, letter.key))
    ends = bool(words) and words[-1].end == whole[1]
    return Line(tuple(items), carried or (words[-1].after if ends else _UNKNOWN))


def _gap_before(words: Sequence[Word], place: int, whole: Range) -> Gap:
    word = words[place]
    if not place:
        return word.before if word.start == whole[0] else _UNKNOWN
    if words[place - 1].end > word.start:  # the words were put in another order
        return Gap(" ", word.start)
    if words[place - 1].after.start != word.before.start:
        return Gap(" ", word.start)  # a word between them was set aside
    return word.before


def compare(typed: Line, on_file: Line, steps: Iterable[Step]) -> list[Difference]:
    """List what differs along a path that pairs the items of both lines."""
    found: list[Difference] = []
    last_typed = last_file = -1
    for step in steps:
        if step.typed is None or step.on_file is None:
            found.append(_one_sided(typed, on_file, step, last_typed, last_file))
            continue
        left, right = typed.items[step.typed], on_file.items[step.on_file]
        abbreviated = False
        if last_typed >= 0 and last_file >= 0:
            before, after = typed.items[last_typed], on_file.items[last_file]
            abbreviated = before.key == after.key and before.raw != after.raw
        if not step.crossed:
            found += _gaps(
                _gap_from(typed, last_typed, step.typed),
                _gap_from(on_file, last_file, step.on_file),
                after_abbreviation=abbreviated or _sign_against_word(left, right),
                at_end=last_typed < 0 and last_file < 0,
            )
        found += _letters(left, right, step)
        last_typed, last_file = max(last_typed, step.typed), max(last_file, step.on_file)
    ended_short = bool(typed.items and on_file.items) and (
        typed.items[-1].raw != on_file.items[-1].raw
        and typed.items[-1].key == on_file.items[-1].key
    )
    found += _gaps(typed.last, on_file.last, after_abbreviation=ended_short, at_end=True)
    return found


def _sign_against_word(left: Item, right: Item) -> bool:
    return left.key == right.key and "&" in {left.raw, right.raw} and left.raw != right.raw


def _gap_from(side: Line, last: int, here: int) -> Gap:
    """Join the gaps since the last paired item, over letters that only this side has."""
    between = [side.items[place].gap for place in range(last + 1, here + 1)]
    return max(between, key=lambda gap: len(gap.text)) if between else side.items[here].gap


def _one_sided(
    typed: Line, on_file: Line, step: Step, last_typed: int, last_file: int
) -> Difference:
    """Note a letter that one side lacks, and the empty place where it is missing."""
    if step.typed is not None:
        item = typed.items[step.typed]
        return Difference(
            Kind.MISSPELLING, (item.start, item.end), _place_after(on_file, last_file)
        )
    item = on_file.items[step.on_file or 0]
    return Difference(Kind.MISSPELLING, _place_after(typed, last_typed), (item.start, item.end))


def _place_after(side: Line, last: int) -> Range:
    place = side.items[last].end if last >= 0 else side.items[0].start if side.items else 0
    return place, place


def _letters(left: Item, right: Item, step: Step) -> Iterator[Difference]:
    where = (left.start, left.end), (right.start, right.end)
    if left.key != right.key or step.crossed:
        yield Difference(Kind.MISSPELLING, *where)
        if left.key != right.key:
            return
    if left.raw != right.raw:
        yield Difference(Kind.ABBREVIATION, *where)
        return
    for mine, theirs in zip(left.letters, right.letters, strict=True):
        spot = (mine.start, mine.end), (theirs.start, theirs.end)
        if mine.upper != theirs.upper and not step.same_capitals:
            yield Difference(Kind.CASE, *spot)
        if mine.foreign != theirs.foreign:
            yield Difference(Kind.HIDDEN_CHARACTER, *spot)
        if mine.accent != theirs.accent:
            yield Difference(Kind.ACCENT, *spot)


def _gaps(left: Gap, right: Gap, *, after_abbreviation: bool, at_end: bool) -> Iterator[Difference]:
    if left.text == right.text or _UNKNOWN in (left, right):
        return
    where = (left.start, left.end), (right.start, right.end)
    if left.hidden != right.hidden:
        yield Difference(Kind.HIDDEN_CHARACTER, *where)
    mine, theirs = left.marks, right.marks
    if after_abbreviation:
        mine, theirs = mine.removeprefix("."), theirs.removeprefix(".")
    marks_differ = mine != theirs
    if marks_differ:
        yield Difference(Kind.PUNCTUATION, *where)
    if at_end or left.spaces == right.spaces or after_abbreviation:
        return
    if marks_differ:
        # A mark in place of a space is one change, not two.
        bare = left if not mine else right
        if (mine and theirs) or bare.spaces == 1:
            return
    yield Difference(Kind.SPACING, *where)


def mark_alike(
    typed: Sequence[Word], on_file: Sequence[Word]
) -> tuple[tuple[Range, ...], tuple[Range, ...]] | None:
    """Find the ranges that differ between two names that are alike; None for those that are not.

    It says only where to look, and nothing of whose names they are.
    """
    if not typed or not on_file:
        return None
    mine = line(typed, (typed[0].start, typed[-1].end))
    theirs = line(on_file, (on_file[0].start, on_file[-1].end))
    longer = max(len(mine.items), len(theirs.items))
    if OSA.distance(mine.key, theirs.key) > ALIKE * longer:
        return None
    found = compare(mine, theirs, cheapest_path(mine, theirs))
    return _joined(d.typed for d in found), _joined(d.on_file for d in found)


def _joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif start < end:
            joined.append((start, end))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Step:
    """One step along both lines: a pair of items, or an item that only one side has."""

    typed: int | None
    on_file: int | None
    crossed: bool = False
    """The pair belongs to two letters that were swapped."""
    same_capitals: bool = False
    """Swapped, but the capitals stand in the same places."""


def straight(length: int) -> Iterator[Step]:
    """Pair the items one by one."""
    return (Step(place, place) for place in range(length))


def cheapest_path(typed: Line, on_file: Line) -> list[Step]:
    """Find the fewest wrong, missing, extra or swapped letters between two short lines."""
    a, b = typed.items, on_file.items
    width = len(b) + 1
    # An edit costs 64; a capital that does not fit its partner costs 1 and only breaks ties.
    cost = [[0] * width for _ in range(len(a) + 1)]
    back = [[(0, 0)] * width for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(width):
            choices = list(_choices(a, b, i, j, cost))
            if choices:
                cost[i][j], back[i][j] = min(choices)
    steps: list[Step] = []
    i, j = len(a), len(b)
    while i or j:
        di, dj = back[i][j]
        if (di, dj) == (2, 2):
            same = _upper(a[i - 2]) == _upper(b[j - 2]) and _upper(a[i - 1]) == _upper(b[j - 1])
            steps.append(Step(i - 1, j - 2, crossed=True, same_capitals=same))
            steps.append(Step(i - 2, j - 1, crossed=True, same_capitals=same))
        else:
            steps.append(Step(i - 1 if di else None, j - 1 if dj else None))
        i, j = i - di, j - dj
    steps.reverse()
    return steps


def _choices(
    a: Sequence[Item], b: Sequence[Item], i: int, j: int, cost: list[list[int]]
) -> Iterator[tuple[int, tuple[int, int]]]:
    if i and j:
        same = a[i - 1].key == b[j - 1].key
        price = (_upper(a[i - 1]) != _upper(b[j - 1])) if same else 64
        yield cost[i - 1][j - 1] + price, (1, 1)
    if i:
        yield cost[i - 1][j] + 64, (1, 0)
    if j:
        yield cost[i][j - 1] + 64, (0, 1)
    if (
        i > 1
        and j > 1
        and a[i - 1].key == b[j - 2].key
        and a[i - 2].key == b[j - 1].key
        and a[i - 1].key != a[i - 2].key
    ):
        yield cost[i - 2][j - 2] + 64, (2, 2)


def _upper(item: Item) -> bool:
    return bool(item.letters) and item.letters[0].upper
