"""Keep of runs whose results were pruned what these came to."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_PRUNED = sa.text("pruned IS NOT NULL")


def upgrade() -> None:
    op.add_column("modelmon_runs", sa.Column("pruned", sa.Text))
    op.create_index(
        "modelmon_runs_pruned_ix",
        "modelmon_runs",
        ["model", "window_end"],
        sqlite_where=_PRUNED,
        postgresql_where=_PRUNED,
    )
    # Findings that are gone are still found by what was remembered of their alerts.
    op.create_index("modelmon_alerts_fingerprint_ix", "modelmon_alerts", ["fingerprint"])
