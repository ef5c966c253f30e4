import json
import stat

import pytest
from sqlalchemy.engine import make_url

from console.cli import main
from console.domain.errors import ConsoleError
from console.models import schema, witness
from console.services import trail_proof
from console.settings import data_folder
from tests.models.test_tampering import Owner, fill, forge


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def coop(records):
    fill(records, 3)
    return records


def verify(capsys, url, *words):
    status = main(["database", "verify-audit", "--json", "--database", url, *words])
    said = capsys.readouterr()
    (line,) = said.out.splitlines()
    return status, json.loads(line), said.err


def test_an_honest_trail_is_whole(capsys, coop, database_url):
    status, told, err = verify(capsys, database_url)
    assert (status, told["faults"]) == (0, [])
    assert set(told) == {"rows", "chains", "faults"}
    assert told["rows"] >= 9
    assert told["chains"] >= 3
    assert "The trail is whole" in err


def test_a_changed_row_is_named(capsys, coop, database_url):
    Owner(coop).do("UPDATE audit_entry SET detail = '{}' WHERE chain = 'sam' AND seq = 2")
    status, told, err = verify(capsys, database_url)
    assert status == 1
    assert told["faults"] == [
        {
            "chain": "sam",
            "seq": 2,
            "why": "the row was changed: it does not agree with its own hash",
        }
    ]
    assert "tampered with: 1 fault" in err


def test_what_this_workstation_saw_finds_a_forged_chain(capsys, coop, database_url, own_folder):
    trail_proof.remember_ends(coop)
    (file,) = (own_folder / "witness").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    forge(Owner(coop), "pat")
    status, told, _ = verify(capsys, database_url)
    assert (status, [(one["chain"], one["seq"]) for one in told["faults"]]) == (1, [("pat", 3)])
    # Looking again does not make this workstation forget.
    trail_proof.remember_ends(coop)
    assert verify(capsys, database_url)[0] == 1


def test_a_witness_of_another_workstation_finds_it(
    capsys, coop, database_url, tmp_path, monkeypatch
):
    out = tmp_path / "witness.json"
    words = ["database", "witness", "--database", database_url, "--out", str(out), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    forge(Owner(coop), "pat")
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path / "elsewhere"))
    assert verify(capsys, database_url)[0] == 0
    status, told, _ = verify(capsys, database_url, "--witness", str(out))
    assert (status, [(one["chain"], one["seq"]) for one in told["faults"]]) == (1, [("pat", 3)])


def test_the_witness_of_another_coop_is_refused(capsys, coop, database_url, tmp_path):
    out = tmp_path / "witness.json"
    other = f"sqlite:///{tmp_path / 'other.db'}"
    schema.open_records(other).close()
    assert main(["database", "witness", "--database", other, "--out", str(out)]) == 0
    words = ["database", "verify-audit", "--database", database_url, "--witness", str(out)]
    assert main(words) != 0
    assert "another co-op" in capsys.readouterr().err
    out.write_text("{")
    assert main(words) != 0
    assert "cannot be read" in capsys.readouterr().err


IDENTITY = "another identity when this workstation last saw it"


def give_identity(coop, name):
    """Let the database be called something else, as its owner can."""
    owner = Owner(coop)
    if not owner.sqlite:
        owner.do("ALTER TABLE coop DISABLE TRIGGER ALL")
    owner.do("UPDATE coop SET id = ?", name)


def whys(told):
    return [one["why"] for one in told["faults"]]


def test_a_chain_forged_with_another_identity_is_found(capsys, coop, database_url):
    trail_proof.remember_ends(coop)
    forge(Owner(coop), "pat")
    give_identity(coop, "11111111-1111-4111-8111-111111111111")
    for _ in range(2):
        status, told, err = verify(capsys, database_url)
        assert status == 1
        assert [(one["chain"], one["seq"]) for one in told["faults"]] == [("", 0), ("pat", 3)]
        assert IDENTITY in whys(told)[0]
        assert "accept-identity" in err
        trail_proof.remember_ends(coop)  # looking again takes nothing for right


def test_a_new_identity_alone_is_found(capsys, coop, database_url, tmp_path):
    trail_proof.remember_ends(coop)
    give_identity(coop, "another")
    status, told, _ = verify(capsys, database_url)
    assert (status, len(told["faults"])) == (1, 1)
    assert main(["database", "verify-audit", "--database", database_url]) == 1
    assert capsys.readouterr().out.startswith("this database had another identity")
    out = tmp_path / "witness.json"
    assert main(["database", "witness", "--database", database_url, "--out", str(out)]) == 1
    assert "Do not trust it" in capsys.readouterr().err


