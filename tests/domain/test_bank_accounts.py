import pytest

from console.domain.bank_accounts import BadAccountNumber, check_account_number, in_threes


@pytest.mark.parametrize(
    ("typed", "digits"),
    [("000123456789", "000123456789"), (" 0001 2345-6789 ", "000123456789"), ("1234", "1234")],
)
def test_an_account_number_is_its_digits(typed, digits):
    assert check_account_number(typed) == digits


@pytest.mark.parametrize("typed", ["", "123", "1" * 18, "12a4", "١٢٣٤٥", "0000", "²²²²", "12.34"])
def test_what_is_no_account_number_is_refused_with_what_to_do(typed):
    with pytest.raises(BadAccountNumber, match=r"number again|foot of a cheque"):
        check_account_number(typed)


def test_it_is_read_back_in_threes():
    assert in_threes("0001-234 567") == "000  123  456  7"
