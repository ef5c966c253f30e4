"""The stand-in's side of `resources/portal-staff-api.yaml`."""

from __future__ import annotations

import hmac
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from console.domain.registration import Outcome, RegistrationState
from console.sandbox.misbehaviour import Kind, Misbehaviour
from console.sandbox.registrations import No, Registrations, remember, replay
from console.sandbox.store import NOTICES, stamp

_STAFF: Final = re.compile(r"[!-~]([ -~]{0,198}[!-~])?")
_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME: Final = re.compile(r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
EMAIL: Final = re.compile(rf"{_LOCAL}(\.{_LOCAL})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_ACCOUNT: Final = re.compile(r"[0-9]{1,20}")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
CHANNELS: Final = ("none", "email", "text", "both")
REPORT_STATES: Final = ("received", "confirmed", "crew_assigned", "restored", "closed")


_CALLS: Final = (
    ("GET", "/health", "health"),
    ("GET", "/registration-attempts", "attempts"),
    ("POST", "/registration-checks", "check"),
    ("PUT", "/accounts/<account>/primary-holder", "put_holder"),
    ("GET", "/accounts/<account>/registration", "registration"),
    ("POST", "/registrations/<registration_id>/verification-emails", "send_again"),
    ("PATCH", "/registrations/<registration_id>", "correct_email"),
    ("GET", "/accounts/<account>/preferences", "preferences"),
    ("PUT", "/accounts/<account>/preferences", "put_preferences"),
    ("GET", "/messages", "messages"),
    ("POST", "/messages/<message_id>/reply", "reply"),
    ("GET", "/service-reports", "reports"),
    ("PUT", "/service-reports/<report_id>", "put_report"),
)


class StaffCalls:
    """The calls under /v1."""

    def __init__(
        self,
        members: Registrations,
        wrong: Misbehaviour,
        token: str,
        coop_name: str,
        mail: Callable[[str, str, str], None],
    ) -> None:
        self._members = members
        self._store = members.store
        self._wrong = wrong
        self._token = token
        self._coop_name = coop_name
        self._mail = mail
        """Mails a reply: (address, subject, text)."""

    def blueprint(self) -> Blueprint:
        """Hang every call on its path."""
        calls = Blueprint("staff_calls", __name__, url_prefix="/v1")
        calls.before_request(self._admit)
        calls.after_request(self._finish)
        for method, path, name in _CALLS:
            calls.add_url_rule(path, name, getattr(self, name), methods=[method])
        return calls

    def _admit(self) -> Response | None:
        spoilt = self._wrong.instead()
        if spoilt is not None:
            return spoilt
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.encode(), self._token.encode()
        ):
            raise No(401, "unauthorized", "The token is missing or not valid.")
        if request.endpoint != "staff_calls.health":
            _header("X-Staff-Member", _STAFF)
            _header("X-Request-Id", _KEY)
        return None

    def _finish(self, answer: Response) -> Response:
        answer.headers["Cache-Control"] = "no-store"
        given = request.headers.get("X-Request-Id", "")
        if _KEY.fullmatch(given):
            answer.headers["X-Request-Id"] = given
        return self._wrong.after(answer)

    def health(self) -> Response:
        return jsonify(name=self._coop_name, now=stamp(self._store.now()))

    def attempts(self) -> Response:
        after, limit = _page()
        if self._wrong.take(Kind.DUPLICATED_PAGE, request.path) is not None:
            after = max(0, after - limit)
        with self._store.begin() as db:
            rows, following, more = _rows(db, "attempt", after, limit)
        fields = ("id", "at", "account_number", "name", "email", "channel", "outcome")
        listed = [{field: row[field] for field in fields} for row in rows]
        return jsonify(attempts=listed, next=following, more=more)

    def check(self) -> Response:
        body = _body("account_number", "name")
        typed = _text(body, "account_number", 60), _text(body, "name", 200)
        outcome = self._members.check(*typed)
        passes = outcome is Outcome.REGISTERED
        return jsonify(passes=passes, reason=None if passes else outcome.value)

    def put_holder(self, account: str) -> Response:
        body = _body("name", "version")
        name, version = _text(body, "name", 200), _whole(body, "version", 1, 2**31 - 1)
        if not _NAME.fullmatch(name):
            raise _bad("name", "A name has no spaces at its ends and no control characters.")
        with self._store.begin() as db:
            row = _account(db, account)
            held = row["version"]
            if name != row["name"]:
                if version != held:
                    raise No(
                        409, "version_conflict", "The portal holds another version.",
                        current_version=held, current_name=row["name"],
                    )  # fmt: skip
                held += 1
                db.execute(
                    "UPDATE account SET name = ?, version = ? WHERE number = ?",
                    (name, held, account),
                )
        return jsonify(account_number=account, name=name, version=held)

    def registration(self, account: str) -> Response:
        return jsonify(self._registration(account))

    def send_again(self, registration_id: str) -> tuple[Response, int]:
        key = _header("Idempotency-Key", _KEY)
        _path(registration_id, _ID)
        status, body = self._members.send_again(registration_id, key)
        return jsonify(body), status

    def correct_email(self, registration_id: str) -> Response:
        email = _text(_body("email"), "email", 254)
        if not EMAIL.fullmatch(email):
            raise _bad("email", "This is not an e-mail address.")
        _path(registration_id, _ID)
        return jsonify(self._registration(self._members.correct_email(registration_id, email)))

    def preferences(self, account: str) -> Response:
        with self._store.begin() as db:
            return jsonify(_preferences(_account(db, account)))

    def put_preferences(self, account: str) -> Response:
        body = _body("version", "paperless", "notices", "thresholds")
        version = _whole(body, "version", 1, 2**31 - 1)
        wanted = {
            "paperless": _flag(body, "paperless"),
            "notices": _notices(body),
            "thresholds": _thresholds(body),
        }
        with self._store.begin() as db:
            held = _preferences(_account(db, account))
            if any(held[field] != value for field, value in wanted.items()):
                if version != held["version"]:
                    raise No(
                        409, "version_conflict", "The portal holds another version.",
                        current_version=held["version"],
                    )  # fmt: skip
                db.execute(
                    "UPDATE account SET paperless = ?, notices = ?, thresholds = ?,"
                    " preferences_version = preferences_version + 1 WHERE number = ?",
                    (
                        wanted["paperless"], json.dumps(wanted["notices"]),
                        json.dumps(wanted["thresholds"]), account,
                    ),
                )  # fmt: skip
            return jsonify(_preferences(_account(db, account)))

    def messages(self) -> Response:
        after, limit = _page()
        with self._store.begin() as db:
            rows, following, more = _rows(db, "message", after, limit)
        fields = ("id", "at", "account_number", "email", "subject", "text", "answered_at")
        listed = [{field: row[field] for field in fields} for row in rows]
        return jsonify(messages=listed, next=following, more=more)

    def reply(self, message_id: str) -> tuple[Response, int]:
        key = _header("Idempotency-Key", _KEY)
        text = _text(_body("text"), "text", 4000)
        if not text:
            raise _bad("text", "A reply has at least one letter.")
        _path(message_id, _ID)
        asked = f"reply {message_id} {text}"
        with self._store.begin() as db:
            told = replay(db, key, asked)
            if told is not None:
                return jsonify(told[1]), told[0]
            row = db.execute("SELECT * FROM message WHERE id = ?", (message_id,)).fetchone()
            if row is None:
                raise No(404, "not_found", "There is no such message.")
            at = stamp(self._store.now())
            db.execute(
                "UPDATE message SET answer = ?, answered_at = ? WHERE id = ?",
                (text, at, message_id),
            )
            body = {"message_id": message_id, "answered_at": at}
            remember(db, key, asked, 201, body)
        self._mail(row["email"], f"Re: {row['subject']}", text)
        return jsonify(body), 201

    def reports(self) -> Response:
        after, limit = _page()
        with self._store.begin() as db:
            rows, following, more = _rows(db, "service_report", after, limit)
        return jsonify(reports=[_report(row) for row in rows], next=following, more=more)

    def put_report(self, report_id: str) -> Response:
        body = _body("status", "restoration")
        status, restoration = _choice(body, "status", REPORT_STATES), _moment(body, "restoration")
        _path(report_id, _ID)
        with self._store.begin() as db:
            db.execute(
                "UPDATE service_report SET status = ?, restoration = ? WHERE id = ?",
                (status, restoration, report_id),
            )
            row = db.execute("SELECT * FROM service_report WHERE id = ?", (report_id,)).fetchone()
        if row is None:
            raise No(404, "not_found", "There is no such report.")
        return jsonify(_report(row))

    def _registration(self, account: str) -> dict[str, Any]:
        with self._store.begin() as db:
            _account(db, account)
            row = self._members.in_force(db, account)
            deliveries = [] if row is None else _deliveries(db, row["id"])
        if row is None:
            return {
                "account_number": account, "id": None, "state": RegistrationState.NONE.value,
                "email": "", "sent_at": None, "expires_at": None, "last_sign_in": None,
                "deliveries": [],
            }  # fmt: skip
        fields = ("id", "state", "email", "sent_at", "expires_at", "last_sign_in")
        told = {field: row[field] for field in fields}
        return {"account_number": account, **told, "deliveries": deliveries}


def problem(status: int, code: str, message: str, **more: Any) -> Response:
    """Build a refusal of the agreed form."""
    answer = jsonify(code=code, message=message, **more)
    answer.status_code = status
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def refusal(no: No) -> Response:
    """Turn the portal's no into an answer."""
    more = dict(no.more)
    wait = more.pop("retry_after", None)
    answer = problem(no.status, no.code, no.message, **more)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer


def protocol_fault(fault: HTTPException) -> Response:
    """Answer what the web server itself refuses in the agreed form."""
    status = fault.code or 500
    answer = problem(status, HTTPStatus(status).name.lower(), fault.description or "Refused.")
    allowed = getattr(fault, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _bad(field: str, message: str) -> No:
    return No(400, "bad_request", message, field=field)


def _header(name: str, form: re.Pattern[str]) -> str:
    given = request.headers.get(name, "")
    if not form.fullmatch(given):
        raise _bad(name, "This header is missing or not as agreed.")
    return given


def _path(part: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(part):
        raise No(404, "not_found", "There is no such thing.")


def _page() -> tuple[int, int]:
    after, limit = request.args.get("after", "0"), request.args.get("limit", "100")
    if not re.fullmatch(r"[0-9]{1,18}", after):
        raise _bad("after", "This is not a cursor of ours.")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 200:
        raise _bad("limit", "A page has 1 to 200 entries.")
    return int(after), int(limit)


def _rows(
    db: sqlite3.Connection, table: str, after: int, limit: int
) -> tuple[list[sqlite3.Row], str, bool]:
    # The table's name is one of ours, never what somebody sent.
    found = db.execute(
        f"SELECT * FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
        (after, limit + 1),
    ).fetchall()
    rows = found[:limit]
    return rows, str(rows[-1]["seq"] if rows else after), len(found) > limit


def _account(db: sqlite3.Connection, account: str) -> sqlite3.Row:
    _path(account, _ACCOUNT)
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM account WHERE number = ?", (account,)
    ).fetchone()
    if row is None:
        raise No(404, "not_found", "There is no such account.")
    return row


def _deliveries(db: sqlite3.Connection, registration_id: str) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT at, email, status, reason FROM delivery WHERE registration = ?"
        " ORDER BY seq DESC LIMIT 100",
        (registration_id,),
    ).fetchall()
    return [dict(row) for row in reversed(rows)]


def _preferences(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "account_number": row["number"],
        "version": row["preferences_version"],
        "paperless": bool(row["paperless"]),
        "auto_pay": bool(row["auto_pay"]),
        "notices": json.loads(row["notices"]),
        "thresholds": json.loads(row["thresholds"]),
    }


def _report(row: sqlite3.Row) -> dict[str, Any]:
    fields = ("id", "at", "account_number", "kind", "text", "status", "restoration")
    return {field: row[field] for field in fields}


def _body(*fields: str) -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise No(415, "unsupported_media_type", "Send application/json.")
    try:
        body = json.loads(request.get_data(), parse_constant=_no_constant)
        json.dumps(body, ensure_ascii=False).encode()  # a lone surrogate is nobody's letter
    except (ValueError, RecursionError) as error:
        raise _bad("body", "This is not JSON.") from error
    return _object(body, fields, "body")


def _object(body: Any, fields: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(body, dict) or body.keys() != set(fields):
        raise _bad(where, f"It is an object with exactly these fields: {', '.join(fields)}.")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _text(body: dict[str, Any], field: str, longest: int) -> str:
    value = body[field]
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(field, f"It is text of at most {longest} characters.")
    return value


def _whole(body: dict[str, Any], field: str, least: int, most: int) -> int:
    value = body[field]
    # To JSON 1.0 is the same whole number as 1; to Python true would be one too.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _bad(field, f"It is a whole number from {least} to {most}.")
    return value


def _flag(body: dict[str, Any], field: str) -> bool:
    value = body[field]
    if not isinstance(value, bool):
        raise _bad(field, "It is true or false.")
    return value


def _choice(body: dict[str, Any], field: str, words: tuple[str, ...]) -> str:
    value = body[field]
    if not isinstance(value, str) or value not in words:
        raise _bad(field, f"It is one of: {', '.join(words)}.")
    return value


def _notices(body: dict[str, Any]) -> dict[str, str]:
    given = _object(body["notices"], NOTICES, "notices")
    return {event: _choice(given, event, CHANNELS) for event in NOTICES}


def _thresholds(body: dict[str, Any]) -> list[dict[str, Any]]:
    given = body["thresholds"]
    if not isinstance(given, list) or len(given) > 10:
        raise _bad("thresholds", "It is a list of at most 10.")
    read = []
    for item in given:
        one = _object(item, ("unit", "period", "limit"), "thresholds")
        read.append(
            {
                "unit": _choice(one, "unit", ("kwh", "usd")),
                "period": _choice(one, "period", ("day", "month")),
                "limit": _whole(one, "limit", 1, 1_000_000),
            }
        )
    return read


def _moment(body: dict[str, Any], field: str) -> str | None:
    value = body[field]
    if value is None:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _bad(field, "It is a moment in UTC such as 2026-11-23T16:30:00Z, or null.")
    try:
        return stamp(datetime.fromisoformat(value).astimezone(UTC))
    except ValueError as error:
        raise _bad(field, "There is no such moment.") from error
