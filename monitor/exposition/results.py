"""Stored results of one model, as series."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from monitor.domain.errors import (
    BaselineError,
    SourceError,
    StoreError,
    WorkerCrashedError,
    WorkerMemoryError,
)
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.field import embeddings
from monitor.domain.finding import Finding, Verdict
from monitor.domain.governance import QUESTIONS
from monitor.domain.limit import Band
from monitor.domain.manifest import Rejection
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantineState
from monitor.domain.reading import Reading
from monitor.domain.run import Outcome, Run, VersionResult
from monitor.engine.snapshot import ModelSnapshot
from monitor.engine.withheld import Withheld, withheld
from monitor.exposition.alerts import add_alerts
from monitor.exposition.joins import add_columns, add_label_join, add_memberships
from monitor.exposition.overreach import add_overreach
from monitor.exposition.sheet import Sheet
from monitor.exposition.standing import add_standings
from monitor.measures.measure import Family
from monitor.measures.names import ESTIMATED_OF_GROUPS, MEASURE_NAMES

_DIGEST = 12
"""Digits of a digest that tell one from another on a dashboard; the store has the rest."""

_STATES = {Verdict.OK: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 2}

_FAILURES = tuple(
    error.__name__
    for error in (BaselineError, SourceError, StoreError, WorkerCrashedError, WorkerMemoryError)
)
"""Errors that can be foreseen have a series from the start, so that the first one is a rise."""

_WINDOW_AND_BASELINE = {
    "score_mean": "score_mean",
    "decision_rate": "decision_positive_ratio",
    "label_rate": "label_positive_ratio",
    "auc_drop": "auc",
}
"""Measures whose two sides are quantities that people know by name."""

_GROUP_LEVELS = {
    "selection_rate": "group_outcome_ratio",
    "group_label_coverage": "group_label_coverage_ratio",
}

_DISPARITY_SCORES = {
    "": "group_level",
    "_ratio": "disparity_ratio",
    "_difference": "disparity_difference",
    "_ratio_change": "disparity_ratio_change",
    "_conditional_difference": "disparity_difference",
    "_conditional_ratio": "disparity_ratio",
}
"""What follows a metric's id in the name of a measure, to where the measure goes."""


class _Place(Struct, frozen=True):
    """Where a reading goes: its score's metric, the stem of its limits and state, its labels."""

    score: str
    stem: str
    labels: dict[str, str]


def add_model(sheet: Sheet, snapshot: ModelSnapshot, families: Mapping[str, Family]) -> int:
    """Add everything that is shown of a model, and return how many readings and series have no place.

    Args:
        sheet: Where the series go.
        snapshot: The model.
        families: Measure id to the section of ``limits`` it belongs to.
    """
    _add_identity(sheet, snapshot)
    _add_runs(sheet, snapshot)
    add_overreach(sheet, snapshot)
    _add_quarantine(sheet, snapshot)
    add_standings(sheet, snapshot)
    return _add_latest(sheet, snapshot, families)


def add_window(sheet: Sheet, snapshot: ModelSnapshot, families: Mapping[str, Family]) -> Run:
    """Add what is shown of the latest window of a model, which there is, and return its run.

    Args:
        sheet: Where the series go.
        snapshot: The model as that window showed it.
        families: As in `add_model`.

    Raises:
        ValueError: The snapshot has no window.
    """
    if snapshot.latest is None:
        raise ValueError(f"{snapshot.policy.model} has no window to show")
    _add_latest(sheet, snapshot, families)
    return snapshot.latest


def _add_latest(sheet: Sheet, snapshot: ModelSnapshot, families: Mapping[str, Family]) -> int:
    dropped = 0
    if snapshot.latest is not None:
        _add_window(sheet, snapshot, snapshot.latest)
        dropped = _add_results(sheet, snapshot.latest, families, snapshot.policy)
        dropped += add_alerts(sheet, snapshot, snapshot.latest, families)
    _add_feature_counts(sheet, snapshot, families)
    return dropped


def _versions(snapshot: ModelSnapshot) -> list[str]:
    found = () if snapshot.latest is None else snapshot.latest.results
    return sorted({*snapshot.baselines, *(result.version for result in found)})


