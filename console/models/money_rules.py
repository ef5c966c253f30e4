"""What the database itself keeps about money, on both engines, whoever writes and however.

A payment moves as the protocol says and no other way. The ledger is written by the database, in
the very statement that makes a payment charged, a refund given or a return known, so that nothing
is recorded and not charged or charged and not recorded. Balances follow the ledger. Migrations
call these functions.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from console.models import money_moves, money_people, roles
from console.models.audited import ALWAYS, Followed, follow, keep_history
from console.models.money_people import APPROVERS, HANDLERS
from console.models.roles import CHANGERS, COURIER, Adds, Changes, Rights, grant, tell

_ON_ITS_WAY: Final = (
    "state", "sends", "was_answered", "first_sent_at", "last_sent_at", "next_try_at", "leased_by",
    "leased_until", "gateway_id", "code", "answer", "finished_at", "counts_on", "version",
)  # fmt: skip
"""What a courier writes on its way."""
_NOBODYS_ACT: Final = (
    "version", "sends", "last_sent_at", "next_try_at", "leased_by", "leased_until", "settled_at",
)  # fmt: skip
"""That thousands of payments were found to agree is told by the day's sheet, which is followed."""
RIGHTS: Final = (
    Rights(
        "payment",
        adds=(Adds((*CHANGERS, COURIER)),),
        changes=(
            Changes(
                CHANGERS,
                (
                    "state", "answer", "code", "gateway_id", "finished_at", "counts_on",
                    "settled_at", "shut_asked", "receipt_to", "version",
                ),
            ),
            Changes(
                (COURIER,),
                (
                    *_ON_ITS_WAY, "settled_at", "charge_id", "page_id", "page_url",
                    "page_expires_at", "method_words",
                ),
            ),
        ),
        author="asked_by",
    ),
    Rights(
        "payment_share",
        adds=(
            Adds((*CHANGERS, COURIER), ("payment_id", "account_number", "amount", "is_open")),
        ),
    ),
    Rights("phone_authorization", adds=(Adds(CHANGERS),), author="read_by"),
    Rights("payment_return", adds=(Adds((*HANDLERS, COURIER)),), author="recorded_by"),
    Rights(
        "refund",
        adds=(Adds(APPROVERS),),
        changes=(
            Changes(
                APPROVERS,
                (
                    "state", "approved_by", "approved_at", "answer", "code", "gateway_id",
                    "finished_at", "counts_on", "version",
                ),
            ),
            Changes((COURIER,), (*_ON_ITS_WAY, "settled_at")),
        ),
        author="asked_by",
        signed=("approved_by",),
    ),
    Rights("review_decision", adds=(Adds(APPROVERS),), author="decided_by"),
    Rights(
        "money_limit", changes=(Changes(("console_administrator",), ("amount",)),)
    ),
    Rights("ledger_entry"),
    Rights(
        "stored_method",
        adds=(Adds((COURIER,)),),
        changes=(
            Changes(CHANGERS, ("is_default", "removed_by", "removed_at", "version")),
            Changes((COURIER,), ("is_default", "version")),
        ),
        signed=("removed_by",),
    ),
    # A console that gives a bank account to the gateway leaves what it is called there, and can
    # never read it again.
    Rights(
        "method_token",
        read_by=(COURIER,),
        adds=(Adds((*CHANGERS, COURIER), ("id", "token")),),
    ),
    Rights("gateway_customer", read_by=(COURIER,), adds=(Adds((COURIER,)),)),
    Rights(
        "method_request",
        adds=(Adds(CHANGERS),),
        changes=(
            Changes(CHANGERS, ("state", "answer", "finished_at", "version")),
            Changes(
                (COURIER,),
                (
                    "state", "method_id", "page_id", "page_url", "tries", "next_try_at",
                    "leased_by", "leased_until", "answer", "finished_at", "version",
                ),
            ),
        ),
        author="asked_by",
    ),
    Rights(
        "drawer",
        adds=(Adds(HANDLERS),),
        changes=(
            Changes(
                HANDLERS,
                (
                    "closed_at", "closed_by", "counted", "counted_cash", "expected_cash",
                    "counted_cheques", "counted_cheque_sum", "expected_cheques",
                    "expected_cheque_sum", "explanation", "version",
                ),
            ),
        ),
        author="clerk",
        signed=("closed_by",),
    ),
    Rights("drawer_movement", adds=(Adds(HANDLERS),), author="moved_by"),
    Rights(
        "arrangement",
        adds=(Adds(CHANGERS),),
        changes=(
            Changes(CHANGERS, ("state", "note", "ended_by", "ended_at", "version")),
            Changes((COURIER,), ("state", "ended_at", "version")),
        ),
        author="made_by",
        signed=("ended_by",),
    ),
    Rights("promise", adds=(Adds(CHANGERS, ("arrangement_id", "due_on", "amount")),)),
    Rights(
        "auto_pay",
        adds=(Adds(CHANGERS),),
        changes=(
            Changes((*CHANGERS, COURIER), ("ended_by", "ended_at", "version")),
        ),
        author="enrolled_by",
        signed=("ended_by",),
    ),
    Rights(
        "auto_pay_run",
        adds=(Adds((COURIER,)),),
        changes=(Changes((COURIER,), ("state", "answer", "version")),),
    ),
    Rights(
        "notice_preference",
        adds=(
            Adds(
                (*CHANGERS, COURIER),
                (
                    "version", "member_id", "account_number", "event", "by_email", "by_text",
                    "set_by", "set_at",
                ),
            ),
        ),
        changes=(
            Changes((*CHANGERS, COURIER), ("by_email", "by_text", "set_by", "set_at", "version")),
        ),
        author="set_by",
        signed=("set_by",),
    ),
    Rights(
        "portal_preferences",
        adds=(Adds((*CHANGERS, COURIER)),),
        changes=(Changes((*CHANGERS, COURIER), ("portal_version", "read_at", "version")),),
    ),
    Rights("reconciliation", adds=(Adds((*APPROVERS, COURIER)),), author="made_by"),
    Rights(
        "reconciliation_line",
        adds=(Adds((*APPROVERS, COURIER)),),
        changes=(
            Changes(APPROVERS, ("cleared_by", "cleared_at", "cleared_words", "version")),
        ),
        signed=("cleared_by",),
    ),
)  # fmt: skip

