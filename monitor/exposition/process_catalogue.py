"""The metrics of the daemon's own condition: a part of the catalogue."""

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part

_MODEL = ("model",)


def _process(
    name: str, meaning: str, unit: str, labels: tuple[str, ...] = (), *, empty: bool = False
) -> MetricFamily:
    kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
    return MetricFamily(PREFIX + name, kind, meaning, unit, labels, Part.PROCESS, empty)


PROCESS: tuple[MetricFamily, ...] = (
    _process(
        "results_exported_timestamp_seconds",
        "When the results on this page were rendered.",
        "seconds",
    ),
    _process(
        "scheduler_heartbeat_timestamp_seconds",
        "When the scheduler last showed that it is alive.",
        "seconds",
    ),
    _process(
        "check_missed_runs_total",
        "Times that a check was due and passed over for a later one.",
        "runs",
        _MODEL,
    ),
    _process(
        "check_overlapping_runs_total",
        "Times that a check was due while the one before was still waiting or running.",
        "runs",
        _MODEL,
    ),
    _process(
        "check_errors_total",
        "Checks that ended in an exception that nobody had foreseen.",
        "runs",
        _MODEL,
    ),
    _process(
        "closed_windows_changed",
        "Windows whose files have changed since their results, and that are too old to be run again or have no file now.",
        "windows",
        _MODEL,
    ),
    _process(
        "late_files",
        "Files that came, went or were rewritten in windows that keep their results all the same.",
        "files",
        _MODEL,
    ),
    _process(
        "store_pruned_timestamp_seconds",
        "When the leader last pruned all that may go; absent elsewhere, and without store.retention.",
        "seconds",
        empty=True,
    ),
    _process(
        "config_last_reload_successful", "Whether the newest configuration could be loaded.", "bool"
    ),
    _process(
        "config_last_reload_success_timestamp_seconds",
        "When a configuration was last loaded.",
        "seconds",
    ),
    _process(
        "config_hash", "The first 48 bits of the digest of the configuration in force.", "hash"
    ),
    _process("log_messages_total", "Messages logged, by level.", "messages", ("level",)),
    _process(
        "api_answers_total",
        "Answers of the JSON interface, by status: 401 to who is not known, 403 to who may not.",
        "answers",
        ("status",),
    ),
)
