import pytest

from console.domain.contact import (
    BadContact,
    Contact,
    changed_fields,
    clean_contact,
    in_a_sentence,
)

FILED = Contact("rose@example.org", "6205550147", "", "PO Box 12", "Cedar Fork", "KS", "66999")


def test_details_are_tidied_as_they_go_on_file():
    typed = Contact(
        " Rose@Example.ORG ", "620.555.0147", "", " PO  Box 12", "Cedar Fork ", "ks", "66999"
    )
    assert clean_contact(typed) == Contact(
        "Rose@example.org", "6205550147", "", "PO Box 12", "Cedar Fork", "KS", "66999"
    )


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("email", "rose.example.org", "no @"),
        ("phone", "555", "ten digits"),
        ("second_phone", "55501234", "ten digits"),
        ("mailing_state", "QQ", "no state QQ"),
        ("mailing_zip", "6699", "five digits"),
        ("mailing_zip", "66999-1", "five digits"),
        ("mailing_city", "", "city and state"),
        ("mailing_line", "4111 1111 1111 1111", "card number"),
    ],
)
def test_a_bad_detail_is_named(field, typed, said):
    with pytest.raises(BadContact, match=said) as caught:
        clean_contact(Contact(**{**FILED.as_fields(), field: typed}))
    assert caught.value.field == field


def test_somebody_must_stay_reachable():
    with pytest.raises(BadContact, match="at least one way"):
        clean_contact(Contact())
    assert clean_contact(Contact(phone="555-0147")).phone == "5550147"


def test_what_changed_is_named_as_staff_would():
    moved = Contact("rose@example.com", "6205550147", "", "9 Elm Street", "Salina", "KS", "67401")
    changed = changed_fields(FILED, moved)
    assert changed == ("email", "mailing_line", "mailing_city", "mailing_zip")
    assert in_a_sentence(changed) == "e-mail address and mailing address"
    assert in_a_sentence(("phone",)) == "phone"
    assert in_a_sentence(("email", "phone", "second_phone")) == (
        "e-mail address, phone and second phone"
    )
