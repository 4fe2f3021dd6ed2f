"""Make the tables of what versions may do: standings, requests, cases, waivers."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _standings()
    _requests()
    _cases()
    _waivers()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _instants(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, _INSTANT, nullable=nullable) for name in names]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _standings() -> None:
    op.create_table(
        "modelmon_standings",
        *_texts("model", "version", "state"),
        _number("sequence"),
        *_instants("since"),
        *_texts("by"),
        sa.Column("event", sa.Text),
        *_texts("reason"),
        sa.PrimaryKeyConstraint("model", "version", name="modelmon_standings_pk"),
    )


def _requests() -> None:
    op.create_table(
        "modelmon_requests",
        *_texts("model"),
        _number("number"),
        *_texts("kind", "subject", "version", "requested_by", "account"),
        *_instants("at"),
        *_texts("bound_to", "reason", "terms", "votes"),
        *_instants("withdrawn_at", nullable=True),
        *_texts("recorded"),
        *_instants("recorded_at", nullable=True),
        sa.PrimaryKeyConstraint("model", "number", name="modelmon_requests_pk"),
    )


def _cases() -> None:
    op.create_table(
        "modelmon_cases",
        *_texts("model"),
        _number("number"),
        *_texts("version", "cause", "rung", "accountable"),
        *_instants("opened_at"),
        *_texts("reason", "findings"),
        *_instants("deadline", nullable=True),
        _number("escalated"),
        *_instants("closed_at", nullable=True),
        *_texts("closed_by"),
        sa.Column("disposition", sa.Text),
        *_texts("closing", "evidence"),
        sa.PrimaryKeyConstraint("model", "number", name="modelmon_cases_pk"),
    )
    op.create_index("modelmon_cases_version_ix", "modelmon_cases", ["model", "version"])


def _waivers() -> None:
    op.create_table(
        "modelmon_waivers",
        *_texts("model"),
        _number("number"),
        *_texts("limit_id", "version", "reason", "control", "requested_by", "approved_by"),
        *_instants("starts", "ends"),
        *_instants("ended_at", nullable=True),
        *_texts("ended_by", "ending"),
        sa.PrimaryKeyConstraint("model", "number", name="modelmon_waivers_pk"),
    )
