"""One run: from a window of the log to findings in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.alerts.judge import judge, judge_ratio
from monitor.domain.baseline import Baseline
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.finding import Finding
from monitor.domain.limit import Limit
from monitor.domain.manifest import Accounting, Manifest, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Outcome, Run, VersionResult, run_identity
from monitor.domain.window import Window
from monitor.engine.counting import Counted
from monitor.engine.frozen import check_frozen
from monitor.engine.ports import Clock, Committed, Compute, Scan, Source, Store
from monitor.engine.progress import Progress
from monitor.measures.direction import either_side
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.codec import grid_from_bytes, profile_from_bytes, profile_to_bytes
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile

RATIO = "selection_rate_ratio"
"""The measure that is judged by the disparity band."""

_NO_LIMIT = Limit(None, None, 0)


@dataclass(frozen=True)
class Outside:
    """What a run needs from outside, built once by `monitor.app`.

    Attributes:
        store: Where results go.
        compute: Where tasks are mapped.
        clock: The time of day.
        code: Version of modelmon.
    """

    store: Store
    compute: Compute
    clock: Clock
    code: str


@dataclass(frozen=True)
class Ran:
    """A run and what became of it in the store."""

    run: Run
    committed: Committed


def run_window(
    policy: Policy, source: Source, window: Window, outside: Outside, progress: Progress
) -> Ran:
    """Measure and judge one window of a model, and store everything at once.

    The same window, policy, baselines and data give the same identity: a second run finds the
    first one's results and changes nothing.

    Raises:
        SourceError: The log cannot be reached.
        StoreError: The results could not be stored; nothing was.
    """
    started = outside.clock.now()
    baselines = outside.store.current_baselines(policy.model)
    scan = source.scan(window)
    known = _stored(policy, window, baselines, scan.manifest, outside.store)
    if known is not None:
        return known
    seen = examine(policy, source, scan, baselines, outside.compute, progress)
    run = Run(
        model=policy.model,
        window=window,
        identity=_identity(policy, window, baselines, seen.manifest),
        policy=policy.digest,
        manifest=seen.manifest,
        accounting=seen.accounting,
        outcome=Outcome.COMPLETED if seen.accounting.placed else Outcome.NO_DATA,
        started=started,
        finished=outside.clock.now(),
        code=outside.code,
        last_event=seen.last_event,
        results=seen.results,
        readings=seen.readings,
        findings=seen.findings,
    )
    return Ran(run, outside.store.commit(run, policy))


@dataclass(frozen=True)
class Examination:
    """What a window shows when it is held against baselines, before anything is stored.

    Attributes:
        manifest: The files read, and those that had to be left out.
        accounting: The rows.
        last_event: The latest event in the window.
        results: One for each version with rows and a baseline.
        readings: What must be said of the log itself.
        findings: The same, judged.
    """

    manifest: Manifest
    accounting: Accounting
    last_event: datetime | None
    results: tuple[VersionResult, ...]
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]


def examine(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    source: Source,
    scan: Scan,
    baselines: Mapping[str, Baseline],
    compute: Compute,
    progress: Progress,
) -> Examination:
    """Profile a scan on the baselines' grids, measure and judge it.

    Raises:
        BaselineError: The policy reads columns otherwise than the baseline froze them.
        SourceError: The log cannot be reached.
    """
    grids = {version: grid_from_bytes(item.grid) for version, item in baselines.items()}
    for version, grid in grids.items():
        check_frozen(policy, version, grid)
    counted = compute.count(scan.tasks, source.counter(scan, grids), progress)
    results = tuple(
        _version_result(policy, scan.window, baselines[version], grids[version], profile)
        for version, profile in sorted(counted.profiles.items())
        if profile.rows
    )
    readings = _readings_on_the_log(policy, scan.window, counted)
    return Examination(
        manifest=_with_broken(scan.manifest, counted.unreadable),
        accounting=counted.accounting(),
        last_event=counted.last_event,
        results=results,
        readings=readings,
        findings=tuple(judge(reading, _NO_LIMIT, either_side=False) for reading in readings),
    )


def findings_of(readings: tuple[Reading, ...], policy: Policy) -> tuple[Finding, ...]:
    """Return the verdict on each reading that the policy sets a limit for."""
    found: list[Finding] = []
    for reading in readings:
        if reading.measure == RATIO and policy.decision and policy.decision.effect:
            found.append(judge_ratio(reading, policy.band, policy.decision.effect))
        elif reading.measure in policy.limits:
            limit = policy.limits[reading.measure].of(reading.subject.field)
            if limit.bounds:  # a measure may be judged for some fields and not for others
                found.append(judge(reading, limit, either_side=either_side(reading.measure)))
    return tuple(found)


def readings_of(
    policy: Policy, window: Window, baseline: Baseline, grid: Grid, profile: Profile
) -> tuple[Reading, ...]:
    """Return everything measured of one version's profile against its baseline."""
    pair = ProfilePair(
        grid=grid,
        reference=profile_from_bytes(baseline.profile),
        current=profile,
        window=window,
        reference_windows=baseline.window.duration / window.duration,
    )
    return measure_all(policy.model, baseline.version, policy, pair)


def _version_result(
    policy: Policy, window: Window, baseline: Baseline, grid: Grid, profile: Profile
) -> VersionResult:
    readings = readings_of(policy, window, baseline, grid, profile)
    return VersionResult(
        version=baseline.version,
        baseline=baseline.digest,
        rows=profile.rows,
        profile=profile_to_bytes(profile),
        readings=readings,
        findings=findings_of(readings, policy),
    )


def _readings_on_the_log(policy: Policy, window: Window, counted: Counted) -> tuple[Reading, ...]:
    """Return what must be said of the log itself: no rows, or rows that nothing is known of."""
    if not counted.accounting().placed:
        silent = Unmeasurable(Absence.NO_DATA, f"the log has no rows in {window}")
        return (Reading("rows", Subject(policy.model), silent),)
    return tuple(
        Reading(
            "rows",
            Subject(policy.model, version),
            Unmeasurable(
                Absence.NO_BASELINE,
                f"version {version} has {rows:,} rows in {window} and no registered baseline",
                rows,
            ),
        )
        for version, rows in sorted(counted.unregistered.items())
    )


def _stored(
    policy: Policy,
    window: Window,
    baselines: Mapping[str, Baseline],
    manifest: Manifest,
    store: Store,
) -> Ran | None:
    head = store.heads(policy.model).get(window)
    if head is None or head.identity != _identity(policy, window, baselines, manifest):
        return None
    run = store.run(policy.model, window, head.revision)
    return None if run is None else Ran(run, Committed(head.revision, new=False))


def _identity(
    policy: Policy, window: Window, baselines: Mapping[str, Baseline], manifest: Manifest
) -> str:
    digests = {version: baseline.digest for version, baseline in baselines.items()}
    return run_identity(policy.model, window, policy.digest, digests, manifest.digest)


def _with_broken(manifest: Manifest, broken: list[UnreadableFile]) -> Manifest:
    if not broken:
        return manifest
    paths = {file.path for file in broken}
    unreadable = sorted((*manifest.unreadable, *broken), key=lambda file: file.path)
    files = tuple(file for file in manifest.files if file.path not in paths)
    return replace(manifest, files=files, unreadable=tuple(unreadable))
