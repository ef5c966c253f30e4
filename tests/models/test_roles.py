"""The database decides: what staff try in psql with their own logins fails and changes nothing.

Every attack is run by a representative, a clerk, an auditor and the courier, or by those of them
whom the console lets do something close to it, on Debian's PostgreSQL 15 and on the wheel's 18.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from console.clients.portal import Portal
from console.domain.calls import Fact, Reason, Result
from console.domain.contact import Asked
from console.domain.courier import ErrandKind, ErrandState
from console.domain.members import AlertKind
from console.domain.registration import CaseKind, Proof, RegistrationState, needs_supervisor
from console.domain.staff import Role
from console.models import money_rules, roles, schema
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.base import Choice, Records
from console.models.calls import Call
from console.models.contact import ContactChange
from console.models.courier import Errand
from console.models.members import Alert, NameCorrection, Note
from console.models.presence import Presence
from console.models.registration import PortalCursor, Registration
from console.models.setting_up import CannotSetUp
from console.sandbox.portal import PortalAccount, RunningPortal, seed
from console.services import (
    calls,
    contact,
    courier,
    members,
    names,
    polling,
    presence,
    registration,
    rounds,
    search,
    staff,
    verification,
)
from console.services.contact import ContactEdit
from console.services.desk import Colleague, Desk
from console.services.names import Correction
from console.services.rounds import Going, Turn
from console.services.setting_up import set_up_server
from console.settings import Settings
from tests.attacks import (
    ALL,
    CHANGERS,
    CHECK,
    COURIER,
    DESKS,
    LOOKERS,
    NO_RIGHT,
    PASSWORD,
    REPRESENTATIVE,
    RULE,
    Attack,
    House,
    as_oneself_and_as_ones_group,
    attack,
    fails,
    furnished,
)
from tests.office import add_member

pytestmark = pytest.mark.xdist_group("roles")

NOW = datetime(2026, 11, 23, 16, 42, tzinfo=UTC)


@pytest.fixture(scope="module", params=["15", "18"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """An office that `database init` set up, with everybody's login."""
    yield from furnished(request, _fill)


def _fill(records: Records) -> None:
    rose = add_member(records.signed("sue", "desk 1"))
    with records.signed("sam", "desk 2").begin() as db:
        db.add(Note(id="n1", member_id=rose, text="Hush", written_by="sam", written_at=NOW))
        db.add(Call(id="c1", member_id=rose, staff="sam", member_began=True, began_at=NOW))
        db.add(
            Call(
                id="c2", member_id=rose, staff="pat", member_began=True, began_at=NOW, ended_at=NOW
            )
        )
        db.add(
            Alert(
                member_id=rose, kind=AlertKind.FRAUD_WATCH, note="", raised_by="sam", raised_at=NOW
            )
        )
        db.add(
            NameCorrection(
                id="k1",
                member_id=rose,
                name_before="Delong",
                given_names_before="Rose",
                name_after="DeLong",
                given_names_after="Rose",
                proof="bill",
                corrected_by="sam",
                corrected_at=NOW,
            )
        )
        db.add(
            NameCorrection(
                id="k2",
                member_id=rose,
                name_before="De Long",
                given_names_before="Rose",
                name_after="Delong",
                given_names_after="Rose",
                proof="bill",
                corrected_by="sam",
                corrected_at=NOW,
                undone_by="sam",
                undone_at=NOW,
            )
        )
        db.add(
            ContactChange(
                id="cc1",
                member_id=rose,
                before='{"phone": "6205550100"}',
                after='{"phone": "6205550147"}',
                asked=Asked.IN_PERSON,
                told="",
                changed_by="sam",
                changed_at=NOW,
            )
        )
        db.add(
            Registration(
                account_digits="1023401",
                account_number="1023401",
                member_id=rose,
                state=RegistrationState.AWAITING_VERIFICATION,
                kind=CaseKind.WAITING,
                since=NOW,
                attempts=1,
                assigned_to="sam",
            )
        )
        db.add(PortalCursor(stream="registration-attempts", leased_by="", cursor="7"))
        db.flush()
        for id_, state in (
            ("waits", ErrandState.WAITING),
            ("sends", ErrandState.SENDING),
            ("done", ErrandState.DONE),
            ("refused", ErrandState.REFUSED),
        ):
            db.add(
                Errand(
                    id=id_,
                    kind=ErrandKind.PUBLISH_NAME,
                    state=state,
                    account_number="1023401",
                    member_id=rose,
                    correction_id="k1",
                    asked_by="sam",
                    asked_at=NOW,
                    next_try_at=NOW,
                )
            )
        db.execute(
            text(
                "INSERT INTO presence VALUES "
                "('o1', :rose, 'sam', 'desk 2', 'name', now(), now() + interval '1 day')"
            ),
            {"rose": rose},
        )
        db.add(
            AuditEntry(at=NOW, staff="sam", workstation="d", action="member:opened", detail="{}")
        )


_VERIFIER = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=:" + "B" * 43 + "="
_NO_SUCH_THING = ("42883",)
_NOT_IN_THIS_SERVER = ("0A000",)
"""The wheel has neither XML nor extensions, so there it fails before anybody asks who it is."""
_ERRAND = (
    "INSERT INTO errand (id, kind, state, account_number, member_id, correction_id, payload, "
    "asked_by, asked_at, tries, next_try_at, leased_by, answer, version) VALUES "
)
_CORRECTION = (
    "INSERT INTO name_correction (id, member_id, name_before, given_names_before, name_after, "
    "given_names_after, proof, proof_note, looks_like_other_person, approved_by, corrected_by, "
    "corrected_at, undone_by, version) VALUES "
)
_CONTACT = (
    "INSERT INTO contact_change (id, version, member_id, before, after, asked, told, changed_by, "
    "changed_at, undone_by) VALUES "
)


def _notice(to: str, what: str = "phone", on: str = "23 Nov 2026") -> str:
    return json.dumps({"to": to, "what": what, "on": on})


_NOTE = (
    "INSERT INTO note (id, member_id, text, written_by, written_at, removed_by, version) VALUES "
)
_TRAIL = "INSERT INTO audit_entry (at, staff, workstation, action, detail"

