"""What can be looked up: the keys a member is found by, and how a typed search is read.

A key is folded text behind one letter that says what it is of, so that digits never match names
and an e-mail never an address. A search is read into ranges: every key that begins with a prefix
fits. Spaces inside surnames are closed up; one space stands between surname and given names, so
that “De Long” and “DeLong” are one key, and exact surnames come before longer ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from console.domain.folding import fold

LONGEST_SEARCH: Final = 120
"""Characters of a search that are read; nobody says more into a telephone."""

FEWEST_LETTERS_TO_FORGIVE: Final = 3
FEWEST_LETTERS_TO_COMPLETE: Final = 5
HEADS: Final = range(3, 9)
"""Lengths of the word beginnings under which misspelled words are found again."""

HIGHEST: Final = "\U0010ffff"
"""Sorts after every character of a key: the end of a range."""


class Of(IntEnum):
    """What a key is of; the order is the order of the hits, all else being equal."""

    ACCOUNT = 1
    NAME = 2
    BUSINESS = 3
    HOLDER = 4
    FORMER_NAME = 5
    METER = 6
    PHONE = 7
    ADDRESS = 8
    EMAIL = 9
    FORMER_ADDRESS = 10
    MEMBER_NUMBER = 11


NAMES: Final = frozenset({Of.NAME, Of.BUSINESS, Of.HOLDER, Of.FORMER_NAME})

_ACCOUNT, _METER, _PHONE, _PERSON, _BUSINESS, _ADDRESS, _EMAIL, _MEMBER = "#*+ab/@="


@dataclass(frozen=True)
class Place:
    """One account as it is found: its number, its meter and its service address."""

    account_number: str
    meter_number: str
    line: str
    city: str


@dataclass(frozen=True)
class Findable:
    """Everything a member can be found by."""

    number: str
    is_business: bool
    name: str
    given_names: str
    email: str
    phones: tuple[str, ...]
    places: tuple[Place, ...]
    mailing: tuple[str, str] = ("", "")
    """Line and city."""
    holders: tuple[tuple[str, str], ...] = ()
    """Name and given names of each person beside the primary holder."""
    former_names: tuple[tuple[str, str], ...] = ()
    former_addresses: tuple[tuple[str, str], ...] = ()


_STREET_WORDS: Final = {
    "st": "street", "str": "street", "ave": "avenue", "av": "avenue", "rd": "road", "dr": "drive",
    "ln": "lane", "ct": "court", "cir": "circle", "blvd": "boulevard", "hwy": "highway",
    "pl": "place", "ter": "terrace", "trl": "trail", "pkwy": "parkway", "sq": "square",
    "rte": "route", "rt": "route", "cr": "county road", "n": "north", "s": "south", "e": "east",
    "w": "west", "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
    "mt": "mount", "ft": "fort", "apt": "apartment", "fl": "floor", "bldg": "building",
}  # fmt: skip
_PAIR = re.compile(r"\band\b|&|\+", re.IGNORECASE)
_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "v", "esq", "md"})
_SMALL_WORDS: Final = frozenset({"and", "of", "the", "a", "co", "inc", "llc", "ltd"})


def keys_of(member: Findable) -> set[tuple[str, Of]]:
    """Work out every key a member is found by."""
    keys = {(_MEMBER + fold(member.number).replace(" ", ""), Of.MEMBER_NUMBER)}
    keys.update((key, Of.NAME) for key in _name_keys(member.name, member.given_names))
    if member.is_business:
        keys.update((key, Of.BUSINESS) for key in _tails(member.name))
    for name, given in member.holders:
        keys.update((key, Of.HOLDER) for key in _name_keys(name, given))
    for name, given in member.former_names:
        keys.update((key, Of.FORMER_NAME) for key in _name_keys(name, given))
    for place in member.places:
        keys.add((_ACCOUNT + place.account_number, Of.ACCOUNT))
        keys.update((key, Of.METER) for key in _meter_keys(place.meter_number))
        keys.update((key, Of.ADDRESS) for key in _address_keys(place.line, place.city))
    keys.update((key, Of.ADDRESS) for key in _address_keys(*member.mailing))
    for line, city in member.former_addresses:
        keys.update((key, Of.FORMER_ADDRESS) for key in _address_keys(line, city))
    for phone in member.phones:
        keys.update((_PHONE + phone[start:], Of.PHONE) for start in range(max(1, len(phone) - 3)))
    if member.email:
        keys.add((_EMAIL + member.email.strip().casefold(), Of.EMAIL))
    return {(key, of) for key, of in keys if len(key) > 1}


def words_of(keys: Iterable[tuple[str, Of]]) -> set[str]:
    """Pick the words of these keys that may be misspelled: their first ones."""
    words = set()
    for key, of in keys:
        if key[0] in (_PERSON, _BUSINESS) or (of is Of.ADDRESS and key[1:2].isalpha()):
            word = key[1:].split(" ", 1)[0]
            if len(word) >= FEWEST_LETTERS_TO_FORGIVE:
                words.add(key[0] + word)
    return words


def neighbours_of(head: str) -> set[str]:
    """Answer a word beginning and every form of it with one letter left out."""
    return {head, *(head[:place] + head[place + 1 :] for place in range(len(head)))}


def heads_of(word: str) -> set[str]:
    """Answer the beginnings of a word under which its misspellings are looked up."""
    return {word[:length] for length in HEADS if length <= len(word)}


def _name_keys(name: str, given_names: str) -> Iterator[str]:
    surname_words = [word for word in fold(name).split() if word not in _SUFFIXES]
    surname = "".join(surname_words)
    given = fold(given_names).split()
    if given:
        yield f"{_PERSON}{surname} {''.join(given)}"
        # Only the first given name before the gap: it is the word that may be misspelled.
        yield f"{_PERSON}{given[0]} {''.join(given[1:])}{surname}"
        for one in given if len(given) > 1 else ():
            yield f"{_PERSON}{one} {surname}"
        if len(surname_words) > 1:
            for start in range(1, len(surname_words)):
                if len(tail := "".join(surname_words[start:])) >= FEWEST_LETTERS_TO_FORGIVE:
                    yield f"{_PERSON}{tail} {''.join(given)}"
                    yield f"{_PERSON}{given[0]} {tail}"
        return
    yield f"{_PERSON}{surname} "
    couple = [fold(part).split() for part in _PAIR.split(name)]
    if len(couple) > 1 and all(couple):
        # “John & Mary Smith”: each of the two, in both orders.
        last = couple[-1][-1]
        for words in couple:
            own = words if len(words) == 1 else words[:-1]
            shared = last if len(words) == 1 else words[-1]
            yield f"{_PERSON}{shared} {''.join(own)}"
            yield f"{_PERSON}{''.join(own)} {shared}"
    elif "," not in name:
        yield from _tails(name)


def _tails(name: str) -> Iterator[str]:
    words = fold(name).split()[:12]
    for start, word in enumerate(words):
        if start == 0 or word not in _SMALL_WORDS:
            after = "".join(words[start + 1 :])
            yield f"{_BUSINESS}{word} {after}"
            if after:
                yield f"{_BUSINESS}{word}{after}"


def _meter_keys(meter: str) -> Iterator[str]:
    whole = fold(meter).replace(" ", "")
    yield _METER + whole
    digits = whole.lstrip("abcdefghijklmnopqrstuvwxyz")
    if digits != whole and len(digits) >= FEWEST_LETTERS_TO_FORGIVE:
        yield _METER + digits


def _address_keys(line: str, city: str) -> Iterator[str]:
    words = _street(fold(line).split())
    if not words:
        return
    end = "".join(fold(city).split())
    yield f"{_ADDRESS}{''.join(words)}{end}"
    numbers = [word for word in words if any(letter.isdigit() for letter in word)]
    names = [word for word in words if word not in numbers]
    if numbers and names:
        yield f"{_ADDRESS}{names[0]} {''.join(names[1:])}{''.join(numbers)}{end}"
        if names[0] in ("north", "south", "east", "west") and len(names) > 1:
            yield f"{_ADDRESS}{names[1]} {''.join(names[2:])}{''.join(numbers)}{end}"


def _street(words: Sequence[str]) -> list[str]:
    # “St Croix Street” begins with a saint: only what follows the name is a kind of street.
    return [_STREET_WORDS.get(word, word) if place else word for place, word in enumerate(words)]


@dataclass(frozen=True)
class Search:
    """A search as it was read."""

    text: str
    words: tuple[str, ...]
    ranges: tuple[str, ...]
    """Prefixes, the likeliest first."""
    advice: str = ""
    misspelled: tuple[Misspelled, ...] = ()
    slips_after: tuple[SlipAfter, ...] = ()
    apart: tuple[str, ...] = ()
    """Prefixes for one long word that may be two with the space left out."""


@dataclass(frozen=True)
class Misspelled:
    """A way to read a search with one wrong word: the word, and what stands around it."""

    namespace: str
    word: str
    rest: str
    is_last: bool
    """Whether the wrong word may still be being typed."""

    @property
    def may_be_begun(self) -> bool:
        """Whether longer words may be meant: the word is being typed and there is enough of it."""
        return self.is_last and len(self.word) >= FEWEST_LETTERS_TO_COMPLETE

    @property
    def needs_whole_words(self) -> bool:
        """Whether the word looked for stands whole among the beginnings."""
        return not self.may_be_begun and len(self.word) < HEADS[-1]

    def lookups(self) -> set[str]:
        """Answer the beginnings to look the word up by."""
        return {self.namespace + one for one in neighbours_of(self.word[: HEADS[-1]])}

    def meant(self, words: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Walk the words of the index that are one slip away, with how far off each one is.

        While the word may still be being typed, the beginnings of longer words count as well.
        """
        typed = self.word
        for word, off, _ in extract(typed, words, scorer=OSA.distance, score_cutoff=1, limit=None):
            if off:
                yield word, off
        if not self.may_be_begun:
            return
        begun = len(typed)
        longer = [word for word in words if len(word) > begun + 1]
        for length in (begun, begun + 1, begun - 1):
            heads = [word[:length] for word in longer]
            found = extract(typed, heads, scorer=OSA.distance, score_cutoff=1, limit=None)
            for _, off, place in found:
                yield longer[place], off + 1

    def prefix_with(self, word: str) -> str:
        """Answer the range to look in when `word` was meant."""
        if not self.rest:
            return self.namespace + word
        return f"{self.namespace}{word} {self.rest}"


