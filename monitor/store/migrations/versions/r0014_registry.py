"""Make the tables of model registries: what was found there, and what they are to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "modelmon_registry_looks",
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("looked_at", _INSTANT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("document", sa.Text),
        sa.PrimaryKeyConstraint("model", "number", name="modelmon_registry_looks_pk"),
    )
    op.create_table(
        "modelmon_registry_origins",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("lineage", sa.Text, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="modelmon_registry_origins_pk"),
    )
    op.create_index(
        "modelmon_registry_origins_model_ix", "modelmon_registry_origins", ["model", "version"]
    )
    op.create_table(
        "modelmon_registry_errands",
        sa.Column("id", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("model", "errand", "kind", "version", "payload")
        ),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("done_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="modelmon_registry_errands_pk"),
        sa.UniqueConstraint("model", "errand", name="modelmon_registry_errands_model_uq"),
    )
    op.create_index(
        "modelmon_registry_errands_waiting_ix", "modelmon_registry_errands", ["done_at", "kind"]
    )
