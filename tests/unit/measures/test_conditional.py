from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import asdict

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Attribute, Decision, Effect, Label, Population, Stratum
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.disparity.conditional import conditional_measures_of
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair, ProfilePair, Strata
from monitor.measures.measuring import measure_all
from monitor.measures.strata import group_pair_by
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.uncertainty.difference import newcombe

DIFFERENCE, RATIO = conditional_measures_of(RATES["selection_rate"])
BOTH = pytest.mark.parametrize("measure", [DIFFERENCE, RATIO])


def pair(strata, *, unknown=None, against=HeldAgainst.LARGEST, band=None):
    """Build a pair from strata of group → (positive, known); the first group is the reference."""
    counted = {**strata, "(unknown)": unknown or {}, "(unmapped)": {}}
    groups = tuple(dict.fromkeys(name for counts in counted.values() for name in counts))
    table = np.zeros((len(groups), len(counted), 3, 3), np.int64)
    for place, counts in enumerate(counted.values()):
        for group, (positive, known) in counts.items():
            table[groups.index(group), place, :2, 2] = known - positive, positive
    whole = table.sum(axis=1)
    return GroupPair(
        "sex",
        groups,
        whole,
        whole,
        0,
        Effect.FAVOURABLE,
        band or Band(),
        against=against,
        strata=Strata("dept", tuple(counted), table),
    )


REVERSED = {
    "easy": {"m": (640, 800), "f": (170, 200)},
    "hard": {"m": (20, 200), "f": (120, 800)},
}
"""Within each stratum f is selected more often, over all rows much less often."""


def test_a_factor_that_explains_the_difference_turns_its_sign():
    found = DIFFERENCE.measure(pair(REVERSED))["f"]
    assert found.value == pytest.approx(0.05)
    assert found.now - found.then == pytest.approx(0.05)
    assert found.detail["marginal"] == pytest.approx(290 / 1000 - 660 / 1000)
    assert found.detail["sign_reversal"] == 1
    assert "the sign is another than over all rows" in found.note
    assert (found.n, found.n_reference) == (1000, 1000)
    ratio = RATIO.measure(pair(REVERSED))["f"]
    assert ratio.value == pytest.approx(found.now / found.then) and ratio.value > 1
    assert ratio.detail["marginal"] == pytest.approx(290 / 660)


def test_two_numbers_next_to_nothing_are_no_reversal():
    still = {"a": {"m": (50, 100), "f": (52, 100)}, "b": {"m": (40, 100), "f": (119, 300)}}
    near = DIFFERENCE.measure(pair(still))["f"]
    assert near.value > 0 > near.detail["marginal"]
    assert near.detail["sign_reversal"] == 0
    assert near.note == ""


@BOTH
def test_strata_that_go_opposite_ways_are_told_from_one_that_is_alike(measure):
    counts = {"a": {"m": (50, 100), "f": (80, 100)}, "b": {"m": (80, 100), "f": (50, 100)}}
    found = measure.measure(pair(counts))["f"]
    assert found.value == pytest.approx(measure.about.unchanged)
    assert found.detail["heterogeneity_p"] < 1e-6
    assert "the strata of dept differ among themselves" in found.note
    assert "not a summary" in found.note
    alike = {"a": {"m": (50, 100), "f": (40, 100)}, "b": {"m": (80, 100), "f": (72, 100)}}
    calm = measure.measure(pair(alike))["f"]
    assert calm.detail["heterogeneity_p"] > 0.05
    assert calm.note == ""


@BOTH
def test_small_strata_are_compared_but_not_asked_whether_they_differ(measure):
    counts = {str(place): {"m": (4, 8), "f": (4, 8)} for place in range(20)}
    found = measure.measure(pair(counts))["f"]
    assert found.value == pytest.approx(measure.about.unchanged)
    assert found.detail["strata_compared"] == 20
    assert "heterogeneity_p" not in found.detail


@BOTH
def test_strata_without_one_of_the_two_are_left_out_and_listed(measure):
    counts = {
        **REVERSED,
        "men only": {"m": (100, 100)},
        "women only": {"f": (0, 300)},
    }
    whole, found = (measure.measure(pair(one))["f"] for one in (REVERSED, counts))
    assert found.value == whole.value and (found.low, found.high) == (whole.low, whole.high)
    assert (found.detail["strata"], found.detail["strata_compared"]) == (4, 2)
    assert found.detail["share_compared"] == pytest.approx(1000 / 1300)
    assert "not compared: women only (12.5% of the rows), men only (4.2% of the rows)" in found.note


@BOTH
def test_rows_whose_stratum_is_not_known_are_compared_with_nobody(measure):
    unknown = {"m": (300, 300), "f": (0, 300)}
    whole = measure.measure(pair(REVERSED))["f"]
    found = measure.measure(pair(REVERSED, unknown=unknown))["f"]
    assert found.value == whole.value
    assert found.detail["marginal"] != whole.detail["marginal"]
    assert "(unknown) (23.1% of the rows)" in found.note


