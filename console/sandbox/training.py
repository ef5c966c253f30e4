"""The training co-op: a few hundred members, and the callers a newcomer practises on."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from console.domain.members import AccountStatus, AlertKind, HolderRole, MayAct
from console.domain.money import Money
from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus
from console.models import schema, search
from console.models.bulk import number_on
from console.models.members import Member
from console.sandbox import demo
from console.sandbox.demo import Part
from console.sandbox.demo_portal import Past
from console.sandbox.demo_words import STATE, TOWNS
from console.sandbox.store import (
    PastAttempt,
    PastDelivery,
    PastRegistration,
    PortalAccount,
    seed,
)

EDITION: Final = "2"
"""Of the training data; another one on disk is made afresh."""

MEMBERS: Final = 400
_CROWD_SEED: Final = 20_261
_TRIED: Final = 0.2
"""How many of the others have tried as well, so that the worklist looks like a Monday."""
COOP_NAME: Final = "Kettle River Electric Cooperative"
COOP_PHONE: Final = "715-555-0100"

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


@dataclass(frozen=True)
class _Try:
    """One attempt of a story's caller: what was typed, how long ago, and what became of it."""

    minutes: int
    name: str
    account: str = ""
    """The account's own number when empty."""
    outcome: Outcome = Outcome.NAME_MISMATCH
    channel: Channel = Channel.WEB


@dataclass(frozen=True)
class _Cast:
    """One made-up member with a story, and where they stand at the portal."""

    title: str
    given: str
    name: str
    says: str
    learn: str
    base: int
    street: str
    town: str
    email: str = ""
    phone: str = "7155550000"
    last_four: str = "4821"
    icon: str = "speak"
    business: bool = False
    tries: tuple[_Try, ...] = ()
    state: RegistrationState | None = None
    minutes_ago: int = 0
    deliveries: tuple[tuple[DeliveryStatus, str], ...] = ()
    signed_in: bool = False
    holders: tuple[tuple[str, str, HolderRole, MayAct], ...] = ()
    alerts: tuple[tuple[AlertKind, str], ...] = ()
    former: tuple[str, ...] = ()
    former_address: str = ""
    more_accounts: tuple[tuple[int, str], ...] = ()
    balance: int = 14_210
    past_due: int = 0
    caller: str = ""
    notes: tuple[str, ...] = field(default=())


_QUEUED, _SENT = (DeliveryStatus.QUEUED, ""), (DeliveryStatus.SENT, "")
_DELIVERED = (DeliveryStatus.DELIVERED, "")
_HOUR, _DAY = 60, 24 * 60