SECRETS = (
    attack(ALL, "SELECT password_hash FROM staff"),
    attack(ALL, "SELECT * FROM staff"),
    attack(ALL, "SELECT s FROM staff s"),
    attack(ALL, "SELECT to_jsonb(s) FROM staff s"),
    attack(ALL, "SELECT 1 FROM staff WHERE password_hash LIKE '$argon2%'"),
    attack(ALL, "SELECT rolpassword FROM pg_authid"),
    attack(ALL, "SELECT passwd FROM pg_shadow"),
    attack(ALL, "SELECT * FROM pg_hba_file_rules"),
    attack(ALL, "SELECT * FROM pg_file_settings"),
    attack(ALL, "SELECT * FROM pg_statistic"),
    attack(ALL, "SELECT * FROM pg_user_mapping"),
    attack(ALL, "SELECT * FROM pg_config"),
    attack(ALL, "SELECT * FROM pg_backend_memory_contexts"),
    attack((*CHANGERS, COURIER), "SELECT * FROM audit_entry"),
    attack((*CHANGERS, COURIER), "SELECT member_id, staff FROM audit_entry"),
    attack((*CHANGERS, COURIER), "SELECT before, after FROM audit_entry"),
    attack((*CHANGERS, COURIER), "SELECT chain, subject, row_key FROM audit_entry"),
    attack((*CHANGERS, COURIER), "SELECT count(*) FROM audit_entry WHERE member_id = 1"),
    attack((*CHANGERS, COURIER), "TABLE audit_entry"),
    attack((*CHANGERS, COURIER), "COPY audit_entry TO STDOUT"),
    attack(
        (*CHANGERS, COURIER),
        "SELECT table_to_xml('audit_entry', true, false, '')",
        also=_NOT_IN_THIS_SERVER,
    ),
    attack(
        (*CHANGERS, COURIER),
        "SELECT query_to_xml('TABLE audit_entry', true, false, '')",
        also=_NOT_IN_THIS_SERVER,
    ),
    attack(ALL, "COPY staff TO STDOUT"),
    attack(ALL, "SELECT audit_text(e) FROM audit_entry e"),
    attack(ALL, "PREPARE peek AS SELECT password_hash FROM staff", "EXECUTE peek"),
    attack(ALL, "DECLARE c CURSOR FOR SELECT password_hash FROM staff"),
    attack(ALL, "DO $$ BEGIN PERFORM password_hash FROM staff; END $$"),
    attack(ALL, "EXPLAIN ANALYZE SELECT password_hash FROM staff"),
)
TRAIL = (
    attack(ALL, "UPDATE audit_entry SET detail = '{}'"),
    attack(ALL, "UPDATE audit_entry SET staff = 'sue'"),
    attack(ALL, "UPDATE audit_entry SET at = now()"),
    attack(ALL, "DELETE FROM audit_entry"),
    attack(ALL, "DELETE FROM audit_entry WHERE false"),
    attack(ALL, "TRUNCATE audit_entry"),
    attack(ALL, "TRUNCATE audit_chain CASCADE"),
    attack(ALL, "UPDATE audit_chain SET seq = 0, hash = ''"),
    attack(ALL, "DELETE FROM audit_chain"),
    attack(ALL, "INSERT INTO audit_chain VALUES ('zoe', 1, 'x')"),
    attack(ALL, "SELECT * FROM audit_chain FOR UPDATE"),
    attack(ALL, "SELECT id FROM audit_entry FOR SHARE"),
    attack(ALL, _TRAIL + ", chain) VALUES (now(), 'sue', '', 'member:opened', '{}', 'sue')"),
    attack(ALL, _TRAIL + ", seq) VALUES (now(), 'sue', '', 'member:opened', '{}', 7)"),
    attack(ALL, _TRAIL + ", hash) VALUES (now(), 'sue', '', 'member:opened', '{}', 'x')"),
    attack(ALL, _TRAIL + ", previous) VALUES (now(), 'sue', '', 'member:opened', '{}', 'x')"),
    attack(ALL, _TRAIL + ", id) VALUES (now(), 'sue', '', 'member:opened', '{}', 1)"),
    attack(ALL, _TRAIL + ", subject) VALUES (now(), 'sue', '', 'member:opened', '{}', 'note')"),
    attack(ALL, _TRAIL + ") VALUES (now(), 'sue', '', 'row:changed', '{}')"),
    attack(ALL, _TRAIL + ", before) VALUES (now(), 'sue', '', 'member:opened', '{}', '{}')"),
    attack(DESKS, _TRAIL + ") VALUES (now(), 'sue', '', 'name:published', '{}')"),
    attack(DESKS, _TRAIL + ") VALUES (now(), 'a', '', 'verification_email:resent', '{}')"),
    attack(ALL, _TRAIL + ") VALUES (now(), 'ada', '', 'staff:dismissed', '{}')"),
    attack(
        ALL,
        _TRAIL + ") VALUES (now(), 'sue', '', 'member:opened', '{}') "
        "ON CONFLICT (id) DO UPDATE SET detail = 'forged'",
    ),
    attack(
        ALL,
        "MERGE INTO audit_entry a USING (SELECT 1 AS id) n ON a.id = n.id WHEN MATCHED THEN DELETE",
    ),
    attack(ALL, "SELECT nextval('audit_entry_id_seq')"),
    attack(ALL, "SELECT setval('audit_entry_id_seq', 2147483647)"),
    attack(ALL, "ALTER SEQUENCE audit_entry_id_seq RESTART"),
    attack(ALL, "ALTER TABLE audit_entry DISABLE TRIGGER ALL"),
    attack(ALL, "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_seal"),
    attack(ALL, "ALTER TABLE member DISABLE TRIGGER USER"),
    attack(ALL, "DROP TRIGGER member_trail ON member"),
    attack(ALL, "ALTER TRIGGER member_trail ON member RENAME TO x"),
    attack(ALL, "CREATE TRIGGER t BEFORE INSERT ON note EXECUTE FUNCTION audit_row()"),
    attack(ALL, "CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING"),
    attack(ALL, "SET session_replication_role = replica"),
    attack(ALL, "SELECT set_config('session_replication_role', 'replica', false)"),
    attack(ALL, "ALTER FUNCTION audit_row() RENAME TO x"),
    attack(ALL, "DROP FUNCTION audit_entry_seal() CASCADE"),
    attack(ALL, "SELECT audit_entry_seal()", also=("0A000",)),
)
FILE = (
    attack(ALL, "DELETE FROM member"),
    attack(ALL, "DELETE FROM note"),
    attack(ALL, "DELETE FROM call"),
    attack(ALL, "DELETE FROM errand"),
    attack(ALL, "DELETE FROM alert"),
    attack(ALL, "DELETE FROM name_correction"),
    attack(ALL, "DELETE FROM former_name"),
    attack(ALL, "DELETE FROM registration"),
    attack(ALL, "DELETE FROM presence"),
    attack(ALL, "DELETE FROM change"),
    attack(ALL, "DELETE FROM search_key"),
    attack(ALL, "TRUNCATE member CASCADE"),
    attack(ALL, "TRUNCATE search_key, search_word, search_head"),
    attack(ALL, "UPDATE member SET identity_last_four = '0000'"),
    attack(ALL, "UPDATE member SET number = 'M9'"),
    attack(ALL, "UPDATE member SET id = 99"),
    attack(ALL, "UPDATE member SET since = now()"),
    attack(ALL, "UPDATE member SET name = 'Hacker', version = version + 1"),
    attack(ALL, "UPDATE member SET given_names = 'Ruth', version = version + 1"),
    attack(ALL, "INSERT INTO member SELECT * FROM member"),
    attack(ALL, "UPDATE account SET balance = 0"),
    attack(ALL, "UPDATE account SET past_due = 0, disconnect_on = NULL"),
    attack(ALL, "UPDATE account SET last_payment = 99999"),
    attack(ALL, "UPDATE account SET member_id = 1"),
    attack(DESKS, "UPDATE account SET portal_version = 99"),
    attack(ALL, "INSERT INTO account SELECT * FROM account"),
    attack(ALL, "UPDATE holder SET may_act = 'everything'"),
    attack(ALL, "INSERT INTO holder SELECT * FROM holder"),
    attack(ALL, "UPDATE former_name SET name = 'x'"),
    attack(
        ALL,
        "INSERT INTO former_name (member_id, name, given_names, until) "
        "VALUES (1, 'Forged', '', now())",
    ),
    attack(
        ALL,
        "INSERT INTO former_address (member_id, line, city, until) VALUES (1, 'x', 'y', now())",
    ),
    attack(ALL, "UPDATE note SET text = 'x'"),
    attack(ALL, "UPDATE note SET written_by = 'pat'"),
    attack(
        ALL,
        "UPDATE note SET removed_by = 'sue', version = version + 1 WHERE id = 'n1'",
    ),
    attack(
        ALL,
        "INSERT INTO note (id, member_id, text, written_by, written_at, removed_by, version) "
        "VALUES ('n9', 1, 'x', 'sue', now(), '', 1)",
    ),
    attack(
        ALL,
        "INSERT INTO alert (member_id, kind, note, raised_by, raised_at, cleared_by, version) "
        "VALUES (1, 'deceased', '', 'sue', now(), '', 1)",
    ),
    attack(ALL, "UPDATE alert SET cleared_by = 'sue', version = version + 1"),
    attack(ALL, "UPDATE alert SET kind = 'deceased'"),
    attack(ALL, "UPDATE alert SET raised_by = 'pat'"),
    attack(ALL, "UPDATE call SET staff = 'sue'"),
    attack(ALL, "UPDATE call SET facts = 'name', version = version + 1 WHERE id = 'c1'"),
    attack(ALL, "UPDATE call SET note = 'x', version = version + 1 WHERE id = 'c2'"),
    attack(ALL, "UPDATE call SET began_at = now()"),
    attack(
        ALL,
        "INSERT INTO call (id, member_id, staff, member_began, began_at, facts, reason, result, "
        "note, version) VALUES ('c9', 1, 'sue', true, now(), '', '', '', '', 1)",
    ),
    attack(
        ALL,
        _CORRECTION + "('k9', 1, 'DeLong', 'Rose', 'X', 'Y', 'account', '', false, '', 'sue', "
        "now(), '', 1)",
    ),
    attack(
        ALL,
        _CORRECTION + "('k9', 1, 'Never', 'Was', 'X', 'Y', 'account', '', false, '', session_user, "
        "now(), '', 1)",
    ),
    attack(
        ALL,
        _CORRECTION + "('k9', 1, 'DeLong', 'Rose', 'X', 'Y', 'account', '', true, session_user, "
        "session_user, now(), '', 1)",
    ),
    attack(
        ALL,
        _CORRECTION + "('k9', 1, 'DeLong', 'Rose', 'X', 'Y', 'account', '', true, 'sam', "
        "session_user, now(), '', 1)",
    ),
    # Another person's name without a supervisor, with one who knows nothing of it, and as if it
    # were only spelled otherwise.
    *(
        attack(
            CHANGERS,
            _CORRECTION
            + f"('k8', 1, 'DeLong', 'Rose', '{name}', 'Rose', 'bill', '', {flagged}, "
            + f"'{approver}', session_user, now(), '', 1)",
            f"UPDATE member SET name = '{name}', version = version + 1 WHERE id = 1",
        )
        for name, flagged, approver in (
            ("Smithers", "true", ""),
            ("Smithers", "false", ""),
            ("Smithers", "true", "sue"),
            ("Delonge", "true", ""),
        )
    ),
    attack(
        CHANGERS,
        "INSERT INTO audit_entry (at, staff, workstation, action, detail) VALUES (now(), 'sue', "
        "'', 'name:approval_given', '{\"correction\": \"k7\"}')",
        _CORRECTION + "('k7', 1, 'DeLong', 'Rose', 'Smithers', 'Rose', 'bill', '', true, 'sue', "
        "session_user, now(), '', 1)",
    ),
    attack(
        CHANGERS,
        "UPDATE name_correction SET undone_by = session_user, undone_at = now(), "
        "version = version + 1 WHERE id = 'k1'",
    ),
    attack(
        CHANGERS,
        "UPDATE name_correction SET undone_by = '', undone_at = NULL, version = version + 1 "
        "WHERE id = 'k2'",
    ),
    attack(
        CHANGERS,
        "UPDATE contact_change SET undone_by = session_user, undone_at = now(), "
        "version = version + 1",
    ),
    attack(CHANGERS, "UPDATE contact_change SET undone_at = now(), version = 700"),
    attack(CHANGERS, "UPDATE registration SET version = version + 100"),
    # What no desk could read.
    *(
        attack(CHANGERS, statement, also=(CHECK, "22P02", "22007"))
        for statement in (
            "INSERT INTO alert (member_id, kind, note, raised_by, raised_at, cleared_by, version) "
            "VALUES (1, 'nonsense', '', session_user, now(), '', 1)",
            _NOTE + "('n8', 1, 'x', session_user, 'infinity', '', 1)",
            _NOTE + "('n8', 1, 'x', session_user, '4000-01-01 BC', '', 1)",
            _NOTE + "('n8', 1, repeat('x', 50000000), session_user, now(), '', 1)",
            "UPDATE note SET removed_by = session_user, removed_at = '-infinity', "
            "version = version + 1",
            "INSERT INTO call (id, member_id, staff, member_began, began_at, facts, reason, "
            "result, note, version) VALUES ('c8', 1, session_user, true, now(), '', 'nonsense', "
            "'', '', 1)",
            _CORRECTION + "('k8', 1, 'DeLong', 'Rose', 'De Long', 'Rose', 'because', '', false, "
            "'', session_user, now(), '', 1)",
        )
    ),
    attack(
        ALL,
        "INSERT INTO change (at, origin, names) VALUES (now(), 'x', 'not json')",
        also=("22P02",),
    ),
    attack(ALL, "INSERT INTO change (at, origin, names) VALUES (now(), 'x', '5')"),
    attack(ALL, "INSERT INTO change (at, origin, names) VALUES (now(), 'x', '[1]')"),
    attack(ALL, "UPDATE name_correction SET name_before = 'x'"),
    attack(ALL, "UPDATE name_correction SET approved_by = 'sue'"),
    attack(ALL, "UPDATE name_correction SET undone_by = 'sue', version = version + 1"),
    attack(ALL, "UPDATE member SET email = 'x@example.org'"),
    # The version moves on as it should, but nobody says who asked for it.
    attack(
        CHANGERS,
        "UPDATE member SET email = 'x@example.org', version = version + 1 WHERE id = 1",
    ),
    attack(
        CHANGERS,
        _CONTACT + "('c1', 1, 1, '{\"phone\": \"1\"}', '{\"phone\": \"2\"}', 'in_person', '', "
        "session_user, now(), '')",
    ),
    attack(
        CHANGERS,
        _CONTACT + "('c2', 1, 1, (SELECT jsonb_build_object('phone', phone)::text FROM member "
        "WHERE id = 1), '{\"phone\": \"6205550100\"}', 'in_person', '', session_user, now(), '')",
        "UPDATE member SET phone = '6205550101', version = version + 1 WHERE id = 1",
    ),
    attack(
        CHANGERS,
        _CONTACT + "('c3', 1, 1, (SELECT jsonb_build_object('phone', phone)::text FROM member "
        "WHERE id = 1), '{\"phone\": \"6205550100\"}', 'in_person', '', session_user, now(), '')",
        "UPDATE member SET phone = '6205550100', email = 'x@example.org', version = version + 1 "
        "WHERE id = 1",
    ),
    attack(
        CHANGERS,
        _CONTACT + "('c4', 1, 1, (SELECT jsonb_build_object('phone', phone)::text FROM member "
        "WHERE id = 1), '{\"phone\": \"6205550100\"}', 'in_person', '', 'nobody', now(), '')",
        "UPDATE member SET phone = '6205550100', version = version + 1 WHERE id = 1",
    ),
    attack(
        LOOKERS, _CONTACT + "('c5', 1, 1, '{}', '{}', 'in_person', '', session_user, now(), '')"
    ),
    attack(ALL, "DELETE FROM contact_change"),
    attack(ALL, "UPDATE contact_change SET told = '', changed_by = 'sue'"),
    attack(ALL, "UPDATE member SET version = version + 1"),
    attack(ALL, "UPDATE member SET phone = '1', version = 1000000"),
    attack(ALL, "UPDATE note SET removed_at = now(), version = version - 1"),
    attack(LOOKERS, "UPDATE member SET email = 'x@example.org'"),
    attack(LOOKERS, "UPDATE note SET removed_at = now()"),
    attack(LOOKERS, "UPDATE registration SET assigned_to = 'ana'"),
    attack((COURIER,), "UPDATE member SET email = 'x@example.org'"),
    attack(ALL, "UPDATE coop SET id = 'x'", also=(RULE,)),
    attack(ALL, "UPDATE alembic_version SET version_num = '0001'"),
    attack(ALL, "INSERT INTO search_key VALUES ('n:hacker', 1, 1)"),
    attack(ALL, "INSERT INTO search_word VALUES ('hacker')"),
    attack(
        ALL,
        "SELECT search_rekey(1, array_agg(key), array_agg(of::int), '{}', '{}', '{}', '{}', '{}') "
        "FROM search_key WHERE member_id = 1",
    ),
    attack(ALL, "SELECT search_rekey(1, '{}', '{}', '{hacker}', '{1}', '{}', '{}', '{}')"),
    attack(ALL, "UPDATE presence SET staff = session_user"),
    attack(ALL, "UPDATE presence SET seen_at = now()"),
    attack(ALL, "INSERT INTO presence VALUES ('o9', 1, 'sue', 'desk', '', now(), now())"),
    attack(ALL, "UPDATE change SET names = '[]'"),
    attack(ALL, "INSERT INTO change (id, at, origin, names) VALUES (2000000000, now(), '', '')"),
)
ERRANDS = (
    attack(DESKS, "UPDATE errand SET state = 'done' WHERE id = 'waits'"),
    attack(DESKS, "UPDATE errand SET state = 'sending', leased_by = 'me' WHERE id = 'waits'"),
    attack(DESKS, "UPDATE errand SET payload = '{}'"),
    attack(DESKS, "UPDATE errand SET next_try_at = now() + interval '1 year'"),
    attack(DESKS, "SELECT * FROM errand FOR UPDATE"),
    attack(ALL, "UPDATE errand SET asked_by = 'pat'"),
    attack(ALL, "UPDATE errand SET account_number = '1'"),
    attack(ALL, "UPDATE errand SET kind = 'resend'"),
    attack((COURIER,), "UPDATE errand SET state = 'done' WHERE id = 'waits'"),
    attack((COURIER,), "UPDATE errand SET state = 'waiting' WHERE id = 'done'", also=(RULE,)),
    attack((COURIER,), "UPDATE errand SET state = 'sending' WHERE id = 'refused'", also=(RULE,)),
    attack((COURIER,), "UPDATE errand SET state = 'done' WHERE id = 'refused'", also=(RULE,)),
    attack((COURIER,), "UPDATE errand SET answer = 'x' WHERE id = 'done'"),
    attack((COURIER,), "UPDATE errand SET payload = '{}' WHERE id = 'done'"),
    attack((COURIER,), "UPDATE errand SET state = 'nonsense' WHERE id = 'sends'"),
    attack(
        ALL,
        _ERRAND + "('e9', 'publish_name', 'done', '1023401', 1, 'k1', '{}', session_user, now(), "
        "0, now(), '', '', 1)",
    ),
    attack(
        ALL,
        _ERRAND + "('e9', 'publish_name', 'waiting', '1023401', 1, 'k1', '{}', 'sue', now(), "
        "0, now(), '', '', 1)",
    ),
    attack(
        ALL,
        _ERRAND + "('e9', 'publish_name', 'waiting', '1023401', 1, NULL, '{}', session_user, "
        "now(), 0, now(), '', '', 1)",
    ),
    attack(
        ALL,
        _ERRAND + "('e9', 'publish_name', 'waiting', '1023401', 1, 'k1', '{}', session_user, "
        "now(), 0, now(), 'me', '', 1)",
    ),
    attack(DESKS, "UPDATE registration SET state = 'verified'"),
    attack(DESKS, "UPDATE registration SET email = 'x@example.org'"),
    attack(DESKS, "UPDATE registration SET assigned_to = 'sue', version = version + 1"),
    attack(DESKS, "UPDATE registration SET assigned_to = session_user, version = version + 1"),
    attack(DESKS, "INSERT INTO registration SELECT * FROM registration"),
    attack(ALL, "UPDATE registration SET assigned_to = 'pat'"),
    attack(DESKS, "UPDATE portal_cursor SET cursor = '0'"),
    attack(DESKS, "INSERT INTO registration_attempt SELECT * FROM registration_attempt"),
    attack(DESKS, "INSERT INTO delivery SELECT * FROM delivery"),
    attack(DESKS, "INSERT INTO courier_sign SELECT * FROM courier_sign"),
    attack(DESKS, "UPDATE courier_sign SET trouble = ''"),
    attack(ALL, "UPDATE delivery SET status = 'delivered'"),
    # What no courier could carry, and letters in the co-op's name.
    *(
        attack(
            CHANGERS,
            _ERRAND
            + f"('e8', '{kind}', 'waiting', '1023401', 1, NULL, '{payload}', session_user, "
            + f"now(), 0, {due}, '', '', 1)",
            also=(CHECK, "22P02"),
        )
        for kind, payload, due in (
            ("resend", "not json", "now()"),
            ("resend", "[1]", "now()"),
            ("resend", "{}", "'-infinity'"),
            ("resend", "{}", "now() + interval '2 years'"),
            ("resend", '{"x": "' + "x" * 3000 + '"}', "now()"),
            ("nonsense", "{}", "now()"),
            ("correct_email", "{}", "now()"),
            ("tell_old_contact", "{}", "now()"),
            ("tell_old_contact", _notice("rose@example.org"), "now()"),
            ("tell_old_contact", _notice("anybody@example.org"), "now()"),
        )
    ),
    *(
        attack(
            CHANGERS,
            _CONTACT + "('c9', 1, 1, (SELECT jsonb_build_object('phone', phone)::text FROM member "
            "WHERE id = 1), '{\"phone\": \"6205550100\"}', 'in_person', '', session_user, "
            "now(), '')",
            "UPDATE member SET phone = '6205550100', version = version + 1 WHERE id = 1",
            _ERRAND + f"('e8', 'tell_old_contact', 'waiting', '1023401', 1, NULL, '{payload}', "
            "session_user, now(), 0, now(), '', '', 1)",
        )
        for payload in (
            _notice("anybody@example.org"),
            _notice("rose@example.org", "phone. Pay at http://example.org"),
            _notice("rose@example.org", on="<b>now</b>"),
        )
    ),
)
ROLES = (
    attack(ALL, f"SELECT staff_add('eve', 'Eve', 'administrator', '{_VERIFIER}')"),
    attack(ALL, "SELECT staff_change_role(session_user::text, 'administrator')"),
    attack(ALL, f"SELECT staff_password('ada', '{_VERIFIER}')"),
    attack(ALL, "SELECT staff_rename('ada', 'x')"),
    attack(ALL, "SELECT staff_dismiss('ada')"),
    attack(ALL, "SELECT * FROM staff_signed_in()"),
    attack(ALL, "SELECT staff_seat(session_user::text, 'administrator')"),
    attack(ALL, "SELECT staff_check('ada')"),
    attack(ALL, "UPDATE staff SET role = 'administrator' WHERE login = session_user"),
    attack(ALL, "UPDATE staff SET dismissed = true WHERE login = 'ada'"),
    attack(ALL, "UPDATE staff SET password_hash = ''"),
    attack(ALL, "INSERT INTO staff VALUES ('eve', 'Eve', 'administrator', '', false, 1)"),
    attack(ALL, "DELETE FROM staff"),
    attack(ALL, "CREATE ROLE eve LOGIN SUPERUSER"),
    attack(ALL, "CREATE USER eve"),
    attack(ALL, "DROP ROLE sue"),
    attack(ALL, "ALTER ROLE sue PASSWORD 'x'"),
    attack(ALL, "ALTER ROLE sue NOLOGIN"),
    attack(ALL, "ALTER ROLE CURRENT_USER SUPERUSER"),
    attack(ALL, "ALTER ROLE CURRENT_USER CREATEROLE"),
    attack(ALL, "ALTER ROLE CURRENT_USER BYPASSRLS"),
    attack(ALL, "ALTER ROLE CURRENT_USER REPLICATION"),
    attack(ALL, "ALTER ROLE CURRENT_USER CREATEDB"),
    attack(ALL, "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1"),
    attack(ALL, "ALTER ROLE CURRENT_USER SET session_replication_role = replica"),
    attack(ALL, "ALTER ROLE ALL SET search_path = x"),
    attack(ALL, "ALTER ROLE console_representative SET search_path = x"),
    attack(ALL, "GRANT console_administrator TO CURRENT_USER"),
    attack(ALL, "GRANT console_owner TO CURRENT_USER"),
    attack(ALL, "GRANT pg_execute_server_program TO CURRENT_USER"),
    attack(ALL, "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC"),
    attack(ALL, "ALTER DEFAULT PRIVILEGES FOR ROLE console_owner GRANT ALL ON TABLES TO PUBLIC"),
    attack(ALL, "SET ROLE console_owner"),
    attack(ALL, "SET ROLE console_registrar"),
    attack(ALL, "SET ROLE console_administrator"),
    attack(ALL, "SET ROLE postgres"),
    attack(DESKS, "SET ROLE console_courier"),
    attack(ALL, "SELECT set_config('role', 'console_owner', false)"),
    attack(ALL, "SET SESSION AUTHORIZATION postgres"),
    attack(ALL, "SET SESSION AUTHORIZATION sue"),
    attack(ALL, "SELECT set_config('session_authorization', 'sue', false)"),
    attack(ALL, "REASSIGN OWNED BY console_owner TO CURRENT_USER"),
    attack(ALL, "DROP OWNED BY console_owner"),
)
MACHINE = (
    attack(ALL, "COPY member TO PROGRAM 'id'"),
    attack(ALL, "COPY note FROM PROGRAM 'id'"),
    attack(ALL, "COPY member TO '/tmp/members'"),
    attack(ALL, "COPY note FROM '/etc/passwd'"),
    attack(ALL, "SELECT pg_read_file('/etc/passwd')"),
    attack(ALL, "SELECT pg_read_binary_file('pg_hba.conf')"),
    attack(ALL, "SELECT pg_ls_dir('.')"),
    attack(ALL, "SELECT pg_stat_file('pg_hba.conf')"),
    attack(ALL, "SELECT * FROM pg_ls_logdir()"),
    attack(ALL, "SELECT lo_import('/etc/passwd')"),
    attack(ALL, "SELECT lo_export(1, '/tmp/x')"),
    attack(ALL, "SELECT lo_from_bytea(0, 'x')"),
    attack(ALL, "SELECT lo_create(0)"),
    attack(ALL, "CREATE EXTENSION dblink", also=_NOT_IN_THIS_SERVER),
    attack(ALL, "CREATE EXTENSION file_fdw", also=_NOT_IN_THIS_SERVER),
    attack(ALL, "SELECT dblink('dbname=postgres', 'SELECT 1')", also=_NO_SUCH_THING),
    attack(ALL, "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw", also=("42704",)),
    attack(ALL, "LOAD '/tmp/evil'"),
    attack(ALL, "CREATE LANGUAGE plpython3u", also=_NOT_IN_THIS_SERVER),
    attack(ALL, "ALTER SYSTEM SET fsync = off", also=("25001",)),
    attack(ALL, "ALTER DATABASE attacked SET search_path = x"),
    attack(ALL, "CREATE DATABASE mine", also=("25001",)),
    attack(ALL, "DROP DATABASE attacked", also=("25001",)),
    attack(ALL, "SELECT pg_reload_conf()"),
    attack(ALL, "SELECT pg_rotate_logfile()"),
    attack(ALL, "SELECT pg_switch_wal()"),
    attack(ALL, "SELECT pg_promote()"),
    attack(ALL, "SELECT pg_create_physical_replication_slot('s')"),
    attack(ALL, "SELECT pg_logical_emit_message(true, 'a', 'b')"),
    attack(ALL, "CHECKPOINT"),
    attack(ALL, "SET log_statement = 'none'"),
    attack(ALL, "SET lo_compat_privileges = on"),
    attack(ALL, "SELECT pg_terminate_backend(pid) FROM house_of_others()", also=_NO_SUCH_THING),
    attack(ALL, "SELECT pg_stat_reset()"),
    attack(ALL, "CREATE PUBLICATION p FOR ALL TABLES"),
    attack(ALL, "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION audit_row()"),
    attack(ALL, "CREATE TABLESPACE t LOCATION '/tmp'", also=("25001",)),
)
SHADOWS = (
    attack(ALL, "CREATE TABLE public.mine (x int)"),
    attack(ALL, "CREATE TABLE mine AS SELECT * FROM member"),
    attack(ALL, "SELECT * INTO mine FROM member"),
    attack(ALL, "CREATE TEMP TABLE member (id int)"),
    attack(ALL, "CREATE TEMP VIEW staff AS SELECT 1"),
    attack(ALL, "CREATE TEMP SEQUENCE s"),
    attack(ALL, "CREATE VIEW v AS SELECT * FROM member"),
    attack(ALL, "CREATE MATERIALIZED VIEW v AS SELECT * FROM member"),
    attack(ALL, "CREATE SCHEMA mine"),
    attack(ALL, "CREATE SCHEMA AUTHORIZATION CURRENT_USER"),
    attack(ALL, "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL'"),
    attack(ALL, "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    attack(
        ALL,
        "CREATE FUNCTION peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS "
        "'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
    ),
    attack(ALL, "CREATE OPERATOR public.<<< (leftarg = text, procedure = upper)"),
    attack(ALL, "CREATE CAST (text AS int) WITH INOUT", also=("42501",)),
    attack(ALL, "CREATE TYPE mine AS (x int)"),
    attack(ALL, "CREATE DOMAIN mine AS text"),
    attack(ALL, "CREATE AGGREGATE mine (int) (sfunc = int4pl, stype = int)"),
    attack(ALL, 'CREATE COLLATION mine FROM "C"'),
    attack(ALL, "CREATE STATISTICS st ON name, email FROM member"),
    attack(ALL, "CREATE INDEX i ON member (name)"),
    attack(ALL, "CREATE POLICY p ON member USING (true)"),
    attack(ALL, "ALTER TABLE member ENABLE ROW LEVEL SECURITY"),
    attack(ALL, "ALTER TABLE member OWNER TO CURRENT_USER"),
    attack(ALL, "ALTER TABLE member ADD COLUMN x int"),
    attack(ALL, "ALTER TABLE note INHERIT member"),
    attack(ALL, "ALTER TABLE name_correction DROP CONSTRAINT pk_name_correction"),
    attack(ALL, "DROP TABLE audit_entry CASCADE"),
    attack(ALL, "DROP SCHEMA public CASCADE"),
    attack(ALL, "ALTER SCHEMA public RENAME TO other"),
    attack(ALL, "COMMENT ON TABLE member IS 'x'"),
    attack(ALL, "REINDEX TABLE member"),
    attack(ALL, "CLUSTER member USING pk_member", also=("42501",)),
    attack(
        ALL,
        "SET search_path = pg_temp, public",
        "CREATE TEMP TABLE audit_entry (LIKE public.audit_chain)",
    ),
)
LOCKS = tuple(
    attack(ALL, f"LOCK TABLE {table} IN {mode} MODE")
    for table, mode in (
        ("member", "ACCESS EXCLUSIVE"),
        ("member", "EXCLUSIVE"),
        ("member", "SHARE"),
        ("audit_entry", "ACCESS EXCLUSIVE"),
        ("audit_chain", "EXCLUSIVE"),
        ("errand", "SHARE ROW EXCLUSIVE"),
        ("change", "ACCESS EXCLUSIVE"),
        ("presence", "EXCLUSIVE"),
        ("search_key", "ACCESS EXCLUSIVE"),
        ("staff", "ACCESS EXCLUSIVE"),
        ("call", "ACCESS EXCLUSIVE"),
    )
) + tuple(
    attack(ALL, f"SELECT {one}({key})")
    for one, key in (
        ("pg_advisory_lock", 0x636F6F70),
        ("pg_advisory_xact_lock", 0x636F6F70),
        ("pg_try_advisory_lock", 0x636F6F70),
        ("pg_advisory_lock_shared", 0x636F6F70),
    )
)
ATTACKS = (*SECRETS, *TRAIL, *FILE, *ERRANDS, *ROLES, *MACHINE, *SHADOWS, *LOCKS)


