"""Domain values as rows of the tables, and back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import asdict, replace
from sqlalchemy import RowMapping

from monitor.domain.baseline import Baseline, BaselinePart
from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import (
    Accounting,
    FileAccount,
    LabelJoin,
    Listing,
    LogFile,
    Manifest,
    TableSnapshot,
    UnreadableFile,
)
from monitor.domain.reading import Reading, Subject
from monitor.domain.reference import Composition
from monitor.domain.run import Failure, Outcome, Run, VersionResult
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.domain.window import Window
from monitor.engine.tallies import tally_document, tally_of
from monitor.store.tables import READINGS

_RENAMED = {"then": "value_then", "now": "value_now", "note": "explanation"}
"""Attributes of an Estimate that are kept under another name: two are words of SQL."""

_ESTIMATE_COLUMNS = {name: _RENAMED.get(name, name) for name in Estimate.__struct_fields__}
BAND = "band"
"""What a finding on a disparity is judged by, as its row says it."""

_LIMIT_KINDS: dict[str, type[Limit | Band]] = {"limit": Limit, BAND: Band}
_NO_BOUNDS = dict.fromkeys(Limit.__struct_fields__ + Band.__struct_fields__)
_NOT_A_FIGURE = {"n", "n_reference", "method", "detail", "note"}


class ResultRows(Struct, frozen=True):
    """The rows of a run's results, in their order of insertion."""

    profiles: list[dict[str, Any]]
    readings: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    schema_changes: list[dict[str, Any]]


def baseline_row(baseline: Baseline) -> dict[str, Any]:
    """Return the content of a baseline."""
    return {
        "digest": baseline.digest,
        "model": baseline.model,
        "version": baseline.version,
        **_window_columns(baseline.window),
        "rows": baseline.rows,
        "grid": baseline.grid,
        "profile": baseline.profile,
    }


def part_rows(baseline: Baseline) -> list[dict[str, Any]]:
    """Return the sub-windows of a baseline."""
    return [
        {
            "baseline": baseline.digest,
            "position": position,
            **_window_columns(part.window),
            "rows": part.rows,
            "profile": part.profile,
        }
        for position, part in enumerate(baseline.parts)
    ]


def registration_row(baseline: Baseline, sequence: int) -> dict[str, Any]:
    """Return the circumstances under which a baseline became the current one."""
    return {
        "model": baseline.model,
        "sequence": sequence,
        "version": baseline.version,
        "baseline": baseline.digest,
        "registered_at": baseline.registered_at,
        "registered_by": baseline.registered_by,
        "why": baseline.why,
        "manifest": to_builtins(baseline.manifest),
        "code": baseline.code,
    }


def baseline_of(row: RowMapping, parts: Sequence[RowMapping]) -> Baseline:
    """Return the baseline of a row joined with a registration of it."""
    return Baseline(
        digest=row["digest"],
        model=row["model"],
        version=row["version"],
        window=window_of(row),
        rows=row["rows"],
        grid=row["grid"],
        profile=row["profile"],
        parts=tuple(BaselinePart(window_of(part), part["rows"], part["profile"]) for part in parts),
        manifest=_manifest(row["manifest"]),
        registered_at=row["registered_at"],
        registered_by=row["registered_by"],
        why=row["why"],
        code=row["code"],
    )


def run_row(run: Run, revision: int) -> dict[str, Any]:
    """Return a run without its results."""
    return {
        "model": run.model,
        **_window_columns(run.window),
        "revision": revision,
        "identity": run.identity,
        "policy": run.policy,
        "manifest": to_builtins(run.manifest),
        "manifest_digest": run.manifest.digest,
        "listing": f"{run.listing.log} {run.listing.labels}",
        "accounting": _accounting_document(run.accounting),
        "outcome": run.outcome,
        "started": run.started,
        "finished": run.finished,
        "code": run.code,
        "last_event": run.last_event,
        "e_value": run.e_value,
        "inputs": run.inputs,
        "compositions": [_composition_document(item) for item in run.compositions],
    }


def result_rows(run: Run, number: int) -> ResultRows:
    """Return the results of a run that has a number in the table of runs.

    Raises:
        ValueError: A reading is there twice or of another model or version, or a finding's
            reading is not among the readings.
    """
    rows = ResultRows([], [], [], _schema_change_rows(run, number))
    for position, result in enumerate(run.results):
        rows.profiles.append(
            {
                "run": number,
                "version": result.version,
                "position": position,
                "baseline": result.baseline or None,
                "rows": result.rows,
                "profile": result.profile,
            }
        )
    for version, readings, findings in _parts(run):
        places: dict[tuple[str, Subject], int] = {}
        for reading in readings:
            _expect(reading.subject.model == run.model, "is of another model", reading)
            _expect(reading.subject.version == (version or ""), "is of another version", reading)
            key = (reading.measure, reading.subject)
            _expect(key not in places, "is there twice", reading)
            places[key] = len(rows.readings)
            rows.readings.append(_reading_row(reading, number, len(rows.readings), version))
        known = dict(zip(places, readings, strict=True))
        for finding in findings:
            key = (finding.reading.measure, finding.reading.subject)
            _expect(known.get(key) == finding.reading, "was judged and not listed", finding.reading)
            rows.findings.append(_finding_row(finding, number, len(rows.findings), places[key]))
    return rows


