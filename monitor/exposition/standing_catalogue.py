"""The metrics of who may act; part of the catalogue of all."""

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part

_VERSION = ("model", "model_version")
_CASE = (*_VERSION, "case", "cause", "rung")


def _result(
    name: str, meaning: str, unit: str, labels: tuple[str, ...], *, empty: bool = True
) -> MetricFamily:
    return MetricFamily(PREFIX + name, Kind.GAUGE, meaning, unit, labels, Part.RESULTS, empty)


STANDINGS = (
    _result(
        "version_state",
        "What a version may do: 1 for the state it is in, 0 for the others. One that was retired is absent.",
        "state",
        (*_VERSION, "state"),
        empty=False,
    ),
    _result(
        "version_authority",
        "How much a version may do: 0 nothing, 1 what the policy's conditions allow, 2 all that was delegated.",
        "state",
        _VERSION,
        empty=False,
    ),
    _result(
        "version_state_since_timestamp_seconds",
        "When a version was moved to its state.",
        "seconds",
        _VERSION,
        empty=False,
    ),
    _result(
        "case_deadline_timestamp_seconds",
        "By when an open case must be closed; then its consequence goes further by itself. Absent without a deadline.",
        "seconds",
        _CASE,
    ),
    _result(
        "case_deadlines_missed",
        "How many deadlines of an open case have gone by.",
        "deadlines",
        _CASE,
    ),
    _result(
        "waiver_until_timestamp_seconds",
        "Until when a limit has no consequence; of a waiver that is not over. An empty version is all of them.",
        "seconds",
        (*_VERSION, "limit"),
    ),
    _result(
        "alert_waived_until_timestamp_seconds",
        "Until when a firing alert has no consequence, by the limit that is waived. It fires and is measured all the same.",
        "seconds",
        ("model", "finding", "limit"),
    ),
    _result(
        "requests_pending",
        "Requests that wait for somebody's yes or no, by what they are for.",
        "requests",
        ("model", "kind"),
        empty=False,
    ),
    _result(
        "approval_void",
        "Whether the newest approval of a version is void, because something that it rests on is another now. Absent before one was granted or void.",
        "state",
        _VERSION,
    ),
    _result(
        "evidence_unseen",
        "Whether a file that approvals rest on was not there, or could not be looked at, the last time: it may be another by now.",
        "state",
        (*_VERSION, "evidence"),
    ),
)
