"""A group that is too small in one window is measured over as many as it takes, and no more."""

import weakref
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.findings import findings_of
from monitor.domain.disparity import STRETCH, DisparityLimits
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Attribute, Decision, Effect, Population
from monitor.domain.finding import Reason
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.measures.stretches import Stretches, stretched
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.draft import GridDraft
from monitor.profile.profile import Profile
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.ratio import koopman
from monitor.uncertainty.two_sample import same_proportion

DAY = timedelta(days=1)
LAST = datetime(2026, 3, 1, tzinfo=UTC)
GROUPS = ("a", "b", "c", "m")
POLICY = Policy(
    model="credit",
    source=SourceSpec("log", "time"),
    fields=(),
    decision=Decision("d", ("1",), effect=Effect.FAVOURABLE),
    label=None,
    attributes={"race": Attribute("race", "race", reference="m")},
    populations=(Population(("race",)),),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
)


def a_grid():
    draft = GridDraft((), POLICY.attributes, POLICY.decision, None)
    draft.add_attribute("race", pa.array(GROUPS))
    return draft.grid()


GRID = a_grid()


def day(**counts):
    """Return the profile of a day: of each group its rows and how many of them were favoured."""
    profile = Profile.empty(GRID)
    for name, (rows, favoured) in counts.items():
        group = GRID.attributes[0].groups.index(name)
        for decision, number in ((POSITIVE, favoured), (NEGATIVE, rows - favoured)):
            code = np.ravel_multi_index((group, decision, UNKNOWN), profile.outcomes.shape)
            profile.outcomes.add(np.array([code]), np.array([number]))
        profile.rows += rows
    return profile


BASELINE = day(a=(900, 450), b=(900, 450), c=(900, 450), m=(3000, 1500))


def held(*days):
    """Return the pair of the last of some days, with the others before it."""
    *before, current = days
    windows = [
        Window(LAST - number * DAY, LAST - (number - 1) * DAY) for number in range(len(days))
    ]
    earlier = tuple(
        (window, partial(lambda profile: profile, profile))
        for window, profile in zip(windows[1:], reversed(before), strict=True)
    )
    return ProfilePair(GRID, BASELINE, current, windows[0], 30.0, earlier=earlier)


def measured(pair, measure="selection_rate_ratio", policy=POLICY):
    return {
        reading.subject.group: reading.result
        for reading in measure_all("credit", "1", policy, pair)
        if reading.measure == measure
    }


def test_as_many_windows_are_added_up_as_it_takes_of_group_and_reference_alike():
    days = [day(a=(10, 2 + number), m=(100, 40 + number)) for number in range(5)]
    result = measured(held(*days))["a"]
    assert (result.n, result.n_reference) == (30, 300)
    assert result.value == pytest.approx(((4 + 5 + 6) / 30) / ((42 + 43 + 44) / 300))
    assert (result.detail["windows"], result.detail["days"]) == (3, 3)
    assert result.note == "over 3 windows from 2026-02-27 on"


def test_a_group_that_is_large_enough_is_measured_over_its_window_alone():
    big = day(a=(100, 40), b=(5, 2), m=(1000, 500))
    alone, longer = measured(held(big))["a"], measured(held(*[big] * 9))["a"]
    assert "windows" not in longer.detail
    assert (longer.n, longer.value, longer.low) == (alone.n, alone.value, alone.low)


def test_all_groups_are_one_family_whichever_stretch_they_are_measured_over():
    days = [day(a=(100, 30), b=(12, 2), c=(8, 4), m=(400, 200))] * 6
    found = measured(held(*days))
    assert [found[name].detail.get("windows", 1) for name in "abc"] == [1, 3, 4]
    tables = {"a": (30, 100, 200, 400), "b": (6, 36, 600, 1200), "c": (16, 32, 800, 1600)}
    for name, table in tables.items():
        (p_value,) = same_proportion(*(np.array([number]) for number in table)).p_value
        assert found[name].p_value == pytest.approx(p_value, rel=1e-12)
    own = np.array([found[name].p_value for name in "abc"])
    assert [found[name].p_adjusted for name in "abc"] == pytest.approx(holm(own).tolist())
    for name, table in tables.items():
        joint = koopman(*(np.array([number]) for number in table), 1 - 0.05 / 3)
        assert found[name].family_low == pytest.approx(joint.low[0])
        assert found[name].family_high == pytest.approx(joint.high[0])


def test_a_reference_group_that_is_too_small_is_waited_for():
    days = [day(a=(100, 30), m=(12, 6))] * 4
    result = measured(held(*days))["a"]
    assert (result.n, result.n_reference, result.detail["windows"]) == (300, 36, 3)


def test_what_is_too_small_over_all_windows_says_over_how_many():
    result = measured(held(*[day(a=(3, 1), m=(100, 40))] * 4))["a"]
    assert isinstance(result, Unmeasurable)
    assert result.reason is Absence.INSUFFICIENT_DATA
    assert result.n == 12
    assert result.explanation.startswith("over 4 windows from 2026-02-26 on, a (4 ")


def test_a_group_that_nobody_of_came_is_not_told_of_earlier_windows():
    result = measured(held(day(a=(100, 30), m=(100, 40)), day(m=(100, 40))))["a"]
    assert (result.reason, result.n) == (Absence.NO_DATA, 0)


