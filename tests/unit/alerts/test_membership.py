import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.findings import findings_of
from monitor.alerts.membership import judge_share
from monitor.domain.disparity import REPRESENTATION, UNKNOWN_SHARE, DisparityLimits
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.reading import Reading, Subject
from monitor.measures.disparity import representation, unknown_share
from monitor.measures.measure import GroupPair
from tests.stored import a_policy

GROUPS = Subject("credit", "1", population="sex", group="f", reference_group="m")
EVERYONE = Subject("credit", "1", population="sex")


def shares(now, then, unknown=0, unknown_then=0):
    """Return the readings of a population of which so many rows are in each group."""

    def table(*counts):
        return np.array([count * (np.arange(9).reshape(3, 3) == 8) for count in counts])

    pair = GroupPair(
        "sex",
        tuple("mfx"[: len(now)]),
        table(*then),
        table(*now),
        0,
        Effect.FAVOURABLE,
        Band(),
        unassigned=table(unknown)[0],
        unassigned_then=table(unknown_then)[0],
    )
    return [
        Reading(measure.about.id, replace(EVERYONE, group=group), result)
        for measure in (*representation.MEASURES, *unknown_share.MEASURES)
        for group, result in measure.measure(pair).items()
    ]


def judged(readings, policy=None):
    return {
        (item.reading.measure.removesuffix("_difference"), item.reading.subject.group): item
        for item in findings_of(readings, policy or a_policy())
    }


def test_in_a_million_rows_a_small_change_is_shown_and_does_not_matter():
    found = judged(shares((510_000, 490_000), (500_000, 500_000), unknown=8_000))
    assert {item.verdict for item in found.values()} == {Verdict.OK}
    assert {item.reason for item in found.values()} == {Reason.WITHIN}
    assert all(item.reading.result.p_value < 1e-40 for item in found.values())


@pytest.mark.parametrize(
    ("women", "verdict", "reason"),
    [
        (5_000, Verdict.OK, Reason.WITHIN),
        (4_400, Verdict.OK, Reason.INCONCLUSIVE),
        (4_000, Verdict.WARNING, Reason.BEYOND_WARNING),
        (2_500, Verdict.CRITICAL, Reason.BEYOND_CRITICAL),
        (0, Verdict.CRITICAL, Reason.BEYOND_CRITICAL),
    ],
)
def test_a_share_is_judged_by_what_it_is_shown_to_have_changed_by(women, verdict, reason):
    found = judged(shares((10_000 - women, women), (5_000, 5_000)))
    for group in "mf":  # one cannot grow without the other
        assert (found["representation", group].verdict) is verdict
        assert (found["representation", group].reason) is reason


def test_only_a_rise_of_unknown_membership_is_beyond():
    risen = judged(shares((900, 900), (5_000, 5_000), unknown=200))
    assert risen["unknown_share", ""].verdict is Verdict.CRITICAL
    fallen = judged(shares((900, 900), (900, 900), unknown_then=200))
    assert (fallen["unknown_share", ""].reason) is Reason.WITHIN


def test_the_words_name_the_group_and_both_counts():
    found = judged(shares((7_000, 3_000), (5_000, 5_000), unknown=2_500))
    assert found["representation", "f"].explanation == (
        "30.0% of the rows of known sex are f (3,000 of 10,000), 50.0% in the baseline (5,000 of "
        "10,000), a change of -0.2: at least 0.185, where 0.05 is tolerated"
    )
    assert found["unknown_share", ""].explanation == (
        "20.0% of the rows have no known sex (2,500 of 12,500), 0.0% in the baseline (0 of "
        "10,000), a change of +0.2: at least 0.193, where 0.05 is tolerated"
    )


def test_the_reference_that_it_is_held_against_is_named():
    (moved,) = [
        replace(item, subject=replace(item.subject, reference="last week"))
        for item in shares((7_000, 3_000), (5_000, 5_000))
        if item.subject.group == "f" and item.measure == "representation_difference"
    ]
    (found,) = findings_of([moved], a_policy())
    assert "in the reference last week (5,000 of 10,000)" in found.explanation


def test_too_few_rows_and_no_rows_are_unknown():
    few = judged(shares((20, 5), (500, 500)))["representation", "f"]
    assert (few.verdict, few.reason) == (Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA)
    none = judged(shares((0, 0), (500, 500)))["representation", "f"]
    assert (none.verdict, none.reason) == (Verdict.UNKNOWN, Reason.NO_DATA)
    absent = Unmeasurable(Absence.REFERENCE_UNAVAILABLE, "the window before has no result")
    reading = Reading("unknown_share_difference", EVERYONE, absent)
    assert judge_share(reading, UNKNOWN_SHARE).reason is Reason.REFERENCE_UNAVAILABLE


def test_without_a_bound_nothing_is_judged():
    never = DisparityLimits(representation=Limit(None, None), unknown_share=Limit(None, None))
    moved = shares((9_000, 1_000), (5_000, 5_000), unknown=5_000)
    assert judged(moved, replace(a_policy(), disparity=never)) == {}


@pytest.mark.slow
@given(st.integers(0, 4000), st.integers(0, 4000), st.integers(30, 4000), st.integers(30, 4000))
def test_of_two_groups_one_is_judged_as_the_other(now, then, others, others_then):
    """Their shares move by the same amount in opposite directions."""
    found = judged(shares((others, now), (others_then, then)))
    assert found["representation", "m"].reason is found["representation", "f"].reason


@pytest.mark.slow
def test_of_windows_in_which_nothing_changed_few_are_beyond_even_without_a_tolerance():
    """With a bound of 0 it is the joint interval alone: at most α of the windows, over all groups."""
    rng = np.random.default_rng(11)
    limit = Limit(warning=0.0, critical=None, min_rows=1)
    called = 0
    windows = 1000
    for _ in range(windows):
        now, then = (rng.multinomial(rows, (0.7, 0.2, 0.1)) for rows in (2_000, 20_000))
        called += any(
            judge_share(item, limit).verdict is Verdict.WARNING
            for item in shares(now.tolist(), then.tolist())
            if item.measure == "representation_difference"
        )
    assert called / windows <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / windows)


def test_defaults_are_larger_than_chance_in_a_small_window():
    assert REPRESENTATION.warning == 0.05
    found = judged(shares((56, 44), (5_000, 5_000)))
    assert found["representation", "f"].verdict is Verdict.OK
