from dataclasses import replace
from datetime import UTC, date, datetime

from console.documents.authorizations import PhoneAuthorization, draw_member_copy, draw_proof
from console.domain.money import Money
from tests.documents.paper import COOP, HOSTILE, PAID_AT, PRINTED_AT, pages_of, text_of

SCRIPT = (
    "Today is 16 November 2026. You, Rose DeLong, authorize us to debit your bank account ending "
    "in 6789 once, for $184.10, on or after 17 November 2026.\n\nDo you agree?"
)
ONCE = PhoneAuthorization(
    **COOP,
    number="7K3M9-Q2X4T",
    member_name="Rose DeLong",
    bank_words="Account ending in 6789",
    script=SCRIPT,
    accepted_at=PAID_AT,
    read_by="Riley Osterholm",
    recurring=False,
    amount=Money(18410),
    debit_on=date(2026, 11, 17),
    shares=(("1023401", "418 County Road 12", Money(18410)),),
    recording="call 0817",
    notice_to="rose@example.org",
    mailing=("Rose DeLong", "PO Box 12", "Willow Bend, MN 55555"),
)


def flat(pdf):
    return " ".join(text_of(pdf).split())


def test_the_proof_says_what_was_agreed_to_and_how_we_know():
    text = flat(draw_proof(ONCE, PRINTED_AT))
    for words in (
        "Phone authorization",
        "Bank account Account ending in 6789",
        "Amount $184.10",
        "Debited On or after 17 Nov 2026",
        "How often Once",
        "For account 1023401, 418 County Road 12",
        " ".join(SCRIPT.split()),
        "Authorized 16 Nov 2026 10:42",
        "Read out by Riley Osterholm",
        "Recording call 0817",
        "Written copy sent to rose@example.org",
        "Kept Until 16 Nov 2028 at least",
    ):
        assert words in text, words


def test_the_members_copy_is_a_letter_with_the_way_to_revoke_it():
    pdf = draw_member_copy(ONCE, PRINTED_AT)
    text = flat(pdf)
    assert len(pages_of(pdf)) == 1
    assert "ROSE DELONG PO BOX 12 WILLOW BEND, MN 55555" in text
    assert " ".join(SCRIPT.split()) in text
    assert "revoke this authorization before the debit is made: call 555-0142" in text
    # What only the office needs is not the member's to read.
    assert "call 0817" not in text


def test_a_recurring_one_is_kept_until_two_years_after_it_is_revoked():
    recurring = replace(
        ONCE,
        recurring=True,
        amount=None,
        amount_words="the amount due on each bill",
        debit_on=None,
        when_words="on the due date of each bill",
    )
    text = flat(draw_proof(recurring))
    assert "Amount the amount due on each bill" in text
    assert "Debited on the due date of each bill" in text
    assert "Kept Until two years after it is revoked" in text
    assert "You can end this authorization at any time" in flat(draw_member_copy(recurring))
    revoked = replace(recurring, revoked_at=datetime(2028, 2, 29, 18, tzinfo=UTC))
    text = flat(draw_proof(revoked))
    assert "REVOKED" in text
    assert "Kept Until 1 Mar 2030 at least" in text


def test_several_accounts_stand_in_a_table_with_their_sum():
    several = replace(
        ONCE,
        amount=Money(20000),
        shares=(("1023401", "", Money(18410)), ("1023402", "9 Mill Road", Money(1590))),
    )
    text = flat(draw_proof(several))
    assert "1023401 $184.10" in text
    assert "1023402 9 Mill Road $15.90" in text
    assert "Total $200.00" in text


def test_a_script_of_several_pages_is_printed_whole():
    long = "\n".join(f"Sentence {index} of a long script." for index in range(120))
    pages = pages_of(draw_proof(replace(ONCE, script=long)))
    assert len(pages) > 2
    assert all(f"Sentence {index} of" in "\n".join(pages) for index in range(120))


def test_hostile_words_stay_words():
    for name in HOSTILE.values():
        hostile = replace(ONCE, member_name=name, script=name, bank_words=name, mailing=(name,) * 9)
        assert len(pages_of(draw_proof(hostile))) <= 6
        assert len(pages_of(draw_member_copy(hostile))) <= 6
