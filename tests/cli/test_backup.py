import json

from console.cli import main
from console.models import schema
from tests.office import add_member


def test_a_copy_is_made_and_put_back_from_a_shell(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'office.db'}"
    records = schema.open_records(url)
    add_member(records)
    records.close()
    words = ["--database", url, "--json"]
    assert main(["database", "backup", "--to", str(tmp_path / "copies"), *words]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["members"], made["revision"], made["ok"]) == (1, schema.LATEST, True)
    assert main(["database", "restore", made["file"], *words]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["members"] == 1
    assert "holds 1 members now. What was there before is kept as" in said.err


def test_a_server_says_how_it_is_backed_up(tmp_path, capsys):
    url = "postgresql://nobody@127.0.0.1:9/coop"
    assert main(["database", "backup", "--database", url]) == 1
    assert "pg_basebackup" in capsys.readouterr().err
    assert main(["database", "restore", str(tmp_path / "x"), "--database", url]) == 1
    assert "pg_basebackup" in capsys.readouterr().err
