"""Groups held against their reference group: from readings and findings to what may be shown."""

from collections.abc import Callable, Mapping, Sequence
from math import exp, isfinite

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.estimate import Estimate, Result
from monitor.domain.finding import Finding, Reason
from monitor.domain.reading import Reading
from monitor.domain.window import Window
from monitor.engine.period import Stretch
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.disparity.rate import Harm, side_of
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import Family, GroupPair
from monitor.reports.bias.document import (
    Comparison,
    Figure,
    MetricTable,
    Past,
    Point,
    Role,
)
from monitor.reports.bias.ledger import BASELINE, WHOLE
from monitor.reports.bias.tables import Tables
from monitor.reports.wording import window_name
from monitor.uncertainty.ratio import koopman

TITLES = {
    measure.about.id: measure.about.title
    for measure in CATALOGUE
    if measure.about.family is Family.DISPARITY
}
"""Measure of a disparity to what it is called."""

METRICS = tuple(name for name in TITLES if f"{name}_ratio" in TITLES)
"""Every rate that groups are compared on: it has a ratio beside it."""

ALARMS = frozenset({Reason.BREACH, Reason.SUSPECTED})

WITHHELD = "withheld"
"""The answer on a group whose counts are too small to be shown, where it raises no alarm."""

_OF_EVERYBODY = frozenset({"unknown_low", "unknown_high"})
"""Details that rest on the rows of unknown membership as well."""

_Key = tuple[str, str, str]


class Sources(Struct, frozen=True):
    """All that the comparisons of one population are made of."""

    stretch: Stretch
    tables: Tables
    population: str
    pair: GroupPair
    judged: frozenset[str]

    @property
    def reference(self) -> str:
        """Return the name of what the groups are held against: a group, or all others together."""
        named = (
            item.subject.reference_group
            for item in self.stretch.whole.readings
            if item.measure in self.judged and item.subject.population == self.population
        )
        return next(named, self.pair.groups[self.pair.reference_group])

    @property
    def compared(self) -> frozenset[str]:
        """Return the groups that are held against it."""
        return frozenset(
            item.subject.group
            for item in self.stretch.whole.readings
            if item.measure in self.judged and item.subject.population == self.population
        )

    def tells(self, metric: str, when: str, group: str) -> bool:
        """Return whether a group's number, or that of all together, may be shown."""
        if group in self.pair.groups:
            return self.tables.tells(metric, when, self.population, group)
        return self.tables.tells(metric, when, "", "")


