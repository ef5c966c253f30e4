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

from console.domain.folding import fold, squash
from console.domain.given_names import SHORT_FORMS
from console.domain.name_words import SHORT_WORDS

LONGEST_SEARCH: Final = 120
"""Characters of a search that are read; nobody says more into a telephone."""

FEWEST_LETTERS_TO_FORGIVE: Final = 3
FEWEST_LETTERS_TO_COMPLETE: Final = 5
FEWEST_DIGITS_TO_FORGIVE: Final = 6
HEADS: Final = range(3, 9)
"""Lengths of the word beginnings under which misspelled words are found again."""

LONGEST_WORD: Final = 28

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
_SPELLED: Final = frozenset({_PERSON, _BUSINESS, _ADDRESS})
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

_LONG_WORDS: Final = tuple(
    (long, short)
    for short, long in reversed(SHORT_WORDS.items())
    if short != long and len(long) > 3 and len(short) > 1
)
_COUNTERPARTS: Final = dict(_LONG_WORDS) | {short: long for long, short in _LONG_WORDS}


def _nicknames() -> dict[str, tuple[str, ...]]:
    held: dict[str, list[str]] = {}
    for one, other in sorted(SHORT_FORMS):
        held.setdefault(one, []).append(other)
    return {one: tuple(others) for one, others in held.items()}


_NICKNAMES: Final = _nicknames()


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
_DIRECTIONS: Final = frozenset(
    "n s e w ne nw se sw north south east west northeast northwest southeast southwest".split()
)
_METER_NUMBER = re.compile(r"[a-z]{1,4}[0-9]+[a-z]?|[0-9]+[a-z][0-9a-z]*")
_HOUSE_NUMBER = re.compile(r"[0-9]+[a-z]?")
_PAIR = re.compile(r"\band\b|&|\+", re.IGNORECASE)
_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "v", "esq", "md"})
_SMALL_WORDS: Final = frozenset({"and", "of", "the", "a", "co", "inc", "llc", "ltd"})


def keys_of(member: Findable) -> set[tuple[str, Of]]:
    """Work out every key a member is found by."""
    keys = [(_MEMBER + squash(member.number), Of.MEMBER_NUMBER)]
    if member.is_business:
        keys += [(key, Of.BUSINESS) for key in _tails(member.name)]
    if member.given_names or not member.is_business:
        keys += [(key, Of.NAME) for key in _name_keys(member.name, member.given_names)]
    for name, given in member.holders:
        keys += [(key, Of.HOLDER) for key in _name_keys(name, given)]
    for name, given in member.former_names:
        keys += [(key, Of.FORMER_NAME) for key in _name_keys(name, given)]
    addresses = {member.mailing: None}
    for place in member.places:
        keys.append((_ACCOUNT + place.account_number, Of.ACCOUNT))
        keys += [(key, Of.METER) for key in _meter_keys(place.meter_number)]
        addresses[(place.line, place.city)] = None
    for line, city in addresses:
        keys += [(key, Of.ADDRESS) for key in _address_keys(line, city)]
    for line, city in member.former_addresses:
        keys += [(key, Of.FORMER_ADDRESS) for key in _address_keys(line, city)]
    for phone in member.phones:
        keys += [(_PHONE + phone[start:], Of.PHONE) for start in range(max(1, len(phone) - 3))]
    if member.email:
        keys.append((_EMAIL + _as_email(member.email), Of.EMAIL))
    return {pair for pair in keys if len(pair[0]) > 1}


def words_of(keys: Iterable[tuple[str, Of]]) -> set[str]:
    """Pick the words of these keys that may be misspelled: their first ones."""
    words = {key.partition(" ")[0] for key, _ in keys if key[0] in _SPELLED and " " in key}
    return {
        word
        for word in words
        if FEWEST_LETTERS_TO_FORGIVE < len(word) <= LONGEST_WORD and not word[1].isdigit()
    }


def neighbours_of(head: str) -> set[str]:
    """Answer a word beginning and every form of it with one letter left out."""
    return {head, *(head[:place] + head[place + 1 :] for place in range(len(head)))}


