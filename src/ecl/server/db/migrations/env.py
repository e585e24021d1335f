"""How Alembic reaches the database: on the connection that `ecl.server.db.migrate` hands over."""

from __future__ import annotations

from alembic import context

from ecl.server.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
