"""Performance of slices: a real log with labels, a real store."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from scipy.stats import mannwhitneyu, norm
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Label
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.segment import Segment
from monitor.engine.recheck import Rechecker, revisions_within
from monitor.measures.measure import ProfilePair
from monitor.measures.slices import measure_slices
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from tests.held import DAY, Deployment, day

ROWS = 3000
REGION = Segment("region", ("region",), 5)
LIMITS = {
    "psi": FieldLimit(Limit(0.1, 0.25)),
    "auc_drop": FieldLimit(Limit(0.02, 0.05)),
    "accuracy": FieldLimit(Limit(0.5, 0.3)),
    "label_rate": FieldLimit(Limit(0.1, None)),
    "mae_rise": FieldLimit(Limit(0.1, None)),
    "concept_drift": FieldLimit(Limit(0.05, 0.1)),
}


def table(place, broken="", unlabelled=""):
    """Return a day; the score says nothing in the region ``broken``."""
    rng = np.random.default_rng(place)
    region, score = rng.choice(["n", "n", "s", "w"], ROWS), rng.random(ROWS)
    useful = np.where(region == broken, rng.random(ROWS), score)
    label = (rng.random(ROWS) < useful).astype(int).astype(object)
    label[(region == unlabelled) & (rng.random(ROWS) < 0.5)] = None
    at = [day(place).start + row * DAY / ROWS for row in range(ROWS)]
    return {
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "amount": rng.normal(size=ROWS),
        "score": score,
        "flag": score > 0.5,
        "sex": rng.choice(["f", "m"], ROWS).tolist(),
        "region": region.tolist(),
        "paid": label.tolist(),
    }


DAYS = [table(0), table(1), table(2), table(3, broken="s"), table(4, unlabelled="w")]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    made = Deployment(
        folder,
        segments=(REGION,),
        limits=LIMITS,
        label=Label("paid", ("1",)),
        min_label_coverage=0.8,
    )
    for place, columns in enumerate(DAYS):
        pq.write_table(pa.table(columns), folder / f"{place}.parquet")
    made.register()
    made.check(len(DAYS))
    return made


def of(deployment, place, measure, value):
    (result,) = deployment.run(place).results
    (found,) = [
        item
        for item in result.findings
        if item.reading.measure == measure and item.reading.subject.segment_value == value
    ]
    return found


@pytest.mark.slow
def test_a_slice_in_which_scores_say_nothing_is_found(deployment):
    verdicts = {value: of(deployment, 3, "auc_drop", value).verdict for value in "nsw"}
    assert verdicts == {"n": Verdict.OK, "s": Verdict.CRITICAL, "w": Verdict.OK}
    assert {of(deployment, 2, "auc_drop", value).verdict for value in "nsw"} == {Verdict.OK}
    assert of(deployment, 3, "accuracy", "s").reading.result.value == pytest.approx(0.5, abs=0.05)


def test_the_number_is_that_of_the_slices_rows(deployment):
    columns = DAYS[3]
    here = np.array(columns["region"]) == "s"
    score, label = columns["score"][here], np.array(columns["paid"])[here].astype(int)
    positive, negative = score[label == 1], score[label == 0]
    auc = mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative))
    found = of(deployment, 3, "auc_drop", "s").reading.result
    assert found.now == pytest.approx(auc, abs=2e-3)
    assert found.n == here.sum()
    right = (columns["flag"][here] == (label == 1)).mean()
    assert of(deployment, 3, "accuracy", "s").reading.result.value == pytest.approx(right)


def test_intervals_of_performance_hold_jointly_over_the_slices(deployment):
    found = {value: of(deployment, 3, "accuracy", value).reading.result for value in "nsw"}
    for item in found.values():
        assert item.method.endswith("Bonferroni over 3 slices")
        error = (item.value * (1 - item.value) / item.n) ** 0.5
        wide = norm.ppf(1 - 0.025 / 3) * error
        assert item.high - item.low == pytest.approx(2 * wide, rel=0.02)
    whole = of(deployment, 3, "accuracy", "").reading.result
    assert "Bonferroni" not in whole.method


def test_a_slice_waits_for_its_own_labels(deployment):
    waits = of(deployment, 4, "auc_drop", "w")
    assert (waits.verdict, waits.reason) == (Verdict.UNKNOWN, Reason.NO_LABELS)
    assert "waiting for labels" in waits.explanation
    assert of(deployment, 4, "label_rate", "w").reason is Reason.NO_LABELS
    for value in ("n", "s", ""):  # of all rows, nine in ten have one
        assert of(deployment, 4, "auc_drop", value).verdict is Verdict.OK


def rows_of(places, value):
    """Return scores, decisions and labels of the rows of a slice; labels that are not there are NaN."""
    parts = []
    for place in places:
        columns = DAYS[place]
        here = np.array(columns["region"]) == value
        labels = np.array(columns["paid"], dtype=float)
        parts.append((columns["score"][here], columns["flag"][here], labels[here]))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("value", ["n", "s", "w"])
def test_what_is_estimated_is_calibrated_on_the_slices_own_labels(deployment, value):
    learned, _, labels = rows_of((0, 1), value)
    scores, flagged, _ = rows_of((4,), value)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(learned, labels)
    chances = fitted.predict(scores)
    auc = roc_auc_score(
        np.repeat([1, 0], len(scores)),
        np.tile(chances, 2),
        sample_weight=np.concatenate([chances, 1 - chances]),
    )
    right = np.where(flagged, chances, 1 - chances).mean()

    found = {
        name: reading_of(deployment, 4, f"estimated_{name}", value) for name in ("auc", "accuracy")
    }
    assert found["auc"].value == pytest.approx(auc, abs=5e-3)
    assert found["accuracy"].value == pytest.approx(right, abs=5e-3)
    assert {item.n for item in found.values()} == {len(scores)}
    assert {item.n_reference for item in found.values()} == {len(learned)}


def reading_of(deployment, place, measure, value):
    (result,) = deployment.run(place).results
    (found,) = [
        item.result
        for item in result.readings
        if item.measure == measure and item.subject.segment_value == value
    ]
    return found


def test_where_labels_do_not_follow_the_scores_any_more_is_found_by_slice(deployment):
    found = {value: of(deployment, 3, "concept_drift", value) for value in "nsw"}
    assert {value: item.verdict for value, item in found.items()} == {
        "n": Verdict.OK,
        "s": Verdict.CRITICAL,
        "w": Verdict.OK,
    }
    assert found["s"].reading.result.method.endswith("Bonferroni over 3 slices")
    assert {of(deployment, 2, "concept_drift", value).verdict for value in "nsw"} == {Verdict.OK}
    assert of(deployment, 4, "concept_drift", "w").reason is Reason.NO_LABELS


def test_what_slices_do_not_count_has_no_reading_that_is_unknown_for_ever(deployment):
    (result,) = deployment.run(3).results
    slices = [item for item in result.readings if item.subject.scanned]
    assert {item.measure for item in slices} == {
        *("psi", "auc_drop", "accuracy", "label_rate", "label_coverage", "concept_drift"),
        *("estimated_auc", "estimated_accuracy"),  # besides what is judged of labels
    }
    assert all(isinstance(item.result, Estimate) for item in slices)


def test_a_slice_that_was_stored_before_decisions_were_counted_in_it_says_so(deployment):
    (baseline,) = deployment.store.baselines(deployment.policy.model)
    grid = grid_from_bytes(baseline.grid)
    pair = ProfilePair(
        grid,
        profile_from_bytes(baseline.profile),
        profile_from_bytes(deployment.run(3).results[0].profile),
        day(3),
        1.0,
    )
    pair.current.segments["region"] = {
        code: replace(part, score_by_decision=None, labelled_by_decision=None)
        for code, part in pair.current.segments["region"].items()
    }
    whole = deployment.run(3).results[0].readings
    found = {
        item.measure: item.result
        for item in measure_slices(deployment.policy, pair, whole)
        if item.subject.segment_value == "s"
    }
    assert found["estimated_accuracy"].reason is Absence.NO_DATA
    assert "before scores were counted by decision" in found["estimated_accuracy"].explanation
    assert isinstance(found["estimated_auc"], Estimate)


def test_what_is_stored_is_recomputed_alike(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert [(item.why, item.differences) for item in found] == [("", ())] * 3
