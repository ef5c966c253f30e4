"""Money in psql: what staff try with their own logins fails, and what is theirs to do works.

Both are said by everybody as oneself and in the role of one's group, on PostgreSQL 15 and 18. Each
attack differs in one thing from a statement that works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from console.clients.portal import Portal
from console.domain.calls import Fact
from console.domain.members import AccountStatus
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay
from console.domain.staff import Role
from console.models import schema
from console.models.accounts import Account
from console.models.audit import AuditEntry
from console.models.base import Records
from console.models.payments import Payment
from console.services import calls, drawers, payments
from console.services.desk import Colleague, Desk
from console.services.payments import PaymentWish
from console.settings import Settings
from tests.attacks import (
    AUDITOR,
    CLERK,
    COURIER,
    DESKS,
    REPRESENTATIVE,
    SUPERVISOR,
    Attack,
    House,
    as_oneself_and_as_ones_group,
    attack,
    fails,
    furnished,
    try_,
)
from tests.office import add_member

pytestmark = pytest.mark.xdist_group("roles")

HALE, OTHER = 1, 2
"""The members whose money it is about."""
EVERYBODY = (*DESKS, SUPERVISOR, COURIER)
TAKERS = (REPRESENTATIVE, CLERK, SUPERVISOR)
HANDLERS = (CLERK, SUPERVISOR)
NO_SUPERVISOR = (*DESKS, COURIER)
NO_COURIER = (*DESKS, SUPERVISOR)
FREE, BUSY = "3000009", "3000001"
"""An account that nobody is paying, and one that somebody is."""


@pytest.fixture(scope="module", params=["15", "18"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """An office with a little of everything that is about money."""
    yield from furnished(request, fill)


def fill(records: Records) -> None:
    """Put down payments in every state, drawers, refunds and what hangs on them."""
    add_member(records, "Hale", tuple(f"300000{one}" for one in range(1, 10)))
    add_member(records, "Other", ("7000001",), number="M7")
    with records.engine.execution_options(console_writes=True).begin() as connection:
        for statement in _FILLING:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def columns(table: str, **values: str) -> str:
    """Write the statement that adds a row of these values, each in SQL."""
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


_OUTGOING = {
    "sends": "0", "was_answered": "false", "next_try_at": "now()", "leased_by": "''",
    "gateway_id": "''", "code": "''", "answer": "''", "state": "'intent'",
    "asked_by": "session_user", "asked_at": "now()", "version": "1",
}  # fmt: skip


def payment(
    id: str = "new", account: str = FREE, /, share: str = "", **other: str
) -> tuple[str, str]:
    """Ask for a payment as the console does: by a link, in a call; `other` is what differs."""
    values = {
        **_OUTGOING, "id": f"'{id}'", "member_id": str(HALE), "way": "'link'",
        "origin": "'call'", "amount": "5000", "call_id": "'call-' || session_user",
        "method_words": "''", "charge_id": "''", "page_id": "''", "page_url": "''",
        "shut_asked": "false", "link_to": "'hale@example.org'", "receipt_to": "''",
        "cheque_number": "''", **other,
    }  # fmt: skip
    shared = columns(
        "payment_share", payment_id=f"'{id}'", account_number=f"'{account}'",
        amount=share or values["amount"], is_open="true",
    )  # fmt: skip
    return columns("payment", **values), shared


_AT_COUNTER = {
    "origin": "'counter'", "call_id": "NULL", "link_to": "''",
    "drawer_id": "(SELECT id FROM drawer WHERE clerk = session_user AND closed_at IS NULL)",
}  # fmt: skip
_TAKEN = "state = 'charged', finished_at = now(), counts_on = current_date, version = version + 1"


def cash(id: str = "new", account: str = FREE, /, **other: str) -> tuple[str, str]:
    """Ask for cash that is handed over into one's own drawer."""
    return payment(id, account, **{"way": "'cash'", **_AT_COUNTER, **other})


def taken(id: str = "new", table: str = "payment") -> str:
    """Write down that it was handed over."""
    return f"UPDATE {table} SET {_TAKEN} WHERE id = '{id}'"


def refund(id: str = "new", paid: str = "paid", /, **other: str) -> str:
    """Ask for a part of a payment to be given back."""
    values = {
        **_OUTGOING, "id": f"'{id}'", "payment_id": f"'{paid}'", "member_id": str(HALE),
        "account_number": "'3000005'", "amount": "1000", "reason": "'Paid twice'",
        "needs_second": "false", "approved_by": "''", **other,
    }  # fmt: skip
    return columns("refund", **values)


def came_back(paid: str, kind: str, fee: str = "0", by: str = "session_user", **other: str) -> str:
    """Write down that a payment did not last."""
    values = {
        "id": "'back'", "payment_id": f"'{paid}'", "member_id": str(HALE), "kind": f"'{kind}'",
        "code": "''", "reason": "'R01'", "fee": fee, "recorded_by": by, "recorded_at": "now()",
        "counts_on": "current_date", **other,
    }  # fmt: skip
    return columns("payment_return", **values)


def decision(id: str, verdict: str = "charged", **other: str) -> str:
    """Decide what became of something under review."""
    values = {
        "id": f"'{id}'", "member_id": str(HALE), "verdict": f"'{verdict}'",
        "evidence": "'The bank shows the sum on its statement.'", "gateway_id": "'pi_found'",
        "decided_by": "session_user", "decided_at": "now()", **other,
    }  # fmt: skip
    return columns("review_decision", **values)


def wish(id: str = "wish", **other: str) -> str:
    """Ask for a method to be stored."""
    values = {
        "id": f"'{id}'", "member_id": str(HALE), "kind": "'add'", "state": "'waiting'",
        "make_default": "true", "call_id": "'call-' || session_user",
        "asked_by": "session_user", "asked_at": "now()", "page_id": "''", "page_url": "''",
        "tries": "0", "next_try_at": "now()", "leased_by": "''", "answer": "''",
        "version": "1", **other,
    }  # fmt: skip
    return columns("method_request", **values)


def authorization(id: str = "new", **other: str) -> str:
    """Keep the words by which a debit was allowed on the phone."""
    values = {
        "id": f"'{id}'", "member_id": str(HALE), "script": "repeat('I allow this debit. ', 9)",
        "recurring": "false", "recording": "'line 2, 10:42'", "notice_to": "''",
        "accepted_at": "now()", "read_by": "session_user", **other,
    }  # fmt: skip
    return columns("phone_authorization", **values)