def test_there_are_enough_of_them() -> None:
    assert sum(len(attack.who) for attack in ATTACKS) >= 100


_OF_GROUPS = tuple(
    attack for attack in ATTACKS if "ALTER ROLE console_representative" in attack.statements[0]
)
"""A role may change its own settings, and on PostgreSQL 15 nobody can be kept from taking the role
of their group; the next test shows that it is of no use."""


def test_what_is_set_for_a_group_moves_nobody(house: House) -> None:
    with house.psql(REPRESENTATIVE) as connection:
        connection.execute("SET ROLE console_representative")
        connection.execute("ALTER ROLE console_representative SET search_path = x")
        connection.execute("ALTER ROLE console_representative PASSWORD 'a-password-of-a-group'")
        connection.commit()
    for login in ALL:
        with house.psql(login) as connection:
            assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            make_url(house.admin)
            .set(
                drivername="postgresql",
                username="console_representative",
                password="a-password-of-a-group",
            )
            .render_as_string(False)
        )
    with house.records.glance() as connection:
        connection.exec_driver_sql("ALTER ROLE console_representative RESET ALL")
        connection.exec_driver_sql("ALTER ROLE console_representative PASSWORD NULL")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.statements[-1][:60])
def test_an_attack_fails_and_changes_nothing(house: House, attack: Attack) -> None:
    only_as_oneself = attack in _OF_GROUPS
    fails(
        house,
        attack,
        lambda login: as_oneself_and_as_ones_group(login)[: 1 if only_as_oneself else 2],
    )


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT ALL ON member TO CURRENT_USER",
        "SELECT 1 FROM pg_stats WHERE tablename = 'staff' AND attname = 'password_hash'",
        "SELECT 1 FROM pg_stat_activity WHERE usename <> session_user AND query LIKE '%a%' "
        "AND query <> '<insufficient privilege>'",
        "SELECT 1 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) "
        "WHERE a.usename <> session_user AND s.cipher IS NOT NULL",
        "SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef "
        "AND coalesce(p.proconfig[1], '') NOT LIKE 'search_path=pg_catalog, public, pg_temp'",
        "SELECT 1 FROM information_schema.role_table_grants WHERE privilege_type IN "
        "('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES') AND table_schema = 'public'",
        "SELECT 1 FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace "
        "AND coalesce(array_to_string(reloptions, ','), '') NOT LIKE '%security_barrier=true%'",
        "SELECT 1 FROM pg_roles WHERE rolname LIKE 'console%' AND rolcanlogin",
    ],
)
def test_what_is_not_refused_shows_nothing_and_changes_nothing(
    house: House, statement: str
) -> None:
    before = house.fingerprint()
    for login in ALL:
        with house.psql(login) as connection:
            shown = connection.execute(statement.encode())
            assert shown.description is None or shown.fetchall() == []
            connection.commit()
    assert house.fingerprint() == before