def heads_of(word: str) -> set[str]:
    """Answer the beginnings of a word under which its misspellings are looked up."""
    return {word, *(word[:length] for length in HEADS if length <= len(word))}


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
    # “Smith & Sons” and “Smith and Sons” are one: the sign is gone, so the word goes too.
    words = [word for place, word in enumerate(fold(name).split()) if not place or word != "and"]
    words = words[:12]
    for start, word in enumerate(words):
        if start == 0 or word not in _SMALL_WORDS:
            after = "".join(words[start + 1 :])
            yield f"{_BUSINESS}{word} {after}"
            if after:
                yield f"{_BUSINESS}{word}{after}"


def _meter_keys(meter: str) -> Iterator[str]:
    whole = squash(meter)
    yield _METER + whole
    digits = whole.lstrip(LETTERS)
    if digits != whole and len(digits) >= FEWEST_LETTERS_TO_FORGIVE:
        yield _METER + digits


def _address_keys(line: str, city: str) -> Iterator[str]:
    words = fold(line).split()
    if not words:
        return
    number = words.pop(0) if len(words) > 1 and _HOUSE_NUMBER.fullmatch(words[0]) else ""
    names = _street(words)
    end = "".join([_STREET_WORDS.get(word, word) for word in fold(city).split()])
    if number:
        yield f"{_ADDRESS}{number} {''.join(names)}{end}"
    yield f"{_ADDRESS}{names[0]} {''.join(names[1:])}{number} {end}"
    if names[0] in _DIRECTIONS and len(names) > 1:
        # Callers leave “North” out as often as they say it.
        yield f"{_ADDRESS}{names[1]} {''.join(names[2:])}{number} {end}"
        if number:
            yield f"{_ADDRESS}{number} {''.join(names[1:])}{end}"


def _street(words: Sequence[str]) -> list[str]:
    # “St Croix Street” begins with a saint: only what follows the name is a kind of street.
    return [
        _STREET_WORDS.get(word, word) if place or word in _DIRECTIONS else word
        for place, word in enumerate(words)
    ]


def _as_email(text: str) -> str:
    # What cannot be printed is in no address, and some of it no database takes.
    return "".join([letter for letter in text.casefold() if letter.isprintable()]).replace(" ", "")


@dataclass(frozen=True)
class Search:
    """A search as it was read."""

    text: str
    words: tuple[str, ...]
    ranges: tuple[str, ...]
    """Prefixes, the likeliest first."""
    advice: str = ""
    others: tuple[str, ...] = ()
    """Prefixes for the same words written another way; looked in when there is room."""
    moved: tuple[str, ...] = ()
    """Prefixes for the same letters with the gaps between the words elsewhere."""
    misspelled: tuple[Misspelled, ...] = ()
    slips_after: tuple[SlipAfter, ...] = ()


@dataclass(frozen=True)
class Misspelled:
    """A way to read a search with one wrong word: the word, and what stands around it."""

    namespace: str
    word: str
    rest: str
    is_last: bool
    """Whether the wrong word may still be being typed."""
    is_tail: bool = False
    """Whether words before the wrong one were left out, so that much may fit that is not meant."""

    @property
    def may_be_begun(self) -> bool:
        """Whether longer words may be meant: the word is being typed and there is enough of it."""
        return self.is_last and len(self.word) >= FEWEST_LETTERS_TO_COMPLETE

    def lookups(self) -> set[str]:
        """Answer the beginnings, or the whole words, to look the word up by."""
        word = self.word[: HEADS[-1]] if self.may_be_begun else self.word
        return {self.namespace + one for one in neighbours_of(word)}

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
        return begins_within_a_slip(self.rest, key[len(self.prefix) :].replace(" ", ""))


def begins_within_a_slip(typed: str, text: str) -> bool:
    """Whether a text begins as typed, but for one letter wrong, missing, extra or swapped."""
    at = 0
    for one, other in zip(typed, text, strict=False):
        if one != other:
            break
        at += 1
    else:
        return len(typed) - len(text) <= 1
    after = typed[at + 1 :]
    return (
        text.startswith(after, at + 1)
        or text.startswith(after, at)
        or text.startswith(typed[at:], at + 1)
        or (
            text[at : at + 2] == typed[at + 1 : at + 2] + typed[at]
            and text.startswith(typed[at + 2 :], at + 2)
        )
    )


