"""The verdicts on everything that was measured of a model version in a window."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.alerts.disparity import disparities, sides_of
from monitor.alerts.judge import (
    judge,
    judge_floor,
    judge_tested,
    judged_rows,
    withheld,
)
from monitor.alerts.membership import memberships
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Evidence, Finding, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.direction import either_side, lower_is_worse, needs_labels
from monitor.measures.disparity.rate import Harm
from monitor.measures.measure import GroupMeasure, Tail
from monitor.measures.names import MEASURE_NAMES
from monitor.measures.variability import Floors, floor_key
from monitor.uncertainty.multiplicity import benjamini_hochberg

COVERAGE = "label_coverage"
"""The measure that tells whether enough labels have arrived to judge by them."""

_TAILS: Mapping[str, Tail] = {
    measure.about.id: measure.tail
    for measure in CATALOGUE
    if not isinstance(measure, GroupMeasure) and measure.tail is not None
}
"""The minimum-effect test of each measure that has one."""


class _Tested(Struct, frozen=True):
    """A reading that is judged by a test, and its place among the readings."""

    place: int
    reading: Reading
    limit: Limit
    waiting: bool

    @property
    def counted(self) -> bool:
        """Return whether there is something to test."""
        return not self.waiting and judged_rows(self.reading, self.limit)


def findings_of(
    readings: Sequence[Reading], policy: Policy, floors: Floors | None = None
) -> tuple[Finding, ...]:
    """Return the verdict on each reading of one version that the policy sets a limit for.

    Pure: what one window's data say. Readings of measures with a minimum-effect test are adjusted
    for multiplicity within the section of the limits (drift or quality), the fields apart from the
    model's own output and from how they move together, what they are held against, the segment, and
    the severity. One that could not be measured keeps its place in the
    family, as a test that found nothing.

    Args:
        readings: Of one model version in one window.
        policy: Its limits.
        floors: What the baseline's own windows reach; None where that is not known.
    """
    waiting = _waiting_for_labels(readings, policy)
    slices = _waiting_slices(readings, policy)
    found: dict[int, Finding] = {}
    tested: dict[tuple[str | bool, ...], list[_Tested]] = {}
    for place, reading in enumerate(readings):
        limit = _limit(reading, policy)
        subject = reading.subject
        awaited = waiting or slices.get((subject.segment, subject.segment_value), "")
        withhold = bool(awaited) and needs_labels(reading.measure)
        if limit is not None and reading.measure in _TAILS:
            tested.setdefault(_family(reading), []).append(_Tested(place, reading, limit, withhold))
        if limit is not None and withhold:
            found[place] = withheld(reading, limit, awaited)
        elif limit is not None and reading.measure not in _TAILS:
            found[place] = _judged(reading, limit)
    found.update(disparities(readings, policy, _sides(policy), waiting))
    found.update(memberships(readings, policy))
    for together in tested.values():
        found.update(_judged_together(together, floors, policy.false_discovery_rate))
    return tuple(found[place] for place in sorted(found))


def _sides(policy: Policy) -> Mapping[str, Mapping[str, Harm]]:
    """Return the side of each metric that harms, by class; "" is of what the model decides."""
    decided = policy.decision.effect if policy.decision else None
    return {
        name: sides_of(effect) for name, effect in {"": decided, **policy.one_against_rest}.items()
    }


def _family(reading: Reading) -> tuple[str | bool, ...]:
    """Return what the tests that are adjusted together have in common.

    The slices of a segment are tested together: which of them drifted is one question.
    """
    subject, name = reading.subject, MEASURE_NAMES[reading.measure]
    return (
        name.family,
        bool(subject.field),
        name.together,
        subject.reference,
        subject.segment,
    )


def _limit(reading: Reading, policy: Policy) -> Limit | None:
    """Return the limit of a reading; None where it is not judged by one."""
    limits = policy.limits_against(reading.subject.reference)
    if reading.measure not in limits:
        return None
    limit = limits[reading.measure].of(reading.subject.field)
    return limit if limit.bounds else None  # judged for some fields and not for others


def _judged(reading: Reading, limit: Limit) -> Finding:
    if lower_is_worse(reading.measure):
        return judge_floor(reading, limit)
    return judge(reading, limit, either_side=either_side(reading.measure))


def _judged_together(
    family: Sequence[_Tested], floors: Floors | None, rate: float
) -> dict[int, Finding]:
    evidence: dict[int, dict[Verdict, Evidence]] = {item.place: {} for item in family}
    for severity in (Verdict.WARNING, Verdict.CRITICAL):
        bounded = [item for item in family if _bound(item.limit, severity) is not None]
        tests = [_test(item, severity, floors) for item in bounded]
        adjusted = benjamini_hochberg([test.p_value for test in tests]).tolist() if tests else []
        for item, test, p_adjusted in zip(bounded, tests, adjusted, strict=True):
            evidence[item.place][severity] = replace(test, p_adjusted=p_adjusted, tests=len(tests))
    return {
        item.place: judge_tested(
            item.reading, item.limit, evidence[item.place] if item.counted else {}, rate
        )
        for item in family
        if not item.waiting
    }


def _test(item: _Tested, severity: Verdict, floors: Floors | None) -> Evidence:
    bound = _bound(item.limit, severity) or 0.0
    learned = (floors or {}).get(floor_key(item.reading.measure, item.reading.subject))
    floor = 0.0
    if learned is not None:
        floor = learned.warning if severity is Verdict.WARNING else learned.critical
    tolerance = max(bound, floor)
    result = item.reading.result
    p_value = 1.0
    if item.counted and isinstance(result, Estimate):
        p_value = _TAILS[item.reading.measure](result, tolerance)
    windows = None if learned is None else learned.windows
    return Evidence(tolerance, floor, windows, p_value, p_value, 1)


def _bound(limit: Limit, severity: Verdict) -> float | None:
    return limit.warning if severity is Verdict.WARNING else limit.critical


def _waiting_for_labels(readings: Iterable[Reading], policy: Policy) -> str:
    """Return why nothing that rests on labels can be judged yet; "" when enough have arrived."""
    for reading in readings:
        if not reading.subject.segment and (why := _too_few_labels(reading, policy)):
            return why
    return ""


def _waiting_slices(readings: Iterable[Reading], policy: Policy) -> Mapping[tuple[str, str], str]:
    """Return the slices of which too few rows have a label yet, and why nothing can be judged."""
    return {
        (reading.subject.segment, reading.subject.segment_value): why
        for reading in readings
        if reading.subject.segment and (why := _too_few_labels(reading, policy))
    }


def _too_few_labels(reading: Reading, policy: Policy) -> str:
    coverage = reading.result
    if reading.measure != COVERAGE or not isinstance(coverage, Estimate):
        return ""
    if coverage.value >= policy.min_label_coverage:
        return ""
    return (
        f"waiting for labels: {coverage.value:.1%} of {coverage.n:,} rows have one, "
        f"and {policy.min_label_coverage:.1%} are needed"
    )
