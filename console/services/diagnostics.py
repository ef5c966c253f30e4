"""How the console's connections are doing: the database, the portal, and what waits between."""

from __future__ import annotations

import platform
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Row, func, select, text

from console import __version__
from console.clients.http import Unreachable
from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.models.courier import Errand
from console.models.payments import unknown_since
from console.models.problems import DatabaseAway
from console.services import backups, rounds
from console.services.desk import Desk


@dataclass(frozen=True)
class Light:
    """Whether a server answers, how fast, and what to say of it."""

    answers: bool
    milliseconds: int
    words: str
    speaks: bool = False
    """Whether it is there and yet of no use: it refuses us, or says what cannot be understood."""


@dataclass(frozen=True)
class DatabaseHealth:
    """The database and what waits in it for the portal."""

    light: Light
    outbox: int


class Copied(StrEnum):
    """Where a commit is by the time that staff are told of it."""

    BOTH = "on two machines"
    AWAY = "away"
    BEHIND = "asynchronous"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SecondCopy:
    """Whether commits are on two machines, in a word and a sentence."""

    state: Copied
    words: str


@dataclass(frozen=True)
class ExchangeRow:
    """One call to the portal; it holds nothing personal."""

    at: datetime
    method: str
    path: str
    status: int | None
    milliseconds: int
    outcome: str
    request_id: str


def database(desk: Desk) -> DatabaseHealth:
    """Ask the database something small, and count what waits in the outbox."""
    began = time.monotonic()
    try:
        with desk.records.read() as db:
            waiting = db.scalar(
                select(func.count())
                .select_from(Errand)
                .where(Errand.state.in_((ErrandState.WAITING, ErrandState.SENDING)))
            )
    except DatabaseAway:
        return DatabaseHealth(Light(False, _since(began), "The database does not answer."), 0)
    except ConsoleError as problem:
        return DatabaseHealth(Light(False, _since(began), str(problem)), 0)
    return DatabaseHealth(Light(True, _since(began), "The database answers."), waiting or 0)


def portal(desk: Desk) -> Light:
    """Ask the portal whether it is there."""
    began = time.monotonic()
    try:
        desk.portal.health()
    except Unreachable as problem:
        return Light(False, _since(began), str(problem))
    except ConsoleError as problem:
        return Light(False, _since(began), str(problem), speaks=True)
    return Light(True, _since(began), "The portal answers.")


def gateway(desk: Desk) -> Light:
    """Say how payments fare: whether the gateway was heard last, and what is not known yet.

    A desk without the gateway's key sees it by what the courier could not find out.
    """
    began = time.monotonic()
    with desk.records.read() as db:
        long = unknown_since(db, desk.office_time(db) - _KNOWN_WITHIN)
    heard = desk.gateway.exchanges[-1:] if desk.gateway else ()
    if any(exchange.status is None for exchange in heard):
        words = "The payment gateway does not answer. Payments wait; nothing is lost or doubled."
        return Light(False, _since(began), words)
    if long:
        many = "One payment is" if long == 1 else f"{long} payments are"
        words = f"{many} not known yet and being checked. Do not take them again."
        return Light(False, _since(began), words, speaks=True)
    return Light(True, _since(began), "Every payment is known.")


def second_copy(desk: Desk) -> SecondCopy | None:
    """Say whether commits are on two machines; None where nobody expects it."""
    if desk.records.engine.dialect.name != "postgresql" or desk.settings.training:
        return None
    return _second_copy(desk)


def exchanges(desk: Desk) -> tuple[ExchangeRow, ...]:
    """List the last calls to the portal and the gateway, the newest first."""
    till = desk.gateway.exchanges if desk.gateway else ()
    called = sorted((*desk.portal.exchanges, *till), key=lambda exchange: exchange.at)
    return tuple(
        ExchangeRow(
            at=exchange.at,
            method=exchange.method,
            path=exchange.path,
            status=exchange.status,
            milliseconds=exchange.milliseconds,
            outcome=exchange.outcome,
            request_id=exchange.request_id,
        )
        for exchange in reversed(called)
    )


