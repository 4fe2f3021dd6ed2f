"""Keep what people wrote apart from the audit log, which has salted digests of it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "modelmon_audit_words",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("salt", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.Column("erased_by", sa.Text),
        sa.PrimaryKeyConstraint("digest", name="modelmon_audit_words_pk"),
    )
    op.create_index("modelmon_audit_words_fingerprint_ix", "modelmon_audit_words", ["fingerprint"])
