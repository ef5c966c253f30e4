"""Many desks that edit the same few members at once, and a count by which a lost edit shows."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from uuid import uuid4

from console.clients.portal import Portal
from console.domain.contact import Asked, Contact
from console.domain.merging import merge
from console.domain.registration import Proof
from console.domain.staff import Role
from console.models import schema
from console.models.members import Member
from console.services import contact, names
from console.services.contact import ContactChangedMeanwhile, ContactEdit
from console.services.desk import Colleague, Desk
from console.services.names import ChangedMeanwhile, Correction
from tests.office import add_member

COUNTED = ("second_phone", "mailing_line", "given_names")
"""Each edit counts one of these up by one: the numbers at the end are the edits that were kept."""


@dataclass
class Edits:
    """What many desks did, and what became of it."""

    told: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Edits of which a desk was told that they stand, for each member and field."""
    kept: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Edits that stand in the end."""
    conflicts: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    """How long each edit took, its conflicts included."""

    @property
    def lost(self) -> int:
        """Count the edits that a desk was told of and that somebody wrote over."""
        return (self.told - self.kept).total()

    @property
    def unasked(self) -> int:
        """Count the edits that stand and that nobody was told of."""
        return (self.kept - self.told).total()


def edit_at_once(url: str, desks: int, seconds: float, pause: float, members: int = 10) -> Edits:
    """Let so many desks, each with a connection of its own, edit the same members for a while.

    `pause` is the mean time in seconds that a desk thinks between two edits.
    """
    office = schema.open_records(url)
    numbers = [f"77{n:05}" for n in range(members)]
    ids = [
        add_member(office, numbers=(number,), second_phone=_phone(0), mailing_line="0 Mill Road",
                   given_names="Rose 0")
        for number in numbers
    ]  # fmt: skip
    edits, lock = Edits(), threading.Lock()
    end = time.monotonic() + seconds
    sitters = [
        threading.Thread(target=_sit, args=(url, number, ids, end, pause, edits, lock))
        for number in range(desks)
    ]
    for sitter in sitters:
        sitter.start()
    for sitter in sitters:
        sitter.join()
    with office.read() as db:
        for member_id in ids:
            member = db.get_one(Member, member_id)
            for what in COUNTED:
                edits.kept[member_id, what] = _count(what, getattr(member, what))
    office.close()
    return edits


def _sit(
    url: str,
    number: int,
    ids: list[int],
    end: float,
    pause: float,
    edits: Edits,
    lock: threading.Lock,
) -> None:
    chance = random.Random(number)
    records = schema.open_records(url)
    portal = Portal("http://127.0.0.1:9", "", f"desk{number}")
    who = Colleague(f"desk{number}", f"Desk {number}", Role.SUPERVISOR)
    desk = Desk(records, portal, who, workstation=who.login)
    desk.carries  # noqa: B018  # as signing in asks
    try:
        while time.monotonic() < end:
            member_id, what = chance.choice(ids), chance.choice(COUNTED)
            begun = time.perf_counter()
            try:
                conflicts = (
                    _count_up_name(desk, member_id)
                    if what == "given_names"
                    else _count_up_contact(desk, member_id, what)
                )
            except Exception as error:  # whatever it is, it is counted
                with lock:
                    edits.errors[f"{type(error).__name__}: {str(error)[:80]}"] += 1
                continue
            took = (time.perf_counter() - begun) * 1000
            with lock:
                edits.told[member_id, what] += 1
                edits.conflicts += conflicts
                edits.milliseconds.append(took)
            time.sleep(chance.expovariate(1 / pause) if pause else 0)
    finally:
        portal.close()
        records.close()


def _count_up_contact(desk: Desk, member_id: int, what: str) -> int:
    """Count a detail up by one, as somebody does who looks at both versions when there are two."""
    held = contact.on_file(desk, member_id, Asked.IN_PERSON)
    mine = replace(held.contact, **{what: _next(what, getattr(held.contact, what))})
    edit = ContactEdit(str(uuid4()), member_id, held.version, held.contact, mine, Asked.IN_PERSON)
    conflicts = 0
    while True:
        try:
            contact.change_contact(desk, edit)
        except ContactChangedMeanwhile as meanwhile:
            conflicts += 1
            theirs = meanwhile.theirs
            merged = merge(
                edit.before.as_fields(), edit.after.as_fields(), theirs.contact.as_fields()
            )
            # Whoever changed the same chooses: here, one more than what the other made of it.
            chosen = {one: _next(one, merged.merged[one]) for one in merged.clashes}
            if not merged.clashes and merged.merged[what] == theirs.contact.as_fields()[what]:
                chosen = {what: _next(what, merged.merged[what])}  # we both wrote the same number
            after = Contact(**{**merged.merged, **chosen})
            edit = replace(edit, version=theirs.version, before=theirs.contact, after=after)
        else:
            return conflicts


def _count_up_name(desk: Desk, member_id: int) -> int:
    held = names.name_on_file(desk, member_id)
    conflicts = 0
    while True:
        given = _next("given_names", held.given_names)
        wanted = Correction(
            str(uuid4()), member_id, held.version, held.name, given, Proof.IDENTITY_DOCUMENT
        )
        try:
            names.correct_name(desk, wanted)
        except ChangedMeanwhile as meanwhile:
            conflicts += 1
            held = meanwhile.theirs
        else:
            return conflicts


def _next(what: str, value: str) -> str:
    count = _count(what, value) + 1
    if what == "second_phone":
        return _phone(count)
    return f"{count} Mill Road" if what == "mailing_line" else f"Rose {count}"


def _count(what: str, value: str) -> int:
    if what == "second_phone":
        return int(value[-7:])
    return int(value.split()[0] if what == "mailing_line" else value.split()[1])


def _phone(count: int) -> str:
    return f"620{count:07}"
