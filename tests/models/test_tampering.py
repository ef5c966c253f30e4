"""Every way to tamper with the trail that its owner has, and that each of them is found."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from console.domain.audit import SEALED, find_faults, seal
from console.models import witness
from console.models.audit import AuditEntry
from console.models.base import Records
from console.models.members import FormerName, NameCorrection
from tests.office import add_member

BEGUN = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)
COLUMNS = (*SEALED, "hash")
PEOPLE = ("pat", "sam", "núñez")


def fill(records: Records, lines: int) -> None:
    """Let three people do so many things each."""
    member = add_member(records)
    for who in PEOPLE:
        with records.signed(who, "desk 3").begin() as db:
            for number in range(lines):
                db.add(
                    AuditEntry(
                        at=BEGUN + timedelta(minutes=number, microseconds=number),
                        staff=who,
                        workstation="desk “3”",
                        action="member:opened",
                        member_id=member if number % 2 else None,
                        account_number="1023401" if number % 3 else None,
                        call_id=None,
                        detail=f'{{"n": {number}}}',
                    )
                )
                db.flush()


class Owner:
    """Whoever owns the database: nothing in it stops them."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.sqlite = records.engine.dialect.name == "sqlite"
        self.free()

    def free(self) -> None:
        """Take away whatever guards the trail, as the owner can."""
        if not self.sqlite:
            self.do("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
            self.do("ALTER TABLE audit_chain DISABLE TRIGGER ALL")
            self.do("ALTER TABLE audit_entry DROP CONSTRAINT uq_audit_entry_chain_seq")
            return
        # The file itself is written, by a program that is not ours.
        for (name,) in self.do("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self.do(f"DROP TRIGGER {name}")
        self.do("CREATE TABLE held AS SELECT * FROM audit_entry")
        self.do("DROP TABLE audit_entry")
        self.do("ALTER TABLE held RENAME TO audit_entry")

    def do(self, statement: str, *given: object) -> list[tuple[object, ...]]:
        """Do as the owner does, past the console."""
        if self.sqlite:
            file = sqlite3.connect(str(make_url(str(self.records.engine.url)).database))
            try:
                with file:
                    return file.execute(statement, given).fetchall()
            finally:
                file.close()
        with self.records.engine.begin() as connection:
            done = connection.exec_driver_sql(statement.replace("?", "%s"), given or None)
            return [tuple(row) for row in done] if done.returns_rows else []

    def rows(self) -> list[tuple[object, ...]]:
        """Read the trail's rows as they are stored."""
        names = ", ".join(f'"{one}"' for one in COLUMNS)
        return self.do(f"SELECT {names} FROM audit_entry ORDER BY id")

    def put(self, row: tuple[object, ...]) -> None:
        """Write one row as it is given."""
        names = ", ".join(f'"{one}"' for one in COLUMNS)
        self.do(f"INSERT INTO audit_entry ({names}) VALUES ({', '.join('?' * len(row))})", *row)

    def take(self, row: tuple[object, ...]) -> None:
        """Delete one row."""
        self.do("DELETE FROM audit_entry WHERE id = ?", row[COLUMNS.index("id")])


def faults(records: Records, seen: tuple[witness.Head, ...] = ()) -> list[tuple[str, int]]:
    with records.read() as db:
        found = find_faults(witness.sealed_rows(db), witness.heads_of(db), seen)
        return [(fault.chain, fault.seq) for fault in found]


def value(row: tuple[object, ...], column: str) -> object:
    return row[COLUMNS.index(column)]


def other(column: str, now: object) -> object:
    """A value that the column takes and that is not the one it has."""
    if column == "at":
        if isinstance(now, datetime):
            return now + timedelta(microseconds=1)
        return f"{now}"[:-1] + ("8" if f"{now}".endswith("9") else "9")
    if isinstance(now, int):
        return now + 7_000_000
    if now is None:
        return 4 if column == "member_id" else ""
    if column == "hash" or column == "previous":
        return ("0" if f"{now}"[:1] != "0" else "1") + f"{now}"[1:]
    return f"{now} "


@pytest.fixture
def owner(records: Records) -> Owner:
    fill(records, 4)
    assert faults(records) == []
    return Owner(records)


def test_an_honest_trail_has_no_fault(owner: Owner) -> None:
    assert faults(owner.records) == []


def edit_everything(owner: Owner) -> tuple[int, list[str]]:
    tried, missed = 0, []
    for row in owner.rows():
        for column in COLUMNS:
            now = value(row, column)
            key = value(row, "id")
            new = other(column, now)
            owner.do(f'UPDATE audit_entry SET "{column}" = ? WHERE id = ?', new, key)
            tried += 1
            if not faults(owner.records):
                missed.append(f"{value(row, 'chain')} {value(row, 'seq')} {column}")
            back = new if column == "id" else key
            owner.do(f'UPDATE audit_entry SET "{column}" = ? WHERE id = ?', now, back)
    return tried, missed


def test_every_edited_column_of_every_row_is_found(owner: Owner) -> None:
    tried, missed = edit_everything(owner)
    assert missed == []
    assert tried == len(owner.rows()) * len(COLUMNS)
    assert faults(owner.records) == []


def test_an_edit_is_named_by_its_row(owner: Owner) -> None:
    owner.do("UPDATE audit_entry SET detail = '{}' WHERE chain = 'pat' AND seq = 2")
    assert faults(owner.records) == [("pat", 2)]


def test_every_deleted_row_is_found(owner: Owner) -> None:
    for row in owner.rows():
        owner.take(row)
        assert (value(row, "chain"), value(row, "seq")) in faults(owner.records)
        owner.put(row)
    assert faults(owner.records) == []


def test_every_doubled_row_is_found(owner: Owner) -> None:
    for row in owner.rows():
        double = tuple(
            990_000 if name == "id" else one for name, one in zip(COLUMNS, row, strict=True)
        )
        owner.put(double)
        assert (value(row, "chain"), value(row, "seq")) in faults(owner.records)
        owner.take(double)
    assert faults(owner.records) == []


def test_every_swap_is_found(owner: Owner) -> None:
    rows = [row for row in owner.rows() if value(row, "chain") in PEOPLE]
    for one in rows:
        for two in rows:
            if value(one, "id") >= value(two, "id"):
                continue
            held = value(one, "id"), value(two, "id")
            # They change places: what each says stays with what seals it.
            for a, b in ((held[0], -1), (held[1], held[0]), (-1, held[1])):
                owner.do("UPDATE audit_entry SET id = ? WHERE id = ?", b, a)
            assert faults(owner.records), held
            for a, b in ((held[0], -1), (held[1], held[0]), (-1, held[1])):
                owner.do("UPDATE audit_entry SET id = ? WHERE id = ?", b, a)
    for one, two in pairwise(rows):
        places = (value(one, "seq"), value(one, "id")), (value(two, "seq"), value(two, "id"))
        if value(one, "chain") != value(two, "chain"):
            continue
        (first, a), (second, b) = places
        for number, key in ((second, a), (first, b)):
            owner.do("UPDATE audit_entry SET seq = ? WHERE id = ?", number, key)
        assert faults(owner.records)
        for number, key in ((first, a), (second, b)):
            owner.do("UPDATE audit_entry SET seq = ? WHERE id = ?", number, key)
    assert faults(owner.records) == []


@pytest.mark.parametrize("many", [1, 2, 3])
def test_a_cut_tail_is_found(owner: Owner, many: int) -> None:
    owner.do("DELETE FROM audit_entry WHERE chain = 'pat' AND seq > ?", 4 - many)
    assert faults(owner.records) == [("pat", 5 - many)]


@pytest.mark.parametrize("many", [1, 2, 3])
def test_a_cut_tail_whose_head_was_moved_is_found_by_the_witness(owner: Owner, many: int) -> None:
    seen = look(owner.records)
    owner.do("DELETE FROM audit_entry WHERE chain = 'pat' AND seq > ?", 4 - many)
    move_head(owner, "pat")
    assert faults(owner.records) == []
    assert faults(owner.records, seen) == [("pat", 4)]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_chain SET seq = 3 WHERE chain = 'pat'", ("pat", 4)),
        ("UPDATE audit_chain SET seq = 9 WHERE chain = 'pat'", ("pat", 5)),
        ("UPDATE audit_chain SET hash = 'f' WHERE chain = 'pat'", ("pat", 4)),
        ("UPDATE audit_chain SET chain = 'eve' WHERE chain = 'pat'", ("eve", 4)),
        ("DELETE FROM audit_chain WHERE chain = 'pat'", ("pat", 4)),
        ("DELETE FROM audit_entry WHERE chain = 'pat'", ("pat", 4)),
        ("INSERT INTO audit_chain (chain, seq, hash) VALUES ('eve', 2, 'f')", ("eve", 2)),
    ],
)
def test_a_head_that_disagrees_is_found(owner: Owner, statement: str, found: object) -> None:
    owner.do(statement)
    assert found in faults(owner.records)


