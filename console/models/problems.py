"""What is said to staff when the database cannot do what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import StaleDataError

from console.domain.errors import ConsoleError

T = TypeVar("T")

MOST_CROSSINGS: Final = 8
"""How often one transaction is done again; once is too few where a dozen desks edit one member."""


class DatabaseTrouble(ConsoleError):
    """The database did not do what was asked; nothing was half done."""


class DatabaseAway(DatabaseTrouble):
    """The database does not answer for now; it may have done what was asked last."""


class DatabaseBusy(DatabaseTrouble):
    """Somebody else held the database for too long; trying again is enough."""


class DatabaseCrossed(DatabaseBusy):
    """Two transactions waited for each other and the server ended this one; nothing is wrong."""


class Stale(ConsoleError):
    """Somebody else changed the record between our reading it and our writing it."""


_AWAY: Final = DatabaseAway(
    "The database does not answer, so nothing was done. What is on screen and what you typed "
    "stays; press again once it answers."
)
MAYBE_SAVED: Final = (
    "The database stopped answering just as this was saved, so it may be on file or not. What you "
    "typed stays; press again once it answers. It is done only once."
)
_BUSY: Final = DatabaseBusy(
    "Somebody else is writing to the database and it took too long. Nothing was changed; press "
    "again."
)
_CROSSED: Final = DatabaseCrossed(*_BUSY.args)
_FULL: Final = DatabaseTrouble(
    "The disk of the database is full, so nothing was saved. What you typed is still here. Tell "
    "whoever looks after the server."
)
_READ_ONLY: Final = DatabaseTrouble(
    "The database can only be read here, so nothing was saved. Ask whoever looks after it for the "
    "right to write."
)
_FORBIDDEN: Final = DatabaseTrouble(
    "The database does not allow this with your login. Ask a supervisor to do it."
)
_DAMAGED: Final = DatabaseTrouble(
    "The database file is damaged or is not a database. Bring back last night's copy, and keep "
    "the damaged file for whoever looks after it."
)
_DISK: Final = DatabaseTrouble(
    "The disk of the database gave an error, so nothing was saved. What you typed is still here. "
    "Tell whoever looks after the server."
)
_LOST: Final = DatabaseTrouble(
    "The database file cannot be opened any more. See whether its folder is still there and its "
    "disk connected."
)

_SQLITE: Final = (
    ("database is locked", _BUSY),
    ("table is locked", _BUSY),
    ("readonly database", _READ_ONLY),
    ("disk is full", _FULL),
    ("disk i/o error", _DISK),
    ("malformed", _DAMAGED),
    ("not a database", _DAMAGED),
    ("unable to open database file", _LOST),
)
_POSTGRESQL: Final = (
    ("25006", _READ_ONLY),
    ("42501", _FORBIDDEN),
    ("53100", _FULL),
    ("58030", _DISK),
    ("XX001", _DAMAGED),
    ("XX002", _DAMAGED),
    ("55P03", _BUSY),
    ("57014", _BUSY),
    ("40001", _CROSSED),
    ("40P01", _CROSSED),
    ("57P", _AWAY),
    ("53", _AWAY),
    ("08", _AWAY),
    ("25P03", _AWAY),
    ("25P04", _AWAY),
)
"""SQLSTATE codes, or how they begin."""


def in_words(error: DBAPIError) -> DatabaseTrouble | None:
    """Say what a driver's error means for staff, or nothing when it is a mistake of ours."""
    if isinstance(error, IntegrityError):
        return None
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return next((words for code, words in _POSTGRESQL if state.startswith(code)), None)
    said = str(error.orig).lower()
    for part, words in _SQLITE:
        if part in said:
            return words
    if error.connection_invalidated or type(error.orig).__module__.startswith("psycopg"):
        # A connection that never came about or broke has no code.
        return _AWAY if type(error.orig).__name__ == "OperationalError" else None
    return None


@contextmanager
def told_in_words(away: str = "") -> Iterator[None]:
    """Turn what staff can do something about into sentences; let bugs pass.

    `away` is what to say of a database that does not answer, where more is known.
    """
    try:
        yield
    except DBAPIError as error:
        words = in_words(error)
        if words is None:
            raise
        if away and isinstance(words, DatabaseAway):
            raise DatabaseAway(away) from error
        raise type(words)(*words.args) from error
    except NoConnectionFree as error:
        raise DatabaseBusy(*_BUSY.args) from error
    except StaleDataError as error:
        raise Stale(
            "Somebody else has just changed this. Here it is afresh; look and press again."
        ) from error


def again_if_crossed(act: Callable[[], T]) -> T:
    """Do a whole transaction again when somebody else's crossed it.

    Where many write the same at once that can happen a few times; a database that was busy for
    long is waited for once more only.
    """
    busy = False
    for _ in range(MOST_CROSSINGS):
        try:
            return act()
        except (IntegrityError, Stale, DatabaseCrossed):
            continue
        except DatabaseBusy:
            if busy:
                raise
            busy = True
    return act()
