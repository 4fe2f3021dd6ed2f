"""What the verdicts on single features come to: a reading of its own, with a verdict of its own."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from monitor.alerts.judge import judge
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import FieldRole
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.measures.drift import drifted_share
from monitor.measures.measure import Family, FeatureVerdicts
from monitor.measures.names import MEASURE_NAMES

_BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})
_NAME = drifted_share.MEASURE.about.id


def drifted_shares(findings: Iterable[Finding], policy: Policy) -> tuple[Reading, ...]:
    """Return the share of drifted features of one version: against the baseline, each reference.

    A feature that is counted in parts is one feature, and beyond a limit where one of its parts is.
    The slices that are scanned have none of their own.

    Args:
        findings: Of the version's readings.
        policy: Has the features.
    """
    declared = {
        item.name: item.declared for item in policy.fields if item.role is FieldRole.FEATURE
    }
    declared |= {name: name for name in declared.values()}  # embeddings are measured as a whole
    held: dict[Subject, dict[str, list[Finding]]] = {}
    for finding in findings:
        subject = finding.reading.subject
        feature = declared.get(subject.field)
        drift = MEASURE_NAMES[finding.reading.measure].family == Family.DRIFT.value
        if feature is not None and drift and not subject.scanned:
            of_all = held.setdefault(replace(subject, field=""), {})
            of_all.setdefault(feature, []).append(finding)
    return tuple(
        Reading(_NAME, subject, _share(features, policy)) for subject, features in held.items()
    )


def judged_shares(shares: Iterable[Reading], policy: Policy) -> tuple[Finding, ...]:
    """Return the verdict on each share that has a limit.

    Where features that could not be judged would make it exceed a limit, it is unknown.
    """
    found: list[Finding] = []
    for reading in shares:
        limits = policy.limits_against(reading.subject.reference)
        if _NAME in limits:
            found.append(_judged(reading, limits[_NAME].default))
    return tuple(found)


def _share(features: dict[str, list[Finding]], policy: Policy) -> Estimate | Unmeasurable:
    order = dict.fromkeys(item.declared for item in policy.fields)
    every = [item for findings in features.values() for item in findings]
    verdicts = {name: _worst(found) for name, found in features.items()}
    unjudged = sum(verdict is Verdict.UNKNOWN for verdict in verdicts.values())
    result = drifted_share.measure(
        FeatureVerdicts(
            beyond=tuple(name for name in order if verdicts.get(name) in _BEYOND),
            within=sum(verdict is Verdict.OK for verdict in verdicts.values()),
            unjudged=unjudged,
            rows=max(item.reading.result.n for item in every),
            reference_rows=max(item.reading.result.n_reference for item in every),
        )
    )
    reasons = {item.reason for item in every if item.verdict is Verdict.UNKNOWN}
    if isinstance(result, Unmeasurable) and len(reasons) == 1:
        return replace(result, reason=Absence(reasons.pop().value))
    return result


def _worst(findings: Sequence[Finding]) -> Verdict:
    """Return what holds of a feature: beyond a limit, not known to be within all, or within."""
    verdicts = {item.verdict for item in findings}
    beyond = verdicts & _BEYOND
    if beyond:
        return Verdict.CRITICAL if Verdict.CRITICAL in beyond else Verdict.WARNING
    return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.OK


def _judged(reading: Reading, limit: Limit) -> Finding:
    finding = judge(reading, limit, either_side=False)
    result = reading.result
    if not isinstance(result, Estimate) or result.high is None or finding.verdict is not Verdict.OK:
        return finding
    bound = min(item for item in (limit.warning, limit.critical) if item is not None)
    if result.high <= bound:
        return finding
    why = (
        f"{result.note}: {result.value:.3g}; {result.detail['unjudged']:.0f} could not be judged, "
        f"with which it may be {result.high:.3g}"
    )
    return Finding(reading, limit, Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA, why)
