"""Columns that are gone, new, of another type, doubled, or named almost alike."""

import json
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.domain.estimate import Estimate
from monitor.domain.schema import LISTED_CHANGES
from tests.hostile.make_nasty import HOSTILE_NAMES, ROWS, table, with_column, write

pytestmark = pytest.mark.slow

# ---------------------------------------------------------------------- cases of make_nasty


def test_s01_an_absent_column_is_missing_in_its_rows(nasty):
    watched = nasty("s01-missing-feature-column")
    counts = watched.counts["utilisation"]
    assert (counts.absent, counts.null, counts.n) == (50, 0, 50)
    assert watched.reading("missing_rate", "utilisation").now == 0.5
    assert watched.changes == {("missing", "utilisation")}
    assert watched.metric("window_schema_changes", kind="missing") == 1
    (change,) = watched.run.schema_changes
    assert (change.path, change.was, change.files) == ("second.parquet", "double", 1)
    assert "second.parquet" in watched.told["utilisation", "column", "missing"]


def test_s02_the_score_of_the_other_rows_counts(nasty):
    watched = nasty("s02-missing-score-column")
    assert (watched.counts["score"].n, watched.counts["limit_bal"].n) == (50, 100)
    assert watched.changes == {("missing", "score")}


def test_s04_a_number_and_its_text_are_one_category(nasty):
    watched = nasty("s04-int-becomes-string")
    counts = watched.counts["repay_status"]
    assert counts.unseen.rows == 0
    by_value = dict(zip(range(99), counts.values, strict=False))  # not of pandas
    assert {int(rows) % 2 for rows in by_value.values()} == {0}  # every value came in both files
    assert watched.changes == {("retyped", "repay_status")}
    assert watched.told["repay_status", "column", "retyped"].startswith("int8 before, string now")


def test_s05_text_in_a_numeric_column_is_invalid_and_not_zero(nasty):
    watched = nasty("s05-numeric-becomes-text")
    counts = watched.counts["limit_bal"]
    assert (counts.invalid, counts.zeros, counts.n) == (50, 0, 50)
    assert watched.file("second.parquet").invalid == {"limit_bal": 50}
    assert watched.metric("window_invalid_values", column="limit_bal") == 50
    assert "second.parquet" in watched.told["limit_bal", "values", "invalid"]
    assert watched.changes == {("retyped", "limit_bal")}


def test_s06_a_column_of_nulls_alone_has_no_type_to_be_wrong(nasty):
    watched = nasty("s06-all-null-typed-null")
    assert watched.counts["education"].null == 50
    assert watched.changes == set()


def test_s07_a_column_without_values_has_no_drift_and_a_missing_rate(nasty):
    watched = nasty("s07-all-null-feature")
    assert watched.reading("missing_rate", "pay_amt").now == 1.0
    assert not isinstance(watched.reading("wasserstein", "pay_amt"), Estimate)
    alarms = {item.reading.measure for item in watched.findings if item.verdict == "critical"}
    assert "missing_rate" in alarms


def test_s09_names_are_exact_and_look_alikes_are_shown(nasty):
    watched = nasty("s09-case-variants")
    assert watched.counts["score"].n == 100
    assert watched.counts["score"].high < 0.99
    (change,) = watched.run.schema_changes
    assert (change.kind, change.was, change.now) == ("case_variant", "score", "Score")


def test_s10_every_name_can_be_watched(nasty):
    names = [name for name in HOSTILE_NAMES if name and len(name) <= 200]
    fields = "".join(
        f"  f{number}: {{kind: numeric, column: {json.dumps(name, ensure_ascii=False)}}}\n"
        for number, name in enumerate(names)
    )
    watched = nasty("s10-names-with-spaces-unicode-emoji", fields=fields)
    counts = watched.counts
    assert {counts[f"f{number}"].n for number in range(len(names))} == {ROWS}
    told = [change.column for change in watched.run.schema_changes]
    assert max(map(len, told)) < 250
    assert watched.metric("window_schema_changes", kind="extra") == len(HOSTILE_NAMES)


