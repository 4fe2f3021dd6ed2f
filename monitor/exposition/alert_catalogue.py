"""The metrics of alarms and alerts; part of the catalogue of all."""

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part

FOUND = (
    "model",
    "model_version",
    "check",
    "feature",
    "attribute",
    "group",
    "class",
    "stratum",
    "reference",
)
"""Labels of a finding."""

_ALERT = (*FOUND, "finding")
_ALARM = (*_ALERT, "family", "severity")


def _result(
    name: str, meaning: str, unit: str, labels: tuple[str, ...], *, empty: bool = False
) -> MetricFamily:
    return MetricFamily(PREFIX + name, Kind.GAUGE, meaning, unit, labels, Part.RESULTS, empty)


ALERTS = (
    _result(
        "alarm_firing",
        "Whether somebody is to be called, by severity and section of limits: a critical verdict at once, a warning when"
        " enough of the last judged windows were beyond a limit. It goes on while windows are unknown or empty; absent"
        " while none was ever judged.",
        "bool",
        _ALARM,
    ),
    _result(
        "alert_state",
        "Life of an alert: 0 resolved or ended as of the latest window, 1 pending, 2 firing; absent without one.",
        "state",
        _ALERT,
        empty=True,
    ),
    _result(
        "alert_condition",
        "What the latest window says of an open alert: 1 for judged, unknown or no_data, 0 for the others.",
        "state",
        (*_ALERT, "condition"),
        empty=True,
    ),
    _result(
        "alert_started_timestamp_seconds",
        "When a firing alert began to fire; kept over restarts and revisions.",
        "seconds",
        _ALERT,
        empty=True,
    ),
    _result(
        "alert_muted_until_timestamp_seconds",
        "Until when nobody is called for a finding; of the past when that is over. The alert goes on beneath it.",
        "seconds",
        ("model", "finding"),
        empty=True,
    ),
    _result(
        "detector_evidence",
        "Evidence of drift gathered over all features and windows; absent without a detector.",
        "1",
        ("model",),
        empty=True,
    ),
    _result(
        "detector_threshold",
        "Evidence at which the detector calls: windows between two false alarms.",
        "1",
        ("model",),
        empty=True,
    ),
    _result(
        "detector_firing",
        "Whether the detector calls as of the latest window.",
        "bool",
        ("model",),
        empty=True,
    ),
    _result(
        "segment_alarms",
        "Alarms of a slice of a segment that fire, by severity; of fields and output together.",
        "alarms",
        ("model", "model_version", "segment", "segment_value", "severity"),
        empty=True,
    ),
)
