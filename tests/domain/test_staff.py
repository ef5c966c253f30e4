import pytest

from console.domain.staff import (
    BadLogin,
    BadPassword,
    Role,
    check_login,
    check_password,
    login_from,
)


def test_one_role_looks_after_the_staff():
    assert [role for role in Role if role.looks_after_staff] == [Role.ADMINISTRATOR]


@pytest.mark.parametrize(
    ("name", "login"),
    [
        ("Mary Ruiz", "mary.ruiz"),
        ("  Zoë  van der Berg ", "zoe.berg"),
        ("Cher", "cher"),
        ("", ""),
        ("- -", ""),
    ],
)
def test_a_login_is_suggested_from_a_name(name, login):
    assert login_from(name) == login


def test_a_login_is_kept_small():
    assert check_login(" Mary.Ruiz ") == "mary.ruiz"


@pytest.mark.parametrize(
    "login",
    ["", "a b", "zoë", "1st", ".mary", "pg\0", "a" * 61, "a;drop", 'a"b', "a'b", "a\\b", "раt"],
)
def test_what_is_no_login(login):
    with pytest.raises(BadLogin, match="Choose another one"):
        check_login(login)


@pytest.mark.parametrize("password", ["twelve chars", "x" * 200, "with ünïcödé ok", "日本語" * 4])
def test_long_enough_passwords(password):
    assert check_password(password) == password


@pytest.mark.parametrize(
    "password",
    ["", "elevenchars", "x" * 201, "with a nul \0 in", "half \ud800 a sign", "tab\there\t!!"],
)
def test_what_is_no_password(password):
    with pytest.raises(BadPassword):
        check_password(password)
