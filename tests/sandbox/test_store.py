"""What the stand-in remembers, across restarts and between callers."""

from __future__ import annotations

import gc
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from console.clients.portal import Portal
from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus
from console.sandbox import mailbox, portal
from tests.stand_ins import ACCOUNTS, DELONG, FARMS, OBRIEN, STAFF, register

THEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_seeding_again_leaves_what_happened_meanwhile(tmp_path):
    file = tmp_path / "portal.sqlite"
    portal.seed(file, ACCOUNTS)
    with portal.running(file) as site:
        client = Portal(site.url, site.token, "desk 1")
        client.publish_name(DELONG, "De Long", 1, staff=STAFF)
        assert register(site, name="De Long") == "registered"
        client.close()
    portal.seed(file, ACCOUNTS, attempts=[portal.PastAttempt(THEN, "1", "x", "", Outcome.LOCKED)])
    with portal.running(file) as site:
        client = Portal(site.url, site.token, "desk 1")
        assert client.check_registration(DELONG, "De Long", staff=STAFF).reason is (
            Outcome.ALREADY_REGISTERED
        )
        assert len(client.attempts(staff=STAFF).attempts) == 1
        client.close()


def test_a_replayed_key_outlasts_a_restart(tmp_path):
    file = tmp_path / "portal.sqlite"
    portal.seed(file, ACCOUNTS)
    quick = portal.PortalSettings(resend_wait_seconds=0)
    with portal.running(file, quick) as site:
        register(site)
        client = Portal(site.url, site.token, "desk 1")
        found = client.registration(DELONG, staff=STAFF)
        first = client.send_again(str(found.id), idempotency_key="k", staff=STAFF)
        client.close()
    with portal.running(file, quick) as site:
        client = Portal(site.url, site.token, "desk 1")
        assert client.send_again(str(found.id), idempotency_key="k", staff=STAFF) == first
        assert site.mails() == {found.id: 2}
        client.close()


def test_the_past_is_sown(tmp_path):
    file = tmp_path / "portal.sqlite"
    portal.seed(
        file,
        ACCOUNTS,
        [
            portal.PastRegistration(
                DELONG, "rose@gmial.com", RegistrationState.AWAITING_VERIFICATION, THEN,
                (
                    portal.PastDelivery(THEN, DeliveryStatus.QUEUED),
                    portal.PastDelivery(THEN, DeliveryStatus.BOUNCED, "550 5.1.2 Host unknown"),
                ),
                id="reg_delong",
            ),
            portal.PastRegistration(
                OBRIEN, "pat@example.org", RegistrationState.VERIFIED, THEN, last_sign_in=THEN,
                password="Secret1!",
            ),
            portal.PastRegistration(FARMS, "f@example.org", RegistrationState.LOCKED, THEN),
        ],
        [
            portal.PastAttempt(THEN + timedelta(hours=1), "9", "Later", "", Outcome.LOCKED),
            portal.PastAttempt(
                THEN, "10234.01", "De Long", "rose@gmial.com", Outcome.ACCOUNT_NOT_FOUND,
                Channel.IOS, id="att_first",
            ),
        ],
        facts={"coop_name": "Prairie Wind Electric", "match_rule": "exact"},
    )  # fmt: skip
    with portal.running(file, clock=lambda: THEN + timedelta(hours=2)) as site:
        client = Portal(site.url, site.token, "desk 1")
        waiting = client.registration(DELONG, staff=STAFF)
        assert (waiting.id, waiting.email) == ("reg_delong", "rose@gmial.com")
        assert waiting.expires_at == THEN + timedelta(hours=72)
        assert [d.status for d in waiting.deliveries] == ["queued", "bounced"]
        assert client.registration(OBRIEN, staff=STAFF).last_sign_in == THEN
        assert client.registration(FARMS, staff=STAFF).state is RegistrationState.LOCKED
        assert next((a.id, a.channel) for a in client.attempts(staff=STAFF).attempts) == (
            "att_first", Channel.IOS,
        )  # fmt: skip
        assert client.health().name == "Prairie Wind Electric"
        assert not client.check_registration("2048001", "núñez & sons farms llc",
                                             staff=STAFF).passes  # fmt: skip
        client.close()


def test_one_key_from_many_desks_at_once_sends_one_mail(site, client, post, clock):
    register(site)
    found = client.registration(DELONG, staff=STAFF)
    clock.on(seconds=61)
    sent = []

    def ask():
        sent.append(client.send_again(found.id, idempotency_key="click-1", staff=STAFF))

    desks = [threading.Thread(target=ask) for _ in range(8)]
    for desk in desks:
        desk.start()
    for desk in desks:
        desk.join()
    assert len(sent) == 8
    assert len(set(sent)) == 1
    assert len(post.mails("rose@example.org")) == 2


def test_only_one_of_two_at_once_registers(site):
    outcomes: list[str] = []
    members = [
        threading.Thread(
            target=lambda n=n: outcomes.append(register(site, email=f"m{n}@example.org"))
        )
        for n in range(6)
    ]
    for member in members:
        member.start()
    for member in members:
        member.join()
    assert sorted(outcomes) == ["already_registered"] * 5 + ["registered"]


def test_a_shut_port_opens_again_by_itself(site, client):
    requests.post(
        f"{site.url}/sandbox/shut", json={"seconds": 0.3}, headers={"X-Sandbox": "y"}, timeout=10
    ).raise_for_status()
    timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    for timer in timers:
        timer.join()
    assert client.health()


@pytest.mark.parametrize("opening", [portal.running, mailbox.running])
def test_what_is_no_database_is_let_go_of_again(tmp_path, opening):
    """An open connection left behind would be a warning, and a warning is a failure."""
    file = tmp_path / "portal.sqlite"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError), opening(file):
        pass
    gc.collect()
