from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.disparity import (
    OF_CHANGE,
    OF_DIFFERENCE,
    OF_RATIO,
    judge_disparity,
    metric_of,
    sides_of,
)
from monitor.alerts.findings import findings_of
from monitor.domain.disparity import DisparityLimits
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Decision, Effect, Population
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Band
from monitor.domain.reading import Reading, Subject
from monitor.measures.disparity.rate import Harm
from tests.stored import a_policy

WOMEN = Subject("credit", "1", population="sex", group="f", reference_group="m")
CHANGE = DisparityLimits().band_of_change(Band())


def reading(result, measure="selection_rate_ratio", subject=WOMEN):
    return Reading(measure, subject, result)


def judged(result, effect, band=None):
    side = sides_of(effect)["selection_rate"]
    return judge_disparity(reading(result), band or Band(), side, OF_RATIO)


def ratio(value, low, high, p=0.5, p_adjusted=0.5, family=None, then=0.5, now=None):
    family_low, family_high = family or (low, high)
    return Estimate(
        value,
        500,
        500,
        low=low,
        high=high,
        then=then,
        now=then * value if now is None else now,
        p_value=p,
        p_adjusted=p_adjusted,
        family_low=family_low,
        family_high=family_high,
    )


CASES = [
    # A favourable decision given too seldom.
    (Effect.FAVOURABLE, ratio(0.5, 0.4, 0.6, 0.001, 0.002, (0.35, 0.7)), Reason.BREACH),
    (Effect.FAVOURABLE, ratio(0.7, 0.6, 0.9, 0.01, 0.03), Reason.SUSPECTED),
    (Effect.FAVOURABLE, ratio(0.84, 0.74, 0.96, 0.009, 0.057), Reason.REVIEW),
    (Effect.FAVOURABLE, ratio(1.0, 0.9, 1.1), Reason.WITHIN),
    (Effect.FAVOURABLE, ratio(0.7, 0.4, 1.2), Reason.INCONCLUSIVE),
    # A favourable decision given more often harms nobody of that group.
    (Effect.FAVOURABLE, ratio(1.6, 1.4, 1.8, 1e-9, 1e-9), Reason.WITHIN),
    # The same numbers of a harmful decision.
    (Effect.HARMFUL, ratio(1.6, 1.4, 1.8, 1e-9, 1e-9), Reason.BREACH),
    (Effect.HARMFUL, ratio(1.3, 1.1, 1.5, 0.001, 0.01), Reason.SUSPECTED),
    (Effect.HARMFUL, ratio(1.1, 1.02, 1.2, 0.01, 0.2), Reason.REVIEW),
    (Effect.HARMFUL, ratio(0.5, 0.4, 0.6, 1e-9, 1e-9), Reason.WITHIN),
    # Ten times as often, but half a percentage point apart: chance or not, it does not matter.
    (Effect.HARMFUL, ratio(10.0, 5.0, 20.0, 1e-9, 1e-9, then=0.0005), Reason.REVIEW),
]


@pytest.mark.parametrize(("effect", "estimate", "expected"), CASES)
def test_disparity_is_judged_on_the_side_that_harms(effect, estimate, expected):
    assert judged(estimate, effect).reason is expected


def test_only_breach_is_critical_and_inconclusive_is_not_ok():
    verdicts = {
        found.reason: found.verdict
        for effect, estimate, _ in CASES
        for found in [judged(estimate, effect)]
    }
    assert verdicts == {
        Reason.BREACH: Verdict.CRITICAL,
        Reason.SUSPECTED: Verdict.WARNING,
        Reason.REVIEW: Verdict.OK,
        Reason.WITHIN: Verdict.OK,
        Reason.INCONCLUSIVE: Verdict.UNKNOWN,
    }


def test_an_undefined_ratio_is_unknown():
    absent = Unmeasurable(Absence.UNDEFINED, "nobody was selected")
    assert judged(absent, Effect.HARMFUL).verdict is Verdict.UNKNOWN


