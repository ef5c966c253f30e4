"""Look a database over: is its file whole, are its tables and its rules as they were made.

What the rules should be is not written down here: the migrations are asked. On SQLite they make a
database in memory to compare with. A PostgreSQL server has no room for a second one, so there they
speak to a listener, and what they said is compared with what the server has.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from console.models import schema
from console.models.base import Records, connect

_MOST: Final = 20
"""Faults that are told; a damaged file can have one in every row."""


def faults(records: Records) -> list[str]:
    """List what is wrong with the database itself, each as a sentence; nothing when all is well.

    It reads the whole file on SQLite; a PostgreSQL server looks after its own.
    """
    with records.glance() as connection:
        if connection.dialect.name == "postgresql":
            found = [*_of_the_tables(connection), *_of_the_rules_on_postgresql(connection)]
        else:
            found = [
                *_of_the_file(connection),
                *_of_the_tables(connection),
                *_of_the_rules_on_sqlite(connection),
            ]
    left = len(found) - _MOST
    return [*found[:_MOST], *([f"There are {left} more faults like these."] if left > 0 else [])]


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


def _compared(what: str, there: dict[Any, Any], made: dict[Any, Any]) -> Iterator[str]:
    """Say which of the named things are missing, changed, or none of ours."""
    for name in sorted({*there, *made}):
        said = f"The {what} {_named(name)}"
        if name not in there:
            yield f"{said} is missing: what it forbids or writes is not looked after any more."
        elif name not in made:
            yield f"{said} is none of the console's: somebody added it."
        elif there[name] != made[name]:
            yield f"{said} was changed: it does not do what the console made it for."


def _named(name: tuple[Any, ...]) -> str:
    return " on ".join(str(part) for part in name if isinstance(part, str))


# SQLite


def _of_the_rules_on_sqlite(connection: Connection) -> Iterator[str]:
    scratch = connect("sqlite://")
    try:
        with scratch.engine.begin() as made:
            schema.migrate(made)
            of_new = {kind: _definitions(made, kind) for kind in ("trigger", "view", "index")}
    finally:
        scratch.close()
    for kind in ("trigger", "view"):
        yield from _compared(kind, _definitions(connection, kind), of_new[kind])
    # Which indexes there are, the tables tell; for which rows one is unique, they do not.
    there = _definitions(connection, "index")
    both = {name: sql for name, sql in there.items() if name in of_new["index"]}
    yield from _compared("index", both, {name: of_new["index"][name] for name in both})


def _definitions(connection: Connection, kind: str) -> dict[tuple[str, str], str]:
    rows = connection.exec_driver_sql(
        "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL", (kind,)
    )
    return {(row.name, row.tbl_name): _flat(row.sql) for row in rows}


def _flat(text: str) -> str:
    return " ".join(text.split())


# PostgreSQL


def _of_the_rules_on_postgresql(connection: Connection) -> Iterator[str]:
    made, there = _made_by_the_migrations(), _found_on(connection)
    yield from _compared("trigger", there.triggers, made.triggers)
    yield from _compared("function", there.functions, made.functions)
    for table, name in connection.exec_driver_sql(_SWITCHED_OFF):
        yield f"The trigger {name} on {table} is switched off: nobody is held back by it."
    for table, name in connection.exec_driver_sql(_REWRITES):
        yield f"The rule {name} on {table} is none of the console's: somebody added it."
    for (table,) in connection.exec_driver_sql(_ROW_SECURED):
        yield f"The table {table} hides rows from some: somebody turned row security on."
    yield from _of_the_rights(_granted_on(connection, made.groups), made)


def _of_the_rights(there: set[Right], made: _Rules) -> Iterator[str]:
    given = {right for right in made.rights if right.who != "PUBLIC"}
    for right, columns in _by_column(given - there):
        yield f"{right.who} may not {right.may} {_what(right, columns)} any more."
    for right, columns in _by_column(there - made.rights):
        who = "Everybody" if right.who == "PUBLIC" else right.who
        yield f"{who} may {right.may} {_what(right, columns)}, and the console did not allow it."


def _by_column(rights: set[Right]) -> list[tuple[Right, list[str]]]:
    columns: dict[Right, list[str]] = defaultdict(list)
    for one in rights:
        columns[Right(one.kind, one.of, "", one.may, one.who)].append(one.column)
    return sorted((right, sorted(named)) for right, named in columns.items())


def _what(right: Right, columns: Sequence[str]) -> str:
    named = "" if "" in columns else ", ".join(columns)
    return f"{named} of the {right.kind} {right.of}" if named else f"the {right.kind} {right.of}"


@dataclass(frozen=True, order=True)
class Right:
    """What somebody may do with a table, one column of it, or a function."""

    kind: str
    of: str
    column: str
    """Empty for all of them."""
    may: str
    who: str


@dataclass
class _Rules:
    """The functions, the triggers and the rights of a database."""

    functions: dict[tuple[str, int], tuple[str, bool]] = field(default_factory=dict)
    """By name and number of arguments: the body, and whether it runs with its owner's rights."""
    triggers: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)
    rights: set[Right] = field(default_factory=set)

    @property
    def groups(self) -> list[str]:
        """Everybody who was given anything."""
        return sorted({right.who for right in self.rights} - {"PUBLIC"})


