"""What a pass over a window costs beside the mere reading of the same columns, in one process."""

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from benchmarks import data
from monitor.compute.local import LocalCompute
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Population,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.counting import Counted, bundled
from monitor.engine.progress import Silent
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import Family, FieldMeasure, ProfilePair
from monitor.measures.measuring import readings_by
from monitor.profile.grid import Grid
from monitor.profile.profile import merged
from monitor.sources.parquet import ParquetSource

BASELINE = Window(data.BASELINE_START, data.WINDOW_START)
WINDOW = Window(data.WINDOW_START, data.WINDOW_END)
ATTRIBUTES = ("sex", "race", "age_band")


def policy(folder: Path) -> Policy:
    """Return a policy that watches every column of a log."""
    kinds = dict.fromkeys(data.NUMERIC, FieldKind.NUMERIC)
    kinds |= dict.fromkeys(data.CATEGORICAL, FieldKind.CATEGORICAL)
    kinds |= dict.fromkeys(data.BOOLEAN, FieldKind.BOOLEAN)
    fields = [Field(name, name, kind) for name, kind in kinds.items()]
    fields.append(Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE))
    return Policy(
        model="benchmark",
        source=SourceSpec(str(folder), "predicted_at", version="model_version"),
        fields=tuple(fields),
        decision=Decision("decision", ("1",), effect=Effect.FAVOURABLE),
        label=Label("label", ("1",)),
        attributes={name: Attribute(name, name) for name in ATTRIBUTES},
        populations=tuple(Population((name,)) for name in ATTRIBUTES),
        schedule=Schedule(CalendarUnit.MONTH),
        limits={},
        band=Band(),
    )


def grids_of(baseline: Path) -> dict[str, Grid]:
    """Return the grid of a baseline's log."""
    source = ParquetSource(policy(baseline))
    return {"1": source.draft(source.scan(BASELINE), "1")}


def counted(
    log: Path, grids: dict[str, Grid], workers: int = 1, window: Window = WINDOW
) -> Counted:
    """Profile a window."""
    source = ParquetSource(policy(log))
    scan = source.scan(window)
    return LocalCompute(workers).count(bundled(scan.tasks), source.counter(scan, grids), Silent())


def drift(folder: Path) -> list[Callable[[], object]]:
    """Return the work that is done with stored profiles: measuring all fields, adding up a day of hours."""
    grids = grids_of(folder / "baseline")
    then = counted(folder / "baseline", grids, window=BASELINE).profiles["1"]
    now = counted(folder / "window", grids).profiles["1"]
    of_fields = replace(policy(folder), populations=(), attributes={})
    measures = [
        measure
        for measure in CATALOGUE
        if isinstance(measure, FieldMeasure) and measure.about.family is Family.DRIFT
    ]

    def measured() -> list[Reading]:
        pair = ProfilePair(grids["1"], then, now, WINDOW, 1.0)
        return list(readings_by(Subject("benchmark", "1"), of_fields, pair, measures))

    def added() -> int:
        scores = merged([now] * 24).group_scores
        assert scores is not None
        return scores.level  # which puts together what waits

    assert measured()
    return [measured, added]


def read(log: Path) -> int:
    """Read every column, one column chunk at a time, text as codes; return the cells read."""
    cells = 0
    for path in sorted(log.glob("*.parquet")):
        schema = pq.read_schema(path)
        texts = [column.name for column in schema if pa.types.is_string(column.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for group in range(file.num_row_groups):
                for column in range(len(schema)):
                    chunk = file.reader.read_row_group(
                        group, column_indices=[column], use_threads=False
                    )
                    cells += chunk.num_rows
    return cells


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the user and system time of this process that some work took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def clock_seconds(work: Callable[[], object]) -> float:
    """Return the time by the clock that some work took."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def interleaved(
    works: Sequence[Callable[[], object]],
    rounds: int,
    seconds_of: Callable[[Callable[[], object]], float] = cpu_seconds,
) -> list[float]:
    """Return the least seconds of each work, A B A B: a slow minute hits all of them."""
    seconds = [[seconds_of(work) for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*seconds, strict=True)]
