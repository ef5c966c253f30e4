import pytest

from console.documents.receipts import draw_receipt
from console.domain.money import Money
from console.domain.receipts import ReceiptLine, receipt_words
from tests.documents.paper import PRINTED_AT, dots_of, pages_of, receipt, text_of


def test_a_receipt_says_who_paid_what_how_and_when():
    text = text_of(draw_receipt(receipt(), PRINTED_AT))
    for words in (
        "Receipt",
        "7K3M9-Q2X4T",
        "Rose DeLong",
        "16 Nov 2026 10:42",
        "Card, Visa ending in 4242",
        "Riley Osterholm",
        "1023401",
        "418 County Road 12, Willow Bend",
        "Total paid $184.10",
        "$0.00",
        "Questions? Call 555-0142",
    ):
        assert words in text, words
    assert "Handed over" not in text
    assert "Change" not in text


def test_cash_says_what_was_handed_over_and_given_back():
    text = text_of(
        draw_receipt(
            receipt(way_words="Cash", method_words="", tendered=Money(20000), change=Money(1590))
        )
    )
    assert "Paid with Cash" in text
    assert "Handed over $200.00" in text
    assert "Change given $15.90" in text


def test_several_accounts_add_up_to_the_cent_on_a_second_page():
    lines = tuple(
        ReceiptLine(str(1_000_000 + index), f"{index} Mill Road", Money(10_001 + index), Money(0))
        for index in range(45)
    )
    pages = pages_of(draw_receipt(receipt(*lines)))
    assert len(pages) == 2
    total = Money(sum(10_001 + index for index in range(45)))
    assert str(total) == "$4,510.35"
    assert "Total paid $4,510.35" in pages[-1]
    for line in lines:
        assert sum(f"{line.account} {line.service_address} {line.amount}" in page for page in pages)


def test_lines_that_do_not_add_up_are_never_printed():
    with pytest.raises(ValueError, match="add up"):
        receipt(amount=Money(18411))


def test_a_credit_is_called_so():
    line = ReceiptLine("1023401", "418 County Road 12", Money(5000), Money(-1250))
    assert "$12.50 credit" in text_of(draw_receipt(receipt(line)))
    assert "balance after this payment $12.50 credit" in receipt_words(receipt(line))


@pytest.mark.parametrize("stands", ["VOID", "RETURNED", "REFUNDED"])
def test_what_no_longer_counts_is_marked_in_red(stands):
    pdf = draw_receipt(receipt(stands=stands))
    text = text_of(pdf)
    assert text.count(stands) >= 3  # beside the title, in a sentence, and at the foot
    assert "no longer counts" in text
    assert "Thank you" not in text
    assert "no longer counts" in receipt_words(receipt(stands=stands))
    assert dots_of(pdf).tobytes() != dots_of(draw_receipt(receipt())).tobytes()


def test_a_bank_debit_says_that_it_can_still_come_back():
    open_debit = receipt(settled=False, way_words="Bank account", method_words="")
    assert "has not settled this payment yet" in text_of(draw_receipt(open_debit))
    assert "has not settled this payment yet" in receipt_words(open_debit)
    assert "settled" not in text_of(draw_receipt(receipt()))
    assert "settled" not in receipt_words(receipt())


def test_a_receipt_is_read_out_in_whole_sentences():
    assert receipt_words(receipt()) == (
        "Receipt 7K3M9-Q2X4T.\n"
        "Prairie Fork Electric Cooperative received $184.10 from Rose DeLong on 16 Nov 2026 at "
        "10:42. Paid with: Card, Visa ending in 4242.\n"
        "Account 1023401, 418 County Road 12, Willow Bend: balance after this payment $0.00.\n"
        "Questions? Call 555-0142."
    )


def test_several_accounts_are_read_out_with_their_shares():
    said = receipt_words(
        receipt(
            ReceiptLine("1023401", "", Money(10000), Money(0)),
            ReceiptLine("1023402", "9 Mill Road", Money(2525)),
            way_words="Cash",
            method_words="",
            tendered=Money(13000),
            change=Money(475),
        )
    )
    assert "received $125.25" in said
    assert "Handed over: $130.00. Change: $4.75." in said
    assert "Account 1023401: $100.00 paid, balance after this payment $0.00." in said
    assert "Account 1023402, 9 Mill Road: $25.25 paid." in said
