"""The members' pages of the stand-in, in a real browser and by hand-made requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from playwright.sync_api import Page, expect

from console.domain.registration import RegistrationState
from console.sandbox.misbehaviour import Kind
from tests.stand_ins import DELONG, FARMS, STAFF, register

GOOD = "Secret1!"


def fill_in(page: Page, site, account=DELONG, name="DeLong", email="rose@example.org"):
    page.goto(f"{site.url}/register")
    page.get_by_label("Account number").fill(account)
    page.get_by_label("Last name or business name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Register").click()


def choose(page: Page, password: str, again: str | None = None):
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password if again is None else again)
    page.get_by_role("button", name="Save and sign in").click()


def verified(page: Page, site, post):
    fill_in(page, site)
    page.goto(post.link("rose@example.org"))
    page.get_by_role("button", name="Verify Account").click()
    choose(page, GOOD)


@pytest.mark.browser
def test_a_member_registers_verifies_and_sees_the_bill(page, site, post, client):
    page.goto(site.url)
    page.get_by_role("link", name="Register").first.click()
    fill_in(page, site, name="De Long")
    expect(page.get_by_role("alert")).to_contain_text("could not match")
    expect(page.get_by_label("Last name or business name")).to_have_value("De Long")
    assert client.attempts(staff=STAFF).attempts[0].name == "De Long"

    client.publish_name(DELONG, "De Long", 1, staff=STAFF)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="You will receive an e-mail.")).to_be_visible()

    page.get_by_role("link", name="training mailbox").click()
    page.get_by_role("link", name="Verify your account").click()
    page.frame_locator("iframe").get_by_role("link", name="Verify Account").click()
    page.wait_for_url(f"{site.url}/verify/*")
    page.get_by_role("button", name="Verify Account").click()

    choose(page, "short")
    expect(page.get_by_role("alert")).to_contain_text("8 to 15 characters")
    choose(page, GOOD, "Secret2!")
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    choose(page, GOOD)

    expect(page.get_by_role("heading", name="De Long")).to_be_visible()
    expect(page.get_by_text("$142.10").first).to_be_visible()
    expect(page.get_by_text("Due Dec 4, 2026")).to_be_visible()
    expect(page.get_by_role("img", name="Nov 2026: 1,015 kWh")).to_be_visible()
    found = client.registration(DELONG, staff=STAFF)
    assert found.state is RegistrationState.VERIFIED
    assert found.last_sign_in is not None
    assert found.deliveries[-1].status == "opened"

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail address").fill("ROSE@example.org")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="De Long")).to_be_visible()


@pytest.mark.browser
def test_a_member_reports_an_issue_and_writes_to_us(page, site, post, client):
    verified(page, site, post)
    page.get_by_role("link", name="Report an issue").click()
    page.get_by_label("It is about").select_option("flicker")
    page.get_by_label("Anything we should know").fill("<b>Since</b> seven")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.get_by_text("<b>Since</b> seven")).to_be_visible()
    (report,) = client.service_reports(staff=STAFF).reports
    assert (report.kind, report.text, report.account_number) == (
        "flicker", "<b>Since</b> seven", DELONG,
    )  # fmt: skip

    page.get_by_role("link", name="Contact us").click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("subject and a message")
    page.get_by_label("Subject").fill("My bill")
    page.get_by_role("textbox", name="Message").fill("Why so high?")
    page.get_by_role("button", name="Send").click()
    (message,) = client.messages(staff=STAFF).messages
    client.reply(message.id, "A cold month.", idempotency_key="k", staff=STAFF)
    page.reload()
    expect(page.get_by_text("A cold month.")).to_be_visible()


@pytest.mark.browser
def test_it_fits_a_phone_and_a_dark_room(page, site, post):
    verified(page, site, post)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    for path in ("/account", "/report", "/contact", "/register", "/sign-in", "/"):
        page.goto(site.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{path} must not scroll sideways"


CONTRASTS = """() => {
  const shine = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const read = text => text.match(/[\\d.]+/g).map(Number);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = read(getComputedStyle(node).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("main *, footer *, header *")) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || node instanceof SVGElement) continue;
    const a = shine(read(getComputedStyle(node).color)), b = shine(ground(node));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${node.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(page, site, post, scheme):
    page.emulate_media(color_scheme=scheme)
    fill_in(page, site, name="De Long")
    assert page.evaluate(CONTRASTS) == []
    verified(page, site, post)
    for path in ("/account", "/report", "/contact", "/nowhere"):
        page.goto(site.url + path)
        assert page.evaluate(CONTRASTS) == [], path
    page.goto(post.url)
    assert page.evaluate(CONTRASTS) == []


@pytest.mark.browser
def test_every_field_has_its_label_and_the_keyboard_suffices(page, site):
    page.goto(f"{site.url}/register")
    page.get_by_label("Account number").focus()
    page.keyboard.type("1023401")
    page.keyboard.press("Tab")
    page.keyboard.type("DeLong")
    page.keyboard.press("Tab")
    page.keyboard.type("rose@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You will receive an e-mail.")).to_be_visible()
    for path in ("/register", "/sign-in"):
        page.goto(site.url + path)
        for field in page.locator("input:not([type=hidden])").all():
            assert page.locator(f"label[for={field.get_attribute('id')}]").count() == 1


