import math

import numpy as np
import pytest
from scipy.integrate import quad

from monitor.alerts.detector import calibrated, detections, e_value
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.reading import Reading, Subject


def finding(p_value, measure="psi", verdict=Verdict.OK, severity=Verdict.WARNING):
    evidence = {severity: Evidence(0.1, 0.0, 30, p_value, 1.0, 9)}
    reading = Reading(measure, Subject("m", "1", "x"), Estimate(0.1, 100))
    return Finding(reading, Limit(0.1, 0.25), verdict, Reason.WITHIN, "", evidence)


def test_the_evidence_of_a_uniform_p_value_is_one_on_average():
    low, _ = quad(calibrated, 1e-12, 1e-3, limit=500)
    rest, _ = quad(calibrated, 1e-3, 1)
    beneath = 1 / -math.log(1e-12)  # the integral from 0 is −1 / ln p, to first order
    assert low + rest + beneath == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("p", [1e-6, 1e-3, 0.05, 0.5, 0.9, 0.995])
def test_it_is_the_mixture_of_power_calibrators(p):
    mixture, _ = quad(lambda k: k * p ** (k - 1), 0, 1)
    assert calibrated(p) == pytest.approx(mixture, rel=1e-6)


def test_it_falls_is_finite_at_zero_and_a_half_at_one():
    p = np.concatenate([[0.0], np.logspace(-300, 0, 400)])
    evidence = [calibrated(item) for item in p.tolist()]
    assert all(np.isfinite(evidence))
    assert all(np.diff(evidence) <= 1e-9)
    assert evidence[-1] == 0.5
    assert calibrated(1 - 1e-3) == pytest.approx(calibrated(1 - 1.001e-3), abs=1e-6)


def test_a_window_is_the_mean_over_its_tested_measures_of_drift():
    findings = [finding(0.01), finding(1.0), finding(1e-9, "missing_rate")]
    assert e_value(findings) == pytest.approx((calibrated(0.01) + 0.5) / 2)
    assert e_value([finding(0.01, severity=Verdict.CRITICAL)]) == calibrated(0.01)


def test_a_window_in_which_nothing_was_tested_has_no_evidence():
    untested = finding(0.01)
    unknown = Finding(untested.reading, untested.limit, Verdict.UNKNOWN, Reason.NO_DATA, "")
    assert e_value([unknown]) is None
    assert e_value([]) is None


def test_evidence_is_gathered_until_it_is_enough_and_then_begins_anew():
    found = detections([2.0, None, 3.0, 0.5, 0.0], 9.0)
    assert [item.statistic for item in found] == [2.0, 2.0, 9.0, 0.5, 0.0]
    assert [item.firing for item in found] == [False, False, True, False, False]


@pytest.mark.slow
def test_the_mean_time_between_false_alarms_is_at_least_what_was_asked_for():
    # 20,000 windows of 10 fields whose p-values are uniform: the worst that the promise allows.
    rng = np.random.default_rng(11)
    p = rng.random((20_000, 10))
    values = [float(np.mean([calibrated(item) for item in row])) for row in p.tolist()]
    bound = 365.2425
    alarms = sum(item.firing for item in detections(values, bound))
    assert 20_000 / max(alarms, 1) >= bound
    loose = detections(values, 30.0)
    assert 20_000 / sum(item.firing for item in loose) >= 30


def test_drift_in_one_of_ten_fields_is_found_within_days(record_property):
    rng = np.random.default_rng(12)
    delays = []
    for _ in range(50):
        p = rng.random((60, 10))
        p[:, 0] = rng.random(60) * 1e-5
        values = [float(np.mean([calibrated(item) for item in row])) for row in p.tolist()]
        fired = [item.firing for item in detections(values, 365.2425)]
        delays.append(fired.index(True) + 1)
    record_property("windows until the alarm", float(np.mean(delays)))
    assert np.mean(delays) <= 3
