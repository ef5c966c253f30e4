"""How a name or a number is said on the phone, letter by letter."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Final

from console.domain.letters import is_hidden, is_space

_MARKS: Final = {
    "'": "apostrophe", "’": "curly apostrophe", "‘": "curly apostrophe",
    "`": "backtick", "-": "hyphen", "–": "long dash", "—": "long dash", "‐": "special hyphen",
    "‑": "special hyphen", ".": "period", ",": "comma", "&": "and sign", "+": "plus sign",
    "/": "slash", "\\": "backslash", "#": "number sign", "@": "at sign", "(": "opening bracket",
    ")": "closing bracket", ":": "colon", ";": "semicolon", "!": "exclamation mark",
    "?": "question mark", '"': "quotation mark", "*": "star", "_": "underscore",
    "%": "percent sign", "$": "dollar sign", "ʼ": "special apostrophe", "´": "accent mark",
}  # fmt: skip
_ACCENTS: Final = {
    "\u0300": "a grave accent", "\u0301": "an acute accent", "\u0302": "a circumflex",
    "\u0303": "a tilde", "\u0304": "a long mark", "\u0306": "a breve", "\u0307": "a dot above",
    "\u0308": "two dots", "\u030a": "a ring", "\u030b": "two acute accents", "\u030c": "a caron",
    "\u0323": "a dot below", "\u0327": "a cedilla", "\u0328": "a hook below",
}  # fmt: skip
_WHOLE: Final = {
    "ø": "o with a stroke", "ł": "l with a stroke", "đ": "d with a stroke",
    "ß": "the German sharp s", "æ": "a and e in one letter", "œ": "o and e in one letter",
    "ð": "the letter eth",
    "þ": "the letter thorn", "ı": "i without a dot", "ħ": "h with a stroke",
}  # fmt: skip
_ALPHABET: Final = {
    word[0].lower(): word
    for word in (
        "Adam", "Boy", "Charles", "David", "Edward", "Frank", "George", "Henry", "Ida", "John",
        "King", "Lincoln", "Mary", "Nora", "Ocean", "Paul", "Queen", "Robert", "Sam", "Tom",
        "Union", "Victor", "William", "X-ray", "Young", "Zebra",
    )
}  # fmt: skip


def spell(name: str) -> str:
    """Spell a name letter by letter, with its capitals, spaces and marks named."""
    return ", ".join([*(say_letter(c) for c in _clusters(name)), *_closing(name)])


def spell_with_alphabet(name: str) -> str:
    """Spell a name with a word for each letter."""
    said = []
    for cluster in _clusters(name):
        word = _ALPHABET.get(unicodedata.normalize("NFD", cluster)[0].lower())
        said.append(f"{say_letter(cluster)} as in {word}" if word else say_letter(cluster))
    return ", ".join([*said, *_closing(name)])


def say_digits(number: str) -> str:
    """Say a number digit by digit."""
    return "-".join(number)


def say_letter(cluster: str) -> str:
    """Name one letter with its accent, one mark or one space."""
    if cluster[0] == " ":
        return "space"
    if is_hidden(cluster[0]):
        return "a character that cannot be seen"
    if not cluster[0].isalnum():
        return say_mark(cluster[0])
    small = f"{'capital ' if cluster[0].isupper() else ''}"
    parts = unicodedata.normalize("NFD", cluster)
    if parts[0].lower() in _WHOLE:
        return small + _WHOLE[parts[0].lower()]
    letter = parts[0] if small else parts[0].lower()
    accents = [_ACCENTS.get(mark, "an accent") for mark in parts[1:]]
    return f"{small}{letter}{' with ' if accents else ''}{' and '.join(accents)}"


def say_mark(mark: str) -> str:
    """Name a mark."""
    if mark in _MARKS:
        return _MARKS[mark]
    return unicodedata.name(mark, "a mark without a name").lower()


def a_mark(mark: str) -> str:
    """Name a mark with its article."""
    words = say_mark(mark)
    if mark in "&+@":
        return f"the {words}"
    return words if words.startswith("a ") else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def joined(name: str) -> str:
    """Write a word letter by letter with hyphens, as it is read out in a sentence."""
    return "-".join(_clusters(name))


def accented_letters(name: str) -> list[str]:
    """Name the letters that carry an accent."""
    return [
        say_letter(c).removeprefix("capital ")
        for c in _clusters(name)
        if c[0].isalpha() and not unicodedata.normalize("NFC", c).isascii()
    ]


def has_inner_capital(word: str) -> bool:
    """Tell whether a capital follows a small letter, which nobody hears."""
    return any(a.islower() and b.isupper() for a, b in pairwise(word))


def _closing(name: str) -> list[str]:
    # A capital in the middle sounds like a new word, so the missing space is said.
    inner = any(has_inner_capital(word) for word in name.split())
    return ["no space"] if inner and not any(is_space(c) for c in name) else []


def _clusters(name: str) -> list[str]:
    """Cut a text into letters that keep their accents."""
    found: list[str] = []
    for character in name:
        if found and unicodedata.category(character) == "Mn" and found[-1][0].isalpha():
            found[-1] += character
        else:
            found.append(character)
    return found
