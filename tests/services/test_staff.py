from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from console.domain.errors import ConsoleError
from console.domain.staff import Role, check_password
from console.models import schema
from console.models import staff as logins
from console.models.audit import AuditEntry
from console.models.base import connect
from console.models.problems import DatabaseAway, DatabaseTrouble, Stale
from console.models.staff import Staff
from console.services import staff
from console.services.desk import Colleague, Desk
from console.services.staff import (
    AdministratorsOnly,
    NameMissing,
    NotPossible,
    SentAway,
    SignInRefused,
    StaffRow,
)
from console.settings import Settings
from tests.logins import PASSWORD, open_office
from tests.office import ANA, PAT, SUE, staff_the_office, trail

OFFICE = Settings()
TRAINING = Settings(training=True)


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


# Looking after the staff

ADA = Colleague("ada", "Ada Whitfield", Role.ADMINISTRATOR)


@pytest.fixture
def office(desk):
    """Ada's desk in an office with everybody."""
    for colleague in (ADA, PAT, SUE, ANA):
        staff.enrol(desk.records, colleague.login, colleague.name, colleague.role, PASSWORD, "root")
    return replace(desk, colleague=ADA, now=lambda: datetime.now(UTC))


def named(desk, login):
    return next(one for one in staff.everybody(desk) if one.login == login)


def enters(desk, login, password=PASSWORD, workstation="desk 3"):
    return staff.enter(desk.records, OFFICE, login, password, workstation).colleague


ACTS = {
    "everybody": staff.everybody,
    "add": lambda desk: staff.add(desk, "new", "New", Role.CLERK, PASSWORD),
    "change": lambda desk: staff.change(
        desk, StaffRow("sue", SUE.name, SUE.role, dismissed=False), "Susan", Role.CLERK, PASSWORD
    ),
    "change_role": lambda desk: staff.change_role(desk, "sue", Role.CLERK),
    "rename": lambda desk: staff.rename(desk, "sue", "Susan"),
    "give_password": lambda desk: staff.give_password(desk, "sue", PASSWORD),
    "dismiss": lambda desk: staff.dismiss(desk, "sue"),
}


def test_only_an_administrator_looks_after_the_staff(office):
    for role in Role:
        if role is not Role.ADMINISTRATOR:
            other = replace(office, colleague=Colleague("pat", "Pat", role))
            for act in ACTS.values():
                with pytest.raises(AdministratorsOnly):
                    act(other)
    assert named(office, "sue") == StaffRow("sue", SUE.name, SUE.role, dismissed=False)
    assert len(staff.everybody(office)) == 4


def test_a_new_colleague_signs_in(office):
    assert staff.add(office, " Mary.Ruiz ", "Mary Ruiz", Role.CLERK, PASSWORD) == "mary.ruiz"
    assert enters(office, "mary.ruiz") == Colleague("mary.ruiz", "Mary Ruiz", Role.CLERK)
    assert "staff:enrolled" in trail(office)


def test_a_login_in_use_is_not_given_twice(office):
    with pytest.raises(NotPossible, match="Sue Abara has the login “sue” already"):
        staff.add(office, "Sue", "Another Sue", Role.ADMINISTRATOR, PASSWORD)
    assert named(office, "sue").role is Role.SUPERVISOR


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "\t\n", "…"])
def test_nobody_works_here_without_a_name(office, name):
    before = staff.everybody(office)
    for act in (
        lambda: staff.add(office, "zed", name, Role.CLERK, PASSWORD),
        # The name is looked at first: whoever left everything empty is asked for it.
        lambda: staff.add(office, "", name, Role.CLERK, ""),
        lambda: staff.rename(office, "sue", name),
        lambda: staff.change(office, named(office, "sue"), name, SUE.role, "short"),
        lambda: staff.enrol(office.records, "zed", name, Role.CLERK, PASSWORD, "root"),
    ):
        with pytest.raises(NameMissing, match="Type the colleague’s name"):
            act()
    assert staff.everybody(office) == before


