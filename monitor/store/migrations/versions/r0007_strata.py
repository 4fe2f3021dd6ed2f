"""Keep the factor within whose strata a reading compares groups."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    column = sa.Column("stratum", sa.Text, nullable=False, server_default="")
    op.add_column("modelmon_readings", column)
