"""The life of alerts, carried on in the transaction of the run that tells."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    Table,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from monitor.alerts.life import LifeRules, Told, Tracks, WindowTold, advance, reconcile
from monitor.domain.alert import Alert, AlertEvent, AlertState
from monitor.domain.disparity import STRETCH_DAYS
from monitor.domain.finding import Verdict
from monitor.domain.policy import Policy
from monitor.domain.run import Outcome, Run
from monitor.domain.schedule import Schedule
from monitor.domain.window import Window
from monitor.store.alerts import alert_of, alert_row, event_row
from monitor.store.history import newest_revision
from monitor.store.rows import BAND, SUBJECT_COLUMNS, subject_of
from monitor.store.tables import (
    ALERT_EVENTS,
    ALERT_STEPS,
    ALERTS,
    FINDINGS,
    PROFILES,
    READINGS,
    RUNS,
)
from monitor.store.tracks import rules_document, rules_of, tracks_from_bytes, tracks_to_bytes

_AT_ONCE = 32
"""Windows that are read together once more than one has to be read."""

_OPEN = (AlertState.PENDING.value, AlertState.FIRING.value)


class _Step(Struct, frozen=True):
    """A window that has been gone through before: by what rules, and what was known after it."""

    rules: LifeRules
    tracks: Tracks


class _Course(Struct, frozen=True):
    """The alerts of some windows.

    Attributes:
        alerts: Those that were over in one of them and, when these were the last windows there
            are, those that are open.
        until: The window after which all is as it was before; None when there is none.
    """

    alerts: Sequence[Alert]
    until: Window | None


def write_life(connection: Connection, run: Run, policy: Policy) -> Sequence[AlertEvent]:
    """Carry on the life of alerts with the run of a window that has just been written.

    Every later window is gone through again, by the rules that were in force when it was judged,
    until one of them leaves what it left before. So whatever order windows are run in, the alerts
    are those of going through them in their order. A window of another schedule tells nothing.

    Args:
        connection: In the transaction of the run.
        run: The run; its results are written.
        policy: The policy it was made under.

    Returns:
        What has changed in what is known of alerts.
    """
    if policy.schedule.window_at(run.window.start) != run.window:
        return ()
    schedule = schedule_key(policy.schedule)
    ended = _end_others(connection, run, schedule)
    tracks, first = _before(connection, run, schedule)
    course = _go_through(connection, run, policy, tracks, first)
    return (*ended, *_write(connection, run, schedule, first, course))


def schedule_key(schedule: Schedule) -> str:
    """Return what tells the windows of one schedule from those of another."""
    if isinstance(schedule.length, timedelta):
        return f"{schedule.length.total_seconds():.0f} s from {schedule.anchor.isoformat()}"
    return f"{schedule.length.value} in {schedule.zone}"


def _before(connection: Connection, run: Run, schedule: str) -> tuple[Tracks, Window]:
    """Return what was known before a window, and where to begin.

    The first run since there are alerts begins with the first window there is.
    """
    steps = select(ALERT_STEPS.c.tracks).where(
        ALERT_STEPS.c.model == run.model, ALERT_STEPS.c.schedule == schedule
    )
    newest = (
        steps.where(ALERT_STEPS.c.window_end <= run.window.start)
        .order_by(ALERT_STEPS.c.window_end.desc())
        .limit(1)
    )
    found = connection.scalar(newest)
    if found is not None:
        return tracks_from_bytes(found), run.window
    if connection.execute(steps.limit(1)).first() is None:
        kept = (RUNS.c.model == run.model) & RUNS.c.pruned.is_(None)
        earliest = select(RUNS.c.window_start, RUNS.c.window_end).where(kept)
        row = connection.execute(earliest.order_by(RUNS.c.window_end).limit(1)).one()
        return {}, min(run.window, Window(*row), key=lambda window: window.end)
    return {}, run.window


def _go_through(
    connection: Connection, run: Run, policy: Policy, tracks: Tracks, first: Window
) -> _Course:
    schedule = schedule_key(policy.schedule)
    ours = LifeRules(policy.alarms, policy.disparity.persistence, policy.disparity.extend)
    over: list[Alert] = []
    for told, step in _windows_from(connection, run, policy.schedule, first):
        again = step is not None and told.window != run.window
        rules = step.rules if step is not None and again else ours
        advanced = advance(tracks, told, rules)
        tracks = advanced.tracks
        over += advanced.over
        _write_step(connection, run.model, schedule, told.window, rules, tracks)
        if step is not None and step.tracks == tracks:
            return _Course(over, told.window)
    still = [track.alert for track in tracks.values() if track.alert is not None]
    return _Course([*over, *still], None)


def _windows_from(
    connection: Connection, run: Run, schedule: Schedule, first: Window
) -> Iterator[tuple[WindowTold, _Step | None]]:
    """Yield what the newest revision of each window from one on says, in their order."""
    ends = (RUNS.c.window_end >= first.end) & RUNS.c.pruned.is_(None)
    query = (
        select(RUNS.c.id, RUNS.c.window_start, RUNS.c.window_end, RUNS.c.outcome, RUNS.c.policy)
        .where(RUNS.c.model == run.model, ends, RUNS.c.revision == newest_revision())
        .order_by(RUNS.c.window_end, RUNS.c.window_start)
    )
    rows = [
        row
        for row in connection.execute(query)
        if schedule.window_at(row.window_start) == Window(row.window_start, row.window_end)
    ]
    begin, many = 0, 1
    while begin < len(rows):
        some = rows[begin : begin + many]
        yield from _told(connection, run.model, schedule_key(schedule), some)
        begin, many = begin + many, _AT_ONCE


def _told(
    connection: Connection, model: str, schedule: str, runs: Sequence[Any]
) -> Iterator[tuple[WindowTold, _Step | None]]:
    numbers = [run.id for run in runs]
    found: dict[int, dict[str, Told]] = {number: {} for number in numbers}
    windows = {run.id: Window(run.window_start, run.window_end) for run in runs}
    for row in connection.execute(_findings(numbers)).mappings():
        found[row["run"]][row["fingerprint"]] = _told_of(row, model, windows[row["run"]])
    terms: dict[int, dict[str, str]] = {
        run.id: {"": run.policy} if run.outcome == Outcome.COMPLETED else {} for run in runs
    }
    profiles = select(PROFILES.c.run, PROFILES.c.version, PROFILES.c.baseline)
    for number, version, baseline in connection.execute(
        profiles.where(PROFILES.c.run.in_(numbers))
    ):
        terms[number][version] = f"{terms[number].get('', '')}:{baseline or ''}"
    steps = select(ALERT_STEPS).where(
        ALERT_STEPS.c.model == model,
        ALERT_STEPS.c.schedule == schedule,
        ALERT_STEPS.c.window_end.in_([window.end for window in windows.values()]),
    )
    gone = {
        Window(row.window_start, row.window_end): _Step(
            rules_of(row.rules), tracks_from_bytes(row.tracks)
        )
        for row in connection.execute(steps)
    }
    for run in runs:
        window = windows[run.id]
        yield WindowTold(window, found[run.id], terms[run.id]), gone.get(window)


def _findings(numbers: Sequence[int]) -> Select[Any]:
    stretch = case((FINDINGS.c.limit_kind == BAND, READINGS.c.detail)).label("detail")
    judged = (FINDINGS.c[name] for name in ("run", "fingerprint", "verdict", "limit_kind"))
    return (
        select(*judged, stretch, READINGS.c.measure, *SUBJECT_COLUMNS)
        .join(
            READINGS,
            (FINDINGS.c.run == READINGS.c.run) & (FINDINGS.c.reading == READINGS.c.position),
        )
        .where(FINDINGS.c.run.in_(numbers))
    )


def _told_of(row: RowMapping, model: str, window: Window) -> Told:
    since: datetime | None = None
    if row["limit_kind"] == BAND:
        days = (row["detail"] or {}).get(STRETCH_DAYS)
        since = window.start if days is None else window.end - timedelta(days=days)
    return Told(Verdict(row["verdict"]), row["measure"], subject_of(row, model), since)


def _write_step(  # noqa: PLR0917  # six nouns, each of another type
    connection: Connection,
    model: str,
    schedule: str,
    window: Window,
    rules: LifeRules,
    tracks: Tracks,
) -> None:
    of: Mapping[str, Any] = {
        "model": model,
        "schedule": schedule,
        "window_start": window.start,
        "window_end": window.end,
    }
    kept = {"rules": rules_document(rules), "tracks": tracks_to_bytes(tracks)}
    this = update(ALERT_STEPS).where(*(ALERT_STEPS.c[name] == value for name, value in of.items()))
    if not connection.execute(this.values(kept)).rowcount:
        connection.execute(insert(ALERT_STEPS), {**of, **kept})


def _write(
    connection: Connection, run: Run, schedule: str, first: Window, course: _Course
) -> Sequence[AlertEvent]:
    """Exchange the alerts of the windows that were gone through, and note what has changed."""
    touched = (
        (ALERTS.c.model == run.model)
        & (ALERTS.c.schedule == schedule)
        & or_(ALERTS.c.over_end.is_(None), ALERTS.c.over_end >= first.end)
    )
    if course.until is not None:
        touched &= ALERTS.c.over_end <= course.until.end  # what is open then is as it was
    known = [alert_of(row) for row in connection.execute(select(ALERTS).where(touched)).mappings()]
    reconciled = reconcile(known, course.alerts, run.window, run.finished)
    if set(reconciled.alerts) != set(known):
        connection.execute(delete(ALERTS).where(touched))
        _insert(connection, ALERTS, [alert_row(item, schedule) for item in reconciled.alerts])
    return _note(connection, run.model, reconciled.events)


def _end_others(connection: Connection, run: Run, schedule: str) -> Sequence[AlertEvent]:
    """End what the windows of another schedule had left open: nobody judges those any more."""
    others = (
        (ALERTS.c.model == run.model) & (ALERTS.c.schedule != schedule) & ALERTS.c.state.in_(_OPEN)
    )
    known = [alert_of(row) for row in connection.execute(select(ALERTS).where(others)).mappings()]
    if not known:
        return ()
    connection.execute(
        update(ALERTS).where(others).values(state=AlertState.ENDED.value, ended_at=run.finished)
    )
    return _note(
        connection,
        run.model,
        [
            AlertEvent(
                fingerprint=alert.fingerprint,
                since=alert.since,
                at=run.finished,
                window=run.window,
                was=alert.state,
                now=AlertState.ENDED,
                severity=alert.severity,
                condition=alert.condition,
            )
            for alert in known
        ],
    )


def _note(connection: Connection, model: str, events: Sequence[AlertEvent]) -> Sequence[AlertEvent]:
    last = select(func.max(ALERT_EVENTS.c.number)).where(ALERT_EVENTS.c.model == model)
    number = connection.scalar(last) or 0
    rows = [event_row(event, model, number + place) for place, event in enumerate(events, 1)]
    _insert(connection, ALERT_EVENTS, rows)
    return events


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)