FOLLOWED: Final = (
    Followed("payment", on=ALWAYS, passed_over=_NOBODYS_ACT),
    Followed("payment_share", on=("INSERT", "DELETE"), member="", account="account_number"),
    Followed("phone_authorization", on=ALWAYS),
    Followed("payment_return", on=ALWAYS),
    Followed("refund", on=ALWAYS, account="account_number", passed_over=_NOBODYS_ACT),
    Followed("review_decision", on=ALWAYS),
    Followed("money_limit", on=ALWAYS, key="name", member=""),
    Followed("ledger_entry", member="", account="account_number"),
    Followed("stored_method", on=ALWAYS),
    Followed("method_token", on=ALWAYS, member="", hidden=("token",)),
    Followed("gateway_customer", on=ALWAYS, key="member_id", hidden=("customer",)),
    Followed(
        "method_request",
        on=ALWAYS,
        hidden=("page_url",),
        passed_over=(*_NOBODYS_ACT, "tries"),
    ),
    Followed("drawer", on=ALWAYS, member=""),
    Followed("drawer_movement", on=ALWAYS, member=""),
    Followed("arrangement", on=ALWAYS, account="account_number"),
    Followed("promise", on=ALWAYS, member=""),
    Followed("auto_pay", on=ALWAYS, account="account_number"),
    Followed("auto_pay_run", on=ALWAYS, account="account_number"),
    Followed("notice_preference", on=ALWAYS, account="account_number"),
    Followed("reconciliation", on=ALWAYS, member=""),
    Followed("reconciliation_line", on=ALWAYS),
)
_HISTORY: Final = (
    ("payment_share", ("is_open",)),
    ("phone_authorization", ()),
    ("payment_return", ()),
    ("review_decision", ()),
    ("ledger_entry", ()),
    ("method_token", ()),
    (
        "drawer",
        (
            "closed_at", "closed_by", "counted", "counted_cash", "expected_cash",
            "counted_cheques", "counted_cheque_sum", "expected_cheques", "expected_cheque_sum",
            "explanation", "version",
        ),
    ),
    ("drawer_movement", ()),
    (
        "method_request",
        (
            "state", "method_id", "page_id", "page_url", "tries", "next_try_at", "leased_by",
            "leased_until", "answer", "finished_at", "version",
        ),
    ),
    ("promise", ()),
    ("reconciliation", ()),
    ("reconciliation_line", ("cleared_by", "cleared_at", "cleared_words", "version")),
    ("stored_method", ("is_default", "removed_by", "removed_at", "version")),
    ("arrangement", ("state", "note", "ended_by", "ended_at", "version")),
    ("auto_pay", ("ended_by", "ended_at", "version")),
    ("auto_pay_run", ("state", "answer", "version")),
)  # fmt: skip


def set_up(connection: Connection) -> None:
    """Make the rules, the trail and the rights of the tables about money."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        roles.let_tables_number_their_rows(connection)
    for statement in money_moves.SQLITE if sqlite else money_moves.POSTGRESQL:
        tell(connection, statement)
    for followed in FOLLOWED:
        follow(connection, followed)
    for table, may_change in _HISTORY:
        keep_history(connection, table, may_change)
    if not sqlite:
        for rights in (*RIGHTS, *_WIDENED):
            grant(connection, rights)
        for statement in money_people.RULES:
            tell(connection, statement)
        for name in _FUNCTIONS:
            tell(connection, f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")


_WIDENED: Final = tuple(rights for rights in roles.RIGHTS if rights.table in ("errand", "account"))
"""A courier leaves a receipt in the outbox with the payment; who asks for paper bills gets them."""
_FUNCTIONS: Final = tuple(
    statement.split("FUNCTION ")[1].split("(")[0]
    for statement in (*money_moves.POSTGRESQL, *money_people.RULES)
    if "RETURNS trigger" in statement
)
