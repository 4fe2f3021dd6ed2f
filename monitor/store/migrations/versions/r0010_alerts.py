"""Make the tables of alerts: their steps, their episodes, what changed, and who is not called."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _steps()
    _alerts()
    _events()
    _mutes()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _window(name: str, *, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(f"{name}_{end}", _INSTANT, nullable=nullable) for end in ("start", "end")]


def _steps() -> None:
    op.create_table(
        "modelmon_alert_steps",
        *_texts("model", "schedule"),
        *_window("window"),
        *_texts("rules"),
        sa.Column("tracks", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "model", "schedule", "window_end", "window_start", name="modelmon_alert_steps_pk"
        ),
    )


def _alerts() -> None:
    op.create_table(
        "modelmon_alerts",
        *_texts("model", "schedule", "fingerprint"),
        *_window("since"),
        *_texts("measure", "subject"),
        *_texts("state", "severity", "condition"),
        *_window("began", nullable=True),
        *_window("judged"),
        sa.Column("windows_beyond", sa.Integer, nullable=False),
        sa.Column("windows_within", sa.Integer, nullable=False),
        *_window("over", nullable=True),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT),
        sa.Column("ended_at", _INSTANT),
        sa.PrimaryKeyConstraint(
            "model", "schedule", "fingerprint", "since_start", name="modelmon_alerts_pk"
        ),
    )
    op.create_index("modelmon_alerts_state_ix", "modelmon_alerts", ["model", "state"])


def _events() -> None:
    op.create_table(
        "modelmon_alert_events",
        *_texts("model"),
        sa.Column("number", sa.Integer, nullable=False),
        *_texts("fingerprint"),
        *_window("since"),
        sa.Column("known_at", _INSTANT, nullable=False),
        *_window("window"),
        sa.Column("state_before", sa.Text),
        sa.Column("state_after", sa.Text),
        *_texts("severity", "condition"),
        sa.PrimaryKeyConstraint("model", "number", name="modelmon_alert_events_pk"),
    )
    op.create_index(
        "modelmon_alert_events_fingerprint_ix", "modelmon_alert_events", ["model", "fingerprint"]
    )


def _mutes() -> None:
    op.create_table(
        "modelmon_mutes",
        sa.Column("id", sa.Integer, nullable=False),
        *_texts("model", "fingerprint"),
        sa.Column("decided_at", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        *_texts("decided_by", "why"),
        sa.PrimaryKeyConstraint("id", name="modelmon_mutes_pk"),
    )
    op.create_index("modelmon_mutes_model_ix", "modelmon_mutes", ["model", "fingerprint"])
