"""Who may do what in a PostgreSQL database: groups, grants, legal moves, and the staff functions.

Migrations call these functions. A later one that adds a table describes its rights with `Rights`
and gives them with `grant`; nothing that is not granted is allowed.
"""
# ruff: noqa: S608  # every statement is put together from names of our own; nothing was typed

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER: Final = "console_owner"
REGISTRAR: Final = "console_registrar"
COURIER: Final = "console_courier"
CHANGERS: Final = (
    "console_representative",
    "console_clerk",
    "console_supervisor",
    "console_administrator",
)
OVERSEERS: Final = ("console_supervisor", "console_auditor", "console_administrator")
PEOPLE: Final = (*CHANGERS, "console_auditor")
EVERYBODY: Final = (*PEOPLE, COURIER)
ADMINISTRATORS: Final = ("console_administrator",)


@dataclass(frozen=True)
class Adds:
    """Who may add rows, and with which columns; every column when none is named."""

    groups: Sequence[str]
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Changes:
    """Who may change which columns of a row that is there; never all of them."""

    groups: Sequence[str]
    columns: Sequence[str]


@dataclass(frozen=True)
class Rights:
    """What the groups may do with one table. Nobody deletes: a definer function does."""

    table: str
    read_by: Sequence[str] = EVERYBODY
    glimpsed: Sequence[str] = ()
    """The columns that everybody else may read."""
    adds: Sequence[Adds] = ()
    changes: Sequence[Changes] = ()
    author: str = ""
    """The column that bears the login of whoever added the row."""
    signed: Sequence[str] = ()
    """Columns that take nobody's login but one's own, or none."""


_FIRST_RIGHTS: Final = (
    Rights(
        "member",
        changes=(
            Changes(
                CHANGERS,
                (
                    "name",
                    "given_names",
                    "email",
                    "phone",
                    "second_phone",
                    "mailing_line",
                    "mailing_city",
                    "mailing_state",
                    "mailing_zip",
                    "version",
                ),
            ),
        ),
    ),
    Rights(
        "account",
        changes=(
            Changes((*CHANGERS, COURIER), ("paperless",)),
            Changes((COURIER,), ("portal_version", "version")),
        ),
    ),
    Rights("holder"),
    Rights("former_name", adds=(Adds(CHANGERS, ("member_id", "name", "given_names", "until")),)),
    Rights("former_address", adds=(Adds(CHANGERS, ("member_id", "line", "city", "until")),)),
    Rights(
        "alert",
        adds=(
            Adds(
                CHANGERS,
                (
                    "member_id",
                    "kind",
                    "note",
                    "raised_by",
                    "raised_at",
                    "cleared_by",
                    "cleared_at",
                    "version",
                ),
            ),
        ),
        changes=(Changes(CHANGERS, ("cleared_by", "cleared_at", "version")),),
        author="raised_by",
        signed=("cleared_by",),
    ),
    Rights(
        "note",
        adds=(Adds(CHANGERS),),
        changes=(Changes(CHANGERS, ("removed_by", "removed_at", "version")),),
        author="written_by",
        signed=("removed_by",),
    ),
    Rights(
        "call",
        adds=(Adds(CHANGERS),),
        changes=(
            Changes(
                CHANGERS,
                (
                    "member_id",
                    "facts",
                    "verified_at",
                    "ended_at",
                    "reason",
                    "result",
                    "note",
                    "version",
                ),
            ),
        ),
        author="staff",
    ),
    Rights(
        "name_correction",
        adds=(Adds(CHANGERS),),
        changes=(Changes(CHANGERS, ("undone_by", "undone_at", "version")),),
        author="corrected_by",
        signed=("undone_by",),
    ),
    Rights(
        "errand",
        adds=(Adds((*CHANGERS, COURIER)),),
        changes=(
            Changes(
                (COURIER,),
                (
                    "state",
                    "payload",
                    "tries",
                    "next_try_at",
                    "leased_by",
                    "leased_until",
                    "finished_at",
                    "answer",
                    "version",
                ),
            ),
        ),
        author="asked_by",
    ),
    Rights(
        "registration",
        adds=(Adds((COURIER,)),),
        changes=(
            Changes(CHANGERS, ("assigned_to", "version")),
            Changes(
                (COURIER,),
                (
                    "account_number",
                    "member_id",
                    "state",
                    "portal_id",
                    "email",
                    "sent_at",
                    "expires_at",
                    "last_sign_in",
                    "refreshed_at",
                    "kind",
                    "since",
                    "attempts",
                    "version",
                ),
            ),
        ),
    ),
    Rights("registration_attempt", adds=(Adds((COURIER,)),)),
    Rights("delivery", adds=(Adds((COURIER,)),)),
    Rights(
        "portal_cursor",
        adds=(Adds((COURIER,)),),
        changes=(Changes((COURIER,), ("cursor", "polled_at", "leased_by", "leased_until")),),
    ),
    Rights(
        "courier_sign",
        adds=(Adds((COURIER,)),),
        changes=(
            Changes(
                (COURIER,),
                (
                    "workstation",
                    "started_at",
                    "seen_at",
                    "carried",
                    "portal_heard_at",
                    "trouble",
                ),
            ),
        ),
    ),
    Rights(
        "presence",
        adds=(Adds(PEOPLE),),
        changes=(Changes(PEOPLE, ("editing", "since", "seen_at", "workstation")),),
        author="staff",
    ),
    Rights("change", adds=(Adds(EVERYBODY, ("at", "origin", "names")),)),
    Rights(
        "audit_entry",
        read_by=OVERSEERS,
        # The driver asks back which row it wrote; nothing else of it is told.
        glimpsed=("id",),
        adds=(
            Adds(
                EVERYBODY,
                (
                    "at",
                    "staff",
                    "workstation",
                    "action",
                    "member_id",
                    "account_number",
                    "call_id",
                    "detail",
                    "before",
                    "after",
                ),
            ),
        ),
    ),
    Rights("audit_chain"),
    Rights("staff", read_by=(), glimpsed=("login", "name", "role", "dismissed", "version")),
    Rights("search_key"),
    Rights("search_word"),
    Rights("search_head"),
    Rights("coop"),
    Rights("alembic_version"),
)
_CONTACT_CHANGE: Final = Rights(
    "contact_change",
    adds=(Adds(CHANGERS),),
    changes=(Changes(CHANGERS, ("undone_by", "undone_at", "version")),),
    author="changed_by",
    signed=("undone_by",),
)
RIGHTS: Final = (*_FIRST_RIGHTS, _CONTACT_CHANGE)