def drawer(id: str, clerk: str = "session_user", **other: str) -> str:
    """Open a drawer."""
    values = {
        "id": f"'{id}'", "clerk": clerk, "workstation": "'d'", "opened_at": "now()",
        "opening_cash": "10000", "closed_by": "''", "counted": "'{}'", "explanation": "''",
        "version": "1", **other,
    }  # fmt: skip
    return columns("drawer", **values)


def count(
    id: str, cash: int, cheques: int = 0, cheque_sum: int = 0, why: str = "", more: str = ""
) -> str:
    """Close a drawer as it was counted."""
    return (
        "UPDATE drawer SET closed_at = now(), closed_by = session_user, counted = '{}', "
        f"counted_cash = {cash}, counted_cheques = {cheques}, counted_cheque_sum = {cheque_sum}, "
        f"explanation = '{why}', {more} version = version + 1 WHERE id = '{id}'"
    )


def cash_moves(drawer_id: str, kind: str = "pay_in", amount: int = 100) -> str:
    """Put cash into a drawer, or take it out."""
    return columns(
        "drawer_movement", id="'moved'", drawer_id=drawer_id, kind=f"'{kind}'",
        amount=str(amount), words="'Change'", moved_by="session_user", moved_at="now()",
    )  # fmt: skip


def arrangement(id: str = "new", **other: str) -> str:
    """Agree on an arrangement."""
    values = {
        "id": f"'{id}'", "member_id": str(HALE), "account_number": f"'{FREE}'",
        "state": "'open'", "note": "''", "made_by": "session_user", "made_at": "now()",
        "ended_by": "''", "version": "1", **other,
    }  # fmt: skip
    return columns("arrangement", **values)


def promise(of: str = "new", amount: int = 100) -> str:
    """Promise a sum."""
    return columns(
        "promise", arrangement_id=f"'{of}'", due_on="current_date + 7", amount=str(amount)
    )


def auto_pay(id: str = "new", **other: str) -> str:
    """Agree on Auto Pay."""
    values = {
        "id": f"'{id}'", "member_id": str(HALE), "account_number": f"'{FREE}'",
        "method_id": "'m1'", "day_of_month": "5", "most": "20000",
        "call_id": "'call-' || session_user", "enrolled_by": "session_user",
        "enrolled_at": "now()", "ended_by": "''", "version": "1", **other,
    }  # fmt: skip
    return columns("auto_pay", **values)


def run(id: str = "new", of: str = "ap1", account: str = "3000008") -> str:
    """Run Auto Pay for a day."""
    return columns(
        "auto_pay_run", id=f"'{id}'", auto_pay_id=f"'{of}'", member_id=str(HALE),
        account_number=f"'{account}'", run_on="current_date", amount="5000", state="'asked'",
        answer="''", made_at="now()", version="1",
    )  # fmt: skip


_BY_ITSELF = {
    "way": "'stored'", "origin": "'auto_pay'", "call_id": "NULL", "link_to": "''",
    "method_id": "'m1'",
}  # fmt: skip
_STORED = {"way": "'stored'", "method_id": "'m1'", "link_to": "''"}
_BANK = {"way": "'bank'", "link_to": "''"}
_TOKEN = "INSERT INTO method_token (id, token) VALUES ('new', 'pm_bank')"  # made up


def _call(change: str) -> str:
    return f"UPDATE call SET {change}, version = version + 1 WHERE id = 'call-' || session_user"


_OUR_CALL = columns(
    "call", id="'ours'", member_id=str(HALE), staff="session_user", member_began="false",
    began_at="now()", verified_at="now()", facts="''", reason="''", result="''", note="''",
    version="1",
)  # fmt: skip
"""A call that we began."""


def errand(kind: str, payload: str = '{"payment": "paid", "to": "hale@example.org"}') -> str:
    """Leave something in the outbox."""
    return columns(
        "errand", id="'new'", kind=f"'{kind}'", state="'waiting'", account_number=f"'{FREE}'",
        member_id=str(HALE), payload=f"'{payload}'", asked_by="session_user", asked_at="now()",
        tries="0", next_try_at="now()", leased_by="''", answer="''", version="1",
    )  # fmt: skip


def says(action: str, member: int = HALE) -> str:
    """Write a line on the trail."""
    return (
        "INSERT INTO audit_entry (at, staff, workstation, action, member_id, detail) "
        f"VALUES (now(), session_user, 'd', '{action}', {member}, '{{}}')"
    )


def _filled(id: str, account: str, *states: str, **other: str) -> Iterator[str]:
    yield from payment(id, account, **{"asked_by": "'pat'", "call_id": "'call-pat'", **other})
    for state in states:
        yield f"UPDATE payment SET state = '{state}' WHERE id = '{id}'"


