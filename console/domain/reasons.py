"""What to tell the representative about each kind of difference, in one sentence each."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from console.domain.kinds import Kind
from console.domain.letters import is_hidden, is_space
from console.domain.matching import Match
from console.domain.spelling import a_mark, accented_letters, say_mark

Range = tuple[int, int]


def marks(
    typed: str, on_file: str, kinds: Sequence[Kind], match: Match | None
) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Find the character ranges that differ, for a screen that shows both spellings."""
    if not kinds:
        return (), ()
    if match is None:
        return _whole(typed), _whole(on_file)
    narrow = [
        _narrow(typed, on_file, d.typed, d.on_file)
        if d.kind in {Kind.SPACING, Kind.PUNCTUATION}
        else (d.typed, d.on_file)
        for d in match.differences
    ]
    mine = [pair[0] for pair in narrow] + list(match.typed.aside)
    theirs = [pair[1] for pair in narrow] + list(match.on_file.aside)
    if match.cut:
        begin, on_file_is_short = match.cut
        if on_file_is_short:
            mine.append((begin, len(typed)))
        else:
            theirs.append((begin, len(on_file)))
    if not any(start < end for start, end in mine + theirs):
        return _whole(typed), _whole(on_file)  # the same words in another order
    return _merge(mine), _merge(theirs)


def _narrow(typed: str, on_file: str, mine: Range, theirs: Range) -> tuple[Range, Range]:
    """Leave out what is equal at the beginning and at the end of two ranges."""
    (a, b), (c, d) = mine, theirs
    while a < b and c < d and typed[a] == on_file[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and typed[b - 1] == on_file[d - 1]:
        b, d = b - 1, d - 1
    return (a, b), (c, d)


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
    typed: str, on_file: str, kinds: Sequence[Kind], match: Match | None, *, exact: bool
) -> tuple[str, ...]:
    """Give the representative one sentence for each kind of difference."""
    name = on_file.strip(" ")
    if not exact and tuple(kinds) == (Kind.CASE,):
        return ("Only the capitals differ, and the portal does not mind capitals.",)
    said = (
        "The capitals differ as well; the portal does not mind them."
        if kind is Kind.CASE and not exact
        else _SENTENCES[kind](typed, name, on_file, match)
        for kind in kinds
    )
    return tuple(sentence.replace("..", ".") for sentence in said)


def _pairs(kind: Kind, typed: str, on_file: str, match: Match | None) -> list[tuple[str, str]]:
    """Find what stands on either side wherever this kind of difference is."""
    found = match.differences if match else ()
    return [(typed[slice(*d.typed)], on_file[slice(*d.on_file)]) for d in found if d.kind is kind]


def _aside(text: str, ranges: Sequence[Range]) -> str:
    if not ranges:
        return ""
    return text[min(start for start, _ in ranges) : max(end for _, end in ranges)].strip(" -/,'’")


def _case(typed: str, name: str, on_file: str, match: Match | None) -> str:
    return f"The capitals differ: the file has {name}."


def _spacing(typed: str, name: str, on_file: str, match: Match | None) -> str:
    for mine, theirs in _pairs(Kind.SPACING, typed, on_file, match):
        there, here = sum(map(is_space, theirs)), sum(map(is_space, mine))
        if not there:
            word = f"{name} is one word" if not any(map(is_space, name)) else f"it is {name}"
            return f"The file has no space: {word}."
        if _visible(theirs) or _visible(mine):
            break
        if there > 1:
            return f"The file has {there} spaces in a row, which nobody can see: correct the file."
        if here > 1:
            return f"The name was typed with {here} spaces in a row; the file has one."
    else:
        words = len(name.split())
        return f"The file has a space: {name} is {_NUMBERS.get(words, str(words))} words."
    return f"The spaces stand in other places: the file has {name}."


_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


def _punctuation(typed: str, name: str, on_file: str, match: Match | None) -> str:
    for mine, theirs in _pairs(Kind.PUNCTUATION, typed, on_file, match):
        here, there = _visible(mine), _visible(theirs)
        if there and here:
            return f"The file has {a_mark(there[0])} where {a_mark(here[0])} was typed: {name}."
        if there:
            return f"The file has {a_mark(there[0])}: {name}."
        if here:
            return f"The file has no {say_mark(here[0])}: {name}."
    return f"The marks differ: the file has {name}."


def _visible(text: str) -> str:
    return "".join(c for c in text if not is_space(c) and not is_hidden(c))


def _accent(typed: str, name: str, on_file: str, match: Match | None) -> str:
    accents = accented_letters(name)
    if accents:
        return f"The file has {', '.join(dict.fromkeys(accents))}: {name}."
    return f"The file has no accent: {name}."