def test_passwords_are_worked_on_before_others_have_to_wait(office, monkeypatch):
    open_now, worked = [], []
    hashed = staff._hashed

    def begun(_session, transaction):
        if transaction.parent is None:
            open_now.append(transaction)

    def ended(_session, transaction):
        if transaction in open_now:
            open_now.remove(transaction)

    def watched(password):
        worked.append(list(open_now))
        return hashed(password)

    event.listen(Session, "after_transaction_create", begun)
    event.listen(Session, "after_transaction_end", ended)
    monkeypatch.setattr(staff, "_hashed", watched)
    try:
        staff.add(office, "zed", "Zed Marsh", Role.CLERK, PASSWORD)
        staff.change(office, named(office, "sue"), SUE.name, SUE.role, "another long one")
        staff.give_password(office, "zed", "another long one")
        staff.change_own_password(office, PASSWORD, "quite another one")
    finally:
        event.remove(Session, "after_transaction_create", begun)
        event.remove(Session, "after_transaction_end", ended)
    assert worked == [[], [], [], []]


def test_a_colleague_is_renamed_gets_another_role_and_a_new_password(office):
    seen = named(office, "sue")
    assert staff.change(office, seen, "Susan Abara", Role.CLERK, "another long one")
    with pytest.raises(SignInRefused):
        enters(office, "sue")
    assert enters(office, "sue", "another long one") == Colleague("sue", "Susan Abara", Role.CLERK)
    assert {"staff:renamed", "staff:role_changed", "staff:password_given"} <= set(trail(office))
    assert not staff.change(office, named(office, "sue"), "Susan Abara", Role.CLERK)


def test_what_another_administrator_changed_meanwhile_is_not_written_over(office):
    seen = named(office, "sue")
    staff.rename(office, "sue", "Susan Abara")
    staff.change_role(office, "sue", Role.AUDITOR)
    for name, role in (("Suzy", seen.role), (seen.name, Role.ADMINISTRATOR)):
        with pytest.raises(Stale):
            staff.change(office, seen, name, role)
    assert (named(office, "sue").name, named(office, "sue").role) == ("Susan Abara", Role.AUDITOR)


def test_the_dismissed_are_out_at_once_and_can_come_back(office):
    sue = replace(office, colleague=SUE)
    staff.check_still_here(sue)
    staff.dismiss(office, "sue")
    with pytest.raises(SentAway, match="may not work at this console any more"):
        staff.check_still_here(sue)
    with pytest.raises(SignInRefused):
        enters(office, "sue")
    assert named(office, "sue").dismissed
    for act in (staff.rename, staff.give_password):
        with pytest.raises(NotPossible, match="Nobody of the office"):
            act(office, "sue", "a long enough one")
    staff.add(office, "sue", "Sue Abara", Role.CLERK, "a quite new one")
    assert enters(office, "sue", "a quite new one").role is Role.CLERK
    with pytest.raises(SignInRefused):
        enters(office, "sue")


def test_whoever_has_another_role_signs_in_again(office):
    staff.change_role(office, "sue", Role.AUDITOR)
    with pytest.raises(SentAway, match="You are an auditor now"):
        staff.check_still_here(replace(office, colleague=SUE))


def test_nobody_dismisses_themselves_or_takes_their_own_role(office):
    staff.change_role(office, "sue", Role.ADMINISTRATOR)
    with pytest.raises(NotPossible, match="Nobody dismisses themselves"):
        staff.dismiss(office, "ada")
    with pytest.raises(NotPossible, match="Nobody changes their own role"):
        staff.change_role(office, "ada", Role.CLERK)


def test_the_last_administrator_stays(office):
    shell = replace(office, colleague=Colleague("root (shell)", "root", Role.ADMINISTRATOR))
    for act in (
        lambda: staff.dismiss(shell, "ada"),
        lambda: staff.change_role(shell, "ada", PAT.role),
    ):
        with pytest.raises(NotPossible, match="the only administrator"):
            act()
    staff.change_role(shell, "sue", Role.ADMINISTRATOR)
    staff.dismiss(shell, "ada")
    with pytest.raises(NotPossible, match="the only administrator"):
        staff.dismiss(shell, "sue")


def test_nobody_else_is_there(office):
    for login in ("nobody", "", "x" * 1000, "'; drop table staff; --"):
        for act in (
            lambda login=login: staff.dismiss(office, login),
            lambda login=login: staff.rename(office, login, "X"),
            lambda login=login: staff.change_role(office, login, Role.CLERK),
            lambda login=login: staff.give_password(office, login, PASSWORD),
        ):
            with pytest.raises(NotPossible):
                act()