@pytest.mark.parametrize("login", ALL)
def test_whoever_writes_on_the_trail_writes_as_oneself(house: House, login: str) -> None:
    with house.psql(login) as connection:
        connection.execute("SELECT set_config('console.staff', 'sue', false)")
        connection.execute("SELECT set_config('console.auditing', 'off', false)")
        connection.execute(
            "INSERT INTO audit_entry (at, staff, workstation, action, detail) "
            "VALUES ('2001-01-01', 'sue', 'forged', 'member:opened', '{\"by\": \"test\"}')"
        )
        connection.commit()
    with house.records.read() as db:
        row = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (row.staff, row.chain, row.workstation) == (login, login, "psql")
        assert abs((datetime.now(UTC) - row.at).total_seconds()) < 60


def test_nobody_ends_another_ones_session(house: House) -> None:
    with house.psql("sue") as theirs:
        for login in ALL:
            with house.psql(login) as connection, pytest.raises(psycopg.Error) as refusal:
                connection.execute("SELECT pg_terminate_backend(%s)", (theirs.info.backend_pid,))
            assert refusal.value.sqlstate == NO_RIGHT
        assert theirs.execute("SELECT 1").fetchone() == (1,)


def test_every_table_says_who_may_do_what() -> None:
    described = {rights.table for rights in (*roles.RIGHTS, *money_rules.RIGHTS)}
    assert described == {*schema.every_record().tables, "alembic_version"}