NOTHING_TYPED: Final = "Type a name, an account or phone number, an address, an e-mail or a meter."
NOTHING_FOUND: Final = (
    "Nobody fits. Try fewer letters, the account number, or the street the caller lives in."
)
_LABELS: Final = frozenset("account acct acc meter phone tel telephone member no nr number".split())


def read(text: str) -> Search:
    """Read what was typed into the search box into the ranges it may stand for."""
    text = text[:LONGEST_SEARCH].strip()
    words = tuple(fold(text).split())
    if not words:
        return Search(text, (), (), NOTHING_TYPED)
    said = _without_labels(text)
    digits = "".join([letter for letter in said if letter in "0123456789"])
    if digits and digits == re.sub(r"[\s().+\-/#:]", "", said):
        return _read_number(text, words, digits)
    if "@" in text:
        return _read_email(text, words)
    meter = squash(said)
    ranges = [_METER + meter] if _METER_NUMBER.fullmatch(meter) else []
    ranges += _name_ranges(words)
    ranges += _address_ranges(words)
    if len(words) == 1:
        ranges += [_EMAIL + _as_email(text), _MEMBER + words[0]]
    ranges = list(dict.fromkeys(ranges))
    others = [one for one in dict.fromkeys(_others(words)) if one not in ranges]
    moved = [*_gaps_moved(_name_words(words)), *_house_numbers_moved(words)]
    return Search(
        text,
        words,
        tuple(ranges),
        others=tuple(others),
        moved=tuple(one for one in moved if one not in ranges),
        misspelled=tuple(dict.fromkeys(_slips(words))),
        slips_after=tuple(dict.fromkeys(_slips_after(words))),
    )


def _without_labels(text: str) -> str:
    """Take off the words before a number that say what it is: “acct # 10234.01”."""
    words = text.split()
    while len(words) > 1 and fold(words[0]) in _LABELS:
        del words[0]
    return " ".join(words)


def _read_number(text: str, words: tuple[str, ...], digits: str) -> Search:
    ranges = [_ACCOUNT + digits, _METER + digits, _MEMBER + digits]
    if len(digits) >= FEWEST_LETTERS_TO_FORGIVE:
        phone = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        ranges.append(_PHONE + phone)
    ranges.append(_ADDRESS + digits)
    swapped = [
        digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        for place in range(len(digits) - 1)
        if digits[place] != digits[place + 1]
    ]
    others = [
        namespace + each
        for each in (swapped if FEWEST_DIGITS_TO_FORGIVE <= len(digits) <= 12 else ())
        for namespace in (_ACCOUNT, _METER, _PHONE)
    ]
    return Search(text, words, tuple(ranges), others=tuple(others))


def _read_email(text: str, words: tuple[str, ...]) -> Search:
    address = _as_email(text)
    slips = [SlipAfter(_EMAIL + address[:5], address[5:])] if len(address) > 6 else []
    return Search(text, words, (_EMAIL + address,), slips_after=tuple(slips))


def _name_words(words: Sequence[str]) -> list[str]:
    named = [word for word in words if word not in _SUFFIXES] or list(words)
    return [word for place, word in enumerate(named) if not place or word != "and"][:8]


def _name_ranges(words: Sequence[str]) -> Iterator[str]:
    words = _name_words(words)
    # The gap between surname and given names may be at any of the spaces, or not typed yet.
    for gap in range(len(words) - 1, 0, -1):
        yield f"{_PERSON}{''.join(words[:gap])} {''.join(words[gap:])}"
    yield _PERSON + "".join(words)
    if len(words) > 1:
        yield f"{_BUSINESS}{words[0]} {''.join(words[1:])}"
    yield _BUSINESS + "".join(words)


