"""One class against all others: what is said of it is what would be said of a decision."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from msgspec.structs import replace

from monitor.alerts.findings import findings_of
from monitor.domain.disparity import DisparityLimits
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import (
    Attribute,
    Classes,
    Decision,
    Effect,
    Label,
    ObservedWhen,
    Population,
    Stratum,
)
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_against, measure_all
from monitor.profile.classes import one_against_rest, table_against_rest
from monitor.profile.draft import GridDraft
from monitor.profile.profile import Profile

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + DAY)
GROUPS = "f", "m", "x"
SEX, FACTOR = Attribute("sex", "sex", reference="m"), Attribute("region", "region")


def policy_of(values, effects, **changes):
    policy = Policy(
        model="products",
        source=SourceSpec("log", "at"),
        fields=(),
        decision=None,
        label=Label("came"),
        attributes={"sex": SEX},
        populations=(Population(("sex",)),),
        schedule=Schedule(CalendarUnit.DAY),
        limits={},
        band=Band(),
        disparity_metrics=tuple(RATES),
        classes=Classes("said", values),
        one_against_rest=effects,
        strata={"region": Stratum(FACTOR, "anna", "prices differ by region")},
    )
    return replace(policy, **changes)


def grid_of(policy):
    axes = {name: item.factor for name, item in policy.strata.items()}
    draft = GridDraft(
        (), policy.attributes, policy.decision, policy.label, classes=policy.classes, strata=axes
    )
    draft.add_attribute("sex", pa.array(GROUPS))
    for name in axes:
        draft.add_attribute(name, pa.array(["n", "s"]))
    return draft.grid()


def profiled(grid, rows):
    """Return a profile of rows by group × region × predicted × true class, the last code is of none."""
    profile = Profile.empty(grid)
    places = np.argwhere(rows)
    counts = rows[tuple(places.T)]
    profile.rows = int(counts.sum())
    if grid.classes is not None:
        codes = np.ravel_multi_index(tuple(places.T), profile.classes.table.shape)
        profile.classes.table.add(codes, counts)
    if grid.decision is not None:  # the first class is the positive one
        as_outcomes = np.array([*(int(code == 0) for code in range(rows.shape[-1] - 1)), 2])
        places[:, 2:] = as_outcomes[places[:, 2:]]
        codes = np.ravel_multi_index(tuple(places.T), profile.outcomes.shape)
        profile.outcomes.add(codes, counts)
    return profile


def tables(classes):
    return arrays.arrays(
        np.int64, (3, 2, classes + 1, classes + 1), elements=st.integers(0, 60), fill=st.just(0)
    )


def padded(rows):
    """Return rows with the codes of unknown and unmapped groups and regions, which nobody has."""
    return np.pad(rows, ((0, 2), (0, 2), (0, 0), (0, 0)))


def pair_of(grid, then, now, **changes):
    sides = (profiled(grid, padded(side)) for side in (then, now))
    return replace(ProfilePair(grid, *sides, WINDOW, 1.0), **changes)


def of_classes(readings):
    return [item for item in readings if item.subject.class_name]


@pytest.mark.slow
@given(tables(4), st.sets(st.integers(0, 3), min_size=1))
def test_a_sparse_table_and_its_margins_are_read_alike(rows, positive):
    grid = grid_of(policy_of(("a", "b", "c", "d"), {}))
    table = profiled(grid, padded(rows)).classes.table
    found = table_against_rest(table, positive)
    assert found.rows == table.rows
    for axes in ((), ("sex",), ("region", "sex")):
        np.testing.assert_array_equal(
            found.margin(*axes), one_against_rest(table.margin(*axes), positive)
        )


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    tables(2),
    tables(2),
    st.sampled_from([Effect.FAVOURABLE, Effect.HARMFUL]),
    st.sampled_from(list(HeldAgainst)),
    st.sampled_from([*ObservedWhen, None]),
)
def test_of_two_classes_the_numbers_are_those_of_a_decision(then, now, effect, against, observed):
    """A property: the class is the decision, whatever is measured, judged or left unsaid."""
    by_class = policy_of(("yes", "no"), {"yes": effect}, held_against=against)
    if observed is ObservedWhen.POSITIVE:
        by_class = replace(by_class, label=Label("came", observed_when=observed))
    decided = replace(
        by_class,
        one_against_rest={},
        classes=None,
        decision=Decision("said", ("yes",), ("no",), effect=effect),
        label=replace(by_class.label, positive=("yes",), negative=("no",)),
    )
    expected, found = (
        measure_all("products", "1", policy, pair_of(grid_of(policy), then, now))
        for policy in (decided, by_class)
    )
    rates = [item for item in expected if item.measure.startswith(tuple(RATES))]
    same = [
        replace(item, subject=replace(item.subject, class_name="")) for item in of_classes(found)
    ]
    assert same == rates
    judged = [
        replace(
            item,
            reading=replace(item.reading, subject=replace(item.reading.subject, class_name="")),
        )
        for item in findings_of(found, by_class)
        if item.reading.subject.class_name
    ]
    assert judged == [
        item
        for item in findings_of(expected, decided)
        if item.reading.measure.startswith(tuple(RATES))
    ]


UNEQUAL = np.zeros((3, 2, 4, 4), np.int64)
UNEQUAL[0, :, :3, :3] = [[300, 40, 10], [20, 80, 5], [5, 5, 35]]
UNEQUAL[1, :, :3, :3] = [[150, 20, 10], [20, 200, 5], [5, 5, 85]]
UNEQUAL[2, :, 0, 0] = 2
EFFECTS = {"a": Effect.HARMFUL, "b": Effect.FAVOURABLE, "c": None}


def measured(policy, pair=None):
    return measure_all("products", "1", policy, pair or pair_of(grid_of(policy), UNEQUAL, UNEQUAL))


@pytest.mark.slow
def test_each_class_is_judged_on_the_side_that_harms():
    policy = policy_of(("a", "b", "c"), EFFECTS)
    found = {
        item.reading.subject.class_name: item
        for item in findings_of(measured(policy), policy)
        if item.reading.measure == "selection_rate_ratio" and item.reading.subject.group == "f"
    }
    assert {name: item.verdict for name, item in found.items()} == dict.fromkeys(
        EFFECTS, Verdict.CRITICAL
    )
    assert found["a"].reading.result.value > 1.25
    assert found["b"].reading.result.value < 0.8
    turned = replace(policy, one_against_rest={"a": Effect.FAVOURABLE, "b": Effect.HARMFUL})
    assert {
        item.reason
        for item in findings_of(measured(turned), turned)
        if item.reading.measure == "selection_rate_ratio" and item.reading.subject.group == "f"
    } == {Reason.WITHIN}


@pytest.mark.slow
def test_the_error_level_is_shared_by_the_classes():
    alone, together = (
        {
            (item.measure, item.subject.group): item.result
            for item in measured(policy_of(("a", "b", "c"), effects))
            if item.subject.class_name == "b" and isinstance(item.result, Estimate)
        }
        for effects in ({"b": None}, EFFECTS)
    )
    assert alone.keys() == together.keys()
    ratio = "selection_rate_ratio", "f"
    assert together[ratio].value == alone[ratio].value
    assert together[ratio].low == alone[ratio].low
    assert together[ratio].family_low < alone[ratio].family_low
    for key, result in alone.items():
        if result.p_adjusted is not None:
            assert together[key].p_adjusted == min(1.0, 3 * result.p_adjusted)
            assert together[key].p_value == result.p_value


@pytest.mark.slow
def test_every_group_is_listed_for_every_class_however_small():
    readings = of_classes(measured(policy_of(("a", "b", "c"), EFFECTS)))
    small = [
        item.result
        for item in readings
        if item.measure == "selection_rate_ratio" and item.subject.group == "x"
    ]
    assert len(small) == 3
    assert all(item.reason is Absence.INSUFFICIENT_DATA for item in small)


@pytest.mark.slow
def test_rows_of_no_class_are_in_no_rate():
    unknown = UNEQUAL.copy()
    unknown[0, 0, 3, :] = 50
    policy = policy_of(("a", "b", "c"), {"a": None})
    with_them, without = (
        {
            (item.measure, item.subject.group): item.result
            for item in of_classes(measured(policy, pair_of(grid_of(policy), UNEQUAL, rows)))
        }
        for rows in (unknown, UNEQUAL)
    )
    assert with_them["selection_rate", "f"] == without["selection_rate", "f"]


def test_what_the_baseline_does_not_know_is_unknown():
    policy = policy_of(("a", "b", "c"), {"d": None})
    found = of_classes(measured(policy))
    assert found
    assert all(item.result.reason is Absence.NO_BASELINE for item in found)
    assert {item.subject.class_name for item in found} == {"d"}


def test_a_window_without_the_table_is_unknown():
    policy = policy_of(("a", "b", "c"), {"a": None})
    pair = pair_of(grid_of(policy), UNEQUAL, UNEQUAL)
    pair.current.classes = None
    found = of_classes(measured(policy, pair))
    assert found
    assert all(item.result.reason is Absence.NO_DATA for item in found)
    assert {item.verdict for item in findings_of(found, policy)} == {Verdict.UNKNOWN}


def test_labels_that_follow_one_decision_leave_only_what_they_can_tell():
    label = Label("came", observed_when=ObservedWhen.NEGATIVE)
    policy = policy_of(("a", "b", "c"), {"a": None}, label=label)
    found = {
        item.measure: item.result
        for item in of_classes(measured(policy))
        if item.subject.group == "f"
    }
    assert isinstance(found["positive_predictive_value"], Estimate)
    assert isinstance(found["true_positive_rate_ratio"], Unmeasurable)


@pytest.mark.slow
def test_a_small_group_is_measured_over_earlier_windows():
    policy = policy_of(("a", "b", "c"), {"a": None})
    grid = grid_of(policy)
    small = UNEQUAL.copy()
    small[2, :, :3, :3] = [[3, 1, 1], [1, 1, 0], [1, 0, 1]]
    days = [
        (
            Window(START - number * DAY, START - (number - 1) * DAY),
            lambda: profiled(grid, padded(small)),
        )
        for number in range(1, 9)
    ]
    pair = pair_of(grid, UNEQUAL, small, earlier=tuple(days))
    (found,) = (
        item.result
        for item in of_classes(measured(policy, pair))
        if item.measure == "selection_rate_ratio" and item.subject.group == "x"
    )
    assert isinstance(found, Estimate)
    assert "windows from" in found.note


def test_a_ratio_is_held_against_an_earlier_reference_too():
    policy = policy_of(("a", "b", "c"), {"a": None})
    pair = pair_of(grid_of(policy), UNEQUAL, UNEQUAL)
    pair = replace(pair, registered=pair.reference)
    readings = measure_against(Subject("products", "1", reference="last week"), policy, pair)
    found = [item for item in of_classes(readings) if item.subject.group == "f"]
    assert {item.measure for item in found} >= {"selection_rate_ratio_change"}
    assert all(
        item.result.value == pytest.approx(0.0, abs=1e-12)
        for item in found
        if isinstance(item.result, Estimate)
    )


@pytest.mark.slow
def test_a_population_keeps_its_own_error_level():
    limits = DisparityLimits(populations={"sex": Band(alpha=0.2)})
    wide, narrow = (
        next(
            item.result
            for item in measured(policy_of(("a", "b", "c"), EFFECTS, disparity=own))
            if item.subject.class_name == "a"
            and item.measure == "selection_rate_ratio"
            and item.subject.group == "f"
        )
        for own in (DisparityLimits(), limits)
    )
    assert wide.family_low < narrow.family_low


def test_the_fingerprint_says_the_class_and_is_as_it_was_without_one():
    def fingerprint(class_name):
        subject = Subject("m", "1", population="sex", group="f", class_name=class_name)
        reading = Reading("selection_rate_ratio", subject, Unmeasurable(Absence.NO_DATA, "none"))
        return Finding(reading, Band(), Verdict.UNKNOWN, Reason.NO_DATA, "").fingerprint

    assert len({fingerprint(name) for name in ("", "a", "b")}) == 3
    assert fingerprint("") == "b88c0447d55d3a05"