@pytest.mark.parametrize("function", ["definer", "table"])
def test_what_the_office_has_belongs_to_nobody_who_signs_in(house: House, function: str) -> None:
    asked = {
        "definer": "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE prosecdef",
        "table": "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'",
    }
    with house.records.glance() as connection:
        owners = set(connection.exec_driver_sql(asked[function]).scalars())
    assert owners <= {roles.OWNER, roles.REGISTRAR}
    assert owners


# What the console does with these logins


@pytest.fixture
def sit(house: House, portal: RunningPortal) -> Iterator[Callable[[str, Role], Desk]]:
    """Seat somebody at a desk that reaches the database with their own login."""
    seated: list[Desk] = []

    def seat(login: str, role: Role) -> Desk:
        client = Portal(portal.url, portal.token, "desk 9", deadline=10)
        records = schema.open_records(house.address(login), upgrade_it=False)
        settings = Settings(portal_url=portal.url, portal_token=portal.token)
        clock = lambda: datetime.now(UTC)  # noqa: E731  # the database has no other clock
        seated.append(
            Desk(records, client, Colleague(login, login.title(), role), settings, "desk 9", clock)
        )
        return seated[-1]

    yield seat
    for desk in seated:
        desk.records.close()
        desk.portal.close()


@pytest.fixture
def newcomer(house: House, portal: RunningPortal) -> int:
    """A member of this test's own, whom the portal knows too and who waits for an e-mail."""
    number = str(2_000_000 + uuid4().int % 1_000_000)
    member_id = add_member(house.records.signed("sue", "d"), "Okonkwo", (number,))
    seed(portal.store.path, [PortalAccount(number, "Okonkwo")])
    with house.records.begin() as db:
        db.add(
            Registration(
                account_digits=number,
                account_number=number,
                member_id=member_id,
                state=RegistrationState.AWAITING_VERIFICATION,
                kind=CaseKind.WAITING,
                since=NOW,
                attempts=1,
            )
        )
    return member_id