def _address_ranges(words: Sequence[str]) -> Iterator[str]:
    number, names, town = _address(words)
    end = f" {''.join(_street(['', *town]))}" if town else ""
    for form in dict.fromkeys((tuple(_street(names)), (*_street(names)[:-1], names[-1]))):
        if number and number == words[0]:
            yield f"{_ADDRESS}{number} {''.join(form)}"
        if form[1:] or number:
            yield f"{_ADDRESS}{form[0]} {''.join(form[1:])}{number}{end}"
        else:
            yield _ADDRESS + form[0]


def _address(words: Sequence[str]) -> tuple[str, Sequence[str], Sequence[str]]:
    """Tell house number, street and town apart; the number may be said before or after."""
    places = [place for place, word in enumerate(words) if _HOUSE_NUMBER.fullmatch(word)]
    if len(words) < 2 or not places:
        return "", words, ()
    if places[0] == 0:
        return words[0], words[1:], ()
    return words[places[-1]], words[: places[-1]], words[places[-1] + 1 :]


def _others(words: Sequence[str]) -> Iterator[str]:
    """Walk the ranges for the same words written otherwise, each with what sets it off."""
    named = _name_words(words)
    counterparts = _counterparts(named)
    if counterparts != named:
        yield from _name_ranges(counterparts)
    if len(named) > 1:
        first, last = named[0], named[-1]
        for full in _NICKNAMES.get(first, ())[:3]:
            yield f"{_PERSON}{full} {''.join(named[1:])}"
        for full in _NICKNAMES.get(last, ())[:3]:
            yield f"{_PERSON}{''.join(named[:-1])} {full}"
    if len(words) > 1 and not any(word.isdigit() for word in words):
        shorter = [word for word in named if len(word) > 2]
        if shorter and len(shorter) < len(named):
            yield f"{_PERSON}{''.join(shorter[:-1]) or shorter[0]} " + "".join(
                shorter[-1:] if shorter[1:] else []
            )
        cut = [_SUFFIX_GLUED.sub("", word) for word in named]
        if cut != named:
            yield from _name_ranges(cut)
    number, names, _ = _address(words)
    if number and len(names) > 1 and len(names[0]) == 1:
        yield f"{_ADDRESS}{names[1]} {''.join(_street(names)[2:])}{number}"


def _house_numbers_moved(words: Sequence[str]) -> Iterator[str]:
    """Walk the ranges for addresses whose first gap is in the wrong place or was not typed."""
    if not words[0][0].isdigit():
        return
    after = "".join(_street(words)[1:])
    numerals = len(words[0]) - len(words[0].lstrip("0123456789"))
    if (glued := words[0][numerals:]) in _STREET_WORDS and glued in _DIRECTIONS:
        yield f"{_ADDRESS}{words[0][:numerals]} {_STREET_WORDS[glued]}{after}"
    if len(words) == 1 and not glued:
        return
    if not glued and (parts := _WAY_GLUED.fullmatch(words[-1])):
        street = "".join((*_street(["", *words[1:-1]]), parts[1], _STREET_WORDS[parts[2]]))
        yield f"{_ADDRESS}{words[0]} {street}"
    whole = words[0] + after
    ends = (numerals, numerals - 1, numerals - 2, numerals - 3, numerals + 1)
    for end in ends if glued else (numerals - 1, numerals + 1):
        if end > 0:
            yield f"{_ADDRESS}{whole[:end]} {whole[end:]}"


_WAY_GLUED = re.compile(r"([0-9]*[a-z]{2,}?)(st|ave|rd|dr|ln|ct|cir|blvd|hwy|pl|trl|pkwy)")
_SUFFIX_GLUED = re.compile(r"(?<=[a-z]{4})(?:jr|sr|ii|iii|iv)$")


def _counterparts(words: Sequence[str]) -> list[str]:
    """Write short words out and cut long ones: St and Saint, Co and Company."""
    counterparts = [_COUNTERPARTS.get(word, word) for word in words]
    if len(words[-1]) >= 3 and counterparts[-1] == words[-1]:
        # While it is being typed, “compan” is already more than the “co” on file.
        counterparts[-1] = next(
            (short for long, short in _LONG_WORDS if long.startswith(words[-1])), words[-1]
        )
    return counterparts


