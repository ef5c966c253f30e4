"""Run the migrations on the connection, and in the transaction, that schema.py brings."""

from __future__ import annotations

from alembic import context

from console.models.schema import every_record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=every_record(),
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