def set_up(connection: Connection) -> None:
    """Make the groups, the rules and the grants of a database that has none yet."""
    with _as_whoever_signed_in(connection):
        make_groups(connection)
    for statement in (*_NUMBERED, *_RULES, *_STAFF):
        tell(connection, statement)
    for rights in _FIRST_RIGHTS:
        grant(connection, rights)
    with _as_whoever_signed_in(connection):
        for statement in _CLOSING:
            tell(connection, statement)


def let_tables_number_their_rows(connection: Connection) -> None:
    """Let new tables give out their numbers by themselves: nobody has a right to a sequence."""
    for statement in _NUMBERED:
        tell(connection, statement)


def set_up_contact_changes(connection: Connection) -> None:
    """Let contact details change only with a row that says who asked, by whoever may."""
    grant(connection, _CONTACT_CHANGE)
    for statement in _CONTACT_RULES:
        tell(connection, statement)
    for name in ("contact_has_change", "contact_change_is_honest"):
        tell(connection, f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")


def act_as_owner(connection: Connection) -> None:
    """Let what is made in the rest of a transaction belong to the owner of the office's database.

    A database that belongs to somebody else, as in tests, is its own master.
    """
    owner = connection.exec_driver_sql(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    ).scalar_one()
    if owner == OWNER:
        connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")


def tell(connection: Connection, statement: str) -> None:
    """Send a statement that may hold signs of percent."""
    # PostgreSQL's driver would take the signs of format() for its own; SQLite's takes none.
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(statement if sqlite else statement.replace("%", "%%"))


def make_groups(connection: Connection) -> None:
    """Make the owner, the registrar and the groups where the server has them not yet."""
    for name in (OWNER, REGISTRAR, *EVERYBODY):
        can = "CREATEROLE" if name == REGISTRAR else "NOCREATEROLE"
        # Roles belong to the whole server: another database may be making them just now.
        connection.exec_driver_sql(f"""
            DO $$ BEGIN
              IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = '{name}') THEN
                CREATE ROLE {name} NOLOGIN {can};
              END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
        """)
    missing = connection.exec_driver_sql(_WHAT_REGISTRAR_LACKS).scalars().all()
    for name in missing:
        option = "" if str(name).startswith("pg_") else " WITH ADMIN OPTION"
        connection.exec_driver_sql(f"GRANT {name} TO {REGISTRAR}{option}")


_WHAT_REGISTRAR_LACKS: Final = f"""
SELECT g.rolname FROM pg_catalog.pg_roles g
WHERE g.rolname IN ({", ".join(f"'{one}'" for one in (*EVERYBODY, "pg_signal_backend"))},
  'pg_read_all_stats')
AND NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member
  WHERE m.roleid = g.oid AND r.rolname = '{REGISTRAR}')
"""


def grant(connection: Connection, rights: Rights) -> None:
    """Give the groups what is described, and take everything else away."""
    table = rights.table
    say = connection.exec_driver_sql
    say(f"REVOKE ALL ON {table} FROM PUBLIC, {', '.join(EVERYBODY)}")
    if rights.read_by:
        say(f"GRANT SELECT ON {table} TO {', '.join(rights.read_by)}")
    if rights.glimpsed:
        say(f"GRANT SELECT ({_listed(rights.glimpsed)}) ON {table} TO {', '.join(EVERYBODY)}")
    for adds in rights.adds:
        columns = f" ({_listed(adds.columns)})" if adds.columns else ""
        say(f"GRANT INSERT{columns} ON {table} TO {', '.join(adds.groups)}")
    for changes in rights.changes:
        say(f"GRANT UPDATE ({_listed(changes.columns)}) ON {table} TO {', '.join(changes.groups)}")
    if rights.author or rights.signed:
        given = ", ".join(f"'{one}'" for one in (rights.author, *rights.signed))
        say(f"DROP TRIGGER IF EXISTS {table}_signed ON {table}")
        say(
            f"CREATE TRIGGER {table}_signed BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION signed_by_oneself({given})"
        )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{one}"' for one in columns)


@contextmanager
def _as_whoever_signed_in(connection: Connection) -> Iterator[None]:
    """Lay down the owner's role for what only the superuser behind it may do."""
    role = connection.exec_driver_sql("SELECT current_setting('role')").scalar_one()
    connection.exec_driver_sql("SET LOCAL ROLE NONE")
    yield
    if role != "none":
        connection.exec_driver_sql(f"SET LOCAL ROLE {role}")


_PINNED: Final = "SET search_path = pg_catalog, public, pg_temp"

# Numbers that a table gives out by itself need no right to its sequence, which could be run dry.
_NUMBERED: Final = (
    """
    DO $$
    DECLARE one record; next bigint;
    BEGIN
      FOR one IN
        SELECT c.oid::regclass AS held, a.attname AS name,
          pg_get_serial_sequence(c.oid::regclass::text, a.attname) AS numbers
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
          AND NOT a.attisdropped AND a.attidentity = ''
          AND pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL
      LOOP
        EXECUTE format('SELECT coalesce(max(%I), 0) + 1 FROM %s', one.name, one.held) INTO next;
        EXECUTE format('ALTER TABLE %s ALTER %I DROP DEFAULT', one.held, one.name);
        EXECUTE format('DROP SEQUENCE %s', one.numbers);
        EXECUTE format('ALTER TABLE %s ALTER %I ADD GENERATED BY DEFAULT AS IDENTITY '
          '(START WITH %s)', one.held, one.name, next);
      END LOOP;
    END $$
    """,
)


def refuses(words: str) -> str:
    """Write the statement with which a rule refuses."""
    return f"RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege'"


def rule(
    name: str, body: str, declare: str = "", *, definer: bool = False, replace: bool = False
) -> str:
    """Write a trigger function that lets whoever sets databases up do as they like."""
    return f"""
    CREATE {"OR REPLACE" if replace else ""} FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
    {"SECURITY DEFINER" if definer else ""} {_PINNED}
    AS $$
    {f"DECLARE {declare}" if declare else ""}
    BEGIN
      IF audit_may_say_who() THEN RETURN NEW; END IF;
      {body}
      RETURN NEW;
    END $$
    """


def before(table: str, on: str, asked: str) -> str:
    """Write the trigger that asks a rule before a row is written."""
    return f"CREATE TRIGGER {asked} BEFORE {on} ON {table} FOR EACH ROW EXECUTE FUNCTION {asked}()"


def at_the_end(table: str, on: str, asked: str, name: str = "") -> str:
    """Write the trigger that asks a rule when the transaction is about to commit."""
    return (
        f"CREATE CONSTRAINT TRIGGER {name or asked} AFTER {on} ON {table} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {asked}()"
    )


APPROVES: Final = (
    "(pg_has_role(session_user, 'console_supervisor', 'MEMBER')"
    " OR pg_has_role(session_user, 'console_administrator', 'MEMBER'))"
)
COURIER_SAYS: Final = (
    "'name:published', 'name:not_published', 'verification_email:resent', "
    "'verification_email:not_resent', 'verification_email:address_corrected', "
    "'verification_email:address_not_corrected', "
    "'contact:old_contact_told', 'contact:old_contact_not_told'"
)
ADMINISTRATOR_SAYS: Final = (
    "'staff:enrolled', 'staff:role_changed', 'staff:renamed', 'staff:password_given', "
    "'staff:dismissed'"
)

_RULES: Final = (
    rule(
        "signed_by_oneself",
        f"""
      author := TG_ARGV[0];
      IF author <> '' AND TG_OP = 'INSERT' AND becomes ->> author IS DISTINCT FROM session_user
      THEN
        {refuses("nobody signs for somebody else")};
      END IF;
      FOR place IN 1 .. TG_NARGS - 1 LOOP
        author := TG_ARGV[place];
        IF becomes ->> author IS DISTINCT FROM was ->> author
          AND becomes ->> author NOT IN ('', session_user) THEN
          {refuses("nobody signs for somebody else")};
        END IF;
      END LOOP;""",
        "author text; becomes jsonb := to_jsonb(NEW); "
        "was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;",
    ),
    rule(
        "call_is_ones_own",
        f"""
      IF OLD.staff <> session_user THEN
        {refuses("this call is a colleague''s")};
      ELSIF OLD.ended_at IS NOT NULL THEN
        {refuses("a call that was wrapped up stays as it is")};
      END IF;""",
    ),
    before("call", "UPDATE", "call_is_ones_own"),
    rule(
        "presence_is_ones_own",
        f"""
      IF OLD.staff <> session_user THEN
        {refuses("this presence is a colleague''s")};
      END IF;""",
    ),
    before("presence", "UPDATE", "presence_is_ones_own"),
    rule(
        "correction_is_honest",
        f"""
      IF NEW.approved_by = session_user AND NOT {APPROVES} THEN
        {refuses("only a supervisor approves")};
      ELSIF NEW.approved_by NOT IN ('', session_user) AND NOT EXISTS (
        SELECT 1 FROM staff s WHERE s.login = NEW.approved_by AND NOT s.dismissed
        AND s.role IN ('supervisor', 'administrator')) THEN
        {refuses("only a supervisor approves")};
      ELSIF NEW.undone_by <> '' OR NEW.undone_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM member m WHERE m.id = NEW.member_id
        AND (m.name, m.given_names) IN (
          (NEW.name_before, NEW.given_names_before), (NEW.name_after, NEW.given_names_after)))
      THEN
        {refuses("a correction tells what stood on file")};
      END IF;""",
    ),
    before("name_correction", "INSERT", "correction_is_honest"),
    rule(
        "name_has_correction",
        f"""
      IF (OLD.name, OLD.given_names) IS NOT DISTINCT FROM (NEW.name, NEW.given_names) THEN
        RETURN NEW;
      END IF;
      IF NOT EXISTS (
        SELECT 1 FROM name_correction c
        WHERE c.member_id = NEW.id AND c.xmin = pg_current_xact_id()::xid AND (
          (c.corrected_by = session_user AND c.undone_at IS NULL
            AND (c.name_before, c.given_names_before) = (OLD.name, OLD.given_names)
            AND (c.name_after, c.given_names_after) = (NEW.name, NEW.given_names))
          OR (c.undone_by = session_user AND c.undone_at IS NOT NULL
            AND (c.name_after, c.given_names_after) = (OLD.name, OLD.given_names)
            AND (c.name_before, c.given_names_before) = (NEW.name, NEW.given_names))))
      THEN
        {refuses("a name changes with a correction that says why")};
      END IF;""",
        definer=True,
    ),
    at_the_end("member", "UPDATE", "name_has_correction"),
    rule(
        "former_is_of_now",
        f"""
      IF NOT EXISTS (SELECT 1 FROM member m
        WHERE m.id = NEW.member_id AND m.xmin = pg_current_xact_id()::xid) THEN
        {refuses("what stood on file before is kept when it changes, and at no other time")};
      END IF;""",
        definer=True,
    ),
    at_the_end("former_name", "INSERT", "former_is_of_now", "former_name_is_of_now"),
    at_the_end("former_address", "INSERT", "former_is_of_now", "former_address_is_of_now"),
    rule(
        "errand_begins_waiting",
        f"""
      IF (NEW.state, NEW.tries, NEW.leased_by, NEW.answer) IS DISTINCT FROM
        ('waiting', 0, '', '') OR NEW.leased_until IS NOT NULL OR NEW.finished_at IS NOT NULL
      THEN
        {refuses("an errand begins waiting, and only a courier carries it")};
      ELSIF NOT EXISTS (SELECT 1 FROM account a
        WHERE a.number = NEW.account_number AND a.member_id = NEW.member_id) THEN
        {refuses("an errand is for a member and an account of theirs")};
      ELSIF (NEW.kind = 'publish_name') <> (NEW.correction_id IS NOT NULL)
        OR NEW.correction_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM name_correction c
          WHERE c.id = NEW.correction_id AND c.member_id = NEW.member_id) THEN
        {refuses("a name is published for a correction of the same member")};
      END IF;""",
    ),
    before("errand", "INSERT", "errand_begins_waiting"),
    rule(
        "errand_moves_on",
        f"""
      IF NEW.state = OLD.state AND OLD.state IN ('waiting', 'sending') THEN
        RETURN NEW;
      ELSIF (OLD.state, NEW.state) NOT IN (('waiting', 'sending'), ('sending', 'waiting'),
        ('sending', 'done'), ('sending', 'refused'), ('sending', 'gave_up')) THEN
        {refuses("an errand does not move like this")};
      END IF;""",
    ),
    before("errand", "UPDATE", "errand_moves_on"),
    rule(
        "registration_is_taken",
        f"""
      IF NEW.assigned_to = OLD.assigned_to THEN
        RETURN NEW;
      ELSIF NEW.assigned_to NOT IN ('', session_user) THEN
        {refuses("nobody takes work for somebody else")};
      ELSIF OLD.assigned_to NOT IN ('', session_user) AND NOT {APPROVES} THEN
        {refuses("a colleague works on this one already")};
      END IF;""",
    ),
    before("registration", "UPDATE", "registration_is_taken"),
    rule(
        "version_follows",
        f"""
      IF NEW.version <> OLD.version + 1
        OR to_jsonb(NEW) - 'version' = to_jsonb(OLD) - 'version' THEN
        {refuses("a version follows the one before, with a change")};
      END IF;""",
    ),
    *(
        before(table, "UPDATE", "version_follows")
        for table in ("member", "alert", "note", "call", "name_correction")
    ),
    rule("change_is_now", "NEW.at := clock_timestamp();"),
    before("change", "INSERT", "change_is_now"),
    # This one is nobody's definer, so it sees whether a trigger of the owner speaks or a person.
    rule(
        "audit_entry_is_spoken",
        f"""
      IF current_user <> session_user THEN
        RETURN NEW;
      ELSIF NEW.action LIKE 'row:%' OR NEW.before IS NOT NULL OR NEW.after IS NOT NULL THEN
        {refuses("only the database itself says what changed")};
      ELSIF NEW.action IN ({COURIER_SAYS})
        AND NOT pg_has_role(session_user, '{COURIER}', 'MEMBER') THEN
        {refuses("only a courier says what the portal did")};
      ELSIF NEW.action IN ({ADMINISTRATOR_SAYS})
        AND NOT pg_has_role(session_user, 'console_administrator', 'MEMBER') THEN
        {refuses("only an administrator looks after the staff")};
      END IF;""",
    ),
    before("audit_entry", "INSERT", "audit_entry_is_spoken"),
    f"""
    CREATE FUNCTION search_rekey(
      member_id integer, gone text[], gone_of int[], come text[], come_of int[],
      words text[], variants text[], heads text[]
    ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    BEGIN
      -- The index follows a member who changes in this very transaction, and nobody else.
      IF NOT audit_may_say_who() AND NOT EXISTS (SELECT 1 FROM member m
        WHERE m.id = search_rekey.member_id AND m.xmin = pg_current_xact_id()::xid) THEN
        {refuses("the search index follows the file, and nothing else")};
      END IF;
      DELETE FROM search_key k USING unnest(gone, gone_of) AS g (key, of)
        WHERE k.key = g.key AND k.member_id = search_rekey.member_id AND k.of = g.of;
      INSERT INTO search_key (key, member_id, of)
        SELECT c.key, search_rekey.member_id, c.of FROM unnest(come, come_of) AS c (key, of)
        ON CONFLICT DO NOTHING;
      INSERT INTO search_word (word) SELECT unnest(words) ON CONFLICT DO NOTHING;
      INSERT INTO search_head (variant, head) SELECT * FROM unnest(variants, heads)
        ON CONFLICT DO NOTHING;
    END $$
    """,
    f"""
    CREATE FUNCTION presence_remove(origin text, member_id integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER {_PINNED}
    AS $$
      DELETE FROM presence p
      WHERE p.origin = presence_remove.origin AND p.member_id = presence_remove.member_id
        -- One's own, or what is left of a console that died.
        AND (p.staff = session_user OR p.seen_at < clock_timestamp() - interval '20 seconds'
          OR audit_may_say_who())
    $$
    """,
    f"""
    CREATE FUNCTION change_forget(before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER {_PINNED}
    AS $$
      DELETE FROM change WHERE at < before AND (
        at < clock_timestamp() - interval '10 minutes' OR audit_may_say_who())
    $$
    """,
)

_GROUPS_OF_PEOPLE: Final = ", ".join(f"'{one}'" for one in PEOPLE)
_SCRAM: Final = (
    r"^SCRAM-SHA-256\$\d{4,7}:[A-Za-z0-9+/]{16,}={0,2}"
    r"\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$"
)
_CONTACT_COLUMNS: Final = (
    "email",
    "phone",
    "second_phone",
    "mailing_line",
    "mailing_city",
    "mailing_state",
    "mailing_zip",
)


def _contact(row: str, only: str) -> str:
    """Put together, as jsonb, those contact details of a member's row that a change names."""
    pairs = ", ".join(f"'{one}', {row}.{one}" for one in _CONTACT_COLUMNS)
    return (
        f"(SELECT jsonb_object_agg(key, value) FROM jsonb_each(jsonb_build_object({pairs})) "
        f"WHERE {only}::jsonb ? key)"
    )


_SAME_CONTACT: Final = " AND ".join(
    f"OLD.{one} IS NOT DISTINCT FROM NEW.{one}" for one in _CONTACT_COLUMNS
)
_CHANGED_CONTACT: Final = " AND ".join(
    f"(OLD.{one} IS NOT DISTINCT FROM NEW.{one} OR c.after::jsonb ? '{one}')"
    for one in _CONTACT_COLUMNS
)
_CONTACT_RULES: Final = (
    rule(
        "contact_has_change",
        f"""
      IF {_SAME_CONTACT} THEN
        RETURN NEW;
      END IF;
      IF NOT EXISTS (
        SELECT 1 FROM contact_change c
        WHERE c.member_id = NEW.id AND c.xmin = pg_current_xact_id()::xid AND {_CHANGED_CONTACT}
        AND (
          (c.changed_by = session_user AND c.undone_at IS NULL
            AND c.before::jsonb = {_contact("OLD", "c.before")}
            AND c.after::jsonb = {_contact("NEW", "c.after")})
          OR (c.undone_by = session_user AND c.undone_at IS NOT NULL
            AND c.after::jsonb = {_contact("OLD", "c.after")}
            AND c.before::jsonb = {_contact("NEW", "c.before")})))
      THEN
        {refuses("contact details change with a row that says who asked")};
      END IF;""",
        definer=True,
    ),
    at_the_end("member", "UPDATE", "contact_has_change"),
    rule(
        "contact_change_is_honest",
        f"""
      IF NEW.undone_by <> '' OR NEW.undone_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM member m WHERE m.id = NEW.member_id AND (
          NEW.before::jsonb = {_contact("m", "NEW.before")}
          OR NEW.after::jsonb = {_contact("m", "NEW.after")}))
      THEN
        {refuses("a change tells what stood on file")};
      END IF;""",
    ),
    before("contact_change", "INSERT", "contact_change_is_honest"),
)

_STAFF: Final = (
    f"""
    CREATE FUNCTION staff_check(login text) RETURNS void LANGUAGE plpgsql {_PINNED}
    AS $$
    BEGIN
      IF NOT pg_has_role(session_user, 'console_administrator', 'MEMBER') THEN
        {refuses("only an administrator looks after the staff")};
      ELSIF login !~ '^[a-z][a-z0-9._@-]{{0,59}}$' OR login ~ '^(pg_|console_)' THEN
        {refuses("this login is not one of the staff''s")};
      ELSIF EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = login AND (
        r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
        OR NOT EXISTS (SELECT 1 FROM staff s WHERE s.login = r.rolname))) THEN
        {refuses("this login is not one of the staff''s")};
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_check_known(login text) RETURNS void LANGUAGE plpgsql {_PINNED}
    AS $$
    BEGIN
      PERFORM staff_check(login);
      -- One change of the staff at a time, so that two cannot take away the last administrator.
      PERFORM 1 FROM staff s WHERE s.role = 'administrator' ORDER BY s.login FOR UPDATE;
      IF NOT EXISTS (SELECT 1 FROM staff s WHERE s.login = staff_check_known.login
        AND NOT s.dismissed) THEN
        {refuses("nobody of the office has this login")};
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_check_verifier(verifier text) RETURNS void LANGUAGE plpgsql {_PINNED}
    AS $$
    BEGIN
      IF verifier IS NULL OR verifier !~ '{_SCRAM}' THEN
        {refuses("a password is given as a verifier of SCRAM-SHA-256")};
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_check_others(login text) RETURNS void LANGUAGE plpgsql {_PINNED}
    AS $$
    BEGIN
      IF login = session_user THEN
        {refuses("nobody does this to themselves")};
      ELSIF NOT EXISTS (SELECT 1 FROM staff s WHERE s.role = 'administrator'
        AND NOT s.dismissed AND s.login <> staff_check_others.login) THEN
        {refuses("the last administrator stays")};
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_seat(login text, role text) RETURNS void LANGUAGE plpgsql {_PINNED}
    AS $$
    DECLARE one text;
    BEGIN
      IF role <> '' AND 'console_' || role NOT IN ({_GROUPS_OF_PEOPLE}) THEN
        {refuses("there is no such role in the office")};
      END IF;
      FOR one IN SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
        JOIN pg_roles u ON u.oid = m.member
        WHERE u.rolname = staff_seat.login AND g.rolname LIKE 'console%'
      LOOP
        EXECUTE format('REVOKE %I FROM %I', one, login);
      END LOOP;
      IF role <> '' THEN
        EXECUTE format('GRANT %I TO %I', 'console_' || role, login);
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_add(login text, name text, role text, verifier text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    DECLARE there boolean;
    BEGIN
      PERFORM staff_check(staff_add.login);
      PERFORM staff_check_verifier(staff_add.verifier);
      there := EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = staff_add.login);
      IF there AND EXISTS (SELECT 1 FROM staff s WHERE s.login = staff_add.login
        AND NOT s.dismissed) THEN
        {refuses("somebody of the office has this login already")};
      END IF;
      EXECUTE format('%s ROLE %I LOGIN CONNECTION LIMIT 40 PASSWORD %L',
        CASE WHEN there THEN 'ALTER' ELSE 'CREATE' END, staff_add.login, staff_add.verifier);
      PERFORM staff_seat(staff_add.login, coalesce(nullif(staff_add.role, ''), 'nobody'));
      UPDATE staff s SET name = staff_add.name, role = staff_add.role, dismissed = false,
        version = s.version + 1 WHERE s.login = staff_add.login;
      IF NOT FOUND THEN
        INSERT INTO staff (login, name, role, password_hash, dismissed, version)
        VALUES (staff_add.login, staff_add.name, staff_add.role, '', false, 1);
      END IF;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_change_role(login text, role text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM staff_check_known(staff_change_role.login);
      PERFORM staff_check_others(staff_change_role.login);
      PERFORM staff_seat(staff_change_role.login,
        coalesce(nullif(staff_change_role.role, ''), 'nobody'));
      UPDATE staff s SET role = staff_change_role.role, version = s.version + 1
        WHERE s.login = staff_change_role.login;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_rename(login text, name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM staff_check_known(staff_rename.login);
      UPDATE staff s SET name = staff_rename.name, version = s.version + 1
        WHERE s.login = staff_rename.login;
    END $$
    """,
    f"""
    CREATE FUNCTION staff_password(login text, verifier text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    BEGIN
      PERFORM staff_check_known(staff_password.login);
      PERFORM staff_check_verifier(staff_password.verifier);
      EXECUTE format('ALTER ROLE %I PASSWORD %L', staff_password.login, staff_password.verifier);
      -- Whoever knew the old one is out, and a desk cannot open more connections with it.
      PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a
        WHERE a.usename = staff_password.login AND a.pid <> pg_backend_pid();
    END $$
    """,
    f"""
    CREATE FUNCTION staff_dismiss(login text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM staff_check_known(staff_dismiss.login);
      PERFORM staff_check_others(staff_dismiss.login);
      IF EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = staff_dismiss.login) THEN
        EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL', staff_dismiss.login);
        PERFORM staff_seat(staff_dismiss.login, '');
      END IF;
      UPDATE staff s SET dismissed = true, version = s.version + 1
        WHERE s.login = staff_dismiss.login;
      -- Whoever slips in before this commits has lost every right by then.
      PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a
        WHERE a.usename = staff_dismiss.login AND a.pid <> pg_backend_pid();
    END $$
    """,
    f"""
    CREATE FUNCTION staff_signed_in() RETURNS TABLE (
      login text, name text, role text, workstation text, address text, since timestamptz
    ) LANGUAGE plpgsql SECURITY DEFINER {_PINNED}
    AS $$
    #variable_conflict use_column
    BEGIN
      IF NOT pg_has_role(session_user, 'console_administrator', 'MEMBER') THEN
        {refuses("only an administrator looks after the staff")};
      END IF;
      RETURN QUERY SELECT s.login::text, s.name::text, s.role::text, a.application_name::text,
        coalesce(host(a.client_addr), '')::text, a.backend_start
        FROM pg_stat_activity a JOIN staff s ON s.login = a.usename
        WHERE a.datname = current_database() ORDER BY a.backend_start;
    END $$
    """,
)

_FOR_ADMINISTRATORS: Final = (
    "staff_add(text, text, text, text)",
    "staff_change_role(text, text)",
    "staff_rename(text, text)",
    "staff_password(text, text)",
    "staff_dismiss(text)",
    "staff_signed_in()",
)
_INSIDE: Final = (
    "staff_check(text)",
    "staff_check_known(text)",
    "staff_check_verifier(text)",
    "staff_check_others(text)",
    "staff_seat(text, text)",
)
_ALL: Final = ", ".join(EVERYBODY)

_CLOSING: Final = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"GRANT USAGE ON SCHEMA public TO {_ALL}, {REGISTRAR}",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION audit_may_say_who() TO {_ALL}, {REGISTRAR}",
    "GRANT EXECUTE ON FUNCTION search_rekey(integer, text[], int[], text[], int[], text[], text[], "
    f"text[]) TO {', '.join(CHANGERS)}",
    f"GRANT EXECUTE ON FUNCTION presence_remove(text, integer) TO {', '.join(PEOPLE)}",
    f"GRANT EXECUTE ON FUNCTION change_forget(timestamptz) TO {_ALL}",
    f"GRANT SELECT, INSERT, UPDATE ON staff TO {REGISTRAR}",
    f"GRANT EXECUTE ON FUNCTION {', '.join(_FOR_ADMINISTRATORS)} TO console_administrator",
    # An owner must be able to make things in the schema, but only while it becomes one.
    f"GRANT CREATE ON SCHEMA public TO {REGISTRAR}",
    *(f"ALTER FUNCTION {one} OWNER TO {REGISTRAR}" for one in (*_FOR_ADMINISTRATORS, *_INSIDE)),
    f"REVOKE CREATE ON SCHEMA public FROM {REGISTRAR}",
    # What is pinned cannot be led astray by a table of the same name somewhere else.
    """
    DO $$
    DECLARE one record;
    BEGIN
      FOR one IN SELECT p.oid::regprocedure AS named FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proconfig IS NULL
        AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
      LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp',
          one.named);
      END LOOP;
    END $$
    """,
    # No temporary tables, no large objects, no locks of one's own that others would wait for.
    f"""
    DO $$
    DECLARE one record;
    BEGIN
      EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO {_ALL}', current_database());
      FOR one IN SELECT p.oid::regprocedure AS named FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND (
          p.proname ~ '^(lo_|loread|lowrite)' OR p.proname ~ 'advisory'
          OR p.proname = 'pg_logical_emit_message')
      LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one.named);
      END LOOP;
    END $$
    """,
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)
