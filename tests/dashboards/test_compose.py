"""docker-compose.yml and what it mounts fit together; no container is started here."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from monitor import app
from tests.dashboards.grafana import FOLDER

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
KEYS = {
    *("image", "build", "command", "environment", "volumes", "ports", "depends_on"),
    *("healthcheck", "restart", "read_only", "tmpfs", "cap_drop", "security_opt"),
    "stop_grace_period",
}
"""The keys of a service that are used, as the Compose specification spells them."""
LISTENS = {"postgres": 5432, "modelmon": 9108, "prometheus": 9090, "alertmanager": 9093}


def mounts(service):
    """Return where a service finds what: its path to the host's path or the volume's name."""
    parts = [mount.split(":") for mount in SERVICES[service]["volumes"]]
    return {part[1]: part[0] for part in parts}


def held(*parts):
    return yaml.safe_load((ROOT.joinpath(*parts)).read_text(encoding="utf-8"))


def test_only_keys_of_the_specification_are_used():
    assert COMPOSE.keys() == {"name", "services", "volumes"}
    assert {key for service in SERVICES.values() for key in service} <= KEYS


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists_and_files_are_read_only(name):
    for mount in SERVICES[name]["volumes"]:
        source, _, *options = mount.split(":")
        if source.startswith("./"):
            assert (ROOT / source).exists(), mount
            assert options == ["ro"], mount
        else:
            assert source in COMPOSE["volumes"], mount


def test_every_volume_is_used():
    used = {source for name in SERVICES for source in mounts(name).values()}
    assert COMPOSE["volumes"].keys() <= used


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name):
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"] / "Dockerfile").exists()
    else:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", service["image"])


def test_nothing_is_published_beyond_this_machine():
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_no_password_is_written_down_and_none_has_a_default():
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert re.fullmatch(r"\$\{MODELMON_DB_PASSWORD:\?[^}]+\}", value), key


def test_who_depends_on_a_service_names_one_that_is_there():
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
    assert SERVICES["postgres"]["healthcheck"]["test"][0] == "CMD"


def test_the_daemon_reads_its_settings_as_they_are_mounted(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELMON_DB_PASSWORD", "made-for-this-test")
    inside = mounts("modelmon")
    for path in ("config/modelmon.yaml", "config/models", "demo"):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(ROOT / inside[f"/srv/modelmon/{path}"])
    settings = app.read_settings(tmp_path / "config" / "modelmon.yaml")
    url = urlsplit(settings.store_url)
    assert (url.hostname, url.port) == ("postgres", LISTENS["postgres"])
    assert (settings.host, settings.port) == ("0.0.0.0", LISTENS["modelmon"])  # noqa: S104
    (policy,) = app.read_policies(settings)
    assert policy.model == "card-late-payment"


def test_services_find_each_other_by_name_and_port():
    prometheus = held("deploy", "compose", "prometheus.yml")
    named = [
        target
        for part in (*prometheus["scrape_configs"], *prometheus["alerting"]["alertmanagers"])
        for target in part["static_configs"][0]["targets"]
    ]
    (source,) = held("dashboards", "provisioning", "datasources", "modelmon.yml")["datasources"]
    for target in [*named, urlsplit(source["url"]).netloc]:
        host, _, port = target.partition(":")
        assert int(port) == LISTENS["prometheus" if host == "localhost" else host], target


def test_grafana_finds_the_dashboards_where_they_are_mounted():
    inside = mounts("grafana")
    assert inside["/etc/grafana/provisioning"] == "./dashboards/provisioning"
    (provider,) = held("dashboards", "provisioning", "dashboards", "modelmon.yml")["providers"]
    assert ROOT / inside[provider["options"]["path"]] == FOLDER
    assert provider["allowUiUpdates"] is False
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (FOLDER / Path(home).relative_to(provider["options"]["path"])).exists()


def test_the_rules_are_read_from_the_mounted_folder():
    (pattern,) = held("deploy", "compose", "prometheus.yml")["rule_files"]
    assert pattern.startswith("/etc/modelmon/dashboards/rules/")
    assert mounts("prometheus")["/etc/modelmon/dashboards"] == "./dashboards"


@pytest.mark.slow
def test_prometheus_accepts_its_configuration():
    done = subprocess.run(
        ["promtool", "check", "config", str(ROOT / "deploy" / "compose" / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
