"""Where a run was forked from, and whether it is archived or deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("runs", sa.Column("parent_run_id", sa.Integer))
    op.add_column("runs", sa.Column("parent_iteration", sa.Integer))
    op.add_column("runs", sa.Column("shelf", sa.Text, nullable=False, server_default=""))
