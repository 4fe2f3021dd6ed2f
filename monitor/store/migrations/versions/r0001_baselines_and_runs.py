"""Make the tables of baselines, runs and failures."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _baselines()
    _runs()
    _readings()
    _findings()
    _failures()


def _baselines() -> None:
    op.create_table(
        "modelmon_baselines",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("window_start", _INSTANT, nullable=False),
        sa.Column("window_end", _INSTANT, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("grid", sa.LargeBinary, nullable=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="modelmon_baselines_pk"),
    )
    op.create_table(
        "modelmon_baseline_parts",
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("window_start", _INSTANT, nullable=False),
        sa.Column("window_end", _INSTANT, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("baseline", "position", name="modelmon_baseline_parts_pk"),
        sa.ForeignKeyConstraint(
            ["baseline"],
            ["modelmon_baselines.digest"],
            name="modelmon_baseline_parts_baseline_fk",
        ),
    )
    op.create_table(
        "modelmon_registrations",
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("registered_at", _INSTANT, nullable=False),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "sequence", name="modelmon_registrations_pk"),
        sa.ForeignKeyConstraint(
            ["baseline"], ["modelmon_baselines.digest"], name="modelmon_registrations_baseline_fk"
        ),
    )


def _runs() -> None:
    op.create_table(
        "modelmon_policies",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("first_used", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="modelmon_policies_pk"),
    )
    op.create_table(
        "modelmon_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("window_start", _INSTANT, nullable=False),
        sa.Column("window_end", _INSTANT, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("manifest_digest", sa.Text, nullable=False),
        sa.Column("accounting", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("started", _INSTANT, nullable=False),
        sa.Column("finished", _INSTANT, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("last_event", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="modelmon_runs_pk"),
        sa.UniqueConstraint(
            "model", "window_end", "window_start", "revision", name="modelmon_runs_model_uq"
        ),
        sa.ForeignKeyConstraint(
            ["policy"], ["modelmon_policies.digest"], name="modelmon_runs_policy_fk"
        ),
    )
    op.create_index("modelmon_runs_finished_ix", "modelmon_runs", ["model", "finished"])


def _readings() -> None:
    op.create_table(
        "modelmon_profiles",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("baseline", sa.Text),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("run", "version", name="modelmon_profiles_pk"),
        sa.ForeignKeyConstraint(["run"], ["modelmon_runs.id"], name="modelmon_profiles_run_fk"),
        sa.ForeignKeyConstraint(
            ["baseline"], ["modelmon_baselines.digest"], name="modelmon_profiles_baseline_fk"
        ),
    )
    op.create_table(
        "modelmon_readings",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("version", sa.Text),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("measure", "field", "population", "group_name", "reference_group")
        ),
        sa.Column("value", sa.Double),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("n_reference", sa.BigInteger, nullable=False),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("level", sa.Double),
        sa.Column("method", sa.Text),
        sa.Column("value_then", sa.Double),
        sa.Column("value_now", sa.Double),
        sa.Column("p_value", sa.Double),
        sa.Column("p_adjusted", sa.Double),
        sa.Column("family_low", sa.Double),
        sa.Column("family_high", sa.Double),
        sa.Column("detail", sa.Text),
        sa.Column("absence", sa.Text),
        sa.Column("explanation", sa.Text),
        sa.PrimaryKeyConstraint("run", "position", name="modelmon_readings_pk"),
        sa.ForeignKeyConstraint(
            ["run", "version"],
            ["modelmon_profiles.run", "modelmon_profiles.version"],
            name="modelmon_readings_version_fk",
        ),
        sa.CheckConstraint(
            "(value IS NULL) <> (absence IS NULL)", name="modelmon_readings_number_or_reason_ck"
        ),
        sa.ForeignKeyConstraint(["run"], ["modelmon_runs.id"], name="modelmon_readings_run_fk"),
    )


def _findings() -> None:
    op.create_table(
        "modelmon_findings",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("reading", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("fingerprint", "verdict", "reason", "explanation", "limit_kind")
        ),
        sa.Column("min_rows", sa.BigInteger, nullable=False),
        sa.Column("warning", sa.Double),
        sa.Column("critical", sa.Double),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("min_difference", sa.Double),
        sa.Column("alpha", sa.Double),
        sa.Column("min_expected", sa.Double),
        sa.PrimaryKeyConstraint("run", "position", name="modelmon_findings_pk"),
        sa.ForeignKeyConstraint(
            ["run", "reading"],
            ["modelmon_readings.run", "modelmon_readings.position"],
            name="modelmon_findings_reading_fk",
        ),
        sa.UniqueConstraint("fingerprint", "run", name="modelmon_findings_fingerprint_uq"),
    )


def _failures() -> None:
    op.create_table(
        "modelmon_failures",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("window_start", _INSTANT),
        sa.Column("window_end", _INSTANT),
        sa.Column("started", _INSTANT, nullable=False),
        sa.Column("finished", _INSTANT, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="modelmon_failures_pk"),
    )
    op.create_index("modelmon_failures_model_ix", "modelmon_failures", ["model"])
