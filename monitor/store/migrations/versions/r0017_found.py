"""Make the table of what was found of what approvals rest on."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "modelmon_found",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("model", "version", "name")),
        sa.Column("digest", sa.Text),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "name", name="modelmon_found_pk"),
    )
