"""What the gate answered, as an SQL table."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from monitor.store.tables import METADATA, AnyText, CanonicalJson, Instant

# What a serving layer was told from an instant on, until the next row of the version. Nothing here
# is edited.
GATE_ANSWERS = Table(
    "modelmon_gate_answers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", AnyText, nullable=False),
    Column("action", AnyText, nullable=False),
    Column("conditions", CanonicalJson, nullable=False),
    Column("state", AnyText),
    Column("reasons", CanonicalJson, nullable=False),
    Column("policy", AnyText, nullable=False),
    Column("model_digest", AnyText, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("lasts", BigInteger, nullable=False),
    Index("modelmon_gate_answers_model_ix", "model", "version"),
)
