"""One run: from a window of the log to findings in the store."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.alerts.detector import e_value
from monitor.alerts.findings import findings_of
from monitor.alerts.judge import judge
from monitor.domain.baseline import Baseline
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.finding import Finding
from monitor.domain.limit import Limit
from monitor.domain.manifest import Accounting, LabelJoin, LogFile, Manifest, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine, QuarantinedFile
from monitor.domain.reading import Reading, Subject
from monitor.domain.reference import held_identity
from monitor.domain.run import Outcome, Run, VersionResult, run_identity
from monitor.domain.schema import SchemaChange
from monitor.domain.timetable import Timetable
from monitor.domain.window import Window
from monitor.engine.beside import with_columns, with_shares
from monitor.engine.counting import bundled
from monitor.engine.evidence import Files
from monitor.engine.floors import floors_of
from monitor.engine.frozen import check_frozen
from monitor.engine.ports import Clock, Committed, Compute, Scan, Source, Store, TaskCounter
from monitor.engine.progress import Progress
from monitor.engine.references import Held, hold
from monitor.engine.timetable import timetable_of
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_against, measure_all
from monitor.measures.peers import measure_peer, peer_floors
from monitor.measures.slices import measure_slices
from monitor.measures.variability import Floors, floors_against
from monitor.profile.codec import grid_from_bytes, profile_from_bytes, profile_to_bytes
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile

_NO_LIMIT = Limit(None, None, 0)


class Outside(Struct, frozen=True):
    """What a run needs from outside, built once by `monitor.app`.

    Attributes:
        store: Where results go.
        compute: Where tasks are mapped.
        clock: The time of day.
        code: Version of modelmon.
        files: Where files are that approvals rest on; None where nobody looks at them.
    """

    store: Store
    compute: Compute
    clock: Clock
    code: str
    files: Files | None = None


class Ran(Struct, frozen=True):
    """A run and what became of it in the store."""

    run: Run
    committed: Committed


def run_window(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    source: Source,
    window: Window,
    outside: Outside,
    progress: Progress,
    quarantine: Quarantine,
) -> Ran:
    """Measure and judge one window of a model, and store everything at once.

    The same window, policy, baselines and data give the same identity: a second run finds the
    first one's results and changes nothing.

    Args:
        policy: The policy in force.
        source: The log.
        window: The window.
        outside: Store, compute, clock.
        progress: Told as rows are read.
        quarantine: The files that are not tried now; those that break are stored with the run.

    Raises:
        SourceError: The log cannot be reached.
        StoreError: The results could not be stored; nothing was.
    """
    started = outside.clock.now()
    store = outside.store
    baselines = store.current_baselines(policy.model)
    scan = replace(source.scan(window, quarantine), timetable=_timetable(policy, window, store))
    heads = store.heads(policy.model)
    held = hold(policy, window, baselines, heads, store)
    head = heads.get(window)
    stored = None if head is None else store.run(policy.model, window, head.revision)
    if head and stored and head.listing == scan.listing:
        inputs = _inputs(policy, scan, baselines, scan.manifest, stored.accounting.labels)
        if head.identity == _identity(inputs, held, stored.results):
            return Ran(stored, Committed(head.revision, new=False))
    prepared = prepare(policy, source, scan, baselines, held)
    if head and stored:
        inputs = _inputs(policy, scan, baselines, scan.manifest, prepared.count.joined)
        if head.identity == _identity(inputs, held, stored.results):
            return Ran(stored, Committed(head.revision, new=False))  # other files, the same labels
    seen = examine(policy, prepared, outside.compute, progress)
    inputs = _inputs(policy, scan, baselines, seen.manifest, seen.accounting.labels)
    run = Run(
        model=policy.model,
        window=window,
        identity=_identity(inputs, held, seen.results),
        policy=policy.digest,
        manifest=seen.manifest,
        accounting=seen.accounting,
        outcome=Outcome.COMPLETED if seen.accounting.placed else Outcome.NO_DATA,
        started=started,
        finished=outside.clock.now(),
        code=outside.code,
        last_event=seen.last_event,
        listing=scan.listing_of(seen.manifest),
        results=seen.results,
        readings=seen.readings,
        findings=seen.findings,
        schema_changes=seen.schema_changes,
        e_value=e_value(finding for result in seen.results for finding in result.findings),
        inputs=inputs,
        compositions=held.of(seen.results),
    )
    broken = newly_broken(quarantine, run.manifest)
    return Ran(run, store.commit(run, policy, broken))


def judge_again(policy: Policy, window: Window, outside: Outside) -> Ran | None:
    """Hold the stored profiles of a window against its references as they are now.

    No row is read, so nothing that has come for the window since takes part.

    Args:
        policy: The policy in force, under which the window's newest revision was run.
        window: The window.
        outside: Store, clock.

    Returns:
        What was stored; None when there is no result of this policy on the current baselines.

    Raises:
        StoreError: The results could not be stored; nothing was.
    """
    started, store = outside.clock.now(), outside.store
    stored = store.run(policy.model, window)
    baselines = store.current_baselines(policy.model)
    if stored is None or stored.policy != policy.digest or not _on(baselines, stored):
        return None
    held = hold(policy, window, baselines, store.heads(policy.model), store)
    results = tuple(
        _judged_again(policy, stored, baselines[item.version], item, held) if item.profile else item
        for item in stored.results
    )
    inputs = stored.inputs or stored.identity
    run = replace(
        stored,
        identity=_identity(inputs, held, results),
        started=started,
        finished=outside.clock.now(),
        code=outside.code,
        results=results,
        e_value=e_value(finding for result in results for finding in result.findings),
        inputs=inputs,
        compositions=held.of(results),
    )
    return Ran(run, store.commit(run, policy))


def _judged_again(
    policy: Policy, run: Run, baseline: Baseline, stored: VersionResult, held: Held
) -> VersionResult:
    grid, profile = grid_from_bytes(baseline.grid), profile_from_bytes(stored.profile)
    result = _version_result(policy, run.window, baseline, grid, profile, held)
    return with_columns(result, policy, grid, run.schema_changes)


def _on(baselines: Mapping[str, Baseline], stored: Run) -> bool:
    """Return whether all that was profiled in a run was so on the current baselines' grids."""
    return all(
        item.version in baselines and baselines[item.version].digest == item.baseline
        for item in stored.results
        if item.profile
    )


