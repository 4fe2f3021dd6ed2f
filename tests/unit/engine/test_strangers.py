"""Versions that nobody registered."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.app import open_outside, source_of
from monitor.domain.errors import BaselineError
from monitor.domain.field import Field, FieldKind
from monitor.domain.finding import Verdict
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.quarantine import Quarantine
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.progress import Silent
from monitor.engine.register import Registration, register_baselines
from monitor.engine.run import run_window
from monitor.reports.summary import summarise

JUNE = Window(datetime(2005, 6, 1, tzinfo=UTC), datetime(2005, 7, 1, tzinfo=UTC))


@pytest.fixture
def ran(tmp_path):
    """Return the stored run of June with some versions, of which only the first is registered."""
    policy = Policy(
        model="m",
        source=SourceSpec(str(tmp_path), "at", version="version"),
        fields=(Field("amount", "amount", FieldKind.NUMERIC),),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.MONTH),
        limits={},
        band=Band(),
    )
    outside = open_outside("sqlite://")

    def write(month, versions):
        at = pa.array(
            [datetime(2005, month, 2, tzinfo=UTC)] * len(versions), pa.timestamp("us", "UTC")
        )
        table = pa.table({"at": at, "version": versions, "amount": [1.0] * len(versions)})
        pq.write_table(table, tmp_path / f"{month}.parquet")

    def go(*versions, registered=("1",) * 10):
        write(5, list(registered))
        write(6, list(versions))
        may = Window(datetime(2005, 5, 1, tzinfo=UTC), JUNE.start)
        source = source_of(policy)
        register_baselines(
            policy,
            source,
            may,
            registration=Registration("a", "b"),
            outside=outside,
            progress=Silent(),
        )
        done = run_window(
            policy, source, JUNE, outside, Silent(), Quarantine("m", JUNE.end, {})
        ).run
        assert outside.store.run("m", JUNE) == done
        assert done.accounting.balances
        return done, summarise(policy, [done])

    return go


def test_a_version_without_a_baseline_is_unknown_beside_those_that_have_one(ran):
    run, tables = ran("1", "1", "2")
    known, stranger = run.results
    assert (known.version, known.rows) == ("1", 2)
    assert (stranger.version, stranger.baseline, stranger.rows, stranger.profile) == (
        "2",
        "",
        0,
        b"",
    )
    (finding,) = stranger.findings
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.explanation.startswith("version 2 has 1 rows in [2005-06-01")
    assert run.findings == ()
    windows = next(table for table in tables if "window by window" in table.title)
    assert [row[:3] for row in windows.rows] == [("2005-06", "1", "2"), ("2005-06", "2", "1")]


def test_a_version_column_that_is_an_id_is_not_registered_value_by_value(ran):
    with pytest.raises(BaselineError, match=r"rows of 51 versions in .*'version' the version"):
        ran("1", registered=[f"{number}" for number in range(51)])