def _abbreviation(typed: str, name: str, on_file: str, match: Match | None) -> str:
    for mine, theirs in _pairs(Kind.ABBREVIATION, typed, on_file, match):
        return f"The file has {theirs} where {mine} was typed."
    return f"One side is abbreviated: the file has {name}."


def _extra(what: str) -> Callable[[str, str, str, Match | None], str]:
    def sentence(typed: str, name: str, on_file: str, match: Match | None) -> str:
        theirs = _aside(on_file, match.on_file.aside) if match else ""
        mine = _aside(typed, match.typed.aside) if match else ""
        if theirs and mine:
            return f"The file has {theirs} where {mine} was typed."
        if theirs:
            return f"The file has the {what} {theirs}, which was not typed."
        return f"The file has no {what}: {mine} was typed too much."

    return sentence


def _given_name(typed: str, name: str, on_file: str, match: Match | None) -> str:
    theirs = _aside(on_file, match.on_file.aside) if match else ""
    mine = _aside(typed, match.typed.aside) if match else ""
    if theirs and mine:
        return f"The given names differ: the file has {name}."
    if theirs:
        return f"The file has the given name {theirs} with the last name."
    if mine:
        return f"The file has the last name alone: {mine} was typed too much."
    return f"The names stand in another order: the file has {name}."


def _couple(typed: str, name: str, on_file: str, match: Match | None) -> str:
    if match and match.on_file.aside:
        return f"Two people stand in one name on the file: {name}. Correct the file."
    return f"Two people were typed as one name; the file has {name}."


def _part(typed: str, name: str, on_file: str, match: Match | None) -> str:
    if match and match.on_file.aside:
        left_out = _aside(on_file, match.on_file.aside)
        return f"Only a part was typed: the file has {name}, with {left_out}."
    if match and match.typed.aside:
        return f"The file has only a part of the name: {name}."
    return f"The parts of the name stand in another order: the file has {name}."


def _misspelling(typed: str, name: str, on_file: str, match: Match | None) -> str:
    return f"Letters differ: the file has {name}. Ask how the name is spelled."


def _truncated(typed: str, name: str, on_file: str, match: Match | None) -> str:
    if match and match.cut and not match.cut[1]:
        return f"The typed name stops short: the file has {name}."
    return (
        f"The old system cut the name off after {len(name)} characters: {name}. Read it out as it "
        "is, or correct the file."
    )


def _hidden(typed: str, name: str, on_file: str, match: Match | None) -> str:
    theirs, mine = what_is_hidden(name), what_is_hidden(typed.strip(" "))
    if theirs:
        return f"The file has {theirs}, which cannot be seen: correct the file."
    if mine:
        return f"The name was typed with {mine}, which cannot be seen; it was probably pasted."
    return "The same letters are stored in another way, which cannot be seen: correct the file."


def what_is_hidden(text: str) -> str:
    """Name the first character that looks like nothing or like another one, if there is any."""
    for character in text:
        if character != " " and is_hidden(character) and unicodedata.category(character) != "Mn":
            name = unicodedata.name(character, "a control character").lower()
            return name if name.startswith("a ") else f"a {name}"
        if character.isalpha() and unicodedata.name(character, "").startswith(
            ("CYRILLIC", "GREEK", "FULLWIDTH", "MATHEMATICAL")
        ):
            alphabet = unicodedata.name(character).split()[0].capitalize()
            return f"a {alphabet} letter that looks like another one"
    return ""


def _other_holder(typed: str, name: str, on_file: str, match: Match | None) -> str:
    return (
        "The name typed is the second holder's; the portal compares with the primary account "
        "holder's."
    )


def _different(typed: str, name: str, on_file: str, match: Match | None) -> str:
    return (
        "This is another name, not another spelling. Check the account number and who is calling "
        "before you say anything about the account."
    )


_SENTENCES: dict[Kind, Callable[[str, str, str, Match | None], str]] = {
    Kind.CASE: _case,
    Kind.SPACING: _spacing,
    Kind.PUNCTUATION: _punctuation,
    Kind.ACCENT: _accent,
    Kind.SUFFIX: _extra("suffix"),
    Kind.ABBREVIATION: _abbreviation,
    Kind.LEGAL_FORM: _extra("legal form"),
    Kind.ARTICLE: _extra("article"),
    Kind.GIVEN_NAME: _given_name,
    Kind.COUPLE: _couple,
    Kind.PART: _part,
    Kind.MISSPELLING: _misspelling,
    Kind.TRUNCATED: _truncated,
    Kind.HIDDEN_CHARACTER: _hidden,
    Kind.OTHER_HOLDER: _other_holder,
    Kind.DIFFERENT: _different,
}
