"""Who may do what in a PostgreSQL database."""

from __future__ import annotations

from alembic import op

from console.models import roles

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the groups, the rules and the grants; SQLite knows neither logins nor rights."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        roles.set_up(connection)
