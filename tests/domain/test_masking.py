import pytest

from console.domain.masking import hide, mask_email, mask_phone


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rose@example.org", "r…@example.org"),
        ("r@example.org", "r…@example.org"),
        ("@example.org", "…@example.org"),
        ("rose", "•••"),
        ("", ""),
    ],
)
def test_an_address_shows_where_it_is_and_not_whose(address, shown):
    assert mask_email(address) == shown


@pytest.mark.parametrize(
    ("digits", "shown"),
    [("6205550147", "•••-•••-0147"), ("5550147", "•••-•••-0147"), ("0147", "•••"), ("", "")],
)
def test_a_phone_shows_its_last_four(digits, shown):
    assert mask_phone(digits) == shown


def test_what_is_hidden_is_still_known_to_be_there():
    assert (hide("14 Mill Road"), hide("")) == ("•••", "")
