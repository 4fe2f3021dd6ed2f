"""The benchmarks' logs: 56 columns of the kinds that models see, the same for the same seed."""

import argparse
import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

ROW_GROUP = 131_072
FILE_ROWS = 1_000_000

BASELINE_START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW_START = datetime(2026, 2, 1, tzinfo=UTC)
WINDOW_END = datetime(2026, 3, 1, tzinfo=UTC)

NORMAL = tuple(f"normal_{place}" for place in range(10))
LOGNORMAL = tuple(f"lognormal_{place}" for place in range(8))
HEAVY = tuple(f"heavy_{place}" for place in range(6))
COUNT = tuple(f"count_{place}" for place in range(6))
NUMERIC = NORMAL + LOGNORMAL + HEAVY + COUNT
CARDINALITY = {
    f"cat_{place}": size for place, size in enumerate([2] * 5 + [10] * 5 + [100] * 4 + [10_000])
}
CATEGORICAL = tuple(CARDINALITY)
BOOLEAN = ("flag_0", "flag_1", "flag_2")
FEATURES = NUMERIC + CATEGORICAL + BOOLEAN
SEX = ("female", "male")
RACE = ("a", "b", "c", "d", "e", "f")
AGE = ("18-24", "25-34", "35-49", "50-64", "65+")

_DRIFTED_NUMERIC = {
    "normal_0",
    "normal_1",
    "normal_2",
    "normal_3",
    "lognormal_0",
    "lognormal_1",
} | {"heavy_0", "heavy_1", "count_0", "count_1"}
_DRIFTED_CATEGORIES = {"cat_0", "cat_5", "cat_6", "cat_10", "cat_14"}
_NEW_CATEGORY = {"cat_5", "cat_10"}
_NULLS = {"normal_4": 0.02, "normal_5": 0.14, "lognormal_2": 0.05, "heavy_2": 0.03, "count_2": 0.08}
_NULLS |= {"cat_1": 0.03, "cat_7": 0.06, "cat_11": 0.02}
_SINGLE = {"normal_6", "normal_7", "lognormal_3"}
_ROUNDED = {"normal_8": 1, "normal_9": 2, "lognormal_4": 2, "lognormal_5": 0}


@dataclasses.dataclass(frozen=True)
class Part:
    """One file: how many rows, whether they have drifted, from when to when.

    Attributes:
        rows: Rows of the file.
        drifted: Whether ten numeric fields, five categorical ones and a flag have moved.
        start: Earliest event.
        end: After the latest event.
        seed: Of the random numbers.
    """

    rows: int
    drifted: bool
    start: datetime
    end: datetime
    seed: int


def table(part: Part) -> pa.Table:
    """Return the rows of a part."""
    rng = np.random.default_rng(part.seed)
    rows = part.rows
    span = int((part.end - part.start) / timedelta(microseconds=1))
    begin = int(part.start.timestamp()) * 1_000_000
    at = np.sort(rng.integers(0, span, rows)) + begin
    columns: dict[str, pa.Array] = {
        "predicted_at": pa.array(at).cast(pa.timestamp("us", "UTC")),
        "model_version": _text(np.zeros(rows, np.int64), ["1"]),
    }
    for place, name in enumerate(NUMERIC):
        columns[name] = _numeric(rng, rows, name, place, drifted=part.drifted)
    for name, size in CARDINALITY.items():
        columns[name] = _categorical(rng, rows, name, size, drifted=part.drifted)
    for place, name in enumerate(BOOLEAN):
        share = (0.5, 0.2, 0.05)[place] + (0.05 if part.drifted and place == 0 else 0.0)
        columns[name] = pa.array(rng.random(rows) < share)
    columns.update(_outcome(rng, rows))
    return pa.table(columns)


def write(part: Part, path: Path, row_group: int = ROW_GROUP) -> None:
    """Write a part to a file."""
    pq.write_table(table(part), path, row_group_size=row_group, compression="snappy")


def baseline(folder: Path, rows: int) -> None:
    """Write the baseline's log, files of at most a million rows."""
    _log(folder, rows, BASELINE_START, WINDOW_START, drifted=False, seed=1000)


def window(folder: Path, rows: int) -> None:
    """Write the window's log, files of at most a million rows."""
    _log(folder, rows, WINDOW_START, WINDOW_END, drifted=True, seed=2000)


