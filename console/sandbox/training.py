"""The training co-op: a few hundred members, and the callers a newcomer practises on."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from console.domain.members import AccountStatus, AlertKind
from console.domain.money import Money
from console.domain.registration import Outcome, RegistrationState
from console.models import ledger, schema, search
from console.models.bulk import fill, number_on
from console.models.ledger import LedgerEntry
from console.models.members import Member
from console.sandbox import demo, demo_ledger
from console.sandbox.demo_members import ACCOUNT_COLUMNS, Part, parts
from console.sandbox.demo_portal import Past
from console.sandbox.demo_words import STATE, TOWNS
from console.sandbox.store import (
    PastAttempt,
    PastDelivery,
    PastRegistration,
    PortalAccount,
    seed,
)
from console.sandbox.stories import CAST, Cast

EDITION: Final = "4"
"""Of the training data; another one on disk is made afresh."""

MEMBERS: Final = 400
_CROWD_SEED: Final = 20_261
_TRIED: Final = 0.2
"""How many of the others have tried as well, so that the worklist looks like a Monday."""
COOP_NAME: Final = "Kettle River Electric Cooperative"
COOP_PHONE: Final = "715-555-0100"
COOP_EMAIL: Final = "office@kettleriver.example"

_DATABASE, _PORTAL, _LETTERS = "training.db", "portal.sqlite", "mailbox.sqlite"
_ABOUT = "training.json"


@dataclass(frozen=True)
class Story:
    """A caller to practise on."""

    title: str
    caller: str
    says: str
    learn: str
    member_id: int
    account_number: str
    icon: str


def is_there(folder: Path) -> bool:
    """Whether this edition of the training co-op is in the folder."""
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    there = (folder / _DATABASE).is_file() and (folder / _PORTAL).is_file()
    return bool(there and isinstance(about, dict) and about.get("edition") == EDITION)


def create(folder: Path, now: datetime, *, afresh: bool = True) -> None:
    """Make the training co-op in a folder; unless `afresh`, one of this edition there stays.

    It is made beside the folder and moved in when whole: a set-up that was interrupted leaves
    nothing half-made behind. A second console that starts meanwhile waits for the first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        if not afresh and is_there(folder):
            return
        made = folder / "being-made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        _fill(made, now.astimezone(UTC).replace(microsecond=0))
        # What says that all is there goes first and comes last.
        for stale in (_ABOUT, _DATABASE, _PORTAL, _LETTERS):
            for part in ("", "-wal", "-shm"):
                (folder / f"{stale}{part}").unlink(missing_ok=True)
        for name in (_DATABASE, _PORTAL, _ABOUT):
            (made / name).replace(folder / name)
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    # A lock that the system lets go of when its process dies, on every system alike.
    file = folder / "being-made.lock"
    try:
        lock = sqlite3.connect(file, timeout=120, isolation_level=None)
    except sqlite3.Error as error:
        raise OSError(errno.EACCES, str(error), str(file)) from error
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            raise OSError(errno.EBUSY, str(error), str(file)) from error
        yield
    finally:
        lock.close()


def stories() -> tuple[Story, ...]:
    """List the callers to practise on."""
    return tuple(
        Story(
            one.title,
            one.caller or f"{one.given} {one.name}".strip(),
            one.says,
            one.learn,
            place,
            f"{one.base}01",
            one.icon,
        )
        for place, one in enumerate(CAST, start=1)
    )


def database_url(folder: Path) -> str:
    """Answer where the training co-op's records are."""
    return f"sqlite:///{(folder / _DATABASE).as_posix()}"


def _fill(folder: Path, now: datetime) -> None:
    records = schema.open_records(database_url(folder))
    try:
        demo.add_staff(records)
        story = Part()
        for place, one in enumerate(CAST, start=1):
            _add_cast(story, place, one, now)
        demo.write(records, story)
        fill(records, LedgerEntry, demo_ledger.COLUMNS, _ledgers(story))
        accounts = list(_portal_accounts(story))
        pasts: list[Past] = []
        first, more = len(CAST) + 1, MEMBERS - len(CAST)
        for part in parts(more, _CROWD_SEED, now, first_id=first, tried=_TRIED):
            for told in (part.registrations, part.attempts, part.deliveries):
                told.clear()  # the console hears of these from the portal, as it does in life
            demo.write(records, part)
            accounts += _portal_accounts(part)
            pasts += part.pasts
        number_on(records, Member)
        ledger.open_all(records)
        search.rebuild(records)
        with records.glance() as connection:
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    finally:
        records.close()
    _seed_portal(folder, accounts, pasts, now)
    about = json.dumps({"edition": EDITION, "made_at": now.isoformat()})
    (folder / _ABOUT).write_text(about, encoding="utf-8")


def _seed_portal(
    folder: Path, accounts: list[PortalAccount], pasts: list[Past], now: datetime
) -> None:
    registrations = [one.registration for one in pasts if one.registration]
    attempts = [attempt for one in pasts for attempt in one.attempts]
    for one in CAST:
        number = f"{one.base}01"
        attempts += [
            PastAttempt(
                now - timedelta(minutes=tried.minutes),
                tried.account or number,
                tried.name,
                one.email,
                tried.outcome,
                tried.channel,
            )
            for tried in one.tries
        ]
        if one.state is not None:
            registrations.append(_past_registration(one, number, now))
            attempts.append(
                PastAttempt(
                    now - timedelta(minutes=one.minutes_ago),
                    number,
                    one.name,
                    one.email,
                    Outcome.REGISTERED,
                )
            )
    seed(
        folder / _PORTAL,
        accounts,
        registrations,
        attempts,
        facts={"coop_name": COOP_NAME, "coop_phone": COOP_PHONE},
    )


