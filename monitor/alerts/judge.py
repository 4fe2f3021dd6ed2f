"""The one place where a number meets its limit."""

from collections.abc import Mapping

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.reading import Reading
from monitor.domain.reference import VOLUME
from monitor.uncertainty.between import LEAST_WINDOWS

_ABSENT = {absence: Reason(absence.value) for absence in Absence}


def judge(reading: Reading, limit: Limit, *, either_side: bool) -> Finding:
    """Judge a reading by a limit.

    A bound is exceeded when the whole interval lies beyond it, so the width of the interval is the
    noise floor: what sampling alone explains does not alarm. A measure without an interval is
    judged on its value. No number, or too few rows, is ``unknown`` and never ``ok``.

    Args:
        reading: What was measured.
        limit: The bounds, in the measure's unit.
        either_side: Whether a change downwards counts like one upwards.
    """
    match reading.result:
        case Unmeasurable() as absent:
            return unknown(reading, limit, absent)
        case Estimate() as estimate:
            short = too_few(estimate, limit.min_rows)
            if short is not None:
                return unknown(reading, limit, short)
            size = evidence(estimate, either_side=either_side)
            told = told_number(estimate)
            if limit.critical is not None and size > limit.critical:
                why = f"{told}, beyond the critical limit {limit.critical:g}"
                return Finding(reading, limit, Verdict.CRITICAL, Reason.BEYOND_CRITICAL, why)
            if limit.warning is not None and size > limit.warning:
                why = f"{told}, beyond the warning limit {limit.warning:g}"
                return Finding(reading, limit, Verdict.WARNING, Reason.BEYOND_WARNING, why)
            return Finding(reading, limit, Verdict.OK, Reason.WITHIN, f"{told}, within its limit")


def judge_tested(
    reading: Reading, limit: Limit, evidence: Mapping[Verdict, Evidence], rate: float
) -> Finding:
    """Judge a reading by tests of whether the truth is beyond what is tolerated.

    A bound is exceeded when the p-value, adjusted over the family, is at most the rate of false
    discoveries. No number, or too few rows, is ``unknown`` and never ``ok``; of how many rows came,
    those that were expected must be enough.

    Args:
        reading: What was measured.
        limit: The bounds, in the measure's unit.
        evidence: The test against each bound that there is; empty when there was nothing to test.
        rate: Share of false ones among those found beyond their limit that is accepted.
    """
    if isinstance(reading.result, Unmeasurable):
        return unknown(reading, limit, reading.result)
    short = too_few(_resting_on(reading.measure, reading.result), limit.min_rows)
    if short is not None:
        return unknown(reading, limit, short)
    told = told_number(reading.result)
    for verdict, reason, bound in (
        (Verdict.CRITICAL, Reason.BEYOND_CRITICAL, limit.critical),
        (Verdict.WARNING, Reason.BEYOND_WARNING, limit.warning),
    ):
        test = evidence.get(verdict)
        if bound is not None and test is not None and test.p_adjusted <= rate:
            tolerated = _tolerated(reading, verdict, bound, test)
            why = f"{told}, beyond {tolerated}: {_chance(test)}"
            return Finding(reading, limit, verdict, reason, why, evidence)
    verdict, test = min(evidence.items(), key=lambda item: item[1].tolerance)
    bound = limit.warning if verdict is Verdict.WARNING else limit.critical
    why = told
    if bound is not None and abs(reading.result.value) <= test.tolerance:
        why += f", within {_tolerated(reading, verdict, bound, test)}"
    elif bound is not None:
        tolerated = _tolerated(reading, verdict, bound, test)
        why += f", not shown to be beyond {tolerated}: {_chance(test)}"
    return Finding(reading, limit, Verdict.OK, Reason.WITHIN, why, evidence)


def judged_rows(reading: Reading, limit: Limit) -> bool:
    """Return whether a reading is a number that rests on enough rows to be judged."""
    result = reading.result
    if not isinstance(result, Estimate):
        return False
    return too_few(_resting_on(reading.measure, result), limit.min_rows) is None


def _resting_on(measure: str, estimate: Estimate) -> Estimate:
    """Return an estimate with the rows that it rests on: where they are counted, those expected.

    Else the fewer rows came, the less would be said of it.
    """
    return replace(estimate, n=estimate.n_reference) if measure == VOLUME else estimate


