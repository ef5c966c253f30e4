"""The training mailbox: takes every e-mail by real SMTP, bounces some, and shows the rest."""

from __future__ import annotations

import email
import email.policy
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, Response, abort, jsonify, render_template, request, send_from_directory

from console.sandbox.serving import (
    HOST,
    WebServer,
    fonts,
    guard,
    listening_socket,
    pages_of,
    serving,
)
from console.sandbox.store import moment, stamp

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, sender TEXT NOT NULL,
    recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mail_recipient ON mail (recipient COLLATE NOCASE);
"""
_LARGEST: Final = 256 * 1024
_UNKNOWN_DOMAINS: Final = frozenset(
    {
        "gmial.com", "gmal.com", "gmaill.com", "gamil.com", "gnail.com", "gmail.co", "yaho.com",
        "yahooo.com", "yhaoo.com", "hotmial.com", "hotmal.com", "outlok.com", "outloook.com",
        "iclod.com", "comcst.net", "unknown.example",
    }
)  # fmt: skip
_UNKNOWN_ENDINGS: Final = (".con", ".cmo", ".comm", ".nett")


def bounce(address: str) -> str | None:
    """Say with what reply an address bounces; None where it takes mail."""
    local, _, domain = address.lower().rpartition("@")
    if domain in _UNKNOWN_DOMAINS or domain.endswith(_UNKNOWN_ENDINGS):
        return f"550 5.1.2 Host unknown: the domain {domain} does not exist"
    if domain == "bounce.example" or domain.endswith(".bounce.example"):
        return "550 5.7.1 Message refused by the policy of this mail server"
    if local == "full" or local.startswith("full."):
        return "552 5.2.2 The mailbox is full"
    if local.startswith("nobody"):
        return "550 5.1.1 User unknown"
    return None


class Letterbox:
    """The mails that came, in one SQLite file."""

    def __init__(self, path: str, clock: Callable[[], datetime] | None = None) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock or _now
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def keep(self, sender: str, recipient: str, content: bytes) -> None:
        """Keep one mail."""
        letter = email.message_from_bytes(content, policy=email.policy.default)
        row = (
            stamp(self._clock()),
            sender,
            recipient,
            str(letter["Subject"] or "(no subject)")[:200],
            _part(letter, "plain"),
            _part(letter, "html"),
        )
        with self._lock:
            self._db.execute(
                "INSERT INTO mail (at, sender, recipient, subject, text, html)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )

    def find(self, to: str = "", text: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """List mails, the newest first."""
        wanted = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM mail WHERE (? = '' OR recipient = ? COLLATE NOCASE)"
                " AND (recipient LIKE ? ESCAPE '\\' OR subject LIKE ? ESCAPE '\\'"
                " OR text LIKE ? ESCAPE '\\') ORDER BY seq DESC LIMIT ?",
                (to, to, wanted, wanted, wanted, limit),
            ).fetchall()
        return [dict(row) for row in rows]

    def one(self, seq: int) -> dict[str, Any] | None:
        """Fetch one mail."""
        with self._lock:
            row = self._db.execute("SELECT * FROM mail WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else dict(row)

    def addresses(self) -> list[dict[str, Any]]:
        """List who got mail, the latest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT recipient, count(*) AS mails, max(seq) AS latest FROM mail"
                " GROUP BY lower(recipient) ORDER BY latest DESC LIMIT 100"
            ).fetchall()
        return [dict(row) for row in rows]

    def newest(self) -> int:
        """Tell the number of the newest mail."""
        with self._lock:
            row = self._db.execute("SELECT coalesce(max(seq), 0) AS n FROM mail").fetchone()
        return int(row["n"])


class _Postman:
    """What aiosmtpd asks at each step of an SMTP conversation."""

    def __init__(self, box: Letterbox) -> None:
        self._box = box

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = bounce(address)
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        for recipient in envelope.rcpt_tos:
            self._box.keep(envelope.mail_from or "", recipient, raw)
        return "250 2.0.0 Delivered"