def look(records: Records) -> tuple[witness.Head, ...]:
    with records.read() as db:
        return witness.look(db, None).heads


def move_head(owner: Owner, chain: str) -> None:
    ((seq, end),) = owner.do(
        "SELECT seq, hash FROM audit_entry WHERE chain = ? ORDER BY seq DESC LIMIT 1", chain
    )
    owner.do("UPDATE audit_chain SET seq = ?, hash = ? WHERE chain = ?", seq, end, chain)


def forge(owner: Owner, chain: str) -> None:
    """Write a whole chain afresh, with every hash right."""
    owner.do("UPDATE audit_entry SET detail = '{\"n\": 99}' WHERE chain = ? AND seq = 1", chain)
    previous = ""
    with owner.records.read() as db:
        rows = [list(row) for row in witness.sealed_rows(db) if row[0] == chain]
    for row in rows:
        row[SEALED.index("previous")] = previous
        end = seal(row[:-1])
        owner.do(
            "UPDATE audit_entry SET previous = ?, hash = ? WHERE id = ?",
            previous, end, row[SEALED.index("id")],
        )  # fmt: skip
        previous = end
    move_head(owner, chain)


def test_a_chain_forged_afresh_is_found_by_the_witness_alone(owner: Owner) -> None:
    seen = look(owner.records)
    forge(owner, "pat")
    assert faults(owner.records) == []
    assert faults(owner.records, seen) == [("pat", 4)]


