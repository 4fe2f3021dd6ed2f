"""The scan over slices and over pairs of segments: a real log, a real store."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.config.segment_checks import pairs_of
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.reading import Reading, Subject
from monitor.domain.segment import Segment
from monitor.engine.recheck import Rechecker, revisions_within
from monitor.engine.scan import carried, foremost
from monitor.engine.why import why
from monitor.reports.finding import finding_tables
from monitor.reports.finding_document import finding_document
from monitor.reports.summary import summarise
from tests.held import DAY, Deployment, day

ROWS = 2400
REGION, CHANNEL = Segment("region", ("region",), 5), Segment("channel", ("channel",), 5)
SEGMENTS = (REGION, CHANNEL, *pairs_of((REGION, CHANNEL), 8))
PAIR = "region × channel"
LIMITS = {
    "psi": FieldLimit(Limit(0.1, 0.25)),
    "score_mean": FieldLimit(Limit(0.1, 0.5)),
    "decision_rate": FieldLimit(Limit(0.02, 0.1)),
    "missing_rate": FieldLimit(Limit(0.01, 0.05)),
}


def write(folder, place, moved):
    """Write a day; where ``moved``, amounts and scores of the north's web are higher."""
    rng = np.random.default_rng(place)
    region, channel = rng.choice(["n", "s"], ROWS), rng.choice(["shop", "web", "web"], ROWS)
    here = (region == "n") & (channel == "web") & moved
    score = np.clip(rng.random(ROWS) * 0.6 + 0.4 * here, 0, 1)
    at = [day(place).start + row * DAY / ROWS for row in range(ROWS)]
    table = {
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "amount": rng.normal(0, 1, ROWS) + 3.0 * here,
        "score": score,
        "flag": rng.random(ROWS) < score,
        "sex": rng.choice(["f", "m"], ROWS).tolist(),
        "region": region.tolist(),
        "channel": channel.tolist(),
    }
    pq.write_table(pa.table(table), folder / f"{place}.parquet")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """Two days of baseline, a day like them, and one on which the north's web moved."""
    folder = tmp_path_factory.mktemp("log")
    made = Deployment(folder, segments=SEGMENTS, limits=LIMITS)
    for place in range(4):
        write(folder, place, moved=place == 3)
    made.register()
    made.check(4)
    return made


def told(deployment, place, measure="psi", field="amount"):
    run = deployment.run(place)
    (finding,) = [
        item
        for item in run.results[0].findings
        if item.reading.measure == measure
        and item.reading.subject.field == field
        and not item.reading.subject.segment
    ]
    return why(deployment.store, deployment.policy, finding.fingerprint, run.window)


def named(finding):
    return finding.reading.subject.segment, finding.reading.subject.segment_value


@pytest.mark.slow
def test_a_pair_that_nobody_declared_is_found_to_carry_the_drift(deployment):
    found = told(deployment, 3)
    assert named(found.slices[0]) == (PAIR, "n × web")
    first = found.slices[0]
    assert first.verdict is Verdict.CRITICAL and carried(first) > 0.9
    by_name = {named(item): item for item in found.slices}
    assert {PAIR, "region", "channel"} == {segment for segment, _ in by_name}
    for slice_ in ((PAIR, "s × web"), (PAIR, "n × shop"), ("region", "s"), ("channel", "shop")):
        assert by_name[slice_].verdict is Verdict.OK
        assert abs(carried(by_name[slice_])) < 0.1
    for half in (("region", "n"), ("channel", "web")):  # they hold it, less closely
        assert found.slices.index(by_name[half]) > 0
        assert by_name[half].reading.result.n > first.reading.result.n


@pytest.mark.parametrize("measure", ["score_mean", "decision_rate"])
def test_what_slices_carry_of_a_mean_is_exact(deployment, measure):
    found = told(deployment, 3, measure, "")
    assert named(found.slices[0]) == (PAIR, "n × web")
    shares = {named(item): carried(item) for item in found.slices}
    whole = found.finding.reading.result
    for segment in ("region", "channel"):
        shift = found.decompositions[segment]
        assert shift.mix + shift.within == pytest.approx(whole.now - whole.then, abs=1e-12)
        for group in shift.groups:
            share = group.within / (whole.now - whole.then)
            assert shares[segment, group.name] == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(
    ("of_slice", "of_crossing", "first"),
    [
        (0.955, 0.945, "crossing"),
        (0.951, 0.949, "crossing"),
        (0.99, 0.90, "crossing"),
        (0.99, 0.88, "slice"),
        (0.40, 0.45, "crossing"),
    ],
)
def test_of_what_carries_nearly_as_much_the_smaller_slice_comes_first(of_slice, of_crossing, first):
    def finding(name, rows, part):
        subject = Subject("credit", "1", "amount", segment="where", segment_value=name)
        result = Estimate(0.5, rows, detail={} if part is None else {"carried": part})
        reading = Reading("psi", subject, result)
        return Finding(reading, Limit(0.1, 0.25), Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "")

    found = foremost(
        [
            finding("unseen", 10, None),
            finding("none of it", 5, 0.01),
            finding("slice", 900, of_slice),
            finding("crossing", 100, of_crossing),
        ]
    )
    names = [item.reading.subject.segment_value for item in found]
    assert names[0] == first
    assert names[2:] == ["none of it", "unseen"]


def test_nothing_is_carried_where_nothing_drifted(deployment):
    found = told(deployment, 2)
    assert found.slices and {carried(item) for item in found.slices} == {None}
    assert {item.verdict for item in found.slices} == {Verdict.OK}


def test_of_pairs_drift_alone_is_measured(deployment):
    (result,) = deployment.run(3).results
    measures = {
        segment: {item.measure for item in result.readings if item.subject.segment == segment}
        for segment in ("region", PAIR)
    }
    assert measures["region"] == set(LIMITS)
    assert measures[PAIR] == set(LIMITS) - {"missing_rate"}


def test_p_values_are_adjusted_over_all_slices_and_fields_of_the_pair(deployment):
    test = told(deployment, 3).slices[0].evidence[Verdict.WARNING]
    assert test.tests == 4 * 2  # slices with rows × fields
    assert test.p_adjusted >= test.p_value


def test_people_and_machines_are_told(deployment):
    found = told(deployment, 3)
    tables = {item.title: item for item in finding_tables(found, deployment.policy, 20)}
    table = tables["Which slices carry it"]
    assert table.rows[0][0] == "region × channel: n × web"
    assert table.rows[0][-2] == "critical"
    document = finding_document(found, deployment.policy)
    assert document["slices"][0]["subject"]["segment_value"] == "n × web"
    assert document["slices"][0]["result"]["detail"]["carried"] > 0.9
    short, *_ = summarise(deployment.policy, [deployment.run(3)])
    assert any("region × channel: n × web carries" in sentence for (sentence,) in short.rows)
    of_a_slice = why(
        deployment.store, deployment.policy, found.slices[0].fingerprint, found.run.window
    )
    assert of_a_slice.slices == ()


def test_what_is_stored_is_recomputed_alike(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert [(item.why, item.differences) for item in found] == [("", ())] * 2


def test_pairs_are_of_segments_of_one_column_that_nobody_crossed():
    third = Segment("partner", ("partner",))
    crossed = Segment("both", ("channel", "region"))
    made = pairs_of((REGION, CHANNEL, third, crossed), 7)
    assert [item.name for item in made] == ["region × partner", "channel × partner"]
    assert {(item.most, item.pair) for item in made} == {(7, True)}
    assert made[0].columns == ("region", "partner")
    assert pairs_of((REGION,), 7) == ()
