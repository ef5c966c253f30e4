"""The answer to a commit is lost on its way: whoever presses again has done it once."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from console.domain.contact import Asked
from console.domain.registration import Proof
from console.models import schema
from console.models.calls import Call
from console.models.contact import ContactChange
from console.models.courier import Errand
from console.models.members import NameCorrection, Note
from console.models.problems import DatabaseAway
from console.services import calls, contact, members, names, verification
from console.services.contact import ContactEdit
from console.services.names import Correction
from tests import proxies
from tests.office import trail

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def note(town):
    return lambda desk, click: members.write_note(desk, click, town.rose, "Calls after six", None)


def call(town):
    return lambda desk, click: calls.begin(desk, click, town.rose)


def name(town):
    held = names.name_on_file(town.desk, town.rose)
    return lambda desk, click: names.correct_name(
        desk, Correction(click, town.rose, held.version, "De Long", held.given_names, Proof.BILL)
    )


def details(town):
    held = contact.on_file(town.desk, town.rose, Asked.IN_PERSON)
    mine = replace(held.contact, second_phone="6205550199")
    return lambda desk, click: contact.change_contact(
        desk,
        ContactEdit(click, town.rose, held.version, held.contact, mine, Asked.IN_PERSON),
    )


def resend(town):
    return lambda desk, click: verification.resend(desk, click, "1023401")


def address(town):
    return lambda desk, click: verification.correct_email(
        desk, click, "1023401", "rose.delong@example.org"
    )


@pytest.fixture
def proxied(waiting, database_url):
    proxy, url = proxies.before(database_url)
    records = schema.open_records(url.render_as_string(False))
    yield proxy, replace(waiting.desk, records=records)
    records.close()
    proxy.close()


def rows(desk, record):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(record))


@pytest.mark.parametrize(
    ("act", "record"),
    [(note, Note), (call, Call), (name, NameCorrection), (details, ContactChange),
     (resend, Errand), (address, Errand)],
)  # fmt: skip
def test_pressed_again_after_a_lost_answer_is_done_once(waiting, proxied, act, record):
    proxy, desk = proxied
    do, click = act(waiting), str(uuid4())
    before = rows(waiting.desk, record)
    seen = trail(waiting.desk)
    proxy.cut_the_next_commit()
    with pytest.raises(DatabaseAway, match="may be on file or not"):
        do(desk, click)
    assert proxy.cut.wait(5)
    assert rows(waiting.desk, record) > before, "what the server took is done"
    after = rows(waiting.desk, record)
    once = trail(waiting.desk)
    assert len(once) > len(seen)
    do(desk, click)
    assert rows(waiting.desk, record) == after
    # The second press may say that the errand has gone out since; it asks for nothing again.
    asked = [act for act in trail(waiting.desk) if act in once[len(seen) :]]
    assert asked == [act for act in once if act in once[len(seen) :]]