_NUMBERS = {"next_try_at": "now()", "asked_by": "'sue'"}
_FILLING = (
    *(
        columns(
            "call", id=f"'call-{who}'", member_id=str(HALE), staff=f"'{who}'",
            member_began="true", began_at="now()", verified_at="now()", facts="''", reason="''",
            result="''", note="''", version="1",
        )
        for who in ("pat", "cleo", "sue", "sam")
    ),
    *(
        columns(
            "stored_method", id=f"'{id}'", member_id=str(member), kind="'card'", brand="'visa'",
            last_four="'4242'", is_default="false", added_by="'pat'", added_at="now()",
            removed_by="''" if there else "'pat'", removed_at="NULL" if there else "now()",
            version="1",
        )
        for id, member, there in (("m1", HALE, True), ("m2", OTHER, True), ("m3", HALE, False))
    ),
    "INSERT INTO method_token VALUES ('m1', 'pm_secret')",
    f"INSERT INTO gateway_customer VALUES ({HALE}, 'cus_secret')",
    *(drawer(f"d-{who}", f"'{who}'") for who in ("cleo", "sue", "sam")),
    drawer("shut", "'cleo'", closed_at="now()"),
    *_filled("waits", "3000001"),
    *_filled("sends", "3000002", "sending"),
    *_filled("unknown", "3000003", "sending", "unknown"),
    *_filled("review", "3000004", "sending", "unknown", "review"),
    *_filled("paid", "3000005", "sending", "charged", amount="90000"),
    *_filled("given", "3000005", "sending", "charged", amount="90000"),
    *_filled("declined", "3000006", "sending", "declined"),
    *_filled("debit", "3000006", "sending", "charged", **_BANK),
    authorization("debit", read_by="'pat'"),
    *cash("in-cleo", "3000007", drawer_id="'d-cleo'", asked_by="'cleo'"),
    taken("in-cleo"),
    *cash("in-sam", "3000007", drawer_id="'d-sam'", asked_by="'sam'"),
    taken("in-sam"),
    *cash("cheque", "3000007", drawer_id="'d-sam'", asked_by="'sam'", way="'cheque'"),
    taken("cheque"),
    refund("asked", "given", asked_by="'sue'"),
    refund("large", "given", asked_by="'ada'", amount="30000", needs_second="true"),
    refund("large-of-sue", "given", asked_by="'sue'", amount="30000", needs_second="true"),
    refund("refund-review", "given", asked_by="'sue'"),
    *(
        f"UPDATE refund SET state = '{state}' WHERE id = 'refund-review'"
        for state in ("sending", "unknown", "review")
    ),
    auto_pay("ap1", enrolled_by="'pat'", account_number="'3000008'", call_id="'call-pat'"),
    arrangement("open", account_number="'3000008'", made_by="'pat'"),
    arrangement("off", account_number="'3000007'", made_by="'pat'"),
    "UPDATE arrangement SET state = 'called_off', ended_by = 'pat' WHERE id = 'off'",
    wish("done", state="'done'", asked_by="'pat'", call_id="'call-pat'"),
    wish("waiting", asked_by="'pat'", call_id="'call-pat'"),
    columns(
        "reconciliation", id="'sheet'", day="current_date", made_by="'carrier'", made_at="now()",
        ours="1", ours_sum="1", theirs="1", theirs_sum="1", settled="0",
    ),
    *(
        columns(
            "reconciliation_line", id=f"'{id}'", sheet_id="'sheet'", kind="'amount'",
            gateway_id="''", words="'x'", cleared_by=by, cleared_at=at, cleared_words="''",
            version="1",
        )
        for id, by, at in (("line", "''", "NULL"), ("cleared", "'sue'", "now()"))
    ),
    columns(
        "notice_preference", member_id=str(HALE), account_number="'3000001'",
        event="'bill_ready'", by_email="true", by_text="false", set_by="'pat'", set_at="now()",
        version="1",
    ),
    "INSERT INTO portal_preferences (account_number, portal_version, version) "
    "VALUES ('3000001', 1, 1)",
)  # fmt: skip

