import csv
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.times import to_the_second
from console.models.calls import Call
from console.services import audit, trail, trail_proof, trail_words
from console.services.audit import Action
from console.services.trail import MayNotReadTrail, NobodyLikeThat, NotExported
from console.services.trail_page import ROW_ADDED, ROW_CHANGED, ROW_REMOVED, Asked, Kind
from tests.models.test_tampering import Owner
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
            seen += [row.id for row in page.rows if row.what == "Wrote a note"]
            if not page.more:
                break
            after = page.rows[-1].place
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


def every_line(desk, asked):
    seen, after = [], None
    while True:
        page = trail.page(desk, asked, after)
        seen += page.rows
        if not page.more:
            return seen
        after = page.rows[-1].place


ON_SQLITE = (
    "replace(at, ' ', 'T')", "at || ' or so'", "CAST(at AS BLOB)", "NULL", "20261123", "'soon'",
    "''", "CAST(x'32303236ff' AS TEXT)", "'2026-13-13 00:00:00.000000'", "at || char(0)",
)  # fmt: skip
ON_POSTGRESQL = ("(at::text || ' BC')::timestamptz", "'infinity'", "'-infinity'", "NULL",
                 "at + interval '20000 years'")  # fmt: skip


@pytest.mark.parametrize("narrowed", [False, True])
def test_lines_whose_time_was_tampered_with_are_shown_whatever_is_asked_for(
    desk, ana, clock, tmp_path, monkeypatch, narrowed
):
    monkeypatch.setattr(trail, "PAGE", 3)
    rose = add_member(desk.records)
    for number in range(16):
        clock.advance(minutes=1)
        with desk.records.begin() as db:
            audit.record(db, desk, Action.MEMBER_OPENED, member_id=rose, number=number)
    owner = Owner(desk.records)
    owner.number_on()
    times = ON_SQLITE if owner.sqlite else ON_POSTGRESQL
    for number, time in enumerate(times):
        owner.do(f"UPDATE audit_entry SET at = {time} WHERE detail = ?", f'{{"number": {number}}}')
    kind = Kind.OPENED if narrowed else Kind.EVERYTHING
    asked = Asked(staff="pat", kind=kind)
    opened = [line for line in every_line(ana, asked) if line.what == "Opened the member"]
    assert sorted(int(line.detail.removeprefix("Number: ")) for line in opened) == [*range(16)]
    whole = [line for line in opened if not line.damage]
    assert len(whole) == 16 - len(times)
    assert whole == sorted(whole, key=lambda line: line.at, reverse=True)
    damaged = [line for line in opened if line.damage]
    assert {line.damage for line in damaged} <= {
        "the row was changed: no console writes its time like this",
        "the row was changed: it does not agree with its own hash",
    }
    # What stands outside of time is in sight in any time that is asked for.
    tomorrow = replace(asked, since=clock() + timedelta(days=1))
    lost = [line for line in every_line(ana, tomorrow) if line.damage]
    assert len(lost) >= 5
    assert trail.unusual(ana) == ()
    file = tmp_path / "trail.csv"
    lines = len(every_line(ana, asked))
    assert trail.export(ana, asked, file) == lines
    with file.open(encoding="utf-8-sig", newline="") as read:
        assert len([line for line in csv.DictReader(read) if line["damage"]]) == len(times)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_line_of_which_nothing_is_as_it_was_is_still_shown(desk, ana, tmp_path):
    rose = add_member(desk.records)
    with desk.records.begin() as db:
        audit.record(db, desk, Action.MEMBER_OPENED, member_id=rose)
    owner = Owner(desk.records)
    owner.number_on()
    key = max(line.id for line in trail.page(ana, Asked()).rows)
    texts = "staff workstation action subject row_key account_number detail before after".split()
    for value in ("x'ff00'", "CAST(x'ff' AS TEXT)", "NULL", "7", "'[[[['", "char(0)"):
        set_them = ", ".join(f'"{one}" = {value}' for one in (*texts, "member_id", "seq"))
        owner.do(f"UPDATE audit_entry SET {set_them} WHERE id = ?", key)
        (line,) = [line for line in trail.page(ana, Asked()).rows if line.id == key]
        assert line.damage.startswith("the row was changed")
        file = tmp_path / "trail.csv"
        trail.export(ana, Asked(), file)
        assert line.damage in file.read_text(encoding="utf-8-sig")
        assert trail.unusual(ana) == ()
        assert not trail_proof.look_through(desk.records, ()).words.startswith("The trail is whole")