def newly_broken(quarantine: Quarantine, manifest: Manifest) -> tuple[QuarantinedFile, ...]:
    """Return the files of a run's manifest that change what is known of the quarantine."""
    return quarantine.changes((file.path, file) for file in manifest.unreadable)


class Prepared(Struct, frozen=True):
    """A scan that is ready to be counted: grids agreed on, labels joined, no other column read.

    Attributes:
        scan: What to read.
        baselines: What to hold it against, by version.
        grids: The baselines' grids.
        count: The function that counts a task of the scan.
        held: What to hold it against besides.
    """

    scan: Scan
    baselines: Mapping[str, Baseline]
    grids: Mapping[str, Grid]
    count: TaskCounter
    held: Held = field(default_factory=Held)


def prepare(
    policy: Policy, source: Source, scan: Scan, baselines: Mapping[str, Baseline], held: Held
) -> Prepared:
    """Join labels to a scan.

    Raises:
        BaselineError: The policy reads columns otherwise than the baseline froze them.
        SourceError: The log cannot be reached.
    """
    grids = {version: grid_from_bytes(item.grid) for version, item in baselines.items()}
    for version, grid in grids.items():
        check_frozen(policy, version, grid)
    return Prepared(scan, baselines, grids, source.counter(scan, grids), held)


