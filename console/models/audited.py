"""Triggers that write what changed on the audit trail, and seal every line of it.

Migrations call these functions; a later one that adds a column to a followed table calls `follow`
again for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from console.domain.audit import SEALED

WHEN_CHANGED: Final = ("UPDATE", "DELETE")
ALWAYS: Final = ("INSERT", "UPDATE", "DELETE")
_SAYS: Final = {"INSERT": "row:added", "UPDATE": "row:changed", "DELETE": "row:removed"}


@dataclass(frozen=True)
class Followed:
    """A table that the trail follows."""

    table: str
    on: Sequence[str] = WHEN_CHANGED
    key: str = "id"
    member: str = "member_id"
    """The column that names the member; empty when there is none."""
    account: str = ""
    hidden: tuple[str, ...] = ()
    """Columns of which the trail says only that they changed."""
    passed_over: tuple[str, ...] = ("version",)
    """Columns whose change alone is nobody's act."""


def follow(connection: Connection, followed: Followed) -> None:
    """Write every change of a table on the trail, from now on."""
    if connection.dialect.name == "sqlite":
        _follow_on_sqlite(connection, followed)
    else:
        _follow_on_postgresql(connection, followed)


def keep_trail(connection: Connection) -> None:
    """Seal every line that is added to the trail, and let none of them change."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.exec_driver_sql(statement)


def keep_history(connection: Connection, table: str, may_change: Sequence[str] = ()) -> None:
    """Let no row of a table be removed, replaced or changed on SQLite, but for a few columns.

    On PostgreSQL nobody is granted any of it.
    """
    if connection.dialect.name != "sqlite":
        return
    columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
    changed = " OR ".join(
        f'OLD."{one}" IS NOT NEW."{one}"' for one in columns if one not in may_change
    )
    refusal = f"BEGIN SELECT RAISE(ABORT, '{_IS_HISTORY}'); END"
    # Replacing a row slips past the triggers of deletion where a program turned them off.
    for act, when in (
        ("INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"),
        ("UPDATE", changed),
        ("DELETE", "true"),
    ):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_keeps_{act.lower()} BEFORE {act} ON {table} "
            f"WHEN {when} {refusal}"
        )


_IS_HISTORY: Final = "what was is only ever added to"


# SQLite


def _follow_on_sqlite(connection: Connection, followed: Followed) -> None:
    table = followed.table
    columns = [
        row[1]
        for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")
        if row[1] not in followed.passed_over
    ]
    for act in ALWAYS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_trail_{act.lower()}")
    for act in followed.on:
        there = "OLD" if act == "DELETE" else "NEW"
        changed = " OR ".join(f'OLD."{one}" IS NOT NEW."{one}"' for one in columns)
        when = f"console_audited() AND ({changed})" if act == "UPDATE" else "console_audited()"
        before = "NULL" if act == "INSERT" else _as_json(columns, "OLD", act, followed.hidden)
        after = "NULL" if act == "DELETE" else _as_json(columns, "NEW", act, followed.hidden)
        member = f'{there}."{followed.member}"' if followed.member else "NULL"
        account = f'{there}."{followed.account}"' if followed.account else "NULL"
        connection.exec_driver_sql(f"""
            CREATE TRIGGER {table}_trail_{act.lower()} AFTER {act} ON {table} WHEN {when}
            BEGIN
              INSERT INTO audit_entry (at, staff, workstation, action, subject, row_key,
                member_id, account_number, detail, before, after)
              VALUES (strftime('%Y-%m-%d %H:%M:%f000', 'now'), console_staff(),
                console_workstation(), '{_SAYS[act]}', '{table}',
                CAST({there}."{followed.key}" AS TEXT), {member}, {account}, '{{}}',
                {before}, {after});
            END
        """)


def _as_json(columns: Sequence[str], side: str, act: str, hidden: Sequence[str]) -> str:
    parts = []
    for one in columns:
        value = "'(hidden)'" if one in hidden else f'{side}."{one}"'
        where = f' WHERE OLD."{one}" IS NOT NEW."{one}"' if act == "UPDATE" else ""
        parts.append(f"SELECT '{one}' AS name, {value} AS value{where}")
    return f"(SELECT json_group_object(name, value) FROM ({' UNION ALL '.join(parts)}))"


_AT_ON_SQLITE: Final = "replace(at, ' ', 'T') || 'Z'"
_SEALED_ON_SQLITE: Final = ", ".join(
    {
        "chain": "staff",
        "seq": "(SELECT seq + 1 FROM audit_chain WHERE chain = NEW.staff)",
        "at": _AT_ON_SQLITE,
        "previous": "(SELECT hash FROM audit_chain WHERE chain = NEW.staff)",
    }.get(field, field)
    for field in SEALED
)
_ONLY_GROWS: Final = "the audit trail is only ever added to"
_SQLITE: Final = (
    # Replacing a row slips past the triggers of deletion where a program turned them off.
    f"""
    CREATE TRIGGER audit_entry_is_new BEFORE INSERT ON audit_entry
    WHEN NEW.hash <> '' OR NEW.seq <> 0 OR EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    f"""
    CREATE TRIGGER audit_entry_seal AFTER INSERT ON audit_entry
    BEGIN
      INSERT INTO audit_chain (chain, seq, hash) SELECT NEW.staff, 0, ''
        WHERE NOT EXISTS (SELECT 1 FROM audit_chain WHERE chain = NEW.staff);
      UPDATE audit_entry SET chain = staff,
        seq = (SELECT seq + 1 FROM audit_chain WHERE chain = NEW.staff),
        previous = (SELECT hash FROM audit_chain WHERE chain = NEW.staff),
        hash = console_seal({_SEALED_ON_SQLITE})
        WHERE id = NEW.id;
      UPDATE audit_chain SET seq = seq + 1,
        hash = (SELECT hash FROM audit_entry WHERE id = NEW.id)
        WHERE chain = NEW.staff;
    END
    """,
    f"""
    CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry WHEN OLD.hash <> ''
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    f"""
    CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    f"""
    CREATE TRIGGER audit_chain_is_new BEFORE INSERT ON audit_chain
    WHEN NEW.seq <> 0 OR EXISTS (SELECT 1 FROM audit_chain WHERE chain = NEW.chain)
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    f"""
    CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    f"""
    CREATE TRIGGER audit_chain_follows BEFORE UPDATE ON audit_chain
    WHEN NEW.chain <> OLD.chain OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
      SELECT 1 FROM audit_entry
      WHERE chain = NEW.chain AND seq = NEW.seq AND hash = NEW.hash AND hash <> '')
    BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END
    """,
    """
    CREATE TRIGGER coop_stays BEFORE UPDATE ON coop
    BEGIN SELECT RAISE(ABORT, 'a co-op keeps its name'); END
    """,
)


