"""The profiles of earlier windows, which references are made of."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, select

from monitor.domain.window import Window
from monitor.engine.ports import Profiled
from monitor.store.tables import PROFILES, RUNS

_AT_ONCE = 500
"""Windows that one statement asks for: databases bound the number of its parameters."""


def read_profiled(connection: Connection, model: str) -> Mapping[Window, Profiled]:
    """Return what the newest revision of each window was profiled from, without profiles."""
    return _collected(connection.execute(_newest(model)).mappings(), content=False)


def read_profiles(
    connection: Connection, model: str, windows: Collection[Window]
) -> Mapping[Window, Profiled]:
    """Return the profiles of the newest revision of some windows; of those that have one."""
    found: dict[Window, Profiled] = {}
    left = iter(sorted(windows))
    while some := list(islice(left, _AT_ONCE)):
        query = _newest(model).add_columns(PROFILES.c.profile)
        query = query.where(RUNS.c.window_end.in_([window.end for window in some]))
        rows = connection.execute(query).mappings()
        found |= _collected(rows, content=True)
    return {window: found[window] for window in windows if window in found}


def _newest(model: str) -> Select[Any]:
    """Return a query for each profile of each window's newest revision, or one row for none."""
    newer = RUNS.alias()
    newest = select(func.max(newer.c.revision)).where(
        newer.c.model == RUNS.c.model,
        newer.c.window_end == RUNS.c.window_end,
        newer.c.window_start == RUNS.c.window_start,
    )
    # A version without a baseline has no profile, nor has one whose profile was pruned.
    of_run = and_(
        PROFILES.c.run == RUNS.c.id,
        PROFILES.c.baseline.is_not(None),
        func.length(PROFILES.c.profile) > 0,
    )
    columns = (RUNS.c.window_start, RUNS.c.window_end, RUNS.c.inputs, RUNS.c.identity)
    return (
        select(*columns, PROFILES.c.version, PROFILES.c.baseline)
        .select_from(RUNS.outerjoin(PROFILES, of_run))
        .where(RUNS.c.model == model, RUNS.c.revision == newest.scalar_subquery())
    )


def _collected(rows: Iterable[RowMapping], *, content: bool) -> dict[Window, Profiled]:
    inputs: dict[Window, str] = {}
    baselines: dict[Window, dict[str, str]] = {}
    profiles: dict[Window, dict[str, bytes]] = {}
    for row in rows:
        window = Window(row["window_start"], row["window_end"])
        inputs[window] = row["inputs"] or row["identity"]  # before references they were the same
        of_window, contents = baselines.setdefault(window, {}), profiles.setdefault(window, {})
        if row["version"] is not None:
            of_window[row["version"]] = row["baseline"]
            if content:
                contents[row["version"]] = row["profile"]
    return {
        window: Profiled(inputs[window], baselines[window], profiles[window]) for window in inputs
    }
