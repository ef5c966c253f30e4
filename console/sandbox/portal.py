"""The stand-in portal: the staff calls, the members' own pages, real mail, and ways to go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from console.clients.http import Unreachable
from console.clients.mail import Bounced, Mail
from console.domain.verification import DeliveryStatus
from console.sandbox.control import Control, behave, mails, misbehave
from console.sandbox.member_pages import MemberPages
from console.sandbox.misbehaviour import Kind, Misbehaviour, Spell
from console.sandbox.registrations import Conduct, No, Registrations
from console.sandbox.rules import MatchRule
from console.sandbox.serving import HOST, WebServer, guard, pages_of, serving
from console.sandbox.staff_calls import StaffCalls, protocol_fault, refusal
from console.sandbox.store import (
    PastAttempt,
    PastDelivery,
    PastRegistration,
    PortalAccount,
    Store,
    seed,
)

__all__ = [
    "TOKEN", "Kind", "MatchRule", "PastAttempt", "PastDelivery", "PastRegistration",
    "PortalAccount",
    "PortalSettings", "RunningPortal", "Store", "create_app", "running", "seed",
]  # fmt: skip

TOKEN: Final = "training"  # noqa: S105 - it opens nothing but made-up data
"""What the training console shows at the door."""


@dataclass(frozen=True)
class PortalSettings:
    """What differs from one stand-in to the next."""

    coop_name: str = "Cedar Fork Electric Cooperative"
    coop_phone: str = "555-0142"
    portal_name: str = "SmartHub"
    token: str = TOKEN
    match_rule: MatchRule = MatchRule.IGNORE_CASE
    point_allowed: bool = False
    resend_wait_seconds: float = 60
    zone: str = "America/Chicago"
    smtp_host: str = HOST
    smtp_port: int = 0
    mailbox_url: str = ""
    """Linked from the page that says an e-mail is on its way; this is training, after all."""


class Letters:
    """Sends the portal's e-mails by real SMTP and notes what became of each."""

    def __init__(self, store: Store, settings: PortalSettings, wrong: Misbehaviour) -> None:
        self._store = store
        self._settings = settings
        self._wrong = wrong
        self._mail = Mail(
            settings.smtp_host, settings.smtp_port, "no-reply@portal.example", settings.coop_name
        )

    def verify_account(self, members: Registrations, link: str, to: tuple[str, str]) -> None:
        """Send the Verify Account button to (registration, e-mail)."""
        registration_id, email = to
        words = {
            "coop": self._settings.coop_name,
            "portal": self._settings.portal_name,
            "phone": self._settings.coop_phone,
            "link": link,
        }
        # Rendered outside a request as well: the address is then given, not found.
        text = render_template("mail/verify.txt", **words)
        html = render_template("mail/verify.html", **words)
        reports = self._deliver(email, "Verify your account", text, html)
        with self._store.begin() as db:
            for status, reason in reports:
                members.note(db, registration_id, email, status.value, reason)

    def new_password(self, link: str, email: str) -> None:
        """Send the way to a new password."""
        words = {
            "coop": self._settings.coop_name,
            "phone": self._settings.coop_phone,
            "link": link,
        }
        text = render_template("mail/reset.txt", **words)
        self._deliver(
            email, "Choose a new password", text, render_template("mail/reset.html", **words)
        )

    def answer(self, email: str, subject: str, text: str) -> None:
        """Send a reply to what a member wrote."""
        words = {"coop": self._settings.coop_name, "text": text}
        body = render_template("mail/answer.txt", **words)
        self._deliver(email, subject, body, render_template("mail/answer.html", **words))

    def _deliver(
        self, email: str, subject: str, text: str, html: str
    ) -> list[tuple[DeliveryStatus, str]]:
        if self._wrong.take(Kind.BOUNCE) is not None:
            reason = "550 5.1.1 No such user here"
            return [(DeliveryStatus.SENT, ""), (DeliveryStatus.BOUNCED, reason)]
        try:
            self._mail.send(email, subject, text, html, self._store.now())
        except Bounced as bounce:
            return [(DeliveryStatus.SENT, ""), (DeliveryStatus.BOUNCED, bounce.reply)]
        except Unreachable:
            return [(DeliveryStatus.BOUNCED, "421 4.4.1 No answer from the mail server")]
        return [(DeliveryStatus.SENT, ""), (DeliveryStatus.DELIVERED, "")]


