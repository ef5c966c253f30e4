"""The pages a member sees: register, verify, sign in, what is due, report an issue, contact us."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    abort,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from console.domain.registration import Channel, Outcome
from console.sandbox.registrations import Registrations
from console.sandbox.rules import RULE_IN_WORDS, password_faults
from console.sandbox.serving import fonts
from console.sandbox.staff_calls import EMAIL
from console.sandbox.store import moment, new_id, stamp

REPORT_KINDS = (
    ("outage", "The power is out"),
    ("flicker", "Lights flicker or dim"),
    ("damage", "Damaged pole or line"),
    ("street_light", "Street light"),
    ("meter", "Meter"),
    ("tree", "Tree near a line"),
    ("other", "Something else"),
)
REPORT_WORDS = {
    "received": "Received",
    "confirmed": "Confirmed",
    "crew_assigned": "A crew is on its way",
    "restored": "Power is back",
    "closed": "Closed",
}
Page = str | tuple[str, int] | AnyResponse


class Naming(Protocol):
    """What the pages want to know of the settings."""

    @property
    def coop_name(self) -> str: ...
    @property
    def coop_phone(self) -> str: ...
    @property
    def portal_name(self) -> str: ...
    @property
    def mailbox_url(self) -> str: ...
    @property
    def zone(self) -> str: ...


class MemberPages:
    """Everything outside /v1 and /sandbox."""

    def __init__(self, members: Registrations, naming: Naming) -> None:
        self._members = members
        self._store = members.store
        self._naming = naming
        self._zone = ZoneInfo(naming.zone)

    def blueprint(self) -> Blueprint:
        """Hang every page on its path."""
        pages = Blueprint("pages", __name__)
        pages.before_request(self._check_form)
        pages.app_context_processor(self._words)
        both = ["GET", "POST"]
        pages.add_url_rule("/", "home", self.home, methods=["GET"])
        pages.add_url_rule("/register", "register", self.register, methods=both)
        pages.add_url_rule("/registered", "registered", self.registered, methods=["GET"])
        pages.add_url_rule("/verify/<token>", "verify", self.verify, methods=both)
        pages.add_url_rule("/reset/<token>", "reset", self.verify, methods=both)
        pages.add_url_rule("/forgot", "forgot", self.forgot, methods=both)
        pages.add_url_rule("/password", "password", self.password, methods=both)
        pages.add_url_rule("/sign-in", "sign_in", self.sign_in, methods=both)
        pages.add_url_rule("/sign-out", "sign_out", self.sign_out, methods=["POST"])
        pages.add_url_rule("/account", "account", self.account, methods=["GET"])
        pages.add_url_rule("/report", "report", self.report, methods=both)
        pages.add_url_rule("/fonts/<name>", "font", self.font, methods=["GET"])
        pages.add_url_rule("/contact", "contact", self.contact, methods=both)
        return pages

    def home(self) -> Page:
        return render_template("home.html")

    def register(self) -> Page:
        form = {field: request.form.get(field, "")[:300] for field in ("account", "name", "email")}
        if request.method == "GET":
            return render_template("register.html", form=form, problem="")
        email = form["email"].strip()
        if not form["account"].strip() or not form["name"].strip():
            problem = "Please fill in your account number and your last name or business name."
            return render_template("register.html", form=form, problem=problem), 400
        if len(email) > 254 or not EMAIL.fullmatch(email):
            problem = "Please type a valid e-mail address, such as name@example.com."
            return render_template("register.html", form=form, problem=problem), 400
        outcome = self._members.register(form["account"], form["name"], email, Channel.WEB)
        if outcome is not Outcome.REGISTERED:
            # One message for every reason: nobody learns here which accounts exist.
            return render_template("register.html", form=form, problem="refused"), 422
        session["told"] = email
        return redirect(url_for("pages.registered"))

    def registered(self) -> Page:
        if "told" not in session:
            return redirect(url_for("pages.register"))
        return render_template("registered.html", email=session["told"])

    def verify(self, token: str) -> Page:
        opened = request.method == "GET"
        link = self._members.link(token, opened=opened)
        if link is None:
            return render_template("dead_link.html"), 410
        if opened:
            # Opening changes nothing: mail scanners open links too.
            return render_template("verify.html")
        session.clear()
        session["link"] = link
        return redirect(url_for("pages.password"))

    def forgot(self) -> Page:
        asked = request.method == "POST"
        if asked:
            self._members.forgot(request.form.get("email", "").strip()[:254])
        # The same page whoever asks: nobody learns here which addresses exist.
        return render_template("forgot.html", asked=asked)

    def password(self) -> Page:
        link = session.get("link")
        if link is None:
            return redirect(url_for("pages.home"))
        if request.method == "GET":
            return render_template("password.html", rule=RULE_IN_WORDS, faults=[])
        first, second = request.form.get("password", ""), request.form.get("again", "")
        faults = password_faults(first)
        if not faults and first != second:
            faults = ["The two passwords are not the same."]
        if faults:
            return render_template("password.html", rule=RULE_IN_WORDS, faults=faults), 422
        row = self._members.choose_password(link, first)
        if row is None:
            return render_template("dead_link.html"), 410
        return self._welcome(row)

    def sign_in(self) -> Page:
        email = request.form.get("email", "")[:254]
        if request.method == "GET":
            return render_template("sign_in.html", email="", refused=False)
        row = self._members.sign_in(email.strip(), request.form.get("password", "")[:200])
        if row is None:
            return render_template("sign_in.html", email=email, refused=True), 422
        return self._welcome(row)

    def sign_out(self) -> Page:
        session.clear()
        return redirect(url_for("pages.home"))

    def account(self) -> Page:
        member = self._signed_in()
        if member is None:
            return redirect(url_for("pages.sign_in"))
        with self._store.begin() as db:
            account = _account(db, member)
        due = account["due_on"] and date.fromisoformat(account["due_on"])
        billed = account["last_bill_on"] and date.fromisoformat(account["last_bill_on"])
        today = self._store.now().astimezone(self._zone).date()
        return render_template(
            "account.html",
            account=account,
            balance=_dollars(account["balance_cents"]),
            owes=account["balance_cents"] > 0,
            due=due and _day(due),
            past_due=bool(due and due < today and account["balance_cents"] > 0),
            bill=None
            if account["last_bill_cents"] is None
            else _dollars(account["last_bill_cents"]),
            billed=billed and _day(billed),
            bars=_bars(json.loads(account["usage"])),
        )

    def report(self) -> Page:
        member = self._signed_in()
        if member is None:
            return redirect(url_for("pages.sign_in"))
        kind, text = request.form.get("kind", ""), request.form.get("text", "").strip()[:2000]
        if request.method == "POST" and kind in dict(REPORT_KINDS):
            with self._store.begin() as db:
                db.execute(
                    "INSERT INTO service_report"
                    " (id, at, account_number, kind, text, status, restoration)"
                    " VALUES (?, ?, ?, ?, ?, 'received', NULL)",
                    (new_id("rep"), stamp(self._store.now()), member["account"], kind, text),
                )
            return redirect(url_for("pages.report", sent="yes"))
        with self._store.begin() as db:
            rows = db.execute(
                "SELECT * FROM service_report WHERE account_number = ? ORDER BY seq DESC LIMIT 20",
                (member["account"],),
            ).fetchall()
            account = _account(db, member)
        reports = [
            {
                "what": dict(REPORT_KINDS)[row["kind"]],
                "text": row["text"],
                "at": self._clock(row["at"]),
                "status": REPORT_WORDS[row["status"]],
                "restoration": row["restoration"] and self._clock(row["restoration"]),
            }
            for row in rows
        ]
        return render_template(
            "report.html",
            kinds=REPORT_KINDS,
            reports=reports,
            sent=request.args.get("sent"),
            account=account,
        )

    def contact(self) -> Page:
        member = self._signed_in()
        if member is None:
            return redirect(url_for("pages.sign_in"))
        subject = request.form.get("subject", "").strip()[:120]
        text = request.form.get("text", "").strip()[:4000]
        if request.method == "POST" and subject and text:
            with self._store.begin() as db:
                db.execute(
                    "INSERT INTO message"
                    " (id, at, account_number, email, subject, text, answer, answered_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, '', NULL)",
                    (
                        new_id("msg"), stamp(self._store.now()), member["account"],
                        member["email"], subject, text,
                    ),
                )  # fmt: skip
            return redirect(url_for("pages.contact", sent="yes"))
        with self._store.begin() as db:
            rows = db.execute(
                "SELECT * FROM message WHERE account_number = ? ORDER BY seq DESC LIMIT 20",
                (member["account"],),
            ).fetchall()
        letters = [{**dict(row), "at": self._clock(row["at"])} for row in rows]
        return render_template(
            "contact.html",
            letters=letters,
            sent=request.args.get("sent"),
            form={"subject": subject, "text": text},
            short=request.method == "POST",
        )

    def font(self, name: str) -> Page:
        return send_from_directory(fonts(), name)

    def _check_form(self) -> Response | None:
        if "form" not in session:
            session["form"] = secrets.token_urlsafe(16)
        if request.method == "POST":
            given = request.form.get("form", "")
            if not hmac.compare_digest(given.encode(), session["form"].encode()):
                abort(400, "This page was open for too long. Go back, load it again and retry.")
        return None

    def _words(self) -> dict[str, Any]:
        return {
            "coop": self._naming.coop_name,
            "phone": self._naming.coop_phone,
            "portal": self._naming.portal_name,
            "mailbox": self._naming.mailbox_url,
            "form_key": session.get("form", ""),
            "signed_in": "member" in session,
        }

    def _welcome(self, row: sqlite3.Row) -> AnyResponse:
        # A new session: whoever planted the old one must not share in the new.
        session.clear()
        session["member"], session["epoch"] = row["id"], row["epoch"]
        return redirect(url_for("pages.account"))

    def _signed_in(self) -> sqlite3.Row | None:
        with self._store.begin() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM registration WHERE id = ? AND epoch = ? AND state = 'verified'",
                (session.get("member"), session.get("epoch")),
            ).fetchone()
        if row is None:
            session.pop("member", None)
        return row

    def _clock(self, text: str) -> str:
        at = moment(text).astimezone(self._zone)
        return f"{_day(at.date())}, {_time(at)}"


def _account(db: sqlite3.Connection, member: sqlite3.Row) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(
        "SELECT * FROM account WHERE number = ?", (member["account"],)
    ).fetchone()
    return row


def _dollars(cents: int | None) -> str:
    if cents is None:
        return ""
    sign = "−" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _time(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02} {'p.m.' if at.hour >= 12 else 'a.m.'}"


def _bars(usage: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Lay out the bars of the use chart, 100 units high."""
    months = usage[-12:]
    most = max((kwh for _, kwh in months), default=0) or 1
    return [
        {
            "x": 10 + 48 * place,
            "height": round(100 * kwh / most, 1),
            "y": round(118 - 100 * kwh / most, 1),
            "kwh": f"{kwh:,}",
            "month": _MONTHS[int(month[5:7]) - 1],
            "label": f"{_MONTHS[int(month[5:7]) - 1]} {month[:4]}",
        }
        for place, (month, kwh) in enumerate(months)
    ]
