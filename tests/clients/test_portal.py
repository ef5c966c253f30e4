"""The console's client against the stand-in, over real HTTP, in good times and bad."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from console.clients.portal import (
    AlreadyVerified,
    NoticeChannel,
    Portal,
    Refused,
    RegistrationExpired,
    RegistrationLocked,
    ReportStatus,
    Threshold,
    ThresholdPeriod,
    ThresholdUnit,
    Throttled,
    TokenRefused,
    Unexpected,
    UnknownAtPortal,
    Unreachable,
    VersionConflict,
)
from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus
from console.sandbox.misbehaviour import Kind
from tests.clients.test_http import OK, raw_server, whole
from tests.stand_ins import DELONG, FARMS, STAFF, register

ATTEMPTS = "/v1/registration-attempts"


def waiting(site, client, **more):
    assert register(site, **more) == "registered"
    return client.registration(more.get("account", DELONG), staff=STAFF)


def verify(site, post, email="rose@example.org"):
    with requests.Session() as browser:
        page = browser.get(post.link(email), timeout=10)
        key = page.text.split('name="form" value="')[1].split('"')[0]
        page = browser.post(post.link(email), data={"form": key}, timeout=10)
        key = page.text.split('name="form" value="')[1].split('"')[0]
        page = browser.post(
            f"{site.url}/password",
            data={"form": key, "password": "Secret1!", "again": "Secret1!"},
            timeout=10,
        )
        assert "My account" in page.text


def test_health(client, clock):
    health = client.health()
    assert health.now == clock.now
    assert health.name == "Cedar Fork Electric Cooperative"


def test_attempts_come_as_typed_and_at_once(site, client, clock):
    assert register(site, "10234.01", " De Long ", "rose@example.org") == "account_not_found"
    assert register(site, DELONG, "De Long", "rose@example.org") == "name_mismatch"
    page = client.attempts(staff=STAFF)
    assert [(a.account_number, a.name, a.outcome) for a in page.attempts] == [
        ("10234.01", " De Long ", Outcome.ACCOUNT_NOT_FOUND),
        (DELONG, "De Long", Outcome.NAME_MISMATCH),
    ]
    assert {a.at for a in page.attempts} == {clock.now}
    assert {a.channel for a in page.attempts} == {Channel.WEB}
    assert not page.more


def test_the_cursor_goes_on_where_it_was(site, client):
    for n in range(5):
        register(site, name=f"Typed {n}")
    first = client.attempts(limit=3, staff=STAFF)
    second = client.attempts(first.next, limit=3, staff=STAFF)
    assert [a.name for a in first.attempts + second.attempts] == [f"Typed {n}" for n in range(5)]
    assert (first.more, second.more) == (True, False)
    third = client.attempts(second.next, staff=STAFF)
    assert (third.attempts, third.next) == ((), second.next)
    register(site, name="Typed later")
    assert [a.name for a in client.attempts(third.next, staff=STAFF).attempts] == ["Typed later"]


def test_a_page_may_repeat_attempts_with_the_same_id(site, client):
    for n in range(4):
        register(site, name=f"Typed {n}")
    first = client.attempts(limit=2, staff=STAFF)
    site.misbehave(Kind.DUPLICATED_PAGE, times=1)
    again = client.attempts(first.next, limit=2, staff=STAFF)
    assert [a.id for a in again.attempts] == [a.id for a in first.attempts]
    rest = client.attempts(again.next, limit=2, staff=STAFF)
    assert [a.name for a in rest.attempts] == ["Typed 2", "Typed 3"]


def test_a_check_changes_nothing(site, client):
    refused = client.check_registration(DELONG, "De Long", staff=STAFF)
    assert (refused.passes, refused.reason) == (False, Outcome.NAME_MISMATCH)
    passed = client.check_registration(DELONG, "delong ", staff=STAFF)
    assert (passed.passes, passed.reason) == (True, None)
    assert client.attempts(staff=STAFF).attempts == ()
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.NONE


def test_a_corrected_name_lets_the_member_in(site, client):
    held = client.publish_name(DELONG, "De Long", 1, staff=STAFF)
    assert (held.name, held.version) == ("De Long", 2)
    assert client.check_registration(DELONG, "De Long", staff=STAFF).passes


def test_publishing_twice_is_publishing_once(client):
    first = client.publish_name(DELONG, "De Long", 1, staff=STAFF)
    assert client.publish_name(DELONG, "De Long", 1, staff=STAFF) == first


def test_an_older_version_does_not_overwrite_a_newer_one(client):
    client.publish_name(DELONG, "De Long", 1, staff=STAFF)
    with pytest.raises(VersionConflict) as conflict:
        client.publish_name(DELONG, "Delong", 1, staff=STAFF)
    assert (conflict.value.current_name, conflict.value.current_version) == ("De Long", 2)
    assert client.publish_name(DELONG, "Delong", 2, staff=STAFF).version == 3


def test_names_of_every_script_travel_unharmed(client):
    for version, name in enumerate(("Nuñez", "O’Brien", "Łukasiewicz", "𝒟e Long", "Ng"), start=1):
        assert client.publish_name(DELONG, name, version, staff="名前 Ω").name == name


def test_an_unknown_account_is_unknown(client):
    with pytest.raises(UnknownAtPortal):
        client.registration("999", staff=STAFF)
    with pytest.raises(UnknownAtPortal):
        client.publish_name("999", "Smith", 1, staff=STAFF)
    with pytest.raises(UnknownAtPortal):
        client.send_again("reg_none", idempotency_key="k", staff=STAFF)


def test_a_registration_tells_what_became_of_its_mail(site, client, post, clock):
    found = waiting(site, client)
    assert found.state is RegistrationState.AWAITING_VERIFICATION
    assert (found.email, found.sent_at) == ("rose@example.org", clock.now)
    assert found.expires_at == clock.now + timedelta(hours=72)
    assert [d.status for d in found.deliveries] == [
        DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED,
    ]  # fmt: skip
    assert len(post.mails("rose@example.org")) == 1


@pytest.mark.parametrize(
    ("email", "reply"),
    [
        ("rose@gmial.com", "550 5.1.2"),
        ("nobody.here@example.org", "550 5.1.1"),
        ("full@example.org", "552 5.2.2"),
        ("rose@bounce.example", "550 5.7.1"),
    ],
)
def test_a_bounce_says_what_the_other_server_said(site, client, email, reply):
    last = waiting(site, client, email=email).deliveries[-1]
    assert last.status is DeliveryStatus.BOUNCED
    assert last.reason.startswith(reply)


def test_a_switch_thrown_twice_is_on_once(site, client, clock):
    site.misbehave(Kind.CLOCK_OFF, seconds=60)
    site.misbehave(Kind.CLOCK_OFF, seconds=60)
    assert client.health().now == clock.now + timedelta(seconds=60)


def test_every_mail_bounces_whoever_had_it_sent(site, client):
    site.misbehave(Kind.BOUNCE, path="/v1/")
    assert waiting(site, client).deliveries[-1].status is DeliveryStatus.BOUNCED


def test_mail_that_nobody_takes_bounces_and_the_registration_stands(site, client, post):
    site.misbehave(Kind.BOUNCE, times=1)
    assert waiting(site, client).deliveries[-1].status is DeliveryStatus.BOUNCED
    assert post.mails() == []


def test_send_again_sends_once_for_each_key(site, client, post, clock):
    found = waiting(site, client)
    clock.on(seconds=61)
    first = client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert first.sent_at == clock.now
    clock.on(minutes=5)
    assert client.send_again(found.id, idempotency_key="click-1", staff=STAFF) == first
    assert site.mails() == {found.id: 2}
    assert len(post.mails("rose@example.org")) == 2
    client.send_again(found.id, idempotency_key="click-2", staff=STAFF)
    assert site.mails() == {found.id: 3}


def test_a_key_belongs_to_one_registration(site, client, clock):
    one, other = waiting(site, client), waiting(site, client, account=FARMS,
                                                name="Núñez & Sons Farms LLC")  # fmt: skip
    clock.on(seconds=61)
    client.send_again(one.id, idempotency_key="click-1", staff=STAFF)
    with pytest.raises(Refused) as refused:
        client.send_again(other.id, idempotency_key="click-1", staff=STAFF)
    assert refused.value.code == "key_reused"
    assert site.mails()[other.id] == 1


def test_the_impatient_are_told_how_long_to_wait(site, client, clock):
    found = waiting(site, client)
    clock.on(seconds=20)
    with pytest.raises(Throttled, match="40 seconds") as throttled:
        client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert throttled.value.retry_after == 40
    clock.on(seconds=40)
    # The refusal was not an answer to keep: the same click may try again.
    client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert site.mails() == {found.id: 2}


def test_the_answer_is_lost_after_the_mail_went_and_nothing_goes_twice(site, client, clock):
    found = waiting(site, client)
    clock.on(seconds=61)
    site.misbehave(Kind.CUT)  # every answer, so that the client's own tries are lost as well
    with pytest.raises(Unreachable):
        client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert site.mails() == {found.id: 2}
    site.behave()
    client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert site.mails() == {found.id: 2}


def test_a_single_lost_answer_is_made_good_without_anybody_noticing(site, client, clock):
    found = waiting(site, client)
    clock.on(seconds=61)
    site.misbehave(Kind.CUT, times=1)
    client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert site.mails() == {found.id: 2}


def test_a_corrected_address_gets_the_next_mail_at_once(site, client, post):
    found = waiting(site, client, email="rose@gmial.com")
    corrected = client.correct_email(found.id, "rose@gmail.com", staff=STAFF)
    assert (corrected.email, corrected.expires_at) == ("rose@gmail.com", None)
    assert client.correct_email(found.id, "rose@gmail.com", staff=STAFF) == corrected
    sent = client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert sent.email == "rose@gmail.com"
    assert len(post.mails("rose@gmail.com")) == 1
    last = client.registration(DELONG, staff=STAFF).deliveries[-1]
    assert (last.email, last.status) == ("rose@gmail.com", DeliveryStatus.DELIVERED)


def test_what_is_not_an_address_is_refused(site, client):
    found = waiting(site, client)
    with pytest.raises(Refused) as refused:
        client.correct_email(found.id, "not an address", staff=STAFF)
    assert refused.value.code == "bad_request"


def test_a_verified_account_needs_nothing(site, client, post):
    found = waiting(site, client)
    verify(site, post)
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.VERIFIED
    with pytest.raises(AlreadyVerified):
        client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    with pytest.raises(AlreadyVerified):
        client.correct_email(found.id, "other@example.org", staff=STAFF)
    assert client.check_registration(DELONG, "DeLong", staff=STAFF).reason is (
        Outcome.ALREADY_REGISTERED
    )


def test_a_locked_account_is_locked(site, client, post):
    found = waiting(site, client)
    verify(site, post)
    with site.store.begin() as db:
        db.execute("UPDATE registration SET state = 'locked'")
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.LOCKED
    with pytest.raises(RegistrationLocked):
        client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert register(site) == "locked"


def test_a_registration_lapses_after_a_month(site, client, clock):
    found = waiting(site, client)
    clock.on(days=30)
    with pytest.raises(RegistrationExpired):
        client.send_again(found.id, idempotency_key="click-1", staff=STAFF)
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.NONE
    assert register(site) == "registered"


def test_registering_anew_after_the_link_ran_out_retires_the_old_registration(site, client, clock):
    old = waiting(site, client)
    assert register(site) == "already_registered"
    clock.on(hours=72)
    new = waiting(site, client)
    assert new.id != old.id
    with pytest.raises(RegistrationExpired):
        client.send_again(old.id, idempotency_key="click-1", staff=STAFF)


def test_preferences_are_replaced_by_version(client):
    held = client.preferences(DELONG, staff=STAFF)
    assert (held.version, held.paperless, held.auto_pay) == (1, False, False)
    wanted = replace(
        held,
        paperless=True,
        notices={**held.notices, "outage": NoticeChannel.TEXT},
        thresholds=(Threshold(ThresholdUnit.KWH, ThresholdPeriod.DAY, 60),),
    )
    changed = client.change_preferences(wanted, staff=STAFF)
    assert changed == replace(wanted, version=2)
    assert client.change_preferences(wanted, staff=STAFF) == changed, "the same wish twice is one"
    with pytest.raises(VersionConflict) as conflict:
        client.change_preferences(replace(wanted, paperless=False), staff=STAFF)
    assert (conflict.value.current_version, conflict.value.current_name) == (2, None)


def write_to_us(site):
    with site.store.begin() as db:
        db.execute(
            "INSERT INTO message (id, at, account_number, email, subject, text, answer)"
            " VALUES ('msg_1', '2026-11-23T10:00:00.000000Z', ?, 'rose@example.org', 'Bill',"
            " 'Why so high?', '')",
            (DELONG,),
        )
        db.execute(
            "INSERT INTO service_report (id, at, account_number, kind, text, status)"
            " VALUES ('rep_1', '2026-11-23T10:00:00.000000Z', ?, 'outage', 'Dark', 'received')",
            (DELONG,),
        )


def test_messages_are_read_and_answered_once(site, client, post, clock):
    write_to_us(site)
    (message,) = client.messages(staff=STAFF).messages
    assert (message.subject, message.answered_at) == ("Bill", None)
    sent = client.reply("msg_1", "A cold month.", idempotency_key="k", staff=STAFF)
    assert client.reply("msg_1", "A cold month.", idempotency_key="k", staff=STAFF) == sent
    (mail,) = post.mails("rose@example.org")
    assert mail["subject"] == "Re: Bill"
    assert "A cold month." in mail["text"]
    assert client.messages(staff=STAFF).messages[0].answered_at == clock.now


def test_reports_are_read_and_moved_on(site, client):
    write_to_us(site)
    (report,) = client.service_reports(staff=STAFF).reports
    assert report.status is ReportStatus.RECEIVED
    back = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
    moved = client.update_service_report("rep_1", ReportStatus.CREW_ASSIGNED, back, staff=STAFF)
    assert (moved.status, moved.restoration) == (ReportStatus.CREW_ASSIGNED, back)
    with pytest.raises(UnknownAtPortal):
        client.update_service_report("rep_2", ReportStatus.CLOSED, staff=STAFF)


def test_a_wrong_token_is_said_to_be_one(site):
    stranger = Portal(site.url, "wrong", "desk 1")
    with pytest.raises(TokenRefused, match="does not accept this workstation"):
        stranger.attempts(staff=STAFF)
    stranger.close()


@pytest.mark.parametrize(
    ("kind", "raised", "words"),
    [
        (Kind.DOWN, Unreachable, "down or busy"),
        (Kind.SERVER_ERROR, Unexpected, "fault of its own"),
        (Kind.FAULT_AFTER, Unexpected, "fault of its own"),
        (Kind.HTML, Unexpected, "a page where data was due"),
        (Kind.HALF_JSON, Unexpected, "damaged"),
        (Kind.WRONG_TYPES, Unexpected, "not as agreed"),
        (Kind.CUT, Unreachable, "cannot be reached"),
        (Kind.UNAUTHORIZED, TokenRefused, "token"),
        (Kind.THROTTLED, Throttled, "7 seconds"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.attempts(staff=STAFF),
        lambda client: client.registration(DELONG, staff=STAFF),
        lambda client: client.check_registration(DELONG, "DeLong", staff=STAFF),
        lambda client: client.publish_name(DELONG, "DeLong", 1, staff=STAFF),
        lambda client: client.preferences(DELONG, staff=STAFF),
        lambda client: client.messages(staff=STAFF),
        lambda client: client.service_reports(staff=STAFF),
    ],
    ids=["attempts", "registration", "check", "publish", "preferences", "messages", "reports"],
)
def test_misbehaviour_is_a_sentence(site, client, kind, raised, words, call):
    register(site, name="De Long")
    write_to_us(site)
    site.misbehave(kind)
    with pytest.raises(raised, match=words):
        call(client)
    site.behave()
    call(client)


def test_a_slow_portal_runs_into_the_deadline(site):
    hasty = Portal(site.url, site.token, "desk 1", deadline=0.3)
    site.misbehave(Kind.SLOW, seconds=0.7, times=1)
    with pytest.raises(Unreachable, match=r"within 0\.3 seconds"):
        hasty.registration(DELONG, staff=STAFF)
    hasty.close()


def test_a_portal_that_is_off_is_unreachable_and_comes_back(site, client):
    client.health()
    site.web.shut()
    with pytest.raises(Unreachable):
        client.health()
    site.web.open()
    assert client.health()


def test_a_name_of_a_megabyte_is_cut_and_does_not_stop_the_others(site, client):
    register(site, name="De Long")
    register(site, name="Delonge")
    site.misbehave(Kind.HUGE, path=ATTEMPTS, times=1)
    names = [a.name for a in client.attempts(staff=STAFF).attempts]
    assert [len(name) for name in names] == [200, len("Delonge")]


def test_a_clock_that_is_off_is_seen(site, client, clock):
    site.misbehave(Kind.CLOCK_OFF, seconds=3600)
    assert client.health().now == clock.now + timedelta(hours=1)


GOOD = {
    "id": "att_1", "at": "2026-11-23T10:00:00Z", "account_number": "1", "name": "A", "email": "",
    "channel": "web", "outcome": "registered",
}  # fmt: skip


@pytest.mark.parametrize(
    "flaw",
    [
        {"id": ""}, {"id": "a b"}, {"id": "x" * 65}, {"id": 5}, {"id": None},
        {"at": "2026-11-23T10:00:00"}, {"at": "yesterday"}, {"at": 1763892000}, {"at": None},
        {"at": "2026-13-45T10:00:00Z"}, {"at": "2026-11-23"}, {"at": "0001-01-01T00:00:00+23:59"},
        {"name": None}, {"name": ["A"]}, {"email": 1}, {"account_number": 1023401},
        {"channel": "fax"}, {"outcome": "REGISTERED"}, {"outcome": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_attempt_with_a_flaw_is_not_as_expected(flaw):
    page = {"attempts": [{**GOOD, **flaw}], "next": "1", "more": False}
    with raw_server(whole(json.dumps(page).encode(), OK)) as (url, _):
        client = Portal(url, "t", "desk 1")
        with pytest.raises(Unexpected, match="not as agreed"):
            client.attempts(staff=STAFF)
        assert client.exchanges[-1].outcome == "unexpected"
        client.close()


@pytest.mark.parametrize("field", GOOD)
def test_an_attempt_with_a_missing_field_is_not_as_expected(field):
    attempt = {name: value for name, value in GOOD.items() if name != field}
    page = {"attempts": [attempt], "next": "1", "more": False}
    with raw_server(whole(json.dumps(page).encode(), OK)) as (url, _):
        client = Portal(url, "t", "desk 1")
        with pytest.raises(Unexpected, match="not as agreed"):
            client.attempts(staff=STAFF)
        client.close()


def test_what_cannot_be_stored_is_replaced_and_the_rest_kept():
    attempt = {**GOOD, "name": "De\u0000Lo\ud800ng\u200b", "at": "2026-11-23T04:00:00.5-06:00"}
    page = {"attempts": [attempt], "next": "1", "more": False, "something": "new"}
    with raw_server(whole(json.dumps(page).encode(), OK)) as (url, _):
        client = Portal(url, "t", "desk 1")
        (found,) = client.attempts(staff=STAFF).attempts
        client.close()
    assert found.name == "De�Lo�ng\u200b", "a hidden letter is why a name is refused: it stays"
    assert found.at == datetime(2026, 11, 23, 10, 0, 0, 500_000, tzinfo=UTC)
