"""What Diagnostics says of the second copy, on a real pair of servers."""

from console.clients.portal import Portal
from console.models import schema
from console.models.base import connect
from console.services import diagnostics
from console.services.desk import Desk
from tests import servers
from tests.clusters import running_pair
from tests.office import PAT


def said(records):
    desk = Desk(records, Portal("http://127.0.0.1:9", "", "desk 3"), PAT)
    return dict(diagnostics.facts(desk))["Second copy"]


def test_a_file_has_no_second_copy(desk):
    if desk.records.engine.dialect.name == "sqlite":
        assert dict(diagnostics.facts(desk))["Second copy"].startswith("none: the database is a")
    else:
        assert said(desk.records).startswith("none: without a synchronous standby")


def test_the_second_copy_is_what_is_connected_and_not_what_was_planned():
    servers.find_debians()
    with running_pair() as pair:
        url = pair.url(pair.ports[0])
        schema.open_records(url).close()
        pair.tell("CREATE ROLE teller LOGIN IN ROLE console_representative")
        # As somebody of the office, who is no superuser.
        records = connect(url.replace("postgres@", "teller@"))
        assert said(records) == "one standby connected; a commit is told once it is there too"
        pair.stop_the_standby()
        assert said(records).startswith("away: every commit waits for it.")
        records.close()