def test_s12_a_category_of_many_values_stays_small(nasty):
    begun = time.process_time()
    watched = nasty("s12-dictionary-100k", fields="  repay_code: categorical\n", register=False)
    watched.model.register(start="2005-07-01", end="2005-07-02", why="ids taken for a feature")
    assert watched.rows == 100_000
    assert time.process_time() - begun < 20
    result = watched.run.results[0]
    assert len(result.profile) < 200_000
    assert sum(map(len, watched.page.values())) < 2000


def test_s13_decimals_are_numbers(nasty):
    watched = nasty("s13-decimal")
    assert (watched.counts["limit_bal"].n, watched.counts["bill_amt"].n) == (100, 100)
    assert watched.counts["limit_bal"].cells.sum() == 100
    assert not (watched.counts["limit_bal"].cells % 2).any()  # both files say the same


@pytest.mark.parametrize(
    ("column", "kind", "n", "invalid"),
    [
        ("bin", "categorical", 50, 0),
        ("dur", "numeric", 0, 50),
        ("tod", "categorical", 50, 0),
        ("half", "numeric", 50, 0),
        ("u64", "numeric", 50, 0),
        ("ls", "categorical", 50, 0),
        ("fsl", "numeric", 0, 50),
        ("flag2", "boolean", 50, 0),
        ("d32", "categorical", 50, 0),
    ],
)
def test_s14_odd_types_are_read_or_counted_as_invalid(nasty, column, kind, n, invalid):
    watched = nasty("s14-odd-types", fields=f"  {column}: {kind}\n")
    counts = watched.counts[column]
    assert (counts.n, counts.invalid) == (n, invalid)
    if column == "u64":
        assert counts.low == 2.0**63


def test_s15_columns_that_are_not_configured_cost_next_to_nothing(nasty):
    watched = nasty("s15-3000-columns")
    begun = time.process_time()
    assert watched.rows == 50
    assert time.process_time() - begun < 6  # wall of 2 s on a quiet machine
    assert len(watched.run.schema_changes) == LISTED_CHANGES
    assert len(watched.told) < 100


def test_s16_ids_of_another_type_are_reported(nasty):
    watched = nasty("s16-id-type-change")
    assert watched.changes == {("retyped", "prediction_id")}


# ---------------------------------------------------------------------- others of each kind


def test_a_column_that_is_there_twice_is_read_once_and_reported(log, rows, watch):
    data = table(rows.others).append_column("score", pa.array([0.5] * ROWS))
    write(data, log / "second.parquet")
    watched = watch(log)
    assert watched.rows == 100
    assert watched.changes == {("duplicate", "score")}
    assert watched.counts["score"].n == 100


def test_a_renamed_column_is_gone_and_its_look_alike_is_named(log, rows, watch):
    write(rows.others.rename(columns={"utilisation": "Utilisation "}), log / "second.parquet")
    watched = watch(log)
    assert watched.changes == {("missing", "utilisation"), ("case_variant", "utilisation")}
    assert "'Utilisation '" in watched.told["utilisation", "column", "case_variant"]


def test_columns_in_another_order_are_no_change(log, rows, watch):
    write(rows.others[sorted(rows.others.columns, reverse=True)], log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.run.schema_changes) == (100, ())


def test_how_text_is_stored_is_no_change(log, rows, watch):
    data = table(rows.others)
    for name in ("education", "sex", "prediction_id"):
        data = with_column(data, name, data[name].cast(pa.large_string()).dictionary_encode())
    write(data, log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.run.schema_changes) == (100, ())
    assert watched.counts["education"].unseen.rows == 0