READS = (
    attack(NO_COURIER, "SELECT token FROM method_token"),
    attack(NO_COURIER, "SELECT id FROM method_token"),
    attack(NO_COURIER, "SELECT count(*) FROM method_token WHERE token LIKE 'pm%'"),
    attack(NO_COURIER, "COPY method_token TO STDOUT"),
    attack(NO_COURIER, "SELECT t FROM method_token t"),
    attack(NO_COURIER, "SELECT customer FROM gateway_customer"),
    attack(NO_COURIER, "TABLE gateway_customer"),
    attack(NO_COURIER, *payment(**_BANK), authorization(), _TOKEN + " RETURNING token"),
    attack(
        TAKERS,
        "INSERT INTO method_token VALUES ('m1', 'x') ON CONFLICT (id) DO UPDATE SET token = ''",
    ),
)
ASKED = (
    attack((AUDITOR, COURIER), *payment()),
    attack(TAKERS, *payment(state="'charged'")),
    attack(TAKERS, *payment(state="'sending'")),
    attack(TAKERS, *payment(sends="1")),
    attack(TAKERS, *payment(gateway_id="'pi_1'")),
    attack(TAKERS, *payment(answer="'Paid.'")),
    attack(TAKERS, *payment(was_answered="true")),
    attack(TAKERS, *payment(leased_by="'me'", leased_until="now() + interval '1 year'")),
    attack(TAKERS, *payment(settled_at="now()")),
    attack(TAKERS, *payment(finished_at="now()")),
    attack(TAKERS, *payment(counts_on="'2020-01-01'")),
    attack(TAKERS, *payment(page_url="'https://evil.example/'", page_id="'cs_1'")),
    attack(TAKERS, *payment(asked_at="now() + interval '1 day'")),
    attack(TAKERS, *payment(asked_at="now() - interval '1 day'")),
    attack(TAKERS, *payment(asked_by="'sam'")),
    attack(TAKERS, *payment(amount="0")),
    attack(TAKERS, *payment(amount="-5000")),
    attack(TAKERS, *payment(amount="2500001")),
    attack(TAKERS, *payment(share="4999")),
    attack(TAKERS, payment()[0]),
    attack(TAKERS, *payment("new", "7000001")),
    attack(TAKERS, *payment(), payment("waits", BUSY)[1].replace(BUSY, "3000008")),
    attack(TAKERS, *payment("new", BUSY), also=("23505",)),
    attack(TAKERS, *payment(call_id="NULL")),
    attack(TAKERS, *payment(call_id="'call-sam'")),
    attack(TAKERS, _call("verified_at = NULL"), *payment()),
    attack(TAKERS, _call("ended_at = now()"), *payment()),
    attack(TAKERS, _call(f"member_id = {OTHER}"), *payment()),
    attack(TAKERS, _call("ended_at = now()"), _OUR_CALL, *payment(call_id="'ours'")),
    attack(TAKERS, *payment(member_id=str(OTHER))),
    attack(TAKERS, *payment(**{**_STORED, "method_id": "'m2'"})),
    attack(TAKERS, *payment(**{**_STORED, "method_id": "'m3'"})),
    attack(TAKERS, *payment(**{**_STORED, "method_id": "NULL"})),
    attack(TAKERS, *payment(method_id="'m1'")),
    attack(TAKERS, *payment(origin="'counter'")),
    attack(TAKERS, *payment(**{**_STORED, "origin": "'counter'"})),
    attack((REPRESENTATIVE,), *payment(way="'page'", origin="'counter'", call_id="NULL")),
    attack(TAKERS, *payment(**_BY_ITSELF)),
    attack(TAKERS, *payment(drawer_id="'d-cleo'")),
    attack(TAKERS, *payment(**_BANK)),
    attack(TAKERS, *payment(**_BANK), authorization()),
    attack(TAKERS, *payment(**_BANK), _TOKEN),
    attack(TAKERS, *payment(**_BANK), _TOKEN, authorization(recording="' '")),
    attack(TAKERS, *payment(**_BANK), _TOKEN, authorization(script="'Yes.'")),
    attack(TAKERS, *payment(**_BANK), _TOKEN, authorization(read_by="'sam'")),
    attack(TAKERS, authorization()),
    attack(TAKERS, authorization("paid")),
    attack(TAKERS, "UPDATE phone_authorization SET script = 'x'"),
    attack(TAKERS, "DELETE FROM phone_authorization"),
    attack(TAKERS, _TOKEN),
    attack(TAKERS, _TOKEN.replace("'new'", "'waits'")),
    attack((COURIER,), *payment(call_id="'call-pat'")),
    attack((COURIER,), *payment("new", "3000008", **_BY_ITSELF)),
    attack((COURIER,), run(), *payment("new", FREE, **_BY_ITSELF)),
    attack((COURIER,), run(), *payment("new", "3000008", **{**_BY_ITSELF, "amount": "20001"})),
    attack((COURIER,), run(), *payment("new", "3000008", **{**_BY_ITSELF, "method_id": "'m2'"})),
    attack(NO_COURIER, run()),
)  # fmt: skip
_CHARGED = "UPDATE payment SET state = 'charged', gateway_id = 'pi_1' WHERE id = '%s'"
MOVED = (
    *(attack(EVERYBODY, _CHARGED % one) for one in ("waits", "review", "declined")),
    *(attack(NO_COURIER, _CHARGED % one) for one in ("sends", "unknown")),
    attack((COURIER,), "UPDATE payment SET state = 'charged' WHERE id = 'sends'"),
    attack(NO_COURIER, "UPDATE payment SET state = 'sending' WHERE id = 'waits'"),
    attack(NO_COURIER, "UPDATE payment SET state = 'declined' WHERE id = 'unknown'"),
    attack(EVERYBODY, "UPDATE payment SET state = 'declined' WHERE id = 'review'"),
    attack(EVERYBODY, "UPDATE payment SET state = 'intent' WHERE id = 'sends'"),
    attack(EVERYBODY, "UPDATE payment SET state = 'abandoned' WHERE id = 'sends'"),
    attack(EVERYBODY, "UPDATE payment SET state = 'unknown' WHERE id = 'paid'"),
    attack(EVERYBODY, "UPDATE payment SET state = 'declined' WHERE id = 'paid'"),
    attack(EVERYBODY, "UPDATE payment SET answer = 'Paid.' WHERE id = 'declined'"),
    attack(NO_COURIER, "UPDATE payment SET answer = 'Paid.' WHERE id = 'unknown'"),
    attack(NO_COURIER, "UPDATE payment SET gateway_id = 'pi_2' WHERE id = 'unknown'"),
    attack(NO_COURIER, "UPDATE payment SET settled_at = now() WHERE id = 'paid'"),
    attack(
        TAKERS,
        "UPDATE payment SET state = 'abandoned', gateway_id = 'pi_2' WHERE id = 'waits'",
    ),
    attack(EVERYBODY, "UPDATE payment SET amount = 1 WHERE id = 'waits'"),
    attack(EVERYBODY, "UPDATE payment SET member_id = 2 WHERE id = 'waits'"),
    attack(EVERYBODY, "UPDATE payment SET method_id = 'm2' WHERE id = 'waits'"),
    attack(EVERYBODY, "UPDATE payment SET asked_by = 'sam' WHERE id = 'waits'"),
    attack(EVERYBODY, "UPDATE payment SET link_to = 'x@example.org' WHERE id = 'waits'"),
    attack(NO_COURIER, "UPDATE payment SET page_url = 'https://evil.example/'"),
    attack(NO_COURIER, "UPDATE payment SET leased_until = now() + interval '1 year'"),
    attack(NO_COURIER, "UPDATE payment SET sends = 0, next_try_at = now()"),
    attack(
        (COURIER,),
        "UPDATE payment SET sends = 5, first_sent_at = now() WHERE id = 'sends'",
        "UPDATE payment SET sends = 1 WHERE id = 'sends'",
    ),
    attack(
        (COURIER,),
        "UPDATE payment SET sends = 5, first_sent_at = now() WHERE id = 'sends'",
        "UPDATE payment SET first_sent_at = now() + interval '1 day' WHERE id = 'sends'",
    ),
    attack(EVERYBODY, "DELETE FROM payment"),
    attack(EVERYBODY, "TRUNCATE payment CASCADE"),
    attack(EVERYBODY, "UPDATE payment_share SET amount = 1"),
    attack(EVERYBODY, "UPDATE payment_share SET is_open = false"),
    attack(EVERYBODY, "DELETE FROM payment_share"),
    attack((REPRESENTATIVE,), *cash(drawer_id="NULL"), taken()),
    attack((REPRESENTATIVE,), *cash(drawer_id="'d-cleo'"), taken()),
    attack(HANDLERS, *cash(drawer_id="'d-sam'"), taken()),
    attack(HANDLERS, *cash(drawer_id="'shut'"), taken()),
    attack(HANDLERS, *cash(drawer_id="NULL"), taken()),
    attack(HANDLERS, *cash()),
    attack(HANDLERS, *cash(share="1"), taken()),
    attack(HANDLERS, *cash(), taken().replace("state", "gateway_id = 'pi_1', state", 1)),
    attack(
        HANDLERS, *cash(way="'cheque'"), taken().replace("state", "settled_at = now(), state", 1)
    ),
)  # fmt: skip
_LINE = {
    "account_number": f"'{FREE}'", "amount": "-5000", "day": "current_date", "at": "now()",
    "words": "''",
}  # fmt: skip
BOOKS = (
    *(
        attack(EVERYBODY, columns("ledger_entry", kind=f"'{kind}'", source_id="'paid'", **_LINE))
        for kind in ("payment", "bill", "opening", "refund", "return", "fee")
    ),
    attack(EVERYBODY, "UPDATE ledger_entry SET amount = 0"),
    attack(EVERYBODY, "UPDATE ledger_entry SET words = ''"),
    attack(EVERYBODY, "DELETE FROM ledger_entry"),
    attack(EVERYBODY, "TRUNCATE ledger_entry"),
    attack(EVERYBODY, "UPDATE account SET balance = 0"),
    attack(EVERYBODY, "UPDATE account SET past_due = 0"),
    attack(EVERYBODY, "UPDATE account SET autopay = true"),
    attack(EVERYBODY, "UPDATE money_limit SET amount = 99999999 WHERE name = 'refund_alone'"),
    attack(EVERYBODY, "UPDATE money_limit SET amount = 99999999 WHERE name = 'largest_payment'"),
    attack(EVERYBODY, "DELETE FROM money_limit"),
    attack(EVERYBODY, "INSERT INTO money_limit VALUES ('mine', 1)"),
)
BACK = (
    attack(NO_SUPERVISOR, refund()),
    attack((SUPERVISOR,), refund(state="'charged'")),
    attack((SUPERVISOR,), refund(sends="1")),
    attack((SUPERVISOR,), refund(gateway_id="'re_1'")),
    attack((SUPERVISOR,), refund(asked_by="'ada'")),
    attack((SUPERVISOR,), refund(amount="20001")),
    attack((SUPERVISOR,), refund(amount="15000"), refund("more", amount="5001")),
    attack((SUPERVISOR,), refund(amount="90001", needs_second="true")),
    attack((SUPERVISOR,), refund(amount="0")),
    attack((SUPERVISOR,), refund(needs_second="true", approved_by="session_user")),
    attack((SUPERVISOR,), refund(needs_second="true", approved_by="'ada'")),
    attack((SUPERVISOR,), refund(member_id=str(OTHER))),
    attack((SUPERVISOR,), refund(account_number=f"'{FREE}'")),
    attack((SUPERVISOR,), refund("new", "declined", account_number="'3000006'")),
    attack((SUPERVISOR,), refund(drawer_id="'d-sue'"), taken("new", "refund")),
    attack((SUPERVISOR,), refund("new", "in-cleo", account_number="'3000007'")),
    attack(
        (SUPERVISOR,), refund("new", "in-cleo", account_number="'3000007'", drawer_id="'d-cleo'")
    ),
    attack((SUPERVISOR,), taken("asked", "refund")),
    attack(NO_SUPERVISOR, taken("asked", "refund")),
    attack((SUPERVISOR,), "UPDATE refund SET approved_by = session_user WHERE id = 'large-of-sue'"),
    attack((SUPERVISOR,), "UPDATE refund SET approved_by = 'ada' WHERE id = 'large-of-sue'"),
    attack(NO_SUPERVISOR, "UPDATE refund SET approved_by = session_user WHERE id = 'large'"),
    attack((COURIER,), "UPDATE refund SET state = 'sending', sends = 1 WHERE id = 'large'"),
    attack(EVERYBODY, "UPDATE refund SET needs_second = false"),
    attack(EVERYBODY, "UPDATE refund SET amount = 1"),
    attack(EVERYBODY, "DELETE FROM refund"),
    attack(
        (COURIER,),
        "UPDATE refund SET state = 'charged', gateway_id = 're' WHERE id = 'refund-review'",
    ),
    attack(NO_SUPERVISOR, decision("review")),
    attack((SUPERVISOR,), decision("review")),
    attack((SUPERVISOR,), decision("unknown"), taken("unknown")),
    attack((SUPERVISOR,), decision("review", decided_by="'ada'"), taken("review")),
    attack((SUPERVISOR,), decision("review", evidence="'sure'"), taken("review")),
    attack((SUPERVISOR,), decision("review", "not_charged"), taken("review")),
    attack((SUPERVISOR,), decision("review", member_id=str(OTHER)), taken("review")),
    attack(
        (SUPERVISOR,),
        decision("review"),
        taken("review").replace("state", "gateway_id = 'pi_another', state", 1),
    ),
    attack((SUPERVISOR,), taken("review")),
    attack((SUPERVISOR,), decision("refund-review"), taken("review")),
    attack(NO_COURIER, came_back("debit", "debit")),
    attack(NO_COURIER, came_back("paid", "dispute")),
    attack((REPRESENTATIVE, AUDITOR), came_back("cheque", "cheque")),
    attack(HANDLERS, came_back("paid", "cheque")),
    attack(HANDLERS, came_back("in-cleo", "cheque")),
    attack(HANDLERS, came_back("cheque", "cheque", "3001")),
    attack(HANDLERS, came_back("cheque", "cheque", "-1")),
    attack(HANDLERS, came_back("cheque", "cheque", by="'ada'")),
    attack(HANDLERS, came_back("cheque", "cheque", member_id=str(OTHER))),
    attack((REPRESENTATIVE, AUDITOR, COURIER), came_back("in-cleo", "void")),
    attack((CLERK,), came_back("in-sam", "void")),
    attack(HANDLERS, came_back("paid", "void")),
    attack(HANDLERS, came_back("in-cleo", "void", "100")),
    attack((COURIER,), came_back("cheque", "debit")),
    attack((COURIER,), came_back("declined", "debit")),
    attack(EVERYBODY, "UPDATE payment_return SET fee = 0"),
)  # fmt: skip
_IS_SHUT = "SELECT id FROM drawer WHERE id = 'd-cleo'"
REST = (
    # Drawers
    attack((REPRESENTATIVE, AUDITOR, COURIER), drawer("new")),
    attack(HANDLERS, drawer("new"), also=("23505",)),
    attack(HANDLERS, drawer("new", "'ada'")),
    attack((CLERK,), count("d-sam", 10_000, why="Counted by me alone.")),
    attack((CLERK,), count("d-sue", 10_000)),
    attack((REPRESENTATIVE, AUDITOR, COURIER), count("d-sam", 10_000)),
    attack((CLERK,), count("d-cleo", 14_000)),
    attack((CLERK,), count("d-cleo", 14_000, more="expected_cash = 14000,")),
    attack((CLERK,), count("d-cleo", 15_000, 1, 700, more="expected_cheques = 1, "
                           "expected_cheque_sum = 700,")),
    attack((CLERK,), count("d-cleo", 15_000).replace("= session_user", "= 'sam'")),
    attack((CLERK,), "UPDATE drawer SET closed_at = NULL, version = 2 WHERE id = 'shut'"),
    attack((CLERK,), "UPDATE drawer SET explanation = 'x', version = 2 WHERE id = 'shut'"),
    attack(EVERYBODY, "UPDATE drawer SET opening_cash = 0"),
    attack(EVERYBODY, "UPDATE drawer SET clerk = 'sam'"),
    attack(EVERYBODY, "DELETE FROM drawer"),
    attack(HANDLERS, cash_moves("'shut'")),
    attack(HANDLERS, cash_moves("'d-sam'")),
    attack(HANDLERS, cash_moves("'d-' || session_user", "to_safe", 100)),
    attack((REPRESENTATIVE, AUDITOR, COURIER), cash_moves("'d-cleo'")),
    # Stored methods
    attack(TAKERS, wish(call_id="NULL")),
    attack(TAKERS, wish(call_id="'call-sam'")),
    attack(TAKERS, wish(state="'done'", method_id="'m2'")),
    attack(TAKERS, wish(page_url="'https://evil.example/'", page_id="'cs'")),
    attack(TAKERS, wish(kind="'remove'", method_id="'m2'")),
    attack(TAKERS, "UPDATE method_request SET state = 'done', version = 2 WHERE id = 'waiting'"),
    attack(TAKERS, "UPDATE method_request SET method_id = 'm2' WHERE id = 'waiting'"),
    attack(EVERYBODY, "UPDATE method_request SET state = 'shut', version = 2 WHERE id = 'done'"),
    attack(TAKERS, "INSERT INTO stored_method SELECT * FROM stored_method"),
    attack(EVERYBODY, "UPDATE stored_method SET member_id = 2 WHERE id = 'm1'"),
    attack(TAKERS, "UPDATE stored_method SET removed_by = '', removed_at = NULL, "
           "version = version + 1 WHERE id = 'm3'"),
    attack(TAKERS, "UPDATE stored_method SET removed_by = 'sam', removed_at = now(), "
           "version = version + 1 WHERE id = 'm1'"),
    attack(TAKERS, f"INSERT INTO gateway_customer VALUES ({OTHER}, 'cus_mine')"),
    attack(TAKERS, "UPDATE gateway_customer SET customer = 'cus_mine'"),
    # Promises, Auto Pay, wishes
    attack(TAKERS, arrangement(account_number="'7000001'"), promise()),
    attack(TAKERS, arrangement(made_by="'sam'"), promise()),
    attack(TAKERS, arrangement(state="'kept'"), promise()),
    attack(TAKERS, arrangement(), promise(amount=0)),
    attack(TAKERS, promise("open")),
    attack(EVERYBODY, "UPDATE promise SET amount = 1"),
    attack(EVERYBODY, "UPDATE arrangement SET state = 'open', version = 3 WHERE id = 'off'"),
    attack(TAKERS, "UPDATE arrangement SET state = 'called_off', ended_by = 'sam', "
           "version = version + 1 WHERE id = 'open'"),
    attack(
        (COURIER,),
        "UPDATE arrangement SET state = 'called_off', ended_by = session_user, version = 2 "
        "WHERE id = 'open'",
    ),
    attack(TAKERS, auto_pay(call_id="NULL")),
    attack(TAKERS, auto_pay(method_id="'m2'")),
    attack(TAKERS, auto_pay(method_id="'m3'")),
    attack(TAKERS, auto_pay(account_number="'7000001'")),
    attack(TAKERS, auto_pay(day_of_month="31")),
    attack(TAKERS, auto_pay(enrolled_by="'sam'")),
    attack((AUDITOR, COURIER), auto_pay()),
    attack(TAKERS, "UPDATE auto_pay SET most = NULL"),
    attack(TAKERS, "UPDATE auto_pay SET ended_at = now(), version = version + 1 WHERE id = 'ap1'"),
    attack(TAKERS, "UPDATE notice_preference SET set_by = 'sam', version = version + 1"),
    attack((AUDITOR,), "UPDATE notice_preference SET by_text = true, version = version + 1"),
    # The day
    attack(DESKS, "INSERT INTO reconciliation SELECT * FROM reconciliation"),
    attack(DESKS, "UPDATE reconciliation_line SET cleared_by = session_user"),
    attack((SUPERVISOR,), "UPDATE reconciliation_line SET cleared_by = 'ada', cleared_at = now(), "
           "cleared_words = 'Found.' WHERE id = 'line'"),
    attack((SUPERVISOR,), "UPDATE reconciliation_line SET cleared_by = session_user, "
           "cleared_at = now() WHERE id = 'line'"),
    attack((SUPERVISOR,), "UPDATE reconciliation_line SET cleared_by = session_user, "
           "cleared_at = now(), cleared_words = 'Found.' WHERE id = 'cleared'"),
    # Letters
    *(attack((COURIER,), errand(kind)) for kind in ("resend", "correct_email", "tell_old_contact")),
    attack(TAKERS, errand("send_pay_link")),
    attack(TAKERS, errand("send_receipt", '{"payment": "waits", "to": "x@example.org"}')),
    attack(TAKERS, errand("send_receipt", '{"to": "x@example.org"}')),
    attack((AUDITOR,), errand("send_receipt")),
)  # fmt: skip
TRAIL = (
    *(
        attack(NO_COURIER, says(one))
        for one in (
            "payment:charged", "payment:declined", "payment:not_known", "payment:abandoned",
            "payment:under_review", "receipt:sent", "receipt:not_sent", "pay_link:sent",
            "refund:given", "refund:refused", "refund:under_review", "method:stored",
            "method:not_stored", "auto_pay:run", "auto_pay:skipped", "preferences:published",
        )
    ),
    *(
        attack((*DESKS, COURIER), says(one))
        for one in ("payment:decided", "refund:asked", "refund:approved", "mismatch:cleared")
    ),
    *(
        attack((REPRESENTATIVE, AUDITOR), says(one))
        for one in ("payment:voided", "payment:returned", "drawer:opened", "drawer:closed")
    ),
    attack((REPRESENTATIVE, CLERK, AUDITOR), says("day:reconciled")),
    attack(HANDLERS, *cash(), taken(), says("payment:charged", OTHER)),
)  # fmt: skip
ATTACKS = (*READS, *ASKED, *MOVED, *BOOKS, *BACK, *REST, *TRAIL)


