"""Who has which member open, and how the couriers are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "presence",
        sa.Column("origin", sa.String(36), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("staff", sa.String(60), nullable=False),
        sa.Column("workstation", sa.String(80), nullable=False),
        sa.Column("editing", sa.String(30), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_presence_member_id")),
        sa.PrimaryKeyConstraint("origin", "member_id", name=op.f("pk_presence")),
    )
    op.create_index(op.f("ix_presence_member_id"), "presence", ["member_id"])
    op.create_table(
        "courier_sign",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("workstation", sa.String(80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carried", sa.Integer(), nullable=False),
        sa.Column("portal_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_courier_sign")),
    )
