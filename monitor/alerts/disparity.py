"""Where what sets two groups apart meets what is tolerated of it."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.alerts.judge import told_number, unknown, withheld
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.measures.direction import needs_labels
from monitor.measures.disparity.rate import Harm, side_of
from monitor.measures.disparity.rates import HARM

RATIO, DIFFERENCE, CHANGE = "_ratio", "_difference", "_ratio_change"
"""What the ids of a metric's measures end with."""

_VERDICTS = {
    Reason.BREACH: Verdict.CRITICAL,
    Reason.SUSPECTED: Verdict.WARNING,
}


class Disparity(Struct, frozen=True):
    """A kind of number that sets two groups apart.

    Attributes:
        alike: Its value when the two groups are treated alike, or nothing changed.
        inconclusive: The verdict when the evidence supports neither. Of a level that is unknown; of
            a change it is, as of all drift, that none was shown.
    """

    alike: float
    inconclusive: Verdict


OF_RATIO = Disparity(1.0, Verdict.UNKNOWN)
OF_DIFFERENCE = Disparity(0.0, Verdict.UNKNOWN)
OF_CHANGE = Disparity(0.0, Verdict.OK)


def judge_disparity(reading: Reading, band: Band, side: Harm, kind: Disparity) -> Finding:
    """Judge what sets a group apart from another by the tolerated band.

    Only the side that harms the group counts; of a metric that harms on either side, the one that
    the number lies on. In the order of the evidence needed:

    - ``breach`` (critical): the interval that holds jointly over the population's groups lies
      wholly outside the band;
    - ``suspected`` (warning): the number is outside, and the test, adjusted over the groups,
      rejects that they are alike;
    - ``review`` (ok): the number is inside, but the unadjusted test rejects it on the harmful
      side: for a person to look at, not to page about;
    - ``within`` (ok): the interval lies wholly inside the band;
    - ``inconclusive`` (unknown; of a change ok): the evidence supports neither.

    Args:
        reading: What was measured.
        band: What is tolerated, in the measure's unit.
        side: The side that harms.
        kind: A ratio, a difference, or the change of a ratio.
    """
    match reading.result:
        case Unmeasurable() as absent:
            return unknown(reading, band, absent)
        case Estimate() as estimate:
            high = side is Harm.HIGH or (side is Harm.EITHER and estimate.value > kind.alike)
            seen = _Seen.of(estimate, band, kind.alike, harmful=high)
            reason = _reason(seen, estimate, band)
            if reason is Reason.WITHIN and side is Harm.EITHER and not _inside(estimate, band):
                reason = Reason.INCONCLUSIVE
            neither = kind.inconclusive if reason is Reason.INCONCLUSIVE else Verdict.OK
            verdict = _VERDICTS.get(reason, neither)
            why = f"{told_number(estimate)}; tolerated: {_tolerated(band, side)}"
            return Finding(reading, band, verdict, reason, why)


def disparities(
    readings: Sequence[Reading],
    policy: Policy,
    sides: Mapping[str, Mapping[str, Harm]],
    waiting: str,
) -> Iterator[tuple[int, Finding]]:
    """Yield the verdict on each reading of a disparity that is judged, with its place.

    Judged are the ratio to the reference group, by the band; its change since the registered
    baseline, by what a ratio may change; and the difference, by what the policy tolerates of it
    where the metric has no ratio, or by the smallest that matters where there is none because the
    reference group's rate is 0.

    Args:
        readings: Of one model version in one window.
        policy: Its bands.
        sides: Class ("" for what the model decides) to metric to the side of it that harms; a metric
            that is not here is not judged.
        waiting: Why nothing that rests on labels can be judged yet; "" when it can.
    """
    undefined = {
        (reading.measure.removesuffix(RATIO), reading.subject)
        for reading in readings
        if reading.measure.endswith(RATIO)
        and isinstance(reading.result, Unmeasurable)
        and reading.result.reason is Absence.UNDEFINED
    }
    for place, reading in enumerate(readings):
        metric, kind = metric_of(reading.measure)
        side = sides[reading.subject.class_name].get(metric)
        if side is None or kind is None or reading.subject.reference:
            continue
        band = _band(reading, policy, metric, kind)
        if band is None:
            continue
        listed = metric in policy.disparity.differences
        if kind is OF_DIFFERENCE and not listed and (metric, reading.subject) not in undefined:
            continue
        if waiting and needs_labels(reading.measure):
            yield place, withheld(reading, band, waiting)
        else:
            yield place, judge_disparity(reading, band, side, kind)