def test_there_are_enough_of_them() -> None:
    assert len({one.statements for one in ATTACKS}) >= 150
    assert sum(len(one.who) for one in ATTACKS) >= 400


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.statements[-1][:60])
def test_an_attack_on_money_fails_and_changes_nothing(house: House, attack: Attack) -> None:
    fails(house, attack, as_oneself_and_as_ones_group)


# What is theirs to do


@dataclass(frozen=True)
class Allowed:
    """What some of them may say, in one transaction."""

    who: tuple[str, ...]
    statements: tuple[str, ...]


def _may(who: tuple[str, ...], *statements: str) -> Allowed:
    return Allowed(who, statements)


def _courier(id: str, *changes: str) -> tuple[str, ...]:
    return tuple(f"UPDATE payment SET {one} WHERE id = '{id}'" for one in changes)


ALLOWED = (
    _may(TAKERS, *payment()),
    _may(TAKERS, *payment(way="'page'", link_to="''")),
    _may(TAKERS, *payment(**_STORED)),
    _may(TAKERS, *payment(**_BANK), authorization(), _TOKEN),
    _may(TAKERS, *payment(amount="2500000")),
    _may(TAKERS, *payment(), "UPDATE payment SET shut_asked = true, version = 2 WHERE id = 'new'"),
    _may(TAKERS, "UPDATE payment SET state = 'abandoned', answer = 'Called off.', "
         "finished_at = now(), counts_on = current_date, version = 2 WHERE id = 'waits'"),
    _may(TAKERS, "UPDATE payment SET shut_asked = true, version = 2 WHERE id = 'unknown'"),
    _may(HANDLERS, *payment(way="'page'", origin="'counter'", call_id="NULL", link_to="''")),
    _may(HANDLERS, *cash(tendered="6000"), taken(), errand("send_receipt",
         '{"payment": "new", "to": "hale@example.org"}'), says("payment:charged")),
    _may(HANDLERS, *cash(), taken().replace("state", "settled_at = now(), state", 1)),
    _may(HANDLERS, *cash(way="'cheque'", cheque_number="'1042'"), taken()),
    _may((CLERK, SUPERVISOR), came_back("in-cleo", "void"), says("payment:voided")),
    _may((SUPERVISOR,), came_back("in-sam", "void")),
    _may(HANDLERS, came_back("cheque", "cheque", "3000"), says("payment:returned")),
    _may((COURIER,), came_back("debit", "debit", "2500"), says("payment:returned")),
    _may((COURIER,), came_back("paid", "dispute")),
    _may((COURIER,), *_courier(
        "waits",
        "state = 'sending', sends = 1, first_sent_at = now(), last_sent_at = now(), "
        "leased_by = 'c', leased_until = now() + interval '90 s', version = 2",
        "state = 'unknown', was_answered = true, leased_by = '', leased_until = NULL, "
        "next_try_at = now(), page_id = 'cs', page_url = 'https://pay.example/', version = 3"),
        errand("send_pay_link", '{"payment": "waits"}'), says("payment:not_known"),
        *_courier("waits", "state = 'charged', gateway_id = 'pi', charge_id = 'ch', page_url = '', "
                  "finished_at = now(), counts_on = current_date, method_words = 'Visa'"),
        errand("send_receipt", '{"payment": "waits", "to": "x"}').replace("'new'", "'receipt'"),
        *_courier("waits", "settled_at = now()"), says("payment:charged")),
    _may((COURIER,), *_courier("sends", "state = 'declined', code = 'card_declined'"),
         says("payment:declined")),
    _may((COURIER,), *_courier("unknown", "state = 'review'"), says("payment:under_review")),
    _may((COURIER,), *_courier("waits", "state = 'abandoned'"), says("payment:abandoned")),
    _may((COURIER,), run(), *payment("new", "3000008", **_BY_ITSELF), says("auto_pay:run")),
    _may((COURIER,), "SELECT token FROM method_token", "SELECT customer FROM gateway_customer",
         f"INSERT INTO gateway_customer VALUES ({OTHER}, 'cus')"),
    _may((COURIER,), "UPDATE refund SET state = 'sending', sends = 1 WHERE id = 'asked'",
         "UPDATE refund SET state = 'charged', gateway_id = 're' WHERE id = 'asked'",
         says("refund:given")),
    _may((SUPERVISOR,), refund(), says("refund:asked"),
         "UPDATE refund SET state = 'abandoned' WHERE id = 'new'"),
    _may((SUPERVISOR,), refund(amount="1000", needs_second="true")),
    _may((SUPERVISOR,), refund("new", "in-sam", account_number="'3000007'", drawer_id="'d-sue'"),
         taken("new", "refund"), says("refund:given")),
    _may((SUPERVISOR,), "UPDATE refund SET approved_by = session_user, approved_at = now(), "
         "version = 2 WHERE id = 'large'", says("refund:approved")),
    _may((SUPERVISOR,), decision("review"),
         taken("review").replace("state", "gateway_id = 'pi_found', state", 1),
         says("payment:decided")),
    _may((SUPERVISOR,), decision("review", "not_charged"),
         "UPDATE payment SET state = 'declined', version = 2 WHERE id = 'review'"),
    _may((SUPERVISOR,), decision("refund-review"), taken("refund-review", "refund")),
    _may(HANDLERS, cash_moves("'d-' || session_user"), says("drawer:moved")),
    _may((CLERK,), count("d-cleo", 15_000), says("drawer:closed"), drawer("new")),
    _may((CLERK,), count("d-cleo", 14_900, why="A dollar fell down.")),
    _may((SUPERVISOR,), count("d-sam", 15_000, 1, 5_000,
         more="expected_cash = 15000, expected_cheques = 1, expected_cheque_sum = 5000,")),
    _may(TAKERS, wish()),
    _may(TAKERS, wish(), _TOKEN.replace("'new'", "'wish'"), authorization("wish")),
    _may(TAKERS, wish(kind="'remove'", method_id="'m1'", call_id="NULL")),
    _may(TAKERS, "UPDATE method_request SET state = 'shut', version = 2 WHERE id = 'waiting'"),
    _may(TAKERS, "UPDATE stored_method SET is_default = true, version = 2 WHERE id = 'm1'"),
    _may(TAKERS, "UPDATE stored_method SET removed_by = session_user, removed_at = now(), "
         "version = 2 WHERE id = 'm1'", says("method:removed")),
    _may((COURIER,), "UPDATE method_request SET state = 'open', page_id = 'cs', version = 2 "
         "WHERE id = 'waiting'", "UPDATE method_request SET state = 'done', method_id = 'm1', "
         "version = 3 WHERE id = 'waiting'", says("method:stored")),
    _may(TAKERS, arrangement(), promise(), promise(amount=200), says("arrangement:made")),
    _may(TAKERS, "UPDATE arrangement SET state = 'called_off', ended_by = session_user, "
         "ended_at = now(), version = 2 WHERE id = 'open'"),
    _may((COURIER,), "UPDATE arrangement SET state = 'broken', ended_at = now(), version = 2 "
         "WHERE id = 'open'", says("arrangement:broken")),
    _may(TAKERS, auto_pay(), authorization("new"), says("auto_pay:enrolled")),
    _may(TAKERS, "UPDATE auto_pay SET ended_by = session_user, ended_at = now(), version = 2 "
         "WHERE id = 'ap1'"),
    _may((*TAKERS, COURIER), "UPDATE notice_preference SET by_text = true, "
         "set_by = session_user, set_at = now(), version = 2"),
    _may((SUPERVISOR,), "UPDATE reconciliation_line SET cleared_by = session_user, "
         "cleared_at = now(), cleared_words = 'Found.', version = 2 WHERE id = 'line'",
         says("mismatch:cleared"), says("day:reconciled")),
    _may(TAKERS, errand("send_receipt"), says("receipt:read_out"), says("receipt:printed"),
         says("payment:asked"), says("payment:cancelled"), says("payment:refused")),
    _may(EVERYBODY, "SELECT 1 FROM payment, ledger_entry, refund, drawer, auto_pay LIMIT 1"),
)  # fmt: skip


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda one: one.statements[-1][:60])
def test_what_is_theirs_to_do_works(house: House, allowed: Allowed) -> None:
    before = house.fingerprint()
    for login in allowed.who:
        for before_it in as_oneself_and_as_ones_group(login):
            with closing(house.psql(login)) as connection:
                for statement in (*before_it, *allowed.statements, "SET CONSTRAINTS ALL IMMEDIATE"):
                    connection.execute(statement.encode())
                connection.rollback()
    assert house.fingerprint() == before


