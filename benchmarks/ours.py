"""modelmon's side of the comparison: its own commands on a configuration made for the logs."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import monitor.app  # noqa: F401  # first: it says how pyarrow allocates, for the reading as well

# isort: split
import numpy as np
import pyarrow.parquet as pq

from benchmarks import data, passes
from monitor.profile.counts import POSITIVE, UNKNOWN
from monitor.profile.kernel import ProfileBuilder

MODEL = """\
model: benchmark
source: {{path: {log}, event_time: predicted_at, version: model_version}}
fields:
{fields}
decision: {{column: decision, positive: [1], positive_is: favourable}}
label: {{column: label, positive: [1]}}
populations: [sex, race, age_band]
crossings: [[sex, race], [sex, age_band], [race, age_band]]
schedule: {{window: month, start: 2026-01-01}}
"""


def configure(folder: Path) -> Path:
    """Write a configuration that watches every column of the logs; return its path."""
    kinds = dict.fromkeys(data.NUMERIC, "numeric")
    kinds |= dict.fromkeys(data.CATEGORICAL, "categorical")
    kinds |= dict.fromkeys(data.BOOLEAN, "boolean")
    lines = [f"  {name}: {kind}" for name, kind in kinds.items()]
    lines.append("  score: {kind: numeric, role: score}")
    models = folder / "config" / "models"
    models.mkdir(parents=True, exist_ok=True)
    text = MODEL.format(log=folder.absolute(), fields="\n".join(lines))
    (models / "benchmark.yaml").write_text(text, encoding="utf-8")
    settings = folder / "config" / "modelmon.yaml"
    settings.write_text("compute: {workers: 1}\n", encoding="utf-8")
    return settings


def disparity(folder: Path) -> float:
    """Return the CPU seconds from columns in memory to the rates of sex, race, and both."""
    grid = passes.grids_of(folder / "baseline")["1"]
    columns = ["sex", "race", "age_band", "decision", "label"]
    tables = [
        pq.ParquetFile(path, read_dictionary=columns[:3]).read(columns)
        for path in sorted((folder / "window").glob("*.parquet"))
    ]

    def rates() -> None:
        builder = ProfileBuilder(grid)
        for table in tables:
            attributes = {name: table[name] for name in columns[:3]}
            builder.add_outcomes(len(table), attributes, table["decision"], table["label"])
        for attributes_of in (("sex",), ("race",), ("sex", "race")):
            cube = builder.profile.outcomes.margin(*attributes_of)
            decided = cube[..., :UNKNOWN, :UNKNOWN].astype(float)
            with np.errstate(divide="ignore", invalid="ignore"):
                decided.sum(-1)[..., POSITIVE] / decided.sum((-1, -2))
                decided[..., POSITIVE, :] / decided.sum(-2)

    return _least(rates)


def _least(work: Callable[[], object]) -> float:
    return min(passes.cpu_seconds(work) for _ in range(5))


def main() -> None:
    """Do one thing, by name, in a process of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("what", choices=["read", "disparity", "pass", "threads", "drift"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.what == "read":
        passes.read(given.folder / "window")
    elif given.what == "disparity":
        print(disparity(given.folder))
    elif given.what == "drift":
        print(*(f"{_least(work):.4f}" for work in passes.drift(given.folder)))
    else:
        grids = passes.grids_of(given.folder / "baseline")
        window = given.folder / "window"
        one = partial(passes.counted, window, grids)
        if given.what == "pass":
            seconds = passes.interleaved([partial(passes.read, window), one], given.rounds)
        else:
            two = partial(passes.counted, window, grids, 2)
            seconds = passes.interleaved([one, two], given.rounds, passes.clock_seconds)
        print(*(f"{each:.3f}" for each in seconds))


if __name__ == "__main__":
    main()
