import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.clients.portal import Portal
from console.domain.kinds import Kind
from console.domain.ledger import LedgerKind
from console.domain.members import AlertKind
from console.domain.money import Money
from console.domain.names import explain_among
from console.domain.registration import CaseKind, Outcome, RegistrationState
from console.domain.staff import Role
from console.domain.verification import DeliveryStatus
from console.models import schema, search
from console.models.accounts import Account
from console.models.base import Records
from console.models.bulk import count
from console.models.ledger import LedgerEntry, entries_of
from console.models.members import Alert, FormerName, Holder, Member
from console.models.registration import Registration, RegistrationAttempt
from console.models.staff import Staff
from console.models.verification import Delivery
from console.sandbox import portal, training
from console.services import polling
from console.services.desk import Colleague, Desk
from console.settings import Settings

NOW = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
RILEY = Colleague("riley", "Riley Osterholm", Role.REPRESENTATIVE)


@dataclass
class Coop:
    """The training co-op as a console finds it once it has heard all that the portal has to say."""

    records: Records
    client: Portal
    told: int


@pytest.fixture(scope="module")
def coop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coop]:
    folder = tmp_path_factory.mktemp("training")
    training.create(folder, NOW)
    records = schema.open_records(training.database_url(folder))
    assert count(records, RegistrationAttempt) == 0, "the console hears of attempts by asking"
    with portal.running(folder / "portal.sqlite", clock=lambda: NOW) as site:
        client = Portal(site.url, site.token, "desk 1", deadline=10)
        desk = Desk(records, client, RILEY, Settings(), "desk 1", lambda: NOW)
        told = 0
        for _ in range(100):
            report = polling.poll(desk)
            assert report.reachable, report.words
            told += report.attempts
            if not report.attempts and not report.refreshed:
                break
        yield Coop(records, client, told)
        client.close()
    records.close()


def story(title: str) -> training.Story:
    return next(one for one in training.stories() if one.title == title)


def case(coop: Coop, title: str) -> Registration:
    with coop.records.read() as db:
        digits = story(title).account_number
        found = db.scalar(select(Registration).where(Registration.account_digits == digits))
        assert found is not None, title
        return found


def test_the_coop_is_whole(coop: Coop) -> None:
    assert count(coop.records, Member) == training.MEMBERS
    assert search.is_current(coop.records)
    assert coop.told == count(coop.records, RegistrationAttempt) > 80


def test_every_role_has_one_colleague_who_signs_in_with_a_click(coop: Coop) -> None:
    with coop.records.read() as db:
        staff = db.scalars(select(Staff)).all()
        assert {one.role for one in staff} == set(Role)
        assert len(staff) == len(Role)
        assert all(one.password_hash == "" for one in staff)


def test_every_story_leads_to_its_member(coop: Coop) -> None:
    stories = training.stories()
    assert len({one.title for one in stories}) == len(stories) >= 18
    with coop.records.read() as db:
        for one in stories:
            account = db.get_one(Account, one.account_number)
            assert account.member_id == one.member_id
            for words in (one.title, one.caller, one.says, one.learn):
                assert words == words.strip() != ""
            assert one.says.endswith((".", "?", "!"))
            assert one.learn.endswith((".", "?", "!"))


def test_every_story_has_its_icon() -> None:
    icons = {file.stem for file in Path("resources/icons").glob("*.svg")}
    assert {one.icon for one in training.stories()} <= icons


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("One name or two words", {Kind.SPACING}),
        ("The curly apostrophe", {Kind.PUNCTUATION}),
        ("A couple in the name field", {Kind.COUPLE}),
        ("A farm with its legal form", {Kind.LEGAL_FORM}),
        ("Cut off by the old system", {Kind.TRUNCATED}),
        ("The second holder calls", {Kind.OTHER_HOLDER}),
        ("The decimal point", set()),
        ("With and without the tilde", {Kind.ACCENT}),
        ("Something nobody sees", {Kind.HIDDEN_CHARACTER}),
        ("First and last name", {Kind.GIVEN_NAME}),
        ("Not who is on file", {Kind.DIFFERENT}),
    ],
)
def test_a_refusal_is_what_its_story_says(coop: Coop, title: str, kinds: set[Kind]) -> None:
    with coop.records.read() as db:
        member = db.get_one(Member, story(title).member_id)
        holders = [
            one.name for one in db.scalars(select(Holder).where(Holder.member_id == member.id))
        ]
        attempts = db.scalars(
            select(RegistrationAttempt).where(RegistrationAttempt.member_id == member.id)
        ).all()
    assert attempts
    for one in attempts:
        found = explain_among(one.name_typed, member.name, holders)
        assert set(found.kinds) - {Kind.CASE} == kinds, (one.name_typed, found.kinds)
        answer = coop.client.check_registration(one.account_typed, one.name_typed, staff="Riley")
        assert not answer.passes, "what was refused would be refused now"
        assert one.at < NOW
    assert case(coop, title).kind is CaseKind.REFUSED


