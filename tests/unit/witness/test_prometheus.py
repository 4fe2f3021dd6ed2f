"""What samples say of a log, read by the program and by the verifier that shares no code with it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor import audit_verify
from monitor.domain.errors import WitnessError
from monitor.exposition.auditing import Audited
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.vitals import Vitals
from monitor.governance.checkpoint import Checkpoint
from monitor.governance.root_parts import parts_of
from monitor.witness.prometheus import sightings_in, sightings_of

ORIGIN = "monitor.example.org/prod"
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
ROOT, OTHER = bytes(range(32)), b"\xff" * 32


def series(size, root, minutes, instance="a", log=ORIGIN):
    """Return what Prometheus answers for one state of a log that it saw at some minutes."""
    instants = [(BEGIN + timedelta(minutes=each)).timestamp() for each in minutes]
    labels = {"log": log, "instance": instance, "job": "modelmon"}
    yield {
        "metric": {"__name__": "modelmon_audit_log_size", **labels},
        "values": [[at, str(size)] for at in instants],
    }
    for number, part in enumerate(parts_of(root)):
        named = {"__name__": "modelmon_audit_root_part", "part": str(number), **labels}
        yield {"metric": named, "values": [[at, str(part)] for at in instants]}


@pytest.fixture
def answered(tmp_path):
    """Return a function that writes series as Prometheus' API answers them."""

    def write(*every):
        path = tmp_path / "samples.json"
        data = {"resultType": "matrix", "result": [one for each in every for one in each]}
        path.write_text(json.dumps({"status": "success", "data": data}))
        return path

    return write


def both(path):
    """Return what the program reads, having made sure that the other reader reads the same."""
    found = [(one.checkpoint, one.at) for one in sightings_in(path)]
    alone = {(log, size, root, at) for log, size, root, at in audit_verify.samples_of(path)}
    assert alone == {(one.origin, one.size, one.root, at) for one, at in found}
    return dict(found)


def test_each_state_is_told_once_with_its_latest_instant(answered):
    path = answered(
        series(3, ROOT, (0, 1, 2)), series(4, OTHER, (3, 4)), series(3, ROOT, (1,), "b")
    )
    assert both(path) == {
        Checkpoint(ORIGIN, 3, ROOT): BEGIN + timedelta(minutes=2),
        Checkpoint(ORIGIN, 4, OTHER): BEGIN + timedelta(minutes=4),
    }


def test_replicas_that_differ_for_a_moment_are_not_mixed(answered):
    path = answered(series(3, ROOT, (0,), "a"), series(4, OTHER, (0,), "b"))
    assert set(both(path)) == {Checkpoint(ORIGIN, 3, ROOT), Checkpoint(ORIGIN, 4, OTHER)}


def test_a_page_that_was_saved_says_the_same(tmp_path):
    vitals = Vitals()
    vitals.attested(lambda: Audited(Checkpoint(ORIGIN, 12_345, OTHER), BEGIN, 0))
    page = tmp_path / "metrics.txt"
    page.write_bytes(ProcessMetrics(vitals, ResultsPage()).render())
    assert both(page) == {Checkpoint(ORIGIN, 12_345, OTHER): None}


def test_samples_of_which_some_are_missing_say_nothing(answered):
    *some, _ = series(3, ROOT, (0,))
    with pytest.raises(WitnessError, match="no whole sample of modelmon_audit_log_size"):
        sightings_in(answered(some))
    with pytest.raises(audit_verify.UnusableError, match="no whole sample"):
        audit_verify.samples_of(answered(some))


@pytest.mark.parametrize("content", ["{}", '{"data": 3}', "nothing of the kind", ""])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "samples"
    path.write_text(content)
    with pytest.raises(WitnessError, match="samples"):
        sightings_in(path)
    with pytest.raises(audit_verify.UnusableError, match="samples"):
        audit_verify.samples_of(path)


def test_a_part_that_is_none_is_refused(answered):
    size, first, *rest = series(3, ROOT, (0,))
    first["values"] = [[BEGIN.timestamp(), str(2**60)]]
    with pytest.raises(WitnessError, match="part 0 of a root has 52 bits"):
        sightings_in(answered([size, first, *rest]))


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://prometheus", "http://"])
def test_what_is_no_address_is_said(url):
    with pytest.raises(WitnessError, match="is no address"):
        sightings_of(url, timedelta(days=1), BEGIN)


def test_a_server_that_is_away_is_said():
    with pytest.raises(WitnessError, match="cannot be asked"):
        sightings_of("http://127.0.0.1:1", timedelta(days=1), BEGIN)
