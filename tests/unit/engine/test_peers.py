"""A slice that is held against other rows of the same window: a real log, a real store."""

import numpy as np
import pytest

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.peer import Peer
from monitor.domain.policy import FieldLimit
from monitor.domain.segment import Segment
from monitor.engine.recheck import Rechecker, revisions_within
from monitor.engine.why import why
from monitor.measures.drift.psi import psi
from monitor.measures.grouping import grouped
from monitor.measures.measure import FieldPair
from monitor.profile.codec import grid_from_bytes
from monitor.reports.finding import finding_tables
from monitor.reports.summary import summarise
from tests.held import Deployment

REGION = Segment("region", ("region",), 3)
PEERS = (
    Peer("south and north", "region", "s", "n"),
    Peer("south and the rest", "region", "s"),
    Peer("west and north", "region", "w", "n"),
    Peer("nowhere", "region", "x", "n"),
)
REGIONS = np.array(["n", "n", "n", "s", "s", "w"])
LIMITS = {
    "psi": FieldLimit(Limit(0.1, 0.25)),
    "score_mean": FieldLimit(Limit(0.2, 0.5)),
    "missing_rate": FieldLimit(Limit(0.01, 0.05)),
}


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, a day like them, and one on which amounts in the south are higher."""
    made = Deployment(tmp_path, segments=(REGION,), peers=PEERS, limits=LIMITS)
    for place in range(4):
        made.write(place, rows=900, regions=REGIONS, only="s" if place == 3 else None)
    made.register()
    made.check(4)
    return made


def of(deployment, place, name, measure="psi", field="amount"):
    (result,) = deployment.run(place).results
    (found,) = [
        item
        for item in result.findings
        if item.reading.measure == measure
        and item.reading.subject.field == field
        and item.reading.subject.reference == name
    ]
    return found


@pytest.mark.slow
def test_a_slice_that_moved_is_apart_from_its_peers_and_the_others_are_not(deployment):
    names = [peer.name for peer in PEERS[:3]]
    moved = [of(deployment, 3, name).verdict for name in names]
    assert moved == [Verdict.CRITICAL, Verdict.CRITICAL, Verdict.OK]
    assert [of(deployment, 2, name).verdict for name in names] == [Verdict.OK] * 3


@pytest.mark.slow
def test_the_numbers_are_those_of_the_two_slices(deployment):
    profile = deployment.profile(3)
    (result,) = deployment.run(3).results
    grid = grid_from_bytes(deployment.store.baseline(result.baseline).grid)
    parts, (field, _) = profile.segments["region"], deployment.policy.fields
    codes = grid.segments[0].codes
    north, south, west = (parts[codes[name,]] for name in "nsw")
    pair = FieldPair(field, grid.fields["amount"], north.fields["amount"], south.fields["amount"])
    against_north = of(deployment, 3, "south and north").reading.result
    assert against_north.value == pytest.approx(psi(*grouped(pair)), rel=1e-12)
    assert (against_north.n, against_north.n_reference) == (300, 450)
    the_rest = of(deployment, 3, "south and the rest").reading.result
    assert (the_rest.n, the_rest.n_reference) == (300, north.rows + west.rows)


@pytest.mark.slow
def test_a_reading_says_of_which_slice_it_is(deployment):
    subject = of(deployment, 3, "south and north").reading.subject
    assert (subject.segment, subject.segment_value) == ("region", "s")
    assert not subject.scanned
    (result,) = deployment.run(3).results
    measures = {i.measure for i in result.readings if i.subject.reference == "south and north"}
    assert {"psi", "ks", "score_mean", "decision_rate"} <= measures
    assert not measures & {"missing_rate", "correlation_change", "selection_rate_ratio_change"}


@pytest.mark.slow
def test_slices_that_always_differed_may_go_on_doing_so(tmp_path):
    made = Deployment(tmp_path, segments=(REGION,), peers=PEERS, limits=LIMITS)
    for place in range(4):  # the south is three deviations higher on every day
        made.write(place, rows=900, regions=REGIONS, only="s")
    made.register()
    made.check(4)
    found = of(made, 3, "south and north")
    assert found.reading.result.value > 4
    assert found.verdict is Verdict.OK
    assert "adds what is tolerated to how far they were apart in the baseline" in found.explanation
    test = found.evidence[Verdict.WARNING]
    # Indices of normal laws that are shifted by d are d², so their roots add up as shifts do.
    assert test.tolerance**0.5 - 0.1**0.5 == pytest.approx(2.3, abs=0.3)


@pytest.mark.slow
def test_a_slice_without_rows_and_one_that_nobody_knows_are_unknown(deployment):
    deployment.write(4, rows=200, regions=np.array(["n", "n", "n", "w"]))
    deployment.write(5, rows=200, regions=np.array(["s", "s", "s", "w"]))
    deployment.check(6)
    gone = of(deployment, 4, "south and north")
    assert (gone.verdict, gone.reason) == (Verdict.UNKNOWN, Reason.NO_DATA)
    no_peer = of(deployment, 5, "south and north")
    assert (no_peer.verdict, no_peer.reason) == (Verdict.UNKNOWN, Reason.REFERENCE_UNAVAILABLE)
    nowhere = of(deployment, 3, "nowhere")
    assert (nowhere.verdict, nowhere.reason) == (Verdict.UNKNOWN, Reason.REFERENCE_UNAVAILABLE)
    assert "no slice x of region; its slices are n, s, w" in nowhere.explanation
    assert nowhere.reading.result.reason is Absence.REFERENCE_UNAVAILABLE
    assert isinstance(of(deployment, 5, "south and the rest").reading.result, Estimate)


@pytest.mark.slow
def test_peers_have_their_own_limits(deployment):
    own = {"south and north": {**LIMITS, "psi": FieldLimit(Limit(50.0, None))}}
    deployment.restart(reference_limits=own, digest="e")
    deployment.write(4, rows=900, regions=REGIONS, only="s")
    deployment.check(5)
    assert of(deployment, 4, "south and north").verdict is Verdict.OK
    assert of(deployment, 4, "south and the rest").verdict is Verdict.CRITICAL


@pytest.mark.slow
def test_what_is_stored_is_recomputed_alike(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert [(item.why, item.differences) for item in found] == [("", ())] * 2


@pytest.mark.slow
def test_an_explanation_names_both_sides(deployment):
    finding = of(deployment, 3, "south and north")
    told = why(deployment.store, deployment.policy, finding.fingerprint, deployment.run(3).window)
    assert told.parts.total == pytest.approx(finding.reading.result.value)
    first, *tables = finding_tables(told, deployment.policy, 20)
    assert ("what", "amount of region: s (against south and north)") in first.rows
    (made,) = [item for item in tables if item.title.startswith("What made it")]
    assert made.columns[:3] == ("part", "n", "s")
    rate = of(deployment, 3, "south and the rest", "score_mean", "")
    moved = why(deployment.store, deployment.policy, rate.fingerprint, deployment.run(3).window)
    (parts,) = moved.decompositions.values()
    assert parts.then == pytest.approx(rate.reading.result.then)
    assert parts.now == pytest.approx(rate.reading.result.now)


@pytest.mark.slow
def test_the_summary_lists_peers_with_what_changed_and_not_with_the_slices(deployment):
    tables = {table.title: table for table in summarise(deployment.policy, [deployment.run(3)])}
    changed = tables["What changed against the baseline and references"]
    named = {row[1] for row in changed.rows}
    assert "amount of region: s (against south and north)" in named
    slices = tables["Which slices are beyond a limit"]
    assert {row[2] for row in slices.rows} == {"region: s"}
    assert all("against" not in row[1] for row in slices.rows)