def small_files(folder: Path, files: int, rows: int) -> None:
    """Write a window's log as many small files, as a busy writer leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = table(Part(rows, True, WINDOW_START, WINDOW_END, 3000))
    for number in range(files):
        path = folder / f"part-{number:05}.parquet"
        if not path.exists():
            pq.write_table(whole, path, compression="snappy")


def _log(
    folder: Path, rows: int, start: datetime, end: datetime, *, drifted: bool, seed: int
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = -(-rows // FILE_ROWS)
    step = (end - start) / files
    for number in range(files):
        size = min(FILE_ROWS, rows - number * FILE_ROWS)
        path = folder / f"part-{number:03}.parquet"
        if not path.exists():
            begin = start + number * step
            made = path.with_suffix(".making")
            write(Part(size, drifted, begin, begin + step, seed + number), made)
            made.rename(path)


def _numeric(
    rng: np.random.Generator, rows: int, name: str, place: int, *, drifted: bool
) -> pa.Array:
    moved = drifted and name in _DRIFTED_NUMERIC
    values: NDArray[Any]  # whole numbers are written as such
    if name in NORMAL:
        values = rng.normal(10.0 * place, 1.0 + place, rows) + (0.3 * (1 + place) if moved else 0)
    elif name in LOGNORMAL:
        values = rng.lognormal(1.0 + 0.3 * (place % 4) + (0.2 if moved else 0), 0.8, rows)
    elif name in HEAVY:
        heavy = rng.standard_t(2, rows) if place % 2 else rng.pareto(1.2, rows) + 1
        values = heavy * 100.0 * (1.3 if moved else 1.0)
    else:
        rate = rng.gamma(2.0, 3.0 * (1.2 if moved else 1.0) * (1 + place % 6), rows)
        values = rng.poisson(rate)
    if name in _ROUNDED:
        values = np.round(values, _ROUNDED[name])
    if name in _SINGLE:
        values = values.astype(np.float32)
    if name == "normal_5":
        values[rng.random(rows) < 0.01] = np.nan
    return pa.array(values, mask=_mask(rng, rows, name))


def _categorical(
    rng: np.random.Generator, rows: int, name: str, size: int, *, drifted: bool
) -> pa.Array:
    weights = 1.0 / np.arange(1, size + 1) ** 0.8
    if drifted and name in _DRIFTED_CATEGORIES:
        weights[: max(1, size // 10)] *= 1.6
    codes = rng.choice(size, rows, p=weights / weights.sum())
    values = [f"{name}_value_{code}" for code in range(size)]
    if drifted and name in _NEW_CATEGORY:
        codes[rng.random(rows) < 0.01] = size
        values.append(f"{name}_new")
    return _text(codes, values, _mask(rng, rows, name))


def _outcome(rng: np.random.Generator, rows: int) -> dict[str, pa.Array]:
    sex = rng.choice(2, rows, p=[0.48, 0.52])
    race = rng.choice(6, rows, p=[0.55, 0.2, 0.12, 0.08, 0.04, 0.01])
    age = rng.choice(5, rows, p=[0.12, 0.25, 0.3, 0.21, 0.12])
    score = 1.0 / (1.0 + np.exp(-(rng.normal(-1.0, 1.2, rows) - 0.1 * sex + 0.05 * race)))
    return {
        "score": pa.array(score),
        "decision": pa.array((score > 0.4).astype(np.int64)),
        "label": pa.array((rng.random(rows) < score).astype(np.int64)),
        "sex": _text(sex, SEX),
        "race": _text(race, RACE),
        "age_band": _text(age, AGE),
    }


def _text(
    codes: np.ndarray, values: list[str] | tuple[str, ...], mask: np.ndarray | None = None
) -> pa.Array:
    coded = pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=mask), pa.array(list(values), pa.string())
    )
    return coded.dictionary_decode()


def _mask(rng: np.random.Generator, rows: int, name: str) -> np.ndarray | None:
    return rng.random(rows) < _NULLS[name] if name in _NULLS else None


def main() -> None:
    """Write a baseline and a window below a folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--baseline-rows", type=int, default=1_000_000)
    parser.add_argument("--window-rows", type=int, default=1_000_000)
    given = parser.parse_args()
    baseline(given.folder / "baseline", given.baseline_rows)
    window(given.folder / "window", given.window_rows)


if __name__ == "__main__":
    main()
