"""Windows held against earlier ones: a real log, a real store."""

import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.run import Outcome
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.engine.why import why
from monitor.measures.drift.psi import measure as psi
from monitor.measures.measure import FieldPair
from monitor.profile.codec import grid_from_bytes
from monitor.profile.profile import merged
from monitor.sources.location import Location
from tests.held import DAY, MONDAYS, ROWS, WEEK, YESTERDAY, Deployment, day

pytestmark = pytest.mark.slow


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, and eight further days that have been run."""
    made = Deployment(tmp_path, YESTERDAY, WEEK, MONDAYS)
    for place in range(10):
        made.write(place, shift=2.0 if place >= 5 else 0.0)
    made.register()
    assert made.check(10) == [(place, 1) for place in range(2, 10)]
    return made


def test_references_are_made_of_stored_windows_and_of_the_baseline_s_own_days(deployment):
    assert [deployment.parts(place, "yesterday") for place in (2, 5)] == [[1], [4]]
    assert [deployment.parts(place, "three days") for place in (2, 3, 4, 9)] == [
        [0],
        [1, 0],
        [2, 1, 0],
        [7, 6, 5],
    ]
    assert [deployment.parts(place, "same weekday") for place in (6, 7, 8, 9)] == [
        [],
        [0],
        [1],
        [2],
    ]


def test_a_reference_is_the_sum_of_its_profiles(deployment):
    (baseline,) = deployment.store.baselines("credit")
    grid = grid_from_bytes(baseline.grid)
    earlier = merged(deployment.profile(place) for place in (5, 6, 7))
    field = deployment.policy.fields[0]
    sides = (earlier.fields["amount"], deployment.profile(9).fields["amount"])
    assert deployment.reading(9, "three days") == psi(
        FieldPair(field, grid.fields["amount"], *sides)
    )


def test_a_finding_is_explained_by_what_it_was_held_against(deployment):
    window = day(5)
    for name in ("", "yesterday", "three days", "same weekday"):
        finding = deployment.finding(5, name)
        found = why(deployment.store, deployment.policy, finding.fingerprint, window)
        if isinstance(finding.reading.result, Unmeasurable):
            assert found.parts == finding.reading.result
        else:
            assert found.parts.total == finding.reading.result.value
    known = replace(deployment.policy, references=())
    found = why(deployment.store, known, deployment.finding(5, "yesterday").fingerprint, window)
    assert found.parts.reason is Absence.REFERENCE_UNAVAILABLE


def test_each_reference_gives_its_own_answer(deployment):
    answers = {
        name: [deployment.finding(place, name).verdict for place in (4, 5, 6)]
        for name in ("", "yesterday", "three days")
    }
    ok, critical = Verdict.OK, Verdict.CRITICAL
    assert answers == {
        "": [ok, critical, critical],  # it stays shifted
        "yesterday": [ok, critical, ok],  # it was shifted once
        "three days": [ok, critical, critical],
    }


def test_only_change_is_held_against_references(deployment):
    (result,) = deployment.run(9).results
    against = {item.measure for item in result.readings if item.subject.reference}
    alone = {item.measure for item in result.readings} - against
    assert {"psi", "ks", "score_mean", "decision_rate", "selection_rate_ratio_change"} <= against
    assert {"missing_rate", "rows", "freshness", "selection_rate_ratio"} <= alone
    groups = [
        (item.subject.group, item.subject.reference_group)
        for item in result.readings
        if item.measure == "selection_rate_ratio_change"
    ]
    assert len(set(groups)) == 1  # the group held against is the baseline's largest, always
    fingerprints = [item.fingerprint for item in result.findings]
    assert len(set(fingerprints)) == len(fingerprints)


def test_a_reference_that_cannot_be_made_is_unknown_and_no_other_is_taken(deployment):
    found = deployment.finding(2, "three days")
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, Reason.REFERENCE_UNAVAILABLE)
    assert found.explanation == (
        "the reference three days needs 2 of 3 windows, and 1 are stored with rows of version 1 "
        "on its baseline's grid"
    )
    (result,) = deployment.run(6).results
    results = [item.result for item in result.readings if item.subject.reference == MONDAYS.name]
    assert {item.reason for item in results} == {Absence.REFERENCE_UNAVAILABLE}
    assert {item.subject.reference: item.measure for item in result.readings}.keys() == {
        "",
        "yesterday",
        "three days",
        "same weekday",
    }


def test_a_window_without_rows_is_no_part_of_a_reference(tmp_path):
    made = Deployment(tmp_path, YESTERDAY, WEEK)
    for place in (0, 1, 2, 4, 5):
        made.write(place)
    made.register()
    made.check(6)
    assert made.run(3).outcome is Outcome.NO_DATA
    assert made.run(3).compositions == ()
    assert made.reading(4, "yesterday").reason is Absence.REFERENCE_UNAVAILABLE
    assert made.parts(5, "three days") == [2, 1]
    made.write(3)
    assert made.check(6.1) == [(3, 2), (4, 2), (5, 2)]
    assert isinstance(made.reading(4, "yesterday"), Estimate)
    assert made.parts(5, "three days") == [3, 2, 1]


def test_after_a_new_baseline_earlier_windows_are_on_another_grid(deployment):
    deployment.register(first=4, days=3)
    deployment.write(10)
    assert deployment.check(11) == [(10, 1)]
    assert deployment.reading(10, "yesterday").reason is Absence.REFERENCE_UNAVAILABLE
    assert deployment.parts(10, "three days") == [6]  # of the new baseline's own period
    assert deployment.check(11.1) == []  # results on the earlier baseline are history


def test_late_data_reach_the_windows_whose_references_they_are_in_and_no_log_is_read(
    deployment, monkeypatch
):
    deployment.write(6, "late", rows=200, shift=-3.0)
    assert deployment.check(10.1) == [(6, 2), (7, 2), (8, 2), (9, 2)]
    assert isinstance(deployment.reading(7, "yesterday"), Estimate)
    assert deployment.run(7).manifest == deployment.run(7, 1).manifest
    assert deployment.run(7).identity != deployment.run(7, 1).identity
    assert deployment.reading(7, "") == next(
        item.result
        for item in deployment.run(7, 1).results[0].readings
        if item.measure == "psi" and item.subject.field == "amount"
    )
    assert deployment.check(10.2) == []
    deployment.restart()
    assert deployment.check(10.3) == []

    deployment.write(3, "late 3", rows=200, shift=-3.0)
    opened = []
    real = Location.handle
    monkeypatch.setattr(
        Location, "handle", lambda self, file: opened.append(file.path) or real(self, file)
    )
    again = deployment.check(10.4)
    assert [place for place, _ in again] == [3, 4, 5, 6, 7]
    assert set(opened) <= {"3.parquet", "late 3.parquet"}


def test_a_closed_window_is_judged_again_without_what_came_too_late_for_it(tmp_path):
    made = Deployment(tmp_path, YESTERDAY, schedule=Schedule(CalendarUnit.DAY, reopen=2 * DAY))
    for place in range(8):
        made.write(place)
    made.register()
    made.check(8)
    made.write(3, "late", rows=200, shift=3.0)
    made.write(4, "later", rows=200, shift=3.0)
    assert made.check(8.1) == []  # closed: named, and not taken in
    made.back_fill(3)
    assert made.check(8.2) == [(4, 2)]
    assert made.run(4).accounting.read == ROWS
    assert set(made.lookback.closed) == {day(4)}


def test_results_of_an_earlier_policy_stay_as_they_are(deployment):
    deployment.restart(digest="e", limits={})
    assert deployment.check(10.1) == []
    deployment.write(9, "late", rows=100)
    assert deployment.check(10.2) == [(9, 2)]
    deployment.write(8, "late 8", rows=100)
    assert deployment.check(10.3) == [(8, 2), (9, 3)]
    assert {deployment.run(place).policy for place in (8, 9)} == {"e"}


def test_limits_of_a_reference_are_its_own(tmp_path):
    own = {"yesterday": {"psi": FieldLimit(Limit(3.0, None)), "ks": FieldLimit(Limit(0.1, None))}}
    made = Deployment(tmp_path, YESTERDAY, reference_limits=own)
    for place in range(4):
        made.write(place, shift=2.0 if place == 3 else 0.0)
    made.register()
    made.check(4)
    assert made.finding(3, "").verdict is Verdict.CRITICAL
    assert made.finding(3, "yesterday").verdict is Verdict.OK
    assert made.finding(3, "yesterday", "ks").verdict is Verdict.WARNING


def test_rows_are_held_against_a_reference_that_asks_for_it_and_no_other(tmp_path):
    volume = FieldLimit(Limit(0.3, 0.6))
    psi = FieldLimit(Limit(0.1, 0.25))
    own = {"same weekday": {"psi": psi, "rows": volume}}
    limits = {"psi": psi, "rows": FieldLimit(Limit(0.95, None))}
    made = Deployment(tmp_path, MONDAYS, YESTERDAY, reference_limits=own, limits=limits)
    for place in range(14):
        made.write(place, rows=900 if place % 7 in {5, 6} else 300)
    made.register(days=14)
    for place, rows in ((14, 300), (15, 20), (19, 300), (20, 900)):
        made.write(place, rows=rows)
    made.check(21)

    def verdict(place, reference):
        return made.finding(place, reference, "rows", "").verdict

    assert [verdict(place, "same weekday") for place in (14, 15, 19, 20)] == [
        Verdict.OK,
        Verdict.CRITICAL,  # of 300, with fewer than `min_rows`
        Verdict.CRITICAL,  # a Saturday of as many rows as a weekday, which the baseline tolerates
        Verdict.OK,
    ]
    assert verdict(19, "") is Verdict.OK
    (result,) = made.run(19).results
    against = {item.subject.reference for item in result.readings if item.measure == "rows"}
    assert against == {"", "same weekday"}


def test_reasons_speak_of_the_reference_that_they_are_about(tmp_path):
    made = Deployment(tmp_path, YESTERDAY)
    for place in range(3):
        made.write(place)
    made.register()
    made.write(3, rows=4)
    made.write(4)
    made.check(5)
    (result,) = made.run(4).results
    absent = [
        item.result
        for item in result.readings
        if item.subject.reference and isinstance(item.result, Unmeasurable)
    ]
    assert len(absent) > 5
    assert not [item for item in absent if "the baseline" in item.explanation]
    assert Absence.NO_BASELINE not in {item.reason for item in absent}


def test_without_references_identities_are_those_of_before(tmp_path):
    made = Deployment(tmp_path)
    for place in range(3):
        made.write(place)
    made.register()
    made.check(3)
    run = made.run(2)
    assert (run.identity, run.compositions) == (run.inputs, ())