def _gaps_moved(words: Sequence[str]) -> Iterator[str]:
    """Walk the ranges for names whose gap was typed a letter too early, too late or not at all."""
    whole = "".join(words)
    if not whole.isalpha() or not 5 <= len(whole) <= 30:
        return
    gaps: set[int] = set()
    if len(words) == 1:
        gaps.update(range(2, len(whole) - 1) if len(whole) >= 8 else ())
    at = 0
    for word in words:
        gaps.update((at - 1, at + 1, at + len(word) - 1, at + len(word) + 1))
        at += len(word)
        if len(words) > 1 and len(word) >= 6:
            # Two names closed up and a third one apart: “johnsmith jr”, “annmarie delong”.
            gaps.update(range(at - len(word) + 2, at - 1))
    for gap in sorted(gaps)[:_MOST_GAPS]:
        if 2 <= gap <= len(whole) - 1:
            yield f"{_PERSON}{whole[:gap]} {whole[gap:]}"


_MOST_GAPS: Final = 24


def _slips(words: Sequence[str]) -> Iterator[Misspelled]:
    """Walk the ways in which one word of the search may be wrong."""
    named = _name_words(words)[:6]
    count = len(named)
    for gap in range(count, 0, -1):
        first, rest = "".join(named[:gap]), "".join(named[gap:])
        if _may_be_wrong(first, rest):
            yield Misspelled(_PERSON, first, rest, is_last=gap == count)
    for gap in range(count - 1, 0, -1):
        last, before = "".join(named[gap:]), "".join(named[:gap])
        if _may_be_wrong(last, before):
            yield Misspelled(_PERSON, last, before, is_last=True)
        if gap < count - 1 and _may_be_wrong(named[gap], before):
            # “DeLong, Jhon R”: the slip is in the first of the given names.
            after = "".join(named[gap + 1 :])
            yield Misspelled(_PERSON, named[gap], after + before, is_last=False)
    number, names, _ = _address(words)
    for place in range(min(count, 4) if count > 2 and not number else 1):
        # What stands before the wrong word is not needed: every tail of a business is a key.
        rest = "".join(named[place + 1 :])
        if _may_be_wrong(named[place], rest) and (rest or count == 1):
            yield Misspelled(_BUSINESS, named[place], rest, count == 1, is_tail=place > 0)
    if number and _may_be_wrong(names[0], number):
        end = "".join((*_street(names)[1:], number))
        yield Misspelled(_ADDRESS, names[0], end, is_last=False)


def _may_be_wrong(word: str, rest: str) -> bool:
    """Whether enough is left of a wrong word, or stands beside it, to say what was meant."""
    return len(word) >= (FEWEST_LETTERS_TO_FORGIVE - 1 if rest else FEWEST_LETTERS_TO_FORGIVE)


def _slips_after(words: Sequence[str]) -> Iterator[SlipAfter]:
    """Walk the ways in which the beginning is right and a later word is wrong.

    A slip in the word that follows the gap is found by that word: every key stands in both orders.
    Only short words and numbers are not, and of those the first letter is taken to be right.
    """
    number, names, _ = _address(words)
    if number:
        street = _street(names)
        for form in (street, names, names[:-1]):
            if form:
                right = _right(street[0])
                yield SlipAfter(
                    f"{_ADDRESS}{number} {right}", "".join((street[0], *form[1:]))[len(right) :]
                )
        return
    named = _name_words(words)[:6]
    for gap in range(1, len(named)):
        first, rest = "".join(named[:gap]), "".join(named[gap:])
        right = _right(named[gap])
        if gap < 4 and len(rest) > len(right):
            yield SlipAfter(f"{_PERSON}{first} {right}", rest[len(right) :])
        begun = "".join(named[1:gap])
        yield SlipAfter(
            f"{_BUSINESS}{named[0]} {begun}{rest[0] if gap == 1 else ''}", rest[gap == 1 :]
        )


def _right(word: str) -> str:
    """Answer how much of a word is taken to be right when the slip is looked for after it."""
    if word[0].isdigit():
        return word[: len(word) - len(word.lstrip("0123456789"))]
    return word if len(word) >= FEWEST_LETTERS_TO_FORGIVE else word[0]
