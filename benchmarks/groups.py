"""What groups cost beyond the reading: their counts, twelve metrics and the verdicts on them.

``python -m benchmarks.groups FOLDER``, where FOLDER has the logs of `benchmarks.data`.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq
from msgspec.structs import replace

from benchmarks import passes
from monitor.alerts.findings import findings_of
from monitor.compute.local import LocalCompute
from monitor.domain.field import Population
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.counting import bundled
from monitor.engine.progress import Silent
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.profile import Profile
from monitor.sources.parquet import ParquetSource

COLUMNS = ["predicted_at", "model_version", "score", "decision", "label", *passes.ATTRIBUTES]
METRICS = (*RATES, "calibration_ratio")


@dataclass(frozen=True)
class Seconds:
    """What some work took.

    Attributes:
        cpu: User and system time of this process.
        wall: By the clock.
    """

    cpu: float
    wall: float


def policy(folder: Path) -> Policy:
    """Return a policy of three attributes, all their crossings, and twelve metrics."""
    names = passes.ATTRIBUTES
    crossings = [crossed for width in (1, 2, 3) for crossed in combinations(names, width)]
    whole = passes.policy(folder)
    score = tuple(item for item in whole.fields if item.name == "score")
    populations = tuple(Population(crossed) for crossed in crossings)
    return replace(whole, fields=score, populations=populations, disparity_metrics=METRICS)


def read(log: Path) -> None:
    """Read the same columns, one column chunk at a time, text as codes."""
    for path in sorted(log.glob("*.parquet")):
        with pq.ParquetFile(path, read_dictionary=list(passes.ATTRIBUTES)) as file:
            names = file.schema_arrow.names
            for group in range(file.num_row_groups):
                for column in COLUMNS:
                    place = [names.index(column)]
                    file.reader.read_row_group(group, column_indices=place, use_threads=False)


def taken(work: Callable[[], object], rounds: int) -> Seconds:
    """Return the least of some rounds."""
    cpu, wall = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        cpu.append(passes.cpu_seconds(work))
        wall.append(time.perf_counter() - start)
    return Seconds(min(cpu), min(wall))


def main() -> None:
    """Print a table of the parts, and their sum beyond the reading."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    asked = policy(given.folder / "window")
    window = passes.WINDOW
    drafted = ParquetSource(policy(given.folder / "baseline"))
    grids = {"1": drafted.draft(drafted.scan(passes.BASELINE), "1")}

    def counted(folder: str, span: Window) -> Profile:
        source = ParquetSource(policy(given.folder / folder))
        scan = source.scan(span)
        found = LocalCompute(1).count(bundled(scan.tasks), source.counter(scan, grids), Silent())
        return found.profiles["1"]

    then, now = counted("baseline", passes.BASELINE), counted("window", window)
    pair = ProfilePair(grids["1"], then, now, window, 1.0)
    readings = measure_all("benchmark", "1", asked, pair)
    judged = findings_of(readings, asked)
    groups = sum(item.measure == "selection_rate" for item in readings)
    reading = taken(lambda: read(given.folder / "window"), given.rounds)
    counting = taken(lambda: counted("window", window), given.rounds)
    measuring = taken(lambda: measure_all("benchmark", "1", asked, pair), given.rounds)
    judging = taken(lambda: findings_of(readings, asked), given.rounds)
    print(
        f"{now.rows:,} rows, {len(asked.populations)} populations with {groups} groups, "
        f"{len(METRICS)} metrics: {len(readings):,} readings, {len(judged):,} findings\n\n"
        "| | CPU s | wall s |\n|---|---:|---:|"
    )
    beyond = Seconds(
        counting.cpu - reading.cpu + measuring.cpu + judging.cpu,
        counting.wall - reading.wall + measuring.wall + judging.wall,
    )
    for name, cost in (
        ("reading the eight columns", reading),
        ("reading and counting", counting),
        ("measuring", measuring),
        ("judging", judging),
        ("**beyond the reading** (goal ≤ 2)", beyond),
    ):
        print(f"| {name} | {cost.cpu:.2f} | {cost.wall:.2f} |")


if __name__ == "__main__":
    main()
