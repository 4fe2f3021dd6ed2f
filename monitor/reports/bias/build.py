"""From what the store has of a period to the report."""

from collections.abc import Iterator
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import ReportError
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.field import Population
from monitor.domain.naming import CROSS
from monitor.domain.policy import Policy
from monitor.domain.regulation import Controls
from monitor.engine.alias import group_alias
from monitor.engine.period import Period, StoredRun, Stretch
from monitor.measures.crossing import OTHER_SMALL, told_cells
from monitor.measures.disparity.rates import RATES
from monitor.measures.groups import group_pair
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.reports.bias.actions import actions_of, instant_text
from monitor.reports.bias.classes import decided, of_class, of_decisions, told_of_class
from monitor.reports.bias.comparisons import (
    METRICS,
    Sources,
    judged_metrics,
    metric_table,
)
from monitor.reports.bias.document import (
    Identity,
    PopulationPart,
    Presence,
    Report,
    Role,
    VersionPart,
    WindowRow,
)
from monitor.reports.bias.governed import baseline_facts, events, policy_part
from monitor.reports.bias.ledger import BASELINE, WHOLE, Place
from monitor.reports.bias.open_alarms import open_alarms
from monitor.reports.bias.outcomes import outcome_rows
from monitor.reports.bias.proxies import not_screened, proxies
from monitor.reports.bias.registered import registered_of
from monitor.reports.bias.since import before_of, since_of
from monitor.reports.bias.strata import strata_tables, within_strata
from monitor.reports.bias.summary import summary
from monitor.reports.bias.tables import Tables, tables_of

DIGITS = 12
"""Of a digest: enough to name what it is of."""


class Earlier(Struct, frozen=True):
    """What a report is held against.

    Attributes:
        period: What the store has of it.
        digest: Digest of the report on it that was named; "" where none was.
    """

    period: Period
    digest: str = ""


def report_of(
    period: Period,
    code: str,
    controls: Controls,
    earlier: Earlier | None = None,
    *,
    unsuppressed: bool = False,
) -> Report:
    """Return the report on a period.

    It is a function of what is stored: no clock is read, and the same results give the same report.

    Args:
        period: What the store has of it.
        code: The version of the program.
        controls: What instruments ask for.
        earlier: The report or period before; None where nothing is stored of it.
        unsuppressed: Whether small counts are shown.

    Raises:
        ReportError: The model makes no decision and none of its classes is held against the
            others, so that there are no outcomes to tell of.
    """
    if period.policy.decision is None and not period.policy.one_against_rest:
        raise ReportError(
            f"{period.model} makes no decision: the report is on decisions by group; its groups' errors "
            "are in the summary of a run; where it chooses one of several classes, say which of them "
            "favour people (classes.favourable), or which are held against the others "
            "(classes.one_against_rest)"
        )
    below = period.policy.suppress_below
    metrics = judged_metrics(period.stretches)
    shown_from = 1 if unsuppressed else below
    versions = _versions(period, metrics, shown_from)
    since = None
    if earlier is not None:
        before = _versions(earlier.period, judged_metrics(earlier.period.stretches), shown_from)
        since = since_of(period, versions, earlier.period, before)
    looked_at = [item.run for item in (*(earlier.period.runs if earlier else ()), *period.runs)]
    period = replace(period, stretches=tuple(map(of_decisions, period.stretches)))
    identity = Identity(
        period.model,
        period.span,
        tuple((item.run.window, item.revision) for item in period.runs),
        unsuppressed,
        below,
        code,
        f"{max(run.finished for run in looked_at):%Y-%m-%d %H:%M:%S}Z",
        None if earlier is None else before_of(earlier.period, earlier.digest),
        instant_text(period.decided.at),
    )
    policy = policy_part(period, metrics)
    windows = tuple(_window(item) for item in period.runs)
    return Report(
        identity,
        summary(identity, versions, windows, policy, since),
        versions,
        windows,
        period.left_out,
        events(period),
        policy,
        since,
        open_alarms(period.policy, looked_at),
        actions_of(period.decided, [item.run for item in period.runs]),
        controls,
        _notes(period, versions),
        registered_of(period.decided, {item.version for item in versions}),
    )


def _versions(period: Period, metrics: tuple[str, ...], below: int) -> tuple[VersionPart, ...]:
    return tuple(_version(item, period.policy, metrics, below=below) for item in period.stretches)


def _version(
    stretch: Stretch, policy: Policy, metrics: tuple[str, ...], *, below: int
) -> VersionPart:
    by_class = tuple(_classes(stretch, policy, metrics, below=below))
    stretch = of_decisions(stretch)
    tables = tables_of(stretch, policy, below=below)
    populations = by_class
    if policy.decision is not None:
        own = (_population(item, stretch, policy, tables, metrics) for item in policy.populations)
        populations = (*own, *by_class)
    return VersionPart(
        stretch.version,
        baseline_facts(stretch),
        stretch.whole.pair.current.rows,
        decided(stretch, policy),
        tuple(step.window for step in stretch.steps),
        populations,
        proxies(stretch, tables),
        not_screened(policy, stretch),
    )


