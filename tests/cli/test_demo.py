import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli import main
from console.models import schema, search
from console.models.accounts import Account
from console.models.bulk import count
from console.models.members import Member
from console.sandbox import training

Capsys = pytest.CaptureFixture[str]


def demo(capsys: Capsys, *words: str) -> tuple[int, str, str]:
    status = main(["demo", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def dump(file: Path) -> list[str]:
    with sqlite3.connect(file) as db:
        lines = list(db.iterdump())
    db.close()
    # What a database is known by is its own.
    return [line for line in lines if not line.startswith('INSERT INTO "coop"')]


def test_makes_and_fills_a_new_database(capsys: Capsys, empty_database_url: str) -> None:
    status, out, err = demo(
        capsys, "--database", empty_database_url, "--members", "250", "--seed", "4"
    )
    assert status == 0
    (line,) = out.splitlines()
    told = json.loads(line)
    assert told["members"] == 250
    assert told["accounts"] >= 250
    assert isinstance(told["seconds"], float)
    assert "Making members: 250" in err
    records = schema.open_records(empty_database_url, upgrade_it=False)
    assert count(records, Member) == 250
    assert count(records, Account) == told["accounts"]
    assert search.is_current(records)
    records.close()


def test_the_same_seed_and_day_make_the_same_file(capsys: Capsys, tmp_path: Path) -> None:
    for name, seed in (("one", "9"), ("other", "9"), ("third", "10")):
        words = ["--database", f"sqlite:///{tmp_path / name}.db", "--members", "120"]
        demo(capsys, *words, "--seed", seed, "--day", "2026-11-23")
    assert dump(tmp_path / "one.db") == dump(tmp_path / "other.db")
    assert dump(tmp_path / "one.db") != dump(tmp_path / "third.db")


def test_a_filled_database_is_refused_with_a_sentence(capsys: Capsys, database_url: str) -> None:
    words = ("--database", database_url, "--members", "3")
    assert demo(capsys, *words)[0] == 0
    status, out, err = demo(capsys, *words)
    assert (status, out) == (1, "")
    assert err == (
        "This database already holds members, so nothing was added. Name a new or an empty one; "
        "what an interrupted run left behind is best deleted.\n"
    )


def test_another_programs_file_is_left_alone(capsys: Capsys, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear member, this is no database, and it shall stay as it is.")
    before = file.read_bytes()
    status, out, err = demo(capsys, "--database", f"sqlite:///{file}")
    assert (status, out) == (1, "")
    assert "is not a database" in err
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--members", "0"),
        ("--members", "-4"),
        ("--members", "many"),
        ("--members", "1e6"),
        ("--members", "٣"),
        ("--members", "9" * 5000),
        ("--members", "5000001"),
        ("--day", "yesterday"),
        ("--day", "2026-02-30"),
        ("--seed", "x"),
    ],
)
def test_misuse_is_status_2_and_makes_nothing(
    capsys: Capsys, tmp_path: Path, words: tuple[str, str]
) -> None:
    file = tmp_path / "office.db"
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--database", f"sqlite:///{file}", *words])
    assert stopped.value.code == 2
    assert not file.exists()
    assert words[0] in capsys.readouterr().err


def test_it_wants_to_know_where(capsys: Capsys, tmp_path: Path) -> None:
    status, out, err = demo(capsys, "--members", "3")
    assert (status, out) == (2, "")
    assert "--database" in err
    assert demo(capsys, "--training", "--database", f"sqlite:///{tmp_path / 'x.db'}")[0] == 2
    assert not (tmp_path / "x.db").exists()


def test_the_training_coop_can_be_made_afresh(
    capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    assert demo(capsys, "--training")[0] == 0
    records = schema.open_records(training.database_url(tmp_path))
    with records.begin() as db:
        member = db.get_one(Member, 1)
        assert member.name == "DeLong"
        member.name = "De Long"
    records.close()
    status, _, err = demo(capsys, "--training")
    assert status == 0
    assert "as on its first day" in err
    records = schema.open_records(training.database_url(tmp_path))
    with records.read() as db:
        assert db.get_one(Member, 1).name == "DeLong"
    records.close()


@pytest.mark.parametrize("in_the_way", ["", "being-made", "being-made.lock/x", "training.db/x"])
def test_a_folder_that_cannot_hold_the_training_coop_is_a_sentence(
    capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_the_way: str
) -> None:
    folder = tmp_path / "data"
    file = folder / in_the_way
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("something else is here")
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(folder))
    status, out, err = demo(capsys, "--training")
    assert (status, out) == (1, "")
    assert "cannot be made in" in err
    assert "COOP_CONSOLE_DATA" in err
    assert file.read_text() == "something else is here"


def test_it_starts_without_the_window(tmp_path: Path) -> None:
    code = (
        "import sys; from console.cli import main;"
        f"main(['demo', '--database', 'sqlite:///{(tmp_path / 'a.db').as_posix()}', "
        "'--members', '2']);"
        "print(sorted(set(sys.modules) & {'PySide6', 'pyqtgraph', 'reportlab'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
