"""Look up members: what was typed, and the twenty that fit it best."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import OSA

from console.domain.folding import fold, squash
from console.domain.search import NOTHING_FOUND, Of, Search, read
from console.models.base import Records
from console.models.search import Index
from console.services.desk import Desk

FIRST_PAGE = 20
_PER_RANGE = 24
_TAIL_WEIGHT = 1000
_DOUBTFUL = 4
_PER_SLIP = 300
_MOST_PREFIXES = 40
_FEW = 5
"""With fewer hits than this, slips in later words are looked for as well."""


@dataclass(frozen=True)
class Hit:
    """One member or account that fits, and why it does."""

    member_id: int
    name: str
    """As staff say it: given names, then the name on file."""
    account_number: str
    """The account that matched, or the member's first one; numerals only, empty when none."""
    printed_number: str
    service_address: str
    why: str
    """What matched: “meter”, “spelled DeLong”, “second holder Mary Ruiz”, “previous address”."""
    member_number: str = ""


@dataclass(frozen=True)
class SearchAnswer:
    """What was asked, and what was found."""

    query: str
    hits: tuple[Hit, ...]
    milliseconds: float
    advice: str = ""
    """What to try when there is nothing."""


@dataclass(frozen=True)
class _Found:
    """One member as an index key found them."""

    member_id: int
    of: Of
    key: str
    prefix: str
    """The beginning that was looked for."""
    order: tuple[int, ...]
    """Smaller comes first."""


_Finds = dict[int, _Found]


def find(desk: Desk, query: str, limit: int = FIRST_PAGE) -> SearchAnswer:
    """Find the members that fit what was typed, best first."""
    return find_in(desk.records, query, limit)


def find_in(records: Records, query: str, limit: int = FIRST_PAGE) -> SearchAnswer:
    """Find members for somebody who has a database and no desk."""
    began = time.perf_counter()
    search = read(query)
    hits: tuple[Hit, ...] = ()
    if search.ranges:
        with records.glance() as connection:
            hits = _hits(Index(connection), search, max(1, min(limit, FIRST_PAGE)))
    took = (time.perf_counter() - began) * 1000
    advice = search.advice or ("" if hits else NOTHING_FOUND)
    return SearchAnswer(search.text, hits, round(took, 3), advice)


def warm(desk: Desk) -> None:
    """Look a few things up, so that the day's first caller does not wait for cold pages."""
    for query in _WARMING:
        find_in(desk.records, query)


_WARMING = (*"abcdefghijklmnoprstw123456789", "smiht", "12 oak", "jo smth")


def _hits(index: Index, search: Search, limit: int) -> tuple[Hit, ...]:
    found: _Finds = {}
    limits = [_PER_RANGE] * len(search.ranges)
    for place, key, member_id, of in index.scan(search.ranges, limits):
        prefix = search.ranges[place]
        exact = len(key) == len(prefix) or key[len(prefix)] == " " or key.rstrip() == prefix
        _keep(found, _Found(member_id, Of(of), key, prefix, (0 if exact else 1, of, place)))
    if len(found) < limit:
        _forgive(index, search, found, limit)
        if sum(one.order[0] < _DOUBTFUL for one in found.values()) < _FEW:
            _forgive_later_words(index, search, found)
    best = sorted(found.values(), key=lambda one: (one.order, one.key, one.member_id))[:limit]
    return _shown(index, search, best)[:limit]


def _keep(found: _Finds, one: _Found) -> None:
    held = found.get(one.member_id)
    if held is None or one.order < held.order:
        found[one.member_id] = one


