"""What other tools were found to get wrong, each as a case that this one has to get right.

The cases and what Aequitas 1.1.0, Fairlearn 0.15.0, AIF360 0.6.1, smclarify 0.5, fairpipe 0.12.0 and
DALEX made of them were measured; the numbers here are of closed forms, of scipy, or counted by hand.
"""

import numpy as np
import pytest
from scipy import stats

from monitor.config.model_file import load_policy
from monitor.domain.errors import ConfigError
from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.disparity.conditional import MEASURES as CONDITIONAL
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair, Strata

pytestmark = pytest.mark.oracle


# ProPublica's counts: true and false negatives, false and true positives of those called high risk.
BLACK = (990, 532, 805, 1369)
WHITE = (1139, 461, 349, 505)


def tables(**groups):
    """Return tables of decisions × labels from tn, fn, fp, tp."""
    made = {}
    for name, (tn, fn, fp, tp) in groups.items():
        made[name] = np.array([[tn, fn, 0], [fp, tp, 0], [0, 0, 0]])
    return made


def decided(**groups):
    return tables(
        **{name: (rows - chosen, 0, chosen, 0) for name, (chosen, rows) in groups.items()}
    )


def measured(metric, what, groups, effect=Effect.HARMFUL, **changes):
    table = np.array(list(groups.values()))
    pair = GroupPair("p", tuple(groups), table, table, 0, effect, Band(), **changes)
    return measures_of(RATES[metric])[what].measure(pair)


LEVEL, RATIO, DIFFERENCE, CHANGE = range(4)


def test_d1_each_rate_has_its_own_p_value():
    """Aequitas' ``fpr_significance`` is the test of the false discovery rate: p = .0504."""
    groups = tables(white=WHITE, black=BLACK)
    fpr = measured("false_positive_rate", RATIO, groups)["black"]
    assert (fpr.detail["positive"], fpr.n) == (805, 1795)
    assert fpr.value == pytest.approx(1.9121, abs=5e-5)
    chance = stats.chi2_contingency([[805, 990], [349, 1139]], correction=False).pvalue
    assert fpr.p_value == pytest.approx(chance, rel=1e-9)
    assert fpr.p_value < 1e-36
    assert stats.fisher_exact([[805, 990], [349, 1139]]).pvalue == pytest.approx(5.1e-38, rel=0.02)
    fdr = measured("false_discovery_rate", RATIO, groups)["black"]
    assert fdr.p_value == pytest.approx(0.0504, abs=5e-5)


def test_d2_the_test_of_missed_cases_is_not_that_of_omissions():
    """Aequitas' ``fnr_significance`` is the test of the false omission rate: p = 2.3e-4."""
    groups = tables(white=WHITE, black=BLACK)
    fnr = measured("false_negative_rate", RATIO, groups)["black"]
    assert fnr.value == pytest.approx(0.5864, abs=5e-5)
    assert fnr.p_value < 1e-24
    omitted = measured("false_omission_rate", RATIO, groups)["black"]
    assert omitted.p_value == pytest.approx(2.3e-4, rel=0.05)


@pytest.mark.parametrize("what", [LEVEL, RATIO, DIFFERENCE])
@pytest.mark.parametrize("metric", ["true_positive_rate", "false_negative_rate"])
def test_d3_without_positive_labels_there_is_no_rate_of_them(metric, what):
    """Fairlearn has 0.0 for both, and so an equal-opportunity difference of 1.0; AIF360 0.5."""
    groups = tables(a=(100, 50, 50, 100), b=(150, 0, 50, 0))
    assert measured(metric, what, groups)["b"].reason is Absence.UNDEFINED


def test_d4_a_reference_rate_of_nothing_gives_a_difference_and_no_ratio():
    """Aequitas has 10.0, AIF360 0.0, smclarify infinity."""
    groups = decided(a=(0, 400), b=(200, 400))
    assert measured("selection_rate", RATIO, groups)["b"].reason is Absence.UNDEFINED
    found = measured("selection_rate", DIFFERENCE, groups)["b"]
    assert found.value == 0.5
    assert 0.44 < found.low < 0.5 < found.high < 0.56


def test_d5_where_nobody_is_chosen_nothing_is_the_worst():
    """AIF360 and smclarify have a disparate impact of 0.0, Fairlearn NaN."""
    groups = decided(a=(0, 400), b=(0, 400))
    ratio = measured("selection_rate", RATIO, groups)["b"]
    assert ratio.reason is Absence.UNDEFINED
    found = measured("selection_rate", DIFFERENCE, groups)["b"]
    assert (found.value, found.p_value) == (0, 1)


def test_d6_rows_without_a_group_are_in_no_ratio_and_in_view():
    """smclarify counts them as "the rest" and has 1.5 for both; Aequitas drops them in silence."""
    unknown = np.array([[20, 0, 0], [0, 0, 0], [0, 0, 0]])
    groups = decided(a=(50, 100), b=(50, 100))
    found = measured("selection_rate", RATIO, groups, unassigned=unknown)["b"]
    assert found.value == 1
    assert found.detail["unknown_low"] == pytest.approx(50 / 120 / 0.5)
    assert found.detail["unknown_high"] == pytest.approx(0.5 / (50 / 120))
    listed = measured("selection_rate", LEVEL, groups | {"(unknown)": unknown})["(unknown)"]
    assert (listed.value, listed.n) == (0, 20)


