"""Members, their accounts and calls, registrations at the portal, errands and the trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables, and the rules that the database itself keeps."""
    _make_tables()
    if op.get_bind().dialect.name == "sqlite":
        _keep_rules_on_sqlite()
    else:
        _keep_rules_on_postgresql()


def _keep_rules_on_sqlite() -> None:
    for act in ("update", "delete"):
        op.execute(f"""
            CREATE TRIGGER audit_entry_no_{act} BEFORE {act.upper()} ON audit_entry
            BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END
        """)
    op.execute("""
        CREATE TRIGGER errand_end_is_final BEFORE UPDATE ON errand
        WHEN OLD.state IN ('done', 'refused', 'gave_up') AND NEW.state <> OLD.state
        BEGIN SELECT RAISE(ABORT, 'an errand that came to its end does not begin again'); END
    """)


def _keep_rules_on_postgresql() -> None:
    op.execute("""
        CREATE FUNCTION audit_entry_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is only ever added to'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_only_grows
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_only_grows()
    """)
    op.execute("""
        CREATE FUNCTION errand_end_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'an errand that came to its end does not begin again'; END $$
    """)
    op.execute("""
        CREATE TRIGGER errand_end_is_final BEFORE UPDATE ON errand FOR EACH ROW
        WHEN (OLD.state IN ('done', 'refused', 'gave_up') AND NEW.state <> OLD.state)
        EXECUTE FUNCTION errand_end_is_final()
    """)