def test_one_change_in_many_files_is_one_change(log, rows, watch):
    for number in range(20):
        part = rows.others.iloc[[number]].drop(columns="bill_amt")
        write(part, log / f"part-{number:02d}.parquet")
    watched = watch(log)
    (change,) = watched.run.schema_changes
    assert (change.files, change.path) == (20, "part-00.parquet")
    assert "19 more files" in watched.told["bill_amt", "column", "missing"]


def test_a_struct_where_a_number_was_is_invalid(log, rows, watch):
    nested = pa.array([{"value": 1.0}] * ROWS)
    write(with_column(table(rows.others), "pay_amt", nested), log / "second.parquet")
    watched = watch(log)
    assert watched.rows == 100
    assert watched.file("second.parquet").invalid == {"pay_amt": 50}
    assert watched.changes == {("retyped", "pay_amt")}


def test_a_list_where_a_decision_was_is_no_decision(log, rows, watch):
    nested = pa.array([[True]] * ROWS)
    write(with_column(table(rows.others), "flagged", nested), log / "second.parquet")
    watched = watch(log)
    assert watched.file("second.parquet").invalid == {"flagged": 50}
    assert watched.outcomes.margin()[2].sum() == 50


def test_arrow_metadata_that_lies_is_damage_at_worst(log, rows, watch):
    data = table(rows.others)
    path = log / "second.parquet"
    schema = data.schema
    with pq.ParquetWriter(path, schema, store_schema=False) as writer:
        writer.add_key_value_metadata({"ARROW:schema": "bm90IGEgc2NoZW1h"})
        writer.write_table(data)
    watched = watch(log)
    assert (watched.rows, watched.reported) == (50, {"second.parquet": "unreadable"})


def test_a_baseline_that_had_both_types_knows_both(log, rows, watch, tmp_path):
    both = tmp_path / "both"
    first, last = rows.baseline.head(1000), rows.baseline.tail(1000)
    write(first, both / "a.parquet")
    write(last.assign(repay_status=last.repay_status.astype("float64")), both / "b.parquet")
    write(
        rows.others.assign(repay_status=rows.others.repay_status.astype("float64")),
        log / "second.parquet",
    )
    watched = watch(log, register=False)
    watched.model.register(str(both), start="2005-04-01", end="2005-06-01", why="as they came")
    assert watched.run.schema_changes == ()


def test_folders_may_bring_a_column_that_files_had(log, rows, watch):
    for number, name in enumerate(("male", "female")):
        part = rows.others[rows.others.sex == name].drop(columns="sex")
        write(part, log / f"sex={name}" / f"{number}.parquet")
    watched = watch(log)
    assert (watched.rows, watched.changes) == (100, set())
    assert watched.outcomes.margin("sex")[2:].sum() == 0


def test_versions_that_are_ids_are_folded(log, rows, watch):
    many = pd.concat([rows.others] * 10, ignore_index=True)
    ids = [f"v{row}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, model_version=ids), log / "second.parquet")
    watched = watch(log)
    assert watched.rejected == {"no_baseline": 500}
    assert watched.rows == 50
    unregistered = watched.run.accounting.unregistered
    assert len(unregistered) == 20
    assert unregistered["(other versions)"] == 500 - 19


def test_a_version_with_a_name_of_megabytes_is_known_by_its_beginning(log, rows, watch):
    names = [f"{'v' * 100_000}{row % 2}" for row in range(ROWS)]
    write(rows.others.assign(model_version=names), log / "second.parquet")
    watched = watch(log)
    unregistered = watched.run.accounting.unregistered
    assert sorted(unregistered.values()) == [25, 25]  # and are told apart all the same
    assert all(len(name) < 250 for name in unregistered)


def test_a_version_nobody_registered_is_unknown_and_stops_nothing(log, rows, watch):
    write(rows.others.assign(model_version="2"), log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (50, {"no_baseline": 50})
    unknown = [item for item in watched.findings if item.reading.subject.version == "2"]
    assert [item.reason.value for item in unknown] == ["no_baseline"]
    assert watched.page
