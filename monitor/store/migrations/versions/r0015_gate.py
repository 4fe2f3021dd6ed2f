"""Make the table of what the gate answered."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "modelmon_gate_answers",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("model_digest", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("lasts", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="modelmon_gate_answers_pk"),
    )
    op.create_index("modelmon_gate_answers_model_ix", "modelmon_gate_answers", ["model", "version"])
