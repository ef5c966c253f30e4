from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from console.clients.portal import Portal
from console.domain.courier import ErrandKind, ErrandState
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind, RegistrationState
from console.domain.verification import BadEmail
from console.sandbox import mailbox
from console.sandbox.portal import Kind
from console.services import courier, members, registration, verification
from console.services.desk import LooksOnly
from console.services.verification import NothingToVerify, TooSoon
from tests.office import ANA, SAM, trail


def click():
    return str(uuid4())


def resend(town, click_id=None):
    return verification.resend(town.desk, click_id or click(), "1023401")


def test_a_resend_goes_at_once_and_says_where_to(waiting):
    status = resend(waiting)
    assert status.state is ErrandState.DONE
    assert status.words == "Sent again to rose@example.org just now."
    assert waiting.mails() == 2
    assert trail(waiting.desk) == [
        "verification_email:resend_asked",
        "verification_email:resent",
    ]
    shown = verification.refresh(waiting.desk, "1023401")
    assert shown.sent_at == waiting.desk.now()
    assert shown.email == "r…@example.org"


def test_the_impatient_wait_and_are_told_how_long(waiting, clock):
    resend(waiting)
    clock.advance(seconds=20)
    with pytest.raises(TooSoon, match=r"went just now.*in 40 seconds") as caught:
        resend(waiting)
    assert caught.value.wait_seconds == 40
    clock.advance(seconds=40)
    resend(waiting)
    assert waiting.mails() == 3


def test_one_click_is_one_e_mail_however_often_it_is_pressed(waiting, clock):
    click_id = click()
    first = resend(waiting, click_id)
    clock.advance(minutes=5)
    assert resend(waiting, click_id) == replace(
        first, words=verification.errand(waiting.desk, click_id).words
    )
    assert waiting.mails() == 2


