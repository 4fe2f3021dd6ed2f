"""Keep the slice that a reading is of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("segment", "segment_value"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("modelmon_readings", column)
