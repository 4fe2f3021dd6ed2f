"""Make the table of changed columns."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "modelmon_schema_changes",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("version", "kind", "column_name", "was", "now")
        ),
        sa.Column("watched", sa.Boolean, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", "position", name="modelmon_schema_changes_pk"),
        sa.ForeignKeyConstraint(
            ["run"], ["modelmon_runs.id"], name="modelmon_schema_changes_run_fk"
        ),
    )