CAST: Final = (
    _Cast(
        "One name or two words", "Rosalind", "DeLong", "It says my name is wrong. I know how to "
        "spell my own name! D, e, space, L, o, n, g.",
        "The file has it as one word. Read the spelling out, or correct the file when she can "
        "show that it is two.", 10234, "418 Pine Ln", "Kettle Prairie",
        "rosalind.delong@example.com", "7155550147", "4821", "speak",
        tries=(
            _Try(9, "De Long", channel=Channel.IOS), _Try(4, "de long", channel=Channel.IOS),
        ),
        former_address="12 Oak St",
    ),
    _Cast(
        "The curly apostrophe", "Declan", "O'Brien", "My phone keeps telling me the name does not "
        "match. I type O’Brien, like always.",
        "A phone types a curly apostrophe, the file has a straight one. Tell him how to type it.",
        10311, "77 Harbor Rd", "Heron Lake", "declan@example.org", "7155550111", "0392",
        tries=(_Try(16, "O’Brien", channel=Channel.ANDROID),),
    ),
    _Cast(
        "A couple in the name field", "", "Harold & June Whitcomb", "I put in Whitcomb. What else "
        "would it be?",
        "The old system kept both names in one field. Correct the file: the surname alone, and "
        "June as second holder.", 10402, "2210 Granary Rd", "Nordby", "whitcombs@example.com",
        "7155550122", "7716", tries=(_Try(27, "Whitcomb"),),
        holders=(("Whitcomb", "June", HolderRole.SECOND_HOLDER, MayAct.EVERYTHING),),
    ),
    _Cast(
        "A farm with its legal form", "", "Prairie Rose Farms LLC", "We are Prairie Rose Farms. "
        "Everybody knows us.",
        "The file ends in LLC. Read it out letter by letter: a space, capital L, L, C.",
        10508, "N4410 County Road Q", "Marsh Landing", "office@prairierose.example", "7155550133",
        "1180", icon="building", business=True,
        tries=(_Try(41, "Prairie Rose Farms"), _Try(38, "prairie rose farms")),
        holders=(("Lindgard", "Tess", HolderRole.AUTHORIZED, MayAct.EVERYTHING),),
        more_accounts=((10509, "N4416 County Road Q"), (10510, "W882 Silo Dr")), balance=88_240,
        caller="Tess Lindgard of Prairie Rose Farms",
    ),
    _Cast(
        "Cut off by the old system", "", "Northern Lakes Veter", "It is Northern Lakes Veterinary "
        "Clinic, as on our sign.",
        "The old system kept twenty characters. Correct the file to the whole name.",
        10617, "903 Market St", "Riverton", "desk@northernlakes.example", "7155550144", "6634",
        icon="building", business=True, tries=(_Try(52, "Northern Lakes Veterinary Clinic"),),
        caller="The front desk of Northern Lakes Veterinary Clinic",
    ),
    _Cast(
        "The second holder calls", "Gunnar", "Halvorsen", "I am Mary, his wife. I pay the bill, so "
        "I put in my name. I kept mine when we married: Tveit.",
        "Mary is second holder. The portal wants the primary holder's name; she must not be told "
        "more than she may know.", 10733, "55 Sandhill Trl", "Clearbrook", "tveit@example.net",
        "7155550155", "2077", tries=(_Try(63, "Tveit"),),
        holders=(("Tveit", "Mary", HolderRole.SECOND_HOLDER, MayAct.EVERYTHING),),
        caller="Mary Tveit",
    ),
    _Cast(
        "The decimal point", "Agnes", "Moen", "I typed the account number exactly as it stands on "
        "the bill.",
        "Old bills print a point. The portal wants numerals only.", 10844, "8 Depot St", "Lindale",
        "agnes.moen@example.com", "7155550166", "5521",
        tries=(_Try(75, "Moen", "10844.01", Outcome.ACCOUNT_NOT_FOUND),),
    ),
    _Cast(
        "With and without the tilde", "Lucía", "Núñez", "It refuses Nunez. My keyboard has no "
        "other letter.",
        "The file has the marks. Tell her how to type them, or correct the file if she prefers it "
        "without.", 10951, "31 Cranberry Ct", "Juniper", "lucia@example.org", "7155550177", "9034",
        tries=(_Try(88, "Nunez", channel=Channel.ANDROID),),
    ),
    _Cast(
        "Something nobody sees", "Pao", "Xiong", "I copied my name from an e-mail and it looks "
        "exactly the same.",
        "A character without width came along with the copy. Nothing to see: ask him to type it.",
        11063, "640 Orchard Ave", "Elk Crossing", "pao.xiong@example.com", "7155550188", "3319",
        tries=(_Try(97, "Xi\u200bong"),),
    ),
    _Cast(
        "First and last name", "Walter", "Kessler", "Name is name, no? Walter Kessler.",
        "The portal wants the last name alone.", 11178, "14 Station St", "Dunmore",
        "wkessler@example.net", "7155550199", "8450",
        tries=(_Try(120, "Walter Kessler"), _Try(118, "Kessler Walter")),
    ),
    _Cast(
        "Not who is on file", "Elmer", "Rasmussen", "I moved into Dad's house in March. My name is "
        "Dana Brightwater.",
        "Another person is no spelling fix. A supervisor decides, with papers.",
        11290, "3305 Old Mill Rd", "Quarry Hill", "dana@example.com", "7155550112", "1204",
        tries=(_Try(140, "Brightwater"),), caller="Dana Brightwater",
        alerts=((AlertKind.DECEASED, "Daughter called in March; estate not settled yet."),),
    ),
    _Cast(
        "Waiting for the e-mail", "Siobhán", "Adeyemi", "It said I would get a password by e-mail. "
        "Nothing came.",
        "It is no password but a link, and it went out. Look in the spam folder first; then send "
        "it again.", 11405, "72 Lake Dr", "Fairhaven", "siobhan@example.com", "7155550113", "7702",
        icon="mail", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=3 * _HOUR,
        deliveries=(_QUEUED, _SENT, _DELIVERED),
    ),
    _Cast(
        "A slip in the address", "Otto", "Baumgartner", "Still no e-mail. I check every hour.",
        "The address ends in gmial.com. Correct it, and the portal sends again.",
        11512, "9 Windmill Way", "Stonefield", "otto.baumgartner@gmial.com", "7155550114", "6120",
        icon="mail-bounced", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=20 * _HOUR,
        deliveries=(_QUEUED, (
            DeliveryStatus.BOUNCED, "550 5.1.2 The domain gmial.com does not exist"
        )),
    ),
    _Cast(
        "The mailbox is full", "Ingrid", "Solberg", "You people never write.",
        "Her mailbox is full. Ask her to make room, or for another address.",
        11630, "118 Birch St", "Granite Bluff", "full.ingrid@example.org", "7155550115", "4410",
        icon="mail-bounced", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=26 * _HOUR,
        deliveries=(_QUEUED, (DeliveryStatus.BOUNCED, "552 5.2.2 Mailbox full")),
    ),
    _Cast(
        "The link ran out", "Marcus", "Okafor", "I pressed the button this morning and it says the "
        "link is no good.",
        "Links live for 72 hours. Send a new one.", 11744, "2001 Ridge Rd", "Pine Barrens",
        "marcus.okafor@example.com", "7155550116", "9958", icon="hourglass",
        state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=4 * _DAY,
        deliveries=(_QUEUED, _SENT, _DELIVERED),
    ),
    _Cast(
        "Locked out", "Thora", "Lindqvist", "It says locked. I may have tried the wrong password "
        "once or twice.",
        "Five wrong passwords lock. See what the portal says, and read out the password rule.",
        11851, "5 Ferry Landing", "Turtle Point", "thora@example.net", "7155550117", "3003",
        icon="lock", state=RegistrationState.LOCKED, minutes_ago=9 * _DAY,
        deliveries=(_QUEUED, _SENT, _DELIVERED, (DeliveryStatus.OPENED, "")),
        tries=(_Try(33, "Lindqvist", outcome=Outcome.LOCKED),),
    ),
    _Cast(
        "All is well", "Beatrice", "Sorensen", "I just wanted to say that it works.",
        "Nothing to do but be glad: verified, and signed in yesterday.", 11962, "27 Meadow Ln",
        "Otter Creek", "beatrice@example.com", "7155550118", "8127", icon="verified",
        state=RegistrationState.VERIFIED, minutes_ago=12 * _DAY, signed_in=True, balance=0,
        deliveries=(_QUEUED, _SENT, _DELIVERED, (DeliveryStatus.OPENED, "")),
        former=("Holm",), notes=("Married in June; the name was changed with the certificate.",),
    ),
    _Cast(
        "A life on the line", "Eugene", "Pawlak", "My wife is on oxygen and I had a letter about "
        "the power.",
        "Medical necessity and a disconnect date: alerts stand first for a reason.",
        12077, "W611 Quarry Rd", "Ironwood Bend", "", "7155550119", "5540", icon="medical",
        alerts=(
            (AlertKind.MEDICAL_NECESSITY, "Oxygen concentrator; doctor's letter on file."),
            (AlertKind.DISCONNECT_PENDING, "Call before anybody is sent."),
        ),
        balance=48_015, past_due=33_870,
    ),
    _Cast(
        "No cheques, please", "Vera", "Novak", "I sent you a cheque and you sent it back.",
        "Two returned cheques in a year: card, bank account or cash.", 12185, "340 Church St",
        "Alder Falls", "vera.novak@example.com", "7155550120", "1911", icon="payments",
        alerts=((AlertKind.NO_CHEQUES, "Two returned in twelve months."),), past_due=6_240,
        balance=20_450,
    ),
)  # fmt: skip


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
        accounts = list(_portal_accounts(story))
        pasts: list[Past] = []
        first, more = len(CAST) + 1, MEMBERS - len(CAST)
        for part in demo.parts(more, _CROWD_SEED, now, first_id=first, tried=_TRIED):
            for told in (part.registrations, part.attempts, part.deliveries):
                told.clear()  # the console hears of these from the portal, as it does in life
            demo.write(records, part)
            accounts += _portal_accounts(part)
            pasts += part.pasts
        number_on(records, Member)
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


