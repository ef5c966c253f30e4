import csv
from dataclasses import replace
from datetime import timedelta

import pytest

from console.services import audit, trail
from console.services.audit import Action
from console.services.trail import Asked, Kind, MayNotReadTrail, NobodyLikeThat, NotExported
from tests.office import ANA, SAM, add_member, staff_the_office


@pytest.fixture
def ana(desk):
    staff_the_office(desk.records)
    return replace(desk, colleague=ANA)


def test_a_representative_does_not_read_it(desk):
    with pytest.raises(MayNotReadTrail):
        trail.page(desk, Asked())


def test_pages_follow_each_other_without_gap_or_double(desk, ana):
    with desk.records.begin() as db:
        for number in range(2 * trail.PAGE + 5):
            audit.record(db, desk, Action.NOTE_WRITTEN, number=number)
    for kind in (Kind.NOTES, Kind.EVERYTHING):
        asked, seen, after = Asked(staff="pat", kind=kind), [], None
        while True:
            page = trail.page(ana, asked, after)
            seen += [row.id for row in page.rows if row.what == "Note: written"]
            if not page.more:
                break
            after = (page.rows[-1].at, page.rows[-1].id)
        assert len(seen) == len(set(seen)) == 2 * trail.PAGE + 5
        assert seen == sorted(seen, reverse=True)


def test_time_person_and_number_narrow_it(desk, ana, clock):
    rose = add_member(desk.records)
    sam = replace(desk, colleague=SAM)
    for one in (desk, sam):
        with one.records.begin() as db:
            audit.record(db, one, Action.MEMBER_OPENED, member_id=rose)
        clock.advance(hours=2)
    opened = Asked(number="m1023401", kind=Kind.OPENED)
    assert [row.login for row in trail.page(ana, opened).rows] == ["sam", "pat"]
    late = replace(opened, since=clock() - timedelta(hours=3))
    assert [row.login for row in trail.page(ana, late).rows] == ["sam"]
    early = replace(opened, until=clock() - timedelta(hours=3))
    assert [row.login for row in trail.page(ana, early).rows] == ["pat"]
    with pytest.raises(NobodyLikeThat):
        trail.page(ana, Asked(number="9"))


def test_an_export_runs_no_formula(desk, ana, tmp_path):
    with desk.records.begin() as db:
        audit.record(db, replace(desk, workstation="=cmd()"), Action.NOTE_WRITTEN)
    file = tmp_path / "trail.csv"
    assert trail.export(ana, Asked(kind=Kind.NOTES), file) == 1
    with file.open(encoding="utf-8-sig", newline="") as lines:
        (line,) = csv.DictReader(lines)
    assert line["where"] == "'=cmd()"
    assert [row.login for row in trail.page(ana, Asked(kind=Kind.TRAIL)).rows] == ["ana"]
    with pytest.raises(NotExported):
        trail.export(ana, Asked(), tmp_path / "nowhere" / "trail.csv")
