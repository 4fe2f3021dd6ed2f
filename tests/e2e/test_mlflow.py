"""A real MLflow server: what is read there, what is written there, and what its death delays."""

import json
from datetime import UTC, datetime

import pytest

from monitor.domain.errors import RegistryError
from monitor.domain.registry import ErrandKind, RunStage
from monitor.engine.errands import Delivery, deliver
from monitor.engine.registry import MonitoringRun
from monitor.engine.registry_poll import Link, poll
from monitor.registry import mlflow
from monitor.registry.mlflow import MlflowRegistry
from monitor.registry.rest import RestClient
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.mlflow_server import MlflowServer
from tests.registries import Hands, Standings, a_state, governed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]

DESCRIBED = b"""
run_id: r
signature:
  inputs: '[{"type": "double", "name": "income"}]'
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
def registry(server):
    return MlflowRegistry(RestClient(server.url, timeout=10, sleep=lambda _: None))


def new_model(server, name, versions=1):
    server.ask("POST", "registered-models/create", name=name)
    return [server.register(name, DESCRIBED) for _ in range(versions)]


def point(server, name, alias, version):
    server.ask("POST", "registered-models/alias", name=name, alias=alias, version=version)


def a_run(model="loans", **more):
    at = datetime(2026, 9, 3, tzinfo=UTC)
    given = {
        "model": model,
        "version": "2",
        "month": "2026-09",
        "at": at,
        "window": "2026-09-02 to 2026-09-03",
        "manifest": "c4" * 32,
        "metrics": [("psi/income", 0.31), ("verdicts/critical", 1.0)],
        "files": {"windows/2026-09-03.json": b'{"worst": "critical"}\n'},
    }
    return MonitoringRun(**{**given, **more})


def test_a_look_has_every_version_over_pages_every_alias_and_our_tags(
    server, registry, monkeypatch
):
    monkeypatch.setattr(mlflow, "_PAGE", 2)
    name = "O'Hara loans"
    runs = [number for number, _ in new_model(server, name, 5)]
    point(server, name, "champion", "4")
    tag = {"name": name, "version": "3"}
    server.ask("POST", "model-versions/set-tag", **tag, key="monitor.state", value="approved")
    server.ask("POST", "model-versions/set-tag", **tag, key="team", value="lending")
    server.ask("POST", "runs/delete", run_id=runs[1])
    found = registry.snapshot(name, {"2"})
    assert [each.version for each in found.versions] == ["1", "2", "3", "4", "5"]
    assert found.aliases == {"champion": "4"}
    assert found.version("3").tags == {"monitor.state": "approved"}
    stages = [each.stage for each in found.versions]
    assert stages == [None, RunStage.DELETED, None, RunStage.ACTIVE, None]
    assert registry.snapshot("nobody's", ()) is None


def test_a_version_tells_what_it_was_made_from(server, registry):
    ((run, version),) = new_model(server, "lineage")
    found = registry.lineage("lineage", version)
    (data,) = found.data
    assert (data.name, data.digest, data.context) == ("applications", "d1f0", "training")
    assert json.loads(data.source) == {"uri": "s3://lake/applications"}
    assert (found.run, found.commit, found.logged_by) == (run, "4f2a9c1", "dana")
    assert found.params == {"depth": "3"}
    assert "income" in found.signature
    assert len(found.model_file) == 64


def test_tags_are_written_and_removed_and_what_is_not_there_is_no_error(server, registry):
    new_model(server, "tagged")
    registry.set_state("tagged", "1", {"monitor.state": "held", "monitor.case": ""})
    registry.set_state("tagged", "1", {"monitor.state": "approved", "monitor.case": "c-1"})
    assert server.tags("tagged", "1") == {"monitor.state": "approved", "monitor.case": "c-1"}
    registry.set_state("tagged", "1", {"monitor.state": "approved", "monitor.case": ""})
    assert server.tags("tagged", "1") == {"monitor.state": "approved"}
    with pytest.raises(RegistryError, match="404"):
        registry.set_state("tagged", "7", {"monitor.state": "held"})


def test_an_alias_is_taken_from_the_version_that_has_it_and_no_other(server, registry):
    new_model(server, "aliased", 3)
    point(server, "aliased", "champion", "2")
    assert registry.demote("aliased", "champion", "3", "1") == "2"
    assert registry.demote("aliased", "champion", "2", "1") == "1"
    assert server.aliases("aliased") == {"champion": "1"}
    assert registry.demote("aliased", "champion", "1", "") == ""
    assert registry.demote("aliased", "champion", "1", "") == ""
    assert server.aliases("aliased") == {}


def test_the_windows_of_a_month_are_one_run_and_what_is_told_twice_is_there_once(server, registry):
    first = registry.record(a_run())
    assert registry.record(a_run()) == first
    later = datetime(2026, 9, 4, tzinfo=UTC)
    assert registry.record(a_run(at=later, metrics=[("psi/income", 0.2)])) == first
    assert registry.record(a_run(month="2026-10")) != first
    history = server.ask("GET", "metrics/get-history", run_id=first, metric_key="psi/income")
    ends = [int(a_run().at.timestamp() * 1000), int(later.timestamp() * 1000)]
    assert [(each["timestamp"], each["value"]) for each in history["metrics"]] == [
        (ends[0], 0.31),
        (ends[1], 0.2),
    ]
    run = server.ask("GET", "runs/get", run_id=first)["run"]
    (data,) = run["inputs"]["dataset_inputs"]
    assert json.loads(data["dataset"]["source"])["manifest"] == "c4" * 32
    files = server.ask("GET", "artifacts/list", run_id=first, path="windows")["files"]
    assert [each["path"] for each in files] == ["windows/2026-09-03.json"]


def test_a_server_that_dies_delays_a_consequence_and_loses_nothing(server, registry, tmp_path):
    new_model(server, "credit-approval", 2)
    point(server, "credit-approval", "champion", "2")
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(url)
    store, clock, authority = SqlStore(url), Hands(), Standings()
    authority.set(a_state("1"), a_state("2", sequence=2))
    link, policy = Link(registry, store, authority, clock), governed()
    entry = policy.governance.registry
    names = {"credit": entry.name}
    delivery = Delivery(registry, store, clock, names, lambda _: [a_run("credit")])

    def looked():
        clock.pass_by(seconds=30)
        found = poll(policy, entry, link)
        deliver(delivery)
        return found

    looked()
    assert server.tags(entry.name, "2")["monitor.state"] == "approved"

    # What decides goes on while the registry is away; what it is to be told waits.
    authority.set(a_state("2", "held", sequence=3))
    poll(policy, entry, link)
    server.kill()
    assert deliver(delivery) == 0
    with pytest.raises(RegistryError, match="cannot be asked"):
        poll(policy, entry, link)
    assert store.backlog().waiting == 2
    server.start()
    assert deliver(delivery, at_once=True) == 2
    assert server.aliases(entry.name) == {"champion": "1"}
    assert server.tags(entry.name, "2")["monitor.state"] == "held"
    assert store.waiting(tuple(ErrandKind)) == []
    assert looked().outside == ""

    # A scientist serves what nobody has approved, and says so herself.
    point(server, entry.name, "champion", "2")
    tag = {"name": entry.name, "version": "2", "key": "monitor.state", "value": "approved"}
    server.ask("POST", "model-versions/set-tag", **tag)
    assert looked().outside == "2"
    assert [version for version, _ in authority.held] == ["1"]
    assert server.tags(entry.name, "2")["monitor.state"] == "held"
    store.close()