def judged_metrics(stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """Return the metrics whose ratios are judged, in the order of the catalogue."""
    measures = {item.reading.measure for stretch in stretches for item in stretch.findings}
    return tuple(name for name in METRICS if f"{name}_ratio" in measures)


def metric_table(metric: str, sources: Sources) -> MetricTable:
    """Return one metric in one population: every group, and how it went."""
    readings = _by_key(sources.stretch.whole.readings)
    findings = _by_key(sources.stretch.findings, lambda item: item.reading)
    comparisons = tuple(
        _comparison(metric, group, sources, readings, findings) for group in sources.pair.groups
    )
    compared = [item for item in comparisons if item.p_adjusted is not None]
    if any(item.answer == WITHHELD for item in comparisons):
        # An adjusted p-value may be that of another group.
        comparisons = tuple(
            _without_adjusted(item) if item in compared else item for item in comparisons
        )
    tolerated = _tolerated(metric, sources.pair)
    return MetricTable(metric, TITLES[metric], tolerated, comparisons, _trend(metric, sources))


def _tolerated(metric: str, pair: GroupPair) -> tuple[float | None, float | None]:
    """Return the ratios that are tolerated: the side that does no harm is not judged."""
    rate = RATES.get(metric)
    harm = Harm.EITHER if rate is None else side_of(rate.harm, pair.effect)
    low = None if harm is Harm.HIGH else pair.band.low
    high = None if harm is Harm.LOW else pair.band.high
    return low, high


def figure(result: Result | None, *, rate: bool = False) -> Figure | None:
    """Return a result as a figure, or None where there is no number."""
    if not isinstance(result, Estimate):
        return None
    events = None
    if rate:
        events = round(result.detail.get("positive", result.value * result.n))
    return Figure(result.value, result.low, result.high, events, result.n if rate else None)


def _by_key(
    items: Sequence[Reading] | Sequence[Finding],
    reading_of: Callable[..., Reading] = lambda item: item,
) -> Mapping[_Key, Reading | Finding]:
    found: dict[_Key, Reading | Finding] = {}
    for item in items:
        reading = reading_of(item)
        subject = reading.subject
        if not subject.reference and not subject.segment:
            found[reading.measure, subject.population, subject.group] = item
    return found


def _result(readings: Mapping[_Key, object], key: _Key) -> Result | None:
    found = readings.get(key)
    return found.result if isinstance(found, Reading) else None


def _role(group: str, sources: Sources) -> Role:
    if group == sources.reference and group not in sources.compared:
        return Role.REFERENCE
    return Role.COMPARED if group in sources.compared else Role.UNASSIGNED


def _comparison(
    metric: str,
    group: str,
    sources: Sources,
    readings: Mapping[_Key, object],
    findings: Mapping[_Key, object],
) -> Comparison:
    name = sources.population
    role = _role(group, sources)
    own = sources.tells(metric, WHOLE, group)
    against = sources.tells(metric, WHOLE, sources.reference)
    rate = figure(_result(readings, (metric, name, group)), rate=True) if own else None
    finding = findings.get((f"{metric}_ratio", name, group))
    if not isinstance(finding, Finding):
        return Comparison(group, role, rate, answer="" if own else WITHHELD)
    alarm = finding.reason in ALARMS
    past = _past(finding, sources.stretch.stored)
    if not (own and against):
        answer = finding.reason.value if alarm else WITHHELD
        return Comparison(group, role, rate, answer=answer, past=past if alarm else None)
    ratio = finding.reading.result
    difference = _result(readings, (f"{metric}_difference", name, group))
    estimate = next((item for item in (ratio, difference) if isinstance(item, Estimate)), None)
    change, then, changed = _change(metric, group, sources, readings)
    return Comparison(
        group,
        role,
        rate,
        figure(ratio),
        figure(difference),
        estimate.p_value if estimate else None,
        estimate.p_adjusted if estimate else None,
        _detail(estimate, sources) if estimate else {},
        finding.reason.value,
        finding.explanation,
        past,
        change,
        then,
        changed,
    )


def _detail(estimate: Estimate, sources: Sources) -> dict[str, float]:
    everybody = not any(
        _role(group, sources) is Role.UNASSIGNED
        and not sources.tables.shown(*sources.tables.places(WHOLE, sources.population, group))
        for group in sources.pair.groups
    )
    return {
        name: number
        for name, number in sorted(estimate.detail.items())
        if everybody or name not in _OF_EVERYBODY
    }


def _change(
    metric: str, group: str, sources: Sources, readings: Mapping[_Key, object]
) -> tuple[Figure | None, Figure | None, str]:
    result = _result(readings, (f"{metric}_ratio_change", sources.population, group))
    shown = [sources.tells(metric, BASELINE, one) for one in (group, sources.reference)]
    if result is None or not all(shown):
        return None, None, ""
    if not isinstance(result, Estimate):
        return None, None, result.explanation
    low = None if result.low is None else exp(result.low)
    high = None if result.high is None else exp(result.high)
    p_value = result.p_adjusted if result.p_adjusted is not None else result.p_value
    level = sources.pair.band.alpha
    told = (
        "more than chance explains" if (p_value or 0.0) < level else "no more than chance explains"
    )
    then = (
        None
        if result.then is None
        else Figure(result.then, *_interval_then(metric, group, sources))
    )
    return Figure(exp(result.value), low, high), then, told


def _interval_then(metric: str, group: str, sources: Sources) -> tuple[float | None, float | None]:
    """Return Koopman's interval of the ratio in the baseline; None where a group has no rows."""
    pair, reference = sources.pair, sources.reference
    events, rows = RATES[metric].count(pair.reference) if metric in RATES else ((), ())
    if reference not in pair.groups or not len(rows):
        return None, None
    one, other = pair.groups.index(group), pair.groups.index(reference)
    if not (rows[one] and rows[other] and (events[one] or events[other])):
        return None, None
    interval = koopman(events[one], rows[one], events[other], rows[other])
    high = float(interval.high)
    return float(interval.low), high if isfinite(high) else None


def _past(finding: Finding, stored: Mapping[Window, Sequence[Finding]]) -> Past:
    """Return what was found in the single windows, when they were run."""
    subject, measure = finding.reading.subject, finding.reading.measure
    answers = [
        (window, item.reason)
        for window, findings in stored.items()
        for item in findings
        if item.reading.measure == measure and item.reading.subject == subject
    ]
    if not answers:
        return Past(0, 0, "", "")
    latest = answers[-1][1]
    since = answers[-1][0]
    for window, reason in reversed(answers):
        if reason is not latest:
            break
        since = window
    beyond = sum(reason in ALARMS for _, reason in answers)
    return Past(len(answers), beyond, latest.value, window_name(since))


def _trend(metric: str, sources: Sources) -> tuple[Point, ...]:
    steps = sources.stretch.steps
    return tuple(
        _point(metric, group, index, sources)
        for group in sources.pair.groups
        for index in range(len(steps))
        if _role(group, sources) is not Role.UNASSIGNED
    )


def _point(metric: str, group: str, index: int, sources: Sources) -> Point:
    name, stretch = sources.population, sources.stretch
    step = stretch.steps[index]
    when = WHOLE if len(stretch.steps) == 1 else str(index)
    readings = _by_key(step.readings)
    own = sources.tells(metric, when, group)
    against = sources.tells(metric, when, sources.reference)
    rate = figure(_result(readings, (metric, name, group)), rate=True) if own else None
    ratio = _result(readings, (f"{metric}_ratio", name, group)) if own and against else None
    answer = ""
    if step.windows == 1:
        judged = _by_key(stretch.stored[step.window], lambda item: item.reading)
        finding = judged.get((f"{metric}_ratio", name, group))
        if isinstance(finding, Finding):
            visible = (own and against) or finding.reason in ALARMS
            answer = finding.reason.value if visible else WITHHELD
    return Point(index, group, rate, figure(ratio), answer)


def _without_adjusted(item: Comparison) -> Comparison:
    return replace(item, p_adjusted=None)