@dataclass(frozen=True)
class SlipAfter:
    """A way to read a search whose beginning is right and whose later words hold one slip."""

    prefix: str
    rest: str

    def fits(self, key: str) -> bool:
        """Whether what follows the beginning is at most one slip away from what was typed."""
        after = key[len(self.prefix) :].replace(" ", "")
        typed = len(self.rest)
        return any(
            OSA.distance(self.rest, after[:length], score_cutoff=1) <= 1
            for length in (typed, typed + 1, typed - 1)
        )


NOTHING_TYPED: Final = "Type a name, an account or phone number, an address, an e-mail or a meter."
NOTHING_FOUND: Final = (
    "Nobody fits. Try fewer letters, the account number, or the street the caller lives in."
)


def read(text: str) -> Search:
    """Read what was typed into the search box into the ranges it may stand for."""
    text = text[:LONGEST_SEARCH].strip()
    words = tuple(fold(text).split())
    if not words:
        return Search(text, (), (), NOTHING_TYPED)
    ranges: list[str] = []
    digits = "".join(letter for letter in text if letter in "0123456789")
    bare = re.sub(r"[\s().+\-/#]", "", text)
    if digits and digits == bare:
        ranges += _number_ranges(digits)
        ranges.append(_ADDRESS + "".join(words))
    else:
        if len(words) == 1 and digits and "@" not in text:
            ranges.append(_METER + words[0])
        if "@" in text:
            ranges.append(_EMAIL + text.casefold().replace(" ", ""))
        else:
            ranges += _name_ranges(words)
            ranges += _address_ranges(words)
            if len(words) == 1:
                ranges.append(_EMAIL + text.casefold())
                ranges.append(_MEMBER + words[0])
    if digits == bare:
        return Search(text, words, tuple(dict.fromkeys(ranges)))
    if "@" in text:
        return Search(text, words, tuple(ranges), slips_after=tuple(_email_slips(text)))
    return Search(
        text,
        words,
        tuple(dict.fromkeys(ranges)),
        misspelled=tuple(dict.fromkeys(_slips(words))),
        slips_after=tuple(_slips_after(words)),
        apart=tuple(_apart(words[0])) if len(words) == 1 else (),
    )


