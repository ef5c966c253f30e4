"""Desks that edit the same members at the same moment."""

import pytest

from console.models import schema
from tests import servers
from tests.edits import Edits, edit_at_once


def is_whole(edits: Edits) -> bool:
    return edits.errors.total() == 0 and (edits.lost, edits.unasked) == (0, 0)


def test_no_edit_of_many_desks_is_lost(database_url):
    edits = edit_at_once(database_url, desks=8, seconds=1.5, pause=0.0, members=2)
    assert edits.told.total() > 10
    assert edits.conflicts > 0
    assert is_whole(edits), edits.errors


@pytest.mark.soak
def test_no_edit_of_two_hundred_desks_in_a_minute_is_lost():
    servers.find_debians()
    with servers.running_debians(connections=300) as url:
        schema.open_records(url).close()
        edits = edit_at_once(url, desks=200, seconds=60, pause=5.0, members=100)
    assert edits.told.total() > 1_000
    assert edits.conflicts > 0
    assert is_whole(edits), edits.errors


@pytest.mark.soak
def test_no_edit_of_the_desks_that_share_a_file_is_lost(tmp_path):
    url = f"sqlite:///{tmp_path / 'office.db'}"
    schema.open_records(url).close()
    edits = edit_at_once(url, desks=8, seconds=60, pause=0.05, members=4)
    assert edits.told.total() > 1_000
    assert edits.conflicts > 0
    assert is_whole(edits), edits.errors


def test_the_count_shows_an_edit_that_was_written_over():
    edits = Edits()
    edits.told[1, "phone"], edits.kept[1, "phone"] = 3, 2
    edits.told[2, "phone"], edits.kept[2, "phone"] = 1, 2
    assert (edits.lost, edits.unasked) == (1, 1)
