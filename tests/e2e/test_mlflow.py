"""A real MLflow server: what is read there, what is written there, and what its death delays."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import select

from monitor.config.model_file import load_policy
from monitor.domain.errors import RegistryError
from monitor.domain.registry import RunStage
from monitor.engine.governing import decide
from monitor.engine.registry import MonitoringRun
from monitor.governance.acts import submit, take_away, vote
from monitor.governance.authorisation import Action, Method, Who
from monitor.governance.standing import Event
from monitor.registry import mlflow
from monitor.registry.mlflow import MlflowRegistry
from monitor.registry.rest import RestClient
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_RECORDS
from tests.e2e.deployment import get, make_deployment, register, samples, wait_for
from tests.mlflow_server import GuardedServer, MlflowServer

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
    return MlflowRegistry(RestClient(server.url, timeout=120, sleep=lambda _: None))


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


def test_a_baseline_is_taken_from_the_data_of_a_run(server, tmp_path):
    deployment = make_deployment(tmp_path, settings=f"registry: {{url: '{server.url}'}}\n")
    ((run, _),) = new_model(server, "trained")
    folder = server.ask("GET", "runs/get", run_id=run)["run"]["info"]["artifact_uri"]
    content = (tmp_path / "log" / "2024-01-02.parquet").read_bytes()
    artifact = f"{folder.removeprefix('mlflow-artifacts:/')}/data/train.parquet"
    server.put(artifact, content)
    period = ("--from", "2024-01-02", "--to", "2024-01-03", "--why", "as trained")
    deployment.call(
        *("baseline", "register", "credit", *period),
        *("--from-run", run, "--artifact", "data/train.parquet"),
    )
    shown = deployment.call("baseline", "list", "credit", "--output", "json").stdout
    assert f"as trained (artifact data/train.parquet of run {run}, sha256" in shown
    assert sha256(content).hexdigest() in shown
    missing = deployment.call(
        *("baseline", "register", "credit", *period, "--from-run", run, "--artifact", "no.parquet"),
        check=False,
    )
    assert missing.returncode == 4
    elsewhere = deployment.call(
        *("baseline", "register", "credit", *period, "--from-run", "no-such-run"), check=False
    )
    assert elsewhere.returncode == 4 and "has no run no-such-run" in elsewhere.stderr

    where = artifact.rpartition("/")[0]
    server.put(f"{where}/page.parquet", b"<html>no parquet</html>")
    page = deployment.call(
        *("baseline", "register", "credit", *period, "--from-run", run),
        *("--artifact", "data/page.parquet"),
        check=False,
    )
    assert (page.returncode, "baseline.parquet: Parquet magic bytes" in page.stderr) == (3, True)
    log = str(tmp_path / "log")
    data = {
        "name": "days",
        "digest": "d2",
        "source_type": "local",
        "source": json.dumps({"uri": log}),
    }
    further = server.ask("POST", "runs/create", experiment_id=artifact.partition("/")[0])
    other = further["run"]["info"]["run_id"]
    server.ask("POST", "runs/log-inputs", run_id=other, datasets=[{"dataset": data}])
    deployment.call(
        "baseline",
        "register",
        "credit",
        *period[:3],
        "2024-01-04",
        *period[4:],
        *("--from-run", other),
    )
    listed = deployment.call("baseline", "list", "credit", "--output", "json").stdout
    assert f"as trained (data set days (d2) of run {other})" in listed


SECRET = "s3cret"  # noqa: S105  # of a webhook of this test

GOVERNANCE = """
delegation: {statement: "Approve or refer loans", by: cro, date: 2023-12-01}
accountability:
  accountable: head
  owners: [olga]
  operators: [sre]
  validators: [vera]
  governance: [gina]
risk:
  tier: medium
  rationale: Access to credit.
  limits: [{id: quality, measures: [missing_rate], consequence: hold}]
consequences:
  hold: {gate: deny, demote_alias: champion, deadline: 1d, on_deadline: escalate}
registry: {name: served, alias: champion, on_outside_move: hold}
"""


def act(deployment, by, action, what, *arguments, **named):
    policy = load_policy(deployment.folder / "models" / "credit.yaml")
    store = SqlStore(f"sqlite:///{deployment.database}")
    said = Who(by, Method.CLI)
    now = datetime.now(UTC)  # noqa: TID251  # beside a daemon with the machine's clock
    decide(policy, store, said, action, lambda *to: what(*to, *arguments, **named), now)
    found = store.standings("credit")
    store.close()
    return found


def hook(server, address):
    """Have the server say to the daemon when an alias or a tag is changed."""
    events = [
        {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
        {"entity": "MODEL_VERSION_TAG", "action": "SET"},
    ]
    url = f"{address}/v1/registry/webhook"
    made = {"name": "modelmon", "url": url, "events": events, "secret": SECRET}
    server.ask("POST", "webhooks", **made)


def test_the_daemon_mirrors_a_standing_and_a_webhook_tells_it_of_a_move_at_once(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOOK", SECRET)
    new_model(server, "served", 2)
    point(server, "served", "champion", "1")
    # Between two looks there would be ten minutes: what is noticed sooner, the webhook told.
    settings = f"""registry:
  url: {server.url}
  poll_every: 10m
  webhook_secret: ${{HOOK}}