def _number_ranges(digits: str) -> list[str]:
    ranges = [_ACCOUNT + digits, _METER + digits, _MEMBER + digits]
    if len(digits) >= FEWEST_LETTERS_TO_FORGIVE:
        phone = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        ranges.append(_PHONE + phone)
    return ranges


def _name_ranges(words: Sequence[str]) -> Iterator[str]:
    words = [word for word in words if word not in _SUFFIXES] or list(words)
    words = words[:8]
    # The gap between surname and given names may be at any of the spaces, or not typed yet.
    for gap in range(len(words) - 1, 0, -1):
        yield f"{_PERSON}{''.join(words[:gap])} {''.join(words[gap:])}"
    yield _PERSON + "".join(words)
    if len(words) > 1:
        yield f"{_BUSINESS}{words[0]} {''.join(words[1:])}"
    yield _BUSINESS + "".join(words)


def _address_ranges(words: Sequence[str]) -> Iterator[str]:
    numbers = [word for word in words if any(letter.isdigit() for letter in word)]
    names = [word for word in words if word not in numbers]
    spelled = _street(words)
    for form in dict.fromkeys((tuple(spelled), (*spelled[:-1], words[-1]))):
        yield _ADDRESS + "".join(form)
    if names:
        named = _street(names)
        end = "".join(numbers)
        for form in dict.fromkeys((tuple(named), (*named[:-1], names[-1]))):
            yield (
                f"{_ADDRESS}{form[0]} {''.join(form[1:])}{end}"
                if form[1:] or end
                else (_ADDRESS + form[0])
            )


