from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from sqlalchemy import func, select

from console.domain.errors import ConsoleError
from console.domain.ledger import LedgerKind
from console.domain.members import AccountStatus, AlertKind
from console.domain.registration import CaseKind, Outcome, RegistrationState, place
from console.models import search
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.bulk import count
from console.models.ledger import LedgerEntry
from console.models.members import Alert, Holder, Member
from console.models.registration import Registration, RegistrationAttempt
from console.models.staff import Staff
from console.models.verification import Delivery
from console.sandbox import demo, demo_members
from console.sandbox.demo_portal import Registrant, misspelt
from console.sandbox.rules import MatchRule, numerals, same_name
from console.services import search as look_up

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
MANY = 4000


def made(members: int = 300, seed: int = 1, **other: float) -> list[dict[str, list[tuple]]]:
    return [vars(part) for part in demo_members.parts(members, seed, NOW, **other)]


@pytest.fixture(scope="module")
def crowd() -> dict[str, list[dict[str, object]]]:
    """Four thousand members, each row with the names of its columns."""
    part = next(demo_members.parts(MANY, 5, NOW))
    return {
        "members": [
            dict(zip(demo_members.MEMBER_COLUMNS, row, strict=True)) for row in part.members
        ],
        "accounts": [
            dict(zip(demo_members.ACCOUNT_COLUMNS, row, strict=True)) for row in part.accounts
        ],
        "holders": part.holders,
        "former_names": part.former_names,
        "former_addresses": part.former_addresses,
        "alerts": part.alerts,
    }