"""
    deployment = make_deployment(tmp_path, settings=settings)
    register(deployment)
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(model.read_text() + GOVERNANCE)
    act(deployment, "olga", Action.SUBMIT, submit, "1", {"model": "sha"}, "ready")
    act(deployment, "vera", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
    act(deployment, "head", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
    deployment.call("run")
    with deployment.daemon(HOOK=SECRET) as (process, address, log):

        def series(name):
            return samples(get(f"{address}/metrics")[1]).get(f"modelmon_registry_{name}")

        wait_for(
            lambda: server.tags("served", "1").get("monitor.state") == "approved", process, log
        )
        wait_for(lambda: series("outbox_pending") == 0, process, log)
        assert series("up") == 1
        assert series('alias_outside{model="credit"}') == 0

        hook(server, address)
        point(server, "served", "champion", "2")
        wait_for(lambda: series('alias_outside{model="credit"}') == 1, process, log)
        wait_for(lambda: server.tags("served", "1").get("monitor.state") == "held", process, log)
    shown = deployment.call("registry", "show", "credit").stdout
    for text in ("champion", "held", "4f2a9c1", "applications"):
        assert text in shown
    explained = deployment.call("explain", "credit").stdout
    assert "4f2a9c1" in explained and "applications (training, d1f0)" in explained
    assert "Traceback" not in log.read_text()
    asked = server.ask("GET", "experiments/get-by-name", experiment_name="monitoring/credit")
    experiment = asked["experiment"]["experiment_id"]
    (run,) = server.ask("POST", "runs/search", experiment_ids=[experiment])["runs"]
    assert {"rows", "psi/amount"} <= {each["key"] for each in run["data"]["metrics"]}
    assert len(run["inputs"]["dataset_inputs"]) == 4  # a window each


PASSWORD = "a pass-word of this test"  # noqa: S105


@pytest.fixture
def guarded(tmp_path):
    """Return a server that people log in to, with a model that a user may edit."""
    (tmp_path / "mlflow").mkdir()
    server = GuardedServer(tmp_path / "mlflow")
    server.start()
    new_model(server, "served", 2)
    point(server, "served", "champion", "1")
    server.add_user("modelmon", PASSWORD)
    server.grant("modelmon", "registered_model", "served", "MANAGE")
    yield server
    server.kill()


def outages(deployment):
    store = SqlStore(f"sqlite:///{deployment.database}")
    with store._engine.connect() as connection:
        query = select(AUDIT_RECORDS.c.type).where(AUDIT_RECORDS.c.subject.startswith("registry/"))
        found = connection.scalars(query.order_by(AUDIT_RECORDS.c.sequence)).all()
    store.close()
    return found


def windows_told(server):
    """Return run and window's end of all rows that the server has, as often as it has them."""
    said = server.ask("POST", "experiments/search", max_results=100)["experiments"]
    ours = [each["experiment_id"] for each in said if each["name"] == "monitoring/credit"]
    runs = server.ask("POST", "runs/search", experiment_ids=ours).get("runs", []) if ours else []
    named = [{"run_id": run["info"]["run_id"], "metric_key": "profiled_rows"} for run in runs]
    return [
        (each["run_id"], found["timestamp"])
        for each in named
        for found in server.ask("GET", "metrics/get-history", **each).get("metrics", [])
    ]


def test_a_server_that_asks_who_we_are_and_dies_while_it_is_told_loses_nothing(
    guarded, tmp_path, monkeypatch
):
    settings = f"""registry:
  url: {guarded.url}
  user: modelmon
  password: ${{MLFLOW_PASSWORD}}
  poll_every: 1s
"""
    monkeypatch.setenv("MLFLOW_PASSWORD", "another")
    deployment = make_deployment(tmp_path / "here", days=14, settings=settings)
    register(deployment)
    model = deployment.folder / "models" / "credit.yaml"
    model.write_text(model.read_text() + GOVERNANCE)

    refused = deployment.call("doctor", "--output", "json", check=False)
    assert refused.returncode == 1 and "is the token or the password right?" in refused.stdout
    monkeypatch.setenv("MLFLOW_PASSWORD", PASSWORD)
    told = deployment.call("doctor", "--output", "json", check=False).stdout
    assert "champion names 1, whose run we may not read" in told
    guarded.grant("modelmon", "experiment", "1", "READ")

    act(deployment, "olga", Action.SUBMIT, submit, "1", {"model": "sha"}, "ready")
    act(deployment, "vera", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
    act(deployment, "head", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
    deployment.call("run")
    with deployment.daemon(MLFLOW_PASSWORD=PASSWORD) as (process, address, log):

        def series(name):
            return samples(get(f"{address}/metrics")[1]).get(f"modelmon_registry_{name}")

        wait_for(lambda: windows_told(guarded), process, log)
        guarded.kill()
        # What decides goes on while the server is away.
        act(deployment, "sre", Action.HOLD, take_away, "1", Event.HELD, "looks wrong")
        wait_for(lambda: (series("unreachable_seconds") or 0) > 1, process, log)
        assert series("up") == 0 and series("outbox_pending") >= 1
        guarded.start()
        wait_for(lambda: series("up") == 1 and series("outbox_pending") == 0, process, log)
        assert series("unreachable_seconds") == 0
        assert guarded.aliases("served") == {}
        assert guarded.tags("served", "1")["monitor.state"] == "held"
        told = windows_told(guarded)
        assert len(told) == len(set(told)) == 10
    assert outages(deployment) == ["registry.unreachable", "registry.reachable"]
    assert PASSWORD not in log.read_text() + deployment.call("config", "show").stdout
    kept = [path for path in deployment.folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