@pytest.mark.slow
def test_d7_where_rates_are_equal_the_joint_intervals_hold_no_difference():
    """Fairlearn's lower bound of the largest difference was above 0 in 40 of 40 runs."""
    rng = np.random.default_rng(7)
    runs, held = 400, 0
    for _ in range(runs):
        chosen = rng.binomial((700, 200, 100), 0.3)
        groups = decided(**dict(zip("abc", zip(chosen, (700, 200, 100), strict=True), strict=True)))
        found = measured("selection_rate", DIFFERENCE, groups).values()
        held += all(item.family_low <= 0 <= item.family_high for item in found)
    assert held >= 0.95 * runs


# Admitted and rejected men and women of Berkeley's six largest departments in 1973.
BERKELEY = (
    ((512, 313), (89, 19)),
    ((353, 207), (17, 8)),
    ((120, 205), (202, 391)),
    ((138, 279), (131, 244)),
    ((53, 138), (94, 299)),
    ((22, 351), (24, 317)),
)


def test_d8_conditional_demographic_disparity_is_averaged_over_departments():
    """AIF360 averages over the protected groups: −0.0272; smclarify has −0.0193 for women."""
    table = np.zeros((2, len(BERKELEY) + 2, 3, 3), np.int64)
    for department, groups in enumerate(BERKELEY):
        for group, (admitted, rejected) in enumerate(groups):
            table[group, department, :2, 2] = rejected, admitted
    strata = Strata("department", (*"ABCDEF", "(unknown)", "(unmapped)"), table)
    whole = table.sum(axis=1)
    sexes = ("men", "women")
    pair = GroupPair("sex", sexes, whole, whole, 0, Effect.FAVOURABLE, Band(), strata=strata)
    (measure,) = (
        item for item in CONDITIONAL if item.about.id == "selection_rate_conditional_difference"
    )
    detail = measure.measure(pair)["women"].detail
    applicants = table[1].sum(axis=(-2, -1)) + table[0].sum(axis=(-2, -1))
    by_hand = [
        women[1] / (men[1] + women[1]) - women[0] / (men[0] + women[0]) for men, women in BERKELEY
    ]
    expected = np.average(by_hand, weights=applicants[:6])
    assert detail["conditional_demographic_disparity"] == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(-0.0193, abs=5e-5)


def test_d9_small_groups_are_listed_with_their_counts():
    """fairpipe drops them from the value, the interval and the list of groups."""
    groups = decided(a=(600, 2000), b=(60, 250), c=(9, 20), d=(2, 10))
    rates = measured("selection_rate", LEVEL, groups)
    assert {name: rate.n for name, rate in rates.items()} == {"a": 2000, "b": 250, "c": 20, "d": 10}
    ratios = measured("selection_rate", RATIO, groups)
    assert isinstance(ratios["b"], Estimate)
    for name, told in (("c", "9 positive decisions of 20"), ("d", "2 positive decisions of 10")):
        assert ratios[name].reason is Absence.INSUFFICIENT_DATA
        assert told in ratios[name].explanation


@pytest.mark.slow
def test_d10_a_baseline_has_errors_of_its_own():
    """ "Worse than the baseline" is found in half of the windows in which nothing has changed."""
    rng = np.random.default_rng(10)
    sizes = (1000, 100)
    (change,) = measures_of(RATES["selection_rate"])[CHANGE:]
    windows, found, worse = 1000, 0, 0
    for _ in range(windows):
        sides = [
            np.array(
                list(
                    decided(**dict(zip("ab", zip(drawn, sizes, strict=True), strict=True))).values()
                )
            )
            for drawn in rng.binomial(sizes, 0.3, (2, 2))
        ]
        pair = GroupPair("p", ("a", "b"), *sides, 0, Effect.FAVOURABLE, Band())
        estimate = change.measure(pair)["b"]
        found += estimate.p_value < 0.05
        worse += estimate.value < 0
    assert found <= 0.05 * windows
    assert worse > 0.45 * windows


def test_d11_ages_are_cut_where_the_policy_says_and_not_where_the_batch_does(tmp_path):
    """Fairlearn makes each age a group of its own; Aequitas cuts at the quartiles of the batch."""
    text = """
model: credit
source: {path: log, event_time: at}
fields: {income: numeric}
decision: {column: approved, positive: [1], positive_is: favourable}
schedule: {window: day}
populations: {age: {bins: [25, 40]}}
"""
    path = tmp_path / "credit.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_policy(path).attributes["age"].bins == (25.0, 40.0)
    path.write_text(text.replace("[25, 40]", "quartiles"), encoding="utf-8")
    with pytest.raises(ConfigError):
        load_policy(path)


def test_d12_ratios_are_of_counts_and_not_of_rounded_rates():
    """DALEX rounds rates to three decimals first: .00246 and .00254 would be .002 and .003."""
    groups = decided(a=(2540, 1_000_000), b=(2460, 1_000_000))
    found = measured("selection_rate", RATIO, groups)["b"]
    assert found.value == pytest.approx(2460 / 2540, rel=1e-15)
    assert round(0.002460, 3) / round(0.002540, 3) != pytest.approx(found.value, abs=0.1)
