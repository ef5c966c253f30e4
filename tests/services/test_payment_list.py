"""The list of payments: filters that fit, sums that add up, and an export that is safe to open."""

import csv
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import update

from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, receipt_number
from console.models.members import Member
from console.services import charging, payment_list
from console.services.payment_list import Asked, MayNotExport, NotExported, Standing
from tests.gateways import client, pay_on, till  # noqa: F401  # fixtures
from tests.office import SUE, trail
from tests.payments.office import NUMBERS, found

TODAY = date(2026, 11, 23)


@pytest.fixture
def office(records, clock, client):  # noqa: F811
    return found(records, clock, client)


@pytest.fixture
def day(office):
    """A cheque, a card that was taken, one that was declined, and a pay link that is open."""
    made = {"cheque": office.press(PaymentWay.CHEQUE, shares=((NUMBERS[2], Money(8410)),))}
    office.desk.now.advance(seconds=1)
    made["card"] = office.press(shares=((NUMBERS[0], Money(1000)), (NUMBERS[1], Money(234))))
    charging.make_round(office.courier)
    made["declined"] = office.press(card="declined")
    charging.make_round(office.courier)
    office.desk.now.advance(days=1)
    made["link"] = office.press(PaymentWay.LINK)
    return {name: one.id for name, one in made.items()}


def names(office, day, **asked):
    known = {id: name for name, id in day.items()}
    return [known[row.id] for row in payment_list.page(office.desk, Asked(**asked)).rows]


def test_all_are_listed_the_newest_first_and_what_was_paid_is_added_up(office, day):
    page = payment_list.page(office.desk, Asked())
    assert page.rows[0].id == day["link"]
    assert (page.count, page.paid, page.paid_sum) == (4, 2, Money(9644))
    assert payment_list.page(office.desk, Asked(), most=1).count == 4


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"way": PaymentWay.CHEQUE}, {"cheque"}),
        ({"standing": Standing.PAID}, {"cheque", "card"}),
        ({"standing": Standing.DECLINED}, {"declined"}),
        ({"standing": Standing.OPEN}, {"link"}),
        ({"standing": Standing.NOT_SENT}, set()),
        ({"staff": "pat"}, {"cheque", "card", "declined", "link"}),
        ({"staff": "sam"}, set()),
        ({"first": TODAY, "last": TODAY}, {"cheque", "card", "declined"}),
        ({"first": date(2026, 11, 24)}, {"link"}),
        ({"last": date(2026, 11, 22)}, set()),
        ({"text": "delong rose"}, {"cheque", "card", "declined", "link"}),
        ({"text": "ruiz"}, set()),
        ({"text": "%"}, set()),
        ({"text": "1023403"}, {"cheque"}),
        ({"text": "10234.03"}, {"cheque"}),
        ({"text": "84.10"}, {"cheque"}),
        ({"text": "$84.10", "way": PaymentWay.CASH}, set()),
        ({"text": "12.34"}, {"card"}),
        ({"text": "2.34"}, {"card"}),
    ],
)
def test_the_list_is_narrowed(office, day, asked, expected):
    assert set(names(office, day, **asked)) == expected


def test_a_receipt_number_is_found_however_it_is_read_out(office, day):
    number = receipt_number(day["card"])
    for typed in (number, number.lower(), number.replace("-", ""), number.replace("0", "O")):
        assert names(office, day, text=typed) == ["card"]


def test_what_is_open_is_listed_until_it_is_known(office, day):
    (row,) = payment_list.open_now(office.desk)
    assert (row.id, row.standing, row.accounts) == (day["link"], Standing.OPEN, (NUMBERS[0],))
    charging.make_round(office.courier)
    (row,) = payment_list.open_now(office.desk)
    assert "page is open" in row.words
    pay_on(office.status(day["link"]).page_url)
    office.desk.now.advance(minutes=1)
    charging.make_round(office.courier)
    assert payment_list.open_now(office.desk) == ()
    assert office.status(day["link"]).state is PaymentState.CHARGED


def test_the_export_holds_every_line_and_runs_nothing(office, day, tmp_path):
    with office.records.begin() as db:
        db.execute(update(Member).values(given_names="=cmd()"))
    sue = replace(office.desk, colleague=SUE)
    file = tmp_path / "payments.csv"
    assert payment_list.export(sue, Asked(standing=Standing.PAID), file) == 2
    with file.open(encoding="utf-8-sig", newline="") as out:
        lines = list(csv.DictReader(out))
    assert [line["amount"] for line in lines] == ["12.34", "84.10"]
    assert lines[0]["accounts"] == "1023401 1023402"
    assert lines[0]["receipt"] == receipt_number(day["card"])
    assert lines[0]["asked"].startswith("2026-11-23 10:42")
    assert all(line["member"].startswith("'=") for line in lines)
    assert trail(sue)[-1] == "payments:exported"


def test_a_long_list_is_exported_whole(office, day, tmp_path, monkeypatch):
    monkeypatch.setattr(payment_list, "_PART", 1)
    sue = replace(office.desk, colleague=SUE)
    assert payment_list.export(sue, Asked(), tmp_path / "payments.csv") == 4


def test_a_representative_exports_nothing_and_a_bad_folder_is_said(office, day, tmp_path):
    with pytest.raises(MayNotExport, match="Ask one of them"):
        payment_list.export(office.desk, Asked(), tmp_path / "payments.csv")
    sue = replace(office.desk, colleague=SUE)
    with pytest.raises(NotExported, match="Choose another folder"):
        payment_list.export(sue, Asked(), tmp_path / "nowhere" / "payments.csv")
    assert "payments:exported" not in trail(sue)
