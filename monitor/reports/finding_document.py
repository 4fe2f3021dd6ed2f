"""One finding for machines: numbers as numbers, instants in ISO form."""

from typing import Any

from msgspec import to_builtins
from msgspec.structs import asdict

from monitor.domain.baseline import Baseline
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Finding
from monitor.domain.manifest import Manifest
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.why import Moment, Why
from monitor.measures.attribution.components import Components
from monitor.measures.attribution.mix import Decomposition
from monitor.measures.attribution.part import Attribution
from monitor.measures.catalogue import EVERY
from monitor.reports.registry import origin_document

_Document = dict[str, Any]

_ABOUT = {measure.about.id: measure.about for measure in EVERY}


def finding_document(why: Why, policy: Policy) -> _Document:
    """Return a finding with all that is known of it; its shape is documented.

    Args:
        why: The finding, and what is known of it.
        policy: The policy in force.
    """
    run, ranking = why.run, why.ranking
    return {
        **judged_document(why.finding),
        "model": run.model,
        "window": _window(run.window),
        "revision": why.revision,
        "newest_revision": why.revisions[-1].number,
        "about": asdict(_ABOUT[why.finding.reading.measure]),
        "alarm": None if why.alarm is None else asdict(why.alarm),
        "history": [_moment(moment) for moment in why.history],
        "parts": _parts(why.parts),
        "decompositions": [
            {"population": name, **_decomposition(item)}
            for name, item in why.decompositions.items()
        ],
        "slices": [judged_document(item) for item in why.slices],
        "ranking": None
        if ranking is None
        else {
            "importance_from": ranking.source.value,
            "fields": [asdict(item) for item in ranking.fields],
        },
        "provenance": {
            "run": run.identity,
            "audit_record": None if why.recorded is None else asdict(why.recorded),
            "policy": run.policy,
            "policy_in_force": policy.digest,
            "baseline": None if why.baseline is None else why.baseline.digest,
            "baseline_registered": None if why.baseline is None else _registered(why.baseline),
            "grid": why.grid or None,
            "profile": why.profile or None,
            "data": run.manifest.digest,
            "files": _files(run.manifest),
            "code": run.code,
            "finished": run.finished.isoformat(),
        },
        "registered": None if why.origin is None else origin_document(why.origin),
    }


def _registered(baseline: Baseline) -> _Document:
    return {
        "window": _window(baseline.window),
        "rows": baseline.rows,
        "at": baseline.registered_at.isoformat(),
        "by": baseline.registered_by,
        "why": baseline.why,
        "data": baseline.manifest.digest,
        "files": _files(baseline.manifest),
    }


def _files(manifest: Manifest) -> list[_Document]:
    return [
        {"kind": kind, **to_builtins(file)}
        for kind, files in (
            ("log", manifest.files),
            ("labels", manifest.labels),
            ("protected", manifest.protected),
        )
        for file in files
    ]


def judged_document(finding: Finding) -> _Document:
    """Return a finding by itself."""
    reading = finding.reading
    return {
        "fingerprint": finding.fingerprint,
        "measure": reading.measure,
        "subject": asdict(reading.subject),
        "result": asdict(reading.result),
        "limit": asdict(finding.limit),
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
        "explanation": finding.explanation,
        "evidence": {str(name): asdict(test) for name, test in finding.evidence.items()},
    }


def _window(window: Window) -> dict[str, str]:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _moment(moment: Moment) -> _Document:
    finding = moment.finding
    result = None if finding is None else finding.reading.result
    estimate = result if isinstance(result, Estimate) else None
    return {
        "window": _window(moment.window),
        "revision": moment.revision,
        "judged": finding is not None,
        "verdict": None if finding is None else finding.verdict.value,
        "reason": None if finding is None else finding.reason.value,
        "value": estimate and estimate.value,
        "low": estimate and estimate.low,
        "high": estimate and estimate.high,
    }


def _parts(parts: Attribution | Components | Unmeasurable | None) -> _Document | None:
    match parts:
        case None:
            return None
        case Attribution() | Components():
            return {"absence": None, **to_builtins(parts, enc_hook=float)}  # numpy has its own
        case Unmeasurable():
            return {"absence": parts.reason.value, "explanation": parts.explanation, "parts": []}


def _decomposition(item: Decomposition | Unmeasurable) -> _Document:
    match item:
        case Decomposition():
            return {
                "absence": None,
                "quantity": item.quantity,
                "then": item.then,
                "now": item.now,
                "mix": item.mix,
                "within": item.within,
                "groups": [asdict(group) for group in item.groups],
            }
        case Unmeasurable():
            return {"absence": item.reason.value, "explanation": item.explanation, "groups": []}