def _slips(words: Sequence[str]) -> Iterator[Misspelled]:
    """Walk the ways in which one word of the search may be wrong."""
    words = [word for word in words if word not in _SUFFIXES] or list(words)
    words = words[:6]
    count = len(words)
    for gap in range(count, 0, -1):
        first, rest = "".join(words[:gap]), "".join(words[gap:])
        if len(first) >= FEWEST_LETTERS_TO_FORGIVE:
            yield Misspelled(_PERSON, first, rest, is_last=gap == count)
    for gap in range(count - 1, 0, -1):
        last, before = "".join(words[gap:]), "".join(words[:gap])
        if len(last) >= FEWEST_LETTERS_TO_FORGIVE:
            yield Misspelled(_PERSON, last, before, is_last=True)
        if gap < count - 1 and len(words[gap]) >= FEWEST_LETTERS_TO_FORGIVE:
            # “DeLong, Jhon R”: the slip is in the first of the given names.
            after = "".join(words[gap + 1 :])
            yield Misspelled(_PERSON, words[gap], after + before, is_last=False)
    if len(words[0]) >= FEWEST_LETTERS_TO_FORGIVE:
        yield Misspelled(_BUSINESS, words[0], "".join(words[1:]), is_last=count == 1)
    numbers = [word for word in words if any(letter.isdigit() for letter in word)]
    names = [word for word in words if word not in numbers]
    if numbers and names and len(names[0]) >= FEWEST_LETTERS_TO_FORGIVE:
        end = "".join((*_street(names)[1:], *numbers))
        yield Misspelled(_ADDRESS, names[0], end, is_last=not end)


def _slips_after(words: Sequence[str]) -> Iterator[SlipAfter]:
    if len(words) > 1:
        first, rest = words[0], "".join(_street(words)[1:])
        if first[0].isdigit():
            yield SlipAfter(_ADDRESS + first, rest)
        elif len(words) > 2:
            yield SlipAfter(f"{_BUSINESS}{first} ", "".join(words[1:]))


def _email_slips(text: str) -> Iterator[SlipAfter]:
    address = text.casefold().replace(" ", "")
    if len(address) > 6:
        yield SlipAfter(_EMAIL + address[:5], address[5:])


def _apart(word: str) -> Iterator[str]:
    if word.isalpha() and 6 <= len(word) <= 24:
        for gap in range(2, len(word) - 1):
            yield f"{_PERSON}{word[:gap]} {word[gap:]}"