_SWITCHED_OFF: Final = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled NOT IN ('O', 'A')
  AND NOT t.tgisinternal ORDER BY 1, 2
"""
_REWRITES: Final = """
SELECT c.relname, r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = 'public'::regnamespace AND r.rulename <> '_RETURN' ORDER BY 1, 2
"""
_ROW_SECURED: Final = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
ORDER BY 1
"""
_TRIGGERS: Final = """
SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""
_FUNCTIONS: Final = """
SELECT p.proname, p.pronargs, p.prosrc, p.prosecdef FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
  SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
_RIGHTS: Final = """
WITH given AS (
  SELECT 'table' AS kind, c.relname AS named, '' AS part, c.relowner AS owner, a.*
  FROM pg_class c, aclexplode(c.relacl) a
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT 'table', c.relname, t.attname, c.relowner, a.*
  FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
  WHERE c.relnamespace = 'public'::regnamespace AND NOT t.attisdropped
  UNION ALL
  SELECT 'function', p.proname, '', p.proowner, a.*
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  WHERE p.pronamespace = 'public'::regnamespace
    -- Whoever calls one of these by itself is refused anyway.
    AND p.prorettype <> 'trigger'::regtype
)
SELECT kind, named, part, privilege_type, coalesce(r.rolname, 'PUBLIC')
FROM given LEFT JOIN pg_roles r ON r.oid = grantee
WHERE grantee <> owner AND (grantee = 0 OR NOT r.rolsuper AND EXISTS (
  SELECT 1 FROM pg_roles g WHERE g.rolname = ANY (%s) AND pg_has_role(r.oid, g.oid, 'MEMBER')))
"""


def _found_on(connection: Connection) -> _Rules:
    found = _Rules()
    for (definition,) in connection.exec_driver_sql(_TRIGGERS):
        _hear_trigger(found, _flat(definition))
    for name, arguments, body, definer in connection.exec_driver_sql(_FUNCTIONS):
        found.functions[name, arguments] = body, definer
    return found


def _granted_on(connection: Connection, groups: list[str]) -> set[Right]:
    return {Right(*row) for row in connection.exec_driver_sql(_RIGHTS, (groups,))}


# What the migrations say


class _Nothing:
    """What the listener answers: no row, whatever was asked."""

    rowcount = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def scalars(self) -> _Nothing:
        return self

    mappings = scalars

    def all(self) -> list[Any]:
        return []

    fetchall = all

    def first(self) -> None:
        return None

    scalar = one_or_none = scalar_one_or_none = first

    def scalar_one(self) -> str:
        return ""


class _Listener:
    """Stands where migrations expect a connection to an empty PostgreSQL, and takes notes."""

    def __init__(self) -> None:
        dialect: Any = postgresql.dialect
        self.dialect = dialect()
        self.heard: list[str] = []

    def exec_driver_sql(self, statement: str, *_given: object, **_more: object) -> _Nothing:
        self.heard.append(statement.replace("%%", "%"))
        return _Nothing()

    def execute(self, statement: Any, *_given: object, **_more: object) -> _Nothing:
        return self.exec_driver_sql(str(statement.compile(dialect=self.dialect)))

    def scalar(self, statement: Any, *_given: object, **_more: object) -> None:
        self.execute(statement)


def _made_by_the_migrations() -> _Rules:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    listener: Any = _Listener()
    steps = [*ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()]
    with Operations.context(MigrationContext.configure(listener)):
        for step in reversed(steps):
            upgrade: Callable[[], None] = step.module.upgrade
            upgrade()
    made = _Rules()
    for statement in listener.heard:
        _hear(made, statement.strip())
    return made