def _add_identity(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    model = snapshot.policy.model
    for version in _versions(snapshot) or [""]:
        baseline = snapshot.baselines.get(version)
        sheet.add(
            "model_info",
            1,
            model=model,
            model_version=version,
            model_owner=snapshot.policy.owner,
            baseline=baseline.digest[:_DIGEST] if baseline else "",
            policy=snapshot.policy.digest[:_DIGEST],
            tier=snapshot.policy.governance.risk.tier or "",
            governed="true" if snapshot.policy.governance.governed else "false",
        )
        if baseline:
            registered = baseline.registered_at.timestamp()
            of = {"model": model, "model_version": version}
            sheet.add("baseline_registered_timestamp_seconds", registered, **of)
            sheet.add("baseline_records", baseline.rows, **of)
    missing = snapshot.policy.governance.missing
    sheet.add("policy_pending", int(bool(snapshot.policy.waiting)), model=model)
    for answer in QUESTIONS:
        sheet.add("policy_incomplete", int(answer in missing), model=model, answer=answer)
    for version, instant in snapshot.counts.first_seen.items():
        sheet.add(
            "model_version_first_seen_timestamp_seconds",
            instant.timestamp(),
            model=model,
            model_version=version,
        )


def _add_runs(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    model, counts = snapshot.policy.model, snapshot.counts
    sheet.add("store_windows", snapshot.windows, model=model)
    if snapshot.oldest is not None:
        oldest = snapshot.oldest.timestamp()
        sheet.add("store_oldest_window_timestamp_seconds", oldest, model=model)
    failures = {**dict.fromkeys(_FAILURES, 0), **counts.failed}
    runs = counts.completed + counts.no_data + sum(counts.failed.values())
    sheet.add("check_runs_total", runs, model=model)
    for reason, number in failures.items():
        sheet.add("check_run_failures_total", number, model=model, reason=reason)
    if counts.last_success is not None:
        instant = counts.last_success.timestamp()
        sheet.add("check_last_success_timestamp_seconds", instant, model=model)
    if counts.last_duration is not None:
        sheet.add("check_last_duration_seconds", counts.last_duration, model=model)
    if _has_further_window(snapshot):
        interval = snapshot.policy.schedule.interval.total_seconds()
        sheet.add("check_interval_seconds", interval, model=model)


def _add_quarantine(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    model, files = snapshot.policy.model, snapshot.quarantine.values()
    # A reason that was there once stays, at 0: a series that ends says nothing.
    inside: dict[str, int] = {}
    for file in files:
        reason = file.unreadable.reason
        inside[reason] = inside.get(reason, 0) + file.inside
    for reason, number in inside.items():
        sheet.add("files_quarantined", number, model=model, reason=reason)
    waiting = [file.first_seen for file in files if file.state is QuarantineState.WAITING]
    if waiting:
        oldest = min(waiting).timestamp()
        sheet.add("files_quarantined_oldest_timestamp_seconds", oldest, model=model)
    times = sum(file.times for file in files)
    sheet.add("file_quarantines_total", times, model=model)


def _has_further_window(snapshot: ModelSnapshot) -> bool:
    schedule, latest = snapshot.policy.schedule, snapshot.latest
    if schedule.end is None or latest is None:
        return True
    return schedule.window_at(latest.window.end).end <= schedule.end


def _add_window(sheet: Sheet, snapshot: ModelSnapshot, run: Run) -> None:
    model = run.model
    sheet.add("window_start_timestamp_seconds", run.window.start.timestamp(), model=model)
    sheet.add("window_end_timestamp_seconds", run.window.end.timestamp(), model=model)
    if snapshot.revision is not None:
        sheet.add("window_revision", snapshot.revision, model=model)
    for outcome in (Outcome.COMPLETED, Outcome.NO_DATA):
        sheet.add("window_state", run.outcome is outcome, model=model, state=outcome.value)
    sheet.add("window_records", run.accounting.read, model=model)
    profiled = {**dict.fromkeys(snapshot.baselines, 0), **run.accounting.profiled}
    for version, rows in profiled.items():
        sheet.add("window_profiled_records", rows, model=model, model_version=version)
    rejected = {**dict.fromkeys(map(str, Rejection), 0), **run.accounting.rejected}
    for reason, rows in rejected.items():
        sheet.add("window_rejected_records", rows, model=model, reason=reason)
    add_label_join(sheet, model, run.accounting)
    add_columns(sheet, run, snapshot.policy)
    files = len(run.manifest.files) + len(run.manifest.labels)
    sheet.add("window_files", files, model=model)
    sheet.add("window_files_unreadable", len(run.manifest.unreadable), model=model)
    if run.last_event is not None:
        sheet.add("data_last_record_timestamp_seconds", run.last_event.timestamp(), model=model)


def _add_results(sheet: Sheet, run: Run, families: Mapping[str, Family], policy: Policy) -> int:
    """Return how many readings and series found no place."""
    parts: tuple[Run | VersionResult, ...] = (run, *run.results)
    every = [finding for part in parts for finding in part.findings]
    _add_slices(sheet, every)
    # Slices times fields would be too many series: of slices there are counts.
    readings = [item for part in parts for item in part.readings if not item.subject.scanned]
    findings = [item for item in every if not item.reading.subject.scanned]
    small = withheld(readings, policy)
    for (version, population), number in small.groups.items():
        of = {"model": run.model, "model_version": version, "attribute": population}
        sheet.add("suppressed_groups", number, **of)
    add_memberships(sheet, run.accounting, policy, small)
    dropped = sum(not _add_reading(sheet, item, families, small) for item in readings)
    dropped += sum(not _add_finding(sheet, finding, families) for finding in findings)
    _add_finding_counts(sheet, findings)
    return dropped


def _add_slices(sheet: Sheet, findings: list[Finding]) -> None:
    slices: dict[tuple[str, str, str, str], Counter[Verdict]] = {}
    for finding in findings:
        subject = finding.reading.subject
        if subject.scanned:
            of = (subject.model, subject.version, subject.segment, subject.segment_value)
            slices.setdefault(of, Counter())[finding.verdict] += 1
    for (model, version, segment, value), counts in slices.items():
        for verdict in Verdict:
            sheet.add(
                "segment_findings",
                counts[verdict],
                model=model,
                model_version=version,
                segment=segment,
                segment_value=value,
                verdict=verdict.value,
            )


def _add_reading(
    sheet: Sheet, reading: Reading, families: Mapping[str, Family], small: Withheld
) -> bool:
    tells = small.tells(reading)
    _add_group(sheet, reading, tells=tells)
    place = _place(reading, families)
    if place is None:
        return False
    if isinstance(reading.result, Unmeasurable) or not tells:
        return True
    _add_both_sides(sheet, reading, reading.result)
    return _add_estimate(sheet, place, reading.result)


def _add_estimate(sheet: Sheet, place: _Place, estimate: Estimate) -> bool:
    added = sheet.add(place.score, estimate.value, **place.labels)
    if estimate.low is not None:
        sheet.add(f"{place.score}_lower_bound", estimate.low, **place.labels)
    if estimate.high is not None:
        sheet.add(f"{place.score}_upper_bound", estimate.high, **place.labels)
    return added


def _add_both_sides(sheet: Sheet, reading: Reading, estimate: Estimate) -> None:
    name = _WINDOW_AND_BASELINE.get(reading.measure)
    if name is None or reading.subject.reference:
        return
    of = {"model": reading.subject.model, "model_version": reading.subject.version}
    if estimate.now is not None:
        sheet.add(name, estimate.now, **of)
    if estimate.then is not None:
        sheet.add(f"baseline_{name}", estimate.then, **of)


def _add_group(sheet: Sheet, reading: Reading, *, tells: bool) -> None:
    # A group's size is known where its rate is not, and without it nobody sees why.
    subject = reading.subject
    of = {"model": subject.model, "model_version": subject.version, "attribute": subject.population}
    if reading.measure == "selection_rate" and tells:
        sheet.add("group_records", reading.result.n, **of, group=subject.group)
    if subject.reference_group:
        sheet.add("population_reference_info", 1, **of, reference_group=subject.reference_group)


def _place(reading: Reading, families: Mapping[str, Family]) -> _Place | None:
    subject, measure = reading.subject, reading.measure
    family = families.get(measure)
    of = {"model": subject.model, "model_version": subject.version}
    if family is Family.DRIFT and subject.field:
        of |= {"feature": subject.field, "method": measure, "reference": subject.reference}
        return _Place("feature_drift_score", "feature_drift", of)
    if family is Family.DRIFT:
        of |= {"method": measure, "reference": subject.reference}
        return _Place("output_drift_score", "output_drift", of)
    if family is Family.QUALITY:
        return _Place(
            "quality_score", "quality", {**of, "feature": subject.field, "check": measure}
        )
    if family is Family.PERFORMANCE:
        return _Place("performance_score", "performance", {**of, "check": measure})
    of |= {"attribute": subject.population, "group": subject.group}
    further = {
        "class": subject.class_name,
        "stratum": subject.stratum,
        "reference": subject.reference,
    }
    of |= {label: text for label, text in further.items() if text}
    if measure in _GROUP_LEVELS:
        return _Place(_GROUP_LEVELS[measure], "disparity", of)
    of |= {"check": measure}
    score = _disparity_score(measure)
    return None if score is None else _Place(score, "disparity", of)


def _disparity_score(measure: str) -> str | None:
    if measure in ESTIMATED_OF_GROUPS:
        return _DISPARITY_SCORES[""]
    name = MEASURE_NAMES.get(measure)
    metric = "" if name is None else name.metric
    return _DISPARITY_SCORES.get(measure.removeprefix(metric)) if metric else None


def _add_finding(sheet: Sheet, finding: Finding, families: Mapping[str, Family]) -> bool:
    subject = finding.reading.subject
    added = True
    for verdict in Verdict:
        added = sheet.add(
            "finding_state",
            verdict is finding.verdict,
            model=subject.model,
            model_version=subject.version,
            check=finding.reading.measure,
            feature=subject.field,
            attribute=subject.population,
            group=subject.group,
            **{"class": subject.class_name},
            stratum=subject.stratum,
            reference=subject.reference,
            verdict=verdict.value,
        )
    place = _place(finding.reading, families)
    if place is None:
        return False
    labels = place.labels
    if place.stem == "disparity":
        labels = {**labels, "check": finding.reading.measure}
    _add_limits(sheet, finding, place.stem, labels)
    if finding.verdict in _STATES:
        sheet.add(f"{place.stem}_state", _STATES[finding.verdict], **labels)
    return added


def _add_limits(sheet: Sheet, finding: Finding, stem: str, labels: dict[str, str]) -> None:
    limit = finding.limit
    # The groups of a population share its limits: one series, not one a group.
    shared = {name: text for name, text in labels.items() if name != "group"}
    name = f"{stem}_threshold"
    if isinstance(limit, Band):
        sheet.add(name, limit.low, **shared, bound="low")
        sheet.add(name, limit.high, **shared, bound="high")
        return
    for severity, bound in (("warning", limit.warning), ("critical", limit.critical)):
        if bound is not None:
            sheet.add(name, bound, **shared, severity=severity)
    for verdict, test in finding.evidence.items():
        sheet.add(f"{stem}_tolerance", test.tolerance, **labels, severity=verdict.value)


def _add_finding_counts(sheet: Sheet, findings: list[Finding]) -> None:
    verdicts: dict[tuple[str, str, str, str], dict[str, int]] = {}
    unknown: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for finding in findings:
        subject = finding.reading.subject
        of = (subject.model, subject.version, finding.reading.measure, subject.reference)
        counts = verdicts.setdefault(of, dict.fromkeys(map(str, Verdict), 0))
        counts[finding.verdict.value] += 1
        if finding.verdict is Verdict.UNKNOWN:
            reasons = unknown.setdefault(of, {})
            reasons[finding.reason.value] = reasons.get(finding.reason.value, 0) + 1
    for name, label, table in (
        ("findings", "verdict", verdicts),
        ("findings_unknown", "reason", unknown),
    ):
        for (model, version, check, reference), counts in table.items():
            of_check = {"model": model, "model_version": version, "check": check}
            of_check["reference"] = reference
            for value, number in counts.items():
                sheet.add(name, number, **of_check, **{label: value})


def _add_feature_counts(
    sheet: Sheet, snapshot: ModelSnapshot, families: Mapping[str, Family]
) -> None:
    results = {} if snapshot.latest is None else {r.version: r for r in snapshot.latest.results}
    fields = snapshot.policy.fields
    monitored = {field.name for field in fields} | {item.declared for item in embeddings(fields)}
    judged = monitored - _never_judged(snapshot.policy)
    for version in _versions(snapshot):
        of = {"model": snapshot.policy.model, "model_version": version}
        well, drifted = _judged_features(results.get(version), families)
        sheet.add("features_monitored", len(monitored), **of)
        sheet.add("features_insufficient_data", len(judged - well - drifted), **of)
        if well or drifted:
            sheet.add("features_drifted", len(drifted), **of)


def _never_judged(policy: Policy) -> set[str]:
    """Return the fields whose drift the policy says is never to be judged."""
    limits = [
        limit
        for measure, limit in policy.limits.items()
        if MEASURE_NAMES[measure].family == "drift"
    ]
    named = {name for limit in limits for name in limit.fields}
    return {name for name in named if not any(limit.of(name).bounds for limit in limits)}


def _judged_features(
    result: VersionResult | None, families: Mapping[str, Family]
) -> tuple[set[str], set[str]]:
    """Return the features judged to be well, and those whose drift is beyond a limit.

    Against the registered baseline: a reference of earlier windows is another question.
    """
    verdicts: dict[str, set[Verdict]] = {}
    for finding in result.findings if result else ():
        reading = finding.reading
        subject = reading.subject
        against_baseline = subject.field and not (subject.reference or subject.segment)
        if against_baseline and families.get(reading.measure) is Family.DRIFT:
            verdicts.setdefault(reading.subject.field, set()).add(finding.verdict)
    bad = {Verdict.WARNING, Verdict.CRITICAL}
    drifted = {feature for feature, found in verdicts.items() if found & bad}
    well = {feature for feature, found in verdicts.items() if found == {Verdict.OK}}
    return well, drifted
