"""The number of false alarms is a promise: a small version of benchmarks/alarms."""

import numpy as np
import pytest

from monitor.alerts.detector import calibrated, detections
from monitor.config.defaults import DEFAULT_ALARMS, DEFAULT_LIMITS
from monitor.domain.policy import FieldLimit
from monitor.measures.drift.psi import indices
from monitor.uncertainty.divergence import exceedance
from tests.statistics.streams import Stream, deciles, firing, shares, shift_of

pytestmark = pytest.mark.slow

TOLERATED = DEFAULT_LIMITS["psi"].warning
LIMITS = {"psi": FieldLimit(DEFAULT_LIMITS["psi"])}
DF = 9
ONE_A_YEAR = 365.2425
"""Daily windows between two calls of a detector that may be wrong once a year."""


def p_values(rng, *, reference, rows, true, samples):
    """Return the p-values of "the true index is tolerated" of many baselines and windows."""
    cuts = deciles(rng, reference, (samples,))
    whole = np.full((samples, DF + 1), reference / (DF + 1))
    shift = shift_of(true) if true else 0.0
    current = rng.multinomial(rows, shares(cuts, np.full(samples, shift)))
    n_eff = reference * rows / (reference + rows)
    return exceedance(n_eff * indices(whole, current), DF, n_eff * TOLERATED)


@pytest.mark.parametrize(
    ("reference", "rows"),
    [(4_000, 200), (20_000, 1_000), (50_000, 1_000), (200_000, 10_000), (10**6, 10**6)],
)
def test_at_the_boundary_one_test_in_twenty_rejects_at_any_volume(reference, rows):
    rng = np.random.default_rng(rows)
    p = p_values(rng, reference=reference, rows=rows, true=TOLERATED, samples=8_000)
    assert 0.03 <= np.mean(p <= 0.05) <= 0.06


@pytest.mark.parametrize(
    ("reference", "rows", "power"),
    [(20_000, 1_000, 0.9), (10**6, 10**6, 0.9), (1_000, 1_000, 0.85), (4_000, 200, 0.4)],
)
def test_twice_what_is_tolerated_is_found(reference, rows, power):
    rng = np.random.default_rng(rows)
    p = p_values(rng, reference=reference, rows=rows, true=2 * TOLERATED, samples=4_000)
    assert np.mean(p <= 0.05) >= power


@pytest.mark.parametrize(
    ("reference", "rows"),
    [(200, 200), (10_000, 200), (1_000, 1_000), (50_000, 1_000), (10**6, 10**6)],
)
def test_where_nothing_changed_hardly_a_run_alarms(reference, rows):
    rng = np.random.default_rng(reference + rows)
    stream = Stream.of_days(
        rng,
        fields=40,
        days=20,
        windows=100,
        rows=rows,
        reference=max(reference // 20, 10),
        noise=0.0,
    )
    found = stream.judged(LIMITS)
    beyond = [any(item.verdict != "ok" for item in findings) for findings in found]
    assert np.mean(beyond) <= 0.05
    assert np.mean(firing(found, DEFAULT_ALARMS)) <= 0.05


@pytest.mark.parametrize(
    ("noise", "days", "rows", "most"),
    [(0.1, 28, 1_000, 0.05), (0.1, 28, 10_000, 0.05), (0.2, 28, 1_000, 0.1), (0.2, 90, 200, 0.1)],
)
def test_where_days_differ_as_they_did_in_the_baseline_few_runs_alarm(noise, days, rows, most):
    alarms = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        stream = Stream.of_days(rng, fields=40, days=days, windows=30, rows=rows, noise=noise)
        alarms.append(firing(stream.judged(LIMITS), DEFAULT_ALARMS))
    assert np.mean(alarms) <= most


def test_without_the_floor_most_runs_would():
    rng = np.random.default_rng(0)
    noisy = Stream.of_days(rng, fields=40, days=28, windows=30, rows=10_000, noise=0.2)
    calm = Stream.of_days(rng, fields=40, days=28, windows=30, rows=10_000, noise=0.0)
    unlearned = Stream(calm.baseline, noisy.windows)
    assert np.mean(firing(unlearned.judged(LIMITS), DEFAULT_ALARMS)) >= 0.5


def test_a_day_far_beyond_the_days_before_it_is_still_found():
    rng = np.random.default_rng(1)
    stream = Stream.of_days(rng, fields=40, days=28, windows=3, rows=1_000, noise=0.1)
    cuts = np.full((3, 40, DF), np.linspace(-1.28, 1.28, DF))
    moved = shares(cuts, np.where(np.arange(40) == 7, 1.0, 0.0) * np.ones((3, 1)))
    stream.windows[:, 7] = rng.multinomial(1_000, moved[:, 7])
    found = stream.judged(LIMITS)
    beyond = {item.reading.subject.field for item in found[0] if item.verdict == "critical"}
    assert "f7" in beyond


def gathered(rng, *, fields, windows, true, reference=200_000, rows=500):
    """Return whether the detector calls in each window, all fields at one true index."""
    cuts = np.broadcast_to(deciles(rng, reference, (fields,)), (windows, fields, DF))
    current = rng.multinomial(rows, shares(cuts, np.full((windows, fields), shift_of(true))))
    n_eff = reference * rows / (reference + rows)
    whole = np.full((fields, DF + 1), reference / (DF + 1))
    p = exceedance(n_eff * indices(whole, current), DF, n_eff * TOLERATED)
    values = [float(np.mean([calibrated(item) for item in row])) for row in p.tolist()]
    return [item.firing for item in detections(values, ONE_A_YEAR)]


def test_the_detector_calls_no_oftener_than_promised_at_the_worst_that_is_tolerated():
    # Four baselines, each with 5,000 days on which every field is exactly at its limit.
    rng = np.random.default_rng(3)
    calls = sum(sum(gathered(rng, fields=10, windows=5_000, true=TOLERATED)) for _ in range(4))
    assert 20_000 / max(calls, 1) >= ONE_A_YEAR


@pytest.mark.parametrize(("true", "most"), [(0.2, 4.0), (0.3, 2.0)])
def test_the_detector_calls_within_days_of_a_drift_in_five_hundred_rows(true, most):
    rng = np.random.default_rng(4)
    delays = [gathered(rng, fields=1, windows=60, true=true).index(True) + 1 for _ in range(40)]
    assert np.mean(delays) <= most