def change(value, spread=0.02, p=1e-9):
    ends = value - spread, value + spread
    return Estimate(
        value,
        5000,
        5000,
        low=ends[0],
        high=ends[1],
        p_value=p,
        p_adjusted=p,
        family_low=ends[0],
        family_high=ends[1],
        then=1.0,
        now=exp(value),
    )


@pytest.mark.parametrize(
    ("side", "estimate", "expected"),
    [
        (Harm.LOW, change(log(0.7)), Reason.BREACH),
        (Harm.LOW, change(log(0.88), 0.05, 0.001), Reason.SUSPECTED),
        (Harm.LOW, change(log(0.95)), Reason.REVIEW),
        (Harm.LOW, change(log(1.5)), Reason.WITHIN),
        (Harm.LOW, change(log(0.88), 0.3, 0.4), Reason.INCONCLUSIVE),
        (Harm.HIGH, change(log(1.3)), Reason.BREACH),
        (Harm.HIGH, change(log(0.5)), Reason.WITHIN),
    ],
)
def test_a_ratio_may_get_a_tenth_worse_on_the_harmful_side(side, estimate, expected):
    found = judge_disparity(reading(estimate), CHANGE, side, OF_CHANGE)
    assert found.reason is expected, found.explanation


def test_a_change_that_is_not_shown_is_no_alarm_and_not_unknown():
    found = judge_disparity(reading(change(log(0.88), 0.3, 0.4)), CHANGE, Harm.LOW, OF_CHANGE)
    assert (found.verdict, found.reason) == (Verdict.OK, Reason.INCONCLUSIVE)


def test_what_harms_on_either_side_is_judged_on_the_one_it_lies_on():
    reasons = [
        judge_disparity(reading(item), Band(), Harm.EITHER, OF_RATIO).reason
        for item in (
            ratio(0.5, 0.4, 0.6, 0.001, 0.002),
            ratio(1.6, 1.4, 1.8, 0.001, 0.002),
            ratio(1.0, 0.9, 1.1),
            ratio(1.0, 0.7, 1.1),
        )
    ]
    assert reasons == [Reason.BREACH, Reason.BREACH, Reason.WITHIN, Reason.INCONCLUSIVE]


@given(st.floats(0.05, 20), st.floats(0.01, 0.5), st.floats(0, 1), st.sampled_from(Harm))
def test_the_two_sides_mirror_each_other(value, spread, p, side):
    """The logarithm of a ratio on one side is judged as its negative is on the other."""
    mirrored = {Harm.LOW: Harm.HIGH, Harm.HIGH: Harm.LOW, Harm.EITHER: Harm.EITHER}[side]
    one = judge_disparity(reading(change(log(value), spread, p)), CHANGE, side, OF_CHANGE)
    other = judge_disparity(reading(change(-log(value), spread, p)), CHANGE, mirrored, OF_CHANGE)
    assert one.reason is other.reason


@pytest.mark.parametrize(
    ("measure", "metric", "kind"),
    [
        ("selection_rate_ratio", "selection_rate", OF_RATIO),
        ("selection_rate_ratio_change", "selection_rate", OF_CHANGE),
        ("selection_rate_difference", "selection_rate", OF_DIFFERENCE),
        ("calibration_ratio_ratio", "calibration_ratio", OF_RATIO),
        ("selection_rate", "selection_rate", None),
    ],
)
def test_a_measure_says_which_metric_it_is_of(measure, metric, kind):
    assert metric_of(measure) == (metric, kind)


POLICY = replace(
    a_policy(),
    decision=Decision("flag", ("1",), effect=Effect.HARMFUL),
    populations=(Population(("sex",)),),
)
UNDEFINED = Unmeasurable(Absence.UNDEFINED, "none of the 500 rows of m has a positive decision")


def found(policy, *readings):
    return {item.reading.measure: item for item in findings_of(readings, policy)}


