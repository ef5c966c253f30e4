"""The search index: folded keys of everything a caller might say, kept with each change.

Three tables, all derived from the records and all to be made again from them: the keys, the words
they begin with, and the beginnings of those words with one letter left out, under which a
misspelled word is found. `console/domain/search.py` says what the keys are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    SmallInteger,
    Table,
    Text,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from console.domain.search import (
    HIGHEST,
    Findable,
    Misspelled,
    Of,
    Place,
    heads_of,
    keys_of,
    neighbours_of,
    words_of,
)
from console.models.accounts import Account
from console.models.base import Record, Records
from console.models.bulk import refill
from console.models.members import FormerAddress, FormerName, Holder, Member

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

CHUNK: Final = 5_000

# Byte order is the same on both engines only where PostgreSQL is told to leave language alone.
_Key = Text().with_variant(Text(collation="C"), "postgresql")

search_key = Table(
    "search_key",
    Record.metadata,
    Column("key", _Key, primary_key=True),
    Column("member_id", Integer, primary_key=True, autoincrement=False),
    Column("of", SmallInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
search_word = Table(
    "search_word",
    Record.metadata,
    Column("word", _Key, primary_key=True),
    sqlite_with_rowid=False,
)
search_head = Table(
    "search_head",
    Record.metadata,
    Column("variant", _Key, primary_key=True),
    Column("head", _Key, primary_key=True),
    sqlite_with_rowid=False,
)


@contextmanager
def rekeyed(db: Session, member_id: int) -> Iterator[None]:
    """Keep a member findable through the change made in this block, in the same transaction.

    Only what differs is written, so the index needs no second index to find a member's old keys.
    """
    before = _keys_now(db, member_id)
    yield
    db.flush()
    after = _keys_now(db, member_id)
    gone, come = before - after, after - before
    if gone or come:
        write = _rekey_on_sqlite if db.get_bind().dialect.name == "sqlite" else _rekey_by_function
        write(db, member_id, gone, come)


def rebuild(records: Records, progress: Progress | None = None) -> int:
    """Make the whole index afresh from the records and answer how many keys it holds."""
    say = progress or (lambda _what, _done, _of: None)
    words: set[str] = set()

    def keys() -> Iterator[tuple[str, int, int]]:
        with records.read() as db:
            total = db.scalar(select(func.count()).select_from(Member)) or 0
            done = 0
            for members in _all_members(db):
                for member_id, member in members.items():
                    found = keys_of(member)
                    words.update(words_of(found))
                    for key, of in found:
                        yield key, member_id, int(of)
                done += len(members)
                say("Reading members", done, total)

    count = refill(records, search_key, keys(), lambda done: say("Sorting keys", done, done))
    refill(records, search_word, ((word,) for word in sorted(words)))
    heads = {head for word in words for head in _heads(word)}
    refill(
        records,
        search_head,
        ((head[0] + variant, head) for head in heads for variant in neighbours_of(head[1:])),
    )
    say("Index is ready", count, count)
    return count


def is_current(records: Records, sample: int = 200) -> bool:
    """Whether the index agrees with the records, looked at for some members spread over all."""
    with records.read() as db:
        last = db.scalar(select(func.max(Member.id))) or 0
        step = max(1, last // sample)
        for member_id in range(1, last + 1, step):
            for key, of in _keys_now(db, member_id):
                held = select(search_key.c.key).where(
                    search_key.c.key == key,
                    search_key.c.member_id == member_id,
                    search_key.c.of == int(of),
                )
                if db.scalar(held) is None:
                    return False
    return True


class Index:
    """The questions a look-up asks over one bare connection, each with the same text every time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._arrays = connection.dialect.name == "postgresql"
        self._driver: Any = connection.connection
        self._driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error

    def scan(
        self, prefixes: Sequence[str], limits: Sequence[int]
    ) -> list[tuple[int, str, int, int]]:
        """Answer the first keys of each range: place of the prefix, key, member and what of."""
        ends = [prefix + HIGHEST for prefix in prefixes]
        if self._arrays:
            return self._ask(_SCAN_ARRAYS, (list(prefixes), ends, list(limits)))
        found: list[tuple[int, str, int, int]] = []
        for first in range(0, len(prefixes), _MOST_RANGES):
            asked: list[Any] = []
            last = min(first + _MOST_RANGES, len(prefixes))
            for place in range(first, last):
                asked += (place, prefixes[place], ends[place], limits[place])
            found += self._ask(_scan(last - first), asked)
        return found

    def words_near(self, slips: Sequence[Misspelled]) -> list[str]:
        """Answer the words of the index that may have been meant by misspelled ones."""
        whole = {one for slip in slips if not slip.may_be_begun for one in slip.lookups()}
        begun = {one for slip in slips if slip.may_be_begun for one in slip.lookups()}
        return [row[0] for row in self._ask_any(_WORDS_NEAR, sorted(whole), sorted(begun))]

    def members(self, ids: Sequence[int]) -> list[Any]:
        """Answer the rows to show: one for each account of each member."""
        return self._ask_any(_MEMBERS, list(ids))

    def others(self, ids: Sequence[int]) -> list[Any]:
        """Answer second holders, former names and former addresses of members."""
        return self._ask_any(_OTHERS, list(ids), list(ids), list(ids))

    def _ask_any(self, statement: str, *lists: list[Any]) -> list[Any]:
        if self._arrays:
            return self._ask(_with_arrays(statement), lists)
        # One of few texts, so that SQLite finds it prepared: lists are filled up with nothing.
        most = max(16, 1 << (max(map(len, lists)) - 1).bit_length())
        asked = [value for each in lists for value in [*each, *[None] * (most - len(each))]]
        return self._ask(_with_marks(statement, most), asked)

    def _ask(self, text: str, given: Sequence[Any]) -> list[Any]:
        try:
            # Straight to the driver: the rows are read once, and half the time of a keystroke
            # would go into results that can do more.
            cursor = self._driver.cursor()
            try:
                cursor.execute(text, given)
                rows: list[Any] = cursor.fetchall()
            finally:
                cursor.close()
        except self._driver_error:
            # Asked again in the ordinary way, which says what is wrong or finds a live server.
            return list(self._connection.exec_driver_sql(text, tuple(given)))
        return rows


