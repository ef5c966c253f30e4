"""The ways in which one written name can be read: without its suffix, as a couple, as a part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from console.domain.differences import Line, line
from console.domain.given_names import GIVEN_NAMES, SHORT_FORMS
from console.domain.kinds import Kind
from console.domain.letters import Word, take_apart
from console.domain.name_words import (
    ARTICLES,
    BUSINESS_WORDS,
    COUPLE_WORDS,
    GLUED_PARTICLES,
    LEGAL_FORMS,
    LEGAL_FORMS_IN_LETTERS,
    PARTICLES,
    PARTICLES_GIVEN_TOO,
    SHORT_WORDS,
    SUFFIXES,
    TITLES,
)

_MOST_WORDS: Final = 14
"""A longer text is a sentence, not a name, and is compared as it stands."""
_MOST_TAILS: Final = 3
FINE, DROPPED, GIVEN, COUPLE, PART = 0.0, 1.0, 1.5, 1.5, 1.7


@dataclass(frozen=True)
class Reading:
    """Some words of a name, and what kinds of thing were set aside to be left with them."""

    words: tuple[Word, ...]
    kinds: frozenset[Kind] = frozenset()
    price: float = FINE
    aside: tuple[tuple[int, int], ...] = ()
    """The ranges of the text that were set aside."""
    givens: tuple[Word, ...] = ()
    whole: tuple[int, int] = (0, 0)
    """Where the first word of the whole name begins and the last one ends."""
    """The given names that were set aside."""

    @cached_property
    def plain(self) -> Line:
        """The words letter for letter."""
        return line(self.words, self.whole)

    @cached_property
    def canonical(self) -> Line:
        """The words with each short form taken for its long one."""
        return line(self._halves, self.whole, SHORT_WORDS)

    @cached_property
    def key(self) -> str:
        """The letters alone."""
        return "".join(word.key for word in self.words if not word.is_sign)

    @cached_property
    def canonical_key(self) -> str:
        """The letters with each short form taken for its long one."""
        return "".join(
            "and" if word.is_sign else SHORT_WORDS.get(word.key, word.key) for word in self._halves
        )

    @cached_property
    def _halves(self) -> list[Word]:
        return [half for word in self.words for half in word.halves()]

    def without(self, words: Sequence[Word], kind: Kind) -> Reading:
        """Set words aside."""
        gone = {id(word) for word in words}
        return self.keeping([w for w in self.words if id(w) not in gone], kind, DROPPED)

    def keeping(self, kept: Sequence[Word], kind: Kind, price: float) -> Reading:
        """Keep these words, or parts of them, perhaps in another order, and set the rest aside."""
        return replace(
            self,
            words=tuple(kept),
            kinds=self.kinds | {kind},
            price=self.price + price,
            aside=self.aside + tuple(_left_over(self.words, kept)),
        )


def _left_over(words: Sequence[Word], kept: Sequence[Word]) -> Iterator[tuple[int, int]]:
    spans = sorted((word.start, word.end) for word in kept)
    for word in words:
        start = word.start
        for begin, end in spans:
            if begin >= word.start and end <= word.end:
                if start < begin:
                    yield start, begin
                start = end
        if start < word.end:
            yield start, word.end


def drops(words: Sequence[Word]) -> list[Reading]:
    """Read a name as it is, and without its suffix, its legal form, its article or several."""
    if not words:
        return []
    found = [Reading(tuple(words), whole=(words[0].start, words[-1].end))]
    for drop in (_without_legal_form, _without_suffix, _without_article):
        found += [shorter for reading in found for shorter in drop(reading)]
    return found


def _without_suffix(reading: Reading) -> Iterator[Reading]:
    words = reading.words
    place = _suffix_place(words)
    if place is None:
        return
    shorter = reading.without(words[place : place + 1], Kind.SUFFIX)
    if any(word.key in BUSINESS_WORDS for word in words):
        shorter = replace(shorter, price=shorter.price + 0.3)  # a business has no Junior
    yield shorter


def generation(words: Sequence[Word]) -> int:
    """Return 1 for Senior, 2 for Junior and so on, or nothing."""
    place = _suffix_place(words)
    return SUFFIXES[words[place].key] if place is not None else 0


def _suffix_place(words: Sequence[Word]) -> int | None:
    for place in range(len(words) - 1, 0, -1):
        # At the end, or in the middle as in "Smith Jr, John" and "Smith, Jr., John".
        if words[place].key in SUFFIXES and (
            place == len(words) - 1 or words[place].comma_after or words[place - 1].comma_after
        ):
            return place
    return None


def _without_legal_form(reading: Reading) -> Iterator[Reading]:
    words = list(reading.words)
    gone: list[Word] = []
    for _ in range(_MOST_TAILS):
        if len(words) < 2:
            return
        size = next(
            (n for n in (4, 3, 2) if tuple(w.key for w in words[-n:]) in LEGAL_FORMS_IN_LETTERS
             and len(words) > n),
            1,
        )  # fmt: skip
        if size == 1 and words[-1].key not in LEGAL_FORMS:
            break
        gone += words[-size:]
        del words[-size:]
        if words and words[-1].is_sign:  # Smith & Co
            gone.append(words.pop())
        if words:
            yield reading.without(gone, Kind.LEGAL_FORM)


def _without_article(reading: Reading) -> Iterator[Reading]:
    words = reading.words
    if len(words) < 2:
        return
    if words[0].key in ARTICLES:
        yield reading.without(words[:1], Kind.ARTICLE)
    elif words[-1].key in ARTICLES and words[-2].comma_after:
        yield reading.without(words[-1:], Kind.ARTICLE)


def cores(reading: Reading) -> Iterator[Reading]:
    """Read a name without given names, as one of a couple, or as one part of a double name."""
    if len(reading.words) > _MOST_WORDS:
        return
    place = _couple_place(reading.words)
    if place is not None:
        yield from _of_couple(reading, place)
        yield from _parts(reading)
        return
    singles = list(_without_given_names(reading))
    yield from singles
    for single in singles:
        yield from _parts(single)
    yield from _parts(reading)


def _couple_place(words: Sequence[Word]) -> int | None:
    places = [
        place
        for place, word in enumerate(words)
        if 0 < place < len(words) - 1 and (word.is_sign or word.key in COUPLE_WORDS)
    ]
    if len(places) != 1:
        return None
    left, right = words[: places[0]], words[places[0] + 1 :]
    two_people = is_given(right[0]) and (is_given(left[0]) or is_given(left[-1]))
    business = any(word.key in BUSINESS_WORDS for word in words)
    return places[0] if two_people or not business else None


def _of_couple(reading: Reading, place: int) -> Iterator[Reading]:
    left, right = reading.words[:place], reading.words[place + 1 :]
    if len(left) == len(right) == 1 and not any(is_given(w) for w in (*left, *right)):
        return  # Walker & Dunlop are partners, and each alone is a part of the name
    seen: set[tuple[int, ...]] = set()
    for kept in _couple_cores(left, right):
        mark = tuple(word.start for word in kept)
        if kept and mark not in seen:
            seen.add(mark)
            yield reading.keeping(kept, Kind.COUPLE, COUPLE)


def _couple_cores(left: Sequence[Word], right: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    left, right = tuple(left), tuple(right)
    yield left
    yield right
    for size in range(1, len(right)):
        surname = right[-size:]
        yield surname
        for given in (left, right[:-size]):
            yield (*given, *surname)
            yield (*surname, *given)
    for size in range(1, len(left)):
        for surname, given in ((left[:size], left[size:]), (left[-size:], left[:-size])):
            yield surname
            for name in (given, right):
                yield (*surname, *name)
                yield (*name, *surname)


def is_given(word: Word) -> bool:
    """Tell whether a word is likely to be a given name, an initial or a title."""
    if any(piece.key in GIVEN_NAMES for piece in word.pieces()):
        return True
    return word.key in TITLES or (len(word.key) == 1 and word.key.isalpha())


def _without_given_names(reading: Reading) -> Iterator[Reading]:
    words = reading.words
    if len(words) < 2 or any(word.is_sign for word in words):
        return
    comma = next((n for n, word in enumerate(words[:-1], start=1) if word.comma_after), 0)
    business = any(word.key in BUSINESS_WORDS for word in words)
    if comma:
        given = words[comma:]
        if _all_given(given) or not (business or any(w.key in SUFFIXES for w in given)):
            yield _surname(reading, words[:comma], words[comma:], GIVEN)
        return
    for size in range(1, len(words)):
        surname, given = words[size:], words[:size]
        if _all_given(given) and (len(words) == 2 or not _generic(surname)):
            yield _surname(reading, surname, given, GIVEN)
        elif len(words) == 2 and not business and given[0].key.isalpha() and (
            given[0].key not in PARTICLES and "-" not in given[0].after.text
        ):  # fmt: skip
            yield _surname(reading, surname, given, GIVEN + 0.1)
        surname, given = words[:-size], words[-size:]
        if _all_given(given) and (len(words) == 2 or not _generic(surname)):
            yield _surname(reading, surname, given, GIVEN)


def _surname(
    reading: Reading, surname: Sequence[Word], given: Sequence[Word], price: float
) -> Reading:
    shorter = reading.keeping(surname, Kind.GIVEN_NAME, price)
    return replace(shorter, givens=tuple(given))


def _all_given(words: Sequence[Word]) -> bool:
    return all(
        is_given(word) and (word.key not in PARTICLES or word.key in PARTICLES_GIVEN_TOO)
        for word in words
    )


def is_business(name: str) -> bool:
    """Tell whether a name has a word that only businesses have."""
    return any(word.key in BUSINESS_WORDS for word in take_apart(name))


def _generic(words: Sequence[Word]) -> bool:
    return all(word.key in BUSINESS_WORDS for word in words)


def _parts(reading: Reading) -> Iterator[Reading]:
    words = reading.words
    pieces = [piece for word in words for piece in ([word] if word.is_sign else word.pieces())]
    for cut in range(1, len(pieces)):
        hyphened = bool(pieces[cut].before.marks.strip("., "))
        price = PART + (0.0 if hyphened else 0.1)
        for kept, gone in ((pieces[:cut], pieces[cut:]), (pieces[cut:], pieces[:cut])):
            if any(piece.key in SUFFIXES for piece in gone) and not hyphened:
                continue
            core = [p for p in kept if not (p is kept[0] or p is kept[-1]) or not p.is_sign]
            letters = sum(len(p.key) for p in core)
            if hyphened or (letters >= 3 and not _generic(core) and _tells(core)):
                yield reading.keeping(core, Kind.PART, price)
    if len(words) == 1:
        yield from _after_glued_particle(reading)


def _tells(core: Sequence[Word]) -> bool:
    """Tell whether more is left than particles and initials."""
    return any(len(p.key) > 1 and p.key not in PARTICLES for p in core)


def _after_glued_particle(reading: Reading) -> Iterator[Reading]:
    (word,) = reading.words
    for particle in GLUED_PARTICLES:
        rest = len(word.key) - len(particle)
        if word.key.startswith(particle) and rest >= 4:
            tail = Word(
                word.letters[len(particle) :], word.gaps[len(particle) :],
                word.gaps[len(particle) - 1], word.after, word.key[len(particle) :],
            )  # fmt: skip
            yield reading.keeping([tail], Kind.PART, PART + 0.2)


def givens_agree(mine: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Tell whether two lists of given names can belong to one person."""
    shorter, longer = sorted((mine, theirs), key=len)
    # Some go by their middle name: Robert Smith may be the John Robert Smith on file.
    tried = longer[:2] if len(shorter) < len(longer) else longer[:1]
    return any(same_given(shorter[0].key, other.key) for other in tried)


def same_given(name: str, other: str) -> bool:
    """Tell whether two given names are one, in full, in short or as an initial."""
    if name == other or (name, other) in SHORT_FORMS:
        return True
    return min(len(name), len(other)) == 1 and name[:1] == other[:1]
