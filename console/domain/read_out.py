"""What to say to a caller whose name was refused: each sign that matters and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from console.domain.differences import Difference
from console.domain.folding import fold
from console.domain.kinds import Kind
from console.domain.letters import is_hidden, is_space, take_apart
from console.domain.matching import Match
from console.domain.name_words import LEGAL_FORMS, SUFFIXES
from console.domain.spelling import (
    a_mark,
    accented_letters,
    has_inner_capital,
    joined,
    say_mark,
)

Range = tuple[int, int]

ACCEPTED = "The name is right just as it was typed."
ASK_WHO = "The account is in another person's name. Ask who the primary account holder is."
ASK_WHICH = (
    "The name on the account is another one. Ask who the primary account holder is, and check "
    "the account number."
)
RETYPE = (
    "Nothing that can be seen differs. Delete the whole name and type it again by hand, without "
    "pasting it."
)
OUR_FILE = (
    "Nobody can type the name as it is on our file. Please wait a moment while it is corrected, "
    "and then type the name again."
)
_LETTER_KINDS = frozenset({Kind.MISSPELLING, Kind.ACCENT, Kind.ABBREVIATION})
_GAP_KINDS = frozenset({Kind.SPACING, Kind.PUNCTUATION})
_COUNTS = {1: "a space", 2: "two spaces", 3: "three spaces"}


@dataclass
class _Speech:
    """The sentence as it grows: what to type, and what to leave out."""

    on_file: str
    parts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    capitals: str = ""
    """The spelled words whose capitals are worth naming."""
    spelled: bool = False

    def add_text(self, text: str) -> None:
        """Say some letters and signs as they stand."""
        if text.strip():
            self.parts.append(text.strip())

    def note(self, words: str) -> None:
        """Add what to mind, once."""
        if words not in self.notes:
            self.notes.append(words)


def read_out(
    typed: str,
    on_file: str,
    kinds: Sequence[Kind],
    match: Match | None,
    *,
    accepted: bool,
    exact: bool,
) -> str:
    """Say to the caller how to type the name."""
    if accepted:
        return ACCEPTED
    if Kind.OTHER_HOLDER in kinds:
        return ASK_WHO
    if Kind.DIFFERENT in kinds or match is None:
        return ASK_WHICH
    if any(is_hidden(c) and c != " " for c in on_file.strip(" ")) or _has_foreign(on_file):
        return OUR_FILE
    matters = set(kinds) if exact else set(kinds) - {Kind.CASE}
    if matters == {Kind.HIDDEN_CHARACTER}:
        return RETYPE
    speech = _speech(typed, on_file, match, exact=exact)
    sentence = _sentence(speech, typed, on_file, match).replace("..", ".")
    if Kind.HIDDEN_CHARACTER in kinds:
        sentence += " Delete the whole name first and type it by hand, without pasting it."
    return sentence


def _has_foreign(text: str) -> bool:
    return any(letter.foreign for word in take_apart(text) for letter in word.letters)


def _sentence(speech: _Speech, typed: str, on_file: str, match: Match) -> str:
    without = _left_out(typed, match)
    name = on_file.strip(" ")
    if match.cut and match.cut[1]:
        return f"Type only the beginning of the name and stop there: {', '.join(speech.parts)}."
    if not match.differences and not match.on_file.aside and not match.cut and not without:
        return f"Type the name in this order: {name}."  # the same words, turned round
    said = ", ".join([*speech.parts, *speech.notes])
    if without:
        lead = f"Type only {said}" if not speech.spelled else f"Type it like this: {said}"
        return f"{lead}, without {without}."
    one_word = not any(is_space(c) for c in name)
    if one_word and len(speech.parts) == 1 and "no space" in speech.notes:
        return f"Type it as one word: {said}."
    return f"Type it like this: {said}."


def _left_out(typed: str, match: Match) -> str:
    """Name what the caller typed too much, with the comma or hyphen that goes with it."""
    named = []
    for start, end in _closed_up(typed, sorted(match.typed.aside)):
        before, after = typed[:start].rstrip(" "), typed[end:].lstrip(" ")
        words = typed[start:end].strip(" -/")
        mark = typed[start] if typed[start] in "-/" else ""
        mark = mark or (typed[end - 1] if typed[end - 1] in "-/" else "")
        if not mark and before[-1:] in {",", "-", "/"}:
            mark = before[-1]
        elif not mark and after[:1] in {",", "-", "/"}:
            mark = after[0]
        words = re.sub(r"^& ", "the and sign and ", words)
        named.append(f"the {say_mark(mark)} and {words}" if mark else words)
    return " and ".join(named)


def _closed_up(text: str, ranges: Sequence[Range]) -> Iterator[Range]:
    """Join ranges with nothing but signs between them."""
    open_range: Range | None = None
    for start, end in ranges:
        if open_range and not any(c.isalnum() for c in text[open_range[1] : start]):
            open_range = open_range[0], end
            continue
        if open_range:
            yield open_range
        open_range = start, end
    if open_range:
        yield open_range


def _speech(typed: str, on_file: str, match: Match, *, exact: bool) -> _Speech:
    speech = _Speech(on_file)
    end = len(on_file.rstrip(" "))
    aside = match.on_file.aside
    if match.cut and not match.cut[1]:
        aside = (*aside, (match.cut[0], end))
    begin = len(on_file) - len(on_file.lstrip(" "))
    pieces: list[tuple[str, str | None]] = []
    place = begin
    for start, stop in _runs(on_file):
        pieces.append(
            (on_file[place:start], _say_gap(typed, on_file, match, (place, start), aside, speech))
        )
        run_words = _say_run(typed, on_file, match, (start, stop), aside, speech, exact=exact)
        pieces.append((on_file[start:stop], run_words))
        place = stop
    pieces.append(
        (on_file[place:end], _say_gap(typed, on_file, match, (place, end), aside, speech))
    )
    _join(pieces, speech)
    _name_capitals(speech, exact=exact)
    return speech


def _join(pieces: Sequence[tuple[str, str | None]], speech: _Speech) -> None:
    """Say what matters and leave the rest as it is written; gaps and runs take turns."""
    plain = ""
    for place, (text, words) in enumerate(pieces):
        is_gap = place % 2 == 0
        beside_spelled = is_gap and any(
            pieces[other][1] for other in (place - 1, place + 1) if 0 <= other < len(pieces)
        )
        # A mark would be lost beside a spelled word.
        said = _say_signs(text) if words is None and beside_spelled and text.strip() else words
        if said is None:
            plain += text
            continue
        speech.add_text(plain)
        plain = ""
        speech.parts += [said] if said else []
    speech.add_text(plain)


def _runs(text: str) -> Iterator[Range]:
    """Find the runs of letters with nothing between them."""
    start: int | None = None
    for word in take_apart(text):
        befores = (word.before, *word.gaps)[: len(word.letters)]  # a sign has no letters
        for letter, before in zip(word.letters, befores, strict=True):
            if start is not None and before.text:
                yield start, before.start
                start = None
            start = letter.start if start is None else start
        if start is not None:
            yield start, word.end
            start = None


def _say_gap(
    typed: str, on_file: str, match: Match, gap: Range, aside: Sequence[Range], speech: _Speech
) -> str | None:
    """Say what stands between two runs if it matters, or nothing."""
    text = on_file[gap[0] : gap[1]]
    if any(start == gap[1] or end == gap[0] or start < gap[1] < end for start, end in aside):
        return _say_signs(text)  # next to words that were left out altogether
    for difference in match.differences:
        start, end = difference.on_file
        if difference.kind in _GAP_KINDS and start < end and gap[0] <= start and end <= gap[1]:
            _note_missing(typed[slice(*difference.typed)], text, speech)
            return _say_signs(text)
        if difference.kind in _GAP_KINDS and start == end and not text and start in gap:
            at_an_end = gap[0] in {0, gap[1]} and (gap[1] == len(on_file) or not gap[0])
            if at_an_end:
                _note_missing(typed[slice(*difference.typed)], "", speech)
        if difference.kind is Kind.ABBREVIATION and gap[0] <= start < end <= gap[1]:
            speech.note(f"not the word {typed[slice(*difference.typed)]}")
            return a_mark(on_file[start])
    return None


def _say_signs(text: str) -> str:
    """Name the marks and spaces of a gap in their order."""
    said: list[str] = []
    for blank, group in groupby((c for c in text if is_space(c) or not is_hidden(c)), is_space):
        signs = list(group)
        if blank:
            said.append(_COUNTS.get(len(signs), f"{len(signs)} spaces"))
        else:
            said += map(a_mark, signs)
    return " and ".join(said) if len(said) <= 2 else ", ".join(said)


def _note_missing(typed_gap: str, file_gap: str, speech: _Speech) -> None:
    if any(map(is_space, typed_gap)) and not any(map(is_space, file_gap)):
        speech.note("no space")
    for mark in dict.fromkeys(typed_gap):
        if not is_space(mark) and not is_hidden(mark) and mark not in file_gap:
            speech.note(f"no {say_mark(mark)}")


def _say_run(
    typed: str,
    on_file: str,
    match: Match,
    run: Range,
    aside: Sequence[Range],
    speech: _Speech,
    *,
    exact: bool,
) -> str | None:
    """Spell a run of letters if something in it matters, or say nothing."""
    text = on_file[run[0] : run[1]]
    spelled = False
    for difference in match.differences:
        start, end = difference.on_file
        if not run[0] <= start <= end <= run[1]:
            continue
        inside = run[0] < start < run[1] if start == end else True
        if difference.kind in _GAP_KINDS and start == end and inside:
            _note_missing(typed[slice(*difference.typed)], "", speech)
            spelled = True
        elif difference.kind in _LETTER_KINDS or (exact and difference.kind is Kind.CASE):
            spelled = True
            _note_letter(typed, difference, text, speech)
    cut_short = match.cut is not None and match.cut[1] and run[1] == len(on_file.rstrip(" "))
    if cut_short and match.cut and typed[match.cut[0] : match.cut[0] + 1].isalnum():
        spelled = True  # the old system cut the name inside this word
    if any(start <= run[0] and run[1] <= end for start, end in aside) and _is_tail(text):
        spelled = True
    if not spelled:
        return None
    speech.spelled = True
    if exact or has_inner_capital(text):
        speech.capitals += text
    return joined(text)


def _is_tail(text: str) -> bool:
    """Tell Jr, LLC and their like, which are written in more than one way."""
    return fold(text) in SUFFIXES or fold(text) in LEGAL_FORMS


def _note_letter(typed: str, difference: Difference, run: str, speech: _Speech) -> None:
    if difference.kind is Kind.ABBREVIATION:
        speech.note(f"not {typed[slice(*difference.typed)]}")
    if difference.kind is Kind.ACCENT:
        accented = accented_letters(run)
        for words in accented:
            speech.note(words)
        if not accented:
            speech.note("without an accent")


def _name_capitals(speech: _Speech, *, exact: bool) -> None:
    """Name the capitals of the spelled words, before the other notes."""
    letters = [c for c in speech.capitals if c.isalpha()]
    if not letters:
        return
    if exact and len(letters) > 2 and all(c.isupper() for c in letters):
        words = ["all in capitals"]
    else:
        words = [f"capital {c}" for c in letters if c.isupper()]
        if exact and not words:
            words = ["all in small letters"]
    speech.notes[:0] = words
