"""Keep what witnesses said of the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "modelmon_audit_cosignatures",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("witness", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("log", "witness", "size", name="modelmon_audit_cosignatures_pk"),
        sa.ForeignKeyConstraint(
            ["log"], ["modelmon_audit_logs.number"], name="modelmon_audit_cosignatures_log_fk"
        ),
    )
    op.create_table(
        "modelmon_audit_refusals",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("witness", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "log", "witness", "size", "status", name="modelmon_audit_refusals_pk"
        ),
        sa.ForeignKeyConstraint(
            ["log"], ["modelmon_audit_logs.number"], name="modelmon_audit_refusals_log_fk"
        ),
    )
