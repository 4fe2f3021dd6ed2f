from io import BytesIO

import pandas as pd
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Estimate
from monitor.domain.field import Attribute, Population
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.reading import Reading, Subject
from monitor.engine.by_window import Shown
from monitor.reports import readings_file
from monitor.reports.readings_file import COLUMNS, SCHEMA, write_readings
from tests.stored import a_policy, a_run, an_empty_run

REFERENCE = "../../docs/reference/readings-file.md"
HEAD = """# The file of readings

Written by `make golden` from `monitor/reports/readings_file.py`.

`modelmon export parquet` writes one row for each reading of the newest result of each window: what was
measured on what, with its interval and its rows, and how it was judged. Readings of all models have the same
columns, and a file without rows has them too.

- A number that could not be measured is null, and `absence` and `explanation` say why. It is never 0 and
  never NaN.
- A number that is left out because it is of few people is null too, and `withheld` is true. Small groups are
  left out by the policy in force, as on /metrics; `--unsuppressed` writes them.
- Names that do not apply are empty text and not null, so that grouping by them loses no row.
- Runs that failed have no readings, and windows without rows have those of the log as a whole alone: count
  windows by `outcome` before you take an average of what is there.

```python
import pandas as pd

readings = pd.read_parquet("readings.parquet")
drift = readings[(readings.measure == "psi") & (readings.reference == "")]
drift.pivot_table(index="window_end", columns="field", values="value")
```

| column | type | holds |
|---|---|---|
"""


def reference():
    return HEAD + "".join(f"| `{item.name}` | {item.kind} | {item.about} |\n" for item in COLUMNS)


def written(runs, policy=None, **options):
    target = BytesIO()
    shown = [(policy or a_policy(), Shown(place + 1, run)) for place, run in enumerate(runs)]
    rows = write_readings(iter(shown), target, **options)
    table = pq.read_table(BytesIO(target.getvalue()))
    assert (table.num_rows, table.schema.equals(SCHEMA)) == (rows, True)
    return table.to_pylist()


def every(run):
    return [*run.readings, *(item for result in run.results for item in result.readings)]


def test_the_reference_is_what_the_columns_say(golden):
    golden(REFERENCE, reference())


def test_each_reading_is_a_row_with_its_numbers_or_the_reason_why_there_are_none():
    runs = [a_run(0), an_empty_run(1), a_run(2)]
    rows = written(runs, unsuppressed=True)
    readings = [(place, run, item) for place, run in enumerate(runs) for item in every(run)]
    assert len(rows) == len(readings)
    for row, (place, run, reading) in zip(rows, readings, strict=True):
        assert (row["model"], row["revision"], row["run"]) == ("credit", place + 1, run.identity)
        assert (row["window_start"], row["window_end"]) == (run.window.start, run.window.end)
        assert (row["measure"], row["version"]) == (reading.measure, reading.subject.version)
        assert (row["n"], row["n_reference"]) == (reading.result.n, reading.result.n_reference)
        found = isinstance(reading.result, Estimate)
        value = reading.result.value if found else None
        assert (row["value"], row["withheld"]) == (value, False)
        if found:
            ends = (reading.result.low, reading.result.high, reading.result.then)
            assert (row["low"], row["high"], row["value_then"]) == ends
            assert (row["absence"], row["explanation"]) == ("", "")
        else:
            assert row["absence"] == reading.result.reason
            assert row["explanation"] == reading.result.explanation


def test_each_finding_is_in_the_row_of_its_reading_and_in_no_other():
    run = a_run()
    findings = [*run.findings, *(item for result in run.results for item in result.findings)]
    rows = [row for row in written([run], unsuppressed=True) if row["finding"] is not None]
    assert {row["finding"]: (row["verdict"], row["reason"]) for row in rows} == {
        item.fingerprint: (item.verdict, item.reason) for item in findings
    }
    for row in rows:
        (finding,) = [item for item in findings if item.fingerprint == row["finding"]]
        assert row["judgement"] == finding.explanation
        assert row["measure"] == finding.reading.measure
        of_limit = isinstance(finding.limit, Limit)
        bounds = (row["limit_warning"], row["limit_critical"], row["band_low"], row["band_high"])
        assert bounds == (
            (finding.limit.warning, finding.limit.critical, None, None)
            if of_limit
            else (None, None, finding.limit.low, finding.limit.high)
        )


def test_no_result_is_a_file_with_columns_and_no_row():
    assert written([]) == []


def test_rows_are_written_when_there_are_enough_of_them(monkeypatch):
    runs = [a_run(day) for day in range(5)]
    at_once = written(runs)
    monkeypatch.setattr(readings_file, "_ROWS", 3)
    target = BytesIO()
    write_readings(((a_policy(), Shown(n + 1, run)) for n, run in enumerate(runs)), target)
    file = pq.ParquetFile(BytesIO(target.getvalue()))
    assert file.num_row_groups > len(runs) - 1
    assert file.read().to_pylist() == at_once


@pytest.fixture
def groups():
    """Return a run with rates of groups, one of them of three people, and its policy."""

    def rate(group, value, n, **subject):
        where = Subject("credit", "1", population="sex", group=group, **subject)
        return Reading("selection_rate", where, Estimate(value, n, 900, 0.1, 0.9, now=value))

    readings = (
        rate("f", 0.5, 600),
        rate("m", 0.5, 500),
        rate("x", 1 / 3, 3),
        rate("f", 0.5, 70, segment="region", segment_value="north"),
    )
    findings = tuple(
        Finding(item, Band(), Verdict.OK, Reason.WITHIN, f"{item.result.value} of {item.result.n}")
        for item in readings
    )
    run = a_run(versions=("1",))
    result = replace(run.results[0], readings=readings, findings=findings)
    policy = replace(
        a_policy(),
        attributes={"sex": Attribute("sex", "sex")},
        populations=(Population(("sex",)),),
    )
    return replace(run, results=(result,)), policy


def test_numbers_of_few_people_are_left_out_and_said_to_be(groups):
    run, policy = groups
    rows = [row for row in written([run], policy) if row["population"] == "sex"]
    left_out = {(row["group"], row["segment"]) for row in rows if row["withheld"]}
    assert ("x", "") in left_out
    assert ("f", "region") in left_out
    assert ("f", "") not in left_out
    numbers = [item.name for item in COLUMNS if item.name in {"value", "low", "high", "n"}]
    for row in rows:
        hidden = [row[name] is None for name in (*numbers, "n_reference", "value_now", "judgement")]
        assert all(hidden) if row["withheld"] else not any(hidden)
        assert row["verdict"] == "ok"
    shown = [row for row in written([run], policy, unsuppressed=True) if row["population"] == "sex"]
    assert [row["n"] for row in shown] == [600, 500, 3, 70]
    assert not any(row["withheld"] for row in shown)


def test_pandas_reads_it_and_grouping_loses_no_row(tmp_path):
    file = tmp_path / "readings.parquet"
    with file.open("wb") as target:
        rows = write_readings([(a_policy(), Shown(1, a_run()))], target)
    frame = pd.read_parquet(file)
    keys = ["model", "version", "field", "population", "group", "segment", "class"]
    assert frame.groupby(keys).size().sum() == rows
    assert str(frame["window_end"].dtype) == "datetime64[us, UTC]"
