import pytest

from monitor.alerts.judge import evidence, judge, judge_floor, withheld
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.reading import Reading, Subject

PSI = Limit(0.1, 0.25, min_rows=50)


def reading(result):
    return Reading("psi", Subject("m", "1", field="x"), result)


def verdict(result, limit=PSI, *, either_side=False):
    return judge(reading(result), limit, either_side=either_side).verdict


@pytest.mark.parametrize("absence", Absence)
def test_what_cannot_be_measured_is_unknown_and_keeps_its_reason(absence):
    found = judge(reading(Unmeasurable(absence, "told")), PSI, either_side=False)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == absence.value
    assert found.explanation == "told"


@pytest.mark.parametrize(
    ("low", "expected"),
    [(0.05, Verdict.OK), (0.1, Verdict.OK), (0.11, Verdict.WARNING), (0.26, Verdict.CRITICAL)],
)
def test_the_whole_interval_must_lie_beyond_the_limit(low, expected):
    assert verdict(Estimate(0.4, 1000, 1000, low=low, high=0.9)) is expected


def test_a_measure_without_interval_is_judged_on_its_value():
    assert verdict(Estimate(0.26, 1000, 1000)) is Verdict.CRITICAL


@pytest.mark.parametrize(("n", "reference"), [(49, 1000), (1000, 49)])
def test_too_few_rows_are_unknown_however_large_the_value(n, reference):
    found = judge(reading(Estimate(9.0, n, reference)), PSI, either_side=False)
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA)
    assert "at least 50" in found.explanation


def test_a_fall_counts_only_where_it_is_asked_for():
    fall = Estimate(-0.3, 1000, 1000, low=-0.35, high=-0.26)
    assert verdict(fall) is Verdict.OK
    assert verdict(fall, either_side=True) is Verdict.CRITICAL


def test_an_interval_around_zero_is_no_evidence():
    assert evidence(Estimate(0.3, 10, low=-0.1, high=0.7), either_side=True) == 0.0


def test_a_limit_without_bounds_only_says_whether_there_is_a_number():
    none = Limit(None, None, 0)
    assert verdict(Estimate(99.0, 1), none) is Verdict.OK
    assert verdict(Unmeasurable(Absence.NO_DATA, ""), none) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("value", "high", "expected"),
    [
        (0.95, None, Verdict.OK),
        (0.9, None, Verdict.OK),
        (0.89, None, Verdict.WARNING),
        (0.49, None, Verdict.CRITICAL),
        (0.89, 0.91, Verdict.OK),
        (0.3, 0.6, Verdict.WARNING),
    ],
)
def test_beyond_a_floor_is_below_it_with_the_whole_interval(value, high, expected):
    found = judge_floor(reading(Estimate(value, 1000, 1, high=high)), Limit(0.9, 0.5))
    assert found.verdict is expected


def test_a_floor_needs_rows_and_a_number():
    few = judge_floor(reading(Estimate(0.1, 49, 1000)), Limit(0.9, 0.5))
    assert (few.verdict, few.reason) == (Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA)
    none = judge_floor(reading(Unmeasurable(Absence.NO_DATA, "told")), Limit(0.9, 0.5))
    assert (none.verdict, none.reason) == (Verdict.UNKNOWN, Reason.NO_DATA)


def test_what_waits_for_labels_is_unknown_and_keeps_its_number():
    measured = reading(Estimate(9.0, 1000, 1000))
    found = withheld(measured, PSI, "waiting")
    assert (found.verdict, found.reason, found.explanation) == (
        Verdict.UNKNOWN,
        Reason.NO_LABELS,
        "waiting",
    )
    assert found.reading is measured


def test_the_fingerprint_says_what_was_measured_and_not_how_much():
    one = judge(reading(Estimate(0.1, 100, 100)), PSI, either_side=False)
    other = judge(reading(Estimate(0.9, 500, 500)), PSI, either_side=False)
    assert one.fingerprint == other.fingerprint
    elsewhere = Reading("psi", Subject("m", "1", field="y"), Estimate(0.1, 100, 100))
    assert judge(elsewhere, PSI, either_side=False).fingerprint != one.fingerprint
