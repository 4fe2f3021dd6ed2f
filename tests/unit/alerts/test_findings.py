import pytest
from msgspec.structs import replace
from scipy.stats import false_discovery_control, ncx2

from monitor.alerts.detector import e_value
from monitor.alerts.findings import findings_of
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.reading import Reading, Subject
from monitor.measures.variability import Floor
from tests.stored import a_policy

LIMITS = {"psi": FieldLimit(Limit(0.1, 0.25)), "missing_rate": FieldLimit(Limit(0.01, 0.05))}
POLICY = replace(a_policy(), limits=LIMITS)
DF, N, REFERENCE = 9, 1000, 20_000
N_EFF = N * REFERENCE / (N + REFERENCE)


def psi(field, value):
    detail = {"df": DF, "n_eff": N_EFF}
    low = max(value - 0.05, 0.0)
    return reading(field, Estimate(value, N, REFERENCE, low=low, high=value, detail=detail))


def reading(field, result, measure="psi"):
    return Reading(measure, Subject("credit", "1", field), result)


def by_field(readings, floors=None, policy=POLICY):
    found = findings_of(readings, policy, floors)
    return {item.reading.subject.field: item for item in found}


VALUES = (0.02, 0.13, 0.16, 0.17, 0.3, 0.5)


@pytest.mark.parametrize(("verdict", "limit"), [(Verdict.WARNING, 0.1), (Verdict.CRITICAL, 0.25)])
def test_p_values_are_those_of_the_noncentral_chi_square_adjusted_over_the_fields(verdict, limit):
    found = by_field([psi(f"f{place}", value) for place, value in enumerate(VALUES)])
    p = [ncx2.sf(N_EFF * value, DF, N_EFF * limit) for value in VALUES]
    tests = [found[f"f{place}"].evidence[verdict] for place in range(len(VALUES))]
    assert [test.p_value for test in tests] == pytest.approx(p, rel=1e-6)
    adjusted = false_discovery_control(p).tolist()
    assert [test.p_adjusted for test in tests] == pytest.approx(adjusted, rel=1e-6)
    assert {test.tests for test in tests} == {len(VALUES)}


def test_a_field_that_would_be_beyond_alone_is_not_among_many_that_are_not():
    alone = by_field([psi("x", 0.16)])["x"]
    among = by_field([psi("x", 0.16), *(psi(f"f{n}", 0.01) for n in range(39))])["x"]
    assert (alone.verdict, among.verdict) == (Verdict.WARNING, Verdict.OK)
    assert "not shown to be beyond the warning limit 0.1" in among.explanation
    assert "among 40 tests" in among.explanation


def test_the_larger_of_limit_and_floor_is_tolerated_and_the_finding_says_which():
    limit, floor = by_field([psi("x", 0.5)])["x"], Floor(0.45, 0.9, 90)
    raised = by_field([psi("x", 0.5)], {("psi", "x"): floor})["x"]
    assert limit.verdict is Verdict.CRITICAL
    assert raised.verdict is Verdict.OK
    assert raised.limit == limit.limit
    evidence = raised.evidence[Verdict.WARNING]
    assert (evidence.tolerance, evidence.floor, evidence.windows) == (0.45, 0.45, 90)
    assert "0.45, which the baseline's own windows reach" in raised.explanation
    assert "the warning limit is 0.1" in raised.explanation
    below = by_field([psi("x", 0.5)], {("psi", "x"): Floor(0.03, 0.07, 90)})["x"]
    assert below.evidence[Verdict.CRITICAL].tolerance == 0.25
    assert "(the baseline's own windows reach 0.07)" in below.explanation


def test_too_few_windows_of_the_baseline_are_told():
    found = by_field([psi("x", 0.5)], {("psi", "x"): Floor(0.0, 0.0, 2)})["x"]
    assert "the baseline has 2 windows, too few to know" in found.explanation