class Examination(Struct, frozen=True):
    """What a window shows when it is held against baselines, before anything is stored.

    Attributes:
        manifest: The files read, and those that had to be left out.
        accounting: The rows.
        last_event: The latest event in the window.
        results: One for each version with rows; without a baseline it says no more than that.
        readings: What must be said of the log itself.
        findings: The same, judged.
        schema_changes: How the columns of the files differ from those of the baselines.
    """

    manifest: Manifest
    accounting: Accounting
    last_event: datetime | None
    results: tuple[VersionResult, ...]
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]
    schema_changes: tuple[SchemaChange, ...] = ()


def examine(
    policy: Policy, prepared: Prepared, compute: Compute, progress: Progress
) -> Examination:
    """Profile a scan on the baselines' grids, measure and judge it.

    Raises:
        SourceError: The log cannot be reached.
    """
    scan, baselines, grids = prepared.scan, prepared.baselines, prepared.grids
    counted = compute.count(bundled(scan.tasks), prepared.count.complete(), progress)
    accounting = counted.accounting(prepared.count.joined, scan.timetable)
    columns = counted.schema_changes
    found = conclude(
        policy, scan.window, baselines, grids, counted.profiles, accounting, prepared.held, columns
    )
    return Examination(
        manifest=_with_broken(policy, scan.manifest, counted.unreadable),
        accounting=accounting,
        last_event=counted.last_event,
        results=found.results,
        readings=found.readings,
        findings=found.findings,
        schema_changes=counted.schema_changes,
    )


class Conclusions(Struct, frozen=True):
    """What profiles say, measured and judged.

    Attributes:
        results: One for each version with rows, in order; without a baseline it says no more than
            that.
        readings: What must be said of the log itself.
        findings: The same, judged.
    """

    results: tuple[VersionResult, ...]
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]


def conclude(  # noqa: PLR0917  # eight nouns, each of another type
    policy: Policy,
    window: Window,
    baselines: Mapping[str, Baseline],
    grids: Mapping[str, Grid],
    profiles: Mapping[str, Profile],
    accounting: Accounting,
    held: Held,
    columns: Sequence[SchemaChange],
) -> Conclusions:
    """Measure and judge the profiles of a window; no more is needed than the store keeps.

    Args:
        policy: The policy.
        window: The window.
        baselines: What each profiled version is held against.
        grids: Their grids.
        profiles: What was counted, by version.
        accounting: The rows.
        held: What they are held against besides.
        columns: How the columns of the window's files differ from those of the baselines.
    """
    results = [
        with_columns(
            _version_result(policy, window, baselines[version], grids[version], profile, held),
            policy,
            grids[version],
            columns,
        )
        for version, profile in profiles.items()
        if profile.rows
    ]
    results += [
        _unregistered(policy, window, version, rows)
        for version, rows in accounting.unregistered.items()
    ]
    readings = _readings_on_the_log(policy, window, accounting)
    return Conclusions(
        results=tuple(sorted(results, key=lambda result: result.version)),
        readings=readings,
        findings=tuple(judge(reading, _NO_LIMIT, either_side=False) for reading in readings),
    )


def readings_of(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy, window: Window, baseline: Baseline, grid: Grid, profile: Profile, held: Held
) -> tuple[Reading, ...]:
    """Return everything measured of one version's profile against baseline and references."""
    pair = held.beside(window, baseline, grid, profile)
    readings = list(measure_all(policy.model, baseline.version, policy, pair))
    for reference in policy.references:
        subject = Subject(policy.model, baseline.version, reference=reference.name)
        earlier = held.pair(reference, baseline, pair)
        absent = earlier if isinstance(earlier, Unmeasurable) else None
        held_against = pair if isinstance(earlier, Unmeasurable) else earlier
        readings += measure_against(subject, policy, held_against, absent)
    for peer in policy.peers:
        readings += measure_peer(peer, policy.model, baseline.version, policy, pair)
    if policy.segments:
        readings += measure_slices(policy, pair, readings)
    return tuple(readings)


