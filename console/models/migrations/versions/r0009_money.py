"""Payments and the ledger, stored methods, drawers, arrangements, Auto Pay, notices, the day."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from console.models import ledger, money_rules, row_rules
from console.models.base import unaudited

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OUTGOING: Final = ("intent", "sending", "unknown", "charged", "declined", "review", "abandoned")
_WORDS: Final = {
    ("errand", "kind"): (
        "publish_name", "resend", "correct_email", "tell_old_contact", "send_receipt",
        "send_pay_link", "send_notice", "put_preferences",
    ),
    ("payment", "state"): _OUTGOING,
    ("payment", "way"): ("stored", "page", "link", "bank", "cash", "cheque"),
    ("payment", "origin"): ("call", "counter", "auto_pay"),
    ("refund", "state"): _OUTGOING,
    ("payment_return", "kind"): ("debit", "cheque", "dispute", "void"),
    ("review_decision", "verdict"): ("charged", "not_charged"),
    ("ledger_entry", "kind"): ("opening", "bill", "payment", "refund", "return", "fee"),
    ("stored_method", "kind"): ("card", "us_bank_account"),
    ("method_request", "kind"): ("add", "remove"),
    ("method_request", "state"): ("waiting", "open", "done", "refused", "shut"),
    ("drawer_movement", "kind"): ("pay_in", "pay_out", "to_safe"),
    ("arrangement", "state"): ("open", "kept", "broken", "called_off"),
    ("auto_pay_run", "state"): ("asked", "skipped"),
    ("notice_preference", "event"): (
        "bill_ready", "payment_due", "past_due", "payment_received", "payment_returned",
        "auto_pay", "outage", "high_usage",
    ),
    ("reconciliation_line", "kind"): (
        "not_there", "not_here", "not_ours", "amount", "twice", "refund", "returned", "disputed",
    ),
}  # fmt: skip
_WRITTEN: Final = (("phone_authorization", "script"), ("drawer", "counted"))
_LIMITS: Final = (
    ("largest_payment", 2_500_000),
    ("refund_alone", 20_000),
    ("return_fee", 3_000),
)
"""What an office goes by until its administrator says otherwise."""


def upgrade() -> None:
    """Make the tables, begin every account's ledger, and let the database keep the rules."""
    connection = op.get_bind()
    _make_tables()
    limits = sa.table("money_limit", sa.column("name"), sa.column("amount"))
    op.bulk_insert(limits, [{"name": name, "amount": cents} for name, cents in _LIMITS])
    unaudited(connection)
    ledger.open_ledgers(connection)
    money_rules.set_up(connection)
    if connection.dialect.name == "postgresql":
        row_rules.check_words(connection, _WORDS)
        row_rules.check_moments(connection)
        row_rules.check_lengths(connection, _WRITTEN)


def _make_tables() -> None:
    _make_drawers()
    _make_methods()
    _make_payments()
    _make_ledger()
    _make_arrangements()
    _make_auto_pay()
    _make_notices()
    _make_reconciliation()


