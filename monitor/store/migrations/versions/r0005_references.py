"""Keep what a reading was held against, and what the references of a run were made of."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "modelmon_readings", sa.Column("reference", sa.Text, nullable=False, server_default="")
    )
    op.add_column("modelmon_runs", sa.Column("inputs", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "modelmon_runs", sa.Column("compositions", sa.Text, nullable=False, server_default="[]")
    )
