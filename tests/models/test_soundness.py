"""That a check of a database names every rule that somebody took away, changed or added."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from console.models import schema, soundness
from console.models.base import Records
from console.models.roles import EVERYBODY, RIGHTS
from console.services.setting_up import set_up_server

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
TRIGGERS = (
    "SELECT tgname, relname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal ORDER BY 1, 2"
)
FUNCTIONS = (
    "SELECT p.oid::regprocedure::text, proname, pg_get_functiondef(p.oid), prosrc FROM pg_proc p "
    "WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
)


def tell(records: Records, *statements: str) -> list[tuple[object, ...]]:
    """Do what only the owner of a database can, and answer the last rows."""
    with records.engine.execution_options(console_writes=True).begin() as connection:
        for statement in statements:
            done = connection.exec_driver_sql(statement.replace("%", "%%"))
        return [tuple(row) for row in done] if done.returns_rows else []


def faults(records: Records) -> str:
    return "\n".join(soundness.faults(records))


def test_what_the_migrations_make_is_sound(records: Records) -> None:
    assert soundness.faults(records) == []


@SQLITE
def test_every_trigger_of_a_file_is_missed(records: Records) -> None:
    rows = tell(records, "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'")
    assert len(rows) > 30
    tell(records, *(f"DROP TRIGGER {name}" for name, _, _ in rows))
    with records.glance() as connection:
        found = list(soundness._of_the_rules_on_sqlite(connection))
    assert len(found) == len(rows)
    for name, table, _ in rows:
        assert any(f"The trigger {name} on {table} is missing" in one for one in found)
    said = soundness.faults(records)
    assert len(said) == 21
    assert said[-1] == f"There are {len(rows) - 20} more faults like these."


@SQLITE
@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DROP TRIGGER audit_entry_no_delete"],
         "The trigger audit_entry_no_delete on audit_entry is missing"),
        (["DROP TRIGGER coop_stays",
          "CREATE TRIGGER coop_stays BEFORE UPDATE ON coop BEGIN SELECT 1; END"],
         "The trigger coop_stays on coop was changed"),
        (["CREATE TRIGGER helper AFTER INSERT ON note BEGIN SELECT 1; END"],
         "The trigger helper on note is none of the console's"),
        (["CREATE VIEW everybody AS SELECT * FROM member"],
         "The view everybody on everybody is none of the console's"),
        (["DROP INDEX uq_errand_open_once",
          "CREATE UNIQUE INDEX uq_errand_open_once ON errand (kind, account_number) WHERE 0"],
         "The index uq_errand_open_once on errand was changed"),
    ],
)  # fmt: skip
def test_a_changed_rule_of_a_file_is_named(
    records: Records, statements: list[str], said: str
) -> None:
    tell(records, *statements)
    assert said in faults(records)


def alone(connection: Connection) -> list[str]:
    return list(soundness._of_the_rules_on_postgresql(connection))


@POSTGRESQL
@pytest.mark.parametrize("did", ["dropped", "switched off", "replica only", "another function"])
def test_every_trigger_of_a_server_is_missed(records: Records, did: str) -> None:
    rows = tell(records, TRIGGERS)
    assert len(rows) > 40
    what = {"dropped": "is missing", "another function": "was changed"}.get(did, "is switched off")
    with records.engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$"
        )
        for name, table, definition in rows:
            other = re.sub(r"(FUNCTION) \w+\(.*", r"\1 harmless()", str(definition))
            for statement in {
                "dropped": (f'DROP TRIGGER "{name}" ON {table}',),
                "switched off": (f'ALTER TABLE {table} DISABLE TRIGGER "{name}"',),
                "replica only": (f'ALTER TABLE {table} ENABLE REPLICA TRIGGER "{name}"',),
                "another function": (f'DROP TRIGGER "{name}" ON {table}', other),
            }[did]:
                connection.exec_driver_sql(statement)
        said = [one for one in alone(connection) if "harmless" not in one]
    assert len(said) == len(rows)
    for name, table, _ in rows:
        assert any(one.startswith(f"The trigger {name} on {table} {what}") for one in said)


@POSTGRESQL
@pytest.mark.parametrize("did", ["dropped", "rewritten", "turned round"])
def test_every_function_of_a_server_is_missed(records: Records, did: str) -> None:
    rows = tell(records, FUNCTIONS)
    assert len(rows) > 30
    with records.engine.connect() as connection:
        for signature, _, definition, body in rows:
            definer = " SECURITY DEFINER" in str(definition)
            statement = {
                "dropped": f"DROP FUNCTION IF EXISTS {signature} CASCADE",
                "rewritten": str(definition).replace(str(body), f"{body} ", 1),
                "turned round": f"ALTER FUNCTION {signature} SECURITY "
                + ("INVOKER" if definer else "DEFINER"),
            }[did]
            connection.exec_driver_sql(statement.replace("%", "%%"))
        said = alone(connection)
    what = "is missing" if did == "dropped" else "was changed"
    for _, name, _, _ in rows:
        assert any(one.startswith(f"The function {name} {what}") for one in said), name


@POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
         "The function mine is none of the console's"),
        ("CREATE TRIGGER mine BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION coop_stays()",
         "The trigger mine on note is none of the console's"),
        ("CREATE RULE mine AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
         "The rule mine on audit_entry is none of the console's"),
        ("ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY",
         "The table audit_entry hides rows from some"),
        ("GRANT DELETE ON audit_entry TO console_clerk",
         "console_clerk may DELETE the table audit_entry, and the console did not allow it"),
        ("GRANT UPDATE (identity_last_four, since) ON member TO console_representative",
         "console_representative may UPDATE identity_last_four, since of the table member"),
        ("GRANT SELECT ON staff TO PUBLIC", "Everybody may SELECT the table staff"),
        ("GRANT EXECUTE ON FUNCTION staff_seat(text, text) TO PUBLIC",
         "Everybody may EXECUTE the function staff_seat"),
        ("REVOKE SELECT ON audit_entry FROM console_auditor",
         "console_auditor may not SELECT the table audit_entry any more"),
        ("REVOKE UPDATE (name) ON member FROM console_clerk",
         "console_clerk may not UPDATE name of the table member any more"),
        ("REVOKE EXECUTE ON FUNCTION staff_dismiss(text) FROM console_administrator",
         "console_administrator may not EXECUTE the function staff_dismiss any more"),
        ("DROP TRIGGER errand_end_is_final ON errand; CREATE TRIGGER errand_end_is_final "
         "BEFORE UPDATE ON errand FOR EACH ROW WHEN (OLD.state = 'done') "
         "EXECUTE FUNCTION errand_end_is_final()",
         "The trigger errand_end_is_final on errand was changed"),
    ],
)  # fmt: skip
def test_what_somebody_did_to_a_server_is_named(
    records: Records, statement: str, said: str
) -> None:
    tell(records, statement)
    found = [one for one in soundness.faults(records) if "the function mine" not in one]
    assert len(found) == 1
    assert said in found[0]


@POSTGRESQL
def test_every_right_that_is_taken_away_is_missed(records: Records) -> None:
    for rights in RIGHTS:
        with records.engine.connect() as connection:
            connection.exec_driver_sql(f"REVOKE ALL ON {rights.table} FROM {', '.join(EVERYBODY)}")
            said = alone(connection)
            assert said
            assert all(f"the table {rights.table} any more" in one for one in said)
            connection.rollback()


@POSTGRESQL
def test_a_login_of_the_staff_with_a_right_of_its_own_is_named(records: Records) -> None:
    with records.engine.connect() as connection:
        for statement in (
            "CREATE ROLE zoe_of_soundness LOGIN", "GRANT console_clerk TO zoe_of_soundness",
            "GRANT DELETE ON note TO zoe_of_soundness",
            "CREATE ROLE monitor_of_soundness LOGIN",
            "GRANT SELECT ON note TO monitor_of_soundness",
        ):  # fmt: skip
            connection.exec_driver_sql(statement)
        (said,) = alone(connection)
        assert said.startswith("zoe_of_soundness may DELETE the table note")
        connection.rollback()


@POSTGRESQL
def test_whoever_may_sign_in_may_check(records: Records) -> None:
    """The catalogue is open to everybody, so no right is needed to compare with it."""
    with records.engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE console_representative")
        assert alone(connection) == []
        with pytest.raises(DBAPIError):
            connection.exec_driver_sql("SELECT password_hash FROM staff")


def test_an_office_that_init_set_up_is_sound(postgresql_server: str, monkeypatch) -> None:
    """There the tables have an owner that nobody signs in as."""
    name = f"sound_{uuid4().hex[:12]}"
    set_up_server(postgresql_server, name, "", "", lambda login: "")
    url = make_url(postgresql_server).set(database=name).render_as_string(False)
    records = schema.open_records(url, upgrade_it=False)
    try:
        assert soundness.faults(records) == []
    finally:
        records.close()
        server = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.dispose()
