"""The audit trail in chains, one for each person, and what is to be known by for ever."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from console.domain.audit import SEALED, seal
from console.models.audited import ALWAYS, Followed, follow, keep_history, keep_trail

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FOLLOWED = (
    Followed("member", member="id", hidden=("identity_last_four",)),
    Followed("account", key="number", account="number", passed_over=("version", "portal_version")),
    Followed("holder", on=ALWAYS),
    Followed("former_name"),
    Followed("former_address"),
    Followed("alert", on=ALWAYS),
    Followed("note", on=ALWAYS),
    Followed("call", on=ALWAYS),
    Followed("name_correction", on=ALWAYS),
    Followed("staff", on=ALWAYS, key="login", member="", hidden=("password_hash",)),
)


def upgrade() -> None:
    """Chain what is on the trail, seal what comes, and follow what staff change."""
    connection = op.get_bind()
    rows = [dict(row) for row in connection.execute(sa.text(_OLD)).mappings()]
    op.drop_table("audit_entry")
    if connection.dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entry_only_grows()")
    op.create_table("coop", sa.Column("id", sa.String(36), primary_key=True))
    connection.execute(sa.text("INSERT INTO coop (id) VALUES (:id)"), {"id": str(uuid4())})
    op.create_table(
        "audit_chain",
        sa.Column("chain", sa.String(60), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chain")),
    )
    _chain(connection, _make_trail(), rows)
    keep_trail(connection)
    for followed in FOLLOWED:
        follow(connection, followed)
    for table in ("former_name", "former_address"):
        keep_history(connection, table)
    keep_history(connection, "name_correction", ("undone_by", "undone_at", "version"))


_OLD = (
    "SELECT id, at, staff, workstation, action, member_id, account_number, call_id, detail "
    "FROM audit_entry ORDER BY id"
)


def _make_trail() -> sa.Table:
    trail = op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff", sa.String(60), nullable=False),
        sa.Column("workstation", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("account_number", sa.String(20), nullable=True),
        sa.Column("call_id", sa.String(36), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(40), server_default="", nullable=False),
        sa.Column("row_key", sa.String(80), server_default="", nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("chain", sa.String(60), server_default="", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("previous", sa.String(64), server_default="", nullable=False),
        sa.Column("hash", sa.String(64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("chain", "seq", name=op.f("uq_audit_entry_chain_seq")),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_member_id_at", "audit_entry", ["member_id", "at"])
    op.create_index("ix_audit_entry_staff_at", "audit_entry", ["staff", "at"])
    op.create_index("ix_audit_entry_action_at", "audit_entry", ["action", "at"])
    return trail


def _chain(connection: sa.Connection, trail: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Put the rows of the first trail, which had no chains, into theirs."""
    heads: dict[str, tuple[int, str]] = defaultdict(lambda: (0, ""))
    for row in rows:
        at = row["at"]
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at.astimezone(UTC)
        row["at"] = moment.replace(tzinfo=UTC)
        seq, previous = heads[row["staff"]]
        row |= {"chain": row["staff"], "seq": seq + 1, "previous": previous}
        row |= {"subject": "", "row_key": "", "before": None, "after": None}
        spoken = {**row, "at": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"}
        row["hash"] = seal([spoken[field] for field in SEALED])
        heads[row["staff"]] = (seq + 1, row["hash"])
    if connection.dialect.name == "sqlite":
        for row in rows:
            row["at"] = row["at"].replace(tzinfo=None)
    if rows:
        connection.execute(trail.insert(), rows)
        _number_on(connection)
    ends = [{"chain": chain, "seq": seq, "hash": end} for chain, (seq, end) in heads.items()]
    if ends:
        connection.execute(
            sa.text("INSERT INTO audit_chain (chain, seq, hash) VALUES (:chain, :seq, :hash)"), ends
        )


def _number_on(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text(
                "SELECT setval(pg_get_serial_sequence('audit_entry', 'id'), "
                "(SELECT max(id) FROM audit_entry))"
            )
        )
