"""Keep the tests behind a finding, and the evidence of drift of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("modelmon_findings", sa.Column("evidence", sa.Text))
    op.add_column("modelmon_runs", sa.Column("e_value", sa.Double))