@pytest.mark.parametrize(
    "result",
    [
        Unmeasurable(Absence.MISSING_COLUMN, "no file has it"),
        Unmeasurable(Absence.NO_DATA, "all missing"),
        Estimate(9.0, 49, REFERENCE, detail={"df": DF, "n_eff": 48.0}),
    ],
)
def test_what_cannot_be_measured_is_unknown_and_keeps_its_place_in_the_family(result):
    found = by_field([reading("gone", result), psi("x", 0.16)])
    assert found["gone"].verdict is Verdict.UNKNOWN
    assert found["gone"].evidence == {}
    alone = by_field([psi("x", 0.16)])["x"].evidence[Verdict.WARNING]
    beside = found["x"].evidence[Verdict.WARNING]
    assert beside.tests == 2
    assert beside.p_adjusted == pytest.approx(2 * alone.p_adjusted)


def test_the_model_as_a_whole_and_the_quality_of_fields_are_families_of_their_own():
    share = Estimate(0.03, N, REFERENCE, low=0.02, high=0.04)
    readings = [psi("x", 0.16), reading("x", share, "missing_rate"), reading("y", share, "ks")]
    readings.append(reading("", share, "decision_rate"))
    ks = Estimate(0.5, N, REFERENCE, detail={"n_eff": N_EFF})
    readings[2] = reading("y", ks, "ks")
    limits = {
        **LIMITS,
        "ks": FieldLimit(Limit(0.1, None)),
        "decision_rate": FieldLimit(Limit(0.02, 0.1)),
    }
    found = findings_of(readings, replace(POLICY, limits=limits))
    tests = {item.reading.measure: item.evidence[Verdict.WARNING].tests for item in found}
    assert tests == {"psi": 2, "ks": 2, "missing_rate": 1, "decision_rate": 1}


def test_a_bound_that_is_never_is_never_exceeded():
    limits = {"psi": FieldLimit(Limit(None, 0.25), {"y": Limit(0.1, None), "z": Limit(None, None)})}
    policy = replace(POLICY, limits=limits)
    found = by_field([psi(name, 0.9) for name in "xyz"], policy=policy)
    assert set(found) == {"x", "y"}
    assert found["y"].verdict is Verdict.WARNING
    assert found["y"].reason is Reason.BEYOND_WARNING
    assert set(found["x"].evidence) == {Verdict.CRITICAL}
    quiet = by_field([psi("x", 0.01)], policy=policy)["x"]
    assert "within the critical limit 0.25" in quiet.explanation


def test_a_measure_without_a_test_is_judged_by_its_interval():
    limits = {"auc_drop": FieldLimit(Limit(0.02, 0.05))}
    drop = Estimate(0.1, N, REFERENCE, low=0.06, high=0.14)
    (found,) = findings_of([reading("", drop, "auc_drop")], replace(POLICY, limits=limits))
    assert found.verdict is Verdict.CRITICAL
    assert found.evidence == {}


def test_how_fields_move_together_is_tested_apart_from_what_the_model_gives():
    changed = Estimate(0.05, N, REFERENCE, low=0.03, high=0.07, then=0.1, now=0.15)
    related = Estimate(
        0.2, N, REFERENCE, low=0.1, high=0.3, p_value=1e-4, p_adjusted=0.02, note="a × b"
    )
    limits = {
        "decision_rate": FieldLimit(Limit(0.02, 0.10)),
        "correlation_change": FieldLimit(Limit(0.10, None)),
    }
    found = findings_of(
        [reading("", changed, "decision_rate"), reading("", related, "correlation_change")],
        replace(POLICY, limits=limits),
    )
    assert [item.evidence[Verdict.WARNING].tests for item in found] == [1, 1]
    assert [item.verdict for item in found] == [Verdict.WARNING, Verdict.WARNING]
    assert found[1].explanation.startswith("a × b: 0.2")
    assert e_value(found) == e_value(found[:1])
    assert e_value(found[1:]) is None
