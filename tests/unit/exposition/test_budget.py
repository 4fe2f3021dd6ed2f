"""Which series stay when a model has more than it may have."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Band
from monitor.domain.manifest import Accounting
from monitor.engine.alarms import ModelAlarms
from monitor.exposition.render import render

OUTCOMES = {
    "well": (0.01, Verdict.OK, Reason.WITHIN),
    "near": (0.09, Verdict.OK, Reason.WITHIN),
    "unknown": (None, Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA),
    "warned": (0.15, Verdict.WARNING, Reason.BEYOND_WARNING),
    "bad": (0.30, Verdict.CRITICAL, Reason.BEYOND_CRITICAL),
    "worse": (0.90, Verdict.CRITICAL, Reason.BEYOND_CRITICAL),
}
WORST_FIRST = ["calling", "worse", "bad", "warned", "unknown", "near", "well", "unjudged"]


def judged(make, name, value, verdict, reason):
    result = Unmeasurable(Absence.INSUFFICIENT_DATA, "3 rows", 3)
    if value is not None:
        result = Estimate(value, 900, 900, low=value, high=value)
    return make.finding(make.reading("psi", result, field=name), verdict, reason)


@pytest.fixture
def shown(make):
    """Return a model with a feature of every grade."""
    findings = [judged(make, name, *outcome) for name, outcome in OUTCOMES.items()]
    findings.append(judged(make, "calling", *OUTCOMES["well"]))
    readings = [item.reading for item in findings]
    readings.append(make.reading("psi", Estimate(5.0, 900, 900), field="unjudged"))
    run = make.run(readings, findings, accounting=Accounting(5_000, {"1": 4_990}))
    alarms = {findings[-1].fingerprint: Alarm(AlarmState.WARNING, 2, 3)}
    return make.snapshot(run, alarms=ModelAlarms(found={run.window: alarms}))


@pytest.fixture
def page(make):
    def parse(snapshot, most=None):
        text = render([snapshot], make.build, make.families, most).text().decode()
        return [
            (sample.name.removeprefix("modelmon_"), sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]

    return parse


def features(series):
    return {labels["feature"] for _, labels, _ in series if "feature" in labels}


def told(series, name, **labels):
    (found,) = [
        value for each, of, value in series if each == name and labels.items() <= of.items()
    ]
    return found


@pytest.mark.slow
def test_the_worst_stay_one_after_the_other(page, shown):
    seen = [features(page(shown, most)) for most in range(4, 250)]
    assert all(before <= after for before, after in pairwise(seen))
    orders = sorted({tuple(sorted(kept)) for kept in seen}, key=len)
    expected = [tuple(sorted(WORST_FIRST[:number])) for number in range(len(WORST_FIRST) + 1)]
    assert orders == [kept for kept in expected if kept in orders]
    assert orders[-1] == expected[-1]
    assert len(orders) == len(expected)


def test_what_fires_stays_though_the_latest_window_says_nothing_of_it(page, make, shown):
    gone = make.finding(make.reading("psi", Estimate(0.3, 900), field="gone"))
    firing = replace(shown, alerts=(make.alert(gone, Verdict.CRITICAL),))
    most = len(page(firing)) - 30
    features = {labels["feature"] for _, labels, _ in page(firing, most) if "feature" in labels}
    assert "gone" in features
    assert "well" not in features


@pytest.mark.slow
def test_what_is_left_out_is_counted_and_the_rest_is_as_it_was(page, shown):
    whole = page(shown)
    number = told(whole, "series", model="credit")
    for most in range(60, int(number) + 3):
        kept = page(shown, most)
        gone = told(kept, "series_dropped", reason="limit")
        assert told(kept, "series_limit") == most
        # The whole page has no series_limit.
        assert told(kept, "series") + gone == number + 1
        assert (gone > 0) == (most < number + 1)
        assert told(kept, "series") == sum("model" in labels for _, labels, _ in kept)
        counting = {"series", "series_limit", "series_dropped"}
        assert all(one in whole for one in kept if one[0] not in counting)


@pytest.mark.slow
def test_a_feature_stays_or_goes_as_a_whole(page, shown):
    whole = page(shown)
    for most in range(4, 250, 7):
        kept = page(shown, most)
        for feature in features(kept):
            of = [one for one in whole if one[1].get("feature") == feature]
            assert all(one in kept for one in of)


def test_what_is_of_the_model_as_a_whole_stays_even_if_it_is_too_much(page, shown):
    kept = page(shown, 4)
    assert not features(kept)
    assert told(kept, "series") > 4
    assert told(kept, "features_drifted") == 3
    assert told(kept, "findings", check="psi", verdict="critical") == 2
    assert told(kept, "check_runs_total") == 6


@pytest.mark.slow
def test_of_groups_the_one_farthest_from_the_band_stays(page, make):
    groups = {"near": 0.79, "far": 0.2, "above": 1.5}
    findings = [
        make.finding(
            make.reading(
                "selection_rate_ratio", Estimate(ratio, 900, 900), population="sex", group=name
            ),
            Verdict.CRITICAL,
            Reason.BREACH,
            Band(),
        )
        for name, ratio in groups.items()
    ]
    shown = make.snapshot(
        make.run(
            [item.reading for item in findings],
            findings,
            accounting=Accounting(5_000, {"1": 4_990}),
        )
    )
    whole = page(shown)
    kept = [
        {labels["group"] for _, labels, _ in page(shown, most) if "group" in labels}
        for most in range(4, len(whole) + 2)
    ]
    assert sorted({tuple(sorted(one)) for one in kept}, key=len) == [
        (),
        ("far",),
        ("above", "far"),
        ("above", "far", "near"),
    ]
    # The limit that they share is nobody's own.
    assert told(page(shown, 4), "disparity_threshold", bound="low") == 0.8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.dictionaries(st.text(min_size=1), st.sampled_from(sorted(OUTCOMES)), max_size=8),
    st.integers(4, 250),
    st.randoms(use_true_random=False),
)
def test_the_order_of_findings_makes_no_difference(make, found, most, random):
    findings = [judged(make, name, *OUTCOMES[grade]) for name, grade in found.items()]
    mixed = random.sample(findings, len(findings))
    one, other = (
        render(
            [make.snapshot(make.run([item.reading for item in each], each))],
            make.build,
            make.families,
            most,
        ).text()
        for each in (findings, mixed)
    )
    assert one == other