def _classes(
    stretch: Stretch, policy: Policy, metrics: tuple[str, ...], *, below: int
) -> Iterator[PopulationPart]:
    """Yield the populations once more for each class that is held against the rest."""
    parts: dict[tuple[str, str], PopulationPart] = {}
    rates = tuple(name for name in metrics if name in RATES)
    for name in policy.one_against_rest:
        view = of_class(name, stretch, policy)
        if isinstance(view, Unmeasurable):
            continue  # its readings say why, and are among what could not be judged
        viewed, as_decision = view
        as_decision = replace(as_decision, strata={})  # no counts by stratum of single classes
        tables = tables_of(viewed, as_decision, below=below)
        for item in policy.populations:
            parts[name, item.name] = _population(item, viewed, as_decision, tables, rates)
    of_set = tables_of(of_decisions(stretch), policy, below=below)
    for (name, population), part in parts.items():
        small = [
            group for (_, of), one in parts.items() if of == population for group in one.withheld
        ]
        if policy.decision is not None:
            small += _withheld(population, of_set)
        yield told_of_class(name, part, tuple(dict.fromkeys(small)))


def _withheld(population: str, tables: Tables) -> list[str]:
    """Return the groups of a population of which some count is not shown."""
    pair = tables.groups[population]
    hidden = {
        place.group
        for place in tables.hidden
        if isinstance(place, Place) and place.population == population and not place.factor
    }
    groups = () if isinstance(pair, Unmeasurable) else pair.groups
    return [group for group in groups if group in hidden]


def _population(
    population: Population,
    stretch: Stretch,
    policy: Policy,
    tables: Tables,
    metrics: tuple[str, ...],
) -> PopulationPart:
    pair = tables.groups[population.name]
    crossing = len(population.attributes) > 1
    if isinstance(pair, Unmeasurable):
        return PopulationPart(
            population.name, crossing, "", (), (), (), (), (), (), pair.explanation
        )
    judged = frozenset(f"{name}_ratio" for name in METRICS)
    sources = Sources(stretch, tables, population.name, pair, judged)
    return PopulationPart(
        population.name,
        crossing,
        sources.reference,
        tuple(_presence(index, group, sources) for index, group in enumerate(pair.groups)),
        tuple(metric_table(name, sources) for name in metrics),
        outcome_rows(population.name, pair, tables),
        tuple(within_strata(population, policy, sources)),
        tuple(strata_tables(policy, sources)),
        tuple(_withheld(population.name, tables)),
    )


def _presence(index: int, group: str, sources: Sources) -> Presence:
    pair, tables, name = sources.pair, sources.tables, sources.population
    now, then = pair.current[index], pair.reference[index]
    places = [place for place in tables.cells(name, group) if place.label == UNKNOWN]
    labelled: int | None = None
    if tables.labels and tables.shown(Place(WHOLE, name, group), *places):
        labelled = int(now[:, [NEGATIVE, POSITIVE]].sum())
    shown = tables.shown(Place(WHOLE, name, group))
    shown_then = tables.shown(Place(BASELINE, name, group))
    everybody, everybody_then = int(pair.current.sum()), int(pair.reference.sum())
    role = Role.COMPARED
    if group == sources.reference and group not in sources.compared:
        role = Role.REFERENCE
    unassigned = group.startswith("(") and group not in sources.compared
    return Presence(
        group,
        Role.UNASSIGNED if unassigned and role is Role.COMPARED else role,
        int(now.sum()) if shown else None,
        int(now.sum()) / everybody if shown and everybody else None,
        int(then.sum()) if shown_then else None,
        int(then.sum()) / everybody_then if shown_then and everybody_then else None,
        int(now[UNKNOWN].sum()) if tables.shown(Place(WHOLE, name, group, UNKNOWN)) else None,
        labelled,
    )


def _window(item: StoredRun) -> WindowRow:
    run = item.run
    accounting = run.accounting
    labelled = [
        reading.result
        for result in run.results
        for reading in result.readings
        if reading.measure == "label_coverage" and not reading.subject.segment
    ]
    known = [round(result.value * result.n) for result in labelled if isinstance(result, Estimate)]
    return WindowRow(
        run.window,
        item.revision,
        run.outcome.value,
        accounting.read,
        sum(accounting.profiled.values()),
        dict(sorted(accounting.rejected.items())),
        sum(known) if known else None,
        tuple(file.path for file in run.manifest.unreadable),
        run.identity,
        run.policy,
        run.manifest.digest,
        run.code,
        {
            result.version: sha256(result.profile).hexdigest()
            for result in run.results
            if result.profile
        },
    )


def _aliases(period: Period, versions: tuple[VersionPart, ...]) -> Iterator[str]:
    """Yield how metrics and dashboards call the groups of a population, where not by name."""
    if not period.policy.alias_groups:
        return
    for part in (item for version in versions for item in version.populations):
        names = dict.fromkeys(item.group for item in part.presences)
        told = (f"{name} is {group_alias(period.model, part.population, name)}" for name in names)
        yield f"On metrics and dashboards, of {part.population}: {', '.join(told)}."


def _notes(period: Period, versions: tuple[VersionPart, ...]) -> tuple[str, ...]:
    notes: list[str] = []
    if not versions:
        notes.append("No window of the period has rows of a version with a registered baseline.")
    if period.left_out:
        notes.append(
            f"{len(period.left_out)} windows in this period were cut by another schedule, and are "
            "not counted here."
        )
    silent = [item for item in period.runs if not item.run.accounting.placed]
    if silent:
        notes.append(f"{len(silent)} windows have no rows: they are unknown, not without findings.")
    for stretch in period.stretches:
        for item in period.policy.populations:
            found = group_pair(item, period.policy, stretch.whole.pair, unassigned=False)
            if not isinstance(found, Unmeasurable) and found.folded:
                notes.append(f"{OTHER_SMALL} of {item.name}: {told_cells(found.folded)}.")
    notes += _aliases(period, versions)
    crossed = [item.name for item in period.policy.populations if CROSS in item.name]
    if not crossed:
        notes.append("No crossing of populations is declared: nothing is known of people in two.")
    return tuple(dict.fromkeys(notes))