def test_a_second_desk_joins_the_first(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    first = resend(waiting)
    assert first.state is ErrandState.WAITING
    sam = replace(waiting.desk, colleague=SAM)
    second = verification.resend(sam, click(), "1023401")
    assert (second.id, second.asked_by) == (first.id, "Pat Lindqvist")
    waiting.portal.behave()
    waiting.desk.now.advance(minutes=1)
    courier.make_round(waiting.desk)
    assert waiting.mails() == 2


def test_twenty_clicks_at_once_are_one_e_mail(waiting):
    desks = [
        replace(
            waiting.desk,
            workstation=f"desk {n}",
            portal=Portal(waiting.portal.url, waiting.portal.token, f"desk {n}"),
        )
        for n in range(5)
    ]

    def press(n):
        try:
            return verification.resend(desks[n % 5], click(), "1023401").id
        except TooSoon:
            return None

    with ThreadPoolExecutor(10) as pool:
        errands = {errand for errand in pool.map(press, range(20)) if errand}
    assert len(errands) == 1
    assert waiting.mails() == 2
    for desk in desks:
        desk.portal.close()


def test_while_the_portal_is_down_it_waits_in_the_outbox(waiting, clock):
    waiting.portal.misbehave(Kind.DOWN)
    status = resend(waiting)
    assert status.state is ErrandState.WAITING
    assert "waits in the outbox and goes by itself. The portal is down" in status.words
    assert [one.id for one in verification.outbox(waiting.desk)] == [status.id]
    assert members.refresh(waiting.desk, waiting.rose).accounts[0].portal.errand == status.words
    waiting.portal.behave()
    clock.advance(minutes=1)
    assert courier.make_round(waiting.desk).waiting == 0
    assert waiting.mails() == 2
    assert verification.outbox(waiting.desk) == ()


def test_the_portal_asks_to_wait(waiting, clock):
    waiting.portal.misbehave(Kind.THROTTLED, "/v1/registrations", 1, 30)
    status = resend(waiting)
    assert status.state is ErrandState.WAITING
    assert status.words.endswith("The portal asks to wait 30 seconds. Next try in 30 seconds.")
    clock.advance(seconds=29)
    assert courier.make_round(waiting.desk).carried == 0
    clock.advance(seconds=2)
    assert courier.make_round(waiting.desk).carried == 1


def test_an_address_is_corrected_and_the_e_mail_goes_there(town, clock):
    town.registers(email="rose@gmial.com")
    registration.poll(town.desk)
    status = verification.correct_email(town.desk, click(), "1023401", "Rose@Gmail.com")
    assert status.kind is ErrandKind.CORRECT_EMAIL
    assert status.state is ErrandState.DONE
    assert status.words == "The address is Rose@gmail.com now; the e-mail went there just now."
    verification.refresh(town.desk, "1023401")
    assert members.refresh(town.desk, town.rose).accounts[0].portal.kind is CaseKind.WAITING
    assert trail(town.desk)[-2:] == [
        "verification_email:correction_asked",
        "verification_email:address_corrected",
    ]


@pytest.fixture
def posting(waiting, tmp_path):
    """The town with a mail server of the office, and the letters that reached it."""
    with mailbox.running(str(tmp_path / "letters.sqlite")) as box:
        host, port = box.smtp
        settings = replace(
            waiting.desk.settings,
            mail_server=f"smtp://{host}:{port}",
            mail_sender="office@coop.example",
        )
        waiting.desk = replace(waiting.desk, settings=settings)
        yield waiting, box


def test_the_address_that_is_replaced_at_the_portal_is_told_once(posting):
    town, box = posting
    click_id = click()
    for _ in range(2):
        verification.correct_email(town.desk, click_id, "1023401", "rosa@example.org")
    courier.make_round(town.desk)
    (mail,) = box.mails()
    assert mail["recipient"] == "rose@example.org"
    assert (
        "we were asked to change the e-mail address of your registration at the portal on your "
        "account ending in 401" in " ".join(mail["text"].split())
    )
    assert "rosa@example.org" not in mail["text"]


def test_an_address_where_nobody_reads_is_not_told(posting):
    town, box = posting
    town.portal.misbehave(Kind.BOUNCE, times=1)
    resend(town)
    verification.refresh(town.desk, "1023401")
    verification.correct_email(town.desk, click(), "1023401", "rosa@example.org")
    courier.make_round(town.desk)
    assert box.mails() == []


def test_the_same_address_again_tells_nobody(posting):
    town, box = posting
    verification.correct_email(town.desk, click(), "1023401", "rose@example.org")
    courier.make_round(town.desk)
    assert box.mails() == []


def test_a_correction_that_waits_is_joined_by_the_same_and_not_by_another(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    first = verification.correct_email(waiting.desk, click(), "1023401", "rosa@example.org")
    again = verification.correct_email(waiting.desk, click(), "1023401", "rosa@example.org")
    assert again.id == first.id
    with pytest.raises(ConsoleError, match=r"rosa@example.org is on its way"):
        verification.correct_email(waiting.desk, click(), "1023401", "rosy@example.org")


@pytest.mark.parametrize("email", ["", "rose", "a@b", "a b@c.example", "\0@\ud800", "x" * 100_000])
def test_addresses_that_cannot_be(waiting, email):
    with pytest.raises(BadEmail):
        verification.correct_email(waiting.desk, click(), "1023401", email)


def test_nothing_is_sent_where_nothing_waits(town):
    with pytest.raises(NothingToVerify, match="Ask the member to register"):
        resend(town)
    town.registers("De Long")
    registration.poll(town.desk)
    with pytest.raises(NothingToVerify, match="Ask the member to register"):
        resend(town)
    with pytest.raises(ConsoleError, match="no longer on file"):
        verification.resend(town.desk, click(), "77")
    assert town.mails() == 0


def test_verified_meanwhile(waiting):
    with waiting.portal.store.begin() as db:
        db.execute("UPDATE registration SET state = 'verified'")
    status = resend(waiting)
    assert status.state is ErrandState.REFUSED
    assert status.words == "The account is verified already. The member can sign in."
    assert [one.state for one in verification.outbox(waiting.desk)] == [ErrandState.REFUSED]
    assert verification.refresh(waiting.desk, "1023401").state is RegistrationState.VERIFIED
    with pytest.raises(NothingToVerify, match="verified already"):
        resend(waiting)


def test_registered_again_meanwhile(waiting, clock):
    clock.advance(hours=80)
    waiting.registers(email="rosa@example.org")
    status = resend(waiting)
    assert status.state is ErrandState.REFUSED
    assert "register again" in status.words


def test_what_was_known_is_shown_while_the_portal_is_away(waiting):
    waiting.portal.misbehave(Kind.DOWN)
    shown = verification.refresh(waiting.desk, "1023401")
    assert shown.state is RegistrationState.AWAITING_VERIFICATION
    assert shown.state_words.startswith("The portal is down")
    assert "This is what was known today 10:42." in shown.state_words


def test_an_auditor_sends_nothing(waiting):
    ana = replace(waiting.desk, colleague=ANA)
    with pytest.raises(LooksOnly):
        verification.resend(ana, click(), "1023401")
    with pytest.raises(LooksOnly):
        verification.correct_email(ana, click(), "1023401", "a@example.org")
    assert verification.refresh(ana, "1023401")


def test_an_errand_nobody_has(desk):
    with pytest.raises(ConsoleError, match="not on file"):
        verification.errand(desk, "x")