def run_of(
    row: RowMapping,
    profiles: Sequence[RowMapping],
    readings: Sequence[RowMapping],
    findings: Sequence[RowMapping],
    schema_changes: Sequence[RowMapping],
) -> Run:
    """Return the run of its rows, each kind in the order of its positions."""
    measured: dict[str | None, list[Reading]] = {}
    judged: dict[str | None, list[Finding]] = {}
    owners: dict[int, tuple[str | None, Reading]] = {}
    for item in readings:
        reading = reading_of(item, row["model"])
        measured.setdefault(item["version"], []).append(reading)
        owners[item["position"]] = item["version"], reading
    for item in findings:
        version, reading = owners[item["reading"]]
        judged.setdefault(version, []).append(finding_of(item, reading))
    return Run(
        model=row["model"],
        window=window_of(row),
        identity=row["identity"],
        policy=row["policy"],
        manifest=_manifest(row["manifest"]),
        accounting=_accounting(row["accounting"]),
        outcome=Outcome(row["outcome"]),
        started=row["started"],
        finished=row["finished"],
        code=row["code"],
        last_event=row["last_event"],
        e_value=row["e_value"],
        listing=listing_of(row["listing"]),
        results=tuple(
            VersionResult(
                version=item["version"],
                baseline=item["baseline"] or "",
                rows=item["rows"],
                profile=item["profile"],
                readings=tuple(measured.get(item["version"], ())),
                findings=tuple(judged.get(item["version"], ())),
            )
            for item in profiles
        ),
        readings=tuple(measured.get(None, ())),
        findings=tuple(judged.get(None, ())),
        schema_changes=tuple(_schema_change(item) for item in schema_changes),
        inputs=row["inputs"],
        compositions=tuple(_composition(item) for item in row["compositions"]),
    )


def failure_row(failure: Failure) -> dict[str, Any]:
    """Return a failure."""
    window = failure.window
    return {
        "model": failure.model,
        "window_start": None if window is None else window.start,
        "window_end": None if window is None else window.end,
        "started": failure.started,
        "finished": failure.finished,
        "error": failure.error,
        "explanation": failure.explanation,
        "code": failure.code,
    }


def _parts(run: Run) -> Iterator[tuple[str | None, Sequence[Reading], Sequence[Finding]]]:
    for result in run.results:
        yield result.version, result.readings, result.findings
    yield None, run.readings, run.findings


def _expect(condition: bool, complaint: str, reading: Reading) -> None:  # noqa: FBT001  # an assertion
    if not condition:
        raise ValueError(f"the reading {reading.measure} of {reading.subject!r} {complaint}")


def _reading_row(
    reading: Reading, number: int, position: int, version: str | None
) -> dict[str, Any]:
    subject = reading.subject
    return {
        "run": number,
        "position": position,
        "version": version,
        "measure": reading.measure,
        "field": subject.field,
        "population": subject.population,
        "group_name": subject.group,
        "reference_group": subject.reference_group,
        "reference": subject.reference,
        "segment": subject.segment,
        "segment_value": subject.segment_value,
        "stratum": subject.stratum,
        "class_name": subject.class_name,
        **_result_columns(reading.result),
    }


def _result_columns(result: Result) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys((*_ESTIMATE_COLUMNS.values(), "absence", "explanation"))
    columns["n"] = int(result.n)
    columns["n_reference"] = int(result.n_reference)
    match result:
        case Estimate():
            columns["method"] = result.method
            columns["explanation"] = result.note or None
            columns["detail"] = {name: float(figure) for name, figure in result.detail.items()}
            for name in _ESTIMATE_COLUMNS.keys() - _NOT_A_FIGURE:
                figure = getattr(result, name)
                columns[_ESTIMATE_COLUMNS[name]] = None if figure is None else float(figure)
        case Unmeasurable():
            columns["absence"] = result.reason
            columns["explanation"] = result.explanation
    return columns


SUBJECT_COLUMNS = tuple(
    READINGS.c[name]
    for name in (
        "version",
        "field",
        "population",
        "group_name",
        "reference_group",
        "reference",
        "segment",
        "segment_value",
        "stratum",
        "class_name",
    )
)
"""What a reading's subject is made from, beside its model; in the order of `Subject`."""


def subject_of(row: RowMapping, model: str) -> Subject:
    """Return the subject of a reading's row, or of a row that has these columns of it."""
    version, *rest = (row[column.name] for column in SUBJECT_COLUMNS)
    return Subject(model, version or "", *rest)


