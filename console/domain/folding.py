"""How two spellings are brought to one form before they are compared or looked up."""

from __future__ import annotations

import unicodedata
from typing import Final

APOSTROPHES: Final = frozenset("'’‘`´ʼʻʹ′‛＇ˈˊˋꞌꞋ")
_JOINS: Final = APOSTROPHES | frozenset(".·")

_LETTERS_WITHOUT_PARTS: Final = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i",
    "ŋ": "n", "ŧ": "t", "ß": "ss", "ƒ": "f",
}  # fmt: skip

_CYRILLIC: Final = dict(
    zip(
        "аАвВеЕкКмМнНоОрРсСтТуУхХіІјЈѕЅԁһҺԛԝѵѴӀӏ",
        "aabbeekkmmhhooppccttyyxxiijjssdhhqwvvll",
        strict=True,
    )
)
_GREEK: Final = dict(
    zip("αΑβΒεΕζΖηΗιΙκΚμΜνΝοΟρΡτΤυΥχΧϲϹϳ", "aabbeezznhiikkumvnooppttuyxxccj", strict=True)
)
_ODD_LATIN: Final = dict(zip("ɑɡǀ", "agl", strict=True))
LOOK_ALIKES: Final = _CYRILLIC | _GREEK | _ODD_LATIN
"""Letters of other alphabets that the eye takes for a Latin one."""


def fold(text: str) -> str:
    """Bring a text to small plain letters and digits with single spaces between the words."""
    return " ".join(text.translate(_FOLDED).split())


def squash(text: str) -> str:
    """Fold a text and close its words up."""
    return fold(text).replace(" ", "")


def plain(letter: str) -> str:
    """Return the small plain letters or digits that stand for one character, or nothing."""
    return _FOLDED[ord(letter)].strip()


class _Folded(dict[int, str]):
    """What each character becomes, worked out the first time it is met."""

    def __missing__(self, code: int) -> str:
        folded = _fold_one(chr(code))
        if len(self) < 20_000:  # all that names use; hostile text must not fill the memory
            self[code] = folded
        return folded


def _fold_one(letter: str) -> str:
    if letter in _JOINS:
        return ""
    pieces = []
    for part in unicodedata.normalize("NFKD", letter):
        if part in LOOK_ALIKES:
            pieces.append(LOOK_ALIKES[part])
            continue
        pieces += map(_keep, unicodedata.normalize("NFKD", part.casefold()))
    return "".join(pieces)


def _keep(small: str) -> str:
    small = _LETTERS_WITHOUT_PARTS.get(small) or LOOK_ALIKES.get(small, small)
    if small in _JOINS:
        return ""
    category = unicodedata.category(small[0])
    if category[0] in "LN":
        return "" if category == "Lm" else small
    if category[0] in "ZPS" or category == "Cc":
        return " "
    return ""  # marks, and characters that nobody sees


_FOLDED: Final = _Folded()
for _code in range(0x250):  # the letters of nearly every name
    _FOLDED[_code]
