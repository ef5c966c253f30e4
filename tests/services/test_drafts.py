import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from console.services import drafts
from console.services.drafts import Draft
from console.settings import data_folder
from tests.office import SAM, add_member


def note(desk, text, member_id=7):
    return Draft(f"note {member_id}", "a note", member_id, {"text": text}, desk.now())


def files():
    return [path for path in (data_folder() / "drafts").rglob("*") if path.is_file()]


def test_a_draft_comes_back_as_it_was_left(desk):
    drafts.keep(desk, note(desk, "Calls after six, “door” at the back"), 1)
    assert drafts.recall(desk, "note 7") == note(desk, "Calls after six, “door” at the back")
    assert drafts.recall(desk, "note 8") is None


def test_nobody_else_reads_it(desk):
    drafts.keep(desk, note(desk, "Calls after six"), 1)
    assert drafts.recall(replace(desk, colleague=SAM), "note 7") is None
    (file,) = files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_is_saved_or_emptied_is_forgotten(desk):
    drafts.keep(desk, note(desk, "Calls after six"), 1)
    drafts.keep(desk, note(desk, "  "), 2)
    assert drafts.recall(desk, "note 7") is None
    drafts.keep(desk, note(desk, "Calls after six"), 3)
    drafts.forget(desk, "note 7", 4)
    assert (drafts.recall(desk, "note 7"), files()) == (None, [])


def test_an_older_stroke_never_wins(desk):
    drafts.keep(desk, note(desk, "newer"), 20)
    drafts.keep(desk, note(desk, "older"), 10)
    assert drafts.recall(desk, "note 7").fields["text"] == "newer"
    drafts.forget(desk, "note 7", 30)
    drafts.keep(desk, note(desk, "late"), 25)
    assert drafts.recall(desk, "note 7") is None


def test_workers_out_of_turn_leave_the_newest(desk):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: drafts.keep(desk, note(desk, f"word {n}"), n), range(1, 201)))
    assert drafts.recall(desk, "note 7").fields["text"] == "word 200"
    assert len(files()) == 1


def test_a_card_number_is_kept_nowhere(desk):
    drafts.keep(desk, note(desk, "pays with 4111 1111 1111 1111"), 1)
    assert files() == []


def test_half_a_file_is_no_draft(desk):
    drafts.keep(desk, note(desk, "Calls after six"), 1)
    (file,) = files()
    file.write_text(file.read_text()[:20])
    assert drafts.recall(desk, "note 7") is None


def test_an_old_draft_is_swept_away(desk, clock):
    drafts.keep(desk, note(desk, "Calls after six"), 1)
    clock.advance(days=15)
    assert drafts.recall(desk, "note 7") is None
    assert files() == []


def test_what_was_left_half_done_is_listed_newest_first(desk, clock):
    rose = add_member(desk.records)
    drafts.keep(desk, note(desk, "Calls after six", rose), 1)
    clock.advance(minutes=5)
    contact = Draft("contact 1", "a change of the contact details", rose, {"phone": "1"}, clock())
    drafts.keep(desk, contact, 2)
    drafts.keep(desk, note(desk, "of somebody who is not on file", 99), 3)
    listed = drafts.unfinished(desk)
    assert [(one.member_name, one.words) for one in listed] == [
        ("Rose DeLong", "a change of the contact details"),
        ("Rose DeLong", "a note"),
    ]
    assert drafts.unfinished(replace(desk, colleague=SAM)) == ()
