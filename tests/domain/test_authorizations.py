"""What a caller hears before a bank account is debited: nothing missing, nothing unmasked."""

from dataclasses import replace
from datetime import date

import pytest

from console.domain.authorizations import (
    Debit,
    NothingToRead,
    Recurring,
    phone_authorization,
    sentences,
)
from console.domain.money import Money

DEBIT = Debit(
    coop="Cedar Fork Electric Cooperative",
    phone="6205550100",
    name="Rose DeLong",
    account_numbers=("1023401",),
    last_four="6789",
    savings=False,
    on_or_after=date(2026, 11, 25),
    today=date(2026, 11, 23),
)


def test_one_debit_is_read_out_whole():
    assert phone_authorization(DEBIT, Money(14210)).splitlines() == [
        "Today is November 23, 2026.",
        "You, Rose DeLong, authorize Cedar Fork Electric Cooperative to make one electronic debit, "
        "an ACH debit, of $142.10 from your checking account ending in 6789.",
        "It is made on or after November 25, 2026, and this one time only.",
        "It pays your electric account 1023401.",
        "If you have a question, call Cedar Fork Electric Cooperative at (620) 555-0100 during "
        "business hours.",
        "To revoke this, call Cedar Fork Electric Cooperative at (620) 555-0100 before "
        "November 25, 2026.",
        "Rose DeLong, do you authorize this? Please say yes or no.",
    ]


@pytest.mark.parametrize(
    ("amount", "recurring", "said"),
    [
        (
            None,
            Recurring(),
            "They are for the amount due on each bill.\nThey are made when each bill is due, which "
            "is once a month, the first one on or after November 25, 2026, until you revoke this.",
        ),
        (
            None,
            Recurring(15, Money(30000)),
            "They are for the amount due on each bill, and never more than $300.00 at a time.\n"
            "They are made once a month, on the 15th day of the month, the first one on or after",
        ),
        (Money(9000), Recurring(1), "They are for $90.00 each time.\nThey are made once a month, "
         "on the 1st day of the month"),
        (Money(9000), Recurring(22), "on the 22nd day of the month"),
        (Money(9000), Recurring(3), "on the 3rd day of the month"),
        (Money(9000), Recurring(12), "on the 12th day of the month"),
    ],
)  # fmt: skip
def test_recurring_debits_say_how_much_when_and_until_when(amount, recurring, said):
    script = phone_authorization(DEBIT, amount, recurring)
    assert said in script
    assert "recurring electronic debits, ACH debits, from your checking account" in script
    assert "You will get a written copy" in script
    assert "at least 3 business days before the next debit" in script


def test_no_more_of_the_bank_account_is_said_than_its_last_four_digits():
    script = phone_authorization(replace(DEBIT, last_four="000123456789", savings=True), Money(1))
    assert "your savings account ending in 6789." in script
    assert "00012345" not in script


def test_several_accounts_are_named():
    script = phone_authorization(
        replace(DEBIT, account_numbers=("1023401", "1023402", "1023403")), Money(1)
    )
    assert "It pays your electric accounts 1023401, 1023402 and 1023403." in script


def test_a_debit_of_today_is_revoked_today():
    today = replace(DEBIT, on_or_after=DEBIT.today)
    assert "today, before the debit is sent to your bank." in phone_authorization(today, Money(1))


@pytest.mark.parametrize(
    ("changed", "amount", "recurring", "said"),
    [
        ({"phone": " "}, Money(1), None, "phone number is not set"),
        ({"name": ""}, Money(1), None, "name on the bank account"),
        ({"account_numbers": ()}, Money(1), None, "at least one account"),
        ({"last_four": "678"}, Money(1), None, "at least four digits"),
        ({"last_four": "٦٧٨٩"}, Money(1), None, "at least four digits"),
        ({"on_or_after": date(2026, 11, 22)}, Money(1), None, "day of the debit is over"),
        ({}, None, None, "Type the amount"),
        ({}, Money(0), None, "above zero"),
        ({}, None, Recurring(29), "from 1 to 28"),
    ],
)
def test_what_is_missing_is_asked_for(changed, amount, recurring, said):
    with pytest.raises(NothingToRead, match=said):
        sentences(replace(DEBIT, **changed), amount, recurring)
