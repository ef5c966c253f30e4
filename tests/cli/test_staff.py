import getpass
import json

import pytest

from console.cli import main
from console.cli.staff import NEW_PASSWORD
from console.domain.staff import Role
from console.models import schema
from console.models.problems import DatabaseAway
from console.services import staff
from console.services.staff import SignInRefused
from console.settings import Settings
from tests.logins import PASSWORD, open_office

in_a_file = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_a_server = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def say(database_url, capsys, monkeypatch):
    monkeypatch.setenv(NEW_PASSWORD, PASSWORD)

    def say(*words, url=database_url):
        status = main(["staff", *words, "--database", url])
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return status, said.out, said.err

    return say


def listed(say):
    status, out, _ = say("list", "--json")
    assert status == 0
    return {one["login"]: one for one in json.loads(out)["staff"]}


@in_a_file
def test_a_colleague_is_added_and_signs_in(say, database_url):
    status, out, err = say("add", "Mary Ruiz", "--role", "clerk")
    assert (status, out) == (0, "")
    assert err == "Mary Ruiz can sign in as “mary.ruiz” now.\n"
    records = schema.open_records(database_url)
    try:
        entry = staff.enter(records, Settings(), "mary.ruiz", PASSWORD, "desk 3")
        assert entry.colleague.role is Role.CLERK
    finally:
        records.close()
    (seat,) = listed(say)["mary.ruiz"]["signed_in"]
    assert seat["workstation"] == "desk 3"


@in_a_file
def test_a_program_gets_one_object(say):
    status, out, _ = say("add", "Mary Ruiz", "--login", "mary", "--role", "clerk", "--json")
    assert status == 0
    assert json.loads(out) == {"login": "mary", "name": "Mary Ruiz", "role": "clerk", "ok": True}


@in_a_file
def test_roles_change_and_colleagues_leave(say):
    say("add", "Ada Whitfield", "--login", "ada", "--role", "administrator")
    say("add", "Mary Ruiz", "--login", "mary", "--role", "clerk")
    assert say("role", "mary", "auditor")[0] == 0
    assert listed(say)["mary"]["role"] == "auditor"
    assert say("dismiss", "mary")[0] == 0
    assert listed(say)["mary"]["dismissed"] is True
    status, out, err = say("dismiss", "ada")
    assert (status, out) == (1, "")
    assert "the only administrator" in err
    _, out, _ = say("list")
    assert (
        out == "ada   administrator   Ada Whitfield\nmary  auditor         Mary Ruiz  dismissed\n"
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("dismiss", "nobody"), "Nobody of the office"),
        (("role", "nobody", "clerk"), "Nobody of the office"),
        (("add", "Zoë", "--login", "zoë", "--role", "clerk"), "Choose another one"),
        (("add", "", "--role", "clerk"), "Type the colleague"),
    ],
)
@in_a_file
def test_what_cannot_be_done_is_a_sentence(say, words, problem):
    status, out, err = say(*words)
    assert (status, out) == (1, "")
    assert problem in err


@pytest.mark.parametrize("words", [("add", "Mary"), ("role", "mary", "king"), ("fire", "mary"), ()])
@in_a_file
def test_misuse_is_told_apart(say, words):
    with pytest.raises(SystemExit) as left:
        say(*words)
    assert left.value.code == 2


@in_a_file
def test_a_short_password_is_refused(say, monkeypatch):
    monkeypatch.setenv(NEW_PASSWORD, "short")
    status, _, err = say("add", "Mary Ruiz", "--role", "clerk")
    assert status == 1
    assert "12 to 200 characters" in err
    assert listed(say) == {}


@in_a_file
def test_without_a_terminal_nobody_is_asked(say, monkeypatch):
    monkeypatch.delenv(NEW_PASSWORD)
    status, _, err = say("add", "Mary Ruiz", "--role", "clerk")
    assert status == 1
    assert NEW_PASSWORD in err


@in_a_file
def test_at_a_terminal_the_password_is_asked_for_without_echo(say, monkeypatch):
    monkeypatch.delenv(NEW_PASSWORD)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: PASSWORD)
    assert say("add", "Mary Ruiz", "--role", "clerk")[0] == 0


def test_the_training_co_op_gets_a_seat_without_a_password(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    schema.open_records(f"sqlite:///{tmp_path}/training.db").close()
    monkeypatch.setattr("console.cli.training.ready", lambda: f"sqlite:///{tmp_path}/training.db")
    assert main(["staff", "add", "New Hand", "--role", "clerk"]) == 0
    records = schema.open_records(f"sqlite:///{tmp_path}/training.db")
    assert [seat.login for seat in staff.training_seats(records)] == ["new.hand"]
    records.close()


@on_a_server
def test_on_a_server_an_administrators_own_login_decides(say, postgresql_server, database_url):
    office = open_office(postgresql_server, database_url)
    ada, sue = office.address(office.ada), office.address(office.sue)
    mary = f"mary.{office.ada[4:]}"
    status, _, err = say("add", "Mary Ruiz", "--login", mary, "--role", "clerk", url=sue)
    assert (status, "Only an administrator" in err) == (1, True)
    assert say("add", "Mary Ruiz", "--login", mary, "--role", "clerk", url=ada)[0] == 0
    entry = office.enters(mary)
    assert entry.colleague.role is Role.CLERK
    _, out, _ = say("list", "--json", url=ada)
    people = {one["login"]: one for one in json.loads(out)["staff"]}
    assert [seat["workstation"] for seat in people[mary]["signed_in"]] == ["desk 3"]
    assert say("role", mary, "auditor", url=ada)[0] == 0
    assert say("dismiss", mary, url=ada)[0] == 0
    with pytest.raises(DatabaseAway):
        entry.records.glance().__enter__()
    entry.records.close()
    with pytest.raises(SignInRefused):
        office.enters(mary)
    office.door.close()


@on_a_server
def test_a_superuser_is_nobody_of_the_office(say, database_url):
    status, out, err = say("add", "Mary Ruiz", "--role", "clerk")
    assert (status, out) == (1, "")
    assert "Name an administrator's login" in err


@on_a_server
def test_a_wrong_password_is_a_sentence(say, postgresql_server, database_url):
    office = open_office(postgresql_server, database_url)
    status, out, err = say("list", url=office.address(office.ada, "not the one in use"))
    assert (status, out) == (1, "")
    assert "password" in err
    assert "Traceback" not in err
    office.door.close()
