"""An iteration's row names its folder and what was written into each file; rows have sums."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("iterations", sa.Column("folder", sa.Text, nullable=False, server_default=""))
    op.add_column("iterations", sa.Column("files", sa.JSON(none_as_null=True)))
    for table in ("images", "runs", "controls", "annotation_events"):
        op.add_column(table, sa.Column("row_sum", sa.Text))
