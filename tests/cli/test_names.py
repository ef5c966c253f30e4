import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["explain-names", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_explains_one_pair_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "De Long", "DeLong")
    assert status == 0
    assert "The portal refuses it." in out
    assert "Say: Type it as one word: D-e-L-o-n-g, capital D, capital L, no space." in out


def test_explains_one_pair_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--json", "Evans", "Deblase", "--second-holder", "Evans")
    assert status == 0
    found = json.loads(out)
    assert list(found) == ["typed", "on_file", "accepted", "kinds", "same_name", "say"]
    assert found["kinds"] == ["other_holder"]
    assert found["same_name"] is False


def test_the_rule_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--json", "--rule", "exact", "delong", "DeLong")
    assert json.loads(out)["accepted"] is False
    _, out, _ = run(capsys, "--json", "--rule", "ignore_spaces", "de long", "DeLong")
    assert json.loads(out)["accepted"] is True


def test_explains_a_file_of_pairs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_bytes(
        "note\ton_file\ttyped\tsecond_holder\n"
        "x\tDeLong\t De Long \t\n"
        'y\tHarmon\xa0\tHarmon\t\nz\tO"Neil\t"ONeil\tO"Neil\n'.encode()
    )
    status, out, _ = run(capsys, "--json", str(table))
    assert status == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["typed"] for one in found] == [" De Long ", "Harmon", '"ONeil']
    assert found[0]["kinds"] == ["spacing"]
    assert found[1]["on_file"] == "Harmon\xa0"
    assert found[1]["kinds"] == ["hidden_character"]


def test_a_windows_file_is_read_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_bytes(b"\xef\xbb\xbftyped\ton_file\r\nSmith\tSmith\r\n\r\n")
    status, out, _ = run(capsys, "--json", str(table))
    assert status == 0
    assert json.loads(out)["kinds"] == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "does not name the column typed"),
        (b"a\tb\n", "does not name the column typed"),
        (b"typed\n", "does not name the column on_file"),
        (b"typed\ton_file\nSmith\n", "Line 2"),
    ],
)
def test_a_bad_file_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, part: str
) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_bytes(content)
    status, out, err = run(capsys, "--json", str(table))
    assert (status, out) == (1, "")
    assert part in err


def test_a_missing_file_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = run(capsys, str(tmp_path / "none.tsv"))
    assert status == 1
    assert "To compare two names, give both" in err


def test_bytes_that_are_no_text_do_not_stop_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_bytes(b"typed\ton_file\nSm\xffith\tSmith\n")
    status, out, _ = run(capsys, "--json", str(table))
    assert status == 0
    assert json.loads(out)["kinds"] == ["hidden_character"]


def test_it_is_a_command_that_starts_without_the_window() -> None:
    code = (
        "import sys; from console.cli import main; main(['explain-names', 'a', 'b']);"
        "print(sorted(set(sys.modules) & {'PySide6', 'sqlalchemy', 'requests'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_misuse_is_status_2() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain-names", "--rule", "kind", "a", "b"])
    assert stopped.value.code == 2
