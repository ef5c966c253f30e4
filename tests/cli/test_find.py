import io
import json
import sys

import pytest

from console.cli import main
from console.models import schema, search
from tests.office import add_member


@pytest.fixture
def coop(empty_database_url):
    """The URL of a co-op with Rose De Long in it, on either engine."""
    records = schema.open_records(empty_database_url)
    add_member(records, "De Long", ("1023401",))
    search.rebuild(records)
    records.close()
    return empty_database_url


def find(capsys, *words):
    status = main(["find", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_person_gets_a_line_for_each_hit(coop, capsys):
    status, out, err = find(capsys, "--database", coop, "delong")
    assert status == 0
    assert out == ("Rose De Long · account 10234.01 · 14 Mill Road, Cedar Fork · spelled De Long\n")
    assert err == ""


def test_a_program_gets_one_object(coop, capsys):
    status, out, _ = find(capsys, "--database", coop, "--json", "88102")
    assert status == 0
    answer = json.loads(out)
    assert list(answer) == ["query", "milliseconds", "hits"]
    assert answer["query"] == "88102"
    assert answer["milliseconds"] > 0
    assert answer["hits"] == [
        {
            "account": "1023401",
            "member": "M1023401",
            "name": "Rose De Long",
            "why": "meter 881023401",
        }
    ]


def test_searches_come_one_a_line(coop, capsys, monkeypatch):
    lines = "rose\nnobody of that name\n\n\xff\xfe bytes\nde long\r\n".encode("latin-1")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    status, out, _ = find(capsys, "--database", coop, "-")
    assert status == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [len(one["hits"]) for one in answers] == [1, 0, 0, 0, 1]
    assert answers[4]["query"] == "de long"


def test_nobody_found_says_what_to_try_and_fails(coop, capsys):
    status, out, err = find(capsys, "--database", coop, "zzyzx")
    assert (status, out) == (1, "")
    assert err.strip()
    assert find(capsys, "--database", coop, "--json", "zzyzx")[0] == 0


def test_a_file_that_is_no_database_is_said(tmp_path, capsys):
    file = tmp_path / "letter.db"
    file.write_text("Dear member, " * 200)
    status, out, err = find(capsys, "--database", f"sqlite:///{file}", "rose")
    assert (status, out) == (1, "")
    assert "Traceback" not in err
    assert err.strip()