def test_only_an_administrator_sets_what_the_office_goes_by(house: House) -> None:
    with house.psql("ada") as connection:
        try_(connection, ("UPDATE money_limit SET amount = 30000 WHERE name = 'refund_alone'",))
        try_(connection, ("UPDATE money_limit SET amount = 20000 WHERE name = 'refund_alone'",))
    with house.records.read() as db:
        told = select(AuditEntry.chain).where(AuditEntry.subject == "money_limit")
        assert db.scalars(told).all() == ["ada", "ada"]


def test_nobody_dates_money_back(house: House) -> None:
    with house.psql(CLERK) as connection:
        for statement in (*cash(), taken().replace("current_date", "'2020-01-01'")):
            connection.execute(statement.encode())
        days = connection.execute(
            "SELECT current_date - day FROM ledger_entry WHERE source_id = 'new'"
        ).fetchall()
        assert days == [(1,)]
        connection.rollback()


# A day with each login


@pytest.fixture
def sit(house: House) -> Iterator[Callable[[str, Role], Desk]]:
    """Seat somebody at a desk that reaches the database with their own login."""
    seated: list[Desk] = []

    def seat(login: str, role: Role) -> Desk:
        client = Portal("http://127.0.0.1:9", "none", "desk 9", deadline=1)
        records = schema.open_records(house.address(login), upgrade_it=False)
        clock = lambda: datetime.now(UTC)  # noqa: E731  # the database has no other clock
        settings = Settings(portal_url="http://127.0.0.1:9")
        colleague = Colleague(login, login.title(), role)
        seated.append(Desk(records, client, colleague, settings, "desk 9", clock))
        return seated[-1]

    yield seat
    for desk in seated:
        desk.records.close()
        desk.portal.close()


