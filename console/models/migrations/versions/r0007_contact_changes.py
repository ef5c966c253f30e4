"""Changes of contact details, each with who asked, and word of them to the old address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from console.models import roles
from console.models.audited import ALWAYS, Followed, follow, keep_history

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ONE_AT_A_TIME = sa.text("kind IN ('resend', 'correct_email') AND state IN ('waiting', 'sending')")


def upgrade() -> None:
    """Make the table, follow it, and let several notices wait for one account."""
    connection = op.get_bind()
    op.create_table(
        "contact_change",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("asked", sa.String(20), nullable=False),
        sa.Column("told", sa.String(254), nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(60), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_contact_change_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_change")),
    )
    op.create_index(
        "ix_contact_change_member_id_changed_at", "contact_change", ["member_id", "changed_at"]
    )
    op.drop_index("uq_errand_open_once", "errand")
    op.create_index(
        "uq_errand_open_once",
        "errand",
        ["kind", "account_number"],
        unique=True,
        sqlite_where=_ONE_AT_A_TIME,
        postgresql_where=_ONE_AT_A_TIME,
    )
    follow(connection, Followed("contact_change", on=ALWAYS))
    keep_history(connection, "contact_change", ("undone_by", "undone_at", "version"))
    if connection.dialect.name == "postgresql":
        roles.set_up_contact_changes(connection)