def _account(house: House, member_id: int) -> str:
    with house.records.read() as db:
        return db.scalars(select(Account.number).where(Account.member_id == member_id)).one()


def _trail_of(house: House, login: str, member_id: int) -> set[str]:
    with house.records.read() as db:
        rows = select(AuditEntry.action).where(
            AuditEntry.member_id == member_id, AuditEntry.chain == login
        )
        return set(db.scalars(rows))


@pytest.mark.parametrize(
    ("login", "role"),
    [
        ("pat", Role.REPRESENTATIVE),
        ("cleo", Role.CLERK),
        ("sue", Role.SUPERVISOR),
        ("ada", Role.ADMINISTRATOR),
    ],
)
def test_a_day_at_a_desk_works(
    house: House, sit: Callable[[str, Role], Desk], newcomer: int, login: str, role: Role
) -> None:
    desk, number = sit(login, role), _account(house, newcomer)
    members.look_up(desk, newcomer)
    presence.open(desk, newcomer, "name")
    call_id, note_id = str(uuid4()), str(uuid4())
    calls.begin(desk, call_id, None)
    calls.turn_to(desk, call_id, newcomer)
    calls.tick(desk, call_id, [Fact.NAME, Fact.LAST_FOUR, Fact.SERVICE_ADDRESS])
    members.write_note(desk, note_id, newcomer, "Calls after six.", call_id)
    members.remove_note(desk, note_id)
    members.restore_note(desk, note_id)
    alert = members.raise_alert(desk, newcomer, AlertKind.DOG_ON_PREMISES, "Two of them")
    members.clear_alert(desk, alert)
    members.restore_alert(desk, alert)
    names.read_out(desk, newcomer, number, call_id)
    version = names.name_on_file(desk, newcomer).version
    wanted = Correction(str(uuid4()), newcomer, version, "Okonkwu", "Rose", Proof.CALLER_VERIFIED)
    corrected = names.correct_name(desk, replace(wanted, call_id=call_id))
    assert [one.state for one in corrected.publications] == [ErrandState.WAITING]
    assert newcomer in {hit.member_id for hit in search.find(desk, "okonkwu").hits}
    assert names.undo_correction(desk, str(uuid4()), corrected.id).undone
    filed = contact.on_file(desk, newcomer, Asked.CALLER_VERIFIED, call_id)
    moved = replace(filed.contact, phone="6205550123", mailing_line="9 Elm Street")
    edit = ContactEdit(
        str(uuid4()), newcomer, filed.version, filed.contact, moved, Asked.CALLER_VERIFIED, call_id
    )
    changed = contact.change_contact(desk, edit)
    assert changed.on_file.contact == moved
    assert contact.undo_change(desk, str(uuid4()), changed.id).on_file.contact == filed.contact
    with house.records.read() as db:
        case = db.scalars(select(Registration).where(Registration.account_digits == number)).one()
    registration.assign(desk, case.id, True)
    registration.assign(desk, case.id, False)
    registration.check_at_portal(desk, newcomer, number, "Okonkwo", call_id)
    calls.wrap_up(desk, call_id, calls.WrapUp(Reason.REGISTRATION, Result.SOLVED, "Done."))
    presence.leave(desk)
    assert _trail_of(house, login, newcomer) >= {
        "member:opened", "call:turned", "caller:verified", "note:written", "note:removed",
        "alert:raised", "alert:cleared", "name:corrected", "name:correction_undone",
        "contact:shown", "contact:changed", "contact:change_undone",
        "registration:assigned", "registration:checked", "call:wrapped_up", "row:changed",
    }  # fmt: skip
    with house.records.read() as db:
        assert db.scalars(select(Presence).where(Presence.staff == login)).all() == []
    assert verify(house.records, login)