@pytest.mark.parametrize(
    ("login", "role"),
    [("pat", Role.REPRESENTATIVE), ("cleo", Role.CLERK), ("sue", Role.SUPERVISOR)],
)
def test_a_day_of_payments_works(
    house: House, sit: Callable[[str, Role], Desk], login: str, role: Role
) -> None:
    desk, number = sit(login, role), str(4_000_000 + uuid4().int % 900_000)
    member = add_member(house.records, "Newcomer", (number,), number=f"M{number}")
    call = str(uuid4())
    with house.records.begin() as db:
        db.execute(text("UPDATE call SET ended_at = now() WHERE staff = :who"), {"who": login})
    calls.begin(desk, call, None)
    calls.turn_to(desk, call, member)
    calls.tick(desk, call, [Fact.NAME, Fact.LAST_FOUR, Fact.SERVICE_ADDRESS])
    link = PaymentWish(
        str(uuid4()), member, PaymentWay.LINK, ((number, Money(5_000)),), Origin.CALL, call,
        link_to="rose@example.org",
    )  # fmt: skip
    assert payments.begin(desk, link).state is PaymentState.INTENT
    assert payments.cancel(desk, link.id).state is PaymentState.ABANDONED
    if role.may_handle_cash:
        mine = drawers.mine(desk)
        assert mine is not None
        by_hand = PaymentWish(
            str(uuid4()), member, PaymentWay.CASH, ((number, Money(4_000)),), Origin.COUNTER,
            tendered=Money(5_000), receipt_to="rose@example.org",
        )  # fmt: skip
        assert payments.begin(desk, by_hand).state is PaymentState.CHARGED
        with house.records.read() as db:
            account = db.get_one(Account, number)
            assert (account.balance, account.status) == (Money(10_210), AccountStatus.ACTIVE)
            assert db.get_one(Payment, by_hand.id).counts_on in _today()
    with house.records.read() as db:
        rows = select(AuditEntry.action, AuditEntry.subject).where(
            AuditEntry.chain == login, AuditEntry.member_id == member
        )
        told = {(row.action, row.subject) for row in db.execute(rows)}
    assert {("payment:asked", ""), ("payment:cancelled", ""), ("row:added", "payment")} <= told


def _today() -> set[date]:
    now = datetime.now(UTC)
    return {now.date(), now.astimezone().date(), date.fromordinal(now.toordinal() - 1)}
