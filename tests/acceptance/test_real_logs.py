"""The acceptance lists of the reference answers hold with default limits.

Run with ``MODELMON_ACCEPTANCE_DATA`` naming a folder with further sets to cover those as well.
"""

from functools import cache

import pytest
from msgspec.structs import replace

from monitor.alerts.findings import findings_of
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import HeldAgainst
from monitor.engine.references import pair_with_baseline
from monitor.measures.measuring import measure_all
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from tests.acceptance.real_logs import compared, datasets, opened, span

pytestmark = pytest.mark.slow

ALARM = {Verdict.WARNING, Verdict.CRITICAL}
ROLES = {"score_drift": ("score",), "prediction_drift": ("prediction",)}


def listed(kind):
    return [
        pytest.param(data.name, entry, id=f"{data.name}-{'-'.join(map(str, entry[:2]))}")
        for data in datasets()
        for entry in data.expected["acceptance"][kind]
    ]


def windows():
    return [
        pytest.param(data.name, window, id=f"{data.name}-{window['name']}")
        for data in datasets()
        for window in data.expected["windows"]
    ]


def findings(name, window, measure, field=None):
    return [
        item
        for item in compared(name, window).found()
        if item.reading.measure == measure
        and (field is None or item.reading.subject.field == field)
    ]


def readings(name, window, measure, **subject):
    return [
        item
        for result in compared(name, window).examination.results
        for item in result.readings
        if item.measure == measure
        and all(getattr(item.subject, key) == value for key, value in subject.items())
    ]


def field_of(name, listed_as):
    if listed_as not in ROLES:
        return listed_as
    policy = opened(name).policy
    return next(field.name for field in policy.fields if field.role in ROLES[listed_as])


@pytest.mark.parametrize(("name", "entry"), listed("must_alert"))
def test_what_must_alert_does(name, entry):
    window, field, _ = entry
    (found,) = findings(name, window, "psi", field_of(name, field))
    assert found.verdict in ALARM, found.explanation


@pytest.mark.parametrize(("name", "entry"), listed("must_not_page"))
def test_what_must_not_page_does_not(name, entry):
    window, field, _ = entry
    (found,) = findings(name, window, "psi", field_of(name, field))
    assert found.verdict is not Verdict.CRITICAL, found.explanation


@pytest.mark.parametrize(("name", "entry"), listed("decision_shift"))
def test_a_shift_of_decisions_is_found(name, entry):
    (found,) = findings(name, entry[0], "decision_rate")
    assert found.verdict in ALARM, found.explanation
    assert found.reading.result.then == pytest.approx(entry[1], abs=5e-5)
    assert found.reading.result.now == pytest.approx(entry[2], abs=5e-5)


@pytest.mark.parametrize(("name", "entry"), listed("label_shift"))
def test_a_shift_of_labels_is_found(name, entry):
    (found,) = findings(name, entry[0], "label_rate")
    assert found.verdict in ALARM, found.explanation
    assert found.reading.result.now == pytest.approx(entry[2], abs=5e-5)


@pytest.mark.parametrize(
    ("name", "entry"), [item for item in listed("performance") if item.values[1][1] == "roc_auc"]
)
def test_a_loss_of_auc_is_found_where_there_is_evidence(name, entry):
    (found,) = findings(name, entry[0], "auc_drop")
    result = found.reading.result
    if isinstance(result, Unmeasurable):
        assert found.reason == "insufficient_data"
        return
    # Scores in one cell are ties, which matters more where few rows crowd into few cells.
    tolerance = 3e-4 if result.n >= 1000 else 2e-3
    assert result.then == pytest.approx(entry[2], abs=tolerance)
    assert result.now == pytest.approx(entry[3], abs=tolerance)
    assert found.verdict in ALARM or result.low < 0 < result.high, found.explanation


def test_a_score_that_august_s_labels_no_longer_follow_is_concept_drift():
    (found,) = findings("taiwan_credit", "2005-08", "concept_drift")
    assert found.verdict is Verdict.CRITICAL, found.explanation
    assert found.reading.result.then == pytest.approx(0.897, abs=2e-3)
    assert found.reading.result.now == pytest.approx(0.742, abs=1e-3)
    for calm in ("2005-06", "2005-07"):
        (found,) = findings("taiwan_credit", calm, "concept_drift")
        assert found.verdict is Verdict.OK, found.explanation


@pytest.mark.parametrize(
    ("name", "window"),
    [item for item in windows() if item.values[0] in {"adult_control", "acs_ma"}],
)
def test_where_nothing_drifts_no_concept_does(name, window):
    (found,) = findings(name, window["name"], "concept_drift")
    assert found.verdict is Verdict.OK, found.explanation


EXACT = {
    name: name
    for name in ("accuracy", "precision", "recall", "f1", "brier", "log_loss", "mae", "rmse")
} | {"mean_error": "bias"}


