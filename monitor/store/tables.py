"""What is kept, as SQL tables that SQLite and PostgreSQL share."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An instant: stored in UTC to the microsecond, given back with its time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, without its zone for a database that has no zones.

        Raises:
            ValueError: The datetime has no time zone and so is no instant.
        """
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"an instant carries a time zone: {value}")
        moved = value.astimezone(UTC)
        return moved.replace(tzinfo=None) if dialect.name == "sqlite" else moved

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class AnyText(TypeDecorator[str]):
    r"""Text of any content.

    Names of groups come from the logs, and PostgreSQL stores no NUL and neither database a lone
    surrogate: those, and the backslash that marks them, are written as ``\u`` and four digits.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text with what a database refuses escaped."""
        _ = dialect
        if value is None:
            return None
        text = str(value)
        if text.isascii() and text.isprintable() and "\\" not in text:  # as nearly all of them
            return text
        return _REFUSED.sub(_escape, text)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it was given."""
        _ = dialect
        if value is None or "\\" not in value:
            return value
        return _ESCAPED.sub(_unescape, value)


class CanonicalJson(TypeDecorator[Any]):
    """A JSON document as ASCII text, the same for the same content."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the document with sorted keys and no blanks; None is no document."""
        _ = dialect
        if value is None:
            return None
        return _CANONICAL.encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the document's content."""
        _ = dialect
        return None if value is None else json.loads(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_REFUSED = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def _escape(refused: re.Match[str]) -> str:
    return f"\\u{ord(refused[0]):04x}"


def _unescape(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_name)s_uq",
        "ck": "%(table_name)s_%(constraint_name)s_ck",
        "ix": "%(table_name)s_%(column_0_name)s_ix",
    }
)

