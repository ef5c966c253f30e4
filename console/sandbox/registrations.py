"""What the stand-in portal does with members: register, send links, verify, sign in, lock."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from argon2.exceptions import VerifyMismatchError

from console.domain.registration import Channel, Outcome, RegistrationState
from console.sandbox.rules import MatchRule, numerals, same_name
from console.sandbox.store import HASHER, LINK_LIFE, Store, moment, new_id, stamp

WRONG_PASSWORDS: Final = 5
RESET_LIFE: Final = timedelta(hours=1)
# Compared when nobody has the address, so that both answers take the same time.
_NOBODYS_PASSWORD: Final = HASHER.hash("nobody has this password")

Row = sqlite3.Row
Post = Callable[[str, str, str], None]
"""Sends the link of a registration: (registration id, e-mail, token)."""


class No(Exception):
    """The portal will not; a status, a code and a message say why."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


@dataclass(frozen=True)
class Conduct:
    """How this portal behaves, co-op by co-op."""

    rule: MatchRule = MatchRule.IGNORE_CASE
    point_allowed: bool = False
    resend_wait: timedelta = timedelta(seconds=60)
    registration_life: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Registrations:
    """The portal's members, as its pages and its staff calls both see them."""

    store: Store
    conduct: Conduct
    post: Post
    post_reset: Post

    def register(
        self, account_number: str, name: str, email: str, channel: Channel = Channel.WEB
    ) -> Outcome:
        """Try to register; every try is written down, and only a good one sends an e-mail."""
        sending: tuple[str, str] | None = None
        with self.store.begin() as db:
            number, outcome = self._would_end_as(db, account_number, name)
            if outcome is Outcome.REGISTERED and number is not None:
                sending = self._begin_registration(db, number, email)
            db.execute(
                "INSERT INTO attempt (id, at, account_number, name, email, channel, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    new_id("att"), stamp(self.store.now()), account_number[:60], name[:200],
                    email[:254], channel.value, outcome.value,
                ),
            )  # fmt: skip
        if sending is not None:
            self.post(sending[0], email, sending[1])
        return outcome

    def check(self, account_number: str, name: str) -> Outcome:
        """Say what an attempt would end as now."""
        with self.store.begin() as db:
            return self._would_end_as(db, account_number, name)[1]

    def send_again(self, registration_id: str, key: str) -> tuple[int, dict[str, Any]]:
        """Send the verify-account e-mail again; one key sends one."""
        request = f"verification-emails {registration_id}"
        with self.store.begin() as db:
            told = replay(db, key, request)
            if told is not None:
                return told
            row = self._waiting(db, registration_id)
            self._check_throttle(row)
            token = self._new_link(db, row)
            after = self._row(db, registration_id)
            body = {
                "registration_id": registration_id,
                "email": after["email"],
                "sent_at": after["sent_at"],
                "expires_at": after["expires_at"],
            }
            remember(db, key, request, 201, body)
        self.post(registration_id, row["email"], token)
        return 201, body

    def correct_email(self, registration_id: str, email: str) -> str:
        """Correct the address before verification and answer whose account it is."""
        with self.store.begin() as db:
            row = self._waiting(db, registration_id)
            if row["email"] != email:
                # Whoever reads the old address must not verify this account any more.
                db.execute("UPDATE link SET dead = 1 WHERE registration = ?", (registration_id,))
                db.execute(
                    "UPDATE registration SET email = ?, expires_at = NULL WHERE id = ?",
                    (email, registration_id),
                )
            return str(row["account"])

    def in_force(self, db: sqlite3.Connection, account: str) -> Row | None:
        """Find the registration that counts for an account, if any."""
        row = db.execute(
            "SELECT * FROM registration WHERE account = ? AND in_force", (account,)
        ).fetchone()
        return None if row is None or self._lapsed(row) else row

    def link(self, token: str, *, opened: bool = False) -> str | None:
        """Find the registration a link still opens."""
        hashed = _hash(token)
        with self.store.begin() as db:
            row = self._alive(db, hashed)
            if row is None:
                return None
            waiting = row["state"] == RegistrationState.AWAITING_VERIFICATION
            if opened and waiting and not self._was_opened(db, row):
                self.note(db, row["id"], row["email"], "opened")
            return hashed

    def choose_password(self, link_hash: str, password: str) -> Row | None:
        """Use up the link: the account is verified and the member is in."""
        hashed = HASHER.hash(password)
        with self.store.begin() as db:
            row = self._alive(db, link_hash)
            if row is None:
                return None
            db.execute("UPDATE link SET dead = 1 WHERE registration = ?", (row["id"],))
            db.execute(
                "UPDATE registration SET state = 'verified', password = ?, wrong = 0,"
                " expires_at = NULL, last_sign_in = ?, epoch = epoch + 1 WHERE id = ?",
                (hashed, stamp(self.store.now()), row["id"]),
            )
            verified: Row = self._row(db, row["id"])
            return verified

    def sign_in(self, email: str, password: str) -> Row | None:
        """Let a verified member in; five wrong passwords lock."""
        with self.store.begin() as db:
            rows = db.execute(
                "SELECT * FROM registration WHERE email = ? COLLATE NOCASE AND in_force"
                " AND state = 'verified' AND password IS NOT NULL",
                (email,),
            ).fetchall()
        for row in rows:
            if _matches(row["password"], password):
                return self._let_in(row["id"], row["epoch"])
        if not rows:
            _matches(_NOBODYS_PASSWORD, password)
        with self.store.begin() as db:
            for row in rows:
                db.execute(
                    "UPDATE registration SET wrong = wrong + 1,"
                    " state = CASE WHEN wrong + 1 >= ? THEN 'locked' ELSE state END,"
                    " epoch = epoch + (wrong + 1 >= ?) WHERE id = ? AND state = 'verified'",
                    (WRONG_PASSWORDS, WRONG_PASSWORDS, row["id"]),
                )
        return None

    def forgot(self, email: str) -> None:
        """Send a link for a new password to a member who has one; a lock ends with it."""
        sending = []
        with self.store.begin() as db:
            rows = db.execute(
                "SELECT * FROM registration WHERE email = ? COLLATE NOCASE AND in_force"
                " AND state IN ('verified', 'locked')",
                (email,),
            ).fetchall()
            now = self.store.now()
            for row in rows:
                last = db.execute(
                    "SELECT max(expires_at) AS at FROM link WHERE registration = ? AND NOT dead",
                    (row["id"],),
                ).fetchone()["at"]
                if last and moment(last) - RESET_LIFE + self.conduct.resend_wait > now:
                    continue
                token = secrets.token_urlsafe(32)
                db.execute("UPDATE link SET dead = 1 WHERE registration = ?", (row["id"],))
                db.execute(
                    "INSERT INTO link VALUES (?, ?, ?, 0)",
                    (_hash(token), row["id"], stamp(now + RESET_LIFE)),
                )
                sending.append((row["id"], row["email"], token))
        for one in sending:
            self.post_reset(*one)

    def unlock(self, account: str) -> None:
        """Open a locked account again; the stand-in's own doing, not part of the contract."""
        with self.store.begin() as db:
            db.execute(
                "UPDATE registration SET state = 'verified', wrong = 0"
                " WHERE account = ? AND in_force AND state = 'locked'",
                (account,),
            )

    def note(
        self,
        db: sqlite3.Connection,
        registration_id: str,
        email: str,
        status: str,
        reason: str = "",
    ) -> None:
        """Write down what became of an e-mail."""
        db.execute(
            "INSERT INTO delivery (registration, at, email, status, reason) VALUES (?, ?, ?, ?, ?)",
            (registration_id, stamp(self.store.now()), email, status, reason[:300]),
        )

    def _would_end_as(
        self, db: sqlite3.Connection, account_number: str, name: str
    ) -> tuple[str | None, Outcome]:
        number = numerals(account_number, point_allowed=self.conduct.point_allowed)
        account = db.execute("SELECT * FROM account WHERE number = ?", (number,)).fetchone()
        if account is None:
            return None, Outcome.ACCOUNT_NOT_FOUND
        if not same_name(name, account["name"], self.conduct.rule):
            return number, Outcome.NAME_MISMATCH
        row = self.in_force(db, account["number"])
        if row is None or self._link_ran_out(row):
            return number, Outcome.REGISTERED
        if row["state"] == RegistrationState.LOCKED:
            return number, Outcome.LOCKED
        return number, Outcome.ALREADY_REGISTERED

    def _begin_registration(
        self, db: sqlite3.Connection, number: str, email: str
    ) -> tuple[str, str]:
        # An earlier one whose link ran out makes room; its id answers 410 from now on.
        db.execute(
            "UPDATE link SET dead = 1 WHERE registration IN"
            " (SELECT id FROM registration WHERE account = ?)",
            (number,),
        )
        db.execute("UPDATE registration SET in_force = 0 WHERE account = ?", (number,))
        registration_id = new_id("reg")
        db.execute(
            "INSERT INTO registration VALUES (?, ?, ?, 'awaiting_verification', 1, ?, NULL, '',"
            " NULL, NULL, 0, NULL, 0)",
            (registration_id, number, email, stamp(self.store.now())),
        )
        return registration_id, self._new_link(db, self._row(db, registration_id))

    def _new_link(self, db: sqlite3.Connection, row: Row) -> str:
        token, now = secrets.token_urlsafe(32), self.store.now()
        expires = stamp(now + LINK_LIFE)
        db.execute("UPDATE link SET dead = 1 WHERE registration = ?", (row["id"],))
        db.execute("INSERT INTO link VALUES (?, ?, ?, 0)", (_hash(token), row["id"], expires))
        db.execute(
            "UPDATE registration SET sent_at = ?, sent_to = email, expires_at = ? WHERE id = ?",
            (stamp(now), expires, row["id"]),
        )
        self.note(db, row["id"], row["email"], "queued")
        return token

    def _waiting(self, db: sqlite3.Connection, registration_id: str) -> Row:
        row: Row | None = self._row(db, registration_id)
        if row is None:
            raise No(404, "not_found", "There is no such registration.")
        if row["state"] == RegistrationState.VERIFIED:
            raise No(409, "already_verified", "The account is verified already.")
        if row["state"] == RegistrationState.LOCKED:
            raise No(409, "registration_locked", "The account is locked after wrong passwords.")
        if not row["in_force"] or self._lapsed(row):
            raise No(410, "registration_expired", "The member must register again.")
        return row

    def _check_throttle(self, row: Row) -> None:
        if row["sent_at"] is None or row["sent_to"] != row["email"]:
            return  # a corrected address has had no e-mail yet
        left = (
            moment(row["sent_at"]) + self.conduct.resend_wait - self.store.now()
        ).total_seconds()
        if left > 0:
            raise No(429, "throttled", "An e-mail has just been sent.", retry_after=math.ceil(left))

    def _lapsed(self, row: Row) -> bool:
        return (
            row["state"] == RegistrationState.AWAITING_VERIFICATION
            and moment(row["created_at"]) + self.conduct.registration_life <= self.store.now()
        )

    def _link_ran_out(self, row: Row) -> bool:
        return (
            row["state"] == RegistrationState.AWAITING_VERIFICATION
            and row["expires_at"] is not None
            and moment(row["expires_at"]) <= self.store.now()
        )

    def _alive(self, db: sqlite3.Connection, link_hash: str) -> Row | None:
        row: Row | None = db.execute(
            "SELECT registration.* FROM link JOIN registration ON registration.id = registration"
            " WHERE token_hash = ? AND NOT dead AND link.expires_at > ? AND in_force",
            (link_hash, stamp(self.store.now())),
        ).fetchone()
        return None if row is None or self._lapsed(row) else row

    @staticmethod
    def _was_opened(db: sqlite3.Connection, row: Row) -> bool:
        last = db.execute(
            "SELECT status FROM delivery WHERE registration = ? ORDER BY seq DESC LIMIT 1",
            (row["id"],),
        ).fetchone()
        return last is not None and last["status"] == "opened"

    def _let_in(self, registration_id: str, epoch: int) -> Row | None:
        with self.store.begin() as db:
            changed = db.execute(
                "UPDATE registration SET wrong = 0, last_sign_in = ?"
                " WHERE id = ? AND epoch = ? AND state = 'verified'",
                (stamp(self.store.now()), registration_id, epoch),
            ).rowcount
            return self._row(db, registration_id) if changed else None

    @staticmethod
    def _row(db: sqlite3.Connection, registration_id: str) -> Any:
        return db.execute("SELECT * FROM registration WHERE id = ?", (registration_id,)).fetchone()


def replay(db: sqlite3.Connection, key: str, request: str) -> tuple[int, dict[str, Any]] | None:
    """Find what was answered under this key; another request under it is refused."""
    row = db.execute("SELECT * FROM replay WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row["request"] != request:
        raise No(422, "key_reused", "This Idempotency-Key belongs to another request.")
    return row["status"], json.loads(row["body"])


def remember(
    db: sqlite3.Connection, key: str, request: str, status: int, body: dict[str, Any]
) -> None:
    """Keep an answer for whoever asks again under the same key."""
    db.execute("INSERT INTO replay VALUES (?, ?, ?, ?)", (key, request, status, json.dumps(body)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except VerifyMismatchError:
        return False