def _band(reading: Reading, policy: Policy, metric: str, kind: Disparity) -> Band | None:
    band = policy.band_of(reading.subject.population, metric)
    if kind is OF_CHANGE:
        return policy.disparity.band_of_change(band)
    if kind is OF_DIFFERENCE and metric in policy.disparity.differences:
        most = policy.disparity.differences[metric]
        return replace(band, low=-most, high=most, min_difference=0.0)
    if kind is OF_DIFFERENCE:
        return replace(band, low=-band.min_difference, high=band.min_difference)
    return band


def metric_of(measure: str) -> tuple[str, Disparity | None]:
    """Return the metric that a measure is of, and what it is of it; None for the metric itself."""
    for ending, kind in ((CHANGE, OF_CHANGE), (RATIO, OF_RATIO), (DIFFERENCE, OF_DIFFERENCE)):
        if measure.endswith(ending):
            return measure.removesuffix(ending), kind
    return measure, None


class _Seen(Struct, frozen=True):
    """An estimate as it looks from its harmful side: larger is worse.

    Attributes:
        value: How far the number lies from alike.
        bound: How far the band reaches.
        nearest: The end of the joint interval that is nearest to alike; None when unbounded.
        farthest: The end of the single interval that is farthest from it; None when unbounded.
    """

    value: float
    bound: float
    nearest: float | None
    farthest: float | None

    @classmethod
    def of(cls, estimate: Estimate, band: Band, alike: float, *, harmful: bool) -> "_Seen":
        sign = 1 if harmful else -1
        ends = (
            (estimate.family_low, estimate.high)
            if harmful
            else (estimate.family_high, estimate.low)
        )
        nearest, farthest = (None if end is None else sign * (end - alike) for end in ends)
        bound = band.high if harmful else band.low
        return cls(sign * (estimate.value - alike), sign * (bound - alike), nearest, farthest)


def _reason(seen: _Seen, estimate: Estimate, band: Band) -> Reason:
    outside = seen.value > seen.bound and _matters(estimate, band)
    if outside and seen.nearest is not None and seen.nearest > seen.bound:
        return Reason.BREACH
    if outside and estimate.p_adjusted is not None and estimate.p_adjusted < band.alpha:
        return Reason.SUSPECTED
    chance = estimate.p_value is None or estimate.p_value >= band.alpha
    if not outside and seen.value > 0 and not chance:
        return Reason.REVIEW
    if seen.farthest is not None and seen.farthest <= seen.bound:
        return Reason.WITHIN
    return Reason.INCONCLUSIVE


def _inside(estimate: Estimate, band: Band) -> bool:
    ends = estimate.low, estimate.high
    return all(end is not None and band.low <= end <= band.high for end in ends)


def _matters(estimate: Estimate, band: Band) -> bool:
    if estimate.then is None or estimate.now is None:
        return True
    return abs(estimate.now - estimate.then) >= band.min_difference


def _tolerated(band: Band, side: Harm) -> str:
    low, high = f"at least {band.low:.3g}", f"at most {band.high:.3g}"
    return {Harm.LOW: low, Harm.HIGH: high, Harm.EITHER: f"{low} and {high}"}[side]


def sides_of(effect: Effect | None) -> Mapping[str, Harm]:
    """Return the side that harms, of every metric, under an effect of the decision or without one."""
    return {name: side_of(harm, effect) for name, harm in HARM.items()}