def test_another_persons_name_stands_with_a_supervisors_own_login(
    house: House, sit: Callable[[str, Role], Desk], newcomer: int
) -> None:
    desk = sit("pat", Role.REPRESENTATIVE)
    version = names.name_on_file(desk, newcomer).version
    wanted = Correction(str(uuid4()), newcomer, version, "Abernathy", "Rose", Proof.COURT_PAPER)
    with pytest.raises(names.NeedsSupervisor, match="A supervisor must approve"):
        names.correct_name(desk, wanted)
    with pytest.raises(names.NeedsSupervisor, match="may not approve"):
        names.correct_name(desk, wanted, names.Approval("sam", PASSWORD))
    corrected = names.correct_name(desk, wanted, names.Approval("sue", PASSWORD))
    assert corrected.after.name == "Abernathy"
    assert corrected.after.changed_by == "Pat"


def test_the_database_asks_for_no_supervisor_where_the_console_asks_for_none(
    house: House,
) -> None:
    """What the database sees of a name is coarse: it may miss a stranger and never a spelling."""
    pairs = [
        line.split("\t")[:2]
        for line in (Path(__file__).parents[1] / "data" / "names" / "labelled_pairs.tsv")
        .read_text(encoding="utf-8")
        .splitlines()[1:]
    ]
    pairs += [["Smith", "Smithers-Jones"], ["Wu", "Woo"], ["", "Anybody"], ["СОРЕ", "Cope"]]
    with house.records.glance() as connection:
        share_little = {
            (before, after): connection.scalar(
                text("SELECT names_share_little(:before, :after)"),
                {"before": before, "after": after},
            )
            for after, before in pairs
        }
    strangers = [pair for pair, said in share_little.items() if said]
    assert [pair for pair in strangers if not needs_supervisor(*pair)] == []
    assert len(strangers) >= 20


