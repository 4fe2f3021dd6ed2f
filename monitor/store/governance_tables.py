"""What a version may do, and who said so, as SQL tables: what the audit log adds up to."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from monitor.store.tables import METADATA, AnyText, CanonicalJson, Instant

STANDINGS = Table(
    "modelmon_standings",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("state", AnyText, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", AnyText, nullable=False),
    Column("event", AnyText),
    Column("reason", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "version"),
)

# Votes are a request's own, in the order in which they were cast.
REQUESTS = Table(
    "modelmon_requests",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("subject", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("requested_by", AnyText, nullable=False),
    Column("account", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
    Column("bound_to", CanonicalJson, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("terms", CanonicalJson, nullable=False),
    Column("votes", CanonicalJson, nullable=False),
    Column("withdrawn_at", Instant),
    Column("recorded", AnyText, nullable=False),
    Column("recorded_at", Instant),
    PrimaryKeyConstraint("model", "number"),
)

CASES = Table(
    "modelmon_cases",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("cause", AnyText, nullable=False),
    Column("rung", AnyText, nullable=False),
    Column("accountable", AnyText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("findings", CanonicalJson, nullable=False),
    Column("deadline", Instant),
    Column("escalated", Integer, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", AnyText, nullable=False),
    Column("disposition", AnyText),
    Column("closing", AnyText, nullable=False),
    Column("evidence", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "number"),
    Index("modelmon_cases_version_ix", "model", "version"),
)

WAIVERS = Table(
    "modelmon_waivers",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("limit_id", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("control", AnyText, nullable=False),
    Column("requested_by", AnyText, nullable=False),
    Column("approved_by", CanonicalJson, nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", AnyText, nullable=False),
    Column("ending", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "number"),
)

# What was found last of what approvals rest on. It is looked at again and again, and is no part of
# what the log adds up to: what follows from it is.
FOUND = Table(
    "modelmon_found",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("digest", AnyText),
    Column("since", Instant, nullable=False),
    Column("trouble", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "version", "name"),
)