def test_many_strata_that_cannot_be_compared_are_summed_up():
    alone = {f"alone {place}": {"f": (5, 10 + place)} for place in range(8)}
    found = DIFFERENCE.measure(pair({**REVERSED, **alone}))["f"]
    assert found.note.count("alone") == 5
    assert "alone 7 (0.8% of the rows)" in found.note
    assert "3 more (1.6%)" in found.note


@BOTH
def test_groups_that_share_no_stratum_are_undefined(measure):
    counts = {"a": {"m": (50, 100)}, "b": {"f": (50, 100)}}
    found = measure.measure(pair(counts))["f"]
    assert found.reason is Absence.UNDEFINED
    assert "no stratum of dept has rows of both f" in found.explanation
    assert (found.n, found.n_reference) == (100, 100)


@BOTH
def test_too_few_rows_to_compare_are_insufficient_however_many_there_are(measure):
    counts = {
        "a": {"m": (50, 1000), "f": (10, 20)},
        "b": {"f": (500, 1000)},
    }
    found = measure.measure(pair(counts))["f"]
    assert found.reason is Absence.INSUFFICIENT_DATA
    assert "20 rows of f where 30 are needed" in found.explanation
    assert "f: 20 of its 1020 rows" in found.explanation
    few = {"a": {"m": (5, 1000), "f": (1, 100)}, "b": {"m": (500, 1000), "f": (0, 0)}}
    short = measure.measure(pair(few))["f"]
    assert "0.545 expected positive decisions where 5 are needed" in short.explanation


@BOTH
def test_what_cannot_be_compared_over_all_rows_says_so(measure):
    small = {"a": {"m": (5, 10), "f": (50, 100)}}
    assert measure.measure(pair(small))["f"].reason is Absence.REFERENCE_UNAVAILABLE
    alone = {"a": {"m": (50, 100)}}
    assert measure.measure(pair(alone))["m"].reason is Absence.UNDEFINED


def test_without_selected_rows_to_compare_with_there_is_a_difference_and_no_ratio():
    counts = {"a": {"m": (0, 100), "f": (10, 100)}, "b": {"m": (50, 100)}}
    assert RATIO.measure(pair(counts))["f"].reason is Absence.UNDEFINED
    found = DIFFERENCE.measure(pair(counts))["f"]
    assert found.value == pytest.approx(0.1)
    assert found.low > 0


def test_one_stratum_is_the_comparison_over_all_rows():
    counts = {"all": {"m": (300, 500), "f": (200, 400)}}
    found = DIFFERENCE.measure(pair(counts))["f"]
    assert (found.value, found.detail["marginal"]) == pytest.approx((-0.1, -0.1))
    assert (found.low, found.high) == pytest.approx(newcombe(200, 400, 300, 500), abs=1e-3)
    assert found.detail["shortfall"] == pytest.approx(400 * 500 / 900 - 200)


def test_groups_are_one_family():
    counts = {
        "a": {"m": (50, 100), "f": (40, 100), "x": (30, 100)},
        "b": {"m": (80, 100), "f": (70, 100), "x": (75, 100)},
    }
    found = DIFFERENCE.measure(pair(counts))
    assert list(found) == ["f", "x"]
    for item in found.values():
        assert item.family_low < item.low < item.value < item.high < item.family_high
        assert item.p_value <= item.p_adjusted <= 2 * item.p_value + 1e-12


def test_the_rest_and_the_best_off_are_held_against_too():
    counts = {
        "a": {"m": (50, 100), "f": (40, 100), "x": (70, 100)},
        "b": {"m": (60, 100), "f": (70, 100), "x": (80, 100)},
    }
    rest = DIFFERENCE.measure(pair(counts, against=HeldAgainst.REST))
    assert set(rest) == {"m", "f", "x"}
    assert rest["m"].value == pytest.approx((0.5 - 0.55) / 2 + (0.6 - 0.75) / 2)
    best = DIFFERENCE.measure(pair(counts, against=HeldAgainst.BEST_OFF))
    assert best["f"].value == pytest.approx((-0.3 - 0.1) / 2)
    assert best["f"].note.startswith("against x")
    assert best["x"].value == 0
    assert best["x"].method == "held against itself"


def test_demographic_disparity_is_that_of_a_slow_count():
    counts = {**REVERSED, "men only": {"m": (100, 150)}, "all": {"m": (30, 30), "f": (20, 20)}}
    detail = DIFFERENCE.measure(pair(counts))["f"].detail

    def disparity(groups):
        chosen = sum(x for x, _ in groups.values())
        refused = sum(n - x for x, n in groups.values())
        x, n = groups.get("f", (0, 0))
        return ((n - x) / refused if refused else 0) - (x / chosen if chosen else 0)

    rows = {name: sum(n for _, n in groups.values()) for name, groups in counts.items()}
    expected = sum(rows[name] * disparity(groups) for name, groups in counts.items())
    assert detail["conditional_demographic_disparity"] == pytest.approx(
        expected / sum(rows.values())
    )
    whole = {
        group: tuple(sum(one.get(group, (0, 0))[i] for one in counts.values()) for i in (0, 1))
        for group in ("m", "f")
    }
    assert detail["demographic_disparity"] == pytest.approx(disparity(whole))


