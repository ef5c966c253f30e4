import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from console.cli import main
from console.models import schema
from console.models.base import Records
from console.sandbox import demo, training

Capsys = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def database(capsys: Capsys, *words: str) -> tuple[int, str, str]:
    status = main(["database", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def check(capsys: Capsys, url: str) -> tuple[int, dict[str, object], str]:
    status, out, err = database(capsys, "check", "--json", "--database", url)
    (line,) = out.splitlines()
    return status, json.loads(line), err


def tell(url: str, *statements: str) -> None:
    """Do to a database what no console does."""
    records = schema.connect(url)
    with records.begin() as db:
        for statement in statements:
            db.execute(text(statement))
    records.close()


@pytest.fixture
def coop(records: Records, database_url: str) -> str:
    """A small co-op on either engine."""
    demo.create(records, 60, 1, NOW)
    return database_url


def test_a_new_database_is_made(capsys: Capsys, empty_database_url: str) -> None:
    words = ("upgrade", "--json", "--database", empty_database_url)
    status, out, err = database(capsys, *words)
    assert status == 0
    assert json.loads(out) == {
        "revision": schema.LATEST, "head": schema.LATEST, "before": None, "ok": True
    }  # fmt: skip
    assert err == "The tables of the database were created.\n"
    status, out, err = database(capsys, *words)
    assert status == 0
    assert json.loads(out)["before"] == schema.LATEST
    assert err == "The database was up to date already.\n"
    status, told, _ = check(capsys, empty_database_url)
    assert (status, told["ok"], told["members"]) == (0, True, 0)


def test_an_older_database_is_upgraded_and_keeps_what_is_in_it(
    capsys: Capsys, empty_database_url: str
) -> None:
    records = schema.connect(empty_database_url)
    config_of(records, "0001")
    records.close()
    tell(
        empty_database_url,
        "INSERT INTO staff (login, name, role, password_hash, dismissed, version) "
        "VALUES ('pat', 'Pat', 'representative', '', false, 1)",
    )
    status, told, err = check(capsys, empty_database_url)
    assert status == 1
    assert (told["revision"], told["head"], told["ok"]) == ("0001", schema.LATEST, False)
    assert "made by an older console" in err
    assert "database upgrade" in err
    status, out, err = database(capsys, "upgrade", "--json", "--database", empty_database_url)
    assert status == 0
    assert json.loads(out)["before"] == "0001"
    assert f"from revision 0001 to {schema.LATEST}" in err
    status, told, _ = check(capsys, empty_database_url)
    assert (status, told["problems"]) == (0, [])
    records = schema.connect(empty_database_url)
    with records.read() as db:
        assert db.scalar(text("SELECT name FROM staff")) == "Pat"
    records.close()


def config_of(records: Records, revision: str) -> None:
    """Make the tables as a console of that revision made them."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with records.engine.execution_options(console_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_sound_database_is_said_to_be_sound(capsys: Capsys, coop: str) -> None:
    status, told, err = check(capsys, coop)
    assert status == 0
    assert told["members"] == 60
    assert told["accounts"] >= 60
    assert told == {
        "revision": schema.LATEST, "head": schema.LATEST, "ok": True, "whole": True,
        "members": 60, "accounts": told["accounts"], "index_ok": True, "problems": [],
    }  # fmt: skip
    assert err == ""
    status, out, err = database(capsys, "check", "--database", coop)
    assert status == 0
    assert out.startswith("All is well: 60 members with ")
    assert err == ""


def test_an_index_that_lacks_members_is_found_and_made_again(capsys: Capsys, coop: str) -> None:
    tell(coop, "DELETE FROM search_key WHERE member_id = 30")
    status, told, err = check(capsys, coop)
    assert status == 1
    assert (told["ok"], told["index_ok"], told["whole"]) == (False, False, True)
    assert "database reindex" in err
    status, out, _ = database(capsys, "reindex", "--json", "--database", coop)
    assert status == 0
    assert json.loads(out)["keys"] > 60
    assert check(capsys, coop)[0] == 0


def test_tables_that_somebody_changed_are_found(capsys: Capsys, coop: str) -> None:
    tell(coop, "DROP TABLE former_address", "ALTER TABLE note ADD COLUMN mood varchar(10)")
    status, told, err = check(capsys, coop)
    assert status == 1
    assert told["whole"] is False
    assert "former_address" in err
    assert "mood" in err
    assert "last night's copy" in err


def test_a_newer_database_is_left_alone(capsys: Capsys, coop: str) -> None:
    tell(coop, "UPDATE alembic_version SET version_num = '9999'")
    status, told, err = check(capsys, coop)
    assert status == 1
    assert (told["revision"], told["ok"]) == ("9999", False)
    assert "Update the console on this workstation" in err
    for act in ("upgrade", "reindex"):
        status, out, err = database(capsys, act, "--json", "--database", coop)
        assert (status, out) == (1, "")
        assert "newer console" in err


def test_nothing_is_made_by_checking(capsys: Capsys, empty_database_url: str) -> None:
    status, told, err = check(capsys, empty_database_url)
    assert status == 1
    assert (told["revision"], told["ok"]) == (None, False)
    assert "database upgrade" in err
    if empty_database_url.startswith("sqlite"):
        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()


@pytest.mark.parametrize("url", ["office.db", "", "mysql://server/coop", "sqlite:///:memory:"])
def test_an_address_that_leads_nowhere_is_a_sentence(capsys: Capsys, url: str) -> None:
    status, told, err = check(capsys, url)
    assert status == 1
    assert told["ok"] is False
    assert told["problems"] == [err.strip()]
    assert "sqlite:///C:/co-op/office.db" in err
    assert database(capsys, "upgrade", "--database", url)[0] == 1


def test_a_damaged_file_is_found(capsys: Capsys, sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    file.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{file}"
    records = schema.open_records(url)
    demo.create(records, 300, 1, NOW)
    records.close()
    with sqlite3.connect(file) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        page = db.execute("select rootpage from sqlite_schema where name = 'member'").fetchone()[0]
        size = db.execute("pragma page_size").fetchone()[0]
    db.close()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)
    status, told, err = check(capsys, url)
    assert status == 1
    assert told["ok"] is False
    assert "damaged" in err
    assert "last night's copy" in err


def test_a_row_that_belongs_to_nobody_is_found(
    capsys: Capsys, sqlite_template: Path, tmp_path: Path
) -> None:
    file = tmp_path / "office.db"
    file.write_bytes(sqlite_template.read_bytes())
    with sqlite3.connect(file) as db:  # its foreign keys are off unless asked for
        db.execute(
            "INSERT INTO former_address (member_id, line, city, until) "
            "VALUES (77, '1 Oak St', 'Juniper', '2020-01-01 00:00:00.000000')"
        )
    db.close()
    status, told, err = check(capsys, f"sqlite:///{file}")
    assert status == 1
    assert told["whole"] is False
    assert "Row 1 of former_address belongs to a row of member that is not there." in err


def test_a_file_that_is_no_database(capsys: Capsys, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    file.write_text("<html>not found</html>" * 100)
    status, told, err = check(capsys, f"sqlite:///{file}")
    assert status == 1
    assert told["revision"] is None
    assert "is not a database" in err


def test_a_database_that_another_program_holds(
    capsys: Capsys, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.models.base.SQLITE_PATIENCE_MILLISECONDS", 50)
    file = tmp_path / "office.db"
    file.write_bytes(sqlite_template.read_bytes())
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("pragma locking_mode = exclusive")
    holder.execute("begin exclusive")
    status, told, err = check(capsys, f"sqlite:///{file}")
    holder.close()
    assert status == 1
    assert told["ok"] is False
    assert "Another program holds the database" in err


def test_a_database_that_can_only_be_read_is_not_upgraded(capsys: Capsys, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    sqlite3.connect(file).close()
    file.touch()
    status, _, err = database(
        capsys, "upgrade", "--database", f"sqlite:///file:{file}?mode=ro&uri=true"
    )
    assert status == 1
    assert "only be read" in err


def test_without_an_address_it_is_the_training_coop(
    capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    status, out, _ = database(capsys, "check", "--json")
    assert status == 0
    assert json.loads(out)["members"] == 400
    assert database(capsys, "upgrade")[0] == 0


def test_misuse_is_status_2() -> None:
    for words in ([], ["repair"], ["check", "--what"]):
        with pytest.raises(SystemExit) as stopped:
            main(["database", *words])
        assert stopped.value.code == 2


def test_the_training_coop_of_an_older_console_is_upgraded_by_the_way(
    capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    url = training.database_url(tmp_path)
    assert database(capsys, "upgrade")[0] == 0
    for file in tmp_path.glob("training.db*"):
        file.unlink()
    records = schema.connect(url)
    config_of(records, "0001")
    records.close()
    assert check(capsys, url)[1]["revision"] == "0001"
    assert database(capsys, "reindex")[0] == 0
    assert check(capsys, url)[1]["revision"] == schema.LATEST


def test_a_server_is_set_up_only_by_its_superuser(capsys: Capsys, tmp_path: Path) -> None:
    status, out, err = database(capsys, "init", "--admin-url", f"sqlite:///{tmp_path / 'x.db'}")
    assert (status, out) == (1, "")
    assert "database upgrade" in err
    status, _, err = database(
        capsys, "init", "--admin-url", "postgresql://nobody:x@127.0.0.1:1/postgres"
    )
    assert status == 1
    assert "does not answer" in err


def test_rules_that_somebody_took_away_are_found(capsys: Capsys, coop: str) -> None:
    listed = (
        "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'"
        if coop.startswith("sqlite")
        else "SELECT 'DROP TRIGGER ' || quote_ident(tgname) || ' ON ' || tgrelid::regclass "
        "FROM pg_trigger WHERE NOT tgisinternal"
    )
    records = schema.connect(coop)
    with records.glance() as connection:
        statements = [row[0] for row in connection.exec_driver_sql(listed)]
    records.close()
    assert len(statements) > 30
    tell(coop, *statements)
    status, told, err = check(capsys, coop)
    assert (status, told["ok"], told["whole"]) == (1, False, False)
    assert "is missing" in err
    assert "more faults like these" in err


def test_one_rule_that_somebody_took_away_is_named(capsys: Capsys, coop: str) -> None:
    on = "" if coop.startswith("sqlite") else " ON coop"
    tell(coop, f"DROP TRIGGER coop_stays{on}")
    status, _, err = check(capsys, coop)
    assert status == 1
    assert "The trigger coop_stays on coop is missing" in err