_MOST_RANGES: Final = 24
_SCAN: Final = (
    "SELECT ? AS place, * FROM (SELECT key, member_id, of FROM search_key"
    " WHERE key >= ? AND key < ? ORDER BY key LIMIT ?)"
)
_SCAN_ARRAYS: Final = """
SELECT asked.place - 1, found.*
FROM unnest(%s::text[], %s::text[], %s::int[]) WITH ORDINALITY AS asked (low, high, most, place)
CROSS JOIN LATERAL (
  SELECT key, member_id, of FROM search_key
  WHERE key >= asked.low COLLATE "C" AND key < asked.high COLLATE "C"
  ORDER BY key LIMIT asked.most
) AS found
"""
_WORDS_NEAR: Final = f"""
SELECT word FROM search_head JOIN search_word ON word = head WHERE variant IN (%s)
UNION SELECT word FROM (
  SELECT word FROM search_head
  JOIN search_word ON word >= head AND word < head || '{HIGHEST}'
  WHERE variant IN (%s) LIMIT 600
) AS begun
"""  # noqa: S608  # nothing in it was typed
_MEMBERS: Final = """
SELECT m.id, m.number, m.name, m.given_names, a.number, a.printed_number, a.meter_number,
  a.service_line, a.service_city, a.closed_at
FROM member AS m LEFT JOIN account AS a ON a.member_id = m.id WHERE m.id IN (%s)
"""
_OTHERS: Final = f"""
SELECT {int(Of.HOLDER)}, member_id, name, given_names FROM holder WHERE member_id IN (%s)
UNION ALL SELECT {int(Of.FORMER_NAME)}, member_id, name, given_names FROM former_name
  WHERE member_id IN (%s)
UNION ALL SELECT {int(Of.FORMER_ADDRESS)}, member_id, line, city FROM former_address
  WHERE member_id IN (%s)
"""  # noqa: S608  # nothing in it was typed


@lru_cache(maxsize=_MOST_RANGES)
def _scan(ranges: int) -> str:
    return " UNION ALL ".join([_SCAN] * ranges)


@lru_cache(maxsize=8)
def _with_arrays(statement: str) -> str:
    return statement.replace("IN (%s)", "= ANY(%s)")


@lru_cache(maxsize=32)
def _with_marks(statement: str, most: int) -> str:
    return statement.replace("%s", ", ".join("?" * most))


def _heads(word: str) -> set[str]:
    return {word[0] + head for head in heads_of(word[1:])}


_Keys = set[tuple[str, Of]]
_REKEY: Final = text("SELECT search_rekey(:id, :gone, :gone_of, :come, :come_of, :w, :v, :h)")


