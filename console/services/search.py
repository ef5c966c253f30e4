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
from console.models.search import SLOTS, Index
from console.services.desk import Desk

FIRST_PAGE = 20
_PER_RANGE = 24
_PER_SLIP = 300
_MOST_WORDS = 24


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
    order: tuple[int, ...]
    """Smaller comes first."""


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
            hits = _hits(Index(connection), search, min(limit, SLOTS))
    took = (time.perf_counter() - began) * 1000
    advice = search.advice or ("" if hits else NOTHING_FOUND)
    return SearchAnswer(search.text, hits, round(took, 3), advice)


def _hits(index: Index, search: Search, limit: int) -> tuple[Hit, ...]:
    found: dict[int, _Found] = {}
    for place, key, member_id, of in index.scan(search.ranges, _PER_RANGE):
        whole = len(key.rstrip(" ")) == len(search.ranges[place].rstrip(" "))
        exact = whole or key[len(search.ranges[place]) :][:1] == " "
        _keep(found, _Found(member_id, Of(of), key, (0 if exact else 1, of, place)))
    if len(found) < limit:
        _forgive(index, search, found, limit)
    best = sorted(found.values(), key=lambda one: (one.order, one.key, one.member_id))[:limit]
    return _shown(index, search, best)


def _keep(found: dict[int, _Found], one: _Found) -> None:
    held = found.get(one.member_id)
    if held is None or one.order < held.order:
        found[one.member_id] = one


def _forgive(index: Index, search: Search, found: dict[int, _Found], limit: int) -> None:
    """Look again for what one slip of the tongue or the finger would explain."""
    meant = _meant(index, search)
    prefixes = sorted(meant, key=lambda prefix: (meant[prefix], prefix))[:_MOST_WORDS]
    if prefixes:
        # Each neighbouring spelling gets a share, or the commonest would fill the page alone.
        fair = max(2, limit // len(prefixes))
        turns: dict[int, int] = defaultdict(int)
        for place, key, member_id, of in index.scan(prefixes, max(3, 2 * fair)):
            turns[place] += 1
            order = (2, int(turns[place] > fair), meant[prefixes[place]], of)
            _keep(found, _Found(member_id, Of(of), key, order))
    if not found and search.apart:
        for _, key, member_id, of in index.scan(search.apart, 3):
            _keep(found, _Found(member_id, Of(of), key, (3, of)))
    if not found and search.slips_after:
        afters = search.slips_after
        for place, key, member_id, of in index.scan([one.prefix for one in afters], _PER_SLIP):
            if afters[place].fits(key):
                _keep(found, _Found(member_id, Of(of), key, (3, of)))


def _meant(index: Index, search: Search) -> dict[str, int]:
    """Answer the ranges that may have been meant, with how far off each one is."""
    meant: dict[str, int] = {}
    near: dict[str, list[str]] = defaultdict(list)
    for word in index.words_near(search.misspelled):
        near[word[0]].append(word[1:])
    for place, slip in enumerate(search.misspelled):
        for word, off in slip.meant(near[slip.namespace]):
            prefix = slip.prefix_with(word)
            meant[prefix] = min(off * 100 + place, meant.get(prefix, off * 100 + place))
    return meant


def _shown(index: Index, search: Search, best: list[_Found]) -> tuple[Hit, ...]:
    if not best:
        return ()
    ids = [one.member_id for one in best]
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in index.members(ids):
        rows[row[0]].append(row)
    others: dict[int, list[Any]] = defaultdict(list)
    asked = [
        one.member_id for one in best if one.of in (Of.HOLDER, Of.FORMER_NAME, Of.FORMER_ADDRESS)
    ]
    if asked:
        for row in index.others(asked):
            others[row[1]].append(row)
    return tuple(
        _hit(search, one, rows[one.member_id], others[one.member_id])
        for one in best
        if rows[one.member_id]
    )


def _hit(search: Search, one: _Found, rows: list[Any], others: list[Any]) -> Hit:
    rows.sort(key=lambda row: (row[10] is not None, row[5] or ""))
    row = rows[0]
    if one.of in (Of.ACCOUNT, Of.METER, Of.ADDRESS):
        row = max(rows, key=lambda each: _likeness(one, each))
    _, number, name, given, _email, account, printed, _meter, line, city, _closed = row
    said = f"{given} {name}".strip()
    return Hit(
        member_id=one.member_id,
        name=said,
        account_number=account or "",
        printed_number=printed or "",
        service_address=", ".join(part for part in (line, city) if part),
        why=_why(search, one, row, others),
        member_number=number,
    )


def _likeness(one: _Found, row: Any) -> int:
    """Tell how well one account of a member explains the key that found it."""
    key = one.key[1:]
    if one.of is Of.ACCOUNT:
        return int(row[5] == key)
    if one.of is Of.METER:
        return int(squash(row[7] or "").endswith(key))
    words = fold(row[8] or "").split()
    return sum(word in key for word in words) - len(words)


def _why(search: Search, one: _Found, row: Any, others: list[Any]) -> str:
    _, _number, name, given, _email, account, printed, meter, line, _city, _closed = row
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
