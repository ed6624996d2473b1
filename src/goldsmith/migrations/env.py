"""Alembic's entry: runs the revisions over the engine that was handed in. Online only."""

from alembic import context

from goldsmith.storage.database import Table

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
