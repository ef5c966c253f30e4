"""The search index: keys, their first words, and the beginnings of those words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the three tables; they are filled with the records or by a rebuild."""
    op.create_table(
        "search_key",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("of", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "member_id", "of", name=op.f("pk_search_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_word",
        sa.Column("word", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_head",
        sa.Column("variant", _KEY, nullable=False),
        sa.Column("head", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("variant", "head", name=op.f("pk_search_head")),
        sqlite_with_rowid=False,
    )
