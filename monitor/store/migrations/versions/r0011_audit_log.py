"""Make the audit log: its heads, records and checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "modelmon_audit_logs",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("verifying_key", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("last", sa.LargeBinary, nullable=False),
        sa.Column("at", _INSTANT),
        sa.PrimaryKeyConstraint("number", name="modelmon_audit_logs_pk"),
        sa.UniqueConstraint("origin", name="modelmon_audit_logs_origin_uq"),
    )
    op.create_table(
        "modelmon_audit_records",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("log", "sequence", name="modelmon_audit_records_pk"),
        sa.ForeignKeyConstraint(
            ["log"], ["modelmon_audit_logs.number"], name="modelmon_audit_records_log_fk"
        ),
    )
    op.create_index(
        "modelmon_audit_records_subject_ix", "modelmon_audit_records", ["subject", "sequence"]
    )
    op.create_table(
        "modelmon_audit_checkpoints",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("log", "size", name="modelmon_audit_checkpoints_pk"),
        sa.ForeignKeyConstraint(
            ["log"], ["modelmon_audit_logs.number"], name="modelmon_audit_checkpoints_log_fk"
        ),
    )
