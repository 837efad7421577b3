"""Paths of images may be relative to a root (`root:`) and hold any bytes (`file:`).

No row changes: older versions, which would not find such images, learn that they are too old.
"""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
