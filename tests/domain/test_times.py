from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import times

ZONE = "America/Chicago"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


NOW = utc(2026, 11, 23, 18, 0)  # Monday noon in Chicago


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (utc(2026, 11, 23, 16, 42), "today 10:42"),
        (utc(2026, 11, 23, 6, 0), "today 00:00"),
        (utc(2026, 11, 23, 5, 59), "yesterday 23:59"),
        (utc(2026, 11, 24, 6, 0), "tomorrow 00:00"),
        (utc(2026, 11, 16, 15, 5), "Mon 16 Nov 09:05"),
        (utc(2026, 1, 5, 15, 5), "Mon 5 Jan 09:05"),
        (utc(2025, 11, 16, 15, 5), "16 Nov 2025 09:05"),
        (utc(2028, 2, 29, 15, 5), "29 Feb 2028 09:05"),
    ],
)
def test_moments_are_said_in_the_zone_of_the_co_op(moment, words):
    assert times.when(moment, NOW, ZONE) == words


def test_the_turn_of_the_year_does_not_bring_a_year_into_last_week():
    assert times.day(date(2026, 12, 29), date(2027, 1, 4)) == "Tue 29 Dec"
    assert times.day(date(2027, 1, 4), date(2026, 12, 29)) == "Mon 4 Jan"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        # 1 November 2026: at 2:00 summer time the clocks go back to 1:00.
        (utc(2026, 11, 1, 6, 30), "Sun 1 Nov 01:30"),
        (utc(2026, 11, 1, 7, 30), "Sun 1 Nov 01:30"),
        (utc(2026, 11, 1, 8, 0), "Sun 1 Nov 02:00"),
        # 8 March 2026: 2:00 does not exist.
        (utc(2026, 3, 8, 7, 59), "Sun 8 Mar 01:59"),
        (utc(2026, 3, 8, 8, 0), "Sun 8 Mar 03:00"),
    ],
)
def test_days_on_which_the_clocks_change(moment, words):
    assert times.when(moment, NOW, ZONE) == words


def test_a_day_of_25_hours_is_still_one_day():
    now = utc(2026, 11, 1, 17, 0)
    assert times.when(utc(2026, 11, 1, 5, 0), now, ZONE) == "today 00:00"
    assert times.when(utc(2026, 11, 2, 5, 59), now, ZONE) == "today 23:59"
    assert times.when(utc(2026, 11, 2, 6, 0), now, ZONE) == "tomorrow 00:00"
    assert times.midnight(date(2026, 11, 1), ZONE) == utc(2026, 11, 1, 5)
    assert times.midnight(date(2026, 11, 2), ZONE) == utc(2026, 11, 2, 6)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-30, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (150, "2 minutes ago"),
        (3600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (172_800, "2 days ago"),
    ],
)
def test_how_long_ago(seconds, words):
    assert times.ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (7200, "2 hours")]
)
def test_how_long(seconds, words):
    assert times.length(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../etc/passwd", "America", "a\0b", "x" * 5000])
def test_a_zone_that_does_not_exist_is_said_in_a_sentence(zone):
    with pytest.raises(times.UnknownZone, match=r"America/Chicago"):
        times.when(NOW, NOW, zone)


def test_a_moment_without_a_zone_is_a_bug():
    with pytest.raises(ValueError, match="zone"):
        times.when(datetime(2026, 1, 1), NOW, ZONE)  # noqa: DTZ001  # the very thing refused


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_every_moment_can_be_said(moment, now):
    assert times.when(moment, now, ZONE)
    assert times.ago(moment, now)
