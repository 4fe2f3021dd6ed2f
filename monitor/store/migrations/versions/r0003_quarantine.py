"""Make the table of quarantined files, and keep the listing of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "modelmon_quarantine",
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("path_digest", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.Column("placed", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("first_seen", _INSTANT, nullable=False),
        sa.Column("last_tried", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", _INSTANT),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("model", "path_digest", name="modelmon_quarantine_pk"),
    )
    op.add_column("modelmon_runs", sa.Column("listing", sa.Text, nullable=False, server_default=""))