POLICIES = Table(
    "modelmon_policies",
    METADATA,
    Column("digest", AnyText, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("first_used", Instant, nullable=False),
)

BASELINES = Table(
    "modelmon_baselines",
    METADATA,
    Column("digest", AnyText, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("grid", LargeBinary, nullable=False),
    Column("profile", LargeBinary, nullable=False),
)

BASELINE_PARTS = Table(
    "modelmon_baseline_parts",
    METADATA,
    Column("baseline", AnyText, ForeignKey(BASELINES.c.digest), nullable=False),
    Column("position", Integer, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("profile", LargeBinary, nullable=False),
    PrimaryKeyConstraint("baseline", "position"),
)

# The newest registration of a version says which baseline is current. Registering is numbered
# within the model, so that two processes cannot register the same thing twice: one of them finds
# its number taken, looks again and sees that nothing is left to do.
REGISTRATIONS = Table(
    "modelmon_registrations",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("baseline", AnyText, ForeignKey(BASELINES.c.digest), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("registered_by", AnyText, nullable=False),
    Column("why", AnyText, nullable=False),
    Column("manifest", CanonicalJson, nullable=False),
    Column("code", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "sequence"),
)

# The order of the unique key's columns makes it the index of the latest window as well.
RUNS = Table(
    "modelmon_runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("identity", AnyText, nullable=False),
    Column("policy", AnyText, ForeignKey(POLICIES.c.digest), nullable=False),
    Column("manifest", CanonicalJson, nullable=False),
    Column("manifest_digest", AnyText, nullable=False),
    Column("listing", AnyText, nullable=False, server_default=""),
    Column("accounting", CanonicalJson, nullable=False),
    Column("outcome", AnyText, nullable=False),
    Column("started", Instant, nullable=False),
    Column("finished", Instant, nullable=False),
    Column("code", AnyText, nullable=False),
    Column("last_event", Instant),
    Column("e_value", Double),
    Column("inputs", AnyText, nullable=False, server_default=""),
    Column("compositions", CanonicalJson, nullable=False, server_default="[]"),
    # What is kept of results that were pruned.
    Column("pruned", CanonicalJson),
    UniqueConstraint("model", "window_end", "window_start", "revision"),
    Index("modelmon_runs_finished_ix", "model", "finished"),
)
Index(
    "modelmon_runs_pruned_ix",
    RUNS.c.model,
    RUNS.c.window_end,
    # So it is on PostgreSQL, by its migration: to say it here too would load that dialect, and the
    # event loop with it, into every process, a fortieth of the CPU that a short command has.
    sqlite_where=RUNS.c.pruned.is_not(None),
)

PROFILES = Table(
    "modelmon_profiles",
    METADATA,
    Column("run", Integer, ForeignKey(RUNS.c.id), nullable=False),
    Column("version", AnyText, nullable=False),
    Column("position", Integer, nullable=False),
    Column("baseline", AnyText, ForeignKey(BASELINES.c.digest)),
    Column("rows", BigInteger, nullable=False),
    Column("profile", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run", "version"),
)

# A reading without a version is one on the log as a whole.
READINGS = Table(
    "modelmon_readings",
    METADATA,
    Column("run", Integer, ForeignKey(RUNS.c.id), nullable=False),
    Column("position", Integer, nullable=False),
    Column("version", AnyText),
    Column("measure", AnyText, nullable=False),
    Column("field", AnyText, nullable=False),
    Column("population", AnyText, nullable=False),
    Column("group_name", AnyText, nullable=False),
    Column("reference_group", AnyText, nullable=False),
    Column("reference", AnyText, nullable=False, server_default=""),
    Column("segment", AnyText, nullable=False, server_default=""),
    Column("segment_value", AnyText, nullable=False, server_default=""),
    Column("stratum", AnyText, nullable=False, server_default=""),
    Column("class_name", AnyText, nullable=False, server_default=""),
    Column("value", Double),
    Column("n", BigInteger, nullable=False),
    Column("n_reference", BigInteger, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("level", Double),
    Column("method", AnyText),
    Column("value_then", Double),
    Column("value_now", Double),
    Column("p_value", Double),
    Column("p_adjusted", Double),
    Column("family_low", Double),
    Column("family_high", Double),
    Column("detail", CanonicalJson),
    Column("absence", AnyText),
    Column("explanation", AnyText),
    PrimaryKeyConstraint("run", "position"),
    ForeignKeyConstraint(
        ["run", "version"],
        ["modelmon_profiles.run", "modelmon_profiles.version"],
        name="modelmon_readings_version_fk",
    ),
    CheckConstraint("(value IS NULL) <> (absence IS NULL)", name="number_or_reason"),
)

# The bounds are those that judged: a Limit has warning and critical, a Band the others.
FINDINGS = Table(
    "modelmon_findings",
    METADATA,
    Column("run", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("reading", Integer, nullable=False),
    Column("fingerprint", AnyText, nullable=False),
    Column("verdict", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("explanation", AnyText, nullable=False),
    Column("limit_kind", AnyText, nullable=False),
    Column("min_rows", BigInteger, nullable=False),
    Column("warning", Double),
    Column("critical", Double),
    Column("low", Double),
    Column("high", Double),
    Column("min_difference", Double),
    Column("alpha", Double),
    Column("min_expected", Double),
    Column("evidence", CanonicalJson),
    PrimaryKeyConstraint("run", "position"),
    ForeignKeyConstraint(
        ["run", "reading"],
        ["modelmon_readings.run", "modelmon_readings.position"],
        name="modelmon_findings_reading_fk",
    ),
    UniqueConstraint("fingerprint", "run"),
)

SCHEMA_CHANGES = Table(
    "modelmon_schema_changes",
    METADATA,
    Column("run", Integer, ForeignKey(RUNS.c.id), nullable=False),
    Column("position", Integer, nullable=False),
    Column("version", AnyText, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("column_name", AnyText, nullable=False),
    Column("was", AnyText, nullable=False),
    Column("now", AnyText, nullable=False),
    Column("watched", Boolean, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("path", AnyText, nullable=False),
    PrimaryKeyConstraint("run", "position"),
)

FAILURES = Table(
    "modelmon_failures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("window_start", Instant),
    Column("window_end", Instant),
    Column("started", Instant, nullable=False),
    Column("finished", Instant, nullable=False),
    Column("error", AnyText, nullable=False),
    Column("explanation", AnyText, nullable=False),
    Column("code", AnyText, nullable=False),
    Index("modelmon_failures_model_ix", "model"),
)

# One row is what a file is now; `change` numbers its states, so that of two writers that began
# with the same one only the first is heard. Paths may be longer than an index of PostgreSQL holds.
QUARANTINE = Table(
    "modelmon_quarantine",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("path_digest", AnyText, nullable=False),
    Column("path", AnyText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("explanation", AnyText, nullable=False),
    Column("placed", Boolean, nullable=False),
    Column("state", AnyText, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_tried", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Instant),
    Column("times", Integer, nullable=False),
    Column("decided_by", AnyText, nullable=False),
    Column("why", AnyText, nullable=False),
    Column("change", Integer, nullable=False),
    PrimaryKeyConstraint("model", "path_digest"),
)

# Who of several replicas writes results. The token rises with every change of the holder.
LEASES = Table(
    "modelmon_leases",
    METADATA,
    Column("name", AnyText, nullable=False),
    Column("holder", AnyText, nullable=False),
    Column("machine", AnyText, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("acquired", Instant, nullable=False),
    Column("renewed", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    PrimaryKeyConstraint("name"),
)

# How often a model was written to, so that whoever shows it knows when it has changed.
CHANGES = Table(
    "modelmon_changes",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("change", BigInteger, nullable=False),
    PrimaryKeyConstraint("model"),
)

# What must be known of alerts to go on after a window. A run of an earlier window begins with the
# step before it, and ends where a step turns out as it was.
ALERT_STEPS = Table(
    "modelmon_alert_steps",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("schedule", AnyText, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("rules", CanonicalJson, nullable=False),
    Column("tracks", LargeBinary, nullable=False),
    PrimaryKeyConstraint("model", "schedule", "window_end", "window_start"),
)

# One row is one episode, as the newest revisions of the windows have it.
ALERTS = Table(
    "modelmon_alerts",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("schedule", AnyText, nullable=False),
    Column("fingerprint", AnyText, nullable=False),
    Column("since_start", Instant, nullable=False),
    Column("since_end", Instant, nullable=False),
    Column("measure", AnyText, nullable=False),
    Column("subject", CanonicalJson, nullable=False),
    Column("state", AnyText, nullable=False),
    Column("severity", AnyText, nullable=False),
    Column("condition", AnyText, nullable=False),
    Column("began_start", Instant),
    Column("began_end", Instant),
    Column("judged_start", Instant, nullable=False),
    Column("judged_end", Instant, nullable=False),
    Column("windows_beyond", Integer, nullable=False),
    Column("windows_within", Integer, nullable=False),
    Column("over_start", Instant),
    Column("over_end", Instant),
    Column("known_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    PrimaryKeyConstraint("model", "schedule", "fingerprint", "since_start"),
    Index("modelmon_alerts_state_ix", "model", "state"),
    Index("modelmon_alerts_fingerprint_ix", "fingerprint"),
)

# What runs changed in what was known of alerts. Nothing here is edited.
ALERT_EVENTS = Table(
    "modelmon_alert_events",
    METADATA,
    Column("model", AnyText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("fingerprint", AnyText, nullable=False),
    Column("since_start", Instant, nullable=False),
    Column("since_end", Instant, nullable=False),
    Column("known_at", Instant, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("state_before", AnyText),
    Column("state_after", AnyText),
    Column("severity", AnyText, nullable=False),
    Column("condition", AnyText, nullable=False),
    PrimaryKeyConstraint("model", "number"),
    Index("modelmon_alert_events_fingerprint_ix", "model", "fingerprint"),
)

# The newest row of a finding holds. Nothing here is edited.
MUTES = Table(
    "modelmon_mutes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("model", AnyText, nullable=False),
    Column("fingerprint", AnyText, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("decided_by", AnyText, nullable=False),
    Column("why", AnyText, nullable=False),
    Index("modelmon_mutes_model_ix", "model", "fingerprint"),
)

# One row is one audit log. The newest is written to; the others are what was before a recovery. The
# row is locked by every append, so that records stand in one chain whoever writes them.
AUDIT_LOGS = Table(
    "modelmon_audit_logs",
    METADATA,
    Column("number", Integer, nullable=False),
    Column("origin", AnyText, nullable=False),
    Column("verifying_key", AnyText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("last", LargeBinary, nullable=False),
    Column("at", Instant),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("origin"),
)

# The body is what was hashed, and what is believed; the other columns are for looking up.
AUDIT_RECORDS = Table(
    "modelmon_audit_records",
    METADATA,
    Column("log", Integer, ForeignKey(AUDIT_LOGS.c.number), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("type", AnyText, nullable=False),
    Column("subject", AnyText, nullable=False),
    Column("actor", AnyText, nullable=False),
    PrimaryKeyConstraint("log", "sequence"),
    Index("modelmon_audit_records_subject_ix", "subject", "sequence"),
)

AUDIT_CHECKPOINTS = Table(
    "modelmon_audit_checkpoints",
    METADATA,
    Column("log", Integer, ForeignKey(AUDIT_LOGS.c.number), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("log", "size"),
)