def test_ratio_and_change_are_judged_and_the_difference_where_there_is_no_ratio():
    difference = reading(
        ratio(0.05, 0.03, 0.08, 1e-6, 1e-6, then=0.0, now=0.05), "selection_rate_difference"
    )
    moved = reading(change(log(1.5)), "selection_rate_ratio_change")
    level = reading(ratio(0.3, 0.2, 0.4), "selection_rate")
    usual = found(POLICY, level, reading(ratio(1.6, 1.4, 1.8, 1e-9, 1e-9)), difference, moved)
    assert {name: item.reason for name, item in usual.items()} == {
        "selection_rate_ratio": Reason.BREACH,
        "selection_rate_ratio_change": Reason.BREACH,
    }
    nobody = found(POLICY, reading(UNDEFINED), difference)
    assert nobody["selection_rate_ratio"].reason is Reason.UNDEFINED
    assert nobody["selection_rate_difference"].reason is Reason.BREACH
    assert nobody["selection_rate_difference"].limit == Band(low=-0.01, high=0.01)


def test_where_nobody_at_all_was_selected_nothing_is_found():
    nothing = reading(
        ratio(0.0, -0.01, 0.005, 1.0, 1.0, then=0.0, now=0.0), "selection_rate_difference"
    )
    nobody = found(POLICY, reading(UNDEFINED), nothing)
    assert nobody["selection_rate_ratio"].verdict is Verdict.UNKNOWN
    assert nobody["selection_rate_difference"].verdict is Verdict.OK


def test_change_is_judged_against_the_registered_baseline_and_only_if_it_is_asked_for():
    moved = change(log(1.5))
    against = reading(moved, "selection_rate_ratio_change", replace(WOMEN, reference="last week"))
    assert found(POLICY, against) == {}
    never = replace(POLICY, disparity=DisparityLimits(change=None))
    assert found(never, reading(moved, "selection_rate_ratio_change")) == {}


def test_a_population_and_a_metric_have_bands_of_their_own():
    limits = DisparityLimits(
        populations={"sex": Band(high=1.05, min_rows=7)},
        metrics={"selection_rate": Band(high=3.0)},
    )
    assert limits.band(Band(), "sex") == Band(high=1.05, min_rows=7)
    assert limits.band(Band(), "sex", "selection_rate") == Band(high=3.0, min_rows=7)
    assert limits.band(Band(), "age", "false_positive_rate") == Band()
    double = reading(ratio(1.6, 1.4, 1.8, 1e-9, 1e-9))
    assert found(replace(POLICY, disparity=limits), double)["selection_rate_ratio"].reason is (
        Reason.REVIEW
    )
    assert found(POLICY, double)["selection_rate_ratio"].limit == Band()


def test_without_a_decision_either_side_harms_unless_it_is_always_the_same():
    sides = sides_of(None)
    assert (sides["group_mae"], sides["group_auc"]) == (Harm.HIGH, Harm.LOW)
    assert sides["group_mean_score"] is sides["group_mean_error"] is Harm.EITHER


def test_a_metric_without_a_ratio_is_judged_by_the_difference_that_is_tolerated():
    apart = reading(ratio(3.0, 2.6, 3.4, 1e-9, 1e-9, then=20.0, now=23.0), "group_mae_difference")
    assert found(POLICY, apart) == {}
    tolerant = replace(POLICY, disparity=DisparityLimits(differences={"group_mae": 5.0}))
    assert found(tolerant, apart)["group_mae_difference"].reason is Reason.REVIEW
    strict = replace(POLICY, disparity=DisparityLimits(differences={"group_mae": 2.0}))
    judged_so = found(strict, apart)["group_mae_difference"]
    assert judged_so.reason is Reason.BREACH
    assert judged_so.limit == Band(low=-2.0, high=2.0, min_difference=0.0)
    smaller = reading(ratio(-3.0, -3.4, -2.6, 1e-9, 1e-9), "group_mae_difference")
    assert found(strict, smaller)["group_mae_difference"].reason is Reason.WITHIN