def _named(columns: tuple[str, ...], rows: list[tuple]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_the_same_seed_makes_the_same_coop() -> None:
    assert made() == made()
    assert made(seed=2) != made()


def test_a_smaller_coop_begins_like_a_larger_one() -> None:
    few, more = made(30)[0]["members"], made(300)[0]["members"]
    assert [row[3] for row in few] == [row[3] for row in more[:30]]


def test_members_are_made_part_by_part_however_many_there_are() -> None:
    first = next(demo_members.parts(demo.MOST_MEMBERS, 1, NOW))
    assert len(first.members) == demo_members.PART


@pytest.mark.parametrize("members", [1, demo_members.PART, demo_members.PART + 1])
def test_each_member_is_made_once(members: int) -> None:
    ids = [row[0] for part in made(members, tried=0.0) for row in part["members"]]
    assert ids == list(range(1, members + 1))


def test_the_register_is_as_uneven_as_a_real_one(crowd) -> None:
    people = [one for one in crowd["members"] if not one["is_business"]]
    names = [str(one["name"]) for one in people]
    assert 0.06 < 1 - len(people) / MANY < 0.10
    assert 1.2 < len(crowd["accounts"]) / MANY < 1.4
    assert 0.31 < len(crowd["holders"]) / MANY < 0.39
    assert 0.005 < sum(" & " in name for name in names) / len(names) < 0.02
    assert sum(name.endswith((" Jr", " Jr.", " Sr", "II")) for name in names) / len(names) > 0.01
    assert 0.03 < sum(name.isupper() for name in names) / len(names) < 0.08
    assert any(not name.isascii() for name in names)
    assert any("'" in name for name in names)
    assert any("-" in name for name in names)
    assert any(name != name.strip() for name in names)
    firms = [str(one["name"]) for one in crowd["members"] if one["is_business"]]
    assert any(firm.endswith(("LLC", "Inc", "Inc.", "Co", "Co.", "Corp")) for firm in firms)
    assert sum(len(firm) == 20 for firm in firms) > 3, "the old system cut some off"
    assert crowd["former_names"]
    assert crowd["former_addresses"]
    commonest = Counter(names).most_common(1)[0][1]
    assert 3 <= commonest <= 40, "some surnames are common, none is everywhere"
    assert len(set(names)) > len(names) / 2


def test_account_numbers_are_the_printed_ones_without_their_point(crowd) -> None:
    numbers = [str(one["number"]) for one in crowd["accounts"]]
    assert len(set(numbers)) == len(numbers)
    for one in crowd["accounts"]:
        assert numerals(str(one["printed_number"]), point_allowed=True) == one["number"]
        assert str(one["printed_number"])[-3] == "."
    meters = [one["meter_number"] for one in crowd["accounts"]]
    assert len(set(meters)) == len(meters)


def test_nobody_real_can_be_called_or_written_to(crowd) -> None:
    for one in crowd["members"]:
        assert len(one["phone"]) == 10
        assert one["phone"].isdigit()
        assert one["phone"][1] == "9", "no area code with a nine in the middle is anybody's"
        if one["email"]:
            domain = one["email"].rpartition("@")[2]
            assert domain.endswith(".example") or domain.startswith("example.")
    assert len({one["phone"] for one in crowd["members"]}) > MANY * 0.95
    assert len({one["phone"][3:6] for one in crowd["members"]}) > 50


def test_dates_and_money_fit_together(crowd) -> None:
    today = NOW.date()
    warned = {row[0] for row in crowd["alerts"] if row[1] is AlertKind.DISCONNECT_PENDING}
    cut_off = {one["member_id"] for one in crowd["accounts"] if one["disconnect_on"]}
    assert cut_off
    assert warned == cut_off
    for one in crowd["accounts"]:
        assert one["last_payment_on"] < one["last_bill_on"] < today
        assert one["due_on"] > one["last_bill_on"]
        assert one["opened_at"] < NOW
        assert one["past_due"] <= one["balance"]
        assert (one["status"] is AccountStatus.CLOSED) == (one["closed_at"] is not None)
        if one["disconnect_on"]:
            assert one["disconnect_on"] > today
            assert one["past_due"].cents > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DeLong", "Rose"),
        ("O'Brien", "Declan"),
        ("Núñez", ""),
        ("Smith-Jones", "Zoë"),
        ("Harold & June Whitcomb", ""),
        ("Northern Lakes Veter", ""),
        ("Vu", "Mai"),
        ("SMITH", "ANN"),
        ("St. Clair Jr.", "Al"),
        ("Haugen ", "Nils"),
        ("De  Long", "Rose"),
    ],
)
def test_what_is_misspelt_is_refused(name: str, given: str) -> None:
    who = Registrant("1023401", "10234.01", name, given, "Tveit", "rose@example.com")
    maker = demo_members.Maker(1, NOW, 10, 0.0)
    typed = {misspelt(maker.chance, who) for _ in range(300)}
    assert len(typed) > 3
    for one in typed:
        assert one.strip()
        assert not same_name(one, name, MatchRule.IGNORE_CASE), one


def test_what_happened_at_the_portal_could_have_happened() -> None:
    part = next(demo_members.parts(800, 3, NOW, tried=1.0))
    names = {row[0]: row[3] for row in part.members}
    filed = {row[0]: names[row[2]] for row in part.accounts}
    attempts = list(chain.from_iterable(one.attempts for one in part.pasts))
    assert {one.outcome for one in attempts} == {
        Outcome.NAME_MISMATCH, Outcome.ACCOUNT_NOT_FOUND, Outcome.REGISTERED
    }  # fmt: skip
    for one in attempts:
        assert one.at < NOW
        number = numerals(one.account_number, point_allowed=False)
        if one.outcome is Outcome.ACCOUNT_NOT_FOUND:
            assert number not in filed
        else:
            same = same_name(one.name, filed[one.account_number], MatchRule.IGNORE_CASE)
            assert same == (one.outcome is Outcome.REGISTERED)
    for past in part.pasts:
        assert list(past.attempts) == sorted(past.attempts, key=lambda one: one.at)
        for report in past.registration.deliveries if past.registration else ():
            assert report.at <= NOW


