"""Groups of a model that gives a number and makes no decision, and who they are: to the verdict."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import monitor
from monitor.app import read_policy
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Reason, Verdict

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = 4000
POLICY = """
model: salary
source: {path: log, event_time: at}
fields:
  years: numeric
  offer: {kind: numeric, role: score}
label: {column: agreed}
populations: {sex: {reference: m}}
schedule: {window: day}
references: {yesterday: previous}
limits:
  disparity:
    metrics: [group_mean_score, group_mean_error, group_mae, representation, unknown_share]
    differences: {group_mean_error: 1, group_mae: 1}
"""


def day_of(rng, day, shares, error_of_women):
    """Return a day's log: errors of women are off by a constant, their share is as it is given."""
    sex = rng.choice(["m", "f", None], ROWS, p=shares)
    agreed = rng.normal(50, 10, ROWS)
    offer = agreed + rng.normal(0, 2, ROWS) + np.where(sex == "f", error_of_women, 0.0)
    at = [FIRST + day * DAY + timedelta(seconds=20 * row) for row in range(ROWS)]
    columns = {
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "years": rng.integers(0, 40, ROWS).astype(float),
        "offer": offer,
        "agreed": agreed,
        "sex": pa.array(sex, pa.string()),
    }
    return pa.table(columns)


@pytest.fixture
def salary(tmp_path):
    """Return what the second day of a log says, and what of it by a policy."""
    (tmp_path / "log").mkdir()
    rng = np.random.default_rng(5)
    days = (
        day_of(rng, 0, [0.6, 0.4, 0.0], 0.0),
        day_of(rng, 1, [0.62, 0.26, 0.12], -3.0),
    )
    pq.write_table(pa.concat_tables(days), tmp_path / "log" / "all.parquet")

    def compare(text=POLICY):
        (tmp_path / "salary.yaml").write_text(text)
        model = monitor.open_model(read_policy(tmp_path / "salary.yaml"))
        model.register(start=FIRST, end=FIRST + DAY, why="the first day")
        (result,) = model.compare(start=FIRST + DAY, end=FIRST + 2 * DAY).examination.results
        return result, days

    return compare


def found(result, measure, reference=""):
    return {
        item.reading.subject.group: item
        for item in result.findings
        if item.reading.measure == measure and item.reading.subject.reference == reference
    }


@pytest.mark.slow
def test_errors_of_groups_are_judged_where_no_decision_is_made(salary):
    result, (_, second) = salary()
    table = second.to_pandas()
    errors = table.offer - table.agreed
    means = errors.groupby(table.sex).mean()
    item = found(result, "group_mean_error_difference")["f"]
    assert item.reading.result.value == pytest.approx(means["f"] - means["m"], rel=1e-9)
    assert (item.verdict, item.reason) == (Verdict.CRITICAL, Reason.BREACH)
    assert item.reading.subject.reference_group == "m"
    size = errors.abs().groupby(table.sex).mean()
    item = found(result, "group_mae_difference")["f"]
    assert item.reading.result.value == pytest.approx(size["f"] - size["m"], rel=1e-9)
    assert item.reason is Reason.BREACH
    assert not found(result, "group_mean_score_difference")  # without a limit it is measured only


@pytest.mark.slow
def test_nothing_of_decisions_is_measured_where_there_are_none(salary):
    result, _ = salary()
    of_groups = {item.measure for item in result.readings if item.subject.population}
    metrics = ("group_mean_score", "group_mean_error", "group_mae", "representation")
    named = {name + suffix for name in metrics for suffix in ("", "_difference")}
    assert of_groups == {*named, "unknown_share", "unknown_share_difference"}


@pytest.mark.slow
def test_who_the_rows_are_is_judged_against_the_baseline_and_told_with_counts(salary):
    result, (first, second) = salary()
    women, men = found(result, "representation_difference").values()
    assert women.reading.subject.group == "f"
    now, then = (table.to_pandas().sex.value_counts() for table in (second, first))
    assert women.verdict is Verdict.WARNING
    told = f"are f ({now['f']:,} of {now.sum():,})"
    assert told in women.explanation
    assert f"in the baseline ({then['f']:,} of {then.sum():,})" in women.explanation
    assert men.verdict is Verdict.WARNING
    unknown = found(result, "unknown_share_difference")[""]
    assert (unknown.verdict, unknown.reason) == (Verdict.CRITICAL, Reason.BEYOND_CRITICAL)
    lost = ROWS - int(now.sum())
    assert f"have no known sex ({lost:,} of {ROWS:,}), 0.0% in the baseline" in unknown.explanation


@pytest.mark.slow
def test_by_default_errors_and_scores_of_groups_are_measured(salary):
    result, _ = salary(POLICY[: POLICY.index("limits:")])
    of_groups = [item for item in result.readings if item.subject.population]
    assert {item.measure.removesuffix("_difference") for item in of_groups} == {
        "group_mean_score",
        "group_mean_error",
        "group_mae",
    }
    assert all(isinstance(item.result, Estimate) for item in of_groups)


@pytest.mark.slow
def test_without_a_named_reference_the_group_with_most_rows_is_it(salary):
    result, _ = salary(POLICY.replace("{sex: {reference: m}}", "[sex]"))
    held = {item.subject.reference_group for item in result.readings if item.subject.group}
    assert held == {"m"}
