from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.audit import (
    SEALED,
    BusyHour,
    Fault,
    Head,
    busiest_hours,
    canonical,
    find_faults,
    moment_of,
    seal,
    sealed_time,
    wrong_with,
)
from console.domain.spreadsheets import safe_cell

FIELD = st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
AT = "2026-11-23T16:42:00.000000Z"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def chain(name, many, first_id=1):
    """Make an honest chain and its head."""
    rows, previous = [], ""
    for seq in range(1, many + 1):
        told = dict.fromkeys(SEALED, "")
        told |= {"chain": name, "staff": name, "seq": seq, "id": first_id + seq}
        told |= {"detail": f"{{{seq}}}", "member_id": None, "previous": previous, "at": AT}
        fields = [told[one] for one in SEALED]
        previous = seal(fields)
        rows.append((*fields, previous))
    return rows, Head(name, many, previous)


def found(rows, *heads, seen=()):
    return [(fault.chain, fault.seq) for fault in find_faults(iter(rows), heads, seen)]


def sealed_again(row, **changed):
    told = dict(zip(SEALED, row, strict=False)) | changed
    fields = [told[one] for one in SEALED]
    return (*fields, seal(fields))


def test_the_text_of_a_row_carries_the_length_of_each_field():
    assert canonical(["ab", None, 12, "", "é,"]) == "2:ab,-,2:12,0:,3:é,"


def test_the_seal_is_sha_256_of_the_text():
    assert seal(["abc"]) == "aab5f9ae99b2e38fb462025c8f72f570c9c811705d2a4277dc855d7fa293fe97"


@given(st.lists(FIELD, min_size=1, max_size=6), st.lists(FIELD, min_size=1, max_size=6))
def test_two_different_rows_are_never_written_alike(one, two):
    same = [None if f is None else str(f) for f in one] == [
        None if f is None else str(f) for f in two
    ]
    assert (canonical(one) == canonical(two)) is same


@given(st.lists(st.integers(1, 8), max_size=4))
def test_honest_chains_have_no_fault(lengths):
    rows, heads = [], []
    for place, many in enumerate(lengths):
        of_chain, head = chain(f"p{place}", many)
        rows += of_chain
        heads.append(head)
    assert found(rows, *heads, seen=heads) == []


@given(st.integers(1, 8), st.data())
def test_any_one_field_changed_is_found_at_its_row(many, data):
    rows, head = chain("pat", many)
    place = data.draw(st.integers(0, many - 1))
    field = data.draw(st.integers(0, len(SEALED)))
    held = rows[place][field]
    new = data.draw(
        FIELD.filter(lambda value: (value is None, str(value)) != (held is None, str(held)))
    )
    changed = list(rows[place])
    changed[field] = new
    rows[place] = tuple(changed)
    assert found(rows, head)


@pytest.mark.parametrize(
    "stored",
    [
        "2026-11-23T16:42:00.000000",
        "2026-11-23T16:42:00.000000Z",
        "2026-11-23 16:42:00.000000 BC",
        "2026-11-23 16:42:00.000000 ",
        "2026-11-23 16:42:00.000000\n",
        "2026-11-23 16:42:00.000000\0",
        "2026-11-23 16:42:00.00000",
        "2026-11-23 16:42:00.000000+00:00",
        "\u0662026-11-23 16:42:00.000000",
        "2026-11-23\u00a016:42:00.000000",
        "02026-11-23 16:42:00.000000",
        "",
        None,
        20261123,
        2026.1123,
        b"2026-11-23 16:42:00.000000",
    ],
)
def test_a_time_that_no_console_stores_is_never_the_one_that_was_sealed(stored):
    assert sealed_time("2026-11-23 16:42:00.000000") == AT
    assert sealed_time(stored) != AT
    assert moment_of(sealed_time(stored)) is None


def test_a_sealed_time_is_a_moment_when_the_calendar_has_it():
    assert moment_of(AT) == datetime(2026, 11, 23, 16, 42, tzinfo=UTC)
    assert moment_of("2026-13-23T16:42:00.000000Z") is None
    assert moment_of(None) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", "1"), ("id", "2"), ("id", 2.0), ("id", True), ("member_id", "7"), ("staff", None),
        ("detail", 7), ("detail", b"{1}"), ("row_key", None), ("at", "2026-11-23 16:42:00.000000"),
        ("at", None), ("previous", None),
    ],
)  # fmt: skip
def test_a_value_of_a_kind_that_no_console_writes_is_named_though_its_seal_agrees(field, value):
    rows, _ = chain("pat", 1)
    assert wrong_with(rows[0]) == ""
    changed = sealed_again(rows[0], **{field: value})
    named = "time" if field == "at" else field.replace("_", " ")
    assert f"no console writes its {named} like this" in wrong_with(changed)


