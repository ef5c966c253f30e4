"""A name taken apart into letters, gaps and words, each knowing where in the text it stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from console.domain.folding import LOOK_ALIKES, plain

_UMLAUTS: Final = {
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "Ä": "ae",
    "Ö": "oe",
    "Ü": "ue",
    "å": "aa",
    "Å": "aa",
}
_HYPHENS: Final = frozenset("-‐‑–—/")
_ANDS: Final = frozenset("&+")
_HIDDEN_LETTERS: Final = frozenset("ㅤᅟᅠﾠ⠀")
"""Characters that count as letters or symbols and yet print nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter or digit, with what was taken off it to make it plain."""

    key: str
    upper: bool
    accent: str
    foreign: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between two letters."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next letter begins."""
        return self.start + len(self.text)

    @property
    def marks(self) -> str:
        """The visible marks in the gap."""
        return "".join(c for c in self.text if not is_space(c) and not is_hidden(c))

    @property
    def spaces(self) -> int:
        """How many blanks the eye sees, whatever they are made of."""
        return sum(is_space(c) for c in self.text)

    @property
    def hidden(self) -> str:
        """The characters in the gap that look like nothing, or like a space, and are not one."""
        return "".join(c for c in self.text if is_hidden(c))


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters without a blank in it, or an and sign."""

    letters: tuple[Letter, ...]
    gaps: tuple[Gap, ...]
    """The gaps before each letter but the first."""
    before: Gap
    after: Gap
    key: str
    is_sign: bool = False
    """An and sign, which has no letters."""

    @property
    def start(self) -> int:
        """Where the word begins in the text."""
        return self.before.end

    @property
    def end(self) -> int:
        """Where the word ends in the text."""
        return self.after.start

    @property
    def comma_after(self) -> bool:
        """Whether a comma follows."""
        return "," in self.after.text

    def pieces(self) -> list[Word]:
        """Cut the word at hyphens, slashes and apostrophes."""
        found: list[Word] = []
        begin = 0
        before = self.before
        for index, gap in enumerate(self.gaps, start=1):
            if gap.marks.strip("."):
                found.append(self._cut(begin, index, before, gap))
                begin, before = index, gap
        found.append(self._cut(begin, len(self.letters), before, self.after))
        return found

    def halves(self) -> list[Word]:
        """Cut the word at hyphens and slashes alone."""
        if self.is_sign or not any(set(gap.marks) & _HYPHENS for gap in self.gaps):
            return [self]
        return self.pieces()

    def _cut(self, begin: int, end: int, before: Gap, after: Gap) -> Word:
        letters = self.letters[begin:end]
        return Word(
            letters, self.gaps[begin : end - 1], before, after, "".join(x.key for x in letters)
        )


def is_space(character: str) -> bool:
    """Tell whether the eye sees a blank."""
    return (
        character == " " or unicodedata.category(character)[0] == "Z" or character in "\t\r\n\v\f"
    )


def is_hidden(character: str) -> bool:
    """Tell whether the eye cannot tell the character from nothing or from a space."""
    if character == " ":
        return False
    category = unicodedata.category(character)
    return category[0] in "ZMC" or character in _HIDDEN_LETTERS


def take_apart(text: str, *, umlauts: bool = False) -> list[Word]:
    """Cut a text into words; with umlauts, read ä as ae as Germans do."""
    letters, gaps = _letters_and_gaps(text, umlauts=umlauts)
    words: list[Word] = []
    begin = 0
    before = gaps[0]
    for index in range(1, len(letters) + 1):
        gap = gaps[index]
        if index < len(letters) and not _parts_words(gap.text):
            continue
        words.append(_word(letters[begin:index], gaps[begin + 1 : index], before, gap))
        signs = [place for place, c in enumerate(gap.text) if c in _ANDS]
        if signs and index < len(letters):
            words[-1], sign, before = _around_sign(words[-1], gap, signs[0])
            words.append(sign)
        else:
            before = gap
        begin = index
    return words


def _word(letters: Sequence[Letter], gaps: Sequence[Gap], before: Gap, after: Gap) -> Word:
    return Word(tuple(letters), tuple(gaps), before, after, "".join(x.key for x in letters))


def _around_sign(word: Word, gap: Gap, place: int) -> tuple[Word, Word, Gap]:
    left = Gap(gap.text[:place], gap.start)
    right = Gap(gap.text[place + 1 :], gap.start + place + 1)
    return (
        replace(word, after=left),
        Word((), (), left, right, gap.text[place], is_sign=True),
        right,
    )


def _parts_words(gap: str) -> bool:
    return any(is_space(c) or c in ",;&+" for c in gap)


def _letters_and_gaps(text: str, *, umlauts: bool) -> tuple[list[Letter], list[Gap]]:
    letters: list[Letter] = []
    gaps: list[Gap] = []
    gap_start = place = 0
    while place < len(text):
        end = place + 1
        while end < len(text) and unicodedata.category(text[end]) == "Mn":
            end += 1
        found = _read_letter(text[place:end], place, end, umlauts=umlauts)
        if found:
            gaps.append(Gap(text[gap_start:place], gap_start))
            gaps += [Gap("", end)] * (len(found) - 1)
            letters += found
            gap_start = end
        place = end
    gaps.append(Gap(text[gap_start:], gap_start))
    return letters, gaps


def _read_letter(cluster: str, start: int, end: int, *, umlauts: bool) -> list[Letter]:
    first = cluster[0]
    if first.isascii():
        if not first.isalnum():
            return []
        accent = cluster[1:]
        return [Letter(first.lower(), first.isupper(), accent, False, start, end)]
    if first in _HIDDEN_LETTERS:
        return []
    keys = plain(first).replace(" ", "")
    composed = unicodedata.normalize("NFC", cluster)
    if umlauts and composed in _UMLAUTS:
        keys = _UMLAUTS[composed]
    parts = unicodedata.normalize("NFD", cluster)
    accent = parts[1:]
    foreign = parts[0] in LOOK_ALIKES or (unicodedata.normalize("NFKD", parts[0]) != parts[0])
    if not foreign and not accent and not parts[0].isascii() and keys.isascii():
        accent = parts[0].lower()  # ø, ł, æ: the stroke is part of the letter
    return [Letter(key, first.isupper(), accent, foreign, start, end) for key in keys]