def _make_tables() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("workstation", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("account_number", sa.String(length=20), nullable=True),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_member_id_at", "audit_entry", ["member_id", "at"], unique=False)
    op.create_index("ix_audit_entry_staff_at", "audit_entry", ["staff", "at"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("is_business", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("given_names", sa.String(length=80), nullable=False),
        sa.Column("identity_last_four", sa.String(length=4), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("second_phone", sa.String(length=20), nullable=False),
        sa.Column("mailing_line", sa.String(length=120), nullable=False),
        sa.Column("mailing_city", sa.String(length=60), nullable=False),
        sa.Column("mailing_state", sa.String(length=2), nullable=False),
        sa.Column("mailing_zip", sa.String(length=10), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("number", name=op.f("uq_member_number")),
    )
    op.create_table(
        "portal_cursor",
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.String(length=200), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(length=80), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_portal_cursor")),
    )
    op.create_table(
        "staff",
        sa.Column("login", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("dismissed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_staff")),
    )
    op.create_table(
        "account",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("printed_number", sa.String(length=24), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("service_line", sa.String(length=120), nullable=False),
        sa.Column("service_city", sa.String(length=60), nullable=False),
        sa.Column("service_state", sa.String(length=2), nullable=False),
        sa.Column("service_zip", sa.String(length=10), nullable=False),
        sa.Column("map_location", sa.String(length=30), nullable=False),
        sa.Column("meter_number", sa.String(length=30), nullable=False),
        sa.Column("rate", sa.String(length=20), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("past_due", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("last_bill", sa.Integer(), nullable=True),
        sa.Column("last_bill_on", sa.Date(), nullable=True),
        sa.Column("last_payment", sa.Integer(), nullable=True),
        sa.Column("last_payment_on", sa.Date(), nullable=True),
        sa.Column("disconnect_on", sa.Date(), nullable=True),
        sa.Column("autopay", sa.Boolean(), nullable=False),
        sa.Column("paperless", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("portal_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_account_member_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_account")),
    )
    op.create_index(op.f("ix_account_member_id"), "account", ["member_id"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("raised_by", sa.String(length=60), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_by", sa.String(length=60), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_alert_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_member_id"), "alert", ["member_id"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("member_began", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.String(length=200), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("result", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_call_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index("ix_call_member_id_began_at", "call", ["member_id", "began_at"], unique=False)
    op.create_index(op.f("ix_call_staff"), "call", ["staff"], unique=False)
    op.create_index(
        "uq_call_open_once",
        "call",
        ["staff"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "former_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(length=120), nullable=False),
        sa.Column("city", sa.String(length=60), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_former_address_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_address")),
    )
    op.create_index(
        op.f("ix_former_address_member_id"), "former_address", ["member_id"], unique=False
    )
    op.create_table(
        "former_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("given_names", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_former_name_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_name")),
    )
    op.create_index(op.f("ix_former_name_member_id"), "former_name", ["member_id"], unique=False)
    op.create_table(
        "holder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("given_names", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("may_act", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_holder_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder")),
    )
    op.create_index(op.f("ix_holder_member_id"), "holder", ["member_id"], unique=False)
    op.create_table(
        "name_correction",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("name_before", sa.String(length=120), nullable=False),
        sa.Column("given_names_before", sa.String(length=80), nullable=False),
        sa.Column("name_after", sa.String(length=120), nullable=False),
        sa.Column("given_names_after", sa.String(length=80), nullable=False),
        sa.Column("proof", sa.String(length=30), nullable=False),
        sa.Column("proof_note", sa.String(length=500), nullable=False),
        sa.Column("looks_like_other_person", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(length=60), nullable=False),
        sa.Column("corrected_by", sa.String(length=60), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=60), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_name_correction_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_correction")),
    )
    op.create_index(
        op.f("ix_name_correction_member_id"), "name_correction", ["member_id"], unique=False
    )
    op.create_table(
        "note",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by", sa.String(length=60), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(length=60), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_note_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(
        "ix_note_member_id_written_at", "note", ["member_id", "written_at"], unique=False
    )
    op.create_table(
        "errand",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("account_number", sa.String(length=20), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("correction_id", sa.String(length=36), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(length=80), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_errand_account_number")
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["name_correction.id"], name=op.f("fk_errand_correction_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_errand_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand")),
    )
    op.create_index(op.f("ix_errand_account_number"), "errand", ["account_number"], unique=False)
    op.create_index(op.f("ix_errand_correction_id"), "errand", ["correction_id"], unique=False)
    op.create_index(op.f("ix_errand_member_id"), "errand", ["member_id"], unique=False)
    op.create_index("ix_errand_state_next_try_at", "errand", ["state", "next_try_at"], unique=False)
    op.create_index(
        "uq_errand_open_once",
        "errand",
        ["kind", "account_number"],
        unique=True,
        sqlite_where=sa.text("kind <> 'publish_name' AND state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("kind <> 'publish_name' AND state IN ('waiting', 'sending')"),
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(length=20), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("account_digits", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("portal_id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sign_in", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("assigned_to", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_number"], ["account.number"], name=op.f("fk_registration_account_number")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_registration_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("account_digits", name=op.f("uq_registration_account_digits")),
        sa.UniqueConstraint("account_number", name=op.f("uq_registration_account_number")),
    )
    op.create_index(
        op.f("ix_registration_assigned_to"), "registration", ["assigned_to"], unique=False
    )
    op.create_index(
        op.f("ix_registration_expires_at"), "registration", ["expires_at"], unique=False
    )
    op.create_index(
        "ix_registration_kind_refreshed_at", "registration", ["kind", "refreshed_at"], unique=False
    )
    op.create_index("ix_registration_kind_since", "registration", ["kind", "since"], unique=False)
    op.create_index(op.f("ix_registration_member_id"), "registration", ["member_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_delivery_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "registration_id", "at", "status", name=op.f("uq_delivery_registration_id_at_status")
        ),
    )
    op.create_table(
        "registration_attempt",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_typed", sa.String(length=60), nullable=False),
        sa.Column("name_typed", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_registration_attempt_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_registration_attempt_registration_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_attempt")),
    )
    op.create_index(
        op.f("ix_registration_attempt_member_id"),
        "registration_attempt",
        ["member_id"],
        unique=False,
    )
    op.create_index(
        "ix_registration_attempt_registration_id_at",
        "registration_attempt",
        ["registration_id", "at"],
        unique=False,
    )
