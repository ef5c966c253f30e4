"""Whether the portal takes a name as typed, and if not, what differs and what to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from console.domain.differences import mark_alike
from console.domain.kinds import ANOTHER_NAME, Kind, in_order
from console.domain.letters import take_apart
from console.domain.matching import SURE, Match, best_match
from console.domain.read_out import Range, read_out
from console.domain.readings import is_business
from console.domain.reasons import marks, reasons_for

__all__ = ["Explanation", "Kind", "MatchRule", "accepts", "explain"]

_LONGEST = 160
"""Names are far shorter; what is longer was pasted by mistake and is compared by its beginning."""


class MatchRule(StrEnum):
    """How strictly the portal compares names; each co-op sets what its portal does."""

    EXACT = "exact"
    IGNORE_CASE = "ignore_case"
    IGNORE_SPACES = "ignore_spaces"

    @property
    def words(self) -> str:
        """Say it as staff would."""
        return _RULE_WORDS[self]


_RULE_WORDS = {
    MatchRule.EXACT: "Letter for letter, capitals too",
    MatchRule.IGNORE_CASE: "Letter for letter, capitals do not matter",
    MatchRule.IGNORE_SPACES: "Letter for letter, capitals and spaces do not matter",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands between a typed name and the name on file."""

    typed: str
    on_file: str
    accepted: bool
    kinds: tuple[Kind, ...]
    same_name: bool
    say: str
    """The sentence to read out to the caller."""
    reasons: tuple[str, ...]
    """One sentence for the representative about each kind."""
    typed_marks: tuple[Range, ...]
    on_file_marks: tuple[Range, ...]


def accepts(typed: str, on_file: str, rule: MatchRule = MatchRule.IGNORE_CASE) -> bool:
    """Tell whether the portal takes the name: it trims spaces at the ends and forgives no more."""
    return _as_compared(typed, rule) == _as_compared(on_file, rule)


def _as_compared(name: str, rule: MatchRule) -> str:
    trimmed = name.strip(" ")
    if rule is MatchRule.EXACT:
        return trimmed
    if rule is MatchRule.IGNORE_SPACES:
        trimmed = trimmed.replace(" ", "")
    return trimmed.lower()


def explain(
    typed: str,
    on_file: str,
    *,
    second_holder: str = "",
    rule: MatchRule = MatchRule.IGNORE_CASE,
    cut_at: int = 20,
) -> Explanation:
    """Say which kinds of difference there are, whether it is one name, and what to read out."""
    accepted = accepts(typed, on_file, rule)
    mine, theirs = typed[:_LONGEST], on_file[:_LONGEST]
    match: Match | None
    kinds: tuple[Kind, ...]
    if accepts(typed, on_file, MatchRule.IGNORE_CASE):
        kinds = () if accepts(typed, on_file, MatchRule.EXACT) else (Kind.CASE,)
        match = best_match(mine, theirs, 0) if kinds else None
    else:
        match = _match(typed, on_file, cut_at)
        kinds = _kinds(match, _match_price(typed, second_holder))
        if ANOTHER_NAME & set(kinds):
            match = None
    typed_marks, on_file_marks = _marks(mine, theirs, kinds, match)
    return Explanation(
        typed,
        on_file,
        accepted,
        kinds,
        not ANOTHER_NAME & set(kinds),
        read_out(
            mine,
            theirs,
            kinds,
            _what_matters(match, rule),
            accepted=accepted,
            exact=rule is MatchRule.EXACT,
        ),
        reasons_for(mine, theirs, kinds, match, exact=rule is MatchRule.EXACT),
        typed_marks,
        on_file_marks,
    )


def _marks(
    typed: str, on_file: str, kinds: tuple[Kind, ...], match: Match | None
) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Mark what differs; in another's name too, where the two are alike, only the letters."""
    alike = None
    if match is None and kinds:
        alike = mark_alike(take_apart(typed), take_apart(on_file))
    return marks(typed, on_file, kinds, match) if alike is None else alike


def _what_matters(match: Match | None, rule: MatchRule) -> Match | None:
    """Forget the spaces at a portal that does not mind them."""
    if match is None or rule is not MatchRule.IGNORE_SPACES:
        return match
    kept = tuple(d for d in match.differences if d.kind is not Kind.SPACING)
    return replace(match, differences=kept)


def _match(typed: str, on_file: str, cut_at: int) -> Match | None:
    if len(typed) > _LONGEST and len(on_file) > _LONGEST:
        return None
    match = best_match(typed[:_LONGEST], on_file[:_LONGEST], cut_at)
    cut_short = len(typed) > _LONGEST or len(on_file) > _LONGEST
    if match and cut_short and Kind.TRUNCATED not in match.kinds:
        return None  # what was not looked at differs too
    return match


def _match_price(typed: str, holder: str) -> float | None:
    if not holder.strip():
        return None
    match = _match(typed, holder, 0)
    return match.price if match else None


def _kinds(match: Match | None, holder_price: float | None) -> tuple[Kind, ...]:
    # What differs only in details is the primary holder's own name, whoever else shares it.
    primary = match.price if match else None
    if holder_price is not None and (primary is None or (holder_price < primary and primary > 1.4)):
        return (Kind.OTHER_HOLDER,)
    if match is None:
        return (Kind.DIFFERENT,)
    if match.kinds <= {Kind.CASE}:
        # The same letters are stored in two ways, and the portal compares what is stored.
        return in_order(match.kinds | {Kind.HIDDEN_CHARACTER})
    return in_order(match.kinds)


def explain_among(
    typed: str,
    on_file: str,
    second_holders: Iterable[str],
    *,
    rule: MatchRule = MatchRule.IGNORE_CASE,
    cut_at: int = 20,
) -> Explanation:
    """Explain a name when several people besides the primary holder are on the account."""
    plain = explain(typed, on_file, rule=rule, cut_at=cut_at)
    if not plain.kinds or Kind.COUPLE in plain.kinds:
        # A couple on file share their last name: whoever typed it typed the primary holder's.
        return plain
    for holder in second_holders:
        against = explain(typed, on_file, second_holder=holder, rule=rule, cut_at=cut_at)
        if Kind.OTHER_HOLDER in against.kinds:
            return against
    return plain


def looks_like_another_person(before: str, after: str, cut_at: int = 20) -> bool:
    """Tell whether a corrected name would be another person's, not another spelling."""
    if accepts(after, before):
        return False
    match = _match(after, before, cut_at)
    if match is None or match.price > _SPELLING_FIX:
        return True
    # From a person to a business, or back, is a change of holder even when the name stays.
    return Kind.PART in match.kinds and is_business(before) != is_business(after)


_SPELLING_FIX = SURE + 1
"""Two wrong letters, or whole words that staff know how to read; more is somebody else's name."""