# What follows needs no browser: a rude one can send anything.


class Visitor:
    """Fills in forms the way a browser would."""

    def __init__(self, site) -> None:
        self.url = site.url
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        where = path if path.startswith("http") else self.url + path
        return self.session.get(where, timeout=10)

    def post(self, path: str, **fields: str) -> requests.Response:
        where = path if path.startswith("http") else self.url + path
        shown = self.session.get(
            where if "/verify/" in where or "/reset/" in where else self.url, timeout=10
        )
        if 'name="form"' not in shown.text:
            shown = self.session.get(f"{self.url}/register", timeout=10)
        key = re.findall(r'name="form" value="([^"]*)"', shown.text)[-1]
        return self.session.post(where, data={"form": key, **fields}, timeout=10)


@pytest.fixture
def visitor(site) -> Iterator[Visitor]:
    visitor = Visitor(site)
    yield visitor
    visitor.session.close()


def enrol(visitor: Visitor, post, email="rose@example.org", password=GOOD) -> requests.Response:
    visitor.post(post.link(email))
    return visitor.post("/password", password=password, again=password)


def test_every_refusal_reads_the_same(site, visitor, post):
    def answer(**fields):
        page = visitor.post("/register", **{"email": "rose@example.org", **fields})
        assert page.status_code == 422
        return re.sub(r'value="[^"]*"', "", page.text)

    register(site, FARMS, "Núñez & Sons Farms LLC", "farm@example.org")
    pages = {
        answer(account="999", name="DeLong"),
        answer(account=DELONG, name="De Long"),
        answer(account="10234.01", name="DeLong"),
        answer(account=FARMS, name="Núñez & Sons Farms LLC"),
    }
    assert len(pages) == 1, "nobody learns which accounts exist"


def test_signing_in_tells_nobody_which_addresses_exist(site, visitor, post):
    register(site)
    enrol(visitor, post)
    stranger, known = Visitor(site), Visitor(site)
    pages = {
        re.sub(r'value="[^"]*"', "", who.post("/sign-in", email=email, password="Wrong1!x").text)
        for who, email in ((stranger, "nobody@example.org"), (known, "rose@example.org"))
    }
    stranger.session.close()
    known.session.close()
    assert len(pages) == 1


def test_opening_the_link_does_nothing_until_the_button_is_pressed(site, visitor, post, client):
    register(site)
    for _ in range(5):  # a mail scanner at work
        assert visitor.get(post.link("rose@example.org")).status_code == 200
    assert client.registration(DELONG, staff=STAFF).state == "awaiting_verification"
    assert "What is due" not in visitor.get("/account").text
    assert "My account" in enrol(visitor, post).text
    statuses = [d.status for d in client.registration(DELONG, staff=STAFF).deliveries]
    assert statuses.count("opened") == 1


def test_a_link_works_once(site, visitor, post):
    register(site)
    link = post.link("rose@example.org")
    enrol(visitor, post)
    assert visitor.get(link).status_code == 410


def test_a_link_runs_out_after_72_hours(site, visitor, post, clock):
    register(site)
    link = post.link("rose@example.org")
    clock.on(hours=71, minutes=59)
    assert visitor.get(link).status_code == 200
    clock.on(minutes=1)
    assert visitor.get(link).status_code == 410


def test_a_link_that_ran_out_while_the_password_was_thought_over_is_dead(
    site, visitor, post, clock
):
    register(site)
    visitor.post(post.link("rose@example.org"))
    clock.on(hours=72)
    page = visitor.post("/password", password=GOOD, again=GOOD)
    assert page.status_code == 410


def test_a_newer_mail_kills_the_older_link(site, visitor, post, client, clock):
    register(site)
    old = post.link("rose@example.org")
    clock.on(seconds=61)
    found = client.registration(DELONG, staff=STAFF)
    client.send_again(found.id, idempotency_key="k", staff=STAFF)
    assert visitor.get(old).status_code == 410
    assert visitor.get(post.link("rose@example.org")).status_code == 200


def test_a_corrected_address_kills_the_link_in_the_wrong_mailbox(site, visitor, post, client):
    register(site, email="stranger@example.org")
    link = post.link("stranger@example.org")
    found = client.registration(DELONG, staff=STAFF)
    client.correct_email(found.id, "rose@example.org", staff=STAFF)
    assert visitor.get(link).status_code == 410


def test_links_and_passwords_are_not_kept_in_the_open(site, visitor, post):
    register(site)
    token = post.link("rose@example.org").rsplit("/", 1)[1]
    enrol(visitor, post)
    with site.store.begin() as db:
        kept = "\n".join(db.iterdump())
    assert token not in kept
    assert GOOD not in kept
    assert "$argon2id$" in kept


