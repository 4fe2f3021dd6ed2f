"""What runs find beside what profiles say: a real log, a real store."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence
from monitor.domain.finding import Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.run import VersionResult
from monitor.domain.schema import Schema
from monitor.engine.beside import with_columns
from monitor.engine.recheck import Rechecker, revisions_within
from monitor.profile.codec import grid_from_bytes
from tests.held import YESTERDAY, Deployment

LIMITS = {
    "psi": FieldLimit(Limit(0.1, 0.25)),
    "drifted_share": FieldLimit(Limit(0.3, 0.8)),
    "extra_columns": FieldLimit(Limit(0.0, None, 1)),
}


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, a day with two more columns, one with a shift, one like the first."""
    made = Deployment(tmp_path, YESTERDAY, limits=LIMITS)
    for place in range(5):
        made.write(place, rows=400, shift=2.0 if place == 3 else 0.0)
    path = tmp_path / "2.parquet"
    table = pq.read_table(path)
    more = pa.array(range(400))
    pq.write_table(table.append_column("later", more).append_column("also", more), path)
    made.register()
    made.check(5)
    return made


def of(deployment, place, measure, reference=""):
    (result,) = deployment.run(place).results
    (found,) = [
        item
        for item in result.findings
        if item.reading.measure == measure and item.reading.subject.reference == reference
    ]
    return found


def test_columns_that_the_baseline_did_not_have_are_counted_named_and_judged(deployment):
    more, none = of(deployment, 2, "extra_columns"), of(deployment, 4, "extra_columns")
    assert (more.verdict, more.reading.result.value) == (Verdict.WARNING, 2)
    assert more.explanation == "also, later: 2, beyond the warning limit 0"
    assert (none.verdict, none.reading.result.value) == (Verdict.OK, 0)


def test_a_baseline_whose_columns_nobody_kept_says_so_and_one_of_too_many_says_nothing(deployment):
    run = deployment.run(2)
    (result,) = run.results
    grid = grid_from_bytes(deployment.store.baseline(result.baseline).grid)
    bare = VersionResult("1", result.baseline, 400, b"", (), ())
    before = replace(grid, schema=Schema())
    (reading,) = with_columns(bare, deployment.policy, before, run.schema_changes).readings
    assert reading.result.reason is Absence.NO_BASELINE
    (finding,) = with_columns(bare, deployment.policy, before, run.schema_changes).findings
    assert finding.verdict is Verdict.UNKNOWN
    wide = replace(grid, schema=replace(grid.schema, complete=False))
    assert with_columns(bare, deployment.policy, wide, run.schema_changes) is bare


def test_the_share_of_drifted_features_is_stored_and_judged(deployment):
    drifted = of(deployment, 3, "drifted_share")
    assert (drifted.verdict, drifted.reading.result.value) == (Verdict.CRITICAL, 1.0)
    assert drifted.explanation.startswith("1 of 1 features (amount): 1, beyond the critical")
    assert of(deployment, 4, "drifted_share").verdict is Verdict.OK
    since = of(deployment, 4, "drifted_share", "yesterday")  # it came back
    assert since.verdict is Verdict.CRITICAL


@pytest.mark.slow
def test_what_is_stored_is_recomputed_alike(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert [(item.why, item.differences) for item in found] == [("", ())] * 3


@pytest.mark.slow
def test_judging_again_keeps_both(deployment):
    deployment.write(2, name="late", rows=100)
    deployment.check(5)
    run = deployment.run(3)  # its reference has other rows now
    assert len(deployment.store.revisions("credit", run.window)) == 2
    assert of(deployment, 3, "drifted_share").verdict is Verdict.CRITICAL
    assert of(deployment, 2, "extra_columns").reading.result.value == 2
    assert of(deployment, 3, "extra_columns").reading.result.value == 0
