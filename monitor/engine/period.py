"""What the store has of a period: its windows, and what they come to together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct, field

from monitor.alerts.findings import COVERAGE, findings_of
from monitor.domain.baseline import Baseline
from monitor.domain.errors import ConfigError, PrunedError, UnreadablePolicyError
from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.decided import Decided, decided_about
from monitor.engine.ports import RunHead, Store
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import GroupMeasure, ProfilePair
from monitor.measures.measuring import readings_by
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from monitor.profile.profile import Profile, merged

_MEASURES = tuple(
    measure
    for measure in CATALOGUE
    if isinstance(measure, GroupMeasure) or measure.about.id == COVERAGE
)
"""What is measured of a period: its groups, and how many of its rows have a label."""


class StoredRun(Struct, frozen=True):
    """The result of one window, and its number among those of the window."""

    revision: int
    run: Run


class Step(Struct, frozen=True):
    """One or more windows, one after the other, measured together.

    Attributes:
        window: From the start of the first to the end of the last.
        windows: How many they are.
        pair: Baseline, and the sum of the windows' profiles.
        readings: Of the groups, measured on the sum.
    """

    window: Window
    windows: int
    pair: ProfilePair
    readings: tuple[Reading, ...]


class Stretch(Struct, frozen=True):
    """The windows of a period in which one version was held against one baseline.

    Attributes:
        version: The model version.
        baseline: What it was held against.
        whole: All windows together.
        findings: The judgement on the whole, by the policy of the period's last window.
        steps: The same rows in the order of time.
        stored: What was found in each window when it was run.
    """

    version: str
    baseline: Baseline
    whole: Step
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    stored: Mapping[Window, tuple[Finding, ...]]


class Period(Struct, frozen=True):
    """What the store has of a model between two instants.

    Attributes:
        model: Name of the model.
        span: The period that was asked for.
        runs: The result of each window of the schedule that lies in it, oldest first.
        policy: The policy of the last of them, by which the whole is judged.
        policies: Digest to policy, of all windows, in the order in which they came into force.
        stretches: By version and baseline, in the order of their first window.
        left_out: Windows with results that lie in the period and are of another schedule.
        unread: Digests of policies that this version of the program cannot read, and why.
        decided: What was decided about the model.
    """

    model: str
    span: Window
    runs: tuple[StoredRun, ...]
    policy: Policy
    policies: Mapping[str, Policy]
    stretches: tuple[Stretch, ...]
    left_out: tuple[Window, ...]
    unread: Mapping[str, str]
    decided: Decided = field(default_factory=Decided)


def span_before(span: Window) -> Window:
    """Return the period of the same length that ends where one begins: months for whole months."""
    start, end = span.start, span.end
    of_months = all((at.day, at.hour, at.minute, at.second) == (1, 0, 0, 0) for at in (start, end))
    if not of_months:
        return Window(start - span.duration, start)
    months = 12 * (end.year - start.year) + end.month - start.month
    years, month = divmod(12 * start.year + start.month - 1 - months, 12)
    return Window(start.replace(year=years, month=month + 1), start)


def period_of(  # noqa: PLR0917  # each of another type
    store: Store,
    model: str,
    span: Window,
    policy_of: Callable[[str], Policy],
    revisions: Mapping[Window, int] | None = None,
    most_steps: int = 12,
    decided_by: datetime | None = None,
) -> Period:
    """Return what the store has of a period; no log is read.

    The whole is the sum of the windows' profiles, measured by the same functions as a window is:
    of a period of one window it is that window's stored result.

    Args:
        store: The store.
        model: Name of the model.
        span: The period: windows that lie within it.
        policy_of: Returns the policy that a file's text declares. Raises ConfigError.
        revisions: Which result of each window; the newest where it is not said.
        most_steps: Windows are added up until there are no more steps than this.
        decided_by: What was decided later is left out; None for nothing.

    Raises:
        LookupError: There is no result in the period, or not the revision that was asked for.
        PrunedError: Results of the period were pruned: what is left of it is not the period.
        UnreadablePolicyError: This version cannot read the policy of the last window.
        StoreError: The database cannot be read.
    """
    stored = _stored(store, model, span, revisions)
    if not stored:
        raise LookupError(f"no results of {model} are stored in {span}")
    policies, unread = _policies(store, [item.run for item in stored], policy_of)
    last = stored[-1].run.policy
    if last in unread:
        raise UnreadablePolicyError(
            f"this version cannot read the policy {last[:12]}: {unread[last]}"
        )
    policy = policies[last]
    of_schedule = [
        item
        for item in stored
        if policy.schedule.window_at(item.run.window.start) == item.run.window
    ]
    left_out = [item.run.window for item in stored if item not in of_schedule]
    return Period(
        model,
        span,
        tuple(of_schedule),
        policy,
        policies,
        _stretches(store, policy, [item.run for item in of_schedule], most_steps),
        tuple(left_out),
        unread,
        decided_about(
            store.ledger(model),
            span,
            decided_by,
            store.decisions(model),
            store.every_origin(model),
        ),
    )


def _stored(
    store: Store, model: str, span: Window, revisions: Mapping[Window, int] | None
) -> list[StoredRun]:
    heads = store.heads(model)
    wanted = {
        window: head.revision
        for window, head in heads.items()
        if span.start <= window.start and window.end <= span.end
    }
    if revisions is not None:
        wanted = dict(revisions)
    _require_kept(model, span, [heads[window] for window in wanted if window in heads])
    found: list[StoredRun] = []
    for window in sorted(wanted, key=lambda item: (item.end, item.start)):
        run = store.run(model, window, wanted[window])
        if run is None:
            raise LookupError(f"{window} of {model} has no revision {wanted[window]}")
        found.append(StoredRun(wanted[window], run))
    return found


def _require_kept(model: str, span: Window, heads: Sequence[RunHead]) -> None:
    """Refuse a period of which a part is gone: what is left would be taken for the whole."""
    gone = [head for head in heads if head.pruned is not None]
    if gone:
        last = max(gone, key=lambda head: head.window.end)
        raise PrunedError(
            f"results of {model} for {len(gone):,} of the {len(heads):,} windows in {span} were pruned,"
            f" the last on {last.pruned:%Y-%m-%d}: nothing can be made of the whole. Results are kept"
            f" from {last.window.end:%Y-%m-%d %H:%M} UTC on; to see earlier ones, restore a backup "
            "from before that day elsewhere"
        )


def _policies(
    store: Store, runs: Sequence[Run], policy_of: Callable[[str], Policy]
) -> tuple[dict[str, Policy], dict[str, str]]:
    found: dict[str, Policy] = {}
    unread: dict[str, str] = {}
    for digest in dict.fromkeys(run.policy for run in runs):
        try:
            found[digest] = policy_of(store.policy_text(digest))
        except ConfigError as error:
            unread[digest] = str(error)
    return found, unread


def _stretches(
    store: Store, policy: Policy, runs: Sequence[Run], most_steps: int
) -> tuple[Stretch, ...]:
    held: dict[tuple[str, str], list[tuple[Window, bytes, tuple[Finding, ...]]]] = {}
    for run in runs:
        for result in run.results:
            if result.profile:
                key = result.version, result.baseline
                held.setdefault(key, []).append((run.window, result.profile, result.findings))
    return tuple(
        _stretch(policy, version, store.baseline(digest), windows, most_steps)
        for (version, digest), windows in held.items()
    )


def _stretch(
    policy: Policy,
    version: str,
    baseline: Baseline,
    windows: Sequence[tuple[Window, bytes, tuple[Finding, ...]]],
    most_steps: int,
) -> Stretch:
    grid, reference = grid_from_bytes(baseline.grid), _people(baseline.profile)
    profiles = [(window, _people(data)) for window, data, _ in windows]

    def measured(part: Sequence[tuple[Window, Profile]]) -> Step:
        span = Window(part[0][0].start, part[-1][0].end)
        lengths = baseline.window.duration / span.duration
        current = merged(profile for _, profile in part)
        pair = ProfilePair(grid, reference, current, span, lengths)
        readings = readings_by(Subject(policy.model, version), policy, pair, _MEASURES)
        return Step(span, len(part), pair, tuple(readings))

    together = -(-len(profiles) // most_steps)
    parts = groupby(enumerate(profiles), key=lambda item: item[0] // together)
    whole = measured(profiles)
    return Stretch(
        version,
        baseline,
        whole,
        findings_of(whole.readings, policy),
        tuple(measured([item for _, item in part]) for _, part in parts),
        {window: findings for window, _, findings in windows},
    )


def _people(data: bytes) -> Profile:
    """Return a profile; of its slices the rows by group alone, which is all that is told of them.

    Those of many windows are held at once, and most of a profile is in its slices.
    """
    profile = profile_from_bytes(data)
    profile.segments = {
        name: {
            code: Profile(part.grid, part.rows, {}, part.outcomes) for code, part in slices.items()
        }
        for name, slices in profile.segments.items()
    }
    return profile
