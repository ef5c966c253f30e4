from hypothesis import given
from hypothesis import strategies as st

from console.domain.merging import merge

FIELDS = ("email", "phone", "city")
RECORD = st.fixed_dictionaries({field: st.sampled_from(["", "a", "b", "c"]) for field in FIELDS})


def test_changes_of_different_fields_fit_beside_each_other():
    before = {"email": "a", "phone": "1", "city": "x"}
    merged = merge(before, {**before, "phone": "2"}, {**before, "email": "b"})
    assert merged.is_clean
    assert merged.merged == {"email": "b", "phone": "2", "city": "x"}
    assert (merged.mine, merged.theirs) == ({"phone"}, {"email"})


def test_the_same_field_changed_twice_wants_somebody_to_choose():
    before = {"email": "a", "phone": "1"}
    mine, theirs = {"email": "b", "phone": "1"}, {"email": "c", "phone": "2"}
    merged = merge(before, mine, theirs)
    assert merged.clashes == ("email",)
    assert merged.merged == theirs
    assert merged.choosing(mine, frozenset({"email"})) == {"email": "b", "phone": "2"}


def test_the_same_change_made_twice_is_no_clash():
    before = {"email": "a"}
    assert merge(before, {"email": "b"}, {"email": "b"}).is_clean


def test_taking_theirs_where_it_clashes_leaves_my_other_changes():
    before = {"email": "a", "phone": "1", "zip": "5"}
    mine, theirs = (
        {"email": "b", "phone": "2", "zip": "5"},
        {"email": "c", "phone": "1", "zip": "6"},
    )
    chosen = merge(before, mine, theirs).choosing(mine, frozenset())
    assert chosen == {"email": "c", "phone": "2", "zip": "6"}


@given(before=RECORD, mine=RECORD, theirs=RECORD)
def test_no_change_is_ever_lost_unsaid(before, mine, theirs):
    merged = merge(before, mine, theirs)
    every = merged.choosing(mine, frozenset(merged.clashes))
    for field in FIELDS:
        if theirs[field] != before[field] and field not in merged.clashes:
            assert merged.merged[field] == theirs[field]
        if mine[field] != before[field]:
            assert every[field] == mine[field]
        if mine[field] == before[field] == theirs[field]:
            assert every[field] == before[field]
    assert merge(before, theirs, mine).clashes == merged.clashes
    assert merge(before, mine, before).merged == mine
