import pytest

from console.domain.notices import (
    PAPERLESS,
    BadNotice,
    Event,
    Wanted,
    changed_fields,
    check_reachable,
)


def test_each_choice_has_its_word():
    assert [Wanted(*both).words for both in ((0, 0), (1, 0), (0, 1), (1, 1))] == [
        "Neither",
        "E-mail",
        "Text",
        "E-mail and text",
    ]


def test_only_what_differs_is_a_change():
    before = {Event.OUTAGE: Wanted(by_email=True)}
    after = {Event.OUTAGE: Wanted(by_email=True), Event.BILL_READY: Wanted(by_text=True)}
    assert changed_fields(before, after, paperless_changed=False) == (Event.BILL_READY,)
    assert changed_fields(before, before, paperless_changed=True) == (PAPERLESS,)


@pytest.mark.parametrize(
    ("wanted", "paperless"),
    [(Wanted(by_email=True), False), (Wanted(by_text=True), False), (Wanted(), True)],
)
def test_what_could_never_arrive_is_refused(wanted, paperless):
    chosen = {Event.OUTAGE: wanted}
    check_reachable(chosen, has_email=True, has_phone=True, paperless=paperless)
    with pytest.raises(BadNotice):
        check_reachable(chosen, has_email=False, has_phone=False, paperless=paperless)


def test_no_two_events_share_a_name_at_the_portal():
    names = [event.portal_name for event in Event if event.portal_name]
    assert len(names) == len(set(names)) == 5
