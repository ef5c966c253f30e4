"""What a row of a PostgreSQL database may hold and how it may move, whoever writes it with psql.

`roles` says who may write which columns. What is written must also be something that every desk
can read, and say no more than whoever writes it may say. Migrations call these functions.
"""
# ruff: noqa: S608  # every statement is put together from names of our own; nothing was typed

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from console.models.roles import (
    ADMINISTRATOR_SAYS,
    APPROVES,
    COURIER,
    COURIER_SAYS,
    RIGHTS,
    at_the_end,
    before,
    grant,
    refuses,
    rule,
    tell,
)

LONGEST_TEXT: Final = 10_000
"""Characters; the console lets nobody write as many."""
_MOST_NAMES: Final = 100_000


def check_words(connection: Connection, words: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Let a column hold nothing but these words; one that may be empty lists the empty one."""
    for (table, column), allowed in words.items():
        listed = ", ".join(f"'{one}'" for one in allowed)
        name = f"ck_{table}_{column}_known"
        tell(connection, f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        tell(
            connection,
            f'ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ("{column}" IN ({listed}))',
        )


def check_moments(connection: Connection) -> None:
    """Let no moment or day be one that no calendar of a desk knows, such as infinity."""
    for table, column, kind in connection.exec_driver_sql(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('timestamp with time zone', 'date')"
    ).all():
        name = f"ck_{table}_{column}_in_calendar"
        first, last = ("'0002-01-01'", "'9999-01-01'")
        if kind == "timestamp with time zone":
            first, last = (f"TIMESTAMPTZ {one[:-1]} 00:00Z'" for one in (first, last))
        tell(connection, f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        tell(
            connection,
            f"ALTER TABLE {table} ADD CONSTRAINT {name} "
            f'CHECK ("{column}" >= {first} AND "{column}" < {last})',
        )


def check_lengths(connection: Connection, columns: Sequence[tuple[str, str]]) -> None:
    """Let a text that people write be no longer than anybody reads."""
    for table, column in columns:
        name = f"ck_{table}_{column}_length"
        tell(
            connection,
            f"ALTER TABLE {table} ADD CONSTRAINT {name} "
            f'CHECK (char_length("{column}") <= {LONGEST_TEXT})',
        )


def set_up(connection: Connection) -> None:
    """Tighten what rows may say: each of these was tried with psql and went through before."""
    for statement in _RULES:
        tell(connection, statement)
    for name in _FUNCTIONS:
        tell(connection, f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    trail = next(rights for rights in RIGHTS if rights.table == "audit_entry")
    grant(connection, trail)


def what_is_spoken(others: str) -> str:
    """Write the rule that says who may say what on the trail; `others` are its further cases."""
    # Anybody may take the role of their own group, so being somebody else than who signed in
    # proves nothing: only the owner of the trail speaks for the database.
    return rule(
        "audit_entry_is_spoken",
        f"""
      IF current_user = (SELECT pg_get_userbyid(c.relowner) FROM pg_class c
        WHERE c.oid = 'public.audit_entry'::regclass) THEN
        RETURN NEW;
      ELSIF NEW.action LIKE 'row:%' OR NEW.before IS NOT NULL OR NEW.after IS NOT NULL THEN
        {refuses("only the database itself says what changed")};{others}
      END IF;""",
        replace=True,
    )


_HOLDS_AN_OBJECT: Final = "jsonb_typeof(NEW.payload::jsonb) = 'object'"
_TO: Final = "NEW.payload::jsonb ->> 'to'"

_RULES: Final = (
    what_is_spoken(
        f"""
      ELSIF NEW.action IN ({COURIER_SAYS})
        AND NOT pg_has_role(session_user, '{COURIER}', 'MEMBER') THEN
        {refuses("only a courier says what the portal did")};
      ELSIF NEW.action IN ({ADMINISTRATOR_SAYS})
        AND NOT pg_has_role(session_user, 'console_administrator', 'MEMBER') THEN
        {refuses("only an administrator looks after the staff")};"""
    ),
    """
    CREATE FUNCTION names_share_little(one text, other text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
    AS $$
      WITH folded AS (
        SELECT regexp_replace(lower(normalize(one, NFKD)), '[^a-z]', '', 'g') AS a,
          regexp_replace(lower(normalize(other, NFKD)), '[^a-z]', '', 'g') AS b
      )
      SELECT least(length(a), length(b)) >= 4
        -- Letters of another alphabet are left to the console, which can read them.
        AND length(a) * 2 >= length(one) AND length(b) * 2 >= length(other)
        AND (SELECT sum(least(length(a) - length(replace(a, letter, '')),
            length(b) - length(replace(b, letter, ''))))
          FROM regexp_split_to_table('abcdefghijklmnopqrstuvwxyz', '') AS letter
        ) * 2 < least(length(a), length(b))
      FROM folded
    $$
    """,
    # The supervisor's own login writes its approval on the supervisor's own chain, and nobody
    # else can.
    rule(
        "correction_is_honest",
        f"""
      IF NEW.approved_by = session_user AND NOT {APPROVES} THEN
        {refuses("only a supervisor approves")};
      ELSIF NEW.approved_by NOT IN ('', session_user) AND NOT EXISTS (
        SELECT 1 FROM staff s JOIN audit_entry e ON e.chain = s.login
        WHERE s.login = NEW.approved_by AND NOT s.dismissed
        AND s.role IN ('supervisor', 'administrator')
        AND e.action = 'name:approval_given' AND e.staff = s.login
        AND e.at > clock_timestamp() - interval '15 minutes'
        AND e.detail::jsonb ->> 'correction' = NEW.id) THEN
        {refuses("only a supervisor approves, and with a login of their own")};
      ELSIF NEW.approved_by = '' AND (NEW.looks_like_other_person
        OR names_share_little(NEW.name_before, NEW.name_after)) THEN
        {refuses("another person''s name needs a supervisor")};
      ELSIF NEW.undone_by <> '' OR NEW.undone_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM member m WHERE m.id = NEW.member_id
        AND (m.name, m.given_names) IN (
          (NEW.name_before, NEW.given_names_before), (NEW.name_after, NEW.given_names_after)))
      THEN
        {refuses("a correction tells what stood on file")};
      END IF;""",
        definer=True,
        replace=True,
    ),
    rule(
        "correction_is_undone",
        f"""
      IF (OLD.undone_by, OLD.undone_at) IS NOT DISTINCT FROM (NEW.undone_by, NEW.undone_at) THEN
        RETURN NEW;
      ELSIF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL OR NEW.undone_by <> session_user
        OR NOT EXISTS (SELECT 1 FROM member m
          WHERE m.id = NEW.member_id AND m.xmin = pg_current_xact_id()::xid
          AND (m.name, m.given_names) = (NEW.name_before, NEW.given_names_before))
      THEN
        {refuses("a correction is undone once, together with the name")};
      END IF;""",
        definer=True,
    ),
    at_the_end("name_correction", "UPDATE", "correction_is_undone"),
    rule(
        "contact_is_undone",
        f"""
      IF (OLD.undone_by, OLD.undone_at) IS NOT DISTINCT FROM (NEW.undone_by, NEW.undone_at) THEN
        RETURN NEW;
      ELSIF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL OR NEW.undone_by <> session_user
        OR NOT EXISTS (SELECT 1 FROM member m
          WHERE m.id = NEW.member_id AND m.xmin = pg_current_xact_id()::xid)
      THEN
        {refuses("a change is undone once, together with the details")};
      END IF;""",
        definer=True,
    ),
    at_the_end("contact_change", "UPDATE", "contact_is_undone"),
    before("contact_change", "UPDATE", "version_follows"),
    # That the portal was asked again is a change without a version.
    rule(
        "registration_goes_on",
        f"""
      IF NEW.version NOT IN (OLD.version, OLD.version + 1) THEN
        {refuses("a version follows the one before")};
      END IF;""",
    ),
    before("registration", "UPDATE", "registration_goes_on"),
    rule(
        "presence_is_now",
        "NEW.seen_at := clock_timestamp(); NEW.since := least(NEW.since, NEW.seen_at);",
    ),
    before("presence", "INSERT OR UPDATE", "presence_is_now"),
    rule(
        "change_is_now",
        f"""
      NEW.at := clock_timestamp();
      IF length(NEW.names) > {_MOST_NAMES} OR NOT coalesce(
        jsonb_path_match(NEW.names::jsonb, 'strict $.type() == "array"'), false)
        OR EXISTS (SELECT 1 FROM jsonb_array_elements(NEW.names::jsonb) AS one
          WHERE jsonb_typeof(one) <> 'string') THEN
        {refuses("word of a change is a list of names")};
      END IF;""",
        replace=True,
    ),
    # A courier must be able to read every errand of the office: one that it cannot would be met
    # again and again.
    rule(
        "errand_can_be_carried",
        f"""
      IF NOT {_HOLDS_AN_OBJECT} OR length(NEW.payload) > 2000
        OR NEW.next_try_at > clock_timestamp() + interval '1 day'
        OR NEW.asked_at > clock_timestamp() + interval '1 day' THEN
        {refuses("no courier could carry this")};
      ELSIF NEW.kind = 'correct_email' AND coalesce(NEW.payload::jsonb ->> 'email', '') = '' THEN
        {refuses("an address is corrected to another one")};
      END IF;""",
    ),
    before("errand", "INSERT", "errand_can_be_carried"),
    # Nobody writes letters in the co-op's name: the words are few, and the address is the one
    # that this very transaction replaces.
    rule(
        "notice_tells_of_a_change",
        f"""
      IF NEW.kind <> 'tell_old_contact' THEN
        RETURN NEW;
      ELSIF coalesce(NEW.payload::jsonb ->> 'what', '') !~ '^[a-z ,-]{{1,120}}$'
        OR coalesce(NEW.payload::jsonb ->> 'on', '') !~ '^[A-Za-z0-9 ,]{{1,40}}$' THEN
        {refuses("a notice says what changed, in the office''s words")};
      ELSIF NOT EXISTS (SELECT 1 FROM contact_change c JOIN member m ON m.id = c.member_id
          WHERE c.member_id = NEW.member_id AND c.xmin = pg_current_xact_id()::xid
          AND {_TO} IN (m.email, c.before::jsonb ->> 'email', c.after::jsonb ->> 'email', c.told))
        AND NOT EXISTS (SELECT 1 FROM name_correction k JOIN member m ON m.id = k.member_id
          WHERE k.member_id = NEW.member_id AND k.xmin = pg_current_xact_id()::xid
          AND {_TO} = m.email)
        AND NOT EXISTS (SELECT 1 FROM errand e
          JOIN registration r ON r.account_number = e.account_number
          WHERE e.account_number = NEW.account_number AND e.kind = 'correct_email'
          AND e.xmin = pg_current_xact_id()::xid AND {_TO} = r.email)
      THEN
        {refuses("a notice goes to the address that was on file")};
      END IF;""",
        definer=True,
    ),
    at_the_end("errand", "INSERT", "notice_tells_of_a_change"),
)
_FUNCTIONS: Final = (
    "names_share_little(text, text)",
    "correction_is_undone()",
    "contact_is_undone()",
    "registration_goes_on()",
    "presence_is_now()",
    "errand_can_be_carried()",
    "notice_tells_of_a_change()",
)
