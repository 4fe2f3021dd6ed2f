"""What is remembered of a registry, as SQL tables: part of the same database."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from monitor.store.tables import METADATA, AnyText, CanonicalJson, Instant

# What was found whenever a registry was not as it was before. The newest row of a model is the last
# look; nothing here is edited. A model that was not there has no document.
REGISTRY_LOOKS = Table(
    "modelmon_registry_looks",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("looked_at", Instant, nullable=False),
    Column("digest", Text, nullable=False),
    Column("document", CanonicalJson),
    PrimaryKeyConstraint("model", "number"),
)

# Where a version came from, as it was when it was first seen, and again when it named something else.
REGISTRY_ORIGINS = Table(
    "modelmon_registry_origins",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("source", AnyText, nullable=False),
    Column("lineage", CanonicalJson, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index("modelmon_registry_origins_model_ix", "model", "version"),
)

# What a registry is to be told. A row is written once, and changed by its tries only.
REGISTRY_ERRANDS = Table(
    "modelmon_registry_errands",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("errand", AnyText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("payload", CanonicalJson, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", AnyText, nullable=False),
    Column("done_at", Instant),
    UniqueConstraint("model", "errand"),
    Index("modelmon_registry_errands_waiting_ix", "done_at", "kind"),
)
