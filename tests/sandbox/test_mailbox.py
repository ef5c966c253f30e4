"""The training mailbox: real SMTP in, a safe page out."""

from __future__ import annotations

import smtplib

import pytest
import requests

from console.clients.http import Unreachable
from console.clients.mail import Bounced, Mail
from console.sandbox import mailbox


@pytest.fixture
def mail(post):
    return Mail(*post.smtp, "portal@cedarfork.example", "Cedar Fork, the “Co-op”")


def page(post, path="/"):
    return requests.get(post.url + path, timeout=10)


def test_a_mail_arrives_and_is_listed_newest_first(post, mail):
    mail.send("rose@example.org", "First", "Hello Núñez ✓")
    mail.send("pat@example.org", "Second", "Hi", "<p>Hi</p>")
    found = requests.get(f"{post.url}/api/mails", timeout=10).json()["mails"]
    assert [one["subject"] for one in found] == ["Second", "First"]
    assert found[1]["text"].strip() == "Hello Núñez ✓"
    assert found[0]["html"].strip() == "<p>Hi</p>"
    assert [m["subject"] for m in post.mails("ROSE@example.org")] == ["First"]


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        ("x@bounce.example", "550 5.7.1"),
        ("x@deep.bounce.example", "550 5.7.1"),
        ("full@example.org", "552 5.2.2"),
        ("full.ingrid@example.org", "552 5.2.2"),
        ("Nobody7@example.org", "550 5.1.1"),
        ("rose@gmial.com", "550 5.1.2"),
        ("rose@gmail.con", "550 5.1.2"),
    ],
)
def test_some_addresses_bounce(post, mail, address, reply):
    with pytest.raises(Bounced) as bounced:
        mail.send(address, "Hello", "Hello")
    assert bounced.value.reply.startswith(reply)
    assert post.mails() == []


def test_other_addresses_do_not_bounce(post, mail):
    for address in ("fuller@example.org", "rose@gmail.com", "somebody@example.com"):
        mail.send(address, "Hello", "Hello")
    assert len(post.mails()) == 3


def test_a_mail_server_that_is_away_is_unreachable(post):
    with pytest.raises(Unreachable, match="was not sent"):
        Mail("127.0.0.1", 1, "portal@cedarfork.example").send("a@example.org", "x", "y")


def test_a_subject_cannot_smuggle_a_header(post, mail):
    mail.send("rose@example.org", "Hello\r\nBcc: all@example.org", "x")
    (found,) = post.mails()
    assert found["subject"] == "Hello Bcc: all@example.org"


def test_lines_of_any_length_travel(post, mail):
    mail.send("rose@example.org", "Long", "x" * 5000 + "\n.\n" + "é" * 3000)
    text = post.mails()[0]["text"].replace("\r\n", "\n")
    assert text.strip() == "x" * 5000 + "\n.\n" + "é" * 3000


def test_a_mail_that_is_too_large_is_refused(post, mail):
    with pytest.raises(Bounced) as bounced:
        mail.send("rose@example.org", "Big", "x" * 400_000)
    assert bounced.value.reply.startswith("552")


def test_junk_is_kept_without_harm(post):
    with smtplib.SMTP(*post.smtp, timeout=10) as server:
        server.sendmail("a@example.org", "rose@example.org", b"\xff\xfe no header at all \x00")
        server.sendmail(
            "a@example.org", "rose@example.org",
            b"Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff",
        )  # fmt: skip
    assert page(post).status_code == 200
    assert page(post, "/mail/1").status_code == 200
    assert page(post, "/mail/2").status_code == 200


def test_what_a_mail_brings_along_cannot_act(post, mail):
    evil = '<script>alert(1)</script><form action="/x"></form><img src="http://127.0.0.1:1/x">'
    mail.send("rose@example.org", "<b>Hi</b>", "text", evil)
    shown = page(post, "/mail/1")
    assert "<b>Hi</b>" not in shown.text
    assert "<script>alert" not in shown.text
    assert 'sandbox="allow-top-navigation-by-user-activation"' in shown.text
    policy = page(post, "/mail/1/html").headers["Content-Security-Policy"]
    assert "sandbox allow-top-navigation-by-user-activation;" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy


def test_search_takes_signs_as_they_are(post, mail):
    mail.send("rose@example.org", "100% done_now", "x")
    mail.send("pat@example.org", "Other", "y")
    subjects = {q: [m["subject"] for m in post.box.find(text=q)] for q in ("%", "_", "\\", "pat")}
    assert subjects == {"%": ["100% done_now"], "_": ["100% done_now"], "\\": [], "pat": ["Other"]}
    assert "No e-mail fits" in page(post, "/?q=nothing").text
    assert page(post, "/mail/99").status_code == 404


def test_mails_outlast_a_restart(tmp_path):
    file = tmp_path / "mailbox.sqlite"
    with mailbox.running(file) as first:
        Mail(*first.smtp, "a@example.org").send("rose@example.org", "Kept", "x")
    with mailbox.running(file) as second:
        assert [mail["subject"] for mail in second.mails()] == ["Kept"]
