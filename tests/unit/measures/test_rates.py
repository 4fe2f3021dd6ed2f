"""The rates of groups: what they count, whom they compare, and when they are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Effect, ObservedWhen
from monitor.domain.limit import Band, HeldAgainst
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import Harm
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.two_sample import same_proportion

# Decision × label in the order negative, positive, unknown: tn fn ?, fp tp ?, and undecided rows.
TABLE = np.array([[400, 60, 9], [100, 140, 8], [7, 6, 5]])


def pair(tables, then=None, **changes):
    now = np.array(list(tables.values()))
    given = {
        "population": "sex",
        "groups": tuple(tables),
        "reference": now if then is None else np.array(list(then.values())),
        "current": now,
        "reference_group": 0,
        "effect": Effect.FAVOURABLE,
        "band": Band(),
    }
    return GroupPair(**given | changes)


def measured(metric, what, of):
    places = {"level": 0, "ratio": 1, "difference": 2, "change": 3}
    return measures_of(RATES[metric])[places[what]].measure(of)


@pytest.mark.parametrize(
    ("metric", "expected", "n"),
    [
        ("selection_rate", 248 / 717, 717),
        ("non_selection_rate", 469 / 717, 717),
        ("true_positive_rate", 140 / 200, 200),
        ("false_positive_rate", 100 / 500, 500),
        ("true_negative_rate", 400 / 500, 500),
        ("false_negative_rate", 60 / 200, 200),
        ("positive_predictive_value", 140 / 240, 240),
        ("negative_predictive_value", 400 / 460, 460),
        ("false_discovery_rate", 100 / 240, 240),
        ("false_omission_rate", 60 / 460, 460),
        ("error_rate", 160 / 700, 700),
    ],
)
def test_each_rate_counts_its_own_cells(metric, expected, n):
    found = measured(metric, "level", pair({"f": TABLE}))["f"]
    assert found.value == pytest.approx(expected, abs=1e-15)
    assert found.n == n
    assert found.low < found.value < found.high


def test_every_rate_is_tested_above():
    assert len(RATES) == 11


@given(st.lists(st.integers(0, 10**6), min_size=9, max_size=9))
def test_a_rate_and_its_complement_are_one(cells):
    table = np.array(cells).reshape(3, 3)
    for one, other in (
        ("true_positive_rate", "false_negative_rate"),
        ("true_negative_rate", "false_positive_rate"),
        ("positive_predictive_value", "false_discovery_rate"),
        ("negative_predictive_value", "false_omission_rate"),
    ):
        (events, rows), (others, same_rows) = (RATES[name].count(table) for name in (one, other))
        assert events + others == rows == same_rows
        assert RATES[one].numerator.isdisjoint(RATES[other].numerator)


def test_a_complement_harms_on_the_other_side():
    flipped = {Harm.LOW: Harm.HIGH, Harm.HIGH: Harm.LOW, Harm.EITHER: Harm.EITHER}
    for one, other in (
        ("true_positive_rate", "false_negative_rate"),
        ("false_positive_rate", "true_negative_rate"),
        ("positive_predictive_value", "false_discovery_rate"),
        ("negative_predictive_value", "false_omission_rate"),
    ):
        for effect in Effect:
            assert RATES[one].harm[effect] is flipped[RATES[other].harm[effect]]


def test_counts_are_taken_of_tables_of_any_shape():
    tables = np.arange(5 * 4 * 9).reshape(5, 4, 3, 3)
    events, rows = RATES["error_rate"].count(tables)
    assert events.shape == rows.shape == (5, 4)
    assert events[2, 3] == tables[2, 3, 0, 1] + tables[2, 3, 1, 0]


@pytest.mark.parametrize("what", ["ratio", "difference", "change"])
def test_a_group_is_large_enough_in_the_rates_own_denominator_or_not_at_all(what):
    # 2,000 rows, of which 12 have a positive label.
    few = np.array([[1500, 4, 0], [488, 8, 0], [0, 0, 0]])
    of = pair({"m": 10 * TABLE, "f": few})
    assert isinstance(measured("selection_rate", what, of)["f"], Estimate)
    absent = measured("true_positive_rate", what, of)["f"]
    assert absent.reason is Absence.INSUFFICIENT_DATA
    assert absent.n == 12
    assert "f (8 true positives of 12) has 12 rows where 30 are needed" in absent.explanation


@pytest.mark.parametrize("what", ["level", "ratio", "difference", "change"])
def test_a_group_without_positive_labels_has_no_true_positive_rate(what):
    none = np.array([[400, 0, 0], [100, 0, 0], [0, 0, 0]])
    found = measured("true_positive_rate", what, pair({"m": TABLE, "f": none}))["f"]
    assert found.reason is Absence.UNDEFINED
    assert found.explanation == "no row of f has a positive label and a known decision"


def test_a_group_without_labels_waits_for_them():
    none = np.array([[0, 0, 400], [0, 0, 100], [0, 0, 0]])
    of = pair({"m": TABLE, "f": none, "x": np.zeros((3, 3), int)})
    for what in ("level", "ratio"):
        found = measured("error_rate", what, of)
        assert found["f"].reason is Absence.NO_LABELS
        assert found["x"].reason is Absence.NO_DATA


DECISIONS = "selection_rate", "non_selection_rate"


@pytest.mark.parametrize(
    ("observed", "known"),
    [
        (
            ObservedWhen.POSITIVE,
            {*DECISIONS, "positive_predictive_value", "false_discovery_rate"},
        ),
        (
            ObservedWhen.NEGATIVE,
            {*DECISIONS, "negative_predictive_value", "false_omission_rate"},
        ),
    ],
)
def test_rates_that_take_labels_nobody_sees_are_undefined(observed, known):
    of = pair({"m": TABLE, "f": TABLE}, observed=observed)
    for metric in RATES:
        for what in ("level", "ratio", "difference", "change"):
            found = measured(metric, what, of)["f"]
            assert isinstance(found, Estimate) == (metric in known), (metric, what)
            if isinstance(found, Unmeasurable):
                assert found.reason is Absence.UNDEFINED
                assert f"observed after {observed} decisions only" in found.explanation


def decided(**counts):
    return {
        name: np.array([[rows - chosen, 0, 0], [chosen, 0, 0], [0, 0, 0]])
        for name, (chosen, rows) in counts.items()
    }


def test_each_group_can_be_held_against_all_others():
    of = pair(decided(m=(300, 600), f=(100, 300), x=(30, 100)), against=HeldAgainst.REST)
    ratios = measured("selection_rate", "ratio", of)
    assert list(ratios) == ["m", "f", "x"]
    assert ratios["f"].value == pytest.approx((100 / 300) / (330 / 700))
    assert (ratios["f"].n, ratios["f"].n_reference) == (300, 700)
    assert ratios["m"].value == pytest.approx((300 / 600) / (130 / 400))
    p_values = same_proportion(
        [300, 100, 30], [600, 300, 100], [130, 330, 400], [400, 700, 900]
    ).p_value
    assert [ratio.p_value for ratio in ratios.values()] == pytest.approx(p_values)
    assert [ratio.p_adjusted for ratio in ratios.values()] == pytest.approx(holm(p_values))


def test_the_change_against_all_others_is_that_of_their_sum():
    then = decided(m=(300, 600), f=(150, 300), x=(50, 100))
    of = pair(decided(m=(300, 600), f=(100, 300), x=(30, 100)), then=then, against=HeldAgainst.REST)
    found = measured("selection_rate", "change", of)["f"]
    ratios = [(100.5 / 300.5) / (330.5 / 700.5), (150.5 / 300.5) / (350.5 / 700.5)]
    assert (found.now, found.then) == pytest.approx(tuple(ratios))
    assert found.value == pytest.approx(np.log(ratios[0] / ratios[1]))


def test_a_group_whose_rest_is_too_small_has_no_reference():
    of = pair(decided(m=(300, 600), f=(5, 10)), against=HeldAgainst.REST)
    found = measured("selection_rate", "ratio", of)
    assert found["m"].reason is Absence.REFERENCE_UNAVAILABLE
    assert "the rest beside m (5 positive decisions of 10)" in found["m"].explanation
    assert found["f"].reason is Absence.INSUFFICIENT_DATA


GROUPS = {"m": (300, 600), "f": (110, 200), "x": (90, 300), "y": (38, 40)}


def test_groups_can_be_held_against_the_one_that_fares_best():
    of = pair(decided(**GROUPS, z=(9, 10)), against=HeldAgainst.BEST_OFF)
    ratios = measured("selection_rate", "ratio", of)
    assert ratios["m"].value == pytest.approx((300 / 600) / (38 / 40))
    assert {ratio.note for ratio in ratios.values() if isinstance(ratio, Estimate)} == {"against y"}
    assert ratios["z"].reason is Absence.INSUFFICIENT_DATA
    own = ratios["y"]
    assert (own.value, own.low, own.high, own.p_value) == (1, 1, 1, 1)
    assert measured("selection_rate", "difference", of)["y"].value == 0


def test_choosing_the_best_off_is_a_look_at_every_pair():
    of = pair(decided(**GROUPS), against=HeldAgainst.BEST_OFF)
    ratios = measured("selection_rate", "ratio", of)
    names = list(GROUPS)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    p_values = [
        float(same_proportion(*GROUPS[one], *GROUPS[other]).p_value) for one, other in pairs
    ]
    adjusted = dict(zip(pairs, holm(p_values), strict=True))
    for name in ("m", "f", "x"):
        assert ratios[name].p_adjusted == pytest.approx(adjusted[name, "y"])
    single = pair(decided(**GROUPS), reference_group=3)
    alone = measured("selection_rate", "ratio", single)
    assert ratios["f"].value == alone["f"].value
    assert ratios["f"].p_adjusted > alone["f"].p_adjusted
    assert ratios["f"].family_low < alone["f"].family_low


def test_a_group_of_less_than_two_in_a_hundred_is_not_the_best_off():
    of = pair(decided(m=(3000, 6000), f=(1000, 2100), y=(60, 80)), against=HeldAgainst.BEST_OFF)
    ratios = measured("selection_rate", "ratio", of)
    assert ratios["y"].value == pytest.approx((60 / 80) / 0.5)
    assert ratios["m"].value == 1


def test_where_a_high_rate_harms_the_lowest_is_the_best_off():
    harmful = {"effect": Effect.HARMFUL, "against": HeldAgainst.BEST_OFF}
    ratios = measured("selection_rate", "ratio", pair(decided(**GROUPS), **harmful))
    assert ratios["m"].note == "against x"
    assert ratios["m"].value == pytest.approx((300 / 600) / (90 / 300))


def test_without_a_group_that_is_large_enough_nothing_is_best_off():
    of = pair(decided(m=(5, 20), f=(6, 20)), against=HeldAgainst.BEST_OFF)
    found = measured("selection_rate", "ratio", of)
    assert {absent.reason for absent in found.values()} == {Absence.INSUFFICIENT_DATA}


def test_the_group_that_is_best_off_now_is_the_one_of_the_baseline_too():
    then = decided(m=(540, 600), f=(100, 200), x=(90, 300), y=(20, 40))
    of = pair(decided(**GROUPS), then=then, against=HeldAgainst.BEST_OFF)
    found = measured("selection_rate", "change", of)
    assert set(found) == {"m", "f", "x"}
    assert found["m"].then == pytest.approx((540.5 / 600.5) / (20.5 / 40.5))
    assert found["m"].note == "against y"
    assert found["m"].p_adjusted == pytest.approx(min(1, 6 * found["m"].p_value))
    single = measured("selection_rate", "change", pair(decided(**GROUPS), then=then))["f"]
    assert single.family_high - single.family_low < (found["f"].family_high - found["f"].family_low)


def test_a_ratio_says_what_it_is_worth():
    of = pair(decided(m=(412, 797), f=(170, 390)), unassigned=decided(u=(100, 250))["u"])
    found = measured("selection_rate", "ratio", of)["f"]
    assert found.detail == pytest.approx(
        {
            "sd": -2.624,
            "positive": 170,
            "expected": 390 * 582 / 1187,
            "shortfall": 390 * 582 / 1187 - 170,
            "flips": 8,
            "cohens_h": 2 * np.arcsin(np.sqrt(170 / 390)) - 2 * np.arcsin(np.sqrt(412 / 797)),
            "odds_ratio": (170 * 385) / (220 * 412),
            "detectable_ratio": 0.8332,
            "complement_ratio": (220 / 390) / (385 / 797),
            "unknown_low": (170 / 540) / (512 / 897),
            "unknown_high": (270 / 490) / (412 / 947),
        },
        abs=2e-3,
    )
    assert set(measured("selection_rate", "difference", of)["f"].detail) == {
        "sd",
        "positive",
        "expected",
        "shortfall",
    }


def test_unknown_rows_count_in_the_rates_own_denominator():
    of = pair({"m": TABLE, "f": TABLE}, unassigned=np.array([[5, 6, 50], [7, 8, 50], [1, 1, 1]]))
    found = measured("true_positive_rate", "ratio", of)["f"].detail
    assert found["unknown_low"] == pytest.approx((140 / 206) / (148 / 208))
    assert found["unknown_high"] == pytest.approx((148 / 208) / (140 / 206))
    uncounted = measured("true_positive_rate", "ratio", pair({"m": TABLE, "f": TABLE}))["f"].detail
    assert "unknown_low" not in uncounted


def test_the_detectable_ratio_is_on_the_side_that_harms_and_minds_the_family():
    small, large = (
        pair(decided(m=(500, 1000), **{f"f{place}": (50, 100) for place in range(size)}))
        for size in (1, 6)
    )
    found = [measured("selection_rate", "ratio", of)["f0"].detail for of in (small, large)]
    assert found[1]["detectable_ratio"] < found[0]["detectable_ratio"] < 1
    assert "flips" not in found[0]
    harmful = pair(decided(m=(500, 1000), f=(50, 100)), effect=Effect.HARMFUL)
    assert measured("selection_rate", "ratio", harmful)["f"].detail["detectable_ratio"] > 1


def test_a_group_that_could_not_show_any_ratio_says_none():
    of = pair(decided(m=(200, 1000), f=(6, 30), **{f"g{place}": (200, 1000) for place in range(9)}))
    found = measured("selection_rate", "ratio", of)["f"]
    assert "detectable_ratio" not in found.detail
    assert "odds_ratio" in found.detail


def test_an_empty_cell_has_no_odds_ratio():
    found = measured("selection_rate", "ratio", pair(decided(m=(200, 400), f=(0, 60))))["f"]
    assert "odds_ratio" not in found.detail
    assert found.detail["flips"] > 0
    assert found.detail["cohens_h"] == pytest.approx(-np.pi / 2)


def test_the_level_of_the_smallest_cells_says_which_they_are():
    of = pair({"a × x": TABLE, "(other small)": TABLE}, folded=("b × x", "b × y"))
    found = measured("selection_rate", "level", of)
    assert found["(other small)"].note == "2 cells together: b × x, b × y"
    assert not found["a × x"].note