def _past_registration(one: Cast, number: str, now: datetime) -> PastRegistration:
    sent = now - timedelta(minutes=one.minutes_ago)
    return PastRegistration(
        number,
        one.email,
        one.state or RegistrationState.NONE,
        sent,
        tuple(
            PastDelivery(sent + timedelta(seconds=20 * place), status, reason)
            for place, (status, reason) in enumerate(one.deliveries)
        ),
        last_sign_in=now - timedelta(hours=20) if one.signed_in else None,
    )


def _add_cast(part: Part, member_id: int, one: Cast, now: datetime) -> None:
    since = now - timedelta(days=2_900 + 97 * member_id)
    place = _town(one.town)
    part.members.append((
        member_id, f"{100_000 + member_id}", one.business, one.name, one.given, one.last_four,
        one.email, one.phone, "", one.street, place[0], place[1], place[2], since, 1,
    ))  # fmt: skip
    where = ((one.base, one.street), *one.more_accounts)
    for order, (base, street) in enumerate(where):
        part.accounts.append(_account(member_id, one, base, street, place, now, since, order))
    for name, given, role, may in one.holders:
        part.holders.append((member_id, name, given, role, may))
    for name in one.former:
        part.former_names.append((member_id, name, one.given, now - timedelta(days=170)))
    if one.former_address:
        part.former_addresses.append(
            (member_id, one.former_address, one.town, now - timedelta(days=1_400))
        )
    for order, (kind, note) in enumerate(one.alerts):
        part.alerts.append((member_id, kind, note, "sam", now - timedelta(days=30 + order), "", 1))
    for order, text in enumerate(one.notes):
        note_id = f"00000000-0000-4000-8000-{member_id:06}{order:06}"
        part.notes.append(
            (note_id, member_id, text, "casey", now - timedelta(days=160 - order), "", 1)
        )


def _account(
    member_id: int,
    one: Cast,
    base: int,
    street: str,
    place: tuple[str, str, str],
    now: datetime,
    since: datetime,
    order: int,
) -> tuple[Any, ...]:
    billed: date = (now - timedelta(days=9)).date()
    due = billed + timedelta(days=21)
    balance = one.balance if order == 0 else 6_400 + 910 * order
    # What is not past due is the last bill; who owes nothing has paid it.
    last_bill = balance - one.past_due if balance else 14_210 + 37 * member_id
    last_payment = last_bill - 1_310 + 41 * member_id if balance else last_bill
    paid_on = billed + timedelta(days=-12 if balance else 4)
    cut_off = any(kind is AlertKind.DISCONNECT_PENDING for kind, _ in one.alerts)
    return (
        f"{base}01", f"{base}.01", member_id, AccountStatus.ACTIVE, street, *place,
        f"{base % 36 + 1:02}-{base % 24 + 1:02}-{base % 99:02}", f"M{20_000_000 + base * 311}",
        "GS10" if one.business else "RES01", 1 + base % 8, Money(balance), Money(one.past_due),
        due, Money(last_bill), billed, Money(last_payment), paid_on,
        now.date() + timedelta(days=6) if cut_off else None,
        False, one.signed_in, since, None, 1, 1,
    )  # fmt: skip


def _ledgers(part: Part) -> Iterator[demo_ledger.Line]:
    """Make up the last twelve months of each account, so that there is something to look at."""
    for row in part.accounts:
        yield from demo_ledger.year_of(dict(zip(ACCOUNT_COLUMNS, row, strict=True)))


def _town(name: str) -> tuple[str, str, str]:
    return name, STATE, dict(TOWNS)[name]


def _portal_accounts(part: Part) -> Iterable[PortalAccount]:
    names = {row[0]: row[3] for row in part.members}
    at = {name: place for place, name in enumerate(ACCOUNT_COLUMNS)}
    for row in part.accounts:
        if row[at["status"]] is not AccountStatus.CLOSED:
            month = row[at["last_bill_on"]].replace(day=1)
            yield PortalAccount(
                row[at["number"]],
                names[row[at["member_id"]]],
                balance_cents=row[at["balance"]].cents,
                due_on=row[at["due_on"]],
                last_bill_cents=row[at["last_bill"]].cents,
                last_bill_on=row[at["last_bill_on"]],
                service_address=f"{row[at['service_line']]}, {row[at['service_city']]}",
                usage=_usage(row[at["number"]], month),
                auto_pay=row[at["autopay"]],
                paperless=row[at["paperless"]],
            )


def _usage(number: str, last: date) -> tuple[tuple[str, int], ...]:
    """Make thirteen months of use that are higher in winter and in the hottest weeks."""
    months = []
    for back in range(12, -1, -1):
        year, month = divmod(last.year * 12 + last.month - 1 - back, 12)
        season = demo_ledger.SEASON[month]
        months.append((f"{year}-{month + 1:02}", 520 + season + int(number) * (back + 3) % 173))
    return tuple(months)
