"""Settings have sums too, and a run says how many iterations are stored of it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("settings", sa.Column("row_sum", sa.Text))
    op.add_column("runs", sa.Column("n_stored", sa.Integer))