def _rekey_by_function(db: Session, member_id: int, gone: _Keys, come: _Keys) -> None:
    """Have PostgreSQL's own function write it: it does so only for a member who is changing."""
    less, more, words = sorted(gone), sorted(come), sorted(words_of(come))
    variants = _variants(words)
    db.execute(
        _REKEY,
        {
            "id": member_id,
            "gone": [key for key, _ in less],
            "gone_of": [int(of) for _, of in less],
            "come": [key for key, _ in more],
            "come_of": [int(of) for _, of in more],
            "w": words,
            "v": [variant for variant, _ in variants],
            "h": [head for _, head in variants],
        },
    )


def _rekey_on_sqlite(db: Session, member_id: int, gone: _Keys, come: _Keys) -> None:
    for key, of in gone:
        db.execute(
            delete(search_key).where(
                search_key.c.key == key,
                search_key.c.member_id == member_id,
                search_key.c.of == int(of),
            )
        )
    words = sorted(words_of(come))
    _add(db, search_key, [{"key": key, "member_id": member_id, "of": int(of)} for key, of in come])
    _add(db, search_word, [{"word": word} for word in words])
    _add(
        db, search_head, [{"variant": variant, "head": head} for variant, head in _variants(words)]
    )


def _variants(words: Sequence[str]) -> list[tuple[str, str]]:
    heads = {head for word in words for head in _heads(word)}
    return [
        (head[0] + variant, head)
        for head in sorted(heads)
        for variant in sorted(neighbours_of(head[1:]))
    ]


def _add(db: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.execute(insert(table).prefix_with("OR IGNORE"), rows)


def _keys_now(db: Session, member_id: int) -> set[tuple[str, Of]]:
    found = _findable(db, member_id, member_id).get(member_id)
    return keys_of(found) if found else set()


def _all_members(db: Session) -> Iterator[dict[int, Findable]]:
    last = db.scalar(select(func.max(Member.id))) or 0
    for first in range(1, last + 1, CHUNK):
        yield _findable(db, first, min(first + CHUNK - 1, last))


_ACCOUNT: Final = -1
"""Beside the kinds of `Of`: an account brings several things to be found by."""


def _beside(first: int, last: int) -> CompoundSelect[Any]:
    """Ask one question for what is kept beside members with ids from `first` to `last`."""
    none = literal("", Text())

    def of(kind: int, member_id: Any, *columns: Any) -> Select[Any]:
        four = (*columns, none, none)[:4]
        return select(member_id, literal(int(kind)), *four).where(member_id.between(first, last))

    return union_all(
        of(
            _ACCOUNT,
            Account.member_id,
            Account.number,
            Account.meter_number,
            Account.service_line,
            Account.service_city,
        ),
        of(Of.HOLDER, Holder.member_id, Holder.name, Holder.given_names),
        of(Of.FORMER_NAME, FormerName.member_id, FormerName.name, FormerName.given_names),
        of(Of.FORMER_ADDRESS, FormerAddress.member_id, FormerAddress.line, FormerAddress.city),
    )


def _findable(db: Session, first: int, last: int) -> dict[int, Findable]:
    """Gather what members with ids from `first` to `last` can be found by."""

    beside: dict[int, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for member_id, kind, *row in db.execute(_beside(first, last)):
        beside[kind][member_id].append(row)
    accounts, holders = beside[_ACCOUNT], beside[Of.HOLDER]
    names, addresses = beside[Of.FORMER_NAME], beside[Of.FORMER_ADDRESS]
    asked = select(
        Member.id,
        Member.number,
        Member.is_business,
        Member.name,
        Member.given_names,
        Member.email,
        Member.phone,
        Member.second_phone,
        Member.mailing_line,
        Member.mailing_city,
    ).where(Member.id.between(first, last))
    return {
        member_id: Findable(
            number,
            is_business,
            name,
            given_names,
            email,
            (phone, second_phone) if second_phone else (phone,) if phone else (),
            tuple([Place(*row) for row in accounts.get(member_id, ())]),
            (line, city),
            tuple([tuple(row[:2]) for row in holders.get(member_id, ())]),
            tuple([tuple(row[:2]) for row in names.get(member_id, ())]),
            tuple([tuple(row[:2]) for row in addresses.get(member_id, ())]),
        )
        for (
            member_id,
            number,
            is_business,
            name,
            given_names,
            email,
            phone,
            second_phone,
            line,
            city,
        ) in db.execute(asked)
    }