def test_single_acts_narrow_it_within_their_kind(desk, ana):
    with desk.records.begin() as db:
        for action in (Action.NOTE_WRITTEN, Action.NOTE_REMOVED, Action.MEMBER_OPENED):
            audit.record(db, desk, action)
    asked = Asked(kind=Kind.NOTES, act=Action.NOTE_REMOVED)
    assert [line.what for line in trail.page(ana, asked).rows] == ["Removed a note"]
    of_notes = dict(trail.acts(Kind.NOTES))
    assert of_notes[Action.NOTE_REMOVED] == "Removed a note"
    assert Action.MEMBER_OPENED not in of_notes
    # Every act can be asked for by itself, and no two read alike.
    every = dict(trail.acts(Kind.EVERYTHING))
    assert set(every) == {*Action, ROW_ADDED, ROW_CHANGED, ROW_REMOVED}
    assert len(set(every.values())) == len(every)


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


def the_line(ana, **asked):
    (line,) = trail.page(ana, Asked(**asked)).rows
    return line


def told(ana, act):
    return the_line(ana, act=act).detail


def test_every_act_and_every_column_of_a_followed_table_has_words_of_its_own():
    assert set(trail_words._WORDS) == set(Action)
    for action in Action:
        assert "_" not in trail_words.act_in_words(action)
        assert ":" not in trail_words.act_in_words(action)


def test_details_are_said_as_a_colleague_would_and_keys_are_left_out(desk, ana):
    rose = add_member(desk.records)
    key = "a9fb03c7-0d5b-4d6a-8d52-5b4a2ee21a01"
    with desk.records.begin() as db:
        for action, detail in (
            (Action.CONTACT_SHOWN, {"asked": "caller_verified"}),
            (
                Action.NAME_CORRECTED,
                {
                    "correction": key,
                    "before": ["Rosalind M", "Delong"],
                    "after": ["", "De Long"],
                    "proof": "bill",
                    "approved_by": "",
                },
            ),
            (
                Action.NAME_PUBLISHED,
                {"errand": key, "asked_by": "sam", "tries": 1, "answer": "It is there."},
            ),
            (
                Action.REGISTRATION_CHECKED,
                {"name": "De Long", "passes": False, "reason": "name_mismatch"},
            ),
            (Action.STAFF_REFUSED, {"wanted": "staff:signed_in"}),
            (Action.CONTACT_CHANGED, {"change": key, "changed": ["email", "mailing_zip"]}),
            (Action.CALLER_VERIFIED, {"facts": ["name", "last_four"]}),
            (Action.CALL_BEGUN, {"member_began": True}),
            (Action.CALL_TURNED, {"before": rose}),
            (
                Action.CALL_WRAPPED_UP,
                {"reason": "bill", "result": "call_back", "verified": False},
            ),
            (Action.REGISTRATION_ASSIGNED, {"registration": 3, "before": "", "after": "sam"}),
            (Action.NOTE_WRITTEN, {"note": key}),
        ):
            audit.record(db, desk, action, **detail)
    sam = next(name for login, name in trail.people(ana) if login == "sam")
    assert told(ana, Action.CONTACT_SHOWN) == "On whose word: the caller, verified on this call"
    assert told(ana, Action.NAME_CORRECTED) == (
        "Name before: Rosalind M Delong; name now: De Long; proof: a bill in this name"
    )
    assert told(ana, Action.NAME_PUBLISHED) == f"Asked for by: {sam}; It is there"
    assert told(ana, Action.REGISTRATION_CHECKED) == (
        "Name: De Long; it would be refused; what is in the way: the name does not fit the account"
    )
    assert told(ana, Action.STAFF_REFUSED) == "Wanted: to sign in"
    assert told(ana, Action.CONTACT_CHANGED) == "Changed: e-mail address, ZIP"
    assert told(ana, Action.CALLER_VERIFIED) == (
        "The caller could tell: name on the account, last four of the identity number"
    )
    assert told(ana, Action.CALL_BEGUN) == "The member called us"
    assert told(ana, Action.CALL_TURNED) == "Before that about: Rose DeLong, M1023401"
    assert told(ana, Action.CALL_WRAPPED_UP) == (
        "Why they called: bill; how it ended: member calls back; the caller was not verified"
    )
    assert told(ana, Action.REGISTRATION_ASSIGNED) == f"Before: nobody; now: {sam}"
    assert told(ana, Action.NOTE_WRITTEN) == ""


