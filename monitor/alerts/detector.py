"""Evidence gathered over fields and windows, with a promise on how often it is wrong."""

from collections.abc import Iterable, Sequence
from math import expm1, log

from monitor.domain.alarm import Detection
from monitor.domain.finding import Finding, Verdict
from monitor.measures.names import MEASURE_NAMES

_LEAST = 1e-300  # evidence beyond this is as good as infinite, and would be in a double
_NEAR_ONE = 1e-3  # below this distance from 1 its series has the digits that the formula loses


def calibrated(p_value: float) -> float:
    """Return the evidence that is in a p-value: an e-value, at most 1 on average under the null.

    ``(1 − p + p ln p) / (p ln² p)``, the mixture of ``κ p^(κ − 1)`` over all κ in (0, 1). ½ at 1,
    falling in p.

    Args:
        p_value: In [0, 1].

    Source:
        V. Vovk and R. Wang (2021), Ann. Stat. 49, 1736-1754, section 2.
    """
    p = max(p_value, _LEAST)
    t = log(p)
    if -t < _NEAR_ONE:
        return 0.5 - t / 6 + t * t / 24
    return (p * t - expm1(t)) / (p * t * t)


def _is_evidence(measure: str) -> bool:
    """Return whether a measure of drift has a p-value that holds up to what is tolerated.

    That of how fields move together asks whether anything has changed, not whether it has changed
    by more than is tolerated: it would gather evidence of what nobody minds.
    """
    name = MEASURE_NAMES[measure]
    return name.family == "drift" and not name.together


def e_value(findings: Iterable[Finding]) -> float | None:
    """Return the evidence of one window that something is beyond what is tolerated.

    The mean of the `calibrated` evidence of every tested measure of drift at its warning limit (at
    the critical one where it has no other) against the registered baseline: at most 1 on average
    when nothing is, whatever the dependence between fields. None when nothing could be tested.
    What is held against earlier windows is left out: it is not so given those windows. So are the
    slices of segments, whose rows are counted already.

    Args:
        findings: Of one window, all versions.
    """
    found = [
        calibrated(bound.p_value)
        for finding in findings
        if not (finding.reading.subject.reference or finding.reading.subject.segment)
        for bound in [finding.evidence.get(Verdict.WARNING, finding.evidence.get(Verdict.CRITICAL))]
        if bound is not None and _is_evidence(finding.reading.measure)
    ]
    return sum(found) / len(found) if found else None


def detections(e_values: Sequence[float | None], bound: float) -> tuple[Detection, ...]:
    """Return the gathered evidence as of each window.

    Shiryaev and Roberts' sum, ``M ← (M + 1) e``, which begins anew after each alarm. When every
    e-value is at most 1 on average given the windows before, the mean number of windows until
    ``M ≥ bound`` is at least ``bound``. A window without evidence leaves it as it is.

    Args:
        e_values: Of each window, in the order of the windows.
        bound: From here on it is an alarm.

    Source:
        J. Shin, A. Ramdas and A. Rinaldo (2024), New England J. Stat. Data Sci. 2, 229-260.
    """
    gathered = 0.0
    found: list[Detection] = []
    for value in e_values:
        if value is not None:
            gathered = (gathered + 1) * value
        found.append(Detection(gathered, bound))
        if gathered >= bound:
            gathered = 0.0
    return tuple(found)
