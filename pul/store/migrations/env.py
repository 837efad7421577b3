"""What Alembic runs: the migrations on the connection that `pul.store.database.upgrade` opened."""

from alembic import context

from pul.store.schema import metadata

# The connection is within a transaction already, so all steps and their record are one commit.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
