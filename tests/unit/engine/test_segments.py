"""Slices of a log, profiled and judged like the whole: a real log, a real store."""

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.errors import BaselineError
from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Field, FieldKind
from monitor.domain.finding import Reason, Verdict
from monitor.domain.reference import Reference, ReferenceKind
from monitor.domain.segment import Segment
from monitor.engine.recheck import Agreement, Rechecker, revisions_within
from monitor.engine.why import why
from monitor.measures.slices import CARRIED
from monitor.profile import codec
from monitor.reports.finding import finding_tables
from tests.held import YESTERDAY, Deployment

REGION = Segment("region", ("region",), 3)
BY_SEX = Segment("region by sex", ("region", "sex"), 4)
REGIONS = np.array(["n", "n", "n", "s", "s", "w"])


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, a day like them, and one on which amounts in the south are higher."""
    made = Deployment(tmp_path, segments=(REGION, BY_SEX))
    for place in range(4):
        made.write(place, rows=900, regions=REGIONS, only="s" if place == 3 else None)
    made.register()
    made.check(4)
    return made


@pytest.fixture
def decoded(monkeypatch):
    """Return how often a slice of a stored profile was decoded."""
    done = []
    decode = codec._profile

    def counted(header, arrays, prefix):
        done.append(prefix)
        return decode(header, arrays, prefix)

    monkeypatch.setattr(codec, "_profile", counted)
    return lambda: sum(prefix != "" for prefix in done)


def of(deployment, place, value, segment="region", measure="psi", field="amount"):
    (result,) = deployment.run(place).results
    (found,) = [
        item
        for item in result.findings
        if item.reading.measure == measure
        and item.reading.subject.field == field
        and (item.reading.subject.segment, item.reading.subject.segment_value) == (segment, value)
    ]
    return found


@pytest.mark.slow
def test_a_slice_is_judged_as_if_it_were_all_there_is(deployment, tmp_path):
    verdicts = {value: of(deployment, 3, value).verdict for value in ("n", "s", "w")}
    assert verdicts == {"n": Verdict.OK, "s": Verdict.CRITICAL, "w": Verdict.OK}
    assert {of(deployment, 2, value).verdict for value in ("n", "s", "w")} == {Verdict.OK}
    alone = Deployment(tmp_path / "alone")
    for place in range(4):
        alone.write(place, rows=900, regions=REGIONS, only="s" if place == 3 else None)
    south = deployment.profile(3).segments["region"][1]
    assert south.rows == 300 == of(deployment, 3, "s").reading.result.n
    assert deployment.profile(3).rows == 900


@pytest.mark.slow
def test_the_slice_that_moved_carries_the_drift_of_all_rows(deployment):
    whole = of(deployment, 3, "", segment="").reading.result
    carried = {
        value: of(deployment, 3, value).reading.result.detail[CARRIED] for value in ("n", "s", "w")
    }
    assert whole.value > 0.25
    assert carried["s"] > 0.9
    assert abs(carried["n"]) < 0.1 and abs(carried["w"]) < 0.1
    still = of(deployment, 2, "s").reading.result
    assert CARRIED not in still.detail  # nothing is carried where nothing drifted


@pytest.mark.slow
def test_a_run_decodes_each_slice_of_the_baseline_once_and_none_of_its_parts(tmp_path, decoded):
    """Held all at once they would take a hundred times the memory of the profile without them."""
    rolling = Reference("rolling", ReferenceKind.ROLLING, windows=2)
    made = Deployment(tmp_path, rolling, segments=(REGION, BY_SEX))
    for place in range(4):
        made.write(place, rows=900, regions=REGIONS)
    made.register()
    before = decoded()
    made.check(4)
    judged = made.run(2).results[0].readings
    assert any(item.subject.reference == "rolling" for item in judged)
    slices = {(item.subject.segment, item.subject.segment_value) for item in judged}
    stored = sum(len(part) for part in made.profile(2).segments.values())
    assert 0 < decoded() - before <= 2 * stored == 2 * len(slices - {("", "")})  # two windows


@pytest.mark.slow
def test_a_crossing_has_slices_of_its_own(deployment):
    (result,) = deployment.run(3).results
    found = {
        item.subject.segment_value: item.result
        for item in result.readings
        if item.subject.segment == BY_SEX.name and item.measure == "psi"
        if item.subject.field == "amount"
    }
    assert set(found) == {"n × f", "n × m", "s × f", "s × m", "(other)"}
    assert sum(item.n for item in found.values()) == 900


@pytest.mark.slow
def test_what_is_measured_of_a_slice_is_what_has_a_limit(deployment):
    (result,) = deployment.run(3).results
    slices = [item for item in result.readings if item.subject.segment]
    assert {item.measure for item in slices} == {"psi", "missing_rate"}
    fingerprints = [item.fingerprint for item in result.findings]
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.slow
def test_small_new_and_vanished_slices_are_unknown_never_ok(deployment):
    deployment.write(4, rows=200, regions=np.array(["n"] * 9 + ["w"]))
    deployment.write(5, rows=200, regions=np.array(["n", "s", "s", "new"]))
    deployment.check(6)
    few, gone = of(deployment, 4, "w"), of(deployment, 4, "s")
    assert (few.verdict, few.reason) == (Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA)
    assert (gone.verdict, gone.reason) == (Verdict.UNKNOWN, Reason.NO_DATA)
    new = of(deployment, 5, "(other)")
    assert (new.verdict, new.reason) == (Verdict.UNKNOWN, Reason.NO_BASELINE)
    assert new.reading.result.n == 50


@pytest.mark.slow
def test_a_log_that_loses_the_column_has_all_rows_missing(deployment):
    deployment.write(4, rows=200)
    deployment.check(5)
    missing = of(deployment, 4, "(missing)")
    assert (missing.verdict, missing.reading.result.n) == (Verdict.UNKNOWN, 200)
    assert of(deployment, 4, "n").reason is Reason.NO_DATA
    assert isinstance(of(deployment, 4, "", segment="").reading.result, Estimate)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("segments", "named"),
    [
        ((REGION, BY_SEX, Segment("sex", ("sex",))), r"segment sex \(new\)"),
        ((replace(REGION, columns=("sex",)), BY_SEX), "segment region;"),
        ((REGION, replace(BY_SEX, most=5)), "segment region by sex;"),
    ],
)
def test_segments_are_frozen_with_the_baseline(deployment, segments, named):
    deployment.restart(segments=segments)
    deployment.write(4, regions=REGIONS)
    with pytest.raises(BaselineError, match=named):
        deployment.check(5)


@pytest.mark.slow
def test_a_segment_that_is_declared_no_more_is_not_judged(deployment):
    deployment.restart(segments=(REGION,), digest="e")
    deployment.write(4, regions=REGIONS)
    deployment.check(5)
    (result,) = deployment.run(4).results
    assert {item.subject.segment for item in result.readings} == {"", "region"}


def test_references_are_of_all_rows(tmp_path):
    made = Deployment(tmp_path, YESTERDAY, segments=(REGION,))
    for place in range(3):
        made.write(place, regions=REGIONS)
    made.register()
    made.check(3)
    (result,) = made.run(2).results
    both = [item for item in result.readings if item.subject.segment and item.subject.reference]
    assert both == []
    assert isinstance(made.reading(2, "yesterday"), Estimate)


@pytest.mark.slow
def test_a_field_that_the_baseline_does_not_know_is_unknown_in_every_slice(deployment):
    fields = (*deployment.policy.fields, Field("new", "new", FieldKind.NUMERIC))
    deployment.restart(fields=fields, digest="e")
    deployment.write(4, regions=REGIONS)
    deployment.check(5)
    found = of(deployment, 4, "n", field="new").reading.result
    assert found.reason is Absence.NO_BASELINE


@pytest.mark.slow
def test_what_is_stored_of_slices_is_recomputed_alike(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert len(found) == 2
    assert [item.differences for item in found] == [()] * 2
    assert {item.agreement for item in found} == {Agreement.EQUAL}


@pytest.mark.slow
def test_a_finding_of_a_slice_is_made_of_the_bins_of_the_slice(deployment):
    finding = of(deployment, 3, "s")
    window = deployment.run(3).window
    told = why(deployment.store, deployment.policy, finding.fingerprint, window)
    assert told.parts.total == pytest.approx(finding.reading.result.value)
    whole = of(deployment, 3, "", segment="")
    of_all = why(deployment.store, deployment.policy, whole.fingerprint, window)
    assert of_all.parts.total == pytest.approx(whole.reading.result.value)
    assert told.ranking == of_all.ranking
    (heading, *_) = finding_tables(told, deployment.policy, 20)
    assert ("segment", "region: s") in heading.rows
