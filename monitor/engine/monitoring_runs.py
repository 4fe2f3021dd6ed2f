"""What a window has found, for the monitoring runs of a registry.

Numbers are of fields and of the model as a whole. Of groups there are verdicts only: a rate or a ratio
without its rows and interval, where everybody may read it, says less than it seems to.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.domain.reading import Reading
from monitor.domain.registry import Errand, ErrandKind
from monitor.domain.run import Run, VersionResult
from monitor.domain.window import Window
from monitor.engine.ports import RunHead, Store
from monitor.engine.registry import MonitoringRun
from monitor.measures.names import MEASURE_NAMES

LONGEST = 250
"""Characters of a metric's name that MLflow takes at the most."""

ROWS = "profiled_rows"
"""The metric of how many rows there were; ``rows`` is the measure, which is relative to what was expected."""

_STRANGE = re.compile(r"[^\w.\- :]|_(?=x)", re.ASCII)
"""What is escaped: also what looks like an escape."""


def results_errands(model: str, heads: Iterable[RunHead], at: datetime) -> Sequence[Errand]:
    """Return an errand for the newest revision of each window of a model that is not pruned."""
    return [
        Errand(
            key=f"results:{head.window.start.isoformat()}:{head.window.end.isoformat()}"
            f":{head.revision}",
            model=model,
            kind=ErrandKind.RESULTS,
            version="",
            payload={
                "start": head.window.start.isoformat(),
                "end": head.window.end.isoformat(),
                "revision": head.revision,
            },
            made_at=at,
            due_at=at,
        )
        for head in sorted(heads, key=lambda head: head.window.end)
        if head.pruned is None
    ]


def monitoring_runs(errand: Errand, store: Store) -> Sequence[MonitoringRun]:
    """Return what a registry is told of the window of an errand, one of each version with rows."""
    payload = errand.payload
    window = Window(
        datetime.fromisoformat(str(payload["start"])), datetime.fromisoformat(str(payload["end"]))
    )
    run = store.run(errand.model, window, int(str(payload["revision"])))
    return [] if run is None else [_of_version(run, result) for result in run.results]


def _of_version(run: Run, result: VersionResult) -> MonitoringRun:
    end = run.window.end
    return MonitoringRun(
        model=run.model,
        version=result.version,
        month=f"{end:%Y-%m}",
        at=end,
        window=str(run.window),
        manifest=run.manifest.digest,
        metrics=tuple(_metrics(result)),
        files={f"windows/{end:%Y-%m-%dT%H%M%SZ}.json": _report(run, result)},
    )


def _metrics(result: VersionResult) -> Iterator[tuple[str, float]]:
    yield ROWS, float(result.rows)
    counts = Counter(finding.verdict for finding in result.findings)
    for verdict in Verdict:
        yield f"findings/{verdict.value}", float(counts[verdict])
    for reading in result.readings:
        if isinstance(reading.result, Estimate) and _is_of_no_group(reading):
            yield metric_name(reading), reading.result.value


def _is_of_no_group(reading: Reading) -> bool:
    about, subject = MEASURE_NAMES.get(reading.measure), reading.subject
    of_groups = about is None or about.family == "disparity"
    return not (of_groups or subject.population or subject.segment or subject.stratum)


def metric_name(reading: Reading) -> str:
    """Return the name of a metric that MLflow takes, another one for every reading of a version."""
    subject = reading.subject
    parts = [reading.measure, subject.field and _plain(subject.field)]
    for label, named in (("class", subject.class_name), ("against", subject.reference)):
        parts += [label, _plain(named)] if named else []
    name = "/".join(part for part in parts if part)
    if len(name) <= LONGEST:
        return name
    digest = sha256(name.encode()).hexdigest()[:12]
    return f"{name[: LONGEST - len(digest) - 1]}-{digest}"


def _plain(name: str) -> str:
    """Return a name in characters that MLflow takes, another one for every name."""
    plain = _STRANGE.sub(lambda found: f"_x{ord(found[0]):02X}_", name)
    return plain if plain.strip(".") else plain.replace(".", "_x2E_")  # no path has such a part


def _report(run: Run, result: VersionResult) -> bytes:
    """Return what was judged and on what it rests, as a file for people and programs."""
    document = {
        "model": run.model,
        "version": result.version,
        "window": {"start": run.window.start.isoformat(), "end": run.window.end.isoformat()},
        "run": run.identity,
        "policy": run.policy,
        "baseline": result.baseline or None,
        "data": run.manifest.digest,
        "rows": result.rows,
        "code": run.code,
        "beyond_their_limits": [
            _judged(each)
            for each in result.findings
            if each.verdict in (Verdict.WARNING, Verdict.CRITICAL)
        ],
        "not_judged": sum(each.verdict is Verdict.UNKNOWN for each in result.findings),
        "findings": len(result.findings),
        "more": "modelmon explain, with a finding's fingerprint",
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _judged(finding: Finding) -> dict[str, str]:
    reading = finding.reading
    return {
        "finding": finding.fingerprint,
        "measure": reading.measure,
        "field": reading.subject.field,
        "population": reading.subject.population,
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
    }
