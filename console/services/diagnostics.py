"""How the console's connections are doing: the database, the portal, and what waits between."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from console import __version__
from console.clients.http import Unreachable
from console.domain.courier import ErrandState
from console.domain.errors import ConsoleError
from console.models.courier import Errand
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


def exchanges(desk: Desk) -> tuple[ExchangeRow, ...]:
    """List the last calls to the portal, the newest first."""
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
        for exchange in reversed(desk.portal.exchanges)
    )


def facts(desk: Desk) -> tuple[tuple[str, str], ...]:
    """Say what this console is and where it is connected; passwords are left out."""
    return (
        ("Console", __version__),
        ("Workstation", desk.workstation),
        ("Signed in", f"{desk.colleague.login} ({desk.colleague.role.words})"),
        ("Database", desk.records.engine.url.render_as_string(hide_password=True)),
        ("Second copy", _second_copy(desk)),
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


def _second_copy(desk: Desk) -> str:
    if desk.records.engine.dialect.name != "postgresql":
        return "none: the database is a file on one machine"
    try:
        with desk.records.glance() as connection:
            waits = bool(connection.scalar(text("SHOW synchronous_standby_names")))
            # Every login sees that a standby is connected, if not how far it is.
            connected = connection.scalar(text("SELECT count(*) FROM pg_stat_replication")) or 0
    except ConsoleError:
        return "unknown while the database does not answer"
    if waits and connected:
        return f"{_standbys(connected)} connected; a commit is told once it is there too"
    if waits:
        return "away: every commit waits for it. Tell whoever looks after the server"
    if connected:
        return f"{_standbys(connected)} connected, a little behind: the last commits may be lost"
    return "none: without a synchronous standby a lost server loses the last commits"


def _standbys(connected: int) -> str:
    return "one standby" if connected == 1 else f"{connected} standbys"


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
