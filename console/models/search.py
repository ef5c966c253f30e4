"""The search index: folded keys of everything a caller might say, kept with each change.

Three tables, all derived from the records and all to be made again from them: the keys, the words
they begin with, and the beginnings of those words with one letter left out, under which a
misspelled word is found. `console/domain/search.py` says what the keys are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Integer,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import ClauseElement

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
SLOTS: Final = 24
"""Members whose rows one question fetches at the most."""

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
    for key, of in before - after:
        db.execute(
            delete(search_key).where(
                search_key.c.key == key,
                search_key.c.member_id == member_id,
                search_key.c.of == int(of),
            )
        )
    rows = [{"key": key, "member_id": member_id, "of": int(of)} for key, of in after - before]
    _add(db.connection(), search_key, rows)
    _add_words(db.connection(), words_of(after - before))


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
    """The questions a look-up asks, over one bare connection and with no statement built twice."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._engine = connection.dialect.name
        self._driver: Any = connection.connection
        self._driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error

    def scan(self, prefixes: Sequence[str], limit: int) -> list[tuple[int, str, int, int]]:
        """Answer the first keys of each range: place of the prefix, key, member and what of."""
        found: list[tuple[int, str, int, int]] = []
        for first in range(0, len(prefixes), _MOST_RANGES):
            some = prefixes[first : first + _MOST_RANGES]
            asked: dict[str, Any] = {}
            for place, prefix in enumerate(some):
                asked[f"from{place}"] = prefix
                asked[f"to{place}"] = prefix + HIGHEST
                asked[f"most{place}"] = limit
            rows = self._ask(_scan(self._engine, len(some)), asked)
            found += [(first + row[0], row[1], row[2], row[3]) for row in rows]
        return found

    def words_near(self, slips: Sequence[Misspelled]) -> list[str]:
        """Answer the words of the index that may have been meant by misspelled ones."""
        whole = {one for slip in slips if slip.needs_whole_words for one in slip.lookups()}
        begun = {one for slip in slips if not slip.needs_whole_words for one in slip.lookups()}
        asked: dict[str, Any] = {}
        for name, variants in (("whole", whole), ("begun", begun)):
            slots = _padded(sorted(variants), _VARIANTS)
            asked |= {f"{name}{place}": variant for place, variant in enumerate(slots)}
        return [row[0] for row in self._ask(_words_near(self._engine), asked)]

    def members(self, ids: Sequence[int]) -> list[Any]:
        """Answer the rows to show: one for each account of each member, oldest number first."""
        return self._ask_ids(_members(self._engine), ids)

    def others(self, ids: Sequence[int]) -> list[Any]:
        """Answer second holders, former names and former addresses of members."""
        return self._ask_ids(_others(self._engine), ids)

    def _ask_ids(self, statement: _Ready, ids: Sequence[int]) -> list[Any]:
        slots = _padded(list(ids), SLOTS)
        return self._ask(statement, {f"m{place}": one for place, one in enumerate(slots)})

    def _ask(self, statement: _Ready, asked: dict[str, Any]) -> list[Any]:
        text, order, fixed = statement
        values = {**fixed, **asked}
        given: Any = tuple(values[name] for name in order) if order else values
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
            return list(self._connection.exec_driver_sql(text, given))
        return rows


_Ready = tuple[str, tuple[str, ...], dict[str, Any]]
"""A statement's text, the order of its parameters where they have no names, and fixed ones."""

_MOST_RANGES: Final = 24
_VARIANTS: Final = 60
_MOST_WORDS: Final = 600


@lru_cache(maxsize=4)
def _dialect(engine: str) -> Dialect:
    return make_url(
        "postgresql+psycopg://" if engine == "postgresql" else "sqlite://"
    ).get_dialect()()


def _ready(statement: ClauseElement, engine: str) -> _Ready:
    compiled = statement.compile(dialect=_dialect(engine))
    fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), fixed


@lru_cache(maxsize=2)
def _one_range(engine: str) -> _Ready:
    return _ready(
        select(search_key.c.key, search_key.c.member_id, search_key.c.of)
        .where(
            search_key.c.key >= bindparam("from", type_=Text),
            search_key.c.key < bindparam("to", type_=Text),
        )
        .order_by(search_key.c.key)
        .limit(bindparam("most", type_=Integer)),
        engine,
    )


@lru_cache(maxsize=64)
def _scan(engine: str, ranges: int) -> _Ready:
    # Compiling a union of twenty takes longer than answering it, so one part is compiled and
    # written down as often as it is needed.
    part, order, fixed = _one_range(engine)
    parts = []
    for place in range(ranges):
        named = re.sub(r"%\((\w+)\)s", rf"%(\g<1>{place})s", part)
        parts.append(f"SELECT {place} AS place, r{place}.* FROM ({named}) AS r{place}")  # noqa: S608
    names = tuple(f"{name}{place}" for place in range(ranges) for name in order)
    held = {f"{name}{place}": value for place in range(ranges) for name, value in fixed.items()}
    return " UNION ALL ".join(parts), names, held