def test_who_is_signed_in_where(office):
    enters(office, "sue", workstation="desk 7")
    enters(office, "pat", workstation="desk 3")
    enters(office, "pat", workstation="counter 1")
    places = {
        row.login: [seat.workstation for seat in row.seats] for row in staff.everybody(office)
    }
    assert places == {"ada": [], "ana": [], "pat": ["desk 3", "counter 1"], "sue": ["desk 7"]}
    staff.sign_out(replace(office, colleague=PAT, workstation="desk 3"))
    pat = named(office, "pat")
    assert [seat.workstation for seat in pat.seats] == ["counter 1"]
    assert pat.since == pat.seats[0].since
    tomorrow = replace(office, now=lambda: datetime.now(UTC) + timedelta(days=1))
    assert not named(tomorrow, "sue").seats


def test_ones_own_password_is_changed_with_the_one_in_use(office):
    sue = replace(office, colleague=SUE)
    with pytest.raises(SignInRefused):
        staff.change_own_password(sue, "not the one in use", "a quite new one")
    with pytest.raises(ConsoleError, match="Choose a longer one"):
        staff.change_own_password(sue, PASSWORD, "short")
    with pytest.raises(NotPossible, match="is the one you have"):
        staff.change_own_password(sue, PASSWORD, PASSWORD)
    enters(office, "sue")
    staff.change_own_password(sue, PASSWORD, "a quite new one")
    assert enters(office, "sue", "a quite new one")
    with pytest.raises(SignInRefused):
        enters(office, "sue")
    assert trail(office).count("staff:password_changed") == 1


def test_in_training_a_colleague_gets_a_seat_and_nobody_a_password(office):
    training = replace(office, settings=TRAINING)
    staff.add(training, "new", "New Hand", Role.CLERK, "")
    assert staff.sit_down(office.records, TRAINING, "new", "desk 3").role is Role.CLERK
    with pytest.raises(NotPossible):
        staff.give_password(training, "new", PASSWORD)
    with pytest.raises(NotPossible):
        staff.change_own_password(training, "", PASSWORD)


def test_no_password_and_no_hash_is_on_the_trail(office):
    staff.give_password(office, "sue", "one that must not be seen")
    staff.change_own_password(replace(office, colleague=ANA), PASSWORD, "nor this one at all")
    with office.records.read() as db:
        for entry in db.scalars(select(AuditEntry)):
            told = f"{entry.detail} {entry.before} {entry.after}"
            for secret in ("must not", "nor this", "$argon2"):
                assert secret not in told


def test_made_up_passwords_are_long_enough_and_differ():
    made = {staff.made_up_password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        check_password(one)


# The logins of PostgreSQL


on_a_server = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def on_server(postgresql_server, database_url):
    office = open_office(postgresql_server, database_url)
    yield office
    office.door.close()


@pytest.fixture
def seated(on_server, desk):
    """Answers the desk of somebody who signed in to the server."""
    opened = []

    def sit(login, password=PASSWORD, workstation="desk 3"):
        entry = on_server.enters(login, password, workstation)
        opened.append(entry.records)
        return Desk(entry.records, desk.portal, entry.colleague, OFFICE, workstation)

    yield sit
    for records in opened:
        records.close()


@on_a_server
def test_signing_in_is_a_login_of_the_database(on_server, seated):
    ada = seated(on_server.ada)
    assert ada.colleague == Colleague(on_server.ada, "Ada Whitfield", Role.ADMINISTRATOR)
    with ada.records.glance() as connection:
        assert connection.scalar(text("SELECT session_user")) == on_server.ada
        assert connection.scalar(text("SHOW application_name")) == "desk 3"
    with ada.records.read() as db:
        (entry,) = db.scalars(select(AuditEntry).where(AuditEntry.staff == on_server.ada))
        assert (entry.action, entry.workstation) == ("staff:signed_in", "desk 3")


@on_a_server
@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("", "wrong password"),
        ("", ""),
        ("", "\ud800"),
        ("", PASSWORD + "\0"),
        ("", "x" * 1_000_000),
        ("nobody", PASSWORD),
        ("console_owner", PASSWORD),
        ("console_administrator", PASSWORD),
        ("\0\ud800", PASSWORD),
        ("x" * 1_000_000, PASSWORD),
        ("a' host='elsewhere", PASSWORD),
    ],
)
def test_every_refusal_of_the_server_sounds_the_same(on_server, login, password):
    with pytest.raises(SignInRefused, match="This login and password do not go together"):
        on_server.enters(login or on_server.ada, password)


