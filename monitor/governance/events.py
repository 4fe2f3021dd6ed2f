"""What the audit log records: every kind of event, in one list."""

from enum import StrEnum


class EventType(StrEnum):
    """What happened. A kind is never renamed: records of it are kept for good."""

    LOG_OPENED = "log.opened"
    """The first record of a log; of one that follows a lost one, with what was last known of it."""
    LOG_RECOVERED = "log.recovered"
    """A log was opened because the one before it was found behind its last outside checkpoint."""
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    """Another key signs from here on; the checkpoint over this record carries both signatures."""
    CLOCK_REGRESSED = "clock.regressed"
    """The clock shows an earlier time than the record before; the record keeps that record's."""
    POLICY_ACTIVATED = "policy.activated"
    """A run was made under a policy for the first time, or again after another one."""
    BASELINE_REGISTERED = "baseline.registered"
    RUN_COMPLETED = "run.completed"
    """A revision of a window was stored, also one without data; with digests of all it rests on."""
    RUN_FAILED = "run.failed"
    QUARANTINE_CHANGED = "quarantine.changed"
    ALERT_CHANGED = "alert.changed"
    """An alert became pending, fired or was resolved."""
    ALERT_MUTED = "alert.muted"
    ALERT_UNMUTED = "alert.unmuted"