def test_every_attempt_ended_as_the_portal_would_end_it_now(coop: Coop) -> None:
    with coop.records.read() as db:
        attempts = db.scalars(select(RegistrationAttempt)).all()
    seen = set()
    for one in attempts:
        answer = coop.client.check_registration(one.account_typed, one.name_typed, staff="Riley")
        seen.add(one.outcome)
        if one.outcome is Outcome.REGISTERED:
            # Only that they are in, or on their way, stands against it now.
            assert answer.reason in {"already_registered", "locked", ""} or answer.passes
        else:
            assert not answer.passes, (one.account_typed, one.name_typed)
    assert seen >= {
        Outcome.REGISTERED, Outcome.NAME_MISMATCH, Outcome.ACCOUNT_NOT_FOUND, Outcome.LOCKED
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "kind", "state"),
    [
        ("Waiting for the e-mail", CaseKind.WAITING, RegistrationState.AWAITING_VERIFICATION),
        ("A slip in the address", CaseKind.BOUNCED, RegistrationState.AWAITING_VERIFICATION),
        ("The mailbox is full", CaseKind.BOUNCED, RegistrationState.AWAITING_VERIFICATION),
        ("The link ran out", CaseKind.EXPIRED, RegistrationState.AWAITING_VERIFICATION),
        ("Locked out", CaseKind.LOCKED, RegistrationState.LOCKED),
        ("All is well", CaseKind.SOLVED, RegistrationState.VERIFIED),
    ],
)
def test_console_and_portal_agree_where_a_story_stands(
    coop: Coop, title: str, kind: CaseKind, state: RegistrationState
) -> None:
    found = case(coop, title)
    assert found.kind is kind
    told = coop.client.registration(story(title).account_number, staff="Riley")
    assert told.state is found.state is state
    assert told.email == found.email
    if title in ("A slip in the address", "The mailbox is full"):
        with coop.records.read() as db:
            last = db.scalars(
                select(Delivery).where(Delivery.registration_id == found.id).order_by(Delivery.at)
            ).all()[-1]
            assert last.status is DeliveryStatus.BOUNCED
            assert last.reason


def test_the_worklist_has_something_in_every_place(coop: Coop) -> None:
    with coop.records.read() as db:
        places = db.execute(
            select(Registration.kind, func.count()).group_by(Registration.kind)
        ).all()
    assert {kind for kind, _ in places} == set(CaseKind)
    assert sum(number for _, number in places) > 60


def test_there_is_a_member_for_everything_else_to_be_seen(coop: Coop) -> None:
    with coop.records.read() as db:
        alerts = {row.member_id: set() for row in db.execute(select(Alert.member_id).distinct())}
        for one in db.scalars(select(Alert)):
            alerts[one.member_id].add(one.kind)
        grave = alerts[story("A life on the line").member_id]
        assert grave == {AlertKind.MEDICAL_NECESSITY, AlertKind.DISCONNECT_PENDING}
        assert alerts[story("No cheques, please").member_id] == {AlertKind.NO_CHEQUES}
        assert AlertKind.DECEASED in alerts[story("Not who is on file").member_id]
        farm = story("A farm with its legal form").member_id
        assert len(db.scalars(select(Account).where(Account.member_id == farm)).all()) == 3
        renamed = story("All is well").member_id
        assert db.scalar(select(FormerName.name).where(FormerName.member_id == renamed)) == "Holm"


def test_the_portal_knows_every_open_account_by_the_name_on_file(coop: Coop) -> None:
    with coop.records.read() as db:
        rows = db.execute(
            select(Account.number, Member.name, Account.closed_at)
            .join(Member, Member.id == Account.member_id)
            .where(Account.number.not_in(select(Registration.account_digits)))
            .limit(60)
        ).all()
    for number, name, closed in rows:
        answer = coop.client.check_registration(number, name, staff="Riley")
        assert answer.passes == (closed is None), (number, name)


def made_at(folder: Path) -> str:
    return str(json.loads((folder / "training.json").read_text())["made_at"])


