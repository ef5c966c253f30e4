import pytest
from sqlalchemy import update

from console.models.base import Records
from console.models.members import Member
from console.models.problems import Stale
from tests.office import add_member


def name_of(db, member_id) -> str:
    """Look at a member and let go of it, as a rule does that answers yes or no."""
    return db.get_one(Member, member_id).name


def look_then_write(records: Records, member_id: int) -> None:
    with records.begin() as db:
        assert name_of(db, member_id) == "DeLong"
        with records.begin() as other:
            other.execute(
                update(Member).where(Member.id == member_id).values(name="Delong", version=2)
            )
        db.get_one(Member, member_id).given_names = "Rosalind"


def test_what_was_looked_at_is_not_written_on_after_somebody_else_did(records: Records):
    if records.engine.dialect.name == "sqlite":
        pytest.skip("one at a time writes there, so nobody can come between")
    rose = add_member(records)
    with pytest.raises(Stale):
        look_then_write(records, rose)
    with records.read() as db:
        found = db.get_one(Member, rose)
        assert (found.name, found.given_names) == ("Delong", "Rose")