def test_what_a_column_may_hold_is_what_the_console_knows(house: House) -> None:
    known = {
        (table.name, column.name): {word.value for word in column.type.words}
        for table in schema.every_record().sorted_tables
        for column in table.columns
        if isinstance(column.type, Choice)
    } | {
        ("call", "reason"): {"", *Reason},
        ("call", "result"): {"", *Result},
        ("name_correction", "proof"): {*Proof},
        ("contact_change", "asked"): {*Asked},
        ("errand", "kind"): {*ErrandKind, "send_notice", "put_preferences"},
    }
    with house.records.glance() as connection:
        allowed = {
            (table, column): set(re.findall(r"'([^']*)'::", definition))
            for table, column, definition in connection.exec_driver_sql(
                "SELECT c.conrelid::regclass::text, a.attname, pg_get_constraintdef(c.oid) "
                "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid "
                "AND a.attnum = c.conkey[1] WHERE c.conname ~ '_known$'"
            )
        }
    assert allowed == known


def test_every_moment_is_one_that_a_calendar_knows(house: House) -> None:
    with house.records.glance() as connection:
        unchecked = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns c "
            "WHERE table_schema = 'public' AND data_type IN ('timestamp with time zone', 'date') "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint k "
            "WHERE k.conname = 'ck_' || c.table_name || '_' || c.column_name || '_in_calendar')"
        ).all()
    assert unchecked == []


def verify(records: Records, chain: str) -> bool:
    """Look whether every line of a chain follows from the one before."""
    with records.read() as db:
        rows = db.scalars(
            select(AuditEntry).where(AuditEntry.chain == chain).order_by(AuditEntry.seq)
        ).all()
    places = [row.seq for row in rows]
    links = [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    return places == list(range(1, len(rows) + 1)) and links


def test_an_auditor_looks_at_everything(
    house: House, sit: Callable[[str, Role], Desk], newcomer: int
) -> None:
    desk = sit("ana", Role.AUDITOR)
    assert members.look_up(desk, newcomer).name == "Okonkwo"
    assert search.find(desk, "okonkwo").hits
    assert registration.worklist(desk)
    verification.outbox(desk)
    with desk.records.read() as db:
        assert db.scalars(select(AuditEntry).limit(5)).all()
    assert "member:opened" in _trail_of(house, "ana", newcomer)


def test_an_e_mail_that_was_asked_for_waits_and_the_courier_carries_it(
    house: House, sit: Callable[[str, Role], Desk], newcomer: int
) -> None:
    desk, number, click = sit("pat", Role.REPRESENTATIVE), _account(house, newcomer), str(uuid4())
    asked = verification.resend(desk, click, number)
    assert asked.state is ErrandState.WAITING
    stands_still = rounds.health(desk)
    assert (stands_still.going, stands_still.waiting > 0) == (Going.NOBODY, True)
    assert "nothing is lost" in stands_still.words
    assert "No courier has been seen: ask whoever looks after the server" in asked.words
    carrier = sit(COURIER, Role.REPRESENTATIVE)
    polling.poll(carrier)
    assert courier.make_round(carrier, 100).carried >= 1
    rounds.leave_sign(carrier, "server/1", carrier.now(), 1, Turn(1, 0, 0, True, ""))
    assert not verification.errand(desk, click).state.is_open
    goes_on = rounds.health(sit("cleo", Role.CLERK))
    assert goes_on.going is not Going.NOBODY
    assert [(one.name, one.is_alive) for one in goes_on.couriers] == [("server/1", True)]
    assert _trail_of(house, COURIER, newcomer)
    assert verify(house.records, COURIER)


def test_an_administrator_looks_after_the_staff(
    house: House, sit: Callable[[str, Role], Desk]
) -> None:
    desk = sit("ada", Role.ADMINISTRATOR)
    staff.add(desk, "eve", "Eve Moreau", Role.REPRESENTATIVE, PASSWORD)
    with house.psql("eve") as theirs:
        theirs.execute("SELECT name FROM member")
        seats = {row.login: row.seats for row in staff.everybody(desk)}
        assert seats["eve"]
        staff.change_role(desk, "eve", Role.AUDITOR)
        theirs.execute("TABLE audit_entry")
        theirs.commit()
        staff.dismiss(desk, "eve")
        with pytest.raises(psycopg.OperationalError):
            theirs.execute("SELECT name FROM member")
    with pytest.raises(psycopg.OperationalError):
        house.psql("eve")
    for bad in (
        "SELECT staff_dismiss('ada')",
        "SELECT staff_change_role('ada', 'auditor')",
        f"SELECT staff_add('postgres', 'x', 'auditor', '{_VERIFIER}')",
        f"SELECT staff_add('console_owner', 'x', 'auditor', '{_VERIFIER}')",
        f"SELECT staff_add('carrier', 'x', 'auditor', '{_VERIFIER}')",
        f"SELECT staff_password('carrier', '{_VERIFIER}')",
        "SELECT staff_add('zoe', 'x', 'auditor', 'a plain password')",
        f"SELECT staff_add('zoe', 'x', 'owner', '{_VERIFIER}')",
        f"SELECT staff_add('zoe', 'x', 'courier', '{_VERIFIER}')",
        f"SELECT staff_add('zoe\" SUPERUSER', 'x', 'auditor', '{_VERIFIER}')",
    ):
        with house.psql("ada") as connection, pytest.raises(psycopg.Error) as refusal:
            connection.execute(bad.encode())
        assert refusal.value.sqlstate == NO_RIGHT
    with house.records.glance() as connection:
        connection.exec_driver_sql("DROP ROLE eve")


def test_setting_up_twice_harms_nothing(house: House) -> None:
    before = house.fingerprint()
    server = make_url(house.admin).set(database="postgres").render_as_string(False)
    again = set_up_server(server, "attacked", "ada", COURIER, _nobody_is_asked)
    assert (again.created, again.administrator_added, again.courier_added) == (False,) * 3
    with pytest.raises(CannotSetUp, match="holds the co-op"):
        set_up_server(server, "another", "ada", "", _nobody_is_asked)
    with pytest.raises(CannotSetUp, match="superuser"):
        set_up_server(house.address("ada"), "attacked", "", "", _nobody_is_asked)
    assert house.fingerprint() == before


def _nobody_is_asked(login: str) -> str:
    raise AssertionError(f"the password of {login} was asked for")
