"""What is said of the second copy, on a real pair of servers."""

import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from console.clients.portal import Portal
from console.models import schema
from console.models.base import connect
from console.services import diagnostics
from console.services.desk import Desk
from console.services.diagnostics import Copied
from tests import servers
from tests.clusters import running_pair
from tests.office import PAT


def asked(records):
    return Desk(records, Portal("http://127.0.0.1:9", "", "desk 3"), PAT)


def said(records):
    return dict(diagnostics.facts(asked(records)))["Second copy"]


def standing(records):
    return diagnostics.second_copy(asked(records)).state


def test_a_file_has_no_second_copy(desk):
    if desk.records.engine.dialect.name == "sqlite":
        assert dict(diagnostics.facts(desk))["Second copy"].startswith("none: the database is a")
    else:
        assert said(desk.records).startswith("none: without a synchronous standby")


def test_it_is_told_of_only_where_somebody_expects_it(desk):
    training = replace(desk, settings=replace(desk.settings, training=True))
    assert diagnostics.second_copy(training) is None
    if desk.records.engine.dialect.name == "sqlite":
        assert diagnostics.second_copy(desk) is None
    else:
        assert diagnostics.second_copy(desk).state is Copied.NONE


def test_the_second_copy_is_what_is_connected_and_not_what_was_planned():
    servers.find_debians()
    with running_pair() as pair:
        url = pair.url(pair.ports[0])
        schema.open_records(url).close()
        pair.tell("CREATE ROLE teller LOGIN IN ROLE console_representative")
        # As somebody of the office, who is no superuser.
        records = connect(url.replace("postgres@", "teller@"))
        assert said(records) == (
            "on two machines: one standby connected; a commit is told once it is there too."
        )
        pair.stop_the_standby()
        assert said(records).startswith("away: every commit waits for it.")
        assert standing(records) is Copied.AWAY
        records.close()


@pytest.fixture(scope="module")
def pair():
    servers.find_debians()
    with running_pair(synchronous=False) as pair:
        schema.open_records(pair.url(pair.ports[0])).close()
        pair.tell("CREATE ROLE teller LOGIN IN ROLE console_representative")
        yield pair


@pytest.fixture(params=["postgres", "teller"])
def anybody(request, pair):
    """The office's records as its superuser, whom the server tells all, or as a colleague."""
    records = connect(pair.url(pair.ports[0]).replace("postgres@", f"{request.param}@"))
    yield records
    records.close()


@contextmanager
def set_to(pair, name, value):
    pair.tell(f"ALTER SYSTEM SET {name} = '{value}'")
    pair.tell("SELECT pg_reload_conf()")
    yield
    pair.tell(f"ALTER SYSTEM RESET {name}")
    pair.tell("SELECT pg_reload_conf()")


def comes_to(records, state):
    """Wait until the server has read its settings again."""
    until = time.monotonic() + 20
    while standing(records) is not state and time.monotonic() < until:
        time.sleep(0.05)
    return standing(records) is state


@pytest.mark.parametrize(
    ("names", "state"),
    [
        ("", Copied.BEHIND),
        ("two", Copied.BOTH),
        ("ANY 1 (two, three)", Copied.BOTH),
        ('FIRST 1 ("Two")', Copied.BOTH),
        ("*", Copied.BOTH),
        ("three", Copied.AWAY),
        ("ANY 2 (two, three)", Copied.AWAY),
    ],
)
def test_only_a_standby_that_commits_wait_for_is_a_second_copy(pair, anybody, names, state):
    with set_to(pair, "synchronous_standby_names", names):
        assert comes_to(anybody, state)


def test_a_server_that_does_not_wait_for_the_standby_it_names_says_so(pair, anybody):
    with (
        set_to(pair, "synchronous_standby_names", "two"),
        set_to(pair, "synchronous_commit", "local"),
    ):
        assert comes_to(anybody, Copied.BEHIND)


def test_a_copy_that_is_just_being_fetched_is_no_second_copy(pair, anybody, tmp_path):
    pair.stop_the_standby()
    fetching = subprocess.Popen(
        [
            servers.DEBIAN / "pg_receivewal", "-D", tmp_path, "-h", "127.0.0.1",
            "-p", str(pair.ports[0]), "-U", servers.SUPERUSER,
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with anybody.glance() as connection:
            count = "SELECT count(*) FROM pg_stat_replication"
            until = time.monotonic() + 20
            while not connection.exec_driver_sql(count).scalar() and time.monotonic() < until:
                time.sleep(0.05)
            assert connection.exec_driver_sql(count).scalar() == 1
        assert standing(anybody) is Copied.NONE
        with set_to(pair, "synchronous_standby_names", "*"):
            assert comes_to(anybody, Copied.AWAY)
    finally:
        fetching.kill()
        fetching.wait()
        pair.start_the_standby()
