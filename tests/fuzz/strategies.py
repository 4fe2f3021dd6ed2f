"""Hostile tables, the policies that may be written over them, and the ways they lie on disk."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from monitor.domain.field import Field, FieldKind

FIRST = datetime(2024, 3, 30, tzinfo=UTC)
"""The first of `DAYS` days of rows; in Europe the clocks change on the second."""

DAYS = 4
HOUR = 3600

HOSTILE_TEXTS = (
    "",
    " ",
    "a",
    "A",
    "b",
    "1",
    "1.0",
    "true",
    "nan",
    "None",
    "null",
    "inf",
    "a\x00b",
    "é",
    "e\u0301",
    "😀",
    "\u202eright to left",
    "new\nline",
    'quo"te',
    "back\\slash",
    "{brace}",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "=1+1",
    "'; drop table modelmon_runs; --",
    "~0123456789abcdef",
    "\x1b[31m",
    "\ufeff",
    "\ufffe",
    "x" * 5_000,
)
HOSTILE_FLOATS = (
    0.0,
    -0.0,
    1.0,
    0.5,
    0.1,
    -3.25,
    float("nan"),
    float("inf"),
    float("-inf"),
    5e-324,
    -5e-324,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    2.0**53 + 2,
)
NAMES = (
    "amount",
    "Amount",
    "score",
    "a.b",
    "annual income (NT$)",
    "é",
    "e\u0301",
    "年齢",
    "😀",
    'quo"te',
    "back\\slash",
    "__name__",
    "le",
    "{}",
    " leading",
    "key=value",
    "~",
    "012",
    "y" * 200,
)


def _ints(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.sampled_from([0, 1, 2, 3, low, high]) | st.integers(low, high)


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = "9" * precision
    return st.sampled_from(["0", "1", "-1", most, f"-{most}"]).map(
        lambda digits: Decimal(f"{digits}E-{scale}")
    )


_TEXTS = st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=5)
_BYTES = st.sampled_from([b"", b"a", b"1", b"\xff\xfe", b"\x00"]) | st.binary(max_size=4)
_FLOATS = st.sampled_from(HOSTILE_FLOATS)
_SMALL = st.sampled_from([0, 1, 2, 3])
_LONGS = st.sampled_from([0, 1, -1, 2**62, -(2**62), 2**63 - 1, -(2**63) + 1])
_ZONES = st.sampled_from([None, "UTC", "+02:00", "America/New_York"])
_UNITS = st.sampled_from(["s", "ms", "us", "ns"])

_KINDS: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    *((kind, _FLOATS) for kind in (pa.float64(), pa.float64(), pa.float32(), pa.float16())),
    *(
        (getattr(pa, f"{prefix}int{bits}")(), _ints(bits, signed=not prefix))
        for bits in (8, 16, 32, 64)
        for prefix in ("", "u")
    ),
    *2 * ((pa.int64(), _SMALL), (pa.bool_(), st.booleans())),
    (pa.decimal128(38, 10), _decimals(38, 10)),
    (pa.decimal128(4, 2), _decimals(4, 2)),
    (pa.decimal256(76, 30), _decimals(76, 30)),
    (pa.string(), st.sampled_from(["a", "b", "c"])),
    (pa.string(), _TEXTS),
    (pa.large_string(), _TEXTS),
    (pa.binary(), _BYTES),
    (pa.large_binary(), _BYTES),
    (pa.binary(2), st.sampled_from([b"ab", b"\xff\x00"])),
    (pa.null(), st.none()),
    (pa.date32(), st.sampled_from([0, 19_812, -(2**31), 2**31 - 1])),
    (pa.date64(), st.sampled_from([0, 86_400_000 * 19_812, -86_400_000])),
    (pa.time32("ms"), st.sampled_from([0, 86_399_999])),
    (pa.time64("ns"), st.sampled_from([0, 1, 86_399_999_999_999])),
    (pa.list_(pa.int64()), st.lists(_SMALL, max_size=2)),
    (pa.list_(pa.float32(), 2), st.just([1.0, float("nan")])),
    (pa.list_(pa.float64()), st.lists(_FLOATS, max_size=3)),
    (pa.large_list(pa.float32()), st.just([0.5, -0.5, 1e38])),
    (pa.string(), st.sampled_from(["2024-03-30", "2024-03-31T02:30", "0001-01-01", "", "soon"])),
    (pa.struct([("a", pa.int64()), ("b", pa.string())]), st.just({"a": 1, "b": "x"})),
    (pa.map_(pa.string(), pa.int64()), st.just([("k", 1)])),
)


@st.composite
def _repeated(draw: st.DrawFn, values: st.SearchStrategy[Any], rows: int) -> list[Any]:
    """Return a list whose values come from a few, in the second half more often from others."""
    few = draw(st.lists(values, min_size=1, max_size=6))
    if draw(st.booleans()):
        few.append(None)
    turns = st.lists(st.integers(0, len(few) - 1), min_size=1, max_size=12)
    first, then = draw(turns), draw(turns)
    half = rows // 2
    return [few[first[row % len(first)]] for row in range(half)] + [
        few[then[row % len(then)]] for row in range(half, rows)
    ]


@st.composite
def _of_kind(draw: st.DrawFn, rows: int) -> Any:
    kind, values = draw(st.sampled_from(_KINDS))
    return pa.array(draw(_repeated(values, rows)), kind)


@st.composite
def _timed(draw: st.DrawFn, rows: int) -> Any:
    unit = draw(_UNITS)
    values = _LONGS if unit != "s" else st.sampled_from([0, -1, 2**50, -(2**50)])
    numbers = pa.array(draw(_repeated(values, rows)), pa.int64())
    kind = pa.timestamp(unit, draw(_ZONES)) if draw(st.booleans()) else pa.duration(unit)
    return numbers.view(kind)


@st.composite
def _dictionary(draw: st.DrawFn, rows: int) -> Any:
    """Return codes into values that may be null, unused, or there twice."""
    kind, values = draw(
        st.sampled_from([(pa.string(), _TEXTS), (pa.int64(), _SMALL), (pa.float64(), _FLOATS)])
    )
    entries = draw(st.lists(values, min_size=1, max_size=5))
    twice = draw(st.booleans())
    codes = draw(_repeated(st.integers(0, len(entries) - 1), rows))
    index = draw(st.sampled_from([pa.int8(), pa.uint16(), pa.int32(), pa.int64()]))
    dictionary = pa.array(entries + (entries if twice else []), kind)
    return pa.DictionaryArray.from_arrays(pa.array(codes, index), dictionary)


@st.composite
def _event_times(draw: st.DrawFn, rows: int) -> Any:
    """Return times in the days of the table, of which a few may be anything."""
    step = DAYS * 24 * HOUR // rows
    start = int(FIRST.timestamp())
    seconds = pa.array([start + row * step for row in range(rows)], pa.int64())
    strays = draw(st.lists(st.integers(0, rows - 1), max_size=3, unique=True))
    form = draw(st.sampled_from(["instants", "instants", "naive", "zoned", "texts", "dates"]))
    if form == "dates":
        return seconds.cast(pa.timestamp("s")).cast(pa.date32())
    if form == "texts":
        texts = seconds.cast(pa.timestamp("s", "UTC")).cast(pa.string()).to_pylist()
        odd = draw(st.sampled_from([None, "", "yesterday", "07/08/2005", "9999-12-31T23:59:59"]))
        return pa.array([odd if row in strays else text for row, text in enumerate(texts)])
    unit = draw(_UNITS)
    numbers = seconds.cast(pa.timestamp("s")).cast(pa.timestamp(unit)).view(pa.int64()).to_pylist()
    odd = draw(st.none() | (st.just(0) if unit == "s" else _LONGS))
    numbers = [odd if row in strays else number for row, number in enumerate(numbers)]
    zone = {"instants": "UTC", "naive": None, "zoned": "America/New_York"}[form]
    return pa.array(numbers, pa.int64()).view(pa.timestamp(unit, zone))


@st.composite
def columns(draw: st.DrawFn, rows: int) -> Any:
    """Return a column of any type."""
    return draw(st.one_of(_of_kind(rows), _of_kind(rows), _timed(rows), _dictionary(rows)))


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """Return an Arrow table with a column ``at`` of event times and hostile ones beside it."""
    rows = draw(st.sampled_from([800, 240, 24, 1]))
    names = ["at", *draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))]
    arrays = [draw(_event_times(rows)), *(draw(columns(rows)) for _ in names[1:])]
    return pa.Table.from_arrays(arrays, names)


@dataclass(frozen=True)
class Layout:
    """How a table lies on disk.

    Attributes:
        cuts: Shares of the rows at which a new file begins.
        groups: Row groups of a file.
        folders: Folders of the files, taken in turn.
        options: Options of the writer.
    """

    cuts: tuple[float, ...] = ()
    groups: int = 1
    folders: tuple[str, ...] = ("",)
    options: dict[str, Any] = field(default_factory=dict)

    def write(self, table: Any, folder: Path) -> None:
        """Write the files of a table."""
        folder.mkdir(parents=True)
        places = [0, *(int(cut * len(table)) for cut in self.cuts), len(table)]
        for number, (begin, end) in enumerate(pairwise(places)):
            path = folder / self.folders[number % len(self.folders)] / f"{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            size = max(1, -(-(end - begin) // self.groups))
            part = table.slice(begin, end - begin)
            pq.write_table(part, path, row_group_size=size, **self.options)


layouts = st.builds(
    Layout,
    cuts=st.lists(st.floats(0, 1), max_size=3).map(lambda cuts: tuple(sorted(cuts))),
    groups=st.integers(1, 3),
    folders=st.lists(
        st.sampled_from(["", "part=1", "part=%C3%A9/day=__HIVE_DEFAULT_PARTITION__", "a b"]),
        min_size=1,
        max_size=3,
    ).map(tuple),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from(["none", "snappy", "gzip", "brotli", "zstd", "lz4"]),
            "use_dictionary": st.booleans(),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
            "version": st.just("2.6"),
            "write_statistics": st.booleans(),
            "write_page_checksum": st.booleans(),
        }
    ),
)

_LABELS = st.sampled_from([text for text in HOSTILE_TEXTS if text.isprintable() and text.strip()])
_VALUES = st.sampled_from(["true", "false", "1", "0", "2", "a", "b", "", "nan", "1.5", "😀"])
_BOUNDS = st.sampled_from(["never", 0, 1e-9, 0.1, 0.5, 1e9])


@st.composite
def _decision(draw: st.DrawFn, named: st.SearchStrategy[str]) -> dict[str, Any]:
    section: dict[str, Any] = {
        "column": draw(named),
        "positive_is": draw(st.sampled_from(["favourable", "harmful"])),
    }
    if draw(st.booleans()):
        return {**section, "at_least": draw(st.sampled_from([0.0, 0.5, -1e308]))}
    return {**section, **draw(_outcomes())}


@st.composite
def _outcomes(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"positive": [draw(st.sampled_from(["true", "1", "a"]))]}
    values = draw(st.lists(_VALUES, min_size=2, max_size=4, unique=True))
    cut = draw(st.integers(1, len(values)))
    return {"positive": values[:cut], **({"negative": values[cut:]} if values[cut:] else {})}


@st.composite
def _population(draw: st.DrawFn, named: st.SearchStrategy[str]) -> dict[str, Any]:
    section: dict[str, Any] = {"column": draw(named)}
    form = draw(st.sampled_from(["each", "bins", "values"]))
    if form == "bins":
        cuts = draw(st.lists(st.sampled_from([-1e9, 0.0, 0.5, 1.0, 2.0, 1e300]), min_size=1))
        return {**section, "bins": sorted(set(cuts))}
    if form == "values":
        groups = draw(st.dictionaries(_VALUES, _LABELS, min_size=1, max_size=3))
        return {**section, "values": {text: name[:200] for text, name in groups.items()}}
    return {**section, "unknown": draw(st.lists(_VALUES, max_size=2))}


@st.composite
def _limits(draw: st.DrawFn, fields: list[str]) -> dict[str, Any]:
    def limit() -> dict[str, Any]:
        bounds = sorted(
            [draw(_BOUNDS), draw(_BOUNDS)], key=lambda bound: (bound == "never", str(bound))
        )
        numbers = sorted(bound for bound in bounds if bound != "never")
        warning, critical = (numbers or ["never"])[0], (numbers or ["never"])[-1]
        return {
            "warning": warning,
            "critical": critical,
            "min_rows": draw(st.sampled_from([1, 50])),
        }

    return {
        "drift": {
            name: {**limit(), "fields": {fields[0]: limit()}}
            for name in draw(
                st.lists(st.sampled_from(["psi", "ks", "wasserstein", "cramers_v"]), unique=True)
            )
        },
        "quality": {"missing_rate": limit(), "unseen_rate": limit()},
        "disparity": {"band": {"min_rows": draw(st.sampled_from([1, 30])), "min_expected": 0}},
    }


def counted_as(name: str, fields: dict[str, Any]) -> list[str]:
    """Return the names that a declared field is counted by."""
    return [item.name for item in Field(name, "", FieldKind(fields[name]["kind"])).in_parts()]


@st.composite
def policies(draw: st.DrawFn, table: Any) -> dict[str, Any]:
    """Return the content of a model's file over a table, with every section it may have."""
    present = [name for name in table.column_names[1:] if name.strip()]
    named = st.sampled_from([*present, *present, "gone"])
    names = draw(
        st.lists(_LABELS.map(lambda name: name[:180]), min_size=1, max_size=3, unique=True)
    )
    fields = {
        name: {
            "column": draw(named),
            "kind": draw(st.sampled_from([*FieldKind]).map(str)),
            "role": draw(st.sampled_from(["feature", "prediction"])),
        }
        for name in names
    }
    if draw(st.booleans()):
        fields["p"] = {"column": draw(named), "kind": "numeric", "role": "score"}
    populations = {
        name: draw(_population(named))
        for name in draw(st.lists(_LABELS.map(lambda name: name[:200]), max_size=2, unique=True))
    }
    content: dict[str, Any] = {
        "model": draw(_LABELS)[:200],
        "source": {
            "path": "log",
            "event_time": "at",
            "timezone": draw(st.sampled_from(["UTC", "Europe/London", "Asia/Kathmandu"])),
        },
        "fields": fields,
        "schedule": {
            "window": draw(st.sampled_from(["day", "week", "12h", "2d"])),
            "timezone": draw(st.sampled_from(["UTC", "Europe/London"])),
        },
        "limits": draw(_limits([part for name in fields for part in counted_as(name, fields)])),
    }
    if draw(st.booleans()):
        content["source"]["version"] = draw(named)
    if populations or draw(st.booleans()):
        content["decision"] = draw(_decision(named))
    if draw(st.booleans()):
        content["label"] = {"column": draw(named), **draw(_outcomes())}
    if populations:
        content["populations"] = populations
    if len(populations) > 1:
        content["crossings"] = [list(populations)]
    return content
