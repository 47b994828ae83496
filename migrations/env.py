"""Alembic's entry: runs the migrations on the connection that `schema.upgrade` hands over.

The caller's transaction holds the write lock, so an upgrade happens whole or not at all.
"""

from alembic import context

import schema

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=schema.metadata, transactional_ddl=False)
context.run_migrations()