def test_a_chain_removed_with_its_head_is_found_by_the_witness(owner: Owner) -> None:
    seen = look(owner.records)
    owner.do("DELETE FROM audit_entry WHERE chain = 'pat'")
    owner.do("DELETE FROM audit_chain WHERE chain = 'pat'")
    assert faults(owner.records) == []
    assert faults(owner.records, seen) == [("pat", 4)]


def test_a_witness_that_looks_again_keeps_what_it_saw_before_the_forgery(owner: Owner) -> None:
    with owner.records.read() as db:
        before = witness.look(db, None)
    forge(owner, "pat")
    with owner.records.read() as db:
        again = witness.look(db, witness.look(db, before))
    assert faults(owner.records, again.heads) == [("pat", 4)]


def test_a_witness_keeps_one_head_of_each_honest_chain(records: Records) -> None:
    fill(records, 2)
    with records.read() as db:
        before = witness.look(db, None)
    fill_more(records)
    with records.read() as db:
        again = witness.look(db, before)
        assert set(again.heads) == set(witness.heads_of(db))
    assert faults(records, before.heads) == []


def fill_more(records: Records) -> None:
    with records.signed("pat", "desk 3").begin() as db:
        db.add(AuditEntry(at=BEGUN, staff="pat", workstation="", action="member:opened"))


@pytest.mark.soak
def test_a_long_trail_gives_every_edit_away(records: Records) -> None:
    fill(records, 60)
    owner = Owner(records)
    tried, missed = edit_everything(owner)
    assert missed == []
    assert tried > 3_000


# What ordinary statements can do to a file of SQLite

