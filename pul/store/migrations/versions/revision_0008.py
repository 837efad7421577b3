"""Images may say which side they show."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("images", sa.Column("side", sa.Text))
