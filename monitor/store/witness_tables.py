"""What witnesses said of the audit log, as SQL tables."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, Table, Text

from monitor.store.tables import AUDIT_LOGS, METADATA, AnyText, Instant

COSIGNATURES = Table(
    "modelmon_audit_cosignatures",
    METADATA,
    Column("log", Integer, ForeignKey(AUDIT_LOGS.c.number), nullable=False),
    Column("witness", AnyText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("log", "witness", "size"),
)

# What was asked of a witness that refused is kept with what it answered: it is evidence for both.
WITNESS_REFUSALS = Table(
    "modelmon_audit_refusals",
    METADATA,
    Column("log", Integer, ForeignKey(AUDIT_LOGS.c.number), nullable=False),
    Column("witness", AnyText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer, nullable=False),
    Column("said", AnyText, nullable=False),
    Column("asked", Text, nullable=False),
    PrimaryKeyConstraint("log", "witness", "size", "status"),
)