def reading_of(row: RowMapping, model: str) -> Reading:
    """Return the reading of a row."""
    subject = subject_of(row, model)
    if row["absence"] is not None:
        reason = Absence(row["absence"])
        absent = Unmeasurable(reason, row["explanation"], row["n"], row["n_reference"])
        return Reading(row["measure"], subject, absent)
    figures = {name: row[column] for name, column in _ESTIMATE_COLUMNS.items()}
    figures["note"] = figures["note"] or ""
    return Reading(row["measure"], subject, Estimate(**figures))


def _finding_row(finding: Finding, number: int, position: int, reading: int) -> dict[str, Any]:
    return {
        "run": number,
        "position": position,
        "reading": reading,
        "fingerprint": finding.fingerprint,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "explanation": finding.explanation,
        "limit_kind": "limit" if isinstance(finding.limit, Limit) else BAND,
        **_NO_BOUNDS,
        **asdict(finding.limit),
        "evidence": {str(verdict): asdict(test) for verdict, test in finding.evidence.items()},
    }


def finding_of(row: RowMapping, reading: Reading) -> Finding:
    """Return the finding of a row, on its reading."""
    kind = _LIMIT_KINDS[row["limit_kind"]]
    limit = kind(**{name: row[name] for name in kind.__struct_fields__})
    verdict, reason = Verdict(row["verdict"]), Reason(row["reason"])
    evidence = {
        Verdict(severity): Evidence(**test) for severity, test in (row["evidence"] or {}).items()
    }
    return Finding(reading, limit, verdict, reason, row["explanation"], evidence)


def _composition_document(composition: Composition) -> dict[str, Any]:
    return {
        "version": composition.version,
        "reference": composition.reference,
        "wanted": composition.wanted,
        "parts": [
            [window.start.isoformat(), window.end.isoformat(), inputs]
            for window, inputs in composition.parts
        ],
    }


def _composition(document: dict[str, Any]) -> Composition:
    parts = tuple(
        (Window(datetime.fromisoformat(start), datetime.fromisoformat(end)), inputs)
        for start, end, inputs in document["parts"]
    )
    return Composition(document["version"], document["reference"], document["wanted"], parts)


def _schema_change_rows(run: Run, number: int) -> list[dict[str, Any]]:
    rows = []
    for position, change in enumerate(run.schema_changes):
        row = asdict(change)
        row["column_name"] = row.pop("column")
        rows.append({"run": number, "position": position, **row})
    return rows


def _schema_change(row: RowMapping) -> SchemaChange:
    return SchemaChange(
        version=row["version"],
        kind=ColumnChange(row["kind"]),
        column=row["column_name"],
        was=row["was"],
        now=row["now"],
        watched=row["watched"],
        files=row["files"],
        path=row["path"],
    )


def _manifest(document: dict[str, Any]) -> Manifest:
    return Manifest(
        tuple(LogFile(**file) for file in document["files"]),
        tuple(LogFile(**file) for file in document["labels"]),
        tuple(UnreadableFile(**file) for file in document["unreadable"]),
        _snapshots(document),
        tuple(LogFile(**file) for file in document.get("protected", ())),
    )


def _snapshots(document: dict[str, Any]) -> tuple[TableSnapshot, ...]:
    """Return the states of tables; results of former times have them in words."""
    found = [TableSnapshot(**item) for item in document.get("snapshots", ())]
    for said in filter(None, document.get("snapshot", "").split(", ")):
        table, words = ("labels", said[7:]) if said.startswith("labels ") else ("log", said)
        keeper, kind, *name = words.split(" ")
        found.append(TableSnapshot(keeper, "" if kind == "table" else name[0], table=table))
    return tuple(found)


def listing_of(digests: str) -> Listing:
    """Return the listing of a run; one of the time before listings were kept has none."""
    log, _, labels = digests.partition(" ")
    return Listing(log, labels)


def _accounting(document: dict[str, Any]) -> Accounting:
    labels = document.get("labels")
    joined = None if labels is None else LabelJoin(**labels)
    files = tuple(FileAccount(**file) for file in document.get("files", ()))
    found = document.get("memberships", {})
    memberships = {column: LabelJoin(**join) for column, join in found.items()}
    read = {"labels": joined, "files": files, "memberships": memberships}
    counted = document.get("authority")
    tallies = None if counted is None else tuple(tally_of(item) for item in counted)
    return Accounting(**{**document, **read, "authority": tallies})


def _accounting_document(accounting: Accounting) -> dict[str, Any]:
    document: dict[str, Any] = to_builtins(replace(accounting, authority=None))
    if accounting.authority is None:
        del document["authority"]  # as it was before there was such a thing
    else:
        document["authority"] = [tally_document(item) for item in accounting.authority]
    return document


def _window_columns(window: Window) -> dict[str, datetime]:
    return {"window_start": window.start, "window_end": window.end}


def window_of(row: RowMapping) -> Window:
    """Return the window of a row."""
    return Window(row["window_start"], row["window_end"])