def _version_result(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy, window: Window, baseline: Baseline, grid: Grid, profile: Profile, held: Held
) -> VersionResult:
    readings = readings_of(policy, window, baseline, grid, profile, held)
    result = VersionResult(
        version=baseline.version,
        baseline=baseline.digest,
        rows=profile.rows,
        profile=profile_to_bytes(profile),
        readings=readings,
        findings=findings_of(readings, policy, _floors(policy, window, baseline, grid, held)),
    )
    return with_shares(result, policy)


def _floors(policy: Policy, window: Window, baseline: Baseline, grid: Grid, held: Held) -> Floors:
    """Return the floors of what is held against the baseline, and against each reference."""
    learned = floors_of(policy, window, baseline, grid)
    found = dict(learned)
    for reference in policy.references:
        parts = held.composition(reference, baseline.version).parts
        if parts:
            found |= floors_against(learned, reference.name, len(parts))
    if policy.peers:
        registered = profile_from_bytes(baseline.profile)
        itself = ProfilePair(grid, registered, registered, baseline.window, 1.0)
        for peer in policy.peers:
            found |= peer_floors(learned, peer, policy, itself)
    return found


def _unregistered(policy: Policy, window: Window, version: str, rows: int) -> VersionResult:
    """Return what can be said of a version that nothing is registered of."""
    told = f"version {version} has {rows:,} rows in {window} and no registered baseline"
    unknown = Unmeasurable(Absence.NO_BASELINE, told, rows)
    reading = Reading("rows", Subject(policy.model, version), unknown)
    return VersionResult(
        version=version,
        baseline="",
        rows=0,
        profile=b"",
        readings=(reading,),
        findings=(judge(reading, _NO_LIMIT, either_side=False),),
    )


def _readings_on_the_log(
    policy: Policy, window: Window, accounting: Accounting
) -> tuple[Reading, ...]:
    """Return what must be said of the log itself: that it has no rows."""
    if accounting.placed:
        return ()
    silent = Unmeasurable(Absence.NO_DATA, f"the log has no rows in {window}")
    return (Reading("rows", Subject(policy.model), silent),)


def _identity(inputs: str, held: Held, results: Sequence[VersionResult]) -> str:
    return held_identity(inputs, held.of(results))


def _inputs(
    policy: Policy,
    scan: Scan,
    baselines: Mapping[str, Baseline],
    manifest: Manifest,
    joined: LabelJoin | None,
) -> str:
    digests = {version: baseline.digest for version, baseline in baselines.items()}
    content = manifest.content(joined)
    allowed = "" if scan.timetable is None else scan.timetable.digest
    return run_identity(policy.model, scan.window, policy.digest, digests, content, allowed)


def _timetable(policy: Policy, window: Window, store: Store) -> Timetable | None:
    """Return what versions were allowed when; None of a model whose policy leaves answers out."""
    governance = policy.governance
    if not governance.governed:
        return None
    return timetable_of(store.gate_answers(policy.model), window, governance.gate.reviewed)


def _with_broken(policy: Policy, manifest: Manifest, broken: list[UnreadableFile]) -> Manifest:
    if not broken:
        return manifest
    paths = {file.path for file in broken}
    labels, protected = policy.source.labels, policy.source.protected
    unreadable = sorted((*manifest.unreadable, *broken), key=lambda file: file.path)
    return replace(
        manifest,
        files=tuple(file for file in manifest.files if file.path not in paths),
        labels=_whole(manifest.labels, "" if labels is None else labels.path, paths),
        protected=_whole(manifest.protected, "" if protected is None else protected.path, paths),
        unreadable=tuple(unreadable),
    )


def _whole(files: Iterable[LogFile], folder: str, broken: Container[str]) -> tuple[LogFile, ...]:
    return tuple(file for file in files if f"{folder}/{file.path}" not in broken)