@on_a_server
def test_a_login_without_a_role_stays_outside(on_server, records):
    with records.glance() as connection:
        connection.exec_driver_sql(
            f'REVOKE console_supervisor FROM "{on_server.sue}" GRANTED BY console_registrar'
        )
    with pytest.raises(SignInRefused, match="no role in the office"):
        on_server.enters(on_server.sue)


@on_a_server
def test_a_server_that_is_gone_is_not_called_a_wrong_password(on_server):
    door = schema.name_only("postgresql://127.0.0.1:1/coop")
    with pytest.raises(DatabaseAway):
        staff.enter(door, OFFICE, "ada", PASSWORD, "desk 3")
    door.close()


@on_a_server
def test_the_server_looks_after_staff_for_administrators(on_server, seated):
    ada = seated(on_server.ada)
    mary = staff.add(ada, f"mary.{on_server.ada[4:]}", "Mary Ruiz", Role.CLERK, "a first long one")
    assert on_server.enters(mary, "a first long one").colleague.role is Role.CLERK
    assert staff.change(ada, named(ada, mary), "Mary R. Ruiz", Role.AUDITOR, "a second long one")
    with pytest.raises(SignInRefused):
        on_server.enters(mary, "a first long one")
    entry = on_server.enters(mary, "a second long one")
    assert entry.colleague == Colleague(mary, "Mary R. Ruiz", Role.AUDITOR)
    assert [seat.workstation for seat in named(ada, mary).seats] == ["desk 3"]
    entry.records.close()
    with ada.records.read() as db:
        acts = db.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.staff == on_server.ada)
            .order_by(AuditEntry.id)
        ).all()
    assert [act for act in acts if act.startswith("staff:")] == [
        "staff:signed_in",
        "staff:enrolled",
        "staff:renamed",
        "staff:role_changed",
        "staff:password_given",
    ]
    assert acts.count("row:added") == 1
    assert acts.count("row:changed") == 2


@on_a_server
def test_a_forged_role_at_the_desk_moves_nothing_on_the_server(on_server, seated):
    sue = seated(on_server.sue)
    forged = replace(sue, colleague=replace(sue.colleague, role=Role.ADMINISTRATOR))
    for act in (
        staff.everybody,
        lambda desk: staff.add(desk, "mallory", "Mallory", Role.ADMINISTRATOR, PASSWORD),
        lambda desk: staff.rename(desk, on_server.ada, "Nobody"),
        lambda desk: staff.give_password(desk, on_server.ada, PASSWORD),
    ):
        with pytest.raises(DatabaseTrouble, match="does not allow this"):
            act(forged)


@on_a_server
def test_dismissal_ends_live_sessions_and_the_desk_learns_why(on_server, seated):
    ada, sue = seated(on_server.ada), seated(on_server.sue, workstation="desk 7")
    staff.check_still_here(sue)
    assert [seat.workstation for seat in named(ada, on_server.sue).seats] == ["desk 7"]
    staff.dismiss(ada, on_server.sue)
    assert named(ada, on_server.sue) == StaffRow(
        on_server.sue, "Sue Abara", Role.SUPERVISOR, dismissed=True
    )
    with pytest.raises(SentAway, match="Sue Abara may not work"):
        staff.check_still_here(sue)
    with pytest.raises(SignInRefused):
        on_server.enters(on_server.sue)
    staff.add(ada, on_server.sue, "Sue Abara", Role.CLERK, "a quite new one")
    assert seated(on_server.sue, "a quite new one").colleague.role is Role.CLERK