def _hear(made: _Rules, statement: str) -> None:
    flat = _flat(statement)
    if function := _FUNCTION.match(statement):
        head = statement[: function.start("body")]
        key = function["name"], _how_many(function["arguments"])
        made.functions[key] = function["body"], "SECURITY DEFINER" in head
        if not function["again"]:
            made.rights.add(Right("function", key[0], "", "EXECUTE", "PUBLIC"))
    elif gone := _DROP_FUNCTION.match(flat):
        made.functions.pop((gone["name"], _how_many(gone["arguments"])), None)
        made.rights -= {right for right in made.rights if right.of == gone["name"]}
    elif gone := _DROP_TABLE.match(flat):
        for named in [one for one in made.triggers if one[1] == gone["table"]]:
            del made.triggers[named]
        made.rights -= {right for right in made.rights if right.of == gone["table"]}
    elif gone := _DROP_TRIGGER.match(flat):
        made.triggers.pop((gone["name"], gone["table"]), None)
    elif given := _GRANT.match(flat):
        _hear_right(made, given)
    else:
        _hear_trigger(made, flat)


def _hear_trigger(made: _Rules, flat: str) -> None:
    trigger = _TRIGGER.match(flat)
    if trigger is None:
        return
    table = trigger["table"].removeprefix("public.")
    made.triggers[trigger["name"], table] = (
        trigger["moment"],
        frozenset(trigger["acts"].split(" OR ")),
        _flat(trigger["rest"]),
        trigger["each"] or "STATEMENT",
        _words_of(trigger["only"] or ""),
        trigger["function"].removeprefix("public."),
        trigger["given"],
    )


def _words_of(condition: str) -> frozenset[str]:
    """Name what a condition speaks of; the server writes `IN` and kinds of values its own way."""
    told = re.sub(r"::(character varying|timestamp with time zone|\w+)(\[\])?", "", condition)
    return frozenset(re.findall(r"'[^']*'|[\w.]+", told.lower())) - {"in", "any", "array"}


def _hear_right(made: _Rules, said: re.Match[str]) -> None:
    who = [one.strip() for one in said["who"].split(",")]
    kind = "function" if said["kind"] and "FUNCTION" in said["kind"] else "table"
    if said["kind"] and kind == "table" and said["kind"] != "TABLE":
        return  # of a schema or of the whole database
    everything = bool(said["kind"] and said["kind"].startswith("ALL "))
    names = re.findall(r"(\w+)(?:\([^)]*\))?(?:, |$)", said["of"])
    for may, columns in _MAY.findall(said["may"]):
        parts = [one.strip(' "') for one in columns.split(",")]
        if said["act"] == "GRANT":
            made.rights |= {
                Right(kind, of, part, may, one) for of in names for part in parts for one in who
            }
            continue
        made.rights -= {
            right
            for right in made.rights
            if right.kind == kind
            and (everything or right.of in names)
            and (may == "ALL" or right.may == may)
            and (parts == [""] or right.column in parts)
            and right.who in who
        }


def _how_many(arguments: str) -> int:
    return len([one for one in arguments.split(",") if one.strip()])


_FUNCTION: Final = re.compile(
    r"CREATE\s+(?P<again>OR\s+REPLACE\s+)?FUNCTION\s+(?:public\.)?(?P<name>\w+)\s*"
    r"\((?P<arguments>[^)]*)\).*?\$(?P<quote>\w*)\$(?P<body>.*)\$(?P=quote)\$",
    re.DOTALL,
)
_DROP_FUNCTION: Final = re.compile(
    r"DROP FUNCTION (?:IF EXISTS )?(?:public\.)?(?P<name>\w+) ?\((?P<arguments>[^)]*)\)"
)
_DROP_TABLE: Final = re.compile(r"DROP TABLE (?:IF EXISTS )?(?:public\.)?(?P<table>\w+)")
_DROP_TRIGGER: Final = re.compile(
    r"DROP TRIGGER (?:IF EXISTS )?(?P<name>\w+) ON (?:public\.)?(?P<table>\w+)"
)
_TRIGGER: Final = re.compile(
    r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (?P<name>\w+) "
    r"(?P<moment>BEFORE|AFTER|INSTEAD OF) (?P<acts>.+?) ON (?P<table>[\w.]+)(?P<rest>.*?)"
    r"(?: FOR EACH (?P<each>ROW|STATEMENT))?(?: WHEN \((?P<only>.*)\))?"
    r" EXECUTE (?:FUNCTION|PROCEDURE) (?P<function>[\w.]+)\((?P<given>.*)\)"
)
_GRANT: Final = re.compile(
    r"(?P<act>GRANT|REVOKE) (?P<may>.+?) ON "
    r"(?:(?P<kind>TABLE|FUNCTION|ALL FUNCTIONS IN SCHEMA|SCHEMA|DATABASE|SEQUENCE) )?"
    r"(?P<of>.+?) (?:TO|FROM) (?P<who>[\w, ]+?)(?: WITH GRANT OPTION)?;?$"
)
_MAY: Final = re.compile(r"([A-Z]+)(?: \(([^)]*)\))?(?:, |$)")