def test_a_coop_fills_either_database_and_can_be_searched(records) -> None:
    told: list[tuple[str, int, int]] = []
    made = demo.create(records, 400, 7, NOW, lambda *said: told.append(said))
    assert made["members"] == count(records, Member) == 400
    assert made["accounts"] == count(records, Account)
    assert told[0] == ("Making members", 400, 400)
    assert search.is_current(records)
    with records.read() as db:
        member = db.get_one(Member, 123)
        account = db.scalars(select(Account).where(Account.member_id == 123)).first()
        assert account is not None
        for query in (account.number, account.meter_number, member.phone):
            hits = look_up.find_in(records, query).hits
            assert hits[0].member_number == member.number, query
        assert db.scalars(select(Staff)).all()
        assert db.scalars(select(Holder)).first() is not None
        assert db.scalars(select(Alert)).first() is not None


def test_the_places_in_the_worklist_are_those_the_console_would_find(records) -> None:
    demo.create(records, 900, 8, NOW)
    with records.read() as db:
        last: dict[int, RegistrationAttempt] = {}
        for attempt in db.scalars(select(RegistrationAttempt).order_by(RegistrationAttempt.at)):
            last[attempt.registration_id] = attempt
        report: dict[int, Delivery] = {}
        for one in db.scalars(select(Delivery).order_by(Delivery.at)):
            report[one.registration_id] = one
        found = db.scalars(select(Registration)).all()
        assert {one.kind for one in found} >= {CaseKind.REFUSED, CaseKind.WAITING, CaseKind.SOLVED}
        for one in found:
            delivery = report.get(one.id)
            status = delivery.status if delivery else None
            assert one.kind is place(one.state, last[one.id].outcome, status, one.expires_at, NOW)
            assert one.since <= NOW
            waits = one.state is RegistrationState.AWAITING_VERIFICATION
            assert (one.expires_at is not None) == waits
            assert one.attempts >= 1


def test_members_added_later_get_numbers_of_their_own(records) -> None:
    demo.create(records, 40, 1, NOW)
    with records.begin() as db:
        late = Member(number="M1", name="Late", since=NOW)
        db.add(late)
        db.flush()
        assert late.id == 41
        stuck = Registration(account_digits="99", kind=CaseKind.REFUSED, since=NOW)
        db.add(stuck)
        db.flush()


def test_every_account_has_a_ledger_that_adds_up_to_its_balance(records) -> None:
    demo.create(records, 300, 3, NOW)
    summed = select(LedgerEntry.account_number, func.sum(LedgerEntry.amount)).group_by(
        LedgerEntry.account_number
    )
    with records.read() as db:
        of_ledger = {number: cents for number, cents in db.execute(summed)}  # noqa: C416
        accounts = db.scalars(select(Account)).all()
        kinds = set(db.scalars(select(LedgerEntry.kind)))
        followed = db.scalars(select(AuditEntry).where(AuditEntry.subject != "")).all()
    assert of_ledger == {one.number: one.balance for one in accounts}
    assert len({one.balance for one in accounts}) > 100
    assert kinds == {LedgerKind.OPENING, LedgerKind.BILL, LedgerKind.PAYMENT}
    assert followed == []


def test_a_database_with_members_is_left_alone(records) -> None:
    demo.create(records, 5, 1, NOW)
    with pytest.raises(demo.NotEmpty, match="already holds members"):
        demo.create(records, 5, 2, NOW)
    assert count(records, Member) == 5


@pytest.mark.parametrize("members", [0, -1, demo.MOST_MEMBERS + 1])
def test_a_size_that_cannot_be_made(records, members: int) -> None:
    with pytest.raises(ConsoleError, match="Choose between 1 and"):
        demo.create(records, members, 1, NOW)


def test_more_of_them_have_tried_when_that_is_wanted() -> None:
    few = sum(len(part["pasts"]) for part in made(500, tried=0.02))
    many = sum(len(part["pasts"]) for part in made(500, tried=0.5))
    assert few < 40 < 200 < many


def test_everything_at_the_portal_is_recent() -> None:
    part = next(demo_members.parts(500, 4, NOW, tried=1.0))
    oldest = min(one.attempts[0].at for one in part.pasts)
    assert NOW - oldest < timedelta(days=40)
