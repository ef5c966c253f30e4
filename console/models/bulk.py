"""Writing very many rows at once: a whole table filled the way each engine does it fastest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select, text

from console.models.base import Record, Records, unaudited

BATCH: Final = 10_000


def fill(
    records: Records,
    record: type[Record],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Add records in one transaction, each a row of plain values, and answer how many.

    Rows are read as they are written, so memory does not grow with their number.
    """
    table = record.metadata.tables[record.__tablename__]
    dialect = records.engine.dialect
    turns = [
        (place, turn)
        for place, column in enumerate(columns)
        if (turn := table.c[column].type.dialect_impl(dialect).bind_processor(dialect))
    ]

    def as_the_driver_takes_them() -> Iterator[Sequence[Any]]:
        for row in rows:
            values = list(row)
            for place, turn in turns:
                values[place] = turn(values[place])
            yield values

    with records.engine.execution_options(console_writes=True).begin() as connection:
        _be_patient(connection)
        unaudited(connection)
        return _pour(connection, table.name, columns, as_the_driver_takes_them(), progress)


def count(records: Records, record: type[Record]) -> int:
    """Answer how many records of a kind there are."""
    with records.read() as db:
        return db.scalar(select(func.count()).select_from(record)) or 0


def number_on(records: Records, *filled: type[Record]) -> None:
    """Let the numbering of these records go on after the numbers that were written by hand."""
    if records.engine.dialect.name != "postgresql":
        return
    with records.glance() as connection:
        for record in filled:
            name = record.__tablename__
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "  # noqa: S608  # our own
                f"(SELECT max(id) FROM {name}))"
            )


def refill(
    records: Records,
    table: Table,
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Replace all rows of a table that has nothing but its primary key, and answer how many.

    The rows must differ. They are poured where there is no index and sorted once: building the
    tree row by row would move most of its pages again and again.
    """
    columns = [column.name for column in table.columns]
    with records.engine.execution_options(console_writes=True).begin() as connection:
        pour = _pour_into_postgresql if _is_postgresql(connection) else _pour_into_sqlite
        count = pour(connection, table, columns, rows, progress)
    _let_count(records, table.name)
    return count


def take_stock(records: Records) -> None:
    """Let the engine count all it holds, so that it plans its answers by what is there."""
    _let_count(records, "")


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _pour_into_postgresql(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None,
) -> int:
    _be_patient(connection)
    connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    key = str(table.primary_key.name)
    connection.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {key}"))
    connection.execute(text(f"TRUNCATE {table.name}"))
    count = _pour(connection, table.name, columns, rows, progress)
    listed = ", ".join(f'"{column}"' for column in columns)
    connection.execute(
        text(f"ALTER TABLE {table.name} ADD CONSTRAINT {key} PRIMARY KEY ({listed})")
    )
    return count


def _pour_into_sqlite(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None,
) -> int:
    poured = f"{table.name}_poured"
    listed = ", ".join(f'"{column}"' for column in columns)
    connection.execute(text(f"CREATE TEMPORARY TABLE {poured} ({listed})"))
    count = _pour(connection, poured, columns, rows, progress)
    connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608  # a table of our own
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({listed}) "  # noqa: S608  # a table of our own
            f"SELECT {listed} FROM {poured} ORDER BY {listed}"
        )
    )
    connection.execute(text(f"DROP TABLE {poured}"))
    return count


def _pour(
    connection: Connection,
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None,
) -> int:
    listed = ", ".join(f'"{column}"' for column in columns)
    driver: Any = connection.connection.driver_connection
    done = 0
    walk = iter(rows)
    if _is_postgresql(connection):
        with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for batch in _batches(walk):
                for row in batch:
                    copy.write_row(row)
                done += len(batch)
                if progress:
                    progress(done)
        return done
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {name} ({listed}) VALUES ({marks})"  # noqa: S608  # our own names
    for batch in _batches(walk):
        driver.executemany(statement, batch)
        done += len(batch)
        if progress:
            progress(done)
    return done


def _batches(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _be_patient(connection: Connection) -> None:
    """Lift the deadline that a desk's statements have; filling a table takes what it takes."""
    if _is_postgresql(connection):
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def _let_count(records: Records, table: str) -> None:
    """Have one table counted, or all; PostgreSQL then answers from the index alone."""
    with records.glance() as connection:
        if not _is_postgresql(connection):
            connection.exec_driver_sql(f"ANALYZE {table}")
            return
        connection.exec_driver_sql("SET statement_timeout = 0")
        try:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
        finally:
            connection.exec_driver_sql("RESET statement_timeout")
