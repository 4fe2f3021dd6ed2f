"""What people wrote about models, as a SQL table: the log has only salted digests of it."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text

from monitor.store.tables import METADATA, AnyText, Instant

# Where words were erased, so were their salt and their fingerprint: nothing leads back to them.
WORDS = Table(
    "modelmon_audit_words",
    METADATA,
    Column("digest", Text, nullable=False),
    Column("salt", Text),
    Column("text", AnyText),
    Column("fingerprint", Text),
    Column("erased_at", Instant),
    Column("erased_by", AnyText),
    PrimaryKeyConstraint("digest"),
    Index("modelmon_audit_words_fingerprint_ix", "fingerprint"),
)
