"""Scores and errors of groups, against scipy, scikit-learn, brute force and the City's example."""

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats
from sklearn.metrics import roc_auc_score

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Effect
from monitor.domain.limit import Band, HeldAgainst
from monitor.measures.disparity import (
    calibration_ratio,
    group_auc,
    group_mae,
    group_mean_error,
    group_mean_score,
    scoring_rate,
)
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import GroupPair
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.two_sample import pooled_z

pytestmark = pytest.mark.oracle

CELLS = 21
QUANTITIES = (calibration_ratio, group_auc, group_mean_score, group_mean_error, group_mae)


def drawn(seed=3, sizes=(600, 300, 150), shift=0.0):
    """Return rows of groups: scores in steps of .05, labels that follow them, and a number."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    scores = np.round(rng.beta(2, 2 + groups / 2) * 20) / 20
    labels = (rng.random(len(groups)) < np.clip(scores + shift * (groups == 1), 0, 1)).astype(int)
    numbers = 10 * scores + rng.normal(groups / 4, 1 + groups / 2)
    return groups, scores, labels, numbers


def counted(groups, scores, labels, numbers=None, unknown=()):
    """Return what a profile counts of such rows; each score is a cell of its own."""
    size = int(groups.max()) + 1
    cells = np.rint(scores * (CELLS - 1)).astype(int)
    rows = np.zeros((size, 3, 3, CELLS), np.int64)
    np.add.at(rows, (groups, 1, labels, cells), 1)
    unassigned = np.zeros((3, 3, CELLS), np.int64)
    np.add.at(unassigned, (1, 2, np.rint(np.array(unknown) * (CELLS - 1)).astype(int)), 1)
    center, scale = 0.5, 0.25
    if numbers is None:
        errors, under = scores - labels, labels
    else:
        errors, under = (scores - numbers) / scale, np.full(len(labels), 2)
    standard = (scores - center) / scale
    moments = {
        name: np.zeros((size, 3)) for name in ("rows", "error_rows", "score", "score_squared")
    }
    moments |= {name: np.zeros((size, 3)) for name in ("error", "absolute", "squared")}
    for name, values in (("rows", 1), ("score", standard), ("score_squared", standard**2)):
        np.add.at(moments[name], (groups, labels), values)
    for name, values in (
        ("error_rows", 1),
        ("error", errors),
        ("absolute", np.abs(errors)),
        ("squared", errors**2),
    ):
        np.add.at(moments[name], (groups, under), values)
    return ScoresOfGroups(rows, moments, unassigned, center, scale)


def pair(scores, then=None, **changes):
    table = scores.rows.sum(axis=-1)
    names = tuple("mfxyzuvw"[: len(table)])
    plain = GroupPair("sex", names, table, table, 0, Effect.FAVOURABLE, Band())
    return replace(plain, scores=scores, scores_then=then or scores, **changes)


@pytest.fixture(scope="module")
def rows():
    return drawn()


def test_means_and_their_differences_are_scipys(rows):
    groups, scores, labels, numbers = rows
    cases = (
        (group_mean_score, scores, counted(groups, scores, labels)),
        (group_mean_error, scores - numbers, counted(groups, scores, labels, numbers)),
        (group_mae, np.abs(scores - numbers), counted(groups, scores, labels, numbers)),
    )
    for module, values, side in cases:
        level, difference = (measure.measure(pair(side)) for measure in module.MEASURES)
        samples = [values[groups == place] for place in range(3)]
        for name, sample in zip("mfx", samples, strict=True):
            assert level[name].value == pytest.approx(sample.mean(), abs=1e-12)
            low, high = stats.t.interval(0.95, len(sample) - 1, sample.mean(), stats.sem(sample))
            assert (level[name].low, level[name].high) == pytest.approx((low, high))
            assert level[name].detail["standard_deviation"] == pytest.approx(sample.std(ddof=1))
        tests = [stats.ttest_ind(sample, samples[0], equal_var=False) for sample in samples[1:]]
        adjusted = holm([test.pvalue for test in tests])
        for name, test, p_adjusted in zip("fx", tests, adjusted, strict=True):
            found = difference[name]
            ends = test.confidence_interval(0.95)
            assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
            joint = test.confidence_interval(0.975)
            assert (found.family_low, found.family_high) == pytest.approx((joint.low, joint.high))
            assert found.p_value == pytest.approx(test.pvalue)
            assert found.p_adjusted == pytest.approx(p_adjusted)
            assert found.detail["sd"] == pytest.approx(test.statistic)


def delong(scores, labels):
    """Return the variance of an AUC from every pair of rows."""
    negatives, positives = scores[labels == 0], scores[labels == 1]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return wins.mean(1).var(ddof=1) / len(positives) + wins.mean(0).var(ddof=1) / len(negatives)


def test_areas_are_scikit_learns_and_are_compared_as_delong_does(rows):
    groups, scores, labels, _ = rows
    level, difference = (
        measure.measure(pair(counted(groups, scores, labels))) for measure in group_auc.MEASURES
    )
    areas, variances = [], []
    for place, name in enumerate("mfx"):
        own = groups == place
        areas.append(roc_auc_score(labels[own], scores[own]))
        variances.append(delong(scores[own], labels[own]))
        assert level[name].value == pytest.approx(areas[-1], abs=1e-12)
        assert level[name].detail["standard_error"] == pytest.approx(variances[-1] ** 0.5)
    for place, name in ((1, "f"), (2, "x")):
        z = (areas[place] - areas[0]) / (variances[place] + variances[0]) ** 0.5
        assert difference[name].value == pytest.approx(areas[place] - areas[0])
        assert difference[name].detail["sd"] == pytest.approx(z)
        assert difference[name].p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
        assert difference[name].low < difference[name].value < difference[name].high


def test_calibration_is_observed_over_expected_and_finds_a_group_that_is_scored_too_low():
    groups, scores, labels, _ = drawn(seed=8, sizes=(4000, 2000, 150), shift=0.15)
    level, ratio = (
        measure.measure(pair(counted(groups, scores, labels)))
        for measure in calibration_ratio.MEASURES
    )
    parts = [(labels[groups == g].sum(), scores[groups == g].sum()) for g in range(3)]
    for name, (observed, expected) in zip("mfx", parts, strict=True):
        assert level[name].value == pytest.approx(observed / expected)
        assert level[name].low < level[name].value < level[name].high
    assert level["m"].low < 1 < level["m"].high
    assert level["f"].low > 1.1
    (o, e), (p, f) = parts[1], parts[0]
    assert ratio["f"].value == pytest.approx((o / e) / (p / f))
    assert ratio["f"].low > 1.05
    # The z of the score test; scipy's is exact, of the same conditional binomial.
    exact = stats.binomtest(int(o), int(o + p), e / (e + f)).pvalue
    assert np.log10(ratio["f"].p_value) == pytest.approx(np.log10(exact), rel=0.1)


def test_the_interval_of_a_calibration_ratio_ends_where_its_test_does():
    """The interval holds 1 exactly where the test does not reject, as both invert one score test."""
    for seed in range(30):
        groups, scores, labels, _ = drawn(seed, sizes=(300, 200), shift=0.06)
        found = calibration_ratio.MEASURES[1].measure(pair(counted(groups, scores, labels)))["f"]
        assert (found.p_value < 0.05) == (not found.low <= 1 <= found.high)


CITY = {  # 6 RCNY 5-301: race, of the applicants, with a score above the median
    "Hispanic": (28, 18, 0.642),
    "White": (40, 15, 0.375),
    "Black": (32, 16, 0.5),
    "Islander": (8, 5, 0.625),
    "Asian": (24, 10, 0.417),
    "Native": (16, 10, 0.625),
    "Two or more": (20, 10, 0.5),
}


def test_the_citys_scoring_example():
    table = np.zeros((len(CITY), 3, 3, CELLS), np.int64)
    for place, (n, above, _) in enumerate(CITY.values()):
        table[place, 1, 2, 8], table[place, 1, 2, 12] = n - above, above
    nobody = np.zeros((3, 3, CELLS), np.int64)
    scores = ScoresOfGroups(table, {}, nobody, 0.5, 0.25)
    names = tuple(CITY)
    of = replace(
        pair(scores), groups=names, reference_group=0, band=Band(min_rows=1, min_expected=0)
    )
    level, ratio, *_ = scoring_rate.MEASURES
    rates, ratios = level.measure(of), ratio.measure(of)
    for name, (n, above, published) in CITY.items():
        assert (rates[name].n, rates[name].detail["positive"]) == (n, above)
        assert rates[name].value == pytest.approx(published, abs=1.1e-3)
    assert ratios["White"].value == pytest.approx(0.58, abs=5e-3)
    assert ratios["Asian"].value == pytest.approx(0.65, abs=5e-3)
    assert sum(above for _, above, _ in CITY.values()) * 2 == sum(n for n, *_ in CITY.values())


def test_scores_at_the_median_are_not_above_it_and_the_unknown_have_a_say(rows):
    groups, scores, labels, _ = rows
    unknown = np.full(500, 0.95)
    side = counted(groups, scores, labels, unknown=unknown)
    for given, everyone in (
        (counted(groups, scores, labels), scores),
        (side, np.append(scores, unknown)),
    ):
        median = np.quantile(everyone, 0.5, method="inverted_cdf")
        found = scoring_rate.MEASURES[0].measure(pair(given))
        for place, name in enumerate("mfx"):
            own = scores[groups == place]
            assert found[name].value == pytest.approx((own > median).mean())
    ratio = scoring_rate.MEASURES[1].measure(pair(side))["f"]
    own, other = ((scores[groups == g] > median) for g in (1, 0))
    expected = pooled_z(own.sum(), len(own), other.sum(), len(other)).p_value
    assert ratio.p_value == pytest.approx(float(expected), rel=0.2)
    assert ratio.detail["unknown_low"] < ratio.value < ratio.detail["unknown_high"]


def test_each_side_has_its_own_median(rows):
    groups, scores, labels, _ = rows
    then = counted(groups, np.clip(scores - 0.2, 0, 1), labels)
    found = scoring_rate.MEASURES[3].measure(pair(counted(groups, scores, labels), then))["f"]
    assert isinstance(found, Estimate)
    assert found.low < 0 < found.high


@pytest.mark.parametrize("module", [scoring_rate, *QUANTITIES])
def test_scores_that_nobody_counted_are_not_zero(module):
    side = counted(*drawn()[:3])
    for measure in module.MEASURES:
        found = measure.measure(replace(pair(side), scores=None, scores_then=None))
        for result in found.values():
            assert result.reason in {Absence.NO_DATA, Absence.UNDEFINED}
            assert "not counted by group" in result.explanation
    level = module.MEASURES[0].measure(replace(pair(side), scores_then=None))["f"]
    assert level.then is None


@pytest.mark.parametrize("module", QUANTITIES)
def test_groups_too_small_to_compare_are_listed_and_not_compared(module):
    groups, scores, labels, numbers = drawn(sizes=(600, 300, 12))
    side = counted(
        groups, scores, labels, numbers if module in (group_mean_error, group_mae) else None
    )
    level, of_two = (measure.measure(pair(side)) for measure in module.MEASURES)
    assert isinstance(level["x"], Estimate)
    assert of_two["x"].reason is Absence.INSUFFICIENT_DATA
    assert isinstance(of_two["f"], Estimate)
    turned = module.MEASURES[1].measure(replace(pair(side), reference_group=2))
    assert {result.reason for result in turned.values()} == {Absence.REFERENCE_UNAVAILABLE}


@pytest.mark.parametrize("module", QUANTITIES)
def test_quantities_are_held_against_all_others_or_the_best_off(module):
    groups, scores, labels, numbers = drawn()
    numeric = module in (group_mean_error, group_mae)
    side = counted(groups, scores, labels, numbers if numeric else None)
    level, of_two = module.MEASURES
    together = counted(np.minimum(groups, 1), scores, labels, numbers if numeric else None)
    rest = of_two.measure(replace(pair(side), against=HeldAgainst.REST))
    two = of_two.measure(replace(pair(together), reference_group=1))
    assert rest["m"].value == pytest.approx(two["m"].value)
    assert rest["m"].p_value == pytest.approx(two["m"].p_value)
    best = of_two.measure(replace(pair(side), against=HeldAgainst.BEST_OFF))
    values = {name: result.value for name, result in level.measure(pair(side)).items()}
    chosen = (min if module is group_mae else max)(values, key=values.get)
    assert set(best) == set("mfx") - {chosen}
    for result in best.values():
        assert result.note == f"against {chosen}"
        assert result.p_adjusted == pytest.approx(min(1.0, 3 * result.p_value))


def test_a_group_of_one_class_has_no_area():
    groups, scores, labels, _ = drawn()
    labels = np.where(groups == 1, 1, labels)
    for measure in group_auc.MEASURES:
        found = measure.measure(pair(counted(groups, scores, labels)))["f"]
        assert found.reason is Absence.UNDEFINED
        assert "has a negative label" in found.explanation


def test_a_reference_without_positive_labels_has_nothing_to_divide_by():
    groups, scores, labels, _ = drawn()
    labels = np.where(groups == 0, 0, labels)
    found = calibration_ratio.MEASURES[1].measure(pair(counted(groups, scores, labels)))["f"]
    assert found.reason is Absence.UNDEFINED
    assert "none to divide by" in found.explanation
