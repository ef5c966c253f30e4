from dataclasses import replace

import pytest

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.models.staff import Staff
from console.services import staff
from console.services.staff import SignInRefused
from console.settings import Settings
from tests.office import staff_the_office, trail

OFFICE = Settings()
TRAINING = Settings(training=True)
PASSWORD = "correct horse battery"


@pytest.fixture
def joan(records):
    staff.enrol(records, "Joan", "Joan Ferris", Role.SUPERVISOR, PASSWORD, "admin")


def test_a_colleague_signs_in_and_out(desk, joan):
    colleague = staff.sign_in(desk.records, OFFICE, " JOAN ", PASSWORD, "desk 3")
    assert (colleague.login, colleague.name, colleague.role) == (
        "joan",
        "Joan Ferris",
        Role.SUPERVISOR,
    )
    staff.sign_out(replace(desk, colleague=colleague))
    assert trail(desk) == ["staff:enrolled", "staff:signed_in", "staff:signed_out"]


def test_passwords_are_kept_as_argon2id_only(records, joan):
    with records.read() as db:
        assert db.get_one(Staff, "joan").password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("joan", "wrong password"),
        ("joan", ""),
        ("joan", "\ud800"),
        ("joan", PASSWORD + "\0"),
        ("joan", "x" * 1_000_000),
        ("nobody", PASSWORD),
        ("", ""),
        ("\0\ud800", PASSWORD),
        ("x" * 1_000_000, PASSWORD),
    ],
)
def test_every_refusal_sounds_the_same_and_is_on_the_trail(desk, joan, login, password):
    with pytest.raises(SignInRefused, match="This login and password do not go together"):
        staff.sign_in(desk.records, OFFICE, login, password, "desk 3")
    assert trail(desk) == ["staff:enrolled", "staff:refused"]


def test_an_unknown_login_is_worked_on_as_long_as_a_known_one(desk, joan, monkeypatch):
    worked = []
    matches = staff._matches
    monkeypatch.setattr(staff, "_matches", lambda *args: worked.append(1) or matches(*args))
    for login in ("joan", "nobody"):
        with pytest.raises(SignInRefused):
            staff.sign_in(desk.records, OFFICE, login, "wrong password", "desk 3")
    assert len(worked) == 2


def test_the_dismissed_stay_outside(desk, joan):
    with desk.records.begin() as db:
        db.get_one(Staff, "joan").dismissed = True
    with pytest.raises(SignInRefused, match="do not go together"):
        staff.sign_in(desk.records, OFFICE, "joan", PASSWORD, "desk 3")


def test_one_click_opens_the_training_co_op_and_nothing_else(desk, joan):
    staff_the_office(desk.records)
    seats = staff.training_seats(desk.records)
    assert [seat.login for seat in seats] == ["pat", "sam", "sue", "ana"]
    assert staff.sit_down(desk.records, TRAINING, "sue", "desk 3").role is Role.SUPERVISOR
    with pytest.raises(SignInRefused, match="Only the training"):
        staff.sit_down(desk.records, OFFICE, "sue", "desk 3")
    with pytest.raises(SignInRefused, match="Nobody sits"):
        staff.sit_down(desk.records, TRAINING, "joan", "desk 3")


def test_an_empty_password_is_no_way_in_outside_training(desk):
    staff_the_office(desk.records)
    with pytest.raises(SignInRefused):
        staff.sign_in(desk.records, OFFICE, "sue", "", "desk 3")


@pytest.mark.parametrize(
    ("login", "password"), [("", PASSWORD), ("a b", PASSWORD), ("al", "short"), ("al", "x" * 201)]
)
def test_who_cannot_be_enrolled(records, login, password):
    with pytest.raises(ConsoleError):
        staff.enrol(records, login, "Al", Role.CLERK, password, "admin")