def create_app(box: Letterbox, zone: str = "America/Chicago") -> Flask:
    """Build the mailbox's pages."""
    folder = pages_of("mailbox")
    app = Flask("mailbox", template_folder=str(folder), static_folder=str(folder / "static"))
    guard(app)
    local = ZoneInfo(zone)

    @app.template_filter("clock")
    def clock(text: str) -> str:
        at = moment(text).astimezone(local)
        return (
            f"{at:%b} {at.day}, {at.hour % 12 or 12}:{at:%M} {'p.m.' if at.hour > 11 else 'a.m.'}"
        )

    @app.get("/")
    def index() -> str:
        to, text = request.args.get("to", "")[:254], request.args.get("q", "")[:200]
        return render_template(
            "index.html", mails=box.find(to, text), to=to, text=text,
            addresses=box.addresses(), newest=box.newest(), chosen=None,
        )  # fmt: skip

    @app.get("/mail/<int:seq>")
    def mail(seq: int) -> str:
        found = box.one(seq)
        if found is None:
            abort(404)
        to = found["recipient"]
        return render_template(
            "index.html", mails=box.find(to), to=to, text="", addresses=box.addresses(),
            newest=box.newest(), chosen=found,
        )  # fmt: skip

    @app.get("/mail/<int:seq>/html")
    def html(seq: int) -> Response:
        found = box.one(seq)
        if found is None:
            abort(404)
        # Shown in a frame without scripts, forms or anything from elsewhere; links lead out of it.
        page = Response('<base target="_top">' + found["html"], mimetype="text/html")
        page.headers["Content-Security-Policy"] = (
            "sandbox allow-top-navigation-by-user-activation; default-src 'none';"
            " style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'"
        )
        return page

    @app.get("/api/mails")
    def mails() -> Response:
        found = box.find(request.args.get("to", ""), request.args.get("q", ""))
        return jsonify(
            mails=[
                {
                    "id": one["seq"], "at": one["at"], "from": one["sender"],
                    "to": one["recipient"], "subject": one["subject"], "text": one["text"],
                    "html": one["html"], "links": re.findall(r"https?://\S+", one["text"]),
                }
                for one in found
            ]
        )  # fmt: skip

    @app.get("/api/newest")
    def newest() -> Response:
        return jsonify(newest=box.newest())

    @app.get("/fonts/<name>")
    def font(name: str) -> Response:
        return send_from_directory(fonts(), name)

    return app


@dataclass(frozen=True)
class RunningMailbox:
    """A mailbox that takes mail."""

    web: WebServer
    box: Letterbox
    smtp: tuple[str, int]

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.web.url

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """List mails, the newest first."""
        return self.box.find(to)

    def link(self, to: str) -> str:
        """Take the link out of the newest mail to an address."""
        found = re.search(r"https?://\S+/verify/\S+", self.mails(to)[0]["text"])
        if found is None:
            raise LookupError("The newest mail has no link.")
        return found[0]


@contextmanager
def running(
    path: str | Path,
    *,
    port: int = 0,
    smtp_port: int = 0,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[RunningMailbox]:
    """Take mail and show it on the loopback address until the block ends."""
    box = Letterbox(str(path), clock)
    try:
        with _smtp(box, smtp_port) as address, serving(create_app(box), port) as web:
            yield RunningMailbox(web, box, address)
    finally:
        box.close()


@contextmanager
def _smtp(box: Letterbox, port: int) -> Iterator[tuple[str, int]]:
    controller = _started(box, port)
    try:
        yield HOST, controller.port
    finally:
        controller.stop()


def _started(box: Letterbox, port: int) -> Controller:
    for chance in range(5, 0, -1):
        with listening_socket(port) as taken:
            found = taken.getsockname()[1]
        controller = Controller(
            _Postman(box), HOST, found, data_size_limit=_LARGEST, ident="training mailbox"
        )
        try:
            controller.start()
        except OSError:
            # Somebody took the port between our looking and our listening.
            if port or chance == 1:
                raise
        else:
            break
    return controller


def _part(letter: EmailMessage, kind: str) -> str:
    body = letter.get_body((kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError, KeyError):
        return "(This e-mail cannot be read.)"


def _now() -> datetime:
    return datetime.now(UTC)