@lru_cache(maxsize=4)
def _words_near(engine: str) -> _Ready:
    head, word = search_head.c, search_word.c

    def slots(name: str) -> list[Any]:
        return [bindparam(f"{name}{place}", type_=Text) for place in range(_VARIANTS)]

    whole = (
        select(word.word)
        .select_from(search_head)
        .join(search_word, word.word == head.head)
        .where(head.variant.in_(slots("whole")))
    )
    begun = (
        select(word.word)
        .select_from(search_head)
        .join(search_word, and_(word.word >= head.head, word.word < head.head + HIGHEST))
        .where(head.variant.in_(slots("begun")))
        .limit(_MOST_WORDS)
        .subquery()
    )
    return _ready(union(whole, select(begun)), engine)


@lru_cache(maxsize=4)
def _members(engine: str) -> _Ready:
    ids = [bindparam(f"m{place}", type_=Integer) for place in range(SLOTS)]
    return _ready(
        select(
            Member.id,
            Member.number,
            Member.name,
            Member.given_names,
            Member.email,
            Account.number,
            Account.printed_number,
            Account.meter_number,
            Account.service_line,
            Account.service_city,
            Account.closed_at,
        )
        .outerjoin(Account, Account.member_id == Member.id)
        .where(Member.id.in_(ids)),
        engine,
    )


@lru_cache(maxsize=4)
def _others(engine: str) -> _Ready:
    ids = [bindparam(f"m{place}", type_=Integer) for place in range(SLOTS)]
    kinds = (
        (Of.HOLDER, Holder.member_id, Holder.name, Holder.given_names),
        (Of.FORMER_NAME, FormerName.member_id, FormerName.name, FormerName.given_names),
        (
            Of.FORMER_ADDRESS,
            FormerAddress.member_id,
            FormerAddress.line,
            FormerAddress.city,
        ),
    )
    return _ready(
        union_all(
            *(
                select(literal_column(str(int(of))).label("of"), member, one, other).where(
                    member.in_(ids)
                )
                for of, member, one, other in kinds
            )
        ),
        engine,
    )


def _padded(values: list[Any], slots: int) -> list[Any]:
    """Fill the slots of a ready statement: the same text every time is planned once."""
    spare: Any = "" if values and isinstance(values[0], str) else 0
    return values[:slots] + [spare] * (slots - len(values))


def _heads(word: str) -> set[str]:
    return {word[0] + head for head in heads_of(word[1:])}


def _add_words(connection: Connection, words: set[str]) -> None:
    _add(connection, search_word, [{"word": word} for word in sorted(words)])
    heads = {head for word in words for head in _heads(word)}
    _add(
        connection,
        search_head,
        [
            {"variant": head[0] + variant, "head": head}
            for head in sorted(heads)
            for variant in sorted(neighbours_of(head[1:]))
        ],
    )


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table).prefix_with("OR IGNORE"), rows)
    else:
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)


def _keys_now(db: Session, member_id: int) -> set[tuple[str, Of]]:
    found = _findable(db, member_id, member_id).get(member_id)
    return keys_of(found) if found else set()


def _all_members(db: Session) -> Iterator[dict[int, Findable]]:
    last = db.scalar(select(func.max(Member.id))) or 0
    for first in range(1, last + 1, CHUNK):
        yield _findable(db, first, min(first + CHUNK - 1, last))


def _findable(db: Session, first: int, last: int) -> dict[int, Findable]:
    """Gather what members with ids from `first` to `last` can be found by."""

    def beside(*columns: Any) -> dict[int, list[Any]]:
        held = defaultdict(list)
        for row in db.execute(select(*columns).where(columns[0].between(first, last))):
            held[row[0]].append(row[1:])
        return held

    accounts = beside(
        Account.member_id,
        Account.number,
        Account.meter_number,
        Account.service_line,
        Account.service_city,
    )
    holders = beside(Holder.member_id, Holder.name, Holder.given_names)
    names = beside(FormerName.member_id, FormerName.name, FormerName.given_names)
    addresses = beside(FormerAddress.member_id, FormerAddress.line, FormerAddress.city)
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
        one.id: Findable(
            number=one.number,
            is_business=one.is_business,
            name=one.name,
            given_names=one.given_names,
            email=one.email,
            phones=tuple(phone for phone in (one.phone, one.second_phone) if phone),
            places=tuple(Place(*row) for row in accounts.get(one.id, ())),
            mailing=(one.mailing_line, one.mailing_city),
            holders=tuple((row[0], row[1]) for row in holders.get(one.id, ())),
            former_names=tuple((row[0], row[1]) for row in names.get(one.id, ())),
            former_addresses=tuple((row[0], row[1]) for row in addresses.get(one.id, ())),
        )
        for one in db.execute(asked)
    }
