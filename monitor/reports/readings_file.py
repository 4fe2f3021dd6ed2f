"""Everything that was measured and judged, as one parquet file for analysts: a row a reading."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding
from monitor.domain.limit import Band
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Run, VersionResult
from monitor.engine.by_window import Shown
from monitor.engine.withheld import Withheld, withheld

_ROWS = 20_000
"""Rows that are gathered before they are written: a row group has at least so many."""

_INSTANT = pa.timestamp("us", "UTC")


class Line(Struct, frozen=True):
    """A reading, with what stands around it.

    Attributes:
        shown: The window's result.
        baseline: Digest of the baseline of its version; "" for what is of the log as a whole.
        reading: What was measured.
        finding: How it was judged; None when it was not.
        told: False when its numbers are left out, because they are of few people.
    """

    shown: Shown
    baseline: str
    reading: Reading
    finding: Finding | None
    told: bool

    @property
    def subject(self) -> Subject:
        """Return what was measured."""
        return self.reading.subject

    def number(self, name: str) -> Any:
        """Return an attribute of the estimate; None without one, or where it is left out."""
        result = self.reading.result
        return getattr(result, name) if self.told and isinstance(result, Estimate) else None

    def rows(self, name: str) -> int | None:
        """Return a number of rows, which there is with an estimate and without one."""
        count: int = getattr(self.reading.result, name)
        return count if self.told else None

    def why_not(self, name: str) -> str:
        """Return an attribute of the reason why there is no number; "" when there is one."""
        result = self.reading.result
        return "" if isinstance(result, Estimate) else str(getattr(result, name))

    def judged(self, name: str) -> Any:
        """Return an attribute of the finding; None when nothing was judged."""
        return None if self.finding is None else getattr(self.finding, name)

    def limit(self, name: str, *, band: bool) -> Any:
        """Return a bound of a limit, or of a band; None when the other judged, or nothing."""
        if self.finding is None or isinstance(self.finding.limit, Band) is not band:
            return None
        return getattr(self.finding.limit, name)


class Column(Struct, frozen=True):
    """A column of the file.

    Attributes:
        name: Its name.
        kind: Its type.
        about: What it holds, for the reference.
        take: What it holds of a line.
    """

    name: str
    kind: pa.DataType
    about: str
    take: Callable[[Line], Any]


def _text(name: str, about: str, take: Callable[[Line], Any]) -> Column:
    return Column(name, pa.string(), about, take)


def _of_subject(name: str, attribute: str, about: str) -> Column:
    return _text(name, about, lambda line: getattr(line.subject, attribute))


def _number(name: str, attribute: str, about: str) -> Column:
    return Column(name, pa.float64(), about, lambda line: line.number(attribute))


def _bound(name: str, attribute: str, about: str, *, band: bool) -> Column:
    return Column(name, pa.float64(), about, lambda line: line.limit(attribute, band=band))


_RUN = (
    _text("model", "name of the model", lambda line: line.shown.run.model),
    Column(
        "window_start", _INSTANT, "start of the window", lambda line: line.shown.run.window.start
    ),
    Column(
        "window_end",
        _INSTANT,
        "end of the window, exclusive",
        lambda line: line.shown.run.window.end,
    ),
    Column(
        "revision",
        pa.int32(),
        "number of the result among those of the window; the newest one is exported",
        lambda line: line.shown.revision,
    ),
    _text(
        "outcome",
        "`completed`, or `no_data` for a window without rows",
        lambda line: line.shown.run.outcome,
    ),
    Column("finished", _INSTANT, "when the run ended", lambda line: line.shown.run.finished),
    _text("run", "digest of what the result was made from", lambda line: line.shown.run.identity),
    _text("policy", "digest of the policy that judged", lambda line: line.shown.run.policy),
    _text(
        "baseline",
        "digest of the registered baseline; empty for what is of the log as a whole",
        lambda line: line.baseline,
    ),
)

_SUBJECT = (
    _of_subject("version", "version", "model version; empty for the log as a whole"),
    _text("measure", "what was measured", lambda line: line.reading.measure),
    _of_subject("field", "field", "name of the field"),
    _of_subject("population", "population", "name of the population"),
    _of_subject("group", "group", "the group in it"),
    _of_subject("reference_group", "reference_group", "the group that it is held against"),
    _of_subject("reference", "reference", "what it is held against; empty for the baseline"),
    _of_subject("segment", "segment", "name of the segment; empty for all rows"),
    _of_subject("segment_value", "segment_value", "the slice in it"),
    _of_subject("stratum", "stratum", "factor within whose strata groups are compared"),
    _of_subject("class", "class_name", "class that is held against all others"),
)

_RESULT = (
    _number("value", "value", "the number; null when it could not be measured, or is left out"),
    _number("low", "low", "lower end of its interval"),
    _number("high", "high", "upper end of its interval"),
    _number("level", "level", "level of the interval"),
    _text("method", "how number and interval were made", lambda line: line.number("method")),
    Column("n", pa.int64(), "rows it rests on, in the window", lambda line: line.rows("n")),
    Column(
        "n_reference",
        pa.int64(),
        "rows on the other side of the comparison",
        lambda line: line.rows("n_reference"),
    ),
    _number("value_then", "then", "the quantity in the baseline, or of the reference group"),
    _number("value_now", "now", "the quantity in the window, or of the group"),
    _number("p_value", "p_value", "of the measure's own test"),
    _number("p_adjusted", "p_adjusted", "the same, adjusted within its family"),
    _number("family_low", "family_low", "lower end of the interval that holds jointly"),
    _number("family_high", "family_high", "upper end of the same"),
    _text(
        "note",
        "what it is the number of, where that is not said yet",
        lambda line: line.number("note"),
    ),
    _text(
        "absence",
        "why there is no number; empty when there is one",
        lambda line: line.why_not("reason"),
    ),
    _text(
        "explanation",
        "the same in words",
        lambda line: line.why_not("explanation") if line.told else None,
    ),
    Column(
        "withheld",
        pa.bool_(),
        "whether numbers are left out because they are of few people",
        lambda line: not line.told,
    ),
)

_JUDGED = (
    _text(
        "finding",
        "fingerprint of the finding; null when nothing was judged",
        lambda line: line.judged("fingerprint"),
    ),
    _text(
        "verdict", "`ok`, `warning`, `critical` or `unknown`", lambda line: line.judged("verdict")
    ),
    _text("reason", "code of the reason", lambda line: line.judged("reason")),
    _text(
        "judgement",
        "the verdict in words",
        lambda line: line.judged("explanation") if line.told else None,
    ),
    _bound("limit_warning", "warning", "limit of a warning, where a limit judged", band=False),
    _bound("limit_critical", "critical", "limit of what is critical", band=False),
    _bound("band_low", "low", "lower bound of the ratio, where a band judged", band=True),
    _bound("band_high", "high", "upper bound of the ratio", band=True),
    _bound("band_min_difference", "min_difference", "least difference that counts", band=True),
    _bound("band_alpha", "alpha", "error level of the band", band=True),
)

COLUMNS: tuple[Column, ...] = (*_RUN, *_SUBJECT, *_RESULT, *_JUDGED)
"""Every column, in the order of the file."""

SCHEMA = pa.schema([pa.field(item.name, item.kind) for item in COLUMNS])
"""The file's schema; it is the same when there are no rows."""