def create_app(store: Store, settings: PortalSettings, wrong: Misbehaviour | None = None) -> Flask:
    """Build the portal on its records."""
    folder = pages_of("portal")
    app = Flask("portal", template_folder=str(folder), static_folder=str(folder / "static"))
    app.secret_key = store.fact("secret")
    app.config.update(
        MAX_CONTENT_LENGTH=64 * 1024,
        SESSION_COOKIE_NAME="coop_portal",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=30),
    )
    guard(app)
    wrong = wrong or Misbehaviour()
    letters = Letters(store, settings, wrong)

    def post(registration_id: str, email: str, token: str) -> None:
        link = f"{request.host_url}verify/{token}"
        letters.verify_account(members, link, (registration_id, email))

    def post_reset(_registration_id: str, email: str, token: str) -> None:
        letters.new_password(f"{request.host_url}reset/{token}", email)

    conduct = Conduct(
        settings.match_rule,
        settings.point_allowed,
        timedelta(seconds=settings.resend_wait_seconds),
    )
    members = Registrations(store, conduct, post, post_reset)
    calls = StaffCalls(members, wrong, settings.token, settings.coop_name, letters.answer)
    app.register_blueprint(calls.blueprint())
    app.register_blueprint(MemberPages(members, settings).blueprint())
    app.register_blueprint(Control(members, wrong).blueprint())
    app.register_error_handler(No, refusal)
    app.register_error_handler(HTTPException, _fault)
    return app


def _fault(fault: HTTPException) -> Response:
    if request.path.startswith(("/v1/", "/sandbox/")):
        return protocol_fault(fault)
    return Response(render_template("fault.html", fault=fault), fault.code or 500)


@dataclass(frozen=True)
class RunningPortal:
    """A stand-in that answers, with the switches a test wants at hand."""

    web: WebServer
    store: Store
    settings: PortalSettings
    wrong: Misbehaviour

    @property
    def url(self) -> str:
        """Where the staff calls and the members' pages are."""
        return self.web.url

    @property
    def token(self) -> str:
        """What opens the staff calls."""
        return self.settings.token

    def misbehave(
        self, kind: Kind, path: str = "", times: int | None = None, seconds: float = 0
    ) -> None:
        """Go wrong in one way until used up or told to behave."""
        misbehave(self.store, self.wrong, Spell(kind, path, times, seconds))

    def behave(self) -> None:
        """Switch every misbehaviour off and open the port again."""
        behave(self.store, self.wrong)
        self.web.open()

    def mails(self) -> dict[str, int]:
        """Count the verify-account e-mails of each registration."""
        return mails(self.store)


@contextmanager
def running(
    store_path: str | Path,
    settings: PortalSettings | None = None,
    *,
    smtp: tuple[str, int] | None = None,
    mailbox_url: str = "",
    match_rule: str | MatchRule | None = None,
    clock: Callable[[], datetime] | None = None,
    port: int = 0,
) -> Iterator[RunningPortal]:
    """Serve the stand-in on the loopback address until the block ends.

    Without `settings` those sown with the accounts hold. Without `smtp` every e-mail comes back,
    because there is nobody to take it.
    """
    with closing(Store(str(store_path), clock or _now)) as store:
        settings = settings or _sown(store)
        if smtp is not None:
            settings = replace(settings, smtp_host=smtp[0], smtp_port=smtp[1])
        if mailbox_url:
            settings = replace(settings, mailbox_url=mailbox_url)
        if match_rule is not None:
            settings = replace(settings, match_rule=MatchRule(match_rule))
        wrong = Misbehaviour()
        app = create_app(store, settings, wrong)
        with serving(app, port) as web:
            app.extensions["web_server"] = web
            yield RunningPortal(web, store, settings, wrong)


def _sown(store: Store) -> PortalSettings:
    sown = store.settings()
    known = PortalSettings()
    return replace(
        known,
        coop_name=sown.get("coop_name", known.coop_name),
        coop_phone=sown.get("coop_phone", known.coop_phone),
        portal_name=sown.get("portal_name", known.portal_name),
        match_rule=MatchRule(sown.get("match_rule", known.match_rule.value)),
        zone=sown.get("zone", known.zone),
    )


def _now() -> datetime:
    return datetime.now(UTC)
