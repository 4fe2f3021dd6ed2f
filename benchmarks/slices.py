"""What segments and the scan of their pairs cost: counting, storing and judging one window."""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.passes import WINDOW, cpu_seconds
from benchmarks.run import HERE, machine
from monitor.alerts.findings import findings_of
from monitor.config.model_file import load_policy
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.measures.slices import measure_slices
from monitor.profile.codec import profile_to_bytes
from monitor.profile.draft import GridDraft
from monitor.profile.grid import Grid
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.packing import Body
from monitor.profile.profile import Profile

SEED = 20_261_122
BATCH = 65_536
"""Rows of a batch, about those of a row group."""

NUMERIC = tuple(f"n{number}" for number in range(11))
CATEGORICAL = tuple(f"c{number}" for number in range(9))
SEGMENTS = ("region", "channel", "partner", "product", "plan")
"""Columns of 20 values each, the first the most frequent; crossed in all pairs they make ten."""

VALUES = 20
NOTE = """
Each window has 20 fields, 11 of them numeric and 9 categorical of 30 values, and segments of 20 values each,
independent of each other. *Pairs* are all crossings of two of the segments, with `scan.max_values: 20`. Figures are
CPU seconds of one process and the bytes of the stored profile, beside the same window without segments. *Counting*
starts from columns in memory (reading them from files costs the same with segments as without) and has all rows, slices
and pairs; *judging* is measuring and testing all of them. *Held* is what the counts of a window take in memory. The
least of the rounds is given.
"""


@dataclass(frozen=True)
class Asked:
    """How a window is divided: so many segments, and whether they are crossed in pairs."""

    segments: int
    pairs: bool


ASKED = (
    Asked(0, pairs=False),
    Asked(2, pairs=False),
    Asked(2, pairs=True),
    Asked(3, pairs=False),
    Asked(3, pairs=True),
    Asked(5, pairs=False),
    Asked(5, pairs=True),
)


def batches(rows: int) -> Iterator[dict[str, pa.Array]]:
    """Yield the rows of a window."""
    rng = np.random.default_rng(SEED)
    often = 1 / np.arange(1, VALUES + 1)
    for begin in range(0, rows, BATCH):
        size = min(BATCH, rows - begin)
        columns = {name: pa.array(rng.normal(size=size)) for name in NUMERIC}
        columns |= {name: _texts(rng.integers(0, 30, size), 30) for name in CATEGORICAL}
        for name in SEGMENTS:
            columns[name] = _texts(rng.choice(VALUES, size, p=often / often.sum()), VALUES)
        yield columns


def _texts(codes: np.ndarray[tuple[int], np.dtype[np.int64]], values: int) -> pa.Array:
    names = pa.array([f"value {code}" for code in range(values)])
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), names)


@cache
def policy(asked: Asked) -> Policy:
    """Return the policy of a file that declares the fields, so many segments, and the scan."""
    lines = ["model: experiment", "source: {path: log, event_time: at}", "fields:"]
    lines += [f"  {name}: numeric" for name in NUMERIC]
    lines += [f"  {name}: categorical" for name in CATEGORICAL]
    lines += [f"segments: [{', '.join(SEGMENTS[: asked.segments])}]"] if asked.segments else []
    lines += ["scan: {pairs: true}"] if asked.pairs else []
    lines += ["schedule: {window: month}", ""]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "experiment.yaml")
        path.write_text("\n".join(lines), encoding="utf-8")
        return load_policy(path)


def drafted(asked: Asked) -> Grid:
    """Return the frozen grid of a division, drafted from one batch."""
    draft = GridDraft(policy(asked).fields, {}, None, None, policy(asked).segments)
    for columns in islice(batches(BATCH), 1):
        for name in (*NUMERIC, *CATEGORICAL):
            draft.add_field(name, columns[name])
        draft.add_segments(columns, BATCH)
    return draft.grid()


def counted(grid: Grid, rows: list[dict[str, pa.Array]]) -> Profile:
    """Return the profile of a window."""
    builder = ProfileBuilder(grid)
    for columns in rows:
        size = len(columns[NUMERIC[0]])
        builder.divide(columns, size)
        builder.add_rows(size, WINDOW.start, WINDOW.start)
        for name in (*NUMERIC, *CATEGORICAL):
            builder.add_field(name, columns[name], size)
        builder.add_outcomes(size, {}, None, None)
    return builder.profile


def judged(asked: Asked, pair: ProfilePair) -> tuple[Reading, ...]:
    """Measure and judge all rows and all slices."""
    whole = measure_all("experiment", "1", policy(asked), pair)
    readings = (*whole, *measure_slices(policy(asked), pair, whole))
    findings_of(readings, policy(asked))
    return readings


def lines_of(rows: int, rounds: int) -> Iterator[str]:
    """Yield the lines of the table for windows of so many rows."""
    window = list(batches(rows))
    for asked in ASKED:
        grid = drafted(asked)
        profile = counted(grid, window)
        pair = ProfilePair(grid, profile, profile, WINDOW, 1.0)
        count = min(cpu_seconds(partial(counted, grid, window)) for _ in range(rounds))
        judge = min(cpu_seconds(partial(judged, asked, pair)) for _ in range(rounds))
        names = [item.name for item in policy(asked).segments]
        pairs = len(names) - asked.segments
        slices = sum(len(profile.segments[name]) for name in names)
        data = profile_to_bytes(profile)
        size, held = len(data) / 1e6, sum(map(len, Body(data).rest())) / 1e6
        yield (
            f"| {rows:,} | {asked.segments} | {pairs} | {slices} | {count:.2f} | {judge:.2f} "
            f"| {len(judged(asked, pair)):,} | {size:.2f} | {held:.1f} |"
        )


def main() -> None:
    """Measure, print the table, and write it to a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "SLICES.md")
    given = parser.parse_args()
    now = datetime.now(UTC)  # noqa: TID251  # the date of the figures
    lines = ["# What segments and the scan of pairs cost\n", f"{now:%Y-%m-%d}, {machine()}."]
    lines += [
        NOTE,
        (
            "| rows | segments | pairs | slices | counting, CPU s | judging, CPU s | readings "
            "| stored, MB | held, MB |"
        ),
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rows in (100_000, 1_000_000):
        lines += lines_of(rows, given.rounds)
    text = "\n".join(lines) + "\n"
    print(text)
    given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