def _forgive(index: Index, search: Search, found: _Finds, limit: int) -> None:
    """Look again for the same words written otherwise, and for what one slip would explain."""
    meant, whole = _meant(index, search)
    prefixes = sorted(meant, key=lambda prefix: (meant[prefix], prefix))[:_MOST_PREFIXES]
    if not prefixes:
        return
    share = max(3, 2 * limit // len(prefixes))
    limits = [_PER_RANGE if prefix in whole else share for prefix in prefixes]
    rows = index.scan(prefixes, limits)
    # Each neighbouring spelling gets a share, or the commonest would fill the page alone.
    fair = max(2, limit // max(1, len({row[0] for row in rows})))
    turns: dict[int, int] = defaultdict(int)
    for place, key, member_id, of in rows:
        turns[place] += 1
        prefix = prefixes[place]
        weight = meant[prefix]
        tier = _DOUBTFUL if weight >= _TAIL_WEIGHT else 2
        order = (tier, turns[place] > fair, weight, of)
        _keep(found, _Found(member_id, Of(of), key, prefix, order))


def _meant(index: Index, search: Search) -> tuple[dict[str, int], set[str]]:
    """Answer what may have been meant, the likeliest lightest, and what was meant to the end."""
    meant = {prefix: 110 + place for place, prefix in enumerate(search.moved)}
    meant |= {prefix: place for place, prefix in enumerate(search.others)}
    whole = set(meant)
    near: dict[str, list[str]] = defaultdict(list)
    if search.misspelled:
        for word in index.words_near(search.misspelled):
            near[word[0]].append(word[1:])
    for place, slip in enumerate(search.misspelled):
        for word, off in slip.meant(near[slip.namespace]):
            prefix = slip.prefix_with(word)
            # Of the first letter people are the surest.
            weight = off * 100 + 2 * place + 12 * (word[0] != slip.word[0])
            weight += _TAIL_WEIGHT * slip.is_tail
            meant[prefix] = min(weight, meant.get(prefix, weight))
            if off == 1 and slip.rest:
                whole.add(prefix)
    return meant, whole


def _forgive_later_words(index: Index, search: Search, found: _Finds) -> None:
    """Look for a slip in what follows a beginning that is right."""
    if not search.slips_after:
        return
    afters = search.slips_after
    prefixes = [one.prefix for one in afters]
    for place, key, member_id, of in index.scan(prefixes, [_PER_SLIP] * len(afters)):
        if afters[place].fits(key):
            _keep(found, _Found(member_id, Of(of), key, prefixes[place], (3, place, of)))


def _shown(index: Index, search: Search, best: list[_Found]) -> tuple[Hit, ...]:
    if not best:
        return ()
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in index.members([one.member_id for one in best]):
        rows[row[0]].append(row)
    others: dict[int, list[Any]] = defaultdict(list)
    asked = [
        one.member_id for one in best if one.of in (Of.HOLDER, Of.FORMER_NAME, Of.FORMER_ADDRESS)
    ]
    if asked:
        for row in index.others(asked):
            others[row[1]].append(row)
    return tuple(
        _hit(search, one, row, others[one.member_id])
        for one in best
        for row in _accounts_meant(one, rows[one.member_id])
    )


def _accounts_meant(one: _Found, rows: list[Any]) -> list[Any]:
    """Pick the accounts to show: each that was asked for by number, else the one that fits."""
    rows.sort(key=lambda row: (row[9] is not None, row[4] or ""))
    typed = one.prefix[1:]
    if one.of is Of.ACCOUNT:
        return [row for row in rows if (row[4] or "").startswith(typed)]
    if one.of is Of.METER:
        return [row for row in rows if typed in squash(row[6] or "")]
    if one.of is Of.ADDRESS:
        return [max(rows, key=lambda row: _likeness(one, row))] if rows else []
    return rows[:1]


def _hit(search: Search, one: _Found, row: Any, others: list[Any]) -> Hit:
    _, number, name, given, account, printed, _meter, line, city, _closed = row
    return Hit(
        member_id=one.member_id,
        name=f"{given} {name}".strip(),
        account_number=account or "",
        printed_number=printed or "",
        service_address=", ".join(part for part in (line, city) if part),
        why=_why(search, one, row, others),
        member_number=number,
    )


def _likeness(one: _Found, row: Any) -> int:
    """Tell how well the service address of an account explains the key that found it."""
    words = fold(row[7] or "").split()
    return sum(word in one.key for word in words) - len(words)


def _why(search: Search, one: _Found, row: Any, others: list[Any]) -> str:
    _, _number, name, given, account, printed, meter, line, _city, _closed = row
    if one.of in (Of.NAME, Of.BUSINESS):
        return _why_name(search, one, name, given)
    if one.of is Of.ACCOUNT:
        return f"account {printed or account}"
    if one.of is Of.METER:
        return f"meter {meter}"
    if one.of is Of.PHONE:
        return "phone"
    if one.of is Of.EMAIL:
        return "e-mail"
    if one.of is Of.MEMBER_NUMBER:
        return "member number"
    if one.of is Of.ADDRESS:
        return "service address" if _likeness(one, row) >= -1 and line else "mailing address"
    rest = [(other[2], other[3]) for other in others if other[0] == int(one.of)]
    if one.of is Of.HOLDER:
        named = [f"{each[1]} {each[0]}".strip() for each in rest]
        return f"second holder {_closest(search, named)}"
    if one.of is Of.FORMER_NAME:
        return f"formerly {_closest(search, [each[0] for each in rest])}"
    return f"previous address {_closest(search, [each[0] for each in rest])}"


def _why_name(search: Search, one: _Found, name: str, given: str) -> str:
    kind = "business name" if one.of is Of.BUSINESS else "name"
    if one.order[0] >= 2:
        return f"spelled {name}" if not _says(search.words, name) else f"spelled {given} {name}"
    filed = fold(name)
    typed = " ".join(search.words)
    if filed in typed or typed in filed or typed.split(" ")[0] in fold(given).split():
        return kind
    # The folded words are there but cut otherwise: De Long for DeLong.
    return f"spelled {name}" if squash(name) in "".join(search.words) else kind


def _says(words: tuple[str, ...], name: str) -> bool:
    return squash(name) in "".join(words)


def _closest(search: Search, texts: list[str]) -> str:
    typed = "".join(search.words)
    return min(texts, key=lambda each: OSA.distance(typed, squash(each)), default="").strip()