def _past_registration(one: _Cast, number: str, now: datetime) -> PastRegistration:
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


def _add_cast(part: Part, member_id: int, one: _Cast, now: datetime) -> None:
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
    one: _Cast,
    base: int,
    street: str,
    place: tuple[str, str, str],
    now: datetime,
    since: datetime,
    order: int,
) -> tuple[Any, ...]:
    billed: date = (now - timedelta(days=9)).date()
    due = billed + timedelta(days=21)
    balance = Money(one.balance if order == 0 else 6_400 + 910 * order)
    cut_off = any(kind is AlertKind.DISCONNECT_PENDING for kind, _ in one.alerts)
    return (
        f"{base}01", f"{base}.01", member_id, AccountStatus.ACTIVE, street, *place,
        f"{base % 36 + 1:02}-{base % 24 + 1:02}-{base % 99:02}", f"M{20_000_000 + base * 311}",
        "GS10" if one.business else "RES01", 1 + base % 8, balance, Money(one.past_due), due,
        Money(14_210 + 37 * member_id), billed, Money(12_900 + 41 * member_id),
        billed - timedelta(days=12), now.date() + timedelta(days=6) if cut_off else None,
        False, one.signed_in, since, None, 1, 1,
    )  # fmt: skip


def _town(name: str) -> tuple[str, str, str]:
    return name, STATE, dict(TOWNS)[name]


def _portal_accounts(part: Part) -> Iterable[PortalAccount]:
    names = {row[0]: row[3] for row in part.members}
    at = {name: place for place, name in enumerate(demo.ACCOUNT_COLUMNS)}
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
        season = (310, 280, 190, 90, 30, 70, 130, 120, 40, 60, 160, 270)[month]
        months.append((f"{year}-{month + 1:02}", 520 + season + int(number) * (back + 3) % 173))
    return tuple(months)