@on_a_server
def test_the_last_administrator_of_the_server_stays(on_server, seated):
    ada = seated(on_server.ada)
    staff.change_role(ada, on_server.sue, Role.ADMINISTRATOR)
    sue = seated(on_server.sue)
    staff.dismiss(sue, on_server.ada)
    with pytest.raises(SentAway):
        staff.check_still_here(ada)
    with pytest.raises(NotPossible, match="Nobody dismisses themselves"):
        staff.dismiss(sue, on_server.sue)


@on_a_server
def test_ones_own_password_changes_at_the_server_and_the_desk_goes_on(on_server, seated):
    sue = seated(on_server.sue)
    with pytest.raises(SignInRefused):
        staff.change_own_password(sue, "not the one in use", "a quite new one")
    staff.change_own_password(sue, PASSWORD, "100% ‘new’ \\'and' longer")
    with pytest.raises(SignInRefused):
        on_server.enters(on_server.sue)
    on_server.enters(on_server.sue, "100% ‘new’ \\'and' longer").records.close()
    sue.records.engine.dispose()
    staff.check_still_here(sue)
    staff.change_own_password(sue, "100% ‘new’ \\'and' longer", "and one more, twice changed")
    sue.records.engine.dispose()
    staff.check_still_here(sue)
    with seated(on_server.ada).records.read() as db:
        told = db.scalars(select(AuditEntry.action).where(AuditEntry.staff == on_server.sue)).all()
    assert told.count("staff:refused") == 1
    assert told.count("staff:password_changed") == 2


@on_a_server
def test_a_supervisor_approves_at_a_colleagues_desk_with_their_own_login(on_server, seated):
    ada = seated(on_server.ada)
    assert staff.approve(ada, on_server.sue, PASSWORD, "k1").role is Role.SUPERVISOR
    with pytest.raises(SignInRefused):
        staff.approve(ada, on_server.sue, "not the one in use", "k1")
    with ada.records.read() as db:
        given = select(AuditEntry).where(AuditEntry.action == "name:approval_given")
        lines = [(line.chain, line.detail) for line in db.scalars(given)]
    assert lines == [(on_server.sue, '{"correction": "k1"}')]


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("postgresql:///coop", False),
        ("postgresql://localhost/coop", False),
        ("postgresql://127.0.0.1:5433/coop", False),
        ("postgresql://[::1]/coop", False),
        ("postgresql:///coop?host=/run/postgresql", False),
        ("postgresql://db.example.org/coop", True),
        ("postgresql://db.example.org/coop?sslmode=disable", True),
        ("postgresql:///coop?host=localhost&host=db.example.org:5433", True),
        ("postgresql:///coop?host=127.0.0.1,192.0.2.7", True),
        ("postgresql://localhost/coop?hostaddr=192.0.2.7", True),
    ],
)
def test_a_server_elsewhere_must_prove_who_it_is(url, checked):
    door = schema.name_only(url)
    hers = connect(logins.address_for(door, "ada", PASSWORD, "desk 3"))
    query = hers.engine.url.query
    assert (query.get("sslmode") == "verify-full") is checked
    assert query["application_name"] == "desk 3"
    hers.close()
    door.close()


def test_a_shared_login_in_the_address_is_left_out():
    door = schema.name_only("postgresql://everybody:secret@db.example.org/coop")
    assert door.engine.url.username is None
    assert door.engine.url.password is None
    door.close()


@on_a_server
def test_a_new_password_from_an_administrator_ends_what_the_old_one_opened(on_server, seated):
    ada, sue = seated(on_server.ada), seated(on_server.sue)
    staff.give_password(ada, on_server.sue, "a quite new one")
    with pytest.raises(SentAway, match="If you were given a new password"):
        staff.check_still_here(sue)
    assert seated(on_server.sue, "a quite new one")
    with pytest.raises(NotPossible, match="menu beside your name"):
        staff.give_password(ada, on_server.ada, "a quite new one")


@on_a_server
def test_the_lock_opens_with_the_password_of_the_login(on_server, seated):
    sue = seated(on_server.sue)
    assert staff.sign_in(sue.records, OFFICE, on_server.sue, PASSWORD, "desk 3") == sue.colleague
    with pytest.raises(SignInRefused):
        staff.sign_in(sue.records, OFFICE, on_server.sue, "not the one in use", "desk 3")