def test_five_wrong_passwords_lock(site, visitor, post, client):
    register(site)
    enrol(visitor, post)
    thief = Visitor(site)
    for _ in range(4):
        thief.post("/sign-in", email="rose@example.org", password="Guess1!x")
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.VERIFIED
    thief.post("/sign-in", email="rose@example.org", password="Guess1!x")
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.LOCKED
    assert thief.post("/sign-in", email="rose@example.org", password=GOOD).status_code == 422
    thief.session.close()
    assert "Amount due" not in visitor.get("/account").text, "who was in is out"


def reset_link(post, email="rose@example.org") -> str:
    return re.search(r"https?://\S+/reset/\S+", post.mails(email)[0]["text"])[0]


def test_a_new_password_opens_a_locked_account(site, visitor, post, client):
    register(site)
    enrol(visitor, post)
    for _ in range(5):
        visitor.post("/sign-in", email="rose@example.org", password="Guess1!x")
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.LOCKED
    before = client.registration(DELONG, staff=STAFF)
    visitor.post("/forgot", email="ROSE@example.org")
    link = reset_link(post)
    assert visitor.get(link).status_code == 200
    assert client.registration(DELONG, staff=STAFF) == before, "opening the link changes nothing"
    visitor.post(link)
    page = visitor.post("/password", password="Another2#", again="Another2#")
    assert "My account" in page.text
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.VERIFIED
    assert visitor.get(link).status_code == 410
    assert visitor.post("/sign-in", email="rose@example.org", password=GOOD).status_code == 422


def test_a_new_password_is_offered_to_nobody_unknown_and_not_without_end(
    site, visitor, post, clock
):
    register(site)
    waiting = visitor.post("/forgot", email="rose@example.org")
    stranger = visitor.post("/forgot", email="nobody@example.org")
    assert waiting.text == stranger.text
    assert len(post.mails()) == 1, "the verify-account e-mail and nothing else"
    enrol(visitor, post)
    for _ in range(3):
        visitor.post("/forgot", email="rose@example.org")
    assert len(post.mails()) == 2
    link = reset_link(post)
    clock.on(hours=1)
    assert visitor.get(link).status_code == 410
    visitor.post("/forgot", email="rose@example.org")
    assert len(post.mails()) == 3


def test_a_right_password_in_between_begins_the_count_anew(site, visitor, post, client):
    register(site)
    enrol(visitor, post)
    for wrong in (True, True, True, True, False, True, True, True, True):
        password = "Guess1!x" if wrong else GOOD
        visitor.post("/sign-in", email="rose@example.org", password=password)
    assert client.registration(DELONG, staff=STAFF).state is RegistrationState.VERIFIED


def test_a_form_from_elsewhere_is_refused(site):
    for path in ("/register", "/sign-in", "/sign-out", "/report", "/contact", "/password"):
        answer = requests.post(site.url + path, data={"email": "x"}, timeout=10)
        assert answer.status_code == 400, path


def test_the_cookie_is_out_of_reach(site, visitor):
    cookie = visitor.get("/register").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", ["/account", "/report", "/contact", "/password"])
def test_strangers_are_shown_the_door(site, visitor, path):
    answer = visitor.session.get(site.url + path, allow_redirects=False, timeout=10)
    assert answer.status_code == 302


def test_a_name_is_never_taken_for_a_page(site, visitor, post):
    visitor.post("/register", account=DELONG, name="<script>x</script>", email="r@example.org")
    page = visitor.post("/register", account="1", name='"><img src=x>', email="r@example.org")
    assert "<img" not in page.text
    assert "&lt;img" in page.text


@pytest.mark.parametrize(
    "email", ["", "rose", "rose@", "a b@example.org", "rose@example.org\nBcc: x@y.z"]
)
def test_what_is_not_an_address_is_not_tried(site, visitor, client, email):
    answer = visitor.post("/register", account=DELONG, name="DeLong", email=email)
    assert answer.status_code == 400
    assert client.attempts(staff=STAFF).attempts == ()


def test_other_host_names_and_frames_are_refused(site, post):
    for url in (site.url, post.url):
        answer = requests.get(url, headers={"Host": "evil.example"}, timeout=10)
        assert answer.status_code == 400
        good = requests.get(url, timeout=10)
        assert "frame-ancestors 'none'" in good.headers["Content-Security-Policy"]
        assert good.headers["Referrer-Policy"] == "no-referrer"


def test_switches_want_their_header(site):
    answer = requests.post(f"{site.url}/sandbox/misbehave", json={"kind": "down"}, timeout=10)
    assert answer.status_code == 403


def test_switches_over_http(site, client):
    def switch(path, **body):
        answer = requests.post(
            f"{site.url}/sandbox/{path}", json=body, headers={"X-Sandbox": "test"}, timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    assert switch("misbehave", kind="down", times=1)["misbehaving"] == ["down"]
    assert switch("behave")["misbehaving"] == []
    before = client.health().now
    switch("clock", advance_seconds=3600)
    assert client.health().now - before == timedelta(hours=1)
    assert switch("misbehave", kind=Kind.CLOCK_OFF, seconds=-60)["misbehaving"] == ["clock_off"]
    assert client.health().now - before == timedelta(minutes=59)
