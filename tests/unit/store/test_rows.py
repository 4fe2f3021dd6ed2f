import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Estimate
from monitor.domain.manifest import TableSnapshot
from monitor.domain.reading import Reading, Subject
from monitor.store.rows import baseline_of, baseline_row, registration_row, result_rows
from tests.stored import a_baseline, a_run


def test_a_reading_that_is_there_twice_is_refused():
    run = a_run()
    with pytest.raises(ValueError, match=r"the reading rows of .* is there twice"):
        result_rows(replace(run, readings=run.readings * 2), 1)


def test_a_finding_on_a_reading_that_is_not_listed_is_refused():
    run = a_run()
    with pytest.raises(ValueError, match=r"the reading rows of .* was judged and not listed"):
        result_rows(replace(run, readings=()), 1)


def test_a_finding_on_another_value_than_the_listed_reading_is_refused():
    run = a_run()
    other = replace(run.readings[0], result=Estimate(7.0, 7))
    with pytest.raises(ValueError, match="was judged and not listed"):
        result_rows(replace(run, readings=(other,)), 1)


def test_a_reading_of_another_version_is_refused():
    run = a_run(versions=("1", "2"))
    strange = replace(run.results[0], version="2", findings=())
    with pytest.raises(ValueError, match="is of another version"):
        result_rows(replace(run, results=(strange,)), 1)


def test_a_reading_of_another_model_is_refused():
    run = a_run(versions=())
    strange = Reading("rows", Subject("churn"), Estimate(1.0, 1))
    with pytest.raises(ValueError, match="is of another model"):
        result_rows(replace(run, readings=(strange,), findings=()), 1)


def test_numbers_of_numpy_become_numbers_that_drivers_know():
    numbers = Estimate(
        np.float64(0.5), np.int64(3), np.int64(4), low=np.float32(0.25), detail={"df": np.int64(9)}
    )
    run = a_run(versions=())
    reading = Reading("rows", Subject("credit"), numbers)
    row = result_rows(replace(run, readings=(reading,), findings=()), 1).readings[0]
    kinds = {name: type(row[name]) for name in ("value", "n", "n_reference", "low")}
    assert kinds == {"value": float, "n": int, "n_reference": int, "low": float}
    assert {name: type(figure) for name, figure in row["detail"].items()} == {"df": float}


def test_the_bounds_that_judged_are_columns():
    rows = result_rows(a_run(versions=("1",)), 1).findings
    by_kind = {row["verdict"]: row for row in rows if row["verdict"] != "unknown"}
    assert (by_kind["critical"]["warning"], by_kind["critical"]["critical"]) == (0.1, 0.25)
    assert by_kind["critical"]["low"] is None
    assert (by_kind["warning"]["low"], by_kind["warning"]["high"]) == (0.85, 1.2)
    assert by_kind["warning"]["critical"] is None


def test_states_of_tables_are_read_as_they_were_written_formerly():
    baseline = a_baseline("1")
    row = {**baseline_row(baseline), **registration_row(baseline, 1)}
    row["manifest"] = {
        **{key: value for key, value in row["manifest"].items() if key != "snapshots"},
        "snapshot": "iceberg snapshot 30325, labels delta version 7",
    }
    assert baseline_of(row, ()).manifest.snapshots == (
        TableSnapshot("iceberg", "30325"),
        TableSnapshot("delta", "7", table="labels"),
    )
