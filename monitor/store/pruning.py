"""Results that are deleted, what is kept of them, and the room that this leaves."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from sqlite3 import Error

from msgspec import Struct
from sqlalchemy import URL, ColumnElement, Connection, Engine, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from monitor.domain.errors import PrunedError
from monitor.domain.finding import Verdict
from monitor.domain.roll_up import RollUp
from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.pruning import Pruned, Pruning
from monitor.governance.recorded import PrunedResult, store_pruned
from monitor.store.audit import Journal
from monitor.store.connection import VACUUM_IN_STEPS, reported
from monitor.store.digest import results_digest
from monitor.store.registry_pruning import old_errands
from monitor.store.registry_tables import REGISTRY_ERRANDS
from monitor.store.roll_up import roll_up_document
from monitor.store.tables import (
    ALERT_STEPS,
    FINDINGS,
    PROFILES,
    READINGS,
    RUNS,
    SCHEMA_CHANGES,
)

_DELETED = (FINDINGS, READINGS, SCHEMA_CHANGES)
"""Whose rows go, in the order in which they may."""

_PAGES = 4000
"""Free pages of a SQLite file that are given back at a time: others wait meanwhile."""

_GIVE_BACK = f"PRAGMA incremental_vacuum({_PAGES})"

_PARAMETERS = 500
"""Runs that one statement is about: databases bound the number of its parameters."""

_BYTES = func.length(PROFILES.c.profile)


class _Due(Struct, frozen=True):
    """A run of which something is to go: everything, or only its profiles."""

    number: int
    window: Window
    revision: int
    whole: bool


class SqlPruning:
    """What is known of pruned results, and what might be."""

    _url: URL
    _engine: Engine

    def pruned_until(self, model: str) -> datetime | None:
        """Return the end of the last window whose results were pruned; None when none were."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_pruned_until(connection, model)

    def policies_since(self, model: str, instant: datetime) -> Sequence[str]:
        """Return the digests of the policies that results of windows after an instant name."""
        query = select(RUNS.c.policy).where(RUNS.c.model == model, RUNS.c.window_end > instant)
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return connection.scalars(query.distinct().order_by(RUNS.c.policy)).all()

    def stored_models(self) -> Sequence[str]:
        """Return the names of the models that have a result, in order."""
        query = select(RUNS.c.model).distinct().order_by(RUNS.c.model)
        with reported(self._url, "reading the models"), self._engine.connect() as connection:
            return connection.scalars(query).all()

    def prunable(self, pruning: Pruning) -> Pruned:
        """Return what would go; nothing is changed."""
        doing = f"counting what can be pruned of {pruning.model}"
        with reported(self._url, doing), self._engine.connect() as connection:
            due = _due(connection, pruning)
            numbers = [item.number for item in due if item.whole]
            rows = {
                table.name: sum(
                    connection.scalar(select(func.count()).where(table.c.run.in_(some))) or 0
                    for some in _in_parts(numbers)
                )
                for table in _DELETED
            }
            until = _end_of(due)
            errands = () if until is None else old_errands(connection, pruning.model, until)
            rows[REGISTRY_ERRANDS.name] = len(errands)
            steps = _old_steps(connection, pruning.model, until)
            rows[ALERT_STEPS.name] = sum(
                connection.scalar(select(func.count()).select_from(ALERT_STEPS).where(each)) or 0
                for each in steps
            )
            emptied = _emptied(connection, due, pruning.keep)
            return _pruned(due, rows, emptied)

    def give_back(self, *, whole: bool = False) -> None:
        """Give room that is free in a SQLite file back to its disk, some of it.

        A file from before this could be done has to be written anew once: wholly.
        """
        if self._engine.dialect.name != "sqlite":
            return
        script = f"{VACUUM_IN_STEPS}; VACUUM" if whole else _GIVE_BACK
        with reported(self._url, "giving room back"), self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            try:
                # A script is stepped to its end; a statement would stop after the first page.
                raw.executescript(script)  # type: ignore[union-attr]  # SQLite's has it
            except Error as error:
                raise DBAPIError(script, None, error) from error


def read_pruned_until(connection: Connection, model: str) -> datetime | None:
    """Return the end of the last window whose results were pruned; None when none were."""
    query = select(RUNS.c.window_end).where(RUNS.c.model == model, RUNS.c.pruned.is_not(None))
    found: datetime | None = connection.scalar(query.order_by(RUNS.c.window_end.desc()).limit(1))
    return found


def require_not_pruned(connection: Connection, run: Run) -> None:
    """Refuse a result of a time whose results were pruned: what it would rest on is gone.

    Raises:
        PrunedError: Its window begins then.
    """
    until = read_pruned_until(connection, run.model)
    if until is not None and run.window.start < until:
        raise PrunedError(
            f"nothing of {run.model} before {until:%Y-%m-%d %H:%M} UTC is run any more: the results "
            f"up to then were pruned, and {run.window} begins before"
        )


