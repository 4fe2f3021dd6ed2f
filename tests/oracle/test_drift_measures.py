"""Drift statistics against published values and scipy on the raw data."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitor.domain.field import Field, FieldKind
from monitor.measures.drift import ks as ks_module
from monitor.measures.drift import psi as psi_module
from monitor.measures.drift import wasserstein as wasserstein_module
from monitor.measures.drift.cramers_v import association
from monitor.measures.drift.hellinger import hellinger
from monitor.measures.drift.js_distance import js_distance
from monitor.measures.drift.l_infinity import l_infinity
from monitor.measures.drift.psi import psi
from monitor.measures.grouping import grouped
from monitor.measures.measure import FieldPair
from monitor.profile.counts import NumericCounts
from monitor.profile.draft import numeric_grid
from monitor.profile.kernel import count_numbers

pytestmark = pytest.mark.oracle

WORKED = json.loads((Path(__file__).parent / "data" / "drift_worked_values.json").read_text())
MANY = 10**9  # rows: so many that the half row of smoothing is beyond the digits compared


def numbers(reference, current):
    grid = numeric_grid(np.asarray(reference, np.float64))
    sides = []
    for values in (reference, current):
        counts = NumericCounts.empty(grid)
        count_numbers(counts, grid, pa.array(np.asarray(values, np.float64)))
        sides.append(counts)
    return FieldPair(Field("x", "x", FieldKind.NUMERIC), grid, *sides)


def test_psi_equals_driftkits_smoothed_example():
    worked = WORKED["driftkit README"]
    assert psi([1000] * 10, worked["cur_counts"]) == pytest.approx(worked["psi"], rel=1e-12)
    rng = np.random.default_rng(0)
    pair = numbers(rng.normal(700, 50, 10_000), rng.normal(660, 60, 10_000))
    groups = grouped(pair)
    assert groups.reference.tolist() == [1000] * 10
    # Its deciles are interpolated, ours are values of the baseline: a row between them moves over.
    assert np.abs(groups.current - worked["cur_counts"]).max() <= 1
    assert psi_module.measure(pair).value == pytest.approx(worked["psi"], rel=1e-3)


def test_psi_equals_the_examples_without_smoothing_where_there_are_many_rows():
    reference, current = [253, 302, 204, 134, 72, 26, 8], [177, 262, 285, 158, 88, 25, 6]
    scaled = psi(np.array(reference) * MANY, np.array(current) * MANY)
    assert scaled == pytest.approx(WORKED["psi_inference README"]["psi"], rel=1e-7)
    shares = np.array([0.85, 0.05, 0.05, 0.05])
    assert psi(shares * MANY, np.full(4, 0.25) * MANY) == pytest.approx(
        WORKED["popmon psi"], rel=1e-7
    )
    assert WORKED["popmon psi"] == pytest.approx(sum(WORKED["popmon kl"]))


def test_psi_of_two_normals_nears_its_closed_form():
    cuts = stats.norm.ppf(np.arange(1, 4000) / 4000)
    shares = [np.diff(stats.norm.cdf(cuts, mean), prepend=0, append=1) for mean in (0, 1)]
    assert psi(*(share * 1e12 for share in shares)) == pytest.approx(1.0, rel=2e-3)


def test_js_distance_equals_tfdvs_divergences():
    worked = WORKED["tfdv js"]
    assert js_distance([2, 2, 0, 0], [0, 1, 1, 2]) ** 2 == pytest.approx(worked["a"])
    assert js_distance([1, 3], [0, 4]) ** 2 == pytest.approx(worked["nan"])
    assert js_distance([2, 2, 1, 0, 0, 0], [0, 2, 0, 1, 1, 1]) ** 2 == pytest.approx(worked["rank"])


def test_js_distance_equals_scipy():
    rng = np.random.default_rng(30)
    for _ in range(50):
        p, q = rng.integers(0, 40, (2, 12))
        assert js_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-9)


def test_l_infinity_equals_tfdvs_examples():
    assert l_infinity([1, 9], [3, 7]) == pytest.approx(0.2)
    assert l_infinity([0, 9, 1], [3, 7, 0]) == pytest.approx(0.3)


def test_hellinger_equals_evidentlys_example():
    expected = WORKED["evidently hellinger"]
    assert hellinger([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]) == pytest.approx(expected)


def test_chi_square_is_that_of_two_samples():
    observed, other = [16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]
    found = association(other, observed)
    assert (found.chi2, found.p_value) == pytest.approx(
        WORKED["evidently chi2 (correct two-sample)"]
    )
    doubled = association(other, np.array(observed) * 2)
    assert (doubled.chi2, doubled.p_value) == pytest.approx(WORKED["same, ref doubled"])


def test_chi_square_equals_scipy():
    rng = np.random.default_rng(31)
    for _ in range(30):
        table = rng.integers(1, 60, (2, 7))
        expected = stats.chi2_contingency(table, correction=False)
        found = association(*table)
        assert (found.chi2, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_cramers_v_equals_deepchecks_example_but_for_its_continuity_correction():
    found = association([200, 800], [400, 600])
    yates = stats.chi2_contingency([[200, 800], [400, 600]]).statistic
    ours = found.v * np.sqrt((yates / 2000 - 1 / 1999) / (found.chi2 / 2000 - 1 / 1999))
    assert ours == pytest.approx(WORKED["deepchecks cramers v"], rel=1e-9)


SAMPLES = {
    "normal": lambda rng: (rng.normal(0, 1, 8000), rng.normal(0.2, 1.1, 3000)),
    "no change": lambda rng: (rng.normal(0, 1, 8000), rng.normal(0, 1, 3000)),
    "heavy tails": lambda rng: (rng.pareto(2.5, 8000), rng.pareto(2.2, 3000)),
    "spike at zero": lambda rng: (
        rng.exponential(1, 8000) * (rng.random(8000) < 0.6),
        rng.exponential(1, 3000) * (rng.random(3000) < 0.5),
    ),
    "whole numbers": lambda rng: (rng.poisson(30, 8000), rng.poisson(31, 3000)),
    "few values": lambda rng: (rng.integers(0, 5, 8000), rng.integers(0, 6, 3000)),
    "all beyond": lambda rng: (rng.normal(0, 1, 8000), rng.normal(50, 1, 3000)),
    "constant": lambda rng: (np.full(100, 3.0), rng.normal(3, 1, 3000)),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_ks_of_the_raw_values_lies_between_what_is_seen_and_what_is_possible(case):
    reference, current = SAMPLES[case](np.random.default_rng(32))
    found = ks_module.measure(numbers(reference, current))
    expected = stats.ks_2samp(reference, current, method="asymp")
    assert found.value - 1e-12 <= expected.statistic <= found.detail["most"] + 1e-12
    assert found.value == pytest.approx(expected.statistic, abs=5e-3)
    if case in {"whole numbers", "few values"}:
        assert found.value == pytest.approx(expected.statistic, abs=1e-12)
        assert found.detail["most"] == pytest.approx(found.value)


def test_ks_p_value_is_close_to_scipys():
    reference, current = SAMPLES["no change"](np.random.default_rng(33))
    found = ks_module.measure(numbers(reference, current))
    expected = stats.ks_2samp(reference, current, method="asymp")
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.1)


def test_ks_equals_the_frouros_example():
    state = np.random.RandomState(31)  # the published example uses this generator
    reference, current = state.normal(0, 1, 100), state.normal(1, 1, 100)
    statistic, _ = WORKED["frouros docs KS"]
    found = ks_module.measure(numbers(reference, current))
    assert found.value == pytest.approx(statistic, abs=1e-12)
    area = wasserstein_module.measure(numbers(reference, current))
    assert area.value * area.detail["scale"] == pytest.approx(
        WORKED["frouros docs Wasserstein"], rel=1e-3
    )


@pytest.mark.parametrize("case", SAMPLES)
def test_wasserstein_equals_scipy_on_the_raw_values(case):
    reference, current = SAMPLES[case](np.random.default_rng(34))
    found = wasserstein_module.measure(numbers(reference, current))
    expected = stats.wasserstein_distance(reference, current) / found.detail["scale"]
    # Cells in which the two distributions cross are all that is lost.
    assert found.value <= expected * (1 + 1e-9)
    assert found.value == pytest.approx(expected, rel=2e-3, abs=2e-3)
    assert found.low <= expected <= found.high


@pytest.mark.slow
@pytest.mark.parametrize("rows", [100, 1000, 20_000])
def test_psi_lower_bound_keeps_its_level_at_the_limit(rows):
    # Shares whose true PSI against ten equal groups is 0.1.
    tilt = np.linspace(-1, 1, 10)

    def shares(strength):
        raw = np.exp(strength * tilt)
        return raw / raw.sum()

    strength = next(
        s
        for s in np.linspace(0, 1, 4001)
        if np.sum((shares(s) - 0.1) * np.log(shares(s) * 10)) >= 0.1
    )
    rng = np.random.default_rng(35)
    sizes = {}
    for name, truth in (("limit", shares(strength)), ("null", np.full(10, 0.1))):
        alarms = 0
        for _ in range(600):
            reference = rng.multinomial(20_000, np.full(10, 0.1))
            current = rng.multinomial(rows, truth)
            pair = psi(reference, current)
            n_eff = 20_000 * rows / (20_000 + rows)
            low = float(psi_module.noncentrality(n_eff * pair, 9, psi_module.LEVEL).low) / n_eff
            alarms += low > 0.1
        sizes[name] = alarms / 600
    assert sizes["null"] <= 0.005
    assert 0.02 <= sizes["limit"] <= 0.075