# PostgreSQL


def _follow_on_postgresql(connection: Connection, followed: Followed) -> None:
    given = (
        followed.key,
        followed.member,
        followed.account,
        ",".join(followed.hidden),
        ",".join(followed.passed_over),
    )
    listed = ", ".join(f"'{one}'" for one in given)
    table = followed.table
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_trail ON {table}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_trail AFTER {' OR '.join(followed.on)} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION audit_row({listed})"
    )


_SEALED_ON_POSTGRESQL: Final = " || ',' || ".join(
    "audit_part({})".format(
        {"at": """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""}.get(
            field, f"e.{field}::text"
        )
    )
    for field in SEALED
)
_PINNED: Final = "SET search_path = pg_catalog, public, pg_temp"
_POSTGRESQL: Final = (
    """
    CREATE FUNCTION audit_part(part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN part IS NULL THEN '-' ELSE octet_length(part) || ':' || part END $$
    """,
    f"""
    CREATE FUNCTION audit_text(e audit_entry) RETURNS text LANGUAGE sql STABLE {_PINNED}
    AS $$ SELECT {_SEALED_ON_POSTGRESQL} $$
    """,
    # A superuser sets databases up and fills them; everybody else is who they signed in as.
    f"""
    CREATE FUNCTION audit_may_say_who() RETURNS boolean LANGUAGE sql STABLE {_PINNED}
    AS $$ SELECT rolsuper FROM pg_roles WHERE rolname = session_user $$
    """,
    f"""
    CREATE FUNCTION audit_entry_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    DECLARE head audit_chain;
    BEGIN
      IF NOT audit_may_say_who() THEN
        NEW.staff := session_user;
        NEW.at := clock_timestamp();
        NEW.workstation := left(current_setting('application_name'), 80);
      END IF;
      NEW.chain := NEW.staff;
      INSERT INTO audit_chain (chain, seq, hash) VALUES (NEW.chain, 0, '')
        ON CONFLICT (chain) DO NOTHING;
      SELECT * INTO STRICT head FROM audit_chain WHERE chain = NEW.chain FOR UPDATE;
      NEW.seq := head.seq + 1;
      NEW.previous := head.hash;
      NEW.hash := encode(sha256(convert_to(audit_text(NEW), 'UTF8')), 'hex');
      UPDATE audit_chain SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_seal BEFORE INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_seal()
    """,
    f"""
    CREATE FUNCTION audit_entry_only_grows() RETURNS trigger LANGUAGE plpgsql {_PINNED} AS $$
    BEGIN RAISE EXCEPTION '{_ONLY_GROWS}'; END $$
    """,
    """
    CREATE TRIGGER audit_entry_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_only_grows()
    """,
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_only_grows()
    """,
    f"""
    CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    DECLARE
      hidden text[] := string_to_array(TG_ARGV[3], ',');
      passed_over text[] := string_to_array(TG_ARGV[4], ',');
      was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - passed_over END;
      becomes jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - passed_over END;
      there jsonb := coalesce(becomes, was);
      one text;
    BEGIN
      IF current_setting('console.auditing', true) = 'off' AND audit_may_say_who() THEN
        RETURN NULL;
      END IF;
      IF TG_OP = 'UPDATE' THEN
        FOR one IN SELECT key FROM jsonb_each(was) WHERE value = becomes -> key LOOP
          was := was - one;
          becomes := becomes - one;
        END LOOP;
        IF was = '{{}}' THEN RETURN NULL; END IF;
      END IF;
      FOREACH one IN ARRAY hidden LOOP
        IF was ? one THEN was := was || jsonb_build_object(one, '(hidden)'); END IF;
        IF becomes ? one THEN becomes := becomes || jsonb_build_object(one, '(hidden)'); END IF;
      END LOOP;
      INSERT INTO audit_entry (at, staff, workstation, action, subject, row_key, member_id,
        account_number, detail, before, after)
      VALUES (
        clock_timestamp(),
        coalesce(nullif(current_setting('console.staff', true), ''), session_user),
        coalesce(current_setting('console.workstation', true), ''),
        CASE TG_OP WHEN 'INSERT' THEN 'row:added' WHEN 'UPDATE' THEN 'row:changed'
          ELSE 'row:removed' END,
        TG_TABLE_NAME, there ->> TG_ARGV[0], (there ->> nullif(TG_ARGV[1], ''))::int,
        there ->> nullif(TG_ARGV[2], ''), '{{}}', was::text, becomes::text);
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION coop_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a co-op keeps its name'; END $$
    """,
    "CREATE TRIGGER coop_stays BEFORE UPDATE ON coop EXECUTE FUNCTION coop_stays()",
)