def test_an_administrator_accepts_a_new_identity(capsys, coop, database_url):
    trail_proof.remember_ends(coop)
    with coop.read() as db:
        before = witness.coop_of(db)
    give_identity(coop, "another")
    words = ["database", "accept-identity", "--json", "--database", database_url]
    assert main(words) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"coop": "another", "before": [before], "ok": True}
    assert before in said.err
    assert verify(capsys, database_url)[0] == 0
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["before"] == []


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM coop", "does not say any more which one it is"),
        ("INSERT INTO coop (id) VALUES ('another')", "says twice which one it is"),
    ],
)
def test_a_database_that_does_not_say_which_one_it_is(capsys, coop, database_url, statement, why):
    trail_proof.remember_ends(coop)
    owner = Owner(coop)
    owner.do(statement)
    status, told, _ = verify(capsys, database_url)
    assert status == 1
    assert why in whys(told)[0]
    with pytest.raises(ConsoleError, match="does not say which co-op"):
        trail_proof.remember_ends(coop)


def test_the_address_is_known_however_it_is_written(capsys, coop, database_url, tmp_path):
    trail_proof.remember_ends(coop)
    give_identity(coop, "another")
    url = make_url(database_url)
    other = (
        f"sqlite:///{tmp_path / 'x' / '..' / 'office.db'}"
        if url.get_backend_name() == "sqlite"
        else url.set(drivername="postgresql").update_query_dict({"application_name": "x"})
        .render_as_string(False)
    )  # fmt: skip
    (tmp_path / "x").mkdir()
    status, told, _ = verify(capsys, other)
    assert status == 1
    assert IDENTITY in whys(told)[0]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("postgresql://ana:secret@Server.Coop:5432/coop", "postgresql+psycopg://server.coop./coop"),
        (
            "postgresql:///coop?host=A:1&host=b:2",
            "postgresql:///coop?host=b,a&port=2,1&sslmode=require",
        ),
        ("postgresql://127.0.0.1/coop", "postgresql://localhost/coop"),
        ("sqlite:////x/y/../office.db", "sqlite:///file:/x/office.db?mode=ro&uri=true"),
    ],
)
def test_two_spellings_of_one_address_are_one(one, two):
    assert witness.addresses(make_url(one)) == witness.addresses(make_url(two))
    assert "secret" not in str(witness.addresses(make_url(one)))


def test_each_host_of_an_address_is_known_by_itself():
    both = witness.addresses(make_url("postgresql://a,b/coop"))
    assert witness.addresses(make_url("postgresql://b/coop"))[0] in both
    assert witness.addresses(make_url("postgresql://b/other"))[0] not in both
    assert witness.addresses(make_url("postgresql://b:5433/coop"))[0] not in both


def test_a_pin_that_cannot_be_read_is_said_and_can_be_accepted(
    capsys, coop, database_url, own_folder
):
    trail_proof.remember_ends(coop)
    (file,) = (own_folder / "identities").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{")
    assert main(["database", "verify-audit", "--database", database_url]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert main(["database", "accept-identity", "--database", database_url]) == 0
    assert verify(capsys, database_url)[0] == 0


def test_the_training_coop_begins_afresh_without_alarm(capsys):
    assert main(["database", "witness", "--out", str(data_folder() / "witness.json")]) == 0
    assert main(["demo", "--training"]) == 0
    assert main(["database", "verify-audit"]) == 0
    assert main(["database", "witness", "--out", str(data_folder() / "witness.json")]) == 0


def test_a_copy_that_is_put_back_is_the_same_database(capsys, sqlite_template, tmp_path):
    office = tmp_path / "office.db"
    office.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{office}"
    records = schema.open_records(url)
    trail_proof.remember_ends(records)
    records.close()
    assert main(["database", "backup", "--database", url, "--to", str(tmp_path / "copies")]) == 0
    (copy,) = (tmp_path / "copies").iterdir()
    assert main(["database", "restore", "--database", url, str(copy)]) == 0
    capsys.readouterr()
    assert verify(capsys, url)[0] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_text_at_all_is_named_and_breaks_nothing(capsys, coop, database_url):
    trail_proof.remember_ends(coop)
    owner = Owner(coop)
    owner.do("UPDATE audit_entry SET chain = CAST(x'ff' AS TEXT) WHERE chain = 'pat'")
    owner.do("UPDATE audit_chain SET hash = CAST(x'ff' AS TEXT) WHERE chain = 'sam'")
    owner.do("UPDATE coop SET id = CAST(x'ff' AS TEXT)")
    for words in ([], ["--json"]):
        assert main(["database", "verify-audit", "--database", database_url, *words]) == 1
        said = capsys.readouterr()
        said.out.encode()
        assert "tampered with" in said.err
    trail_proof.remember_ends(coop)