def test_ratio_difference_and_change_are_of_the_same_stretch():
    pair = held(*[day(a=(10, 3), m=(100, 50))] * 9)
    names = "selection_rate_ratio", "selection_rate_difference", "selection_rate_ratio_change"
    assert {measured(pair, name)["a"].detail["days"] for name in names} == {3}
    assert measured(pair, "selection_rate")["a"].n == 10


def test_a_group_that_the_baseline_knows_too_little_of_has_no_change_however_long_it_is_waited():
    pair = replace(held(*[day(a=(10, 3), m=(100, 50))] * 9), reference=day(a=(9, 4), m=(900, 400)))
    result = measured(pair, "selection_rate_ratio_change")["a"]
    assert result.explanation.startswith(("in the baseline", "over"))
    assert "in the baseline, a (4 " in result.explanation


def test_a_reference_rate_of_nothing_is_as_undefined_over_many_windows():
    pair = held(*[day(a=(20, 12), m=(60, 0))] * 9)
    assert measured(pair)["a"].reason is Absence.UNDEFINED
    assert measured(pair, "selection_rate_difference")["a"].detail["windows"] == 2


def test_the_rest_is_that_of_the_same_windows_and_the_best_off_is_not_waited_for():
    pair = held(*[day(a=(10, 3), b=(90, 45), m=(100, 50))] * 4)
    rest = replace(
        POLICY, held_against=HeldAgainst.REST, attributes={"race": Attribute("race", "race")}
    )
    found = measured(pair, policy=rest)["a"]
    assert (found.n, found.n_reference) == (30, 570)
    best = replace(rest, held_against=HeldAgainst.BEST_OFF)
    assert isinstance(measured(pair, policy=best)["a"], Unmeasurable)


def test_whether_windows_were_asked_for_shows_in_the_readings():
    def asked(*days):
        return stretched(measure_all("credit", "1", POLICY, held(*days)))

    assert asked(*[day(a=(10, 3), m=(100, 50))] * 4)
    assert asked(day(a=(10, 3), m=(100, 50)))
    enough = day(**dict.fromkeys("abcm", (100, 50)))
    assert not asked(enough)
    gone = Unmeasurable(Absence.REFERENCE_UNAVAILABLE, "", 10)
    against = Subject("credit", population="race", group="a", reference="last week")
    assert not stretched([Reading("selection_rate_ratio_change", against, gone)])


def test_what_is_near_of_those_chosen_may_be_far_of_those_refused():
    pair = held(day(a=(1000, 900), m=(1000, 980)))
    both = replace(POLICY, disparity_metrics=("selection_rate", "non_selection_rate"))
    chosen = measured(pair, policy=both)["a"]
    refused = measured(pair, "non_selection_rate_ratio", both)["a"]
    assert chosen.value == pytest.approx(0.918, abs=5e-4)
    assert chosen.detail["complement_ratio"] == pytest.approx(refused.value) == pytest.approx(5.0)
    verdicts = {
        item.reading.measure: item.reason
        for item in findings_of(measure_all("credit", "1", both, pair), both)
        if item.reading.measure.endswith("_ratio") and item.reading.subject.group == "a"
    }
    assert verdicts == {
        "selection_rate_ratio": Reason.REVIEW,
        "non_selection_rate_ratio": Reason.BREACH,
    }


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(30, 90)), min_size=1, max_size=12))
def test_no_shorter_stretch_would_have_been_enough(sizes):
    days = [day(a=(own, own // 2), m=(other, other // 2)) for own, other in sizes]
    result = measured(held(*days))["a"]
    used = result.detail.get("windows", 1) if isinstance(result, Estimate) else len(days) + 1
    for number in range(1, len(days) + 1):
        whole = days[-1].with_people_of(days[-number:-1])
        able = isinstance(measured(replace(held(*days), current=whole, earlier=()))["a"], Estimate)
        assert able == (number >= used)


@pytest.mark.parametrize(
    ("length", "days", "windows"),
    [
        (CalendarUnit.DAY, 28, 27),
        (CalendarUnit.HOUR, 28, 99),
        (CalendarUnit.WEEK, 28, 3),
        (CalendarUnit.MONTH, 28, None),
        (CalendarUnit.MONTH, 93, 2),
        (7 * DAY, 28, 3),
        (CalendarUnit.DAY, 0, None),
    ],
)
def test_a_stretch_is_no_longer_than_it_may_be(length, days, windows):
    policy = replace(
        POLICY, schedule=Schedule(length), disparity=DisparityLimits(extend=days * DAY)
    )
    assert (policy.stretch and policy.stretch.windows) == windows
    assert [item.name for item in policy.earlier] == ([STRETCH] if windows else [])
    assert replace(policy, populations=()).stretch is None


def test_nothing_of_a_window_is_left_to_the_collector():
    policy = POLICY
    pair = held(*[day(a=(40, 20), b=(40, 20), c=(40, 20), m=(400, 200))] * 3)
    counted = Stretches(policy.populations[0], policy, pair, unassigned=False)
    assert counted.over(1) is counted.over(1)
    gone = weakref.ref(counted)
    del counted
    assert gone() is None