def _tolerated(reading: Reading, verdict: Verdict, bound: float, test: Evidence) -> str:
    subject = reading.subject
    if test.tolerance > bound and subject.reference and subject.segment:
        return (
            f"{test.tolerance:.3g}, which adds what is tolerated to how far they were apart in the "
            f"baseline (the {verdict} limit is {bound:g})"
        )
    if test.tolerance > bound:
        return (
            f"{test.tolerance:.3g}, which the baseline's own windows reach "
            f"(the {verdict} limit is {bound:g})"
        )
    told = f"the {verdict} limit {bound:g}"
    if test.windows is None:
        return told
    if test.windows < LEAST_WINDOWS:
        few = f"{test.windows} windows, too few to know how far they lie apart"
        return f"{told} (the baseline has {few})"
    if test.floor:
        return f"{told} (the baseline's own windows reach {test.floor:.2g})"
    return f"{told} (the baseline's own windows agree)"


def _chance(test: Evidence) -> str:
    return f"p {test.p_value:.2g}, {test.p_adjusted:.2g} among {test.tests} tests"


def judge_floor(reading: Reading, limit: Limit) -> Finding:
    """Judge a reading whose limit is a floor: beyond a bound is wholly below it.

    The rows of the baseline do not matter: it is a level that is judged, not a change.

    Args:
        reading: What was measured.
        limit: The bounds, in the measure's unit.
    """
    match reading.result:
        case Unmeasurable() as absent:
            return unknown(reading, limit, absent)
        case Estimate() as estimate:
            short = too_few(replace(estimate, n_reference=0), limit.min_rows)
            if short is not None:
                return unknown(reading, limit, short)
            size = estimate.value if estimate.high is None else estimate.high
            told = told_number(estimate)
            if limit.critical is not None and size < limit.critical:
                why = f"{told}, below the critical limit {limit.critical:g}"
                return Finding(reading, limit, Verdict.CRITICAL, Reason.BEYOND_CRITICAL, why)
            if limit.warning is not None and size < limit.warning:
                why = f"{told}, below the warning limit {limit.warning:g}"
                return Finding(reading, limit, Verdict.WARNING, Reason.BEYOND_WARNING, why)
            return Finding(reading, limit, Verdict.OK, Reason.WITHIN, f"{told}, within its limit")


def withheld(reading: Reading, limit: Limit | Band, why: str) -> Finding:
    """Judge nothing by labels of which too few have arrived: unknown, with the reason.

    Args:
        reading: What was measured, which may be a number already.
        limit: The bounds that will judge it.
        why: What is being waited for.
    """
    return Finding(reading, limit, Verdict.UNKNOWN, Reason.NO_LABELS, why)


def evidence(estimate: Estimate, *, either_side: bool) -> float:
    """Return the size that the interval supports: its end nearest to no change, or 0.

    Args:
        estimate: The number and its interval.
        either_side: Whether a change downwards counts like one upwards.
    """
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    above = max(low, 0.0)
    return max(above, -high) if either_side else above


def too_few(estimate: Estimate, min_rows: int) -> Unmeasurable | None:
    """Return why a number rests on too few rows to be judged; None when it rests on enough."""
    if estimate.n >= min_rows and (not estimate.n_reference or estimate.n_reference >= min_rows):
        return None
    return Unmeasurable(
        Absence.INSUFFICIENT_DATA,
        f"{estimate.n:,} rows against {estimate.n_reference:,} in the baseline; "
        f"at least {min_rows:,} are needed",
        estimate.n,
        estimate.n_reference,
    )


def unknown(reading: Reading, limit: Limit | Band, absent: Unmeasurable) -> Finding:
    """Return the finding on what could not be measured: unknown, with the reason."""
    reason = _ABSENT[absent.reason]
    return Finding(reading, limit, Verdict.UNKNOWN, reason, absent.explanation)


def told_number(estimate: Estimate) -> str:
    """Return a number with its interval, and what it was and is, in words."""
    told = f"{estimate.note}: " if estimate.note else ""
    told += f"{estimate.value:.3g}"
    if estimate.low is not None and estimate.high is not None:
        told += f" ({estimate.level:.0%} interval {estimate.low:.3g} to {estimate.high:.3g})"
    elif estimate.low is not None:
        told += f" (at least {estimate.low:.3g} at {estimate.level:.0%})"
    if estimate.then is not None and estimate.now is not None:
        told += f", from {estimate.then:.3g} to {estimate.now:.3g}"
    return told