STATEMENTS = [
    "UPDATE audit_entry SET detail = 'x'",
    "DELETE FROM audit_entry",
    "INSERT OR REPLACE INTO audit_entry (id, at, staff, workstation, action, detail)"
    " SELECT id, at, staff, workstation, 'nothing', detail FROM audit_entry LIMIT 1",
    "REPLACE INTO audit_entry (at, staff, workstation, action, detail, chain, seq, hash)"
    " SELECT at, staff, workstation, 'nothing', detail, chain, seq, hash FROM audit_entry LIMIT 1",
    "INSERT INTO audit_entry (id, at, staff, workstation, action, detail)"
    " SELECT id, at, staff, workstation, 'nothing', detail FROM audit_entry WHERE true"
    " ON CONFLICT (id) DO UPDATE SET detail = 'x'",
    "UPDATE OR REPLACE audit_entry SET id = 1 WHERE id = 2",
    "INSERT OR REPLACE INTO audit_chain (chain, seq, hash) VALUES ('pat', 0, '')",
    "INSERT INTO audit_chain (chain, seq, hash) VALUES ('pat', 0, '')"
    " ON CONFLICT (chain) DO UPDATE SET hash = ''",
    "UPDATE audit_chain SET seq = 1, hash = ''",
    "DELETE FROM audit_chain",
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("foreign", [False, True], ids=["console", "foreign"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_ordinary_statements_change_nothing_of_the_trail_on_sqlite(
    records: Records, statement: str, foreign: bool
) -> None:
    fill(records, 2)
    with records.read() as db:
        before = list(witness.sealed_rows(db)), witness.heads_of(db)
    if foreign:
        file = sqlite3.connect(str(records.engine.url.database))
        file.execute("PRAGMA recursive_triggers = off")
        with pytest.raises(sqlite3.Error), file:
            file.execute(statement)
        file.close()
    else:
        with pytest.raises(Exception, match="only ever added to"), records.begin() as db:
            db.execute(text(statement.replace(":", r"\:")))
    with records.read() as db:
        assert (list(witness.sealed_rows(db)), witness.heads_of(db)) == before


HISTORY = [
    "UPDATE former_name SET name = 'x'",
    "DELETE FROM former_name",
    "INSERT OR REPLACE INTO former_name SELECT id, member_id, 'x', given_names, until"
    " FROM former_name",
    "INSERT INTO former_name SELECT * FROM former_name WHERE true"
    " ON CONFLICT (id) DO UPDATE SET name = 'x'",
    "UPDATE name_correction SET name_before = 'x'",
    "UPDATE name_correction SET corrected_by = 'sam'",
    "DELETE FROM name_correction",
    "INSERT OR REPLACE INTO name_correction SELECT * FROM name_correction",
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("foreign", [False, True], ids=["console", "foreign"])
@pytest.mark.parametrize("statement", HISTORY)
def test_ordinary_statements_change_nothing_of_what_was_on_sqlite(
    records: Records, statement: str, foreign: bool
) -> None:
    rose = add_member(records)
    with records.begin() as db:
        db.add(FormerName(member_id=rose, name="Long", given_names="Rose", until=BEGUN))
        db.add(
            NameCorrection(
                id=str(uuid4()), member_id=rose, name_before="Long", given_names_before="Rose",
                name_after="DeLong", given_names_after="Rose", proof="photo_id",
                proof_note="", looks_like_other_person=False, approved_by="",
                corrected_by="pat", corrected_at=BEGUN, undone_by="",
            )
        )  # fmt: skip
    file = sqlite3.connect(str(records.engine.url.database))
    before = [file.execute(f"SELECT * FROM {one}").fetchall() for one in HELD]
    if foreign:
        file.execute("PRAGMA recursive_triggers = off")
        with pytest.raises(sqlite3.Error), file:
            file.execute(statement)
    else:
        with pytest.raises(Exception, match="only ever added to"), records.begin() as db:
            db.execute(text(statement))
    assert [file.execute(f"SELECT * FROM {one}").fetchall() for one in HELD] == before
    file.close()


HELD = ("former_name", "name_correction")
