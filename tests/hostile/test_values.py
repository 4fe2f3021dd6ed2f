"""Values that are not numbers, not categories, or too many or too long of either."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Verdict
from tests.hostile.make_nasty import HOSTILE_TEXTS, ROWS, table, with_column, write

pytestmark = pytest.mark.slow

# ---------------------------------------------------------------------- cases of make_nasty


def test_v01_what_is_no_finite_number_is_counted_apart(nasty):
    counts = nasty("v01-nan-inf-mix").counts["utilisation"]
    assert counts.null + counts.nan == 10
    assert (counts.positive_infinite, counts.negative_infinite) == (5, 5)
    assert (counts.low, counts.high) == (-1e308, 1e308)
    assert counts.n == 50 + 30


def test_v02_a_constant_is_far_from_what_varied_and_near_to_itself(nasty):
    watched = nasty("v02-constant-feature")
    assert 1 < watched.reading("psi", "limit_bal").value < 100
    itself = nasty("v02-constant-feature", register=False)
    itself.model.register(start="2005-07-01", end="2005-07-02", why="constant from the start")
    assert itself.reading("psi", "limit_bal").value == pytest.approx(0, abs=1e-9)


def test_v03_hostile_texts_are_values_like_any_other(nasty):
    watched = nasty("v03-hostile-categories")
    named = watched.counts["education"].unseen.counts
    assert set(named) == set(HOSTILE_TEXTS)
    assert watched.outcomes.unmapped["sex"].rows == len(HOSTILE_TEXTS)
    assert watched.counts["education"].null == 0


def test_v05_a_text_of_megabytes_is_kept_by_its_beginning(nasty):
    watched = nasty("v05-huge-strings")
    (name,) = watched.counts["education"].unseen.counts
    assert len(name) < 250
    assert name.startswith("AAAA")
    assert len(watched.run.results[0].profile) < 100_000


def test_v06_nothing_is_normalised(nasty):
    watched = nasty("v06-whitespace-and-case-variants", fields="  sex: categorical\n")
    counts = watched.counts["sex"]
    assert set(counts.unseen.counts) == {"Male", " male", "MALE ", "männlich"}
    assert watched.reading("unseen_rate", "sex").now == pytest.approx(0.4)
    assert watched.outcomes.unmapped["sex"].rows == 40


def test_v07_scores_are_not_clipped(nasty):
    counts = nasty("v07-score-out-of-range").counts["score"]
    assert (counts.low, counts.high) == (-0.2, 55.0)
    assert (counts.null + counts.nan, counts.n) == (20, 80)


def test_v08_a_score_in_words_is_invalid_and_its_file_is_named(nasty):
    watched = nasty("v08-score-as-text")
    assert watched.file("second.parquet").invalid == {"score": 50}
    assert watched.changes == {("retyped", "score")}
    assert "second.parquet" in watched.told["score", "values", "invalid"]
    assert watched.reading("missing_rate", "score").now == 0.5


def test_v09_a_decision_is_the_same_as_a_number(nasty, rows):
    watched = nasty("v09-decision-as-float")
    flagged = int(rows.good.flagged.sum())
    assert watched.outcomes.margin().sum(axis=1).tolist() == [100 - 2 * flagged, 2 * flagged, 0]


def test_v10_a_decision_in_other_words_is_no_decision(nasty, rows):
    watched = nasty("v10-decision-as-yes-no")
    flagged = int(rows.good.flagged.sum())
    assert watched.outcomes.margin().sum(axis=1).tolist() == [50 - flagged, flagged, 50]
    assert watched.file("second.parquet").invalid == {"flagged": 50}
    assert watched.metric("window_invalid_values", column="flagged") == 50


@pytest.mark.parametrize("written", [pa.nulls(ROWS), pa.array(["ja", "Y"] * (ROWS // 2))])
def test_rows_without_a_decision_are_told_with_their_number(log, rows, watch, written):
    write(with_column(table(rows.others), "flagged", written), log / "second.parquet")
    told = watch(log).told["flagged", "decisions", "missing"]
    assert told.startswith("50 of 100 rows of version 1 have none")


def test_where_every_row_has_a_decision_nothing_is_told_of_them(log, watch):
    assert ("flagged", "decisions", "missing") not in watch(log).told


def test_v12_one_row_is_no_reason_for_an_alarm(nasty):
    watched = nasty("v12-single-row")
    drift = [item for item in watched.findings if item.reading.measure in {"psi", "wasserstein"}]
    assert {item.verdict for item in drift} == {Verdict.UNKNOWN}


def test_v14_rows_without_an_id_count_and_are_reported(nasty):
    watched = nasty("v14-null-ids")
    assert watched.run.accounting.without_id == 25
    assert watched.file("second.parquet").without_id == 25
    assert ("prediction_id", "ids", "missing") in watched.told


# ---------------------------------------------------------------------- others of each kind


def test_the_largest_numbers_do_not_become_infinite_results(log, rows, watch):
    limits = [1.7e308, -1.7e308] * 25
    write(rows.others.assign(limit_bal=limits), log / "second.parquet")
    watched = watch(log)
    assert watched.counts["limit_bal"].n == 100
    assert all(np.isfinite(estimate.value) for estimate in watched.estimates)


def test_whole_numbers_beyond_what_a_double_tells_apart_stay_whole(log, rows, watch):
    big = pa.array([2**53 + row for row in range(ROWS)], pa.int64())
    write(with_column(table(rows.others), "limit_bal", big), log / "second.parquet")
    watched = watch(log)
    assert watched.counts["limit_bal"].n == 100
    assert watched.changes == {("retyped", "limit_bal")}


def test_text_that_looks_like_a_number_is_not_taken_for_one(log, rows, watch):
    write(rows.others.assign(pay_amt=["١٢٣", "0x10", "1e3", "1,5", "∞"] * 10), log / "b.parquet")
    watched = watch(log)
    assert watched.file("b.parquet").invalid == {"pay_amt": 50}
    assert watched.counts["pay_amt"].n == 50


def test_a_placeholder_for_missing_is_a_value_and_seen(log, rows, watch):
    write(rows.others.assign(utilisation=-999.0), log / "second.parquet")
    watched = watch(log)
    assert watched.counts["utilisation"].negatives == 50
    assert watched.reading("psi", "utilisation").value > 0.25


def test_negative_zero_is_zero(log, rows, watch):
    write(rows.others.assign(utilisation=-0.0), log / "second.parquet")
    counts = watch(log).counts["utilisation"]
    assert (counts.zeros >= 50, counts.negatives) == (True, 0)


def test_a_category_of_bytes_is_read_as_text(log, rows, watch):
    raw = pa.array([value.encode() for value in rows.others.education], pa.binary())
    write(with_column(table(rows.others), "education", raw), log / "second.parquet")
    watched = watch(log)
    assert watched.counts["education"].unseen.rows == 0
    assert watched.changes == {("retyped", "education")}


def test_composed_and_decomposed_letters_are_two_values(log, rows, watch):
    names = ["na\u00efve", "nai\u0308ve"] * 25
    write(rows.others.assign(education=names), log / "second.parquet")
    unseen = watch(log).counts["education"].unseen.counts
    assert unseen == {"na\u00efve": 25, "nai\u0308ve": 25}


def test_a_column_of_dictionaries_of_other_values_in_each_row_group_adds_up(log, rows, watch):
    levels = sorted(set(rows.baseline.education))
    listed = [levels[row % len(levels)] for row in range(ROWS)]
    write(rows.others.assign(education=listed), log / "second.parquet", row_group_size=1)
    watched = watch(log)
    assert watched.counts["education"].unseen.rows == 0
    assert watched.counts["education"].values.sum() == 100  # noqa: PD011  # not of pandas


def test_a_decision_between_yes_and_no_is_no_decision(log, rows, watch):
    write(rows.others.assign(flagged=0.5), log / "second.parquet")
    watched = watch(log)
    assert watched.outcomes.margin()[2].sum() == 50
    assert watched.file("second.parquet").invalid == {"flagged": 50}


def test_every_value_unseen_is_an_alarm_and_not_an_error(log, rows, watch):
    fresh = [f"value {row}" for row in range(ROWS)]
    write(rows.others.assign(education=fresh), log / "good.parquet")
    watched = watch(log)
    found = watched.reading("unseen_rate", "education")
    assert isinstance(found, Estimate)
    assert found.now == 1.0
    verdicts = {
        item.reading.subject.field: item.verdict
        for item in watched.findings
        if item.reading.measure == "unseen_rate"
    }
    assert verdicts["education"] is Verdict.CRITICAL


def test_a_group_with_a_hostile_name_is_told_apart_on_the_page(log, rows, watch):
    name = 'x"},y{z="1'
    many = pd.concat([rows.others] * 2, ignore_index=True)
    ids = [f"g{row}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, sex=name), log / "second.parquet")
    watched = watch(log, register=False)
    watched.model.register(start="2005-07-01", end="2005-07-02", why="with such a group")
    groups = {sample.labels["group"] for sample in watched.page["modelmon_group_records"]}
    assert name in groups
