"""Where a change of who the rows are meets what is tolerated of it."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from monitor.alerts.judge import evidence, too_few, unknown
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading

REPRESENTATION, UNKNOWN_SHARE = "representation_difference", "unknown_share_difference"
"""Ids of the measures that are judged here."""


def memberships(readings: Sequence[Reading], policy: Policy) -> Iterator[tuple[int, Finding]]:
    """Yield the verdict on each change of a group's share, and of that of unknown membership.

    They are judged against the registered baseline and against every other reference.

    Args:
        readings: Of one model version in one window.
        policy: What it tolerates; without a bound nothing is judged.
    """
    limits = {
        REPRESENTATION: policy.disparity.representation,
        UNKNOWN_SHARE: policy.disparity.unknown_share,
    }
    for place, reading in enumerate(readings):
        limit = limits.get(reading.measure)
        if limit is not None and limit.bounds:
            band = policy.band_of(reading.subject.population)
            yield place, judge_share(reading, replace(limit, min_rows=band.min_rows))


def judge_share(reading: Reading, limit: Limit) -> Finding:
    """Judge the change of a share by how large it is shown to be, rather than by whether it is one.

    A bound is exceeded when the interval that holds jointly over the population's groups lies
    wholly beyond it: in a million rows every share has changed, and few have by much. Of a group
    either direction counts; of unknown membership only a rise. A change that is not shown is ``ok``:
    ``within`` if the interval lies inside all bounds, else ``inconclusive``.

    Args:
        reading: A change of a share, or why there is none: that is ``unknown``.
        limit: The bounds, as differences of shares, and the rows that each side must have.
    """
    result = reading.result
    if isinstance(result, Unmeasurable):
        return unknown(reading, limit, result)
    short = too_few(result, limit.min_rows)
    if short is not None:
        return unknown(reading, limit, short)
    either_side = reading.measure == REPRESENTATION
    joint = replace(
        result,
        low=result.low if result.family_low is None else result.family_low,
        high=result.high if result.family_high is None else result.family_high,
    )
    shown = evidence(joint, either_side=either_side)
    for verdict, reason, bound in (
        (Verdict.CRITICAL, Reason.BEYOND_CRITICAL, limit.critical),
        (Verdict.WARNING, Reason.BEYOND_WARNING, limit.warning),
    ):
        if bound is not None and shown > bound:
            why = f"{_told(reading, result)}: at least {shown:.3g}, where {bound:g} is tolerated"
            return Finding(reading, limit, verdict, reason, why)
    least = min(bound for bound in (limit.warning, limit.critical) if bound is not None)
    inside = _farthest(joint, either_side=either_side) <= least
    reason = Reason.WITHIN if inside else Reason.INCONCLUSIVE
    why = f"{_told(reading, result)}; {least:g} is tolerated"
    return Finding(reading, limit, Verdict.OK, reason, why)


def _farthest(estimate: Estimate, *, either_side: bool) -> float:
    """Return the largest size that the interval has room for."""
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return max(high, -low) if either_side else high


def _told(reading: Reading, estimate: Estimate) -> str:
    """Return both shares with their counts, whose they are, and the change."""
    subject = reading.subject
    assert estimate.now is not None and estimate.then is not None  # noqa: S101, PT018
    rows = f"{estimate.detail['positive']:,.0f} of {estimate.n:,}"
    before = f"{estimate.then * estimate.n_reference:,.0f} of {estimate.n_reference:,}"
    of, who = (
        (f"rows of known {subject.population}", f"are {subject.group}")
        if reading.measure == REPRESENTATION
        else ("rows", f"have no known {subject.population}")
    )
    where = f"the reference {subject.reference}" if subject.reference else "the baseline"
    return (
        f"{estimate.now:.1%} of the {of} {who} ({rows}), {estimate.then:.1%} in {where} "
        f"({before}), a change of {estimate.value:+.3g}"
    )
