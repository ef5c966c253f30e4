import json
import stat

import pytest

from console.cli import main
from console.models import schema
from console.services import trail
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
    trail.remember_ends(coop)
    (file,) = (own_folder / "witness").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    forge(Owner(coop), "pat")
    status, told, _ = verify(capsys, database_url)
    assert (status, [(one["chain"], one["seq"]) for one in told["faults"]]) == (1, [("pat", 3)])
    # Looking again does not make this workstation forget.
    trail.remember_ends(coop)
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
