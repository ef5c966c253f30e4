"""The cheapest way to get from what was typed to what is on file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from rapidfuzz.distance import OSA

from console.domain.differences import Difference, Line, cheapest_path, compare, straight
from console.domain.given_names import GIVEN_NAMES
from console.domain.kinds import Kind
from console.domain.letters import Word, take_apart
from console.domain.readings import (
    GIVEN,
    Reading,
    cores,
    drops,
    generation,
    givens_agree,
    is_given,
    same_given,
)

_TRUNCATED, _CUT_INSIDE, _SHORT_FORM, _DETAIL = 1.2, 0.25, 0.3, 0.1
_ONE_SLIP, _TWO_SLIPS = 2.0, 2.6
SURE = 1.9
"""Up to this price nothing but whole words and details differ; above it letters do."""


@dataclass(frozen=True)
class Match:
    """One way to read both names as the same name."""

    kinds: frozenset[Kind]
    price: float
    typed: Reading
    on_file: Reading
    differences: tuple[Difference, ...]
    cut: tuple[int, int] | None = None
    """Where the part that was cut off begins, and whether it is missing on file (1) or not (0)."""


def best_match(typed: str, on_file: str, cut_at: int) -> Match | None:
    """Find the cheapest way to read both names as one, if there is a way."""
    found = list(_with_umlauts(typed, on_file, lambda a, b: _matches(a, b, on_file, typed, cut_at)))
    return min(found, key=lambda match: match.price, default=None)


def _with_umlauts(
    typed: str, on_file: str, find: Callable[[list[Word], list[Word]], Iterator[Match]]
) -> Iterator[Match]:
    a, b = take_apart(typed), take_apart(on_file)
    yield from find(a, b)
    if not typed.isascii():
        yield from find(take_apart(typed, umlauts=True), b)
    if not on_file.isascii():
        yield from find(a, take_apart(on_file, umlauts=True))


def _matches(
    typed: list[Word], on_file: list[Word], file_text: str, typed_text: str, cut_at: int
) -> Iterator[Match]:
    if not typed or not on_file:
        return
    mine, theirs = drops(typed), drops(on_file)
    if _father_and_son(typed, on_file):  # unless the cut has made a I of a III
        yield from _truncated(mine[:1], theirs[:1], [], file_text, typed_text, cut_at)
        return
    my_cores = [core for reading in mine for core in cores(reading)]
    their_cores = [core for reading in theirs for core in cores(reading)]
    exact = [
        *_equal(mine, theirs),
        *_equal(my_cores, theirs),
        *_equal(mine, their_cores),
        *_same_person(my_cores, their_cores),
        *_other_order(mine[0], theirs[0]),
        *_same_couple(mine[0], theirs[0]),
        *_truncated(mine, theirs, their_cores, file_text, typed_text, cut_at),
    ]
    yield from exact
    if not any(match.price < SURE for match in exact):
        yield from _misspelled(mine, theirs)
        yield from _misspelled([c for c in my_cores if Kind.PART not in c.kinds], theirs[:2])
        yield from _misspelled(mine[:2], [c for c in their_cores if Kind.PART not in c.kinds])


def _father_and_son(typed: Sequence[Word], on_file: Sequence[Word]) -> bool:
    """Tell a Junior from a Senior, who share all the rest of the name."""
    mine, theirs = generation(typed), generation(on_file)
    return bool(mine and theirs and mine != theirs)


def _equal(mine: Iterable[Reading], theirs: Iterable[Reading]) -> Iterator[Match]:
    plain: dict[str, list[Reading]] = {}
    canonical: dict[str, list[Reading]] = {}
    for reading in theirs:
        plain.setdefault(reading.key, []).append(reading)
        canonical.setdefault(reading.canonical_key, []).append(reading)
    for reading in mine:
        if not reading.key:
            continue
        for other in plain.get(reading.key, ()):
            yield from _match(reading, other, reading.plain, other.plain)
        for other in canonical.get(reading.canonical_key, ()):
            yield from _match(reading, other, reading.canonical, other.canonical)


def _match(mine: Reading, theirs: Reading, left: Line, right: Line) -> Iterator[Match]:
    if left.key != right.key:  # the letters agree but a short form does not cover the same ones
        return
    differences = compare(left, right, straight(len(left.items)))
    kinds = mine.kinds | theirs.kinds | {d.kind for d in differences}
    yield Match(
        kinds, mine.price + theirs.price + _price(differences), mine, theirs,
        tuple(differences),
    )  # fmt: skip


def _price(differences: Iterable[Difference]) -> float:
    kinds = {d.kind for d in differences} - {Kind.MISSPELLING}
    return sum(_SHORT_FORM if kind is Kind.ABBREVIATION else _DETAIL for kind in kinds)


def _same_person(cores: Sequence[Reading], theirs: Sequence[Reading]) -> Iterator[Match]:
    """Match full names whose given names are an initial, a short form or a middle name apart."""
    by_key: dict[str, list[Reading]] = {}
    for reading in theirs:
        if reading.givens or Kind.COUPLE in reading.kinds:
            by_key.setdefault(reading.key, []).append(reading)
    for reading in cores:
        for other in by_key.get(reading.key, ()):
            if reading.givens and other.givens and givens_agree(reading.givens, other.givens):
                both = _but_common(reading, other), _but_common(other, reading)
                yield from _match(*both, reading.plain, other.plain)


def _but_common(reading: Reading, other: Reading) -> Reading:
    """Set aside only the given names that the other does not have."""
    common = {word.key for word in other.givens}
    kept = {(word.start, word.end) for word in reading.givens if word.key in common}
    return replace(
        reading,
        aside=tuple(span for span in reading.aside if span not in kept),
        price=reading.price - GIVEN / 2,  # one thing differs, not two
    )


def _other_order(mine: Reading, theirs: Reading) -> Iterator[Match]:
    """Match the same words in another order: the given name last, or the couple turned round."""
    left, right = _in_alphabet(mine.words), _in_alphabet(theirs.words)
    if len(left) < 2 or [w.key for w in left] != [w.key for w in right]:
        return
    couple = not all(map(_counts, (*mine.words, *theirs.words)))
    known = any(is_given(word) for word in left) or any(w.comma_after for w in mine.words)
    kind = Kind.COUPLE if couple else Kind.GIVEN_NAME if known else Kind.PART
    price = 1.5
    yield Match(
        frozenset({kind}) | {d.kind for d in _details(left, right)}, price, mine, theirs, ()
    )


def _details(left: Sequence[Word], right: Sequence[Word]) -> Iterator[Difference]:
    for mine, theirs in zip(left, right, strict=True):
        one, other = Reading((mine,)).plain, Reading((theirs,)).plain
        for found in compare(one, other, straight(len(one.items))):
            if found.kind not in {Kind.SPACING, Kind.PUNCTUATION}:
                yield found


def _in_alphabet(words: Sequence[Word]) -> list[Word]:
    halves = (half for word in words if _counts(word) for half in word.halves())
    return sorted(halves, key=lambda word: word.key)


def _same_couple(mine: Reading, theirs: Reading) -> Iterator[Match]:
    """Match Bill and Sue Smith with William and Susan Smith."""
    left, right = mine.words, theirs.words
    if len(left) != len(right) or all(map(_counts, left)) or all(map(_counts, right)):
        return
    apart = [(a, b) for a, b in zip(left, right, strict=True) if a.key != b.key]
    if apart and all(same_given(a.key, b.key) or not (_counts(a) or _counts(b)) for a, b in apart):
        sides = ([(a.start, a.end) for a, _ in apart], [(b.start, b.end) for _, b in apart])
        yield Match(
            frozenset({Kind.COUPLE}),
            GIVEN,
            replace(mine, aside=tuple(sides[0])),
            replace(theirs, aside=tuple(sides[1])),
            (),
        )


def _counts(word: Word) -> bool:
    return not word.is_sign and word.key not in {"and", "or"}


def _truncated(
    mine: Sequence[Reading],
    theirs: Sequence[Reading],
    their_cores: Sequence[Reading],
    file_text: str,
    typed_text: str,
    cut_at: int,
) -> Iterator[Match]:
    file_length, typed_length = len(file_text.strip(" ")), len(typed_text.strip(" "))
    if _may_be_cut(file_length, cut_at):
        if typed_length > file_length:
            for full in mine:
                yield from _cut(full, theirs[0], file_length, cut_at, on_file=True)
        for short in their_cores:  # the last name of a couple is what the cut falls on
            if Kind.COUPLE in short.kinds and short.words[-1].end == theirs[0].whole[1]:
                yield from _cut(mine[0], short, file_length, cut_at, on_file=True)
    if 2 < typed_length == cut_at < file_length:  # typed as an old bill prints it
        for full in theirs:
            yield from _cut(full, mine[0], typed_length, cut_at, on_file=False)


def _may_be_cut(length: int, cut_at: int) -> bool:
    return cut_at > 2 and cut_at - 2 <= length <= cut_at


def _cut(
    full: Reading, short: Reading, length: int, cut_at: int, *, on_file: bool
) -> Iterator[Match]:
    for long_line, short_line in ((full.plain, short.plain), (full.canonical, short.canonical)):
        size = len(short_line.items)
        if not 3 <= size < len(long_line.items) or long_line.key[:size] != short_line.key:
            continue
        rest = long_line.items[size]
        inside = not rest.gap.text
        if length < cut_at if inside else not on_file:
            continue  # a name cut inside a word is longer, and a whole last name was not cut
        # A name of full length that stops inside a word was cut, whatever else the rest may mean.
        price = _CUT_INSIDE if inside else _TRUNCATED
        head = Line(long_line.items[:size], short_line.last)
        pair = (head, short_line) if on_file else (short_line, head)
        differences = compare(*pair, straight(size))
        readings = (full, short) if on_file else (short, full)
        yield Match(
            full.kinds | short.kinds | {d.kind for d in differences} | {Kind.TRUNCATED},
            full.price + short.price + price + _price(differences),
            *readings,
            tuple(differences),
            (rest.gap.start, int(on_file)),
        )
        return


def _misspelled(mine: Sequence[Reading], theirs: Sequence[Reading]) -> Iterator[Match]:
    for reading, other in product(mine, theirs):
        slips = slips_between(reading.words, other.words)
        if not slips:
            continue
        lines = (reading.plain, other.plain)
        if len(reading.canonical.items) < len(reading.plain.items) and (
            OSA.distance(reading.canonical_key, other.canonical_key) < slips
        ):
            lines = (reading.canonical, other.canonical)
        differences = compare(*lines, cheapest_path(*lines))
        price = _ONE_SLIP if slips == 1 else _TWO_SLIPS
        yield Match(
            reading.kinds | other.kinds | {d.kind for d in differences},
            reading.price + other.price + price + _price(differences),
            reading,
            other,
            tuple(differences),
        )


def slips_between(mine: Sequence[Word], theirs: Sequence[Word]) -> int:
    """Count the wrong letters if they are few enough for a slip; otherwise say none."""
    left = [word for word in mine if not word.is_sign]
    right = [word for word in theirs if not word.is_sign]
    if len(left) == len(right) and len(left) > 1:
        total = 0
        apart = [(a, b) for a, b in zip(left, right, strict=True) if a.key != b.key]
        for a, b in apart:
            slips = _slips(a.key, b.key)
            if not slips or _two_given_names(a, b):
                return 0
            total += slips
        return total if total <= 2 else 0
    return _slips("".join(w.key for w in left), "".join(w.key for w in right))


def _slips(a: str, b: str) -> int:
    """Count the wrong letters between two words, or say none when they are two words."""
    apart = OSA.distance(a, b, score_cutoff=2)
    shorter, longer = sorted((len(a), len(b)))
    if apart == 0 or apart > 2 or _two_clans(a, b) or _digits(a) != _digits(b):
        return 0
    if apart == 1:
        first_replaced = len(a) == len(b) and a[1:] == b[1:]
        if first_replaced:
            return 1 if longer >= 5 else 0
        return 1 if shorter >= 3 or (longer == 3 and a[0] == b[0]) else 0
    # Two random last names with one initial are two letters apart once in 200 when short.
    return 2 if a[0] == b[0] and (shorter >= 7 or _undouble(a) == _undouble(b)) else 0


def _undouble(text: str) -> str:
    """Write each doubled letter once."""
    return "".join(c for place, c in enumerate(text) if not place or text[place - 1] != c)


def _digits(text: str) -> str:
    """Keep the digits: a house or shop number with another digit is another one."""
    return "".join(filter(str.isdigit, text))


def _two_clans(a: str, b: str) -> bool:
    """Tell MacDonald from McDonald, which are two names."""
    return (a.startswith("mac") and b.startswith("mc") and a[3:] == b[2:]) or (
        b.startswith("mac") and a.startswith("mc") and b[3:] == a[2:]
    )


def _two_given_names(a: Word, b: Word) -> bool:
    """Tell Mary from Gary, unless the two sound alike as Jon and John do."""
    return {a.key, b.key} <= GIVEN_NAMES and _sound(a.key) != _sound(b.key)


def _sound(name: str) -> str:
    """Write a given name roughly as it sounds."""
    plain = name.replace("ph", "f").replace("v", "f").replace("ck", "k").replace("c", "k")
    plain = plain.replace("y", "i").replace("h", "").replace("z", "s").removesuffix("e")
    return _undouble(plain)
