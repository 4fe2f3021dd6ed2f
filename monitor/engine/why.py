"""Everything that the store can say about one finding: what made it, and what it rests on."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alarm import Alarm
from monitor.domain.baseline import Baseline
from monitor.domain.errors import PrunedError
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind, FieldRole, Population
from monitor.domain.finding import Finding
from monitor.domain.naming import CROSS
from monitor.domain.policy import Policy
from monitor.domain.reading import Subject
from monitor.domain.registry import Origin
from monitor.domain.run import Run, VersionResult
from monitor.domain.window import Window
from monitor.engine.alarms import alarms_since
from monitor.engine.past import PastFinding
from monitor.engine.ports import Revision, Store
from monitor.engine.recorded_at import RecordedAt
from monitor.engine.references import hold, pair_with_baseline
from monitor.engine.scan import carriers
from monitor.measures.attribution.catalogue import ATTRIBUTIONS
from monitor.measures.attribution.components import COMPONENTS, Components
from monitor.measures.attribution.mix import Decomposition, Quantity, over_population, over_score
from monitor.measures.attribution.part import Attribution
from monitor.measures.attribution.ranking import RankedField, ranked
from monitor.measures.attribution.slices import over_slices
from monitor.measures.measure import FieldPair, ProfilePair
from monitor.measures.one_class import against_rest
from monitor.measures.pairs import association
from monitor.measures.peers import peer_pair
from monitor.measures.slices import slice_pair
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from monitor.profile.grid import Grid, NumericGrid
from monitor.profile.packing import content_digest

RANKED_BY = "psi"
"""The measure whose size says how far a field moved: it is measured on every kind of field."""

HISTORY = 12
"""Windows that a finding is followed through."""

_REVISIONS = 20
"""Revisions of a window, on average, among which the newest is looked for."""

_RATES: Mapping[str, Quantity] = {
    "decision_rate": Quantity.DECISION_RATE,
    "label_rate": Quantity.LABEL_RATE,
    "label_coverage": Quantity.LABEL_COVERAGE,
    "selection_rate": Quantity.DECISION_RATE,
    "selection_rate_ratio": Quantity.DECISION_RATE,
    "selection_rate_difference": Quantity.DECISION_RATE,
    "selection_rate_ratio_change": Quantity.DECISION_RATE,
    "group_label_coverage": Quantity.LABEL_COVERAGE,
}
"""Measure to the rate whose change its groups explain."""


class ImportanceSource(StrEnum):
    """Where the importance of fields comes from."""

    CONFIG = "config"
    """The owner has said it."""
    ASSOCIATION = "association"
    """Nobody has: how closely each goes with the score in the baseline stands for it."""
    NONE = "none"
    """Nothing says it of all of them: fields are ranked by how far they moved."""


class Ranking(Struct, frozen=True):
    """The features of a model version in a window, most in need of attention first.

    Attributes:
        source: Where their importance comes from.
        fields: Each with its place.
    """

    source: ImportanceSource
    fields: tuple[RankedField, ...]


class Moment(Struct, frozen=True):
    """What became of a finding in one window.

    Attributes:
        window: The window.
        revision: The window's newest revision.
        finding: What it found; None when the same was not judged in it.
        alarm: What it amounted to then, with those before it; None when nothing was known of it.
    """

    window: Window
    revision: int
    finding: Finding | None
    alarm: Alarm | None = None


class Why(Struct, frozen=True):
    """A finding, and why it is what it is.

    Attributes:
        finding: The finding.
        run: The run that it is of.
        revision: The run's number among those of its window.
        revisions: All runs of the window.
        baseline: What the window was held against; None for the log as a whole, and for a version
            that has none.
        parts: What bins or values add to it, or what it is the largest of; the reason why there are none; None for a measure
            that has no such parts.
        decompositions: What groups add to the change of the rate or mean that it is about, by
            population, or by the score's name; empty when it is about none.
        ranking: The features by importance × effect; None for the log as a whole.
        history: The latest windows up to its own, oldest first.
        alarm: What it amounts to with those before it; None for a result that is no longer the
            newest of its window.
        slices: What was found of the same in slices of the rows, those that carry most of it first.
        profile: Digest of the profile's content; "" where there is none.
        grid: Digest of the grid; "" where there is none.
        origin: Where the version came from, as a registry told it when it was first seen; None
            where no registry did.
        recorded: The run's record in the audit log; None for a run from before there was one.
    """

    finding: Finding
    run: Run
    revision: int
    revisions: Sequence[Revision]
    baseline: Baseline | None
    parts: Attribution | Components | Unmeasurable | None
    decompositions: Mapping[str, Decomposition | Unmeasurable]
    ranking: Ranking | None
    history: tuple[Moment, ...]
    alarm: Alarm | None = None
    slices: tuple[Finding, ...] = ()
    profile: str = ""
    grid: str = ""
    origin: Origin | None = None
    recorded: RecordedAt | None = None


def latest_of(store: Store, fingerprint: str) -> PastFinding:
    """Return the newest finding of a fingerprint.

    Raises:
        LookupError: There is none.
        PrunedError: There was one, and its alerts are all that is kept of it.
    """
    found = store.past_findings(fingerprint, None, 1)
    if found:
        return found[-1]
    alert = store.remembered(fingerprint)
    if alert is None:
        raise LookupError(f"no finding {fingerprint} is stored")
    raise PrunedError(
        f"every finding {fingerprint} of {alert.subject.model} was pruned: {alert.measure} of "
        f"{alert.subject}, last judged in {alert.judged}. What is kept are its alerts: "
        f"modelmon alerts show {fingerprint}"
    )


def about(store: Store, fingerprint: str) -> tuple[str, Subject]:
    """Return what a fingerprint is of, whether or not a finding is kept.

    Raises:
        LookupError: Nothing is known of it.
    """
    alert = store.remembered(fingerprint)
    if alert is not None:
        return alert.measure, alert.subject
    reading = latest_of(store, fingerprint).finding.reading
    return reading.measure, reading.subject


def why(
    store: Store, policy: Policy, fingerprint: str, window: Window, revision: int | None = None
) -> Why:
    """Return a finding of a window with everything that the store knows of it.

    No log is read.

    Args:
        store: The store.
        policy: The model's policy in force: it names populations and importances.
        fingerprint: Which finding.
        window: Of which window.
        revision: Of which revision of it; None for the newest.

    Raises:
        LookupError: The window has no such revision, or it did not judge this.
        StoreError: The database cannot be read.
    """
    run = store.run(policy.model, window, revision)
    revisions = store.revisions(policy.model, window)
    if run is None:
        raise LookupError(f"{window} has {len(revisions)} results, and none is {revision}")
    finding, result = _judged(run, fingerprint)
    history = _history(store, policy, fingerprint, window)
    number = revisions[-1].number if revision is None else revision
    newest = number == revisions[-1].number
    alarm = next((item.alarm for item in history if newest and item.window == window), None)
    origin = None if result is None else store.origins(policy.model).get(result.version)
    if result is None or not result.baseline:
        ranking = None if result is None else _ranking(policy, result, None)
        bare = Why(finding, run, number, revisions, None, None, {}, ranking, history, alarm)
        return replace(bare, origin=origin, recorded=store.recorded_at(run))
    baseline = store.baseline(result.baseline)
    pair = pair_with_baseline(
        window, baseline, grid_from_bytes(baseline.grid), profile_from_bytes(result.profile)
    )
    held = _held_against(store, policy, run, baseline, finding.reading.subject.reference, pair)
    if isinstance(held, ProfilePair) and finding.reading.subject.scanned:
        held = slice_pair(held, finding.reading.subject)
    return Why(
        finding,
        run,
        number,
        revisions,
        baseline,
        _parts(finding, held),
        {} if isinstance(held, Unmeasurable) else _decompositions(finding, policy, held),
        _ranking(policy, result, pair),
        history,
        alarm,
        carriers(finding, result.findings),
        content_digest(result.profile),
        pair.grid.digest,
        origin,
        store.recorded_at(run),
    )


def _judged(run: Run, fingerprint: str) -> tuple[Finding, VersionResult | None]:
    for finding in run.findings:
        if finding.fingerprint == fingerprint:
            return finding, None
    for result in run.results:
        for finding in result.findings:
            if finding.fingerprint == fingerprint:
                return finding, result
    raise LookupError(f"the result of {run.window} did not judge {fingerprint}")


def _held_against(  # noqa: PLR0917  # six nouns, each of another type
    store: Store, policy: Policy, run: Run, baseline: Baseline, name: str, pair: ProfilePair
) -> ProfilePair | Unmeasurable:
    """Return what a finding was held against: the baseline, or the reference of that name.

    A reference that would be made of other windows or revisions today says nothing of the finding;
    that of another slice lies in the window itself.
    """
    if not name:
        return pair
    for peer in policy.peers:
        if peer.name == name:
            return peer_pair(peer, pair)
    versions = {baseline.version: baseline}
    held = hold(policy, run.window, versions, store.heads(policy.model), store)
    then = {item.reference: item for item in run.compositions if item.version == baseline.version}
    now = {item.reference: item for item in held.compositions}
    reference = next((item for item in policy.references if item.name == name), None)
    if reference is None or now.get(name) != then.get(name):
        return Unmeasurable(
            Absence.REFERENCE_UNAVAILABLE,
            f"the reference {name} is no longer what the finding was held against",
        )
    return held.pair(reference, baseline, pair, slices=True)


def _parts(
    finding: Finding, pair: ProfilePair | Unmeasurable
) -> Attribution | Components | Unmeasurable | None:
    reading = finding.reading
    take_apart, many = ATTRIBUTIONS.get(reading.measure), COMPONENTS.get(reading.measure)
    name = reading.subject.field
    if take_apart is None and many is None:
        return None
    if isinstance(reading.result, Unmeasurable):
        return reading.result
    if isinstance(pair, Unmeasurable):
        return pair
    if take_apart is None:
        return None if many is None else many(pair, name)
    return take_apart(
        FieldPair(
            _field(name, pair.grid),
            pair.grid.fields[name],
            pair.reference.fields[name],
            pair.current.fields[name],
        )
    )


def _field(name: str, grid: Grid) -> Field:
    """Return a field as it was when its baseline was registered."""
    numeric = isinstance(grid.fields[name], NumericGrid)
    return Field(name, grid.columns[name], FieldKind.NUMERIC if numeric else FieldKind.CATEGORICAL)


def _decompositions(
    finding: Finding, policy: Policy, pair: ProfilePair
) -> Mapping[str, Decomposition | Unmeasurable]:
    measure, population = finding.reading.measure, finding.reading.subject.population
    quantity = _RATES.get(measure)
    if quantity is not None and finding.reading.subject.class_name:
        return _of_class(quantity, finding, policy, pair)
    if quantity is None and measure != "score_mean":
        return {}
    whole = not (population or finding.reading.subject.segment)
    segments = [item.name for item in policy.segments if whole and not item.pair]
    slices = {name: over_slices(quantity, name, pair) for name in segments}
    if quantity is None:
        return {pair.grid.score: over_score(pair), **slices}
    over = (_population(population, policy),) if population else policy.populations
    return {**{item.name: over_population(quantity, item, pair) for item in over}, **slices}


def _of_class(
    quantity: Quantity, finding: Finding, policy: Policy, pair: ProfilePair
) -> Mapping[str, Decomposition | Unmeasurable]:
    subject = finding.reading.subject
    view = against_rest(subject.class_name, policy, pair)
    if isinstance(view, Unmeasurable):
        return {subject.population: view}
    population = _population(subject.population, policy)
    return {population.name: over_population(quantity, population, view[1])}


def _population(name: str, policy: Policy) -> Population:
    declared = {item.name: item for item in policy.populations}
    return declared.get(name) or Population(tuple(name.split(CROSS)))


def _ranking(policy: Policy, result: VersionResult, pair: ProfilePair | None) -> Ranking:
    measured = {
        reading.subject.field: reading.result
        for reading in result.readings
        if reading.measure == RANKED_BY
        and not (reading.subject.reference or reading.subject.segment)
    }
    absent = Unmeasurable(Absence.NO_DATA, "it was not measured in this window")
    features = [item for item in policy.fields if item.role is FieldRole.FEATURE]
    effects: dict[str, float | str] = {}
    for item in features:
        found = measured.get(item.name, absent)
        effects[item.name] = (
            found.detail.get("excess", found.value)
            if isinstance(found, Estimate)
            else found.explanation
        )
    importances = {item.name: item.importance for item in features if item.importance is not None}
    if importances or pair is None:
        source = ImportanceSource.CONFIG if importances else ImportanceSource.NONE
        return Ranking(source, ranked(effects, importances))
    associated = association(pair.grid, pair.reference)
    if not effects.keys() <= associated.keys():  # numbers would be put before all categories
        return Ranking(ImportanceSource.NONE, ranked(effects, {}))
    known = {name: associated[name] for name in effects}
    return Ranking(ImportanceSource.ASSOCIATION, ranked(effects, known))


def _history(store: Store, policy: Policy, fingerprint: str, window: Window) -> tuple[Moment, ...]:
    heads = [
        head
        for head in sorted(
            store.heads(policy.model).values(),
            key=lambda head: (head.window.end, head.window.start),
        )
        if head.window.end <= window.end and head.pruned is None
    ][-HISTORY:]
    found = {
        (item.window, item.revision): item.finding
        for item in store.past_findings(fingerprint, window.end, HISTORY * _REVISIONS)
    }
    first = min((head.window.start for head in heads), default=window.start)
    alarms = alarms_since(policy, store, first).found
    return tuple(
        Moment(
            head.window,
            head.revision,
            found.get((head.window, head.revision)),
            alarms.get(head.window, {}).get(fingerprint),
        )
        for head in heads
    )