def facts(desk: Desk) -> tuple[tuple[str, str], ...]:
    """Say what this console is and where it is connected; passwords are left out."""
    return (
        ("Console", __version__),
        ("Workstation", desk.workstation),
        ("Signed in", f"{desk.colleague.login} ({desk.colleague.role.words})"),
        ("Database", desk.records.engine.url.render_as_string(hide_password=True)),
        ("Second copy", _second_copy_in_words(desk)),
        ("Last copy", backups.last_copy_in_words(desk)),
        ("Courier", _couriers(desk)),
        ("Portal", desk.settings.portal_url or "not set up"),
        ("Time zone", desk.settings.zone),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.release()}"),
    )


def _couriers(desk: Desk) -> str:
    try:
        return rounds.health(desk).words
    except ConsoleError:
        return "unknown while the database does not answer"


def _second_copy_in_words(desk: Desk) -> str:
    if desk.records.engine.dialect.name != "postgresql":
        return "none: the database is a file on one machine"
    copy = _second_copy(desk)
    return f"{copy.state}: {copy.words[:1].lower()}{copy.words[1:]}"


_KNOWN_WITHIN: Final = timedelta(seconds=45)
"""How long a payment may be under way before it is worth a word."""
_HOW_COMMITS_WAIT: Final = text(
    "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')"
)
_WHO_COPIES: Final = text("SELECT application_name, state, sync_state FROM pg_stat_replication")
_NO_STANDBYS: Final = frozenset({"pg_basebackup", "pg_receivewal"})
"""Tools that fetch a copy once, or the log alone, and cannot take over."""


def _second_copy(desk: Desk) -> SecondCopy:
    try:
        with desk.records.glance() as connection:
            names, commits = connection.execute(_HOW_COMMITS_WAIT).one()
            there = connection.execute(_WHO_COPIES).all()
    except ConsoleError:
        return SecondCopy(Copied.UNKNOWN, "The database does not answer.")
    wanted, counts = _that_count(names)
    if wanted and commits not in ("off", "local"):
        # Enough of them must have a commit, and each of the others is as good as not there.
        copying = sum(_copies_at_once(one, counts) for one in there)
        if copying >= wanted:
            return SecondCopy(
                Copied.BOTH,
                f"{_standbys(copying)} connected; a commit is told once it is there too.",
            )
        return SecondCopy(
            Copied.AWAY, "Every commit waits for it. Tell whoever looks after the server."
        )
    behind = sum(one.application_name not in _NO_STANDBYS and _streams(one) for one in there)
    if behind:
        return SecondCopy(
            Copied.BEHIND,
            f"{_standbys(behind)} connected, a little behind: a lost server loses the "
            "last commits.",
        )
    return SecondCopy(
        Copied.NONE, "Without a synchronous standby a lost server loses the last commits."
    )


_LISTED: Final = re.compile(
    r"\s*(?:(?:ANY|FIRST)\s+)?(\d+)\s*\((.*)\)\s*", re.IGNORECASE | re.DOTALL
)


def _that_count(setting: str) -> tuple[int, frozenset[str]]:
    """Answer how many standbys a commit waits for, and the names of those that count."""
    listed = _LISTED.fullmatch(setting)
    many, names = (int(listed[1]), listed[2]) if listed else (1, setting)
    counts = frozenset(name.strip().strip('"').lower() for name in names.split(",")) - {""}
    return (many if counts else 0), counts


def _copies_at_once(
    standby: Row[tuple[str, str | None, str | None]], counts: frozenset[str]
) -> bool:
    if standby.state is not None:
        return _streams(standby) and standby.sync_state in ("sync", "quorum")
    # The server tells most logins who is connected, and keeps to itself how far they are.
    named = "*" in counts or standby.application_name.lower() in counts
    return named and standby.application_name not in _NO_STANDBYS


def _streams(standby: Row[tuple[str, str | None, str | None]]) -> bool:
    return standby.state in (None, "streaming")


def _standbys(connected: int) -> str:
    return "One standby" if connected == 1 else f"{connected} standbys"


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