def write_readings(
    shown: Iterable[tuple[Policy, Shown]], target: BinaryIO, *, unsuppressed: bool = False
) -> int:
    """Write a row for each reading of the given results, and return how many they are.

    Results are taken one after the other, and written when there are enough rows for a row group.

    Args:
        shown: Results, each with the policy in force, by which small groups are left out.
        target: Where the file goes.
        unsuppressed: Leave nothing out.
    """
    written, gathered = 0, list[Line]()
    with pq.ParquetWriter(target, SCHEMA, compression="zstd") as file:
        for policy, item in shown:
            gathered += _lines(policy, item, unsuppressed=unsuppressed)
            if len(gathered) >= _ROWS:
                file.write_table(_table(gathered))
                written, gathered = written + len(gathered), []
        file.write_table(_table(gathered))
    return written + len(gathered)


def _lines(policy: Policy, shown: Shown, *, unsuppressed: bool) -> Iterator[Line]:
    run = shown.run
    parts: tuple[tuple[str, Run | VersionResult], ...] = (
        ("", run),
        *((result.baseline, result) for result in run.results),
    )
    every = [reading for _, part in parts for reading in part.readings]
    small = None if unsuppressed else withheld(every, policy)
    for baseline, part in parts:
        judged = {(item.reading.measure, item.reading.subject): item for item in part.findings}
        for reading in part.readings:
            finding = judged.get((reading.measure, reading.subject))
            yield Line(shown, baseline, reading, finding, _told(policy, reading, small))


def _told(policy: Policy, reading: Reading, small: Withheld | None) -> bool:
    if small is None or not policy.suppress_in_metrics:
        return True
    # Groups of a slice are smaller than those of all rows, and nobody has counted whom they show.
    of_slice = bool(reading.subject.segment and reading.subject.population)
    return not of_slice and small.tells(reading, baseline=True)


def _table(lines: list[Line]) -> pa.Table:
    arrays = [pa.array([_fit(item.take(line)) for line in lines], item.kind) for item in COLUMNS]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _fit(value: Any) -> Any:
    # A name that was no text has lone surrogates, which UTF-8 cannot hold.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
