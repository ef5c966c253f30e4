"""No answer, however odd, gets past the checks or out of them as anything but a misfit."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.clients import portal as client
from console.clients.answers import Fields, Misfit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
MOMENTS = st.sampled_from(
    ["2026-11-23T10:00:00Z", "2026-11-23t10:00:00.123456789z", "2026-11-23T10:00:00+14:00",
     "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-23T10:00:00",
     "2026-11-23T24:00:00Z", "2026-02-30T10:00:00Z", "2026-11-23T10:00:60Z", "٢026-11-23T10:00:00Z"]
)  # fmt: skip
TEXT = st.text(st.characters(), max_size=300)  # lone surrogates too


def an(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Build objects whose fields are right, or each may be right, odd, or missing."""
    return st.fixed_dictionaries(fields) | st.fixed_dictionaries(
        {}, optional={name: right | JSON for name, right in fields.items()}
    )


ATTEMPT = an(
    id=st.just("att_1"), at=MOMENTS, account_number=TEXT, name=TEXT, email=TEXT,
    channel=st.sampled_from(["web", "ios"]), outcome=st.sampled_from(["registered", "locked"]),
)  # fmt: skip
REGISTRATION = an(
    account_number=st.just("1"), id=st.just("reg_1") | st.none(), state=st.just("none"),
    email=TEXT, sent_at=MOMENTS | st.none(), expires_at=MOMENTS | st.none(),
    last_sign_in=MOMENTS | st.none(),
    deliveries=st.lists(
        an(at=MOMENTS, email=TEXT, status=st.just("bounced"), reason=TEXT), max_size=2
    ),
)  # fmt: skip


@given(an(attempts=st.lists(ATTEMPT, max_size=3), next=TEXT, more=st.booleans()))
def test_a_page_of_attempts_is_right_or_a_misfit(body):
    try:
        page = client._attempt_page(Fields(body))
    except Misfit:
        return
    for attempt in page.attempts:
        assert attempt.at.utcoffset() == timedelta(0)
        assert len(attempt.name) <= 200
        assert len(attempt.account_number) <= 60
        for text in (attempt.name, attempt.email, attempt.account_number):
            text.encode()
            assert "\0" not in text


@given(REGISTRATION)
def test_a_registration_is_right_or_a_misfit(body):
    try:
        found = client._registration(Fields(body))
    except Misfit:
        return
    found.email.encode()
    assert all(len(delivery.reason) <= 300 for delivery in found.deliveries)


@given(JSON)
def test_anything_at_all_is_a_misfit_or_an_answer(body):
    for form in (client._attempt_page, client._check, client._holder, client._registration,
                 client._email_sent, client._preferences, client._message_page,
                 client._report_page):  # fmt: skip
        try:
            form(Fields(body))
        except Misfit:
            continue