@pytest.mark.parametrize(
    ("one", "two"), [("", None), ("-", None), ("7", 7), ("0:", ""), ("a,", "a")]
)
def test_what_is_almost_alike_is_not_the_same_line(one, two):
    rows, _ = chain("pat", 1)
    line = sealed_again(rows[0], account_number=one)
    changed = list(line)
    changed[SEALED.index("account_number")] = two
    assert wrong_with(line) == ""
    assert wrong_with(tuple(changed))


@given(st.integers(1, 8), st.data())
def test_removed_rows_are_all_named_or_within_a_named_run(many, data):
    rows, head = chain("pat", many)
    place = data.draw(st.integers(0, many - 1))
    del rows[place]
    assert ("pat", place + 1) in found(rows, head) or not rows


def test_each_kind_of_fault_says_what_it_is():
    rows, head = chain("pat", 6)
    (cut,) = find_faults(rows[:4], [head])
    assert cut == Fault("pat", 5, "the end of the chain was cut off: rows 5 to 6 are missing")
    (gap, link) = find_faults([*rows[:2], *rows[4:]], [head])
    assert (gap.seq, gap.why) == (3, "rows 3 to 4 are missing")
    assert (link.seq, "link is broken" in link.why) == (5, True)
    (doubled,) = find_faults([*rows[:3], rows[2], *rows[3:]], [head])
    assert (doubled.seq, "more than once" in doubled.why) == (3, True)
    (later,) = find_faults(rows, [Head("pat", 5, rows[4][-1])])
    assert (later.seq, "added after it" in later.why) == (6, True)
    (disagrees,) = find_faults(rows, [Head("pat", 6, "f")])
    assert "does not agree with the last row" in disagrees.why
    (headless,) = find_faults(rows, [])
    assert "no head" in headless.why
    (rowless,) = find_faults([], [head])
    assert (rowless.chain, rowless.seq, "no rows" in rowless.why) == ("pat", 6, True)


def test_a_row_sealed_afresh_breaks_the_link_after_it():
    rows, head = chain("pat", 3)
    rows[1] = sealed_again(rows[1], detail="{}")
    assert found(rows, head) == [("pat", 3)]


def test_a_row_moved_into_anothers_chain_is_found():
    rows, _ = chain("pat", 3)
    rows[2] = sealed_again(rows[2], staff="sam")
    assert found(rows, Head("pat", 3, rows[2][-1])) == [("pat", 3)]


def test_a_chain_forged_afresh_is_found_by_what_was_seen_alone():
    _, honest = chain("pat", 5)
    forged, head = chain("pat", 9, first_id=40)
    assert found(forged, head) == []
    assert found(forged, head, seen=[honest]) == [("pat", 5)]
    assert found([], seen=[honest]) == [("pat", 5)]
    assert found(forged[:3], Head("pat", 3, forged[2][-1]), seen=[honest]) == [("pat", 5)]


def test_numbers_that_are_no_numbers_are_faults_and_no_crash():
    rows, head = chain("pat", 2)
    rows[1] = sealed_again(rows[1], seq="two")
    assert ("pat", 0) in found(rows, head)


def test_a_busy_hour_is_found_wherever_it_begins():
    opened = [("pat", NINE + timedelta(minutes=m), m) for m in range(30, 80, 10)]
    opened += [("sam", NINE + timedelta(hours=h), h) for h in range(9)]
    opened.sort(key=lambda one: one[1])
    assert busiest_hours(opened, 4) == [BusyHour("pat", NINE + timedelta(minutes=30), 5)]
    assert busiest_hours(opened, 5) == []


def test_one_member_opened_often_is_one_member():
    assert busiest_hours([("pat", NINE, 7)] * 500, 1) == []


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_a_cell_is_never_a_formula(first):
    assert safe_cell(f"{first}1+1") == f"'{first}1+1"


def test_other_cells_are_left_as_they_are():
    assert [safe_cell(v) for v in (None, 12, "Rose", "a=b", "")] == ["", "12", "Rose", "a=b", ""]