@pytest.mark.parametrize(
    ("name", "window"), [item for item in windows() if item.values[1].get("performance")]
)
def test_performance_is_that_of_scikit_learn(name, window):
    expected = window["performance"]
    for measure, listed_as in EXACT.items():
        for reading in readings(name, window["name"], measure):
            if isinstance(reading.result, Estimate) and expected.get(listed_as) is not None:
                assert reading.result.value == pytest.approx(expected[listed_as], rel=1e-9), measure
    for reading in readings(name, window["name"], "average_precision"):
        if isinstance(reading.result, Estimate):
            detail = reading.result.detail
            assert detail["least"] <= expected["average_precision"] <= detail["most"]
    for param in listed("performance"):
        owner, (when, measure, then, now) = param.values
        if (owner, when, measure) == (name, window["name"], "mae"):
            (found,) = readings(name, when, "mae_rise")
            assert (found.result.then, found.result.now) == pytest.approx((then, now), abs=1e-3)
            assert found.result.low > 0


@pytest.mark.parametrize(("name", "window"), windows())
def test_rows_are_exact_and_accounted_for(name, window):
    accounting = compared(name, window["name"]).examination.accounting
    version = next(item.version for item in datasets() if item.name == name)
    profiled = accounting.profiled
    counted = profiled.get(version, 0) if version else sum(profiled.values())
    assert counted == window["rows"]
    assert accounting.balances


@pytest.mark.parametrize(("name", "window"), windows())
def test_missing_rates_ks_and_psi_agree_with_the_reference(name, window):
    for field, expected in window["features"].items():
        (missing,) = readings(name, window["name"], "missing_rate", field=field)
        assert missing.result.now == pytest.approx(expected["missing_cur"], abs=1e-12)
        if "ks" in expected:
            (ks,) = readings(name, window["name"], "ks", field=field)
            assert ks.result.value == pytest.approx(expected["ks"], abs=5e-3)
        (psi,) = readings(name, window["name"], "psi", field=field)
        assert isinstance(psi.result, Estimate)
        chi2 = expected.get("chi2")
        if chi2 is not None and expected["categories_ref"] > 1:
            (found,) = readings(name, window["name"], "cramers_v", field=field)
            assert isinstance(found.result, Estimate)


@pytest.mark.parametrize(("name", "window"), windows())
def test_group_counts_and_rates_are_exact(name, window):
    checked = 0
    for attribute, about in window.get("fairness", {}).items():
        for group, expected in about["groups"].items():
            named = {"0-15": "<16", "65+": "65+"}.get(group, group)
            found = readings(
                name, window["name"], "selection_rate", population=attribute, group=named
            )
            if group == "__missing__":
                continue
            (reading,) = found
            assert reading.result.n == expected["n"]
            assert reading.result.now == pytest.approx(expected["selection_rate"], abs=1e-9)
            low, high = expected["selection_rate_ci95"]
            assert (reading.result.low, reading.result.high) == (
                pytest.approx(low, abs=1e-6),
                pytest.approx(high, abs=1e-6),
            )
            checked += 1
    assert checked or "fairness" not in window


APART = {Reason.SUSPECTED, Reason.BREACH}


@cache
def judged(name, window, against):
    """Return the findings on selection rates, with another choice of the reference group."""
    model = opened(name)
    policy = replace(model.policy, held_against=against, disparity_metrics=("selection_rate",))
    baselines = model.outside.store.current_baselines(policy.model)
    found = []
    for result in compared(name, window).examination.results:
        if result.profile:
            baseline = baselines[result.version]
            profile, grid = profile_from_bytes(result.profile), grid_from_bytes(baseline.grid)
            pair = pair_with_baseline(span(window, policy), baseline, grid, profile)
            found += findings_of(measure_all(policy.model, result.version, policy, pair), policy)
    return found


def ratios(name, entry, against):
    window, population, *_ = entry
    return [
        item
        for item in judged(name, window, against)
        if item.reading.measure == "selection_rate_ratio"
        and item.reading.subject.population == population
    ]


@pytest.mark.parametrize(("name", "entry"), listed("disparity"))
def test_a_listed_disparity_is_found_where_the_evidence_allows(name, entry):
    """The lists hold the highest rate against the lowest, as the group that is best off is here."""
    found = ratios(name, entry, HeldAgainst.BEST_OFF)
    if any(item.reason in APART for item in found):
        return
    for item in found:  # beyond the band, but not beyond chance once all pairs are looked at
        result = item.reading.result
        if isinstance(result, Estimate):
            inside = item.limit.low <= result.value <= item.limit.high
            assert inside or result.p_adjusted >= item.limit.alpha, item.explanation
        else:
            assert item.reason in {Reason.INSUFFICIENT_DATA, Reason.REFERENCE_UNAVAILABLE}


def test_nearly_all_listed_disparities_are_found():
    entries = [item.values for item in listed("disparity")]
    missed = [
        (name, *entry)
        for name, entry in entries
        if not any(item.reason in APART for item in ratios(name, entry, HeldAgainst.BEST_OFF))
    ]
    assert len(missed) <= 0.1 * len(entries), missed


@pytest.mark.parametrize("against", HeldAgainst)
def test_where_there_is_no_disparity_none_is_found(against):
    found = [
        (item.values, finding.explanation)
        for item in listed("no_disparity")
        for finding in ratios(*item.values, against)
        if finding.reason in APART
    ]
    assert found == []