def prune_runs(connection: Connection, pruning: Pruning, most: int, journal: Journal) -> Pruned:
    """Delete the results of some windows, the oldest first, and note what is kept of them."""
    due = _due(connection, pruning)
    windows = sorted({item.window for item in due}, key=lambda window: (window.end, window.start))
    # Windows that end together go together: what is pruned has one end.
    last = windows[:most][-1].end if windows else pruning.before
    due = [item for item in due if item.window.end <= last]
    if not due:
        return Pruned()
    before = {item.number: results_digest(connection, item.number) for item in due}
    numbers = [item.number for item in due if item.whole]
    kept = _roll_ups(connection, numbers, pruning.at)
    emptied = _emptied(connection, due, pruning.keep)
    rows = {
        table.name: connection.execute(delete(table).where(table.c.run.in_(numbers))).rowcount
        for table in _DELETED
    }
    for number, roll_up in kept.items():
        this = update(RUNS).where(RUNS.c.id == number)
        connection.execute(this.values(pruned=roll_up_document(roll_up)))
    profiles = PROFILES.c.run.in_(list(emptied))
    connection.execute(update(PROFILES).where(profiles).values(profile=b""))
    errands = old_errands(connection, pruning.model, last)
    rows[REGISTRY_ERRANDS.name] = sum(
        connection.execute(delete(REGISTRY_ERRANDS).where(REGISTRY_ERRANDS.c.id.in_(some))).rowcount
        for some in _in_parts(errands)
    )
    rows[ALERT_STEPS.name] = sum(
        connection.execute(delete(ALERT_STEPS).where(each)).rowcount
        for each in _old_steps(connection, pruning.model, _end_of(due))
    )
    done = _pruned(due, rows, emptied)
    results = [
        PrunedResult(
            item.window,
            item.revision,
            before[item.number],
            results_digest(connection, item.number),
            kept.get(item.number),
        )
        for item in due
    ]
    journal.add(store_pruned(pruning.model, pruning.at, pruning.by, rows, results))
    return done


def _due(connection: Connection, pruning: Pruning) -> list[_Due]:
    """Return the runs that something is to go of: all they found, or what was left of it."""
    left = select(PROFILES.c.run).where(PROFILES.c.run == RUNS.c.id, _BYTES > 0).exists()
    query = (
        select(RUNS.c.id, RUNS.c.window_start, RUNS.c.window_end, RUNS.c.revision)
        .add_columns(RUNS.c.pruned.is_(None).label("whole"))
        .where(
            RUNS.c.model == pruning.model,
            RUNS.c.window_end <= pruning.before,
            RUNS.c.pruned.is_(None) | left,
        )
        .order_by(RUNS.c.window_end, RUNS.c.window_start, RUNS.c.revision)
    )
    found = [
        _Due(number, Window(start, end), revision, bool(whole))
        for number, start, end, revision, whole in connection.execute(query)
    ]
    return [item for item in found if item.whole or item.window not in pruning.keep]


def _roll_ups(connection: Connection, numbers: Sequence[int], at: datetime) -> Mapping[int, RollUp]:
    readings = select(READINGS.c.run, func.count()).where(READINGS.c.run.in_(numbers))
    counted: dict[int, int] = dict(connection.execute(readings.group_by(READINGS.c.run)).all())
    verdicts: dict[int, dict[Verdict, int]] = {number: {} for number in numbers}
    judged = select(FINDINGS.c.run, FINDINGS.c.verdict, func.count()).where(
        FINDINGS.c.run.in_(numbers)
    )
    grouped = judged.group_by(FINDINGS.c.run, FINDINGS.c.verdict).order_by(FINDINGS.c.verdict)
    for number, verdict, count in connection.execute(grouped):
        verdicts[number][Verdict(verdict)] = count
    return {number: RollUp(at, counted.get(number, 0), found) for number, found in verdicts.items()}


def _emptied(
    connection: Connection, due: Sequence[_Due], keep: Collection[Window]
) -> Mapping[int, Sequence[int]]:
    """Return the runs whose profiles are emptied, and how many bytes each of these has."""
    numbers = [item.number for item in due if item.window not in keep]
    found: dict[int, list[int]] = {}
    for some in _in_parts(numbers):
        query = select(PROFILES.c.run, _BYTES).where(PROFILES.c.run.in_(some), _BYTES > 0)
        for number, size in connection.execute(query):
            found.setdefault(number, []).append(size)
    return found


def _pruned(
    due: Sequence[_Due], rows: Mapping[str, int], emptied: Mapping[int, Sequence[int]]
) -> Pruned:
    sizes = [size for each in emptied.values() for size in each]
    windows = len({item.window for item in due})
    return Pruned(windows, len(due), rows, len(sizes), sum(sizes))


def _end_of(due: Sequence[_Due]) -> datetime | None:
    return max((item.window.end for item in due), default=None)


def _old_steps(
    connection: Connection, model: str, until: datetime | None
) -> list[ColumnElement[bool]]:
    """Return which steps of alerts no later window asks for: of each schedule all but the last."""
    if until is None:
        return []
    ours = (ALERT_STEPS.c.model == model) & (ALERT_STEPS.c.window_end <= until)
    newest = select(ALERT_STEPS.c.schedule, func.max(ALERT_STEPS.c.window_end)).where(ours)
    return [
        (ALERT_STEPS.c.model == model)
        & (ALERT_STEPS.c.schedule == schedule)
        & (ALERT_STEPS.c.window_end < end)
        for schedule, end in connection.execute(newest.group_by(ALERT_STEPS.c.schedule)).all()
    ]


def _in_parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(numbers), _PARAMETERS):
        yield numbers[begin : begin + _PARAMETERS]
