"""Who may use the HTTP interface, and which of their requests were carried out, as SQL tables."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from monitor.store.tables import METADATA, AnyText, CanonicalJson, Instant

# The secret itself is nowhere. A row is changed by its revocation and by its use, once an hour.
TOKENS = Table(
    "modelmon_tokens",
    METADATA,
    Column("id", AnyText, primary_key=True),
    Column("digest", AnyText, nullable=False),
    Column("holder", AnyText, nullable=False),
    Column("purpose", AnyText, nullable=False),
    Column("roles", CanonicalJson, nullable=False),
    Column("models", CanonicalJson),
    Column("created_at", Instant, nullable=False),
    Column("created_by", AnyText, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", AnyText, nullable=False),
    Column("used_at", Instant),
)

# A request that carries an id is carried out once. Rows go after some days.
ANSWERS = Table(
    "modelmon_answers",
    METADATA,
    Column("account", AnyText, nullable=False),
    Column("request", AnyText, nullable=False),
    Column("digest", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer),
    Column("body", AnyText),
    PrimaryKeyConstraint("account", "request"),
)