def test_one_that_is_there_stays_unless_it_is_wanted_afresh(tmp_path: Path) -> None:
    assert not training.is_there(tmp_path)
    training.create(tmp_path, NOW, afresh=False)
    assert training.is_there(tmp_path)
    later = NOW + timedelta(days=3)
    training.create(tmp_path, later, afresh=False)
    assert made_at(tmp_path) == NOW.isoformat()
    (tmp_path / "mailbox.sqlite").write_bytes(b"letters of last week")
    training.create(tmp_path, later)
    assert made_at(tmp_path) == later.isoformat()
    assert not (tmp_path / "mailbox.sqlite").exists()


@pytest.mark.parametrize("about", ['{"edition": "0"}', "[]", "", "{", '{"edition": 3}'])
def test_one_of_another_edition_is_made_afresh(tmp_path: Path, about: str) -> None:
    training.create(tmp_path, NOW)
    (tmp_path / "training.json").write_text(about)
    assert not training.is_there(tmp_path)


def test_what_an_interrupted_setup_left_is_no_hindrance(tmp_path: Path) -> None:
    half = tmp_path / "being-made"
    half.mkdir()
    (half / "training.db").write_bytes(b"SQLite format 3\0 and no more")
    training.create(tmp_path, NOW)
    assert training.is_there(tmp_path)
    assert not half.exists()
    records = schema.open_records(training.database_url(tmp_path))
    assert count(records, Member) == training.MEMBERS
    records.close()


def test_two_consoles_that_start_at_once_make_one_coop(tmp_path: Path) -> None:
    moments = [NOW, NOW + timedelta(hours=1)]
    trouble: list[BaseException] = []

    def start(at: datetime) -> None:
        try:
            training.create(tmp_path, at, afresh=False)
        except BaseException as error:  # a thread's own failure would only be printed
            trouble.append(error)

    consoles = [threading.Thread(target=start, args=(at,)) for at in moments]
    for one in consoles:
        one.start()
    for one in consoles:
        one.join()
    assert trouble == []
    assert made_at(tmp_path) in {at.isoformat() for at in moments}
    records = schema.open_records(training.database_url(tmp_path))
    assert count(records, Member) == training.MEMBERS
    records.close()


def test_every_balance_is_the_sum_of_its_ledger(coop: Coop) -> None:
    with coop.records.read() as db:
        summed = select(LedgerEntry.account_number, func.sum(LedgerEntry.amount)).group_by(
            LedgerEntry.account_number
        )
        of_ledger = {number: cents for number, cents in db.execute(summed)}  # noqa: C416
        on_file = {one.number: one.balance for one in db.scalars(select(Account))}
    assert of_ledger == on_file


def test_a_storys_ledger_goes_back_a_year_and_ends_with_what_is_on_file(coop: Coop) -> None:
    with coop.records.read() as db:
        for one in training.stories():
            account = db.get_one(Account, one.account_number)
            lines = list(reversed(entries_of(db, one.account_number, 99)))
            bills = [line for line in lines if line.kind is LedgerKind.BILL]
            paid = [line for line in lines if line.kind is LedgerKind.PAYMENT]
            assert lines[0].kind is LedgerKind.OPENING
            assert lines[0].amount == Money(0)
            assert [line.day for line in lines] == sorted(line.day for line in lines)
            assert len(bills) == 12
            assert (bills[-1].amount, bills[-1].day) == (account.last_bill, account.last_bill_on)
            assert -paid[-1].amount == account.last_payment
            assert paid[-1].day == account.last_payment_on
            assert all(line.amount > Money(0) for line in bills)
            assert all(line.amount < Money(0) for line in paid)
            assert len(paid) >= 9
            assert account.past_due <= account.balance
            assert {line.source_id for line in lines} == {""}


def test_who_is_past_due_left_bills_unpaid(coop: Coop) -> None:
    with coop.records.read() as db:
        late = db.scalars(
            select(Account.number).where(
                Account.past_due > Money(0),
                Account.number.in_([one.account_number for one in training.stories()]),
            )
        ).all()
        assert len(late) >= 2
        for number in late:
            months = [line.kind for line in entries_of(db, number, 99)]
            owed = db.get_one(Account, number)
            assert owed.balance - owed.past_due == owed.last_bill
            assert months.count(LedgerKind.PAYMENT) <= months.count(LedgerKind.BILL) - 1


def test_the_stories_are_plain_text() -> None:
    for one in training.stories():
        assert not any(mark in f"{one.says}{one.learn}{one.title}" for mark in "<>&*_#`")