def test_a_comparison_that_is_not_counted_by_a_factor_is_refused():
    whole = np.ones((2, 3, 3), np.int64)
    plain = GroupPair("sex", ("m", "f"), whole, whole, 0, Effect.FAVOURABLE, Band())
    with pytest.raises(ValueError, match="sex is not counted by a factor"):
        DIFFERENCE.measure(plain)


# From rows to readings.

ATTRIBUTES = {"sex": Attribute("sex", "sex"), "age": Attribute("age", "age", bins=(40.0,))}
STRATA = {"dept": Stratum(Attribute("dept", "dept", unknown=("?",)), "r.lee", "set before")}
POLICY = Policy(
    model="credit",
    source=SourceSpec("log", "time"),
    fields=(),
    decision=Decision("decision", ("1",), (), None, Effect.FAVOURABLE),
    label=Label("label", ("1",), ("0",)),
    attributes=ATTRIBUTES,
    populations=(Population(("sex",)), Population(("sex", "age"))),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    strata=STRATA,
    disparity_metrics=("selection_rate", "true_positive_rate"),
)
DAY = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def log(rows, seed, depts=("a", "b", "c", "?")):
    rng = np.random.default_rng(seed)
    return {
        "sex": rng.choice(["f", "m", None], rows, p=[0.4, 0.5, 0.1]),
        "age": rng.integers(20, 70, rows),
        "dept": rng.choice(depts, rows),
        "decision": rng.integers(0, 2, rows),
        "label": rng.integers(0, 2, rows),
    }


def grid_of(table, policy=POLICY):
    draft = GridDraft(
        (),
        policy.attributes,
        policy.decision,
        policy.label,
        strata={name: item.factor for name, item in policy.strata.items()},
    )
    for axis in policy.axes.values():
        draft.add_attribute(axis.name, pa.array(table[axis.column], from_pandas=False))
    return draft.grid()


def profiled(grid, table):
    rows = len(table["sex"])
    builder = ProfileBuilder(grid)
    builder.add_rows(rows, DAY.start if rows else None, DAY.start if rows else None)
    groups = {axis.name: pa.array(table[axis.column]) for axis in grid.axes}
    builder.add_outcomes(rows, groups, pa.array(table["decision"]), pa.array(table["label"]), None)
    return builder.profile


def window(current, baseline=None, policy=POLICY):
    baseline = log(2000, 1) if baseline is None else baseline
    grid = grid_of(baseline, policy)
    return ProfilePair(grid, profiled(grid, baseline), profiled(grid, current), DAY, 1.0)


def test_groups_by_strata_add_up_to_the_groups():
    made = group_pair_by(Population(("sex", "age")), "dept", POLICY, window(log(900, 2)))
    assert made.strata.names == ("a", "b", "c", "(unknown)", "(unmapped)")
    assert np.array_equal(made.strata.table.sum(axis=1), made.current)
    assert made.strata.table[:, 3].any() and not made.strata.table[:, 4].any()


def test_groups_by_strata_are_those_of_the_rows():
    table = log(900, 2)
    made = group_pair_by(Population(("sex",)), "dept", POLICY, window(table))
    for place, group in enumerate(made.groups):
        for at, stratum in enumerate(("a", "b", "c", "?")):
            rows = (table["sex"] == group) & (table["dept"] == stratum)
            counted = made.strata.table[place, at]
            assert counted.sum() == rows.sum()
            assert counted[1].sum() == (rows & (table["decision"] == 1)).sum()


def test_a_stratum_that_nobody_registered_is_in_no_comparison():
    made = group_pair_by(
        Population(("sex",)), "dept", POLICY, window(log(900, 2, ("a", "new", "b", "?")))
    )
    assert made.strata.table[:, 4].any()
    assert np.array_equal(made.strata.table.sum(axis=1), made.current)


def test_every_metric_is_measured_for_each_population_and_factor():
    found = [
        item
        for item in measure_all("credit", "1", POLICY, window(log(900, 2)))
        if item.subject.stratum
    ]
    assert {item.measure for item in found} == {
        "selection_rate_conditional_difference",
        "selection_rate_conditional_ratio",
        "true_positive_rate_conditional_difference",
        "true_positive_rate_conditional_ratio",
    }
    assert {item.subject.stratum for item in found} == {"dept"}
    assert {item.subject.population for item in found} == {"sex", "sex × age"}
    assert all(isinstance(item.result, Estimate) for item in found)
    (women,) = [
        item.subject
        for item in found
        if item.subject.group == "f" and item.measure == "selection_rate_conditional_ratio"
    ]
    assert women.reference_group == "m"


def test_a_baseline_without_the_factor_has_nothing_to_compare_within():
    plain = Policy(**{**asdict(POLICY), "strata": {}})
    pair_ = window(log(900, 2), policy=plain)
    found = [
        item for item in measure_all("credit", "1", POLICY, pair_) if item.subject.stratum == "dept"
    ]
    assert found
    for item in found:
        assert isinstance(item.result, Unmeasurable)
        assert item.result.reason is Absence.NO_BASELINE
        assert "registered without dept" in item.result.explanation
