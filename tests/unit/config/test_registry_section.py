"""Where the model registry is, and what must not go there in the open."""

from datetime import timedelta

import pytest

from monitor.config.daemon_file import load_settings, settings_as_yaml
from monitor.domain.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    def from_text(text, **environment):
        path = tmp_path / "modelmon.yaml"
        path.write_text(text)
        return load_settings(path, environment)

    return from_text


def test_without_an_address_there_is_no_registry(load):
    assert load("").registry is None
    assert "registry" not in settings_as_yaml(load(""))


def test_secrets_come_from_elsewhere_and_are_shown_nowhere(load, tmp_path):
    (tmp_path / "token").write_text("hunter2\n")
    (tmp_path / "ca.pem").write_text("certificates")
    text = f"""
registry:
  url: https://mlflow.example/base/
  token: ${{file:{tmp_path}/token}}
  ca: ca.pem
  poll_every: 2m
  webhook_secret: ${{HOOK}}
"""
    settings = load(text, HOOK="hunter3")
    found = settings.registry
    assert (found.url, found.token) == ("https://mlflow.example/base", "hunter2")
    assert [found.webhook_secret] == ["hunter3"]
    assert found.ca == str(tmp_path / "ca.pem")
    assert (found.poll_every, found.timeout) == (timedelta(minutes=2), timedelta(seconds=10))
    shown = settings_as_yaml(settings)
    assert "hunter" not in shown + repr(settings)
    assert "${HOOK}" in shown and "poll_every: 2m" in shown


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost", "[::1]:5000"])
def test_a_secret_may_go_over_plain_http_on_this_machine(load, host):
    text = f"registry: {{url: 'http://{host}', user: ada, password: '${{P}}'}}"
    assert [load(text, P="x").registry.password] == ["x"]


def test_a_secret_goes_over_plain_http_to_another_machine_only_where_that_is_said(load):
    text = "registry: {{url: 'http://mlflow', token: '${{T}}'{}}}"
    with pytest.raises(ConfigError, match=r"readable on the way over http://"):
        load(text.format(""), T="x")
    said = load(text.format(", plain_http: true"), T="x")
    assert [said.registry.token] == ["x"]
    assert not load("registry: {url: 'http://mlflow'}").registry.token


@pytest.mark.parametrize("secret", ["", "two\nlines", "nul\x00"])
def test_a_secret_that_is_none_is_refused(load, secret):
    with pytest.raises(ConfigError, match=r"\$\{T\} is empty, or holds characters"):
        load("registry: {url: 'https://mlflow', token: '${T}'}", T=secret)


@pytest.mark.parametrize(
    "url", ["mlflow:5000", "ftp://h", "https://", "https://ada:x@h", "http://["]
)
def test_an_address_that_is_none_is_refused(load, url):
    with pytest.raises(ConfigError, match=r"registry\.url: (must|cannot)"):
        load(f"registry: {{url: '{url}'}}")
