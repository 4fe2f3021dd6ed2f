"""The daemon's file → its settings."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.daemon_file import load_settings, redacted, settings_as_yaml
from monitor.domain.errors import ConfigError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def load(tmp_path):
    def from_text(text, **environment):
        path = tmp_path / "config" / "modelmon.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return load_settings(path, environment)

    return from_text


def test_an_empty_file_is_all_defaults(load, tmp_path):
    settings = load("")
    assert settings.models == str(tmp_path / "config" / "models")
    assert settings.store_url == f"sqlite:///{tmp_path}/var/modelmon.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 9108)
    assert (settings.workers, settings.processes, settings.memory_limit) == (2, False, None)
    assert settings.check_every == timedelta(seconds=60)
    assert (settings.log_level, settings.log_format) == ("info", "text")


def test_the_shipped_file_shows_the_defaults(load):
    shipped = (ROOT / "config" / "modelmon.yaml").read_text()
    assert load(shipped) == load("")


def test_an_absolute_database_path_stays(load):
    assert load("store: {url: 'sqlite:////srv/m.db'}").store_url == "sqlite:////srv/m.db"


def test_a_variable_may_be_the_whole_url(load):
    url = "postgresql://u:p%40ss@db:5432/m?sslmode=require"
    settings = load("store: {url: '${DB}'}", DB=url)
    assert settings.store_url == url
    assert settings.store_shown == "${DB}"


def test_a_part_of_a_url_is_percent_encoded(load, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("p@ss/w:rd\n")
    settings = load(f"store: {{url: 'postgresql://${{USER}}:${{file:{secret}}}@db/m'}}", USER="me")
    assert settings.store_url == "postgresql://me:p%40ss%2Fw%3Ard@db/m"


def test_no_secret_is_shown(load):
    settings = load("store: {url: 'postgresql://u:hunter2@db/m?sslpassword=hunter3'}")
    assert "hunter2" in settings.store_url
    assert "hunter" not in repr(settings)
    assert "hunter" not in settings_as_yaml(settings)
    assert "postgresql://u:***@db/m?sslpassword=***" in settings_as_yaml(settings)


def test_an_unusable_url_from_the_environment_is_not_repeated(load):
    with pytest.raises(ConfigError) as caught:
        load("store: {url: '${DB}'}", DB="hunter2://u:hunter3@db/m")
    assert "must begin with" in str(caught.value)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@ss@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:${PW}@h/db", "postgresql://u:${PW}@h/db"),
        ("postgresql://u:x${PW}@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("sqlite:////srv/m.db", "sqlite:////srv/m.db"),
        ("postgresql://u:a/b@h/db", "postgresql://u:***@h/db"),
    ],
)
def test_passwords_are_starred_out(url, shown):
    assert redacted(url) == shown


def test_settings_in_full_can_be_read_again(load):
    text = "check_every: 90s\nweb: {host: 0.0.0.0, port: 0}\nlog: {level: debug, format: json}\n"
    text += "compute: {workers: 3, processes: true, memory_limit: 1536MiB}\n"
    settings = load(text)
    again = load(settings_as_yaml(settings))
    assert again == settings


def test_names_that_the_daemon_is_asked_by(load):
    settings = load("web: {hosts: [monitor.example, modelmon.m.svc]}")
    assert settings.hosts == ("monitor.example", "modelmon.m.svc")
    assert load(settings_as_yaml(settings)) == settings


@pytest.mark.parametrize(
    "name", ["https://monitor.example", "monitor.example:9108", "*.example", "a b", ".", "[::1]"]
)
def test_what_is_no_name_of_a_daemon(load, name):
    with pytest.raises(ConfigError, match=r"web\.hosts.*must be a name without scheme, port"):
        load(f"web: {{hosts: ['{name}']}}")
