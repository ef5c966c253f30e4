import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from console.models import schema
from console.models.base import connect

ROOT = Path(__file__).parents[2]


def test_the_tables_are_what_the_records_say(records):
    with records.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.every_record()) == []


def test_the_newest_step_is_the_one_we_look_for():
    heads = ScriptDirectory(str(schema.MIGRATIONS)).get_heads()
    assert heads == [schema.LATEST]


def test_opening_a_current_database_does_not_wait_for_alembic(database_url):
    script = (
        "import sys; from console.models import schema\n"
        f"schema.open_records({database_url!r}).close()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_four_consoles_at_once_make_one_upgrade(empty_database_url):
    script = (
        "import sys; from console.models import schema\n"
        "sys.stdin.readline()\n"
        f"records = schema.open_records({empty_database_url!r})\n"
        "print(schema.age(records).value)\n"
        "records.close()"
    )
    consoles = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for console in consoles:
        console.stdin.write("go\n")
        console.stdin.flush()
    said = [console.communicate(timeout=60) for console in consoles]
    assert [out.strip() for out, _ in said] == ["current"] * 4, said
    engine = connect(empty_database_url)
    with engine.glance() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.close()


def test_a_new_database_is_left_alone_when_it_is_only_to_be_looked_at(empty_database_url):
    with pytest.raises(schema.CannotOpen, match="database upgrade"):
        schema.open_records(empty_database_url, upgrade_it=False)


def test_a_newer_database_is_refused(records, database_url):
    with records.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.NewerDatabase, match="Update the console"):
        schema.open_records(database_url)


def test_another_programs_database_is_refused_and_left_alone(empty_database_url):
    engine = create_engine(make_url(empty_database_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (title varchar(20))"))
    with pytest.raises(schema.CannotOpen, match="another program"):
        schema.open_records(empty_database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM songs")) == 0
    engine.dispose()


def test_nobody_else_can_read_a_new_file(tmp_path):
    schema.open_records(f"sqlite:///{tmp_path / 'new.db'}").close()
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"\x00" * 4096,
        b"SQLite format 3\0" + b"rubbish" * 1000,
        b"PK\x03\x04",
    ],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "office.db"
    file.write_bytes(content)
    with pytest.raises(schema.CannotOpen, match="not a database"):
        schema.open_records(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_an_empty_file_is_a_new_database(tmp_path):
    (tmp_path / "office.db").touch()
    records = schema.open_records(f"sqlite:///{tmp_path / 'office.db'}")
    assert schema.age(records) is schema.Age.CURRENT
    records.close()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(schema.CannotOpen, match=r"no folder .*nowhere.*Create it"):
        schema.open_records(f"sqlite:///{tmp_path / 'nowhere' / 'office.db'}")


def test_a_missing_file_is_not_made_by_looking(tmp_path):
    with pytest.raises(schema.CannotOpen, match="no database"):
        schema.open_records(f"sqlite:///{tmp_path / 'office.db'}", upgrade_it=False)
    assert not (tmp_path / "office.db").exists()


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(schema.CannotOpen, match="is a folder"):
        schema.open_records(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "office.db",
        "mysql://server/coop",
        "oracle+cx_oracle://server",
        "sqlite://",
        "sqlite:///:memory:",
        "http://[::1",
        "postgresql://server:port/x",
        "x" * 100_000,
        "sqlite:///a\0b",
        "sqlite:///" + "x" * 5000,
    ],
)
def test_an_address_that_leads_nowhere(url):
    with pytest.raises(schema.CannotOpen, match=r"\.$"):
        schema.open_records(url)


def test_a_database_that_another_program_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("console.models.base.SQLITE_PATIENCE_MILLISECONDS", 50)
    file = tmp_path / "office.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(schema.CannotOpen, match="Another program holds"):
        schema.open_records(f"sqlite:///{file}")
    holder.close()


def test_a_database_that_can_only_be_read(tmp_path):
    file = tmp_path / "office.db"
    sqlite3.connect(file).close()
    file.touch()
    with pytest.raises(schema.CannotOpen, match="only be read"):
        schema.open_records(f"sqlite:///file:{file}?mode=ro&uri=true")


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(schema.CannotOpen, match="does not answer"):
        schema.open_records("postgresql://127.0.0.1:9/coop")
    with pytest.raises(schema.CannotOpen, match="does not answer"):
        schema.open_records(f"postgresql:///coop?host={tmp_path}")


def test_a_database_the_server_does_not_have(postgresql_server):
    nowhere = make_url(postgresql_server).set(database="nowhere").render_as_string(False)
    with pytest.raises(schema.CannotOpen, match="no database of this name"):
        schema.open_records(nowhere)


def test_a_login_the_server_does_not_know(postgresql_server):
    nobody = make_url(postgresql_server).set(username="nobody_here").render_as_string(False)
    with pytest.raises(schema.CannotOpen, match="does not accept this login"):
        schema.open_records(nobody)


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_login_that_may_not_create_tables(postgresql_server, empty_database_url):
    role = "reader_" + os.urandom(4).hex()
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'made-up'"))
    reader = make_url(empty_database_url).set(username=role, password="made-up")
    with pytest.raises(schema.CannotOpen, match="may not create"):
        schema.open_records(reader.render_as_string(False))
    with engine.connect() as connection:
        connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()
