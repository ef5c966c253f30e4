from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.verification import (
    BadEmail,
    DeliveryStatus,
    LinkState,
    bounce_reason_in_words,
    check_email,
    link_state,
    may_resend,
    suggest_email,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_impatient_wait() -> None:
    assert may_resend(None, NOW, 2 * MINUTE) == timedelta(0)
    assert may_resend(NOW - MINUTE, NOW, 2 * MINUTE) == MINUTE
    assert may_resend(NOW - 3 * MINUTE, NOW, 2 * MINUTE) == timedelta(0)
    # The portal's clock is ahead of ours: nobody waits longer than the rule says.
    assert may_resend(NOW + 9 * MINUTE, NOW, 2 * MINUTE) == 2 * MINUTE


def test_the_link_runs_out() -> None:
    assert link_state(None, NOW) is LinkState.NONE
    assert link_state(NOW + MINUTE, NOW) is LinkState.ALIVE
    assert link_state(NOW, NOW) is LinkState.EXPIRED


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist.", "no mailbox"),
        ("550 No such user here", "no mailbox"),
        ("552 5.2.2 Mailbox full", "mailbox is full"),
        ("554 5.7.1 Message blocked: spam", "refuses our e-mail"),
        ("550 5.7.1 Service unavailable; client host blocked", "refuses our e-mail"),
        ("Domain example.invalid does not exist (NXDOMAIN)", "after the @ does not exist"),
        ("550 5.2.1 mailbox disabled", "switched off"),
        ("451 4.7.1 Greylisted, try again later", "Send it again later"),
        ("421 connection timed out", "Send it again later"),
        ("550 rejected", "refused the address"),
        ("something odd", "not a usual one"),
        ("", "without a reason"),
    ],
)
def test_bounces_in_words(reply: str, part: str) -> None:
    assert part in bounce_reason_in_words(reply)


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("joe@gmial.com", "joe@gmail.com"),
        ("joe@gmail.con", "joe@gmail.com"),
        ("joe@gmail", "joe@gmail.com"),
        ("joe@yaho.com", "joe@yahoo.com"),
        ("joe@hotmial.com", "joe@hotmail.com"),
        ("joe@outlok.com", "joe@outlook.com"),
        ("joe@aol.co", "joe@aol.com"),
        ("joe@example.con", "joe@example.com"),
        ("joegmail.com", "joe@gmail.com"),
        ("joe2yahoo.com", "joe@yahoo.com"),
        ("joe @ gmail,com", "joe@gmail.com"),
        ("joe@@gmail..com", "joe@gmail.com"),
        ("joe@comcast.com", "joe@comcast.net"),
    ],
)
def test_slips_are_noticed(typed: str, better: str) -> None:
    assert suggest_email(typed) == better


@pytest.mark.parametrize(
    "right",
    ["joe@gmail.com", "joe@example.com", "joe@email.com", "joe@me.com", "joe@mail.com",
     "joe@ymail.com", "joe@coop.example", "joe@yahoo.co.uk", "joe@q.com", "joe", "", "@"],
)  # fmt: skip
def test_what_is_right_or_hopeless_is_left_alone(right: str) -> None:
    assert suggest_email(right) is None


def test_a_good_address_is_tidied() -> None:
    assert check_email(" Joe.Smith+coop@Example.COM ") == "Joe.Smith+coop@example.com"
    assert check_email("<joe@example.com>") == "joe@example.com"
    assert check_email("joe\u200b@example.com") == "joe@example.com"


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ("", "no e-mail address"),
        ("joe", "no @"),
        ("joe@", "Nothing comes after"),
        ("@example.com", "Nothing comes before"),
        ("a@b@example.com", "more than one @"),
        ("joe smith@example.com", "space"),
        ("joe@example", "no ending"),
        ("joe@exa mple.com", "space"),
        ("joe.@example.com", "before the @"),
        ("joe@-example.com", "after the @"),
        ("josé@example.com", "accent"),
        ("x" * 300 + "@example.com", "too long"),
    ],
)
def test_bad_addresses_are_refused_in_words(bad: str, part: str) -> None:
    with pytest.raises(BadEmail, match=part):
        check_email(bad)


@given(st.text(st.characters(codec=None), max_size=60))
def test_anything_can_be_typed_as_an_address(text: str) -> None:
    better = suggest_email(text)
    if better is not None:
        assert check_email(better) == better
        assert suggest_email(better) is None
    try:
        address = check_email(text)
    except BadEmail:
        return
    assert check_email(address) == address


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_reply_has_words(reply: str) -> None:
    assert bounce_reason_in_words(reply)


def test_statuses_have_words() -> None:
    assert all(status.words for status in DeliveryStatus)
