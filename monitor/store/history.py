"""Findings through the windows, as SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Text,
    func,
    select,
    type_coerce,
)

from monitor.domain.disparity import STRETCH_DAYS
from monitor.domain.finding import Verdict
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.past import PastFinding, RunLine
from monitor.engine.ports import RunCounts, WindowVerdicts
from monitor.store.roll_up import pruned_at, roll_up_of
from monitor.store.rows import BAND, finding_of, reading_of, window_of
from monitor.store.tables import ALERTS, FAILURES, FINDINGS, PROFILES, READINGS, RUNS

_AFTER_HEX = "g"
"""A letter that sorts after every hex digit, whatever the collation."""


def read_fingerprints(connection: Connection, begin: str, most: int) -> Sequence[str]:
    """Return the fingerprints that begin so, in order, at most so many.

    Those whose findings were pruned are known by their alerts.
    """
    found: set[str] = set()
    for column in (FINDINGS.c.fingerprint, ALERTS.c.fingerprint):
        begins = (column >= begin) & (column < begin + _AFTER_HEX)
        query = select(column).where(begins).distinct().order_by(column).limit(most)
        found |= {*connection.scalars(query)}
    return sorted(found)[:most]


def read_first_seen(connection: Connection, model: str) -> dict[str, datetime]:
    """Return of each version the start of the first window with rows of it."""
    query = (
        select(PROFILES.c.version, func.min(RUNS.c.window_start))
        .join(RUNS, RUNS.c.id == PROFILES.c.run)
        .where(RUNS.c.model == model)
        .group_by(PROFILES.c.version)
        .order_by(PROFILES.c.version)
    )
    found: dict[str, datetime] = dict(connection.execute(query).all())
    return found


def read_past_findings(
    connection: Connection, fingerprint: str, until: datetime | None, most: int
) -> Sequence[PastFinding]:
    """Return the newest findings of one fingerprint, oldest first."""
    query = (
        select(
            FINDINGS,
            RUNS.c.model,
            RUNS.c.window_start,
            RUNS.c.window_end,
            RUNS.c.revision,
        )
        .join(RUNS, RUNS.c.id == FINDINGS.c.run)
        .where(FINDINGS.c.fingerprint == fingerprint)
        .order_by(RUNS.c.window_end.desc(), RUNS.c.window_start.desc(), RUNS.c.revision.desc())
        .limit(most)
    )
    if until is not None:
        query = query.where(RUNS.c.window_end <= until)
    found = connection.execute(query).mappings().all()[::-1]
    of_these = select(READINGS).join(
        FINDINGS,
        (FINDINGS.c.run == READINGS.c.run) & (FINDINGS.c.reading == READINGS.c.position),
    )
    wanted = of_these.where(
        FINDINGS.c.fingerprint == fingerprint, FINDINGS.c.run.in_([row["run"] for row in found])
    )
    readings = {row["run"]: row for row in connection.execute(wanted).mappings()}
    return [
        PastFinding(
            window_of(row),
            row["revision"],
            finding_of(row, reading_of(readings[row["run"]], row["model"])),
        )
        for row in found
    ]


def read_verdicts(connection: Connection, model: str, since: datetime) -> Sequence[WindowVerdicts]:
    """Return the verdicts of the windows that end after an instant, in their order."""
    newest = _newest(model).where(RUNS.c.window_end > since, RUNS.c.pruned.is_(None))
    of_these = FINDINGS.c.run.in_(newest.with_only_columns(RUNS.c.id).order_by(None))
    query = select(FINDINGS.c.run, FINDINGS.c.fingerprint, FINDINGS.c.verdict)
    runs = connection.execute(newest).all()
    found: dict[int, dict[str, Verdict]] = {run.id: {} for run in runs}
    for number, fingerprint, verdict in connection.execute(query.where(of_these)):
        found[number][fingerprint] = Verdict(verdict)
    windows = {run.id: Window(run.window_start, run.window_end) for run in runs}
    starts = _starts(connection, of_these, windows)
    return [
        WindowVerdicts(windows[run.id], Outcome(run.outcome), found[run.id], starts[run.id])
        for run in runs
    ]


def _starts(
    connection: Connection, of_these: ColumnElement[bool], windows: Mapping[int, Window]
) -> Mapping[int, Mapping[str, datetime]]:
    """Return for each run where the rows begin that its findings on disparities rest on."""
    found: dict[int, dict[str, datetime]] = {number: {} for number in windows}
    query = (
        select(FINDINGS.c.run, FINDINGS.c.fingerprint, READINGS.c.detail)
        .join(
            READINGS,
            (FINDINGS.c.run == READINGS.c.run) & (FINDINGS.c.reading == READINGS.c.position),
        )
        .where(of_these, FINDINGS.c.limit_kind == BAND)
    )
    for number, fingerprint, detail in connection.execute(query):
        window, days = windows[number], (detail or {}).get(STRETCH_DAYS)
        found[number][fingerprint] = (
            window.start if days is None else window.end - timedelta(days=days)
        )
    return found


def read_run_lines(
    connection: Connection, model: str, before: datetime | None, most: int
) -> Sequence[RunLine]:
    """Return the newest run of each window of a model, the latest window first."""
    query = (
        select(RUNS)
        .where(RUNS.c.model == model, RUNS.c.revision == newest_revision())
        .order_by(RUNS.c.window_end.desc(), RUNS.c.window_start.desc())
        .limit(most)
    )
    if before is not None:
        query = query.where(RUNS.c.window_end < before)
    rows = connection.execute(query).mappings().all()
    counted = (
        select(FINDINGS.c.run, FINDINGS.c.verdict, func.count())
        .where(FINDINGS.c.run.in_([row["id"] for row in rows]))
        .group_by(FINDINGS.c.run, FINDINGS.c.verdict)
    )
    verdicts: dict[int, dict[Verdict, int]] = {row["id"]: {} for row in rows}
    for number, verdict, count in connection.execute(counted):
        verdicts[number][Verdict(verdict)] = count
    return [
        RunLine(
            window_of(row),
            row["revision"],
            Outcome(row["outcome"]),
            row["finished"],
            row["accounting"]["read"],
            verdicts[row["id"]] if row["pruned"] is None else roll_up_of(row["pruned"]).verdicts,
            pruned_at(row["pruned"]),
        )
        for row in rows
    ]


def read_e_values(connection: Connection, model: str) -> Mapping[Window, float | None]:
    """Return the evidence of drift of every window, by its newest revision, in their order."""
    return {
        Window(run.window_start, run.window_end): run.e_value
        for run in connection.execute(_newest(model))
    }


def read_gaps(connection: Connection, model: str) -> Mapping[Window, frozenset[str]]:
    """Return the windows whose newest revision had to leave files out, and their paths."""
    # The text of a manifest that left nothing out: no name in it can look like that, because
    # a quotation mark in a name is escaped.
    nothing = type_coerce(RUNS.c.manifest, Text).contains('"unreadable":[]')
    query = select(RUNS.c.window_start, RUNS.c.window_end, RUNS.c.manifest).where(
        RUNS.c.model == model,
        RUNS.c.revision == newest_revision(),
        RUNS.c.pruned.is_(None),
        ~nothing,
    )
    return {
        Window(start, end): frozenset(file["path"] for file in manifest["unreadable"])
        for start, end, manifest in connection.execute(query)
    }


def read_measured(connection: Connection, model: str, code: str) -> frozenset[str]:
    """Return the measures that results stored by a version of modelmon have readings of."""
    query = (
        select(READINGS.c.measure)
        .distinct()
        .join_from(READINGS, RUNS, READINGS.c.run == RUNS.c.id)
        .where(RUNS.c.model == model, RUNS.c.code == code)
    )
    return frozenset(connection.scalars(query))


def newest_revision() -> ScalarSelect[Any]:
    """Return the number of the newest revision of the window that a row of runs is of."""
    newer = RUNS.alias()
    return (
        select(func.max(newer.c.revision))
        .where(
            newer.c.model == RUNS.c.model,
            newer.c.window_end == RUNS.c.window_end,
            newer.c.window_start == RUNS.c.window_start,
        )
        .scalar_subquery()
    )


def _newest(model: str) -> Select[Any]:
    """Return the newest run of each window of a model, in the order of the windows."""
    return (
        select(RUNS.c.id, RUNS.c.window_start, RUNS.c.window_end, RUNS.c.outcome, RUNS.c.e_value)
        .where(RUNS.c.model == model, RUNS.c.revision == newest_revision())
        .order_by(RUNS.c.window_end, RUNS.c.window_start)
    )


def read_counts(connection: Connection, model: str) -> RunCounts:
    """Return how runs of a model ended."""
    ended = select(RUNS.c.outcome, func.count()).where(RUNS.c.model == model).group_by("outcome")
    failed = (
        select(FAILURES.c.error, func.count())
        .where(FAILURES.c.model == model)
        .group_by(FAILURES.c.error)
        .order_by(FAILURES.c.error)
    )
    newest = (
        select(RUNS.c.started, RUNS.c.finished)
        .where(RUNS.c.model == model)
        .order_by(RUNS.c.finished.desc())
        .limit(1)
    )
    outcomes: dict[str, int] = dict(connection.execute(ended).all())
    errors: dict[str, int] = dict(connection.execute(failed).all())
    last = connection.execute(newest).first()
    return RunCounts(
        completed=outcomes.get(Outcome.COMPLETED, 0),
        no_data=outcomes.get(Outcome.NO_DATA, 0),
        failed=errors,
        last_success=None if last is None else last[1],
        last_duration=None if last is None else (last[1] - last[0]).total_seconds(),
        first_seen=read_first_seen(connection, model),
    )
