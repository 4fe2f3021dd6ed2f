"""What kustomize makes of deploy/kubernetes is valid, and names only what the product has."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from click import Context

from monitor import app
from monitor.cli.main import root
from monitor.daemon import DRAIN
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.rule import JOB
from tests.e2e.deployment import get, make_deployment
from tests.e2e.promtool import promtool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
PAGE = (ROOT / "docs" / "how-to" / "run-it-on-kubernetes.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KUBECTL = Path(sys.executable).with_name("kubectl")
"""From a wheel: Debian's is older than what the manifests are written for."""

OURS = ("ServiceMonitor", "PrometheusRule")
"""Kinds of the Prometheus Operator, which the schemas of Kubernetes do not have."""

pytestmark = pytest.mark.slow


def build(folder):
    done = subprocess.run(
        [KUBECTL, "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return list(yaml.safe_load_all(done.stdout))


def written(folder, base):
    """Lay out what the page tells, on a copy of the repository's folder; return its place."""
    shutil.copytree(FOLDER, folder / "modelmon" / "deploy" / "kubernetes")
    mine = folder / "mine"
    mine.mkdir()
    shutil.copy(ROOT / "config" / "models" / "card-late-payment.yaml", mine)
    (shown,) = re.findall(r"```yaml\n(apiVersion: kustomize.*?)```", PAGE, re.DOTALL)
    assert "kubernetes/base]" in shown
    text = shown.replace("kubernetes/base]", f"kubernetes/{base}]")
    (mine / "kustomization.yaml").write_text(text)
    return mine


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return what is applied, by the name of the folder."""
    of_page = {
        f"the page's {base}": build(written(tmp_path_factory.mktemp(base), base))
        for base in ("base", "ha")
    }
    return {"base": build(FOLDER / "base"), "ha": build(FOLDER / "ha"), **of_page}


def of_kind(resources, kind):
    (found,) = [resource for resource in resources if resource["kind"] == kind]
    return found


def pod(resources):
    return of_kind(resources, "StatefulSet")["spec"]["template"]["spec"]


BUILDS = ("base", "ha", "the page's base", "the page's ha")
each = pytest.mark.parametrize("name", BUILDS)


@each
@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_the_resources_are_valid_strictly(made, name, version):
    checked = [item for item in made[name] if item["kind"] not in OURS]
    assert len(checked) >= 5
    for resource in checked:
        kubernetes_validate.validate(resource, version, strict=True)


def test_the_validator_finds_a_misspelt_key(made):
    service = of_kind(made["base"], "Service")
    wrong = {**service, "spec": {**service["spec"], "clusterIp": "None"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


@each
def test_nothing_runs_as_root_or_may_write_but_in_its_volumes(made, name):
    spec = pod(made[name])
    user = int(re.search(r"^USER (\d+):\1$", DOCKERFILE, re.MULTILINE)[1])
    assert user >= 10_000
    outer = spec["securityContext"]
    assert outer["runAsNonRoot"] is True
    assert {outer[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {user}
    assert outer["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert of_kind(made[name], "ServiceAccount")["automountServiceAccountToken"] is False
    for container in spec["initContainers"] + spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
        assert {*container["resources"]["limits"]} >= {"cpu", "memory"}


@each
def test_every_mount_has_a_volume_and_every_volume_a_use(made, name):
    spec = pod(made[name])
    claims = of_kind(made[name], "StatefulSet")["spec"].get("volumeClaimTemplates", [])
    volumes = {item["name"] for item in spec["volumes"]} | {
        claim["metadata"]["name"] for claim in claims
    }
    for container in spec["initContainers"] + spec["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert {mount["name"] for mount in spec["containers"][0]["volumeMounts"]} == volumes
    inside = {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert re.search(r'^VOLUME \["(.*)"\]$', DOCKERFILE, re.MULTILINE)[1] in inside


@each
def test_the_selectors_find_the_pods_and_nothing_else(made, name):
    labels = {"app.kubernetes.io/name": "modelmon"}
    found = of_kind(made[name], "StatefulSet")["spec"]
    assert found["template"]["metadata"]["labels"] == labels
    assert found["selector"]["matchLabels"] == labels
    assert of_kind(made[name], "Service")["spec"]["selector"] == labels
    assert of_kind(made[name], "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    if "ha" in name:
        budget = of_kind(made[name], "PodDisruptionBudget")["spec"]
        assert budget["selector"]["matchLabels"] == labels
        assert found["replicas"] > budget["maxUnavailable"] == 1
        assert found["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"] == {
            "matchLabels": labels
        }
    else:
        assert found["replicas"] == 1  # SQLite


@each
def test_the_commands_and_the_environment_exist(made, name):
    spec = pod(made[name])
    variables = {option.envvar for option in root.params if getattr(option, "envvar", None)}
    for container in spec["initContainers"] + spec["containers"]:
        command, arguments = root, list(container["args"])
        while hasattr(command, "get_command"):
            command = command.get_command(Context(command), arguments.pop(0))
            assert command is not None, container["args"]
        assert command.make_context("modelmon", arguments)
        assert {item["name"] for item in container["env"]} <= variables
        assert container["image"].endswith(f"modelmon:{PROJECT['version']}")


def read(resources, folder, password=None):
    """Return the settings and policies that a pod would read, laid out as the kubelet does."""
    spec = pod(resources)
    (variable,) = spec["containers"][0]["env"]
    mounts = {item["name"]: item["mountPath"] for item in spec["containers"][0]["volumeMounts"]}
    maps = {item["metadata"]["name"]: item for item in resources if item["kind"] == "ConfigMap"}
    for volume in spec["volumes"]:
        if "configMap" in volume and volume["configMap"]["name"] in maps:
            place = folder / mounts[volume["name"]].lstrip("/")
            held = place / "..2026_01_01_00_00_00.1"
            held.mkdir(parents=True)
            (place / "..data").symlink_to(held.name)
            for key, text in maps[volume["configMap"]["name"]]["data"].items():
                (held / key).write_text(text)
                (place / key).symlink_to(f"..data/{key}")
    file = folder / variable["value"].lstrip("/")
    text = file.read_text().replace("models: /etc", f"models: {folder}/etc")
    if password is not None:
        (secret,) = [item for item in spec["volumes"] if "secret" in item]
        inside = f"{mounts[secret['name']]}/password"
        assert f"${{file:{inside}}}" in text
        password_file = folder / "password"
        password_file.write_text(password)
        text = text.replace(inside, str(password_file))
    file.resolve().write_text(text)
    settings = app.read_settings(file)
    return settings, app.read_policies(settings)


@pytest.mark.parametrize("name", BUILDS[2:])
def test_the_pod_reads_its_settings_and_the_probes_ask_where_it_listens(made, name, tmp_path):
    spec = pod(made[name])
    settings, policies = read(made[name], tmp_path, "pass/word" if "ha" in name else None)
    assert [policy.model for policy in policies] == ["card-late-payment"]
    (port,) = spec["containers"][0]["ports"]
    assert port == {"name": "metrics", "containerPort": settings.port}
    assert f"EXPOSE {settings.port}" in DOCKERFILE
    assert settings.host == "0.0.0.0"  # noqa: S104
    (served,) = of_kind(made[name], "Service")["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (settings.port, "metrics")
    if "ha" in name:
        assert settings.store_url.startswith("postgresql://modelmon:pass%2Fword@postgres:5432/")
        opened = of_kind(made[name], "NetworkPolicy")["spec"]["egress"]
        assert {"port": 5432, "protocol": "TCP"} in [rule["ports"][0] for rule in opened]
    else:
        state = Path("/srv/modelmon/var")
        assert settings.store_url == f"sqlite:///{state / 'modelmon.db'}"
        assert str(state) in {item["mountPath"] for item in spec["containers"][0]["volumeMounts"]}
    assert spec["terminationGracePeriodSeconds"] > DRAIN.total_seconds() + 7  # and open requests


def test_every_address_that_is_asked_answers(made, tmp_path):
    container = pod(made["base"])["containers"][0]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    (endpoint,) = of_kind(made["the page's base"], "ServiceMonitor")["spec"]["endpoints"]
    assert {item["port"] for item in [*probes, endpoint]} == {"metrics"}
    with make_deployment(tmp_path / "here").daemon() as (_, address, _):
        for asked in [*probes, endpoint]:
            assert get(address + asked["path"])[0] == 200, asked


def test_the_rules_find_what_the_operator_scrapes(made, tmp_path):
    resources = made["the page's ha"]
    found = of_kind(resources, "ServiceMonitor")["spec"]
    labels = of_kind(resources, "Service")["metadata"]["labels"]
    assert found["selector"]["matchLabels"].items() <= labels.items()
    assert labels[found["jobLabel"]] == JOB
    # What the operator adds would displace labels of ours of the same name.
    added = {"namespace", "pod", "service", "endpoint", "container", "instance", "job"}
    assert [family.name for family in CATALOGUE if added & {*family.labels}] == []
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(of_kind(resources, "PrometheusRule")["spec"]))
    code, said = promtool("check", "rules", str(rules))
    assert code == 0, said


def test_the_command_prints_the_committed_rules():
    command = [sys.executable, "-m", "monitor", "rules", "--kubernetes"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert told == (FOLDER / "prometheus-operator" / "rules.yaml").read_text(encoding="utf-8")
