"""What the triggers write on the trail, and that every line of it is sealed."""

import json

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from console.domain.audit import SEALED, seal
from console.domain.members import AlertKind
from console.models.accounts import Account
from console.models.audit import AuditChain, AuditEntry
from console.models.members import Alert, Holder, Member
from console.models.staff import Staff
from tests.office import add_member, staff_the_office


@pytest.fixture
def rose(records):
    return add_member(records)


def rows(records, **where):
    with records.read() as db:
        found = db.scalars(select(AuditEntry).filter_by(**where).order_by(AuditEntry.id)).all()
        db.expunge_all()
    return found


def test_a_changed_row_says_who_what_before_and_after(records, rose):
    pat = records.signed("pat", "desk 3")
    with pat.begin() as db:
        member = db.get_one(Member, rose)
        member.name, member.email = "De Long", "rose@example.com"
    (row,) = rows(records, subject="member")
    assert (row.staff, row.workstation, row.action) == ("pat", "desk 3", "row:changed")
    assert (row.member_id, row.row_key, row.chain) == (rose, str(rose), "pat")
    assert json.loads(row.before) == {"name": "DeLong", "email": "rose@example.org"}
    assert json.loads(row.after) == {"name": "De Long", "email": "rose@example.com"}


def test_statements_that_bypass_the_records_are_written_too(records, rose):
    with records.signed("pat", "desk 3").begin() as db:
        db.execute(update(Account).values(service_city="Alder"))
    (row,) = rows(records, subject="account")
    assert (row.account_number, row.member_id) == ("1023401", rose)
    assert json.loads(row.after) == {"service_city": "Alder"}


def test_rows_that_are_added_and_removed_are_written_whole(records, rose):
    with records.signed("pat", "").begin() as db:
        db.delete(db.scalars(select(Holder)).one())
    added, removed = rows(records, subject="holder")
    assert (added.action, removed.action) == ("row:added", "row:removed")
    assert added.before is None
    assert removed.after is None
    assert json.loads(added.after) == json.loads(removed.before)
    assert json.loads(removed.before)["given_names"] == "Mary"


def test_secrets_are_not_written(records):
    staff_the_office(records)
    with records.begin() as db:
        db.get_one(Staff, "pat").password_hash = "$argon2id$secret"
    changed = rows(records, subject="staff", action="row:changed")
    assert [json.loads(row.after) for row in changed] == [{"password_hash": "(hidden)"}]
    assert not any("argon2id" in (row.after or "") for row in rows(records))


def test_a_new_version_alone_is_nobodys_act(records, rose):
    with records.begin() as db:
        db.execute(update(Member).values(version=9))
        db.execute(update(Account).values(portal_version=9))
    assert rows(records, subject="member") == []
    assert rows(records, subject="account") == []


def test_what_is_rolled_back_leaves_no_line(records, rose):
    before = len(rows(records))

    def fail():
        with records.begin() as db:
            db.get_one(Member, rose).name = "De Long"
            db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(rows(records)) == before


def test_each_person_has_a_chain_and_each_line_its_seal(records, rose):
    for who in ("pat", "sam", "pat", "núñez", "pat"):
        with records.signed(who, "desk “3”, Ö").begin() as db:
            db.add(Alert(member_id=rose, kind=AlertKind.NO_CHEQUES, note=f"by {who}", raised_by=who,
                         raised_at=db.scalar(select(Member.since))))  # fmt: skip
    with records.read() as db:
        heads = {one.chain: (one.seq, one.hash) for one in db.scalars(select(AuditChain))}
    ends = {}
    for row in rows(records):
        seq, previous = ends.get(row.chain, (0, ""))
        assert (row.seq, row.previous) == (seq + 1, previous)
        fields = {name: getattr(row, name) for name in SEALED}
        fields["at"] = f"{row.at:%Y-%m-%dT%H:%M:%S.%f}Z"
        assert row.hash == seal([fields[name] for name in SEALED])
        ends[row.chain] = (row.seq, row.hash)
    assert ends == heads
    assert {"pat", "sam", "núñez"} <= set(ends)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET staff = 'sam'",
        "UPDATE audit_entry SET hash = ''",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_chain",
        "UPDATE coop SET id = 'x'",
    ],
)
def test_the_trail_is_only_ever_added_to(records, rose, statement):
    before = [(row.id, row.hash) for row in rows(records)]
    with (
        pytest.raises(DBAPIError),
        records.engine.execution_options(console_writes=True).begin() as db,
    ):
        db.execute(text(statement))
    assert [(row.id, row.hash) for row in rows(records)] == before