def test_what_nobody_foresaw_is_shown_as_it_stands(desk, ana):
    with desk.records.begin() as db:
        audit.record(
            db, desk, Action.CALL_WRAPPED_UP, reason="no such", facts=7, odd_thing={"a": [1, None]}
        )
    assert told(ana, Action.CALL_WRAPPED_UP) == (
        "Why they called: no such; the caller could tell: 7; odd thing: A: 1"
    )


def test_a_row_says_what_changed_first_in_local_time_and_leaves_out_what_is_empty(
    desk, ana, clock, tmp_path
):
    rose = add_member(desk.records)
    key = "1e0c8f9b-7c52-4b44-9f3a-3c5b61a7a1d2"
    with desk.records.begin() as db:
        db.add(Call(id=key, member_id=rose, staff="pat", began_at=clock(), facts=""))
    with desk.records.begin() as db:
        call = db.get_one(Call, key)
        call.facts, call.verified_at = "name,last_four", clock()
    changed, added = (line for line in trail.page(ana, Asked()).rows if line.raw.row_key == key)
    assert added.what == "Added a call"
    columns = [one.column for one in added.differences]
    assert columns[:2] == ["The member called us", "Began"]
    assert columns[-2:] == ["Member", "Number in the file"]
    assert "Note" not in columns
    assert {one.before for one in added.differences} == {"nothing"}
    began = next(one.after for one in added.differences if one.column == "Began")
    assert began.endswith(to_the_second(clock(), clock(), desk.settings.zone)[-8:])
    assert "." not in began
    assert changed.what == "Changed the call: what the caller could tell, caller verified"
    facts = changed.differences[0]
    assert (facts.before, facts.after) == (
        "nothing",
        "Name on the account, Last four of the identity number",
    )
    # The file keeps everything as it stands in the database.
    file = tmp_path / "trail.csv"
    trail.export(ana, Asked(act=ROW_CHANGED), file)
    with file.open(encoding="utf-8-sig", newline="") as read:
        (line,) = [one for one in csv.DictReader(read) if one["row"] == key]
    assert json.loads(line["after"])["facts"] == "name,last_four"
    assert (line["action"], line["table"]) == ("row:changed", "call")


def test_after_a_correction_of_a_name_no_address_is_called_old(desk, ana):
    with desk.records.begin() as db:
        audit.record(db, desk, Action.OLD_CONTACT_TOLD)
    line = the_line(ana, act=Action.OLD_CONTACT_TOLD)
    assert line.what == "The member was told of the change by e-mail"


def test_the_verdict_speaks_no_jargon(desk, ana):
    whole = trail_proof.verify(ana, trail_proof.Progress()).words
    assert whole.startswith("The trail is whole: ")
    assert "none was changed, added or removed" in whole
    assert "chain" not in whole
