from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.domain.courier import (
    LONGEST_WAIT,
    MOST_TRIES,
    ErrandKind,
    ErrandState,
    Way,
    is_hopeless,
    next_pause,
)

NOW = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)


@given(st.integers(-1, 10_000), st.floats(0, 1))
def test_pauses_grow_and_stay_bearable(tries, chance):
    pause = next_pause(tries, chance)
    assert timedelta(seconds=1) <= pause <= timedelta(minutes=10)
    assert pause <= next_pause(tries + 1, chance)


def test_desks_do_not_come_back_in_step():
    assert next_pause(3, 0.0) < next_pause(3, 1.0)


def test_hope_ends_after_many_tries_or_a_day():
    assert not is_hopeless(MOST_TRIES - 1, NOW, NOW)
    assert is_hopeless(MOST_TRIES, NOW, NOW)
    assert not is_hopeless(0, NOW - LONGEST_WAIT + timedelta(seconds=1), NOW)
    assert is_hopeless(0, NOW - LONGEST_WAIT, NOW)


def test_every_kind_and_state_has_words():
    assert all(kind.words for kind in ErrandKind)
    assert all(state.words for state in ErrandState)
    assert [state for state in ErrandState if state.is_open] == [
        ErrandState.WAITING,
        ErrandState.SENDING,
    ]


def test_what_members_read_goes_by_mail():
    assert {kind for kind in ErrandKind if kind.way is Way.MAIL} == {
        ErrandKind.TELL_OLD_CONTACT,
        ErrandKind.SEND_RECEIPT,
        ErrandKind.SEND_PAY_LINK,
        ErrandKind.SEND_NOTICE,
    }
