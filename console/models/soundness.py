"""Look a database over: is its file whole, are its tables as they were made."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection

from console.models import schema
from console.models.base import Records

_MOST: Final = 20
"""Faults that are told; a damaged file can have one in every row."""


def faults(records: Records) -> list[str]:
    """List what is wrong with the database itself, each as a sentence; nothing when all is well.

    It reads the whole file on SQLite; a PostgreSQL server looks after its own.
    """
    with records.glance() as connection:
        found = [] if connection.dialect.name == "postgresql" else _of_the_file(connection)
        return [*found, *_of_the_tables(connection)][:_MOST]


def _of_the_file(connection: Connection) -> list[str]:
    found = [
        f"The file is damaged: {said}."
        for (said,) in connection.exec_driver_sql(f"PRAGMA quick_check({_MOST})")
        if said != "ok"
    ]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST)
    found += [
        f"Row {row} of {table} belongs to a row of {parent} that is not there."
        for table, row, parent, _ in orphans
    ]
    return found


def _of_the_tables(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection)
    return [
        f"The tables differ from what this console made: {_difference(one)}."
        for one in compare_metadata(context, schema.every_record())
    ]


def _difference(found: Any) -> str:
    """Say one of Alembic's differences: its kind, and the names of what it concerns."""
    step = found[0] if isinstance(found, list) else found
    names = [getattr(part, "name", part) for part in step[1:]]
    return " ".join([step[0].replace("_", " "), *(one for one in names if isinstance(one, str))])
