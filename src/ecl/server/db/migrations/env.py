"""Alembic's environment: it runs on the connection from `ecl.server.db.migrate`."""

from __future__ import annotations

from alembic import context

from ecl.server.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