def _make_drawers() -> None:
    op.create_table(
        "drawer",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("clerk", sa.String(60), nullable=False),
        sa.Column("workstation", sa.String(80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opening_cash", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(60), nullable=False),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.Column("counted_cash", sa.Integer(), nullable=True),
        sa.Column("expected_cash", sa.Integer(), nullable=True),
        sa.Column("counted_cheques", sa.Integer(), nullable=True),
        sa.Column("counted_cheque_sum", sa.Integer(), nullable=True),
        sa.Column("expected_cheques", sa.Integer(), nullable=True),
        sa.Column("expected_cheque_sum", sa.Integer(), nullable=True),
        sa.Column("explanation", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawer")),
    )
    op.create_index("ix_drawer_opened_at", "drawer", ["opened_at"], unique=False)
    op.create_index(
        "uq_drawer_open",
        "drawer",
        ["clerk"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "drawer_movement",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("drawer_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("moved_by", sa.String(60), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["drawer_id"], ["drawer.id"], name=op.f("fk_drawer_movement_drawer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawer_movement")),
    )
    op.create_index(
        op.f("ix_drawer_movement_drawer_id"), "drawer_movement", ["drawer_id"], unique=False
    )


def _make_methods() -> None:
    op.create_table(
        "method_token",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("token", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_method_token")),
    )
    op.create_table(
        "gateway_customer",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("customer", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_gateway_customer_member_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_gateway_customer")),
    )
    op.create_table(
        "stored_method",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("brand", sa.String(40), nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("expires_year", sa.Integer(), nullable=True),
        sa.Column("expires_month", sa.Integer(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(60), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(60), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_stored_method_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_method")),
    )
    op.create_index("ix_stored_method_member_id", "stored_method", ["member_id"], unique=False)
    op.create_index(
        "uq_stored_method_default",
        "stored_method",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("is_default AND removed_at IS NULL"),
        postgresql_where=sa.text("is_default AND removed_at IS NULL"),
    )
    op.create_table(
        "method_request",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("method_id", sa.String(36), nullable=True),
        sa.Column("make_default", sa.Boolean(), nullable=False),
        sa.Column("call_id", sa.String(36), nullable=True),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page_id", sa.String(255), nullable=False),
        sa.Column("page_url", sa.String(2000), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(80), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_method_request_call_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_method_request_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["method_id"], ["stored_method.id"], name=op.f("fk_method_request_method_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_method_request")),
    )
    op.create_index("ix_method_request_member_id", "method_request", ["member_id"], unique=False)
    op.create_index(
        "ix_method_request_state_next_try_at",
        "method_request",
        ["state", "next_try_at"],
        unique=False,
    )


def _make_payments() -> None:
    op.create_table(
        "payment",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(12), nullable=False),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(36), nullable=True),
        sa.Column("method_id", sa.String(36), nullable=True),
        sa.Column("method_words", sa.String(80), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("charge_id", sa.String(255), nullable=False),
        sa.Column("page_id", sa.String(255), nullable=False),
        sa.Column("page_url", sa.String(2000), nullable=False),
        sa.Column("page_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shut_asked", sa.Boolean(), nullable=False),
        sa.Column("link_to", sa.String(254), nullable=False),
        sa.Column("receipt_to", sa.String(254), nullable=False),
        sa.Column("drawer_id", sa.String(36), nullable=True),
        sa.Column("cheque_number", sa.String(20), nullable=False),
        sa.Column("tendered", sa.Integer(), nullable=True),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("was_answered", sa.Boolean(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(80), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gateway_id", sa.String(255), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_payment_call_id")),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawer.id"], name=op.f("fk_payment_drawer_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_payment_member_id")),
        sa.ForeignKeyConstraint(
            ["method_id"], ["stored_method.id"], name=op.f("fk_payment_method_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_drawer_id", "payment", ["drawer_id"], unique=False)
    op.create_index("ix_payment_finished_at", "payment", ["finished_at"], unique=False)
    op.create_index("ix_payment_gateway_id", "payment", ["gateway_id"], unique=False)
    op.create_index(
        "ix_payment_member_id_asked_at", "payment", ["member_id", "asked_at"], unique=False
    )
    op.create_index(
        "ix_payment_state_next_try_at", "payment", ["state", "next_try_at"], unique=False
    )
    op.create_table(
        "payment_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.String(36), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_payment_share_account_number")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_share_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_share")),
    )
    op.create_index(
        "ix_payment_share_account_number", "payment_share", ["account_number"], unique=False
    )
    op.create_index(
        "ix_payment_share_payment_id_account",
        "payment_share",
        ["payment_id", "account_number"],
        unique=True,
    )
    op.create_index(
        "uq_payment_share_open",
        "payment_share",
        ["account_number"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        "payment_return",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("payment_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("recorded_by", sa.String(60), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_payment_return_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_return_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_return")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_payment_return_payment_id")),
    )
    op.create_index(
        op.f("ix_payment_return_member_id"), "payment_return", ["member_id"], unique=False
    )
    op.create_table(
        "refund",
        sa.Column("payment_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(60), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawer_id", sa.String(36), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("was_answered", sa.Boolean(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(80), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gateway_id", sa.String(255), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_refund_account_number")
        ),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawer.id"], name=op.f("fk_refund_drawer_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_refund_member_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_index("ix_refund_finished_at", "refund", ["finished_at"], unique=False)
    op.create_index(op.f("ix_refund_member_id"), "refund", ["member_id"], unique=False)
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_index("ix_refund_state_next_try_at", "refund", ["state", "next_try_at"], unique=False)
    op.create_table(
        "phone_authorization",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("recording", sa.String(80), nullable=False),
        sa.Column("notice_to", sa.String(254), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_by", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_phone_authorization_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_authorization")),
    )
    op.create_index(
        op.f("ix_phone_authorization_member_id"), "phone_authorization", ["member_id"], unique=False
    )
    op.create_table(
        "review_decision",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("evidence", sa.String(1000), nullable=False),
        sa.Column("gateway_id", sa.String(255), nullable=False),
        sa.Column("decided_by", sa.String(60), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_review_decision_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_decision")),
    )
    op.create_index(
        op.f("ix_review_decision_member_id"), "review_decision", ["member_id"], unique=False
    )
    op.create_table(
        "money_limit",
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_money_limit")),
    )


def _make_ledger() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("source_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_ledger_entry_account_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(
        "ix_ledger_entry_account_number_id", "ledger_entry", ["account_number", "id"], unique=False
    )
    op.create_index(
        "uq_ledger_entry_source",
        "ledger_entry",
        ["source_id", "account_number", "kind"],
        unique=True,
        sqlite_where=sa.text("source_id <> ''"),
        postgresql_where=sa.text("source_id <> ''"),
    )


def _make_arrangements() -> None:
    op.create_table(
        "arrangement",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("call_id", sa.String(36), nullable=True),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(60), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_arrangement_account_number")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_arrangement_call_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_arrangement_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrangement")),
    )
    op.create_index("ix_arrangement_member_id", "arrangement", ["member_id"], unique=False)
    op.create_index("ix_arrangement_state", "arrangement", ["state"], unique=False)
    op.create_index(
        "uq_arrangement_open",
        "arrangement",
        ["account_number"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("arrangement_id", sa.String(36), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["arrangement_id"], ["arrangement.id"], name=op.f("fk_promise_arrangement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_index(op.f("ix_promise_arrangement_id"), "promise", ["arrangement_id"], unique=False)
    op.create_index("ix_promise_due_on", "promise", ["due_on"], unique=False)


def _make_auto_pay() -> None:
    op.create_table(
        "auto_pay",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("method_id", sa.String(36), nullable=False),
        sa.Column("day_of_month", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.String(36), nullable=True),
        sa.Column("enrolled_by", sa.String(60), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(60), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_auto_pay_account_number")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_auto_pay_call_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_auto_pay_member_id")),
        sa.ForeignKeyConstraint(
            ["method_id"], ["stored_method.id"], name=op.f("fk_auto_pay_method_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_pay")),
    )
    op.create_index("ix_auto_pay_member_id", "auto_pay", ["member_id"], unique=False)
    op.create_index("ix_auto_pay_method_id", "auto_pay", ["method_id"], unique=False)
    op.create_index(
        "uq_auto_pay_account",
        "auto_pay",
        ["account_number"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "auto_pay_run",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("auto_pay_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("run_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("answer", sa.String(300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_auto_pay_run_account_number")
        ),
        sa.ForeignKeyConstraint(
            ["auto_pay_id"], ["auto_pay.id"], name=op.f("fk_auto_pay_run_auto_pay_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_auto_pay_run_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_pay_run")),
    )
    op.create_index(
        op.f("ix_auto_pay_run_auto_pay_id"), "auto_pay_run", ["auto_pay_id"], unique=False
    )
    op.create_index("ix_auto_pay_run_run_on", "auto_pay_run", ["run_on"], unique=False)
    op.create_index(
        "uq_auto_pay_run_day", "auto_pay_run", ["account_number", "run_on"], unique=True
    )


def _make_notices() -> None:
    op.create_table(
        "notice_preference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("by_email", sa.Boolean(), nullable=False),
        sa.Column("by_text", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(60), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_notice_preference_account_number")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_notice_preference_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_preference")),
    )
    op.create_index(
        op.f("ix_notice_preference_member_id"), "notice_preference", ["member_id"], unique=False
    )
    op.create_index(
        "uq_notice_preference_event", "notice_preference", ["account_number", "event"], unique=True
    )
    op.create_table(
        "portal_preferences",
        sa.Column("account_number", sa.String(20), nullable=False),
        sa.Column("portal_version", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"],
            ["account.number"],
            name=op.f("fk_portal_preferences_account_number"),
        ),
        sa.PrimaryKeyConstraint("account_number", name=op.f("pk_portal_preferences")),
    )


def _make_reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=False),
        sa.Column("ours_sum", sa.Integer(), nullable=False),
        sa.Column("theirs", sa.Integer(), nullable=False),
        sa.Column("theirs_sum", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index("ix_reconciliation_day", "reconciliation", ["day"], unique=False)
    op.create_table(
        "reconciliation_line",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("sheet_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("payment_id", sa.String(36), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("gateway_id", sa.String(255), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=True),
        sa.Column("theirs", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("cleared_by", sa.String(60), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_words", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_reconciliation_line_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_reconciliation_line_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["reconciliation.id"], name=op.f("fk_reconciliation_line_sheet_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_line")),
    )
    op.create_index(
        "ix_reconciliation_line_cleared_at", "reconciliation_line", ["cleared_at"], unique=False
    )
    op.create_index(
        "ix_reconciliation_line_sheet_id", "reconciliation_line", ["sheet_id"], unique=False
    )
