"""Keep the class that a reading holds against all others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    column = sa.Column("class_name", sa.Text, nullable=False, server_default="")
    op.add_column("modelmon_readings", column)
